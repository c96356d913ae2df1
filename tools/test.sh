#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test.sh BUILD [meson test options] — run the tests; the last line says `N passed, N failed`.
set -u

build=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
meson test -C "$build" --print-errorlogs "$@" 2>&1 | tee "$log"

count() {
	sed -n "s/^$1: *\([0-9][0-9]*\).*/\1/p" "$log" | tail -n 1
}
passed=$(count 'Ok')
failed=$(($(count 'Fail' | grep . || echo 0) + $(count 'Timeout' | grep . || echo 0) +
	$(count 'Unexpected Pass' | grep . || echo 0)))
skipped=$(count 'Skipped')
if [ -z "$passed" ]; then
	echo "0 passed, 1 failed"
	exit 1
fi
line="$passed passed, $failed failed"
test "${skipped:-0}" = 0 || line="$line, $skipped skipped"
echo "$line"
test "$failed" = 0

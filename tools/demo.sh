#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# demo.sh BUILD — the main job, shown on a small program and on a real server.
set -eu

build=$1
lockproof=$build/src/cli/lockproof

say() {
	printf '\n\033[1m%s\033[0m\n' "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi
}

say '1. Two threads that take two locks in opposite order, one after the other: nothing hangs.'
echo "\$ lockproof run -- examples/abba"
status=0
"$lockproof" run -- "$build/examples/abba" || status=$?
if [ "$status" != 66 ]; then
	echo "demo: expected a finding (exit status 66), got $status" >&2
	exit 1
fi

say '2. memcached from Debian, 4 threads, under load: a real server, validated from outside.'
echo "\$ lockproof run -- memcached -t 4"
python3 tests/programs/memcached_load.py --lockproof "$lockproof" --seconds 3

say 'Your own program:'
echo "    $lockproof run -- PROGRAM [ARGUMENTS]"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# demo.sh BUILD — the main job, shown on a small program and on a real server.
set -eu

build=$1
lockproof=$build/src/cli/lockproof

say() {
	if [ -t 1 ]; then printf '\n\033[1m%s\033[0m\n' "$*"; else printf '\n%s\n' "$*"; fi
}

fail() {
	echo "demo: $*" >&2
	exit 1
}

say '1. Two threads that take two locks in opposite orders, one after the other: nothing hangs.'
echo '   The source is examples/abba.c.'
say "$ $lockproof run -- $build/examples/example-abba"
status=0
"$lockproof" run -- "$build/examples/example-abba" || status=$?
[ "$status" = 66 ] || fail "expected a finding and exit status 66, got $status"
echo "exit status $status: there was a finding"

say '2. A real server from Debian, validated from outside: memcached with 4 threads under load.'
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
user=
[ "$(id -u)" != 0 ] || user='-u nobody'
say "$ $lockproof run -- memcached -t 4 -l 127.0.0.1 -p $port -U 0 $user"
# shellcheck disable=SC2086
"$lockproof" run -- memcached -t 4 -l 127.0.0.1 -p "$port" -U 0 $user &
server=$!
trap 'kill "$server" 2>/dev/null || :' EXIT
python3 tests/programs/clients.py memcached "$port" || fail 'memcached gave a wrong answer'
kill "$server"
status=0
wait "$server" || status=$?
trap - EXIT
[ "$status" = 0 ] || fail "memcached ended with status $status"

seed=scenarios/seed/io_uring-file_data
say '3. The kernel bug that Lockproof started from, as a few lines: what the validator says, and how'
echo '   it hangs. With the fix, no schedule does.'
say "$ $lockproof check $seed.litmus"
"$lockproof" check "$seed.litmus" || fail 'the bug was not found'
say "$ $lockproof check $seed-fixed.litmus"
"$lockproof" check "$seed-fixed.litmus" || fail 'the fix was not silent'

say 'Your own program:'
echo "    $lockproof run -- PROGRAM [ARGUMENTS]"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# spin.sh BENCH_EXPLORE — the philosophers in Lockproof's explorer and in spin, side by side.
#
# Each without partial-order reduction and with its own, up to the first deadlock. Times are those of the search alone: the best of five runs; a run
# of spin's verifier on a model with one process is taken off, as it spends most of a short run
# on its tables.
set -eu

bench=${1:?usage: spin.sh BENCH_EXPLORE}
here=$(cd "$(dirname "$0")" && pwd)
command -v spin >/dev/null || { echo "spin is not installed: apt-get install spin" >&2; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cd "$work"

# build NAME SPIN_OPTIONS -- CC_OPTIONS
build()
{
	name=$1
	shift
	mkdir -p "$name"
	cc_options=
	spin_options=
	while [ "$1" != -- ]; do spin_options="$spin_options $1"; shift; done
	shift
	cc_options=$*
	(cd "$name" && spin $spin_options -a "$here/spin/philosophers.pml" >/dev/null &&
		cc -O2 -w -DSAFETY -DMEMLIM=4096 $cc_options -o pan pan.c)
}

# best NAME PAN_OPTIONS: milliseconds of the fastest of five runs; output in NAME/out
best()
{
	name=$1
	shift
	for run in 1 2 3 4 5; do
		start=$(date +%s%N)
		"$name/pan" "$@" >"$name/out" 2>&1 || :
		end=$(date +%s%N)
		echo $((end - start))
	done | sort -n | head -1 | awk '{ printf "%.3f", $1 / 1e6 }'
}

# rate MS NUMBER: the time without what an empty model takes, and millions of states a second
rate()
{
	awk -v ms="$1" -v empty="$empty" -v number="$2" 'BEGIN {
		ms -= empty
		if (ms > 0.5)
			printf "%.3f %.2f", ms, number / ms / 1000
		else
			printf "<0.5 -"
	}'
}

row()
{
	printf '%-28s %-8s %12s %12s %12s\n' "$@"
}

echo "Lockproof's explorer:"
"$bench"
echo
echo "spin $(spin -V | awk '{ print $3 }'):"
row scenario states number ms 'M states/s'
build empty -DN=1 -- -DNOREDUCE
empty=$(best empty -w20 -m100000)
for n in 5 6 7 8 9; do
	for kind in deadlock ordered; do
		define=-DN=$n
		[ $kind = deadlock ] || define="$define -DORDERED"
		for states in all reduced; do
			options=-DNOREDUCE
			[ $states = all ] || options=
			build model $define -- $options
			ms=$(best model -w20 -m100000)
			number=$(awk '/states, stored/ { print $1 }' model/out)
			row "philosophers $n $kind" $states "$number" $(rate "$ms" "$number")
		done
	done
done

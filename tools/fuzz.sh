#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh BUILD — build the fuzzers with clang and run each for FUZZ_SECONDS on its corpus.
set -eu

build=$1
seconds=${FUZZ_SECONDS:-60}
test -f "$build/build.ninja" || CC=clang CXX=clang++ meson setup -Db_lundef=false "$build"
ninja -C "$build" fuzzers
for fuzzer in "$build"/fuzz/fuzz_*_libfuzzer; do
	name=$(basename "$fuzzer" _libfuzzer)
	name=${name#fuzz_}
	grown=$build/corpus-$name
	mkdir -p "$grown"
	echo "fuzz $name: $seconds seconds"
	"$fuzzer" -max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="$build/" \
		"$grown" "fuzz/corpus/$name"
done

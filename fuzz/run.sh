#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh FUZZER CORPUS NAME — fuzz from a corpus without changing it; inputs go to the build tree.
set -eu
work="${MESON_BUILD_ROOT:-.}/fuzz/work-$3"
mkdir -p "$work"
exec "$1" -max_total_time="${FUZZ_SECONDS:-60}" -max_len=16384 -print_final_stats=1 \
	-artifact_prefix="$work/crash-" "$work" "$2"

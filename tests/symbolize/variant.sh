#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# variant.sh — a program with its debug info elsewhere, or nowhere.
#
#   variant.sh separate IN OUT       strip IN; debug info in OUT's folder/.debug
#   variant.sh bare IN OUT           strip IN
#   variant.sh mismatch IN OUT OTHER strip IN; its debug link leads to OTHER's debug info
#   variant.sh mapped SOURCE OUT LIBRARY VERSION  compile with all paths relative
#   variant.sh dwz IN OUT OTHER      move what IN and OTHER have in common to a third file
set -eu
kind=$1 in=$2 out=$3 other=${4:-}
folder=$(dirname "$out")
link=$(basename "$out").debug

rm -f "$out"
case $kind in
separate)
	mkdir -p "$folder/.debug"
	objcopy --only-keep-debug "$in" "$folder/.debug/$link"
	objcopy --strip-all --add-gnu-debuglink="$folder/.debug/$link" "$in" "$out"
	;;
bare)
	objcopy --strip-all "$in" "$out"
	;;
mismatch)
	objcopy --only-keep-debug "$other" "$folder/$link"
	objcopy --strip-all --add-gnu-debuglink="$folder/$link" "$in" "$out"
	;;
dwz)
	cp "$in" "$out"
	cp "$other" "$out.other"
	cp "$other" "$out.third"
	# the name of the common file is stored as it is given here
	(cd "$folder" && dwz -m "$link" "$(basename "$out")" "$(basename "$out").other" \
		"$(basename "$out").third")
	;;
mapped)
	out=$(realpath -m "$out")
	other=$(realpath "$other")
	cd "$(dirname "$in")"
	cc -O2 -w "-gdwarf-$5" -ffile-prefix-map="$PWD=." "$(basename "$in")" "$other" -o "$out" \
		-Wl,--build-id=sha1
	;;
*)
	echo "variant.sh: no such variant: $kind" >&2
	exit 2
	;;
esac

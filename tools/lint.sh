#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lint.sh BUILD — what a reviewer should not have to say.
set -eu

build=$1
status=0
python3 tests/layers/check_layers.py . || status=1
if git grep -nE ' +$' -- '*.c' '*.h' '*.py' '*.sh' '*.md'; then
	echo 'lint: blanks at the end of these lines' >&2
	status=1
fi
if git ls-files '*.c' '*.h' | xargs awk 'length($0) > 100 { print FILENAME ":" FNR; bad = 1 }
	END { exit bad }'; then :; else
	echo 'lint: these lines are longer than 100 columns' >&2
	status=1
fi
cppcheck --quiet --enable=warning,portability --inline-suppr --error-exitcode=1 \
	--suppress=missingIncludeSystem -Isrc -Iinclude -D__x86_64__ src || status=1
exit $status

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every report of cases.c, as text, against the text that people accepted.

    test_golden.py RENDER_CASE GOLDEN_DIRECTORY

Set LP_ACCEPT=1 to write what is printed now as what is right; then read `git diff`.
"""
import difflib
import os
import pathlib
import subprocess
import sys
import unicodedata

RENDER_CASE, GOLDEN = sys.argv[1], pathlib.Path(sys.argv[2])
ACCEPT = os.environ.get('LP_ACCEPT') == '1'
COLORED = ['two', 'one-thread', 'hostile', 'several', 'stopped']


def render(how, name):
    return subprocess.run([RENDER_CASE, how, name], stdout=subprocess.PIPE, check=True).stdout


def names():
    return subprocess.run([RENDER_CASE], stdout=subprocess.PIPE, check=True).stdout.decode().split()


def differs(file, output):
    """Compare with a golden file, or replace it. Prints what differs."""
    path = GOLDEN / file
    if ACCEPT:
        path.write_bytes(output)
        return False
    golden = path.read_bytes() if path.exists() else b''
    if golden == output:
        return False
    sys.stdout.writelines(difflib.unified_diff(
        golden.decode(errors='backslashreplace').splitlines(True),
        output.decode(errors='backslashreplace').splitlines(True), str(path), 'now'))
    return True


def without_color(text):
    """Remove the escape sequences that the renderer is allowed to write."""
    for code in (b'0', b'1', b'36', b'1;31', b'33'):
        text = text.replace(b'\x1b[' + code + b'm', b'')
    return text


def is_harmless(text):
    """Nothing but printable characters and newlines."""
    return all(c == '\n' or unicodedata.category(c) not in ('Cc', 'Cf', 'Cs', 'Zl', 'Zp')
               for c in text.decode())


def main():
    failures = []
    for name in names():
        text = render('text', name)
        if differs(f'{name}.txt', text):
            failures.append(f'{name}: text differs')
        if not is_harmless(text):
            failures.append(f'{name}: control characters in plain text')
        color = render('color', name)
        if name in COLORED and differs(f'{name}.color.txt', color):
            failures.append(f'{name}: coloured text differs')
        if b'\x1b' not in color:
            failures.append(f'{name}: no colour when asked for')
        if without_color(color) != text:
            failures.append(f'{name}: colour changes the text')
        summary = render('summary', name)
        if not text.endswith(summary) or not 1 <= summary.count(b'\n') <= 3:
            failures.append(f'{name}: the summary is not the end of the report')
    known = {f'{name}.txt' for name in names()} | {f'{name}.color.txt' for name in COLORED}
    failures += [f'{path.name}: no such case' for path in GOLDEN.iterdir()
                 if path.name not in known]
    for failure in failures:
        print(failure)
    if failures:
        print('LP_ACCEPT=1 accepts what is printed now')
    return bool(failures)


if __name__ == '__main__':
    sys.exit(main())

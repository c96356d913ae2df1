#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The fast path has a budget, counted in instructions: that repeats exactly, time does not.

    test_budget.py PAIRS        the program bench/pairs

Counts two runs of different length under callgrind; the difference is the loop and nothing else.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

LOCKPROOF = os.environ.get('LOCKPROOF', 'lockproof')
SHORT, LONG = 2000, 102000
# Two threads learn their call sites in an order that varies; more iterations make it matter less.
LONGER = {'threads': 5 * LONG}

# case: (instructions per pair that Lockproof may add, how many pairs one iteration makes)
BUDGET = {'mutex': (70, 1), 'handler': (70, 1), 'nested': (70, 4), 'threads': (70, 2)}
# What takes locks inside libc: a compare and two jumps a call, until a handler is installed.
BUDGET.update({'malloc': (8, 1), 'printf': (4, 1), 'putc': (4, 1), 'malloc-handler': (30, 1),
               'printf-handler': (20, 1), 'putc-handler': (20, 1)})
# Other kinds have no budget yet; this only notices when something is badly wrong.
SANITY = {'read': (400, 1), 'write': (400, 1), 'spin': (400, 1),
          'localtime': (400, 1)}


def count(directory, command, program):
    """Instructions of the process whose command line contains `program`."""
    for old in directory.iterdir():
        old.unlink()
    subprocess.run(['valgrind', '--tool=callgrind', '--trace-children=yes', '-q',
                    f'--callgrind-out-file={directory}/out.%p', *command],
                   check=True, capture_output=True, timeout=300)
    totals = []
    for path in directory.iterdir():
        text = path.read_text()
        command_line = re.search(r'^cmd:\s*(.*)$', text, re.MULTILINE).group(1)
        if command_line.split()[0] == program:
            totals.append(int(re.search(r'^(?:summary|totals):\s*(\d+)', text,
                                        re.MULTILINE).group(1)))
    if len(totals) != 1:
        raise SystemExit(f'{len(totals)} profiles of {program}, not one')
    return totals[0]


def per_iteration(directory, prefix, program, case):
    short = count(directory, [*prefix, program, case, str(SHORT)], program)
    many = LONGER.get(case, LONG)
    long = count(directory, [*prefix, program, case, str(many)], program)
    return (long - short) / (many - SHORT)


def main(argv):
    program, failed = argv[1], 0
    with tempfile.TemporaryDirectory(prefix='lp-budget-') as name:
        directory = pathlib.Path(name)
        for case, (budget, pairs) in {**BUDGET, **SANITY}.items():
            bare = per_iteration(directory, [], program, case) / pairs
            ours = per_iteration(directory, [LOCKPROOF, 'run', '--'], program, case) / pairs
            added = ours - bare
            verdict = 'ok' if 0 < added <= budget else 'FAILED'
            failed += verdict != 'ok'
            print(f'{verdict:6} {case:7} {bare:6.1f} bare, {ours:6.1f} with Lockproof: '
                  f'{added:+.1f} instructions per pair, budget {budget}', flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Waits as edges: what each program of waits.c must report by default and with --strict.

    test_waits.py PROGRAMS SOURCES [WORD...]
"""
import re
import signal
import sys

import harness
import test_patterns
from harness import expect
from test_patterns import CIRCULAR, CIRCULAR_POSSIBLE, SILENT, Row

WAITS = {
    'sem-abba': Row(CIRCULAR, cycle=[('sem-ab-a', 'sem-ab-b'), ('sem-ba-b', 'sem-ba-a')],
                    names=['sem_a', 'sem_b']),
    'sem-places': Row(SILENT, CIRCULAR_POSSIBLE),
    'sem-handed-late': Row(SILENT),
    'sem-queue-of-one': Row(SILENT),
    'sem-queue': Row(SILENT),
    'sem-ping-pong': Row(SILENT),
    'sem-handler': Row(SILENT),
    'sem-ends-held': Row(SILENT),
    'sem-named': Row(SILENT, CIRCULAR_POSSIBLE),
    'once-lock': Row(CIRCULAR, cycle=[('once-run', 'once-m'), ('once-hold', 'once-wait')],
                     names=['m', 'once']),
    'once-lock-first': Row(SILENT, CIRCULAR_POSSIBLE),
    'flag-lock': Row(CIRCULAR, cycle=[('flag-run', 'once-m'), ('once-hold', 'flag-wait')],
                     names=['flag', 'm']),
    'flag-lock-first': Row(SILENT, CIRCULAR_POSSIBLE),
    'once-cancelled': Row(SILENT),
}

# Stuck for good, told by a finding: its cycle.
DEAD = {
    'dead-sem': [('dead-ab-a', 'dead-ab-b'), ('dead-ba-b', 'dead-ba-a')],
    'dead-sem-beside-busy': [('dead-ab-a', 'dead-ab-b'), ('dead-ba-b', 'dead-ba-a')],
    'dead-sem-self': [('dead-self-1', 'dead-self-2')],
    'dead-once': [('dead-once-run', 'dead-once-m'), ('dead-once-hold', 'dead-once-wait')],
}

# No cycle of locks: told in words.
STALLED = {
    'dead-cond': ['3 threads wait', 'thread 1 .* waits for thread 2 to end',
                  'thread 2 .* waits for a signal on the condition at .*, and holds outer',
                  'thread 3 .* waits for outer'],
    'dead-join': ['2 threads wait', 'thread 1 .* waits for thread 2 to end',
                  'thread 2 .* waits for a post of the semaphore at'],
}

# Slow, or meant, or nobody knows: the exit status of the program itself.
QUIET = {'slow-sem': 0, 'stuck-with-handler': 128 + signal.SIGALRM,
         'waits-for-end': 128 + signal.SIGALRM}


def check_dead(directory, program, source, scenario, cycle):
    run, report = harness.validate([program, scenario], directory)
    expect(run.code == harness.FINDINGS_EXIT, run.describe())
    expect(run.seconds < 8, f'told after {run.seconds:.1f} s')
    harness.check_cycle(report.one('deadlock'), source, cycle)


def check_stalled(directory, program, scenario, words):
    run = harness.Run([harness.LOCKPROOF, 'run', '--', program, scenario], directory)
    text = run.stderr.decode()
    expect(run.code == harness.FINDINGS_EXIT, run.describe())
    expect('deadlock: process ' in text and 'will never go on' in text, run.describe())
    for word in words:
        expect(re.search(word, text), f'no "{word}" in\n{text}')
    run = harness.Run([harness.LOCKPROOF, 'run', '--on-deadlock=kill', '--exit-code=0', '--',
                       program, scenario], directory)
    expect(run.code == 128 + signal.SIGKILL, run.describe())


def check_quiet(directory, program, scenario, status):
    run, report = harness.validate([program, scenario], directory)
    expect(run.code == status, run.describe())
    expect(report.kinds() == SILENT and b'deadlock' not in run.stderr, run.describe())


def suite(programs, sources):
    tests = harness.Suite()
    for scenario, row in WAITS.items():
        tests.add(f'waits/{scenario}', test_patterns.check, programs / 'waits',
                  sources / 'waits.c', scenario, row)
    for scenario, cycle in DEAD.items():
        tests.add(f'dead/{scenario}', check_dead, programs / 'waits', sources / 'waits.c',
                  scenario, cycle)
    for scenario, words in STALLED.items():
        tests.add(f'stalled/{scenario}', check_stalled, programs / 'waits', scenario, words)
    for scenario, status in QUIET.items():
        tests.add(f'quiet/{scenario}', check_quiet, programs / 'waits', scenario, status)
    return tests


if __name__ == '__main__':
    sys.exit(harness.main(suite, sys.argv[1:]))

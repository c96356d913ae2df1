#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Waits as edges: what each program of waits.c must report by default and with --strict.

    test_waits.py PROGRAMS SOURCES [WORD...]
"""
import sys

import harness
import test_patterns
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
    'once-lock-first': Row(SILENT),
    'flag-lock': Row(CIRCULAR, cycle=[('flag-run', 'once-m'), ('once-hold', 'flag-wait')],
                     names=['flag', 'm']),
    'flag-lock-first': Row(SILENT),
    'once-cancelled': Row(SILENT),
}


def suite(programs, sources):
    tests = harness.Suite()
    for scenario, row in WAITS.items():
        tests.add(f'waits/{scenario}', test_patterns.check, programs / 'waits',
                  sources / 'waits.c', scenario, row)
    return tests


if __name__ == '__main__':
    sys.exit(harness.main(suite, sys.argv[1:]))

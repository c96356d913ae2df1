#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
What programs say by lockproof.h, and what is reported about them by default and with --strict.

    test_annotate.py PROGRAMS SOURCES [WORD...]

Each scenario runs in C and in C++, and bare: it prints the same and ends the same without the
runtime, and when it was built with the annotations disabled.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'behaviour'))

import harness
from harness import expect
from test_patterns import Row, check

SILENT = []
CIRCULAR = [('circular-locking', 'feasible')]
CIRCULAR_POSSIBLE = [('circular-locking', 'possible')]
NESTED = [('recursive-locking', 'possible')]
ITSELF = [('recursive-locking', 'feasible')]
NOT_TAKEN = [('nested-lock-not-taken', 'actual')]
RELOCKED = [('recursive-locking', 'actual')]
UNBALANCED = [('bad-unlock-balance', 'actual')]
FREED = [('held-lock-freed', 'actual')]
INVALID = [('invalid-lock', 'actual')]
LEFT = [('held-at-exit', 'actual')]
WAITS = [('invalid-wait-context', 'actual')]
STRUCK = [('inconsistent-lock-state', 'feasible')]
UNSAFE = [('irq-unsafe-lock-order', 'feasible')]

ROWS = {
    'abba': Row(CIRCULAR, cycle=[('il-inode', 'il-log'), ('li-log', 'li-inode')],
                names=['&inode->lock', '&log->lock']),
    'consistent': Row(SILENT),
    'try': Row(SILENT),
    'timed': Row(SILENT, CIRCULAR_POSSIBLE),
    'failed': Row(SILENT),
    'by-address': Row(CIRCULAR, cycle=[('bit-ab-a', 'bit-ab-b'), ('bit-ba-b', 'bit-ba-a')],
                      names=['bit_a', 'bit_b']),
    'named-bits': Row(CIRCULAR, names=['buffer bit', 'page bit']),
    'dynamic': Row(CIRCULAR, names=['&l->proof', '&l->proof']),
    'same-class': Row(SILENT, NESTED),
    'two-names': Row(CIRCULAR, names=['&l->proof', 'other']),
    'subclass': Row(SILENT),
    'subclass-inversion': Row(CIRCULAR),
    'subclass-same': Row(SILENT, NESTED),
    'nest-lock': Row(SILENT),
    'nest-not-held': Row(NOT_TAKEN, event='nest'),
    'ordered': Row(SILENT),
    'ordered-inversion': Row(CIRCULAR, cycle=[('up-0', 'up-1'), ('down-1', 'down-0')]),
    'ranked': Row(SILENT),
    'ranked-wrong': Row(SILENT, NESTED),
    'novalidate': Row(SILENT),
    'named-mutexes': Row(CIRCULAR, names=['the ledger', 'the vault'],
                         cycle=[('mutex-ab-a', 'mutex-ab-b'), ('mutex-ba-b', 'mutex-ba-a')]),
    'named-others': Row(CIRCULAR, names=['the counter', 'the index']),
    'next-subclass': Row(SILENT),
    'next-missing': Row(SILENT, NESTED),
    'readers': Row(SILENT),
    'reader-writer': Row(CIRCULAR, names=['&inode->lock', 'table->rw']),
    'upgrade': Row(ITSELF),
    'downgrade': Row(SILENT),
    'flush': Row(CIRCULAR, names=['&inode->lock', '(work_completion)(&w->work)']),
    'flush-silent': Row(SILENT),
    'asserts-right': Row(SILENT),
    'assert-held': Row(NOT_TAKEN, event='assert-held', names=['&inode->lock']),
    'assert-written': Row(NOT_TAKEN, event='assert-written', names=['table->rw']),
    'assert-not-held': Row(RELOCKED, event='assert-not-held'),
    'pinned': Row(UNBALANCED, event='pinned'),
    'pinned-mutex': Row(UNBALANCED, event='pinned-mutex'),
    'not-pinned': Row(UNBALANCED, event='not-pinned'),
    'unlock-not-held': Row(UNBALANCED, event='unlock-not-held'),
    'destroy-held': Row(FREED, event='destroy-held'),
    'use-destroyed': Row(INVALID, event='use-destroyed', names=['&inode->lock']),
    'born-again': Row(SILENT),
    'free-held': Row(FREED, event='free-held'),
    'init-held': Row(FREED, event='init-held'),
    'expected': Row(SILENT, CIRCULAR_POSSIBLE),
    'expected-kept': Row(SILENT),
    'might-lock': Row(SILENT, CIRCULAR_POSSIBLE),
    'own-finding': Row(INVALID),
    'recursive': Row(SILENT),
    'wait-type': Row(WAITS),
    'wait-type-silent': Row(SILENT),
    'context-inversion': Row(STRUCK, names=['&inode->lock']),
    'context-silent': Row(SILENT),
    'context-late': Row(STRUCK),
    'context-order': Row(UNSAFE),
    'context-held': Row(LEFT, event='held-in-loop'),
    'context-nested': Row(SILENT),
    'context-reused': Row(SILENT),
    'irq-everywhere': Row(STRUCK),
    'irq-disabled': Row(SILENT),
    'irq-sleeps': Row(WAITS),
    'maps-run': Row(SILENT, False),
    'contention': Row(SILENT),
    'forked': Row(SILENT),
}

ROWS_CC = {
    'std-mutexes': Row(CIRCULAR, names=['vault.door', 'vault.safe']),
}

# scenario: what its report says
TEXTS = {
    'context-inversion': ['inconsistent {LOOP-ON-W} -> {IN-LOOP-W} usage.', '  <LOOP>\n'],
    'irq-everywhere': ['{HARDIRQ-ON-W} -> {IN-HARDIRQ-W}'],
    'context-order': ['LOOP-safe -> LOOP-unsafe lock order detected'],
    'assert-held': ['asserts that it holds lock'],
    'nest-not-held': ['but this task is not holding:\n&inode->lock'],
    'named-mutexes': ['the ledger'],
    'expected': ['the program has declared it'],
}

# Inline functions of the header are no places in a program.
NO_PLACE = 'at: lockproof_'


def check_text(directory, program, scenario, words):
    _, report = harness.validate([program, scenario], directory, '--strict')
    text = report.findings[0]['text']
    for word in [*words]:
        expect(word in text, f'no "{word}" in\n{text}')
    expect(NO_PLACE not in text, f'a place in the header in\n{text}')


def check_disabled(directory, plain, disabled, scenario):
    bare = harness.Run([plain, scenario], directory)
    run, report = harness.validate([disabled, scenario], directory, '--strict', bare=bare)
    expect(report.data['summary']['acquisitions'] == 0, f'something was told\n{run.describe()}')


def check_deadlock(directory, program):
    run, report = harness.validate([program, 'deadlock'], directory, timeout=60)
    expect(('deadlock', 'actual') in report.kinds(), f'{report.kinds()}\n{run.describe()}')


def suite(programs, sources):
    tests = harness.Suite()
    source = sources / 'annotated.c'
    for language in ('c', 'cc', 'no-pie'):
        program = programs / f'annotated-{language}'
        for scenario, row in ROWS.items():
            tests.add(f'{language}/{scenario}', check, program, source, scenario, row)
        tests.add(f'{language}/deadlock', check_deadlock, program)
    for scenario, row in ROWS_CC.items():
        tests.add(f'cc/{scenario}', check, programs / 'annotated-cc', source, scenario, row)
    for scenario, words in TEXTS.items():
        tests.add(f'text/{scenario}', check_text, programs / 'annotated-c', scenario, words)
    for scenario in ('abba', 'context-inversion', 'context-nested', 'recursive'):
        tests.add(f'disabled/{scenario}', check_disabled, programs / 'annotated-c',
                  programs / 'annotated-disabled', scenario)
    return tests


if __name__ == '__main__':
    sys.exit(harness.main(suite, sys.argv[1:]))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Misuse, condition variables, many locks of one class, C++ guards, processes, limits: what each
program must report by default and with --strict. Silence is as much of a result as a report.

    test_patterns.py PROGRAMS SOURCES [WORD...]
"""
import pathlib
import sys

import harness
from harness import expect

SILENT = []
CIRCULAR = [('circular-locking', 'feasible')]
CIRCULAR_POSSIBLE = [('circular-locking', 'possible')]
UNBALANCED = [('bad-unlock-balance', 'actual')]
FREED = [('held-lock-freed', 'actual')]
LEFT = [('held-at-exit', 'actual')]
RELOCKED = [('recursive-locking', 'actual')]
NESTED = [('recursive-locking', 'possible')]

ABBA = [('ab-a', 'ab-b'), ('ba-b', 'ba-a')]


class Row:
    """Kinds and levels by default, and with --strict (None: the same; False: not tested)."""

    def __init__(self, default, strict=None, cycle=None, event=None, names=None):
        self.default, self.strict = default, default if strict is None else strict
        self.cycle, self.event, self.names = cycle, event, names


MISUSE = {
    'unlock-other': Row(UNBALANCED, event='unlock-other', names=['m']),
    'unlock-never-locked': Row(UNBALANCED, event='unlock-never'),
    'unlock-twice': Row(UNBALANCED, event='unlock-twice', names=['m']),
    'unlock-errorcheck': Row(UNBALANCED, event='unlock-errorcheck'),
    'unlock-rwlock-other': Row(UNBALANCED, event='unlock-rw', names=['rw']),
    'unlock-spin-other': Row(UNBALANCED, event='unlock-spin'),
    'destroy-held': Row(FREED, event='destroy-held'),
    'destroy-held-rwlock': Row(FREED, event='destroy-rw'),
    'destroy-held-by-other': Row(FREED, event='destroy-other'),
    'init-held': Row(FREED, event='init-held'),
    'exit-by-return': Row(LEFT, event='exit-lock'),
    'exit-by-pthread-exit': Row(LEFT),
    'exit-by-cancel': Row(LEFT),
    'exit-detached': Row(LEFT),
    'exit-robust': Row(SILENT),          # defined: the next owner is told
    'exit-with-destructor': Row(SILENT),
    'cancel-with-cleanup': Row(SILENT),
    'relock-errorcheck': Row(RELOCKED, event='relock-2'),
    'relock-recursive': Row(SILENT),
    'relock-try': Row(SILENT),
    'main-holding': Row(SILENT),
    'main-pthread-exit': Row(SILENT),
    'reuse-memory': Row(SILENT),
    'copied': Row(SILENT),
}

PATTERNS = {
    'cond-wait': Row(SILENT),
    'cond-timed': Row(SILENT),
    'cond-cancel': Row(SILENT),
    'cond-nested': Row(SILENT),
    'cond-inversion': Row(CIRCULAR, cycle=[('cond-outer', 'cond-back'),
                                           ('cond-m', 'cond-m-outer')]),
    'hand-over-hand': Row(SILENT, NESTED),
    'philosophers': Row(CIRCULAR,
                        cycle=[('fork-first', 'fork-second')] * 5),
    'philosophers-sane': Row(SILENT, NESTED),
    'accounts': Row(CIRCULAR, cycle=[('fork-first', 'fork-second')] * 2),
    'mixed': Row(CIRCULAR, cycle=[('mixed-m', 'mixed-m-rw'), ('mixed-rw', 'mixed-rw-spin'),
                                  ('mixed-spin', 'mixed-spin-m')]),
    'shared-code': Row(CIRCULAR, cycle=[('shared-1', 'shared-1'), ('shared-2', 'shared-2')],
                       names=['m', 'outer']),
    'two-ways': Row(CIRCULAR, cycle=[('way-that', 'way-that'), ('way-outer', 'way-outer-m')]),
    'contention': Row(SILENT),
}

GUARDS = {
    'mutexes': Row(CIRCULAR, cycle=[('guard-a1', 'guard-b1'), ('guard-b2', 'guard-a2')],
                   names=['log_', 'money_']),
    'shared': Row(CIRCULAR, cycle=[('shared-a1', 'shared-b1'), ('shared-b2', 'shared-a2')],
                  names=['index_', 'rows_']),
    'at-once': Row(SILENT, SILENT),
    'shared-readers': Row(SILENT, False),
    'consistent': Row(SILENT),
    'thrown': Row(SILENT),
    'once': Row(SILENT),
    'static-local': Row(CIRCULAR, cycle=[('static-run', 'static-log'),
                                         ('static-hold', 'static-run')]),
    'static-local-first': Row(SILENT),
    'static-itself': Row([('recursive-locking', 'feasible')]),
    'once-thrown': Row(SILENT),
    'static-race': Row(SILENT),
}

PROCESSES = {
    'inversion': Row(CIRCULAR, cycle=ABBA, names=['a', 'b']),
    'fork-silent': Row(SILENT),
    'fork-child-inverts': Row(CIRCULAR, cycle=ABBA),
    'fork-opposite': Row(SILENT, CIRCULAR_POSSIBLE),
    'fork-generations': Row(CIRCULAR, cycle=ABBA),
    'fork-atfork': Row(SILENT),
    'fork-reinit': Row(SILENT),
    'fork-threads': Row(SILENT),
    'exec-self': Row(CIRCULAR, cycle=ABBA),
    'spawn-self': Row(CIRCULAR, cycle=ABBA),
    'vfork-self': Row(CIRCULAR, cycle=ABBA),
    'exec-fails': Row(CIRCULAR, cycle=ABBA),
    'inversion-then-kill': Row(CIRCULAR, cycle=ABBA),
    'inversion-then-segv': Row(CIRCULAR, cycle=ABBA),
    'inversion-then-exit': Row(CIRCULAR, cycle=ABBA),
}

EXTREMES = {
    'inversion': Row(CIRCULAR),
    'threads-in-waves': Row(SILENT),
    'threads-at-once': Row(SILENT),
    'many-locks': Row(SILENT),
    'many-spinlocks': Row(SILENT),
    'many-held': Row(SILENT, NESTED),
    'smallest-stack': Row(SILENT),
    'close-descriptors': Row(CIRCULAR),
    'drop-rights': Row(CIRCULAR),
    'handler-locks': Row(SILENT),
    'handler-jumps': Row(SILENT),
    'alternate-stack': Row(SILENT),
    'exit-handler': Row(SILENT),
    'out-of-memory': Row(SILENT, CIRCULAR_POSSIBLE),
    'file-size-limit': Row(SILENT),
}

# program: (source, scenarios)
TABLE = {
    'misuse': ('misuse.c', MISUSE),
    'patterns': ('patterns.c', PATTERNS),
    'guards-O0': ('guards.cc', GUARDS),
    'guards-O2': ('guards.cc', GUARDS),
    'processes': ('processes.c', PROCESSES),
    'extremes': ('extremes.c', EXTREMES),
}


def all_text(report):
    return '\n'.join(finding['text'] for finding in report.findings)


def check(directory, program, source, scenario, row):
    bare = harness.Run([program, scenario], directory)
    facts = directory / 'facts'
    run, report = harness.validate([program, scenario], directory, bare=bare, facts=facts)
    expect(report.kinds() == row.default,
           f'found {report.kinds()}, not {row.default}\n{all_text(report)}')
    if row.cycle:
        harness.check_cycle(report.findings[0], source, row.cycle)
    if row.event:
        harness.check_event(report.findings[0], source, row.event)
    if row.names:
        expect(harness.lock_names(report.findings[0]) == row.names,
               f'names {harness.lock_names(report.findings[0])}, not {row.names}')
    again, judged = harness.judge_again(facts, directory, '--strict')
    expect(row.strict is False or judged.kinds() == sorted(row.strict),
           f'--strict found {judged.kinds()}, not {row.strict}\n{all_text(judged)}')
    return f'{bare.seconds:.2f} s bare, {run.seconds:.2f} s'


def suite(programs, sources):
    tests = harness.Suite()
    for program, (source, scenarios) in TABLE.items():
        for scenario, row in scenarios.items():
            tests.add(f'{program}/{scenario}', check, programs / program, sources / source,
                      scenario, row)
    return tests


if __name__ == '__main__':
    sys.exit(harness.main(suite, sys.argv[1:]))

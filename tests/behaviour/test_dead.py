#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Programs that really deadlock, and programs that are only slow.

    test_dead.py PROGRAMS SOURCES [WORD...]
"""
import pathlib
import sys

import harness
from harness import expect
from kinds import KINDS, language

SECONDS_MAX = 2.0

ABBA = [('ab-a', 'ab-b'), ('ba-b', 'ba-a')]
CYCLE3 = [('ab-a', 'ab-b'), ('bc-b', 'bc-c'), ('ca-c', 'ca-a')]
ALL = [k for k in KINDS if k != 'spin']         # a spinlock's waiter runs: it is not blocked
PLAIN = ['mutex', 'mutex-static', 'mtx', 'std-mutex']
READ = [k for k in ALL if 'RDLOCK' in KINDS[k]]

# scenario: (kinds, dependencies of the cycle)
DEAD = {
    'abba': (ALL, ABBA),
    'cycle3': (['mutex', 'rwlock', 'std-mutex'], CYCLE3),
    'with-main': (['mutex', 'std-mutex'], ABBA),
    'beside-busy': (['mutex', 'rwlock'], ABBA),
    'self': (PLAIN, [('self-1', 'self-2')]),
    'upgrade': (READ, [('up-read', 'up-write')]),
    'upgrade-alone': (['rwlock'], None),
    'read-write': (READ, [('read-a', None), ('ba-b', 'ba-a')]),
    'in-child': (['mutex'], ABBA),
}
# scenario: (kinds, kinds of findings that are right all the same)
ALIVE = {
    'slow': (['mutex', 'rwlock', 'std-mutex', 'mtx'], []),
    'never-released': (['mutex', 'rwlock', 'std-mutex'], []),
    'gives-up': (['mutex', 'errorcheck', 'rwlock'], []),
}


def timed(function):
    """A deadline on a machine that others use too: a late run gets a second chance."""
    run, report = function()
    if run.seconds > SECONDS_MAX:
        run, report = function()
    expect(run.seconds <= SECONDS_MAX, f'took {run.seconds:.2f} s\n{run.describe()}')
    return run, report


def check_dead(directory, program, source, scenario, edges):
    run, report = timed(lambda: harness.validate([program, scenario], directory, timeout=30))
    finding = report.one('deadlock')
    expect(finding['level'] == 'actual', f'level {finding["level"]}')
    expect(run.code == harness.FINDINGS_EXIT, f'exit status {run.code}\n{run.describe()}')
    allowed = {'deadlock', 'circular-locking', 'recursive-locking'}
    expect({kind for kind, _ in report.kinds()} <= allowed, f'found {report.kinds()}')
    if scenario == 'in-child':
        expect(b'child ended by signal 6' in run.stdout, run.describe())
    else:
        expect(b'done' not in run.stdout, run.describe())
    if edges:
        whole = [edge for edge in edges if all(edge)]
        harness.check_cycle(finding, source, whole)
    return f'{run.seconds:.2f} s'


def check_alive(directory, program, scenario, allowed):
    bare = harness.Run([program, scenario], directory)
    run, report = harness.validate([program, scenario], directory, bare=bare)
    expect(report.kinds() == allowed, f'found {report.kinds()}, not {allowed}')


def check_end(directory, program, scenario, how, output):
    """--on-deadlock: how the program was ended shows in what its SIGABRT handler printed."""
    options = [f'--on-deadlock={how}'] if how else []
    run, report = harness.validate([program, scenario], directory, *options, timeout=30)
    report.one('deadlock')
    expect(run.code == harness.FINDINGS_EXIT, f'exit status {run.code}\n{run.describe()}')
    expect(run.stdout == output, run.describe())
    return f'{run.seconds:.2f} s'


def check_text(directory, program):
    """Without -o the report is on standard error the moment it exists."""
    run = harness.Run([harness.LOCKPROOF, 'run', '--', program, 'abba'], directory, timeout=30)
    text = run.stderr.decode()
    expect(run.code == harness.FINDINGS_EXIT, run.describe())
    for words in ('BUG: deadlock', '*** DEADLOCK ***', 'lock_ab', 'lock_ba'):
        expect(words in text, f'"{words}" is not in the report\n{run.describe()}')
    expect('\x1b' not in text, 'colour, though standard error is no terminal')


def suite(programs, sources):
    tests = harness.Suite()

    def source(kind):
        return sources / f'dead-{kind}.{"cc" if language(kind) == "c++" else "c"}'

    for scenario, (kinds, edges) in DEAD.items():
        for kind in kinds:
            tests.add(f'{kind}/{scenario}', check_dead, programs / f'dead-{kind}', source(kind),
                      scenario, edges)
    for scenario, (kinds, allowed) in ALIVE.items():
        for kind in kinds:
            tests.add(f'{kind}/{scenario}', check_alive, programs / f'dead-{kind}', scenario,
                      allowed)
    mutex = programs / 'dead-mutex'
    tests.add('on-deadlock/default', check_end, mutex, 'abort-handled', None, b'abort handler\n')
    tests.add('on-deadlock/report', check_end, mutex, 'abort-handled', 'report',
              b'abort handler\n')
    tests.add('on-deadlock/abort', check_end, mutex, 'abort-handled', 'abort',
              b'abort handler\n')
    tests.add('on-deadlock/kill', check_end, mutex, 'abort-handled', 'kill', b'')
    tests.add('on-deadlock/ignored', check_end, mutex, 'abort-ignored', None, b'')
    tests.add('on-deadlock/text', check_text, mutex)
    return tests


if __name__ == '__main__':
    sys.exit(harness.main(suite, sys.argv[1:]))

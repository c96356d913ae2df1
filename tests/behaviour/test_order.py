#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Lock orders x lock kinds: what is reported, and what is not.

    test_order.py PROGRAMS SOURCES [WORD...]

PROGRAMS is the folder with order-<kind>, SOURCES the one with the sources they were made from.
"""
import pathlib
import sys

import harness
from harness import expect
from kinds import KINDS, language

FEASIBLE = [('circular-locking', 'feasible')]
POSSIBLE = [('circular-locking', 'possible')]
SILENT = []

ABBA = [('ab-a', 'ab-b'), ('ba-b', 'ba-a')]

# scenario: (by default, with --strict, dependencies of the cycle, names of its locks)
SCENARIOS = {
    'phases': (FEASIBLE, FEASIBLE, ABBA, 'ab'),
    'half-gate': (FEASIBLE, FEASIBLE, ABBA, 'ab'),
    'trylock-first': (FEASIBLE, FEASIBLE, None, 'ab'),
    'cycle3': (FEASIBLE, FEASIBLE, [('ab-a', 'ab-b'), ('bc-b', 'bc-c'), ('ca-c', 'ca-a')], 'abc'),
    'cycle5': (FEASIBLE, FEASIBLE, [('ab-a', 'ab-b'), ('bc-b', 'bc-c'), ('cd-c', 'cd-d'),
                                    ('de-d', 'de-e'), ('ea-e', 'ea-a')], 'abcde'),
    'gate': (SILENT, POSSIBLE, None, 'ab'),
    'one-thread': (SILENT, POSSIBLE, None, 'ab'),
    'main-only': (SILENT, POSSIBLE, None, 'ab'),
    'joined': (SILENT, POSSIBLE, None, 'ab'),
    'before-create': (SILENT, POSSIBLE, None, 'ab'),
    'consistent': (SILENT, SILENT, None, ''),
    'trylock': (SILENT, SILENT, None, ''),
}
OF_INITIALISED = {'other-objects': (SILENT, POSSIBLE, None, 'ab')}
OF_TIMED = {'timed': (SILENT, POSSIBLE, None, 'ab')}
OF_READ = {
    'readers': (SILENT, None, None, ''),        # strict: a matter of taste, not tested
    'read-then-write': (FEASIBLE, FEASIBLE, [('abrw-a', 'abrw-b'), ('barw-b', 'barw-a')], 'ab'),
    'read-twice': (SILENT, None, None, ''),
}


def printed_names(kind, letters):
    """What a person would call the locks of the program for this kind."""
    form = {'init': '&p->{}', 'static': 'store.{}', 'new': 'p->{}'}[KINDS[kind]['how']]
    return sorted(form.format(letter) for letter in letters)


def check(directory, program, source, kind, scenario, row):
    default, strict, edges, letters = row
    bare = harness.Run([program, scenario], directory)
    facts = directory / 'facts'
    run, report = harness.validate([program, scenario], directory, bare=bare, facts=facts)
    expect(report.kinds() == default, f'found {report.kinds()}, not {default}\n' +
           '\n'.join(f['text'] for f in report.findings))
    again, judged = harness.judge_again(facts, directory, '--strict')
    expect(strict is None or judged.kinds() == strict,
           f'--strict found {judged.kinds()}, not {strict}\n' +
           '\n'.join(f['text'] for f in judged.findings))
    expect(again.code == (harness.FINDINGS_EXIT if judged.findings else 0),
           f'`report --strict` ended with {again.code}')
    for finding in judged.findings if strict else []:
        expect(harness.lock_names(finding) == printed_names(kind, letters),
               f'names {harness.lock_names(finding)}, not {printed_names(kind, letters)}')
        expect(all(lock['kind'] == KINDS[kind]['kind'] for lock in finding['locks']),
               f'kinds of {finding["locks"]}')
    if edges:
        harness.check_cycle(report.findings[0], source, edges)


def suite(programs, sources):
    tests = harness.Suite()
    for kind, row in KINDS.items():
        program = programs / f'order-{kind}'
        source = sources / f'order-{kind}.{"cc" if language(kind) == "c++" else "c"}'
        scenarios = dict(SCENARIOS)
        scenarios.update(OF_INITIALISED if row['how'] == 'init' else {})
        scenarios.update(OF_TIMED if 'TIMEDLOCK' in row else {})
        scenarios.update(OF_READ if 'RDLOCK' in row else {})
        for scenario, expected in scenarios.items():
            tests.add(f'{kind}/{scenario}', check, program, source, kind, scenario, expected)
    return tests


if __name__ == '__main__':
    sys.exit(harness.main(suite, sys.argv[1:]))

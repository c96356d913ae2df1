#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Every hazard of table.py is found, and every control is silent.

    test_hazards.py PROGRAMS SOURCES [WORD...]
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'behaviour'))

import harness                          # noqa: E402
from harness import expect              # noqa: E402
import table                            # noqa: E402

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / 'docs' / 'hazards.md'
BARE_SECONDS_MAX = 2.0
TIMEOUT_S = 20                          # a deadlock that nobody sees is a failure


def all_text(report):
    return '\n'.join(finding['text'] for finding in report.findings)


def run_bare(directory, program):
    """A second chance for a machine that others use too."""
    bare = harness.Run([program], directory, timeout=TIMEOUT_S)
    if bare.seconds > BARE_SECONDS_MAX:
        bare = harness.Run([program], directory, timeout=TIMEOUT_S)
    expect(bare.seconds <= BARE_SECONDS_MAX, f'took {bare.seconds:.2f} s bare')
    expect(bare.code in (0, 1), f'bare run failed\n{bare.describe()}')
    return bare


def check_findings(row, run, report):
    kinds = report.kinds()
    wanted = (row.kind, row.level)
    count = kinds.count(wanted)
    expect(count == 1 or (row.several and count > 1),
           f'found {kinds}, not {wanted}\n{all_text(report)}\n{run.describe()}')
    others = [pair for pair in kinds if pair != wanted and pair not in row.also]
    expect(not others, f'found {others} besides {wanted}\n{all_text(report)}')
    texts = [f['text'] for f in report.findings if (f['kind'], f['level']) == wanted]
    expect(any(all(word in text for word in row.words) for text in texts),
           f'no report has all of {row.words} in\n{all_text(report)}')


def check_unseen(directory, program, row):
    """As soon as it is found, its name must go from the list."""
    bare = run_bare(directory, program)
    run, report = harness.validate([program], directory, '--strict', bare=bare)
    expect((row.kind, row.level) not in report.kinds(), 'found: it is in NOT_YET of table.py')
    return f'{run.seconds:.2f} s, not yet found'


def check_told(directory, program):
    run, _ = harness.validate([program], directory, timeout=TIMEOUT_S)
    expect(b'will never go on' in run.stderr, run.describe())
    expect(run.code == harness.FINDINGS_EXIT, run.describe())
    return f'{run.seconds:.2f} s'


def check_hazard(directory, program, row):
    if row.is_unseen:
        return check_unseen(directory, program, row)
    if row.is_told:
        return check_told(directory, program)
    options = ['--strict'] if row.level == table.POSSIBLE else []
    bare = None if row.hangs else run_bare(directory, program)
    facts = directory / 'facts'
    run, report = harness.validate([program], directory, *options, bare=bare, facts=facts,
                                   timeout=TIMEOUT_S)
    check_findings(row, run, report)
    if row.level == table.POSSIBLE:
        _, judged = harness.judge_again(facts, directory)
        expect(not judged.findings, f'shown by default:\n{all_text(judged)}')
    return f'{run.seconds:.2f} s'


def check_silent(directory, program, strict):
    """Silent by default; in strict mode only what is listed."""
    bare = run_bare(directory, program)
    facts = directory / 'facts'
    run, report = harness.validate([program], directory, '--strict', bare=bare, facts=facts)
    expect(report.kinds() == sorted(strict),
           f'--strict found {report.kinds()}, not {sorted(strict)}\n{all_text(report)}')
    _, judged = harness.judge_again(facts, directory)
    expect(not judged.findings, f'found {judged.kinds()}\n{all_text(judged)}')
    return f'{run.seconds:.2f} s'


def check_document(_):
    expect(DOCUMENT.read_text(encoding='utf-8') == table.markdown(),
           f'{DOCUMENT} is not what tests/hazards/table.py --markdown prints')


def check_complete(_, sources):
    """Every program of the folder is in the table, once, and has its source."""
    names = [row.name for row in [*table.HAZARDS, *table.QUIET]]
    expect(len(names) == len(set(names)), 'a name is twice in the table')
    found = {path.stem for path in sources.iterdir() if path.suffix in ('.c', '.cc')}
    expect(found - set(names) == {'hazard-plugin'}, f'not in the table: {found - set(names)}')
    expect(set(names) <= found, f'no source: {set(names) - found}')


def suite(programs, sources):
    tests = harness.Suite()
    tests.add('document', check_document)
    tests.add('complete', check_complete, sources)
    for row in table.HAZARDS:
        tests.add(f'{row.name}/hazard', check_hazard, programs / row.name, row)
        tests.add(f'{row.name}/control', check_silent, programs / f'{row.name}-safe', row.control)
    for row in table.QUIET:
        tests.add(row.name, check_silent, programs / row.name, [])
    return tests


if __name__ == '__main__':
    sys.exit(harness.main(suite, sys.argv[1:]))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Handlers that want what they interrupt: reports say where the signal was last let in and blocked, in
lines of source. And who forked, where a child wants what another thread may hold.

    test_stamps.py PROGRAMS SOURCES [WORD...]
"""
import sys

import harness
from harness import expect

# word: options, events, mark of the last place that let SIGALRM in, mark of the last that blocked it
WORDS = {
    'let-in': ([], 2, 'in-unblocked', 'in-blocked'),
    'pending': ([], 2, 'pending-unblocked', 'pending-blocked'),
    'wait': ([], 2, 'wait-unblocked', 'wait-blocked'),
    'never': ([], 1, None, None),
    'child': (['--strict'], 2, 'child-unblocked', 'child-blocked'),
}


def line_of(text, start):
    found = [line for line in text.splitlines() if line.startswith(start)]
    expect(len(found) == 1, f'{len(found)} lines start with "{start}"\n{text}')
    return found[0]


def check_change(finding, change, words, mark, source, marks):
    line = line_of(finding['text'], f'SIGALRM last {words} at (')
    if mark is None:
        expect(change == {'event': None, 'frames': []}, f'{change} is not never')
        expect(line.endswith('(0): never in this thread'), line)
        return
    expect(harness.stack_shows(change, source, marks[mark]), f'{change} does not show {mark}')
    expect(line.endswith(f'{source.name}:{marks[mark]}'), f'{line} does not show {mark}')
    expect(f'at ({change["event"]}): ' in line, line)


def signal(cwd, program, source, word):
    options, events, let_in, blocked = WORDS[word]
    marks = harness.marks(source)
    _, report = harness.validate([program, word], cwd, *options)
    finding = report.one('inconsistent-lock-state')
    strike, = finding['strikes']
    stamp, = strike['stamps']
    expect('inconsistent {SIGALRM-ON-W} -> {IN-SIGALRM-W} usage.' in finding['text'], 'usage')
    expect(strike['events'] == events and stamp['context'] == 'SIGALRM', f'{strike}')
    line_of(finding['text'], f'signal event stamp: {events}')
    check_change(finding, stamp['let_in'], 'unblocked', let_in, source, marks)
    check_change(finding, stamp['blocked'], '  blocked', blocked, source, marks)


def check_backtrace(cwd, program, source):
    """What was struck is told after the handler."""
    _, report = harness.validate([program, 'let-in'], cwd)
    finding = report.one('inconsistent-lock-state')
    wanted, = [s for s in finding['stacks'] if s['role'] == 'wanted']
    names = [frame['function'] for frame in wanted['frames']]
    expect(names[:2] == ['on_alarm', '<signal handler called>'], f'{names}')
    lines = finding['text'].partition('Call Trace:\n')[2].splitlines()
    expect(lines[0] == ' <SIGALRM>' and lines[1].startswith(' on_alarm+') and
           lines[2] == ' </SIGALRM>', finding['text'])
    expect('signal handler called' not in finding['text'], finding['text'])


def check_fork(cwd, program):
    """Who forks is the parent's thread; the child is named as what came of it."""
    _, report = harness.validate([program, 'fork'], cwd)
    finding = report.one('inconsistent-lock-state')
    strike, = finding['strikes']
    struck, child = finding['threads'][strike['edge']], finding['threads'][strike['thread']]
    parent = f'T1 stamps/{struck["pid"]}'
    expect(strike['context'] == 'FORK' and strike['forked_by'] == parent, f'{strike}')
    expect(strike['events'] is None and strike['stamps'] == [], f'{strike}')
    expect(struck['pid'] != child['pid'], f'{finding["threads"]}')
    other, child = (f'T{t["number"]} stamps/{t["tid"]}' for t in (struck, child))
    for line in (f' {parent} can fork while {other} holds m (stack: above).',
                 f' {child} came of such a fork: there, nobody releases m.',
                 f'  {child} forked by T1', f'  <{parent} forks; in the child:>',
                 f'       T{struck["number"]} stamps'):
        expect(line in finding['text'].splitlines(), f'no line "{line}" in\n{finding["text"]}')


def suite(programs, sources):
    tests = harness.Suite()
    for word in WORDS:
        tests.add(word, signal, programs / 'stamps', sources / 'stamps.c', word)
    tests.add('backtrace', check_backtrace, programs / 'stamps', sources / 'stamps.c')
    tests.add('fork', check_fork, programs / 'stamps')
    return tests


if __name__ == '__main__':
    sys.exit(harness.main(suite, sys.argv[1:]))

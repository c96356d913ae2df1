#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""JSON reports: valid by the schema, equal in content to the text, whatever names contain.

    test_json.py RENDER_CASE SCHEMA [REPORT.json...]

Further arguments are reports to be validated only.
"""
import copy
import json
import subprocess
import sys

import jsonschema

RENDER_CASE, SCHEMA = sys.argv[1:3]


def render(how, name):
    return subprocess.run([RENDER_CASE, how, name], stdout=subprocess.PIPE, check=True).stdout


def names():
    return subprocess.run([RENDER_CASE], stdout=subprocess.PIPE, check=True).stdout.decode().split()


def check_indexes(finding):
    """Whatever points into another array points at something."""
    locks, threads = len(finding['locks']), len(finding['threads'])
    for stack in finding['stacks']:
        assert stack['lock'] < locks if locks else stack['lock'] is None, stack
        assert stack['thread'] is None or stack['thread'] < threads, stack
        assert stack['place'] < max(1, len(stack['frames'])), stack
    for row in finding['scenario'] + finding['held'] + finding['strikes'] + finding['writers']:
        assert row['thread'] < threads, row
    strikes = threads - len(finding['writers'])
    edges = strikes - len(finding['strikes'])
    for writer in finding['writers']:
        assert writer['edge'] < edges and writer['thread'] >= strikes, writer
    for strike in finding['strikes']:
        assert strike['edge'] < edges <= strike['thread'] < strikes, strike
        assert strike['context'] in finding['contexts'], strike
        assert (strike['events'] is None) == (not strike['stamps']), strike
        for stamp in strike['stamps']:
            for change in (stamp['let_in'], stamp['blocked']):
                assert (change['event'] or 0) <= strike['events'], stamp
                assert change['event'] or not change['frames'], stamp


def check_case(name, validator):
    output = render('json', name)
    report = json.loads(output.decode('utf-8', errors='strict'))
    validator.validate(report)
    for finding in report['findings']:
        check_indexes(finding)
    text = render('text', name).decode()
    for finding in report['findings']:
        assert finding['text'] in text, f'{name}: text of {finding["id"]} differs'
        assert '\x1b' not in finding['text']
    assert report['stopped'] is None or report['stopped'] in text
    return report


def broken(report):
    """(what is wrong, wrong document) pairs made from a right one."""
    def change(what, *path, value=None, remove=False):
        wrong = copy.deepcopy(report)
        at = wrong
        for step in path[:-1]:
            at = at[step]
        if remove:
            del at[path[-1]]
        else:
            at[path[-1]] = value
        return what, wrong

    yield change('other format', 'format', value='lockproof-report/2')
    for member in list(report):
        yield change(f'no {member}', member, remove=True)
    for member in list(report['findings'][0]):
        yield change(f'finding without {member}', 'findings', 0, member, remove=True)
    yield change('unknown level', 'findings', 0, 'level', value='likely')
    yield change('unknown kind', 'findings', 0, 'kind', value='oops')
    yield change('id is a number', 'findings', 0, 'id', value=17)
    yield change('id is short', 'findings', 0, 'id', value='17')
    yield change('line 0', 'findings', 0, 'stacks', 0, 'frames', 0, 'line', value=0)
    yield change('line as text', 'findings', 0, 'stacks', 0, 'frames', 0, 'line', value='12')
    yield change('negative offset', 'findings', 0, 'stacks', 0, 'frames', 0, 'offset', value=-1)
    yield change('address as number', 'findings', 0, 'locks', 0, 'address', value=4096)
    yield change('unknown tie', 'findings', 0, 'stacks', 0, 'tie', value='rope')
    yield change('unknown role', 'findings', 0, 'stacks', 0, 'role', value='taken')
    yield change('no locks', 'findings', 0, 'locks', value=[])
    yield change('wait types as numbers', 'findings', 0, 'locks', 0, 'wait', value=[3, 3])
    yield change('unknown letters', 'findings', 0, 'locks', 0, 'usage', value='+x..')
    yield change('depth as text', 'findings', 0, 'scenario', 0, 'depth', value='1')


def check_full_disk():
    with open('/dev/full', 'wb') as full:
        for how in ('text', 'summary', 'json'):
            run = subprocess.run([RENDER_CASE, how, 'five'], stdout=full, stderr=subprocess.PIPE)
            assert run.returncode == 1 and b'No space left' in run.stderr, (how, run)


def main():
    with open(SCHEMA, encoding='utf-8') as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    reports = {name: check_case(name, validator) for name in names()}
    for name, report in reports.items():
        if report['findings']:
            for what, wrong in broken(report) if name == 'two' else []:
                assert not validator.is_valid(wrong), f'the schema accepts: {what}'
    assert reports['hostile']['findings'][0]['locks'][0]['name'].startswith('evil\n*** all'), \
        'JSON must keep what text escapes'
    assert '\ufffd' in reports['hostile']['findings'][0]['locks'][0]['name']
    kinds = {it['kind'] for report in reports.values() for it in report['findings']}
    missing = set(schema['$defs']['finding']['properties']['kind']['enum']) - kinds
    assert not missing, f'no case for {missing}'
    modes = reports['modes']['findings'][0]
    assert [lock['name'] for lock in modes['locks']] == ['table_lock', 'audit_lock'], \
        'a lock that is only held is not one of the cycle'
    assert [held['lock']['name'] for held in modes['held']] == ['gate', 'audit_lock']
    check_full_disk()
    for path in sys.argv[3:]:
        with open(path, encoding='utf-8') as file:
            validator.validate(json.load(file))
    print(f'{len(reports)} reports')


if __name__ == '__main__':
    main()

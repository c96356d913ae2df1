#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/report-format.md are what Lockproof prints, and the JSON twin is valid.

    test_example.py LOCKPROOF PROGRAM PAGE SCHEMA SOURCE_DIRECTORY

Compared is what does not change between runs and machines: not numbers, directories, thread names
(a thread gets its name while it runs) and frames of other files. The second example is the report
of a scenario, which never changes; so are the parts of reports that begin with "From".
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema

LOCKPROOF, PROGRAM, PAGE, SCHEMA, SOURCE = sys.argv[1:6]
SCENARIO = 'scenarios/seed/io_uring-file_data.litmus'


def examples_of(page):
    """The text blocks of the page that have a report in them."""
    blocks = re.findall(r'^```\n(.*?)^```', pathlib.Path(page).read_text(), re.M | re.S)
    reports = [block for block in blocks if 'WARNING' in block]
    assert len(reports) == 2, f'{len(reports)} reports in {page}'
    return reports


def excerpts_of(page):
    """(scenario, text) of each block that is a part of a scenario's report."""
    return re.findall(r'^From `(\S+\.litmus)`:\n\n```\n(.*?)^```', pathlib.Path(page).read_text(),
                      re.M | re.S)


def plain(text):
    lines = []
    for line in text.splitlines():
        if re.match(r'\s+\S+\+0x', line) and 'abba.c' not in line:
            continue
        line = re.sub(r'[^\s(]*/(?=abba\.c)', '', line)
        line = re.sub(r'\b(example-)?(abba|audit|transfer)\b(?!\.c)', 'NAME', line)
        line = re.sub(r'\b(0x)?[0-9a-f]*[0-9][0-9a-f]*\b', 'N', line)
        line = re.sub(r'(?<=\d),(?=\d)', '', line)
        lines.append(' '.join(line.split()))
    return [line for line in lines if line]


def run(*options):
    return subprocess.run([LOCKPROOF, 'run', *options, '--', PROGRAM], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, check=False)


def check_scenario(example, scenario):
    printed = subprocess.run([pathlib.Path(LOCKPROOF).resolve(), 'check', scenario],
                             stdout=subprocess.PIPE, cwd=SOURCE,
                             timeout=60, check=True).stdout.decode()
    if example.strip('\n') not in printed:
        print(printed)
        sys.exit('the scenario in the page is not what is printed')


def main():
    example, scenario = examples_of(PAGE)
    check_scenario(scenario, SCENARIO)
    excerpts = excerpts_of(PAGE)
    assert excerpts, f'no part of a report in {PAGE}'
    for path, text in excerpts:
        check_scenario(text, path)
    printed = run()
    assert printed.returncode == 66, printed
    wanted, got = plain(example), plain(printed.stderr.decode())
    if wanted != got:
        print(printed.stderr.decode())
        print('\n'.join(f'page: {a}\nnow:  {b}' for a, b in zip(wanted, got) if a != b))
        sys.exit('the example in the page is not what is printed')
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / 'report.json'
        assert run('--format=json', '-o', path).returncode == 66
        report = json.loads(path.read_text(encoding='utf-8'))
    with open(SCHEMA, encoding='utf-8') as file:
        jsonschema.Draft202012Validator(json.load(file)).validate(report)
    assert plain(report['findings'][0]['text']) == got[:-1], 'JSON tells another text'


if __name__ == '__main__':
    main()

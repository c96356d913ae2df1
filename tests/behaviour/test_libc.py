#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Locks inside libc: handlers, forked children, the loader, FILEs. One quiet run of each program of
libc.c must show the hazard, name the lock and the function that was called, or stay silent.

    test_libc.py PROGRAMS SOURCES [WORD...]
"""
import os
import sys

import harness
from harness import expect

IRQ = ('inconsistent-lock-state', 'feasible')
IRQ_POSSIBLE = ('inconsistent-lock-state', 'possible')
CIRCULAR = ('circular-locking', 'feasible')

# scenario: (findings with --strict, names of the locks, functions that the text names)
TABLE = {
    'cve-2024-6387': ([IRQ], {'syslog'}, ['syslog', 'grace_alarm', 'SIGALRM']),
    'signal-syslog': ([IRQ], {'syslog'}, ['syslog']),
    'signal-malloc': ([IRQ], {'malloc arena'}, ['malloc']),
    'signal-printf': ([IRQ], {'stdout'}, ['printf']),
    # these use malloc as well
    'signal-localtime': ([IRQ] * 2, {'malloc arena', 'tz database (localtime)'}, ['localtime']),
    'signal-getpwnam': ([IRQ] * 2, {'malloc arena', 'name service (getpwnam)'}, ['getpwnam']),
    'signal-setenv': ([IRQ], {'environment'}, ['setenv']),
    'signal-random': ([IRQ], {'random()'}, ['random']),
    'signal-dlsym': ([IRQ], {'dynamic loader'}, ['dlsym']),
    'signal-same-file': ([IRQ], {'FILE lock'}, ['fwrite']),
    'signal-crash': ([IRQ_POSSIBLE], {'malloc arena'}, ['malloc']),
    'fork-localtime': ([IRQ], {'tz database (localtime)'}, ['localtime', 'FORK']),
    'fork-setenv': ([IRQ], {'environment'}, ['setenv', 'FORK']),
    'dlopen-constructor': ([CIRCULAR], {'dynamic loader', 'registry'}, ['dlopen', 'dlsym']),
    'iterate-dlsym': ([CIRCULAR], {'dynamic loader', 'list of loaded objects'},
                      ['dl_iterate_phdr', 'dlsym', 'dlopen']),
    'flockfile-inverts': ([CIRCULAR], {'m', 'stdout'}, ['flockfile', 'printf']),
    **{f'signal-{name}-blocked': ([], set(), []) for name in
       'syslog malloc printf localtime setenv getpwnam random dlsym'.split()},
    **{name: ([], set(), []) for name in
       ['signal-late', 'signal-safe', 'signal-other-stream', 'fork-protected',
        'dlopen-consistent', 'flockfile-consistent']},
    'signal-other-file': ([IRQ_POSSIBLE], {'FILE lock'}, ['fwrite']),
}


def check(directory, program, plugin, scenario, row):
    kinds, names, words = row
    env = {**os.environ, 'LIBC_TEST_PLUGIN': str(plugin)}
    default = [kind for kind in kinds if kind[1] != 'possible']
    bare = harness.Run([program, scenario], directory, env=env)
    facts = directory / 'facts'
    run, report = harness.validate([program, scenario], directory, bare=bare, facts=facts, env=env)
    text = '\n'.join(finding['text'] for finding in report.findings)
    expect(report.kinds() == default, f'found {report.kinds()}, not {default}\n{text}')
    _, judged = harness.judge_again(facts, directory, '--strict')
    text = '\n'.join(finding['text'] for finding in judged.findings)
    expect(judged.kinds() == kinds, f'--strict found {judged.kinds()}, not {kinds}\n{text}')
    found = {name for finding in judged.findings for name in harness.lock_names(finding)}
    expect(found == names, f'names {found}, not {names}\n{text}')
    for word in words:
        expect(word in text, f'no {word} in\n{text}')
    return f'{bare.seconds:.2f} s bare, {run.seconds:.2f} s'


def suite(programs, sources):
    tests = harness.Suite()
    for scenario, row in TABLE.items():
        tests.add(f'libc/{scenario}', check, programs / 'libc', programs / 'libc_plugin.so',
                  scenario, row)
    return tests


if __name__ == '__main__':
    sys.exit(harness.main(suite, sys.argv[1:]))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Signals in great number, and what stops and watches processes: nothing is lost, nothing invented.

    test_storm.py PROGRAMS SOURCES [WORD...]

LP_SIGNALS=N: how many signals the storm has (default 20000).
"""
import os
import shutil
import signal
import subprocess
import sys
import time

import harness
from harness import LOCKPROOF, expect

SIGNALS = os.environ.get('LP_SIGNALS', '20000')
FEW = '2000'


def check(run, report):
    expect(run.stdout == b'all counted\n', run.describe())
    expect(run.code == 0, run.describe())
    expect(report.kinds() == [], f'false findings: {report.kinds()}\n{run.describe()}')


def storm(cwd, programs):
    run, report = harness.validate([programs / 'storm', '4', SIGNALS], cwd, '--strict',
                                   timeout=240)
    check(run, report)


def storm_of_forks(cwd, programs):
    """Several at once share the image of none of the others."""
    run, report = harness.validate(['sh', '-c', f'{programs}/storm 2 {FEW} & '
                                    f'{programs}/storm 2 {FEW} >/dev/null; wait'], cwd,
                                   '--strict')
    check(run, report)


def stopped(cwd, programs):
    """SIGSTOP and SIGCONT, as a shell's job control sends them."""
    report = cwd / 'report.json'
    process = subprocess.Popen(
        [str(LOCKPROOF), 'run', '--format=json', '-o', str(report), '--',
         str(programs / 'storm'), '4', '60000'], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True)
    for _ in range(4):
        time.sleep(0.1)
        os.killpg(process.pid, signal.SIGSTOP)
        time.sleep(0.1)
        os.killpg(process.pid, signal.SIGCONT)
    out, err = process.communicate(timeout=120)
    expect(out == b'all counted\n' and process.returncode == 0, f'{out!r} {err!r}')
    expect(harness.Report(report).kinds() == [], 'false findings')


def traced(cwd, programs, *tracer):
    if not shutil.which(tracer[0]):
        return f'skipped: no {tracer[0]}'
    run, report = harness.validate([*tracer, programs / 'storm', '2', FEW], cwd, timeout=240)
    expect(b'all counted\n' in run.stdout, run.describe())
    expect(report.kinds() == [], f'false findings: {report.kinds()}')
    return ''


def traced_from_outside(cwd, programs):
    if not shutil.which('strace'):
        return 'skipped: no strace'
    run, report = harness.validate([programs / 'storm', '2', FEW], cwd, timeout=240,
                                   wrapper=['strace', '-f', '-o', '/dev/null'])
    check(run, report)
    return ''


def suite(programs, sources):
    tests = harness.Suite()
    tests.add('storm', storm, programs)
    tests.add('storm/two', storm_of_forks, programs)
    tests.add('stopped', stopped, programs)
    tests.add('gdb', traced, programs, 'gdb', '-q', '-batch', '-ex',
              'handle SIGUSR1 SIGUSR2 SIGALRM nostop noprint pass', '-ex', 'run', '--args')
    tests.add('strace', traced, programs, 'strace', '-f', '-o', '/dev/null')
    tests.add('strace-of-all', traced_from_outside, programs)
    return tests


if __name__ == '__main__':
    sys.exit(harness.main(suite, sys.argv[1:]))

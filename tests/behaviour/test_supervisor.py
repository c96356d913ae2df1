#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
What outlives what: programs and supervisors killed at random, no room for facts, other users.

    test_supervisor.py PROGRAMS SOURCES [WORD...]

Random moments come from a seed that is printed; LP_SEED=N repeats one.
"""
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import time

import harness
from harness import LOCKPROOF, expect

SEED = int(os.environ.get('LP_SEED') or random.randrange(1 << 31))
KILLS = 6
CIRCULAR = [('circular-locking', 'feasible')]


def start(command, cwd, **kwargs):
    return subprocess.Popen([str(c) for c in command], cwd=cwd, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)


def child_of(pid, deadline_s=10):
    """The only child of a process, when there is one."""
    path = pathlib.Path(f'/proc/{pid}/task/{pid}/children')
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        children = path.read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.005)
    raise harness.Failure(f'{pid} has no child')


def leave_nothing_running(process, *pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except (ProcessLookupError, TypeError):
            pass
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stdout.close()
    process.stderr.close()


def read_line(stream, deadline_s=20):
    """The next line of a pipe; a Failure, not a hang, when none comes."""
    import select
    ready, _, _ = select.select([stream], [], [], deadline_s)
    expect(ready, f'no output within {deadline_s} s')
    return stream.readline()


def kill_program(directory, programs, chance):
    """The program is killed at a random moment, in the middle of creating locks."""
    report = directory / 'report.json'
    process = start([LOCKPROOF, 'run', '--format=json', '-o', report, '--',
                     programs / 'processes', 'forever'], directory)
    program = None
    try:
        program = child_of(process.pid)
        expect(read_line(process.stdout) == b'running\n', 'the program did not start')
        time.sleep(chance.random() * 0.3)
        os.kill(program, signal.SIGKILL)
        process.wait(timeout=30)
    finally:
        leave_nothing_running(process, program)
    expect(process.returncode == harness.FINDINGS_EXIT, f'exit status {process.returncode}')
    kinds = harness.Report(report).kinds()
    expect(kinds == CIRCULAR, f'found {kinds}')


def kill_supervisor(directory, programs, chance):
    """The supervisor is killed; the program does all of its work; the facts are judged later."""
    facts = directory / 'facts'
    program = programs / 'processes'
    bare = harness.Run([program, 'counting'], directory)
    process = start([LOCKPROOF, 'run', f'--facts={facts}', '--', program, 'counting'], directory)
    child = None
    try:
        child = child_of(process.pid)
        first = read_line(process.stdout)
        time.sleep(chance.random() * 0.4)
        os.kill(process.pid, signal.SIGKILL)
        rest = process.stdout.read()        # ends when the program does
    finally:
        leave_nothing_running(process, child)
    expect(first + rest == bare.stdout, f'the output differs: {first + rest!r}')
    _, report = harness.judge_again(facts, directory)
    expect(report.kinds() == CIRCULAR, f'found {report.kinds()}')


def kill_supervisor_of_shell(directory, programs, chance):
    """The same with the finding in a program that a shell started: its image is a sibling."""
    facts = directory / 'facts'
    program = programs / 'processes'
    script = f'{program} inversion; {program} counting; echo end'
    bare = harness.Run(['/bin/sh', '-c', script], directory)
    process = start([LOCKPROOF, 'run', f'--facts={facts}', '--', '/bin/sh', '-c', script],
                    directory)
    child = None
    try:
        child = child_of(process.pid)
        first = read_line(process.stdout)
        time.sleep(chance.random() * 0.4)
        os.kill(process.pid, signal.SIGKILL)
        rest = process.stdout.read()
    finally:
        leave_nothing_running(process, child)
    expect(first + rest == bare.stdout, f'the output differs: {first + rest!r}')
    _, report = harness.judge_again(facts, directory)
    expect(report.kinds() == CIRCULAR, f'found {report.kinds()}')


def through_shell(directory, programs):
    """Every process of the tree is validated, the shell in between too."""
    program = programs / 'processes'
    argv = ['/bin/sh', '-c', f'{program} fork-silent; {program} inversion; exit 3']
    bare = harness.Run(argv, directory)
    _, report = harness.validate(argv, directory, bare=bare)
    expect(report.kinds() == CIRCULAR, f'found {report.kinds()}')
    expect(report.data['summary']['processes'] >= 4, f'{report.data["summary"]}')


def two_runs_are_one_finding(directory, programs):
    """The same cause in two processes is one finding, with one id, as in another run."""
    program = programs / 'processes'
    argv = ['/bin/sh', '-c', f'{program} inversion; {program} inversion']
    _, both = harness.validate(argv, directory)
    _, single = harness.validate([program, 'inversion'], directory)
    expect(both.kinds() == CIRCULAR, f'found {both.kinds()}')
    expect(both.findings[0]['id'] == single.findings[0]['id'], 'the ids differ')


class small_filesystem:
    """A tmpfs of its own with `free` bytes left, or a skip."""

    def __init__(self, directory, size, taken):
        self.path = directory / 'small'
        self.size, self.taken = size, taken

    def __enter__(self):
        self.path.mkdir()
        mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={self.size}', 'lp-test',
                                  self.path], capture_output=True)
        if mounted.returncode:
            self.path.rmdir()
            return None
        (self.path / 'filler').write_bytes(b'x' * self.taken)
        return self.path

    def __exit__(self, *unused):
        if self.path.exists():
            subprocess.run(['umount', '-l', self.path], check=True)


def full_filesystem(directory, programs, scenario, free, stops, found):
    """Recording stops when the file system is full; the program does not notice."""
    program = programs / 'extremes'
    bare = harness.Run([program, scenario], directory)
    with small_filesystem(directory, 1 << 20, (1 << 20) - free) as small:
        if not small:
            return 'SKIPPED: mounting a tmpfs is not permitted'
        run = harness.Run([LOCKPROOF, 'run', f'--facts={small / "facts"}', '-o',
                           directory / 'report', '--', program, scenario], directory)
    text = (directory / 'report').read_text()
    first = text.splitlines()[0]
    said = 'recording stopped at ' in first and 'no space' in first
    expect(run.stdout == bare.stdout, run.describe())
    expect(run.code == (harness.FINDINGS_EXIT if found else bare.code), run.describe())
    expect(said == stops, f'the first line says nothing of it\n{run.describe()}')
    expect(('circular locking' in text) == found, run.describe())
    return first


def no_room_at_all(directory, programs):
    """Not even the first page fits: one clear line, nothing started."""
    with small_filesystem(directory, 4096, 4096) as small:
        if not small:
            return 'SKIPPED: mounting a tmpfs is not permitted'
        run = harness.Run([LOCKPROOF, 'run', f'--facts={small / "facts"}', '--',
                           programs / 'extremes', 'many-locks'], directory)
    expect(run.code == 2 and run.stdout == b'', run.describe())
    expect(run.stderr.startswith(b'lockproof: ') and run.stderr.count(b'\n') == 1,
           run.describe())
    return None


def limited(what, value):
    """A preexec function: the resource limit holds for lockproof and the program."""
    return lambda: resource.setrlimit(what, (value, value))


def under_limit(directory, programs, what, value, scenario):
    program = programs / 'extremes'
    bare = harness.Run([program, scenario], directory, preexec=limited(what, value))
    run = harness.Run([LOCKPROOF, 'run', '--', program, scenario], directory,
                      preexec=limited(what, value))
    if run.code == 2 and not run.stdout:        # lockproof itself does not fit: it says so
        expect(run.stderr.startswith(b'lockproof: '), run.describe())
        return run.stderr.decode().strip()
    expect(run.stdout == bare.stdout and run.code == bare.code, run.describe())
    for line in run.stderr.decode().splitlines():
        expect(line.startswith('lockproof:'), run.describe())
    return None


def clean_environment(directory, programs):
    """A program that starts others with an environment of its own making loses nothing."""
    program = programs / 'processes'
    argv = ['/usr/bin/env', '-i', program, 'inversion']
    bare = harness.Run(argv, directory)
    _, report = harness.validate(argv, directory, bare=bare)
    expect(report.kinds() == CIRCULAR, f'found {report.kinds()}')


def exit_codes(directory, programs):
    """0, 1, 127, a signal: the program's own."""
    for script, code in (('exit 0', 0), ('exit 1', 1), ('exit 127', 127), ('kill -9 $$', 137),
                         ('kill -15 $$', 143), ('kill -11 $$', 139)):
        run = harness.Run([LOCKPROOF, 'run', '--', '/bin/sh', '-c', script], directory)
        expect(run.code == code, f'{script}\n{run.describe()}')


def suite(programs, sources):
    tests = harness.Suite()
    chance = random.Random(SEED)
    for name, function in (('kill-program', kill_program), ('kill-supervisor', kill_supervisor),
                           ('kill-supervisor-of-shell', kill_supervisor_of_shell)):
        count = KILLS if function is kill_program else 2
        for i in range(count):
            tests.add(f'{name}/{i}', function, programs, random.Random(chance.random()))
    tests.add('shell', through_shell, programs)
    tests.add('same-finding', two_runs_are_one_finding, programs)
    tests.add('clean-environment', clean_environment, programs)
    tests.add('exit-codes', exit_codes, programs)
    # scenario, bytes free, recording stops, there is a finding
    for scenario, free, stops, found in (
            ('many-locks', 24 << 10, True, False), ('many-locks', 700 << 10, False, False),
            ('threads-at-once', 64 << 10, True, False), ('threads-at-once', 700 << 10, True, False),
            ('many-held', 64 << 10, True, False), ('inversion-first', 700 << 10, True, True)):
        tests.add(f'full/{scenario}/{free}', full_filesystem, programs, scenario, free, stops,
                  found)
    tests.add('full/nothing-fits', no_room_at_all, programs)
    for size in (1 << 16, 1 << 20, 1 << 24):
        tests.add(f'fsize/{size}', under_limit, programs, resource.RLIMIT_FSIZE, size,
                  'many-locks')
    for size in (1 << 26, 1 << 28, 1 << 30):
        tests.add(f'address-space/{size}', under_limit, programs, resource.RLIMIT_AS, size,
                  'many-held')
    return tests


if __name__ == '__main__':
    print(f'seed {SEED} (LP_SEED={SEED} repeats it)')
    sys.exit(harness.main(suite, sys.argv[1:]))

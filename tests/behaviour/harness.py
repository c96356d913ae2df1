# SPDX-License-Identifier: Apache-2.0
"""What the behaviour tests share: running a program bare and under Lockproof, reading reports.

LOCKPROOF in the environment is the path of the command.
"""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback

LOCKPROOF = os.environ.get('LOCKPROOF', 'lockproof')
TIMEOUT_S = 60
FINDINGS_EXIT = 66


class Failure(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Failure(text)


def end_session(process):
    """
    Kill what a process started, then itself. It leads a session of its own, so only ours are hit;
    the supervisor is left a while to clear up after its program.
    """
    for entry in pathlib.Path('/proc').iterdir():
        try:
            fields = (entry / 'stat').read_text().rpartition(')')[2].split()
            if int(fields[3]) == process.pid and int(entry.name) != process.pid:
                os.kill(int(entry.name), signal.SIGKILL)
        except (OSError, ValueError, IndexError):
            continue                    # not a process, or no more
    try:
        return process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return process.communicate()


class Run:
    """One finished process: what it printed, how it ended, how long it took."""

    def __init__(self, argv, cwd, timeout=TIMEOUT_S, env=None, preexec=None, stdin=b''):
        start = time.monotonic()
        self.argv = [str(a) for a in argv]
        process = subprocess.Popen(self.argv, cwd=cwd, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
                                   preexec_fn=preexec, start_new_session=True)
        try:
            self.stdout, self.stderr = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            _, errors = end_session(process)
            raise Failure(f'{" ".join(self.argv)}: still running after {timeout} s\n'
                          f'{errors.decode(errors="replace")[-2000:]}') from None
        self.seconds = time.monotonic() - start
        self.code = process.returncode if process.returncode >= 0 else 128 - process.returncode

    def describe(self):
        return (f'{" ".join(self.argv)}: exit {self.code} after {self.seconds:.2f} s\n'
                f'stdout: {self.stdout.decode(errors="replace")[-1500:]}\n'
                f'stderr: {self.stderr.decode(errors="replace")[-3000:]}')


class Report:
    """A lockproof-report/1 document."""

    def __init__(self, path):
        try:
            text = pathlib.Path(path).read_text(encoding='utf-8')
            self.data = json.loads(text)
        except (OSError, ValueError) as error:
            raise Failure(f'no JSON report at {path}: {error}') from None
        expect(self.data.get('format') == 'lockproof-report/1', 'the report names no format')

    @property
    def findings(self):
        return self.data['findings']

    def kinds(self):
        """Sorted (kind, level) pairs, one for each finding."""
        return sorted((f['kind'], f['level']) for f in self.findings)

    def one(self, kind):
        found = [f for f in self.findings if f['kind'] == kind]
        expect(len(found) == 1, f'{len(found)} findings of kind {kind}, not one')
        return found[0]


def validate(argv, cwd, *options, bare=None, timeout=TIMEOUT_S, env=None, preexec=None,
             facts=None, wrapper=()):
    """Run argv under Lockproof with a JSON report. Returns (Run, Report)."""
    report = pathlib.Path(cwd) / 'report.json'
    command = [*wrapper, LOCKPROOF, 'run', '--format=json', '-o', report, *options]
    if facts:
        command.append(f'--facts={facts}')
    run = Run([*command, '--', *argv], cwd, timeout, env, preexec)
    expect(report.exists(), f'no report was written\n{run.describe()}')
    result = Report(report)
    if bare:
        check_transparent(run, bare, bool(result.findings))
    return run, result


def check_transparent(run, bare, has_findings):
    """The program printed what it prints bare, and the exit status is its own, or 66."""
    expect(run.stdout == bare.stdout, f'standard output differs from the bare run:\n'
           f'{bare.stdout[-1500:]!r}\n{run.describe()}')
    expect(run.stderr.startswith(bare.stderr), f'standard error differs:\n{run.describe()}')
    for line in run.stderr[len(bare.stderr):].decode().splitlines():
        expect(line.startswith('lockproof:'), f'unexpected on standard error: {line}')
    code = FINDINGS_EXIT if has_findings else bare.code
    expect(run.code == code, f'exit status {run.code}, not {code}\n{run.describe()}')


def judge_again(facts, cwd, *options):
    """`lockproof report` on recorded facts. Returns (Run, Report)."""
    report = pathlib.Path(cwd) / 'again.json'
    run = Run([LOCKPROOF, 'report', '--format=json', '-o', report, *options, facts], cwd)
    expect(report.exists(), f'no report was written\n{run.describe()}')
    return run, Report(report)


def marks(path):
    """name -> line of each `MARK name` comment of a source file."""
    result = {}
    for number, line in enumerate(pathlib.Path(path).read_text().splitlines(), 1):
        for name in re.findall(r'MARK ([a-z0-9-]+)', line):
            result[name] = number
    return result


def stack_shows(stack, source, line):
    """One frame is at this line of this source file."""
    return any(frame.get('line') == line and
               os.path.basename(frame.get('file') or '') == os.path.basename(source)
               for frame in stack['frames'])


def thread_of(finding, stack):
    """Who the stack belongs to, the same for every entry of one thread."""
    thread = finding['threads'][stack['thread']]
    return thread['pid'], thread['number']


def check_cycle(finding, source, edges):
    """
    Every edge (held mark, wanted mark) of a cycle has both stacks, of one thread, and each edge
    has a thread of its own.
    """
    lines = marks(source)
    threads = []
    for held, wanted in edges:
        thread = {}
        for role, mark in (('held', held), ('wanted', wanted)):
            matching = [s for s in finding['stacks'] if s['role'] == role and
                        stack_shows(s, source, lines[mark])]
            expect(matching, f'no "{role}" stack at {os.path.basename(str(source))}:'
                   f'{lines[mark]} ({mark}) in\n{finding["text"]}')
            thread[role] = {thread_of(finding, s) for s in matching}
        common = thread['held'] & thread['wanted']
        expect(common, f'stacks of {held} and {wanted} are of different threads')
        threads.append(common)
    expect(all(a != b or len(a) > 1 for i, a in enumerate(threads) for b in threads[:i]),
           'two dependencies are of one thread')


def check_event(finding, source, mark):
    line = marks(source)[mark]
    expect(any(stack_shows(s, source, line) for s in finding['stacks']),
           f'no stack at line {line} ({mark}) in\n{finding["text"]}')


def lock_names(finding):
    return sorted(lock['name'] for lock in finding['locks'])


class Suite:
    """Named cases, run a few at a time, each with a directory of its own."""

    def __init__(self):
        self.cases = []

    def add(self, name, function, *args, **kwargs):
        self.cases.append((name, function, args, kwargs))

    def run_one(self, case):
        name, function, args, kwargs = case
        with tempfile.TemporaryDirectory(prefix='lp-test-') as directory:
            start = time.monotonic()
            try:
                note = function(pathlib.Path(directory), *args, **kwargs)
                status, text = 'ok', note or ''
            except Failure as failure:
                status, text = 'FAILED', str(failure)
            except Exception:           # a bug of the test is a failure of the test
                status, text = 'FAILED', traceback.format_exc()
            return name, status, text, time.monotonic() - start

    def run(self, only, jobs=2):
        chosen = [c for c in self.cases if not only or any(word in c[0] for word in only)]
        failed = 0
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for name, status, text, seconds in pool.map(self.run_one, chosen):
                failed += status == 'FAILED'
                print(f'{status:6} {name} ({seconds:.1f} s){": " if text else ""}{text}',
                      flush=True)
        print(f'{len(chosen) - failed} passed, {failed} failed')
        return 1 if failed or not chosen else 0


def main(make_suite, argv):
    """
    PROGRAMS SOURCES [--list] [WORD...]: run the cases whose names contain one of the words.
    make_suite(programs, sources) gets the two folders as paths.
    """
    suite = make_suite(pathlib.Path(argv[0]).resolve(), pathlib.Path(argv[1]).resolve())
    if '--list' in argv:
        print('\n'.join(case[0] for case in suite.cases))
        return 0
    if not os.access(LOCKPROOF, os.X_OK):
        print(f'LOCKPROOF={LOCKPROOF} is not there', file=sys.stderr)
        return 2
    return suite.run(argv[2:])

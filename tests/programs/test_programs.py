#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Programs as Debian ships them, under Lockproof: right answers, no crash, no hang, no finding.

    test_programs.py PROGRAMS SOURCES [WORD...]     PROGRAMS: the folder of our own program, worker

A program that is not installed is skipped, and said so. Servers run on loopback, on a free port,
in a temporary directory, and are always stopped.
"""
import contextlib
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / 'behaviour'))
import clients
import harness
from harness import LOCKPROOF, expect


class Skip(Exception):
    pass


def tool(name):
    path = shutil.which(name)
    if not path:
        raise Skip(f'{name} is not installed')
    return path


def check_report(report, threads):
    """No finding, and the run was really watched: it had this many threads, and locks."""
    expect(report.kinds() == [], 'findings:\n' + '\n'.join(f['text'][:3000] for f in report.findings[:5]))
    summary = report.data['summary']
    expect(not report.data.get('stopped'), f'recording stopped: {report.data.get("stopped")}')
    expect(summary['threads'] >= threads, f'only {summary["threads"]} threads were seen')
    expect(summary['acquisitions'] > 0, 'no lock was seen')
    return (f'{summary["threads"]} threads, {summary["acquisitions"]} acquisitions, '
            f'{summary["classes"]} classes')


def make_input(path, megabytes=6):
    """Compressible, but not trivially; the same each time."""
    chance = random.Random(42)
    words = [bytes(chance.randrange(97, 123) for _ in range(chance.randrange(2, 12)))
             for _ in range(4000)]
    with open(path, 'wb') as out:
        for _ in range(megabytes):
            block = b' '.join(chance.choices(words, k=150000))[:1 << 20]
            out.write(block)


def compressor(directory, name, compress, decompress, threads):
    """Output byte-identical to the run without Lockproof; decompressed again under it."""
    program = tool(name)
    original = directory / 'input'
    make_input(original)
    bare = harness.Run([program, *compress, original], directory)
    expect(bare.code == 0 and bare.stdout, bare.describe()[:500])
    run, report = harness.validate([program, *compress, original], directory)
    expect(run.code == 0, f'exit status {run.code}: {run.stderr[-500:]}')
    expect(run.stdout == bare.stdout, 'the compressed output differs from the bare run')
    note = check_report(report, threads)
    packed = directory / 'packed'
    packed.write_bytes(run.stdout)
    run, report = harness.validate([program, *decompress, packed], directory)
    expect(run.stdout == original.read_bytes(), 'what was packed is not what came out')
    check_report(report, 1)
    return note


def same_output(directory, argv, threads):
    bare = harness.Run(argv, directory)
    expect(bare.code == 0, bare.describe())
    _, report = harness.validate(argv, directory, bare=bare)
    return check_report(report, threads)


def python_threads(directory):
    return same_output(directory, [tool('python3') if not os.path.exists('/usr/bin/python3')
                                   else '/usr/bin/python3', HERE / 'threads.py'], 10)


@contextlib.contextmanager
def server(directory, argv):
    """A server under Lockproof; yields the process and stops it whatever happens."""
    log = open(directory / 'server.log', 'wb')
    process = subprocess.Popen([str(a) for a in (
        LOCKPROOF, 'run', '--format=json', '-o', directory / 'report.json', '--', *argv)],
        cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        log.close()
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)      # a session of its own: only ours
            process.wait()


def end_server(directory, process, stop):
    """Stop it the way people do; it must end by itself, with a report."""
    stop()
    try:
        code = process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        raise harness.Failure('the server did not stop') from None
    report = harness.Report(directory / 'report.json')
    log = (directory / 'server.log').read_text(errors='replace')
    expect(code in (0, harness.FINDINGS_EXIT), f'exit status {code}\n{log[-2000:]}')
    return report


def memcached(directory):
    program, port = tool('memcached'), clients.free_port()
    user = ['-u', 'nobody'] if os.getuid() == 0 else []
    with server(directory, [program, '-t', '4', '-l', '127.0.0.1', '-p', port, '-U', '0',
                            *user]) as process:
        clients.memcached(port)
        report = end_server(directory, process, lambda: process.send_signal(signal.SIGTERM))
    return check_report(report, 5)


def redis(directory):
    program, port = tool('redis-server'), clients.free_port()
    benchmark = tool('redis-benchmark')
    with server(directory, [program, '--port', port, '--bind', '127.0.0.1', '--io-threads', '4',
                            '--io-threads-do-reads', 'yes', '--save', '', '--dir', directory,
                            '--daemonize', 'no', '--appendonly', 'yes']) as process:
        clients.redis(port)
        load = harness.Run([benchmark, '-p', port, '-n', '8000', '-c', '20', '-P', '32', '-q',
                            '-t', 'set,get,incr,lpush,hset'], directory)
        expect(load.code == 0 and b'requests per second' in load.stdout and
               b'rror' not in load.stdout, load.describe())
        clients.redis_save(port)
        report = end_server(directory, process, lambda: process.send_signal(signal.SIGTERM))
    expect((directory / 'dump.rdb').stat().st_size > 0, 'the forked child saved nothing')
    return check_report(report, 7)


def or_skip(function):
    def guarded(*args):
        try:
            return function(*args)
        except Skip as skip:
            return f'SKIPPED: {skip}'
        except clients.WrongAnswer as wrong:
            raise harness.Failure(f'wrong answer: {wrong}') from None
    return guarded


def suite(programs, unused):
    tests = harness.Suite()
    tests.add('memcached', or_skip(memcached))
    tests.add('redis', or_skip(redis))
    for name, compress, decompress, threads in (
            ('xz', ['-T2', '-1', '--block-size=1MiB', '-c'], ['-T2', '-dc'], 3),
            ('pigz', ['-p', '4', '-n', '-c'], ['-dc'], 4),
            ('pbzip2', ['-p4', '-c'], ['-p4', '-dc'], 4),
            ('zstd', ['-T2', '-q', '-c'], ['-q', '-dc'], 3)):
        tests.add(name, or_skip(compressor), name, compress, decompress, threads)
    tests.add('python3', or_skip(python_threads))
    tests.add('c++', or_skip(same_output), [programs / 'worker'], 5)
    return tests


if __name__ == '__main__':
    sys.exit(harness.main(suite, sys.argv[1:]))

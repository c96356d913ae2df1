#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
What a lock costs: native, Lockproof, ThreadSanitizer and Helgrind side by side, in one run.

    bench.py --source pairs.c --lockproof PATH [--rounds N] [--json FILE] [--check]

Each figure is the median of N rounds (7), in nanoseconds per uncontended lock+unlock pair, with
half the distance between the quartiles; the rounds of the tools take turns, so that a machine that
slows down slows all of them. --check fails when Lockproof is out of proportion on the budgeted
case. A tool that is missing is left out.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

# case: (what it is, iterations native)
CASES = {
    'mutex': ('mutex, 1 thread', 4000000),
    'handler': ('the same, a signal handler installed', 4000000),
    'nested': ('mutex, 4 deep, 1 thread', 1000000),
    'read': ('rwlock read, 1 thread', 4000000),
    'write': ('rwlock write, 1 thread', 4000000),
    'spin': ('spinlock, 1 thread', 4000000),
    'threads': ('mutex each, 2 threads', 2000000),
}
CHECK_CASE = 'mutex'
CHECK_RATIO = 2.5       # the budget is 1.3; a shared machine gets room, a broken fast path none


class Tool:
    """A way to run the benchmark: its program, what stands before it, and how slow it is."""

    def __init__(self, name, program, prefix=(), slowdown=1, env=None):
        self.name, self.program, self.prefix = name, program, list(prefix)
        self.slowdown = slowdown
        self.env = dict(os.environ, **(env or {}))

    def measure(self, case, iterations):
        done = subprocess.run([*self.prefix, self.program, case,
                               str(max(iterations // self.slowdown, 1000))],
                              env=self.env, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise SystemExit(f'{self.name}: exit {done.returncode}: {done.stderr[-500:]}')
        return float(done.stdout)


def compile_with(compiler, directory, source, name, *flags):
    """Path of the compiled benchmark, or None when this compiler cannot."""
    if not shutil.which(compiler):
        return None
    program = directory / name
    done = subprocess.run([compiler, '-std=gnu11', '-D_GNU_SOURCE', '-O2', '-g', *flags, source,
                           '-o', program, '-lpthread'], capture_output=True)
    return str(program) if done.returncode == 0 else None


def works(tool):
    """A sanitizer may compile and yet not start on this kernel."""
    try:
        tool.measure(CHECK_CASE, 1000)
        return True
    except (SystemExit, ValueError, subprocess.TimeoutExpired):
        return False


def find_tools(directory, source, lockproof):
    native = compile_with('cc', directory, source, 'native')
    if not native:
        raise SystemExit('bench: cc does not compile the benchmark')
    tools = [Tool('native', native), Tool('lockproof', native, [lockproof, 'run', '--'])]
    for compiler in ('gcc', 'clang'):
        program = compile_with(compiler, directory, source, f'tsan-{compiler}',
                               '-fsanitize=thread')
        if program:
            tools.append(Tool(f'tsan {compiler}', program, slowdown=20))
    if shutil.which('valgrind'):
        tools.append(Tool('helgrind', native, ['valgrind', '-q', '--tool=helgrind'],
                          slowdown=400))
    return tools[:2] + [tool for tool in tools[2:] if works(tool)]


def measure_all(tools, cases, rounds):
    """{case: {tool: [ns per pair of each round]}}"""
    samples = {case: {tool.name: [] for tool in tools} for case in cases}
    for case in cases:
        for _ in range(rounds):
            for tool in tools:
                samples[case][tool.name].append(tool.measure(case, CASES[case][1]))
    return samples


def summary(values):
    quartiles = statistics.quantiles(values, n=4) if len(values) > 1 else [values[0]] * 3
    return {'median_ns': statistics.median(values), 'spread_ns': (quartiles[2] - quartiles[0]) / 2,
            'samples_ns': values}


def print_table(result, tools):
    width = max(len(text) for text, _ in CASES.values())
    print('nanoseconds per lock+unlock pair: median +- half the quartile distance (x native)')
    print(' ' * width + ''.join(f'{tool.name:>26}' for tool in tools))
    for case, row in result.items():
        text, native = CASES[case][0], row['native']['median_ns']
        cells = []
        for tool in tools:
            median, spread = row[tool.name]['median_ns'], row[tool.name]['spread_ns']
            cells.append(f'{median:9.1f} +-{spread:6.1f} ({median / native:5.1f})'.rjust(26))
        print(f'{text:{width}}' + ''.join(cells))


def main():
    parser = argparse.ArgumentParser(description='What a lock costs under each tool.')
    parser.add_argument('--source', required=True, help='pairs.c')
    parser.add_argument('--lockproof', required=True, help='the command')
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--json', help='write all samples to this file')
    parser.add_argument('--check', action='store_true',
                        help='one case, native and Lockproof; fail when out of proportion')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix='lp-bench-') as name:
        tools = find_tools(pathlib.Path(name), options.source, options.lockproof)
        tools = tools[:2] if options.check else tools
        cases = [CHECK_CASE] if options.check else list(CASES)
        samples = measure_all(tools, cases, max(options.rounds, 1))
    result = {case: {tool: summary(values) for tool, values in row.items()}
              for case, row in samples.items()}
    print_table(result, tools)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(result, indent=1) + '\n')
    if options.check:
        row = samples[CHECK_CASE]
        ratio = min(row['lockproof']) / min(row['native'])
        print(f'{CHECK_CASE}: {ratio:.2f} x native, limit {CHECK_RATIO}')
        return ratio > CHECK_RATIO
    return 0


if __name__ == '__main__':
    sys.exit(main())

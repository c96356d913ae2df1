#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
lockproof.h compiles without a warning, in every standard, and without Lockproof nothing of it is
missing when a program is linked.

    test_header.py INCLUDE
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

INCLUDE = sys.argv.pop(1)
ANNOTATED = pathlib.Path(__file__).resolve().parent / 'annotated.c'

WARNINGS = ['-Wall', '-Wextra', '-pedantic', '-Wshadow', '-Wcast-align', '-Wundef', '-Werror']
C_WARNINGS = ['-Wstrict-prototypes', '-Wmissing-prototypes', '-Wc++-compat']
STANDARDS = {'c': ['c99', 'c11', 'c17', 'gnu11'], 'c++': ['c++11', 'c++17', 'c++20', 'gnu++17']}
COMPILERS = {'c': ['gcc', 'clang'], 'c++': ['g++', 'clang++']}

USE = '''
#include <lockproof.h>
#include <lockproof.h>

int use(void);

static LOCKPROOF_CLASS(one, "one");
static struct lockproof_class two =
	LOCKPROOF_CLASS_INIT("two", LOCKPROOF_KIND_RWLOCK, LOCKPROOF_ORDERED, 0, 0);
static struct lockproof_lock first = LOCKPROOF_LOCK_INIT(&one);
static struct lockproof_lock second = LOCKPROOF_LOCK_INIT_RANK(&two, 3);
static struct lockproof_context loop = LOCKPROOF_CONTEXT_INIT("LOOP", LOCKPROOF_CONTEXT_USER, 0, 1);

int use(void)
{
	struct lockproof_frame frame;
	struct lockproof_ref a = lockproof_custom(&first), b = lockproof_custom(&second);
	static int bit;

	LOCKPROOF_INIT(&first);
	LOCKPROOF_NAME(lockproof_address(&bit), "bit");
	lockproof_init_rank(b, &two, 4);
	lockproof_expect_order(&one, &two);
	lockproof_expect_order_of(&one, 1, &two, 2);
	lockproof_acquire(a, LOCKPROOF_WRITE | LOCKPROOF_SUBCLASS(1));
	lockproof_acquired(a);
	lockproof_acquire_nest(b, LOCKPROOF_READ | LOCKPROOF_TRY, a);
	lockproof_change(b, LOCKPROOF_READ_RECURSIVE);
	lockproof_acquire_at(b, LOCKPROOF_READ, lockproof_none(), LOCKPROOF_CALLER);
	lockproof_acquire_failed(b);
	lockproof_next(lockproof_mutex(&bit), LOCKPROOF_SUBCLASS(1), lockproof_none());
	lockproof_assert_held(a, LOCKPROOF_ANY);
	lockproof_assert_not_held(lockproof_rwlock(&bit));
	lockproof_assert_none_held();
	lockproof_pin(a);
	lockproof_unpin(a);
	lockproof_might_lock(lockproof_spinlock(&bit), LOCKPROOF_WRITE);
	lockproof_sync(a, LOCKPROOF_WRITE);
	lockproof_context_enable(&loop);
	lockproof_context_enter(&loop, &frame);
	lockproof_context_leave(&frame);
	lockproof_context_disable(&loop);
	lockproof_misuse(LOCKPROOF_EVENT_RCU_SYNC, lockproof_none());
	lockproof_release_at(b, LOCKPROOF_CALLER);
	lockproof_release(a);
	lockproof_destroy(a);
	lockproof_freed(&bit, sizeof(bit));
	return lockproof_holds(a, LOCKPROOF_WRITE) + lockproof_running();
}
'''

UNUSED = '#include <lockproof.h>\nint unused(void);\nint unused(void) { return 0; }\n'


class Header(unittest.TestCase):
    def compile(self, compiler, language, arguments, text):
        done = subprocess.run([compiler, '-x', language, '-I', INCLUDE, *arguments, '-'],
                              input=text, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ''), (compiler, arguments))

    def each(self):
        for language, compilers in COMPILERS.items():
            for compiler in compilers:
                if not shutil.which(compiler):
                    continue
                for standard in STANDARDS[language]:
                    yield language, compiler, [f'-std={standard}', '-c', '-o', os.devnull,
                                               *WARNINGS,
                                               *(C_WARNINGS if language == 'c' else [])]

    def test_every_standard(self):
        for language, compiler, arguments in self.each():
            for more in ([], ['-DLOCKPROOF_DISABLE'], ['-O2']):
                for text in (USE, UNUSED):
                    self.compile(compiler, language, arguments + more, text)

    def test_warnings_are_seen(self):
        with self.assertRaises(AssertionError):
            self.compile('gcc', 'c', ['-std=c11', '-c', '-o', os.devnull, *WARNINGS],
                         UNUSED + 'static int left_over;\n')

    def test_runs_alone(self):
        """Linked in every way, without the library: the program does what it does."""
        with tempfile.TemporaryDirectory(prefix='lp-header-') as directory:
            program = f'{directory}/program'
            for more in (['-O0'], ['-O2'], ['-O0', '-fno-pie', '-no-pie'], ['-static'],
                         ['-O2', '-Wl,-z,now'], ['-DLOCKPROOF_DISABLE']):
                subprocess.run(['gcc', *more, '-w', '-I', INCLUDE,
                                '-I', str(ANNOTATED.parent.parent / 'behaviour'),
                                str(ANNOTATED), '-o', program, '-lpthread'], check=True)
                for scenario in ('abba', 'asserts-right', 'context-nested'):
                    done = subprocess.run([program, scenario], capture_output=True, text=True)
                    self.assertEqual((done.returncode, done.stdout, done.stderr),
                                     (0, f'{scenario}: done\n', ''), more)


if __name__ == '__main__':
    unittest.main()

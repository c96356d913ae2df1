#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Every interposed function: that it is really intercepted, and that nothing about it changed.

    test_census.py CENSUS RUNTIME       the program census, the library liblockproof.so
"""
import difflib
import itertools
import os
import subprocess
import sys
import unittest

LOCKPROOF = os.environ.get('LOCKPROOF', 'lockproof')

# What must be intercepted. Not all of libpthread: attributes and signalling change no lock state.
FUNCTIONS = {f'pthread_{name}' for name in '''
    mutex_init mutex_destroy mutex_lock mutex_trylock mutex_timedlock mutex_clocklock mutex_unlock
    rwlock_init rwlock_destroy rwlock_rdlock rwlock_wrlock rwlock_tryrdlock rwlock_trywrlock
    rwlock_timedrdlock rwlock_timedwrlock rwlock_clockrdlock rwlock_clockwrlock rwlock_unlock
    spin_init spin_destroy spin_lock spin_trylock spin_unlock
    cond_wait cond_timedwait cond_clockwait cond_signal cond_broadcast
    create join tryjoin_np timedjoin_np clockjoin_np'''.split()} | set('''
    mtx_init mtx_destroy mtx_lock mtx_trylock mtx_timedlock mtx_unlock
    cnd_wait cnd_timedwait cnd_signal cnd_broadcast thrd_create thrd_join
    sem_init sem_destroy sem_wait sem_trywait sem_timedwait sem_clockwait sem_post
    sem_open sem_close pthread_once call_once
    sigaction signal ssignal sysv_signal sigset sigignore
    pthread_sigmask sigprocmask sigblock sigsetmask sighold sigrelse
    sigsuspend sigpause ppoll pselect epoll_pwait epoll_pwait2
    longjmp _longjmp siglongjmp setcontext swapcontext vfork
    malloc free calloc realloc reallocarray posix_memalign aligned_alloc memalign valloc
    pvalloc printf vprintf fprintf vfprintf puts putchar putc fputc fputs fwrite ftell
    rewind fgetc ungetc getc fseek fseeko ftello fflush setvbuf clearerr fclose fopen
    fdopen tmpfile perror warnx __isoc99_fscanf fgetpos fsetpos fgets getline getdelim
    fread ftrylockfile flockfile funlockfile popen pclose localtime localtime_r gmtime
    gmtime_r mktime strftime ctime ctime_r tzset getaddrinfo getpwnam getpwuid getpwnam_r
    getpwuid_r getgrnam getgrgid setpwent getpwent endpwent dlopen dlsym dlclose dladdr
    dl_iterate_phdr setenv unsetenv putenv random srandom rand srand initstate setstate
    setlocale newlocale freelocale openlog setlogmask syslog closelog __cxa_atexit'''.split())

LIBRARY = 'liblockproof.so'


def output_of(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def under_lockproof(*argv):
    return output_of(LOCKPROOF, 'run', '--exit-code=0', '--', *argv)


def without_repeats(text):
    """A condition variable may wake for no reason: one line for any number of equal ones."""
    return [line for line, _ in itertools.groupby(text.splitlines())]


class Census(unittest.TestCase):
    census = runtime = None

    def test_each_function_is_exported(self):
        code, out, err = output_of('nm', '-D', '--defined-only', self.runtime)
        self.assertEqual(code, 0, err)
        exported = {line.split()[-1].split('@')[0] for line in out.splitlines()
                    if line.split()[-2] in 'TWi'}
        self.assertEqual(FUNCTIONS - exported, set())

    def test_each_function_is_reached(self):
        """The dynamic linker binds each to the library: right name, right version."""
        code, out, err = under_lockproof(self.census, '--where')
        self.assertEqual(code, 0, err)
        origin = dict(line.split() for line in out.splitlines())
        self.assertEqual(set(origin), FUNCTIONS, 'the census program and this list differ')
        self.assertEqual({n: o for n, o in origin.items() if o != LIBRARY}, {})

    def test_without_the_library_none_is(self):
        """This test can fail: bare, all come from libc."""
        code, out, _ = output_of(self.census, '--where')
        self.assertEqual(code, 0)
        self.assertEqual({line.split()[1] for line in out.splitlines()}, {'libc.so.6'})

    def test_results_and_errno_are_the_same(self):
        bare_code, bare, bare_err = output_of(self.census)
        code, out, err = under_lockproof(self.census)
        self.assertEqual((bare_code, bare_err), (0, ''))
        self.assertEqual(code, 0, err)
        difference = list(difflib.unified_diff(without_repeats(bare), without_repeats(out),
                                               'bare', 'under lockproof', lineterm='', n=2))
        self.assertEqual(difference, [], '\n'.join(difference))

    def test_the_census_reaches_failures(self):
        """EBUSY, EDEADLK, EPERM, EINVAL, ETIMEDOUT, EOWNERDEAD, ENOTRECOVERABLE, EAGAIN, ENOTSUP."""
        _, out, _ = output_of(self.census)
        results = {line.split()[-3] for line in out.splitlines() if ' errno ' in line}
        self.assertLessEqual({'16', '35', '1', '22', '110', '130', '131', '11', '95'}, results)

    def test_the_library_prints_nothing(self):
        _, _, err = under_lockproof(self.census, '--where')
        self.assertTrue(all(line.startswith('lockproof:') for line in err.splitlines()), err)

    def test_the_library_depends_on_libc_only(self):
        _, out, _ = output_of('readelf', '-d', self.runtime)
        needed = {line.split('[')[1].rstrip(']') for line in out.splitlines() if 'NEEDED' in line}
        self.assertLessEqual(needed, {'libc.so.6', 'ld-linux-x86-64.so.2'})


if __name__ == '__main__':
    Census.census, Census.runtime = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)

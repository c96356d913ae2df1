#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Hazards as data: what each program of this folder shows, what makes its control safe, and what
must be reported.

    table.py --list         the names with the ending of the source, and whether there is a control
    table.py --markdown     docs/hazards.md, whole
"""
import sys

ACTUAL, FEASIBLE, POSSIBLE = 'actual', 'feasible', 'possible'
CIRCULAR, RECURSIVE = 'circular-locking', 'recursive-locking'
INCONSISTENT, INVERSION = 'inconsistent-lock-state', 'irq-lock-inversion'
UNSAFE_ORDER, DEADLOCK = 'irq-unsafe-lock-order', 'deadlock'


NOT_YET = ('cond-second-lock', 'cond-second-lock-timed', 'semaphore-wait-under-lock',
           'barrier-under-lock', 'free-held')
TOLD = ('fork-strikes', 'cond-lost-wakeup')


class Row:
    """
    One hazard. `words` must all stand in the report of one finding of `kind`. Besides that, only
    findings of `also`, pairs of kind and level, may be there; `several`: more than one of `kind`.
    `control` is what the control has in strict mode; by default it is always silent. A row
    without a kind has no control: the program is safe, though it looks like one that is not.
    The hazards of NOT_YET are not found: their programs must run as without us. Those of TOLD are
    told in a line of the supervisor's, for there is no cycle of locks to report.
    """

    def __init__(self, name, hazard, safe, kind=None, level=None, words=(), also=(),
                 several=False, control=(), source='.c'):
        self.name, self.hazard, self.safe = name, hazard, safe
        self.kind, self.level, self.words = kind, level, words
        self.also, self.several = list(also), several
        self.control, self.source = list(control), source

    @property
    def is_unseen(self):
        return self.name in NOT_YET

    @property
    def is_told(self):
        return self.name in TOLD

    @property
    def hangs(self):
        return self.kind == DEADLOCK


def usage(context, used_in='W'):
    return f'{{{context}-ON-W}} -> {{IN-{context}-{used_in}}} usage'


def struck(name, hazard, safe, words=(usage('SIGALRM'), 'on_alarm'), level=FEASIBLE, **more):
    """A lock that is used both in a context and where it can strike."""
    return Row(name, hazard, safe, INCONSISTENT, level, words, **more)


def order(name, hazard, safe, words, level=FEASIBLE, **more):
    return Row(name, hazard, safe, CIRCULAR, level, words, **more)


def hang(name, hazard, safe, words, also=()):
    """A deadlock that the run really ends in."""
    return Row(name, hazard, safe, DEADLOCK, ACTUAL, words, also)


def quiet(name, why):
    return Row(name, None, why)


FIRST = (usage('SIGUSR1'), 'on_first')
SECOND = (usage('SIGUSR2'), 'on_second')

SIGNALS = (
    struck('handler-lock',
           'A handler takes a mutex that the thread it interrupts may hold.',
           'The signal is blocked wherever the mutex is held.'),
    hang('handler-strikes',
         'The same, and the handler does strike while the mutex is held.',
         'The signal is blocked, and delivered when the mutex is free.',
         ('on_alarm', 'table_lock'), also=[(INCONSISTENT, FEASIBLE)]),
    struck('handler-installed-early',
           'The handler is installed before the last use of the mutex.',
           'It is installed after the last use.'),
    struck('handler-signal-api',
           'The same as the first, with `signal()` and `sigprocmask()`.',
           'The signal is blocked wherever the mutex is held.'),
    struck('handler-ignored',
           'The handler stays installed while the mutex is in use.',
           'The signal is ignored meanwhile.'),
    struck('handler-resethand',
           'The handler stays installed after its first run.',
           '`SA_RESETHAND`: it is gone when the mutex is used.'),
    struck('handler-one-thread-forgets',
           'One thread blocks the signal around the mutex, another does not.',
           'Both block it.', (usage('SIGALRM'), 'work')),
    struck('handler-inherited-mask',
           'A thread is created with the signal unblocked, and takes the mutex.',
           'Its creator has the signal blocked, and it inherits that.', (usage('SIGALRM'), 'work')),
    struck('handler-attr-sigmask',
           'A thread is created with an attribute that unblocks the signal.',
           'The mask in `pthread_attr_setsigmask_np()` blocks it.', (usage('SIGALRM'), 'work')),
    struck('handler-nested',
           'Two handlers share a mutex, and the second signal is not in the `sa_mask` of the '
           'first.', 'It is.', SECOND + ('on_first',)),
    struck('handler-nodefer',
           'With `SA_NODEFER` a handler that takes a mutex can be struck by its own signal.',
           'Without the flag it cannot.'),
    struck('handler-wrong-signal',
           'A signal is blocked around the mutex, but not the one whose handler takes it.',
           'The right one is.', SECOND),
    struck('handler-unblocked-too-early',
           'The signal is unblocked before the mutex is released.',
           'It is unblocked after that.'),
    struck('handler-trylock',
           'The handler waits for the mutex.',
           'It tries, and does without when it is busy.'),
    struck('handler-reader',
           'A handler reads under a lock that the thread it interrupts may hold as a writer.',
           'The writer blocks the signal.', (usage('SIGHUP', used_in='R'), 'on_hangup')),
    struck('handler-spinlock',
           'A handler spins on a lock that the thread it interrupts may hold.',
           'The signal is blocked wherever the lock is held.'),
    struck('handler-semaphore',
           'A semaphore is used as a lock by a handler and by the thread it interrupts.',
           'The signal is blocked wherever the semaphore is held.'),
    struck('handler-timer',
           'The handler belongs to a timer of `timer_create()` (`SIGEV_SIGNAL`).',
           'Its signal is blocked wherever the mutex is held.', (usage('SIGUSR1'), 'on_timer')),
    struck('handler-pselect',
           '`pselect()` unblocks the signal while it waits, and the mutex is held.',
           'The mask given to it keeps the signal blocked.', FIRST),
    struck('handler-ppoll', 'The same with `ppoll()`.',
           'The mask given to it keeps the signal blocked.', FIRST),
    struck('handler-epoll-pwait', 'The same with `epoll_pwait()`.',
           'The mask given to it keeps the signal blocked.', FIRST),
    struck('handler-sigsuspend', 'The same with `sigsuspend()`.',
           'The mask given to it keeps the signal blocked.', FIRST),
    struck('handler-siglongjmp',
           'A handler jumps out with the mask put back, and the mutex is taken after that.',
           'The mask was not saved: the signal stays blocked after the jump.',
           (usage('SIGALRM'), 'on_alarm')),
    struck('handler-vfork',
           'A thread unblocks the signal after a `vfork()` whose child did so, too.',
           'The thread keeps it blocked; what the child does is nothing to it.'),
    struck('handler-sigsegv',
           'A handler of `SIGSEGV` takes a mutex. Only code that fails under the mutex would '
           'deadlock.', 'The handler takes nothing.',
           (usage('SIGSEGV'), 'on_fault'), level=POSSIBLE),
    order('handler-abba',
          'A handler takes two mutexes in the order opposite to everybody else, while a thread '
          'that blocks the signal holds one.', 'The handler has the same order.',
          ('on_alarm', 'table_lock', 'log_lock')),
    Row('order-safe-unsafe',
        'Inside a mutex of the handler\'s, signal blocked, one is taken that another thread holds '
        'with the signal unblocked.', 'That thread blocks the signal too.',
        UNSAFE_ORDER, FEASIBLE,
        ('SIGALRM-safe -> SIGALRM-unsafe lock order', 'table_lock', 'log_lock')),
    Row('order-three-locks',
        'The same with a third mutex on the way: two threads have one step each.',
        'The last mutex is taken with the signal blocked.', INVERSION, FEASIBLE,
        ('table_lock', 'middle_lock', 'log_lock', 'on_alarm')),
    Row('order-two-signals',
        'Two signals, two mutexes. Each thread blocks the signal whose handler takes what it '
        'holds, and is struck by the other.', 'Both threads block both signals.',
        INVERSION, FEASIBLE, ('SIGUSR1', 'SIGUSR2', 'table_lock', 'log_lock')),
)

LIBC = (
    struck('libc-malloc', 'A handler calls `malloc()`, and so does the code it interrupts.',
           'That code blocks the signal.', (usage('SIGALRM'), 'malloc', 'on_alarm')),
    struck('libc-free', 'A handler calls `free()`, and the code it interrupts `malloc()`.',
           'The handler frees nothing.', (usage('SIGALRM'), 'malloc', 'on_alarm')),
    struck('libc-printf', 'A handler calls `printf()`, and so does the code it interrupts.',
           'The handler uses `write()`.', (usage('SIGALRM'), 'printf', 'on_alarm'),
           several=True),
    struck('libc-syslog', 'A handler calls `syslog()`, and so does the code it interrupts.',
           'The handler sets a flag, and the message is logged later.',
           (usage('SIGALRM'), 'syslog', 'on_alarm'), several=True),
    struck('sshd-grace-alarm',
           'CVE-2024-6387: when the login grace time is over, the `SIGALRM` handler of sshd logs '
           'that with `syslog()`; it may interrupt `malloc()`, `localtime()` or `syslog()`.',
           'As in OpenSSH 9.8p1, the handler only calls `_exit()`.',
           (usage('SIGALRM'), 'syslog', 'grace_alarm_handler'), several=True),
    struck('libc-localtime', 'A handler calls `localtime()`, and so does the code it interrupts.',
           'The handler only calls `time()`.', (usage('SIGALRM'), 'localtime', 'on_alarm'),
           several=True),
    struck('libc-getaddrinfo',
           'A handler calls `getaddrinfo()`, and so does the code it interrupts.',
           'The handler sets a flag.', (usage('SIGALRM'), 'getaddrinfo', 'on_alarm'),
           several=True),
    struck('libc-setenv', 'A handler calls `setenv()`, and so does the code it interrupts.',
           'The handler calls nothing.', (usage('SIGALRM'), 'setenv', 'on_alarm'),
           several=True),
    struck('libc-exit',
           'A handler calls `exit()`, and the code it interrupts `atexit()`.',
           'The handler calls `_exit()`.', (usage('SIGALRM'), 'exit', 'on_alarm'),
           several=True),
    hang('atexit-lock', '`exit()` is called under a mutex that an exit handler takes.',
         'The mutex is released first.', ('save_table', 'table_lock'),
         also=[(RECURSIVE, FEASIBLE)]),
    order('dlopen-under-lock',
          'A library is loaded under a mutex that the constructor of a library takes, in another '
          'thread.', 'It is loaded before the mutex is taken.',
          ('dlopen', 'registry_lock', 'enter_plugin')),
)

FORKS = (
    struck('fork-child-locks',
           'A forked child takes a mutex that another thread may hold at that moment.',
           '`pthread_atfork()` handlers take it before the fork, and release it after.',
           (usage('FORK'), 'run_child')),
    struck('fork-with-threads',
           'The same: a second thread uses the mutex.',
           'There is one thread, which does all that.', (usage('FORK'), 'run_child')),
    struck('fork-then-exec',
           'The child takes a mutex on its way to `exec`.',
           'It calls `exec` at once.', (usage('FORK'), 'main')),
    struck('fork-child-localtime',
           'The child calls `localtime()`, and so does another thread of the parent.',
           'The child calls nothing.', (usage('FORK'), 'localtime'), several=True),
    order('fork-atfork-order',
          'Fork handlers take two mutexes in the order opposite to another thread.',
          'They are registered the other way round.', ('lock_log', 'lock_table', 'work')),
    hang('fork-strikes',
         'Another thread holds the mutex at the moment of the fork, and the child takes it.',
         '`pthread_atfork()` handlers take it before the fork, and release it after.',
         ('table_lock',), also=[(INCONSISTENT, FEASIBLE)]),
)

WAITS = (
    order('join-under-lock', 'A thread is joined under a mutex that it takes before it ends.',
          'The mutex is released before the join.', ('table_lock', 'work')),
    hang('join-strikes', 'A thread is joined under the mutex that it waits for.',
         'The mutex is released before the join.', ('table_lock', 'work'),
         also=[(CIRCULAR, FEASIBLE)]),
    order('cond-second-lock',
          'A condition is waited for under a second mutex, which the only signaller takes before '
          'it signals.', 'The second mutex is not held.',
          ('pthread_cond_wait', 'config_lock', 'produce')),
    order('cond-second-lock-timed',
          'The wait has a time limit, so it ends by itself; the signaller holds both mutexes.',
          'The second mutex is not held.', ('config_lock', 'produce'), level=POSSIBLE),
    hang('cond-lost-wakeup',
         'A condition is waited for after it was signalled, without a look at what it is about.',
         'The wait is in a loop that looks.', ('consume', 'filled')),
    order('semaphore-abba', 'Two semaphores are used as locks, in opposite orders.',
          'In the same order.', ('disk', 'net')),
    hang('semaphore-strikes', 'The same, and each thread has one.', 'In the same order.',
         ('disk', 'net'), also=[(CIRCULAR, FEASIBLE)]),
    order('semaphore-wait-under-lock',
          'A semaphore counts items, and is waited for under a mutex that the only one who posts '
          'holds when it does.', 'It is waited for before the mutex is taken.',
          ('sem_wait', 'config_lock', 'produce')),
    order('barrier-under-lock',
          'A thread waits at a barrier under a mutex that the other takes on its way there.',
          'The barrier comes before the mutex.', ('pthread_barrier_wait', 'table_lock', 'work')),
    order('once-vs-lock', '`pthread_once()` is called under a mutex that its routine takes.',
          'It is called before the mutex is taken.', ('pthread_once', 'table_lock', 'initialise')),
    order('once-c11', 'The same with `call_once()`.', 'It is called before the mutex is taken.',
          ('table_lock', 'initialise')),
    hang('once-recursion', 'The routine of `pthread_once()` waits for its own end.',
         'It does not call it.', ('initialise',), also=[(RECURSIVE, FEASIBLE)]),
    order('static-local',
          'A function-local static of C++ is needed under a mutex that its constructor takes.',
          'It is needed before the mutex is taken.', ('cache_size', 'table_lock', 'Cache'),
          source='.cc'),
)

LOCKS = (
    order('abba', 'Two mutexes are taken in opposite orders, one after the other.',
          'In the same order.', ('table_lock', 'log_lock', 'work')),
    hang('abba-strikes', 'The same, and each thread has one.', 'In the same order.',
         ('table_lock', 'log_lock', 'work'), also=[(CIRCULAR, FEASIBLE)]),
    hang('relock', 'A thread takes a mutex that it has.', 'The mutex is recursive.',
         ('table_lock',), also=[(RECURSIVE, FEASIBLE)]),
    hang('rwlock-upgrade', 'A thread wants to write what it still reads.',
         'It stops reading first.', ('config_lock',), also=[(RECURSIVE, FEASIBLE)]),
    Row('rwlock-reread',
        'A thread reads twice a lock that lets a queued writer go first '
        '(`PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP`).',
        'The lock is of the default kind, which lets readers pass.',
        RECURSIVE, FEASIBLE, ('config_lock',)),
    order('rwlock-readers-inverted',
          'Two threads read two such locks in opposite orders, and others write.',
          'Nobody writes.', ('config_lock', 'users_lock', 'read_both'),
          control=[(CIRCULAR, POSSIBLE)]),
    Row('unlock-by-other', 'A thread releases a mutex that another one has.',
        'The owner releases it.', 'bad-unlock-balance', ACTUAL, ('table_lock', 'work')),
    Row('destroy-held', 'A mutex is destroyed while it is held.', 'It is released first.',
        'held-lock-freed', ACTUAL, ('table_lock', 'main')),
    Row('free-held', 'Memory is freed with a held mutex in it.', 'It is released first.',
        'held-lock-freed', ACTUAL, ('lock', 'main')),
    Row('exit-holding', 'A thread ends while it has a mutex.', 'It is released first.',
        'held-at-exit', ACTUAL, ('table_lock', 'work')),
)

QUIET = (
    quiet('quiet-sigwait', 'A thread waits with `sigwait()`: there is no handler.'),
    quiet('quiet-self-pipe', 'A handler only writes to a pipe.'),
    quiet('quiet-post-in-handler', 'A handler calls `sem_post()`, which never waits.'),
    quiet('quiet-semaphore-queue', 'Semaphores count the items and the places of a queue.'),
    quiet('quiet-cond-wait', 'A condition is waited for under its own mutex only.'),
    quiet('quiet-fork-malloc', 'A forked child allocates, which the C library allows for.'),
    quiet('quiet-spawn', '`posix_spawn()` and `vfork()` while other threads use locks.'),
    quiet('quiet-join', 'Threads are created under a mutex, and joined without it.'),
)

SECTIONS = (
    ('Signal handlers', SIGNALS),
    ("The C library's own locks", LIBC),
    ('fork', FORKS),
    ('Waits that are no locks', WAITS),
    ('Locks', LOCKS),
)
HAZARDS = [row for _, rows in SECTIONS for row in rows]

HEAD = '''<!-- Made by tests/hazards/table.py --markdown; change the table there. -->
# Hazards, and what is reported

One row for each hazard: a small program in `tests/hazards/`, compiled twice. The control is the
same source with `-DSAFE` and differs only in what makes it safe. `tests/hazards/test_hazards.py`
runs all of them: each hazard is found unless its row says *not yet*, and each control is silent, in
strict mode too unless its row says otherwise.

No program meets its hazard in the run that is validated, but for those whose level is `actual`.
`possible` is what only `--strict` shows.
'''

COLUMNS = '''| row | hazard | control | reported | level |
|---|---|---|---|---|
'''

QUIET_HEAD = '''
## Silent

Programs that look like one of the above and are safe. Nothing is reported, in strict mode either.

| program | why it is safe |
|---|---|
'''


def reported(row):
    if row.is_unseen:
        return f'*not yet* ({row.kind})'
    if row.is_told:
        return 'a line: `process N will never go on`, and who waits for what'
    word = row.words[0]
    shown = f'<br>`{word}`' if 'usage' in word or 'order' in word else ''
    return f'{row.kind}{shown}'


def safe_text(row):
    strict = ', '.join(f'{level} {kind}' for kind, level in row.control)
    return f'{row.safe} Strict mode: {strict}.' if strict else row.safe


def markdown():
    text = HEAD
    for title, rows in SECTIONS:
        text += f'\n## {title}\n\n{COLUMNS}'
        for row in rows:
            text += (f'| {row.name} | {row.hazard} | {safe_text(row)} | {reported(row)} | '
                     f'{row.level} |\n')
    text += QUIET_HEAD
    for row in QUIET:
        text += f'| {row.name} | {row.safe} |\n'
    return text


def main(argv):
    if argv == ['--markdown']:
        sys.stdout.write(markdown())
        return 0
    if argv == ['--list']:
        for row in [*HAZARDS, *QUIET]:
            print(row.name, row.source, 'pair' if row.kind else 'alone')
        return 0
    print('usage: table.py --list | --markdown', file=sys.stderr)
    return 2


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

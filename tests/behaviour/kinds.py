#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lock kinds as data, and what writes a test program once for each of them.

    kinds.py KIND TEMPLATE OUTPUT

A template says LOCK(&p->a); the program says pthread_spin_lock(&p->a);, in plain text on the same
line, so that reports show lines and names as they would for code that a person wrote. Words:

    INIT LOCK UNLOCK DESTROY RDLOCK RDUNLOCK    statements with one argument, a lock's address
    TRYLOCK TIMEDLOCK                           expressions: true when the lock was taken
    LOCKTYPE INITIALIZER                        plain text
"""
import re
import sys

PTHREAD = '#include <pthread.h>'

MUTEX = dict(
    header=PTHREAD, type='pthread_mutex_t', kind='mutex', how='init',
    INIT='pthread_mutex_init({0}, NULL)', LOCK='pthread_mutex_lock({0})',
    UNLOCK='pthread_mutex_unlock({0})', DESTROY='pthread_mutex_destroy({0})',
    TRYLOCK='pthread_mutex_trylock({0}) == 0',
    TIMEDLOCK='pthread_mutex_timedlock({0}, soon()) == 0')


def mutex(setup, kind='mutex'):
    """A mutex whose attribute object is changed by `setup`, a C expression on `attr`."""
    return dict(MUTEX, kind=kind, INIT='pthread_mutex_init({0}, mutex_attr())', setup=setup)


RWLOCK = dict(
    header=PTHREAD, type='pthread_rwlock_t', kind='rwlock', how='init',
    INIT='pthread_rwlock_init({0}, NULL)', LOCK='pthread_rwlock_wrlock({0})',
    UNLOCK='pthread_rwlock_unlock({0})', DESTROY='pthread_rwlock_destroy({0})',
    TRYLOCK='pthread_rwlock_trywrlock({0}) == 0',
    TIMEDLOCK='pthread_rwlock_timedwrlock({0}, soon()) == 0',
    RDLOCK='pthread_rwlock_rdlock({0})', RDUNLOCK='pthread_rwlock_unlock({0})')

MTX = dict(
    header='#include <threads.h>', type='mtx_t', kind='mutex', how='init',
    INIT='mtx_init({0}, mtx_plain)', LOCK='mtx_lock({0})', UNLOCK='mtx_unlock({0})',
    DESTROY='mtx_destroy({0})', TRYLOCK='mtx_trylock({0}) == thrd_success')

CXX = dict(
    kind='mutex', how='new', language='c++', LOCK='{1}.lock()', UNLOCK='{1}.unlock()',
    TRYLOCK='{1}.try_lock()')

KINDS = {
    'mutex': MUTEX,
    'mutex-static': dict(MUTEX, how='static', INITIALIZER='PTHREAD_MUTEX_INITIALIZER'),
    'recursive': mutex('pthread_mutexattr_settype(attr, PTHREAD_MUTEX_RECURSIVE)',
                       'recursive-mutex'),
    'errorcheck': mutex('pthread_mutexattr_settype(attr, PTHREAD_MUTEX_ERRORCHECK)',
                        'errorcheck-mutex'),
    'adaptive': mutex('pthread_mutexattr_settype(attr, PTHREAD_MUTEX_ADAPTIVE_NP)'),
    'robust': mutex('pthread_mutexattr_setrobust(attr, PTHREAD_MUTEX_ROBUST)'),
    'pshared': mutex('pthread_mutexattr_setpshared(attr, PTHREAD_PROCESS_SHARED)'),
    'inherit': mutex('pthread_mutexattr_setprotocol(attr, PTHREAD_PRIO_INHERIT)'),
    'rwlock': RWLOCK,
    'rwlock-static': dict(RWLOCK, how='static', INITIALIZER='PTHREAD_RWLOCK_INITIALIZER'),
    'spin': dict(
        header=PTHREAD, type='pthread_spinlock_t', kind='spinlock', how='init',
        INIT='pthread_spin_init({0}, PTHREAD_PROCESS_PRIVATE)', LOCK='pthread_spin_lock({0})',
        UNLOCK='pthread_spin_unlock({0})', DESTROY='pthread_spin_destroy({0})',
        TRYLOCK='pthread_spin_trylock({0}) == 0'),
    'mtx': MTX,
    'mtx-recursive': dict(MTX, INIT='mtx_init({0}, mtx_plain | mtx_recursive)',
                          kind='recursive-mutex'),
    'std-mutex': dict(CXX, header='#include <mutex>', type='std::mutex'),
    'std-mutex-static': dict(CXX, header='#include <mutex>', type='std::mutex', how='static',
                             INITIALIZER='{}'),
    'std-recursive': dict(CXX, header='#include <mutex>', type='std::recursive_mutex',
                          kind='recursive-mutex'),
    'std-shared': dict(CXX, header='#include <shared_mutex>', type='std::shared_mutex',
                       kind='rwlock', RDLOCK='{1}.lock_shared()', RDUNLOCK='{1}.unlock_shared()'),
}

STATEMENTS = ('INIT', 'LOCK', 'UNLOCK', 'DESTROY', 'RDLOCK', 'RDUNLOCK', 'TRYLOCK', 'TIMEDLOCK')


def language(kind):
    return KINDS[kind].get('language', 'c')


def defines(kind):
    """The one line on top of the program: what the kind offers."""
    row = KINDS[kind]
    how = row['how'].upper()
    lines = [row['header'], f'#define LOCKS_ARE_{how} 1']
    lines += [f'#define HAVE_{word} 1' for word in STATEMENTS if word in row]
    if 'setup' in row:
        lines.append(f'#define SETUP_ATTR(attr) {row["setup"]}')
    return '\n'.join(lines)


def expand(kind, text):
    row = KINDS[kind]

    def statement(match):
        word, argument = match.groups()
        if word not in row:
            return match.group(0)       # stands under #if HAVE_<word>
        return row[word].format(argument, re.sub(r'^&', '', argument))

    text = re.sub(r'\b(' + '|'.join(STATEMENTS) + r')\(([^()]*)\)', statement, text)
    text = re.sub(r'\bLOCKTYPE\b', row['type'], text)
    text = re.sub(r'\bINITIALIZER\b', row.get('INITIALIZER', '{}'), text)
    return text.replace('@KIND@', defines(kind))


def main(argv):
    if len(argv) == 2 and argv[1] == '--list':
        print('\n'.join(f'{name} {language(name)}' for name in KINDS))
        return 0
    if len(argv) != 4 or argv[1] not in KINDS:
        print(f'usage: kinds.py KIND TEMPLATE OUTPUT; kinds: {" ".join(KINDS)}', file=sys.stderr)
        return 2
    with open(argv[2], encoding='utf-8') as template:
        text = expand(argv[1], template.read())
    with open(argv[3], 'w', encoding='utf-8') as output:
        output.write(text)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv))

# SPDX-License-Identifier: Apache-2.0
"""Load for memcached and redis over loopback: every answer is checked."""
import random
import socket
import sys
import threading
import time


class WrongAnswer(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Connection:
    def __init__(self, port, deadline_s=30):
        end = time.monotonic() + deadline_s
        while True:
            try:
                self.socket = socket.create_connection(('127.0.0.1', port), timeout=30)
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)
        self.file = self.socket.makefile('rb')

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.file.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        line = self.file.readline()
        if not line.endswith(b'\r\n'):
            raise WrongAnswer(f'cut off: {line!r}')
        return line[:-2]

    def expect(self, *lines):
        for line in lines:
            answer = self.line()
            if answer != line:
                raise WrongAnswer(f'{answer!r}, not {line!r}')


def memcached_session(port, number, rounds):
    """One connection's own keys, checked, and a counter that all connections share."""
    chance = random.Random(number)
    with Connection(port) as server:
        for i in range(rounds):
            key = b'key-%d-%d' % (number, i % 50)
            value = bytes(chance.randrange(97, 123) for _ in range(chance.randrange(1, 2000)))
            server.send(b'set %s 0 0 %d\r\n%s\r\nget %s\r\nincr shared 1\r\n' %
                        (key, len(value), value, key))
            server.expect(b'STORED', b'VALUE %s 0 %d' % (key, len(value)), value, b'END')
            int(server.line())
            if i % 10 == 9:
                server.send(b'delete %s\r\nget %s\r\n' % (key, key))
                server.expect(b'DELETED', b'END')
            if i % 50 == 49:
                server.send(b'stats\r\nstats slabs\r\n')
                for _ in range(2):
                    while server.line() != b'END':
                        pass


def memcached(port, connections=8, rounds=400):
    with Connection(port) as server:
        server.send(b'set shared 0 0 1\r\n0\r\n')
        server.expect(b'STORED')
    in_parallel(memcached_session, [(port, n, rounds) for n in range(connections)])
    with Connection(port) as server:
        total = b'%d' % (connections * rounds)
        server.send(b'get shared\r\n')
        server.expect(b'VALUE shared 0 %d' % len(total), total, b'END')


def resp(*words):
    words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b'*%d\r\n' % len(words) + b''.join(b'$%d\r\n%s\r\n' % (len(w), w) for w in words)


def redis_session(port, number, rounds):
    with Connection(port) as server:
        for i in range(rounds):
            value = b'%d' % (i * number) * 100
            server.send(resp('SET', f'k{number}', value) + resp('GET', f'k{number}') +
                        resp('INCR', 'shared') + resp('LPUSH', f'l{number}', i))
            server.expect(b'+OK', b'$%d' % len(value), value)
            if not server.line().startswith(b':'):
                raise WrongAnswer('INCR gave no number')
            server.expect(b':%d' % (i + 1))


def redis(port, connections=8, rounds=50):
    in_parallel(redis_session, [(port, n, rounds) for n in range(connections)])
    with Connection(port) as server:
        total = b'%d' % (connections * rounds)
        server.send(resp('GET', 'shared'))
        server.expect(b'$%d' % len(total), total)


def redis_save(port, deadline_s=60):
    """A save by a forked child, waited for."""
    with Connection(port) as server:
        server.send(resp('LASTSAVE'))
        before = server.line()
        server.send(resp('BGSAVE'))
        server.expect(b'+Background saving started')
        end = time.monotonic() + deadline_s
        while time.monotonic() < end:
            server.send(resp('INFO', 'persistence'))
            size = int(server.line()[1:])
            text = server.file.read(size + 2)
            if b'rdb_bgsave_in_progress:0' in text:
                if b'rdb_last_bgsave_status:ok' not in text:
                    raise WrongAnswer('the save failed')
                return before
            time.sleep(0.05)
    raise WrongAnswer('the save did not end')


def in_parallel(function, argument_lists):
    errors = []

    def guarded(arguments):
        try:
            function(*arguments)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(a,)) for a in argument_lists]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def main(arguments):
    """clients.py memcached|redis PORT: put load on a server that is there; say what it was."""
    loads = {'memcached': memcached, 'redis': redis}
    if len(arguments) != 2 or arguments[0] not in loads:
        sys.exit(f'usage: clients.py {"|".join(loads)} PORT')
    start = time.monotonic()
    try:
        loads[arguments[0]](int(arguments[1]))
    except WrongAnswer as wrong:
        sys.exit(f'wrong answer: {wrong}')
    print(f'load: every answer was right, {time.monotonic() - start:.1f} s')


if __name__ == '__main__':
    main(sys.argv[1:])

# SPDX-License-Identifier: Apache-2.0
"""Python with threads: locks, conditions, queues, pools, timers, subprocesses. Prints results."""
import concurrent.futures
import hashlib
import queue
import subprocess
import sys
import threading
import zlib

results = {}
lock = threading.Lock()
nested = threading.RLock()
everyone = threading.Barrier(6)


def worker(number, source):
    everyone.wait()
    while (item := source.get()) is not None:
        digest = hashlib.sha256(zlib.compress(b'%d' % item * 1000)).hexdigest()
        with nested, lock:
            results[item] = digest[:8]
        source.task_done()
    source.task_done()


items = queue.Queue(maxsize=16)
threads = [threading.Thread(target=worker, args=(n, items)) for n in range(5)]
for thread in threads:
    thread.start()
everyone.wait()
for i in range(2000):
    items.put(i)
for thread in threads:
    items.put(None)
items.join()
for thread in threads:
    thread.join()
print(len(results), hashlib.sha256(repr(sorted(results.items())).encode()).hexdigest())

with concurrent.futures.ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(lambda n: n * n, range(5000))))
    runs = [pool.submit(subprocess.run, [sys.executable, '-c', f'print({n} * 2)'],
                        capture_output=True, text=True) for n in range(4)]
    print([int(run.result().stdout) for run in runs])

woken = threading.Event()
threading.Timer(0.05, woken.set).start()
print(woken.wait(20))

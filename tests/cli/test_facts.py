# SPDX-License-Identifier: Apache-2.0
"""Facts files: kept, merged, judged again, damaged."""
import glob
import json
import os
import random
import resource
import signal
import struct
import subprocess
import time
import unittest

from support import CommandTest, LOCKPROOF, PROG, child_of, environment, lockproof, main, start

PAGE = 4096
# offsets in struct lp_image
VERSION, LAYOUT, SIZE, NONCE, TAIL = 8, 12, 16, 40, 64


class Kept(CommandTest):
    def record(self, *args, status=None, facts="facts", env=None):
        """Run with --facts and -o; the report as JSON."""
        out = self.path("report.json")
        done = lockproof("run", "-o", out, "--format=json", f"--facts={self.path(facts)}", *args,
                         env=env)
        if status is not None:
            self.assertEqual(done.returncode, status, done.stderr)
        report = json.loads(self.read(out))
        os.unlink(out)
        return report

    def test_report_says_what_run_said(self):
        for args, status in [([PROG, "abba"], 66), ([PROG, "child", "abba"], 66),
                             (["sh", "-c", f"{PROG} abba; {PROG} abba; true"], 66),
                             (["true"], 0), ([PROG, "kill", "9"], 137)]:
            with self.subTest(args=args):
                report = self.record(*args, status=status)
                again = self.report(self.path("facts"), status=66 if status == 66 else 0)
                self.assertEqual(report, again)
                self.assertEqual(os.listdir(self.directory), ["facts"])

    def test_strict_can_be_asked_for_later(self):
        self.assertEqual(self.record(PROG, "possible", status=0)["findings"], [])
        strict = self.report("--strict", self.path("facts"))
        self.assertEqual(self.kinds(strict), [("circular-locking", "possible")])

    def test_deadlock_is_in_the_facts(self):
        report = self.record(PROG, "deadlock", status=66)
        self.assertEqual(self.kinds(report), [("circular-locking", "feasible"),
                                              ("deadlock", "actual")])
        self.assertEqual(self.report(self.path("facts")), report)

    def test_file_is_small_and_pages(self):
        self.record("sh", "-c", "true; true; sh -c true; true")
        size = os.path.getsize(self.path("facts"))
        self.assertEqual(size % PAGE, 0)
        self.assertLess(size, 1 << 20)
        report = self.report(self.path("facts"), status=0)
        self.assertGreaterEqual(report["summary"]["processes"], 2)

    def test_many_processes(self):
        script = "i=0; while [ $i -lt 60 ]; do /bin/true; i=$((i+1)); done"
        report = self.record("sh", "-c", script, status=0)
        # a shell that forks, not vforks, is a process more each time before it becomes /bin/true
        self.assertIn(report["summary"]["processes"], [1 + 60, 1 + 60 * 2])
        self.assertEqual(self.report(self.path("facts"), status=0), report)

    def test_overwrites_facts_and_leftovers_of_an_older_run(self):
        self.record(PROG, "abba")
        old = self.read(self.path("facts"))
        for n in [1, 2, 9]:
            self.write(f"facts.{n}", old)
        self.write("facts.3", "")
        report = self.record("sh", "-c", "true; true; exit 4", status=4)
        self.assertEqual(report["findings"], [])
        self.assertEqual(os.listdir(self.directory), ["facts"])
        self.report(self.path("facts"), status=0)

    def test_empty_file_may_be_overwritten(self):
        self.write("facts", "")
        self.record("true", status=0)
        self.report(self.path("facts"), status=0)

    def test_relative_path_and_chdir(self):
        done = lockproof("run", "--facts=facts", "sh", "-c", "cd /; sh -c true; true",
                         cwd=self.directory)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(os.listdir(self.directory), ["facts"])
        self.assertEqual(lockproof("report", "facts", cwd=self.directory).returncode, 0)

    def test_link_leads_to_the_file(self):
        self.record("true")
        os.rename(self.path("facts"), self.path("real"))
        os.symlink("real", self.path("facts"))
        self.record(PROG, "abba", status=66)
        self.assertTrue(os.path.islink(self.path("facts")))
        self.report(self.path("real"))

    def test_two_runs_do_not_share_a_file(self):
        facts = self.path("facts")
        process = start("run", f"--facts={facts}", "sh", "-c", "echo ready; read x; exit 0")
        self.wait_ready(process)
        self.check_error(lockproof("run", f"--facts={facts}", "true"),
                         "facts: another lockproof is writing to it")
        self.finish(process, 0)
        self.report(facts, status=0)

    def test_report_while_the_program_runs(self):
        facts = self.path("facts")
        process = start("run", f"--facts={facts}", PROG, "busy", "abba")
        self.wait_ready(process)
        for _ in range(5):
            kinds = self.kinds(self.report(facts))
            self.assertIn(("circular-locking", "feasible"), kinds)
            self.assertNotIn("deadlock", [kind for kind, _ in kinds])
        os.kill(child_of(process.pid), signal.SIGKILL)
        self.finish(process, 66)

    def test_orphans_go_on_unharmed(self):
        for facts in [[], [f"--facts={self.path('facts')}"]]:
            with self.subTest(facts=facts):
                marker = self.path("marker")
                done = lockproof("run", *facts, PROG, "orphan", marker)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("1 process of the program is still running", done.stderr)
                if facts:
                    self.report(self.path("facts"), status=0)
                for _ in range(600):
                    if os.path.exists(marker):
                        break
                    time.sleep(0.1)
                os.unlink(marker)

    def test_findings_of_exec_children_arise_while_the_program_runs(self):
        process = start("run", "sh", "-c", f"{PROG} abba; exec sleep 30")
        begin = time.monotonic()
        for line in process.stderr:
            if "WARNING" in line:
                break
        self.assertLess(time.monotonic() - begin, 20)
        process.terminate()
        self.finish(process, 66)


class Killed(CommandTest):
    def test_program_killed_at_any_moment(self):
        seed = int(os.environ.get("LOCKPROOF_TEST_SEED", random.randrange(1 << 32)))
        print(f"\nseed: LOCKPROOF_TEST_SEED={seed}")
        dice = random.Random(seed)
        facts = self.path("facts")
        for _ in range(10):
            process = start("run", f"--facts={facts}", PROG, "busy", "abba")
            self.wait_ready(process)
            time.sleep(dice.random() * 0.05)
            os.kill(child_of(process.pid), signal.SIGKILL)
            _, err = self.finish(process, 66)
            self.assertIn("lockproof: 1 finding (1 feasible)", err)
            self.assertEqual(self.kinds(self.report(facts)), [("circular-locking", "feasible")])

    def test_supervisor_killed(self):
        """The program goes on, and the facts are all there afterwards."""
        facts = self.path("facts")
        script = (f"echo ready; read x; {PROG} abba; echo between; {PROG} child abba; "
                  "echo end; exit 3")
        process = start("run", f"--facts={facts}", "sh", "-c", script)
        self.wait_ready(process)
        program = child_of(process.pid)
        process.kill()
        process.wait()
        process.stdin.write("\n")
        process.stdin.close()
        self.assertEqual(process.stdout.read(), "between\nchild exited 0\nend\n")
        self.assertEqual(process.stderr.read(), "")
        process.stdout.close()
        process.stderr.close()
        while os.path.exists(f"/proc/{program}"):
            time.sleep(0.01)
        self.assertGreater(len(glob.glob(facts + ".*")), 1)
        report = self.report(facts)
        self.assertEqual(self.kinds(report), [("circular-locking", "feasible")])
        self.assertGreaterEqual(report["summary"]["processes"], 4)

        # images of another run, or half made, are not its facts
        other = self.path("other")
        lockproof("run", "-q", f"--facts={other}", PROG, "deadlock")
        os.rename(other, facts + ".77")
        self.write("facts.78", bytes(PAGE))
        self.assertEqual(self.report(facts), report)


class Leftovers(CommandTest):
    """A supervisor that is killed cannot clean up; the next one does."""

    def name(self, number):
        return f"/dev/shm/lockproof-{(os.getpid() * 16 + number) & 0xffffff:06x}"

    def make(self, directory, pid=0, age=3600):
        """A private directory as a run has it, with the header of an image that `pid` claims."""
        os.mkdir(directory, 0o700)
        self.addCleanup(subprocess.run, ["rm", "-rf", directory])
        for n in ["facts", "facts.1", "facts.20"]:
            with open(f"{directory}/{n}", "wb") as file:
                header = bytearray(PAGE)
                header[:8] = b"LKFACTS1"
                struct.pack_into("<I", header, 48, pid)
                file.write(header)
        os.utime(directory, (time.time() - age, time.time() - age))
        return directory

    def test_gone(self):
        import fcntl
        alive = self.make(self.name(2), pid=os.getpid())
        young = self.make(self.name(3), age=0)
        other = self.make(self.name(4) + "e")
        locked = self.make(self.name(5))
        guest = self.make(self.name(6), age=0)
        with open(guest + "/document", "w"):
            pass
        os.utime(guest, (0, 0))
        os.symlink(self.directory, self.name(7))
        self.addCleanup(os.unlink, self.name(7))
        gone = [self.name(0), self.name(1)]
        with open(locked + "/facts") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.make(gone[0])
            self.make(gone[1], age=0)
            os.unlink(gone[1] + "/facts")
            os.utime(gone[1], (0, 0))
            self.assertEqual(lockproof("run", "true").returncode, 0)
            self.assertIn("facts.20", os.listdir(locked))
        self.assertEqual([path for path in gone if os.path.exists(path)], [])
        for path in [alive, young, other]:
            self.assertEqual(sorted(os.listdir(path)), ["facts", "facts.1", "facts.20"])
        self.assertEqual(os.listdir(guest), ["document"])
        self.assertTrue(os.path.islink(self.name(7)))


class Damaged(CommandTest):
    def setUp(self):
        super().setUp()
        self.facts = self.path("facts")
        done = lockproof("run", f"--facts={self.facts}", "sh", "-c", f"{PROG} abba; true")
        self.assertEqual(done.returncode, 66)
        self.bytes = self.read(self.facts)

    def refuse(self, content, *words):
        path = self.write("bad", content)
        out = self.write("out", "old")
        self.check_error(lockproof("report", "-o", out, path), path, *words)
        self.assertEqual(self.read(out), b"old")

    def patched(self, offset, form, value):
        content = bytearray(self.bytes)
        struct.pack_into(form, content, offset, value)
        return bytes(content)

    def test_names(self):
        self.check_error(lockproof("report", self.path("nosuch")), "nosuch: No such file")
        self.check_error(lockproof("report", self.directory), "is a directory")
        self.check_error(lockproof("report", "/dev/null"), "is not a regular file")
        os.mkfifo(self.path("fifo"))
        self.check_error(lockproof("report", self.path("fifo")), "is not a regular file")
        self.check_error(lockproof("report", PROG), "is not a facts file")

    def test_truncated_anywhere(self):
        sizes = {0, 1, 7, 8, 9, PAGE - 1, PAGE, PAGE + 1, len(self.bytes) - 1,
                 len(self.bytes) - PAGE}
        step = len(self.bytes) / 240
        sizes |= {int(i * step) for i in range(240)}
        sizes |= set(range(PAGE, len(self.bytes), PAGE))
        for size in sorted(sizes):
            with self.subTest(size=size):
                self.refuse(self.bytes[:size])

    def test_recording_that_was_cut(self):
        """As a killed supervisor leaves it: not trimmed, and then copied in part."""
        process = start("run", f"--facts={self.path('left')}", PROG, "busy", "abba")
        self.wait_ready(process)
        program = child_of(process.pid)
        process.kill()
        os.kill(program, signal.SIGKILL)
        self.finish(process)
        while os.path.exists(f"/proc/{program}"):
            time.sleep(0.01)
        with open(self.path("left"), "rb") as file:
            content = file.read(1 << 20)
        self.report(self.path("left"))
        tail = struct.unpack_from("<Q", content, TAIL)[0]
        for size in [tail - 1, tail, tail + PAGE, 1 << 20]:
            self.refuse(content[:size], "is truncated")

    def test_header(self):
        self.refuse(self.patched(0, "<B", 0), "is not a facts file")
        self.refuse(self.patched(VERSION, "<I", 7), "is version 7, this lockproof reads version 1")
        self.refuse(self.patched(LAYOUT, "<I", 7), "different build")
        self.refuse(self.patched(NONCE, "<I", 0), "damaged header")
        for tail in [0, 8, 4104, 1 << 62, (1 << 64) - 1]:
            self.refuse(self.patched(TAIL, "<Q", tail))

    def test_random_bytes(self):
        seed = int(os.environ.get("LOCKPROOF_TEST_SEED", random.randrange(1 << 32)))
        print(f"\nseed: LOCKPROOF_TEST_SEED={seed}")
        dice = random.Random(seed)
        for size in [1, 100, PAGE, 3 * PAGE + 5]:
            self.refuse(dice.randbytes(size), "is not a facts file")
        for _ in range(25):
            content = bytearray(self.bytes)
            for _ in range(dice.randrange(1, 40)):
                content[dice.randrange(PAGE, len(content))] = dice.randrange(256)
            path = self.write("bad", bytes(content))
            done = lockproof("report", path)
            self.assertIn(done.returncode, [0, 2, 66], done.stderr)
            if done.returncode == 2:
                self.check_error(done, path)

    def test_shrinks_while_it_is_read(self):
        """A mapped page that is gone must not end the command with a signal."""
        big = self.path("big")
        lockproof("run", "-q", f"--facts={big}", PROG, "fill", "1500")
        size = os.path.getsize(big)
        self.assertGreater(size, 1 << 20)
        for delay in [0, 0.002, 0.004, 0.008, 0.016]:
            copy = self.write("copy", self.read(big))
            process = start("report", copy)
            time.sleep(delay)
            os.truncate(copy, PAGE)
            out, err = self.finish(process)
            self.assertIn(process.returncode, [0, 2], err)


class Limits(CommandTest):
    """When recording cannot go on, the program does, and the report says when and why."""

    def run_limited(self, *args, prepare=None):
        done = lockproof("run", *args, preexec_fn=prepare)
        self.assertEqual(done.stdout, "filled\n", done.stderr)
        self.assertEqual(done.returncode, 3, done.stderr)
        return done

    def test_no_limit(self):
        done = self.run_limited(PROG, "fill", "1500")
        self.assertNotIn("stopped", done.stderr)

    def test_file_size(self):
        """As one who cannot raise the limit: for root there is none."""
        def limit(size):
            def prepare():
                resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
                if os.geteuid() == 0:
                    drop_resource_capability()
            return prepare
        facts = self.path("facts")
        for size, stops in [(64 << 20, False), (5 << 20, True), (1 << 20, True)]:
            done = self.run_limited(f"--facts={facts}", PROG, "fill", "6000",
                                    prepare=limit(size))
            if stops:
                self.assertRegex(done.stderr, r"\Alockproof: recording stopped at \d\d:\d\d:\d\d: "
                                 r"the space reserved for facts is used up")
                again = lockproof("report", facts)
                self.assertRegex(again.stdout, r"\Alockproof: recording stopped at ")
            else:
                self.assertNotIn("stopped", done.stderr)
        for size in [0, 4096, 512 << 10]:
            done = lockproof("run", PROG, "fill", "10", preexec_fn=limit(size))
            self.check_error(done, "no room for the facts", "File too large")

    def test_address_space(self):
        def prepare():
            resource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20))
        done = self.run_limited(PROG, "fill", "1500", prepare=prepare)
        self.assertNotIn("stopped", done.stderr)

    @unittest.skipIf(os.geteuid() != 0, "needs root to make a small file system")
    def test_full_file_system(self):
        where = self.path("small")
        os.mkdir(where)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", where],
                          stderr=subprocess.DEVNULL).returncode:
            self.skipTest("cannot mount")
        try:
            facts = os.path.join(where, "facts")
            done = self.run_limited(f"--facts={facts}", PROG, "fill", "1500")
            self.assertRegex(done.stderr, r"\Alockproof: recording stopped at \d\d:\d\d:\d\d: "
                             r"there is no space left for facts")
            self.assertIn("facts: stays in pieces, as it was recorded", done.stderr)
            self.assertRegex(lockproof("report", facts).stdout, r"\Alockproof: recording stopped")
            done = lockproof("run", f"--facts={where}/more", "true")
            self.check_error(done, "no room for the facts", "No space left on device")
            self.assertFalse(os.path.exists(f"{where}/more"))
        finally:
            subprocess.run(["umount", where], check=True)


def drop_resource_capability():
    """CAP_SYS_RESOURCE lets root go beyond hard limits: out of the bounding and all other sets."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(24, 24, 0, 0, 0)     # PR_CAPBSET_DROP, CAP_SYS_RESOURCE

    class Header(ctypes.Structure):
        _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]

    header, data = Header(0x20080522, 0), (ctypes.c_uint32 * 6)()
    libc.capget(ctypes.byref(header), data)
    for i in range(3):
        data[i] &= ~(1 << 24)
    libc.capset(ctypes.byref(header), data)


if __name__ == "__main__":
    main()

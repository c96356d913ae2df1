# SPDX-License-Identifier: Apache-2.0
"""A program that deadlocks is reported within a second and does not hang whoever waits for it."""
import json
import os
import signal
import time

from support import CommandTest, PROG, child_of, lockproof, main, start

# Twice the time that is promised: the tests share the machine with others.
SOON = 4.0


class Deadlock(CommandTest):
    def run_dead(self, *args, kinds=(("circular-locking", "feasible"), ("deadlock", "actual"))):
        out = self.path("report")
        begin = time.monotonic()
        done = lockproof("run", "-o", out, "--format=json", *args)
        took = time.monotonic() - begin
        report = json.loads(self.read(out))
        self.assertEqual(self.kinds(report), sorted(kinds))
        self.assertLess(took, SOON)
        return done, next(f for f in report["findings"] if f["kind"] == "deadlock")

    def functions(self, finding):
        return {frame["function"] for stack in finding["stacks"] for frame in stack["frames"]}

    def test_two_locks(self):
        done, finding = self.run_dead(PROG, "deadlock")
        self.assertEqual(done.returncode, 66)
        self.assertEqual(len({thread["tid"] for thread in finding["threads"]}), 2)
        self.assertLessEqual({"take_a_b", "take_b_a"}, self.functions(finding))

    def test_one_lock_twice(self):
        done, finding = self.run_dead(PROG, "self", kinds=[("recursive-locking", "feasible"),
                                                           ("deadlock", "actual")])
        self.assertEqual(done.returncode, 66)
        self.assertIn("do_self", self.functions(finding))

    def test_spinlocks(self):
        done, finding = self.run_dead(PROG, "spin")
        self.assertEqual(done.returncode, 66)
        self.assertLessEqual({"spin_a_b", "spin_b_a"}, self.functions(finding))

    def test_reader_queued_behind_a_writer(self):
        done, finding = self.run_dead(PROG, "queue")
        self.assertEqual(done.returncode, 66)
        self.assertLessEqual({"read_then_a", "do_queue"}, self.functions(finding))

    def test_end_of_a_condition_wait(self):
        done, finding = self.run_dead(PROG, "woken")
        self.assertEqual(done.returncode, 66)
        self.assertLessEqual({"wait_holding_a", "do_woken"}, self.functions(finding))

    def test_exit_status_of_the_program(self):
        for action, number in [("report", 6), ("abort", 6), ("kill", 9)]:
            done, _ = self.run_dead("--exit-code=0", f"--on-deadlock={action}", PROG, "deadlock")
            self.assertEqual(done.returncode, 128 + number)

    def test_program_that_ignores_sigabrt(self):
        done, _ = self.run_dead("--exit-code=0", PROG, "deadlock", "stubborn")
        self.assertEqual(done.returncode, 128 + 9)

    def test_only_the_deadlocked_process_ends(self):
        done, _ = self.run_dead("--exit-code=0", PROG, "child", "deadlock")
        self.assertEqual(done.stdout, "ready\nchild killed 6\n")
        self.assertEqual(done.returncode, 4)
        done, _ = self.run_dead("sh", "-c", f"{PROG} deadlock; echo next")
        self.assertEqual(done.stdout, "ready\nnext\n")

    def test_told_while_it_stands(self):
        """The report is there before the program is ended."""
        process = start("run", PROG, "deadlock", "stubborn")
        self.wait_ready(process)
        begin = time.monotonic()
        for line in process.stderr:
            if line.startswith("BUG: deadlock"):
                break
        self.assertLess(time.monotonic() - begin, SOON / 2)
        self.assertIsNone(process.poll())
        _, err = self.finish(process, 66)
        self.assertIn("2 findings (1 actual, 1 feasible)", err)

    def test_acts_before_it_tells(self):
        for action in ["abort", "kill"]:
            done = lockproof("run", f"--on-deadlock={action}", PROG, "deadlock")
            self.assertIn("BUG: deadlock", done.stderr)

    def test_waiting_is_no_deadlock(self):
        done = lockproof("run", PROG, "patient")
        self.assertEqual((done.returncode, done.stdout), (0, "done\n"), done.stderr)

    def test_stopped_program_is_no_deadlock(self):
        process = start("run", PROG, "busy")
        self.wait_ready(process)
        for _ in range(3):
            os.kill(child_of(process.pid), signal.SIGSTOP)
            time.sleep(0.7)
            os.kill(child_of(process.pid), signal.SIGCONT)
            time.sleep(0.1)
        os.kill(child_of(process.pid), signal.SIGKILL)
        _, err = self.finish(process, 128 + 9)
        self.assertNotIn("deadlock:", err)


class Cost(CommandTest):
    """The supervisor of many idle threads sleeps."""

    def cpu_seconds(self, pid):
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_ten_thousand_threads(self):
        process = start("run", PROG, "threads", "10000")
        if process.stdout.readline() != "ready\n":
            self.finish(process)
            self.skipTest("not so many threads here")
        time.sleep(3)
        before, begin = self.cpu_seconds(process.pid), time.monotonic()
        time.sleep(4)
        share = (self.cpu_seconds(process.pid) - before) / (time.monotonic() - begin)
        _, err = self.finish(process, 0)
        self.assertIn("10,001 threads", err)
        self.assertLess(share, 0.05)


if __name__ == "__main__":
    main()

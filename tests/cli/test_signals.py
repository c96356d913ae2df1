# SPDX-License-Identifier: Apache-2.0
"""Signals belong to the program: what is sent to the supervisor arrives there, once."""
import os
import pty
import signal
import subprocess
import sys
import time

from support import CommandTest, LOCKPROOF, PATIENCE, PROG, child_of, environment, main, start


class Forwarding(CommandTest):
    def expect(self, process, *lines):
        for line in lines:
            self.assertEqual(process.stdout.readline(), line + "\n")

    def finish_quietly(self, process):
        """Nothing else arrived."""
        out, err = self.finish(process, 0)
        self.assertEqual(out, "")

    def test_sent_signals_arrive(self):
        process = start("run", PROG, "signals")
        self.wait_ready(process)
        for number in [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1,
                       signal.SIGUSR2, signal.SIGTERM, signal.SIGALRM, signal.SIGWINCH,
                       signal.SIGURG, signal.SIGIO, signal.SIGABRT, signal.SIGPROF,
                       signal.SIGRTMIN, signal.SIGRTMAX]:
            process.send_signal(number)
            self.expect(process, f"{int(number)} 0")
        self.finish_quietly(process)

    def test_values_arrive(self):
        process = start("run", PROG, "signals")
        self.wait_ready(process)
        subprocess.run(["kill", "-s", "USR1", "-q", "4711", str(process.pid)], check=True)
        self.expect(process, f"{int(signal.SIGUSR1)} 4711")
        self.finish_quietly(process)

    def test_queued_signals_are_not_lost(self):
        process = start("run", PROG, "signals")
        self.wait_ready(process)
        for _ in range(50):
            process.send_signal(signal.SIGRTMIN + 3)
        self.expect(process, *[f"{signal.SIGRTMIN + 3} 0"] * 50)
        self.finish_quietly(process)

    def test_terminated_by_signal(self):
        process = start("run", "sleep", "60")
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        self.finish(process, 128 + signal.SIGTERM)

    def test_signals_of_the_program_do_not_come_back(self):
        process = start("run", PROG, "signals", str(int(signal.SIGUSR1)))
        self.wait_ready(process)
        time.sleep(0.3)
        self.finish_quietly(process)

    def test_signals_of_its_children_do_not_come_back(self):
        script = "trap 'echo back' USR1; sh -c 'kill -USR1 $1' x $PPID; sleep 0.3; echo end"
        process = start("run", "sh", "-c", script)
        out, _ = self.finish(process, 0)
        self.assertEqual(out, "end\n")

    def test_alarm_that_somebody_set_before(self):
        """alarm() outlives exec: whoever set it meant the program."""
        done = subprocess.run([sys.executable, "-c", "import os, signal, sys; signal.alarm(1);"
                               "os.execv(sys.argv[1], sys.argv[1:])", LOCKPROOF, "run", "sleep",
                               "60"], env=environment(), stderr=subprocess.DEVNULL,
                              timeout=PATIENCE)
        self.assertEqual(done.returncode, 128 + signal.SIGALRM)

    def test_ignored_hangup(self):
        process = start("run", "sleep", "0.5",
                        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        time.sleep(0.2)
        process.send_signal(signal.SIGHUP)
        self.finish(process, 0)

    def test_stopped_supervisor(self):
        process = start("run", PROG, "signals")
        self.wait_ready(process)
        process.send_signal(signal.SIGSTOP)
        os.kill(child_of(process.pid), signal.SIGUSR1)
        self.expect(process, f"{int(signal.SIGUSR1)} 0")    # the program runs on
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGUSR2)
        self.expect(process, f"{int(signal.SIGUSR2)} 0")
        self.finish_quietly(process)

    def test_stopped_program(self):
        process = start("run", PROG, "signals")
        self.wait_ready(process)
        os.kill(child_of(process.pid), signal.SIGSTOP)
        time.sleep(0.2)
        self.assertIsNone(process.poll())
        os.kill(child_of(process.pid), signal.SIGCONT)
        self.expect(process, f"{int(signal.SIGCONT)} 0")
        self.finish_quietly(process)


class Terminal(CommandTest):
    """A session leader on a terminal, as a shell would have it."""

    def run_on_terminal(self, keys):
        try:
            pid, master = pty.fork()
        except OSError as error:
            self.skipTest(f"no terminal to be had: {error}")
        if pid == 0:
            os.execve(LOCKPROOF, [LOCKPROOF, "run", "-q", PROG, "signals"], environment())
        self.addCleanup(os.close, master)
        text = self.read_until(master, b"ready")
        for key, answer in keys:
            os.write(master, key)
            text = self.read_until(master, answer)
            time.sleep(0.3)
        os.write(master, b"x\n")
        text = self.read_to_end(master)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), text

    def read_until(self, master, word):
        text = b""
        while word not in text:
            text += os.read(master, 4096)
        return text

    def read_to_end(self, master):
        text = b""
        try:
            while chunk := os.read(master, 4096):
                text += chunk
        except OSError:
            pass
        return text

    def test_interrupt_arrives_once(self):
        status, text = self.run_on_terminal([(b"\x03", b"2 0\r\n"), (b"\x1c", b"3 0\r\n")])
        self.assertEqual(status, 0)
        self.assertNotIn(b"2 0", text)
        self.assertNotIn(b"3 0", text)


if __name__ == "__main__":
    main()

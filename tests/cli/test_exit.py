# SPDX-License-Identifier: Apache-2.0
"""Exit statuses, what goes to which stream, and what the program inherits."""
import json
import os
import subprocess
import time

from support import (CommandTest, LOCKPROOF, PROG, environment, lockproof, main, start)


class Exit(CommandTest):
    def test_status_of_the_program(self):
        for code in [0, 1, 2, 66, 127, 255]:
            self.assertEqual(lockproof("run", "sh", "-c", f"exit {code}").returncode, code)

    def test_status_of_a_killed_program(self):
        for number in [1, 2, 3, 6, 9, 11, 14, 15, 40]:
            done = lockproof("run", PROG, "kill", str(number))
            self.assertEqual(done.returncode, 128 + number, done.stderr)

    def test_status_with_findings(self):
        for args, code in [
                (["run", PROG, "abba", "5"], 66), (["run", "--exit-code=7", PROG, "abba", "5"], 7),
                (["run", "--exit-code=0", PROG, "abba", "5"], 5), (["run", PROG, "possible"], 0),
                (["run", "--strict", PROG, "possible"], 66),
                (["run", "-o/dev/null", PROG, "abba"], 66)]:
            with self.subTest(args=args):
                self.assertEqual(lockproof(*args).returncode, code)

    def test_findings_arise_on_standard_error(self):
        done = lockproof("run", PROG, "abba")
        self.assertEqual(done.stdout, "")
        self.assertIn("possible circular locking dependency", done.stderr)
        self.assertRegex(done.stderr,
                         r"\n\nlockproof: 1 finding \(1 feasible\); 2 classes[^\n]*\n\Z")
        self.assertEqual(done.stderr.count("WARNING"), 1)

    def test_summary_counts_what_is_not_shown(self):
        done = lockproof("run", PROG, "possible")
        self.assertRegex(done.stderr, r"\Alockproof: no findings, 1 possible not shown [^\n]+\n\Z")
        done = lockproof("run", "--strict", PROG, "possible")
        self.assertRegex(done.stderr, r"\nlockproof: 1 finding \(1 possible\); [^\n]+\n\Z")

    def test_quiet(self):
        self.assertEqual(lockproof("run", "-q", PROG, "possible").stderr, "")
        self.assertIn("lockproof: 1 finding", lockproof("run", "-q", PROG, "abba").stderr)

    def test_json(self):
        done = lockproof("run", "--format=json", PROG, "abba")
        report = json.loads(done.stderr)
        self.assertEqual(self.kinds(report), [("circular-locking", "feasible")])
        self.assertIn("abba", report["program"])
        out = self.path("out.json")
        done = lockproof("run", "--format=json", "-o", out, PROG, "abba")
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertEqual(self.kinds(json.loads(self.read(out))), self.kinds(report))

    def test_private_directory_goes(self):
        for end in ["true", f"exec {PROG} kill 9", "true; true; exit 3"]:
            done = lockproof("run", "sh", "-c", f"echo $LOCKPROOF_FACTS; {end}")
            directory = os.path.dirname(done.stdout.strip())
            self.assertRegex(directory, r"/lockproof-\w{6}\Z")
            self.assertFalse(os.path.exists(directory))

    def test_color(self):
        for option, colored in [("always", True), ("never", False), ("auto", False)]:
            done = lockproof("run", f"--color={option}", PROG, "abba")
            self.assertEqual("\033[" in done.stderr, colored)

    def test_color_on_a_terminal(self):
        import pty
        for env, colored in [(environment(TERM="xterm", NO_COLOR=None), True),
                             (environment(TERM="dumb", NO_COLOR=None), False),
                             (environment(TERM="xterm", NO_COLOR="1"), False)]:
            try:
                master, slave = pty.openpty()
            except OSError as error:
                self.skipTest(f"no terminal to be had: {error}")
            process = subprocess.Popen([LOCKPROOF, "run", PROG, "abba"], stderr=slave, env=env)
            os.close(slave)
            text = b""
            try:
                while chunk := os.read(master, 4096):
                    text += chunk
            except OSError:
                pass
            os.close(master)
            self.assertEqual(process.wait(), 66)
            self.assertEqual(b"\033[" in text, colored)

    def test_program_that_never_loads_the_runtime(self):
        library = "/lib/x86_64-linux-gnu/libm.so.6"
        if not os.path.exists(library):
            self.skipTest(f"no {library}")
        done = lockproof("run", "true", env=environment(LOCKPROOF_LIB=library))
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"\Alockproof: nothing was recorded: [^\n]*\nlockproof: no")

    def test_child_that_clears_its_environment(self):
        done = lockproof("run", "env", "-i", "/bin/echo", "ran")
        self.assertEqual((done.returncode, done.stdout), (0, "ran\n"))
        self.assertIn("2 processes", done.stderr)

    def test_standard_error_that_does_not_take_it(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([LOCKPROOF, "run", PROG, "abba", "3"], stderr=full,
                                  stdout=subprocess.PIPE, env=environment())
        self.assertEqual(done.returncode, 66)
        process = start("run", PROG, "abba", "3")
        process.stderr.close()
        self.assertEqual(process.wait(), 66)
        process.stdin.close()
        process.stdout.close()

    def test_non_blocking_standard_error(self):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        process = subprocess.Popen([LOCKPROOF, "run", "sh", "-c", f"head -c 65000 /dev/zero >&2;"
                                    f"{PROG} abba"], stderr=writer, env=environment())
        os.close(writer)
        time.sleep(0.5)
        text = b""
        while chunk := os.read(reader, 65536):
            text += chunk
        os.close(reader)
        process.wait()
        self.assertIn(b"lockproof: 1 finding", text)


class Inherited(CommandTest):
    def ask(self, prefix, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([*prefix, PROG, "inherited"], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL, env=environment(), **options).stdout

    def compare(self, prefix=(), **options):
        bare = self.ask([*prefix], **options)
        self.assertIn("descriptor 1", bare)
        self.assertEqual(self.ask([*prefix, LOCKPROOF, "run", "-q", "--"], **options), bare)
        facts = f"--facts={self.path('facts')}"
        self.assertEqual(self.ask([*prefix, LOCKPROOF, "run", "-q", facts, "--"], **options), bare)

    def test_plain(self):
        self.compare()

    def test_closed_descriptors(self):
        self.compare(["sh", "-c", 'exec "$0" "$@" <&-'])
        self.compare(["sh", "-c", 'exec "$0" "$@" <&- 2>&-'])
        self.compare(["sh", "-c", 'exec "$0" "$@" 7</dev/null'])

    def test_ignored_signals(self):
        self.compare(["sh", "-c", 'trap "" HUP INT PIPE CHLD XFSZ BUS TERM; exec "$0" "$@"'])

    def test_blocked_signals(self):
        import signal

        def block():
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR1,
                                                      signal.SIGCHLD, signal.SIGBUS])
        self.compare(preexec_fn=block)

    def test_file_size_limit(self):
        self.compare(["sh", "-c", 'ulimit -S -f 4096; exec "$0" "$@"'])
        self.compare(["sh", "-c", 'ulimit -f 8192; exec "$0" "$@"'])

    def test_environment(self):
        script = "env | grep -v -e ^_= | sort"
        bare = subprocess.run(["sh", "-c", script], env=environment(), text=True,
                              stdout=subprocess.PIPE).stdout
        seen = lockproof("run", "-q", "sh", "-c", script).stdout
        ours = [line for line in seen.splitlines()
                if line.startswith(("LD_PRELOAD=", "LOCKPROOF_FACTS="))]
        self.assertEqual([line for line in seen.splitlines() if line not in ours],
                         bare.splitlines())
        self.assertEqual(len(ours), 2)
        self.assertRegex(ours[0], r"\ALD_PRELOAD=/[^: ]*/liblockproof\.so\Z")
        self.assertRegex(ours[1], r"\ALOCKPROOF_FACTS=/")

    def test_preload_list_is_kept(self):
        show = ["sh", "-c", "echo $LD_PRELOAD"]
        first = lockproof("run", "-q", *show).stdout.strip()
        for old, new in [("libm.so.6", f"{first}:libm.so.6"),
                         ("libm.so.6 libdl.so.2", f"{first}:libm.so.6:libdl.so.2"),
                         (first, first), (f"libm.so.6:{first}", f"{first}:libm.so.6")]:
            done = lockproof("run", "-q", *show, env=environment(LD_PRELOAD=old))
            self.assertEqual(done.stdout.strip(), new)

    def test_working_directory_and_name(self):
        done = lockproof("run", "-q", "sh", "-c", "pwd; echo $0", cwd=self.directory)
        self.assertEqual(done.stdout, f"{self.directory}\nsh\n")
        self.assertEqual(os.listdir(self.directory), [])

    def test_inside_itself(self):
        done = lockproof("run", "-q", LOCKPROOF, "run", PROG, "abba", "3")
        self.assertIn("1 feasible", done.stderr)
        self.assertEqual(done.returncode, 66)


if __name__ == "__main__":
    main()

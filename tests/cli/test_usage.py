# SPDX-License-Identifier: Apache-2.0
"""Wrong usage is one line and exit status 2; help and version are what they should be."""
import os
import subprocess

from support import CommandTest, LOCKPROOF, environment, lockproof, main


class Usage(CommandTest):
    def test_errors(self):
        marker = self.path("started")
        run = ["sh", "-c", f"touch {marker}"]
        for args, word in [
            ([], "no command"),
            (["frobnicate"], "unknown command 'frobnicate'"),
            (["check"], "no scenario given"),
            (["check", "--states=0", "x.litmus"], "must be a number from 1 on"),
            (["check", "--facts=x", "x.litmus"], "unknown option '--facts=x'"),
            (["check", "missing.litmus"], "missing.litmus: No such file"),
            (["--frobnicate"], "unknown option '--frobnicate'"),
            (["help", "frobnicate"], "unknown command 'frobnicate'"),
            (["help", "run", "report"], "one command"),
            (["help", "--frobnicate"], "unknown option '--frobnicate'"),
            (["run"], "no program"),
            (["run", "--"], "no program"),
            (["run", "--strict"], "no program"),
            (["run", "--frobnicate", *run], "unknown option '--frobnicate'"),
            (["run", "-x", *run], "unknown option '-x'"),
            (["run", "--strict=yes", *run], "no value belongs to option 'strict'"),
            (["run", "--suppressions=x", *run], "unknown option '--suppressions=x'"),
            (["run", "--format"], "no value after option 'format'"),
            (["run", "-o"], "no value after option 'output'"),
            (["run", "-o", "", *run], "names no file"),
            (["run", "--facts=", *run], "names no file"),
            (["run", "--format=xml", *run], "--format 'xml' must be text or json"),
            (["run", "--format=sarif", *run], "'sarif' is not available"),
            (["run", "--format=html", *run], "'html' is not available"),
            (["run", "--on-deadlock=pray", *run], "must be report, abort or kill"),
            (["run", "--color=blue", *run], "must be auto, always or never"),
            (["run", "--exit-code=256", *run], "0 to 255"),
            (["run", "--exit-code=-1", *run], "0 to 255"),
            (["run", "--exit-code=", *run], "0 to 255"),
            (["run", "--exit-code=1x", *run], "0 to 255"),
            (["run", "--exit-code= 1", *run], "0 to 255"),
            (["run", "--str", *run], "unknown option '--str'"),
            (["report"], "no facts file"),
            (["report", "a", "b"], "one facts file"),
            (["report", "--facts=a", "b"], "unknown option '--facts=a'"),
            (["report", "--on-deadlock=kill", "b"], "unknown option"),
        ]:
            with self.subTest(args=args):
                self.check_error(lockproof(*args), word)
        self.assertFalse(os.path.exists(marker))

    def test_names_cannot_forge_lines(self):
        done = lockproof("run", "./no\nlockproof: such\x1b[31m")
        self.check_error(done, "./no?lockproof: such?[31m")

    def test_very_long_name(self):
        self.check_error(lockproof("run", "./" + "x" * 100000), "xxx")

    def test_options_end_at_the_program(self):
        done = lockproof("run", "echo", "--strict", "-o", "--", "--help")
        self.assertEqual((done.returncode, done.stdout), (0, "--strict -o -- --help\n"))
        done = lockproof("run", "--strict", "--", "echo", "--", "-o")
        self.assertEqual((done.returncode, done.stdout), (0, "-- -o\n"))

    def test_spellings(self):
        out = self.path("out")
        for args in [["-o", out], ["-o" + out], ["--output", out], ["--output=" + out],
                     ["-qo", out], ["-qo" + out]]:
            with self.subTest(args=args):
                done = lockproof("run", *args, "true")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(b"no findings", self.read(out))
                self.write("out", "")

    def test_help(self):
        for args in [["help"], ["--help"], ["-h"]]:
            done = lockproof(*args)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for command in ["run", "report", "help"]:
                self.assertRegex(done.stdout, rf"(?m)^  {command} ")
        for args in [["help", "run"], ["run", "--help"], ["run", "-h", "true"]]:
            done = lockproof(*args)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("usage: lockproof run [options] [--] PROGRAM [ARGS]", done.stdout)
            for line in done.stdout.splitlines():
                self.assertLessEqual(len(line), 100)

    def test_version(self):
        for option in ["--version", "-V"]:
            done = lockproof(option)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, r"\Alockproof \d+\.\d+\.\d+\n\Z")

    def test_full_standard_output(self):
        for args in [["help"], ["help", "run"], ["--version"]]:
            with self.subTest(args=args), open("/dev/full", "w") as full:
                done = subprocess.run([LOCKPROOF, *args], stdout=full, stderr=subprocess.PIPE,
                                      text=True, env=environment())
                self.assertEqual(done.returncode, 2)
                self.assertRegex(done.stderr, r"\Alockproof: [^\n]+\n\Z")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""-o: the report appears as a whole or not at all."""
import os
import resource
import stat
import subprocess
import unittest

from support import CommandTest, LOCKPROOF, PATIENCE, PROG, environment, lockproof, main, start


class Output(CommandTest):
    def test_report_goes_to_the_file(self):
        out = self.path("out")
        done = lockproof("run", "-o", out, PROG, "abba")
        self.assertRegex(done.stderr, r"\Alockproof: 1 finding \(1 feasible\); [^\n]+\n\Z")
        text = self.read(out).decode()
        self.assertIn("possible circular locking dependency", text)
        self.assertIn(done.stderr, text)
        self.assertNotIn("\033", text)
        self.assertEqual(os.listdir(self.directory), ["out"])

    def test_rights_of_a_new_file(self):
        out = self.path("out")
        lockproof("run", "-o", out, "true", preexec_fn=lambda: os.umask(0o027))
        self.assertEqual(stat.S_IMODE(os.stat(out).st_mode), 0o640)

    def test_rights_of_an_old_file_stay(self):
        out = self.write("out", "old", 0o604)
        lockproof("run", "-o", out, "true")
        self.assertEqual(stat.S_IMODE(os.stat(out).st_mode), 0o604)
        self.assertIn(b"no findings", self.read(out))

    def test_old_report_stays_until_the_new_one_is_there(self):
        out = self.write("out", "old")
        process = start("run", "-o", out, "sh", "-c", "echo ready; ls; cat out; read x; exit 0",
                        cwd=self.directory)
        self.assertEqual([process.stdout.readline() for _ in range(2)], ["ready\n", "out\n"])
        self.assertEqual(process.stdout.read(3), "old")
        self.finish(process, 0)
        self.assertIn(b"no findings", self.read(out))

    def test_supervisor_killed(self):
        out = self.write("out", "old")
        process = start("run", "-o", out, "sh", "-c", "echo ready; read x; exit 0")
        self.wait_ready(process)
        process.kill()
        self.finish(process)
        self.assertEqual(self.read(out), b"old")
        self.assertEqual(os.listdir(self.directory), ["out"])

    def test_directory_that_goes_away(self):
        os.mkdir(self.path("dir"))
        done = lockproof("run", "-o", self.path("dir/out"), "rmdir", self.path("dir"))
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"\Alockproof: [^\n]*dir/out: No such file[^\n]*\n")

    @unittest.skipIf(os.geteuid() != 0, "needs root to make a small file system")
    def test_full_file_system(self):
        where = self.path("small")
        os.mkdir(where)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", where],
                          stderr=subprocess.DEVNULL).returncode:
            self.skipTest("cannot mount")
        try:
            out = os.path.join(where, "out")
            with open(out, "w") as file:
                file.write("old")
            filler = "dd if=/dev/zero of=$0/filler bs=1k count=100 2>/dev/null; true"
            done = lockproof("run", "-o", out, "sh", "-c", filler, where)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("out: No space left on device", done.stderr)
            self.assertEqual(self.read(out), b"old")
            self.assertEqual(sorted(os.listdir(where)), ["filler", "out"])
        finally:
            subprocess.run(["umount", where], check=True)

    def test_links_lead_to_the_file(self):
        os.mkdir(self.path("dir"))
        self.write("dir/real", "old")
        os.symlink("dir/real", self.path("link"))
        self.assertEqual(lockproof("run", "-o", self.path("link"), "true").returncode, 0)
        self.assertTrue(os.path.islink(self.path("link")))
        self.assertIn(b"no findings", self.read(self.path("dir/real")))
        self.assertEqual(os.listdir(self.path("dir")), ["real"])

    def test_devices_and_streams(self):
        self.assertEqual(lockproof("run", "-o", "/dev/null", "true").returncode, 0)
        done = lockproof("run", "-o", "/dev/stdout", PROG, "abba")
        self.assertIn("WARNING", done.stdout)
        shared = self.path("shared")
        with open(shared, "w") as file:
            subprocess.run([LOCKPROOF, "run", "-o", "/dev/stdout", "echo", "program"],
                           stdout=file, stderr=subprocess.DEVNULL, env=environment(), check=True)
        self.assertRegex(self.read(shared), rb"\Aprogram\nlockproof: no findings")
        with open(shared, "w") as file:
            subprocess.run([LOCKPROOF, "run", "-o", shared, "echo", "program"], stdout=file,
                           stderr=subprocess.DEVNULL, env=environment(), check=True)
        self.assertRegex(self.read(shared), rb"\Aprogram\nlockproof: no findings")

    def test_full_device(self):
        done = lockproof("run", "-o", "/dev/full", "true")
        self.assertEqual(done.returncode, 2)
        self.assertIn("/dev/full: No space left on device", done.stderr)

    def test_pipe(self):
        os.mkfifo(self.path("fifo"))
        reader = subprocess.Popen(["cat", self.path("fifo")], stdout=subprocess.PIPE)
        self.addCleanup(reader.kill)
        lockproof("run", "-o", self.path("fifo"), PROG, "abba")
        self.assertIn(b"WARNING", reader.communicate(timeout=PATIENCE)[0])

    def test_file_size_limit_of_the_program_is_not_ours(self):
        def limit():
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        out = self.path("out")
        done = lockproof("run", "-o", out, PROG, "abba", preexec_fn=limit)
        self.assertEqual(done.returncode, 66, done.stderr)
        self.assertIn(b"WARNING", self.read(out))

    def test_report_command(self):
        facts = self.path("facts")
        lockproof("run", "-q", f"--facts={facts}", PROG, "abba")
        done = lockproof("report", facts)
        self.assertEqual(done.returncode, 66)
        self.assertEqual(done.stderr, "")
        out = self.path("out")
        again = lockproof("report", facts, "-o", out)
        self.assertEqual((again.returncode, again.stdout, again.stderr), (66, "", ""))
        self.assertEqual(self.read(out).decode(), done.stdout)
        self.assertEqual(lockproof("report", "--exit-code=0", facts).returncode, 0)
        self.assertEqual(lockproof("report", "--exit-code=3", facts).returncode, 3)
        self.assertIn("\033[", lockproof("report", "--color=always", facts).stdout)
        self.check_error(lockproof("report", "-o", self.path("no/x"), facts), "No such file")
        with open("/dev/full", "w") as full:
            done = subprocess.run([LOCKPROOF, "report", facts], stdout=full, text=True,
                                  stderr=subprocess.PIPE, env=environment())
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"\Alockproof: standard output: [^\n]+\n\Z")


if __name__ == "__main__":
    main()

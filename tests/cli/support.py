# SPDX-License-Identifier: Apache-2.0
"""What the tests of the command share: running it, and looking at what came of it."""
import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

LOCKPROOF = os.environ["LOCKPROOF"]
PROG = os.environ["LOCKPROOF_TEST_PROG"]
STATIC = os.environ.get("LOCKPROOF_TEST_STATIC", "")
PATIENCE = 60  # seconds: more than anything here takes, on a loaded machine too


def environment(**changes):
    env = {k: v for k, v in os.environ.items() if not k.startswith("LOCKPROOF")}
    env.pop("LD_PRELOAD", None)
    env["LC_ALL"] = "C"
    for name, value in changes.items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = value
    return env


def lockproof(*args, env=None, **options):
    """Run the command to its end; .returncode, .stdout, .stderr as text."""
    options.setdefault("timeout", PATIENCE)
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([LOCKPROOF, *args], capture_output=True, text=True,
                          errors="surrogateescape", env=env or environment(), **options)


def start(*args, env=None, **options):
    options.setdefault("stdin", subprocess.PIPE)
    return subprocess.Popen([LOCKPROOF, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, env=env or environment(), **options)


def child_of(pid):
    """The only child of a process: the program under the supervisor."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return int(file.read().split()[0])


class CommandTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="lockproof-test-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, content, mode=0o644):
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, mode)
        return path

    def read(self, path):
        with open(path, "rb") as file:
            return file.read()

    def report(self, *args, status=66):
        """The JSON report of a facts file."""
        done = lockproof("report", "--format=json", *args)
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(done.stdout)

    def kinds(self, report):
        return sorted((f["kind"], f["level"]) for f in report["findings"])

    def check_error(self, done, *words):
        """One clear line, exit status 2."""
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Alockproof: [^\n]+\n\Z")
        for word in words:
            self.assertIn(word, done.stderr)

    def finish(self, process, status=None):
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        if status is not None:
            self.assertEqual(process.returncode, status, err)
        return out, err

    def wait_ready(self, process):
        self.assertEqual(process.stdout.readline(), "ready\n")


def main():
    unittest.main(verbosity=1, argv=sys.argv)

# SPDX-License-Identifier: Apache-2.0
"""lockproof check: exit status, errors with their place, text, JSON, limits, terminals."""
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import unittest

from support import CommandTest, LOCKPROOF, PATIENCE, environment, lockproof, main

MANUAL = os.path.join(sys.argv.pop(), "lockproof-scenario.5")

ABBA = """C abba
{ spinlock_t a = "&x->a", b; }
P0()
{
	spin_lock(&a);
	spin_lock(&b);	// second fs/x.c:7
	spin_unlock(&b);
	spin_unlock(&a);
}
P1()
{
	spin_lock(&b);
	spin_lock(&a);
	spin_unlock(&a);
	spin_unlock(&b);
}
expect circular-locking
"""
QUIET = """C quiet
{ spinlock_t a; }
P0() { spin_lock(&a); spin_unlock(&a); }
P1() { spin_lock(&a); spin_unlock(&a); }
expect none
"""


class Check(CommandTest):
    def check(self, *args, status=0, **options):
        done = lockproof("check", *args, **options)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def check_text(self, text, *args, status=0):
        return self.check(*args, self.write("x.litmus", text), status=status)

    def test_expectations(self):
        done = self.check_text(ABBA)
        self.assertIn("possible circular locking dependency", done.stdout)
        self.assertIn("second fs/x.c:7", done.stdout)
        self.assertIn("*** DEADLOCK ***", done.stdout)
        self.assertTrue(done.stdout.endswith("expect circular-locking: ok\n"))
        self.assertEqual(done.stderr, "")
        done = self.check_text(QUIET)
        self.assertIn("no findings", done.stdout)
        self.assertIn("no schedule deadlocks", done.stdout)

    def test_expectations_that_do_not_hold(self):
        for text, wrong in [(ABBA, "none"), (ABBA, "possible circular-locking"),
                            (ABBA, "recursive-locking"), (QUIET, "circular-locking"),
                            (QUIET, "possible circular-locking")]:
            text = re.sub("expect .*", "expect " + wrong, text)
            done = self.check_text(text, status=1)
            self.assertTrue(done.stdout.endswith(f"expect {wrong}: FAILED\n"), done.stdout)

    def test_several_expectations(self):
        self.check_text(ABBA + "expect possible recursive-locking\n", status=1)

    def test_names_of_inversions_stand_for_one_another(self):
        text = """C order
            { spinlock_t a, b; }
            P0() { spin_lock_irq(&a); spin_lock(&b); spin_unlock(&b); spin_unlock_irq(&a); }
            P1() { spin_lock(&b); spin_unlock(&b); }
            hardirq h() { spin_lock(&a); spin_unlock(&a); }
            expect """
        for kind in "irq-unsafe-lock-order", "irq-lock-inversion":
            self.check_text(text + kind)
        self.check_text(text + "inconsistent-lock-state", status=1)

    def test_errors_name_the_place(self):
        for text, place, words in [
            (ABBA.replace("spin_unlock(&a);", "spin_unlock(&c);", 1), "8:15", "c"),
            (ABBA.replace("spin_lock(&b);	//", "spin_lok(&b);	//"), "6:2", "spin_lock"),
            (ABBA.replace("expect circular", "expect cicular"), "17:8", "circular-locking"),
            ("", "1:1", "expected"),
        ]:
            with self.subTest(place=place):
                path = self.write("x.litmus", text)
                done = lockproof("check", path)
                self.check_error(done, f"{path}:{place}: ", words)

    def test_files_that_cannot_be_read(self):
        for path in self.path("missing"), self.directory, "":
            self.check_error(lockproof("check", path), "lockproof: " + path)

    def test_a_wrong_file_does_not_stop_the_others(self):
        good = self.write("good.litmus", QUIET)
        bad = self.write("bad.litmus", "C x\n{ mutex }\n")
        done = self.check(bad, good, "-q", status=2)
        self.assertEqual(done.stdout, f"ok     {good}: free\n")
        self.assertRegex(done.stderr, r"\Alockproof: [^\n]*bad.litmus:2:9: [^\n]+\n\Z")

    def test_quiet(self):
        abba, quiet = self.write("a.litmus", ABBA), self.write("q.litmus", QUIET)
        wrong = self.write("w.litmus", QUIET.replace("none", "circular-locking"))
        done = self.check("-q", abba, quiet, wrong, status=1)
        self.assertEqual(done.stdout, f"ok     {abba}: deadlock\nok     {quiet}: free\n"
                                      f"FAILED {wrong}: free\n")

    def test_standard_input(self):
        done = subprocess.run([LOCKPROOF, "check", "-"], input=ABBA, capture_output=True,
                              text=True, env=environment(), timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("-:17: expect circular-locking: ok", done.stdout)

    def test_json(self):
        abba, quiet = self.write("a.litmus", ABBA), self.write("q.litmus", QUIET)
        report = json.loads(self.check("--format=json", abba, quiet).stdout)
        self.assertEqual(report["format"], "lockproof-check/1")
        first, second = report["scenarios"]
        self.assertEqual((first["file"], first["name"], first["ok"]), (abba, "abba", True))
        self.assertEqual([(f["kind"], f["level"]) for f in first["findings"]],
                         [("circular-locking", "feasible")])
        self.assertEqual({lock["name"] for lock in first["findings"][0]["locks"]}, {"&x->a", "b"})
        self.assertEqual(first["exploration"]["verdict"], "deadlock")
        self.assertEqual([(s["cpu"], s["line"]) for s in first["exploration"]["stuck"]],
                         [("P0", 6), ("P1", 13)])
        self.assertTrue(all(s["text"].startswith("spin_lock")
                            for s in first["exploration"]["schedule"]))
        self.assertEqual(first["expectations"],
                         [{"text": "expect circular-locking", "line": 17, "holds": True}])
        self.assertEqual((second["findings"], second["exploration"]["verdict"]), ([], "free"))
        self.assertGreater(second["exploration"]["states"], 4)
        self.assertIsNone(second["note"])

    def test_strict_shows_and_changes_no_expectation(self):
        one = ABBA.replace("}\nP1()\n{\n", "").replace("expect ", "expect possible ")
        self.assertIn("1 possible not shown", self.check_text(one).stdout)
        done = self.check_text(one, "--strict")
        self.assertIn("level: possible", done.stdout)
        self.check_text(one.replace("expect possible circular-locking", "expect none"), "--strict")

    def test_finding_ids_are_stable(self):
        ids = set()
        for name in "a", "b":
            path = self.write(name + ".litmus", ABBA)
            report = json.loads(self.check("--format=json", path).stdout)
            ids.add(report["scenarios"][0]["findings"][0]["id"])
        self.assertEqual(len(ids), 1)

    def test_output_file(self):
        out, path = self.path("out"), self.write("x.litmus", ABBA)
        done = self.check("-o", out, path)
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        self.assertIn(b"circular-locking: ok", self.read(out))
        self.check_error(lockproof("check", "-o", path, path), path)
        self.assertEqual(self.read(path).decode(), ABBA)

    def test_bound_is_said(self):
        tasks = "".join(f"P{i}() {{ spin_lock(&a); spin_lock(&b); spin_unlock(&b); "
                        "spin_unlock(&a); }\n" for i in range(9))
        text = "C many\n{ spinlock_t a, b; }\n" + tasks + "expect none\n"
        self.assertIn("--states=N", self.check_text(text, "--states=10").stdout)
        self.assertNotIn("bound", self.check_text(text).stdout)

    def test_what_was_not_played_is_said(self):
        ways = "".join(f"if (*) mutex_lock(&m{i}); else mutex_init(&m{i});\n" for i in range(15))
        objects = ", ".join(f"m{i}" for i in range(15))
        text = f"C ways\n{{ mutex {objects}; }}\nP0() {{\n{ways}}}\nexpect none\n"
        path = self.write("ways.litmus", text)
        self.assertIn("not everything was played", self.check(path, status=1).stdout)
        self.assertIn("not everything was played", self.check("-q", path, status=1).stdout)
        one, = json.loads(self.check("--format=json", path, status=1).stdout)["scenarios"]
        self.assertEqual((one["cut"], one["ok"]), (True, False))

    def test_strange_file_names(self):
        good = self.write("good.litmus", ABBA)
        bad = os.path.join(os.path.dirname(good), os.fsdecode(b"\xff\x1b[31m.litmus"))
        shutil.copy(good, bad)
        for option in "-q", "--color=never":
            self.assertNotIn("\x1b", self.check(option, bad).stdout)
        scenarios = json.loads(self.check("--format=json", bad, good).stdout)["scenarios"]
        self.assertEqual([s["ok"] for s in scenarios], [True, True])

    def test_hostile_files(self):
        deep = "C x\n{ mutex a; }\nP0() {" + "{" * 100000 + "}" * 100000 + "}\nexpect none\n"
        line = "C x\n{ mutex a; } // " + "y" * (1 << 20) + "\nP0() { }\nexpect none\n"
        name = "C x\n{ mutex " + "y" * (1 << 20) + "; }\nP0() { }\nexpect none\n"
        self.check_text(line)
        for text in deep, name, os.urandom(1 << 20), b"\0" * 4096, "C x\n{" * 100000:
            path = self.write("x.litmus", text)
            self.check_error(lockproof("check", path), path + ":")

    def test_ten_thousand_tasks(self):
        tasks = "".join(f"P{i}() {{ spin_lock(&l{i % 20}); spin_unlock(&l{i % 20}); }}\n"
                        for i in range(10000))
        locks = ", ".join(f"l{i}" for i in range(20))
        done = self.check_text(f"C many\n{{ spinlock_t {locks}; }}\n{tasks}expect none\n", "-q",
                               "--states=2000")
        self.assertTrue(done.stdout.endswith(": bound\n"))

    def test_terminal(self):
        """Progress where somebody looks, and nothing of it in a pipe."""
        tasks = "".join(f"P{i}() {{ spin_lock(&l{i}); spin_unlock(&l{i}); }}\n"
                        for i in range(14))
        locks = ", ".join(f"l{i}" for i in range(14))
        gate = "".join(f"P{14 + i}() {{ spin_lock(&l{i}); spin_lock(&l{i + 1}); "
                       f"spin_unlock(&l{i + 1}); spin_unlock(&l{i}); }}\n" for i in range(12))
        path = self.write("x.litmus", f"C wide\n{{ spinlock_t {locks}; }}\n{tasks}{gate}"
                                      "expect none\n")
        self.assertEqual(self.check("-q", "--states=600000", path).stderr, "")
        master, slave = pty.openpty()
        done = subprocess.run([LOCKPROOF, "check", "-q", "--states=600000", path], stderr=slave,
                              stdout=subprocess.PIPE, env=environment(), timeout=PATIENCE)
        os.close(slave)
        seen = b""
        try:
            while chunk := os.read(master, 4096):
                seen += chunk
        except OSError:
            pass
        os.close(master)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(seen, rb"x\.litmus: \d+ states")
        self.assertTrue(seen.endswith(b"\r\033[K"))

    def test_full_device(self):
        path = self.write("x.litmus", QUIET)
        with open("/dev/full", "w") as full:
            done = subprocess.run([LOCKPROOF, "check", path], stdout=full, stderr=subprocess.PIPE,
                                  text=True, env=environment(), timeout=PATIENCE)
        self.assertEqual(done.returncode, 2)
        self.assertIn("standard output", done.stderr)

    def test_examples_of_the_manual(self):
        """Each complete scenario in the page does what its last lines say."""
        with open(MANUAL) as file:
            page = file.read().replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")
        examples = [e for e in re.findall(r"(?s)\.EX\n(.*?)\.EE", page)
                    if e.startswith("C ") and "\nexpect " in e]
        self.assertTrue(examples)
        for example in examples:
            with self.subTest(example=example.split("\n")[0]):
                self.check_text(example)


main()

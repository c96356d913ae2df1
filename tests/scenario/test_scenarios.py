#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All scenarios of the tree. Usage: test_scenarios.py LOCKPROOF DIRECTORY [TEST...]

Each file is checked: its expectations must hold, to the letter, and where engine and explorer speak
of the same thing they must agree. The files are teaching material too: each begins with what it
teaches, and each folder has both what is reported and the twin that is silent.
"""
import collections
import json
import os
import re
import subprocess
import sys
import unittest

LOCKPROOF, DIRECTORY = sys.argv[1:3]
del sys.argv[1:3]
BATCH = 64
PATIENCE = 600     # seconds for a batch
FILES_MIN = 150
SEED = "seed/io_uring-file_data"
DEADLOCKS = {"circular-locking", "recursive-locking", "inconsistent-lock-state",
             "irq-lock-inversion", "irq-unsafe-lock-order"}
# Who misuses a lock has left the machine that the explorer runs: it says nothing about him.
MISUSES = {"bad-unlock-balance", "held-lock-freed", "held-at-exit", "invalid-lock",
           "suspicious-rcu-usage"}
# One of these is called by what came last, a usage or an order; in a scenario nothing came last.
ALIKE = {"irq-unsafe-lock-order": "irq-lock-inversion"}
# Files whose deadlock the explorer and the engine need not agree about, and why.
OUTSIDE = {
    "wait/semaphore-two-places-three-tasks": "a semaphore with several places is never feasible",
    "misuse/assert-not-held-fails": "an assertion that fails has taken nothing yet",
}


def alike(kind):
    return ALIKE.get(kind, kind)


class Scenario:
    """What a file says about itself, read with other eyes than the parser's."""

    def __init__(self, path):
        self.path = path
        self.stem = os.path.relpath(path, DIRECTORY)[:-len(".litmus")]
        with open(path) as file:
            self.text = file.read()
        lines = re.findall(r"(?m)^expect (possible )?(\S+)$", self.text)
        self.shown = {alike(kind) for possible, kind in lines if not possible}
        self.possible = {alike(kind) for possible, kind in lines if possible}
        self.silent = self.shown == {"none"}

    def deadlocks(self):
        return bool(self.shown & DEADLOCKS)

    def exact(self):
        return not self.shown & MISUSES and self.stem not in OUTSIDE


def scenarios():
    found = [os.path.join(folder, name) for folder, _, names in os.walk(DIRECTORY)
             for name in names if name.endswith(".litmus")]
    return [Scenario(path) for path in sorted(found)]


def check(paths):
    done = subprocess.run([LOCKPROOF, "check", "--strict", "--format=json", *paths],
                          capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode not in (0, 1):
        sys.exit(f"lockproof check failed with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout)["scenarios"]


def disagreement(scenario, result):
    """Why the explorer's verdict does not fit the expectations; None: it does."""
    if not scenario.exact():
        return None
    wanted = "deadlock" if scenario.deadlocks() else "free"
    verdict = result["exploration"]["verdict"]
    if verdict == wanted:
        return None
    return f"{scenario.stem}: expects {sorted(scenario.shown | scenario.possible)}, " \
           f"explorer: {verdict}"


def broken(scenario, result):
    """Why an expectation does not hold to the letter; None: all do."""
    found = {True: set(), False: set()}
    for finding in result["findings"]:
        found[finding["level"] != "possible"].add(alike(finding["kind"]))
    wanted = scenario.shown - {"none"}
    exact = found[True] == wanted and found[False] >= scenario.possible
    if scenario.silent and found[False]:
        exact = False
    if result["ok"] and exact:
        return None
    names = ", ".join(f"{f['level']} {f['kind']}" for f in result["findings"]) or "none"
    return f"{scenario.stem}: expects {sorted(scenario.shown)} possible " \
           f"{sorted(scenario.possible)}, found {names}; explorer: " \
           f"{result['exploration']['verdict']}"


class Files(unittest.TestCase):
    """The files themselves."""

    def test_there_are_enough(self):
        files = scenarios()
        self.assertGreaterEqual(len(files), FILES_MIN)
        self.assertIn(SEED, [scenario.stem for scenario in files])

    def test_each_begins_with_what_it_teaches(self):
        for scenario in scenarios():
            comment = re.match(r"((?:// .*\n)+)C (\S+)\n", scenario.text)
            self.assertTrue(comment, scenario.stem)
            self.assertEqual(comment.group(2), os.path.basename(scenario.stem))
            self.assertRegex(comment.group(1), r"[.?]\n\Z", scenario.stem)
            self.assertGreater(len(comment.group(1).split()), 3, scenario.stem)

    def test_each_expects_something(self):
        for scenario in scenarios():
            self.assertTrue(scenario.shown | scenario.possible, scenario.stem)
            self.assertFalse("none" in scenario.shown and len(scenario.shown) > 1, scenario.stem)

    def test_silence_is_taught_as_much_as_noise(self):
        count = collections.Counter()
        for scenario in scenarios():
            count[os.path.dirname(scenario.stem), scenario.silent] += 1
        for folder in {folder for folder, _ in count}:
            self.assertGreater(count[folder, False], 0, f"{folder}: nothing is reported")
            twins = count[folder, True]
            if folder != "gate":  # a gate makes it harmless, but strict mode knows
                self.assertGreater(twins, 0, f"{folder}: no silent twin")
        self.assertGreater(sum(n for (_, silent), n in count.items() if silent), FILES_MIN / 2)


class Checked(unittest.TestCase):
    """What the command says about them."""
    maxDiff = None
    results = None

    @classmethod
    def setUpClass(cls):
        files = scenarios()
        cls.results = []
        for first in range(0, len(files), BATCH):
            batch = files[first:first + BATCH]
            results = check([scenario.path for scenario in batch])
            if len(results) != len(batch):
                raise AssertionError(f"{len(batch)} files, {len(results)} results")
            cls.results += zip(batch, results)

    def complain(self, reasons):
        reasons = [reason for reason in reasons if reason]
        if reasons:
            self.fail("\n" + "\n".join(reasons))

    def test_expectations_hold(self):
        self.complain(broken(*pair) for pair in self.results)

    def test_explorer_agrees(self):
        self.complain(disagreement(*pair) for pair in self.results)

    def texts(self, stem, kind):
        """The reports of that kind about a file."""
        return [finding["text"] for scenario, result in self.results if scenario.stem == stem
                for finding in result["findings"] if finding["kind"] == kind]

    def test_a_lock_that_is_not_alive_is_told_of_once(self):
        for name in ("use-after-destroy", "use-after-free", "use-before-init"):
            self.assertEqual(len(self.texts("misuse/" + name, "invalid-lock")), 1, name)

    def test_destroying_is_not_freeing(self):
        for name, words in ("destroy-held", "is destroying"), ("free-held", "is freeing"):
            texts = self.texts("misuse/" + name, "held-lock-freed")
            self.assertEqual(len(texts), 1, name)
            self.assertIn(words, texts[0])

    def test_results_are_of_their_files(self):
        for scenario, result in self.results:
            self.assertEqual(result["file"], scenario.path)
            self.assertEqual(result["name"], os.path.basename(scenario.stem))

    def test_tests_can_fail(self):
        scenario, result = next(pair for pair in self.results if pair[0].deadlocks())
        free = dict(result, exploration={"verdict": "free"}, ok=False)
        self.assertTrue(disagreement(scenario, free))
        self.assertTrue(broken(scenario, free))


if __name__ == "__main__":
    unittest.main(verbosity=1)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The kernel's own table of lock tests. Usage: test_selftest.py LOCKPROOF

Writes each case of selftest/selftest_cases.py as a scenario, lets `lockproof check --strict` judge
it, and prints the table as the kernel prints it at boot. `  ok  `: a case that must be reported has
a finding of a right kind; one that must not has none, and none of its schedules deadlocks. What
differs is listed with what was found and what the explorer says. Exit 0 when nothing differs.
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "selftest"))
import selftest_cases  # noqa: E402
from selftest_cases import COLUMNS, FAILURE  # noqa: E402

BATCH = 64        # files of one command line
PATIENCE = 300    # seconds for a batch
OK, DIFFERS = "  ok  ", "FAILED"
FIRST_PLACED, LAST_PLACED = 1, 13
RULE = "  " + "-" * 74
HEADINGS = {
    1: " " * 33 + "|" + "|".join(name.center(6) for name in COLUMNS),
    14: "  | Wound/wait tests |",
    15: "  | queued read lock tests |",
    16: "  | fs_reclaim tests |",
    17: "  | wait context tests |\n" + " " * 33 + "| rcu  | raw  | spin |mutex |",
    18: "  | local_lock tests |",
}


def check(lockproof, paths):
    """The JSON of one run over some files."""
    done = subprocess.run([lockproof, "check", "--strict", "--format=json", *paths],
                          capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode not in (0, 1):
        sys.exit(f"lockproof check failed with {done.returncode}:\n{done.stderr}")
    report = json.loads(done.stdout)
    if report["format"] != "lockproof-check/1":
        sys.exit(f"unknown format {report['format']}")
    return report["scenarios"]


def results_of(lockproof, cases):
    """{name: result} of all cases."""
    results = {}
    with tempfile.TemporaryDirectory(prefix="lockproof-selftest-") as directory:
        names = [case.name for case in cases]
        for case in cases:
            with open(os.path.join(directory, case.name + ".litmus"), "w") as file:
                file.write(case.text)
        for first in range(0, len(names), BATCH):
            paths = [os.path.join(directory, name + ".litmus")
                     for name in names[first:first + BATCH]]
            for scenario in check(lockproof, paths):
                results[os.path.basename(scenario["file"])[:-len(".litmus")]] = scenario
    return results


def judge(case, result):
    """OK or DIFFERS."""
    kinds = [finding["kind"] for finding in result["findings"]] if result else ["no result"]
    if case.verdict == FAILURE:
        return OK if set(kinds) & set(case.kinds) else DIFFERS
    if kinds or result["exploration"]["verdict"] == "deadlock":
        return DIFFERS
    return OK


def row_text(row, cells, placed):
    """One line of the table; cells is [(column, word)]."""
    if not placed:
        return f"{row:>33}|" + "".join(word + "|" for _, word in cells)
    words = dict(cells)
    last = max(COLUMNS.index(column) for column in words)
    return f"{row:>33}|" + "".join(words.get(column, " " * 6) + "|"
                                   for column in COLUMNS[:last + 1])


def print_table(cases, verdicts):
    group, row, cells = None, None, []
    for case in cases + [None]:
        if cells and (case is None or (case.group, case.row) != (group, row)):
            print(row_text(row, cells, FIRST_PLACED <= group <= LAST_PLACED))
            cells = []
        if case is None:
            return
        if case.group != group and case.group in HEADINGS:
            print(RULE)
            print(HEADINGS[case.group])
            print(RULE)
        group, row = case.group, case.row
        cells.append((case.column, verdicts[case.name]))


def describe(case, result):
    """What differs, in one line."""
    wanted = " or ".join(case.kinds) if case.verdict == FAILURE else "none"
    if not result:
        return f"{case.name}: expected {wanted}, found no result"
    found = ", ".join(f"{f['level']} {f['kind']}" for f in result["findings"]) or "none"
    explorer = result.get("exploration", {}).get("verdict", "not run")
    return f"{case.name}: expected {wanted}, found {found}; explorer: {explorer}"


def check_the_judge(cases):
    """A judge that cannot fail proves nothing."""
    finding = {"kind": "circular-locking", "level": "feasible"}
    case = next(case for case in cases if case.kinds == ("circular-locking",))
    silent = next(case for case in cases if case.verdict != FAILURE)
    assert judge(case, {"findings": [finding]}) == OK
    assert judge(case, {"findings": []}) == DIFFERS
    assert judge(case, {"findings": [dict(finding, kind="held-at-exit")]}) == DIFFERS
    assert judge(silent, {"findings": [finding]}) == DIFFERS
    assert judge(silent, {"findings": [], "exploration": {"verdict": "free"}}) == OK
    assert judge(silent, {"findings": [], "exploration": {"verdict": "deadlock"}}) == DIFFERS
    assert judge(silent, None) == judge(case, None) == DIFFERS


def main(lockproof):
    cases = selftest_cases.cases()
    check_the_judge(cases)
    results = results_of(lockproof, cases)
    verdicts = {case.name: judge(case, results.get(case.name)) for case in cases}
    print("Locking API testsuite:")
    print_table(cases, verdicts)
    print(RULE)
    differing = [case for case in cases if verdicts[case.name] == DIFFERS]
    for case in differing:
        print(describe(case, results.get(case.name)))
    passed = sum(verdict == OK for verdict in verdicts.values())
    if differing:
        print(f"{len(differing)} of {len(cases)} testcases differ from the kernel's verdict.")
    else:
        print(f"Good, all {passed} testcases passed!")
    return 1 if differing else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))

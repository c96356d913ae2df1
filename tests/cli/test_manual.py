# SPDX-License-Identifier: Apache-2.0
"""Help, manual and option tables say the same. Usage: test_manual.py MAN_DIRECTORY [TEST...]"""
import os
import re
import shutil
import subprocess
import sys
import unittest

from support import CommandTest, lockproof, main

MAN = sys.argv.pop(1)


def without_markup(text):
    """The words of a page: escapes undone, fonts and macros gone."""
    text = re.sub(r'(?m)^\.\\".*\n', "", text)
    text = re.sub(r"\\f[BIRP]", "", text)
    return text.replace("\\-", "-").replace("\\&", "")


def page(command):
    name = "lockproof" if command is None else f"lockproof-{command}"
    with open(os.path.join(MAN, name + ".1")) as file:
        return without_markup(file.read())


def options_of(text):
    """{(name, value)} as `help` lists them."""
    return set(re.findall(r"(?m)^  (?:-\w, |    )--([a-z-]+)(?:=(\S+))?", text))


def options_in_page(text):
    """{name} of the tagged paragraphs of a page's OPTIONS section."""
    section = text.split(".SH OPTIONS")[1].split("\n.SH ")[0]
    return set(re.findall(r"(?m)^\.TP\n\.\w+ .*?--([a-z-]+)", section))


class Manual(CommandTest):
    def commands(self):
        text = lockproof("help").stdout
        return re.findall(r"(?m)^  (\w+) ", text.split("commands:")[1].split("\n\n")[0])

    def test_commands_are_in_the_overview_page(self):
        self.assertEqual(self.commands(), re.findall(r"(?m)^\.TP\n\.\w+ \"?(\w+)",
                         page(None).split(".SH COMMANDS")[1].split("\n.SH ")[0]))

    def test_options(self):
        for command in self.commands():
            if command == "help":
                continue
            with self.subTest(command=command):
                listed = options_of(lockproof("help", command).stdout)
                self.assertIn(("help", ""), listed)
                text = page(command)
                self.assertEqual({name for name, _ in listed}, options_in_page(text))
                for name, value in listed:
                    words = re.split(r"\|", value) if value else []
                    for word in words:
                        self.assertIn(word, text.split(".SH OPTIONS")[1])

    def test_every_option_in_help_is_taken(self):
        """What help lists, the parser knows."""
        values = {"FILE": self.path("x"), "N": "3"}
        for command in ["run", "report"]:
            for name, value in options_of(lockproof("help", command).stdout):
                for word in value.split("|") if value else [""]:
                    option = f"--{name}" + (f"={values.get(word, word)}" if value else "")
                    done = lockproof(command, option)
                    self.assertNotIn("unknown option", done.stderr)
                    self.assertNotIn("must be", done.stderr)

    def test_tests_can_fail(self):
        text = page("run").replace("--strict", "--lenient")
        listed = options_of(lockproof("help", "run").stdout)
        self.assertNotEqual({name for name, _ in listed}, options_in_page(text))

    @unittest.skipUnless(shutil.which("groff"), "no groff")
    def test_pages_are_clean(self):
        for name in sorted(os.listdir(MAN)):
            done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", os.path.join(MAN, name)],
                                  capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Programs that cannot be validated: one line, exit status 2, nothing started or written."""
import os
import shutil
import struct
import unittest

from support import CommandTest, PROG, STATIC, environment, lockproof, main

EM_386, EM_AARCH64, EM_S390, EM_X86_64 = 3, 183, 22, 62


class BadPrograms(CommandTest):
    def refuse(self, program, *words, env=None):
        """Also: an old facts file and an old report stay as they are."""
        facts = self.write("facts", b"LKFACTS1 pretends to be one")
        report = self.write("report", b"old")
        before = sorted(os.listdir(self.directory))
        done = lockproof("run", f"--facts={facts}", "-o", report, "--", program, env=env)
        self.check_error(done, *words)
        self.assertEqual(self.read(facts), b"LKFACTS1 pretends to be one")
        self.assertEqual(self.read(report), b"old")
        self.assertEqual(sorted(os.listdir(self.directory)), before)

    def elf(self, name, patch=None, mode=0o755):
        """A copy of a real program, changed."""
        content = bytearray(self.read(PROG))
        if patch:
            patch(content)
        return self.write(name, bytes(content), mode)

    def test_missing(self):
        self.refuse("./nosuch", "./nosuch: no such file")
        self.refuse("nosuch-program", "nosuch-program: no such program in PATH")
        self.refuse("", "no such")
        self.refuse(self.path("nosuch/x"), "no such file")
        self.refuse(PROG + "/x", "Not a directory")
        self.refuse("true", "no such program in PATH", env=environment(PATH="/nosuch:"))

    def test_loop_of_links(self):
        os.symlink("loop", self.path("loop"))
        self.refuse(self.path("loop"), "symbolic links")

    def test_directory(self):
        self.refuse(self.directory, "is a directory")
        os.mkdir(self.path("dir"))
        self.refuse("dir", "is a directory", env=environment(PATH=self.directory))

    def test_not_executable(self):
        self.refuse(self.elf("plain", mode=0o644), "plain: is not an executable file")
        self.refuse("plain", "not an executable", env=environment(PATH=self.directory))
        os.mkfifo(self.path("fifo"), 0o755)
        self.refuse(self.path("fifo"), "not an executable")

    def test_path_goes_on_after_what_cannot_run(self):
        self.write("echo", "no", 0o644)
        done = lockproof("run", "-q", "echo", "yes",
                         env=environment(PATH=self.directory + ":/usr/bin:/bin"))
        self.assertEqual((done.returncode, done.stdout), (0, "yes\n"))

    def test_empty_path_element_is_here(self):
        self.elf("prog-here")
        done = lockproof("run", "-q", "prog-here", "abba", env=environment(PATH="/nosuch::/x"),
                         cwd=self.directory)
        self.assertEqual(done.returncode, 66, done.stderr)

    @unittest.skipUnless(STATIC, "no static C library")
    def test_static(self):
        for program in STATIC.split(":"):
            with self.subTest(program=program):
                self.refuse(program, "is statically linked")

    def test_set_user_id(self):
        self.refuse(self.elf("setuid", mode=0o4755), "setuid: is set-user-ID")
        self.refuse(self.elf("setgid", mode=0o2755), "setgid: is set-group-ID")

    def test_capabilities(self):
        program = self.elf("capable")
        # version 2, CAP_NET_RAW permitted and effective
        value = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)
        try:
            os.setxattr(program, "security.capability", value)
        except OSError as error:
            self.skipTest(f"no file capabilities here: {error}")
        self.refuse(program, "has file capabilities")

    def test_other_machines(self):
        def machine(number, bits=2):
            def patch(content):
                content[4] = bits
                struct.pack_into("<H", content, 18, number)
            return patch

        self.refuse(self.elf("arm", machine(EM_AARCH64)), "is a program for AArch64")
        self.refuse(self.elf("old", machine(EM_386, 1)), "is a program for i386")
        self.refuse(self.elf("x32", machine(EM_X86_64, 1)), "is a program for x32")
        self.refuse(self.elf("odd", machine(0x1234)), "is a program for another architecture")

        def big_endian(content):
            content[5] = 2
        self.refuse(self.elf("big", big_endian), "big-endian")

    def test_other_c_library(self):
        def patch(content):
            at = content.index(b"/lib64/ld-linux-x86-64.so.2\0")
            name = b"/lib/ld-musl-x86_64.so.1\0"
            content[at:at + len(name)] = name
            content[at + len(name):at + 28] = bytes(28 - len(name))
        self.refuse(self.elf("musl", patch),
                    "uses the C library of /lib/ld-musl-x86_64.so.1, Lockproof supports glibc")

        def gone(content):
            at = content.index(b"/lib64/ld-linux-x86-64.so.2\0")
            content[at:at + 28] = b"/nosuc/ld-linux-x86-64.so.2\0"
        self.refuse(self.elf("gone", gone), "dynamic loader /nosuc/ld-linux-x86-64.so.2")

    def test_damaged(self):
        whole = self.read(PROG)
        for size in [4, 17, 63, 64, 100, 0x200]:
            with self.subTest(size=size):
                self.refuse(self.write("cut", whole[:size], 0o755), "is a damaged program file")

        def headers(content):
            struct.pack_into("<H", content, 56, 65535)
        self.refuse(self.elf("headers", headers), "is a damaged program file")

        def objectfile(content):
            struct.pack_into("<H", content, 16, 1)
        self.refuse(self.elf("object", objectfile), "is an object file")

    def test_neither(self):
        for content in [b"", b"#", b"echo hello\n", b"\x7fEL", bytes(300)]:
            with self.subTest(content=content):
                self.refuse(self.write("text", content, 0o755), "is neither a program nor a script")

    def test_scripts(self):
        cases = [
            ("#!/nosuch/sh\n", "its interpreter /nosuch/sh does not exist"),
            ("#! /nosuch/sh -e\n", "its interpreter /nosuch/sh does not exist"),
            ("#!/bin/sh\r\n", "its interpreter /bin/sh? does not exist"),
            ("#!\n", "names no interpreter"),
            ("#!/tmp\n", "its interpreter /tmp is a directory"),
            (f"#!{self.write('data', 'x')}\n", "data is not an executable file"),
            (f"#!{self.elf('suid', mode=0o4755)}\n", "suid is set-user-ID"),
            ("#!/usr/bin/env nosuch-program\n", "its interpreter nosuch-program does not exist"),
            ("#!/usr/bin/env -S A=b nosuch-program -x\n", "nosuch-program does not exist"),
            (f"#!/usr/bin/env {self.path('suid')}\n", "suid is set-user-ID"),
        ]
        if STATIC:
            cases.append((f"#!{STATIC.split(':')[0]}\n", "is statically linked"))
        for content, word in cases:
            with self.subTest(content=content):
                self.refuse(self.write("script", content, 0o755), "script: ", word)

    def test_scripts_of_scripts(self):
        self.write("s0", "#!/bin/sh\necho \"$#\"\n", 0o755)
        for i in range(1, 6):
            self.write(f"s{i}", f"#!{self.path(f's{i - 1}')}\n", 0o755)
        done = lockproof("run", "-q", self.path("s3"))
        self.assertEqual((done.returncode, done.stdout), (0, "3\n"))
        self.refuse(self.path("s5"), "too many levels")
        self.write("self", f"#!{self.path('self')}\n", 0o755)
        self.refuse(self.path("self"), "too many levels")

    def test_good_scripts(self):
        for first in ["#!/bin/sh", "#! /bin/sh", "#!/usr/bin/env sh", "#!/usr/bin/env -S sh -e"]:
            with self.subTest(first=first):
                script = self.write("good", first + "\necho ran\n", 0o755)
                done = lockproof("run", "-q", script)
                self.assertEqual((done.returncode, done.stdout), (0, "ran\n"), done.stderr)

    def test_runtime(self):
        self.check_error(lockproof("run", "true", env=environment(LOCKPROOF_LIB="/nosuch/lib.so")),
                         "/nosuch/lib.so")
        os.mkdir(self.path("a b"))
        library = self.path("a b/liblockproof.so")
        self.write("a b/liblockproof.so", "")
        self.check_error(lockproof("run", "true", env=environment(LOCKPROOF_LIB=library)),
                         "blank or colon")

    def test_command_without_its_library(self):
        from support import LOCKPROOF
        import subprocess
        alone = shutil.copy(LOCKPROOF, self.path("lockproof"))
        done = subprocess.run([alone, "run", "true"], capture_output=True, text=True,
                              env=environment())
        self.check_error(done, "liblockproof.so", "LOCKPROOF_LIB")

    def test_exec_fails_after_all(self):
        """What only the kernel knows: somebody has the program open for writing."""
        old = b"LKFACTS1 pretends to be one"
        facts = self.write("facts", old)
        self.write("facts.7", old)
        program = self.elf("busy")
        with open(program, "ab"):
            done = lockproof("run", f"--facts={facts}", program)
        self.check_error(done, "busy: cannot be executed: Text file busy")
        self.assertEqual(self.read(facts), old)
        self.assertEqual(self.read(facts + ".7"), old)
        self.assertEqual(sorted(os.listdir(self.directory)), ["busy", "facts", "facts.7"])


class BadFiles(CommandTest):
    """Files that cannot be written are found before the program starts."""

    def refuse(self, option, *words):
        marker = self.path("started")
        self.check_error(lockproof("run", option, "sh", "-c", f"touch {marker}"), *words)
        self.assertFalse(os.path.exists(marker))

    def test_output(self):
        self.refuse(f"--output={self.path('no/dir')}", "No such file or directory")
        self.refuse(f"--output={self.directory}", "Is a directory")
        self.refuse(f"--output={self.path('new')}/", "Is a directory")
        self.refuse(f"--output={self.write('file', '')}/x", "Not a directory")
        self.refuse("--output=/proc/version/x", "Not a directory")
        self.refuse("--output=/proc/nosuch")

    def test_facts(self):
        text = self.write("text", "not facts at all\n")
        self.refuse(f"--facts={text}", "text: exists and is not a facts file")
        self.assertEqual(self.read(text), b"not facts at all\n")
        short = self.write("short", "abc")
        self.refuse(f"--facts={short}", "not a facts file")
        self.refuse(f"--facts={self.directory}", "not a regular file")
        self.refuse("--facts=/dev/null", "not a regular file")
        os.mkfifo(self.path("fifo"))
        self.refuse(f"--facts={self.path('fifo')}", "not a regular file")
        self.refuse(f"--facts={self.path('no/dir')}", "No such file or directory")
        self.refuse(f"--facts={self.path('x' * 300)}", "File name too long")
        self.refuse(f"--facts={self.path('new')}/", "irectory")

    def test_facts_sibling_in_the_way(self):
        other = self.write("f.12", "somebody else's\n")
        self.refuse(f"--facts={self.path('f')}", "f.12: exists and is not a facts file")
        self.assertEqual(self.read(other), b"somebody else's\n")
        self.assertEqual(os.listdir(self.directory), ["f.12"])

    def test_names_that_only_look_like_siblings(self):
        for name in ["f.x", "f.1x", "f.", "f.01", "f.99999999999", "ff.1"]:
            self.write(name, "other")
        done = lockproof("run", f"--facts={self.path('f')}", "sh", "-c", "true")
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ["f.x", "f.1x", "f.", "f.01", "f.99999999999", "ff.1"]:
            self.assertEqual(self.read(self.path(name)), b"other")

    def test_report_over_what_it_is_about(self):
        program = self.write("program", self.read(PROG), 0o755)
        facts = self.path("facts")
        for args in [["run", "-o", program, program, "abba"],
                     ["run", "-o", facts, f"--facts={self.directory}/./facts", PROG, "abba"]]:
            self.check_error(lockproof(*args), "so it cannot take the report")
        self.assertEqual(self.read(program), self.read(PROG))
        self.assertFalse(os.path.exists(facts))
        lockproof("run", f"--facts={facts}", PROG, "abba")
        before = self.read(facts)
        self.check_error(lockproof("report", "-o", facts, facts), "so it cannot take the report")
        self.assertEqual(self.read(facts), before)

    @unittest.skipIf(os.geteuid() != 0, "needs root to become somebody else")
    def test_rights(self):
        """As a user without rights: files of others are not writable."""
        import shutil
        import subprocess
        from support import LOCKPROOF
        os.chmod(self.directory, 0o777)
        # a copy: the build tree may be closed to others
        command = shutil.copy(LOCKPROOF, self.path("lockproof"))
        library = shutil.copy(os.path.join(os.path.dirname(LOCKPROOF),
                                           "../runtime/liblockproof.so"), self.directory)
        variables = dict(environment(), LOCKPROOF_LIB=library)
        locked = self.path("locked")
        os.mkdir(locked, 0o755)
        theirs = self.write("theirs", "", 0o644)
        unreadable = self.write("unreadable", self.read(PROG), 0o711)
        marker = self.path("started")
        for option, program, word in [
                (f"-o{locked}/x", "true", "Permission denied"),
                (f"-o{theirs}", "true", "Permission denied"),
                (f"--facts={theirs}", "true", "Permission denied"),
                (f"--facts={locked}/x", "true", "Permission denied"),
                ("-q", unreadable, "cannot be read, so it cannot be checked")]:
            with self.subTest(option=option):
                done = subprocess.run([command, "run", option, program], text=True,
                                      capture_output=True, env=variables, user=65534,
                                      group=65534, extra_groups=[], cwd="/")
                self.check_error(done, word)
        self.assertFalse(os.path.exists(marker))


if __name__ == "__main__":
    main()

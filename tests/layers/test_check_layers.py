#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_layers.py finds what it is there to find, and nothing else."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check_layers


class Layers(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory(prefix='lp-layers-')
        self.root = pathlib.Path(self.dir.name)
        for header in ('base/hash.h', 'facts/layout.h', 'facts/writer.h', 'facts/model.h',
                       'track/track.h', 'engine/engine.h', 'render/report.h',
                       'symbolize/symbolize.h', 'cli/options.h', 'runtime/state.h',
                       'store/store.h'):
            self.write('src/' + header, '/* a header */\n')

    def tearDown(self):
        self.dir.cleanup()

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def problems(self, name, text):
        self.write(name, text)
        return check_layers.check(self.root)

    def assert_refused(self, name, text, line=1, count=1):
        problems = self.problems(name, text)
        self.assertEqual(len(problems), count, problems)
        self.assertTrue(problems[0].startswith(f'{name}:{line}:'), problems)

    def test_clean_tree_has_no_problem(self):
        self.assertEqual(check_layers.check(self.root), [])

    def test_what_the_table_allows(self):
        for name, include in (
                ('src/facts/a.c', 'base/hash.h'), ('src/track/a.c', 'facts/writer.h'),
                ('src/runtime/a.c', 'track/track.h'), ('src/runtime/b.c', 'runtime/state.h'),
                ('src/engine/a.c', 'facts/model.h'), ('src/cli/a.c', 'symbolize/symbolize.h'),
                ('src/cli/b.c', 'render/report.h'), ('src/store/a.c', 'engine/engine.h')):
            self.assertEqual(self.problems(name, f'#include "{include}"\n'), [])

    def test_what_the_table_forbids(self):
        for name, include in (
                ('src/base/a.c', 'facts/layout.h'), ('src/facts/a.c', 'engine/engine.h'),
                ('src/engine/a.c', 'render/report.h'), ('src/engine/a.c', 'runtime/state.h'),
                ('src/render/a.c', 'symbolize/symbolize.h'), ('src/render/a.c', 'facts/model.h'),
                ('src/symbolize/a.c', 'render/report.h'), ('src/store/a.c', 'render/report.h'),
                ('src/runtime/a.c', 'engine/engine.h'), ('src/runtime/a.c', 'cli/options.h'),
                ('src/engine/a.c', 'cli/options.h'), ('src/runtime/a.c', 'facts/model.h'),
                ('src/track/a.c', 'runtime/state.h'), ('src/track/a.c', 'facts/model.h')):
            with self.subTest(name=name, include=include):
                self.assert_refused(name, f'int x;\n  #  include "{include}"\n', line=2)
                (self.root / name).unlink()

    def test_libraries_stay_in_their_folder(self):
        self.assert_refused('src/runtime/a.c', '#include <elfutils/libdwfl.h>\n')
        (self.root / 'src/runtime/a.c').unlink()
        self.assert_refused('src/engine/a.c', '#include <jansson.h>\n')
        (self.root / 'src/engine/a.c').unlink()
        self.assertEqual(self.problems('src/symbolize/a.c', '#include <elfutils/libdw.h>\n'), [])

    def test_the_engine_is_pure(self):
        self.assert_refused('src/engine/a.c', '#include <stdlib.h>\n#include <pthread.h>\n', 2)

    def test_paths_are_relative_to_src(self):
        self.assert_refused('src/facts/a.c', '#include "../base/hash.h"\n')
        self.assert_refused('src/facts/a.c', '#include "layout.h"\n')

    def test_missing_file_and_unknown_folder(self):
        self.assert_refused('src/facts/a.c', '#include "base/gone.h"\n')
        (self.root / 'src/facts/a.c').unlink()
        self.assert_refused('src/novel/a.c', '#include <stdio.h>\n')

    def test_public_header_stands_alone(self):
        self.assert_refused('include/lockproof.h', '#include <stddef.h>\n#include "base/hash.h"\n',
                            2)

    def test_comments_do_not_count(self):
        text = '/*\n#include "engine/engine.h"\n*/\n// #include "engine/engine.h"\n'
        self.assertEqual(self.problems('src/base/a.c', text), [])

    def test_every_violation_is_listed(self):
        self.assert_refused('src/base/a.c', '#include "facts/layout.h"\n' * 3, count=3)


if __name__ == '__main__':
    unittest.main()

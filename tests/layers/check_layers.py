#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include whom: the table of the architecture, held against the #include lines.

    check_layers.py ROOT

Prints one line per violation, file:line first, and exits 1 when there is any. The table is the
only thing to edit when a folder is born; a folder of src/ that is not in it is a violation.
"""
import pathlib
import re
import sys

# folder of src/ -> the folders it may include from, besides its own
MAY_INCLUDE = {
    'base': set(),
    'facts': {'base'},
    'track': {'base', 'facts'},
    'runtime': {'base', 'facts', 'track'},
    'engine': {'base', 'facts'},
    'symbolize': {'base'},
    'render': {'base'},
    'store': {'base', 'facts', 'engine'},
    'scenario': {'base', 'facts', 'track', 'engine'},
    'kernel': {'base', 'facts', 'track', 'engine'},
    'cli': {'base', 'facts', 'track', 'engine', 'symbolize', 'render', 'store', 'scenario',
            'kernel'},
}

# What lives inside the target sees the writer's half of facts, never the reader's.
TARGET_FOLDERS = {'track', 'runtime'}
TARGET_FACTS = {'layout.h', 'writer.h'}

# header prefix -> folders that may use the library behind it
LIBRARIES = {
    'elfutils/': {'symbolize'},
    'dwarf.h': {'symbolize'},
    'libelf.h': {'symbolize'},
    'gelf.h': {'symbolize'},
    'jansson.h': {'render', 'store', 'cli'},
    'sqlite3.h': {'store'},
    'libpq': {'store'},
    'cmocka.h': set(),
}

# The engine is pure: what would let it do I/O, tell the time or start a thread.
IMPURE = {
    'engine': re.compile(r'pthread\.h|threads\.h|time\.h|sys/|unistd\.h|fcntl\.h|signal\.h|'
                         r'dlfcn\.h|poll\.h'),
}

PUBLIC_HEADERS = {'lockproof.h'}        # of include/; any folder but base may use them
SOURCES = {'.c', '.h', '.cc', '.inc'}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
BLOCK_COMMENT = re.compile(r'/\*.*?\*/', re.DOTALL)


def strip_comments(text):
    """Blank out block comments, keeping line numbers."""
    return BLOCK_COMMENT.sub(lambda m: '\n' * m.group(0).count('\n'), text)


def includes(path):
    """Yield (line number, '<' or '"', name) of each #include line."""
    text = strip_comments(path.read_text(encoding='utf-8', errors='replace'))
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def check_library(folder, name):
    for prefix, users in LIBRARIES.items():
        if name.startswith(prefix) and folder not in users:
            return f'{folder} may not use the library of <{name}>'
    if folder in IMPURE and IMPURE[folder].match(name):
        return f'{folder} is pure and may not include <{name}>'
    return None


def check_own(root, folder, name):
    """One "quoted" include of a file in src/<folder>/."""
    if name in PUBLIC_HEADERS:
        return f'{folder} may not include {name}' if folder == 'base' else None
    parts = name.split('/')
    if '..' in parts or len(parts) < 2:
        return f'"{name}" is not written relative to src/'
    target = parts[0]
    if target not in MAY_INCLUDE:
        return f'"{name}" is in no folder of the table'
    if not (root / 'src' / name).is_file():
        return f'"{name}" does not exist'
    if target == folder:
        return None
    if target not in MAY_INCLUDE[folder]:
        return f'{folder} may not include {target} ("{name}")'
    if folder in TARGET_FOLDERS and target == 'facts' and parts[1] not in TARGET_FACTS:
        return f'{folder} runs in the target and may not include "{name}"'
    return None


def check_source_tree(root):
    problems = []
    for path in sorted((root / 'src').rglob('*')):
        if path.suffix not in SOURCES or not path.is_file():
            continue
        where = path.relative_to(root)
        folder = where.parts[1] if len(where.parts) > 2 else ''
        if folder not in MAY_INCLUDE:
            problems.append(f'{where}:1: src/{folder} is not in the table of {__file__}')
            continue
        for number, quote, name in includes(path):
            check = check_library(folder, name) if quote == '<' else check_own(root, folder, name)
            if check:
                problems.append(f'{where}:{number}: {check}')
    return problems


def check_public_headers(root):
    """A header of include/ stands alone: system headers only."""
    problems = []
    for path in sorted((root / 'include').rglob('*.h')):
        for number, quote, name in includes(path):
            if quote == '"':
                problems.append(f'{path.relative_to(root)}:{number}: a public header stands '
                                f'alone, yet includes "{name}"')
    return problems


def check(root):
    root = pathlib.Path(root)
    return check_source_tree(root) + check_public_headers(root)


def main(argv):
    if len(argv) != 2:
        print('usage: check_layers.py ROOT', file=sys.stderr)
        return 2
    problems = check(argv[1])
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv))

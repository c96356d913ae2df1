# SPDX-License-Identifier: Apache-2.0
"""selftest_cases — the table of Linux's lib/locking-selftest.c as scenarios of our own.

Linux 6.1 checks its lock validator with 394 cases when it boots: 250 must be reported, 144 must
not. This module holds what each of them does, as data: rows of events, columns of locks, orders of
events. `cases()` makes each case as the text of a scenario file.

The kernel runs the events of a case one after the other in one task and enters the interrupt
contexts by hand. We do not depend on order, and know tasks and handlers: each event is a body of
its own, in the order of the case. A case about one task's state is a single body. What a case leaves
locked is unlocked, so that only what it is about can be found.

Events are written in a small notation:

    <pA ... >   lock A with the column's lock, ..., unlock it (sections nest)
    pA /pA =pA  lock, unlock, initialise
    p W R L M   the column's lock; rwlock write; rwlock read; spinlock; mutex
    -h +h -s +s disable, enable hardirqs; softirqs.  -i +i: of the variant, hard or soft
    H S I       as the first word: this runs in hardirq; in softirq; of the variant
"""
import collections
import itertools

FAILURE, SUCCESS = "F", "S"  # must be reported, must not

Case = collections.namedtuple("Case", "group row column verdict kinds name text")

# column: type, prefix of the object's name, lock, unlock, initialise
LOCKS = {
    "spin": ("spinlock_t", "lock_", "spin_lock", "spin_unlock", "spin_lock_init"),
    "wlock": ("rwlock_t", "rwlock_", "write_lock", "write_unlock", "rwlock_init"),
    "rlock": ("rwlock_t", "rwlock_", "read_lock_recursive", "read_unlock", "rwlock_init"),
    "mutex": ("mutex", "mutex_", "mutex_lock", "mutex_unlock", "mutex_init"),
    "wsem": ("rw_semaphore", "rwsem_", "down_write", "up_write", "init_rwsem"),
    "rsem": ("rw_semaphore", "rwsem_", "down_read", "up_read", "init_rwsem"),
    "rtmutex": ("rt_mutex", "rtmutex_", "rt_mutex_lock", "rt_mutex_unlock", "rt_mutex_init"),
    "fair": ("rwlock_t", "rwlock_", "read_lock", "read_unlock", "rwlock_init"),
}
COLUMNS = ["spin", "wlock", "rlock", "mutex", "wsem", "rsem", "rtmutex"]
LETTERS = {"W": "wlock", "R": "rlock", "L": "spin", "M": "mutex", "r": "fair",
           "D": "wsem", "d": "rsem"}
VARIANTS = {"hard": ("hardirq", "local_irq"), "soft": ("softirq", "local_bh")}

CIRCULAR = ("circular-locking",)
RECURSIVE = ("recursive-locking",)
USAGE = ("inconsistent-lock-state",)
ORDER = ("irq-unsafe-lock-order", "irq-lock-inversion")
BALANCE = ("bad-unlock-balance",)
FREED = ("held-lock-freed",)
WAIT = ("invalid-wait-context",)
NEST = ("nested-lock-not-taken",)
CONTEXT = ("invalid-lock",)  # the rules of wound/wait acquisition are broken


# --- one case as text ------------------------------------------------------------------------

class Writer:
    """Turns events into bodies and remembers which locks they name."""

    def __init__(self, column=None, variant=None):
        self.column, self.variant = column, variant
        self.objects, self.bodies, self.counts = {}, [], collections.Counter()

    def lock(self, word):
        """(row of LOCKS, object name) of "pA"; the object gets declared."""
        row = LOCKS[self.column if word[0] == "p" else LETTERS[word[0]]]
        name = row[1] + word[1:]
        self.objects[name] = row[0], row[1] + word[1] if len(word) == 3 else None
        return row, name

    def statement(self, word, sections):
        if word == ">":
            row, name = sections.pop()
            return f"{row[3]}(&{name});"
        if word[0] in "-+":
            prefix = {"h": "local_irq", "s": "local_bh"}.get(word[1])
            prefix = prefix or VARIANTS[self.variant][1]
            return f"{prefix}_{'disable' if word[0] == '-' else 'enable'}();"
        row, name = self.lock(word.lstrip("</="))
        if word[0] == "<":
            sections.append((row, name))
        return f"{row[{'/': 3, '=': 4}.get(word[0], 2)]}(&{name});"

    def event(self, event):
        words = event.replace(">", " > ").split()
        kind = "P"
        if words[0] in ("H", "S", "I"):
            context = words.pop(0)
            kind = {"H": "hardirq", "S": "softirq"}.get(context) or VARIANTS[self.variant][0]
        sections = []
        self.body(kind, [self.statement(word, sections) for word in words])
        assert not sections, event

    def body(self, kind, statements):
        number = self.counts[kind]
        self.counts[kind] += 1
        head = f"P{number}()" if kind == "P" else f"{kind} {kind}{number}()"
        lines, depth = "", 1
        for line in statements:
            depth -= line.startswith("}")
            lines += "\t" * depth + line + "\n"
            depth += line.endswith("{")
        self.bodies.append(f"{head}\n{{\n{lines}}}\n")

    def text(self, title, name, declarations, verdict, kinds):
        lines = list(declarations)
        for item, (kind, group) in sorted(self.objects.items()):
            lines.append(f"{kind} {item}{f' : {group}' if group else ''};")
        block = "".join(f"\t{line}\n" for line in lines)
        expect = "none" if verdict == SUCCESS else f"possible {kinds[0]}"
        return (f"// {title}\nC {name}\n\n{{\n{block}}}\n\n" + "\n".join(self.bodies) +
                f"\nexpect {expect}\n")


def slug(text):
    kept = "".join(c if c.isalnum() else "-" for c in text)
    return "-".join(part for part in kept.split("-") if part)


def make(group, row, column, verdict, kinds, writer, declarations=()):
    name = slug(f"g{group:02}-{row}-{column}")
    text = writer.text(f"locking-selftest, {row}: {column}", name, declarations, verdict, kinds)
    return Case(group, row, column, verdict, kinds if verdict == FAILURE else (), name, text)


def from_events(group, row, column, verdict, kinds, events, variant=None, shown=None):
    writer = Writer(column, variant)
    for event in events:
        writer.event(event)
    return make(group, row, shown or column, verdict, kinds, writer)


def from_bodies(group, row, column, verdict, kinds, bodies, declarations):
    """Bodies given as (kind, "statement; statement;")."""
    writer = Writer()
    for kind, statements in bodies:
        writer.body(kind, statements if isinstance(statements, list) else split(statements))
    return make(group, row, column, verdict, kinds, writer, declarations)


def split(text):
    """One statement a line; blocks keep their braces."""
    for mark in ("; ", "{ ", "} "):
        text = text.replace(mark, mark.strip() + "\n")
    return [line for line in text.split("\n") if line]


def orders(count):
    return list(itertools.permutations(range(count)))


def permuted(group, row, columns, kinds, events, variants=(None,)):
    """All orders of the events x variants x columns {column: verdict}."""
    for order in orders(len(events)):
        digits = "".join(str(i + 1) for i in order)
        for variant in variants:
            label = f"{variant}-{row}/{digits}" if variant else f"{row}/{digits}"
            for column, verdict in columns.items():
                yield from_events(group, label, column, verdict, kinds,
                                  [events[i] for i in order], variant)


# --- the groups ------------------------------------------------------------------------------

READERS_PASS = {column: SUCCESS if column == "rlock" else FAILURE for column in COLUMNS}
SPIN_WRITE_READ = {"spin": FAILURE, "wlock": FAILURE, "rlock": SUCCESS}
WRITE_READ = {"wlock": FAILURE, "rlock": SUCCESS}
BOTH = ("hard", "soft")


def pairs(text):
    """"AB BC" -> the nested sections of each pair."""
    return [f"<p{a} <p{b}>>" for a, b in text.split()]


ORDERS = [  # group 1
    ("A-A deadlock", RECURSIVE, ["<pX1 <pX2>>"]),
    ("A-B-B-A deadlock", CIRCULAR, pairs("AB BA")),
    ("A-B-B-C-C-A deadlock", CIRCULAR, pairs("AB BC CA")),
    ("A-B-C-A-B-C deadlock", CIRCULAR, pairs("AB CA BC")),
    ("A-B-B-C-C-D-D-A deadlock", CIRCULAR, pairs("AB BC CD DA")),
    ("A-B-C-D-B-D-D-A deadlock", CIRCULAR, pairs("AB CD BD DA")),
    ("A-B-C-D-B-C-D-A deadlock", CIRCULAR, pairs("AB CD BC DA")),
]


def group_1():
    for row, kinds, events in ORDERS:
        for column, verdict in READERS_PASS.items():
            yield from_events(1, row, column, verdict, kinds, events)


def group_2():
    for row, kinds, event in [("double unlock", BALANCE, "pA /pA /pA"),
                              ("initialize held", FREED, "pA =pA")]:
        for column in COLUMNS:
            yield from_events(2, row, column, FAILURE, kinds, [event])


MIXED = [  # group 3: row, kinds, verdict and events for rwlock, for rwsem
    ("recursive read-lock", RECURSIVE, (SUCCESS, ["<RX1 <RX1>>"]), (FAILURE, ["<dX1 <dX1>>"])),
    ("recursive read-lock #2", RECURSIVE, (SUCCESS, ["<RX1 <RX2>>"]), (FAILURE, ["<dX1 <dX2>>"])),
    ("mixed read-write-lock", RECURSIVE, (FAILURE, ["<RX1 <WX2>>"]), (FAILURE, ["<dX1 <DX2>>"])),
    ("mixed write-read-lock", RECURSIVE, (FAILURE, ["<WX1 <RX2>>"]), (FAILURE, ["<DX1 <dX2>>"])),
    ("mixed read-lock/lock-write ABBA", CIRCULAR,
     (FAILURE, ["<RX1 <LY1>>", "<LY1 <WX1>>"]), (FAILURE, ["<dX1 <MY1>>", "<MY1 <DX1>>"])),
    ("mixed read-lock/lock-read ABBA", CIRCULAR,
     (SUCCESS, ["<RX1 <LY1>>", "<LY1 <RX1>>"]), (FAILURE, ["<dX1 <MY1>>", "<MY1 <dX1>>"])),
    ("mixed write-lock/lock-write ABBA", CIRCULAR,
     (FAILURE, ["<WX1 <LY1>>", "<LY1 <WX1>>"]), (FAILURE, ["<DX1 <MY1>>", "<MY1 <DX1>>"])),
    ("chain cached mixed R-L/L-W ABBA", CIRCULAR,
     (FAILURE, ["<RX1 <LY1>>", "<LY1 <RX1>>", "<LY1 <WX1>>"]), None),
]


def group_3():
    for row, kinds, *cells in MIXED:
        for column, cell in zip(("rlock", "rsem"), cells):
            if cell:
                yield from_events(3, row, column, cell[0], kinds, cell[1])


RINGS = [  # group 4; the kernel prints the labels of the last two the other way round
    ("rlock W1R2/W2R3/W3R1", FAILURE, ["<WX1 <RY1>>", "<WY1 <RZ1>>", "<WZ1 <RX1>>"]),
    ("rlock W1W2/R2R3/W3R1", FAILURE, ["<WX1 <WY1>>", "<RY1 <RZ1>>", "<WZ1 <RX1>>"]),
    ("rlock W1W2/R2R3/R3W1", SUCCESS, ["<WX1 <WY1>>", "<RY1 <RZ1>>", "<RZ1 <WX1>>"]),
    ("rlock W1R2/R2R3/W3W1", SUCCESS, ["<WX1 <RY1>>", "<RY1 <RZ1>>", "<WZ1 <WX1>>"]),
]


def group_4():
    for row, verdict, events in RINGS:
        yield from permuted(4, row, {"rlock": verdict}, CIRCULAR, events)


INTERRUPTS = [  # groups 5 to 13
    (5, "irqs-on + irq-safe-A", SPIN_WRITE_READ, USAGE, BOTH, ["I <pA>", "<pA>"]),
    (6, "sirq-safe-A => hirqs-on", SPIN_WRITE_READ, USAGE, (None,),
     ["S <pA>", "-h pA +h /pA"]),
    (7, "safe-A + irqs-on", SPIN_WRITE_READ, USAGE, BOTH, ["I <pA>", "-i pA +i /pA"]),
    (8, "safe-A + unsafe-B #1", SPIN_WRITE_READ, USAGE + ORDER, BOTH,
     ["<pA <pB>>", "<pB>", "I <pA>"]),
    (9, "safe-A + unsafe-B #2", SPIN_WRITE_READ, ORDER, BOTH,
     ["-i <pA <pB>> +i", "<pB>", "I <pA>"]),
    (10, "irq lock-inversion", SPIN_WRITE_READ, ORDER, BOTH,
     ["-i <WA <pB>> +i", "<pB>", "I <RA>"]),
    (11, "irq read-recursion", WRITE_READ, USAGE, BOTH,
     ["-i <WA> +i", "<RA>", "I <pA <LB>>"]),
    (12, "irq read-recursion #2", WRITE_READ, ORDER, BOTH,
     ["-i <LB <pA>> +i", "<RA>", "I <LB>"]),
    (13, "irq read-recursion #3", WRITE_READ, ORDER, BOTH,
     ["-i <WB <pA>> +i", "<RA>", "I <RB>"]),
]


def groups_5_to_13():
    for group, row, columns, kinds, variants, events in INTERRUPTS:
        yield from permuted(group, row, columns, kinds, events, variants)


# Wound/wait. The kernel plays a second owner of an object by hand; here P1 is one. A lock under a
# context that may be refused is asked for in an if: == -EDEADLK.
WW_OBJECTS = ("ww_mutex o : ww, o2 : ww, o3 : ww;", "ww_acquire_ctx t : ww, t2 : ww;")
WW_SHORT = [
    ("ai", "ww_acquire_init(&%s);"), ("ad", "ww_acquire_done(&%s);"),
    ("af", "ww_acquire_fini(&%s);"), ("w1", "ww_mutex_lock(&%s);"),
    ("wl", "ww_mutex_lock(&%s, &t);"), ("ws", "ww_mutex_lock_slow(&%s, &t);"),
    ("wu", "ww_mutex_unlock(&%s);"),
    ("wt", "if (ww_mutex_trylock(&%s)) {"), ("L", "spin_lock(&%s);"), ("U", "spin_unlock(&%s);"),
]
OWNER = [("P", "ww_acquire_init(&t2); ww_mutex_lock(&o2, &t2); ww_mutex_lock(&o3, &t2); "
               "ww_mutex_unlock(&o3); ww_mutex_unlock(&o2); ww_acquire_fini(&t2);")]


def ww(text):
    """"ai:t wl:o wt:o { ... }" -> statements; other words are kept as they are."""
    short = dict(WW_SHORT)
    out = []
    for word in text.split():
        key, _, name = word.partition(":")
        out.append(short[key] % name if name else word)
    return out


def refused(inside, success="wu:o2 wu:o"):
    """o is held under t, o2 is refused; then `inside`. Else all goes well."""
    return (ww("ai:t wl:o") + ["if (ww_mutex_lock(&o2, &t) == -EDEADLK) {"] + ww(inside) +
            ["} else {"] + ww(success) + ["}"] + ww("af:t"))


EDEADLK = [  # after o2 was refused while o is held; {lock} is wl or ws
    ("normal", SUCCESS, "wu:o {lock}:o2 wu:o2"),
    ("no unlock", FAILURE, "{lock}:o2 wu:o2 wu:o"),
    ("acquire more", FAILURE, "{lock}:o3 wu:o3 wu:o"),
    ("acquire more, refused too", FAILURE, None),
    ("acquire wrong", FAILURE, "wu:o {lock}:o3 wu:o3"),
]


def edeadlk():
    for what, verdict, inside in EDEADLK:
        for lock, suffix in (("wl", ""), ("ws", ", slow")):
            if inside:
                body = refused(inside.format(lock=lock))
            elif lock == "wl":
                body = (ww("ai:t wl:o") + ["if (ww_mutex_lock(&o2, &t) == -EDEADLK) {",
                        "if (ww_mutex_lock(&o3, &t) == -EDEADLK) {", "ww_mutex_unlock(&o);",
                        "} else {"] + ww("wu:o3 wu:o") + ["}", "} else {"] + ww("wu:o2 wu:o") +
                        ["}"] + ww("af:t"))
            else:
                body = refused("ws:o3 wu:o3 wu:o")
            yield "EDEADLK handling", what + suffix, verdict, CONTEXT, body


TRY_ALL = "wt:o2 wu:o2 }"
WW_ROWS = [  # row, column, verdict, kinds, body
    ("ww api failures", "fail acquire", SUCCESS, (),
     ww("ai:t wl:o wt:o wu:o } wu:o wt:o wu:o } af:t")),
    ("ww api failures", "normal", SUCCESS, (),
     ww("ai:t w1:o wu:o") + ["ww_mutex_lock_interruptible(&o);"] +
     ww("wu:o wt:o wu:o } w1:o wt:o wu:o } wu:o wl:o wu:o af:t")),
    ("ww api failures", "unneeded slow", FAILURE, CONTEXT, ww("ai:t ws:o wu:o af:t")),
    ("ww contexts mixing", "two contexts", FAILURE, RECURSIVE, ww("ai:t ai:t2 af:t2 af:t")),
    ("ww contexts mixing", "other class", FAILURE, CONTEXT, ww("ai:t wl:o wu:o af:t")),
    ("finishing ww context", "done twice", FAILURE, CONTEXT, ww("ai:t ad:t ad:t af:t")),
    ("finishing ww context", "finished twice", FAILURE, BALANCE, ww("ai:t ad:t af:t af:t")),
    ("finishing ww context", "finished early", FAILURE, CONTEXT, ww("ai:t wl:o ad:t af:t wu:o")),
    ("finishing ww context", "lock after done", FAILURE, CONTEXT, ww("ai:t ad:t wl:o wu:o af:t")),
    ("locking mismatches", "unlock twice", FAILURE, BALANCE, ww("w1:o wu:o wu:o")),
    # a context forgets what it holds when it is initialised again
    ("locking mismatches", "unbalanced", FAILURE, RECURSIVE + FREED + CONTEXT,
     ww("ai:t wl:o ai:t wu:o af:t")),
    # an object is left with a context that is gone when that is finished before the unlock
    ("locking mismatches", "stale context", FAILURE, RECURSIVE + CONTEXT,
     ["ww_acquire_init(&t2);", "ww_mutex_lock(&o, &t2);", "ww_acquire_fini(&t2);"] +
     ww("ai:t wl:o wu:o wu:o af:t")),
    *edeadlk(),
    ("spinlock nest unlocked", "", FAILURE, NEST,
     ["spin_lock_nest_lock(&lock_A, &o);", "spin_unlock(&lock_A);"]),
    ("spinlock nest test", "", SUCCESS, (),
     ["spin_lock(&lock_X1);", "spin_lock_nest_lock(&lock_Y1, &lock_X1);", "spin_lock(&lock_A);",
      "spin_lock_nest_lock(&lock_Y2, &lock_X1);", "spin_unlock(&lock_A);",
      "spin_unlock(&lock_Y2);", "spin_unlock(&lock_Y1);", "spin_unlock(&lock_X1);"]),
    ("context", "block", FAILURE, RECURSIVE, ww("ai:t wl:o w1:o2 wu:o2 wu:o af:t")),
    ("context", "try", SUCCESS, (), ww(f"ai:t wl:o {TRY_ALL} wu:o af:t")),
    ("context", "context", SUCCESS, (), ww("ai:t wl:o wl:o2 wu:o2 wu:o af:t")),
    ("try", "block", FAILURE, RECURSIVE, ww("wt:o w1:o2 wu:o2 wu:o }")),
    ("try", "try", SUCCESS, (), ww(f"wt:o {TRY_ALL} wu:o }}")),
    ("try", "context", FAILURE, RECURSIVE + CIRCULAR, ww("wt:o ai:t wl:o2 wu:o2 af:t wu:o }")),
    ("block", "block", FAILURE, RECURSIVE, ww("w1:o w1:o2 wu:o2 wu:o")),
    ("block", "try", SUCCESS, (), ww(f"w1:o {TRY_ALL} wu:o")),
    ("block", "context", FAILURE, RECURSIVE + CIRCULAR, ww("w1:o ai:t wl:o2 wu:o2 af:t wu:o")),
    ("spinlock", "block", FAILURE, CIRCULAR + WAIT,
     ww("L:lock_A U:lock_A w1:o L:lock_A U:lock_A wu:o L:lock_A w1:o wu:o U:lock_A")),
    ("spinlock", "try", SUCCESS, (),
     ww("L:lock_A U:lock_A wt:o L:lock_A U:lock_A wu:o } L:lock_A wt:o wu:o } U:lock_A")),
    ("spinlock", "context", FAILURE, CIRCULAR + WAIT,
     ww("L:lock_A U:lock_A ai:t wl:o L:lock_A U:lock_A wu:o L:lock_A wl:o wu:o U:lock_A af:t")),
]
WW_SPINLOCKS = ("spinlock_t lock_A;", "spinlock_t lock_X1 : lock_X;",
                "spinlock_t lock_Y1 : lock_Y, lock_Y2 : lock_Y;")
WW_OTHER_CLASS = ("ww_mutex o : ww;", "ww_acquire_ctx t : other;")


def group_14():
    for row, column, verdict, kinds, body in WW_ROWS:
        bodies = [("P", body)] + (OWNER if row == "EDEADLK handling" else [])
        objects = WW_OBJECTS + WW_SPINLOCKS
        if column == "other class":
            objects = WW_OTHER_CLASS
        yield from_bodies(14, row, column, verdict, kinds, bodies, objects)


QUEUED = [  # group 15: from here on read_lock is fair in a task
    ("hardirq read-lock/lock-read", FAILURE, CIRCULAR, ["H <RA <WB>>", "-h <WB <rA>> +h"]),
    ("hardirq lock-read/read-lock", SUCCESS, (), ["H <WB <RA>>", "-h <rA <WB>> +h"]),
    ("hardirq inversion", FAILURE, ORDER, ["H <WB>", "-h <WB <rA>> +h", "<rA>"]),
]


def group_15():
    for row, verdict, kinds, events in QUEUED:
        yield from_events(15, row, None, verdict, kinds, events, shown="queued")


RECLAIM = "lock_map_acquire(&fs_reclaim); %s lock_map_release(&fs_reclaim);"
MAY_RECLAIM = "lock_map_acquire(&fs_reclaim); lock_map_release(&fs_reclaim);"


def group_16():
    """An allocation that may enter reclaim takes the map and releases it; another one does not."""
    for row, verdict, inside in [("correct nesting", SUCCESS, ""),
                                 ("wrong nesting", FAILURE, MAY_RECLAIM),
                                 ("protected nesting", SUCCESS, "")]:
        yield from_bodies(16, row, "fs_reclaim", verdict, RECURSIVE,
                          [("P", (RECLAIM % inside).replace("  ", " "))],
                          ("lockdep_map fs_reclaim;",))


OUTER = [  # group 17: body, statements around, verdicts of rcu, raw, spin, mutex
    ("in hardirq context", "hardirq", None, "SSSF"),
    ("in hardirq context (not threaded)", "hardirq_nothread", None, "SSFF"),
    ("in softirq context", "softirq", None, "SSSF"),
    ("in RCU context", "P", ("rcu_read_lock();", "rcu_read_unlock();"), "SSSF"),
    ("in RCU-bh context", "P", ("rcu_read_lock_bh();", "rcu_read_unlock_bh();"), "SSSF"),
    ("in RCU-sched context", "P", ("rcu_read_lock_sched();", "rcu_read_unlock_sched();"), "SSFF"),
    ("in RAW_SPINLOCK context", "P", ("raw_spin_lock(&raw_A);", "raw_spin_unlock(&raw_A);"),
     "SSFF"),
    ("in SPINLOCK context", "P", ("spin_lock(&lock_A);", "spin_unlock(&lock_A);"), "SSSF"),
    ("in MUTEX context", "P", ("mutex_lock(&mutex_A);", "mutex_unlock(&mutex_A);"), "SSSS"),
]
INNER = [
    ("rcu", ["rcu_read_lock();", "rcu_read_unlock();"]),
    ("raw", ["raw_spin_lock(&raw_B);", "raw_spin_unlock(&raw_B);"]),
    ("spin", ["spin_lock(&lock_B);", "spin_unlock(&lock_B);"]),
    ("mutex", ["mutex_lock(&mutex_B);", "mutex_unlock(&mutex_B);"]),
]


def group_17():
    objects = ("raw_spinlock_t raw_A, raw_B;", "spinlock_t lock_A, lock_B;",
               "mutex mutex_A, mutex_B;")
    for row, kind, around, verdicts in OUTER:
        for (column, inner), verdict in zip(INNER, verdicts):
            before, after = ([around[0]], [around[1]]) if around else ([], [])
            yield from_bodies(17, row, column, verdict, WAIT,
                              [(kind, before + inner + after)], objects)


LOCAL = "local_lock(&local_A); local_unlock(&local_A);"
LOCAL_B = "local_lock(&local_A); spin_lock(&lock_B); spin_unlock(&lock_B); local_unlock(&local_A);"
UNDER_A = "local_irq_disable(); spin_lock(&lock_A); %s spin_unlock(&lock_A); local_irq_enable();"
HARDIRQ_A = ("hardirq", "spin_lock(&lock_A); spin_unlock(&lock_A);")
BOTTOM_B = ("P", UNDER_A % "spin_lock(&lock_B); spin_unlock(&lock_B);")


def group_18():
    objects = ("local_lock_t local_A;", "spinlock_t lock_A, lock_B;")
    rows = [("local_lock inversion  2", SUCCESS, LOCAL, []),
            ("local_lock inversion 3A", SUCCESS, LOCAL_B, []),
            ("local_lock inversion 3B", FAILURE, LOCAL_B, [BOTTOM_B])]
    for row, verdict, first, more in rows:
        bodies = [("P", first), HARDIRQ_A, ("P", UNDER_A % LOCAL)] + more
        yield from_bodies(18, row, "local_lock", verdict, ORDER, bodies, objects)


def group_19():
    events = ["<MA -h <LC> +h >", "H <LA>", "-h <LA <LB>> +h", "-h <LB <LC>> +h", "S <LD>",
              "-s <LD> +s", "-h <LC <LD>> +h"]
    yield from_events(19, "hardirq_unsafe_softirq_safe", None, FAILURE, ORDER, events,
                      shown="special")


def cases():
    """All of them, in the kernel's order."""
    out = []
    for group in (group_1, group_2, group_3, group_4, groups_5_to_13, group_14, group_15, group_16,
                  group_17, group_18, group_19):
        out.extend(group())
    return out


# What the kernel counts: per group, cases that must be reported and cases that must not.
TOTALS = {1: (42, 7), 2: (14, 0), 3: (12, 3), 4: (12, 12), 5: (8, 4), 6: (4, 2), 7: (8, 4),
          8: (24, 12), 9: (24, 12), 10: (24, 12), 11: (12, 12), 12: (12, 12), 13: (12, 12),
          14: (26, 10), 15: (2, 1), 16: (1, 2), 17: (11, 25), 18: (1, 2), 19: (1, 0)}


if __name__ == "__main__":
    counts = collections.Counter((case.group, case.verdict) for case in cases())
    for number, (failures, successes) in TOTALS.items():
        found = counts[number, FAILURE], counts[number, SUCCESS]
        assert found == (failures, successes), (number, found)
    names = [case.name for case in cases()]
    assert len(names) == len(set(names)) == 394
    print(len(names), "cases")

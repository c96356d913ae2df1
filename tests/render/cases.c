/* SPDX-License-Identifier: Apache-2.0 */
/* cases.c — reports made by hand, one for each thing a renderer has to get right. */
#include "cases_make.h"

static const struct lp_report_finding two = {
	.id = "3f2a9c0d11223344", CIRCULAR, FEASIBLE,
	.title = "circular locking: &from->lock -> audit_lock -> &from->lock in audit",
	LOCKS_OF(LOCK_A, LOCK_B), .cycle_count = 2,
	THREADS_OF(PAYER, AUDITOR),
	STACKS_OF(
		STACK("held", 0, 0, INLINE("account_lock", "bank.c", 30),
		      CODE("transfer", 0x1a, 0x90, "bank.c", 41),
		      CODE("pay", 0x22, 0x40, "bank.c", 63), LIBRARY("start_thread", 0x2f6, 0x3a0)),
		STACK("wanted", 1, 0, CODE("audit_write", 0x31, 0x70, "audit.c", 12),
		      CODE("transfer", 0x48, 0x90, "bank.c", 44),
		      CODE("pay", 0x22, 0x40, "bank.c", 63), LIBRARY("start_thread", 0x2f6, 0x3a0)),
		STACK("held", 1, 1, CODE("audit", 0x12, 0x60, "bank.c", 82),
		      LIBRARY("start_thread", 0x2f6, 0x3a0)),
		STACK("wanted", 0, 1, INLINE("account_lock", "bank.c", 30),
		      CODE("audit", 0x3c, 0x60, "bank.c", 85),
		      LIBRARY("start_thread", 0x2f6, 0x3a0)),
		{ .role = "created", .lock = 0, .thread = UINT32_MAX, .edge = UINT32_MAX,
		  FRAMES_OF(CODE("account_new", 0x22, 0x50, "bank.c", 21),
			    CODE("main", 0x40, 0x100, "bank.c", 95)) }),
	STEPS_OF(STEP(1, "lock(audit_lock);"), STEP(0, "lock(&from->lock);"),
		 STEP(0, "lock(audit_lock);"), STEP(1, "lock(&from->lock);")),
	HELD_OF({ 1, 1, "write", FRAMES_OF(CODE("audit", 0x12, 0x60, "bank.c", 82)) }),
};
REPORT_OF(two, 2, 1, 0)

/* The same place is named although wrappers stand before it; readers; a stack that was cut. */
static const struct lp_report_finding modes = {
	.id = "00000000000000f1", CIRCULAR, FEASIBLE,
	.title = "circular locking: table_lock -> audit_lock -> table_lock",
	LOCKS_OF(LOCK("table_lock", "rwlock", "00000000000000cc", "static in bank", 0), LOCK_B,
		 LOCK("gate", "mutex", "00000000000000dd", NULL, 0x1000)),
	.cycle_count = 2,
	THREADS_OF(PAYER, AUDITOR),
	STACKS_OF(
		{ .role = "held", .lock = 0, .thread = 0, .edge = 0, .mode = "read",
		  FRAMES_OF(CODE("find", 0x10, 0x20, "table.c", 5)) },
		{ .role = "wanted", .lock = 1, .thread = 0, .edge = 0, .mode = "write",
		  .flags = LP_REPORT_TIMED, FRAMES_OF(CODE("find", 0x18, 0x20, "table.c", 6)) },
		{ .role = "held", .lock = 1, .thread = 1, .edge = 1, .mode = "write",
		  .flags = LP_REPORT_TRY, FRAMES_OF(CODE("audit", 0x12, 0x60, "bank.c", 82)) },
		{ .role = "wanted", .lock = 0, .thread = 1, .edge = 1, .mode = "read-recursive",
		  .place = 2, .truncated = true,
		  FRAMES_OF(INLINE("std::shared_mutex::lock_shared()", "shared_mutex", 420),
			    CODE("std::shared_lock<std::shared_mutex>::shared_lock"
				 "(std::shared_mutex&)", 0x9, 0x20, "shared_mutex", 722),
			    CODE("audit", 0x44, 0x60, "bank.c", 90)) }),
	STEPS_OF(STEP(1, "trylock(audit_lock);"), STEP(0, "rlock(table_lock);"),
		 STEP(0, "lock(audit_lock);"), STEP(1, "rlock(table_lock);")),
	HELD_OF({ 1, 2, "write", FRAMES_OF(CODE("main_loop", 0x1, 0x60, "bank.c", 70)) },
		{ 1, 1, "write", FRAMES_OF(CODE("audit", 0x12, 0x60, "bank.c", 82)) }),
};
REPORT_OF(modes, 0, 1, 0)

#define NAMED(letter) \
	LOCK("lock_" #letter, "mutex", "class-" #letter, "static in philosophers", 0)
#define PHILOSOPHER(index) \
	THREAD("philosopher" #index, 800, 801 + index, 2 + index, "dine", "T1 in main")
#define FORK(index, next) \
	STACK("held", index, index, \
	      CODE("take_first", 0x10 + index, 0x80, "dine.c", 10 + index)), \
	STACK("wanted", next, index, \
	      CODE("take_second", 0x20 + index, 0x80, "dine.c", 20 + index))

static const struct lp_report_finding three = {
	.id = "0000000000000003", CIRCULAR, FEASIBLE,
	.title = "circular locking: lock_a -> lock_b -> lock_c -> lock_a",
	LOCKS_OF(NAMED(a), NAMED(b), NAMED(c)), .cycle_count = 3,
	THREADS_OF(PHILOSOPHER(0), PHILOSOPHER(1), PHILOSOPHER(2)),
	STACKS_OF(FORK(0, 1), FORK(1, 2), FORK(2, 0)),
	STEPS_OF(STEP(2, "lock(lock_c);"), STEP(0, "lock(lock_a);"), STEP(1, "lock(lock_b);"),
		 STEP(1, "lock(lock_c);"), STEP(0, "lock(lock_b);"), STEP(2, "lock(lock_a);")),
	HELD_OF({ 2, 2, "write", FRAMES_OF(CODE("take_first", 0x12, 0x80, "dine.c", 12)) }),
};
REPORT_OF(three, 0, 1, 0)

/* Too wide for a table. */
static const struct lp_report_finding five = {
	.id = "0000000000000005", CIRCULAR, FEASIBLE,
	.title = "circular locking: lock_a -> lock_b -> lock_c -> lock_d -> lock_e -> lock_a",
	LOCKS_OF(NAMED(a), NAMED(b), NAMED(c), NAMED(d), NAMED(e)), .cycle_count = 5,
	THREADS_OF(PHILOSOPHER(0), PHILOSOPHER(1), PHILOSOPHER(2), PHILOSOPHER(3),
		   PHILOSOPHER(4)),
	STACKS_OF(FORK(0, 1), FORK(1, 2), FORK(2, 3), FORK(3, 4), FORK(4, 0)),
	STEPS_OF(STEP(4, "lock(lock_e);"), STEP(0, "lock(lock_a);"), STEP(1, "lock(lock_b);"),
		 STEP(2, "lock(lock_c);"), STEP(3, "lock(lock_d);"), STEP(3, "lock(lock_e);"),
		 STEP(2, "lock(lock_d);"), STEP(1, "lock(lock_c);"), STEP(0, "lock(lock_b);"),
		 STEP(4, "lock(lock_a);")),
	HELD_OF({ 4, 4, "write", FRAMES_OF(CODE("take_first", 0x14, 0x80, "dine.c", 14)) }),
};
REPORT_OF(five, 0, 1, 0)

static const struct lp_report_finding one_thread = {
	.id = "0000000000000011", CIRCULAR, .level = "possible",
	.reason = "Only one thread was seen to take these locks in these orders.",
	.title = "circular locking: lock_a -> lock_b -> lock_a",
	LOCKS_OF(NAMED(a), NAMED(b)), .cycle_count = 2,
	THREADS_OF(THREAD("main", 900, 900, 1, NULL, NULL), THREAD("main", 900, 900, 1, NULL, NULL)),
	STACKS_OF(FORK(0, 1), FORK(1, 0)),
	STEPS_OF(STEP(1, "lock(lock_b);"), STEP(0, "lock(lock_a);"), STEP(0, "lock(lock_b);"),
		 STEP(1, "lock(lock_a);")),
	HELD_OF({ 1, 1, "write", FRAMES_OF(CODE("take_first", 0x11, 0x80, "dine.c", 11)) }),
};
REPORT_OF(one_thread, 1, 0, 0)

/* No symbols, no names: stripped, recorded by a thread that was never seen to start. */
static const struct lp_report_finding stripped = {
	.id = "0000000000000012", CIRCULAR, FEASIBLE,
	.title = "circular locking: blob+0x11a9 -> blob+0x4040 -> blob+0x11a9",
	LOCKS_OF(LOCK("blob+0x11a9", "mutex", "00000000000000ee", "initialised in blob+0x11a9", 0),
		 LOCK("blob+0x4040", "mutex", "00000000000000ff", "static in blob", 0)),
	.cycle_count = 2,
	THREADS_OF(THREAD(NULL, 0, 0, 0, NULL, NULL), THREAD("blob", 77, 78, 2, "blob+0x1300", NULL)),
	STACKS_OF(STACK("held", 0, 0, BARE("/srv/blob", 0x1200), BARE(NULL, 0x7f00)),
		  STACK("wanted", 1, 0, BARE("/srv/blob", 0x1210)),
		  STACK("held", 1, 1, BARE("/srv/blob", 0x1310)),
		  { .role = "wanted", .lock = 0, .thread = 1, .edge = 1, .mode = "write" }),
	STEPS_OF(STEP(1, "lock(blob+0x4040);"), STEP(0, "lock(blob+0x11a9);"),
		 STEP(0, "lock(blob+0x4040);"), STEP(1, "lock(blob+0x11a9);")),
	HELD_OF({ 1, 1, "write", FRAMES_OF(BARE("/srv/blob", 0x1310)) }),
};
REPORT_OF(stripped, 0, 1, 0)

/* Threads of two processes; instances of one class. */
static const struct lp_report_finding processes = {
	.id = "0000000000000013", CIRCULAR, .level = "possible",
	.reason = "The orders were seen in different processes only.",
	.title = "circular locking: &acct->lock -> &acct->lock -> &acct->lock",
	LOCKS_OF(LOCK("&acct->lock", "mutex", "00000000000000aa", NULL, 0x7f3a8c000b20),
		 LOCK("&acct->lock", "mutex", "00000000000000aa", NULL, 0x7f3a8c000c80)),
	.cycle_count = 2,
	THREADS_OF(THREAD("bank", 31, 31, 1, NULL, NULL), THREAD("bank", 32, 32, 1, NULL, "T1")),
	STACKS_OF(FORK(0, 1), FORK(1, 0)),
	STEPS_OF(STEP(1, "lock(&acct->lock 7f3a8c000c80);"), STEP(0, "lock(&acct->lock 7f3a8c000b20);"),
		 STEP(0, "lock(&acct->lock 7f3a8c000c80);"),
		 STEP(1, "lock(&acct->lock 7f3a8c000b20);")),
};
REPORT_OF(processes, 1, 0, 0)

#define MAP "std::map<std::__cxx11::basic_string<char, std::char_traits<char>, " \
	"std::allocator<char> >, std::vector<bank::account<decimal<38, 2> > > >"
#define ENDLESS_10 "endless_na"
#define ENDLESS_100 ENDLESS_10 ENDLESS_10 ENDLESS_10 ENDLESS_10 ENDLESS_10 ENDLESS_10 \
	ENDLESS_10 ENDLESS_10 ENDLESS_10 ENDLESS_10

static const struct lp_report_finding templates = {
	.id = "0000000000000014", CIRCULAR, FEASIBLE,
	.title = "circular locking: bank::ledger<" MAP " >::guard -> " ENDLESS_100 ENDLESS_100,
	LOCKS_OF(LOCK("bank::ledger<" MAP " >::guard", "rwlock", "1", "static in bank", 0),
		 LOCK(ENDLESS_100 ENDLESS_100 "_end", "mutex", "2", NULL, 0)),
	.cycle_count = 2,
	THREADS_OF(PAYER, AUDITOR),
	STACKS_OF(STACK("held", 0, 0, CODE("void bank::ledger<" MAP " >::post<" MAP ">(" MAP
					   " const&)", 0x10, 0x20, "ledger.hh", 5)),
		  STACK("wanted", 1, 0, CODE("bank::operator<< <" MAP " >(std::ostream&, " MAP
					     " const&)", 0x10, 0x20, "ledger.hh", 7)),
		  STACK("held", 1, 1, CODE(ENDLESS_100 ENDLESS_100 "::end", 0x10, 0x20, NULL, 0)),
		  STACK("wanted", 0, 1, INLINE("std::vector<int>::size() const", "stl_vector.h",
					       9))),
	STEPS_OF(STEP(1, "lock(" ENDLESS_100 ENDLESS_100 "_end);"),
		 STEP(0, "lock(bank::ledger<" MAP " >::guard);"),
		 STEP(0, "lock(" ENDLESS_100 ENDLESS_100 "_end);"),
		 STEP(1, "lock(bank::ledger<" MAP " >::guard);")),
};
REPORT_OF(templates, 0, 1, 0)

/* Everything a hostile binary can name: it must reach neither the terminal nor the line. */
#define EVIL "evil\n*** all is well ***\033[2J\033]0;owned\a\r\x9b" "31m\xff\xfe\xc2\x9b" "1m" \
	"\xe2\x80\xae" "desrever\xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf\xc3\xa9\xe2\x82"

static const struct lp_report_finding hostile = {
	.id = "0000000000000015", CIRCULAR, FEASIBLE,
	.title = "circular locking: " EVIL,
	LOCKS_OF(LOCK(EVIL, "mutex", "1", "static in " EVIL, 0), LOCK("", "mutex", "2", NULL, 0)),
	.cycle_count = 2,
	THREADS_OF(THREAD(EVIL, 1, 2, 3, EVIL, EVIL), THREAD("", 1, 3, 4, "", "")),
	STACKS_OF(STACK("held", 0, 0, CODE(EVIL, 0x10, 0x20, EVIL, 5)),
		  STACK("wanted", 1, 0, { .module = "/" EVIL, .offset = UINT64_MAX }),
		  STACK("held", 1, 1, { .function = EVIL, .module = "/tmp/" EVIL }),
		  STACK("wanted", 0, 1, CODE("", 0x10, 0x20, "", 5))),
	STEPS_OF(STEP(1, "lock();"), STEP(0, "lock(" EVIL ");"), STEP(0, "lock();"),
		 STEP(1, "lock(" EVIL ");")),
	.event_text = "x", .holder = EVIL,
};
REPORT_OF(hostile, 0, 1, 0)

#define RECURSIVE \
	.kind = "recursive-locking", .header = "WARNING: possible recursive locking detected"

static const struct lp_report_finding recursive = {
	.id = "0000000000000021", RECURSIVE, FEASIBLE,
	.title = "recursive locking: &from->lock in transfer",
	LOCKS_OF(LOCK_A), .cycle_count = 1, THREADS_OF(PAYER),
	STACKS_OF(STACK("held", 0, 0, CODE("pay", 0x10, 0x20, "bank.c", 61)),
		  STACK("wanted", 0, 0, CODE("transfer", 0x10, 0x20, "bank.c", 41))),
	STEPS_OF(STEP(0, "lock(&from->lock);"), STEP(0, "lock(&from->lock);")),
	HELD_OF({ 0, 0, "write", FRAMES_OF(CODE("pay", 0x10, 0x20, "bank.c", 61)) }),
};
REPORT_OF(recursive, 0, 1, 0)

static const struct lp_report_finding nested = {
	.id = "0000000000000022", RECURSIVE, .level = "possible",
	.reason = "Locks of one class were nested, but never in opposite orders.",
	.title = "recursive locking: &from->lock in transfer",
	LOCKS_OF(LOCK_A, LOCK("&from->lock", "mutex", "00000000000000aa",
			   "initialised in account_new bank.c:21", 0x7f3a8c000c80)),
	.cycle_count = 2, THREADS_OF(PAYER),
	STACKS_OF(STACK("held", 0, 0, CODE("pay", 0x10, 0x20, "bank.c", 61)),
		  STACK("wanted", 1, 0, CODE("transfer", 0x10, 0x20, "bank.c", 41))),
	STEPS_OF(STEP(0, "lock(&from->lock 7f3a8c000b20);"), STEP(0, "lock(&from->lock 7f3a8c000c80);")),
	HELD_OF({ 0, 0, "write", FRAMES_OF(CODE("pay", 0x10, 0x20, "bank.c", 61)) }),
};
REPORT_OF(nested, 1, 0, 0)

static const struct lp_report_finding relock = {
	.id = "0000000000000023", RECURSIVE, ACTUAL,
	.title = "recursive locking: &from->lock in transfer",
	LOCKS_OF(LOCK_A), .cycle_count = 1, THREADS_OF(PAYER),
	STACKS_OF(STACK("event", 0, 0, CODE("transfer", 0x10, 0x20, "bank.c", 41)),
		  STACK("held", 0, 0, CODE("pay", 0x10, 0x20, "bank.c", 61))),
	STEPS_OF(STEP(0, "lock(&from->lock);"), STEP(0, "lock(&from->lock);")),
	HELD_OF({ 0, 0, "write", FRAMES_OF(CODE("pay", 0x10, 0x20, "bank.c", 61)) }),
	.event_text = "locked again a lock that it holds (an errorcheck mutex: EDEADLK)",
};
REPORT_OF(relock, 0, 0, 1)

#define UNLOCK \
	.kind = "bad-unlock-balance", .header = "WARNING: bad unlock balance detected!", ACTUAL, \
	.title = "unlock of a lock that is not held: audit_lock in audit", \
	.event_text = "released a lock that it does not hold", \
	LOCKS_OF(LOCK_B, LOCK_A), .cycle_count = 1, THREADS_OF(AUDITOR), \
	STACKS_OF(STACK("event", 0, 0, CODE("audit", 0x50, 0x60, "bank.c", 88), \
			LIBRARY("start_thread", 0x2f6, 0x3a0)))

static const struct lp_report_finding unlock = { .id = "0000000000000031", UNLOCK };
REPORT_OF(unlock, 0, 0, 1)

static const struct lp_report_finding unlock_other = {
	.id = "0000000000000032", UNLOCK, .holder = "T2 payer/4712",
	HELD_OF({ 0, 1, "write", FRAMES_OF(CODE("audit", 0x12, 0x60, "bank.c", 82)) }),
};
REPORT_OF(unlock_other, 0, 0, 1)

static const struct lp_report_finding freed = {
	.id = "0000000000000041", .kind = "held-lock-freed", ACTUAL,
	.header = "WARNING: held lock freed!",
	.title = "held lock freed: &from->lock in account_free",
	.event_text = "destroyed a lock that is held",
	LOCKS_OF(LOCK_A), .cycle_count = 1, THREADS_OF(PAYER),
	STACKS_OF(STACK("event", 0, 0, CODE("account_free", 0x14, 0x20, "bank.c", 35),
			CODE("pay", 0x30, 0x40, "bank.c", 66)),
		  STACK("held", 0, 0, CODE("pay", 0x10, 0x40, "bank.c", 61))),
	HELD_OF({ 0, 0, "write", FRAMES_OF(CODE("pay", 0x10, 0x40, "bank.c", 61)) }),
};
REPORT_OF(freed, 0, 0, 1)

static const struct lp_report_finding at_exit = {
	.id = "0000000000000051", .kind = "held-at-exit", ACTUAL,
	.header = "WARNING: payer/4712 still has locks held!",
	.title = "lock held at thread exit: &from->lock in pay",
	.event_text = "a thread ended while it held a lock",
	LOCKS_OF(LOCK_A, LOCK_B), .cycle_count = 1, THREADS_OF(PAYER),
	STACKS_OF(STACK("event", 0, 0, LIBRARY("start_thread", 0x310, 0x3a0))),
	HELD_OF({ 0, 0, "write", FRAMES_OF(CODE("pay", 0x10, 0x40, "bank.c", 61)) },
		{ 0, 1, "read", FRAMES_OF(CODE("pay", 0x18, 0x40, "bank.c", 62)) }),
};
REPORT_OF(at_exit, 0, 0, 1)

#define DEADLOCK \
	.kind = "deadlock", .header = "BUG: deadlock: it is happening now", ACTUAL

static const struct lp_report_finding deadlock = {
	.id = "0000000000000061", DEADLOCK,
	.title = "deadlock: &from->lock -> audit_lock -> &from->lock in audit",
	LOCKS_OF(LOCK_A, LOCK_B), .cycle_count = 2, THREADS_OF(PAYER, AUDITOR),
	STACKS_OF(STACK("held", 0, 0, CODE("pay", 0x10, 0x40, "bank.c", 61)),
		  STACK("wanted", 1, 0, CODE("transfer", 0x48, 0x90, "bank.c", 44)),
		  STACK("held", 1, 1, CODE("audit", 0x12, 0x60, "bank.c", 82)),
		  STACK("wanted", 0, 1, CODE("audit", 0x3c, 0x60, "bank.c", 85))),
	STEPS_OF(STEP(1, "lock(audit_lock);"), STEP(0, "lock(&from->lock);"),
		 STEP(0, "lock(audit_lock);"), STEP(1, "lock(&from->lock);")),
	HELD_OF({ 0, 0, "write", FRAMES_OF(CODE("pay", 0x10, 0x40, "bank.c", 61)) },
		{ 1, 1, "write", FRAMES_OF(CODE("audit", 0x12, 0x60, "bank.c", 82)) }),
};
REPORT_OF(deadlock, 0, 0, 1)

static const struct lp_report_finding deadlock_self = {
	.id = "0000000000000062", DEADLOCK, .title = "deadlock: &from->lock in transfer",
	LOCKS_OF(LOCK_A), .cycle_count = 1, THREADS_OF(PAYER),
	STACKS_OF(STACK("held", 0, 0, CODE("pay", 0x10, 0x40, "bank.c", 61)),
		  STACK("wanted", 0, 0, CODE("transfer", 0x48, 0x90, "bank.c", 44))),
	STEPS_OF(STEP(0, "lock(&from->lock);"), STEP(0, "lock(&from->lock);")),
	HELD_OF({ 0, 0, "write", FRAMES_OF(CODE("pay", 0x10, 0x40, "bank.c", 61)) }),
};
REPORT_OF(deadlock_self, 0, 0, 1)

/* Whole reports: the summary, several findings, a recording that ended early. */

static const struct lp_report none = {
	.program = "true", .version = "lockproof 0.1.0",
	.summary = { .threads = 1, .processes = 1, .classes = 1, .chains = 1, .acquisitions = 1 },
};

static const struct lp_report only_hidden = {
	.program = "bank", .version = "lockproof 0.1.0", .summary = SUMMARY(1, 0, 0), .hidden = 1,
};

static const struct lp_report_finding *const three_levels[] = { &unlock, &recursive, &nested };

static const struct lp_report several = {
	.program = "bank", .version = "lockproof 0.1.0", .summary = SUMMARY(3, 1, 1),
	.findings = three_levels, .finding_count = 3, .hidden = 2,
};

static const struct lp_report_finding *const one_finding[] = { &unlock };

static const struct lp_report stopped = {
	.program = "bank", .version = "lockproof 0.1.0", .summary = SUMMARY(0, 0, 1),
	.stopped = "recording stopped at 12:00:03: the file system is full",
	.findings = one_finding, .finding_count = 1,
};

static const struct lp_report stopped_none = {
	.program = EVIL, .version = "lockproof 0.1.0", .summary = SUMMARY(0, 0, 0),
	.stopped = "recording stopped at 12:00:03: the file system is full",
};

const struct render_case render_cases[] = {
	{ "two", &two_report },
	{ "modes", &modes_report },
	{ "three", &three_report },
	{ "five", &five_report },
	{ "one-thread", &one_thread_report },
	{ "stripped", &stripped_report },
	{ "processes", &processes_report },
	{ "templates", &templates_report },
	{ "hostile", &hostile_report },
	{ "recursive", &recursive_report },
	{ "nested", &nested_report },
	{ "relock", &relock_report },
	{ "unlock", &unlock_report },
	{ "unlock-other", &unlock_other_report },
	{ "freed", &freed_report },
	{ "at-exit", &at_exit_report },
	{ "deadlock", &deadlock_report },
	{ "deadlock-self", &deadlock_self_report },
	{ "none", &none },
	{ "only-hidden", &only_hidden },
	{ "several", &several },
	{ "stopped", &stopped },
	{ "stopped-none", &stopped_none },
	{ NULL, NULL },
};

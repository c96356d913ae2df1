/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cases_scenario.c — reports about scenarios: objects with names, what is given, what runs,
 * writers that queue between readers, forks.
 */
#include "cases_make.h"

#define LINE(name, number) \
	{ .function = name, .file = "bank.litmus", .line = number, .module = "scenario:bank", \
	  .offset = number }
#define OBJECT(its_name, its_kind, its_object) \
	{ .name = its_name, .kind = its_kind, .class_key = its_name, .object = its_object }
#define NAMED(its_name, its_number) { .comm = its_name, .number = its_number }
#define AT(what, lock_index, index, column, its_tie, its_mode, name, its_line) \
	{ .role = what, .lock = lock_index, .thread = column, .edge = index, .tie = its_tie, \
	  .mode = its_mode, FRAMES_OF(LINE(name, its_line)) }
#define WRITERS_OF(...) FIELD(writers, writer_count, struct lp_report_writer, __VA_ARGS__)

#define ITSELF \
	.level = "feasible", .reason = "The thread waits for a lock that it holds itself."

/* Two locks of one class in a cycle, a third one held: names tell them apart. */
static const struct lp_report_finding named = {
	.id = "0000000000000b01", CIRCULAR, FEASIBLE,
	.title = "circular locking: &account->lock -> &account->lock -> &account->lock in P0",
	LOCKS_OF(OBJECT("&account->lock", "mutex", "bob"),
		 OBJECT("&account->lock", "mutex", "alice"),
		 OBJECT("&account->lock", "mutex", "bank"), OBJECT("log", "mutex", "log")),
	.cycle_count = 2, THREADS_OF(NAMED("P1", 2), NAMED("P0", 1)),
	STACKS_OF(AT("held", 0, 0, 0, LP_TIE_LOCK, "write", "P1", 19),
		  AT("wanted", 1, 0, 0, LP_TIE_LOCK, "write", "P1", 20),
		  AT("held", 1, 1, 1, LP_TIE_LOCK, "write", "P0", 11),
		  AT("wanted", 0, 1, 1, LP_TIE_LOCK, "write", "P0", 12)),
	STEPS_OF(STEP(1, "lock(&account->lock alice);"), STEP(0, "lock(&account->lock bob);"),
		 STEP(0, "lock(&account->lock alice);"), STEP(1, "lock(&account->lock bob);")),
	HELD_OF({ 1, 2, "write", FRAMES_OF(LINE("P0", 9)) },
		{ 1, 3, "write", FRAMES_OF(LINE("P0", 10)) },
		{ 1, 1, "write", FRAMES_OF(LINE("P0", 11)) }),
};
REPORT_OF(named, 0, 1, 0)

/* A work item that has yet to complete: what it runs in is held, the completion is not. */
static const struct lp_report_finding completion = {
	.id = "0000000000000b02", CIRCULAR, FEASIBLE,
	.title = "circular locking: m -> done -> m in firmware",
	LOCKS_OF(OBJECT("m", "struct mutex", "m"), OBJECT("done", "completion", "done"),
		 OBJECT("(work_completion)(firmware)", "lock map", "(work_completion)(firmware)")),
	.cycle_count = 2, THREADS_OF(NAMED("P0", 1), NAMED("firmware", 2)),
	STACKS_OF(AT("held", 0, 0, 0, LP_TIE_LOCK, "write", "P0", 10),
		  AT("wanted", 1, 0, 0, LP_TIE_COMPLETION, "write", "P0", 12),
		  AT("held", 1, 1, 1, LP_TIE_COMPLETION, "read-recursive", "firmware", 19),
		  AT("wanted", 0, 1, 1, LP_TIE_LOCK, "write", "firmware", 18)),
	STEPS_OF(STEP(0, "lock(m);"), STEP(0, "wait_for_completion(done);"),
		 STEP(1, "lock(m);"), STEP(1, "(never gets to: complete(done);)")),
	HELD_OF({ 1, 2, "write", .tie = LP_TIE_RUN, FRAMES_OF(LINE("firmware", 16)) },
		{ 1, 1, "read-recursive", .tie = LP_TIE_COMPLETION,
		  FRAMES_OF(LINE("firmware", 19)) }),
};
REPORT_OF(completion, 0, 1, 0)

/* Each is to give what the other one waits for; nothing is held. */
static const struct lp_report_finding given = {
	.id = "0000000000000b03", CIRCULAR, FEASIBLE,
	.title = "circular locking: c -> s -> c in P1",
	LOCKS_OF(OBJECT("c", "condition", "c"), OBJECT("s", "semaphore", "s")),
	.cycle_count = 2, THREADS_OF(NAMED("P0", 1), NAMED("P1", 2)),
	STACKS_OF(AT("held", 0, 0, 0, LP_TIE_CONDITION, "read-recursive", "P0", 9),
		  AT("wanted", 1, 0, 0, LP_TIE_SEMAPHORE, "write", "P0", 8),
		  AT("held", 1, 1, 1, LP_TIE_SEMAPHORE, "read-recursive", "P1", 15),
		  AT("wanted", 0, 1, 1, LP_TIE_CONDITION, "write", "P1", 14)),
	STEPS_OF(STEP(0, "wait(s);"), STEP(0, "(never gets to: signal(c);)"),
		 STEP(1, "wait(c);"), STEP(1, "(never gets to: post(s);)")),
	HELD_OF({ 1, 1, "read-recursive", .tie = LP_TIE_SEMAPHORE, FRAMES_OF(LINE("P1", 15)) }),
};
REPORT_OF(given, 0, 1, 0)

static const struct lp_report_finding flush_itself = {
	.id = "0000000000000b04", .kind = "recursive-locking", ITSELF,
	.header = "WARNING: possible recursive locking detected",
	.title = "recursive locking: (work_completion)(drain) in drain",
	LOCKS_OF(OBJECT("(work_completion)(drain)", "lock map", "(work_completion)(drain)")),
	.cycle_count = 1, THREADS_OF(NAMED("drain", 1)),
	STACKS_OF(AT("held", 0, 0, 0, LP_TIE_RUN, "write", "drain", 6),
		  AT("wanted", 0, 0, 0, LP_TIE_RUN, "write", "drain", 8)),
	STEPS_OF(STEP(0, "(drain() runs)"), STEP(0, "(waits for drain() to end)")),
	HELD_OF({ 0, 0, "write", .tie = LP_TIE_RUN, FRAMES_OF(LINE("drain", 6)) }),
};
REPORT_OF(flush_itself, 0, 1, 0)

/* Readers at both ends of two orders, and a writer in each gap. */
static const struct lp_report_finding writers = {
	.id = "0000000000000b05", CIRCULAR, FEASIBLE,
	.title = "circular locking: a -> b -> a in P1",
	LOCKS_OF(OBJECT("a", "rwlock", "a"), OBJECT("b", "rwlock", "b")),
	.cycle_count = 2,
	THREADS_OF(NAMED("P0", 1), NAMED("P1", 2), NAMED("P2", 3), NAMED("P3", 4)),
	STACKS_OF(AT("held", 0, 0, 0, LP_TIE_LOCK, "read", "P0", 11),
		  AT("wanted", 1, 0, 0, LP_TIE_LOCK, "read", "P0", 12),
		  AT("held", 1, 1, 1, LP_TIE_LOCK, "read", "P1", 19),
		  AT("wanted", 0, 1, 1, LP_TIE_LOCK, "read", "P1", 20),
		  AT("writer", 1, 0, 2, LP_TIE_LOCK, "write", "P2", 33),
		  AT("writer", 0, 1, 3, LP_TIE_LOCK, "write", "P3", 27)),
	STEPS_OF(STEP(1, "rlock(b);"), STEP(0, "rlock(a);"), STEP(2, "wlock(b);"),
		 STEP(0, "rlock(b);"), STEP(3, "wlock(a);"), STEP(1, "rlock(a);")),
	WRITERS_OF({ 0, 2 }, { 1, 3 }),
	HELD_OF({ 1, 1, "read", FRAMES_OF(LINE("P1", 19)) }),
};
REPORT_OF(writers, 0, 1, 0)

static const struct lp_report_finding forked = {
	.id = "0000000000000b06", .kind = "inconsistent-lock-state", .level = "feasible",
	.header = "WARNING: inconsistent lock state",
	.reason = "Another thread may hold the lock at the moment of the fork; in the child nobody "
		  "ever releases it.",
	.title = "inconsistent lock state: m in P0",
	LOCKS_OF(OBJECT("m", "mutex", "m")), .cycle_count = 1,
	.contexts = (const char *const[]){ "FORK" }, .context_count = 1,
	THREADS_OF(NAMED("P1", 2), NAMED("P0", 1)),
	STRIKES_OF({ .edge = 0, .thread = 1, .context = "FORK", .fork = true, .on = "FORK-ON-W",
		     .in = "IN-FORK-W", .safe = "FORK", .unsafe = "FORK" }),
	STACKS_OF(AT("held", 0, 0, 0, LP_TIE_LOCK, "write", "P1", 20),
		  AT("wanted", 0, 0, 1, LP_TIE_LOCK, "write", "P0", 12)),
	STEPS_OF(STEP(0, "lock(m);"), STEP(0, "<P0 forks; in the child:>"), INNER(0, "lock(m);")),
	.state = "FORK:IN1:ON0",
};
REPORT_OF(forked, 0, 1, 0)

/* A wait for a completion where nobody may sleep. */
static const struct lp_report_finding wait_given = {
	.id = "0000000000000b07", .kind = "invalid-wait-context", ACTUAL,
	.header = "BUG: Invalid wait context", .title = "invalid wait context: done in P0",
	LOCKS_OF(OBJECT("done", "completion", "done"), OBJECT("l", "spinlock_t", "l")),
	.cycle_count = 1, THREADS_OF(NAMED("P0", 1)),
	STACKS_OF(AT("wanted", 0, 0, 0, LP_TIE_COMPLETION, "write", "P0", 11)),
	.forbidden = "while l is held", .wait_context = 5,
	HELD_OF({ 0, 1, "write", FRAMES_OF(LINE("P0", 10)) }),
};
REPORT_OF(wait_given, 0, 0, 1)

/* Nothing to tell about locks or threads, and nothing of the kernel's: no heading. */
static const struct lp_report_finding no_info = {
	.id = "0000000000000b08", .kind = "invalid-wait-context", ACTUAL,
	.header = "BUG: Invalid wait context", .title = "invalid wait context in P0",
	.event_text = "slept where sleeping is not allowed",
	THREADS_OF(NAMED("P0", 1)),
	STACKS_OF(AT("event", 0, 0, 0, LP_TIE_LOCK, NULL, "P0", 11)),
	.forbidden = "while interrupts or softirqs are disabled",
};
REPORT_OF(no_info, 0, 0, 1)

const struct render_case scenario_cases[] = {
	{ "named", &named_report },
	{ "completion", &completion_report },
	{ "given", &given_report },
	{ "flush-itself", &flush_itself_report },
	{ "writers", &writers_report },
	{ "forked", &forked_report },
	{ "wait-given", &wait_given_report },
	{ "no-info", &no_info_report },
	{ NULL, NULL },
};

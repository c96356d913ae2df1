/* SPDX-License-Identifier: Apache-2.0 */
/* cases_make.h — words to make reports by hand; for cases*.c. */
#ifndef LP_TESTS_RENDER_CASES_MAKE_H
#define LP_TESTS_RENDER_CASES_MAKE_H

#include "base/compiler.h"
#include "cases.h"

#define LIST(type, ...) \
	(const type[]){ __VA_ARGS__ }, lp_array_size(((const type[]){ __VA_ARGS__ }))
#define LOCKS(...) LIST(struct lp_report_lock, __VA_ARGS__)
#define THREADS(...) LIST(struct lp_report_thread, __VA_ARGS__)
#define STACKS(...) LIST(struct lp_report_stack, __VA_ARGS__)
#define STEPS(...) LIST(struct lp_report_step, __VA_ARGS__)
#define HELD(...) LIST(struct lp_report_held, __VA_ARGS__)

/* Frames: of a program with debug information, inlined into it, of a library, of nothing known. */
#define CODE(name, at, size, path, number) \
	{ .function = name, .function_offset = at, .function_size = size, .file = path, \
	  .line = number, .module = "/opt/bank/bank", .build_id = "00112233445566778899", \
	  .offset = 0x1000 + (at) }
#define INLINE(name, path, number) \
	{ .function = name, .file = path, .line = number, .inlined = true, \
	  .module = "/opt/bank/bank", .build_id = "00112233445566778899", .offset = 0x1234 }
#define LIBRARY(name, at, size) \
	{ .function = name, .function_offset = at, .function_size = size, \
	  .module = "/lib/x86_64-linux-gnu/libc.so.6", .offset = 0x89000 + (at) }
#define BARE(path, at) { .module = path, .offset = at }

#define STACK(what, lock_index, index, ...) \
	{ .role = what, .lock = lock_index, .thread = index, .edge = index, .mode = "write", \
	  FRAMES_OF(__VA_ARGS__) }
#define FRAMES_OF(...) \
	.frames = (const struct lp_report_frame[]){ __VA_ARGS__ }, \
	.frame_count = lp_array_size(((const struct lp_report_frame[]){ __VA_ARGS__ }))
#define FIELD(array, counter, type, ...) \
	.array = (const type[]){ __VA_ARGS__ }, \
	.counter = lp_array_size(((const type[]){ __VA_ARGS__ }))
#define LOCKS_OF(...) FIELD(locks, lock_count, struct lp_report_lock, __VA_ARGS__)
#define THREADS_OF(...) FIELD(threads, thread_count, struct lp_report_thread, __VA_ARGS__)
#define STACKS_OF(...) FIELD(stacks, stack_count, struct lp_report_stack, __VA_ARGS__)
#define STEPS_OF(...) FIELD(steps, step_count, struct lp_report_step, __VA_ARGS__)
#define STRIKES_OF(...) FIELD(strikes, strike_count, struct lp_report_strike, __VA_ARGS__)
#define HELD_OF(...) FIELD(held, held_count, struct lp_report_held, __VA_ARGS__)

#define LOCK(its_name, its_kind, its_key, its_origin, its_address) \
	{ .name = its_name, .kind = its_kind, .class_key = its_key, .created = its_origin, \
	  .address = its_address }
#define THREAD(its_name, its_pid, its_tid, its_number, its_start, its_origin) \
	{ .comm = its_name, .pid = its_pid, .tid = its_tid, .number = its_number, \
	  .start = its_start, .created_by = its_origin }
#define STEP(column, what) { .thread = column, .text = what }
#define INNER(column, what) { .thread = column, .text = what, .depth = 1 }

#define SUMMARY(possible, feasible, actual) \
	{ .classes = 12, .chains = 34, .edges = 20, .threads = 5, .processes = 1, \
	  .acquisitions = 1234567, .findings = { possible, feasible, actual } }

/* A report with this finding alone. */
#define REPORT_OF(of, ...) \
	static const struct lp_report_finding *const of##_findings[] = { &of }; \
	static const struct lp_report of##_report = { \
		.program = "bank --threads 2", .version = "lockproof 0.1.0", \
		.summary = SUMMARY(__VA_ARGS__), \
		.findings = of##_findings, .finding_count = 1, \
	};

#define CIRCULAR \
	.kind = "circular-locking", \
	.header = "WARNING: possible circular locking dependency detected"
#define FEASIBLE \
	.level = "feasible", .reason = "The threads were never ordered by create or join, and " \
	"no lock was held around both."
#define ACTUAL .level = "actual", .reason = "It happened in this run."

#define LOCK_A LOCK("&from->lock", "mutex", "00000000000000aa", \
		    "initialised in account_new bank.c:21", 0x7f3a8c000b20)
#define LOCK_B LOCK("audit_lock", "mutex", "00000000000000bb", "static in bank", 0x5581a2b3c040)
#define PAYER THREAD("payer", 4711, 4712, 2, "pay bank.c:60", "T1 in main bank.c:99")
#define AUDITOR THREAD("auditor", 4711, 4713, 3, "audit bank.c:80", "T1 in main bank.c:100")

#endif

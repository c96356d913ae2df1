/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h — what renderers print: findings with every name resolved, as plain data.
 *
 * Filled by a front end (cli/describe.c), printed by lp_render_*. Strings are NUL-terminated UTF-8
 * or raw bytes of the target; renderers escape what their format needs. The filler owns all memory.
 */
#ifndef LP_RENDER_REPORT_H
#define LP_RENDER_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct lp_report_frame {
	const char	*function;	/* NULL: unknown */
	const char	*file;		/* NULL: unknown */
	uint32_t	line;		/* 0: unknown */
	bool		inlined;
	bool		trampoline;	/* where a signal handler returns to */
	const char	*module;	/* path; NULL: unknown */
	const char	*build_id;	/* hex; NULL: none */
	uint64_t	offset;		/* in the module */
	uint64_t	function_offset, function_size;	/* 0/0: unknown */
};

struct lp_report_lock {
	const char	*name;		/* "&q->lock", "#2" included */
	const char	*kind;		/* "mutex", "rwlock", ... */
	const char	*class_key;	/* stable, hex */
	const char	*created;	/* "initialised in queue_new server.c:120", "static in a.out",
					   "first locked in transfer bank.c:12"; NULL: unknown */
	const char	*object;	/* which one of the class, by its name: "alice"; NULL */
	uint64_t	address;	/* likewise, when there is no name; 0: not told apart */
	const char	*usage;		/* letters of how it is used in contexts, and while they can
					   strike: "+.?."; NULL: not told */
	const char	*wait;		/* what it needs and leaves: "3:3"; NULL: not told */
};

struct lp_report_thread {
	const char	*comm;
	uint32_t	pid, tid;
	uint32_t	number;		/* 1: first */
	const char	*start;		/* "worker (server.c:88)"; NULL: main */
	const char	*created_by;	/* "thread 1 at main server.c:200"; NULL */
	bool		forked;		/* as the first of its process, by that thread */
	const char	*context;	/* it stands for all that runs in this: "SOFTIRQ"; NULL:
					   it is a thread */
	bool		irq;		/* that is an interrupt of the kernel */
};

/*
 * What keeps others waiting, or what is waited for: X(name, word in JSON). Most of it is a lock
 * that somebody holds. Nobody holds what is given: somebody has yet to complete, signal or post it.
 * And what runs need not hold anything: others wait for its end.
 */
#define LP_REPORT_TIES(X) \
	X(LOCK, "lock") \
	X(COMPLETION, "completion") \
	X(CONDITION, "condition") \
	X(SEMAPHORE, "semaphore") \
	X(RUN, "run")

enum lp_report_tie {
#define X(name, word) LP_TIE_##name,
	LP_REPORT_TIES(X)
#undef X
	LP_TIE_COUNT
};

static inline bool lp_report_is_given(enum lp_report_tie tie)
{
	return tie == LP_TIE_COMPLETION || tie == LP_TIE_CONDITION || tie == LP_TIE_SEMAPHORE;
}

/* Bits of lp_report_stack.flags, as in enum lp_acquire_flags. */
enum { LP_REPORT_TRY = 1, LP_REPORT_TIMED = 2 };

/*
 * role: "held" (where the lock was taken that blocks the other; of what is given: where that would
 * be; of what runs: where it begins), "wanted", "created", "event", "writer" (where who queues
 * between two readers wants to write), "state" (of a dependency with a strike: where the held lock
 * came to be held while that can strike: where it was taken, or where the strike was let in later).
 */
struct lp_report_stack {
	const char	*role;
	uint32_t	lock;		/* index in locks[], below cycle_count */
	uint32_t	thread;		/* index in threads[] */
	uint32_t	edge;		/* which dependency of the cycle, from 0 */
	/* of "held" and "wanted" */
	const char	*mode;		/* "write", "read", "read-recursive" */
	uint32_t	flags;		/* enum lp_acquire_flags */
	enum lp_report_tie tie;
	const struct lp_report_frame *frames;
	size_t		frame_count;
	size_t		place;		/* frames[]: the one a person would name as the place */
	bool		truncated;	/* there were more frames, further out */
};

/*
 * One row of the table of who holds and wants what; `thread` picks the column. Columns stand in
 * the order in which threads first appear.
 */
struct lp_report_step {
	uint32_t	thread;		/* index in threads[] */
	const char	*text;		/* "lock(&a);" "rlock(&b);" "<Interrupt>" */
	uint32_t	depth;		/* 1: inside the interrupt above it */
};

struct lp_report_held {
	uint32_t	thread;
	uint32_t	lock;
	const char	*mode;
	enum lp_report_tie tie;
	const struct lp_report_frame *frames;	/* where it was acquired, or is to be given; the
						   place first */
	size_t		frame_count;
};

/* When and where code last let a context in, or blocked it, in one thread. */
struct lp_report_change {
	uint32_t	at;		/* which of its changes; 0: never */
	const struct lp_report_frame *frames;	/* the place; none: unknown */
	size_t		frame_count;
};

struct lp_report_stamp {
	const char	*context;	/* "SOFTIRQ", "SIGALRM" */
	const char	*name;		/* "softirqs", "SIGALRM" */
	struct lp_report_change let_in, blocked;
};

/*
 * Dependency `edge` is no wish of threads[edge] itself: an interrupt strikes it while it holds
 * locks[edge], and that wants locks[(edge + 1) % cycle_count]. The stack with the role "wanted" is
 * the interrupt's.
 */
struct lp_report_strike {
	uint32_t	edge;
	uint32_t	thread;		/* threads[]: who was seen to run as the interrupt */
	const char	*context;	/* "SOFTIRQ", "SIGALRM" */
	bool		kernel;		/* an interrupt of the kernel, not a signal or the like */
	bool		signal;
	bool		fork;		/* a fork: its child has a copy of the lock, held for ever */
	const char	*forker;	/* who forks, when threads[thread] is such a child:
					   "T1 server/4711"; NULL: threads[thread] itself */
	const char	*on, *in;	/* both uses: "SOFTIRQ-ON-W", "IN-SOFTIRQ-W" */
	const char	*safe, *unsafe;	/* as what it makes one lock safe and the other unsafe:
					   "SOFTIRQ", "SOFTIRQ-READ" */
	const struct lp_report_stamp *stamps;	/* as threads[thread] ran as the interrupt */
	size_t		stamp_count;	/* 0: unknown */
	uint32_t	events;		/* changes of that kind by the thread until then */
};

/*
 * In dependency `edge` a reader waits for a reader. It does so because of threads[thread], who
 * waits to write the lock in between and lets no further reader pass.
 */
struct lp_report_writer {
	uint32_t	edge;
	uint32_t	thread;
};

/*
 * Dependency i of a cycle: threads[i] holds locks[i] and wants locks[(i + 1) % cycle_count], or is
 * struck by what wants it; the last one is told first. A finding about one thread has one
 * dependency and cycle_count 1, or 2 when a lock was nested inside another of its class.
 * threads[] has one for each dependency, then one for each strike, then one for each writer.
 */
struct lp_report_finding {
	char		id[17];
	const char	*kind;		/* stable id */
	const char	*level;
	const char	*header;	/* kernel-layout header line */
	const char	*title;		/* one line: "circular locking: &a -> &b in transfer" */
	const char	*reason;	/* one sentence: why this level */
	const struct lp_report_lock *locks;	/* cycle order; [0] is held by edge 0 */
	size_t		lock_count;
	size_t		cycle_count;	/* locks[] it is about; those after them are only held */
	const struct lp_report_thread *threads;	/* repeated when the same */
	size_t		thread_count;
	const struct lp_report_stack *stacks;
	size_t		stack_count;
	const struct lp_report_step *steps;
	size_t		step_count;
	const struct lp_report_strike *strikes;
	size_t		strike_count;
	const struct lp_report_writer *writers;
	size_t		writer_count;
	const struct lp_report_held *held;	/* outermost first; of the reporting thread, or of
						   each thread of a deadlock, one after the other.
						   What an interrupt stopped comes before its own */
	size_t		held_count;
	const char *const *contexts;
	size_t		context_count;
	const char	*state;		/* of the reporting thread: "HC0[0]:SC1[1]:HE1:SE0" */
	const char	*event_text;	/* what happened, for findings from an event; NULL */
	const char	*attempt;	/* the same in a layout's words: "is freeing memory"; NULL */
	const char	*objection;	/* "but that lock is pinned!"; NULL: as in all of the kind */
	const char	*holder;	/* who else holds the lock; NULL */
	const char	*nest;		/* the lock that was said to be held around it; NULL */
	const char	*forbidden;	/* where it must not wait: "in HARDIRQ context"; NULL */
	unsigned	wait_context;	/* what the context leaves (enum lp_wait_type, or one more
					   for everything); 0: unknown */
};

struct lp_report_summary {
	uint64_t	classes, chains, edges, threads, processes, acquisitions;
	uint64_t	findings[3];	/* by enum lp_level; hidden ones included */
};

struct lp_report {
	const char	*program;	/* command line */
	const char	*version;	/* "lockproof 0.1.0" */
	const char	*stopped;	/* NULL, or "recording stopped at 12:00:03: why" */
	struct lp_report_summary summary;
	const struct lp_report_finding *const *findings;
	size_t		finding_count;
	size_t		hidden;		/* possible ones that are not shown */
};

struct lp_render_options {
	bool		color;
	bool		strict;
};

/* Text in the kernel's layout. 0 or a negative errno when the stream failed. */
int lp_render_finding_text(FILE *out, const struct lp_report_finding *finding,
			   const struct lp_render_options *options);
/*
 * One to three lines: `stopped` if there is something to say, then the counts. For those who print
 * findings as they arise.
 */
int lp_render_summary_text(FILE *out, const struct lp_report *report,
			   const struct lp_render_options *options);

/* All findings and the summary. The first line says when and why recording stopped, if it did. */
int lp_render_text(FILE *out, const struct lp_report *report,
		   const struct lp_render_options *options);

/* One finding as in that format, for formats of others: a new reference; NULL: memory is short. */
struct json_t;
struct json_t *lp_render_finding_json(const struct lp_report_finding *finding);

/* The format "lockproof-report/1": docs/report.schema.json. */
int lp_render_json(FILE *out, const struct lp_report *report);

#endif

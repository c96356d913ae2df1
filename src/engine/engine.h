/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.h — facts to findings.
 *
 * Pure: no I/O, no clock, no globals, no threads; the same facts give the same findings. The
 * engine keeps no pointer into the model between calls.
 */
#ifndef LP_ENGINE_H
#define LP_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts/model.h"

/* X(name, stable id in every output, header of the kernel-layout report) */
#define LP_FINDING_KINDS(X) \
	X(CIRCULAR_LOCKING, "circular-locking", \
	  "WARNING: possible circular locking dependency detected") \
	X(RECURSIVE_LOCKING, "recursive-locking", \
	  "WARNING: possible recursive locking detected") \
	X(INCONSISTENT_LOCK_STATE, "inconsistent-lock-state", \
	  "WARNING: inconsistent lock state") \
	X(IRQ_LOCK_INVERSION, "irq-lock-inversion", \
	  "WARNING: possible irq lock inversion dependency detected") \
	X(IRQ_UNSAFE_LOCK_ORDER, "irq-unsafe-lock-order", \
	  "WARNING: %s-safe -> %s-unsafe lock order detected") \
	X(BAD_UNLOCK_BALANCE, "bad-unlock-balance", \
	  "WARNING: bad unlock balance detected!") \
	X(HELD_LOCK_FREED, "held-lock-freed", \
	  "WARNING: held lock freed!") \
	X(HELD_AT_EXIT, "held-at-exit", \
	  "WARNING: %s still has locks held!") \
	X(INVALID_WAIT_CONTEXT, "invalid-wait-context", \
	  "BUG: Invalid wait context") \
	X(NESTED_LOCK_NOT_TAKEN, "nested-lock-not-taken", \
	  "WARNING: Nested lock was not taken") \
	X(SUSPICIOUS_RCU_USAGE, "suspicious-rcu-usage", \
	  "WARNING: suspicious RCU usage") \
	X(INVALID_LOCK, "invalid-lock", \
	  "WARNING: invalid lock") \
	X(DEADLOCK, "deadlock", \
	  "BUG: deadlock: it is happening now")

enum lp_finding_kind {
#define X(name, id, header) LP_FINDING_##name,
	LP_FINDING_KINDS(X)
#undef X
	LP_FINDING_KIND_COUNT
};

enum lp_level { LP_POSSIBLE, LP_FEASIBLE, LP_ACTUAL, LP_LEVEL_COUNT };

/* Stable id of a kind ("circular-locking"), word of a level ("feasible"). */
const char *lp_finding_kind_id(enum lp_finding_kind kind);
const char *lp_finding_kind_header(enum lp_finding_kind kind);
const char *lp_level_name(enum lp_level level);

/* Why a finding has its level: X(name, sentence) */
#define LP_REASONS(X) \
	X(HAPPENED, "It happened in this run.") \
	X(CONCURRENT, "The threads were never ordered by create or join, and no lock was held " \
	  "around both.") \
	X(ONE_THREAD, "Only one thread was seen to take these locks in these orders.") \
	X(UNSEEN, "Nobody was seen to take these locks in one of these orders: the program has " \
	  "declared it.") \
	X(GATE, "A common lock was held around both orders, so they cannot overlap.") \
	X(ORDERED, "Thread creation or join puts one order before the other.") \
	X(READERS, "Only readers meet, which do not block one another.") \
	X(TIMED, "A wait gives up after a while, or is not known to last.") \
	X(SYNC, "The handler runs only where the code it strikes fails by itself.") \
	X(INSTANCES, "The orders were seen on different lock objects only.") \
	X(PROCESSES, "The orders were seen in different processes only.") \
	X(SAME_CLASS, "Locks of one class were nested, but never in opposite orders.") \
	X(INTERRUPT, "The interrupt can strike while the lock is held, and nothing else keeps " \
	  "them apart.") \
	X(ITSELF, "The thread waits for a lock that it holds itself.") \
	X(FORKED, "Another thread may hold the lock at the moment of the fork; in the child nobody " \
	  "ever releases it.") \
	X(ONCE, "It would take two runs at once of a handler that never runs twice at once.")

enum lp_reason {
#define X(name, text) LP_REASON_##name,
	LP_REASONS(X)
#undef X
	LP_REASON_COUNT
};

const char *lp_reason_text(enum lp_reason reason);

/*
 * With `context`: an interrupt in that context struck, or could strike, `thread` while it held the
 * lock of `held`, and wanted the lock of `wanted`, a node of the interrupt's own path.
 *
 * One dependency of a cycle: `thread` acquired (or waits for) a lock at node `wanted` while it
 * held the lock of node `held`, an ancestor of `wanted`. In a cycle, the lock wanted by edge i is
 * the lock held by edge i+1, and the last edge's is the first's. When all are of one class and
 * instance, `held` and `wanted` are the two acquisitions of the same lock.
 */
struct lp_finding_edge {
	uint32_t	held;		/* nodes[] */
	uint32_t	wanted;		/* nodes[] */
	uint32_t	witness;	/* witnesses[]; 0: none at hand */
	uint32_t	thread;		/* threads[]; 0: unknown */
	uint32_t	context;	/* contexts[] that strikes; 0: no interrupt between the two */
	uint32_t	striker;	/* witnesses[] of the interrupt; 0: none at hand */
	uint32_t	writer;		/* a reader wants what a reader holds: witnesses[] of who can
					   queue in between; 0: it needs nobody, or was not found */
};

struct lp_finding {
	uint64_t	id;		/* stable: kind and rotation-minimal cycle of class keys */
	enum lp_finding_kind kind;
	enum lp_level	level;
	enum lp_reason	reason;
	uint32_t	revision;	/* grows when level or witnesses change */
	uint32_t	event;		/* events[]; 0: not from an event */
	uint32_t	gate;		/* REASON_GATE: nodes[] of the common lock */
	bool		covered;	/* said as well by a shorter finding, or void since classes
					   were regrouped: leave it out of summaries */
	uint32_t	edge_count;
	struct lp_finding_edge *edge;	/* edge[0]'s classes come first in id order */
};

struct lp_engine_stats {
	uint64_t	edges;		/* class-level dependencies */
	uint64_t	searches;	/* cycle searches that were needed */
};

struct lp_engine *lp_engine_create(void);	/* NULL when memory is short */
void lp_engine_destroy(struct lp_engine *engine);

/*
 * Which frames only pass a lock on (see lp_model_regroup): the place of an event is the first that
 * does not. Without it the innermost frame counts. Call it before the first judge.
 */
void lp_engine_set_wrapper(struct lp_engine *engine, lp_wrapper_fn *wrapper, void *context);

/*
 * Judge everything in the model that is new since the last call; every fine class must have its
 * group. When model->grouping has changed since, all is judged anew and findings keep their ids.
 * 0 or -ENOMEM (findings so far stay valid).
 */
int lp_engine_judge(struct lp_engine *engine, const struct lp_model *model);

/*
 * Report a deadlock that the supervisor saw: `edges` is the cycle of blocked threads. The finding
 * is added once. 0 or -ENOMEM.
 */
int lp_engine_add_deadlock(struct lp_engine *engine, const struct lp_model *model,
			   const struct lp_finding_edge *edges, uint32_t count);

/* How a class was used with regard to a context; bits of lp_engine_usage(). */
enum lp_usage {
	LP_USED_IN	= 1,	/* taken in it as a writer */
	LP_USED_IN_READ	= 2,
	LP_USED_ON	= 4,	/* held as a writer while it could strike */
	LP_USED_ON_READ	= 8,
};

/* enum lp_usage bits of a class and a context that were judged so far. */
unsigned lp_engine_usage(const struct lp_engine *engine, uint32_t class_index, uint32_t context);

/* The first node that gave a class one of these bits; 0: none. For reports. */
uint32_t lp_engine_usage_node(const struct lp_engine *engine, uint32_t class_index,
			      uint32_t context, enum lp_usage bit);

/* Findings in order of discovery. The pointer is valid until the next judge or add. */
size_t lp_engine_finding_count(const struct lp_engine *engine);
const struct lp_finding *lp_engine_finding(const struct lp_engine *engine, size_t index);

struct lp_engine_stats lp_engine_stats(const struct lp_engine *engine);

#endif

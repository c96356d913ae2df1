/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore.h — all schedules of a scenario: can it deadlock, and how?
 *
 * The truth that the engine is held against. It knows instances and owners, and nothing of classes,
 * orders or usage: it runs the operations. No I/O, no clock, no globals, one thread.
 *
 * The machine. Each task (P0, P1, ...), each started thread and each work item in its kworker runs
 * on a CPU of its own; there are idle CPUs as well. Interrupts strike on top of whatever runs where
 * they are enabled, at any point, any number of times, also on idle CPUs (a signal: on threads
 * only). An interrupt handler runs to its end before what it interrupted goes on. A deadlock is a
 * state in which some execution can never end, whatever the others do.
 */
#ifndef LP_EXPLORE_H
#define LP_EXPLORE_H

#include "scenario/scenario.h"

enum lp_verdict {
	LP_VERDICT_FREE,	/* no schedule deadlocks */
	LP_VERDICT_DEADLOCK,	/* the one in `steps` does */
	LP_VERDICT_BOUND,	/* none of the states looked at before the bound was hit does */
	LP_VERDICT_NO_MEMORY,
};

struct lp_explore_options {
	uint64_t	states_max;	/* 0: LP_EXPLORE_STATES */
	uint64_t	memory_max;	/* bytes; 0: LP_EXPLORE_MEMORY */
	bool		full;		/* without partial-order reduction: to check it */
	bool		any;		/* any deadlock will do, not only a shortest one */
	void		(*progress)(void *context, uint64_t states);	/* now and then; or NULL */
	void		*context;
};

#define LP_EXPLORE_STATES	20000000ull
#define LP_EXPLORE_MEMORY	(2ull << 30)

/* One step of a schedule. Column: which CPU (a task's, a kworker's, an idle one's). */
struct lp_explore_step {
	uint32_t	column;
	uint32_t	body;		/* bodies[] that does it */
	uint32_t	op;		/* ops[]; of an interrupt that begins: 0 */
	enum { LP_STEP_RUN, LP_STEP_STRIKE, LP_STEP_RETURN, LP_STEP_GIVE_UP, LP_STEP_WAIT } what;
};

/* Who waits for what in the end. */
struct lp_explore_stuck {
	uint32_t	column, body, op;
	uint32_t	holder_column;	/* who would have to go on first; UINT32_MAX: none */
	uint32_t	behind_op;	/* it only waits to write the lock, there; UINT32_MAX: no */
	uint32_t	fork_step;	/* in a child: it held the lock at that step; UINT32_MAX: no */
};

struct lp_exploration {
	enum lp_verdict	verdict;
	bool		shortest;	/* DEADLOCK: no other one is reached in fewer steps */
	uint64_t	states, transitions;
	char		**columns;	/* "P0", "P1", "kworker/drain", "CPU2 (idle)" */
	uint32_t	column_count;
	struct lp_explore_step *steps;
	uint32_t	step_count;
	struct lp_explore_stuck *stuck;
	uint32_t	stuck_count;
};

/* Explore. The result belongs to the caller, who finishes it whatever the verdict is. */
void lp_explore(const struct lp_scenario *scenario, const struct lp_explore_options *options,
		struct lp_exploration *result);
void lp_exploration_finish(struct lp_exploration *result);

#endif

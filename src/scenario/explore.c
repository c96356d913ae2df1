/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore.c — all schedules of a scenario, breadth first (or, when any deadlock will do, depth
 * first), each state once.
 *
 * explore_compile.c makes the machine, explore_step.c and explore_strike.c the successors of a
 * state, explore_reduce.c leaves some of them out, explore_stuck.c tells a deadlock,
 * explore_store.c remembers, and explore_witness.c explains. When there are many states,
 * explore_dive.c looks for a deadlock that is further away, once. With `full` nothing is left out,
 * and a deadlock is what the graph of all states says it is: a state from which some execution
 * cannot come to its end (explore_full.c); with `full` and `any` nothing is left out, that is all.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "scenario/explore_private.h"

#define PROGRESS	65536u	/* states between two calls of progress() */
#define DIVE_PART	32u	/* of the states that there can be: when to dive, */
#define DIVE_LEAST	4096u	/* but not before there are so many */

struct search {
	struct machine	m;
	struct store	store;
	struct graph	graph;		/* of `full` */
	uint32_t	now;		/* the state whose successors are made */
	bool		any, judge;	/* judge: by the graph of all states */
	bool		fresh;		/* one of the successors was new */
	uint32_t	*stack, depth, room;	/* of depth-first search */
	uint64_t	dive_at;	/* so many states; UINT64_MAX: not (again) */
	struct dive	dive;
	bool		dived;		/* it found a deadlock */
	uint64_t	transitions;
	enum lp_verdict	verdict;
};

static bool push(struct search *x, uint32_t index)
{
	if (x->depth == x->room) {
		uint32_t room = x->room ? x->room * 2 : 64;
		uint32_t *stack = realloc(x->stack, room * sizeof(*stack));

		if (!stack)
			return false;
		x->stack = stack;
		x->room = room;
	}
	x->stack[x->depth++] = index;
	return true;
}

static bool reach(void *context, const struct choice *choice)
{
	struct search *x = context;
	uint32_t index;

	(void)choice;
	x->transitions++;
	switch (lp_x_store_add(&x->store, x->m.next, x->now, &index)) {
	case STORE_NEW:
		x->fresh = true;
		if (x->any && !push(x, index))
			x->verdict = LP_VERDICT_NO_MEMORY;
		break;
	case STORE_OLD:
		break;
	case STORE_FULL:
		x->verdict = LP_VERDICT_BOUND;
		break;
	case STORE_NO_MEMORY:
		x->verdict = LP_VERDICT_NO_MEMORY;
		break;
	}
	if (x->judge && x->verdict == LP_VERDICT_FREE &&
	    !lp_explored_edge(&x->graph, x->now, index))
		x->verdict = LP_VERDICT_NO_MEMORY;
	return x->verdict == LP_VERDICT_FREE;
}

/* Load the state; is it a deadlock? */
static bool look_at(struct search *x, uint32_t index)
{
	struct machine *m = &x->m;
	bool blocked = false;

	x->now = index;
	lp_x_load(m, store_state(&x->store, index));
	for (uint32_t c = 0; c < m->column_count; c++) {
		m->can[c] = m->depth[c] && lp_x_can_run(m, c);
		blocked |= m->depth[c] && !m->can[c];
	}
	return blocked && lp_x_stuck(m);
}

static void make_successors(struct search *x)
{
	bool again = false;

	x->m.stop = false;
	if (x->m.full) {
		lp_x_all(&x->m);
		return;
	}
	x->fresh = false;
	lp_x_some(&x->m, &again);
	if (again && !x->fresh && !x->m.stop)
		lp_x_all(&x->m);
}

static bool next_state(struct search *x, uint32_t done, uint32_t *index)
{
	if (!x->any) {
		*index = done;
		return done < x->store.count;
	}
	if (!x->depth)
		return false;
	*index = x->stack[--x->depth];
	return true;
}

/* Later `search` goes on as if nothing had been. */
static void dive(struct search *x)
{
	int found = lp_x_dive(&x->m, store_state(&x->store, 0), &x->dive);

	x->dive_at = UINT64_MAX;
	x->m.emit = reach;
	x->m.context = x;
	if (found < 0)
		x->verdict = LP_VERDICT_NO_MEMORY;
	if (found <= 0)
		return;
	x->dived = true;
	x->verdict = LP_VERDICT_DEADLOCK;
}

/* Until a deadlock is found (*last, or x->dive), all is seen, or the bound is hit. */
static void search(struct search *x, const struct lp_explore_options *options, uint32_t *last)
{
	uint32_t done = 0, index = 0;

	x->m.emit = reach;
	x->m.context = x;
	while (x->verdict == LP_VERDICT_FREE && next_state(x, done, &index)) {
		bool deadlock = look_at(x, index);

		if (deadlock && !x->judge) {
			x->verdict = LP_VERDICT_DEADLOCK;
			*last = index;
			return;
		}
		if (x->judge && !lp_explored_state(&x->graph, index, deadlock)) {
			x->verdict = LP_VERDICT_NO_MEMORY;
			return;
		}
		make_successors(x);
		done++;
		if (options->progress && done % PROGRESS == 0)
			options->progress(options->context, x->store.count);
		if (x->verdict == LP_VERDICT_FREE && x->store.count >= x->dive_at)
			dive(x);
	}
	if (x->verdict == LP_VERDICT_BOUND && x->store.count && x->dive_at != UINT64_MAX)
		dive(x);
}

/* ---- the result ---- */

static char *name_column(const struct machine *m, uint32_t c)
{
	const struct x_column *column = &m->columns[c];
	const char *body = m->scenario->bodies[column->body].name;
	char *name = NULL;
	int length;

	switch (column->kind) {
	case COLUMN_WORK:
		length = asprintf(&name, "kworker/%s", body);
		break;
	case COLUMN_IDLE:
		length = asprintf(&name, "CPU%u (idle)", c);
		break;
	case COLUMN_CHILD:
		length = asprintf(&name, "child of %s", body);
		break;
	default:
		length = column->number ? asprintf(&name, "%s #%u", body, column->number + 1) :
			 asprintf(&name, "%s", body);
		break;
	}
	return length < 0 ? NULL : name;
}

static int name_columns(const struct machine *m, struct lp_exploration *result)
{
	result->columns = calloc(m->column_count + 1, sizeof(*result->columns));
	if (!result->columns)
		return -ENOMEM;
	for (uint32_t c = 0; c < m->column_count; c++) {
		result->columns[c] = name_column(m, c);
		if (!result->columns[c])
			return -ENOMEM;
		result->column_count++;
	}
	return 0;
}

static int explain(struct search *x, uint32_t last, struct lp_exploration *result)
{
	int error = name_columns(&x->m, result);

	if (!error && x->dived)
		return lp_x_witness_dive(&x->m, &x->store, &x->dive, result);
	/* Doomed, but nobody waits for it yet: only the graph knows. */
	if (!error && x->judge && !look_at(x, last)) {
		lp_explored_stuck(&x->graph, &x->m, &x->store, last);
		return lp_x_witness(&x->m, &x->store, last, false, result);
	}
	return error ? error : lp_x_witness(&x->m, &x->store, last, true, result);
}

static void run(struct search *x, const struct lp_explore_options *options,
		struct lp_exploration *result)
{
	uint32_t last = 0;

	lp_x_first(&x->m, x->m.next);
	x->now = 0;
	(void)reach(x, NULL);
	x->transitions = 0;
	search(x, options, &last);
	if (x->judge && x->verdict == LP_VERDICT_FREE)
		x->verdict = lp_explored_judge(&x->graph, &x->m, &x->store, &last);
	if (x->verdict == LP_VERDICT_DEADLOCK && explain(x, last, result))
		x->verdict = LP_VERDICT_NO_MEMORY;
}

static uint64_t when_to_dive(const struct search *x)
{
	uint64_t part = lp_x_store_room(&x->store) / DIVE_PART;

	if (x->any || x->m.full)
		return UINT64_MAX;
	return part < DIVE_LEAST ? DIVE_LEAST : part;
}

void lp_explore(const struct lp_scenario *scenario, const struct lp_explore_options *options,
		struct lp_exploration *result)
{
	static const struct lp_explore_options none;
	uint64_t memory, states;
	struct search x = { 0 };
	int error;

	options = options ? options : &none;
	memory = options->memory_max ? options->memory_max : LP_EXPLORE_MEMORY;
	states = options->states_max ? options->states_max : LP_EXPLORE_STATES;
	*result = (struct lp_exploration){ 0 };
	error = lp_x_compile(&x.m, scenario, options->full, memory);
	if (!error) {
		x.any = options->any;
		x.judge = options->full && !options->any;
		memory = memory > x.m.memory_size ? memory - x.m.memory_size : 0;
		lp_x_store_init(&x.store, x.m.size, states, memory);
		x.dive_at = when_to_dive(&x);
		run(&x, options, result);
	} else {
		x.verdict = error == -E2BIG ? LP_VERDICT_BOUND : LP_VERDICT_NO_MEMORY;
	}
	result->verdict = x.verdict;
	result->shortest = x.verdict == LP_VERDICT_DEADLOCK && !x.any && !x.judge && !x.dived;
	result->states = x.store.count;
	result->transitions = x.transitions;
	lp_x_store_finish(&x.store);
	lp_explored_finish(&x.graph);
	free(x.stack);
	free(x.dive.at);
	lp_x_finish(&x.m);
}

void lp_exploration_finish(struct lp_exploration *result)
{
	for (uint32_t c = 0; c < result->column_count; c++)
		free(result->columns[c]);
	free(result->columns);
	free(result->steps);
	free(result->stuck);
	*result = (struct lp_exploration){ 0 };
}

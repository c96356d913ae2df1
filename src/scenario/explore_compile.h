/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_compile.h — what the files share that make a machine from a scenario. lp_x_compile()
 * runs them in this order; what they allocate is NULL, and m->no_memory set, when memory is
 * short.
 */
#ifndef LP_EXPLORE_COMPILE_H
#define LP_EXPLORE_COMPILE_H

#include "scenario/explore_private.h"

/* ---- sets of operations ---- */

#define STARTS	(OP_BIT(RCU_CALL) | OP_BIT(WORK_QUEUE) | OP_BIT(TIMER_ARM) | OP_BIT(THREAD_CREATE))
#define FLUSHES	(OP_BIT(RCU_BARRIER) | OP_BIT(WORK_FLUSH) | OP_BIT(QUEUE_FLUSH))
#define WITH_LOCK (OP_BIT(ACQUIRE) | OP_BIT(RELEASE) | OP_BIT(DOWNGRADE) | OP_BIT(RCU_LOCK) | \
		   OP_BIT(RCU_UNLOCK))

/* Bytes that are 0, for as long as the machine lives. */
void *lp_x_take(struct machine *m, uint64_t count, uint64_t size);

/* explore_describe.c: objects[], bodies[]: what of them is used, and how. */
void lp_x_describe(struct machine *m);

/* explore_touch.c: of one operation, compiled so far: */
bool lp_x_matters(const struct machine *m, const struct lp_op *op, const struct x_op *x);
struct touch lp_x_touch(const struct machine *m, const struct x_op *x);
/* What follows each operation, and what each body can touch. */
void lp_x_look_ahead(struct machine *m);
/* What handlers release that they have not taken. */
void lp_x_find_frees(struct machine *m);

/* explore_columns.c: handlers[], and columns[] without their places. */
void lp_x_find_handlers(struct machine *m);
void lp_x_make_columns(struct machine *m);

/* explore_layout.c: where everything is in a state. 0 or -E2BIG. */
void lp_x_place_holds(struct machine *m);
int lp_x_lay_out(struct machine *m, uint64_t memory_max);

/* ---- small things ---- */

/* The bit of a resource in struct touch. */
static inline uint64_t resource(uint32_t index)
{
	return 1ull << (index % 64);
}

static inline uint32_t rcu_of(const struct lp_scenario *s, const struct lp_op *op)
{
	return op->object ? op->object : s->rcu;
}

/* Does the body have an operation of that set? */
static inline bool has_one_of(const struct lp_scenario *s, uint32_t body, uint64_t set)
{
	for (uint32_t k = 0; k < s->bodies[body].count; k++)
		if (is_one_of(s->ops[s->bodies[body].first + k].kind, set))
			return true;
	return false;
}

/* A thread can be struck by a signal until it ends. */
static inline bool lives_for_signals(const struct machine *m, uint32_t b)
{
	enum lp_body_kind kind = m->scenario->bodies[b].kind;

	return m->signal_count && (kind == LP_BODY_TASK || kind == LP_BODY_THREAD);
}

#endif

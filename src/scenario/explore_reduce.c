/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_reduce.c — partial-order reduction: which columns need to take a step in this state.
 *
 * Three rules, the first that applies; docs/explorer.md has the reasons.
 *   R1  An operation that looks at and changes nothing that anybody else can still touch, and does
 *       not keep a handler out that could strike now, is taken alone.
 *   R2  An operation that only gives something back (release, up, complete, the end of a reader)
 *       is taken alone where no handler can strike, when nobody gives up waiting for it.
 *   R3  Otherwise columns of a persistent set take their steps: with a column come all that can
 *       ever touch what its next operation, or what may strike it, depends on.
 */
#include "scenario/explore_private.h"

#define SET_MAX		64u	/* columns, for R3 */

void lp_x_all(struct machine *m)
{
	for (uint32_t c = 0; c < m->column_count && !m->stop; c++) {
		if (m->depth[c])
			lp_x_run(m, c);
		if (m->handler_count || !m->depth[c])
			lp_x_strikes(m, c);
	}
}

/* What the column itself, and what strikes it, can still touch. */
static struct touch future_of(const struct machine *m, uint32_t c)
{
	const struct x_column *column = &m->columns[c];
	struct touch future = { 0 };

	if (is_child(m, c))
		return future;
	if (!m->depth[c]) {
		if (!lp_x_at_rest_can_start(m, c) && (column->kind == COLUMN_TASK ||
		    column->kind == COLUMN_THREAD || (m->bodies[column->body].pending &&
						      !m->now[m->bodies[column->body].pending])))
			return future;
		future = m->bodies[column->body].all;
	}
	for (uint32_t l = 0; l < m->depth[c]; l++)
		future = touch_or(future, frame_op(m, c, l)->later);
	if (m->kernel)
		future = touch_or(future, m->kernel_touch);
	if (column->kind == COLUMN_TASK || column->kind == COLUMN_THREAD)
		future = touch_or(future, m->signal_touch);
	return future;
}

/* future[c] of each column; after[c]: of all behind c; after[count]: nothing. */
static void look_ahead(struct machine *m)
{
	m->after[m->column_count] = (struct touch){ 0 };
	for (uint32_t c = m->column_count; c-- > 0;) {
		m->future[c] = future_of(m, c);
		m->after[c] = touch_or(m->after[c + 1], m->future[c]);
	}
}

static bool keeps_out(const struct x_op *op)
{
	return is_one_of(op->kind, OP_BIT(IRQ_DISABLE) | OP_BIT(IRQ_SAVE) | OP_BIT(IRQ_RESTORE) |
				   OP_BIT(BH_DISABLE) | OP_BIT(SIG_BLOCK) | OP_BIT(SIG_SETMASK) |
				   OP_BIT(END));
}

static bool only_gives(const struct machine *m, const struct x_op *op)
{
	const struct x_object *object = &m->objects[op->object];

	/*
	 * A forked child keeps what was held at that moment. A handler that frees what it
	 * interrupted gets stuck on top of one that queues, and not of one that has the lock.
	 */
	if (m->frozen || m->frees)
		return false;
	switch (op->kind) {
	case LP_OP_RELEASE:
	case LP_OP_DOWNGRADE:
		return !object->tried && !m->ww;
	case LP_OP_UP:
	case LP_OP_COMPLETE:
		return !object->tried && !object->initialised;
	case LP_OP_RCU_UNLOCK:
		return true;
	default:
		return false;
	}
}

/* What makes strikes on the column matter is there behind its operation as well. */
static bool stays_relevant(const struct machine *m, uint32_t c, const struct x_op *op)
{
	const struct x_column *column = &m->columns[c];
	const uint8_t *holds = m->now + column->holds;

	if (op->kind != LP_OP_RELEASE && op->kind != LP_OP_RCU_UNLOCK &&
	    op->kind != LP_OP_COND_WAIT)
		for (uint32_t i = 0; i < column->hold_count; i++)
			if (holds[i])
				return true;
	if (!op->next || !op->target)
		return false;
	return m->bodies[op->body].waited ||
	       ((op_at(m, op->next)->gives || op_at(m, op->next)->triggers) &&
		(op_at(m, op->target)->gives || op_at(m, op->target)->triggers));
}

/* R1 and R2 */
static bool goes_alone(const struct machine *m, uint32_t c, struct touch others)
{
	const struct x_op *op = op_at(m, m->pc[c]);
	struct touch by = { 0 };
	bool exposed, local;

	if (is_child(m, c))
		return !m->handler_count;
	local = !touches(op->own, others);
	if (!local && !only_gives(m, op))
		return false;
	exposed = m->handler_count && lp_x_exposed(m, c, &by);
	if (!exposed)
		return true;
	/* A handler on top could touch it as well, or be kept out. */
	return local && !keeps_out(op) && stays_relevant(m, c, op) &&
	       !touches(op->own, m->kernel_touch) && !touches(op->own, m->signal_touch);
}

static bool take_alone(struct machine *m)
{
	struct touch before = { 0 };

	for (uint32_t c = 0; c < m->column_count; c++) {
		if (m->can[c] && goes_alone(m, c, touch_or(before, m->after[c + 1]))) {
			lp_x_run(m, c);
			return true;
		}
		before = touch_or(before, m->future[c]);
	}
	return false;
}

/* What decides which steps the column can take now. */
static struct touch needs_of(const struct machine *m, uint32_t c)
{
	struct touch needs = { 0 };

	if (is_child(m, c))
		return needs;
	if (!m->depth[c]) {
		const struct x_body *body = &m->bodies[m->columns[c].body];

		needs.write = 1ull << (body->index % 64);
		if (body->readers)
			needs.write |= 1ull << (body->rcu % 64);
		return needs;
	}
	needs = op_at(m, m->pc[c])->own;
	if (m->handler_count)
		(void)lp_x_exposed(m, c, &needs);
	return needs;
}

/* The columns that must come along with column c. */
static uint64_t close_set(const struct machine *m, uint32_t c, const struct touch *needs)
{
	uint64_t set = 1ull << c, before = 0;
	struct touch all = needs[c];

	while (set != before) {
		before = set;
		for (uint32_t d = 0; d < m->column_count; d++) {
			if (set >> d & 1 || !touches(all, m->future[d]))
				continue;
			set |= 1ull << d;
			all = touch_or(all, needs[d]);
		}
	}
	return set;
}

static bool strikes_now(const struct machine *m, uint32_t c)
{
	if (!m->depth[c])
		return lp_x_at_rest_can_start(m, c);
	for (uint32_t i = 0; i < m->handler_count; i++)
		if (lp_x_may_start(m, m->handlers[i]) &&
		    lp_x_can_strike(m, c, m->handlers[i], false))
			return true;
	return false;
}

/* R3: the smallest of the sets; all columns when none is smaller. */
static uint64_t smallest_set(const struct machine *m)
{
	uint64_t everything = m->column_count == 64 ? ~0ull : (1ull << m->column_count) - 1;
	uint64_t best = everything, moves = 0;
	struct touch needs[SET_MAX];

	for (uint32_t c = 0; c < m->column_count; c++) {
		needs[c] = needs_of(m, c);
		moves |= (uint64_t)(m->can[c] || strikes_now(m, c)) << c;
	}
	for (uint32_t c = 0; c < m->column_count; c++) {
		uint64_t set;

		if (!(moves >> c & 1))
			continue;
		set = close_set(m, c, needs);
		if (__builtin_popcountll(set & moves) < __builtin_popcountll(best & moves))
			best = set;
	}
	return best;
}

void lp_x_some(struct machine *m, bool *again)
{
	uint64_t set;

	look_ahead(m);
	*again = m->circles;
	if (take_alone(m))
		return;
	if (m->column_count > SET_MAX) {
		lp_x_all(m);
		return;
	}
	set = smallest_set(m);
	for (uint32_t c = 0; c < m->column_count && !m->stop; c++) {
		if (!(set >> c & 1))
			continue;
		if (m->depth[c])
			lp_x_run(m, c);
		if (m->handler_count || !m->depth[c])
			lp_x_strikes(m, c);
	}
}

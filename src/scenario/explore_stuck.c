/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_stuck.c — who can never go on, whatever the others do?
 *
 * Begin with all columns that cannot go on now, and leave out, again and again, those that wait
 * for nothing but columns that are left out: what is left waits for itself. A lock, a join, a
 * flush, a grace period need all that are in the way to go on; a count or a wake-up needs one that
 * can still give it: by the operations that can follow, in running code or in a body that may still
 * begin. What others might do is taken for possible as long as they are not stuck themselves, so
 * the answer may come some steps late, but never wrongly; once nothing else moves it is exact.
 */
#include "scenario/explore_private.h"

/* Will the handler begin at some time, as far as the others are concerned? */
static bool will_begin(const struct machine *m, uint32_t b)
{
	const struct x_body *body = &m->bodies[b];

	if (body->single && m->running[b] && m->stuck[m->runs_in[b] - 1])
		return false;
	if (!body->bit || (body->pending && m->now[body->pending]))
		return true;
	for (uint32_t c = 0; c < m->column_count; c++)
		for (uint32_t l = 0; !m->stuck[c] && l < m->depth[c]; l++)
			if (frame_op(m, c, l)->triggers & body->bit)
				return true;
	for (uint32_t i = 1; i < m->scenario->body_count; i++)
		if (m->scenario->bodies[i].kind != LP_BODY_TASK && m->bodies[i].first &&
		    op_at(m, m->bodies[i].first)->triggers & body->bit)
			return true;
	return false;
}

/* A handler on top of column c may release `object` for it. */
static bool is_freed_by_handler(const struct machine *m, uint32_t c, uint32_t object)
{
	for (uint32_t i = 0; i < m->handler_count; i++) {
		const struct x_body *body = &m->bodies[m->handlers[i]];

		for (uint32_t k = 0; k < body->free_count; k++)
			if (body->frees[k] == object &&
			    lp_x_can_strike(m, c, m->handlers[i], true) &&
			    will_begin(m, m->handlers[i]))
				return true;
	}
	return false;
}

/* Column c will not give `object` back: it is stuck, or has ended with it. */
static bool keeps(const struct machine *m, uint32_t c, uint32_t object)
{
	const struct x_column *column = &m->columns[c];
	uint64_t bit = 1ull << (object % 64);
	struct touch all = m->bodies[column->body].all;

	if (m->depth[c])
		return m->stuck[c] && !(m->frees && is_freed_by_handler(m, c, object));
	/* A work item or handler that left it held may release it when it runs once more. */
	return (column->kind != COLUMN_WORK && column->kind != COLUMN_IDLE) ||
	       !((all.read | all.write) & bit);
}

/* One that reads `object`, or holds it at all, and keeps it; the column + 1. */
static uint32_t keeper(const struct machine *m, uint32_t object)
{
	const struct x_lock *lock = &m->locks[object];
	uint32_t left = lock->readers;

	if (lock->owner && keeps(m, lock->owner - 1, object))
		return lock->owner;
	for (uint32_t c = 0; c < m->column_count && left; c++) {
		if (is_child(m, c) || !held(m, c, hold_of(m, c, object)))
			continue;
		left--;
		if (keeps(m, c, object))
			return c + 1;
	}
	return 0;
}

/* The pc at which column c queues to write `object`; 0: it does not. */
static uint32_t queues_at(const struct machine *m, uint32_t c, uint32_t object)
{
	for (uint32_t l = 0; l < m->depth[c]; l++) {
		const struct x_op *op = frame_op(m, c, l);

		if (op->kind == LP_OP_ACQUIRE && op->object == object && op->mode == LP_WRITE &&
		    waiting(m, frame_at(m, c, l)))
			return load_pc(m, m->now + frame_at(m, c, l));
	}
	return 0;
}

/* One that queues to write `object` and is stuck. */
static uint32_t stuck_writer(const struct machine *m, uint32_t object)
{
	for (uint32_t c = 0; c < m->column_count; c++)
		if (m->stuck[c] && queues_at(m, c, object))
			return c + 1;
	return 0;
}

static uint32_t blocks_acquire(const struct machine *m, uint32_t c, const struct x_op *op)
{
	const struct x_lock *lock = &m->locks[op->object];

	if (op->kind == LP_OP_COND_WAIT)
		return keeper(m, op->other);
	if (m->objects[op->object].local)
		return keeps(m, c, op->object) ? c + 1 : 0;
	if (op->mode == LP_WRITE || op->kind == LP_OP_SYNC || lock->owner)
		return keeper(m, op->object);
	return stuck_writer(m, op->object);
}

static uint32_t stuck_reader(const struct machine *m, const uint8_t *bits, uint32_t rcu)
{
	for (uint32_t c = 0; c < m->column_count; c++)
		if (test_bit(bits, c) && keeps(m, c, rcu))
			return c + 1;
	return 0;
}

/* The column that runs the body and will not come to its end. */
static uint32_t stuck_execution(const struct machine *m, uint32_t b)
{
	return m->running[b] && m->stuck[m->runs_in[b] - 1] ? m->runs_in[b] : 0;
}

/* What is awaited of the body will not come to its end. */
static uint32_t stuck_body(const struct machine *m, uint32_t b, uint8_t awaited)
{
	const struct x_body *body = &m->bodies[b];
	uint32_t blocker = awaited ? stuck_execution(m, b) : 0;

	if (!blocker && awaited & SNAP_PENDING && body->readers)
		blocker = stuck_reader(m, m->now + body->readers, body->rcu);
	return blocker;
}

static uint32_t blocks_flush(const struct machine *m, uint32_t c)
{
	const uint8_t *snap = m->now + top_frame(m, c) + m->frame_snap;
	uint32_t blocker = 0;

	for (uint32_t b = 1; b < m->scenario->body_count && !blocker; b++) {
		enum lp_body_kind kind = m->scenario->bodies[b].kind;

		if ((kind == LP_BODY_WORK || kind == LP_BODY_RCU) && m->bodies[b].waited)
			blocker = stuck_body(m, b, snap[m->bodies[b].snap]);
	}
	return blocker;
}

static uint32_t blocks_join(const struct machine *m, uint32_t b)
{
	const struct x_body *body = &m->bodies[b];

	for (uint32_t c = body->column; c < body->column + body->columns; c++)
		if (m->depth[c] && m->stuck[c])
			return c + 1;
	return 0;
}

/* ---- counts and wake-ups ---- */

static bool waits_for_count(const struct x_op *op)
{
	return op->kind == LP_OP_WAIT || op->kind == LP_OP_DOWN;
}

/* A handler on top of the very code that has the recursive lock takes it once more. */
static bool takes_again(const struct machine *m, const struct x_op *op)
{
	uint32_t owner = m->locks[op->object].owner;

	return owner && m->objects[op->object].recursive &&
	       is_handler(m->scenario->bodies[op->body].kind) &&
	       lp_x_can_strike(m, owner - 1, op->body, true);
}

/* It cannot be taken as long as those stay stuck that are. */
static bool stays_taken(const struct machine *m, const struct x_op *op)
{
	const struct x_lock *lock = &m->locks[op->object];

	if (m->objects[op->object].local || takes_again(m, op))
		return false;
	if (op->mode == LP_WRITE)
		return keeper(m, op->object);
	if (lock->owner)
		return keeps(m, lock->owner - 1, op->object);
	return op->mode == LP_READ && !(op->flags & LP_PREFER) && lock->queued &&
	       stuck_writer(m, op->object);
}

/* Can code get past this operation, as long as those stay stuck that are? */
static bool passes(const struct machine *m, const struct x_op *op, uint64_t gives)
{
	if (op->kind == LP_OP_ACQUIRE)
		return m->objects[op->object].back_off || !stays_taken(m, op);
	if (waits_for_count(op))
		return m->now[m->objects[op->object].count] ||
		       m->objects[op->object].give & gives;
	return true;
}

/* Add what code that goes on at `pc` can give and start, as far as it gets. */
static void walk(struct machine *m, uint32_t pc, uint64_t *gives, uint64_t *triggers)
{
	const struct lp_body *body;
	uint32_t end;

	if (!pc || (!op_at(m, pc)->gives && !op_at(m, pc)->triggers))
		return;
	body = &m->scenario->bodies[op_at(m, pc)->body];
	end = body->first + body->count;
	m->marks[pc] = 1;
	for (uint32_t i = pc; i <= end; i++) {
		const struct x_op *op = op_at(m, i);

		if (!m->marks[i])
			continue;
		m->marks[i] = 0;
		*gives |= op->give;
		*triggers |= op->trigger;
		if (op->next && passes(m, op, *gives))
			m->marks[op->next] = 1;
		if (op->target && may_branch(m, op))
			m->marks[op->target] = 1;
	}
}

/* The column's code can still give or start something. */
static void add_column(struct machine *m, uint32_t c, uint64_t *gives, uint64_t *triggers)
{
	for (uint32_t l = 0; l < m->depth[c]; l++)
		walk(m, load_pc(m, m->now + frame_at(m, c, l)), gives, triggers);
}

static bool goes_on(const struct machine *m, uint32_t c)
{
	return m->depth[c] && !m->stuck[c] && !is_child(m, c);
}

/* Could one more execution of the body begin at some time, were it triggered? */
static bool has_place(const struct machine *m, uint32_t b, bool somebody_goes_on)
{
	const struct x_body *body = &m->bodies[b];

	if (body->single && m->running[b])
		return !m->stuck[m->runs_in[b] - 1];
	for (uint32_t i = 0; i < body->columns; i++)
		if (!m->depth[body->column + i] || !m->stuck[body->column + i])
			return true;
	if (!is_handler(m->scenario->bodies[b].kind))
		return false;
	for (uint32_t c = 0; c < m->column_count && !somebody_goes_on; c++)
		somebody_goes_on = lp_x_can_strike(m, c, b, true);
	return somebody_goes_on;
}

static bool can_begin(const struct machine *m, uint32_t b, uint64_t triggers, bool somebody)
{
	const struct x_body *body = &m->bodies[b];
	enum lp_body_kind kind = m->scenario->bodies[b].kind;

	if (!body->first || kind == LP_BODY_TASK)
		return false;
	if (body->bit && !(triggers & body->bit) && !(body->pending && m->now[body->pending]))
		return false;
	if (body->readers && m->now[body->pending] &&
	    stuck_reader(m, m->now + body->readers, body->rcu))
		return false;
	return has_place(m, b, somebody);
}

/* All that can still be given by somebody who is not stuck. */
static uint64_t what_can_be_given(struct machine *m)
{
	uint64_t gives = 0, triggers = 0, gives_before, triggers_before;
	bool somebody = false;

	for (uint32_t c = 0; c < m->column_count; c++)
		somebody |= goes_on(m, c);
	do {
		gives_before = gives;
		triggers_before = triggers;
		for (uint32_t c = 0; c < m->column_count; c++)
			if (goes_on(m, c))
				add_column(m, c, &gives, &triggers);
		for (uint32_t b = 1; b < m->scenario->body_count; b++)
			if (can_begin(m, b, triggers, somebody))
				walk(m, m->bodies[b].first, &gives, &triggers);
	} while (gives != gives_before || triggers != triggers_before);
	return gives;
}

static bool counts(const struct machine *m, uint32_t c, const struct x_op *op)
{
	return waits_for_count(op) ||
	       (op->kind == LP_OP_COND_WAIT && waiting(m, top_frame(m, c)) != WAIT_WOKEN);
}

/* ---- all together ---- */

/* Nobody can help a child, but for a handler that releases what the child itself has. */
static uint32_t blocks_child(const struct machine *m, uint32_t c, const struct x_op *op)
{
	bool own = op->kind == LP_OP_ACQUIRE && held(m, c, op->hold) != HELD_FROZEN;

	return m->frees && own && is_freed_by_handler(m, c, op->object) ? 0 : c + 1;
}

/* A column that keeps c from going on; the column + 1. */
static uint32_t blocker_of(const struct machine *m, uint32_t c)
{
	const struct x_op *op = op_at(m, m->pc[c]);

	if (is_child(m, c))
		return blocks_child(m, c, op);
	switch (op->kind) {
	case LP_OP_ACQUIRE:
	case LP_OP_SYNC:
	case LP_OP_COND_WAIT:
		return blocks_acquire(m, c, op);
	case LP_OP_RCU_SYNC:
		return stuck_reader(m, m->now + top_frame(m, c) + m->frame_snap, op->object);
	case LP_OP_WORK_FLUSH:
	case LP_OP_QUEUE_FLUSH:
	case LP_OP_RCU_BARRIER:
		return blocks_flush(m, c);
	case LP_OP_WORK_CANCEL:
	case LP_OP_TIMER_DELETE:
		return stuck_execution(m, op->other);
	case LP_OP_THREAD_JOIN:
		return blocks_join(m, op->other);
	default:
		return 0;
	}
}

static bool is_freed(const struct machine *m, uint32_t c, uint64_t gives)
{
	const struct x_op *op = op_at(m, m->pc[c]);

	if (!is_child(m, c) && counts(m, c, op))
		return m->objects[op->object].give & gives;
	return !blocker_of(m, c);
}

static bool sweep(struct machine *m, bool forwards)
{
	uint64_t gives = 0;
	bool counted = false, changed = false;

	for (uint32_t i = 0; i < m->column_count; i++) {
		uint32_t c = forwards ? i : m->column_count - 1 - i;

		if (!m->stuck[c])
			continue;
		if (!counted && counts(m, c, op_at(m, m->pc[c]))) {
			gives = what_can_be_given(m);
			counted = true;
		}
		if (!is_freed(m, c, gives))
			continue;
		m->stuck[c] = false;
		changed = true;
	}
	return changed;
}

/* Leave out all that are not stuck after all; how many are left. */
static uint32_t settle(struct machine *m)
{
	uint32_t count = 0;
	bool forwards = true;

	while (sweep(m, forwards))
		forwards = !forwards;
	for (uint32_t c = 0; c < m->column_count; c++)
		count += m->stuck[c];
	return count;
}

uint32_t lp_x_stuck(struct machine *m)
{
	uint32_t count = 0;

	for (uint32_t c = 0; c < m->column_count; c++) {
		m->stuck[c] = m->depth[c] && !m->can[c];
		count += m->stuck[c];
	}
	return count ? settle(m) : 0;
}

bool lp_x_stuck_without(struct machine *m, uint32_t column, uint8_t *before)
{
	memcpy(before, m->stuck, m->column_count);
	m->stuck[column] = false;
	if (settle(m))
		return true;
	memcpy(m->stuck, before, m->column_count);
	return false;
}

/* The code on the column has something that column c waits for further on. */
static bool would_give(const struct machine *m, uint32_t column, uint32_t c)
{
	uint64_t give = m->objects[op_at(m, m->pc[c])->object].give;

	if (!counts(m, c, op_at(m, m->pc[c])) || is_child(m, c))
		return false;
	if (!m->depth[column] && lp_x_at_rest_can_start(m, column))
		return op_at(m, m->bodies[m->columns[column].body].first)->gives & give;
	for (uint32_t l = 0; l < m->depth[column]; l++)
		if (frame_op(m, column, l)->gives & give)
			return true;
	return false;
}

bool lp_x_is_missed(const struct machine *m, uint32_t column)
{
	for (uint32_t c = 0; c < m->column_count; c++)
		if (m->stuck[c] && c != column && would_give(m, column, c))
			return true;
	return false;
}

uint32_t lp_x_holder(const struct machine *m, uint32_t c)
{
	uint32_t blocker;

	if (is_child(m, c))
		return UINT32_MAX;
	if (counts(m, c, op_at(m, m->pc[c]))) {
		for (uint32_t other = 0; other < m->column_count; other++)
			if (m->stuck[other] && other != c && would_give(m, other, c))
				return other;
		return would_give(m, c, c) ? c : UINT32_MAX;
	}
	blocker = blocker_of(m, c);
	return blocker ? blocker - 1 : UINT32_MAX;
}

uint32_t lp_x_behind(const struct machine *m, uint32_t c)
{
	const struct x_op *op = op_at(m, m->pc[c]);
	uint32_t writer;

	if (is_child(m, c) || op->kind != LP_OP_ACQUIRE || op->mode == LP_WRITE ||
	    m->objects[op->object].local || m->locks[op->object].owner)
		return 0;
	writer = stuck_writer(m, op->object);
	return writer ? queues_at(m, writer - 1, op->object) : 0;
}

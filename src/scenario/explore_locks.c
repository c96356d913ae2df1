/* SPDX-License-Identifier: Apache-2.0 */
/* explore_locks.c — the explorer: taking, queueing, backing off, releasing. */
#include "scenario/explore_step.h"

/* ---- taking ---- */

static bool child_may_take(const struct x_object *object, uint8_t mine, enum lp_mode mode)
{
	if (!mine || mine == HELD_FROZEN)
		return !mine;
	return mine & HELD_WRITE ? object->recursive : mode != LP_WRITE;
}

bool lp_x_may_take(const struct machine *m, uint32_t c, uint32_t object, uint32_t hold,
		   enum lp_mode mode, unsigned flags)
{
	const struct x_lock *lock = &m->locks[object];
	uint8_t mine = held(m, c, hold);

	if (is_child(m, c))
		return child_may_take(&m->objects[object], mine, mode);
	if (m->objects[object].local)
		return !mine;
	if (mode == LP_WRITE)
		return (mine & HELD_WRITE && m->objects[object].recursive) ||
		       (!lock->owner && !lock->readers);
	return !lock->owner && (mode == LP_READ_RECURSIVE || flags & LP_PREFER || !lock->queued);
}

static bool op_may_take(const struct machine *m, uint32_t c, const struct x_op *op)
{
	return lp_x_may_take(m, c, op->object, op->hold, op->mode, op->flags);
}

/* ---- going on without it ---- */

/* Does it have a context; or objects of the kind that is taken under one? */
static bool has_any(const struct machine *m, uint32_t c, bool contexts)
{
	const struct x_column *column = &m->columns[c];

	for (uint32_t i = 0; i < column->hold_count; i++) {
		const struct x_object *object = &m->objects[object_at(m, c, i)];

		if (m->now[column->holds + i] && (contexts ? object->context : object->back_off))
			return true;
	}
	return false;
}

/*
 * Rather than deadlock with another one that would do the same (ww_mutex). Who has nothing that
 * others wait for is not refused.
 */
static bool backs_off(const struct machine *m, uint32_t c, const struct x_op *op)
{
	uint32_t owner = m->locks[op->object].owner;

	if (!(op->flags & LP_BACK_OFF) && !held(m, c, op->hold_other))
		return false;
	if (!(op->flags & LP_BACK_OFF) && !m->objects[op->other].context)
		return false;
	return owner && has_any(m, owner - 1, true) && has_any(m, c, false);
}

static bool gives_up(const struct machine *m, uint32_t c, const struct x_op *op)
{
	if (op->flags & (LP_TRY | LP_TIMED))
		return true;
	if (m->objects[op->object].errorcheck && held(m, c, op->hold))
		return held(m, c, op->hold) != HELD_FROZEN;
	return m->objects[op->object].back_off && backs_off(m, c, op);
}

static bool may_queue(const struct machine *m, uint32_t c, const struct x_op *op)
{
	return op->mode == LP_WRITE && m->objects[op->object].fair && !(op->flags & LP_TRY) &&
	       !is_child(m, c) && !waiting(m, top_frame(m, c));
}

/* ---- operations ---- */

void lp_x_run_acquire(struct machine *m, uint32_t c, const struct x_op *op)
{
	if (op_may_take(m, c, op)) {
		begin(m);
		if (op->mode == LP_WRITE || !m->objects[op->object].sequence)
			hold_next(m, c, op->hold, one_more(held(m, c, op->hold), op->mode));
		end_step(m, c, op);
		return;
	}
	if (gives_up(m, c, op))
		step_to(m, c, op->target, LP_STEP_GIVE_UP);
	if (may_queue(m, c, op)) {
		begin(m);
		begin_wait(m, c, WAIT_BEGUN);
	}
}

bool lp_x_can_acquire(const struct machine *m, uint32_t c, const struct x_op *op)
{
	return op_may_take(m, c, op) || gives_up(m, c, op) || may_queue(m, c, op);
}

void lp_x_run_release(struct machine *m, uint32_t c, const struct x_op *op)
{
	uint8_t hold = held(m, c, op->hold);

	begin(m);
	if (op->kind == LP_OP_DOWNGRADE)
		hold = hold != HELD_FROZEN && hold & HELD_WRITE ? 1 : hold;
	else
		hold = one_less(hold);
	if (op->hold != NO_HOLD)
		hold_next(m, c, op->hold, hold);
	end_step(m, c, op);
}

bool lp_x_can_sync(const struct machine *m, uint32_t c, const struct x_op *op)
{
	const struct x_lock *lock = &m->locks[op->object];

	return (!lock->owner && !lock->readers) || is_child(m, c);
}

void lp_x_run_sync(struct machine *m, uint32_t c, const struct x_op *op)
{
	if (lp_x_can_sync(m, c, op))
		step_to(m, c, op->next, LP_STEP_RUN);
}

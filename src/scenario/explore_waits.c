/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_waits.c — the explorer: grace periods, and bodies that are queued, armed, called,
 * flushed and cancelled.
 */
#include "scenario/explore_step.h"

/* ---- RCU ---- */

/* Column c is no reader of `rcu` any more: who waits for that? */
static void end_readers(struct machine *m, uint32_t c, uint32_t rcu)
{
	for (uint32_t other = 0; other < m->column_count; other++) {
		for (uint32_t l = 0; m->columns[other].snap_size && l < m->depth[other]; l++) {
			uint8_t *frame = m->next + frame_at(m, other, l);
			uint32_t pc = load_pc(m, frame);

			if (pc && op_at(m, pc)->kind == LP_OP_RCU_SYNC &&
			    op_at(m, pc)->object == rcu)
				frame[m->frame_snap + c / 8] &= (uint8_t)~(1u << (c % 8));
		}
	}
	for (uint32_t i = 0; i < m->handler_count; i++) {
		const struct x_body *body = &m->bodies[m->handlers[i]];

		if (body->readers && body->rcu == rcu)
			m->next[body->readers + c / 8] &= (uint8_t)~(1u << (c % 8));
	}
}

static bool note_readers(const struct machine *m, uint32_t rcu, uint8_t *bits)
{
	bool any = false;

	for (uint32_t c = 0; c < m->column_count && rcu; c++) {
		if (is_child(m, c) || !held(m, c, hold_of(m, c, rcu)))
			continue;
		bits[c / 8] |= (uint8_t)(1u << (c % 8));
		any = true;
	}
	return any;
}

void lp_x_run_rcu_lock(struct machine *m, uint32_t c, const struct x_op *op)
{
	begin(m);
	hold_next(m, c, op->hold, one_more(held(m, c, op->hold), LP_READ));
	end_step(m, c, op);
}

void lp_x_run_rcu_unlock(struct machine *m, uint32_t c, const struct x_op *op)
{
	uint8_t hold = one_less(held(m, c, op->hold));

	begin(m);
	hold_next(m, c, op->hold, hold);
	if (!hold && !is_child(m, c))
		end_readers(m, c, op->object);
	end_step(m, c, op);
}

static bool snap_is_empty(const struct machine *m, uint32_t frame, uint32_t size)
{
	return !any_set(m->now + frame + m->frame_snap, size);
}

void lp_x_run_rcu_sync(struct machine *m, uint32_t c, const struct x_op *op)
{
	uint32_t frame = top_frame(m, c);

	if (is_child(m, c) || (waiting(m, frame) && snap_is_empty(m, frame, m->sync_bytes))) {
		step_to(m, c, op->next, LP_STEP_RUN);
		return;
	}
	if (waiting(m, frame))
		return;
	begin(m);
	if (note_readers(m, op->object, m->next + frame + m->frame_snap)) {
		begin_wait(m, c, WAIT_BEGUN);
		return;
	}
	end_step(m, c, op);
}

bool lp_x_can_rcu_sync(const struct machine *m, uint32_t c, const struct x_op *op)
{
	uint32_t frame = top_frame(m, c);

	(void)op;
	return !waiting(m, frame) || snap_is_empty(m, frame, m->sync_bytes);
}

/* ---- bodies that are started ---- */

/* Somebody is about to cancel it for good: what queues it now comes to nothing. */
static bool cancelling(const struct machine *m, uint32_t body)
{
	for (uint32_t c = 0; c < m->column_count; c++) {
		const struct x_op *op = m->pc[c] ? op_at(m, m->pc[c]) : NULL;

		if (op && op->kind == LP_OP_WORK_CANCEL && op->other == body &&
		    waiting(m, top_frame(m, c)))
			return true;
	}
	return false;
}

void lp_x_run_trigger(struct machine *m, uint32_t c, const struct x_op *op)
{
	const struct x_body *body = &m->bodies[op->other];

	begin(m);
	if (!is_child(m, c) && body->pending && !m->now[body->pending] &&
	    !(op->kind == LP_OP_WORK_QUEUE && cancelling(m, op->other))) {
		m->next[body->pending] = 1;
		if (body->readers)
			(void)note_readers(m, body->rcu, m->next + body->readers);
	}
	end_step(m, c, op);
}

static bool is_flushed(const struct machine *m, uint32_t body)
{
	enum lp_body_kind kind = m->scenario->bodies[body].kind;

	return (kind == LP_BODY_WORK || kind == LP_BODY_RCU) && m->bodies[body].waited;
}

void lp_x_tell_flushes(struct machine *m, uint32_t body, uint8_t over, uint8_t begins)
{
	uint32_t snap = m->bodies[body].snap;

	for (uint32_t c = 0; c < m->column_count && is_flushed(m, body); c++) {
		for (uint32_t l = 0; m->columns[c].snap_size && l < m->depth[c]; l++) {
			uint8_t *frame = m->next + frame_at(m, c, l);
			uint32_t pc = load_pc(m, frame), kind = pc ? op_at(m, pc)->kind : 0;
			uint8_t *awaited = frame + m->frame_snap + snap;

			if ((kind == LP_OP_WORK_FLUSH || kind == LP_OP_QUEUE_FLUSH ||
			     kind == LP_OP_RCU_BARRIER) && *awaited & over)
				*awaited = (uint8_t)((*awaited & ~over) | begins);
		}
	}
}

/* ---- flushes and cancellations ---- */

static bool flushes(const struct machine *m, const struct x_op *op, uint32_t b)
{
	const struct lp_body *body = &m->scenario->bodies[b];

	switch (op->kind) {
	case LP_OP_WORK_FLUSH:
		return op->other == b;
	case LP_OP_QUEUE_FLUSH:
		return body->kind == LP_BODY_WORK &&
		       (body->queue ? body->queue : m->scenario->events) == op->object;
	default:
		return body->kind == LP_BODY_RCU;
	}
}

static bool note_executions(const struct machine *m, const struct x_op *op, uint8_t *snap)
{
	bool any = false;

	for (uint32_t b = 1; b < m->scenario->body_count; b++) {
		const struct x_body *body = &m->bodies[b];

		if (!body->waited || !flushes(m, op, b))
			continue;
		snap[body->snap] = (m->running[b] ? SNAP_RUNNING : 0) |
				   (body->pending && m->now[body->pending] ? SNAP_PENDING : 0);
		any |= snap[body->snap] != 0;
	}
	return any;
}

void lp_x_run_flush(struct machine *m, uint32_t c, const struct x_op *op)
{
	uint32_t frame = top_frame(m, c);

	if (is_child(m, c) || (waiting(m, frame) && snap_is_empty(m, frame, m->snap_bodies))) {
		step_to(m, c, op->next, LP_STEP_RUN);
		return;
	}
	if (waiting(m, frame))
		return;
	begin(m);
	if (note_executions(m, op, m->next + frame + m->frame_snap)) {
		begin_wait(m, c, WAIT_BEGUN);
		return;
	}
	end_step(m, c, op);
}

bool lp_x_can_flush(const struct machine *m, uint32_t c, const struct x_op *op)
{
	uint32_t frame = top_frame(m, c);

	(void)op;
	return !waiting(m, frame) || snap_is_empty(m, frame, m->snap_bodies);
}

static void take_off(struct machine *m, uint32_t body)
{
	uint32_t pending = m->bodies[body].pending;

	if (!pending || !m->now[pending])
		return;
	m->next[pending] = 0;
	lp_x_tell_flushes(m, body, SNAP_PENDING, 0);
}

static bool may_end_cancel(const struct machine *m, uint32_t c, const struct x_op *op)
{
	return !m->running[op->other] || is_child(m, c);
}

void lp_x_run_cancel(struct machine *m, uint32_t c, const struct x_op *op)
{
	begin(m);
	if (!is_child(m, c))
		take_off(m, op->other);
	if (may_end_cancel(m, c, op))
		end_step(m, c, op);
	else if (!waiting(m, top_frame(m, c)))
		begin_wait(m, c, WAIT_BEGUN);
}

bool lp_x_can_cancel(const struct machine *m, uint32_t c, const struct x_op *op)
{
	return !waiting(m, top_frame(m, c)) || may_end_cancel(m, c, op);
}

bool lp_x_can_delete(const struct machine *m, uint32_t c, const struct x_op *op)
{
	return !(op->flags & LP_OP_UNTIL_DONE) || may_end_cancel(m, c, op);
}

void lp_x_run_delete(struct machine *m, uint32_t c, const struct x_op *op)
{
	if (!lp_x_can_delete(m, c, op))
		return;
	begin(m);
	if (!is_child(m, c))
		take_off(m, op->other);
	end_step(m, c, op);
}

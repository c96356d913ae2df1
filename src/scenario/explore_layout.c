/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_layout.c — the explorer: the bytes of a state (explore_private.h says what they are),
 * the first one of them, and the view of the one that is loaded.
 */
#include <errno.h>

#include "scenario/explore_compile.h"

/* Operations that begin, and wait. */
#define WAITS	(OP_BIT(COND_WAIT) | OP_BIT(RCU_SYNC) | OP_BIT(WORK_CANCEL) | FLUSHES)

/* ---- holds ---- */

static bool has_hold(const struct machine *m, const struct lp_op *op)
{
	return op->object && is_one_of(op->kind, WITH_LOCK) &&
	       (op->kind == LP_OP_ACQUIRE || m->objects[op->object].acquired ||
		m->objects[op->object].rcu_waited);
}

static void add_handler_hold(struct machine *m, uint32_t object)
{
	if (m->objects[object].handler_hold != NO_HOLD)
		return;
	m->objects[object].handler_hold = m->handler_object_count;
	m->handler_objects[m->handler_object_count++] = object;
}

static void place_handler_holds(struct machine *m)
{
	const struct lp_scenario *s = m->scenario;

	m->handler_objects = lp_x_take(m, s->object_count, sizeof(uint32_t));
	if (!m->handler_objects)
		return;
	for (uint32_t i = 0; i < m->handler_count; i++) {
		const struct lp_body *it = &s->bodies[m->handlers[i]];

		for (uint32_t k = it->first; k < it->first + it->count; k++) {
			if (has_hold(m, &s->ops[k]))
				add_handler_hold(m, s->ops[k].object);
			if (s->ops[k].kind == LP_OP_COND_WAIT)
				add_handler_hold(m, s->ops[k].other);
		}
	}
}

static uint32_t add_own_hold(struct machine *m, uint32_t b, uint32_t object, uint32_t *place)
{
	struct x_body *body = &m->bodies[b];

	if (m->objects[object].handler_hold != NO_HOLD)
		return m->objects[object].handler_hold;
	if (place[object] >= body->own_count || body->own[place[object]] != object) {
		place[object] = body->own_count;
		body->own[body->own_count++] = object;
	}
	return m->handler_object_count + place[object];
}

static void place_body_holds(struct machine *m, uint32_t b, uint32_t *place)
{
	const struct lp_scenario *s = m->scenario;
	const struct lp_body *it = &s->bodies[b];
	uint32_t count = 0;

	for (uint32_t k = it->first; k < it->first + it->count; k++)
		count += (has_hold(m, &s->ops[k]) || s->ops[k].kind == LP_OP_COND_WAIT) +
			 (s->ops[k].kind == LP_OP_ACQUIRE && s->ops[k].other);
	m->bodies[b].own = lp_x_take(m, count, sizeof(uint32_t));
	for (uint32_t k = it->first; k < it->first + it->count && !m->no_memory; k++) {
		const struct lp_op *op = &s->ops[k];

		m->ops[k].hold = m->ops[k].hold_other = NO_HOLD;
		if (has_hold(m, op))
			m->ops[k].hold = add_own_hold(m, b, op->object, place);
		if (op->kind == LP_OP_COND_WAIT || (op->kind == LP_OP_ACQUIRE && op->other))
			m->ops[k].hold_other = add_own_hold(m, b, op->other, place);
	}
}

void lp_x_place_holds(struct machine *m)
{
	uint32_t *place = lp_x_take(m, m->scenario->object_count, sizeof(*place));

	place_handler_holds(m);
	for (uint32_t b = 1; b < m->scenario->body_count && !m->no_memory; b++)
		place_body_holds(m, b, place);
}

/* ---- frames and columns ---- */

static bool needs_waits(const struct machine *m)
{
	const struct lp_scenario *s = m->scenario;

	for (uint32_t i = 0; i < s->op_count; i++) {
		const struct lp_op *op = &s->ops[i];

		if (is_one_of(op->kind, WAITS))
			return true;
		if (op->kind == LP_OP_ACQUIRE && op->mode == LP_WRITE &&
		    m->objects[op->object].fair)
			return true;
	}
	return false;
}

static void lay_out_frame(struct machine *m)
{
	m->pc_width = m->scenario->op_count < 255 ? 1 : m->scenario->op_count < 65535 ? 2 : 4;
	m->signal_bytes = (m->signal_count + 7) / 8;
	m->cpu_bh = m->kernel;
	m->cpu_signals = m->cpu_bh + m->kernel;
	m->cpu_size = m->cpu_signals + m->signal_bytes;
	m->waits = needs_waits(m);
	m->frame_wait = m->pc_width;
	m->frame_slots = m->frame_wait + m->waits;
	m->frame_cpu = m->frame_slots + m->saves;
	m->frame_snap = m->frame_cpu + (m->handler_count ? m->cpu_size : 0);
}

static uint32_t levels_of(const struct machine *m, enum column_kind kind)
{
	uint32_t levels = 1;

	if (kind != COLUMN_CHILD)
		levels += m->irqs + m->softs + m->nmis;
	if (kind != COLUMN_WORK && kind != COLUMN_IDLE)
		levels += m->signal_levels;
	return levels;
}

static uint32_t snap_of_body(const struct machine *m, uint32_t b)
{
	const struct lp_scenario *s = m->scenario;
	uint32_t size = 0;

	if (has_one_of(s, b, OP_BIT(RCU_SYNC)))
		size = m->sync_bytes;
	if (size < m->snap_bodies && has_one_of(s, b, FLUSHES))
		size = m->snap_bodies;
	return size;
}

static uint64_t place_column(struct machine *m, struct x_column *column, uint32_t handler_snap,
			     uint64_t size)
{
	uint32_t snap = snap_of_body(m, column->body);

	column->levels = levels_of(m, column->kind);
	column->snap_size = column->levels > 1 && handler_snap > snap ? handler_snap : snap;
	column->frame_size = m->frame_snap + column->snap_size;
	column->hold_count = m->handler_object_count + m->bodies[column->body].own_count;
	column->cpu = (uint32_t)size;
	column->frames = column->cpu + m->cpu_size;
	column->holds = column->frames + column->levels * column->frame_size;
	return (uint64_t)column->holds + column->hold_count;
}

/* ---- the rest ---- */

static uint64_t place_bodies(struct machine *m, uint64_t size)
{
	const struct lp_scenario *s = m->scenario;

	for (uint32_t b = 1; b < s->body_count; b++) {
		struct x_body *body = &m->bodies[b];

		if (!body->bit || !body->first || s->bodies[b].kind == LP_BODY_THREAD)
			continue;
		body->pending = (uint32_t)size++;
		if (s->bodies[b].kind != LP_BODY_RCU)
			continue;
		body->readers = (uint32_t)size;
		size += m->sync_bytes;
	}
	return size;
}

static uint64_t place_counts(struct machine *m, uint64_t size)
{
	const struct lp_scenario *s = m->scenario;

	for (uint32_t o = 1; o < s->object_count; o++)
		if (m->objects[o].waited && s->objects[o].type != LP_OBJECT_WORKQUEUE_STRUCT)
			m->objects[o].count = (uint32_t)size++;
	return size;
}

static uint64_t place_signals(struct machine *m, uint64_t size)
{
	bool installed = false;

	for (uint32_t b = 1; b < m->scenario->body_count; b++)
		installed |= m->bodies[b].installed;
	if (!installed || !m->signal_count)
		return size;
	m->dispositions = (uint32_t)size;
	return size + m->signal_count;
}

static void take_view(struct machine *m)
{
	m->now = lp_x_take(m, 1, m->size);
	m->next = lp_x_take(m, 1, m->size);
	m->depth = lp_x_take(m, m->column_count, sizeof(uint32_t));
	m->pc = lp_x_take(m, m->column_count, sizeof(uint32_t));
	m->can = lp_x_take(m, m->column_count, 1);
	m->stuck = lp_x_take(m, m->column_count, 1);
	m->marks = lp_x_take(m, m->scenario->op_count + 2, 1);
	m->locks = lp_x_take(m, m->scenario->object_count, sizeof(*m->locks));
	m->running = lp_x_take(m, m->scenario->body_count, sizeof(uint32_t));
	m->runs_in = lp_x_take(m, m->scenario->body_count, sizeof(uint32_t));
	m->future = lp_x_take(m, m->column_count + 1, sizeof(*m->future));
	m->after = lp_x_take(m, m->column_count + 1, sizeof(*m->after));
}

int lp_x_lay_out(struct machine *m, uint64_t memory_max)
{
	uint32_t handler_snap = 0;
	uint64_t size = 1;	/* so that offset 0 says none */

	m->sync_bytes = (m->column_count + 7) / 8;
	lay_out_frame(m);
	for (uint32_t i = 0; i < m->handler_count; i++) {
		uint32_t snap = snap_of_body(m, m->handlers[i]);

		handler_snap = snap > handler_snap ? snap : handler_snap;
	}
	for (uint32_t c = 0; c < m->column_count; c++) {
		size = place_column(m, &m->columns[c], handler_snap, size);
		if (size > memory_max / 8 || size > UINT32_MAX / 2)
			return -E2BIG;
	}
	size = place_signals(m, place_counts(m, place_bodies(m, size)));
	m->size = (size + 7) & ~7ull;
	if (m->size > memory_max / 8)
		return -E2BIG;
	take_view(m);
	return 0;
}

void lp_x_first(struct machine *m, uint8_t *state)
{
	const struct lp_scenario *s = m->scenario;

	memset(state, 0, m->size);
	for (uint32_t c = 0; c < m->column_count; c++)
		if (m->columns[c].kind == COLUMN_TASK)
			store_pc(m, state + m->columns[c].frames,
				 m->bodies[m->columns[c].body].first);
	for (uint32_t o = 1; o < s->object_count; o++)
		if (m->objects[o].count)
			state[m->objects[o].count] = (uint8_t)(s->objects[o].count < COUNT_MAX ?
							       s->objects[o].count : COUNT_MAX);
}

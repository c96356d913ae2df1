/* SPDX-License-Identifier: Apache-2.0 */
/* explore_threads.c — the explorer: threads that are created and joined, children. */
#include "scenario/explore_step.h"

/* ---- threads ---- */

void lp_x_run_create(struct machine *m, uint32_t c, const struct x_op *op)
{
	const struct x_body *body = &m->bodies[op->other];
	uint32_t to = body->column, end = body->column + body->columns;

	begin(m);
	while (to < end && m->depth[to])
		to++;
	if (to < end && !is_child(m, c)) {
		store_pc(m, m->next + m->columns[to].frames, body->first);
		memcpy(next_cpu(m, to) + m->cpu_signals, m->now + m->columns[c].cpu +
		       m->cpu_signals, m->signal_bytes);
	}
	end_step(m, c, op);
}

bool lp_x_can_join(const struct machine *m, uint32_t c, const struct x_op *op)
{
	return !m->running[op->other] || is_child(m, c);
}

void lp_x_run_join(struct machine *m, uint32_t c, const struct x_op *op)
{
	if (lp_x_can_join(m, c, op))
		step_to(m, c, op->next, LP_STEP_RUN);
}

/* ---- fork ---- */

/* The column of the child that is made here; NULL: the one that was made still runs. */
static const struct x_column *free_child(const struct machine *m, uint32_t c)
{
	for (uint32_t i = 0; i < m->column_count && !is_child(m, c); i++)
		if (is_child(m, i) && m->columns[i].parent == c &&
		    m->columns[i].fork == m->pc[c] && !m->depth[i])
			return &m->columns[i];
	return NULL;
}

static void copy_frames(struct machine *m, uint32_t c, const struct x_column *to, uint32_t pc)
{
	uint32_t levels = m->depth[c] <= to->levels ? m->depth[c] : to->levels;

	for (uint32_t l = 0; l < levels; l++)
		memcpy(m->next + to->frames + l * to->frame_size, m->now + frame_at(m, c, l),
		       m->frame_snap);
	store_pc(m, m->next + to->frames + (levels - 1) * to->frame_size, pc);
}

/* What others hold at this moment is held in the child for ever. */
static void copy_holds(struct machine *m, uint32_t c, const struct x_column *to)
{
	for (uint32_t i = 0; i < to->hold_count; i++) {
		uint32_t object = object_at(m, c, i);
		const struct x_lock *lock = &m->locks[object];
		uint8_t mine = m->now[m->columns[c].holds + i];

		m->next[to->holds + i] = !mine && (lock->owner || lock->readers) &&
			!m->objects[object].rcu_waited ? HELD_FROZEN : mine;
	}
}

void lp_x_run_fork(struct machine *m, uint32_t c, const struct x_op *op)
{
	const struct x_column *to = free_child(m, c);

	begin(m);
	if (to && op->target) {
		memcpy(m->next + to->cpu, m->now + m->columns[c].cpu, m->cpu_size);
		copy_frames(m, c, to, op->target);
		copy_holds(m, c, to);
	}
	end_step(m, c, op);
}

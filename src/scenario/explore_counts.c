/* SPDX-License-Identifier: Apache-2.0 */
/* explore_counts.c — the explorer: completions, semaphores, conditions. */
#include "scenario/explore_step.h"

/* ---- counts ---- */

static bool may_count_down(const struct machine *m, uint32_t c, const struct x_op *op)
{
	return m->now[m->objects[op->object].count] || is_child(m, c);
}

void lp_x_run_down(struct machine *m, uint32_t c, const struct x_op *op)
{
	uint32_t count = m->objects[op->object].count;

	if (!may_count_down(m, c, op)) {
		if (op->flags & (LP_TRY | LP_TIMED))
			step_to(m, c, op->target, LP_STEP_GIVE_UP);
		return;
	}
	begin(m);
	if (!is_child(m, c) && m->now[count] != COUNT_FOREVER)
		m->next[count]--;
	end_step(m, c, op);
}

bool lp_x_can_down(const struct machine *m, uint32_t c, const struct x_op *op)
{
	return may_count_down(m, c, op) || op->flags & (LP_TRY | LP_TIMED);
}

void lp_x_run_up(struct machine *m, uint32_t c, const struct x_op *op)
{
	uint32_t count = m->objects[op->object].count;
	bool child = is_child(m, c);

	begin(m);
	if (count && !child) {
		if (op->kind == LP_OP_INIT)
			m->next[count] = (uint8_t)(m->scenario->objects[op->object].count %
						   COUNT_MAX);
		else if (op->flags & LP_OP_ALL)
			m->next[count] = COUNT_FOREVER;
		else if (m->now[count] < m->objects[op->object].most)
			m->next[count]++;
	}
	end_step(m, c, op);
}

/* ---- conditions ---- */

/* The wait of `while (!condition) pthread_cond_wait()`: a signal that comes before it counts. */
void lp_x_run_cond_wait(struct machine *m, uint32_t c, const struct x_op *op)
{
	uint32_t count = m->objects[op->object].count;
	uint8_t wait = waiting(m, top_frame(m, c)), hold = held(m, c, op->hold_other);

	if (wait == WAIT_WOKEN) {
		if (!lp_x_may_take(m, c, op->other, op->hold_other, LP_WRITE, 0))
			return;
		begin(m);
		hold_next(m, c, op->hold_other, one_more(hold, LP_WRITE));
		end_step(m, c, op);
		return;
	}
	if (wait == WAIT_NOT && m->now[count]) {
		/* what it would wait for is so already */
		begin(m);
		if (m->now[count] != COUNT_FOREVER)
			m->next[count]--;
		end_step(m, c, op);
		return;
	}
	if (wait == WAIT_BEGUN && !(op->flags & LP_TIMED) && !is_child(m, c))
		return;
	begin(m);
	if (wait == WAIT_NOT) {
		hold_next(m, c, op->hold_other, one_less(hold));
		begin_wait(m, c, WAIT_BEGUN);
	} else {
		m->next[top_frame(m, c) + m->frame_wait] = WAIT_WOKEN;
		emit(m, c, LP_STEP_GIVE_UP, 0);
	}
}

bool lp_x_can_cond_wait(const struct machine *m, uint32_t c, const struct x_op *op)
{
	uint8_t wait = waiting(m, top_frame(m, c));

	if (wait == WAIT_WOKEN)
		return lp_x_may_take(m, c, op->other, op->hold_other, LP_WRITE, 0);
	return wait == WAIT_NOT || op->flags & LP_TIMED || is_child(m, c);
}

/* Wake the waiters of a condition: all, or number `one` of them. How many there are. */
static uint32_t wake(struct machine *m, uint32_t cond, uint32_t one)
{
	uint32_t count = 0;

	for (uint32_t c = 0; c < m->column_count; c++) {
		for (uint32_t l = 0; l < m->depth[c] && !is_child(m, c); l++) {
			uint32_t frame = frame_at(m, c, l);
			const struct x_op *op = op_at(m, load_pc(m, m->now + frame));

			if (op->kind != LP_OP_COND_WAIT || op->object != cond ||
			    waiting(m, frame) != WAIT_BEGUN)
				continue;
			if (one == UINT32_MAX || one == count)
				m->next[frame + m->frame_wait] = WAIT_WOKEN;
			count++;
		}
	}
	return count;
}

/* The condition holds from now on: for one more waiter if nobody waits, or for all. */
static void keep_signal(struct machine *m, const struct x_op *op, uint32_t kept, uint32_t waiters)
{
	if (op->flags & LP_OP_ALL)
		m->next[kept] = COUNT_FOREVER;
	else if (!waiters && m->now[kept] < m->objects[op->object].most)
		m->next[kept]++;
}

void lp_x_run_cond_signal(struct machine *m, uint32_t c, const struct x_op *op)
{
	bool child = is_child(m, c), all = op->flags & LP_OP_ALL || child;
	uint32_t one = 0, count = 1, kept = m->objects[op->object].count;

	for (; one < count && !m->stop; one++) {
		begin(m);
		if (!child)
			count = wake(m, op->object, all ? UINT32_MAX : one);
		if (!child && kept)
			keep_signal(m, op, kept, count);
		if (all)
			count = 1;
		go_on(m, c, op->next);
		emit(m, c, LP_STEP_RUN, one);
		if (!count)
			break;
	}
}

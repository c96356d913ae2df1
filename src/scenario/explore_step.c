/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_step.c — one state, and what each operation makes of it: the table. docs/explorer.md
 * says it in words.
 */
#include "scenario/explore_step.h"

/* ---- decoding ---- */

static void load_frames(struct machine *m, uint32_t c)
{
	const struct x_column *column = &m->columns[c];
	uint32_t depth = 0, pc = 0, top;

	while (depth < column->levels &&
	       (top = load_pc(m, m->now + frame_at(m, c, depth)))) {
		const struct x_op *op = op_at(m, pc = top);

		depth++;
		if (column->kind == COLUMN_CHILD)
			continue;
		m->running[op->body]++;
		m->runs_in[op->body] = c + 1;
		if (m->waits && op->kind == LP_OP_ACQUIRE && waiting(m, frame_at(m, c, depth - 1)))
			m->locks[op->object].queued++;
	}
	m->depth[c] = depth;
	m->pc[c] = pc;
}

static void load_holds(struct machine *m, uint32_t c)
{
	const struct x_column *column = &m->columns[c];
	const uint8_t *holds = m->now + column->holds;

	for (uint32_t i = 0; i < column->hold_count; i++) {
		struct x_lock *lock;
		uint32_t object;

		if (!holds[i])
			continue;
		object = object_at(m, c, i);
		lock = &m->locks[object];
		if (m->objects[object].local)
			continue;
		if (holds[i] & HELD_WRITE)
			lock->owner = c + 1;
		else
			lock->readers++;
	}
}

void lp_x_load(struct machine *m, const uint8_t *state)
{
	memcpy(m->now, state, m->size);
	memset(m->locks, 0, m->scenario->object_count * sizeof(*m->locks));
	memset(m->running, 0, m->scenario->body_count * sizeof(*m->running));
	for (uint32_t c = 0; c < m->column_count; c++) {
		load_frames(m, c);
		if (!is_child(m, c))
			load_holds(m, c);
	}
}

/* ---- operations ---- */

static void run_end(struct machine *m, uint32_t c, const struct x_op *op)
{
	begin(m);
	lp_x_tell_flushes(m, op->body, SNAP_RUNNING, 0);
	pop(m, c);
	emit(m, c, LP_STEP_RETURN, 0);
}

static void run_branch(struct machine *m, uint32_t c, const struct x_op *op)
{
	step_to(m, c, op->next, LP_STEP_RUN);
	step_to(m, c, op->target, LP_STEP_RUN);
}

#define ROW(name, run, can) [LP_OP_##name] = { run, can }

/* Those that matter (explore_touch.c); the others are left out. */
static const struct {
	void	(*run)(struct machine *m, uint32_t c, const struct x_op *op);
	bool	(*can)(const struct machine *m, uint32_t c, const struct x_op *op); /* NULL: yes */
} operations[LP_OP_COUNT] = {
	ROW(END,		run_end,		NULL),
	ROW(BRANCH,		run_branch,		NULL),
	ROW(ACQUIRE,		lp_x_run_acquire,	lp_x_can_acquire),
	ROW(RELEASE,		lp_x_run_release,	NULL),
	ROW(DOWNGRADE,		lp_x_run_release,	NULL),
	ROW(SYNC,		lp_x_run_sync,		lp_x_can_sync),
	ROW(INIT,		lp_x_run_up,		NULL),
	ROW(IRQ_DISABLE,	lp_x_run_cpu,		NULL),
	ROW(IRQ_ENABLE,		lp_x_run_cpu,		NULL),
	ROW(IRQ_SAVE,		lp_x_run_cpu,		NULL),
	ROW(IRQ_RESTORE,	lp_x_run_cpu,		NULL),
	ROW(BH_DISABLE,		lp_x_run_cpu,		NULL),
	ROW(BH_ENABLE,		lp_x_run_cpu,		NULL),
	ROW(SIG_BLOCK,		lp_x_run_cpu,		NULL),
	ROW(SIG_UNBLOCK,	lp_x_run_cpu,		NULL),
	ROW(SIG_SETMASK,	lp_x_run_cpu,		NULL),
	ROW(SIG_INSTALL,	lp_x_run_install,	NULL),
	ROW(RCU_LOCK,		lp_x_run_rcu_lock,	NULL),
	ROW(RCU_UNLOCK,		lp_x_run_rcu_unlock,	NULL),
	ROW(RCU_SYNC,		lp_x_run_rcu_sync,	lp_x_can_rcu_sync),
	ROW(RCU_CALL,		lp_x_run_trigger,	NULL),
	ROW(RCU_BARRIER,	lp_x_run_flush,		lp_x_can_flush),
	ROW(WORK_QUEUE,		lp_x_run_trigger,	NULL),
	ROW(WORK_FLUSH,		lp_x_run_flush,		lp_x_can_flush),
	ROW(WORK_CANCEL,	lp_x_run_cancel,	lp_x_can_cancel),
	ROW(QUEUE_FLUSH,	lp_x_run_flush,		lp_x_can_flush),
	ROW(TIMER_ARM,		lp_x_run_trigger,	NULL),
	ROW(TIMER_DELETE,	lp_x_run_delete,	lp_x_can_delete),
	ROW(WAIT,		lp_x_run_down,		lp_x_can_down),
	ROW(COMPLETE,		lp_x_run_up,		NULL),
	ROW(DOWN,		lp_x_run_down,		lp_x_can_down),
	ROW(UP,			lp_x_run_up,		NULL),
	ROW(COND_WAIT,		lp_x_run_cond_wait,	lp_x_can_cond_wait),
	ROW(COND_SIGNAL,	lp_x_run_cond_signal,	NULL),
	ROW(THREAD_CREATE,	lp_x_run_create,	NULL),
	ROW(THREAD_JOIN,	lp_x_run_join,		lp_x_can_join),
	ROW(FORK,		lp_x_run_fork,		NULL),
};

void lp_x_run(struct machine *m, uint32_t c)
{
	const struct x_op *op = op_at(m, m->pc[c]);

	operations[op->kind].run(m, c, op);
}

bool lp_x_can_run(const struct machine *m, uint32_t c)
{
	const struct x_op *op = op_at(m, m->pc[c]);

	return !operations[op->kind].can || operations[op->kind].can(m, c, op);
}

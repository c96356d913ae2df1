/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_step.h — what the files share that make the successors of a state.
 *
 * explore_step.c has the table of operations. A row's functions are here, by file: lp_x_run_...()
 * makes the successors by one operation of column c, lp_x_can_...() says whether there is one.
 * A successor: begin(), changes of m->next, emit(); end_step() when the column goes on behind it.
 */
#ifndef LP_EXPLORE_STEP_H
#define LP_EXPLORE_STEP_H

#include "scenario/explore_private.h"

#define RUN(name) void lp_x_run_##name(struct machine *m, uint32_t c, const struct x_op *op)
#define CAN(name) bool lp_x_can_##name(const struct machine *m, uint32_t c, const struct x_op *op)

/* explore_locks.c */
RUN(acquire);
CAN(acquire);
RUN(release);		/* also DOWNGRADE */
RUN(sync);
CAN(sync);
bool lp_x_may_take(const struct machine *m, uint32_t c, uint32_t object, uint32_t hold,
		   enum lp_mode mode, unsigned flags);

/* explore_counts.c */
RUN(down);		/* WAIT, DOWN */
CAN(down);
RUN(up);		/* COMPLETE, UP, INIT */
RUN(cond_wait);
CAN(cond_wait);
RUN(cond_signal);

/* explore_waits.c */
RUN(rcu_lock);
RUN(rcu_unlock);
RUN(rcu_sync);
CAN(rcu_sync);
RUN(trigger);		/* RCU_CALL, WORK_QUEUE, TIMER_ARM */
RUN(flush);		/* WORK_FLUSH, QUEUE_FLUSH, RCU_BARRIER */
CAN(flush);
RUN(cancel);
CAN(cancel);
RUN(delete);
CAN(delete);
/* Flushes of the body learn: the execution `over` (SNAP_) is, its place is taken by `begins`. */
void lp_x_tell_flushes(struct machine *m, uint32_t body, uint8_t over, uint8_t begins);

/* explore_threads.c */
RUN(create);
RUN(join);
CAN(join);
RUN(fork);

/* explore_strike.c */
RUN(cpu);		/* IRQ_..., BH_..., SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK */
RUN(install);

#undef RUN
#undef CAN

/* ---- making a successor ---- */

static inline void begin(struct machine *m)
{
	memcpy(m->next, m->now, m->size);
}

static inline void emit(struct machine *m, uint32_t c, uint32_t what, uint32_t way)
{
	struct choice choice = { .column = c, .body = op_at(m, m->pc[c])->body, .op = m->pc[c],
				 .way = way, .what = (uint8_t)what };

	if (!m->stop && !m->emit(m->context, &choice))
		m->stop = true;
}

static inline uint8_t *next_cpu(const struct machine *m, uint32_t c)
{
	return m->next + m->columns[c].cpu;
}

/* The top frame ends: what it interrupted goes on as it was. */
static inline void pop(struct machine *m, uint32_t c)
{
	uint8_t *frame = m->next + top_frame(m, c);

	if (m->depth[c] > 1)
		memcpy(next_cpu(m, c), frame + m->frame_cpu, m->cpu_size);
	else
		memset(next_cpu(m, c), 0, m->cpu_size);
	if (m->depth[c] == 1 && is_child(m, c))
		memset(m->next + m->columns[c].holds, 0, m->columns[c].hold_count);
	memset(frame, 0, m->columns[c].frame_size);
}

static inline void go_on(struct machine *m, uint32_t c, uint32_t pc)
{
	uint8_t *frame = m->next + top_frame(m, c);

	if (!pc) {
		pop(m, c);
		return;
	}
	store_pc(m, frame, pc);
	if (m->waits)
		frame[m->frame_wait] = WAIT_NOT;
	memset(frame + m->frame_snap, 0, m->columns[c].snap_size);
}

/* The operation is done. */
static inline void end_step(struct machine *m, uint32_t c, const struct x_op *op)
{
	go_on(m, c, op->next);
	emit(m, c, LP_STEP_RUN, 0);
}

static inline void begin_wait(struct machine *m, uint32_t c, uint8_t wait)
{
	m->next[top_frame(m, c) + m->frame_wait] = wait;
	emit(m, c, LP_STEP_WAIT, 0);
}

/* Go on at `pc` and that is all that there is to it. */
static inline void step_to(struct machine *m, uint32_t c, uint32_t pc, uint32_t what)
{
	begin(m);
	go_on(m, c, pc);
	emit(m, c, what, pc);
}

/* ---- holds ---- */

static inline uint8_t one_more(uint8_t hold, enum lp_mode mode)
{
	uint8_t count = hold & 0x7f;

	count = count < HELD_MAX ? count + 1 : count;
	return mode == LP_WRITE ? HELD_WRITE | count : count;
}

static inline uint8_t one_less(uint8_t hold)
{
	if (hold == HELD_FROZEN || !(hold & 0x7f))
		return hold;
	return (hold & 0x7f) == 1 ? 0 : hold - 1;
}

static inline void hold_next(struct machine *m, uint32_t c, uint32_t hold, uint8_t value)
{
	m->next[m->columns[c].holds + hold] = value;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_strike.c — the explorer: what can strike where, and the CPU state that decides it.
 */
#include "scenario/explore_step.h"

/* ---- CPU state ---- */

static uint64_t get_signals(const struct machine *m, const uint8_t *cpu)
{
	uint64_t signals = 0;

	memcpy(&signals, cpu + m->cpu_signals, m->signal_bytes);
	return signals;
}

static void set_signals(const struct machine *m, uint8_t *cpu, uint64_t signals)
{
	memcpy(cpu + m->cpu_signals, &signals, m->signal_bytes);
}

static void change_irqs(struct machine *m, uint8_t *cpu, uint8_t *frame, const struct x_op *op)
{
	uint8_t *slots = m->saves ? frame + m->frame_slots : NULL, bit = (uint8_t)(1u << op->slot);

	switch (op->kind) {
	case LP_OP_IRQ_SAVE:
		*slots = (uint8_t)(cpu[0] ? *slots | bit : *slots & ~bit);
		cpu[0] = 1;
		break;
	case LP_OP_IRQ_RESTORE:
		cpu[0] = slots && *slots & bit;
		break;
	default:
		cpu[0] = op->kind == LP_OP_IRQ_DISABLE;
		break;
	}
}

static void change_cpu(struct machine *m, uint8_t *cpu, uint8_t *frame, const struct x_op *op)
{
	uint64_t signals = get_signals(m, cpu);

	switch (op->kind) {
	case LP_OP_BH_DISABLE:
		if (cpu[m->cpu_bh] < UINT8_MAX)
			cpu[m->cpu_bh]++;
		break;
	case LP_OP_BH_ENABLE:
		if (cpu[m->cpu_bh])
			cpu[m->cpu_bh]--;
		break;
	case LP_OP_SIG_BLOCK:
		set_signals(m, cpu, signals | op->signals);
		break;
	case LP_OP_SIG_UNBLOCK:
		set_signals(m, cpu, signals & ~op->signals);
		break;
	case LP_OP_SIG_SETMASK:
		set_signals(m, cpu, op->signals);
		break;
	default:
		change_irqs(m, cpu, frame, op);
		break;
	}
}

void lp_x_run_cpu(struct machine *m, uint32_t c, const struct x_op *op)
{
	begin(m);
	change_cpu(m, next_cpu(m, c), m->next + top_frame(m, c), op);
	end_step(m, c, op);
}

void lp_x_run_install(struct machine *m, uint32_t c, const struct x_op *op)
{
	uint64_t signals = op->signals;

	begin(m);
	if (op->other && !signals)
		signals = 1ull << m->bodies[op->other].signal;
	for (uint32_t i = 0; m->dispositions && i < m->signal_count; i++)
		if (signals >> i & 1 && !is_child(m, c))
			m->next[m->dispositions + i] = op->other && m->bodies[op->other].first ?
				(uint8_t)(2 + m->bodies[op->other].handler) : 1;
	end_step(m, c, op);
}

/* ---- what may strike where ---- */

/* Can others wait for what runs there? If not, a handler on top is like one on an idle CPU. */
static bool is_relevant(const struct machine *m, uint32_t c)
{
	const struct x_column *column = &m->columns[c];

	if (is_child(m, c))
		return false;
	if (any_set(m->now + column->holds, column->hold_count))
		return true;
	for (uint32_t l = 0; l < m->depth[c]; l++) {
		const struct x_op *op = frame_op(m, c, l);

		if (op->gives || op->triggers || m->bodies[op->body].waited ||
		    (op->kind == LP_OP_ACQUIRE && waiting(m, frame_at(m, c, l))))
			return true;
	}
	return false;
}

/* A task that sleeps is not under an interrupt. */
static bool is_asleep(const struct machine *m, uint32_t c)
{
	const struct x_op *op = op_at(m, m->pc[c]);

	return waiting(m, top_frame(m, c)) &&
	       (op->kind != LP_OP_ACQUIRE || m->objects[op->object].sleeps);
}

static bool runs_twice(const struct machine *m, uint32_t c, uint32_t body)
{
	uint32_t count = 0;

	for (uint32_t l = 0; l < m->depth[c]; l++)
		count += frame_op(m, c, l)->body == body;
	return count >= 2;
}

static bool is_installed(const struct machine *m, uint32_t body)
{
	const struct x_body *x = &m->bodies[body];
	uint8_t now = m->dispositions ? m->now[m->dispositions + x->signal] : 0;

	return now ? now == 2 + x->handler : !x->installed;
}

static bool changes_counts(const struct machine *m, uint32_t body)
{
	const struct x_op *first = op_at(m, m->bodies[body].first);

	return first->gives || first->triggers;
}

static bool signal_may_strike(const struct machine *m, uint32_t c, uint32_t body, bool anyhow)
{
	const struct x_column *column = &m->columns[c];

	if (column->kind == COLUMN_WORK || column->kind == COLUMN_IDLE)
		return false;
	if (get_signals(m, m->now + column->cpu) >> m->bodies[body].signal & 1)
		return false;
	if (!is_installed(m, body) || runs_twice(m, c, body))
		return false;
	/* Elsewhere it would be the same as at the last such point. */
	return anyhow || m->depth[c] > 1 || op_at(m, m->pc[c])->point || is_relevant(m, c) ||
	       is_child(m, c) || changes_counts(m, body);
}

static bool kernel_may_strike(const struct machine *m, uint32_t c, enum lp_body_kind kind,
			      bool anyhow)
{
	const uint8_t *cpu = m->now + m->columns[c].cpu;
	bool hard = false, soft = false, nmi = false;

	if (is_child(m, c) || is_asleep(m, c) || (!anyhow && !is_relevant(m, c)))
		return false;
	for (uint32_t l = 0; l < m->depth[c]; l++) {
		const struct x_op *op = frame_op(m, c, l);
		enum lp_body_kind in = m->scenario->bodies[op->body].kind;

		hard |= is_hard(in);
		soft |= is_soft(in);
		nmi |= in == LP_BODY_NMI;
	}
	if (nmi || kind == LP_BODY_NMI)
		return !nmi;
	if (is_hard(kind))
		return !hard && !cpu[0];
	return !hard && !soft && !cpu[0] && !cpu[m->cpu_bh];
}

bool lp_x_can_strike(const struct machine *m, uint32_t c, uint32_t body, bool anyhow)
{
	enum lp_body_kind kind = m->scenario->bodies[body].kind;

	if (!m->depth[c] || m->depth[c] == m->columns[c].levels)
		return false;
	return kind == LP_BODY_SIGNAL ? signal_may_strike(m, c, body, anyhow) :
	       kernel_may_strike(m, c, kind, anyhow);
}

bool lp_x_may_start(const struct machine *m, uint32_t b)
{
	const struct x_body *body = &m->bodies[b];

	if (body->single && m->running[b])
		return false;
	if (!body->pending)
		return true;
	return m->now[body->pending] &&
	       (!body->readers || !any_set(m->now + body->readers, m->sync_bytes));
}

bool lp_x_exposed(const struct machine *m, uint32_t c, struct touch *by)
{
	bool exposed = false;

	for (uint32_t i = 0; i < m->handler_count; i++) {
		uint32_t b = m->handlers[i];
		uint64_t bits = m->bodies[b].single ? 1ull << (m->bodies[b].index % 64) : 0;

		if (!lp_x_can_strike(m, c, b, m->full))
			continue;
		exposed = true;
		if (m->bodies[b].readers)
			bits |= 1ull << (m->bodies[b].rcu % 64);
		by->write |= bits;
	}
	return exposed;
}

bool lp_x_at_rest_can_start(const struct machine *m, uint32_t c)
{
	const struct x_column *column = &m->columns[c];

	if (m->depth[c] || (column->kind != COLUMN_WORK && column->kind != COLUMN_IDLE))
		return false;
	/* Of CPUs that are equal the first takes it. */
	if (column->number && !m->depth[c - 1])
		return false;
	return lp_x_may_start(m, column->body);
}

/* ---- striking ---- */

static void enter_handler(struct machine *m, uint8_t *cpu, uint32_t b)
{
	enum lp_body_kind kind = m->scenario->bodies[b].kind;

	if (is_hard(kind) || kind == LP_BODY_NMI)
		cpu[0] = 1;
	else if (kind == LP_BODY_SIGNAL)
		set_signals(m, cpu, get_signals(m, cpu) | 1ull << m->bodies[b].signal);
}

static void strike(struct machine *m, uint32_t c, uint32_t b)
{
	struct choice choice = { .column = c, .body = b, .what = LP_STEP_STRIKE };
	uint8_t *frame = m->next + frame_at(m, c, m->depth[c]), *cpu = next_cpu(m, c);

	begin(m);
	if (m->depth[c])
		memcpy(frame + m->frame_cpu, cpu, m->cpu_size);
	store_pc(m, frame, m->bodies[b].first);
	enter_handler(m, cpu, b);
	if (m->bodies[b].pending)
		m->next[m->bodies[b].pending] = 0;
	lp_x_tell_flushes(m, b, SNAP_PENDING, SNAP_RUNNING);
	if (!m->stop && !m->emit(m->context, &choice))
		m->stop = true;
}

void lp_x_strikes(struct machine *m, uint32_t c)
{
	if (!m->depth[c]) {
		if (lp_x_at_rest_can_start(m, c))
			strike(m, c, m->columns[c].body);
		return;
	}
	for (uint32_t i = 0; i < m->handler_count; i++)
		if (lp_x_may_start(m, m->handlers[i]) &&
		    lp_x_can_strike(m, c, m->handlers[i], m->full))
			strike(m, c, m->handlers[i]);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_describe.c — the explorer: what a scenario does with its objects and bodies. What
 * nobody waits for, takes or triggers needs no place in a state.
 */
#include "scenario/explore_compile.h"

#define COUNTS	(OP_BIT(WAIT) | OP_BIT(COMPLETE) | OP_BIT(DOWN) | OP_BIT(UP) | \
		 OP_BIT(COND_WAIT) | OP_BIT(COND_SIGNAL))
/* Operations that can matter by themselves; the others only shape what surrounds them. */
#define EFFECTS (COUNTS | STARTS | FLUSHES | OP_BIT(ACQUIRE) | OP_BIT(SYNC) | OP_BIT(RCU_LOCK) | \
		 OP_BIT(RCU_SYNC) | OP_BIT(WORK_CANCEL) | OP_BIT(TIMER_DELETE) | \
		 OP_BIT(THREAD_JOIN) | OP_BIT(FORK))
/* Likewise in handlers: what they interrupted may hold it. */
#define FREES	(OP_BIT(RELEASE) | OP_BIT(DOWNGRADE) | OP_BIT(RCU_UNLOCK))

/* ---- what is waited for ---- */

/* RCU callbacks when there is a barrier, work items of the queues that are flushed. */
static void note_waits_for_many(struct machine *m)
{
	const struct lp_scenario *s = m->scenario;

	for (uint32_t b = 1; b < s->body_count; b++) {
		uint32_t queue = s->bodies[b].queue ? s->bodies[b].queue : s->events;

		if (s->bodies[b].kind == LP_BODY_RCU) {
			m->bodies[b].waited |= m->barriers;
			m->rcu_bodies |= resource(s->object_count + b);
		} else if (s->bodies[b].kind == LP_BODY_WORK) {
			m->bodies[b].waited |= m->objects[queue].waited;
			m->work_bodies |= resource(s->object_count + b);
		}
	}
}

/* Somebody waits for what `op` names. */
static void note_waits(struct machine *m, const struct lp_op *op)
{
	const struct lp_scenario *s = m->scenario;

	switch (op->kind) {
	case LP_OP_WAIT:
	case LP_OP_DOWN:
	case LP_OP_COND_WAIT:
		m->objects[op->object].waited = true;
		break;
	case LP_OP_RCU_SYNC:
		m->objects[rcu_of(s, op)].rcu_waited = true;
		break;
	case LP_OP_RCU_CALL:
		m->objects[rcu_of(s, op)].rcu_waited = true;
		m->bodies[op->other].rcu = rcu_of(s, op);
		break;
	case LP_OP_RCU_BARRIER:
		m->barriers = true;
		break;
	case LP_OP_QUEUE_FLUSH:
		m->objects[op->object ? op->object : s->events].waited = true;
		break;
	case LP_OP_WORK_FLUSH:
	case LP_OP_WORK_CANCEL:
	case LP_OP_THREAD_JOIN:
		m->bodies[op->other].waited = true;
		break;
	case LP_OP_TIMER_DELETE:
		m->bodies[op->other].waited |= (op->flags & LP_OP_UNTIL_DONE) != 0;
		break;
	case LP_OP_SIG_INSTALL:
		m->bodies[op->other].installed = op->other != 0;
		break;
	default:
		break;
	}
}

static void note_acquire(struct machine *m, const struct lp_op *op)
{
	struct x_object *object = &m->objects[op->object];
	bool context = op->other && op->other < m->scenario->object_count &&
		       m->scenario->objects[op->other].type == LP_OBJECT_WW_ACQUIRE_CTX;

	object->acquired = true;
	object->read |= op->mode == LP_READ && !(op->flags & LP_PREFER);
	object->tried |= (op->flags & (LP_TRY | LP_TIMED)) != 0;
	object->back_off |= context || (op->flags & LP_BACK_OFF);
}

static void note_op(struct machine *m, const struct lp_op *op)
{
	note_waits(m, op);
	switch (op->kind) {
	case LP_OP_ACQUIRE:
		note_acquire(m, op);
		break;
	case LP_OP_WAIT:
	case LP_OP_DOWN:
		m->objects[op->object].tried |= (op->flags & (LP_TRY | LP_TIMED)) != 0;
		break;
	case LP_OP_COND_WAIT:
		m->objects[op->other].acquired = true;
		break;
	case LP_OP_INIT:
		m->objects[op->object].initialised = true;
		break;
	case LP_OP_IRQ_SAVE:
		m->saves = true;
		break;
	case LP_OP_FORK:
		m->forks = true;
		break;
	default:
		break;
	}
}

/* ---- counts ---- */

/*
 * How often an execution of each body can begin, as far as that is bounded, and at least how many
 * of them there can be at once.
 */
static void estimate_times(struct machine *m)
{
	const struct lp_scenario *s = m->scenario;
	uint32_t places = s->body_count;

	for (uint32_t i = 0; i < s->op_count; i++)
		places += s->ops[i].kind == LP_OP_THREAD_CREATE;
	places = places < COUNT_MAX ? places : COUNT_MAX;
	for (uint32_t b = 1; b < s->body_count; b++)
		m->bodies[b].times = s->bodies[b].kind == LP_BODY_SOFTIRQ ||
				     s->bodies[b].kind == LP_BODY_SIGNAL ? places : 1;
	for (uint32_t pass = 0; pass < 3; pass++) {
		for (uint32_t i = 0; i < s->op_count; i++) {
			struct x_body *to;

			if (!is_one_of(s->ops[i].kind, STARTS))
				continue;
			to = &m->bodies[s->ops[i].other];
			to->times += m->bodies[m->ops[i].body].times;
			to->times = to->times < COUNT_MAX ? to->times : COUNT_MAX;
		}
	}
}

/* No count needs to be larger than all that can be given once, and taken, together. */
static void bound_counts(struct machine *m)
{
	const struct lp_scenario *s = m->scenario;

	estimate_times(m);
	for (uint32_t o = 1; o < s->object_count; o++)
		m->objects[o].most = (s->objects[o].count < COUNT_MAX ? s->objects[o].count :
				      COUNT_MAX) + 1;
	for (uint32_t i = 0; i < s->op_count; i++)
		if (is_one_of(s->ops[i].kind, COUNTS))
			m->objects[s->ops[i].object].most += m->bodies[m->ops[i].body].times;
	for (uint32_t o = 1; o < s->object_count; o++)
		if (m->objects[o].most > COUNT_MAX)
			m->objects[o].most = COUNT_MAX;
}

/* ---- objects ---- */

static bool sleeps(enum lp_object_type type)
{
	switch (type) {
	case LP_OBJECT_SPINLOCK_T:
	case LP_OBJECT_RAW_SPINLOCK_T:
	case LP_OBJECT_RWLOCK_T:
	case LP_OBJECT_SEQLOCK_T:
	case LP_OBJECT_LOCAL_LOCK_T:
	case LP_OBJECT_PTHREAD_SPINLOCK_T:
	case LP_OBJECT_PTHREAD_RWLOCK_T:
	case LP_OBJECT_PTHREAD_MUTEX_T:
		return false;
	default:
		return true;
	}
}

static void describe_objects(struct machine *m)
{
	const struct lp_scenario *s = m->scenario;
	uint32_t counted = 0;

	for (uint32_t o = 1; o < s->object_count; o++) {
		struct x_object *object = &m->objects[o];

		object->index = o;
		object->handler_hold = NO_HOLD;
		object->recursive = s->objects[o].flags & LP_OBJECT_RECURSIVE;
		object->errorcheck = s->objects[o].flags & LP_OBJECT_ERRORCHECK;
		object->sleeps = sleeps(s->objects[o].type);
		object->sequence = s->objects[o].type == LP_OBJECT_SEQLOCK_T;
		object->local = s->objects[o].type == LP_OBJECT_LOCAL_LOCK_T;
		object->context = s->objects[o].type == LP_OBJECT_WW_ACQUIRE_CTX;
		object->fair = object->read;
		object->give = object->waited ? 1ull << (counted++ % 64) : 0;
		m->ww |= object->back_off;
	}
}

/* ---- bodies ---- */

static bool can_be_triggered(const struct lp_scenario *s, uint32_t body)
{
	enum lp_body_kind kind = s->bodies[body].kind;

	return s->bodies[body].triggered && (kind == LP_BODY_TIMER || kind == LP_BODY_RCU ||
					     kind == LP_BODY_WORK || kind == LP_BODY_THREAD);
}

static void describe_bodies(struct machine *m)
{
	const struct lp_scenario *s = m->scenario;
	uint32_t triggered = 0;

	for (uint32_t b = 1; b < s->body_count; b++) {
		const struct lp_body *it = &s->bodies[b];
		struct x_body *body = &m->bodies[b];

		body->index = s->object_count + b;
		for (uint32_t i = 0; i < it->count; i++) {
			body->effect |= is_one_of(s->ops[it->first + i].kind,
						  is_handler(it->kind) ? EFFECTS | FREES : EFFECTS);
			m->ops[it->first + i].body = b;
		}
		body->effect |= body->waited;
		body->single = it->kind != LP_BODY_SOFTIRQ && it->kind != LP_BODY_SIGNAL &&
			       it->kind != LP_BODY_THREAD;
		if (can_be_triggered(s, b))
			body->bit = 1ull << (triggered++ % 64);
		if (!body->rcu)
			body->rcu = s->rcu;
		if (!body->effect || !is_handler(it->kind))
			continue;
		m->irqs |= is_hard(it->kind);
		m->softs |= is_soft(it->kind);
		m->nmis |= it->kind == LP_BODY_NMI;
		if (it->kind == LP_BODY_SIGNAL && it->signal && it->signal <= 64 &&
		    !m->signal_of[it->signal])
			m->signal_of[it->signal] = (uint8_t)++m->signal_count;
		if (it->kind == LP_BODY_SIGNAL && it->signal <= 64)
			body->signal = m->signal_of[it->signal] - 1u;
	}
	for (uint32_t b = 1; b < s->body_count; b++)
		m->bodies[b].effect |= lives_for_signals(m, b);
	m->kernel = m->irqs || m->softs || m->nmis;
	m->saves &= m->kernel;
}

void lp_x_describe(struct machine *m)
{
	for (uint32_t i = 0; i < m->scenario->op_count; i++)
		note_op(m, &m->scenario->ops[i]);
	note_waits_for_many(m);
	describe_objects(m);
	describe_bodies(m);
	bound_counts(m);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_touch.c — the explorer: which operations matter, what they touch, and what can follow.
 * The reduction (explore_reduce.c) lives on it: what touches nothing in common is independent.
 */
#include "scenario/explore_compile.h"

#define PASSES	64u	/* over all bodies, before anything may follow */
#define TAKES	(OP_BIT(ACQUIRE) | OP_BIT(RCU_LOCK))
#define RELEASES (OP_BIT(RELEASE) | OP_BIT(RCU_UNLOCK))
#define GIVES	(OP_BIT(COMPLETE) | OP_BIT(UP) | OP_BIT(COND_SIGNAL) | OP_BIT(INIT))

/* When an operation matters; else it is left out. */
enum when {
	NEVER,
	ALWAYS,
	END_MATTERS,		/* somebody waits for the end of the body */
	NAMES_OBJECT,
	OBJECT_TAKEN,		/* somebody takes the object */
	SECTION_ENDS,		/* likewise, and this gives it back */
	OBJECT_WAITED,		/* somebody waits for what the object counts */
	COUNT_WAITED,		/* likewise, and its count is a number of its own */
	READERS_WAITED,		/* somebody waits for the readers of the object */
	BODY_MATTERS,		/* the other body does something that matters */
	IRQS_STRIKE,		/* something strikes that this keeps out: an interrupt, */
	SOFTIRQS_STRIKE,
	THESE_STRIKE,		/* the signals that it names, */
	SIGNALS_STRIKE,		/* any signal */
	WAYS_DIFFER,
};

/* What it touches. */
enum {
	OBJECT		= 1,
	LOOKS_AT	= 2,	/* the object, without changing it */
	BY_MODE		= 4,	/* the object, as a reader or as a writer */
	MUTEX		= 8,	/* the other object */
	BODY		= 16,	/* the other body */
	ITSELF		= 32,	/* the body that it is in */
	CALLBACKS	= 64,	/* all RCU callbacks */
	WORK_ITEMS	= 128,
	EVERYTHING	= 256,
};

#define ROW(name, when, what) [LP_OP_##name] = { when, what }

static const struct {
	enum when	when;
	unsigned	what;
} rows[LP_OP_COUNT] = {
	ROW(END,		END_MATTERS,		ITSELF),
	ROW(BRANCH,		WAYS_DIFFER,		0),
	ROW(ACQUIRE,		NAMES_OBJECT,		BY_MODE),
	ROW(RELEASE,		SECTION_ENDS,		BY_MODE),
	ROW(DOWNGRADE,		SECTION_ENDS,		OBJECT),
	ROW(SYNC,		OBJECT_TAKEN,		OBJECT),
	ROW(INIT,		COUNT_WAITED,		OBJECT),
	ROW(IRQ_DISABLE,	IRQS_STRIKE,		0),
	ROW(IRQ_ENABLE,		IRQS_STRIKE,		0),
	ROW(IRQ_SAVE,		IRQS_STRIKE,		0),
	ROW(IRQ_RESTORE,	IRQS_STRIKE,		0),
	ROW(BH_DISABLE,		SOFTIRQS_STRIKE,	0),
	ROW(BH_ENABLE,		SOFTIRQS_STRIKE,	0),
	ROW(SIG_BLOCK,		THESE_STRIKE,		0),
	ROW(SIG_UNBLOCK,	THESE_STRIKE,		0),
	ROW(SIG_SETMASK,	SIGNALS_STRIKE,		0),
	ROW(SIG_INSTALL,	SIGNALS_STRIKE,		EVERYTHING),
	ROW(RCU_LOCK,		READERS_WAITED,		LOOKS_AT),
	ROW(RCU_UNLOCK,		READERS_WAITED,		LOOKS_AT),
	ROW(RCU_SYNC,		ALWAYS,			OBJECT),
	ROW(RCU_CALL,		BODY_MATTERS,		OBJECT | BODY),
	ROW(RCU_BARRIER,	ALWAYS,			CALLBACKS),
	ROW(WORK_QUEUE,		BODY_MATTERS,		BODY),
	ROW(WORK_FLUSH,		BODY_MATTERS,		BODY),
	ROW(WORK_CANCEL,	BODY_MATTERS,		BODY),
	ROW(QUEUE_FLUSH,	ALWAYS,			WORK_ITEMS),
	ROW(TIMER_ARM,		BODY_MATTERS,		BODY),
	ROW(TIMER_DELETE,	BODY_MATTERS,		BODY),
	ROW(WAIT,		ALWAYS,			OBJECT),
	ROW(COMPLETE,		OBJECT_WAITED,		OBJECT),
	ROW(DOWN,		ALWAYS,			OBJECT),
	ROW(UP,			OBJECT_WAITED,		OBJECT),
	ROW(COND_WAIT,		ALWAYS,			OBJECT | MUTEX),
	ROW(COND_SIGNAL,	OBJECT_WAITED,		OBJECT),
	ROW(THREAD_CREATE,	BODY_MATTERS,		BODY),
	ROW(THREAD_JOIN,	BODY_MATTERS,		BODY),
	ROW(FORK,		ALWAYS,			EVERYTHING),
};

bool lp_x_matters(const struct machine *m, const struct lp_op *op, const struct x_op *x)
{
	const struct x_object *object = &m->objects[op->object];

	switch (rows[op->kind].when) {
	case NEVER:
		return false;
	case ALWAYS:
		return true;
	case END_MATTERS:
		return m->bodies[x->body].waited || lives_for_signals(m, x->body);
	case NAMES_OBJECT:
		return op->object != 0;
	case OBJECT_TAKEN:
		return object->acquired;
	case SECTION_ENDS:
		return object->acquired && !(object->sequence && op->mode != LP_WRITE);
	case OBJECT_WAITED:
		return object->waited;
	case COUNT_WAITED:
		return object->waited && m->scenario->objects[op->object].type !=
			LP_OBJECT_PTHREAD_COND_T;
	case READERS_WAITED:
		return object->rcu_waited;
	case BODY_MATTERS:
		return m->bodies[op->other].effect;
	case IRQS_STRIKE:
		return m->irqs || m->softs;
	case SOFTIRQS_STRIKE:
		return m->softs;
	case THESE_STRIKE:
		return x->signals != 0;
	case SIGNALS_STRIKE:
		return m->signal_count != 0;
	case WAYS_DIFFER:
		return x->next != x->target;
	}
	return false;
}

/* Who is wounded, or waits, depends on all that others hold. */
static bool may_wound(const struct machine *m, const struct x_op *x)
{
	return (x->kind == LP_OP_ACQUIRE && m->objects[x->object].back_off) ||
	       (x->kind == LP_OP_RELEASE && m->ww);
}

struct touch lp_x_touch(const struct machine *m, const struct x_op *x)
{
	unsigned what = rows[x->kind].what;
	struct touch touch = { 0 };

	if (what & EVERYTHING || may_wound(m, x))
		return (struct touch){ .write = ~0ull };
	if (what & LOOKS_AT || (what & BY_MODE && x->mode != LP_WRITE))
		touch.read = resource(x->object);
	else if (what & (OBJECT | BY_MODE))
		touch.write = resource(x->object);
	if (what & MUTEX)
		touch.write |= resource(x->other);
	if (what & BODY)
		touch.write |= resource(m->bodies[x->other].index);
	if (what & ITSELF)
		touch.write |= resource(m->bodies[x->body].index);
	if (what & CALLBACKS)
		touch.write |= m->rcu_bodies;
	if (what & WORK_ITEMS)
		touch.write |= m->work_bodies;
	return touch;
}

/* ---- what follows ---- */

/* With what the started bodies do, as far as that is known by now. */
static void look_ahead(struct machine *m, struct x_op *x)
{
	struct touch later = x->own;

	if (is_one_of(x->kind, GIVES))
		x->give = m->objects[x->object].give;
	if (is_one_of(x->kind, STARTS)) {
		x->trigger = m->bodies[x->other].bit;
		later = touch_or(later, m->bodies[x->other].all);
	}
	x->gives = x->give;
	x->triggers = x->trigger;
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t pc = i ? x->target : x->next;

		if (!pc)
			continue;
		later = touch_or(later, m->ops[pc - 1].later);
		x->gives |= m->ops[pc - 1].gives;
		x->triggers |= m->ops[pc - 1].triggers;
	}
	x->later = later;
}

static bool look_at_body(struct machine *m, uint32_t b)
{
	const struct lp_body *it = &m->scenario->bodies[b];
	struct x_body *body = &m->bodies[b];
	struct touch all = { 0 };

	for (uint32_t i = it->count; i-- > 0;)
		look_ahead(m, &m->ops[it->first + i]);
	if (body->first)
		all = m->ops[body->first - 1].later;
	all = touch_or(all, body->all);
	if (body->single || body->bit)
		all.write |= resource(body->index);
	if (it->kind == LP_BODY_RCU && body->bit)
		all.write |= resource(body->rcu);
	if (all.read == body->all.read && all.write == body->all.write)
		return false;
	body->all = all;
	return true;
}

void lp_x_look_ahead(struct machine *m)
{
	const struct lp_scenario *s = m->scenario;
	bool changed = true;

	for (uint32_t pass = 0; changed; pass++) {
		changed = false;
		/* Very long chains of bodies that start one another: everything may follow. */
		for (uint32_t b = 1; b < s->body_count && pass == PASSES; b++)
			m->bodies[b].all.write = ~0ull;
		for (uint32_t b = 1; b < s->body_count; b++)
			changed |= look_at_body(m, b);
	}
}

/* ---- handlers that release what is not theirs ---- */

static void note_least(uint8_t *least, uint32_t pc, uint32_t count)
{
	if (pc && (!least[pc] || least[pc] > count + 1))
		least[pc] = (uint8_t)(count + 1);
}

/* What it interrupted has the object: can it take it nevertheless? */
static bool takes_too(const struct machine *m, const struct x_op *op)
{
	return op->kind != LP_OP_ACQUIRE || op->mode != LP_WRITE ||
	       m->objects[op->object].recursive;
}

/* Is there a way through the body on which it releases what it interrupted has? */
static bool frees(const struct machine *m, uint32_t b, uint32_t object, uint8_t *least)
{
	const struct lp_body *it = &m->scenario->bodies[b];
	bool result = false;

	note_least(least, m->bodies[b].first, 0);
	for (uint32_t pc = m->bodies[b].first; pc <= it->first + it->count; pc++) {
		const struct x_op *op = &m->ops[pc - 1];
		uint32_t count = least[pc] - 1u, next = count;

		if (!least[pc])
			continue;
		least[pc] = 0;
		if (may_branch(m, op))
			note_least(least, op->target, count);
		if (op->object == object && is_one_of(op->kind, TAKES)) {
			if (!takes_too(m, op))
				continue;
			next = count < HELD_MAX ? count + 1 : count;
		}
		if (op->object == object && is_one_of(op->kind, RELEASES)) {
			result |= !count;
			next = count ? count - 1 : 0;
		}
		note_least(least, op->next, next);
	}
	return result;
}

static bool is_noted(const struct x_body *body, uint32_t object)
{
	for (uint32_t i = 0; i < body->free_count; i++)
		if (body->frees[i] == object)
			return true;
	return false;
}

void lp_x_find_frees(struct machine *m)
{
	const struct lp_scenario *s = m->scenario;
	uint8_t *least = m->handler_count ? lp_x_take(m, s->op_count + 2ull, 1) : NULL;

	for (uint32_t i = 0; least && i < m->handler_count; i++) {
		uint32_t b = m->handlers[i], first = s->bodies[b].first;
		struct x_body *body = &m->bodies[b];

		body->frees = lp_x_take(m, s->bodies[b].count, sizeof(*body->frees));
		for (uint32_t k = first; body->frees && k < first + s->bodies[b].count; k++) {
			uint32_t object = m->ops[k].object;

			if (!is_one_of(m->ops[k].kind, RELEASES) || is_noted(body, object) ||
			    !frees(m, b, object, least))
				continue;
			body->frees[body->free_count++] = object;
			m->frees = true;
		}
	}
}

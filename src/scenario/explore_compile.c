/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_compile.c — a scenario becomes a machine: what cannot matter is left out, everything
 * gets its place in a state, and each operation knows what can still follow it.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "scenario/explore_private.h"

#define CHUNK		8192u
#define THREADS_SAME	8u	/* live threads of one body at most */
#define PASSES		64u
#define SECTION_MAX	1000u	/* operations looked at for the end of a section */
#define CHILDREN_MAX	64u	/* forked children at most */

struct chunk {
	struct chunk	*next;
	uint64_t	used, room;
};

static void *take(struct machine *m, uint64_t count, uint64_t size)
{
	struct chunk *chunk = m->memory;
	uint64_t bytes = (count * size + 15) & ~15ull, room;

	if (!chunk || chunk->used + bytes > chunk->room) {
		room = bytes > CHUNK ? bytes : CHUNK;
		chunk = m->no_memory ? NULL : calloc(1, sizeof(*chunk) + room);
		if (!chunk) {
			m->no_memory = true;
			return NULL;
		}
		chunk->next = m->memory;
		chunk->room = room;
		m->memory = chunk;
		m->memory_size += room;
	}
	chunk->used += bytes;
	return (char *)(chunk + 1) + chunk->used - bytes;
}

void lp_x_finish(struct machine *m)
{
	for (struct chunk *chunk = m->memory, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	m->memory = NULL;
}

/* ---- what is used at all ---- */

#define BIT(op)	(1ull << LP_OP_##op)

/* Operations that can matter by themselves; the others only shape what surrounds them. */
#define EFFECTS (BIT(ACQUIRE) | BIT(SYNC) | BIT(WAIT) | BIT(COMPLETE) | BIT(DOWN) | BIT(UP) | \
		 BIT(COND_WAIT) | BIT(COND_SIGNAL) | BIT(THREAD_CREATE) | BIT(THREAD_JOIN) | \
		 BIT(FORK) | BIT(RCU_LOCK) | BIT(RCU_SYNC) | BIT(RCU_CALL) | BIT(RCU_BARRIER) | \
		 BIT(WORK_QUEUE) | BIT(WORK_FLUSH) | BIT(WORK_CANCEL) | BIT(QUEUE_FLUSH) | \
		 BIT(TIMER_ARM) | BIT(TIMER_DELETE))
#define STARTS	(BIT(RCU_CALL) | BIT(WORK_QUEUE) | BIT(TIMER_ARM) | BIT(THREAD_CREATE))
#define WITH_LOCK (BIT(ACQUIRE) | BIT(RELEASE) | BIT(DOWNGRADE) | BIT(RCU_LOCK) | BIT(RCU_UNLOCK))
#define NARROWING (BIT(IRQ_DISABLE) | BIT(IRQ_SAVE) | BIT(BH_DISABLE) | BIT(SIG_BLOCK) | \
		   BIT(SIG_SETMASK))

static bool is_one_of(const struct lp_op *op, uint64_t set)
{
	return set >> op->kind & 1;
}

static uint64_t resource(uint32_t index)
{
	return 1ull << (index % 64);
}

static uint32_t rcu_of(const struct lp_scenario *s, const struct lp_op *op)
{
	return op->object ? op->object : s->rcu;
}

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

			if (!is_one_of(&s->ops[i], STARTS))
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
		if (is_one_of(&s->ops[i], BIT(UP) | BIT(COMPLETE) | BIT(DOWN) | BIT(WAIT) |
						BIT(COND_SIGNAL) | BIT(COND_WAIT)))
			m->objects[s->ops[i].object].most += m->bodies[m->ops[i].body].times;
	for (uint32_t o = 1; o < s->object_count; o++)
		if (m->objects[o].most > COUNT_MAX)
			m->objects[o].most = COUNT_MAX;
}

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

static bool can_be_triggered(const struct lp_scenario *s, uint32_t body)
{
	enum lp_body_kind kind = s->bodies[body].kind;

	return s->bodies[body].triggered && (kind == LP_BODY_TIMER || kind == LP_BODY_RCU ||
					     kind == LP_BODY_WORK || kind == LP_BODY_THREAD);
}

/* A thread can be struck by a signal until it ends. */
static bool lives_for_signals(const struct machine *m, uint32_t b)
{
	enum lp_body_kind kind = m->scenario->bodies[b].kind;

	return m->signal_count && (kind == LP_BODY_TASK || kind == LP_BODY_THREAD);
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
			body->effect |= is_one_of(&s->ops[it->first + i], EFFECTS);
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

/* ---- which operations matter ---- */

static uint64_t compact_signals(const struct machine *m, uint64_t signals)
{
	uint64_t compact = 0;

	for (uint32_t n = 1; n <= 64 && m->signal_count; n++)
		if (signals >> (n - 1) & 1 && m->signal_of[n])
			compact |= 1ull << (m->signal_of[n] - 1);
	return compact;
}

static bool starts_something(const struct machine *m, const struct lp_op *op)
{
	return m->bodies[op->other].effect;
}

static bool matters(const struct machine *m, const struct lp_op *op, const struct x_op *x)
{
	const struct x_object *object = &m->objects[op->object];

	switch (op->kind) {
	case LP_OP_END:
		return m->bodies[x->body].waited || lives_for_signals(m, x->body);
	case LP_OP_ACQUIRE:
		return op->object != 0;
	case LP_OP_RELEASE:
	case LP_OP_DOWNGRADE:
		return object->acquired && !(object->sequence && op->mode != LP_WRITE);
	case LP_OP_SYNC:
		return object->acquired;
	case LP_OP_INIT:
		return object->waited && m->scenario->objects[op->object].type !=
			LP_OBJECT_PTHREAD_COND_T;
	case LP_OP_IRQ_DISABLE:
	case LP_OP_IRQ_ENABLE:
	case LP_OP_IRQ_SAVE:
	case LP_OP_IRQ_RESTORE:
		return m->irqs || m->softs;
	case LP_OP_BH_DISABLE:
	case LP_OP_BH_ENABLE:
		return m->softs;
	case LP_OP_SIG_BLOCK:
	case LP_OP_SIG_UNBLOCK:
		return x->signals != 0;
	case LP_OP_SIG_SETMASK:
	case LP_OP_SIG_INSTALL:
		return m->signal_count != 0;
	case LP_OP_RCU_LOCK:
	case LP_OP_RCU_UNLOCK:
		return object->rcu_waited;
	case LP_OP_COMPLETE:
	case LP_OP_UP:
	case LP_OP_COND_SIGNAL:
		return object->waited;
	case LP_OP_RCU_CALL:
	case LP_OP_WORK_QUEUE:
	case LP_OP_TIMER_ARM:
	case LP_OP_THREAD_CREATE:
	case LP_OP_WORK_FLUSH:
	case LP_OP_WORK_CANCEL:
	case LP_OP_TIMER_DELETE:
	case LP_OP_THREAD_JOIN:
		return starts_something(m, op);
	case LP_OP_BRANCH:
		return x->next != x->target;
	case LP_OP_RCU_SYNC:
	case LP_OP_RCU_BARRIER:
	case LP_OP_QUEUE_FLUSH:
	case LP_OP_WAIT:
	case LP_OP_DOWN:
	case LP_OP_COND_WAIT:
	case LP_OP_FORK:
		return true;
	default:
		return false;
	}
}

/* ---- what an operation touches ---- */

static struct touch touch_of(const struct machine *m, const struct lp_op *op, uint32_t body)
{
	uint64_t object = resource(op->object), other = resource(m->scenario->object_count +
								 op->other);

	switch (op->kind) {
	case LP_OP_END:
		return (struct touch){ .write = resource(m->bodies[body].index) };
	case LP_OP_ACQUIRE:
		if (m->objects[op->object].back_off)
			return (struct touch){ .write = ~0ull };
		return op->mode == LP_WRITE ? (struct touch){ .write = object } :
			(struct touch){ .read = object };
	case LP_OP_RELEASE:
		if (m->ww)
			return (struct touch){ .write = ~0ull };
		return op->mode == LP_WRITE ? (struct touch){ .write = object } :
			(struct touch){ .read = object };
	case LP_OP_RCU_LOCK:
	case LP_OP_RCU_UNLOCK:
		return (struct touch){ .read = object };
	case LP_OP_RCU_SYNC:
		return (struct touch){ .write = resource(rcu_of(m->scenario, op)) };
	case LP_OP_RCU_CALL:
		return (struct touch){ .write = resource(rcu_of(m->scenario, op)) | other };
	case LP_OP_RCU_BARRIER:
		return (struct touch){ .write = m->rcu_bodies };
	case LP_OP_QUEUE_FLUSH:
		return (struct touch){ .write = m->work_bodies };
	case LP_OP_WORK_QUEUE:
	case LP_OP_WORK_FLUSH:
	case LP_OP_WORK_CANCEL:
	case LP_OP_TIMER_ARM:
	case LP_OP_TIMER_DELETE:
	case LP_OP_THREAD_CREATE:
	case LP_OP_THREAD_JOIN:
		return (struct touch){ .write = other };
	case LP_OP_COND_WAIT:
		return (struct touch){ .write = object | resource(op->other) };
	case LP_OP_FORK:
	case LP_OP_SIG_INSTALL:
		return (struct touch){ .write = ~0ull };
	case LP_OP_IRQ_DISABLE ... LP_OP_SIG_SETMASK:
	case LP_OP_BRANCH:
		return (struct touch){ 0 };
	default:
		return (struct touch){ .write = object };
	}
}

/* ---- operations, from the last to the first, as all jumps lead forwards ---- */

/* The pc at which a frame stands when it is to go on at ops[i]. */
static uint32_t pc_at(const struct machine *m, uint32_t i, const uint32_t *skip)
{
	return i < m->scenario->op_count ? skip[i] : 0;
}

/*
 * Where code goes on that minds the error of a second pthread_mutex_lock() by the owner: behind
 * the unlock that belongs to it, else at the end.
 */
static uint32_t behind_section(const struct machine *m, uint32_t i, const uint32_t *skip)
{
	const struct lp_scenario *s = m->scenario;
	const struct lp_body *body = &s->bodies[m->ops[i].body];
	uint32_t depth = 1, end = body->first + body->count, object = s->ops[i].object;

	for (uint32_t k = i + 1; k < end && k < i + SECTION_MAX; k++) {
		if (s->ops[k].object != object)
			continue;
		depth += (s->ops[k].kind == LP_OP_ACQUIRE) - (s->ops[k].kind == LP_OP_RELEASE);
		if (!depth)
			return pc_at(m, k + 1, skip);
	}
	return end ? pc_at(m, end - 1, skip) : 0;
}

static void compile_op(struct machine *m, uint32_t i, uint32_t *skip)
{
	const struct lp_op *op = &m->scenario->ops[i];
	struct x_op *x = &m->ops[i];

	x->kind = op->kind;
	x->mode = op->mode;
	x->slot = op->subclass & 7;
	x->flags = op->flags;
	x->object = op->kind == LP_OP_RCU_SYNC || op->kind == LP_OP_RCU_CALL ?
		rcu_of(m->scenario, op) : op->object;
	if (op->kind == LP_OP_QUEUE_FLUSH && !op->object)
		x->object = m->scenario->events;
	x->other = op->other;
	x->signals = compact_signals(m, op->signals);
	x->next = op->kind == LP_OP_END ? 0 : pc_at(m, i + 1, skip);
	x->target = op->target > i ? pc_at(m, op->target, skip) : x->next;
	if (op->kind == LP_OP_ACQUIRE && m->objects[op->object].errorcheck &&
	    !(op->flags & (LP_TRY | LP_TIMED)))
		x->target = behind_section(m, i, skip);
	skip[i] = i + 1;
	if (op->kind == LP_OP_JUMP)
		skip[i] = x->target;
	else if (!matters(m, op, x))
		skip[i] = x->next;
	else
		x->own = touch_of(m, op, x->body);
}

static bool starts_a_body(const struct x_op *x)
{
	return x->kind == LP_OP_RCU_CALL || x->kind == LP_OP_WORK_QUEUE ||
	       x->kind == LP_OP_TIMER_ARM || x->kind == LP_OP_THREAD_CREATE;
}

/* What can still follow; with what the started bodies do, as far as that is known by now. */
static void look_ahead(struct machine *m, struct x_op *x)
{
	struct touch later = x->own;

	if (x->kind == LP_OP_COMPLETE || x->kind == LP_OP_UP || x->kind == LP_OP_COND_SIGNAL ||
	    x->kind == LP_OP_INIT)
		x->give = m->objects[x->object].give;
	if (starts_a_body(x)) {
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

/* A signal may strike here although the thread holds nothing: it begins, or things have changed. */
static void mark_points(struct machine *m)
{
	for (uint32_t i = 0; i < m->scenario->op_count; i++) {
		const struct x_op *x = &m->ops[i];
		bool lasting = m->scenario->ops[i].kind != LP_OP_BRANCH &&
			       !is_one_of(&m->scenario->ops[i], WITH_LOCK | NARROWING);

		if (lasting && x->next)
			m->ops[x->next - 1].point = true;
		if (lasting && x->target)
			m->ops[x->target - 1].point = true;
	}
	for (uint32_t b = 1; b < m->scenario->body_count; b++)
		if (m->bodies[b].first)
			m->ops[m->bodies[b].first - 1].point = true;
}

static void compile_ops(struct machine *m)
{
	const struct lp_scenario *s = m->scenario;
	uint32_t *skip = take(m, s->op_count + 1, sizeof(*skip));
	bool changed = true;
	uint32_t passes = 0;

	if (!skip)
		return;
	for (uint32_t i = s->op_count; i-- > 0;)
		compile_op(m, i, skip);
	for (uint32_t b = 1; b < s->body_count; b++)
		m->bodies[b].first = m->bodies[b].effect && s->bodies[b].count ?
			pc_at(m, s->bodies[b].first, skip) : 0;
	while (changed) {
		changed = false;
		/* Very long chains of bodies that start one another: everything may follow. */
		for (uint32_t b = 1; b < s->body_count && passes == PASSES; b++)
			m->bodies[b].all.write = ~0ull;
		passes++;
		for (uint32_t b = 1; b < s->body_count; b++)
			changed |= look_at_body(m, b);
	}
	mark_points(m);
}

/* ---- holds ---- */

static bool has_hold(const struct machine *m, const struct lp_op *op)
{
	return op->object && is_one_of(op, WITH_LOCK) &&
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

	m->handler_objects = take(m, s->object_count, sizeof(uint32_t));
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
	m->bodies[b].own = take(m, count, sizeof(uint32_t));
	for (uint32_t k = it->first; k < it->first + it->count && !m->no_memory; k++) {
		const struct lp_op *op = &s->ops[k];

		m->ops[k].hold = m->ops[k].hold_other = NO_HOLD;
		if (has_hold(m, op))
			m->ops[k].hold = add_own_hold(m, b, op->object, place);
		if (op->kind == LP_OP_COND_WAIT || (op->kind == LP_OP_ACQUIRE && op->other))
			m->ops[k].hold_other = add_own_hold(m, b, op->other, place);
	}
}

static void place_holds(struct machine *m)
{
	uint32_t *place = take(m, m->scenario->object_count, sizeof(*place));

	place_handler_holds(m);
	for (uint32_t b = 1; b < m->scenario->body_count && !m->no_memory; b++)
		place_body_holds(m, b, place);
}

/* ---- handlers and columns ---- */

static void find_handlers(struct machine *m)
{
	const struct lp_scenario *s = m->scenario;

	m->handlers = take(m, s->body_count, sizeof(uint32_t));
	for (uint32_t b = 1; b < s->body_count && !m->no_memory; b++) {
		struct touch *all = s->bodies[b].kind == LP_BODY_SIGNAL ? &m->signal_touch :
				    &m->kernel_touch;

		if (!m->bodies[b].first || !is_handler(s->bodies[b].kind))
			continue;
		m->bodies[b].handler = m->handler_count;
		m->handlers[m->handler_count++] = b;
		*all = touch_or(*all, m->bodies[b].all);
	}
}

static uint32_t count_ops(const struct lp_scenario *s, uint32_t b, enum lp_op_kind kind)
{
	uint32_t count = 0;

	for (uint32_t k = 0; k < s->bodies[b].count; k++)
		count += s->ops[s->bodies[b].first + k].kind == kind;
	return count;
}

/* How many columns a body has of its own. */
static uint32_t columns_of(const struct machine *m, uint32_t b, const uint32_t *creations)
{
	switch (m->scenario->bodies[b].kind) {
	case LP_BODY_TASK:
	case LP_BODY_WORK:
		return 1;
	case LP_BODY_THREAD:
		return creations[b] < THREADS_SAME ? creations[b] : THREADS_SAME;
	case LP_BODY_SOFTIRQ:
		return 2;
	case LP_BODY_SIGNAL:
		return 0;
	default:
		return 1;
	}
}

static enum column_kind column_kind_of(enum lp_body_kind kind)
{
	return kind == LP_BODY_TASK ? COLUMN_TASK : kind == LP_BODY_THREAD ? COLUMN_THREAD :
	       kind == LP_BODY_WORK ? COLUMN_WORK : COLUMN_IDLE;
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

	if (count_ops(s, b, LP_OP_RCU_SYNC))
		size = m->sync_bytes;
	if (size < m->snap_bodies && (count_ops(s, b, LP_OP_RCU_BARRIER) ||
	    count_ops(s, b, LP_OP_WORK_FLUSH) || count_ops(s, b, LP_OP_QUEUE_FLUSH)))
		size = m->snap_bodies;
	return size;
}

static void add_children(struct machine *m, uint32_t column, uint32_t b, uint32_t *children)
{
	const struct lp_scenario *s = m->scenario;

	for (uint32_t k = 0; k < s->bodies[b].count && *children < CHILDREN_MAX; k++) {
		uint32_t i = s->bodies[b].first + k;

		if (s->ops[i].kind != LP_OP_FORK)
			continue;
		m->columns[m->column_count++] = (struct x_column){ .kind = COLUMN_CHILD,
			.body = m->columns[column].body, .parent = column, .fork = i + 1 };
		(*children)++;
		m->frozen = true;
	}
}

static void add_columns(struct machine *m, const uint32_t *creations)
{
	const struct lp_scenario *s = m->scenario;
	uint32_t own, children = 0;

	for (uint32_t b = 1; b < s->body_count; b++) {
		uint32_t count = m->bodies[b].first ? columns_of(m, b, creations) : 0;

		m->bodies[b].column = m->column_count;
		m->bodies[b].columns = count;
		for (uint32_t i = 0; i < count; i++)
			m->columns[m->column_count++] = (struct x_column){
				.kind = column_kind_of(s->bodies[b].kind), .body = b, .number = i };
	}
	own = m->column_count;
	for (uint32_t c = 0; c < own && m->forks; c++) {
		if (m->columns[c].kind != COLUMN_TASK && m->columns[c].kind != COLUMN_THREAD)
			continue;
		add_children(m, c, m->columns[c].body, &children);
		for (uint32_t i = 0; i < m->handler_count; i++)
			if (s->bodies[m->handlers[i]].kind == LP_BODY_SIGNAL)
				add_children(m, c, m->handlers[i], &children);
	}
}

static void make_columns(struct machine *m)
{
	const struct lp_scenario *s = m->scenario;
	uint32_t *creations = take(m, s->body_count, sizeof(*creations)), count = CHILDREN_MAX;
	bool unblocks = false;

	if (!creations)
		return;
	for (uint32_t i = 0; i < s->op_count; i++)
		if (s->ops[i].kind == LP_OP_THREAD_CREATE)
			creations[s->ops[i].other]++;
	for (uint32_t b = 1; b < s->body_count; b++) {
		count += columns_of(m, b, creations);
		if (s->bodies[b].kind == LP_BODY_SIGNAL)
			unblocks |= count_ops(s, b, LP_OP_SIG_UNBLOCK) ||
				    count_ops(s, b, LP_OP_SIG_SETMASK);
		if (m->bodies[b].waited && (s->bodies[b].kind == LP_BODY_WORK ||
					    s->bodies[b].kind == LP_BODY_RCU))
			m->bodies[b].snap = m->snap_bodies++;
	}
	m->signal_levels = m->signal_count * (1 + unblocks);
	m->columns = take(m, count, sizeof(*m->columns));
	if (m->columns)
		add_columns(m, creations);
	for (uint32_t c = 0; c < m->column_count && m->columns; c++)
		m->circles |= m->columns[c].kind == COLUMN_WORK ||
			      m->columns[c].kind == COLUMN_THREAD;
	m->circles |= m->handler_count != 0;
}

/* ---- layout ---- */

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

static bool needs_waits(const struct machine *m)
{
	const struct lp_scenario *s = m->scenario;

	for (uint32_t i = 0; i < s->op_count; i++) {
		const struct lp_op *op = &s->ops[i];

		if (op->kind == LP_OP_COND_WAIT || op->kind == LP_OP_RCU_SYNC ||
		    op->kind == LP_OP_RCU_BARRIER || op->kind == LP_OP_WORK_FLUSH ||
		    op->kind == LP_OP_WORK_CANCEL || op->kind == LP_OP_QUEUE_FLUSH)
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

static int lay_out(struct machine *m, uint64_t memory_max)
{
	const struct lp_scenario *s = m->scenario;
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
	size = place_counts(m, place_bodies(m, size));
	for (uint32_t b = 1; b < s->body_count && !m->dispositions; b++)
		if (m->bodies[b].installed && m->signal_count) {
			m->dispositions = (uint32_t)size;
			size += m->signal_count;
		}
	m->size = (size + 7) & ~7ull;
	return m->size > memory_max / 8 ? -E2BIG : 0;
}

static void take_view(struct machine *m)
{
	m->now = take(m, 1, m->size);
	m->next = take(m, 1, m->size);
	m->depth = take(m, m->column_count, sizeof(uint32_t));
	m->pc = take(m, m->column_count, sizeof(uint32_t));
	m->can = take(m, m->column_count, 1);
	m->stuck = take(m, m->column_count, 1);
	m->marks = take(m, m->scenario->op_count + 2, 1);
	m->locks = take(m, m->scenario->object_count, sizeof(*m->locks));
	m->running = take(m, m->scenario->body_count, sizeof(uint32_t));
	m->runs_in = take(m, m->scenario->body_count, sizeof(uint32_t));
	m->future = take(m, m->column_count + 1, sizeof(*m->future));
	m->after = take(m, m->column_count + 1, sizeof(*m->after));
}

int lp_x_compile(struct machine *m, const struct lp_scenario *scenario, bool full,
		 uint64_t memory_max)
{
	int result;

	*m = (struct machine){ .scenario = scenario, .full = full };
	m->ops = take(m, scenario->op_count + 1, sizeof(*m->ops));
	m->objects = take(m, scenario->object_count + 1, sizeof(*m->objects));
	m->bodies = take(m, scenario->body_count + 1, sizeof(*m->bodies));
	if (m->no_memory)
		return -ENOMEM;
	for (uint32_t i = 0; i < scenario->op_count; i++)
		note_op(m, &scenario->ops[i]);
	note_waits_for_many(m);
	describe_objects(m);
	describe_bodies(m);
	bound_counts(m);
	compile_ops(m);
	find_handlers(m);
	place_holds(m);
	make_columns(m);
	if (m->no_memory)
		return -ENOMEM;
	result = lay_out(m, memory_max);
	if (!result)
		take_view(m);
	return m->no_memory ? -ENOMEM : result;
}

/* The state in which everything begins. */
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

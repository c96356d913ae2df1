/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_compile.c — a scenario becomes a machine: what cannot matter is left out, everything
 * gets its place in a state, and each operation knows what can still follow it.
 */
#include <errno.h>
#include <stdlib.h>

#include "scenario/explore_compile.h"

#define CHUNK		8192u
#define SECTION_MAX	1000u	/* operations looked at for the end of a section */

/* What keeps handlers out. */
#define NARROWING (OP_BIT(IRQ_DISABLE) | OP_BIT(IRQ_SAVE) | OP_BIT(BH_DISABLE) | \
		   OP_BIT(SIG_BLOCK) | OP_BIT(SIG_SETMASK))

/* ---- memory ---- */

struct chunk {
	struct chunk	*next;
	uint64_t	used, room;
};

void *lp_x_take(struct machine *m, uint64_t count, uint64_t size)
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

/* ---- operations ---- */

static uint64_t compact_signals(const struct machine *m, uint64_t signals)
{
	uint64_t compact = 0;

	for (uint32_t n = 1; n <= 64 && m->signal_count; n++)
		if (signals >> (n - 1) & 1 && m->signal_of[n])
			compact |= 1ull << (m->signal_of[n] - 1);
	return compact;
}

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
	else if (!lp_x_matters(m, op, x))
		skip[i] = x->next;
	else
		x->own = lp_x_touch(m, x);
}

/* Compiles from the last operation to the first, as all jumps lead forwards. */
static void compile_ops(struct machine *m)
{
	const struct lp_scenario *s = m->scenario;
	uint32_t *skip = lp_x_take(m, s->op_count + 1, sizeof(*skip));

	if (!skip)
		return;
	for (uint32_t i = s->op_count; i-- > 0;)
		compile_op(m, i, skip);
	for (uint32_t b = 1; b < s->body_count; b++)
		m->bodies[b].first = m->bodies[b].effect && s->bodies[b].count ?
			pc_at(m, s->bodies[b].first, skip) : 0;
}

/* A signal may strike here although the thread holds nothing: it begins, or things have changed. */
static void mark_points(struct machine *m)
{
	for (uint32_t i = 0; i < m->scenario->op_count; i++) {
		const struct x_op *x = &m->ops[i];
		bool lasting = m->scenario->ops[i].kind != LP_OP_BRANCH &&
			       !is_one_of(m->scenario->ops[i].kind, WITH_LOCK | NARROWING);

		if (lasting && x->next)
			m->ops[x->next - 1].point = true;
		if (lasting && x->target)
			m->ops[x->target - 1].point = true;
	}
	for (uint32_t b = 1; b < m->scenario->body_count; b++)
		if (m->bodies[b].first)
			m->ops[m->bodies[b].first - 1].point = true;
}

/* ---- all together ---- */

int lp_x_compile(struct machine *m, const struct lp_scenario *scenario, bool full,
		 uint64_t memory_max)
{
	int result;

	*m = (struct machine){ .scenario = scenario, .full = full };
	m->ops = lp_x_take(m, scenario->op_count + 1, sizeof(*m->ops));
	m->objects = lp_x_take(m, scenario->object_count + 1, sizeof(*m->objects));
	m->bodies = lp_x_take(m, scenario->body_count + 1, sizeof(*m->bodies));
	if (m->no_memory)
		return -ENOMEM;
	lp_x_describe(m);
	compile_ops(m);
	lp_x_look_ahead(m);
	mark_points(m);
	lp_x_find_handlers(m);
	lp_x_find_frees(m);
	lp_x_place_holds(m);
	lp_x_make_columns(m);
	if (m->no_memory)
		return -ENOMEM;
	result = lp_x_lay_out(m, memory_max);
	return m->no_memory ? -ENOMEM : result;
}

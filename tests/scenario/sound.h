/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sound.h — what holds for every scenario that the parser makes. For its tests and its fuzzer.
 *
 * scenario_problem(scenario) is NULL, or a phrase that says what does not hold.
 */
#ifndef LP_TESTS_SCENARIO_SOUND_H
#define LP_TESTS_SCENARIO_SOUND_H

#include <stdbool.h>
#include <string.h>

#include "scenario/scenario.h"

#define REQUIRE(holds, what) do { if (!(holds)) return (what); } while (0)

static inline bool sound_site(const struct lp_scenario *s, uint32_t site)
{
	return site < s->site_count && s->sites[site].function && s->sites[site].file &&
	       s->sites[site].text && !strchr(s->sites[site].text, '\n') &&
	       strlen(s->sites[site].function) <= LP_SCENARIO_NAME_MAX;
}

/* A class of objects to wound or wait for, and one of contexts: each is the other's, or alone. */
static inline bool sound_pair(const struct lp_scenario *s, uint32_t index)
{
	const struct lp_object_class *class = &s->classes[index], *pair;

	if (!class->pair)
		return true;
	if (class->pair >= s->class_count)
		return false;
	pair = &s->classes[class->pair];
	return pair->pair == index && class->type + pair->type ==
	       LP_OBJECT_WW_MUTEX + LP_OBJECT_WW_ACQUIRE_CTX && class->type != pair->type;
}

static inline const char *sound_objects(const struct lp_scenario *s)
{
	for (uint32_t i = 1; i < s->class_count; i++) {
		const struct lp_object_class *class = &s->classes[i];

		REQUIRE(class->name && *class->name, "a class has no name");
		REQUIRE(class->object && class->object < s->object_count &&
			s->objects[class->object].class_index == i &&
			s->objects[class->object].rank == 1, "a class has no first object");
		REQUIRE(!(class->flags & ~127u), "a class has an unknown flag");
	}
	for (uint32_t i = 1; i < s->object_count; i++) {
		const struct lp_object *object = &s->objects[i];

		REQUIRE(object->name && *object->name, "an object has no name");
		REQUIRE(object->type && object->type < LP_OBJECT_TYPE_COUNT,
			"an object has no type");
		REQUIRE(object->class_index && object->class_index < s->class_count,
			"an object has no class");
		REQUIRE(s->classes[object->class_index].type == object->type,
			"an object is in a class of another type");
		REQUIRE(!((s->classes[object->class_index].flags ^ object->flags) &
			  ~(uint32_t)LP_OBJECT_UNINITIALISED), "an object differs from its class");
		REQUIRE(sound_pair(s, object->class_index), "a class is half of no pair");
		REQUIRE(object->rank && object->rank < s->object_count, "an object has no rank");
		REQUIRE(sound_site(s, object->site), "an object's site is none");
	}
	REQUIRE(s->rcu < s->object_count && s->rcu_bh < s->object_count &&
		s->rcu_sched < s->object_count && s->rcu_callback < s->object_count &&
		s->events < s->object_count, "a built-in object is none");
	return NULL;
}

static inline bool other_is_body(enum lp_op_kind kind)
{
	return kind == LP_OP_RCU_CALL || kind == LP_OP_WORK_QUEUE || kind == LP_OP_WORK_FLUSH ||
	       kind == LP_OP_WORK_CANCEL || kind == LP_OP_TIMER_ARM || kind == LP_OP_TIMER_DELETE ||
	       kind == LP_OP_THREAD_CREATE || kind == LP_OP_THREAD_JOIN ||
	       kind == LP_OP_SIG_INSTALL;
}

static inline bool has_target(const struct lp_op *op)
{
	return op->kind == LP_OP_JUMP || op->kind == LP_OP_BRANCH || op->kind == LP_OP_FORK ||
	       ((op->kind == LP_OP_ACQUIRE || op->kind == LP_OP_DOWN || op->kind == LP_OP_WAIT) &&
		op->flags & (LP_TRY | LP_TIMED | LP_BACK_OFF));
}

static inline bool needs_object(enum lp_op_kind kind)
{
	return (kind >= LP_OP_ACQUIRE && kind <= LP_OP_MIGHT_LOCK) ||
	       (kind >= LP_OP_RCU_LOCK && kind <= LP_OP_RCU_BARRIER) ||
	       (kind >= LP_OP_WAIT && kind <= LP_OP_COND_SIGNAL) || kind == LP_OP_UNREGISTER;
}

static inline const char *sound_op(const struct lp_scenario *s, const struct lp_body *body,
				   uint32_t index)
{
	const struct lp_op *op = &s->ops[index];
	uint32_t last = body->first + body->count - 1;

	REQUIRE(op->kind < LP_OP_COUNT, "an operation has no kind");
	REQUIRE((op->kind == LP_OP_END) == (index == last), "a body ends elsewhere");
	REQUIRE(op->mode < LP_MODE_COUNT, "an operation has no mode");
	REQUIRE(op->subclass < 8, "a subclass or slot is too large");
	REQUIRE(op->more <= 1 && !(op->more && index == last), "more of nothing");
	REQUIRE(!op->more || s->ops[index + 1].site == op->site, "more of another statement");
	REQUIRE(op->object < s->object_count, "an operation's object is none");
	REQUIRE(!needs_object(op->kind) || op->object, "an operation has no object");
	REQUIRE(op->other < (other_is_body(op->kind) ? s->body_count : s->object_count),
		"an operation's other is none");
	REQUIRE(!other_is_body(op->kind) || op->other || op->kind == LP_OP_SIG_INSTALL,
		"an operation has no body");
	REQUIRE(!(op->flags & LP_BACK_OFF) ||
		s->objects[op->other].type == LP_OBJECT_WW_ACQUIRE_CTX,
		"an operation is refused under no context");
	REQUIRE(has_target(op) ? op->target > index && op->target <= last : !op->target,
		"a target is not ahead in its body");
	REQUIRE(op->site && sound_site(s, op->site), "an operation has no site");
	return NULL;
}

static inline const char *sound_bodies(const struct lp_scenario *s)
{
	uint32_t next = 0;

	for (uint32_t i = 1; i < s->body_count; i++) {
		const struct lp_body *body = &s->bodies[i];

		REQUIRE(body->kind && body->kind < LP_BODY_KIND_COUNT, "a body has no kind");
		REQUIRE(body->name && *body->name, "a body has no name");
		REQUIRE(body->first == next && body->count, "operations between bodies");
		next += body->count;
		REQUIRE(next <= s->op_count, "a body has more operations than there are");
		REQUIRE(body->context < s->context_count && body->map < s->object_count &&
			body->queue < s->object_count, "a body has something that is none");
		REQUIRE((body->kind == LP_BODY_SIGNAL) == (body->signal > 0 && body->signal <= 64),
			"a body has the wrong signal");
		REQUIRE(body->site && sound_site(s, body->site), "a body has no site");
		for (uint32_t k = body->first; k < next; k++) {
			const char *problem = sound_op(s, body, k);

			if (problem)
				return problem;
		}
	}
	REQUIRE(next == s->op_count, "operations behind the last body");
	return NULL;
}

static inline const char *scenario_problem(const struct lp_scenario *s)
{
	const char *problem = sound_objects(s);

	if (!problem)
		problem = sound_bodies(s);
	if (problem)
		return problem;
	REQUIRE(s->name && s->file, "a scenario has no name");
	REQUIRE(s->body_count > 1, "no bodies");
	REQUIRE(s->expectation_count, "nothing is expected");
	for (uint32_t i = 0; i < s->expectation_count; i++)
		REQUIRE((unsigned)s->expectations[i].kind < LP_FINDING_KIND_COUNT &&
			(!s->expectations[i].none || s->expectation_count == 1),
			"an expectation that is none");
	for (uint32_t i = 1; i < s->context_count; i++)
		REQUIRE(s->contexts[i].kind && s->contexts[i].name, "a context is none");
	return NULL;
}

#undef REQUIRE

#endif

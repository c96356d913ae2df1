/* SPDX-License-Identifier: Apache-2.0 */
/* play_before.c — what is known of a scenario before it is played: who starts, gives, takes. */
#include "scenario/player.h"

static bool starts_body(const struct lp_op *op)
{
	return op->kind == LP_OP_THREAD_CREATE || op->kind == LP_OP_WORK_QUEUE ||
	       op->kind == LP_OP_TIMER_ARM || op->kind == LP_OP_RCU_CALL;
}

static void count_triggers(struct lp_player *player)
{
	const struct lp_scenario *s = player->scenario;

	for (uint32_t i = 0; i < s->op_count; i++)
		if (starts_body(&s->ops[i]))
			player->body_state.at[s->ops[i].other].triggers++;
}

static bool gives(const struct lp_op *op)
{
	return op->kind == LP_OP_COMPLETE || op->kind == LP_OP_UP || op->kind == LP_OP_COND_SIGNAL;
}

/* One body gives it and nobody else: then a wait for it is a wait for that body. */
static void find_givers(struct lp_player *player)
{
	const struct lp_scenario *s = player->scenario;

	for (uint32_t b = 1; b < s->body_count; b++) {
		for (uint32_t i = 0; i < s->bodies[b].count; i++) {
			const struct lp_op *op = &s->ops[s->bodies[b].first + i];
			struct lp_play_object *object = &player->object.at[op->object];

			if (!gives(op) || object->giver == b)
				continue;
			object->giver = object->giver ? UINT32_MAX : b;
			object->giver_site = op->site;
		}
	}
	for (uint32_t i = 1; i < s->object_count; i++)
		if (player->object.at[i].giver == UINT32_MAX)
			player->object.at[i].giver = 0;
}

/* Softirqs and signal handlers can meet themselves. */
static uint32_t taker(const struct lp_scenario *s, uint32_t body, uint32_t before)
{
	enum lp_body_kind kind = s->bodies[body].kind;

	if (kind == LP_BODY_SOFTIRQ || kind == LP_BODY_SIGNAL)
		return UINT32_MAX;
	return !before || before == body ? body : UINT32_MAX;
}

static void find_takers(struct lp_player *player)
{
	const struct lp_scenario *s = player->scenario;

	for (uint32_t b = 1; b < s->body_count; b++) {
		for (uint32_t i = 0; i < s->bodies[b].count; i++) {
			const struct lp_op *op = &s->ops[s->bodies[b].first + i];
			struct lp_play_object *object = &player->object.at[op->object];
			uint32_t *who = op->mode == LP_WRITE ? &object->writer : &object->reader;

			if (op->kind == LP_OP_ACQUIRE || op->kind == LP_OP_DOWN)
				*who = taker(s, b, *who);
		}
	}
}

/* Do all bodies that take a count of the semaphore give it back, and the other way round? */
static bool is_balanced(const struct lp_scenario *s, uint32_t object)
{
	for (uint32_t b = 1; b < s->body_count; b++) {
		int downs = 0;

		for (uint32_t i = 0; i < s->bodies[b].count; i++) {
			const struct lp_op *op = &s->ops[s->bodies[b].first + i];

			if (op->object == object)
				downs += (op->kind == LP_OP_DOWN) - (op->kind == LP_OP_UP);
			if (downs < 0)
				return false;
		}
		if (downs)
			return false;
	}
	return true;
}

static void find_semaphores(struct lp_player *player)
{
	const struct lp_scenario *s = player->scenario;

	for (uint32_t i = 1; i < s->object_count; i++) {
		const struct lp_object *object = &s->objects[i];
		struct lp_play_object *state = &player->object.at[i];

		if (object->type != LP_OBJECT_SEMAPHORE && object->type != LP_OBJECT_SEM_T)
			continue;
		state->lock_like = object->count && is_balanced(s, i);
		if (object->count)
			state->giver = 0;	/* not only what is given can be taken */
	}
}

static void find_handlers(struct lp_player *player)
{
	const struct lp_scenario *s = player->scenario;

	player->installed = 0;
	for (uint32_t b = 1; b < s->body_count; b++)
		if (s->bodies[b].kind == LP_BODY_SIGNAL && !s->bodies[b].triggered)
			player->installed |= 1ull << (s->bodies[b].signal - 1);
}

static int list_promises(struct lp_player *player)
{
	int err = 0;

	player->promises.count = 0;
	for (uint32_t i = 1; !err && i < player->scenario->object_count; i++)
		if (player->object.at[i].giver && !player->object.at[i].lock_like)
			err = lp_vec_push(&player->promises, i);
	return err;
}

int lp_play_look_before(struct lp_player *player)
{
	count_triggers(player);
	find_givers(player);
	find_takers(player);
	lp_play_ww_begin(player);
	find_semaphores(player);
	find_handlers(player);
	return list_promises(player);
}

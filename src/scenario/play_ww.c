/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play_ww.c — wound/wait acquisition: what a context did decides what it may do next.
 *
 * A context that was refused an object gives all others back and then takes that one, before any
 * other. It takes none once it is done, and ends without any.
 */
#include "scenario/player.h"

static bool is_context(const struct lp_player *player, uint32_t object)
{
	return player->scenario->objects[object].type == LP_OBJECT_WW_ACQUIRE_CTX;
}

/* An object that is taken under a context. */
static bool is_under_context(const struct lp_player *player, const struct lp_op *op)
{
	return op->kind == LP_OP_ACQUIRE && op->other && is_context(player, op->other);
}

static struct lp_play_ww *ww_of(struct lp_player *player, uint32_t object)
{
	struct lp_play_ww *ww = &player->object.at[object].ww;

	if (ww->run != player->run)
		*ww = (struct lp_play_ww){ .run = player->run };
	return ww;
}

/* What the held stack does not tell. */
static uint64_t mark_of(bool done, uint32_t contending)
{
	return (uint64_t)contending << 33 | (uint64_t)done << 32;
}

static void put(struct lp_player *player, uint32_t context, bool done, uint32_t contending)
{
	struct lp_play_ww *ww = ww_of(player, context);

	lp_play_mark(player, context, mark_of(ww->done, ww->contending),
		     mark_of(done, contending));
	ww->done = done;
	ww->contending = contending;
}

void lp_play_ww_begin(struct lp_player *player)
{
	const struct lp_scenario *s = player->scenario;

	for (uint32_t b = 1; b < s->body_count; b++) {
		for (uint32_t i = 0; i < s->bodies[b].count; i++) {
			const struct lp_op *op = &s->ops[s->bodies[b].first + i];
			uint32_t *who = &player->object.at[op->object].contender;

			if (is_under_context(player, op))
				*who = !*who || *who == b ? b : UINT32_MAX;
		}
	}
}

/* Both name a class, and not the same. */
static bool are_apart(const struct lp_scenario *s, const struct lp_op *op)
{
	const struct lp_object *object = &s->objects[op->object], *context = &s->objects[op->other];

	return !((object->flags | context->flags) & LP_OBJECT_STATIC) &&
	       s->classes[object->class_index].pair != context->class_index;
}

static bool may_not_take(struct lp_player *player, const struct lp_op *op)
{
	const struct lp_play_ww *ww = ww_of(player, op->other);

	if (op->flags & LP_OP_SLOW && ww->contending != op->object)
		return true;
	if (ww->done || are_apart(player->scenario, op))
		return true;
	return ww->contending && (ww->acquired || ww->contending != op->object);
}

bool lp_play_ww_broken(struct lp_player *player, const struct lp_op *op)
{
	if (is_under_context(player, op))
		return may_not_take(player, op);
	if (op->kind == LP_OP_WW_DONE)
		return ww_of(player, op->object)->done;
	return (op->kind == LP_OP_ACQUIRE || op->kind == LP_OP_RELEASE) &&
	       is_context(player, op->object) && ww_of(player, op->object)->acquired;
}

bool lp_play_ww_may_refuse(struct lp_player *player, const struct lp_op *op)
{
	uint32_t contender = player->object.at[op->object].contender;

	return op->flags & LP_BACK_OFF && contender && contender != player->body &&
	       ww_of(player, op->other)->acquired;
}

void lp_play_ww_refused(struct lp_player *player, const struct lp_op *op)
{
	put(player, op->other, ww_of(player, op->other)->done, op->object);
}

/* A context begins, or ends. */
static void restart(struct lp_player *player, uint32_t context)
{
	put(player, context, false, 0);
	ww_of(player, context)->acquired = 0;
}

void lp_play_ww_taken(struct lp_player *player, const struct lp_op *op)
{
	if (is_context(player, op->object)) {
		restart(player, op->object);
	} else if (is_under_context(player, op)) {
		/* Whichever it was: that it should have been another one is said by now. */
		put(player, op->other, ww_of(player, op->other)->done, 0);
		ww_of(player, op->other)->acquired++;
		ww_of(player, op->object)->context = op->other;
	}
}

void lp_play_ww_released(struct lp_player *player, const struct lp_op *op)
{
	uint32_t context = ww_of(player, op->object)->context;

	if (is_context(player, op->object))
		restart(player, op->object);
	ww_of(player, op->object)->context = 0;
	if (context && ww_of(player, context)->acquired)
		ww_of(player, context)->acquired--;
}

void lp_play_ww_done(struct lp_player *player, const struct lp_op *op)
{
	put(player, op->object, true, ww_of(player, op->object)->contending);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* play_life.c — playing the life of objects: init, free, pins; and what is asserted. */
#include "scenario/play_ops.h"

/* ---- alive? ---- */

static struct lp_play_object *state_of(struct lp_player *player, uint32_t object)
{
	struct lp_play_object *state = &player->object.at[object];

	if (state->run != player->run) {
		state->run = player->run;
		state->state = 0;
	}
	return state;
}

static void put_object(struct lp_player *player, uint32_t object, uint32_t state)
{
	struct lp_play_object *it = state_of(player, object);

	lp_play_mark(player, object, it->state, state);
	it->state = state;
}

/* Does the object get its life from an init statement of this very body? */
static bool inits_later(const struct lp_player *player, uint32_t object)
{
	const struct lp_scenario *s = player->scenario;
	const struct lp_body *body = &s->bodies[player->body];
	bool here = false, anywhere = false;

	for (uint32_t i = 0; i < s->op_count; i++) {
		if (s->ops[i].kind != LP_OP_INIT || s->ops[i].object != object)
			continue;
		anywhere = true;
		here |= i >= body->first && i < body->first + body->count;
	}
	return here || !anywhere;
}

static bool is_unborn(const struct lp_player *player, uint32_t object, uint32_t state)
{
	return player->scenario->objects[object].flags & LP_OBJECT_UNINITIALISED &&
	       !(state & LP_PLAY_INIT) && inits_later(player, object);
}

void lp_play_check_alive(struct lp_player *player, uint32_t object, uint32_t site)
{
	uint32_t state = state_of(player, object)->state;
	bool gone = state & LP_PLAY_GONE;

	if (state & LP_PLAY_TOLD || (!gone && !is_unborn(player, object, state)))
		return;
	lp_play_misuse(player, gone ? LP_EVENT_DESTROYED : LP_EVENT_NOT_INITIALISED, object, site);
	put_object(player, object, state | LP_PLAY_TOLD);
}

bool lp_play_is_pinned(struct lp_player *player, uint32_t object)
{
	return state_of(player, object)->state & LP_PLAY_PINNED;
}

void lp_play_init(struct lp_player *player, const struct lp_op *op)
{
	if (find(player, op->object))
		lp_play_misuse(player, LP_EVENT_INIT_HELD, op->object, op->site);
	put_object(player, op->object, LP_PLAY_INIT);
}

void lp_play_free(struct lp_player *player, const struct lp_op *op)
{
	uint32_t state = state_of(player, op->object)->state;

	if (find(player, op->object))
		lp_play_misuse(player, op->flags & LP_OP_DESTROY ? LP_EVENT_DESTROY_HELD :
			       LP_EVENT_FREE_HELD, op->object, op->site);
	else if (state & LP_PLAY_GONE)
		lp_play_check_alive(player, op->object, op->site);
	if (!(state & LP_PLAY_GONE))
		put_object(player, op->object,
			   (state & ~(uint32_t)LP_PLAY_TOLD) | LP_PLAY_GONE);
}

void lp_play_pin(struct lp_player *player, const struct lp_op *op)
{
	uint32_t state = state_of(player, op->object)->state;
	bool pin = op->kind == LP_OP_PIN, pinned = state & LP_PLAY_PINNED;

	if (!find(player, op->object) || (!pin && !pinned))
		lp_play_misuse(player, LP_EVENT_NOT_PINNED, op->object, op->site);
	state &= ~(uint32_t)LP_PLAY_PINNED;
	put_object(player, op->object, state | (pin ? LP_PLAY_PINNED : 0));
}

/* ---- assertions ---- */

void lp_play_assert(struct lp_player *player, const struct lp_op *op)
{
	const struct lp_held *held = find(player, op->object);

	if (op->kind == LP_OP_ASSERT_NOT_HELD) {
		if (held)
			lp_play_misuse(player, LP_EVENT_ASSERT_NOT_HELD, op->object, op->site);
	} else if (!held || (!(op->flags & LP_OP_ANY_MODE) &&
			     is_read(held) != (op->mode != LP_WRITE))) {
		lp_play_misuse(player, LP_EVENT_ASSERT_HELD, op->object, op->site);
	}
}

void lp_play_dereference(struct lp_player *player, const struct lp_op *op)
{
	bool protected = op->flags & LP_OP_PROTECTED;
	bool guarded = op->object && find(player, op->object);

	if (guarded || (!protected && lp_play_is_rcu_reader(player)))
		return;
	lp_play_misuse(player, protected ? LP_EVENT_RCU_PROTECTED : LP_EVENT_RCU_DEREFERENCE,
		       op->object, op->site);
}

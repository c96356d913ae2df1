/* SPDX-License-Identifier: Apache-2.0 */
/* play_locks.c — playing what takes and gives back: the held stack. */
#include "scenario/play_ops.h"

/* ---- the held stack ---- */

static struct lp_acquire acquire_of(struct lp_player *player, uint32_t object, uint32_t subclass,
				    enum lp_mode mode, unsigned flags,
				    const struct lp_play_where *where)
{
	return (struct lp_acquire){
		.address = address_of(object), .serial = object, .site = where->site,
		.id = lp_play_lock(player, object, subclass), .mode = (uint8_t)mode,
		.flags = (uint8_t)flags, .where = where,
	};
}

void lp_play_take(struct lp_player *player, uint32_t object, enum lp_mode mode, unsigned flags,
		  uint32_t site)
{
	struct lp_play_where where = where_of(player, site);
	struct lp_acquire acquire = acquire_of(player, object, 0, mode, flags, &where);

	lp_track_push(&player->track, player->slot, &acquire, 0);
}

static void remove_held(struct lp_player *player, struct lp_held *held, uint32_t site)
{
	struct lp_play_where where = where_of(player, site);

	lp_track_remove(player->slot, held);
	lp_track_note_state(&player->track, player->slot, &where);
}

void lp_play_give_back(struct lp_player *player, uint32_t object, uint32_t site)
{
	struct lp_held *held = find(player, object);

	if (held)
		remove_held(player, held, site);
}

void lp_play_keep_promise(struct lp_player *player, uint32_t object, uint32_t site)
{
	struct lp_held *held = lp_track_find(player->slot, promise_of(object));

	if (held)
		remove_held(player, held, site);
}

void lp_play_wait(struct lp_player *player, uint32_t object, enum lp_mode mode, unsigned flags,
		  uint32_t site)
{
	struct lp_play_where where = where_of(player, site);
	struct lp_acquire acquire = acquire_of(player, object, 0, mode, flags | LP_SYNC, &where);

	if (object)
		lp_track_note(&player->track, player->slot, &acquire, 0);
}

/* ---- taking ---- */

static bool counts(const struct lp_player *player, uint32_t object)
{
	return player->scenario->objects[object].flags & LP_OBJECT_RECURSIVE;
}

/* Does what it holds itself keep it from taking this? */
static bool blocks_itself(const struct lp_player *player, const struct lp_op *op,
			  const struct lp_held *held)
{
	if (!held || counts(player, op->object))
		return false;
	return op->mode == LP_WRITE || !is_read(held);
}

/* The lock that is said to be held around it: its ref, 0 when there is none or it is not held. */
static uint32_t nest_of(struct lp_player *player, const struct lp_op *op)
{
	if (!op->other)
		return 0;
	if (find(player, op->other))
		return lp_play_lock(player, op->other, 0);
	lp_play_misuse(player, LP_EVENT_NEST_NOT_HELD, op->other, op->site);
	return 0;
}

void lp_play_push(struct lp_player *player, const struct lp_op *op, unsigned flags)
{
	struct lp_play_where where = where_of(player, op->site);
	struct lp_acquire acquire = acquire_of(player, op->object, op->subclass, op->mode, flags,
					       &where);

	if (!(flags & LP_TRY))
		lp_play_check_lock_sleeps(player, op->object, op->site);
	acquire.nest = nest_of(player, op);
	if (op->other && player->scenario->objects[op->other].type == LP_OBJECT_WW_ACQUIRE_CTX)
		acquire.flags |= LP_BACK_OFF;
	lp_track_push(&player->track, player->slot, &acquire, 0);
}

/* It holds the lock already, and would wait for itself. */
static uint32_t block(struct lp_player *player, uint32_t op)
{
	const struct lp_op *o = &player->scenario->ops[op];

	if (player->scenario->objects[o->object].flags & LP_OBJECT_ERRORCHECK) {
		lp_play_misuse(player, LP_EVENT_RELOCK, o->object, o->site);
		return o->target ? o->target : op + 1;
	}
	if (o->flags & LP_TRY)
		return o->target;
	lp_play_push(player, o, o->flags & 0xff);
	if (o->flags & LP_TIMED) {
		lp_track_drop(player->slot);
		return o->target;
	}
	player->stopped = true;
	return ENDED;
}

/* Can somebody else hold it, so that a trylock fails? */
static bool can_fail(const struct lp_player *player, const struct lp_op *op)
{
	const struct lp_play_object *object = &player->object.at[op->object];
	bool written = object->writer && object->writer != player->body;
	bool read = object->reader && object->reader != player->body;

	return written || (op->mode == LP_WRITE && read);
}

bool lp_play_gives_up(struct lp_player *player, uint32_t op)
{
	const struct lp_op *o = &player->scenario->ops[op];
	bool may = o->flags & (LP_TRY | LP_TIMED) ? can_fail(player, o) :
						    lp_play_ww_may_refuse(player, o);

	return may && lp_play_choose(player, op);
}

static uint32_t give_up(struct lp_player *player, const struct lp_op *op)
{
	struct lp_play_where where = where_of(player, op->site);
	struct lp_acquire acquire = acquire_of(player, op->object, op->subclass, op->mode,
					       op->flags & 0xff, &where);

	if (op->flags & LP_BACK_OFF)
		lp_play_ww_refused(player, op);
	else if (!(op->flags & LP_TRY))	/* it waited, before it gave up */
		lp_track_note(&player->track, player->slot, &acquire, 0);
	return op->target;
}

uint32_t lp_play_acquire(struct lp_player *player, uint32_t op)
{
	const struct lp_op *o = &player->scenario->ops[op];
	struct lp_held *held = find(player, o->object);

	lp_play_check_alive(player, o->object, o->site);
	if (blocks_itself(player, o, held))
		return block(player, op);
	if (held && counts(player, o->object) && held->count < UINT16_MAX) {
		held->count++;
		return op + 1;
	}
	if (lp_play_gives_up(player, op))
		return give_up(player, o);
	if (player->stopped)
		return ENDED;
	lp_play_push(player, o, o->flags & 0xff);
	lp_play_ww_taken(player, o);
	return op + 1;
}

/* ---- releasing, changing ---- */

/* A child has what the forking thread had. */
static bool held_at_fork(const struct lp_player *player, uint32_t object)
{
	for (struct lp_held *held = lp_track_held(player->slot);
	     held < lp_track_top(player->slot); held++)
		if (held->lock == address_of(object))
			return true;
	return false;
}

void lp_play_release(struct lp_player *player, const struct lp_op *op)
{
	struct lp_held *held = find(player, op->object);
	bool fits = held && (op->flags & LP_OP_ANY_MODE || is_read(held) == (op->mode != LP_WRITE));

	lp_play_check_alive(player, op->object, op->site);
	if (!fits && player->in_child && held_at_fork(player, op->object))
		return;
	if (!fits) {
		lp_play_misuse(player, LP_EVENT_UNLOCK_NOT_HELD, op->object, op->site);
		return;
	}
	if (lp_play_is_pinned(player, op->object))
		lp_play_misuse(player, LP_EVENT_PINNED, op->object, op->site);
	if (held->count)
		held->count--;
	else
		remove_held(player, held, op->site);
	lp_play_ww_released(player, op);
}

/* Take it off and put it on again, as something else; nobody waits for it here. */
static void change_held(struct lp_player *player, const struct lp_op *op, enum lp_mode mode,
			uint32_t subclass)
{
	struct lp_play_where where = where_of(player, op->site);
	struct lp_acquire acquire = acquire_of(player, op->object, subclass, mode, LP_MOVED,
					       &where);
	struct lp_held *held = find(player, op->object);

	/* a downgrade is the release of a writer */
	if (!held || (op->kind == LP_OP_DOWNGRADE && is_read(held))) {
		lp_play_misuse(player, LP_EVENT_UNLOCK_NOT_HELD, op->object, op->site);
		return;
	}
	lp_track_remove(player->slot, held);
	lp_track_push(&player->track, player->slot, &acquire, 0);
}

void lp_play_downgrade(struct lp_player *player, const struct lp_op *op)
{
	change_held(player, op, LP_READ, 0);
}

void lp_play_set_subclass(struct lp_player *player, const struct lp_op *op)
{
	change_held(player, op, LP_WRITE, op->subclass);
}

/* ---- taking nothing ---- */

void lp_play_sync(struct lp_player *player, const struct lp_op *op)
{
	lp_play_wait(player, op->object, op->mode, 0, op->site);
}

/* Announced, not done: like an acquisition that gives up, it breaks the rules and never hangs. */
void lp_play_might_lock(struct lp_player *player, const struct lp_op *op)
{
	struct lp_play_where where = where_of(player, op->site);
	struct lp_acquire acquire = acquire_of(player, op->object, op->subclass, op->mode, LP_TIMED,
					       &where);

	lp_track_note(&player->track, player->slot, &acquire, 0);
}

/* ---- readers of RCU ---- */

bool lp_play_is_rcu_reader(const struct lp_player *player)
{
	const struct lp_scenario *s = player->scenario;
	const uint32_t maps[] = { s->rcu, s->rcu_bh, s->rcu_sched };

	for (unsigned i = 0; i < 3; i++)
		if (maps[i] && find(player, maps[i]))
			return true;
	return false;
}

void lp_play_rcu_lock(struct lp_player *player, const struct lp_op *op)
{
	lp_play_take(player, op->object, LP_READ_RECURSIVE, 0, op->site);
}

void lp_play_rcu_unlock(struct lp_player *player, const struct lp_op *op)
{
	if (!find(player, op->object))
		lp_play_misuse(player, LP_EVENT_UNLOCK_NOT_HELD, op->object, op->site);
	lp_play_give_back(player, op->object, op->site);
}

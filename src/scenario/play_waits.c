/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play_waits.c — playing what waits, and what others wait for.
 *
 * Who gives something that others wait for (a completion, a signal on a condition, the count of a
 * semaphore handed over) is on the way to giving it from its start on: until then it holds it, as
 * a reader, so that a wait for it has an order to what the giver still has to take.
 */
#include "scenario/play_ops.h"

/* ---- sleeping ---- */

static enum lp_lock_kind kind_of(const struct lp_player *player, uint32_t lock)
{
	const struct lp_writer *writer = &player->track.writer;
	const struct lp_rec_class *class = lp_writer_at(writer, lp_track_class_of(writer, lock));

	return class->kind;
}

/* What the wait types of locks tell: the kernel's spinlocks that are held, or the context. */
static bool may_only_spin(const struct lp_player *player)
{
	const struct lp_writer *writer = &player->track.writer;

	if (player->scenario->bodies[player->body].context && player->hardirq)
		return true;
	for (struct lp_held *held = lp_track_base(player->slot);
	     held < lp_track_top(player->slot); held++) {
		const struct lp_rec_node *node = lp_writer_at(writer, held->node);
		enum lp_lock_kind kind = held->node && node->lock ? kind_of(player, node->lock) :
								    LP_LOCK_MAP;

		if (kind >= LP_LOCK_K_SPINLOCK && kind <= LP_LOCK_K_LOCAL_LOCK)
			return true;
	}
	return false;
}

static bool is_masked(const struct lp_player *player)
{
	return player->cpu.irqs_off || player->cpu.bh;
}

/* Something sleeps here that no lock stands for. */
static void check_sleep(struct lp_player *player, uint32_t object, uint32_t site)
{
	if (lp_play_is_rcu_reader(player))
		lp_play_misuse(player, LP_EVENT_RCU_SLEEP, object, site);
	else if (is_masked(player) || may_only_spin(player))
		lp_play_misuse(player, LP_EVENT_WAIT_CONTEXT, object, site);
}

void lp_play_check_lock_sleeps(struct lp_player *player, uint32_t object, uint32_t site)
{
	enum lp_lock_kind kind = kind_of(player, lp_play_lock(player, object, 0));

	if (kind >= LP_LOCK_K_MUTEX && kind <= LP_LOCK_K_WW_MUTEX && is_masked(player) &&
	    !may_only_spin(player))
		lp_play_misuse(player, LP_EVENT_WAIT_CONTEXT, object, site);
}

void lp_play_might_sleep(struct lp_player *player, const struct lp_op *op)
{
	check_sleep(player, 0, op->site);
}

/* ---- counts and conditions ---- */

static void wait_for(struct lp_player *player, uint32_t object, unsigned flags, uint32_t site)
{
	lp_play_wait(player, object, LP_WRITE, flags, site);
}

/* One of several places is held like a reader's, and hangs only when all are taken by the stuck. */
static uint32_t take_place(struct lp_player *player, uint32_t op)
{
	struct lp_op place = player->scenario->ops[op];

	if (player->scenario->objects[place.object].count == 1)
		return lp_play_acquire(player, op);
	if (lp_play_gives_up(player, op))
		return place.target;
	place.mode = LP_READ;
	if (!player->stopped)
		lp_play_push(player, &place, (place.flags & LP_TRY) | LP_TIMED);
	return player->stopped ? ENDED : op + 1;
}

uint32_t lp_play_down(struct lp_player *player, uint32_t op)
{
	const struct lp_op *o = &player->scenario->ops[op];
	const struct lp_play_object *object = &player->object.at[o->object];
	/* what was given before need not be waited for */
	unsigned given = player->scenario->objects[o->object].count ? LP_TIMED : 0;

	lp_play_check_alive(player, o->object, o->site);
	if (object->lock_like)
		return take_place(player, op);
	if (!(o->flags & LP_TRY))
		lp_play_check_lock_sleeps(player, o->object, o->site);
	if ((o->flags & (LP_TRY | LP_TIMED)) && lp_play_choose(player, op))
		return o->target;
	if (object->giver && !(o->flags & LP_TRY))
		wait_for(player, o->object, (o->flags & LP_TIMED) | given, o->site);
	return player->stopped ? ENDED : op + 1;
}

/* The mutex is out of the stack while it waits. */
uint32_t lp_play_cond_wait(struct lp_player *player, uint32_t op)
{
	const struct lp_op *o = &player->scenario->ops[op];
	struct lp_op mutex = { .kind = LP_OP_ACQUIRE, .object = o->other, .site = o->site };

	lp_play_release(player, &mutex);
	if (player->object.at[o->object].giver)
		wait_for(player, o->object, o->flags & LP_TIMED, o->site);
	if (!find(player, o->other))
		lp_play_push(player, &mutex, 0);
	return op + 1;
}

void lp_play_give(struct lp_player *player, const struct lp_op *op)
{
	lp_play_keep_promise(player, op->object, op->site);
}

void lp_play_up(struct lp_player *player, const struct lp_op *op)
{
	if (player->object.at[op->object].lock_like)
		lp_play_give_back(player, op->object, op->site);
	else
		lp_play_keep_promise(player, op->object, op->site);
}

/* ---- grace periods, work, timers ---- */

void lp_play_rcu_sync(struct lp_player *player, const struct lp_op *op)
{
	if (find(player, op->object))
		lp_play_misuse(player, LP_EVENT_RCU_SYNC, op->object, op->site);
	else
		check_sleep(player, op->object, op->site);
	wait_for(player, op->object, 0, op->site);
}

void lp_play_rcu_barrier(struct lp_player *player, const struct lp_op *op)
{
	check_sleep(player, 0, op->site);
	wait_for(player, player->scenario->rcu_callback, 0, op->site);
}

void lp_play_flush_queue(struct lp_player *player, const struct lp_op *op)
{
	check_sleep(player, op->object, op->site);
	wait_for(player, op->object ? op->object : player->scenario->events, 0, op->site);
}

static void wait_for_body(struct lp_player *player, const struct lp_op *op)
{
	wait_for(player, player->scenario->bodies[op->other].map, 0, op->site);
}

void lp_play_flush_body(struct lp_player *player, const struct lp_op *op)
{
	check_sleep(player, 0, op->site);
	wait_for_body(player, op);
}

void lp_play_delete_timer(struct lp_player *player, const struct lp_op *op)
{
	if (op->flags & LP_OP_UNTIL_DONE)
		wait_for_body(player, op);
}

/* ---- threads ---- */

void lp_play_join(struct lp_player *player, const struct lp_op *op)
{
	struct lp_play_body *joined = &player->body_state.at[op->other];
	struct lp_writer *writer = &player->track.writer;
	struct lp_rec_join *join;

	wait_for_body(player, op);
	if (!joined->thread || joined->triggers > 1)
		return;
	join = lp_writer_begin(writer, LP_REC_JOIN, sizeof(*join), 0);
	if (!join)
		return;
	lp_slot_next_epoch(player->slot);
	join->joiner = player->slot->thread;
	join->epoch = player->slot->epoch;
	join->joined = joined->thread;
	lp_writer_done(join);
}

/*
 * What a body does before it starts another comes before all that one does, if nobody else starts
 * it. Every run of the body counts the same epochs.
 */
void lp_play_start(struct lp_player *player, const struct lp_op *op)
{
	struct lp_play_body *started = &player->body_state.at[op->other];

	if (started->triggers > 1) {
		started->started = true;
		return;
	}
	if (!started->started) {
		started->creator = player->slot->thread;
		started->creator_epoch = player->slot->epoch;
		started->blocked = player->cpu.blocked;
		if (player->scenario->bodies[op->other].kind == LP_BODY_THREAD)
			lp_play_thread(player, op->other);	/* joins refer to it */
	}
	started->started = true;
	lp_slot_next_epoch(player->slot);
}

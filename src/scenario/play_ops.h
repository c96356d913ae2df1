/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play_ops.h — what one operation does to a run; private to the player.
 *
 * play_ops.c has the table of operations. A row's function is here, by file. It gets the operation,
 * and the next one in the text follows; or, where that is not so, its index, and returns which one
 * follows: UINT32_MAX when the run ends.
 */
#ifndef LP_SCENARIO_PLAY_OPS_H
#define LP_SCENARIO_PLAY_OPS_H

#include "scenario/player.h"

#define ENDED	UINT32_MAX

#define PLAY(name)	void lp_play_##name(struct lp_player *player, const struct lp_op *op)
#define LEAD(name)	uint32_t lp_play_##name(struct lp_player *player, uint32_t op)

/* play_locks.c */
LEAD(acquire);
PLAY(release);
PLAY(downgrade);
PLAY(set_subclass);
PLAY(sync);
PLAY(might_lock);
PLAY(rcu_lock);
PLAY(rcu_unlock);
bool lp_play_is_rcu_reader(const struct lp_player *player);
/* Take what op->object is, with these flags instead of its own. */
void lp_play_push(struct lp_player *player, const struct lp_op *op, unsigned flags);
/* Does it give up this time, or is it refused? A choice when both can be. */
bool lp_play_gives_up(struct lp_player *player, uint32_t op);
/* Wait until nobody holds it (READ_RECURSIVE: as a writer); hold nothing. Object 0: do not. */
void lp_play_wait(struct lp_player *player, uint32_t object, enum lp_mode mode, unsigned flags,
		  uint32_t site);

/* play_waits.c */
LEAD(down);		/* WAIT, DOWN */
LEAD(cond_wait);
PLAY(give);		/* COMPLETE, COND_SIGNAL */
PLAY(up);
PLAY(rcu_sync);
PLAY(rcu_barrier);
PLAY(flush_queue);
PLAY(flush_body);	/* WORK_FLUSH, WORK_CANCEL */
PLAY(delete_timer);
PLAY(join);
PLAY(start);		/* THREAD_CREATE, WORK_QUEUE, TIMER_ARM, RCU_CALL */
PLAY(might_sleep);
/* A lock that sleeps is taken: its wait type tells all but that irqs or bottom halves are off. */
void lp_play_check_lock_sleeps(struct lp_player *player, uint32_t object, uint32_t site);

/* play_life.c */
PLAY(init);
PLAY(free);		/* FREE, UNREGISTER */
PLAY(pin);		/* PIN, UNPIN */
PLAY(assert);		/* ASSERT_HELD, ASSERT_NOT_HELD */
PLAY(dereference);
/* An object is used. Says so when it is gone, or never came to life: once in its life and run. */
void lp_play_check_alive(struct lp_player *player, uint32_t object, uint32_t site);
bool lp_play_is_pinned(struct lp_player *player, uint32_t object);

#undef PLAY
#undef LEAD

static inline struct lp_held *find(const struct lp_player *player, uint32_t object)
{
	return lp_track_find(player->slot, address_of(object));
}

static inline bool is_read(const struct lp_held *held)
{
	return held->mode != LP_WRITE;
}

static inline struct lp_play_where where_of(struct lp_player *player, uint32_t site)
{
	return (struct lp_play_where){ player, site, player->body };
}

#endif

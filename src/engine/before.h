/* SPDX-License-Identifier: Apache-2.0 */
/*
 * before.h — which part of one thread's life comes before which part of another's.
 *
 * Creation and join cut a thread's life into epochs (struct lp_rec_thread says how). What a thread
 * did up to epoch E comes before everything of a thread created in E, and of the first thread of
 * a process forked in E; all a thread did comes before the epochs of its joiner from the join on;
 * and so on through further threads.
 *
 * Facts come in the order of their causes, so once two epochs are asked about, no later create or
 * join can order them: answers are kept for good.
 */
#ifndef LP_ENGINE_BEFORE_H
#define LP_ENGINE_BEFORE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/map.h"
#include "engine/vec.h"
#include "facts/model.h"

struct lp_life {
	uint32_t	creator, creator_epoch;
	uint32_t	last_creation;		/* epoch in which it last created a thread, + 1 */
	uint32_t	joiner, joiner_epoch;	/* 0: not joined */
	uint32_t	first_join;		/* its own joins of others: joins[], 0: none */
	uint32_t	earliest_join;		/* epoch of the earliest of them */
	uint32_t	stamp, reached;		/* by a search: up to this epoch */
};

struct lp_life_join {
	uint32_t	joined, epoch, next;
};

struct lp_before {
	struct { struct lp_life *at; uint32_t count, room; } life;	/* by thread */
	struct { struct lp_life_join *at; uint32_t count, room; } join;
	uint32_t	joins_done;
	struct lp_u32s	queue;
	struct lp_map	known;		/* answers of searches: 1 no, 2 yes */
	uint32_t	stamp;
	uint64_t	steps;		/* of all searches: what the answers cost */
};

/* A zeroed struct knows nothing. */
void lp_before_finish(struct lp_before *before);

/* Learn what the model has new in threads and joins. 0 or -ENOMEM. */
int lp_before_update(struct lp_before *before, const struct lp_model *model);

/*
 * Does epoch `e1` of thread `t1` come before epoch `e2` of thread `t2`? Where the threads between
 * them form no more than a pool with a master, O(generations); else a search through the threads
 * that come before t2, once for each such question.
 */
bool lp_before_is(struct lp_before *before, uint32_t t1, uint32_t e1, uint32_t t2, uint32_t e2);

/* Neither comes before the other. */
static inline bool lp_before_concurrent(struct lp_before *before, uint32_t t1, uint32_t e1,
					uint32_t t2, uint32_t e2)
{
	return !lp_before_is(before, t1, e1, t2, e2) && !lp_before_is(before, t2, e2, t1, e1);
}

#endif

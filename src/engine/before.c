/* SPDX-License-Identifier: Apache-2.0 */
/* before.c — which part of one thread's life comes before which part of another's. */
#include "engine/before.h"

#include "base/hash.h"

void lp_before_finish(struct lp_before *before)
{
	lp_vec_finish(&before->life);
	lp_vec_finish(&before->join);
	lp_vec_finish(&before->queue);
	lp_map_finish(&before->known);
	*before = (struct lp_before){0};
}

static void learn_thread(struct lp_before *before, const struct lp_model *model, uint32_t thread)
{
	const struct lp_model_thread *t = &model->threads.at[thread];
	const struct lp_model_process *process = &model->processes.at[t->process];
	struct lp_life *life = &before->life.at[thread];
	struct lp_life *creator;

	life->creator = t->creator;
	life->creator_epoch = t->creator_epoch;
	if (!life->creator) {
		life->creator = process->parent_thread;
		life->creator_epoch = process->parent_epoch;
	}
	if (life->creator >= before->life.count || life->creator == thread)
		life->creator = 0;
	creator = &before->life.at[life->creator];
	if (life->creator && creator->last_creation <= life->creator_epoch)
		creator->last_creation = life->creator_epoch + 1;
}

static int learn_join(struct lp_before *before, const struct lp_model_join *join)
{
	struct lp_life *joined, *joiner;
	int err;

	if (join->joined >= before->life.count || join->joiner >= before->life.count)
		return 0;
	joined = &before->life.at[join->joined];
	joiner = &before->life.at[join->joiner];
	err = lp_vec_push(&before->join, (struct lp_life_join){
		.joined = join->joined, .epoch = join->epoch, .next = joiner->first_join,
	});
	if (err)
		return err;
	if (!joiner->first_join || join->epoch < joiner->earliest_join)
		joiner->earliest_join = join->epoch;
	joiner->first_join = before->join.count - 1;
	joined->joiner = join->joiner;
	joined->joiner_epoch = join->epoch;
	return 0;
}

int lp_before_update(struct lp_before *before, const struct lp_model *model)
{
	uint32_t known = before->life.count ? before->life.count : 1;
	int err = lp_vec_extend(&before->join, 1);

	err = err ? err : lp_vec_extend(&before->life, (uint64_t)model->threads.count + 1);
	if (err)
		return err;
	before->life.count = model->threads.count ? model->threads.count : 1;
	for (uint32_t t = known; t < before->life.count; t++)
		learn_thread(before, model, t);
	if (!before->joins_done)
		before->joins_done = 1;
	while (before->joins_done < model->joins.count) {
		err = learn_join(before, &model->joins.at[before->joins_done]);
		if (err)
			return err;
		before->joins_done++;
	}
	return 0;
}

/* All of t2 before e2 hangs on its creation alone: look at the creator instead. */
static bool climb_back(const struct lp_before *before, uint32_t *thread, uint32_t *epoch)
{
	const struct lp_life *life = &before->life.at[*thread];

	if (!life->creator || (life->first_join && life->earliest_join <= *epoch))
		return false;
	*thread = life->creator;
	*epoch = life->creator_epoch;
	return true;
}

/* What t1 did from e1 on can be followed by its joiner alone: look at that instead. */
static bool climb_on(const struct lp_before *before, uint32_t *thread, uint32_t *epoch)
{
	const struct lp_life *life = &before->life.at[*thread];

	if (!life->joiner || life->last_creation > *epoch)
		return false;
	*thread = life->joiner;
	*epoch = life->joiner_epoch;
	return true;
}

static bool has_end(const struct lp_before *before, uint32_t thread, uint32_t epoch)
{
	const struct lp_life *life = &before->life.at[thread];

	return !life->joiner && life->last_creation <= epoch;
}

static bool has_start(const struct lp_before *before, uint32_t thread, uint32_t epoch)
{
	const struct lp_life *life = &before->life.at[thread];

	return !life->creator && !(life->first_join && life->earliest_join <= epoch);
}

static void reach(struct lp_before *before, uint32_t thread, uint32_t epoch)
{
	struct lp_life *life = &before->life.at[thread];

	if (life->stamp == before->stamp && life->reached >= epoch)
		return;
	if (lp_vec_push(&before->queue, thread))
		return;		/* too little memory to say "before": stays concurrent */
	life->stamp = before->stamp;
	life->reached = epoch;
}

/* Go back through everything that comes before (t2, e2) until t1 at or after e1 turns up. */
static bool search(struct lp_before *before, uint32_t t1, uint32_t e1, uint32_t t2, uint32_t e2)
{
	const struct lp_life *goal = &before->life.at[t1];

	before->stamp++;
	before->queue.count = 0;
	reach(before, t2, e2);
	while (before->queue.count) {
		uint32_t thread = before->queue.at[--before->queue.count];
		const struct lp_life *life = &before->life.at[thread];
		uint32_t epoch = life->reached;

		before->steps++;
		if (goal->stamp == before->stamp && goal->reached >= e1)
			return true;
		if (life->creator)
			reach(before, life->creator, life->creator_epoch);
		for (uint32_t j = life->first_join; j; j = before->join.at[j].next) {
			before->steps++;
			if (before->join.at[j].epoch <= epoch)
				reach(before, before->join.at[j].joined, UINT32_MAX);
		}
	}
	return goal->stamp == before->stamp && goal->reached >= e1;
}

static bool search_once(struct lp_before *before, uint32_t t1, uint32_t e1, uint32_t t2,
			uint32_t e2)
{
	uint64_t key = lp_hash_add(lp_hash_add(lp_hash_add(t1, e1), t2), e2);
	uint32_t known = lp_map_get(&before->known, key);

	if (!known) {
		known = search(before, t1, e1, t2, e2) ? 2 : 1;
		(void)lp_map_put(&before->known, key, known);	/* only saves time */
	}
	return known == 2;
}

bool lp_before_is(struct lp_before *before, uint32_t t1, uint32_t e1, uint32_t t2, uint32_t e2)
{
	/* A damaged model may create or join in a ring: climb no further than there are threads. */
	uint32_t climbs = 2 * before->life.count;

	if (t1 >= before->life.count || t2 >= before->life.count)
		return false;
	while (t1 != t2) {
		if (has_end(before, t1, e1) || has_start(before, t2, e2))
			return false;
		if (!climbs-- || (!climb_back(before, &t2, &e2) && !climb_on(before, &t1, &e1)))
			return search_once(before, t1, e1, t2, e2);
	}
	return e1 <= e2;
}

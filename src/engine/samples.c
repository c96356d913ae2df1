/* SPDX-License-Identifier: Apache-2.0 */
/*
 * samples.c — cycles of classes whose locks never met: who to show for them.
 *
 * Kept for each hot class pair: the first witness in each process and kind, and the first at all.
 */
#include "engine/state.h"

#define PROCESSES_TRIED 64u

static uint64_t key_of(uint32_t class_pair, uint32_t process, unsigned kind)
{
	return (uint64_t)class_pair << 34 | (uint64_t)process << 2 | kind;
}

static struct lp_sample *find(struct lp_engine *engine, uint32_t class_pair, uint32_t process,
			      unsigned kind)
{
	uint32_t index = lp_map_get(&engine->sample_index, key_of(class_pair, process, kind));

	return index ? &engine->sample.at[index] : NULL;
}

/* Cycles of this pair that have no loop may now look different. */
static int mark_cycles(struct lp_engine *engine, uint32_t class_pair)
{
	uint32_t item = engine->class_pair.at[class_pair].cycles;
	int err = 0;

	for (; !err && item; item = engine->item.at[item].next) {
		struct lp_cycle *cycle = &engine->cycle.at[engine->item.at[item].item];

		if (cycle->stage >= LP_STAGE_INSTANCES)
			continue;
		cycle->stale = true;
		if (!cycle->changed)
			err = lp_vec_push(&engine->changed, engine->item.at[item].item);
		cycle->changed = true;
	}
	return err;
}

static int insert(struct lp_engine *engine, uint32_t class_pair, uint32_t process, unsigned kind,
		  struct lp_sample sample)
{
	struct lp_class_pair *pair = &engine->class_pair.at[class_pair];
	uint32_t index;
	int err = lp_vec_extend(&engine->sample, 1);

	sample.process = process;
	sample.next = process ? pair->samples : 0;
	err = err ? err : lp_vec_push(&engine->sample, sample);
	if (err)
		return err;
	index = engine->sample.count - 1;
	if (process)
		pair->samples = index;
	err = lp_map_put(&engine->sample_index, key_of(class_pair, process, kind), index);
	return err ? err : mark_cycles(engine, class_pair);
}

int lp_samples_add(struct lp_engine *engine, uint32_t class_pair, uint32_t process, unsigned kind,
		   struct lp_sample sample)
{
	struct lp_sample *any;
	int err = 0;

	if (find(engine, class_pair, process, kind))
		return 0;
	err = insert(engine, class_pair, process, kind, sample);
	if (err || !process)
		return err;
	any = find(engine, class_pair, 0, kind);
	if (any && !any->witness) {
		any->witness = sample.witness;
		any->held = sample.held;
		any->wanted = sample.wanted;
	}
	return any ? 0 : insert(engine, class_pair, 0, kind, sample);
}

/* The kinds that follow strongly upon any of `kinds`, among `next`. */
static unsigned strong_after(unsigned kinds, unsigned next)
{
	unsigned result = 0;

	for (unsigned a = 0; a < LP_KIND_COUNT; a++)
		for (unsigned b = 0; b < LP_KIND_COUNT; b++)
			if ((kinds & 1u << a) && (next & 1u << b) && lp_kind_strong(a, b))
				result |= 1u << b;
	return result;
}

static unsigned kinds_in(struct lp_engine *engine, uint32_t class_pair, uint32_t process)
{
	unsigned kinds = 0;

	for (unsigned kind = 0; kind < LP_KIND_COUNT; kind++)
		if (find(engine, class_pair, process, kind))
			kinds |= 1u << kind;
	return kinds;
}

/*
 * Pick a kind for each pair, of those seen in the process, so that the cycle is strong; into
 * engine->chosen. First forwards, which kinds can be reached from `first`; then back along them.
 */
static bool choose_from(struct lp_engine *engine, const struct lp_cycle *cycle, uint32_t process,
			unsigned first)
{
	uint32_t *kinds = engine->chosen.at;
	unsigned next = first;

	kinds[0] = 1u << first;
	for (uint32_t i = 1; i < cycle->count; i++)
		kinds[i] = strong_after(kinds[i - 1], kinds_in(engine, cycle->pair[i], process));
	for (uint32_t i = cycle->count; i-- > 0;) {
		unsigned kind = LP_KIND_COUNT;

		while (kind-- > 0)
			if ((kinds[i] & 1u << kind) && lp_kind_strong(kind, next))
				break;
		if (kind >= LP_KIND_COUNT)
			return false;
		kinds[i] = next = kind;
	}
	return true;
}

static bool choose(struct lp_engine *engine, const struct lp_cycle *cycle, uint32_t process)
{
	unsigned kinds = kinds_in(engine, cycle->pair[0], process);

	for (unsigned kind = LP_KIND_COUNT; kind-- > 0;)
		if ((kinds & 1u << kind) && choose_from(engine, cycle, process, kind))
			return true;
	return false;
}

/* Show the chosen samples; false when one has no witness. */
static bool show(struct lp_engine *engine, const struct lp_model *model,
		 const struct lp_cycle *cycle, uint32_t process)
{
	bool complete = true;

	for (uint32_t i = 0; i < cycle->count; i++) {
		const struct lp_sample *sample = find(engine, cycle->pair[i], process,
						      engine->chosen.at[i]);

		cycle->edge[i] = (struct lp_finding_edge){
			.held = sample->held, .wanted = sample->wanted, .witness = sample->witness,
			.thread = sample->witness ?
				model->witnesses.at[sample->witness].thread : 0,
		};
		complete = complete && sample->witness;
	}
	return complete;
}

int lp_samples_judge(struct lp_engine *engine, const struct lp_model *model, uint32_t cycle)
{
	struct lp_cycle *c = &engine->cycle.at[cycle];
	uint32_t sample = engine->class_pair.at[c->pair[0]].samples, process = 0;
	enum lp_stage stage;
	int err = lp_vec_extend(&engine->chosen, c->count);

	c->stale = false;
	for (uint32_t n = 0; !err && sample && n < PROCESSES_TRIED; n++) {
		process = engine->sample.at[sample].process;
		if (choose(engine, c, process)) {
			(void)show(engine, model, c, process);
			return lp_cycles_raise(engine, cycle, LP_STAGE_INSTANCES);
		}
		sample = engine->sample.at[sample].next;
	}
	if (err || c->stage >= LP_STAGE_PROCESSES || !choose(engine, c, 0))
		return err;
	stage = show(engine, model, c, 0) ? LP_STAGE_PROCESSES : LP_STAGE_UNSEEN;
	return lp_cycles_raise(engine, cycle, stage);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loops.c — pairs of lock instances: their witnesses, and the loops in them.
 *
 * Entries are kept for hot pairs only, those that are part of a strong cycle of instances; a pair
 * that becomes hot looks for the witnesses of the past.
 */
#include "base/hash.h"
#include "engine/instances.h"

/* Judge again the loops through a pair that lacked a writer. */
static int judge_waiting(struct lp_engine *engine, const struct lp_model *model, uint32_t pair)
{
	uint32_t item = engine->lock_pair.at[pair].loops;
	int err = 0;

	for (; !err && item; item = engine->item.at[item].next) {
		uint32_t loop = engine->item.at[item].item;

		if (engine->loop.at[loop].wants_writer)
			err = lp_levels_judge(engine, model, loop, 0);
	}
	return err;
}

int lp_loops_add_writer(struct lp_engine *engine, const struct lp_model *model, uint32_t lock)
{
	const struct lp_graph *graph = &engine->instances.graph;
	uint32_t item = engine->instance.at[lock].again, e = 0;
	int err = 0;

	for (; !err && item; item = engine->item.at[item].next)
		err = judge_waiting(engine, model, engine->item.at[item].item);
	if (2 * (uint64_t)lock < graph->vertex.count)
		e = graph->vertex.at[2 * lock].first_in;
	for (; !err && e; e = graph->edge.at[e].next_in)
		if (engine->lock_pair.at[graph->edge.at[e].tag].loops)
			err = judge_waiting(engine, model, graph->edge.at[e].tag);
	return err;
}

int lp_loops_add_entry(struct lp_engine *engine, const struct lp_model *model, uint32_t pair,
		     uint32_t witness, uint32_t up, uint32_t held)
{
	uint64_t key = lp_hash_add(lp_hash64((uint64_t)pair << 32 | witness), up);
	uint32_t entry;
	int err;

	if (lp_map_get(&engine->entry_index, key))
		return 0;
	err = lp_instances_resolve(engine, model, witness);
	err = err ? err : lp_vec_extend(&engine->entry, 1);
	err = err ? err : lp_vec_push(&engine->entry, (struct lp_entry){
		.witness = witness, .up = up, .held = held, .pair = pair,
		.next = engine->lock_pair.at[pair].entries,
	});
	if (err)
		return err;
	entry = engine->entry.count - 1;
	engine->lock_pair.at[pair].entries = entry;
	err = lp_map_put(&engine->entry_index, key, entry);
	return err ? err : lp_vec_push(&engine->new_entries, entry);
}

int lp_loops_usage_ends(struct lp_engine *engine, const struct lp_model *model, uint32_t witness,
		      const struct lp_usage_fact *fact, uint32_t *from, uint32_t *to)
{
	uint32_t lock = lp_instances_lock_at(engine, witness, fact->up), context;
	int err = lp_instances_of_context(engine, lp_process_of(model, witness), fact->context,
					  &context);

	*from = !lock ? 0 : fact->strikes ? context : lock;
	*to = fact->strikes ? lock : context;
	if (!fact->strikes && !fact->up && lp_instances_block_themselves(engine, model, witness))
		*from = 0;
	return err;
}

/* lp_usage_fn: the entry in a pair of instances that is becoming hot. */
static int add_usage_entry(struct lp_engine *engine, const struct lp_model *model,
			   uint32_t witness, const struct lp_usage_fact *fact)
{
	uint32_t from, to, pair;
	int err = lp_loops_usage_ends(engine, model, witness, fact, &from, &to);

	pair = err || !from ? 0 : lp_order_find(&engine->instances, from, to,
						lp_usage_pair(engine, model, fact));
	if (!pair || engine->instances.pair.at[pair].hot != LP_HEATING)
		return err;
	return lp_loops_add_entry(engine, model, pair, witness, fact->up,
				  fact->strikes ? 0 : fact->node);
}

static int add_usage_entries(struct lp_engine *engine, const struct lp_model *model,
			     uint32_t witness)
{
	int err;

	if (!engine->strikes)
		return 0;
	err = lp_instances_resolve(engine, model, witness);
	return err ? err : lp_usage_each(engine, model, model->witnesses.at[witness].node, witness,
					 add_usage_entry);
}

/* The entries of one witness in pairs that are becoming hot. */
static int add_entries(struct lp_engine *engine, const struct lp_model *model, uint32_t witness)
{
	uint32_t class = lp_model_node_class(model, model->witnesses.at[witness].node);
	uint32_t node = lp_below(model, model->witnesses.at[witness].node), up = 1;
	uint32_t to = engine->witness.at[witness].lock;
	int result = lp_instances_never_block(engine, model, witness);
	int err = result < 0 ? result : lp_instances_resolve(engine, model, witness);

	if (result > 0 || !to || lp_in_child(model, model->witnesses.at[witness].node))
		return err;
	for (; !err && node; node = lp_below(model, node), up++) {
		uint32_t from = lp_instances_lock_at(engine, witness, up);
		uint32_t sort = from ? lp_classes_find(engine, lp_model_node_class(model, node),
						     class) : 0;
		uint32_t pair = sort ? lp_order_find(&engine->instances, from, to, sort) : 0;

		if (pair && engine->instances.pair.at[pair].hot == LP_HEATING)
			err = lp_loops_add_entry(engine, model, pair, witness, up, node);
	}
	return err;
}

/* The same loop is found from each of its pairs: tell it by its pairs from the smallest on. */
static uint64_t loop_key(const uint32_t *pair, uint32_t count)
{
	uint64_t hash = count;
	uint32_t first = 0;

	for (uint32_t i = 1; i < count; i++)
		if (pair[i] < pair[first])
			first = i;
	for (uint32_t i = 0; i < count; i++)
		hash = lp_hash_add(hash, pair[(first + i) % count]);
	return hash;
}

static int store_loop(struct lp_engine *engine, uint32_t cycle, const uint32_t *pair,
		      uint32_t count, uint32_t start, uint32_t *loop)
{
	uint32_t first = engine->loop_pairs.count;
	int err = lp_vec_extend(&engine->loop, 1);

	for (uint32_t i = 0; !err && i < count; i++)
		err = lp_vec_push(&engine->loop_pairs, pair[(start + i) % count]);
	err = err ? err : lp_vec_push(&engine->loop, (struct lp_loop){
		.cycle = cycle, .count = count, .first = first,
	});
	*loop = engine->loop.count - 1;
	for (uint32_t i = 0; !err && i < count; i++)
		err = lp_item_push(engine, &engine->lock_pair.at[pair[i]].loops, *loop);
	return err;
}

/*
 * Does a loop pass a per-CPU lock and more than one CPU? Then it is none: each has another lock.
 * One CPU is a thread in its own way, or one that is struck and what strikes it.
 */
static bool spans_cpus(const struct lp_engine *engine, const struct lp_model *model,
		       const uint32_t *pair, uint32_t count)
{
	bool per_cpu = false, struck = false;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t class_pair = engine->lock_pair.at[pair[i]].class_pair;
		uint32_t class = lp_class_of(engine, engine->classes.pair.at[class_pair].to);

		struck |= lp_ends_in_context(engine, class_pair);
		per_cpu |= model->classes.at[class].kind == LP_LOCK_K_LOCAL_LOCK;
	}
	return per_cpu && count > 1 && !(count == 2 && struck);
}

static int add_loop(struct lp_engine *engine, const struct lp_model *model,
		    const uint32_t *pair, uint32_t count)
{
	uint64_t key = loop_key(pair, count);
	uint32_t cycle, start, loop;
	int err;

	if (lp_map_get(&engine->loop_index, key) || spans_cpus(engine, model, pair, count))
		return 0;
	engine->walk.count = 0;
	for (uint32_t i = 0; i < count; i++) {
		err = lp_vec_push(&engine->walk, engine->lock_pair.at[pair[i]].class_pair);
		if (err)
			return err;
	}
	err = lp_cycles_find(engine, model, engine->walk.at, count, &cycle, &start);
	if (err || !cycle || engine->cycle.at[cycle].stage == LP_STAGE_FEASIBLE)
		return err;
	err = store_loop(engine, cycle, pair, count, start, &loop);
	err = err ? err : lp_map_put(&engine->loop_index, key, loop);
	return err ? err : lp_levels_judge(engine, model, loop, 0);
}

static int take_loop(void *context, const uint32_t *pair, uint32_t count)
{
	const struct lp_judgement *j = context;

	return add_loop(j->engine, j->model, pair, count);
}

static int walk_loops(struct lp_engine *engine, const struct lp_model *model, uint32_t edge)
{
	struct lp_judgement judgement = { engine, model };
	uint32_t pair = engine->instances.graph.edge.at[edge].tag;

	if (lp_is_settled(engine, engine->lock_pair.at[pair].class_pair))
		return 0;
	return lp_order_walk(&engine->instances, edge, lp_walk_limits(engine), take_loop,
			     &judgement);
}

/* A new witness of a pair: can it do better in the loops that are known? */
static int judge_entry(struct lp_engine *engine, const struct lp_model *model, uint32_t entry)
{
	uint32_t item = engine->lock_pair.at[engine->entry.at[entry].pair].loops;
	int err = 0;

	for (; !err && item; item = engine->item.at[item].next)
		err = lp_levels_judge(engine, model, engine->item.at[item].item, entry);
	return err;
}

static int compare_heating(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int lp_loops_begin_heating(struct lp_engine *engine, struct lp_order *order)
{
	int err = 0;

	engine->heating.count = 0;
	for (uint32_t i = 0; !err && i < order->heated.count; i++) {
		struct lp_pair *pair = &order->pair.at[order->heated.at[i]];

		pair->hot = LP_HEATING;
		engine->unsettled += order == &engine->classes;
		if (order == &engine->instances)
			engine->instance.at[pair->to].wanted_hot = true;
		err = lp_vec_push(&engine->heating, (uint64_t)pair->to << 32 | order->heated.at[i]);
	}
	order->heated.count = 0;
	if (engine->heating.count > 1)
		qsort(engine->heating.at, engine->heating.count, sizeof(*engine->heating.at),
		      compare_heating);
	return err;
}

/* The index of the first pair in engine->heating after `i` that ends elsewhere. */
static uint32_t next_target(const struct lp_engine *engine, uint32_t i)
{
	uint64_t to = engine->heating.at[i] >> 32;

	while (i < engine->heating.count && engine->heating.at[i] >> 32 == to)
		i++;
	return i;
}

void lp_loops_end_heating(struct lp_engine *engine, struct lp_order *order)
{
	for (uint32_t i = 0; i < engine->heating.count; i++)
		order->pair.at[(uint32_t)engine->heating.at[i]].hot = LP_HOT;
}

/* Lock pairs that end in a context and become hot: who held the lock where that can strike. */
static int heat_holds(struct lp_engine *engine, const struct lp_model *model)
{
	bool any = false;
	int err = 0;

	for (uint32_t i = 0; !err && i < engine->heating.count; i++) {
		const struct lp_pair *pair =
			&engine->instances.pair.at[(uint32_t)engine->heating.at[i]];
		uint32_t w = engine->instance.at[pair->from].first_witness;

		if (!engine->instance.at[pair->to].context)
			continue;
		any = true;
		for (; !err && w; w = engine->witness.at[w].next_at_lock)
			err = add_usage_entries(engine, model, w);
	}
	for (uint32_t w = any ? engine->first_state_witness : 0; !err && w;
	     w = engine->witness.at[w].next_at_lock)
		err = add_usage_entries(engine, model, w);
	return err;
}

/* Lock pairs that have become hot: find their witnesses. */
static int heat_lock_pairs(struct lp_engine *engine, const struct lp_model *model)
{
	struct lp_order *order = &engine->instances;
	int err = lp_loops_begin_heating(engine, order);

	for (uint32_t i = 0; !err && i < engine->heating.count; i = next_target(engine, i)) {
		uint32_t w = engine->instance.at[engine->heating.at[i] >> 32].first_witness;

		for (; !err && w; w = engine->witness.at[w].next_at_lock) {
			err = add_entries(engine, model, w);
			err = err ? err : add_usage_entries(engine, model, w);
		}
	}
	err = err ? err : heat_holds(engine, model);
	lp_loops_end_heating(engine, order);
	for (uint32_t i = 0; !err && i < engine->heating.count; i++) {
		uint32_t index = (uint32_t)engine->heating.at[i];

		if (order->pair.at[index].from == order->pair.at[index].to)
			err = add_loop(engine, model, &index, 1);
	}
	return err;
}

int lp_loops_follow_up(struct lp_engine *engine, const struct lp_model *model)
{
	struct lp_order *order = &engine->instances;
	int err = order->heated.count ? heat_lock_pairs(engine, model) : 0;

	while (!err && engine->new_entries.count)
		err = judge_entry(engine, model,
				  engine->new_entries.at[--engine->new_entries.count]);
	for (uint32_t i = 0; !err && i < order->closing.count; i++)
		err = walk_loops(engine, model, order->closing.at[i]);
	order->closing.count = 0;
	return err;
}

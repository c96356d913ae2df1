/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c — the facts that are new, in the order of their causes; what comes out of them. */
#include "engine/engine.h"

#include "engine/state.h"

struct lp_engine *lp_engine_create(void)
{
	struct lp_engine *engine = calloc(1, sizeof(*engine));

	if (engine)
		engine->classes.nests = true;
	return engine;
}

void lp_engine_set_wrapper(struct lp_engine *engine, lp_wrapper_fn *wrapper, void *context)
{
	engine->wrapper = wrapper;
	engine->wrapper_context = context;
}

/* Free all that is derived from facts. */
static void finish_derived(struct lp_engine *engine)
{
	for (uint32_t i = 1; i < engine->cycle.count; i++)
		free(engine->cycle.at[i].edge);
	lp_before_finish(&engine->before);
	lp_order_finish(&engine->classes);
	lp_order_finish(&engine->instances);
	lp_vec_finish(&engine->class);
	lp_vec_finish(&engine->object);
	lp_vec_finish(&engine->usage);
	lp_vec_finish(&engine->state_nodes);
	lp_vec_finish(&engine->joined);
	lp_vec_finish(&engine->node);
	lp_vec_finish(&engine->witness);
	lp_vec_finish(&engine->class_pair);
	lp_vec_finish(&engine->instance);
	lp_vec_finish(&engine->lock_pair);
	lp_vec_finish(&engine->entry);
	lp_vec_finish(&engine->sample);
	lp_vec_finish(&engine->cycle);
	lp_vec_finish(&engine->loop);
	lp_vec_finish(&engine->item);
	lp_vec_finish(&engine->locks);
	lp_vec_finish(&engine->loop_pairs);
	lp_vec_finish(&engine->new_entries);
	lp_vec_finish(&engine->changed);
	lp_map_finish(&engine->by_serial);
	lp_map_finish(&engine->by_object);
	lp_map_finish(&engine->by_context);
	lp_map_finish(&engine->context_object);
	lp_map_finish(&engine->usage_index);
	lp_map_finish(&engine->entry_index);
	lp_map_finish(&engine->sample_index);
	lp_map_finish(&engine->cycle_index);
	lp_map_finish(&engine->loop_index);
	lp_vec_finish(&engine->walk);
	lp_vec_finish(&engine->keys);
	lp_vec_finish(&engine->heating);
	lp_vec_finish(&engine->tried);
	lp_vec_finish(&engine->chosen);
	lp_vec_finish(&engine->chosen_gate);
	lp_vec_finish(&engine->chosen_stage);
	lp_vec_finish(&engine->writers);
	lp_vec_finish(&engine->held_lock);
	lp_vec_finish(&engine->held_class);
}

void lp_engine_destroy(struct lp_engine *engine)
{
	if (!engine)
		return;
	finish_derived(engine);
	for (uint32_t i = 0; i < engine->finding.count; i++)
		free(engine->finding.at[i].edge);
	lp_vec_finish(&engine->finding);
	lp_vec_finish(&engine->confirmed);
	lp_map_finish(&engine->finding_index);
	free(engine);
}

/* Forget everything but the findings. */
static void reset(struct lp_engine *engine)
{
	struct lp_engine kept = {
		.wrapper = engine->wrapper, .wrapper_context = engine->wrapper_context,
		.finding_index = engine->finding_index, .classes.nests = true,
	};

	finish_derived(engine);
	memcpy(&kept.finding, &engine->finding, sizeof(kept.finding));
	memcpy(&kept.confirmed, &engine->confirmed, sizeof(kept.confirmed));
	*engine = kept;
	for (uint32_t i = 0; i < engine->finding.count; i++)
		engine->confirmed.at[i] = engine->finding.at[i].kind == LP_FINDING_DEADLOCK;
}

/* After all was judged anew: what was not found again is void. */
static void retire_unconfirmed(struct lp_engine *engine)
{
	for (uint32_t i = 0; i < engine->finding.count; i++)
		if (!engine->confirmed.at[i])
			engine->finding.at[i].covered = true;
}

static int judge_new(struct lp_engine *engine, const struct lp_model *model)
{
	int err = lp_before_update(&engine->before, model);

	err = err ? err : lp_vec_extend(&engine->object, 1);
	while (!err && engine->nodes_done + 1 < model->nodes.count) {
		err = lp_classes_add_node(engine, model, engine->nodes_done + 1);
		engine->nodes_done += !err;
	}
	while (!err && engine->witnesses_done + 1 < model->witnesses.count) {
		err = lp_scan_add_witness(engine, model, engine->witnesses_done + 1);
		engine->witnesses_done += !err;
	}
	while (!err && engine->events_done + 1 < model->events.count) {
		err = lp_misuse_add_event(engine, model, engine->events_done + 1);
		engine->events_done += !err;
	}
	return err ? err : lp_cycles_publish(engine, model);
}

int lp_engine_judge(struct lp_engine *engine, const struct lp_model *model)
{
	bool anew = engine->broken || engine->grouping != model->grouping;
	int err;

	if (anew)
		reset(engine);
	engine->grouping = model->grouping;
	err = judge_new(engine, model);
	engine->broken = err != 0;
	if (!err && anew)
		retire_unconfirmed(engine);
	return err;
}

size_t lp_engine_finding_count(const struct lp_engine *engine)
{
	return engine->finding.count;
}

const struct lp_finding *lp_engine_finding(const struct lp_engine *engine, size_t index)
{
	return index < engine->finding.count ? &engine->finding.at[index] : NULL;
}

struct lp_engine_stats lp_engine_stats(const struct lp_engine *engine)
{
	const struct lp_order *classes = &engine->classes, *instances = &engine->instances;

	return (struct lp_engine_stats){
		.edges = classes->pair.count ? classes->pair.count - 1 - engine->other_pairs : 0,
		.searches = classes->graph.searches + classes->walks +
			    instances->graph.searches + instances->walks,
	};
}

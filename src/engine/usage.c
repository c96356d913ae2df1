/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage.c — who can be struck by what, and what that takes: lockdep's usage bits, as orders.
 *
 * A context c is an object beside the classes. "A is held where c can strike" is the pair A -> c,
 * "code in c takes A" the pair c -> A. A lock that is used both ways is a cycle of two; one that
 * is safe (taken in c) and leads to one that is unsafe (held where c strikes) a longer one. The
 * kinds of the pairs carry what lockdep's read bits do: a shared hold stops writers only.
 *
 * Only the innermost context of a node counts: what strikes on top of it must be enabled in all
 * that it interrupted, so the outer contexts add no cycle that the innermost does not have.
 *
 * A trylock in c wants nothing; a lock held by one can be struck like any other. What only waits
 * (synchronize_rcu) holds nothing. A per-CPU lock is the same one for what strikes on its CPU, and
 * another one for everybody else (loops.c).
 */
#include "engine/state.h"

#include "base/hash.h"

static uint64_t usage_key(uint32_t class, uint32_t context)
{
	return (uint64_t)context << 32 | class;
}

uint32_t lp_usage_object(const struct lp_engine *engine, uint32_t context)
{
	return lp_map_get(&engine->context_object, context);
}

static int make_object(struct lp_engine *engine, const struct lp_model *model, uint32_t context,
		       uint32_t *object)
{
	int err = lp_vec_extend(&engine->object, 1);

	*object = lp_usage_object(engine, context);
	if (err || *object)
		return err;
	err = lp_vec_push(&engine->object, (struct lp_object){
		.context = context,
		.fork = model->contexts.at[context].kind == LP_CONTEXT_FORK,
	});
	*object = engine->object.count - 1;
	return err ? err : lp_map_put(&engine->context_object, context, *object);
}

/* Remember a bit of a class, and the first node that had it. */
static int note_bit(struct lp_engine *engine, uint32_t class, uint32_t context,
		    enum lp_usage bit, uint32_t node)
{
	uint32_t index = lp_map_get(&engine->usage_index, usage_key(class, context));
	struct lp_usage_state *usage;
	int err = lp_vec_extend(&engine->usage, 1);

	if (!err && !index) {
		err = lp_vec_push(&engine->usage, (struct lp_usage_state){0});
		index = engine->usage.count - 1;
		err = err ? err : lp_map_put(&engine->usage_index, usage_key(class, context),
					     index);
	}
	if (err)
		return err;
	usage = &engine->usage.at[index];
	if (usage->bits & bit)
		return 0;
	usage->bits |= (uint8_t)bit;
	usage->node[__builtin_ctz(bit)] = node;
	return 0;
}

static bool can_be_struck(const struct lp_model *model, uint32_t node)
{
	return lp_is_validated(model, node) && !(model->nodes.at[node].flags & LP_SYNC);
}

/* What the held lock of `held` says about all that can strike in `state`. */
static int each_hold(struct lp_engine *engine, const struct lp_model *model, uint32_t witness,
		     const struct lp_model_state *state, uint32_t held, uint32_t up,
		     lp_usage_fn *fn)
{
	struct lp_usage_fact fact = { .up = up, .node = held };
	int err = 0;

	if (!can_be_struck(model, held))
		return 0;
	fact.kind = LP_KIND_FULL | (lp_is_read(&model->nodes.at[held]) ? 0 : LP_KIND_EXCLUSIVE);
	for (uint32_t i = 0; !err && i < state->on_count; i++) {
		fact.context = state->context_index[state->in_count + i];
		err = fn(engine, model, witness, &fact);
	}
	return err;
}

static int each_want(struct lp_engine *engine, const struct lp_model *model, uint32_t witness,
		     const struct lp_model_state *state, uint32_t node, lp_usage_fn *fn)
{
	const struct lp_model_node *n = &model->nodes.at[node];
	struct lp_usage_fact fact = {
		.context = state->context, .node = node, .strikes = true,
		.kind = LP_KIND_EXCLUSIVE | (n->mode == LP_READ_RECURSIVE ? 0 : LP_KIND_FULL),
	};

	if (!state->context || (n->flags & LP_NEVER_WAITS) || !lp_is_validated(model, node))
		return 0;
	return fn(engine, model, witness, &fact);
}

int lp_usage_each(struct lp_engine *engine, const struct lp_model *model, uint32_t node,
		  uint32_t witness, lp_usage_fn *fn)
{
	const struct lp_model_node *n = &model->nodes.at[node];
	const struct lp_model_state *state = &model->states.at[n->state];
	uint32_t up = 1;
	int err = 0;

	if (!n->state)
		return 0;
	if (n->fine) {
		err = each_hold(engine, model, witness, state, node, 0, fn);
		return err ? err : each_want(engine, model, witness, state, node, fn);
	}
	for (uint32_t h = lp_below(model, node); !err && h; h = lp_below(model, h), up++)
		err = each_hold(engine, model, witness, state, h, up, fn);
	return err;
}

static int add_pair(struct lp_engine *engine, const struct lp_model *model, uint32_t node,
		    const struct lp_usage_fact *fact)
{
	static const enum lp_usage bits[2][2] = {
		{ LP_USED_ON, LP_USED_ON_READ }, { LP_USED_IN, LP_USED_IN_READ },
	};
	bool read = lp_is_read(&model->nodes.at[fact->node]);
	/* a fork is no bad habit: what the child needs, others may hold, if not at that moment */
	bool loud = model->contexts.at[fact->context].kind != LP_CONTEXT_FORK;
	uint32_t class = lp_model_node_class(model, fact->node), object, context;
	struct lp_sample sample = { .held = fact->strikes ? 0 : fact->node,
				    .wanted = fact->strikes ? fact->node : 0 };
	uint32_t pairs = engine->classes.pair.count;
	int err = lp_classes_object(engine, class, &object);

	engine->strikes |= fact->strikes;
	err = err ? err : make_object(engine, model, fact->context, &context);
	err = err ? err : note_bit(engine, class, fact->context, bits[fact->strikes][read], node);
	if (err)
		return err;
	err = lp_classes_pair(engine, fact->strikes ? context : object,
			      fact->strikes ? object : context, fact->kind, sample, loud);
	engine->other_pairs += engine->classes.pair.count > (pairs ? pairs : 1);
	return err;
}

int lp_usage_add_node(struct lp_engine *engine, const struct lp_model *model, uint32_t node)
{
	int err = 0;

	if (!model->nodes.at[node].fine)
		err = lp_vec_push(&engine->state_nodes, node);
	/* add_pair gets the node in the witness' place: none is needed */
	err = err ? err : lp_usage_each(engine, model, node, node, add_pair);
	return err ? err : lp_classes_follow_up(engine, model);
}

/* The pair of objects that a usage fact is about; 0: none. */
uint32_t lp_usage_pair(const struct lp_engine *engine, const struct lp_model *model,
			   const struct lp_usage_fact *fact)
{
	uint32_t context = lp_usage_object(engine, fact->context);
	uint32_t object = engine->class.at[lp_model_node_class(model, fact->node)].object;

	if (!context || !object)
		return 0;
	return lp_order_find(&engine->classes, fact->strikes ? context : object,
			     fact->strikes ? object : context, 0);
}

unsigned lp_engine_usage(const struct lp_engine *engine, uint32_t class_index, uint32_t context)
{
	uint32_t index = lp_map_get(&engine->usage_index, usage_key(class_index, context));

	return index ? engine->usage.at[index].bits : 0;
}

uint32_t lp_engine_usage_node(const struct lp_engine *engine, uint32_t class_index,
			      uint32_t context, enum lp_usage bit)
{
	uint32_t index = lp_map_get(&engine->usage_index, usage_key(class_index, context));

	if (!index || !(engine->usage.at[index].bits & bit))
		return 0;
	return engine->usage.at[index].node[__builtin_ctz(bit)];
}

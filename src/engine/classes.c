/* SPDX-License-Identifier: Apache-2.0 */
/*
 * classes.c — nodes to class pairs and their cycles: the rule of the discipline.
 *
 * A new acquisition makes a pair with every lock held below it, not only the nearest: a recursive
 * reader in between does not carry a dependency (kernel lockdep loses A -> C in A, R(B), C), and
 * a cycle is shown, and judged, with the locks one thread really held and wanted. A trylock gives
 * up, so nothing waits in it: it is held like any other, but makes no pair of its own.
 *
 * Cost of a node: one look-up for each different class below it, one in all on top of its like.
 */
#include "engine/state.h"

/* Could this node be a lock that its thread holds already, in a way that never blocks? */
static bool may_relock(const struct lp_model *model, uint32_t node)
{
	uint32_t class = lp_model_node_class(model, node);

	if (!lp_relock_may_return(model, node))
		return false;
	for (uint32_t held = lp_below(model, node); held; held = lp_below(model, held))
		if (lp_model_node_class(model, held) == class &&
		    lp_relock_returns(model, held, node))
			return true;
	return false;
}

static int take_cycle(void *context, const uint32_t *pair, uint32_t count)
{
	const struct lp_judgement *j = context;
	uint32_t cycle, start;

	return lp_cycles_find(j->engine, j->model, LP_FINDING_CIRCULAR_LOCKING, pair, count,
			      &cycle, &start);
}

static int walk_cycles(struct lp_engine *engine, const struct lp_model *model, uint32_t edge)
{
	struct lp_judgement judgement = { engine, model };

	if (engine->class_pair.at[engine->classes.graph.edge.at[edge].tag].settled)
		return 0;
	return lp_order_walk(&engine->classes, edge, lp_walk_limits(engine), take_cycle,
			     &judgement);
}

/* Attend to what the order has found out: pairs that became hot, edges that closed cycles. */
static int follow_up(struct lp_engine *engine, const struct lp_model *model)
{
	struct lp_order *order = &engine->classes;
	int err = lp_instances_add_pairs(engine, model);

	for (uint32_t i = 0; !err && i < order->closing.count; i++)
		err = walk_cycles(engine, model, order->closing.at[i]);
	order->closing.count = 0;
	return err;
}

static int add_pair(struct lp_engine *engine, const struct lp_model *model, uint32_t held,
		    uint32_t wanted)
{
	unsigned kind = lp_kind_of(model, held, wanted);
	struct lp_sample sample = { .held = held, .wanted = wanted };
	uint32_t pair;
	int result = lp_order_add(&engine->classes, lp_model_node_class(model, held),
				  lp_model_node_class(model, wanted), kind, &pair);

	if (result <= 0)
		return result;
	result = lp_vec_extend(&engine->class_pair, (uint64_t)pair + 1);
	if (result || !engine->classes.pair.at[pair].hot)
		return result;
	return lp_samples_add(engine, pair, 0, kind, sample);
}

/* All that is below the node's parent was paired with the same class and mode before. */
static bool repeats_parent(const struct lp_engine *engine, const struct lp_model *model,
			   uint32_t node)
{
	uint32_t parent = lp_below(model, node);

	return parent && engine->node.at[parent].paired &&
	       lp_model_node_class(model, parent) == lp_model_node_class(model, node) &&
	       model->nodes.at[parent].mode == model->nodes.at[node].mode;
}

int lp_classes_add_pairs(struct lp_engine *engine, const struct lp_model *model, uint32_t node)
{
	bool one_step = repeats_parent(engine, model, node);
	uint32_t last_class = 0;
	unsigned last_kind = 0;
	int err = 0;

	if (engine->node.at[node].paired)
		return 0;
	engine->node.at[node].paired = true;
	for (uint32_t held = lp_below(model, node); !err && held; held = lp_below(model, held)) {
		uint32_t class = lp_model_node_class(model, held);
		unsigned kind = lp_kind_of(model, held, node);

		if (class && (class != last_class || kind != last_kind))
			err = add_pair(engine, model, held, node);
		last_class = class;
		last_kind = kind;
		if (one_step)
			break;
	}
	return err ? err : follow_up(engine, model);
}

/* Nodes of a class are kept oldest first: later ones often repeat parts of earlier ones. */
static void append(struct lp_engine *engine, struct lp_class_state *class, uint32_t node)
{
	if (class->last_node)
		engine->node.at[class->last_node].next_in_class = node;
	else
		class->first_node = node;
	class->last_node = node;
}

int lp_classes_add_node(struct lp_engine *engine, const struct lp_model *model, uint32_t node)
{
	uint32_t class = lp_model_node_class(model, node);
	int err = lp_vec_extend(&engine->node, (uint64_t)node + 1);

	err = err ? err : lp_vec_extend(&engine->class, (uint64_t)class + 1);
	if (err || !class)
		return err;
	append(engine, &engine->class.at[class], node);
	/* If it may be the same lock again, a witness has to say. */
	if ((model->nodes.at[node].flags & LP_NEVER_WAITS) || may_relock(model, node))
		return 0;
	return lp_classes_add_pairs(engine, model, node);
}

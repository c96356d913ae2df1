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
	if (!lp_relock_may_return(model, node))
		return false;
	for (uint32_t held = lp_below(model, node); held; held = lp_below(model, held))
		if (lp_same_base(model, held, node) && lp_relock_returns(model, held, node))
			return true;
	return false;
}

static int take_cycle(void *context, const uint32_t *pair, uint32_t count)
{
	const struct lp_judgement *j = context;
	uint32_t cycle, start;

	return lp_cycles_find(j->engine, j->model, pair, count, &cycle, &start);
}

static int walk_cycles(struct lp_engine *engine, const struct lp_model *model, uint32_t edge)
{
	struct lp_judgement judgement = { engine, model };

	/* tag 0, of an alias, is never settled */
	if (lp_is_settled(engine, engine->classes.graph.edge.at[edge].tag))
		return 0;
	return lp_order_walk(&engine->classes, edge, lp_walk_limits(engine), take_cycle,
			     &judgement);
}

int lp_classes_follow_up(struct lp_engine *engine, const struct lp_model *model)
{
	struct lp_order *order = &engine->classes;
	int err = lp_scan_add_pairs(engine, model);

	for (uint32_t i = 0; !err && i < order->closing.count; i++)
		err = walk_cycles(engine, model, order->closing.at[i]);
	order->closing.count = 0;
	return err;
}

int lp_classes_object(struct lp_engine *engine, uint32_t class, uint32_t *object)
{
	int err = lp_vec_extend(&engine->class, (uint64_t)class + 1);

	err = err ? err : lp_vec_extend(&engine->object, 1);
	if (err)
		return err;
	*object = engine->class.at[class].object;
	if (*object)
		return 0;
	err = lp_vec_push(&engine->object, (struct lp_object){ .class = class });
	*object = engine->object.count - 1;
	if (!err)
		engine->class.at[class].object = *object;
	return err;
}

/* Cycles that only allowed nestings kept from being told are told when one was not allowed. */
static int make_loud(struct lp_engine *engine, uint32_t pair)
{
	uint32_t item = engine->class_pair.at[pair].cycles;
	int err = 0;

	engine->class_pair.at[pair].loud = true;
	for (; !err && item; item = engine->item.at[item].next)
		err = lp_cycles_mark(engine, engine->item.at[item].item);
	return err;
}

int lp_classes_pair(struct lp_engine *engine, uint32_t from, uint32_t to, unsigned kind,
		    struct lp_sample sample, bool loud)
{
	uint32_t pair;
	int result = lp_order_add(&engine->classes, from, to, 0, kind, &pair);
	int err = result < 0 ? result : lp_vec_extend(&engine->class_pair, (uint64_t)pair + 1);

	if (!err && loud && !engine->class_pair.at[pair].loud)
		err = make_loud(engine, pair);
	if (err || !result || !engine->classes.pair.at[pair].hot)
		return err;
	return lp_samples_add(engine, pair, 0, kind, sample);
}

bool lp_classes_nested(const struct lp_model *model, uint32_t node, uint32_t held)
{
	const struct lp_model_node *n = &model->nodes.at[node];

	for (uint32_t h = n->nest ? lp_below(model, held) : 0; h; h = lp_below(model, h))
		if (model->nodes.at[h].fine == n->nest && (!n->nest_lock || !model->nodes.at[h].lock ||
							   model->nodes.at[h].lock == n->nest_lock))
			return true;
	return false;
}

static int add_pair(struct lp_engine *engine, const struct lp_model *model, uint32_t held,
		    uint32_t wanted)
{
	struct lp_sample sample = { .held = held, .wanted = wanted };
	uint32_t from, to, pairs = engine->classes.pair.count;
	int err = lp_classes_object(engine, lp_model_node_class(model, held), &from);

	err = err ? err : lp_classes_object(engine, lp_model_node_class(model, wanted), &to);
	err = err ? err : lp_classes_pair(engine, from, to, lp_kind_of(model, held, wanted),
					  sample, !lp_classes_nested(model, wanted, held));
	/* pair[0] is none */
	if (engine->classes.pair.count > (pairs ? pairs : 1) &&
	    (lp_model_is_life(lp_model_node_fine(model, held)) ||
	     lp_model_is_life(lp_model_node_fine(model, wanted))))
		engine->other_pairs++;
	return err;
}

/* All that is below the node's parent was paired with the same class and mode before. */
static bool repeats_parent(const struct lp_engine *engine, const struct lp_model *model,
			   uint32_t node)
{
	uint32_t parent = lp_below(model, node);

	return parent && engine->node.at[parent].paired &&
	       lp_model_node_class(model, parent) == lp_model_node_class(model, node) &&
	       model->nodes.at[parent].mode == model->nodes.at[node].mode &&
	       !model->nodes.at[node].nest && !model->nodes.at[parent].nest;
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

		if (class && lp_is_validated(model, held) &&
		    (class != last_class || kind != last_kind || model->nodes.at[node].nest))
			err = add_pair(engine, model, held, node);
		last_class = class;
		last_kind = kind;
		if (one_step)
			break;
	}
	return err ? err : lp_classes_follow_up(engine, model);
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

/* A subclass shares its locks with the class it is of. */
static int add_alias(struct lp_engine *engine, const struct lp_model *model, uint32_t node)
{
	uint32_t base = lp_base_fine(model, node), object, base_object;
	uint32_t class = lp_model_node_class(model, node);
	int err;

	if (base == model->nodes.at[node].fine || engine->class.at[class].object)
		return 0;
	err = lp_classes_object(engine, class, &object);
	err = err ? err : lp_classes_object(engine, model->fines.at[base].class_index,
					    &base_object);
	engine->aliased = true;
	err = err || object == base_object ? err :
	      lp_order_alias(&engine->classes, object, base_object);
	if (err || !engine->class.at[lp_class_of(engine, base_object)].hot)
		return err;
	return lp_scan_heat_class(engine, model, class);
}

int lp_classes_add_node(struct lp_engine *engine, const struct lp_model *model, uint32_t node)
{
	uint32_t class = lp_model_node_class(model, node);
	int err = lp_vec_extend(&engine->node, (uint64_t)node + 1);

	err = err ? err : lp_vec_extend(&engine->class, (uint64_t)class + 1);
	err = err ? err : lp_vec_extend(&engine->class_pair, 1);
	/* the alias before anything that leads to the class or away from it */
	err = err || !class ? err : add_alias(engine, model, node);
	err = err ? err : lp_usage_add_node(engine, model, node);
	if (err || !class)
		return err;
	append(engine, &engine->class.at[class], node);
	err = lp_waits_add_node(engine, model, node);
	if (err || !lp_is_validated(model, node) || lp_in_child(model, node))
		return err;
	/* If it may be the same lock again, a witness has to say. */
	if ((model->nodes.at[node].flags & LP_NEVER_WAITS) || may_relock(model, node))
		return 0;
	return lp_classes_add_pairs(engine, model, node);
}

/* The pair of two classes; 0: none. */
uint32_t lp_classes_find(const struct lp_engine *engine, uint32_t from, uint32_t to)
{
	uint32_t a = engine->class.at[from].object, b = engine->class.at[to].object;

	return a && b ? lp_order_find(&engine->classes, a, b, 0) : 0;
}

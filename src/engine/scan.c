/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan.c — what witnesses say about hot class pairs, lock by lock.
 *
 * A class pair that becomes hot has all witnesses of its classes looked at again; from then on new
 * ones are looked at as they come.
 */
#include "engine/instances.h"

/* Make a witness of a hot class known by the lock it acquired. */
static int list_witness(struct lp_engine *engine, const struct lp_model *model, uint32_t witness)
{
	struct lp_witness_state *w = &engine->witness.at[witness];
	uint32_t node = model->witnesses.at[witness].node, lock;
	int err;

	if (w->listed)
		return 0;
	err = lp_instances_find(engine, model, lp_process_of(model, witness),
			    model->nodes.at[node].fine,
			    lp_instances_serial(model, &model->witnesses.at[witness], 0, node),
			    &lock);
	if (!err && lp_is_writer(model, node))
		err = lp_instances_resolve(engine, model, witness);
	if (err)
		return err;
	w->listed = true;
	w->lock = lock;
	if (!lock)
		return 0;
	w->next_at_lock = engine->instance.at[lock].first_witness;
	engine->instance.at[lock].first_witness = witness;
	return lp_is_writer(model, node) ? lp_loops_add_writer(engine, model, lock) : 0;
}

/* Subclasses share their locks: what takes one as another matters, too. */
static int heat_aliases(struct lp_engine *engine, const struct lp_model *model, uint32_t object)
{
	const struct lp_graph *graph = &engine->classes.graph;
	uint32_t e = graph->vertex.at[2 * object].first_out;
	int err = 0;

	for (; !err && e; e = graph->edge.at[e].next_out)
		if (!graph->edge.at[e].tag)
			err = lp_scan_heat_class(engine, model, lp_class_of(
				engine, graph->edge.at[e].to / 2));
	return err;
}

int lp_scan_heat_class(struct lp_engine *engine, const struct lp_model *model, uint32_t class)
{
	int err;

	if (!class || engine->class.at[class].hot)
		return 0;
	engine->class.at[class].hot = true;
	err = heat_aliases(engine, model, engine->class.at[class].object);
	for (uint32_t n = engine->class.at[class].first_node; n;
	     n = engine->node.at[n].next_in_class)
		for (uint32_t w = engine->node.at[n].first_witness; !err && w;
		     w = engine->witness.at[w].next_in_node)
			err = list_witness(engine, model, w);
	return err;
}

/* Somebody said that these two locks of one class may nest this way. */
static bool is_allowed(const struct lp_model *model, uint32_t held, uint32_t wanted)
{
	const struct lp_model_lock *h = &model->locks.at[model->nodes.at[held].lock];
	const struct lp_model_lock *w = &model->locks.at[model->nodes.at[wanted].lock];
	uint8_t flags = lp_model_node_fine(model, wanted)->flags;

	if (lp_classes_nested(model, wanted, held))
		return true;
	if (!(flags & LP_CLASS_ORDERED) || !model->nodes.at[held].lock ||
	    !model->nodes.at[wanted].lock)
		return false;
	return flags & LP_CLASS_BY_ADDRESS ? h->address < w->address : h->rank < w->rank;
}

/* Two locks of one class, one inside the other: allowed only while the order is consistent. */
static int add_nesting(struct lp_engine *engine, const struct lp_model *model, uint32_t class_pair,
		       uint32_t witness, uint32_t held)
{
	const struct lp_model_witness *w = &model->witnesses.at[witness];
	uint32_t class = lp_model_node_class(model, w->node), cycle, start;
	int err;

	if (engine->class.at[class].nested || lp_kind_of(model, held, w->node) == 0 ||
	    is_allowed(model, held, w->node))
		return 0;	/* known, or a recursive read on top of a read */
	engine->class.at[class].nested = true;
	err = lp_cycles_find(engine, model, &class_pair, 1, &cycle, &start);
	if (err || !cycle || engine->cycle.at[cycle].stage >= LP_STAGE_SAME_CLASS)
		return err;
	engine->cycle.at[cycle].edge[0] = (struct lp_finding_edge){
		.held = held, .wanted = w->node, .witness = witness, .thread = w->thread,
	};
	return lp_cycles_raise(engine, cycle, LP_STAGE_SAME_CLASS);
}

/* Note a pair of instances, and what it is for the classes. 0 or -ENOMEM. */
static int order_locks(struct lp_engine *engine, uint32_t from, uint32_t to, uint32_t class_pair,
		       unsigned kind, uint32_t *pair)
{
	int err = lp_order_add(&engine->instances, from, to, class_pair, kind, pair);
	struct lp_lock_pair *made;

	err = err < 0 ? err : lp_vec_extend(&engine->lock_pair, (uint64_t)*pair + 1);
	if (err)
		return err;
	made = &engine->lock_pair.at[*pair];
	if (!made->class_pair && from == to)
		err = lp_item_push(engine, &engine->instance.at[from].again, *pair);
	made->class_pair = class_pair;
	return err;
}

static int add_lock_pair(struct lp_engine *engine, const struct lp_model *model,
			 uint32_t class_pair, uint32_t witness, uint32_t up, uint32_t held)
{
	uint32_t wanted = model->witnesses.at[witness].node, pair;
	uint32_t from = lp_instances_lock_at(engine, witness, up);
	uint32_t to = lp_instances_lock_at(engine, witness, 0);
	bool same = lp_same_base(model, held, wanted) &&
		    lp_model_node_class(model, held) == lp_model_node_class(model, wanted);
	int err = 0;

	if (same && (from != to || !from))
		err = add_nesting(engine, model, class_pair, witness, held);
	if (err || !from || !to)
		return err;
	err = order_locks(engine, from, to, class_pair, lp_kind_of(model, held, wanted), &pair);
	if (err)
		return err;
	return engine->instances.pair.at[pair].hot ?
		lp_loops_add_entry(engine, model, pair, witness, up, held) : 0;
}

/*
 * Does a witness hold only what is innermost of what `other` holds, in the same modes? Releasing
 * from the outermost on gives long rows of such witnesses: each says nothing new about pairs.
 */
static bool is_inner_part(const struct lp_model *model, uint32_t witness, uint32_t other)
{
	const struct lp_model_witness *a = &model->witnesses.at[witness];
	const struct lp_model_witness *b = &model->witnesses.at[other];
	uint32_t x = a->node, y = b->node;

	if (model->nodes.at[y].nest)
		return false;	/* what is allowed there may not be here */
	for (uint32_t up = 0; x && y; up++) {
		const struct lp_model_node *n = &model->nodes.at[x], *o = &model->nodes.at[y];

		if (n->fine != o->fine || n->mode != o->mode ||
		    lp_instances_serial(model, a, up, x) != lp_instances_serial(model, b, up, y))
			return false;
		x = lp_below(model, x);
		y = lp_below(model, y);
	}
	return !x;
}

/* Was all that this witness could say about pairs of locks said before? */
static bool is_repeated(const struct lp_engine *engine, const struct lp_model *model,
			uint32_t witness)
{
	const struct lp_instance *lock =
		&engine->instance.at[engine->witness.at[witness].lock];

	return engine->witness.at[witness].lock && !lock->wanted_hot && lock->scanned &&
	       lock->scanned_round == engine->heat_round &&
	       is_inner_part(model, witness, lock->scanned);
}

static void note_scanned(struct lp_engine *engine, uint32_t witness)
{
	struct lp_instance *lock = &engine->instance.at[engine->witness.at[witness].lock];

	if (!engine->witness.at[witness].lock)
		return;
	lock->scanned = witness;
	lock->scanned_round = engine->heat_round;
}

/* lp_usage_fn: something to show for a pair that is becoming hot, when no witness is known. */
static int add_node_usage(struct lp_engine *engine, const struct lp_model *model, uint32_t witness,
			  const struct lp_usage_fact *fact)
{
	uint32_t pair = lp_usage_pair(engine, model, fact);
	struct lp_sample sample = { .held = fact->strikes ? 0 : fact->node,
				    .wanted = fact->strikes ? fact->node : 0 };

	if (!pair || engine->classes.pair.at[pair].hot != LP_HEATING)
		return 0;
	return lp_samples_add(engine, pair, 0, fact->kind, sample);
}

/* What a witness says about a hot pair of a class and a context. */
static int scan_fact(struct lp_engine *engine, const struct lp_model *model, uint32_t witness,
		     const struct lp_usage_fact *fact, enum lp_heat heat)
{
	struct lp_sample sample = { .witness = witness, .held = fact->strikes ? 0 : fact->node,
				    .wanted = fact->strikes ? fact->node : 0 };
	uint32_t class_pair = lp_usage_pair(engine, model, fact), from, to, pair;
	int err;

	if (!class_pair || engine->classes.pair.at[class_pair].hot < heat)
		return 0;
	err = lp_samples_add(engine, class_pair, lp_process_of(model, witness), fact->kind, sample);
	err = err ? err : lp_loops_usage_ends(engine, model, witness, fact, &from, &to);
	if (err || !from)
		return err;
	err = order_locks(engine, from, to, class_pair, fact->kind, &pair);
	if (err)
		return err;
	return engine->instances.pair.at[pair].hot ?
		lp_loops_add_entry(engine, model, pair, witness, fact->up, sample.held) : 0;
}

static int scan_hot(struct lp_engine *engine, const struct lp_model *model, uint32_t witness,
		    const struct lp_usage_fact *fact)
{
	return scan_fact(engine, model, witness, fact, LP_HOT);
}

static int scan_heating(struct lp_engine *engine, const struct lp_model *model, uint32_t witness,
			const struct lp_usage_fact *fact)
{
	return scan_fact(engine, model, witness, fact, LP_HEATING);
}

static int scan_usage(struct lp_engine *engine, const struct lp_model *model, uint32_t witness,
		      enum lp_heat heat)
{
	int err;

	if (!engine->strikes)
		return 0;
	err = lp_instances_resolve(engine, model, witness);
	return err ? err : lp_usage_each(engine, model, model->witnesses.at[witness].node, witness,
					 heat == LP_HEATING ? scan_heating : scan_hot);
}

/* What one witness says about class pairs that are hot, or are becoming hot just now. */
static int scan(struct lp_engine *engine, const struct lp_model *model, uint32_t witness,
		enum lp_heat heat)
{
	uint32_t wanted = model->witnesses.at[witness].node, up = 1;
	uint32_t class = lp_model_node_class(model, wanted), last = 0, pair = 0;
	uint32_t process = lp_process_of(model, witness), sampled = 0;
	unsigned sampled_kind = 0;
	int result = lp_instances_never_block(engine, model, witness);
	int err = result < 0 ? result : scan_usage(engine, model, witness, heat);

	if (err || result > 0 || !lp_is_validated(model, wanted) || lp_in_child(model, wanted) ||
	    is_repeated(engine, model, witness))
		return err ? err : lp_loops_follow_up(engine, model);
	err = err ? err : lp_instances_resolve(engine, model, witness);
	for (uint32_t n = lp_below(model, wanted); !err && n; n = lp_below(model, n), up++) {
		uint32_t from = lp_model_node_class(model, n);
		unsigned kind = lp_kind_of(model, n, wanted);
		struct lp_sample sample = { .witness = witness, .held = n, .wanted = wanted };

		if (from != last)
			pair = lp_classes_find(engine, from, class);
		last = from;
		if (!pair || engine->classes.pair.at[pair].hot < heat || !lp_is_validated(model, n))
			continue;
		if (pair != sampled || kind != sampled_kind)
			err = lp_samples_add(engine, pair, process, kind, sample);
		sampled = pair;
		sampled_kind = kind;
		err = err ? err : add_lock_pair(engine, model, pair, witness, up, n);
	}
	if (err)
		return err;
	note_scanned(engine, witness);
	return lp_loops_follow_up(engine, model);
}

/* A node of pairs that are becoming hot, to have something to show when no witness is known. */
static int add_node_samples(struct lp_engine *engine, const struct lp_model *model, uint32_t node)
{
	uint32_t class = lp_model_node_class(model, node), last = 0, pair = 0;
	int err = 0;

	for (uint32_t n = engine->node.at[node].paired ? lp_below(model, node) : 0; !err && n;
	     n = lp_below(model, n)) {
		struct lp_sample sample = { .held = n, .wanted = node };
		uint32_t from = lp_model_node_class(model, n);

		if (from != last)
			pair = lp_classes_find(engine, from, class);
		last = from;
		if (pair && engine->classes.pair.at[pair].hot == LP_HEATING)
			err = lp_samples_add(engine, pair, 0, lp_kind_of(model, n, node), sample);
	}
	return err ? err : lp_usage_each(engine, model, node, 0, add_node_usage);
}

/* Everything known of the nodes of a class that hot pairs end in. */
static int scan_class(struct lp_engine *engine, const struct lp_model *model, uint32_t class)
{
	int err = 0;

	for (uint32_t n = engine->class.at[class].first_node; !err && n;
	     n = engine->node.at[n].next_in_class) {
		err = add_node_samples(engine, model, n);
		for (uint32_t w = engine->node.at[n].first_witness; !err && w;
		     w = engine->witness.at[w].next_in_node)
			err = scan(engine, model, w, LP_HEATING);
	}
	return err;
}

/* The nodes without a lock, and their witnesses. */
static int scan_states(struct lp_engine *engine, const struct lp_model *model)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < engine->state_nodes.count; i++)
		err = lp_usage_each(engine, model, engine->state_nodes.at[i], 0, add_node_usage);
	for (uint32_t w = engine->first_state_witness; !err && w;
	     w = engine->witness.at[w].next_at_lock) {
		err = scan_usage(engine, model, w, LP_HEATING);
		err = err ? err : lp_loops_follow_up(engine, model);
	}
	return err;
}

/* Class pairs that end in a context and become hot: they do not end in a class to be scanned. */
static int scan_holds(struct lp_engine *engine, const struct lp_model *model,
		      const struct lp_u64s *pairs)
{
	bool any = false;
	int err = 0;

	for (uint32_t i = 0; !err && i < pairs->count; i++) {
		uint32_t pair = (uint32_t)pairs->at[i];

		if (!lp_ends_in_context(engine, pair))
			continue;
		any = true;
		err = scan_class(engine, model,
				 lp_class_of(engine, engine->classes.pair.at[pair].from));
	}
	return err || !any ? err : scan_states(engine, model);
}

int lp_scan_add_pairs(struct lp_engine *engine, const struct lp_model *model)
{
	struct lp_order *order = &engine->classes;
	struct lp_u64s pairs;
	int err;

	if (!order->heated.count)
		return 0;
	engine->heat_round++;
	err = lp_loops_begin_heating(engine, order);
	/* Lock pairs will be heated meanwhile: keep the list apart. */
	pairs = engine->heating;
	engine->heating = (struct lp_u64s){0};
	for (uint32_t i = 0; !err && i < pairs.count; i++) {
		const struct lp_pair *pair = &order->pair.at[(uint32_t)pairs.at[i]];
		uint32_t from = pair->from, to = pair->to;

		err = lp_scan_heat_class(engine, model, lp_class_of(engine, from));
		err = err ? err : lp_scan_heat_class(engine, model,
							  lp_class_of(engine, to));
	}
	for (uint32_t i = 0; !err && i < pairs.count; i++)
		if (!i || pairs.at[i] >> 32 != pairs.at[i - 1] >> 32)
			err = scan_class(engine, model,
					 lp_class_of(engine, (uint32_t)(pairs.at[i] >> 32)));
	err = err ? err : scan_holds(engine, model, &pairs);
	lp_vec_finish(&engine->heating);
	engine->heating = pairs;
	lp_loops_end_heating(engine, order);
	return err;
}

/* The witness of a node that may be a lock taken again: is it another lock this time? */
static int settle_node(struct lp_engine *engine, const struct lp_model *model, uint32_t witness)
{
	uint32_t node = model->witnesses.at[witness].node;
	int result;

	if (engine->node.at[node].paired || (model->nodes.at[node].flags & LP_NEVER_WAITS) ||
	    !lp_is_validated(model, node) || lp_in_child(model, node))
		return 0;
	result = lp_instances_never_block(engine, model, witness);
	if (result)
		return result < 0 ? result : 0;
	return lp_classes_add_pairs(engine, model, node);
}

/* Somebody held what lies below a node without a lock. */
static int add_state_witness(struct lp_engine *engine, const struct lp_model *model,
			     uint32_t witness)
{
	int err;

	engine->witness.at[witness].next_at_lock = engine->first_state_witness;
	engine->first_state_witness = witness;
	err = scan_usage(engine, model, witness, LP_HOT);
	return err ? err : lp_loops_follow_up(engine, model);
}

int lp_scan_add_witness(struct lp_engine *engine, const struct lp_model *model,
			     uint32_t witness)
{
	uint32_t node = model->witnesses.at[witness].node, class;
	int err = lp_vec_extend(&engine->witness, (uint64_t)witness + 1);

	if (err || !node || node >= engine->node.count || !model->witnesses.at[witness].thread)
		return err;
	class = lp_model_node_class(model, node);
	if (!model->nodes.at[node].fine)
		return add_state_witness(engine, model, witness);
	if (!class)
		return 0;
	engine->witness.at[witness].next_in_node = engine->node.at[node].first_witness;
	engine->node.at[node].first_witness = witness;
	err = settle_node(engine, model, witness);
	if (err || !engine->class.at[class].hot)
		return err;
	err = list_witness(engine, model, witness);
	return err ? err : scan(engine, model, witness, LP_HOT);
}

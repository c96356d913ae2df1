/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instances.c — witnesses of hot class pairs to pairs of lock instances, and the loops in them.
 *
 * An instance is a lock in one process: serial numbers are inherited by forked children, but the
 * locks they name are not the same any more. A lock at a place in a loaded object is known by
 * that place too, when its serial number is not: there can be only one.
 */
#include "base/hash.h"
#include "engine/state.h"

static int new_instance(struct lp_engine *engine, uint32_t process, uint64_t serial,
			uint32_t *instance)
{
	int err = lp_vec_extend(&engine->instance, 1);

	err = err ? err : lp_vec_push(&engine->instance, (struct lp_instance){
		.process = process, .serial = serial,
	});
	*instance = engine->instance.count - 1;
	return err;
}

/* Give an instance its serial number. */
static int bind_serial(struct lp_engine *engine, uint32_t instance, uint64_t key, uint64_t serial)
{
	engine->instance.at[instance].serial = serial;
	return lp_map_put(&engine->by_serial, key, instance);
}

/* The instance of a lock in a process; 0 into *instance when it cannot be told. */
static int find_instance(struct lp_engine *engine, const struct lp_model *model, uint32_t process,
			 uint32_t fine, uint64_t serial, uint32_t *instance)
{
	uint64_t key = lp_hash_add(lp_hash64(process), serial);
	uint32_t base = model->fines.at[fine].base ? model->fines.at[fine].base : fine;
	uint64_t place = (uint64_t)process << 32 | base;
	bool has_place = model->fines.at[base].object.module != 0;
	uint32_t at_place = has_place ? lp_map_get(&engine->by_object, place) : 0;
	const struct lp_instance *known;
	int err;

	*instance = 0;
	if (model->fines.at[fine].kind == LP_LOCK_K_LOCAL_LOCK)
		return 0;	/* every CPU has its own */
	*instance = serial ? lp_map_get(&engine->by_serial, key) : at_place;
	if (*instance) {
		known = &engine->instance.at[*instance];
		if (serial && (known->serial != serial || known->process != process))
			*instance = 0;	/* equal hashes of different locks */
		return 0;
	}
	if (!serial && !has_place)
		return 0;
	if (at_place && !engine->instance.at[at_place].serial) {
		*instance = at_place;
		return bind_serial(engine, at_place, key, serial);
	}
	err = new_instance(engine, process, serial, instance);
	if (!err && serial)
		err = lp_map_put(&engine->by_serial, key, *instance);
	if (!err && has_place && !at_place)
		err = lp_map_put(&engine->by_object, place, *instance);
	return err;
}

/* The serial number a witness knows of the lock `up` steps below its own. */
static uint64_t serial_of(const struct lp_model *model, const struct lp_model_witness *witness,
			  uint32_t up, uint32_t node)
{
	if (up < witness->count && witness->serial[up])
		return witness->serial[up];
	return model->locks.at ? model->locks.at[model->nodes.at[node].lock].serial : 0;
}

/* Find the instances of all that a witness holds, the first time. */
static int resolve(struct lp_engine *engine, const struct lp_model *model, uint32_t witness)
{
	const struct lp_model_witness *w = &model->witnesses.at[witness];
	uint32_t process = lp_process_of(model, witness), first, instance, up = 0;
	int err = lp_vec_extend(&engine->locks, 1);

	if (engine->witness.at[witness].locks)
		return 0;
	first = engine->locks.count;
	err = err ? err : lp_vec_push(&engine->locks, 0);
	for (uint32_t n = w->node; !err && n; n = lp_below(model, n), up++) {
		err = find_instance(engine, model, process, model->nodes.at[n].fine,
				    serial_of(model, w, up, n), &instance);
		err = err ? err : lp_vec_push(&engine->locks, instance);
	}
	if (err)
		return err;
	engine->locks.at[first] = up;
	engine->witness.at[witness].locks = first;
	return 0;
}

static uint32_t lock_at(const struct lp_engine *engine, uint32_t witness, uint32_t up)
{
	return engine->locks.at[engine->witness.at[witness].locks + 1 + up];
}

/*
 * Is this a node that nothing can wait in, for this witness: a trylock, or its own lock taken
 * again? 1 when it is, 0 when not, or -ENOMEM.
 */
static int never_blocks(struct lp_engine *engine, const struct lp_model *model, uint32_t witness)
{
	uint32_t node = model->witnesses.at[witness].node, up = 1, lock;
	int err;

	if (model->nodes.at[node].flags & LP_NEVER_WAITS)
		return 1;
	if (!lp_relock_may_return(model, node))
		return 0;
	err = resolve(engine, model, witness);
	if (err)
		return err;
	lock = lock_at(engine, witness, 0);
	for (uint32_t held = lp_below(model, node); held; held = lp_below(model, held), up++) {
		uint32_t other = lock_at(engine, witness, up);

		if (lp_same_base(model, held, node) && (!lock || !other || lock == other) &&
		    lp_relock_returns(model, held, node))
			return 1;
	}
	return 0;
}

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

static int add_writer(struct lp_engine *engine, const struct lp_model *model, uint32_t lock)
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

/* Make a witness of a hot class known by the lock it acquired. */
static int list_witness(struct lp_engine *engine, const struct lp_model *model, uint32_t witness)
{
	struct lp_witness_state *w = &engine->witness.at[witness];
	uint32_t node = model->witnesses.at[witness].node, lock;
	int err;

	if (w->listed)
		return 0;
	err = find_instance(engine, model, lp_process_of(model, witness),
			    model->nodes.at[node].fine,
			    serial_of(model, &model->witnesses.at[witness], 0, node), &lock);
	if (!err && lp_is_writer(model, node))
		err = resolve(engine, model, witness);
	if (err)
		return err;
	w->listed = true;
	w->lock = lock;
	if (!lock)
		return 0;
	w->next_at_lock = engine->instance.at[lock].first_witness;
	engine->instance.at[lock].first_witness = witness;
	return lp_is_writer(model, node) ? add_writer(engine, model, lock) : 0;
}

/* Subclasses share their locks: what takes one as another matters, too. */
static int heat_aliases(struct lp_engine *engine, const struct lp_model *model, uint32_t object)
{
	const struct lp_graph *graph = &engine->classes.graph;
	uint32_t e = graph->vertex.at[2 * object].first_out;
	int err = 0;

	for (; !err && e; e = graph->edge.at[e].next_out)
		if (!graph->edge.at[e].tag)
			err = lp_instances_heat_class(engine, model, lp_class_of(
				engine, graph->edge.at[e].to / 2));
	return err;
}

int lp_instances_heat_class(struct lp_engine *engine, const struct lp_model *model, uint32_t class)
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

static int add_entry(struct lp_engine *engine, const struct lp_model *model, uint32_t pair,
		     uint32_t witness, uint32_t up, uint32_t held)
{
	uint64_t key = lp_hash_add(lp_hash64((uint64_t)pair << 32 | witness), up);
	uint32_t entry;
	int err;

	if (lp_map_get(&engine->entry_index, key))
		return 0;
	err = resolve(engine, model, witness);
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

/* What stands for a context among the instances of a process. */
static int context_instance(struct lp_engine *engine, uint32_t process, uint32_t context,
			    uint32_t *instance)
{
	uint64_t key = (uint64_t)process << 32 | context;
	int err;

	*instance = lp_map_get(&engine->by_context, key);
	if (*instance)
		return 0;
	err = new_instance(engine, process, 0, instance);
	if (err)
		return err;
	engine->instance.at[*instance].context = context;
	return lp_map_put(&engine->by_context, key, *instance);
}

/* Does the witness hold its own lock already, so that it never gets it (again)? */
static bool blocks_itself(const struct lp_engine *engine, const struct lp_model *model,
			  uint32_t witness)
{
	uint32_t node = model->witnesses.at[witness].node, up = 1;
	uint32_t lock = lock_at(engine, witness, 0);

	for (uint32_t h = lp_below(model, node); lock && h; h = lp_below(model, h), up++)
		if (lock_at(engine, witness, up) == lock && !lp_relock_returns(model, h, node) &&
		    !(lp_is_read(&model->nodes.at[h]) && lp_is_read(&model->nodes.at[node])))
			return true;
	return false;
}

/*
 * The pair of instances that a usage fact is about; 0 in *from: the lock cannot be told, or is
 * never had.
 */
static int usage_ends(struct lp_engine *engine, const struct lp_model *model, uint32_t witness,
		      const struct lp_usage_fact *fact, uint32_t *from, uint32_t *to)
{
	uint32_t lock = lock_at(engine, witness, fact->up), context;
	int err = context_instance(engine, lp_process_of(model, witness), fact->context, &context);

	*from = !lock ? 0 : fact->strikes ? context : lock;
	*to = fact->strikes ? lock : context;
	if (!fact->strikes && !fact->up && blocks_itself(engine, model, witness))
		*from = 0;
	return err;
}

/* The pair of two classes; 0: none. */
static uint32_t class_pair_of(const struct lp_engine *engine, uint32_t from, uint32_t to)
{
	uint32_t a = engine->class.at[from].object, b = engine->class.at[to].object;

	return a && b ? lp_order_find(&engine->classes, a, b, 0) : 0;
}

/* The pair of objects that a usage fact is about; 0: none. */
static uint32_t usage_pair(const struct lp_engine *engine, const struct lp_model *model,
			   const struct lp_usage_fact *fact)
{
	uint32_t context = lp_usage_object(engine, fact->context);
	uint32_t object = engine->class.at[lp_model_node_class(model, fact->node)].object;

	if (!context || !object)
		return 0;
	return lp_order_find(&engine->classes, fact->strikes ? context : object,
			     fact->strikes ? object : context, 0);
}

/* lp_usage_fn: the entry in a pair of instances that is becoming hot. */
static int add_usage_entry(struct lp_engine *engine, const struct lp_model *model,
			   uint32_t witness, const struct lp_usage_fact *fact)
{
	uint32_t from, to, pair;
	int err = usage_ends(engine, model, witness, fact, &from, &to);

	pair = err || !from ? 0 : lp_order_find(&engine->instances, from, to,
						usage_pair(engine, model, fact));
	if (!pair || engine->instances.pair.at[pair].hot != LP_HEATING)
		return err;
	return add_entry(engine, model, pair, witness, fact->up, fact->strikes ? 0 : fact->node);
}

static int add_usage_entries(struct lp_engine *engine, const struct lp_model *model,
			     uint32_t witness)
{
	int err;

	if (!engine->context_object.count)
		return 0;
	err = resolve(engine, model, witness);
	return err ? err : lp_usage_each(engine, model, model->witnesses.at[witness].node, witness,
					 add_usage_entry);
}

/* The entries of one witness in pairs that are becoming hot. */
static int add_entries(struct lp_engine *engine, const struct lp_model *model, uint32_t witness)
{
	uint32_t class = lp_model_node_class(model, model->witnesses.at[witness].node);
	uint32_t node = lp_below(model, model->witnesses.at[witness].node), up = 1;
	uint32_t to = engine->witness.at[witness].lock;
	int result = never_blocks(engine, model, witness);
	int err = result < 0 ? result : resolve(engine, model, witness);

	if (result > 0 || !to || lp_in_child(model, model->witnesses.at[witness].node))
		return err;
	for (; !err && node; node = lp_below(model, node), up++) {
		uint32_t from = lock_at(engine, witness, up);
		uint32_t sort = from ? class_pair_of(engine, lp_model_node_class(model, node),
						     class) : 0;
		uint32_t pair = sort ? lp_order_find(&engine->instances, from, to, sort) : 0;

		if (pair && engine->instances.pair.at[pair].hot == LP_HEATING)
			err = add_entry(engine, model, pair, witness, up, node);
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

static int add_loop(struct lp_engine *engine, const struct lp_model *model,
		    const uint32_t *pair, uint32_t count)
{
	uint64_t key = loop_key(pair, count);
	uint32_t cycle, start, loop;
	int err;

	if (lp_map_get(&engine->loop_index, key))
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

/*
 * Move what has become hot into engine->heating, marked as such, ordered by `to`: everything that
 * wants one lock (or class) is then looked at once.
 */
static int begin_heating(struct lp_engine *engine, struct lp_order *order)
{
	int err = 0;

	engine->heating.count = 0;
	for (uint32_t i = 0; !err && i < order->heated.count; i++) {
		struct lp_pair *pair = &order->pair.at[order->heated.at[i]];

		pair->hot = LP_HEATING;
		engine->unsettled += order == &engine->classes && pair->from != pair->to;
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

static void end_heating(struct lp_engine *engine, struct lp_order *order)
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
	int err = begin_heating(engine, order);

	for (uint32_t i = 0; !err && i < engine->heating.count; i = next_target(engine, i)) {
		uint32_t w = engine->instance.at[engine->heating.at[i] >> 32].first_witness;

		for (; !err && w; w = engine->witness.at[w].next_at_lock) {
			err = add_entries(engine, model, w);
			err = err ? err : add_usage_entries(engine, model, w);
		}
	}
	err = err ? err : heat_holds(engine, model);
	end_heating(engine, order);
	for (uint32_t i = 0; !err && i < engine->heating.count; i++) {
		uint32_t index = (uint32_t)engine->heating.at[i];

		if (order->pair.at[index].from == order->pair.at[index].to)
			err = add_loop(engine, model, &index, 1);
	}
	return err;
}

/* Attend to what the order has found out. */
static int follow_up(struct lp_engine *engine, const struct lp_model *model)
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

/* Somebody said that these two locks of one class may nest this way. */
static bool is_allowed(const struct lp_model *model, uint32_t held, uint32_t wanted)
{
	const struct lp_model_node *h = &model->nodes.at[held], *w = &model->nodes.at[wanted];

	if (lp_classes_nested(model, wanted, held))
		return true;
	return (lp_model_node_fine(model, wanted)->flags & LP_CLASS_ORDERED) && h->lock &&
	       w->lock && model->locks.at[h->lock].rank < model->locks.at[w->lock].rank;
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
	if (err || engine->cycle.at[cycle].stage >= LP_STAGE_SAME_CLASS)
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
	uint32_t from = lock_at(engine, witness, up), to = lock_at(engine, witness, 0);
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
		add_entry(engine, model, pair, witness, up, held) : 0;
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
		    serial_of(model, a, up, x) != serial_of(model, b, up, y))
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
	uint32_t pair = usage_pair(engine, model, fact);
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
	uint32_t class_pair = usage_pair(engine, model, fact), from, to, pair;
	int err;

	if (!class_pair || engine->classes.pair.at[class_pair].hot < heat)
		return 0;
	err = lp_samples_add(engine, class_pair, lp_process_of(model, witness), fact->kind, sample);
	err = err ? err : usage_ends(engine, model, witness, fact, &from, &to);
	if (err || !from)
		return err;
	err = order_locks(engine, from, to, class_pair, fact->kind, &pair);
	if (err)
		return err;
	return engine->instances.pair.at[pair].hot ?
		add_entry(engine, model, pair, witness, fact->up, sample.held) : 0;
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

	if (!engine->context_object.count)
		return 0;
	err = resolve(engine, model, witness);
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
	int result = never_blocks(engine, model, witness);
	int err = result < 0 ? result : scan_usage(engine, model, witness, heat);

	if (err || result > 0 || !lp_is_validated(model, wanted) || lp_in_child(model, wanted) ||
	    is_repeated(engine, model, witness))
		return err ? err : follow_up(engine, model);
	err = err ? err : resolve(engine, model, witness);
	for (uint32_t n = lp_below(model, wanted); !err && n; n = lp_below(model, n), up++) {
		uint32_t from = lp_model_node_class(model, n);
		unsigned kind = lp_kind_of(model, n, wanted);
		struct lp_sample sample = { .witness = witness, .held = n, .wanted = wanted };

		if (from != last)
			pair = class_pair_of(engine, from, class);
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
	return follow_up(engine, model);
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
			pair = class_pair_of(engine, from, class);
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
		err = err ? err : follow_up(engine, model);
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

int lp_instances_add_pairs(struct lp_engine *engine, const struct lp_model *model)
{
	struct lp_order *order = &engine->classes;
	struct lp_u64s pairs;
	int err;

	if (!order->heated.count)
		return 0;
	engine->heat_round++;
	err = begin_heating(engine, order);
	/* Lock pairs will be heated meanwhile: keep the list apart. */
	pairs = engine->heating;
	engine->heating = (struct lp_u64s){0};
	for (uint32_t i = 0; !err && i < pairs.count; i++) {
		const struct lp_pair *pair = &order->pair.at[(uint32_t)pairs.at[i]];
		uint32_t from = pair->from, to = pair->to;

		err = lp_instances_heat_class(engine, model, lp_class_of(engine, from));
		err = err ? err : lp_instances_heat_class(engine, model,
							  lp_class_of(engine, to));
	}
	for (uint32_t i = 0; !err && i < pairs.count; i++)
		if (!i || pairs.at[i] >> 32 != pairs.at[i - 1] >> 32)
			err = scan_class(engine, model,
					 lp_class_of(engine, (uint32_t)(pairs.at[i] >> 32)));
	err = err ? err : scan_holds(engine, model, &pairs);
	lp_vec_finish(&engine->heating);
	engine->heating = pairs;
	end_heating(engine, order);
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
	result = never_blocks(engine, model, witness);
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
	return err ? err : follow_up(engine, model);
}

int lp_instances_add_witness(struct lp_engine *engine, const struct lp_model *model,
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

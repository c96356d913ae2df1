/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cycles.c — which cycles there are, and which of them are worth telling.
 *
 * One finding per cause. A cycle is covered, and not told, when each of its pairs is part of a
 * shorter feasible one: it has no order of its own to be mended. So there are never more feasible
 * ones than pairs. A possible cycle is also covered when another one is shorter and passes no
 * class that this one does not. With contexts, a cycle is covered by an earlier one (shorter, or
 * of a lower id) whose unmasked places are among its own. None of that depends on the order of
 * learning. A finding that was told before it was covered stays, marked.
 *
 * Likewise the nesting of two locks of one class is not told when their order is inverted, and a
 * lock taken twice is not, when the library refused it and an event says so.
 */
#include "base/hash.h"
#include "engine/state.h"

static enum lp_level level_of(const struct lp_cycle *cycle)
{
	return cycle->stage == LP_STAGE_FEASIBLE ? LP_FEASIBLE : LP_POSSIBLE;
}

static enum lp_reason reason_of(enum lp_stage stage)
{
	static const enum lp_reason reasons[] = {
		[LP_STAGE_NONE] = LP_REASON_ONE_THREAD,
		[LP_STAGE_UNSEEN] = LP_REASON_UNSEEN,
		[LP_STAGE_PROCESSES] = LP_REASON_PROCESSES,
		[LP_STAGE_INSTANCES] = LP_REASON_INSTANCES,
		[LP_STAGE_SAME_CLASS] = LP_REASON_SAME_CLASS,
		[LP_STAGE_TIMED] = LP_REASON_TIMED,
		[LP_STAGE_SYNC] = LP_REASON_SYNC,
		[LP_STAGE_READERS] = LP_REASON_READERS,
		[LP_STAGE_ONE_THREAD] = LP_REASON_ONE_THREAD,
		[LP_STAGE_ONCE] = LP_REASON_ONCE,
		[LP_STAGE_ORDERED] = LP_REASON_ORDERED,
		[LP_STAGE_GATE] = LP_REASON_GATE,
		[LP_STAGE_FEASIBLE] = LP_REASON_CONCURRENT,
	};

	return reasons[stage];
}

static bool is_subset(const struct lp_cycle *a, const struct lp_cycle *b)
{
	uint32_t i = 0;

	for (uint32_t k = 0; i < a->set_count && k < b->set_count; k++)
		if (a->set[i] == b->set[k])
			i++;
	return i == a->set_count;
}

/* All its pairs were seen somewhere without a lock around them that allows it. */
static bool is_loud(const struct lp_engine *engine, const struct lp_cycle *cycle)
{
	for (uint32_t i = 0; i < cycle->count; i++)
		if (!engine->class_pair.at[cycle->pair[i]].loud)
			return false;
	return true;
}

/* Broken rules that somebody allowed are told when they are more than that. */
static bool is_allowed(const struct lp_engine *engine, const struct lp_cycle *cycle)
{
	return level_of(cycle) == LP_POSSIBLE && !is_loud(engine, cycle);
}

static bool passes_pair(const struct lp_cycle *cycle, uint32_t pair)
{
	for (uint32_t i = 0; i < cycle->count; i++)
		if (cycle->pair[i] == pair)
			return true;
	return false;
}

/*
 * Does `b` hold all that `a` holds where a context can strike (the pairs A -> c)? Then whoever
 * masks c in one of these places, to mend a, has mended b.
 */
static bool has_holds_of(const struct lp_engine *engine, const struct lp_cycle *a,
			 const struct lp_cycle *b)
{
	for (uint32_t i = 0; i < a->count; i++)
		if (lp_ends_in_context(engine, a->pair[i]) && !passes_pair(b, a->pair[i]))
			return false;
	return true;
}

static bool comes_first(const struct lp_cycle *a, const struct lp_cycle *b)
{
	return a->count != b->count ? a->count < b->count : a->id < b->id;
}

static bool covers(const struct lp_engine *engine, const struct lp_cycle *a,
		   const struct lp_cycle *b)
{
	if (a->stage == LP_STAGE_NONE || is_allowed(engine, a))
		return false;	/* it is not told itself */
	if (level_of(a) < level_of(b) || !a->strikes != !b->strikes)
		return false;
	if (a->strikes)
		return comes_first(a, b) && has_holds_of(engine, a, b);
	return a->kind == LP_FINDING_CIRCULAR_LOCKING && b->kind == a->kind &&
	       level_of(b) == LP_POSSIBLE && a->count < b->count && is_subset(a, b);
}

/* Is each of its pairs part of a feasible cycle that is shorter? */
static bool has_no_own_pair(const struct lp_engine *engine, const struct lp_cycle *cycle)
{
	for (uint32_t i = 0; i < cycle->count; i++) {
		uint32_t shortest = engine->class_pair.at[cycle->pair[i]].shortest;

		if (!shortest || shortest >= cycle->count)
			return false;
	}
	return true;
}

/* A cycle with contexts: whatever covers it passes one of its own holds. */
static bool is_covered_hold(const struct lp_engine *engine, const struct lp_cycle *cycle)
{
	for (uint32_t i = 0; i < cycle->count; i++) {
		uint32_t item = lp_ends_in_context(engine, cycle->pair[i]) ?
				engine->class_pair.at[cycle->pair[i]].cycles : 0;

		for (; item; item = engine->item.at[item].next) {
			const struct lp_cycle *other = &engine->cycle.at[engine->item.at[item].item];

			if (other->id != cycle->id && covers(engine, other, cycle))
				return true;
		}
	}
	return false;
}

/* Does any cycle cover this one? Those that can have their lowest class in it. */
static bool is_covered(const struct lp_engine *engine, const struct lp_cycle *cycle)
{
	const struct lp_class_state *own =
		&engine->class.at[lp_class_of(engine, cycle->set[0])];

	if (cycle->kind == LP_FINDING_RECURSIVE_LOCKING)
		return own->relocked ||
		       (cycle->stage == LP_STAGE_SAME_CLASS && own->inverted);
	if (cycle->strikes)
		return is_covered_hold(engine, cycle);
	if (level_of(cycle) == LP_FEASIBLE || has_no_own_pair(engine, cycle))
		return has_no_own_pair(engine, cycle);
	for (uint32_t i = 0; i < cycle->set_count; i++) {
		uint32_t item = engine->object.at[cycle->set[i]].owned;

		for (; item; item = engine->item.at[item].next)
			if (covers(engine, &engine->cycle.at[engine->item.at[item].item], cycle))
				return true;
	}
	return false;
}

int lp_cycles_mark(struct lp_engine *engine, uint32_t cycle)
{
	struct lp_cycle *c = &engine->cycle.at[cycle];

	if (c->changed)
		return 0;
	c->changed = true;
	return lp_vec_push(&engine->changed, cycle);
}

/* A class' own nesting is seen in another light now. */
static int mark_recursive(struct lp_engine *engine, uint32_t class)
{
	uint32_t item = engine->object.at[engine->class.at[class].object].owned;
	int err = 0;

	for (; !err && item; item = engine->item.at[item].next)
		if (engine->cycle.at[engine->item.at[item].item].count == 1)
			err = lp_cycles_mark(engine, engine->item.at[item].item);
	return err;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void fill_set(struct lp_engine *engine, struct lp_cycle *cycle)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < cycle->count; i++) {
		const struct lp_pair *pair = &engine->classes.pair.at[cycle->pair[i]];

		cycle->set[2 * i] = pair->from;
		cycle->set[2 * i + 1] = pair->to;
		if (!engine->object.at[pair->to].context)
			continue;
		cycle->strikes++;
		cycle->hold = cycle->pair[i];
	}
	qsort(cycle->set, 2 * (size_t)cycle->count, sizeof(*cycle->set), compare);
	for (uint32_t i = 0; i < 2 * cycle->count; i++)
		if (!i || cycle->set[i] != cycle->set[count - 1])
			cycle->set[count++] = cycle->set[i];
	cycle->set_count = count;
}

/* Edges, pairs and set in one block, owned through `edge`. */
static int fill(struct lp_engine *engine, struct lp_cycle *cycle, const uint32_t *pair,
		uint32_t start)
{
	size_t count = cycle->count;
	char *block = calloc(count, sizeof(*cycle->edge) + 3 * sizeof(uint32_t));

	if (!block)
		return -ENOMEM;
	cycle->edge = (struct lp_finding_edge *)block;
	cycle->pair = (uint32_t *)(block + count * sizeof(*cycle->edge));
	cycle->set = cycle->pair + count;
	for (size_t i = 0; i < count; i++)
		cycle->pair[i] = pair[(start + i) % count];
	fill_set(engine, cycle);
	return 0;
}

/* Put a cycle into the lists of its classes and pairs. */
static int enlist(struct lp_engine *engine, uint32_t index)
{
	const struct lp_cycle *cycle = &engine->cycle.at[index];
	int err = lp_item_push(engine, &engine->object.at[cycle->set[0]].owned, index);

	for (uint32_t i = 0; !err && i < cycle->set_count; i++)
		err = lp_item_push(engine, &engine->object.at[cycle->set[i]].cycles, index);
	for (uint32_t i = 0; !err && i < cycle->count; i++)
		err = lp_item_push(engine, &engine->class_pair.at[cycle->pair[i]].cycles, index);
	return err;
}

/* Would a cycle along these classes be covered for good? */
static bool is_settled(const struct lp_engine *engine, const struct lp_cycle *cycle)
{
	struct lp_cycle feasible = *cycle;

	feasible.stage = LP_STAGE_FEASIBLE;
	return cycle->kind != LP_FINDING_RECURSIVE_LOCKING && is_covered(engine, &feasible);
}

/* Locks of one class were taken in opposite orders, be that told or not. */
static int note_inverted(struct lp_engine *engine, const struct lp_cycle *cycle)
{
	uint32_t class = lp_class_of(engine, cycle->set[0]);

	if (cycle->kind != LP_FINDING_CIRCULAR_LOCKING || cycle->set_count != 1 ||
	    engine->class.at[class].inverted)
		return 0;
	engine->class.at[class].inverted = true;
	return mark_recursive(engine, class);
}

static int create(struct lp_engine *engine, struct lp_cycle cycle, const uint32_t *pair,
		  uint32_t start, uint32_t *index)
{
	int err = lp_vec_extend(&engine->cycle, 1);

	err = err ? err : fill(engine, &cycle, pair, start);
	if (err)
		return err;
	*index = 0;
	err = note_inverted(engine, &cycle);
	if (err || is_settled(engine, &cycle)) {
		free(cycle.edge);
		return err;
	}
	err = lp_vec_push(&engine->cycle, cycle);
	if (err) {
		free(cycle.edge);
		return err;
	}
	*index = engine->cycle.count - 1;
	err = lp_map_put(&engine->cycle_index, cycle.id, *index);
	err = err ? err : enlist(engine, *index);
	return err ? err : lp_cycles_mark(engine, *index);
}

static uint64_t object_key(const struct lp_engine *engine, const struct lp_model *model,
			   uint32_t index)
{
	const struct lp_object *object = &engine->object.at[index];

	return object->context ? lp_findings_context_key(model, object->context) :
				 model->classes.at[object->class].key;
}

/*
 * The class keys of a walk, in scratch memory; NULL when memory is short. Where a lock is wanted as
 * of one subclass and held as of another, the key stands for both.
 */
static uint64_t *keys_of(struct lp_engine *engine, const struct lp_model *model,
			 const uint32_t *pair, uint32_t count)
{
	if (lp_vec_extend(&engine->keys, count))
		return NULL;
	for (uint32_t i = 0; i < count; i++) {
		const struct lp_pair *p = &engine->classes.pair.at[pair[i]];
		uint64_t key = object_key(engine, model, p->from);

		if (p->to != engine->classes.pair.at[pair[(i + 1) % count]].from)
			key = lp_hash_add(key, object_key(engine, model, p->to));
		engine->keys.at[i] = key;
	}
	return engine->keys.at;
}

/*
 * What a cycle of these pairs is called. A safe lock that leads to an unsafe one directly is one
 * thing, over further locks or contexts another; which of the facts came last says nothing.
 */
static enum lp_finding_kind kind_of(const struct lp_engine *engine, const uint32_t *pair,
				    uint32_t count)
{
	uint32_t strikes = 0;

	for (uint32_t i = 0; i < count; i++)
		strikes += lp_begins_in_context(engine, pair[i]);
	if (!strikes)
		return count == 1 ? LP_FINDING_RECURSIVE_LOCKING : LP_FINDING_CIRCULAR_LOCKING;
	if (strikes == 1 && count == 2)
		return LP_FINDING_INCONSISTENT_LOCK_STATE;
	return strikes == 1 && count == 3 ? LP_FINDING_IRQ_UNSAFE_LOCK_ORDER :
					    LP_FINDING_IRQ_LOCK_INVERSION;
}

int lp_cycles_find(struct lp_engine *engine, const struct lp_model *model,
		   const uint32_t *pair, uint32_t count, uint32_t *cycle, uint32_t *start)
{
	const uint64_t *key = keys_of(engine, model, pair, count);
	enum lp_finding_kind kind = kind_of(engine, pair, count);
	struct lp_cycle made = { .kind = kind, .count = count, .stale = true };

	if (!key)
		return -ENOMEM;
	*start = lp_findings_rotation(key, count);
	made.id = lp_findings_id(kind, key, count);
	*cycle = lp_map_get(&engine->cycle_index, made.id);
	if (!*cycle)
		return create(engine, made, pair, *start, cycle);
	/* ids are made of what the file says: one that fits two cycles is the first one's */
	if (engine->cycle.at[*cycle].kind != kind || engine->cycle.at[*cycle].count != count)
		*cycle = 0;
	return 0;
}

/* What is longer and passes a pair of this feasible cycle may say nothing of its own any more. */
static int note_shortest(struct lp_engine *engine, uint32_t pair, uint32_t count)
{
	struct lp_class_pair *p = &engine->class_pair.at[pair];
	uint32_t item = p->cycles;
	int err = 0;

	if (p->shortest && p->shortest <= count)
		return 0;
	p->shortest = count;
	engine->unsettled -= count == 2;
	for (; !err && item; item = engine->item.at[item].next)
		err = lp_cycles_mark(engine, engine->item.at[item].item);
	return err;
}

static int note_feasible(struct lp_engine *engine, uint32_t cycle)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < engine->cycle.at[cycle].count; i++)
		err = note_shortest(engine, engine->cycle.at[cycle].pair[i],
				    engine->cycle.at[cycle].count);
	return err;
}

int lp_cycles_raise(struct lp_engine *engine, uint32_t cycle, enum lp_stage stage)
{
	struct lp_cycle *c = &engine->cycle.at[cycle];

	c->stage = stage;
	if (stage == LP_STAGE_FEASIBLE && c->kind == LP_FINDING_CIRCULAR_LOCKING) {
		int err = note_feasible(engine, cycle);

		if (err)
			return err;
	}
	return lp_cycles_mark(engine, cycle);
}

/*
 * The edges of a finding: "held where c strikes" and "c wants" are one, of the thread that was
 * struck. 0 or -ENOMEM.
 */
static int join_strikes(struct lp_engine *engine, const struct lp_cycle *cycle, uint32_t *count)
{
	uint32_t skip = lp_begins_in_context(engine, cycle->pair[0]);
	int err = 0;

	engine->joined.count = 0;
	for (uint32_t i = skip; !err && i < cycle->count + skip; i++) {
		struct lp_finding_edge edge = cycle->edge[i % cycle->count];
		uint32_t pair = cycle->pair[i % cycle->count];

		if (lp_ends_in_context(engine, pair)) {
			const struct lp_finding_edge *strike = &cycle->edge[++i % cycle->count];

			edge.context = engine->object.at[engine->classes.pair.at[pair].to].context;
			edge.wanted = strike->wanted;
			edge.striker = strike->witness;
			edge.writer = strike->writer;
		}
		err = lp_vec_push(&engine->joined, edge);
	}
	*count = engine->joined.count;
	return err;
}

/* What makes it feasible, in the words for its kind. */
static enum lp_reason why_feasible(const struct lp_engine *engine, const struct lp_cycle *cycle)
{
	for (uint32_t i = 0; i < cycle->set_count; i++)
		if (engine->object.at[cycle->set[i]].fork)
			return LP_REASON_FORKED;
	if (cycle->strikes)
		return LP_REASON_INTERRUPT;
	return cycle->count == 1 ? LP_REASON_ITSELF : LP_REASON_CONCURRENT;
}

static int tell(struct lp_engine *engine, const struct lp_cycle *cycle)
{
	struct lp_finding finding = {
		.id = cycle->id, .kind = cycle->kind, .level = level_of(cycle),
		.reason = reason_of(cycle->stage), .gate = cycle->gate,
		.covered = cycle->covered, .edge_count = cycle->count, .edge = cycle->edge,
	};
	int err = 0;

	if (cycle->covered && !lp_map_get(&engine->finding_index, cycle->id))
		return 0;
	if (is_allowed(engine, cycle))
		return 0;
	if (cycle->stage == LP_STAGE_FEASIBLE)
		finding.reason = why_feasible(engine, cycle);
	if (cycle->strikes) {
		err = join_strikes(engine, cycle, &finding.edge_count);
		finding.edge = engine->joined.at;
	}
	return err ? err : lp_findings_put(engine, &finding);
}

/* Mark what a changed cycle covers now. */
static int cover_others(struct lp_engine *engine, const struct lp_cycle *cycle)
{
	uint32_t item = cycle->strikes ? engine->class_pair.at[cycle->hold].cycles :
					      engine->object.at[cycle->set[0]].cycles;
	int err = 0;

	for (; !err && item; item = engine->item.at[item].next) {
		struct lp_cycle *other = &engine->cycle.at[engine->item.at[item].item];

		if (other->covered || other->changed || !covers(engine, cycle, other))
			continue;
		other->covered = true;
		err = tell(engine, other);
	}
	return err;
}

/*
 * A lock that is taken again on top of itself, by an interrupt, and does not mind; or an interrupt
 * and a per-CPU lock in one cycle: the CPU that is struck has another one.
 */
static bool is_harmless(const struct lp_engine *engine, const struct lp_model *model,
			const struct lp_cycle *cycle)
{
	bool per_cpu = false, counts = false, fork = false;

	for (uint32_t i = 0; cycle->strikes && i < cycle->set_count; i++) {
		const struct lp_object *object = &engine->object.at[cycle->set[i]];
		enum lp_lock_kind kind = model->classes.at[object->class].kind;

		per_cpu |= kind == LP_LOCK_K_LOCAL_LOCK;
		counts |= cycle->count == 2 && lp_relock_counts(kind);
		fork |= model->contexts.at[object->context].kind == LP_CONTEXT_FORK &&
			object->context;
	}
	/* a child is never the owner */
	return (per_cpu && cycle->count > 2) || (counts && !fork);
}

static int judge_stale(struct lp_engine *engine, const struct lp_model *model)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < engine->changed.count; i++) {
		const struct lp_cycle *cycle = &engine->cycle.at[engine->changed.at[i]];

		if (cycle->stale && cycle->stage < LP_STAGE_INSTANCES &&
		    !is_harmless(engine, model, cycle) && cycle->kind != LP_FINDING_RECURSIVE_LOCKING)
			err = lp_samples_judge(engine, model, engine->changed.at[i]);
	}
	return err;
}

int lp_cycles_publish(struct lp_engine *engine, const struct lp_model *model)
{
	struct lp_u32s *changed = &engine->changed;
	int err = judge_stale(engine, model);

	if (changed->count)
		qsort(changed->at, changed->count, sizeof(*changed->at), compare);
	for (uint32_t i = 0; !err && i < changed->count; i++) {
		struct lp_cycle *cycle = &engine->cycle.at[changed->at[i]];

		cycle->covered = is_covered(engine, cycle);
		if (cycle->stage != LP_STAGE_NONE)
			err = tell(engine, cycle);
	}
	for (uint32_t i = 0; !err && i < changed->count; i++)
		err = cover_others(engine, &engine->cycle.at[changed->at[i]]);
	for (uint32_t i = 0; !err && i < changed->count; i++)
		engine->cycle.at[changed->at[i]].changed = false;
	if (!err)
		changed->count = 0;
	return err;
}

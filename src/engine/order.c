/* SPDX-License-Identifier: Apache-2.0 */
/* order.c — which object is taken while which is held, and the strong cycles in that. */
#include "engine/order.h"

#include <errno.h>

#include "base/hash.h"

void lp_order_finish(struct lp_order *order)
{
	lp_graph_finish(&order->graph);
	lp_vec_finish(&order->pair);
	lp_map_finish(&order->index);
	lp_vec_finish(&order->entered);
	lp_vec_finish(&order->heated);
	lp_vec_finish(&order->closing);
	lp_vec_finish(&order->path);
	lp_vec_finish(&order->next);
	lp_vec_finish(&order->pairs);
	lp_vec_finish(&order->passed);
	*order = (struct lp_order){0};
}

static uint64_t index_key(uint32_t from, uint32_t to, uint32_t sort)
{
	uint64_t ends = (uint64_t)from << 32 | to;

	return sort ? lp_hash_add(lp_hash64(ends), sort) : ends;
}

uint32_t lp_order_find(const struct lp_order *order, uint32_t from, uint32_t to, uint32_t sort)
{
	return lp_map_get(&order->index, index_key(from, to, sort));
}

static int heat(struct lp_order *order, uint32_t pair)
{
	if (!pair || order->pair.at[pair].hot)
		return 0;
	order->pair.at[pair].hot = LP_HOT;
	return lp_vec_push(&order->heated, pair);
}

/* Heat the pairs that a merge of components has made part of a cycle. */
static int heat_moved(struct lp_order *order)
{
	struct lp_graph *graph = &order->graph;
	int err = 0;

	for (uint32_t i = 0; i < graph->moved.count; i++) {
		const struct lp_graph_vertex *v = &graph->vertex.at[graph->moved.at[i]];

		for (uint32_t e = v->first_out; !err && e; e = graph->edge.at[e].next_out)
			if (lp_graph_cyclic(graph, e))
				err = heat(order, graph->edge.at[e].tag);
		for (uint32_t e = v->first_in; !err && e; e = graph->edge.at[e].next_in)
			if (lp_graph_cyclic(graph, e))
				err = heat(order, graph->edge.at[e].tag);
	}
	return err;
}

static int add_edge(struct lp_order *order, uint32_t from, uint32_t to, uint32_t pair)
{
	int result = lp_graph_add(&order->graph, from, to, pair);
	int err;

	if (result < 0)
		return result;
	if (result != LP_GRAPH_CYCLE)
		return 0;
	err = lp_vec_push(&order->closing, order->graph.edge.count - 1);
	err = err ? err : heat_moved(order);
	return err ? err : heat(order, pair);
}

/* From one lock of an object, entered by a recursive read, to another one, entered otherwise. */
static int add_nesting(struct lp_order *order, uint32_t object)
{
	uint32_t pair = order->nests ? lp_order_find(order, object, object, 0) : 0;

	if (!pair || !order->entered.at[object] ||
	    !(order->pair.at[pair].kinds & 1u << (LP_KIND_EXCLUSIVE | LP_KIND_FULL)))
		return 0;
	return add_edge(order, 2 * object + 1, 2 * object, pair);
}

/* The first recursive read of an object: its second vertex gets what leaves it exclusively. */
static int enter(struct lp_order *order, uint32_t object)
{
	const struct lp_graph *graph = &order->graph;
	uint32_t e = graph->vertex.at[2 * object].first_out;
	int err;

	order->entered.at[object] = 1;
	err = add_nesting(order, object);
	for (; !err && e; e = graph->edge.at[e].next_out) {
		uint32_t pair = graph->edge.at[e].tag, to = graph->edge.at[e].to;
		unsigned kind = LP_KIND_EXCLUSIVE | (to & 1 ? 0 : LP_KIND_FULL);

		/* pair 0, of an alias, has no kinds: both of its ways are there already */
		if (order->pair.at[pair].kinds & 1u << kind)
			err = add_edge(order, 2 * object + 1, to, pair);
	}
	return err;
}

int lp_order_alias(struct lp_order *order, uint32_t a, uint32_t b)
{
	uint32_t most = a > b ? a : b;
	int err = lp_graph_reserve(&order->graph, 2 * most + 1);

	err = err ? err : lp_vec_extend(&order->entered, (uint64_t)most + 1);
	err = err ? err : lp_vec_extend(&order->pair, 1);
	for (uint32_t entered = 0; !err && entered < 2; entered++) {
		err = add_edge(order, 2 * a + entered, 2 * b + entered, 0);
		err = err ? err : add_edge(order, 2 * b + entered, 2 * a + entered, 0);
	}
	/* who enters one by a recursive read has entered the other */
	if (!err && !order->entered.at[a])
		err = enter(order, a);
	if (!err && !order->entered.at[b])
		err = enter(order, b);
	return err;
}

/* The edges that a kind not seen before adds to those of `old` kinds. */
static int add_kind(struct lp_order *order, uint32_t pair, unsigned kind, unsigned old)
{
	uint32_t from = order->pair.at[pair].from, to = order->pair.at[pair].to;
	uint32_t target = 2 * to + !(kind & LP_KIND_FULL);
	unsigned same_end = 1u << kind | 1u << (kind ^ LP_KIND_EXCLUSIVE);
	int err = 0;

	if (!(old & same_end))
		err = add_edge(order, 2 * from, target, pair);
	if (!err && (kind & LP_KIND_EXCLUSIVE) && order->entered.at[from])
		err = add_edge(order, 2 * from + 1, target, pair);
	if (!err && (target & 1) && !order->entered.at[to])
		err = enter(order, to);
	return err;
}

static int new_pair(struct lp_order *order, uint32_t from, uint32_t to, uint32_t sort,
		    uint32_t *pair)
{
	uint32_t most = from > to ? from : to;
	int err = lp_graph_reserve(&order->graph, 2 * most + 1);

	err = err ? err : lp_vec_extend(&order->entered, (uint64_t)most + 1);
	err = err ? err : lp_vec_extend(&order->pair, 1);
	err = err ? err : lp_vec_push(&order->pair, (struct lp_pair){ .from = from, .to = to });
	if (err)
		return err;
	*pair = order->pair.count - 1;
	return lp_map_put(&order->index, index_key(from, to, sort), *pair);
}

int lp_order_add(struct lp_order *order, uint32_t from, uint32_t to, uint32_t sort, unsigned kind,
		 uint32_t *pair)
{
	unsigned old;
	int err;

	*pair = lp_order_find(order, from, to, sort);
	if (!*pair) {
		err = new_pair(order, from, to, sort, pair);
		if (err)
			return err;
	}
	old = order->pair.at[*pair].kinds;
	if (old & 1u << kind)
		return 0;
	order->pair.at[*pair].kinds |= (uint8_t)(1u << kind);
	err = from == to ? heat(order, *pair) : add_kind(order, *pair, kind, old);
	if (!err && from == to && kind == (LP_KIND_EXCLUSIVE | LP_KIND_FULL))
		err = add_nesting(order, from);
	return err ? err : 1;
}

/* One walk: cycles of exactly `length` edges per round, then the next length that can exist. */
struct walk {
	struct lp_order	*order;
	uint32_t	edge, target;	/* the cycle's first edge and the vertex it leaves */
	uint32_t	depth;		/* edges in the path */
	uint32_t	length, longer;
	uint32_t	steps;
	struct lp_walk_limits limits;
	lp_walk_fn	*fn;
	void		*context;
};

/* A recursive read where the same step is possible as another kind: adds no cycle. */
static bool is_weaker_twin(const struct lp_order *order, const struct lp_graph_edge *edge)
{
	unsigned full = 1u << (LP_KIND_FULL | LP_KIND_EXCLUSIVE);

	if (!(edge->from & 1))
		full |= 1u << LP_KIND_FULL;
	return (edge->to & 1) && (order->pair.at[edge->tag].kinds & full);
}

/* Tell the caller about path plus closing edge. */
static int report(struct walk *walk, uint32_t edge)
{
	struct lp_order *order = walk->order;
	int err = 0;

	order->pairs.count = 0;
	for (uint32_t i = 0; !err && i < walk->depth; i++)
		err = lp_vec_push(&order->pairs, order->graph.edge.at[order->path.at[i]].tag);
	err = err ? err : lp_vec_push(&order->pairs, order->graph.edge.at[edge].tag);
	if (err)
		return err;
	walk->limits.cycles--;
	return walk->fn(walk->context, order->pairs.at, order->pairs.count);
}

static void set_passed(struct lp_order *order, uint32_t vertex, bool passed)
{
	order->passed.at[vertex / 2] = passed ? order->stamp : 0;
}

static int push(struct walk *walk, uint32_t edge)
{
	struct lp_order *order = walk->order;
	uint32_t to = order->graph.edge.at[edge].to;
	int err;

	order->path.count = order->next.count = walk->depth;
	err = lp_vec_push(&order->path, edge);
	err = err ? err : lp_vec_push(&order->next, order->graph.vertex.at[to].first_out);
	if (err)
		return err;
	set_passed(order, to, true);
	walk->depth++;
	return 0;
}

/* Look at one edge that leaves the end of the path. */
static int step(struct walk *walk, uint32_t edge)
{
	struct lp_order *order = walk->order;
	const struct lp_graph_edge *e = &order->graph.edge.at[edge];
	uint32_t far = lp_graph_distance(&order->graph, e->to), total;

	walk->steps++;
	if (far == LP_GRAPH_FAR || !e->tag)
		return 0;
	total = walk->depth + 1 + far;
	if (total > walk->length) {
		if (total < walk->longer)
			walk->longer = total;
		return 0;
	}
	if (e->to == walk->target)
		return total == walk->length ? report(walk, edge) : 0;
	if (order->passed.at[e->to / 2] == order->stamp || is_weaker_twin(order, e))
		return 0;
	return push(walk, edge);
}

static bool used_up(const struct walk *walk, bool first)
{
	uint64_t steps = (uint64_t)walk->limits.steps * (first ? LP_WALK_FIRST : 1);

	return !walk->limits.cycles || walk->steps > steps;
}

/* All cycles of walk->length edges. `first`: the shortest, which is always finished. */
static int round_of(struct walk *walk, bool first)
{
	struct lp_order *order = walk->order;
	uint32_t cycles = walk->limits.cycles;
	int err = push(walk, walk->edge);

	while (!err && walk->depth) {
		uint32_t *next = &order->next.at[walk->depth - 1], edge = *next;

		if (used_up(walk, first && walk->limits.cycles == cycles))
			break;
		if (!edge) {
			walk->depth--;
			set_passed(order, order->graph.edge.at[order->path.at[walk->depth]].to,
				   false);
			continue;
		}
		*next = order->graph.edge.at[edge].next_out;
		err = step(walk, edge);
	}
	while (walk->depth) {
		walk->depth--;
		set_passed(order, order->graph.edge.at[order->path.at[walk->depth]].to, false);
	}
	return err;
}

int lp_order_walk(struct lp_order *order, uint32_t edge, struct lp_walk_limits limits,
		  lp_walk_fn *fn, void *context)
{
	struct walk walk = {
		.order = order, .edge = edge, .target = order->graph.edge.at[edge].from,
		.limits = limits, .fn = fn, .context = context,
	};
	uint32_t to = order->graph.edge.at[edge].to, far;
	bool first = true;
	int err;

	if (to / 2 == walk.target / 2 || !order->graph.edge.at[edge].tag ||
	    !lp_graph_cyclic(&order->graph, edge))
		return 0;
	order->walks++;
	order->stamp++;
	err = lp_vec_extend(&order->passed, order->entered.count);
	err = err ? err : lp_graph_measure(&order->graph, walk.target, to, limits.steps);
	if (err)
		return err;
	far = lp_graph_distance(&order->graph, to);
	set_passed(order, walk.target, true);
	for (walk.length = far + 1; !err && !used_up(&walk, first); walk.length = walk.longer) {
		walk.longer = UINT32_MAX;
		err = round_of(&walk, first);
		first = false;
		if (walk.longer == UINT32_MAX)
			break;
	}
	set_passed(order, walk.target, false);
	return err;
}

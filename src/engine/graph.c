/* SPDX-License-Identifier: Apache-2.0 */
/* graph.c — a directed graph that always knows its cycles. */
#include "engine/graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void lp_graph_finish(struct lp_graph *graph)
{
	lp_vec_finish(&graph->vertex);
	lp_vec_finish(&graph->edge);
	lp_vec_finish(&graph->distance);
	lp_vec_finish(&graph->moved);
	lp_vec_finish(&graph->after);
	lp_vec_finish(&graph->before);
	lp_vec_finish(&graph->ranks);
	lp_vec_finish(&graph->queue);
	*graph = (struct lp_graph){0};
}

int lp_graph_reserve(struct lp_graph *graph, uint32_t count)
{
	uint32_t old = graph->vertex.count ? graph->vertex.count : 1;
	int err;

	if (count < old)
		return 0;
	err = lp_vec_extend(&graph->distance, (uint64_t)count + 1);
	err = err ? err : lp_vec_extend(&graph->vertex, (uint64_t)count + 1);
	if (err)
		return err;
	for (uint32_t v = old; v <= count; v++)
		graph->vertex.at[v] = (struct lp_graph_vertex){
			.leader = v, .last = v, .size = 1, .rank = v,
		};
	return 0;
}

uint32_t lp_graph_leader(struct lp_graph *graph, uint32_t vertex)
{
	struct lp_graph_vertex *at = graph->vertex.at;

	while (at[vertex].leader != vertex) {
		at[vertex].leader = at[at[vertex].leader].leader;
		vertex = at[vertex].leader;
	}
	return vertex;
}

bool lp_graph_cyclic(struct lp_graph *graph, uint32_t edge)
{
	const struct lp_graph_edge *e = &graph->edge.at[edge];

	return lp_graph_leader(graph, e->from) == lp_graph_leader(graph, e->to);
}

static uint32_t rank_of(const struct lp_graph *graph, uint32_t leader)
{
	return graph->vertex.at[leader].rank;
}

static int note(struct lp_u64s *list, const struct lp_graph *graph, uint32_t leader)
{
	return lp_vec_push(list, (uint64_t)rank_of(graph, leader) << 32 | leader);
}

/* Note the components one edge away from `leader` that are not beyond `limit`. */
static int spread_out(struct lp_graph *graph, uint32_t leader, uint32_t limit)
{
	struct lp_graph_vertex *at = graph->vertex.at;

	for (uint32_t v = leader; v; v = at[v].next) {
		for (uint32_t e = at[v].first_out; e; e = graph->edge.at[e].next_out) {
			uint32_t next = lp_graph_leader(graph, graph->edge.at[e].to);
			int err;

			if (at[next].seen_out == graph->stamp || at[next].rank > limit)
				continue;
			at[next].seen_out = graph->stamp;
			err = note(&graph->after, graph, next);
			if (err)
				return err;
		}
	}
	return 0;
}

static int spread_in(struct lp_graph *graph, uint32_t leader, uint32_t limit)
{
	struct lp_graph_vertex *at = graph->vertex.at;

	for (uint32_t v = leader; v; v = at[v].next) {
		for (uint32_t e = at[v].first_in; e; e = graph->edge.at[e].next_in) {
			uint32_t next = lp_graph_leader(graph, graph->edge.at[e].from);
			int err;

			if (at[next].seen_in == graph->stamp || at[next].rank < limit)
				continue;
			at[next].seen_in = graph->stamp;
			err = note(&graph->before, graph, next);
			if (err)
				return err;
		}
	}
	return 0;
}

static void next_stamp(struct lp_graph *graph)
{
	if (++graph->stamp)
		return;
	for (uint32_t v = 0; v < graph->vertex.count; v++)
		graph->vertex.at[v].seen_out = graph->vertex.at[v].seen_in = 0;
	graph->stamp = 1;
}

/* Fill `after` with what `to` reaches and `before` with what reaches `from`, between them. */
static int search(struct lp_graph *graph, uint32_t from, uint32_t to)
{
	int err;

	next_stamp(graph);
	graph->searches++;
	graph->after.count = graph->before.count = 0;
	graph->vertex.at[to].seen_out = graph->vertex.at[from].seen_in = graph->stamp;
	err = note(&graph->after, graph, to);
	err = err ? err : note(&graph->before, graph, from);
	for (uint32_t i = 0; !err && i < graph->after.count; i++)
		err = spread_out(graph, (uint32_t)graph->after.at[i], rank_of(graph, from));
	for (uint32_t i = 0; !err && i < graph->before.count; i++)
		err = spread_in(graph, (uint32_t)graph->before.at[i], rank_of(graph, to));
	return err;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void sort(struct lp_u64s *list)
{
	if (list->count > 1)
		qsort(list->at, list->count, sizeof(*list->at), compare);
}

/* Part of the cycle that the new edge closes: reached from both sides. */
static bool in_middle(const struct lp_graph *graph, uint32_t leader)
{
	const struct lp_graph_vertex *v = &graph->vertex.at[leader];

	return v->seen_out == graph->stamp && v->seen_in == graph->stamp;
}

/* Take what merging and ordering will need, so that they cannot fail. */
static int prepare(struct lp_graph *graph)
{
	uint64_t members = 0, ranks = (uint64_t)graph->after.count + graph->before.count;
	int err;

	for (uint32_t i = 0; i < graph->after.count; i++)
		if (in_middle(graph, (uint32_t)graph->after.at[i]))
			members += graph->vertex.at[(uint32_t)graph->after.at[i]].size;
	err = lp_vec_reserve(&graph->moved, members);
	return err ? err : lp_vec_reserve(&graph->ranks, ranks);
}

static void take_over(struct lp_graph *graph, uint32_t leader, uint32_t other)
{
	struct lp_graph_vertex *at = graph->vertex.at;

	for (uint32_t v = other; v; v = at[v].next)
		graph->moved.at[graph->moved.count++] = v;
	at[at[leader].last].next = other;
	at[leader].last = at[other].last;
	at[leader].size += at[other].size;
	at[other].leader = leader;
}

/* One component of all in the middle; returns its leader, 0 when there is no cycle. */
static uint32_t merge(struct lp_graph *graph)
{
	const struct lp_graph_vertex *at = graph->vertex.at;
	uint32_t leader = 0;

	for (uint32_t i = 0; i < graph->after.count; i++) {
		uint32_t v = (uint32_t)graph->after.at[i];

		if (in_middle(graph, v) && (!leader || at[v].size > at[leader].size))
			leader = v;
	}
	for (uint32_t i = 0; leader && i < graph->after.count; i++) {
		uint32_t v = (uint32_t)graph->after.at[i];

		if (v != leader && in_middle(graph, v))
			take_over(graph, leader, v);
	}
	return leader;
}

/* The ranks of the region in ascending order, each once. */
static void collect_ranks(struct lp_graph *graph)
{
	struct lp_u64s *ranks = &graph->ranks;

	ranks->count = 0;
	for (uint32_t i = 0; i < graph->after.count; i++)
		ranks->at[ranks->count++] = graph->after.at[i] >> 32;
	for (uint32_t i = 0; i < graph->before.count; i++)
		if (!in_middle(graph, (uint32_t)graph->before.at[i]))
			ranks->at[ranks->count++] = graph->before.at[i] >> 32;
	sort(ranks);
}

/*
 * Deal the region's ranks out again: what comes before the new edge gets the lowest, what comes
 * after it the highest, each side in its old order, so that nothing on the left moves up and
 * nothing on the right moves down: edges to the rest of the graph stay right.
 */
static void assign_ranks(struct lp_graph *graph, uint32_t middle)
{
	struct lp_graph_vertex *at = graph->vertex.at;
	uint32_t low = 0, high = graph->ranks.count;

	for (uint32_t i = 0; i < graph->before.count; i++) {
		uint32_t v = (uint32_t)graph->before.at[i];

		if (!in_middle(graph, v))
			at[v].rank = (uint32_t)graph->ranks.at[low++];
	}
	for (uint32_t i = graph->after.count; i-- > 0;) {
		uint32_t v = (uint32_t)graph->after.at[i];

		if (!in_middle(graph, v))
			at[v].rank = (uint32_t)graph->ranks.at[--high];
	}
	if (middle)
		at[middle].rank = (uint32_t)graph->ranks.at[low];
}

/* Make the order right for an edge between two components that runs against it. */
static int reorder(struct lp_graph *graph, uint32_t from, uint32_t to)
{
	int err = search(graph, from, to);

	err = err ? err : prepare(graph);
	if (err)
		return err;
	sort(&graph->after);
	sort(&graph->before);
	collect_ranks(graph);
	assign_ranks(graph, merge(graph));
	return 0;
}

static void append(struct lp_graph *graph, uint32_t from, uint32_t to, uint32_t tag)
{
	struct lp_graph_vertex *at = graph->vertex.at;
	uint32_t edge = graph->edge.count++;

	graph->edge.at[edge] = (struct lp_graph_edge){
		.from = from, .to = to, .tag = tag,
		.next_out = at[from].first_out, .next_in = at[to].first_in,
	};
	at[from].first_out = at[to].first_in = edge;
}

int lp_graph_add(struct lp_graph *graph, uint32_t from, uint32_t to, uint32_t tag)
{
	uint32_t a, b;
	int err;

	graph->moved.count = 0;
	if (!from || !to || from == to || from >= graph->vertex.count || to >= graph->vertex.count)
		return -EINVAL;
	if (!graph->edge.count)
		err = lp_vec_extend(&graph->edge, 1);
	else
		err = 0;
	err = err ? err : lp_vec_reserve(&graph->edge, (uint64_t)graph->edge.count + 1);
	a = lp_graph_leader(graph, from);
	b = lp_graph_leader(graph, to);
	if (!err && a != b && rank_of(graph, a) > rank_of(graph, b))
		err = reorder(graph, a, b);
	if (err)
		return err;
	append(graph, from, to, tag);
	return lp_graph_leader(graph, from) == lp_graph_leader(graph, to) ? LP_GRAPH_CYCLE : 0;
}

static void set_distance(struct lp_graph *graph, uint32_t vertex, uint32_t value)
{
	graph->distance.at[vertex] =
		(struct lp_graph_distance){ .stamp = graph->distance_stamp, .value = value };
}

static void next_distance_stamp(struct lp_graph *graph)
{
	if (++graph->distance_stamp)
		return;
	memset(graph->distance.at, 0, graph->distance.count * sizeof(*graph->distance.at));
	graph->distance_stamp = 1;
}

int lp_graph_measure(struct lp_graph *graph, uint32_t target, uint32_t until, uint64_t extra)
{
	uint32_t home = lp_graph_leader(graph, target);
	uint64_t edges = 0;
	bool found = target == until;
	int err;

	next_distance_stamp(graph);
	graph->queue.count = 0;
	set_distance(graph, target, 0);
	err = lp_vec_push(&graph->queue, target);
	for (uint32_t i = 0; !err && i < graph->queue.count; i++) {
		uint32_t v = graph->queue.at[i], d = lp_graph_distance(graph, v);

		for (uint32_t e = graph->vertex.at[v].first_in; e; e = graph->edge.at[e].next_in) {
			uint32_t w = graph->edge.at[e].from;

			if (found && ++edges > extra)
				return 0;
			if (lp_graph_distance(graph, w) != LP_GRAPH_FAR ||
			    lp_graph_leader(graph, w) != home)
				continue;
			set_distance(graph, w, d + 1);
			found = found || w == until;
			err = lp_vec_push(&graph->queue, w);
			if (err)
				return err;
		}
	}
	return err;
}

int lp_graph_shortest_cycle(struct lp_graph *graph, uint32_t edge, struct lp_u32s *cycle)
{
	uint32_t target = graph->edge.at[edge].from, v = graph->edge.at[edge].to;
	int err;

	cycle->count = 0;
	if (!lp_graph_cyclic(graph, edge))
		return 0;
	err = lp_graph_measure(graph, target, v, 0);
	err = err ? err : lp_vec_push(cycle, edge);
	while (!err && v != target) {
		uint32_t e = graph->vertex.at[v].first_out, near = lp_graph_distance(graph, v) - 1;

		while (lp_graph_distance(graph, graph->edge.at[e].to) != near)
			e = graph->edge.at[e].next_out;
		err = lp_vec_push(cycle, e);
		v = graph->edge.at[e].to;
	}
	return err;
}

/* How many members of the component are reached from its leader, along or against edges. */
static uint64_t reach(struct lp_graph *graph, uint32_t leader, bool along)
{
	struct lp_graph_vertex *at = graph->vertex.at;
	uint64_t count = 1;

	next_stamp(graph);
	graph->queue.count = 0;
	if (lp_vec_reserve(&graph->queue, at[leader].size))
		return 0;
	graph->queue.at[graph->queue.count++] = leader;
	at[leader].seen_out = graph->stamp;
	for (uint32_t i = 0; i < graph->queue.count; i++) {
		uint32_t v = graph->queue.at[i], e = along ? at[v].first_out : at[v].first_in;

		for (; e; e = along ? graph->edge.at[e].next_out : graph->edge.at[e].next_in) {
			uint32_t w = along ? graph->edge.at[e].to : graph->edge.at[e].from;

			if (at[w].seen_out == graph->stamp || lp_graph_leader(graph, w) != leader)
				continue;
			at[w].seen_out = graph->stamp;
			graph->queue.at[graph->queue.count++] = w;
			count++;
		}
	}
	return count;
}

static const char *check_component(struct lp_graph *graph, uint32_t leader)
{
	const struct lp_graph_vertex *at = graph->vertex.at;
	uint32_t size = 0, last = 0;

	for (uint32_t v = leader; v; v = at[v].next) {
		if (lp_graph_leader(graph, v) != leader)
			return "a member of a component has another leader";
		last = v;
		if (++size > at[leader].size)
			return "a component has more members than it says";
	}
	if (size != at[leader].size || last != at[leader].last)
		return "the members of a component are not what it says";
	if (size > 1 && (reach(graph, leader, true) != size || reach(graph, leader, false) != size))
		return "a component is not strongly connected";
	return NULL;
}

static const char *check_lists(const struct lp_graph *graph)
{
	uint64_t out = 0, in = 0, edges = graph->edge.count ? graph->edge.count - 1 : 0;

	for (uint32_t v = 1; v < graph->vertex.count; v++) {
		for (uint32_t e = graph->vertex.at[v].first_out; e; e = graph->edge.at[e].next_out)
			if (graph->edge.at[e].from != v || ++out > edges)
				return "an edge is in the wrong list of a vertex' out edges";
		for (uint32_t e = graph->vertex.at[v].first_in; e; e = graph->edge.at[e].next_in)
			if (graph->edge.at[e].to != v || ++in > edges)
				return "an edge is in the wrong list of a vertex' in edges";
	}
	return out == edges && in == edges ? NULL : "an edge is in no list";
}

static const char *check_ranks(struct lp_graph *graph)
{
	uint32_t *owner = calloc((size_t)graph->vertex.count + 1, sizeof(*owner));
	const char *problem = owner ? NULL : "memory is short";

	for (uint32_t v = 1; !problem && v < graph->vertex.count; v++) {
		uint32_t rank = graph->vertex.at[v].rank;

		if (lp_graph_leader(graph, v) != v)
			continue;
		if (!rank || rank >= graph->vertex.count || owner[rank])
			problem = "two components have one rank";
		else
			owner[rank] = v;
	}
	free(owner);
	return problem;
}

const char *lp_graph_check(struct lp_graph *graph)
{
	const char *problem = check_lists(graph);

	if (!problem)
		problem = check_ranks(graph);
	for (uint32_t e = 1; !problem && e < graph->edge.count; e++) {
		uint32_t a = lp_graph_leader(graph, graph->edge.at[e].from);
		uint32_t b = lp_graph_leader(graph, graph->edge.at[e].to);

		if (a != b && rank_of(graph, a) >= rank_of(graph, b))
			problem = "an edge runs against the order";
	}
	for (uint32_t v = 1; !problem && v < graph->vertex.count; v++)
		if (lp_graph_leader(graph, v) == v)
			problem = check_component(graph, v);
	return problem;
}

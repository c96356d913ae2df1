/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_graph.c — the incremental graph against a naive twin, and its directed cases.
 *
 * The twin is a reachability matrix, closed again after each edge. After each step: does the edge
 * close a cycle, which edges are part of one, how long is the shortest cycle, are the moved
 * vertices enough to find the newly cyclic edges, and do the invariants hold?
 *
 * Repeat a failure with LP_SEED=<seed>; LP_STEPS=<n> sets the length.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "engine/graph.h"
#include "random.h"

#define VERTICES_MAX 24u

struct twin {
	uint32_t	vertices;
	bool		reach[VERTICES_MAX + 1][VERTICES_MAX + 1];	/* by one edge or more */
	bool		edge[VERTICES_MAX + 1][VERTICES_MAX + 1];
};

static void twin_add(struct twin *twin, uint32_t from, uint32_t to)
{
	twin->edge[from][to] = true;
	for (uint32_t a = 1; a <= twin->vertices; a++)
		for (uint32_t b = 1; b <= twin->vertices; b++)
			if ((a == from || twin->reach[a][from]) && (b == to || twin->reach[to][b]))
				twin->reach[a][b] = true;
}

/* Edges from a to b on the shortest way, 0 when a == b; VERTICES_MAX + 1: none. */
static uint32_t twin_distance(const struct twin *twin, uint32_t a, uint32_t b)
{
	uint32_t far[VERTICES_MAX + 1];

	for (uint32_t v = 1; v <= twin->vertices; v++)
		far[v] = v == a ? 0 : VERTICES_MAX + 1;
	for (uint32_t round = 0; round < twin->vertices; round++)
		for (uint32_t v = 1; v <= twin->vertices; v++)
			for (uint32_t w = 1; w <= twin->vertices; w++)
				if (twin->edge[v][w] && far[v] + 1 < far[w])
					far[w] = far[v] + 1;
	return far[b];
}

static void check_cycle(struct lp_graph *graph, const struct twin *twin, uint32_t edge)
{
	const struct lp_graph_edge *e = &graph->edge.at[edge];
	uint32_t far = twin_distance(twin, e->to, e->from);
	struct lp_u32s cycle = {0};

	assert_int_equal(lp_graph_shortest_cycle(graph, edge, &cycle), 0);
	assert_int_equal(cycle.count, far <= VERTICES_MAX ? far + 1 : 0);
	for (uint32_t i = 0; i < cycle.count; i++)
		assert_int_equal(graph->edge.at[cycle.at[i]].to,
				 graph->edge.at[cycle.at[(i + 1) % cycle.count]].from);
	if (cycle.count)
		assert_int_equal(cycle.at[0], edge);
	lp_vec_finish(&cycle);
}

/* Every edge: is what the graph says about it true, and was the change announced? */
static void check_edges(struct lp_graph *graph, const struct twin *twin, bool *was_cyclic)
{
	uint32_t newest = graph->edge.count - 1;

	for (uint32_t e = 1; e <= newest; e++) {
		const struct lp_graph_edge *edge = &graph->edge.at[e];
		bool cyclic = twin->reach[edge->to][edge->from], announced = e == newest;

		assert_int_equal(lp_graph_cyclic(graph, e), cyclic);
		for (uint32_t i = 0; i < graph->moved.count; i++)
			announced = announced || graph->moved.at[i] == edge->from ||
				    graph->moved.at[i] == edge->to;
		if (cyclic && !was_cyclic[e])
			assert_true(announced);
		was_cyclic[e] = cyclic;
	}
}

static uint64_t random_graph(uint64_t *seed, uint64_t limit)
{
	struct lp_graph graph = {0};
	struct twin twin = { .vertices = 2 + test_random(seed) % (VERTICES_MAX - 1) };
	uint64_t steps = 1 + test_random(seed) % (twin.vertices * 4), done = 0;
	bool *was_cyclic = calloc(steps + 2, sizeof(*was_cyclic));
	bool sparse = test_random(seed) % 2;

	assert_non_null(was_cyclic);
	if (sparse)
		assert_int_equal(lp_graph_reserve(&graph, twin.vertices), 0);
	for (; done < steps && done < limit; done++) {
		uint32_t a = 1 + test_random(seed) % twin.vertices;
		uint32_t b = 1 + test_random(seed) % twin.vertices;
		bool cycle = twin.reach[b][a];

		assert_int_equal(lp_graph_reserve(&graph, a > b ? a : b), 0);
		if (a == b) {
			assert_int_equal(lp_graph_add(&graph, a, b, 0), -EINVAL);
			continue;
		}
		assert_int_equal(lp_graph_add(&graph, a, b, (uint32_t)done),
				 cycle ? LP_GRAPH_CYCLE : 0);
		twin_add(&twin, a, b);
		assert_null(lp_graph_check(&graph));
		check_edges(&graph, &twin, was_cyclic);
		check_cycle(&graph, &twin, graph.edge.count - 1);
		check_cycle(&graph, &twin, 1 + test_random(seed) % (graph.edge.count - 1));
	}
	free(was_cyclic);
	lp_graph_finish(&graph);
	return done + 1;
}

static void test_twin(void **state)
{
	uint64_t seed = test_seed("test_graph"), steps = test_steps(100000), done = 0;

	while (done < steps)
		done += random_graph(&seed, steps - done);
}

static void test_refusals(void **state)
{
	struct lp_graph graph = {0};

	assert_int_equal(lp_graph_add(&graph, 1, 2, 0), -EINVAL);
	assert_int_equal(lp_graph_reserve(&graph, 2), 0);
	assert_int_equal(lp_graph_add(&graph, 1, 1, 0), -EINVAL);
	assert_int_equal(lp_graph_add(&graph, 0, 1, 0), -EINVAL);
	assert_int_equal(lp_graph_add(&graph, 1, 3, 0), -EINVAL);
	assert_int_equal(lp_graph_add(&graph, 1, 2, 7), 0);
	assert_int_equal(graph.edge.at[graph.edge.count - 1].tag, 7);
	assert_int_equal(lp_graph_add(&graph, 1, 2, 8), 0);
	assert_int_equal(lp_graph_add(&graph, 2, 1, 9), LP_GRAPH_CYCLE);
	assert_null(lp_graph_check(&graph));
	lp_graph_finish(&graph);
}

/* An edge that agrees with the order of its ends but closes a cycle through an older one. */
static void test_second_cycle(void **state)
{
	struct lp_graph graph = {0};

	assert_int_equal(lp_graph_reserve(&graph, 3), 0);
	assert_int_equal(lp_graph_add(&graph, 1, 3, 0), 0);
	assert_int_equal(lp_graph_add(&graph, 3, 1, 0), LP_GRAPH_CYCLE);
	assert_int_equal(lp_graph_add(&graph, 1, 2, 0), 0);
	assert_int_equal(lp_graph_add(&graph, 2, 3, 0), LP_GRAPH_CYCLE);
	assert_true(lp_graph_cyclic(&graph, 3));
	lp_graph_finish(&graph);
}

/* A long ring: one search, one component, a cycle of full length. */
static void test_ring(void **state)
{
	struct lp_graph graph = {0};
	struct lp_u32s cycle = {0};
	uint32_t n = 10000;

	assert_int_equal(lp_graph_reserve(&graph, n), 0);
	for (uint32_t v = 1; v < n; v++)
		assert_int_equal(lp_graph_add(&graph, v, v + 1, 0), 0);
	assert_int_equal(graph.searches, 0);
	assert_int_equal(lp_graph_add(&graph, n, 1, 0), LP_GRAPH_CYCLE);
	assert_int_equal(graph.moved.count, n - 1);
	assert_int_equal(lp_graph_shortest_cycle(&graph, 17, &cycle), 0);
	assert_int_equal(cycle.count, n);
	assert_null(lp_graph_check(&graph));
	lp_vec_finish(&cycle);
	lp_graph_finish(&graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_second_cycle),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_twin),
	};

	return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_graph.c — what an edge costs: agreeing with the order, against it, closing a cycle.
 *
 * The last table is the whole way of a class pair: look-up, graph, walk. One core, CPU time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "engine/order.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint32_t pick(uint64_t *seed, uint32_t n)
{
	return (uint32_t)((lp_hash64(*seed += 0x9e3779b97f4a7c15ULL) >> 16) % n);
}

static void print(const char *what, double count, double seconds)
{
	printf("%-52s %10.0f /s  %8.3f us each\n", what, count / seconds,
	       seconds / count * 1e6);
}

static void must(int result)
{
	if (result >= 0)
		return;
	fprintf(stderr, "bench_graph: memory is short\n");
	exit(1);
}

/* Edges of a random acyclic graph; `known`: vertices are numbered in a topological order. */
static void bench_acyclic(uint32_t vertices, uint32_t edges, bool known)
{
	struct lp_graph graph = {0};
	uint32_t *place = malloc((vertices + 1) * sizeof(*place));
	uint64_t seed = 1;
	double start;
	char what[80];

	must(place ? 0 : -1);
	must(lp_graph_reserve(&graph, vertices));
	for (uint32_t v = 1; v <= vertices; v++)
		place[v] = v;
	for (uint32_t v = vertices; !known && v > 1; v--) {
		uint32_t w = 1 + pick(&seed, v), old = place[v];

		place[v] = place[w];
		place[w] = old;
	}
	start = now();
	for (uint32_t i = 0; i < edges; i++) {
		uint32_t a = 1 + pick(&seed, vertices), b = 1 + pick(&seed, vertices);

		if (a != b)
			must(lp_graph_add(&graph, place[a < b ? a : b], place[a < b ? b : a], 0));
	}
	snprintf(what, sizeof(what), "%s edges, %u vertices, %u edges",
		 known ? "consistent" : "unordered", vertices, edges);
	print(what, edges, now() - start);
	free(place);
	lp_graph_finish(&graph);
}

static int count_cycle(void *context, const uint32_t *pair, uint32_t count)
{
	*(uint64_t *)context += count;
	return 0;
}

/* Pairs as the engine adds them; then inversions one by one, each with its walk. */
static void bench_pairs(uint32_t objects, uint32_t pairs, uint32_t inversions)
{
	struct lp_walk_limits limits = { .steps = 20000, .cycles = 64 };
	double start, *took = calloc(inversions, sizeof(*took));
	struct lp_order order = {0};
	uint64_t seed = 2, length = 0;
	uint32_t pair;
	char what[80];

	must(took ? 0 : -1);
	start = now();
	for (uint32_t i = 0; i < pairs; i++) {
		uint32_t a = 1 + pick(&seed, objects), b = 1 + pick(&seed, objects);

		if (a != b)
			must(lp_order_add(&order, a < b ? a : b, a < b ? b : a, 0, 3, &pair));
	}
	snprintf(what, sizeof(what), "pairs, %u objects, %u pairs", objects, pairs);
	print(what, pairs, now() - start);
	for (uint32_t i = 0; i < inversions; i++) {
		uint32_t a = 1 + pick(&seed, objects - 100), b = a + 1 + pick(&seed, 100);

		start = now();
		must(lp_order_add(&order, b, a, 0, 3, &pair));
		for (uint32_t k = 0; k < order.closing.count; k++)
			must(lp_order_walk(&order, order.closing.at[k], limits, count_cycle,
					   &length));
		order.closing.count = order.heated.count = 0;
		took[i] = now() - start;
	}
	for (uint32_t i = 1; i < inversions; i++)
		for (uint32_t k = i; k && took[k] < took[k - 1]; k--) {
			double higher = took[k - 1];

			took[k - 1] = took[k];
			took[k] = higher;
		}
	printf("%-52s median %.3f ms, worst %.3f ms\n", "an inversion in it: cycles found and walked",
	       took[inversions / 2] * 1e3, took[inversions - 1] * 1e3);
	free(took);
	lp_order_finish(&order);
}

int main(void)
{
	bench_acyclic(1000, 1000000, true);
	bench_acyclic(100000, 1000000, true);
	bench_acyclic(1000, 100000, false);
	bench_acyclic(20000, 40000, false);
	bench_pairs(1000, 1000000, 101);
	bench_pairs(100000, 1000000, 101);
	return 0;
}

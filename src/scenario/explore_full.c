/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_full.c — the definition of a deadlock, applied to the graph of all states: a state from
 * which no path leads to one where the execution on some column has ended. Slow and simple: what
 * explore_stuck.c and explore_reduce.c are held against.
 */
#include <assert.h>
#include <stdlib.h>

#include "scenario/explore_private.h"

static bool grow(void *array, uint64_t *room, uint64_t count, size_t size)
{
	void **at = array, *more;
	uint64_t bigger = *room ? *room * 2 : 256;

	if (count < *room)
		return true;
	more = realloc(*at, bigger * size);
	if (!more)
		return false;
	*at = more;
	*room = bigger;
	return true;
}

bool lp_explored_edge(struct graph *graph, uint32_t from, uint32_t to)
{
	if (!grow(&graph->edges, &graph->edge_room, graph->edge_count, sizeof(*graph->edges)))
		return false;
	graph->edges[graph->edge_count++] = (struct edge){ from, to };
	return true;
}

bool lp_explored_state(struct graph *graph, uint32_t index, bool stuck)
{
	if (!grow(&graph->stuck, &graph->stuck_room, index, 1))
		return false;
	graph->stuck[index] = stuck;
	return true;
}

void lp_explored_finish(struct graph *graph)
{
	free(graph->edges);
	free(graph->stuck);
	free(graph->first);
	free(graph->from);
	free(graph->seen);
	free(graph->todo);
}

/* Edges by where they lead to. */
static bool turn_round(struct graph *graph, uint32_t states)
{
	graph->first = calloc(states + 2ull, sizeof(*graph->first));
	graph->from = malloc((graph->edge_count + 1) * sizeof(*graph->from));
	graph->seen = malloc(states + 1ull);
	graph->todo = malloc((states + 1ull) * sizeof(*graph->todo));
	if (!graph->first || !graph->from || !graph->seen || !graph->todo)
		return false;
	for (uint64_t i = 0; i < graph->edge_count; i++)
		graph->first[graph->edges[i].to + 1]++;
	for (uint32_t s = 0; s < states; s++)
		graph->first[s + 1] += graph->first[s];
	for (uint64_t i = graph->edge_count; i-- > 0;) {
		/* first[] moves down to where its part begins */
		graph->from[--graph->first[graph->edges[i].to + 1]] = graph->edges[i].from;
	}
	return true;
}

static uint64_t end_of(const struct graph *graph, uint32_t s, uint32_t states)
{
	return s + 1 < states ? graph->first[s + 2] : graph->edge_count;
}

/* seen[s]: from state s column c can come to its end. */
static void find_ends(struct graph *graph, const struct machine *m, const struct store *store,
		      uint32_t c)
{
	uint32_t todo = 0;

	for (uint32_t s = 0; s < store->count; s++) {
		graph->seen[s] = !load_pc(m, store_state(store, s) + m->columns[c].frames);
		if (graph->seen[s])
			graph->todo[todo++] = s;
	}
	while (todo) {
		uint32_t s = graph->todo[--todo];

		for (uint64_t i = graph->first[s + 1]; i < end_of(graph, s, store->count); i++) {
			if (graph->seen[graph->from[i]])
				continue;
			graph->seen[graph->from[i]] = 1;
			graph->todo[todo++] = graph->from[i];
		}
	}
}

enum lp_verdict lp_explored_judge(struct graph *graph, const struct machine *m,
			       const struct store *store, uint32_t *last)
{
	uint32_t doomed = UINT32_MAX, seen_stuck = UINT32_MAX;
	uint8_t *is_doomed = calloc(store->count + 1ull, 1);

	if (!is_doomed || !turn_round(graph, store->count)) {
		free(is_doomed);
		return LP_VERDICT_NO_MEMORY;
	}
	for (uint32_t c = 0; c < m->column_count; c++) {
		find_ends(graph, m, store, c);
		for (uint32_t s = 0; s < store->count; s++)
			is_doomed[s] |= !graph->seen[s];
	}
	for (uint32_t s = store->count; s-- > 0;) {
		/* lp_x_stuck() may be late, never wrong. */
		assert(!graph->stuck[s] || is_doomed[s]);
		doomed = is_doomed[s] ? s : doomed;
		seen_stuck = graph->stuck[s] ? s : seen_stuck;
	}
	free(is_doomed);
	if (doomed == UINT32_MAX)
		return LP_VERDICT_FREE;
	*last = seen_stuck != UINT32_MAX ? seen_stuck : doomed;
	return LP_VERDICT_DEADLOCK;
}

void lp_explored_stuck(struct graph *graph, struct machine *m, const struct store *store,
		    uint32_t state)
{
	for (uint32_t c = 0; c < m->column_count; c++) {
		find_ends(graph, m, store, c);
		m->stuck[c] = !graph->seen[state];
	}
}

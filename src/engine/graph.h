/* SPDX-License-Identifier: Apache-2.0 */
/*
 * graph.h — a directed graph that always knows its cycles.
 *
 * Vertices are small numbers from 1, edges are never removed. The graph keeps its strongly
 * connected components and a topological order of them while edges arrive, so that an edge is
 * known to close a cycle at the moment it is added. The idea is the algorithm of Pearce and Kelly
 * ("A Dynamic Topological Sort Algorithm for Directed Acyclic Graphs", 2006): an edge against the
 * order makes a search of the affected region, the ranks between its ends, and only that is put
 * in order again. Theirs refuses a cycle; here the components along it become one, its edges lie
 * inside that component, outside the order, and the graph goes on.
 *
 * Cost: an edge that agrees with the order, or lies inside a component, O(1); any other, the
 * affected region (vertices and edges) and sorting its components. Merging is small to large.
 * Memory: 36 bytes a vertex, 20 an edge, in growing arrays; no limit but 2^32 - 1.
 * Refuses: edges from a vertex to itself and unknown vertices (-EINVAL). Parallel edges are kept
 * as they are: whoever does not want them looks first.
 * Invariants: lp_graph_check().
 */
#ifndef LP_ENGINE_GRAPH_H
#define LP_ENGINE_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/vec.h"

#define LP_GRAPH_CYCLE		1	/* lp_graph_add: the new edge is part of a cycle */
#define LP_GRAPH_FAR		UINT32_MAX

struct lp_graph_edge {
	uint32_t	from, to;
	uint32_t	next_out, next_in;	/* edges of the same vertex; 0: last */
	uint32_t	tag;			/* the caller's */
};

struct lp_graph_vertex {
	uint32_t	first_out, first_in;	/* edges; 0: none */
	uint32_t	leader;			/* towards the leader of its component */
	uint32_t	next;			/* next member of the component; 0: last */
	uint32_t	last;			/* of a leader: last member, ... */
	uint32_t	size;			/* ... how many there are, ... */
	uint32_t	rank;			/* ... and the component's place in the order */
	uint32_t	seen_out, seen_in;	/* stamps of searches along and against edges */
};

struct lp_graph_distance {
	uint32_t	stamp, value;
};

struct lp_graph {
	struct { struct lp_graph_vertex *at; uint32_t count, room; } vertex;
	struct { struct lp_graph_edge *at; uint32_t count, room; } edge;
	struct { struct lp_graph_distance *at; uint32_t count, room; } distance;
	struct lp_u32s	moved;		/* by the last add: see there */
	struct lp_u64s	after, before;	/* affected region: rank and leader */
	struct lp_u64s	ranks;
	struct lp_u32s	queue;
	uint32_t	stamp, distance_stamp;
	uint64_t	searches;	/* of an affected region */
};

/* A zeroed struct is an empty graph. */
void lp_graph_finish(struct lp_graph *graph);

/* Make vertices 1 to `count` exist; new ones come last in the order. 0 or -ENOMEM. */
int lp_graph_reserve(struct lp_graph *graph, uint32_t count);

/*
 * Add an edge; its number is graph->edge.count - 1 afterwards. Returns 0, LP_GRAPH_CYCLE when it
 * is part of a cycle, -EINVAL, or -ENOMEM with the graph unchanged. graph->moved then has every
 * vertex whose component was taken over by a larger one: all edges that have just become part of
 * a cycle touch one of these vertices, or are the new edge.
 */
int lp_graph_add(struct lp_graph *graph, uint32_t from, uint32_t to, uint32_t tag);

/* The leader of a vertex' component. Practically O(1). */
uint32_t lp_graph_leader(struct lp_graph *graph, uint32_t vertex);

/* Is this edge part of a cycle? */
bool lp_graph_cyclic(struct lp_graph *graph, uint32_t edge);

/*
 * Measure how many edges lie between vertices of one component and `target`: breadth first,
 * against the edges, until `until` is reached and then for `extra` more edges. 0 or -ENOMEM.
 */
int lp_graph_measure(struct lp_graph *graph, uint32_t target, uint32_t until, uint64_t extra);

/* The distance last measured; LP_GRAPH_FAR when the search did not get there. */
static inline uint32_t lp_graph_distance(const struct lp_graph *graph, uint32_t vertex)
{
	const struct lp_graph_distance *d = &graph->distance.at[vertex];

	return d->stamp == graph->distance_stamp ? d->value : LP_GRAPH_FAR;
}

/*
 * A shortest cycle through an edge: its edges in order into `cycle`, the given one first; empty
 * when there is none. O(size of the component). 0 or -ENOMEM.
 */
int lp_graph_shortest_cycle(struct lp_graph *graph, uint32_t edge, struct lp_u32s *cycle);

/*
 * Check every invariant: lists agree with edges, components are what they should be, the order is
 * topological. O(vertices + edges), for tests. NULL or what is wrong.
 */
const char *lp_graph_check(struct lp_graph *graph);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order.h — which object is taken while which is held, and the strong cycles in that.
 *
 * Objects are classes or lock instances, numbered from 1. A pair (from, to) says that `to` was
 * acquired while `from` was held, in the kinds seen: was `from` held exclusively, and did the
 * acquisition of `to` wait for readers too (anything but a recursive read)?
 *
 * A chain of pairs can block only where it is strong: whoever waits for an object as a recursive
 * reader is stopped by a writer alone, so a pair that ends in a recursive read must not be
 * followed by one that begins with a shared hold. To make that plain reachability, each object
 * is two vertices of the graph: 2 * object (not entered by a recursive read) and 2 * object + 1
 * (entered by one); pairs with a shared hold leave the first only. The second gets its edges when
 * the first recursive read arrives: most objects never need them.
 */
#ifndef LP_ENGINE_ORDER_H
#define LP_ENGINE_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/graph.h"
#include "engine/map.h"

/* Kinds of a pair, as numbers from 0 to 3. */
#define LP_KIND_EXCLUSIVE	1u	/* the first is held exclusively */
#define LP_KIND_FULL		2u	/* the second is not a recursive read */
#define LP_KIND_COUNT		4u

/* May a pair of kind `next` follow one of kind `kind`? */
static inline bool lp_kind_strong(unsigned kind, unsigned next)
{
	return (kind & LP_KIND_FULL) || (next & LP_KIND_EXCLUSIVE);
}

struct lp_pair {
	uint32_t	from, to;
	uint8_t		kinds;		/* set of 1 << kind */
	uint8_t		hot;		/* enum lp_heat */
};

enum lp_heat {
	LP_COLD,
	LP_HOT,		/* part of a strong cycle, or from == to */
	LP_HEATING	/* likewise; for the caller, while it attends to order->heated */
};

struct lp_order {
	/*
	 * Objects are sets of locks, so a pair of an object with itself leads from one lock to
	 * another: who enters by a recursive read may leave as if not. Such pairs are hot at once.
	 */
	bool		nests;
	struct lp_graph	graph;		/* edges are tagged with their pair */
	struct { struct lp_pair *at; uint32_t count, room; } pair;	/* from 1 */
	struct lp_map	index;		/* from, to, sort */
	struct { uint8_t *at; uint32_t count, room; } entered;	/* by a recursive read */
	struct lp_u32s	heated;		/* pairs that became hot; the caller empties it */
	struct lp_u32s	closing;	/* edges that closed a cycle; the caller empties it */
	/* walking cycles */
	struct lp_u32s	path, next, pairs, passed;
	uint32_t	stamp;
	uint64_t	walks;
};

/* A zeroed struct is an empty order. */
void lp_order_finish(struct lp_order *order);

/*
 * The pair, 0 when there is none. O(1). Pairs of the same objects but another `sort` are other
 * pairs: where one lock is known by several subclasses, what leads where is told apart.
 */
uint32_t lp_order_find(const struct lp_order *order, uint32_t from, uint32_t to, uint32_t sort);

/*
 * Note a pair in a kind (again); its number into *pair. Costs what lp_graph_add costs for what is
 * new. 1 when pair and kind are new, 0 when not, or -ENOMEM: then the order is incomplete and
 * must be built anew.
 */
int lp_order_add(struct lp_order *order, uint32_t from, uint32_t to, uint32_t sort, unsigned kind,
		 uint32_t *pair);

/*
 * Two objects that share their locks (a class and its subclasses): what leads to one leads to the
 * other, so a cycle over both makes its pairs hot; but it is no cycle of objects, and never walked.
 * 0 or -ENOMEM.
 */
int lp_order_alias(struct lp_order *order, uint32_t a, uint32_t b);

#define LP_WALK_FIRST	64u

/* How much walking is worth it. */
struct lp_walk_limits {
	uint32_t	steps;		/* edges looked at for more than the shortest */
	uint32_t	cycles;
};

/* Gets the pairs of a cycle in order; anything but 0 ends the walk and is its result. */
typedef int lp_walk_fn(void *context, const uint32_t *pair, uint32_t count);

/*
 * Walk the strong cycles through an edge of the graph that pass no object twice, shortest first.
 * The shortest is found as a rule (LP_WALK_FIRST times the steps), others as the limits
 * allow. 0, -ENOMEM or what `fn` said.
 */
int lp_order_walk(struct lp_order *order, uint32_t edge, struct lp_walk_limits limits,
		  lp_walk_fn *fn, void *context);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocked.c — cycles in who waits for whom; see blocked.h.
 *
 * The graph's vertices are ways of waiting for a lock (process, lock, how); an edge leads from one
 * to another for each thread that holds the first lock, in the way, and waits for the second. So
 * ten thousand threads that wait for one lock are one vertex, and each held entry is looked at
 * at most once per way of waiting. A depth-first search that meets a vertex of its own path has
 * found a cycle.
 */
#include "cli/blocked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "facts/vec.h"

#define ADDRESS_BITS	(~(uint64_t)3)	/* the runtime keeps flags in the low bits */

/* How a thread waits; sorts in this order. */
enum way { WAY_WRITE, WAY_READ, WAY_READ_PAST_WRITERS };

struct place {
	uint32_t	pid;
	uint64_t	lock;
};

/* What a thread looked like, by its index in the model. */
struct seen {
	uint64_t	key, acquisitions, lock;
	uint64_t	since_ms;
	uint32_t	held_count;
	uint32_t	looks;
	uint32_t	round;		/* of the last look; 0: never */
};

struct waiter {
	struct place	place;
	enum way	way;
	uint32_t	thread, tid, node;
	uint32_t	first, count;	/* held[]: what it holds for sure */
	uint32_t	vertex;
};

struct held {
	struct place	place;
	uint32_t	waiter;		/* waiters[] */
	uint32_t	node;
	uint8_t		mode;
};

enum color { WHITE, GREY, BLACK };

struct vertex {
	struct place	place;
	enum way	way;
	enum color	color;
	uint32_t	depth;		/* on the path, when grey */
	uint32_t	next, end;	/* held[]: still to look at */
};

struct lp_blocked {
	uint32_t	looks;
	uint64_t	span_ms;
	uint32_t	round;
	uint64_t	now_ms;
	LP_VEC(struct seen) seen;
	LP_VEC(struct waiter) waiters;
	LP_VEC(struct held) held;
	LP_VEC(struct vertex) vertices;
	LP_VEC(uint32_t) path;		/* vertices[] */
	LP_VEC(uint32_t) via;		/* held[] that led from path[i] on */
	LP_VEC(struct lp_blocked_thread) cycle;
};

struct lp_blocked *lp_blocked_create(uint32_t looks, uint64_t span_ms)
{
	struct lp_blocked *blocked = calloc(1, sizeof(*blocked));

	if (blocked) {
		blocked->looks = looks;
		blocked->span_ms = span_ms;
	}
	return blocked;
}

void lp_blocked_destroy(struct lp_blocked *blocked)
{
	if (!blocked)
		return;
	lp_vec_finish(&blocked->seen);
	lp_vec_finish(&blocked->waiters);
	lp_vec_finish(&blocked->held);
	lp_vec_finish(&blocked->vertices);
	lp_vec_finish(&blocked->path);
	lp_vec_finish(&blocked->via);
	lp_vec_finish(&blocked->cycle);
	free(blocked);
}

void lp_blocked_begin(struct lp_blocked *blocked, uint64_t now_ms)
{
	blocked->round++;
	blocked->now_ms = now_ms;
	blocked->waiters.count = 0;
	blocked->held.count = 0;
}

static struct seen *seen_at(struct lp_blocked *blocked, uint32_t thread)
{
	uint32_t missing = thread < blocked->seen.count ? 0 : thread - blocked->seen.count + 1;

	if (!lp_vec_room(&blocked->seen, missing))
		return NULL;
	memset(blocked->seen.at + blocked->seen.count, 0, missing * sizeof(*blocked->seen.at));
	blocked->seen.count += missing;
	return &blocked->seen.at[thread];
}

static bool is_same(const struct seen *seen, const struct lp_live_thread *live, uint64_t lock)
{
	return seen->key == live->key && seen->acquisitions == live->acquisitions &&
	       seen->lock == lock && seen->held_count == live->held_count;
}

/* Has the thread been like this long enough? Remembers how it is. */
static bool is_stable(struct lp_blocked *blocked, struct seen *seen,
		      const struct lp_live_thread *live, uint64_t lock)
{
	if (seen->round + 1 != blocked->round || !is_same(seen, live, lock))
		*seen = (struct seen){ .key = live->key, .acquisitions = live->acquisitions,
				       .lock = lock, .held_count = live->held_count,
				       .since_ms = blocked->now_ms };
	seen->round = blocked->round;
	seen->looks++;
	return seen->looks >= blocked->looks &&
	       blocked->now_ms - seen->since_ms >= blocked->span_ms;
}

static enum way way_of(const struct lp_live_held *top)
{
	if (top->mode == LP_WRITE)
		return WAY_WRITE;
	return top->mode == LP_READ && !(top->flags & LP_PREFER) ? WAY_READ
								 : WAY_READ_PAST_WRITERS;
}

static int add_waiter(struct lp_blocked *blocked, const struct lp_live_thread *live, uint64_t lock)
{
	const struct lp_live_held *top = &live->held[live->held_count - 1];
	struct waiter waiter = { .place = { live->pid, lock }, .way = way_of(top),
				 .thread = live->thread, .tid = live->tid, .node = top->node,
				 .first = blocked->held.count, .count = live->held_count - 1 };

	if (!lp_vec_room(&blocked->waiters, 1) || !lp_vec_room(&blocked->held, waiter.count + 1))
		return -ENOMEM;
	for (uint32_t i = 0; i < waiter.count; i++)
		lp_vec_push(&blocked->held,
			    ((struct held){ .place = { live->pid,
						       live->held[i].lock & ADDRESS_BITS },
					    .node = live->held[i].node,
					    .mode = live->held[i].mode }));
	lp_vec_push(&blocked->waiters, waiter);
	return 0;
}

int lp_blocked_see(struct lp_blocked *blocked, const struct lp_live_thread *live)
{
	const struct lp_live_held *top;
	struct seen *seen;
	uint64_t lock;

	if (!live->held_count || live->lossy ||
	    (live->wait != LP_WAIT_NONE && live->wait != LP_WAIT_LOCK))
		return 0;
	top = &live->held[live->held_count - 1];
	lock = top->lock & ADDRESS_BITS;
	if (!lock || top->flags & (LP_TRY | LP_TIMED))
		return 0;
	seen = seen_at(blocked, live->thread);
	if (!seen)
		return -ENOMEM;
	return is_stable(blocked, seen, live, lock) ? add_waiter(blocked, live, lock) : 0;
}

static int compare_places(const struct place *a, const struct place *b)
{
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->lock > b->lock) - (a->lock < b->lock);
}

static int compare_waiters(const void *left, const void *right)
{
	const struct waiter *a = left, *b = right;
	int order = compare_places(&a->place, &b->place);

	return order ? order : (int)a->way - (int)b->way;
}

static int compare_held(const void *left, const void *right)
{
	const struct held *a = left, *b = right;
	int order = compare_places(&a->place, &b->place);

	/* the same order whatever qsort does with equals */
	return order ? order : (a->waiter > b->waiter) - (a->waiter < b->waiter);
}

/* Waiters in order, one vertex for those that wait alike. */
static int make_vertices(struct lp_blocked *blocked)
{
	blocked->vertices.count = 0;
	if (!lp_vec_room(&blocked->vertices, blocked->waiters.count + 1))
		return -ENOMEM;
	qsort(blocked->waiters.at, blocked->waiters.count, sizeof(*blocked->waiters.at),
	      compare_waiters);
	for (uint32_t i = 0; i < blocked->waiters.count; i++) {
		struct waiter *waiter = &blocked->waiters.at[i];

		if (!i || compare_waiters(waiter - 1, waiter))
			lp_vec_push(&blocked->vertices,
				    ((struct vertex){ .place = waiter->place,
						      .way = waiter->way }));
		waiter->vertex = blocked->vertices.count - 1;
		for (uint32_t k = 0; k < waiter->count; k++)
			blocked->held.at[waiter->first + k].waiter = i;
	}
	return 0;
}

/* Index of the first held entry that is not before the place. */
static uint32_t find_held(const struct lp_blocked *blocked, const struct place *place)
{
	uint32_t low = 0, high = blocked->held.count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (compare_places(&blocked->held.at[middle].place, place) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Does somebody wait to write where this one waits to read? Writers sort right before readers. */
static bool is_behind_writer(const struct lp_blocked *blocked, const struct vertex *vertex)
{
	const struct vertex *before = vertex - 1;

	return vertex->way == WAY_READ && vertex > blocked->vertices.at &&
	       before->way == WAY_WRITE && !compare_places(&before->place, &vertex->place);
}

static bool excludes(const struct lp_blocked *blocked, const struct held *held,
		     const struct vertex *vertex)
{
	return held->mode == LP_WRITE || vertex->way == WAY_WRITE ||
	       is_behind_writer(blocked, vertex);
}

static int enter(struct lp_blocked *blocked, uint32_t index)
{
	struct vertex *vertex = &blocked->vertices.at[index];

	if (!lp_vec_room(&blocked->path, 1) || !lp_vec_room(&blocked->via, 1))
		return -ENOMEM;
	vertex->color = GREY;
	vertex->depth = blocked->path.count;
	vertex->next = find_held(blocked, &vertex->place);
	lp_vec_push(&blocked->path, index);
	lp_vec_push(&blocked->via, 0);
	return 0;
}

/* The next thread that the path's last vertex waits for; NULL: there is no other. */
static const struct held *next_holder(struct lp_blocked *blocked, struct vertex *vertex)
{
	while (vertex->next < blocked->held.count) {
		const struct held *held = &blocked->held.at[vertex->next];

		if (compare_places(&held->place, &vertex->place))
			break;
		vertex->next++;
		if (excludes(blocked, held, vertex))
			return held;
	}
	return NULL;
}

/* The path from `depth` on comes back to its start: tell. */
static int report(struct lp_blocked *blocked, uint32_t depth, lp_blocked_fn *found, void *context)
{
	blocked->cycle.count = 0;
	if (!lp_vec_room(&blocked->cycle, blocked->path.count - depth))
		return -ENOMEM;
	for (uint32_t i = depth; i < blocked->path.count; i++) {
		const struct held *held = &blocked->held.at[blocked->via.at[i]];
		const struct waiter *waiter = &blocked->waiters.at[held->waiter];

		lp_vec_push(&blocked->cycle,
			    ((struct lp_blocked_thread){
				    waiter->thread, waiter->place.pid, waiter->tid, held->node,
				    waiter->node, waiter->place.lock }));
	}
	found(context, blocked->cycle.at, blocked->cycle.count);
	return 0;
}

static int search(struct lp_blocked *blocked, uint32_t start, lp_blocked_fn *found, void *context)
{
	int error = enter(blocked, start);

	while (!error && blocked->path.count) {
		uint32_t last = blocked->path.count - 1;
		struct vertex *vertex = &blocked->vertices.at[blocked->path.at[last]];
		const struct held *held = next_holder(blocked, vertex);
		uint32_t to;

		if (!held) {
			vertex->color = BLACK;
			blocked->path.count = blocked->via.count = last;
			continue;
		}
		blocked->via.at[last] = (uint32_t)(held - blocked->held.at);
		to = blocked->waiters.at[held->waiter].vertex;
		if (blocked->vertices.at[to].color == GREY)
			error = report(blocked, blocked->vertices.at[to].depth, found, context);
		else if (blocked->vertices.at[to].color == WHITE)
			error = enter(blocked, to);
	}
	blocked->path.count = blocked->via.count = 0;
	return error;
}

int lp_blocked_judge(struct lp_blocked *blocked, lp_blocked_fn *found, void *context)
{
	int error = blocked->held.count ? make_vertices(blocked) : 0;

	if (error || !blocked->held.count)
		return error;
	qsort(blocked->held.at, blocked->held.count, sizeof(*blocked->held.at), compare_held);
	for (uint32_t i = 0; i < blocked->vertices.count && !error; i++)
		if (blocked->vertices.at[i].color == WHITE)
			error = search(blocked, i, found, context);
	return error;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * twin.c — the engine's judgement, made the slow and obvious way.
 *
 * Written from the rules, in their words. Objects are classes and, after them, contexts; instances
 * are locks and contexts, one each in every process.
 */
#include "twin.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/engine.h"
#include "engine/state.h"	/* for the names of findings, lp_findings_id(), and limits */

#define OBJECTS		24u
#define INSTANCES	48u
#define ENTRIES		384u
#define FOUND		512u
#define CYCLES		LP_WALK_CYCLES	/* of objects or of instances; more is not compared */
#define LONGEST		16u
#define WITNESSES	128u
#define THREADS		24u

/* From bad to worse; the reason of each. */
enum stage {
	NONE, UNSEEN, PROCESSES, INSTANCES_DIFFER, SAME_CLASS, TIMED, READERS, ONE_THREAD, ONCE,
	ORDERED, GATE, FEASIBLE
};

static const enum lp_reason reasons[] = {
	[UNSEEN] = LP_REASON_UNSEEN, [PROCESSES] = LP_REASON_PROCESSES,
	[INSTANCES_DIFFER] = LP_REASON_INSTANCES, [SAME_CLASS] = LP_REASON_SAME_CLASS,
	[TIMED] = LP_REASON_TIMED, [READERS] = LP_REASON_READERS,
	[ONE_THREAD] = LP_REASON_ONE_THREAD, [ONCE] = LP_REASON_ONCE,
	[ORDERED] = LP_REASON_ORDERED, [GATE] = LP_REASON_GATE,
	[FEASIBLE] = LP_REASON_CONCURRENT,
};

struct instance {
	uint32_t	process;
	uint32_t	fine;		/* of a static object ... */
	uint64_t	serial;		/* ... or of another lock ... */
	uint32_t	context;	/* ... or of no lock */
};

/* Who did something: `held` below its own lock, and its own as well when `has_own`. */
struct party {
	uint32_t	witness;
	bool		has_own;
	bool		strikes;	/* an interrupt, on whatever thread it strikes */
};

/* From one object to another, as one witness shows it. */
struct entry {
	struct party	party;
	uint32_t	held, wanted;	/* nodes; 0: that end is a context */
	uint32_t	from, to;	/* objects */
	uint32_t	from_lock, to_lock;	/* instances; 0: unknown */
	uint32_t	process;
	unsigned	kind;
};

struct found {
	enum lp_finding_kind kind;
	enum stage	stage;
	uint32_t	count;
	uint32_t	from[LONGEST], to[LONGEST];
};

struct wait {
	uint32_t	wanted, class, context;	/* forbids it: one of the two */
};

static struct twin {
	const struct lp_model *m;
	bool		too_much;
	uint32_t	objects;
	struct instance	instance[INSTANCES];
	uint32_t	instances;
	struct entry	entry[ENTRIES];
	uint32_t	entries;
	uint8_t		kinds[OBJECTS][OBJECTS];	/* sets of 1 << kind, of all nodes */
	bool		loud[OBJECTS][OBJECTS];
	bool		joined[INSTANCES][INSTANCES];	/* an entry leads from one to the other */
	struct found	found[FOUND];
	uint32_t	founds;
	struct wait	wait[FOUND];
	uint32_t	waits;
	uint32_t	cycles;
	/* answers known already: stage + 1 */
	uint8_t		two[ENTRIES][ENTRIES], agent[ENTRIES][ENTRIES];
	/* the walk */
	uint32_t	path[LONGEST], length;
	uint32_t	from[LONGEST], to[LONGEST];	/* the objects for each step of it */
	uint32_t	chosen[LONGEST];
	enum stage	best;
} the_twin;

/* Use no more than needed of the big arrays: they are reset for each judgement. */
static void reset(struct twin *t, const struct lp_model *model)
{
	for (uint32_t i = 0; i < t->entries; i++) {
		memset(t->two[i], 0, t->entries);
		memset(t->agent[i], 0, t->entries);
	}
	memset(t->kinds, 0, sizeof(t->kinds));
	memset(t->loud, 0, sizeof(t->loud));
	memset(t->joined, 0, sizeof(t->joined));
	t->m = model;
	t->too_much = false;
	t->objects = model->classes.count + model->contexts.count;
	t->instances = t->entries = t->founds = t->waits = t->cycles = 0;
	assert(t->objects <= OBJECTS && model->threads.count <= THREADS);
}

static const struct lp_model_node *node_at(const struct twin *t, uint32_t node)
{
	return &t->m->nodes.at[node];
}

static const struct lp_model_fine *fine_of(const struct twin *t, uint32_t node)
{
	return &t->m->fines.at[node_at(t, node)->fine];
}

static uint32_t class_of(const struct twin *t, uint32_t node)
{
	return fine_of(t, node)->class_index;
}

static uint32_t base_fine(const struct twin *t, uint32_t node)
{
	return fine_of(t, node)->base ? fine_of(t, node)->base : node_at(t, node)->fine;
}

/* Subclasses are of one class with what they are a subclass of, where the locks are asked for. */
static bool same_locks(const struct twin *t, uint32_t a, uint32_t b)
{
	return t->m->fines.at[base_fine(t, a)].class_index ==
	       t->m->fines.at[base_fine(t, b)].class_index;
}

static uint32_t object_of(const struct twin *t, uint32_t context)
{
	return t->m->classes.count + context;
}

static bool is_context(const struct twin *t, uint32_t object)
{
	return object > t->m->classes.count;
}

static bool reads(const struct twin *t, uint32_t node)
{
	return node_at(t, node)->mode != LP_WRITE;
}

static bool passes(const struct twin *t, uint32_t node)
{
	return node_at(t, node)->mode == LP_READ_RECURSIVE ||
	       (node_at(t, node)->mode == LP_READ && (node_at(t, node)->flags & LP_PREFER));
}

static bool has_flag(const struct twin *t, uint32_t node, unsigned flags)
{
	return node_at(t, node)->flags & flags;
}

static bool validated(const struct twin *t, uint32_t node)
{
	return !(fine_of(t, node)->flags & (LP_CLASS_NOVALIDATE | LP_CLASS_SHOWN));
}

static bool per_cpu(const struct twin *t, uint32_t node)
{
	return fine_of(t, node)->kind == LP_LOCK_K_LOCAL_LOCK;
}

static bool is_fork(const struct twin *t, uint32_t context)
{
	return context && t->m->contexts.at[context].kind == LP_CONTEXT_FORK;
}

/* A child has locks of its own: what it takes matters only against what it has a copy of. */
static bool in_child(const struct twin *t, uint32_t node)
{
	return is_fork(t, t->m->states.at[node_at(t, node)->state].context);
}

static uint32_t process_of(const struct twin *t, uint32_t witness)
{
	return t->m->threads.at[t->m->witnesses.at[witness].thread].process;
}

static uint32_t find_instance(struct twin *t, struct instance wanted)
{
	for (uint32_t i = 1; i <= t->instances; i++) {
		const struct instance *have = &t->instance[i];

		if (have->process == wanted.process && have->fine == wanted.fine &&
		    have->serial == wanted.serial && have->context == wanted.context)
			return i;
	}
	assert(t->instances + 1 < INSTANCES);
	t->instance[++t->instances] = wanted;
	return t->instances;
}

/* The lock of a node, `up` below the witness' own. A static object is one lock, known or not. */
static uint32_t lock_of(struct twin *t, uint32_t witness, uint32_t up, uint32_t node)
{
	struct instance lock = {
		.process = process_of(t, witness),
		.serial = t->m->witnesses.at[witness].serial[up],
	};

	if (t->m->fines.at[base_fine(t, node)].object.module) {
		lock.fine = base_fine(t, node);
		lock.serial = 0;
	} else if (!lock.serial) {
		return 0;
	}
	return find_instance(t, lock);
}

static uint32_t context_in(struct twin *t, uint32_t process, uint32_t context)
{
	return find_instance(t, (struct instance){ .process = process, .context = context });
}

static bool relock_returns(const struct twin *t, uint32_t held, uint32_t wanted)
{
	enum lp_lock_kind kind = fine_of(t, wanted)->kind;

	return kind == LP_LOCK_RECURSIVE || kind == LP_LOCK_ERRORCHECK ||
	       (reads(t, held) && passes(t, wanted));
}

/* With witness 0: could it be so? */
static bool own_lock_again(struct twin *t, uint32_t node, uint32_t witness)
{
	uint32_t up = 1;

	for (uint32_t h = node_at(t, node)->parent; h; h = node_at(t, h)->parent, up++) {
		uint32_t a, b;

		if (!same_locks(t, h, node) || !relock_returns(t, h, node))
			continue;
		if (!witness)
			return true;
		a = lock_of(t, witness, 0, node);
		b = lock_of(t, witness, up, h);
		if (!a || !b || a == b)
			return true;
	}
	return false;
}

static unsigned kind_of(const struct twin *t, uint32_t held, uint32_t wanted)
{
	return (reads(t, held) ? 0 : 1) | (node_at(t, wanted)->mode == LP_READ_RECURSIVE ? 0 : 2);
}

static bool strong(unsigned kind, unsigned next)
{
	return (kind & 2) || (next & 1);
}

/* Was `held` taken inside of a lock that `node` is said to be nested in? */
static bool nested(const struct twin *t, uint32_t node, uint32_t held)
{
	uint32_t lock = node_at(t, node)->nest_lock;

	if (!node_at(t, node)->nest)
		return false;
	for (uint32_t h = node_at(t, held)->parent; h; h = node_at(t, h)->parent)
		if (node_at(t, h)->fine == node_at(t, node)->nest &&
		    (!lock || !node_at(t, h)->lock || node_at(t, h)->lock == lock))
			return true;
	return false;
}

static bool in_order(const struct twin *t, uint32_t held, uint32_t wanted)
{
	const struct lp_model_node *h = node_at(t, held), *w = node_at(t, wanted);

	return (fine_of(t, wanted)->flags & LP_CLASS_ORDERED) && h->lock && w->lock &&
	       t->m->locks.at[h->lock].rank < t->m->locks.at[w->lock].rank;
}

static void add_entry(struct twin *t, struct entry e)
{
	if (t->entries == ENTRIES) {
		t->too_much = true;
		return;
	}
	t->entry[t->entries++] = e;
}

static void add_pair(struct twin *t, uint32_t from, uint32_t to, unsigned kind, bool loud)
{
	t->kinds[from][to] |= (uint8_t)(1u << kind);
	t->loud[from][to] |= loud;
}

/* The witness holds the node's lock already, in a way that keeps it from having it again. */
static bool never_had(struct twin *t, uint32_t node, uint32_t witness)
{
	uint32_t lock = lock_of(t, witness, 0, node), up = 1;

	for (uint32_t h = node_at(t, node)->parent; lock && h; h = node_at(t, h)->parent, up++)
		if (lock_of(t, witness, up, h) == lock && !relock_returns(t, h, node) &&
		    !(reads(t, h) && reads(t, node)))
			return true;
	return false;
}

/*
 * The lock of `held` is held in `state` (`up` below the witness' own; witness 0: only a node says
 * so): an order to all that can strike.
 */
static void add_holds(struct twin *t, uint32_t state, uint32_t held, uint32_t witness, uint32_t up)
{
	const struct lp_model_state *s = &t->m->states.at[state];
	unsigned kind = 2 | (reads(t, held) ? 0 : 1);

	if (!validated(t, held) || has_flag(t, held, LP_SYNC))
		return;
	for (uint32_t i = 0; i < s->on_count; i++) {
		uint32_t context = s->context_index[s->in_count + i];

		add_pair(t, class_of(t, held), object_of(t, context), kind, !is_fork(t, context));
		if (!witness)
			continue;
		add_entry(t, (struct entry){
			.party = { .witness = witness, .has_own = up == 0 }, .held = held,
			.from = class_of(t, held), .to = object_of(t, context),
			.from_lock = up == 0 && never_had(t, held, witness) ? 0 :
				     lock_of(t, witness, up, held),
			.to_lock = context_in(t, process_of(t, witness), context),
			.process = process_of(t, witness), .kind = kind,
		});
	}
}

/* Code in a context wants the lock of `node`. */
static void add_strike(struct twin *t, uint32_t node, uint32_t witness)
{
	uint32_t context = t->m->states.at[node_at(t, node)->state].context;
	unsigned kind = 1 | (node_at(t, node)->mode == LP_READ_RECURSIVE ? 0 : 2);

	if (!context || has_flag(t, node, LP_NEVER_WAITS) || !validated(t, node))
		return;
	add_pair(t, object_of(t, context), class_of(t, node), kind, !is_fork(t, context));
	if (!witness)
		return;
	add_entry(t, (struct entry){
		.party = { .witness = witness, .strikes = true }, .wanted = node,
		.from = object_of(t, context), .to = class_of(t, node),
		.from_lock = context_in(t, process_of(t, witness), context),
		.to_lock = lock_of(t, witness, 0, node),
		.process = process_of(t, witness), .kind = kind,
	});
}

/* What is said about contexts by a node, or by a witness of it. */
static void collect_usage(struct twin *t, uint32_t node, uint32_t witness)
{
	uint32_t up = 1;

	if (node_at(t, node)->fine) {
		add_holds(t, node_at(t, node)->state, node, witness, 0);
		add_strike(t, node, witness);
		return;
	}
	for (uint32_t h = node_at(t, node)->parent; h; h = node_at(t, h)->parent, up++)
		add_holds(t, node_at(t, node)->state, h, witness, up);
}

static void add_waits(struct twin *t, uint32_t witness, uint32_t node)
{
	uint32_t up = 1;

	for (uint32_t h = node_at(t, node)->parent; h; h = node_at(t, h)->parent, up++)
		if (validated(t, h))
			add_entry(t, (struct entry){
				.party = { .witness = witness }, .held = h, .wanted = node,
				.from = class_of(t, h), .to = class_of(t, node),
				.from_lock = lock_of(t, witness, up, h),
				.to_lock = lock_of(t, witness, 0, node),
				.process = process_of(t, witness),
				.kind = kind_of(t, h, node),
			});
}

static void note_wait(struct twin *t, struct wait wait)
{
	for (uint32_t i = 0; i < t->waits; i++)
		if (t->wait[i].wanted == wait.wanted && t->wait[i].class == wait.class &&
		    t->wait[i].context == wait.context)
			return;
	assert(t->waits < FOUND);
	t->wait[t->waits++] = wait;
}

/* Does the node's lock need more than is left? The context is to blame before any lock. */
static void check_wait(struct twin *t, uint32_t node)
{
	const struct lp_model_state *s = &t->m->states.at[node_at(t, node)->state];
	unsigned left = s->wait ? s->wait : LP_WAIT_TYPE_COUNT;
	struct wait wait = { .wanted = class_of(t, node), .context = s->context };

	for (uint32_t h = node_at(t, node)->parent; h; h = node_at(t, h)->parent) {
		unsigned inner = fine_of(t, h)->wait_inner;

		if (!inner || inner >= left)
			continue;
		left = inner;
		wait.class = class_of(t, h);
		wait.context = 0;
	}
	if (!has_flag(t, node, LP_NEVER_WAITS) && fine_of(t, node)->wait_outer > left)
		note_wait(t, wait);
}

static bool waits(const struct twin *t, uint32_t node)
{
	return node_at(t, node)->fine && validated(t, node) && !in_child(t, node) &&
	       !has_flag(t, node, LP_NEVER_WAITS);
}

/* Another lock of its class each time, or as far as is known of it? */
static bool can_block(struct twin *t, uint32_t node)
{
	if (!own_lock_again(t, node, 0))
		return true;
	for (uint32_t w = 1; w < t->m->witnesses.count; w++)
		if (t->m->witnesses.at[w].node == node && !own_lock_again(t, node, w))
			return true;
	return false;
}

static void collect_node(struct twin *t, uint32_t node)
{
	collect_usage(t, node, 0);
	if (node_at(t, node)->fine)
		check_wait(t, node);
	if (!waits(t, node) || !can_block(t, node))
		return;
	for (uint32_t h = node_at(t, node)->parent; h; h = node_at(t, h)->parent)
		if (validated(t, h))
			add_pair(t, class_of(t, h), class_of(t, node), kind_of(t, h, node),
				 !nested(t, node, h));
}

static void collect_witness(struct twin *t, uint32_t witness)
{
	uint32_t node = t->m->witnesses.at[witness].node;

	collect_usage(t, node, witness);
	if (waits(t, node) && !own_lock_again(t, node, witness))
		add_waits(t, witness, node);
}

static void raise_to(int64_t *reached, int64_t epoch, bool *changed)
{
	if (*reached >= epoch)
		return;
	*reached = epoch;
	*changed = true;
}

/* Up to which epoch does each thread's life come before epoch `epoch` of `thread`? -1: never. */
static void reach_back(const struct twin *t, uint32_t thread, uint32_t epoch, int64_t *reached)
{
	bool changed = true;

	for (uint32_t i = 0; i < THREADS; i++)
		reached[i] = -1;
	reached[thread] = epoch;
	while (changed) {
		changed = false;
		for (uint32_t i = 1; i < t->m->threads.count; i++) {
			const struct lp_model_thread *th = &t->m->threads.at[i];
			const struct lp_model_process *p = &t->m->processes.at[th->process];

			if (reached[i] < 0)
				continue;
			if (th->creator)
				raise_to(&reached[th->creator], th->creator_epoch, &changed);
			else if (p->parent_thread)
				raise_to(&reached[p->parent_thread], p->parent_epoch, &changed);
		}
		for (uint32_t i = 1; i < t->m->joins.count; i++) {
			const struct lp_model_join *j = &t->m->joins.at[i];

			if (reached[j->joiner] >= j->epoch)
				raise_to(&reached[j->joined], INT64_MAX, &changed);
		}
	}
}

static bool comes_before(const struct twin *t, uint32_t a, uint32_t b)
{
	const struct lp_model_witness *x = &t->m->witnesses.at[a], *y = &t->m->witnesses.at[b];
	int64_t reached[THREADS];

	if (x->thread == y->thread)
		return false;	/* two executions of what needs no thread */
	reach_back(t, y->thread, y->epoch, reached);
	return reached[x->thread] >= x->epoch;
}

/* The innermost lock a party holds, and how far it lies below the witness' own. */
static uint32_t innermost(const struct twin *t, struct party p, uint32_t *up)
{
	uint32_t node = t->m->witnesses.at[p.witness].node;

	*up = p.has_own ? 0 : 1;
	return p.has_own ? node : node_at(t, node)->parent;
}

/*
 * Do two parties hold one lock, of which one holds it alone? Unknown locks count as any of their
 * class. What is only shown is no lock; of per-CPU locks everybody has another one.
 */
static bool gated(struct twin *t, struct party a, struct party b)
{
	uint32_t i, k;

	for (uint32_t x = innermost(t, a, &i); x; x = node_at(t, x)->parent, i++) {
		if (per_cpu(t, x) || (fine_of(t, x)->flags & LP_CLASS_SHOWN))
			continue;
		for (uint32_t y = innermost(t, b, &k); y; y = node_at(t, y)->parent, k++) {
			uint32_t p, q;

			if (!same_locks(t, x, y) || (reads(t, x) && reads(t, y)))
				continue;
			p = lock_of(t, a.witness, i, x);
			q = lock_of(t, b.witness, k, y);
			if (p == q || !p || !q)
				return true;
		}
	}
	return false;
}

static const struct lp_model_thread *thread_of(const struct twin *t, struct party p)
{
	return &t->m->threads.at[t->m->witnesses.at[p.witness].thread];
}

static bool ordered(const struct twin *t, struct party a, struct party b)
{
	return comes_before(t, a.witness, b.witness) || comes_before(t, b.witness, a.witness);
}

/* What speaks against two parties that are not a struck one and its interrupt. */
static enum stage weigh_parties(struct twin *t, struct party a, struct party b)
{
	const struct lp_model_thread *x = thread_of(t, a), *y = thread_of(t, b);
	/* an interrupt of a real thread strikes others as well */
	bool anywhere = (a.strikes && !x->context) || (b.strikes && !y->context);

	if (x == y && !anywhere && !x->context)
		return ONE_THREAD;
	if (x == y && x->context && (x->flags & LP_THREAD_ONCE))
		return ONCE;
	if (!anywhere && ordered(t, a, b))
		return ORDERED;
	return gated(t, a, b) ? GATE : FEASIBLE;
}

static enum stage weigh_two(struct twin *t, uint32_t a, uint32_t b)
{
	uint8_t *known = &t->two[a][b];

	if (!*known)
		*known = 1 + (uint8_t)weigh_parties(t, t->entry[a].party, t->entry[b].party);
	return *known - 1;
}

static bool counts(enum lp_lock_kind kind)
{
	return kind == LP_LOCK_RECURSIVE || kind == LP_LOCK_ERRORCHECK;
}

/* Did the one who forks hold something then that kept the holder from holding what it holds? */
static bool fork_gated(const struct twin *t, struct party holder, uint32_t at_fork)
{
	uint32_t up;

	for (uint32_t x = innermost(t, holder, &up); x; x = node_at(t, x)->parent)
		for (uint32_t y = at_fork; y; y = node_at(t, y)->parent) {
			uint32_t p = node_at(t, x)->lock, q = node_at(t, y)->lock;

			if (same_locks(t, x, y) && !(reads(t, x) && reads(t, y)) &&
			    (!p || !q || t->m->locks.at[p].serial == t->m->locks.at[q].serial))
				return true;
		}
	return false;
}

/* A fork, at which another thread holds something. */
static enum stage weigh_fork(const struct twin *t, struct party holder, struct party child)
{
	if (thread_of(t, holder) == thread_of(t, child))
		return ONE_THREAD;
	if (ordered(t, holder, child))
		return ORDERED;
	return fork_gated(t, holder, t->m->witnesses.at[child.witness].below) ? GATE : FEASIBLE;
}

/*
 * The struck one and its interrupt are one, but what both hold must fit together. If it is the
 * holder's own lock that is wanted, and it counts, nothing waits, but in the child of a fork. An
 * execution that needs no thread may be what follows upon what the holder does.
 */
static enum stage weigh_struck(struct twin *t, const struct entry *hold, const struct entry *strike)
{
	uint32_t context = strike->from - t->m->classes.count;

	if (is_fork(t, context))
		return weigh_fork(t, hold->party, strike->party);
	if (thread_of(t, strike->party)->context && ordered(t, hold->party, strike->party))
		return ORDERED;
	return gated(t, hold->party, strike->party) ? GATE : FEASIBLE;
}

static enum stage weigh_agent(struct twin *t, uint32_t hold, uint32_t strike)
{
	uint8_t *known = &t->agent[hold][strike];

	if (t->length == 2 && counts(fine_of(t, t->entry[strike].wanted)->kind) &&
	    !is_fork(t, t->entry[strike].from - t->m->classes.count))
		return NONE;
	if (!*known)
		*known = 1 + (uint8_t)weigh_struck(t, &t->entry[hold], &t->entry[strike]);
	return *known - 1;
}

static bool fits(struct twin *t, const struct party *party, uint32_t count, struct party one_more)
{
	for (uint32_t i = 0; i < count; i++)
		if (weigh_parties(t, party[i], one_more) != FEASIBLE)
			return false;
	return true;
}

static bool can_queue(const struct twin *t, uint32_t node)
{
	enum lp_lock_kind kind = fine_of(t, node)->kind;

	return node_at(t, node)->fine && !reads(t, node) && !in_child(t, node) &&
	       (kind == LP_LOCK_RWLOCK || kind == LP_LOCK_K_RWLOCK || kind == LP_LOCK_K_RWSEM) &&
	       !has_flag(t, node, LP_TRY | LP_MOVED | LP_TIMED | LP_SYNC);
}

/* A writer for each reader that waits for a reader, all of them and the others together. */
static bool writers_exist(struct twin *t, uint32_t i, struct party *party, uint32_t count)
{
	const struct entry *wants, *holder;

	if (i == t->length)
		return true;
	wants = &t->entry[t->chosen[i]];
	holder = &t->entry[t->chosen[(i + 1) % t->length]];
	if (!wants->wanted || !holder->held || !reads(t, wants->wanted) ||
	    !reads(t, holder->held))
		return writers_exist(t, i + 1, party, count);
	for (uint32_t w = 1; w < t->m->witnesses.count; w++) {
		struct party writer = { .witness = w };
		uint32_t node = t->m->witnesses.at[w].node;

		if (!can_queue(t, node) || lock_of(t, w, 0, node) != wants->to_lock ||
		    !fits(t, party, count, writer))
			continue;
		party[count] = writer;
		if (writers_exist(t, i + 1, party, count + 1))
			return true;
	}
	return false;
}

static enum stage least(enum stage a, enum stage b)
{
	return a < b ? a : b;
}

/* The one wants what the next holds. */
static enum stage weigh_meeting(const struct twin *t, uint32_t a, uint32_t b)
{
	uint32_t wanted = t->entry[a].wanted, held = t->entry[b].held;

	if (!wanted || !held)
		return FEASIBLE;
	/* every CPU has its own */
	if (per_cpu(t, wanted) && t->length > 1 &&
	    !(t->length == 2 && (t->entry[a].party.strikes || t->entry[b].party.strikes)))
		return NONE;
	if (!reads(t, wanted) || !reads(t, held))
		return FEASIBLE;
	if (node_at(t, wanted)->mode == LP_READ_RECURSIVE)
		return NONE;
	return passes(t, wanted) ? READERS : FEASIBLE;
}

static bool is_agent(const struct twin *t, uint32_t hold, uint32_t strike)
{
	return (hold + 1) % t->length == strike && is_context(t, t->to[hold]);
}

/* What speaks against choice `i`, given those before it. */
static enum stage weigh(struct twin *t, uint32_t i)
{
	const struct entry *e = &t->entry[t->chosen[i]];
	enum stage stage = FEASIBLE;

	if (e->wanted && has_flag(t, e->wanted, LP_TIMED))
		stage = TIMED;
	if (i > 0)
		stage = least(stage, weigh_meeting(t, t->chosen[i - 1], t->chosen[i]));
	if (i + 1 == t->length)
		stage = least(stage, weigh_meeting(t, t->chosen[i], t->chosen[0]));
	for (uint32_t k = 0; k < i; k++) {
		if (is_agent(t, k, i))
			stage = least(stage, weigh_agent(t, t->chosen[k], t->chosen[i]));
		else if (is_agent(t, i, k))
			stage = least(stage, weigh_agent(t, t->chosen[i], t->chosen[k]));
		else
			stage = least(stage, weigh_two(t, t->chosen[k], t->chosen[i]));
	}
	return stage;
}

/* Whoever backs off does so when all the others would, too. */
static bool all_back_off(const struct twin *t)
{
	for (uint32_t i = 0; i < t->length; i++) {
		uint32_t wanted = t->entry[t->chosen[i]].wanted;

		if (wanted && !has_flag(t, wanted, LP_BACK_OFF))
			return false;
	}
	return true;
}

static enum stage finish(struct twin *t, enum stage stage)
{
	struct party party[2 * LONGEST];

	if (all_back_off(t))
		stage = least(stage, TIMED);
	for (uint32_t i = 0; i < t->length; i++)
		party[i] = t->entry[t->chosen[i]].party;
	if (stage > READERS && !writers_exist(t, 0, party, t->length))
		stage = READERS;
	return stage;
}

static bool fits_step(const struct twin *t, uint32_t e, uint32_t i)
{
	return t->entry[e].from_lock == t->path[i] &&
	       t->entry[e].to_lock == t->path[(i + 1) % t->length];
}

/* A choice that is no better than the best so far cannot become better by further choices. */
static void try_all(struct twin *t, uint32_t i, enum stage so_far)
{
	if (i == t->length) {
		enum stage stage = finish(t, so_far);

		t->best = stage > t->best ? stage : t->best;
		return;
	}
	for (uint32_t e = 0; e < t->entries; e++) {
		enum stage stage;

		if (!fits_step(t, e, i) || t->entry[e].from != t->from[i] ||
		    t->entry[e].to != t->to[i])
			continue;
		t->chosen[i] = e;
		stage = least(so_far, weigh(t, i));
		if (stage > t->best)
			try_all(t, i + 1, stage);
	}
}

static bool same_cycle(const struct twin *t, const struct found *f, uint32_t start)
{
	for (uint32_t i = 0; i < f->count; i++)
		if (f->from[(start + i) % f->count] != t->from[i] ||
		    f->to[(start + i) % f->count] != t->to[i])
			return false;
	return true;
}

/* Note the cycle of from[] and to[], in any rotation. */
static void note(struct twin *t, enum lp_finding_kind kind, enum stage stage)
{
	struct found *f;

	for (uint32_t i = 0; i < t->founds; i++) {
		f = &t->found[i];
		for (uint32_t start = 0; f->kind == kind && f->count == t->length &&
		     start < f->count; start++)
			if (same_cycle(t, f, start)) {
				f->stage = stage > f->stage ? stage : f->stage;
				return;
			}
	}
	if (t->founds == FOUND) {
		t->too_much = true;
		return;
	}
	f = &t->found[t->founds++];
	*f = (struct found){ .kind = kind, .count = t->length, .stage = stage };
	memcpy(f->from, t->from, t->length * sizeof(*t->from));
	memcpy(f->to, t->to, t->length * sizeof(*t->to));
}

static enum lp_finding_kind name_of(const struct twin *t)
{
	uint32_t contexts = 0;

	for (uint32_t i = 0; i < t->length; i++)
		contexts += is_context(t, t->from[i]);
	if (!contexts)
		return t->length == 1 ? LP_FINDING_RECURSIVE_LOCKING :
					LP_FINDING_CIRCULAR_LOCKING;
	if (contexts == 1 && t->length == 2)
		return LP_FINDING_INCONSISTENT_LOCK_STATE;
	if (contexts == 1 && t->length == 3)
		return LP_FINDING_IRQ_UNSAFE_LOCK_ORDER;
	return LP_FINDING_IRQ_LOCK_INVERSION;
}

static void count_cycle(struct twin *t)
{
	if (++t->cycles > CYCLES)
		t->too_much = true;
}

/* Which objects each step of the loop is about: locks may be known as several subclasses. */
static void judge_loop(struct twin *t, uint32_t i)
{
	if (i == t->length) {
		count_cycle(t);
		t->best = NONE;
		try_all(t, 0, FEASIBLE);
		if (t->best != NONE)
			note(t, name_of(t), t->best);
		return;
	}
	for (uint32_t e = 0; e < t->entries && !t->too_much; e++) {
		bool had = !fits_step(t, e, i);

		for (uint32_t k = 0; k < e && !had; k++)
			had = fits_step(t, k, i) && t->entry[k].from == t->entry[e].from &&
			      t->entry[k].to == t->entry[e].to;
		if (had)
			continue;
		t->from[i] = t->entry[e].from;
		t->to[i] = t->entry[e].to;
		judge_loop(t, i + 1);
	}
}

static bool passed(const struct twin *t, uint32_t next)
{
	for (uint32_t i = 0; i < t->length; i++)
		if (t->path[i] == next)
			return true;
	return false;
}

/* All elementary cycles whose lowest instance is path[0]. */
static void walk_instances(struct twin *t)
{
	uint32_t last = t->path[t->length - 1];

	if (t->joined[last][t->path[0]])
		judge_loop(t, 0);
	for (uint32_t next = t->path[0] + 1; next <= t->instances && !t->too_much; next++) {
		if (!t->joined[last][next] || passed(t, next))
			continue;
		if (t->length == LONGEST) {
			t->too_much = true;
			return;
		}
		t->path[t->length++] = next;
		walk_instances(t);
		t->length--;
	}
}

/* The kinds of a pair; `seen`: by a witness, in one process unless that is 0. */
static unsigned kinds_of(const struct twin *t, uint32_t from, uint32_t to, uint32_t process,
			 bool seen)
{
	unsigned kinds = 0;

	if (!seen)
		return t->kinds[from][to];
	for (uint32_t e = 0; e < t->entries; e++)
		if (t->entry[e].from == from && t->entry[e].to == to &&
		    (!process || t->entry[e].process == process))
			kinds |= 1u << t->entry[e].kind;
	return kinds;
}

/* Are there kinds for the steps from `i` on that make the cycle strong? */
static bool kinds_fit(const struct twin *t, uint32_t i, unsigned first, unsigned last,
		      uint32_t process, bool seen)
{
	unsigned kinds;

	if (i == t->length)
		return strong(last, first);
	kinds = kinds_of(t, t->from[i], t->to[i], process, seen);
	for (unsigned kind = 0; kind < 4; kind++)
		if ((kinds & 1u << kind) && (!i || strong(last, kind)) &&
		    kinds_fit(t, i + 1, i ? first : kind, kind, process, seen))
			return true;
	return false;
}

/* The struck CPU has another lock, or the lock counts: what is no deadlock as a rule. */
static bool is_harmless(const struct twin *t)
{
	bool interrupt = false, fork = false, per_cpu_lock = false, counting = false;

	for (uint32_t i = 0; i < t->length; i++) {
		enum lp_lock_kind kind;

		if (is_context(t, t->from[i])) {
			interrupt = true;
			fork = fork || is_fork(t, t->from[i] - t->m->classes.count);
			continue;
		}
		kind = t->m->classes.at[t->from[i]].kind;
		per_cpu_lock = per_cpu_lock || kind == LP_LOCK_K_LOCAL_LOCK;
		counting = counting || (t->length == 2 && counts(kind));
	}
	return interrupt && ((per_cpu_lock && t->length > 2) || (counting && !fork));
}

static void judge_class_cycle(struct twin *t)
{
	enum stage stage = UNSEEN;

	for (uint32_t i = 0; i < t->length; i++) {
		t->from[i] = t->path[i];
		t->to[i] = t->path[(i + 1) % t->length];
	}
	if (!kinds_fit(t, 0, 0, 0, 0, false))
		return;
	count_cycle(t);
	if (is_harmless(t))
		return;
	if (kinds_fit(t, 0, 0, 0, 0, true))
		stage = PROCESSES;
	for (uint32_t p = 1; p < t->m->processes.count; p++)
		if (kinds_fit(t, 0, 0, 0, p, true))
			stage = INSTANCES_DIFFER;
	note(t, name_of(t), stage);
}

static void walk_classes(struct twin *t)
{
	uint32_t last = t->path[t->length - 1];

	if (t->length > 1 && t->kinds[last][t->path[0]])
		judge_class_cycle(t);
	for (uint32_t next = t->path[0] + 1; next < t->objects && !t->too_much; next++) {
		if (!t->kinds[last][next] || passed(t, next))
			continue;
		if (t->length == LONGEST) {
			t->too_much = true;
			return;
		}
		t->path[t->length++] = next;
		walk_classes(t);
		t->length--;
	}
}

/* Two locks of one class, one inside the other, and nobody said that they may be. */
static void note_nesting(struct twin *t)
{
	for (uint32_t e = 0; e < t->entries; e++) {
		const struct entry *n = &t->entry[e];

		if (n->from != n->to || (n->from_lock == n->to_lock && n->to_lock) || !n->kind ||
		    nested(t, n->wanted, n->held) || in_order(t, n->held, n->wanted))
			continue;
		t->length = 1;
		t->from[0] = t->to[0] = n->from;
		note(t, LP_FINDING_RECURSIVE_LOCKING, SAME_CLASS);
	}
}

static bool touches(const struct found *f, uint32_t object)
{
	for (uint32_t i = 0; i < f->count; i++)
		if (f->from[i] == object || f->to[i] == object)
			return true;
	return false;
}

static bool subset(const struct found *a, const struct found *b)
{
	for (uint32_t i = 0; i < a->count; i++)
		if (!touches(b, a->from[i]) || !touches(b, a->to[i]))
			return false;
	return true;
}

/* Rules that were only broken where a lock around it allows it are no finding. */
static bool is_told(const struct twin *t, const struct found *f)
{
	for (uint32_t i = 0; i < f->count; i++)
		if (f->stage != FEASIBLE && !t->loud[f->from[i]][f->to[i]])
			return false;
	return true;
}

static uint32_t contexts_in(const struct twin *t, const struct found *f, uint32_t *hold)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < f->count; i++) {
		if (!is_context(t, f->to[i]))
			continue;
		*hold = i;
		count++;
	}
	return count;
}

static uint64_t key_of(const struct twin *t, uint32_t object)
{
	const struct lp_model_context *context;

	if (!is_context(t, object))
		return t->m->classes.at[object].key;
	context = &t->m->contexts.at[object - t->m->classes.count];
	return lp_hash_bytes((uint64_t)context->kind << 32 | context->number, context->name,
			     strlen(context->name));
}

static uint64_t id_of(const struct twin *t, const struct found *f)
{
	uint64_t key[LONGEST];

	for (uint32_t i = 0; i < f->count; i++) {
		key[i] = key_of(t, f->from[i]);
		if (f->to[i] != f->from[(i + 1) % f->count])
			key[i] = lp_hash_add(key[i], key_of(t, f->to[i]));
	}
	return lp_findings_id(f->kind, key, f->count);
}

/* Everything that `a` holds where a context strikes, b holds there as well. */
static bool has_holds_of(const struct twin *t, const struct found *a, const struct found *b)
{
	for (uint32_t i = 0; i < a->count; i++) {
		bool has = !is_context(t, a->to[i]);

		for (uint32_t k = 0; k < b->count; k++)
			has = has || (a->from[i] == b->from[k] && a->to[i] == b->to[k]);
		if (!has)
			return false;
	}
	return true;
}

/* Does `a` say all that `b` says? */
static bool covers(const struct twin *t, const struct found *a, const struct found *b)
{
	uint32_t unused;

	if (a == b || !is_told(t, a))
		return false;
	if (b->kind == LP_FINDING_RECURSIVE_LOCKING)
		return b->stage == SAME_CLASS && a->kind == LP_FINDING_CIRCULAR_LOCKING &&
		       subset(a, b);
	if (b->stage == FEASIBLE && a->stage != FEASIBLE)
		return false;
	if (contexts_in(t, b, &unused))
		return contexts_in(t, a, &unused) && has_holds_of(t, a, b) &&
		       (a->count < b->count ||
			(a->count == b->count && id_of(t, a) < id_of(t, b)));
	return a->kind == LP_FINDING_CIRCULAR_LOCKING && b->kind == a->kind &&
	       b->stage != FEASIBLE && a->count < b->count && subset(a, b);
}

/* Is this pair part of a feasible cycle with fewer than `count`? */
static bool in_shorter(const struct twin *t, uint32_t from, uint32_t to, uint32_t count)
{
	for (uint32_t i = 0; i < t->founds; i++) {
		const struct found *f = &t->found[i];

		for (uint32_t k = 0; k < f->count; k++)
			if (f->kind == LP_FINDING_CIRCULAR_LOCKING && f->stage == FEASIBLE &&
			    f->count < count && f->from[k] == from && f->to[k] == to)
				return true;
	}
	return false;
}

static bool has_own_pair(const struct twin *t, const struct found *f)
{
	for (uint32_t i = 0; i < f->count; i++)
		if (!in_shorter(t, f->from[i], f->to[i], f->count))
			return true;
	return false;
}

static bool covered(const struct twin *t, const struct found *f)
{
	if (f->kind == LP_FINDING_CIRCULAR_LOCKING && !has_own_pair(t, f))
		return true;
	if (f->kind == LP_FINDING_CIRCULAR_LOCKING && f->stage == FEASIBLE)
		return false;
	for (uint32_t i = 0; i < t->founds; i++)
		if (covers(t, &t->found[i], f))
			return true;
	return false;
}

static int print_object(const struct twin *t, char *at, const char *before, uint32_t object)
{
	if (is_context(t, object))
		return sprintf(at, "%s%s", before,
			       t->m->contexts.at[object - t->m->classes.count].name);
	return sprintf(at, "%s%016" PRIx64, before, t->m->classes.at[object].key);
}

#define LINE (100u + 40u * LONGEST)

static enum lp_reason reason_of(const struct twin *t, const struct found *f)
{
	uint32_t unused;

	for (uint32_t i = 0; i < f->count && f->stage == FEASIBLE; i++)
		if (is_context(t, f->from[i]) && is_fork(t, f->from[i] - t->m->classes.count))
			return LP_REASON_FORKED;
	if (f->stage == FEASIBLE && f->count == 1)
		return LP_REASON_ITSELF;
	return f->stage == FEASIBLE && contexts_in(t, f, &unused) ? LP_REASON_INTERRUPT :
								    reasons[f->stage];
}

/* In the rotation that comes first as text; no rotation begins with a context. */
static char *line_of(const struct twin *t, const struct found *f)
{
	char *best = NULL, *line = malloc(LINE);

	for (uint32_t start = 0; start < f->count; start++) {
		int used = sprintf(line, "%s %s %d", lp_finding_kind_id(f->kind),
				   f->stage == FEASIBLE ? "feasible" : "possible",
				   (int)reason_of(t, f));

		if (is_context(t, f->from[start]))
			continue;
		for (uint32_t i = 0; i < f->count; i++) {
			uint32_t to = f->to[(start + i) % f->count];

			used += print_object(t, line + used, " ", f->from[(start + i) % f->count]);
			if (to != f->from[(start + i + 1) % f->count])
				used += print_object(t, line + used, " /", to);
		}
		if (!best || strcmp(line, best) < 0) {
			char *other = best ? best : malloc(LINE);

			best = line;
			line = other;
		}
	}
	free(line);
	return best;
}

static char *line_of_wait(const struct twin *t, const struct wait *wait)
{
	char *line = malloc(LINE);
	int used = sprintf(line, "%s actual %d %016" PRIx64,
			   lp_finding_kind_id(LP_FINDING_INVALID_WAIT_CONTEXT),
			   (int)LP_REASON_HAPPENED, t->m->classes.at[wait->wanted].key);

	if (wait->class)
		print_object(t, line + used, " ", wait->class);
	else
		sprintf(line + used, " %s", t->m->contexts.at[wait->context].name);
	return line;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *print(const struct twin *t)
{
	char *line[2 * FOUND], *all;
	uint32_t lines = 0;
	size_t size = 1;

	for (uint32_t i = 0; i < t->founds; i++)
		if (is_told(t, &t->found[i]) && !covered(t, &t->found[i]))
			line[lines++] = line_of(t, &t->found[i]);
	for (uint32_t i = 0; i < t->waits; i++)
		line[lines++] = line_of_wait(t, &t->wait[i]);
	qsort(line, lines, sizeof(*line), compare);
	for (uint32_t i = 0; i < lines; i++)
		size += strlen(line[i]) + 1;
	all = calloc(1, size);
	for (uint32_t i = 0; i < lines; i++) {
		strcat(all, line[i]);
		strcat(all, "\n");
		free(line[i]);
	}
	return all;
}

static void collect(struct twin *t)
{
	for (uint32_t node = 1; node < t->m->nodes.count; node++)
		collect_node(t, node);
	for (uint32_t w = 1; w < t->m->witnesses.count; w++)
		collect_witness(t, w);
	for (uint32_t e = 0; e < t->entries; e++)
		if (t->entry[e].from_lock && t->entry[e].to_lock)
			t->joined[t->entry[e].from_lock][t->entry[e].to_lock] = true;
}

char *twin_summary(const struct lp_model *model)
{
	struct twin *t = &the_twin;

	reset(t, model);
	collect(t);
	note_nesting(t);
	for (t->length = 1, t->path[0] = 1; t->path[0] < t->objects && !t->too_much; t->path[0]++)
		walk_classes(t);
	t->cycles = 0;
	for (t->length = 1, t->path[0] = 1; t->path[0] <= t->instances && !t->too_much;
	     t->path[0]++)
		walk_instances(t);
	return t->too_much ? NULL : print(t);
}

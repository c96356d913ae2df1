/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h — what the engine remembers. Private to the engine's files.
 *
 * How a fact becomes a finding:
 *
 *   classes.c    a node gives class pairs (ancestor's class, own class) from every ancestor. A pair
 *                that closes a strong cycle of classes gives cycles (at first only possible).
 *   scan.c       only pairs that are part of such a cycle ("hot") are looked at lock by lock: their
 *   instances.c  witnesses give pairs of lock instances, a second, smaller graph. Its strong cycles
 *   loops.c      are loops: the same cycle of classes with the very locks that would block. Loops
 *                also find what the class graph cannot: one class several times in a cycle.
 *   levels.c     picks one witness for each pair of a loop, so that as little as possible speaks
 *                against them happening together. The best loop is the level of its cycle.
 *   usage.c      interrupts: whoever holds a lock while context c can strike has an order from
 *                that lock to c, and code that runs in c from c to each lock it takes. Contexts
 *                are objects beside the classes (and beside the instances), so that a lock that
 *                an interrupt wants while it keeps its holder from running is a cycle like others.
 *   cycles.c     cycles by id, which of them say nothing that a shorter one does not, findings.
 *
 * All of it only grows: a pair, once hot, stays hot; a stage only rises. When memory runs out in
 * the middle, or classes are grouped differently, everything here but the findings is thrown away
 * and computed anew.
 *
 * All arrays start at 1; 0 says "none".
 */
#ifndef LP_ENGINE_STATE_H
#define LP_ENGINE_STATE_H

#include "engine/before.h"
#include "engine/engine.h"
#include "engine/order.h"

/* Limits on looking further; the first cycle is always found. */
#define LP_WALK_STEPS		20000u	/* edges looked at for more cycles through one edge */
#define LP_WALK_CYCLES		64u	/* cycles taken from one edge */
#define LP_CYCLES_MANY		512u	/* with so many cycles known, far less of both: */
#define LP_WALK_STEPS_LATE	1000u
#define LP_WALK_CYCLES_LATE	2u
#define LP_ATTEMPTS_LOOP	65536u	/* witnesses tried for a new loop */
#define LP_ATTEMPTS_ENTRY	4096u	/* ... and for a new witness of an old one, ... */
#define LP_ATTEMPTS_SPENT	(1u << 20)	/* ... until a cycle has had as many as this: */
#define LP_ATTEMPTS_LATE	256u

/*
 * How far the best attempt to pick witnesses for a cycle got; names say what stopped it. In the
 * order of how much closer to a deadlock each one is.
 */
enum lp_stage {
	LP_STAGE_NONE,
	LP_STAGE_UNSEEN,	/* a pair without any witness */
	LP_STAGE_PROCESSES,
	LP_STAGE_INSTANCES,
	LP_STAGE_SAME_CLASS,
	LP_STAGE_TIMED,
	LP_STAGE_SYNC,
	LP_STAGE_READERS,
	LP_STAGE_ONE_THREAD,
	LP_STAGE_ONCE,
	LP_STAGE_ORDERED,
	LP_STAGE_GATE,
	LP_STAGE_FEASIBLE
};

struct lp_item {
	uint32_t	item, next;
};

/* What the order of classes is about: a class, or a context that strikes. */
struct lp_object {
	uint32_t	class, context;	/* one of the two */
	bool		fork;		/* the context is that of forked children */
	uint32_t	cycles;		/* links: cycles that pass it */
	uint32_t	owned;		/* links: cycles whose lowest object this is */
};

/* Usage of a class with regard to a context. */
struct lp_usage_state {
	uint8_t		bits;		/* enum lp_usage */
	uint32_t	node[4];	/* the first for each bit */
};

struct lp_class_state {
	uint32_t	object;		/* in the order of classes; 0: none yet */
	uint32_t	first_node, last_node;
	bool		hot;		/* in a hot pair: its witnesses are listed by instance */
	bool		nested;		/* its own nesting is a cycle already */
	bool		inverted;	/* a circular cycle is made of this class alone */
	bool		relocked;	/* an event says so */
};

struct lp_node_state {
	uint32_t	next_in_class;
	uint32_t	first_witness;
	bool		paired;		/* class pairs were made */
};

struct lp_witness_state {
	uint32_t	next_in_node;
	uint32_t	next_at_lock;	/* with the same instance on top */
	uint32_t	lock;		/* its own instance; 0: unknown, or not asked yet */
	uint32_t	locks;		/* in locks[]: count, then instances, innermost first */
	bool		listed;		/* by instance */
};

struct lp_class_pair {			/* beside classes.pair[] */
	uint32_t	cycles;		/* links */
	uint32_t	samples;	/* list */
	uint32_t	shortest;	/* feasible cycle that passes it: its length; 0: none does */
	bool		loud;		/* not only where a lock around it was said to allow it */
};

struct lp_instance {			/* one lock in one process */
	uint64_t	serial;		/* 0: known by its place only */
	uint32_t	process;
	uint32_t	first_witness;	/* that acquired it; of hot classes only */
	uint32_t	again;		/* list: its pairs with itself */
	uint32_t	scanned;	/* the last witness of it that was scanned ... */
	uint32_t	scanned_round;	/* ... when so many batches of pairs had become hot */
	bool		wanted_hot;	/* a pair that ends in it is hot */
	uint32_t	context;	/* no lock: this context, in this process */
};

struct lp_lock_pair {			/* beside instances.pair[] */
	uint32_t	class_pair;
	uint32_t	entries;	/* list; of hot pairs only */
	uint32_t	loops;		/* links */
};

/*
 * A witness of a pair of instances. Of a pair that ends in a context: it holds the lock of `held`
 * where that can strike. Of one that begins in a context: it runs in it; `held` is 0.
 */
struct lp_entry {
	uint32_t	witness;
	uint32_t	up;		/* the held lock is so many steps below the witness' own */
	uint32_t	held;		/* node */
	uint32_t	pair;		/* of instances */
	uint32_t	next;
};

/* The first witness of a class pair in a process and a kind; process 0: at all. */
struct lp_sample {
	uint32_t	process, witness;	/* 0: only the nodes are known */
	uint32_t	held, wanted;		/* nodes */
	uint32_t	next;
};

/* A closed walk of class pairs. */
struct lp_cycle {
	uint64_t	id;
	enum lp_finding_kind kind;
	enum lp_stage	stage;
	uint32_t	count;
	uint32_t	*pair;		/* class pairs; [0] is where the id begins */
	struct lp_finding_edge *edge;	/* the best witnesses so far */
	uint32_t	*set;		/* both ends of its pairs, in ascending order */
	uint32_t	strikes;	/* how many of them are contexts */
	uint32_t	hold;		/* the last of its pairs that ends in one */
	uint32_t	set_count;
	uint32_t	gate;		/* node, at STAGE_GATE */
	uint64_t	spent;		/* attempts */
	bool		covered;	/* a shorter cycle says as much */
	bool		changed;	/* since the last publication */
	bool		stale;		/* new samples */
};

/* A closed walk of instance pairs, aligned with its cycle's class pairs. */
struct lp_loop {
	uint32_t	cycle;
	uint32_t	count;
	uint32_t	first;		/* in loop_pairs[] */
	bool		wants_writer;	/* an attempt failed for the want of one */
};

struct lp_stamped {			/* what one witness holds, while another is compared */
	uint32_t	stamp, node;
	uint8_t		holds;
};

struct lp_engine {
	lp_wrapper_fn	*wrapper;
	void		*wrapper_context;

	/* the facts judged so far */
	uint32_t	nodes_done, witnesses_done, events_done;
	uint32_t	grouping;
	bool		strikes;	/* a lock is taken in some context */
	uint32_t	other_pairs;	/* of classes.pair[]: with contexts and lives, no dependencies
					   of locks */
	bool		broken;		/* memory ran out: begin anew */
	bool		aliased;	/* there are subclasses */

	struct lp_before before;
	struct lp_order	classes, instances;
	struct { struct lp_class_state *at; uint32_t count, room; } class;
	struct { struct lp_object *at; uint32_t count, room; } object;
	struct { struct lp_usage_state *at; uint32_t count, room; } usage;
	struct { struct lp_node_state *at; uint32_t count, room; } node;
	struct { struct lp_witness_state *at; uint32_t count, room; } witness;
	struct { struct lp_class_pair *at; uint32_t count, room; } class_pair;
	struct { struct lp_instance *at; uint32_t count, room; } instance;
	struct { struct lp_lock_pair *at; uint32_t count, room; } lock_pair;
	struct { struct lp_entry *at; uint32_t count, room; } entry;
	struct { struct lp_sample *at; uint32_t count, room; } sample;
	struct { struct lp_cycle *at; uint32_t count, room; } cycle;
	struct { struct lp_loop *at; uint32_t count, room; } loop;
	struct { struct lp_item *at; uint32_t count, room; } item;
	struct lp_u32s	locks;		/* what witnesses hold, as instances */
	struct lp_u32s	loop_pairs;
	struct lp_u32s	new_entries;	/* to be judged */
	struct lp_u32s	changed;	/* cycles to publish */

	uint32_t	unsettled;	/* hot class pairs that are in no feasible cycle of two */

	struct lp_map	by_serial;	/* process, serial -> instance */
	struct lp_map	by_object;	/* process, static fine class -> instance */
	struct lp_map	by_context;	/* process, context -> instance that stands for it */
	struct lp_map	context_object;	/* context -> object */
	struct lp_map	usage_index;	/* class, context -> usage */
	uint32_t	first_state_witness;	/* of nodes without a lock; next_at_lock */
	struct lp_u32s	state_nodes;
	struct lp_map	entry_index;	/* lock pair, witness, depth -> entry */
	struct lp_map	sample_index;	/* class pair, process, kind -> sample */
	struct lp_map	cycle_index;	/* id -> cycle */
	struct lp_map	loop_index;	/* hash -> loop */

	/* scratch */
	struct lp_u32s	walk;
	struct lp_u64s	keys, heating;
	struct lp_u32s	tried, chosen, chosen_gate, writers;
	struct lp_u32s	chosen_stage;
	struct { struct lp_finding_edge *at; uint32_t count, room; } joined;
	struct { struct lp_stamped *at; uint32_t count, room; } held_lock, held_class;
	uint32_t	stamp;
	uint32_t	heat_round;	/* batches of class pairs that became hot */

	/* what comes out, kept for good */
	struct { struct lp_finding *at; uint32_t count, room; } finding;
	struct { uint8_t *at; uint32_t count, room; } confirmed;	/* since the last reset */
	struct lp_map	finding_index;	/* id -> finding + 1 */
};

/* What callbacks need. */
struct lp_judgement {
	struct lp_engine *engine;
	const struct lp_model *model;
};

/* How far it is worth to walk from an edge that closed a cycle. */
static inline struct lp_walk_limits lp_walk_limits(const struct lp_engine *engine)
{
	bool many = engine->cycle.count > LP_CYCLES_MANY;

	return (struct lp_walk_limits){
		.steps = many ? LP_WALK_STEPS_LATE : LP_WALK_STEPS,
		.cycles = many ? LP_WALK_CYCLES_LATE : LP_WALK_CYCLES,
	};
}

/* Prepend to a list of links. 0 or -ENOMEM. */
static inline int lp_item_push(struct lp_engine *engine, uint32_t *head, uint32_t item)
{
	uint32_t old = *head;
	int err = lp_vec_extend(&engine->item, 1);

	/* *head may not lie in engine->item */
	err = err ? err : lp_vec_push(&engine->item, (struct lp_item){ .item = item, .next = old });
	if (!err)
		*head = engine->item.count - 1;
	return err;
}

static inline bool lp_is_read(const struct lp_model_node *node)
{
	return node->mode != LP_WRITE;
}

/* A reader that passes waiting writers. */
static inline bool lp_passes_writers(const struct lp_model_node *node)
{
	return node->mode == LP_READ_RECURSIVE ||
	       (node->mode == LP_READ && (node->flags & LP_PREFER));
}

/* The node below; 0 at the bottom, also when a damaged model points upwards. */
static inline uint32_t lp_below(const struct lp_model *model, uint32_t node)
{
	uint32_t parent = model->nodes.at[node].parent;

	return parent < node ? parent : 0;
}

/* Taken again by its owner, such a lock counts, or refuses. */
static inline bool lp_relock_counts(enum lp_lock_kind kind)
{
	return kind == LP_LOCK_RECURSIVE || kind == LP_LOCK_ERRORCHECK;
}

/* Taken again, this lock does not block the thread that holds it: it counts, refuses or shares. */
static inline bool lp_relock_returns(const struct lp_model *model, uint32_t held, uint32_t wanted)
{
	return lp_relock_counts(lp_model_node_fine(model, wanted)->kind) ||
	       (lp_is_read(&model->nodes.at[held]) &&
		lp_passes_writers(&model->nodes.at[wanted]));
}

/* May its locks be judged at all? */
static inline bool lp_is_validated(const struct lp_model *model, uint32_t node)
{
	const struct lp_model_fine *fine = lp_model_node_fine(model, node);

	return !(fine->flags & (LP_CLASS_NOVALIDATE | LP_CLASS_SHOWN)) &&
	       !(fine->use & LP_CLASS_HANDED);
}

/* Done by the child of a fork, with copies of the locks: it holds nothing that others want. */
static inline bool lp_in_child(const struct lp_model *model, uint32_t node)
{
	const struct lp_model_state *state = &model->states.at[model->nodes.at[node].state];

	return model->contexts.at[state->context].kind == LP_CONTEXT_FORK && state->context;
}

/* The fine class without its subclass: what the lock itself is. */
static inline uint32_t lp_base_fine(const struct lp_model *model, uint32_t node)
{
	uint32_t fine = model->nodes.at[node].fine, base = model->fines.at[fine].base;

	return base ? base : fine;
}

/* The class that a node's locks are of, whatever their subclasses. */
static inline uint32_t lp_base_class(const struct lp_model *model, uint32_t node)
{
	return model->fines.at[lp_base_fine(model, node)].class_index;
}

static inline bool lp_same_base(const struct lp_model *model, uint32_t a, uint32_t b)
{
	return lp_base_class(model, a) == lp_base_class(model, b);
}

/* What can wait for a reader's lock as a writer, so that later readers wait behind it. */
static inline bool lp_has_queue(enum lp_lock_kind kind)
{
	return kind == LP_LOCK_RWLOCK || kind == LP_LOCK_K_RWLOCK || kind == LP_LOCK_K_RWSEM ||
	       kind == LP_LOCK_CUSTOM;
}

/* A writer that can be queued behind readers, of the lock itself and not of a child's copy. */
static inline bool lp_is_writer(const struct lp_model *model, uint32_t node)
{
	const struct lp_model_node *n = &model->nodes.at[node];

	return n->mode == LP_WRITE && !(n->flags & (LP_NEVER_WAITS | LP_TIMED | LP_SYNC)) &&
	       lp_has_queue(lp_model_node_fine(model, node)->kind) && !lp_in_child(model, node);
}

/* Can lp_relock_returns() be true of anything held? */
static inline bool lp_relock_may_return(const struct lp_model *model, uint32_t wanted)
{
	return lp_relock_counts(lp_model_node_fine(model, wanted)->kind) ||
	       lp_passes_writers(&model->nodes.at[wanted]);
}

static inline unsigned lp_kind_of(const struct lp_model *model, uint32_t held, uint32_t wanted)
{
	return (lp_is_read(&model->nodes.at[held]) ? 0 : LP_KIND_EXCLUSIVE) |
	       (model->nodes.at[wanted].mode == LP_READ_RECURSIVE ? 0 : LP_KIND_FULL);
}

/*
 * The process whose locks a witness is about. A forked child that strikes its parent's other
 * threads wants what are copies of the parent's locks.
 */
static inline uint32_t lp_process_of(const struct lp_model *model, uint32_t witness)
{
	const struct lp_model_witness *w = &model->witnesses.at[witness];
	uint32_t process = model->threads.at[w->thread].process;
	uint32_t parent = model->processes.at[process].parent_thread;

	return parent && lp_in_child(model, w->node) ? model->threads.at[parent].process : process;
}

/* The class of an object; 0 for a context. */
static inline uint32_t lp_class_of(const struct lp_engine *engine, uint32_t object)
{
	return engine->object.at[object].class;
}

static inline bool lp_ends_in_context(const struct lp_engine *engine, uint32_t class_pair)
{
	return engine->object.at[engine->classes.pair.at[class_pair].to].context != 0;
}

static inline bool lp_begins_in_context(const struct lp_engine *engine, uint32_t class_pair)
{
	return engine->object.at[engine->classes.pair.at[class_pair].from].context != 0;
}

/*
 * Is there nothing to find through this pair any more? It is in a feasible cycle of two, and so is
 * all else that is in cycles: longer ones have no pair of their own. Contexts that strike
 * are another matter.
 */
static inline bool lp_is_settled(const struct lp_engine *engine, uint32_t class_pair)
{
	return engine->class_pair.at[class_pair].shortest == 2 && !engine->unsettled &&
	       !engine->strikes &&
	       !engine->aliased;
}

/* classes.c: the object of a class, made when it is new; into *object. 0 or -ENOMEM. */
int lp_classes_object(struct lp_engine *engine, uint32_t class, uint32_t *object);
/*
 * Note a pair of objects, seen at the sample's nodes. `loud`: it breaks the discipline when it is
 * part of a cycle, whatever else is known. 0 or -ENOMEM.
 */
int lp_classes_pair(struct lp_engine *engine, uint32_t from, uint32_t to, unsigned kind,
		    struct lp_sample sample, bool loud);
/* The pair of two classes; 0: none. */
uint32_t lp_classes_find(const struct lp_engine *engine, uint32_t from, uint32_t to);
/* Attend to what that made of the order. 0 or -ENOMEM. */
int lp_classes_follow_up(struct lp_engine *engine, const struct lp_model *model);

/*
 * Is the node's lock said to be nested in one that is held, and `held` acquired after that one?
 * Then that one keeps others out, and this order of the two breaks no rule by itself.
 */
bool lp_classes_nested(const struct lp_model *model, uint32_t node, uint32_t held);

/* usage.c: what a node says about contexts. 0 or -ENOMEM. */
int lp_usage_add_node(struct lp_engine *engine, const struct lp_model *model, uint32_t node);
/* The object of a context; 0: it has none. */
uint32_t lp_usage_object(const struct lp_engine *engine, uint32_t context);

/* One thing a witness says about a context: calls back with the objects' instances. */
struct lp_usage_fact {
	uint32_t	context;
	uint32_t	up;		/* the lock is so many steps below the witness' own */
	uint32_t	node;		/* of the lock */
	bool		strikes;	/* runs in the context and wants it; else: holds it where the
					   context can strike */
	unsigned	kind;		/* of the pair */
};
typedef int lp_usage_fn(struct lp_engine *engine, const struct lp_model *model, uint32_t witness,
			const struct lp_usage_fact *fact);
/* The pair of objects that it is about; 0: none. */
uint32_t lp_usage_pair(const struct lp_engine *engine, const struct lp_model *model,
		       const struct lp_usage_fact *fact);
/* Everything that a node says, one call each. 0, or what `fn` said. */
int lp_usage_each(struct lp_engine *engine, const struct lp_model *model, uint32_t node,
		  uint32_t witness, lp_usage_fn *fn);

/* waits.c: does the node's lock sleep, or spin, where that is not allowed? 0 or -ENOMEM. */
int lp_waits_add_node(struct lp_engine *engine, const struct lp_model *model, uint32_t node);

/* classes.c: a node, or what a witness shows about it, gives class pairs. 0 or -ENOMEM. */
int lp_classes_add_node(struct lp_engine *engine, const struct lp_model *model, uint32_t node);
int lp_classes_add_pairs(struct lp_engine *engine, const struct lp_model *model, uint32_t node);

/* scan.c: 0 or -ENOMEM. */
/* A witness that is new. */
int lp_scan_add_witness(struct lp_engine *engine, const struct lp_model *model, uint32_t witness);
/* The class pairs that have become hot. */
int lp_scan_add_pairs(struct lp_engine *engine, const struct lp_model *model);
/* List the witnesses of a class, and of those it shares its locks with, by instance. */
int lp_scan_heat_class(struct lp_engine *engine, const struct lp_model *model, uint32_t class);

/* levels.c: pick the best witnesses for a loop, with entry `fixed` if that is not 0. 0/-ENOMEM */
int lp_levels_judge(struct lp_engine *engine, const struct lp_model *model, uint32_t loop,
		    uint32_t fixed);

/* samples.c: keep the witness of a class pair when it is the first of its sort. 0 or -ENOMEM. */
int lp_samples_add(struct lp_engine *engine, uint32_t class_pair, uint32_t process, unsigned kind,
		   struct lp_sample sample);
/* The level of a cycle that has no loop: what its samples say. 0 or -ENOMEM. */
int lp_samples_judge(struct lp_engine *engine, const struct lp_model *model, uint32_t cycle);

/* cycles.c */
/*
 * The cycle along class pairs, whatever it begins with; made when it is new. *start is
 * the index in pair[] where the cycle begins. Its number into *cycle: 0 when a shorter feasible
 * cycle already says as much. 0 or -ENOMEM.
 */
int lp_cycles_find(struct lp_engine *engine, const struct lp_model *model,
		   const uint32_t *pair, uint32_t count, uint32_t *cycle, uint32_t *start);
/* A cycle is to be told anew. 0 or -ENOMEM. */
int lp_cycles_mark(struct lp_engine *engine, uint32_t cycle);
/* A cycle has a better stage (edges and gate are set): note it. 0 or -ENOMEM. */
int lp_cycles_raise(struct lp_engine *engine, uint32_t cycle, enum lp_stage stage);
/* Turn what has changed into findings. 0 or -ENOMEM. */
int lp_cycles_publish(struct lp_engine *engine, const struct lp_model *model);

/* misuse.c: events are findings at once. 0 or -ENOMEM. */
int lp_misuse_add_event(struct lp_engine *engine, const struct lp_model *model, uint32_t event);

/* findings.c: add or raise the finding of this id; edges are copied. 0 or -ENOMEM. */
int lp_findings_put(struct lp_engine *engine, const struct lp_finding *finding);
/* Likewise, but what is there already stays as it is. */
int lp_findings_put_once(struct lp_engine *engine, const struct lp_finding *finding);
/* What a context is in ids. */
uint64_t lp_findings_context_key(const struct lp_model *model, uint32_t context);
/* Stable id of a kind and keys in this very order; never 0. */
uint64_t lp_findings_ordered_id(enum lp_finding_kind kind, const uint64_t *key, uint32_t count);
/* Stable id of a kind and a cycle of keys; never 0. */
uint64_t lp_findings_id(enum lp_finding_kind kind, const uint64_t *key, uint32_t count);
/* Where the lexicographically smallest rotation of keys begins. O(count). */
uint32_t lp_findings_rotation(const uint64_t *key, uint32_t count);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h — facts in memory: what one or many images say, merged, with dense indexes.
 *
 * Everything is an append-only array; an index never changes its meaning. Index 0 of every array
 * is a dummy, so that 0 can say "none". Pointers into an array are valid until the next add.
 * One thread at a time. The model owns all memory that it hands out.
 *
 * Classes exist twice: `fine` classes are what the runtime told apart; `class` (a group) is what
 * rules are about. lp_model_regroup() computes groups from fine classes, see group.c.
 */
#ifndef LP_FACTS_MODEL_H
#define LP_FACTS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts/layout.h"

struct lp_model_frame {
	uint32_t	module;		/* modules[]; 0: unknown */
	uint32_t	offset;
};

struct lp_model_module {
	char		*path;		/* "" for code outside every object */
	uint64_t	base;		/* of the image it was first seen in */
	uint64_t	size;
	uint64_t	id;		/* stable: hash of build id, or of path when it has none */
	uint8_t		build_id[20];
	uint8_t		build_id_size;
};

struct lp_model_stack {
	struct lp_model_frame *frame;	/* innermost first; return addresses */
	uint32_t	count;
	bool		truncated;
};

struct lp_model_fine {
	uint64_t	key;		/* stable over runs and machines; see lp_model_add_fine */
	enum lp_lock_kind kind;
	enum lp_origin	origin;
	uint32_t	stack;		/* stacks[]; of init or first lock */
	struct lp_model_frame object;	/* place in a loaded object, or module 0 */
	uint32_t	class_index;	/* classes[] it was grouped into; 0: not yet */
	uint8_t		wait_outer, wait_inner;	/* enum lp_wait_type; filled in from the kind */
	uint8_t		flags;		/* enum lp_class_flags */
	uint8_t		subclass;
	uint32_t	base;		/* fines[] it is a subclass of; 0: none */
	char		*name;		/* of an annotated class; "" when it has none */
	uint8_t		use;		/* enum lp_class_use: grows, see lp_model_use() */
};

/* What rules are about. */
struct lp_model_class {
	uint64_t	key;		/* stable over runs and machines */
	enum lp_lock_kind kind;
	uint32_t	fine;		/* fines[]: a representative, for names and creation stack */
};

struct lp_model_lock {			/* instance */
	uint32_t	fine;
	uint32_t	process;
	uint64_t	serial;		/* unique in its image only: compare with process' image */
	uint64_t	address;
	uint32_t	rank;		/* in an ORDERED class */
};

/* Something that can interrupt: merged by kind, number and name. */
struct lp_model_context {
	enum lp_context_kind kind;
	uint32_t	flags;		/* enum lp_context_flags */
	uint32_t	number;
	char		*name;
};

/* What code runs in and what can strike it; merged by content. */
struct lp_model_state {
	uint32_t	context;	/* contexts[], the innermost; 0: task */
	enum lp_wait_type wait;		/* that the context leaves; UNCHECKED: all */
	uint32_t	in_count, on_count;
	uint32_t	*context_index;	/* contexts[]: all it runs in, then all that can strike */
};

struct lp_model_node {
	uint32_t	parent;		/* nodes[]; 0: bottom */
	uint32_t	fine;		/* fines[] of the lock; 0: nothing was acquired, what lies
					   below was held in `state` */
	uint32_t	lock;		/* locks[]; 0: instance not told apart */
	uint8_t		mode;		/* enum lp_mode */
	uint8_t		flags;		/* enum lp_acquire_flags */
	uint16_t	depth;		/* 1: bottom */
	uint32_t	stack;		/* stacks[] */
	struct lp_model_frame site;
	uint32_t	state;		/* states[]; 0: a task that nothing known can strike */
	uint32_t	nest;		/* fines[] said to be held around it; 0: none */
	uint32_t	nest_lock;	/* locks[] of that; 0: not told apart */
};

/* See lp_rec_stamps. [0]: last blocked, [1]: last let in. */
struct lp_model_stamp {
	uint32_t	context;	/* contexts[] */
	uint32_t	at[2];		/* 0: never */
	struct lp_model_frame where[2];
};

struct lp_model_stamps {
	uint32_t	events, count;
	struct lp_model_stamp *at;
};

struct lp_model_witness {
	uint32_t	node;
	uint32_t	thread;		/* threads[] */
	uint32_t	epoch;
	uint32_t	stack;		/* stacks[] of this thread's acquisition; 0: the node's */
	uint32_t	below;		/* nodes[]: what the interrupted code held; 0: nothing */
	uint32_t	stamps;		/* stamps[]; 0: none */
	uint32_t	count;
	uint64_t	*serial;	/* [0] this node's lock, [1] its parent's, ... ; may be cut */
};

struct lp_model_process {
	uint32_t	image;		/* 1, 2, ... in the order images were read */
	uint32_t	pid;
	uint32_t	parent_thread;
	uint32_t	parent_epoch;
	uint64_t	start_time_ns;
	char		*exe;		/* "" when unknown */
	char		*args;		/* blanks between them */
};

struct lp_model_thread {
	uint32_t	process;
	uint32_t	creator;	/* threads[]; 0: none or unknown */
	uint32_t	creator_epoch;
	uint32_t	stack;		/* of the pthread_create; 0: none */
	struct lp_model_frame start;	/* module 0: main or unknown */
	uint32_t	number;		/* within its image, from 1 */
	uint32_t	tid;		/* 0: unknown */
	uint32_t	context;	/* contexts[] it stands for executions of; 0: a thread */
	uint32_t	flags;		/* enum lp_thread_flags */
	char		name[17];
};

struct lp_model_join {
	uint32_t	joiner;
	uint32_t	epoch;		/* joiner's first epoch after it */
	uint32_t	joined;
};

struct lp_model_event {
	enum lp_event_kind kind;
	uint32_t	thread;
	uint32_t	fine;		/* fines[]; 0: lock never seen before */
	uint32_t	lock;		/* locks[] or 0 */
	uint32_t	stack;
	uint32_t	node;		/* what the thread held */
	uint32_t	holder_tid;
	uint64_t	address;
	uint64_t	serial;
};

/* Growing array: element type, used count, room. */
#define LP_VEC(type) struct { type *at; uint32_t count, room; }

struct lp_model {
	LP_VEC(struct lp_model_module)	modules;
	LP_VEC(struct lp_model_stack)	stacks;
	LP_VEC(struct lp_model_fine)	fines;
	LP_VEC(struct lp_model_class)	classes;
	LP_VEC(struct lp_model_lock)	locks;
	LP_VEC(struct lp_model_node)	nodes;
	LP_VEC(struct lp_model_witness)	witnesses;
	LP_VEC(struct lp_model_process)	processes;
	LP_VEC(struct lp_model_thread)	threads;
	LP_VEC(struct lp_model_join)	joins;
	LP_VEC(struct lp_model_event)	events;
	LP_VEC(struct lp_model_context)	contexts;
	LP_VEC(struct lp_model_state)	states;
	LP_VEC(struct lp_model_stamps)	stamps;
	uint32_t	images;
	uint64_t	acquisitions;
	uint32_t	grouping;	/* changes when groups merge or are renamed, or a class turns
					   out to be no lock: start anew */
	struct lp_model_private *private;	/* content tables */
};

/* NULL when memory is short. */
struct lp_model *lp_model_create(void);
void lp_model_destroy(struct lp_model *model);

/*
 * Add one fact; equal modules, stacks, fine classes and nodes are merged and the old index comes
 * back. Strings and arrays are copied. 0 when memory is short (0 is never a valid index); the
 * model is then as it was. The indexes in a fact must be valid: a reader checks them first.
 *
 * Computed here, whatever the caller says: a module's id and a node's depth. A fine class with key
 * 0 gets one made of kind, origin, object and stack; with any other key it is a class known by that
 * key alone (an annotated one), and neither object nor stack has a say in its grouping. Wait types
 * of UNCHECKED become those of the kind.
 */
uint32_t lp_model_add_module(struct lp_model *model, const struct lp_model_module *module);
uint32_t lp_model_add_stack(struct lp_model *model, const struct lp_model_stack *stack);
uint32_t lp_model_add_fine(struct lp_model *model, const struct lp_model_fine *fine);
uint32_t lp_model_add_lock(struct lp_model *model, const struct lp_model_lock *lock);
uint32_t lp_model_add_node(struct lp_model *model, const struct lp_model_node *node);
uint32_t lp_model_add_witness(struct lp_model *model, const struct lp_model_witness *witness);
uint32_t lp_model_add_process(struct lp_model *model, const struct lp_model_process *process);
uint32_t lp_model_add_thread(struct lp_model *model, const struct lp_model_thread *thread);
uint32_t lp_model_add_join(struct lp_model *model, const struct lp_model_join *join);
uint32_t lp_model_add_event(struct lp_model *model, const struct lp_model_event *event);
uint32_t lp_model_add_context(struct lp_model *model, const struct lp_model_context *context);
uint32_t lp_model_add_state(struct lp_model *model, const struct lp_model_state *state);
uint32_t lp_model_add_stamps(struct lp_model *model, const struct lp_model_stamps *stamps);

/* What a thread holds from its start to its end, and joiners wait for. */
static inline bool lp_model_is_life(const struct lp_model_fine *fine)
{
	return fine->kind == LP_LOCK_MAP && fine->origin == LP_ORIGIN_STATIC && !*fine->name;
}

/*
 * What became known of a fine class' use, in any image. True: it orders nothing any more, so all
 * must be judged anew.
 */
bool lp_model_use(struct lp_model *model, uint32_t fine, unsigned use);

/*
 * Is this return address inside a function that only passes a lock on (std::mutex::lock,
 * __gthread_mutex_lock, ...)? Such frames are not the place where a lock is made or taken.
 */
typedef bool lp_wrapper_fn(void *context, const struct lp_model *model,
			   struct lp_model_frame frame);

/*
 * Put every fine class that has no group yet into one. `wrapper` may be NULL: no frame is one.
 * Locks that were never initialised and are taken at one site share a class: when a new node joins
 * two existing groups, all groups are computed anew and model->grouping changes. 0 or -ENOMEM.
 */
int lp_model_regroup(struct lp_model *model, lp_wrapper_fn *wrapper, void *context);

/* The frame of a stack a person would name as the place: the first that is no wrapper. */
struct lp_model_frame lp_model_place(const struct lp_model *model, uint32_t stack,
				     lp_wrapper_fn *wrapper, void *context);

/* Does every index lead somewhere, backwards where it must? For tests and fuzzers. */
bool lp_model_check(const struct lp_model *model);

/* Does code in `state` run in this context, or can it be struck by it? */
static inline bool lp_model_state_has(const struct lp_model_state *state, bool on,
				      uint32_t context)
{
	uint32_t from = on ? state->in_count : 0;
	uint32_t to = state->in_count + (on ? state->on_count : 0);

	for (uint32_t i = from; i < to; i++)
		if (state->context_index[i] == context)
			return true;
	return false;
}

static inline const struct lp_model_fine *lp_model_node_fine(const struct lp_model *model,
							     uint32_t node)
{
	return &model->fines.at[model->nodes.at[node].fine];
}

static inline uint32_t lp_model_node_class(const struct lp_model *model, uint32_t node)
{
	return lp_model_node_fine(model, node)->class_index;
}

#endif

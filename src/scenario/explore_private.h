/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_private.h — what the parts of the explorer share: the machine, compiled, and one state.
 *
 * A state is `size` bytes, the same number for each state of a scenario; what a column does not use
 * is zero, so that equal states are equal bytes. It consists of
 *   per column: CPU state, frames (innermost last; a frame with pc 0 is not there), holds;
 *   per triggered body: pending, and of an RCU callback the readers it waits for;
 *   per counted object: its count; per signal with sigaction: what it is set to.
 * A frame is the pc (an index in ops[] plus 1), how it waits, the saved flags, the CPU state that
 * its end brings back, and what a flush or grace period waits for. A hold is one byte per column
 * and object that the column's code names: HELD_WRITE and how often.
 *
 * lp_x_load() decodes a state; lp_x_steps() makes its successors one by one in `next`.
 */
#ifndef LP_EXPLORE_PRIVATE_H
#define LP_EXPLORE_PRIVATE_H

#include <string.h>

#include "scenario/explore.h"

#define NO_HOLD		UINT32_MAX
#define HELD_WRITE	0x80u
#define HELD_FROZEN	0xffu		/* in a forked child: somebody else held it */
#define HELD_MAX	126u
#define COUNT_MAX	254u
#define COUNT_FOREVER	255u		/* complete_all() */

/* What a flush waits for, per body: the execution that runs, and the one that is to come. */
enum { SNAP_RUNNING = 1, SNAP_PENDING = 2 };

/* How a frame waits: meaning by operation; 0 is "not yet". */
enum { WAIT_NOT, WAIT_BEGUN, WAIT_WOKEN };

/* Resources an operation looks at or changes; two indexes may share a bit, which is only slower. */
struct touch {
	uint64_t	read, write;
};

static inline bool touches(struct touch a, struct touch b)
{
	return (a.write & (b.read | b.write)) || (a.read & b.write);
}

static inline struct touch touch_or(struct touch a, struct touch b)
{
	return (struct touch){ a.read | b.read, a.write | b.write };
}

struct x_op {
	uint8_t		kind, mode, slot;
	bool		point;		/* a signal may strike here although nothing is held */
	uint16_t	flags;
	uint32_t	object, other;
	uint32_t	hold, hold_other;	/* places in the column's holds; NO_HOLD */
	uint32_t	next, target;	/* pcs; 0: the frame ends */
	uint32_t	body;
	uint64_t	signals;	/* compact: bit of the signal's index */
	struct touch	own, later;	/* it alone; it and all that can follow */
	uint64_t	give, gives;	/* x_object.give of what it counts up or wakes; later */
	uint64_t	trigger, triggers; /* x_body.bit of what it starts; later */
};

struct x_object {
	uint32_t	index;		/* number among the resources */
	uint32_t	handler_hold;	/* place in each column's holds when handlers name it */
	uint32_t	count;		/* offset of its count in the state, 0: none */
	uint32_t	most;		/* where its count saturates */
	uint64_t	give;
	bool		acquired, read, waited, tried, initialised;
	bool		fair;		/* a writer that waits keeps readers out: it queues */
	bool		recursive, errorcheck, sleeps, context, back_off;
	bool		sequence;	/* readers hold nothing */
	bool		local;		/* a lock per CPU */
	bool		rcu_waited;	/* somebody waits for its readers */
};

struct x_body {
	uint32_t	first;		/* pc; 0: it does nothing that matters */
	uint32_t	index;		/* number among the resources */
	uint64_t	bit;		/* among those that are triggered */
	uint32_t	pending;	/* offset in the state; 0: may always start */
	uint32_t	readers;	/* RCU: offset of the columns it waits for */
	uint32_t	rcu;		/* RCU: objects[] */
	uint32_t	snap;		/* place in what a flush waits for */
	uint32_t	column, columns; /* where it runs on its own: WORK, THREAD, idle CPUs */
	uint32_t	signal;		/* index among the signals with handlers */
	uint32_t	times;		/* how often it can run at least, if that has an end */
	uint32_t	handler;	/* index in handlers[] */
	uint32_t	*own;		/* objects with a place of their own in the holds */
	uint32_t	own_count;
	uint32_t	*frees;		/* HANDLER: objects it may release that it has not taken */
	uint32_t	free_count;
	bool		effect;		/* has an operation that could matter */
	bool		waited;		/* somebody waits for its end */
	bool		single;		/* never runs twice at once */
	bool		installed;	/* SIGNAL: sigaction() names it */
	struct touch	all;		/* of starting and running it */
};

enum column_kind { COLUMN_TASK, COLUMN_THREAD, COLUMN_WORK, COLUMN_IDLE, COLUMN_CHILD };

struct x_column {
	enum column_kind kind;
	uint32_t	body;
	uint32_t	number;		/* of those with the same body, from 0 */
	uint32_t	parent, fork;	/* CHILD: of which column, by which operation */
	uint32_t	cpu, frames, holds;	/* offsets */
	uint32_t	hold_count;
	uint32_t	levels, frame_size, snap_size;
};

/* One way on. Equal choices in equal states lead to equal states. */
struct choice {
	uint32_t	column, body, op;	/* op: ops[] plus 1; 0: a body begins */
	uint32_t	way;
	uint8_t		what;			/* of struct lp_explore_step */
};

struct x_lock {					/* of one object, in the state that is loaded */
	uint32_t	owner;			/* column + 1 that has it for writing */
	uint32_t	readers, queued;	/* columns that read, frames that queue */
};

struct machine {
	const struct lp_scenario *scenario;
	bool		full;
	bool		forks;
	bool		circles;	/* bodies can run again and again */
	bool		frees;		/* a handler may release what it has not taken */
	bool		irqs, softs, nmis, kernel, saves, waits, frozen, ww;
	struct x_op	*ops;			/* [op_count] */
	struct x_object	*objects;
	struct x_body	*bodies;
	struct x_column	*columns;
	uint32_t	column_count;
	uint32_t	*handlers, handler_count;	/* bodies[] that strike */
	uint32_t	*handler_objects, handler_object_count;
	uint32_t	signal_count, signal_levels;	/* with handlers */
	uint8_t		signal_of[65];			/* number -> index + 1 */
	uint32_t	dispositions;			/* offset in the state; 0: none */
	uint32_t	snap_bodies, sync_bytes;
	struct touch	kernel_touch, signal_touch;
	uint64_t	rcu_bodies, work_bodies;	/* resources */
	bool		barriers;
	/* layout */
	uint32_t	pc_width, cpu_bh, cpu_signals, signal_bytes, cpu_size;
	uint32_t	frame_wait, frame_slots, frame_cpu, frame_snap;
	uint64_t	size;
	/* the state that is loaded */
	uint8_t		*now, *next;
	uint32_t	*depth, *pc;		/* per column; pc of the top frame */
	uint8_t		*can, *stuck;		/* per column */
	uint8_t		*marks;			/* per pc, of explore_stuck.c: all 0 */
	struct x_lock	*locks;			/* per object */
	uint32_t	*running, *runs_in;	/* per body: how often; last column + 1 */
	struct touch	*future, *after;	/* per column, for the reduction */
	/* what becomes of successors; false: stop */
	bool		(*emit)(void *context, const struct choice *choice);
	void		*context;
	bool		stop;
	void		*memory;		/* chunks */
	uint64_t	memory_size;
	bool		no_memory;
};

/* explore_compile.c. 0, -ENOMEM, or -E2BIG: one state is larger than `memory_max` allows. */
int lp_x_compile(struct machine *m, const struct lp_scenario *scenario, bool full,
		 uint64_t memory_max);
void lp_x_finish(struct machine *m);

/* explore_layout.c: the state in which everything begins */
void lp_x_first(struct machine *m, uint8_t *state);

/* explore_step.c */
void lp_x_load(struct machine *m, const uint8_t *state);
void lp_x_run(struct machine *m, uint32_t column);	/* successors by its top operation */
bool lp_x_can_run(const struct machine *m, uint32_t column);	/* is there one? */

/* explore_strike.c */
void lp_x_strikes(struct machine *m, uint32_t column);	/* successors by what begins there */
/* May the handler begin: as far as its body, as far as the column is concerned? */
bool lp_x_may_start(const struct machine *m, uint32_t body);
/* anyhow: also where it would make no difference */
bool lp_x_can_strike(const struct machine *m, uint32_t column, uint32_t body, bool anyhow);
/* A kworker or idle CPU at rest: may what it runs begin? */
bool lp_x_at_rest_can_start(const struct machine *m, uint32_t column);
/* Could anything strike there now or as soon as it may? *by: the resources that decide whether. */
bool lp_x_exposed(const struct machine *m, uint32_t column, struct touch *by);

/* explore_stuck.c: fills m->stuck for the loaded state; the number of stuck columns */
uint32_t lp_x_stuck(struct machine *m);
/* Are others stuck if that column is not? Then it is taken out. before: [column_count] of room */
bool lp_x_stuck_without(struct machine *m, uint32_t column, uint8_t *before);
/* Does a stuck column wait for what the code on this one would give further on? */
bool lp_x_is_missed(const struct machine *m, uint32_t column);
/* A column that would have to go on first; UINT32_MAX: none */
uint32_t lp_x_holder(const struct machine *m, uint32_t column);
/* The pc at which that one only waits to write what `column` would read; 0: it has it. */
uint32_t lp_x_behind(const struct machine *m, uint32_t column);

/*
 * explore_reduce.c: successors that suffice. *again: when none of them is new, all are needed
 * (lp_x_all).
 */
void lp_x_some(struct machine *m, bool *again);
void lp_x_all(struct machine *m);

/* explore_store.c: the states seen, each once, in the order in which they were reached. */
struct store {
	uint64_t	size;		/* of a state */
	uint64_t	memory_max, memory;
	uint64_t	states_max;
	uint8_t		*states;
	uint32_t	*parents;
	uint32_t	count, room;
	uint64_t	*table;		/* high half: of the hash; low half: index + 1 */
	uint64_t	slots;		/* a power of two */
};

enum store_result { STORE_OLD, STORE_NEW, STORE_FULL, STORE_NO_MEMORY };

void lp_x_store_init(struct store *store, uint64_t size, uint64_t states_max, uint64_t memory_max);
void lp_x_store_finish(struct store *store);
enum store_result lp_x_store_add(struct store *store, const uint8_t *state, uint32_t parent,
			       uint32_t *index);

/* How many states there can be at most. */
uint64_t lp_x_store_room(const struct store *store);

static inline const uint8_t *store_state(const struct store *store, uint32_t index)
{
	return store->states + index * store->size;
}

/* explore_full.c: the graph of all states. False: memory is short. */
struct edge {
	uint32_t	from, to;
};

struct graph {
	struct edge	*edges;
	uint8_t		*stuck;		/* per state: lp_x_stuck() says so */
	uint64_t	edge_count, edge_room, stuck_room;
	uint64_t	*first;		/* state s: its edges begin at first[s + 1] */
	uint32_t	*from;
	uint8_t		*seen;
	uint32_t	*todo;
};

bool lp_explored_edge(struct graph *graph, uint32_t from, uint32_t to);
bool lp_explored_state(struct graph *graph, uint32_t index, bool stuck);
void lp_explored_finish(struct graph *graph);
enum lp_verdict lp_explored_judge(struct graph *graph, const struct machine *m,
			       const struct store *store, uint32_t *last);
/* m->stuck: the columns that can come to no end from that state */
void lp_explored_stuck(struct graph *graph, struct machine *m, const struct store *store,
		    uint32_t state);

/*
 * explore_dive.c: walks from the state `first`. 1: one ended in a deadlock, and this was it; 0:
 * none did; -ENOMEM. Anyhow dive->at belongs to the caller. Sets m->emit.
 */
struct dive {
	struct choice	*at;
	uint32_t	count;
};

int lp_x_dive(struct machine *m, const uint8_t *first, struct dive *dive);

/*
 * explore_witness.c: the schedule that a dive found, or that leads to state `last`, without what is
 * not needed, into *result; `shorten`: false when lp_x_stuck() does not see that `last` is a
 * deadlock, and m->stuck says who is stuck. 0 or -ENOMEM.
 */
int lp_x_witness_dive(struct machine *m, const struct store *store, const struct dive *dive,
		      struct lp_exploration *result);
int lp_x_witness(struct machine *m, const struct store *store, uint32_t last, bool shorten,
		 struct lp_exploration *result);

/* ---- small things ---- */

/* Sets of operations. */
#define OP_BIT(name)	(1ull << LP_OP_##name)
_Static_assert(LP_OP_COUNT <= 64, "an operation is a bit of a set");

static inline bool is_one_of(uint32_t kind, uint64_t set)
{
	return set >> kind & 1;
}

static inline uint32_t load_pc(const struct machine *m, const uint8_t *frame)
{
	uint32_t pc = 0;

	if (m->pc_width == 1)
		return *frame;
	memcpy(&pc, frame, m->pc_width);
	return pc;
}

static inline void store_pc(const struct machine *m, uint8_t *frame, uint32_t pc)
{
	if (m->pc_width == 1)
		*frame = (uint8_t)pc;
	else
		memcpy(frame, &pc, m->pc_width);
}

static inline uint32_t frame_at(const struct machine *m, uint32_t column, uint32_t level)
{
	return m->columns[column].frames + level * m->columns[column].frame_size;
}

static inline uint32_t top_frame(const struct machine *m, uint32_t column)
{
	return frame_at(m, column, m->depth[column] - 1);
}

static inline const struct x_op *op_at(const struct machine *m, uint32_t pc)
{
	return &m->ops[pc - 1];
}

static inline const struct x_op *frame_op(const struct machine *m, uint32_t column, uint32_t level)
{
	return op_at(m, load_pc(m, m->now + frame_at(m, column, level)));
}

static inline bool is_child(const struct machine *m, uint32_t column)
{
	return m->columns[column].kind == COLUMN_CHILD;
}

static inline uint8_t waiting(const struct machine *m, uint32_t frame)
{
	return m->waits ? m->now[frame + m->frame_wait] : WAIT_NOT;
}

static inline uint8_t held(const struct machine *m, uint32_t column, uint32_t hold)
{
	return hold == NO_HOLD ? 0 : m->now[m->columns[column].holds + hold];
}

static inline bool test_bit(const uint8_t *bits, uint32_t i)
{
	return bits[i / 8] >> (i % 8) & 1;
}

static inline bool any_set(const uint8_t *bytes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (bytes[i])
			return true;
	return false;
}

/* Where `object` has its place among the column's holds. */
static inline uint32_t hold_of(const struct machine *m, uint32_t column, uint32_t object)
{
	const struct x_body *body = &m->bodies[m->columns[column].body];

	if (m->objects[object].handler_hold != NO_HOLD)
		return m->objects[object].handler_hold;
	for (uint32_t i = 0; i < body->own_count; i++)
		if (body->own[i] == object)
			return m->handler_object_count + i;
	return NO_HOLD;
}

/* The other way round: the object at that place. */
static inline uint32_t object_at(const struct machine *m, uint32_t column, uint32_t hold)
{
	const struct x_body *body = &m->bodies[m->columns[column].body];
	uint32_t shared = m->handler_object_count;

	return hold < shared ? m->handler_objects[hold] : body->own[hold - shared];
}

static inline bool is_handler(enum lp_body_kind kind)
{
	return kind == LP_BODY_HARDIRQ || kind == LP_BODY_HARDIRQ_NOTHREAD ||
	       kind == LP_BODY_SOFTIRQ || kind == LP_BODY_TIMER || kind == LP_BODY_RCU ||
	       kind == LP_BODY_SIGNAL || kind == LP_BODY_NMI;
}

/* Code may go on at op->target. */
static inline bool may_branch(const struct machine *m, const struct x_op *op)
{
	return op->kind == LP_OP_BRANCH || op->kind == LP_OP_FORK ||
	       op->flags & (LP_TRY | LP_TIMED) ||
	       (op->kind == LP_OP_ACQUIRE && (m->objects[op->object].errorcheck ||
					      m->objects[op->object].back_off));
}

static inline bool is_hard(enum lp_body_kind kind)
{
	return kind == LP_BODY_HARDIRQ || kind == LP_BODY_HARDIRQ_NOTHREAD;
}

static inline bool is_soft(enum lp_body_kind kind)
{
	return kind == LP_BODY_SOFTIRQ || kind == LP_BODY_TIMER || kind == LP_BODY_RCU;
}

#endif

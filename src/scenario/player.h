/* SPDX-License-Identifier: Apache-2.0 */
/*
 * player.h — what the parts of the player share: the image, one run of a body. Private.
 *
 * play.c runs the bodies, in all their ways; play_ops.c and its table say what each operation does;
 * play_facts.c writes the records that are not track's.
 */
#ifndef LP_SCENARIO_PLAYER_H
#define LP_SCENARIO_PLAYER_H

#include "base/hash.h"
#include "engine/vec.h"
#include "facts/reader.h"
#include "scenario/play.h"
#include "track/track.h"

/* Where an operation is, for track's questions. */
struct lp_play_where {
	struct lp_player *player;
	uint32_t	site;
	uint32_t	body;
};

/* CPU state as the code sees it. */
struct lp_play_cpu {
	bool		irqs_off;
	uint32_t	bh;		/* how often disabled */
	uint64_t	blocked;	/* signals */
	uint64_t	installed;	/* signals with a handler */
	bool		saved[LP_SCENARIO_FLAGS_MAX];
};

/* What happened to an object in this run. */
enum {
	LP_PLAY_GONE	= 1,	/* freed, destroyed, unregistered */
	LP_PLAY_PINNED	= 2,
	LP_PLAY_INIT	= 4,
	LP_PLAY_TOLD	= 8,	/* that it is used although it is gone, or never came to life */
};

/* Wound/wait in this run, of a context; `context` of an object. */
struct lp_play_ww {
	uint32_t	run;		/* the run that the rest is of */
	uint32_t	acquired;	/* how many objects it has */
	uint32_t	contending;	/* objects[] that it was refused last; 0 */
	bool		done;
	uint32_t	context;	/* objects[] under which it is held; 0 */
};

struct lp_play_object {
	uint32_t	lock[8];	/* LOCK refs by subclass */
	uint32_t	run;		/* the run that `state` is of */
	uint32_t	state;
	uint32_t	giver;		/* bodies[] that alone gives it (complete, up, signal), 0 */
	uint32_t	giver_site;	/* sites[] where it does so first */
	uint32_t	writer, reader;	/* bodies[] that takes it so; UINT32_MAX: several do */
	uint32_t	contender;	/* likewise, under a ww_acquire_ctx */
	struct lp_play_ww ww;
	bool		lock_like;	/* a semaphore that every body gives back itself */
};

struct lp_play_body {
	uint32_t	thread;		/* THREAD */
	uint32_t	creator, creator_epoch;	/* THREAD that starts it, if only one does */
	uint32_t	triggers;	/* operations that start it */
	uint64_t	blocked;	/* signals, at its start */
	bool		started, played;
};

/* A branch: where, in what state, which way next. */
struct lp_play_choice {
	uint32_t	op;
	bool		second;		/* the second way is being taken */
};

struct lp_player {
	struct lp_track	track;
	size_t		size, used;
	const struct lp_scenario *scenario;
	struct lp_rec_slot *slot;
	uint32_t	process, module;
	uint32_t	hardirq, softirq, nmi;	/* CONTEXT refs; 0: there is no kernel code */
	uint32_t	fork;			/* CONTEXT ref; 0: nobody forks */
	bool		in_child;		/* what runs now is the child's */
	uint32_t	signal[65];		/* CONTEXT refs by number */
	bool		full;			/* too many runs */
	uint32_t	run;			/* number of the run under way */
	/* of the run */
	uint32_t	body;			/* bodies[] whose operations run now */
	struct lp_play_cpu cpu;
	uint64_t	marks;			/* of lp_play_mark() */
	bool		stopped;		/* it blocks itself, or repeats another run */
	uint32_t	ground;			/* depth of what the body itself holds */
	bool		in_handler;		/* a signal handler on top of the thread */
	uint64_t	handled_key;		/* what the last handlers ran on */
	struct { struct lp_play_choice *at; uint32_t count, room; } choice;
	uint32_t	depth;			/* choices made so far in this run */
	struct { struct lp_play_object *at; uint32_t count, room; } object;
	struct { struct lp_play_body *at; uint32_t count, room; } body_state;
	struct lp_u32s	stack;			/* STACK refs by site */
	struct lp_u32s	class;			/* CLASS refs by class and subclass */
	struct lp_u64s	seen;			/* states at branches, this body */
	struct lp_u32s	promises;		/* objects[] that one body gives */
	uint64_t	installed;		/* signals with a handler from the start */
};

/*
 * The state of an object changes in this run, from 0 at its start on. All changes together make
 * `marks`: runs whose objects are in equal states have equal ones.
 */
static inline void lp_play_mark(struct lp_player *player, uint32_t object, uint64_t before,
				uint64_t after)
{
	player->marks ^= before ? lp_hash_add(object, before) : 0;
	player->marks ^= after ? lp_hash_add(object, after) : 0;
}

/*
 * An object's address in the held stack; and another one for being on the way to giving it
 * (play_waits.c), apart from the lock itself.
 */
static inline uint64_t address_of(uint32_t object)
{
	return (uint64_t)object << 4;
}

static inline uint64_t promise_of(uint32_t object)
{
	return address_of(object) | 8;
}

static inline bool is_promise(uint64_t address)
{
	return address & 8;
}

/* play_facts.c: the records of objects, classes, contexts, threads. Refs, 0: there is no space. */
uint32_t lp_play_lock(struct lp_player *player, uint32_t object, uint32_t subclass);
uint32_t lp_play_thread(struct lp_player *player, uint32_t body);
int lp_play_begin_image(struct lp_player *player);
uint32_t lp_play_state(struct lp_player *player);	/* STATE of what runs now */
const struct lp_track_ops *lp_play_track_ops(void);
/* Something is wrong there; object: objects[], or 0. */
void lp_play_misuse(struct lp_player *player, enum lp_event_kind kind, uint32_t object,
		    uint32_t site);

/* play_before.c: what can be known before it is played. 0 or -ENOMEM. */
int lp_play_look_before(struct lp_player *player);

/* play_ops.c: one operation; the next one, or UINT32_MAX when the run ends. */
uint32_t lp_play_op(struct lp_player *player, uint32_t op);

/* play_locks.c: the held stack, as it is. */
void lp_play_take(struct lp_player *player, uint32_t object, enum lp_mode mode, unsigned flags,
		  uint32_t site);
void lp_play_give_back(struct lp_player *player, uint32_t object, uint32_t site);
/* From now on this run has given what it was to give. */
void lp_play_keep_promise(struct lp_player *player, uint32_t object, uint32_t site);

/* play_ww.c: what can be known before; then of each operation, */
void lp_play_ww_begin(struct lp_player *player);
bool lp_play_ww_broken(struct lp_player *player, const struct lp_op *op); /* may it not be done? */
bool lp_play_ww_may_refuse(struct lp_player *player, const struct lp_op *op);
void lp_play_ww_refused(struct lp_player *player, const struct lp_op *op); /* what came of it */
void lp_play_ww_taken(struct lp_player *player, const struct lp_op *op);
void lp_play_ww_released(struct lp_player *player, const struct lp_op *op);
void lp_play_ww_done(struct lp_player *player, const struct lp_op *op);

/* play.c. Which way at a branch: true: the second. Ends the run when it leads nowhere new. */
bool lp_play_choose(struct lp_player *player, uint32_t op);
/* The child of a fork, from `op` on: an interrupt to all threads but the one that forks. */
void lp_play_child(struct lp_player *player, uint32_t op);
/* Signal handlers that can strike now and have not in this state. */
void lp_play_signals(struct lp_player *player);

#endif

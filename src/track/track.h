/* SPDX-License-Identifier: Apache-2.0 */
/*
 * track.h — events of one thread to facts: held stack, chain keys, nodes, witnesses.
 *
 * The runtime drives this with real threads, a player with simulated ones. A slot is used by one
 * thread at a time; a signal handler of that thread may nest anywhere: what it pushes it pops, and
 * every step below leaves the slot usable between any two stores.
 *
 * Chain key: 64 bits that stand for the held stack (classes or instances, modes, sites, in order).
 * It is looked up, together with the thread's salt and the process' generation, in the slot's own
 * cache. A hit gives the node; on a miss lp_track_push() finds or creates it.
 */
#ifndef LP_TRACK_H
#define LP_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "facts/layout.h"
#include "facts/writer.h"

/* One acquisition. */
struct lp_acquire {
	uint64_t	address;	/* of the lock; bit 0 may mark it for the caller */
	uint64_t	serial;
	uint64_t	site;		/* stands for the code address in keys */
	uint32_t	id;		/* LOCK ref, or CLASS ref when instances are not told apart */
	uint32_t	nest;		/* LOCK or CLASS ref that is said to be held around it; 0 */
	uint8_t		mode;		/* enum lp_mode */
	uint8_t		flags;		/* enum lp_acquire_flags */
	const void	*where;		/* for the ops below */
};

struct lp_track;

struct lp_track_ops {
	/* The code address of an acquisition, and its whole stack (STACK ref, 0: none). */
	struct lp_frame	(*site)(const void *where);
	uint32_t	(*stack)(const void *where);
	/* Instances of this CLASS matter from now on: keys made with its ref are void. */
	void		(*refined)(uint32_t class_ref);
	/* STAMPS of the contexts that this thread runs in, 0: none; NULL: there never are. */
	uint32_t	(*stamps)(const struct lp_rec_slot *slot);
};

struct lp_track {
	struct lp_writer writer;
	const struct lp_track_ops *ops;
};

/* A slot whose held stack is empty, for THREAD `thread`. */
void lp_slot_init(struct lp_track *track, struct lp_rec_slot *slot, uint32_t thread);

/* A forked child's slot: its thread is a new one. */
void lp_slot_first_epoch(struct lp_rec_slot *slot);

/* The thread's next epoch begins: what it does from now on needs new witnesses. */
void lp_slot_next_epoch(struct lp_rec_slot *slot);

/* The salt of the thread's epoch and state, if something else was put in its place. */
void lp_track_set_salt(struct lp_rec_slot *slot);

/*
 * CONTEXT of a kind and number; STATE of code that runs in `in` and can be struck by `on` (CONTEXT
 * refs, each list ascending, at most LP_STATE_CONTEXTS_MAX in all). Found or made; 0 when there is
 * no space. `context` is the innermost of `in`, 0: task; `wait` what it leaves.
 */
uint32_t lp_track_context(struct lp_track *track, enum lp_context_kind kind, uint8_t flags,
			  uint16_t number, const char *name);
struct lp_track_state {
	uint32_t	context;
	enum lp_wait_type wait;
	const uint32_t	*in, *on;
	uint32_t	in_count, on_count;
};
uint32_t lp_track_state(struct lp_track *track, const struct lp_track_state *state);

/*
 * The thread runs in another STATE from now on. `noted`: something that could not strike before
 * can strike now, so what is held is noted in it.
 */
void lp_track_set_state(struct lp_track *track, struct lp_rec_slot *slot, uint32_t state,
			bool noted, const void *where);

/*
 * What is held, noted in the state the thread is in, unless its last acquisition tells. Also after
 * each release when anything can strike: nothing else tells that the rest was held alone, and so.
 */
void lp_track_note_state(struct lp_track *track, struct lp_rec_slot *slot, const void *where);

/*
 * An interrupt begins on top of whatever the thread does, in STATE `state`: a held stack of its
 * own. It ends: the entry that began it, and all above, is dropped; so do those that began on top
 * of it and have not ended.
 */
struct lp_track_below {		/* what was interrupted */
	uint64_t	base, top;	/* bytes from the start of the held stack */
	uint32_t	state;
};
void lp_track_enter(struct lp_track *track, struct lp_rec_slot *slot, uint32_t state,
		    struct lp_track_below *below);
void lp_track_leave(struct lp_rec_slot *slot, const struct lp_track_below *below);

/* The entry that begins an interrupt's stack: names no lock; its node is what was held below. */
#define LP_BOUNDARY	(~(uint64_t)1)

/* Copy what `from` holds to a new slot (a forked child's). */
void lp_slot_copy_held(struct lp_track *track, struct lp_rec_slot *to,
		       const struct lp_rec_slot *from);

#define LP_KEY_EMPTY	0x9e3779b97f4a7c15ULL
#define LP_KEY_MUL	0xd6e8feb86659fd93ULL

/* Mode and flags in a key; one site can call several functions. 0 for a plain write. */
#define LP_KEY_HOW(mode, flags) ((uint64_t)((mode) | (flags) << 2) << 54)
_Static_assert(LP_BACK_OFF << 2 < 1 << 10, "every flag has its bit in a key");

static inline uint64_t lp_track_key(uint64_t key, uint32_t id, uint64_t site, uint64_t how)
{
	return (key ^ site ^ how ^ (uint64_t)id << 32) * LP_KEY_MUL;
}

static inline struct lp_held *lp_track_held(const struct lp_rec_slot *slot)
{
	return (struct lp_held *)(uintptr_t)slot->held_ptr;
}

static inline struct lp_held *lp_track_top(const struct lp_rec_slot *slot)
{
	return (struct lp_held *)(uintptr_t)slot->top;
}

/* Where the stack of the context that runs begins. */
static inline struct lp_held *lp_track_base(const struct lp_rec_slot *slot)
{
	return (struct lp_held *)(uintptr_t)slot->base;
}

static inline uint32_t lp_track_depth(const struct lp_rec_slot *slot)
{
	return (uint32_t)(lp_track_top(slot) - lp_track_base(slot));
}

static inline unsigned lp_track_index(uint64_t look)
{
	return (unsigned)(look >> 56);
}

/* held.word of a fresh entry. */
static inline uint64_t lp_track_word(uint32_t node, uint8_t mode, uint8_t flags)
{
	struct lp_held held = { .node = node, .mode = mode, .flags = flags };

	return held.word;
}

/* The chain key of what is held. */
static inline uint64_t lp_track_held_key(const struct lp_rec_slot *slot)
{
	return lp_track_top(slot)[-1].key;
}

/*
 * Put an entry on the held stack; take the top one off. Either happens by the one store that moves
 * the top: a signal handler sees the stack with the entry or without it. One that comes before
 * that store uses the same place for its own entries, so the entry is looked at again after it. The
 * lock goes in first: whatever of the rest a handler replaced, it replaced the lock, too.
 */
static inline void lp_track_put(struct lp_rec_slot *slot, uint64_t address, uint64_t serial,
				uint64_t key, uint64_t word)
{
	struct lp_held *held = lp_track_top(slot);

	held->lock = address;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	held->key = key;
	held->serial = serial;
	held->word = word;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	slot->top = (uintptr_t)(held + 1);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	slot->acquisitions++;
	if (lp_unlikely(held->lock != address)) {
		held->key = key;
		held->serial = serial;
		held->word = word;
		held->lock = address;
	}
}

static inline void lp_track_drop(struct lp_rec_slot *slot)
{
	slot->top -= sizeof(struct lp_held);
}

/*
 * Push an acquisition, whatever it takes. Facts are written before this returns, so it is called
 * before the lock call that may block, or after one that cannot.
 */
void lp_track_push(struct lp_track *track, struct lp_rec_slot *slot,
		   const struct lp_acquire *acquire, uint64_t generation);

/* Write the facts of an acquisition to come without pushing it. Returns its NODE, or 0. */
uint32_t lp_track_note(struct lp_track *track, struct lp_rec_slot *slot,
		   const struct lp_acquire *acquire, uint64_t generation);

/*
 * Somebody says that locks of the second CLASS may be taken inside those of the first: nodes that
 * nobody was seen in. False: there is no space, or the thread is in the middle of something.
 */
bool lp_track_expect(struct lp_track *track, struct lp_rec_slot *slot, uint32_t first,
		     uint32_t second, const void *where);

/* The innermost entry of the lock in the context that runs, or NULL. */
struct lp_held *lp_track_find(const struct lp_rec_slot *slot, uint64_t address);

/*
 * Remove an entry from anywhere in the stack. Those above it get the keys of the stack without it;
 * their nodes are found when something is acquired on top of them. `held` is invalid afterwards.
 */
void lp_track_remove(struct lp_rec_slot *slot, struct lp_held *held);

/* Append an event. `serial` and `lock` are 0 when the lock was never seen. */
struct lp_misuse {
	enum lp_event_kind kind;
	uint32_t	lock;		/* LOCK or CLASS ref */
	uint64_t	address;
	uint64_t	serial;
	uint32_t	holder_tid;
	const void	*where;
};
void lp_track_misuse(struct lp_track *track, struct lp_rec_slot *slot,
		     const struct lp_misuse *misuse);

/* CLASS ref of a LOCK or CLASS ref. */
uint32_t lp_track_class_of(const struct lp_writer *writer, uint32_t id);

#endif

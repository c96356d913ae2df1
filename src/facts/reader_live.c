/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader_live.c — what changes in an image: slots, counters, the reasons to stop.
 *
 * Values are single relaxed loads and can be torn against one another. Only places are trusted:
 * those of slots and held stacks that the log has shown to be such.
 */
#include <assert.h>

#include "facts/reader_private.h"

unsigned lp_reader_use(const struct lp_reader *reader, uint32_t class_ref)
{
	/* the word that ends with it begins with kind and origin */
	uint32_t word = load32(reader, (uint64_t)class_ref * LP_GRANULE +
				       offsetof(struct lp_rec_class, kind));

	return word >> 16 & (LP_CLASS_RETURNED | LP_CLASS_HANDED);
}

static_assert(offsetof(struct lp_rec_class, kind) % 4 == 0 &&
	      offsetof(struct lp_rec_class, use) == offsetof(struct lp_rec_class, kind) + 2,
	      "lp_reader_use() takes them in one load");

uint64_t lp_reader_acquisitions(const struct lp_reader *reader)
{
	uint64_t sum = IMAGE64(reader, acquisitions);

	for (uint32_t i = 0; i < reader->slots.count; i++)
		sum += LIVE64(reader, (uint64_t)reader->slots.at[i] * LP_GRANULE,
			      struct lp_rec_slot, acquisitions);
	return sum;
}

/* Where a slot's held stack is and how many entries fit; none when it was not read yet. */
static uint32_t find_held(const struct lp_reader *reader, uint32_t slot, uint64_t *offset)
{
	uint64_t at = (uint64_t)slot * LP_GRANULE;
	uint32_t ref = LIVE32(reader, at, struct lp_rec_slot, held_ref);
	const struct known *known;

	if (ref == slot) {
		*offset = at + offsetof(struct lp_rec_slot, held);
		return LP_SLOT_HELD;
	}
	known = lp_reader_known(reader, ref);
	*offset = (uint64_t)ref * LP_GRANULE + offsetof(struct lp_rec_held, held);
	return known && known->type == LP_REC_HELD ? known->detail : 0;
}

static void load_entry(const struct lp_reader *reader, uint64_t offset, struct lp_live_held *held)
{
	uint64_t last = load64(reader, offset + offsetof(struct lp_held, count) -
			       offsetof(struct lp_held, count) % 8, __ATOMIC_RELAXED);
	struct lp_held copy;

	/* node, count, mode and flags are the last word of the entry */
	memcpy(&copy.node, &last, sizeof(last));
	held->lock = LIVE64(reader, offset, struct lp_held, lock);
	held->serial = LIVE64(reader, offset, struct lp_held, serial);
	held->node = lp_reader_node(reader, copy.node);
	held->count = copy.count;
	held->mode = copy.mode;
	held->flags = copy.flags;
}

static_assert(offsetof(struct lp_held, node) % 8 == 0 &&
	      sizeof(struct lp_held) - offsetof(struct lp_held, node) == 8,
	      "load_entry() takes them in one load");

static void load_held(const struct lp_reader *reader, uint32_t slot, struct lp_live_thread *live)
{
	uint64_t at = (uint64_t)slot * LP_GRANULE, offset;
	uint64_t top = LIVE64(reader, at, struct lp_rec_slot, top);
	uint64_t room = find_held(reader, slot, &offset);
	uint64_t count = (top - LIVE64(reader, at, struct lp_rec_slot, held_ptr)) /
			 sizeof(struct lp_held);

	if (count > room)
		count = 0;	/* torn: the stack is just moving */
	live->held_count = count < LP_SLOT_HELD ? (uint32_t)count : LP_SLOT_HELD;
	offset += (count - live->held_count) * sizeof(struct lp_held);
	live->key = 0;
	for (uint32_t i = 0; i < live->held_count; i++)
		load_entry(reader, offset + i * sizeof(struct lp_held), &live->held[i]);
	if (count)
		live->key = LIVE64(reader, offset + (live->held_count - 1) *
				   sizeof(struct lp_held), struct lp_held, key);
}

/* Does wait_lock say what such a wait is for? */
static bool names_lock(uint32_t wait)
{
	return wait == LP_WAIT_COND || wait == LP_WAIT_JOIN || wait == LP_WAIT_SEM;
}

/*
 * A thread in a condition wait will take the mutex again: while it does, it waits for that like
 * anybody who waits for a lock, so it is shown as one. So is one that waits for another's end,
 * which holds its own life, and one that waits for a semaphore, which it holds only afterwards.
 */
static void load_wait(const struct lp_reader *reader, uint32_t slot, struct lp_live_thread *live)
{
	uint64_t at = (uint64_t)slot * LP_GRANULE;
	uint64_t lock = LIVE64(reader, at, struct lp_rec_slot, wait_lock);
	uint32_t node = LIVE32(reader, at, struct lp_rec_slot, wait_node);

	if (!names_lock(live->wait) || !lock || live->held_count == LP_SLOT_HELD)
		return;
	live->held[live->held_count++] = (struct lp_live_held){
		.lock = lock, .node = lp_reader_node(reader, node), .mode = LP_WRITE,
	};
	live->wait = LP_WAIT_LOCK;
}

static void load_live(const struct lp_reader *reader, uint32_t slot, struct lp_live_thread *live)
{
	uint64_t at = (uint64_t)slot * LP_GRANULE;

	live->pid = LIVE32(reader, at, struct lp_rec_slot, pid);
	live->tid = LIVE32(reader, at, struct lp_rec_slot, tid);
	live->acquisitions = LIVE64(reader, at, struct lp_rec_slot, acquisitions);
	live->wait = live->blocked_in = LIVE32(reader, at, struct lp_rec_slot, wait);
	live->wait_object = LIVE64(reader, at, struct lp_rec_slot, wait_object);
	live->wait_thread =
		lp_reader_thread(reader, LIVE32(reader, at, struct lp_rec_slot, wait_thread));
	live->lossy = LIVE32(reader, at, struct lp_rec_slot, lossy);
	load_held(reader, slot, live);
	load_wait(reader, slot, live);
}

int lp_reader_next_live(const struct lp_reader *reader, uint32_t *cursor,
			struct lp_live_thread *live)
{
	while (*cursor < reader->slots.count) {
		uint32_t slot = reader->slots.at[(*cursor)++];

		live->thread = lp_reader_thread(
			reader, LIVE32(reader, (uint64_t)slot * LP_GRANULE, struct lp_rec_slot,
				       thread));
		if (!live->thread)
			continue;	/* free, or too new: the next poll will know it */
		load_live(reader, slot, live);
		return 1;
	}
	*cursor = 0;
	return 0;
}

void lp_reader_state(const struct lp_reader *reader, struct lp_reader_state *state)
{
	uint32_t stop = IMAGE32(reader, stop);

	*state = (struct lp_reader_state){
		.stop = stop < LP_STOP_COUNT ? stop : LP_STOP_FAULT,
		.stop_time_ns = IMAGE64(reader, stop_time_ns),
		.stop_errno = (int)IMAGE32(reader, stop_errno),
		.next_index = IMAGE32(reader, next_index),
		.claimed_pid = IMAGE32(reader, claimed_pid),
		.threads_started = IMAGE32(reader, threads_started),
		.start_time_ns = IMAGE64(reader, start_time_ns),
		.session = IMAGE64(reader, session),
		.index = IMAGE32(reader, index),
		.merged = IMAGE32(reader, merged),
		.tail = load_tail(reader),
	};
}

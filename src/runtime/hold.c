/* SPDX-License-Identifier: Apache-2.0 */
/* hold.c — the slow half of every lock operation; see runtime.h. */
#include "base/hash.h"
#include "runtime/runtime.h"

#define EVENTS_ALL	16u	/* of a kind about a lock; then ever rarer ones */
#define EVENT_KEY	(1ull << 63)	/* in the table: no address */

static struct lp_frame site_of(const void *where)
{
	return lp_place((uint64_t)(uintptr_t)where);
}

static uint32_t stack_of(const void *where)
{
	return lp_stack_capture(LP_STACK_FRAMES_MAX);
}

static void class_refined(uint32_t class_ref)
{
	lp_bump_generation();
}

const struct lp_track_ops lp_track_ops = { site_of, stack_of, class_refined, lp_signal_stamps };

void lp_next_set(struct lp_rec_slot *slot, const struct lp_next *next)
{
	lp_self.next = *next;
	lp_track_set_salt(slot);
	lp_next_keep(slot);
}

void lp_next_keep(struct lp_rec_slot *slot)
{
	if (lp_unlikely(lp_self.next.address))
		slot->salt = ~slot->salt;
}

/* Use up what was said about this acquisition. */
static LP_COLD void take_next(struct lp_rec_slot *slot, uint32_t *nest, uint8_t *subclass)
{
	const struct lp_next nothing = { 0, 0, 0 };

	*nest = lp_self.next.nest;
	*subclass = lp_self.next.subclass;
	lp_next_set(slot, &nothing);
}

static struct lp_acquire acquire_of(struct lp_rec_slot *slot, const struct lp_op *op)
{
	struct lp_lock_id lock = lp_lock_identify(op->home, op->address, op->kind, op->simple);
	struct lp_site site = { op->site, op->site };
	uint32_t nest = op->nest;
	uint8_t subclass = op->subclass;

	if (lp_unlikely(lp_self.once_count))
		lp_once_drop_left(slot, (uintptr_t)__builtin_frame_address(0));
	if (lp_unlikely(lp_self.signals.generation != lp_generation))
		lp_state_refresh(slot, op->site);
	if (lp_unlikely(lp_self.next.address == op->address))
		take_next(slot, &nest, &subclass);
	if (lp_unlikely(subclass) && lock.id)
		lock.id = lp_lock_subclass(lock, op->address, subclass);
	if (lock.id)
		site = lp_site_of(op->site, lp_track_class_of(&lp_rt.track.writer, lock.id));
	return (struct lp_acquire){
		.address = op->address | (op->simple ? 0 : LP_COUNTED),
		.serial = lock.serial,
		.site = site.key,
		.id = lock.id,
		.nest = nest,
		.mode = op->mode,
		.flags = op->flags,
		.where = (const void *)(uintptr_t)site.pc,
	};
}

void lp_hold(struct lp_rec_slot *slot, const struct lp_op *op)
{
	struct lp_acquire acquire = acquire_of(slot, op);

	lp_track_push(&lp_rt.track, slot, &acquire, lp_generation);
	if (lp_unlikely(op->robust))
		lp_track_top(slot)[-1].flags |= LP_ROBUST;
}

uint32_t lp_hold_note(struct lp_rec_slot *slot, const struct lp_op *op)
{
	struct lp_acquire acquire = acquire_of(slot, op);

	return lp_track_note(&lp_rt.track, slot, &acquire, lp_generation);
}

struct lp_held *lp_holds(const struct lp_rec_slot *slot, uint64_t address)
{
	struct lp_held *held = lp_track_find(slot, address);

	return held ? held : lp_track_find(slot, address | LP_COUNTED);
}

static void take_off(struct lp_rec_slot *slot, struct lp_held *held)
{
	if (held == lp_track_top(slot) - 1)
		lp_track_drop(slot);
	else
		lp_track_remove(slot, held);
}

void lp_hold_undo(struct lp_rec_slot *slot, const struct lp_op *op)
{
	struct lp_held *held = lp_holds(slot, op->address);

	if (held)
		take_off(slot, held);
}

/*
 * A forked child's own stack begins above what it has from its parent. That is not moved any more,
 * for nodes above refer to it: the entry of what is released names no lock.
 */
bool lp_release_inherited(struct lp_rec_slot *slot, uint64_t address)
{
	for (struct lp_held *held = lp_track_base(slot); held > lp_track_held(slot);) {
		held--;
		if ((held->flags & LP_INHERITED) && (held->lock & ~LP_COUNTED) == address) {
			held->lock = 0;
			return true;
		}
	}
	return false;
}

bool lp_release(struct lp_rec_slot *slot, uint64_t address)
{
	struct lp_held *held = lp_holds(slot, address);

	if (!held)
		return lp_release_inherited(slot, address);
	if (held->count) {
		held->count--;
		return true;
	}
	if (lp_unlikely(held->flags & LP_PINNED))
		lp_pin_broken(slot, held);
	take_off(slot, held);
	return true;
}

/* A forked child makes its parent's locks anew: the usual way to deal with them. */
static bool is_left_from_parent(const struct lp_held *held, enum lp_event_kind kind)
{
	return kind == LP_EVENT_INIT_HELD && (held->flags & LP_INHERITED);
}

bool lp_ends_held(struct lp_rec_slot *slot, enum lp_event_kind kind, struct lp_home home,
		  uint64_t address)
{
	struct lp_held *held = lp_holds(slot, address);

	if (!held)
		return false;
	if (!is_left_from_parent(held, kind))
		lp_misuse(slot, kind, home, address, slot->tid);
	if (kind == LP_EVENT_INIT_HELD)
		for (; held; held = lp_holds(slot, address))
			take_off(slot, held);
	return true;
}

void lp_misuse(struct lp_rec_slot *slot, enum lp_event_kind kind, struct lp_home home,
	       uint64_t address, uint32_t holder_tid)
{
	struct lp_lock_id lock = lp_lock_known(home, address);
	struct lp_misuse misuse = { kind, lock.id, address, lock.serial, holder_tid,
				    &lp_rt /* any address: the stack is this thread's own */ };
	uint64_t *seen = lp_table_get(lp_hash_add(lock.id, kind) | EVENT_KEY);
	uint64_t count = seen ? __atomic_fetch_add(&seen[0], 1, __ATOMIC_RELAXED) : 0;

	/* a habit of the program is not told every time */
	if (count >= EVENTS_ALL && (count & (count - 1)))
		return;
	lp_track_misuse(&lp_rt.track, slot, &misuse);
}

void lp_misuse_held(struct lp_rec_slot *slot, enum lp_event_kind kind, const struct lp_held *held)
{
	const struct lp_rec_node *node = lp_writer_at(&lp_rt.track.writer, held->node);
	struct lp_misuse misuse = { .kind = kind, .address = held->lock & ~LP_COUNTED,
				    .serial = held->serial, .where = &lp_rt };

	if (!held->node)
		return;
	misuse.lock = node->lock;
	lp_track_misuse(&lp_rt.track, slot, &misuse);
}

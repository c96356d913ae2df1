/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_thread.c — create and join: what orders threads.
 *
 * The creator makes the new thread's slot, so that the thread is tracked from its first
 * instruction; the slot carries the start routine. Detach, exit and cancel need no hook: the end
 * of a thread is seen by its slot's destructor, and a detached thread is never joined.
 */
#include "runtime/os.h"
#include "runtime/runtime.h"

#define LIFE_KEY	(1ull << 62)	/* in the table, with a pthread_t: CLASS and serial of its life */
#define STACK_MARGIN	1024u	/* libc's frame and the thread's descriptor lie above ours */

static struct lp_rec_slot *create_begins(uint64_t start, uint64_t argument,
					 const pthread_attr_t *attributes)
{
	size_t stack_size = lp_rt.stack_size;
	struct lp_rec_slot *self = lp_slot();
	struct lp_rec_slot *slot;

	if (!self)
		return NULL;
	if (lp_self.signals.in_child) {
		lp_self.signals.in_child = false;	/* a program of its own from now on */
		lp_state_refresh(self, LP_SITE());
	}
	slot = lp_slot_new(lp_thread_record(self->thread, self->epoch, start, true));
	if (!slot)
		return NULL;
	slot->start_routine = start;
	slot->start_arg = argument;
	if (attributes)
		pthread_attr_getstacksize(attributes, &stack_size);
	slot->stack_size = stack_size;
	slot->life = lp_class_of_life(start);
	slot->life_serial = __atomic_add_fetch(&lp_rt.track.writer.image->serial, 1,
					       __ATOMIC_RELAXED);
	lp_slot_next_epoch(self);
	__atomic_fetch_add(&lp_rt.unjoined, 1, __ATOMIC_RELAXED);
	return slot;
}

/*
 * Which THREAD a pthread_t is, and its life: for those who join it. Noted by the thread itself and
 * by its creator, for either may be late.
 */
struct identity {
	uint32_t	thread, life;
	uint64_t	serial;
};

static struct identity identity_of(const struct lp_rec_slot *slot)
{
	return (struct identity){ slot->thread, slot->life, slot->life_serial };
}

static void note_identity(pthread_t pthread, struct identity identity)
{
	uint64_t *entry = lp_table_get(pthread), *of_life = lp_table_get(pthread | LIFE_KEY);

	if (!entry || !of_life || __atomic_load_n(&entry[0], __ATOMIC_ACQUIRE) == identity.thread)
		return;
	of_life[0] = identity.life;
	of_life[1] = identity.serial;
	__atomic_store_n(&entry[0], identity.thread, __ATOMIC_RELEASE);
}

/* The slot is the new thread's, which may have ended by now, unless there is none. */
static void create_ended(struct lp_rec_slot *slot, struct identity identity, pthread_t pthread,
			 bool created)
{
	if (created) {
		note_identity(pthread, identity);
		return;
	}
	__atomic_fetch_sub(&lp_rt.unjoined, 1, __ATOMIC_RELAXED);
	lp_slot_free(slot);
}

static void hold_life(struct lp_rec_slot *slot)
{
	struct lp_acquire acquire = {
		.address = slot->pthread, .serial = slot->life_serial, .id = slot->life,
		.mode = LP_READ, .site = slot->start_routine + 1,
		/* as a return address: it belongs to the call before it */
		.where = (const void *)(uintptr_t)(slot->start_routine + 1),
	};

	if (!slot->life)
		return;
	lp_track_push(&lp_rt.track, slot, &acquire, lp_generation);
	lp_track_top(slot)[-1].flags |= LP_ROBUST;	/* ends with the thread */
	slot->acquisitions--;				/* nothing that the program took */
}

/* The new thread's first steps. */
static void begin(struct lp_rec_slot *slot, uint64_t frame)
{
	lp_self.stack_end = frame + STACK_MARGIN;
	/* libc takes its descriptor, guard and thread-local storage from the size asked for */
	lp_self.stack_start = lp_self.stack_end - slot->stack_size / 2;
	/* before the thread's name is read: one that is set from now on finds the entry */
	note_identity(pthread_self(), identity_of(slot));
	lp_thread_begin(slot);
	hold_life(slot);
}

static void *thread_main(void *argument)
{
	struct lp_rec_slot *slot = argument;

	begin(slot, (uintptr_t)__builtin_frame_address(0));
	return ((lp_thread_fn *)(uintptr_t)slot->start_routine)((void *)(uintptr_t)slot->start_arg);
}

static int thrd_main(void *argument)
{
	struct lp_rec_slot *slot = argument;

	begin(slot, (uintptr_t)__builtin_frame_address(0));
	return ((thrd_start_t)(uintptr_t)slot->start_routine)((void *)(uintptr_t)slot->start_arg);
}

LP_PUBLIC int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			     lp_thread_fn *start, void *argument)
{
	struct lp_rec_slot *slot = create_begins((uintptr_t)start, (uintptr_t)argument,
						 attributes);
	struct identity identity;
	int result;

	if (!slot)
		return lp_real.pthread_create(thread, attributes, start, argument);
	identity = identity_of(slot);
	result = lp_real.pthread_create(thread, attributes, thread_main, slot);
	create_ended(slot, identity, *thread, result == 0);
	return result;
}

LP_PUBLIC int thrd_create(thrd_t *thread, thrd_start_t start, void *argument)
{
	struct lp_rec_slot *slot = create_begins((uintptr_t)start, (uintptr_t)argument, NULL);
	struct identity identity;
	int result;

	if (!slot)
		return lp_real.thrd_create(thread, start, argument);
	identity = identity_of(slot);
	result = lp_real.thrd_create(thread, thrd_main, slot);
	create_ended(slot, identity, *thread, result == thrd_success);
	return result;
}

struct join {
	struct lp_rec_slot *slot;
	pthread_t	target;
	uint32_t	thread;		/* THREAD, when it is known before the join */
};

/*
 * Does it hold a lock under which threads tell one another things? Then the joined one may have told
 * that it is done with it: pools are ended that way.
 */
static bool may_know(const struct lp_rec_slot *slot)
{
	const struct lp_writer *writer = &lp_rt.track.writer;

	for (const struct lp_held *h = lp_track_base(slot); h < lp_track_top(slot); h++) {
		const struct lp_rec_node *node = h->node ? lp_writer_at(writer, h->node) : NULL;
		const struct lp_rec_class *class;

		if (!node || !node->lock)
			continue;
		class = lp_writer_at(writer, lp_track_class_of(writer, node->lock));
		if (__atomic_load_n(&class->conditions, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

/* That the thread waits for the other's life is a fact before it does. */
static void note_wait(struct lp_rec_slot *slot, pthread_t target, uint8_t flags, uint64_t site)
{
	const uint64_t *life = lp_table_find(target | LIFE_KEY);
	struct lp_acquire acquire = {
		.address = target, .mode = LP_WRITE, .flags = (uint8_t)(flags | LP_SYNC),
		.site = site, .where = (const void *)(uintptr_t)site,
	};

	if (!life || !life[0] || flags & LP_TRY)
		return;
	if (may_know(slot))
		acquire.flags |= LP_TIMED;	/* it is not known to last */
	acquire.id = (uint32_t)life[0];
	acquire.serial = life[1];
	if (lp_self.signals.generation != lp_generation)
		lp_state_refresh(slot, site);
	slot->wait_node = lp_track_note(&lp_rt.track, slot, &acquire, lp_generation);
	if (!(flags & LP_TIMED))
		slot->wait_lock = target;
}

static void join_begins(struct join *join, pthread_t target, uint8_t flags, uint64_t site)
{
	const uint64_t *entry = lp_table_find(target);

	join->slot = lp_slot();
	join->target = target;
	join->thread = entry ? (uint32_t)entry[0] : 0;
	if (!join->slot)
		return;
	join->slot->wait_lock = 0;
	note_wait(join->slot, target, flags, site);
	join->slot->wait_object = target;
	join->slot->wait_thread = join->thread;
	join->slot->wait = LP_WAIT_JOIN;
}

static void join_ended(struct join *join, bool joined)
{
	struct lp_writer *writer = &lp_rt.track.writer;
	uint64_t *entry = lp_table_find(join->target);
	struct lp_rec_join *record;

	if (!join->slot)
		return;
	join->slot->wait = LP_WAIT_NONE;
	join->slot->wait_lock = 0;
	if (!joined)
		return;
	lp_slot_next_epoch(join->slot);
	__atomic_fetch_sub(&lp_rt.unjoined, 1, __ATOMIC_RELAXED);
	if (!join->thread && entry)
		join->thread = (uint32_t)entry[0];
	record = join->thread ? lp_writer_begin(writer, LP_REC_JOIN, sizeof(*record), 0) : NULL;
	if (!record)
		return;
	record->joiner = join->slot->thread;
	record->epoch = join->slot->epoch;
	record->joined = join->thread;
	lp_writer_done(record);
}

/* Joins are cancellation points: the wait mark is then left to the end of the thread. */
#define JOIN(target, success, flags, call) do { \
	struct join join_; \
	int result_; \
	join_begins(&join_, target, flags, LP_SITE()); \
	result_ = call; \
	join_ended(&join_, result_ == (success)); \
	return result_; \
} while (0)

LP_PUBLIC int pthread_join(pthread_t thread, void **value)
{
	JOIN(thread, 0, 0, lp_real.pthread_join(thread, value));
}

LP_PUBLIC int pthread_tryjoin_np(pthread_t thread, void **value)
{
	JOIN(thread, 0, LP_TRY, lp_real.pthread_tryjoin_np(thread, value));
}

LP_PUBLIC int pthread_timedjoin_np(pthread_t thread, void **value, const struct timespec *until)
{
	JOIN(thread, 0, LP_TIMED, lp_real.pthread_timedjoin_np(thread, value, until));
}

LP_PUBLIC int pthread_clockjoin_np(pthread_t thread, void **value, clockid_t clock,
				   const struct timespec *until)
{
	JOIN(thread, 0, LP_TIMED, lp_real.pthread_clockjoin_np(thread, value, clock, until));
}

LP_PUBLIC int thrd_join(thrd_t thread, int *value)
{
	JOIN(thread, thrd_success, 0, lp_real.thrd_join(thread, value));
}

LP_PUBLIC int pthread_setname_np(pthread_t thread, const char *name)
{
	struct lp_rec_slot *slot = lp_slot();
	int result = lp_real.pthread_setname_np(thread, name);
	const uint64_t *entry;

	if (!slot || result)
		return result;
	entry = lp_table_find(thread);
	if (thread == pthread_self())
		lp_thread_name(slot->thread, slot->tid, name);
	else if (entry)
		lp_thread_name((uint32_t)entry[0], 0, name);
	return result;
}

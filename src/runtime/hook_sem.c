/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_sem.c — semaphores: a lock, a number of places, or a way to hand something over.
 *
 * Which of them, its use tells. One that starts with 1 is taken for a lock, with more for so many
 * places (held as by readers, and a wait for one may end when any is given back), with 0 for a
 * hand-over: that is not tracked, and neither is one whose initialisation was not seen. A post by
 * somebody who does not hold it shows that the class is a hand-over, for good and in hindsight.
 *
 * The one wait that shows it may block for long before, so its facts are written when it is over.
 * That a thread is in a wait is told by its slot, with a node that orders nothing.
 */
#include <fcntl.h>
#include <stdarg.h>

#include "runtime/runtime.h"

/* glibc's, of 64 bits. */
struct words {
	uint32_t	value;
	uint32_t	waiters;
	uint32_t	shared;		/* 0: of this process only */
};

static const struct words *words_of(const sem_t *sem)
{
	_Static_assert(sizeof(struct words) <= sizeof(sem_t), "glibc's semaphore");
	return (const struct words *)(const void *)sem;
}

static struct lp_home home_of(const sem_t *sem)
{
	uint64_t *value = lp_table_find((uintptr_t)sem);

	return value ? (struct lp_home){ &value[0], &value[1] } : (struct lp_home){ NULL, NULL };
}

static struct lp_rec_class *class_of(uint32_t id)
{
	const struct lp_writer *writer = &lp_rt.track.writer;

	return lp_writer_at(writer, lp_track_class_of(writer, id));
}

static void note_use(uint32_t id, unsigned use)
{
	uint16_t *have = &class_of(id)->use;

	if (!(__atomic_load_n(have, __ATOMIC_RELAXED) & use))
		__atomic_fetch_or(have, (uint16_t)use, __ATOMIC_RELAXED);
}

static bool is_handed(uint32_t id)
{
	return __atomic_load_n(&class_of(id)->use, __ATOMIC_RELAXED) & LP_CLASS_HANDED;
}

/* Whatever this thread has of it: it no longer means anything. */
static void drop(struct lp_rec_slot *slot, const sem_t *sem)
{
	struct lp_held *held = lp_holds(slot, (uintptr_t)sem);

	if (!held)
		return;
	held->count = 0;
	lp_release(slot, (uintptr_t)sem);
}

/* False: it is no lock, as far as is known. */
static bool op_of(const sem_t *sem, uint8_t flags, uint64_t site, struct lp_op *op)
{
	struct lp_home home = home_of(sem);
	struct lp_lock_id lock = lp_lock_known(home, (uintptr_t)sem);
	bool one;

	if (!lock.id || is_handed(lock.id))
		return false;
	/* a semaphore of one place is tagged as simple */
	one = (uint32_t)*home.word == lp_tag_check((uintptr_t)sem, lp_nonce);
	/* what other processes do with a shared one is not seen */
	if (!one || words_of(sem)->shared)
		flags |= LP_TIMED;
	*op = (struct lp_op){
		.home = home,
		.address = (uintptr_t)sem,
		.site = site,
		.kind = LP_LOCK_SEMAPHORE,
		.mode = one ? LP_WRITE : LP_READ,
		.flags = flags,
		.simple = one,
		.robust = true,
	};
	return true;
}

/* A wait succeeded. */
static void taken(struct lp_rec_slot *slot, const sem_t *sem, const struct lp_op *op)
{
	struct lp_lock_id lock = lp_lock_known(op->home, op->address);
	struct lp_held *held = lp_holds(slot, op->address);

	/* not given back by this thread, and yet there: another process did */
	if (held && op->mode == LP_WRITE && lock.id)
		note_use(lock.id, LP_CLASS_HANDED);
	if (!lock.id || is_handed(lock.id))
		drop(slot, sem);
	else if (!held)
		lp_hold(slot, op);
	else if (held->count < UINT16_MAX)
		held->count++;
}

struct wait {
	struct lp_rec_slot *slot;
	bool		tracked;
	struct lp_op	op;
};

/* No place is free: say that the thread waits, and what for. */
static void mark(struct lp_rec_slot *slot, const sem_t *sem, struct wait *wait)
{
	struct lp_op note = wait->op;

	slot->wait_lock = 0;
	if (wait->tracked) {
		note.flags |= LP_TRY;
		slot->wait_node = lp_hold_note(slot, &note);
		if (wait->op.mode == LP_WRITE)
			slot->wait_lock = (uintptr_t)sem;
	}
	slot->wait_object = (uintptr_t)sem;
	slot->wait = LP_WAIT_SEM;
}

static void wait_begins(struct wait *wait, const sem_t *sem, uint8_t flags, uint64_t site)
{
	struct lp_rec_slot *slot = lp_slot();

	wait->slot = slot;
	if (!slot)
		return;
	wait->tracked = op_of(sem, flags, site, &wait->op);
	/* who ends the wait for a shared one is not known */
	if (!(flags & (LP_TRY | LP_TIMED)) && !words_of(sem)->shared &&
	    !__atomic_load_n(&words_of(sem)->value, __ATOMIC_RELAXED))
		mark(slot, sem, wait);
}

static void wait_ended(struct wait *wait, const sem_t *sem, int result)
{
	struct lp_rec_slot *slot = wait->slot;

	if (!slot)
		return;
	if (slot->wait == LP_WAIT_SEM) {
		slot->wait = LP_WAIT_NONE;
		slot->wait_lock = 0;
	}
	if (!result && wait->tracked)
		taken(slot, sem, &wait->op);
}

/* A cancelled wait leaves its mark to the end of the thread. */
#define WAIT(flags, call) do { \
	struct wait wait_; \
	int result_; \
	wait_begins(&wait_, sem, flags, LP_SITE()); \
	result_ = call; \
	wait_ended(&wait_, sem, result_); \
	return result_; \
} while (0)

LP_PUBLIC int sem_wait(sem_t *sem)
{
	WAIT(0, lp_real.sem_wait(sem));
}

LP_PUBLIC int sem_trywait(sem_t *sem)
{
	WAIT(LP_TRY, lp_real.sem_trywait(sem));
}

LP_PUBLIC int sem_timedwait(sem_t *sem, const struct timespec *until)
{
	WAIT(LP_TIMED, lp_real.sem_timedwait(sem, until));
}

LP_PUBLIC int sem_clockwait(sem_t *sem, clockid_t clock, const struct timespec *until)
{
	WAIT(LP_TIMED, lp_real.sem_clockwait(sem, clock, until));
}

/*
 * Before the post: others that it lets in find it given. A handler's post does not find what the
 * code below it holds, and a child's of a shared one finds what was its parent's: hand-overs.
 */
static void post_begins(struct lp_rec_slot *slot, const sem_t *sem)
{
	struct lp_lock_id lock = lp_lock_known(home_of(sem), (uintptr_t)sem);
	const struct lp_held *held = lp_holds(slot, (uintptr_t)sem);
	bool own = held && !((held->flags & LP_INHERITED) && words_of(sem)->shared);

	own |= lp_release(slot, (uintptr_t)sem) && !words_of(sem)->shared;
	if (lock.id && !slot->lossy)
		note_use(lock.id, own ? LP_CLASS_RETURNED : LP_CLASS_HANDED);
}

LP_PUBLIC int sem_post(sem_t *sem)
{
	struct lp_rec_slot *slot = lp_slot();

	if (slot)
		post_begins(slot, sem);
	return lp_real.sem_post(sem);
}

static void begins(const sem_t *sem, unsigned value)
{
	struct lp_rec_slot *slot = lp_own_slot();

	if (!slot)
		return;
	drop(slot, sem);
	if (value)
		lp_lock_register(lp_home_in_table(sem), (uintptr_t)sem, LP_LOCK_SEMAPHORE,
				 value == 1);
	else
		lp_lock_forget(home_of(sem));
}

static void ends(const sem_t *sem)
{
	struct lp_rec_slot *slot = lp_own_slot();

	if (!slot)
		return;
	drop(slot, sem);
	lp_lock_forget(home_of(sem));
}

LP_PUBLIC int sem_init(sem_t *sem, int shared, unsigned value)
{
	int result = (lp_slot(), lp_real.sem_init(sem, shared, value));

	if (!result)
		begins(sem, value);
	return result;
}

LP_PUBLIC int sem_destroy(sem_t *sem)
{
	int result = (lp_slot(), lp_real.sem_destroy(sem));

	if (!result)
		ends(sem);
	return result;
}

/* Only one that was made here has a beginning that is known. */
LP_PUBLIC sem_t *sem_open(const char *name, int how, ...)
{
	unsigned value = 0;
	mode_t mode = 0;
	va_list more;
	sem_t *sem;

	if (how & O_CREAT) {
		va_start(more, how);
		mode = va_arg(more, mode_t);
		value = va_arg(more, unsigned);
		va_end(more);
	}
	lp_slot();
	sem = how & O_CREAT ? lp_real.sem_open(name, how, mode, value) :
			      lp_real.sem_open(name, how);
	if (sem != SEM_FAILED && (how & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		begins(sem, value);
	return sem;
}

LP_PUBLIC int sem_close(sem_t *sem)
{
	lp_slot();
	if (lp_own_slot())
		ends(sem);
	return lp_real.sem_close(sem);
}

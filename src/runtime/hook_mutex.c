/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_mutex.c — pthread_mutex_t, and mtx_t, which glibc builds from it.
 *
 * Plain mutexes (normal and adaptive, private, not robust, no priority protocol) can only be
 * acquired or block: they are pushed first and libc is called last. Every other kind may refuse,
 * so what it answered is looked at.
 */
#include <errno.h>

#include "runtime/runtime.h"

enum { TYPE_RECURSIVE = 1, TYPE_ERRORCHECK = 2, TYPE_MASK = 3, KIND_ELISION = 256 | 512 };

static int kind_of(const pthread_mutex_t *mutex)
{
	return __atomic_load_n(&mutex->__data.__kind, __ATOMIC_RELAXED) & ~KIND_ELISION;
}

static bool is_plain(int kind)
{
	return kind == PTHREAD_MUTEX_TIMED_NP || kind == PTHREAD_MUTEX_ADAPTIVE_NP;
}

static enum lp_lock_kind lock_kind(int kind)
{
	switch (kind & TYPE_MASK) {
	case TYPE_RECURSIVE:
		return LP_LOCK_RECURSIVE;
	case TYPE_ERRORCHECK:
		return LP_LOCK_ERRORCHECK;
	}
	return LP_LOCK_MUTEX;
}

enum lp_lock_kind lp_mutex_kind(const pthread_mutex_t *mutex, bool *simple)
{
	int kind = kind_of(mutex);

	*simple = is_plain(kind);
	return lock_kind(kind);
}

static struct lp_op op_of(pthread_mutex_t *mutex, uint8_t flags, uint64_t site)
{
	int kind = kind_of(mutex);

	return (struct lp_op){
		.home = lp_home_of_mutex(mutex),
		.address = (uintptr_t)mutex,
		.site = site,
		.kind = lock_kind(kind),
		.mode = LP_WRITE,
		.flags = flags,
		.robust = kind > 0 && (kind & LP_KIND_ROBUST),
		.simple = is_plain(kind),
	};
}

static bool is_acquired(int result)
{
	return result == 0 || result == EOWNERDEAD;
}

/*
 * The entry of a lock that this thread holds. Somebody else may have released it (misuse, reported
 * when it happened): libc knows the owner, and the entry goes.
 */
static struct lp_held *holds(struct lp_rec_slot *slot, const struct lp_op *op)
{
	const pthread_mutex_t *mutex = (const pthread_mutex_t *)(uintptr_t)op->address;
	struct lp_held *held = lp_holds(slot, op->address);
	uint32_t owner = (uint32_t)mutex->__data.__owner;

	/* what a forked child holds since before still names the parent */
	if (!held || owner == slot->tid || (owner && (held->flags & LP_INHERITED)))
		return held;
	held->count = 0;
	lp_release(slot, op->address);
	return NULL;
}

/*
 * An acquisition that may block, in two halves around libc's call. Locking again what the thread
 * holds is counted by a recursive type, refused by an error-checking one; any other waits for
 * ever. True: the lock is held already.
 */
static bool lock_begins(struct lp_rec_slot *slot, const struct lp_op *op)
{
	bool again = holds(slot, op) != NULL;

	if (!again || op->kind == LP_LOCK_MUTEX)
		lp_hold(slot, op);
	return again;
}

static void lock_ended(struct lp_rec_slot *slot, const struct lp_op *op, bool again, int result)
{
	struct lp_held *held;

	if (!again || op->kind == LP_LOCK_MUTEX) {
		if (!is_acquired(result))
			lp_hold_undo(slot, op);
	} else if (op->kind == LP_LOCK_RECURSIVE) {
		held = lp_holds(slot, op->address);
		if (held && is_acquired(result))
			held->count++;
	} else if (result == EDEADLK) {
		lp_misuse(slot, LP_EVENT_RELOCK, op->home, op->address, slot->tid);
	}
}

/* A try that succeeded. */
static void trylock_ended(struct lp_rec_slot *slot, const struct lp_op *op)
{
	struct lp_held *held = lp_holds(slot, op->address);

	if (held && op->kind == LP_LOCK_RECURSIVE)
		held->count++;
	else
		lp_hold(slot, op);
}

/* Results of mtx_*() carry errno values in another coat. */
static int from_thrd(int result)
{
	return result == thrd_success ? 0 : result == thrd_busy ? EBUSY : EINVAL;
}

#define LOCK(mutex_, flags_, call, translate) do { \
	struct lp_rec_slot *slot_ = lp_slot(); \
	struct lp_op op_; \
	bool again_; \
	int result_; \
	if (!slot_) \
		return call; \
	op_ = op_of(mutex_, flags_, LP_SITE()); \
	again_ = lock_begins(slot_, &op_); \
	result_ = call; \
	lock_ended(slot_, &op_, again_, translate(result_)); \
	return result_; \
} while (0)

#define AS_IT_IS(result) (result)

/* `real` is where libc's function will be found: it may not be known before lp_slot(). */
static LP_COLD int lock_slow(pthread_mutex_t *mutex, int (*const *real)(void *), uint64_t site)
{
	struct lp_rec_slot *slot = lp_slot();
	struct lp_op op;
	bool again;
	int result;

	if (!slot)
		return (*real)(mutex);
	op = op_of(mutex, 0, site);
	again = lock_begins(slot, &op);
	result = (*real)(mutex);
	if (!op.simple)
		lock_ended(slot, &op, again, result);
	return result;
}

/* Plain kinds only: they alone carry a tag with the first nonce. */
static inline bool lock_fast(pthread_mutex_t *mutex, uint64_t site)
{
	return lp_hold_fast(lp_self.slot, (uint64_t *)&mutex->__data.__list.__prev,
			    (uint64_t *)&mutex->__data.__list.__next, (uintptr_t)mutex, site,
			    LP_KEY_HOW(LP_WRITE, 0));
}

LP_PUBLIC int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	if (lp_likely(lock_fast(mutex, LP_SITE())))
		return lp_real.pthread_mutex_lock(mutex);
	return lock_slow(mutex, (int (*const *)(void *))&lp_real.pthread_mutex_lock, LP_SITE());
}

LP_PUBLIC int mtx_lock(mtx_t *mtx)
{
	pthread_mutex_t *mutex = (pthread_mutex_t *)mtx;

	if (lp_likely(lock_fast(mutex, LP_SITE())))
		return lp_real.mtx_lock(mtx);
	return lock_slow(mutex, (int (*const *)(void *))&lp_real.mtx_lock, LP_SITE());
}

static LP_COLD void unlock_slow(pthread_mutex_t *mutex)
{
	struct lp_rec_slot *slot = lp_slot();
	uint32_t owner = (uint32_t)__atomic_load_n(&mutex->__data.__owner, __ATOMIC_RELAXED);
	struct lp_op op;

	if (!slot || lp_release(slot, (uintptr_t)mutex) || slot->lossy)
		return;
	/* not taken where it was seen; libc knows whether it was taken at all */
	if (kind_of(mutex) < 0 || (mutex->__data.__lock && (!owner || owner == slot->tid)))
		return;
	op = op_of(mutex, 0, 0);
	lp_lock_identify(op.home, op.address, op.kind, op.simple);
	lp_misuse(slot, LP_EVENT_UNLOCK_NOT_HELD, op.home, op.address, owner);
}

static inline void unlock(pthread_mutex_t *mutex)
{
	if (lp_unlikely(!lp_release_fast(lp_self.slot, (uintptr_t)mutex)))
		unlock_slow(mutex);
}

LP_PUBLIC int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	unlock(mutex);
	return lp_real.pthread_mutex_unlock(mutex);
}

LP_PUBLIC int mtx_unlock(mtx_t *mtx)
{
	unlock((pthread_mutex_t *)mtx);
	return lp_real.mtx_unlock(mtx);
}

LP_PUBLIC int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
	int result = (lp_slot(), lp_real.pthread_mutex_trylock(mutex));
	struct lp_rec_slot *slot = lp_own_slot();
	struct lp_op op;

	if (slot && is_acquired(result)) {
		op = op_of(mutex, LP_TRY, LP_SITE());
		trylock_ended(slot, &op);
	}
	return result;
}

LP_PUBLIC int mtx_trylock(mtx_t *mtx)
{
	int result = (lp_slot(), lp_real.mtx_trylock(mtx));
	struct lp_rec_slot *slot = lp_own_slot();
	struct lp_op op;

	if (slot && result == thrd_success) {
		op = op_of((pthread_mutex_t *)mtx, LP_TRY, LP_SITE());
		trylock_ended(slot, &op);
	}
	return result;
}

LP_PUBLIC int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *until)
{
	LOCK(mutex, LP_TIMED, lp_real.pthread_mutex_timedlock(mutex, until), AS_IT_IS);
}

LP_PUBLIC int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock,
				      const struct timespec *until)
{
	LOCK(mutex, LP_TIMED, lp_real.pthread_mutex_clocklock(mutex, clock, until), AS_IT_IS);
}

LP_PUBLIC int mtx_timedlock(mtx_t *mtx, const struct timespec *until)
{
	LOCK((pthread_mutex_t *)mtx, LP_TIMED, lp_real.mtx_timedlock(mtx, until), from_thrd);
}

static void initialised(pthread_mutex_t *mutex)
{
	struct lp_rec_slot *slot = lp_slot();
	int kind = kind_of(mutex);

	if (slot)
		lp_lock_register(lp_home_of_mutex(mutex), (uintptr_t)mutex, lock_kind(kind),
				 is_plain(kind));
}

/* Before libc overwrites it. */
static void init_begins(pthread_mutex_t *mutex)
{
	struct lp_rec_slot *slot = lp_slot();

	/* an old entry only: the bytes may be anything, so they are not looked at */
	if (slot && lp_holds(slot, (uintptr_t)mutex))
		lp_ends_held(slot, LP_EVENT_INIT_HELD, lp_home_of_mutex(mutex),
			     (uintptr_t)mutex);
}

LP_PUBLIC int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
	int result;

	init_begins(mutex);
	result = lp_real.pthread_mutex_init(mutex, attributes);
	if (result == 0)
		initialised(mutex);
	return result;
}

LP_PUBLIC int mtx_init(mtx_t *mtx, int type)
{
	int result;

	init_begins((pthread_mutex_t *)mtx);
	result = lp_real.mtx_init(mtx, type);
	if (result == thrd_success)
		initialised((pthread_mutex_t *)mtx);
	return result;
}

/* Held by this thread, or by whom libc says; what is destroyed while waited for stays alone. */
static struct lp_home destroy_begins(pthread_mutex_t *mutex)
{
	struct lp_rec_slot *slot = lp_slot();
	uint32_t owner = (uint32_t)__atomic_load_n(&mutex->__data.__owner, __ATOMIC_RELAXED);
	struct lp_home home = { NULL, NULL };

	if (!slot || kind_of(mutex) < 0)
		return home;
	home = lp_home_of_mutex(mutex);
	if (!lp_ends_held(slot, LP_EVENT_DESTROY_HELD, home, (uintptr_t)mutex) &&
	    mutex->__data.__lock && owner && owner != slot->tid &&
	    lp_lock_known(home, (uintptr_t)mutex).id)
		lp_misuse(slot, LP_EVENT_DESTROY_HELD, home, (uintptr_t)mutex, owner);
	return home;
}

LP_PUBLIC int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
	struct lp_home home = destroy_begins(mutex);
	int result = lp_real.pthread_mutex_destroy(mutex);

	if (result == 0)
		lp_lock_forget(home);
	return result;
}

LP_PUBLIC void mtx_destroy(mtx_t *mtx)
{
	struct lp_home home = destroy_begins((pthread_mutex_t *)mtx);

	lp_real.mtx_destroy(mtx);
	lp_lock_forget(home);
}

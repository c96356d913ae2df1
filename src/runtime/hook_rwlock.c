/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_rwlock.c — pthread_rwlock_t.
 *
 * A thread may hold a read lock several times: each has an entry of its own, and an unlock takes
 * the innermost off. glibc lets readers pass queued writers unless the attribute forbids it.
 */
#include "runtime/runtime.h"

static uint8_t read_flags(const pthread_rwlock_t *rwlock)
{
	return rwlock->__data.__flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP ? 0
											: LP_PREFER;
}

static struct lp_op op_of(pthread_rwlock_t *rwlock, enum lp_mode mode, uint8_t flags,
			  uint64_t site)
{
	return (struct lp_op){
		.home = lp_home_of_rwlock(rwlock),
		.address = (uintptr_t)rwlock,
		.site = site,
		.kind = LP_LOCK_RWLOCK,
		.mode = (uint8_t)mode,
		.flags = (uint8_t)(flags | (mode == LP_READ ? read_flags(rwlock) : 0)),
		.simple = true,
	};
}

static inline bool lock_fast(pthread_rwlock_t *rwlock, uint64_t site, uint64_t how)
{
	return lp_hold_fast(lp_self.slot, &rwlock->__data.__pad2,
			    (uint64_t *)&rwlock->__data.__pad3, (uintptr_t)rwlock, site, how);
}

static LP_COLD void lock_slow(pthread_rwlock_t *rwlock, enum lp_mode mode, uint8_t flags,
			      uint64_t site)
{
	struct lp_rec_slot *slot = lp_slot();
	struct lp_op op;

	if (!slot)
		return;
	op = op_of(rwlock, mode, flags, site);
	lp_hold(slot, &op);
}

static inline void lock_begins(pthread_rwlock_t *rwlock, enum lp_mode mode, uint8_t flags,
			       uint64_t site)
{
	uint64_t how = LP_KEY_HOW(mode, flags | (mode == LP_READ ? read_flags(rwlock) : 0));

	if (lp_unlikely(!lock_fast(rwlock, site, how)))
		lock_slow(rwlock, mode, flags, site);
}

static LP_COLD void lock_failed(pthread_rwlock_t *rwlock)
{
	if (lp_own_slot())
		lp_release(lp_self.slot, (uintptr_t)rwlock);
}

/* May be refused (EDEADLK, EAGAIN, ETIMEDOUT), so what libc answered is looked at. */
#define LOCK(mode, flags, call) do { \
	int result_; \
	lock_begins(rwlock, mode, flags, LP_SITE()); \
	result_ = call; \
	if (lp_unlikely(result_)) \
		lock_failed(rwlock); \
	return result_; \
} while (0)

/* Cannot block: noted once it has succeeded. */
#define TRYLOCK(mode, call) do { \
	int result_ = (lp_slot(), call); \
	if (!result_) \
		lock_begins(rwlock, mode, LP_TRY, LP_SITE()); \
	return result_; \
} while (0)

LP_PUBLIC int pthread_rwlock_rdlock(pthread_rwlock_t *rwlock)
{
	LOCK(LP_READ, 0, lp_real.pthread_rwlock_rdlock(rwlock));
}

LP_PUBLIC int pthread_rwlock_wrlock(pthread_rwlock_t *rwlock)
{
	LOCK(LP_WRITE, 0, lp_real.pthread_rwlock_wrlock(rwlock));
}

LP_PUBLIC int pthread_rwlock_tryrdlock(pthread_rwlock_t *rwlock)
{
	TRYLOCK(LP_READ, lp_real.pthread_rwlock_tryrdlock(rwlock));
}

LP_PUBLIC int pthread_rwlock_trywrlock(pthread_rwlock_t *rwlock)
{
	TRYLOCK(LP_WRITE, lp_real.pthread_rwlock_trywrlock(rwlock));
}

LP_PUBLIC int pthread_rwlock_timedrdlock(pthread_rwlock_t *rwlock, const struct timespec *until)
{
	LOCK(LP_READ, LP_TIMED, lp_real.pthread_rwlock_timedrdlock(rwlock, until));
}

LP_PUBLIC int pthread_rwlock_timedwrlock(pthread_rwlock_t *rwlock, const struct timespec *until)
{
	LOCK(LP_WRITE, LP_TIMED, lp_real.pthread_rwlock_timedwrlock(rwlock, until));
}

LP_PUBLIC int pthread_rwlock_clockrdlock(pthread_rwlock_t *rwlock, clockid_t clock,
					 const struct timespec *until)
{
	LOCK(LP_READ, LP_TIMED, lp_real.pthread_rwlock_clockrdlock(rwlock, clock, until));
}

LP_PUBLIC int pthread_rwlock_clockwrlock(pthread_rwlock_t *rwlock, clockid_t clock,
					 const struct timespec *until)
{
	LOCK(LP_WRITE, LP_TIMED, lp_real.pthread_rwlock_clockwrlock(rwlock, clock, until));
}

static LP_COLD void unlock_slow(pthread_rwlock_t *rwlock)
{
	struct lp_rec_slot *slot = lp_slot();
	uint32_t writer = (uint32_t)__atomic_load_n(&rwlock->__data.__cur_writer, __ATOMIC_RELAXED);
	struct lp_home home;

	if (!slot || lp_release(slot, (uintptr_t)rwlock) || slot->lossy || writer == slot->tid)
		return;
	home = lp_home_of_rwlock(rwlock);
	if (lp_lock_known(home, (uintptr_t)rwlock).id)
		lp_misuse(slot, LP_EVENT_UNLOCK_NOT_HELD, home, (uintptr_t)rwlock, writer);
}

LP_PUBLIC int pthread_rwlock_unlock(pthread_rwlock_t *rwlock)
{
	if (lp_unlikely(!lp_release_fast(lp_self.slot, (uintptr_t)rwlock)))
		unlock_slow(rwlock);
	return lp_real.pthread_rwlock_unlock(rwlock);
}

LP_PUBLIC int pthread_rwlock_init(pthread_rwlock_t *rwlock, const pthread_rwlockattr_t *attributes)
{
	struct lp_rec_slot *slot = lp_slot();
	int result;

	if (slot && lp_holds(slot, (uintptr_t)rwlock))
		lp_ends_held(slot, LP_EVENT_INIT_HELD, lp_home_of_rwlock(rwlock),
			     (uintptr_t)rwlock);
	result = lp_real.pthread_rwlock_init(rwlock, attributes);
	if (result == 0 && slot)
		lp_lock_register(lp_home_of_rwlock(rwlock), (uintptr_t)rwlock, LP_LOCK_RWLOCK,
				 true);
	return result;
}

/* glibc destroys a held rwlock without a word; the count of readers lies above three flags. */
static struct lp_home destroy_begins(pthread_rwlock_t *rwlock)
{
	struct lp_rec_slot *slot = lp_slot();
	uint32_t writer = (uint32_t)__atomic_load_n(&rwlock->__data.__cur_writer, __ATOMIC_RELAXED);
	uint32_t readers = __atomic_load_n(&rwlock->__data.__readers, __ATOMIC_RELAXED) >> 3;
	struct lp_home home = { NULL, NULL };

	if (!slot)
		return home;
	home = lp_home_of_rwlock(rwlock);
	if (!lp_ends_held(slot, LP_EVENT_DESTROY_HELD, home, (uintptr_t)rwlock) &&
	    (writer || readers) && lp_lock_known(home, (uintptr_t)rwlock).id)
		lp_misuse(slot, LP_EVENT_DESTROY_HELD, home, (uintptr_t)rwlock, writer);
	return home;
}

LP_PUBLIC int pthread_rwlock_destroy(pthread_rwlock_t *rwlock)
{
	struct lp_home home = destroy_begins(rwlock);
	int result = lp_real.pthread_rwlock_destroy(rwlock);

	if (result == 0)
		lp_lock_forget(home);
	return result;
}

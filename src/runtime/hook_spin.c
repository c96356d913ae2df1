/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_spin.c — pthread_spinlock_t: one int, no room for a tag, so the address table keeps it.
 */
#include "runtime/runtime.h"

static struct lp_op op_of(pthread_spinlock_t *lock, struct lp_home home, uint8_t flags,
			  uint64_t site)
{
	return (struct lp_op){
		.home = home,
		.address = (uintptr_t)lock,
		.site = site,
		.kind = LP_LOCK_SPINLOCK,
		.mode = LP_WRITE,
		.flags = flags,
		.simple = true,
	};
}

static void push(struct lp_rec_slot *slot, pthread_spinlock_t *lock, uint8_t flags, uint64_t site)
{
	struct lp_home home = lp_home_in_table(lock);
	struct lp_op op;

	if (home.word &&
	    lp_hold_fast(slot, home.word, home.serial, (uintptr_t)lock, site,
			 LP_KEY_HOW(LP_WRITE, flags)))
		return;
	op = op_of(lock, home, flags, site);
	lp_hold(slot, &op);
}

LP_PUBLIC int pthread_spin_lock(pthread_spinlock_t *lock)
{
	struct lp_rec_slot *slot = lp_slot();

	if (slot)
		push(slot, (pthread_spinlock_t *)lock, 0, LP_SITE());
	return lp_real.pthread_spin_lock(lock);
}

LP_PUBLIC int pthread_spin_trylock(pthread_spinlock_t *lock)
{
	struct lp_rec_slot *slot = lp_slot();
	int result = lp_real.pthread_spin_trylock(lock);

	if (slot && result == 0)
		push(slot, (pthread_spinlock_t *)lock, LP_TRY, LP_SITE());
	return result;
}

static LP_COLD void unlock_slow(pthread_spinlock_t *lock)
{
	struct lp_rec_slot *slot = lp_slot();
	struct lp_home home;

	if (!slot || lp_release(slot, (uintptr_t)lock) || slot->lossy)
		return;
	home = lp_home_in_table(lock);
	if (lp_lock_known(home, (uintptr_t)lock).id)
		lp_misuse(slot, LP_EVENT_UNLOCK_NOT_HELD, home, (uintptr_t)lock, 0);
}

LP_PUBLIC int pthread_spin_unlock(pthread_spinlock_t *lock)
{
	if (lp_unlikely(!lp_release_fast(lp_self.slot, (uintptr_t)lock)))
		unlock_slow((pthread_spinlock_t *)lock);
	return lp_real.pthread_spin_unlock(lock);
}

LP_PUBLIC int pthread_spin_init(pthread_spinlock_t *lock, int shared)
{
	struct lp_rec_slot *slot = lp_slot();
	int result;

	if (slot)
		lp_ends_held(slot, LP_EVENT_INIT_HELD, lp_home_in_table(lock), (uintptr_t)lock);
	result = lp_real.pthread_spin_init(lock, shared);
	if (result == 0 && slot)
		lp_lock_register(lp_home_in_table(lock), (uintptr_t)lock, LP_LOCK_SPINLOCK, true);
	return result;
}

/* On x86-64 a free spinlock is 1. */
LP_PUBLIC int pthread_spin_destroy(pthread_spinlock_t *lock)
{
	struct lp_rec_slot *slot = lp_slot();
	struct lp_home home = { NULL, NULL };
	int result;

	if (slot) {
		home = lp_home_in_table(lock);
		if (!lp_ends_held(slot, LP_EVENT_DESTROY_HELD, home, (uintptr_t)lock) &&
		    *lock != 1 && lp_lock_known(home, (uintptr_t)lock).id)
			lp_misuse(slot, LP_EVENT_DESTROY_HELD, home, (uintptr_t)lock, 0);
	}
	result = lp_real.pthread_spin_destroy(lock);
	if (result == 0)
		lp_lock_forget(home);
	return result;
}

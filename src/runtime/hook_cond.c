/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_cond.c — condition variables: a wait releases the mutex and takes it again.
 *
 * libc does both inside, so the entry is taken off for the time of the wait, and put back however
 * the wait ends: by return or, with the mutex held again, by cancellation. That the mutex will be
 * taken while other locks are held is a fact from the start: it is written before the wait.
 */
#include "runtime/runtime.h"

/* libc's list of cleanup handlers, which needs no exception tables. */
extern void _pthread_cleanup_push(struct _pthread_cleanup_buffer *buffer, void (*routine)(void *),
				  void *argument);
extern void _pthread_cleanup_pop(struct _pthread_cleanup_buffer *buffer, int execute);

struct wait {
	struct lp_rec_slot *slot;	/* NULL: the mutex is not known to be held */
	bool		kept;
	struct lp_op	op;
};

/*
 * Threads tell one another something under this lock: that they are about to end, say. A join that
 * follows need not wait for what they did before (see hook_thread.c).
 */
static void mark_condition(const struct lp_held *held)
{
	struct lp_writer *writer = &lp_rt.track.writer;
	const struct lp_rec_node *node = held->node ? lp_writer_at(writer, held->node) : NULL;
	struct lp_rec_class *class;

	if (!node || !node->lock)
		return;
	class = lp_writer_at(writer, lp_track_class_of(writer, node->lock));
	if (!class->conditions)
		__atomic_store_n(&class->conditions, 1, __ATOMIC_RELAXED);
}

static void signals(void)
{
	const struct lp_rec_slot *slot = lp_slot();

	if (slot && lp_track_top(slot) > lp_track_base(slot))
		mark_condition(lp_track_top(slot) - 1);
}

LP_PUBLIC int pthread_cond_signal(pthread_cond_t *cond)
{
	signals();
	return lp_real.pthread_cond_signal(cond);
}

LP_PUBLIC int pthread_cond_broadcast(pthread_cond_t *cond)
{
	signals();
	return lp_real.pthread_cond_broadcast(cond);
}

LP_PUBLIC int cnd_signal(cnd_t *cond)
{
	signals();
	return lp_real.cnd_signal(cond);
}

LP_PUBLIC int cnd_broadcast(cnd_t *cond)
{
	signals();
	return lp_real.cnd_broadcast(cond);
}

static void wait_begins(struct wait *wait, void *cond, pthread_mutex_t *mutex, uint64_t site)
{
	struct lp_rec_slot *slot = lp_slot();
	struct lp_held *held = slot ? lp_holds(slot, (uintptr_t)mutex) : NULL;

	wait->slot = held ? slot : NULL;
	if (!held)
		return;
	mark_condition(held);
	wait->op = (struct lp_op){
		.home = lp_home_of_mutex(mutex),
		.address = (uintptr_t)mutex,
		.site = site,
		.mode = LP_WRITE,
		.simple = !(held->lock & LP_COUNTED),
	};
	wait->kept = held->count > 0;	/* libc releases one level: still held */
	if (!wait->kept) {
		lp_release(slot, (uintptr_t)mutex);
		slot->wait_node = lp_hold_note(slot, &wait->op);
		slot->wait_lock = (uintptr_t)mutex;
	}
	slot->wait_object = (uintptr_t)cond;
	slot->wait = LP_WAIT_COND;
}

static void wait_ended(void *argument)
{
	struct wait *wait = argument;

	wait->slot->wait = LP_WAIT_NONE;
	wait->slot->wait_lock = 0;
	if (!wait->kept)
		lp_hold(wait->slot, &wait->op);
}

#define WAIT(cond, mutex, call) do { \
	struct _pthread_cleanup_buffer cleanup_; \
	struct wait wait_; \
	int result_; \
	wait_begins(&wait_, cond, mutex, LP_SITE()); \
	if (!wait_.slot) \
		return call; \
	_pthread_cleanup_push(&cleanup_, wait_ended, &wait_); \
	result_ = call; \
	_pthread_cleanup_pop(&cleanup_, 1); \
	return result_; \
} while (0)

LP_PUBLIC int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	WAIT(cond, mutex, lp_real.pthread_cond_wait(cond, mutex));
}

LP_PUBLIC int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
				     const struct timespec *until)
{
	WAIT(cond, mutex, lp_real.pthread_cond_timedwait(cond, mutex, until));
}

LP_PUBLIC int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
				     clockid_t clock, const struct timespec *until)
{
	WAIT(cond, mutex, lp_real.pthread_cond_clockwait(cond, mutex, clock, until));
}

LP_PUBLIC int cnd_wait(cnd_t *cond, mtx_t *mutex)
{
	WAIT(cond, (pthread_mutex_t *)mutex, lp_real.cnd_wait(cond, mutex));
}

LP_PUBLIC int cnd_timedwait(cnd_t *cond, mtx_t *mutex, const struct timespec *until)
{
	WAIT(cond, (pthread_mutex_t *)mutex, lp_real.cnd_timedwait(cond, mutex, until));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* stalled_tell.c — a process in which nothing can happen any more, in words. */
#include <inttypes.h>

#include "cli/describe_private.h"
#include "cli/naming.h"
#include "cli/session.h"

#define THREADS_TOLD	12u

/* Alone, waits for one's own kind are no proof that somebody is wrong; locks and joins are. */
uint64_t lp_stalled_patience_ms(const struct lp_stalled_thread *threads, size_t count)
{
	uint64_t patience = UINT64_MAX;

	for (size_t i = 0; i < count; i++) {
		if (threads[i].wait == LP_WAIT_NONE)
			return LP_STALLED_LOCK_MS;
		if (threads[i].wait == LP_WAIT_JOIN)
			patience = LP_STALLED_JOIN_MS;
	}
	return patience;
}

static const char *lock_name(const struct lp_session *session, uint32_t node)
{
	uint32_t class_index = lp_model_node_class(lp_session_model(session), node);

	return class_index ? lp_naming_class(lp_session_describer(session), class_index) : NULL;
}

/* "thread 3 to end" */
static const char *wait_words(const struct lp_session *session,
			      const struct lp_stalled_thread *thread)
{
	struct lp_pool *pool = &lp_session_describer(session)->pool;
	const char *name = lock_name(session, thread->top);

	switch (thread->wait) {
	case LP_WAIT_COND:
		return lp_pool_printf(pool, "for a signal on the condition at 0x%" PRIx64,
				      thread->object);
	case LP_WAIT_SEM:
		return lp_pool_printf(pool, "for a post of the semaphore at 0x%" PRIx64,
				      thread->object);
	case LP_WAIT_JOIN:
		return thread->wait_thread ?
		       lp_pool_printf(pool, "for thread %" PRIu32 " to end",
				      lp_session_model(session)->threads.at[
					      thread->wait_thread].number) :
		       "for a thread to end";
	}
	return lp_pool_printf(pool, "for %s", name ? name : "a lock");
}

/* What it holds for sure: below what it waits for, when that is on its stack. */
static uint32_t held_node(const struct lp_session *session, const struct lp_stalled_thread *thread)
{
	const struct lp_model *model = lp_session_model(session);
	/* the wait for a semaphore that is no lock, and nothing else, leaves the top one held */
	bool own = thread->wait == LP_WAIT_SEM && thread->top &&
		   lp_model_node_fine(model, thread->top)->kind != LP_LOCK_SEMAPHORE;
	uint32_t node = own ? thread->top : thread->below;

	return node && !lp_model_is_life(lp_model_node_fine(model, node)) ? node : 0;
}

static void tell_thread(const struct lp_session *session, const struct lp_stalled_thread *thread)
{
	uint32_t held = held_node(session, thread);
	const char *name = held ? lock_name(session, held) : NULL;

	lp_error("  thread %" PRIu32 " (tid %" PRIu32 ") waits %s%s%s",
		 lp_session_model(session)->threads.at[thread->thread].number, thread->tid,
		 wait_words(session, thread), name ? ", and holds " : "", name ? name : "");
}

void lp_stalled_tell(const struct lp_session *session, const struct lp_stalled_thread *threads,
		     size_t count)
{
	lp_error("deadlock: process %" PRIu32 " will never go on: %zu %s, and nobody is left to "
		 "wake %s:", threads->pid, count, count == 1 ? "thread waits" : "threads wait",
		 count == 1 ? "it" : "them");
	for (size_t i = 0; i < count && i < THREADS_TOLD; i++)
		tell_thread(session, &threads[i]);
	if (count > THREADS_TOLD)
		lp_error("  ... and %zu more", count - THREADS_TOLD);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stalled.h — can anything still happen in a process?
 *
 * Who ends a wait for a semaphore or a condition is not known before. But when every thread of a
 * process sleeps in the kernel until another of them wakes it, and has done so without a break,
 * nobody ever will. What the process itself cannot see may: a handler of a signal, another process
 * with the same memory. Then nothing is said.
 *
 * Cost of a look: one table access per thread; /proc is read for processes whose threads all wait
 * and have not moved since the last look.
 */
#ifndef LP_CLI_STALLED_H
#define LP_CLI_STALLED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts/reader.h"

#define LP_STALLED_THREADS_MAX	1024u	/* larger processes are not judged */

/* One thread of a process that is looked at. */
struct lp_stalled_thread {
	uint32_t	thread;		/* threads[] of the model */
	uint32_t	pid, tid;
	uint32_t	wait;		/* enum lp_wait; NONE with a lock on top: that lock */
	uint64_t	object;		/* address of what it waits for, as far as is known */
	uint32_t	wait_thread;	/* JOIN: threads[] */
	uint32_t	top, below;	/* nodes[]: what it holds or waits for; the next one */
	uint64_t	look;		/* what it looked like */
};

struct lp_stalled;

struct lp_stalled *lp_stalled_create(void);	/* NULL when memory is short */
void lp_stalled_destroy(struct lp_stalled *stalled);

/* A new look begins; a thread in it; all were seen. 0 or -ENOMEM. */
void lp_stalled_begin(struct lp_stalled *stalled, uint64_t now_ms);
int lp_stalled_see(struct lp_stalled *stalled, const struct lp_live_thread *live);
int lp_stalled_end(struct lp_stalled *stalled);

/* For how many ms has nothing happened in the process, nor can? 0: it can. */
uint64_t lp_stalled_ms(const struct lp_stalled *stalled, uint32_t pid);

/* The processes of this look for which lp_stalled_ms() is at least `ms`, each once. */
typedef void lp_stalled_fn(void *context, const struct lp_stalled_thread *threads, size_t count);
void lp_stalled_each(const struct lp_stalled *stalled, uint64_t ms, lp_stalled_fn *found,
		     void *context);

/*
 * stalled_tell.c: how long a process must have been like this to be a deadlock (UINT64_MAX: it may
 * be meant to wait until it is killed), and what each thread waits for.
 */
#define LP_STALLED_LOCK_MS	3000u
#define LP_STALLED_JOIN_MS	10000u

struct lp_session;
uint64_t lp_stalled_patience_ms(const struct lp_stalled_thread *threads, size_t count);
void lp_stalled_tell(const struct lp_session *session, const struct lp_stalled_thread *threads,
		     size_t count);

#endif

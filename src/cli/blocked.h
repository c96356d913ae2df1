/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocked.h — which threads wait for one another, for good?
 *
 * Fed with looks at the live state of all threads. The top entry of a held stack is a lock that the
 * thread holds or waits for; every entry below it is held for sure. So when thread T's top lock
 * is below the top of U, in a mode that excludes T's, then T waits for U. A cycle of threads that
 * wait like this, and whose state has not changed for a while, does not end by itself.
 *
 * What gives up (trylocks, timed waits) never is part of a cycle. Readers do not block readers,
 * except those that queue behind a writer which waits for the same lock.
 * Cost of a look: one table access per thread; of judging: a sort of what stable threads hold.
 */
#ifndef LP_CLI_BLOCKED_H
#define LP_CLI_BLOCKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts/reader.h"

/* One thread of a cycle. The next one holds the lock that this one waits for. */
struct lp_blocked_thread {
	uint32_t	thread;		/* threads[] */
	uint32_t	pid, tid;
	uint32_t	held;		/* nodes[]: the lock that the thread before waits for */
	uint32_t	wanted;		/* nodes[] */
	uint64_t	lock;		/* address of what it waits for */
};

struct lp_blocked;

/* Believe what was the same in `looks` looks and for `span_ms`. NULL when memory is short. */
struct lp_blocked *lp_blocked_create(uint32_t looks, uint64_t span_ms);
void lp_blocked_destroy(struct lp_blocked *blocked);

/* A new look begins. */
void lp_blocked_begin(struct lp_blocked *blocked, uint64_t now_ms);

/* A thread in this look. 0 or -ENOMEM. */
int lp_blocked_see(struct lp_blocked *blocked, const struct lp_live_thread *live);

/*
 * Report each cycle in this look. The function may be called again for a cycle at the next look.
 * 0 or -ENOMEM.
 */
typedef void lp_blocked_fn(void *context, const struct lp_blocked_thread *cycle, size_t count);
int lp_blocked_judge(struct lp_blocked *blocked, lp_blocked_fn *found, void *context);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stalled.c — processes in which nothing can happen any more; see stalled.h.
 *
 * Threads are looked at one after another, and two that wake one another could each be asleep when
 * it is looked at. So the kernel's count of their sleeps must not have changed either.
 */
#include "cli/stalled.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "cli/proc.h"
#include "facts/vec.h"

struct process {
	uint32_t	pid;
	uint32_t	first, count;	/* threads[] of this look */
	uint64_t	live;		/* what its threads looked like */
	uint64_t	sleeps;		/* the kernel's count of them; 0: it can still run */
	uint64_t	since_ms;	/* both have been the same */
};

typedef LP_VEC(struct process) processes;

struct lp_stalled {
	uint64_t	now_ms;
	LP_VEC(struct lp_stalled_thread) threads;
	processes	now, before;	/* by rising pid */
};

struct lp_stalled *lp_stalled_create(void)
{
	return calloc(1, sizeof(struct lp_stalled));
}

void lp_stalled_destroy(struct lp_stalled *stalled)
{
	if (!stalled)
		return;
	lp_vec_finish(&stalled->threads);
	lp_vec_finish(&stalled->now);
	lp_vec_finish(&stalled->before);
	free(stalled);
}

void lp_stalled_begin(struct lp_stalled *stalled, uint64_t now_ms)
{
	processes now = stalled->now;

	stalled->now_ms = now_ms;
	stalled->threads.count = 0;
	stalled->now = stalled->before;
	stalled->before = now;
	stalled->now.count = 0;
}

int lp_stalled_see(struct lp_stalled *stalled, const struct lp_live_thread *live)
{
	const struct lp_live_held *top = live->held_count ? &live->held[live->held_count - 1] : NULL;
	struct lp_stalled_thread thread = {
		.thread = live->thread, .pid = live->pid, .tid = live->tid,
		.wait = live->blocked_in, .wait_thread = live->wait_thread,
		.object = live->blocked_in != LP_WAIT_NONE ? live->wait_object :
			  top ? top->lock : 0,
		.top = top ? top->node : 0,
		.below = live->held_count > 1 ? live->held[live->held_count - 2].node : 0,
	};

	if (!lp_vec_room(&stalled->threads, 1))
		return -ENOMEM;
	thread.look = lp_hash_add(lp_hash_add(live->key, live->acquisitions), thread.object);
	thread.look = lp_hash_add(thread.look, thread.thread);
	lp_vec_push(&stalled->threads, thread);
	return 0;
}

/* Where its futex must be, when it is one that others than this process may wake. */
static uint64_t shared_place(const struct lp_stalled_thread *thread)
{
	return thread->wait == LP_WAIT_JOIN ? thread->object : 0;
}

/* How often its threads have gone to sleep; 0: one is not asleep for good, or might be woken. */
static uint64_t count_sleeps(const struct lp_stalled *stalled, const struct process *process)
{
	uint64_t sum = 1;

	if (process->count > LP_STALLED_THREADS_MAX ||
	    lp_proc_thread_count((pid_t)process->pid) != process->count ||
	    lp_proc_has_handlers((pid_t)process->pid))
		return 0;
	for (uint32_t i = 0; i < process->count; i++) {
		const struct lp_stalled_thread *thread = &stalled->threads.at[process->first + i];
		uint64_t sleeps = lp_proc_sleeps((pid_t)thread->pid, (pid_t)thread->tid,
						 shared_place(thread), LP_PROC_THREAD_SIZE);

		if (!sleeps)
			return 0;
		sum += sleeps;
	}
	return sum;
}

static struct process *find(const processes *list, uint32_t pid)
{
	uint32_t low = 0, high = list->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (list->at[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->count && list->at[low].pid == pid ? &list->at[low] : NULL;
}

static int compare(const void *left, const void *right)
{
	const struct lp_stalled_thread *a = left, *b = right;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->thread > b->thread) - (a->thread < b->thread);
}

static bool all_wait(const struct lp_stalled *stalled, const struct process *process)
{
	for (uint32_t i = 0; i < process->count; i++)
		if (!stalled->threads.at[process->first + i].object)
			return false;
	return true;
}

/* What was the same at the last look, and is worth a closer one. */
static void compare_looks(struct lp_stalled *stalled, struct process *process)
{
	const struct process *before = find(&stalled->before, process->pid);

	process->since_ms = stalled->now_ms;
	if (!before || before->live != process->live || !all_wait(stalled, process))
		return;
	process->sleeps = count_sleeps(stalled, process);
	if (process->sleeps && process->sleeps == before->sleeps)
		process->since_ms = before->since_ms;
}

/* Threads in order of their processes, and what each process looks like. */
static int make_processes(struct lp_stalled *stalled)
{
	const struct lp_stalled_thread *at;

	if (stalled->threads.count)
		qsort(stalled->threads.at, stalled->threads.count, sizeof(*stalled->threads.at),
		      compare);
	at = stalled->threads.at;
	for (uint32_t i = 0; i < stalled->threads.count; i++) {
		if (!i || at[i].pid != at[i - 1].pid) {
			if (!lp_vec_room(&stalled->now, 1))
				return -ENOMEM;
			lp_vec_push(&stalled->now,
				    ((struct process){ .pid = at[i].pid, .first = i }));
		}
		stalled->now.at[stalled->now.count - 1].live += at[i].look;
		stalled->now.at[stalled->now.count - 1].count++;
	}
	return 0;
}

int lp_stalled_end(struct lp_stalled *stalled)
{
	int error = make_processes(stalled);

	for (uint32_t i = 0; !error && i < stalled->now.count; i++)
		compare_looks(stalled, &stalled->now.at[i]);
	return error;
}

uint64_t lp_stalled_ms(const struct lp_stalled *stalled, uint32_t pid)
{
	const struct process *process = find(&stalled->now, pid);

	return process && process->sleeps ? stalled->now_ms - process->since_ms : 0;
}

void lp_stalled_each(const struct lp_stalled *stalled, uint64_t ms, lp_stalled_fn *found,
		     void *context)
{
	for (uint32_t i = 0; i < stalled->now.count; i++) {
		const struct process *process = &stalled->now.at[i];

		if (process->sleeps && stalled->now_ms - process->since_ms >= ms)
			found(context, stalled->threads.at + process->first, process->count);
	}
}

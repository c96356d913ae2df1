/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waits.c — waits that are no locks, or act like one: hazards and, beside each, its silent twin.
 */
#include "phases.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <threads.h>
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void start(pthread_t *thread, void *(*body)(void *))
{
	must(pthread_create(thread, NULL, body, NULL), "pthread_create");
}

/* ---- semaphores ---- */

static sem_t sem_a, sem_b;

static void sem_ab(void)
{
	down(&sem_a);			/* MARK sem-ab-a */
	down(&sem_b);			/* MARK sem-ab-b */
	sem_post(&sem_b);
	sem_post(&sem_a);
}

static void sem_ba(void)
{
	down(&sem_b);			/* MARK sem-ba-b */
	down(&sem_a);			/* MARK sem-ba-a */
	sem_post(&sem_a);
	sem_post(&sem_b);
}

static void sem_both_ways(void)
{
	void (*const list[])(void) = { sem_ab, sem_ba };

	run_phases(list, 2);
}

static void sem_abba(void)
{
	sem_init(&sem_a, 0, 1);
	sem_init(&sem_b, 0, 1);
	sem_both_ways();
}

/* Each is two places: it would take more threads. */
static void sem_places(void)
{
	sem_init(&sem_a, 0, 2);
	sem_init(&sem_b, 0, 2);
	sem_both_ways();
}

static void *post_a(void *unused)
{
	sem_post(&sem_a);
	return unused;
}

/* Of one of two locks it turns out that others give it back. */
static void sem_handed_late(void)
{
	pthread_t thread;

	sem_abba();
	down(&sem_a);
	start(&thread, post_a);
	pthread_join(thread, NULL);
	down(&sem_a);
}

static sem_t places, items;

static void *consume(void *unused)
{
	for (int i = 0; i < 50; i++) {
		down(&items);
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
		sem_post(&places);
	}
	return unused;
}

static void queue(unsigned size)
{
	pthread_t thread;

	sem_init(&places, 0, size);
	sem_init(&items, 0, 0);
	start(&thread, consume);
	for (int i = 0; i < 50; i++) {
		down(&places);
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
		sem_post(&items);
	}
	pthread_mutex_lock(&m);
	sem_trywait(&places);
	pthread_mutex_unlock(&m);
	pthread_join(thread, NULL);
}

static void sem_queue_of_one(void)
{
	queue(1);
}

static void sem_queue(void)
{
	queue(7);
}

/* Two threads take turns: each posts what the other waits for. */
static void *pong(void *unused)
{
	for (int i = 0; i < 50; i++) {
		down(&sem_b);
		sem_post(&sem_a);
	}
	return unused;
}

static void sem_ping_pong(void)
{
	pthread_t thread;

	sem_init(&sem_a, 0, 1);
	sem_init(&sem_b, 0, 1);
	down(&sem_b);
	start(&thread, pong);
	for (int i = 0; i < 50; i++) {
		down(&sem_a);
		sem_post(&sem_b);
	}
	pthread_join(thread, NULL);
}

static void post_in_handler(int unused)
{
	(void)unused;
	sem_post(&sem_a);
}

static void sem_handler(void)
{
	signal(SIGUSR1, post_in_handler);
	sem_init(&sem_a, 0, 1);
	for (int i = 0; i < 20; i++) {
		pthread_mutex_lock(&m);
		down(&sem_a);
		pthread_mutex_unlock(&m);
		pthread_kill(pthread_self(), SIGUSR1);
	}
}

static void sem_ends_held(void)
{
	sem_init(&sem_a, 0, 1);
	down(&sem_a);
	sem_destroy(&sem_a);
	sem_init(&sem_a, 0, 1);
	down(&sem_a);
}

static void sem_named(void)
{
	char name[64];
	sem_t *sem;

	snprintf(name, sizeof(name), "/lockproof-test-%d", (int)getpid());
	sem = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
	must(sem == SEM_FAILED, "sem_open");
	sem_unlink(name);
	for (int i = 0; i < 2; i++) {
		if (i)
			pthread_mutex_lock(&m);
		down(sem);
		if (!i)
			pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
		sem_post(sem);
	}
	sem_close(sem);
}

/* ---- once ---- */

static void empty(void)
{
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static once_flag flag = ONCE_FLAG_INIT;
static sem_t runs;

/* Takes its time, so that the other thread comes while it runs. */
static void routine(void)
{
	pthread_mutex_lock(&m);			/* MARK once-m */
	pthread_mutex_unlock(&m);
	sem_post(&runs);
	usleep(50000);
}

static void *run_once(void *unused)
{
	pthread_once(&once, routine);		/* MARK once-run */
	return unused;
}

static void *run_flag(void *unused)
{
	call_once(&flag, routine);		/* MARK flag-run */
	return unused;
}

static void once_while(void *(*run)(void *), bool hold)
{
	pthread_t thread;

	sem_init(&runs, 0, 0);
	start(&thread, run);
	down(&runs);
	if (hold)
		pthread_mutex_lock(&m);		/* MARK once-hold */
	if (run == run_once)
		pthread_once(&once, routine);	/* MARK once-wait */
	else
		call_once(&flag, routine);	/* MARK flag-wait */
	if (hold)
		pthread_mutex_unlock(&m);
	pthread_join(thread, NULL);
	/* done: whatever is held */
	pthread_mutex_lock(&m);
	run(NULL);
	pthread_mutex_unlock(&m);
}

static void once_lock(void)
{
	once_while(run_once, true);
}

static void once_lock_first(void)
{
	once_while(run_once, false);
}

static void flag_lock(void)
{
	once_while(run_flag, true);
}

static void flag_lock_first(void)
{
	once_while(run_flag, false);
}

/* Cancelled inside, the routine is as if it had never run: nothing stays held. */
static void endless(void)
{
	sem_post(&runs);
	for (;;)
		pause();
}

static void *run_endless(void *unused)
{
	pthread_once(&once, endless);
	return unused;
}

static void once_cancelled(void)
{
	pthread_t thread;

	sem_init(&runs, 0, 0);
	start(&thread, run_endless);
	down(&runs);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	pthread_mutex_lock(&m);
	pthread_once(&once, empty);
	pthread_mutex_unlock(&m);
}

/* ---- really stuck ---- */

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t both;

static void *dead_sem_ab(void *unused)
{
	down(&sem_a);			/* MARK dead-ab-a */
	pthread_barrier_wait(&both);
	down(&sem_b);			/* MARK dead-ab-b */
	return unused;
}

static void *dead_sem_ba(void *unused)
{
	down(&sem_b);			/* MARK dead-ba-b */
	pthread_barrier_wait(&both);
	down(&sem_a);			/* MARK dead-ba-a */
	return unused;
}

static void run_both(void *(*first)(void *), void *(*second)(void *))
{
	pthread_t thread[2];

	pthread_barrier_init(&both, NULL, 2);
	start(&thread[0], first);
	start(&thread[1], second);
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
}

static void dead_sem(void)
{
	sem_init(&sem_a, 0, 1);
	sem_init(&sem_b, 0, 1);
	run_both(dead_sem_ab, dead_sem_ba);
}

/* Both were released like locks before, so nobody else need be stuck. */
static void dead_sem_beside_busy(void)
{
	pthread_t thread[2];

	sem_init(&sem_a, 0, 1);
	sem_init(&sem_b, 0, 1);
	sem_ab();
	pthread_barrier_init(&both, NULL, 2);
	start(&thread[0], dead_sem_ab);
	start(&thread[1], dead_sem_ba);
	sleep(60);
}

/* As far as is seen each may be posted by the thread that runs: slow, not dead. */
static void slow_sem(void)
{
	pthread_t thread[2];

	sem_init(&sem_a, 0, 1);
	sem_init(&sem_b, 0, 1);
	pthread_barrier_init(&both, NULL, 2);
	start(&thread[0], dead_sem_ab);
	start(&thread[1], dead_sem_ba);
	usleep(900000);
	sem_post(&sem_a);
	sem_post(&sem_b);
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
}

static void dead_sem_self(void)
{
	sem_init(&sem_a, 0, 1);
	down(&sem_a);			/* MARK dead-self-1 */
	down(&sem_a);			/* MARK dead-self-2 */
}

static void *wait_with_outer(void *unused)
{
	pthread_mutex_lock(&outer);
	pthread_mutex_lock(&m);
	pthread_barrier_wait(&both);
	pthread_cond_wait(&c, &m);
	return unused;
}

static void *signal_with_outer(void *unused)
{
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&outer);
	pthread_cond_signal(&c);
	return unused;
}

static void dead_cond(void)
{
	run_both(wait_with_outer, signal_with_outer);
}

static void ignore(int unused)
{
	(void)unused;
}

/* A handler could signal: nobody knows. It ends by its own alarm. */
static void stuck_with_handler(void)
{
	signal(SIGUSR1, ignore);
	alarm(5);
	dead_cond();
}

/* Waits to be ended: nobody waits for another. */
static void waits_for_end(void)
{
	alarm(5);
	sem_init(&sem_a, 0, 0);
	down(&sem_a);
}

static void *wait_for_post(void *unused)
{
	down(&sem_a);
	return unused;
}

static void dead_join(void)
{
	pthread_t thread;

	sem_init(&sem_a, 0, 0);
	start(&thread, wait_for_post);
	pthread_join(thread, NULL);
}

static void lock_m(void)
{
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&m);			/* MARK dead-once-m */
	pthread_mutex_unlock(&m);
}

static void *dead_run_once(void *unused)
{
	pthread_once(&once, lock_m);		/* MARK dead-once-run */
	return unused;
}

static void *dead_wait_once(void *unused)
{
	pthread_mutex_lock(&m);			/* MARK dead-once-hold */
	pthread_barrier_wait(&both);
	pthread_once(&once, lock_m);		/* MARK dead-once-wait */
	pthread_mutex_unlock(&m);
	return unused;
}

static void dead_once(void)
{
	run_both(dead_run_once, dead_wait_once);
}

static const struct scenario scenarios[] = {
	{ "sem-abba", sem_abba },
	{ "sem-places", sem_places },
	{ "sem-handed-late", sem_handed_late },
	{ "sem-queue-of-one", sem_queue_of_one },
	{ "sem-queue", sem_queue },
	{ "sem-ping-pong", sem_ping_pong },
	{ "sem-handler", sem_handler },
	{ "sem-ends-held", sem_ends_held },
	{ "sem-named", sem_named },
	{ "once-lock", once_lock },
	{ "once-lock-first", once_lock_first },
	{ "flag-lock", flag_lock },
	{ "flag-lock-first", flag_lock_first },
	{ "once-cancelled", once_cancelled },
	{ "dead-sem", dead_sem },
	{ "dead-sem-beside-busy", dead_sem_beside_busy },
	{ "dead-sem-self", dead_sem_self },
	{ "slow-sem", slow_sem },
	{ "dead-cond", dead_cond },
	{ "dead-join", dead_join },
	{ "dead-once", dead_once },
	{ "stuck-with-handler", stuck_with_handler },
	{ "waits-for-end", waits_for_end },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return run_scenario(scenarios, argc > 1 ? argv[1] : NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* census_waits.c — semaphores and other waits, each result and each failure that can be reached. */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "census.h"

static void *post_soon(void *sem)
{
	usleep(20000);
	sem_post(sem);
	return NULL;
}

static void on_alarm(int unused)
{
	(void)unused;
}

/* Interrupted: the handler was installed without SA_RESTART. */
static void interrupted(sem_t *s)
{
	struct sigaction action = { .sa_handler = on_alarm }, old;
	struct itimerspec timer = { .it_value = { 0, 20000000 } };
	timer_t id;

	sigaction(SIGALRM, &action, &old);
	timer_create(CLOCK_MONOTONIC, NULL, &id);
	timer_settime(id, 0, &timer, NULL);
	T(sem_wait(s));
	timer_delete(id);
	sigaction(SIGALRM, &old, NULL);
}

static void one_semaphore(sem_t *s, unsigned value)
{
	struct timespec soon = in_ms(CLOCK_REALTIME, 10);
	struct timespec soon_mono = in_ms(CLOCK_MONOTONIC, 20);
	pthread_t thread;

	for (unsigned i = 0; i < value; i++)
		T(sem_wait(s));
	T(sem_trywait(s));
	T(sem_timedwait(s, &past));
	T(sem_timedwait(s, &soon));
	T(sem_timedwait(s, &bad_time));
	T(sem_clockwait(s, CLOCK_MONOTONIC, &past));
	T(sem_clockwait(s, CLOCK_MONOTONIC, &soon_mono));
	T(sem_clockwait(s, CLOCK_PROCESS_CPUTIME_ID, &past));
	interrupted(s);
	T(sem_post(s));
	T(sem_trywait(s));
	T(sem_post(s));
	T(sem_timedwait(s, &past));
	T(sem_post(s));
	T(sem_clockwait(s, CLOCK_MONOTONIC, &past));
	pthread_create(&thread, NULL, post_soon, s);
	T(sem_wait(s));
	pthread_join(thread, NULL);
}

static void named(void)
{
	char name[64];
	sem_t *s;

	snprintf(name, sizeof(name), "/lockproof-census-%d", (int)getpid());
	T(sem_open("/lockproof-census-none", 0) == SEM_FAILED);
	T(sem_open("", O_CREAT, 0600, 1) == SEM_FAILED);
	T(sem_open(name, O_CREAT, 0600, ~0u) == SEM_FAILED);
	s = sem_open(name, O_CREAT | O_EXCL, 0600, 2);
	report("sem_open", s != SEM_FAILED);
	T(sem_open(name, O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED);
	T(sem_open(name, O_CREAT, 0600, 1) == s);
	one_semaphore(s, 2);
	T(sem_close(s));
	T(sem_close(s));
	sem_unlink(name);
}

static void semaphores(void)
{
	sem_t s;

	for (unsigned value = 0; value < 3; value++) {
		T(sem_init(&s, 0, value));
		one_semaphore(&s, value);
		T(sem_destroy(&s));
	}
	T(sem_init(&s, 0, ~0u));
	T(sem_init(&s, 1, 0x7fffffff));
	T(sem_post(&s));
	T(sem_destroy(&s));
	named();
}

static int runs;
static sem_t running;

static void run_slowly(void)
{
	runs++;
	errno = 17;			/* what a routine does to it is the caller's to see */
	sem_post(&running);
	usleep(20000);
}

static void *run_once(void *once)
{
	pthread_once(once, run_slowly);
	return NULL;
}

static void *call_flag(void *flag)
{
	call_once(flag, run_slowly);
	return NULL;
}

static void onces(void)
{
	pthread_once_t once = PTHREAD_ONCE_INIT, again = PTHREAD_ONCE_INIT;
	once_flag flag = ONCE_FLAG_INIT;
	pthread_t thread;

	sem_init(&running, 0, 0);
	T(pthread_once(&once, run_slowly));
	T(pthread_once(&once, run_slowly));
	V(call_once(&flag, run_slowly));
	V(call_once(&flag, run_slowly));
	while (!sem_trywait(&running))
		;
	pthread_create(&thread, NULL, run_once, &again);
	sem_wait(&running);
	T(pthread_once(&again, run_slowly));
	pthread_join(thread, NULL);
	flag = (once_flag)ONCE_FLAG_INIT;
	pthread_create(&thread, NULL, call_flag, &flag);
	sem_wait(&running);
	V(call_once(&flag, run_slowly));
	pthread_join(thread, NULL);
	printf("runs %d\n", runs);
}

void other_waits(void)
{
	semaphores();
	onces();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * phases.h — threads that are all alive at once, yet do their work strictly one after another.
 *
 * So an order of locks can be inverted without any chance of a hang, and nothing but a semaphore
 * (which says nothing about what another schedule could do) keeps the threads apart.
 */
#ifndef LP_TEST_PHASES_H
#define LP_TEST_PHASES_H

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PHASES_MAX 8

static sem_t phase_turn[PHASES_MAX + 1];
static sem_t phase_end;

struct phase {
	void (*work)(void);
	int number;
};

static inline void must(int failed, const char *what)
{
	if (!failed)
		return;
	fprintf(stderr, "test program: %s failed\n", what);
	exit(99);
}

static inline void down(sem_t *sem)
{
	while (sem_wait(sem))
		;
}

static inline void *phase_thread(void *arg)
{
	struct phase *phase = (struct phase *)arg;

	down(&phase_turn[phase->number]);
	phase->work();
	sem_post(&phase_turn[phase->number + 1]);
	down(&phase_end);
	return NULL;
}

/* One thread for each function; they run in order, and none ends before the last has run. */
static inline void run_phases(void (*const *work)(void), int count)
{
	struct phase phase[PHASES_MAX];
	pthread_t thread[PHASES_MAX];
	int i;

	must(count > PHASES_MAX, "run_phases");
	for (i = 0; i <= count; i++)
		sem_init(&phase_turn[i], 0, 0);
	sem_init(&phase_end, 0, 0);
	for (i = 0; i < count; i++) {
		phase[i].work = work[i];
		phase[i].number = i;
		must(pthread_create(&thread[i], NULL, phase_thread, &phase[i]), "pthread_create");
	}
	sem_post(&phase_turn[0]);
	down(&phase_turn[count]);
	for (i = 0; i < count; i++)
		sem_post(&phase_end);
	for (i = 0; i < count; i++)
		pthread_join(thread[i], NULL);
}

static inline struct timespec *soon(void)
{
	static struct timespec when;

	clock_gettime(CLOCK_REALTIME, &when);
	when.tv_sec += 5;
	return &when;
}

struct scenario {
	const char *name;
	void (*run)(void);
};

static inline int run_scenario(const struct scenario *list, const char *name)
{
	for (; list->name; list++) {
		if (name && !strcmp(list->name, name)) {
			list->run();
			printf("%s: done\n", name);
			return 0;
		}
	}
	fprintf(stderr, "test program: no scenario %s\n", name ? name : "given");
	return 98;
}

#endif

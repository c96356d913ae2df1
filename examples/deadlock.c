/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deadlock.c — a program that hangs, every time.
 *
 *     lockproof run -- ./deadlock
 *
 * Each of three threads takes the fork on its left, waits until all have done so, and reaches for
 * the one on its right. Lockproof says who holds and who wants what, and ends the program.
 */
#include <pthread.h>
#include <stdio.h>

#define SEATS 3

struct seat {
	pthread_mutex_t *left, *right;
};

static pthread_mutex_t red = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t green = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t blue = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t all_seated;

static void *dine(void *arg)
{
	struct seat *seat = arg;

	pthread_mutex_lock(seat->left);
	pthread_barrier_wait(&all_seated);
	pthread_mutex_lock(seat->right);	/* nobody gets any further */
	pthread_mutex_unlock(seat->right);
	pthread_mutex_unlock(seat->left);
	return NULL;
}

int main(void)
{
	struct seat seat[SEATS] = { { &red, &green }, { &green, &blue }, { &blue, &red } };
	static const char *const name[SEATS] = { "anna", "berta", "cora" };
	pthread_t thread[SEATS];

	pthread_barrier_init(&all_seated, NULL, SEATS);
	for (int i = 0; i < SEATS; i++) {
		if (pthread_create(&thread[i], NULL, dine, &seat[i]))
			return 1;
		pthread_setname_np(thread[i], name[i]);
	}
	for (int i = 0; i < SEATS; i++)
		pthread_join(thread[i], NULL);
	puts("never printed");
	return 0;
}

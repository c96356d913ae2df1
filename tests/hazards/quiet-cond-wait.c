/* SPDX-License-Identifier: Apache-2.0 */
/* quiet-cond-wait.c — a condition is waited for under its own mutex only, again and again. */
#include "hazard.h"

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static pthread_cond_t emptied = PTHREAD_COND_INITIALIZER;
static int full, sum;

static void *produce(void *unused)
{
	int i;

	for (i = 0; i < 100; i++) {
		pthread_mutex_lock(&queue_lock);
		while (full)
			pthread_cond_wait(&emptied, &queue_lock);
		full = 1;
		pthread_cond_signal(&filled);
		pthread_mutex_unlock(&queue_lock);
	}
	return unused;
}

int main(void)
{
	pthread_t producer = hz_start(produce);
	int i;

	for (i = 0; i < 100; i++) {
		pthread_mutex_lock(&queue_lock);
		while (!full)
			pthread_cond_wait(&filled, &queue_lock);
		full = 0;
		sum++;
		pthread_cond_signal(&emptied);
		pthread_mutex_unlock(&queue_lock);
	}
	hz_must(sum != 100, "the sum");
	pthread_join(producer, NULL);
	return hz_done();
}

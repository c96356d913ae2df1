/* SPDX-License-Identifier: Apache-2.0 */
/* quiet-semaphore-queue.c — semaphores count the items and the free places of a queue. */
#include "hazard.h"
#include <semaphore.h>

#define PLACES 4

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t items, places;
static int queue[PLACES], in, out;

static void *produce(void *unused)
{
	int i;

	for (i = 1; i <= 100; i++) {
		sem_wait(&places);
		pthread_mutex_lock(&queue_lock);
		queue[in++ % PLACES] = i;
		pthread_mutex_unlock(&queue_lock);
		sem_post(&items);
	}
	return unused;
}

int main(void)
{
	pthread_t producer;
	int i, sum = 0;

	sem_init(&items, 0, 0);
	sem_init(&places, 0, PLACES);
	producer = hz_start(produce);
	for (i = 1; i <= 100; i++) {
		sem_wait(&items);
		pthread_mutex_lock(&queue_lock);
		sum += queue[out++ % PLACES];
		pthread_mutex_unlock(&queue_lock);
		sem_post(&places);
	}
	hz_must(sum != 5050, "the sum");
	pthread_join(producer, NULL);
	return hz_done();
}

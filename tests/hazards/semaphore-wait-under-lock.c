/* SPDX-License-Identifier: Apache-2.0 */
/*
 * semaphore-wait-under-lock.c — an item is waited for under a mutex that the one who brings it
 * needs.
 */
#include "hazard.h"
#include <semaphore.h>

static pthread_mutex_t config_lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t items;

static void *produce(void *unused)
{
	pthread_mutex_lock(&config_lock);
	sem_post(&items);
	pthread_mutex_unlock(&config_lock);
	hz_reach(1);
	hz_await(HZ_END);
	return unused;
}

int main(void)
{
	pthread_t producer;

	sem_init(&items, 0, 0);
	producer = hz_start(produce);
	hz_await(1);
	IF_SAFE(sem_wait(&items));
	pthread_mutex_lock(&config_lock);
	UNLESS_SAFE(sem_wait(&items));
	pthread_mutex_unlock(&config_lock);
	hz_finish(producer);
	return hz_done();
}

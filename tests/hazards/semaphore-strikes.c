/* SPDX-License-Identifier: Apache-2.0 */
/* semaphore-strikes.c — two semaphores are used as locks, and each thread has one. */
#include "hazard.h"
#include <semaphore.h>

static sem_t disk, net;

static void *work(void *unused)
{
	sem_wait(&disk);
	hz_reach(1);
	UNLESS_SAFE(hz_await(2));
	sem_wait(&net);
	sem_post(&net);
	sem_post(&disk);
	return unused;
}

int main(void)
{
	sem_t *first = HZ_IS_SAFE ? &disk : &net;
	sem_t *second = HZ_IS_SAFE ? &net : &disk;
	pthread_t worker;

	sem_init(&disk, 0, 1);
	sem_init(&net, 0, 1);
	worker = hz_start(work);
	hz_await(1);
	sem_wait(first);
	hz_reach(2);
	sem_wait(second);
	sem_post(second);
	sem_post(first);
	pthread_join(worker, NULL);
	return hz_done();
}

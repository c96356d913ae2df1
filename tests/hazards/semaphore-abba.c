/* SPDX-License-Identifier: Apache-2.0 */
/* semaphore-abba.c — two semaphores are used as locks, in opposite orders. */
#include "hazard.h"
#include <semaphore.h>

static sem_t disk, net;

static void *work(void *unused)
{
	sem_wait(&disk);
	sem_wait(&net);
	sem_post(&net);
	sem_post(&disk);
	hz_reach(1);
	hz_await(HZ_END);
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
	sem_wait(second);
	sem_post(second);
	sem_post(first);
	hz_finish(worker);
	return hz_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cond-second-lock.c — a condition is waited for under a second mutex that the signaller needs
 * before.
 */
#include "hazard.h"

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t config_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static int items;

static void *produce(void *unused)
{
	pthread_mutex_lock(&config_lock);
	pthread_mutex_unlock(&config_lock);
	hz_reach(1);
	hz_await(2);
	pthread_mutex_lock(&queue_lock);	/* not before the other one waits */
	items = 1;
	pthread_cond_signal(&filled);
	pthread_mutex_unlock(&queue_lock);
	hz_await(HZ_END);
	return unused;
}

int main(void)
{
	pthread_t producer = hz_start(produce);

	hz_await(1);
	UNLESS_SAFE(pthread_mutex_lock(&config_lock));
	pthread_mutex_lock(&queue_lock);
	hz_reach(2);
	while (!items)
		pthread_cond_wait(&filled, &queue_lock);
	pthread_mutex_unlock(&queue_lock);
	UNLESS_SAFE(pthread_mutex_unlock(&config_lock));
	hz_finish(producer);
	return hz_done();
}

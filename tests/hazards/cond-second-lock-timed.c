/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cond-second-lock-timed.c — the same with a time limit, and the signaller holds both when it
 * signals.
 */
#include "hazard.h"
#include <time.h>

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t config_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static int items;

static void *produce(void *unused)
{
	hz_await(1);
	pthread_mutex_lock(&config_lock);
	pthread_mutex_lock(&queue_lock);
	items = 1;
	pthread_cond_signal(&filled);
	pthread_mutex_unlock(&queue_lock);
	pthread_mutex_unlock(&config_lock);
	hz_await(HZ_END);
	return unused;
}

int main(void)
{
	pthread_t producer = hz_start(produce);
	struct timespec limit;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_nsec += 500000000;
	limit.tv_sec += limit.tv_nsec / 1000000000;
	limit.tv_nsec %= 1000000000;
	UNLESS_SAFE(pthread_mutex_lock(&config_lock));
	pthread_mutex_lock(&queue_lock);
	hz_reach(1);
	while (!items && !pthread_cond_timedwait(&filled, &queue_lock, &limit))
		;
	pthread_mutex_unlock(&queue_lock);
	UNLESS_SAFE(pthread_mutex_unlock(&config_lock));
	hz_finish(producer);
	return hz_done();
}

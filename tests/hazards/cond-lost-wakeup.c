/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cond-lost-wakeup.c — a condition is waited for without a look at what it is about: the signal
 * came before.
 */
#include "hazard.h"

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static volatile int items;

static void *consume(void *unused)
{
	hz_await(1);
	pthread_mutex_lock(&queue_lock);
	IF_SAFE(while (!items))
		pthread_cond_wait(&filled, &queue_lock);
	pthread_mutex_unlock(&queue_lock);
	return unused;
}

int main(void)
{
	pthread_t consumer = hz_start(consume);

	pthread_mutex_lock(&queue_lock);
	items = 1;
	pthread_cond_signal(&filled);
	pthread_mutex_unlock(&queue_lock);
	hz_reach(1);
	pthread_join(consumer, NULL);
	return hz_done();
}

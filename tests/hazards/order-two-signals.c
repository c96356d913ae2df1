/* SPDX-License-Identifier: Apache-2.0 */
/* order-two-signals.c — two signals and two mutexes, which no thread ever nests. */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_first(int unused)
{
	(void)unused;
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
}

static void on_second(int unused)
{
	(void)unused;
	pthread_mutex_lock(&log_lock);
	pthread_mutex_unlock(&log_lock);
}

/* Blocks the signal whose handler takes the same mutex, and is struck by the other one. */
static void *work(void *unused)
{
	hz_block(SIGUSR2);
	IF_SAFE(hz_block(SIGUSR1));
	pthread_mutex_lock(&log_lock);
	pthread_mutex_unlock(&log_lock);
	hz_reach(1);
	hz_await(HZ_END);
	return unused;
}

int main(void)
{
	pthread_t worker;

	hz_on(SIGUSR1, on_first, 0, SIGUSR2);
	hz_on(SIGUSR2, on_second, 0, SIGUSR1);
	worker = hz_start(work);
	hz_await(1);
	hz_block(SIGUSR1);
	IF_SAFE(hz_block(SIGUSR2));
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	IF_SAFE(hz_unblock(SIGUSR2));
	hz_unblock(SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR2);
	hz_finish(worker);
	return hz_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order-safe-unsafe.c — inside the handler's mutex one is taken that others hold with the signal
 * open.
 */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_alarm(int unused)
{
	(void)unused;
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
}

static void *work(void *unused)
{
	IF_SAFE(hz_block(SIGALRM));
	pthread_mutex_lock(&log_lock);
	pthread_mutex_unlock(&log_lock);
	hz_reach(1);
	hz_await(HZ_END);
	return unused;
}

int main(void)
{
	pthread_t worker;

	hz_on(SIGALRM, on_alarm, 0, 0);
	worker = hz_start(work);
	hz_await(1);
	hz_block(SIGALRM);
	pthread_mutex_lock(&table_lock);
	pthread_mutex_lock(&log_lock);
	pthread_mutex_unlock(&log_lock);
	pthread_mutex_unlock(&table_lock);
	hz_unblock(SIGALRM);
	raise(SIGALRM);
	hz_finish(worker);
	return hz_done();
}

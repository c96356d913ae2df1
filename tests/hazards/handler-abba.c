/* SPDX-License-Identifier: Apache-2.0 */
/* handler-abba.c — a handler takes two mutexes in the order opposite to everybody else. */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_alarm(int unused)
{
	pthread_mutex_t *first = HZ_IS_SAFE ? &table_lock : &log_lock;
	pthread_mutex_t *second = HZ_IS_SAFE ? &log_lock : &table_lock;

	(void)unused;
	pthread_mutex_lock(first);
	pthread_mutex_lock(second);
	pthread_mutex_unlock(second);
	pthread_mutex_unlock(first);
}

/* The signal is blocked: only another thread can run the handler meanwhile. */
static void *work(void *unused)
{
	hz_block(SIGALRM);
	pthread_mutex_lock(&table_lock);
	pthread_mutex_lock(&log_lock);
	pthread_mutex_unlock(&log_lock);
	pthread_mutex_unlock(&table_lock);
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
	raise(SIGALRM);
	hz_finish(worker);
	return hz_done();
}

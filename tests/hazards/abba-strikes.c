/* SPDX-License-Identifier: Apache-2.0 */
/* abba-strikes.c — two mutexes are taken in opposite orders, and each thread has one. */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *unused)
{
	pthread_mutex_lock(&table_lock);
	hz_reach(1);
	UNLESS_SAFE(hz_await(2));
	pthread_mutex_lock(&log_lock);
	pthread_mutex_unlock(&log_lock);
	pthread_mutex_unlock(&table_lock);
	return unused;
}

int main(void)
{
	pthread_mutex_t *first = HZ_IS_SAFE ? &table_lock : &log_lock;
	pthread_mutex_t *second = HZ_IS_SAFE ? &log_lock : &table_lock;
	pthread_t worker = hz_start(work);

	hz_await(1);
	pthread_mutex_lock(first);
	hz_reach(2);
	pthread_mutex_lock(second);
	pthread_mutex_unlock(second);
	pthread_mutex_unlock(first);
	pthread_join(worker, NULL);
	return hz_done();
}

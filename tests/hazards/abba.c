/* SPDX-License-Identifier: Apache-2.0 */
/* abba.c — two mutexes are taken in opposite orders, one after the other. */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *unused)
{
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
	pthread_mutex_t *first = HZ_IS_SAFE ? &table_lock : &log_lock;
	pthread_mutex_t *second = HZ_IS_SAFE ? &log_lock : &table_lock;
	pthread_t worker = hz_start(work);

	hz_await(1);
	pthread_mutex_lock(first);
	pthread_mutex_lock(second);
	pthread_mutex_unlock(second);
	pthread_mutex_unlock(first);
	hz_finish(worker);
	return hz_done();
}

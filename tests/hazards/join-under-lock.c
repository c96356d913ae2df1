/* SPDX-License-Identifier: Apache-2.0 */
/* join-under-lock.c — a thread is joined under a mutex that it takes. */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *unused)
{
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	hz_reach(1);
	hz_await(2);
	return unused;
}

int main(void)
{
	pthread_t worker = hz_start(work);

	hz_await(1);
	pthread_mutex_lock(&table_lock);
	IF_SAFE(pthread_mutex_unlock(&table_lock));
	hz_reach(2);
	pthread_join(worker, NULL);
	UNLESS_SAFE(pthread_mutex_unlock(&table_lock));
	return hz_done();
}

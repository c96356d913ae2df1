/* SPDX-License-Identifier: Apache-2.0 */
/*
 * static-local.cc — a function-local static is needed under a mutex that its constructor takes.
 *
 * Whoever comes when it is made already does not pass the guard at all, so the second thread comes
 * while the first still makes it, but has released the mutex.
 */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

struct Cache {
	int size;

	Cache() : size(1)
	{
		pthread_mutex_lock(&table_lock);
		pthread_mutex_unlock(&table_lock);
		hz_reach(1);
		hz_await(2);
		usleep(50000);		/* the other one waits at the guard by then */
	}
};

static int cache_size()
{
	static Cache cache;

	return cache.size;
}

static void *work(void *unused)
{
	hz_must(cache_size() != 1, "cache_size");
	hz_await(HZ_END);
	return unused;
}

int main()
{
	pthread_t worker = hz_start(work);

	hz_await(1);
	UNLESS_SAFE(pthread_mutex_lock(&table_lock));
	hz_reach(2);
	hz_must(cache_size() != 1, "cache_size");
	IF_SAFE(pthread_mutex_lock(&table_lock));
	pthread_mutex_unlock(&table_lock);
	hz_finish(worker);
	return hz_done();
}

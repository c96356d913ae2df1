/* SPDX-License-Identifier: Apache-2.0 */
/* unlock-by-other.c — a thread releases a mutex that another one has. */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *unused)
{
	UNLESS_SAFE(pthread_mutex_unlock(&table_lock));
	hz_reach(1);
	hz_await(HZ_END);
	return unused;
}

int main(void)
{
	pthread_t worker;

	pthread_mutex_lock(&table_lock);
	worker = hz_start(work);
	hz_await(1);
	IF_SAFE(pthread_mutex_unlock(&table_lock));
	hz_finish(worker);
	return hz_done();
}

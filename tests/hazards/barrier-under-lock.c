/* SPDX-License-Identifier: Apache-2.0 */
/* barrier-under-lock.c — a thread holds at a barrier what another needs to get there. */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static pthread_barrier_t all_here;

static void *work(void *unused)
{
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	hz_reach(1);
	pthread_barrier_wait(&all_here);
	hz_await(HZ_END);
	return unused;
}

int main(void)
{
	pthread_t worker;

	pthread_barrier_init(&all_here, NULL, 2);
	worker = hz_start(work);
	hz_await(1);
	IF_SAFE(pthread_barrier_wait(&all_here));
	pthread_mutex_lock(&table_lock);
	UNLESS_SAFE(pthread_barrier_wait(&all_here));
	pthread_mutex_unlock(&table_lock);
	hz_finish(worker);
	return hz_done();
}

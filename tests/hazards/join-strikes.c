/* SPDX-License-Identifier: Apache-2.0 */
/* join-strikes.c — a thread is joined under the mutex that it waits for. */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *unused)
{
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	return unused;
}

int main(void)
{
	pthread_t worker;

	pthread_mutex_lock(&table_lock);
	worker = hz_start(work);
	IF_SAFE(pthread_mutex_unlock(&table_lock));
	pthread_join(worker, NULL);
	UNLESS_SAFE(pthread_mutex_unlock(&table_lock));
	return hz_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* quiet-join.c — threads that take the mutex are joined when it is released. */
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
	pthread_t worker[4];
	int i;

	pthread_mutex_lock(&table_lock);
	for (i = 0; i < 4; i++)
		worker[i] = hz_start(work);
	pthread_mutex_unlock(&table_lock);
	for (i = 0; i < 4; i++)
		pthread_join(worker[i], NULL);
	return hz_done();
}

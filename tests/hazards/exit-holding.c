/* SPDX-License-Identifier: Apache-2.0 */
/* exit-holding.c — a thread ends while it has a mutex. */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *unused)
{
	pthread_mutex_lock(&table_lock);
	IF_SAFE(pthread_mutex_unlock(&table_lock));
	return unused;
}

int main(void)
{
	pthread_join(hz_start(work), NULL);
	return hz_done();
}

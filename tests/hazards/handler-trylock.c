/* SPDX-License-Identifier: Apache-2.0 */
/* handler-trylock.c — a handler that waits for the mutex, or tries and gives up. */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

#ifdef SAFE
#define TAKE pthread_mutex_trylock
#else
#define TAKE pthread_mutex_lock
#endif

static void on_alarm(int unused)
{
	(void)unused;
	if (!TAKE(&table_lock))
		pthread_mutex_unlock(&table_lock);
}

int main(void)
{
	hz_on(SIGALRM, on_alarm, 0, 0);
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	raise(SIGALRM);
	return hz_done();
}

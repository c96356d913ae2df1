/* SPDX-License-Identifier: Apache-2.0 */
/* handler-wrong-signal.c — a signal is blocked around the mutex, but it is another one. */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_second(int unused)
{
	(void)unused;
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
}

int main(void)
{
	int blocked = HZ_IS_SAFE ? SIGUSR2 : SIGUSR1;

	hz_on(SIGUSR2, on_second, 0, 0);
	hz_block(blocked);
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	hz_unblock(blocked);
	raise(SIGUSR2);
	return hz_done();
}

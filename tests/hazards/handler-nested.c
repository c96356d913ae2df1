/* SPDX-License-Identifier: Apache-2.0 */
/* handler-nested.c — two handlers share a mutex, and one of them lets the other in. */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_first(int unused)
{
	(void)unused;
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
}

static void on_second(int unused)
{
	(void)unused;
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
}

int main(void)
{
	hz_on(SIGUSR1, on_first, 0, HZ_IS_SAFE ? SIGUSR2 : 0);
	hz_on(SIGUSR2, on_second, 0, SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR2);
	return hz_done();
}

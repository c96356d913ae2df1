/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handler-installed-early.c — the handler is there before the last use of the mutex, or after it.
 */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_alarm(int unused)
{
	(void)unused;
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
}

int main(void)
{
	UNLESS_SAFE(hz_on(SIGALRM, on_alarm, 0, 0));
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	IF_SAFE(hz_on(SIGALRM, on_alarm, 0, 0));
	raise(SIGALRM);
	return hz_done();
}

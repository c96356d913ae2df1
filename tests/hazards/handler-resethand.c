/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handler-resethand.c — a handler that stays installed; with SA_RESETHAND it runs once and is
 * gone.
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
	hz_on(SIGALRM, on_alarm, HZ_IS_SAFE ? (int)SA_RESETHAND : 0, 0);
	raise(SIGALRM);
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	return hz_done();
}

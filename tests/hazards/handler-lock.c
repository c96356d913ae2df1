/* SPDX-License-Identifier: Apache-2.0 */
/* handler-lock.c — a handler takes a mutex that the thread it interrupts may hold. */
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
	hz_on(SIGALRM, on_alarm, 0, 0);
	IF_SAFE(hz_block(SIGALRM));
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	IF_SAFE(hz_unblock(SIGALRM));
	raise(SIGALRM);
	return hz_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* handler-strikes.c — the handler strikes while the mutex is held: the thread waits for itself. */
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
	raise(SIGALRM);
	pthread_mutex_unlock(&table_lock);
	IF_SAFE(hz_unblock(SIGALRM));
	return hz_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* handler-ignored.c — the signal is ignored while the mutex is in use, or it is not. */
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
	IF_SAFE(hz_on(SIGALRM, SIG_IGN, 0, 0));
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	IF_SAFE(hz_on(SIGALRM, on_alarm, 0, 0));
	raise(SIGALRM);
	return hz_done();
}

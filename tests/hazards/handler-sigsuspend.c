/* SPDX-License-Identifier: Apache-2.0 */
/* handler-sigsuspend.c — sigsuspend lets all signals in while it waits, and a mutex is held. */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_first(int unused)
{
	(void)unused;
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
}

/* The one that is waited for. */
static void on_second(int unused)
{
	(void)unused;
}

int main(void)
{
	sigset_t meanwhile;

	hz_on(SIGUSR1, on_first, 0, 0);
	hz_on(SIGUSR2, on_second, 0, SIGUSR1);
	sigemptyset(&meanwhile);
	IF_SAFE(sigaddset(&meanwhile, SIGUSR1));
	hz_block(SIGUSR1);
	hz_block(SIGUSR2);
	raise(SIGUSR2);		/* pending, so that the wait ends at once */
	pthread_mutex_lock(&table_lock);
	sigsuspend(&meanwhile);
	pthread_mutex_unlock(&table_lock);
	hz_unblock(SIGUSR1);
	raise(SIGUSR1);
	return hz_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* handler-pselect.c — pselect lets the signal in while it waits, and a mutex is held. */
#include "hazard.h"
#include <sys/select.h>

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_first(int unused)
{
	(void)unused;
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
}

int main(void)
{
	struct timespec soon = { .tv_nsec = 1000000 };
	sigset_t meanwhile;

	hz_on(SIGUSR1, on_first, 0, 0);
	sigemptyset(&meanwhile);
	IF_SAFE(sigaddset(&meanwhile, SIGUSR1));
	hz_block(SIGUSR1);
	pthread_mutex_lock(&table_lock);
	pselect(0, NULL, NULL, NULL, &soon, &meanwhile);
	pthread_mutex_unlock(&table_lock);
	hz_unblock(SIGUSR1);
	raise(SIGUSR1);
	return hz_done();
}

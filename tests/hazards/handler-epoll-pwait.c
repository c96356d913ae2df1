/* SPDX-License-Identifier: Apache-2.0 */
/* handler-epoll-pwait.c — epoll_pwait lets the signal in while it waits, and a mutex is held. */
#include "hazard.h"
#include <sys/epoll.h>

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_first(int unused)
{
	(void)unused;
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
}

int main(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event;
	sigset_t meanwhile;

	hz_on(SIGUSR1, on_first, 0, 0);
	sigemptyset(&meanwhile);
	IF_SAFE(sigaddset(&meanwhile, SIGUSR1));
	hz_block(SIGUSR1);
	pthread_mutex_lock(&table_lock);
	epoll_pwait(epoll, &event, 1, 1, &meanwhile);
	pthread_mutex_unlock(&table_lock);
	hz_unblock(SIGUSR1);
	raise(SIGUSR1);
	return hz_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* handler-timer.c — a POSIX timer delivers the signal. */
#include "hazard.h"
#include <time.h>

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static volatile sig_atomic_t fired;

static void on_timer(int unused)
{
	(void)unused;
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	fired = 1;
}

int main(void)
{
	struct itimerspec after = { .it_value = { .tv_nsec = 5000000 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	timer_t timer;

	hz_on(SIGUSR1, on_timer, 0, 0);
	hz_must(timer_create(CLOCK_MONOTONIC, &event, &timer), "timer_create");
	IF_SAFE(hz_block(SIGUSR1));
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	IF_SAFE(hz_unblock(SIGUSR1));
	/* only now, so that it never strikes while the mutex is held */
	hz_must(timer_settime(timer, 0, &after, NULL), "timer_settime");
	while (!fired)
		usleep(200);
	timer_delete(timer);
	return hz_done();
}

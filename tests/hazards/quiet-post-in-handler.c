/* SPDX-License-Identifier: Apache-2.0 */
/* quiet-post-in-handler.c — sem_post is what a handler may do: it never waits. */
#include "hazard.h"
#include <semaphore.h>

static sem_t wanted;

static void on_alarm(int unused)
{
	(void)unused;
	sem_post(&wanted);
}

int main(void)
{
	sem_init(&wanted, 0, 0);
	hz_on(SIGALRM, on_alarm, 0, 0);
	raise(SIGALRM);
	sem_wait(&wanted);
	raise(SIGALRM);
	sem_wait(&wanted);
	return hz_done();
}

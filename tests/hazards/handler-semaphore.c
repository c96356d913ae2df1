/* SPDX-License-Identifier: Apache-2.0 */
/* handler-semaphore.c — a semaphore used as a lock is no better in a handler than a mutex. */
#include "hazard.h"
#include <semaphore.h>

static sem_t table_sem;

static void on_alarm(int unused)
{
	(void)unused;
	sem_wait(&table_sem);
	sem_post(&table_sem);
}

int main(void)
{
	sem_init(&table_sem, 0, 1);
	hz_on(SIGALRM, on_alarm, 0, 0);
	IF_SAFE(hz_block(SIGALRM));
	sem_wait(&table_sem);
	sem_post(&table_sem);
	IF_SAFE(hz_unblock(SIGALRM));
	raise(SIGALRM);
	return hz_done();
}

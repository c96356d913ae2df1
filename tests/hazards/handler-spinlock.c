/* SPDX-License-Identifier: Apache-2.0 */
/* handler-spinlock.c — a handler spins on a lock that the thread it interrupts may hold. */
#include "hazard.h"

static pthread_spinlock_t count_lock;

static void on_alarm(int unused)
{
	(void)unused;
	pthread_spin_lock(&count_lock);
	pthread_spin_unlock(&count_lock);
}

int main(void)
{
	pthread_spin_init(&count_lock, PTHREAD_PROCESS_PRIVATE);
	hz_on(SIGALRM, on_alarm, 0, 0);
	IF_SAFE(hz_block(SIGALRM));
	pthread_spin_lock(&count_lock);
	pthread_spin_unlock(&count_lock);
	IF_SAFE(hz_unblock(SIGALRM));
	raise(SIGALRM);
	return hz_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* quiet-sigwait.c — a thread waits for the signal and takes the mutex: no handler at all. */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static void *wait_for_signal(void *unused)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	hz_must(sigwait(&set, &number) || number != SIGTERM, "sigwait");
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	return unused;
}

int main(void)
{
	pthread_t waiter;

	hz_block(SIGTERM);
	waiter = hz_start(wait_for_signal);
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	kill(getpid(), SIGTERM);
	pthread_join(waiter, NULL);
	return hz_done();
}

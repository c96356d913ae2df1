/* SPDX-License-Identifier: Apache-2.0 */
/* handler-signal-api.c — signal(2) installs a handler as well as sigaction does. */
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
	sigset_t set;

	signal(SIGALRM, on_alarm);
	sigemptyset(&set);
	IF_SAFE(sigaddset(&set, SIGALRM));
	sigprocmask(SIG_BLOCK, &set, NULL);
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(SIGALRM);
	return hz_done();
}

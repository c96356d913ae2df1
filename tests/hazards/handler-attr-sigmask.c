/* SPDX-License-Identifier: Apache-2.0 */
/* handler-attr-sigmask.c — a thread is started with a mask of its own. */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_alarm(int unused)
{
	(void)unused;
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
}

static void *work(void *unused)
{
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	hz_reach(1);
	hz_await(HZ_END);
	return unused;
}

int main(void)
{
	pthread_attr_t attr;
	pthread_t worker;
	sigset_t set;

	hz_on(SIGALRM, on_alarm, 0, 0);
	sigemptyset(&set);
	IF_SAFE(sigaddset(&set, SIGALRM));
	pthread_attr_init(&attr);
	pthread_attr_setsigmask_np(&attr, &set);
	hz_must(pthread_create(&worker, &attr, work, NULL), "pthread_create");
	pthread_attr_destroy(&attr);
	hz_await(1);
	raise(SIGALRM);
	hz_finish(worker);
	return hz_done();
}

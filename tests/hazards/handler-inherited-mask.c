/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handler-inherited-mask.c — a thread starts with the mask of its creator, which may let the
 * signal in.
 */
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
	pthread_t worker;

	hz_on(SIGALRM, on_alarm, 0, 0);
	IF_SAFE(hz_block(SIGALRM));
	worker = hz_start(work);
	IF_SAFE(hz_unblock(SIGALRM));
	hz_await(1);
	raise(SIGALRM);
	hz_finish(worker);
	return hz_done();
}

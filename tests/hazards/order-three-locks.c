/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order-three-locks.c — the way from the handler's mutex to the one held with the signal open has
 * a third.
 */
#include "hazard.h"

static pthread_mutex_t middle_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_alarm(int unused)
{
	(void)unused;
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
}

static void *lock_middle(void *unused)
{
	hz_block(SIGALRM);
	pthread_mutex_lock(&middle_lock);
	pthread_mutex_lock(&log_lock);
	pthread_mutex_unlock(&log_lock);
	pthread_mutex_unlock(&middle_lock);
	hz_reach(1);
	hz_await(HZ_END);
	return unused;
}

static void *lock_log(void *unused)
{
	hz_await(1);
	IF_SAFE(hz_block(SIGALRM));
	pthread_mutex_lock(&log_lock);
	pthread_mutex_unlock(&log_lock);
	hz_reach(2);
	hz_await(HZ_END);
	return unused;
}

int main(void)
{
	pthread_t middle, log;

	hz_on(SIGALRM, on_alarm, 0, 0);
	middle = hz_start(lock_middle);
	log = hz_start(lock_log);
	hz_await(2);
	hz_block(SIGALRM);
	pthread_mutex_lock(&table_lock);
	pthread_mutex_lock(&middle_lock);
	pthread_mutex_unlock(&middle_lock);
	pthread_mutex_unlock(&table_lock);
	hz_unblock(SIGALRM);
	raise(SIGALRM);
	hz_finish(middle);
	hz_finish(log);
	return hz_done();
}

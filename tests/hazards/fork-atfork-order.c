/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork-atfork-order.c — fork handlers that take two mutexes in the order opposite to everybody
 * else.
 */
#include "hazard.h"
#include <sys/wait.h>

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void lock_table(void)
{
	pthread_mutex_lock(&table_lock);
}

static void unlock_table(void)
{
	pthread_mutex_unlock(&table_lock);
}

static void lock_log(void)
{
	pthread_mutex_lock(&log_lock);
}

static void unlock_log(void)
{
	pthread_mutex_unlock(&log_lock);
}

static void *work(void *unused)
{
	pthread_mutex_lock(&table_lock);
	pthread_mutex_lock(&log_lock);
	pthread_mutex_unlock(&log_lock);
	pthread_mutex_unlock(&table_lock);
	hz_reach(1);
	hz_await(HZ_END);
	return unused;
}

int main(void)
{
	pthread_t worker = hz_start(work);
	pid_t child;
	int status;

	hz_await(1);
	/* what is registered last runs first before the fork */
	IF_SAFE(pthread_atfork(lock_log, unlock_log, unlock_log));
	pthread_atfork(lock_table, unlock_table, unlock_table);
	UNLESS_SAFE(pthread_atfork(lock_log, unlock_log, unlock_log));
	child = fork();
	hz_must(child < 0, "fork");
	if (!child)
		_exit(0);
	hz_must(waitpid(child, &status, 0) != child || status, "the child");
	hz_finish(worker);
	return hz_done();
}

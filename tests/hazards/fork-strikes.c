/* SPDX-License-Identifier: Apache-2.0 */
/* fork-strikes.c — another thread holds the mutex at the moment of the fork: the child hangs. */
#include "hazard.h"
#include <sys/wait.h>

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

/* Holds the mutex for long, and then releases it whatever the others do. */
static void *work(void *unused)
{
	pthread_mutex_lock(&table_lock);
	hz_reach(1);
	usleep(300000);
	pthread_mutex_unlock(&table_lock);
	hz_await(HZ_END);
	return unused;
}

#ifdef SAFE
static void lock_table(void)
{
	pthread_mutex_lock(&table_lock);
}

static void unlock_table(void)
{
	pthread_mutex_unlock(&table_lock);
}
#endif

int main(void)
{
	pthread_t worker = hz_start(work);
	pid_t child;
	int status;

	IF_SAFE(pthread_atfork(lock_table, unlock_table, unlock_table));
	hz_await(1);
	child = fork();
	hz_must(child < 0, "fork");
	if (!child) {
		pthread_mutex_lock(&table_lock);
		pthread_mutex_unlock(&table_lock);
		_exit(0);
	}
	waitpid(child, &status, 0);
	hz_finish(worker);
	return hz_done();
}

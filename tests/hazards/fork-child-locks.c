/* SPDX-License-Identifier: Apache-2.0 */
/* fork-child-locks.c — a forked child takes a mutex that another thread may hold at that moment. */
#include "hazard.h"
#include <sys/wait.h>

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *unused)
{
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	hz_reach(1);
	hz_await(HZ_END);
	return unused;
}

static void run_child(void)
{
	pid_t child = fork();
	int status;

	hz_must(child < 0, "fork");
	if (!child) {
		pthread_mutex_lock(&table_lock);
		pthread_mutex_unlock(&table_lock);
		_exit(0);
	}
	hz_must(waitpid(child, &status, 0) != child || status, "the child");
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

	IF_SAFE(pthread_atfork(lock_table, unlock_table, unlock_table));
	hz_await(1);
	run_child();
	hz_finish(worker);
	return hz_done();
}

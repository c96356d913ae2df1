/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork-with-threads.c — who else uses the mutex of the child: another thread, or the forking one.
 */
#include "hazard.h"
#include <sys/wait.h>

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static void use_table(void)
{
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
}

#ifndef SAFE
static void *work(void *unused)
{
	use_table();
	hz_reach(1);
	hz_await(HZ_END);
	return unused;
}
#endif

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

int main(void)
{
	UNLESS_SAFE(pthread_t worker = hz_start(work));

	UNLESS_SAFE(hz_await(1));
	IF_SAFE(use_table());
	run_child();
	UNLESS_SAFE(hz_finish(worker));
	return hz_done();
}

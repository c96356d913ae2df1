/* SPDX-License-Identifier: Apache-2.0 */
/* fork-then-exec.c — between fork and exec the child takes a mutex, or nothing. */
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

int main(void)
{
	char *const arguments[] = { "true", NULL };
	pthread_t worker = hz_start(work);
	pid_t child;
	int status;

	hz_await(1);
	child = fork();
	hz_must(child < 0, "fork");
	if (!child) {
		UNLESS_SAFE(pthread_mutex_lock(&table_lock));
		UNLESS_SAFE(pthread_mutex_unlock(&table_lock));
		execv("/bin/true", arguments);
		_exit(96);
	}
	hz_must(waitpid(child, &status, 0) != child || status, "the child");
	hz_finish(worker);
	return hz_done();
}

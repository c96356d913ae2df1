/* SPDX-License-Identifier: Apache-2.0 */
/* quiet-spawn.c — posix_spawn and vfork start a program while other threads use locks. */
#include "hazard.h"
#include <spawn.h>
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

extern char **environ;

int main(void)
{
	char *const arguments[] = { "true", NULL };
	pthread_t worker = hz_start(work);
	pid_t child;
	int status;

	hz_await(1);
	pthread_mutex_lock(&table_lock);
	hz_must(posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ), "posix_spawn");
	pthread_mutex_unlock(&table_lock);
	hz_must(waitpid(child, &status, 0) != child || status, "the child");
	child = vfork();
	if (!child) {
		execv("/bin/true", arguments);
		_exit(96);
	}
	hz_must(waitpid(child, &status, 0) != child || status, "the second child");
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	hz_finish(worker);
	return hz_done();
}

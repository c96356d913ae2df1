/* SPDX-License-Identifier: Apache-2.0 */
/* quiet-fork-malloc.c — a forked child allocates: the C library looks after malloc in fork. */
#include "hazard.h"
#include <sys/wait.h>

static void *volatile memory;
static void *volatile others;

static void *work(void *unused)
{
	others = malloc(100);
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
	memory = malloc(100);
	child = fork();
	hz_must(child < 0, "fork");
	if (!child) {
		free(memory);
		memory = malloc(200);
		free(others);
		_exit(0);
	}
	hz_must(waitpid(child, &status, 0) != child || status, "the child");
	hz_finish(worker);
	return hz_done();
}

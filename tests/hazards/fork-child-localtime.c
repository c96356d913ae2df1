/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork-child-localtime.c — a forked child needs a lock of the C library's that another thread may
 * hold.
 */
#include "hazard.h"
#include <sys/wait.h>
#include <time.h>

static time_t now;

static void *work(void *unused)
{
	hz_must(!localtime(&now), "localtime");
	hz_reach(1);
	hz_await(HZ_END);
	return unused;
}

/* Unlike malloc and the streams, the time zone is not looked after by fork. */
int main(void)
{
	pthread_t worker = hz_start(work);
	pid_t child;
	int status;

	hz_await(1);
	child = fork();
	hz_must(child < 0, "fork");
	if (!child) {
		UNLESS_SAFE(hz_must(!localtime(&now), "localtime"));
		_exit(0);
	}
	hz_must(waitpid(child, &status, 0) != child || status, "the child");
	hz_finish(worker);
	return hz_done();
}

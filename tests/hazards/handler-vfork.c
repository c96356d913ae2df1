/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handler-vfork.c — the child of a vfork() unblocks the signal and has no handler for it, before it
 * is another program. That is nothing to its parent, in whose memory it does so.
 */
#include <sys/wait.h>

#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_alarm(int unused)
{
	(void)unused;
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
}

static void start_program(void)
{
	pid_t child = vfork();

	if (!child) {
		signal(SIGALRM, SIG_DFL);
		hz_unblock(SIGALRM);
		execl("/bin/true", "true", (char *)NULL);
		_exit(98);
	}
	hz_must(child < 0, "vfork");
	waitpid(child, NULL, 0);
}

int main(void)
{
	hz_on(SIGALRM, on_alarm, 0, 0);
	hz_block(SIGALRM);
	start_program();
	UNLESS_SAFE(hz_unblock(SIGALRM));
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	IF_SAFE(hz_unblock(SIGALRM));
	raise(SIGALRM);
	return hz_done();
}

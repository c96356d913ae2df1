/* SPDX-License-Identifier: Apache-2.0 */
/* quiet-self-pipe.c — a handler writes to a pipe; the main loop does what is to be done. */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static int ends[2];

static void on_alarm(int unused)
{
	(void)unused;
	if (write(ends[1], "", 1) != 1)
		_exit(98);
}

int main(void)
{
	char byte;

	hz_must(pipe(ends), "pipe");
	hz_on(SIGALRM, on_alarm, 0, 0);
	pthread_mutex_lock(&table_lock);
	raise(SIGALRM);
	pthread_mutex_unlock(&table_lock);
	hz_must(read(ends[0], &byte, 1) != 1, "read");
	free(malloc(100));
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	return hz_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handler-siglongjmp.c — a handler that jumps out, with the mask put back or left as it was in it.
 */
#include "hazard.h"
#include <setjmp.h>

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static sigjmp_buf again;

static void on_alarm(int unused)
{
	(void)unused;
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	siglongjmp(again, 1);
}

int main(void)
{
	hz_on(SIGALRM, on_alarm, 0, 0);
	/* with 0 the signal stays blocked after the jump, as it was in the handler */
	if (!sigsetjmp(again, HZ_IS_SAFE ? 0 : 1))
		raise(SIGALRM);
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	return hz_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* handler-nodefer.c — with SA_NODEFER a handler can be struck by its own signal. */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_alarm(int unused)
{
	(void)unused;
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
}

int main(void)
{
	hz_on(SIGALRM, on_alarm, HZ_IS_SAFE ? 0 : SA_NODEFER, 0);
	raise(SIGALRM);
	return hz_done();
}

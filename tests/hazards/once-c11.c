/* SPDX-License-Identifier: Apache-2.0 */
/* once-c11.c — the same with the functions of C11. */
#include "hazard.h"
#include <threads.h>

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static once_flag ready = ONCE_FLAG_INIT;

static void initialise(void)
{
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
}

static void *work(void *unused)
{
	call_once(&ready, initialise);
	hz_reach(1);
	hz_await(HZ_END);
	return unused;
}

int main(void)
{
	pthread_t worker = hz_start(work);

	hz_await(1);
	IF_SAFE(call_once(&ready, initialise));
	pthread_mutex_lock(&table_lock);
	UNLESS_SAFE(call_once(&ready, initialise));
	pthread_mutex_unlock(&table_lock);
	hz_finish(worker);
	return hz_done();
}

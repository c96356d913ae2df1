/* SPDX-License-Identifier: Apache-2.0 */
/* atexit-lock.c — exit is called under a mutex that an exit handler takes. */
#include "hazard.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static void save_table(void)
{
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	hz_say("saved\n");
}

int main(void)
{
	atexit(save_table);
	pthread_mutex_lock(&table_lock);
	IF_SAFE(pthread_mutex_unlock(&table_lock));
	exit(0);
}

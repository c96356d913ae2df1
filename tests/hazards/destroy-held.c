/* SPDX-License-Identifier: Apache-2.0 */
/* destroy-held.c — a mutex is destroyed while it is held. */
#include "hazard.h"

static pthread_mutex_t table_lock;

int main(void)
{
	pthread_mutex_init(&table_lock, NULL);
	pthread_mutex_lock(&table_lock);
	IF_SAFE(pthread_mutex_unlock(&table_lock));
	pthread_mutex_destroy(&table_lock);
	return hz_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* relock.c — a thread takes a mutex that it has: it waits for itself. */
#include "hazard.h"

static pthread_mutex_t table_lock;

int main(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	IF_SAFE(pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE));
	pthread_mutex_init(&table_lock, &attr);
	pthread_mutex_lock(&table_lock);
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	return hz_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* rwlock-upgrade.c — a thread wants to write what it still reads: it waits for itself. */
#include "hazard.h"

static pthread_rwlock_t config_lock = PTHREAD_RWLOCK_INITIALIZER;

int main(void)
{
	pthread_rwlock_rdlock(&config_lock);
	IF_SAFE(pthread_rwlock_unlock(&config_lock));
	pthread_rwlock_wrlock(&config_lock);
	UNLESS_SAFE(pthread_rwlock_unlock(&config_lock));
	pthread_rwlock_unlock(&config_lock);
	return hz_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* handler-reader.c — a handler reads what the thread it interrupts may be writing. */
#include "hazard.h"

static pthread_rwlock_t config_lock = PTHREAD_RWLOCK_INITIALIZER;

static void on_hangup(int unused)
{
	(void)unused;
	pthread_rwlock_rdlock(&config_lock);
	pthread_rwlock_unlock(&config_lock);
}

int main(void)
{
	hz_on(SIGHUP, on_hangup, 0, 0);
	IF_SAFE(hz_block(SIGHUP));
	pthread_rwlock_wrlock(&config_lock);
	pthread_rwlock_unlock(&config_lock);
	IF_SAFE(hz_unblock(SIGHUP));
	raise(SIGHUP);
	return hz_done();
}

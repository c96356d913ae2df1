/* SPDX-License-Identifier: Apache-2.0 */
/* rwlock-reread.c — a thread reads twice, and a writer between the two is let through first. */
#include "hazard.h"

static pthread_rwlock_t config_lock;

static void *work(void *unused)
{
	pthread_rwlock_wrlock(&config_lock);
	pthread_rwlock_unlock(&config_lock);
	hz_reach(1);
	hz_await(HZ_END);
	return unused;
}

int main(void)
{
	pthread_rwlockattr_t attr;
	pthread_t worker;

	pthread_rwlockattr_init(&attr);
	UNLESS_SAFE(pthread_rwlockattr_setkind_np(&attr,
						  PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP));
	pthread_rwlock_init(&config_lock, &attr);
	worker = hz_start(work);
	hz_await(1);
	pthread_rwlock_rdlock(&config_lock);
	pthread_rwlock_rdlock(&config_lock);
	pthread_rwlock_unlock(&config_lock);
	pthread_rwlock_unlock(&config_lock);
	hz_finish(worker);
	return hz_done();
}

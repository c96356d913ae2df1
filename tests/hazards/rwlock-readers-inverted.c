/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rwlock-readers-inverted.c — two threads read in opposite orders, and writers are let through
 * first.
 */
#include "hazard.h"

static pthread_rwlock_t config_lock, users_lock;

static void *read_both(void *unused)
{
	pthread_rwlock_rdlock(&config_lock);
	pthread_rwlock_rdlock(&users_lock);
	pthread_rwlock_unlock(&users_lock);
	pthread_rwlock_unlock(&config_lock);
	hz_reach(1);
	hz_await(HZ_END);
	return unused;
}

/* Who makes readers wait: one that wants the first lock, and one that wants the second. */
static void *write_config(void *unused)
{
	hz_await(1);
	UNLESS_SAFE(pthread_rwlock_wrlock(&config_lock));
	UNLESS_SAFE(pthread_rwlock_unlock(&config_lock));
	hz_reach(2);
	hz_await(HZ_END);
	return unused;
}

static void *write_users(void *unused)
{
	hz_await(2);
	UNLESS_SAFE(pthread_rwlock_wrlock(&users_lock));
	UNLESS_SAFE(pthread_rwlock_unlock(&users_lock));
	hz_reach(3);
	hz_await(HZ_END);
	return unused;
}

int main(void)
{
	pthread_t reader, first_writer, second_writer;
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&config_lock, &attr);
	pthread_rwlock_init(&users_lock, &attr);
	reader = hz_start(read_both);
	first_writer = hz_start(write_config);
	second_writer = hz_start(write_users);
	hz_await(3);
	pthread_rwlock_rdlock(&users_lock);
	pthread_rwlock_rdlock(&config_lock);
	pthread_rwlock_unlock(&config_lock);
	pthread_rwlock_unlock(&users_lock);
	hz_finish(reader);
	hz_finish(first_writer);
	hz_finish(second_writer);
	return hz_done();
}

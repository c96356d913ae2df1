/* SPDX-License-Identifier: Apache-2.0 */
/*
 * census.c — calls each interposed function on success and on each failure that can be reached,
 * and prints what it returned and what it did to errno. With and without the library, the output
 * must be the same.
 *
 *     census             run every case
 *     census --where     for each function this program calls: which object it comes from
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>
#include <sys/wait.h>

#include "census.h"

/* Every function of the census, by the symbol this program is linked to. */
#define FUNCTIONS(F) \
	F(pthread_mutex_init) F(pthread_mutex_destroy) F(pthread_mutex_lock) \
	F(pthread_mutex_trylock) F(pthread_mutex_timedlock) F(pthread_mutex_clocklock) \
	F(pthread_mutex_unlock) \
	F(pthread_rwlock_init) F(pthread_rwlock_destroy) F(pthread_rwlock_rdlock) \
	F(pthread_rwlock_wrlock) F(pthread_rwlock_tryrdlock) F(pthread_rwlock_trywrlock) \
	F(pthread_rwlock_timedrdlock) F(pthread_rwlock_timedwrlock) \
	F(pthread_rwlock_clockrdlock) F(pthread_rwlock_clockwrlock) F(pthread_rwlock_unlock) \
	F(pthread_spin_init) F(pthread_spin_destroy) F(pthread_spin_lock) \
	F(pthread_spin_trylock) F(pthread_spin_unlock) \
	F(pthread_cond_signal) F(pthread_cond_broadcast) F(cnd_signal) F(cnd_broadcast) \
	F(pthread_cond_wait) F(pthread_cond_timedwait) F(pthread_cond_clockwait) \
	F(pthread_create) F(pthread_join) F(pthread_tryjoin_np) F(pthread_timedjoin_np) \
	F(pthread_clockjoin_np) \
	F(mtx_init) F(mtx_destroy) F(mtx_lock) F(mtx_trylock) F(mtx_timedlock) F(mtx_unlock) \
	F(cnd_wait) F(cnd_timedwait) F(thrd_create) F(thrd_join) F(vfork)

static const struct {
	const char *name;
	void *address;
} functions[] = {
#define ROW(name) { #name, (void *)name },
	FUNCTIONS(ROW)
	SIGNAL_FUNCTIONS(ROW)
	LIBC_FUNCTIONS(ROW)
	WAIT_FUNCTIONS(ROW)
#undef ROW
};

static const clockid_t bad_clock = CLOCK_PROCESS_CPUTIME_ID;

/* A helper thread that holds something while the main thread tries to get it. */
static sem_t held, release;

static void down(sem_t *sem)
{
	while (sem_wait(sem))
		;
}

static void start(pthread_t *thread, void *(*body)(void *), void *arg)
{
	if (pthread_create(thread, NULL, body, arg)) {
		fprintf(stderr, "census: pthread_create failed\n");
		exit(99);
	}
}

static void *hold_mutex(void *mutex)
{
	pthread_mutex_lock(mutex);
	sem_post(&held);
	down(&release);
	pthread_mutex_unlock(mutex);
	return NULL;
}

static void *die_holding(void *mutex)
{
	pthread_mutex_lock(mutex);
	return NULL;
}

static void begin_holding(pthread_t *thread, void *(*body)(void *), void *object)
{
	start(thread, body, object);
	down(&held);
}

static void end_holding(pthread_t thread)
{
	sem_post(&release);
	pthread_join(thread, NULL);
}

static void make_mutex(pthread_mutex_t *m, int type, int robust)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, type);
	pthread_mutexattr_setrobust(&attr, robust);
	pthread_mutex_init(m, &attr);
	pthread_mutexattr_destroy(&attr);
}

/* What any type of mutex does when another thread holds it. */
static void busy_mutex(pthread_mutex_t *m)
{
	struct timespec soon = in_ms(CLOCK_REALTIME, 10);
	struct timespec soon_mono = in_ms(CLOCK_MONOTONIC, 20);
	pthread_t thread;

	begin_holding(&thread, hold_mutex, m);
	T(pthread_mutex_trylock(m));
	T(pthread_mutex_timedlock(m, &past));
	T(pthread_mutex_timedlock(m, &soon));
	T(pthread_mutex_timedlock(m, &bad_time));
	T(pthread_mutex_clocklock(m, CLOCK_MONOTONIC, &past));
	T(pthread_mutex_clocklock(m, CLOCK_MONOTONIC, &soon_mono));
	T(pthread_mutex_clocklock(m, CLOCK_REALTIME, &past));
	T(pthread_mutex_clocklock(m, bad_clock, &past));
	T(pthread_mutex_destroy(m));
	end_holding(thread);
}

static void free_mutex(pthread_mutex_t *m)
{
	struct timespec later = in_ms(CLOCK_REALTIME, 60000);
	struct timespec later_mono = in_ms(CLOCK_MONOTONIC, 60000);

	T(pthread_mutex_lock(m));
	T(pthread_mutex_unlock(m));
	T(pthread_mutex_trylock(m));
	T(pthread_mutex_unlock(m));
	T(pthread_mutex_timedlock(m, &later));
	T(pthread_mutex_unlock(m));
	T(pthread_mutex_timedlock(m, &past));
	T(pthread_mutex_unlock(m));
	T(pthread_mutex_clocklock(m, CLOCK_MONOTONIC, &later_mono));
	T(pthread_mutex_unlock(m));
	T(pthread_mutex_clocklock(m, CLOCK_REALTIME, &later));
	T(pthread_mutex_unlock(m));
}

static void mutexes(void)
{
	static const int types[] = { PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE,
				     PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ADAPTIVE_NP };
	static pthread_mutex_t initialised_by_nobody = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_t m;
	unsigned i;

	T(pthread_mutex_init(&m, NULL));
	T(pthread_mutex_destroy(&m));
	T(pthread_mutex_lock(&m));		/* destroyed: EINVAL */
	T(pthread_mutex_trylock(&m));
	T(pthread_mutex_timedlock(&m, &past));
	T(pthread_mutex_unlock(&m));
	T(pthread_mutex_destroy(&m));
	free_mutex(&initialised_by_nobody);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		printf("mutex type %d\n", types[i]);
		make_mutex(&m, types[i], PTHREAD_MUTEX_STALLED);
		free_mutex(&m);
		busy_mutex(&m);
		T(pthread_mutex_destroy(&m));
	}
}

static void *unlock_foreign(void *m)
{
	T(pthread_mutex_unlock(m));
	return NULL;
}

static void *take_clock(void *m)
{
	T(pthread_mutex_clocklock(m, CLOCK_MONOTONIC, &past));
	return NULL;
}

static void own_mutexes(void)
{
	pthread_mutex_t m;
	pthread_t thread;

	printf("errorcheck\n");
	make_mutex(&m, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED);
	T(pthread_mutex_unlock(&m));
	T(pthread_mutex_lock(&m));
	T(pthread_mutex_lock(&m));
	T(pthread_mutex_trylock(&m));
	T(pthread_mutex_timedlock(&m, &past));
	T(pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &past));
	start(&thread, unlock_foreign, &m);
	pthread_join(thread, NULL);
	T(pthread_mutex_unlock(&m));
	T(pthread_mutex_unlock(&m));
	T(pthread_mutex_destroy(&m));

	printf("recursive\n");
	make_mutex(&m, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED);
	T(pthread_mutex_lock(&m));
	T(pthread_mutex_lock(&m));
	T(pthread_mutex_trylock(&m));
	T(pthread_mutex_timedlock(&m, &past));
	T(pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &past));
	start(&thread, unlock_foreign, &m);
	pthread_join(thread, NULL);
	start(&thread, take_clock, &m);
	pthread_join(thread, NULL);
	T(pthread_mutex_destroy(&m));
	T(pthread_mutex_unlock(&m));
	T(pthread_mutex_unlock(&m));
	T(pthread_mutex_unlock(&m));
	T(pthread_mutex_unlock(&m));
	T(pthread_mutex_unlock(&m));
	T(pthread_mutex_unlock(&m));
	T(pthread_mutex_destroy(&m));

	printf("recursive, full\n");
	make_mutex(&m, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED);
	T(pthread_mutex_lock(&m));
	m.__data.__count = UINT_MAX;		/* as after so many lock calls: EAGAIN */
	T(pthread_mutex_lock(&m));
	T(pthread_mutex_trylock(&m));
	T(pthread_mutex_timedlock(&m, &past));
	m.__data.__count = 1;
	T(pthread_mutex_unlock(&m));
	T(pthread_mutex_unlock(&m));
	T(pthread_mutex_destroy(&m));

	printf("normal, own\n");
	make_mutex(&m, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED);
	T(pthread_mutex_lock(&m));
	T(pthread_mutex_trylock(&m));
	T(pthread_mutex_timedlock(&m, &past));
	T(pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &past));
	T(pthread_mutex_destroy(&m));
	T(pthread_mutex_unlock(&m));
	T(pthread_mutex_destroy(&m));
}

/* The ways to meet a robust mutex whose owner died; `how` picks one. */
static void after_death(int how)
{
	struct timespec later = in_ms(CLOCK_REALTIME, 60000);
	struct timespec later_mono = in_ms(CLOCK_MONOTONIC, 60000);
	pthread_mutex_t m;
	pthread_t thread;

	make_mutex(&m, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
	start(&thread, die_holding, &m);
	pthread_join(thread, NULL);
	if (how == 0)
		T(pthread_mutex_lock(&m));
	else if (how == 1)
		T(pthread_mutex_trylock(&m));
	else if (how == 2)
		T(pthread_mutex_timedlock(&m, &later));
	else
		T(pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &later_mono));
	if (how & 1) {
		T(pthread_mutex_consistent(&m));
		T(pthread_mutex_unlock(&m));
		free_mutex(&m);
	} else {
		T(pthread_mutex_unlock(&m));		/* not made consistent: lost */
		T(pthread_mutex_lock(&m));
		T(pthread_mutex_timedlock(&m, &later));
		T(pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &later_mono));
		T(pthread_mutex_trylock(&m));		/* last: glibc's keeps the word taken */
	}
	T(pthread_mutex_destroy(&m));
}

static void robust_mutexes(void)
{
	pthread_mutex_t m;
	int how;

	make_mutex(&m, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ROBUST);
	free_mutex(&m);
	busy_mutex(&m);
	T(pthread_mutex_unlock(&m));
	T(pthread_mutex_lock(&m));
	T(pthread_mutex_lock(&m));
	T(pthread_mutex_consistent(&m));
	T(pthread_mutex_unlock(&m));
	T(pthread_mutex_destroy(&m));
	for (how = 0; how < 4; how++)
		after_death(how);
}

static void protocol_mutexes(void)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t m;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	T(pthread_mutex_init(&m, &attr));
	free_mutex(&m);
	T(pthread_mutex_destroy(&m));
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	T(pthread_mutex_init(&m, &attr));
	free_mutex(&m);
	T(pthread_mutex_destroy(&m));
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_PROTECT);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	T(pthread_mutex_init(&m, &attr));	/* robust and protected: ENOTSUP */
}

static void *hold_write(void *rw)
{
	pthread_rwlock_wrlock(rw);
	sem_post(&held);
	down(&release);
	pthread_rwlock_unlock(rw);
	return NULL;
}

static void *hold_read(void *rw)
{
	pthread_rwlock_rdlock(rw);
	sem_post(&held);
	down(&release);
	pthread_rwlock_unlock(rw);
	return NULL;
}

static void busy_rwlock(pthread_rwlock_t *rw, void *(*body)(void *))
{
	struct timespec soon = in_ms(CLOCK_REALTIME, 10);
	struct timespec soon_mono = in_ms(CLOCK_MONOTONIC, 20);
	int reading = body == hold_read;
	pthread_t thread;

	begin_holding(&thread, body, rw);
	T(pthread_rwlock_tryrdlock(rw));
	if (reading)
		T(pthread_rwlock_unlock(rw));
	T(pthread_rwlock_trywrlock(rw));
	T(pthread_rwlock_timedwrlock(rw, &past));
	T(pthread_rwlock_timedwrlock(rw, &soon));
	T(pthread_rwlock_timedwrlock(rw, &bad_time));
	T(pthread_rwlock_clockwrlock(rw, CLOCK_MONOTONIC, &soon_mono));
	T(pthread_rwlock_clockwrlock(rw, bad_clock, &past));
	T(pthread_rwlock_timedrdlock(rw, &past));
	if (reading)
		T(pthread_rwlock_unlock(rw));
	T(pthread_rwlock_timedrdlock(rw, &bad_time));
	T(pthread_rwlock_clockrdlock(rw, CLOCK_MONOTONIC, &past));
	if (reading)
		T(pthread_rwlock_unlock(rw));
	T(pthread_rwlock_clockrdlock(rw, bad_clock, &past));
	end_holding(thread);
}

static void free_rwlock(pthread_rwlock_t *rw)
{
	struct timespec later = in_ms(CLOCK_REALTIME, 60000);
	struct timespec later_mono = in_ms(CLOCK_MONOTONIC, 60000);

	T(pthread_rwlock_rdlock(rw));
	T(pthread_rwlock_rdlock(rw));
	T(pthread_rwlock_unlock(rw));
	T(pthread_rwlock_unlock(rw));
	T(pthread_rwlock_wrlock(rw));
	T(pthread_rwlock_unlock(rw));
	T(pthread_rwlock_tryrdlock(rw));
	T(pthread_rwlock_unlock(rw));
	T(pthread_rwlock_trywrlock(rw));
	T(pthread_rwlock_unlock(rw));
	T(pthread_rwlock_timedrdlock(rw, &later));
	T(pthread_rwlock_unlock(rw));
	T(pthread_rwlock_timedwrlock(rw, &later));
	T(pthread_rwlock_unlock(rw));
	T(pthread_rwlock_clockrdlock(rw, CLOCK_MONOTONIC, &later_mono));
	T(pthread_rwlock_unlock(rw));
	T(pthread_rwlock_clockwrlock(rw, CLOCK_MONOTONIC, &later_mono));
	T(pthread_rwlock_unlock(rw));
}

static void own_rwlock(pthread_rwlock_t *rw)
{
	T(pthread_rwlock_wrlock(rw));
	T(pthread_rwlock_wrlock(rw));		/* EDEADLK */
	T(pthread_rwlock_rdlock(rw));
	T(pthread_rwlock_tryrdlock(rw));
	T(pthread_rwlock_trywrlock(rw));
	T(pthread_rwlock_timedrdlock(rw, &past));
	T(pthread_rwlock_timedwrlock(rw, &past));
	T(pthread_rwlock_clockrdlock(rw, CLOCK_REALTIME, &past));
	T(pthread_rwlock_clockwrlock(rw, CLOCK_REALTIME, &past));
	T(pthread_rwlock_unlock(rw));
	T(pthread_rwlock_rdlock(rw));
	T(pthread_rwlock_trywrlock(rw));
	T(pthread_rwlock_timedwrlock(rw, &past));
	T(pthread_rwlock_unlock(rw));
}

static void rwlocks(void)
{
	static pthread_rwlock_t initialised_by_nobody = PTHREAD_RWLOCK_INITIALIZER;
	static const int prefer[] = { PTHREAD_RWLOCK_PREFER_READER_NP,
				      PTHREAD_RWLOCK_PREFER_WRITER_NP,
				      PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP };
	pthread_rwlockattr_t attr;
	pthread_rwlock_t rw;
	unsigned i;

	free_rwlock(&initialised_by_nobody);
	T(pthread_rwlock_init(&rw, NULL));
	free_rwlock(&rw);
	T(pthread_rwlock_destroy(&rw));
	for (i = 0; i < sizeof(prefer) / sizeof(prefer[0]); i++) {
		printf("rwlock preference %d\n", prefer[i]);
		pthread_rwlockattr_init(&attr);
		pthread_rwlockattr_setkind_np(&attr, prefer[i]);
		T(pthread_rwlock_init(&rw, &attr));
		free_rwlock(&rw);
		own_rwlock(&rw);
		busy_rwlock(&rw, hold_write);
		busy_rwlock(&rw, hold_read);
		T(pthread_rwlock_destroy(&rw));
	}
}

static void *hold_spin(void *spin)
{
	pthread_spin_lock(spin);
	sem_post(&held);
	down(&release);
	pthread_spin_unlock(spin);
	return NULL;
}

static void spinlocks(void)
{
	pthread_spinlock_t spin;
	pthread_t thread;

	T(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE));
	T(pthread_spin_lock(&spin));
	T(pthread_spin_trylock(&spin));
	T(pthread_spin_unlock(&spin));
	T(pthread_spin_trylock(&spin));
	T(pthread_spin_unlock(&spin));
	begin_holding(&thread, hold_spin, (void *)&spin);
	T(pthread_spin_trylock(&spin));
	end_holding(thread);
	T(pthread_spin_destroy(&spin));
	T(pthread_spin_init(&spin, PTHREAD_PROCESS_SHARED));
	T(pthread_spin_lock(&spin));
	T(pthread_spin_unlock(&spin));
	T(pthread_spin_destroy(&spin));
}

struct bell {
	pthread_mutex_t m;
	pthread_cond_t c;
	int rung;
	int die;	/* the ringer ends holding m */
};

static void *ring(void *arg)
{
	struct bell *bell = arg;

	pthread_mutex_lock(&bell->m);
	bell->rung = 1;
	pthread_cond_signal(&bell->c);
	if (!bell->die)
		pthread_mutex_unlock(&bell->m);
	return NULL;
}

static void wait_for_bell(struct bell *bell, int how)
{
	struct timespec later = in_ms(CLOCK_REALTIME, 60000);
	struct timespec later_mono = in_ms(CLOCK_MONOTONIC, 60000);
	pthread_t thread;

	bell->rung = 0;
	T(pthread_mutex_lock(&bell->m));
	start(&thread, ring, bell);
	while (!bell->rung) {
		if (how == 0)
			T(pthread_cond_wait(&bell->c, &bell->m));
		else if (how == 1)
			T(pthread_cond_timedwait(&bell->c, &bell->m, &later));
		else
			T(pthread_cond_clockwait(&bell->c, &bell->m, CLOCK_MONOTONIC,
						 &later_mono));
	}
	if (bell->die)
		T(pthread_mutex_consistent(&bell->m));
	T(pthread_mutex_unlock(&bell->m));
	pthread_join(thread, NULL);
}

static void unlock_cleanup(void *m)
{
	T(pthread_mutex_unlock(m));
}

static void *wait_cancelled(void *arg)
{
	struct bell *bell = arg;

	pthread_mutex_lock(&bell->m);
	pthread_cleanup_push(unlock_cleanup, &bell->m);
	sem_post(&held);
	for (;;)
		pthread_cond_wait(&bell->c, &bell->m);
	pthread_cleanup_pop(0);
	return NULL;
}

static void cancel_waiter(struct bell *bell)
{
	pthread_t thread;
	void *result = NULL;

	start(&thread, wait_cancelled, bell);
	down(&held);
	T(pthread_mutex_lock(&bell->m));	/* it waits now */
	T(pthread_mutex_unlock(&bell->m));
	flockfile(stdout);			/* this line comes before the thread's */
	T(pthread_cancel(thread));
	funlockfile(stdout);
	T(pthread_join(thread, &result));
	printf("cancelled: %d\n", result == PTHREAD_CANCELED);
	T(pthread_mutex_lock(&bell->m));
	T(pthread_mutex_unlock(&bell->m));
}

static void conditions(void)
{
	struct bell bell = { .c = PTHREAD_COND_INITIALIZER };
	struct timespec soon = in_ms(CLOCK_REALTIME, 10);
	struct timespec soon_mono = in_ms(CLOCK_MONOTONIC, 20);
	int how;

	make_mutex(&bell.m, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED);
	T(pthread_cond_signal(&bell.c));
	T(pthread_cond_broadcast(&bell.c));
	T(pthread_cond_wait(&bell.c, &bell.m));		/* not locked: EPERM */
	T(pthread_cond_timedwait(&bell.c, &bell.m, &soon));
	T(pthread_cond_clockwait(&bell.c, &bell.m, CLOCK_MONOTONIC, &soon_mono));
	T(pthread_mutex_lock(&bell.m));
	T(pthread_cond_timedwait(&bell.c, &bell.m, &past));
	T(pthread_cond_timedwait(&bell.c, &bell.m, &soon));
	T(pthread_cond_timedwait(&bell.c, &bell.m, &bad_time));
	T(pthread_cond_clockwait(&bell.c, &bell.m, CLOCK_MONOTONIC, &past));
	T(pthread_cond_clockwait(&bell.c, &bell.m, CLOCK_MONOTONIC, &soon_mono));
	T(pthread_cond_clockwait(&bell.c, &bell.m, CLOCK_MONOTONIC, &bad_time));
	T(pthread_cond_clockwait(&bell.c, &bell.m, bad_clock, &past));
	T(pthread_mutex_unlock(&bell.m));
	for (how = 0; how < 3; how++)
		wait_for_bell(&bell, how);
	cancel_waiter(&bell);
	T(pthread_mutex_destroy(&bell.m));
	for (how = 0; how < 3; how++) {
		make_mutex(&bell.m, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
		bell.die = 1;
		wait_for_bell(&bell, how);		/* EOWNERDEAD */
		T(pthread_mutex_destroy(&bell.m));
	}
	T(pthread_cond_destroy(&bell.c));
}

static void *errno_in_thread(void *arg)
{
	report("errno of a new thread", (long)(intptr_t)arg);
	return (void *)7;
}

static void *exit_with(void *value)
{
	pthread_exit(value);
}

static void *sleep_for_good(void *unused)
{
	sem_post(&held);
	for (;;)
		pause();
	return unused;
}

static void *wait_release(void *unused)
{
	down(&release);
	sem_post(&held);
	return unused;
}

static void *detach_self(void *unused)
{
	T(pthread_detach(pthread_self()));
	T(pthread_detach(pthread_self()));
	sem_post(&held);
	return unused;
}

static void bad_creates(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	cpu_set_t none;

	pthread_attr_init(&attr);
	T(pthread_attr_setstacksize(&attr, (size_t)1 << 46));
	T(pthread_create(&thread, &attr, exit_with, NULL));	/* EAGAIN */
	pthread_attr_destroy(&attr);
	pthread_attr_init(&attr);
	CPU_ZERO(&none);
	CPU_SET(CPU_SETSIZE - 1, &none);
	T(pthread_attr_setaffinity_np(&attr, sizeof(none), &none));
	T(pthread_create(&thread, &attr, exit_with, NULL));	/* no such processor: EINVAL */
	pthread_attr_destroy(&attr);
}

static void joins(void)
{
	struct timespec soon = in_ms(CLOCK_REALTIME, 10);
	struct timespec soon_mono = in_ms(CLOCK_MONOTONIC, 20);
	struct timespec later = in_ms(CLOCK_REALTIME, 60000);
	struct timespec later_mono = in_ms(CLOCK_MONOTONIC, 60000);
	pthread_t thread;
	void *value = NULL;

	T(pthread_create(&thread, NULL, wait_release, NULL));
	T(pthread_tryjoin_np(thread, &value));
	T(pthread_timedjoin_np(thread, &value, &soon));
	T(pthread_timedjoin_np(thread, &value, &past));
	T(pthread_clockjoin_np(thread, &value, CLOCK_MONOTONIC, &soon_mono));
	T(pthread_clockjoin_np(thread, &value, bad_clock, &past));
	sem_post(&release);
	down(&held);
	T(pthread_timedjoin_np(thread, &value, &later));

	start(&thread, exit_with, (void *)8);
	T(pthread_clockjoin_np(thread, &value, CLOCK_MONOTONIC, &later_mono));
	printf("value %ld\n", (long)(intptr_t)value);
	start(&thread, exit_with, (void *)9);
	while (pthread_tryjoin_np(thread, &value) == EBUSY)
		usleep(100);
	printf("value %ld\n", (long)(intptr_t)value);

	T(pthread_create(&thread, NULL, wait_release, NULL));
	T(pthread_detach(thread));
	T(pthread_join(thread, NULL));			/* EINVAL */
	T(pthread_tryjoin_np(thread, NULL));
	T(pthread_timedjoin_np(thread, NULL, &past));
	T(pthread_detach(thread));
	sem_post(&release);
	down(&held);
	start(&thread, detach_self, NULL);
	down(&held);
}

static void threads(void)
{
	pthread_t thread;
	void *value = NULL;

	errno = ERRNO_BEFORE;
	T(pthread_create(&thread, NULL, errno_in_thread, (void *)5));
	T(pthread_join(thread, &value));
	printf("value %ld\n", (long)(intptr_t)value);
	T(pthread_create(&thread, NULL, exit_with, (void *)6));
	T(pthread_join(thread, &value));
	printf("value %ld\n", (long)(intptr_t)value);
	T(pthread_join(pthread_self(), NULL));		/* EDEADLK */
	T(pthread_tryjoin_np(pthread_self(), NULL));
	T(pthread_create(&thread, NULL, sleep_for_good, NULL));
	down(&held);
	T(pthread_cancel(thread));
	T(pthread_join(thread, &value));
	printf("cancelled: %d\n", value == PTHREAD_CANCELED);
	joins();
	bad_creates();
}

static int once_count;

static void count_once(void)
{
	once_count++;
}

static int c11_thread(void *arg)
{
	return (int)(intptr_t)arg;
}

static int c11_exit(void *arg)
{
	thrd_exit((int)(intptr_t)arg);
}

static int c11_hold(void *mutex)
{
	mtx_lock(mutex);
	sem_post(&held);
	down(&release);
	mtx_unlock(mutex);
	return 0;
}

static void c11_mutexes(void)
{
	static const int types[] = { mtx_plain, mtx_timed, mtx_plain | mtx_recursive,
				     mtx_timed | mtx_recursive };
	struct timespec later = in_ms(CLOCK_REALTIME, 60000);
	unsigned i;
	mtx_t m;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		thrd_t thread;

		printf("mtx type %d\n", types[i]);
		T(mtx_init(&m, types[i]));
		T(mtx_lock(&m));
		T(mtx_trylock(&m));
		if (types[i] & mtx_recursive)
			T(mtx_unlock(&m));
		T(mtx_timedlock(&m, &past));
		if (types[i] & mtx_recursive)
			T(mtx_unlock(&m));
		T(mtx_unlock(&m));
		T(mtx_trylock(&m));
		T(mtx_unlock(&m));
		T(mtx_timedlock(&m, &later));
		T(mtx_unlock(&m));
		T(thrd_create(&thread, c11_hold, &m));
		down(&held);
		T(mtx_trylock(&m));
		T(mtx_timedlock(&m, &past));
		T(mtx_timedlock(&m, &bad_time));
		sem_post(&release);
		T(thrd_join(thread, NULL));
		V(mtx_destroy(&m));
	}
	T(mtx_init(&m, 77));				/* thrd_error */
}

struct c11_bell {
	mtx_t m;
	cnd_t c;
	int rung;
};

static int c11_ring(void *arg)
{
	struct c11_bell *bell = arg;

	mtx_lock(&bell->m);
	bell->rung = 1;
	cnd_broadcast(&bell->c);
	mtx_unlock(&bell->m);
	return 3;
}

static void c11_wait(struct c11_bell *bell, int timed)
{
	struct timespec later = in_ms(CLOCK_REALTIME, 60000);
	thrd_t thread;
	int value;

	bell->rung = 0;
	T(mtx_lock(&bell->m));
	T(thrd_create(&thread, c11_ring, bell));
	while (!bell->rung) {
		if (timed)
			T(cnd_timedwait(&bell->c, &bell->m, &later));
		else
			T(cnd_wait(&bell->c, &bell->m));
	}
	T(mtx_unlock(&bell->m));
	T(thrd_join(thread, &value));
	printf("value %d\n", value);
}

static void c11(void)
{
	once_flag flag = ONCE_FLAG_INIT;
	struct c11_bell bell;
	struct timespec soon;
	thrd_t thread;
	int value = 0;

	c11_mutexes();
	T(mtx_init(&bell.m, mtx_plain));
	T(cnd_init(&bell.c));
	T(cnd_signal(&bell.c));
	c11_wait(&bell, 0);
	c11_wait(&bell, 1);
	soon = in_ms(CLOCK_REALTIME, 10);
	T(mtx_lock(&bell.m));
	T(cnd_timedwait(&bell.c, &bell.m, &soon));
	T(cnd_timedwait(&bell.c, &bell.m, &past));
	T(cnd_timedwait(&bell.c, &bell.m, &bad_time));
	T(mtx_unlock(&bell.m));
	V(cnd_destroy(&bell.c));
	V(mtx_destroy(&bell.m));

	T(thrd_create(&thread, c11_thread, (void *)-11));
	T(thrd_join(thread, &value));
	printf("value %d\n", value);
	T(thrd_create(&thread, c11_exit, (void *)12));
	T(thrd_join(thread, &value));
	printf("value %d\n", value);
	T(thrd_create(&thread, c11_thread, NULL));
	T(thrd_detach(thread));
	V(call_once(&flag, count_once));
	V(call_once(&flag, count_once));
	printf("once: %d\n", once_count);
}

/* errno is the program's own across fork, too. */
static void forks(void)
{
	pid_t child;
	int status = 0;

	fflush(stdout);
	errno = ERRNO_BEFORE;
	child = fork();
	if (!child)
		_exit(errno == ERRNO_BEFORE ? 21 : 22);
	report("fork", child > 0);
	T(waitpid(child, &status, 0) == child);
	printf("child %d\n", WEXITSTATUS(status));
	fflush(stdout);
	errno = ERRNO_BEFORE;
	child = vfork();
	if (!child)
		_exit(errno == ERRNO_BEFORE ? 23 : 24);
	report("vfork", child > 0);
	T(waitpid(child, &status, 0) == child);
	printf("child %d\n", WEXITSTATUS(status));
}

static void print_origins(void)
{
	Dl_info info;
	unsigned i;

	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		const char *object = "unknown";

		if (dladdr(functions[i].address, &info) && info.dli_fname)
			object = strrchr(info.dli_fname, '/') ? strrchr(info.dli_fname, '/') + 1 :
				 info.dli_fname;
		printf("%s %s\n", functions[i].name, object);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--where")) {
		print_origins();
		return 0;
	}
	sem_init(&held, 0, 0);
	sem_init(&release, 0, 0);
	mutexes();
	own_mutexes();
	robust_mutexes();
	protocol_mutexes();
	rwlocks();
	spinlocks();
	conditions();
	threads();
	c11();
	signals();
	libc_locks();
	other_waits();
	forks();
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* misuse.c — locks used against their rules, and next to each the use that looks alike. */
#include "phases.h"
#include <errno.h>
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static sem_t ready, go_on;

static void run_thread(void *(*body)(void *))
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, body, NULL), "pthread_create");
	pthread_join(thread, NULL);
}

static void init_typed(pthread_mutex_t *mutex, int type)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, type);
	pthread_mutex_init(mutex, &attr);
	pthread_mutexattr_destroy(&attr);
}

static void *unlock_m(void *unused)
{
	pthread_mutex_unlock(&m);		/* MARK unlock-other */
	return unused;
}

static void unlock_other(void)
{
	pthread_mutex_lock(&m);
	run_thread(unlock_m);
}

static void unlock_never_locked(void)
{
	static pthread_mutex_t never = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_unlock(&never);		/* MARK unlock-never */
}

static void unlock_twice(void)
{
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	pthread_mutex_unlock(&m);		/* MARK unlock-twice */
}

static void unlock_errorcheck(void)
{
	pthread_mutex_t mutex;

	init_typed(&mutex, PTHREAD_MUTEX_ERRORCHECK);
	printf("%d\n", pthread_mutex_unlock(&mutex) == EPERM);	/* MARK unlock-errorcheck */
	pthread_mutex_destroy(&mutex);
}

static void *unlock_rw(void *unused)
{
	pthread_rwlock_unlock(&rw);		/* MARK unlock-rw */
	return unused;
}

static void unlock_rwlock_other(void)
{
	pthread_rwlock_wrlock(&rw);
	run_thread(unlock_rw);
}

static void *unlock_spin(void *unused)
{
	pthread_spin_unlock(&spin);		/* MARK unlock-spin */
	return unused;
}

static void unlock_spin_other(void)
{
	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	pthread_spin_lock(&spin);
	run_thread(unlock_spin);
}

static void destroy_held(void)
{
	pthread_mutex_t *mutex = calloc(1, sizeof(*mutex));

	pthread_mutex_init(mutex, NULL);
	pthread_mutex_lock(mutex);		/* MARK destroy-lock */
	pthread_mutex_destroy(mutex);		/* MARK destroy-held */
	pthread_mutex_unlock(mutex);
	free(mutex);
}

static void destroy_held_rwlock(void)
{
	pthread_rwlock_wrlock(&rw);
	pthread_rwlock_destroy(&rw);		/* MARK destroy-rw */
}

static void *hold_m(void *unused)
{
	pthread_mutex_lock(&m);
	sem_post(&ready);
	down(&go_on);
	pthread_mutex_unlock(&m);
	return unused;
}

static void destroy_held_by_other(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, hold_m, NULL), "pthread_create");
	down(&ready);
	printf("%d\n", pthread_mutex_destroy(&m) == EBUSY);	/* MARK destroy-other */
	sem_post(&go_on);
	pthread_join(thread, NULL);
}

static void init_held(void)
{
	pthread_mutex_lock(&m);
	pthread_mutex_init(&m, NULL);		/* MARK init-held */
}

static void *return_holding(void *unused)
{
	pthread_mutex_lock(&m);			/* MARK exit-lock */
	return unused;
}

static void exit_by_return(void)
{
	run_thread(return_holding);
}

static void *exit_holding(void *unused)
{
	pthread_mutex_lock(&m);
	pthread_exit(unused);
}

static void exit_by_pthread_exit(void)
{
	run_thread(exit_holding);
}

static void *sleep_holding(void *unused)
{
	pthread_mutex_lock(&m);
	sem_post(&ready);
	for (;;)
		pause();
	return unused;
}

static void exit_by_cancel(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, sleep_holding, NULL), "pthread_create");
	down(&ready);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

static void unlock_in_cleanup(void *mutex)
{
	pthread_mutex_unlock(mutex);
}

static void *sleep_with_cleanup(void *unused)
{
	pthread_mutex_lock(&m);
	pthread_cleanup_push(unlock_in_cleanup, &m);
	sem_post(&ready);
	for (;;)
		pause();
	pthread_cleanup_pop(1);
	return unused;
}

/* Cancelled while it holds, but its cleanup handler releases: right. */
static void cancel_with_cleanup(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, sleep_with_cleanup, NULL), "pthread_create");
	down(&ready);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
}

static pthread_key_t key;

static void unlock_in_destructor(void *mutex)
{
	pthread_mutex_unlock(mutex);
}

static void *hold_until_destructor(void *unused)
{
	pthread_mutex_lock(&m);
	pthread_setspecific(key, &m);
	return unused;
}

/* A thread-specific destructor releases: late, but right. */
static void exit_with_destructor(void)
{
	pthread_key_create(&key, unlock_in_destructor);
	run_thread(hold_until_destructor);
}

static void *detached_holding(void *unused)
{
	pthread_detach(pthread_self());
	pthread_mutex_lock(&m);
	sem_post(&ready);
	return unused;
}

static void exit_detached(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, detached_holding, NULL), "pthread_create");
	down(&ready);
	usleep(200000);
}

static void *robust_holding(void *mutex)
{
	pthread_mutex_lock(mutex);
	return NULL;
}

static void exit_robust(void)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t mutex;
	pthread_t thread;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&mutex, &attr);
	must(pthread_create(&thread, NULL, robust_holding, &mutex), "pthread_create");
	pthread_join(thread, NULL);
	printf("%d\n", pthread_mutex_lock(&mutex) == EOWNERDEAD);
	pthread_mutex_consistent(&mutex);
	pthread_mutex_unlock(&mutex);
	pthread_mutex_destroy(&mutex);
}

static void relock_errorcheck(void)
{
	pthread_mutex_t mutex;

	init_typed(&mutex, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_lock(&mutex);		/* MARK relock-1 */
	printf("%d\n", pthread_mutex_lock(&mutex) == EDEADLK);	/* MARK relock-2 */
	pthread_mutex_unlock(&mutex);
	pthread_mutex_destroy(&mutex);
}

static void relock_recursive(void)
{
	pthread_mutex_t mutex;
	int i;

	init_typed(&mutex, PTHREAD_MUTEX_RECURSIVE);
	for (i = 0; i < 100; i++)
		pthread_mutex_lock(&mutex);
	for (i = 0; i < 100; i++)
		pthread_mutex_unlock(&mutex);
	pthread_mutex_destroy(&mutex);
}

/* A trylock of one's own lock fails; nothing is wrong. */
static void relock_try(void)
{
	pthread_mutex_lock(&m);
	printf("%d\n", pthread_mutex_trylock(&m) == EBUSY);
	pthread_mutex_unlock(&m);
}

/* The process ends while main holds a lock: nobody is left to want it. */
static void main_holding(void)
{
	pthread_mutex_lock(&m);
}

static void *late(void *unused)
{
	usleep(100000);
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	printf("late thread: done\n");
	exit(0);
	return unused;
}

static void main_pthread_exit(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, late, NULL), "pthread_create");
	pthread_exit(NULL);
}

/* Memory of a lock that was never destroyed is used for another lock: right for glibc. */
static void reuse_memory(void)
{
	pthread_mutex_t *mutex = malloc(sizeof(*mutex));
	int i;

	for (i = 0; i < 100; i++) {
		pthread_mutex_init(mutex, NULL);
		pthread_mutex_lock(mutex);
		pthread_mutex_unlock(mutex);
		memset(mutex, i, sizeof(*mutex));
	}
	free(mutex);
}

/* A lock in memory that was copied, unlocked, from another: works with glibc. */
static void copied(void)
{
	struct {
		pthread_mutex_t mutex;
		int value;
	} first, second;

	memset(&first, 0, sizeof(first));
	pthread_mutex_init(&first.mutex, NULL);
	pthread_mutex_lock(&first.mutex);
	pthread_mutex_unlock(&first.mutex);
	second = first;
	pthread_mutex_lock(&first.mutex);
	pthread_mutex_lock(&second.mutex);
	pthread_mutex_unlock(&second.mutex);
	pthread_mutex_unlock(&first.mutex);
}

static const struct scenario scenarios[] = {
	{ "unlock-other", unlock_other },
	{ "unlock-never-locked", unlock_never_locked },
	{ "unlock-twice", unlock_twice },
	{ "unlock-errorcheck", unlock_errorcheck },
	{ "unlock-rwlock-other", unlock_rwlock_other },
	{ "unlock-spin-other", unlock_spin_other },
	{ "destroy-held", destroy_held },
	{ "destroy-held-rwlock", destroy_held_rwlock },
	{ "destroy-held-by-other", destroy_held_by_other },
	{ "init-held", init_held },
	{ "exit-by-return", exit_by_return },
	{ "exit-by-pthread-exit", exit_by_pthread_exit },
	{ "exit-by-cancel", exit_by_cancel },
	{ "exit-detached", exit_detached },
	{ "exit-robust", exit_robust },
	{ "exit-with-destructor", exit_with_destructor },
	{ "cancel-with-cleanup", cancel_with_cleanup },
	{ "relock-errorcheck", relock_errorcheck },
	{ "relock-recursive", relock_recursive },
	{ "relock-try", relock_try },
	{ "main-holding", main_holding },
	{ "main-pthread-exit", main_pthread_exit },
	{ "reuse-memory", reuse_memory },
	{ "copied", copied },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	sem_init(&ready, 0, 0);
	sem_init(&go_on, 0, 0);
	return run_scenario(scenarios, argc > 1 ? argv[1] : NULL);
}

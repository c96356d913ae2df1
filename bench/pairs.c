/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pairs.c — the cost of an uncontended lock and unlock, in nanoseconds per pair.
 *
 *     pairs CASE COUNT      prints one number; "-" as CASE lists the cases
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEPTH 4
#define THREADS 2

struct padded {
	_Alignas(128) pthread_mutex_t lock;
};

static struct padded mutex[DEPTH];
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spinlock;
static struct padded private_lock[THREADS];
static long private_count;
static FILE *null;

static long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Each returns how many pairs it did. The loops are what is measured. */

static long run_mutex(long count)
{
	long i;

	for (i = 0; i < count; i++) {
		pthread_mutex_lock(&mutex[0].lock);
		pthread_mutex_unlock(&mutex[0].lock);
	}
	return count;
}

static void do_nothing(int signal)
{
	(void)signal;
}

/* What a handler makes necessary to know must not be paid for by each lock. */
static long run_handler(long count)
{
	signal(SIGUSR1, do_nothing);
	return run_mutex(count);
}

static long run_nested(long count)
{
	long i;

	for (i = 0; i < count; i++) {
		pthread_mutex_lock(&mutex[0].lock);
		pthread_mutex_lock(&mutex[1].lock);
		pthread_mutex_lock(&mutex[2].lock);
		pthread_mutex_lock(&mutex[3].lock);
		pthread_mutex_unlock(&mutex[3].lock);
		pthread_mutex_unlock(&mutex[2].lock);
		pthread_mutex_unlock(&mutex[1].lock);
		pthread_mutex_unlock(&mutex[0].lock);
	}
	return count * DEPTH;
}

static long run_read(long count)
{
	long i;

	for (i = 0; i < count; i++) {
		pthread_rwlock_rdlock(&rwlock);
		pthread_rwlock_unlock(&rwlock);
	}
	return count;
}

static long run_write(long count)
{
	long i;

	for (i = 0; i < count; i++) {
		pthread_rwlock_wrlock(&rwlock);
		pthread_rwlock_unlock(&rwlock);
	}
	return count;
}

static long run_spin(long count)
{
	long i;

	for (i = 0; i < count; i++) {
		pthread_spin_lock(&spinlock);
		pthread_spin_unlock(&spinlock);
	}
	return count;
}

static void *use_private_lock(void *lock)
{
	long i;

	for (i = 0; i < private_count; i++) {
		pthread_mutex_lock(lock);
		pthread_mutex_unlock(lock);
	}
	return NULL;
}

static long run_threads(long count)
{
	pthread_t thread[THREADS];
	int i;

	private_count = count;
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, use_private_lock, &private_lock[i].lock))
			exit(1);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	return count;		/* each thread's pairs, which run side by side */
}

/* What takes locks inside libc. */

static long run_malloc(long count)
{
	long i;

	for (i = 0; i < count; i++) {
		void *volatile memory = malloc(64);

		free(memory);
	}
	return count;
}

static long run_printf(long count)
{
	long i;

	for (i = 0; i < count; i++)
		fprintf(null, "%ld\n", i);
	return count;
}

static long run_putc(long count)
{
	long i;

	for (i = 0; i < count; i++)
		putc('\n', null);
	return count;
}

static long run_localtime(long count)
{
	time_t now = 0;
	struct tm tm;
	long i;

	for (i = 0; i < count; i++)
		localtime_r(&now, &tm);
	return count;
}

static long run_malloc_handler(long count)
{
	signal(SIGUSR1, do_nothing);
	return run_malloc(count);
}

static long run_printf_handler(long count)
{
	signal(SIGUSR1, do_nothing);
	return run_printf(count);
}

static long run_putc_handler(long count)
{
	signal(SIGUSR1, do_nothing);
	return run_putc(count);
}

static const struct {
	const char *name;
	long (*run)(long count);
} cases[] = {
	{ "mutex", run_mutex },
	{ "handler", run_handler },
	{ "nested", run_nested },
	{ "read", run_read },
	{ "write", run_write },
	{ "spin", run_spin },
	{ "threads", run_threads },
	{ "malloc", run_malloc },
	{ "malloc-handler", run_malloc_handler },
	{ "printf", run_printf },
	{ "printf-handler", run_printf_handler },
	{ "putc", run_putc },
	{ "putc-handler", run_putc_handler },
	{ "localtime", run_localtime },
};

static void prepare(void)
{
	int i;

	for (i = 0; i < DEPTH; i++)
		pthread_mutex_init(&mutex[i].lock, NULL);
	for (i = 0; i < THREADS; i++)
		pthread_mutex_init(&private_lock[i].lock, NULL);
	pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
	null = fopen("/dev/null", "w");
	if (!null)
		exit(1);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	long count = argc > 2 ? atol(argv[2]) : 0;
	unsigned i;

	prepare();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!strcmp(name, "-"))
			puts(cases[i].name);
		if (!strcmp(name, cases[i].name) && count > 0) {
			long start, pairs;

			cases[i].run(100);	/* whatever happens only once */
			start = now_ns();
			pairs = cases[i].run(count);
			printf("%.3f\n", (double)(now_ns() - start) / pairs);
			return 0;
		}
	}
	return strcmp(name, "-") ? 2 : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storm.c — threads that lock without pause, and signals that strike them everywhere.
 *
 *     storm WORKERS SIGNALS
 *
 * The handlers take a lock of their own, read a lock that nobody writes where they strike, and now
 * and then jump out. Nothing of this can deadlock. Ends with one line: what was counted under a
 * lock is what was counted without.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#define LOCKS	4
#define JUMPS	16	/* one of so many signals leaves by a jump */

static pthread_mutex_t chain[LOCKS];
static pthread_mutex_t of_handlers = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t settings = PTHREAD_RWLOCK_INITIALIZER;
static long counted, in_handlers;	/* under chain[0], and of_handlers */
static atomic_long arrived, iterations;
static atomic_int stop;

static _Thread_local sigjmp_buf back;
static _Thread_local volatile sig_atomic_t may_jump;

/* Both signals are blocked here, by sa_mask. */
static void on_signal(int signal)
{
	long number = atomic_fetch_add(&arrived, 1);

	pthread_mutex_lock(&of_handlers);
	in_handlers++;
	pthread_rwlock_rdlock(&settings);
	pthread_rwlock_unlock(&settings);
	pthread_mutex_unlock(&of_handlers);
	if (may_jump && number % JUMPS == 0)
		siglongjmp(back, signal);
}

static void take_from(unsigned first)
{
	for (unsigned i = first; i < LOCKS; i++)
		pthread_mutex_lock(&chain[i]);
	if (!first)
		counted++;
	/* in the order taken: not nested */
	for (unsigned i = first; i < LOCKS; i++)
		pthread_mutex_unlock(&chain[i]);
}

static void *work(void *number)
{
	unsigned seed = (unsigned)(uintptr_t)number;
	sigset_t usr2;

	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	while (!stop) {
		unsigned first = (unsigned)rand_r(&seed) % LOCKS;

		take_from(first);
		if (!first)
			iterations++;
		if (seed % 64 == 0) {
			pthread_sigmask(SIG_BLOCK, &usr2, NULL);
			take_from(1);
			pthread_sigmask(SIG_UNBLOCK, &usr2, NULL);
		}
		/* nothing is held here, so a jump loses nothing */
		if (seed % 16 == 0 && !sigsetjmp(back, 1)) {
			may_jump = 1;
			getppid();
			may_jump = 0;
		}
		may_jump = 0;
	}
	return NULL;
}

static void install(int signal)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigaddset(&action.sa_mask, SIGALRM);
	sigaddset(&action.sa_mask, SIGUSR1);
	sigaddset(&action.sa_mask, SIGUSR2);
	sigaction(signal, &action, NULL);
}

static void set_timer(long us)
{
	struct itimerval timer = { { 0, us }, { 0, us } };

	setitimer(ITIMER_REAL, &timer, NULL);
}

int main(int argc, char **argv)
{
	long workers = argc > 1 ? atol(argv[1]) : 4, signals = argc > 2 ? atol(argv[2]) : 20000;
	pthread_t *thread = calloc((size_t)workers, sizeof(*thread));
	sigset_t all;

	for (unsigned i = 0; i < LOCKS; i++)
		pthread_mutex_init(&chain[i], NULL);
	install(SIGALRM);
	install(SIGUSR1);
	install(SIGUSR2);
	for (long i = 0; i < workers; i++)
		pthread_create(&thread[i], NULL, work, (void *)(i + 1));
	set_timer(200);
	for (long i = 0; arrived < signals; i++)
		pthread_kill(thread[i % workers], i & 1 ? SIGUSR1 : SIGUSR2);
	set_timer(0);
	stop = 1;
	for (long i = 0; i < workers; i++)
		pthread_join(thread[i], NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	printf("%s\n", counted == iterations && in_handlers == arrived ? "all counted" : "lost");
	free(thread);
	return 0;
}

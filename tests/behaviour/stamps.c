/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stamps.c — handlers that want what they interrupt, and a fork by one thread of several: stamps
 * WORD. What reports say of where a signal was let in and blocked is held against the marks.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void use(void)
{
	pthread_mutex_lock(&m);			/* MARK use */
	pthread_mutex_unlock(&m);
}

static void on_alarm(int signal)
{
	pthread_mutex_lock(&m);			/* MARK handler */
	pthread_mutex_unlock(&m);
}

static void handle(void)
{
	struct sigaction action = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &action, NULL);
}

static sigset_t alarm_set(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	return set;
}

/* The kernel's report: blocked and let in again before it is struck. */
static void let_in(void)
{
	sigset_t set = alarm_set();

	handle();
	pthread_sigmask(SIG_BLOCK, &set, NULL);		/* MARK in-blocked */
	use();
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);	/* MARK in-unblocked */
	use();
	raise(SIGALRM);
}

/* The handler runs before the call that lets it in is done. */
static void pending(void)
{
	sigset_t set = alarm_set(), old;

	handle();
	use();
	sigprocmask(SIG_BLOCK, &set, &old);		/* MARK pending-blocked */
	raise(SIGALRM);
	sigprocmask(SIG_SETMASK, &old, NULL);		/* MARK pending-unblocked */
}

static void wait_with_mask(void)
{
	sigset_t set = alarm_set(), none;

	handle();
	use();
	pthread_sigmask(SIG_BLOCK, &set, NULL);		/* MARK wait-blocked */
	raise(SIGALRM);
	sigemptyset(&none);
	sigsuspend(&none);				/* MARK wait-unblocked */
}

/* No change, or only of others. */
static void never(void)
{
	sigset_t set;

	handle();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	use();
	raise(SIGALRM);
}

/* A child goes on with the mask, and with what is known of it. */
static void in_child(void)
{
	sigset_t set = alarm_set();

	handle();
	pthread_sigmask(SIG_BLOCK, &set, NULL);		/* MARK child-blocked */
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);	/* MARK child-unblocked */
	use();
	if (!fork()) {
		raise(SIGALRM);
		_exit(0);
	}
	wait(NULL);
}

static void *work(void *unused)
{
	use();
	return NULL;
}

/* The child has a copy of a lock that the other thread may hold, and nobody to release it. */
static void forks(void)
{
	pthread_t worker;

	use();
	pthread_create(&worker, NULL, work, NULL);
	if (!fork()) {
		use();
		_exit(0);
	}
	wait(NULL);
	pthread_join(worker, NULL);
}

int main(int argc, char **argv)
{
	static const struct {
		const char	*name;
		void		(*run)(void);
	} words[] = {
		{ "let-in", let_in }, { "pending", pending }, { "wait", wait_with_mask },
		{ "never", never }, { "child", in_child }, { "fork", forks },
	};

	for (size_t i = 0; argc == 2 && i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(argv[1], words[i].name)) {
			words[i].run();
			return 0;
		}
	}
	return 2;
}

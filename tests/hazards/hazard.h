/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hazard.h — what the hazard programs share.
 *
 * Each program shows one hazard and does not meet it: the other schedule would. Compiled with
 * -DSAFE it is the control, which differs in the IF_SAFE and UNLESS_SAFE lines only.
 *
 * Nothing here takes a lock, allocates or waits for another thread in a way that a validator could
 * take for an order: threads are kept apart by a number that all of them poll, and text is written
 * with write(2). So what is found is found in the program itself.
 */
#ifndef LP_TEST_HAZARD_H
#define LP_TEST_HAZARD_H

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef SAFE
#define IF_SAFE(statement)	statement
#define UNLESS_SAFE(statement)
#define HZ_IS_SAFE		1
#else
#define IF_SAFE(statement)
#define UNLESS_SAFE(statement)	statement
#define HZ_IS_SAFE		0
#endif

#define HZ_END	1000

static int hz_step;

static inline void hz_say(const char *text)
{
	if (write(1, text, strlen(text)) < 0)
		_exit(97);
}

static inline void hz_must(int failed, const char *what)
{
	if (!failed)
		return;
	hz_say(what);
	hz_say(": failed\n");
	_exit(99);
}

/* Go on to a step: whoever awaits it, or an earlier one, goes on. */
static inline void hz_reach(int step)
{
	__atomic_store_n(&hz_step, step, __ATOMIC_RELEASE);
}

static inline void hz_await(int step)
{
	while (__atomic_load_n(&hz_step, __ATOMIC_ACQUIRE) < step)
		usleep(200);
}

static inline pthread_t hz_start(void *(*body)(void *))
{
	pthread_t thread;

	hz_must(pthread_create(&thread, NULL, body, NULL), "pthread_create");
	return thread;
}

/* All has happened: let a thread end that waited for that, and see it out. */
static inline void hz_finish(pthread_t thread)
{
	hz_reach(HZ_END);
	pthread_join(thread, NULL);
}

/* Install a handler; `masked`, if not 0, is a further signal that is blocked while it runs. */
static inline void hz_on(int signal_number, void (*handler)(int), int flags, int masked)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	action.sa_flags = flags;
	sigemptyset(&action.sa_mask);
	if (masked)
		sigaddset(&action.sa_mask, masked);
	hz_must(sigaction(signal_number, &action, NULL), "sigaction");
}

static inline void hz_change_mask(int how, int signal_number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal_number);
	hz_must(pthread_sigmask(how, &set, NULL), "pthread_sigmask");
}

static inline void hz_block(int signal_number)
{
	hz_change_mask(SIG_BLOCK, signal_number);
}

static inline void hz_unblock(int signal_number)
{
	hz_change_mask(SIG_UNBLOCK, signal_number);
}

static inline int hz_done(void)
{
	hz_say("done\n");
	return 0;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* census_signals.c — handlers, masks, waits with a mask, and jumps out of handlers. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "census.h"

/* Old functions are called all the same, and one object for two arguments is what libc allows. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#pragma GCC diagnostic ignored "-Wrestrict"
#pragma GCC diagnostic ignored "-Wdeprecated"

static volatile sig_atomic_t handled, with_info;
static sigjmp_buf back;

static void count(int signal)
{
	handled += signal;
}

static void count_other(int signal)
{
	handled += 1000 * signal;
}

static void count_info(int signal, siginfo_t *info, void *context)
{
	with_info += info->si_signo == signal && context;
	errno = 1;		/* what a handler does to errno is its own doing */
}

static void jump(int signal)
{
	siglongjmp(back, signal);
}

static sigset_t only(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	if (signal)
		sigaddset(&set, signal);
	return set;
}

/* What the program is told about a signal: never of a handler that is not its own. */
static void show(int signal)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	T(sigaction(signal, NULL, &action));
	printf("handler %d flags %x mask of SIGUSR2 %d\n",
	       action.sa_handler == SIG_DFL ? 0 : action.sa_handler == SIG_IGN ? 1 :
	       action.sa_handler == count ? 2 : action.sa_sigaction == count_info ? 3 :
	       action.sa_handler == count_other ? 4 : action.sa_handler == jump ? 5 : 6,
	       (unsigned)action.sa_flags, sigismember(&action.sa_mask, SIGUSR2));
}

static void show_mask(void)
{
	sigset_t set;

	T(pthread_sigmask(SIG_BLOCK, NULL, &set));
	for (int signal = 1; signal <= 64; signal++)
		if (sigismember(&set, signal) == 1)
			printf("blocked %d\n", signal);
}

static void handlers(void)
{
	struct sigaction action = { .sa_handler = count, .sa_flags = SA_RESTART }, old;

	sigaddset(&action.sa_mask, SIGUSR2);
	show(SIGUSR1);
	T(sigaction(SIGUSR1, &action, NULL));
	show(SIGUSR1);
	T(raise(SIGUSR1));
	action.sa_sigaction = count_info;
	action.sa_flags = SA_SIGINFO | SA_NODEFER;
	T(sigaction(SIGUSR1, &action, &old));
	printf("old %d %x\n", old.sa_handler == count, (unsigned)old.sa_flags);
	T(raise(SIGUSR1));
	show(SIGUSR1);
	/* the same object for both */
	T(sigaction(SIGUSR1, &old, &old));
	printf("old %d %x\n", old.sa_sigaction == count_info, (unsigned)old.sa_flags);
	action.sa_handler = count;
	action.sa_flags = (int)SA_RESETHAND;
	T(sigaction(SIGUSR1, &action, NULL));
	T(raise(SIGUSR1));
	show(SIGUSR1);
	T(sigaction(0, &action, NULL));
	T(sigaction(65, &action, NULL));
	T(sigaction(SIGKILL, &action, NULL));
	T(sigaction(32, &action, NULL));
	T(sigaction(SIGRTMAX, &action, NULL));
	T(raise(SIGRTMAX));
	T(signal(SIGUSR1, count) == SIG_DFL);
	show(SIGUSR1);
	T(raise(SIGUSR1));
	T(siginterrupt(SIGUSR1, 1));
	show(SIGUSR1);
	T(signal(SIGUSR1, count_other) == count);
	T(raise(SIGUSR1));
	T(signal(SIGUSR1, SIG_IGN) == count_other);
	T(raise(SIGUSR1));
	T(signal(SIGUSR1, SIG_ERR) == SIG_ERR);
	T(signal(99, count) == SIG_ERR);
	T(ssignal(SIGUSR1, count) == SIG_IGN);
	T(sysv_signal(SIGUSR1, count) == count);
	show(SIGUSR1);
	T(raise(SIGUSR1));
	show(SIGUSR1);
	T(sigset(SIGUSR1, count) == SIG_DFL);
	T(sigset(SIGUSR1, SIG_HOLD) == count);
	show_mask();
	T(sigset(SIGUSR1, count_other) == SIG_HOLD);
	show_mask();
	T(sigignore(SIGUSR1));
	T(sigignore(99));
	show(SIGUSR1);
	printf("handled %d with info %d\n", (int)handled, (int)with_info);
}

static void masks(void)
{
	sigset_t usr1 = only(SIGUSR1), both = usr1, old;

	sigaddset(&both, SIGUSR2);
	signal(SIGUSR1, count);
	signal(SIGUSR2, count);
	handled = 0;
	T(pthread_sigmask(SIG_BLOCK, &both, &old));
	T(raise(SIGUSR1));
	T(raise(SIGUSR2));
	T(pthread_sigmask(SIG_UNBLOCK, &usr1, NULL));
	printf("handled %d\n", (int)handled);
	T(sigprocmask(SIG_SETMASK, &old, &both));
	printf("handled %d was blocked %d\n", (int)handled, sigismember(&both, SIGUSR2));
	T(pthread_sigmask(99, &usr1, NULL));
	T(sigprocmask(99, &usr1, NULL));
	T(sigprocmask(SIG_BLOCK, &usr1, &usr1));
	show_mask();
	T(sigblock(1 << (SIGUSR2 - 1)));
	T(sigsetmask(1 << (SIGALRM - 1)));
	show_mask();
	T(sighold(SIGUSR1));
	T(sighold(99));
	show_mask();
	T(sigrelse(SIGUSR1));
	T(sigrelse(99));
	T(sigsetmask(0));
	show_mask();
}

/* SIGUSR1 is pending and blocked: each wait lets it in, and only for as long as it lasts. */
#define LETS_IN(call) do { \
	sigset_t blocked_ = only(SIGUSR1); \
	sigprocmask(SIG_BLOCK, &blocked_, NULL); \
	raise(SIGUSR1); \
	handled = 0; \
	T(call); \
	printf("handled %d\n", (int)handled); \
	show_mask(); \
	sigprocmask(SIG_UNBLOCK, &blocked_, NULL); \
} while (0)

static void waits(void)
{
	struct timespec none = { 0, 0 }, second = { 1, 0 };
	struct epoll_event event;
	sigset_t empty = only(0);
	int epoll = epoll_create1(0);

	signal(SIGUSR1, count);
	LETS_IN(sigsuspend(&empty));
	LETS_IN(sigpause(SIGUSR1));
	LETS_IN(ppoll(NULL, 0, &second, &empty));
	LETS_IN(pselect(0, NULL, NULL, NULL, &second, &empty));
	LETS_IN(epoll_pwait(epoll, &event, 1, 1000, &empty));
	LETS_IN(epoll_pwait2(epoll, &event, 1, &second, &empty));
	T(ppoll(NULL, 0, &none, NULL));
	T(pselect(0, NULL, NULL, NULL, &none, NULL));
	T(epoll_pwait(epoll, &event, 1, 0, NULL));
	T(epoll_pwait2(-1, &event, 1, &none, NULL));
	T(sigpause(99));
	close(epoll);
}

static void jumps(void)
{
	volatile int rounds = 0;
	ucontext_t here, there;
	jmp_buf plain;

	signal(SIGUSR1, jump);
	for (volatile int save = 0; save < 2; save++) {
		if (!sigsetjmp(back, save))
			raise(SIGUSR1);
		else
			printf("came back\n");
		show_mask();
		sigsetmask(0);
	}
	if (!setjmp(plain))
		longjmp(plain, 1);
	if (!_setjmp(plain))
		_longjmp(plain, 1);
	getcontext(&here);
	if (++rounds < 3)
		setcontext(&here);
	printf("rounds %d\n", rounds);
	getcontext(&there);
	if (++rounds < 5)
		T(swapcontext(&here, &there));
	printf("rounds %d\n", rounds);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
}

void signals(void)
{
	handlers();
	masks();
	waits();
	jumps();
}

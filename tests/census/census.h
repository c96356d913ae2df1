/* SPDX-License-Identifier: Apache-2.0 */
/* census.h — what the files of the census share. */
#ifndef CENSUS_H
#define CENSUS_H

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <ucontext.h>

#define ERRNO_BEFORE 4242

/* Every function of signals(), by the symbol this program is linked to. */
#define SIGNAL_FUNCTIONS(F) \
	F(sigaction) F(signal) F(ssignal) F(sysv_signal) F(sigset) F(sigignore) \
	F(pthread_sigmask) F(sigprocmask) F(sigblock) F(sigsetmask) F(sighold) F(sigrelse) \
	F(sigsuspend) F(sigpause) F(ppoll) F(pselect) F(epoll_pwait) F(epoll_pwait2) \
	F(longjmp) F(_longjmp) F(siglongjmp) F(setcontext) F(swapcontext)

void signals(void);

static inline void report(const char *what, long result)
{
	int after = errno;

	printf("%-60s %ld errno %d\n", what, result, after);
}

/* Prints the call, its result and what became of errno. */
#define T(call) do { \
	errno = ERRNO_BEFORE; \
	long result_ = (long)(call); \
	report(#call, result_); \
} while (0)

/* The same for a call without a result. */
#define V(call) do { \
	errno = ERRNO_BEFORE; \
	call; \
	report(#call, 0); \
} while (0)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* census.h — what the files of the census share. */
#ifndef CENSUS_H
#define CENSUS_H

#include <dlfcn.h>
#include <err.h>
#include <errno.h>
#include <grp.h>
#include <link.h>
#include <locale.h>
#include <malloc.h>
#include <netdb.h>
#include <poll.h>
#include <pwd.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <stdlib.h>
#include <sys/select.h>
#include <syslog.h>
#include <time.h>
#include <threads.h>
#include <ucontext.h>

#define ERRNO_BEFORE 4242

/* Every function of signals(), by the symbol this program is linked to. */
#define SIGNAL_FUNCTIONS(F) \
	F(sigaction) F(signal) F(ssignal) F(sysv_signal) F(sigset) F(sigignore) \
	F(pthread_sigmask) F(sigprocmask) F(sigblock) F(sigsetmask) F(sighold) F(sigrelse) \
	F(sigsuspend) F(sigpause) F(ppoll) F(pselect) F(epoll_pwait) F(epoll_pwait2) \
	F(longjmp) F(_longjmp) F(siglongjmp) F(setcontext) F(swapcontext)

/* The same of libc_locks(). */
#define LIBC_FUNCTIONS(F) \
	F(malloc) F(free) F(calloc) F(realloc) F(reallocarray) F(posix_memalign) \
	F(aligned_alloc) F(memalign) F(valloc) F(pvalloc) F(printf) F(vprintf) F(fprintf) \
	F(vfprintf) F(puts) F(putchar) F(putc) F(fputc) F(fputs) F(fwrite) F(ftell) F(rewind) \
	F(fgetc) F(ungetc) F(getc) F(fseek) F(fseeko) F(ftello) F(fflush) F(setvbuf) F(clearerr) \
	F(fclose) F(fopen) F(fdopen) F(tmpfile) F(perror) F(warnx) F(__isoc99_fscanf) F(fgetpos) \
	F(fsetpos) F(fgets) F(getline) F(getdelim) F(fread) F(ftrylockfile) F(flockfile) \
	F(funlockfile) F(popen) F(pclose) F(localtime) F(localtime_r) F(gmtime) F(gmtime_r) \
	F(mktime) F(strftime) F(ctime) F(ctime_r) F(tzset) F(getaddrinfo) F(getpwnam) \
	F(getpwuid) F(getpwnam_r) F(getpwuid_r) F(getgrnam) F(getgrgid) F(setpwent) F(getpwent) \
	F(endpwent) F(dlopen) F(dlsym) F(dlclose) F(dladdr) F(dl_iterate_phdr) F(setenv) \
	F(unsetenv) F(putenv) F(random) F(srandom) F(rand) F(srand) F(initstate) F(setstate) \
	F(setlocale) F(newlocale) F(freelocale) F(openlog) F(setlogmask) F(syslog) F(closelog) \
	F(__cxa_atexit)

/* Known by these symbols to programs, and declared nowhere. */
extern int __isoc99_fscanf(FILE *file, const char *format, ...);
extern int __cxa_atexit(void (*handler)(void *), void *argument, void *object);

void signals(void);
void libc_locks(void);

/* The same of other_waits(). */
#define WAIT_FUNCTIONS(F) \
	F(sem_init) F(sem_destroy) F(sem_wait) F(sem_trywait) F(sem_timedwait) F(sem_clockwait) \
	F(sem_post) F(sem_open) F(sem_close) F(pthread_once) F(call_once)

void other_waits(void);

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

static const struct timespec past = { 1, 0 };
static const struct timespec bad_time = { 1, 1000000000 };

static inline struct timespec in_ms(clockid_t clock, long ms)
{
	struct timespec when;

	clock_gettime(clock, &when);
	when.tv_nsec += ms * 1000000;
	when.tv_sec += when.tv_nsec / 1000000000;
	when.tv_nsec %= 1000000000;
	return when;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libc.h — locks inside the C library, as classes like any other.
 *
 * What libc 2.36 locks, by its source. A call of one of these functions is noted as an acquisition
 * of its lock, and then libc is jumped to: whatever the arguments, with the program's own return
 * address, so nothing needs to be undone when it never comes back. Where libc calls the program
 * while it holds the lock (constructors under dlopen()) or keeps it (flockfile()), the lock is held
 * as well; see hook_libc.c.
 *
 * Busy locks cost a test and a jump until a signal handler is installed; from then on they are
 * noted once in each state of a thread. Nothing of the program runs under them, so only contexts
 * matter: what a handler calls, and what it strikes.
 */
#ifndef LP_RUNTIME_LIBC_H
#define LP_RUNTIME_LIBC_H

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/*
 * X(lock, name in reports, safe in forked children): fork() makes these anew, or takes them
 * before (posix/fork.c); all others stay as another thread had them.
 */
#define LP_LIBC_LOCKS(X) \
	X(MALLOC,	"malloc arena",			true) \
	X(STDIN,	"stdin",			true) \
	X(STDOUT,	"stdout",			true) \
	X(STDERR,	"stderr",			true) \
	X(FILES,	"list of FILEs",		true) \
	X(LOADER,	"dynamic loader",		true) \
	X(OBJECTS,	"list of loaded objects",	false) \
	X(EXIT,		"exit handlers",		false) \
	X(ENVIRONMENT,	"environment",			false) \
	X(TZ,		"tz database (localtime)",	false) \
	X(SYSLOG,	"syslog",			false) \
	X(RANDOM,	"random()",			false) \
	X(LOCALE,	"locale",			false) \
	X(RESOLVER,	"resolver (getaddrinfo)",	false) \
	X(NSS,		"name service (getpwnam)",	false) \
	X(UTMP,		"utmp",				false)

/* Which lock a function takes; one of a FILE: that of its first, second ... argument. */
enum lp_libc_lock {
#define X(lock, name, safe) LP_LIBC_##lock,
	LP_LIBC_LOCKS(X)
#undef X
	LP_LIBC_LOCK_COUNT,
	LP_LIBC_FILE_1 = LP_LIBC_LOCK_COUNT, LP_LIBC_FILE_2, LP_LIBC_FILE_3, LP_LIBC_FILE_4,
	LP_LIBC_FILE_5,
};

/* R(function, lock): rare ones, always noted. */
#define LP_LIBC_RARE(R) \
	R(dlopen, LOADER) R(dlmopen, LOADER) R(dlclose, LOADER) \
	R(dlsym, LOADER) R(dladdr, LOADER) R(dladdr1, LOADER) R(dl_iterate_phdr, OBJECTS) \
	R(__cxa_thread_atexit_impl, LOADER) \
	R(exit, EXIT) R(on_exit, EXIT) R(__cxa_atexit, EXIT) R(__cxa_at_quick_exit, EXIT) \
	R(setenv, ENVIRONMENT) R(unsetenv, ENVIRONMENT) R(putenv, ENVIRONMENT) \
	R(clearenv, ENVIRONMENT) \
	R(localtime, TZ) R(localtime_r, TZ) R(gmtime, TZ) R(gmtime_r, TZ) R(__gmtime_r, TZ) \
	R(ctime, TZ) R(ctime_r, TZ) R(mktime, TZ) R(timelocal, TZ) R(tzset, TZ) \
	R(strftime, TZ) R(strftime_l, TZ) R(wcsftime, TZ) R(wcsftime_l, TZ) \
	R(syslog, SYSLOG) R(vsyslog, SYSLOG) R(__syslog_chk, SYSLOG) R(__vsyslog_chk, SYSLOG) \
	R(openlog, SYSLOG) R(closelog, SYSLOG) R(setlogmask, SYSLOG) \
	R(setlocale, LOCALE) R(newlocale, LOCALE) R(duplocale, LOCALE) \
	R(freelocale, LOCALE) \
	R(getaddrinfo, RESOLVER) R(getnameinfo, RESOLVER) R(gethostbyname, RESOLVER) \
	R(gethostbyname2, RESOLVER) R(gethostbyaddr, RESOLVER) R(gethostbyname_r, RESOLVER) \
	R(gethostbyname2_r, RESOLVER) R(gethostbyaddr_r, RESOLVER) R(sethostent, RESOLVER) \
	R(gethostent, RESOLVER) R(endhostent, RESOLVER) \
	R(getpwnam, NSS) R(getpwuid, NSS) R(getpwnam_r, NSS) R(getpwuid_r, NSS) R(getpwent, NSS) \
	R(setpwent, NSS) R(endpwent, NSS) R(getgrnam, NSS) R(getgrgid, NSS) R(getgrnam_r, NSS) \
	R(getgrgid_r, NSS) R(getgrent, NSS) R(setgrent, NSS) R(endgrent, NSS) R(initgroups, NSS) \
	R(getgrouplist, NSS) R(getspnam, NSS) R(getspnam_r, NSS) R(getservbyname, NSS) \
	R(getservbyport, NSS) R(getservbyname_r, NSS) R(getservbyport_r, NSS) \
	R(getprotobyname, NSS) R(getprotobynumber, NSS) R(getprotobyname_r, NSS) \
	R(getprotobynumber_r, NSS) R(getnetgrent, NSS) R(setnetgrent, NSS) R(endnetgrent, NSS) \
	R(innetgr, NSS) \
	R(getutent, UTMP) R(setutent, UTMP) R(endutent, UTMP) R(getutid, UTMP) \
	R(getutline, UTMP) R(pututline, UTMP) R(utmpname, UTMP) \
	R(flockfile, FILE_1) R(ftrylockfile, FILE_1) R(funlockfile, FILE_1)

/* Busy ones. */
#define LP_LIBC_BUSY(R) \
	R(malloc, MALLOC) R(free, MALLOC) R(calloc, MALLOC) R(realloc, MALLOC) \
	R(reallocarray, MALLOC) R(posix_memalign, MALLOC) R(aligned_alloc, MALLOC) \
	R(memalign, MALLOC) R(valloc, MALLOC) R(pvalloc, MALLOC) R(malloc_trim, MALLOC) \
	R(random, RANDOM) R(srandom, RANDOM) R(rand, RANDOM) R(srand, RANDOM) \
	R(initstate, RANDOM) R(setstate, RANDOM)

#define LP_LIBC_BUSY_FILE(R) \
	R(printf, STDOUT) R(vprintf, STDOUT) R(__printf_chk, STDOUT) R(__vprintf_chk, STDOUT) \
	R(wprintf, STDOUT) R(vwprintf, STDOUT) R(__wprintf_chk, STDOUT) \
	R(__vwprintf_chk, STDOUT) R(puts, STDOUT) R(putchar, STDOUT) R(putwchar, STDOUT) \
	R(fprintf, FILE_1) R(vfprintf, FILE_1) R(__fprintf_chk, FILE_1) \
	R(__vfprintf_chk, FILE_1) R(fwprintf, FILE_1) R(vfwprintf, FILE_1) \
	R(__fwprintf_chk, FILE_1) R(__vfwprintf_chk, FILE_1) \
	R(fputs, FILE_2) R(fputc, FILE_2) R(putc, FILE_2) R(_IO_putc, FILE_2) R(putw, FILE_2) \
	R(fputws, FILE_2) R(fputwc, FILE_2) R(putwc, FILE_2) R(fwrite, FILE_4) \
	R(scanf, STDIN) R(vscanf, STDIN) R(__isoc99_scanf, STDIN) R(__isoc99_vscanf, STDIN) \
	R(getchar, STDIN) R(getwchar, STDIN) R(gets, STDIN) R(__gets_chk, STDIN) \
	R(fscanf, FILE_1) R(vfscanf, FILE_1) R(__isoc99_fscanf, FILE_1) \
	R(__isoc99_vfscanf, FILE_1) \
	R(fgetc, FILE_1) R(getc, FILE_1) R(_IO_getc, FILE_1) R(getw, FILE_1) R(fgetwc, FILE_1) \
	R(getwc, FILE_1) R(fgets, FILE_3) R(__fgets_chk, FILE_4) R(fgetws, FILE_3) \
	R(ungetc, FILE_2) R(ungetwc, FILE_2) R(fread, FILE_4) R(__fread_chk, FILE_5) \
	R(getline, FILE_3) R(getdelim, FILE_4) R(__getdelim, FILE_4) \
	R(fflush, FILE_1) R(fseek, FILE_1) R(fseeko, FILE_1) R(fseeko64, FILE_1) \
	R(ftell, FILE_1) R(ftello, FILE_1) R(ftello64, FILE_1) R(rewind, FILE_1) \
	R(fgetpos, FILE_1) R(fgetpos64, FILE_1) R(fsetpos, FILE_1) R(fsetpos64, FILE_1) \
	R(setvbuf, FILE_1) R(setbuf, FILE_1) R(setbuffer, FILE_1) R(setlinebuf, FILE_1) \
	R(clearerr, FILE_1) R(fopen, FILES) R(fopen64, FILES) R(fdopen, FILES) R(freopen, FILE_3) \
	R(freopen64, FILE_3) R(tmpfile, FILES) R(tmpfile64, FILES) R(open_memstream, FILES) \
	R(open_wmemstream, FILES) R(fopencookie, FILES) R(popen, FILES) R(pclose, FILES) \
	R(fcloseall, FILES) R(_flushlbf, FILES) \
	R(perror, STDERR) R(psignal, STDERR) R(psiginfo, STDERR) R(error, STDERR) \
	R(error_at_line, STDERR) R(warn, STDERR) R(warnx, STDERR) R(vwarn, STDERR) \
	R(vwarnx, STDERR) R(err, STDERR) R(errx, STDERR) R(verr, STDERR) R(verrx, STDERR)

/* Of these each call matters: the FILE is gone. */
#define LP_LIBC_BUSY_END(R) R(fclose, FILE_1)

#define LP_LIBC_CALLS(R) \
	LP_LIBC_RARE(R) LP_LIBC_BUSY(R) LP_LIBC_BUSY_FILE(R) LP_LIBC_BUSY_END(R)

enum lp_libc_call {
#define R(name, lock) LP_CALL_##name,
	LP_LIBC_CALLS(R)
#undef R
	LP_CALL_COUNT
};

/* The C library's own, or those of whoever else stands in front of it (another malloc). */
typedef void lp_libc_fn(void);
extern lp_libc_fn *lp_libc_real[LP_CALL_COUNT];

/* 0: busy functions pass. Read by their first instruction. */
enum lp_libc_armed {
	LP_LIBC_UNRESOLVED	= 1,
	LP_LIBC_ARMED		= 2,	/* a handler is installed */
	LP_LIBC_ORDERS		= 4,	/* the program locks FILEs itself, so their order matters */
};
extern uint8_t lp_libc_armed;

#define LP_LIBC_NOTED_FILES	16u
struct lp_libc_noted_file {
	uint64_t	state;		/* mixed with the address of the FILE */
	uint64_t	unused;		/* so that an address tells its place by its lower bits */
};

/* Handlers may come from now on. Any thread, handlers too. */
void lp_libc_arm(void);

/* Find the real functions. */
void lp_libc_resolve(void);

/*
 * A function of the program is inside this one: goes on top of stacks that are captured, because
 * it is what the program called. 0: none.
 */
extern __thread uint64_t lp_libc_frame __attribute__((tls_model("initial-exec")));

/* What libc keeps when it returns, or has while it calls the program: in the place of the real. */
lp_libc_fn *lp_libc_instead(enum lp_libc_call call, const uint64_t *arguments, uint64_t site);

struct lp_op;
/* The lock as an operation of this call; false: it cannot be told. */
bool lp_libc_op(enum lp_libc_call call, uint64_t file, uint64_t site, struct lp_op *op);

#pragma GCC visibility pop

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libc.c — locks inside the C library: handlers that call what is not safe there, forked children,
 * the loader and the FILEs that a program locks itself. Every handler runs once, at a harmless
 * moment. Each hazard has a twin that differs in what makes it safe.
 */
#include "phases.h"
#include <dlfcn.h>
#include <link.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

/* The plugin's constructor takes it. */
pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static FILE *of_handler, *of_main;

/* ---- what is called ---- */

static void do_syslog(void)
{
	syslog(LOG_DEBUG, "no harm meant");		/* MARK syslog */
}

static void do_malloc(void)
{
	void *volatile memory = malloc(100);		/* MARK malloc */

	free(memory);
}

static void do_printf(void)
{
	printf("%d\n", 1);				/* MARK printf */
}

static void do_stderr(void)
{
	fprintf(stderr, "%d\n", 1);
}

static void do_localtime(void)
{
	time_t now = 0;

	localtime(&now);				/* MARK localtime */
}

static void do_setenv(void)
{
	setenv("LIBC_TEST", "1", 1);			/* MARK setenv */
}

static void do_getpwnam(void)
{
	getpwnam("root");				/* MARK getpwnam */
}

static void do_random(void)
{
	random();					/* MARK random */
}

static void do_dlsym(void)
{
	dlsym(RTLD_DEFAULT, "puts");			/* MARK dlsym */
}

static void do_safe(void)
{
	char line[40];
	int size = snprintf(line, sizeof(line), "%d\n", 42);

	must(write(STDOUT_FILENO, line, (size_t)size) != size, "write");
	getenv("HOME");
	free(NULL);
	strftime(line, sizeof(line), "%H", &(struct tm){ .tm_hour = 1 });
}

static void do_file_of_handler(void)
{
	fwrite("handler\n", 8, 1, of_handler);
}

static void do_file_of_main(void)
{
	fwrite("main\n", 5, 1, of_main);
}

/* ---- handlers ---- */

static void (*in_handler)(void);

static void handler(int number)
{
	(void)number;
	in_handler();
}

static void mask(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(how, &set, NULL);
}

static void strike(void (*in_main)(void), void (*in_it)(void), int safe)
{
	in_handler = in_it;
	signal(SIGALRM, handler);
	if (safe)
		mask(SIG_BLOCK);
	in_main();
	if (safe)
		mask(SIG_UNBLOCK);
	raise(SIGALRM);
	signal(SIGALRM, SIG_DFL);
}

#define STRIKE(name, in_main, in_it) \
static void name(void) { strike(in_main, in_it, 0); } \
static void name##_blocked(void) { strike(in_main, in_it, 1); }

STRIKE(signal_syslog, do_syslog, do_syslog)
STRIKE(signal_malloc, do_malloc, do_malloc)
STRIKE(signal_printf, do_printf, do_printf)
STRIKE(signal_localtime, do_localtime, do_localtime)
STRIKE(signal_setenv, do_setenv, do_setenv)
STRIKE(signal_getpwnam, do_getpwnam, do_getpwnam)
STRIKE(signal_random, do_random, do_random)
STRIKE(signal_dlsym, do_dlsym, do_dlsym)

/* The shape of CVE-2024-6387: the grace alarm of a server logs. */
static void grace_alarm(void)
{
	do_syslog();
}

static void serve(void)
{
	do_malloc();
	do_localtime();
	do_syslog();
	do_malloc();
}

static void cve_2024_6387(void)
{
	openlog("server", 0, LOG_DAEMON);
	in_handler = grace_alarm;
	signal(SIGALRM, handler);
	alarm(1);
	serve();
	pause();
	signal(SIGALRM, SIG_DFL);
}

static void signal_late(void)
{
	do_malloc();
	do_printf();
	in_handler = do_malloc;
	signal(SIGALRM, handler);
	raise(SIGALRM);
	signal(SIGALRM, SIG_DFL);
}

static void everything_safe(void)
{
	do_safe();
	do_malloc();
	do_printf();
}

static void signal_safe(void)
{
	strike(everything_safe, do_safe, 0);
}

static void signal_other_stream(void)
{
	strike(do_printf, do_stderr, 0);
}

static void open_files(void)
{
	of_handler = fopen("/dev/null", "w");
	of_main = fopen("/dev/null", "w");
	must(!of_handler || !of_main, "fopen");
	setvbuf(of_handler, NULL, _IONBF, 0);
	setvbuf(of_main, NULL, _IONBF, 0);
}

static void signal_other_file(void)
{
	open_files();
	strike(do_file_of_main, do_file_of_handler, 0);
}

static void signal_same_file(void)
{
	open_files();
	strike(do_file_of_handler, do_file_of_handler, 0);
}

static void signal_crash(void)
{
	in_handler = do_malloc;
	signal(SIGSEGV, handler);
	do_malloc();
	raise(SIGSEGV);
	signal(SIGSEGV, SIG_DFL);
}

/* ---- forks ---- */

static sem_t stop;

static void *other_thread(void *work)
{
	((void (*)(void))work)();
	sem_post(&phase_end);
	down(&stop);
	return NULL;
}

/* A thread has done `by_thread` and lives; the child of another does `by_child`. */
static void with_fork(void (*by_thread)(void), void (*by_child)(void))
{
	pthread_t thread;
	pid_t child;
	int status;

	sem_init(&stop, 0, 0);
	sem_init(&phase_end, 0, 0);
	must(pthread_create(&thread, NULL, other_thread, (void *)by_thread), "pthread_create");
	down(&phase_end);
	fflush(stdout);
	child = fork();
	if (!child) {
		by_child();
		_exit(0);
	}
	waitpid(child, &status, 0);
	printf("child %d\n", status);
	sem_post(&stop);
	pthread_join(thread, NULL);
}

static void fork_localtime(void)
{
	with_fork(do_localtime, do_localtime);
}

static void fork_setenv(void)
{
	with_fork(do_setenv, do_setenv);
}

static void protected_ones(void)
{
	do_malloc();
	do_printf();
	do_dlsym();
	fflush(stdout);
}

static void fork_protected(void)
{
	signal(SIGALRM, handler);	/* arms */
	with_fork(protected_ones, protected_ones);
}

/* ---- orders ---- */

static void registry_dlsym(void)
{
	pthread_mutex_lock(&registry);			/* MARK registry */
	do_dlsym();
	pthread_mutex_unlock(&registry);
}

static void load_plugin(void)
{
	void *plugin = dlopen(getenv("LIBC_TEST_PLUGIN"), RTLD_NOW);	/* MARK dlopen */

	must(!plugin, "dlopen");
	dlclose(plugin);
}

static void dlopen_constructor(void)
{
	run_phases((void (*const[])(void)){ registry_dlsym, load_plugin }, 2);
}

static void dlopen_consistent(void)
{
	run_phases((void (*const[])(void)){ do_dlsym, load_plugin }, 2);
}

static int look_up_each(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)info;
	(void)size;
	(void)data;
	do_dlsym();
	return 1;
}

static void iterate(void)
{
	dl_iterate_phdr(look_up_each, NULL);		/* MARK iterate */
}

static void iterate_dlsym(void)
{
	run_phases((void (*const[])(void)){ iterate, load_plugin }, 2);
}

static void m_printf(void)
{
	pthread_mutex_lock(&m);				/* MARK m-outer */
	do_printf();
	pthread_mutex_unlock(&m);
}

static void flockfile_m(void)
{
	flockfile(stdout);				/* MARK flockfile */
	printf("locked\n");
	pthread_mutex_lock(&m);				/* MARK m-inner */
	pthread_mutex_unlock(&m);
	funlockfile(stdout);
}

static void m_flockfile(void)
{
	pthread_mutex_lock(&m);
	flockfile(stdout);
	flockfile(stdout);
	printf("locked\n");
	funlockfile(stdout);
	must(ftrylockfile(stdout), "ftrylockfile");
	funlockfile(stdout);
	funlockfile(stdout);
	pthread_mutex_unlock(&m);
}

static void flockfile_inverts(void)
{
	run_phases((void (*const[])(void)){ flockfile_m, m_printf }, 2);
}

static void flockfile_consistent(void)
{
	run_phases((void (*const[])(void)){ m_flockfile, m_printf, m_flockfile }, 3);
}

static const struct scenario scenarios[] = {
	{ "cve-2024-6387", cve_2024_6387 },
	{ "signal-syslog", signal_syslog },
	{ "signal-syslog-blocked", signal_syslog_blocked },
	{ "signal-malloc", signal_malloc },
	{ "signal-malloc-blocked", signal_malloc_blocked },
	{ "signal-printf", signal_printf },
	{ "signal-printf-blocked", signal_printf_blocked },
	{ "signal-localtime", signal_localtime },
	{ "signal-localtime-blocked", signal_localtime_blocked },
	{ "signal-setenv", signal_setenv },
	{ "signal-setenv-blocked", signal_setenv_blocked },
	{ "signal-getpwnam", signal_getpwnam },
	{ "signal-getpwnam-blocked", signal_getpwnam_blocked },
	{ "signal-random", signal_random },
	{ "signal-random-blocked", signal_random_blocked },
	{ "signal-dlsym", signal_dlsym },
	{ "signal-dlsym-blocked", signal_dlsym_blocked },
	{ "signal-late", signal_late },
	{ "signal-safe", signal_safe },
	{ "signal-other-stream", signal_other_stream },
	{ "signal-other-file", signal_other_file },
	{ "signal-same-file", signal_same_file },
	{ "signal-crash", signal_crash },
	{ "fork-localtime", fork_localtime },
	{ "fork-setenv", fork_setenv },
	{ "fork-protected", fork_protected },
	{ "dlopen-constructor", dlopen_constructor },
	{ "dlopen-consistent", dlopen_consistent },
	{ "iterate-dlsym", iterate_dlsym },
	{ "flockfile-inverts", flockfile_inverts },
	{ "flockfile-consistent", flockfile_consistent },
	{ NULL, NULL }
};

int main(int argc, char **argv)
{
	return run_scenario(scenarios, argc > 1 ? argv[1] : NULL);
}

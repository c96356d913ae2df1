/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prog.c — a program that does what a test of the command needs: prog WHAT [ARGUMENT].
 * It says "ready" on standard output when there is something to do to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t lock_a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t lock_b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t lock_c = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static pthread_spinlock_t spin_a, spin_b;
static pthread_barrier_t together;
static sem_t first_done, second_done;

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

static pthread_t start(void *(*function)(void *), void *argument)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 << 10);
	if (pthread_create(&thread, &attributes, function, argument)) {
		perror("pthread_create");
		exit(9);
	}
	return thread;
}

static void nest(pthread_mutex_t *outer, pthread_mutex_t *inner)
{
	pthread_mutex_lock(outer);
	pthread_mutex_lock(inner);
	pthread_mutex_unlock(inner);
	pthread_mutex_unlock(outer);
}

/* Opposite orders, one after the other, both threads alive all the time. */
static void *order_first(void *unused)
{
	nest(&lock_a, &lock_b);
	sem_post(&first_done);
	sem_wait(&second_done);
	return unused;
}

static void *order_second(void *unused)
{
	sem_wait(&first_done);
	nest(&lock_b, &lock_a);
	sem_post(&second_done);
	return unused;
}

static int do_abba(const char *argument)
{
	pthread_t first, second;

	sem_init(&first_done, 0, 0);
	sem_init(&second_done, 0, 0);
	first = start(order_first, NULL);
	second = start(order_second, NULL);
	pthread_join(first, NULL);
	pthread_join(second, NULL);
	return argument ? atoi(argument) : 0;
}

static int do_possible(const char *argument)
{
	(void)argument;
	nest(&lock_a, &lock_b);
	nest(&lock_b, &lock_a);
	return 0;
}

static void *take_a_b(void *unused)
{
	pthread_mutex_lock(&lock_a);
	pthread_barrier_wait(&together);
	pthread_mutex_lock(&lock_b);
	return unused;
}

static void *take_b_a(void *unused)
{
	pthread_mutex_lock(&lock_b);
	pthread_barrier_wait(&together);
	pthread_mutex_lock(&lock_a);
	return unused;
}

static int do_deadlock(const char *argument)
{
	pthread_t first;

	if (argument && !strcmp(argument, "stubborn"))
		signal(SIGABRT, SIG_IGN);
	pthread_barrier_init(&together, NULL, 2);
	first = start(take_a_b, NULL);
	start(take_b_a, NULL);
	ready();
	pthread_join(first, NULL);
	return 0;
}

static int do_self(const char *argument)
{
	(void)argument;
	pthread_mutex_lock(&lock_a);
	ready();
	pthread_mutex_lock(&lock_a);
	return 0;
}

static void *spin_a_b(void *unused)
{
	pthread_spin_lock(&spin_a);
	pthread_barrier_wait(&together);
	pthread_spin_lock(&spin_b);
	return unused;
}

static void *spin_b_a(void *unused)
{
	pthread_spin_lock(&spin_b);
	pthread_barrier_wait(&together);
	pthread_spin_lock(&spin_a);
	return unused;
}

static int do_spin(const char *argument)
{
	pthread_t first;

	(void)argument;
	pthread_spin_init(&spin_a, 0);
	pthread_spin_init(&spin_b, 0);
	pthread_barrier_init(&together, NULL, 2);
	first = start(spin_a_b, NULL);
	start(spin_b_a, NULL);
	pthread_join(first, NULL);
	return 0;
}

/* Reader 1 holds rwlock and wants a; reader 2 holds a and wants rwlock, behind a writer. */
static void *read_then_a(void *unused)
{
	pthread_rwlock_rdlock(&rwlock);
	pthread_barrier_wait(&together);
	pthread_mutex_lock(&lock_a);
	return unused;
}

static void *write_rwlock(void *unused)
{
	pthread_rwlock_wrlock(&rwlock);
	return unused;
}

static int do_queue(const char *argument)
{
	(void)argument;
	pthread_barrier_init(&together, NULL, 2);
	pthread_mutex_lock(&lock_a);
	start(read_then_a, NULL);
	pthread_barrier_wait(&together);
	start(write_rwlock, NULL);
	usleep(100000);		/* the writer queues; nothing tells when */
	pthread_rwlock_rdlock(&rwlock);
	return 0;
}

/* Waits that last, but end: a deadlock is not reported before its time. */
static void *hold_a(void *unused)
{
	pthread_mutex_lock(&lock_b);
	pthread_mutex_lock(&lock_a);
	sem_post(&first_done);
	usleep(700000);
	pthread_mutex_unlock(&lock_a);
	pthread_mutex_unlock(&lock_b);
	return unused;
}

static int do_patient(const char *argument)
{
	struct timespec until;

	(void)argument;
	sem_init(&first_done, 0, 0);
	start(hold_a, NULL);
	sem_wait(&first_done);
	pthread_mutex_lock(&lock_c);
	pthread_mutex_lock(&lock_a);
	pthread_mutex_unlock(&lock_a);
	/* and a cycle that gives up */
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	pthread_mutex_timedlock(&lock_c, &until);
	puts("done");
	return 0;
}

/* Waits with b, holding a; when woken it wants b again. */
static void *wait_holding_a(void *cond)
{
	pthread_mutex_lock(&lock_b);
	pthread_mutex_lock(&lock_a);
	sem_post(&first_done);
	pthread_cond_wait(cond, &lock_b);
	return NULL;
}

static int do_woken(const char *argument)
{
	static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

	(void)argument;
	sem_init(&first_done, 0, 0);
	start(wait_holding_a, &cond);
	sem_wait(&first_done);
	pthread_mutex_lock(&lock_b);	/* it waits */
	pthread_cond_signal(&cond);
	pthread_mutex_lock(&lock_a);
	return 0;
}

static int do_child(const char *argument)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		exit(!strcmp(argument, "deadlock") ? do_deadlock(NULL) : do_abba(NULL));
	waitpid(pid, &status, 0);
	printf("child %s %d\n", WIFSIGNALED(status) ? "killed" : "exited",
	       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return 4;
}

/* Ends, and leaves a child that tells when it is done. */
static int do_orphan(const char *argument)
{
	if (fork()) {
		usleep(300000);		/* the child is known by then */
		return 0;
	}
	for (int i = 0; i < 10; i++) {
		nest(&lock_a, &lock_b);
		usleep(100000);
	}
	do_abba(NULL);
	fclose(fopen(argument, "w"));
	return 0;
}

static int do_kill(const char *argument)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	signal(atoi(argument), SIG_DFL);	/* a background job of a shell ignores some */
	kill(getpid(), atoi(argument));
	pause();
	return 0;
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	char text[64];
	int size = snprintf(text, sizeof(text), "%d %d\n", number,
			    info->si_code == SI_QUEUE ? info->si_value.sival_int : 0);

	(void)context;
	if (write(STDOUT_FILENO, text, (size_t)size) < 0)
		_exit(8);
}

static int do_signals(const char *argument)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	char byte;

	sigfillset(&action.sa_mask);
	for (int number = 1; number <= SIGRTMAX; number++)
		if (number != SIGCHLD)
			sigaction(number, &action, NULL);
	if (argument)
		kill(getppid(), atoi(argument));
	ready();
	while (read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR)
		;
	return 0;
}

/* What a program inherits. */
static int do_inherited(const char *argument)
{
	struct rlimit limit;
	sigset_t mask;

	(void)argument;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int number = 1; number <= SIGRTMAX; number++) {
		struct sigaction action;

		if (!sigaction(number, NULL, &action))
			printf("signal %d %s%s\n", number,
			       action.sa_handler == SIG_IGN ? "ignored" : "default",
			       sigismember(&mask, number) ? " blocked" : "");
	}
	for (int fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("descriptor %d\n", fd);
	getrlimit(RLIMIT_FSIZE, &limit);
	printf("file size %ld %ld\n", (long)limit.rlim_cur, (long)limit.rlim_max);
	return 0;
}

static void *sit(void *unused)
{
	pthread_mutex_lock(&lock_c);
	pthread_mutex_unlock(&lock_c);
	return unused;
}

static int do_threads(const char *argument)
{
	int count = atoi(argument);
	pthread_t *threads = calloc((size_t)count, sizeof(*threads));
	char byte;

	pthread_mutex_lock(&lock_c);
	for (int i = 0; i < count; i++)
		threads[i] = start(sit, NULL);
	ready();
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	pthread_mutex_unlock(&lock_c);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	return 0;
}

static void *be_busy(void *unused)
{
	for (;;) {
		nest(&lock_a, &lock_b);
		nest(&lock_b, &lock_c);
		nest(&lock_a, &lock_c);
	}
	return unused;
}

static int do_busy(const char *argument)
{
	if (argument)
		do_abba(NULL);
	start(be_busy, NULL);
	ready();
	be_busy(NULL);
	return 0;
}

/* Many distinct facts: an image of some megabytes. */
static int do_fill(const char *argument)
{
	int count = atoi(argument);
	pthread_mutex_t *locks = calloc((size_t)count, sizeof(*locks));

	for (int i = 0; i < count; i++)
		pthread_mutex_lock(&locks[i]);
	for (int i = count; i > 0; i--)
		pthread_mutex_unlock(&locks[i - 1]);
	puts("filled");
	return 3;
}

int main(int argc, char **argv)
{
	static const struct {
		const char	*name;
		int		(*run)(const char *argument);
	} table[] = {
		{ "abba", do_abba },	   { "possible", do_possible }, { "deadlock", do_deadlock },
		{ "self", do_self },	   { "spin", do_spin },		{ "queue", do_queue },
		{ "patient", do_patient }, { "child", do_child },	{ "orphan", do_orphan },
		{ "kill", do_kill },	   { "signals", do_signals },	{ "threads", do_threads },
		{ "busy", do_busy },	   { "fill", do_fill },		{ "inherited", do_inherited },
		{ "woken", do_woken },
	};

	for (size_t i = 0; argc > 1 && i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(argv[1], table[i].name))
			return table[i].run(argv[2]);
	fprintf(stderr, "usage: prog WHAT [ARGUMENT]\n");
	return 9;
}

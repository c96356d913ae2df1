/* SPDX-License-Identifier: Apache-2.0 */
/* processes.c — fork, exec and the ways a process ends. */
#include "phases.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>
#include <sys/wait.h>

extern char **environ;

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;

static void ab(void)
{
	pthread_mutex_lock(&a);		/* MARK ab-a */
	pthread_mutex_lock(&b);		/* MARK ab-b */
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
}

static void ba(void)
{
	pthread_mutex_lock(&b);		/* MARK ba-b */
	pthread_mutex_lock(&a);		/* MARK ba-a */
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
}

static void inversion(void)
{
	void (*const list[])(void) = { ab, ba };

	run_phases(list, 2);
}

static void wait_for(pid_t child)
{
	int status;

	must(child < 0, "fork");
	must(waitpid(child, &status, 0) != child, "waitpid");
	printf("child: %s %d\n", WIFSIGNALED(status) ? "signal" : "exit",
	       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static pid_t fork_quietly(void)
{
	fflush(stdout);
	return fork();
}

static void fork_silent(void)
{
	pid_t child = fork_quietly();

	ab();
	if (!child)
		_exit(0);
	wait_for(child);
	ab();
}

static void fork_child_inverts(void)
{
	pid_t child = fork_quietly();

	if (!child) {
		inversion();
		_exit(7);
	}
	wait_for(child);
}

/* Each process has one order only, and locks of its own. */
static void fork_opposite(void)
{
	pid_t child = fork_quietly();

	if (!child) {
		ba();
		_exit(0);
	}
	ab();
	wait_for(child);
}

static void fork_generations(void)
{
	int depth;

	for (depth = 0; depth < 5; depth++) {
		pid_t child = fork_quietly();

		if (child) {
			wait_for(child);
			fflush(stdout);
			_exit(depth);
		}
	}
	inversion();
	_exit(9);
}

static void prepare(void)
{
	pthread_mutex_lock(&a);
}

static void resume(void)
{
	pthread_mutex_unlock(&a);
}

/* The textbook use of pthread_atfork: the child releases what the parent's thread took. */
static void fork_atfork(void)
{
	pid_t child;

	pthread_atfork(prepare, resume, resume);
	child = fork_quietly();
	ab();
	if (!child)
		_exit(0);
	wait_for(child);
}

static void initialise_anew(void)
{
	pthread_mutex_init(&b, NULL);
	pthread_mutex_init(&a, NULL);
}

static void prepare_both(void)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
}

static void resume_both(void)
{
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
}

/* As jemalloc does it: the child makes new locks of those that its parent's thread took. */
static void fork_reinit(void)
{
	pid_t child;

	pthread_atfork(prepare_both, resume_both, initialise_anew);
	child = fork_quietly();
	ab();
	if (!child)
		_exit(0);
	wait_for(child);
}

static int stop;

static void *keep_locking(void *unused)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		ab();
	return unused;
}

/* Threads are in the middle of locking whenever the process forks. The child uses its own lock. */
static void fork_threads(void)
{
	static pthread_mutex_t mine = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread[2];
	int i, status, good = 0;

	for (i = 0; i < 2; i++)
		must(pthread_create(&thread[i], NULL, keep_locking, NULL), "pthread_create");
	for (i = 0; i < 50; i++) {
		pid_t child = fork();

		must(child < 0, "fork");
		if (!child) {
			pthread_mutex_lock(&mine);
			pthread_mutex_unlock(&mine);
			_exit(5);
		}
		waitpid(child, &status, 0);
		good += WIFEXITED(status) && WEXITSTATUS(status) == 5;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	printf("%d good children\n", good);
}

/* Runs this program again, in the ways there are; the other program inverts. */
static char self[] = "/proc/self/exe";

static void exec_self(void)
{
	char *args[] = { self, "inversion", NULL };

	ab();
	fflush(stdout);
	execv(self, args);
	must(1, "execv");
}

static void spawn_self(void)
{
	char *args[] = { self, "inversion", NULL };
	pid_t child;

	ab();
	fflush(stdout);
	must(posix_spawn(&child, self, NULL, NULL, args, environ), "posix_spawn");
	wait_for(child);
}

static void vfork_self(void)
{
	char *args[] = { self, "inversion", NULL };
	pid_t child;

	ab();
	fflush(stdout);
	child = vfork();
	if (!child) {
		execv(self, args);
		_exit(1);
	}
	wait_for(child);
	ab();
}

static void exec_fails(void)
{
	char *args[] = { "/nonexistent/program", NULL };

	ab();
	printf("%d\n", execv(args[0], args) == -1 && errno == ENOENT);
	inversion();
}

static void inversion_then_kill(void)
{
	inversion();
	printf("now\n");
	fflush(stdout);
	kill(getpid(), SIGKILL);
}

static void inversion_then_segv(void)
{
	inversion();
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
}

static void inversion_then_exit(void)
{
	inversion();
	_exit(0);
}

/* Works until it is killed, and says when it has begun. */
static void forever(void)
{
	pthread_t thread;

	inversion();
	must(pthread_create(&thread, NULL, keep_locking, NULL), "pthread_create");
	printf("running\n");
	fflush(stdout);
	for (;;) {
		pthread_mutex_t *m = malloc(sizeof(*m));

		pthread_mutex_init(m, NULL);
		pthread_mutex_lock(m);
		pthread_mutex_unlock(m);
		pthread_mutex_destroy(m);
		free(m);
	}
}

/* A line every 20 ms, with locking and forking, until the reader has what it needs. */
static void counting(void)
{
	int i;

	inversion();
	for (i = 0; i < 50; i++) {
		pid_t child = fork_quietly();

		if (!child) {
			ab();
			_exit(0);
		}
		must(waitpid(child, NULL, 0) != child, "waitpid");
		ab();
		printf("line %d\n", i);
		fflush(stdout);
		usleep(20000);
	}
}

static const struct scenario scenarios[] = {
	{ "inversion", inversion },
	{ "fork-silent", fork_silent },
	{ "fork-child-inverts", fork_child_inverts },
	{ "fork-opposite", fork_opposite },
	{ "fork-generations", fork_generations },
	{ "fork-atfork", fork_atfork },
	{ "fork-reinit", fork_reinit },
	{ "fork-threads", fork_threads },
	{ "exec-self", exec_self },
	{ "spawn-self", spawn_self },
	{ "vfork-self", vfork_self },
	{ "exec-fails", exec_fails },
	{ "inversion-then-kill", inversion_then_kill },
	{ "inversion-then-segv", inversion_then_segv },
	{ "inversion-then-exit", inversion_then_exit },
	{ "forever", forever },
	{ "counting", counting },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return run_scenario(scenarios, argc > 1 ? argv[1] : NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* extremes.c — a great many of everything, and processes that live in unusual circumstances. */
#include "phases.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t n = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void mn(void)
{
	pthread_mutex_lock(&m);
	pthread_mutex_lock(&n);
	counter++;
	pthread_mutex_unlock(&n);
	pthread_mutex_unlock(&m);
}

static void nm(void)
{
	pthread_mutex_lock(&n);
	pthread_mutex_lock(&m);
	counter++;
	pthread_mutex_unlock(&m);
	pthread_mutex_unlock(&n);
}

static void inversion(void)
{
	void (*const list[])(void) = { mn, nm };

	run_phases(list, 2);
}

static void *one_round(void *unused)
{
	mn();
	return unused;
}

#define THREADS 10000
#define WAVE 50

static void threads_in_waves(void)
{
	pthread_t thread[WAVE];
	int wave, i;

	for (wave = 0; wave < THREADS / WAVE; wave++) {
		for (i = 0; i < WAVE; i++)
			must(pthread_create(&thread[i], NULL, one_round, NULL), "pthread_create");
		for (i = 0; i < WAVE; i++)
			must(pthread_join(thread[i], NULL), "pthread_join");
	}
	printf("%ld\n", counter);
}

static sem_t arrived, leave;

static void *stay(void *unused)
{
	mn();
	sem_post(&arrived);
	down(&leave);
	return unused;
}

/* As many at once as the machine allows, 10,000 at most; says only that it worked. */
static void threads_at_once(void)
{
	static pthread_t thread[THREADS];
	pthread_attr_t attr;
	int count, i;

	sem_init(&arrived, 0, 0);
	sem_init(&leave, 0, 0);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (count = 0; count < THREADS; count++)
		if (pthread_create(&thread[count], &attr, stay, NULL))
			break;
	for (i = 0; i < count; i++)
		down(&arrived);
	for (i = 0; i < count; i++)
		sem_post(&leave);
	for (i = 0; i < count; i++)
		must(pthread_join(thread[i], NULL), "pthread_join");
	printf("%s\n", count > 500 && counter > count ? "good" : "too few");
}

static void inversion_first(void)
{
	inversion();
	threads_at_once();
}

#define LOCKS 100000

/* Each locked inside one that they share, then all destroyed. */
static void many_locks(void)
{
	pthread_mutex_t *lock = calloc(LOCKS, sizeof(*lock));
	int i;

	must(!lock, "calloc");
	for (i = 0; i < LOCKS; i++)
		pthread_mutex_init(&lock[i], NULL);
	for (i = 0; i < LOCKS; i++) {
		pthread_mutex_lock(&m);
		pthread_mutex_lock(&lock[i]);
		counter++;
		pthread_mutex_unlock(&lock[i]);
		pthread_mutex_unlock(&m);
	}
	for (i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&lock[i]);
	free(lock);
	printf("%ld\n", counter);
}

/* The kinds whose memory has no room for a tag. */
static void many_spinlocks(void)
{
	pthread_spinlock_t *lock = calloc(LOCKS, sizeof(*lock));
	int i;

	must(!lock, "calloc");
	for (i = 0; i < LOCKS; i++)
		pthread_spin_init(&lock[i], PTHREAD_PROCESS_PRIVATE);
	for (i = 0; i < LOCKS; i++) {
		pthread_spin_lock(&lock[i]);
		counter++;
		pthread_spin_unlock(&lock[i]);
	}
	for (i = 0; i < LOCKS; i++)
		pthread_spin_destroy(&lock[i]);
	free((void *)lock);
	printf("%ld\n", counter);
}

#define HELD 1000

static void many_held(void)
{
	pthread_mutex_t *lock = calloc(HELD, sizeof(*lock));
	int i, round;

	must(!lock, "calloc");
	for (i = 0; i < HELD; i++)
		pthread_mutex_init(&lock[i], NULL);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < HELD; i++)
			must(pthread_mutex_lock(&lock[i]), "pthread_mutex_lock");
		for (i = 0; i < HELD; i++)	/* the outermost first: the worst order */
			must(pthread_mutex_unlock(&lock[i]), "pthread_mutex_unlock");
	}
	for (i = 0; i < HELD; i++)
		must(pthread_mutex_destroy(&lock[i]), "pthread_mutex_destroy");
	free(lock);
	mn();
}

static void *use_little_stack(void *unused)
{
	pthread_mutex_t lock;

	pthread_mutex_init(&lock, NULL);
	pthread_mutex_lock(&lock);
	mn();
	pthread_mutex_unlock(&lock);
	pthread_mutex_destroy(&lock);
	return unused;
}

static void smallest_stack(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	must(pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN), "pthread_attr_setstacksize");
	must(pthread_create(&thread, &attr, use_little_stack, NULL), "pthread_create");
	pthread_join(thread, NULL);
	printf("%ld\n", counter);
}

static void close_descriptors(void)
{
	int fd, closed = 0;

	mn();
	for (fd = 3; fd < 1024; fd++)
		closed += !close(fd);
	inversion();
	printf("%d were open; the next is %d\n", closed, open("/dev/null", O_RDONLY));
}

static void drop_rights(void)
{
	char directory[] = "/tmp/lp-chroot-XXXXXX";

	mn();
	if (!mkdtemp(directory) || chmod(directory, 0755) || chroot(directory) || chdir("/") ||
	    setgid(65534) || setuid(65534)) {
		printf("cannot\n");
		return;
	}
	inversion();
	printf("dropped\n");
}

static pthread_mutex_t in_handler = PTHREAD_MUTEX_INITIALIZER;
static volatile sig_atomic_t handled;

static void handler(int unused)
{
	int saved = errno;

	(void)unused;
	if (!pthread_mutex_trylock(&in_handler)) {
		handled++;
		pthread_mutex_unlock(&in_handler);
	}
	errno = saved;
}

/* A handler that locks strikes at any instruction, those of the runtime too. */
static void handler_locks(void)
{
	struct itimerval timer = { { 0, 200 }, { 0, 200 } };
	int i;

	signal(SIGALRM, handler);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (i = 0; handled < 300; i++) {
		pthread_mutex_t lock;

		pthread_mutex_init(&lock, NULL);
		pthread_mutex_lock(&lock);
		mn();
		pthread_mutex_unlock(&lock);
		pthread_mutex_destroy(&lock);
	}
	memset(&timer, 0, sizeof(timer));
	setitimer(ITIMER_REAL, &timer, NULL);
	printf("%d\n", handled >= 300);
}

static sigjmp_buf back;

static void jump(int unused)
{
	(void)unused;
	siglongjmp(back, 1);
}

/* Leaves a handler, and whatever it interrupted, by a jump. No lock is held. */
static void handler_jumps(void)
{
	static volatile int rounds;

	if (sigsetjmp(back, 1)) {
		mn();
		rounds++;
	}
	signal(SIGALRM, jump);
	if (rounds < 20) {
		ualarm(500, 0);
		for (;;)
			handled = 0;
	}
	printf("%d\n", rounds);
}

static void crash_handler(int unused)
{
	static const char text[] = "handled\n";

	(void)unused;
	mn();
	_exit(write(1, text, sizeof(text) - 1) != sizeof(text) - 1);
}

static void alternate_stack(void)
{
	stack_t stack = { .ss_sp = malloc(SIGSTKSZ), .ss_size = SIGSTKSZ };
	struct sigaction action = { .sa_handler = crash_handler, .sa_flags = SA_ONSTACK };

	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &action, NULL);
	raise(SIGSEGV);
}

static void at_the_end(void)
{
	mn();
	printf("atexit: %ld\n", counter);
}

static void exit_handler(void)
{
	atexit(at_the_end);
	mn();
}

/* Not one more page can be mapped from here on. */
static void out_of_memory(void)
{
	struct rlimit limit = { 1, 1 };
	int i;

	setrlimit(RLIMIT_AS, &limit);
	for (i = 0; i < 1000; i++) {
		mn();
		nm();
	}
	printf("%ld\n", counter);
}

static void file_size_limit(void)
{
	struct rlimit limit = { 0, 0 };

	setrlimit(RLIMIT_FSIZE, &limit);
	many_locks();
}

static const struct scenario scenarios[] = {
	{ "inversion", inversion },
	{ "threads-in-waves", threads_in_waves },
	{ "threads-at-once", threads_at_once },
	{ "inversion-first", inversion_first },
	{ "many-locks", many_locks },
	{ "many-spinlocks", many_spinlocks },
	{ "many-held", many_held },
	{ "smallest-stack", smallest_stack },
	{ "close-descriptors", close_descriptors },
	{ "drop-rights", drop_rights },
	{ "handler-locks", handler_locks },
	{ "handler-jumps", handler_jumps },
	{ "alternate-stack", alternate_stack },
	{ "exit-handler", exit_handler },
	{ "out-of-memory", out_of_memory },
	{ "file-size-limit", file_size_limit },
	{ NULL, NULL },
};

/* Before the constructors of most libraries, perhaps before the runtime's. */
__attribute__((constructor(101))) static void very_early(void)
{
	mn();
}

__attribute__((destructor(101))) static void very_late(void)
{
	mn();
}

int main(int argc, char **argv)
{
	return run_scenario(scenarios, argc > 1 ? argv[1] : NULL);
}

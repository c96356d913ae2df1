/* SPDX-License-Identifier: Apache-2.0 */
/* patterns.c — how programs use locks together: condition variables, many locks of one class. */
#include "phases.h"
#include <errno.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int flag;

static struct timespec after_ms(clockid_t clock, long ms)
{
	struct timespec when;

	clock_gettime(clock, &when);
	when.tv_nsec += ms * 1000000;
	when.tv_sec += when.tv_nsec / 1000000000;
	when.tv_nsec %= 1000000000;
	return when;
}

static void *wait_for_flag(void *unused)
{
	pthread_mutex_lock(&m);
	while (!flag)
		pthread_cond_wait(&c, &m);
	pthread_mutex_unlock(&m);
	return unused;
}

static void cond_wait(void)
{
	pthread_t thread[4];
	int i;

	for (i = 0; i < 4; i++)
		must(pthread_create(&thread[i], NULL, wait_for_flag, NULL), "pthread_create");
	pthread_mutex_lock(&m);
	flag = 1;
	pthread_cond_broadcast(&c);
	pthread_mutex_unlock(&m);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
}

static void cond_timed(void)
{
	struct timespec real = after_ms(CLOCK_REALTIME, 20);
	struct timespec mono = after_ms(CLOCK_MONOTONIC, 40);

	pthread_mutex_lock(&m);
	printf("%d\n", pthread_cond_timedwait(&c, &m, &real) == ETIMEDOUT);
	printf("%d\n", pthread_cond_clockwait(&c, &m, CLOCK_MONOTONIC, &mono) == ETIMEDOUT);
	pthread_mutex_unlock(&m);
}

static void unlock_m(void *unused)
{
	(void)unused;
	pthread_mutex_unlock(&m);
}

static sem_t waiting;

static void *wait_for_good(void *unused)
{
	pthread_mutex_lock(&m);
	pthread_cleanup_push(unlock_m, NULL);
	sem_post(&waiting);
	for (;;)
		pthread_cond_wait(&c, &m);
	pthread_cleanup_pop(1);
	return unused;
}

static void cond_cancel(void)
{
	pthread_t thread;
	void *result;

	sem_init(&waiting, 0, 0);
	must(pthread_create(&thread, NULL, wait_for_good, NULL), "pthread_create");
	down(&waiting);
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	printf("%d\n", result == PTHREAD_CANCELED);
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
}

/* Waiting drops m and takes it back while `outer` is held: outer -> m. */
static void wait_holding_outer(void)
{
	struct timespec when = after_ms(CLOCK_REALTIME, 20);

	pthread_mutex_lock(&m);
	pthread_mutex_lock(&outer);		/* MARK cond-outer */
	pthread_cond_timedwait(&c, &m, &when);	/* MARK cond-back */
	pthread_mutex_unlock(&outer);
	pthread_mutex_unlock(&m);
}

static void m_then_outer(void)
{
	pthread_mutex_lock(&m);			/* MARK cond-m */
	pthread_mutex_lock(&outer);		/* MARK cond-m-outer */
	pthread_mutex_unlock(&outer);
	pthread_mutex_unlock(&m);
}

static void cond_inversion(void)
{
	void (*const list[])(void) = { wait_holding_outer, m_then_outer };

	run_phases(list, 2);
}

/* The outermost lock is held while waiting with an inner one, always in this order. */
static void outer_then_wait(void)
{
	struct timespec when = after_ms(CLOCK_REALTIME, 20);

	pthread_mutex_lock(&outer);
	pthread_mutex_lock(&m);
	pthread_cond_timedwait(&c, &m, &when);
	pthread_mutex_unlock(&m);
	pthread_mutex_unlock(&outer);
}

static void cond_nested(void)
{
	void (*const list[])(void) = { outer_then_wait, outer_then_wait };

	run_phases(list, 2);
}

/* A list that is walked hand over hand: always from front to back. */
#define LIST_SIZE 16

struct element {
	pthread_mutex_t lock;
	struct element *next;
	int value;
};

static struct element *list_head;

static void make_list(void)
{
	int i;

	for (i = 0; i < LIST_SIZE; i++) {
		struct element *e = calloc(1, sizeof(*e));

		must(!e, "calloc");
		pthread_mutex_init(&e->lock, NULL);
		e->next = list_head;
		list_head = e;
	}
}

static void walk_list(void)
{
	struct element *e = list_head, *next;

	pthread_mutex_lock(&e->lock);
	while ((next = e->next)) {
		pthread_mutex_lock(&next->lock);
		e->value++;
		pthread_mutex_unlock(&e->lock);
		e = next;
	}
	pthread_mutex_unlock(&e->lock);
}

static void hand_over_hand(void)
{
	void (*const list[])(void) = { walk_list, walk_list, walk_list };

	make_list();
	run_phases(list, 3);
}

/* Five philosophers: all locks are of one class. */
#define FORKS 5

struct fork {
	pthread_mutex_t lock;
};

static struct fork *forks;

static void make_forks(void)
{
	int i;

	forks = calloc(FORKS, sizeof(*forks));
	must(!forks, "calloc");
	for (i = 0; i < FORKS; i++)
		pthread_mutex_init(&forks[i].lock, NULL);
}

static void eat(int first, int second)
{
	pthread_mutex_lock(&forks[first].lock);		/* MARK fork-first */
	pthread_mutex_lock(&forks[second].lock);	/* MARK fork-second */
	pthread_mutex_unlock(&forks[second].lock);
	pthread_mutex_unlock(&forks[first].lock);
}

static void eat0(void)
{
	eat(0, 1);
}

static void eat1(void)
{
	eat(1, 2);
}

static void eat2(void)
{
	eat(2, 3);
}

static void eat3(void)
{
	eat(3, 4);
}

static void eat4(void)
{
	eat(4, 0);
}

static void eat4_sane(void)
{
	eat(0, 4);
}

static void philosophers(void)
{
	void (*const list[])(void) = { eat0, eat1, eat2, eat3, eat4 };

	make_forks();
	run_phases(list, FORKS);
}

/* The last one takes the lower fork first, as all others do. */
static void philosophers_sane(void)
{
	void (*const list[])(void) = { eat0, eat1, eat2, eat3, eat4_sane };

	make_forks();
	run_phases(list, FORKS);
}

static void eat1_backwards(void)
{
	eat(1, 0);
}

/* Money moved both ways between two accounts. */
static void accounts(void)
{
	void (*const list[])(void) = { eat0, eat1_backwards };

	make_forks();
	run_phases(list, 2);
}

/* Three kinds in one cycle: mutex -> rwlock -> spinlock -> mutex. */
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;

static void mutex_rwlock(void)
{
	pthread_mutex_lock(&m);			/* MARK mixed-m */
	pthread_rwlock_wrlock(&rw);		/* MARK mixed-m-rw */
	pthread_rwlock_unlock(&rw);
	pthread_mutex_unlock(&m);
}

static void rwlock_spin(void)
{
	pthread_rwlock_rdlock(&rw);		/* MARK mixed-rw */
	pthread_spin_lock(&spin);		/* MARK mixed-rw-spin */
	pthread_spin_unlock(&spin);
	pthread_rwlock_unlock(&rw);
}

static void spin_mutex(void)
{
	pthread_spin_lock(&spin);		/* MARK mixed-spin */
	pthread_mutex_lock(&m);			/* MARK mixed-spin-m */
	pthread_mutex_unlock(&m);
	pthread_spin_unlock(&spin);
}

static void mixed(void)
{
	void (*const list[])(void) = { mutex_rwlock, rwlock_spin, spin_mutex };

	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	run_phases(list, 3);
}

/* One function locks whatever it is given: the places of acquisition say nothing. */
static void lock_both(pthread_mutex_t *first, pthread_mutex_t *second)
{
	pthread_mutex_lock(first);
	pthread_mutex_lock(second);
	pthread_mutex_unlock(second);
	pthread_mutex_unlock(first);
}

static void m_outer(void)
{
	lock_both(&m, &outer);		/* MARK shared-1 */
}

static void outer_m(void)
{
	lock_both(&outer, &m);		/* MARK shared-2 */
}

static void shared_code(void)
{
	void (*const list[])(void) = { m_outer, outer_m };

	run_phases(list, 2);
}

/* The same code reached by two ways: each report shows the way of the thread it is about. */
static void this_way(void)
{
	m_then_outer();			/* MARK way-this */
}

static void that_way(void)
{
	m_then_outer();			/* MARK way-that */
}

static void outer_then_m(void)
{
	pthread_mutex_lock(&outer);	/* MARK way-outer */
	pthread_mutex_lock(&m);		/* MARK way-outer-m */
	pthread_mutex_unlock(&m);
	pthread_mutex_unlock(&outer);
}

/* Main comes by first, but before it created a thread: it cannot be part of the deadlock. */
static void two_ways(void)
{
	void (*const list[])(void) = { that_way, outer_then_m };

	this_way();
	run_phases(list, 2);
}

/* Much contention on a few locks in one order, for a while. */
static void *contend(void *unused)
{
	int i;

	for (i = 0; i < 20000; i++) {
		pthread_mutex_lock(&outer);
		pthread_mutex_lock(&m);
		flag++;
		pthread_mutex_unlock(&m);
		pthread_mutex_unlock(&outer);
	}
	return unused;
}

static void contention(void)
{
	pthread_t thread[8];
	int i;

	for (i = 0; i < 8; i++)
		must(pthread_create(&thread[i], NULL, contend, NULL), "pthread_create");
	for (i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	printf("%d\n", flag);
}

static const struct scenario scenarios[] = {
	{ "cond-wait", cond_wait },
	{ "cond-timed", cond_timed },
	{ "cond-cancel", cond_cancel },
	{ "cond-nested", cond_nested },
	{ "cond-inversion", cond_inversion },
	{ "hand-over-hand", hand_over_hand },
	{ "philosophers", philosophers },
	{ "philosophers-sane", philosophers_sane },
	{ "accounts", accounts },
	{ "mixed", mixed },
	{ "shared-code", shared_code },
	{ "two-ways", two_ways },
	{ "contention", contention },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return run_scenario(scenarios, argc > 1 ? argv[1] : NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* target.c — a C program to symbolize. Lines are found by their MARK, never by number. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "probes.h"

struct slot {
	int		busy;
	pthread_mutex_t	mtx;
};

struct table {
	char		name[10];
	pthread_mutex_t	lock;
	struct slot	slots[4];
	union {
		int	number;
		pthread_rwlock_t rw;
	} either;
	struct {
		pthread_spinlock_t spin;
	};
	const volatile pthread_mutex_t grid[2][3];
	int		counter;
};

struct queue {
	pthread_mutex_t	lock, other;
	pthread_rwlock_t rw[2];
	pthread_spinlock_t spin;
};

static struct table pool;
pthread_mutex_t locks[5];
pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static struct table tables[3];
struct { long a, b; } plain;

#define LOCK(q) pthread_mutex_lock(&(q)->lock)
/* pthread_mutex_lock(&nonsense); in a comment */

static void drop(const char *text)
{
}

static ALWAYS_INLINE void leaf(void)
{
	probe(); /* MARK leaf */
	AFTER();
}

static ALWAYS_INLINE void middle(int twice)
{
	leaf(); /* MARK middle */
	if (twice) {
		leaf(); /* MARK middle-again */
	}
}

NOINLINE static void outer(int twice)
{
	AFTER();
	middle(twice); /* MARK outer */
	AFTER();
}

NOINLINE static void straight(void)
{
	probe(); /* MARK straight */
	AFTER();
}

/* The call is the last instruction: the return address is in the next function. */
NOINLINE static void never_returns(void)
{
	script("last");
	straight();
	script("noreturn");
	probe(); /* MARK noreturn */
	fflush(stdout);
	exit(0);
}

NOINLINE static void init_queue(struct queue *q)
{
	script("init multi spin");
	pthread_mutex_init(&q->lock, NULL); /* MARK init */
	pthread_mutex_init( /* MARK multi */
		&q -> other, /* the second one */
		NULL);
	pthread_spin_init(&q->spin, 0); /* MARK spin */
	AFTER();
}

NOINLINE static void use_queue(struct queue *q, int i)
{
	script("pair1 pair2 macro macro-pair comment string index condition deep");
	pthread_mutex_lock(&q->lock); pthread_mutex_lock(&q->other); /* MARK pair */
	LOCK(q); /* MARK macro */
	LOCK(q); if (i < 0) pthread_mutex_lock(&q->other); /* MARK macro-pair */
	pthread_mutex_lock(/* not &this */ &q->lock); // MARK comment pthread_mutex_lock(&wrong)
	drop("pthread_mutex_lock(&a)"), pthread_mutex_lock(&q->lock); /* MARK string */
	pthread_rwlock_wrlock(&q->rw[i * 2]); /* MARK index */
	if (i == 0 && pthread_mutex_trylock(&q->other) == 0) /* MARK condition */
		AFTER();
	pthread_rwlock_rdlock(&(&tables[i])->either.rw); /* MARK deep */
	AFTER();
}

NOINLINE static void show_data(void)
{
	static pthread_mutex_t once_lock;
	static struct slot once_slots[2];

	DATA(pool.lock, pool);
	DATA(pool.slots[2].mtx, pool);
	DATA(pool.either.rw, pool);
	DATA(pool.spin, pool);
	DATA(pool.grid[1][2], pool);
	DATA(pool.counter, pool);
	DATA(locks[3], locks);
	DATA(locks[0], locks);
	DATA(table_lock, table_lock);
	DATA(tables[2].slots[1].mtx, tables);
	DATA(plain.b, plain);
	DATA(once_lock, once_lock);
	DATA(once_slots[1].mtx, once_slots);
}

int main(int argc, char **argv)
{
	struct queue q;

	show_data();
	probe_entry("straight-entry", straight);
	script("leaf leaf-again");
	outer(argc);
	script("straight");
	straight();
	init_queue(&q);
	use_queue(&q, argc - 1);
	never_returns();
}

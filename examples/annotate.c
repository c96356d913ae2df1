/* SPDX-License-Identifier: Apache-2.0 */
/*
 * annotate.c — a lock that Lockproof cannot know, and an event loop that is entered again.
 *
 *     lockproof run -- ./annotate
 *
 * The program's lock is an atomic flag; lockproof.h tells what it does. A timer callback of the
 * loop takes the lock of the session table. So does the code that adds a session, and while it
 * holds it, it asks a slow name server, running the loop until the answer is there: should the
 * timer expire meanwhile, its callback waits for a lock that its own thread holds, for ever. It
 * did not expire here. Without Lockproof the program is as it was.
 */
#include <lockproof.h>
#include <sched.h>
#include <stdio.h>

struct flag_lock {
	int		taken;
	struct lockproof_lock proof;
};

static LOCKPROOF_CLASS(table_class, "sessions->lock");
static struct flag_lock table = { 0, LOCKPROOF_LOCK_INIT(&table_class) };
static int sessions, expired;

/* The callbacks of the loop: a context of their own, wherever the loop is run. */
static struct lockproof_context loop =
	LOCKPROOF_CONTEXT_INIT("LOOP", LOCKPROOF_CONTEXT_USER, LOCKPROOF_WAIT_UNCHECKED, 0);

static void flag_lock(struct flag_lock *l)
{
	lockproof_acquire_at(lockproof_custom(&l->proof), LOCKPROOF_WRITE, lockproof_none(),
			     LOCKPROOF_CALLER);
	while (__atomic_exchange_n(&l->taken, 1, __ATOMIC_ACQUIRE))
		sched_yield();
	lockproof_acquired(lockproof_custom(&l->proof));
}

static void flag_unlock(struct flag_lock *l)
{
	lockproof_release(lockproof_custom(&l->proof));
	__atomic_store_n(&l->taken, 0, __ATOMIC_RELEASE);
}

static void expire_sessions(void)
{
	flag_lock(&table);
	expired++;
	flag_unlock(&table);
}

/* Run what is due. From here on until it returns, any callback can come. */
static void run_loop(int timer_is_due)
{
	struct lockproof_frame frame;

	lockproof_context_enable(&loop);
	if (timer_is_due) {
		lockproof_context_enter(&loop, &frame);
		expire_sessions();
		lockproof_context_leave(&frame);
	}
	lockproof_context_disable(&loop);
}

static void look_up_name(void)
{
	run_loop(0);
}

static void add_session(void)
{
	flag_lock(&table);
	look_up_name();
	sessions++;
	flag_unlock(&table);
}

int main(void)
{
	add_session();
	run_loop(1);
	printf("%d session, expired %d times\n", sessions, expired);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * annotated.c — programs that tell Lockproof about locks of their own. Valid C and C++:
 * annotated.cc includes it.
 */
#include "phases.h"
#include <linux/futex.h>
#include <lockproof.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a mutex on a futex ---- */

struct futex_lock {
	int word;		/* 0: free; 1: held; 2: held, and somebody may wait */
	struct lockproof_lock proof;
};

#define FUTEX_LOCK(class_pointer)	{ 0, LOCKPROOF_LOCK_INIT(class_pointer) }

static long futex(int *word, int op, int value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op, value, timeout, NULL, 0);
}

static int take(struct futex_lock *l)
{
	int expected = 0;

	return __atomic_compare_exchange_n(&l->word, &expected, 1, 0, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static void block(struct futex_lock *l)
{
	if (take(l))
		return;
	while (__atomic_exchange_n(&l->word, 2, __ATOMIC_ACQUIRE))
		futex(&l->word, FUTEX_WAIT_PRIVATE, 2, NULL);
}

static void lock_how(struct futex_lock *l, unsigned how, struct lockproof_ref nest, const void *ip)
{
	lockproof_acquire_at(lockproof_custom(&l->proof), how, nest, ip);
	block(l);
	lockproof_acquired(lockproof_custom(&l->proof));
}

static __attribute__((noinline)) void lock(struct futex_lock *l)
{
	lock_how(l, LOCKPROOF_WRITE, lockproof_none(), LOCKPROOF_CALLER);
}

static __attribute__((noinline)) void lock_sub(struct futex_lock *l, unsigned subclass)
{
	lock_how(l, LOCKPROOF_WRITE | LOCKPROOF_SUBCLASS(subclass), lockproof_none(),
		 LOCKPROOF_CALLER);
}

static int trylock(struct futex_lock *l)
{
	if (!take(l))
		return 0;
	lockproof_acquire(lockproof_custom(&l->proof), LOCKPROOF_WRITE | LOCKPROOF_TRY);
	return 1;
}

static int lock_timed(struct futex_lock *l)
{
	struct timespec soon_enough = { 0, 10000000 };

	lockproof_acquire(lockproof_custom(&l->proof), LOCKPROOF_WRITE | LOCKPROOF_TIMED);
	if (take(l))
		return 1;
	futex(&l->word, FUTEX_WAIT_PRIVATE, 2, &soon_enough);
	lockproof_acquire_failed(lockproof_custom(&l->proof));
	return 0;
}

static void unlock(struct futex_lock *l)
{
	lockproof_release(lockproof_custom(&l->proof));
	if (__atomic_exchange_n(&l->word, 0, __ATOMIC_RELEASE) == 2)
		futex(&l->word, FUTEX_WAKE_PRIVATE, 1, NULL);
}

/* ---- a spinlock without any room: known by its address ---- */

static int bit_a, bit_b;

static void spin(int *bit)
{
	lockproof_acquire(lockproof_address(bit), LOCKPROOF_WRITE);
	while (__atomic_exchange_n(bit, 1, __ATOMIC_ACQUIRE))
		;
	lockproof_acquired(lockproof_address(bit));
}

static void unspin(int *bit)
{
	lockproof_release(lockproof_address(bit));
	__atomic_store_n(bit, 0, __ATOMIC_RELEASE);
}

/* ---- a reader-writer lock that only counts: no threads meet in it here ---- */

static struct lockproof_lock table;
static LOCKPROOF_CLASS(table_class, "table->rw");

static void read_lock(unsigned how)
{
	lockproof_acquire(lockproof_custom(&table), how);
	lockproof_acquired(lockproof_custom(&table));
}

static void read_unlock(void)
{
	lockproof_release(lockproof_custom(&table));
}

/* ---- two of each ---- */

static LOCKPROOF_CLASS(inode_class, "&inode->lock");
static LOCKPROOF_CLASS(log_class, "&log->lock");
static struct futex_lock inode = FUTEX_LOCK(&inode_class);
static struct futex_lock journal = FUTEX_LOCK(&log_class);

static void run_two(void (*first)(void), void (*second)(void))
{
	void (*const work[2])(void) = { first, second };

	run_phases(work, 2);
}

static void inode_then_log(void)
{
	lock(&inode);		/* MARK il-inode */
	lock(&journal);		/* MARK il-log */
	unlock(&journal);
	unlock(&inode);
}

static void log_then_inode(void)
{
	lock(&journal);		/* MARK li-log */
	lock(&inode);		/* MARK li-inode */
	unlock(&inode);
	unlock(&journal);
}

static void abba(void)
{
	run_two(inode_then_log, log_then_inode);
}

static void consistent(void)
{
	run_two(inode_then_log, inode_then_log);
}

static void log_then_try(void)
{
	lock(&journal);
	if (trylock(&inode))
		unlock(&inode);
	unlock(&journal);
}

static void try_silent(void)
{
	run_two(inode_then_log, log_then_try);
}

static void log_then_timed(void)
{
	lock(&journal);
	if (lock_timed(&inode))
		unlock(&inode);
	unlock(&journal);
}

static void timed(void)
{
	run_two(inode_then_log, log_then_timed);
}

static void hold_inode_try_timed(void)
{
	struct futex_lock other = FUTEX_LOCK(&log_class);

	other.word = 1;
	printf("%d\n", lock_timed(&other));
	lockproof_assert_not_held(lockproof_custom(&other.proof));
}

static void failed(void)
{
	run_two(hold_inode_try_timed, inode_then_log);
}

static void bits_ab(void)
{
	spin(&bit_a);		/* MARK bit-ab-a */
	spin(&bit_b);		/* MARK bit-ab-b */
	unspin(&bit_b);
	unspin(&bit_a);
}

static void bits_ba(void)
{
	spin(&bit_b);		/* MARK bit-ba-b */
	spin(&bit_a);		/* MARK bit-ba-a */
	unspin(&bit_a);
	unspin(&bit_b);
}

static void by_address(void)
{
	run_two(bits_ab, bits_ba);
}

static void named_bits(void)
{
	LOCKPROOF_NAME(lockproof_address(&bit_a), "page bit");
	LOCKPROOF_NAME(lockproof_address(&bit_b), "buffer bit");
	run_two(bits_ab, bits_ba);
}

/* Dynamic: one class for all that one line initialises. */
static struct futex_lock *new_lock(void)
{
	struct futex_lock *l = (struct futex_lock *)calloc(1, sizeof(*l));

	LOCKPROOF_INIT(&l->proof);
	return l;
}

static struct futex_lock *dynamic[2];

static void forwards(void)
{
	lock(dynamic[0]);
	lock(dynamic[1]);
	unlock(dynamic[1]);
	unlock(dynamic[0]);
}

static void backwards(void)
{
	lock(dynamic[1]);
	lock(dynamic[0]);
	unlock(dynamic[0]);
	unlock(dynamic[1]);
}

static void dynamic_inversion(void)
{
	dynamic[0] = new_lock();
	dynamic[1] = new_lock();
	run_two(forwards, backwards);
}

static void same_class(void)
{
	dynamic[0] = new_lock();
	dynamic[1] = new_lock();
	run_two(forwards, forwards);
}

static void two_names(void)
{
	dynamic[0] = new_lock();
	dynamic[1] = new_lock();
	LOCKPROOF_NAME(lockproof_custom(&dynamic[1]->proof), "other");
	run_two(forwards, backwards);
}

/* ---- nesting ---- */

static LOCKPROOF_CLASS(dir_class, "&dir->lock");
static struct futex_lock dirs[2] = { FUTEX_LOCK(&dir_class), FUTEX_LOCK(&dir_class) };

static void parent_then_child(void)
{
	lock(&dirs[0]);
	lock_sub(&dirs[1], 1);
	unlock(&dirs[1]);
	unlock(&dirs[0]);
}

static void subclass_silent(void)
{
	run_two(parent_then_child, parent_then_child);
}

static void child_then_parent(void)
{
	lock(&dirs[1]);
	lock_sub(&dirs[0], 1);
	unlock(&dirs[0]);
	unlock(&dirs[1]);
}

/* Each order keeps the rule, and together they hang. */
static void subclass_inversion(void)
{
	run_two(parent_then_child, child_then_parent);
}

static void children(void)
{
	lock_sub(&dirs[0], 1);
	lock_sub(&dirs[1], 1);
	unlock(&dirs[1]);
	unlock(&dirs[0]);
}

static void subclass_same(void)
{
	run_two(children, children);
}

static struct futex_lock *nest_outer = &inode;

static void nested_forwards(void)
{
	lock(nest_outer);
	lock_how(&dirs[0], LOCKPROOF_WRITE, lockproof_custom(&inode.proof), NULL);
	lock_how(&dirs[1], LOCKPROOF_WRITE, lockproof_custom(&inode.proof), NULL);
	unlock(&dirs[1]);
	unlock(&dirs[0]);
	unlock(nest_outer);
}

static void nested_backwards(void)
{
	lock(nest_outer);
	lock_how(&dirs[1], LOCKPROOF_WRITE, lockproof_custom(&inode.proof), NULL);
	lock_how(&dirs[0], LOCKPROOF_WRITE, lockproof_custom(&inode.proof), NULL);
	unlock(&dirs[0]);
	unlock(&dirs[1]);
	unlock(nest_outer);
}

static void nest_lock_silent(void)
{
	run_two(nested_forwards, nested_backwards);
}

static void one_nested(void)
{
	lock_how(&dirs[0], LOCKPROOF_WRITE, lockproof_custom(&inode.proof), NULL); /* MARK nest */
	unlock(&dirs[0]);
}

static void nest_not_held(void)
{
	run_two(one_nested, one_nested);
}

static struct lockproof_class ordered_class =
	LOCKPROOF_CLASS_INIT("&account->lock", LOCKPROOF_KIND_DEFAULT, LOCKPROOF_BY_ADDRESS, 0, 0);
static struct futex_lock accounts[2] = { FUTEX_LOCK(&ordered_class), FUTEX_LOCK(&ordered_class) };

static void upwards(void)
{
	lock(&accounts[0]);	/* MARK up-0 */
	lock(&accounts[1]);	/* MARK up-1 */
	unlock(&accounts[1]);
	unlock(&accounts[0]);
}

static void downwards(void)
{
	lock(&accounts[1]);	/* MARK down-1 */
	lock(&accounts[0]);	/* MARK down-0 */
	unlock(&accounts[0]);
	unlock(&accounts[1]);
}

static void ordered(void)
{
	run_two(upwards, upwards);
}

static void ordered_inversion(void)
{
	run_two(upwards, downwards);
}

static struct lockproof_class ranked_class =
	LOCKPROOF_CLASS_INIT("&cpu->lock", LOCKPROOF_KIND_DEFAULT, LOCKPROOF_ORDERED, 0, 0);

static void give_ranks(unsigned first, unsigned second)
{
	lockproof_init_rank(lockproof_custom(&accounts[0].proof), &ranked_class, first);
	lockproof_init_rank(lockproof_custom(&accounts[1].proof), &ranked_class, second);
}

static void ranked(void)
{
	give_ranks(7, 3);
	run_two(downwards, downwards);
}

static void ranked_wrong(void)
{
	give_ranks(7, 3);
	run_two(upwards, upwards);
}

static struct lockproof_class quiet_class =
	LOCKPROOF_CLASS_INIT("quiet", LOCKPROOF_KIND_DEFAULT, LOCKPROOF_NOVALIDATE, 0, 0);

static void novalidate(void)
{
	lockproof_init(lockproof_custom(&inode.proof), &quiet_class);
	run_two(inode_then_log, log_then_inode);
}

/* ---- libc's locks, with names ---- */

static pthread_mutex_t mutex_a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t mutex_b = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spinlock;

static void mutex_ab(void)
{
	pthread_mutex_lock(&mutex_a);	/* MARK mutex-ab-a */
	pthread_mutex_lock(&mutex_b);	/* MARK mutex-ab-b */
	pthread_mutex_unlock(&mutex_b);
	pthread_mutex_unlock(&mutex_a);
}

static void mutex_ba(void)
{
	pthread_mutex_lock(&mutex_b);	/* MARK mutex-ba-b */
	pthread_mutex_lock(&mutex_a);	/* MARK mutex-ba-a */
	pthread_mutex_unlock(&mutex_a);
	pthread_mutex_unlock(&mutex_b);
}

static void named_mutexes(void)
{
	LOCKPROOF_NAME(lockproof_mutex(&mutex_a), "the ledger");
	LOCKPROOF_NAME(lockproof_mutex(&mutex_b), "the vault");
	run_two(mutex_ab, mutex_ba);
}

static void spin_then_rwlock(void)
{
	pthread_spin_lock(&spinlock);
	pthread_rwlock_wrlock(&rwlock);
	pthread_rwlock_unlock(&rwlock);
	pthread_spin_unlock(&spinlock);
}

static void rwlock_then_spin(void)
{
	pthread_rwlock_wrlock(&rwlock);
	pthread_spin_lock(&spinlock);
	pthread_spin_unlock(&spinlock);
	pthread_rwlock_unlock(&rwlock);
}

static void named_others(void)
{
	pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
	LOCKPROOF_NAME(lockproof_rwlock(&rwlock), "the index");
	LOCKPROOF_NAME(lockproof_spinlock(&spinlock), "the counter");
	run_two(spin_then_rwlock, rwlock_then_spin);
}

#ifdef __cplusplus
#include <mutex>

struct vault {
	std::mutex door, safe;

	vault()
	{
		LOCKPROOF_NAME(lockproof_mutex(door.native_handle()), "vault.door");
		LOCKPROOF_NAME(lockproof_mutex(safe.native_handle()), "vault.safe");
	}
};

static vault *the_vault;

static void door_then_safe(void)
{
	std::lock_guard<std::mutex> first(the_vault->door), second(the_vault->safe);
}

static void safe_then_door(void)
{
	std::lock_guard<std::mutex> first(the_vault->safe), second(the_vault->door);
	lockproof_assert_held(lockproof_mutex(the_vault->door.native_handle()), LOCKPROOF_WRITE);
}

static void std_mutexes(void)
{
	vault v;

	the_vault = &v;
	run_two(door_then_safe, safe_then_door);
}
#endif

static LOCKPROOF_CLASS(tree_class, "tree->mutex");

static void mutex_parent_child(void)
{
	pthread_mutex_lock(&mutex_a);
	lockproof_next(lockproof_mutex(&mutex_b), LOCKPROOF_SUBCLASS(1), lockproof_none());
	pthread_mutex_lock(&mutex_b);
	pthread_mutex_unlock(&mutex_b);
	pthread_mutex_unlock(&mutex_a);
}

static void name_tree(void)
{
	lockproof_init(lockproof_mutex(&mutex_a), &tree_class);
	lockproof_init(lockproof_mutex(&mutex_b), &tree_class);
}

static void next_subclass(void)
{
	name_tree();
	run_two(mutex_parent_child, mutex_parent_child);
}

static void next_missing(void)
{
	name_tree();
	run_two(mutex_parent_child, mutex_ab);
}

/* ---- readers ---- */

static void read_inode(void)
{
	read_lock(LOCKPROOF_READ_RECURSIVE);
	lock(&inode);
	unlock(&inode);
	read_unlock();
}

static void inode_read(void)
{
	lock(&inode);
	read_lock(LOCKPROOF_READ_RECURSIVE);
	read_unlock();
	unlock(&inode);
}

static void inode_write(void)
{
	lock(&inode);
	read_lock(LOCKPROOF_WRITE);
	read_unlock();
	unlock(&inode);
}

static void begin_table(void)
{
	lockproof_init(lockproof_custom(&table), &table_class);
}

static void readers(void)
{
	begin_table();
	run_two(read_inode, inode_read);
}

static void reader_writer(void)
{
	begin_table();
	run_two(read_inode, inode_write);
}

static void upgrade(void)
{
	read_lock(LOCKPROOF_READ);
	read_lock(LOCKPROOF_WRITE);
	read_unlock();
	read_unlock();
}

static void reader_upgrade(void)
{
	begin_table();
	run_two(upgrade, upgrade);
}

static void write_down(void)
{
	read_lock(LOCKPROOF_WRITE);
	lockproof_change(lockproof_custom(&table), LOCKPROOF_READ_RECURSIVE);
	lockproof_assert_held(lockproof_custom(&table), LOCKPROOF_READ);
	lock(&inode);
	unlock(&inode);
	read_unlock();
}

static void downgrade(void)
{
	begin_table();
	run_two(write_down, inode_read);
}

/* ---- a lock map: a work item that is flushed under the lock it takes ---- */

static struct lockproof_class work_class =
	LOCKPROOF_CLASS_INIT("(work_completion)(&w->work)", LOCKPROOF_KIND_MAP, 0, 0, 0);
static struct lockproof_lock work_map = LOCKPROOF_LOCK_INIT(&work_class);

static void run_work(void)
{
	lockproof_acquire(lockproof_custom(&work_map), LOCKPROOF_WRITE);
	lock(&inode);
	unlock(&inode);
	lockproof_release(lockproof_custom(&work_map));
}

static void flush_locked(void)
{
	lock(&inode);
	lockproof_sync(lockproof_custom(&work_map), LOCKPROOF_WRITE);
	unlock(&inode);
}

static void flush_free(void)
{
	lockproof_sync(lockproof_custom(&work_map), LOCKPROOF_WRITE);
}

static void flush(void)
{
	run_two(run_work, flush_locked);
}

static void flush_silent(void)
{
	run_two(run_work, flush_free);
}

/* ---- what must be so ---- */

static void asserts_right(void)
{
	struct lockproof_ref ref = lockproof_custom(&inode.proof);

	lockproof_assert_none_held();
	lockproof_assert_not_held(ref);
	lock(&inode);
	lockproof_assert_held(ref, LOCKPROOF_ANY);
	lockproof_assert_held(ref, LOCKPROOF_WRITE);
	if (lockproof_running() && lockproof_holds(ref, LOCKPROOF_READ) != 0)
		printf("held as a reader?\n");
	if (!lockproof_running() && lockproof_holds(ref, LOCKPROOF_READ) != -1)
		printf("who told?\n");
	pthread_mutex_lock(&mutex_a);
	lockproof_assert_held(lockproof_mutex(&mutex_a), LOCKPROOF_WRITE);
	lockproof_pin(lockproof_mutex(&mutex_a));
	lockproof_unpin(lockproof_mutex(&mutex_a));
	pthread_mutex_unlock(&mutex_a);
	lockproof_pin(ref);
	lockproof_pin(ref);
	lockproof_unpin(ref);
	lockproof_unpin(ref);
	unlock(&inode);
}

static void assert_held(void)
{
	lockproof_assert_held(lockproof_custom(&inode.proof), LOCKPROOF_ANY); /* MARK assert-held */
}

static void assert_written(void)
{
	begin_table();
	read_lock(LOCKPROOF_READ);
	lockproof_assert_held(lockproof_custom(&table), LOCKPROOF_WRITE); /* MARK assert-written */
	read_unlock();
}

static void assert_not_held(void)
{
	lock(&inode);
	lockproof_assert_not_held(lockproof_custom(&inode.proof)); /* MARK assert-not-held */
	unlock(&inode);
}

static void pinned(void)
{
	lock(&inode);
	lockproof_pin(lockproof_custom(&inode.proof));
	unlock(&inode);		/* MARK pinned */
}

static void pinned_mutex(void)
{
	pthread_mutex_lock(&mutex_a);
	lockproof_pin(lockproof_mutex(&mutex_a));
	pthread_mutex_unlock(&mutex_a);		/* MARK pinned-mutex */
}

static void not_pinned(void)
{
	lock(&inode);
	lockproof_unpin(lockproof_custom(&inode.proof)); /* MARK not-pinned */
	unlock(&inode);
}

static void unlock_not_held(void)
{
	unlock(&inode);		/* MARK unlock-not-held */
}

static void destroy_held(void)
{
	lock(&inode);
	lockproof_destroy(lockproof_custom(&inode.proof)); /* MARK destroy-held */
	unlock(&inode);
}

static void use_destroyed(void)
{
	lock(&inode);
	unlock(&inode);
	lockproof_destroy(lockproof_custom(&inode.proof));
	lock(&inode);		/* MARK use-destroyed */
	unlock(&inode);
}

static void born_again(void)
{
	lock(&inode);
	unlock(&inode);
	lockproof_destroy(lockproof_custom(&inode.proof));
	lockproof_init(lockproof_custom(&inode.proof), &inode_class);
	lock(&inode);
	unlock(&inode);
}

static void free_held(void)
{
	struct futex_lock *l = new_lock();

	lock(l);
	lockproof_freed(l, sizeof(*l));	/* MARK free-held */
	unlock(l);
	free(l);
}

static void init_held(void)
{
	lock(&inode);
	lockproof_init(lockproof_custom(&inode.proof), &inode_class); /* MARK init-held */
}

static void expected(void)
{
	lockproof_expect_order(&inode_class, &log_class);
	run_two(log_then_inode, log_then_inode);
}

static void expected_kept(void)
{
	lockproof_expect_order(&inode_class, &log_class);
	run_two(inode_then_log, inode_then_log);
}

static void log_might_inode(void)
{
	lock(&journal);
	lockproof_might_lock(lockproof_custom(&inode.proof), LOCKPROOF_WRITE);
	unlock(&journal);
}

static void might_lock(void)
{
	run_two(inode_then_log, log_might_inode);
}

static void own_finding(void)
{
	lockproof_misuse(LOCKPROOF_EVENT_NOT_INITIALISED, lockproof_custom(&inode.proof));
}

static struct lockproof_class counted_class =
	LOCKPROOF_CLASS_INIT("counted", LOCKPROOF_KIND_RECURSIVE, 0, 0, 0);

static void recursive(void)
{
	static struct lockproof_lock counted = LOCKPROOF_LOCK_INIT(&counted_class);
	int i;

	for (i = 0; i < 3; i++)
		lockproof_acquire(lockproof_custom(&counted), LOCKPROOF_WRITE);
	for (i = 0; i < 3; i++)
		lockproof_release(lockproof_custom(&counted));
	lockproof_assert_not_held(lockproof_custom(&counted));
}

/* ---- wait types ---- */

static struct lockproof_class raw_class =
	LOCKPROOF_CLASS_INIT("raw", LOCKPROOF_KIND_K_RAW_SPINLOCK, 0, 0, 0);
static struct lockproof_class sleeping_class =
	LOCKPROOF_CLASS_INIT("sleeping", LOCKPROOF_KIND_K_MUTEX, 0, 0, 0);
static struct lockproof_lock raw = LOCKPROOF_LOCK_INIT(&raw_class);
static struct lockproof_lock sleeping = LOCKPROOF_LOCK_INIT(&sleeping_class);

static void take_in(struct lockproof_lock *first, struct lockproof_lock *second)
{
	lockproof_acquire(lockproof_custom(first), LOCKPROOF_WRITE);
	lockproof_acquire(lockproof_custom(second), LOCKPROOF_WRITE);	/* MARK waits */
	lockproof_release(lockproof_custom(second));
	lockproof_release(lockproof_custom(first));
}

static void wait_type(void)
{
	take_in(&raw, &sleeping);
}

static void wait_type_silent(void)
{
	take_in(&sleeping, &raw);
}

/* ---- contexts ---- */

static struct lockproof_context loop = LOCKPROOF_CONTEXT_INIT("LOOP", LOCKPROOF_CONTEXT_USER, 0, 0);
static struct lockproof_context irq =
	LOCKPROOF_CONTEXT_INIT("HARDIRQ", LOCKPROOF_CONTEXT_HARDIRQ, LOCKPROOF_WAIT_SPIN, 1);

static void callback(void)
{
	struct lockproof_frame frame;

	lockproof_context_enter(&loop, &frame);
	lock(&inode);		/* MARK loop-in */
	unlock(&inode);
	lockproof_context_leave(&frame);
}

static void hold_enabled(void)
{
	lockproof_context_enable(&loop);
	lock(&inode);		/* MARK loop-on */
	unlock(&inode);
	lockproof_context_disable(&loop);
	callback();
}

static void context_inversion(void)
{
	hold_enabled();
}

static void context_silent(void)
{
	lockproof_context_enable(&loop);
	callback();
	lockproof_context_disable(&loop);
	lock(&inode);
	unlock(&inode);
	callback();
}

/* Enabled only once the lock is held. */
static void context_enabled_late(void)
{
	lock(&inode);
	lockproof_context_enable(&loop);
	lockproof_context_disable(&loop);
	unlock(&inode);
	callback();
}

/* The callback strikes who holds the journal, and wants what is held by who waits for that. */
static void log_enabled(void)
{
	lockproof_context_enable(&loop);
	lock(&journal);		/* MARK order-on */
	unlock(&journal);
	lockproof_context_disable(&loop);
}

static void inode_log_callback(void)
{
	inode_then_log();
	callback();
}

static void context_order(void)
{
	run_two(log_enabled, inode_log_callback);
}

static void context_held(void)
{
	struct lockproof_frame frame;

	lockproof_context_enter(&loop, &frame);
	lock(&inode);		/* MARK held-in-loop */
	lockproof_context_leave(&frame);
	lockproof_assert_not_held(lockproof_custom(&inode.proof));
}

static void context_nested(void)
{
	struct lockproof_frame outer, inner;

	lock(&journal);
	lockproof_context_enter(&loop, &outer);
	lockproof_assert_none_held();
	lockproof_context_enter(&irq, &inner);
	lockproof_context_leave(&outer);	/* and with it the inner one */
	lockproof_context_leave(&inner);	/* which is over */
	lockproof_assert_held(lockproof_custom(&journal.proof), LOCKPROOF_WRITE);
	unlock(&journal);
}

/* Never left: the frame is the same the next time. */
static __attribute__((noinline)) void enter_and_return(void)
{
	static struct lockproof_frame frame;

	lockproof_context_enter(&loop, &frame);
}

static void context_reused(void)
{
	int i;

	for (i = 0; i < 3; i++)
		enter_and_return();
	lock(&inode);
	unlock(&inode);
}

static void interrupt(void)
{
	struct lockproof_frame frame;

	lockproof_context_enter(&irq, &frame);
	lock(&inode);
	unlock(&inode);
	lockproof_context_leave(&frame);
}

static void lock_plainly(void)
{
	lock(&inode);
	unlock(&inode);
}

static void lock_disabled(void)
{
	lockproof_context_disable(&irq);
	lock(&inode);
	unlock(&inode);
	lockproof_context_enable(&irq);
}

/* Declared when the first interrupt comes: from then on it strikes everywhere. */
static void irq_everywhere(void)
{
	interrupt();
	run_two(lock_plainly, interrupt);
}

static void irq_disabled(void)
{
	interrupt();
	run_two(lock_disabled, interrupt);
}

static void interrupt_sleeps(void)
{
	struct lockproof_frame frame;

	lockproof_context_enter(&irq, &frame);
	lockproof_acquire(lockproof_custom(&sleeping), LOCKPROOF_WRITE);
	lockproof_release(lockproof_custom(&sleeping));
	lockproof_context_leave(&frame);
}

/* ---- it is happening ---- */

static sem_t met[2];

static void *second_half(void *unused)
{
	lock(&journal);
	sem_post(&met[0]);
	down(&met[1]);
	lock(&inode);
	return unused;
}

static void deadlock(void)
{
	pthread_t thread;

	sem_init(&met[0], 0, 0);
	sem_init(&met[1], 0, 0);
	lock(&inode);
	must(pthread_create(&thread, NULL, second_half, NULL), "pthread_create");
	down(&met[0]);
	sem_post(&met[1]);
	lock(&journal);
}

static void *hold_maps(void *arg)
{
	static struct lockproof_lock other_map = LOCKPROOF_LOCK_INIT(&work_class);
	struct lockproof_lock *first = arg ? &work_map : &other_map;
	struct lockproof_lock *then = arg ? &other_map : &work_map;

	lockproof_acquire(lockproof_custom(first), LOCKPROOF_READ_RECURSIVE);
	lockproof_acquire(lockproof_custom(then), LOCKPROOF_READ_RECURSIVE);
	usleep(700000);
	lockproof_release(lockproof_custom(then));
	lockproof_release(lockproof_custom(first));
	return NULL;
}

/* Lock maps keep nobody out: two threads that "hold" them both run. */
static void maps_run(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, hold_maps, &work_map), "pthread_create");
	hold_maps(NULL);
	pthread_join(thread, NULL);
}

/* ---- many at once ---- */

static int total;

static void *work_hard(void *unused)
{
	int i;

	for (i = 0; i < 20000; i++) {
		lock(&inode);
		lock(&journal);
		total++;
		unlock(&journal);
		unlock(&inode);
		if (trylock(&journal))
			unlock(&journal);
		callback();
		lock_sub(&dirs[i & 1], 1);
		unlock(&dirs[i & 1]);
	}
	return unused;
}

static void contention(void)
{
	pthread_t thread[4];
	int i;

	for (i = 0; i < 4; i++)
		must(pthread_create(&thread[i], NULL, work_hard, NULL), "pthread_create");
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	printf("%d\n", total);
}

/* A child has what its parent held, and releases it. */
static void forked(void)
{
	int status = 0;
	pid_t child;

	lock(&inode);
	child = fork();
	must(child < 0, "fork");
	unlock(&inode);
	lock(&journal);
	unlock(&journal);
	if (!child)
		_exit(0);
	waitpid(child, &status, 0);
	printf("%d\n", status);
}

static const struct scenario scenarios[] = {
	{ "abba", abba },
	{ "consistent", consistent },
	{ "try", try_silent },
	{ "timed", timed },
	{ "failed", failed },
	{ "by-address", by_address },
	{ "named-bits", named_bits },
	{ "dynamic", dynamic_inversion },
	{ "same-class", same_class },
	{ "two-names", two_names },
	{ "subclass", subclass_silent },
	{ "subclass-inversion", subclass_inversion },
	{ "subclass-same", subclass_same },
	{ "nest-lock", nest_lock_silent },
	{ "nest-not-held", nest_not_held },
	{ "ordered", ordered },
	{ "ordered-inversion", ordered_inversion },
	{ "ranked", ranked },
	{ "ranked-wrong", ranked_wrong },
	{ "novalidate", novalidate },
	{ "named-mutexes", named_mutexes },
	{ "named-others", named_others },
	{ "next-subclass", next_subclass },
	{ "next-missing", next_missing },
	{ "readers", readers },
	{ "reader-writer", reader_writer },
	{ "upgrade", reader_upgrade },
	{ "downgrade", downgrade },
	{ "flush", flush },
	{ "flush-silent", flush_silent },
	{ "asserts-right", asserts_right },
	{ "assert-held", assert_held },
	{ "assert-written", assert_written },
	{ "assert-not-held", assert_not_held },
	{ "pinned", pinned },
	{ "pinned-mutex", pinned_mutex },
	{ "not-pinned", not_pinned },
	{ "unlock-not-held", unlock_not_held },
	{ "destroy-held", destroy_held },
	{ "use-destroyed", use_destroyed },
	{ "born-again", born_again },
	{ "free-held", free_held },
	{ "init-held", init_held },
	{ "expected", expected },
	{ "expected-kept", expected_kept },
	{ "might-lock", might_lock },
	{ "own-finding", own_finding },
	{ "recursive", recursive },
	{ "wait-type", wait_type },
	{ "wait-type-silent", wait_type_silent },
	{ "context-inversion", context_inversion },
	{ "context-silent", context_silent },
	{ "context-late", context_enabled_late },
	{ "context-order", context_order },
	{ "context-held", context_held },
	{ "context-nested", context_nested },
	{ "context-reused", context_reused },
	{ "irq-everywhere", irq_everywhere },
	{ "irq-disabled", irq_disabled },
	{ "irq-sleeps", interrupt_sleeps },
	{ "deadlock", deadlock },
	{ "maps-run", maps_run },
	{ "contention", contention },
	{ "forked", forked },
#ifdef __cplusplus
	{ "std-mutexes", std_mutexes },
#endif
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return run_scenario(scenarios, argc > 1 ? argv[1] : NULL);
}

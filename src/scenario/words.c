/* SPDX-License-Identifier: Apache-2.0 */
/* words.c — the statement functions of scenarios, one row each. */
#include <signal.h>
#include <string.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "scenario/words.h"

#define T(type)		LP_TYPE_BIT(type)
#define DO(kind)	{ LP_OP_##kind, LP_WRITE, 0 }
#define ACT(kind, bits)	{ LP_OP_##kind, LP_WRITE, (bits) }
#define DESTROY		{ LP_OP_FREE, LP_WRITE, LP_OP_DESTROY }
#define GET(mode, bits)	{ LP_OP_ACQUIRE, LP_##mode, (bits) }
#define PUT(mode, bits)	{ LP_OP_RELEASE, LP_##mode, (bits) }
#define IN(what, mode, bits) { LP_OP_##what, LP_##mode, (bits) }

#define ALL_TYPES	LP_TYPES_ALL
#define HELD_TYPES	LP_TYPES_HELD
#define LOCK_TYPES	(HELD_TYPES & ~(T(SRCU_STRUCT) | T(WW_ACQUIRE_CTX)))

#define ROW(text, t, s, r, ...) \
	{ .name = (text), .types = (t), .shape = LP_SHAPE_##s, .result = LP_RESULT_##r, \
	  .steps = { __VA_ARGS__ } }
#define BODY(text, t, s, b, ...) \
	{ .name = (text), .types = (t), .shape = LP_SHAPE_##s, .body = LP_BODY_##b, \
	  .steps = { __VA_ARGS__ } }
#define RCU(text, s, b, o, ...) \
	{ .name = (text), .shape = LP_SHAPE_##s, .body = LP_BODY_##b, .object = LP_BUILT_IN_##o, \
	  .steps = { __VA_ARGS__ } }

/* A function that takes a lock, in its four variants; likewise the ones that try and give back. */
#define TAKE(text, t, mode, bits) \
	ROW(text, t, OBJECT, NONE, GET(mode, bits)), \
	ROW(text "_bh", t, OBJECT, NONE, DO(BH_DISABLE), GET(mode, bits)), \
	ROW(text "_irq", t, OBJECT, NONE, DO(IRQ_DISABLE), GET(mode, bits)), \
	ROW(text "_irqsave", t, SAVE, NONE, DO(IRQ_SAVE), GET(mode, bits))
#define TRY(text, t, mode, bits) \
	ROW(text, t, OBJECT, TRUE, GET(mode, (bits) | LP_TRY)), \
	ROW(text "_bh", t, OBJECT, TRUE, DO(BH_DISABLE), GET(mode, (bits) | LP_TRY)), \
	ROW(text "_irq", t, OBJECT, TRUE, DO(IRQ_DISABLE), GET(mode, (bits) | LP_TRY)), \
	ROW(text "_irqsave", t, SAVE, TRUE, DO(IRQ_SAVE), GET(mode, (bits) | LP_TRY))
#define GIVE(text, t, mode) \
	ROW(text, t, OBJECT, NONE, PUT(mode, 0)), \
	ROW(text "_bh", t, OBJECT, NONE, PUT(mode, 0), DO(BH_ENABLE)), \
	ROW(text "_irq", t, OBJECT, NONE, PUT(mode, 0), DO(IRQ_ENABLE)), \
	ROW(text "_irqrestore", t, SAVE, NONE, PUT(mode, 0), DO(IRQ_RESTORE))

#define SPIN(prefix, t) \
	TAKE(prefix "lock", t, WRITE, 0), \
	ROW(prefix "lock_nested", t, SUBCLASS, NONE, GET(WRITE, 0)), \
	ROW(prefix "lock_bh_nested", t, SUBCLASS, NONE, DO(BH_DISABLE), GET(WRITE, 0)), \
	ROW(prefix "lock_irqsave_nested", t, SAVE_SUBCLASS, NONE, DO(IRQ_SAVE), GET(WRITE, 0)), \
	ROW(prefix "lock_nest_lock", t, NEST, NONE, GET(WRITE, 0)), \
	TRY(prefix "trylock", t, WRITE, 0), \
	GIVE(prefix "unlock", t, WRITE), \
	ROW(prefix "lock_init", t, OBJECT, NONE, DO(INIT))

const struct lp_word lp_words[] = {
	SPIN("spin_", T(SPINLOCK_T)),
	SPIN("raw_spin_", T(RAW_SPINLOCK_T)),

	TAKE("read_lock", T(RWLOCK_T), READ, LP_STEP_READER),
	ROW("read_lock_recursive", T(RWLOCK_T), OBJECT, NONE, GET(READ_RECURSIVE, 0)),
	TRY("read_trylock", T(RWLOCK_T), READ, LP_STEP_READER),
	GIVE("read_unlock", T(RWLOCK_T), READ),
	TAKE("write_lock", T(RWLOCK_T), WRITE, 0),
	ROW("write_lock_nested", T(RWLOCK_T), SUBCLASS, NONE, GET(WRITE, 0)),
	TRY("write_trylock", T(RWLOCK_T), WRITE, 0),
	GIVE("write_unlock", T(RWLOCK_T), WRITE),
	ROW("rwlock_init", T(RWLOCK_T), OBJECT, NONE, DO(INIT)),

	TAKE("write_seqlock", T(SEQLOCK_T), WRITE, 0),
	GIVE("write_sequnlock", T(SEQLOCK_T), WRITE),
	TAKE("read_seqlock_excl", T(SEQLOCK_T), WRITE, 0),
	GIVE("read_sequnlock_excl", T(SEQLOCK_T), WRITE),
	ROW("read_seqbegin", T(SEQLOCK_T), OBJECT, NONE, IN(SYNC, READ_RECURSIVE, 0)),
	ROW("read_seqretry", T(SEQLOCK_T), OBJECT_REST, NONE, DO(END)),
	ROW("seqlock_init", T(SEQLOCK_T), OBJECT, NONE, DO(INIT)),

	ROW("mutex_lock", T(MUTEX), OBJECT, NONE, GET(WRITE, 0)),
	ROW("mutex_lock_nested", T(MUTEX), SUBCLASS, NONE, GET(WRITE, 0)),
	ROW("mutex_lock_nest_lock", T(MUTEX), NEST, NONE, GET(WRITE, 0)),
	ROW("mutex_lock_interruptible", T(MUTEX), OBJECT, NONE, GET(WRITE, 0)),
	ROW("mutex_lock_interruptible_nested", T(MUTEX), SUBCLASS, NONE, GET(WRITE, 0)),
	ROW("mutex_lock_killable", T(MUTEX), OBJECT, NONE, GET(WRITE, 0)),
	ROW("mutex_lock_killable_nested", T(MUTEX), SUBCLASS, NONE, GET(WRITE, 0)),
	ROW("mutex_lock_io", T(MUTEX), OBJECT, NONE, GET(WRITE, 0)),
	ROW("mutex_trylock", T(MUTEX), OBJECT, TRUE, GET(WRITE, LP_TRY)),
	ROW("mutex_unlock", T(MUTEX), OBJECT, NONE, PUT(WRITE, 0)),
	ROW("mutex_init", T(MUTEX), OBJECT, NONE, DO(INIT)),
	ROW("mutex_destroy", T(MUTEX), OBJECT, NONE, DESTROY),

	ROW("rt_mutex_lock", T(RT_MUTEX), OBJECT, NONE, GET(WRITE, 0)),
	ROW("rt_mutex_lock_nested", T(RT_MUTEX), SUBCLASS, NONE, GET(WRITE, 0)),
	ROW("rt_mutex_lock_nest_lock", T(RT_MUTEX), NEST, NONE, GET(WRITE, 0)),
	ROW("rt_mutex_lock_interruptible", T(RT_MUTEX), OBJECT, NONE, GET(WRITE, 0)),
	ROW("rt_mutex_lock_killable", T(RT_MUTEX), OBJECT, NONE, GET(WRITE, 0)),
	ROW("rt_mutex_trylock", T(RT_MUTEX), OBJECT, TRUE, GET(WRITE, LP_TRY)),
	ROW("rt_mutex_unlock", T(RT_MUTEX), OBJECT, NONE, PUT(WRITE, 0)),
	ROW("rt_mutex_init", T(RT_MUTEX), OBJECT, NONE, DO(INIT)),
	ROW("rt_mutex_destroy", T(RT_MUTEX), OBJECT, NONE, DESTROY),

	ROW("down_read", T(RW_SEMAPHORE), OBJECT, NONE, GET(READ, 0)),
	ROW("down_read_nested", T(RW_SEMAPHORE), SUBCLASS, NONE, GET(READ, 0)),
	ROW("down_read_interruptible", T(RW_SEMAPHORE), OBJECT, NONE, GET(READ, 0)),
	ROW("down_read_killable", T(RW_SEMAPHORE), OBJECT, NONE, GET(READ, 0)),
	ROW("down_read_killable_nested", T(RW_SEMAPHORE), SUBCLASS, NONE, GET(READ, 0)),
	ROW("down_read_trylock", T(RW_SEMAPHORE), OBJECT, TRUE, GET(READ, LP_TRY)),
	ROW("down_write", T(RW_SEMAPHORE), OBJECT, NONE, GET(WRITE, 0)),
	ROW("down_write_nested", T(RW_SEMAPHORE), SUBCLASS, NONE, GET(WRITE, 0)),
	ROW("down_write_nest_lock", T(RW_SEMAPHORE), NEST, NONE, GET(WRITE, 0)),
	ROW("down_write_killable", T(RW_SEMAPHORE), OBJECT, NONE, GET(WRITE, 0)),
	ROW("down_write_killable_nested", T(RW_SEMAPHORE), SUBCLASS, NONE, GET(WRITE, 0)),
	ROW("down_write_trylock", T(RW_SEMAPHORE), OBJECT, TRUE, GET(WRITE, LP_TRY)),
	ROW("up_read", T(RW_SEMAPHORE), OBJECT, NONE, PUT(READ, 0)),
	ROW("up_write", T(RW_SEMAPHORE), OBJECT, NONE, PUT(WRITE, 0)),
	ROW("downgrade_write", T(RW_SEMAPHORE), OBJECT, NONE, DO(DOWNGRADE)),
	ROW("init_rwsem", T(RW_SEMAPHORE), OBJECT, NONE, DO(INIT)),

	ROW("down", T(SEMAPHORE), OBJECT, NONE, DO(DOWN)),
	ROW("down_interruptible", T(SEMAPHORE), OBJECT, NONE, DO(DOWN)),
	ROW("down_killable", T(SEMAPHORE), OBJECT, NONE, DO(DOWN)),
	ROW("down_trylock", T(SEMAPHORE), OBJECT, ZERO, ACT(DOWN, LP_TRY)),
	ROW("down_timeout", T(SEMAPHORE), OBJECT_REST, ZERO, ACT(DOWN, LP_TIMED)),
	ROW("up", T(SEMAPHORE), OBJECT, NONE, DO(UP)),
	ROW("sema_init", T(SEMAPHORE), SEMA_COUNT, NONE, DO(INIT)),

	ROW("wait_for_completion", T(COMPLETION), OBJECT, NONE, DO(WAIT)),
	ROW("wait_for_completion_io", T(COMPLETION), OBJECT, NONE, DO(WAIT)),
	ROW("wait_for_completion_interruptible", T(COMPLETION), OBJECT, NONE, DO(WAIT)),
	ROW("wait_for_completion_killable", T(COMPLETION), OBJECT, NONE, DO(WAIT)),
	ROW("wait_for_completion_timeout", T(COMPLETION), OBJECT_REST, TRUE, ACT(WAIT, LP_TIMED)),
	ROW("try_wait_for_completion", T(COMPLETION), OBJECT, TRUE, ACT(WAIT, LP_TRY)),
	ROW("complete", T(COMPLETION), OBJECT, NONE, DO(COMPLETE)),
	ROW("complete_all", T(COMPLETION), OBJECT, NONE, ACT(COMPLETE, LP_OP_ALL)),
	ROW("init_completion", T(COMPLETION), OBJECT, NONE, DO(INIT)),
	ROW("reinit_completion", T(COMPLETION), OBJECT, NONE, DO(INIT)),

	ROW("srcu_read_lock", T(SRCU_STRUCT), OBJECT, NONE, DO(RCU_LOCK)),
	ROW("srcu_read_unlock", T(SRCU_STRUCT), OBJECT_REST, NONE, DO(RCU_UNLOCK)),
	ROW("synchronize_srcu", T(SRCU_STRUCT), OBJECT, NONE, DO(RCU_SYNC)),
	ROW("synchronize_srcu_expedited", T(SRCU_STRUCT), OBJECT, NONE, DO(RCU_SYNC)),
	BODY("call_srcu", T(SRCU_STRUCT), OBJECT_CALL, RCU, DO(RCU_CALL)),
	ROW("srcu_barrier", T(SRCU_STRUCT), OBJECT, NONE, DO(RCU_BARRIER)),
	ROW("init_srcu_struct", T(SRCU_STRUCT), OBJECT, NONE, DO(INIT)),
	ROW("cleanup_srcu_struct", T(SRCU_STRUCT), OBJECT, NONE, DESTROY),

	RCU("rcu_read_lock", NOTHING, NONE, RCU, DO(RCU_LOCK)),
	RCU("rcu_read_unlock", NOTHING, NONE, RCU, DO(RCU_UNLOCK)),
	RCU("rcu_read_lock_bh", NOTHING, NONE, RCU_BH, DO(BH_DISABLE), DO(RCU_LOCK)),
	RCU("rcu_read_unlock_bh", NOTHING, NONE, RCU_BH, DO(RCU_UNLOCK), DO(BH_ENABLE)),
	RCU("rcu_read_lock_sched", NOTHING, NONE, RCU_SCHED, DO(RCU_LOCK)),
	RCU("rcu_read_unlock_sched", NOTHING, NONE, RCU_SCHED, DO(RCU_UNLOCK)),
	RCU("synchronize_rcu", NOTHING, NONE, RCU, DO(RCU_SYNC)),
	RCU("synchronize_rcu_expedited", NOTHING, NONE, RCU, DO(RCU_SYNC)),
	RCU("call_rcu", CALL, RCU, RCU, DO(RCU_CALL)),
	RCU("rcu_barrier", NOTHING, NONE, RCU, DO(RCU_BARRIER)),
	ROW("rcu_dereference", 0, IGNORED, NONE, DO(RCU_DEREFERENCE)),
	ROW("rcu_dereference_check", HELD_TYPES, GUARD, NONE, DO(RCU_DEREFERENCE)),
	ROW("rcu_dereference_protected", HELD_TYPES, GUARD, NONE,
	    ACT(RCU_DEREFERENCE, LP_OP_PROTECTED)),

	ROW("ww_mutex_lock", T(WW_MUTEX), CONTEXT, REFUSAL, GET(WRITE, 0)),
	ROW("ww_mutex_lock_interruptible", T(WW_MUTEX), CONTEXT, REFUSAL, GET(WRITE, 0)),
	ROW("ww_mutex_lock_slow", T(WW_MUTEX), ITS_CONTEXT, REFUSAL, GET(WRITE, LP_OP_SLOW)),
	ROW("ww_mutex_lock_slow_interruptible", T(WW_MUTEX), ITS_CONTEXT, REFUSAL,
	    GET(WRITE, LP_OP_SLOW)),
	ROW("ww_mutex_trylock", T(WW_MUTEX), CONTEXT, TRUE, GET(WRITE, LP_TRY)),
	ROW("ww_mutex_unlock", T(WW_MUTEX), OBJECT, NONE, PUT(WRITE, 0)),
	ROW("ww_mutex_init", T(WW_MUTEX), OBJECT_REST, NONE, DO(INIT)),
	ROW("ww_mutex_destroy", T(WW_MUTEX), OBJECT, NONE, DESTROY),
	ROW("ww_acquire_init", T(WW_ACQUIRE_CTX), OBJECT_REST, NONE, GET(WRITE, 0)),
	ROW("ww_acquire_done", T(WW_ACQUIRE_CTX), OBJECT, NONE, DO(WW_DONE)),
	ROW("ww_acquire_fini", T(WW_ACQUIRE_CTX), OBJECT, NONE, PUT(WRITE, 0)),

	TAKE("local_lock", T(LOCAL_LOCK_T), WRITE, 0),
	GIVE("local_unlock", T(LOCAL_LOCK_T), WRITE),
	ROW("local_lock_init", T(LOCAL_LOCK_T), OBJECT, NONE, DO(INIT)),

	ROW("lock_map_acquire", T(LOCKDEP_MAP), OBJECT, NONE, GET(WRITE, 0)),
	ROW("lock_map_acquire_read", T(LOCKDEP_MAP), OBJECT, NONE, GET(READ_RECURSIVE, 0)),
	ROW("lock_map_release", T(LOCKDEP_MAP), OBJECT, NONE, PUT(WRITE, LP_OP_ANY_MODE)),
	ROW("lock_map_sync", T(LOCKDEP_MAP), OBJECT, NONE, DO(SYNC)),
	ROW("lock_sync", T(LOCKDEP_MAP), OBJECT, NONE, DO(SYNC)),
	ROW("lockdep_init_map", T(LOCKDEP_MAP), OBJECT_REST, NONE, DO(INIT)),

	ROW("might_lock", LOCK_TYPES, OBJECT, NONE, DO(MIGHT_LOCK)),
	ROW("might_lock_read", LOCK_TYPES, OBJECT, NONE, IN(MIGHT_LOCK, READ, 0)),
	ROW("might_lock_nested", LOCK_TYPES, SUBCLASS, NONE, DO(MIGHT_LOCK)),
	ROW("might_sleep", 0, NOTHING, NONE, DO(MIGHT_SLEEP)),
	ROW("lockdep_assert_held", HELD_TYPES, OBJECT, NONE, ACT(ASSERT_HELD, LP_OP_ANY_MODE)),
	ROW("lockdep_assert_held_write", HELD_TYPES, OBJECT, NONE, DO(ASSERT_HELD)),
	ROW("lockdep_assert_held_read", HELD_TYPES, OBJECT, NONE, IN(ASSERT_HELD, READ, 0)),
	ROW("lockdep_assert_not_held", HELD_TYPES, OBJECT, NONE, DO(ASSERT_NOT_HELD)),
	ROW("lockdep_pin_lock", HELD_TYPES, OBJECT, NONE, DO(PIN)),
	ROW("lockdep_unpin_lock", HELD_TYPES, OBJECT_REST, NONE, DO(UNPIN)),
	ROW("lock_set_subclass", HELD_TYPES, SUBCLASS, NONE, DO(SET_SUBCLASS)),
	ROW("lockdep_unregister_key", ALL_TYPES, OBJECT, NONE, DO(UNREGISTER)),
	ROW("kfree", ALL_TYPES, OBJECT, NONE, DO(FREE)),
	ROW("free", ALL_TYPES, OBJECT, NONE, DO(FREE)),

	ROW("local_irq_disable", 0, NOTHING, NONE, DO(IRQ_DISABLE)),
	ROW("local_irq_enable", 0, NOTHING, NONE, DO(IRQ_ENABLE)),
	ROW("local_irq_save", 0, FLAGS, NONE, DO(IRQ_SAVE)),
	ROW("local_irq_restore", 0, FLAGS, NONE, DO(IRQ_RESTORE)),
	ROW("local_bh_disable", 0, NOTHING, NONE, DO(BH_DISABLE)),
	ROW("local_bh_enable", 0, NOTHING, NONE, DO(BH_ENABLE)),
	ROW("preempt_disable", 0, NOTHING, NONE, DO(END)),
	ROW("preempt_enable", 0, NOTHING, NONE, DO(END)),

	BODY("queue_work", T(WORKQUEUE_STRUCT), QUEUE, WORK, DO(WORK_QUEUE)),
	BODY("schedule_work", 0, BODY, WORK, DO(WORK_QUEUE)),
	BODY("flush_work", 0, BODY, WORK, DO(WORK_FLUSH)),
	BODY("cancel_work_sync", 0, BODY, WORK, DO(WORK_CANCEL)),
	ROW("flush_workqueue", T(WORKQUEUE_STRUCT), OBJECT, NONE, DO(QUEUE_FLUSH)),
	ROW("drain_workqueue", T(WORKQUEUE_STRUCT), OBJECT, NONE, DO(QUEUE_FLUSH)),
	ROW("destroy_workqueue", T(WORKQUEUE_STRUCT), OBJECT, NONE, DO(QUEUE_FLUSH), DESTROY),
	ROW("flush_scheduled_work", 0, NOTHING, NONE, DO(QUEUE_FLUSH)),
	BODY("mod_timer", 0, BODY, TIMER, DO(TIMER_ARM)),
	BODY("add_timer", 0, BODY, TIMER, DO(TIMER_ARM)),
	BODY("del_timer", 0, BODY, TIMER, DO(TIMER_DELETE)),
	BODY("timer_delete", 0, BODY, TIMER, DO(TIMER_DELETE)),
	BODY("timer_shutdown", 0, BODY, TIMER, DO(TIMER_DELETE)),
	BODY("del_timer_sync", 0, BODY, TIMER, ACT(TIMER_DELETE, LP_OP_UNTIL_DONE)),
	BODY("timer_delete_sync", 0, BODY, TIMER, ACT(TIMER_DELETE, LP_OP_UNTIL_DONE)),
	BODY("timer_shutdown_sync", 0, BODY, TIMER, ACT(TIMER_DELETE, LP_OP_UNTIL_DONE)),

	ROW("pthread_mutex_lock", T(PTHREAD_MUTEX_T), OBJECT, NONE, GET(WRITE, 0)),
	ROW("pthread_mutex_trylock", T(PTHREAD_MUTEX_T), OBJECT, ZERO, GET(WRITE, LP_TRY)),
	ROW("pthread_mutex_timedlock", T(PTHREAD_MUTEX_T), OBJECT_REST, ZERO, GET(WRITE, LP_TIMED)),
	ROW("pthread_mutex_clocklock", T(PTHREAD_MUTEX_T), OBJECT_REST, ZERO, GET(WRITE, LP_TIMED)),
	ROW("pthread_mutex_unlock", T(PTHREAD_MUTEX_T), OBJECT, NONE, PUT(WRITE, 0)),
	ROW("pthread_mutex_init", T(PTHREAD_MUTEX_T), OBJECT_REST, NONE, DO(INIT)),
	ROW("pthread_mutex_destroy", T(PTHREAD_MUTEX_T), OBJECT, NONE, DESTROY),

	ROW("pthread_rwlock_rdlock", T(PTHREAD_RWLOCK_T), OBJECT, NONE, GET(READ, LP_PREFER)),
	ROW("pthread_rwlock_tryrdlock", T(PTHREAD_RWLOCK_T), OBJECT, ZERO,
	    GET(READ, LP_PREFER | LP_TRY)),
	ROW("pthread_rwlock_timedrdlock", T(PTHREAD_RWLOCK_T), OBJECT_REST, ZERO,
	    GET(READ, LP_PREFER | LP_TIMED)),
	ROW("pthread_rwlock_clockrdlock", T(PTHREAD_RWLOCK_T), OBJECT_REST, ZERO,
	    GET(READ, LP_PREFER | LP_TIMED)),
	ROW("pthread_rwlock_wrlock", T(PTHREAD_RWLOCK_T), OBJECT, NONE, GET(WRITE, 0)),
	ROW("pthread_rwlock_trywrlock", T(PTHREAD_RWLOCK_T), OBJECT, ZERO, GET(WRITE, LP_TRY)),
	ROW("pthread_rwlock_timedwrlock", T(PTHREAD_RWLOCK_T), OBJECT_REST, ZERO,
	    GET(WRITE, LP_TIMED)),
	ROW("pthread_rwlock_clockwrlock", T(PTHREAD_RWLOCK_T), OBJECT_REST, ZERO,
	    GET(WRITE, LP_TIMED)),
	ROW("pthread_rwlock_unlock", T(PTHREAD_RWLOCK_T), OBJECT, NONE, PUT(WRITE, LP_OP_ANY_MODE)),
	ROW("pthread_rwlock_init", T(PTHREAD_RWLOCK_T), OBJECT_REST, NONE, DO(INIT)),
	ROW("pthread_rwlock_destroy", T(PTHREAD_RWLOCK_T), OBJECT, NONE, DESTROY),

	ROW("pthread_spin_lock", T(PTHREAD_SPINLOCK_T), OBJECT, NONE, GET(WRITE, 0)),
	ROW("pthread_spin_trylock", T(PTHREAD_SPINLOCK_T), OBJECT, ZERO, GET(WRITE, LP_TRY)),
	ROW("pthread_spin_unlock", T(PTHREAD_SPINLOCK_T), OBJECT, NONE, PUT(WRITE, 0)),
	ROW("pthread_spin_init", T(PTHREAD_SPINLOCK_T), OBJECT_REST, NONE, DO(INIT)),
	ROW("pthread_spin_destroy", T(PTHREAD_SPINLOCK_T), OBJECT, NONE, DESTROY),

	ROW("sem_wait", T(SEM_T), OBJECT, NONE, DO(DOWN)),
	ROW("sem_trywait", T(SEM_T), OBJECT, ZERO, ACT(DOWN, LP_TRY)),
	ROW("sem_timedwait", T(SEM_T), OBJECT_REST, ZERO, ACT(DOWN, LP_TIMED)),
	ROW("sem_clockwait", T(SEM_T), OBJECT_REST, ZERO, ACT(DOWN, LP_TIMED)),
	ROW("sem_post", T(SEM_T), OBJECT, NONE, DO(UP)),
	ROW("sem_init", T(SEM_T), SHARED_COUNT, NONE, DO(INIT)),
	ROW("sem_destroy", T(SEM_T), OBJECT, NONE, DESTROY),

	ROW("pthread_cond_wait", T(PTHREAD_COND_T), COND, NONE, DO(COND_WAIT)),
	ROW("pthread_cond_timedwait", T(PTHREAD_COND_T), COND, NONE, ACT(COND_WAIT, LP_TIMED)),
	ROW("pthread_cond_clockwait", T(PTHREAD_COND_T), COND, NONE, ACT(COND_WAIT, LP_TIMED)),
	ROW("pthread_cond_signal", T(PTHREAD_COND_T), OBJECT, NONE, DO(COND_SIGNAL)),
	ROW("pthread_cond_broadcast", T(PTHREAD_COND_T), OBJECT, NONE, ACT(COND_SIGNAL, LP_OP_ALL)),
	ROW("pthread_cond_init", T(PTHREAD_COND_T), OBJECT_REST, NONE, DO(INIT)),
	ROW("pthread_cond_destroy", T(PTHREAD_COND_T), OBJECT, NONE, DESTROY),

	BODY("pthread_create", 0, CREATE, THREAD, DO(THREAD_CREATE)),
	BODY("pthread_join", 0, BODY, THREAD, DO(THREAD_JOIN)),
	ROW("pthread_sigmask", 0, MASK, NONE, DO(SIG_BLOCK)),
	ROW("sigprocmask", 0, MASK, NONE, DO(SIG_BLOCK)),
	BODY("sigaction", 0, HANDLER, SIGNAL, DO(SIG_INSTALL)),
	BODY("signal", 0, HANDLER, SIGNAL, DO(SIG_INSTALL)),
	ROW("fork", 0, NOTHING, FORK, DO(FORK)),
};

const uint32_t lp_word_count = lp_array_size(lp_words);

_Static_assert(lp_array_size(lp_words) * 2 < LP_WORD_SLOTS, "the index stays half empty");
_Static_assert(LP_OBJECT_TYPE_COUNT <= 32, "a type is a bit of lp_word.types");

static const char *const shape_usages[] = {
#define X(name, usage) usage,
	LP_SHAPES(X)
#undef X
};

static const struct {
	uint32_t	number;
	const char	*name;
} signals[] = {
#define S(name) { name, #name }
	S(SIGHUP), S(SIGINT), S(SIGQUIT), S(SIGILL), S(SIGTRAP), S(SIGABRT), S(SIGBUS), S(SIGFPE),
	S(SIGKILL), S(SIGUSR1), S(SIGSEGV), S(SIGUSR2), S(SIGPIPE), S(SIGALRM), S(SIGTERM),
	S(SIGSTKFLT), S(SIGCHLD), S(SIGCONT), S(SIGSTOP), S(SIGTSTP), S(SIGTTIN), S(SIGTTOU),
	S(SIGURG), S(SIGXCPU), S(SIGXFSZ), S(SIGVTALRM), S(SIGPROF), S(SIGWINCH), S(SIGIO),
	S(SIGPWR), S(SIGSYS),
#undef S
	{ SIGIO, "SIGPOLL" }, { 34, "SIGRTMIN" }, { 64, "SIGRTMAX" },
};

static uint32_t first_slot(const char *name, size_t size)
{
	return (uint32_t)lp_hash_bytes(0, name, size) % LP_WORD_SLOTS;
}

void lp_word_index_init(struct lp_word_index *index)
{
	memset(index, 0, sizeof(*index));
	for (uint32_t i = 0; i < lp_word_count; i++) {
		uint32_t slot = first_slot(lp_words[i].name, strlen(lp_words[i].name));

		while (index->slots[slot])
			slot = (slot + 1) % LP_WORD_SLOTS;
		index->slots[slot] = (uint16_t)(i + 1);
	}
}

const struct lp_word *lp_word_find(const struct lp_word_index *index, const char *name, size_t size)
{
	uint32_t slot = first_slot(name, size);

	for (; index->slots[slot]; slot = (slot + 1) % LP_WORD_SLOTS) {
		const struct lp_word *word = &lp_words[index->slots[slot] - 1];

		if (strlen(word->name) == size && !memcmp(word->name, name, size))
			return word;
	}
	return NULL;
}

const char *lp_shape_usage(enum lp_shape shape)
{
	return (unsigned)shape < LP_SHAPE_COUNT ? shape_usages[shape] : "(?)";
}

uint32_t lp_signal_number(const char *name, size_t size)
{
	for (size_t i = 0; i < lp_array_size(signals); i++)
		if (strlen(signals[i].name) == size && !memcmp(signals[i].name, name, size))
			return signals[i].number;
	return 0;
}

const char *lp_signal_name(uint32_t number)
{
	for (size_t i = 0; i < lp_array_size(signals); i++)
		if (signals[i].number == number)
			return signals[i].name;
	return NULL;
}

#define NEAR_SIZE	64u	/* of names that are compared at all */

/* How many characters must be changed, added or left out. */
static unsigned distance_of(const char *a, size_t a_size, const char *b, size_t b_size)
{
	unsigned row[NEAR_SIZE + 1];

	for (size_t k = 0; k <= b_size; k++)
		row[k] = (unsigned)k;
	for (size_t i = 1; i <= a_size; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t k = 1; k <= b_size; k++) {
			unsigned least = diagonal + (a[i - 1] != b[k - 1]);

			diagonal = row[k];
			if (row[k] + 1 < least)
				least = row[k] + 1;
			if (row[k - 1] + 1 < least)
				least = row[k - 1] + 1;
			row[k] = least;
		}
	}
	return row[b_size];
}

void lp_nearest_init(struct lp_nearest *nearest, const char *name, size_t size)
{
	*nearest = (struct lp_nearest){ .name = name, .size = size,
					.distance = size < 6 ? 2 : (unsigned)(size / 4 + 2) };
}

void lp_nearest_consider(struct lp_nearest *nearest, const char *candidate)
{
	size_t size = strlen(candidate);
	unsigned distance;

	if (nearest->size > NEAR_SIZE || size > NEAR_SIZE)
		return;
	distance = distance_of(nearest->name, nearest->size, candidate, size);
	if (distance < nearest->distance) {
		nearest->distance = distance;
		nearest->best = candidate;
	}
}

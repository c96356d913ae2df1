/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lockproof.h — what a program can tell Lockproof, and ask of it. C99 and later, C++11 and later.
 *
 * There is no library to link with. Outside `lockproof run` each function here is one test of a
 * pointer that is NULL; with -DLOCKPROOF_DISABLE, or another compiler than gcc and clang, it is
 * nothing at all. A program that was built with this header runs with any later runtime; with an
 * earlier one that lacks something, that part does nothing.
 *
 * Unless a function says otherwise: any thread may call it, signal handlers too; it neither blocks
 * nor allocates, errno stays, nothing is returned and nothing can fail. What is wrong with a call
 * is a finding of the report, or is passed over.
 *
 * A lock of your own, say on a futex, in short:
 *
 *	struct my_lock { int word; struct lockproof_lock proof; };
 *
 *	void my_init(struct my_lock *l)	{ l->word = 0; LOCKPROOF_INIT(&l->proof); }
 *	void my_lock(struct my_lock *l)
 *	{
 *		lockproof_acquire(lockproof_custom(&l->proof), LOCKPROOF_WRITE);
 *		...						now it may block
 *		lockproof_acquired(lockproof_custom(&l->proof));
 *	}
 *	void my_unlock(struct my_lock *l)
 *	{
 *		lockproof_release(lockproof_custom(&l->proof));
 *		...
 *	}
 */
#ifndef LOCKPROOF_H
#define LOCKPROOF_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- words ---- */

/*
 * How a lock is taken: a mode, any of the flags, a subclass. Assertions take a mode only.
 */
enum lockproof_how {
	LOCKPROOF_WRITE		= 0,	/* excludes everybody */
	LOCKPROOF_READ		= 1,	/* with other readers; waits behind writers that wait */
	LOCKPROOF_READ_RECURSIVE = 2,	/* with other readers; passes writers that wait */
	LOCKPROOF_ANY		= 3,	/* of assertions: in whatever mode */
	LOCKPROOF_TRY		= 4,	/* gives up at once: call acquire() when it has succeeded */
	LOCKPROOF_TIMED		= 8,	/* gives up after a while */
	LOCKPROOF_BACK_OFF	= 16	/* gives up when it would deadlock (wound/wait) */
};

/* Locks of one class, 1 to 255, that are taken inside one another: parent 0, child 1. */
#define LOCKPROOF_SUBCLASS(n)	((unsigned)(n) << 8)

/* What a lock is, in reports, and which rules it obeys. */
enum lockproof_kind {
	LOCKPROOF_KIND_DEFAULT,		/* of a pthread lock: its own; else a custom lock */
	LOCKPROOF_KIND_MUTEX,
	LOCKPROOF_KIND_RECURSIVE,	/* its holder may take it again; counted */
	LOCKPROOF_KIND_RWLOCK,
	LOCKPROOF_KIND_SPINLOCK,
	LOCKPROOF_KIND_SEMAPHORE,	/* released by who took it; others: see lockproof_sync() */
	LOCKPROOF_KIND_MAP,		/* no lock: a work item or callback that runs "holds" it */
	LOCKPROOF_KIND_RCU,		/* a read side: take it READ_RECURSIVE */
	/* the kernel's */
	LOCKPROOF_KIND_K_SPINLOCK,
	LOCKPROOF_KIND_K_RAW_SPINLOCK,
	LOCKPROOF_KIND_K_RWLOCK,
	LOCKPROOF_KIND_K_SEQLOCK,
	LOCKPROOF_KIND_K_LOCAL_LOCK,
	LOCKPROOF_KIND_K_MUTEX,
	LOCKPROOF_KIND_K_RT_MUTEX,
	LOCKPROOF_KIND_K_RWSEM,
	LOCKPROOF_KIND_K_SEMAPHORE,
	LOCKPROOF_KIND_K_COMPLETION,
	LOCKPROOF_KIND_K_WW_MUTEX,
	LOCKPROOF_KIND_K_SRCU,
	LOCKPROOF_KIND_COUNT
};

/*
 * Wait types, of classes and contexts: the later the more is allowed. A class needs `wait_outer`
 * to be taken, which must be no more than what each held lock (its `wait_inner`) and the context
 * leave. 0 in both: those of the kind, which only the kernel's kinds have.
 */
enum lockproof_wait {
	LOCKPROOF_WAIT_UNCHECKED,
	LOCKPROOF_WAIT_FREE,		/* RCU read sides */
	LOCKPROOF_WAIT_SPIN,		/* raw spinlocks, hard interrupts */
	LOCKPROOF_WAIT_CONFIG,		/* spinlocks that sleep under PREEMPT_RT */
	LOCKPROOF_WAIT_SLEEP		/* mutexes */
};

enum lockproof_class_flags {
	LOCKPROOF_NOVALIDATE	= 1,	/* its order means nothing; balance is still checked */
	LOCKPROOF_ORDERED	= 2,	/* its locks nest by their ranks, lower ones first */
	LOCKPROOF_SHOWN		= 4,	/* is held and shown, but orders nothing */
	LOCKPROOF_WAIT_OVERRIDE	= 8,	/* while held, wait_inner counts and nothing around it */
	LOCKPROOF_BY_ADDRESS	= 16	/* its locks nest by their addresses, likewise */
};

/*
 * A class: the locks that play one role. One object for each, in static storage, for as long as
 * its locks live; not copied. Two objects are two classes, whatever their names, unless their keys
 * are equal and not 0.
 */
struct lockproof_class {
	const char		*name;		/* as reports print it; not NULL */
	unsigned char		kind;		/* enum lockproof_kind */
	unsigned char		flags;		/* enum lockproof_class_flags */
	unsigned char		wait_outer, wait_inner;	/* enum lockproof_wait */
	unsigned		reserved;	/* 0 */
	unsigned long long	key;		/* 0: told from others by its name and place */
	unsigned long long	runtime;	/* 0; not yours */
};

#define LOCKPROOF_CLASS_INIT(name, kind, flags, outer, inner) \
	{ name, (unsigned char)(kind), (unsigned char)(flags), (unsigned char)(outer), \
	  (unsigned char)(inner), 0, 0, 0 }

/* static LOCKPROOF_CLASS(inode_class, "inode->lock"); */
#define LOCKPROOF_CLASS(variable, name) \
	struct lockproof_class variable = \
		LOCKPROOF_CLASS_INIT(name, LOCKPROOF_KIND_DEFAULT, 0, 0, 0)

/*
 * What a lock of your own carries. Zeroed memory is a lock without a class: its class is then
 * where it lies, or where it is first taken. Copies are other locks.
 */
struct lockproof_lock {
	unsigned long long	runtime[2];	/* 0; not yours */
	struct lockproof_class	*lock_class;
	unsigned		rank;		/* in an ORDERED class */
	unsigned		reserved;	/* 0 */
};

#define LOCKPROOF_LOCK_INIT(class_pointer)		{ { 0, 0 }, class_pointer, 0, 0 }
#define LOCKPROOF_LOCK_INIT_RANK(class_pointer, rank)	{ { 0, 0 }, class_pointer, rank, 0 }

/* Which lock: made by one of the functions below, used at once. */
enum lockproof_type {
	LOCKPROOF_TYPE_NONE,
	LOCKPROOF_TYPE_CUSTOM,
	LOCKPROOF_TYPE_MUTEX,
	LOCKPROOF_TYPE_RWLOCK,
	LOCKPROOF_TYPE_SPINLOCK,
	LOCKPROOF_TYPE_ADDRESS
};

struct lockproof_ref {
	void		*lock;
	unsigned	type;			/* enum lockproof_type */
};

/*
 * Something that runs on top of other code, as a signal handler does: the callbacks of an event
 * loop that is entered again, a coroutine that is resumed, a firmware's interrupt. One object for
 * each, in static storage. A process can have 64; further ones are not known.
 */
enum lockproof_context_kind {
	LOCKPROOF_CONTEXT_USER,
	LOCKPROOF_CONTEXT_HARDIRQ,
	LOCKPROOF_CONTEXT_SOFTIRQ,
	LOCKPROOF_CONTEXT_NMI
};

struct lockproof_context {
	const char		*name;		/* "LOOP": reports say IN-LOOP-W, LOOP-ON-W */
	unsigned char		kind;		/* enum lockproof_context_kind */
	unsigned char		wait;		/* enum lockproof_wait that it leaves */
	unsigned char		everywhere;	/* 1: strikes threads that have not disabled it;
						   0: only those that have enabled it */
	unsigned char		reserved;	/* 0 */
	unsigned long long	runtime;	/* 0; not yours */
};

#define LOCKPROOF_CONTEXT_INIT(name, kind, wait, everywhere) \
	{ name, (unsigned char)(kind), (unsigned char)(wait), (unsigned char)(everywhere), 0, 0 }

/* One execution of a context: on the stack of its thread, or where it stays while that runs. */
struct lockproof_frame {
	unsigned long long	runtime[12];	/* not yours; need not be initialised */
};

/* For lockproof_misuse(): what a library for locks has found out by itself. */
enum lockproof_event {
	LOCKPROOF_EVENT_UNLOCK_NOT_HELD,
	LOCKPROOF_EVENT_DESTROY_HELD,
	LOCKPROOF_EVENT_INIT_HELD,
	LOCKPROOF_EVENT_EXIT_HELD,
	LOCKPROOF_EVENT_RELOCK,
	LOCKPROOF_EVENT_FREE_HELD,
	LOCKPROOF_EVENT_WORK_HELD,
	LOCKPROOF_EVENT_NOT_INITIALISED,
	LOCKPROOF_EVENT_DESTROYED,
	LOCKPROOF_EVENT_PINNED,
	LOCKPROOF_EVENT_NOT_PINNED,
	LOCKPROOF_EVENT_ASSERT_HELD,
	LOCKPROOF_EVENT_ASSERT_NOT_HELD,
	LOCKPROOF_EVENT_NEST_NOT_HELD,
	LOCKPROOF_EVENT_RCU_DEREFERENCE,
	LOCKPROOF_EVENT_RCU_PROTECTED,
	LOCKPROOF_EVENT_RCU_SYNC,
	LOCKPROOF_EVENT_RCU_SLEEP,
	LOCKPROOF_EVENT_WAIT_CONTEXT,
	LOCKPROOF_EVENT_WW_MISUSE,
	LOCKPROOF_EVENT_COUNT
};

/* ---- the runtime; not for direct use ---- */

#define LOCKPROOF_API_VERSION	1u

/*
 * What a version has, every later one has too, in the same place. `ip`: the code address that is
 * to stand for a call, NULL: the return address of the call itself.
 */
struct lockproof_api {
	int (*running)(void);
	void (*init)(struct lockproof_ref lock, struct lockproof_class *lock_class, unsigned rank);
	void (*destroy)(struct lockproof_ref lock);
	void (*freed)(const void *start, size_t bytes);
	void (*acquire)(struct lockproof_ref lock, unsigned how, struct lockproof_ref nest,
			const void *ip);
	void (*acquired)(struct lockproof_ref lock);
	void (*acquire_failed)(struct lockproof_ref lock);
	void (*release)(struct lockproof_ref lock, const void *ip);
	void (*change)(struct lockproof_ref lock, unsigned how, const void *ip);
	void (*next)(struct lockproof_ref lock, unsigned how, struct lockproof_ref nest);
	void (*sync)(struct lockproof_ref lock, unsigned how, const void *ip);
	void (*might_lock)(struct lockproof_ref lock, unsigned how, const void *ip);
	int (*holds)(struct lockproof_ref lock, unsigned mode);
	void (*assert_held)(struct lockproof_ref lock, unsigned mode);
	void (*assert_not_held)(struct lockproof_ref lock);
	void (*assert_none_held)(void);
	void (*pin)(struct lockproof_ref lock);
	void (*unpin)(struct lockproof_ref lock);
	void (*expect_order)(struct lockproof_class *first, unsigned first_subclass,
			     struct lockproof_class *second, unsigned second_subclass);
	void (*misuse)(unsigned event, struct lockproof_ref lock);
	void (*context_enter)(struct lockproof_context *context, struct lockproof_frame *frame);
	void (*context_leave)(struct lockproof_frame *frame);
	void (*context_set)(struct lockproof_context *context, int on);
};

typedef const struct lockproof_api *lockproof_api_fn(unsigned version);

#if defined(__GNUC__) && !defined(LOCKPROOF_DISABLE)
/*
 * Provided by the library that `lockproof run` loads. NULL: the process is not recorded, or the
 * runtime does not have this version.
 */
extern const struct lockproof_api *lockproof_runtime_api(unsigned version) __attribute__((weak));

/* Not calls of their own, even without optimisation: reports name who uses them. */
#define LOCKPROOF_INLINE	static inline __attribute__((always_inline, unused))

/*
 * The function above, NULL when nobody provides it. Code that is not position independent would
 * name it in an instruction, and the linker decide that it is nowhere: so it is read from a table
 * that is filled in when the program starts.
 */
LOCKPROOF_INLINE lockproof_api_fn *lockproof_find_api_(void)
{
	lockproof_api_fn *found;

#if defined(__x86_64__) && defined(__LP64__)
	__asm__(".weak lockproof_runtime_api\n\t"
		"movq lockproof_runtime_api@GOTPCREL(%%rip), %0" : "=r" (found));
#else
	found = lockproof_runtime_api;
#endif
	return found;
}

LOCKPROOF_INLINE const struct lockproof_api *lockproof_api_(unsigned version)
{
	lockproof_api_fn *find = lockproof_find_api_();

	return __builtin_expect(find != (lockproof_api_fn *)0, 0) ? find(version) :
	       (const struct lockproof_api *)0;
}

#define LOCKPROOF_CALL_(version, call) do { \
	const struct lockproof_api *api_ = lockproof_api_(version); \
	if (api_) \
		api_->call; \
} while (0)
#define LOCKPROOF_ASK_(version, result, call) do { \
	const struct lockproof_api *api_ = lockproof_api_(version); \
	if (api_) \
		result = api_->call; \
} while (0)
/* The caller's place in the code, for functions that are called to take locks of one class. */
#define LOCKPROOF_CALLER	__builtin_return_address(0)
#elif defined(__GNUC__)
#define LOCKPROOF_INLINE	static inline __attribute__((unused))
#define LOCKPROOF_CALL_(version, call) do { } while (0)
#define LOCKPROOF_ASK_(version, result, call) do { } while (0)
#define LOCKPROOF_CALLER	((void *)0)
#else
#define LOCKPROOF_DISABLE
#define LOCKPROOF_INLINE	static inline
#define LOCKPROOF_CALL_(version, call) do { } while (0)
#define LOCKPROOF_ASK_(version, result, call) do { } while (0)
#define LOCKPROOF_CALLER	((void *)0)
#endif

/* Is this process being validated? 1: yes; 0: no, or recording has stopped. */
LOCKPROOF_INLINE int lockproof_running(void)
{
	int running = 0;

	LOCKPROOF_ASK_(1, running, running());
	return running;
}

/* ---- which lock ---- */

LOCKPROOF_INLINE struct lockproof_ref lockproof_ref_(const volatile void *lock, unsigned type)
{
	struct lockproof_ref ref;

	ref.lock = (void *)(size_t)lock;
	ref.type = type;
	return ref;
}

/* A lock of your own that has room for Lockproof's words. */
LOCKPROOF_INLINE struct lockproof_ref lockproof_custom(struct lockproof_lock *lock)
{
	return lockproof_ref_(lock, LOCKPROOF_TYPE_CUSTOM);
}

/* A lock of your own that has none: known by its address, which costs a look-up. Not NULL. */
LOCKPROOF_INLINE struct lockproof_ref lockproof_address(const volatile void *lock)
{
	return lockproof_ref_(lock, LOCKPROOF_TYPE_ADDRESS);
}

/*
 * What libc locks, and Lockproof follows by itself: a pthread_mutex_t or mtx_t (std::mutex: its
 * native_handle()), a pthread_rwlock_t, a pthread_spinlock_t. For names, assertions, pins, what
 * comes next; taking and releasing them is not told, and passed over if it is.
 */
LOCKPROOF_INLINE struct lockproof_ref lockproof_mutex(const volatile void *mutex)
{
	return lockproof_ref_(mutex, LOCKPROOF_TYPE_MUTEX);
}

LOCKPROOF_INLINE struct lockproof_ref lockproof_rwlock(const volatile void *rwlock)
{
	return lockproof_ref_(rwlock, LOCKPROOF_TYPE_RWLOCK);
}

LOCKPROOF_INLINE struct lockproof_ref lockproof_spinlock(const volatile void *spinlock)
{
	return lockproof_ref_(spinlock, LOCKPROOF_TYPE_SPINLOCK);
}

LOCKPROOF_INLINE struct lockproof_ref lockproof_none(void)
{
	return lockproof_ref_((void *)0, LOCKPROOF_TYPE_NONE);
}

/* ---- the life of a lock ---- */

/*
 * A new lock, free, of this class: after it was initialised, before anybody takes it. A libc lock
 * gets the class, and so its name, instead of one that Lockproof made up: not while it is held.
 * Held by the calling thread: a finding. `rank`: its place in an ORDERED class, lower ones are
 * taken first.
 */
LOCKPROOF_INLINE void lockproof_init_rank(struct lockproof_ref lock,
					  struct lockproof_class *lock_class, unsigned rank)
{
	(void)lock, (void)lock_class, (void)rank;
	LOCKPROOF_CALL_(1, init(lock, lock_class, rank));
}

LOCKPROOF_INLINE void lockproof_init(struct lockproof_ref lock, struct lockproof_class *lock_class)
{
	lockproof_init_rank(lock, lock_class, 0);
}

/* The same, with a class for each place in the code that says so, and a name for it. */
#define LOCKPROOF_NAME(ref, name) do { \
	static LOCKPROOF_CLASS(lockproof_class_, name); \
	lockproof_init(ref, &lockproof_class_); \
} while (0)

/* Of a struct lockproof_lock *: named as it is written there. */
#define LOCKPROOF_INIT(lock)	LOCKPROOF_NAME(lockproof_custom(lock), #lock)

/*
 * The lock is gone: held by the calling thread, a finding. Taken or released again without a new
 * init, a custom lock is one, too. Libc's own destroy functions need no help.
 */
LOCKPROOF_INLINE void lockproof_destroy(struct lockproof_ref lock)
{
	(void)lock;
	LOCKPROOF_CALL_(1, destroy(lock));
}

/* This memory is about to be freed, with any locks in it. The calling thread must hold none. */
LOCKPROOF_INLINE void lockproof_freed(const void *start, size_t bytes)
{
	(void)start, (void)bytes;
	LOCKPROOF_CALL_(1, freed(start, bytes));
}

/* ---- taking and releasing ---- */

/*
 * The lock is about to be taken, by a call that may block: facts first, so that a deadlock finds
 * them written. With LOCKPROOF_TRY: it has been taken, by a call that did not block.
 *
 * `nest`: a lock that is said to be held around it and to make any order among the inner ones
 * safe; not held: a finding. `ip`: the code address that acquisition is known by; LOCKPROOF_CALLER
 * in a function that takes locks for others.
 */
LOCKPROOF_INLINE void lockproof_acquire_at(struct lockproof_ref lock, unsigned how,
					   struct lockproof_ref nest, const void *ip)
{
	(void)lock, (void)how, (void)nest, (void)ip;
	LOCKPROOF_CALL_(1, acquire(lock, how, nest, ip));
}

LOCKPROOF_INLINE void lockproof_acquire(struct lockproof_ref lock, unsigned how)
{
	lockproof_acquire_at(lock, how, lockproof_none(), (void *)0);
}

LOCKPROOF_INLINE void lockproof_acquire_nest(struct lockproof_ref lock, unsigned how,
					     struct lockproof_ref nest)
{
	lockproof_acquire_at(lock, how, nest, (void *)0);
}

/* The call has the lock: the thread does not wait any more. */
LOCKPROOF_INLINE void lockproof_acquired(struct lockproof_ref lock)
{
	(void)lock;
	LOCKPROOF_CALL_(1, acquired(lock));
}

/* The call returned without it: it timed out, was interrupted, backed off. */
LOCKPROOF_INLINE void lockproof_acquire_failed(struct lockproof_ref lock)
{
	(void)lock;
	LOCKPROOF_CALL_(1, acquire_failed(lock));
}

/*
 * The lock is about to be released, by the thread that took it: the innermost acquisition of it in
 * the context that runs. Not held: a finding.
 */
LOCKPROOF_INLINE void lockproof_release_at(struct lockproof_ref lock, const void *ip)
{
	(void)lock, (void)ip;
	LOCKPROOF_CALL_(1, release(lock, ip));
}

LOCKPROOF_INLINE void lockproof_release(struct lockproof_ref lock)
{
	lockproof_release_at(lock, (void *)0);
}

/*
 * The lock stays held, in another mode (a downgrade) or as of another subclass, without waiting.
 * Not held: a finding.
 */
LOCKPROOF_INLINE void lockproof_change(struct lockproof_ref lock, unsigned how)
{
	(void)lock, (void)how;
	LOCKPROOF_CALL_(1, change(lock, how, (void *)0));
}

/*
 * This thread's next acquisition of this lock is one of that subclass (of `how`, the rest of which
 * is passed over), or nested in that other lock: for libc's locks, whose functions take no such
 * argument. The subclass counts when the lock was given a class by lockproof_init().
 */
LOCKPROOF_INLINE void lockproof_next(struct lockproof_ref lock, unsigned how,
				     struct lockproof_ref nest)
{
	(void)lock, (void)how, (void)nest;
	LOCKPROOF_CALL_(1, next(lock, how, nest));
}

/*
 * The thread is about to wait until it could take the lock, and does not take it: the flush of a
 * work item, whose run holds a lock map.
 */
LOCKPROOF_INLINE void lockproof_sync(struct lockproof_ref lock, unsigned how)
{
	(void)lock, (void)how;
	LOCKPROOF_CALL_(1, sync(lock, how, (void *)0));
}

/* The code that follows can take the lock, though it may not this time. Gives `possible` only. */
LOCKPROOF_INLINE void lockproof_might_lock(struct lockproof_ref lock, unsigned how)
{
	(void)lock, (void)how;
	LOCKPROOF_CALL_(1, might_lock(lock, how, (void *)0));
}

/* ---- what must be so ---- */

/*
 * Does the calling thread hold the lock in the context that runs? 1: in this mode (READ: in either
 * read mode); 0: no; -1: nobody knows, because the process is not validated.
 */
LOCKPROOF_INLINE int lockproof_holds(struct lockproof_ref lock, unsigned mode)
{
	int holds = -1;

	(void)lock, (void)mode;
	LOCKPROOF_ASK_(1, holds, holds(lock, mode));
	return holds;
}

/* A finding when it is not so. The program goes on. */
LOCKPROOF_INLINE void lockproof_assert_held(struct lockproof_ref lock, unsigned mode)
{
	(void)lock, (void)mode;
	LOCKPROOF_CALL_(1, assert_held(lock, mode));
}

LOCKPROOF_INLINE void lockproof_assert_not_held(struct lockproof_ref lock)
{
	(void)lock;
	LOCKPROOF_CALL_(1, assert_not_held(lock));
}

LOCKPROOF_INLINE void lockproof_assert_none_held(void)
{
	LOCKPROOF_CALL_(1, assert_none_held());
}

/*
 * Whoever releases the lock before it is unpinned is reported. Pins nest; a thread can pin eight
 * locks at a time, and more are not seen. Not held, or not pinned: a finding.
 */
LOCKPROOF_INLINE void lockproof_pin(struct lockproof_ref lock)
{
	(void)lock;
	LOCKPROOF_CALL_(1, pin(lock));
}

LOCKPROOF_INLINE void lockproof_unpin(struct lockproof_ref lock)
{
	(void)lock;
	LOCKPROOF_CALL_(1, unpin(lock));
}

/*
 * Locks of the second class may be taken inside those of the first: the first time that somebody
 * does it the other way round is a finding, though nobody has been seen to do it right. It is a
 * `possible` one until the right order is seen, too. Subclasses: 0 to 255, not shifted. A class
 * whose kind is the default is that of a custom lock until a lock of another kind was given it:
 * say the kind, or lockproof_init() first.
 */
LOCKPROOF_INLINE void lockproof_expect_order_of(struct lockproof_class *first,
						unsigned first_subclass,
						struct lockproof_class *second,
						unsigned second_subclass)
{
	(void)first, (void)first_subclass, (void)second, (void)second_subclass;
	LOCKPROOF_CALL_(1, expect_order(first, first_subclass, second, second_subclass));
}

LOCKPROOF_INLINE void lockproof_expect_order(struct lockproof_class *first,
					     struct lockproof_class *second)
{
	lockproof_expect_order_of(first, 0, second, 0);
}

/* Something else is wrong here, with this lock or (lockproof_none()) with none. */
LOCKPROOF_INLINE void lockproof_misuse(enum lockproof_event event, struct lockproof_ref lock)
{
	(void)event, (void)lock;
	LOCKPROOF_CALL_(1, misuse(event, lock));
}

/* ---- contexts ---- */

/*
 * The thread runs in the context from here on, on top of whatever it did: what it holds stays held
 * below and cannot be released here. The context does not strike itself unless it is enabled again
 * inside. Contexts nest; each enter has its leave in the same thread.
 */
LOCKPROOF_INLINE void lockproof_context_enter(struct lockproof_context *context,
					      struct lockproof_frame *frame)
{
	(void)context, (void)frame;
	LOCKPROOF_CALL_(1, context_enter(context, frame));
}

/*
 * It ends, with all that was entered inside it; what is enabled is again as it was before it. What
 * was taken inside and not released is a finding, and held no more. Inside a signal handler that
 * interrupted it: passed over.
 */
LOCKPROOF_INLINE void lockproof_context_leave(struct lockproof_frame *frame)
{
	(void)frame;
	LOCKPROOF_CALL_(1, context_leave(frame));
}

/* From here on the context can strike this thread; or it cannot. Does not nest. */
LOCKPROOF_INLINE void lockproof_context_enable(struct lockproof_context *context)
{
	(void)context;
	LOCKPROOF_CALL_(1, context_set(context, 1));
}

LOCKPROOF_INLINE void lockproof_context_disable(struct lockproof_context *context)
{
	(void)context;
	LOCKPROOF_CALL_(1, context_set(context, 0));
}

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenario.h — a scenario, read and resolved: objects, bodies, and the operations of each body.
 *
 * The parser makes it from a .litmus file; the player turns it into facts, the explorer runs all
 * its schedules. It is data: nothing changes it once it is made. Index 0 of `classes`, `objects`,
 * `bodies`, `contexts` and `sites` is a dummy, so that 0 can say "none". All strings and arrays
 * belong to the scenario. Any thread may read it.
 */
#ifndef LP_SCENARIO_H
#define LP_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "facts/layout.h"

/* Limits of one scenario; the parser refuses what goes beyond, with a message that says so. */
#define LP_SCENARIO_BODIES_MAX		20000u
#define LP_SCENARIO_OBJECTS_MAX		100000u
#define LP_SCENARIO_OPS_MAX		1000000u
#define LP_SCENARIO_NESTING_MAX		200u	/* blocks inside blocks */
#define LP_SCENARIO_FLAGS_MAX		8u	/* saved irq flags of one body */
#define LP_SCENARIO_NAME_MAX		255u	/* bytes of a name */
#define LP_SCENARIO_COUNT_MAX		1000000u /* of a semaphore */
#define LP_SCENARIO_SIZE_MAX		(1u << 30) /* bytes of a file */

/* What a declaration says an object is: X(name, keyword, enum lp_lock_kind suffix) */
#define LP_SCENARIO_TYPES(X) \
	X(SPINLOCK_T,		"spinlock_t",		K_SPINLOCK) \
	X(RAW_SPINLOCK_T,	"raw_spinlock_t",	K_RAW_SPINLOCK) \
	X(RWLOCK_T,		"rwlock_t",		K_RWLOCK) \
	X(SEQLOCK_T,		"seqlock_t",		K_SEQLOCK) \
	X(MUTEX,		"mutex",		K_MUTEX) \
	X(RT_MUTEX,		"rt_mutex",		K_RT_MUTEX) \
	X(RW_SEMAPHORE,		"rw_semaphore",		K_RWSEM) \
	X(SEMAPHORE,		"semaphore",		K_SEMAPHORE) \
	X(COMPLETION,		"completion",		K_COMPLETION) \
	X(SRCU_STRUCT,		"srcu_struct",		K_SRCU) \
	X(WW_MUTEX,		"ww_mutex",		K_WW_MUTEX) \
	X(WW_ACQUIRE_CTX,	"ww_acquire_ctx",	MAP) \
	X(LOCAL_LOCK_T,		"local_lock_t",		K_LOCAL_LOCK) \
	X(PTHREAD_MUTEX_T,	"pthread_mutex_t",	MUTEX) \
	X(PTHREAD_RWLOCK_T,	"pthread_rwlock_t",	RWLOCK) \
	X(PTHREAD_SPINLOCK_T,	"pthread_spinlock_t",	SPINLOCK) \
	X(SEM_T,		"sem_t",		SEMAPHORE) \
	X(PTHREAD_COND_T,	"pthread_cond_t",	COND) \
	X(LOCKDEP_MAP,		"lockdep_map",		MAP) \
	X(WORKQUEUE_STRUCT,	"workqueue_struct",	MAP)

enum lp_object_type {
	LP_OBJECT_NONE,
#define X(name, keyword, kind) LP_OBJECT_##name,
	LP_SCENARIO_TYPES(X)
#undef X
	LP_OBJECT_RCU_MAP,	/* built in, cannot be declared: rcu_read_lock, ..., rcu_callback */
	LP_OBJECT_TYPE_COUNT
};

enum lp_object_flags {
	LP_OBJECT_RECURSIVE	= 1,	/* pthread_mutex_t m(recursive) */
	LP_OBJECT_ERRORCHECK	= 2,	/* pthread_mutex_t m(errorcheck) */
	LP_OBJECT_PREFER_WRITER	= 4,	/* pthread_rwlock_t l(prefer_writer): else readers pass */
	LP_OBJECT_NOVALIDATE	= 8,	/* x(novalidate): only balance is checked */
	LP_OBJECT_ORDERED	= 16,	/* x(ordered): instances of its class may nest in the order
					   in which they are declared */
	LP_OBJECT_UNINITIALISED	= 32,	/* x(uninitialised): until its init statement */
	LP_OBJECT_STATIC	= 64,	/* not in a class with others, no ": class" given */
	LP_OBJECT_WAIT_SPIN	= 128,	/* m(wait_spin) ...: while this map is held, locks of that */
	LP_OBJECT_WAIT_CONFIG	= 256,	/* wait type may be taken, whatever is held around it */
	LP_OBJECT_WAIT_SLEEP	= 512,
};

struct lp_object {
	enum lp_object_type type;
	char		*name;		/* as the statements call it: "lock" */
	uint32_t	class_index;	/* classes[] */
	uint32_t	flags;		/* enum lp_object_flags */
	uint32_t	count;		/* initial count of a semaphore or sem_t (default 1), of a
					   completion 0 */
	uint32_t	rank;		/* place in its class, from 1 */
	uint32_t	site;		/* sites[] of the declaration */
};

/* The objects that play one role. Without ": class" an object is alone in its class. */
struct lp_object_class {
	enum lp_object_type type;
	char		*name;		/* as reports print it: "&file_data->lock" */
	uint32_t	object;		/* the first of it */
	uint32_t	flags;		/* those of its objects, all equal but UNINITIALISED */
	uint32_t	pair;		/* classes[]: WW_MUTEX, WW_ACQUIRE_CTX: the one of the other
					   type that has its name in ": class"; 0 */
};

/* Where an operation stands. */
struct lp_site {
	char		*function;	/* of "// name file:line", else the body's name */
	char		*file;		/* likewise, else the scenario's own file name */
	uint32_t	line;
	uint32_t	own_line, own_column;	/* in the scenario file */
	char		*text;		/* the statement, blanks folded: "spin_lock(&lock);" */
	uint32_t	number;		/* not 0; the place in ids: of body, text, and how many
					   of that text come before it there, not of the line */
};

/* X(name, keyword of the body) */
#define LP_BODY_KINDS(X) \
	X(TASK,		"P")		/* P0(), P1(), ...: a task, on a CPU of its own */ \
	X(HARDIRQ,	"hardirq")	/* strikes where hardirqs are enabled; one line: never on
					   two CPUs at once */ \
	X(HARDIRQ_NOTHREAD, "hardirq_nothread")	/* likewise, of a handler that no configuration
					   moves to a thread (IRQF_NO_THREAD) */ \
	X(SOFTIRQ,	"softirq")	/* strikes where softirqs are; several CPUs at once */ \
	X(TIMER,	"timer")	/* a timer's callback: in softirq, on one CPU at once */ \
	X(RCU,		"rcu")		/* an RCU callback: in softirq, under rcu_callback */ \
	X(SIGNAL,	"signal")	/* signal SIGx n(): strikes threads not blocking it */ \
	X(NMI,		"nmi")		/* strikes anywhere */ \
	X(WORK,		"work")		/* a work item, in a kworker; not twice at once */ \
	X(THREAD,	"thread")	/* runs when pthread_create(n) starts it */

enum lp_body_kind {
	LP_BODY_NONE,
#define X(name, keyword) LP_BODY_##name,
	LP_BODY_KINDS(X)
#undef X
	LP_BODY_KIND_COUNT
};

/*
 * A timer, RCU callback or work item that no body arms, queues or calls may run at any time, any
 * number of times; one that some body does runs only after that, once for each time.
 */
struct lp_body {
	enum lp_body_kind kind;
	char		*name;		/* "P0", "rcu_core" */
	uint32_t	signal;		/* SIGNAL: its number, else 0 */
	uint32_t	context;	/* contexts[] it runs in; 0: task context */
	bool		triggered;	/* some body arms, queues, calls, creates or installs it */
	uint32_t	map;		/* objects[]: what is held while it runs: a work item's, a
					   timer's, an RCU callback's map; a thread's life; 0 */
	uint32_t	queue;		/* WORK: objects[] of its workqueue_struct; 0: events */
	uint32_t	first, count;	/* its operations: ops[first] .. ops[first + count - 1] */
	uint32_t	site;
};

/* What can strike: at most one of each but SIGNAL, which has one per signal number. */
struct lp_scenario_context {
	enum lp_body_kind kind;		/* HARDIRQ (also NOTHREAD), SOFTIRQ (also TIMER, RCU),
					   SIGNAL, NMI */
	uint32_t	signal;
	char		*name;		/* "HARDIRQ", "SOFTIRQ", "NMI", "SIGALRM" */
};

/*
 * Operations. Each statement is one or several of them, in the order in which they take effect;
 * spin_lock_bh(&l) is BH_DISABLE, ACQUIRE; spin_unlock_irqrestore(&l, f) RELEASE, IRQ_RESTORE.
 * X(name, what it does; `object` and `other` as said)
 */
#define LP_OPS(X) \
	X(END)			/* of the body; the last operation */ \
	X(JUMP)			/* go on at `target` */ \
	X(BRANCH)		/* if (*): go on behind it, or at `target` */ \
	X(ACQUIRE)		/* object: take it, in `mode` with `flags` and `subclass`; other:
				   the lock that nests it (nest_lock), 0. With LP_TRY or LP_TIMED
				   `target` is where it goes on when it gives up, with LP_BACK_OFF
				   when it is refused under `other`, a ww_acquire_ctx */ \
	X(RELEASE)		/* object, held in `mode`; READ is said for both ways of reading.
				   LP_OP_ANY_MODE: in whatever mode it is held */ \
	X(DOWNGRADE)		/* object: from write to read */ \
	X(SYNC)			/* object: wait until nobody holds it; hold nothing afterwards */ \
	X(INIT)			/* object: (again) */ \
	X(FREE)			/* object: its memory is freed (LP_OP_DESTROY: it is destroyed) */ \
	X(SET_SUBCLASS)		/* object: held now; its class is another one from now on */ \
	X(PIN)			/* object: must not be released before UNPIN */ \
	X(UNPIN) \
	X(ASSERT_HELD)		/* object, in `mode` if flags say so (LP_OP_ANY_MODE: any) */ \
	X(ASSERT_NOT_HELD)	/* object */ \
	X(WW_DONE)		/* object: a ww_acquire_ctx that takes no more; no other effect */ \
	X(MIGHT_LOCK)		/* object: as ACQUIRE and RELEASE to the validator; no effect */ \
	X(MIGHT_SLEEP)		/* must be allowed to sleep here; no effect */ \
	X(IRQ_DISABLE) \
	X(IRQ_ENABLE) \
	X(IRQ_SAVE)		/* slot `subclass`: save, then disable */ \
	X(IRQ_RESTORE)		/* slot `subclass` */ \
	X(BH_DISABLE)		/* counted */ \
	X(BH_ENABLE) \
	X(SIG_BLOCK)		/* `signals`: bit n - 1 for signal n */ \
	X(SIG_UNBLOCK) \
	X(SIG_SETMASK) \
	X(SIG_INSTALL)		/* `signals`: the one; other: bodies[] that handles it from now on;
				   0: default, or ignored */ \
	X(RCU_LOCK)		/* object: the built-in rcu_read_lock, _bh, _sched map, or srcu */ \
	X(RCU_UNLOCK) \
	X(RCU_SYNC)		/* object: wait for a grace period (synchronize_rcu, _srcu) */ \
	X(RCU_CALL)		/* other: bodies[] that runs after a grace period (call_rcu);
				   object: whose, as of RCU_SYNC */ \
	X(RCU_BARRIER)		/* object: wait for all its callbacks called so far */ \
	X(RCU_DEREFERENCE)	/* object: a lock that would do as well, 0: none; needs a reader
				   (LP_OP_PROTECTED: the lock alone counts) */ \
	X(WORK_QUEUE)		/* other: bodies[] */ \
	X(WORK_FLUSH)		/* other: bodies[]: wait until it is neither queued nor running */ \
	X(WORK_CANCEL)		/* other: likewise, and take it off the queue first */ \
	X(QUEUE_FLUSH)		/* object: workqueue_struct, 0: events: flush all its items */ \
	X(TIMER_ARM)		/* other: bodies[] */ \
	X(TIMER_DELETE)		/* other: bodies[]: disarm; LP_OP_UNTIL_DONE: and wait
				   while it runs */ \
	X(WAIT)			/* object: a completion: take one count, wait while there is none
				   (LP_TRY, LP_TIMED) */ \
	X(COMPLETE)		/* object: one more; LP_OP_ALL: enough for ever */ \
	X(DOWN)			/* object: semaphore, sem_t: take one count (LP_TRY, LP_TIMED) */ \
	X(UP)			/* object: give one count back */ \
	X(COND_WAIT)		/* object: condition; other: mutex, released while it waits, taken
				   again before it returns. What `while (!c) pthread_cond_wait()`
				   does: it needs one signal, which may have come before.
				   LP_TIMED: or none */ \
	X(COND_SIGNAL)		/* object: wakes one waiter, or the next one to come
				   (LP_OP_ALL: all, for ever) */ \
	X(THREAD_CREATE)	/* other: bodies[] */ \
	X(THREAD_JOIN)		/* other: bodies[] */ \
	X(FORK)			/* goes on as the parent behind it and as the child at `target`;
				   a child has nothing but a copy of the forking thread */ \
	X(UNREGISTER)		/* object: its class disappears (module unload) */

enum lp_op_kind {
#define X(name) LP_OP_##name,
	LP_OPS(X)
#undef X
	LP_OP_COUNT
};

/* Bits of lp_op.flags beside LP_TRY, LP_TIMED and LP_BACK_OFF. */
enum {
	LP_OP_ANY_MODE	= 256,
	LP_OP_PROTECTED	= 512,
	LP_OP_ALL	= 1024,
	LP_OP_UNTIL_DONE = 2048,
	LP_OP_SLOW	= 4096,		/* after a refusal: the object that was refused */
	LP_OP_DESTROY	= 8192,		/* FREE: by its own function, not with its memory */
};

struct lp_op {
	uint8_t		kind;		/* enum lp_op_kind */
	uint8_t		mode;		/* enum lp_mode */
	uint8_t		subclass;	/* or slot of IRQ_SAVE, IRQ_RESTORE */
	uint8_t		more;		/* 1: the same statement goes on with the next one */
	uint16_t	flags;
	uint32_t	object;		/* objects[] */
	uint32_t	other;		/* objects[] or bodies[], by kind */
	uint32_t	target;		/* ops[], only forwards */
	uint32_t	site;		/* sites[] */
	uint64_t	signals;
};

struct lp_expectation {
	bool		none;		/* expect none */
	bool		possible;	/* expect possible KIND */
	enum lp_finding_kind kind;
	uint32_t	line;
};

struct lp_scenario {
	char		*file;		/* as messages name it */
	char		*name;		/* from the first line */
	struct lp_object_class *classes;
	struct lp_object *objects;
	struct lp_body	*bodies;
	struct lp_scenario_context *contexts;
	struct lp_op	*ops;
	struct lp_site	*sites;
	struct lp_expectation *expectations;	/* from 0 */
	uint32_t	class_count, object_count, body_count, context_count, op_count, site_count;
	uint32_t	expectation_count;
	/* objects[] that exist when something needs them, else 0 */
	uint32_t	rcu, rcu_bh, rcu_sched, rcu_callback, events;
};

/* What is wrong with a file, and where. */
struct lp_scenario_error {
	uint32_t	line, column;	/* from 1; column in characters */
	char		text[512];	/* "expected ';' before '}'" */
};

/*
 * Parse `size` bytes. `file` is what messages and sites call it. NULL with *error set; line 0:
 * memory is short. Any bytes may come; time and memory are O(size).
 */
struct lp_scenario *lp_scenario_parse(const char *file, const char *text, size_t size,
				      struct lp_scenario_error *error);
void lp_scenario_destroy(struct lp_scenario *scenario);	/* NULL is allowed */

/* Word of a type, of a body kind, of an operation ("spinlock_t", "softirq", "ACQUIRE"). */
const char *lp_object_type_word(enum lp_object_type type);
const char *lp_body_kind_word(enum lp_body_kind kind);
const char *lp_op_name(enum lp_op_kind kind);

#endif

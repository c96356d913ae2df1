/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout.h — the bytes of a facts image: what the runtime writes and the reader reads.
 *
 * An image is a sparse file, mapped shared by every process that writes to it. It starts with
 * one struct lp_image; from LP_IMAGE_HEADER_SIZE on it is a log of records, each a multiple of
 * LP_GRANULE bytes. A ref is a record's byte offset divided by LP_GRANULE; 0 means "none".
 *
 * G.1  Every offset below image.tail is the start of a record or lies inside one: space is taken
 *      by installing the record's head word with one compare-and-swap (see writer.c), so a writer
 *      that is killed at any instruction leaves at most a record that is not done.
 * G.2  A done record never changes, except the members marked "live".
 * G.3  A ref in a done record names a record at a lower offset that is done.
 *
 * Only this header is shared by writer and reader. All integers are in the machine's order;
 * `layout` holds a checksum of the struct sizes, so two builds that disagree refuse each other.
 */
#ifndef LP_FACTS_LAYOUT_H
#define LP_FACTS_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#define LP_IMAGE_MAGIC		0x3153544341464b4cULL	/* "LKFACTS1" */
#define LP_IMAGE_VERSION	1u
#define LP_IMAGE_HEADER_SIZE	4096u
#define LP_GRANULE		16u
#define LP_STACK_FRAMES_MAX	48u	/* deeper stacks keep their innermost frames */
#define LP_SLOT_HELD		64u	/* held locks in the slot itself; more go to a HELD record */
#define LP_SLOT_CACHE		256u	/* chain cache entries per thread */

enum lp_rec_type {
	LP_REC_NONE,
	LP_REC_PAD,		/* unused space */
	LP_REC_PROCESS,
	LP_REC_MODULE,
	LP_REC_STACK,
	LP_REC_CLASS,
	LP_REC_LOCK,
	LP_REC_NODE,
	LP_REC_WITNESS,
	LP_REC_THREAD,
	LP_REC_JOIN,
	LP_REC_EVENT,
	LP_REC_SLOT,		/* live state of one thread, reused by later threads */
	LP_REC_HELD,		/* a larger held stack of a slot */
	LP_REC_THREAD_NAME,
	LP_REC_CONTEXT,
	LP_REC_STATE,
	LP_REC_STAMPS,
	LP_REC_COUNT
};

/* Head of each record; taken and published as one 64-bit word. */
struct lp_rec {
	uint32_t	granules;	/* size of the whole record */
	uint8_t		type;		/* enum lp_rec_type */
	uint8_t		done;		/* 1: the body is complete */
	uint16_t	zero;
};

/* Records that are looked up by content are members of a four-way hash trie. */
struct lp_link {
	uint64_t	hash;
	uint32_t	child[4];	/* live: refs */
};

enum lp_trie {
	LP_TRIE_MODULE, LP_TRIE_STACK, LP_TRIE_CLASS, LP_TRIE_NODE, LP_TRIE_WITNESS,
	LP_TRIE_STATE,		/* CONTEXT and STATE */
	LP_TRIE_COUNT
};

/* Why recording ended before the program did. */
enum lp_stop {
	LP_STOP_NONE,
	LP_STOP_NO_SPACE,	/* the file system is full or its quota is used up */
	LP_STOP_IMAGE_FULL,	/* the reserved size is used up (a file-size limit made it small) */
	LP_STOP_FAULT,		/* a broken invariant inside the runtime */
	LP_STOP_UNSUPPORTED,	/* this C library cannot be interposed */
	LP_STOP_COUNT
};

struct lp_image {
	uint64_t	magic;
	uint32_t	version;
	uint32_t	layout;		/* LP_LAYOUT */
	uint64_t	size;		/* bytes reserved */
	uint64_t	session;	/* the same in every image of one `lockproof run` */
	uint64_t	start_time_ns;	/* CLOCK_REALTIME when the image was made */
	uint32_t	nonce;		/* part of every lock tag, never 0 */
	uint32_t	index;		/* 0: the program's own image; n: file name ends in .n */
	uint32_t	claimed_pid;	/* live: process that mapped it first; 0: none did */
	uint32_t	next_index;	/* live, image 0 only: next image's index - 1 */
	_Alignas(64)
	uint64_t	tail;		/* live: end of the log, bytes */
	uint64_t	populated;	/* live: bytes known to be backed by storage */
	_Alignas(64)
	uint32_t	generation;	/* live: bumped when cached chain keys must not be trusted */
	uint32_t	stop;		/* live: enum lp_stop */
	uint64_t	stop_time_ns;	/* live: CLOCK_REALTIME */
	uint32_t	stop_errno;	/* live */
	uint32_t	root[LP_TRIE_COUNT];	/* live: refs */
	uint32_t	slots;		/* live: newest SLOT, list through slot.next */
	_Alignas(64)
	uint64_t	serial;		/* live: last lock serial number given out */
	uint64_t	acquisitions;	/* live: of threads that have ended */
	uint32_t	threads_started;	/* live */
	uint32_t	merged;		/* 0: as it was recorded; n: the file holds n trimmed images */
};

struct lp_rec_process {
	struct lp_rec	rec;
	uint32_t	pid;
	uint32_t	parent_thread;	/* THREAD that forked; 0: this image's first process */
	uint32_t	parent_epoch;	/* its epoch at the fork */
	uint32_t	exe_size;	/* bytes of text[] that are the path of the executable */
	uint32_t	args_size;	/* bytes after it that are the arguments, NUL between them */
	uint32_t	zero;
	uint64_t	start_time_ns;	/* CLOCK_REALTIME */
	char		text[];
};

/* A loaded object. Frames and sites are (module, offset from `base`). */
struct lp_rec_module {
	struct lp_rec	rec;
	struct lp_link	link;
	uint64_t	base;		/* load bias: run-time address - ELF address */
	uint64_t	size;		/* bytes mapped */
	uint8_t		build_id[20];
	uint8_t		build_id_size;	/* 0: it has none */
	uint8_t		zero;
	uint16_t	path_size;
	uint64_t	zero2;
	char		path[];		/* absolute; empty: code outside every object */
};

struct lp_frame {
	uint32_t	module;		/* MODULE, never 0 */
	uint32_t	offset;		/* of the return address, or of the address itself */
};

struct lp_rec_stack {
	struct lp_rec	rec;
	struct lp_link	link;
	uint32_t	count;
	uint32_t	truncated;	/* 1: there were more frames */
	uint64_t	zero;
	struct lp_frame	frame[];	/* innermost first; return addresses */
};

/*
 * What code must be allowed to do to take a lock, and what holding it leaves allowed: the later
 * the more. Taking needs `outer`, which is no more than every context and held lock leave
 * (`inner`).
 */
enum lp_wait_type {
	LP_WAIT_UNCHECKED,
	LP_WAIT_FREE,		/* wait free: RCU read sides */
	LP_WAIT_SPIN,		/* raw spinlocks, hard interrupts */
	LP_WAIT_CONFIG,		/* spinlocks that sleep under PREEMPT_RT */
	LP_WAIT_SLEEP,		/* mutexes */
	LP_WAIT_TYPE_COUNT
};

/* X(name, word in reports and JSON, C type as people write it, enum lp_wait_type suffix) */
#define LP_LOCK_KINDS(X) \
	X(MUTEX,	"mutex",	"pthread_mutex_t",	UNCHECKED) \
	X(RECURSIVE,	"recursive-mutex", "pthread_mutex_t",	UNCHECKED) \
	X(ERRORCHECK,	"errorcheck-mutex", "pthread_mutex_t",	UNCHECKED) \
	X(RWLOCK,	"rwlock",	"pthread_rwlock_t",	UNCHECKED) \
	X(SPINLOCK,	"spinlock",	"pthread_spinlock_t",	UNCHECKED) \
	X(SEMAPHORE,	"semaphore",	"sem_t",		UNCHECKED) \
	X(ONCE,		"once",		"pthread_once_t",	UNCHECKED) \
	X(COND,		"condition",	"pthread_cond_t",	UNCHECKED) \
	X(MAP,		"lock map",	"struct lockdep_map",	UNCHECKED) \
	X(CUSTOM,	"custom lock",	"struct lockproof_lock", UNCHECKED) \
	X(K_SPINLOCK,	"spinlock_t",	"spinlock_t",		CONFIG) \
	X(K_RAW_SPINLOCK, "raw_spinlock_t", "raw_spinlock_t",	SPIN) \
	X(K_RWLOCK,	"rwlock_t",	"rwlock_t",		CONFIG) \
	X(K_SEQLOCK,	"seqlock_t",	"seqlock_t",		CONFIG) \
	X(K_LOCAL_LOCK,	"local_lock_t",	"local_lock_t",		CONFIG) \
	X(K_MUTEX,	"struct mutex",	"struct mutex",		SLEEP) \
	X(K_RT_MUTEX,	"struct rt_mutex", "struct rt_mutex",	SLEEP) \
	X(K_RWSEM,	"rw_semaphore",	"struct rw_semaphore",	SLEEP) \
	X(K_SEMAPHORE,	"struct semaphore", "struct semaphore",	SLEEP) \
	X(K_COMPLETION,	"completion",	"struct completion",	SLEEP) \
	X(K_WW_MUTEX,	"ww_mutex",	"struct ww_mutex",	SLEEP) \
	X(K_SRCU,	"srcu_struct",	"struct srcu_struct",	UNCHECKED) \
	X(RCU,		"rcu",		"rcu_read_lock()",	CONFIG) \
	X(LIBC,		"libc lock",	"lock inside libc",	UNCHECKED)

enum lp_lock_kind {
#define X(name, word, type, wait) LP_LOCK_##name,
	LP_LOCK_KINDS(X)
#undef X
	LP_LOCK_KIND_COUNT
};

enum lp_origin {
	LP_ORIGIN_STATIC,	/* never initialised by a call, inside a loaded object */
	LP_ORIGIN_INIT,		/* by an init function: `stack` is its call */
	LP_ORIGIN_FIRST_LOCK,	/* neither: `stack` is the first acquisition seen */
	LP_ORIGIN_COUNT
};

/* What a class is told apart from others by the rules for, when somebody said so. */
enum lp_class_flags {
	LP_CLASS_NOVALIDATE	= 1,	/* only balance and life are checked */
	LP_CLASS_ORDERED	= 2,	/* its locks may nest in the order of their ranks */
	LP_CLASS_SHOWN		= 4,	/* is held and shown, but orders nothing (rcu_callback) */
	LP_CLASS_WAIT_OVERRIDE	= 8,	/* while held, wait_inner holds whatever lies below */
	LP_CLASS_BY_ADDRESS	= 16,	/* ORDERED: the lower address is the lower rank */
	LP_CLASS_FLAGS		= 31,	/* all of them */
};

/* Semaphores: what the posts seen so far say about the class; bits that are only ever set. */
enum lp_class_use {
	LP_CLASS_RETURNED	= 1,	/* who had waited posted: a lock that was released */
	LP_CLASS_HANDED		= 2,	/* somebody else posted: no lock, so orders nothing */
};

/*
 * The finest class the runtime can tell. The model groups these into the classes rules are
 * about: the runtime must not need a symbol table to do its work.
 */
struct lp_rec_class {
	struct lp_rec	rec;
	struct lp_link	link;
	uint8_t		kind;		/* enum lp_lock_kind */
	uint8_t		origin;		/* enum lp_origin */
	uint16_t	use;		/* live: enum lp_class_use */
	uint32_t	stack;		/* STACK of the init or first lock; 0 for STATIC */
	struct lp_frame	object;		/* place in a loaded object; module 0: heap or stack */
	uint32_t	locks;		/* live: instances seen */
	uint32_t	refine;		/* live: 1: every instance gets a LOCK record */
	uint64_t	key;		/* annotated classes: says which; 0: not annotated */
	uint8_t		wait_outer, wait_inner;	/* enum lp_wait_type; both 0: those of the kind */
	uint8_t		flags;		/* enum lp_class_flags */
	uint8_t		subclass;	/* of `base`, when that is not 0 */
	uint32_t	base;		/* CLASS; 0: it is no subclass */
	uint32_t	name_size;
	uint32_t	conditions;	/* live: 1: held around waits for conditions, or signals of
					   them. Of use to the runtime only */
	char		name[];		/* annotated classes: as reports print it */
};

/* One lock object, from initialisation (or first use) to destruction. */
struct lp_rec_lock {
	struct lp_rec	rec;
	uint32_t	class_ref;	/* CLASS */
	uint32_t	process;	/* PROCESS it was first seen in */
	uint64_t	serial;
	uint64_t	address;
	uint32_t	rank;		/* in an ORDERED class: lower ones are taken first */
	uint32_t	zero;
};

/* What code can run in besides plain task context. X(name, word). */
#define LP_CONTEXT_KINDS(X) \
	X(HARDIRQ,	"HARDIRQ") \
	X(SOFTIRQ,	"SOFTIRQ") \
	X(NMI,		"NMI") \
	X(SIGNAL,	"SIGNAL") \
	X(FORK,		"FORK") \
	X(USER,		"USER")

enum lp_context_kind {
#define X(name, word) LP_CONTEXT_##name,
	LP_CONTEXT_KINDS(X)
#undef X
	LP_CONTEXT_KIND_COUNT
};

enum lp_context_flags {
	LP_CONTEXT_SYNC	= 1,	/* strikes only where the code itself causes it (SIGSEGV) */
};

struct lp_rec_context {
	struct lp_rec	rec;
	struct lp_link	link;
	uint8_t		kind;		/* enum lp_context_kind */
	uint8_t		flags;		/* enum lp_context_flags */
	uint16_t	number;		/* of a signal; else tells contexts of a kind apart */
	uint32_t	name_size;
	char		name[];		/* "SIGALRM", "HARDIRQ" */
};

#define LP_STATE_CONTEXTS_MAX	256u

/* What code runs in, and what can strike it there. */
struct lp_rec_state {
	struct lp_rec	rec;
	struct lp_link	link;
	uint32_t	context;	/* CONTEXT, the innermost it runs in; 0: task */
	uint8_t		wait;		/* enum lp_wait_type that this context leaves; 0: all */
	uint8_t		zero[3];
	uint32_t	in_count;	/* of ref[]: every CONTEXT it runs in, ... */
	uint32_t	on_count;	/* ... and after those, the ones that can strike it */
	uint32_t	ref[];		/* each part in ascending order */
};

enum lp_mode { LP_WRITE, LP_READ, LP_READ_RECURSIVE, LP_MODE_COUNT };

enum lp_acquire_flags {
	LP_TRY		= 1,	/* gives up at once: cannot block */
	LP_TIMED	= 2,	/* gives up after a while */
	LP_PREFER	= 4,	/* READ of a lock that lets readers pass queued writers */
	LP_SYNC		= 64,	/* waits until it could be taken, and does not take it */
	LP_BACK_OFF	= 128,	/* gives up rather than deadlock with others that would, too */
	/* of live entries only */
	LP_INHERITED	= 8,	/* held since before this process was forked */
	LP_MOVED	= 16,	/* `node` is from when other locks lay below it. Of a node: its
				   lock was acquired when others lay below, so nobody waits here */
	LP_ROBUST	= 32,	/* its thread may end without releasing it */
	LP_PINNED	= 64,	/* must not be released now */
};

#define LP_NEVER_WAITS	(LP_TRY | LP_MOVED)	/* flags of nodes that hold and never wait */

/*
 * A held stack, as a path: this acquisition on top of `parent`. With lock 0 nothing was acquired:
 * all that lies below was held in `state`, which lets in what could not strike before.
 * An interrupt begins a path of its own: what it interrupted is in WITNESS.below.
 */
struct lp_rec_node {
	struct lp_rec	rec;
	struct lp_link	link;
	uint32_t	parent;		/* NODE; 0: nothing else held */
	uint32_t	lock;		/* LOCK, or CLASS when its instances are not told apart;
					   0: see above */
	uint8_t		mode;		/* enum lp_mode */
	uint8_t		flags;		/* enum lp_acquire_flags */
	uint16_t	depth;		/* 1 for a bottom node; saturates */
	uint32_t	stack;		/* STACK of the acquisition */
	struct lp_frame	site;
	uint32_t	state;		/* STATE; 0: a task that nothing known can strike */
	uint32_t	witnesses;	/* live: how often one was noted or left out */
	uint32_t	nest;		/* LOCK or CLASS said to be held around it; 0: none */
	uint32_t	zero;
};

#define LP_STAMPS_MAX	8u	/* contexts on top of one another: more keep the innermost */

/* When code in a thread last blocked a context ([0]) and let it in ([1]), and where. */
struct lp_context_stamp {
	uint32_t	context;	/* CONTEXT */
	uint32_t	at[2];		/* which of the events; 0: never */
	uint32_t	zero;
	struct lp_frame	where[2];	/* return addresses; module 0: unknown */
};

/* Stamps of contexts that the thread runs in, the innermost first. */
struct lp_rec_stamps {
	struct lp_rec	rec;
	uint32_t	events;		/* changes of that kind by the thread so far */
	uint32_t	count;
	struct lp_context_stamp stamp[];
};

/* Thread `thread` was in state `node` in its epoch `epoch`, with these lock instances. */
struct lp_rec_witness {
	struct lp_rec	rec;
	struct lp_link	link;
	uint32_t	node;
	uint32_t	thread;
	uint32_t	epoch;
	uint32_t	count;		/* of serial[]: the node's depth, or less when truncated */
	uint32_t	stack;		/* STACK of this thread's acquisition; 0: the node's */
	uint32_t	below;		/* NODE of what the interrupted code held; 0: nothing */
	uint32_t	stamps;		/* STAMPS of the contexts it ran in; 0: none */
	uint32_t	zero;
	uint64_t	serial[];	/* innermost first: [0] is the node's own lock */
};

/*
 * A thread, for good. Epochs: a thread starts in epoch 0; every pthread_create, fork and join it
 * does ends one. What it did up to epoch E comes before a thread it created in E; what a thread
 * did at all comes before epoch E of the thread that joined it at the start of E.
 */
struct lp_rec_thread {
	struct lp_rec	rec;
	uint32_t	process;
	uint32_t	creator;	/* THREAD; 0: none (first thread, or unknown) */
	uint32_t	creator_epoch;
	uint32_t	stack;		/* STACK of the pthread_create; 0: none */
	struct lp_frame	start;		/* start function; module 0: main or unknown */
	uint32_t	number;		/* 1, 2, ... in order of creation within the image */
	uint32_t	context;	/* CONTEXT: it stands for executions of it on whatever CPU;
					   0: a thread */
	uint32_t	flags;		/* enum lp_thread_flags */
	uint32_t	zero;
};

enum lp_thread_flags {
	LP_THREAD_ONCE	= 1,	/* with `context`: never runs on two CPUs at once */
	LP_THREAD_MANY	= 2,	/* without: stands for several threads that do the same */
};

/*
 * Its kernel id and name, once it runs; a later record replaces an earlier. tid 0, name empty:
 * nothing new; a thread without a name of its own has that of its process' first thread.
 */
struct lp_rec_thread_name {
	struct lp_rec	rec;
	uint32_t	thread;
	uint32_t	tid;
	char		name[16];	/* as prctl(PR_GET_NAME) has it */
};

struct lp_rec_join {
	struct lp_rec	rec;
	uint32_t	joiner;		/* THREAD */
	uint32_t	epoch;		/* the joiner's first epoch after it */
	uint32_t	joined;		/* THREAD */
	uint32_t	zero;
};

/* X(name, what it means) */
#define LP_EVENTS(X) \
	X(UNLOCK_NOT_HELD,	"released a lock that it does not hold") \
	X(DESTROY_HELD,		"destroyed a lock that is held") \
	X(INIT_HELD,		"initialised a lock that is held") \
	X(EXIT_HELD,		"a thread ended while it held a lock") \
	X(RELOCK,		"locked again a lock that it holds (an errorcheck mutex: EDEADLK)") \
	X(FREE_HELD,		"freed memory with a lock in it that is held") \
	X(WORK_HELD,		"a work item or callback ended while it held a lock") \
	X(NOT_INITIALISED,	"used a lock that was never initialised") \
	X(DESTROYED,		"used a lock that was destroyed or freed") \
	X(PINNED,		"released a lock that is pinned") \
	X(NOT_PINNED,		"unpinned a lock that is not pinned, or pinned one it does not hold") \
	X(ASSERT_HELD,		"asserted that a lock is held, which it is not") \
	X(ASSERT_NOT_HELD,	"asserted that a lock is not held, which it is") \
	X(NEST_NOT_HELD,	"took a lock nested in one that it does not hold") \
	X(RCU_DEREFERENCE,	"suspicious rcu_dereference_check() usage") \
	X(RCU_PROTECTED,	"suspicious rcu_dereference_protected() usage") \
	X(RCU_SYNC,		"Illegal synchronize_rcu() in RCU read-side critical section") \
	X(RCU_SLEEP,		"Illegal context switch in RCU read-side critical section") \
	X(WAIT_CONTEXT,		"slept where it must not") \
	X(WW_MISUSE,		"broke the rules of wound/wait acquisition")

enum lp_event_kind {
#define X(name, text) LP_EVENT_##name,
	LP_EVENTS(X)
#undef X
	LP_EVENT_COUNT
};

/* API misuse: it happened, whatever the schedule. */
struct lp_rec_event {
	struct lp_rec	rec;
	uint32_t	kind;		/* enum lp_event_kind */
	uint32_t	thread;		/* who did it */
	uint32_t	lock;		/* LOCK or CLASS; 0: never seen before */
	uint32_t	stack;		/* where */
	uint32_t	node;		/* what the thread held; 0: nothing */
	uint32_t	holder_tid;	/* who holds the lock, where the lock tells; else 0 */
	uint64_t	address;
	uint64_t	serial;		/* of the lock; 0: unknown */
	uint64_t	zero;
};

/* Live state of one thread: written by it alone, read by the supervisor without locks. */
struct lp_held {
	uint64_t	lock;		/* address; bit 0: counted */
	uint64_t	key;		/* chain key of the stack up to this entry */
	uint64_t	serial;
	union {
		struct {
			uint32_t node;	/* NODE; 0: not recorded */
			uint16_t count;	/* further nested acquisitions by a recursive type */
			uint8_t	mode;
			uint8_t	flags;	/* enum lp_acquire_flags */
		};
		uint64_t word;		/* the four, for the fast path */
	};
};

enum lp_wait { LP_WAIT_NONE, LP_WAIT_LOCK, LP_WAIT_COND, LP_WAIT_JOIN, LP_WAIT_SEM };

struct lp_stamp {
	uint64_t	where[2];
	uint32_t	at[2];		/* mask_events then; 0: never */
};

struct lp_rec_slot {
	struct lp_rec	rec;
	uint32_t	next;		/* SLOT made before this one */
	uint32_t	thread;		/* live: THREAD that uses it; 0: free */
	uint32_t	pid, tid;	/* live */
	/* what the fast path touches */
	_Alignas(64)
	uint64_t	salt;		/* context, mask, generation, epoch: mixed into look-ups */
	/* addresses, valid in the owning process */
	uint64_t	top;		/* of the first free entry of the held stack */
	uint64_t	limit;		/* of the end; more needs a larger held stack */
	uint64_t	held_ptr;	/* of its first entry */
	uint64_t	acquisitions;
	uint32_t	epoch;
	uint32_t	held_ref;	/* SLOT (this record) or HELD: where the held stack is */
	/* the rest */
	_Alignas(64)
	uint64_t	pthread;	/* pthread_self() */
	/* of pthread_create, for the new thread */
	uint64_t	start_routine, start_arg, stack_size;
	uint64_t	life_serial;	/* of the lock that its life is */
	uint32_t	life;		/* CLASS of that */
	uint32_t	zero_life;
	uint64_t	wait_object;	/* lock, condition variable or pthread_t */
	uint64_t	wait_lock;	/* COND: the mutex that will be taken again; JOIN: what
					   stands for the thread's life; 0: none */
	uint64_t	base;		/* address: where the stack of the context that runs begins */
	uint32_t	wait_node;	/* NODE of that */
	uint32_t	wait;		/* enum lp_wait: what the thread is about to block in */
	uint32_t	lossy;		/* 1: an acquisition could not be put on the held stack */
	uint32_t	state;		/* STATE the thread runs in */
	uint32_t	wait_thread;	/* JOIN: THREAD */
	uint32_t	busy;		/* 1: inside the runtime */
	uint32_t	pid_space;	/* stands for the namespace of `pid`; 0: unknown */
	uint32_t	next_free;	/* SLOT; the owning process' list of free slots */
	uint32_t	mask_events;	/* changes of the signal mask so far; see STAMPS */
	_Alignas(64)
	struct lp_held	ground;		/* what an empty stack looks like from above */
	struct lp_held	held[LP_SLOT_HELD];
	/* what is known of chains: held.word for a key */
	uint64_t	cache_key[LP_SLOT_CACHE];
	uint64_t	cache_word[LP_SLOT_CACHE];
	/* by signal - 1: the change that last blocked it [0] and let it in [1]; where, an address */
	struct lp_stamp	stamp[64];
};

struct lp_rec_held {
	struct lp_rec	rec;
	uint64_t	count;
	uint64_t	zero[2];
	struct lp_held	ground;
	struct lp_held	held[];
};

/* Changes whenever a struct does: each term moves by a prime of its own. */
#define LP_LAYOUT ((uint32_t)(sizeof(struct lp_image) * 3u + sizeof(struct lp_rec_process) * 5u + \
	sizeof(struct lp_rec_module) * 7u + sizeof(struct lp_rec_stack) * 11u + \
	sizeof(struct lp_rec_class) * 13u + sizeof(struct lp_rec_lock) * 17u + \
	sizeof(struct lp_rec_node) * 19u + sizeof(struct lp_rec_witness) * 23u + \
	sizeof(struct lp_rec_thread) * 29u + sizeof(struct lp_rec_join) * 31u + \
	sizeof(struct lp_rec_event) * 37u + sizeof(struct lp_rec_slot) * 41u + \
	sizeof(struct lp_rec_context) * 43u + sizeof(struct lp_rec_state) * 47u + \
	sizeof(struct lp_rec_stamps) * 53u + \
	LP_REC_COUNT * 1000003u))

_Static_assert(sizeof(struct lp_rec) == 8, "a record head is one word");
_Static_assert(sizeof(struct lp_image) <= LP_IMAGE_HEADER_SIZE, "the header fits its page");
_Static_assert(offsetof(struct lp_rec_slot, held) - offsetof(struct lp_rec_slot, ground) ==
	       sizeof(struct lp_held) &&
	       offsetof(struct lp_rec_held, held) - offsetof(struct lp_rec_held, ground) ==
	       sizeof(struct lp_held), "the ground lies right below held[0]");
_Static_assert(sizeof(struct lp_held) == 32, "held entries are half a cache line");
_Static_assert(LP_SLOT_CACHE == 256, "a cache index is the top byte of a key");

#endif

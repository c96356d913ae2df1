/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime.h — living inside somebody else's process.
 *
 * The rules, for every file of this folder:
 *  - Nothing is printed, nothing aborts, no descriptor stays open, no thread is started, errno and
 *    results are the program's. Memory comes from mmap, never from malloc.
 *  - Any function may run before our constructor, inside a signal handler, while a thread ends,
 *    and in a forked child. What is not ready passes through.
 *  - When something is broken or full, recording stops with a reason in the image and the program
 *    goes on.
 *  - libc functions that take locks, allocate or set errno are called in lp_start() only.
 */
#ifndef LP_RUNTIME_H
#define LP_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "facts/layout.h"
#include "runtime/hooks.h"
#include "runtime/context.h"
#include "runtime/unwind.h"
#include "track/track.h"

/* Nothing of this is for other objects: no detour through tables of addresses. */
#pragma GCC visibility push(hidden)

/* Instances of a class that are told apart from the start, and at most once it nests in itself. */
#define LP_LOCKS_APART		32u
#define LP_LOCKS_APART_MAX	65536u
#define LP_CLASS_FRAMES		6u	/* innermost frames that make a class */
#define LP_STATIC_INITS		64u	/* static objects one init call tells apart */

struct lp_runtime {
	struct lp_track	track;
	uint32_t	process;	/* PROCESS */
	uint32_t	pid;		/* of this process */
	uint32_t	unjoined;	/* threads it created and has not joined */
	uint32_t	pid_space;	/* stands for its pid namespace; 0: unknown */
	uint64_t	stack_size;	/* of a thread that asks for none */
	uint64_t	text_start;	/* this library, whose frames are left out of stacks */
	uint64_t	text_end;
	pthread_key_t	key;		/* its destructor ends a thread's slot */
	bool		has_key;
};

extern struct lp_runtime lp_rt;

/* Read by the fast path. */
extern uint32_t lp_nonce;		/* simple locks; 0: not recording */
extern uint32_t lp_nonce_other;		/* locks that need the slow path */
extern uint64_t lp_generation;		/* mixed into look-ups; changes void cached chains */

/*
 * What was said about this thread's next acquisition of the lock at `address`; 0: nothing. While it
 * stands the slot's salt is another one, so that the fast path finds nothing and asks lp_hold().
 */
struct lp_next {
	uint64_t	address;
	uint32_t	nest;
	uint8_t		subclass;
};

/* A lock that this thread must not release now, and how often that was said. 0: none. */
#define LP_PINS		8u
struct lp_pin {
	uint64_t	address;
	uint32_t	count;
};

/* A call of a once routine that has not come back. */
struct lp_once {
	uint64_t	frame;		/* of our hook */
	uint64_t	site;		/* where that returns to */
	uint64_t	address;
};
#define LP_ONCE_MAX	8u		/* nested deeper, they pass through */

/* A thread's own. */
struct lp_self {
	struct lp_rec_slot *slot;	/* lp_no_slot: not known yet, or not recording */
	uint64_t	stack_start;	/* between the two everything can be read */
	uint64_t	stack_end;	/* 0: unknown */
	struct lp_rec_slot *child;	/* between prepare and child of a fork */
	bool		ended;		/* its slot is gone: pass everything through */
	bool		vforked;	/* by this thread, and the child was not seen to be gone */
	struct lp_signals signals;
	struct lp_next	next;
	struct lp_pin	pin[LP_PINS];
	struct lp_once	once[LP_ONCE_MAX];
	uint32_t	once_count;
};

extern __thread struct lp_self lp_self __attribute__((tls_model("initial-exec")));

/* Stands for "none" so that the fast path need not ask: nothing is in it, nobody writes to it. */
extern struct lp_rec_slot lp_no_slot;

/* This thread's slot if it has one. */
static inline struct lp_rec_slot *lp_own_slot(void)
{
	return lp_self.slot != &lp_no_slot ? lp_self.slot : NULL;
}

/* start.c */

/* Find the real functions and map the image; once, by whoever comes first. Any thread. */
void lp_start(char **environment);

/* This thread's slot; made if need be. NULL: pass through. */
struct lp_rec_slot *lp_attach(void);

static inline struct lp_rec_slot *lp_slot(void)
{
	return lp_likely(lp_self.slot != &lp_no_slot) ? lp_self.slot : lp_attach();
}

void lp_bump_generation(void);

/* image.c: map the image named in the environment. False: nobody asked for recording. */
bool lp_image_open(const char *path);

/* place.c: addresses to (module, offset), and stacks */

struct lp_frame lp_place(uint64_t address);

/* (module, offset) of an address in a loaded object; module 0: it is in none. */
struct lp_frame lp_place_of_data(uint64_t address);

/* The return addresses of this thread's stack, innermost first, without this library's frames. */
struct lp_walk {
	struct lp_cursor cursor;
	uint64_t	stack_end;
	unsigned	steps;
	bool		ended;
};
void lp_walk_begin(struct lp_walk *walk);
uint64_t lp_walk_next(struct lp_walk *walk);	/* 0: no more */

/* The same as a fact, at most LP_STACK_FRAMES_MAX of them: STACK ref, or 0. */
uint32_t lp_stack_capture(unsigned frames_max);

/* Objects were unloaded: what was known about addresses is void. */
void lp_place_forget(void);

void lp_place_init(void);
const char *lp_place_exe(void);
const char *lp_place_library(void);	/* this one's path */

/* hook_exec.c: what programs started from here need to find. Longer than 4 KiB: they are not. */
void lp_exec_init(const char *library, const char *facts_path);

/* thread.c */

/* A slot, from the free list or new, for a THREAD. NULL: recording stopped. */
struct lp_rec_slot *lp_slot_new(uint32_t thread);
void lp_slot_free(struct lp_rec_slot *slot);

/* THREAD and PROCESS records; 0: recording stopped. `stack`: the current one goes with it. */
uint32_t lp_thread_record(uint32_t creator, uint32_t creator_epoch, uint64_t start, bool stack);
uint32_t lp_process_record(uint32_t parent_thread, uint32_t parent_epoch, const char *exe,
			   const char *args, size_t args_size);
void lp_thread_name(uint32_t thread, uint32_t tid, const char *name);

void lp_thread_begin(struct lp_rec_slot *slot);	/* the slot is this thread's from now on */
void lp_thread_init(void);
uint32_t lp_pid_space(void);	/* process ids mean the same where this is equal; 0: unknown */

/* Around a fork, in the thread that forks. */
void lp_fork_prepare(void);
void lp_fork_parent(void);
void lp_fork_child(void);

/* lock.c: which lock is this? */

/*
 * Where a lock keeps its tag: in the lock itself, or in the address table.
 * word: check | id << 32, where the check is made from the nonce and the address; 0: no tag.
 */
struct lp_home {
	uint64_t	*word;
	uint64_t	*serial;
};

/* Flags in a pthread_mutex_t's kind: its list link is used, or other processes see it. */
enum { LP_KIND_ROBUST = 16, LP_KIND_SHARED = 128 };

/* hook_mutex.c. `simple`: its tag may serve the fast path. */
enum lp_lock_kind lp_mutex_kind(const pthread_mutex_t *mutex, bool *simple);

struct lp_home lp_home_of_mutex(pthread_mutex_t *mutex);
struct lp_home lp_home_of_rwlock(pthread_rwlock_t *rwlock);
struct lp_home lp_home_in_table(const volatile void *lock);	/* {NULL, NULL}: no memory */

static inline uint32_t lp_tag_check(uint64_t address, uint32_t nonce)
{
	return (uint32_t)address ^ nonce;
}

static inline uint64_t lp_tag_make(uint32_t check, uint32_t id)
{
	return check | (uint64_t)id << 32;
}

/* What a lock was found to be. id 0: unknown. */
struct lp_lock_id {
	uint32_t	id;		/* LOCK or CLASS ref */
	uint64_t	serial;
};

/* The lock's identity; a lock never seen before is registered under the current stack. */
struct lp_lock_id lp_lock_identify(struct lp_home home, uint64_t address, enum lp_lock_kind kind,
				   bool simple);

/* The same, but a lock never seen before stays unknown. */
struct lp_lock_id lp_lock_known(struct lp_home home, uint64_t address);

/* A new lock by an init function: registered under the current stack. */
void lp_lock_register(struct lp_home home, uint64_t address, enum lp_lock_kind kind, bool simple);

/*
 * A class that is known by its name: what has no place of its own in the program (libc's locks), or
 * was named by an annotation. CLASS ref, 0: recording stopped. Any thread, handlers too.
 */
struct lp_class_name {
	enum lp_lock_kind kind;
	const char	*name;		/* as reports print it */
	uint64_t	key;		/* the same in every run; 0: made from the name */
	uint8_t		flags;		/* enum lp_class_flags */
	uint8_t		wait_outer, wait_inner;	/* enum lp_wait_type; both 0: those of the kind */
};
uint32_t lp_class_named(const struct lp_class_name *name);

/*
 * CLASS of the lives of all threads that begin at `start`: a thread holds its life as a reader,
 * and whoever joins it waits until that is over. 0: recording stopped.
 */
uint32_t lp_class_of_life(uint64_t start);

/*
 * CLASS of the locks of a CLASS when they are taken as of that subclass. The class itself for 0,
 * and when it has no key of its own.
 */
uint32_t lp_class_subclass(uint32_t class_ref, uint8_t subclass);

/*
 * A new lock of that class. Its home may be any two words of the runtime's own. `rank`: its place
 * among the locks of an ORDERED class.
 */
void lp_lock_register_class(struct lp_home home, uint64_t address, uint32_t class_ref,
			    uint32_t rank, bool simple);

/* The lock's identity; one never seen before gets that class. Several threads may come at once. */
struct lp_lock_id lp_lock_adopt(struct lp_home home, uint64_t address, uint32_t class_ref,
				uint32_t rank, bool simple);

/* LOCK or CLASS ref of the lock when it is taken as of a subclass, which is not 0. */
uint32_t lp_lock_subclass(struct lp_lock_id lock, uint64_t address, uint8_t subclass);

/* The lock is gone. */
void lp_lock_forget(struct lp_home home);

/* table.c: a growing map of this process, address to two words. Never shrinks. */
uint64_t *lp_table_find(uint64_t key);		/* NULL: not there */
uint64_t *lp_table_get(uint64_t key);		/* made if need be; NULL: no memory */

/*
 * site.c: the code address that tells acquisitions apart. A call in a function that takes locks of
 * several classes (a program's own my_lock(), std::mutex::lock not inlined) says nothing: its
 * caller is looked at instead, and so on.
 */
struct lp_site {
	uint64_t	key;		/* stands for it in chain keys */
	uint64_t	pc;		/* the return address it is known by */
};
struct lp_site lp_site_of(uint64_t pc, uint32_t class_ref);

/* hold.c: the slow half of every lock operation, the same for all kinds of locks */

#define LP_COUNTED	1ull	/* bit of held.lock: released by the slow path only */

struct lp_op {
	struct lp_home	home;
	uint64_t	address;
	uint64_t	site;
	enum lp_lock_kind kind;
	uint8_t		mode;
	uint8_t		flags;
	uint8_t		subclass;	/* 0: none */
	bool		simple;		/* its tag may serve the fast path */
	bool		robust;		/* a thread may end with it */
	uint32_t	nest;		/* LOCK or CLASS ref that is said to be held around it; 0 */
};

/* See struct lp_next. */
void lp_next_set(struct lp_rec_slot *slot, const struct lp_next *next);
/* The thread's state has changed, and with it the salt. */
void lp_next_keep(struct lp_rec_slot *slot);

/* Facts first, then the entry: before a call that may block, or after one that did not. */
void lp_hold(struct lp_rec_slot *slot, const struct lp_op *op);
/* The facts of an acquisition to come, without the entry: its NODE, or 0. */
uint32_t lp_hold_note(struct lp_rec_slot *slot, const struct lp_op *op);
/* The innermost entry of a lock that this thread holds, or NULL. */
struct lp_held *lp_holds(const struct lp_rec_slot *slot, uint64_t address);
/* The call that lp_hold() preceded failed. */
void lp_hold_undo(struct lp_rec_slot *slot, const struct lp_op *op);
/* About to release. False: this thread does not hold it, as far as is known. */
bool lp_release(struct lp_rec_slot *slot, uint64_t address);
/* The same for what a forked child has from its parent only. */
bool lp_release_inherited(struct lp_rec_slot *slot, uint64_t address);
/*
 * A lock is about to be initialised or destroyed. True: this thread holds it, which has been
 * reported; initialised, it is held no more.
 */
bool lp_ends_held(struct lp_rec_slot *slot, enum lp_event_kind kind, struct lp_home home,
		  uint64_t address);
void lp_misuse(struct lp_rec_slot *slot, enum lp_event_kind kind, struct lp_home home,
	       uint64_t address, uint32_t holder_tid);
/* The same about the lock of an entry of the held stack. */
void lp_misuse_held(struct lp_rec_slot *slot, enum lp_event_kind kind, const struct lp_held *held);

/* annotate.c: a lock that is pinned is about to be released. */
void lp_pin_broken(struct lp_rec_slot *slot, struct lp_held *held);

/* hook_once.c: find the C++ library's functions, without allocating; in lp_start() only. */
void lp_guards_resolve(void);
/* hook_once.c: forget calls that the stack, whose top is at `frame` now, has no frame of. */
void lp_once_drop_left(struct lp_rec_slot *slot, uint64_t frame);

extern const struct lp_track_ops lp_track_ops;

#define LP_SITE() ((uint64_t)(uintptr_t)__builtin_return_address(0))

/* Is the lock tagged, and its chain on top of what is held known to this thread? */
static inline __attribute__((always_inline))
bool lp_chain_is_known(const struct lp_rec_slot *slot, const uint64_t *tag, uint64_t address,
		       uint64_t site, uint64_t how, uint64_t *key, uint64_t *held_word)
{
	uint64_t word = *tag;
	uint32_t check = lp_tag_check(address, lp_nonce);
	uint64_t look;

	if (lp_unlikely((uint32_t)word != check))
		return false;
	/* what is left of the tag without its check is the id in its place */
	*key = (lp_track_held_key(slot) ^ site ^ how ^ (word ^ check)) * LP_KEY_MUL;
	look = *key ^ slot->salt ^ lp_generation;
	if (lp_unlikely(slot->cache_key[lp_track_index(look)] != look))
		return false;
	*held_word = slot->cache_word[lp_track_index(look)];
	return true;
}

/*
 * The fast path: a tagged lock whose chain this thread knows. True: pushed, go and take the lock.
 * Reads the lock, the slot and two globals; writes the slot. `slot` may be lp_no_slot, in which
 * nothing is ever found. That there is room on the held stack is part of what the cache says.
 */
static inline __attribute__((always_inline))
bool lp_hold_fast(struct lp_rec_slot *slot, const uint64_t *tag, const uint64_t *serial,
		  uint64_t address, uint64_t site, uint64_t how)
{
	uint64_t key, word;

	if (lp_unlikely(!lp_chain_is_known(slot, tag, address, site, how, &key, &word)))
		return false;
	lp_track_put(slot, address, *serial, key, word);
	return true;
}

/* Top of the stack and released by the fast path: popped. */
static inline __attribute__((always_inline))
bool lp_release_fast(struct lp_rec_slot *slot, uint64_t address)
{
	if (lp_unlikely(lp_track_top(slot)[-1].lock != address))
		return false;
	lp_track_drop(slot);
	return true;
}

#pragma GCC visibility pop

#endif

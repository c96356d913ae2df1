/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scene.h — facts made by hand: threads that take and release locks, as the runtime notes it.
 *
 * Class n is made of every lock that was initialised at call site n; lock serials are what the test
 * says. Everything asserts: a scene that cannot be built fails the test.
 */
#ifndef LP_TESTS_ENGINE_SCENE_H
#define LP_TESTS_ENGINE_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "facts/model.h"

#define SCENE_CLASSES	1024u
#define SCENE_CONTEXTS	8u	/* numbers from 1 */
#define SCENE_NESTED	4u	/* interrupts on top of one another */

struct scene_held {
	uint32_t	node, fine;
	uint64_t	serial;
};

/* What code of a thread runs in: the thread itself, or an interrupt on top of it. */
struct scene_frame {
	uint32_t	context;	/* number; 0: task */
	uint32_t	on;		/* set of 1 << number */
	enum lp_wait_type wait;
	uint32_t	state;		/* states[] of that */
	uint32_t	base;		/* its first held lock */
};

struct scene_thread {
	uint32_t	index, epoch, process;
	uint32_t	count, room;
	struct scene_held *held;
	struct scene_frame frame[SCENE_NESTED];
	uint32_t	nested;		/* index of the innermost */
};

/* A lock that nodes tell apart. */
struct scene_lock {
	uint32_t	process, fine, index;
	uint64_t	serial;
};

struct scene {
	struct lp_model	*model;
	struct lp_engine *engine;
	uint32_t	module, process[4];
	uint32_t	fine[SCENE_CLASSES];
	uint32_t	of[SCENE_CLASSES];	/* of a subclass: the class it is of */
	bool		refined[SCENE_CLASSES];
	uint32_t	context[SCENE_CONTEXTS];
	struct scene_thread *thread;	/* by number, from 1 */
	uint32_t	threads;	/* room */
	struct scene_lock *lock;
	uint32_t	locks;
};

struct scene *scene_open(void);
void scene_close(struct scene *scene);

/* Class n: made on first use, a mutex unless said before. Its fine class. */
uint32_t scene_class(struct scene *scene, uint32_t n);
uint32_t scene_class_of(struct scene *scene, uint32_t n, enum lp_lock_kind kind);
/* Class n as one static object. */
uint32_t scene_static(struct scene *scene, uint32_t n);

/* Class n with enum lp_class_flags. ORDERED: its locks are ranked by their serials. */
uint32_t scene_class_with(struct scene *scene, uint32_t n, enum lp_lock_kind kind, unsigned flags);
/* Class n as a subclass of class `of`: the same locks. */
uint32_t scene_subclass(struct scene *scene, uint32_t n, uint32_t of, uint8_t subclass);
/* Nodes of class n tell their locks apart. */
void scene_refine(struct scene *scene, uint32_t n);

/* Process 0 exists; others are forked by `parent` (0: unrelated). */
void scene_fork(struct scene *scene, uint32_t process, uint32_t parent);
/* Thread t in a process, created by thread `creator` (0: by nobody). */
void scene_start(struct scene *scene, uint32_t t, uint32_t process, uint32_t creator);
void scene_join(struct scene *scene, uint32_t joiner, uint32_t joined);

/* Context n, made on first use; "c<n>" is its name. */
uint32_t scene_context(struct scene *scene, uint32_t n, enum lp_context_kind kind);
/* Thread t stands for executions of context n in a process; `flags` are enum lp_thread_flags. */
void scene_float(struct scene *scene, uint32_t t, uint32_t process, uint32_t n, unsigned flags);
/* Likewise, once `creator` has done what it has done so far. */
void scene_float_after(struct scene *scene, uint32_t t, uint32_t creator, uint32_t n,
		       unsigned flags);
/* What can strike thread t from now on: a set of 1 << context; notes what it holds when asked. */
void scene_mask(struct scene *scene, uint32_t t, uint32_t on, bool noted);
/* What the code thread t is in leaves to wait for. */
void scene_leaves(struct scene *scene, uint32_t t, enum lp_wait_type wait);
/* What thread t holds in its state: a node without a lock. */
void scene_note(struct scene *scene, uint32_t t);
/* Context n strikes thread t; it ends. */
void scene_enter(struct scene *scene, uint32_t t, uint32_t n, uint32_t on);
void scene_leave(struct scene *scene, uint32_t t);
/* What the innermost frame of a thread holds. */
uint32_t scene_held_count(const struct scene *scene, uint32_t t);

/*
 * Thread t (started by nobody in process 0 when it is new) takes a lock of class n. `serial` 0: the
 * class number itself; SCENE_UNKNOWN: a witness that does not know.
 */
#define SCENE_UNKNOWN UINT64_MAX
uint32_t scene_take_as(struct scene *scene, uint32_t t, uint32_t n, uint64_t serial,
		       enum lp_mode mode, unsigned flags);
uint32_t scene_take(struct scene *scene, uint32_t t, uint32_t n);
/* Likewise, said to be nested in a lock of class `nest` (0: none; serial 0: any of them). */
struct scene_want {
	uint32_t	n;
	uint64_t	serial;
	enum lp_mode	mode;
	unsigned	flags;
	uint32_t	nest;
	uint64_t	nest_serial;
};
uint32_t scene_take_with(struct scene *scene, uint32_t t, const struct scene_want *want);
void scene_drop(struct scene *scene, uint32_t t);	/* the innermost */
/* What is `up` locks below the innermost; what lies above is chained anew, as moved. */
void scene_drop_below(struct scene *scene, uint32_t t, uint32_t up);
void scene_drop_all(struct scene *scene, uint32_t t);

/* Judge, and check that it works. */
void scene_judge(struct scene *scene);

/* What was found, leaving out what is covered: the number of findings of this sort. */
uint32_t scene_count(const struct scene *scene, enum lp_finding_kind kind, enum lp_level level);
/* The only finding that is not covered. Fails when there are more or none. */
const struct lp_finding *scene_only(const struct scene *scene);
uint32_t scene_told(const struct scene *scene);

/* A line for each finding that is not covered, sorted: equal for equal judgements. */
char *scene_summary(const struct lp_engine *engine, const struct lp_model *model);

#endif

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
#define SCENE_DEPTH	2048u

struct scene_held {
	uint32_t	node, fine;
	uint64_t	serial;
};

struct scene_thread {
	uint32_t	index, epoch;
	uint32_t	count;
	struct scene_held *held;
};

struct scene {
	struct lp_model	*model;
	struct lp_engine *engine;
	uint32_t	module, process[4];
	uint32_t	fine[SCENE_CLASSES];
	struct scene_thread *thread;	/* by number, from 1 */
	uint32_t	threads;	/* room */
};

struct scene *scene_open(void);
void scene_close(struct scene *scene);

/* Class n: made on first use, a mutex unless said before. Its fine class. */
uint32_t scene_class(struct scene *scene, uint32_t n);
uint32_t scene_class_of(struct scene *scene, uint32_t n, enum lp_lock_kind kind);
/* Class n as one static object. */
uint32_t scene_static(struct scene *scene, uint32_t n);

/* Process 0 exists; others are forked by `parent` (0: unrelated). */
void scene_fork(struct scene *scene, uint32_t process, uint32_t parent);
/* Thread t in a process, created by thread `creator` (0: by nobody). */
void scene_start(struct scene *scene, uint32_t t, uint32_t process, uint32_t creator);
void scene_join(struct scene *scene, uint32_t joiner, uint32_t joined);

/*
 * Thread t (started by nobody in process 0 when it is new) takes a lock of class n. `serial` 0: the
 * class number itself; SCENE_UNKNOWN: a witness that does not know.
 */
#define SCENE_UNKNOWN UINT64_MAX
uint32_t scene_take_as(struct scene *scene, uint32_t t, uint32_t n, uint64_t serial,
		       enum lp_mode mode, unsigned flags);
uint32_t scene_take(struct scene *scene, uint32_t t, uint32_t n);
void scene_drop(struct scene *scene, uint32_t t);	/* the innermost */
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

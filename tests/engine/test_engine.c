/* SPDX-License-Identifier: Apache-2.0 */
/* test_engine.c — directed cases: what is found, at which level, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"

enum { A = 1, B, C, D, G };

static void pair_as(struct scene *s, uint32_t t, uint32_t first, uint32_t second,
		    enum lp_mode mode, unsigned flags)
{
	scene_take(s, t, first);
	scene_take_as(s, t, second, 0, mode, flags);
	scene_drop_all(s, t);
}

static void pair(struct scene *s, uint32_t t, uint32_t first, uint32_t second)
{
	pair_as(s, t, first, second, LP_WRITE, 0);
}

static void locks(struct scene *s, uint32_t t, uint32_t class, uint64_t first, uint64_t second)
{
	scene_take_as(s, t, class, first, LP_WRITE, 0);
	scene_take_as(s, t, class, second, LP_WRITE, 0);
	scene_drop_all(s, t);
}

static void expect(struct scene *s, enum lp_finding_kind kind, enum lp_level level,
		   enum lp_reason reason)
{
	const struct lp_finding *f;

	scene_judge(s);
	f = scene_only(s);
	assert_int_equal(f->kind, kind);
	assert_int_equal(f->level, level);
	assert_int_equal(f->reason, reason);
	scene_close(s);
}

static void expect_circular(struct scene *s, enum lp_level level, enum lp_reason reason)
{
	expect(s, LP_FINDING_CIRCULAR_LOCKING, level, reason);
}

static void expect_none(struct scene *s)
{
	scene_judge(s);
	assert_int_equal(lp_engine_finding_count(s->engine), 0);
	scene_close(s);
}

static void test_consistent(void **state)
{
	struct scene *s = scene_open();

	pair(s, 1, A, B);
	pair(s, 2, B, C);
	pair(s, 3, A, C);
	scene_judge(s);
	assert_int_equal(lp_engine_stats(s->engine).edges, 3);
	expect_none(s);
}

static void test_abba(void **state)
{
	struct scene *s = scene_open();
	const struct lp_finding *f;

	pair(s, 1, A, B);
	pair(s, 2, B, A);
	scene_judge(s);
	f = scene_only(s);
	assert_int_equal(f->edge_count, 2);
	for (uint32_t i = 0; i < 2; i++) {
		const struct lp_finding_edge *e = &f->edge[i], *next = &f->edge[1 - i];

		assert_int_equal(s->model->nodes.at[e->wanted].parent, e->held);
		assert_int_equal(lp_model_node_class(s->model, e->wanted),
				 lp_model_node_class(s->model, next->held));
		assert_int_equal(s->model->witnesses.at[e->witness].node, e->wanted);
		assert_int_equal(s->model->witnesses.at[e->witness].thread, e->thread);
	}
	assert_int_not_equal(f->edge[0].thread, f->edge[1].thread);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
}

static void test_gate(void **state)
{
	struct scene *s = scene_open();
	const struct lp_finding *f;

	for (uint32_t t = 1; t <= 2; t++) {
		scene_take(s, t, G);
		scene_take(s, t, t == 1 ? A : B);
		scene_take(s, t, t == 1 ? B : A);
		scene_drop_all(s, t);
	}
	scene_judge(s);
	f = scene_only(s);
	assert_int_equal(s->model->nodes.at[f->gate].fine, scene_class(s, G));
	expect_circular(s, LP_POSSIBLE, LP_REASON_GATE);
}

static void test_shared_gate(void **state)
{
	struct scene *s = scene_open();

	scene_class_of(s, G, LP_LOCK_RWLOCK);
	for (uint32_t t = 1; t <= 2; t++) {
		scene_take_as(s, t, G, 0, LP_READ, LP_PREFER);
		scene_take(s, t, t == 1 ? A : B);
		scene_take(s, t, t == 1 ? B : A);
		scene_drop_all(s, t);
	}
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
}

static void test_half_shared_gate(void **state)
{
	struct scene *s = scene_open();

	scene_class_of(s, G, LP_LOCK_RWLOCK);
	for (uint32_t t = 1; t <= 2; t++) {
		scene_take_as(s, t, G, 0, t == 1 ? LP_READ : LP_WRITE, LP_PREFER);
		scene_take(s, t, t == 1 ? A : B);
		scene_take(s, t, t == 1 ? B : A);
		scene_drop_all(s, t);
	}
	expect_circular(s, LP_POSSIBLE, LP_REASON_GATE);
}

static void test_one_thread(void **state)
{
	struct scene *s = scene_open();

	pair(s, 1, A, B);
	pair(s, 1, B, A);
	expect_circular(s, LP_POSSIBLE, LP_REASON_ONE_THREAD);
}

static void test_joined_before_created(void **state)
{
	struct scene *s = scene_open();

	scene_start(s, 1, 0, 0);
	scene_start(s, 2, 0, 1);
	pair(s, 2, A, B);
	scene_join(s, 1, 2);
	scene_start(s, 3, 0, 1);
	pair(s, 3, B, A);
	expect_circular(s, LP_POSSIBLE, LP_REASON_ORDERED);
}

static void test_before_creation(void **state)
{
	struct scene *s = scene_open();

	scene_start(s, 1, 0, 0);
	pair(s, 1, A, B);
	scene_start(s, 2, 0, 1);
	pair(s, 2, B, A);
	scene_judge(s);
	assert_int_equal(scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_POSSIBLE), 1);
	/* The creator does the same again, now beside its child. */
	pair(s, 1, A, B);
	scene_judge(s);
	assert_int_equal(scene_only(s)->revision, 2);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
}

/* Ordered through a third thread: 2 is joined by 3, which creates 4. */
static void test_ordered_by_others(void **state)
{
	struct scene *s = scene_open();

	scene_start(s, 1, 0, 0);
	scene_start(s, 2, 0, 1);
	scene_start(s, 3, 0, 1);
	scene_start(s, 5, 0, 2);
	pair(s, 5, A, B);
	scene_join(s, 2, 5);
	scene_join(s, 3, 2);
	scene_start(s, 4, 0, 3);
	pair(s, 4, B, A);
	expect_circular(s, LP_POSSIBLE, LP_REASON_ORDERED);
}

static void readers(struct scene *s, unsigned flags)
{
	scene_class_of(s, A, LP_LOCK_RWLOCK);
	scene_class_of(s, B, LP_LOCK_RWLOCK);
	for (uint32_t t = 1; t <= 2; t++) {
		scene_take_as(s, t, t == 1 ? A : B, 0, LP_READ, flags);
		scene_take_as(s, t, t == 1 ? B : A, 0, LP_READ, flags);
		scene_drop_all(s, t);
	}
}

static void test_readers(void **state)
{
	struct scene *s = scene_open();

	readers(s, LP_PREFER);
	expect_circular(s, LP_POSSIBLE, LP_REASON_READERS);
	s = scene_open();
	readers(s, 0);
	expect_circular(s, LP_POSSIBLE, LP_REASON_READERS);
}

static void writer(struct scene *s, uint32_t t, uint32_t n, unsigned flags)
{
	scene_take_as(s, t, n, 0, LP_WRITE, flags);
	scene_drop_all(s, t);
}

/* Readers that wait behind writers, and writers: one for each lock, of threads of their own. */
static void test_readers_and_writers(void **state)
{
	struct scene *s = scene_open();

	readers(s, 0);
	writer(s, 3, A, 0);
	writer(s, 3, B, 0);
	writer(s, 1, A, 0);
	writer(s, 4, A, LP_TRY);
	writer(s, 5, A, LP_TIMED);
	scene_judge(s);
	assert_int_equal(scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_POSSIBLE), 1);
	writer(s, 4, B, 0);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);

	s = scene_open();
	readers(s, LP_PREFER);
	writer(s, 3, A, 0);
	writer(s, 4, B, 0);
	expect_circular(s, LP_POSSIBLE, LP_REASON_READERS);
}

static void test_recursive_readers(void **state)
{
	struct scene *s = scene_open();

	scene_class_of(s, A, LP_LOCK_RWLOCK);
	scene_take_as(s, 1, A, 0, LP_READ_RECURSIVE, 0);
	scene_take(s, 1, B);
	scene_drop_all(s, 1);
	scene_take(s, 2, B);
	scene_take_as(s, 2, A, 0, LP_READ_RECURSIVE, 0);
	scene_drop_all(s, 2);
	expect_none(s);
}

/* A held exclusively meets a recursive reader: that blocks. */
static void test_reader_meets_writer(void **state)
{
	struct scene *s = scene_open();

	scene_class_of(s, A, LP_LOCK_RWLOCK);
	pair(s, 1, A, B);
	pair_as(s, 2, B, A, LP_READ, LP_PREFER);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
}

/* Lockdep's FN1: the edge A -> C behind a recursive reader is lost there. */
static void test_behind_recursive_reader(void **state)
{
	struct scene *s = scene_open();

	scene_class_of(s, B, LP_LOCK_RWLOCK);
	scene_take(s, 1, A);
	scene_take_as(s, 1, B, 0, LP_READ_RECURSIVE, 0);
	scene_take(s, 1, C);
	scene_drop_all(s, 1);
	pair(s, 2, C, A);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
}

/* Lockdep's FN2 and FN3: a class must be looked at once for each way it was entered. */
static void test_two_ways_in(void **state)
{
	enum { X = 10, Y, M, N };
	struct scene *s = scene_open();

	scene_class_of(s, M, LP_LOCK_RWLOCK);
	pair_as(s, 1, A, M, LP_READ_RECURSIVE, 0);
	pair(s, 2, A, Y);
	pair(s, 3, Y, M);
	scene_take_as(s, 4, M, 0, LP_READ_RECURSIVE, 0);
	scene_take(s, 4, N);
	scene_drop_all(s, 4);
	pair(s, 5, N, A);
	scene_judge(s);
	assert_int_equal(scene_only(s)->edge_count, 4);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
}

static void test_trylock(void **state)
{
	struct scene *s = scene_open();

	pair_as(s, 1, A, B, LP_WRITE, LP_TRY);
	pair_as(s, 2, B, A, LP_WRITE, LP_TRY);
	expect_none(s);

	/* As the outer lock it is like any other. */
	s = scene_open();
	for (uint32_t t = 1; t <= 2; t++) {
		scene_take_as(s, t, t == 1 ? A : B, 0, LP_WRITE, LP_TRY);
		scene_take(s, t, t == 1 ? B : A);
		scene_drop_all(s, t);
	}
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
}

static void test_timed(void **state)
{
	struct scene *s = scene_open();

	pair_as(s, 1, A, B, LP_WRITE, LP_TIMED);
	pair(s, 2, B, A);
	expect_circular(s, LP_POSSIBLE, LP_REASON_TIMED);
}

static void test_ring(void **state)
{
	static const uint32_t lengths[] = { 2, 3, 5, 10, 25, 200 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct scene *s = scene_open();
		uint32_t n = lengths[i];

		for (uint32_t k = 0; k < n; k++)
			pair(s, 1 + k, 1 + k, 1 + (k + 1) % n);
		scene_judge(s);
		assert_int_equal(scene_only(s)->edge_count, n);
		expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
	}
}

/* The level of a long ring is as exact as that of a short one. */
static void test_ring_with_one_thread_twice(void **state)
{
	struct scene *s = scene_open();

	for (uint32_t k = 0; k < 25; k++)
		pair(s, k == 24 ? 7 : 1 + k, 1 + k, 1 + (k + 1) % 25);
	scene_judge(s);
	assert_int_equal(scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_POSSIBLE), 1);
	pair(s, 60, 25, 1);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
}

static void test_other_instances(void **state)
{
	struct scene *s = scene_open();

	scene_take_as(s, 1, A, 11, LP_WRITE, 0);
	scene_take_as(s, 1, B, 21, LP_WRITE, 0);
	scene_drop_all(s, 1);
	scene_take_as(s, 2, B, 22, LP_WRITE, 0);
	scene_take_as(s, 2, A, 11, LP_WRITE, 0);
	scene_drop_all(s, 2);
	scene_judge(s);
	assert_int_equal(scene_only(s)->reason, LP_REASON_INSTANCES);
	scene_take_as(s, 3, B, 21, LP_WRITE, 0);
	scene_take_as(s, 3, A, 11, LP_WRITE, 0);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
}

static void test_unknown_instances(void **state)
{
	struct scene *s = scene_open();

	scene_take_as(s, 1, A, 0, LP_WRITE, 0);
	scene_take_as(s, 1, B, SCENE_UNKNOWN, LP_WRITE, 0);
	pair(s, 2, B, A);
	expect_circular(s, LP_POSSIBLE, LP_REASON_INSTANCES);

	/* A static object is itself, serial or not. */
	s = scene_open();
	scene_static(s, B);
	scene_take_as(s, 1, A, 0, LP_WRITE, 0);
	scene_take_as(s, 1, B, SCENE_UNKNOWN, LP_WRITE, 0);
	pair(s, 2, B, A);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
}

static void test_unknown_gate(void **state)
{
	struct scene *s = scene_open();

	for (uint32_t t = 1; t <= 2; t++) {
		scene_take_as(s, t, G, t == 1 ? SCENE_UNKNOWN : 5, LP_WRITE, 0);
		scene_take(s, t, t == 1 ? A : B);
		scene_take(s, t, t == 1 ? B : A);
	}
	expect_circular(s, LP_POSSIBLE, LP_REASON_GATE);
}

static void test_processes(void **state)
{
	struct scene *s = scene_open();

	scene_start(s, 1, 0, 0);
	scene_fork(s, 1, 1);
	scene_start(s, 2, 1, 0);
	pair(s, 1, A, B);
	pair(s, 2, B, A);
	expect_circular(s, LP_POSSIBLE, LP_REASON_PROCESSES);
}

static void test_relock(void **state)
{
	struct scene *s = scene_open();

	pair(s, 1, A, A);
	scene_judge(s);
	assert_int_equal(scene_only(s)->edge_count, 1);
	expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_FEASIBLE, LP_REASON_ITSELF);

	s = scene_open();
	scene_class_of(s, A, LP_LOCK_RECURSIVE);
	pair(s, 1, A, A);
	expect_none(s);

	s = scene_open();
	pair_as(s, 1, A, A, LP_WRITE, LP_TRY);
	expect_none(s);

	s = scene_open();
	pair_as(s, 1, A, A, LP_WRITE, LP_TIMED);
	expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_POSSIBLE, LP_REASON_TIMED);
}

static void relock_rw(struct scene *s, enum lp_mode first, enum lp_mode second, unsigned flags)
{
	scene_class_of(s, A, LP_LOCK_RWLOCK);
	scene_take_as(s, 1, A, 0, first, flags);
	scene_take_as(s, 1, A, 0, second, flags);
	scene_drop_all(s, 1);
}

static void test_relock_rwlock(void **state)
{
	struct scene *s = scene_open();

	relock_rw(s, LP_READ, LP_WRITE, LP_PREFER);
	expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_FEASIBLE, LP_REASON_ITSELF);
	s = scene_open();
	relock_rw(s, LP_WRITE, LP_READ, LP_PREFER);
	expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_FEASIBLE, LP_REASON_ITSELF);
	s = scene_open();
	relock_rw(s, LP_READ, LP_READ, LP_PREFER);
	expect_none(s);
	s = scene_open();
	relock_rw(s, LP_READ, LP_READ_RECURSIVE, 0);
	expect_none(s);
	s = scene_open();
	relock_rw(s, LP_READ, LP_READ, 0);
	writer(s, 1, A, 0);
	scene_judge(s);
	assert_int_equal(scene_only(s)->reason, LP_REASON_READERS);
	writer(s, 2, A, 0);
	expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_FEASIBLE, LP_REASON_ITSELF);
}

static void test_same_class(void **state)
{
	struct scene *s = scene_open();

	for (uint64_t i = 1; i < 50; i++)
		locks(s, 1 + i % 3, A, i, i + 1);
	expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_POSSIBLE, LP_REASON_SAME_CLASS);
}

static void test_same_class_inverted(void **state)
{
	struct scene *s = scene_open();

	locks(s, 1, A, 1, 2);
	scene_judge(s);
	assert_int_equal(scene_only(s)->reason, LP_REASON_SAME_CLASS);
	locks(s, 2, A, 2, 1);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);

	s = scene_open();
	locks(s, 1, A, 1, 2);
	locks(s, 1, A, 2, 1);
	expect_circular(s, LP_POSSIBLE, LP_REASON_ONE_THREAD);
}

static void test_philosophers(void **state)
{
	struct scene *s = scene_open();

	for (uint32_t i = 0; i < 5; i++)
		locks(s, 1 + i, A, 100 + i, 100 + (i + 1) % 5);
	scene_judge(s);
	assert_int_equal(scene_only(s)->edge_count, 5);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);

	/* One of them left-handed: no cycle. */
	s = scene_open();
	for (uint32_t i = 0; i < 4; i++)
		locks(s, 1 + i, A, 100 + i, 101 + i);
	locks(s, 5, A, 100, 104);
	expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_POSSIBLE, LP_REASON_SAME_CLASS);
}

/* A1 -> A2, A2 -> B, B -> A1: the class graph alone sees A -> B -> A on other locks only. */
static void test_mixed_classes(void **state)
{
	struct scene *s = scene_open();

	locks(s, 1, A, 1, 2);
	scene_take_as(s, 2, A, 2, LP_WRITE, 0);
	scene_take_as(s, 2, B, 9, LP_WRITE, 0);
	scene_take_as(s, 3, B, 9, LP_WRITE, 0);
	scene_take_as(s, 3, A, 1, LP_WRITE, 0);
	scene_judge(s);
	assert_int_equal(scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_FEASIBLE), 1);
	assert_int_equal(scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_POSSIBLE), 1);
	assert_int_equal(scene_count(s, LP_FINDING_RECURSIVE_LOCKING, LP_POSSIBLE), 1);
	scene_close(s);
}

/* A shorter possible cycle must not hide a longer feasible one through the same new edge. */
static void test_longer_feasible(void **state)
{
	struct scene *s = scene_open();

	pair(s, 1, A, B);		/* A -> B, B -> A: one thread */
	pair(s, 2, A, C);
	pair(s, 3, C, B);
	pair(s, 1, B, A);		/* closes both */
	scene_judge(s);
	assert_int_equal(scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_POSSIBLE), 1);
	assert_int_equal(scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_FEASIBLE), 1);
	/* The shorter is feasible too; the longer has orders of its own, to be mended apart. */
	pair(s, 4, A, B);
	scene_judge(s);
	assert_int_equal(scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_FEASIBLE), 2);
	/* Until all its pairs are in shorter ones. */
	pair(s, 5, C, A);
	pair(s, 6, B, C);
	scene_judge(s);
	assert_int_equal(scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_FEASIBLE), 3);
	assert_int_equal(scene_told(s), 3);
	scene_close(s);
}

/* Facts that come in pieces: a node first, its witness later. */
static void test_node_without_witness(void **state)
{
	struct scene *s = scene_open();
	struct lp_model_node node = { .mode = LP_WRITE, .depth = 1 };

	pair(s, 1, A, B);
	node.fine = scene_class(s, B);
	node.parent = lp_model_add_node(s->model, &node);
	node.depth = 2;
	node.fine = scene_class(s, A);
	lp_model_add_node(s->model, &node);
	scene_judge(s);
	assert_int_equal(scene_only(s)->level, LP_POSSIBLE);
	assert_true(scene_only(s)->edge[0].witness == 0 || scene_only(s)->edge[1].witness == 0);
	pair(s, 2, B, A);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
}

enum { HANDLER = 30, OTHER_HANDLER, C1 = 1, C2 };

static void take_as(struct scene *s, uint32_t t, uint32_t n, enum lp_mode mode, unsigned flags)
{
	scene_take_as(s, t, n, 0, mode, flags);
	scene_drop(s, t);
}

/* Thread t holds a lock where the contexts of `on` can strike. */
static void hold(struct scene *s, uint32_t t, uint32_t n, uint32_t on, enum lp_mode mode,
		 unsigned flags)
{
	scene_mask(s, t, on, false);
	take_as(s, t, n, mode, flags);
	scene_mask(s, t, 0, false);
}

/* Handlers that run anywhere, of contexts 1 and 2. */
static struct scene *handlers_open(enum lp_lock_kind kind)
{
	struct scene *s = scene_open();

	for (uint32_t n = A; n <= G; n++)
		scene_class_of(s, n, kind);
	scene_float(s, HANDLER, 0, C1, 0);
	scene_float(s, OTHER_HANDLER, 0, C2, 0);
	return s;
}

/* One lock, held where the handler can strike, and taken by the handler. */
static void test_inconsistent(void **state)
{
	static const struct {
		enum lp_mode held, wanted;
		unsigned flags;
		bool found;
		enum lp_level level;
		enum lp_reason reason;
	} cases[] = {
		{ LP_WRITE, LP_WRITE, 0, true, LP_FEASIBLE, LP_REASON_INTERRUPT },
		{ LP_WRITE, LP_READ, 0, true, LP_FEASIBLE, LP_REASON_INTERRUPT },
		{ LP_WRITE, LP_READ_RECURSIVE, 0, true, LP_FEASIBLE, LP_REASON_INTERRUPT },
		{ LP_READ, LP_WRITE, 0, true, LP_FEASIBLE, LP_REASON_INTERRUPT },
		{ LP_READ_RECURSIVE, LP_WRITE, 0, true, LP_FEASIBLE, LP_REASON_INTERRUPT },
		{ LP_READ, LP_READ, 0, true, LP_POSSIBLE, LP_REASON_READERS },
		{ LP_READ, LP_READ, LP_PREFER, true, LP_POSSIBLE, LP_REASON_READERS },
		{ LP_READ, LP_READ_RECURSIVE, 0, false, 0, 0 },
		{ LP_READ_RECURSIVE, LP_READ_RECURSIVE, 0, false, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct scene *s = handlers_open(LP_LOCK_K_RWLOCK);

		hold(s, 1, A, 1u << C1, cases[i].held, cases[i].flags);
		take_as(s, HANDLER, A, cases[i].wanted, cases[i].flags);
		if (cases[i].found)
			expect(s, LP_FINDING_INCONSISTENT_LOCK_STATE, cases[i].level,
			       cases[i].reason);
		else
			expect_none(s);
	}
}

/* A reader that queues behind a writer: the writer is one more thread. */
static void test_inconsistent_readers(void **state)
{
	struct scene *s = handlers_open(LP_LOCK_K_RWLOCK);

	hold(s, 1, A, 1u << C1, LP_READ, 0);
	take_as(s, HANDLER, A, LP_READ, 0);
	take_as(s, 1, A, LP_WRITE, 0);
	scene_judge(s);
	assert_int_equal(scene_only(s)->reason, LP_REASON_READERS);
	take_as(s, 2, A, LP_WRITE, 0);
	expect(s, LP_FINDING_INCONSISTENT_LOCK_STATE, LP_FEASIBLE, LP_REASON_INTERRUPT);
}

static void test_not_inconsistent(void **state)
{
	struct scene *s = handlers_open(LP_LOCK_K_SPINLOCK);

	/* masked */
	hold(s, 1, A, 0, LP_WRITE, 0);
	/* another context can strike */
	hold(s, 1, A, 1u << C2, LP_WRITE, 0);
	take_as(s, HANDLER, A, LP_WRITE, 0);
	/* another lock */
	hold(s, 1, B, 1u << C1, LP_WRITE, 0);
	expect_none(s);

	/* tried by the handler, which then goes on without it */
	s = handlers_open(LP_LOCK_K_SPINLOCK);
	hold(s, 1, A, 1u << C1, LP_WRITE, 0);
	take_as(s, HANDLER, A, LP_WRITE, LP_TRY);
	expect_none(s);

	/* one that counts */
	s = handlers_open(LP_LOCK_RECURSIVE);
	hold(s, 1, A, 1u << C1, LP_WRITE, 0);
	take_as(s, HANDLER, A, LP_WRITE, 0);
	expect_none(s);
}

/* A lock that every CPU has for itself is the same one for what strikes on its CPU. */
static void test_per_cpu(void **state)
{
	struct scene *s = handlers_open(LP_LOCK_K_LOCAL_LOCK);

	hold(s, 1, A, 1u << C1, LP_WRITE, 0);
	take_as(s, HANDLER, A, LP_WRITE, 0);
	expect(s, LP_FINDING_INCONSISTENT_LOCK_STATE, LP_FEASIBLE, LP_REASON_INTERRUPT);
}

/* Taken with a trylock it is held like any other. */
static void test_tried_outside(void **state)
{
	struct scene *s = handlers_open(LP_LOCK_K_SPINLOCK);

	hold(s, 1, A, 1u << C1, LP_WRITE, LP_TRY);
	take_as(s, HANDLER, A, LP_WRITE, 0);
	expect(s, LP_FINDING_INCONSISTENT_LOCK_STATE, LP_FEASIBLE, LP_REASON_INTERRUPT);
}

/* A handler seen on a thread: on the holder's own, or on another one's. */
static void test_handler_on_thread(void **state)
{
	for (uint32_t t = 1; t <= 2; t++) {
		struct scene *s = scene_open();
		const struct lp_finding *f;

		hold(s, 1, A, 1u << C1, LP_WRITE, 0);
		scene_take(s, t, B);
		scene_enter(s, t, C1, 0);
		take_as(s, t, A, LP_WRITE, 0);
		scene_leave(s, t);
		scene_judge(s);
		f = scene_only(s);
		assert_int_equal(f->edge_count, 1);
		assert_int_equal(f->edge[0].context, s->context[C1]);
		assert_int_equal(f->edge[0].thread, s->thread[1].index);
		assert_int_not_equal(f->edge[0].striker, 0);
		expect(s, LP_FINDING_INCONSISTENT_LOCK_STATE, LP_FEASIBLE, LP_REASON_INTERRUPT);
	}
}

/* The holders and handlers of other processes are no matter. */
static void test_handler_elsewhere(void **state)
{
	struct scene *s = scene_open();

	scene_fork(s, 1, 0);
	scene_start(s, 1, 1, 0);
	scene_float(s, HANDLER, 0, C1, 0);
	hold(s, 1, A, 1u << C1, LP_WRITE, 0);
	take_as(s, HANDLER, A, LP_WRITE, 0);
	expect(s, LP_FINDING_INCONSISTENT_LOCK_STATE, LP_POSSIBLE, LP_REASON_PROCESSES);

	s = handlers_open(LP_LOCK_K_SPINLOCK);
	hold(s, 1, A, 1u << C1, LP_WRITE, 0);
	scene_take_as(s, HANDLER, A, 77, LP_WRITE, 0);
	expect(s, LP_FINDING_INCONSISTENT_LOCK_STATE, LP_POSSIBLE, LP_REASON_INSTANCES);
}

/* Interrupts are let in while the lock is held. */
static void test_state_node(void **state)
{
	struct scene *s = handlers_open(LP_LOCK_K_SPINLOCK);

	scene_take(s, 1, A);
	scene_mask(s, 1, 1u << C1, true);
	take_as(s, HANDLER, A, LP_WRITE, 0);
	expect(s, LP_FINDING_INCONSISTENT_LOCK_STATE, LP_FEASIBLE, LP_REASON_INTERRUPT);

	s = handlers_open(LP_LOCK_K_SPINLOCK);
	scene_take(s, 1, A);
	scene_mask(s, 1, 1u << C2, true);
	scene_drop(s, 1);
	scene_mask(s, 1, 1u << C1, true);
	take_as(s, HANDLER, A, LP_WRITE, 0);
	expect_none(s);
}

/* Released from the middle, the rest is noted as it is. */
static void test_state_node_moved(void **state)
{
	struct scene *s = handlers_open(LP_LOCK_K_SPINLOCK);

	scene_take(s, 1, B);
	scene_take(s, 1, A);
	scene_drop_below(s, 1, 1);
	scene_mask(s, 1, 1u << C1, true);
	take_as(s, HANDLER, B, LP_WRITE, 0);
	scene_judge(s);
	/* A is held, B leads to it: one thread did both */
	assert_int_equal(scene_only(s)->kind, LP_FINDING_IRQ_UNSAFE_LOCK_ORDER);
	assert_int_equal(scene_only(s)->reason, LP_REASON_ONE_THREAD);
	take_as(s, HANDLER, A, LP_WRITE, 0);
	expect(s, LP_FINDING_INCONSISTENT_LOCK_STATE, LP_FEASIBLE, LP_REASON_INTERRUPT);
}

enum { UNSAFE_EVENTS = 3 };

static void unsafe_event(struct scene *s, uint32_t event)
{
	if (event == 0)
		take_as(s, HANDLER, A, LP_WRITE, 0);
	else if (event == 1)
		pair(s, 1, A, B);
	else
		hold(s, 2, B, 1u << C1, LP_WRITE, 0);
}

/* A is taken by the handler, B held where it can strike, B is taken under A. */
static void test_unsafe_order(void **state)
{
	static const uint32_t orders[][UNSAFE_EVENTS] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	uint64_t id = 0;

	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		struct scene *s = handlers_open(LP_LOCK_K_SPINLOCK);

		for (uint32_t k = 0; k < UNSAFE_EVENTS; k++) {
			scene_judge(s);
			assert_int_equal(scene_told(s), 0);
			unsafe_event(s, orders[i][k]);
		}
		scene_judge(s);
		assert_int_equal(scene_only(s)->edge_count, 2);
		assert_true(!id || id == scene_only(s)->id);
		id = scene_only(s)->id;
		expect(s, LP_FINDING_IRQ_UNSAFE_LOCK_ORDER, LP_FEASIBLE, LP_REASON_INTERRUPT);
	}
}

static void test_unsafe_order_harmless(void **state)
{
	struct scene *s = handlers_open(LP_LOCK_K_SPINLOCK);

	/* one thread does both */
	take_as(s, HANDLER, A, LP_WRITE, 0);
	pair(s, 1, A, B);
	hold(s, 1, B, 1u << C1, LP_WRITE, 0);
	expect(s, LP_FINDING_IRQ_UNSAFE_LOCK_ORDER, LP_POSSIBLE, LP_REASON_ONE_THREAD);

	/* a lock around both */
	s = handlers_open(LP_LOCK_K_SPINLOCK);
	take_as(s, HANDLER, A, LP_WRITE, 0);
	scene_take(s, 1, G);
	scene_take(s, 1, A);
	scene_take(s, 1, B);
	scene_take(s, 2, G);
	hold(s, 2, B, 1u << C1, LP_WRITE, 0);
	expect(s, LP_FINDING_IRQ_UNSAFE_LOCK_ORDER, LP_POSSIBLE, LP_REASON_GATE);

	/* B only tried under A */
	s = handlers_open(LP_LOCK_K_SPINLOCK);
	take_as(s, HANDLER, A, LP_WRITE, 0);
	pair_as(s, 1, A, B, LP_WRITE, LP_TRY);
	hold(s, 2, B, 1u << C1, LP_WRITE, 0);
	expect_none(s);
}

/* Behind a recursive reader: what lockdep loses for interrupts too (FN1). */
static void test_unsafe_order_behind_reader(void **state)
{
	struct scene *s = handlers_open(LP_LOCK_K_RWLOCK);

	take_as(s, HANDLER, A, LP_WRITE, 0);
	scene_take(s, 1, A);
	scene_take_as(s, 1, B, 0, LP_READ_RECURSIVE, 0);
	scene_take(s, 1, C);
	hold(s, 2, C, 1u << C1, LP_WRITE, 0);
	expect(s, LP_FINDING_IRQ_UNSAFE_LOCK_ORDER, LP_FEASIBLE, LP_REASON_INTERRUPT);

	/* a recursive read of what is only read where it can be struck blocks nobody */
	s = handlers_open(LP_LOCK_K_RWLOCK);
	take_as(s, HANDLER, A, LP_WRITE, 0);
	pair_as(s, 1, A, B, LP_READ_RECURSIVE, 0);
	hold(s, 2, B, 1u << C1, LP_READ, 0);
	expect_none(s);

	s = handlers_open(LP_LOCK_K_RWLOCK);
	take_as(s, HANDLER, A, LP_WRITE, 0);
	pair_as(s, 1, A, B, LP_READ_RECURSIVE, 0);
	hold(s, 2, B, 1u << C1, LP_WRITE, 0);
	expect(s, LP_FINDING_IRQ_UNSAFE_LOCK_ORDER, LP_FEASIBLE, LP_REASON_INTERRUPT);
}

static void test_inversion(void **state)
{
	struct scene *s = handlers_open(LP_LOCK_K_SPINLOCK);

	take_as(s, HANDLER, A, LP_WRITE, 0);
	pair(s, 1, A, B);
	pair(s, 2, B, C);
	hold(s, 3, C, 1u << C1, LP_WRITE, 0);
	expect(s, LP_FINDING_IRQ_LOCK_INVERSION, LP_FEASIBLE, LP_REASON_INTERRUPT);
}

/* Each of two contexts strikes a holder and wants what the other one's holds. */
static struct scene *two_contexts(unsigned once)
{
	struct scene *s = scene_open();

	scene_float(s, HANDLER, 0, C1, once);
	scene_float(s, OTHER_HANDLER, 0, C2, 0);
	hold(s, 1, A, 1u << C1, LP_WRITE, 0);
	scene_mask(s, HANDLER, 1u << C2, false);
	take_as(s, HANDLER, B, LP_WRITE, 0);
	take_as(s, OTHER_HANDLER, A, LP_WRITE, 0);
	return s;
}

/* Thread 1 holds A, struck by 1, which wants B; another 1 holds it, struck by 2, which wants A. */
static void test_two_contexts(void **state)
{
	expect(two_contexts(0), LP_FINDING_IRQ_LOCK_INVERSION, LP_FEASIBLE, LP_REASON_INTERRUPT);
	expect(two_contexts(LP_THREAD_ONCE), LP_FINDING_IRQ_LOCK_INVERSION, LP_POSSIBLE,
	       LP_REASON_ONCE);
}

/* On top of one another on one CPU, the upper wants what the thread below them holds. */
static void test_nested_contexts(void **state)
{
	struct scene *s = scene_open();

	scene_mask(s, 1, 1u << C1 | 1u << C2, false);
	scene_take(s, 1, A);
	scene_enter(s, 1, C1, 1u << C2);
	scene_take(s, 1, B);
	scene_enter(s, 1, C2, 0);
	take_as(s, 1, A, LP_WRITE, 0);
	scene_leave(s, 1);
	scene_leave(s, 1);
	scene_judge(s);
	assert_int_equal(scene_count(s, LP_FINDING_INCONSISTENT_LOCK_STATE, LP_FEASIBLE), 1);
	scene_close(s);
}

/* What both of them hold keeps holder and handler apart. */
static void test_gate_in_handler(void **state)
{
	struct scene *s = handlers_open(LP_LOCK_K_SPINLOCK);

	scene_take(s, 1, G);
	hold(s, 1, A, 1u << C1, LP_WRITE, 0);
	pair(s, HANDLER, G, A);
	expect(s, LP_FINDING_INCONSISTENT_LOCK_STATE, LP_POSSIBLE, LP_REASON_GATE);
}

/* One handler on two CPUs, its locks in both orders; never on two, or on two. */
static void test_floating(void **state)
{
	for (unsigned once = 0; once < 2; once++) {
		struct scene *s = scene_open();

		scene_float(s, HANDLER, 0, C1, once ? LP_THREAD_ONCE : 0);
		pair(s, HANDLER, A, B);
		pair(s, HANDLER, B, A);
		expect_circular(s, once ? LP_POSSIBLE : LP_FEASIBLE,
				once ? LP_REASON_ONCE : LP_REASON_CONCURRENT);
	}
}

/* The shortest cycle says where to mask; that another lock leads back to it says no more. */
static void test_same_hold_covers(void **state)
{
	struct scene *s = handlers_open(LP_LOCK_K_SPINLOCK);

	hold(s, 1, A, 1u << C1, LP_WRITE, 0);
	take_as(s, HANDLER, B, LP_WRITE, 0);
	pair(s, 2, B, A);
	scene_judge(s);
	assert_int_equal(scene_only(s)->kind, LP_FINDING_IRQ_UNSAFE_LOCK_ORDER);
	take_as(s, HANDLER, A, LP_WRITE, 0);
	expect(s, LP_FINDING_INCONSISTENT_LOCK_STATE, LP_FEASIBLE, LP_REASON_INTERRUPT);

	/* another lock held there is another cause */
	s = handlers_open(LP_LOCK_K_SPINLOCK);
	hold(s, 1, A, 1u << C1, LP_WRITE, 0);
	hold(s, 1, B, 1u << C1, LP_WRITE, 0);
	take_as(s, HANDLER, B, LP_WRITE, 0);
	pair(s, 2, B, A);
	scene_judge(s);
	assert_int_equal(scene_count(s, LP_FINDING_INCONSISTENT_LOCK_STATE, LP_FEASIBLE), 1);
	assert_int_equal(scene_count(s, LP_FINDING_IRQ_UNSAFE_LOCK_ORDER, LP_FEASIBLE), 1);
	scene_close(s);
}

/* What cannot happen hides nothing: a lock that counts, and one in order with it. */
static void test_harmless_covers_nothing(void **state)
{
	struct scene *s = scene_open();

	scene_class_of(s, A, LP_LOCK_RECURSIVE);
	scene_float(s, HANDLER, 0, C1, 0);
	hold(s, 1, A, 1u << C1, LP_WRITE, 0);
	take_as(s, HANDLER, B, LP_WRITE, 0);
	pair(s, 2, B, A);
	scene_judge(s);
	take_as(s, HANDLER, A, LP_WRITE, 0);
	expect(s, LP_FINDING_IRQ_UNSAFE_LOCK_ORDER, LP_FEASIBLE, LP_REASON_INTERRUPT);
}

static void test_usage(void **state)
{
	struct scene *s = handlers_open(LP_LOCK_K_RWLOCK);
	uint32_t a, context = s->context[C1], node;

	hold(s, 1, A, 1u << C1, LP_READ, 0);
	take_as(s, HANDLER, A, LP_READ_RECURSIVE, 0);
	scene_mask(s, 1, 1u << C1, false);
	node = scene_take(s, 1, A);
	scene_judge(s);
	a = s->model->fines.at[s->fine[A]].class_index;
	assert_int_equal(lp_engine_usage(s->engine, a, context),
			 LP_USED_ON | LP_USED_ON_READ | LP_USED_IN_READ);
	assert_int_equal(lp_engine_usage_node(s->engine, a, context, LP_USED_ON), node);
	assert_int_equal(lp_engine_usage_node(s->engine, a, context, LP_USED_IN), 0);
	assert_int_equal(lp_engine_usage(s->engine, a, s->context[C2]), 0);
	scene_close(s);
}

static void test_no_validation(void **state)
{
	struct scene *s = scene_open();

	scene_class_with(s, A, LP_LOCK_K_MUTEX, LP_CLASS_NOVALIDATE);
	pair(s, 1, A, B);
	pair(s, 2, B, A);
	locks(s, 1, A, 1, 2);
	locks(s, 2, A, 2, 1);
	hold(s, 1, A, 1u << C1, LP_WRITE, 0);
	scene_float(s, HANDLER, 0, C1, 0);
	take_as(s, HANDLER, A, LP_WRITE, 0);
	expect_none(s);

	/* it keeps others out all the same; what is only shown does not */
	for (uint32_t shown = 0; shown < 2; shown++) {
		s = scene_open();
		scene_class_with(s, G, LP_LOCK_MAP, shown ? LP_CLASS_SHOWN : LP_CLASS_NOVALIDATE);
		for (uint32_t t = 1; t <= 2; t++) {
			scene_take(s, t, G);
			scene_take(s, t, t == 1 ? A : B);
			scene_take(s, t, t == 1 ? B : A);
		}
		expect_circular(s, shown ? LP_FEASIBLE : LP_POSSIBLE,
				shown ? LP_REASON_CONCURRENT : LP_REASON_GATE);
	}
}

static void test_ranks(void **state)
{
	struct scene *s = scene_open();

	scene_class_with(s, A, LP_LOCK_K_MUTEX, LP_CLASS_ORDERED);
	locks(s, 1, A, 1, 2);
	locks(s, 2, A, 2, 3);
	locks(s, 3, A, 1, 3);
	scene_judge(s);
	assert_int_equal(scene_told(s), 0);
	locks(s, 4, A, 5, 4);
	scene_judge(s);
	assert_int_equal(scene_only(s)->reason, LP_REASON_SAME_CLASS);
	locks(s, 4, A, 2, 1);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
}

static void nest(struct scene *s, uint32_t t, uint32_t n, uint64_t serial, uint32_t in)
{
	scene_take_with(s, t, &(struct scene_want){ .n = n, .serial = serial, .nest = in });
}

static void nest_two(struct scene *s, uint32_t t, uint64_t first, uint64_t second)
{
	nest(s, t, A, first, G);
	nest(s, t, A, second, G);
}

static void test_nest_lock(void **state)
{
	struct scene *s = scene_open();

	for (uint32_t t = 1; t <= 2; t++) {
		scene_take(s, t, G);
		nest_two(s, t, t, 3 - t);
		scene_drop_all(s, t);
	}
	expect_none(s);

	/* G is not held */
	s = scene_open();
	scene_class(s, G);
	nest_two(s, 1, 1, 2);
	expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_POSSIBLE, LP_REASON_SAME_CLASS);

	/* G was taken later than the first */
	s = scene_open();
	nest(s, 1, A, 1, G);
	scene_take(s, 1, G);
	nest(s, 1, A, 2, G);
	scene_judge(s);
	assert_int_equal(scene_count(s, LP_FINDING_RECURSIVE_LOCKING, LP_POSSIBLE), 1);
	scene_close(s);

	/* a promise that others do not keep */
	s = scene_open();
	scene_take(s, 1, G);
	nest_two(s, 1, 1, 2);
	locks(s, 2, A, 2, 1);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);

	/* the same lock again is no nesting that anybody could allow */
	s = scene_open();
	scene_take(s, 1, G);
	nest_two(s, 1, 1, 1);
	expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_FEASIBLE, LP_REASON_ITSELF);
}

/* Only the lock that is named allows it. */
static void test_nest_lock_named(void **state)
{
	for (uint64_t named = 1; named <= 2; named++) {
		struct scene *s = scene_open();
		struct scene_want want = { .n = A, .serial = 2, .nest = G, .nest_serial = named };

		scene_refine(s, G);
		scene_take_as(s, 1, G, 1, LP_WRITE, 0);
		scene_take_as(s, 1, A, 1, LP_WRITE, 0);
		scene_take_with(s, 1, &want);
		if (named == 1)
			expect_none(s);
		else
			expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_POSSIBLE,
			       LP_REASON_SAME_CLASS);
	}
}

/* A witness of an allowed nesting does not stand for one that is not. */
static void test_nest_lock_repeated(void **state)
{
	struct scene *s = scene_open();

	scene_class_with(s, A, LP_LOCK_K_MUTEX, LP_CLASS_ORDERED);
	scene_take_as(s, 1, A, 1, LP_WRITE, 0);
	scene_take_as(s, 1, A, 3, LP_WRITE, 0);
	nest(s, 1, A, 2, A);
	scene_judge(s);
	assert_int_equal(scene_told(s), 0);
	locks(s, 2, A, 3, 2);
	expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_POSSIBLE, LP_REASON_SAME_CLASS);
}

/* Lockdep's FN6: X, Y1 in X, A, Y2 in X says A -> Y, too. Either half first. */
static void test_between_nested(void **state)
{
	enum { X = 10, Y };

	for (int first = 0; first < 2; first++) {
		struct scene *s = scene_open();

		for (int half = 0; half < 2; half++) {
			if (half != first) {
				scene_take_as(s, 2, Y, 2, LP_WRITE, 0);
				scene_take(s, 2, A);
				continue;
			}
			scene_take(s, 1, X);
			nest(s, 1, Y, 1, X);
			scene_take(s, 1, A);
			nest(s, 1, Y, 2, X);
		}
		expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
	}
}

/* An order that is allowed, and not told, hides no longer one. */
static void test_allowed_covers_nothing(void **state)
{
	struct scene *s = scene_open();

	scene_take(s, 1, G);		/* A -> B, only under G */
	scene_take(s, 1, A);
	nest(s, 1, B, 0, G);
	scene_drop_all(s, 1);
	pair(s, 1, B, A);
	scene_judge(s);
	assert_int_equal(scene_told(s), 0);
	pair(s, 1, A, C);
	pair(s, 1, C, B);
	scene_judge(s);
	assert_int_equal(scene_only(s)->edge_count, 3);
	/* once it was seen without G, it is told, and covers */
	pair(s, 1, A, B);
	scene_judge(s);
	assert_int_equal(scene_only(s)->edge_count, 2);
	expect_circular(s, LP_POSSIBLE, LP_REASON_ONE_THREAD);
}

static struct scene *fork_open(enum lp_lock_kind kind)
{
	struct scene *s = scene_open();

	for (uint32_t n = A; n <= G; n++)
		scene_class_of(s, n, kind);
	scene_context(s, C1, LP_CONTEXT_FORK);
	return s;
}

/* Thread t forks; its child takes a lock, or two. */
static void child_takes(struct scene *s, uint32_t t, uint32_t n, uint32_t m)
{
	scene_enter(s, t, C1, 0);
	scene_take(s, t, n);
	if (m)
		scene_take(s, t, m);
	scene_leave(s, t);
}

/* What others hold at a fork, the child never gets; also what would count for its owner. */
static void test_fork(void **state)
{
	static const enum lp_lock_kind kinds[] = {
		LP_LOCK_MUTEX, LP_LOCK_RECURSIVE, LP_LOCK_ERRORCHECK,
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct scene *s = fork_open(kinds[i]);

		hold(s, 1, A, 1u << C1, LP_WRITE, 0);
		child_takes(s, 1, A, 0);
		scene_judge(s);
		assert_int_equal(scene_told(s), 0);
		child_takes(s, 2, A, 0);
		expect(s, LP_FINDING_INCONSISTENT_LOCK_STATE, LP_FEASIBLE, LP_REASON_FORKED);
	}
}

/* Taken around the fork, it is not held by others then. */
static void test_fork_with_lock_held(void **state)
{
	struct scene *s = fork_open(LP_LOCK_MUTEX);

	hold(s, 1, A, 1u << C1, LP_WRITE, 0);
	scene_take(s, 2, A);
	child_takes(s, 2, A, 0);
	expect_none(s);
}

/* The child's locks are copies: it keeps nobody else from anything. */
static void test_in_child(void **state)
{
	struct scene *s = fork_open(LP_LOCK_MUTEX);

	pair(s, 1, A, B);
	child_takes(s, 2, B, A);
	expect_none(s);

	s = fork_open(LP_LOCK_MUTEX);
	pair(s, 1, A, B);
	child_takes(s, 2, B, A);
	pair(s, 1, B, A);
	expect_circular(s, LP_POSSIBLE, LP_REASON_ONE_THREAD);

	/* nor does its writer queue before others' readers */
	s = fork_open(LP_LOCK_RWLOCK);
	scene_enter(s, 4, C1, 0);
	writer(s, 4, B, 0);
	scene_leave(s, 4);
	readers(s, 0);
	writer(s, 3, A, 0);
	expect_circular(s, LP_POSSIBLE, LP_REASON_READERS);
}

enum { A1 = 20, B1 };

static void lock_as(struct scene *s, uint32_t t, uint32_t n, uint64_t serial)
{
	scene_take_as(s, t, n, serial, LP_WRITE, 0);
}

static void locks_as(struct scene *s, uint32_t t, uint32_t n, uint64_t first, uint32_t m,
		     uint64_t second)
{
	lock_as(s, t, n, first);
	lock_as(s, t, m, second);
	scene_drop_all(s, t);
}

static struct scene *subclass_open(void)
{
	struct scene *s = scene_open();

	scene_subclass(s, A1, A, 1);
	return s;
}

static void test_subclass(void **state)
{
	struct scene *s = subclass_open();

	/* parents, then children: nothing */
	for (uint64_t i = 1; i < 9; i++)
		locks_as(s, (uint32_t)i, A, i, A1, 100 + i);
	expect_none(s);

	/* children first: the rule is broken, and these two block one another */
	s = subclass_open();
	locks_as(s, 1, A, 1, A1, 2);
	locks_as(s, 2, A1, 2, A, 1);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
	s = subclass_open();
	locks_as(s, 1, A, 1, A1, 2);
	locks_as(s, 2, A1, 4, A, 3);
	expect_circular(s, LP_POSSIBLE, LP_REASON_INSTANCES);

	/* the rule is kept in words only: each is a parent of the other */
	s = subclass_open();
	locks_as(s, 1, A, 1, A1, 2);
	locks_as(s, 2, A, 2, A1, 1);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
}

/* The same lock as another subclass. */
static void test_subclass_same_lock(void **state)
{
	struct scene *s = subclass_open();

	locks_as(s, 1, A, 1, A1, 1);
	expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_FEASIBLE, LP_REASON_ITSELF);

	s = subclass_open();
	locks_as(s, 1, A1, 1, B, 9);
	locks_as(s, 2, B, 9, A, 1);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
	/* in any order */
	s = subclass_open();
	locks_as(s, 2, B, 9, A, 1);
	locks_as(s, 1, A1, 1, B, 9);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
	s = subclass_open();
	locks_as(s, 1, A1, 1, B, 9);
	locks_as(s, 2, B, 9, A, 2);
	expect_none(s);
}

/* Subclasses first seen by what a handler does, and by readers. */
static void test_subclass_ways_in(void **state)
{
	struct scene *s = scene_open();

	scene_subclass(s, A1, A, 1);
	scene_float(s, HANDLER, 0, C1, 0);
	hold(s, 1, A1, 1u << C1, LP_WRITE, 0);
	take_as(s, HANDLER, A, LP_WRITE, 0);
	expect(s, LP_FINDING_INCONSISTENT_LOCK_STATE, LP_FEASIBLE, LP_REASON_INTERRUPT);

	s = scene_open();
	scene_class_of(s, A, LP_LOCK_RWLOCK);
	scene_subclass(s, A1, A, 1);
	pair_as(s, 1, B, A, LP_READ_RECURSIVE, 0);
	scene_take(s, 2, A1);
	scene_take(s, 2, B);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
}

/* One pair of locks, known by two subclasses: two findings, whichever came first. */
static void test_subclass_pairs(void **state)
{
	for (uint32_t first = 0; first < 2; first++) {
		struct scene *s = subclass_open();

		for (uint32_t i = 0; i < 2; i++)
			locks_as(s, 1 + i, i == first ? A : A1, 1, B, 9);
		locks_as(s, 3, B, 9, A, 1);
		scene_judge(s);
		assert_int_equal(scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_FEASIBLE), 2);
		assert_int_equal(scene_told(s), 2);
		scene_close(s);
	}
}

/* What only waits is wanted, but not held. */
static void test_sync(void **state)
{
	struct scene *s = scene_open();

	scene_take(s, 1, A);
	scene_take_as(s, 1, B, 0, LP_WRITE, LP_SYNC);
	pair(s, 2, B, A);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);

	s = scene_open();
	scene_take_as(s, 1, B, 0, LP_WRITE, LP_SYNC);
	scene_take(s, 1, A);
	pair(s, 2, A, B);
	expect_none(s);

	/* nor can it be struck */
	s = handlers_open(LP_LOCK_MAP);
	scene_mask(s, 1, 1u << C1, false);
	scene_take_as(s, 1, A, 0, LP_WRITE, LP_SYNC);
	take_as(s, HANDLER, A, LP_WRITE, 0);
	expect_none(s);
}

static void test_back_off(void **state)
{
	for (unsigned who = 0; who < 4; who++) {
		struct scene *s = scene_open();

		pair_as(s, 1, A, B, LP_WRITE, who & 1 ? LP_BACK_OFF : 0);
		pair_as(s, 2, B, A, LP_WRITE, who & 2 ? LP_BACK_OFF : 0);
		expect_circular(s, who == 3 ? LP_POSSIBLE : LP_FEASIBLE,
				who == 3 ? LP_REASON_TIMED : LP_REASON_CONCURRENT);
	}
}

/* Readers of what has no queue never wait for readers. */
static void test_readers_without_queue(void **state)
{
	struct scene *s = scene_open();

	scene_class_of(s, A, LP_LOCK_MAP);
	scene_class_of(s, B, LP_LOCK_MAP);
	for (uint32_t t = 1; t <= 2; t++) {
		scene_take_as(s, t, t == 1 ? A : B, 0, LP_READ, 0);
		scene_take_as(s, t, t == 1 ? B : A, 0, LP_READ, 0);
		scene_drop_all(s, t);
	}
	writer(s, 3, A, 0);
	writer(s, 4, B, 0);
	pair(s, 5, G, A);
	pair(s, 5, G, B);
	expect_circular(s, LP_POSSIBLE, LP_REASON_READERS);
}

static void test_moved(void **state)
{
	struct scene *s = scene_open();

	/* A B -A C: nobody waited for C while A was held, nor for B without it */
	scene_take(s, 1, A);
	scene_take(s, 1, B);
	scene_drop_below(s, 1, 1);
	scene_take(s, 1, C);
	scene_drop_all(s, 1);
	pair(s, 2, C, A);
	scene_judge(s);
	/* A -> B, B -> C, C -> A */
	assert_int_equal(scene_only(s)->edge_count, 3);
	expect_circular(s, LP_POSSIBLE, LP_REASON_ONE_THREAD);
	/* the real three-thread cycle */
	s = scene_open();
	pair(s, 1, A, B);
	scene_take(s, 3, A);
	scene_take(s, 3, B);
	scene_drop_below(s, 3, 1);
	scene_take(s, 3, C);
	pair(s, 2, C, A);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
}

/* FP3: hand over hand, each lock taken before the one before is released. */
static void test_hand_over_hand(void **state)
{
	struct scene *s = scene_open();

	for (uint32_t t = 1; t <= 2; t++) {
		lock_as(s, t, A, 1);
		for (uint64_t i = 2; i < 6; i++) {
			lock_as(s, t, A, i);
			scene_drop_below(s, t, 1);
		}
		scene_drop_all(s, t);
	}
	expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_POSSIBLE, LP_REASON_SAME_CLASS);
}

/* Taken by whom, held how, wanted how. */
struct order_event {
	uint32_t	first, second;
	enum lp_mode	held, wanted;
};

static void learn(struct scene *s, const struct order_event *e, uint32_t t)
{
	scene_take_as(s, t, e->first, 0, e->held, 0);
	scene_take_as(s, t, e->second, 0, e->wanted, 0);
	scene_drop_all(s, t);
	scene_judge(s);
}

/* The events in every order, each by a thread of its own: the same feasible cycle of `length`. */
static void learn_in_every_order(const struct order_event *event, uint32_t count, uint32_t length)
{
	uint32_t orders = 1;
	uint64_t id = 0;

	for (uint32_t i = 2; i <= count; i++)
		orders *= i;
	for (uint32_t order = 0; order < orders; order++) {
		struct scene *s = scene_open();
		uint32_t left[8], rest = order;

		for (uint32_t n = A; n <= 20; n++)
			scene_class_of(s, n, LP_LOCK_RWLOCK);
		for (uint32_t i = 0; i < count; i++)
			left[i] = i;
		for (uint32_t i = count; i > 0; i--) {
			uint32_t at = rest % i;

			rest /= i;
			learn(s, &event[left[at]], 1 + left[at]);
			left[at] = left[i - 1];
		}
		assert_int_equal(scene_only(s)->edge_count, length);
		assert_true(!id || id == scene_only(s)->id);
		id = scene_only(s)->id;
		expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
	}
}

/* Lockdep's FN2 and FN3, which it finds or not, depending on what it learns first. */
static void test_every_order(void **state)
{
	enum { X = 10, Y, M, N };
	static const struct order_event fn2[] = {
		{ A, X, LP_WRITE, LP_READ_RECURSIVE }, { X, M, LP_READ_RECURSIVE, LP_WRITE },
		{ A, Y, LP_WRITE, LP_WRITE }, { Y, M, LP_WRITE, LP_WRITE },
		{ M, N, LP_WRITE, LP_WRITE }, { N, A, LP_WRITE, LP_WRITE },
	};
	static const struct order_event fn3[] = {
		{ A, M, LP_WRITE, LP_READ_RECURSIVE }, { A, Y, LP_WRITE, LP_WRITE },
		{ Y, M, LP_WRITE, LP_WRITE }, { M, N, LP_READ_RECURSIVE, LP_WRITE },
		{ N, A, LP_WRITE, LP_WRITE },
	};

	learn_in_every_order(fn2, 6, 4);
	learn_in_every_order(fn3, 5, 4);
}

/* FN1, either half first, with one and with two recursive readers between. */
static void test_behind_readers_in_every_order(void **state)
{
	for (uint32_t i = 0; i < 4; i++) {
		struct scene *s = scene_open();

		scene_class_of(s, B, LP_LOCK_RWLOCK);
		scene_class_of(s, D, LP_LOCK_RWLOCK);
		if (i & 1)
			pair(s, 2, C, A);
		scene_take(s, 1, A);
		scene_take_as(s, 1, B, 0, LP_READ_RECURSIVE, 0);
		if (i & 2)
			scene_take_as(s, 1, D, 0, LP_READ_RECURSIVE, 0);
		scene_take(s, 1, C);
		scene_judge(s);
		if (!(i & 1))
			pair(s, 2, C, A);
		expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
	}
}

static void wait_finding(struct scene *s, uint32_t held, uint32_t context)
{
	const struct lp_finding *f;

	scene_judge(s);
	f = scene_only(s);
	assert_int_equal(f->kind, LP_FINDING_INVALID_WAIT_CONTEXT);
	assert_int_equal(f->level, LP_ACTUAL);
	assert_int_equal(f->edge_count, 1);
	assert_int_equal(s->model->nodes.at[f->edge[0].held].fine, held);
	assert_int_equal(f->edge[0].context, context);
	scene_close(s);
}

static struct scene *kinds_open(void)
{
	struct scene *s = scene_open();

	scene_class_of(s, A, LP_LOCK_K_RAW_SPINLOCK);
	scene_class_of(s, B, LP_LOCK_K_SPINLOCK);
	scene_class_of(s, C, LP_LOCK_K_MUTEX);
	scene_class_of(s, D, LP_LOCK_K_SRCU);
	return s;
}

static void test_wait_contexts(void **state)
{
	struct scene *s = kinds_open();

	/* from the one that sleeps inwards */
	scene_take(s, 1, C);
	scene_take(s, 1, C);
	scene_take(s, 1, B);
	scene_take(s, 1, D);
	scene_take(s, 1, B);
	scene_take(s, 1, A);
	scene_drop_all(s, 1);
	/* who gives up may try */
	pair_as(s, 1, A, C, LP_WRITE, LP_TRY);
	scene_judge(s);
	assert_int_equal(scene_count(s, LP_FINDING_INVALID_WAIT_CONTEXT, LP_ACTUAL), 0);
	scene_close(s);

	/* outwards; the innermost that leaves least is to blame */
	for (uint32_t first = A; first <= B; first++) {
		for (uint32_t second = first + 1; second <= C; second++) {
			s = kinds_open();
			pair(s, 1, first, second);
			pair(s, 2, first, second);
			wait_finding(s, scene_class(s, first), 0);
		}
	}
	s = kinds_open();
	scene_take(s, 1, A);
	scene_take(s, 1, D);
	scene_take(s, 1, C);
	wait_finding(s, scene_class(s, A), 0);
}

static void test_wait_contexts_of_handlers(void **state)
{
	for (enum lp_wait_type leaves = LP_WAIT_UNCHECKED; leaves < LP_WAIT_TYPE_COUNT; leaves++) {
		struct scene *s = kinds_open();

		scene_float(s, HANDLER, 0, C1, 0);
		scene_leaves(s, HANDLER, leaves);
		scene_take(s, HANDLER, B);
		if (leaves == LP_WAIT_UNCHECKED || leaves >= LP_WAIT_CONFIG)
			expect_none(s);
		else
			wait_finding(s, 0, s->context[C1]);
	}
}

/* What the interrupted thread holds does not count. */
static void test_wait_context_below(void **state)
{
	struct scene *s = kinds_open();

	scene_take(s, 1, A);
	scene_enter(s, 1, C1, 0);
	scene_take(s, 1, B);
	expect_none(s);
}

static uint32_t event(struct scene *s, enum lp_event_kind kind, uint32_t class, uint32_t place)
{
	struct lp_model_frame frame = { .module = s->module, .offset = place };
	struct lp_model_stack stack = { .frame = &frame, .count = 1 };
	struct lp_model_event e = { .kind = kind, .thread = s->thread[1].index };

	e.fine = class ? scene_class(s, class) : 0;
	e.stack = lp_model_add_stack(s->model, &stack);
	return lp_model_add_event(s->model, &e);
}

static void test_events(void **state)
{
	struct scene *s = scene_open();
	uint32_t first;

	scene_start(s, 1, 0, 0);
	first = event(s, LP_EVENT_UNLOCK_NOT_HELD, A, 1);
	event(s, LP_EVENT_UNLOCK_NOT_HELD, A, 1);
	event(s, LP_EVENT_UNLOCK_NOT_HELD, A, 2);
	event(s, LP_EVENT_UNLOCK_NOT_HELD, B, 1);
	event(s, LP_EVENT_UNLOCK_NOT_HELD, 0, 1);
	event(s, LP_EVENT_DESTROY_HELD, A, 1);
	event(s, LP_EVENT_INIT_HELD, A, 3);
	event(s, LP_EVENT_EXIT_HELD, A, 1);
	event(s, LP_EVENT_RELOCK, A, 1);
	scene_judge(s);
	assert_int_equal(scene_told(s), 8);
	assert_int_equal(scene_count(s, LP_FINDING_BAD_UNLOCK_BALANCE, LP_ACTUAL), 4);
	assert_int_equal(scene_count(s, LP_FINDING_HELD_LOCK_FREED, LP_ACTUAL), 2);
	assert_int_equal(scene_count(s, LP_FINDING_HELD_AT_EXIT, LP_ACTUAL), 1);
	assert_int_equal(scene_count(s, LP_FINDING_RECURSIVE_LOCKING, LP_ACTUAL), 1);
	assert_int_equal(lp_engine_finding(s->engine, 0)->event, first);
	scene_judge(s);
	assert_int_equal(scene_told(s), 8);
	assert_int_equal(lp_engine_finding(s->engine, 0)->revision, 1);
	scene_close(s);
}

/* What the library refused is told once, as what happened. */
static void test_relock_event(void **state)
{
	struct scene *s = scene_open();

	pair(s, 1, A, A);
	scene_judge(s);
	event(s, LP_EVENT_RELOCK, A, 1);
	expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_ACTUAL, LP_REASON_HAPPENED);
	s = scene_open();
	scene_class_of(s, A, LP_LOCK_ERRORCHECK);
	pair(s, 1, A, A);
	event(s, LP_EVENT_RELOCK, A, 1);
	expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_ACTUAL, LP_REASON_HAPPENED);
}

static void test_deadlock(void **state)
{
	struct scene *s = scene_open();
	struct lp_finding_edge edge[2] = {0}, turned[2];

	for (uint32_t t = 1; t <= 2; t++) {
		edge[t - 1].held = scene_take(s, t, t == 1 ? A : B);
		edge[t - 1].wanted = scene_take(s, t, t == 1 ? B : A);
		edge[t - 1].thread = s->thread[t].index;
	}
	turned[0] = edge[1];
	turned[1] = edge[0];
	scene_judge(s);
	assert_int_equal(lp_engine_add_deadlock(s->engine, s->model, edge, 2), 0);
	assert_int_equal(lp_engine_add_deadlock(s->engine, s->model, turned, 2), 0);
	assert_int_equal(scene_count(s, LP_FINDING_DEADLOCK, LP_ACTUAL), 1);
	assert_int_equal(scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_FEASIBLE), 1);
	assert_int_equal(lp_engine_finding_count(s->engine), 2);
	scene_close(s);
}

/* Ids are the same for the same cycle, wherever it was found first; edge 0 too. */
static void test_ids(void **state)
{
	uint64_t id[2], class[2];

	for (int round = 0; round < 2; round++) {
		struct scene *s = scene_open();

		if (round)
			pair(s, 9, D, C);	/* other indexes */
		for (uint32_t i = 0; i < 3; i++) {
			uint32_t k = round ? 2 - i : i;

			pair(s, 1 + k, A + k, A + (k + 1) % 3);
		}
		scene_judge(s);
		id[round] = scene_only(s)->id;
		class[round] = s->model->classes.at[lp_model_node_class(
			s->model, scene_only(s)->edge[0].held)].key;
		scene_close(s);
	}
	assert_true(id[0] == id[1]);
	assert_true(class[0] == class[1]);
}

static void test_regrouped(void **state)
{
	struct scene *s = scene_open();
	uint64_t id;

	pair(s, 1, A, B);
	pair(s, 2, B, A);
	scene_judge(s);
	id = scene_only(s)->id;
	s->model->grouping++;
	pair(s, 3, C, D);
	pair(s, 4, D, C);
	scene_judge(s);
	assert_int_equal(scene_told(s), 2);
	assert_true(lp_engine_finding(s->engine, 0)->id == id);
	assert_int_equal(lp_engine_finding(s->engine, 0)->revision, 1);
	scene_close(s);
}

static void test_words(void **state)
{
	assert_string_equal(lp_finding_kind_id(LP_FINDING_CIRCULAR_LOCKING), "circular-locking");
	assert_string_equal(lp_finding_kind_header(LP_FINDING_HELD_LOCK_FREED),
			    "WARNING: held lock freed!");
	assert_string_equal(lp_level_name(LP_POSSIBLE), "possible");
	assert_string_equal(lp_level_name(LP_FEASIBLE), "feasible");
	assert_string_equal(lp_level_name(LP_ACTUAL), "actual");
	assert_string_equal(lp_reason_text(LP_REASON_HAPPENED), "It happened in this run.");
	assert_string_equal(lp_level_name((enum lp_level)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_consistent),
		cmocka_unit_test(test_abba),
		cmocka_unit_test(test_gate),
		cmocka_unit_test(test_shared_gate),
		cmocka_unit_test(test_half_shared_gate),
		cmocka_unit_test(test_one_thread),
		cmocka_unit_test(test_joined_before_created),
		cmocka_unit_test(test_before_creation),
		cmocka_unit_test(test_ordered_by_others),
		cmocka_unit_test(test_readers),
		cmocka_unit_test(test_readers_and_writers),
		cmocka_unit_test(test_recursive_readers),
		cmocka_unit_test(test_reader_meets_writer),
		cmocka_unit_test(test_behind_recursive_reader),
		cmocka_unit_test(test_two_ways_in),
		cmocka_unit_test(test_trylock),
		cmocka_unit_test(test_timed),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_ring_with_one_thread_twice),
		cmocka_unit_test(test_other_instances),
		cmocka_unit_test(test_unknown_instances),
		cmocka_unit_test(test_unknown_gate),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_relock),
		cmocka_unit_test(test_relock_rwlock),
		cmocka_unit_test(test_same_class),
		cmocka_unit_test(test_same_class_inverted),
		cmocka_unit_test(test_philosophers),
		cmocka_unit_test(test_mixed_classes),
		cmocka_unit_test(test_longer_feasible),
		cmocka_unit_test(test_node_without_witness),
		cmocka_unit_test(test_inconsistent),
		cmocka_unit_test(test_inconsistent_readers),
		cmocka_unit_test(test_not_inconsistent),
		cmocka_unit_test(test_per_cpu),
		cmocka_unit_test(test_tried_outside),
		cmocka_unit_test(test_handler_on_thread),
		cmocka_unit_test(test_handler_elsewhere),
		cmocka_unit_test(test_state_node),
		cmocka_unit_test(test_state_node_moved),
		cmocka_unit_test(test_unsafe_order),
		cmocka_unit_test(test_unsafe_order_harmless),
		cmocka_unit_test(test_unsafe_order_behind_reader),
		cmocka_unit_test(test_inversion),
		cmocka_unit_test(test_two_contexts),
		cmocka_unit_test(test_nested_contexts),
		cmocka_unit_test(test_gate_in_handler),
		cmocka_unit_test(test_floating),
		cmocka_unit_test(test_same_hold_covers),
		cmocka_unit_test(test_harmless_covers_nothing),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_no_validation),
		cmocka_unit_test(test_ranks),
		cmocka_unit_test(test_nest_lock),
		cmocka_unit_test(test_nest_lock_named),
		cmocka_unit_test(test_nest_lock_repeated),
		cmocka_unit_test(test_between_nested),
		cmocka_unit_test(test_allowed_covers_nothing),
		cmocka_unit_test(test_fork),
		cmocka_unit_test(test_fork_with_lock_held),
		cmocka_unit_test(test_in_child),
		cmocka_unit_test(test_subclass),
		cmocka_unit_test(test_subclass_same_lock),
		cmocka_unit_test(test_subclass_ways_in),
		cmocka_unit_test(test_subclass_pairs),
		cmocka_unit_test(test_sync),
		cmocka_unit_test(test_back_off),
		cmocka_unit_test(test_readers_without_queue),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_hand_over_hand),
		cmocka_unit_test(test_every_order),
		cmocka_unit_test(test_behind_readers_in_every_order),
		cmocka_unit_test(test_wait_contexts),
		cmocka_unit_test(test_wait_contexts_of_handlers),
		cmocka_unit_test(test_wait_context_below),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_relock_event),
		cmocka_unit_test(test_deadlock),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_regrouped),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}

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
	expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_FEASIBLE, LP_REASON_CONCURRENT);

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
	expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_FEASIBLE, LP_REASON_CONCURRENT);
	s = scene_open();
	relock_rw(s, LP_WRITE, LP_READ, LP_PREFER);
	expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_FEASIBLE, LP_REASON_CONCURRENT);
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
	expect(s, LP_FINDING_RECURSIVE_LOCKING, LP_FEASIBLE, LP_REASON_CONCURRENT);
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
	/* Once the shorter is feasible too, it says all there is to say. */
	pair(s, 4, A, B);
	scene_judge(s);
	assert_int_equal(scene_told(s), 1);
	assert_int_equal(scene_only(s)->edge_count, 2);
	expect_circular(s, LP_FEASIBLE, LP_REASON_CONCURRENT);
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
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_relock_event),
		cmocka_unit_test(test_deadlock),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_regrouped),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_scale.c — many of everything: no limit is hit, nothing takes long, memory that runs out at
 * any point is an error and not the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "random.h"
#include "scene.h"

enum { A = 1, B, C };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Judge and say how long it took; generous, because sanitizers are slow. */
static void judge_within(struct scene *s, const char *what, double seconds)
{
	double start = now(), took;

	scene_judge(s);
	took = now() - start;
	printf("%-40s %7.3f s\n", what, took);
	assert_true(took < seconds);
}

static void pair(struct scene *s, uint32_t t, uint32_t first, uint32_t second)
{
	scene_take(s, t, first);
	scene_take(s, t, second);
	scene_drop_all(s, t);
}

/* A master makes threads and joins each at once; all lock both ways. */
static void test_generations(void **state)
{
	struct scene *s = scene_open();

	scene_start(s, 1, 0, 0);
	for (uint32_t t = 2; t <= 10001; t++) {
		scene_start(s, t, 0, 1);
		pair(s, t, t % 2 ? A : B, t % 2 ? B : A);
		scene_join(s, 1, t);
	}
	judge_within(s, "10,000 threads one after another", 30);
	assert_int_equal(scene_only(s)->reason, LP_REASON_ORDERED);
	scene_start(s, 20000, 0, 1);
	scene_start(s, 20001, 0, 1);
	pair(s, 20000, A, B);
	pair(s, 20001, B, A);
	judge_within(s, "... and two at the same time", 5);
	assert_int_equal(scene_only(s)->level, LP_FEASIBLE);
	scene_close(s);
}

/* Threads that create and join one another in no simple shape, behind one gate. */
static void test_gated_crowd(void **state)
{
	struct scene *s = scene_open();
	uint64_t seed = 17;

	scene_start(s, 1, 0, 0);
	for (uint32_t t = 2; t <= 10001; t++) {
		uint32_t creator = 1 + (uint32_t)(test_random(&seed) % (t - 1));

		scene_start(s, t, 0, creator);
		scene_take(s, t, C);
		pair(s, t, t % 2 ? A : B, t % 2 ? B : A);
		if (test_random(&seed) % 3 == 0)
			scene_join(s, 1 + (uint32_t)(test_random(&seed) % (t - 1)), t);
	}
	judge_within(s, "10,000 threads behind one gate", 60);
	assert_int_equal(scene_only(s)->reason, LP_REASON_GATE);
	scene_close(s);
}

static void test_deep_classes(void **state)
{
	struct scene *s = scene_open();

	for (uint32_t n = 1; n <= 1000; n++)
		scene_take(s, 1, n);
	judge_within(s, "1,000 classes held", 30);
	assert_int_equal(scene_told(s), 0);
	assert_int_equal(lp_engine_stats(s->engine).edges, 1000 * 999 / 2);
	pair(s, 2, 1000, 1);
	judge_within(s, "... and one inversion", 30);
	assert_int_equal(scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_FEASIBLE), 1);
	assert_int_equal(scene_told(s), 1);
	scene_close(s);
}

static void test_deep_instances(void **state)
{
	struct scene *s = scene_open();

	for (uint32_t t = 1; t <= 4; t++)
		for (uint64_t i = 1; i <= 1000; i++)
			scene_take_as(s, t, A, i, LP_WRITE, 0);
	judge_within(s, "1,000 locks of one class held", 30);
	assert_int_equal(scene_only(s)->reason, LP_REASON_SAME_CLASS);
	scene_take_as(s, 7, A, 1000, LP_WRITE, 0);
	scene_take_as(s, 7, A, 1, LP_WRITE, 0);
	judge_within(s, "... and one inversion", 30);
	assert_int_equal(scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_FEASIBLE), 1);
	scene_close(s);
}

/* Many locks released from the outermost on: every rest of the stack is a fact. */
static void test_rests(void **state)
{
	struct scene *s = scene_open();

	for (uint64_t first = 1; first <= 300; first++) {
		for (uint64_t i = first; i <= 300; i++)
			scene_take_as(s, 1, A, i, LP_WRITE, 0);
		scene_drop_all(s, 1);
	}
	judge_within(s, "300 locks released outermost first", 20);
	assert_int_equal(scene_only(s)->reason, LP_REASON_SAME_CLASS);
	/* None of that is forgotten: 120 -> 250 was seen only among all the others. */
	scene_take_as(s, 2, A, 250, LP_WRITE, 0);
	scene_take_as(s, 2, A, 120, LP_WRITE, 0);
	judge_within(s, "... and one inversion", 20);
	assert_int_equal(scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_FEASIBLE), 1);
	scene_close(s);
}

/* The same by one thread only: nothing feasible to stop at. */
static void test_deep_one_thread(void **state)
{
	struct scene *s = scene_open();

	for (uint64_t i = 1; i <= 300; i++)
		scene_take_as(s, 1, A, i, LP_WRITE, 0);
	scene_drop_all(s, 1);
	scene_take_as(s, 1, A, 300, LP_WRITE, 0);
	scene_take_as(s, 1, A, 1, LP_WRITE, 0);
	judge_within(s, "300 locks inverted by one thread", 60);
	assert_int_equal(scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_FEASIBLE), 0);
	scene_drop_all(s, 1);
	scene_take_as(s, 2, A, 300, LP_WRITE, 0);
	scene_take_as(s, 2, A, 1, LP_WRITE, 0);
	judge_within(s, "... and then by another", 30);
	assert_int_equal(scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_FEASIBLE), 1);
	scene_close(s);
}

/* A list walked hand over hand, and many objects with two locks each. */
static void test_many_instances(void **state)
{
	struct scene *s = scene_open();

	for (uint64_t i = 1; i < 50000; i++) {
		scene_take_as(s, 1 + i % 3, A, i, LP_WRITE, 0);
		scene_take_as(s, 1 + i % 3, A, i + 1, LP_WRITE, 0);
		scene_drop_all(s, 1 + i % 3);
	}
	judge_within(s, "50,000 locks hand over hand", 30);
	assert_int_equal(scene_only(s)->reason, LP_REASON_SAME_CLASS);
	for (uint64_t i = 1; i < 20000; i++) {
		uint32_t t = 1 + i % 3;
		bool turned = i % 2;

		scene_take_as(s, t, turned ? B : C, 100000 + 2 * i + turned, LP_WRITE, 0);
		scene_take_as(s, t, turned ? C : B, 100000 + 2 * i + !turned, LP_WRITE, 0);
		scene_drop_all(s, t);
	}
	judge_within(s, "20,000 objects, each in its own order", 30);
	assert_int_equal(scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_FEASIBLE), 0);
	assert_int_equal(scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_POSSIBLE), 1);
	scene_close(s);
}

/* Every order of every pair: an enumeration would explode. */
static void test_tangle(void **state)
{
	struct scene *s = scene_open();
	uint64_t seed = 4711;
	uint32_t n = 60;

	for (uint32_t i = 0; i < 20000; i++)
		pair(s, 1, 1 + (uint32_t)(test_random(&seed) % n),
		     100 + (uint32_t)(test_random(&seed) % n));
	for (uint32_t i = 0; i < 600; i++) {
		uint32_t a = 1 + (uint32_t)(test_random(&seed) % n);

		pair(s, 1, a, 1 + (a + (uint32_t)(test_random(&seed) % (n - 1))) % n);
	}
	for (uint32_t i = 0; i < 200; i++)
		pair(s, 1, 100 + (uint32_t)(test_random(&seed) % n),
		     1 + (uint32_t)(test_random(&seed) % n));
	judge_within(s, "a tangle of 120 classes, one thread", 90);
	printf("%u findings\n", scene_told(s));
	scene_close(s);
}

/* ---- memory that runs out ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static long allowed = -1;	/* allocations left; below 0: no limit */

static bool refuse(void)
{
	if (allowed > 0)
		allowed--;
	return allowed == 0;
}

void *__wrap_malloc(size_t size)
{
	return refuse() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return refuse() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return refuse() ? NULL : __real_realloc(old, size);
}

static void random_facts(struct scene *s, uint64_t *seed)
{
	for (uint32_t i = 0; i < 60; i++) {
		uint32_t t = 1 + (uint32_t)(test_random(seed) % 4);

		if (s->thread[t].count == 3)
			scene_drop_all(s, t);
		scene_take_as(s, t, 1 + (uint32_t)(test_random(seed) % 5),
			      1 + test_random(seed) % 8, LP_WRITE, 0);
	}
}

static void test_short_memory(void **state)
{
	struct scene *s = scene_open();
	uint64_t seed = 99;
	char *right, *got;
	long failures = 0;

	random_facts(s, &seed);
	scene_judge(s);
	right = scene_summary(s->engine, s->model);
	assert_true(strlen(right) > 100);
	for (long n = 1;; n++) {
		struct lp_engine *engine = lp_engine_create();
		int err;

		assert_non_null(engine);
		allowed = n;
		err = lp_engine_judge(engine, s->model);
		if (err)
			assert_int_equal(err, -ENOMEM);
		else if (allowed != 0)
			n = -1;		/* there was enough */
		allowed = -1;
		if (err)
			failures++;
		assert_int_equal(lp_engine_judge(engine, s->model), 0);
		got = scene_summary(engine, s->model);
		assert_string_equal(got, right);
		free(got);
		lp_engine_destroy(engine);
		if (n < 0)
			break;
	}
	printf("memory ran out in %ld places\n", failures);
	assert_true(failures > 50);
	free(right);
	scene_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generations),
		cmocka_unit_test(test_gated_crowd),
		cmocka_unit_test(test_deep_classes),
		cmocka_unit_test(test_deep_instances),
		cmocka_unit_test(test_rests),
		cmocka_unit_test(test_deep_one_thread),
		cmocka_unit_test(test_many_instances),
		cmocka_unit_test(test_tangle),
		cmocka_unit_test(test_short_memory),
	};

	return cmocka_run_group_tests_name("scale", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_memory.c — every allocation of a read fails once: the error is -ENOMEM, nothing is lost or
 * read twice, and the next poll goes on. Linked with --wrap for the allocation functions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "facts/image_builder.h"
#include "facts/model.h"
#include "facts/reader.h"

static long countdown = -1;	/* allocations that still succeed; -1: all */

static bool fails(void)
{
	return countdown >= 0 && countdown-- == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strndup(const char *string, size_t size);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strndup(const char *string, size_t size);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return fails() ? NULL : __real_reallocarray(old, count, size);
}

char *__wrap_strndup(const char *string, size_t size)
{
	return fails() ? NULL : __real_strndup(string, size);
}

/* Enough of everything that each table and array grows more than once. */
static void fill(struct image *image)
{
	struct abba a = image_abba(image, 0x1000, 10);
	uint32_t class = 0, node = 0, at;

	for (uint32_t i = 0; i < 120; i++) {
		at = image_stack2(image, a.module, 0x10 + i, 0x4000 + i % 7);
		class = image_class(image, LP_LOCK_MUTEX, (enum lp_origin)(i % 3),
				    i % 3 ? at : 0,
				    (struct lp_frame){ i % 3 == 2 ? 0 : a.module, 0x9000 + i * 8 });
		node = image_node(image, i % 10 ? node : 0, class, LP_WRITE, at,
				  (struct lp_frame){ a.module, 0x10 + i });
		image_lock(image, class, a.process, 100 + i, 0x100);
		image_slot(image, 0, 10);
		image_stamps(image, a.context, (struct lp_frame){ a.module, 0x20 + i });
	}
}

/* Poll and regroup with allocation number `at` failing; then again without. */
static void fail_at(const struct image *image, long at, const struct lp_model *good)
{
	struct lp_model *model = lp_model_create();
	const char *problem = NULL;
	struct lp_reader *reader = lp_reader_open(image->bytes, image->room, &problem);
	int result, grouped;

	countdown = at;
	result = lp_reader_poll(reader, model, &problem);
	grouped = lp_model_regroup(model, NULL, NULL);
	countdown = -1;
	assert_true(result >= 0 || result == -ENOMEM);
	assert_true(grouped == 0 || grouped == -ENOMEM);
	assert_true(result == -ENOMEM || grouped == -ENOMEM);
	assert_true(lp_model_check(model));
	assert_true(lp_reader_poll(reader, model, &problem) >= 0);
	assert_int_equal(lp_model_regroup(model, NULL, NULL), 0);
	assert_true(lp_model_check(model));
#define X(array) assert_int_equal(model->array.count, good->array.count);
	X(modules) X(stacks) X(fines) X(classes) X(locks) X(nodes) X(witnesses)
	X(processes) X(threads) X(joins) X(events) X(contexts) X(states) X(stamps)
#undef X
	for (uint32_t i = 1; i < good->fines.count; i++)
		assert_int_equal(model->classes.at[model->fines.at[i].class_index].key,
				 good->classes.at[good->fines.at[i].class_index].key);
	lp_reader_close(reader);
	lp_model_destroy(model);
}

static void test_poll(void **state)
{
	struct image image = image_start();
	struct lp_model *good = lp_model_create();
	const char *problem;
	struct lp_reader *reader;
	long allocations = 1000000;

	fill(&image);
	reader = lp_reader_open(image.bytes, image.room, &problem);
	countdown = allocations;
	assert_true(lp_reader_poll(reader, good, &problem) > 0);
	assert_int_equal(lp_model_regroup(good, NULL, NULL), 0);
	allocations -= countdown;
	countdown = -1;
	assert_true(allocations > 50);
	printf("%ld allocations\n", allocations);
	for (long at = 0; at < allocations; at++)
		fail_at(&image, at, good);
	lp_reader_close(reader);
	lp_model_destroy(good);
	image_finish(&image);
}

static void test_create(void **state)
{
	struct image image = image_start();
	const char *problem;
	long failures = 0;

	for (long at = 0;; at++, failures++) {
		struct lp_model *model;
		struct lp_reader *reader;

		countdown = at;
		model = lp_model_create();
		problem = NULL;
		reader = lp_reader_open(image.bytes, image.room, &problem);
		countdown = -1;
		assert_true(reader || strstr(problem, "out of memory"));
		lp_reader_close(reader);
		lp_model_destroy(model);
		if (reader && model)
			break;
	}
	assert_true(failures > 10);
	image_finish(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_poll), cmocka_unit_test(test_create),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

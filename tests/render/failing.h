/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failing.h — let one allocation fail. Link with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc: calls from the code under test come here.
 */
#ifndef LP_TESTS_RENDER_FAILING_H
#define LP_TESTS_RENDER_FAILING_H

#include <stdbool.h>
#include <stdlib.h>

static long allocations_left = -1;	/* < 0: never fail */
static bool allocation_failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool fails_now(void)
{
	if (allocations_left < 0 || allocations_left-- > 0)
		return false;
	allocation_failed = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails_now() ? NULL : __real_realloc(old, size);
}

/* From now on allocation number `index` fails, and those after it do not. */
static void fail_allocation(long index)
{
	allocations_left = index;
	allocation_failed = false;
}

static bool end_of_failing(void)
{
	bool failed = allocation_failed;

	allocations_left = -1;
	return failed;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c — memory that is given back all at once. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/pool.h"

#define CHUNK_SIZE	16384u
#define ALIGNMENT	16u

struct lp_pool_chunk {
	struct lp_pool_chunk *next;
	size_t		size;		/* of bytes[] */
	_Alignas(ALIGNMENT) unsigned char bytes[];
};

void lp_pool_finish(struct lp_pool *pool)
{
	struct lp_pool_chunk *chunk = pool->chunks, *next;

	for (; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	*pool = (struct lp_pool){ 0 };
}

static bool add_chunk(struct lp_pool *pool, size_t size)
{
	struct lp_pool_chunk *chunk;

	if (size < CHUNK_SIZE)
		size = CHUNK_SIZE;
	chunk = calloc(1, sizeof(*chunk) + size);
	if (!chunk)
		return false;
	chunk->size = size;
	chunk->next = pool->chunks;
	pool->chunks = chunk;
	pool->used = 0;
	return true;
}

void *lp_pool_array(struct lp_pool *pool, size_t count, size_t size)
{
	size_t bytes;
	void *result;

	if (pool->failed)
		return NULL;
	if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2)
		goto failed;
	bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if ((!pool->chunks || pool->chunks->size - pool->used < bytes) &&
	    !add_chunk(pool, bytes))
		goto failed;
	result = pool->chunks->bytes + pool->used;
	pool->used += bytes;
	return result;
failed:
	pool->failed = true;
	return NULL;
}

char *lp_pool_copy(struct lp_pool *pool, const char *text)
{
	size_t size = text ? strlen(text) + 1 : 0;
	char *copy = text ? lp_pool_array(pool, size, 1) : NULL;

	return copy ? memcpy(copy, text, size) : NULL;
}

char *lp_pool_printf(struct lp_pool *pool, const char *format, ...)
{
	va_list list;
	char *text;
	int length;

	va_start(list, format);
	length = vsnprintf(NULL, 0, format, list);
	va_end(list);
	if (length < 0) {
		pool->failed = true;
		return NULL;
	}
	text = lp_pool_array(pool, (size_t)length + 1, 1);
	if (!text)
		return NULL;
	va_start(list, format);
	vsnprintf(text, (size_t)length + 1, format, list);
	va_end(list);
	return text;
}

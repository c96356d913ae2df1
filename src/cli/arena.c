/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c — memory that is given back all at once. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arena.h"

#define CHUNK_SIZE	16384u
#define ALIGNMENT	16u

struct lp_arena_chunk {
	struct lp_arena_chunk *next;
	size_t		size;		/* of bytes[] */
	_Alignas(ALIGNMENT) unsigned char bytes[];
};

void lp_arena_finish(struct lp_arena *arena)
{
	struct lp_arena_chunk *chunk = arena->chunks, *next;

	for (; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	*arena = (struct lp_arena){ 0 };
}

static bool add_chunk(struct lp_arena *arena, size_t size)
{
	struct lp_arena_chunk *chunk;

	if (size < CHUNK_SIZE)
		size = CHUNK_SIZE;
	chunk = calloc(1, sizeof(*chunk) + size);
	if (!chunk)
		return false;
	chunk->size = size;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	arena->used = 0;
	return true;
}

void *lp_arena_array(struct lp_arena *arena, size_t count, size_t size)
{
	size_t bytes;
	void *result;

	if (arena->failed)
		return NULL;
	if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2)
		goto failed;
	bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if ((!arena->chunks || arena->chunks->size - arena->used < bytes) &&
	    !add_chunk(arena, bytes))
		goto failed;
	result = arena->chunks->bytes + arena->used;
	arena->used += bytes;
	return result;
failed:
	arena->failed = true;
	return NULL;
}

char *lp_arena_copy(struct lp_arena *arena, const char *text)
{
	size_t size = text ? strlen(text) + 1 : 0;
	char *copy = text ? lp_arena_array(arena, size, 1) : NULL;

	return copy ? memcpy(copy, text, size) : NULL;
}

char *lp_arena_printf(struct lp_arena *arena, const char *format, ...)
{
	va_list list;
	char *text;
	int length;

	va_start(list, format);
	length = vsnprintf(NULL, 0, format, list);
	va_end(list);
	if (length < 0) {
		arena->failed = true;
		return NULL;
	}
	text = lp_arena_array(arena, (size_t)length + 1, 1);
	if (!text)
		return NULL;
	va_start(list, format);
	vsnprintf(text, (size_t)length + 1, format, list);
	va_end(list);
	return text;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* strings.c — see strings.h. */
#include "symbolize/strings.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define CHUNK_SIZE 16384u

struct lp_strings_chunk {
	struct lp_strings_chunk *next;
	size_t	used, size;
	_Alignas(max_align_t) char bytes[];
};

void lp_strings_finish(struct lp_strings *strings)
{
	struct lp_strings_chunk *chunk, *next;

	for (chunk = strings->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(strings->table);
	memset(strings, 0, sizeof(*strings));
}

static int add_chunk(struct lp_strings *strings, size_t size)
{
	struct lp_strings_chunk *chunk;

	if (size < CHUNK_SIZE)
		size = CHUNK_SIZE;
	chunk = malloc(sizeof(*chunk) + size);
	if (!chunk)
		return -1;
	chunk->used = 0;
	chunk->size = size;
	chunk->next = strings->chunks;
	strings->chunks = chunk;
	return 0;
}

void *lp_strings_alloc(struct lp_strings *strings, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct lp_strings_chunk *chunk = strings->chunks;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + align - 1) & ~(align - 1);
	if (!chunk || chunk->size - chunk->used < size) {
		if (add_chunk(strings, size) < 0)
			return NULL;
		chunk = strings->chunks;
	}
	chunk->used += size;
	return chunk->bytes + chunk->used - size;
}

/* The slot that holds `text`, or the free one where it belongs. */
static const char **find_slot(const char **table, size_t size, const char *text)
{
	size_t i = lp_hash_bytes(0, text, strlen(text)) & (size - 1);

	while (table[i] && strcmp(table[i], text) != 0)
		i = (i + 1) & (size - 1);
	return &table[i];
}

static int grow_table(struct lp_strings *strings)
{
	size_t size = strings->table_size ? strings->table_size * 2 : 256;
	const char **table = calloc(size, sizeof(*table));
	size_t i;

	if (!table)
		return -1;
	for (i = 0; i < strings->table_size; i++)
		if (strings->table[i])
			*find_slot(table, size, strings->table[i]) = strings->table[i];
	free(strings->table);
	strings->table = table;
	strings->table_size = size;
	return 0;
}

const char *lp_strings_intern(struct lp_strings *strings, const char *text)
{
	size_t size = strlen(text) + 1;
	const char **slot, *known;
	char *copy;

	if (strings->count >= strings->table_size / 2 && grow_table(strings) < 0)
		return NULL;
	slot = find_slot(strings->table, strings->table_size, text);
	known = *slot;
	if (known)
		return known;
	copy = lp_strings_alloc(strings, size);
	if (!copy)
		return NULL;
	memcpy(copy, text, size);
	strings->count++;
	return *slot = copy;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* parse_names.c — strings of a scenario, and its table of names. */
#include <errno.h>

#include "base/hash.h"
#include "scenario/parse.h"

#define CHUNK_SIZE	4000u

char *lp_parse_strings_alloc(struct lp_chunk **chunks, size_t size)
{
	struct lp_chunk *chunk = *chunks;
	size_t room = chunk ? 2 * chunk->size : CHUNK_SIZE;

	if (!chunk || chunk->size - chunk->used < size) {
		if (room > 16 * CHUNK_SIZE)
			room = 16 * CHUNK_SIZE;
		if (room < size)
			room = size;
		chunk = malloc(sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		*chunk = (struct lp_chunk){ .next = *chunks, .size = room };
		*chunks = chunk;
	}
	chunk->used += size;
	return chunk->bytes + chunk->used - size;
}

char *lp_parse_strings_copy(struct lp_chunk **chunks, const char *at, size_t size)
{
	char *copy = lp_parse_strings_alloc(chunks, size + 1);

	if (copy) {
		memcpy(copy, at, size);
		copy[size] = '\0';
	}
	return copy;
}

void lp_parse_strings_trim(struct lp_chunk *chunks, const char *last, size_t size)
{
	chunks->used = (size_t)(last - chunks->bytes) + size;
}

void lp_parse_strings_finish(struct lp_chunk **chunks)
{
	while (*chunks) {
		struct lp_chunk *next = (*chunks)->next;

		free(*chunks);
		*chunks = next;
	}
}

/* The slot of a name, or the free one where it would go. */
static struct lp_name *slot_of(struct lp_name *slots, uint32_t room, const char *at, size_t size)
{
	uint32_t slot = (uint32_t)lp_hash_bytes(0, at, size) & (room - 1);

	while (slots[slot].at && (slots[slot].size != size || memcmp(slots[slot].at, at, size)))
		slot = (slot + 1) & (room - 1);
	return &slots[slot];
}

struct lp_name *lp_names_find(const struct lp_names *names, const struct lp_token *token)
{
	struct lp_name *name;

	if (!names->room)
		return NULL;
	name = slot_of(names->slots, names->room, token->at, token->size);
	return name->at ? name : NULL;
}

static int grow(struct lp_names *names)
{
	uint32_t room = names->room ? 2 * names->room : 16;
	struct lp_name *slots = calloc(room, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < names->room; i++)
		if (names->slots[i].at)
			*slot_of(slots, room, names->slots[i].at, names->slots[i].size) =
				names->slots[i];
	free(names->slots);
	names->slots = slots;
	names->room = room;
	return 0;
}

int lp_names_add(struct lp_names *names, const struct lp_token *token, uint32_t object,
		 uint32_t body)
{
	if (2 * (names->count + 1) > names->room && grow(names))
		return -ENOMEM;
	*slot_of(names->slots, names->room, token->at, token->size) = (struct lp_name){
		.at = token->at, .size = (uint32_t)token->size, .object = object, .body = body,
		.line = token->line,
	};
	names->count++;
	return 0;
}

void lp_names_finish(struct lp_names *names)
{
	free(names->slots);
}

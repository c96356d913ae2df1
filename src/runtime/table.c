/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c — what belongs to an address, where the address itself has no room for it.
 *
 * A hash trie in private memory, so a forked child has its own copy at once. Lock-free: entries
 * are only added. Memory is taken in chunks that are never returned; addresses are used again.
 */
#include <string.h>

#include "base/hash.h"
#include "runtime/os.h"
#include "runtime/runtime.h"

#define CHUNK	(256u << 10)

struct entry {
	uint64_t	key;
	uint64_t	value[2];
	struct entry	*child[4];
};

struct chunk {
	uint32_t	used;		/* entries; grows past the room when the chunk is full */
	struct entry	entry[];
};

static struct entry *root;
static struct chunk *chunk;

static struct entry *new_entry(void)
{
	const uint32_t room = (CHUNK - sizeof(struct chunk)) / sizeof(struct entry);

	for (;;) {
		struct chunk *current = __atomic_load_n(&chunk, __ATOMIC_ACQUIRE);
		struct chunk *fresh;
		uint32_t index = room;

		if (current)
			index = __atomic_fetch_add(&current->used, 1, __ATOMIC_RELAXED);
		if (index < room)
			return &current->entry[index];
		fresh = lp_os_memory(CHUNK);
		if (!fresh)
			return NULL;
		if (!__atomic_compare_exchange_n(&chunk, &current, fresh, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			lp_os_unmap(fresh, CHUNK);
	}
}

/* The entry of key, or where it would be linked. */
static struct entry *walk(uint64_t key, struct entry ***empty)
{
	struct entry **link = &root;

	for (uint64_t hash = lp_hash64(key);; hash <<= 2) {
		struct entry *entry = __atomic_load_n(link, __ATOMIC_ACQUIRE);

		if (!entry) {
			*empty = link;
			return NULL;
		}
		if (entry->key == key)
			return entry;
		link = &entry->child[hash >> 62];
	}
}

uint64_t *lp_table_find(uint64_t key)
{
	struct entry **empty;
	struct entry *entry = walk(key, &empty);

	return entry ? entry->value : NULL;
}

uint64_t *lp_table_get(uint64_t key)
{
	struct entry *fresh = NULL;

	for (;;) {
		struct entry *none = NULL;
		struct entry **empty;
		struct entry *entry = walk(key, &empty);

		if (entry)
			return entry->value;	/* a fresh one stays unused: rare */
		if (!fresh)
			fresh = new_entry();
		if (!fresh)
			return NULL;
		fresh->key = key;
		if (__atomic_compare_exchange_n(empty, &none, fresh, false, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED))
			return fresh->value;
	}
}

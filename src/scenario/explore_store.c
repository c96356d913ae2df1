/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_store.c — the states seen: one array, and a hash table of indexes beside it.
 *
 * Everything grows by doubling from a few states, so that a small scenario costs little. A slot of
 * the table holds half of the hash, so that states are hardly ever compared in vain.
 */
#include <stdlib.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "scenario/explore_private.h"

#define ROOM_FIRST	64u
#define COST_EACH	(sizeof(uint32_t) + 4 * sizeof(uint64_t))	/* beside the state */

void lp_x_store_init(struct store *store, uint64_t size, uint64_t states_max, uint64_t memory_max)
{
	*store = (struct store){ .size = size, .memory_max = memory_max };
	store->states_max = states_max < UINT32_MAX - 1 ? states_max : UINT32_MAX - 1;
}

void lp_x_store_finish(struct store *store)
{
	free(store->states);
	free(store->parents);
	free(store->table);
}

uint64_t lp_x_store_room(const struct store *store)
{
	uint64_t affordable = store->memory_max / (store->size + COST_EACH);

	return affordable < store->states_max ? affordable : store->states_max;
}

/* size is a multiple of 8 */
static uint64_t hash_state(const uint8_t *state, uint64_t size)
{
	uint64_t hash = size, word;

	for (; size; state += 8, size -= 8) {
		memcpy(&word, state, 8);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 29;
	}
	return lp_hash64(hash);
}

static uint64_t *find_slot(const struct store *store, const uint8_t *state, uint64_t hash)
{
	uint64_t i = hash & (store->slots - 1);

	while (store->table[i]) {
		uint32_t index = (uint32_t)store->table[i] - 1;

		if (store->table[i] >> 32 == hash >> 32 &&
		    !memcmp(store_state(store, index), state, store->size))
			break;
		i = (i + 1) & (store->slots - 1);
	}
	return &store->table[i];
}

static bool grow_table(struct store *store)
{
	uint64_t slots = store->slots ? store->slots * 4 : ROOM_FIRST * 4, *old = store->table;
	uint64_t *table = calloc(slots, sizeof(*table));

	if (!table)
		return false;
	store->table = table;
	store->slots = slots;
	for (uint32_t i = 0; i < store->count; i++) {
		uint64_t hash = hash_state(store_state(store, i), store->size);
		uint64_t at = hash & (slots - 1);

		while (table[at])
			at = (at + 1) & (slots - 1);
		table[at] = hash >> 32 << 32 | (i + 1);
	}
	free(old);
	return true;
}

/* Room for twice as many states, or as many as the bounds allow. */
static enum store_result grow(struct store *store)
{
	uint64_t room = store->room ? store->room * 2ull : ROOM_FIRST;
	uint64_t most = lp_x_store_room(store);
	uint32_t *parents;
	uint8_t *states;

	room = room > most ? most : room;
	if (room <= store->room)
		return STORE_FULL;
	states = realloc(store->states, room * store->size);
	if (!states)
		return STORE_NO_MEMORY;
	store->states = states;
	parents = realloc(store->parents, room * sizeof(*parents));
	if (!parents)
		return STORE_NO_MEMORY;
	store->parents = parents;
	store->room = (uint32_t)room;
	return store->slots >= room * 2 || grow_table(store) ? STORE_NEW : STORE_NO_MEMORY;
}

enum store_result lp_x_store_add(struct store *store, const uint8_t *state, uint32_t parent,
			       uint32_t *index)
{
	uint64_t hash = hash_state(state, store->size), *slot = NULL;

	if (lp_likely(store->slots)) {
		slot = find_slot(store, state, hash);
		if (*slot) {
			*index = (uint32_t)*slot - 1;
			return STORE_OLD;
		}
	}
	if (lp_unlikely(store->count == store->room)) {
		enum store_result result = grow(store);

		if (result != STORE_NEW)
			return result;
		slot = find_slot(store, state, hash);
	}
	*index = store->count++;
	*slot = hash >> 32 << 32 | store->count;
	memcpy(store->states + *index * store->size, state, store->size);
	store->parents[*index] = parent;
	return STORE_NEW;
}

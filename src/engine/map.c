/* SPDX-License-Identifier: Apache-2.0 */
/* map.c — a map from 64-bit keys to nonzero 32-bit values. */
#include "engine/map.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"

#define FIRST_SLOTS 64u

void lp_map_finish(struct lp_map *map)
{
	free(map->slot);
	*map = (struct lp_map){0};
}

static struct lp_map_slot *find(struct lp_map_slot *slot, uint32_t mask, uint64_t key)
{
	uint32_t index = (uint32_t)lp_hash64(key) & mask;

	while (slot[index].value && slot[index].key != key)
		index = (index + 1) & mask;
	return &slot[index];
}

uint32_t lp_map_get(const struct lp_map *map, uint64_t key)
{
	return map->slot ? find(map->slot, map->mask, key)->value : 0;
}

static int grow(struct lp_map *map)
{
	uint64_t slots = map->slot ? 2 * ((uint64_t)map->mask + 1) : FIRST_SLOTS;
	struct lp_map_slot *grown;

	if (slots > UINT32_MAX)
		return -ENOMEM;
	grown = calloc(slots, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	for (uint64_t i = 0; map->slot && i <= map->mask; i++)
		if (map->slot[i].value)
			*find(grown, (uint32_t)slots - 1, map->slot[i].key) = map->slot[i];
	free(map->slot);
	map->slot = grown;
	map->mask = (uint32_t)slots - 1;
	return 0;
}

int lp_map_put(struct lp_map *map, uint64_t key, uint32_t value)
{
	struct lp_map_slot *slot;

	if (!map->slot || (uint64_t)map->count * 4 >= (uint64_t)map->mask * 3) {
		int err = grow(map);

		if (err)
			return err;
	}
	slot = find(map->slot, map->mask, key);
	map->count += !slot->value;
	*slot = (struct lp_map_slot){ .key = key, .value = value };
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.h — a map from 64-bit keys to nonzero 32-bit values.
 *
 * Open addressing with linear probing, at most 3/4 full; entries are never removed. A zeroed
 * struct is an empty map.
 */
#ifndef LP_ENGINE_MAP_H
#define LP_ENGINE_MAP_H

#include <stdint.h>

struct lp_map_slot {
	uint64_t	key;
	uint32_t	value;		/* 0: the slot is free */
};

struct lp_map {
	struct lp_map_slot *slot;
	uint32_t	count;
	uint32_t	mask;		/* slots - 1, when there are any */
};

void lp_map_finish(struct lp_map *map);

/* The value of a key, 0 when it has none. O(1). */
uint32_t lp_map_get(const struct lp_map *map, uint64_t key);

/* Give a key a value (not 0), replacing an older one. O(1) amortised; 0 or -ENOMEM. */
int lp_map_put(struct lp_map *map, uint64_t key, uint32_t value);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h — 64-bit content hash to array index. Tools only; one thread at a time.
 *
 * The table stores hashes and indexes, never contents: equal hashes are told apart by the caller's
 * comparison. Entries are never removed. Find and add are O(1) on average.
 */
#ifndef LP_FACTS_TABLE_H
#define LP_FACTS_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct lp_table_entry {
	uint64_t	hash;
	uint32_t	index;		/* 0: empty */
};

/* All zero: an empty table. */
struct lp_table {
	struct lp_table_entry *at;
	uint32_t	count, room;	/* room: 0 or a power of two */
};

/* Is element `index` of `owner` what `probe` describes? */
typedef bool lp_table_equal_fn(const void *owner, uint32_t index, const void *probe);

/* The index that was added with this hash and is equal to `probe`; 0: none. */
uint32_t lp_table_find(const struct lp_table *table, uint64_t hash, lp_table_equal_fn *equal,
		       const void *owner, const void *probe);

/* Make room for one more entry; false when memory is short. */
bool lp_table_room(struct lp_table *table);

/* Add an entry, for which there is room. `index` is not 0. */
void lp_table_add(struct lp_table *table, uint64_t hash, uint32_t index);

void lp_table_finish(struct lp_table *table);

#endif

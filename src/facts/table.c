/* SPDX-License-Identifier: Apache-2.0 */
/* table.c — open addressing with linear probing, at most three quarters full. */
#include "facts/table.h"

#include <assert.h>
#include <stdlib.h>

/* Hashes are well mixed already: their low bits choose the slot. */
static uint32_t slot_of(const struct lp_table *table, uint64_t hash)
{
	return (uint32_t)hash & (table->room - 1);
}

uint32_t lp_table_find(const struct lp_table *table, uint64_t hash, lp_table_equal_fn *equal,
		       const void *owner, const void *probe)
{
	if (!table->room)
		return 0;
	for (uint32_t slot = slot_of(table, hash);; slot = (slot + 1) & (table->room - 1)) {
		const struct lp_table_entry *entry = &table->at[slot];

		if (!entry->index)
			return 0;
		if (entry->hash == hash && equal(owner, entry->index, probe))
			return entry->index;
	}
}

static void place(struct lp_table *table, struct lp_table_entry entry)
{
	uint32_t slot = slot_of(table, entry.hash);

	while (table->at[slot].index)
		slot = (slot + 1) & (table->room - 1);
	table->at[slot] = entry;
}

bool lp_table_room(struct lp_table *table)
{
	struct lp_table old = *table;

	if (table->count < old.room / 4 * 3)
		return true;
	if (old.room >= UINT32_MAX / 2 + 1)
		return false;
	table->room = old.room ? old.room * 2 : 64;
	table->at = calloc(table->room, sizeof(*table->at));
	if (!table->at) {
		*table = old;
		return false;
	}
	for (uint32_t i = 0; i < old.room; i++)
		if (old.at[i].index)
			place(table, old.at[i]);
	free(old.at);
	return true;
}

void lp_table_add(struct lp_table *table, uint64_t hash, uint32_t index)
{
	assert(index && table->count < table->room);
	place(table, (struct lp_table_entry){ hash, index });
	table->count++;
}

void lp_table_finish(struct lp_table *table)
{
	free(table->at);
	*table = (struct lp_table){ 0 };
}

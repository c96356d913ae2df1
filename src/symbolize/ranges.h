/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ranges.h — which of many address ranges holds an address.
 *
 * Fill with add, call sort once, then find. Ranges may nest and overlap. All zero is an empty one.
 * Adding costs O(1), sorting O(n log n), finding O(log n) when few ranges overlap.
 */
#ifndef LP_SYMBOLIZE_RANGES_H
#define LP_SYMBOLIZE_RANGES_H

#include <stddef.h>
#include <stdint.h>

struct lp_range {
	uint64_t	low, high;	/* [low, high) */
	uint64_t	reach;		/* largest `high` of this and all earlier ranges */
	uint32_t	rank;		/* of ranges with the same low, the highest rank is found */
	uint32_t	index;		/* what the range stands for */
};

struct lp_ranges {
	struct lp_range	*at;
	size_t		count, capacity;
};

void lp_ranges_finish(struct lp_ranges *ranges);

/* Empty ranges (low >= high) are dropped. 0 or -ENOMEM. */
int lp_ranges_add(struct lp_ranges *ranges, uint64_t low, uint64_t high, uint32_t rank,
		  uint32_t index);
void lp_ranges_sort(struct lp_ranges *ranges);

/* The range that holds `address`; of several the one that starts last. NULL: none. */
const struct lp_range *lp_ranges_find(const struct lp_ranges *ranges, uint64_t address);

/* The last range that starts at or below `address`, wherever it ends. NULL: none. */
const struct lp_range *lp_ranges_below(const struct lp_ranges *ranges, uint64_t address);

#endif

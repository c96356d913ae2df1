/* SPDX-License-Identifier: Apache-2.0 */
/* ranges.c — see ranges.h. */
#include "symbolize/ranges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void lp_ranges_finish(struct lp_ranges *ranges)
{
	free(ranges->at);
	memset(ranges, 0, sizeof(*ranges));
}

int lp_ranges_add(struct lp_ranges *ranges, uint64_t low, uint64_t high, uint32_t rank,
		  uint32_t index)
{
	size_t capacity = ranges->capacity ? ranges->capacity * 2 : 64;
	struct lp_range *at;

	if (low >= high)
		return 0;
	if (ranges->count == ranges->capacity) {
		at = reallocarray(ranges->at, capacity, sizeof(*at));
		if (!at)
			return -ENOMEM;
		ranges->at = at;
		ranges->capacity = capacity;
	}
	ranges->at[ranges->count++] = (struct lp_range){ low, high, high, rank, index };
	return 0;
}

/* By start; where starts are equal the better one comes later, because find walks backwards. */
static int compare(const void *a, const void *b)
{
	const struct lp_range *x = a, *y = b;

	if (x->low != y->low)
		return x->low < y->low ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->index < y->index ? 1 : x->index > y->index ? -1 : 0;
}

void lp_ranges_sort(struct lp_ranges *ranges)
{
	uint64_t reach = 0;
	size_t i;

	if (ranges->count)
		qsort(ranges->at, ranges->count, sizeof(*ranges->at), compare);
	for (i = 0; i < ranges->count; i++) {
		if (ranges->at[i].high > reach)
			reach = ranges->at[i].high;
		ranges->at[i].reach = reach;
	}
}

const struct lp_range *lp_ranges_below(const struct lp_ranges *ranges, uint64_t address)
{
	size_t low = 0, high = ranges->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges->at[middle].low <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &ranges->at[low - 1] : NULL;
}

const struct lp_range *lp_ranges_find(const struct lp_ranges *ranges, uint64_t address)
{
	const struct lp_range *range = lp_ranges_below(ranges, address);

	if (!range)
		return NULL;
	for (; range->reach > address; range--) {
		if (range->high > address)
			return range;
		if (range == ranges->at)
			break;
	}
	return NULL;
}

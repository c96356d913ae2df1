/* SPDX-License-Identifier: Apache-2.0 */
/*
 * site.c — which call is this acquisition known by?
 *
 * For each return address met, the table keeps the class that was locked there; once a second
 * class is seen the address is "general" for good. Chain keys made with it so far are void.
 */
#include "base/hash.h"
#include "runtime/runtime.h"

#define LEVELS_MAX	8u
#define GENERAL		1ull

/* Is the call at pc one that takes locks of several classes? Learns from this one. */
static bool is_general(uint64_t pc, uint32_t class_ref)
{
	uint64_t *entry = lp_table_get(pc);
	uint64_t first = 0;

	if (!entry)
		return false;
	if (__atomic_load_n(&entry[1], __ATOMIC_RELAXED) == GENERAL)
		return true;
	if (__atomic_compare_exchange_n(&entry[0], &first, class_ref, false, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED) || first == class_ref)
		return false;
	__atomic_store_n(&entry[1], GENERAL, __ATOMIC_RELAXED);
	lp_bump_generation();
	return true;
}

struct lp_site lp_site_of(uint64_t pc, uint32_t class_ref)
{
	struct lp_site site = { pc, pc };
	struct lp_walk walk;
	unsigned level = 0;

	if (lp_likely(!is_general(pc, class_ref)))
		return site;
	lp_walk_begin(&walk);
	lp_walk_next(&walk);		/* pc itself */
	while (level++ < LEVELS_MAX && (pc = lp_walk_next(&walk))) {
		site.key = lp_hash_add(site.key, pc);
		site.pc = pc;
		if (!is_general(pc, class_ref))
			break;
	}
	return site;
}

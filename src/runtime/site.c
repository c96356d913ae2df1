/* SPDX-License-Identifier: Apache-2.0 */
/*
 * site.c — which call is this acquisition known by?
 *
 * For each return address met, the table keeps the class that was locked there; once a second
 * class is seen the address is "general", and its callers tell more than it does. Where they do
 * not, it is taken as it is, for good. Chain keys made with it so far are void either way.
 */
#include "runtime/runtime.h"

#define LEVELS_MAX	8u

/* What a return address is known to be: the second word of its entry in the table. */
enum { ONE_CLASS, GENERAL, HOPELESS };

static bool is(const uint64_t *entry, uint64_t what)
{
	return __atomic_load_n(&entry[1], __ATOMIC_RELAXED) == what;
}

static void turn(uint64_t *entry, uint64_t what)
{
	__atomic_store_n(&entry[1], what, __ATOMIC_RELAXED);
	lp_bump_generation();
}

/* Is the call at pc one that takes locks of several classes? Learns from this one. */
static bool is_general(uint64_t *entry, uint32_t class_ref)
{
	uint64_t first = 0;

	if (!entry || is(entry, HOPELESS))
		return false;
	if (is(entry, GENERAL))
		return true;
	if (__atomic_compare_exchange_n(&entry[0], &first, class_ref, false, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED) || first == class_ref)
		return false;
	turn(entry, GENERAL);
	return true;
}

struct lp_site lp_site_of(uint64_t pc, uint32_t class_ref)
{
	struct lp_site plain = { pc, pc }, site = plain;
	uint64_t *entry = lp_table_get(pc);
	struct lp_walk walk;

	if (lp_likely(!is_general(entry, class_ref)))
		return plain;
	lp_walk_begin(&walk);
	lp_walk_next(&walk);		/* pc itself */
	for (unsigned level = 0; level < LEVELS_MAX; level++) {
		pc = lp_walk_next(&walk);
		if (!pc)
			break;
		site.key = (site.key ^ pc) * LP_KEY_MUL;
		site.pc = pc;
		if (!is_general(lp_table_get(pc), class_ref))
			return site;
	}
	/* all callers are the same: a thread's function that is given its lock, say */
	turn(entry, HOPELESS);
	return plain;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* debug_private.h — shared by debug.c (code) and variable.c (data), by nobody else. */
#ifndef LP_SYMBOLIZE_DEBUG_PRIVATE_H
#define LP_SYMBOLIZE_DEBUG_PRIVATE_H

#include "symbolize/debug.h"

/* A growing array of DIEs and the addresses that lead to them. */
struct lp_die_index {
	Dwarf_Die	*die;
	size_t		count, capacity;
	struct lp_ranges ranges;	/* index: of die[] */
};

struct lp_debug_unit {
	Dwarf_Die	die;		/* the unit in the main file: line table, addresses */
	bool		functions_read[2];	/* [1]: those inside of others too */
	struct lp_die_index functions[2];
};

/* The name of a DIE, remembered: finding its scopes means walking its unit. */
struct lp_die_name {
	const void	*die;		/* Dwarf_Die.addr; NULL: free */
	const char	*name;
	bool		mangled;
};

struct lp_debug {
	Dwarf		*dwarf;
	struct lp_strings *strings;
	struct lp_debug_unit *units;
	size_t		unit_count;
	struct lp_ranges ranges;	/* index: of units[] */
	struct lp_die_name *names;	/* hash table */
	size_t		names_size, name_count;	/* size: a power of two, or 0 */
	bool		variables_read[2];	/* [1]: statics of functions too */
	struct lp_die_index variables[2];
};

/*
 * Visit the descendants of `parent` in order. `visit` returns > 0: go into this one's children,
 * 0: go on beside it, < 0: stop with this value.
 */
typedef int lp_die_visit_fn(void *context, Dwarf_Die *die);
int lp_die_walk(Dwarf_Die *parent, lp_die_visit_fn *visit, void *context);

/* Room for one more DIE; it gets index `index->count - 1`. 0 or -ENOMEM. */
int lp_die_index_push(struct lp_die_index *index, const Dwarf_Die *die);
void lp_die_index_finish(struct lp_die_index *index);

/* Where the unit's DIEs are: of a split unit that is the .dwo file. */
Dwarf_Die lp_debug_unit_tree(const struct lp_debug_unit *unit);

/*
 * The declared name, demangled or put together from the scopes; NULL: it has none. *mangled: it
 * comes from a mangled name.
 */
const char *lp_die_name(struct lp_debug *debug, Dwarf_Die *die, bool *mangled);

#endif

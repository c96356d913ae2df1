/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debug.h — what the debug info of one object says about an address.
 *
 * Nothing is read before it is asked for, and then only the compilation unit concerned; asking
 * for data reads the top level of all units once. Addresses are DWARF addresses.
 * The debug info may be hostile: walks are bounded in depth and in work.
 */
#ifndef LP_SYMBOLIZE_DEBUG_H
#define LP_SYMBOLIZE_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

#include <elfutils/libdw.h>

#include "symbolize/ranges.h"
#include "symbolize/strings.h"

#define LP_DEBUG_INLINE_MAX 64	/* deeper inlining keeps its innermost frames */

struct lp_debug;

struct lp_debug_frame {
	const char	*function;	/* demangled; NULL: unknown */
	const char	*file;		/* tidy; NULL: unknown */
	uint32_t	line, column;	/* 0: unknown */
};

struct lp_debug_frames {
	struct lp_debug_frame at[LP_DEBUG_INLINE_MAX + 1];	/* innermost first */
	size_t		count;		/* 0: no unit has this address */
	uint64_t	low, high;	/* the piece of the outer function; equal: unknown */
	bool		cold;		/* that piece is not the one with the function's entry */
	bool		mangled;	/* the outer name comes from a mangled one */
};

/* Strings go to `strings`, which must outlive it. NULL when memory is short. */
struct lp_debug *lp_debug_create(Dwarf *dwarf, struct lp_strings *strings);
void lp_debug_destroy(struct lp_debug *debug);

/* The functions at `address`, inlined ones first. */
void lp_debug_code(struct lp_debug *debug, uint64_t address, struct lp_debug_frames *frames);

/*
 * The variable at `address`: as it is declared ("pool", "stats::total"), where it starts and
 * which part of it `address` is (".lock", "[3]", ".slots[2].mtx", "": the whole). If `low` is
 * not 0 only a variable that starts there counts. Statics inside functions are searched only if
 * `local` says so: that reads all of the debug info, once.
 */
struct lp_debug_variable {
	const char	*name;
	const char	*part;		/* NULL: not a part that has a name */
	uint64_t	low;
};
bool lp_debug_data(struct lp_debug *debug, uint64_t address, uint64_t low, bool local,
		   struct lp_debug_variable *variable);

#endif

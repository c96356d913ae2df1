/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h — memory that is given back all at once.
 *
 * Once memory was short, `failed` stays set and every further call gives NULL: a caller can build
 * something large and look once, at the end.
 */
#ifndef LP_CLI_ARENA_H
#define LP_CLI_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct lp_arena {
	struct lp_arena_chunk *chunks;	/* newest first */
	size_t		used;		/* of the newest */
	bool		failed;
};

/* An arena starts as { 0 }. */
void lp_arena_finish(struct lp_arena *arena);

/* `count` zeroed elements of `size` bytes, aligned for anything. NULL when memory is short. */
void *lp_arena_array(struct lp_arena *arena, size_t count, size_t size);

char *lp_arena_printf(struct lp_arena *arena, const char *format, ...) LP_PRINTF(2, 3);

/* NULL stays NULL. */
char *lp_arena_copy(struct lp_arena *arena, const char *text);

#endif

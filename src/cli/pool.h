/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h — memory that is given back all at once.
 *
 * Once memory was short, `failed` stays set and every further call gives NULL: a caller can build
 * something large and look once, at the end.
 */
#ifndef LP_CLI_POOL_H
#define LP_CLI_POOL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct lp_pool {
	struct lp_pool_chunk *chunks;	/* newest first */
	size_t		used;		/* of the newest */
	bool		failed;
};

/* An pool starts as { 0 }. */
void lp_pool_finish(struct lp_pool *pool);

/* `count` zeroed elements of `size` bytes, aligned for anything. NULL when memory is short. */
void *lp_pool_array(struct lp_pool *pool, size_t count, size_t size);

char *lp_pool_printf(struct lp_pool *pool, const char *format, ...) LP_PRINTF(2, 3);

/* NULL stays NULL. */
char *lp_pool_copy(struct lp_pool *pool, const char *text);

#endif

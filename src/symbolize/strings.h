/* SPDX-License-Identifier: Apache-2.0 */
/* strings.h — memory that lives as long as its owner: interned strings and plain blocks. */
#ifndef LP_SYMBOLIZE_STRINGS_H
#define LP_SYMBOLIZE_STRINGS_H

#include <stddef.h>
#include <stdint.h>

struct lp_strings_chunk;

/* All zero is an empty one. */
struct lp_strings {
	struct lp_strings_chunk *chunks;	/* newest first; the newest is being filled */
	const char	**table;		/* hash table of interned strings, NULL: free */
	size_t		table_size;		/* a power of two, or 0 */
	size_t		count;
};

void lp_strings_finish(struct lp_strings *strings);

/* A block aligned for any object. NULL when memory is short. */
void *lp_strings_alloc(struct lp_strings *strings, size_t size);

/* The one copy of `text`: equal strings give equal pointers. NULL when memory is short. */
const char *lp_strings_intern(struct lp_strings *strings, const char *text);

#endif

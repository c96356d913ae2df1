/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h — what a line of C or C++ calls the lock that it locks or initialises.
 *
 * Works on the text alone: a small scanner, no parser, no preprocessor. It answers only where it
 * is sure; a call it does not know, or two it cannot choose between, gives no answer.
 * The text may be any bytes.
 */
#ifndef LP_SYMBOLIZE_SOURCE_H
#define LP_SYMBOLIZE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LP_SOURCE_NAME_MAX 80	/* a longer argument ends in "..." */

struct lp_source {
	char		*text;		/* as it is */
	char		*code;		/* comments and directives blanked, literals marked */
	size_t		size;
	size_t		*line;		/* where line i + 1 starts */
	size_t		line_count;
};

/* Take over `text` (malloc'd, also when this fails). 0 or -ENOMEM. */
int lp_source_init(struct lp_source *source, char *text, size_t size);
void lp_source_finish(struct lp_source *source);

/*
 * The lock of the call at this place (column 0: unknown) into `name`: "&q->lock", "m_". False:
 * there is no such call, or more than one that it could be.
 */
bool lp_source_lock_name(const struct lp_source *source, uint32_t line, uint32_t column,
			 char name[LP_SOURCE_NAME_MAX + 1]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* source_private.h — shared by source.c, source_calls.c and source_name.c, by nobody else. */
#ifndef LP_SYMBOLIZE_SOURCE_PRIVATE_H
#define LP_SYMBOLIZE_SOURCE_PRIVATE_H

#include <string.h>

#include "symbolize/source.h"

#define CALL_SIZE_MAX	4096	/* bytes from '(' to ')' */
#define CALLS_MAX	32	/* in the lines looked at; more are too many to choose from */

/* ---- characters ---- */

static inline bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* ---- moving about ---- */

static inline size_t skip_space(const struct lp_source *source, size_t at)
{
	while (at < source->size && is_space(source->code[at]))
		at++;
	return at;
}

/* One past the last non-space character before `at`. */
static inline size_t skip_space_back(const struct lp_source *source, size_t at)
{
	while (at && is_space(source->code[at - 1]))
		at--;
	return at;
}

static inline size_t name_end(const struct lp_source *source, size_t at)
{
	while (at < source->size && is_name_char(source->code[at]))
		at++;
	return at;
}

static inline size_t name_start(const struct lp_source *source, size_t at)
{
	while (at && is_name_char(source->code[at - 1]))
		at--;
	return at;
}

static inline bool is_word(const struct lp_source *source, size_t from, size_t to, const char *word)
{
	return strlen(word) == to - from && memcmp(source->code + from, word, to - from) == 0;
}

/* True when the text that ends at `at` is `mark`. */
static inline bool ends_with(const struct lp_source *source, size_t at, const char *mark)
{
	size_t size = strlen(mark);

	return at >= size && memcmp(source->code + at - size, mark, size) == 0;
}

/* ---- calls ---- */

struct span {
	size_t from, to;
};

/* One call or declaration that takes a lock. */
struct call {
	struct span	whole;		/* from its first word to its closing bracket */
	struct span	name;		/* the lock, as written; empty: cannot be told */
	struct span	variable;	/* of a guard, its name; else empty */
	bool		direct;		/* the name cannot be that of a guard */
};

struct calls {
	struct call	at[CALLS_MAX];
	size_t		count;
	bool		overflow;
};

/* The calls whose first word starts in [from, to). */
void lp_source_find_calls(const struct lp_source *source, struct calls *calls, size_t from,
			  size_t to);

/* Words that a bracket may follow without being a call. */
bool lp_source_is_bracket_word(const struct lp_source *source, size_t from, size_t to);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lex.h — the tokens of a scenario file. Internal to the parser.
 *
 * Any bytes may come. Tokens point into the text; a token that cannot be one is LP_TOKEN_BAD and
 * says why. Columns count characters: bytes that do not continue a UTF-8 sequence.
 */
#ifndef LP_SCENARIO_LEX_H
#define LP_SCENARIO_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Punctuation of one character is its own kind. */
enum lp_token_kind {
	LP_TOKEN_END = 256,	/* of the text */
	LP_TOKEN_NAME,		/* [A-Za-z_][A-Za-z0-9_]* */
	LP_TOKEN_NUMBER,	/* [0-9]+ */
	LP_TOKEN_STRING,	/* with its quotes; \" and \\ are the only escapes */
	LP_TOKEN_ARROW,		/* -> */
	LP_TOKEN_ERRNO,		/* -NAME */
	LP_TOKEN_EQUAL,		/* == */
	LP_TOKEN_UNEQUAL,	/* != */
	LP_TOKEN_BAD,
};

struct lp_token {
	int		kind;
	const char	*at;
	size_t		size;
	uint32_t	line, column;	/* from 1 */
	const char	*problem;	/* BAD: a sentence; NULL: a character that begins none */
	const char	*comment;	/* what follows "//" between the last token and this one, on
					   the last one's line; or NULL */
	size_t		comment_size;
};

struct lp_lexer {
	const char	*at, *end;
	uint32_t	line, column;
};

/* Begin at the start of the text, behind a byte order mark if there is one. */
void lp_lexer_init(struct lp_lexer *lexer, const char *text, size_t size);

/* The next token. At the end: LP_TOKEN_END, as often as asked. */
void lp_lexer_next(struct lp_lexer *lexer, struct lp_token *token);

/* Instead of lp_lexer_next: all up to the next blank, on this line. Empty: nothing is there. */
void lp_lexer_next_raw(struct lp_lexer *lexer, struct lp_token *token);

/* Make the NAME that was read last longer by what follows it of [A-Za-z0-9_-]. */
void lp_lexer_extend(struct lp_lexer *lexer, struct lp_token *token);

bool lp_token_is(const struct lp_token *token, const char *word);

/* Size of the well-formed UTF-8 character at `at`, 0 when it is none. */
size_t lp_utf8_size(const char *at, const char *end);

/* Well-formed UTF-8 without control characters: fit to be printed. */
bool lp_text_printable(const char *at, size_t size);

static inline bool lp_char_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* lex.c — the tokens of a scenario file. */
#include <string.h>

#include "scenario/lex.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(char c)
{
	return is_name_start(c) || is_digit(c);
}

static bool continues_character(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static bool looking_at(const struct lp_lexer *lexer, const char *two)
{
	return lexer->end - lexer->at >= 2 && lexer->at[0] == two[0] && lexer->at[1] == two[1];
}

/* Go one byte on. */
static void step(struct lp_lexer *lexer)
{
	char c = *lexer->at++;

	if (c == '\n') {
		lexer->line++;
		lexer->column = 1;
	} else if (!continues_character(c)) {
		lexer->column++;
	}
}

static void step_to(struct lp_lexer *lexer, const char *to)
{
	while (lexer->at < to)
		step(lexer);
}

void lp_lexer_init(struct lp_lexer *lexer, const char *text, size_t size)
{
	*lexer = (struct lp_lexer){ .at = text, .end = text + size, .line = 1, .column = 1 };
	if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		lexer->at += 3;
}

static void begin(const struct lp_lexer *lexer, struct lp_token *token, int kind)
{
	token->kind = kind;
	token->at = lexer->at;
	token->size = 0;
	token->line = lexer->line;
	token->column = lexer->column;
	token->problem = NULL;
}

static void bad(struct lp_token *token, size_t size, const char *problem)
{
	token->kind = LP_TOKEN_BAD;
	token->size = size;
	token->problem = problem;
}

static void skip_line_comment(struct lp_lexer *lexer, struct lp_token *token, uint32_t line)
{
	const char *to = memchr(lexer->at, '\n', (size_t)(lexer->end - lexer->at));

	if (!to)
		to = lexer->end;
	if (!token->comment && lexer->line == line) {
		token->comment = lexer->at + 2;
		token->comment_size = (size_t)(to - token->comment);
	}
	step_to(lexer, to);
}

/* False: it has no end, and `token` says so. */
static bool skip_block_comment(struct lp_lexer *lexer, struct lp_token *token)
{
	begin(lexer, token, LP_TOKEN_BAD);
	step_to(lexer, lexer->at + 2);
	while (lexer->at < lexer->end && !looking_at(lexer, "*/"))
		step(lexer);
	if (lexer->at == lexer->end) {
		bad(token, 2, "this comment has no end");
		return false;
	}
	step_to(lexer, lexer->at + 2);
	return true;
}

/* To the next token. False: `token` is a bad one already. */
static bool skip_blanks(struct lp_lexer *lexer, struct lp_token *token)
{
	uint32_t line = lexer->line;

	token->comment = NULL;
	token->comment_size = 0;
	while (lexer->at < lexer->end) {
		if (lp_char_blank(*lexer->at))
			step(lexer);
		else if (looking_at(lexer, "//"))
			skip_line_comment(lexer, token, line);
		else if (!looking_at(lexer, "/*"))
			return true;
		else if (!skip_block_comment(lexer, token))
			return false;
	}
	return true;
}

static void lex_word(struct lp_lexer *lexer, struct lp_token *token)
{
	token->kind = is_digit(*lexer->at) ? LP_TOKEN_NUMBER : LP_TOKEN_NAME;
	while (lexer->at < lexer->end && is_name(*lexer->at)) {
		if (token->kind == LP_TOKEN_NUMBER && !is_digit(*lexer->at))
			bad(token, 0, "a number has digits only");
		step(lexer);
	}
	token->size = (size_t)(lexer->at - token->at);
}

static void lex_string(struct lp_lexer *lexer, struct lp_token *token)
{
	token->kind = LP_TOKEN_STRING;
	step(lexer);
	while (lexer->at < lexer->end && *lexer->at != '"' && *lexer->at != '\n') {
		if (*lexer->at == '\\') {
			if (!looking_at(lexer, "\\\"") && !looking_at(lexer, "\\\\")) {
				begin(lexer, token, LP_TOKEN_BAD);
				bad(token, 1, "a string has no escapes but \\\" and \\\\");
				return;
			}
			step(lexer);
		}
		step(lexer);
	}
	if (lexer->at == lexer->end || *lexer->at != '"') {
		bad(token, 1, "this string has no end on its line");
		return;
	}
	step(lexer);
	token->size = (size_t)(lexer->at - token->at);
	if (!lp_text_printable(token->at, token->size))
		bad(token, 1, "this string is not printable UTF-8");
}

static void lex_errno(struct lp_lexer *lexer, struct lp_token *token)
{
	token->kind = LP_TOKEN_ERRNO;
	do {
		step(lexer);
	} while (lexer->at < lexer->end && is_name(*lexer->at));
	token->size = (size_t)(lexer->at - token->at);
}

static void lex_punctuation(struct lp_lexer *lexer, struct lp_token *token)
{
	static const struct { const char *text; int kind; } pairs[] = {
		{ "->", LP_TOKEN_ARROW }, { "==", LP_TOKEN_EQUAL }, { "!=", LP_TOKEN_UNEQUAL },
	};
	size_t size;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (looking_at(lexer, pairs[i].text)) {
			token->kind = pairs[i].kind;
			token->size = 2;
			step_to(lexer, lexer->at + 2);
			return;
		}
	}
	token->kind = (unsigned char)*lexer->at;
	token->size = 1;
	if (!*lexer->at || !strchr("(){};,&:=!*|", *lexer->at)) {
		size = lp_utf8_size(lexer->at, lexer->end);
		bad(token, size ? size : 1, NULL);
	}
	step_to(lexer, lexer->at + token->size);
}

void lp_lexer_next(struct lp_lexer *lexer, struct lp_token *token)
{
	if (!skip_blanks(lexer, token))
		return;
	begin(lexer, token, LP_TOKEN_END);
	if (lexer->at == lexer->end)
		return;
	if (is_name(*lexer->at))
		lex_word(lexer, token);
	else if (*lexer->at == '"')
		lex_string(lexer, token);
	else if (*lexer->at == '-' && lexer->end - lexer->at > 1 && is_name_start(lexer->at[1]))
		lex_errno(lexer, token);
	else
		lex_punctuation(lexer, token);
}

void lp_lexer_next_raw(struct lp_lexer *lexer, struct lp_token *token)
{
	while (lexer->at < lexer->end && *lexer->at != '\n' && lp_char_blank(*lexer->at))
		step(lexer);
	begin(lexer, token, LP_TOKEN_NAME);
	token->comment = NULL;
	token->comment_size = 0;
	if (looking_at(lexer, "//") || looking_at(lexer, "/*"))
		return;
	while (lexer->at < lexer->end && !lp_char_blank(*lexer->at))
		step(lexer);
	token->size = (size_t)(lexer->at - token->at);
}

void lp_lexer_extend(struct lp_lexer *lexer, struct lp_token *token)
{
	while (lexer->at < lexer->end && (is_name(*lexer->at) || *lexer->at == '-'))
		step(lexer);
	token->size = (size_t)(lexer->at - token->at);
}

bool lp_token_is(const struct lp_token *token, const char *word)
{
	return token->kind == LP_TOKEN_NAME && token->size == strlen(word) &&
	       !memcmp(token->at, word, token->size);
}

size_t lp_utf8_size(const char *at, const char *end)
{
	static const struct { uint8_t mask, lead; uint32_t least; } forms[] = {
		{ 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 },
	};

	for (size_t i = 0; i < 4; i++) {
		uint32_t code = (unsigned char)*at & (unsigned char)~forms[i].mask;

		if (((unsigned char)*at & forms[i].mask) != forms[i].lead)
			continue;
		if ((size_t)(end - at) <= i)
			return 0;
		for (size_t k = 1; k <= i; k++) {
			if (!continues_character(at[k]))
				return 0;
			code = code << 6 | ((unsigned char)at[k] & 0x3f);
		}
		return code < forms[i].least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)
			       ? 0 : i + 1;
	}
	return 0;
}

bool lp_text_printable(const char *at, size_t size)
{
	const char *end = at + size;

	while (at < end) {
		size_t one = lp_utf8_size(at, end);

		/* C0, DEL, and C1 in its two-byte form */
		if (!one || (unsigned char)*at < 0x20 || *at == 0x7f ||
		    (one == 2 && (unsigned char)at[0] == 0xc2 && (unsigned char)at[1] < 0xa0))
			return false;
		at += one;
	}
	return true;
}

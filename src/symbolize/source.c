/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.c — the text of a source file, made ready for searching. See source.h.
 *
 * The text is scanned once into `code`, byte for byte as long as `text`: comments and preprocessor
 * lines become spaces, literals become LITERAL bytes, newlines stay. All searching is done in
 * `code`, names are cut from `text`. A position is an offset in both.
 */
#include "symbolize/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbolize/source_private.h"

#define LITERAL		'"'
#define NUMBER_SIZE_MAX	64	/* a longer one has no digit separators that count */

static void blank(struct lp_source *source, size_t from, size_t to, char with)
{
	for (; from < to; from++)
		if (source->text[from] != '\n')
			source->code[from] = with;
}

/* The end of the line at `at`: its newline, or the end; continued lines count as one. */
static size_t line_end(const struct lp_source *source, size_t at)
{
	const char *text = source->text;

	for (; at < source->size; at++)
		if (text[at] == '\n' && !(at && text[at - 1] == '\\') &&
		    !(at > 1 && text[at - 1] == '\r' && text[at - 2] == '\\'))
			break;
	return at;
}

static size_t skip_comment(const struct lp_source *source, size_t at)
{
	const char *end;

	if (source->text[at + 1] == '/')
		return line_end(source, at);
	end = memmem(source->text + at + 2, source->size - at - 2, "*/", 2);
	return end ? (size_t)(end - source->text) + 2 : source->size;
}

/* A directive may begin a comment that goes on after its line. */
static size_t skip_directive(const struct lp_source *source, size_t at)
{
	size_t end = line_end(source, at), comment_end;
	const char *comment = memmem(source->text + at, end - at, "/*", 2);

	if (!comment)
		return end;
	comment_end = skip_comment(source, (size_t)(comment - source->text));
	return comment_end > end ? comment_end : end;
}

/* A string or character literal ends at its quote, a damaged one at the end of the line. */
static size_t skip_quoted(const struct lp_source *source, size_t at)
{
	char quote = source->text[at++];

	for (; at < source->size && source->text[at] != '\n'; at++) {
		if (source->text[at] == quote)
			return at + 1;
		if (source->text[at] == '\\' && at + 1 < source->size)
			at++;
	}
	return at < source->size ? at : source->size;
}

/* R"tag( ... )tag" with `at` on the quote. A wrong tag is no raw string: 0. */
static size_t skip_raw(const struct lp_source *source, size_t at)
{
	const char *text = source->text;
	size_t tag = 0, i;

	while (tag <= 16 && at + 1 + tag < source->size && text[at + 1 + tag] != '(')
		tag++;
	if (tag > 16 || at + 1 + tag >= source->size)
		return 0;
	for (i = at + 2 + tag; i + tag + 1 < source->size; i++)
		if (text[i] == ')' && text[i + 1 + tag] == '"' &&
		    memcmp(text + i + 1, text + at + 1, tag) == 0)
			return i + tag + 2;
	return source->size;
}

static size_t skip_literal(const struct lp_source *source, size_t at)
{
	const char *text = source->text;
	size_t end = 0;

	if (text[at] == '"' && at && text[at - 1] == 'R')
		end = skip_raw(source, at);
	return end ? end : skip_quoted(source, at);
}

/* 1'000'000 is a number. A character's prefix (u8'x', L'x') is not. */
static bool is_digit_separator(const struct lp_source *source, size_t at)
{
	size_t start = at, low = at > NUMBER_SIZE_MAX ? at - NUMBER_SIZE_MAX : 0;

	if (source->text[at] != '\'')
		return false;
	while (start > low &&
	       (is_name_char(source->text[start - 1]) || source->text[start - 1] == '\''))
		start--;
	return start < at && is_digit(source->text[start]);
}

static void blank_source(struct lp_source *source)
{
	const char *text = source->text;
	bool line_start = true;
	size_t at = 0, end;

	while (at < source->size) {
		char next = at + 1 < source->size ? text[at + 1] : '\0';

		if (text[at] == '\n') {
			line_start = true;
			at++;
			continue;
		}
		if (text[at] == '/' && (next == '/' || next == '*')) {
			end = skip_comment(source, at);
			blank(source, at, end, ' ');
		} else if (text[at] == '#' && line_start) {
			end = skip_directive(source, at);
			blank(source, at, end, ' ');
		} else if ((text[at] == '"' || text[at] == '\'') &&
			   !is_digit_separator(source, at)) {
			end = skip_literal(source, at);
			blank(source, at, end, LITERAL);
			line_start = false;
		} else {
			end = at + 1;
			line_start = line_start && is_space(text[at]);
		}
		at = end;
	}
}

static int index_lines(struct lp_source *source)
{
	const char *at = source->text, *end = at + source->size;
	size_t count = 1;

	while ((at = memchr(at, '\n', (size_t)(end - at))) && ++at)
		count++;
	source->line = reallocarray(NULL, count, sizeof(*source->line));
	if (!source->line)
		return -ENOMEM;
	source->line[0] = 0;
	source->line_count = 1;
	for (at = source->text; (at = memchr(at, '\n', (size_t)(end - at))); )
		source->line[source->line_count++] = (size_t)(++at - source->text);
	return 0;
}

int lp_source_init(struct lp_source *source, char *text, size_t size)
{
	memset(source, 0, sizeof(*source));
	source->text = text;
	source->size = size;
	source->code = malloc(size + 1);
	if (!source->code || index_lines(source) < 0) {
		lp_source_finish(source);
		return -ENOMEM;
	}
	memcpy(source->code, text, size);
	source->code[size] = '\0';
	blank_source(source);
	return 0;
}

void lp_source_finish(struct lp_source *source)
{
	free(source->text);
	free(source->code);
	free(source->line);
	memset(source, 0, sizeof(*source));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clean.c — names of the target as they may be shown.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "render/clean.h"

#define TAIL_WIDTH 40	/* what is kept of the end of a name that is too long */

struct range {
	uint32_t	first, last;
};

/* What a terminal or an editor would act on instead of showing it. */
static const struct range unsafe[] = {
	{ 0x0000, 0x001f },	/* C0 controls */
	{ 0x007f, 0x009f },	/* delete, C1 controls */
	{ 0x00ad, 0x00ad },	/* soft hyphen */
	{ 0x061c, 0x061c },	/* Arabic letter mark */
	{ 0x200b, 0x200f },	/* zero-width characters, direction marks */
	{ 0x2028, 0x202e },	/* line separators, embeddings and overrides */
	{ 0x2060, 0x206f },	/* invisible operators, isolates */
	{ 0xfeff, 0xfeff },	/* byte order mark */
	{ 0xfff9, 0xfffb },	/* interlinear annotation */
	{ 0xe0000, 0xe007f },	/* tags */
};

static bool is_unsafe(uint32_t character)
{
	for (size_t i = 0; i < lp_array_size(unsafe); i++) {
		if (character >= unsafe[i].first && character <= unsafe[i].last)
			return true;
	}
	return false;
}

/* Bytes of the sequence that `lead` starts, and its payload bits; 0: no lead byte. */
static size_t sequence_length(unsigned char lead, uint32_t *bits)
{
	if (lead < 0x80) {
		*bits = lead;
		return 1;
	}
	if (lead >= 0xc2 && lead <= 0xdf) {
		*bits = lead & 0x1f;
		return 2;
	}
	if ((lead & 0xf0) == 0xe0) {
		*bits = lead & 0x0f;
		return 3;
	}
	if (lead >= 0xf0 && lead <= 0xf4) {
		*bits = lead & 0x07;
		return 4;
	}
	return 0;
}

size_t lp_clean_decode(const char *text, uint32_t *character)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t bits;
	size_t length = sequence_length((unsigned char)text[0], &bits);

	for (size_t i = 1; i < length; i++) {
		/* The terminating NUL is no continuation byte: nothing is read beyond it. */
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
		bits = bits << 6 | ((unsigned char)text[i] & 0x3f);
	}
	if (!length || bits < smallest[length] || bits > 0x10ffff ||
	    (bits >= 0xd800 && bits <= 0xdfff))
		return 0;
	*character = bits;
	return length;
}

/* Write the character at *text and step over it. Returns its columns. */
static size_t put_one(FILE *out, const char **text)
{
	char escaped[16];
	uint32_t character;
	size_t length = lp_clean_decode(*text, &character);

	if (length && !is_unsafe(character)) {
		if (out)
			fwrite(*text, 1, length, out);
		*text += length;
		return 1;
	}
	if (!length)
		snprintf(escaped, sizeof(escaped), "\\x%02x", (unsigned char)**text);
	else
		snprintf(escaped, sizeof(escaped), length == 1 ? "\\x%02x" : "\\u%04x",
			 (unsigned)character);
	*text += length ? length : 1;
	if (out)
		fputs(escaped, out);
	return strlen(escaped);
}

size_t lp_clean_put_all(FILE *out, const char *text)
{
	size_t columns = 0;

	if (!text || !*text)
		text = "?";
	while (*text)
		columns += put_one(out, &text);
	return columns;
}

/* Is the '<' or '>' at `at` part of an operator's name ("operator<<", "operator->")? */
static bool is_operator(const char *name, const char *at)
{
	static const char word[] = "operator";

	while (at > name && strchr("<>=-", at[-1]))
		at--;
	return (size_t)(at - name) >= sizeof(word) - 1 &&
	       !memcmp(at - (sizeof(word) - 1), word, sizeof(word) - 1);
}

/* Copy `name` with every outermost template argument list as "<...>". `copy` is large enough. */
static void collapse_templates(const char *name, char *copy)
{
	size_t depth = 0;

	for (const char *at = name; *at; at++) {
		bool angle = (*at == '<' || *at == '>') && !is_operator(name, at);

		if (angle && *at == '<' && depth++ == 0)
			copy = stpcpy(copy, "<...>");
		else if (angle && *at == '>' && depth)
			depth--;
		else if (!depth)
			*copy++ = *at;
	}
	*copy = '\0';
}

/* The last TAIL_WIDTH bytes of a name, from the start of a character on. */
static const char *tail_of(const char *name)
{
	const char *tail = name + strlen(name) - TAIL_WIDTH;

	while (((unsigned char)*tail & 0xc0) == 0x80)
		tail++;
	return tail;
}

/* As much of the start of `name` as fits, "...", and its end. */
static size_t put_ends(FILE *out, const char *name)
{
	const char *tail = tail_of(name);
	size_t columns = 0;

	while (name < tail && columns < LP_CLEAN_WIDTH_MAX - TAIL_WIDTH - 3)
		columns += put_one(out, &name);
	if (name < tail) {
		if (out)
			fputs("...", out);
		columns += 3;
		name = tail;
	}
	while (*name)
		columns += put_one(out, &name);
	return columns;
}

size_t lp_clean_put(FILE *out, const char *name)
{
	size_t columns, size;
	char *copy = NULL;

	if (!name || strlen(name) <= LP_CLEAN_WIDTH_MAX)
		return lp_clean_put_all(out, name);
	/* "<...>" is longer than "<>": at worst 5 bytes for each 2. */
	if (!__builtin_mul_overflow(strlen(name), (size_t)3, &size))
		copy = malloc(size + 1);
	if (copy) {
		collapse_templates(name, copy);
		name = copy;
	}
	if (strlen(name) <= LP_CLEAN_WIDTH_MAX)
		columns = lp_clean_put_all(out, name);
	else
		columns = put_ends(out, name);
	free(copy);
	return columns;
}

char *lp_clean_utf8(const char *text)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *copy = malloc(strlen(text) * (sizeof(replacement) - 1) + 1), *end = copy;
	uint32_t character;
	size_t length;

	if (!copy)
		return NULL;
	while (*text) {
		length = lp_clean_decode(text, &character);
		if (length) {
			end = mempcpy(end, text, length);
			text += length;
		} else {
			end = stpcpy(end, replacement);
			text++;
		}
	}
	*end = '\0';
	return copy;
}

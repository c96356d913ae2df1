/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_source.c — any bytes as a source file: the scanner finds a short, plain name or none.
 *
 * The first byte is the column asked about (0: none), the rest is the text; every line is asked
 * about, up to 100.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbolize/source.h"

#define LINES_MAX	100u
#define INPUT_MAX	(64u << 10)

/* A literal in the name may hold anything but a line's end. */
static void check_name(const char *name)
{
	if (*name && strlen(name) <= LP_SOURCE_NAME_MAX && !strchr(name, '\n') &&
	    (!strpbrk(name, ";{}") || strpbrk(name, "\"'")))
		return;
	fprintf(stderr, "fuzz_source: a name that is none: %s\n", name);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[LP_SOURCE_NAME_MAX + 1], *text;
	struct lp_source source;
	uint32_t line;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	text = malloc(size > 1 ? size - 1 : 1);	/* exact: a sanitizer sees a read past it */
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	if (lp_source_init(&source, text, size - 1))
		return 0;
	for (line = 0; line <= source.line_count && line < LINES_MAX; line++) {
		if (lp_source_lock_name(&source, line, data[0], name))
			check_name(name);
	}
	lp_source_finish(&source);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clean.h — names of the target as they may be shown.
 *
 * A name can be any bytes: the target may be hostile. What reaches a terminal must not move its
 * cursor, change its colours, reorder its text or forge a line; what reaches JSON must be UTF-8.
 */
#ifndef LP_RENDER_CLEAN_H
#define LP_RENDER_CLEAN_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Names wider than this are shortened in text. */
#define LP_CLEAN_WIDTH_MAX 120

/*
 * Decode one character of the NUL-terminated `text`. Returns its bytes (1 to 4), or 0 when they
 * are not valid UTF-8 (overlong forms, surrogates and what lies beyond U+10FFFF are not).
 */
size_t lp_clean_decode(const char *text, uint32_t *character);

/*
 * Write a name: control and reordering characters and invalid bytes are written as \x1b or \u202e,
 * long template argument lists as <...>, and what is then still too long loses its middle.
 * NULL and "" are written as "?". Returns the columns that it takes; `out` NULL: only count.
 */
size_t lp_clean_put(FILE *out, const char *name);

/* The same without shortening. */
size_t lp_clean_put_all(FILE *out, const char *text);

/* A copy of `text` that is valid UTF-8: each wrong byte becomes U+FFFD. NULL: memory is short. */
char *lp_clean_utf8(const char *text);

#endif

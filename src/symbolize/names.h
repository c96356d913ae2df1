/* SPDX-License-Identifier: Apache-2.0 */
/* names.h — names as people write them: demangled symbols, tidy paths. */
#ifndef LP_SYMBOLIZE_NAMES_H
#define LP_SYMBOLIZE_NAMES_H

#include "symbolize/strings.h"

/*
 * A symbol's name without version ("read@@V2" -> "read") and clone marks ("f.isra.0" -> "f"),
 * demangled if it is C++ ("_ZN1q4pushEi" -> "q::push(int)"). NULL when memory is short.
 */
const char *lp_name_demangle(struct lp_strings *strings, const char *symbol);

/* The same for a data object: no "(anonymous namespace)::", no ".0" of a function's static. */
const char *lp_name_data(struct lp_strings *strings, const char *symbol);

/*
 * A source path without "./", "//" and "dir/../", unless that would name another file (a
 * symbolic link). NULL when memory is short.
 */
const char *lp_name_path(struct lp_strings *strings, const char *path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* wrapper.h — functions that only pass a lock on: not the place where it is made or taken. */
#ifndef LP_CLI_WRAPPER_H
#define LP_CLI_WRAPPER_H

#include <stdbool.h>

/*
 * Is this function, as a symbolizer names it ("void std::lock<A, B>(A&, B&)"), one of the lock
 * functions of a library? Of programs' own wrappers nothing is known: their names say nothing.
 */
bool lp_wrapper_function(const char *function);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* explore_print.h — what an exploration found, for people. */
#ifndef LP_EXPLORE_PRINT_H
#define LP_EXPLORE_PRINT_H

#include <stdio.h>

#include "scenario/explore.h"

#define LP_EXPLORE_WIDTH_MAX 120

/*
 * Write the schedule that deadlocks as a table with a column per CPU that takes part, then who
 * waits for what; a table wider than LP_EXPLORE_WIDTH_MAX becomes a list. Without a deadlock, one
 * line. 0, -ENOMEM, or -EIO.
 */
int lp_explore_print(FILE *out, const struct lp_scenario *scenario,
		     const struct lp_exploration *exploration);

#endif

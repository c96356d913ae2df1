/* SPDX-License-Identifier: Apache-2.0 */
/* output.h — where reports go: a descriptor shared with the program, or a file. */
#ifndef LP_CLI_OUTPUT_H
#define LP_CLI_OUTPUT_H

#include <stddef.h>

#include "cli/cli.h"

/* Write all, also to a descriptor that was made non-blocking. 0 or a negative errno value. */
int lp_output_write(int fd, const char *bytes, size_t size);

/* Could lp_output_file() do its work? Changes nothing. 0, or -1 with the problem set. */
int lp_output_check(const char *path, struct lp_problem *problem);

/* Are both the same file, be it there already or not? Then -1 with the problem set; else 0. */
int lp_output_check_other(const char *path, const char *other, const char *what,
			  struct lp_problem *problem);

/*
 * Write the file as a whole: it takes the old one's place when it is complete. Devices, pipes and
 * what standard output or error is connected to are written to. 0, or -1 with the problem set.
 */
int lp_output_file(const char *path, const char *bytes, size_t size, struct lp_problem *problem);

/*
 * Write to the file as above, or to standard output when `path` is NULL. 0, or the exit status
 * after a message.
 */
int lp_output_deliver(const char *path, const char *bytes, size_t size);

/* Is colour wanted on this descriptor? */
bool lp_output_color(enum lp_color color, int fd);

#endif

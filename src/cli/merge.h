/* SPDX-License-Identifier: Apache-2.0 */
/* merge.h — the images of one run in one file. */
#ifndef LP_CLI_MERGE_H
#define LP_CLI_MERGE_H

#include "cli/cli.h"

/*
 * Replace `path` by a file with its image and those of its siblings `path`.N that belong to the
 * same run, each trimmed to whole pages; remove these siblings. The old file is not touched, only
 * its name goes. 0, or -1 with the problem set and everything as it was.
 */
int lp_merge_images(const char *path, struct lp_problem *problem);

#endif

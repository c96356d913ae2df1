/* SPDX-License-Identifier: Apache-2.0 */
/* facts_file.h — a kept facts file, with all the images that belong to it, into a session. */
#ifndef LP_CLI_FACTS_FILE_H
#define LP_CLI_FACTS_FILE_H

#include "cli/session.h"

/*
 * Read the images in `path`, which stays mapped by *mapping, and, as long as nobody merged them,
 * those of its siblings `path`.N that the same run made. The bytes may be anything. 0, or -1 with
 * the problem set.
 */
int lp_facts_file_read(struct lp_session *session, const char *path, struct lp_mapping *mapping,
		       struct lp_problem *problem);

#endif

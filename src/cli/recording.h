/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recording.h — the files of one `lockproof run`: image 0, and FILE.N of each later program.
 *
 * Image 0 is --facts=FILE, or lives in a private directory that is removed at the end. A file that
 * was there before comes back when the program could not be started. At the end of a run with
 * --facts the images are written, trimmed and one after the other, to one new file that takes
 * FILE's place: processes that still run keep the old one, which nobody truncates under them.
 */
#ifndef LP_CLI_RECORDING_H
#define LP_CLI_RECORDING_H

#include <stddef.h>
#include <stdint.h>

#include "cli/cli.h"

struct lp_saved {
	char	*from, *to;
};

struct lp_recording {
	char	*path;		/* of image 0, absolute */
	char	*directory;	/* private, to be removed; NULL with --facts */
	int	fd;		/* image 0: holds the lock that tells other runs to keep off */
	uint64_t size;		/* reserved for image 0 */
	struct lp_saved *saved;
	size_t	saved_count;
};

/* Make image 0; `facts` NULL: in a private directory. 0, or -1 with the problem set. */
int lp_recording_create(struct lp_recording *recording, const char *facts,
			struct lp_problem *problem);

/* The program runs: what FILE was before is gone now. */
void lp_recording_commit(struct lp_recording *recording);

/* The program does not run: all is as before. */
void lp_recording_abandon(struct lp_recording *recording);

/* Path of image `index`; to be freed. NULL: memory is short. */
char *lp_recording_path(const struct lp_recording *recording, uint32_t index);

/* Image `index` has been read for good; without --facts its file goes. */
void lp_recording_drop(const struct lp_recording *recording, uint32_t index);

/*
 * Keep what was asked for and remove the rest. -1 with the problem set when merging failed: then
 * FILE and every FILE.N stay as they are.
 */
int lp_recording_finish(struct lp_recording *recording, struct lp_problem *problem);

/*
 * The numbers N of the files `path`.N, ascending, in *numbers (to be freed). How many there are,
 * or a negative errno value.
 */
int lp_recording_siblings(const char *path, uint32_t **numbers);

#endif

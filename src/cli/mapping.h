/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mapping.h — files mapped for reading that may shrink or fail under us.
 *
 * A page that cannot be read any more (the file was cut, the disk failed) reads as zeros and marks
 * the mapping damaged, where the plain mapping would end the process with SIGBUS.
 */
#ifndef LP_CLI_MAPPING_H
#define LP_CLI_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

struct lp_mapping {
	const char	*bytes;
	size_t		size;
	volatile bool	damaged;
	struct lp_mapping *next;	/* all that are open */
};

/* Map `size` bytes of the file. 0 or a negative errno value. The struct must stay in place. */
int lp_mapping_open(struct lp_mapping *mapping, int fd, size_t size);
void lp_mapping_close(struct lp_mapping *mapping);

#endif

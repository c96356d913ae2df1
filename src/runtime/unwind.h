/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unwind.h — the return addresses of a thread's stack, from .eh_frame.
 *
 * Any thread, any moment, signal handlers too: no lock, no allocation, no errno; every answer is
 * bounded. Memory outside the thread's own stack is read only after the kernel said that it can
 * be. x86-64. Rules found are kept in a table of the process, so a known frame costs a look-up.
 */
#ifndef LP_RUNTIME_UNWIND_H
#define LP_RUNTIME_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The registers of a frame that matter, as they are when execution goes on at pc. */
struct lp_cursor {
	uint64_t	pc;
	uint64_t	sp;
	uint64_t	fp;
};

/*
 * Step to the caller. `stack_end`: the thread's stack ends here, everything from sp to it can be
 * read; 0: unknown. False at the end, or when the frame cannot be understood.
 */
bool lp_unwind_step(struct lp_cursor *cursor, uint64_t stack_end);

/* Code was unloaded: forget the rules. */
void lp_unwind_forget(void);

#endif

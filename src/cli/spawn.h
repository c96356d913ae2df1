/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn.h — start the program, and stand between it and the signals that are meant for it.
 *
 * The supervisor takes what it needs of the process' state (blocked signals, a few dispositions,
 * the file-size limit) and gives the program back what was there before. One program per process.
 */
#ifndef LP_CLI_SPAWN_H
#define LP_CLI_SPAWN_H

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "cli/cli.h"

struct lp_inherited {
	sigset_t	mask;
	sigset_t	taken;		/* what lp_signal_wait() waits for */
	struct sigaction child, pipe, file_size, bus;
	struct rlimit	file_size_limit;
};

/*
 * Descriptors 0 to 2 that are closed are opened on /dev/null, for this process only, so that no
 * other file takes their place.
 */
void lp_inherit_descriptors(void);

/* Take over signals and limits; *inherited remembers what was there. */
void lp_inherit(struct lp_inherited *inherited);

/*
 * Start `path` with argv, the runtime preloaded and told of the facts image. 0 with *pid set; -1
 * with the problem set when it could not be executed: then nothing was started.
 */
int lp_spawn(const struct lp_inherited *inherited, const char *path, char *const *argv,
	     const char *runtime, const char *facts, pid_t *pid, struct lp_problem *problem);

/*
 * Wait until a signal arrives or `timeout_ms` have passed, and pass on what others sent to us for
 * the program. Signals of the terminal are left alone: it sends them to the program itself. So are
 * those of processes that the program started; `is_ours` is asked about senders that are gone.
 */
typedef bool lp_sender_fn(void *context, pid_t pid);
void lp_signal_wait(const struct lp_inherited *inherited, pid_t pid, unsigned timeout_ms,
		    lp_sender_fn *is_ours, void *context);

#endif

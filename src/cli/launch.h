/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch.h — can this program run under Lockproof? Found and checked before anything is started.
 *
 * The runtime gets into a program through LD_PRELOAD. What the dynamic loader would ignore (static
 * programs, set-user-ID programs, other machines, other C libraries) would run unwatched without
 * a word, so it is refused with one.
 */
#ifndef LP_CLI_LAUNCH_H
#define LP_CLI_LAUNCH_H

#include "cli/cli.h"

/*
 * The file that execvp(name) would run, in *path (to be freed), checked: it and every interpreter
 * that it names can be validated. 0, or -1 with the problem set (a phrase about the program).
 */
int lp_launch_find(const char *name, char **path, struct lp_problem *problem);

/*
 * The path of liblockproof.so, in *path (to be freed): $LOCKPROOF_LIB, or that of the build tree or
 * installation this executable belongs to. 0, or -1 with the problem set (a whole sentence).
 */
int lp_launch_find_runtime(char **path, struct lp_problem *problem);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* leftovers.h — private directories of supervisors that were killed. */
#ifndef LP_CLI_LEFTOVERS_H
#define LP_CLI_LEFTOVERS_H

#define LP_PRIVATE_PREFIX	"lockproof-"	/* and six characters that mkdtemp() chose */

/*
 * Remove from `place` what runs of this user left that nobody can ask for any more: neither their
 * supervisor nor their program is alive. Whatever cannot be removed stays.
 */
void lp_leftovers_remove(const char *place);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * twin.h — the engine's judgement, made the slow and obvious way.
 *
 * All elementary cycles of objects (classes and contexts) and of lock instances, all choices of
 * witnesses for each, from all facts, every time. For small models: see the limits in twin.c.
 */
#ifndef LP_TESTS_ENGINE_TWIN_H
#define LP_TESTS_ENGINE_TWIN_H

#include "facts/model.h"

/*
 * What scene_summary() must say; the caller frees it. NULL: there are more cycles than the engine
 * has to look at (LP_WALK_CYCLES), or more facts than the twin has room for.
 */
char *twin_summary(const struct lp_model *model);

#endif

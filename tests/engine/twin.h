/* SPDX-License-Identifier: Apache-2.0 */
/*
 * twin.h — the engine's judgement, made the slow and obvious way.
 *
 * All elementary cycles of classes and of lock instances, all choices of witnesses for each, from
 * all facts, every time. For models of at most TWIN_OBJECTS classes, lock instances and threads.
 */
#ifndef LP_TESTS_ENGINE_TWIN_H
#define LP_TESTS_ENGINE_TWIN_H

#include "facts/model.h"

#define TWIN_OBJECTS 24u

/* What scene_summary() must say; the caller frees it. */
char *twin_summary(const struct lp_model *model);

#endif

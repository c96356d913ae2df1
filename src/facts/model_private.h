/* SPDX-License-Identifier: Apache-2.0 */
/* model_private.h — what model.c and group.c share and nobody else sees. */
#ifndef LP_FACTS_MODEL_PRIVATE_H
#define LP_FACTS_MODEL_PRIVATE_H

#include "facts/model.h"
#include "facts/table.h"
#include "facts/vec.h"

struct lp_grouping;

struct lp_model_private {
	struct lp_arena	arena;		/* strings, frames, serials */
	struct lp_table	modules, stacks, fines, nodes, contexts, states;
	struct lp_grouping *grouping;	/* group.c's; NULL until the first regroup */
};

/* Stable hash of a place: the module by its id, not by its index. */
uint64_t lp_model_hash_frame(const struct lp_model *model, uint64_t hash,
			     struct lp_model_frame frame);

/* The key that a fine class gets when its maker gives none. */
uint64_t lp_model_natural_key(const struct lp_model *model, const struct lp_model_fine *fine);

void lp_grouping_destroy(struct lp_grouping *grouping);

#endif

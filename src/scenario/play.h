/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play.h — a scenario into facts: what a validator sees when nothing goes wrong.
 *
 * Every body runs once alone, in each of its branches; interrupt handlers run by themselves, signal
 * handlers on each thread that lets them. What they do becomes facts through `track`, as the
 * doings of real threads do. One thread at a time per player.
 */
#ifndef LP_PLAY_H
#define LP_PLAY_H

#include <stdbool.h>

#include "facts/model.h"
#include "scenario/scenario.h"

#define LP_PLAY_RUNS_MAX	10000u	/* ways through one body */

struct lp_player;

/* A player can be used again and again: it keeps its memory. NULL when memory is short. */
struct lp_player *lp_player_create(void);
void lp_player_destroy(struct lp_player *player);

/*
 * Add the facts of a scenario to a model. 0; -ENOMEM; -E2BIG: it does not fit, or a body has more
 * than LP_PLAY_RUNS_MAX ways through it (the model has what was seen before that).
 */
int lp_player_play(struct lp_player *player, const struct lp_scenario *scenario,
		   struct lp_model *model);

/* Frames of the facts: the path of their module; their offsets are the numbers of sites[]. */
#define LP_PLAY_MODULE	"scenario:"	/* and the scenario's name after it */

/* The site of a frame, 0: it is of no scenario of this name. O(sites). */
uint32_t lp_play_site(const struct lp_scenario *scenario, const struct lp_model *model,
		      struct lp_model_frame frame);

#endif

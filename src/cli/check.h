/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.h — one scenario checked: what a validator says of it, what its schedules do, and whether
 * that is what its file expects.
 */
#ifndef LP_CLI_CHECK_H
#define LP_CLI_CHECK_H

#include <stdio.h>

#include "cli/cli.h"
#include "engine/engine.h"
#include "facts/model.h"
#include "scenario/explore.h"
#include "scenario/play.h"

struct lp_check {
	struct lp_scenario *scenario;
	struct lp_model	*model;
	struct lp_engine *engine;
	struct lp_describer *describer;
	struct lp_exploration exploration;
	bool		explored;
	bool		cut;		/* not all ways through its bodies were played */
};

/*
 * Read, play, judge and explore a file ("-": standard input). 0, or -1 with the problem set: it
 * names file and place. The check is to be finished whatever comes back.
 */
int lp_check_file(struct lp_check *check, struct lp_player *player, const char *path,
		  const struct lp_explore_options *explore, struct lp_problem *problem);
void lp_check_finish(struct lp_check *check);

/* Does this expectation hold? "none" does not when not everything was played. */
bool lp_check_holds(const struct lp_check *check, const struct lp_expectation *expectation);
bool lp_check_all_hold(const struct lp_check *check);

/* "expect possible circular-locking", as the file has it, into text[]. */
void lp_check_expectation(const struct lp_expectation *expectation, char *text, size_t size);

/*
 * What validator and schedules do not agree in; NULL: nothing. A feasible finding without a
 * schedule that deadlocks, or the other way round.
 */
const char *lp_check_doubt(const struct lp_check *check);

/* check_print.c: one scenario as text; all of them as JSON. 0 or a negative errno value. */
struct lp_render_options;
int lp_check_print(FILE *out, const struct lp_check *check, const struct lp_settings *settings,
		   const struct lp_render_options *options);
struct json_t;
struct json_t *lp_check_json(const struct lp_check *check, const struct lp_settings *settings);

#endif

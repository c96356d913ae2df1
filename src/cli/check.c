/* SPDX-License-Identifier: Apache-2.0 */
/* check.c — one scenario: read, played, judged, explored; see check.h. */
#include "cli/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/describe.h"
#include "cli/session.h"

/* ---- reading ---- */

/* The whole file, in memory that is to be freed; NULL with errno set. */
static char *read_stream(FILE *in, size_t *size)
{
	size_t room = 1 << 16, used = 0;
	char *text = malloc(room);

	while (text && !feof(in) && used <= LP_SCENARIO_SIZE_MAX) {
		char *larger;

		used += fread(text + used, 1, room - used, in);
		if (ferror(in)) {
			free(text);
			return NULL;
		}
		if (used < room)
			continue;
		room *= 2;
		larger = realloc(text, room);
		if (!larger)
			free(text);
		text = larger;
	}
	*size = used;
	return text;
}

static char *read_file(const char *path, size_t *size, struct lp_problem *problem)
{
	bool standard = !strcmp(path, "-");
	FILE *in = standard ? stdin : fopen(path, "re");
	char *text;

	errno = in ? 0 : errno;
	text = in ? read_stream(in, size) : NULL;
	if (!text)
		lp_problem_set(problem, "%s: %s", path, strerror(errno ? errno : ENOMEM));
	if (in && !standard)
		fclose(in);
	return text;
}

static int parse_file(struct lp_check *check, const char *path, struct lp_problem *problem)
{
	struct lp_scenario_error error = {0};
	size_t size;
	char *text = read_file(path, &size, problem);

	if (!text)
		return -1;
	check->scenario = lp_scenario_parse(path, text, size, &error);
	free(text);
	if (check->scenario)
		return 0;
	if (!error.line)
		return lp_problem_set(problem, "%s: %s", path, strerror(ENOMEM));
	return lp_problem_set(problem, "%s:%u:%u: %s", path, error.line, error.column, error.text);
}

/* ---- judging ---- */

/* Frames of a scenario are statements. */
static bool frame_of(void *context, const struct lp_model *model, struct lp_model_frame frame,
		     struct lp_report_frame *out)
{
	const struct lp_scenario *scenario = context;
	uint32_t site = lp_play_site(scenario, model, frame);

	if (!site)
		return false;
	*out = (struct lp_report_frame){
		.function = scenario->sites[site].function, .file = scenario->sites[site].file,
		.line = scenario->sites[site].line,
	};
	return true;
}

/* Bodies that others can wait for the end of; an RCU callback's map says only what runs. */
static const char *run_of(const struct lp_scenario *scenario, uint32_t object)
{
	if (scenario->objects[object].type != LP_OBJECT_LOCKDEP_MAP)
		return NULL;
	for (uint32_t b = 1; b < scenario->body_count; b++)
		if (scenario->bodies[b].map == object && scenario->bodies[b].kind != LP_BODY_RCU)
			return scenario->bodies[b].name;
	return NULL;
}

/* Lock objects of a scenario have names; their serial numbers are those of objects[]. */
static bool object_of(void *context, const struct lp_model *model, uint64_t serial,
		      struct lp_known_object *out)
{
	const struct lp_scenario *scenario = context;

	(void)model;
	if (!serial || serial >= scenario->object_count)
		return false;
	*out = (struct lp_known_object){
		.name = scenario->objects[serial].name, .run = run_of(scenario, (uint32_t)serial),
	};
	return true;
}

static int create(struct lp_check *check)
{
	check->model = lp_model_create();
	check->engine = lp_engine_create();
	if (check->model && check->engine)
		check->describer = lp_describer_create(check->model, NULL);
	if (!check->describer)
		return -ENOMEM;
	lp_describer_set_engine(check->describer, check->engine);
	lp_describer_set_frames(check->describer, frame_of, check->scenario);
	lp_describer_set_objects(check->describer, object_of, check->scenario);
	return 0;
}

static int judge(struct lp_check *check, struct lp_player *player)
{
	int err = create(check);

	err = err ? err : lp_player_play(player, check->scenario, check->model);
	check->cut = err == -E2BIG;
	if (check->cut)
		err = 0;
	err = err ? err : lp_model_regroup(check->model, NULL, NULL);
	return err ? err : lp_engine_judge(check->engine, check->model);
}

int lp_check_file(struct lp_check *check, struct lp_player *player, const char *path,
		  const struct lp_explore_options *explore, struct lp_problem *problem)
{
	int err;

	*check = (struct lp_check){0};
	if (parse_file(check, path, problem))
		return -1;
	err = judge(check, player);
	if (err)
		return lp_problem_set(problem, "%s: %s", path, strerror(-err));
	lp_explore(check->scenario, explore, &check->exploration);
	check->explored = true;
	if (check->exploration.verdict == LP_VERDICT_NO_MEMORY)
		return lp_problem_set(problem, "%s: %s", path, strerror(ENOMEM));
	return 0;
}

void lp_check_finish(struct lp_check *check)
{
	if (check->explored)
		lp_exploration_finish(&check->exploration);
	lp_describer_destroy(check->describer);
	lp_engine_destroy(check->engine);
	lp_model_destroy(check->model);
	lp_scenario_destroy(check->scenario);
}

/* ---- expectations ---- */

static bool is_inversion(enum lp_finding_kind kind)
{
	return kind == LP_FINDING_IRQ_LOCK_INVERSION || kind == LP_FINDING_IRQ_UNSAFE_LOCK_ORDER;
}

/* A cycle of locks that are all of one class. */
static bool is_of_one_class(const struct lp_check *check, const struct lp_finding *finding)
{
	const struct lp_model *model = check->model;

	for (uint32_t i = 1; i < finding->edge_count; i++)
		if (lp_model_node_class(model, finding->edge[i].held) !=
		    lp_model_node_class(model, finding->edge[0].held))
			return false;
	return true;
}

/*
 * A safe lock that leads to an unsafe one is called by what came last, a usage or an order; here
 * nothing came last, so either of the two names stands for both. And to the kernel, which does not
 * tell locks of one class apart, their inversion is the recursion of the class.
 */
static bool is_kind(const struct lp_check *check, enum lp_finding_kind expected,
		    const struct lp_finding *finding)
{
	if (expected == finding->kind || (is_inversion(expected) && is_inversion(finding->kind)))
		return true;
	return expected == LP_FINDING_RECURSIVE_LOCKING &&
	       finding->kind == LP_FINDING_CIRCULAR_LOCKING && is_of_one_class(check, finding);
}

/* How many findings of a kind are at the level (LP_FEASIBLE: or above); any kind: -1. */
static size_t count(const struct lp_check *check, int kind, bool shown)
{
	size_t found = 0;

	for (size_t i = 0; i < lp_engine_finding_count(check->engine); i++) {
		const struct lp_finding *finding = lp_engine_finding(check->engine, i);

		if (finding->covered ||
		    (kind >= 0 && !is_kind(check, (enum lp_finding_kind)kind, finding)))
			continue;
		found += shown == lp_session_shows(finding, false);
	}
	return found;
}

bool lp_check_holds(const struct lp_check *check, const struct lp_expectation *expectation)
{
	/* what was not played says nothing */
	if (expectation->none)
		return !check->cut && !count(check, -1, true);
	if (!expectation->possible)
		return count(check, (int)expectation->kind, true);
	return count(check, (int)expectation->kind, false) &&
	       !count(check, (int)expectation->kind, true);
}

bool lp_check_all_hold(const struct lp_check *check)
{
	for (uint32_t i = 0; i < check->scenario->expectation_count; i++)
		if (!lp_check_holds(check, &check->scenario->expectations[i]))
			return false;
	return true;
}

void lp_check_expectation(const struct lp_expectation *expectation, char *text, size_t size)
{
	snprintf(text, size, "expect %s%s", expectation->possible ? "possible " : "",
		 expectation->none ? "none" : lp_finding_kind_id(expectation->kind));
}

/* A finding that says that something can hang for ever. */
static bool is_hang(const struct lp_finding *finding)
{
	return finding->level == LP_FEASIBLE && !finding->covered;
}

const char *lp_check_doubt(const struct lp_check *check)
{
	bool feasible = false;

	for (size_t i = 0; i < lp_engine_finding_count(check->engine); i++)
		feasible |= is_hang(lp_engine_finding(check->engine, i));
	if (feasible && check->exploration.verdict == LP_VERDICT_FREE)
		return "a finding is feasible, yet no schedule deadlocks";
	if (!feasible && check->exploration.verdict == LP_VERDICT_DEADLOCK)
		return "a schedule deadlocks, yet no finding is feasible";
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* check_print.c — a checked scenario as text and as JSON. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "cli/check.h"
#include "cli/describe.h"
#include "cli/session.h"
#include "render/clean.h"
#include "render/report.h"
#include "scenario/explore_print.h"

static const char *const verdicts[] = {
	[LP_VERDICT_FREE] = "free", [LP_VERDICT_DEADLOCK] = "deadlock",
	[LP_VERDICT_BOUND] = "bound", [LP_VERDICT_NO_MEMORY] = "bound",
};

/* ---- text ---- */

/* Everything that holds is one line; what does not hold is said with what was found instead. */
static void print_expectations(FILE *out, const struct lp_check *check)
{
	char text[100];

	for (uint32_t i = 0; i < check->scenario->expectation_count; i++) {
		const struct lp_expectation *expectation = &check->scenario->expectations[i];

		lp_check_expectation(expectation, text, sizeof(text));
		lp_clean_put_all(out, check->scenario->file);
		fprintf(out, ":%" PRIu32 ": %s: %s\n", expectation->line, text,
			lp_check_holds(check, expectation) ? "ok" : "FAILED");
	}
}

static int print_findings(FILE *out, const struct lp_check *check,
			  const struct lp_settings *settings,
			  const struct lp_render_options *options)
{
	size_t shown = 0, hidden = 0;

	for (size_t i = 0; i < lp_engine_finding_count(check->engine); i++) {
		const struct lp_finding *finding = lp_engine_finding(check->engine, i);
		const struct lp_report_finding *described;
		int err;

		hidden += !finding->covered && !lp_session_shows(finding, settings->strict);
		if (!lp_session_shows(finding, settings->strict))
			continue;
		shown++;
		described = lp_describe_finding(check->describer, finding);
		err = described ? lp_render_finding_text(out, described, options) : -ENOMEM;
		if (err)
			return err;
	}
	fprintf(out, "\n%s: ", check->scenario->name);
	if (shown)
		fprintf(out, "%zu finding%s", shown, shown == 1 ? "" : "s");
	else
		fputs("no findings", out);
	if (hidden)
		fprintf(out, ", %zu possible not shown (--strict shows %s)", hidden,
			hidden == 1 ? "it" : "them");
	fputc('\n', out);
	return 0;
}

/* One line a scenario, for those who have many. */
static void print_line(FILE *out, const struct lp_check *check)
{
	fputs(lp_check_all_hold(check) ? "ok     " : "FAILED ", out);
	lp_clean_put_all(out, check->scenario->file);
	fprintf(out, ": %s%s\n", verdicts[check->exploration.verdict],
		check->cut ? ", not everything was played" : "");
}

int lp_check_print(FILE *out, const struct lp_check *check, const struct lp_settings *settings,
		   const struct lp_render_options *options)
{
	const char *doubt = lp_check_doubt(check);
	int err;

	if (settings->quiet) {
		print_line(out, check);
		return 0;
	}
	err = print_findings(out, check, settings, options);
	if (err)
		return err;
	err = lp_explore_print(out, check->scenario, &check->exploration);
	if (err)
		return err;
	if (check->cut)
		fprintf(out, "not everything was played: a body has more than %u ways through it\n",
			LP_PLAY_RUNS_MAX);
	if (doubt)
		fprintf(out, "note: %s\n", doubt);
	print_expectations(out, check);
	return 0;
}

/* ---- JSON ---- */

static const char *const step_words[] = {
	[LP_STEP_RUN] = "run", [LP_STEP_STRIKE] = "strike", [LP_STEP_RETURN] = "return",
	[LP_STEP_GIVE_UP] = "give-up", [LP_STEP_WAIT] = "wait",
};

static json_t *step_of(const struct lp_check *check, const struct lp_explore_step *step)
{
	const struct lp_scenario *s = check->scenario;
	bool is_op = step->what != LP_STEP_STRIKE && step->what != LP_STEP_RETURN;
	const struct lp_site *site = is_op ? &s->sites[s->ops[step->op].site] : NULL;

	return json_pack("{s:s, s:s, s:s, s:s?, s:i}", "cpu",
			 check->exploration.columns[step->column], "body",
			 s->bodies[step->body].name, "what", step_words[step->what], "text",
			 site ? site->text : NULL, "line", site ? (int)site->own_line : 0);
}

static json_t *stuck_of(const struct lp_check *check, const struct lp_explore_stuck *stuck)
{
	const struct lp_scenario *s = check->scenario;
	const struct lp_exploration *x = &check->exploration;
	const struct lp_site *site = &s->sites[s->ops[stuck->op].site];

	return json_pack("{s:s, s:s, s:s?, s:i, s:s?}", "cpu", x->columns[stuck->column], "body",
			 s->bodies[stuck->body].name, "waits_in", site->text, "line",
			 (int)site->own_line, "for",
			 stuck->holder_column < x->column_count ? x->columns[stuck->holder_column] :
								  NULL);
}

static json_t *exploration_of(const struct lp_check *check)
{
	const struct lp_exploration *x = &check->exploration;
	json_t *steps = json_array(), *stuck = json_array();

	for (uint32_t i = 0; i < x->step_count; i++)
		json_array_append_new(steps, step_of(check, &x->steps[i]));
	for (uint32_t i = 0; i < x->stuck_count; i++)
		json_array_append_new(stuck, stuck_of(check, &x->stuck[i]));
	return json_pack("{s:s, s:I, s:o, s:o}", "verdict", verdicts[x->verdict], "states",
			 (json_int_t)x->states, "schedule", steps, "stuck", stuck);
}

static json_t *expectations_of(const struct lp_check *check)
{
	json_t *all = json_array();
	char text[100];

	for (uint32_t i = 0; i < check->scenario->expectation_count; i++) {
		const struct lp_expectation *expectation = &check->scenario->expectations[i];

		lp_check_expectation(expectation, text, sizeof(text));
		json_array_append_new(all, json_pack("{s:s, s:i, s:b}", "text", text, "line",
						     (int)expectation->line, "holds",
						     lp_check_holds(check, expectation)));
	}
	return all;
}

static json_t *findings_of(const struct lp_check *check, const struct lp_settings *settings,
			   size_t *hidden)
{
	json_t *all = json_array();

	*hidden = 0;
	for (size_t i = 0; i < lp_engine_finding_count(check->engine); i++) {
		const struct lp_finding *finding = lp_engine_finding(check->engine, i);
		const struct lp_report_finding *described;

		if (!lp_session_shows(finding, settings->strict)) {
			*hidden += !finding->covered;
			continue;
		}
		described = lp_describe_finding(check->describer, finding);
		if (!described || json_array_append_new(all, lp_render_finding_json(described))) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

json_t *lp_check_json(const struct lp_check *check, const struct lp_settings *settings)
{
	size_t hidden;
	json_t *findings = findings_of(check, settings, &hidden);
	char *file = lp_clean_utf8(check->scenario->file);
	json_t *all = NULL;

	if (file && findings)
		all = json_pack("{s:s, s:s, s:b, s:O, s:I, s:b, s:o, s:s?, s:o}", "file", file,
				"name", check->scenario->name, "ok", lp_check_all_hold(check),
				"findings", findings, "hidden", (json_int_t)hidden, "cut",
				check->cut, "exploration", exploration_of(check), "note",
				lp_check_doubt(check), "expectations", expectations_of(check));
	json_decref(findings);
	free(file);
	return all;
}

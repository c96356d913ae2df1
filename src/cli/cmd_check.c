/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_check.c — lockproof check: scenarios, by rule and by all their schedules. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/check.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "render/report.h"

const struct lp_option lp_check_options[] = {
	LP_OPTION_OUTPUT,
	LP_OPTION_FORMAT,
	LP_OPTION_STRICT,
	{ "states", 0, "N", lp_apply_states,
	  "look at no more than N states of a scenario (default: 20000000)" },
	{ "quiet", 'q', NULL, lp_apply_quiet, "one line for each scenario" },
	LP_OPTION_COLOR,
	LP_OPTION_HELP,
	{ NULL, 0, NULL, NULL, NULL },
};

struct run {
	const struct lp_settings *settings;
	struct lp_render_options options;
	struct lp_player *player;
	FILE		*out;		/* text, or NULL while JSON is gathered */
	json_t		*scenarios;
	bool		terminal;	/* progress can be shown */
	bool		told;		/* some is on the terminal's line */
	const char	*path;
	int		status;
};

static void show_progress(void *context, uint64_t states)
{
	struct run *run = context;

	fprintf(stderr, "\r\033[K%s: %llu states", run->path, (unsigned long long)states);
	run->told = true;
}

static void clear_progress(struct run *run)
{
	if (run->told)
		fputs("\r\033[K", stderr);
	run->told = false;
}

static void raise_status(struct run *run, int status)
{
	if (status > run->status)
		run->status = status;
}

/* What was found out about one file, where it belongs. 0 or a negative errno value. */
static int put(struct run *run, const struct lp_check *check)
{
	if (!lp_check_all_hold(check))
		raise_status(run, LP_EXIT_EXPECTATION);
	if (run->out)
		return lp_check_print(run->out, check, run->settings, &run->options);
	return json_array_append_new(run->scenarios, lp_check_json(check, run->settings)) ?
	       -ENOMEM : 0;
}

static int check_one(struct run *run, const char *path)
{
	struct lp_explore_options explore = {
		.states_max = run->settings->states, .context = run,
		.progress = run->terminal ? show_progress : NULL,
	};
	struct lp_problem problem;
	struct lp_check check;
	int err = 0;

	run->path = path;
	if (lp_check_file(&check, run->player, path, &explore, &problem)) {
		clear_progress(run);
		raise_status(run, lp_error("%s", problem.text));
	} else {
		clear_progress(run);
		err = put(run, &check);
	}
	lp_check_finish(&check);
	return err;
}

/* Text is written as it comes, unless it goes to a file that must be whole. */
static int check_text(struct run *run, int argc, char **argv)
{
	int error = 0, status = 0;

	for (int i = 0; i < argc && !error && !status; i++) {
		char *text = NULL;
		size_t size = 0;

		run->out = open_memstream(&text, &size);
		error = run->out ? check_one(run, argv[i]) : -errno;
		if (run->out && fclose(run->out) && !error)
			error = -ENOMEM;
		if (!error)
			status = lp_output_deliver(run->settings->output, text, size);
		free(text);
	}
	return error ? lp_error("%s", strerror(-error)) : status;
}

static int check_whole(struct run *run, int argc, char **argv)
{
	char *text = NULL;
	size_t size = 0;
	int error = 0, status;
	json_t *root;

	run->scenarios = json_array();
	for (int i = 0; i < argc && !error; i++)
		error = check_one(run, argv[i]);
	root = json_pack("{s:s, s:s, s:o}", "format", "lockproof-check/1", "version",
			 "lockproof " LP_VERSION, "scenarios", run->scenarios);
	text = root && !error ? json_dumps(root, JSON_INDENT(2)) : NULL;
	if (!text) {
		json_decref(root);
		return lp_error("the report cannot be made: %s", strerror(ENOMEM));
	}
	size = strlen(text);
	text[size] = '\n';	/* in the place of the NUL */
	status = lp_output_deliver(run->settings->output, text, size + 1);
	free(text);
	json_decref(root);
	return status;
}

static int check_text_whole(struct run *run, int argc, char **argv)
{
	char *text = NULL;
	size_t size = 0;
	int error = 0, status;

	run->out = open_memstream(&text, &size);
	for (int i = 0; i < argc && run->out && !error; i++)
		error = check_one(run, argv[i]);
	if (!run->out || fclose(run->out))
		error = error ? error : -ENOMEM;
	status = error ? lp_error("%s", strerror(-error)) :
			 lp_output_deliver(run->settings->output, text, size);
	free(text);
	return status;
}

int lp_cmd_check(const struct lp_settings *settings, int argc, char **argv)
{
	struct run run = {
		.settings = settings, .status = LP_EXIT_OK, .terminal = isatty(STDERR_FILENO),
		.options = { .color = settings->output
					      ? settings->color == LP_COLOR_ALWAYS
					      : lp_output_color(settings->color, STDOUT_FILENO),
			     .strict = settings->strict },
	};
	struct lp_problem problem;
	int status;

	if (!argc)
		return lp_error("check: no scenario given ('lockproof help check' shows the usage)");
	if (settings->output && lp_output_check(settings->output, &problem))
		return lp_error("%s", problem.text);
	for (int i = 0; settings->output && i < argc; i++)
		if (lp_output_check_other(settings->output, argv[i], "a scenario", &problem))
			return lp_error("%s", problem.text);
	run.player = lp_player_create();
	if (!run.player)
		return lp_error("%s", strerror(ENOMEM));
	if (settings->format == LP_FORMAT_JSON)
		status = check_whole(&run, argc, argv);
	else
		status = (settings->output ? check_text_whole : check_text)(&run, argc, argv);
	lp_player_destroy(run.player);
	return status ? status : run.status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_run.c — lockproof run: validate a program and the processes it starts.
 *
 * Everything that can be wrong is looked for before anything is started or written. Afterwards the
 * program matters more than we do: it runs on whatever happens here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/launch.h"
#include "cli/output.h"
#include "cli/print.h"
#include "cli/recording.h"
#include "cli/spawn.h"
#include "cli/watch.h"

const struct lp_option lp_run_options[] = {
	LP_OPTION_OUTPUT,
	LP_OPTION_FORMAT,
	{ "facts", 0, "FILE", lp_apply_facts,
	  "keep the recorded facts in FILE, for lockproof report" },
	LP_OPTION_STRICT,
	{ "on-deadlock", 0, "report|abort|kill", lp_apply_on_deadlock,
	  "what to do with a program that is deadlocked: report it, then\n"
	  "send SIGABRT (default); SIGABRT first; SIGKILL at once" },
	LP_OPTION_EXIT_CODE,
	LP_OPTION_COLOR,
	{ "quiet", 'q', NULL, lp_apply_quiet, "no summary when there is nothing to report" },
	LP_OPTION_HELP,
	{ NULL, 0, NULL, NULL, NULL },
};

struct run {
	const struct lp_settings *settings;
	char		**argv;		/* of the program */
	char		*path, *runtime;
	struct lp_inherited inherited;
	struct lp_recording recording;
	struct lp_session *session;
	struct lp_watch	*watch;
	struct lp_watch_result result;
	pid_t		pid;
};

static int check(struct run *run)
{
	const char *output = run->settings->output, *facts = run->settings->facts;
	struct lp_problem problem;

	if (lp_launch_find(run->argv[0], &run->path, &problem))
		return lp_error("%s: %s", run->argv[0], problem.text);
	if (lp_launch_find_runtime(&run->runtime, &problem))
		return lp_error("%s", problem.text);
	if (output && (lp_output_check(output, &problem) ||
		       lp_output_check_other(output, run->path, "the program", &problem) ||
		       (facts && lp_output_check_other(output, facts, "the facts file", &problem))))
		return lp_error("%s", problem.text);
	return 0;
}

static bool shows_as_it_arises(const struct lp_settings *settings)
{
	return !settings->output && settings->format == LP_FORMAT_TEXT;
}

static struct lp_render_options render_options(const struct lp_settings *settings, bool terminal)
{
	return (struct lp_render_options){
		.color = terminal ? lp_output_color(settings->color, STDERR_FILENO)
				  : settings->color == LP_COLOR_ALWAYS,
		.strict = settings->strict,
	};
}

/* Map image 0 and prepare to watch. 0, or the exit status after a message. */
static int prepare(struct run *run)
{
	struct lp_watch_request request = {
		.settings = run->settings,
		.recording = &run->recording,
		.inherited = &run->inherited,
		.show = shows_as_it_arises(run->settings),
		.options = render_options(run->settings, true),
	};
	const char *problem = strerror(ENOMEM);

	run->session = request.session = lp_session_create();
	if (!run->session || !lp_session_map(run->session, run->recording.fd,
					     (size_t)run->recording.size, &problem))
		return lp_error("%s: %s", run->recording.path, problem);
	run->watch = lp_watch_create(&request);
	return run->watch ? 0 : lp_error("%s", strerror(ENOMEM));
}

static int start(struct run *run)
{
	struct lp_problem problem;
	int status;

	lp_inherit(&run->inherited);
	if (lp_recording_create(&run->recording, run->settings->facts, &problem))
		return lp_error("%s", problem.text);
	status = prepare(run);
	if (!status && lp_spawn(&run->inherited, run->path, run->argv, run->runtime,
				run->recording.path, &run->pid, &problem))
		status = lp_error("%s: %s", run->argv[0], problem.text);
	if (status)
		lp_recording_abandon(&run->recording);
	else
		lp_recording_commit(&run->recording);
	return status;
}

/* Render what `request` asks for. 0 with *text to be freed, or a negative errno value. */
static int render(const struct run *run, const struct lp_print_request *request, char **text,
		  size_t *size)
{
	FILE *out;
	int error;

	*text = NULL;
	out = open_memstream(text, size);
	if (!out)
		return -errno;
	error = lp_print_report(run->session, out, request);
	if (fclose(out) && !error)
		error = -ENOMEM;
	if (error) {
		free(*text);
		*text = NULL;
	}
	return error;
}

static bool is_nothing(void *context, const struct lp_finding *finding)
{
	(void)context;
	(void)finding;
	return false;
}

static struct lp_print_request print_request(const struct run *run)
{
	return (struct lp_print_request){
		.program = run->argv[0],
		.format = run->settings->format,
		.options = render_options(run->settings, !run->settings->output),
	};
}

/* The report as asked for, to the file or to standard error. 0, or an exit status. */
static int write_report(const struct run *run, const struct lp_print_request *request)
{
	struct lp_problem problem;
	int status = 0;
	char *text;
	size_t size;
	int error = render(run, request, &text, &size);

	if (error)
		return lp_error("the report cannot be made: %s", strerror(-error));
	if (!run->settings->output)
		lp_output_write(STDERR_FILENO, text, size);
	else if (lp_output_file(run->settings->output, text, size, &problem))
		status = lp_error("%s", problem.text);
	free(text);
	return status;
}

/* The last words on standard error: what stopped, what rose since it was shown, the counts. */
static void write_summary(const struct run *run)
{
	struct lp_print_request request = print_request(run);
	char *text;
	size_t size;

	request.format = LP_FORMAT_TEXT;
	request.options = render_options(run->settings, true);
	request.filter = shows_as_it_arises(run->settings) ? lp_watch_is_news : is_nothing;
	request.context = run->watch;
	if (!render(run, &request, &text, &size)) {
		if (lp_watch_has_shown(run->watch))
			lp_output_write(STDERR_FILENO, "\n", 1);
		lp_output_write(STDERR_FILENO, text, size);
	}
	free(text);
}

static bool has_something_to_say(const struct run *run)
{
	char *stopped = lp_print_stopped(run->session);
	bool something = stopped || run->result.unrecorded_deadlocks || run->result.blind ||
			 lp_session_shown(run->session, run->settings->strict);

	free(stopped);
	return something;
}

/* Report to file or standard error. 0, or an exit status after a message. */
static int conclude(struct run *run)
{
	bool to_standard_error = !run->settings->output;
	struct lp_print_request request = print_request(run);
	int status = 0;

	if (run->result.blind)
		lp_error("%s: the facts were not read to their end", strerror(ENOMEM));
	if (run->settings->output || !shows_as_it_arises(run->settings))
		status = write_report(run, &request);
	if ((to_standard_error && run->settings->format != LP_FORMAT_TEXT) ||
	    (run->settings->quiet && !has_something_to_say(run)))
		return status;
	write_summary(run);
	if (run->result.still_running)
		lp_error("%zu %s of the program %s still running, no longer watched",
			 run->result.still_running,
			 run->result.still_running == 1 ? "process" : "processes",
			 run->result.still_running == 1 ? "is" : "are");
	return status;
}

static int program_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_program(struct run *run)
{
	struct lp_problem problem;
	bool found;
	int status;

	lp_watch_run(run->watch, run->pid, &run->result);
	status = conclude(run);
	if (lp_recording_finish(&run->recording, &problem))
		lp_error("%s", problem.text);
	found = run->result.unrecorded_deadlocks ||
		lp_session_shown(run->session, run->settings->strict);
	if (found && run->settings->exit_code)
		return run->settings->exit_code;
	return status ? status : program_status(run->result.status);
}

int lp_cmd_run(const struct lp_settings *settings, int argc, char **argv)
{
	struct run run = { .settings = settings, .argv = argv, .recording = { .fd = -1 } };
	int status;

	if (!argc)
		return lp_error("run: no program given ('lockproof help run' shows the usage)");
	lp_inherit_descriptors();
	status = check(&run);
	if (!status)
		status = start(&run);
	if (!status)
		status = run_program(&run);
	lp_watch_destroy(run.watch);
	lp_session_destroy(run.session);
	free(run.runtime);
	free(run.path);
	return status;
}

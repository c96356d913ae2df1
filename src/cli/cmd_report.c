/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_report.c — lockproof report: judge recorded facts again and print what run would have. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/facts_file.h"
#include "cli/output.h"
#include "cli/print.h"

const struct lp_option lp_report_options[] = {
	LP_OPTION_OUTPUT,
	LP_OPTION_FORMAT,
	LP_OPTION_STRICT,
	LP_OPTION_EXIT_CODE,
	LP_OPTION_COLOR,
	LP_OPTION_HELP,
	{ NULL, 0, NULL, NULL, NULL },
};

static int print(const struct lp_session *session, const struct lp_settings *settings)
{
	struct lp_print_request request = {
		.program = "",
		.format = settings->format,
		.options = { .color = settings->output
					      ? settings->color == LP_COLOR_ALWAYS
					      : lp_output_color(settings->color, STDOUT_FILENO),
			     .strict = settings->strict },
	};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int error = out ? lp_print_report(session, out, &request) : -errno;
	int status;

	if (out && fclose(out) && !error)
		error = -ENOMEM;
	status = error ? lp_error("the report cannot be made: %s", strerror(-error))
		       : lp_output_deliver(settings->output, text, size);
	free(text);
	return status;
}

static int judge(struct lp_session *session)
{
	int error = lp_session_judge(session);

	if (error >= 0)
		error = lp_session_add_last_deadlocks(session, NULL);
	return error ? lp_error("%s", strerror(-error)) : 0;
}

static int report(struct lp_session *session, const struct lp_settings *settings, const char *path)
{
	struct lp_mapping mapping = { 0 };
	struct lp_problem problem;
	int status;

	if (settings->output &&
	    (lp_output_check(settings->output, &problem) ||
	     lp_output_check_other(settings->output, path, "the facts file", &problem)))
		return lp_error("%s", problem.text);
	if (lp_facts_file_read(session, path, &mapping, &problem))
		status = lp_error("%s", problem.text);
	else
		status = judge(session);
	if (!status)
		status = print(session, settings);
	if (!status && lp_session_shown(session, settings->strict))
		status = settings->exit_code;
	lp_mapping_close(&mapping);
	return status;
}

int lp_cmd_report(const struct lp_settings *settings, int argc, char **argv)
{
	struct lp_session *session;
	int status;

	if (argc != 1)
		return lp_error("report: %s ('lockproof help report' shows the usage)",
				argc ? "one facts file at a time" : "no facts file given");
	session = lp_session_create();
	if (!session)
		return lp_error("%s", strerror(ENOMEM));
	status = report(session, settings, argv[0]);
	lp_session_destroy(session);
	return status;
}

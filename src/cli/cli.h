/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.h — what the commands share.
 *
 * A new command is: a row in lp_commands (main.c), cmd_<verb>.c with its option table and run
 * function, a page docs/man/lockproof-<verb>.1, a line in lockproof.1 and tests in tests/cli.
 * test_manual.py fails when one of the last three is missing.
 */
#ifndef LP_CLI_H
#define LP_CLI_H

#include "base/compiler.h"
#include "cli/options.h"

enum lp_exit {
	LP_EXIT_OK		= 0,
	LP_EXIT_EXPECTATION	= 1,	/* an expectation did not hold */
	LP_EXIT_ERROR		= 2,	/* wrong usage, bad input */
	LP_EXIT_FINDINGS	= 66,	/* default of --exit-code */
};

struct lp_command {
	const char	*name;
	const char	*operands;	/* as usage shows them */
	const char	*summary;	/* one line, no full stop */
	const struct lp_option *options;	/* up to one without a name */
	bool		leading;	/* options end at the first operand */
	/* argv[0..argc) are the operands. Returns the exit status. */
	int		(*run)(const struct lp_settings *settings, int argc, char **argv);
};

extern const struct lp_command lp_commands[];	/* up to one without a name */

const struct lp_command *lp_command_find(const char *name);	/* NULL: there is none */

/* Usage and options, to standard output. Returns the exit status. */
int lp_help_command(const struct lp_command *command);
int lp_help_overview(void);

extern const struct lp_option lp_run_options[], lp_report_options[], lp_check_options[],
	lp_help_options[];
int lp_cmd_run(const struct lp_settings *settings, int argc, char **argv);
int lp_cmd_report(const struct lp_settings *settings, int argc, char **argv);
int lp_cmd_check(const struct lp_settings *settings, int argc, char **argv);
int lp_cmd_help(const struct lp_settings *settings, int argc, char **argv);

/* A sentence about what went wrong, made where it is known, printed by the command. */
struct lp_problem {
	char	text[1024];
};

/* Set the text. Returns -1, so that a caller can return it. */
int lp_problem_set(struct lp_problem *problem, const char *format, ...) LP_PRINTF(2, 3);

/*
 * Print "lockproof: ..." as exactly one line on standard error, whatever the names in it contain.
 * Returns LP_EXIT_ERROR.
 */
int lp_error(const char *format, ...) LP_PRINTF(1, 2);

#endif

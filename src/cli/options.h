/* SPDX-License-Identifier: Apache-2.0 */
/* options.h — command-line options: one table per command, which is parser and help in one. */
#ifndef LP_CLI_OPTIONS_H
#define LP_CLI_OPTIONS_H

#include <stdbool.h>

enum lp_format { LP_FORMAT_TEXT, LP_FORMAT_JSON };
enum lp_color { LP_COLOR_AUTO, LP_COLOR_ALWAYS, LP_COLOR_NEVER };
enum lp_on_deadlock { LP_DEADLOCK_REPORT, LP_DEADLOCK_ABORT, LP_DEADLOCK_KILL };

struct lp_settings {
	const char	*output;	/* -o; NULL: none */
	const char	*facts;		/* --facts; NULL: do not keep them */
	enum lp_format	format;
	enum lp_color	color;
	enum lp_on_deadlock on_deadlock;
	unsigned long long states;	/* --states; 0: the default */
	int		exit_code;	/* with findings; 0: the program's own */
	bool		strict;
	bool		quiet;
	bool		help;
};

struct lp_option {
	const char	*name;		/* without the dashes; NULL ends a table */
	char		letter;		/* 0: it has none */
	const char	*value;		/* what help calls its value; NULL: it takes none */
	/* Returns NULL, or what is wrong with the value. */
	const char	*(*apply)(struct lp_settings *settings, const char *value);
	const char	*help;		/* lines separated by \n */
};

/* Rows that several commands have. */
#define LP_OPTION_OUTPUT \
	{ "output", 'o', "FILE", lp_apply_output, \
	  "write the report to FILE, not to the terminal" }
#define LP_OPTION_FORMAT \
	{ "format", 0, "text|json", lp_apply_format, "format of the report (default: text)" }
#define LP_OPTION_STRICT \
	{ "strict", 0, NULL, lp_apply_strict, \
	  "show possible findings too: orders that break the rules,\n" \
	  "though this run could not have deadlocked that way" }
#define LP_OPTION_COLOR \
	{ "color", 0, "auto|always|never", lp_apply_color, \
	  "colour in text (default: auto, on a terminal)" }
#define LP_OPTION_EXIT_CODE \
	{ "exit-code", 0, "N", lp_apply_exit_code, \
	  "exit status when there are findings (default: 66; 0: none)" }
#define LP_OPTION_HELP \
	{ "help", 'h', NULL, lp_apply_help, "show this help" }

typedef const char *lp_apply_fn(struct lp_settings *settings, const char *value);
lp_apply_fn lp_apply_output, lp_apply_facts, lp_apply_format, lp_apply_strict, lp_apply_color,
	lp_apply_exit_code, lp_apply_on_deadlock, lp_apply_quiet, lp_apply_states,
	lp_apply_help;

struct lp_command;

/*
 * Parse argv[0..argc). Options may be written --name=VALUE, --name VALUE, -lVALUE, -l VALUE; `--`
 * ends them. Operands are moved to the front of argv. Returns how many there are, or -1 after
 * one line on standard error.
 */
int lp_options_parse(const struct lp_command *command, int argc, char **argv,
		     struct lp_settings *settings);

#endif

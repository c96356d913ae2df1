/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_help.c — lockproof help: usage, made from the tables that the parser uses. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

#define HELP_COLUMN 34

const struct lp_option lp_help_options[] = {
	LP_OPTION_HELP,
	{ NULL, 0, NULL, NULL, NULL },
};

/* Did all that was printed arrive? */
static int finish(void)
{
	if (fflush(stdout) || ferror(stdout))
		return lp_error("cannot write to standard output: %s", strerror(errno));
	return LP_EXIT_OK;
}

static void print_option(const struct lp_option *option)
{
	const char *help = option->help;
	char letter[] = { '-', option->letter, ',', ' ', '\0' };
	int width = printf("  %s--%s%s%s", option->letter ? letter : "    ", option->name,
			   option->value ? "=" : "", option->value ? option->value : "");

	while (*help) {
		size_t line = strcspn(help, "\n");

		if (width > HELP_COLUMN - 2) {
			printf("\n");
			width = 0;
		}
		printf("%*s%.*s\n", HELP_COLUMN - width, "", (int)line, help);
		width = 0;
		help += line + (help[line] == '\n');
	}
}

int lp_help_command(const struct lp_command *command)
{
	printf("usage: lockproof %s [options] %s\n\n%s\n\noptions:\n", command->name,
	       command->operands, command->summary);
	for (const struct lp_option *option = command->options; option->name; option++)
		print_option(option);
	if (strcmp(command->name, "help"))
		printf("\nMore: man lockproof-%s\n", command->name);
	return finish();
}

int lp_help_overview(void)
{
	printf("usage: lockproof COMMAND [options] ...\n\n"
	       "Finds deadlocks and lock misuse before they happen.\n\ncommands:\n");
	for (const struct lp_command *command = lp_commands; command->name; command++)
		printf("  %-7s %-22s %s\n", command->name, command->operands, command->summary);
	printf("\n'lockproof help COMMAND' shows its options, 'lockproof --version' the version.\n"
	       "Validate a program: lockproof run -- PROGRAM [ARGS]\n\nMore: man lockproof\n");
	return finish();
}

int lp_cmd_help(const struct lp_settings *settings, int argc, char **argv)
{
	const struct lp_command *command;

	(void)settings;
	if (argc == 0)
		return lp_help_overview();
	if (argc > 1)
		return lp_error("help: one command at most ('lockproof help' lists them)");
	command = lp_command_find(argv[0]);
	if (!command)
		return lp_error("unknown command '%s' ('lockproof help' lists them)", argv[0]);
	return lp_help_command(command);
}

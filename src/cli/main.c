/* SPDX-License-Identifier: Apache-2.0 */
/* main.c — the lockproof command: finds the subcommand and runs it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

const struct lp_command lp_commands[] = {
	{ "run", "[--] PROGRAM [ARGS]", "validate a program and the processes it starts",
	  lp_run_options, true, lp_cmd_run },
	{ "report", "FACTS", "judge and print recorded facts again", lp_report_options, false,
	  lp_cmd_report },
	{ "check", "FILE...", "check scenarios: findings, and all schedules", lp_check_options,
	  false, lp_cmd_check },
	{ "help", "[COMMAND]", "explain lockproof, or one command", lp_help_options, false,
	  lp_cmd_help },
	{ NULL, NULL, NULL, NULL, false, NULL },
};

const struct lp_command *lp_command_find(const char *name)
{
	for (const struct lp_command *command = lp_commands; command->name; command++)
		if (!strcmp(command->name, name))
			return command;
	return NULL;
}

int lp_problem_set(struct lp_problem *problem, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem->text, sizeof(problem->text), format, args);
	va_end(args);
	return -1;
}

int lp_error(const char *format, ...)
{
	char line[2048] = "lockproof: ";
	size_t size = strlen(line);
	ssize_t written;
	va_list args;

	va_start(args, format);
	vsnprintf(line + size, sizeof(line) - size - 1, format, args);
	va_end(args);
	for (; line[size]; size++)
		if ((unsigned char)line[size] < ' ' || line[size] == 0x7f)
			line[size] = '?';
	line[size++] = '\n';
	written = write(STDERR_FILENO, line, size);
	(void)written;
	return LP_EXIT_ERROR;
}

/* Options without a command. Returns the exit status. */
static int global_option(const char *option)
{
	if (!strcmp(option, "--help") || !strcmp(option, "-h"))
		return lp_help_overview();
	if (!strcmp(option, "--version") || !strcmp(option, "-V")) {
		printf("lockproof %s\n", LP_VERSION);
		return fflush(stdout) ? lp_error("cannot write to standard output") : LP_EXIT_OK;
	}
	return lp_error("unknown option '%s' ('lockproof help' shows the usage)", option);
}

int main(int argc, char **argv)
{
	const struct lp_command *command;
	struct lp_settings settings;
	int operands;

	if (argc < 2)
		return lp_error("no command given ('lockproof help' lists them)");
	if (argv[1][0] == '-')
		return global_option(argv[1]);
	command = lp_command_find(argv[1]);
	if (!command)
		return lp_error("unknown command '%s' ('lockproof help' lists them)", argv[1]);
	operands = lp_options_parse(command, argc - 2, argv + 2, &settings);
	if (operands < 0)
		return LP_EXIT_ERROR;
	if (settings.help)
		return lp_help_command(command);
	return command->run(&settings, operands, argv + 2);
}

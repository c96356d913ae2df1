/* SPDX-License-Identifier: Apache-2.0 */
/* options.c — the parser over the tables, and what each option does to the settings. */
#include "cli/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* A word of a closed set. Returns its place, or -1. */
static int choose(const char *value, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(value, words[i]))
			return i;
	return -1;
}

const char *lp_apply_output(struct lp_settings *settings, const char *value)
{
	settings->output = value;
	return *value ? NULL : "names no file";
}

const char *lp_apply_facts(struct lp_settings *settings, const char *value)
{
	settings->facts = value;
	return *value ? NULL : "names no file";
}

const char *lp_apply_format(struct lp_settings *settings, const char *value)
{
	static const char *const words[] = { "text", "json", NULL };
	static const char *const later[] = { "sarif", "html", NULL };
	int format = choose(value, words);

	if (format < 0)
		return choose(value, later) < 0 ? "must be text or json"
						: "is not available in this version";
	settings->format = (enum lp_format)format;
	return NULL;
}

const char *lp_apply_strict(struct lp_settings *settings, const char *value)
{
	(void)value;
	settings->strict = true;
	return NULL;
}

const char *lp_apply_color(struct lp_settings *settings, const char *value)
{
	static const char *const words[] = { "auto", "always", "never", NULL };
	int color = choose(value, words);

	if (color < 0)
		return "must be auto, always or never";
	settings->color = (enum lp_color)color;
	return NULL;
}

const char *lp_apply_exit_code(struct lp_settings *settings, const char *value)
{
	char *end;
	long code;

	errno = 0;
	code = strtol(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno || code > 255)
		return "must be a number from 0 to 255";
	settings->exit_code = (int)code;
	return NULL;
}

const char *lp_apply_states(struct lp_settings *settings, const char *value)
{
	char *end;

	errno = 0;
	settings->states = strtoull(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno || !settings->states)
		return "must be a number from 1 on";
	return NULL;
}

const char *lp_apply_on_deadlock(struct lp_settings *settings, const char *value)
{
	static const char *const words[] = { "report", "abort", "kill", NULL };
	int action = choose(value, words);

	if (action < 0)
		return "must be report, abort or kill";
	settings->on_deadlock = (enum lp_on_deadlock)action;
	return NULL;
}

const char *lp_apply_quiet(struct lp_settings *settings, const char *value)
{
	(void)value;
	settings->quiet = true;
	return NULL;
}

const char *lp_apply_help(struct lp_settings *settings, const char *value)
{
	(void)value;
	settings->help = true;
	return NULL;
}

static const struct lp_option *find_name(const struct lp_option *options, const char *name,
					 size_t size)
{
	for (; options->name; options++)
		if (strlen(options->name) == size && !memcmp(options->name, name, size))
			return options;
	return NULL;
}

static const struct lp_option *find_letter(const struct lp_option *options, char letter)
{
	for (; options->name; options++)
		if (options->letter && options->letter == letter)
			return options;
	return NULL;
}

struct cursor {
	const struct lp_command *command;
	int	argc;
	char	**argv;
	int	at;
};

static int fail(const struct cursor *cursor, const char *what, const char *option)
{
	lp_error("%s: %s '%s' ('lockproof help %s' lists the options)", cursor->command->name, what,
		 option, cursor->command->name);
	return -1;
}

/* Apply one option; `value` is what was written with it, or NULL. */
static int apply(struct cursor *cursor, const struct lp_option *option, const char *value,
		 struct lp_settings *settings)
{
	const char *problem;

	if (!option->value && value)
		return fail(cursor, "no value belongs to option", option->name);
	if (option->value && !value) {
		if (cursor->at >= cursor->argc)
			return fail(cursor, "no value after option", option->name);
		value = cursor->argv[cursor->at++];
	}
	problem = option->apply(settings, value);
	if (!problem)
		return 0;
	lp_error("%s: --%s '%s' %s", cursor->command->name, option->name, value, problem);
	return -1;
}

static int parse_long(struct cursor *cursor, const char *word, struct lp_settings *settings)
{
	const char *equals = strchr(word, '=');
	size_t size = equals ? (size_t)(equals - word) : strlen(word);
	const struct lp_option *option = find_name(cursor->command->options, word + 2, size - 2);

	if (!option)
		return fail(cursor, "unknown option", word);
	return apply(cursor, option, equals ? equals + 1 : NULL, settings);
}

static int parse_letters(struct cursor *cursor, const char *word, struct lp_settings *settings)
{
	for (const char *letter = word + 1; *letter; letter++) {
		const struct lp_option *option = find_letter(cursor->command->options, *letter);

		if (!option)
			return fail(cursor, "unknown option", word);
		if (option->value)
			return apply(cursor, option, letter[1] ? letter + 1 : NULL, settings);
		if (apply(cursor, option, NULL, settings))
			return -1;
	}
	return 0;
}

static int take_rest(struct cursor *cursor, int operands)
{
	while (cursor->at < cursor->argc)
		cursor->argv[operands++] = cursor->argv[cursor->at++];
	cursor->argv[operands] = NULL;
	return operands;
}

int lp_options_parse(const struct lp_command *command, int argc, char **argv,
		     struct lp_settings *settings)
{
	struct cursor cursor = { command, argc, argv, 0 };
	int operands = 0;

	*settings = (struct lp_settings){ .exit_code = LP_EXIT_FINDINGS };
	while (cursor.at < argc) {
		const char *word = argv[cursor.at++];
		bool is_option = word[0] == '-' && word[1];
		int result;

		if (!strcmp(word, "--"))
			break;
		if (!is_option) {
			argv[operands++] = (char *)word;
			if (command->leading)
				break;
			continue;
		}
		result = word[1] == '-' ? parse_long(&cursor, word, settings)
					: parse_letters(&cursor, word, settings);
		if (result)
			return -1;
	}
	return take_rest(&cursor, operands);
}

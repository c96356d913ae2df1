/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_scenario.c — any bytes as a scenario file: it is refused at a place that is in it, with a
 * short text, or the scenario is sound.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/scenario.h"
#include "scenario/sound.h"

#define INPUT_MAX	(1u << 20)

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_scenario: %s\n", what);
	abort();
}

static uint32_t lines_of(const char *text, size_t size)
{
	uint32_t lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lp_scenario_error error;
	struct lp_scenario *scenario;
	char *text;

	if (size > INPUT_MAX)
		return 0;
	text = malloc(size ? size : 1);	/* exact: a sanitizer sees a read past it */
	if (!text)
		return 0;
	memcpy(text, data, size);
	scenario = lp_scenario_parse("fuzz.litmus", text, size, &error);
	if (scenario) {
		const char *problem;

		memset(text, 'x', size);	/* nothing of it is kept */
		problem = scenario_problem(scenario);
		require(!problem, problem);
	} else {
		require(error.line >= 1 && error.line <= lines_of(text, size), "the line is none");
		require(error.column >= 1 && error.column <= size + 1, "the column is none");
		require(*error.text && strlen(error.text) < sizeof(error.text) - 1 &&
			!strchr(error.text, '\n'), "the text is none");
	}
	lp_scenario_destroy(scenario);
	free(text);
	return 0;
}

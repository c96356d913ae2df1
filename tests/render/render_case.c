/* SPDX-License-Identifier: Apache-2.0 */
/*
 * render_case.c — print one of the reports of cases.c, for the tests beside it.
 *
 *     render_case                              the names of all
 *     render_case text|color|summary|json NAME print to standard output
 *
 * Exit status: 0; 1 when the renderer said that the stream failed; 2 for wrong arguments.
 */
#include <stdio.h>
#include <string.h>

#include "cases.h"

static int render(const char *how, const struct lp_report *report)
{
	struct lp_render_options plain = { 0 }, color = { .color = true };

	if (!strcmp(how, "text"))
		return lp_render_text(stdout, report, &plain);
	if (!strcmp(how, "color"))
		return lp_render_text(stdout, report, &color);
	if (!strcmp(how, "summary"))
		return lp_render_summary_text(stdout, report, &plain);
	if (!strcmp(how, "json"))
		return lp_render_json(stdout, report);
	return 1;
}

int main(int argc, char **argv)
{
	const struct render_case *it;
	size_t index = 0;
	int result;

	if (argc != 3) {
		for (; (it = render_case_at(index)); index++)
			puts(it->name);
		return argc == 1 ? 0 : 2;
	}
	for (; (it = render_case_at(index)); index++)
		if (!strcmp(it->name, argv[2]))
			break;
	if (!it)
		return 2;
	result = render(argv[1], it->report);
	if (result < 0)
		fprintf(stderr, "%s\n", strerror(-result));
	return result < 0;
}

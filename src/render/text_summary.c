/* SPDX-License-Identifier: Apache-2.0 */
/* text_summary.c — the last line of a report, and the first when recording ended early. */
#include "render/text_private.h"

/* 1,234,567: people compare such numbers by their length. */
static void put_count(FILE *out, uint64_t count, const char *one, const char *many)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, count);

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			fputc(',', out);
		fputc(digits[i], out);
	}
	fprintf(out, " %s", count == 1 ? one : many);
}

static void put_levels(FILE *out, const uint64_t shown[3])
{
	static const char *const names[3] = { "possible", "feasible", "actual" };
	const char *before = " (";

	for (int level = 2; level >= 0; level--) {
		if (!shown[level])
			continue;
		fputs(before, out);
		put_count(out, shown[level], names[level], names[level]);
		before = ", ";
	}
	fputc(')', out);
}

static void put_shown(struct lp_text *text, const struct lp_report *report)
{
	uint64_t shown[3], hidden = report->hidden, total;

	memcpy(shown, report->summary.findings, sizeof(shown));
	shown[0] -= hidden < shown[0] ? hidden : shown[0];
	total = shown[0] + shown[1] + shown[2];
	lp_text_style(text, total ? LP_TEXT_ALARM : LP_TEXT_BOLD);
	if (total)
		put_count(text->out, total, "finding", "findings");
	else
		fputs("no findings", text->out);
	lp_text_style(text, LP_TEXT_PLAIN);
	if (total)
		put_levels(text->out, shown);
	if (hidden) {
		fputs(", ", text->out);
		put_count(text->out, hidden, "possible not shown (--strict shows it)",
			  "possible not shown (--strict shows them)");
	}
}

void lp_text_summary(FILE *out, const struct lp_report *report, bool color)
{
	const struct lp_report_summary *it = &report->summary;
	struct lp_text text = { .out = out, .color = color };
	const struct {
		uint64_t	count;
		const char	*one, *many;
	} counts[] = {
		{ it->classes, "class", "classes" },
		{ it->chains, "chain", "chains" },
		{ it->edges, "edge", "edges" },
		{ it->threads, "thread", "threads" },
		{ it->processes, "process", "processes" },
		{ it->acquisitions, "acquisition", "acquisitions" },
	};

	fputs("lockproof: ", out);
	put_shown(&text, report);
	for (size_t i = 0; i < lp_array_size(counts); i++) {
		fputs(i ? ", " : "; ", out);
		put_count(out, counts[i].count, counts[i].one, counts[i].many);
	}
	fputc('\n', out);
}

void lp_text_stopped(FILE *out, const struct lp_report *report, bool color)
{
	struct lp_text text = { .out = out, .color = color };

	if (!report->stopped)
		return;
	fputs("lockproof: ", out);
	lp_text_style(&text, LP_TEXT_NOTE);
	lp_clean_put_all(out, report->stopped);
	lp_text_style(&text, LP_TEXT_PLAIN);
	fputc('\n', out);
}

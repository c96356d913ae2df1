/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c — findings in the layout of the kernel's lock validator.
 *
 * People know that layout by heart, so its lines stand where they always stand. What user space
 * has more to tell (the level, threads by name, where the lock that blocks was taken) goes where
 * the kernel has room for it: under the header, and under "other info". The braces after a lock's
 * name say how it is used in contexts; they are left out where there are none.
 *
 * A report is a row of sections; which kind has which sections is a table.
 */
#include <errno.h>

#include "render/text_private.h"

#define RULE_WIDTH_MAX	80
#define SECTIONS_MAX	8

struct layout {
	const char	*kind;
	bool		brackets;	/* around the header */
	lp_text_section	*sections[SECTIONS_MAX];
};

static const struct layout layouts[] = {
	{ "circular-locking", false, {
		lp_text_attempt, lp_text_chain, lp_text_other_info, lp_text_dependencies,
		lp_text_writers, lp_text_scenario, lp_text_held, lp_text_backtrace } },
	{ "recursive-locking", false, {
		lp_text_attempt, lp_text_other_info, lp_text_writers, lp_text_scenario,
		lp_text_nesting_hint, lp_text_held, lp_text_backtrace } },
	{ "inconsistent-lock-state", false, {
		lp_text_inconsistent, lp_text_other_info, lp_text_struck, lp_text_writers,
		lp_text_scenario, lp_text_held, lp_text_backtrace } },
	{ "irq-lock-inversion", false, {
		lp_text_inversion, lp_text_other_info, lp_text_paths, lp_text_writers,
		lp_text_scenario, lp_text_held, lp_text_backtrace } },
	{ "irq-unsafe-lock-order", false, {
		lp_text_unsafe_order, lp_text_other_info, lp_text_paths, lp_text_writers,
		lp_text_scenario, lp_text_held, lp_text_backtrace } },
	{ "bad-unlock-balance", false, {
		lp_text_release, lp_text_other_info, lp_text_held, lp_text_backtrace } },
	{ "held-lock-freed", false, {
		lp_text_event, lp_text_other_info, lp_text_held, lp_text_backtrace } },
	{ "held-at-exit", false, { lp_text_held, lp_text_other_info, lp_text_backtrace } },
	{ "invalid-wait-context", true, {
		lp_text_wait_attempt, lp_text_other_info, lp_text_wait_context, lp_text_held,
		lp_text_backtrace } },
	{ "nested-lock-not-taken", false, {
		lp_text_not_held, lp_text_other_info, lp_text_held, lp_text_backtrace } },
	{ "suspicious-rcu-usage", false, {
		lp_text_rcu, lp_text_other_info, lp_text_rcu_state, lp_text_held,
		lp_text_backtrace } },
	{ "invalid-lock", false, {
		lp_text_event, lp_text_other_info, lp_text_held, lp_text_backtrace } },
	{ "deadlock", false, {
		lp_text_waits, lp_text_other_info, lp_text_scenario, lp_text_held } },
	/* a kind that is newer than this table */
	{ NULL, false, {
		lp_text_event, lp_text_other_info, lp_text_scenario, lp_text_held,
		lp_text_backtrace } },
};

static const struct layout *layout_of(const char *kind)
{
	const struct layout *layout = layouts;

	while (layout->kind && strcmp(layout->kind, kind))
		layout++;
	return layout;
}

static void put_rule(struct lp_text *text, size_t width, char mark)
{
	if (width > RULE_WIDTH_MAX)
		width = RULE_WIDTH_MAX;
	while (width--)
		fputc(mark, text->out);
	fputc('\n', text->out);
}

static void put_header(struct lp_text *text, bool brackets)
{
	const struct lp_report_finding *finding = text->finding;
	size_t width = lp_clean_put(NULL, finding->header) + (brackets ? strlen("[  ]") : 0);
	bool possible = !strcmp(finding->level, "possible");

	fputc('\n', text->out);
	put_rule(text, width, '=');
	fputs(brackets ? "[ " : "", text->out);
	lp_text_styled(text, LP_TEXT_BOLD, finding->header);
	fprintf(text->out, "%s\n%s %s\n", brackets ? " ]" : "", finding->kind, finding->id);
	put_rule(text, width, '-');
	fputs("level: ", text->out);
	lp_text_styled(text, possible ? LP_TEXT_NOTE : LP_TEXT_ALARM, finding->level);
	fputs(". ", text->out);
	if (finding->reason)
		lp_clean_put_all(text->out, finding->reason);
	fputc('\n', text->out);
}

static int stream_result(FILE *out)
{
	errno = 0;
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}

static int put_finding(FILE *out, const struct lp_report_finding *finding, bool color)
{
	struct lp_text text = { .out = out, .color = color, .finding = finding };
	const struct layout *layout = layout_of(finding->kind);
	int result = 0;

	put_header(&text, layout->brackets);
	for (size_t i = 0; !result && i < SECTIONS_MAX && layout->sections[i]; i++)
		result = layout->sections[i](&text);
	return result;
}

int lp_render_finding_text(FILE *out, const struct lp_report_finding *finding,
			   const struct lp_render_options *options)
{
	int result = put_finding(out, finding, options->color);

	return result ? result : stream_result(out);
}

int lp_render_summary_text(FILE *out, const struct lp_report *report,
			   const struct lp_render_options *options)
{
	lp_text_stopped(out, report, options->color);
	lp_text_summary(out, report, options->color);
	return stream_result(out);
}

int lp_render_text(FILE *out, const struct lp_report *report,
		   const struct lp_render_options *options)
{
	int result = 0;

	lp_text_stopped(out, report, options->color);
	for (size_t i = 0; !result && i < report->finding_count; i++)
		result = put_finding(out, report->findings[i], options->color);
	if (result)
		return result;
	if (report->finding_count) {
		fputc('\n', out);
		lp_text_stopped(out, report, options->color);
	}
	lp_text_summary(out, report, options->color);
	return stream_result(out);
}

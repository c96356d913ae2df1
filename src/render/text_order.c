/* SPDX-License-Identifier: Apache-2.0 */
/* text_order.c — sections of findings about the order of locks; see text_private.h. */
#include "render/text_private.h"

/* What the thread was about to do, and what it held. */
int lp_text_attempt(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;
	size_t edge = lp_text_last_edge(finding);
	const struct lp_report_stack *held = lp_text_find_stack(finding, "held", edge);
	const struct lp_report_stack *wanted = lp_text_report_stack(finding);

	fputc('\n', text->out);
	lp_text_task(text, lp_text_reporter(finding));
	fprintf(text->out, " %s:\n",
		finding->attempt ? finding->attempt : lp_text_tie(wanted)->wanted);
	lp_text_lock_line(text, lp_text_wanted_lock(finding, edge), wanted);
	fprintf(text->out, "\nbut task %s:\n", lp_text_tie(held)->held);
	lp_text_lock_line(text, edge < finding->cycle_count ? edge : 0, held);
	return 0;
}

/* What was recorded before, latest first, down to the attempt itself. */
int lp_text_chain(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;
	const struct lp_report_stack *held =
		lp_text_find_stack(finding, "held", lp_text_last_edge(finding));
	const struct lp_report_stack *wanted = lp_text_report_stack(finding);

	fprintf(text->out, "\nwhich %salready depends on %s.\n\n\n",
		lp_text_is_lock(held) ? "lock " : "",
		lp_text_is_lock(wanted) ? "the new lock" : "what it waits for");
	fputs("the existing dependency chain (in reverse order) is:\n", text->out);
	for (size_t number = lp_text_edge_count(finding); number-- > 0;) {
		/* Entry n is the lock that dependency n - 1 wants; entry 0 closes the cycle. */
		size_t edge = number ? number - 1 : lp_text_last_edge(finding);

		fprintf(text->out, "\n-> #%zu (", number);
		lp_text_lock_name(text, lp_text_wanted_lock(finding, edge));
		fputc(')', text->out);
		lp_text_uses(text, lp_text_wanted_lock(finding, edge));
		fputs(", by ", text->out);
		lp_text_thread(text, edge);
		fputs(":\n", text->out);
		lp_text_stack(text, lp_text_find_stack(finding, "wanted", edge), 7);
	}
	return 0;
}

/*
 * Both halves of each dependency. The kernel shows only where the wanted lock was taken; where
 * the other one was taken is half of what a person has to change.
 */
int lp_text_dependencies(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;

	size_t count = lp_text_edge_count(finding);

	for (size_t edge = 0; edge < count; edge++) {
		size_t number = (edge + 1) % count;

		fputs("\n ", text->out);
		lp_text_thread(text, edge);
		fprintf(text->out, " %s ",
			lp_text_tie(lp_text_find_stack(finding, "wanted", edge))->wish);
		lp_text_lock_name(text, lp_text_wanted_lock(finding, edge));
		fprintf(text->out, " (stack: #%zu above)", number);
		lp_text_while_holding(text, edge);
	}
	return 0;
}

/* Why a reader waits for a reader. */
int lp_text_writers(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;

	for (size_t i = 0; i < finding->writer_count; i++) {
		const struct lp_report_writer *it = &finding->writers[i];

		fputs("\n ", text->out);
		lp_text_thread(text, it->thread);
		fputs(" waits to write ", text->out);
		lp_text_lock_name(text, lp_text_wanted_lock(finding, it->edge));
		fputs(" in between, and the later reader waits behind it:\n", text->out);
		lp_text_stack(text, lp_text_find_stack(finding, "writer", it->edge), 7);
	}
	return 0;
}

int lp_text_nesting_hint(struct lp_text *text)
{
	if (text->finding->cycle_count > 1)
		fputs("\n May be due to missing lock nesting notation\n", text->out);
	return 0;
}

/* The thread of a dependency, and what struck it, if that is what waits. */
static void put_waiter(struct lp_text *text, size_t edge)
{
	const struct lp_report_strike *strike = lp_text_strike_of(text->finding, edge);

	lp_text_thread(text, edge);
	if (!strike)
		return;
	fputs(", struck by ", text->out);
	lp_clean_put(text->out, strike->context);
	fputc(',', text->out);
}

/* Whose end, or whose lock, this one waits for. */
static void put_waited_for(struct lp_text *text, size_t edge, enum lp_report_tie tie)
{
	size_t count = lp_text_edge_count(text->finding);
	bool run = tie == LP_TIE_RUN;

	fputs(run ? " is waiting for the end of " : " is waiting for a lock that ", text->out);
	if (count > 1)
		lp_text_thread(text, (edge + 1) % count);
	else
		fputs("it", text->out);
	fputs(run ? ":\n" : " holds:\n", text->out);
}

/* Who waits for whom, each with both of its stacks. */
int lp_text_waits(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;
	size_t count = lp_text_edge_count(finding);

	for (size_t edge = 0; edge < count; edge++) {
		const struct lp_report_stack *wanted = lp_text_find_stack(finding, "wanted", edge);
		const struct lp_report_stack *held = lp_text_find_stack(finding, "held", edge);

		fputc('\n', text->out);
		put_waiter(text, edge);
		put_waited_for(text, edge, wanted ? wanted->tie : LP_TIE_LOCK);
		lp_text_lock_line(text, lp_text_wanted_lock(finding, edge), wanted);
		lp_text_stack(text, wanted, 7);
		fputs(held && held->tie == LP_TIE_RUN ? "while it runs:\n" :
							"while it holds the lock:\n", text->out);
		lp_text_lock_line(text, edge, held);
		lp_text_stack(text, held, 7);
	}
	return 0;
}

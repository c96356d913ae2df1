/* SPDX-License-Identifier: Apache-2.0 */
/* text_order.c — sections of findings about the order of locks; see text_private.h. */
#include "render/text_private.h"

/* What the thread was about to do, and what it held. */
int lp_text_attempt(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;
	size_t edge = lp_text_last_edge(finding);

	fputc('\n', text->out);
	lp_text_task(text, lp_text_reporter(finding));
	fprintf(text->out, " %s:\n",
		finding->attempt ? finding->attempt : "is trying to acquire lock");
	lp_text_lock_line(text, lp_text_wanted_lock(finding, edge), lp_text_report_stack(finding));
	fputs("\nbut task is already holding lock:\n", text->out);
	lp_text_lock_line(text, edge < finding->cycle_count ? edge : 0,
			  lp_text_find_stack(finding, "held", edge));
	return 0;
}

/* What was recorded before, latest first, down to the attempt itself. */
int lp_text_chain(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;

	fputs("\nwhich lock already depends on the new lock.\n\n\n"
	      "the existing dependency chain (in reverse order) is:\n", text->out);
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
		fputs(" wanted ", text->out);
		lp_text_lock_name(text, lp_text_wanted_lock(finding, edge));
		fprintf(text->out, " (stack: #%zu above) while holding ", number);
		lp_text_lock_name(text, edge);
		fputs(",\n which it acquired at:\n", text->out);
		lp_text_stack(text, lp_text_find_stack(finding, "held", edge), 7);
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
		fputs(" is waiting for a lock that ", text->out);
		if (count > 1)
			lp_text_thread(text, (edge + 1) % count);
		else
			fputs("it", text->out);
		fputs(" holds:\n", text->out);
		lp_text_lock_line(text, lp_text_wanted_lock(finding, edge), wanted);
		lp_text_stack(text, wanted, 7);
		fputs("while it holds the lock:\n", text->out);
		lp_text_lock_line(text, edge, held);
		lp_text_stack(text, held, 7);
	}
	return 0;
}

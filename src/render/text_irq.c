/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_irq.c — sections of findings about contexts: what strikes, and where waiting is forbidden;
 * see text_private.h.
 *
 * A report about one strike is told from the interrupt's side, whichever side was seen last, so
 * that the same facts read alike in every run.
 */
#include "render/text_private.h"

/* Names of contexts come from the target. */
static void put_word(struct lp_text *text, const char *before, const char *word, const char *after)
{
	fputs(before, text->out);
	lp_clean_put(text->out, word);
	fputs(after, text->out);
}

/* The strike that a report is about: what closed the cycle, or what made the order unsafe. */
static const struct lp_report_strike *main_strike(const struct lp_report_finding *finding)
{
	static const struct lp_report_strike none;
	const struct lp_report_strike *strike =
		lp_text_strike_of(finding, lp_text_last_edge(finding));

	return strike ? strike : finding->strike_count ? finding->strikes : &none;
}

/* Where the lock that the strike makes unsafe came to be held while that could strike. */
static const struct lp_report_stack *unsafe_stack(const struct lp_report_finding *finding,
						  const struct lp_report_strike *strike)
{
	const struct lp_report_stack *stack = lp_text_find_stack(finding, "state", strike->edge);

	return stack ? stack : lp_text_find_stack(finding, "held", strike->edge);
}

/* "softirqs last  enabled at (40390): local_bh_enable+0x5/0x20 include/linux/bottom_half.h:31" */
static void put_change(struct lp_text *text, const char *name, const char *what,
		       const struct lp_report_change *change)
{
	struct lp_report_stack place = {
		.frames = change->frames, .frame_count = change->frame_count,
	};

	lp_clean_put(text->out, name);
	fprintf(text->out, " last %s at (%" PRIu32 "): ", what, change->at);
	if (change->at)
		lp_text_place(text, &place);
	else
		fputs("never in this thread", text->out);
	fputc('\n', text->out);
}

/* When and where the interrupt was last let in and kept out, by the code that it then struck. */
static void put_event_stamps(struct lp_text *text, const struct lp_report_strike *strike)
{
	const char *on = strike->kernel ? " enabled" : "unblocked";
	const char *off = strike->kernel ? "disabled" : "  blocked";

	if (!strike->stamp_count)
		return;
	fputs(strike->kernel ? "irq event stamp" : "signal event stamp", text->out);
	if (strike->thread != lp_text_reporter(text->finding)) {
		fputs(" of ", text->out);
		lp_text_task(text, strike->thread);
	}
	fprintf(text->out, ": %" PRIu32 "\n", strike->events);
	for (size_t i = 0; i < strike->stamp_count; i++) {
		put_change(text, strike->stamps[i].name, on, &strike->stamps[i].let_in);
		put_change(text, strike->stamps[i].name, off, &strike->stamps[i].blocked);
	}
}

int lp_text_inconsistent(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;
	const struct lp_report_strike *strike = main_strike(finding);

	put_word(text, "\ninconsistent {", strike->on, "}");
	put_word(text, " -> {", strike->in, "} usage.\n");
	lp_text_task(text, lp_text_reporter(finding));
	lp_text_state(text);
	fputs(" takes:\n", text->out);
	lp_text_lock_line(text, lp_text_wanted_lock(finding, strike->edge),
			  lp_text_report_stack(finding));
	put_word(text, "{", strike->on, "} state was registered at:\n");
	lp_text_stack(text, unsafe_stack(finding, strike), 2);
	put_event_stamps(text, strike);
	return 0;
}

int lp_text_inversion(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;
	const struct lp_report_strike *strike = main_strike(finding);

	fputc('\n', text->out);
	lp_text_task(text, lp_text_reporter(finding));
	lp_text_state(text);
	fputs(" just changed the state of lock:\n", text->out);
	lp_text_lock_line(text, lp_text_wanted_lock(finding, strike->edge),
			  lp_text_report_stack(finding));
	put_word(text, "but this lock took another, ", strike->unsafe,
		 "-unsafe lock in the past:\n ");
	lp_text_class(text, strike->edge);
	fputs("\n\n\nand interrupts could create inverse lock ordering between them.\n\n",
	      text->out);
	put_event_stamps(text, strike);
	return 0;
}

/* "-irq-unsafe", after the name of a context; signals are no irqs. */
static const char *irq_word(const struct lp_report_strike *strike)
{
	return strike->kernel ? "-irq-" : "-";
}

/* "but this new dependency connects a SOFTIRQ-irq-safe lock:" and how it became that. */
static void put_end(struct lp_text *text, const struct lp_report_strike *strike, bool safe)
{
	const struct lp_report_finding *finding = text->finding;
	const char *context = safe ? strike->safe : strike->unsafe;
	const char *what = safe ? "safe" : "unsafe";

	put_word(text, safe ? "\nbut this new dependency connects a " : "\nto a ", context,
		 irq_word(strike));
	fprintf(text->out, "%s lock:\n ", what);
	lp_text_class(text, safe ? lp_text_wanted_lock(finding, strike->edge) : strike->edge);
	put_word(text, "\n\n... which became ", context, irq_word(strike));
	fprintf(text->out, "%s at:\n", what);
	lp_text_stack(text, safe ? lp_text_find_stack(finding, "wanted", strike->edge) :
				   unsafe_stack(finding, strike), 2);
}

int lp_text_unsafe_order(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;
	const struct lp_report_strike *strike = main_strike(finding);
	const struct lp_report_stack *wanted = lp_text_report_stack(finding), *held;
	size_t edge = lp_text_last_edge(finding), lock = lp_text_wanted_lock(finding, edge);

	held = lp_text_find_stack(finding, "held", edge);

	fputc('\n', text->out);
	lp_text_task(text, lp_text_reporter(finding));
	lp_text_state(text);
	fprintf(text->out, " %s:\n", lp_text_is_lock(wanted) ? "is trying to acquire" :
						     lp_text_tie(wanted)->wanted);
	lp_text_lock_line(text, lock, wanted);
	fprintf(text->out, "\nand this task %s:\n", lp_text_is_lock(held) ? "is already holding" :
						      lp_text_tie(held)->held);
	lp_text_lock_line(text, edge, held);
	fputs("which would create a new lock dependency:\n ", text->out);
	lp_text_class(text, edge);
	fputs(" -> ", text->out);
	lp_text_class(text, lock);
	fputc('\n', text->out);
	put_end(text, strike, true);
	put_end(text, strike, false);
	fputs(strike->stamp_count ? "\n" : "", text->out);
	put_event_stamps(text, strike);
	return 0;
}

static void put_forker(struct lp_text *text, const struct lp_report_strike *strike)
{
	if (strike->forker)
		lp_text_styled(text, LP_TEXT_BOLD, strike->forker);
	else
		lp_text_thread(text, strike->thread);
}

/* The child that was seen, where whoever holds the lock does not exist. */
static void put_child(struct lp_text *text, const struct lp_report_strike *strike)
{
	if (!strike->fork || !strike->forker)
		return;
	fputc(' ', text->out);
	lp_text_thread(text, strike->thread);
	fputs(" came of such a fork: there, nobody releases ", text->out);
	lp_text_lock_name(text, strike->edge);
	fputs(".\n", text->out);
}

/* Where the lock was taken that is held then, and where what strikes was let in. */
static void put_struck_stacks(struct lp_text *text, const struct lp_report_strike *strike,
			      bool told)
{
	const struct lp_report_finding *finding = text->finding;
	const struct lp_report_stack *state = lp_text_find_stack(finding, "state", strike->edge);
	const struct lp_report_stack *held = lp_text_find_stack(finding, "held", strike->edge);

	if (told && !state) {
		fputs(" (stack: above).\n", text->out);
		return;
	}
	fprintf(text->out, ",\n %s:\n", lp_text_tie(held)->where);
	lp_text_stack(text, held, 7);
	if (told || !state)
		return;
	put_word(text, " and where ", strike->context, " was let in at:\n");
	lp_text_stack(text, state, 7);
}

/* Who was struck while holding what. `told`: the stack of unsafe_stack() stands above. */
static void put_struck(struct lp_text *text, const struct lp_report_strike *strike, bool told)
{
	const struct lp_report_stack *held = lp_text_find_stack(text->finding, "held",
								strike->edge);
	bool runs = held && held->tie == LP_TIE_RUN;

	fputs("\n ", text->out);
	if (strike->fork) {
		put_forker(text, strike);
		fputs(" can fork while ", text->out);
		lp_text_thread(text, strike->edge);
	} else {
		put_word(text, "", strike->context, " can strike ");
		lp_text_thread(text, strike->edge);
		fputs(" while it", text->out);
	}
	fprintf(text->out, " %s ", runs ? "runs" : "holds");
	lp_text_lock_name(text, strike->edge);
	put_struck_stacks(text, strike, told);
	put_child(text, strike);
}

int lp_text_struck(struct lp_text *text)
{
	put_struck(text, main_strike(text->finding), true);
	return 0;
}

/* What an interrupt wants, of a strike that the report does not tell of elsewhere. */
static void put_striker(struct lp_text *text, const struct lp_report_strike *strike)
{
	const struct lp_report_finding *finding = text->finding;
	const struct lp_report_stack *wanted = lp_text_find_stack(finding, "wanted", strike->edge);

	fputs("\n ", text->out);
	lp_text_thread(text, strike->thread);
	fprintf(text->out, " %s ", lp_text_tie(wanted)->wish);
	lp_text_lock_name(text, lp_text_wanted_lock(finding, strike->edge));
	put_word(text, " in ", strike->context, " at:\n");
	lp_text_stack(text, wanted, 7);
}

/* Both halves of a dependency. */
static void put_dependency(struct lp_text *text, size_t edge)
{
	const struct lp_report_finding *finding = text->finding;
	const struct lp_report_stack *wanted = lp_text_find_stack(finding, "wanted", edge);

	fputs("\n ", text->out);
	lp_text_thread(text, edge);
	fprintf(text->out, " %s ", lp_text_tie(wanted)->wish);
	lp_text_lock_name(text, lp_text_wanted_lock(finding, edge));
	if (edge == lp_text_last_edge(finding)) {
		fputs(" (stack: below)", text->out);
	} else {
		fputs(" at:\n", text->out);
		lp_text_stack(text, wanted, 7);
	}
	lp_text_while_holding(text, edge);
}

/*
 * Every dependency, from the safe lock to the unsafe one, and every strike. The kernel prints its
 * tables of "the shortest dependencies" here, which do not say who held what.
 */
int lp_text_paths(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;
	const struct lp_report_strike *first = main_strike(finding);
	size_t count = lp_text_edge_count(finding);
	bool told = first->edge != lp_text_last_edge(finding);

	for (size_t i = 1; i <= count; i++) {
		size_t edge = (first->edge + i) % count;
		const struct lp_report_strike *strike = lp_text_strike_of(finding, edge);

		if (strike)
			put_struck(text, strike, told && strike == first);
		else
			put_dependency(text, edge);
		if (strike && strike != first)
			put_striker(text, strike);
	}
	return 0;
}

int lp_text_wait_attempt(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;
	const struct lp_report_stack *stack = lp_text_report_stack(finding);

	fputc('\n', text->out);
	lp_text_task(text, lp_text_reporter(finding));
	if (!finding->event_text) {
		fprintf(text->out, " %s:\n", lp_text_is_lock(stack) ? "is trying to lock" :
						  lp_text_tie(stack)->wanted);
		lp_text_lock_line(text, 0, stack);
	} else {
		fputs(" is trying to sleep at:\n", text->out);
		lp_text_place(text, stack);
		fputc('\n', text->out);
	}
	if (finding->event_text && finding->cycle_count) {
		fputs("to wait for:\n", text->out);
		lp_text_class(text, 0);
		fputc('\n', text->out);
	}
	if (finding->forbidden)
		put_word(text, "which is not allowed ", finding->forbidden, ".\n");
	return 0;
}

int lp_text_wait_context(struct lp_text *text)
{
	unsigned context = text->finding->wait_context;

	if (context)
		fprintf(text->out, "\ncontext-{%u:%u}\n", context, context);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* text_info.c — sections that most kinds of findings have; see text_private.h. */
#include "render/table.h"
#include "render/text_private.h"

#define CHAIN_WIDTH_MAX	100	/* a longer chain of names goes on in the next line */

/* " --> ", " --[SOFTIRQ]--> ": the arrow of a dependency. Returns its columns; NULL: only count. */
static size_t put_arrow(FILE *out, const struct lp_report_finding *finding, size_t edge)
{
	const struct lp_report_strike *strike = lp_text_strike_of(finding, edge);
	const char *before = strike ? " --[" : " --", *after = strike ? "]--> " : "> ";
	size_t columns = strlen(before) + strlen(after);

	if (out)
		fputs(before, out);
	if (strike)
		columns += lp_clean_put(out, strike->context);
	if (out)
		fputs(after, out);
	return columns;
}

/*
 * The locks in their order, for cycles longer than two: the table alone hides it. The strike that
 * closes a cycle is left out: the kernel tells such a chain from the safe lock to the unsafe one.
 */
static void put_chain_line(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;
	size_t count = finding->cycle_count, edge = lp_text_last_edge(finding), columns = 2;
	size_t links = lp_text_strike_of(finding, edge) ? count - 1 : count;

	if (count < 3)
		return;
	fputs("Chain exists of:\n  ", text->out);
	for (size_t i = 0; i <= links; i++, edge = (edge + 1) % count) {
		const char *name = lp_text_lock_at(finding, i % count);
		const char *object = lp_text_object_at(finding, i % count);
		size_t width = lp_clean_put(NULL, name) + put_arrow(NULL, finding, edge);

		if (object)
			width += 1 + lp_clean_put(NULL, object);
		if (i && columns + width > CHAIN_WIDTH_MAX) {
			fputs("\n   ", text->out);
			columns = 3;
		}
		if (i)
			put_arrow(text->out, finding, edge);
		columns += width;
		lp_text_styled(text, LP_TEXT_LOCK, name);
		if (object) {
			fputc(' ', text->out);
			lp_clean_put(text->out, object);
		}
	}
	fputs("\n\n", text->out);
}

/*
 * Several instances of one class have one origin; of what is only held, it is all there would be
 * to say.
 */
static bool has_lock_origin(const struct lp_report_finding *finding, size_t index)
{
	const struct lp_report_lock *locks = finding->locks;
	size_t first = 0;

	while (strcmp(locks[first].class_key, locks[index].class_key))
		first++;
	return first == index && (index < finding->cycle_count || locks[index].created);
}

static void put_lock_origins(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;
	const char *before = " locks:\n  ";

	for (size_t i = 0; i < finding->lock_count; i++) {
		if (!has_lock_origin(finding, i))
			continue;
		fputs(before, text->out);
		before = "  ";
		lp_text_styled(text, LP_TEXT_LOCK, finding->locks[i].name);
		fprintf(text->out, ": %s", finding->locks[i].kind);
		if (finding->locks[i].created) {
			fputs(", ", text->out);
			lp_clean_put_all(text->out, finding->locks[i].created);
		}
		fputc('\n', text->out);
	}
}

static bool same_thread(const struct lp_report_thread *a, const struct lp_report_thread *b)
{
	return a->pid == b->pid && a->tid == b->tid && a->number == b->number;
}

static bool is_first_of_thread(const struct lp_report_finding *finding, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (same_thread(&finding->threads[i], &finding->threads[index]))
			return false;
	}
	return true;
}

static bool has_origin(const struct lp_report_thread *thread)
{
	return thread->start || thread->created_by || (thread->context && thread->comm);
}

static void put_thread_origins(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;

	for (size_t i = 0; i < finding->thread_count; i++) {
		const struct lp_report_thread *it = &finding->threads[i];

		if (!is_first_of_thread(finding, i) || !has_origin(it))
			continue;
		fputs("  ", text->out);
		lp_text_thread(text, i);
		if (it->context) {
			fputs(" runs in ", text->out);
			lp_clean_put_all(text->out, it->context);
		} else if (it->start) {
			fputs(" runs ", text->out);
			lp_clean_put_all(text->out, it->start);
		}
		if (it->created_by) {
			fprintf(text->out, "%s %s by ", it->start || it->context ? "," : "",
				it->forked ? "forked" : "created");
			lp_clean_put_all(text->out, it->created_by);
		}
		fputc('\n', text->out);
	}
}

static bool any_lock_origin(const struct lp_report_finding *finding)
{
	for (size_t i = 0; i < finding->lock_count; i++) {
		if (has_lock_origin(finding, i))
			return true;
	}
	return false;
}

static bool any_thread_origin(const struct lp_report_finding *finding)
{
	for (size_t i = 0; i < finding->thread_count; i++) {
		if (has_origin(&finding->threads[i]))
			return true;
	}
	return false;
}

/* In two layouts a line of the kernel's follows under the heading. */
static bool has_more(const struct lp_report_finding *finding)
{
	return !strcmp(finding->kind, "suspicious-rcu-usage") ||
	       (!strcmp(finding->kind, "invalid-wait-context") && finding->wait_context);
}

int lp_text_other_info(struct lp_text *text)
{
	bool origins = any_lock_origin(text->finding) || any_thread_origin(text->finding);

	if (!origins && !has_more(text->finding))
		return 0;
	fprintf(text->out, "\nother info that might help us debug this:\n%s", origins ? "\n" : "");
	put_lock_origins(text);
	if (any_thread_origin(text->finding)) {
		fputs(" threads:\n", text->out);
		put_thread_origins(text);
	}
	return 0;
}

static const char *scenario_words(const struct lp_report_finding *finding)
{
	if (!strcmp(finding->kind, "deadlock"))
		return "The locking scenario that happened";
	if (finding->strike_count && lp_text_edge_count(finding) > 1)
		return "Possible interrupt unsafe locking scenario";
	return "Possible unsafe locking scenario";
}

int lp_text_scenario(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;
	int result;

	if (!finding->step_count)
		return 0;
	fputc('\n', text->out);
	put_chain_line(text);
	fprintf(text->out, " %s:\n\n", scenario_words(finding));
	result = lp_table_put(text->out, finding);
	fputc('\n', text->out);
	lp_text_styled(text, LP_TEXT_ALARM, " *** DEADLOCK ***");
	fputc('\n', text->out);
	return result;
}

/* What it holds; or, `given`, what it is still to give, which nobody holds. */
static size_t held_by(const struct lp_report_finding *finding, size_t thread, bool given)
{
	size_t count = 0;

	for (size_t i = 0; i < finding->held_count; i++)
		count += finding->held[i].thread == thread &&
			 lp_report_is_given(finding->held[i].tie) == given;
	return count;
}

static void put_held_line(struct lp_text *text, const struct lp_report_held *held)
{
	struct lp_report_stack stack = {
		.mode = held->mode, .frames = held->frames, .frame_count = held->frame_count,
		.tie = held->tie,
	};

	lp_text_lock_line(text, held->lock, &stack);
}

static void put_to_give(struct lp_text *text, size_t thread)
{
	const struct lp_report_finding *finding = text->finding;

	for (size_t i = 0; i < finding->held_count; i++) {
		const struct lp_report_held *held = &finding->held[i];
		struct lp_report_stack stack = { .tie = held->tie };

		if (held->thread != thread || !lp_report_is_given(held->tie))
			continue;
		lp_text_task(text, thread);
		fprintf(text->out, " %s ", lp_text_tie(&stack)->held);
		put_held_line(text, held);
	}
}

static void put_held_by(struct lp_text *text, size_t thread)
{
	const struct lp_report_finding *finding = text->finding;
	size_t count = held_by(finding, thread, false), number = 0;

	if (count)
		fprintf(text->out, "\n%zu lock%s held by ", count, count == 1 ? "" : "s");
	else
		fputs("\nno locks held by ", text->out);
	lp_text_task(text, thread);
	fputs(count ? ":\n" : ".\n", text->out);
	for (size_t i = 0; i < finding->held_count; i++) {
		const struct lp_report_held *held = &finding->held[i];

		if (held->thread != thread || lp_report_is_given(held->tie))
			continue;
		fprintf(text->out, " #%zu: ", number++);
		put_held_line(text, held);
	}
	put_to_give(text, thread);
}

int lp_text_held(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;

	for (size_t i = 0; i < finding->thread_count; i++) {
		if (i == lp_text_reporter(finding) || held_by(finding, i, false) ||
		    held_by(finding, i, true))
			put_held_by(text, i);
	}
	return 0;
}

/* "IRQ", "SIGALRM": what is put around the frames of who reports; NULL: it is a thread. */
static const char *bracket_word(const struct lp_report_finding *finding)
{
	size_t reporter = lp_text_reporter(finding);
	const struct lp_report_thread *it = lp_text_thread_at(finding, reporter);

	if (it->context && it->irq)
		return "IRQ";
	for (size_t i = 0; i < finding->strike_count; i++) {
		const struct lp_report_strike *strike = &finding->strikes[i];

		if (strike->thread == reporter && strike->signal)
			return strike->context;
	}
	return NULL;
}

static void put_bracket(struct lp_text *text, const char *before, const char *word)
{
	fputs(before, text->out);
	lp_clean_put(text->out, word);
	fputs(">\n", text->out);
}

/* A handler's frames end where it returns to; what it struck goes on after the bracket. */
static void put_bracketed(struct lp_text *text, const char *word,
			  const struct lp_report_stack *stack)
{
	struct lp_report_stack inner = *stack, outer = *stack;
	size_t count = 0;

	while (count < stack->frame_count && !stack->frames[count].trampoline)
		count++;
	put_bracket(text, " <", word);
	inner.frame_count = count;
	inner.truncated = stack->truncated && count == stack->frame_count;
	lp_text_stack(text, &inner, 1);
	put_bracket(text, " </", word);
	if (count + 1 >= stack->frame_count)
		return;
	outer.frames += count + 1;
	outer.frame_count -= count + 1;
	lp_text_stack(text, &outer, 1);
}

int lp_text_backtrace(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;
	const struct lp_report_thread *it = lp_text_thread_at(finding, lp_text_reporter(finding));
	const struct lp_report_stack *stack = lp_text_report_stack(finding);
	const char *word = bracket_word(finding);

	fputs("\nstack backtrace:\n", text->out);
	if (it->tid)
		fprintf(text->out, "PID: %" PRIu32 " TID: %" PRIu32 " Comm: ", it->pid, it->tid);
	else
		fputs("Comm: ", text->out);
	lp_clean_put(text->out, it->comm ? it->comm : it->context);
	fputs("\nCall Trace:\n", text->out);
	if (word && stack)
		put_bracketed(text, word, stack);
	else
		lp_text_stack(text, stack, 1);
	return 0;
}

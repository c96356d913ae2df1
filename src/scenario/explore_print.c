/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_print.c — the schedule that deadlocks, as a table.
 *
 * One row a statement, although a statement can be several steps (spin_lock_bh() disables softirqs
 * and then takes the lock): the row stands where it takes or gives something. What runs on top of
 * something else is indented.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/explore_print.h"

#define INDENT		2	/* of the first column's rows, and of each nesting */
#define HEAD_INDENT	7	/* of the first column's name */
#define COLUMN_WIDTH	24	/* at least */
#define GAP		2	/* between columns */
#define NESTING_MAX	8u

struct row {
	uint32_t	column;
	uint32_t	nesting;
	const char	*before, *middle, *between;	/* "<", "Interrupt", "> " */
	const char	*text, *after;			/* "tick", "()" */
};

struct table {
	const struct lp_scenario *scenario;
	const struct lp_exploration *x;
	struct row	*rows;
	uint32_t	row_count;
	size_t		*width;			/* per column of the exploration; 0: not shown */
};

static const struct {
	enum lp_body_kind kind;
	const char *word;
} strike_words[] = {
	{ LP_BODY_HARDIRQ, "Interrupt" },
	{ LP_BODY_HARDIRQ_NOTHREAD, "Interrupt" },
	{ LP_BODY_SOFTIRQ, "Softirq" },
	{ LP_BODY_TIMER, "Timer" },
	{ LP_BODY_RCU, "RCU callback" },
	{ LP_BODY_NMI, "NMI" },
	{ LP_BODY_WORK, "Work" },
};

/* ---- text ---- */

/* Write it, or only count: columns on a screen. What could not be shown becomes a '?'. */
static size_t put_text(FILE *out, const char *text)
{
	size_t columns = 0;

	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (out)
			fputc(byte < 0x20 || byte == 0x7f ? '?' : byte, out);
		columns += (byte & 0xc0) != 0x80;
	}
	return columns;
}

static void pad(FILE *out, size_t columns)
{
	while (columns--)
		fputc(' ', out);
}

static void put_number(FILE *out, uint64_t number)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%llu", (unsigned long long)number);

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			fputc(',', out);
		fputc(text[i], out);
	}
}

/* ---- rows ---- */

static const struct lp_op *op_of(const struct table *t, const struct lp_explore_step *step)
{
	return &t->scenario->ops[step->op];
}

/* Only changes what may strike: not what a statement is there for, if it does anything else. */
static bool is_aside(const struct lp_op *op)
{
	return op->kind >= LP_OP_IRQ_DISABLE && op->kind <= LP_OP_BH_ENABLE;
}

static bool same_statement(const struct lp_scenario *s, uint32_t first)
{
	return first + 1 < s->op_count && s->ops[first].more;
}

/* Is the operation the one that stands for its statement? */
static bool stands_for_statement(const struct lp_scenario *s, uint32_t op)
{
	uint32_t first = op, last = op;

	while (first && same_statement(s, first - 1))
		first--;
	while (same_statement(s, last))
		last++;
	for (uint32_t i = first; i <= last; i++)
		if (!is_aside(&s->ops[i]))
			return i == op;
	return first == op;
}

static bool is_shown(const struct table *t, const struct lp_explore_step *step)
{
	switch (step->what) {
	case LP_STEP_STRIKE:
	case LP_STEP_WAIT:
	case LP_STEP_GIVE_UP:
		return true;
	case LP_STEP_RETURN:
		return false;
	default:
		return op_of(t, step)->kind != LP_OP_BRANCH &&
		       stands_for_statement(t->scenario, step->op);
	}
}

static const char *signal_word(const struct lp_scenario *s, const struct lp_body *body)
{
	return body->context && body->context < s->context_count ?
	       s->contexts[body->context].name : "signal";
}

static void fill_strike(const struct table *t, uint32_t body, struct row *row)
{
	const struct lp_body *it = &t->scenario->bodies[body];

	row->before = "<";
	row->middle = signal_word(t->scenario, it);
	row->between = "> ";
	row->text = it->name;
	row->after = "()";
	for (size_t i = 0; i < sizeof(strike_words) / sizeof(*strike_words); i++) {
		if (strike_words[i].kind != it->kind)
			continue;
		row->middle = strike_words[i].word;
	}
}

static void fill_step(const struct table *t, const struct lp_explore_step *step, struct row *row)
{
	row->text = t->scenario->sites[op_of(t, step)->site].text;
	if (step->what == LP_STEP_WAIT)
		row->after = "  waits";
	else if (step->what == LP_STEP_GIVE_UP)
		row->after = "  gives up";
}

/* What runs on a column, innermost last. That one has ended shows when an outer one goes on. */
struct nest {
	uint32_t	body[NESTING_MAX], depth;
};

static uint32_t nesting_of(struct nest *nest, const struct lp_explore_step *step)
{
	uint32_t depth = nest->depth;

	if (step->what != LP_STEP_STRIKE) {
		while (depth && nest->body[depth - 1] != step->body)
			depth--;
		if (depth)
			nest->depth = depth;
	}
	if (!nest->depth || step->what == LP_STEP_STRIKE) {
		if (nest->depth < NESTING_MAX)
			nest->body[nest->depth++] = step->body;
		return nest->depth - 1;
	}
	return nest->depth - 1;
}

static void fill_rows(struct table *t, struct nest *nests)
{
	for (uint32_t i = 0; i < t->x->step_count; i++) {
		const struct lp_explore_step *step = &t->x->steps[i];
		struct row *row = &t->rows[t->row_count];

		*row = (struct row){ .column = step->column, .before = "", .middle = "",
				     .between = "", .after = "",
				     .nesting = nesting_of(&nests[step->column], step) };
		if (!is_shown(t, step))
			continue;
		if (step->what == LP_STEP_STRIKE)
			fill_strike(t, step->body, row);
		else
			fill_step(t, step, row);
		t->row_count++;
	}
}

static size_t put_row(FILE *out, const struct row *row)
{
	if (out)
		pad(out, row->nesting * INDENT);
	return row->nesting * INDENT + put_text(out, row->before) + put_text(out, row->middle) +
	       put_text(out, row->between) + put_text(out, row->text) + put_text(out, row->after);
}

/* ---- table and list ---- */

static void measure(struct table *t)
{
	for (uint32_t i = 0; i < t->row_count; i++) {
		size_t *width = &t->width[t->rows[i].column];
		size_t row = put_row(NULL, &t->rows[i]) + GAP;
		size_t head = put_text(NULL, t->x->columns[t->rows[i].column]) + HEAD_INDENT -
			      INDENT + GAP;

		if (!*width)
			*width = head > COLUMN_WIDTH ? head : COLUMN_WIDTH;
		if (*width < row)
			*width = row;
	}
}

static size_t total_width(const struct table *t)
{
	size_t width = INDENT;

	for (uint32_t c = 0; c < t->x->column_count; c++)
		width += t->width[c];
	return width;
}

static void put_heads(FILE *out, const struct table *t, bool rule)
{
	size_t gap = HEAD_INDENT;

	for (uint32_t c = 0; c < t->x->column_count; c++) {
		if (!t->width[c])
			continue;
		pad(out, gap);
		gap = t->width[c] - put_text(out, rule ? "----" : t->x->columns[c]);
	}
	fputc('\n', out);
}

static void put_table(FILE *out, const struct table *t)
{
	put_heads(out, t, false);
	put_heads(out, t, true);
	for (uint32_t i = 0; i < t->row_count; i++) {
		pad(out, INDENT);
		for (uint32_t c = 0; c < t->rows[i].column; c++)
			pad(out, t->width[c]);
		put_row(out, &t->rows[i]);
		fputc('\n', out);
	}
}

static void put_list(FILE *out, const struct table *t)
{
	size_t widest = 0;

	for (uint32_t c = 0; c < t->x->column_count; c++) {
		size_t width = t->width[c] ? put_text(NULL, t->x->columns[c]) : 0;

		widest = width > widest ? width : widest;
	}
	for (uint32_t i = 0; i < t->row_count; i++) {
		pad(out, INDENT);
		pad(out, widest - put_text(out, t->x->columns[t->rows[i].column]));
		fputs("  ", out);
		put_row(out, &t->rows[i]);
		fputc('\n', out);
	}
}

/* ---- who is stuck ---- */

static uint32_t line_of(const struct table *t, uint32_t op)
{
	return t->scenario->sites[t->scenario->ops[op].site].own_line;
}

/* The step in which column c took `object` last before step `end`; NULL: not on this way. */
static const struct lp_explore_step *find_taken(const struct table *t, uint32_t c,
						uint32_t object, uint32_t end)
{
	for (uint32_t i = end < t->x->step_count ? end : t->x->step_count; i-- > 0;) {
		const struct lp_explore_step *step = &t->x->steps[i];
		const struct lp_op *op = op_of(t, step);

		if (step->column == c && step->what == LP_STEP_RUN && op->object == object &&
		    (op->kind == LP_OP_ACQUIRE || op->kind == LP_OP_RCU_LOCK))
			return step;
	}
	return NULL;
}

static bool starts_column(const struct table *t, const struct lp_explore_stuck *stuck)
{
	for (uint32_t i = 0; i < t->x->step_count; i++)
		if (t->x->steps[i].column == stuck->column)
			return t->x->steps[i].body == stuck->body;
	return true;
}

static void put_who(FILE *out, const struct table *t, const struct lp_explore_stuck *stuck)
{
	if (!starts_column(t, stuck)) {
		put_text(out, t->scenario->bodies[stuck->body].name);
		fputs("() on ", out);
	}
	put_text(out, t->x->columns[stuck->column]);
}

static void put_what(FILE *out, const struct table *t, const struct lp_op *op, bool woken)
{
	const struct lp_scenario *s = t->scenario;

	switch (op->kind) {
	case LP_OP_WORK_FLUSH:
	case LP_OP_WORK_CANCEL:
	case LP_OP_TIMER_DELETE:
	case LP_OP_THREAD_JOIN:
		put_text(out, s->bodies[op->other].name);
		fputs("() to end", out);
		break;
	case LP_OP_QUEUE_FLUSH:
		fputs("all work items to end", out);
		break;
	case LP_OP_RCU_SYNC:
		fputs("readers to end", out);
		break;
	case LP_OP_RCU_BARRIER:
		fputs("RCU callbacks to end", out);
		break;
	default:
		fputc('&', out);
		put_text(out, s->objects[woken ? op->other : op->object].name);
		break;
	}
}

static bool waits_for_body(const struct lp_op *op)
{
	return op->kind == LP_OP_WORK_FLUSH || op->kind == LP_OP_WORK_CANCEL ||
	       op->kind == LP_OP_TIMER_DELETE || op->kind == LP_OP_THREAD_JOIN ||
	       op->kind == LP_OP_QUEUE_FLUSH || op->kind == LP_OP_RCU_BARRIER;
}

static bool waits_for_count(const struct lp_op *op)
{
	return op->kind == LP_OP_WAIT || op->kind == LP_OP_DOWN || op->kind == LP_OP_COND_WAIT;
}

/* Awake again, and now it needs the mutex: somebody has that, or would not be in the way. */
static bool is_woken(const struct table *t, const struct lp_explore_stuck *stuck,
		     const struct lp_op *op)
{
	return op->kind == LP_OP_COND_WAIT && stuck->holder_column < t->x->column_count &&
	       find_taken(t, stuck->holder_column, op->other, UINT32_MAX);
}

/* A writer that has not got the lock either keeps readers out. */
static void put_queue(FILE *out, const struct table *t, const struct lp_explore_stuck *stuck)
{
	fputs(", behind ", out);
	put_text(out, stuck->holder_column == stuck->column ? "what it interrupted" :
		 t->x->columns[stuck->holder_column]);
	fprintf(out, ", which waits to write it (line %u)", line_of(t, stuck->behind_op));
}

/* Who would have to go on first: who holds the lock, or runs what is waited for. */
static void put_holder(FILE *out, const struct table *t, const struct lp_explore_stuck *stuck,
		       const struct lp_op *op)
{
	uint32_t holder = stuck->holder_column;
	const struct lp_explore_step *taken;
	bool body = waits_for_body(op);

	if (holder >= t->x->column_count) {
		if (waits_for_count(op))
			fputs(", which nobody can give any more", out);
		return;
	}
	if (op->kind == LP_OP_THREAD_JOIN && holder != stuck->column)
		return;
	if (waits_for_count(op) && !is_woken(t, stuck, op)) {
		fputs(", which ", out);
		put_text(out, holder == stuck->column ? "it" : t->x->columns[holder]);
		fputs(" would give", out);
		return;
	}
	if (stuck->behind_op < t->scenario->op_count) {
		put_queue(out, t, stuck);
		return;
	}
	taken = body ? NULL : find_taken(t, holder, op->kind == LP_OP_COND_WAIT ? op->other :
					 op->object, stuck->fork_step);
	if (holder != stuck->column) {
		fputs(body ? " on " : ", held by ", out);
		put_text(out, t->x->columns[holder]);
	} else if (taken ? taken->body != stuck->body : !starts_column(t, stuck)) {
		fputs(body ? ", which it interrupted" : ", held by what it interrupted", out);
	} else {
		fputs(body ? ", that is, for itself" : ", held by itself", out);
	}
	if (taken)
		fprintf(out, " (line %u)", line_of(t, taken->op));
	if (stuck->fork_step >= t->x->step_count)
		return;
	fputs(" when ", out);
	put_text(out, t->x->columns[t->x->steps[stuck->fork_step].column]);
	fputs(" forked", out);
}

static void put_stuck(FILE *out, const struct table *t)
{
	fputc('\n', out);
	for (uint32_t i = 0; i < t->x->stuck_count; i++) {
		const struct lp_explore_stuck *stuck = &t->x->stuck[i];
		const struct lp_op *op = &t->scenario->ops[stuck->op];

		pad(out, INDENT);
		put_who(out, t, stuck);
		fputs(" waits for ", out);
		put_what(out, t, op, is_woken(t, stuck, op));
		fprintf(out, " (line %u)", line_of(t, stuck->op));
		put_holder(out, t, stuck, op);
		fputc('\n', out);
	}
	if (!t->x->shortest)
		fputs("\n  A shorter way into a deadlock may exist.\n", out);
	fputs("\n *** DEADLOCK ***\n", out);
}

/* ---- all of it ---- */

static int put_deadlock(FILE *out, struct table *t)
{
	struct nest *nests = calloc(t->x->column_count + 1, sizeof(*nests));
	int result = -ENOMEM;

	t->rows = calloc(t->x->step_count + 1, sizeof(*t->rows));
	t->width = calloc(t->x->column_count + 1, sizeof(*t->width));
	if (t->rows && t->width && nests) {
		result = 0;
		fill_rows(t, nests);
		measure(t);
		if (total_width(t) <= LP_EXPLORE_WIDTH_MAX)
			put_table(out, t);
		else
			put_list(out, t);
		put_stuck(out, t);
	}
	free(nests);
	free(t->rows);
	free(t->width);
	return result;
}

int lp_explore_print(FILE *out, const struct lp_scenario *scenario,
		     const struct lp_exploration *exploration)
{
	struct table t = { .scenario = scenario, .x = exploration };
	int result = 0;

	switch (exploration->verdict) {
	case LP_VERDICT_DEADLOCK:
		result = put_deadlock(out, &t);
		break;
	case LP_VERDICT_FREE:
		fputs("no schedule deadlocks (", out);
		put_number(out, exploration->states);
		fputs(exploration->states == 1 ? " state)\n" : " states)\n", out);
		break;
	case LP_VERDICT_BOUND:
		fputs("no deadlock among the first ", out);
		put_number(out, exploration->states);
		fputs(" states: the bound was hit (--states=N raises it)\n", out);
		break;
	case LP_VERDICT_NO_MEMORY:
		fputs("no deadlock among the first ", out);
		put_number(out, exploration->states);
		fputs(" states: memory ran out\n", out);
		break;
	}
	return result ? result : ferror(out) ? -EIO : 0;
}

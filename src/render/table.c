/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c — the table of who holds and wants what, one column per thread.
 *
 * The kernel's table has CPU0 and CPU1; here a cycle can have any length and its threads have
 * names. Column widths follow the text, so that a long lock name does not tear the table apart.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "render/clean.h"
#include "render/table.h"

#define INDENT		2	/* of the first column's steps */
#define HEAD_INDENT	7	/* of the first column's name: as the kernel prints CPU0 */
#define COLUMN_WIDTH	24	/* at least, as in the kernel's */
#define GAP		2	/* between columns */
#define DEPTH_INDENT	2	/* of what an interrupt does */

struct columns {
	size_t	count;
	size_t	*thread;	/* of each column */
	size_t	*width;
};

/* Who runs as an interrupt has no column of its own: that is in the column of whom it strikes. */
static bool has_column(const struct lp_report_finding *finding, size_t thread)
{
	for (size_t i = 0; i < finding->strike_count; i++) {
		if (finding->strikes[i].thread == thread)
			return false;
	}
	return true;
}

static bool several_processes(const struct lp_report_finding *finding)
{
	for (size_t i = 1; i < finding->thread_count; i++) {
		if (finding->threads[i].pid != finding->threads[0].pid && has_column(finding, i))
			return true;
	}
	return false;
}

static size_t put_number(FILE *out, const char *prefix, uint32_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%s%u", prefix, number);
	if (out)
		fputs(text, out);
	return strlen(text);
}

static size_t put_text(FILE *out, const char *text)
{
	if (out)
		fputs(text, out);
	return strlen(text);
}

size_t lp_table_put_thread(FILE *out, const struct lp_report_finding *finding, size_t thread)
{
	const struct lp_report_thread *it = &finding->threads[thread];
	size_t columns = 0;

	if (!it->number && !it->comm)
		return put_text(out, it->context ? it->context : "unknown thread");
	if (it->number && (it->tid || !it->comm) && !it->context)
		columns += put_number(out, "T", it->number) + put_text(out, " ");
	columns += it->comm ? lp_clean_put(out, it->comm) : put_text(out, "thread");
	if (several_processes(finding) && it->pid)
		columns += put_number(out, "/", it->pid);
	return columns;
}

/*
 * How many earlier columns have the same thread? It takes further threads that do what this one
 * did to get stuck: that is how a discipline is broken by one thread.
 */
static uint32_t repetitions(const struct lp_report_finding *finding,
			    const struct columns *columns, size_t column)
{
	const struct lp_report_thread *it = &finding->threads[columns->thread[column]];
	uint32_t count = 0;

	for (size_t i = 0; i < column; i++) {
		const struct lp_report_thread *other = &finding->threads[columns->thread[i]];

		if (it->number && it->number == other->number && it->pid == other->pid &&
		    it->tid == other->tid)
			count++;
	}
	return count;
}

/* An interrupt of the kernel strikes a CPU, whoever runs there. */
static bool strikes_cpu(const struct lp_report_finding *finding)
{
	for (size_t i = 0; i < finding->strike_count; i++) {
		if (finding->strikes[i].kernel)
			return true;
	}
	return false;
}

static size_t put_head(FILE *out, const struct lp_report_finding *finding,
		       const struct columns *columns, size_t column)
{
	uint32_t count = repetitions(finding, columns, column);

	if (strikes_cpu(finding))
		return put_number(out, "CPU", (uint32_t)column);
	if (count == 0)
		return lp_table_put_thread(out, finding, columns->thread[column]);
	if (count == 1)
		return put_text(out, "another thread");
	return put_number(out, "another thread #", count);
}

static size_t column_of(const struct columns *columns, size_t thread)
{
	size_t i = 0;

	while (i < columns->count && columns->thread[i] != thread)
		i++;
	return i;
}

static size_t step_width(const struct lp_report_step *step)
{
	return (size_t)step->depth * DEPTH_INDENT + lp_clean_put(NULL, step->text);
}

static void measure(const struct lp_report_finding *finding, struct columns *columns)
{
	for (size_t i = 0; i < finding->step_count; i++) {
		const struct lp_report_step *step = &finding->steps[i];
		size_t width = step_width(step) + GAP, column;

		column = column_of(columns, step->thread);
		if (column == columns->count) {
			columns->thread[columns->count++] = step->thread;
			columns->width[column] = COLUMN_WIDTH;
		}
		if (columns->width[column] < width)
			columns->width[column] = width;
	}
	for (size_t i = 0; i < columns->count; i++) {
		size_t width = put_head(NULL, finding, columns, i) + HEAD_INDENT - INDENT + GAP;

		if (columns->width[i] < width)
			columns->width[i] = width;
	}
}

static size_t total_width(const struct columns *columns)
{
	size_t width = INDENT;

	for (size_t i = 0; i < columns->count; i++)
		width += columns->width[i];
	return width;
}

static void pad(FILE *out, size_t columns)
{
	while (columns--)
		fputc(' ', out);
}

static void put_step(FILE *out, const struct lp_report_step *step)
{
	pad(out, (size_t)step->depth * DEPTH_INDENT);
	lp_clean_put(out, step->text);
	fputc('\n', out);
}

static void put_heads(FILE *out, const struct lp_report_finding *finding,
		      const struct columns *columns, bool rule)
{
	pad(out, HEAD_INDENT);
	for (size_t i = 0; i < columns->count; i++) {
		size_t width = rule ? put_text(out, "----") : put_head(out, finding, columns, i);

		if (i + 1 < columns->count)
			pad(out, columns->width[i] - width);
	}
	fputc('\n', out);
}

static void put_table(FILE *out, const struct lp_report_finding *finding,
		      const struct columns *columns)
{
	put_heads(out, finding, columns, false);
	put_heads(out, finding, columns, true);
	for (size_t i = 0; i < finding->step_count; i++) {
		pad(out, INDENT);
		for (size_t j = 0; columns->thread[j] != finding->steps[i].thread; j++)
			pad(out, columns->width[j]);
		put_step(out, &finding->steps[i]);
	}
}

static void put_list(FILE *out, const struct lp_report_finding *finding,
		     const struct columns *columns)
{
	size_t widest = 0, width;

	for (size_t i = 0; i < columns->count; i++) {
		width = put_head(NULL, finding, columns, i);
		if (width > widest)
			widest = width;
	}
	for (size_t i = 0; i < finding->step_count; i++) {
		size_t column = column_of(columns, finding->steps[i].thread);

		pad(out, INDENT);
		width = put_head(out, finding, columns, column);
		fputc(':', out);
		pad(out, widest - width + 1);
		put_step(out, &finding->steps[i]);
	}
}

int lp_table_put(FILE *out, const struct lp_report_finding *finding)
{
	struct columns columns = { 0 };
	int result = -ENOMEM;

	columns.thread = calloc(finding->step_count + 1, sizeof(*columns.thread));
	columns.width = calloc(finding->step_count + 1, sizeof(*columns.width));
	if (columns.thread && columns.width) {
		result = 0;
		measure(finding, &columns);
		if (total_width(&columns) <= LP_TABLE_WIDTH_MAX)
			put_table(out, finding, &columns);
		else
			put_list(out, finding, &columns);
	}
	free(columns.thread);
	free(columns.width);
	return result;
}

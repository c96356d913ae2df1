/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c — findings in the layout of the kernel's lock validator.
 *
 * People know that layout by heart, so its lines stand where they always stand. What user space
 * has more to tell (the level, threads by name, where the lock that blocks was taken) goes where
 * the kernel has room for it: under the header, and under "other info". What it has not (usage
 * letters, irq state) is left out: the braces after a lock's name belong to it.
 *
 * A report is a row of sections; which kind has which sections is a table.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/compiler.h"
#include "render/clean.h"
#include "render/report.h"
#include "render/table.h"

#define RULE_WIDTH_MAX	80
#define CHAIN_WIDTH_MAX	100	/* a longer chain of names goes on in the next line */
#define SECTIONS_MAX	8

enum style { PLAIN, BOLD, LOCK, ALARM, NOTE, STYLE_COUNT };

static const char *const style_start[STYLE_COUNT] = {
	[PLAIN] = "",
	[BOLD]	= "\033[1m",
	[LOCK]	= "\033[36m",
	[ALARM] = "\033[1;31m",
	[NOTE]	= "\033[33m",
};

struct text {
	FILE		*out;
	bool		color;
	const struct lp_report_finding *finding;
};

typedef int section_fn(struct text *text);

static void style(struct text *text, enum style which)
{
	if (text->color)
		fputs(which == PLAIN ? "\033[0m" : style_start[which], text->out);
}

static void put_styled(struct text *text, enum style which, const char *name)
{
	style(text, which);
	lp_clean_put(text->out, name);
	style(text, PLAIN);
}

static void put_rule(struct text *text, char mark)
{
	size_t width = lp_clean_put(NULL, text->finding->header);

	if (width > RULE_WIDTH_MAX)
		width = RULE_WIDTH_MAX;
	while (width--)
		fputc(mark, text->out);
	fputc('\n', text->out);
}

static const struct lp_report_thread *thread_at(const struct lp_report_finding *finding,
						size_t index)
{
	static const struct lp_report_thread unknown;

	return index < finding->thread_count ? &finding->threads[index] : &unknown;
}

static size_t reporter(const struct lp_report_finding *finding)
{
	return finding->thread_count ? finding->thread_count - 1 : 0;
}

static const char *lock_name(const struct lp_report_finding *finding, size_t index)
{
	return index < finding->lock_count ? finding->locks[index].name : NULL;
}

/* The lock that dependency `edge` wants. */
static size_t wanted_lock(const struct lp_report_finding *finding, size_t edge)
{
	return finding->cycle_count ? (edge + 1) % finding->cycle_count : 0;
}

/* "worker-a/1234": as the kernel names a task. */
static void put_task(struct text *text, size_t index)
{
	const struct lp_report_thread *it = thread_at(text->finding, index);

	if (!it->comm && !it->tid) {
		fputs("unknown thread", text->out);
		return;
	}
	lp_clean_put(text->out, it->comm ? it->comm : "thread");
	if (it->tid)
		fprintf(text->out, "/%" PRIu32, it->tid);
}

/* "T2 worker-a/1234" */
static void put_thread(struct text *text, size_t index)
{
	const struct lp_report_thread *it = thread_at(text->finding, index);

	style(text, BOLD);
	if (it->number)
		fprintf(text->out, "T%" PRIu32 " ", it->number);
	put_task(text, index);
	style(text, PLAIN);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* "func+0x1a/0x40 file.c:12", "func file.c:12 [inline]", "libfoo.so+0x1234" */
static void put_frame(struct text *text, const struct lp_report_frame *frame)
{
	FILE *out = text->out;

	if (!frame->function) {
		lp_clean_put(out, frame->module ? base_name(frame->module) : "unknown");
		fprintf(out, "+0x%" PRIx64, frame->offset);
		return;
	}
	lp_clean_put(out, frame->function);
	if (!frame->inlined) {
		fprintf(out, "+0x%" PRIx64, frame->function_offset);
		if (frame->function_size)
			fprintf(out, "/0x%" PRIx64, frame->function_size);
	}
	if (frame->file) {
		fputc(' ', out);
		lp_clean_put_all(out, frame->file);
		if (frame->line)
			fprintf(out, ":%" PRIu32, frame->line);
	} else if (frame->module) {
		fputs(" [", out);
		lp_clean_put(out, base_name(frame->module));
		fputc(']', out);
	}
	if (frame->inlined)
		fputs(" [inline]", out);
}

static void put_frames(struct text *text, const struct lp_report_stack *stack, int indent)
{
	for (size_t i = 0; i < stack->frame_count; i++) {
		fprintf(text->out, "%*s", indent, "");
		put_frame(text, &stack->frames[i]);
		fputc('\n', text->out);
	}
	if (stack->truncated || !stack->frame_count)
		fprintf(text->out, "%*s%s\n", indent, "",
			stack->truncated ? "(more frames were not recorded)" : "(no stack)");
}

/* " [read]", " [read, timed]"; nothing for a plain write acquisition. */
static void put_mode(struct text *text, const char *mode, uint32_t flags)
{
	const char *words[3];
	size_t count = 0;

	if (mode && strcmp(mode, "write"))
		words[count++] = mode;
	if (flags & LP_REPORT_TRY)
		words[count++] = "try";
	if (flags & LP_REPORT_TIMED)
		words[count++] = "timed";
	for (size_t i = 0; i < count; i++)
		fprintf(text->out, "%s%s", i ? ", " : " [", words[i]);
	if (count)
		fputc(']', text->out);
}

/* "00007f3a8c000b20 (&q->lock) [read]" */
static void put_lock(struct text *text, size_t index, const char *mode, uint32_t flags)
{
	const struct lp_report_finding *finding = text->finding;

	if (index < finding->lock_count && finding->locks[index].address)
		fprintf(text->out, "%016" PRIx64 " ", finding->locks[index].address);
	fputc('(', text->out);
	put_styled(text, LOCK, lock_name(finding, index));
	fputc(')', text->out);
	put_mode(text, mode, flags);
}

/* The name; the address before it when the cycle has another lock of this class. */
static void put_lock_name(struct text *text, size_t index)
{
	const struct lp_report_finding *finding = text->finding;
	const struct lp_report_lock *it = &finding->locks[index];
	bool ambiguous = false;

	if (index >= finding->lock_count) {
		lp_clean_put(text->out, NULL);
		return;
	}
	for (size_t i = 0; i < finding->cycle_count; i++)
		ambiguous |= i != index && !strcmp(finding->locks[i].class_key, it->class_key);
	if (ambiguous && it->address)
		fprintf(text->out, "%016" PRIx64 " ", it->address);
	put_styled(text, LOCK, it->name);
}

static const struct lp_report_stack *find_stack(const struct lp_report_finding *finding,
						const char *role, size_t edge)
{
	for (size_t i = 0; i < finding->stack_count; i++) {
		const struct lp_report_stack *stack = &finding->stacks[i];

		if (stack->edge == edge && !strcmp(stack->role, role))
			return stack;
	}
	return NULL;
}

/* Where the reporting thread is. */
static const struct lp_report_stack *report_stack(const struct lp_report_finding *finding)
{
	const struct lp_report_stack *stack = find_stack(finding, "event", 0);

	return stack ? stack : find_stack(finding, "wanted", reporter(finding));
}

/* Where a stack is, on one line; for inlined code also what it was inlined into. */
static void put_place(struct text *text, const struct lp_report_stack *stack)
{
	size_t place = stack && stack->place < stack->frame_count ? stack->place : 0;

	if (!stack || !stack->frame_count) {
		fputs("unknown", text->out);
		return;
	}
	put_frame(text, &stack->frames[place]);
	if (!stack->frames[place].inlined)
		return;
	while (place < stack->frame_count && stack->frames[place].inlined)
		place++;
	if (place < stack->frame_count) {
		fputs(" in ", text->out);
		put_frame(text, &stack->frames[place]);
	}
}

/* The kernel's lock line: what and where. */
static void put_lock_line(struct text *text, size_t lock, const struct lp_report_stack *stack)
{
	put_lock(text, lock, stack ? stack->mode : NULL, stack ? stack->flags : 0);
	fputs(", at: ", text->out);
	put_place(text, stack);
	fputc('\n', text->out);
}

static void put_stack(struct text *text, const struct lp_report_stack *stack, int indent)
{
	static const struct lp_report_stack none;

	put_frames(text, stack ? stack : &none, indent);
}

static int put_header(struct text *text)
{
	const struct lp_report_finding *finding = text->finding;
	bool possible = !strcmp(finding->level, "possible");

	fputc('\n', text->out);
	put_rule(text, '=');
	put_styled(text, BOLD, finding->header);
	fprintf(text->out, "\n%s %s\n", finding->kind, finding->id);
	put_rule(text, '-');
	fputs("level: ", text->out);
	put_styled(text, possible ? NOTE : ALARM, finding->level);
	fputs(". ", text->out);
	if (finding->reason)
		lp_clean_put_all(text->out, finding->reason);
	fputc('\n', text->out);
	return 0;
}

/* What the thread was about to do, and what it held. */
static int put_attempt(struct text *text)
{
	const struct lp_report_finding *finding = text->finding;
	size_t edge = reporter(finding);

	fputc('\n', text->out);
	put_task(text, edge);
	fputs(" is trying to acquire lock:\n", text->out);
	put_lock_line(text, wanted_lock(finding, edge), report_stack(finding));
	fputs("\nbut task is already holding lock:\n", text->out);
	put_lock_line(text, edge < finding->cycle_count ? edge : 0,
		      find_stack(finding, "held", edge));
	return 0;
}

/* What was recorded before, latest first, down to the attempt itself. */
static int put_chain(struct text *text)
{
	const struct lp_report_finding *finding = text->finding;

	fputs("\nwhich lock already depends on the new lock.\n\n\n"
	      "the existing dependency chain (in reverse order) is:\n", text->out);
	for (size_t number = finding->thread_count; number-- > 0;) {
		/* Entry n is the lock that dependency n - 1 wants; entry 0 closes the cycle. */
		size_t edge = number ? number - 1 : reporter(finding);

		fprintf(text->out, "\n-> #%zu (", number);
		put_lock_name(text, wanted_lock(finding, edge));
		fputs("), by ", text->out);
		put_thread(text, edge);
		fputs(":\n", text->out);
		put_stack(text, find_stack(finding, "wanted", edge), 7);
	}
	return 0;
}

/* The locks in their order, for cycles longer than two: the table alone hides it. */
static void put_chain_line(struct text *text)
{
	const struct lp_report_finding *finding = text->finding;
	size_t columns = 2, width;

	if (finding->cycle_count < 3)
		return;
	fputs("Chain exists of:\n  ", text->out);
	for (size_t i = 0; i <= finding->cycle_count; i++) {
		const char *name = lock_name(finding, i % finding->cycle_count);

		width = lp_clean_put(NULL, name) + strlen(" --> ");
		if (i && columns + width > CHAIN_WIDTH_MAX) {
			fputs("\n   ", text->out);
			columns = 3;
		}
		if (i)
			fputs(" --> ", text->out);
		columns += width;
		put_styled(text, LOCK, name);
	}
	fputs("\n\n", text->out);
}

static void put_lock_origins(struct text *text)
{
	const struct lp_report_finding *finding = text->finding;

	fputs(" locks:\n", text->out);
	for (size_t i = 0; i < finding->lock_count; i++) {
		size_t first = 0;

		/* Several instances of one class have one origin. */
		while (strcmp(finding->locks[first].class_key, finding->locks[i].class_key))
			first++;
		if (first < i)
			continue;
		fputs("  ", text->out);
		put_styled(text, LOCK, finding->locks[i].name);
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

static void put_thread_origins(struct text *text)
{
	const struct lp_report_finding *finding = text->finding;

	for (size_t i = 0; i < finding->thread_count; i++) {
		const struct lp_report_thread *it = &finding->threads[i];

		if (!is_first_of_thread(finding, i) || (!it->start && !it->created_by))
			continue;
		fputs("  ", text->out);
		put_thread(text, i);
		if (it->start) {
			fputs(" runs ", text->out);
			lp_clean_put_all(text->out, it->start);
		}
		if (it->created_by) {
			fprintf(text->out, "%s created by ", it->start ? "," : "");
			lp_clean_put_all(text->out, it->created_by);
		}
		fputc('\n', text->out);
	}
}

static bool any_thread_origin(const struct lp_report_finding *finding)
{
	for (size_t i = 0; i < finding->thread_count; i++) {
		if (finding->threads[i].start || finding->threads[i].created_by)
			return true;
	}
	return false;
}

static int put_other_info(struct text *text)
{
	fputs("\nother info that might help us debug this:\n\n", text->out);
	put_lock_origins(text);
	if (any_thread_origin(text->finding)) {
		fputs(" threads:\n", text->out);
		put_thread_origins(text);
	}
	return 0;
}

/*
 * Both halves of each dependency. The kernel shows only where the wanted lock was taken; where
 * the other one was taken is half of what a person has to change.
 */
static int put_dependencies(struct text *text)
{
	const struct lp_report_finding *finding = text->finding;

	for (size_t edge = 0; edge < finding->thread_count; edge++) {
		size_t number = (edge + 1) % finding->thread_count;

		fputs("\n ", text->out);
		put_thread(text, edge);
		fputs(" wanted ", text->out);
		put_lock_name(text, wanted_lock(finding, edge));
		fprintf(text->out, " (stack: #%zu above) while holding ", number);
		put_lock_name(text, edge);
		fputs(",\n which it acquired at:\n", text->out);
		put_stack(text, find_stack(finding, "held", edge), 7);
	}
	return 0;
}

static int put_scenario(struct text *text)
{
	const struct lp_report_finding *finding = text->finding;
	int result;

	if (!finding->step_count)
		return 0;
	fputc('\n', text->out);
	put_chain_line(text);
	fprintf(text->out, " %s:\n\n", strcmp(finding->kind, "deadlock") ?
		"Possible unsafe locking scenario" : "The locking scenario that happened");
	result = lp_table_put(text->out, finding);
	fputc('\n', text->out);
	put_styled(text, ALARM, " *** DEADLOCK ***");
	fputc('\n', text->out);
	return result;
}

static int put_nesting_hint(struct text *text)
{
	if (text->finding->cycle_count > 1)
		fputs("\n May be due to missing lock nesting notation\n", text->out);
	return 0;
}

static size_t held_by(const struct lp_report_finding *finding, size_t thread)
{
	size_t count = 0;

	for (size_t i = 0; i < finding->held_count; i++)
		count += finding->held[i].thread == thread;
	return count;
}

static void put_held_by(struct text *text, size_t thread)
{
	const struct lp_report_finding *finding = text->finding;
	size_t count = held_by(finding, thread), number = 0;

	if (count)
		fprintf(text->out, "\n%zu lock%s held by ", count, count == 1 ? "" : "s");
	else
		fputs("\nno locks held by ", text->out);
	put_task(text, thread);
	fputs(count ? ":\n" : ".\n", text->out);
	for (size_t i = 0; i < finding->held_count; i++) {
		const struct lp_report_held *held = &finding->held[i];
		struct lp_report_stack stack = {
			.mode = held->mode, .frames = held->frames,
			.frame_count = held->frame_count,
		};

		if (held->thread != thread)
			continue;
		fprintf(text->out, " #%zu: ", number++);
		put_lock_line(text, held->lock, &stack);
	}
}

static int put_held(struct text *text)
{
	const struct lp_report_finding *finding = text->finding;

	for (size_t i = 0; i < finding->thread_count; i++) {
		if (i == reporter(finding) || held_by(finding, i))
			put_held_by(text, i);
	}
	return 0;
}

static int put_backtrace(struct text *text)
{
	const struct lp_report_finding *finding = text->finding;
	const struct lp_report_thread *it = thread_at(finding, reporter(finding));

	fputs("\nstack backtrace:\n", text->out);
	if (it->tid)
		fprintf(text->out, "PID: %" PRIu32 " TID: %" PRIu32 " Comm: ", it->pid, it->tid);
	else
		fputs("Comm: ", text->out);
	lp_clean_put(text->out, it->comm);
	fputs("\nCall Trace:\n", text->out);
	put_stack(text, report_stack(finding), 1);
	return 0;
}

static int put_release(struct text *text)
{
	const struct lp_report_finding *finding = text->finding;

	fputc('\n', text->out);
	put_task(text, reporter(finding));
	fputs(" is trying to release lock (", text->out);
	put_styled(text, LOCK, lock_name(finding, 0));
	fputs(") at:\n", text->out);
	if (finding->lock_count && finding->locks[0].address)
		fprintf(text->out, "%016" PRIx64 " ", finding->locks[0].address);
	put_place(text, report_stack(finding));
	fprintf(text->out, "\nbut %s\n", finding->held_count ?
		"it does not hold that lock!" : "there are no more locks to release!");
	if (finding->holder) {
		fputs("the lock is held by ", text->out);
		lp_clean_put_all(text->out, finding->holder);
		fputc('\n', text->out);
	}
	return 0;
}

static int put_event(struct text *text)
{
	const struct lp_report_finding *finding = text->finding;

	fputc('\n', text->out);
	put_task(text, reporter(finding));
	fprintf(text->out, ": %s:\n", finding->event_text ? finding->event_text : finding->title);
	if (finding->lock_count)
		put_lock_line(text, 0, report_stack(finding));
	if (finding->holder) {
		fputs("the lock is held by ", text->out);
		lp_clean_put_all(text->out, finding->holder);
		fputc('\n', text->out);
	}
	return 0;
}

/* Who waits for whom, each with both of its stacks. */
static int put_waits(struct text *text)
{
	const struct lp_report_finding *finding = text->finding;

	for (size_t edge = 0; edge < finding->thread_count; edge++) {
		const struct lp_report_stack *wanted = find_stack(finding, "wanted", edge);
		const struct lp_report_stack *held = find_stack(finding, "held", edge);

		fputc('\n', text->out);
		put_thread(text, edge);
		fputs(" is waiting for a lock that ", text->out);
		if (finding->thread_count > 1)
			put_thread(text, (edge + 1) % finding->thread_count);
		else
			fputs("it", text->out);
		fputs(" holds:\n", text->out);
		put_lock_line(text, wanted_lock(finding, edge), wanted);
		put_stack(text, wanted, 7);
		fputs("while it holds the lock:\n", text->out);
		put_lock_line(text, edge, held);
		put_stack(text, held, 7);
	}
	return 0;
}

/* Every stack, for kinds without a layout of their own. */
static int put_all_stacks(struct text *text)
{
	const struct lp_report_finding *finding = text->finding;

	for (size_t i = 0; i < finding->stack_count; i++) {
		const struct lp_report_stack *stack = &finding->stacks[i];

		fprintf(text->out, "\n%s: ", stack->role);
		put_lock(text, stack->lock, stack->mode, stack->flags);
		if (stack->thread < finding->thread_count) {
			fputs(", by ", text->out);
			put_thread(text, stack->thread);
		}
		fputs(":\n", text->out);
		put_stack(text, stack, 7);
	}
	return 0;
}

struct layout {
	const char	*kind;
	section_fn	*sections[SECTIONS_MAX];
};

static const struct layout layouts[] = {
	{ "circular-locking", { put_attempt, put_chain, put_other_info, put_dependencies,
				put_scenario, put_held, put_backtrace } },
	{ "recursive-locking", { put_attempt, put_other_info, put_scenario, put_nesting_hint,
				 put_held, put_backtrace } },
	{ "bad-unlock-balance", { put_release, put_other_info, put_held, put_backtrace } },
	{ "held-lock-freed", { put_event, put_other_info, put_held, put_backtrace } },
	{ "held-at-exit", { put_held, put_other_info, put_backtrace } },
	{ "deadlock", { put_waits, put_other_info, put_scenario, put_held } },
	{ NULL, { put_event, put_all_stacks, put_other_info, put_scenario, put_held } },
};

static const struct layout *layout_of(const char *kind)
{
	const struct layout *layout = layouts;

	while (layout->kind && strcmp(layout->kind, kind))
		layout++;
	return layout;
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
	struct text text = { .out = out, .color = color, .finding = finding };
	const struct layout *layout = layout_of(finding->kind);
	int result = put_header(&text);

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

static void put_shown(struct text *text, const struct lp_report *report)
{
	uint64_t shown[3], hidden = report->hidden, total;

	memcpy(shown, report->summary.findings, sizeof(shown));
	shown[0] -= hidden < shown[0] ? hidden : shown[0];
	total = shown[0] + shown[1] + shown[2];
	style(text, total ? ALARM : BOLD);
	if (total)
		put_count(text->out, total, "finding", "findings");
	else
		fputs("no findings", text->out);
	style(text, PLAIN);
	if (total)
		put_levels(text->out, shown);
	if (hidden) {
		fputs(", ", text->out);
		put_count(text->out, hidden, "possible not shown (--strict shows it)",
			  "possible not shown (--strict shows them)");
	}
}

static void put_summary(FILE *out, const struct lp_report *report, bool color)
{
	const struct lp_report_summary *it = &report->summary;
	struct text text = { .out = out, .color = color };
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

static void put_stopped(FILE *out, const struct lp_report *report, bool color)
{
	struct text text = { .out = out, .color = color };

	if (!report->stopped)
		return;
	fputs("lockproof: ", out);
	style(&text, NOTE);
	lp_clean_put_all(out, report->stopped);
	style(&text, PLAIN);
	fputc('\n', out);
}

int lp_render_summary_text(FILE *out, const struct lp_report *report,
			   const struct lp_render_options *options)
{
	put_stopped(out, report, options->color);
	put_summary(out, report, options->color);
	return stream_result(out);
}

int lp_render_text(FILE *out, const struct lp_report *report,
		   const struct lp_render_options *options)
{
	int result = 0;

	put_stopped(out, report, options->color);
	for (size_t i = 0; !result && i < report->finding_count; i++)
		result = put_finding(out, report->findings[i], options->color);
	if (result)
		return result;
	if (report->finding_count) {
		fputc('\n', out);
		put_stopped(out, report, options->color);
	}
	put_summary(out, report, options->color);
	return stream_result(out);
}

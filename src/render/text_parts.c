/* SPDX-License-Identifier: Apache-2.0 */
/* text_parts.c — what the lines of a report are made of; see text_private.h. */
#include "render/text_private.h"

static const char *const style_start[LP_TEXT_STYLE_COUNT] = {
	[LP_TEXT_PLAIN] = "",
	[LP_TEXT_BOLD]	= "\033[1m",
	[LP_TEXT_LOCK]	= "\033[36m",
	[LP_TEXT_ALARM] = "\033[1;31m",
	[LP_TEXT_NOTE]	= "\033[33m",
};

void lp_text_style(struct lp_text *text, enum lp_text_style which)
{
	if (text->color)
		fputs(which == LP_TEXT_PLAIN ? "\033[0m" : style_start[which], text->out);
}

void lp_text_styled(struct lp_text *text, enum lp_text_style which, const char *name)
{
	lp_text_style(text, which);
	lp_clean_put(text->out, name);
	lp_text_style(text, LP_TEXT_PLAIN);
}

bool lp_text_is_lock(const struct lp_report_stack *stack)
{
	return !stack || stack->tie == LP_TIE_LOCK;
}

const struct lp_text_tie *lp_text_tie(const struct lp_report_stack *stack)
{
	static const struct lp_text_tie ties[LP_TIE_COUNT] = {
		[LP_TIE_LOCK] = { "is already holding lock", "is trying to acquire lock", "wanted",
				  "while holding", "which it acquired at" },
		[LP_TIE_COMPLETION] = { "has yet to complete", "is waiting for completion",
					"waited for", "before completing", "which it would do at" },
		[LP_TIE_CONDITION] = { "has yet to signal", "is waiting for condition",
				       "waited for", "before signalling", "which it would do at" },
		[LP_TIE_SEMAPHORE] = { "has yet to give", "is waiting for semaphore", "waited for",
				       "before giving", "which it would do at" },
		[LP_TIE_RUN] = { "is running", "is waiting for the end of",
				 "waited for the end of", "while running", "which begins at" },
	};

	return &ties[stack && (unsigned)stack->tie < LP_TIE_COUNT ? stack->tie : LP_TIE_LOCK];
}

const struct lp_report_thread *lp_text_thread_at(const struct lp_report_finding *finding,
						size_t index)
{
	static const struct lp_report_thread unknown;

	return index < finding->thread_count ? &finding->threads[index] : &unknown;
}

size_t lp_text_edge_count(const struct lp_report_finding *finding)
{
	return finding->thread_count - finding->strike_count - finding->writer_count;
}

size_t lp_text_last_edge(const struct lp_report_finding *finding)
{
	size_t count = lp_text_edge_count(finding);

	return count ? count - 1 : 0;
}

const struct lp_report_strike *lp_text_strike_of(const struct lp_report_finding *finding,
						 size_t edge)
{
	for (size_t i = 0; i < finding->strike_count; i++) {
		if (finding->strikes[i].edge == edge)
			return &finding->strikes[i];
	}
	return NULL;
}

size_t lp_text_reporter(const struct lp_report_finding *finding)
{
	size_t edge = lp_text_last_edge(finding);
	const struct lp_report_strike *strike = lp_text_strike_of(finding, edge);

	return strike ? strike->thread : edge;
}

const char *lp_text_lock_at(const struct lp_report_finding *finding, size_t index)
{
	return index < finding->lock_count ? finding->locks[index].name : NULL;
}

size_t lp_text_wanted_lock(const struct lp_report_finding *finding, size_t edge)
{
	return finding->cycle_count ? (edge + 1) % finding->cycle_count : 0;
}

/* As the kernel names a task. What nobody was seen to run is called by its context. */
void lp_text_task(struct lp_text *text, size_t index)
{
	const struct lp_report_thread *it = lp_text_thread_at(text->finding, index);

	if (!it->comm && !it->tid) {
		fputs(it->context ? it->context : "unknown thread", text->out);
		return;
	}
	lp_clean_put(text->out, it->comm ? it->comm : "thread");
	if (it->tid || it->number)
		fprintf(text->out, "/%" PRIu32, it->tid ? it->tid : it->number);
}

/* An interrupt is no thread, so it has no number among them. */
void lp_text_thread(struct lp_text *text, size_t index)
{
	const struct lp_report_thread *it = lp_text_thread_at(text->finding, index);

	lp_text_style(text, LP_TEXT_BOLD);
	if (it->number && (it->tid || !it->comm) && !it->context)
		fprintf(text->out, "T%" PRIu32 " ", it->number);
	lp_text_task(text, index);
	lp_text_style(text, LP_TEXT_PLAIN);
}

void lp_text_state(struct lp_text *text)
{
	if (text->finding->state)
		fprintf(text->out, " [%s]", text->finding->state);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* "func+0x1a/0x40 file.c:12", "func file.c:12 [inline]", "func file.c:12", "libfoo.so+0x1234" */
static void put_frame(struct lp_text *text, const struct lp_report_frame *frame)
{
	FILE *out = text->out;

	if (!frame->function) {
		lp_clean_put(out, frame->module ? base_name(frame->module) : "unknown");
		fprintf(out, "+0x%" PRIx64, frame->offset);
		return;
	}
	lp_clean_put(out, frame->function);
	if (frame->trampoline)
		return;
	if (!frame->inlined && (frame->function_offset || frame->function_size)) {
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

static void put_frames(struct lp_text *text, const struct lp_report_stack *stack, int indent)
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
static void put_mode(struct lp_text *text, const char *mode, uint32_t flags)
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

void lp_text_uses(struct lp_text *text, size_t index)
{
	const struct lp_report_finding *finding = text->finding;

	if (index >= finding->lock_count)
		return;
	if (finding->locks[index].usage)
		fprintf(text->out, "{%s}", finding->locks[index].usage);
	if (finding->locks[index].wait)
		fprintf(text->out, "-{%s}", finding->locks[index].wait);
}

void lp_text_class(struct lp_text *text, size_t index)
{
	const struct lp_report_finding *finding = text->finding;
	const struct lp_report_lock *it =
		index < finding->lock_count ? &finding->locks[index] : NULL;

	fputc('(', text->out);
	lp_text_styled(text, LP_TEXT_LOCK, it ? it->name : NULL);
	fputc(')', text->out);
	lp_text_uses(text, index);
}

/* Is there another lock of its class among the first `count`? */
static bool has_sibling(const struct lp_report_finding *finding, size_t index, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i != index && !strcmp(finding->locks[i].class_key,
					  finding->locks[index].class_key))
			return true;
	}
	return false;
}

const char *lp_text_object_at(const struct lp_report_finding *finding, size_t index)
{
	const struct lp_report_lock *it = &finding->locks[index];

	if (index >= finding->lock_count || it->address)
		return NULL;
	return has_sibling(finding, index, finding->lock_count) ? it->object : NULL;
}

/* Which lock of its class it is: "alice ", "00007f3a8c000b20 ". */
static void put_instance(struct lp_text *text, size_t index)
{
	const struct lp_report_finding *finding = text->finding;
	const char *object = lp_text_object_at(finding, index);

	if (index < finding->lock_count && finding->locks[index].address)
		fprintf(text->out, "%016" PRIx64 " ", finding->locks[index].address);
	if (!object)
		return;
	lp_clean_put(text->out, object);
	fputc(' ', text->out);
}

void lp_text_lock_name(struct lp_text *text, size_t index)
{
	const struct lp_report_finding *finding = text->finding;
	const struct lp_report_lock *it = &finding->locks[index];
	const char *object = lp_text_object_at(finding, index);

	if (index >= finding->lock_count) {
		lp_clean_put(text->out, NULL);
		return;
	}
	if (it->address && has_sibling(finding, index, finding->cycle_count))
		fprintf(text->out, "%016" PRIx64 " ", it->address);
	lp_text_styled(text, LP_TEXT_LOCK, it->name);
	if (object) {
		fputc(' ', text->out);
		lp_clean_put(text->out, object);
	}
}

const struct lp_report_stack *lp_text_find_stack(const struct lp_report_finding *finding,
						const char *role, size_t edge)
{
	for (size_t i = 0; i < finding->stack_count; i++) {
		const struct lp_report_stack *stack = &finding->stacks[i];

		if (stack->edge == edge && !strcmp(stack->role, role))
			return stack;
	}
	return NULL;
}

const struct lp_report_stack *lp_text_report_stack(const struct lp_report_finding *finding)
{
	const struct lp_report_stack *stack = lp_text_find_stack(finding, "event", 0);

	return stack ? stack : lp_text_find_stack(finding, "wanted", lp_text_last_edge(finding));
}

/* Where a stack is, on one line; for inlined code also what it was inlined into. */
void lp_text_place(struct lp_text *text, const struct lp_report_stack *stack)
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

void lp_text_lock_line(struct lp_text *text, size_t lock, const struct lp_report_stack *stack)
{
	put_instance(text, lock);
	lp_text_class(text, lock);
	if (stack && !lp_report_is_given(stack->tie))
		put_mode(text, stack->mode, stack->flags);
	fputs(", at: ", text->out);
	lp_text_place(text, stack);
	fputc('\n', text->out);
}

void lp_text_stack(struct lp_text *text, const struct lp_report_stack *stack, int indent)
{
	static const struct lp_report_stack none;

	put_frames(text, stack ? stack : &none, indent);
}

void lp_text_while_holding(struct lp_text *text, size_t edge)
{
	const struct lp_report_stack *held = lp_text_find_stack(text->finding, "held", edge);
	const struct lp_text_tie *tie = lp_text_tie(held);

	fprintf(text->out, " %s ", tie->during);
	lp_text_lock_name(text, edge);
	fprintf(text->out, ",\n %s:\n", tie->where);
	lp_text_stack(text, held, 7);
}

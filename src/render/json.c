/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c — the format "lockproof-report/1": docs/report.schema.json, docs/report-format.md.
 *
 * Ids, keys and addresses are strings: they are 64 bits wide, and JSON numbers are not for most
 * readers. An object that could not be built in full is not written at all.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "render/clean.h"
#include "render/report.h"

/* Each of these gives NULL when memory is short; a container takes its values over. */

static json_t *string_of(const char *text)
{
	char *clean;
	json_t *value;

	if (!text)
		return json_null();
	clean = lp_clean_utf8(text);
	value = clean ? json_string(clean) : NULL;
	free(clean);
	return value;
}

static json_t *number_of(uint64_t number)
{
	return json_integer(number > INT64_MAX ? INT64_MAX : (json_int_t)number);
}

static json_t *hex_of(uint64_t number)
{
	char text[24];

	if (!number)
		return json_null();
	snprintf(text, sizeof(text), "0x%" PRIx64, number);
	return json_string(text);
}

/* An index in an array of `count`; null when it leads nowhere: a stack of nobody. */
static json_t *index_of(uint32_t index, size_t count)
{
	return index < count ? number_of(index) : json_null();
}

/* An optional number: 0 stands for "unknown". */
static json_t *known_number(uint64_t number)
{
	return number ? number_of(number) : json_null();
}

struct member {
	const char	*name;
	json_t		*value;	/* NULL: memory was short */
};

static json_t *object_of(const struct member *members, size_t count)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++) {
		/* With a NULL object or value this fails, and still takes the value over. */
		if (json_object_set_new(object, members[i].name, members[i].value)) {
			json_decref(object);
			object = NULL;
		}
	}
	return object;
}

#define OBJECT(...) \
	object_of((const struct member[]){ __VA_ARGS__ }, \
		  sizeof((const struct member[]){ __VA_ARGS__ }) / sizeof(struct member))

/* The array of make(owner, i) for i below count. */
typedef json_t *element_fn(const void *owner, size_t index);

static json_t *array_of(element_fn *make, const void *owner, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < count; i++) {
		if (json_array_append_new(array, make(owner, i))) {
			json_decref(array);
			array = NULL;
		}
	}
	return array;
}

static json_t *frame_of(const void *owner, size_t index)
{
	const struct lp_report_frame *frame = (const struct lp_report_frame *)owner + index;

	return OBJECT({ "function", string_of(frame->function) },
		      { "file", string_of(frame->file) },
		      { "line", known_number(frame->line) },
		      { "inlined", json_boolean(frame->inlined) },
		      { "module", string_of(frame->module) },
		      { "build_id", string_of(frame->build_id) },
		      { "offset", number_of(frame->offset) });
}

static json_t *flags_of(uint32_t flags)
{
	json_t *array = json_array();
	int failed = 0;

	if (flags & LP_REPORT_TRY)
		failed |= json_array_append_new(array, json_string("try"));
	if (flags & LP_REPORT_TIMED)
		failed |= json_array_append_new(array, json_string("timed"));
	if (!failed)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *tie_of(enum lp_report_tie tie)
{
	static const char *const words[LP_TIE_COUNT] = {
#define X(name, word) [LP_TIE_##name] = word,
		LP_REPORT_TIES(X)
#undef X
	};

	return json_string(words[(unsigned)tie < LP_TIE_COUNT ? tie : LP_TIE_LOCK]);
}

static json_t *lock_of(const void *owner, size_t index)
{
	const struct lp_report_finding *finding = owner;
	const struct lp_report_lock *lock = &finding->locks[index];

	return OBJECT({ "name", string_of(lock->name) },
		      { "kind", string_of(lock->kind) },
		      { "class", string_of(lock->class_key) },
		      { "created", string_of(lock->created) },
		      { "object", string_of(lock->object) },
		      { "address", hex_of(lock->address) },
		      { "usage", string_of(lock->usage) },
		      { "wait", string_of(lock->wait) });
}

static json_t *thread_of(const void *owner, size_t index)
{
	const struct lp_report_finding *finding = owner;
	const struct lp_report_thread *thread = &finding->threads[index];

	return OBJECT({ "name", string_of(thread->comm) },
		      { "number", known_number(thread->number) },
		      { "pid", known_number(thread->pid) },
		      { "tid", known_number(thread->tid) },
		      { "start", string_of(thread->start) },
		      { "created_by", string_of(thread->created_by) },
		      { "context", string_of(thread->context) });
}

static json_t *stack_of(const void *owner, size_t index)
{
	const struct lp_report_finding *finding = owner;
	const struct lp_report_stack *stack = &finding->stacks[index];

	return OBJECT({ "role", string_of(stack->role) },
		      { "lock", index_of(stack->lock, finding->cycle_count) },
		      { "thread", index_of(stack->thread, finding->thread_count) },
		      { "edge", index_of(stack->edge, finding->thread_count -
					 finding->strike_count - finding->writer_count) },
		      { "tie", tie_of(stack->tie) },
		      { "mode", string_of(stack->mode) },
		      { "flags", flags_of(stack->flags) },
		      { "place", number_of(stack->place) },
		      { "truncated", json_boolean(stack->truncated) },
		      { "frames", array_of(frame_of, stack->frames, stack->frame_count) });
}

static json_t *step_of(const void *owner, size_t index)
{
	const struct lp_report_finding *finding = owner;
	const struct lp_report_step *step = &finding->steps[index];

	return OBJECT({ "thread", number_of(step->thread) },
		      { "text", string_of(step->text) },
		      { "depth", number_of(step->depth) });
}

static json_t *change_of(const struct lp_report_change *change)
{
	return OBJECT({ "event", known_number(change->at) },
		      { "frames", array_of(frame_of, change->frames, change->frame_count) });
}

static json_t *stamp_of(const void *owner, size_t index)
{
	const struct lp_report_stamp *stamp = (const struct lp_report_stamp *)owner + index;

	return OBJECT({ "context", string_of(stamp->context) },
		      { "let_in", change_of(&stamp->let_in) },
		      { "blocked", change_of(&stamp->blocked) });
}

static json_t *strike_of(const void *owner, size_t index)
{
	const struct lp_report_finding *finding = owner;
	const struct lp_report_strike *strike = &finding->strikes[index];

	return OBJECT({ "edge", number_of(strike->edge) },
		      { "thread", number_of(strike->thread) },
		      { "context", string_of(strike->context) },
		      { "forked_by", string_of(strike->forker) },
		      { "on", string_of(strike->on) },
		      { "in", string_of(strike->in) },
		      { "events", strike->stamp_count ? number_of(strike->events) : json_null() },
		      { "stamps", array_of(stamp_of, strike->stamps, strike->stamp_count) });
}

static json_t *writer_of(const void *owner, size_t index)
{
	const struct lp_report_finding *finding = owner;
	const struct lp_report_writer *writer = &finding->writers[index];

	return OBJECT({ "edge", number_of(writer->edge) },
		      { "thread", number_of(writer->thread) });
}

static json_t *held_of(const void *owner, size_t index)
{
	const struct lp_report_finding *finding = owner;
	const struct lp_report_held *held = &finding->held[index];

	return OBJECT({ "thread", number_of(held->thread) },
		      { "lock", lock_of(finding, held->lock) },
		      { "tie", tie_of(held->tie) },
		      { "mode", string_of(held->mode) },
		      { "frames", array_of(frame_of, held->frames, held->frame_count) });
}

static json_t *context_of(const void *owner, size_t index)
{
	const struct lp_report_finding *finding = owner;

	return string_of(finding->contexts[index]);
}

/* The report as lp_render_finding_text() writes it. */
static json_t *text_of(const struct lp_report_finding *finding)
{
	static const struct lp_render_options plain;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int result;
	json_t *value;

	if (!out)
		return NULL;
	result = lp_render_finding_text(out, finding, &plain);
	if (fclose(out))
		result = -ENOMEM;
	value = result ? NULL : string_of(text);
	free(text);
	return value;
}

json_t *lp_render_finding_json(const struct lp_report_finding *it)
{
	return OBJECT({ "id", json_string(it->id) },
		      { "kind", string_of(it->kind) },
		      { "level", string_of(it->level) },
		      { "reason", string_of(it->reason) },
		      { "title", string_of(it->title) },
		      { "event", string_of(it->event_text) },
		      { "holder", string_of(it->holder) },
		      { "nest", string_of(it->nest) },
		      { "forbidden", string_of(it->forbidden) },
		      { "locks", array_of(lock_of, it, it->cycle_count) },
		      { "contexts", array_of(context_of, it, it->context_count) },
		      { "threads", array_of(thread_of, it, it->thread_count) },
		      { "stacks", array_of(stack_of, it, it->stack_count) },
		      { "strikes", array_of(strike_of, it, it->strike_count) },
		      { "writers", array_of(writer_of, it, it->writer_count) },
		      { "scenario", array_of(step_of, it, it->step_count) },
		      { "held", array_of(held_of, it, it->held_count) },
		      { "text", text_of(it) });
}

static json_t *finding_of(const void *owner, size_t index)
{
	const struct lp_report *report = owner;

	return lp_render_finding_json(report->findings[index]);
}

static json_t *summary_of(const struct lp_report_summary *summary)
{
	json_t *levels = OBJECT({ "actual", number_of(summary->findings[2]) },
				{ "feasible", number_of(summary->findings[1]) },
				{ "possible", number_of(summary->findings[0]) });

	return OBJECT({ "classes", number_of(summary->classes) },
		      { "chains", number_of(summary->chains) },
		      { "edges", number_of(summary->edges) },
		      { "threads", number_of(summary->threads) },
		      { "processes", number_of(summary->processes) },
		      { "acquisitions", number_of(summary->acquisitions) },
		      { "findings", levels });
}

int lp_render_json(FILE *out, const struct lp_report *report)
{
	json_t *root = OBJECT({ "format", json_string("lockproof-report/1") },
			      { "version", string_of(report->version) },
			      { "program", string_of(report->program) },
			      { "stopped", string_of(report->stopped) },
			      { "summary", summary_of(&report->summary) },
			      { "hidden", number_of(report->hidden) },
			      { "findings", array_of(finding_of, report, report->finding_count) });
	int result;

	if (!root)
		return -ENOMEM;
	errno = 0;
	result = json_dumpf(root, out, JSON_INDENT(2));
	if (!result)
		fputc('\n', out);
	json_decref(root);
	if (result || fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}

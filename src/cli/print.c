/* SPDX-License-Identifier: Apache-2.0 */
/* print.c — reports from sessions; see print.h. */
#include "cli/print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/describe.h"

int lp_print_finding(const struct lp_session *session, FILE *out, const struct lp_finding *finding,
		     const struct lp_render_options *options)
{
	const struct lp_report_finding *described =
		lp_describe_finding(lp_session_describer(session), finding);

	return described ? lp_render_finding_text(out, described, options) : -ENOMEM;
}

static const char *stop_reason(enum lp_stop stop)
{
	static const char *const reasons[LP_STOP_COUNT] = {
		[LP_STOP_NONE] = "nothing",
		[LP_STOP_NO_SPACE] = "there is no space left for facts",
		[LP_STOP_IMAGE_FULL] = "the space reserved for facts is used up",
		[LP_STOP_FAULT] = "the runtime found itself at fault",
		[LP_STOP_UNSUPPORTED] = "the C library cannot be interposed",
	};

	return reasons[stop];
}

/* The image whose recording stopped first; NULL: none did. */
static const struct lp_source *first_stopped(const struct lp_session *session)
{
	const struct lp_source *first = NULL;

	for (size_t i = 0; i < lp_session_source_count(session); i++) {
		const struct lp_source *source = lp_session_source(session, i);

		if (source->state.stop != LP_STOP_NONE &&
		    (!first || source->state.stop_time_ns < first->state.stop_time_ns))
			first = source;
	}
	return first;
}

static void put_time(FILE *out, uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / 1000000000u);
	struct tm local;
	char text[32];

	if (time_ns && localtime_r(&seconds, &local) &&
	    strftime(text, sizeof(text), "%H:%M:%S", &local))
		fprintf(out, " at %s", text);
}

static void put_stop(FILE *out, const struct lp_reader_state *state)
{
	fprintf(out, "recording stopped");
	put_time(out, state->stop_time_ns);
	if (state->index)
		fprintf(out, " in process %" PRIu32, state->claimed_pid);
	fprintf(out, ": %s", stop_reason(state->stop));
	/* EFAULT is how the kernel says that a page cannot be backed: nothing more is known */
	if (state->stop_errno && state->stop_errno != EFAULT)
		fprintf(out, " (%s)", strerror(state->stop_errno));
}

static const struct lp_source *first_damaged(const struct lp_session *session)
{
	for (size_t i = 0; i < lp_session_source_count(session); i++)
		if (lp_session_source(session, i)->problem)
			return lp_session_source(session, i);
	return NULL;
}

char *lp_print_stopped(const struct lp_session *session)
{
	const struct lp_source *stopped = first_stopped(session);
	const struct lp_source *damaged = first_damaged(session);
	char *text = NULL;
	size_t size;
	FILE *out;

	if (!stopped && !damaged && lp_session_model(session)->processes.count > 1)
		return NULL;
	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	if (stopped)
		put_stop(out, &stopped->state);
	else if (damaged)
		fprintf(out, "the facts of process %" PRIu32 " are damaged: %s",
			damaged->state.claimed_pid, damaged->problem);
	else
		fprintf(out, "nothing was recorded: no program loaded liblockproof.so");
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static uint64_t known(uint32_t count)
{
	return count ? count - 1 : 0;	/* [0] is a dummy */
}

/* Of locks: the lives of threads are none to people. */
static uint64_t count_classes(const struct lp_model *model)
{
	uint64_t count = 0;

	for (uint32_t i = 1; i < model->classes.count; i++)
		count += !lp_model_is_life(&model->fines.at[model->classes.at[i].fine]);
	return count;
}

static void fill_summary(const struct lp_session *session, bool strict, struct lp_report *report)
{
	const struct lp_model *model = lp_session_model(session);
	const struct lp_engine *engine = lp_session_engine(session);

	report->summary = (struct lp_report_summary){
		.classes = count_classes(model),
		.chains = known(model->nodes.count),
		.edges = lp_engine_stats(engine).edges,
		.threads = known(model->threads.count),
		.processes = known(model->processes.count),
		.acquisitions = model->acquisitions,
	};
	for (size_t i = 0; i < lp_engine_finding_count(engine); i++) {
		const struct lp_finding *finding = lp_engine_finding(engine, i);

		if (finding->covered)
			continue;	/* another says it in fewer words */
		report->summary.findings[finding->level]++;
		report->hidden += !lp_session_shows(finding, strict);
	}
}

/* The worst first, then by kind; ids decide the rest, so that every run says it alike. */
static int compare_findings(const void *left, const void *right)
{
	const struct lp_finding *a = *(const struct lp_finding *const *)left;
	const struct lp_finding *b = *(const struct lp_finding *const *)right;

	if (a->level != b->level)
		return (int)b->level - (int)a->level;
	if (a->kind != b->kind)
		return (int)a->kind - (int)b->kind;
	return (a->id > b->id) - (a->id < b->id);
}

/* Those to print, in order. */
static size_t choose(const struct lp_session *session, const struct lp_print_request *request,
		     const struct lp_finding **chosen)
{
	const struct lp_engine *engine = lp_session_engine(session);
	size_t count = 0;

	for (size_t i = 0; i < lp_engine_finding_count(engine); i++) {
		const struct lp_finding *finding = lp_engine_finding(engine, i);

		if (lp_session_shows(finding, request->options.strict) &&
		    (!request->filter || request->filter(request->context, finding)))
			chosen[count++] = finding;
	}
	if (count)
		qsort(chosen, count, sizeof(*chosen), compare_findings);
	return count;
}

static const char *program_of(const struct lp_session *session, const char *otherwise)
{
	const struct lp_model *model = lp_session_model(session);
	const struct lp_model_process *first;

	if (model->processes.count < 2)
		return otherwise;
	first = &model->processes.at[1];
	return first->args && *first->args ? first->args : first->exe;
}

static int describe_all(struct lp_describer *describer, const struct lp_finding **chosen,
			size_t count, const struct lp_report_finding **described)
{
	for (size_t i = 0; i < count; i++) {
		described[i] = lp_describe_finding(describer, chosen[i]);
		if (!described[i])
			return -ENOMEM;
	}
	return 0;
}

static int print_chosen(const struct lp_session *session, FILE *out,
			const struct lp_print_request *request, const struct lp_finding **chosen,
			const struct lp_report_finding **described, struct lp_describer *describer)
{
	struct lp_report report = {
		.program = program_of(session, request->program),
		.version = "lockproof " LP_VERSION,
		.findings = described,
		.finding_count = choose(session, request, chosen),
	};
	char *stopped = lp_print_stopped(session);
	int error = describe_all(describer, chosen, report.finding_count, described);

	report.stopped = stopped;
	fill_summary(session, request->options.strict, &report);
	if (!error)
		error = request->format == LP_FORMAT_JSON
				? lp_render_json(out, &report)
				: lp_render_text(out, &report, &request->options);
	free(stopped);
	return error;
}

int lp_print_report(const struct lp_session *session, FILE *out,
		    const struct lp_print_request *request)
{
	size_t count = lp_engine_finding_count(lp_session_engine(session));
	const struct lp_finding **chosen = calloc(count + 1, sizeof(*chosen));
	const struct lp_report_finding **described = calloc(count + 1, sizeof(*described));
	/* its own names: numbers such as "#2" must not depend on what was printed before */
	struct lp_describer *describer = lp_describer_create(lp_session_model(session),
							     lp_session_symbolizer(session));
	int error = -ENOMEM;

	if (describer)
		lp_describer_set_engine(describer, lp_session_engine(session));
	if (chosen && described && describer)
		error = print_chosen(session, out, request, chosen, described, describer);
	lp_describer_destroy(describer);
	free(described);
	free(chosen);
	return error;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* session.c — sources, model and engine of one command; see session.h. */
#include "cli/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/describe.h"
#include "facts/vec.h"
#include "symbolize/symbolize.h"

struct lp_session {
	struct lp_model	*model;
	struct lp_engine *engine;
	struct lp_symbolizer *symbolizer;
	struct lp_describer *describer;
	LP_VEC(struct lp_source *) sources;
	bool		fresh;		/* something was read and not judged yet */
};

struct lp_session *lp_session_create(void)
{
	struct lp_session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	session->model = lp_model_create();
	session->engine = lp_engine_create();
	session->symbolizer = lp_symbolizer_create();
	if (session->model && session->symbolizer)
		session->describer = lp_describer_create(session->model, session->symbolizer);
	if (session->engine && session->describer) {
		lp_engine_set_wrapper(session->engine, lp_describer_is_wrapper,
				      session->describer);
		lp_describer_set_engine(session->describer, session->engine);
		return session;
	}
	lp_session_destroy(session);
	return NULL;
}

static void destroy_source(struct lp_source *source)
{
	lp_reader_close(source->reader);
	lp_mapping_close(&source->mapping);
	free(source->problem);
	free(source);
}

void lp_session_destroy(struct lp_session *session)
{
	if (!session)
		return;
	for (uint32_t i = 0; i < session->sources.count; i++)
		destroy_source(session->sources.at[i]);
	lp_vec_finish(&session->sources);
	lp_describer_destroy(session->describer);
	lp_symbolizer_destroy(session->symbolizer);
	lp_engine_destroy(session->engine);
	lp_model_destroy(session->model);
	free(session);
}

static struct lp_source *new_source(struct lp_session *session, const char **problem)
{
	struct lp_source *source = lp_vec_room(&session->sources, 1) ? calloc(1, sizeof(*source))
								     : NULL;

	if (!source)
		*problem = strerror(ENOMEM);
	return source;
}

static struct lp_source *start_source(struct lp_session *session, struct lp_source *source,
				      const void *bytes, size_t size, const char **problem)
{
	source->reader = lp_reader_open(bytes, size, problem);
	if (!source->reader) {
		destroy_source(source);
		return NULL;
	}
	lp_reader_state(source->reader, &source->state);
	lp_vec_push(&session->sources, source);
	return source;
}

struct lp_source *lp_session_add(struct lp_session *session, const void *bytes, size_t size,
				 const char **problem)
{
	struct lp_source *source = new_source(session, problem);

	return source ? start_source(session, source, bytes, size, problem) : NULL;
}

struct lp_source *lp_session_map(struct lp_session *session, int fd, size_t size,
				 const char **problem)
{
	struct lp_source *source = new_source(session, problem);
	int error;

	if (!source)
		return NULL;
	error = lp_mapping_open(&source->mapping, fd, size);
	if (error) {
		*problem = strerror(-error);
		destroy_source(source);
		return NULL;
	}
	return start_source(session, source, source->mapping.bytes, size, problem);
}

/* What was read so far stays in the model. */
static int give_up(struct lp_source *source, const char *problem)
{
	source->problem = strdup(problem);
	lp_session_retire(source);
	return source->problem ? 0 : -ENOMEM;
}

static int poll_source(struct lp_session *session, struct lp_source *source)
{
	const char *problem;
	int result = lp_reader_poll(source->reader, session->model, &problem);

	if (!source->image)
		source->image = session->model->images;
	lp_reader_state(source->reader, &source->state);
	if (result == -EBADMSG)
		return give_up(source, problem);
	if (source->mapping.damaged)
		return give_up(source, "a part of it cannot be read");
	return result;
}

int lp_session_poll(struct lp_session *session)
{
	int news = 0;

	for (uint32_t i = 0; i < session->sources.count; i++) {
		struct lp_source *source = session->sources.at[i];
		int result = source->reader ? poll_source(session, source) : 0;

		if (result < 0)
			return result;
		news |= result > 0;
	}
	session->fresh |= news;
	return news;
}

void lp_session_retire(struct lp_source *source)
{
	lp_reader_close(source->reader);
	source->reader = NULL;
	lp_mapping_close(&source->mapping);
}

size_t lp_session_source_count(const struct lp_session *session)
{
	return session->sources.count;
}

struct lp_source *lp_session_source(const struct lp_session *session, size_t index)
{
	return session->sources.at[index];
}

int lp_session_judge(struct lp_session *session)
{
	int error;

	if (!session->fresh)
		return 0;
	error = lp_model_regroup(session->model, lp_describer_is_wrapper, session->describer);
	if (!error)
		error = lp_engine_judge(session->engine, session->model);
	session->fresh = error != 0;
	return error ? error : 1;
}

const struct lp_model *lp_session_model(const struct lp_session *session)
{
	return session->model;
}

const struct lp_engine *lp_session_engine(const struct lp_session *session)
{
	return session->engine;
}

struct lp_symbolizer *lp_session_symbolizer(const struct lp_session *session)
{
	return session->symbolizer;
}

struct lp_describer *lp_session_describer(const struct lp_session *session)
{
	return session->describer;
}

/* Index of the image that the thread was recorded in, as its program numbered it. */
static uint32_t index_of_thread(const struct lp_session *session, uint32_t thread)
{
	const struct lp_model *model = session->model;
	uint32_t image = model->processes.at[model->threads.at[thread].process].image;

	for (uint32_t i = 0; i < session->sources.count; i++)
		if (session->sources.at[i]->image == image)
			return session->sources.at[i]->state.index;
	return 0;
}

bool lp_session_superseded(const struct lp_session *session, uint32_t thread, uint32_t pid)
{
	uint32_t index = index_of_thread(session, thread);

	for (uint32_t i = 0; i < session->sources.count; i++) {
		const struct lp_reader_state *state = &session->sources.at[i]->state;

		if (state->claimed_pid == pid && state->index > index)
			return true;
	}
	return false;
}

int lp_session_look(struct lp_session *session, struct lp_blocked *blocked,
		    struct lp_stalled *stalled)
{
	struct lp_live_thread live;
	int error = 0;

	for (uint32_t i = 0; i < session->sources.count; i++) {
		const struct lp_reader *reader = session->sources.at[i]->reader;
		uint32_t cursor = 0;

		while (reader && !error && lp_reader_next_live(reader, &cursor, &live)) {
			error = lp_blocked_see(blocked, &live);
			if (!error && stalled)
				error = lp_stalled_see(stalled, &live);
		}
	}
	return error || !stalled ? error : lp_stalled_end(stalled);
}

bool lp_session_is_doubtful(const struct lp_session *session,
			    const struct lp_blocked_thread *cycle, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct lp_model_fine *fine =
			lp_model_node_fine(session->model, cycle[i].wanted);

		if (fine->kind == LP_LOCK_SEMAPHORE &&
		    (count == 1 || fine->use != LP_CLASS_RETURNED))
			return true;
	}
	return false;
}

bool lp_session_is_recorded(const struct lp_blocked_thread *cycle, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!cycle[i].held || !cycle[i].wanted)
			return false;
	return true;
}

static bool is_below(const struct lp_model *model, uint32_t held, uint32_t wanted)
{
	while (wanted && wanted != held)
		wanted = model->nodes.at[wanted].parent;
	return wanted != 0;
}

/* What an interrupt holds is a path of its own, on top of what it interrupted. */
static uint32_t context_of(const struct lp_model *model, uint32_t node)
{
	return model->states.at[model->nodes.at[node].state].context;
}

bool lp_session_is_cycle(const struct lp_session *session, const struct lp_blocked_thread *cycle,
			 size_t count)
{
	const struct lp_model *model = session->model;
	enum lp_lock_kind kind = lp_model_node_fine(model, cycle[0].wanted)->kind;

	for (size_t i = 0; i < count; i++)
		if (cycle[i].held == cycle[i].wanted ||
		    (!is_below(model, cycle[i].held, cycle[i].wanted) &&
		     !context_of(model, cycle[i].wanted)))
			return false;
	return count > 1 || (kind != LP_LOCK_RECURSIVE && kind != LP_LOCK_ERRORCHECK);
}

int lp_session_add_deadlock(struct lp_session *session, const struct lp_blocked_thread *cycle,
			    size_t count)
{
	struct lp_finding_edge *edges = calloc(count, sizeof(*edges));
	int error;

	if (!edges)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		bool struck = !is_below(session->model, cycle[i].held, cycle[i].wanted);

		edges[i] = (struct lp_finding_edge){
			.held = cycle[i].held, .wanted = cycle[i].wanted,
			.thread = cycle[i].thread,
			.context = struck ? context_of(session->model, cycle[i].wanted) : 0,
		};
	}
	error = lp_engine_add_deadlock(session->engine, session->model, edges, (uint32_t)count);
	free(edges);
	return error;
}

struct last_look {
	struct lp_session *session;
	bool	(*alive)(int pid);
	int	error;
};

static void on_last_cycle(void *context, const struct lp_blocked_thread *cycle, size_t count)
{
	struct last_look *look = context;

	if (look->error || !lp_session_is_recorded(cycle, count) ||
	    !lp_session_is_cycle(look->session, cycle, count) ||
	    lp_session_is_doubtful(look->session, cycle, count) ||
	    lp_session_superseded(look->session, cycle->thread, cycle->pid) ||
	    (look->alive && look->alive((int)cycle->pid)))
		return;
	look->error = lp_session_add_deadlock(look->session, cycle, count);
}

int lp_session_add_last_deadlocks(struct lp_session *session, bool (*alive)(int pid))
{
	/* two looks: should somebody still be alive, both looks at a thread saw one moment */
	struct lp_blocked *blocked = lp_blocked_create(2, 0);
	struct last_look look = { session, alive, blocked ? 0 : -ENOMEM };

	for (unsigned i = 0; i < 2 && !look.error; i++) {
		lp_blocked_begin(blocked, 0);
		look.error = lp_session_look(session, blocked, NULL);
	}
	if (!look.error) {
		int error = lp_blocked_judge(blocked, on_last_cycle, &look);

		if (!look.error)
			look.error = error;
	}
	lp_blocked_destroy(blocked);
	return look.error;
}

bool lp_session_shows(const struct lp_finding *finding, bool strict)
{
	return !finding->covered && (strict || finding->level > LP_POSSIBLE);
}

size_t lp_session_shown(const struct lp_session *session, bool strict)
{
	size_t shown = 0;

	for (size_t i = 0; i < lp_engine_finding_count(session->engine); i++)
		shown += lp_session_shows(lp_engine_finding(session->engine, i), strict);
	return shown;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_witness.c — a state that deadlocks becomes a schedule that a person can follow.
 *
 * The store knows the way there. What others did on the way without being needed is left out, and
 * steps are moved together as long as the end is still a deadlock, so that the table changes
 * columns as rarely as possible.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "scenario/explore_private.h"

#define BUDGET		200000u	/* steps replayed while it is made shorter, */
#define BUDGET_BYTES	(1u << 28)	/* fewer of large states */
#define EXTENSION	100u	/* steps of one column added to show why it gives nothing */
#define BYSTANDERS	1000u	/* columns tried to be left out in the end */

struct way {
	struct machine	*m;
	struct choice	*at;
	uint32_t	count;
	struct choice	*trial;
	uint8_t		*state, *first, *before;
	uint32_t	budget;
	/* what is looked for among the successors */
	const struct choice *choice;
	const uint8_t	*target;
	struct choice	found;
	bool		hit;
};

static bool same_choice(const struct choice *a, const struct choice *b)
{
	return a->column == b->column && a->body == b->body && a->op == b->op &&
	       a->way == b->way && a->what == b->what;
}

static bool compare(void *context, const struct choice *choice)
{
	struct way *way = context;

	if (way->choice && !same_choice(way->choice, choice))
		return true;
	if (way->target && memcmp(way->target, way->m->next, way->m->size) != 0)
		return true;
	way->found = *choice;
	way->hit = true;
	memcpy(way->state, way->m->next, way->m->size);
	return false;
}

/* Take the step from way->state; false: it is not possible there. */
static bool take_step(struct way *way, const struct choice *choice)
{
	struct machine *m = way->m;

	way->choice = choice;
	way->target = NULL;
	way->hit = false;
	m->stop = false;
	lp_x_load(m, way->state);
	if (choice->what == LP_STEP_STRIKE)
		lp_x_strikes(m, choice->column);
	else if (m->depth[choice->column])
		lp_x_run(m, choice->column);
	return way->hit;
}

static bool ends_stuck(struct way *way)
{
	struct machine *m = way->m;

	lp_x_load(m, way->state);
	for (uint32_t c = 0; c < m->column_count; c++)
		m->can[c] = m->depth[c] && lp_x_can_run(m, c);
	return lp_x_stuck(m) != 0;
}

static bool replay(struct way *way, const struct choice *at, uint32_t count)
{
	memcpy(way->state, way->first, way->m->size);
	for (uint32_t i = 0; i < count; i++) {
		if (way->budget)
			way->budget--;
		if (!take_step(way, &at[i]))
			return false;
	}
	return ends_stuck(way);
}

static int make_room(struct way *way, const struct store *store, uint32_t count)
{
	struct machine *m = way->m;

	way->at = malloc((count + 1) * sizeof(*way->at));
	way->trial = malloc((count + 1) * sizeof(*way->trial));
	way->state = malloc(m->size);
	way->first = malloc(m->size);
	way->before = malloc(m->size);
	if (!way->at || !way->trial || !way->state || !way->first || !way->before)
		return -ENOMEM;
	way->count = count;
	memcpy(way->first, store_state(store, 0), m->size);
	return 0;
}

static int recover(struct way *way, const struct store *store, uint32_t last)
{
	struct machine *m = way->m;
	uint32_t count = 0;

	for (uint32_t i = last; i; i = store->parents[i])
		count++;
	if (make_room(way, store, count))
		return -ENOMEM;
	for (uint32_t i = last; i; i = store->parents[i]) {
		way->target = store_state(store, i);
		way->choice = NULL;
		way->hit = m->stop = false;
		lp_x_load(m, store_state(store, store->parents[i]));
		lp_x_all(m);
		way->at[--count] = way->found;
	}
	return 0;
}

/* Keep the trial if it still ends in a deadlock. */
static bool keep_trial(struct way *way, uint32_t count)
{
	if (!replay(way, way->trial, count))
		return false;
	memcpy(way->at, way->trial, count * sizeof(*way->at));
	way->count = count;
	return true;
}

static uint32_t without_column(struct way *way, uint32_t column, uint32_t from)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < way->count; i++)
		if (i < from || way->at[i].column != column)
			way->trial[count++] = way->at[i];
	return count;
}

/* Leave out whole columns, then what columns do at the end or in one visit of a handler. */
static void leave_out(struct way *way)
{
	for (uint32_t c = 0; c < way->m->column_count && way->budget; c++) {
		uint32_t count = without_column(way, c, 0);

		if (count < way->count)
			(void)keep_trial(way, count);
	}
	for (uint32_t i = way->count; i-- > 0 && way->budget;)
		if (i < way->count)
			(void)keep_trial(way, without_column(way, way->at[i].column, i));
	for (uint32_t i = way->count; i-- > 0 && way->budget;) {
		uint32_t count = i;

		if (i >= way->count)
			continue;
		memcpy(way->trial, way->at, i * sizeof(*way->at));
		memcpy(way->trial + i, way->at + i + 1, (way->count - i - 1) * sizeof(*way->at));
		count = way->count - 1;
		(void)keep_trial(way, count);
	}
}

/* Let each column do as much as it can before another one goes on. */
static void move_together(struct way *way)
{
	for (uint32_t i = 1; i < way->count && way->budget; i++) {
		uint32_t j = i;

		while (j < way->count && way->at[j].column != way->at[i - 1].column)
			j++;
		if (j == i || j == way->count)
			continue;
		memcpy(way->trial, way->at, way->count * sizeof(*way->at));
		memmove(way->trial + i + 1, way->trial + i, (j - i) * sizeof(*way->at));
		way->trial[i] = way->at[j];
		(void)keep_trial(way, way->count);
	}
}

/*
 * From way->state, let column c go on, or begin, until it is stuck as well: it would give what
 * somebody waits for, and this shows why it cannot. The number of steps added at way->at[count].
 */
static uint32_t go_until_stuck(struct way *way, uint32_t c)
{
	struct machine *m = way->m;

	for (uint32_t i = 0; i < EXTENSION; i++) {
		if (ends_stuck(way) && m->stuck[c])
			return i;
		way->choice = NULL;
		way->target = NULL;
		way->hit = m->stop = false;
		if (m->depth[c])
			lp_x_run(m, c);
		else if (!i)
			lp_x_strikes(m, c);
		if (!way->hit)
			return 0;
		way->at[way->count + i] = way->found;
	}
	return 0;
}

/* Those that would give what is waited for get stuck as well: show where. */
static int extend(struct way *way)
{
	struct machine *m = way->m;

	for (uint32_t c = 0; c < m->column_count; c++) {
		struct choice *at;
		uint32_t count;

		if (!ends_stuck(way) || m->stuck[c] || !lp_x_is_missed(m, c))
			continue;
		at = realloc(way->at, (way->count + EXTENSION) * sizeof(*at));
		if (!at)
			return -ENOMEM;
		way->at = at;
		memcpy(way->before, way->state, m->size);
		count = go_until_stuck(way, c);
		way->count += count;
		if (!count)
			memcpy(way->state, way->before, m->size);
	}
	(void)ends_stuck(way);
	return 0;
}

/* ---- into the result ---- */

static void put_choices(const struct way *way, struct lp_exploration *result)
{
	for (uint32_t i = 0; i < way->count; i++) {
		const struct choice *choice = &way->at[i];

		result->steps[result->step_count++] = (struct lp_explore_step){
			.column = choice->column, .body = choice->body,
			.op = choice->op ? choice->op - 1 : 0, .what = choice->what };
	}
}

static bool has_begun_to_wait(const struct lp_exploration *result, uint32_t c, uint32_t op)
{
	for (uint32_t i = result->step_count; i-- > 0;)
		if (result->steps[i].column == c)
			return result->steps[i].what == LP_STEP_WAIT && result->steps[i].op == op;
	return false;
}

static bool has_steps(const struct lp_exploration *result, uint32_t c)
{
	for (uint32_t i = 0; i < result->step_count; i++)
		if (result->steps[i].column == c)
			return true;
	return false;
}

/* Those that have not even begun would get stuck as well, but that is no news. */
static int leave_out_bystanders(struct machine *m, const struct lp_exploration *result)
{
	uint8_t *before = malloc(m->column_count + 1);
	uint32_t tries = 0;

	if (!before)
		return -ENOMEM;
	for (uint32_t c = m->column_count; c-- > 0 && tries < BYSTANDERS;) {
		if (!m->stuck[c] || has_steps(result, c) || lp_x_is_missed(m, c))
			continue;
		tries++;
		(void)lp_x_stuck_without(m, c, before);
	}
	free(before);
	return 0;
}

/* For the loaded state: who is stuck, and where. */
static void put_stuck(const struct machine *m, struct lp_exploration *result)
{
	for (uint32_t c = 0; c < m->column_count; c++) {
		struct lp_explore_stuck *stuck;

		if (!m->stuck[c])
			continue;
		stuck = &result->stuck[result->stuck_count++];
		*stuck = (struct lp_explore_stuck){ .column = c, .body = op_at(m, m->pc[c])->body,
			.op = m->pc[c] - 1, .holder_column = lp_x_holder(m, c),
			.behind_op = lp_x_behind(m, c) - 1, .fork_step = UINT32_MAX };
		if (!has_begun_to_wait(result, c, stuck->op))
			result->steps[result->step_count++] = (struct lp_explore_step){
				.column = c, .body = stuck->body, .op = stuck->op,
				.what = LP_STEP_WAIT };
	}
}

/* In the loaded state: who else has the lock? UINT32_MAX: nobody */
static uint32_t holder_now(const struct machine *m, uint32_t object)
{
	const struct x_lock *lock = &m->locks[object];

	if (lock->owner || !lock->readers)
		return lock->owner - 1;
	for (uint32_t c = 0; c < m->column_count; c++)
		if (!is_child(m, c) && held(m, c, hold_of(m, c, object)))
			return c;
	return UINT32_MAX;
}

/* A child waits for what somebody held when it was made, who may have given it back since. */
static void put_fork(struct way *way, struct lp_explore_stuck *stuck)
{
	struct machine *m = way->m;
	const struct x_column *child = &m->columns[stuck->column];
	const struct x_op *op = &m->ops[stuck->op];

	if (child->kind != COLUMN_CHILD || op->kind != LP_OP_ACQUIRE)
		return;
	memcpy(way->state, way->first, m->size);
	for (uint32_t i = 0; i < way->count; i++) {
		lp_x_load(m, way->state);
		if (way->at[i].column == child->parent && way->at[i].op == child->fork &&
		    !m->depth[stuck->column]) {
			stuck->holder_column = holder_now(m, op->object);
			stuck->fork_step = i;
		}
		if (!take_step(way, &way->at[i]))
			break;
	}
	lp_x_load(m, way->state);
	if (held(m, stuck->column, op->hold) == HELD_FROZEN)
		return;
	stuck->holder_column = stuck->column;
	stuck->fork_step = UINT32_MAX;
}

static int put_result(struct way *way, struct lp_exploration *result)
{
	struct machine *m = way->m;

	result->steps = calloc(way->count + m->column_count + 1, sizeof(*result->steps));
	result->stuck = calloc(m->column_count + 1, sizeof(*result->stuck));
	if (!result->steps || !result->stuck)
		return -ENOMEM;
	put_choices(way, result);
	if (leave_out_bystanders(m, result))
		return -ENOMEM;
	put_stuck(m, result);
	for (uint32_t i = 0; m->forks && i < result->stuck_count; i++)
		put_fork(way, &result->stuck[i]);
	return 0;
}

static int shorten_way(struct way *way)
{
	leave_out(way);
	move_together(way);
	(void)replay(way, way->at, way->count);
	return extend(way);
}

static void begin_way(struct way *way, struct machine *m)
{
	uint64_t budget = BUDGET_BYTES / m->size;

	*way = (struct way){ .m = m, .budget = budget < BUDGET ? (uint32_t)budget : BUDGET };
	m->emit = compare;
	m->context = way;
}

static int end_way(struct way *way, int error, struct lp_exploration *result)
{
	if (!error)
		error = put_result(way, result);
	way->m->context = NULL;
	free(way->at);
	free(way->trial);
	free(way->state);
	free(way->first);
	free(way->before);
	return error;
}

int lp_x_witness_dive(struct machine *m, const struct store *store, const struct dive *dive,
		      struct lp_exploration *result)
{
	struct way way;
	int error;

	begin_way(&way, m);
	error = make_room(&way, store, dive->count);
	if (!error) {
		memcpy(way.at, dive->at, dive->count * sizeof(*way.at));
		error = shorten_way(&way);
	}
	return end_way(&way, error, result);
}

int lp_x_witness(struct machine *m, const struct store *store, uint32_t last, bool shorten,
		 struct lp_exploration *result)
{
	struct way way;
	int error;

	begin_way(&way, m);
	error = recover(&way, store, last);
	if (!error && shorten)
		error = shorten_way(&way);
	else if (!error)
		lp_x_load(m, store_state(store, last));
	return end_way(&way, error, result);
}

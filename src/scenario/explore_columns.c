/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_columns.c — the explorer: what strikes, and the columns that code runs in
 * (docs/explorer.md, "The machine").
 */
#include "scenario/explore_compile.h"

#define THREADS_SAME	8u	/* live threads of one body at most */
#define CHILDREN_MAX	64u	/* forked children at most */

/* ---- handlers ---- */

void lp_x_find_handlers(struct machine *m)
{
	const struct lp_scenario *s = m->scenario;

	m->handlers = lp_x_take(m, s->body_count, sizeof(uint32_t));
	for (uint32_t b = 1; b < s->body_count && !m->no_memory; b++) {
		struct touch *all = s->bodies[b].kind == LP_BODY_SIGNAL ? &m->signal_touch :
				    &m->kernel_touch;

		if (!m->bodies[b].first || !is_handler(s->bodies[b].kind))
			continue;
		m->bodies[b].handler = m->handler_count;
		m->handlers[m->handler_count++] = b;
		*all = touch_or(*all, m->bodies[b].all);
	}
}

/* ---- columns ---- */

/* How many columns a body has of its own. */
static uint32_t columns_of(const struct machine *m, uint32_t b, const uint32_t *creations)
{
	switch (m->scenario->bodies[b].kind) {
	case LP_BODY_TASK:
	case LP_BODY_WORK:
		return 1;
	case LP_BODY_THREAD:
		return creations[b] < THREADS_SAME ? creations[b] : THREADS_SAME;
	case LP_BODY_SOFTIRQ:
		return 2;
	case LP_BODY_SIGNAL:
		return 0;
	default:
		return 1;
	}
}

static enum column_kind column_kind_of(enum lp_body_kind kind)
{
	return kind == LP_BODY_TASK ? COLUMN_TASK : kind == LP_BODY_THREAD ? COLUMN_THREAD :
	       kind == LP_BODY_WORK ? COLUMN_WORK : COLUMN_IDLE;
}

static void add_children(struct machine *m, uint32_t column, uint32_t b, uint32_t *children)
{
	const struct lp_scenario *s = m->scenario;

	for (uint32_t k = 0; k < s->bodies[b].count && *children < CHILDREN_MAX; k++) {
		uint32_t i = s->bodies[b].first + k;

		if (s->ops[i].kind != LP_OP_FORK)
			continue;
		m->columns[m->column_count++] = (struct x_column){ .kind = COLUMN_CHILD,
			.body = m->columns[column].body, .parent = column, .fork = i + 1 };
		(*children)++;
		m->frozen = true;
	}
}

static void add_columns(struct machine *m, const uint32_t *creations)
{
	const struct lp_scenario *s = m->scenario;
	uint32_t own, children = 0;

	for (uint32_t b = 1; b < s->body_count; b++) {
		uint32_t count = m->bodies[b].first ? columns_of(m, b, creations) : 0;

		m->bodies[b].column = m->column_count;
		m->bodies[b].columns = count;
		for (uint32_t i = 0; i < count; i++)
			m->columns[m->column_count++] = (struct x_column){
				.kind = column_kind_of(s->bodies[b].kind), .body = b, .number = i };
	}
	own = m->column_count;
	for (uint32_t c = 0; c < own && m->forks; c++) {
		if (m->columns[c].kind != COLUMN_TASK && m->columns[c].kind != COLUMN_THREAD)
			continue;
		add_children(m, c, m->columns[c].body, &children);
		for (uint32_t i = 0; i < m->handler_count; i++)
			if (s->bodies[m->handlers[i]].kind == LP_BODY_SIGNAL)
				add_children(m, c, m->handlers[i], &children);
	}
}

/* What a flush waits for has a place in the frame of the flush. */
static void place_snaps(struct machine *m)
{
	const struct lp_scenario *s = m->scenario;

	for (uint32_t b = 1; b < s->body_count; b++)
		if (m->bodies[b].waited && (s->bodies[b].kind == LP_BODY_WORK ||
					    s->bodies[b].kind == LP_BODY_RCU))
			m->bodies[b].snap = m->snap_bodies++;
}

/* A signal handler that unblocks signals can be on top of itself. */
static void count_signal_levels(struct machine *m)
{
	const struct lp_scenario *s = m->scenario;
	bool unblocks = false;

	for (uint32_t b = 1; b < s->body_count; b++)
		unblocks |= s->bodies[b].kind == LP_BODY_SIGNAL &&
			    has_one_of(s, b, OP_BIT(SIG_UNBLOCK) | OP_BIT(SIG_SETMASK));
	m->signal_levels = m->signal_count * (1 + unblocks);
}

void lp_x_make_columns(struct machine *m)
{
	const struct lp_scenario *s = m->scenario;
	uint32_t *creations = lp_x_take(m, s->body_count, sizeof(*creations)), count = CHILDREN_MAX;

	if (!creations)
		return;
	for (uint32_t i = 0; i < s->op_count; i++)
		if (s->ops[i].kind == LP_OP_THREAD_CREATE)
			creations[s->ops[i].other]++;
	for (uint32_t b = 1; b < s->body_count; b++)
		count += columns_of(m, b, creations);
	place_snaps(m);
	count_signal_levels(m);
	m->columns = lp_x_take(m, count, sizeof(*m->columns));
	if (m->columns)
		add_columns(m, creations);
	m->circles = m->handler_count != 0;
	for (uint32_t c = 0; c < m->column_count; c++)
		m->circles |= m->columns[c].kind == COLUMN_WORK ||
			      m->columns[c].kind == COLUMN_THREAD;
}

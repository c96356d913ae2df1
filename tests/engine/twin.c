/* SPDX-License-Identifier: Apache-2.0 */
/* twin.c — the engine's judgement, made the slow and obvious way. */
#include "twin.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"

#define ENTRIES		4096u
#define FOUND		4096u
#define EPOCHS		24u
#define POINTS		(TWIN_OBJECTS * EPOCHS)

/* From bad to worse; the reason of each. */
enum stage {
	NONE, PROCESSES, INSTANCES, SAME_CLASS, TIMED, READERS, ONE_THREAD, ORDERED, GATE, FEASIBLE
};

static const enum lp_reason reasons[] = {
	[PROCESSES] = LP_REASON_PROCESSES, [INSTANCES] = LP_REASON_INSTANCES,
	[SAME_CLASS] = LP_REASON_SAME_CLASS, [TIMED] = LP_REASON_TIMED,
	[READERS] = LP_REASON_READERS, [ONE_THREAD] = LP_REASON_ONE_THREAD,
	[ORDERED] = LP_REASON_ORDERED, [GATE] = LP_REASON_GATE, [FEASIBLE] = LP_REASON_CONCURRENT,
};

struct instance {
	uint32_t	process, class;
	uint64_t	serial;
};

struct entry {
	uint32_t	witness, held, wanted;
	uint32_t	from, to;	/* instances; 0: unknown */
	uint32_t	from_class, to_class, process;
};

struct found {
	enum lp_finding_kind kind;
	enum stage	stage;
	uint32_t	count;
	uint32_t	class[TWIN_OBJECTS];
};

struct twin {
	const struct lp_model *m;
	struct instance	instance[TWIN_OBJECTS + 1];
	uint32_t	instances;
	struct entry	entry[ENTRIES];
	uint32_t	entries;
	bool		class_kind[TWIN_OBJECTS + 1][TWIN_OBJECTS + 1][4];
	bool		before[POINTS][POINTS];
	struct found	found[FOUND];
	uint32_t	founds;
	/* the walk */
	uint32_t	path[TWIN_OBJECTS], length;
	uint32_t	chosen[TWIN_OBJECTS];
	enum stage	best;
	bool		relocked[TWIN_OBJECTS + 1];
};

static const struct lp_model_node *node_at(const struct twin *t, uint32_t node)
{
	return &t->m->nodes.at[node];
}

static bool reads(const struct twin *t, uint32_t node)
{
	return node_at(t, node)->mode != LP_WRITE;
}

static bool passes(const struct twin *t, uint32_t node)
{
	return node_at(t, node)->mode == LP_READ_RECURSIVE ||
	       (node_at(t, node)->mode == LP_READ && (node_at(t, node)->flags & LP_PREFER));
}

static uint32_t instance_of(struct twin *t, uint32_t witness, uint32_t up, uint32_t node)
{
	const struct lp_model_witness *w = &t->m->witnesses.at[witness];
	uint32_t process = t->m->threads.at[w->thread].process;

	if (!w->serial[up])
		return 0;
	for (uint32_t i = 1; i <= t->instances; i++)
		if (t->instance[i].process == process && t->instance[i].serial == w->serial[up])
			return i;
	assert(t->instances < TWIN_OBJECTS);
	t->instance[++t->instances] = (struct instance){
		.process = process, .serial = w->serial[up],
		.class = lp_model_node_class(t->m, node),
	};
	return t->instances;
}

static bool relock_returns(const struct twin *t, uint32_t held, uint32_t wanted)
{
	enum lp_lock_kind kind = lp_model_node_fine(t->m, wanted)->kind;

	return kind == LP_LOCK_RECURSIVE || kind == LP_LOCK_ERRORCHECK ||
	       (reads(t, held) && passes(t, wanted));
}

/* With witness 0: could it be so? */
static bool own_lock_again(struct twin *t, uint32_t node, uint32_t witness)
{
	uint32_t up = 1;

	for (uint32_t h = node_at(t, node)->parent; h; h = node_at(t, h)->parent, up++) {
		uint32_t a, b;

		if (lp_model_node_class(t->m, h) != lp_model_node_class(t->m, node) ||
		    !relock_returns(t, h, node))
			continue;
		if (!witness)
			return true;
		a = instance_of(t, witness, 0, node);
		b = instance_of(t, witness, up, h);
		if (!a || !b || a == b)
			return true;
	}
	return false;
}

static unsigned kind_of(const struct twin *t, uint32_t held, uint32_t wanted)
{
	return (reads(t, held) ? 0 : 1) | (node_at(t, wanted)->mode == LP_READ_RECURSIVE ? 0 : 2);
}

static bool strong(unsigned kind, unsigned next)
{
	return (kind & 2) || (next & 1);
}

static void collect_node(struct twin *t, uint32_t node)
{
	bool blocks = !own_lock_again(t, node, 0);

	if (node_at(t, node)->flags & LP_TRY)
		return;
	for (uint32_t w = 1; w < t->m->witnesses.count; w++) {
		uint32_t up = 1, thread = t->m->witnesses.at[w].thread;

		if (t->m->witnesses.at[w].node != node || own_lock_again(t, node, w))
			continue;
		blocks = true;
		for (uint32_t h = node_at(t, node)->parent; h; h = node_at(t, h)->parent, up++) {
			assert(t->entries < ENTRIES);
			t->entry[t->entries++] = (struct entry){
				.witness = w, .held = h, .wanted = node,
				.from = instance_of(t, w, up, h), .to = instance_of(t, w, 0, node),
				.from_class = lp_model_node_class(t->m, h),
				.to_class = lp_model_node_class(t->m, node),
				.process = t->m->threads.at[thread].process,
			};
		}
	}
	for (uint32_t h = node_at(t, node)->parent; blocks && h; h = node_at(t, h)->parent)
		t->class_kind[lp_model_node_class(t->m, h)][lp_model_node_class(t->m, node)]
			     [kind_of(t, h, node)] = true;
}

/* Threads times epochs, ordered by everything that orders them, closed transitively. */
static uint32_t point(uint32_t thread, uint32_t epoch)
{
	assert(thread < TWIN_OBJECTS && epoch < EPOCHS);
	return thread * EPOCHS + epoch;
}

static void close_order(struct twin *t)
{
	for (uint32_t k = 0; k < t->m->threads.count * EPOCHS; k++)
		for (uint32_t a = 0; a < t->m->threads.count * EPOCHS; a++)
			for (uint32_t b = 0; t->before[a][k] && b < t->m->threads.count * EPOCHS; b++)
				t->before[a][b] |= t->before[k][b];
}

static void collect_order(struct twin *t)
{
	for (uint32_t i = 1; i < t->m->threads.count; i++) {
		const struct lp_model_thread *thread = &t->m->threads.at[i];
		const struct lp_model_process *p = &t->m->processes.at[thread->process];

		for (uint32_t e = 0; e + 1 < EPOCHS; e++)
			t->before[point(i, e)][point(i, e + 1)] = true;
		if (thread->creator)
			t->before[point(thread->creator, thread->creator_epoch)][point(i, 0)] = true;
		else if (p->parent_thread)
			t->before[point(p->parent_thread, p->parent_epoch)][point(i, 0)] = true;
	}
	for (uint32_t i = 1; i < t->m->joins.count; i++) {
		const struct lp_model_join *j = &t->m->joins.at[i];

		t->before[point(j->joined, EPOCHS - 1)][point(j->joiner, j->epoch)] = true;
	}
	close_order(t);
}

/* Do two witnesses hold one lock, of which one holds it alone? Unknown locks count as any. */
static bool gated(struct twin *t, uint32_t a, uint32_t b)
{
	uint32_t x = t->m->witnesses.at[a].node, i = 1;

	for (x = node_at(t, x)->parent; x; x = node_at(t, x)->parent, i++) {
		uint32_t y = t->m->witnesses.at[b].node, k = 1;

		for (y = node_at(t, y)->parent; y; y = node_at(t, y)->parent, k++) {
			uint32_t p = instance_of(t, a, i, x), q = instance_of(t, b, k, y);

			if (lp_model_node_class(t->m, x) == lp_model_node_class(t->m, y) &&
			    (p == q || !p || !q) && !(reads(t, x) && reads(t, y)))
				return true;
		}
	}
	return false;
}

static enum stage weigh_two(struct twin *t, uint32_t a, uint32_t b)
{
	const struct lp_model_witness *x = &t->m->witnesses.at[a], *y = &t->m->witnesses.at[b];
	uint32_t p = point(x->thread, x->epoch), q = point(y->thread, y->epoch);

	if (x->thread == y->thread)
		return ONE_THREAD;
	if (t->before[p][q] || t->before[q][p])
		return ORDERED;
	return gated(t, a, b) ? GATE : FEASIBLE;
}

static bool fits(struct twin *t, const uint32_t *party, uint32_t count, uint32_t one_more)
{
	for (uint32_t i = 0; i < count; i++)
		if (weigh_two(t, party[i], one_more) != FEASIBLE)
			return false;
	return true;
}

/* A writer for each reader that waits for a reader, all of them and the others together. */
static bool writers_exist(struct twin *t, uint32_t i, uint32_t *party, uint32_t count)
{
	const struct entry *wants, *holder;

	if (i == t->length)
		return true;
	wants = &t->entry[t->chosen[i]];
	holder = &t->entry[t->chosen[(i + 1) % t->length]];
	if (!reads(t, wants->wanted) || !reads(t, holder->held))
		return writers_exist(t, i + 1, party, count);
	for (uint32_t w = 1; w < t->m->witnesses.count; w++) {
		uint32_t node = t->m->witnesses.at[w].node;

		if (reads(t, node) || (node_at(t, node)->flags & (LP_TRY | LP_TIMED)) ||
		    instance_of(t, w, 0, node) != wants->to || !fits(t, party, count, w))
			continue;
		party[count] = w;
		if (writers_exist(t, i + 1, party, count + 1))
			return true;
	}
	return false;
}

static void lower(enum stage *stage, enum stage other)
{
	if (other < *stage)
		*stage = other;
}

static enum stage weigh_all(struct twin *t)
{
	enum stage stage = FEASIBLE;
	uint32_t party[2 * TWIN_OBJECTS];

	for (uint32_t i = 0; i < t->length; i++) {
		const struct entry *e = &t->entry[t->chosen[i]];
		const struct entry *next = &t->entry[t->chosen[(i + 1) % t->length]];

		party[i] = e->witness;
		if (node_at(t, e->wanted)->flags & LP_TIMED)
			lower(&stage, TIMED);
		if (reads(t, e->wanted) && reads(t, next->held)) {
			if (node_at(t, e->wanted)->mode == LP_READ_RECURSIVE)
				return NONE;
			if (passes(t, e->wanted))
				lower(&stage, READERS);
		}
		for (uint32_t k = 0; k < i; k++)
			lower(&stage, weigh_two(t, t->entry[t->chosen[k]].witness, e->witness));
	}
	if (stage > READERS && !writers_exist(t, 0, party, t->length))
		stage = READERS;
	return stage;
}

static void try_all(struct twin *t, uint32_t i)
{
	enum stage stage;

	if (i == t->length) {
		stage = weigh_all(t);
		t->best = stage > t->best ? stage : t->best;
		return;
	}
	for (uint32_t e = 0; e < t->entries && t->best < FEASIBLE; e++) {
		if (t->entry[e].from != t->path[i] ||
		    t->entry[e].to != t->path[(i + 1) % t->length])
			continue;
		t->chosen[i] = e;
		try_all(t, i + 1);
	}
}

/* Note a cycle of classes, in any rotation. */
static void note(struct twin *t, enum lp_finding_kind kind, const uint32_t *class, uint32_t count,
		 enum stage stage)
{
	struct found *f;

	for (uint32_t i = 0; i < t->founds; i++) {
		f = &t->found[i];
		for (uint32_t start = 0; f->kind == kind && f->count == count && start < count;
		     start++) {
			uint32_t same = 0;

			while (same < count && f->class[(start + same) % count] == class[same])
				same++;
			if (same < count)
				continue;
			f->stage = stage > f->stage ? stage : f->stage;
			return;
		}
	}
	assert(t->founds < FOUND);
	f = &t->found[t->founds++];
	*f = (struct found){ .kind = kind, .count = count, .stage = stage };
	memcpy(f->class, class, count * sizeof(*class));
}

static bool have_pair(const struct twin *t, uint32_t from, uint32_t to)
{
	for (uint32_t e = 0; e < t->entries; e++)
		if (t->entry[e].from == from && t->entry[e].to == to)
			return true;
	return false;
}

static void judge_loop(struct twin *t)
{
	uint32_t class[TWIN_OBJECTS];

	t->best = NONE;
	try_all(t, 0);
	for (uint32_t i = 0; i < t->length; i++)
		class[i] = t->instance[t->path[i]].class;
	if (t->best != NONE)
		note(t, t->length == 1 ? LP_FINDING_RECURSIVE_LOCKING :
		     LP_FINDING_CIRCULAR_LOCKING, class, t->length, t->best);
}

/* All elementary cycles whose lowest instance is path[0]. */
static void walk_instances(struct twin *t)
{
	uint32_t last = t->path[t->length - 1];

	if (have_pair(t, last, t->path[0]))
		judge_loop(t);
	for (uint32_t next = t->path[0] + 1; next <= t->instances; next++) {
		bool passed = !have_pair(t, last, next);

		for (uint32_t i = 0; i < t->length; i++)
			passed = passed || t->path[i] == next;
		if (passed)
			continue;
		t->path[t->length++] = next;
		walk_instances(t);
		t->length--;
	}
}

/* Kinds for the class cycle in path[], among those that `process` was seen with (0: any). */
static bool kinds_fit(const struct twin *t, uint32_t i, unsigned first, unsigned last,
		      uint32_t process, bool seen)
{
	uint32_t from = t->path[i % t->length], to = t->path[(i + 1) % t->length];

	if (i == t->length)
		return strong(last, first);
	for (unsigned kind = 0; kind < 4; kind++) {
		bool have = !seen && t->class_kind[from][to][kind];

		for (uint32_t e = 0; seen && e < t->entries; e++)
			have = have || (t->entry[e].from_class == from &&
					t->entry[e].to_class == to &&
					(!process || t->entry[e].process == process) &&
					kind_of(t, t->entry[e].held, t->entry[e].wanted) == kind);
		if (have && (!i || strong(last, kind)) &&
		    kinds_fit(t, i + 1, i ? first : kind, kind, process, seen))
			return true;
	}
	return false;
}

static void judge_class_cycle(struct twin *t)
{
	enum stage stage = PROCESSES;

	if (!kinds_fit(t, 0, 0, 0, 0, false))
		return;
	for (uint32_t p = 1; p < t->m->processes.count; p++)
		if (kinds_fit(t, 0, 0, 0, p, true))
			stage = INSTANCES;
	note(t, LP_FINDING_CIRCULAR_LOCKING, t->path, t->length, stage);
}

static void walk_classes(struct twin *t)
{
	if (t->length > 1)
		judge_class_cycle(t);
	for (uint32_t next = t->path[0] + 1; next < t->m->classes.count; next++) {
		bool passed = false;

		for (uint32_t i = 0; i < t->length; i++)
			passed = passed || t->path[i] == next;
		if (passed)
			continue;
		t->path[t->length++] = next;
		walk_classes(t);
		t->length--;
	}
}

static void note_nesting(struct twin *t)
{
	for (uint32_t e = 0; e < t->entries; e++)
		if (t->entry[e].from_class == t->entry[e].to_class &&
		    (t->entry[e].from != t->entry[e].to || !t->entry[e].to) &&
		    kind_of(t, t->entry[e].held, t->entry[e].wanted))
			note(t, LP_FINDING_RECURSIVE_LOCKING, &t->entry[e].to_class, 1, SAME_CLASS);
}

static bool passes_class(const struct found *f, uint32_t class)
{
	for (uint32_t i = 0; i < f->count; i++)
		if (f->class[i] == class)
			return true;
	return false;
}

static bool subset(const struct found *a, const struct found *b)
{
	for (uint32_t i = 0; i < a->count; i++)
		if (!passes_class(b, a->class[i]))
			return false;
	return true;
}

static bool covered(const struct twin *t, const struct found *f)
{
	for (uint32_t i = 0; i < t->founds; i++) {
		const struct found *o = &t->found[i];

		if (o->kind != LP_FINDING_CIRCULAR_LOCKING || !subset(o, f))
			continue;
		if (f->kind == o->kind && o->count < f->count &&
		    (o->stage == FEASIBLE || f->stage != FEASIBLE))
			return true;
		if (f->kind != o->kind && f->stage == SAME_CLASS)
			return true;
	}
	return false;
}

static char *line_of(const struct twin *t, const struct found *f)
{
	char *best = NULL;

	for (uint32_t start = 0; start < f->count; start++) {
		char *line = malloc(80 + 20 * f->count);
		int used = sprintf(line, "%s %s %d", lp_finding_kind_id(f->kind),
				   f->stage == FEASIBLE ? "feasible" : "possible",
				   (int)reasons[f->stage]);

		for (uint32_t i = 0; i < f->count; i++)
			used += sprintf(line + used, " %016" PRIx64,
					t->m->classes.at[f->class[(start + i) % f->count]].key);
		if (best && strcmp(best, line) <= 0) {
			free(line);
			continue;
		}
		free(best);
		best = line;
	}
	return best;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *print(const struct twin *t)
{
	char **line = calloc(t->founds + 1, sizeof(*line));
	char *all = calloc(t->founds + 1, 100 + 20 * TWIN_OBJECTS);
	uint32_t lines = 0;

	for (uint32_t i = 0; i < t->founds; i++)
		if (!covered(t, &t->found[i]))
			line[lines++] = line_of(t, &t->found[i]);
	qsort(line, lines, sizeof(*line), compare);
	for (uint32_t i = 0; i < lines; i++) {
		strcat(all, line[i]);
		strcat(all, "\n");
		free(line[i]);
	}
	free(line);
	return all;
}

char *twin_summary(const struct lp_model *model)
{
	struct twin *t = calloc(1, sizeof(*t));
	char *summary;

	assert(t && model->classes.count <= TWIN_OBJECTS && model->threads.count <= TWIN_OBJECTS);
	t->m = model;
	collect_order(t);
	for (uint32_t node = 1; node < model->nodes.count; node++)
		collect_node(t, node);
	note_nesting(t);
	for (t->length = 1, t->path[0] = 1; t->path[0] < model->classes.count; t->path[0]++)
		walk_classes(t);
	for (t->length = 1, t->path[0] = 1; t->path[0] <= t->instances; t->path[0]++)
		walk_instances(t);
	summary = print(t);
	free(t);
	return summary;
}

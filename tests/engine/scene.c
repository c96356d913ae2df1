/* SPDX-License-Identifier: Apache-2.0 */
/* scene.c — facts made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scene.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* Make room for a thread number. */
static void room_for(struct scene *s, uint32_t t)
{
	uint32_t room = s->threads ? s->threads : 64;

	while (room <= t)
		room *= 2;
	if (room == s->threads)
		return;
	s->thread = realloc(s->thread, room * sizeof(*s->thread));
	assert_non_null(s->thread);
	memset(s->thread + s->threads, 0, (room - s->threads) * sizeof(*s->thread));
	s->threads = room;
}

struct scene *scene_open(void)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct lp_model_module module = { .path = (char *)"/bin/scene", .build_id_size = 0 };

	assert_non_null(s);
	s->model = lp_model_create();
	s->engine = lp_engine_create();
	assert_true(s->model && s->engine);
	s->module = lp_model_add_module(s->model, &module);
	assert_int_not_equal(s->module, 0);
	room_for(s, 0);
	scene_fork(s, 0, 0);
	return s;
}

void scene_close(struct scene *s)
{
	for (uint32_t t = 0; t < s->threads; t++)
		free(s->thread[t].held);
	free(s->thread);
	free(s->lock);
	lp_engine_destroy(s->engine);
	lp_model_destroy(s->model);
	free(s);
}

static uint32_t add_fine(struct scene *s, uint32_t n, struct lp_model_fine fine)
{
	if (!s->fine[n]) {
		s->fine[n] = lp_model_add_fine(s->model, &fine);
		assert_int_not_equal(s->fine[n], 0);
	}
	return s->fine[n];
}

static uint32_t class_as(struct scene *s, uint32_t n, struct lp_model_fine fine)
{
	struct lp_model_frame frame = { .module = s->module, .offset = 0x1000 + 16 * n };
	struct lp_model_stack stack = { .frame = &frame, .count = 1 };

	if (s->fine[n])
		return s->fine[n];
	fine.origin = LP_ORIGIN_INIT;
	fine.stack = lp_model_add_stack(s->model, &stack);
	assert_int_not_equal(fine.stack, 0);
	return add_fine(s, n, fine);
}

uint32_t scene_class_of(struct scene *s, uint32_t n, enum lp_lock_kind kind)
{
	return class_as(s, n, (struct lp_model_fine){ .kind = kind });
}

void scene_refine(struct scene *s, uint32_t n)
{
	s->refined[n] = true;
}

uint32_t scene_class_with(struct scene *s, uint32_t n, enum lp_lock_kind kind, unsigned flags)
{
	s->refined[n] = s->refined[n] || (flags & LP_CLASS_ORDERED);
	return class_as(s, n, (struct lp_model_fine){ .kind = kind, .flags = (uint8_t)flags });
}

uint32_t scene_subclass(struct scene *s, uint32_t n, uint32_t of, uint8_t subclass)
{
	const struct lp_model_fine *base = &s->model->fines.at[scene_class(s, of)];

	s->refined[n] = s->refined[of];
	s->of[n] = of;
	return class_as(s, n, (struct lp_model_fine){
		.kind = base->kind, .flags = base->flags, .base = s->fine[of],
		.subclass = subclass, .key = lp_hash_add(base->key, subclass),
		.object = base->object,
	});
}

uint32_t scene_class(struct scene *s, uint32_t n)
{
	return scene_class_of(s, n, LP_LOCK_MUTEX);
}

uint32_t scene_static(struct scene *s, uint32_t n)
{
	return add_fine(s, n, (struct lp_model_fine){
		.kind = LP_LOCK_MUTEX, .origin = LP_ORIGIN_STATIC,
		.object = { .module = s->module, .offset = 0x90000 + 64 * n },
	});
}

void scene_fork(struct scene *s, uint32_t process, uint32_t parent)
{
	struct lp_model_process p = {
		.image = 1, .pid = 100 + process, .exe = (char *)"", .args = (char *)"",
	};

	if (parent) {
		p.parent_thread = s->thread[parent].index;
		p.parent_epoch = s->thread[parent].epoch++;
	}
	s->process[process] = lp_model_add_process(s->model, &p);
	assert_int_not_equal(s->process[process], 0);
}

void scene_start(struct scene *s, uint32_t t, uint32_t process, uint32_t creator)
{
	struct lp_model_thread thread = { .process = s->process[process], .number = t };

	room_for(s, t);
	s->thread[t].process = process;
	if (creator) {
		thread.creator = s->thread[creator].index;
		thread.creator_epoch = s->thread[creator].epoch++;
	}
	s->thread[t].index = lp_model_add_thread(s->model, &thread);
	assert_int_not_equal(s->thread[t].index, 0);
}

void scene_join(struct scene *s, uint32_t joiner, uint32_t joined)
{
	struct lp_model_join join = {
		.joiner = s->thread[joiner].index, .epoch = ++s->thread[joiner].epoch,
		.joined = s->thread[joined].index,
	};

	assert_int_not_equal(lp_model_add_join(s->model, &join), 0);
}

uint32_t scene_context(struct scene *s, uint32_t n, enum lp_context_kind kind)
{
	char name[8];
	struct lp_model_context context = { .kind = kind, .number = n, .name = name };

	assert_true(n > 0 && n < SCENE_CONTEXTS);
	if (s->context[n])
		return s->context[n];
	snprintf(name, sizeof(name), "c%u", (unsigned)n);
	s->context[n] = lp_model_add_context(s->model, &context);
	assert_int_not_equal(s->context[n], 0);
	return s->context[n];
}

static struct scene_thread *thread_of(struct scene *s, uint32_t t)
{
	room_for(s, t);
	if (!s->thread[t].index)
		scene_start(s, t, 0, 0);
	return &s->thread[t];
}

static struct scene_frame *frame_of(struct scene_thread *thread)
{
	return &thread->frame[thread->nested];
}

/* The model's state of the innermost frame: what it runs in, from the outermost on, and `on`. */
static void set_state(struct scene *s, struct scene_thread *thread)
{
	struct scene_frame *f = frame_of(thread);
	uint32_t index[2 * SCENE_CONTEXTS];
	struct lp_model_state state = { .wait = f->wait, .context_index = index };

	for (uint32_t i = 0; i <= thread->nested; i++)
		if (thread->frame[i].context)
			index[state.in_count++] = scene_context(s, thread->frame[i].context,
								LP_CONTEXT_SOFTIRQ);
	if (f->context)
		state.context = index[state.in_count - 1];
	for (uint32_t n = 1; n < SCENE_CONTEXTS; n++)
		if (f->on & 1u << n)
			index[state.in_count + state.on_count++] =
				scene_context(s, n, LP_CONTEXT_SOFTIRQ);
	f->state = 0;
	if (!state.in_count && !state.on_count && !state.wait)
		return;
	f->state = lp_model_add_state(s->model, &state);
	assert_int_not_equal(f->state, 0);
}

static void add_float(struct scene *s, uint32_t t, uint32_t process, uint32_t creator, uint32_t n,
		      unsigned flags)
{
	struct lp_model_thread thread = {
		.process = s->process[process], .number = t, .flags = flags,
		.context = scene_context(s, n, LP_CONTEXT_SOFTIRQ),
	};

	room_for(s, t);
	if (creator) {
		thread.creator = s->thread[creator].index;
		thread.creator_epoch = s->thread[creator].epoch++;
	}
	s->thread[t].index = lp_model_add_thread(s->model, &thread);
	assert_int_not_equal(s->thread[t].index, 0);
	s->thread[t].process = process;
	s->thread[t].frame[0].context = n;
	set_state(s, &s->thread[t]);
}

void scene_float(struct scene *s, uint32_t t, uint32_t process, uint32_t n, unsigned flags)
{
	add_float(s, t, process, 0, n, flags);
}

void scene_float_after(struct scene *s, uint32_t t, uint32_t creator, uint32_t n, unsigned flags)
{
	add_float(s, t, s->thread[creator].process, creator, n, flags);
}

void scene_mask(struct scene *s, uint32_t t, uint32_t on, bool noted)
{
	struct scene_thread *thread = thread_of(s, t);

	frame_of(thread)->on = on;
	set_state(s, thread);
	if (noted)
		scene_note(s, t);
}

void scene_leaves(struct scene *s, uint32_t t, enum lp_wait_type wait)
{
	struct scene_thread *thread = thread_of(s, t);

	frame_of(thread)->wait = wait;
	set_state(s, thread);
}

void scene_enter(struct scene *s, uint32_t t, uint32_t n, uint32_t on)
{
	struct scene_thread *thread = thread_of(s, t);

	assert_true(thread->nested + 1 < SCENE_NESTED);
	thread->nested++;
	*frame_of(thread) = (struct scene_frame){ .context = n, .on = on, .base = thread->count };
	set_state(s, thread);
}

void scene_leave(struct scene *s, uint32_t t)
{
	struct scene_thread *thread = thread_of(s, t);

	assert_true(thread->nested > 0);
	thread->count = frame_of(thread)->base;
	thread->nested--;
}

uint32_t scene_held_count(const struct scene *s, uint32_t t)
{
	const struct scene_thread *thread = &s->thread[t];

	return thread->count - thread->frame[thread->nested].base;
}

/* Thread t was at `node`: with the locks of its frame up to held[top - 1]. */
static void add_witness(struct scene *s, const struct scene_thread *thread, uint32_t node,
			uint32_t top)
{
	const struct scene_frame *f = &thread->frame[thread->nested];
	bool acquired = s->model->nodes.at[node].fine != 0;
	uint64_t serial[64], *at = top < 63 ? serial : calloc(top + 1, sizeof(*at));
	struct lp_model_witness witness = {
		.node = node, .thread = thread->index, .epoch = thread->epoch, .serial = at,
		.below = f->base ? thread->held[f->base - 1].node : 0,
	};

	assert_non_null(at);
	if (!acquired)
		at[witness.count++] = 0;
	for (uint32_t i = top; i > f->base; i--)
		at[witness.count++] = thread->held[i - 1].serial;
	assert_int_not_equal(lp_model_add_witness(s->model, &witness), 0);
	if (at != serial)
		free(at);
}

void scene_note(struct scene *s, uint32_t t)
{
	struct scene_thread *thread = thread_of(s, t);
	const struct scene_frame *f = frame_of(thread);
	struct lp_model_node node = { .state = f->state };
	uint32_t index;

	if (thread->count == f->base || !f->state)
		return;
	node.parent = thread->held[thread->count - 1].node;
	index = lp_model_add_node(s->model, &node);
	assert_int_not_equal(index, 0);
	add_witness(s, thread, index, thread->count);
}

/* locks[] of a lock that nodes tell apart; 0 when they do not. */
static uint32_t lock_of(struct scene *s, const struct scene_thread *thread, uint32_t n,
			uint64_t serial)
{
	const struct lp_model_fine *own = &s->model->fines.at[s->fine[n]];
	struct scene_lock lock = {
		.process = thread->process, .fine = own->base ? own->base : s->fine[n],
		.serial = serial,
	};
	struct lp_model_lock made = {
		.fine = lock.fine, .process = s->process[lock.process], .serial = serial,
		.rank = (uint32_t)serial,
	};

	if (!s->refined[n] || serial == SCENE_UNKNOWN)
		return 0;
	for (uint32_t i = 0; i < s->locks; i++)
		if (s->lock[i].process == lock.process && s->lock[i].fine == lock.fine &&
		    s->lock[i].serial == serial)
			return s->lock[i].index;
	lock.index = lp_model_add_lock(s->model, &made);
	assert_int_not_equal(lock.index, 0);
	s->lock = realloc(s->lock, (s->locks + 1) * sizeof(lock));
	assert_non_null(s->lock);
	s->lock[s->locks++] = lock;
	return lock.index;
}

static void push(struct scene_thread *thread, struct scene_held held)
{
	if (thread->count == thread->room) {
		thread->room = thread->room ? 2 * thread->room : 8;
		thread->held = realloc(thread->held, thread->room * sizeof(*thread->held));
		assert_non_null(thread->held);
	}
	thread->held[thread->count++] = held;
}

/* 0: a lock for each class. */
static uint64_t serial_of(const struct scene *s, uint32_t n, uint64_t serial)
{
	return serial ? serial : 1000 + (s->of[n] ? s->of[n] : n);
}

uint32_t scene_take_with(struct scene *s, uint32_t t, const struct scene_want *want)
{
	struct scene_thread *thread = thread_of(s, t);
	const struct scene_frame *f = frame_of(thread);
	struct lp_model_node node = {
		.fine = scene_class(s, want->n), .mode = (uint8_t)want->mode,
		.flags = (uint8_t)want->flags, .state = f->state,
	};
	uint64_t serial = serial_of(s, want->n, want->serial);
	uint32_t index;

	node.lock = lock_of(s, thread, want->n, serial);
	if (want->nest) {
		node.nest = scene_class(s, want->nest);
		node.nest_lock = want->nest_serial ?
			lock_of(s, thread, want->nest, want->nest_serial) : 0;
	}
	if (thread->count > f->base)
		node.parent = thread->held[thread->count - 1].node;
	index = lp_model_add_node(s->model, &node);
	assert_int_not_equal(index, 0);
	push(thread, (struct scene_held){
		.node = index, .fine = node.fine, .serial = serial == SCENE_UNKNOWN ? 0 : serial,
	});
	add_witness(s, thread, index, thread->count);
	if (want->flags & LP_SYNC)
		thread->count--;
	return index;
}

uint32_t scene_take_as(struct scene *s, uint32_t t, uint32_t n, uint64_t serial,
		       enum lp_mode mode, unsigned flags)
{
	return scene_take_with(s, t, &(struct scene_want){
		.n = n, .serial = serial, .mode = mode, .flags = flags,
	});
}

uint32_t scene_take(struct scene *s, uint32_t t, uint32_t n)
{
	return scene_take_as(s, t, n, 0, LP_WRITE, 0);
}

void scene_drop(struct scene *s, uint32_t t)
{
	assert_true(scene_held_count(s, t) > 0);
	s->thread[t].count--;
}

void scene_drop_below(struct scene *s, uint32_t t, uint32_t up)
{
	struct scene_thread *thread = &s->thread[t];
	uint32_t at = thread->count - 1 - up;

	assert_true(up < scene_held_count(s, t));
	memmove(&thread->held[at], &thread->held[at + 1], up * sizeof(*thread->held));
	thread->count--;
	for (; at < thread->count; at++) {
		struct lp_model_node node = s->model->nodes.at[thread->held[at].node];

		node.parent = at > frame_of(thread)->base ? thread->held[at - 1].node : 0;
		node.flags |= LP_MOVED;
		thread->held[at].node = lp_model_add_node(s->model, &node);
		assert_int_not_equal(thread->held[at].node, 0);
		add_witness(s, thread, thread->held[at].node, at + 1);
	}
}

void scene_drop_all(struct scene *s, uint32_t t)
{
	if (t < s->threads)
		s->thread[t].count = s->thread[t].frame[s->thread[t].nested].base;
}

void scene_judge(struct scene *s)
{
	assert_int_equal(lp_model_regroup(s->model, NULL, NULL), 0);
	assert_int_equal(lp_engine_judge(s->engine, s->model), 0);
}

uint32_t scene_count(const struct scene *s, enum lp_finding_kind kind, enum lp_level level)
{
	uint32_t count = 0;

	for (size_t i = 0; i < lp_engine_finding_count(s->engine); i++) {
		const struct lp_finding *f = lp_engine_finding(s->engine, i);

		count += !f->covered && f->kind == kind && f->level == level;
	}
	return count;
}

uint32_t scene_told(const struct scene *s)
{
	uint32_t count = 0;

	for (size_t i = 0; i < lp_engine_finding_count(s->engine); i++)
		count += !lp_engine_finding(s->engine, i)->covered;
	return count;
}

const struct lp_finding *scene_only(const struct scene *s)
{
	const struct lp_finding *only = NULL;

	for (size_t i = 0; i < lp_engine_finding_count(s->engine); i++) {
		const struct lp_finding *f = lp_engine_finding(s->engine, i);

		if (f->covered)
			continue;
		assert_null(only);
		only = f;
	}
	assert_non_null(only);
	return only;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static uint64_t class_key(const struct lp_model *model, uint32_t node)
{
	return model->classes.at[lp_model_node_class(model, node)].key;
}

/* A wait: what was wanted and what forbids it. */
static char *describe_wait(const struct lp_finding *f, const struct lp_model *model)
{
	const struct lp_finding_edge *e = &f->edge[0];
	char *line = malloc(160);
	int used = snprintf(line, 160, "%s %s %d %016" PRIx64, lp_finding_kind_id(f->kind),
			    lp_level_name(f->level), (int)f->reason, class_key(model, e->wanted));

	if (e->held)
		snprintf(line + used, 160 - (size_t)used, " %016" PRIx64,
			 class_key(model, e->held));
	else
		snprintf(line + used, 160 - (size_t)used, " %s",
			 model->contexts.at[e->context].name);
	return line;
}

/*
 * The smallest of all rotations of the finding's class keys, found the slow way: what is held, what
 * strikes, and what is wanted where that is not of the class that the next one holds.
 */
static char *describe(const struct lp_finding *f, const struct lp_model *model)
{
	char *best = NULL;

	if (f->kind == LP_FINDING_INVALID_WAIT_CONTEXT && f->edge_count)
		return describe_wait(f, model);
	for (uint32_t start = 0; start < (f->edge_count ? f->edge_count : 1); start++) {
		size_t size = 80 + 50 * (size_t)f->edge_count;
		char *line = malloc(size);
		int used = snprintf(line, size, "%s %s %d", lp_finding_kind_id(f->kind),
				    lp_level_name(f->level), (int)f->reason);

		for (uint32_t i = 0; i < f->edge_count; i++) {
			const struct lp_finding_edge *e = &f->edge[(start + i) % f->edge_count];
			uint64_t next = class_key(model, f->edge[(start + i + 1) %
								 f->edge_count].held);

			used += snprintf(line + used, size - (size_t)used, " %016" PRIx64,
					 class_key(model, e->held));
			if (e->context)
				used += snprintf(line + used, size - (size_t)used, " %s",
						 model->contexts.at[e->context].name);
			if (class_key(model, e->wanted) != next)
				used += snprintf(line + used, size - (size_t)used,
						 " /%016" PRIx64, class_key(model, e->wanted));
		}
		if (!best || strcmp(line, best) < 0) {
			free(best);
			best = line;
		} else {
			free(line);
		}
	}
	return best;
}

char *scene_summary(const struct lp_engine *engine, const struct lp_model *model)
{
	size_t count = lp_engine_finding_count(engine), lines = 0, size = 1;
	char **line = calloc(count + 1, sizeof(*line));
	char *summary;

	for (size_t i = 0; i < count; i++) {
		const struct lp_finding *f = lp_engine_finding(engine, i);

		if (!f->covered)
			line[lines++] = describe(f, model);
	}
	qsort(line, lines, sizeof(*line), compare_lines);
	for (size_t i = 0; i < lines; i++)
		size += strlen(line[i]) + 1;
	summary = calloc(size, 1);
	for (size_t i = 0; i < lines; i++) {
		strcat(summary, line[i]);
		strcat(summary, "\n");
		free(line[i]);
	}
	free(line);
	return summary;
}

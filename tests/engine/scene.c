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

uint32_t scene_class_of(struct scene *s, uint32_t n, enum lp_lock_kind kind)
{
	struct lp_model_frame frame = { .module = s->module, .offset = 0x1000 + 16 * n };
	struct lp_model_stack stack = { .frame = &frame, .count = 1 };
	struct lp_model_fine fine = { .kind = kind, .origin = LP_ORIGIN_INIT };

	if (s->fine[n])
		return s->fine[n];
	fine.stack = lp_model_add_stack(s->model, &stack);
	assert_int_not_equal(fine.stack, 0);
	return add_fine(s, n, fine);
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

static void add_witness(struct scene *s, const struct scene_thread *thread, uint32_t node)
{
	uint64_t *serial = calloc(thread->count, sizeof(*serial));
	struct lp_model_witness witness = {
		.node = node, .thread = thread->index, .epoch = thread->epoch,
		.count = thread->count, .serial = serial,
	};

	assert_non_null(serial);
	for (uint32_t i = 0; i < thread->count; i++)
		serial[i] = thread->held[thread->count - 1 - i].serial;
	assert_int_not_equal(lp_model_add_witness(s->model, &witness), 0);
	free(serial);
}

uint32_t scene_take_as(struct scene *s, uint32_t t, uint32_t n, uint64_t serial,
		       enum lp_mode mode, unsigned flags)
{
	struct scene_thread *thread;
	struct lp_model_node node = {
		.fine = scene_class(s, n), .mode = (uint8_t)mode, .flags = (uint8_t)flags,
	};
	uint32_t index;

	room_for(s, t);
	if (!s->thread[t].index)
		scene_start(s, t, 0, 0);
	thread = &s->thread[t];
	node.depth = (uint16_t)(thread->count + 1);
	if (!thread->held)
		thread->held = calloc(SCENE_DEPTH, sizeof(*thread->held));
	assert_non_null(thread->held);
	assert_true(thread->count < SCENE_DEPTH);
	if (thread->count)
		node.parent = thread->held[thread->count - 1].node;
	index = lp_model_add_node(s->model, &node);
	assert_int_not_equal(index, 0);
	thread->held[thread->count++] = (struct scene_held){
		.node = index, .fine = node.fine,
		.serial = serial == SCENE_UNKNOWN ? 0 : serial ? serial : 1000 + n,
	};
	add_witness(s, thread, index);
	return index;
}

uint32_t scene_take(struct scene *s, uint32_t t, uint32_t n)
{
	return scene_take_as(s, t, n, 0, LP_WRITE, 0);
}

void scene_drop(struct scene *s, uint32_t t)
{
	assert_true(s->thread[t].count > 0);
	s->thread[t].count--;
}

void scene_drop_all(struct scene *s, uint32_t t)
{
	s->thread[t].count = 0;
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

/* The smallest of all rotations of the finding's class keys, found the slow way. */
static char *describe(const struct lp_finding *f, const struct lp_model *model)
{
	char *best = NULL;

	for (uint32_t start = 0; start < (f->edge_count ? f->edge_count : 1); start++) {
		size_t size = 80 + 20 * (size_t)f->edge_count;
		char *line = malloc(size);
		int used = snprintf(line, size, "%s %s %d", lp_finding_kind_id(f->kind),
				    lp_level_name(f->level), (int)f->reason);

		for (uint32_t i = 0; i < f->edge_count; i++) {
			uint32_t node = f->edge[(start + i) % f->edge_count].held;
			uint32_t class = lp_model_node_class(model, node);

			used += snprintf(line + used, size - (size_t)used, " %016" PRIx64,
					 model->classes.at[class].key);
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

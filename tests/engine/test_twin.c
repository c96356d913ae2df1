/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_twin.c — the engine against its naive twin on random facts.
 *
 * After each new acquisition both must tell the same findings at the same level for the same
 * reason. At the end of each stream the same facts are given to a second engine in another order
 * and in other portions: it must come to the same end.
 *
 * Repeat a failure with LP_SEED=<seed>; LP_STEPS=<n> sets the number of acquisitions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "scene.h"
#include "twin.h"

#define THREADS_MAX 6u

/* What one stream of facts is made of. */
struct mix {
	uint32_t	threads, classes, instances;
	uint32_t	reads, tries, timed, unknown, life;	/* per cent */
	bool		forks;
};

struct stream {
	struct scene	*scene;
	struct mix	mix;
	uint64_t	*seed;
	uint32_t	threads;	/* made so far */
	bool		joined[THREADS_MAX + 1];
	uint32_t	events;		/* creations and joins, to stay within the twin's epochs */
};

static uint32_t pick(uint64_t *seed, uint32_t n)
{
	return (uint32_t)(test_random(seed) % n);
}

static bool chance(uint64_t *seed, uint32_t per_cent)
{
	return pick(seed, 100) < per_cent;
}

static struct mix random_mix(uint64_t *seed)
{
	return (struct mix){
		.threads = 2 + pick(seed, THREADS_MAX - 1),
		.classes = 2 + pick(seed, 4),
		.instances = 1 + pick(seed, 3),
		.reads = pick(seed, 3) * 30, .tries = pick(seed, 3) * 10,
		.timed = pick(seed, 3) * 5, .unknown = chance(seed, 30) ? 5 : 0,
		.life = pick(seed, 3) * 6, .forks = chance(seed, 15),
	};
}

static void random_classes(struct stream *s)
{
	for (uint32_t n = 1; n <= s->mix.classes; n++) {
		enum lp_lock_kind kind = LP_LOCK_MUTEX;

		if (chance(s->seed, s->mix.reads))
			kind = LP_LOCK_RWLOCK;
		else if (chance(s->seed, 10))
			kind = chance(s->seed, 50) ? LP_LOCK_RECURSIVE : LP_LOCK_ERRORCHECK;
		scene_class_of(s->scene, n, kind);
	}
}

static void start_thread(struct stream *s)
{
	uint32_t creator = s->threads && chance(s->seed, s->mix.life * 4) ?
		1 + pick(s->seed, s->threads) : 0;
	uint32_t process = s->mix.forks && chance(s->seed, 50) ? 1 : 0;

	if (creator && s->joined[creator])
		creator = 0;
	scene_start(s->scene, ++s->threads, creator ? 0 : process, creator);
}

static void live(struct stream *s)
{
	uint32_t a = 1 + pick(s->seed, s->threads), b = 1 + pick(s->seed, s->threads);

	if (s->events++ > 15)
		return;
	if (s->threads < s->mix.threads && chance(s->seed, 60))
		start_thread(s);
	else if (a != b && !s->joined[a] && !s->joined[b] && !s->scene->thread[b].count) {
		scene_join(s->scene, a, b);
		s->joined[b] = true;
	}
}

static void take(struct stream *s, uint32_t t)
{
	uint32_t n = 1 + pick(s->seed, s->mix.classes);
	uint64_t serial = 10 * n + pick(s->seed, s->mix.instances);
	enum lp_mode mode = LP_WRITE;
	unsigned flags = 0;

	if (s->scene->model->fines.at[s->scene->fine[n]].kind == LP_LOCK_RWLOCK &&
	    chance(s->seed, 70)) {
		mode = chance(s->seed, 30) ? LP_READ_RECURSIVE : LP_READ;
		flags |= mode == LP_READ && chance(s->seed, 40) ? LP_PREFER : 0;
	}
	if (chance(s->seed, s->mix.tries))
		flags |= LP_TRY;
	else if (chance(s->seed, s->mix.timed))
		flags |= LP_TIMED;
	if (chance(s->seed, s->mix.unknown))
		serial = SCENE_UNKNOWN;
	scene_take_as(s->scene, t, n, serial, mode, flags);
}

static void show_failure(const char *what, const char *engine, const char *twin)
{
	print_error("%s\nengine:\n%stwin:\n%s", what, engine, twin);
}

static void compare(struct scene *scene)
{
	char *twin = twin_summary(scene->model);
	char *engine = scene_summary(scene->engine, scene->model);

	if (strcmp(twin, engine))
		show_failure("they differ", engine, twin);
	assert_string_equal(engine, twin);
	free(twin);
	free(engine);
}

/* The same facts once more, in another order. Old index to new. */
struct copy {
	struct lp_model	*model;
	struct lp_engine *engine;
	uint32_t	*stack, *fine, *node;
	bool		*witness;
};

static void copy_base(struct copy *c, const struct lp_model *m)
{
	for (uint32_t i = 1; i < m->modules.count; i++)
		assert_int_equal(lp_model_add_module(c->model, &m->modules.at[i]), i);
	for (uint32_t i = 1; i < m->processes.count; i++)
		assert_int_equal(lp_model_add_process(c->model, &m->processes.at[i]), i);
	for (uint32_t i = 1; i < m->threads.count; i++)
		assert_int_equal(lp_model_add_thread(c->model, &m->threads.at[i]), i);
	for (uint32_t i = 1; i < m->joins.count; i++)
		assert_int_equal(lp_model_add_join(c->model, &m->joins.at[i]), i);
}

static void copy_fine(struct copy *c, const struct lp_model *m, uint32_t fine)
{
	struct lp_model_fine copy = m->fines.at[fine];

	if (c->fine[fine])
		return;
	if (copy.stack)
		copy.stack = lp_model_add_stack(c->model, &m->stacks.at[copy.stack]);
	c->fine[fine] = lp_model_add_fine(c->model, &copy);
	assert_int_not_equal(c->fine[fine], 0);
}

static void copy_node(struct copy *c, const struct lp_model *m, uint32_t node)
{
	struct lp_model_node copy = m->nodes.at[node];

	if (!node || c->node[node])
		return;
	copy_node(c, m, copy.parent);
	copy_fine(c, m, copy.fine);
	copy.fine = c->fine[copy.fine];
	copy.parent = c->node[copy.parent];
	c->node[node] = lp_model_add_node(c->model, &copy);
	assert_int_not_equal(c->node[node], 0);
}

static void copy_witness(struct copy *c, const struct lp_model *m, uint32_t witness)
{
	struct lp_model_witness copy = m->witnesses.at[witness];

	copy_node(c, m, copy.node);
	copy.node = c->node[copy.node];
	assert_int_not_equal(lp_model_add_witness(c->model, &copy), 0);
	c->witness[witness] = true;
}

static void judge_copy(struct copy *c)
{
	assert_int_equal(lp_model_regroup(c->model, NULL, NULL), 0);
	assert_int_equal(lp_engine_judge(c->engine, c->model), 0);
}

static void check_other_order(const struct lp_model *m, uint64_t *seed)
{
	struct copy c = {
		.model = lp_model_create(), .engine = lp_engine_create(),
		.fine = calloc(m->fines.count, sizeof(uint32_t)),
		.node = calloc(m->nodes.count, sizeof(uint32_t)),
		.witness = calloc(m->witnesses.count, sizeof(bool)),
	};
	uint32_t left = m->witnesses.count - 1;
	char *twin, *engine;

	copy_base(&c, m);
	while (left) {
		uint32_t w = 1 + pick(seed, m->witnesses.count - 1);

		if (c.witness[w])
			continue;
		copy_witness(&c, m, w);
		left--;
		if (chance(seed, 30))
			judge_copy(&c);
	}
	judge_copy(&c);
	twin = twin_summary(c.model);
	engine = scene_summary(c.engine, c.model);
	if (strcmp(twin, engine))
		show_failure("they differ in another order", engine, twin);
	assert_string_equal(engine, twin);
	free(twin);
	twin = twin_summary(m);
	assert_string_equal(engine, twin);
	free(twin);
	free(engine);
	free(c.fine);
	free(c.node);
	free(c.witness);
	lp_engine_destroy(c.engine);
	lp_model_destroy(c.model);
}

static uint64_t random_stream(uint64_t *seed)
{
	struct stream s = { .scene = scene_open(), .mix = random_mix(seed), .seed = seed };
	uint32_t steps = 4 + pick(seed, 28), taken = 0;

	random_classes(&s);
	if (s.mix.forks)
		scene_fork(s.scene, 1, 0);
	start_thread(&s);
	start_thread(&s);
	while (taken < steps) {
		uint32_t t = 1 + pick(seed, s.threads);

		if (s.joined[t] || chance(seed, s.mix.life))
			live(&s);
		else if (s.scene->thread[t].count && chance(seed, 45))
			scene_drop(s.scene, t);
		else if (s.scene->thread[t].count < 4) {
			take(&s, t);
			taken++;
			scene_judge(s.scene);
			compare(s.scene);
		}
	}
	check_other_order(s.scene->model, seed);
	scene_close(s.scene);
	return taken;
}

static void test_streams(void **state)
{
	uint64_t steps = test_steps(10000), done = 0;
	uint64_t seed = test_seed("test_twin");

	while (done < steps)
		done += random_stream(&seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams),
	};

	return cmocka_run_group_tests_name("twin", tests, NULL, NULL);
}

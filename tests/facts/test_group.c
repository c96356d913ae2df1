/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_group.c — which locks are one class.
 *
 * Rules one by one, then random facts against a naive twin that computes the groups anew from all
 * facts after every step. TEST_SEED=N repeats a random run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "facts/model.h"

/* One module, frames by offset; odd offsets are wrapper code where wrappers are asked for. */
struct fixture {
	struct lp_model	*model;
	uint32_t	module;
	lp_wrapper_fn	*wrapper;
};

static bool odd_is_wrapper(void *context, const struct lp_model *model, struct lp_model_frame frame)
{
	return frame.offset & 1;
}

static struct fixture start(lp_wrapper_fn *wrapper)
{
	struct fixture f = { lp_model_create(), 0, wrapper };
	struct lp_model_module module = { .path = "/bin/x" };

	f.module = lp_model_add_module(f.model, &module);
	return f;
}

static void finish(struct fixture *f)
{
	assert_true(lp_model_check(f->model));
	lp_model_destroy(f->model);
}

/* Frames up to the first 0. */
static uint32_t stack(struct fixture *f, uint32_t a, uint32_t b, uint32_t c)
{
	struct lp_model_frame frame[3] = { { f->module, a }, { f->module, b }, { f->module, c } };
	struct lp_model_stack made = { frame, c ? 3 : b ? 2 : a ? 1 : 0, false };

	return made.count ? lp_model_add_stack(f->model, &made) : 0;
}

static uint32_t fine(struct fixture *f, enum lp_origin origin, uint32_t at, uint32_t object)
{
	struct lp_model_fine made = { .kind = LP_LOCK_MUTEX, .origin = origin, .stack = at };

	if (object)
		made.object = (struct lp_model_frame){ f->module, object };
	return lp_model_add_fine(f->model, &made);
}

static uint32_t node(struct fixture *f, uint32_t of, uint32_t at, uint32_t site)
{
	struct lp_model_node made = { .fine = of, .stack = at };

	if (site)
		made.site = (struct lp_model_frame){ f->module, site };
	return lp_model_add_node(f->model, &made);
}

static void regroup(struct fixture *f)
{
	assert_int_equal(lp_model_regroup(f->model, f->wrapper, NULL), 0);
	assert_true(lp_model_check(f->model));
}

static uint32_t class_of(const struct fixture *f, uint32_t of)
{
	assert_int_not_equal(f->model->fines.at[of].class_index, 0);
	return f->model->fines.at[of].class_index;
}

static uint64_t key_of(const struct fixture *f, uint32_t of)
{
	return f->model->classes.at[class_of(f, of)].key;
}

static void same(const struct fixture *f, uint32_t a, uint32_t b)
{
	assert_int_equal(class_of(f, a), class_of(f, b));
}

static void differ(const struct fixture *f, uint32_t a, uint32_t b)
{
	assert_int_not_equal(class_of(f, a), class_of(f, b));
	assert_int_not_equal(key_of(f, a), key_of(f, b));
}

/* ---- the rules ---- */

static void test_place(void **state)
{
	struct fixture f = start(NULL);
	uint32_t at = stack(&f, 1, 3, 4), wrappers = stack(&f, 1, 3, 5);

	assert_int_equal(lp_model_place(f.model, at, NULL, NULL).offset, 1);
	assert_int_equal(lp_model_place(f.model, at, odd_is_wrapper, NULL).offset, 4);
	assert_int_equal(lp_model_place(f.model, wrappers, odd_is_wrapper, NULL).offset, 5);
	assert_int_equal(lp_model_place(f.model, 0, odd_is_wrapper, NULL).module, 0);
	finish(&f);
}

static void test_static(void **state)
{
	struct fixture f = start(NULL);
	uint32_t a = fine(&f, LP_ORIGIN_STATIC, 0, 0x100), b = fine(&f, LP_ORIGIN_STATIC, 0, 0x128);
	struct lp_model_fine spin = f.model->fines.at[a];
	uint32_t c;

	spin.key = 0;
	spin.kind = LP_LOCK_SPINLOCK;
	c = lp_model_add_fine(f.model, &spin);
	regroup(&f);
	differ(&f, a, b);
	differ(&f, a, c);
	assert_int_equal(f.model->grouping, 0);
	finish(&f);
}

/* A static mutex that is initialised again, from two places, is still that mutex. */
static void test_static_object(void **state)
{
	struct fixture f = start(NULL);
	uint32_t plain = fine(&f, LP_ORIGIN_STATIC, 0, 0x100);
	uint32_t one = fine(&f, LP_ORIGIN_INIT, stack(&f, 10, 20, 0), 0x100);
	uint32_t two = fine(&f, LP_ORIGIN_INIT, stack(&f, 12, 20, 0), 0x100);
	uint32_t other = fine(&f, LP_ORIGIN_INIT, stack(&f, 10, 20, 0), 0x128);

	regroup(&f);
	same(&f, plain, one);
	same(&f, one, two);
	differ(&f, one, other);
	finish(&f);
}

static void test_init_place(void **state)
{
	struct fixture f = start(odd_is_wrapper);
	uint32_t a = fine(&f, LP_ORIGIN_INIT, stack(&f, 11, 20, 30), 0);
	uint32_t b = fine(&f, LP_ORIGIN_INIT, stack(&f, 13, 20, 40), 0);
	uint32_t c = fine(&f, LP_ORIGIN_INIT, stack(&f, 11, 22, 30), 0);
	uint32_t none = fine(&f, LP_ORIGIN_INIT, 0, 0);

	regroup(&f);
	same(&f, a, b);
	differ(&f, a, c);
	differ(&f, a, none);
	assert_int_equal(key_of(&f, none), f.model->fines.at[none].key);
	finish(&f);
}

/* Other wrappers, other places: everything is computed again. */
static void test_other_wrappers(void **state)
{
	struct fixture f = start(NULL);
	uint32_t a = fine(&f, LP_ORIGIN_INIT, stack(&f, 11, 20, 0), 0);
	uint32_t b = fine(&f, LP_ORIGIN_INIT, stack(&f, 13, 20, 0), 0);

	regroup(&f);
	differ(&f, a, b);
	f.wrapper = odd_is_wrapper;
	regroup(&f);
	same(&f, a, b);
	assert_int_equal(f.model->grouping, 1);
	regroup(&f);
	assert_int_equal(f.model->grouping, 1);
	finish(&f);
}

/* `count` objects at `stride` by one init stack, then one apart from them. */
static void check_stride(uint32_t count, uint32_t stride, bool array)
{
	struct fixture f = start(NULL);
	uint32_t at = stack(&f, 10, 20, 0), first = 0, last = 0;

	for (uint32_t i = 0; i < count; i++) {
		last = fine(&f, LP_ORIGIN_INIT, at, 0x1000 + (i * 5 % count) * stride);
		first = first ? first : last;
	}
	regroup(&f);
	if (array)
		same(&f, first, last);
	else
		differ(&f, first, last);
	assert_int_equal(f.model->classes.count, array ? 2 : count + 1);
	finish(&f);
}

static void test_stride(void **state)
{
	check_stride(8, 40, false);
	check_stride(9, 40, true);
	check_stride(9, 4096, true);
	check_stride(64, 40, true);
	check_stride(66, 48, true);
}

/* No stride, but more than the runtime tells apart. */
static void test_many_objects(void **state)
{
	for (uint32_t count = 6; count <= 65; count += 59) {
		struct fixture f = start(NULL);
		uint32_t at = stack(&f, 10, 20, 0);

		for (uint32_t i = 0; i < count; i++)
			fine(&f, LP_ORIGIN_INIT, at, 0x1000 + (i * i + 3 * i) * (i + 8) * 8);
		regroup(&f);
		assert_int_equal(f.model->classes.count, count == 65 ? 2 : count + 1);
		finish(&f);
	}
}

/* Nine of a stride, then objects between them: still an array. */
static void test_stride_stays(void **state)
{
	struct fixture f = start(NULL);
	uint32_t at = stack(&f, 10, 20, 0), one, between;
	uint64_t key;

	for (uint32_t i = 0; i < 9; i++)
		fine(&f, LP_ORIGIN_INIT, at, 0x1000 + i * 40);
	regroup(&f);
	key = key_of(&f, 1);
	one = f.model->classes.count;
	between = fine(&f, LP_ORIGIN_INIT, at, 0x1004);
	regroup(&f);
	same(&f, 1, between);
	assert_int_equal(f.model->classes.count, one);
	assert_int_equal(key_of(&f, 1), key);
	assert_int_equal(f.model->grouping, 0);
	finish(&f);
}

/* The ninth comes after the others had classes of their own: all anew. */
static void test_stride_later(void **state)
{
	struct fixture f = start(NULL), g = start(NULL);
	uint32_t at = stack(&f, 10, 20, 0);

	stack(&g, 10, 20, 0);
	for (uint32_t i = 0; i < 9; i++) {
		fine(&f, LP_ORIGIN_INIT, at, 0x1000 + i * 40);
		fine(&g, LP_ORIGIN_INIT, at, 0x1000 + i * 40);
		regroup(&f);
		assert_int_equal(f.model->grouping, i == 8);
	}
	regroup(&g);
	same(&f, 1, 9);
	assert_int_equal(f.model->classes.count, 2);
	assert_int_equal(key_of(&f, 1), key_of(&g, 1));
	finish(&f);
	finish(&g);
}

/* One stack made static objects and one elsewhere: an array that outgrew what is told apart. */
static void test_array_rest(void **state)
{
	struct fixture f = start(NULL);
	uint32_t at = stack(&f, 10, 20, 0), other = stack(&f, 10, 22, 0);
	uint32_t a = fine(&f, LP_ORIGIN_INIT, at, 0x100), b = fine(&f, LP_ORIGIN_INIT, at, 0x170);
	uint32_t c = fine(&f, LP_ORIGIN_INIT, other, 0x200), rest;

	regroup(&f);
	differ(&f, a, b);
	rest = fine(&f, LP_ORIGIN_INIT, at, 0);
	regroup(&f);
	assert_int_equal(f.model->grouping, 1);
	same(&f, a, b);
	same(&f, a, rest);
	differ(&f, a, c);
	finish(&f);
}

static void test_first_lock(void **state)
{
	struct fixture f = start(odd_is_wrapper);
	uint32_t a = fine(&f, LP_ORIGIN_FIRST_LOCK, stack(&f, 11, 20, 30), 0);
	uint32_t b = fine(&f, LP_ORIGIN_FIRST_LOCK, stack(&f, 11, 22, 30), 0);
	uint32_t c = fine(&f, LP_ORIGIN_FIRST_LOCK, stack(&f, 13, 20, 32), 0);
	uint32_t made = fine(&f, LP_ORIGIN_INIT, stack(&f, 11, 20, 30), 0);

	regroup(&f);
	same(&f, a, c);
	differ(&f, a, b);
	differ(&f, a, made);	/* an init call is no acquisition */
	finish(&f);
}

/* Two groups meet at a site: one class from then on, the same as when all is read at once. */
static void test_first_lock_join(void **state)
{
	struct fixture f = start(NULL), g = start(NULL);
	uint32_t a, b, c;
	uint64_t lower;

	for (struct fixture *at = &f; at; at = at == &f ? &g : NULL) {
		a = fine(at, LP_ORIGIN_FIRST_LOCK, stack(at, 20, 0, 0), 0);
		b = fine(at, LP_ORIGIN_FIRST_LOCK, stack(at, 22, 0, 0), 0);
		c = fine(at, LP_ORIGIN_FIRST_LOCK, stack(at, 24, 0, 0), 0);
		if (at == &f) {
			regroup(at);
			differ(at, a, b);
			lower = key_of(at, a) < key_of(at, b) ? key_of(at, a) : key_of(at, b);
		}
		node(at, a, stack(at, 50, 0, 0), 0);
		if (at == &f) {
			regroup(at);
			differ(at, a, b);
			assert_int_equal(at->model->grouping, 0);
		}
		node(at, b, 0, 50);	/* no stack: the site itself */
		regroup(at);
		same(at, a, b);
		differ(at, a, c);
		assert_int_equal(key_of(at, a), lower);
		assert_int_equal(at->model->classes.count, 3);
	}
	assert_int_equal(f.model->grouping, 1);
	assert_int_equal(g.model->grouping, 0);
	finish(&f);
	finish(&g);
}

/* Other kinds of lock at one site are other classes. */
static void test_join_kinds(void **state)
{
	struct fixture f = start(NULL);
	uint32_t a = fine(&f, LP_ORIGIN_FIRST_LOCK, stack(&f, 20, 0, 0), 0), b;
	struct lp_model_fine other = f.model->fines.at[a];

	other.key = 0;
	other.kind = LP_LOCK_RWLOCK;
	b = lp_model_add_fine(f.model, &other);
	node(&f, a, stack(&f, 50, 0, 0), 0);
	node(&f, b, stack(&f, 50, 0, 0), 0);
	regroup(&f);
	differ(&f, a, b);
	finish(&f);
}

static void test_explicit_keys(void **state)
{
	struct fixture f = start(NULL);
	struct lp_model_fine made = { .key = 77, .kind = LP_LOCK_MUTEX,
				      .origin = LP_ORIGIN_FIRST_LOCK };
	uint32_t a, b, c, plain;

	made.stack = stack(&f, 20, 0, 0);
	a = lp_model_add_fine(f.model, &made);
	made.stack = stack(&f, 22, 0, 0);
	b = lp_model_add_fine(f.model, &made);
	made.key = 78;
	c = lp_model_add_fine(f.model, &made);
	plain = fine(&f, LP_ORIGIN_FIRST_LOCK, made.stack, 0);
	node(&f, plain, made.stack, 0);
	node(&f, c, made.stack, 0);
	regroup(&f);
	same(&f, a, b);
	differ(&f, b, c);
	differ(&f, c, plain);
	assert_int_equal(key_of(&f, a), 77);
	finish(&f);
}

/* ---- the naive twin ---- */

enum { FINES_MAX = 160 };

static uint32_t chance(uint64_t *random, uint32_t below)
{
	*random += 0x9e3779b97f4a7c15ull;
	return (uint32_t)(lp_hash64(*random) >> 33) % below;
}

static struct lp_model_frame twin_place(const struct fixture *f, uint32_t at)
{
	return lp_model_place(f->model, at, f->wrapper, NULL);
}

static bool frames_equal(struct lp_model_frame a, struct lp_model_frame b)
{
	return a.module && a.module == b.module && a.offset == b.offset;
}

/* Is this static object of an init call one of an array? By plain search over all facts. */
static bool twin_is_array(const struct fixture *f, const struct lp_model_fine *at)
{
	const struct lp_model_fine *all = f->model->fines.at;
	uint32_t count = f->model->fines.count, family[FINES_MAX], size = 0;

	if (at->origin != LP_ORIGIN_INIT || !twin_place(f, at->stack).module)
		return false;
	for (uint32_t i = 1; i < count; i++) {
		if (all[i].origin != LP_ORIGIN_INIT || all[i].stack != at->stack)
			continue;
		if (!all[i].object.module)
			return true;
		family[size++] = all[i].object.offset;
	}
	if (size > 64)
		return true;
	for (uint32_t i = 0; i < size; i++)
		for (uint32_t stride = 1; stride < 256; stride++) {
			uint32_t terms = 0;

			for (uint32_t step = 0; step < 9; step++)
				for (uint32_t j = 0; j < size; j++)
					terms += family[j] == family[i] + step * stride;
			if (terms == 9)
				return true;
		}
	return false;
}

/* Every place where a never initialised lock was taken. */
static bool twin_locked_at(const struct fixture *f, uint32_t of, struct lp_model_frame place)
{
	if (frames_equal(twin_place(f, f->model->fines.at[of].stack), place))
		return true;
	for (uint32_t i = 1; i < f->model->nodes.count; i++) {
		const struct lp_model_node *at = &f->model->nodes.at[i];

		if (at->fine == of &&
		    frames_equal(at->stack ? twin_place(f, at->stack) : at->site, place))
			return true;
	}
	return false;
}

static bool twin_share_site(const struct fixture *f, uint32_t a, uint32_t b)
{
	if (twin_locked_at(f, b, twin_place(f, f->model->fines.at[a].stack)))
		return true;
	for (uint32_t i = 1; i < f->model->nodes.count; i++) {
		const struct lp_model_node *at = &f->model->nodes.at[i];

		if (at->fine == a &&
		    twin_locked_at(f, b, at->stack ? twin_place(f, at->stack) : at->site))
			return true;
	}
	return false;
}

static bool twin_direct(const struct fixture *f, const bool *array, uint32_t a, uint32_t b)
{
	const struct lp_model_fine *x = &f->model->fines.at[a], *y = &f->model->fines.at[b];

	if (x->origin == LP_ORIGIN_FIRST_LOCK || y->origin == LP_ORIGIN_FIRST_LOCK)
		return x->origin == y->origin && twin_share_site(f, a, b);
	if (frames_equal(x->object, y->object))
		return true;
	return x->origin == LP_ORIGIN_INIT && y->origin == LP_ORIGIN_INIT &&
	       (array[a] || !x->object.module) && (array[b] || !y->object.module) &&
	       frames_equal(twin_place(f, x->stack), twin_place(f, y->stack));
}

/* Compare the model's classes with the components of twin_direct(). */
static void compare_with_twin(const struct fixture *f)
{
	uint32_t count = f->model->fines.count, label[FINES_MAX];
	bool array[FINES_MAX], changed = true;

	for (uint32_t i = 1; i < count; i++) {
		label[i] = i;
		array[i] = twin_is_array(f, &f->model->fines.at[i]);
	}
	while (changed) {
		changed = false;
		for (uint32_t a = 1; a < count; a++)
			for (uint32_t b = 1; b < a; b++)
				if (label[a] != label[b] && twin_direct(f, array, a, b)) {
					uint32_t from = label[a], to = label[b];

					for (uint32_t i = 1; i < count; i++)
						label[i] = label[i] == from ? to : label[i];
					changed = true;
				}
	}
	for (uint32_t a = 1; a < count; a++)
		for (uint32_t b = 1; b < a; b++)
			if ((label[a] == label[b]) != (class_of(f, a) == class_of(f, b)))
				fail_msg("fine classes %u and %u: twin says %s", a, b,
					 label[a] == label[b] ? "one class" : "two");
}

/* One random fact, from few places, so that they meet. */
static void add_random(struct fixture *f, uint64_t *random)
{
	uint32_t places = 4 + chance(random, 12), of;
	uint32_t at = stack(f, 1 + chance(random, places), 20 + chance(random, 6), 0);

	switch (chance(random, 6)) {
	case 0:
		fine(f, LP_ORIGIN_STATIC, 0, 8 * (1 + chance(random, 30)));
		break;
	case 1:
		fine(f, LP_ORIGIN_INIT, stack(f, 30 + chance(random, 3), 0, 0),
		     8 * (1 + chance(random, 30)));
		break;
	case 2:
		fine(f, LP_ORIGIN_INIT, at, chance(random, 3) ? 0 : 8 * (1 + chance(random, 30)));
		break;
	case 3:
		fine(f, LP_ORIGIN_FIRST_LOCK, chance(random, 8) ? at : 0, 0);
		break;
	default:
		if (f->model->fines.count < 2)
			return;
		of = 1 + chance(random, f->model->fines.count - 1);
		node(f, of, chance(random, 3) ? at : 0, chance(random, 4) ? chance(random, 60) : 0);
	}
}

/* The same facts in one go must give the same keys. */
static void compare_with_batch(const struct fixture *f)
{
	struct fixture g = start(f->wrapper);
	const struct lp_model *model = f->model;

	for (uint32_t i = 1; i < model->stacks.count; i++)
		assert_int_equal(lp_model_add_stack(g.model, &model->stacks.at[i]), i);
	for (uint32_t i = 1; i < model->fines.count; i++)
		assert_int_equal(lp_model_add_fine(g.model, &model->fines.at[i]), i);
	for (uint32_t i = 1; i < model->nodes.count; i++)
		assert_int_equal(lp_model_add_node(g.model, &model->nodes.at[i]), i);
	regroup(&g);
	assert_int_equal(g.model->grouping, 0);
	assert_int_equal(g.model->classes.count, model->classes.count);
	for (uint32_t i = 1; i < model->fines.count; i++)
		assert_int_equal(key_of(f, i), key_of(&g, i));
	finish(&g);
}

/* In the opposite order, too: a class is named by what it is, not by who came first. */
static void compare_with_reverse(const struct fixture *f)
{
	struct fixture g = start(f->wrapper);
	const struct lp_model *model = f->model;
	uint32_t count = model->fines.count;

	for (uint32_t i = 1; i < model->stacks.count; i++)
		lp_model_add_stack(g.model, &model->stacks.at[i]);
	for (uint32_t i = count - 1; i; i--)
		lp_model_add_fine(g.model, &model->fines.at[i]);
	for (uint32_t i = model->nodes.count - 1; i; i--) {
		struct lp_model_node at = model->nodes.at[i];

		at.fine = count - at.fine;
		lp_model_add_node(g.model, &at);
	}
	regroup(&g);
	for (uint32_t i = 1; i < count; i++)
		assert_int_equal(key_of(f, i), key_of(&g, count - i));
	finish(&g);
}

/* An index keeps its meaning as long as `grouping` does not change. */
static void compare_with_before(const struct fixture *f, const struct lp_model_class *before,
				uint32_t count, uint32_t grouping)
{
	if (f->model->grouping == grouping)
		assert_memory_equal(f->model->classes.at, before, count * sizeof(*before));
}

static void random_run(uint64_t seed)
{
	uint64_t random = seed;
	struct fixture f = start(chance(&random, 2) ? odd_is_wrapper : NULL);
	uint32_t steps = 20 + chance(&random, 100);
	struct lp_model_class before[FINES_MAX];

	while (steps-- && f.model->fines.count < FINES_MAX - 1) {
		uint32_t count = f.model->classes.count, grouping = f.model->grouping;

		memcpy(before, f.model->classes.at, count * sizeof(*before));
		add_random(&f, &random);
		if (chance(&random, 3))
			continue;
		regroup(&f);
		compare_with_before(&f, before, count, grouping);
		compare_with_twin(&f);
	}
	regroup(&f);
	compare_with_twin(&f);
	compare_with_batch(&f);
	compare_with_reverse(&f);
	finish(&f);
}

static void test_random(void **state)
{
	const char *given = getenv("TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	printf("TEST_SEED=%llu\n", (unsigned long long)seed);
	for (uint64_t run = 0; run < 80; run++)
		random_run(lp_hash_add(seed, run));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place), cmocka_unit_test(test_static),
		cmocka_unit_test(test_static_object), cmocka_unit_test(test_init_place),
		cmocka_unit_test(test_other_wrappers), cmocka_unit_test(test_stride),
		cmocka_unit_test(test_many_objects), cmocka_unit_test(test_stride_stays),
		cmocka_unit_test(test_stride_later), cmocka_unit_test(test_array_rest),
		cmocka_unit_test(test_first_lock), cmocka_unit_test(test_first_lock_join),
		cmocka_unit_test(test_join_kinds), cmocka_unit_test(test_explicit_keys),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_model.c — the model merges by content, keeps what it is given, and names things stably. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "facts/model.h"

static uint32_t add_module(struct lp_model *model, const char *path, uint8_t build_id)
{
	struct lp_model_module module = { .path = (char *)path, .base = 0x1000, .size = 0x2000,
					  .build_id_size = build_id ? 20 : 0 };

	memset(module.build_id, build_id, sizeof(module.build_id));
	return lp_model_add_module(model, &module);
}

static uint32_t add_stack(struct lp_model *model, uint32_t module, uint32_t inner, uint32_t outer)
{
	struct lp_model_frame frame[2] = { { module, inner }, { module, outer } };
	struct lp_model_stack stack = { frame, 2, false };

	return lp_model_add_stack(model, &stack);
}

static void test_empty(void **state)
{
	struct lp_model *model = lp_model_create();

	assert_non_null(model);
	assert_int_equal(model->modules.count, 1);
	assert_int_equal(model->events.count, 1);
	assert_string_equal(model->modules.at[0].path, "");
	assert_int_equal(lp_model_regroup(model, NULL, NULL), 0);
	assert_int_equal(model->classes.count, 1);
	assert_true(lp_model_check(model));
	lp_model_destroy(model);
	lp_model_destroy(NULL);
}

/* Code outside every object: the base tells 4 GiB of addresses from others, but is not stable. */
static void check_outside(struct lp_model *model)
{
	struct lp_model_module low = { .base = 1ull << 32 }, high = { .base = 2ull << 32 };
	uint32_t a = lp_model_add_module(model, &low), b = lp_model_add_module(model, &high);

	assert_int_not_equal(a, b);
	assert_int_equal(lp_model_add_module(model, &low), a);
	assert_int_equal(model->modules.at[a].id, model->modules.at[b].id);
	assert_string_equal(model->modules.at[a].path, "");
}

static void test_modules(void **state)
{
	struct lp_model *model = lp_model_create();
	uint32_t a = add_module(model, "/lib/a.so", 7);
	uint32_t plain = add_module(model, "/lib/a.so", 0);

	assert_int_equal(add_module(model, "/container/lib/a.so", 7), a);
	assert_int_not_equal(add_module(model, "/lib/a.so", 8), a);
	assert_int_not_equal(plain, a);
	assert_int_equal(add_module(model, "/lib/a.so", 0), plain);
	assert_int_not_equal(add_module(model, "/lib/b.so", 0), plain);
	check_outside(model);
	assert_string_equal(model->modules.at[a].path, "/lib/a.so");
	assert_int_not_equal(model->modules.at[a].id, model->modules.at[plain].id);
	assert_true(lp_model_check(model));
	lp_model_destroy(model);
}

static void test_stacks(void **state)
{
	struct lp_model *model = lp_model_create();
	uint32_t module = add_module(model, "/bin/x", 1);
	uint32_t stack = add_stack(model, module, 1, 2);
	struct lp_model_stack cut = model->stacks.at[stack];

	assert_int_equal(add_stack(model, module, 1, 2), stack);
	assert_int_not_equal(add_stack(model, module, 2, 1), stack);
	cut.truncated = true;
	assert_int_not_equal(lp_model_add_stack(model, &cut), stack);
	cut.truncated = false;
	cut.count = 1;
	assert_int_not_equal(lp_model_add_stack(model, &cut), stack);
	assert_int_equal(model->stacks.count, 5);
	assert_true(lp_model_check(model));
	lp_model_destroy(model);
}

/* The same facts, with modules and stacks met in another order. */
static uint64_t fine_key(bool others_first)
{
	struct lp_model *model = lp_model_create();
	struct lp_model_fine fine = { .kind = LP_LOCK_RWLOCK, .origin = LP_ORIGIN_INIT };
	uint64_t key;

	if (others_first)
		add_stack(model, add_module(model, "/lib/other.so", 9), 5, 6);
	fine.stack = add_stack(model, add_module(model, "/bin/x", 1), 1, 2);
	fine.object.module = add_module(model, "/lib/y.so", 0);
	fine.object.offset = 0x40;
	key = model->fines.at[lp_model_add_fine(model, &fine)].key;
	lp_model_destroy(model);
	return key;
}

static void test_fine_keys(void **state)
{
	struct lp_model *model = lp_model_create();
	uint32_t module = add_module(model, "/bin/x", 1);
	struct lp_model_fine fine = { .kind = LP_LOCK_MUTEX, .origin = LP_ORIGIN_STATIC,
				      .object = { module, 0x10 } };
	uint32_t first = lp_model_add_fine(model, &fine);

	assert_int_equal(fine_key(false), fine_key(true));
	assert_int_not_equal(model->fines.at[first].key, 0);
	assert_int_equal(lp_model_add_fine(model, &fine), first);
	fine.key = model->fines.at[first].key;
	assert_int_equal(lp_model_add_fine(model, &fine), first);
	fine.key = 42;
	assert_int_not_equal(lp_model_add_fine(model, &fine), first);
	fine.key = 0;
	fine.object.offset = 0x20;
	assert_int_not_equal(lp_model_add_fine(model, &fine), first);
	fine.object.offset = 0x10;
	fine.kind = LP_LOCK_SPINLOCK;
	assert_int_not_equal(lp_model_add_fine(model, &fine), first);
	assert_int_equal(model->fines.count, 5);
	lp_model_destroy(model);
}

static void test_nodes(void **state)
{
	struct lp_model *model = lp_model_create();
	struct lp_model_fine fine = { .key = 1 };
	struct lp_model_node node = { .depth = 99 };
	uint32_t bottom, above;

	node.fine = lp_model_add_fine(model, &fine);
	bottom = lp_model_add_node(model, &node);
	node.parent = bottom;
	above = lp_model_add_node(model, &node);
	assert_int_equal(model->nodes.at[bottom].depth, 1);
	assert_int_equal(model->nodes.at[above].depth, 2);
	assert_int_equal(lp_model_add_node(model, &node), above);
	node.mode = LP_READ;
	assert_int_not_equal(lp_model_add_node(model, &node), above);
	node.mode = LP_WRITE;
	node.flags = LP_TRY;
	assert_int_not_equal(lp_model_add_node(model, &node), above);
	node.flags = 0;
	node.nest = 1;
	assert_int_not_equal(lp_model_add_node(model, &node), above);
	assert_int_equal(model->nodes.count, 6);
	assert_int_equal(lp_model_node_fine(model, above)->key, 1);
	assert_true(lp_model_check(model));
	lp_model_destroy(model);
}

static void test_copies(void **state)
{
	struct lp_model *model = lp_model_create();
	char exe[] = "/bin/x", args[] = "x -v";
	uint64_t serial[3] = { 3, 2, 1 };
	struct lp_model_process process = { .image = 1, .pid = 5, .exe = exe, .args = args };
	struct lp_model_thread thread = { .number = 1, .tid = 6 };
	struct lp_model_fine fine = { .key = 1 };
	struct lp_model_node node = { 0 };
	struct lp_model_witness witness = { .epoch = 4, .count = 3, .serial = serial };

	thread.process = lp_model_add_process(model, &process);
	memset(thread.name, 'n', sizeof(thread.name));
	witness.thread = lp_model_add_thread(model, &thread);
	node.fine = lp_model_add_fine(model, &fine);
	witness.node = lp_model_add_node(model, &node);
	assert_int_equal(lp_model_add_witness(model, &witness), 1);
	memset(exe, 'z', sizeof(exe) - 1);
	memset(args, 'z', sizeof(args) - 1);
	memset(serial, 0, sizeof(serial));
	assert_string_equal(model->processes.at[1].exe, "/bin/x");
	assert_string_equal(model->processes.at[1].args, "x -v");
	assert_int_equal(model->witnesses.at[1].serial[0], 3);
	assert_int_equal(model->witnesses.at[1].serial[2], 1);
	assert_int_equal(strlen(model->threads.at[1].name), 16);
	assert_true(lp_model_check(model));
	lp_model_destroy(model);
}

/* Far more than any first allocation; every one is found again. */
static void test_many(void **state)
{
	enum { COUNT = 50000 };
	struct lp_model *model = lp_model_create();
	uint32_t module = add_module(model, "/bin/x", 1);
	struct lp_model_node node = { 0 };
	struct lp_model_fine fine = { .kind = LP_LOCK_MUTEX, .origin = LP_ORIGIN_STATIC };

	for (int again = 0; again < 2; again++) {
		node.parent = 0;
		for (uint32_t i = 0; i < COUNT; i++) {
			fine.object = (struct lp_model_frame){ module, i * 8 };
			node.fine = lp_model_add_fine(model, &fine);
			node.stack = add_stack(model, module, i, i + 1);
			node.parent = lp_model_add_node(model, &node);
			assert_int_equal(node.fine, i + 1);
			assert_int_equal(node.stack, i + 1);
			assert_int_equal(node.parent, i + 1);
		}
	}
	assert_int_equal(model->nodes.at[COUNT].depth, COUNT);
	assert_true(lp_model_check(model));
	lp_model_destroy(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty), cmocka_unit_test(test_modules),
		cmocka_unit_test(test_stacks), cmocka_unit_test(test_fine_keys),
		cmocka_unit_test(test_nodes), cmocka_unit_test(test_copies),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

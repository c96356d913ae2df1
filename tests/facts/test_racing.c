/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_racing.c — the reader against a log that changes while it reads.
 *
 * First one exact moment: a record that was not done when the reader passed it is done when the
 * reader meets what refers to it, in one poll. A page of the image is made inaccessible, and the
 * fault handler completes the record. Then the runtime's own writer, in several threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "facts/image_builder.h"
#include "facts/model.h"
#include "facts/reader.h"
#include "facts/writer.h"

static struct image trapped;
static unsigned char *trap;
static uint32_t late[3];
static volatile sig_atomic_t faults;

static void complete_late(int signal)
{
	faults++;
	mprotect(trap, 4096, PROT_READ | PROT_WRITE);
	for (int i = 0; i < 3; i++)
		image_set_done(&trapped, late[i], 1);
}

static void test_done_in_between(void **state)
{
	struct sigaction action = { .sa_handler = complete_late }, old;
	struct lp_model *model = lp_model_create();
	struct lp_reader *reader;
	const char *problem;
	uint32_t process, module, stack, user;

	trapped = image_start();
	process = image_process(&trapped, 1, "/bin/x", "", 0);
	module = late[0] = image_module(&trapped, "/bin/x", 0, 0);
	stack = late[1] = image_stack2(&trapped, module, 1, 2);
	late[2] = image_class(&trapped, LP_LOCK_MUTEX, LP_ORIGIN_INIT, stack,
			      (struct lp_frame){ 0, 0 });
	image_pad(&trapped, 4096 - image_head(&trapped)->tail % 4096);
	/* On the next page: what needs the class, which needs the stack, which needs the module. */
	user = image_lock(&trapped, late[2], process, 1, 0x100);
	for (int i = 0; i < 3; i++)
		image_set_done(&trapped, late[i], 0);
	trap = (unsigned char *)image_at(&trapped, user);
	assert_int_equal((uintptr_t)trap % 4096, 0);
	reader = lp_reader_open(trapped.bytes, trapped.room, &problem);
	sigaction(SIGSEGV, &action, &old);
	assert_int_equal(mprotect(trap, 4096, PROT_NONE), 0);
	assert_true(lp_reader_poll(reader, model, &problem) > 0);
	sigaction(SIGSEGV, &old, NULL);
	assert_int_equal(faults, 1);
	assert_int_equal(model->locks.count, 2);
	assert_int_equal(model->fines.count, 2);
	assert_int_equal(model->stacks.count, 2);
	assert_int_equal(lp_reader_poll(reader, model, &problem), 0);
	assert_int_equal(model->stacks.count, 2);
	assert_true(lp_model_check(model));
	lp_reader_close(reader);
	lp_model_destroy(model);
	image_finish(&trapped);
}

/* ---- the real writer ---- */

enum { THREADS = 4, ROUNDS = 4000, SIZE = 16 << 20 };

static struct lp_writer writer;
static uint32_t module_ref;
static uint32_t newest_class, newest_node;	/* done, of whichever thread */

/* Finish a record, at times late, and let the others refer to it. */
static void publish(void *record, uint32_t *newest, unsigned round)
{
	if (round % 5 == 0)
		sched_yield();
	lp_writer_done(record);
	__atomic_store_n(newest, lp_writer_ref(&writer, record), __ATOMIC_RELEASE);
}

static void write_class(uint32_t number, unsigned round)
{
	struct lp_rec_class *class = lp_writer_begin(&writer, LP_REC_CLASS, sizeof(*class), 0);

	class->object = (struct lp_frame){ module_ref, number * 8 };
	publish(class, &newest_class, round);
}

/* What a record refers to is chosen before its space is taken: that is what makes G.3 true. */
static void write_node(uint32_t number, unsigned round)
{
	size_t align = round % 7 ? 0 : 64;
	uint32_t parent_ref = __atomic_load_n(&newest_node, __ATOMIC_ACQUIRE);
	uint32_t class_ref = __atomic_load_n(&newest_class, __ATOMIC_ACQUIRE);
	struct lp_rec_node *node = lp_writer_begin(&writer, LP_REC_NODE, sizeof(*node), align);
	const struct lp_rec_node *parent;

	node->parent = parent_ref;
	node->lock = class_ref;
	node->depth = 1;
	node->site = (struct lp_frame){ module_ref, number };
	if (node->parent) {
		parent = lp_writer_at(&writer, node->parent);
		if (parent->depth < 200)
			node->depth = parent->depth + 1;
		else
			node->parent = 0;
	}
	publish(node, &newest_node, round);
}

static void *write_facts(void *number)
{
	uint32_t first = (uint32_t)(uintptr_t)number * ROUNDS + 1;

	for (unsigned round = 0; round < ROUNDS; round++) {
		write_class(first + round, round);
		write_node(first + round, round + 3);
	}
	return NULL;
}

static void write_module(void)
{
	struct lp_rec_module *module = lp_writer_begin(&writer, LP_REC_MODULE,
						       sizeof(*module) + 6, 0);

	module->path_size = 6;
	memcpy(module->path, "/bin/x", 6);
	lp_writer_done(module);
	module_ref = lp_writer_ref(&writer, module);
}

static void check_all_there(const struct lp_model *model)
{
	unsigned char *seen = calloc(THREADS * ROUNDS + 1, 1);

	assert_int_equal(model->fines.count, THREADS * ROUNDS + 1);
	assert_int_equal(model->nodes.count, THREADS * ROUNDS + 1);
	assert_true(lp_model_check(model));
	for (uint32_t i = 1; i < model->nodes.count; i++)
		seen[model->nodes.at[i].site.offset]++;
	for (uint32_t i = 1; i <= THREADS * ROUNDS; i++)
		assert_int_equal(seen[i], 1);
	free(seen);
}

static void test_writers(void **state)
{
	struct lp_model *model = lp_model_create();
	void *bytes = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t thread[THREADS];
	struct lp_reader *reader;
	const char *problem;
	int result = 1, polls = 0;

	assert_ptr_not_equal(bytes, MAP_FAILED);
	writer = (struct lp_writer){ .image = bytes, .size = SIZE };
	lp_image_init(writer.image, SIZE, 1, 2, 3);
	write_module();
	reader = lp_reader_open(bytes, SIZE, &problem);
	assert_non_null(reader);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, write_facts, (void *)i), 0);
	for (; result >= 0 && model->nodes.count <= THREADS * ROUNDS; polls++)
		result = lp_reader_poll(reader, model, &problem);
	if (result < 0)
		fail_msg("after %d polls: %s", polls, problem);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_true(lp_reader_poll(reader, model, &problem) >= 0);
	assert_false(lp_writer_stopped(&writer));
	check_all_there(model);
	printf("%d polls\n", polls);
	lp_reader_close(reader);
	lp_model_destroy(model);
	munmap(bytes, SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_done_in_between), cmocka_unit_test(test_writers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

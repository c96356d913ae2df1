/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_reader.c — images into models: what is right is read, whatever order it is completed
 * in; what is damaged is refused with a phrase; nothing crashes (run under the sanitizers).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "facts/image_builder.h"
#include "facts/model.h"
#include "facts/reader.h"

#define BASE	0x555555554000ull

/* ---- helpers ---- */

/* Read all of a good image into a model and close the reader. */
static void read_all(const struct image *image, struct lp_model *model)
{
	const char *problem;
	struct lp_reader *reader = lp_reader_open(image->bytes, image_kept(image), &problem);
	int result;

	if (!reader)
		fail_msg("%s", problem);
	result = lp_reader_poll(reader, model, &problem);
	if (result < 0)
		fail_msg("%s", problem);
	assert_true(result > 0);
	assert_int_equal(lp_reader_poll(reader, model, &problem), 0);
	assert_int_equal(lp_reader_offset(reader), image_head(image)->tail);
	lp_reader_close(reader);
	assert_int_equal(lp_model_regroup(model, NULL, NULL), 0);
	assert_true(lp_model_check(model));
}

/* Bytes of an exact size, so that the sanitizer sees a read past them. */
static void *copy_exact(const void *bytes, size_t size)
{
	void *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

/* Open, poll and look around; 0, or the error with *problem set. All must be well either way. */
static int try_bytes(const void *bytes, size_t size, const char **problem, struct lp_model **out)
{
	struct lp_reader *reader = lp_reader_open(bytes, size, problem);
	struct lp_model *model;
	struct lp_live_thread live;
	uint32_t cursor = 0;
	int result;

	if (!reader)
		return -EBADMSG;
	model = lp_model_create();
	result = lp_reader_poll(reader, model, problem);
	for (uint32_t i = 0; i < 100 && lp_reader_next_live(reader, &cursor, &live); i++)
		assert_true(live.held_count <= LP_SLOT_HELD);
	assert_true(lp_reader_extent(reader) <= size);
	assert_true(lp_reader_offset(reader) >= LP_IMAGE_HEADER_SIZE);
	assert_int_equal(lp_model_regroup(model, NULL, NULL), 0);
	assert_true(lp_model_check(model));
	lp_reader_close(reader);
	if (out)
		*out = model;
	else
		lp_model_destroy(model);
	return result < 0 ? result : 0;
}

static void check_phrase(const char *problem)
{
	assert_non_null(problem);
	assert_true(strlen(problem) > 5 && strlen(problem) < 180);
	assert_null(strchr(problem, '\n'));
}

/* The image must be refused with a phrase that contains `words`. */
static void refuse(const struct image *image, const char *words)
{
	const char *problem = NULL;
	struct lp_reader *reader = lp_reader_open(image->bytes, image_kept(image), &problem);
	struct lp_model *model = lp_model_create();

	if (reader)
		assert_int_equal(lp_reader_poll(reader, model, &problem), -EBADMSG);
	check_phrase(problem);
	if (!strstr(problem, words))
		fail_msg("\"%s\" does not say \"%s\"", problem, words);
	assert_true(lp_model_check(model));
	lp_reader_close(reader);
	lp_model_destroy(model);
}

static uint32_t lock_ref(const struct image *image, const struct abba *a, int i)
{
	return ((struct lp_rec_node *)image_at(image, a->node[i]))->lock;
}

/* ---- good images ---- */

static void check_round_trip(const struct lp_model *model)
{
	const struct lp_model_node *node = model->nodes.at;

	assert_int_equal(model->modules.count, 2);
	assert_int_equal(model->stacks.count, 5);
	assert_int_equal(model->fines.count, 3);
	assert_int_equal(model->locks.count, 3);
	assert_int_equal(model->nodes.count, 5);
	assert_int_equal(model->witnesses.count, 3);
	assert_int_equal(model->processes.count, 2);
	assert_int_equal(model->threads.count, 4);
	assert_int_equal(model->joins.count, 2);
	assert_int_equal(model->events.count, 2);
	assert_int_equal(model->classes.count, 3);
	assert_string_equal(model->processes.at[1].exe, "/usr/bin/abba");
	assert_string_equal(model->processes.at[1].args, "abba --fast");
	assert_int_equal(model->processes.at[1].image, 1);
	assert_int_equal(model->processes.at[1].pid, 500);
	assert_int_equal(model->modules.at[1].base, BASE);
	assert_int_equal(model->modules.at[1].build_id[19], 0xab);
	assert_int_equal(model->stacks.at[2].count, 2);
	assert_int_equal(model->stacks.at[2].frame[0].offset, 0x1010);
	assert_string_equal(model->threads.at[1].name, "");
	assert_string_equal(model->threads.at[2].name, "worker");
	assert_string_equal(model->threads.at[3].name, "exactly16letters");
	assert_int_equal(model->threads.at[3].tid, 502);
	assert_int_equal(model->threads.at[3].creator, 1);
	assert_int_equal(model->threads.at[3].number, 3);
	assert_int_equal(model->locks.at[2].serial, 2);
	assert_int_equal(node[2].parent, 1);
	assert_int_equal(node[2].depth, 2);
	assert_int_equal(node[2].fine, 2);
	assert_int_equal(node[2].lock, 0);
	assert_int_equal(node[4].lock, 1);
	assert_int_equal(node[4].fine, 1);
	assert_int_equal(node[4].site.offset, 0x1030);
	assert_int_equal(model->witnesses.at[2].serial[0], 1);
	assert_int_equal(model->witnesses.at[2].thread, 3);
	assert_int_equal(model->witnesses.at[1].stamps, 0);
	assert_int_equal(model->witnesses.at[2].stamps, 1);
	assert_int_equal(model->stamps.at[1].events, 2);
	assert_int_equal(model->stamps.at[1].count, 1);
	assert_int_equal(model->stamps.at[1].at[0].context, 1);
	assert_int_equal(model->stamps.at[1].at[0].at[0], 1);
	assert_int_equal(model->stamps.at[1].at[0].at[1], 0);
	assert_int_equal(model->stamps.at[1].at[0].where[0].module, 1);
	assert_int_equal(model->stamps.at[1].at[0].where[0].offset, 0x1040);
	assert_int_equal(model->stamps.at[1].at[0].where[1].module, 0);
	assert_int_equal(model->joins.at[1].epoch, 3);
	assert_int_equal(model->events.at[1].kind, LP_EVENT_UNLOCK_NOT_HELD);
	assert_int_equal(model->events.at[1].fine, 1);
	assert_int_equal(model->events.at[1].lock, 0);
	assert_int_equal(model->events.at[1].node, 2);
	assert_int_equal(model->acquisitions, 107);
}

static void test_round_trip(void **state)
{
	struct image image = image_start();
	struct lp_model *model = lp_model_create();

	image_abba(&image, BASE, 500);
	read_all(&image, model);
	check_round_trip(model);
	lp_model_destroy(model);
	image_finish(&image);
}

/* A live image is all of its mapping; a kept one is cut to pages. Both read alike. */
static void test_sizes(void **state)
{
	struct image image = image_start();
	const char *problem;
	struct lp_model *model;
	size_t kept;

	image_abba(&image, BASE, 500);
	kept = image_kept(&image);
	assert_int_equal(try_bytes(image.bytes, image.room, &problem, &model), 0);
	check_round_trip(model);
	lp_model_destroy(model);
	image_head(&image)->size = 64ull << 30;
	assert_int_equal(try_bytes(image.bytes, kept, &problem, &model), 0);
	check_round_trip(model);
	lp_model_destroy(model);
	image_finish(&image);
}

/* The log grows one record at a time under an open reader. */
static void test_growing(void **state)
{
	struct image image = image_start();
	struct lp_model *model = lp_model_create();
	struct lp_image *head = image_head(&image);
	struct lp_reader *reader;
	const char *problem;
	uint64_t end;

	image_abba(&image, BASE, 500);
	end = head->tail;
	head->tail = LP_IMAGE_HEADER_SIZE;
	reader = lp_reader_open(image.bytes, image.room, &problem);
	assert_non_null(reader);
	assert_int_equal(lp_reader_poll(reader, model, &problem), 0);
	while (head->tail < end) {
		struct lp_rec *rec = image_at(&image, (uint32_t)(head->tail / LP_GRANULE));

		head->tail += (uint64_t)rec->granules * LP_GRANULE;
		assert_int_equal(lp_reader_poll(reader, model, &problem),
				 rec->type != LP_REC_PAD);
		assert_int_equal(lp_reader_poll(reader, model, &problem), 0);
		assert_int_equal(lp_model_regroup(model, NULL, NULL), 0);
		assert_true(lp_model_check(model));
	}
	check_round_trip(model);
	lp_reader_close(reader);
	lp_model_destroy(model);
	image_finish(&image);
}

/* A record that is not done holds up nothing but itself. */
static void test_pending(void **state)
{
	struct image image = image_start();
	struct lp_model *model = lp_model_create();
	struct lp_reader *reader;
	const char *problem;
	struct abba a = image_abba(&image, BASE, 500);

	image_set_done(&image, a.tail_event, 0);
	reader = lp_reader_open(image.bytes, image.room, &problem);
	assert_true(lp_reader_poll(reader, model, &problem) > 0);
	assert_int_equal(model->events.count, 1);
	assert_int_equal(model->witnesses.count, 3);
	assert_int_equal(lp_reader_poll(reader, model, &problem), 0);
	image_set_done(&image, a.tail_event, 1);
	assert_true(lp_reader_poll(reader, model, &problem) > 0);
	assert_int_equal(lp_model_regroup(model, NULL, NULL), 0);
	check_round_trip(model);
	assert_int_equal(lp_reader_poll(reader, model, &problem), 0);
	lp_reader_close(reader);
	lp_model_destroy(model);
	image_finish(&image);
}

/* All that classes need is done only when the classes are there. */
static void test_pending_needed(void **state)
{
	struct image image = image_start();
	struct lp_model *model = lp_model_create();
	struct abba a = image_abba(&image, BASE, 500);
	struct lp_image *head = image_head(&image);
	uint64_t end = head->tail;
	uint32_t late[] = { a.process, a.module, a.stack[0], a.stack[1], a.stack[2], a.stack[3],
			    a.class[0] };
	struct lp_reader *reader;
	const char *problem;

	for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++)
		image_set_done(&image, late[i], 0);
	head->tail = (uint64_t)a.class[1] * LP_GRANULE;
	reader = lp_reader_open(image.bytes, image.room, &problem);
	assert_int_equal(lp_reader_poll(reader, model, &problem), 0);
	assert_int_equal(model->modules.count, 1);
	for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++)
		image_set_done(&image, late[i], 1);
	head->tail = end;
	assert_true(lp_reader_poll(reader, model, &problem) > 0);
	assert_int_equal(lp_model_regroup(model, NULL, NULL), 0);
	check_round_trip(model);
	lp_reader_close(reader);
	lp_model_destroy(model);
	image_finish(&image);
}

/* A done record whose need never was completed is damage (G.3), until it is. */
static void test_needed_never_done(void **state)
{
	struct image image = image_start();
	struct lp_model *model = lp_model_create();
	struct abba a = image_abba(&image, BASE, 500);
	struct lp_reader *reader;
	const char *problem;

	image_set_done(&image, a.process, 0);
	image_head(&image)->tail = (uint64_t)a.thread[0] * LP_GRANULE;
	reader = lp_reader_open(image.bytes, image.room, &problem);
	assert_true(lp_reader_poll(reader, model, &problem) > 0);
	assert_int_equal(model->processes.count, 1);
	assert_int_equal(model->fines.count, 3);
	image_head(&image)->tail = (uint64_t)a.thread[1] * LP_GRANULE;
	assert_int_equal(lp_reader_poll(reader, model, &problem), -EBADMSG);
	assert_non_null(strstr(problem, "not complete"));
	assert_int_equal(lp_reader_offset(reader), (uint64_t)a.thread[0] * LP_GRANULE);
	image_set_done(&image, a.process, 1);
	assert_true(lp_reader_poll(reader, model, &problem) > 0);
	assert_int_equal(model->threads.count, 2);
	lp_reader_close(reader);
	lp_model_destroy(model);
	image_finish(&image);
}

/* From record i on all are late, then done one by one, with a look now and then: same model. */
static void test_pending_suffix(void **state)
{
	struct image image = image_start();
	uint32_t refs[64], count = 0;
	uint64_t offset = LP_IMAGE_HEADER_SIZE;
	const char *problem;

	image_abba(&image, BASE, 500);
	for (; offset < image_head(&image)->tail && count < 64; count++) {
		refs[count] = (uint32_t)(offset / LP_GRANULE);
		offset += ((struct lp_rec *)image_at(&image, refs[count]))->granules * LP_GRANULE;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct lp_model *model = lp_model_create();
		struct lp_reader *reader = lp_reader_open(image.bytes, image.room, &problem);
		uint64_t end = image_head(&image)->tail;

		for (uint32_t j = i; j < count; j++)
			image_set_done(&image, refs[j], 0);
		assert_true(lp_reader_poll(reader, model, &problem) >= 0);
		assert_int_equal(lp_reader_offset(reader), end);
		for (uint32_t j = i; j < count; j++) {
			image_set_done(&image, refs[j], 1);
			if (j % 3 == 0)
				assert_true(lp_reader_poll(reader, model, &problem) >= 0);
		}
		assert_true(lp_reader_poll(reader, model, &problem) >= 0);
		assert_int_equal(lp_model_regroup(model, NULL, NULL), 0);
		check_round_trip(model);
		assert_int_equal(lp_reader_poll(reader, model, &problem), 0);
		lp_reader_close(reader);
		lp_model_destroy(model);
	}
	image_finish(&image);
}

static void test_names_in_order(void **state)
{
	struct image image = image_start();
	struct lp_model *model = lp_model_create();
	uint32_t process = image_process(&image, 5, "/bin/x", "", 0);
	uint32_t thread = image_thread(&image, process, 0, 0, 1);
	uint32_t early = image_thread_name(&image, thread, 5, "early");
	struct lp_reader *reader;
	const char *problem;

	image_thread_name(&image, thread, 6, "late");
	image_set_done(&image, early, 0);
	reader = lp_reader_open(image.bytes, image.room, &problem);
	assert_true(lp_reader_poll(reader, model, &problem) > 0);
	assert_string_equal(model->threads.at[1].name, "late");
	image_set_done(&image, early, 1);
	assert_true(lp_reader_poll(reader, model, &problem) > 0);
	assert_string_equal(model->threads.at[1].name, "late");
	assert_int_equal(model->threads.at[1].tid, 6);
	lp_reader_close(reader);
	lp_model_destroy(model);
	image_finish(&image);
}

static void test_live(void **state)
{
	struct image image = image_start();
	struct lp_model *model = lp_model_create();
	struct abba a = image_abba(&image, BASE, 500);
	struct lp_rec_slot *slot = image_at(&image, a.slot);
	struct lp_live_thread live;
	struct lp_reader *reader;
	const char *problem;
	uint32_t cursor = 0, held;

	reader = lp_reader_open(image.bytes, image.room, &problem);
	assert_true(lp_reader_poll(reader, model, &problem) > 0);
	assert_int_equal(lp_reader_next_live(reader, &cursor, &live), 1);
	assert_int_equal(live.thread, 3);
	assert_int_equal(live.pid, 500);
	assert_int_equal(live.acquisitions, 7);
	assert_int_equal(live.key, 0xfeed);
	assert_int_equal(live.wait, LP_WAIT_LOCK);
	assert_int_equal(live.wait_object, BASE + 0x8000);
	assert_false(live.lossy);
	assert_int_equal(live.held_count, 2);
	assert_int_equal(live.held[0].lock, BASE + 0x8040);
	assert_int_equal(live.held[0].node, 3);
	assert_int_equal(live.held[1].node, 4);
	assert_int_equal(live.held[1].serial, 1);
	assert_int_equal(live.held[1].flags, LP_TIMED);
	assert_int_equal(lp_reader_next_live(reader, &cursor, &live), 0);
	assert_int_equal(cursor, 0);
	assert_int_equal(lp_reader_acquisitions(reader), 107);
	slot->acquisitions += 3;
	assert_int_equal(lp_reader_poll(reader, model, &problem), 0);
	assert_int_equal(model->acquisitions, 110);

	/* A larger stack: its innermost entries. */
	held = image_held(&image, 200);
	slot->held_ref = held;
	slot->top = 150 * sizeof(struct lp_held);
	for (uint32_t i = 0; i < 150; i++)
		((struct lp_rec_held *)image_at(&image, held))->held[i].lock = 1000 + i;
	assert_int_equal(lp_reader_next_live(reader, &cursor, &live), 1);
	assert_int_equal(live.held_count, 0);	/* not read yet */
	assert_true(lp_reader_poll(reader, model, &problem) > 0);
	cursor = 0;
	assert_int_equal(lp_reader_next_live(reader, &cursor, &live), 1);
	assert_int_equal(live.held_count, 64);
	assert_int_equal(live.held[0].lock, 1000 + 150 - 64);
	assert_int_equal(live.held[63].lock, 1149);
	slot->top = 201 * sizeof(struct lp_held);
	cursor = 0;
	assert_int_equal(lp_reader_next_live(reader, &cursor, &live), 1);
	assert_int_equal(live.held_count, 0);
	slot->thread = 0;
	cursor = 0;
	assert_int_equal(lp_reader_next_live(reader, &cursor, &live), 0);
	lp_reader_close(reader);
	lp_model_destroy(model);
	image_finish(&image);
}

static void test_state(void **state)
{
	struct image image = image_start();
	struct lp_reader_state now;
	struct lp_reader *reader;
	const char *problem;

	image_abba(&image, BASE, 500);
	reader = lp_reader_open(image.bytes, image.room, &problem);
	image_head(&image)->stop = LP_STOP_NO_SPACE;
	image_head(&image)->stop_errno = ENOSPC;
	image_head(&image)->next_index = 2;
	lp_reader_state(reader, &now);
	assert_int_equal(now.stop, LP_STOP_NO_SPACE);
	assert_int_equal(now.stop_errno, ENOSPC);
	assert_int_equal(now.next_index, 2);
	assert_int_equal(now.threads_started, 3);
	assert_int_equal(now.session, 0x5e5510);
	assert_int_equal(now.tail, image_head(&image)->tail);
	image_head(&image)->stop = 999;
	lp_reader_state(reader, &now);
	assert_int_equal(now.stop, LP_STOP_FAULT);
	lp_reader_close(reader);
	image_finish(&image);
}

/* Two runs of one program, loaded elsewhere: one set of classes, two of everything that ran. */
static void test_merge(void **state)
{
	struct image first = image_start(), second = image_start();
	struct lp_model *model = lp_model_create(), *alone = lp_model_create();

	image_abba(&first, BASE, 500);
	image_process(&second, 899, "/bin/other", "", 0);
	image_module(&second, "/lib/before.so", 0x7f0000000000, 3);
	image_abba(&second, 0x7f1234560000, 900);
	read_all(&second, alone);
	read_all(&first, model);
	read_all(&second, model);
	assert_int_equal(model->images, 2);
	assert_int_equal(model->modules.count, 3);
	assert_int_equal(model->stacks.count, 5);
	assert_int_equal(model->fines.count, 3);
	assert_int_equal(model->classes.count, 3);
	assert_int_equal(model->locks.count, 5);
	assert_int_equal(model->nodes.count, 7);	/* 2 common, 2 x 2 with their own locks */
	assert_int_equal(model->witnesses.count, 5);
	assert_int_equal(model->threads.count, 7);
	assert_int_equal(model->processes.count, 4);
	assert_int_equal(model->processes.at[3].image, 2);
	assert_int_equal(model->acquisitions, 214);
	for (uint32_t i = 1; i <= 2; i++) {
		assert_int_equal(model->classes.at[i].key, alone->classes.at[i].key);
		assert_int_equal(model->fines.at[i].key, alone->fines.at[i].key);
	}
	lp_model_destroy(model);
	lp_model_destroy(alone);
	image_finish(&first);
	image_finish(&second);
}

/* Images behind one another in one file, as a finished run leaves them. */
static void test_concatenated(void **state)
{
	struct image first = image_start(), second = image_start();
	struct lp_model *model = lp_model_create();
	size_t one, two, at = 0, images = 0;
	const char *problem;
	unsigned char *file;

	image_abba(&first, BASE, 500);
	for (int i = 0; i < 300; i++)
		image_module(&second, "/lib/some/where/else.so", 0, (uint8_t)(i + 1));
	image_abba(&second, BASE, 501);
	one = image_kept(&first);
	two = image_kept(&second);
	file = aligned_alloc(4096, one + two);
	memcpy(file, first.bytes, one);
	memcpy(file + one, second.bytes, two);
	for (; at < one + two; images++) {
		struct lp_reader *reader = lp_reader_open(file + at, one + two - at, &problem);

		assert_non_null(reader);
		assert_true(lp_reader_poll(reader, model, &problem) > 0);
		at += lp_reader_extent(reader);
		lp_reader_close(reader);
	}
	assert_int_equal(at, one + two);
	assert_int_equal(images, 2);
	assert_int_equal(model->threads.count, 7);
	free(file);
	lp_model_destroy(model);
	image_finish(&first);
	image_finish(&second);
}

/* ---- bad ones ---- */

static void test_headers(void **state)
{
	struct image image = image_start();
	struct lp_image *head = image_head(&image), good;
	const char *problem;

	image_abba(&image, BASE, 500);
	good = *head;
	assert_null(lp_reader_open(image.bytes, 0, &problem));
	assert_string_equal(problem, "is empty");
	assert_null(lp_reader_open(image.bytes, 5, &problem));
	assert_string_equal(problem, "is not a facts file");
	assert_null(lp_reader_open(image.bytes, 4000, &problem));
	assert_string_equal(problem, "ends at byte 4000 in the middle of its header");
#define REFUSE(member, value, words) \
	head->member = (value); \
	refuse(&image, words); \
	*head = good
	REFUSE(magic, 1, "is not a facts file");
	REFUSE(version, 7, "is version 7, this lockproof reads version 1");
	REFUSE(layout, 1, "different build of lockproof");
	REFUSE(nonce, 0, "damaged header");
	REFUSE(size, 4096, "damaged header");
	head->tail = 4095;
	assert_null(lp_reader_open(image.bytes, image.room, &problem));
	head->tail = good.tail + 1;
	assert_null(lp_reader_open(image.bytes, image.room, &problem));
	head->tail = good.size + 16;
	assert_null(lp_reader_open(image.bytes, image.room, &problem));
	assert_non_null(strstr(problem, "damaged header"));
	image_finish(&image);
}

static void test_tail_moves_back(void **state)
{
	struct image image = image_start();
	struct lp_model *model = lp_model_create();
	struct lp_reader *reader;
	const char *problem;

	image_abba(&image, BASE, 500);
	reader = lp_reader_open(image.bytes, image.room, &problem);
	assert_true(lp_reader_poll(reader, model, &problem) > 0);
	image_head(&image)->tail -= 16;
	assert_int_equal(lp_reader_poll(reader, model, &problem), -EBADMSG);
	check_phrase(problem);
	image_head(&image)->tail = image.room + 4096;
	assert_int_equal(lp_reader_poll(reader, model, &problem), -EBADMSG);
	check_phrase(problem);
	lp_reader_close(reader);
	lp_model_destroy(model);
	image_finish(&image);
}

/* One member of one record wrong at a time. */
static void test_records(void **state)
{
	struct image image = image_start();
	struct abba a = image_abba(&image, BASE, 500);
	size_t kept = image_kept(&image);
	unsigned char *good = copy_exact(image.bytes, kept);
	char words[100];

#undef REFUSE
#define REFUSE(record, ref, member, value, words) do { \
	((struct lp_rec_##record *)image_at(&image, ref))->member = (value); \
	refuse(&image, words); \
	memcpy(image.bytes, good, kept); \
} while (0)
	snprintf(words, sizeof(words), "node at offset 0x%x refers to 0x%x, which is a thread",
		 a.node[1] * 16, a.thread[0] * 16);
	REFUSE(node, a.node[1], lock, a.thread[0], words);
	snprintf(words, sizeof(words), "refers to 0x%x, which is no lock", a.lock[0] * 16 + 16);
	REFUSE(node, a.node[1], lock, a.lock[0] + 1, words);
	REFUSE(node, a.node[1], lock, 0, "has neither a lock");
	REFUSE(node, a.node[1], lock, a.node[1], "not before it");
	REFUSE(node, a.node[1], parent, a.node[2], "not before it");
	REFUSE(node, a.node[1], parent, 0, "has depth 2 below depth 0");
	REFUSE(node, a.node[1], depth, 3, "has depth 3 below depth 1");
	REFUSE(node, a.node[1], mode, LP_MODE_COUNT, "unknown mode");
	REFUSE(node, a.node[1], flags, LP_ROBUST, "unknown flags");
	REFUSE(node, a.node[1], stack, 0xffffffff, "not before it");
	REFUSE(node, a.node[1], site.module, a.stack[0], "which is a stack and no module");
	REFUSE(node, a.node[1], state, a.context, "which is a context and no state");
	REFUSE(node, a.node[1], nest, a.thread[0], "which is a thread");
	REFUSE(context, a.context, kind, LP_CONTEXT_KIND_COUNT, "unknown kind");
	REFUSE(context, a.context, name_size, 4000, "name past its end");
	REFUSE(state, a.state, context, a.module, "which is a module and no context");
	REFUSE(state, a.state, wait, LP_WAIT_TYPE_COUNT, "unknown wait type");
	REFUSE(state, a.state, in_count, 0xffffffff, "contexts");
	REFUSE(state, a.state, on_count, 200, "contexts past its end");
	REFUSE(state, a.state, ref[0], 0, "refers to no context");
	REFUSE(stamps, a.stamps, count, LP_STAMPS_MAX + 1, "has 9 contexts");
	REFUSE(stamps, a.stamps, count, 0xffffffff, "has 4294967295 contexts");
	REFUSE(stamps, a.stamps, count, 2, "contexts past its end");
	REFUSE(stamps, a.stamps, stamp[0].context, 0, "refers to no context");
	REFUSE(stamps, a.stamps, stamp[0].context, a.module, "which is a module and no context");
	REFUSE(stamps, a.stamps, stamp[0].where[0].module, a.state, "which is a state and no");
	REFUSE(stamps, a.stamps, stamp[0].where[1].module, a.slot, "not before it");
	REFUSE(witness, a.witness[1], stamps, a.state, "which is a state and no event stamps");
	REFUSE(witness, a.witness[0], stamps, a.witness[1], "not before it");
	REFUSE(class, a.class[0], kind, LP_LOCK_KIND_COUNT, "unknown lock kind");
	REFUSE(class, a.class[0], wait_inner, LP_WAIT_TYPE_COUNT, "unknown wait types");
	REFUSE(class, a.class[0], flags, LP_CLASS_FLAGS + 1, "unknown flags");
	REFUSE(class, a.class[0], name_size, 4000, "name past its end");
	REFUSE(class, a.class[0], base, a.module, "which is a module and no class");
	REFUSE(class, a.class[0], origin, 9, "unknown origin");
	REFUSE(class, a.class[0], object.module, a.process, "which is a process");
	REFUSE(stack, a.stack[0], count, 49, "has 49 frames");
	REFUSE(stack, a.stack[0], count, 48, "past its end");
	REFUSE(stack, a.stack[0], frame[1].module, 0, "refers to no module");
	REFUSE(module, a.module, build_id_size, 21, "build id of 21 bytes");
	REFUSE(module, a.module, path_size, 4000, "path past its end");
	REFUSE(process, a.process, exe_size, 0xffffffff, "text past its end");
	REFUSE(process, a.process, args_size, 0xffffffff, "text past its end");
	REFUSE(process, a.process, parent_thread, a.thread[0], "not before it");
	REFUSE(lock, a.lock[0], process, 0, "refers to no process");
	REFUSE(lock, a.lock[0], class_ref, a.process, "which is a process and no class");
	REFUSE(thread, a.thread[1], creator, a.lock[0], "not before it");
	REFUSE(event, a.tail_event, kind, LP_EVENT_COUNT, "unknown kind");
	REFUSE(event, a.tail_event, node, 5, "which is no node");
	REFUSE(event, a.tail_event, thread, 0, "refers to no thread");
	REFUSE(thread, a.thread[1], context, a.module, "which is a module and no context");
	REFUSE(witness, a.witness[1], below, a.thread[0], "which is a thread and no node");
	REFUSE(witness, a.witness[1], count, 3, "names 3 locks at depth 2");
	REFUSE(witness, a.witness[1], node, a.thread[0], "which is a thread and no node");
	REFUSE(lock, a.lock[0], rec.granules, 0, "has no size");
	REFUSE(lock, a.lock[0], rec.granules, 1, "has only 16 bytes");
	REFUSE(lock, a.lock[0], rec.granules, 0x7fffffff, "past the end of the log");
	REFUSE(lock, a.lock[0], rec.type, LP_REC_COUNT, "unknown type");
	REFUSE(lock, a.lock[0], rec.type, LP_REC_NONE, "unknown type");
	REFUSE(lock, a.lock[0], rec.done, 2, "unknown type");
	REFUSE(lock, a.lock[0], rec.zero, 1, "unknown type");
	REFUSE(lock, a.lock[0], rec.done, 0, "not complete");
	assert_int_equal(lock_ref(&image, &a, 3), a.lock[0]);
	free(good);
	image_finish(&image);
}

/* After an error what was read stays, and the reader does not move. */
static void test_stays(void **state)
{
	struct image image = image_start();
	struct lp_model *model = lp_model_create();
	struct abba a = image_abba(&image, BASE, 500);
	struct lp_reader *reader = NULL;
	const char *problem;

	((struct lp_rec_node *)image_at(&image, a.node[2]))->mode = 77;
	reader = lp_reader_open(image.bytes, image.room, &problem);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(lp_reader_poll(reader, model, &problem), -EBADMSG);
		assert_int_equal(lp_reader_offset(reader), (uint64_t)a.node[2] * LP_GRANULE);
		assert_int_equal(model->nodes.count, 3);
		assert_int_equal(model->threads.count, 4);
	}
	((struct lp_rec_node *)image_at(&image, a.node[2]))->mode = LP_WRITE;
	assert_true(lp_reader_poll(reader, model, &problem) > 0);
	assert_int_equal(lp_model_regroup(model, NULL, NULL), 0);
	check_round_trip(model);
	lp_reader_close(reader);
	lp_model_destroy(model);
	image_finish(&image);
}

/* Cut at every byte, the file is refused, and the reader looks at nothing past the cut. */
static void test_truncated(void **state)
{
	struct image image = image_start();
	const char *problem;
	size_t kept;

	image_abba(&image, BASE, 500);
	kept = image_kept(&image);
	for (size_t size = 0; size < kept; size++) {
		void *cut = copy_exact(image.bytes, size);

		problem = NULL;
		assert_int_equal(try_bytes(cut, size, &problem, NULL), -EBADMSG);
		check_phrase(problem);
		free(cut);
	}
	assert_int_equal(try_bytes(image.bytes, kept, &problem, NULL), 0);
	image_finish(&image);
}

/* Every byte changed, each bit alone and all together: read or refused, never worse. */
static void test_flipped(void **state)
{
	struct image image = image_start();
	const char *problem;
	size_t kept, refused = 0, tail;
	unsigned char *bytes;

	image_abba(&image, BASE, 500);
	kept = image_kept(&image);
	tail = image_head(&image)->tail;
	bytes = copy_exact(image.bytes, kept);
	for (size_t at = 0; at < tail; at++) {
		if (at == sizeof(struct lp_image))
			at = LP_IMAGE_HEADER_SIZE;
		for (unsigned bit = 0; bit < 9; bit++) {
			unsigned char mask = bit < 8 ? (unsigned char)(1u << bit) : 0xff;

			bytes[at] ^= mask;
			problem = NULL;
			if (try_bytes(bytes, kept, &problem, NULL)) {
				check_phrase(problem);
				refused++;
			}
			bytes[at] ^= mask;
		}
	}
	assert_true(refused > 1000);
	free(bytes);
	image_finish(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_growing), cmocka_unit_test(test_pending),
		cmocka_unit_test(test_pending_needed),
		cmocka_unit_test(test_needed_never_done),
		cmocka_unit_test(test_pending_suffix), cmocka_unit_test(test_names_in_order),
		cmocka_unit_test(test_live), cmocka_unit_test(test_state),
		cmocka_unit_test(test_merge), cmocka_unit_test(test_concatenated),
		cmocka_unit_test(test_headers), cmocka_unit_test(test_tail_moves_back),
		cmocka_unit_test(test_records), cmocka_unit_test(test_stays),
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_flipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_facts.c — any bytes as an image: the reader refuses or reads them, the model is sound,
 * and reading the log in pieces, with late records, gives what reading it at once gives.
 *
 * Input that starts with the magic is a whole file of one or more images. Any other is 16 control
 * bytes and a log, to which a good header is put: most of what can go wrong is in the log.
 *	[0] records per poll, 0: all	[1] 1: records of each piece are late, then done at once
 *	[2] 1: code at odd offsets is wrapper code	[3..15] free
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "facts/model.h"
#include "facts/reader.h"

#define CONTROL_SIZE	16u
#define INPUT_MAX	(256u << 10)

/* What two ways to read one log are compared by. */
struct outcome {
	int		result;
	uint64_t	offset;
	uint32_t	counts[14];
	uint64_t	classes;	/* sum over fine classes: key of each with its class' key */
};

struct buffer {
	unsigned char	*bytes;
	size_t		size;
};

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_facts: %s\n", what);
	abort();
}

static bool odd_is_wrapper(void *context, const struct lp_model *model, struct lp_model_frame frame)
{
	return frame.offset & 1;
}

static void regroup(struct lp_model *model, const unsigned char *control)
{
	require(!lp_model_regroup(model, control[2] & 1 ? odd_is_wrapper : NULL, NULL),
		"regroup failed");
	require(lp_model_check(model), "the model is not sound");
	for (uint32_t i = 1; i < model->fines.count; i++)
		require(model->fines.at[i].class_index, "a fine class has no class");
}

static void look_at_live(const struct lp_reader *reader)
{
	struct lp_live_thread live;
	struct lp_reader_state state;
	uint32_t cursor = 0;

	while (lp_reader_next_live(reader, &cursor, &live))
		require(live.thread && live.held_count <= LP_SLOT_HELD, "a live thread is not one");
	lp_reader_state(reader, &state);
	require(state.stop < LP_STOP_COUNT, "an unknown stop reason came through");
}

static struct outcome sum_up(const struct lp_model *model, int result, uint64_t offset)
{
	struct outcome outcome = { .result = result < 0 ? result : 0, .offset = offset };
	uint32_t counts[14] = { model->modules.count, model->stacks.count, model->fines.count,
				model->classes.count, model->locks.count, model->nodes.count,
				model->witnesses.count, model->processes.count,
				model->threads.count, model->joins.count, model->events.count,
				model->contexts.count, model->states.count,
				model->stamps.count };

	memcpy(outcome.counts, counts, sizeof(counts));
	for (uint32_t i = 1; i < model->fines.count; i++) {
		const struct lp_model_fine *fine = &model->fines.at[i];

		outcome.classes += lp_hash_add(fine->key, model->classes.at[fine->class_index].key);
	}
	return outcome;
}

static int poll_once(struct lp_reader *reader, struct lp_model *model, const unsigned char *control)
{
	const char *problem = NULL;
	int result = lp_reader_poll(reader, model, &problem);

	require(result >= 0 || (problem && *problem && !strchr(problem, '\n')),
		"an error has no phrase");
	regroup(model, control);
	look_at_live(reader);
	return result;
}

static bool same_outcome(const struct outcome *a, const struct outcome *b)
{
	return a->result == b->result && a->offset == b->offset && a->classes == b->classes &&
	       !memcmp(a->counts, b->counts, sizeof(a->counts));
}

static struct outcome read_at_once(struct buffer image, const unsigned char *control)
{
	struct lp_model *model = lp_model_create();
	struct outcome outcome = { .result = -1 };
	const char *problem = NULL;
	struct lp_reader *reader = lp_reader_open(image.bytes, image.size, &problem);

	require(reader || (problem && *problem), "a refusal has no phrase");
	if (reader) {
		outcome.result = poll_once(reader, model, control);
		outcome = sum_up(model, outcome.result, lp_reader_offset(reader));
	}
	lp_reader_close(reader);
	lp_model_destroy(model);
	return outcome;
}

/* Step over up to `count` records from `from`, as far as the heads make sense. */
static uint64_t skip_records(const unsigned char *bytes, uint64_t from, uint64_t tail,
			     unsigned count)
{
	struct lp_rec head;

	while (count-- && from < tail) {
		memcpy(&head, bytes + from, sizeof(head));
		if (!head.granules || (uint64_t)head.granules * LP_GRANULE > tail - from)
			return tail;
		from += (uint64_t)head.granules * LP_GRANULE;
	}
	return from;
}

/* Make the records of [from, to) late, leaving what was not done in `undone`; or done again. */
static void set_late(unsigned char *bytes, uint64_t from, uint64_t to, unsigned char *undone,
		     bool late)
{
	for (; from < to; from = skip_records(bytes, from, to, 1)) {
		unsigned char *done = bytes + from + offsetof(struct lp_rec, done);

		if (late) {
			undone[from / LP_GRANULE] = *done;
			*done = 0;
		} else {
			*done = undone[from / LP_GRANULE];
		}
	}
}

static struct outcome read_in_pieces(struct buffer image, const unsigned char *control)
{
	struct lp_image *head = (struct lp_image *)image.bytes;
	unsigned char *undone = calloc(image.size / LP_GRANULE + 1, 1);
	struct lp_model *model = lp_model_create();
	uint64_t end = head->tail, from = LP_IMAGE_HEADER_SIZE;
	const char *problem;
	struct lp_reader *reader;
	struct outcome outcome;
	int result = 0;

	head->tail = from;
	reader = lp_reader_open(image.bytes, image.size, &problem);
	require(reader, "a good header was refused");
	while (result >= 0 && from < end) {
		head->tail = skip_records(image.bytes, from, end, control[0]);
		if (control[1] & 1) {
			set_late(image.bytes, from, head->tail, undone, true);
			result = poll_once(reader, model, control);
			set_late(image.bytes, from, head->tail, undone, false);
		}
		if (result >= 0)
			result = poll_once(reader, model, control);
		from = head->tail;
	}
	head->tail = end;
	outcome = sum_up(model, result, lp_reader_offset(reader));
	lp_reader_close(reader);
	lp_model_destroy(model);
	free(undone);
	return outcome;
}

/* Two images of the same content: all that is merged by content is there once. */
static void read_twice(struct buffer image, const unsigned char *control,
		       const struct outcome *once)
{
	struct lp_model *model = lp_model_create();
	const char *problem;

	for (int i = 0; i < 2; i++) {
		struct lp_reader *reader = lp_reader_open(image.bytes, image.size, &problem);

		poll_once(reader, model, control);
		lp_reader_close(reader);
	}
	require(model->modules.count == once->counts[0] && model->stacks.count == once->counts[1] &&
		model->fines.count == once->counts[2] && model->classes.count == once->counts[3],
		"the same facts twice are more facts");
	lp_model_destroy(model);
}

static void fuzz_log(const unsigned char *data, size_t size)
{
	const unsigned char *control = data;
	size_t log = (size - CONTROL_SIZE) / LP_GRANULE * LP_GRANULE;
	struct buffer image = { NULL, (LP_IMAGE_HEADER_SIZE + log + 4095) & ~(size_t)4095 };
	struct lp_image *head;
	struct outcome once, pieces;

	image.bytes = aligned_alloc(4096, image.size);
	require(image.bytes, "out of memory");
	memset(image.bytes, 0, image.size);
	head = (struct lp_image *)image.bytes;
	head->magic = LP_IMAGE_MAGIC;
	head->version = LP_IMAGE_VERSION;
	head->layout = LP_LAYOUT;
	head->size = image.size;
	head->nonce = 1;
	head->tail = LP_IMAGE_HEADER_SIZE + log;
	memcpy(image.bytes + LP_IMAGE_HEADER_SIZE, data + CONTROL_SIZE, log);
	once = read_at_once(image, control);
	read_twice(image, control, &once);
	if (control[0]) {
		pieces = read_in_pieces(image, control);
		/* A damaged log may be noticed earlier when its records are late. */
		if (!once.result)
			require(same_outcome(&once, &pieces),
				"reading in pieces gave something else");
	}
	free(image.bytes);
}

static void fuzz_file(const unsigned char *data, size_t size)
{
	static const unsigned char control[CONTROL_SIZE];
	struct buffer image = { aligned_alloc(4096, (size + 4095) & ~(size_t)4095), size };
	struct lp_model *model = lp_model_create();
	size_t at = 0;

	require(image.bytes, "out of memory");
	memcpy(image.bytes, data, size);
	while (at < size) {
		const char *problem = NULL;
		struct lp_reader *reader = lp_reader_open(image.bytes + at, size - at, &problem);

		require(reader || (problem && *problem), "a refusal has no phrase");
		if (!reader)
			break;
		poll_once(reader, model, control);
		require(lp_reader_extent(reader) > 0, "an image has no extent");
		at += lp_reader_extent(reader);
		lp_reader_close(reader);
	}
	lp_model_destroy(model);
	free(image.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t magic = LP_IMAGE_MAGIC;

	if (size > INPUT_MAX)
		return 0;
	if (size >= sizeof(magic) && !memcmp(data, &magic, sizeof(magic)))
		fuzz_file(data, size);
	else if (size >= CONTROL_SIZE)
		fuzz_log(data, size);
	return 0;
}

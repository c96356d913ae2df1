/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.c — follow the log of an image and copy what it says into a model.
 *
 * Nothing in the mapping is trusted, and nothing in it is looked at twice: the head word of a
 * record is loaded once (acquire; its partner is lp_writer_done), the body is copied, and only the
 * copy is checked and used. No typed pointer into the mapping is ever formed, so that a record may
 * lie anywhere.
 *
 * A record that is taken but not done waits in `pending`; those after it are read on. They may
 * refer to it, when it was done between our look at it and theirs (G.3 then says it is done by
 * now): such a record is read first, from a stack of needs, which grows only downwards in offset.
 *
 * Refs become model indexes through `known`. What is added to the model cannot be taken back, so
 * room in all tables here is made before.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/hash.h"
#include "facts/reader_private.h"

#define PAGE		4096u
#define RECORD_MAX	(16u << 20)	/* nothing the runtime writes comes near */
#define PROBLEM_SIZE	192

/* The phrase of this thread's last error: it outlives the reader that it is about. */
static _Thread_local char problem_text[PROBLEM_SIZE];

static uint64_t round_to_page(uint64_t bytes)
{
	return (bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

int lp_reader_bad(struct lp_reader *reader, uint64_t offset, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem_text, sizeof(problem_text), format, args);
	va_end(args);
	reader->fault = offset;
	return -EBADMSG;
}

/* ---- opening ---- */

/* What is wrong with the header, or NULL. */
static const char *check_start(const unsigned char *bytes, size_t size)
{
	struct lp_image head;
	uint64_t magic = 0;

	if (!size)
		return "is empty";
	memcpy(&magic, bytes, size < sizeof(magic) ? size : sizeof(magic));
	if (magic != LP_IMAGE_MAGIC)
		return "is not a facts file";
	if (size < LP_IMAGE_HEADER_SIZE) {
		snprintf(problem_text, sizeof(problem_text),
			 "ends at byte %zu in the middle of its header", size);
		return problem_text;
	}
	memcpy(&head, bytes, sizeof(head));
	if (head.version != LP_IMAGE_VERSION) {
		snprintf(problem_text, sizeof(problem_text),
			 "is version %u, this lockproof reads version %u", head.version,
			 LP_IMAGE_VERSION);
		return problem_text;
	}
	if (head.layout != LP_LAYOUT)
		return "was written by a different build of lockproof";
	return head.nonce ? NULL : "has a damaged header (no nonce)";
}

static const char *check_extent(const struct lp_reader *reader)
{
	uint64_t tail = load_tail(reader), reserved = IMAGE64(reader, size);

	if (tail < LP_IMAGE_HEADER_SIZE || tail % LP_GRANULE || tail > reserved) {
		snprintf(problem_text, sizeof(problem_text),
			 "has a damaged header (log ends at 0x%llx of 0x%llx)",
			 (unsigned long long)tail, (unsigned long long)reserved);
		return problem_text;
	}
	/* A kept image is whole pages: shorter by even one byte, something cut it. */
	if (reader->size >= round_to_page(tail) || reader->size >= reserved)
		return NULL;
	snprintf(problem_text, sizeof(problem_text),
		 "is truncated: it ends at byte %zu, its log at byte %llu", reader->size,
		 (unsigned long long)tail);
	return problem_text;
}

struct lp_reader *lp_reader_open(const void *bytes, size_t size, const char **problem)
{
	struct lp_reader *reader;

	assert((uintptr_t)bytes % LP_GRANULE == 0);
	*problem = check_start(bytes, size);
	if (*problem)
		return NULL;
	reader = calloc(1, sizeof(*reader));
	if (!reader || !lp_vec_room(&reader->known, 1)) {
		lp_reader_close(reader);
		*problem = "cannot be read: out of memory";
		return NULL;
	}
	lp_vec_push(&reader->known, (struct known){ 0 });
	reader->bytes = bytes;
	reader->size = size;
	reader->offset = LP_IMAGE_HEADER_SIZE;
	*problem = check_extent(reader);
	if (*problem) {
		lp_reader_close(reader);
		return NULL;
	}
	reader->limit = IMAGE64(reader, size) < size ? IMAGE64(reader, size) : size;
	return reader;
}

void lp_reader_close(struct lp_reader *reader)
{
	if (!reader)
		return;
	lp_vec_finish(&reader->known);
	lp_vec_finish(&reader->pending);
	lp_vec_finish(&reader->needs);
	lp_vec_finish(&reader->slots);
	lp_vec_finish(&reader->semaphores);
	lp_table_finish(&reader->refs);
	free(reader->body);
	free(reader);
}

uint64_t lp_reader_offset(const struct lp_reader *reader)
{
	return reader->fault ? reader->fault : reader->offset;
}

size_t lp_reader_extent(const struct lp_reader *reader)
{
	uint64_t extent = round_to_page(load_tail(reader));

	return extent < reader->size ? extent : reader->size;
}

/* ---- refs ---- */

static bool known_equal(const void *owner, uint32_t index, const void *probe)
{
	return ((const struct lp_reader *)owner)->known.at[index].ref == *(const uint32_t *)probe;
}

struct known *lp_reader_known(const struct lp_reader *reader, uint32_t ref)
{
	uint32_t index = lp_table_find(&reader->refs, lp_hash64(ref), known_equal, reader, &ref);

	return index ? &reader->known.at[index] : NULL;
}

static uint32_t index_of(const struct lp_reader *reader, uint32_t ref, enum lp_rec_type type)
{
	const struct known *known = lp_reader_known(reader, ref);

	return known && known->type == type ? known->index : 0;
}

uint32_t lp_reader_thread(const struct lp_reader *reader, uint32_t ref)
{
	return index_of(reader, ref, LP_REC_THREAD);
}

uint32_t lp_reader_node(const struct lp_reader *reader, uint32_t ref)
{
	return index_of(reader, ref, LP_REC_NODE);
}

struct pending *lp_reader_pending(struct lp_reader *reader, uint64_t offset)
{
	uint32_t low = 0, high = reader->pending.count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (reader->pending.at[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < reader->pending.count && reader->pending.at[low].offset == offset)
		return &reader->pending.at[low];
	return NULL;
}

/* ---- the log ---- */

/* The head of the record at `offset`, checked against the tail; PAD and all others. */
static int check_head(struct lp_reader *reader, uint64_t offset, uint64_t tail,
		      struct lp_rec *head)
{
	const struct lp_reader_row *row;
	unsigned long long at = offset;
	uint64_t bytes;

	*head = load_head(reader, offset);
	bytes = (uint64_t)head->granules * LP_GRANULE;
	if (!head->granules)
		return lp_reader_bad(reader, offset, "record at offset 0x%llx has no size", at);
	if (head->type == LP_REC_NONE || head->type >= LP_REC_COUNT || head->done > 1 || head->zero)
		return lp_reader_bad(reader, offset,
				     "record at offset 0x%llx has unknown type 0x%x", at,
				     head->type | head->done << 8 | (uint32_t)head->zero << 16);
	if (bytes > tail - offset)
		return lp_reader_bad(reader, offset,
				     "record at offset 0x%llx goes past the end of the log", at);
	if (head->type == LP_REC_PAD)
		return 0;
	row = &lp_reader_rows[head->type];
	if (bytes < row->size)
		return lp_reader_bad(reader, offset, "%s at offset 0x%llx has only %llu bytes",
				     row->word, at, (unsigned long long)bytes);
	if (bytes > RECORD_MAX && !row->live)
		return lp_reader_bad(reader, offset, "%s at offset 0x%llx is too large", row->word,
				     at);
	return 0;
}

/* Copy the body: from here on the mapping may change without harm. */
static int copy_body(struct lp_reader *reader, uint64_t offset, size_t bytes)
{
	if (bytes > reader->body_room) {
		size_t room = bytes < PAGE ? PAGE : bytes;
		unsigned char *body = realloc(reader->body, room);

		if (!body)
			return -ENOMEM;
		reader->body = body;
		reader->body_room = room;
	}
	memcpy(reader->body, reader->bytes + offset, bytes);
	return 0;
}

static bool make_room(struct lp_reader *reader)
{
	return lp_vec_room(&reader->known, 1) && lp_table_room(&reader->refs) &&
	       lp_vec_room(&reader->slots, 1) && lp_vec_room(&reader->semaphores, 1);
}

/* Read one done record: 0, LP_READER_NEED with *need set, or an error. */
static int read_record(struct lp_reader *reader, struct lp_model *model, uint64_t offset,
		       uint64_t tail, uint64_t *need)
{
	struct record rec = { .reader = reader, .model = model, .offset = offset };
	struct lp_rec head;
	int error = check_head(reader, offset, tail, &head);

	if (error || head.type == LP_REC_PAD)
		return error;
	rec.name = lp_reader_rows[head.type].word;
	rec.bytes = (size_t)head.granules * LP_GRANULE;
	if (!make_room(reader))
		return -ENOMEM;
	if (!lp_reader_rows[head.type].live && copy_body(reader, offset, rec.bytes))
		return -ENOMEM;
	rec.body = reader->body;
	error = lp_reader_rows[head.type].read(&rec);
	*need = rec.need;
	return error;
}

/* Read the done record at `offset`, before it whatever pending ones it needs. */
static int take(struct lp_reader *reader, struct lp_model *model, uint64_t offset, uint64_t tail)
{
	struct pending *pending;
	uint64_t need = 0;
	int result;

	reader->needs.count = 0;
	if (!lp_vec_room(&reader->needs, 1))
		return -ENOMEM;
	lp_vec_push(&reader->needs, offset);
	while (reader->needs.count) {
		offset = reader->needs.at[reader->needs.count - 1];
		result = read_record(reader, model, offset, tail, &need);
		if (result < 0)
			return result;
		if (result == LP_READER_NEED) {
			if (!lp_vec_room(&reader->needs, 1))
				return -ENOMEM;
			lp_vec_push(&reader->needs, need);
			continue;
		}
		pending = lp_reader_pending(reader, offset);
		if (pending)
			pending->read = true;
		reader->needs.count--;
	}
	return 0;
}

/* Look again at those that were not done. 1: some were, 0: none, or an error. */
static int poll_pending(struct lp_reader *reader, struct lp_model *model, uint64_t tail)
{
	int error, news = 0;

	for (uint32_t i = 0; i < reader->pending.count; i++) {
		const struct pending *pending = &reader->pending.at[i];

		if (pending->read || !load_head(reader, pending->offset).done)
			continue;
		error = take(reader, model, pending->offset, tail);
		if (error)
			return error;
		news = 1;
	}
	return news;
}

static void drop_read(struct lp_reader *reader)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < reader->pending.count; i++)
		if (!reader->pending.at[i].read)
			reader->pending.at[kept++] = reader->pending.at[i];
	reader->pending.count = kept;
}

/* Read the record at reader->offset and step over it. 1: it said something, 0: it did not yet. */
static int advance(struct lp_reader *reader, struct lp_model *model, uint64_t tail)
{
	uint64_t offset = reader->offset;
	struct lp_rec head;
	int error = check_head(reader, offset, tail, &head);

	if (error)
		return error;
	if (head.type == LP_REC_PAD) {
		reader->offset += (uint64_t)head.granules * LP_GRANULE;
		return 0;
	}
	if (head.done) {
		error = take(reader, model, offset, tail);
	} else if (lp_vec_room(&reader->pending, 1)) {
		lp_vec_push(&reader->pending, ((struct pending){ offset, false }));
	} else {
		error = -ENOMEM;
	}
	if (error)
		return error;
	reader->offset += (uint64_t)head.granules * LP_GRANULE;
	return head.done;
}

static int check_tail(struct lp_reader *reader, uint64_t tail)
{
	if (tail >= reader->offset && tail <= reader->limit && tail % LP_GRANULE == 0)
		return 0;
	return lp_reader_bad(reader, reader->offset,
			     "the log, read up to 0x%llx, says that it ends at 0x%llx",
			     (unsigned long long)reader->offset, (unsigned long long)tail);
}

/* What posts say about classes of semaphores: 1 when one turned out to be no lock. */
static int poll_uses(struct lp_reader *reader, struct lp_model *model)
{
	uint32_t kept = 0;
	int news = 0;

	for (uint32_t i = 0; i < reader->semaphores.count; i++) {
		uint32_t ref = reader->semaphores.at[i];
		unsigned use = lp_reader_use(reader, ref);

		news |= lp_model_use(model, lp_reader_known(reader, ref)->index, use);
		if (!(use & LP_CLASS_HANDED))
			reader->semaphores.at[kept++] = ref;
	}
	reader->semaphores.count = kept;
	return news;
}

/* The model's sum follows; the count of a damaged image may go back. */
static void count_acquisitions(struct lp_reader *reader, struct lp_model *model)
{
	uint64_t now = lp_reader_acquisitions(reader);

	model->acquisitions += now - reader->acquisitions;
	reader->acquisitions = now;
}

static int poll_log(struct lp_reader *reader, struct lp_model *model)
{
	uint64_t tail = load_tail(reader);
	int error = check_tail(reader, tail);
	int result, news;

	if (error)
		return error;
	result = poll_pending(reader, model, tail);
	while (result >= 0 && reader->offset < tail) {
		news = advance(reader, model, tail);
		result = news < 0 ? news : result | news;
	}
	drop_read(reader);
	return result;
}

int lp_reader_poll(struct lp_reader *reader, struct lp_model *model, const char **problem)
{
	int result;

	if (!reader->image)
		reader->image = ++model->images;
	reader->fault = 0;
	result = poll_log(reader, model);
	if (result >= 0)
		result |= poll_uses(reader, model);
	*problem = result == -EBADMSG ? problem_text : NULL;
	if (result == -ENOMEM)
		*problem = "out of memory";
	count_acquisitions(reader, model);
	return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.c — follow the log of an image and copy what it says into a model.
 *
 * Nothing in the mapping is trusted, and nothing in it is looked at twice: the head word of a
 * record is loaded once (acquire; its partner is lp_writer_done), the body is copied, and only the
 * copy is checked and used. Live members are single relaxed loads. No typed pointer into the
 * mapping is ever formed, so that a record may lie anywhere.
 *
 * A record that is taken but not done waits in `pending`; those after it are read on. They may
 * refer to it, when it was done between our look at it and theirs (G.3 then says it is done by
 * now): such a record is read first, from a stack of needs, which grows only downwards in offset.
 *
 * Refs become model indexes through `known`. What is added to the model cannot be taken back, so
 * room in all tables here is made before.
 */
#include "facts/reader.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "facts/table.h"
#include "facts/vec.h"

#define PAGE		4096u
#define RECORD_MAX	(16u << 20)	/* nothing the runtime writes comes near */
#define PROBLEM_SIZE	192

/* The phrase of this thread's last error: it outlives the reader that it is about. */
static _Thread_local char problem_text[PROBLEM_SIZE];

/* A record that others may refer to. */
struct known {
	uint32_t	ref;
	uint32_t	index;		/* in the model's array; SLOT, HELD: 0 */
	uint32_t	detail;		/* THREAD: ref of its newest name; HELD: entries */
	uint8_t		type;		/* enum lp_rec_type */
};

struct pending {
	uint64_t	offset;
	bool		read;		/* has been taken since: to be dropped */
};

struct lp_reader {
	const unsigned char *bytes;
	size_t		size;
	uint64_t	limit;		/* no tail may be beyond: end of mapping or of image */
	uint64_t	offset;		/* the next record to look at */
	uint64_t	fault;		/* where the last error was, 0: none yet */
	uint32_t	image;		/* number in the model, 0: not entered yet */
	uint64_t	acquisitions;	/* part of model->acquisitions that is from here */
	LP_VEC(struct known) known;	/* [0] is a dummy */
	struct lp_table	refs;
	LP_VEC(struct pending) pending;	/* by rising offset */
	LP_VEC(uint64_t) needs;		/* records under way, each needed by the one before */
	LP_VEC(uint32_t) slots;
	unsigned char	*body;		/* copy of the record under way */
	size_t		body_room;
};

/* The record under way. */
struct record {
	struct lp_reader *reader;
	struct lp_model	*model;
	uint64_t	offset;
	size_t		bytes;
	const void	*body;
	const char	*name;
	uint64_t	need;		/* a pending record that must be read before */
};

#define NEED	1	/* result of what meets a ref to a pending record */

/* X(type, smallest record, what people call it, who reads it) */
#define RECORDS(X) \
	X(PROCESS,	struct lp_rec_process,	"process",	read_process) \
	X(MODULE,	struct lp_rec_module,	"module",	read_module) \
	X(STACK,	struct lp_rec_stack,	"stack",	read_stack) \
	X(CLASS,	struct lp_rec_class,	"class",	read_class) \
	X(LOCK,		struct lp_rec_lock,	"lock",		read_lock) \
	X(NODE,		struct lp_rec_node,	"node",		read_node) \
	X(WITNESS,	struct lp_rec_witness,	"witness",	read_witness) \
	X(THREAD,	struct lp_rec_thread,	"thread",	read_thread) \
	X(JOIN,		struct lp_rec_join,	"join",		read_join) \
	X(EVENT,	struct lp_rec_event,	"event",	read_event) \
	X(SLOT,		struct lp_rec_slot,	"slot",		read_slot) \
	X(HELD,		struct lp_rec_held,	"held stack",	read_held) \
	X(THREAD_NAME,	struct lp_rec_thread_name, "thread name", read_thread_name)

#define X(type_, struct_, word_, read_) static int read_(struct record *rec);
RECORDS(X)
#undef X

static const struct row {
	const char	*word;
	size_t		size;
	int		(*read)(struct record *rec);
} rows[LP_REC_COUNT] = {
#define X(type_, struct_, word_, read_) [LP_REC_##type_] = { word_, sizeof(struct_), read_ },
	RECORDS(X)
#undef X
};

static uint64_t load64(const struct lp_reader *reader, uint64_t offset, int order)
{
	const uint64_t *word = (const void *)(reader->bytes + offset);

	return order == __ATOMIC_ACQUIRE ? __atomic_load_n(word, __ATOMIC_ACQUIRE)
					 : __atomic_load_n(word, __ATOMIC_RELAXED);
}

static uint32_t load32(const struct lp_reader *reader, uint64_t offset)
{
	return __atomic_load_n((const uint32_t *)(const void *)(reader->bytes + offset),
			       __ATOMIC_RELAXED);
}

#define LIVE64(reader, base, type, member) \
	load64(reader, (base) + offsetof(type, member), __ATOMIC_RELAXED)
#define LIVE32(reader, base, type, member)	load32(reader, (base) + offsetof(type, member))
#define IMAGE64(reader, member)	LIVE64(reader, 0, struct lp_image, member)
#define IMAGE32(reader, member)	LIVE32(reader, 0, struct lp_image, member)

static uint64_t load_tail(const struct lp_reader *reader)
{
	return load64(reader, offsetof(struct lp_image, tail), __ATOMIC_ACQUIRE);
}

static uint64_t round_to_page(uint64_t bytes)
{
	return (bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

/* Set the error phrase of a record; returns -EBADMSG. */
LP_PRINTF(3, 4)
static int bad(struct lp_reader *reader, uint64_t offset, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem_text, sizeof(problem_text), format, args);
	va_end(args);
	reader->fault = offset;
	return -EBADMSG;
}

/* "<word> at offset 0x1230 <what is wrong with it>" */
#define BAD(rec, format, ...) \
	bad((rec)->reader, (rec)->offset, "%s at offset 0x%llx " format, (rec)->name, \
	    (unsigned long long)(rec)->offset, ##__VA_ARGS__)

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

static struct known *find_known(const struct lp_reader *reader, uint32_t ref)
{
	uint32_t index = lp_table_find(&reader->refs, lp_hash64(ref), known_equal, reader, &ref);

	return index ? &reader->known.at[index] : NULL;
}

static uint32_t index_of(const struct lp_reader *reader, uint32_t ref, enum lp_rec_type type)
{
	const struct known *known = find_known(reader, ref);

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

static bool make_room(struct lp_reader *reader)
{
	return lp_vec_room(&reader->known, 1) && lp_table_room(&reader->refs) &&
	       lp_vec_room(&reader->slots, 1);
}

/* The record under way is `index` in the model; there is room (make_room). */
static int remember(struct record *rec, enum lp_rec_type type, uint32_t index)
{
	struct lp_reader *reader = rec->reader;
	uint32_t ref = (uint32_t)(rec->offset / LP_GRANULE);
	uint32_t at;

	if (!index)
		return -ENOMEM;
	at = lp_vec_push(&reader->known, ((struct known){ ref, index, 0, (uint8_t)type }));
	lp_table_add(&reader->refs, lp_hash64(ref), at);
	return 0;
}

/* The pending record at an offset, or NULL. */
static struct pending *find_pending(struct lp_reader *reader, uint64_t offset)
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

static struct lp_rec load_head(const struct lp_reader *reader, uint64_t offset)
{
	uint64_t word = load64(reader, offset, __ATOMIC_ACQUIRE);
	struct lp_rec head;

	memcpy(&head, &word, sizeof(head));
	return head;
}

/* A ref that cannot be followed: not read yet though done (NEED), or wrong. */
static int ref_unknown(struct record *rec, uint64_t target, const char *word)
{
	const struct pending *pending = find_pending(rec->reader, target);

	if (!pending || pending->read)
		return BAD(rec, "refers to 0x%llx, which is no %s", (unsigned long long)target,
			   word);
	if (!load_head(rec->reader, target).done)
		return BAD(rec, "refers to 0x%llx, which is not complete",
			   (unsigned long long)target);
	rec->need = target;
	return NEED;
}

/* Follow a ref to a record of one of two types (the second may be the first again). */
static int follow(struct record *rec, uint32_t ref, enum lp_rec_type type, enum lp_rec_type other,
		  const struct known **known)
{
	uint64_t target = (uint64_t)ref * LP_GRANULE;

	if (!ref)
		return BAD(rec, "refers to no %s", rows[type].word);
	if (target >= rec->offset)
		return BAD(rec, "refers to 0x%llx, which is not before it",
			   (unsigned long long)target);
	*known = find_known(rec->reader, ref);
	if (!*known)
		return ref_unknown(rec, target, rows[type].word);
	if ((*known)->type != type && (*known)->type != other)
		return BAD(rec, "refers to 0x%llx, which is a %s and no %s",
			   (unsigned long long)target, rows[(*known)->type].word,
			   rows[type].word);
	return 0;
}

static int follow_one(struct record *rec, uint32_t ref, enum lp_rec_type type, uint32_t *index)
{
	const struct known *known;
	int error = follow(rec, ref, type, type, &known);

	if (!error)
		*index = known->index;
	return error;
}

/* 0 says "none" and becomes index 0. */
static int follow_optional(struct record *rec, uint32_t ref, enum lp_rec_type type,
			   uint32_t *index)
{
	*index = 0;
	return ref ? follow_one(rec, ref, type, index) : 0;
}

/* LOCK or CLASS: the latter when instances are not told apart. */
static int follow_lock(struct record *rec, uint32_t ref, uint32_t *fine, uint32_t *lock)
{
	const struct known *known;
	int error = follow(rec, ref, LP_REC_LOCK, LP_REC_CLASS, &known);

	if (error)
		return error;
	*lock = known->type == LP_REC_LOCK ? known->index : 0;
	*fine = *lock ? rec->model->locks.at[*lock].fine : known->index;
	return 0;
}

static int follow_frame(struct record *rec, struct lp_frame from, struct lp_model_frame *to)
{
	to->offset = from.module ? from.offset : 0;
	return follow_optional(rec, from.module, LP_REC_MODULE, &to->module);
}

/* ---- one function per record type: 0, NEED or an error ---- */

static int read_process(struct record *rec)
{
	const struct lp_rec_process *body = rec->body;
	size_t room = rec->bytes - sizeof(*body);
	struct lp_model_process process = { .image = rec->reader->image, .pid = body->pid,
					    .parent_epoch = body->parent_epoch,
					    .start_time_ns = body->start_time_ns };
	size_t args = body->args_size;
	uint32_t index;
	int error = follow_optional(rec, body->parent_thread, LP_REC_THREAD,
				    &process.parent_thread);

	if (error)
		return error;
	if (body->exe_size > room || args > room - body->exe_size)
		return BAD(rec, "has text past its end");
	process.exe = strndup(body->text, body->exe_size);
	process.args = calloc(1, args + 1);
	if (!process.exe || !process.args) {
		index = 0;
	} else {
		memcpy(process.args, body->text + body->exe_size, args);
		while (args && !process.args[args - 1])
			args--;
		for (size_t i = 0; i < args; i++)
			if (!process.args[i])
				process.args[i] = ' ';
		index = lp_model_add_process(rec->model, &process);
	}
	free(process.exe);
	free(process.args);
	return remember(rec, LP_REC_PROCESS, index);
}

static int read_module(struct record *rec)
{
	const struct lp_rec_module *body = rec->body;
	struct lp_model_module module = { .base = body->base, .size = body->size,
					  .build_id_size = body->build_id_size };
	uint32_t index = 0;

	if (body->build_id_size > sizeof(module.build_id))
		return BAD(rec, "has a build id of %u bytes", body->build_id_size);
	if (body->path_size > rec->bytes - sizeof(*body))
		return BAD(rec, "has a path past its end");
	memcpy(module.build_id, body->build_id, body->build_id_size);
	module.path = strndup(body->path, body->path_size);
	if (module.path)
		index = lp_model_add_module(rec->model, &module);
	free(module.path);
	return remember(rec, LP_REC_MODULE, index);
}

static int read_stack(struct record *rec)
{
	const struct lp_rec_stack *body = rec->body;
	struct lp_model_frame frame[LP_STACK_FRAMES_MAX];
	struct lp_model_stack stack = { frame, body->count, body->truncated != 0 };

	if (stack.count > LP_STACK_FRAMES_MAX)
		return BAD(rec, "has %u frames", stack.count);
	if (stack.count * sizeof(*body->frame) > rec->bytes - sizeof(*body))
		return BAD(rec, "has frames past its end");
	for (uint32_t i = 0; i < stack.count; i++) {
		int error = follow_one(rec, body->frame[i].module, LP_REC_MODULE,
				       &frame[i].module);

		if (error)
			return error;
		frame[i].offset = body->frame[i].offset;
	}
	return remember(rec, LP_REC_STACK, lp_model_add_stack(rec->model, &stack));
}

static int read_class(struct record *rec)
{
	const struct lp_rec_class *body = rec->body;
	struct lp_model_fine fine = { .kind = body->kind, .origin = body->origin };
	int error;

	if (body->kind >= LP_LOCK_KIND_COUNT)
		return BAD(rec, "has unknown lock kind %u", body->kind);
	if (body->origin >= LP_ORIGIN_COUNT)
		return BAD(rec, "has unknown origin %u", body->origin);
	error = follow_optional(rec, body->stack, LP_REC_STACK, &fine.stack);
	if (!error)
		error = follow_frame(rec, body->object, &fine.object);
	if (error)
		return error;
	return remember(rec, LP_REC_CLASS, lp_model_add_fine(rec->model, &fine));
}

static int read_lock(struct record *rec)
{
	const struct lp_rec_lock *body = rec->body;
	struct lp_model_lock lock = { .serial = body->serial, .address = body->address };
	int error = follow_one(rec, body->class_ref, LP_REC_CLASS, &lock.fine);

	if (!error)
		error = follow_one(rec, body->process, LP_REC_PROCESS, &lock.process);
	if (error)
		return error;
	return remember(rec, LP_REC_LOCK, lp_model_add_lock(rec->model, &lock));
}

/* What a node says by itself. */
static int check_node(struct record *rec, const struct lp_rec_node *body, uint32_t parent)
{
	uint16_t above = rec->model->nodes.at[parent].depth;
	uint16_t depth = above == UINT16_MAX ? above : above + 1;

	if (body->mode >= LP_MODE_COUNT)
		return BAD(rec, "has unknown mode %u", body->mode);
	if (body->flags & ~(LP_TRY | LP_TIMED | LP_PREFER))
		return BAD(rec, "has unknown flags 0x%x", body->flags);
	if (body->depth != depth)
		return BAD(rec, "has depth %u below depth %u", body->depth, above);
	return 0;
}

static int read_node(struct record *rec)
{
	const struct lp_rec_node *body = rec->body;
	struct lp_model_node node = { .mode = body->mode, .flags = body->flags,
				      .context = body->context };
	int error = follow_optional(rec, body->parent, LP_REC_NODE, &node.parent);

	if (!error)
		error = follow_lock(rec, body->lock, &node.fine, &node.lock);
	if (!error)
		error = follow_optional(rec, body->stack, LP_REC_STACK, &node.stack);
	if (!error)
		error = follow_frame(rec, body->site, &node.site);
	if (!error)
		error = check_node(rec, body, node.parent);
	if (error)
		return error;
	return remember(rec, LP_REC_NODE, lp_model_add_node(rec->model, &node));
}

static int read_witness(struct record *rec)
{
	const struct lp_rec_witness *body = rec->body;
	struct lp_model_witness witness = { .epoch = body->epoch, .count = body->count };
	uint16_t depth;
	int error = follow_one(rec, body->node, LP_REC_NODE, &witness.node);

	if (!error)
		error = follow_one(rec, body->thread, LP_REC_THREAD, &witness.thread);
	if (error)
		return error;
	depth = rec->model->nodes.at[witness.node].depth;
	if (witness.count > depth && depth != UINT16_MAX)
		return BAD(rec, "names %u locks at depth %u", witness.count, depth);
	if (witness.count > (rec->bytes - sizeof(*body)) / sizeof(*body->serial))
		return BAD(rec, "has locks past its end");
	witness.serial = (uint64_t *)body->serial;
	return lp_model_add_witness(rec->model, &witness) ? 0 : -ENOMEM;
}

static int read_thread(struct record *rec)
{
	const struct lp_rec_thread *body = rec->body;
	struct lp_model_thread thread = { .creator_epoch = body->creator_epoch,
					  .number = body->number };
	int error = follow_one(rec, body->process, LP_REC_PROCESS, &thread.process);

	if (!error)
		error = follow_optional(rec, body->creator, LP_REC_THREAD, &thread.creator);
	if (!error)
		error = follow_optional(rec, body->stack, LP_REC_STACK, &thread.stack);
	if (!error)
		error = follow_frame(rec, body->start, &thread.start);
	if (error)
		return error;
	return remember(rec, LP_REC_THREAD, lp_model_add_thread(rec->model, &thread));
}

/* Names are read out of order when one was pending: the highest offset wins. */
static int read_thread_name(struct record *rec)
{
	const struct lp_rec_thread_name *body = rec->body;
	uint32_t ref = (uint32_t)(rec->offset / LP_GRANULE);
	struct lp_model_thread *thread;
	const struct known *found;
	struct known *known;
	int error = follow(rec, body->thread, LP_REC_THREAD, LP_REC_THREAD, &found);

	if (error)
		return error;
	known = find_known(rec->reader, body->thread);
	if (known->detail > ref)
		return 0;
	known->detail = ref;
	thread = &rec->model->threads.at[known->index];
	thread->tid = body->tid;
	memcpy(thread->name, body->name, sizeof(body->name));
	thread->name[sizeof(body->name)] = 0;
	return 0;
}

static int read_join(struct record *rec)
{
	const struct lp_rec_join *body = rec->body;
	struct lp_model_join join = { .epoch = body->epoch };
	int error = follow_one(rec, body->joiner, LP_REC_THREAD, &join.joiner);

	if (!error)
		error = follow_one(rec, body->joined, LP_REC_THREAD, &join.joined);
	if (error)
		return error;
	return lp_model_add_join(rec->model, &join) ? 0 : -ENOMEM;
}

static int read_event(struct record *rec)
{
	const struct lp_rec_event *body = rec->body;
	struct lp_model_event event = { .kind = body->kind, .holder_tid = body->holder_tid,
					.address = body->address, .serial = body->serial };
	int error;

	if (body->kind >= LP_EVENT_COUNT)
		return BAD(rec, "has unknown kind %u", body->kind);
	error = follow_one(rec, body->thread, LP_REC_THREAD, &event.thread);
	if (!error && body->lock)
		error = follow_lock(rec, body->lock, &event.fine, &event.lock);
	if (!error)
		error = follow_optional(rec, body->stack, LP_REC_STACK, &event.stack);
	if (!error)
		error = follow_optional(rec, body->node, LP_REC_NODE, &event.node);
	if (error)
		return error;
	return lp_model_add_event(rec->model, &event) ? 0 : -ENOMEM;
}

/* Live: only its place is kept. */
static int read_slot(struct record *rec)
{
	uint32_t ref = (uint32_t)(rec->offset / LP_GRANULE);

	lp_vec_push(&rec->reader->slots, ref);
	return remember(rec, LP_REC_SLOT, rec->reader->slots.count);
}

/* Live too, but its size is fixed: how many entries fit is what the record's own size says. */
static int read_held(struct record *rec)
{
	size_t entries = (rec->bytes - sizeof(struct lp_rec_held)) / sizeof(struct lp_held);
	int error = remember(rec, LP_REC_HELD, 1);

	if (!error)
		rec->reader->known.at[rec->reader->known.count - 1].detail = (uint32_t)entries;
	return error;
}

/* ---- the log ---- */

/* The head of the record at `offset`, checked against the tail; PAD and all others. */
static int check_head(struct lp_reader *reader, uint64_t offset, uint64_t tail,
		      struct lp_rec *head)
{
	unsigned long long at = offset;
	uint64_t bytes;

	*head = load_head(reader, offset);
	bytes = (uint64_t)head->granules * LP_GRANULE;
	if (!head->granules)
		return bad(reader, offset, "record at offset 0x%llx has no size", at);
	if (head->type == LP_REC_NONE || head->type >= LP_REC_COUNT || head->done > 1 || head->zero)
		return bad(reader, offset, "record at offset 0x%llx has unknown type 0x%x", at,
			   head->type | head->done << 8 | (uint32_t)head->zero << 16);
	if (bytes > tail - offset)
		return bad(reader, offset, "record at offset 0x%llx goes past the end of the log",
			   at);
	if (head->type == LP_REC_PAD)
		return 0;
	if (bytes < rows[head->type].size)
		return bad(reader, offset, "%s at offset 0x%llx has only %llu bytes",
			   rows[head->type].word, at, (unsigned long long)bytes);
	if (bytes > RECORD_MAX && head->type != LP_REC_SLOT && head->type != LP_REC_HELD)
		return bad(reader, offset, "%s at offset 0x%llx is too large",
			   rows[head->type].word, at);
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

/* Read one done record: 0, NEED with *need set, or an error. */
static int read_record(struct lp_reader *reader, struct lp_model *model, uint64_t offset,
		       uint64_t tail, uint64_t *need)
{
	struct record rec = { .reader = reader, .model = model, .offset = offset };
	struct lp_rec head;
	int error = check_head(reader, offset, tail, &head);

	if (error || head.type == LP_REC_PAD)
		return error;
	rec.name = rows[head.type].word;
	rec.bytes = (size_t)head.granules * LP_GRANULE;
	if (!make_room(reader))
		return -ENOMEM;
	if (head.type != LP_REC_SLOT && head.type != LP_REC_HELD &&
	    copy_body(reader, offset, rec.bytes))
		return -ENOMEM;
	rec.body = reader->body;
	error = rows[head.type].read(&rec);
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
		if (result == NEED) {
			if (!lp_vec_room(&reader->needs, 1))
				return -ENOMEM;
			lp_vec_push(&reader->needs, need);
			continue;
		}
		pending = find_pending(reader, offset);
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
	return bad(reader, reader->offset, "the log, read up to 0x%llx, says that it ends at 0x%llx",
		   (unsigned long long)reader->offset, (unsigned long long)tail);
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
	*problem = result == -EBADMSG ? problem_text : NULL;
	if (result == -ENOMEM)
		*problem = "out of memory";
	count_acquisitions(reader, model);
	return result;
}

/* ---- live state ---- */

uint64_t lp_reader_acquisitions(const struct lp_reader *reader)
{
	uint64_t sum = IMAGE64(reader, acquisitions);

	for (uint32_t i = 0; i < reader->slots.count; i++)
		sum += LIVE64(reader, (uint64_t)reader->slots.at[i] * LP_GRANULE,
			      struct lp_rec_slot, acquisitions);
	return sum;
}

/* Where a slot's held stack is and how many entries fit; none when it was not read yet. */
static uint32_t find_held(const struct lp_reader *reader, uint32_t slot, uint64_t *offset)
{
	uint64_t at = (uint64_t)slot * LP_GRANULE;
	uint32_t ref = LIVE32(reader, at, struct lp_rec_slot, held_ref);
	const struct known *known;

	if (ref == slot) {
		*offset = at + offsetof(struct lp_rec_slot, held);
		return LP_SLOT_HELD;
	}
	known = find_known(reader, ref);
	*offset = (uint64_t)ref * LP_GRANULE + offsetof(struct lp_rec_held, held);
	return known && known->type == LP_REC_HELD ? known->detail : 0;
}

static void load_entry(const struct lp_reader *reader, uint64_t offset, struct lp_live_held *held)
{
	uint64_t last = load64(reader, offset + offsetof(struct lp_held, count) -
			       offsetof(struct lp_held, count) % 8, __ATOMIC_RELAXED);
	struct lp_held copy;

	/* node, count, mode and flags are the last word of the entry */
	memcpy(&copy.node, &last, sizeof(last));
	held->lock = LIVE64(reader, offset, struct lp_held, lock);
	held->serial = LIVE64(reader, offset, struct lp_held, serial);
	held->node = lp_reader_node(reader, copy.node);
	held->count = copy.count;
	held->mode = copy.mode;
	held->flags = copy.flags;
}

static_assert(offsetof(struct lp_held, node) % 8 == 0 &&
	      sizeof(struct lp_held) - offsetof(struct lp_held, node) == 8,
	      "load_entry() takes them in one load");

static void load_held(const struct lp_reader *reader, uint32_t slot, struct lp_live_thread *live)
{
	uint64_t offset, top = LIVE64(reader, (uint64_t)slot * LP_GRANULE, struct lp_rec_slot, top);
	uint64_t room = find_held(reader, slot, &offset);
	uint64_t count = top / sizeof(struct lp_held);

	if (count > room)
		count = 0;	/* torn: the stack is just moving */
	live->held_count = count < LP_SLOT_HELD ? (uint32_t)count : LP_SLOT_HELD;
	offset += (count - live->held_count) * sizeof(struct lp_held);
	for (uint32_t i = 0; i < live->held_count; i++)
		load_entry(reader, offset + i * sizeof(struct lp_held), &live->held[i]);
}

static void load_live(const struct lp_reader *reader, uint32_t slot, struct lp_live_thread *live)
{
	uint64_t at = (uint64_t)slot * LP_GRANULE;

	live->pid = LIVE32(reader, at, struct lp_rec_slot, pid);
	live->tid = LIVE32(reader, at, struct lp_rec_slot, tid);
	live->acquisitions = LIVE64(reader, at, struct lp_rec_slot, acquisitions);
	live->key = LIVE64(reader, at, struct lp_rec_slot, key);
	live->wait = LIVE32(reader, at, struct lp_rec_slot, wait);
	live->wait_object = LIVE64(reader, at, struct lp_rec_slot, wait_object);
	live->wait_thread =
		lp_reader_thread(reader, LIVE32(reader, at, struct lp_rec_slot, wait_thread));
	live->lossy = LIVE32(reader, at, struct lp_rec_slot, lossy);
	load_held(reader, slot, live);
}

int lp_reader_next_live(const struct lp_reader *reader, uint32_t *cursor,
			struct lp_live_thread *live)
{
	while (*cursor < reader->slots.count) {
		uint32_t slot = reader->slots.at[(*cursor)++];

		live->thread = lp_reader_thread(
			reader, LIVE32(reader, (uint64_t)slot * LP_GRANULE, struct lp_rec_slot,
				       thread));
		if (!live->thread)
			continue;	/* free, or too new: the next poll will know it */
		load_live(reader, slot, live);
		return 1;
	}
	*cursor = 0;
	return 0;
}

void lp_reader_state(const struct lp_reader *reader, struct lp_reader_state *state)
{
	uint32_t stop = IMAGE32(reader, stop);

	*state = (struct lp_reader_state){
		.stop = stop < LP_STOP_COUNT ? stop : LP_STOP_FAULT,
		.stop_time_ns = IMAGE64(reader, stop_time_ns),
		.stop_errno = (int)IMAGE32(reader, stop_errno),
		.next_index = IMAGE32(reader, next_index),
		.claimed_pid = IMAGE32(reader, claimed_pid),
		.threads_started = IMAGE32(reader, threads_started),
		.start_time_ns = IMAGE64(reader, start_time_ns),
		.session = IMAGE64(reader, session),
		.index = IMAGE32(reader, index),
		.merged = IMAGE32(reader, merged),
		.tail = load_tail(reader),
	};
}

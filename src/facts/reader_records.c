/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader_records.c — from the copy of one record to a fact in the model.
 *
 * All refs are followed before anything is added, so that a record which needs another first can
 * simply be read again. There is room for it in the tables of the reader: what is added to the
 * model cannot be taken back.
 */
#include <errno.h>

#include "base/hash.h"
#include "facts/reader_private.h"

/* "<word> at offset 0x1230 <what is wrong with it>" */
#define BAD(rec, format, ...) \
	lp_reader_bad((rec)->reader, (rec)->offset, "%s at offset 0x%llx " format, (rec)->name, \
		      (unsigned long long)(rec)->offset, ##__VA_ARGS__)

/* ---- refs ---- */

/* The record under way is `index` in the model; there is room for it. */
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

/* A ref that cannot be followed: not read yet though done (LP_READER_NEED), or wrong. */
static int ref_unknown(struct record *rec, uint64_t target, const char *word)
{
	const struct pending *pending = lp_reader_pending(rec->reader, target);

	if (!pending || pending->read)
		return BAD(rec, "refers to 0x%llx, which is no %s", (unsigned long long)target,
			   word);
	if (!load_head(rec->reader, target).done)
		return BAD(rec, "refers to 0x%llx, which is not complete",
			   (unsigned long long)target);
	rec->need = target;
	return LP_READER_NEED;
}

/* Follow a ref to a record of one of two types (the second may be the first again). */
static int follow(struct record *rec, uint32_t ref, enum lp_rec_type type, enum lp_rec_type other,
		  const struct known **known)
{
	uint64_t target = (uint64_t)ref * LP_GRANULE;

	if (!ref)
		return BAD(rec, "refers to no %s", lp_reader_rows[type].word);
	if (target >= rec->offset)
		return BAD(rec, "refers to 0x%llx, which is not before it",
			   (unsigned long long)target);
	*known = lp_reader_known(rec->reader, ref);
	if (!*known)
		return ref_unknown(rec, target, lp_reader_rows[type].word);
	if ((*known)->type != type && (*known)->type != other)
		return BAD(rec, "refers to 0x%llx, which is a %s and no %s",
			   (unsigned long long)target, lp_reader_rows[(*known)->type].word,
			   lp_reader_rows[type].word);
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

/* ---- one function per record type: 0, LP_READER_NEED or an error ---- */

/* The arguments as one string, blanks for the NULs between them; NULL when memory is short. */
static char *join_args(const char *text, size_t size)
{
	char *args = calloc(1, size + 1);

	if (!args)
		return NULL;
	memcpy(args, text, size);
	while (size && !args[size - 1])
		size--;
	for (size_t i = 0; i < size; i++)
		if (!args[i])
			args[i] = ' ';
	return args;
}

static int read_process(struct record *rec)
{
	const struct lp_rec_process *body = rec->body;
	size_t room = rec->bytes - sizeof(*body);
	struct lp_model_process process = { .image = rec->reader->image, .pid = body->pid,
					    .parent_epoch = body->parent_epoch,
					    .start_time_ns = body->start_time_ns };
	uint32_t index = 0;
	int error = follow_optional(rec, body->parent_thread, LP_REC_THREAD,
				    &process.parent_thread);

	if (error)
		return error;
	if (body->exe_size > room || body->args_size > room - body->exe_size)
		return BAD(rec, "has text past its end");
	process.exe = strndup(body->text, body->exe_size);
	process.args = join_args(body->text + body->exe_size, body->args_size);
	if (process.exe && process.args)
		index = lp_model_add_process(rec->model, &process);
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
		int error = 0;

		/* most frames are in the module of the one before */
		if (i && body->frame[i].module == body->frame[i - 1].module)
			frame[i].module = frame[i - 1].module;
		else
			error = follow_one(rec, body->frame[i].module, LP_REC_MODULE,
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
	struct lp_model_fine fine = {
		.kind = body->kind, .origin = body->origin, .key = body->key,
		.wait_outer = body->wait_outer, .wait_inner = body->wait_inner,
		.flags = body->flags, .subclass = body->subclass,
	};
	uint32_t index = 0;
	int error;

	if (body->kind >= LP_LOCK_KIND_COUNT)
		return BAD(rec, "has unknown lock kind %u", body->kind);
	if (body->origin >= LP_ORIGIN_COUNT)
		return BAD(rec, "has unknown origin %u", body->origin);
	if (body->flags & ~LP_CLASS_FLAGS)
		return BAD(rec, "has unknown flags %u", body->flags);
	if (body->wait_outer >= LP_WAIT_TYPE_COUNT || body->wait_inner >= LP_WAIT_TYPE_COUNT)
		return BAD(rec, "has unknown wait types %u:%u", body->wait_outer, body->wait_inner);
	if (body->name_size > rec->bytes - sizeof(*body))
		return BAD(rec, "has a name past its end");
	error = follow_optional(rec, body->stack, LP_REC_STACK, &fine.stack);
	if (!error)
		error = follow_frame(rec, body->object, &fine.object);
	if (!error)
		error = follow_optional(rec, body->base, LP_REC_CLASS, &fine.base);
	if (error)
		return error;
	fine.name = strndup(body->name, body->name_size);
	if (fine.name)
		index = lp_model_add_fine(rec->model, &fine);
	free(fine.name);
	if (index && fine.kind == LP_LOCK_SEMAPHORE)
		lp_vec_push(&rec->reader->semaphores, (uint32_t)(rec->offset / LP_GRANULE));
	return remember(rec, LP_REC_CLASS, index);
}

static int read_lock(struct record *rec)
{
	const struct lp_rec_lock *body = rec->body;
	struct lp_model_lock lock = { .serial = body->serial, .address = body->address,
				      .rank = body->rank };
	int error = follow_one(rec, body->class_ref, LP_REC_CLASS, &lock.fine);

	if (!error)
		error = follow_one(rec, body->process, LP_REC_PROCESS, &lock.process);
	if (error)
		return error;
	return remember(rec, LP_REC_LOCK, lp_model_add_lock(rec->model, &lock));
}

static int read_context(struct record *rec)
{
	const struct lp_rec_context *body = rec->body;
	struct lp_model_context context = { .kind = body->kind, .flags = body->flags,
					    .number = body->number };
	uint32_t index = 0;

	if (body->kind >= LP_CONTEXT_KIND_COUNT)
		return BAD(rec, "has unknown kind %u", body->kind);
	if (body->name_size > rec->bytes - sizeof(*body))
		return BAD(rec, "has a name past its end");
	context.name = strndup(body->name, body->name_size);
	if (context.name)
		index = lp_model_add_context(rec->model, &context);
	free(context.name);
	return remember(rec, LP_REC_CONTEXT, index);
}

static int read_state(struct record *rec)
{
	const struct lp_rec_state *body = rec->body;
	uint32_t index[LP_STATE_CONTEXTS_MAX];
	struct lp_model_state state = {
		.wait = body->wait, .in_count = body->in_count, .on_count = body->on_count,
		.context_index = index,
	};
	uint64_t count = (uint64_t)body->in_count + body->on_count;
	int error = follow_optional(rec, body->context, LP_REC_CONTEXT, &state.context);

	if (error)
		return error;
	if (body->wait >= LP_WAIT_TYPE_COUNT)
		return BAD(rec, "has unknown wait type %u", body->wait);
	if (count > LP_STATE_CONTEXTS_MAX)
		return BAD(rec, "has %llu contexts", (unsigned long long)count);
	if (count * sizeof(*body->ref) > rec->bytes - sizeof(*body))
		return BAD(rec, "has contexts past its end");
	for (uint32_t i = 0; !error && i < count; i++)
		error = follow_one(rec, body->ref[i], LP_REC_CONTEXT, &index[i]);
	if (error)
		return error;
	return remember(rec, LP_REC_STATE, lp_model_add_state(rec->model, &state));
}

/* What a node says by itself. */
static int check_node(struct record *rec, const struct lp_rec_node *body, uint32_t parent)
{
	uint16_t above = rec->model->nodes.at[parent].depth;
	uint16_t depth = above == UINT16_MAX ? above : above + 1;

	if (body->mode >= LP_MODE_COUNT)
		return BAD(rec, "has unknown mode %u", body->mode);
	if (!body->lock && (!body->parent || !body->state))
		return BAD(rec, "has neither a lock nor a state of what is held");
	if (body->flags & ~(LP_TRY | LP_TIMED | LP_PREFER | LP_MOVED | LP_SYNC | LP_BACK_OFF))
		return BAD(rec, "has unknown flags 0x%x", body->flags);
	if (body->depth != depth)
		return BAD(rec, "has depth %u below depth %u", body->depth, above);
	return 0;
}

static int read_node(struct record *rec)
{
	const struct lp_rec_node *body = rec->body;
	struct lp_model_node node = { .mode = body->mode, .flags = body->flags };
	int error = follow_optional(rec, body->parent, LP_REC_NODE, &node.parent);

	if (!error && body->lock)
		error = follow_lock(rec, body->lock, &node.fine, &node.lock);
	if (!error)
		error = follow_optional(rec, body->state, LP_REC_STATE, &node.state);
	if (!error && body->nest)
		error = follow_lock(rec, body->nest, &node.nest, &node.nest_lock);
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

static int read_stamps(struct record *rec)
{
	const struct lp_rec_stamps *body = rec->body;
	struct lp_model_stamp stamp[LP_STAMPS_MAX];
	struct lp_model_stamps stamps = { body->events, body->count, stamp };
	int error = 0;

	if (stamps.count > LP_STAMPS_MAX)
		return BAD(rec, "has %u contexts", stamps.count);
	if (stamps.count * sizeof(*body->stamp) > rec->bytes - sizeof(*body))
		return BAD(rec, "has contexts past its end");
	for (uint32_t i = 0; !error && i < stamps.count; i++) {
		memcpy(stamp[i].at, body->stamp[i].at, sizeof(stamp[i].at));
		error = follow_one(rec, body->stamp[i].context, LP_REC_CONTEXT,
				   &stamp[i].context);
		for (int j = 0; !error && j < 2; j++)
			error = follow_frame(rec, body->stamp[i].where[j], &stamp[i].where[j]);
	}
	if (error)
		return error;
	return remember(rec, LP_REC_STAMPS, lp_model_add_stamps(rec->model, &stamps));
}

static int read_witness(struct record *rec)
{
	const struct lp_rec_witness *body = rec->body;
	struct lp_model_witness witness = { .epoch = body->epoch, .count = body->count };
	uint16_t depth;
	int error = follow_one(rec, body->node, LP_REC_NODE, &witness.node);

	if (!error)
		error = follow_one(rec, body->thread, LP_REC_THREAD, &witness.thread);
	if (!error)
		error = follow_optional(rec, body->stack, LP_REC_STACK, &witness.stack);
	if (!error)
		error = follow_optional(rec, body->below, LP_REC_NODE, &witness.below);
	if (!error)
		error = follow_optional(rec, body->stamps, LP_REC_STAMPS, &witness.stamps);
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
					  .number = body->number, .flags = body->flags };
	int error = follow_one(rec, body->process, LP_REC_PROCESS, &thread.process);

	if (!error)
		error = follow_optional(rec, body->creator, LP_REC_THREAD, &thread.creator);
	if (!error)
		error = follow_optional(rec, body->stack, LP_REC_STACK, &thread.stack);
	if (!error)
		error = follow_frame(rec, body->start, &thread.start);
	if (!error)
		error = follow_optional(rec, body->context, LP_REC_CONTEXT, &thread.context);
	if (error)
		return error;
	return remember(rec, LP_REC_THREAD, lp_model_add_thread(rec->model, &thread));
}

/*
 * Names are read out of order when one was pending: the highest offset wins. An empty name says
 * that the thread has none of its own: it goes by that of its process' first thread.
 */
static int read_thread_name(struct record *rec)
{
	const struct lp_rec_thread_name *body = rec->body;
	uint32_t ref = (uint32_t)(rec->offset / LP_GRANULE);
	struct lp_reader *reader = rec->reader;
	struct lp_model_thread *thread;
	const struct known *found;
	struct known *known;
	int error = follow(rec, body->thread, LP_REC_THREAD, LP_REC_THREAD, &found);

	if (error)
		return error;
	known = lp_reader_known(reader, body->thread);
	thread = &rec->model->threads.at[known->index];
	if (body->tid && (known->detail <= ref || !thread->tid))
		thread->tid = body->tid;
	if (body->name[0] && known->detail <= ref) {
		known->detail = ref;
		memcpy(thread->name, body->name, sizeof(body->name));
		if (!reader->first_name[0])
			memcpy(reader->first_name, body->name, sizeof(body->name));
	} else if (!thread->name[0]) {
		memcpy(thread->name, reader->first_name, sizeof(body->name));
	}
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

/* ---- the table ---- */

/* X(type, smallest record, what people call it, live, who reads it) */
#define RECORDS(X) \
	X(PROCESS,	struct lp_rec_process,	"process",	false,	read_process) \
	X(MODULE,	struct lp_rec_module,	"module",	false,	read_module) \
	X(STACK,	struct lp_rec_stack,	"stack",	false,	read_stack) \
	X(CLASS,	struct lp_rec_class,	"class",	false,	read_class) \
	X(LOCK,		struct lp_rec_lock,	"lock",		false,	read_lock) \
	X(NODE,		struct lp_rec_node,	"node",		false,	read_node) \
	X(WITNESS,	struct lp_rec_witness,	"witness",	false,	read_witness) \
	X(THREAD,	struct lp_rec_thread,	"thread",	false,	read_thread) \
	X(JOIN,		struct lp_rec_join,	"join",		false,	read_join) \
	X(EVENT,	struct lp_rec_event,	"event",	false,	read_event) \
	X(SLOT,		struct lp_rec_slot,	"slot",		true,	read_slot) \
	X(HELD,		struct lp_rec_held,	"held stack",	true,	read_held) \
	X(THREAD_NAME,	struct lp_rec_thread_name, "thread name", false, read_thread_name) \
	X(CONTEXT,	struct lp_rec_context,	"context",	false,	read_context) \
	X(STATE,	struct lp_rec_state,	"state",	false,	read_state) \
	X(STAMPS,	struct lp_rec_stamps,	"event stamps",	false,	read_stamps)

const struct lp_reader_row lp_reader_rows[LP_REC_COUNT] = {
#define X(type_, struct_, word_, live_, read_) \
	[LP_REC_##type_] = { word_, sizeof(struct_), live_, read_ },
	RECORDS(X)
#undef X
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_builder.h — facts images made by hand, for tests and fuzz seeds.
 *
 * It writes the layout directly and shares no code with the runtime's writer, so that the two can
 * be held against each other. Records are done at once; clear `done` to make one pending. Each
 * function returns the ref of what it added. The storage belongs to the caller: image_finish().
 */
#ifndef LP_TESTS_FACTS_IMAGE_BUILDER_H
#define LP_TESTS_FACTS_IMAGE_BUILDER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/layout.h"

struct image {
	unsigned char	*bytes;		/* aligned to a page */
	size_t		room;
};

static inline struct lp_image *image_head(const struct image *image)
{
	return (struct lp_image *)image->bytes;
}

static inline void *image_at(const struct image *image, uint32_t ref)
{
	return image->bytes + (size_t)ref * LP_GRANULE;
}

static inline struct image image_start(void)
{
	struct image image = { NULL, 1u << 20 };
	struct lp_image *head;

	image.bytes = aligned_alloc(4096, image.room);
	if (!image.bytes)
		abort();
	memset(image.bytes, 0, image.room);
	head = image_head(&image);
	head->magic = LP_IMAGE_MAGIC;
	head->version = LP_IMAGE_VERSION;
	head->layout = LP_LAYOUT;
	head->size = image.room;
	head->session = 0x5e5510;
	head->start_time_ns = 1700000000000000000ull;
	head->nonce = 12345;
	head->tail = LP_IMAGE_HEADER_SIZE;
	head->populated = image.room;
	return image;
}

static inline void image_finish(struct image *image)
{
	free(image->bytes);
	image->bytes = NULL;
}

/* Bytes of the kept file: the log, to the next page. */
static inline size_t image_kept(const struct image *image)
{
	return (image_head(image)->tail + 4095) & ~(size_t)4095;
}

static inline uint32_t image_add(struct image *image, enum lp_rec_type type, size_t bytes)
{
	struct lp_image *head = image_head(image);
	size_t size = (bytes + LP_GRANULE - 1) & ~(size_t)(LP_GRANULE - 1);
	uint32_t ref = (uint32_t)(head->tail / LP_GRANULE);
	struct lp_rec *rec = image_at(image, ref);

	if (size > image->room - head->tail)
		abort();
	*rec = (struct lp_rec){ (uint32_t)(size / LP_GRANULE), (uint8_t)type, 1, 0 };
	head->tail += size;
	return ref;
}

/* Take back what `done` says, or say it (in a record that image_add() made). */
static inline void image_set_done(struct image *image, uint32_t ref, int done)
{
	((struct lp_rec *)image_at(image, ref))->done = (uint8_t)done;
}

static inline uint32_t image_pad(struct image *image, size_t bytes)
{
	return image_add(image, LP_REC_PAD, bytes);
}

static inline uint32_t image_process(struct image *image, uint32_t pid, const char *exe,
				     const char *args, size_t args_size)
{
	size_t exe_size = strlen(exe);
	struct lp_rec_process *at;
	uint32_t ref = image_add(image, LP_REC_PROCESS, sizeof(*at) + exe_size + args_size);

	at = image_at(image, ref);
	at->pid = pid;
	at->exe_size = (uint32_t)exe_size;
	at->args_size = (uint32_t)args_size;
	at->start_time_ns = 1700000000000000001ull;
	memcpy(at->text, exe, exe_size);
	memcpy(at->text + exe_size, args, args_size);
	return ref;
}

/* build_id: a byte that fills the 20 of a build id; 0: none. */
static inline uint32_t image_module(struct image *image, const char *path, uint64_t base,
				    uint8_t build_id)
{
	size_t path_size = strlen(path);
	struct lp_rec_module *at;
	uint32_t ref = image_add(image, LP_REC_MODULE, sizeof(*at) + path_size);

	at = image_at(image, ref);
	at->base = base;
	at->size = 0x100000;
	at->build_id_size = build_id ? 20 : 0;
	memset(at->build_id, build_id, sizeof(at->build_id));
	at->path_size = (uint16_t)path_size;
	memcpy(at->path, path, path_size);
	return ref;
}

static inline uint32_t image_stack(struct image *image, const struct lp_frame *frame,
				   uint32_t count)
{
	struct lp_rec_stack *at;
	uint32_t ref = image_add(image, LP_REC_STACK, sizeof(*at) + count * sizeof(*frame));

	at = image_at(image, ref);
	at->count = count;
	memcpy(at->frame, frame, count * sizeof(*frame));
	return ref;
}

/* A stack of one or two frames of one module. */
static inline uint32_t image_stack2(struct image *image, uint32_t module, uint32_t inner,
				    uint32_t outer)
{
	struct lp_frame frame[2] = { { module, inner }, { module, outer } };

	return image_stack(image, frame, outer ? 2 : 1);
}

static inline uint32_t image_class(struct image *image, enum lp_lock_kind kind,
				   enum lp_origin origin, uint32_t stack, struct lp_frame object)
{
	uint32_t ref = image_add(image, LP_REC_CLASS, sizeof(struct lp_rec_class));
	struct lp_rec_class *at = image_at(image, ref);

	at->kind = (uint8_t)kind;
	at->origin = (uint8_t)origin;
	at->stack = stack;
	at->object = object;
	return ref;
}

static inline uint32_t image_lock(struct image *image, uint32_t class_ref, uint32_t process,
				  uint64_t serial, uint64_t address)
{
	uint32_t ref = image_add(image, LP_REC_LOCK, sizeof(struct lp_rec_lock));
	struct lp_rec_lock *at = image_at(image, ref);

	at->class_ref = class_ref;
	at->process = process;
	at->serial = serial;
	at->address = address;
	return ref;
}

static inline uint32_t image_context(struct image *image, enum lp_context_kind kind,
				     uint16_t number, const char *name)
{
	uint32_t size = (uint32_t)strlen(name);
	uint32_t ref = image_add(image, LP_REC_CONTEXT, sizeof(struct lp_rec_context) + size);
	struct lp_rec_context *at = image_at(image, ref);

	at->kind = (uint8_t)kind;
	at->number = number;
	at->name_size = size;
	memcpy(at->name, name, size);
	return ref;
}

/* Runs in `in` (0: task), can be struck by `on` (0: nothing). */
static inline uint32_t image_state(struct image *image, uint32_t in, uint32_t on,
				   enum lp_wait_type wait)
{
	uint32_t ref = image_add(image, LP_REC_STATE,
				 sizeof(struct lp_rec_state) + 2 * sizeof(uint32_t));
	struct lp_rec_state *at = image_at(image, ref);

	at->context = in;
	at->wait = (uint8_t)wait;
	at->in_count = in != 0;
	at->on_count = on != 0;
	at->ref[0] = in ? in : on;
	at->ref[1] = in ? on : 0;
	return ref;
}

static inline uint32_t image_node(struct image *image, uint32_t parent, uint32_t lock,
				  enum lp_mode mode, uint32_t stack, struct lp_frame site)
{
	uint32_t ref = image_add(image, LP_REC_NODE, sizeof(struct lp_rec_node));
	struct lp_rec_node *at = image_at(image, ref);

	at->parent = parent;
	at->lock = lock;
	at->mode = (uint8_t)mode;
	at->depth = 1;
	if (parent)
		at->depth += ((struct lp_rec_node *)image_at(image, parent))->depth;
	at->stack = stack;
	at->site = site;
	return ref;
}

static inline uint32_t image_witness(struct image *image, uint32_t node, uint32_t thread,
				     uint32_t epoch, const uint64_t *serial, uint32_t count)
{
	struct lp_rec_witness *at;
	uint32_t ref = image_add(image, LP_REC_WITNESS, sizeof(*at) + count * sizeof(*serial));

	at = image_at(image, ref);
	at->node = node;
	at->thread = thread;
	at->epoch = epoch;
	at->count = count;
	memcpy(at->serial, serial, count * sizeof(*serial));
	return ref;
}

/* One context, blocked at one place as the first event and never let in. */
static inline uint32_t image_stamps(struct image *image, uint32_t context, struct lp_frame where)
{
	struct lp_rec_stamps *at;
	uint32_t ref = image_add(image, LP_REC_STAMPS, sizeof(*at) + sizeof(at->stamp[0]));

	at = image_at(image, ref);
	at->events = 2;
	at->count = 1;
	at->stamp[0].context = context;
	at->stamp[0].at[0] = 1;
	at->stamp[0].where[0] = where;
	return ref;
}

static inline uint32_t image_thread(struct image *image, uint32_t process, uint32_t creator,
				    uint32_t stack, uint32_t number)
{
	uint32_t ref = image_add(image, LP_REC_THREAD, sizeof(struct lp_rec_thread));
	struct lp_rec_thread *at = image_at(image, ref);

	at->process = process;
	at->creator = creator;
	at->stack = stack;
	at->number = number;
	return ref;
}

static inline uint32_t image_thread_name(struct image *image, uint32_t thread, uint32_t tid,
					 const char *name)
{
	uint32_t ref = image_add(image, LP_REC_THREAD_NAME, sizeof(struct lp_rec_thread_name));
	struct lp_rec_thread_name *at = image_at(image, ref);

	at->thread = thread;
	at->tid = tid;
	for (size_t i = 0; i < sizeof(at->name) && name[i]; i++)
		at->name[i] = name[i];
	return ref;
}

static inline uint32_t image_join(struct image *image, uint32_t joiner, uint32_t epoch,
				  uint32_t joined)
{
	uint32_t ref = image_add(image, LP_REC_JOIN, sizeof(struct lp_rec_join));
	struct lp_rec_join *at = image_at(image, ref);

	at->joiner = joiner;
	at->epoch = epoch;
	at->joined = joined;
	return ref;
}

static inline uint32_t image_event(struct image *image, enum lp_event_kind kind, uint32_t thread,
				   uint32_t lock, uint32_t stack, uint32_t node)
{
	uint32_t ref = image_add(image, LP_REC_EVENT, sizeof(struct lp_rec_event));
	struct lp_rec_event *at = image_at(image, ref);

	at->kind = kind;
	at->thread = thread;
	at->lock = lock;
	at->stack = stack;
	at->node = node;
	at->address = 0x7000;
	at->serial = 3;
	return ref;
}

/* A slot whose held stack is its own. Aligned as the runtime aligns it. */
static inline uint32_t image_slot(struct image *image, uint32_t thread, uint32_t pid)
{
	uint32_t ref;
	struct lp_rec_slot *at;
	size_t gap = (0 - image_head(image)->tail) & 63;

	if (gap)
		image_pad(image, gap);
	ref = image_add(image, LP_REC_SLOT, sizeof(*at));
	at = image_at(image, ref);
	at->next = image_head(image)->slots;
	at->thread = thread;
	at->pid = at->tid = pid;
	at->limit = sizeof(at->held);
	at->held_ref = ref;
	image_head(image)->slots = ref;
	return ref;
}

static inline uint32_t image_held(struct image *image, uint32_t count)
{
	struct lp_rec_held *at;
	uint32_t ref = image_add(image, LP_REC_HELD, sizeof(*at) + count * sizeof(struct lp_held));

	at = image_at(image, ref);
	at->count = count;
	return ref;
}

/* The refs of image_abba(). */
struct abba {
	uint32_t	process, module, stack[4], class[2], lock[2], node[4], thread[3];
	uint32_t	witness[2], context, state, stamps, slot, tail_event;
};

/*
 * One of every record: two threads lock two static mutexes in opposite order, one unlocks what it
 * does not hold, a slot shows a thread that waits. `base` is where the program was loaded.
 */
static inline struct abba image_abba(struct image *image, uint64_t base, uint32_t pid)
{
	static const char args[] = "abba\0--fast\0";
	const uint64_t serial[2] = { 2, 1 }, inverse[2] = { 1, 2 };
	struct lp_rec_slot *slot;
	struct abba a;

	a.process = image_process(image, pid, "/usr/bin/abba", args, sizeof(args) - 1);
	a.module = image_module(image, "/usr/bin/abba", base, 0xab);
	for (uint32_t i = 0; i < 4; i++)
		a.stack[i] = image_stack2(image, a.module, 0x1000 + i * 0x10, 0x2000);
	for (uint32_t i = 0; i < 2; i++)
		a.class[i] = image_class(image, LP_LOCK_MUTEX, LP_ORIGIN_STATIC, 0,
					 (struct lp_frame){ a.module, 0x8000 + i * 0x40 });
	a.thread[0] = image_thread(image, a.process, 0, 0, 1);
	a.thread[1] = image_thread(image, a.process, a.thread[0], a.stack[0], 2);
	a.thread[2] = image_thread(image, a.process, a.thread[0], a.stack[1], 3);
	image_thread_name(image, a.thread[1], pid + 1, "worker");
	image_thread_name(image, a.thread[2], pid + 2, "exactly16letters");
	a.lock[0] = image_lock(image, a.class[0], a.process, 1, base + 0x8000);
	a.lock[1] = image_lock(image, a.class[1], a.process, 2, base + 0x8040);
	a.context = image_context(image, LP_CONTEXT_SIGNAL, 14, "SIGALRM");
	a.state = image_state(image, 0, a.context, LP_WAIT_UNCHECKED);
	a.node[0] = image_node(image, 0, a.class[0], LP_WRITE, a.stack[0],
			       (struct lp_frame){ a.module, 0x1000 });
	a.node[1] = image_node(image, a.node[0], a.class[1], LP_WRITE, a.stack[1],
			       (struct lp_frame){ a.module, 0x1010 });
	a.node[2] = image_node(image, 0, a.lock[1], LP_WRITE, a.stack[2],
			       (struct lp_frame){ a.module, 0x1020 });
	a.node[3] = image_node(image, a.node[2], a.lock[0], LP_WRITE, a.stack[3],
			       (struct lp_frame){ a.module, 0x1030 });
	a.stamps = image_stamps(image, a.context, (struct lp_frame){ a.module, 0x1040 });
	a.witness[0] = image_witness(image, a.node[1], a.thread[1], 0, serial, 2);
	a.witness[1] = image_witness(image, a.node[3], a.thread[2], 0, inverse, 2);
	((struct lp_rec_witness *)image_at(image, a.witness[1]))->stamps = a.stamps;
	image_join(image, a.thread[0], 3, a.thread[1]);
	a.slot = image_slot(image, a.thread[2], pid);
	slot = image_at(image, a.slot);
	slot->acquisitions = 7;
	slot->top = 2 * sizeof(struct lp_held);
	slot->held[0] = (struct lp_held){ base + 0x8040, 0, 2, { { a.node[2], 0, LP_WRITE, 0 } } };
	slot->held[1] = (struct lp_held){ base + 0x8000, 0xfeed, 1,
					  { { a.node[3], 0, LP_WRITE, LP_TIMED } } };
	slot->wait = LP_WAIT_LOCK;
	slot->wait_object = base + 0x8000;
	a.tail_event = image_event(image, LP_EVENT_UNLOCK_NOT_HELD, a.thread[1], a.class[0],
				   a.stack[0], a.node[1]);
	image_head(image)->acquisitions = 100;
	image_head(image)->threads_started = 3;
	return a;
}

#endif

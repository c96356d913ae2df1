/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.c — slots and the life of threads and forked processes.
 *
 * A slot is given back by the destructor of a pthread key, which puts itself off to the last round
 * of destructors so that the program's own still see the thread tracked.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/hash.h"
#include "runtime/os.h"
#include "runtime/runtime.h"

#define RECLAIM_LOOKS	8

struct lp_rec_slot lp_no_slot = {
	.top = (uintptr_t)lp_no_slot.held,
	.held_ptr = (uintptr_t)lp_no_slot.held,
	.base = (uintptr_t)lp_no_slot.held,
	.limit = (uintptr_t)lp_no_slot.held,
	.ground = { .lock = ~0ull },
	.salt = ~0ull,
};

__thread struct lp_self lp_self = { .slot = &lp_no_slot };

/* Free slots of this process: ref in the low half, a counter against reuse in the high half. */
static uint64_t free_slots;

static struct lp_rec_slot *slot_at(uint32_t ref)
{
	return lp_writer_at(&lp_rt.track.writer, ref);
}

static struct lp_rec_slot *pop_free(void)
{
	uint64_t head = __atomic_load_n(&free_slots, __ATOMIC_ACQUIRE);
	uint64_t next;

	do {
		if (!(uint32_t)head)
			return NULL;
		next = ((head >> 32) + 1) << 32 |
		       __atomic_load_n(&slot_at((uint32_t)head)->next_free, __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(&free_slots, &head, next, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_ACQUIRE));
	return slot_at((uint32_t)head);
}

static void push_free(struct lp_rec_slot *slot)
{
	uint32_t ref = lp_writer_ref(&lp_rt.track.writer, slot);
	uint64_t head = __atomic_load_n(&free_slots, __ATOMIC_RELAXED);
	uint64_t next;

	do {
		__atomic_store_n(&slot->next_free, (uint32_t)head, __ATOMIC_RELAXED);
		next = ((head >> 32) + 1) << 32 | ref;
	} while (!__atomic_compare_exchange_n(&free_slots, &head, next, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
}

/*
 * A slot whose process died, or NULL. Looks at a few each time, so that a program that forks often
 * does not fill the image with slots.
 */
static struct lp_rec_slot *reclaim(void)
{
	static uint32_t cursor;
	struct lp_image *image = lp_rt.track.writer.image;
	uint32_t ref = __atomic_load_n(&cursor, __ATOMIC_RELAXED);
	uint32_t own = (uint32_t)lp_os_pid();
	struct lp_rec_slot *slot;

	for (unsigned i = 0; i < RECLAIM_LOOKS; i++, ref = slot->next) {
		uint32_t thread, pid;

		if (!ref)
			ref = __atomic_load_n(&image->slots, __ATOMIC_ACQUIRE);
		if (!ref)
			return NULL;
		slot = slot_at(ref);
		pid = slot->pid;
		thread = __atomic_load_n(&slot->thread, __ATOMIC_ACQUIRE);
		if (pid == own || !pid || !thread || !lp_rt.pid_space ||
		    slot->pid_space != lp_rt.pid_space || lp_sys2(SYS_kill, pid, 0) != -ESRCH)
			continue;
		if (__atomic_compare_exchange_n(&slot->thread, &thread, 0, false, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED)) {
			__atomic_fetch_add(&image->acquisitions, slot->acquisitions,
					   __ATOMIC_RELAXED);
			slot->acquisitions = 0;
			return slot;
		}
	}
	__atomic_store_n(&cursor, ref, __ATOMIC_RELAXED);
	return NULL;
}

uint32_t lp_pid_space(void)
{
	char name[64];
	long size = lp_sys4(SYS_readlinkat, AT_FDCWD, "/proc/self/ns/pid", name, sizeof(name));

	return size > 0 ? (uint32_t)lp_hash_bytes(0, name, (size_t)size) | 1 : 0;
}

static struct lp_rec_slot *make_slot(void)
{
	struct lp_writer *writer = &lp_rt.track.writer;
	struct lp_rec_slot *slot = lp_writer_begin(writer, LP_REC_SLOT, sizeof(*slot), 64);
	uint32_t ref;

	if (!slot)
		return NULL;
	lp_writer_done(slot);
	ref = lp_writer_ref(writer, slot);
	slot->next = __atomic_load_n(&writer->image->slots, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&writer->image->slots, &slot->next, ref, false,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	return slot;
}

struct lp_rec_slot *lp_slot_new(uint32_t thread)
{
	struct lp_rec_slot *slot;

	if (!thread)
		return NULL;
	slot = pop_free();
	if (!slot)
		slot = reclaim();
	if (!slot)
		slot = make_slot();
	if (slot) {
		slot->pid = (uint32_t)lp_os_pid();
		slot->pid_space = lp_rt.pid_space;
		slot->tid = 0;
		lp_slot_init(&lp_rt.track, slot, thread);
	}
	return slot;
}

void lp_slot_free(struct lp_rec_slot *slot)
{
	struct lp_image *image = lp_rt.track.writer.image;

	__atomic_fetch_add(&image->acquisitions, slot->acquisitions, __ATOMIC_RELAXED);
	slot->acquisitions = 0;
	__atomic_store_n(&slot->thread, 0, __ATOMIC_RELEASE);
	push_free(slot);
}

uint32_t lp_thread_record(uint32_t creator, uint32_t creator_epoch, uint64_t start, bool stack)
{
	struct lp_writer *writer = &lp_rt.track.writer;
	uint32_t stack_ref = stack ? lp_stack_capture(LP_STACK_FRAMES_MAX) : 0;
	struct lp_frame place = start ? lp_place(start) : (struct lp_frame){ 0, 0 };
	struct lp_rec_thread *thread = lp_writer_begin(writer, LP_REC_THREAD, sizeof(*thread), 0);

	if (!thread)
		return 0;
	thread->process = lp_rt.process;
	thread->creator = creator;
	thread->creator_epoch = creator_epoch;
	thread->stack = stack_ref;
	thread->start = place;
	thread->number = __atomic_add_fetch(&writer->image->threads_started, 1, __ATOMIC_RELAXED);
	lp_writer_done(thread);
	return lp_writer_ref(writer, thread);
}

void lp_thread_name(uint32_t thread, uint32_t tid, const char *name)
{
	struct lp_writer *writer = &lp_rt.track.writer;
	struct lp_rec_thread_name *record = lp_writer_begin(writer, LP_REC_THREAD_NAME,
							    sizeof(*record), 0);

	if (!record)
		return;
	record->thread = thread;
	record->tid = tid;
	memcpy(record->name, name, strnlen(name, sizeof(record->name) - 1));
	lp_writer_done(record);
}

void lp_thread_begin(struct lp_rec_slot *slot)
{
	static char first_name[16];	/* what threads inherit: says nothing about one of them */
	struct lp_rec_slot *attached;
	char name[16] = "";

	slot->tid = (uint32_t)lp_os_tid();
	slot->pthread = (uintptr_t)pthread_self();
	lp_sys2(SYS_prctl, PR_GET_NAME, name);
	if (!first_name[0])
		memcpy(first_name, name, sizeof(name));
	else if (!strcmp(name, first_name))
		name[0] = '\0';
	lp_thread_name(slot->thread, slot->tid, name);
	/* a handler was quicker, and made one: it goes back when no handler finds it here any more */
	attached = lp_own_slot();
	lp_self.slot = slot;
	lp_self.ended = false;
	if (attached)
		lp_slot_free(attached);
	lp_signal_read_mask();
	lp_state_refresh(slot, 0);
	if (lp_rt.has_key)
		pthread_setspecific(lp_rt.key, (void *)1);
}

struct lp_rec_slot *lp_attach(void)
{
	struct lp_rec_slot *slot;

	if (!lp_rt.track.writer.image) {
		lp_start(NULL);
		if (lp_own_slot())
			return lp_self.slot;
	}
	if (lp_self.ended || !lp_rt.process)
		return NULL;
	lp_self.ended = true;	/* a handler that comes here meanwhile passes through */
	slot = lp_slot_new(lp_thread_record(0, 0, 0, false));
	if (!slot)
		return NULL;
	lp_thread_begin(slot);
	return slot;
}

static void report_held_at_exit(struct lp_rec_slot *slot)
{
	for (struct lp_held *held = lp_track_held(slot); held < lp_track_top(slot); held++)
		if (!(held->flags & LP_ROBUST) && held->lock != LP_BOUNDARY)
			lp_misuse_held(slot, LP_EVENT_EXIT_HELD, held);
}

/* Runs once per round of destructors: value n in round n. */
static void thread_ends(void *round)
{
	struct lp_rec_slot *slot = lp_own_slot();

	if (!slot)
		return;
	if ((uintptr_t)round < PTHREAD_DESTRUCTOR_ITERATIONS) {
		pthread_setspecific(lp_rt.key, (char *)round + 1);
		return;
	}
	report_held_at_exit(slot);
	lp_self.ended = true;
	lp_self.slot = &lp_no_slot;
	lp_slot_free(slot);
}

uint32_t lp_process_record(uint32_t parent_thread, uint32_t parent_epoch, const char *exe,
			   const char *args, size_t args_size)
{
	struct lp_writer *writer = &lp_rt.track.writer;
	size_t exe_size = exe ? strlen(exe) : 0;
	struct lp_rec_process *process = lp_writer_begin(
		writer, LP_REC_PROCESS, sizeof(*process) + exe_size + args_size, 0);

	if (!process)
		return 0;
	process->pid = (uint32_t)lp_os_pid();
	process->parent_thread = parent_thread;
	process->parent_epoch = parent_epoch;
	process->start_time_ns = lp_os_now_ns();
	process->exe_size = (uint32_t)exe_size;
	process->args_size = (uint32_t)args_size;
	if (exe_size)
		memcpy(process->text, exe, exe_size);
	if (args_size)
		memcpy(process->text + exe_size, args, args_size);
	lp_writer_done(process);
	return lp_writer_ref(writer, process);
}

/*
 * Fork. The child's slot is made before, while the parent's held stack stands still: afterwards
 * the parent goes on changing it. Our handlers are the first registered, so "prepare" comes after
 * the program's own and "child" before them.
 */
void lp_fork_prepare(void)
{
	struct lp_rec_slot *slot = lp_own_slot();

	lp_self.child = NULL;
	if (!slot || slot->busy)
		return;
	lp_self.child = lp_slot_new(slot->thread);
	if (lp_self.child) {
		lp_self.child->pid = 0;		/* nobody's, should the fork fail */
		lp_self.child->epoch = slot->epoch;
		lp_slot_copy_held(&lp_rt.track, lp_self.child, slot);
		lp_self.child->lossy |= slot->lossy;
	}
}

void lp_fork_parent(void)
{
	struct lp_rec_slot *child = lp_self.child;

	lp_self.child = NULL;
	if (child)
		lp_slot_next_epoch(lp_self.slot);
}

/*
 * Other threads may have held locks at the moment of the fork: until the child execs, or becomes a
 * program of its own by creating threads, it is an interrupt that struck them.
 */
static void begin_child(struct lp_rec_slot *child)
{
	struct lp_track_below below;

	lp_rt.pid = child->pid;
	if (__atomic_exchange_n(&lp_rt.unjoined, 0, __ATOMIC_RELAXED) || lp_self.signals.in_child)
		lp_self.signals.in_child = true;
	if (lp_self.signals.in_child)
		lp_track_enter(&lp_rt.track, child, child->state, &below);
}

void lp_fork_child(void)
{
	bool tracked = lp_own_slot() != NULL;
	struct lp_rec_slot *child = lp_self.child;

	lp_self.child = NULL;
	lp_self.slot = &lp_no_slot;
	__atomic_store_n(&free_slots, 0, __ATOMIC_RELAXED);	/* they are the parent's */
	if (!tracked)
		return;
	lp_self.ended = true;
	if (!child)
		return;
	lp_rt.process = lp_process_record(child->thread, child->epoch, NULL, NULL, 0);
	if (!lp_rt.process)
		return;
	lp_rt.pid_space = lp_pid_space();
	child->pid_space = lp_rt.pid_space;
	child->pid = (uint32_t)lp_os_pid();
	child->thread = lp_thread_record(child->thread, child->epoch, 0, false);
	lp_slot_first_epoch(child);
	begin_child(child);
	lp_thread_begin(child);
}

/* Known by its libc name: the dynamic pthread_atfork is not in libc.so. */
extern int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void),
			     void *object);

void lp_thread_init(void)
{
	lp_rt.has_key = !pthread_key_create(&lp_rt.key, thread_ends);
	__register_atfork(lp_fork_prepare, lp_fork_parent, lp_fork_child, NULL);
}

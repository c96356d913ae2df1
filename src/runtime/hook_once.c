/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_once.c — pthread_once, call_once and the guards of function-local statics.
 *
 * Until it is done, a once object is a lock: whoever runs the routine holds it, and all others
 * wait. Which of the two a call will be is not known before, and need not be. Once it is done the
 * object means nothing, and costs a look at its value.
 */
#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <sys/single_threaded.h>

#include "runtime/os.h"
#include "runtime/runtime.h"

#define ONCE_DONE	2	/* glibc's, in an object of either type */

static struct lp_op op_of(uint64_t address, uint64_t site)
{
	return (struct lp_op){
		.home = lp_home_in_table((const void *)(uintptr_t)address),
		.address = address,
		.site = site,
		.kind = LP_LOCK_ONCE,
		.mode = LP_WRITE,
		.simple = true,
		.robust = true,		/* libc starts anew when the routine is cancelled */
	};
}

/* Is the frame of our hook still there: below it only, and with the address it will return to? */
static bool is_there(const struct lp_once *once, uint64_t frame)
{
	const uint64_t *back = (const uint64_t *)(uintptr_t)(once->frame + sizeof(uint64_t));

	return frame < once->frame && *back == once->site;
}

/*
 * A routine can be left by an exception or a jump, which our frames do not see. What was pushed in
 * a frame that is gone is no longer held.
 */
void lp_once_drop_left(struct lp_rec_slot *slot, uint64_t frame)
{
	while (lp_self.once_count) {
		const struct lp_once *once = &lp_self.once[lp_self.once_count - 1];

		/* on a stack of a handler or a coroutine nothing is said of ours */
		if (frame >= lp_self.stack_end || frame < lp_self.stack_start ||
		    once->frame >= lp_self.stack_end || once->frame < lp_self.stack_start ||
		    is_there(once, frame))
			return;
		lp_self.once_count--;
		lp_release(slot, once->address);
	}
}

struct call {
	struct lp_rec_slot *slot;	/* NULL: pass through */
	uint64_t	address;
};

static void call_begins(struct call *call, uint64_t address, uint64_t frame, uint64_t site)
{
	struct lp_op op;

	call->slot = lp_slot();
	call->address = address;
	if (!call->slot)
		return;
	lp_once_drop_left(call->slot, frame);
	if (lp_self.once_count == LP_ONCE_MAX) {
		call->slot = NULL;
		return;
	}
	op = op_of(address, site);
	lp_hold(call->slot, &op);
	lp_self.once[lp_self.once_count++] = (struct lp_once){ frame, site, address };
}

static void call_ended(const struct call *call)
{
	if (!call->slot)
		return;
	if (lp_self.once_count)
		lp_self.once_count--;
	lp_release(call->slot, call->address);
}

static bool is_done(const int *value)
{
	return __atomic_load_n(value, __ATOMIC_ACQUIRE) & ONCE_DONE;
}

/*
 * What is done needs no waiting, but it was not sure to be: with other locks held, that this one
 * would be needed is a fact all the same.
 */
static void note_done(uint64_t address, uint64_t site)
{
	struct lp_rec_slot *slot = lp_slot();
	uint64_t key, word;
	struct lp_op op;

	if (!slot || lp_track_top(slot) == lp_track_base(slot))
		return;
	op = op_of(address, site);
	op.flags |= LP_SYNC;
	if (!op.home.word || !lp_chain_is_known(slot, op.home.word, address, site,
						LP_KEY_HOW(op.mode, op.flags), &key, &word))
		lp_hold_note(slot, &op);
}

#define FRAME() ((uint64_t)(uintptr_t)__builtin_frame_address(0))

LP_PUBLIC int pthread_once(pthread_once_t *once, void (*routine)(void))
{
	struct call call;
	int result;

	if (lp_likely(is_done(once))) {
		note_done((uintptr_t)once, LP_SITE());
		return lp_real.pthread_once(once, routine);
	}
	call_begins(&call, (uintptr_t)once, FRAME(), LP_SITE());
	result = lp_real.pthread_once(once, routine);
	call_ended(&call);
	return result;
}

LP_PUBLIC void call_once(once_flag *once, void (*routine)(void))
{
	struct call call;

	_Static_assert(sizeof(once_flag) == sizeof(pthread_once_t), "glibc's are the same");
	if (lp_likely(is_done((const int *)(const void *)once))) {
		note_done((uintptr_t)once, LP_SITE());
		lp_real.call_once(once, routine);
		return;
	}
	call_begins(&call, (uintptr_t)once, FRAME(), LP_SITE());
	lp_real.call_once(once, routine);
	call_ended(&call);
}

/* ---- guards ---- */

/*
 * The compiler has looked whether all is done (the first byte), so a call is a first one. These
 * functions are no rows of hooks.h: a C program has none, and a search for one that fails
 * allocates: so it begins when the loader's list has a C++ library from the start. One that
 * comes later, by dlopen, is not; but its calls come here, and are answered by libstdc++'s protocol
 * in the first word of the guard, which is at hand below. It waits where the library would throw:
 * in a program with one thread whose static needs itself.
 */
int __cxa_guard_acquire(uint64_t *guard);
void __cxa_guard_release(uint64_t *guard);
void __cxa_guard_abort(uint64_t *guard);

static struct {
	int	(*acquire)(uint64_t *guard);
	void	(*release)(uint64_t *guard);
	void	(*abort)(uint64_t *guard);
} real;				/* all of one library, or none */

static bool has_guards(const struct link_map *object)
{
	const char *slash = strrchr(object->l_name, '/');
	const char *name = slash ? slash + 1 : object->l_name;

	return !strncmp(name, "libstdc++.so", 12) || !strncmp(name, "libc++abi.so", 12);
}

void lp_guards_resolve(void)
{
	const struct link_map *object = _r_debug.r_map;
	void *acquire, *release, *abandon;

	while (object && !has_guards(object))
		object = object->l_next;
	if (!object)
		return;
	acquire = dlsym(RTLD_NEXT, "__cxa_guard_acquire");
	release = dlsym(RTLD_NEXT, "__cxa_guard_release");
	abandon = dlsym(RTLD_NEXT, "__cxa_guard_abort");
	if (!acquire || !release || !abandon)
		return;
	memcpy(&real.acquire, &acquire, sizeof(acquire));
	memcpy(&real.release, &release, sizeof(release));
	memcpy(&real.abort, &abandon, sizeof(abandon));
}

enum { GUARD_DONE = 1, GUARD_RUNNING = 1 << 8, GUARD_AWAITED = 1 << 16 };

static void guard_wait(uint32_t *word, uint32_t value)
{
	lp_sys4(SYS_futex, word, 0 /* FUTEX_WAIT */, value, 0);
}

static int guard_acquire(uint32_t *word)
{
	for (;;) {
		uint32_t value = 0;

		if (__atomic_compare_exchange_n(word, &value, GUARD_RUNNING, false,
						__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return 1;
		if (value & GUARD_DONE)
			return 0;
		if (value == GUARD_RUNNING &&
		    !__atomic_compare_exchange_n(word, &value, GUARD_RUNNING | GUARD_AWAITED,
						 false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			continue;
		guard_wait(word, GUARD_RUNNING | GUARD_AWAITED);
	}
}

static void guard_end(uint32_t *word, uint32_t value)
{
	if (__atomic_exchange_n(word, value, __ATOMIC_ACQ_REL) & GUARD_AWAITED)
		lp_sys4(SYS_futex, word, 1 /* FUTEX_WAKE */, 0x7fffffff, 0);
}

/* Its own initialisation needs the static: with one thread the library throws, and nobody waits. */
static bool will_throw(const struct lp_rec_slot *slot, const uint64_t *guard)
{
	return real.acquire && __libc_single_threaded && lp_holds(slot, (uintptr_t)guard);
}

LP_PUBLIC int __cxa_guard_acquire(uint64_t *guard)
{
	struct lp_rec_slot *slot = lp_slot();
	struct lp_op op;
	int first;

	if (slot) {
		op = op_of((uintptr_t)guard, LP_SITE());
		if (will_throw(slot, guard)) {
			lp_hold_note(slot, &op);
			return real.acquire(guard);
		}
		lp_hold(slot, &op);
	}
	first = real.acquire ? real.acquire(guard) : guard_acquire((uint32_t *)guard);
	if (slot && !first)
		lp_release(slot, (uintptr_t)guard);
	return first;
}

static void guard_ends(const uint64_t *guard)
{
	struct lp_rec_slot *slot = lp_slot();

	if (slot)
		lp_release(slot, (uintptr_t)guard);
}

LP_PUBLIC void __cxa_guard_release(uint64_t *guard)
{
	guard_ends(guard);
	if (real.release)
		real.release(guard);
	else
		guard_end((uint32_t *)guard, GUARD_DONE);
}

LP_PUBLIC void __cxa_guard_abort(uint64_t *guard)
{
	guard_ends(guard);
	if (real.abort)
		real.abort(guard);
	else
		guard_end((uint32_t *)guard, 0);
}

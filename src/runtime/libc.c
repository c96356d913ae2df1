/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libc.c — calls of functions that take locks inside libc: which lock, and is it news?
 */
#include "runtime/libc.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "runtime/runtime.h"

lp_libc_fn *lp_libc_real[LP_CALL_COUNT];
uint8_t lp_libc_armed = LP_LIBC_UNRESOLVED;
__thread uint64_t lp_libc_frame;

/* ---- rows ---- */

static const char *const function_names[] = {
#define R(name, lock) #name,
	LP_LIBC_CALLS(R)
#undef R
};

static const uint8_t lock_of[] = {
#define R(name, lock) LP_LIBC_##lock,
	LP_LIBC_CALLS(R)
#undef R
};

static const struct lp_class_name classes[] = {
#define X(lock, text, safe) { .kind = LP_LOCK_LIBC, .name = text },
	LP_LIBC_LOCKS(X)
#undef X
};

static const bool safe_in_child[] = {
#define X(lock, text, safe) safe,
	LP_LIBC_LOCKS(X)
#undef X
};

/* One FILE is told from another by its address. */
static const struct lp_class_name file_class = { .kind = LP_LOCK_LIBC, .name = "FILE lock" };

/* ---- the real functions ---- */

/* Not declared by headers: for calls before anything could be looked up. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *at, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *at);

/* What dlsym() itself may call while it looks for the program's malloc. */
static lp_libc_fn *libc_own(enum lp_libc_call call)
{
	switch ((int)call) {
	case LP_CALL_malloc:
		return (lp_libc_fn *)__libc_malloc;
	case LP_CALL_calloc:
		return (lp_libc_fn *)__libc_calloc;
	case LP_CALL_realloc:
		return (lp_libc_fn *)__libc_realloc;
	case LP_CALL_memalign:
	case LP_CALL_aligned_alloc:
		return (lp_libc_fn *)__libc_memalign;
	case LP_CALL_free:
		return (lp_libc_fn *)__libc_free;
	}
	return NULL;
}

/* dlsym() is one of ours, dlvsym() is not. Those that moved into libc have two versions. */
static void *look_up(enum lp_libc_call call)
{
	const char *name = function_names[call];
	void *found = NULL;

	if (call == LP_CALL_dlsym || call == LP_CALL_dlopen || call == LP_CALL_dlmopen ||
	    call == LP_CALL_dlclose || call == LP_CALL_dladdr || call == LP_CALL_dladdr1)
		found = dlvsym(RTLD_NEXT, name, "GLIBC_2.34");
	if (!found && call == LP_CALL_dlsym)
		return dlvsym(RTLD_NEXT, name, "GLIBC_2.2.5");
	return found ? found : dlsym(RTLD_NEXT, name);
}

/* One that is called before lp_libc_resolve(), perhaps by what that does. */
static LP_COLD lp_libc_fn *resolve_early(enum lp_libc_call call)
{
	static __thread bool looking __attribute__((tls_model("initial-exec")));
	void *found;

	if (looking && libc_own(call))
		return libc_own(call);
	looking = true;
	found = look_up(call);
	looking = false;
	memcpy(&lp_libc_real[call], &found, sizeof(found));
	return lp_libc_real[call];
}

void lp_libc_resolve(void)
{
	for (unsigned call = 0; call < LP_CALL_COUNT; call++)
		if (!lp_libc_real[call])
			resolve_early(call);
	__atomic_fetch_and(&lp_libc_armed, (uint8_t)~LP_LIBC_UNRESOLVED, __ATOMIC_RELEASE);
}

void lp_libc_arm(void)
{
	if (!(__atomic_load_n(&lp_libc_armed, __ATOMIC_RELAXED) & LP_LIBC_ARMED))
		__atomic_fetch_or(&lp_libc_armed, LP_LIBC_ARMED, __ATOMIC_RELEASE);
}

/* ---- locks ---- */

/* Locks that libc has one of: their address here stands for them. */
static struct one {
	uint64_t	word, serial;
} one[LP_LIBC_LOCK_COUNT];

static bool has_class(const struct lp_op *op, const struct lp_class_name *class)
{
	return op->home.word &&
	       (lp_lock_known(op->home, op->address).id ||
		lp_lock_adopt(op->home, op->address, lp_class_named(class), 0, true).id);
}

static bool op_of_one(enum lp_libc_lock lock, struct lp_op *op)
{
	op->home = (struct lp_home){ &one[lock].word, &one[lock].serial };
	op->address = (uintptr_t)&one[lock];
	return has_class(op, &classes[lock]);
}

static bool op_of_file(uint64_t file, struct lp_op *op)
{
	op->home = lp_home_in_table((const void *)(uintptr_t)file);
	op->address = file;
	return has_class(op, &file_class);
}

/* The objects, not the pointers that the program may change. */
extern char _IO_2_1_stdin_[], _IO_2_1_stdout_[], _IO_2_1_stderr_[];

static enum lp_libc_lock lock_of_file(uint64_t file)
{
	if (!file)
		return LP_LIBC_FILES;	/* fflush(NULL) */
	if (file == (uintptr_t)_IO_2_1_stdout_)
		return LP_LIBC_STDOUT;
	if (file == (uintptr_t)_IO_2_1_stderr_)
		return LP_LIBC_STDERR;
	return file == (uintptr_t)_IO_2_1_stdin_ ? LP_LIBC_STDIN : LP_LIBC_LOCK_COUNT;
}

bool lp_libc_op(enum lp_libc_call call, uint64_t file, uint64_t site, struct lp_op *op)
{
	enum lp_libc_lock lock = lock_of[call];

	if (lock >= LP_LIBC_LOCK_COUNT)
		lock = lock_of_file(file);
	*op = (struct lp_op){ .site = site, .kind = LP_LOCK_LIBC, .mode = LP_WRITE,
			      .simple = true };
	return lock < LP_LIBC_LOCK_COUNT ? op_of_one(lock, op) : op_of_file(file, op);
}

/* ---- calls ---- */

/*
 * Of this thread: in which state each busy lock was noted last, and each of some FILEs. Read by the
 * stubs, which go to libc at once when it is the state the thread is in.
 */
__thread uint64_t lp_libc_noted[LP_LIBC_LOCK_COUNT]
	__attribute__((tls_model("initial-exec"), visibility("hidden")));
__thread struct lp_libc_noted_file lp_libc_noted_files[LP_LIBC_NOTED_FILES]
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

static uint64_t state_of(const struct lp_rec_slot *slot)
{
	return slot->salt ^ lp_generation;
}

/* Arguments with which nothing is locked. */
static bool takes_none(enum lp_libc_call call, const uint64_t *argument)
{
	const char *format = (const char *)(uintptr_t)argument[2];

	switch ((int)call) {
	case LP_CALL_free:
		return !argument[0];
	case LP_CALL_setlocale:
		return !argument[1];	/* a question */
	case LP_CALL_strftime:
	case LP_CALL_strftime_l:
		return !format || !strpbrk(format, "Zs");
	}
	return false;
}

/* The thread has been here before: what lp_hold_fast() would say, for a lock that is not taken. */
static bool is_old_chain(const struct lp_rec_slot *slot, enum lp_libc_lock lock, uint64_t site)
{
	uint64_t word = one[lock].word, key, look;
	uint32_t check = lp_tag_check((uintptr_t)&one[lock], lp_nonce);

	if ((uint32_t)word != check)
		return false;
	key = (lp_track_held_key(slot) ^ site ^ (word ^ check)) * LP_KEY_MUL;
	look = key ^ state_of(slot);
	return slot->cache_key[lp_track_index(look)] == look;
}

/* True: it is known from now on. */
static bool note(struct lp_rec_slot *slot, enum lp_libc_call call, uint64_t file, uint64_t site)
{
	uint64_t frame = lp_libc_frame;
	struct lp_op op;
	bool noted;

	if (!lp_libc_op(call, file, site, &op))
		return false;
	if (lp_holds(slot, op.address))
		return false;	/* those that can be held here count */
	/* its first byte and one more: return addresses are looked up one byte before */
	lp_libc_frame = (uintptr_t)lp_libc_real[call] + 1;
	noted = lp_hold_note(slot, &op) || lp_writer_stopped(&lp_rt.track.writer);
	lp_libc_frame = frame;
	return noted;
}

static bool is_busy(enum lp_libc_call call)
{
	return call >= LP_CALL_malloc;
}

static struct lp_libc_noted_file *noted_file(uint64_t file)
{
	return &lp_libc_noted_files[file / 16 % LP_LIBC_NOTED_FILES];
}

/* A busy function is called: once in each state, where no locks of the program are orders. */
static void note_busy(struct lp_rec_slot *slot, enum lp_libc_call call, const uint64_t *argument,
		      uint64_t site)
{
	enum lp_libc_lock lock = lock_of[call];
	bool of_file = lock >= LP_LIBC_LOCK_COUNT;
	uint64_t file = of_file ? argument[lock - LP_LIBC_FILE_1] : 0;

	if (!note(slot, call, file, site) ||
	    (lock != LP_LIBC_MALLOC && (lp_libc_armed & LP_LIBC_ORDERS)))
		return;
	if (of_file)
		noted_file(file)->state = state_of(slot) ^ file;
	else
		lp_libc_noted[lock] = state_of(slot);
}

/* The FILE is closed: what comes to lie at its address is another one. */
static void forget_file(uint64_t file)
{
	uint64_t *entry = lp_table_find(file);

	noted_file(file)->state = 0;
	if (entry && lp_lock_known((struct lp_home){ &entry[0], &entry[1] }, file).id)
		lp_lock_forget((struct lp_home){ &entry[0], &entry[1] });
}

/* This process is a forked child, for which libc has taken care of the lock. */
static bool is_made_anew(enum lp_libc_call call)
{
	return lp_self.signals.in_child &&
	       (lock_of[call] >= LP_LIBC_LOCK_COUNT || safe_in_child[lock_of[call]]);
}

static void note_call(struct lp_rec_slot *slot, enum lp_libc_call call, const uint64_t *argument,
		      uint64_t site)
{
	if (takes_none(call, argument))
		return;
	if (is_busy(call))
		note_busy(slot, call, argument, site);
	else if (!is_old_chain(slot, lock_of[call], site))
		note(slot, call, 0, site);
	if (call == LP_CALL_fclose)
		forget_file(argument[0]);
}

/* Called by the stubs: what to jump to. */
__attribute__((visibility("hidden")))
lp_libc_fn *lp_libc_called(enum lp_libc_call call, const uint64_t *argument, uint64_t site);

lp_libc_fn *lp_libc_called(enum lp_libc_call call, const uint64_t *argument, uint64_t site)
{
	lp_libc_fn *real = lp_libc_real[call], *instead;
	struct lp_rec_slot *slot;

	if (lp_unlikely(!real))
		real = resolve_early(call);
	/* malloc may be called anywhere, also by what gives a thread its slot */
	slot = is_busy(call) ? lp_own_slot() : lp_slot();
	if (!slot || is_made_anew(call))
		return real;
	instead = is_busy(call) ? NULL : lp_libc_instead(call, argument, site);
	if (instead)
		return instead;
	note_call(slot, call, argument, site);
	return real;
}

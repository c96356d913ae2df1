/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_libc.c — the functions of libc.h: one stub each, and the few that hold.
 *
 * A stub is the program's call with all its arguments where they are. It goes on to libc by a jump,
 * so one form fits every function, libc sees who called (dlsym(), dlopen() look at that), and a
 * thread that is cancelled or jumps out leaves nothing behind.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "runtime/libc.h"
#include "runtime/runtime.h"

/* ---- stubs ---- */

/*
 * Keep every register that may carry an argument, ask, and jump. On top of the return address: the
 * number of the function.
 */
__asm__(
	".text\n"
	".hidden lp_libc_enter\n"
	".type lp_libc_enter, @function\n"
	"lp_libc_enter:\n"
	".cfi_startproc\n"
	".cfi_def_cfa_offset 16\n"
	"	push %rax\n"
	"	push %r9\n"
	"	push %r8\n"
	"	push %rcx\n"
	"	push %rdx\n"
	"	push %rsi\n"
	"	push %rdi\n"
	"	sub $136, %rsp\n"
	".cfi_def_cfa_offset 208\n"
	"	movaps %xmm0, (%rsp)\n"
	"	movaps %xmm1, 16(%rsp)\n"
	"	movaps %xmm2, 32(%rsp)\n"
	"	movaps %xmm3, 48(%rsp)\n"
	"	movaps %xmm4, 64(%rsp)\n"
	"	movaps %xmm5, 80(%rsp)\n"
	"	movaps %xmm6, 96(%rsp)\n"
	"	movaps %xmm7, 112(%rsp)\n"
	"	mov 192(%rsp), %edi\n"
	"	lea 136(%rsp), %rsi\n"
	"	mov 200(%rsp), %rdx\n"
	"	call lp_libc_called\n"
	"	mov %rax, %r11\n"
	"	movaps (%rsp), %xmm0\n"
	"	movaps 16(%rsp), %xmm1\n"
	"	movaps 32(%rsp), %xmm2\n"
	"	movaps 48(%rsp), %xmm3\n"
	"	movaps 64(%rsp), %xmm4\n"
	"	movaps 80(%rsp), %xmm5\n"
	"	movaps 96(%rsp), %xmm6\n"
	"	movaps 112(%rsp), %xmm7\n"
	"	add $136, %rsp\n"
	".cfi_def_cfa_offset 72\n"
	"	pop %rdi\n"
	"	pop %rsi\n"
	"	pop %rdx\n"
	"	pop %rcx\n"
	"	pop %r8\n"
	"	pop %r9\n"
	"	pop %rax\n"
	"	lea 8(%rsp), %rsp\n"
	".cfi_def_cfa_offset 8\n"
	"	jmp *%r11\n"
	".cfi_endproc\n"
	".size lp_libc_enter, . - lp_libc_enter\n");

#define ENTER \
	"1:	push %0\n" \
	".cfi_adjust_cfa_offset 8\n" \
	"	jmp lp_libc_enter\n"

#define UNLESS_ARMED \
	"	cmpb $0, lp_libc_armed(%%rip)\n" \
	"	jne 2f\n" \
	"	jmp *lp_libc_real + %c1(%%rip)\n" \
	"2:\n"

/* The thread is in the state in which the lock was noted last. r10 and r11 are free in a call. */
#define STATE_TO_R11 \
	"	mov lp_self@gottpoff(%%rip), %%r11\n" \
	"	mov %%fs:(%%r11), %%r11\n" \
	"	mov %c2(%%r11), %%r11\n" \
	"	xor lp_generation(%%rip), %%r11\n"

#define UNLESS_LOCK_NOTED \
	STATE_TO_R11 \
	"	mov lp_libc_noted@gottpoff(%%rip), %%r10\n" \
	"	cmp %%fs:%c3(%%r10), %%r11\n" \
	"	jne 1f\n" \
	"	jmp *lp_libc_real + %c1(%%rip)\n"

/* Places are 16 bytes, and so is what FILEs are aligned to. */
#define UNLESS_FILE_NOTED(argument) \
	STATE_TO_R11 \
	"	xor %%" argument ", %%r11\n" \
	"	mov %%" argument ", %%r10\n" \
	"	and $0xf0, %%r10d\n" \
	"	add lp_libc_noted_files@gottpoff(%%rip), %%r10\n" \
	"	cmp %%fs:(%%r10), %%r11\n" \
	"	jne 1f\n" \
	"	jmp *lp_libc_real + %c1(%%rip)\n"

_Static_assert(sizeof(struct lp_libc_noted_file) == 16 && LP_LIBC_NOTED_FILES == 16, "0xf0");

/* By the lock that stands in a row. */
#define UNLESS_NOTED_STDIN	UNLESS_LOCK_NOTED
#define UNLESS_NOTED_STDOUT	UNLESS_LOCK_NOTED
#define UNLESS_NOTED_STDERR	UNLESS_LOCK_NOTED
#define UNLESS_NOTED_FILES	UNLESS_LOCK_NOTED
#define UNLESS_NOTED_FILE_1	UNLESS_FILE_NOTED("rdi")
#define UNLESS_NOTED_FILE_2	UNLESS_FILE_NOTED("rsi")
#define UNLESS_NOTED_FILE_3	UNLESS_FILE_NOTED("rdx")
#define UNLESS_NOTED_FILE_4	UNLESS_FILE_NOTED("rcx")
#define UNLESS_NOTED_FILE_5	UNLESS_FILE_NOTED("r8")

_Static_assert(offsetof(struct lp_self, slot) == 0, "the stubs read it");

/* Names of its own, so that headers may declare the function as they like. */
#define STUB(name, code, lock) \
__attribute__((naked, visibility("default"))) void lp_stub_##name(void) __asm__(#name); \
void lp_stub_##name(void) \
{ \
	__asm__(code :: "i"(LP_CALL_##name), "i"(LP_CALL_##name * sizeof(void *)), \
		"i"(offsetof(struct lp_rec_slot, salt)), "i"((lock) * sizeof(uint64_t))); \
}

#define R(name, lock) STUB(name, ENTER, 0)
LP_LIBC_RARE(R)
#undef R

#define R(name, lock) STUB(name, UNLESS_ARMED UNLESS_LOCK_NOTED ENTER, LP_LIBC_##lock)
LP_LIBC_BUSY(R)
#undef R

#define R(name, lock) STUB(name, UNLESS_ARMED UNLESS_NOTED_##lock ENTER, LP_LIBC_##lock)
LP_LIBC_BUSY_FILE(R)
#undef R

#define R(name, lock) STUB(name, UNLESS_ARMED ENTER, 0)
LP_LIBC_BUSY_END(R)
#undef R

/* ---- what is held ---- */

#define REAL(name) ((typeof(&name))(uintptr_t)lp_libc_real[LP_CALL_##name])

struct hold {
	bool		on;
	struct lp_op	op;
};

static void hold_begins(struct hold *hold, enum lp_libc_call call, uint64_t file, uint64_t site,
			uint8_t flags)
{
	struct lp_rec_slot *slot = lp_slot();
	uint64_t frame = lp_libc_frame;
	struct lp_held *held;

	hold->on = slot && lp_libc_op(call, file, site, &hold->op);
	if (!hold->on)
		return;
	hold->op.flags = flags;
	held = lp_holds(slot, hold->op.address);
	if (held) {
		held->count++;		/* all of these are recursive */
		return;
	}
	lp_libc_frame = (uintptr_t)lp_libc_real[call] + 1;
	lp_hold(slot, &hold->op);
	lp_libc_frame = frame;
}

static void hold_ended(const struct hold *hold)
{
	struct lp_rec_slot *slot = lp_own_slot();	/* another one after a fork */

	if (hold->on && slot)
		lp_release(slot, hold->op.address);
}

static int get_changes(struct dl_phdr_info *info, size_t size, void *data)
{
	*(uint64_t *)data = info->dlpi_adds + info->dlpi_subs;
	return 1;
}

static uint64_t changes_of_list(void)
{
	uint64_t changes = 0;

	REAL(dl_iterate_phdr)(get_changes, &changes);
	return changes;
}

/* Loading and unloading lock the list of objects as well, for a moment: if it has changed. */
static void note_list(const struct hold *hold, enum lp_libc_call call, uint64_t before,
		      uint64_t site)
{
	uint64_t frame = lp_libc_frame;
	struct lp_op op;

	if (!hold->on || !lp_own_slot() || changes_of_list() == before ||
	    !lp_libc_op(LP_CALL_dl_iterate_phdr, 0, site, &op) ||
	    lp_holds(lp_self.slot, op.address))
		return;
	lp_libc_frame = (uintptr_t)lp_libc_real[call] + 1;
	lp_hold_note(lp_self.slot, &op);
	lp_libc_frame = frame;
}

static void *held_dlopen(const char *file, int flags)
{
	uint64_t before = changes_of_list();
	struct hold hold;
	void *result;

	hold_begins(&hold, LP_CALL_dlopen, 0, LP_SITE(), 0);
	result = REAL(dlopen)(file, flags);
	note_list(&hold, LP_CALL_dlopen, before, LP_SITE());
	hold_ended(&hold);
	return result;
}

static void *held_dlmopen(Lmid_t space, const char *file, int flags)
{
	uint64_t before = changes_of_list();
	struct hold hold;
	void *result;

	hold_begins(&hold, LP_CALL_dlmopen, 0, LP_SITE(), 0);
	result = REAL(dlmopen)(space, file, flags);
	note_list(&hold, LP_CALL_dlmopen, before, LP_SITE());
	hold_ended(&hold);
	return result;
}

/* Destructors run. Other code may be loaded at the same addresses. */
static int held_dlclose(void *handle)
{
	uint64_t before = changes_of_list();
	struct hold hold;
	int result;

	hold_begins(&hold, LP_CALL_dlclose, 0, LP_SITE(), 0);
	result = REAL(dlclose)(handle);
	note_list(&hold, LP_CALL_dlclose, before, LP_SITE());
	hold_ended(&hold);
	lp_place_forget();
	lp_bump_generation();
	return result;
}

typedef int each_object_fn(struct dl_phdr_info *info, size_t size, void *data);

static int held_dl_iterate_phdr(each_object_fn *each, void *data)
{
	struct hold hold;
	int result;

	hold_begins(&hold, LP_CALL_dl_iterate_phdr, 0, LP_SITE(), 0);
	result = REAL(dl_iterate_phdr)(each, data);
	hold_ended(&hold);
	return result;
}

/* A program that locks FILEs itself holds them for longer: their order matters from now on. */
static void files_have_orders(void)
{
	const uint8_t bits = LP_LIBC_ARMED | LP_LIBC_ORDERS;

	if ((__atomic_load_n(&lp_libc_armed, __ATOMIC_RELAXED) & bits) == bits)
		return;
	__atomic_fetch_or(&lp_libc_armed, bits, __ATOMIC_RELEASE);
	lp_bump_generation();	/* what was noted once is looked at each time */
}

static void held_flockfile(FILE *file)
{
	struct hold hold;

	files_have_orders();
	hold_begins(&hold, LP_CALL_flockfile, (uintptr_t)file, LP_SITE(), 0);
	REAL(flockfile)(file);
}

static int held_ftrylockfile(FILE *file)
{
	struct hold hold;
	int result = REAL(ftrylockfile)(file);

	files_have_orders();
	if (!result)
		hold_begins(&hold, LP_CALL_ftrylockfile, (uintptr_t)file, LP_SITE(), LP_TRY);
	return result;
}

static void held_funlockfile(FILE *file)
{
	struct hold hold;

	hold.on = lp_own_slot() &&
		  lp_libc_op(LP_CALL_funlockfile, (uintptr_t)file, LP_SITE(), &hold.op);
	hold_ended(&hold);
	REAL(funlockfile)(file);
}

/* ---- whose search path? ---- */

struct path_search {
	uint64_t	caller;
	bool		matters;
	bool		is_main;
};

static bool has_tag(const struct dl_phdr_info *info, int64_t tag)
{
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		const ElfW(Dyn) *at = (const void *)(info->dlpi_addr + segment->p_vaddr);

		if (segment->p_type != PT_DYNAMIC)
			continue;
		for (; at->d_tag != DT_NULL; at++)
			if (at->d_tag == tag)
				return true;
	}
	return false;
}

static bool contains(const struct dl_phdr_info *info, uint64_t address)
{
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

		if (segment->p_type == PT_LOAD &&
		    address - (info->dlpi_addr + segment->p_vaddr) < segment->p_memsz)
			return true;
	}
	return false;
}

/* The program's own DT_RPATH counts for everybody; it is the first object. */
static int look_at_object(struct dl_phdr_info *info, size_t size, void *data)
{
	struct path_search *search = data;

	if ((!search->is_main && has_tag(info, DT_RPATH)) ||
	    (contains(info, search->caller) && has_tag(info, DT_RUNPATH)))
		search->matters = true;
	search->is_main = false;
	return search->matters;
}

/*
 * libc searches where the object that calls says, and would take us for it. Where that makes a
 * difference the call is noted and nothing is held.
 */
static bool caller_matters(const char *file, uint64_t caller)
{
	struct path_search search = { .caller = caller, .is_main = true };

	if (!file || (strchr(file, '/') && !strchr(file, '$')))
		return false;
	if (strchr(file, '$'))
		return true;
	REAL(dl_iterate_phdr)(look_at_object, &search);
	return search.matters;
}

lp_libc_fn *lp_libc_instead(enum lp_libc_call call, const uint64_t *arguments, uint64_t site)
{
	switch ((int)call) {
	case LP_CALL_dlopen:
		return caller_matters((const char *)(uintptr_t)arguments[0], site) ?
		       NULL : (lp_libc_fn *)held_dlopen;
	case LP_CALL_dlmopen:
		return caller_matters((const char *)(uintptr_t)arguments[1], site) ?
		       NULL : (lp_libc_fn *)held_dlmopen;
	case LP_CALL_dlclose:
		return (lp_libc_fn *)held_dlclose;
	case LP_CALL_dl_iterate_phdr:
		return (lp_libc_fn *)held_dl_iterate_phdr;
	case LP_CALL_flockfile:
		return (lp_libc_fn *)held_flockfile;
	case LP_CALL_ftrylockfile:
		return (lp_libc_fn *)held_ftrylockfile;
	case LP_CALL_funlockfile:
		return (lp_libc_fn *)held_funlockfile;
	}
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.c — run-time addresses to (module, offset), and stacks as facts.
 *
 * The loader is asked with _dl_find_object(), which takes no lock and may be used in handlers.
 * Which MODULE an object is, the address table keeps under its start.
 */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>

#include "base/hash.h"
#include "runtime/libc.h"
#include "runtime/os.h"
#include "runtime/runtime.h"
#include "runtime/unwind.h"

#define PATH_SIZE	1024u

static char exe_path[PATH_SIZE];
static uint32_t exe_path_size;

struct module_probe {
	uint64_t	base;
	uint64_t	size;
	const uint8_t	*build_id;
	uint8_t		build_id_size;
	const char	*path;
	uint16_t	path_size;
};

static bool module_equal(const void *record, const void *probe)
{
	const struct lp_rec_module *module = record;
	const struct module_probe *p = probe;

	return module->base == p->base && module->size == p->size &&
	       module->build_id_size == p->build_id_size && module->path_size == p->path_size &&
	       !memcmp(module->build_id, p->build_id, p->build_id_size) &&
	       !memcmp(module->path, p->path, p->path_size);
}

static uint32_t module_record(const struct module_probe *probe)
{
	struct lp_writer *writer = &lp_rt.track.writer;
	uint64_t hash = lp_hash_bytes(lp_hash_add(probe->base, probe->size), probe->path,
				      probe->path_size);
	struct lp_rec_module *module;
	uint32_t ref;

	hash = lp_hash_bytes(hash, probe->build_id, probe->build_id_size);
	ref = lp_trie_find(writer, LP_TRIE_MODULE, hash, module_equal, probe);
	if (ref)
		return ref;
	module = lp_writer_begin(writer, LP_REC_MODULE, sizeof(*module) + probe->path_size, 0);
	if (!module)
		return 0;
	module->link.hash = hash;
	module->base = probe->base;
	module->size = probe->size;
	memcpy(module->build_id, probe->build_id, probe->build_id_size);
	module->build_id_size = probe->build_id_size;
	module->path_size = probe->path_size;
	memcpy(module->path, probe->path, probe->path_size);
	return lp_trie_publish(writer, LP_TRIE_MODULE, (struct lp_linked *)module, module_equal,
			       probe);
}

/* Code or data outside every object (a just-in-time compiler's): its upper half is the module. */
static struct lp_frame place_outside(uint64_t address)
{
	struct module_probe probe = { .base = address & ~(uint64_t)UINT32_MAX, .size = 1ull << 32,
				      .build_id = NULL, .path = NULL };

	return (struct lp_frame){ module_record(&probe), (uint32_t)address };
}

/* Find the build id in the notes of the ELF image whose header is at `start`. */
static uint8_t find_build_id(const void *start, uint64_t base, const uint8_t **id)
{
	const ElfW(Ehdr) *elf = start;
	const ElfW(Phdr) *segment;

	if (memcmp(elf->e_ident, ELFMAG, SELFMAG))
		return 0;
	segment = (const void *)((const char *)start + elf->e_phoff);
	for (unsigned i = 0; i < elf->e_phnum; i++, segment++) {
		const char *at = (const char *)(base + segment->p_vaddr);
		const char *end = at + segment->p_memsz;

		if (segment->p_type != PT_NOTE)
			continue;
		while (at + sizeof(ElfW(Nhdr)) <= end) {
			const ElfW(Nhdr) *note = (const void *)at;
			const char *name = at + sizeof(*note);
			const char *desc = name + ((note->n_namesz + 3) & ~3u);

			if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
			    !memcmp(name, "GNU", 4) && note->n_descsz <= 20) {
				*id = (const uint8_t *)desc;
				return (uint8_t)note->n_descsz;
			}
			at = desc + ((note->n_descsz + 3) & ~3u);
		}
	}
	return 0;
}

/* The object's path, absolute. The loader keeps an empty name for the program itself. */
static uint16_t object_path(const char *name, char *path)
{
	size_t length = strnlen(name, PATH_SIZE);
	long have = 0;

	if (!length) {
		memcpy(path, exe_path, exe_path_size);
		return (uint16_t)exe_path_size;
	}
	if (name[0] != '/' && strchr(name, '/')) {
		have = lp_sys2(SYS_getcwd, path, PATH_SIZE - 1);
		if (have <= 0)
			have = 0;
		else
			path[have - 1] = '/';	/* in the place of the NUL */
	}
	if (have + length > PATH_SIZE)
		length = PATH_SIZE - (size_t)have;
	memcpy(path + have, name, length);
	return (uint16_t)(have + (long)length);
}

static uint32_t learn_object(const struct dl_find_object *found)
{
	struct module_probe probe = { .base = found->dlfo_link_map->l_addr };
	const uint8_t *id = NULL;
	char path[PATH_SIZE];

	probe.size = (uint64_t)((const char *)found->dlfo_map_end -
				(const char *)found->dlfo_map_start);
	probe.build_id_size = find_build_id(found->dlfo_map_start, probe.base, &id);
	probe.build_id = id;
	probe.path_size = object_path(found->dlfo_link_map->l_name, path);
	probe.path = path;
	return module_record(&probe);
}

/* Of what dlclose() made void: part of an object's key in the table. */
static uint32_t unloads;

struct lp_frame lp_place_of_data(uint64_t address)
{
	struct dl_find_object found;
	uint64_t *entry, age = __atomic_load_n(&unloads, __ATOMIC_RELAXED) & 0x7fff;
	uint32_t ref = 0;

	if (_dl_find_object((void *)(uintptr_t)address, &found))
		return (struct lp_frame){ 0, 0 };
	/* addresses have 47 bits */
	entry = lp_table_get((uintptr_t)found.dlfo_map_start ^ age << 48);
	if (entry)
		ref = (uint32_t)__atomic_load_n(&entry[0], __ATOMIC_ACQUIRE);
	if (!ref) {
		ref = learn_object(&found);
		if (entry && ref)
			__atomic_store_n(&entry[0], ref, __ATOMIC_RELEASE);
	}
	if (!ref)
		return (struct lp_frame){ 0, 0 };
	return (struct lp_frame){ ref, (uint32_t)(address - found.dlfo_link_map->l_addr) };
}

struct lp_frame lp_place(uint64_t address)
{
	struct lp_frame frame = lp_place_of_data(address);

	return frame.module ? frame : place_outside(address);
}

void lp_place_forget(void)
{
	__atomic_fetch_add(&unloads, 1, __ATOMIC_RELAXED);
	lp_unwind_forget();
}

void lp_place_init(void)
{
	struct dl_find_object own;
	long size = lp_sys4(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", exe_path,
			    sizeof(exe_path) - 1);

	exe_path_size = size > 0 ? (uint32_t)size : 0;
	if (!_dl_find_object((void *)(uintptr_t)lp_place_init, &own)) {
		lp_rt.text_start = (uintptr_t)own.dlfo_map_start;
		lp_rt.text_end = (uintptr_t)own.dlfo_map_end;
	}
}

const char *lp_place_library(void)
{
	struct dl_find_object own;

	if (_dl_find_object((void *)(uintptr_t)lp_place_library, &own))
		return "";
	return own.dlfo_link_map->l_name;
}

const char *lp_place_exe(void)
{
	return exe_path;
}

struct stack_probe {
	const struct lp_frame *frame;
	uint32_t	count;
	bool		truncated;
};

static bool stack_equal(const void *record, const void *probe)
{
	const struct lp_rec_stack *stack = record;
	const struct stack_probe *p = probe;

	return stack->count == p->count && stack->truncated == p->truncated &&
	       !memcmp(stack->frame, p->frame, p->count * sizeof(*p->frame));
}

static uint32_t stack_record(const struct stack_probe *probe)
{
	struct lp_writer *writer = &lp_rt.track.writer;
	size_t bytes = probe->count * sizeof(struct lp_frame);
	uint64_t hash = lp_hash_bytes(probe->count, probe->frame, bytes);
	struct lp_rec_stack *stack;
	uint32_t ref = lp_trie_find(writer, LP_TRIE_STACK, hash, stack_equal, probe);

	if (ref)
		return ref;
	stack = lp_writer_begin(writer, LP_REC_STACK, sizeof(*stack) + bytes, 0);
	if (!stack)
		return 0;
	stack->link.hash = hash;
	stack->count = probe->count;
	stack->truncated = probe->truncated;
	memcpy(stack->frame, probe->frame, bytes);
	return lp_trie_publish(writer, LP_TRIE_STACK, (struct lp_linked *)stack, stack_equal,
			       probe);
}

static bool is_own(uint64_t pc)
{
	return pc >= lp_rt.text_start && pc < lp_rt.text_end;
}

__attribute__((noinline)) void lp_walk_begin(struct lp_walk *walk)
{
	struct lp_cursor *cursor = &walk->cursor;

	/* the registers as they are here; our own frames are walked like any others */
	__asm__ volatile("lea 0f(%%rip), %0\n0:\n\tmov %%rsp, %1\n\tmov %%rbp, %2"
			 : "=r"(cursor->pc), "=r"(cursor->sp), "=r"(cursor->fp));
	walk->stack_end = lp_self.stack_end;
	if (cursor->sp < lp_self.stack_start || cursor->sp >= walk->stack_end)
		walk->stack_end = 0;	/* another stack: a coroutine's, a signal handler's */
	walk->steps = 0;
	/* this function's frame ends with it: step out while it is there */
	walk->ended = !lp_unwind_step(cursor, walk->stack_end);
}

uint64_t lp_walk_next(struct lp_walk *walk)
{
	uint64_t pc;

	do {
		if (walk->ended || walk->steps++ > 2 * LP_STACK_FRAMES_MAX)
			return 0;
		pc = walk->cursor.pc;
		walk->ended = !lp_unwind_step(&walk->cursor, walk->stack_end);
	} while (is_own(pc));
	return pc;
}

uint32_t lp_stack_capture(unsigned frames_max)
{
	struct lp_frame frame[LP_STACK_FRAMES_MAX];
	struct stack_probe probe = { .frame = frame };
	struct lp_walk walk;
	uint64_t pc;

	lp_walk_begin(&walk);
	if (lp_libc_frame)
		frame[probe.count++] = lp_place(lp_libc_frame);
	while (probe.count < frames_max && (pc = lp_walk_next(&walk)))
		frame[probe.count++] = lp_place(pc);
	probe.truncated = !walk.ended;
	return probe.count ? stack_record(&probe) : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object.c — see object.h.
 *
 * libdwfl opens the files and pairs them with their debug files. Its own address look-up walks
 * the whole symbol table each time, so symbols are sorted here once.
 */
#include "symbolize/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <elfutils/libdwelf.h>
#include <libelf.h>

#define DEBUG_ROOT "/usr/lib/debug"

/* ---- separate debug files ---- */

static int open_regular(const char *path, struct stat *st)
{
	/* O_NONBLOCK: a path that is a FIFO by now must not block us */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int error;

	if (fd < 0)
		return -errno;
	if (fstat(fd, st) < 0)
		error = errno;
	else if (!S_ISREG(st->st_mode))
		error = ENOEXEC;
	else
		return fd;
	close(fd);
	return -error;
}

static bool has_build_id(int fd, const void *build_id, size_t size)
{
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	const void *found;
	bool same;

	same = elf && dwelf_elf_gnu_build_id(elf, &found) == (ssize_t)size &&
	       memcmp(found, build_id, size) == 0;
	elf_end(elf);
	return same;
}

/* Open directory/subdirectory/name if it has the module's build id; else -1. */
static int try_debug_file(const char *root, const char *directory, size_t directory_size,
			  const char *subdirectory, const char *name, Dwfl_Module *module,
			  char **path_out)
{
	const unsigned char *build_id;
	struct stat st;
	GElf_Addr where;
	char *path;
	int size = dwfl_module_build_id(module, &build_id, &where);
	int fd;

	if (size <= 0 || asprintf(&path, "%s%.*s/%s%s", root, (int)directory_size, directory,
				  subdirectory, name) < 0)
		return -1;
	fd = open_regular(path, &st);
	if (fd >= 0 && !has_build_id(fd, build_id, (size_t)size)) {
		close(fd);
		fd = -1;
	}
	if (fd < 0) {
		free(path);
		return -1;
	}
	*path_out = path;
	return fd;
}

/* The places where gdb looks for the file that .gnu_debuglink names. */
static int find_debug_link(Dwfl_Module *module, const char *file, const char *link,
			   char **path_out)
{
	const char *slash = file ? strrchr(file, '/') : NULL;
	size_t size;
	int fd;

	if (!slash || !link || strchr(link, '/'))
		return -1;
	size = (size_t)(slash - file);
	fd = try_debug_file("", file, size, "", link, module, path_out);
	if (fd < 0)
		fd = try_debug_file("", file, size, ".debug/", link, module, path_out);
	if (fd < 0)
		fd = try_debug_file(DEBUG_ROOT, file, size, "", link, module, path_out);
	return fd;
}

/*
 * Like dwfl_standard_find_debuginfo, which may also ask a debuginfod server and wait for it:
 * a report must not depend on a network. A file without build id is paired by checksum only,
 * and no server can be asked for it.
 */
static int find_debug_file(Dwfl_Module *module, void **userdata, const char *name,
			   Dwarf_Addr base, const char *file, const char *link, GElf_Word crc,
			   char **path_out)
{
	const unsigned char *build_id;
	GElf_Addr where;
	int fd;

	if (dwfl_module_build_id(module, &build_id, &where) <= 0)
		return dwfl_standard_find_debuginfo(module, userdata, name, base, file, link, crc,
						    path_out);
	fd = dwfl_build_id_find_debuginfo(module, userdata, name, base, file, link, crc, path_out);
	if (fd >= 0 || *path_out)
		return fd;
	return find_debug_link(module, file, link, path_out);
}

/* The module's own file is always given, so there is nothing to look for. */
static int find_elf(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
		    char **path_out, Elf **elf)
{
	return -1;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = find_debug_file,
	.section_address = dwfl_offline_section_address,
};

/* ---- opening ---- */

/* Archives and relocatable objects would be laid out anew: their addresses mean nothing. */
static bool is_loadable(int fd)
{
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	GElf_Ehdr header;
	bool loadable;

	loadable = elf && elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &header) &&
		   (header.e_type == ET_EXEC || header.e_type == ET_DYN);
	elf_end(elf);
	return loadable;
}

/* Ids are recorded up to 20 bytes, so a longer one is compared by its start. */
static bool same_build_id(Dwfl_Module *module, const uint8_t *build_id, size_t build_id_size)
{
	const unsigned char *found;
	GElf_Addr where;
	int size = dwfl_module_build_id(module, &found, &where);

	if (size <= 0)
		return build_id_size == 0;
	if ((size_t)size > 20 && build_id_size == 20)
		size = 20;
	return (size_t)size == build_id_size && memcmp(found, build_id, build_id_size) == 0;
}

static int report_module(struct lp_object *object, const char *path, int fd)
{
	GElf_Addr bias;

	object->dwfl = dwfl_begin(&callbacks);
	if (!object->dwfl) {
		close(fd);
		return -ENOMEM;
	}
	dwfl_report_begin(object->dwfl);
	object->module = dwfl_report_offline(object->dwfl, path, path, fd);
	if (!object->module)
		close(fd);
	if (dwfl_report_end(object->dwfl, NULL, NULL) != 0 || !object->module ||
	    !dwfl_module_getelf(object->module, &bias))
		return -ENOEXEC;
	object->bias = bias;
	return 0;
}

int lp_object_open(struct lp_object *object, const char *path, const uint8_t *build_id,
		   size_t build_id_size)
{
	struct stat st;
	int fd, error;

	memset(object, 0, sizeof(*object));
	if (path[0] != '/')
		return -ENOENT; /* [vdso], "linux-vdso.so.1": never a file of our directory */
	elf_version(EV_CURRENT);
	fd = open_regular(path, &st);
	if (fd < 0)
		return fd;
	if (!is_loadable(fd)) {
		close(fd);
		return -ENOEXEC;
	}
	object->modified = st.st_mtim;
	error = report_module(object, path, fd);
	if (!error && !same_build_id(object->module, build_id, build_id_size))
		error = -ESTALE;
	if (error)
		lp_object_close(object);
	return error;
}

void lp_object_close(struct lp_object *object)
{
	int kind;

	for (kind = 0; kind < LP_OBJECT_KIND_COUNT; kind++) {
		lp_ranges_finish(&object->sized[kind]);
		lp_ranges_finish(&object->labels[kind]);
	}
	free(object->names);
	if (object->dwfl)
		dwfl_end(object->dwfl);
	memset(object, 0, sizeof(*object));
}

/* ---- symbols ---- */

/* Of several names for one place, the one people use: global, few leading underscores. */
static uint32_t symbol_rank(const GElf_Sym *sym, const char *name)
{
	uint32_t rank = GELF_ST_BIND(sym->st_info) == STB_LOCAL ? 0 : 16;
	uint32_t underscores = 0;

	if (strncmp(name, "_Z", 2) != 0)
		while (underscores < 15 && name[underscores] == '_')
			underscores++;
	return rank + 15 - underscores;
}

/* Flags and end (ELF address) of the symbol's section. False: it is not in one. */
static bool symbol_section(Elf *elf, GElf_Word index, uint64_t elf_bias, uint64_t *flags,
			   uint64_t *end)
{
	Elf_Scn *section;
	GElf_Shdr header;

	if (index == SHN_UNDEF || index == SHN_ABS || !elf)
		return false;
	if (index == SHN_COMMON)
		return false;
	section = elf_getscn(elf, index);
	if (!section || !gelf_getshdr(section, &header))
		return false;
	*flags = header.sh_flags;
	*end = header.sh_addr + header.sh_size + elf_bias;
	return true;
}

/* LP_OBJECT_KIND_COUNT: neither code nor data, or thread-local, whose value is no address. */
static enum lp_object_kind symbol_kind(const GElf_Sym *sym, uint64_t section_flags)
{
	if (!(section_flags & SHF_ALLOC) || (section_flags & SHF_TLS))
		return LP_OBJECT_KIND_COUNT;
	switch (GELF_ST_TYPE(sym->st_info)) {
	case STT_FUNC:
	case STT_GNU_IFUNC:
		return LP_OBJECT_CODE;
	case STT_OBJECT:
	case STT_COMMON:
		return LP_OBJECT_DATA;
	case STT_NOTYPE:
		return section_flags & SHF_EXECINSTR ? LP_OBJECT_CODE : LP_OBJECT_DATA;
	default:
		return LP_OBJECT_KIND_COUNT;
	}
}

/* Names that linkers put at the ends of sections: they say nothing about what is there. */
static bool is_linker_name(const char *name)
{
	static const char *const known[] = {
		"__bss_start", "_edata", "edata", "_end", "end", "_etext", "etext", "__data_start",
		"data_start", "__dso_handle", "__TMC_END__", "_GLOBAL_OFFSET_TABLE_", "_DYNAMIC",
		"__GNU_EH_FRAME_HDR", "__init_array_start", "__init_array_end",
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(name, known[i]) == 0)
			return true;
	return false;
}

static int add_symbol(struct lp_object *object, int index)
{
	uint64_t flags, end, low, elf_bias;
	enum lp_object_kind kind;
	GElf_Word section;
	GElf_Addr address;
	const char *name;
	GElf_Sym sym;
	Elf *elf;

	name = dwfl_module_getsym_info(object->module, index, &sym, &address, &section, &elf,
				       &elf_bias);
	if (!name || !*name || *name == '@' || is_linker_name(name))
		return 0;
	if (!symbol_section(elf, section, elf_bias - object->bias, &flags, &end))
		return 0;
	kind = symbol_kind(&sym, flags);
	low = address - object->bias;
	if (kind == LP_OBJECT_KIND_COUNT || low >= end)
		return 0;
	object->names[index] = name;
	if (sym.st_size)
		return lp_ranges_add(&object->sized[kind], low,
				     sym.st_size < end - low ? low + sym.st_size : end,
				     symbol_rank(&sym, name), (uint32_t)index);
	if (kind == LP_OBJECT_DATA)
		end = low + 1; /* how far it goes is unknown, so only its very address is its */
	return lp_ranges_add(&object->labels[kind], low, end, symbol_rank(&sym, name),
			     (uint32_t)index);
}

/* A label ends where anything else starts, with or without a size. */
static void trim_labels(struct lp_object *object, enum lp_object_kind kind)
{
	const struct lp_ranges *sized = &object->sized[kind];
	struct lp_ranges *labels = &object->labels[kind];
	size_t i, next = 0, after = 0;

	for (i = 0; i < labels->count; i++) {
		struct lp_range *label = &labels->at[i];

		while (next < sized->count && sized->at[next].low <= label->low)
			next++;
		if (next < sized->count && sized->at[next].low < label->high)
			label->high = sized->at[next].low;
		while (after < labels->count && labels->at[after].low <= label->low)
			after++;
		if (after < labels->count && labels->at[after].low < label->high)
			label->high = labels->at[after].low;
	}
}

static int read_symbols(struct lp_object *object)
{
	int count = dwfl_module_getsymtab(object->module);
	int i, kind;

	if (count <= 0)
		return 0;
	object->names = calloc((size_t)count, sizeof(*object->names));
	if (!object->names)
		return -ENOMEM;
	for (i = 1; i < count; i++)
		if (add_symbol(object, i) < 0)
			return -ENOMEM;
	for (kind = 0; kind < LP_OBJECT_KIND_COUNT; kind++) {
		lp_ranges_sort(&object->sized[kind]);
		lp_ranges_sort(&object->labels[kind]);
		trim_labels(object, (enum lp_object_kind)kind);
		lp_ranges_sort(&object->labels[kind]);
	}
	return 0;
}

static void forget_symbols(struct lp_object *object)
{
	int kind;

	for (kind = 0; kind < LP_OBJECT_KIND_COUNT; kind++) {
		lp_ranges_finish(&object->sized[kind]);
		lp_ranges_finish(&object->labels[kind]);
	}
}

_Bool lp_object_find(struct lp_object *object, enum lp_object_kind kind, uint64_t address,
		     struct lp_object_symbol *symbol)
{
	const struct lp_range *range;

	if (!object->symbols_read) {
		object->symbols_read = 1;
		if (read_symbols(object) < 0)
			forget_symbols(object); /* half a table would give wrong neighbours */
	}
	range = lp_ranges_find(&object->sized[kind], address);
	if (!range)
		range = lp_ranges_find(&object->labels[kind], address);
	if (!range)
		return false;
	symbol->name = object->names[range->index];
	symbol->low = range->low;
	symbol->high = range->high;
	return true;
}

/* Make the segment of code around `address` the one at hand; an empty one when there is none. */
static void find_code(struct lp_object *object, uint64_t address)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(object->module, &bias);
	Elf_Data *data = NULL;
	GElf_Phdr segment;
	size_t count, i;

	object->code_size = 0;
	if (!elf || elf_getphdrnum(elf, &count))
		return;
	for (i = 0; i < count && !data; i++) {
		if (!gelf_getphdr(elf, (int)i, &segment) || segment.p_type != PT_LOAD ||
		    !(segment.p_flags & PF_X) || address < segment.p_vaddr ||
		    address - segment.p_vaddr >= segment.p_filesz)
			continue;
		data = elf_getdata_rawchunk(elf, (int64_t)segment.p_offset, segment.p_filesz,
					    ELF_T_BYTE);
	}
	if (!data)
		return;
	object->code = data->d_buf;
	object->code_low = segment.p_vaddr;
	object->code_size = data->d_size;
}

_Bool lp_object_code_is(struct lp_object *object, uint64_t address, const void *bytes, size_t size)
{
	if (address < object->code_low || address - object->code_low >= object->code_size)
		find_code(object, address);
	if (address < object->code_low || address - object->code_low >= object->code_size)
		return false;
	address -= object->code_low;
	return size <= object->code_size - address &&
	       !memcmp(object->code + address, bytes, size);
}

Dwarf *lp_object_dwarf(struct lp_object *object, uint64_t *shift)
{
	Dwarf_Addr bias;
	Dwarf *dwarf = dwfl_module_getdwarf(object->module, &bias);

	*shift = object->bias - bias;
	return dwarf;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debug.c — functions, inlined functions and lines of an address. See debug.h.
 *
 * .debug_aranges is not used: clang leaves it out and mixed links have it in part. The ranges of
 * the unit DIEs are always there.
 */
#include "symbolize/debug.h"

#include <dwarf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "symbolize/debug_private.h"
#include "symbolize/names.h"

#define WALK_DEPTH_MAX	96
#define WALK_STEPS_MAX	(32u << 20)

/* ---- walking ---- */

static int walk(Dwarf_Die *parent, lp_die_visit_fn *visit, void *context, unsigned int depth,
		uint32_t *steps)
{
	Dwarf_Die die;
	int result;

	if (depth > WALK_DEPTH_MAX || dwarf_child(parent, &die) != 0)
		return 0;
	do {
		if (--*steps == 0)
			return -ELOOP;
		result = visit(context, &die);
		if (result > 0)
			result = walk(&die, visit, context, depth + 1, steps);
		if (result < 0)
			return result;
	} while (dwarf_siblingof(&die, &die) == 0);
	return 0;
}

int lp_die_walk(Dwarf_Die *parent, lp_die_visit_fn *visit, void *context)
{
	uint32_t steps = WALK_STEPS_MAX;

	return walk(parent, visit, context, 0, &steps);
}

int lp_die_index_push(struct lp_die_index *index, const Dwarf_Die *die)
{
	size_t capacity = index->capacity ? index->capacity * 2 : 32;
	Dwarf_Die *array;

	if (index->count == index->capacity) {
		array = reallocarray(index->die, capacity, sizeof(*array));
		if (!array)
			return -ENOMEM;
		index->die = array;
		index->capacity = capacity;
	}
	index->die[index->count++] = *die;
	return 0;
}

void lp_die_index_finish(struct lp_die_index *index)
{
	free(index->die);
	lp_ranges_finish(&index->ranges);
	memset(index, 0, sizeof(*index));
}

/* Add all address ranges of `die`, which is number `number`. */
static int add_die_ranges(struct lp_ranges *ranges, Dwarf_Die *die, size_t number)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t offset = 0;

	while ((offset = dwarf_ranges(die, offset, &base, &low, &high)) > 0)
		if (lp_ranges_add(ranges, low, high, 0, (uint32_t)number) < 0)
			return -ENOMEM;
	return 0;
}

/* ---- units ---- */

static int add_unit(struct lp_debug *debug, size_t *capacity, const Dwarf_Die *die)
{
	struct lp_debug_unit *units;

	if (debug->unit_count == *capacity) {
		*capacity = *capacity ? *capacity * 2 : 64;
		units = reallocarray(debug->units, *capacity, sizeof(*units));
		if (!units)
			return -ENOMEM;
		debug->units = units;
	}
	units = &debug->units[debug->unit_count];
	memset(units, 0, sizeof(*units));
	units->die = *die;
	return add_die_ranges(&debug->ranges, &units->die, debug->unit_count++);
}

static int read_units(struct lp_debug *debug)
{
	size_t capacity = 0;
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;
	uint8_t type;

	while (dwarf_get_units(debug->dwarf, cu, &cu, NULL, &type, &die, NULL) == 0) {
		if (type != DW_UT_compile && type != DW_UT_skeleton)
			continue;
		if (add_unit(debug, &capacity, &die) < 0)
			return -ENOMEM;
	}
	lp_ranges_sort(&debug->ranges);
	return 0;
}

struct lp_debug *lp_debug_create(Dwarf *dwarf, struct lp_strings *strings)
{
	struct lp_debug *debug = calloc(1, sizeof(*debug));

	if (!debug)
		return NULL;
	debug->dwarf = dwarf;
	debug->strings = strings;
	if (read_units(debug) < 0) {
		lp_debug_destroy(debug);
		return NULL;
	}
	return debug;
}

static void finish_unit(struct lp_debug_unit *unit)
{
	lp_die_index_finish(&unit->functions[0]);
	lp_die_index_finish(&unit->functions[1]);
}

void lp_debug_destroy(struct lp_debug *debug)
{
	size_t i;

	if (!debug)
		return;
	for (i = 0; i < debug->unit_count; i++)
		finish_unit(&debug->units[i]);
	lp_die_index_finish(&debug->variables[0]);
	lp_die_index_finish(&debug->variables[1]);
	lp_ranges_finish(&debug->ranges);
	free(debug->units);
	free(debug->names);
	free(debug);
}

Dwarf_Die lp_debug_unit_tree(const struct lp_debug_unit *unit)
{
	Dwarf_Die whole, split;
	uint8_t type;

	if (dwarf_cu_info(unit->die.cu, NULL, &type, &whole, &split, NULL, NULL, NULL) == 0 &&
	    type == DW_UT_skeleton && split.addr)
		return split;
	return unit->die;
}

/* ---- functions of a unit ---- */

struct function_walk {
	struct lp_die_index *functions;
	bool		deep;
};

static int visit_function(void *context, Dwarf_Die *die)
{
	struct function_walk *walk_to = context;
	struct lp_die_index *functions = walk_to->functions;

	switch (dwarf_tag(die)) {
	case DW_TAG_subprogram:
		if (lp_die_index_push(functions, die) < 0 ||
		    add_die_ranges(&functions->ranges, die, functions->count - 1) < 0)
			return -ENOMEM;
		return walk_to->deep;
	case DW_TAG_namespace:
	case DW_TAG_module:
		return 1;
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_lexical_block:
	case DW_TAG_inlined_subroutine:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
		return walk_to->deep;
	default:
		return 0;
	}
}

static const struct lp_range *find_function_range(struct lp_debug_unit *unit, bool deep,
						  uint64_t address)
{
	struct function_walk context = { &unit->functions[deep], deep };
	Dwarf_Die tree;

	if (!unit->functions_read[deep]) {
		unit->functions_read[deep] = true;
		tree = lp_debug_unit_tree(unit);
		if (lp_die_walk(&tree, visit_function, &context) == -ENOMEM)
			lp_die_index_finish(context.functions);
		lp_ranges_sort(&context.functions->ranges);
	}
	return lp_ranges_find(&context.functions->ranges, address);
}

/*
 * Functions stand at the top of their unit or in a namespace; going no deeper is much cheaper.
 * Those inside of others (lambdas, members of local classes, GNU C's nested functions) have
 * addresses of their own, which that first look does not find.
 */
static Dwarf_Die *find_function(struct lp_debug_unit *unit, uint64_t address,
				struct lp_debug_frames *frames)
{
	const struct lp_range *range = find_function_range(unit, false, address);
	bool deep = !range;
	Dwarf_Die *function;
	Dwarf_Addr entry;

	if (deep)
		range = find_function_range(unit, true, address);
	if (!range)
		return NULL;
	function = &unit->functions[deep].die[range->index];
	frames->low = range->low;
	frames->high = range->high;
	frames->cold = dwarf_entrypc(function, &entry) == 0 && entry != range->low;
	return function;
}

/* ---- names ---- */

/* NULL also when it is there but empty: damage, or a compiler's way to say that there is none. */
static const char *string_attribute(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;

	const char *text = dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));

	return text && *text ? text : NULL;
}

static bool names_scope(Dwarf_Die *die)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_namespace:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		return true;
	default:
		return false;
	}
}

/* What to call the scope `die` of `member`. */
static const char *scope_name(Dwarf_Die *die, const char *member)
{
	const char *name = dwarf_diename(die);

	if (name && *name)
		return name;
	if (dwarf_tag(die) == DW_TAG_namespace)
		return "(anonymous namespace)";
	return strcmp(member, "operator()") == 0 ? "{lambda}" : "{unnamed}";
}

/* The DIE that `die` refers to by attribute `link`, over several steps; itself, if by none. */
static Dwarf_Die follow(const Dwarf_Die *die, unsigned int link)
{
	Dwarf_Die at = *die, next;
	Dwarf_Attribute attribute;
	unsigned int hops;

	for (hops = 0; hops < 8; hops++) {
		if (!dwarf_attr(&at, link, &attribute) || !dwarf_formref_die(&attribute, &next))
			break;
		at = next;
	}
	return at;
}

/* What an inlined or cloned function was made from. */
static Dwarf_Die origin(const Dwarf_Die *die)
{
	return follow(die, DW_AT_abstract_origin);
}

/* The DIE that sits in its scope, where `die` may be a definition outside of it. */
static Dwarf_Die declaration(const Dwarf_Die *die)
{
	Dwarf_Die at = origin(die);

	return follow(&at, DW_AT_specification);
}

/* "a::b::name" in a string of ours, or NULL when nothing encloses it (or memory is short). */
static const char *qualified_name(struct lp_debug *debug, const Dwarf_Die *die, const char *name)
{
	Dwarf_Die declared = declaration(die), *scopes = NULL;
	int count = dwarf_getscopes_die(&declared, &scopes);
	const char *result = NULL;
	size_t size = 0;
	char *text = NULL;
	FILE *out;
	int i;

	for (i = 1; i < count && !names_scope(&scopes[i]); i++)
		continue;
	out = i < count ? open_memstream(&text, &size) : NULL;
	for (i = count - 1; out && i > 0; i--)
		if (names_scope(&scopes[i]))
			fprintf(out, "%s::", scope_name(&scopes[i], name));
	if (out) {
		fputs(name, out);
		if (fclose(out) == 0)
			result = lp_strings_intern(debug->strings, text);
		free(text);
	}
	free(scopes);
	return result;
}

/* In these languages nothing has a scope, and looking for it in a large unit takes long. */
static bool has_scopes(Dwarf_Die *die)
{
	Dwarf_Die unit;

	if (!dwarf_diecu(die, &unit, NULL, NULL))
		return true;
	switch (dwarf_srclang(&unit)) {
	case DW_LANG_C:
	case DW_LANG_C89:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case DW_LANG_Mips_Assembler:
		return false;
	default:
		return true;
	}
}

static const char *declared_name(struct lp_debug *debug, Dwarf_Die *die, bool *mangled)
{
	const char *linkage = string_attribute(die, DW_AT_linkage_name);
	const char *name, *qualified = NULL;

	if (!linkage)
		linkage = string_attribute(die, DW_AT_MIPS_linkage_name);
	/* any other linkage name is an alias that nobody calls: "__GI___libc_malloc" */
	*mangled = linkage && strncmp(linkage, "_Z", 2) == 0;
	if (*mangled)
		return lp_name_demangle(debug->strings, linkage);
	name = string_attribute(die, DW_AT_name);
	if (name && has_scopes(die))
		qualified = qualified_name(debug, die, name);
	return qualified || !name ? qualified : lp_strings_intern(debug->strings, name);
}

static struct lp_die_name *find_name(struct lp_die_name *names, size_t size, const void *die)
{
	size_t i = lp_hash64((uintptr_t)die) & (size - 1);

	while (names[i].die && names[i].die != die)
		i = (i + 1) & (size - 1);
	return &names[i];
}

static int grow_names(struct lp_debug *debug)
{
	size_t size = debug->names_size ? debug->names_size * 2 : 128, i;
	struct lp_die_name *names;

	if (debug->name_count < debug->names_size / 2)
		return 0;
	names = calloc(size, sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (i = 0; i < debug->names_size; i++)
		if (debug->names[i].die)
			*find_name(names, size, debug->names[i].die) = debug->names[i];
	free(debug->names);
	debug->names = names;
	debug->names_size = size;
	return 0;
}

const char *lp_die_name(struct lp_debug *debug, Dwarf_Die *die, bool *mangled)
{
	/* all inlined copies of a function share the name of the one DIE that declares it */
	Dwarf_Die declared = origin(die);
	struct lp_die_name *known;

	if (grow_names(debug) < 0)
		return declared_name(debug, &declared, mangled);
	known = find_name(debug->names, debug->names_size, declared.addr);
	if (!known->die) {
		known->name = declared_name(debug, &declared, &known->mangled);
		known->die = declared.addr;
		debug->name_count++;
	}
	*mangled = known->mangled;
	return known->name;
}

/* ---- inlined functions ---- */

/* The way down from a function to the innermost inlined function at an address. */
struct chain {
	uint64_t	address;
	Dwarf_Die	die[LP_DEBUG_INLINE_MAX];	/* a ring, when it is deeper */
	size_t		count;
	uint32_t	steps;
};

/* The child of `parent` to go on with. A block without addresses stands for its children. */
static bool find_inlined(struct chain *chain, Dwarf_Die *parent, unsigned int depth)
{
	Dwarf_Die die;
	int tag;

	if (depth > WALK_DEPTH_MAX || dwarf_child(parent, &die) != 0)
		return false;
	do {
		if (--chain->steps == 0)
			return true;
		tag = dwarf_tag(&die);
		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block &&
		    tag != DW_TAG_try_block && tag != DW_TAG_catch_block)
			continue;
		if (dwarf_haspc(&die, chain->address) > 0) {
			if (tag == DW_TAG_inlined_subroutine)
				chain->die[chain->count++ % LP_DEBUG_INLINE_MAX] = die;
			find_inlined(chain, &die, depth + 1);
			return true;
		}
		if (tag != DW_TAG_inlined_subroutine && !dwarf_hasattr(&die, DW_AT_low_pc) &&
		    !dwarf_hasattr(&die, DW_AT_ranges) && find_inlined(chain, &die, depth + 1))
			return true;
	} while (dwarf_siblingof(&die, &die) == 0);
	return false;
}

static uint32_t number_attribute(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (dwarf_formudata(dwarf_attr(die, name, &attribute), &value) != 0 || value > UINT32_MAX)
		return 0;
	return (uint32_t)value;
}

/* libdw leaves paths as the line table has them: relative ones to where the compiler ran. */
static const char *file_name(struct lp_debug *debug, struct lp_debug_unit *unit, const char *file)
{
	const char *folder = file[0] == '/' ? NULL : string_attribute(&unit->die, DW_AT_comp_dir);
	size_t size = folder ? strlen(folder) : 0;
	const char *name;
	char *path;

	/* distributions rewrite that folder to a relative one, which may be in the table as well */
	if (!folder || (strncmp(file, folder, size) == 0 && file[size] == '/'))
		return lp_name_path(debug->strings, file);
	if (asprintf(&path, "%s/%s", folder, file) < 0)
		return NULL;
	name = lp_name_path(debug->strings, path);
	free(path);
	return name;
}

/* Where the inlined function `die` was called: a place in the next outer frame. */
static void set_call_place(struct lp_debug *debug, struct lp_debug_unit *unit, Dwarf_Die *die,
			   struct lp_debug_frame *frame)
{
	uint32_t number = number_attribute(die, DW_AT_call_file);
	Dwarf_Files *files;
	const char *file;
	Dwarf_Die own;
	size_t count;

	frame->line = number_attribute(die, DW_AT_call_line);
	frame->column = number_attribute(die, DW_AT_call_column);
	if (!dwarf_diecu(die, &own, NULL, NULL) || dwarf_getsrcfiles(&own, &files, &count) != 0)
		return;
	file = number < count ? dwarf_filesrc(files, number, NULL, NULL) : NULL;
	if (file)
		frame->file = file_name(debug, unit, file);
}

static void set_line(struct lp_debug *debug, struct lp_debug_unit *unit, uint64_t address,
		     struct lp_debug_frame *frame)
{
	Dwarf_Line *line = dwarf_getsrc_die(&unit->die, address);
	const char *file = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	int number;

	if (!file)
		return;
	frame->file = file_name(debug, unit, file);
	if (dwarf_lineno(line, &number) == 0 && number > 0)
		frame->line = (uint32_t)number;
	if (dwarf_linecol(line, &number) == 0 && number > 0)
		frame->column = (uint32_t)number;
}

static void set_functions(struct lp_debug *debug, struct lp_debug_unit *unit,
			  Dwarf_Die *function, uint64_t address, struct lp_debug_frames *frames)
{
	struct chain chain = { .address = address, .steps = WALK_STEPS_MAX };
	struct lp_debug_frame *frame = frames->at;
	bool mangled;
	size_t i, kept;

	find_inlined(&chain, function, 0);
	kept = chain.count < LP_DEBUG_INLINE_MAX ? chain.count : LP_DEBUG_INLINE_MAX;
	for (i = 1; i <= kept; i++, frame++) {
		Dwarf_Die *die = &chain.die[(chain.count - i) % LP_DEBUG_INLINE_MAX];

		frame->function = lp_die_name(debug, die, &mangled);
		set_call_place(debug, unit, die, frame + 1);
	}
	frame->function = lp_die_name(debug, function, &frames->mangled);
	frames->count = kept + 1;
}

void lp_debug_code(struct lp_debug *debug, uint64_t address, struct lp_debug_frames *frames)
{
	const struct lp_range *range = lp_ranges_find(&debug->ranges, address);
	struct lp_debug_unit *unit;
	Dwarf_Die *function;

	memset(frames, 0, sizeof(*frames));
	if (!range)
		return;
	unit = &debug->units[range->index];
	frames->count = 1;
	set_line(debug, unit, address, &frames->at[0]);
	function = find_function(unit, address, frames);
	if (function)
		set_functions(debug, unit, function, address, frames);
}

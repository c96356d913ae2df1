/* SPDX-License-Identifier: Apache-2.0 */
/*
 * variable.c — from an address to "pool.slots[2].lock". See debug.h.
 *
 * A variable is found by the address in its location; then its type is taken apart until a lock
 * type is met. Only when no lock is there, the first plain member at the address will do.
 */
#include <dwarf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "symbolize/debug_private.h"
#include "symbolize/names.h"

#define TYPE_DEPTH_MAX	32
#define TYPE_STEPS_MAX	20000
#define DIMENSIONS_MAX	8

/* Types that are a lock as a whole: what is inside them has no name that people use. */
static const char *const lock_types[] = {
	"pthread_mutex_t", "pthread_rwlock_t", "pthread_spinlock_t", "pthread_cond_t", "sem_t",
	"mtx_t", "cnd_t",
	"mutex", "recursive_mutex", "timed_mutex", "recursive_timed_mutex", "shared_mutex",
	"shared_timed_mutex", "condition_variable",
	"GMutex", "GRecMutex", "GRWLock", "uv_mutex_t", "uv_rwlock_t",
};

/* ---- which variable ---- */

/* The constant address in a variable's location. False: it has none. */
static bool variable_address(Dwarf_Die *die, uint64_t *address)
{
	Dwarf_Attribute attribute, base;
	Dwarf_Block block;
	Dwarf_Op *op;
	size_t count;

	if (!dwarf_attr(die, DW_AT_location, &attribute) ||
	    dwarf_formblock(&attribute, &block) != 0 || block.length == 0)
		return false; /* most locals end here: a location list, or none */
	if (block.data[0] != DW_OP_addr && block.data[0] != DW_OP_addrx &&
	    block.data[0] != DW_OP_GNU_addr_index)
		return false;
	if (dwarf_getlocation(&attribute, &op, &count) != 0 || count != 1)
		return false;
	if (op->atom == DW_OP_addr) {
		*address = op->number;
		return true;
	}
	return dwarf_getlocation_attr(&attribute, op, &base) == 0 &&
	       dwarf_formaddr(&base, address) == 0;
}

struct variable_walk {
	struct lp_die_index *index;
	bool		deep;		/* functions' statics too */
};

static int visit_variable(void *context, Dwarf_Die *die)
{
	struct variable_walk *variables = context;
	struct lp_die_index *index = variables->index;
	uint64_t address;

	switch (dwarf_tag(die)) {
	case DW_TAG_variable:
		if (!variable_address(die, &address) || address == UINT64_MAX)
			return 0;
		if (lp_die_index_push(index, die) < 0 ||
		    lp_ranges_add(&index->ranges, address, address + 1, 0,
				  (uint32_t)index->count - 1) < 0)
			return -ENOMEM;
		return 0;
	case DW_TAG_namespace:
	case DW_TAG_module:
		return 1;
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
	case DW_TAG_inlined_subroutine:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		return variables->deep;
	default:
		return 0;
	}
}

static void read_variables(struct lp_debug *debug, bool deep)
{
	struct variable_walk context = { &debug->variables[deep], deep };
	Dwarf_Die tree;
	size_t i;

	debug->variables_read[deep] = true;
	for (i = 0; i < debug->unit_count; i++) {
		tree = lp_debug_unit_tree(&debug->units[i]);
		if (lp_die_walk(&tree, visit_variable, &context) == -ENOMEM) {
			lp_die_index_finish(context.index);
			return;
		}
	}
	lp_ranges_sort(&context.index->ranges);
}

/* The type of a typedef, member, array or variable. False: void, or damaged. */
static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute attribute;
	Dwarf_Die whole;

	if (!dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), type))
		return false;
	/* a declaration whose struct is in a type unit of its own */
	if (dwarf_attr(type, DW_AT_signature, &attribute) && dwarf_formref_die(&attribute, &whole))
		*type = whole;
	return true;
}

static bool is_alias(Dwarf_Die *type)
{
	switch (dwarf_tag(type)) {
	case DW_TAG_typedef:
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type:
		return true;
	default:
		return false;
	}
}

/* How many elements a subrange has; 0: not known. */
static uint64_t element_count(Dwarf_Die *subrange)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (dwarf_formudata(dwarf_attr_integrate(subrange, DW_AT_count, &attribute), &value) == 0)
		return value;
	if (dwarf_formudata(dwarf_attr_integrate(subrange, DW_AT_upper_bound, &attribute),
			    &value) == 0)
		return value + 1;
	return 0;
}

static unsigned int read_dimensions(Dwarf_Die *array, uint64_t count[DIMENSIONS_MAX])
{
	unsigned int dimensions = 0;
	Dwarf_Die child;

	if (dwarf_child(array, &child) != 0)
		return 0;
	do {
		if (dwarf_tag(&child) == DW_TAG_subrange_type && dimensions < DIMENSIONS_MAX)
			count[dimensions++] = element_count(&child);
	} while (dwarf_siblingof(&child, &child) == 0);
	return dimensions;
}

/* In bytes; 0: not known. dwarf_aggregate_size() does not look into type units. */
static uint64_t type_size(const Dwarf_Die *type)
{
	uint64_t count[DIMENSIONS_MAX], elements = 1;
	Dwarf_Die die = *type;
	unsigned int depth, dimensions, i;
	int size;

	for (depth = 0; depth < TYPE_DEPTH_MAX; depth++) {
		size = dwarf_bytesize(&die);
		if (size >= 0)
			return __builtin_mul_overflow(elements, (uint64_t)size, &elements)
				       ? 0
				       : elements;
		if (dwarf_tag(&die) == DW_TAG_pointer_type)
			return elements * sizeof(void *);
		if (dwarf_tag(&die) == DW_TAG_array_type) {
			dimensions = read_dimensions(&die, count);
			for (i = 0; i < dimensions; i++)
				if (__builtin_mul_overflow(elements, count[i], &elements))
					return 0;
		} else if (!is_alias(&die)) {
			return 0;
		}
		if (!type_of(&die, &die))
			return 0;
	}
	return 0;
}

static Dwarf_Die *find_variable(struct lp_debug *debug, bool deep, uint64_t address, uint64_t low,
				uint64_t *start)
{
	struct lp_die_index *index = &debug->variables[deep];
	const struct lp_range *range;
	uint64_t size = 0;
	Dwarf_Die type;

	if (!debug->variables_read[deep])
		read_variables(debug, deep);
	range = lp_ranges_below(&index->ranges, low ? low : address);
	if (!range || (low && range->low != low))
		return NULL;
	if (type_of(&index->die[range->index], &type))
		size = type_size(&type);
	if (address - range->low >= (size ? size : 1))
		return NULL;
	*start = range->low;
	return &index->die[range->index];
}

/* ---- which part of it ---- */

struct part {
	char		text[256];
	size_t		size;
	bool		only_locks;	/* else any scalar will do */
	unsigned int	steps;
};

static bool is_lock_type(const char *name)
{
	size_t i;

	for (i = 0; name && i < lp_array_size(lock_types); i++)
		if (strcmp(name, lock_types[i]) == 0)
			return true;
	return false;
}

static LP_PRINTF(2, 3) bool append(struct part *part, const char *format, ...)
{
	size_t room = sizeof(part->text) - part->size;
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(part->text + part->size, room, format, arguments);
	va_end(arguments);
	if (size < 0 || (size_t)size >= room)
		return false;
	part->size += (size_t)size;
	return true;
}

static bool describe(struct part *part, Dwarf_Die *type, uint64_t offset, unsigned int depth);

/* Where in its struct a member starts. False: a static member, a bit field, a virtual base. */
static bool member_place(Dwarf_Die *member, uint64_t *place)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value = 0;
	Dwarf_Op *op;
	size_t count;

	if (dwarf_hasattr(member, DW_AT_external) || dwarf_hasattr(member, DW_AT_bit_size) ||
	    dwarf_hasattr(member, DW_AT_declaration) || dwarf_hasattr(member, DW_AT_virtuality))
		return false;
	*place = 0;
	if (!dwarf_attr(member, DW_AT_data_member_location, &attribute))
		return true; /* a member of a union */
	if (dwarf_formudata(&attribute, &value) == 0) {
		*place = value;
		return true;
	}
	if (dwarf_getlocation(&attribute, &op, &count) != 0 || count != 1 ||
	    op->atom != DW_OP_plus_uconst)
		return false;
	*place = op->number;
	return true;
}

static bool describe_member(struct part *part, Dwarf_Die *member, uint64_t offset,
			    unsigned int depth)
{
	bool base = dwarf_tag(member) == DW_TAG_inheritance;
	const char *name = base ? NULL : dwarf_diename(member);
	size_t before = part->size;
	uint64_t place, size;
	Dwarf_Die type;

	if (!member_place(member, &place) || offset < place || !type_of(member, &type))
		return false;
	size = type_size(&type);
	if (size && offset - place >= size)
		return false;
	if ((!name || !*name || append(part, ".%s", name)) &&
	    describe(part, &type, offset - place, depth + 1))
		return true;
	part->size = before;
	part->text[before] = '\0';
	return false;
}

static bool describe_struct(struct part *part, Dwarf_Die *type, uint64_t offset,
			    unsigned int depth)
{
	Dwarf_Die child;
	int tag;

	if (dwarf_child(type, &child) != 0)
		return false;
	do {
		if (part->steps++ > TYPE_STEPS_MAX)
			return false;
		tag = dwarf_tag(&child);
		if ((tag == DW_TAG_member || tag == DW_TAG_inheritance) &&
		    describe_member(part, &child, offset, depth))
			return true;
	} while (dwarf_siblingof(&child, &child) == 0);
	return false;
}

/* "[2][3]" for an element number; the first dimension alone may be of unknown size. */
static bool append_subscripts(struct part *part, uint64_t number, const uint64_t *count,
			      unsigned int dimensions)
{
	uint64_t stride = 1, rest;
	unsigned int i, j;

	for (i = 0; i < dimensions; i++) {
		stride = 1;
		for (j = i + 1; j < dimensions; j++)
			if (count[j] == 0 || __builtin_mul_overflow(stride, count[j], &stride))
				return false;
		rest = number / stride;
		if (i > 0 && rest >= count[i])
			return false;
		if (!append(part, "[%" PRIu64 "]", rest))
			return false;
		number %= stride;
	}
	return dimensions > 0;
}

static bool describe_array(struct part *part, Dwarf_Die *array, uint64_t offset,
			   unsigned int depth)
{
	uint64_t count[DIMENSIONS_MAX], size;
	size_t before = part->size;
	unsigned int dimensions;
	Dwarf_Die element;

	if (!type_of(array, &element))
		return false;
	size = type_size(&element);
	if (size == 0)
		return false;
	dimensions = read_dimensions(array, count);
	if (append_subscripts(part, offset / size, count, dimensions) &&
	    describe(part, &element, offset % size, depth + 1))
		return true;
	part->size = before;
	part->text[before] = '\0';
	return false;
}

/* Append the way from `type` to `offset` inside it; false leaves the text as it was. */
static bool describe(struct part *part, Dwarf_Die *type, uint64_t offset, unsigned int depth)
{
	Dwarf_Die die = *type;
	const char *name;

	for (; depth < TYPE_DEPTH_MAX && part->steps++ < TYPE_STEPS_MAX; depth++) {
		name = dwarf_diename(&die);
		if (is_lock_type(name))
			return offset == 0;
		if (is_alias(&die)) {
			if (!type_of(&die, &die))
				return false;
			continue;
		}
		switch (dwarf_tag(&die)) {
		case DW_TAG_structure_type:
		case DW_TAG_class_type:
		case DW_TAG_union_type:
			return describe_struct(part, &die, offset, depth);
		case DW_TAG_array_type:
			return describe_array(part, &die, offset, depth);
		default:
			return offset == 0 && !part->only_locks;
		}
	}
	return false;
}

static const char *part_name(struct lp_debug *debug, Dwarf_Die *variable, uint64_t offset)
{
	struct part part = { .only_locks = true };
	Dwarf_Die type;

	if (!type_of(variable, &type))
		return offset == 0 ? "" : NULL;
	if (!describe(&part, &type, offset, 0)) {
		part = (struct part){ .only_locks = false };
		if (offset != 0 && !describe(&part, &type, offset, 0))
			return NULL;
	}
	return lp_strings_intern(debug->strings, part.text);
}

bool lp_debug_data(struct lp_debug *debug, uint64_t address, uint64_t low, bool local,
		   struct lp_debug_variable *variable)
{
	Dwarf_Die *die = find_variable(debug, false, address, low, &variable->low);
	bool mangled;

	if (!die && local)
		die = find_variable(debug, true, address, low, &variable->low);
	if (!die)
		return false;
	variable->name = lp_die_name(debug, die, &mangled);
	variable->part = part_name(debug, die, address - variable->low);
	return variable->name != NULL;
}

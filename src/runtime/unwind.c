/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unwind.c — call frame information of x86-64 code, read in place.
 *
 * Of a frame's rules only three are kept: where the canonical frame address (CFA) is, where the
 * return address is, and where rbp was saved. Nothing else can be needed by a caller's rules in
 * code that compilers make: a CFA is based on rsp, on rbp, or on an expression over them.
 * Format: DWARF 5 section 6.4, with the .eh_frame differences of the Linux Standard Base.
 */
#include "runtime/unwind.h"

#include <dlfcn.h>
#include <string.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "runtime/os.h"

#define STEP_MAX	(8u << 20)	/* a larger frame is taken for nonsense */
#define STATES_MAX	8		/* DW_CFA_remember_state nesting */

enum { REG_FP = 6, REG_SP = 7, REG_RA = 16 };

/* Pointer encodings (DW_EH_PE) that toolchains use for code. */
enum { PE_ABSPTR = 0, PE_UDATA4 = 3, PE_UDATA8 = 4, PE_SDATA4 = 0x0b, PE_SDATA8 = 0x0c,
       PE_PCREL = 0x10, PE_OMIT = 0xff };

struct bytes {
	const uint8_t	*at;
	const uint8_t	*end;
	bool		bad;
};

/* Where a register of the caller is: nowhere new, at CFA + offset, or at an expression's result. */
struct place {
	enum { SAME, OFFSET, EXPRESSION, UNDEFINED } how;
	int64_t		offset;
	const uint8_t	*expression;
};

struct rules {
	enum { CFA_SP, CFA_FP, CFA_EXPRESSION } cfa;
	int64_t		cfa_offset;
	const uint8_t	*cfa_expression;
	struct place	fp, ra;
};

struct cie {
	uint64_t	code_align;
	int64_t		data_align;
	uint8_t		encoding;
	bool		sized;		/* augmentation data has a size */
	bool		signal;
	struct bytes	program;
};

struct known_rule {
	uint64_t	check;		/* pc ^ packed: a torn pair is noticed */
	uint64_t	packed;
};

static struct known_rule known[2048];

static uint64_t take_fixed(struct bytes *b, unsigned size)
{
	uint64_t value = 0;

	if (b->bad || (size_t)(b->end - b->at) < size) {
		b->bad = true;
		return 0;
	}
	memcpy(&value, b->at, size);
	b->at += size;
	return value;
}

static uint64_t take_uleb(struct bytes *b)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = (uint8_t)take_fixed(b, 1);

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	b->bad = true;
	return 0;
}

static int64_t take_sleb(struct bytes *b)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64;) {
		uint8_t byte = (uint8_t)take_fixed(b, 1);

		value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
		if (byte & 0x80)
			continue;
		if ((byte & 0x40) && shift < 64)
			value |= ~(uint64_t)0 << shift;
		return (int64_t)value;
	}
	b->bad = true;
	return 0;
}

static uint64_t take_encoded(struct bytes *b, uint8_t encoding)
{
	uint64_t base = (encoding & 0x70) == PE_PCREL ? (uintptr_t)b->at : 0;

	if ((encoding & 0x70) != PE_PCREL && (encoding & 0x70) != 0)
		b->bad = true;
	switch (encoding & 0x0f) {
	case PE_ABSPTR:
	case PE_UDATA8:
	case PE_SDATA8:
		return base + take_fixed(b, 8);
	case PE_UDATA4:
		return base + take_fixed(b, 4);
	case PE_SDATA4:
		return base + (uint64_t)(int64_t)(int32_t)take_fixed(b, 4);
	}
	b->bad = true;
	return 0;
}

static void skip(struct bytes *b, uint64_t size)
{
	if (b->bad || (uint64_t)(b->end - b->at) < size)
		b->bad = true;
	else
		b->at += size;
}

/* An entry of .eh_frame without its length word; bad when it is none of ours. */
static struct bytes open_entry(const uint8_t *at)
{
	struct bytes b = { at, at + 4, false };
	uint32_t length = (uint32_t)take_fixed(&b, 4);

	b.end = b.at + length;
	if (length == 0 || length == UINT32_MAX || length > (16u << 20))
		b.bad = true;
	return b;
}

static bool read_cie(const uint8_t *at, struct cie *cie)
{
	struct bytes b = open_entry(at);
	const char *letters;
	uint8_t version;

	if (take_fixed(&b, 4) != 0)	/* the mark of a CIE */
		return false;
	version = (uint8_t)take_fixed(&b, 1);
	letters = (const char *)b.at;
	while (take_fixed(&b, 1) && !b.bad)
		;
	cie->code_align = take_uleb(&b);
	cie->data_align = take_sleb(&b);
	if (version == 1)
		take_fixed(&b, 1);
	else
		take_uleb(&b);
	cie->encoding = PE_ABSPTR;
	cie->signal = false;
	cie->sized = !b.bad && letters[0] == 'z';
	cie->program = b;
	if (cie->sized) {
		uint64_t size = take_uleb(&b);

		cie->program = b;
		skip(&cie->program, size);
		for (letters++; *letters && !b.bad; letters++) {
			switch (*letters) {
			case 'R':
				cie->encoding = (uint8_t)take_fixed(&b, 1);
				break;
			case 'L':
				take_fixed(&b, 1);
				break;
			case 'P':
				take_encoded(&b, (uint8_t)take_fixed(&b, 1) & 0x7f);
				break;
			case 'S':
				cie->signal = true;
				break;
			case 'B':
				break;
			default:
				b.bad = true;
			}
		}
	}
	return !b.bad && !cie->program.bad;
}

/* The entry of the binary search table whose function starts at or before pc, or NULL. */
static const uint8_t *find_fde(const uint8_t *header, uint64_t pc)
{
	struct bytes b = { header, header + 32, false };
	uint32_t version = (uint32_t)take_fixed(&b, 4);
	const int32_t *table;
	uint64_t low = 0, high;
	int64_t relative = (int64_t)(pc - (uintptr_t)header);

	/* version 1, pointer pc-relative, count 4 bytes, table relative to the header */
	if (version != 0x3b031b01)
		return NULL;
	take_fixed(&b, 4);
	high = take_fixed(&b, 4);
	table = (const int32_t *)b.at;
	if (!high || relative < table[0])
		return NULL;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (table[2 * middle] <= relative)
			low = middle;
		else
			high = middle;
	}
	return header + table[2 * low + 1];
}

static void set_place(struct rules *rules, uint64_t reg, struct place place)
{
	if (reg == REG_FP)
		rules->fp = place;
	else if (reg == REG_RA)
		rules->ra = place;
}

static void restore_place(struct rules *rules, const struct rules *initial, uint64_t reg)
{
	if (reg == REG_FP)
		rules->fp = initial->fp;
	else if (reg == REG_RA)
		rules->ra = initial->ra;
}

static void set_cfa(struct rules *rules, uint64_t reg, int64_t offset, struct bytes *b)
{
	rules->cfa_offset = offset;
	if (reg == REG_SP)
		rules->cfa = CFA_SP;
	else if (reg == REG_FP)
		rules->cfa = CFA_FP;
	else
		b->bad = true;		/* a base that is not tracked */
}

static const uint8_t *take_expression(struct bytes *b)
{
	const uint8_t *at = b->at;	/* its size comes first */

	skip(b, take_uleb(b));
	return at;
}

enum {
	CFA_ADVANCE = 1, CFA_OFFSET = 2, CFA_RESTORE = 3,	/* in the two high bits */
	CFA_NOP = 0x00, CFA_SET_LOC = 0x01, CFA_ADVANCE1 = 0x02, CFA_ADVANCE2 = 0x03,
	CFA_ADVANCE4 = 0x04, CFA_OFFSET_X = 0x05, CFA_RESTORE_X = 0x06, CFA_UNDEFINED_ = 0x07,
	CFA_SAME_VALUE = 0x08, CFA_REGISTER = 0x09, CFA_REMEMBER = 0x0a, CFA_RECALL = 0x0b,
	CFA_DEF = 0x0c, CFA_DEF_REGISTER = 0x0d, CFA_DEF_OFFSET = 0x0e, CFA_DEF_EXPRESSION = 0x0f,
	CFA_EXPRESSION_ = 0x10, CFA_OFFSET_SX = 0x11, CFA_DEF_S = 0x12, CFA_DEF_OFFSET_S = 0x13,
	CFA_VAL_OFFSET = 0x14, CFA_VAL_OFFSET_S = 0x15, CFA_VAL_EXPRESSION = 0x16,
	CFA_GNU_ARGS_SIZE = 0x2e,
};

struct machine {
	struct rules	rules;
	struct rules	saved[STATES_MAX];
	unsigned	saved_count;
	uint64_t	location;
};

static void run_extended(struct machine *m, const struct cie *cie, const struct rules *initial,
			 struct bytes *b, uint8_t op)
{
	struct rules *rules = &m->rules;
	uint64_t reg;

	switch (op) {
	case CFA_NOP:
		return;
	case CFA_SET_LOC:
		m->location = take_encoded(b, cie->encoding);
		return;
	case CFA_ADVANCE1:
		m->location += take_fixed(b, 1) * cie->code_align;
		return;
	case CFA_ADVANCE2:
		m->location += take_fixed(b, 2) * cie->code_align;
		return;
	case CFA_ADVANCE4:
		m->location += take_fixed(b, 4) * cie->code_align;
		return;
	case CFA_OFFSET_X:
		reg = take_uleb(b);
		set_place(rules, reg, (struct place){ OFFSET,
			  (int64_t)take_uleb(b) * cie->data_align, NULL });
		return;
	case CFA_OFFSET_SX:
		reg = take_uleb(b);
		set_place(rules, reg, (struct place){ OFFSET, take_sleb(b) * cie->data_align,
						      NULL });
		return;
	case CFA_RESTORE_X:
		restore_place(rules, initial, take_uleb(b));
		return;
	case CFA_UNDEFINED_:
		set_place(rules, take_uleb(b), (struct place){ UNDEFINED, 0, NULL });
		return;
	case CFA_SAME_VALUE:
		set_place(rules, take_uleb(b), (struct place){ SAME, 0, NULL });
		return;
	case CFA_REGISTER:	/* kept in another register: only matters for the two we follow */
		reg = take_uleb(b);
		take_uleb(b);
		set_place(rules, reg, (struct place){ UNDEFINED, 0, NULL });
		return;
	case CFA_REMEMBER:
		if (m->saved_count == STATES_MAX)
			b->bad = true;
		else
			m->saved[m->saved_count++] = *rules;
		return;
	case CFA_RECALL:
		if (!m->saved_count)
			b->bad = true;
		else
			*rules = m->saved[--m->saved_count];
		return;
	case CFA_DEF:
		reg = take_uleb(b);
		set_cfa(rules, reg, (int64_t)take_uleb(b), b);
		return;
	case CFA_DEF_S:
		reg = take_uleb(b);
		set_cfa(rules, reg, take_sleb(b) * cie->data_align, b);
		return;
	case CFA_DEF_REGISTER:
		set_cfa(rules, take_uleb(b), rules->cfa_offset, b);
		return;
	case CFA_DEF_OFFSET:
		rules->cfa_offset = (int64_t)take_uleb(b);
		return;
	case CFA_DEF_OFFSET_S:
		rules->cfa_offset = take_sleb(b) * cie->data_align;
		return;
	case CFA_DEF_EXPRESSION:
		rules->cfa = CFA_EXPRESSION;
		rules->cfa_expression = take_expression(b);
		return;
	case CFA_EXPRESSION_:
		reg = take_uleb(b);
		set_place(rules, reg, (struct place){ EXPRESSION, 0, take_expression(b) });
		return;
	case CFA_VAL_OFFSET:
	case CFA_VAL_OFFSET_S:
		reg = take_uleb(b);
		take_uleb(b);
		set_place(rules, reg, (struct place){ UNDEFINED, 0, NULL });
		return;
	case CFA_VAL_EXPRESSION:
		reg = take_uleb(b);
		take_expression(b);
		set_place(rules, reg, (struct place){ UNDEFINED, 0, NULL });
		return;
	case CFA_GNU_ARGS_SIZE:
		take_uleb(b);
		return;
	}
	b->bad = true;
}

/* Run a program of rules up to pc. */
static bool run(struct machine *m, const struct cie *cie, const struct rules *initial,
		struct bytes b, uint64_t pc)
{
	while (b.at < b.end && !b.bad && m->location <= pc) {
		uint8_t op = (uint8_t)take_fixed(&b, 1);
		uint8_t low = op & 0x3f;

		switch (op >> 6) {
		case CFA_ADVANCE:
			m->location += low * cie->code_align;
			break;
		case CFA_OFFSET:
			set_place(&m->rules, low, (struct place){ OFFSET,
				  (int64_t)take_uleb(&b) * cie->data_align, NULL });
			break;
		case CFA_RESTORE:
			restore_place(&m->rules, initial, low);
			break;
		default:
			run_extended(m, cie, initial, &b, low);
		}
	}
	return !b.bad;
}

/* `pc` is inside the call that did not return yet, so that the rules are those of the call. */
static bool find_rules(uint64_t pc, struct rules *rules, bool *signal)
{
	struct dl_find_object object;
	struct machine machine = { .saved_count = 0 };
	struct rules initial = { .ra = { OFFSET, -8, NULL } };
	struct bytes fde;
	struct cie cie;
	const uint8_t *at;
	uint64_t start, size;

	if (_dl_find_object((void *)(uintptr_t)pc, &object) || !object.dlfo_eh_frame)
		return false;
	at = find_fde(object.dlfo_eh_frame, pc);
	if (!at)
		return false;
	fde = open_entry(at);
	at = fde.at - (uint32_t)take_fixed(&fde, 4);
	if (fde.bad || !read_cie(at, &cie))
		return false;
	start = take_encoded(&fde, cie.encoding);
	size = take_encoded(&fde, cie.encoding & 0x0f);
	if (cie.sized)
		skip(&fde, take_uleb(&fde));
	if (fde.bad || pc < start || pc >= start + size)
		return false;
	machine.rules = initial;
	if (!run(&machine, &cie, &initial, cie.program, pc))
		return false;
	initial = machine.rules;
	machine.location = start;
	if (!run(&machine, &cie, &initial, fde, pc))
		return false;
	*rules = machine.rules;
	*signal = cie.signal;
	return true;
}

/* Read a word of a stack; beyond what is known to be stack the kernel is asked first. */
static bool load(uint64_t at, uint64_t stack_from, uint64_t stack_end, uint64_t *value)
{
	if (at & 7)
		return false;
	if ((at < stack_from || at + 8 > stack_end) && !lp_os_readable((void *)(uintptr_t)at))
		return false;
	*value = *(const uint64_t *)(uintptr_t)at;
	return true;
}

enum {
	OP_DEREF = 0x06, OP_CONST1U = 0x08, OP_CONST1S = 0x09, OP_AND = 0x1a, OP_PLUS = 0x22,
	OP_PLUS_CONST = 0x23, OP_SHL = 0x24, OP_GE = 0x2a, OP_LIT0 = 0x30, OP_BREG0 = 0x70,
};

/* The few operations that frames in practice use: signal frames, linkage tables, realigned main. */
static bool evaluate(const uint8_t *expression, const struct lp_cursor *cursor, uint64_t first,
		     uint64_t stack_end, uint64_t *result)
{
	struct bytes b = { expression, expression + 10, false };
	uint64_t stack[8] = { 0, first };
	unsigned top = 1;
	uint64_t size = take_uleb(&b);

	if (b.bad || size > 64)
		return false;
	b.end = b.at + size;
	while (b.at < b.end && !b.bad) {
		uint8_t op = (uint8_t)take_fixed(&b, 1);

		if (top >= 6)
			return false;
		if (op >= OP_LIT0 && op < OP_LIT0 + 32) {
			stack[++top] = (uint64_t)(op - OP_LIT0);
		} else if (op >= OP_BREG0 && op < OP_BREG0 + 32) {
			int64_t offset = take_sleb(&b);

			if (op == OP_BREG0 + REG_SP)
				stack[++top] = cursor->sp + (uint64_t)offset;
			else if (op == OP_BREG0 + REG_FP)
				stack[++top] = cursor->fp + (uint64_t)offset;
			else if (op == OP_BREG0 + REG_RA)
				stack[++top] = cursor->pc + (uint64_t)offset;
			else
				return false;
		} else if (op == OP_CONST1U) {
			stack[++top] = take_fixed(&b, 1);
		} else if (op == OP_CONST1S) {
			stack[++top] = (uint64_t)(int64_t)(int8_t)take_fixed(&b, 1);
		} else if (op == OP_PLUS_CONST) {
			stack[top] += take_uleb(&b);
		} else if (op == OP_DEREF) {
			if (!load(stack[top], cursor->sp, stack_end, &stack[top]))
				return false;
		} else if (top < 2) {
			return false;
		} else {
			uint64_t right = stack[top--];

			if (op == OP_PLUS)
				stack[top] += right;
			else if (op == OP_AND)
				stack[top] &= right;
			else if (op == OP_SHL)
				stack[top] = right < 64 ? stack[top] << right : 0;
			else if (op == OP_GE)
				stack[top] = (int64_t)stack[top] >= (int64_t)right;
			else
				return false;
		}
	}
	*result = stack[top];
	return !b.bad;
}

static bool find_place(const struct place *place, const struct lp_cursor *cursor, uint64_t cfa,
		       uint64_t stack_end, uint64_t *value)
{
	uint64_t at = cfa + (uint64_t)place->offset;

	switch (place->how) {
	case SAME:
		return true;
	case UNDEFINED:
		return false;
	case EXPRESSION:
		if (!evaluate(place->expression, cursor, cfa, stack_end, &at))
			return false;
		break;
	case OFFSET:
		break;
	}
	return load(at, cursor->sp, stack_end, value);
}

/* Packed rule: bit 0 present, 1 CFA is rbp-based, 2 rbp saved, 16..31 rbp offset, 32..63 CFA. */
static uint64_t pack(const struct rules *rules)
{
	bool saved = rules->fp.how == OFFSET;

	if (rules->cfa == CFA_EXPRESSION || rules->ra.how != OFFSET || rules->ra.offset != -8 ||
	    (!saved && rules->fp.how != SAME) || rules->cfa_offset != (int32_t)rules->cfa_offset ||
	    (saved && rules->fp.offset != (int16_t)rules->fp.offset))
		return 0;
	return 1 | (rules->cfa == CFA_FP) << 1 | saved << 2 |
	       (uint64_t)(saved ? (uint16_t)rules->fp.offset : 0) << 16 |
	       (uint64_t)(uint32_t)rules->cfa_offset << 32;
}

static struct known_rule *known_slot(uint64_t pc)
{
	return &known[lp_hash64(pc) % lp_array_size(known)];
}

/* The packed rule of a frame met before, or 0. */
static uint64_t known_rules(uint64_t pc)
{
	const struct known_rule *slot = known_slot(pc);
	uint64_t packed = __atomic_load_n(&slot->packed, __ATOMIC_RELAXED);

	return (__atomic_load_n(&slot->check, __ATOMIC_RELAXED) ^ packed) == pc ? packed : 0;
}

static bool learn_rules(uint64_t pc, struct rules *rules, bool *signal)
{
	struct known_rule *slot = known_slot(pc);
	uint64_t packed;

	*signal = false;
	/* a return address belongs to the call before it, unless a signal handler returns to it */
	if (!find_rules(pc - 1, rules, signal) &&
	    (!find_rules(pc, rules, signal) || !*signal))
		return false;
	packed = *signal ? 0 : pack(rules);
	if (packed) {
		__atomic_store_n(&slot->packed, packed, __ATOMIC_RELAXED);
		__atomic_store_n(&slot->check, pc ^ packed, __ATOMIC_RELAXED);
	}
	return true;
}

void lp_unwind_forget(void)
{
	for (size_t i = 0; i < lp_array_size(known); i++)
		__atomic_store_n(&known[i].packed, 0, __ATOMIC_RELAXED);
}

/* Stacks grow down; a frame that does not is nonsense. */
static bool grows(uint64_t sp, uint64_t cfa)
{
	return cfa > sp && cfa - sp <= STEP_MAX;
}

/* The common case: everything is in the packed rule. */
static bool step_known(struct lp_cursor *cursor, uint64_t packed, uint64_t stack_end)
{
	uint64_t cfa = (packed & 2 ? cursor->fp : cursor->sp) +
		       (uint64_t)(int64_t)(int32_t)(packed >> 32);
	uint64_t fp = cursor->fp, pc;

	if (!grows(cursor->sp, cfa) || !load(cfa - 8, cursor->sp, stack_end, &pc) || pc < 4096)
		return false;
	if ((packed & 4) && !load(cfa + (uint64_t)(int64_t)(int16_t)(packed >> 16), cursor->sp,
				  stack_end, &fp))
		fp = 0;
	*cursor = (struct lp_cursor){ pc, cfa, fp };
	return true;
}

bool lp_unwind_step(struct lp_cursor *cursor, uint64_t stack_end)
{
	uint64_t packed = known_rules(cursor->pc);
	struct lp_cursor caller = *cursor;
	struct rules rules;
	uint64_t cfa;
	bool signal;

	if (lp_likely(packed))
		return step_known(cursor, packed, stack_end);
	if (!learn_rules(cursor->pc, &rules, &signal))
		return false;
	switch (rules.cfa) {
	case CFA_SP:
		cfa = cursor->sp + (uint64_t)rules.cfa_offset;
		break;
	case CFA_FP:
		cfa = cursor->fp + (uint64_t)rules.cfa_offset;
		break;
	default:
		if (!evaluate(rules.cfa_expression, cursor, 0, stack_end, &cfa))
			return false;
	}
	/* only a signal frame may lead to another stack */
	if (!signal && !grows(cursor->sp, cfa))
		return false;
	if (!find_place(&rules.ra, cursor, cfa, stack_end, &caller.pc) || caller.pc < 4096)
		return false;
	if (!find_place(&rules.fp, cursor, cfa, stack_end, &caller.fp))
		caller.fp = 0;
	caller.sp = cfa;
	*cursor = caller;
	return true;
}

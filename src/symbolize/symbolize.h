/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symbolize.h — address in a module to function, file, line and inline frames (elfutils).
 *
 * Works offline from the module's file, checked against its build id, and from separate debug
 * files. One thread at a time. Results live as long as the symbolizer.
 */
#ifndef LP_SYMBOLIZE_H
#define LP_SYMBOLIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lp_symbolizer;

/* One line of a stack. An address inside inlined code gives several, innermost first. */
struct lp_symbol {
	const char	*function;	/* demangled, as c++filt prints it; NULL: unknown */
	const char	*file;		/* as a person would open it; NULL: unknown */
	uint32_t	line;		/* 0: unknown */
	uint32_t	column;
	bool		inlined;	/* into the next one */
	uint64_t	function_offset;	/* of the address in the (outer) function */
	uint64_t	function_size;		/* 0: unknown */
	int		module;		/* handle of the module it is in; -1: none */
	bool		trampoline;	/* where signal handlers return to: the frame after it was
					   interrupted at its address, which no call precedes */
};

struct lp_symbols {
	const struct lp_symbol *at;
	size_t		count;		/* at least 1; at[count-1] is not inlined */
};

struct lp_symbolizer *lp_symbolizer_create(void);	/* NULL when memory is short */
void lp_symbolizer_destroy(struct lp_symbolizer *symbolizer);

/*
 * Declare a module and get its handle (>= 0, the same for equal arguments), or -ENOMEM.
 * A missing file, or one whose build id differs, gives unknown symbols, never wrong ones. Size 0
 * says that the module has no build id: a file that has one is another file. A path that is not
 * absolute ("linux-vdso.so.1") names no file.
 */
int lp_symbolizer_module(struct lp_symbolizer *symbolizer, const char *path,
			 const uint8_t *build_id, size_t build_id_size);

/*
 * Symbols of the code at `offset` (ELF address) of the module. For a return address pass
 * return_address = true: the call before it is what is looked up. Answers are cached.
 */
struct lp_symbols lp_symbolize(struct lp_symbolizer *symbolizer, int module, uint64_t offset,
			       bool return_address);

/*
 * Name of the data object at `offset`: "table_lock", "pool+0x28", with debug info also
 * "pool.lock" or "locks[3]"; NULL when there is none.
 */
const char *lp_symbolize_data(struct lp_symbolizer *symbolizer, int module, uint64_t offset);

/*
 * What the source calls the lock in the call at `symbol` (file and line must be known): the first
 * argument of an init or lock call ("&q->lock"), or the object of .lock(), lock_guard g(x),
 * unique_lock, scoped_lock, shared_lock ("m_"). At most 80 bytes. NULL when the source is not
 * there, was changed after the module was built, says nothing, or leaves a choice.
 */
const char *lp_symbolize_lock_argument(struct lp_symbolizer *symbolizer,
				       const struct lp_symbol *symbol);

#endif

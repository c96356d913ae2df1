/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object.h — one ELF file: is it the right one, its symbol table, where its debug info is.
 *
 * Addresses are ELF addresses of the file (what `readelf -s` prints). Never asks the network:
 * debug files come from this machine, and only those that carry the file's build id.
 */
#ifndef LP_SYMBOLIZE_OBJECT_H
#define LP_SYMBOLIZE_OBJECT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <elfutils/libdwfl.h>

#include "symbolize/ranges.h"

enum lp_object_kind { LP_OBJECT_CODE, LP_OBJECT_DATA, LP_OBJECT_KIND_COUNT };

struct lp_object_symbol {
	const char	*name;		/* as in the table: mangled, with version suffix */
	uint64_t	low, high;
};

struct lp_object {
	Dwfl		*dwfl;
	Dwfl_Module	*module;
	uint64_t	bias;		/* Dwfl address - ELF address */
	struct timespec	modified;	/* of the file */
	const unsigned char *code;	/* bytes of the segment that was asked for last */
	uint64_t	code_low, code_size;
	int		symbols_read;	/* 0: not yet */
	const char	**names;	/* what the ranges' index means */
	struct lp_ranges sized[LP_OBJECT_KIND_COUNT];	/* symbols that know their size */
	struct lp_ranges labels[LP_OBJECT_KIND_COUNT];	/* symbols that do not */
};

/*
 * Open the regular file `path` (absolute) if it is an executable or a shared object with this
 * build id (size 0: with none). 0, -ESTALE when the build id differs, -ENOEXEC when it is no such
 * object, another negative errno when it cannot be read. On failure nothing is to be closed.
 */
int lp_object_open(struct lp_object *object, const char *path, const uint8_t *build_id,
		   size_t build_id_size);
void lp_object_close(struct lp_object *object);

/* The symbol at `address`; reads the symbol table when called first. False: there is none. */
_Bool lp_object_find(struct lp_object *object, enum lp_object_kind kind, uint64_t address,
		     struct lp_object_symbol *symbol);

/* Does the code at `address` start with these bytes? */
_Bool lp_object_code_is(struct lp_object *object, uint64_t address, const void *bytes, size_t size);

/* Its debug info, own or separate; NULL: none. DWARF address = ELF address + *shift. */
Dwarf *lp_object_dwarf(struct lp_object *object, uint64_t *shift);

#endif

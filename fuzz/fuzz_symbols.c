/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_symbols.c — any bytes as an ELF file with debug info: the symbolizer answers or does not
 * know, and every answer has the form its contract promises.
 */
#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbolize/build_id.h"
#include "symbolize/symbolize.h"

#define INPUT_MAX	(1u << 20)
#define SEGMENTS	4u
#define PLACES		48u

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_symbols: %s\n", what);
	abort();
}

static void ask(struct lp_symbolizer *symbolizer, int module, uint64_t offset, bool back)
{
	struct lp_symbols symbols = lp_symbolize(symbolizer, module, offset, back);
	struct lp_symbols again = lp_symbolize(symbolizer, module, offset, back);
	const char *data = lp_symbolize_data(symbolizer, module, offset);
	size_t i;

	require(symbols.count >= 1, "no symbol at all");
	require(symbols.at == again.at && symbols.count == again.count, "another answer");
	require(!symbols.at[symbols.count - 1].inlined, "the last one is inlined");
	for (i = 0; i < symbols.count; i++) {
		require(i + 1 == symbols.count || symbols.at[i].inlined, "one is not inlined");
		lp_symbolize_lock_argument(symbolizer, &symbols.at[i]);
	}
	require(!data || *data, "an empty name");
}

/* Ask all over the first segments that the file claims to have. */
static void ask_segments(struct lp_symbolizer *symbolizer, int module, const uint8_t *data,
			 size_t size)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	uint64_t at, i;

	if (size < sizeof(header))
		return;
	memcpy(&header, data, sizeof(header));
	for (at = header.e_phoff, i = 0; i < SEGMENTS && at < size && size - at >= sizeof(segment);
	     i++, at += sizeof(segment)) {
		memcpy(&segment, data + at, sizeof(segment));
		for (uint64_t j = 0; j < PLACES; j++)
			ask(symbolizer, module, segment.p_vaddr + segment.p_memsz / PLACES * j,
			    j % 2 == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lp_symbolizer *symbolizer;
	uint8_t build_id[64];
	char path[64];
	int fd, module;

	if (size > INPUT_MAX)
		return 0;
	fd = memfd_create("fuzz_symbols", MFD_CLOEXEC);
	symbolizer = lp_symbolizer_create();
	if (fd >= 0 && symbolizer && write(fd, data, size) == (ssize_t)size) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		module = lp_symbolizer_module(symbolizer, path, build_id,
					      read_build_id(path, build_id, sizeof(build_id)));
		ask_segments(symbolizer, module, data, size);
	}
	lp_symbolizer_destroy(symbolizer);
	if (fd >= 0)
		close(fd);
	return 0;
}

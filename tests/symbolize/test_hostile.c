/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_hostile — damaged ELF files: test_hostile PROGRAM
 *
 * Cut off at 200 places, and with bytes changed at random. Nothing may crash or hang; a file that
 * was only cut off may know less, but nothing else than the whole file.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build_id.h"
#include "symbolize/symbolize.h"

#define ADDRESSES	40
#define CUTS		200
#define CHANGES		400

static const char *program;
static char *bytes;
static size_t byte_count;
static uint8_t build_id[64];
static size_t build_id_size;
static uint64_t code_low, code_high, data_low, data_high;
static char damaged[] = "/tmp/lp-hostile-XXXXXX";

static int read_program(void **state)
{
	FILE *in = fopen(program, "r");
	const Elf64_Ehdr *header;
	const Elf64_Phdr *segment;
	int i;

	assert_non_null(in);
	fseek(in, 0, SEEK_END);
	byte_count = (size_t)ftell(in);
	rewind(in);
	bytes = malloc(byte_count);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, byte_count, in), byte_count);
	fclose(in);
	build_id_size = read_build_id(program, build_id, sizeof(build_id));
	assert_true(build_id_size > 0);
	header = (const Elf64_Ehdr *)bytes;
	segment = (const Elf64_Phdr *)(bytes + header->e_phoff);
	for (i = 0; i < header->e_phnum; i++, segment++) {
		if (segment->p_type != PT_LOAD)
			continue;
		if (segment->p_flags & PF_X) {
			code_low = segment->p_vaddr;
			code_high = code_low + segment->p_memsz;
		} else if (segment->p_flags & PF_W) {
			data_low = segment->p_vaddr;
			data_high = data_low + segment->p_memsz;
		}
	}
	i = mkstemp(damaged);
	assert_true(i >= 0);
	close(i);
	return 0;
}

static int forget_program(void **state)
{
	unlink(damaged);
	free(bytes);
	return 0;
}

static uint64_t place(uint64_t low, uint64_t high, int i)
{
	return low + (high - low) / ADDRESSES * (uint64_t)i + 1;
}

static void write_damaged(const char *content, size_t size)
{
	FILE *out = fopen(damaged, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(content, 1, size, out), size);
	assert_int_equal(fclose(out), 0);
}

/* Ask about everything; `whole` (may be NULL) is what the undamaged file says. */
static int ask_all(struct lp_symbolizer *whole, int whole_module)
{
	struct lp_symbolizer *symbolizer = lp_symbolizer_create();
	int module = lp_symbolizer_module(symbolizer, damaged, build_id, build_id_size);
	int known = 0, i;

	for (i = 0; i < ADDRESSES; i++) {
		uint64_t code = place(code_low, code_high, i);
		struct lp_symbols got = lp_symbolize(symbolizer, module, code, true);
		const char *function = got.at[got.count - 1].function;
		const char *data = lp_symbolize_data(symbolizer, module,
						     place(data_low, data_high, i));

		assert_true(got.count >= 1);
		lp_symbolize_lock_argument(symbolizer, got.at);
		known += function != NULL;
		if (whole && function) {
			struct lp_symbols want = lp_symbolize(whole, whole_module, code, true);

			assert_non_null(want.at[want.count - 1].function);
			assert_string_equal(function, want.at[want.count - 1].function);
		}
		if (data)
			assert_true(strlen(data) > 0);
	}
	lp_symbolizer_destroy(symbolizer);
	return known;
}

static void test_cut(void **state)
{
	struct lp_symbolizer *whole = lp_symbolizer_create();
	int module = lp_symbolizer_module(whole, program, build_id, build_id_size);
	int i;

	write_damaged(bytes, byte_count);
	assert_true(ask_all(whole, module) > ADDRESSES / 4);
	for (i = 0; i < CUTS; i++) {
		write_damaged(bytes, byte_count / CUTS * (size_t)i);
		ask_all(whole, module);
	}
	for (i = 0; i < 80; i++) { /* in the ELF header, and at the very end */
		write_damaged(bytes, (size_t)i);
		assert_int_equal(ask_all(whole, module), 0);
		write_damaged(bytes, byte_count - (size_t)i);
		ask_all(whole, module);
	}
	lp_symbolizer_destroy(whole);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* A byte somewhere, more often where it hurts: headers, section table, debug info. */
static size_t random_offset(uint64_t *seed)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)bytes;

	switch (next_random(seed) % 4) {
	case 0:
		return next_random(seed) % 1024;
	case 1:
		return header->e_shoff +
		       next_random(seed) % (header->e_shnum * sizeof(Elf64_Shdr));
	case 2:
		return byte_count / 2 + next_random(seed) % (byte_count / 2);
	default:
		return next_random(seed) % byte_count;
	}
}

static void test_changed(void **state)
{
	const char *given = getenv("LP_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : 0xfeedfaceULL;
	char *copy = malloc(byte_count);
	int round, known = 0;

	assert_non_null(copy);
	print_message("seed %llu (repeat with LP_SEED)\n", (unsigned long long)seed);
	for (round = 0; round < CHANGES; round++) {
		uint64_t count = 1 + next_random(&seed) % 60;

		memcpy(copy, bytes, byte_count);
		while (count--)
			copy[random_offset(&seed)] = (char)next_random(&seed);
		write_damaged(copy, byte_count);
		known += ask_all(NULL, 0) > 0;
	}
	assert_true(known > 0); /* else the test has only shown that nothing is read */
	free(copy);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_changed),
	};

	if (argc != 2 || !(program = realpath(argv[1], NULL)))
		return 2;
	return cmocka_run_group_tests(tests, read_program, forget_program);
}

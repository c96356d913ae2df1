/* SPDX-License-Identifier: Apache-2.0 */
/* test_parts — ranges against a naive twin, strings, names and paths; libc by its debug file. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stddef.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build_id.h"
#include "symbolize/names.h"
#include "symbolize/ranges.h"
#include "symbolize/strings.h"
#include "symbolize/symbolize.h"

/* ---- ranges ---- */

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Of all that hold the address: the last start, then the highest rank. */
static const struct lp_range *naive_find(const struct lp_range *range, size_t count, uint64_t at)
{
	const struct lp_range *best = NULL;
	size_t i;

	for (i = 0; i < count; i++)
		if (range[i].low <= at && at < range[i].high &&
		    (!best || range[i].low > best->low ||
		     (range[i].low == best->low && range[i].rank > best->rank)))
			best = &range[i];
	return best;
}

static void random_ranges(uint64_t *seed)
{
	struct lp_range twin[60];
	struct lp_ranges ranges = { NULL };
	size_t count = next_random(seed) % 60, i;
	uint64_t space = 1 + next_random(seed) % 300, at;

	for (i = 0; i < count; i++) {
		uint64_t low = next_random(seed) % space;

		twin[i] = (struct lp_range){ low, low + next_random(seed) % 40, 0,
					     (uint32_t)(next_random(seed) % 3), (uint32_t)i };
		assert_int_equal(lp_ranges_add(&ranges, twin[i].low, twin[i].high, twin[i].rank,
					       twin[i].index), 0);
	}
	lp_ranges_sort(&ranges);
	for (at = 0; at < space + 50; at++) {
		const struct lp_range *want = naive_find(twin, count, at);
		const struct lp_range *got = lp_ranges_find(&ranges, at);

		assert_int_equal(got == NULL, want == NULL);
		if (!want)
			continue;
		assert_int_equal(got->low, want->low);
		assert_int_equal(got->rank, want->rank);
		assert_true(got->high > at);
		assert_true(lp_ranges_below(&ranges, at)->low >= got->low);
	}
	lp_ranges_finish(&ranges);
}

static void test_ranges(void **state)
{
	const char *given = getenv("LP_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : 0x123456789abcdefULL;
	int round;

	print_message("seed %llu (repeat with LP_SEED)\n", (unsigned long long)seed);
	for (round = 0; round < 2000; round++)
		random_ranges(&seed);
}

/* ---- strings and names ---- */

static void test_strings(void **state)
{
	struct lp_strings strings = { NULL };
	const char *kept[2000];
	char text[40];
	size_t i;

	for (i = 0; i < 2000; i++) {
		snprintf(text, sizeof(text), "string %zu", i);
		kept[i] = lp_strings_intern(&strings, text);
		assert_string_equal(kept[i], text);
	}
	for (i = 0; i < 2000; i++) {
		snprintf(text, sizeof(text), "string %zu", i);
		assert_ptr_equal(lp_strings_intern(&strings, text), kept[i]);
	}
	assert_string_equal(lp_strings_intern(&strings, ""), "");
	assert_int_equal((uintptr_t)lp_strings_alloc(&strings, 3) % _Alignof(max_align_t), 0);
	memset(lp_strings_alloc(&strings, 1 << 20), 1, 1 << 20);
	assert_null(lp_strings_alloc(&strings, SIZE_MAX));
	lp_strings_finish(&strings);
}

static void test_names(void **state)
{
	static const char *const demangled[][2] = {
		{ "main", "main" },
		{ "read@@GLIBC_2.2.5", "read" },
		{ "read@GLIBC_2.2.5", "read" },
		{ "_ZN1q4pushEi", "q::push(int)" },
		{ "_ZNSt5mutex4lockEv", "std::mutex::lock()" },
		{ "_ZN5QueueC4Ei", "Queue::Queue(int)" },
		{ "_Z", "_Z" },
		{ "_Znonsense", "_Znonsense" },
		{ "_start", "_start" },
		{ "scan.isra.0", "scan" },
		{ "scan.part.0.constprop.1", "scan" },
		{ "scan.cold", "scan" },
		{ "scan.c", "scan.c" },
		{ ".cold", ".cold" },
		{ "_ZN1q4pushEi.isra.0", "q::push(int)" },
		{ "", "" },
	};
	static const char *const data[][2] = {
		{ "lock.0", "lock" },
		{ "table.12345", "table" },
		{ "lock.x", "lock.x" },
		{ "lock.", "lock." },
		{ ".0", ".0" },
		{ "stdout@GLIBC_2.2.5", "stdout" },
		{ "_ZN12_GLOBAL__N_14lockE", "lock" },
		{ "_ZN4bank12_GLOBAL__N_16secretE", "bank::secret" },
		{ "_ZZ4nextvE4lock", "next()::lock" },
	};
	struct lp_strings strings = { NULL };
	size_t i;

	for (i = 0; i < sizeof(demangled) / sizeof(demangled[0]); i++)
		assert_string_equal(lp_name_demangle(&strings, demangled[i][0]), demangled[i][1]);
	for (i = 0; i < sizeof(data) / sizeof(data[0]); i++)
		assert_string_equal(lp_name_data(&strings, data[i][0]), data[i][1]);
	lp_strings_finish(&strings);
}

static void test_paths(void **state)
{
	static const char *const paths[][2] = {
		{ "/a/b.c", "/a/b.c" },
		{ "/a//b/./c.c", "/a/b/c.c" },
		{ "/nowhere/build/../src/x.c", "/nowhere/src/x.c" },
		{ "/nowhere/a/b/../../x.c", "/nowhere/x.c" },
		{ "/../x.c", "/../x.c" },
		{ "./x.c", "x.c" },
		{ "../x.c", "../x.c" },
		{ "../../lib/../x.c", "../../x.c" },
		{ "a/../x.c", "x.c" },
		{ "a/../../x.c", "../x.c" },
		{ "..a/b", "..a/b" },
		{ "/", "/" },
		{ "", "" },
	};
	struct lp_strings strings = { NULL };
	char folder[] = "/tmp/lp-parts-XXXXXX", path[256], want[256];
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_string_equal(lp_name_path(&strings, paths[i][0]), paths[i][1]);

	/* a/link/../x.c is inside real, not inside a: then the path must stay as it is */
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "mkdir -p %s/a %s/real/in && ln -s ../real/in %s/a/link && "
		 ": > %s/real/x.c", folder, folder, folder, folder);
	assert_int_equal(system(path), 0);
	snprintf(path, sizeof(path), "%s/a/link/../x.c", folder);
	assert_string_equal(lp_name_path(&strings, path), path);
	snprintf(path, sizeof(path), "%s/a/../real/x.c", folder);
	snprintf(want, sizeof(want), "%s/real/x.c", folder);
	assert_string_equal(lp_name_path(&strings, path), want);
	snprintf(path, sizeof(path), "rm -r %s", folder);
	assert_int_equal(system(path), 0);
	lp_strings_finish(&strings);
}

/* ---- a library of the system ---- */

struct library {
	uintptr_t	address;	/* in */
	char		path[4096];
	uintptr_t	bias;
};

static int find_library(struct dl_phdr_info *info, size_t size, void *context)
{
	struct library *library = context;
	unsigned int i;

	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

		if (segment->p_type == PT_LOAD &&
		    library->address - info->dlpi_addr - segment->p_vaddr < segment->p_memsz) {
			if (!realpath(info->dlpi_name, library->path))
				library->path[0] = '\0';
			library->bias = info->dlpi_addr;
			return 1;
		}
	}
	return 0;
}

/* Where Debian's libc6-dbg puts the debug file of a build id. */
static void debug_file_name(const uint8_t *id, size_t id_size, char *name)
{
	size_t i;

	name += sprintf(name, "/usr/lib/debug/.build-id/%02x/", id[0]);
	for (i = 1; i < id_size; i++)
		name += sprintf(name, "%02x", id[i]);
	strcpy(name, ".debug");
}

static void test_libc(void **state)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW);
	struct library library = { .address = (uintptr_t)dlsym(libc, "pthread_mutex_lock") };
	struct lp_symbolizer *symbolizer;
	char debug_file[256];
	struct lp_symbols at;
	uint8_t id[64];
	size_t id_size;
	int module;

	assert_int_equal(dl_iterate_phdr(find_library, &library), 1);
	id_size = read_build_id(library.path, id, sizeof(id));
	if (id_size < 2) {
		print_message("libc has no build id\n");
		skip();
	}
	symbolizer = lp_symbolizer_create();
	module = lp_symbolizer_module(symbolizer, library.path, id, id_size);
	at = lp_symbolize(symbolizer, module, library.address - library.bias, false);
	assert_non_null(at.at[at.count - 1].function);
	assert_string_equal(at.at[at.count - 1].function, "pthread_mutex_lock");
	assert_int_equal(at.at->function_offset, 0);
	assert_true(at.at->function_size > 16);
	debug_file_name(id, id_size, debug_file);
	if (access(debug_file, R_OK) == 0) {
		assert_non_null(at.at->file);
		assert_non_null(strstr(at.at->file, "nptl/pthread_mutex_lock.c"));
		assert_null(strstr(at.at->file, "nptl/nptl"));
		assert_true(at.at->line > 0);
	} else {
		print_message("no %s: libc's lines were not checked\n", debug_file);
	}
	lp_symbolizer_destroy(symbolizer);
	dlclose(libc);
}

static uintptr_t handler_returns_to;

static void on_signal(int signal)
{
	handler_returns_to = (uintptr_t)__builtin_return_address(0);
}

/* Whether libc's symbols are there or not; the address alone is no return address. */
static void test_trampoline(void **state)
{
	struct lp_symbolizer *symbolizer;
	struct library library = { 0 };
	struct lp_symbols at;
	uint8_t id[64];
	int module;

	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	library.address = handler_returns_to;
	assert_int_equal(dl_iterate_phdr(find_library, &library), 1);
	symbolizer = lp_symbolizer_create();
	module = lp_symbolizer_module(symbolizer, library.path, id,
				      read_build_id(library.path, id, sizeof(id)));
	at = lp_symbolize(symbolizer, module, library.address - library.bias, true);
	assert_int_equal(at.count, 1);
	assert_true(at.at->trampoline);
	assert_string_equal(at.at->function, "<signal handler called>");
	assert_int_equal(at.at->module, module);
	for (int distance = -9; distance < 10; distance++) {
		at = lp_symbolize(symbolizer, module,
				  library.address - library.bias + (uint64_t)distance,
				  distance != 0);
		assert_false(at.at->trampoline);
	}
	lp_symbolizer_destroy(symbolizer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges), cmocka_unit_test(test_strings),
		cmocka_unit_test(test_names),  cmocka_unit_test(test_paths),
		cmocka_unit_test(test_libc),   cmocka_unit_test(test_trampoline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

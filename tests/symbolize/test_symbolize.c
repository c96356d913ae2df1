/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_symbolize — run a target program, symbolize what it says about itself, compare.
 *
 * test_symbolize TARGET SOURCE full|mapped|names|bare
 *   full:  debug info, own or separate: functions, inlining, lines, data and lock names
 *   mapped: the same, but the build took its folder out of all paths
 *   names: a symbol table only
 *   bare:  neither: nothing may be known, and nothing wrong be said
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build_id.h"
#include "symbolize/symbolize.h"

#define RECORDS_MAX	64
#define FRAMES_MAX	32
#define LINES_MAX	1000

static const char *target, *source;
static enum { FULL, MAPPED, NAMES, BARE } variant;

/* ---- what the target says ---- */

static struct record {
	char		kind[8], name[64], base[64];
	uint64_t	delta, address[FRAMES_MAX];
	size_t		count;
} records[RECORDS_MAX];
static size_t record_count;

static void parse_record(char *line)
{
	struct record *record = &records[record_count++];
	char *word, *end;

	assert_in_range(record_count, 1, RECORDS_MAX);
	snprintf(record->kind, sizeof(record->kind), "%s", strtok(line, " \n"));
	snprintf(record->name, sizeof(record->name), "%s", strtok(NULL, " \n"));
	if (strcmp(record->kind, "data") == 0) {
		snprintf(record->base, sizeof(record->base), "%s", strtok(NULL, " \n"));
		record->delta = strtoull(strtok(NULL, " \n"), &end, 16);
	}
	while ((word = strtok(NULL, " \n")) && record->count < FRAMES_MAX)
		record->address[record->count++] = strtoull(word, &end, 16);
	assert_true(record->count > 0);
}

static int run_target(void **state)
{
	char line[1024];
	FILE *out = popen(target, "r");

	assert_non_null(out);
	while (fgets(line, sizeof(line), out))
		parse_record(line);
	assert_int_equal(pclose(out), 0);
	assert_in_range(record_count, 15, RECORDS_MAX);
	return 0;
}

static const struct record *find_record(const char *name)
{
	size_t i;

	for (i = 0; i < record_count; i++)
		if (strcmp(records[i].name, name) == 0)
			return &records[i];
	fail_msg("the target has no probe %s", name);
	return NULL;
}

/* ---- what the source says ---- */

static uint32_t mark_line(const char *mark)
{
	FILE *in = fopen(source, "r");
	char text[512], want[64];
	uint32_t line = 0, found = 0;
	size_t size;

	assert_non_null(in);
	size = (size_t)snprintf(want, sizeof(want), " MARK %s", mark);
	while (fgets(text, sizeof(text), in)) {
		char *at = strstr(text, want);

		line++;
		if (at && strchr(" \n", at[size])) {
			assert_int_equal(found, 0);
			found = line;
		}
	}
	fclose(in);
	if (!found)
		fail_msg("%s has no MARK %s", source, mark);
	return found;
}

/* ---- what is expected ---- */

struct frame {
	const char	*function, *mark;
	bool		inlined;
};

struct expectation {
	const char	*probe;
	const char	*argument;	/* of the first frame's line; NULL: none */
	struct frame	frames[4];
};

static const struct expectation c_code[] = {
	{ "leaf", NULL,
	  { { "leaf", "leaf", true }, { "middle", "middle", true }, { "outer", "outer", false } } },
	{ "leaf-again", NULL,
	  { { "leaf", "leaf", true },
	    { "middle", "middle-again", true },
	    { "outer", "outer", false } } },
	{ "straight", NULL, { { "straight", "straight", false } } },
	{ "last", NULL, { { "straight", "straight", false } } },
	{ "noreturn", NULL, { { "never_returns", "noreturn", false } } },
	{ "init", "&q->lock", { { "init_queue", "init", false } } },
	{ "multi", "&q->other", { { "init_queue", "multi", false } } },
	{ "spin", "&q->spin", { { "init_queue", "spin", false } } },
	{ "pair1", "&q->lock", { { "use_queue", "pair", false } } },
	{ "pair2", "&q->other", { { "use_queue", "pair", false } } },
	{ "macro", NULL, { { "use_queue", "macro", false } } },
	{ "macro-pair", NULL, { { "use_queue", "macro-pair", false } } },
	{ "comment", "&q->lock", { { "use_queue", "comment", false } } },
	{ "string", "&q->lock", { { "use_queue", "string", false } } },
	{ "index", "&q->rw[i*2]", { { "use_queue", "index", false } } },
	{ "condition", "&q->other", { { "use_queue", "condition", false } } },
	{ "deep", "&(&tables[i])->either.rw", { { "use_queue", "deep", false } } },
	{ NULL },
};

#define LOCKS	"bank::ledger::locks(bank::account&)"
#define GUARDS	"bank::ledger::guards(bank::account&, bank::account&)"
#define SHARED	"void bank::ledger::shared<std::shared_mutex>(std::shared_mutex&)"

static const struct expectation cpp_code[] = {
	{ "member", "a.lock", { { LOCKS, "member", false } } },
	{ "plain", "m_", { { LOCKS, "plain", false } } },
	{ "arrow", "(&a)->lock", { { LOCKS, "arrow", false } } },
	{ "index", "all_[a.balance+1]", { { LOCKS, "index", false } } },
	{ "this", "m_", { { LOCKS, "this", false } } },
	{ "oneline1", "m_", { { LOCKS, "oneline", false } } },
	{ "oneline2", "a.lock", { { LOCKS, "oneline", false } } },
	{ "static", "ledger::global", { { LOCKS, "static", false } } },
	{ "guard", "a.lock", { { GUARDS, "guard", false } } },
	{ "brace", "b.lock", { { GUARDS, "brace", false } } },
	{ "defer", "m_", { { GUARDS, "defer", false } } },
	{ "temporary", "all_[0]", { { GUARDS, "temporary", false } } },
	{ "scoped", "all_[1]", { { GUARDS, "scoped", false } } },
	{ "same-field", "a.lock", { { GUARDS, "same-field", false } } },
	{ "auto", "all_[2]", { { GUARDS, "auto", false } } },
	{ "writer", "m", { { SHARED, "writer", false } } },
	{ "reader", "m", { { SHARED, "reader", false } } },
	{ "nameless", NULL, { { "bank::(anonymous namespace)::nameless()", "nameless", false } } },
	{ "lambda", NULL, { { "main::{lambda()#1}::operator()() const", "lambda", false } } },
	{ NULL },
};

/* ---- comparing ---- */

static struct lp_symbolizer *symbolizer;
static int module;

static int open_target(void **state)
{
	uint8_t id[64];
	size_t size = read_build_id(target, id, sizeof(id));

	assert_true(size > 0);
	symbolizer = lp_symbolizer_create();
	assert_non_null(symbolizer);
	module = lp_symbolizer_module(symbolizer, target, id, size);
	assert_true(module >= 0);
	assert_int_equal(lp_symbolizer_module(symbolizer, target, id, size), module);
	return 0;
}

static int close_target(void **state)
{
	lp_symbolizer_destroy(symbolizer);
	return 0;
}

static bool from_library(const struct lp_symbol *symbol)
{
	return symbol->file && strstr(symbol->file, "/c++/");
}

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* All lines of a stack, without those of the C++ library that come first. */
static size_t flatten(const struct record *record, const struct lp_symbol **lines)
{
	size_t count = 0, i, j;

	for (i = 0; i < record->count; i++) {
		struct lp_symbols at = lp_symbolize(symbolizer, module, record->address[i], true);

		assert_true(at.count >= 1);
		assert_false(at.at[at.count - 1].inlined);
		for (j = 0; j < at.count; j++) {
			assert_true(j + 1 == at.count || at.at[j].inlined);
			if (count || !from_library(&at.at[j]))
				lines[count++] = &at.at[j];
			assert_in_range(count, 0, LINES_MAX - 1);
		}
	}
	return count;
}

static void check_full(const struct expectation *expect)
{
	const struct lp_symbol *lines[LINES_MAX];
	size_t count = flatten(find_record(expect->probe), lines), i;
	const char *argument;

	for (i = 0; expect->frames[i].mark; i++) {
		const struct frame *frame = &expect->frames[i];

		assert_true(i < count);
		assert_non_null(lines[i]->function);
		/* compilers differ in how they call a lambda, not in where it is */
		if (!strstr(frame->function, "lambda"))
			assert_string_equal(lines[i]->function, frame->function);
		assert_non_null(lines[i]->file);
		assert_string_equal(lines[i]->file, variant == MAPPED ? base_name(source) : source);
		if (lines[i]->line != mark_line(frame->mark))
			fail_msg("%s: line %u, not MARK %s", expect->probe, lines[i]->line,
				 frame->mark);
		assert_int_equal(lines[i]->inlined, frame->inlined);
		assert_true(lines[i]->function_offset > 0);
		assert_true(lines[i]->function_offset <= lines[i]->function_size);
	}
	argument = lp_symbolize_lock_argument(symbolizer, lines[0]);
	if (variant == MAPPED)
		assert_null(argument); /* nobody knows where the file is */
	else if (expect->argument ? !argument || strcmp(argument, expect->argument) != 0
			     : argument != NULL)
		fail_msg("%s: lock argument %s, not %s (column %u)", expect->probe,
			 argument ? argument : "NULL",
			 expect->argument ? expect->argument : "NULL", lines[0]->column);
}

/* With symbols alone only the outermost function of the first address is known. */
static void check_names(const struct expectation *expect)
{
	struct lp_symbols at = lp_symbolize(symbolizer, module,
					    find_record(expect->probe)->address[0], true);
	size_t i = 0;

	while (expect->frames[i].inlined)
		i++;
	assert_int_equal(at.count, 1);
	assert_null(at.at->file);
	assert_int_equal(at.at->line, 0);
	assert_null(lp_symbolize_lock_argument(symbolizer, at.at));
	assert_non_null(at.at->function);
	if (strncmp(at.at->function, "std::", 5) != 0 && !strstr(at.at->function, "lambda") &&
	    strncmp(at.at->function, "void std::", 10) != 0)
		assert_string_equal(at.at->function, expect->frames[i].function);
	assert_in_range(at.at->function_offset, 1, at.at->function_size);
}

static void check_bare(const struct expectation *expect)
{
	struct lp_symbols at = lp_symbolize(symbolizer, module,
					    find_record(expect->probe)->address[0], true);

	assert_int_equal(at.count, 1);
	assert_null(at.at->function);
	assert_null(at.at->file);
	assert_null(lp_symbolize_lock_argument(symbolizer, at.at));
}

static bool is_cpp(void)
{
	return strcmp(source + strlen(source) - 4, ".cpp") == 0;
}

static void test_code(void **state)
{
	const struct expectation *expect = is_cpp() ? cpp_code : c_code;

	for (; expect->probe; expect++) {
		if (variant <= MAPPED)
			check_full(expect);
		else if (variant == NAMES)
			check_names(expect);
		else
			check_bare(expect);
	}
}

static void test_data(void **state)
{
	char want[128];
	size_t i, checked = 0;

	for (i = 0; i < record_count; i++) {
		const struct record *record = &records[i];
		const char *name;

		if (strcmp(record->kind, "data") != 0)
			continue;
		checked++;
		name = lp_symbolize_data(symbolizer, module, record->address[0]);
		if (variant == BARE) {
			assert_null(name);
			continue;
		}
		if (variant <= MAPPED)
			snprintf(want, sizeof(want), "%s", record->name);
		else if (record->delta)
			snprintf(want, sizeof(want), "%s+0x%llx", record->base,
				 (unsigned long long)record->delta);
		else
			snprintf(want, sizeof(want), "%s", record->base);
		assert_non_null(name);
		assert_string_equal(name, want);
	}
	assert_in_range(checked, 5, RECORDS_MAX);
}

static void test_entry(void **state)
{
	const struct record *entry;
	struct lp_symbols at, back;

	if (is_cpp())
		return;
	entry = NULL;
	for (size_t i = 0; i < record_count; i++)
		if (strcmp(records[i].kind, "entry") == 0)
			entry = &records[i];
	assert_non_null(entry);
	at = lp_symbolize(symbolizer, module, entry->address[0], false);
	if (variant == BARE) {
		assert_null(at.at->function);
		return;
	}
	assert_string_equal(at.at[at.count - 1].function, "straight");
	assert_int_equal(at.at->function_offset, 0);
	/* as a return address it belongs to whatever comes before, never to this function */
	back = lp_symbolize(symbolizer, module, entry->address[0], true);
	assert_true(!back.at->function || strcmp(back.at->function, "straight") != 0);
}

static void test_cache(void **state)
{
	uint64_t address = find_record(is_cpp() ? "member" : "leaf")->address[0];
	struct lp_symbols a = lp_symbolize(symbolizer, module, address, true);
	struct lp_symbols b;
	uint64_t i;

	for (i = 0; i < 5000; i++)
		lp_symbolize(symbolizer, module, i, (i & 1) != 0);
	b = lp_symbolize(symbolizer, module, address, true);
	assert_ptr_equal(a.at, b.at);
	assert_int_equal(a.count, b.count);
}

/* ---- wrong files ---- */

static void expect_unknown(const char *path, const uint8_t *id, size_t size)
{
	struct lp_symbolizer *other = lp_symbolizer_create();
	int handle = lp_symbolizer_module(other, path, id, size);
	struct lp_symbols at;
	size_t i;

	assert_true(handle >= 0);
	for (i = 0; i < record_count; i++) {
		at = lp_symbolize(other, handle, records[i].address[0], true);
		assert_int_equal(at.count, 1);
		assert_null(at.at->function);
		assert_null(at.at->file);
		assert_int_equal(at.at->line, 0);
		assert_null(lp_symbolize_data(other, handle, records[i].address[0]));
		assert_null(lp_symbolize_lock_argument(other, at.at));
	}
	lp_symbolizer_destroy(other);
}

static void test_wrong_build_id(void **state)
{
	uint8_t id[64] = { 0 };
	size_t size = read_build_id(target, id, sizeof(id));

	id[size - 1] ^= 1;
	expect_unknown(target, id, size);
	id[size - 1] ^= 1;
	expect_unknown(target, id, size - 1);
	expect_unknown(target, id, size + 1);
	expect_unknown(target, NULL, 0);
}

static void test_no_object(void **state)
{
	char fifo[] = "/tmp/lp-symbolize-XXXXXX", path[64];
	uint8_t id[20] = { 1 };

	expect_unknown("/nonexistent/program", id, sizeof(id));
	expect_unknown("", id, sizeof(id));
	expect_unknown("linux-vdso.so.1", id, sizeof(id));
	expect_unknown("/", id, sizeof(id));
	expect_unknown("/dev/zero", id, sizeof(id));
	expect_unknown(source, id, sizeof(id));
	expect_unknown(source, NULL, 0);
	assert_non_null(mkdtemp(fifo));
	snprintf(path, sizeof(path), "%s/fifo", fifo);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_unknown(path, NULL, 0);
	unlink(path);
	rmdir(fifo);
}

static void test_no_module(void **state)
{
	struct lp_symbol nowhere = { .module = -1 };

	assert_null(lp_symbolize(symbolizer, -1, 1, true).at->function);
	assert_null(lp_symbolize(symbolizer, 1000, 1, true).at->function);
	assert_null(lp_symbolize_data(symbolizer, -1, 1));
	assert_null(lp_symbolize_lock_argument(symbolizer, &nowhere));
	assert_null(lp_symbolize(symbolizer, module, UINT64_MAX, false).at->function);
	assert_null(lp_symbolize(symbolizer, module, 0, true).at->function);
	lp_symbolizer_destroy(NULL);
}

/* ---- a source that was changed ---- */

static void copy_file(const char *from, const char *to, time_t modified)
{
	struct timespec times[2] = { { modified, 0 }, { modified, 0 } };
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	int c;

	assert_non_null(in);
	assert_non_null(out);
	while ((c = getc(in)) != EOF)
		putc(c, out);
	fclose(in);
	fclose(out);
	assert_int_equal(utimensat(AT_FDCWD, to, times, 0), 0);
}

static void test_changed_source(void **state)
{
	struct stat st;
	char folder[] = "/tmp/lp-symbolize-XXXXXX", path[64];
	struct lp_symbol symbol = { .module = module };

	assert_int_equal(stat(target, &st), 0);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/source", folder);
	symbol.file = path;
	symbol.line = mark_line(is_cpp() ? "member" : "init");

	copy_file(source, path, st.st_mtime - 1);
	assert_string_equal(lp_symbolize_lock_argument(symbolizer, &symbol),
			    is_cpp() ? "a.lock" : "&q->lock");
	close_target(state);
	open_target(state);
	symbol.module = module;
	copy_file(source, path, st.st_mtime + 1);
	assert_null(lp_symbolize_lock_argument(symbolizer, &symbol));
	unlink(path);
	rmdir(folder);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_code, open_target, close_target),
		cmocka_unit_test_setup_teardown(test_data, open_target, close_target),
		cmocka_unit_test_setup_teardown(test_entry, open_target, close_target),
		cmocka_unit_test_setup_teardown(test_cache, open_target, close_target),
		cmocka_unit_test(test_wrong_build_id),
		cmocka_unit_test(test_no_object),
		cmocka_unit_test_setup_teardown(test_no_module, open_target, close_target),
		cmocka_unit_test_setup_teardown(test_changed_source, open_target, close_target),
	};

	if (argc != 4)
		return 2;
	target = realpath(argv[1], NULL);
	source = realpath(argv[2], NULL);
	if (!target || !source)
		return 2;
	variant = strcmp(argv[3], "full") == 0 ? FULL :
		  strcmp(argv[3], "mapped") == 0 ? MAPPED :
		  strcmp(argv[3], "names") == 0 ? NAMES : BARE;
	return cmocka_run_group_tests(tests, run_target, NULL);
}

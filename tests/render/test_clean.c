/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_clean.c — names of the target as they may be shown, and renderers that run out of memory.
 *
 * LP_SEED=N repeats the random part.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "cases.h"
#include "failing.h"
#include "render/clean.h"
#include "render/table.h"

#define RANDOM_NAMES 20000

/* What lp_clean_put() writes; checks that it says how wide that is. */
static char *cleaned(const char *name, size_t (*put)(FILE *, const char *))
{
	char *text = NULL;
	size_t size = 0, columns = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	columns = put(out, name);
	fclose(out);
	assert_int_equal(columns, put(NULL, name));
	for (const char *at = text; *at; at++)
		columns -= ((unsigned char)*at & 0xc0) != 0x80;
	assert_int_equal(columns, 0);
	return text;
}

static void expect(const char *name, const char *wanted)
{
	char *text = cleaned(name, lp_clean_put);

	assert_string_equal(text, wanted);
	free(text);
}

static void test_characters(void **state)
{
	expect(NULL, "?");
	expect("", "?");
	expect("&q->lock", "&q->lock");
	expect("a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f");
	expect("\x1b[31m", "\\x1b[31m");
	expect("\xc2\x9b", "\\u009b");
	expect("\xe2\x80\xae\xe2\x81\xa6", "\\u202e\\u2066");
	expect("h\xc3\xb6he \xe6\x97\xa5 \xf0\x9f\x94\x92", "h\xc3\xb6he \xe6\x97\xa5 \xf0\x9f\x94\x92");
	expect("\xc0\xaf", "\\xc0\\xaf");
	expect("\xed\xa0\x80", "\\xed\\xa0\\x80");
	expect("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
	expect("cut \xe2\x82", "cut \\xe2\\x82");
}

#define X10 "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10

static void test_shortening(void **state)
{
	static const struct {
		const char *name, *wanted;
	} rows[] = {
		{ "f<a<b>, c>(d<e>)", "f<a<b>, c>(d<e>)" },
		{ "f<" X100 X10 X10 "<b>, c>::g(d<e>)", "f<...>::g(d<...>)" },
		{ "operator<< <" X100 X10 X10 ">(d)", "operator<< <...>(d)" },
		{ "p::operator->(" "a<" X100 X10 X10 ">)", "p::operator->(a<...>)" },
		{ "operator<=>(a<" X100 X10 X10 ">)", "operator<=>(a<...>)" },
		{ "open<" X100 X10 X10, "open<...>" },
	};
	char *text;

	for (size_t i = 0; i < lp_array_size(rows); i++)
		expect(rows[i].name, rows[i].wanted);
	text = cleaned("begin_" X100 X100 "_end", lp_clean_put);
	assert_int_equal(strlen(text), LP_CLEAN_WIDTH_MAX);
	assert_memory_equal(text, "begin_", 6);
	assert_string_equal(text + strlen(text) - 4, "_end");
	assert_non_null(strstr(text, "..."));
	free(text);
	text = cleaned("begin_" X100 X100 "_end", lp_clean_put_all);
	assert_int_equal(strlen(text), 210);
	free(text);
}

static uint64_t seed_of_run(void)
{
	const char *given = getenv("LP_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	print_message("LP_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

/* Bytes that lead to every branch: pieces of UTF-8, brackets, controls, plain letters. */
static void random_name(uint64_t *random, char *name, size_t size)
{
	static const char pieces[] = "<>(-=operator\x1b\n\x80\xbf\xc0\xc2\xe2\x80\xae\xed\xa0\xf4\x90\xff";
	size_t length = lp_hash64(++*random) % size;

	for (size_t i = 0; i < length; i++) {
		uint64_t word = lp_hash64(++*random);

		name[i] = word & 1 ? pieces[(word >> 8) % (sizeof(pieces) - 1)] :
			  (char)(word >> 16);
		if (!name[i])
			name[i] = 'x';
	}
	name[length] = '\0';
}

static void check_harmless(const char *text)
{
	uint32_t character;
	size_t length;

	for (; *text; text += length) {
		length = lp_clean_decode(text, &character);
		assert_true(length > 0);
		assert_true(character >= 0x20 && !(character >= 0x7f && character < 0xa0));
		assert_true(character < 0x202a || character > 0x202e);
	}
}

/* jansson judges UTF-8 by code of its own. */
static void check_utf8(const char *name)
{
	char *copy = lp_clean_utf8(name);
	json_t *value = json_string(copy), *same = json_string(name);

	assert_non_null(value);
	assert_int_equal(same != NULL, !strcmp(copy, name));
	json_decref(value);
	json_decref(same);
	free(copy);
}

static void test_random(void **state)
{
	uint64_t random = lp_hash64(seed_of_run());
	char name[400], *text;

	for (int i = 0; i < RANDOM_NAMES; i++) {
		random_name(&random, name, i % 2 ? sizeof(name) : 12);
		text = cleaned(name, lp_clean_put);
		check_harmless(text);
		free(text);
		text = cleaned(name, lp_clean_put_all);
		check_harmless(text);
		free(text);
		check_utf8(name);
	}
}

static const struct lp_report *case_named(const char *name)
{
	size_t index = 0;

	while (strcmp(render_case_at(index)->name, name))
		index++;
	return render_case_at(index)->report;
}

static int render_failing(const struct lp_report *report, bool json, long index, bool *failed)
{
	struct lp_render_options options = { 0 };
	FILE *out = fopen("/dev/null", "w");
	int result;

	assert_non_null(out);
	fail_allocation(index);
	result = json ? lp_render_json(out, report) : lp_render_text(out, report, &options);
	*failed = end_of_failing();
	fclose(out);
	return result;
}

/* Whichever allocation fails, the renderer says so, or does without; nothing leaks or breaks. */
static void check_failing(const char *name, bool json)
{
	bool failed = true;
	long index = 0;
	int result;

	for (; failed; index++) {
		result = render_failing(case_named(name), json, index, &failed);
		assert_true(result == 0 || (failed && (result == -ENOMEM || result == -EIO)));
		if (json)
			assert_int_equal(result != 0, failed);
	}
	assert_int_equal(result, 0);
	assert_true(index > 1);
}

/* jansson allocates through these, so that its allocations fail, too. */
static void *json_malloc(size_t size)
{
	return __wrap_malloc(size);
}

static void test_memory(void **state)
{
	json_set_alloc_funcs(json_malloc, free);
	check_failing("five", false);
	check_failing("templates", false);
	check_failing("none", true);
	check_failing("relock", true);
	check_failing("hostile", true);
	check_failing("irq-inversion-signals", true);
	check_failing("irq-unsafe-lock-order", false);
	json_set_alloc_funcs(malloc, free);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_shortening),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_memory — memory that runs out: test_memory PROGRAM
 *
 * The n-th allocation of the symbolizer fails, alone or with all after it, for n = 1, 2, ... until
 * nothing fails any more. Every answer must be unknown or the right one. Linked with --wrap: libelf
 * and libdw keep their own allocator.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_id.h"
#include "symbolize/symbolize.h"

static uint64_t allowed = UINT64_MAX;
static bool refused, once;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *block, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);

static bool refuse(void)
{
	if (allowed) {
		allowed--;
		return false;
	}
	if (once)
		allowed = UINT64_MAX;
	return refused = true;
}

void *__wrap_malloc(size_t size)
{
	return refuse() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return refuse() ? NULL : __real_calloc(count, size);
}

void *__wrap_reallocarray(void *block, size_t count, size_t size)
{
	return refuse() ? NULL : __real_reallocarray(block, count, size);
}

char *__wrap_strdup(const char *text)
{
	return refuse() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
	return refuse() ? NULL : __real_strndup(text, size);
}

/* ---- what is asked ---- */

#define CODES	24
#define DATAS	12

static const char *program;
static uint64_t code_at[CODES], data_at[DATAS];
static size_t codes, datas;
static char *functions[CODES], *arguments[CODES], *datum[DATAS];
static uint8_t build_id[64];
static size_t build_id_size;

static int read_places(void **state)
{
	char line[1024], kind[16];
	FILE *out = popen(program, "r");
	unsigned long at;

	assert_non_null(out);
	while (fgets(line, sizeof(line), out)) {
		if (sscanf(line, "%15s %*s %lx", kind, &at) == 2 && codes < CODES &&
		    strcmp(kind, "code") == 0)
			code_at[codes++] = at;
		if (sscanf(line, "%15s %*s %*s %*x %lx", kind, &at) == 2 && datas < DATAS &&
		    strcmp(kind, "data") == 0)
			data_at[datas++] = at;
	}
	assert_int_equal(pclose(out), 0);
	assert_true(codes > 10 && datas > 3);
	build_id_size = read_build_id(program, build_id, sizeof(build_id));
	return 0;
}

/*
 * Without all of its sources a name may be known less well: "f" for "a::f()", "locks" for
 * "locks[0]", "pool+0x10" for "pool.lock". A lambda is called differently in each of them.
 */
static bool is_less(const char *got, const char *want)
{
	return memmem(want, strlen(want), got, strcspn(got, "+")) || strstr(want, "lambda");
}

/* Equal, or less because memory ran out. On the first run it is what to compare with. */
static void compare(const char *got, char **want, bool first)
{
	if (first)
		*want = got ? __real_strdup(got) : NULL;
	else if (got && *want && refused && !is_less(got, *want))
		fail_msg("%s for %s", got, *want);
	else if (got && *want && refused)
		return;
	else if (got && *want)
		assert_string_equal(got, *want);
	else
		assert_true(!got && (!*want || refused));
}

static void ask_all(bool first)
{
	struct lp_symbolizer *symbolizer = lp_symbolizer_create();
	int module;
	size_t i;

	if (!symbolizer) {
		assert_true(refused);
		return;
	}
	module = lp_symbolizer_module(symbolizer, program, build_id, build_id_size);
	assert_true(module >= 0 || refused);
	for (i = 0; i < codes; i++) {
		struct lp_symbols at = lp_symbolize(symbolizer, module, code_at[i], true);
		const struct lp_symbol *outer = &at.at[at.count - 1];

		assert_true(at.count >= 1);
		compare(outer->function, &functions[i], first);
		compare(lp_symbolize_lock_argument(symbolizer, outer), &arguments[i], first);
	}
	for (i = 0; i < datas; i++)
		compare(lp_symbolize_data(symbolizer, module, data_at[i]), &datum[i], first);
	lp_symbolizer_destroy(symbolizer);
}

static void refuse_in_turn(bool alone)
{
	uint64_t n;

	for (n = 0; n == 0 || refused; n++) {
		assert_true(n < 100000);
		refused = false;
		once = alone;
		allowed = n;
		ask_all(false);
		allowed = UINT64_MAX;
	}
	print_message("%llu allocations refused in turn\n", (unsigned long long)n - 1);
	assert_true(n > 20);
}

static void test_running_out(void **state)
{
	size_t i, known = 0;

	ask_all(true);
	for (i = 0; i < codes; i++)
		known += functions[i] && arguments[i];
	assert_true(known > 5);
	refuse_in_turn(false);
	refuse_in_turn(true);
	for (i = 0; i < codes; i++) {
		free(functions[i]);
		free(arguments[i]);
	}
	for (i = 0; i < datas; i++)
		free(datum[i]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_running_out) };

	if (argc != 2 || !(program = realpath(argv[1], NULL)))
		return 2;
	return cmocka_run_group_tests(tests, read_places, NULL);
}

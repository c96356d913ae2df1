/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_source — lock names cut from pieces of text: test_source docs/names.md
 *
 * In each piece "@" stands for the place asked about (its line, and its column with it) and is
 * taken out of the text; without column the line alone must do.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbolize/source.h"

enum { LINE, COLUMN, BOTH };	/* what is told of the place */

struct example {
	int		told;
	const char	*text;
	const char	*name;		/* NULL: no answer */
};

static const struct example examples[] = {
	/* the call itself */
	{ BOTH, "@pthread_mutex_lock(&a);", "&a" },
	{ BOTH, "\tif (@pthread_mutex_trylock(&q->lock) == 0)\n\t\tgo();", "&q->lock" },
	{ BOTH, "return @pthread_rwlock_rdlock(& t -> rw [ 3 ]);", "&t->rw[3]" },
	{ BOTH, "@pthread_spin_init(&s, PTHREAD_PROCESS_PRIVATE);", "&s" },
	{ BOTH, "@mtx_init(&m, mtx_plain);", "&m" },
	{ BOTH, "@g_mutex_lock(&self->priv->lock);", "&self->priv->lock" },
	{ BOTH, "@g_rw_lock_writer_lock(&rw);", "&rw" },
	{ BOTH, "@uv_mutex_init(&loop->wq_mutex);", "&loop->wq_mutex" },
	{ BOTH, "@pthread_mutex_init(pick(a, b)->l + f(1, 2), NULL);", "pick(a,b)->l+f(1,2)" },
	{ BOTH, "@pthread_cond_wait(&c, &m);", "&m" },
	{ BOTH, "@pthread_cond_timedwait(&c, &q->m, &t);", "&q->m" },
	{ BOTH, "(void)@pthread_mutex_lock((pthread_mutex_t *)p->m);", "(pthread_mutex_t*)p->m" },
	{ BOTH, "@pthread_mutex_lock(&tab[\"a,b\"[0]]);", "&tab[\"a,b\"[0]]" },
	{ BOTH, "@pthread_mutex_lock(&\xc3\xa4);", "&\xc3\xa4" },
	{ BOTH, "x = a - - b; @pthread_mutex_lock(l + - -1);", "l+- -1" },

	/* over several lines */
	{ BOTH, "@pthread_mutex_init(\n\t&q->lock,\n\tNULL);", "&q->lock" },
	{ LINE, "pthread_mutex_init(\n\t&q->lock,\n\t@NULL);", "&q->lock" },
	{ LINE, "r = @\n    pthread_mutex_lock(&a);", "&a" },
	{ LINE, "if (x @&&\n    y &&\n    pthread_mutex_trylock(&a) == 0)", "&a" },
	{ LINE, "x();@\npthread_mutex_lock(&a);", NULL },
	{ LINE, "@}\npthread_mutex_lock(&a);", NULL },
	{ LINE, "pthread_mutex_lock(&a);\n@\npthread_mutex_lock(&b);", NULL },
	{ LINE, "a =\n\n\n\n\n@b; pthread_mutex_lock(&a);", "&a" },
	{ LINE, "@a +\n\n\n\n\npthread_mutex_lock(&a);", NULL },

	/* more than one */
	{ LINE, "@pthread_mutex_lock(&a); pthread_mutex_lock(&b);", NULL },
	{ LINE, "@pthread_mutex_lock(&a); pthread_mutex_unlock(&a);", "&a" },
	{ COLUMN, "@pthread_mutex_lock(&a); pthread_mutex_lock(&b);", "&a" },
	{ COLUMN, "pthread_mutex_lock(&a); @pthread_mutex_lock(&b);", "&b" },
	{ COLUMN, "pthread_mutex_lock(&a); pthread_mutex_lock(&b@);", "&b" },
	{ LINE, "@lock_both(pthread_mutex_lock(&a), pthread_mutex_lock(&b));", NULL },
	{ COLUMN, "pthread_mutex_lock(pthread_mutex_lock(@&b) ? x : y);", "&b" },

	/* not to be taken for one */
	{ BOTH, "@LOCK(&a);", NULL },
	{ COLUMN, "@LOCK(&a); pthread_mutex_lock(&b);", NULL },
	{ COLUMN, "@LOCK(&a) || pthread_mutex_lock(&b);", NULL },
	{ BOTH, "@my_pthread_mutex_lock(&a);", NULL },
	{ BOTH, "@pthread_mutex_lock_all(&a);", NULL },
	{ BOTH, "@/* pthread_mutex_lock(&a); */ f();", NULL },
	{ BOTH, "@// pthread_mutex_lock(&a);", NULL },
	{ BOTH, "@// this \\\npthread_mutex_lock(&a);", NULL },
	{ LINE, "// this \\\n@pthread_mutex_lock(&a);", NULL },
	{ BOTH, "@puts(\"pthread_mutex_lock(&a)\");", NULL },
	{ BOTH, "@puts(R\"x(\" )\" pthread_mutex_lock(&a))x\");", NULL },
	{ BOTH, "@#define LOCK pthread_mutex_lock(&a)", NULL },
	{ LINE, "#define LOCK \\\n@pthread_mutex_lock(&a)", NULL },
	{ LINE, "#define X /*\n@pthread_mutex_lock(&a) */", NULL },
	{ BOTH, "@int pthread_mutex_lock(pthread_mutex_t *m)\n{", NULL },
	{ BOTH, "@pthread_mutex_lock(pthread_mutex_t *m);", NULL },
	{ BOTH, "@ops->pthread_mutex_lock(&a);", NULL },
	{ BOTH, "@p = pthread_mutex_lock;", NULL },
	{ BOTH, "@pthread_mutex_lock();", NULL },
	{ BOTH, "@pthread_mutex_lock(0);", NULL },
	{ BOTH, "@pthread_mutex_lock(&a", NULL },
	{ BOTH, "@pthread_mutex_lock(&a];", NULL },
	{ BOTH, "@pthread_cond_wait(&c);", NULL },
	{ BOTH, "@", NULL },

	/* around literals and comments that end in odd ways */
	{ BOTH, "c = '\"'; @pthread_mutex_lock(&a); d = '\"';", "&a" },
	{ BOTH, "c = '\\''; @pthread_mutex_lock(&a); d = '\\'';", "&a" },
	{ BOTH, "n = 1'000'000; @pthread_mutex_lock(&a);", "&a" },
	{ BOTH, "s = u8\"(\"; @pthread_mutex_lock(&a);", "&a" },
	{ BOTH, "#error don't\n@pthread_mutex_lock(&a);", "&a" },
	{ BOTH, "s = \"unfinished\n@pthread_mutex_lock(&a);", "&a" },
	{ BOTH, "@pthread_mutex_lock /* f(x) */ ( /* ) */ &a /* , */ );", "&a" },
	{ BOTH, "@pthread_mutex_lock(// the lock\n\t&a);", "&a" },
	{ BOTH, "/**/@pthread_mutex_lock(&a);/**/", "&a" },

	/* members */
	{ BOTH, "m.@lock();", "m" },
	{ BOTH, "q->m_.@lock();", "q->m_" },
	{ BOTH, "this->m_.@lock();", "m_" },
	{ BOTH, "(*m).@lock();", "(*m)" },
	{ BOTH, "if (x) (*m).@lock();", "(*m)" },
	{ BOTH, "if (x) m->@lock();", "m" },
	{ BOTH, "return (m).@try_lock();", "(m)" },
	{ BOTH, "qs[i][j].m.@lock_shared();", "qs[i][j].m" },
	{ BOTH, "get(a, b)->m.@lock();", "get(a,b)->m" },
	{ BOTH, "ns::object::m.@lock();", "ns::object::m" },
	{ BOTH, "::m.@lock();", "m" },
	{ BOTH, "a.b\n  .c\n  .@lock();", "a.b.c" },
	{ BOTH, "m.@try_lock_for(10ms);", "m" },
	{ BOTH, "m.@lock(x);", NULL },
	{ BOTH, "@lock();", NULL },
	{ BOTH, "m.@relock();", NULL },
	{ LINE, "@a.lock(); b.lock();", NULL },
	{ COLUMN, "a.lock(); b.@lock();", "b" },

	/* guards */
	{ BOTH, "std::lock_guard<std::mutex> @g(m_);", "m_" },
	{ BOTH, "std::lock_guard @g{q.m};", "q.m" },
	{ BOTH, "const std::lock_guard<std::mutex> @lock(m_);", "m_" },
	{ BOTH, "std::lock_guard<decltype(a.b(1, 2))> @g(this->m_);", "m_" },
	{ BOTH, "std::unique_lock<std::mutex> @l(*m, std::try_to_lock);", "*m" },
	{ BOTH, "std::unique_lock<std::mutex> @l(m, 10ms);", "m" },
	{ BOTH, "std::shared_lock<std::shared_mutex> @l(rw);", "rw" },
	{ BOTH, "std::scoped_lock @l(m);", "m" },
	{ BOTH, "std::scoped_lock @l(a.m, b.m);", "a.m" },
	{ BOTH, "std::scoped_lock @l(std::adopt_lock, a->m, b->m);", "a->m" },
	{ BOTH, "std::scoped_lock @l(a.m, b.n);", NULL },
	{ BOTH, "@std::lock(x.m, y.m);", "x.m" },
	{ BOTH, "@std::lock(a, b);", NULL },
	{ BOTH, "@stdx::lock(x.m, y.m);", NULL },
	{ BOTH, "auto l = @std::unique_lock(m);", "m" },
	{ BOTH, "f(std::unique_lock<std::mutex>@(m));", "m" },
	{ COLUMN, "std::lock_guard<std::mutex> g(a), @h(b);", NULL },
	{ BOTH, "void f(@std::unique_lock<std::mutex> &l);", NULL },
	{ BOTH, "@std::unique_lock<std::mutex> l;", NULL },
	{ BOTH, "@std::vector<std::lock_guard<std::mutex>> v(m);", NULL },

	/* a guard that is locked later is no lock: what it guards is */
	{ BOTH, "std::unique_lock<std::mutex> l(m, std::defer_lock);\nx();\nl.@lock();", "m" },
	{ BOTH, "std::unique_lock l(a);\n{ std::unique_lock l(b);\n l.@lock(); }", "b" },
	{ BOTH, "std::unique_lock l(a);\n{ std::unique_lock l(b); }\n l.@lock();", "a" },
	{ BOTH, "void f() { std::unique_lock l(a); }\nvoid g(M &l) { l.@lock(); }", "l" },
	{ BOTH, "auto l = std::unique_lock(m);\nl.@lock();", "m" },
	{ BOTH, "std::unique_lock<std::mutex> l;\nl.@lock();", NULL },
};

static bool ask(const struct example *example, bool column, char *name)
{
	size_t size = strlen(example->text), i;
	const char *at = strchr(example->text, '@');
	char *text = malloc(size + 1);
	struct lp_source source;
	uint32_t line = 1;
	bool found;

	assert_non_null(text);
	assert_non_null(at);
	memcpy(text, example->text, (size_t)(at - example->text));
	strcpy(text + (at - example->text), at + 1);
	for (i = 0; example->text + i < at; i++)
		line += example->text[i] == '\n';
	while (at > example->text && at[-1] != '\n')
		at--;
	assert_int_equal(lp_source_init(&source, text, size - 1), 0);
	found = lp_source_lock_name(&source, line,
				    column ? (uint32_t)strcspn(at, "@") + 1 : 0, name);
	lp_source_finish(&source);
	return found;
}

static void check(const struct example *example, bool column)
{
	char name[LP_SOURCE_NAME_MAX + 1];
	bool found = ask(example, column, name);

	if (found == (example->name != NULL) && (!found || strcmp(name, example->name) == 0))
		return;
	fail_msg("`%s` %s column: %s, not %s", example->text, column ? "with" : "without",
		 found ? name : "no answer", example->name ? example->name : "no answer");
}

static void test_examples(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		if (examples[i].told != COLUMN)
			check(&examples[i], false);
		if (examples[i].told != LINE)
			check(&examples[i], true);
	}
}

/* ---- what the documentation says ---- */

static const char *page;

/* The next text between backquotes, cut out in place; NULL: there is none. */
static char *code_span(char **at)
{
	char *start = strchr(*at, '`'), *end = start ? strchr(start + 1, '`') : NULL;

	if (!end)
		return NULL;
	*end = '\0';
	*at = end + 1;
	return start + 1;
}

/* Column unknown, as from a line table without: all that a reader of the page can know. */
static void check_row(char *row)
{
	char found[LP_SOURCE_NAME_MAX + 1], *line = code_span(&row), *name = code_span(&row);
	struct lp_source source;
	bool any;

	assert_non_null(line);
	assert_true(name || strstr(row, "| none |"));
	assert_int_equal(lp_source_init(&source, strdup(line), strlen(line)), 0);
	any = lp_source_lock_name(&source, 1, 0, found);
	lp_source_finish(&source);
	if (any != (name != NULL) || (any && strcmp(found, name) != 0))
		fail_msg("%s: `%s` gives %s", page, line, any ? found : "none");
}

static void test_documented(void **state)
{
	FILE *in = fopen(page, "r");
	bool inside = false;
	char text[512];
	int rows = 0;

	assert_non_null(in);
	while (fgets(text, sizeof(text), in)) {
		if (strstr(text, "are checked by tests/symbolize/test_source.c"))
			inside = true;
		else if (inside && rows && *text != '|')
			break;
		else if (inside && strncmp(text, "| `", 3) == 0 && ++rows)
			check_row(text);
	}
	fclose(in);
	assert_true(rows >= 8);
}

static void test_places_outside(void **state)
{
	char name[LP_SOURCE_NAME_MAX + 1], *text = strdup("pthread_mutex_lock(&a);\n");
	struct lp_source source;

	assert_int_equal(lp_source_init(&source, text, strlen(text)), 0);
	assert_true(lp_source_lock_name(&source, 1, 0, name));
	assert_false(lp_source_lock_name(&source, 0, 0, name));
	assert_false(lp_source_lock_name(&source, 3, 0, name));
	assert_false(lp_source_lock_name(&source, UINT32_MAX, UINT32_MAX, name));
	assert_true(lp_source_lock_name(&source, 1, 1000, name));
	lp_source_finish(&source);
}

static void test_long_name(void **state)
{
	char name[LP_SOURCE_NAME_MAX + 1], argument[301], text[400];
	struct lp_source source;
	size_t size;

	for (size = 1; size < 300; size++) {
		memset(argument, 'a', size);
		argument[size] = '\0';
		snprintf(text, sizeof(text), "pthread_mutex_lock(%s);", argument);
		assert_int_equal(lp_source_init(&source, strdup(text), strlen(text)), 0);
		assert_true(lp_source_lock_name(&source, 1, 1, name));
		lp_source_finish(&source);
		assert_in_range(strlen(name), 1, LP_SOURCE_NAME_MAX);
		if (size <= LP_SOURCE_NAME_MAX)
			assert_string_equal(name, argument);
		else
			assert_string_equal(name + strlen(name) - 3, "...");
	}
}

/* ---- any bytes ---- */

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void check_text(const char *text, size_t size, uint64_t *seed)
{
	char name[LP_SOURCE_NAME_MAX + 1], *copy = malloc(size + 1);
	struct lp_source source;
	uint32_t line;

	assert_non_null(copy);
	memcpy(copy, text, size);
	assert_int_equal(lp_source_init(&source, copy, size), 0);
	for (line = 0; line <= source.line_count + 1; line++) {
		if (lp_source_lock_name(&source, line, (uint32_t)(next_random(seed) % 40), name))
			assert_in_range(strlen(name), 1, LP_SOURCE_NAME_MAX);
		if (lp_source_lock_name(&source, line, 0, name))
			assert_in_range(strlen(name), 1, LP_SOURCE_NAME_MAX);
	}
	lp_source_finish(&source);
}

/* Pieces of code in random order: what no person writes, but all that the scanner looks for. */
static void test_random(void **state)
{
	static const char *const pieces[] = {
		"pthread_mutex_lock", "(", ")", "&", "a", "->", ".", "lock", "lock()", "::",
		"std::",
		"lock_guard", "<", ">", "{", "}", ";", "\n", ",", "\"", "'", "/*", "*/", "//", "\\",
		"#", "R\"", "x(", ")x\"", "[", "]", "unique_lock", "1'0", " ", "=", "scoped_lock",
		"std::lock(", "defer_lock", "\xff", "\xc3\xa4", "if", "return", "\r", "m.lock();",
	};
	const char *given = getenv("LP_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : 0x5eed1234abcdULL;
	char text[1024];
	int round;

	print_message("seed %llu (repeat with LP_SEED)\n", (unsigned long long)seed);
	for (round = 0; round < 3000; round++) {
		size_t count = next_random(&seed) % 80, size = 0;

		while (count--) {
			const char *piece = pieces[next_random(&seed) %
						   (sizeof(pieces) / sizeof(pieces[0]))];

			memcpy(text + size, piece, strlen(piece));
			size += strlen(piece);
		}
		check_text(text, size, &seed);
	}
	check_text("", 0, &seed);
	check_text("\0\0\n\0", 4, &seed);
}

/* Cut off everywhere: also right inside every literal, comment and call. */
static void test_cut(void **state)
{
	uint64_t seed = 1;
	size_t i, size;

	for (i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		for (size = 0; size < strlen(examples[i].text); size++)
			check_text(examples[i].text, size, &seed);
}

/* Bytes that a quadratic scanner would choke on: each must take well under a second. */
static void test_long_runs(void **state)
{
	static const char *const runs[] = { "(", ")", "'", "\"", "{", "}", "a", "/", "/*", "lock(",
					    ".lock()", "<", "std::", "#", "\\\n", "R\"(",
					    "m.lock()",
					    "unique_lock l(m);", "pthread_mutex_lock(" };
	const size_t size = 1 << 20;
	uint64_t seed = 1;
	size_t i, at;

	for (i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		char *text = malloc(size);

		assert_non_null(text);
		for (at = 0; at + strlen(runs[i]) <= size; at += strlen(runs[i]))
			memcpy(text + at, runs[i], strlen(runs[i]));
		memset(text + at, '\n', size - at);
		if (strchr(runs[i], '\n'))
			at = 256; /* many lines: all would be asked about */
		check_text(text, at, &seed);
		free(text);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_documented),
		cmocka_unit_test(test_places_outside),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_long_runs),
	};

	if (argc != 2)
		return 2;
	page = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}

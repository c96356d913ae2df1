/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_parse.c — the scenario parser: what it makes of good files, and what it says of bad ones.
 *
 * Usage: test_parse MANUAL_PAGE. Random parts repeat with LP_SEED.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "engine/random.h"
#include "render/failing.h"
#include "scenario/scenario.h"
#include "scenario/sound.h"
#include "scenario/words.h"

/* One object of each type is called o_TYPE; the others are for the rows of tables below. */
#define OBJECTS \
	"spinlock_t l; rwlock_t rw; mutex m; semaphore s(2); pthread_mutex_t pm; " \
	"pthread_cond_t c; workqueue_struct wq; srcu_struct ss; sem_t se; ww_mutex o; " \
	"ww_acquire_ctx ctx;"
#define BODIES \
	"work w() { }\nwork wqw(wq) { }\ntimer t() { }\nrcu r() { }\nthread th() { }\n" \
	"signal SIGALRM on_alarm() { }\n"

enum frame { WHOLE, DECL, STMT, BODY, LAST };

static const struct { const char *before, *after; } frames[] = {
	[WHOLE] = { "", "" },
	[DECL] = { "C x\n{\n", "\n}\nP0() { }\nexpect none\n" },
	[STMT] = { "C x\n{ " OBJECTS " }\nP0() {\n", "\n}\n" BODIES "expect none\n" },
	[BODY] = { "C x\n{ " OBJECTS " }\n", "\nexpect none\n" },
	[LAST] = { "C x\n{ }\nP0() { }\n", "\n" },
};

#include "scenario/bad_inputs.h"

static const char *manual_path;
static char page[1u << 20];

/* --- helpers --- */

static struct lp_scenario *parse(const char *text, size_t size, struct lp_scenario_error *error)
{
	char *exact = malloc(size ? size : 1);
	struct lp_scenario *scenario;

	assert_non_null(exact);
	memcpy(exact, text, size);
	scenario = lp_scenario_parse("t.litmus", exact, size, error);
	memset(exact, '?', size);	/* nothing of it may be kept */
	free(exact);
	if (scenario && scenario_problem(scenario))
		fail_msg("%s", scenario_problem(scenario));
	return scenario;
}

static struct lp_scenario *parse_good(const char *text)
{
	struct lp_scenario_error error;
	struct lp_scenario *scenario = parse(text, strlen(text), &error);

	if (!scenario)
		fail_msg("%u:%u: %s in:\n%s", error.line, error.column, error.text, text);
	return scenario;
}

static char *framed(enum frame frame, const char *text)
{
	char *whole = NULL;

	assert_true(asprintf(&whole, "%s%s%s", frames[frame].before, text,
			     frames[frame].after) >= 0);
	return whole;
}

static void check_bad(const char *text, size_t size, uint32_t line, uint32_t column,
		      const char *message)
{
	struct lp_scenario_error error;
	struct lp_scenario *scenario = parse(text, size, &error);

	if (scenario)
		fail_msg("accepted, though '%s':\n%s", message, text);
	if (error.line != line || error.column != column || strcmp(error.text, message))
		fail_msg("%u:%u: %s\ninstead of\n%u:%u: %s\nin:\n%s", error.line, error.column,
			 error.text, line, column, message, text);
}

static void check_bad_in(enum frame frame, const char *text, uint32_t line, uint32_t column,
			 const char *message)
{
	char *whole = framed(frame, text);

	check_bad(whole, strlen(whole), line, column, message);
	free(whole);
}

static const char *mode_letter(uint8_t mode)
{
	return mode == LP_READ ? "r" : mode == LP_READ_RECURSIVE ? "R" : "w";
}

static bool other_names_body(const struct lp_op *op)
{
	return op->other && (other_is_body(op->kind));
}

/*
 * The operations of a body but END: KIND(object,other)mode/subclass:flags{signals}>target+
 * where target counts from the first of the body and + says that the statement goes on.
 */
static void list_ops(const struct lp_scenario *s, uint32_t body, char *out, size_t room)
{
	const struct lp_body *b = &s->bodies[body];
	size_t size = 0;

#define PRINT(...) (size += (size_t)snprintf(out + size, room - size, __VA_ARGS__))
	*out = '\0';
	for (uint32_t i = b->first; i < b->first + b->count - 1; i++) {
		const struct lp_op *op = &s->ops[i];

		PRINT("%s%s", size ? " " : "", lp_op_name(op->kind));
		if (op->object || op->other)
			PRINT("(%s", s->objects[op->object].name);
		if (op->other)
			PRINT(",%s", other_names_body(op) ? s->bodies[op->other].name :
							    s->objects[op->other].name);
		if (op->object || op->other)
			PRINT(")");
		if (op->kind == LP_OP_ACQUIRE || op->kind == LP_OP_RELEASE ||
		    op->kind == LP_OP_ASSERT_HELD || op->kind == LP_OP_MIGHT_LOCK)
			PRINT("%s", mode_letter(op->mode));
		if (op->subclass)
			PRINT("/%u", op->subclass);
		if (op->flags)
			PRINT(":%u", op->flags);
		if (op->signals)
			PRINT("{%llx}", (unsigned long long)op->signals);
		if (op->target)
			PRINT(">%u", op->target - b->first);
		if (op->more)
			PRINT("+");
	}
#undef PRINT
}

/* A text of statements and what it is made of. */
static void check_ops(const char *text, const char *head, const char *expected)
{
	static char whole[8192], got[8192];
	struct lp_scenario *scenario;

	snprintf(whole, sizeof(whole), "C x\n{ " OBJECTS
		 "raw_spinlock_t raw; seqlock_t sq; rt_mutex rt; rw_semaphore sem; completion done;"
		 "local_lock_t ll; pthread_rwlock_t prw, prww(prefer_writer);"
		 "pthread_spinlock_t psp; lockdep_map map; }\n%s {\n%s\n}\n" BODIES "expect none\n",
		 head, text);
	scenario = parse_good(whole);
	list_ops(scenario, 1, got, sizeof(got));
	if (strcmp(got, expected))
		fail_msg("\n%s\nis\n%s\ninstead of\n%s", text, got, expected);
	lp_scenario_destroy(scenario);
}

/* --- refusals --- */

static void test_bad_inputs(void **state)
{
	(void)state;
	assert_true(lp_array_size(bad_inputs) >= 60);
	for (size_t i = 0; i < lp_array_size(bad_inputs); i++)
		check_bad_in(bad_inputs[i].frame, bad_inputs[i].text, bad_inputs[i].line,
			     bad_inputs[i].column, bad_inputs[i].message);
}

static char *repeat(const char *text, size_t times)
{
	size_t size = strlen(text);
	char *all = malloc(size * times + 1);

	assert_non_null(all);
	for (size_t i = 0; i < times; i++)
		memcpy(all + i * size, text, size);
	all[size * times] = '\0';
	return all;
}

/* `before`, `text` many times, `after`, in a frame. */
static char *padded(const char *before, const char *text, size_t times, const char *after)
{
	char *many = repeat(text, times), *all = NULL;

	assert_true(asprintf(&all, "%s%s%s", before, many, after) >= 0);
	free(many);
	return all;
}

static void test_limits_of_names(void **state)
{
	static const struct {
		enum frame	frame;
		const char	*before, *after;
		uint32_t	line, column;
		const char	*message;
	} rows[] = {
		{ WHOLE, "C ", "\n{ }", 1, 3,
		  "the name of the scenario is longer than 255 bytes" },
		{ DECL, "mutex ", ";", 3, 7, "a name has at most 255 characters" },
		{ DECL, "mutex m : ", ";", 3, 11, "a name has at most 255 characters" },
		{ DECL, "mutex m = \"", "\";", 3, 11, "a printed name has at most 255 bytes" },
		{ BODY, "work ", "() { }", 3, 6, "a name has at most 255 characters" },
	};

	(void)state;
	for (size_t i = 0; i < lp_array_size(rows); i++) {
		char *long_one = padded(rows[i].before, "n", 256, rows[i].after);
		char *fits = padded(rows[i].before, "n", 255, rows[i].after);
		char *whole = framed(rows[i].frame, fits);

		check_bad_in(rows[i].frame, long_one, rows[i].line, rows[i].column,
			     rows[i].message);
		if (rows[i].frame != WHOLE)
			lp_scenario_destroy(parse_good(whole));
		free(long_one);
		free(fits);
		free(whole);
	}
}

static void test_long_tokens_are_cut_in_messages(void **state)
{
	char *text = padded("", "n", 1u << 20, "(&l);");

	(void)state;
	check_bad_in(STMT, text, 4, 1,
		     "unknown function 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn...'");
	free(text);
}

static void test_nesting(void **state)
{
	static const struct { const char *open, *close; uint32_t column; } rows[] = {
		{ "{", "}", 1 }, { "if (*) ", "", 8 }, { "if (*) {", "}", 8 },
		{ "if (spin_trylock(&l)) ; else {", "}", 23 },
	};
	const size_t most = LP_SCENARIO_NESTING_MAX - 1;	/* the body is one */

	(void)state;
	for (size_t i = 0; i < lp_array_size(rows); i++) {
		char *open = repeat(rows[i].open, most), *close = repeat(rows[i].close, most);
		char *text = NULL, *whole;

		assert_true(asprintf(&text, "%s;%s", open, close) > 0);
		whole = framed(STMT, text);
		lp_scenario_destroy(parse_good(whole));
		free(text);
		free(whole);
		assert_true(asprintf(&text, "%s%s;", open, rows[i].open) > 0);
		check_bad_in(STMT, text, 4,
			     (uint32_t)(most * strlen(rows[i].open)) + rows[i].column,
			     "blocks are nested more than 200 deep");
		free(text);
		free(open);
		free(close);
	}
}

/* Far deeper than any stack would bear. */
static void test_deep_nesting_is_refused(void **state)
{
	char *text = repeat("{", 1000000);

	(void)state;
	check_bad_in(STMT, text, 4, 200, "blocks are nested more than 200 deep");
	free(text);
}

static void test_zero_bytes(void **state)
{
	static const char code[] = "C x\n{ \0 }", name[] = "C a\0b\n{ }";
	static const char string[] = "C x\n{ mutex m = \"a\0b\"; }", lone[] = "\0";
	static const char comment[] = "C x // \0\n{ /* \0 */ }\n"
				      "P0() { ; // f\0 g:1\n }\nexpect none";
	struct lp_scenario_error error;
	struct lp_scenario *scenario;

	(void)state;
	check_bad(code, sizeof(code) - 1, 2, 3, "unexpected byte 0x00");
	check_bad(name, sizeof(name) - 1, 1, 3, "the name of the scenario is not printable UTF-8");
	check_bad(string, sizeof(string) - 1, 2, 13, "this string is not printable UTF-8");
	check_bad(lone, 1, 1, 1, "unexpected byte 0x00");
	scenario = parse(comment, sizeof(comment) - 1, &error);
	assert_non_null(scenario);
	lp_scenario_destroy(scenario);
}

static void test_too_much(void **state)
{
	char *operations = padded("", "up(&s);", LP_SCENARIO_OPS_MAX, "");
	char *all = NULL;
	FILE *stream;
	size_t size;

	(void)state;
	/* With END of the body it is one too many. */
	check_bad_in(STMT, operations, 5, 1, "more than 1000000 operations");
	free(operations);

	stream = open_memstream(&all, &size);
	for (unsigned i = 0; i <= LP_SCENARIO_OBJECTS_MAX; i++)
		fprintf(stream, "mutex m%u;\n", i);
	fclose(stream);
	check_bad_in(DECL, all, 3 + LP_SCENARIO_OBJECTS_MAX, 7, "more than 100000 objects");
	free(all);

	stream = open_memstream(&all, &size);
	for (unsigned i = 0; i <= LP_SCENARIO_BODIES_MAX; i++)
		fprintf(stream, "P%u() { }\n", i);
	fclose(stream);
	check_bad_in(BODY, all, 3 + LP_SCENARIO_BODIES_MAX, 1, "more than 20000 bodies");
	free(all);
}

/* --- size --- */

static void test_many_tasks_and_objects(void **state)
{
	struct lp_scenario *scenario;
	char *all = NULL;
	FILE *stream;
	size_t size;

	(void)state;
	stream = open_memstream(&all, &size);
	fprintf(stream, "C many\n{\n");
	for (unsigned i = 0; i < LP_SCENARIO_OBJECTS_MAX; i++)
		fprintf(stream, "mutex m%u : class%u;\n", i, i % 1000);
	fprintf(stream, "}\n");
	for (unsigned i = 0; i < 10000; i++)
		fprintf(stream, "P%u() { mutex_lock(&m%u); queue_work(w%u); }\n", i, i, 9999 - i);
	for (unsigned i = 0; i < 10000; i++)
		fprintf(stream, "work w%u() { mutex_trylock(&m%u); }\n", i, 5 * i);
	fprintf(stream, "expect none\n");
	fclose(stream);
	scenario = parse_good(all);
	assert_int_equal(scenario->body_count, 20001);
	assert_int_equal(scenario->object_count, 1 + 100000 + 10000 + 1);
	assert_int_equal(scenario->class_count, 1 + 1000 + 10000 + 1);
	assert_int_equal(scenario->objects[100000].rank, 100);
	assert_string_equal(scenario->bodies[scenario->ops[1].other].name, "w9999");
	lp_scenario_destroy(scenario);
	free(all);
}

static void test_long_lines(void **state)
{
	struct lp_scenario *scenario;
	char *blanks = padded("spin_lock(&l", " ", 1u << 20, "); // f g.c:7");
	char *calls = padded("", "spin_lock(&l);", 100000, "oops");
	char *signals = padded("pthread_sigmask(SIG_BLOCK, SIGALRM", " | SIGALRM", 100000, ");");
	char *ifs = padded("if (*) ; ", "else if (*) up(&s);", 100000, "");
	char *tried = padded("", "mutex_trylock(&m);", 100000, "");
	char *whole = framed(STMT, blanks);

	(void)state;
	scenario = parse_good(whole);
	assert_string_equal(scenario->sites[scenario->ops[0].site].text, "spin_lock(&l );");
	assert_string_equal(scenario->sites[scenario->ops[0].site].file, "g.c");
	lp_scenario_destroy(scenario);
	free(whole);
	check_bad_in(STMT, calls, 4, 1400001, "unknown function 'oops'");

	whole = framed(STMT, ifs);
	lp_scenario_destroy(parse_good(whole));
	free(whole);
	whole = framed(STMT, tried);
	lp_scenario_destroy(parse_good(whole));
	free(whole);
	whole = framed(STMT, signals);
	lp_scenario_destroy(parse_good(whole));
	free(whole);
	free(blanks);
	free(calls);
	free(signals);
	free(ifs);
	free(tried);
}

/* --- forms of text --- */

static void test_forms_of_text(void **state)
{
	static const char *const forms[] = {
		"C x\n{ mutex m; }\nP0() { mutex_lock(&m); }\nexpect none\n",
		"C x\n{ mutex m; }\nP0() { mutex_lock(&m); }\nexpect none",
		"\xef\xbb\xbf" "C x\r\n{ mutex m; }\r\nP0() { mutex_lock(&m); }\r\nexpect none\r\n",
		"// before\n/* and * before */ C x // behind\n{ struct mutex m; }\n"
		"P0(struct mutex *m, int n) { mutex_lock(m); } /**/ expect none; // end",
		"C\tx\t{mutex m;}P0(void){mutex_lock(&m);}expect none;",
	};

	(void)state;
	for (size_t i = 0; i < lp_array_size(forms); i++) {
		struct lp_scenario *s = parse_good(forms[i]);

		assert_string_equal(s->name, "x");
		assert_string_equal(s->file, "t.litmus");
		assert_int_equal(s->object_count, 2);
		assert_int_equal(s->body_count, 2);
		assert_int_equal(s->op_count, 2);
		assert_int_equal(s->expectation_count, 1);
		assert_true(s->expectations[0].none);
		lp_scenario_destroy(s);
	}
}

static void test_names_of_scenarios(void **state)
{
	static const char *const names[] = { "io_uring-file_data", "a.b+c_d-9", "ABBA?", "käse" };
	char text[128];

	(void)state;
	for (size_t i = 0; i < lp_array_size(names); i++) {
		struct lp_scenario *s;

		snprintf(text, sizeof(text), "C %s\n{ }\nP0() { }\nexpect none\n", names[i]);
		s = parse_good(text);
		assert_string_equal(s->name, names[i]);
		lp_scenario_destroy(s);
	}
}

/* --- objects and classes --- */

static const struct lp_object *object_called(const struct lp_scenario *s, const char *name)
{
	for (uint32_t i = 1; i < s->object_count; i++)
		if (!strcmp(s->objects[i].name, name))
			return &s->objects[i];
	fail_msg("no object %s", name);
	return NULL;
}

static const char *class_name(const struct lp_scenario *s, const char *object)
{
	return s->classes[object_called(s, object)->class_index].name;
}

static void test_every_type(void **state)
{
	static const char *const words[] = {
#define X(name, keyword, kind) keyword,
		LP_SCENARIO_TYPES(X)
#undef X
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < lp_array_size(words); i++) {
		struct lp_scenario *s;

		snprintf(text, sizeof(text), "C x\n{ %s%s x; }\nP0() { kfree(&x); }\nexpect none\n",
			 i % 2 ? "struct " : "", words[i]);
		s = parse_good(text);
		assert_string_equal(lp_object_type_word(s->objects[1].type), words[i]);
		assert_int_equal(s->objects[1].type, i + 1);
		lp_scenario_destroy(s);
	}
}

static void test_attributes(void **state)
{
	struct lp_scenario *s = parse_good("C x\n{ pthread_mutex_t a(recursive), b(errorcheck);\n"
		"pthread_rwlock_t c(prefer_writer);\n"
		"mutex d(novalidate, ordered, uninitialised), e;\n"
		"semaphore f, g(0); sem_t h, i(7, ordered); completion j, k(2); }\n"
		"P0() { }\nexpect none\n");
	static const struct { const char *name; uint32_t flags, count; } rows[] = {
		{ "a", LP_OBJECT_RECURSIVE, 0 }, { "b", LP_OBJECT_ERRORCHECK, 0 },
		{ "c", LP_OBJECT_PREFER_WRITER, 0 },
		{ "d", LP_OBJECT_NOVALIDATE | LP_OBJECT_ORDERED | LP_OBJECT_UNINITIALISED, 0 },
		{ "e", 0, 0 }, { "f", 0, 1 }, { "g", 0, 0 }, { "h", 0, 1 },
		{ "i", LP_OBJECT_ORDERED, 7 }, { "j", 0, 0 }, { "k", 0, 2 },
	};

	(void)state;
	for (size_t i = 0; i < lp_array_size(rows); i++) {
		const struct lp_object *object = object_called(s, rows[i].name);

		assert_int_equal(object->flags, rows[i].flags | LP_OBJECT_STATIC);
		assert_int_equal(object->count, rows[i].count);
		assert_int_equal(object->rank, 1);
	}
	lp_scenario_destroy(s);
}

static void test_classes(void **state)
{
	struct lp_scenario *s = parse_good("C x\n{ mutex a : k, b = \"&b->lock\" : k;\n"
		"mutex c = \"late\" : k, k; mutex d(uninitialised) : k;\n"
		"spinlock_t e = \"a \\\"b\\\" \\\\\" ; workqueue_struct f, g = \"kblockd\";\n"
		"workqueue_struct h : many, i = \"named\" : many; mutex p : q; }\n"
		"P0() { }\nexpect none\n");

	(void)state;
	assert_string_equal(class_name(s, "a"), "&b->lock");
	assert_string_equal(class_name(s, "d"), "&b->lock");
	assert_string_equal(class_name(s, "k"), "k");
	assert_int_equal(object_called(s, "a")->rank, 1);
	assert_int_equal(object_called(s, "b")->rank, 2);
	assert_int_equal(object_called(s, "c")->rank, 3);
	assert_int_equal(object_called(s, "d")->rank, 4);
	assert_false(object_called(s, "a")->flags & LP_OBJECT_STATIC);
	assert_true(object_called(s, "k")->flags & LP_OBJECT_STATIC);
	assert_string_equal(class_name(s, "e"), "a \"b\" \\");
	assert_string_equal(class_name(s, "f"), "(wq_completion)f");
	assert_string_equal(class_name(s, "g"), "(wq_completion)kblockd");
	assert_string_equal(class_name(s, "h"), "(wq_completion)named");
	assert_string_equal(class_name(s, "p"), "q");
	lp_scenario_destroy(s);
}

/* A ww_mutex and a ww_acquire_ctx are of two classes even when these have one name. */
static void test_classes_of_two_types(void **state)
{
	struct lp_scenario *s = parse_good("C x\n{ ww_mutex a(ordered) : k; ww_acquire_ctx t : k;\n"
		"ww_mutex b(ordered) : k; ww_acquire_ctx u : k, v = \"acquire\" : n;\n"
		"ww_mutex c : n, d : alone; ww_mutex e = \"resv\" : late;\n"
		"ww_acquire_ctx w : late, x : late; mutex late; }\nP0() { }\nexpect none\n");
	static const struct { const char *name, *class, *pair; uint32_t rank; } rows[] = {
		{ "a", "k_mutex", "t", 1 }, { "b", "k_mutex", "t", 2 }, { "t", "k_acquire", "a", 1 },
		{ "u", "k_acquire", "a", 2 }, { "v", "acquire", "c", 1 }, { "c", "n_mutex", "v", 1 },
		{ "d", "alone", NULL, 1 }, { "e", "resv", "w", 1 }, { "w", "late_acquire", "e", 1 },
		{ "x", "late_acquire", "e", 2 }, { "late", "late", NULL, 1 },
	};

	(void)state;
	for (size_t i = 0; i < lp_array_size(rows); i++) {
		const struct lp_object *object = object_called(s, rows[i].name);
		uint32_t pair = s->classes[object->class_index].pair;

		assert_string_equal(class_name(s, rows[i].name), rows[i].class);
		assert_int_equal(object->rank, rows[i].rank);
		assert_int_equal(pair != 0, rows[i].pair != NULL);
		if (pair)
			assert_int_equal(pair, object_called(s, rows[i].pair)->class_index);
	}
	lp_scenario_destroy(s);
}

/* --- bodies --- */

static void test_bodies(void **state)
{
	struct lp_scenario *s = parse_good("C x\n{ workqueue_struct wq; }\n"
		"P7() { queue_work(w); mod_timer(t); call_rcu(r); pthread_create(th);\n"
		"sigaction(SIGALRM, s); }\nhardirq h() { }\nhardirq_nothread hn() { }\n"
		"softirq so() { }\ntimer t() { }\nrcu r() { }\nsignal SIGALRM s() { }\n"
		"signal SIGUSR1 s1() { }\nsignal SIGALRM s2() { }\nnmi n() { }\nwork w() { }\n"
		"work v(wq) { }\nthread th() { }\nexpect none\n");
	static const struct {
		const char	*name;
		enum lp_body_kind kind;
		const char	*context, *map;
		bool		triggered;
	} rows[] = {
		{ "P7", LP_BODY_TASK, "", "", false },
		{ "h", LP_BODY_HARDIRQ, "HARDIRQ", "", false },
		{ "hn", LP_BODY_HARDIRQ_NOTHREAD, "HARDIRQ", "", false },
		{ "so", LP_BODY_SOFTIRQ, "SOFTIRQ", "", false },
		{ "t", LP_BODY_TIMER, "SOFTIRQ", "((&t))", true },
		{ "r", LP_BODY_RCU, "SOFTIRQ", "rcu_callback", true },
		{ "s", LP_BODY_SIGNAL, "SIGALRM", "", true },
		{ "s1", LP_BODY_SIGNAL, "SIGUSR1", "", false },
		{ "s2", LP_BODY_SIGNAL, "SIGALRM", "", false },
		{ "n", LP_BODY_NMI, "NMI", "", false },
		{ "w", LP_BODY_WORK, "", "(work_completion)(w)", true },
		{ "v", LP_BODY_WORK, "", "(work_completion)(v)", false },
		{ "th", LP_BODY_THREAD, "", "thread th", true },
	};

	(void)state;
	assert_int_equal(s->body_count, lp_array_size(rows) + 1);
	assert_int_equal(s->context_count, 6);
	for (size_t i = 0; i < lp_array_size(rows); i++) {
		const struct lp_body *body = &s->bodies[i + 1];

		assert_string_equal(body->name, rows[i].name);
		assert_int_equal(body->kind, rows[i].kind);
		assert_string_equal(s->contexts[body->context].name, rows[i].context);
		assert_string_equal(s->objects[body->map].name, rows[i].map);
		if (body->map)
			assert_string_equal(class_name(s, rows[i].map), rows[i].map);
		assert_int_equal(body->triggered, rows[i].triggered);
		assert_int_equal(s->contexts[body->context].signal, body->signal);
	}
	assert_int_equal(s->bodies[11].queue, 0);
	assert_string_equal(s->objects[s->bodies[12].queue].name, "wq");
	assert_string_equal(s->objects[s->events].name, "(wq_completion)events");
	assert_int_equal(s->objects[s->rcu].type, LP_OBJECT_RCU_MAP);
	assert_int_equal(s->objects[s->rcu_callback].type, LP_OBJECT_RCU_MAP);
	assert_int_equal(s->rcu_bh, 0);
	lp_scenario_destroy(s);
}

/* What nothing needs is not there. */
static void test_built_ins_on_demand(void **state)
{
	struct lp_scenario *s = parse_good("C x\n{ workqueue_struct wq; }\nwork w(wq) { }\n"
					   "P0() { flush_scheduled_work(); }\nexpect none\n");

	(void)state;
	assert_int_equal(s->object_count, 3);
	assert_int_equal(s->events + s->rcu + s->rcu_bh + s->rcu_sched + s->rcu_callback, 0);
	lp_scenario_destroy(s);
}

/* --- statements --- */

static const struct { const char *head, *text, *ops; } statements[] = {
	{ "P0()", "spin_lock(&l); spin_unlock(&l);",
	  "ACQUIRE(l)w RELEASE(l)w" },
	{ "P0()", "spin_lock_bh(&l); spin_unlock_bh(&l);",
	  "BH_DISABLE+ ACQUIRE(l)w RELEASE(l)w+ BH_ENABLE" },
	{ "P0()", "spin_lock_irq(&l); spin_unlock_irq(&l);",
	  "IRQ_DISABLE+ ACQUIRE(l)w RELEASE(l)w+ IRQ_ENABLE" },
	{ "P0()", "spin_lock_irqsave(&l, f); spin_lock_irqsave(&l, g); "
	  "spin_unlock_irqrestore(&l, g); spin_unlock_irqrestore(&l, f);",
	  "IRQ_SAVE+ ACQUIRE(l)w IRQ_SAVE/1+ ACQUIRE(l)w RELEASE(l)w+ IRQ_RESTORE/1 "
	  "RELEASE(l)w+ IRQ_RESTORE" },
	{ "P0()", "spin_lock_irqsave(&l); spin_unlock_irqrestore(&l);",
	  "IRQ_SAVE+ ACQUIRE(l)w RELEASE(l)w+ IRQ_RESTORE" },
	{ "P0()", "local_irq_save(f); local_irq_restore(f); local_irq_disable(); "
	  "local_irq_enable();",
	  "IRQ_SAVE IRQ_RESTORE IRQ_DISABLE IRQ_ENABLE" },
	{ "P0()", "local_bh_disable(); local_bh_enable(); preempt_disable(); "
	  "preempt_enable();",
	  "BH_DISABLE BH_ENABLE" },
	{ "P0()", "spin_lock_nested(&l, 7); mutex_lock_nest_lock(&m, &l); "
	  "lock_set_subclass(&m, 2);",
	  "ACQUIRE(l)w/7 ACQUIRE(m,l)w SET_SUBCLASS(m)/2" },
	{ "P0()", "raw_spin_lock_irqsave_nested(&raw, f, 3); spin_lock_init(&l); free(&m);",
	  "IRQ_SAVE+ ACQUIRE(raw)w/3 INIT(l) FREE(m)" },
	{ "P0()", "read_lock(&rw); read_unlock(&rw); read_lock_recursive(&rw); "
	  "write_lock_bh(&rw); write_unlock_bh(&rw);",
	  "ACQUIRE(rw)r RELEASE(rw)r ACQUIRE(rw)R BH_DISABLE+ ACQUIRE(rw)w RELEASE(rw)w+ "
	  "BH_ENABLE" },
	{ "P0()", "read_seqbegin(&sq); read_seqretry(&sq, 3); write_seqlock_irq(&sq); "
	  "read_seqlock_excl(&sq);",
	  "SYNC(sq) IRQ_DISABLE+ ACQUIRE(sq)w ACQUIRE(sq)w" },
	{ "P0()", "down_read_nested(&sem, 1); up_read(&sem); down_write(&sem); "
	  "downgrade_write(&sem);",
	  "ACQUIRE(sem)r/1 RELEASE(sem)r ACQUIRE(sem)w DOWNGRADE(sem)" },
	{ "P0()", "down(&s); up(&s); sema_init(&s, 2); sem_wait(&se); sem_post(&se); "
	  "sem_init(&se, 0, 1);",
	  "DOWN(s) UP(s) INIT(s) DOWN(se) UP(se) INIT(se)" },
	{ "P0()", "wait_for_completion(&done); complete(&done); complete_all(&done); "
	  "reinit_completion(&done);",
	  "WAIT(done) COMPLETE(done) COMPLETE(done):1024 INIT(done)" },
	{ "P0()", "srcu_read_lock(&ss); srcu_read_unlock(&ss, idx); synchronize_srcu(&ss); "
	  "call_srcu(&ss, &head, r); srcu_barrier(&ss);",
	  "RCU_LOCK(ss) RCU_UNLOCK(ss) RCU_SYNC(ss) RCU_CALL(ss,r) RCU_BARRIER(ss)" },
	{ "P0()", "rcu_read_lock(); rcu_read_unlock(); synchronize_rcu(); call_rcu(r); "
	  "call_rcu(&p, r); rcu_barrier();",
	  "RCU_LOCK(rcu_read_lock) RCU_UNLOCK(rcu_read_lock) RCU_SYNC(rcu_read_lock) "
	  "RCU_CALL(rcu_read_lock,r) RCU_CALL(rcu_read_lock,r) RCU_BARRIER(rcu_read_lock)" },
	{ "P0()", "rcu_read_lock_bh(); rcu_read_unlock_bh(); rcu_read_lock_sched(); "
	  "rcu_read_unlock_sched();",
	  "BH_DISABLE+ RCU_LOCK(rcu_read_lock_bh) RCU_UNLOCK(rcu_read_lock_bh)+ BH_ENABLE "
	  "RCU_LOCK(rcu_read_lock_sched) RCU_UNLOCK(rcu_read_lock_sched)" },
	{ "P0()", "rcu_dereference(); rcu_dereference(p); rcu_dereference_check(p, &m); "
	  "rcu_dereference_protected(&m);",
	  "RCU_DEREFERENCE RCU_DEREFERENCE RCU_DEREFERENCE(m) RCU_DEREFERENCE(m):512" },
	{ "P0()", "ww_acquire_init(&ctx, &class); ww_mutex_lock(&o, &ctx); ww_mutex_lock(&o, "
	  "NULL); ww_mutex_unlock(&o); ww_acquire_done(&ctx); ww_acquire_fini(&ctx);",
	  "ACQUIRE(ctx)w ACQUIRE(o,ctx)w ACQUIRE(o)w RELEASE(o)w WW_DONE(ctx) RELEASE(ctx)w" },
	{ "P0()", "ww_mutex_lock_slow(&o, &ctx); ww_mutex_lock_slow_interruptible(&o, &ctx); "
	  "ww_mutex_lock_interruptible(&o, &ctx);",
	  "ACQUIRE(o,ctx)w:4096 ACQUIRE(o,ctx)w:4096 ACQUIRE(o,ctx)w" },
	{ "P0()", "local_lock(&ll); local_unlock(&ll); lock_map_acquire(&map); "
	  "lock_map_acquire_read(&map); lock_map_release(&map); lock_sync(&map);",
	  "ACQUIRE(ll)w RELEASE(ll)w ACQUIRE(map)w ACQUIRE(map)R RELEASE(map)w:256 SYNC(map)" },
	{ "P0()", "might_lock(&m); might_lock_read(&sem); might_lock_nested(&m, 1); "
	  "might_sleep();",
	  "MIGHT_LOCK(m)w MIGHT_LOCK(sem)r MIGHT_LOCK(m)w/1 MIGHT_SLEEP" },
	{ "P0()", "lockdep_assert_held(&m); lockdep_assert_held_write(&m); "
	  "lockdep_assert_held_read(&m); lockdep_assert_not_held(&m);",
	  "ASSERT_HELD(m)w:256 ASSERT_HELD(m)w ASSERT_HELD(m)r ASSERT_NOT_HELD(m)" },
	{ "P0()", "lockdep_pin_lock(&m); lockdep_unpin_lock(&m, cookie); "
	  "lockdep_unregister_key(&m); kfree(&l);",
	  "PIN(m) UNPIN(m) UNREGISTER(m) FREE(l)" },
	{ "P0()", "queue_work(w); queue_work(&wq, wqw); schedule_work(w); flush_work(w); "
	  "cancel_work_sync(&w); flush_workqueue(&wq); flush_scheduled_work(); "
	  "destroy_workqueue(&wq);",
	  "WORK_QUEUE(,w) WORK_QUEUE(,wqw) WORK_QUEUE(,w) WORK_FLUSH(,w) WORK_CANCEL(,w) "
	  "QUEUE_FLUSH(wq) QUEUE_FLUSH QUEUE_FLUSH(wq)+ FREE(wq):8192" },
	{ "P0()", "mod_timer(&t, 5); add_timer(t); del_timer(t); del_timer_sync(t); "
	  "timer_shutdown_sync(t);",
	  "TIMER_ARM(,t) TIMER_ARM(,t) TIMER_DELETE(,t) TIMER_DELETE(,t):2048 "
	  "TIMER_DELETE(,t):2048" },
	{ "P0()", "pthread_mutex_lock(&pm); pthread_cond_wait(&c, &pm); "
	  "pthread_cond_timedwait(&c, &pm, &ts); pthread_cond_signal(&c); "
	  "pthread_cond_broadcast(&c);",
	  "ACQUIRE(pm)w COND_WAIT(c,pm) COND_WAIT(c,pm):2 COND_SIGNAL(c) COND_SIGNAL(c):1024" },
	{ "P0()", "pthread_rwlock_rdlock(&prw); pthread_rwlock_rdlock(&prww); "
	  "pthread_rwlock_unlock(&prw); pthread_rwlock_wrlock(&prw);",
	  "ACQUIRE(prw)r:4 ACQUIRE(prww)r RELEASE(prw)w:256 ACQUIRE(prw)w" },
	{ "P0()", "pthread_create(th); pthread_create(&thread, NULL, th, NULL); "
	  "pthread_join(th, NULL);",
	  "THREAD_CREATE(,th) THREAD_CREATE(,th) THREAD_JOIN(,th)" },
	{ "P0()", "pthread_sigmask(SIG_BLOCK, SIGHUP | SIGINT); sigprocmask(SIG_SETMASK, 0, "
	  "NULL); pthread_sigmask(SIG_UNBLOCK, SIGRTMAX);",
	  "SIG_BLOCK{3} SIG_SETMASK SIG_UNBLOCK{8000000000000000}" },
	{ "P0()", "sigaction(SIGALRM, on_alarm, NULL); signal(SIGALRM, SIG_DFL); "
	  "signal(SIGALRM, SIG_IGN);",
	  "SIG_INSTALL(,on_alarm){2000} SIG_INSTALL{2000} SIG_INSTALL{2000}" },
	{ "P0()", "fork();",
	  "FORK>1" },
	{ "P0()", "return; spin_lock(&l); return;",
	  "JUMP>3 ACQUIRE(l)w JUMP>3" },
	{ "P0()", "mutex_trylock(&m); spin_lock(&l); mutex_unlock(&m); spin_unlock(&l);",
	  "ACQUIRE(m)w:1>3 ACQUIRE(l)w RELEASE(m)w RELEASE(l)w" },
	{ "P0()", "mutex_trylock(&m); spin_lock(&l);",
	  "ACQUIRE(m)w:1>2 ACQUIRE(l)w" },
	{ "P0()", "mutex_trylock(&m); { mutex_unlock(&m); } spin_lock(&l);",
	  "ACQUIRE(m)w:1>3 RELEASE(m)w ACQUIRE(l)w" },
	{ "P0()", "mutex_trylock(&m); if (*) { mutex_unlock(&m); return; } mutex_unlock(&m);",
	  "ACQUIRE(m)w:1>5 BRANCH>4 RELEASE(m)w JUMP>5 RELEASE(m)w" },
	{ "P0()", "mutex_trylock(&m); mutex_trylock(&m); mutex_unlock(&m); spin_lock(&l); "
	  "mutex_unlock(&m);",
	  "ACQUIRE(m)w:1>5 ACQUIRE(m)w:1>3 RELEASE(m)w ACQUIRE(l)w RELEASE(m)w" },
	{ "P0()", "{ mutex_trylock(&m); } mutex_unlock(&m);",
	  "ACQUIRE(m)w:1>2 RELEASE(m)w" },
	{ "P0()", "spin_trylock_irqsave(&l, f); down(&s); spin_unlock_irqrestore(&l, f); "
	  "up(&s);",
	  "IRQ_SAVE+ ACQUIRE(l)w:1>3+ JUMP>5 IRQ_RESTORE+ JUMP>8 DOWN(s) RELEASE(l)w+ "
	  "IRQ_RESTORE UP(s)" },
	{ "P0()", "spin_trylock_bh(&l);",
	  "BH_DISABLE+ ACQUIRE(l)w:1>3+ JUMP>5 BH_ENABLE+ JUMP>5" },
	{ "P0()", "down_timeout(&s, 5); up(&s); sem_trywait(&se); "
	  "pthread_mutex_timedlock(&pm, &ts); pthread_mutex_unlock(&pm);",
	  "DOWN(s):2>2 UP(s) DOWN(se):1>5 ACQUIRE(pm)w:2>5 RELEASE(pm)w" },
	{ "P0()", "wait_for_completion_timeout(&done); complete(&done);",
	  "WAIT(done):2>1 COMPLETE(done)" },
	{ "P0()", "if (*) spin_lock(&l); spin_unlock(&l);",
	  "BRANCH>2 ACQUIRE(l)w RELEASE(l)w" },
	{ "P0()", "if (*) down(&s); else up(&s); spin_lock(&l);",
	  "BRANCH>3 DOWN(s) JUMP>4 UP(s) ACQUIRE(l)w" },
	{ "P0()", "if (*) down(&s); else if (*) up(&s); else spin_lock(&l);",
	  "BRANCH>3 DOWN(s) JUMP>7 BRANCH>6 UP(s) JUMP>7 ACQUIRE(l)w" },
	{ "P0()", "if (*) if (*) down(&s); else up(&s);",
	  "BRANCH>5 BRANCH>4 DOWN(s) JUMP>5 UP(s)" },
	{ "P0()", "if (*) ; else ;",
	  "BRANCH>2 JUMP>2" },
	{ "P0()", "if (mutex_trylock(&m)) down(&s); else up(&s);",
	  "ACQUIRE(m)w:1>3 DOWN(s) JUMP>4 UP(s)" },
	{ "P0()", "if (!mutex_trylock(&m)) down(&s); else up(&s);",
	  "ACQUIRE(m)w:1>2+ JUMP>4 DOWN(s) JUMP>5 UP(s)" },
	{ "P0()", "if (mutex_trylock(&m) == 0) return; mutex_unlock(&m);",
	  "ACQUIRE(m)w:1>2+ JUMP>3 JUMP>4 RELEASE(m)w" },
	{ "P0()", "if (mutex_trylock(&m) != 0) mutex_unlock(&m);",
	  "ACQUIRE(m)w:1>2 RELEASE(m)w" },
	{ "P0()", "if (pthread_mutex_trylock(&pm) == 0) down(&s); else up(&s);",
	  "ACQUIRE(pm)w:1>3 DOWN(s) JUMP>4 UP(s)" },
	{ "P0()", "if (pthread_mutex_trylock(&pm)) down(&s); else up(&s);",
	  "ACQUIRE(pm)w:1>2+ JUMP>4 DOWN(s) JUMP>5 UP(s)" },
	{ "P0()", "if (!down_trylock(&s)) up(&s);",
	  "DOWN(s):1>2 UP(s)" },
	{ "P0()", "if (ww_mutex_lock(&o, &ctx) == -EDEADLK) down(&s); else up(&s);",
	  "ACQUIRE(o,ctx)w:128>2+ JUMP>4 DOWN(s) JUMP>5 UP(s)" },
	{ "P0()", "if (ww_mutex_lock(&o, &ctx) != -EDEADLK) down(&s); else up(&s);",
	  "ACQUIRE(o,ctx)w:128>3 DOWN(s) JUMP>4 UP(s)" },
	{ "P0()", "if (ww_mutex_lock_interruptible(&o, &ctx)) return; ww_mutex_unlock(&o);",
	  "ACQUIRE(o,ctx)w:128>2+ JUMP>3 JUMP>4 RELEASE(o)w" },
	{ "P0()", "if (!ww_mutex_lock_slow(&o, &ctx)) ww_mutex_unlock(&o);",
	  "ACQUIRE(o,ctx)w:4224>2 RELEASE(o)w" },
	{ "P0()", "if (ww_mutex_lock(&o, &ctx) == 0) ww_mutex_unlock(&o);",
	  "ACQUIRE(o,ctx)w:128>2 RELEASE(o)w" },
	{ "P0()", "if (ww_mutex_lock(&o, &ctx) != 0) ; else ww_mutex_unlock(&o);",
	  "ACQUIRE(o,ctx)w:128>2+ JUMP>3 JUMP>4 RELEASE(o)w" },
	{ "P0()", "ww_mutex_lock(&o, &ctx); spin_lock(&l); ww_mutex_unlock(&o);",
	  "ACQUIRE(o,ctx)w ACQUIRE(l)w RELEASE(o)w" },
	{ "P0()", "if (spin_trylock_bh(&l)) down(&s);",
	  "BH_DISABLE+ ACQUIRE(l)w:1>4 DOWN(s) JUMP>5 BH_ENABLE" },
	{ "P0()", "if (spin_trylock_bh(&l)) down(&s); else up(&s);",
	  "BH_DISABLE+ ACQUIRE(l)w:1>4 DOWN(s) JUMP>6 BH_ENABLE UP(s)" },
	{ "P0()", "if (!spin_trylock_irqsave(&l, f)) down(&s); else up(&s);",
	  "IRQ_SAVE+ ACQUIRE(l)w:1>3+ JUMP>6 IRQ_RESTORE DOWN(s) JUMP>7 UP(s)" },
	{ "P0()", "if (!spin_trylock_irq(&l)) return; spin_unlock_irq(&l);",
	  "IRQ_DISABLE+ ACQUIRE(l)w:1>3+ JUMP>5 IRQ_ENABLE JUMP>7 RELEASE(l)w+ IRQ_ENABLE" },
	{ "P0()", "if (fork() == 0) down(&s); else up(&s); spin_lock(&l);",
	  "FORK>2+ JUMP>4 DOWN(s) JUMP>5 UP(s) ACQUIRE(l)w" },
	{ "P0()", "if (fork()) down(&s);",
	  "FORK>2 DOWN(s)" },
	{ "softirq so()", "read_lock(&rw); read_unlock(&rw);",
	  "ACQUIRE(rw)R RELEASE(rw)r" },
	{ "softirq so()", "if (read_trylock(&rw)) read_unlock(&rw);",
	  "ACQUIRE(rw)R:1>2 RELEASE(rw)r" },
	{ "hardirq_nothread so()", "read_lock(&rw); write_lock(&rw);",
	  "ACQUIRE(rw)R ACQUIRE(rw)w" },
	{ "signal SIGINT so()", "read_lock(&rw);",
	  "ACQUIRE(rw)r" },
	{ "nmi so()", "read_lock(&rw);",
	  "ACQUIRE(rw)R" },
	{ "work so()", "read_lock(&rw); queue_work(so);",
	  "ACQUIRE(rw)r WORK_QUEUE(,so)" },
	{ "thread so()", "read_lock(&rw); pthread_join(so);",
	  "ACQUIRE(rw)r THREAD_JOIN(,so)" },
};

static void test_statements(void **state)
{
	(void)state;
	for (size_t i = 0; i < lp_array_size(statements); i++)
		check_ops(statements[i].text, statements[i].head, statements[i].ops);
}

/* An argument list for a row of the table of functions. */
static void write_arguments(const struct lp_word *word, const char *object, char *out, size_t room)
{
	static const char *const bodies[LP_BODY_KIND_COUNT] = {
		[LP_BODY_WORK] = "w", [LP_BODY_TIMER] = "t", [LP_BODY_RCU] = "r",
		[LP_BODY_THREAD] = "th", [LP_BODY_SIGNAL] = "on_alarm",
	};
	static const char *const patterns[LP_SHAPE_COUNT] = {
		[LP_SHAPE_NOTHING] = "", [LP_SHAPE_IGNORED] = "p", [LP_SHAPE_OBJECT] = "&%s",
		[LP_SHAPE_OBJECT_REST] = "&%s, 1, NULL, \"x\", SIGALRM",
		[LP_SHAPE_SUBCLASS] = "&%s, 1", [LP_SHAPE_NEST] = "&%s, &m",
		[LP_SHAPE_SAVE] = "&%s, flags", [LP_SHAPE_SAVE_SUBCLASS] = "&%s, flags, 1",
		[LP_SHAPE_CONTEXT] = "&%s, &ctx", [LP_SHAPE_ITS_CONTEXT] = "&%s, &ctx",
		[LP_SHAPE_SEMA_COUNT] = "&%s, 1",
		[LP_SHAPE_SHARED_COUNT] = "&%s, 0, 1", [LP_SHAPE_FLAGS] = "flags",
		[LP_SHAPE_BODY] = "%2$s", [LP_SHAPE_QUEUE] = "%2$s", [LP_SHAPE_CALL] = "%2$s",
		[LP_SHAPE_OBJECT_CALL] = "&%s, %2$s", [LP_SHAPE_CREATE] = "%2$s",
		[LP_SHAPE_COND] = "&%s, &pm", [LP_SHAPE_MASK] = "SIG_BLOCK, SIGALRM",
		[LP_SHAPE_HANDLER] = "SIGALRM, %2$s", [LP_SHAPE_GUARD] = "&%s",
	};

	assert_non_null(patterns[word->shape]);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(out, room, patterns[word->shape], object, bodies[word->body]);
#pragma GCC diagnostic pop
}

/* Each function takes each type of its row, and refuses each other. */
static void test_every_function(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < lp_word_count; i++) {
		const struct lp_word *word = &lp_words[i];

		for (int type = 1; type < LP_OBJECT_RCU_MAP; type++) {
			char arguments[256], text[1024];
			struct lp_scenario_error error;
			struct lp_scenario *s;
			bool fits = !word->types || word->shape == LP_SHAPE_QUEUE ||
				    word->types >> type & 1;

			write_arguments(word, "x", arguments, sizeof(arguments));
			snprintf(text, sizeof(text), "C x\n{ %s x; mutex m; pthread_mutex_t pm; "
				 "ww_acquire_ctx ctx; workqueue_struct wq; }\nP0() {\n"
				 "local_irq_save(flags);\n%s(%s);\n}\n%sexpect none",
				 lp_object_type_word(type), word->name, arguments, BODIES);
			s = parse(text, strlen(text), &error);
			if (!s == fits)
				fail_msg("%s of %s: %s", word->name, lp_object_type_word(type),
					 s ? "accepted" : error.text);
			if (!s)
				assert_non_null(strstr(error.text, " takes "));
			lp_scenario_destroy(s);
		}
	}
}

static void test_functions_are_found(void **state)
{
	struct lp_word_index index;

	(void)state;
	lp_word_index_init(&index);
	for (uint32_t i = 0; i < lp_word_count; i++) {
		const char *name = lp_words[i].name;

		if (lp_word_find(&index, name, strlen(name)) != &lp_words[i])
			fail_msg("%s is there twice", name);
	}
	assert_null(lp_word_find(&index, "spin_loc", 8));
	assert_null(lp_word_find(&index, "", 0));
}

/* Flags variables belong to their body, and eight fit. */
static void test_flags_variables(void **state)
{
	struct lp_scenario *s = parse_good("C x\n{ spinlock_t l; }\n"
		"P0() { local_irq_save(a); local_irq_save(b); local_irq_save(c);\n"
		"local_irq_save(d);\n"
		"local_irq_save(e); local_irq_save(f); local_irq_save(g); local_irq_save();\n"
		"local_irq_restore(); local_irq_restore(g); }\n"
		"P1() { local_irq_save(h); }\nexpect none\n");

	(void)state;
	assert_int_equal(s->ops[7].subclass, 7);
	assert_int_equal(s->ops[8].subclass, 7);
	assert_int_equal(s->ops[9].subclass, 6);
	assert_int_equal(s->ops[11].subclass, 0);
	lp_scenario_destroy(s);
	check_bad("C x\n{ }\nP0() { local_irq_save(f); }\nP1() { local_irq_restore(f); }\n", 66, 4,
		  26, "'f' is restored, but was never saved");
}

/* --- sites --- */

static const struct lp_site *site_with(const struct lp_scenario *s, const char *text)
{
	for (uint32_t i = 1; i < s->site_count; i++)
		if (!strcmp(s->sites[i].text, text))
			return &s->sites[i];
	fail_msg("no site '%s'", text);
	return NULL;
}

static void test_sites(void **state)
{
	struct lp_scenario *s = parse_good(
		"C x\n{ mutex m; /* so */ semaphore sem; spinlock_t l, k = \"/* k */\"; "
		"// key a.h:3\n"
		"}\nP0()\t// f0 b.c:1\n{\n"
		"  mutex_lock( & m ) /* c */ ;   //  io_free  io/uring.c:12  \r\n"
		"\tspin_lock(&l); // a word too.c: 5\n"
		"  up(\n&sem/*/ x */\n); if (*) { // g c:1:2\n"
		"  ; } down(&sem); // no d.c:0\n"
		"might_sleep(); /* so */ // yes e.c:2147483647\n"
		"fork(); // no f.c:2147483648\n"
		"rcu_read_lock(); // no f.c:8x\n"
		"rcu_read_unlock();\n// no g.c:9\n"
		"rcu_barrier(); /*\n*/ // no h.c:10\n"
		"synchronize_rcu(); // no :10\n"
		"return; // \xff i.c:11\n"
		"} // end j.c:12\nsoftirq n() { // n k.c:13\n}\nexpect none\n");
	static const struct {
		const char	*text, *function, *file;
		uint32_t	line, column, own;
	} rows[] = {
		{ "m", "m", "t.litmus", 2, 9, 2 },
		{ "l", "key", "a.h", 3, 47, 2 },
		{ "k = \"/* k */\"", "key", "a.h", 3, 50, 2 },
		{ "P0()", "f0", "b.c", 1, 1, 4 },
		{ "mutex_lock( & m ) ;", "io_free", "io/uring.c", 12, 3, 6 },
		{ "spin_lock(&l);", "P0", "t.litmus", 7, 2, 7 },
		{ "up( &sem );", "P0", "t.litmus", 8, 3, 8 },
		{ "if (*)", "g", "c:1", 2, 4, 10 },
		{ "down(&sem);", "P0", "t.litmus", 11, 7, 11 },
		{ "might_sleep();", "yes", "e.c", 2147483647, 1, 12 },
		{ "fork();", "P0", "t.litmus", 13, 1, 13 },
		{ "rcu_read_lock();", "P0", "t.litmus", 14, 1, 14 },
		{ "rcu_read_unlock();", "P0", "t.litmus", 15, 1, 15 },
		{ "rcu_barrier();", "P0", "t.litmus", 17, 1, 17 },
		{ "synchronize_rcu();", "P0", "t.litmus", 19, 1, 19 },
		{ "return;", "P0", "t.litmus", 20, 1, 20 },
		{ "softirq n()", "n", "k.c", 13, 1, 22 },
	};

	(void)state;
	for (size_t i = 0; i < lp_array_size(rows); i++) {
		const struct lp_site *site = site_with(s, rows[i].text);

		assert_string_equal(site->function, rows[i].function);
		assert_string_equal(site->file, rows[i].file);
		assert_int_equal(site->line, rows[i].line);
		assert_int_equal(site->own_column, rows[i].column);
		assert_int_equal(site->own_line, rows[i].own);
	}
	assert_string_equal(s->sites[s->ops[s->bodies[1].count - 1].site].function, "end");
	lp_scenario_destroy(s);
}

/* --- expectations --- */

static void test_expectations(void **state)
{
	(void)state;
	for (int kind = 0; kind < LP_FINDING_KIND_COUNT; kind++) {
		struct lp_scenario *s;
		char text[128], *whole;

		snprintf(text, sizeof(text), "expect possible %s\nexpect %s;",
			 lp_finding_kind_id(kind), lp_finding_kind_id(kind));
		whole = framed(LAST, text);
		s = parse_good(whole);
		free(whole);
		assert_int_equal(s->expectation_count, 2);
		assert_int_equal(s->expectations[0].kind, kind);
		assert_true(s->expectations[0].possible && !s->expectations[1].possible);
		assert_int_equal(s->expectations[1].line, 5);
		lp_scenario_destroy(s);
	}
}

/* --- hostile input --- */

static const char sample[] =
	"/* all */ C x // y\n{ spinlock_t l = \"&x->l\"; mutex m(ordered) : k, n(ordered) : k;\n"
	"workqueue_struct wq; semaphore s(3); ww_mutex o : ww; ww_acquire_ctx c : ww; }\n"
	"P0(int *p) { // f g.c:1\n"
	"if (!spin_trylock_irqsave(&l, f)) { queue_work(&wq, w); } else if (*) return;\n"
	"else { down_timeout(&s, 5); up(&s); }\npthread_sigmask(SIG_BLOCK, SIGALRM | SIGHUP);\n"
	"rcu_read_lock_bh(); call_rcu(r); fork(); } // a b.c:2\n"
	"P1() { if (ww_mutex_lock(&o, &c) != -EDEADLK) ww_mutex_unlock(&o); }\n"
	"work w(wq) { mod_timer(t); }\n"
	"timer t() { }\nrcu r() { }\nexpect possible circular-locking; expect none-such\n";

static const char *good_sample(void)
{
	static char text[sizeof(sample)];

	memcpy(text, sample, sizeof(sample));
	strcpy(strstr(text, "none-such"), "deadlock");
	return text;
}

static void try_bytes(const char *bytes, size_t size)
{
	struct lp_scenario_error error;
	struct lp_scenario *scenario = parse(bytes, size, &error);

	if (!scenario) {
		assert_true(error.line && error.column);
		assert_int_not_equal(*error.text, '\0');
	}
	lp_scenario_destroy(scenario);
}

static void test_every_beginning(void **state)
{
	const char *text = good_sample();

	(void)state;
	lp_scenario_destroy(parse_good(text));
	for (size_t size = 0; size < strlen(text); size++)
		try_bytes(text, size);
}

static void test_changed_bytes(void **state)
{
	static const char pool[] = "(){};,&:=!*|/\"\\\n\r \0\xff" "0a_";
	uint64_t random = test_seed("scenario-parse");
	const char *text = good_sample();
	size_t size = strlen(text);

	(void)state;
	for (uint64_t i = test_steps(20000); i; i--) {
		char changed[sizeof(sample)];

		memcpy(changed, text, size);
		for (uint64_t k = 1 + test_random(&random) % 3; k; k--)
			changed[test_random(&random) % size] =
				pool[test_random(&random) % (sizeof(pool) - 1)];
		try_bytes(changed, size);
	}
}

static void test_short_memory(void **state)
{
	const char *text = good_sample();
	struct lp_scenario_error error;
	struct lp_scenario *scenario;
	long index = 0;
	bool failed;

	(void)state;
	do {
		fail_allocation(index++);
		scenario = lp_scenario_parse("t.litmus", text, strlen(text), &error);
		failed = end_of_failing();
		if (failed) {
			assert_null(scenario);
			assert_int_equal(error.line, 0);
			assert_string_equal(error.text, "memory is short");
		}
	} while (failed);
	assert_non_null(scenario);
	assert_true(index > 15);
	lp_scenario_destroy(scenario);
	lp_scenario_destroy(NULL);
}

/* --- words --- */

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(lp_object_type_word(LP_OBJECT_SPINLOCK_T), "spinlock_t");
	assert_string_equal(lp_body_kind_word(LP_BODY_SOFTIRQ), "softirq");
	assert_string_equal(lp_body_kind_word(LP_BODY_TASK), "P");
	assert_string_equal(lp_op_name(LP_OP_ACQUIRE), "ACQUIRE");
	assert_string_equal(lp_object_type_word(LP_OBJECT_TYPE_COUNT), "unknown");
	assert_string_equal(lp_body_kind_word(LP_BODY_KIND_COUNT), "unknown");
	assert_string_equal(lp_op_name(LP_OP_COUNT), "unknown");
}

/* --- the manual page --- */

static bool in_page(const char *word)
{
	static const char part[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	size_t size = strlen(word);

	for (const char *at = page; (at = strstr(at, word)); at += size)
		if ((at == page || !strchr(part, at[-1])) && !(at[size] && strchr(part, at[size])))
			return true;
	return false;
}

/* The page without what roff needs: "\fBcircular\-locking\fR" is circular-locking. */
static void read_page(void)
{
	FILE *file = fopen(manual_path, "r");
	size_t size = 0;
	int c;

	assert_non_null(file);
	while ((c = fgetc(file)) != EOF && size < sizeof(page) - 1) {
		if (c == '\\') {
			c = fgetc(file);
			if (c == 'f') {
				fgetc(file);
				continue;
			}
		}
		page[size++] = (char)c;
	}
	page[size] = '\0';
	fclose(file);
}

static void test_manual_has_every_word(void **state)
{
	(void)state;
	read_page();
	for (uint32_t i = 0; i < lp_word_count; i++)
		if (!in_page(lp_words[i].name))
			fail_msg("%s is not in %s", lp_words[i].name, manual_path);
	for (int type = 1; type < LP_OBJECT_RCU_MAP; type++)
		assert_true(in_page(lp_object_type_word(type)));
	for (int kind = LP_BODY_TASK + 1; kind < LP_BODY_KIND_COUNT; kind++)
		assert_true(in_page(lp_body_kind_word(kind)));
	for (int kind = 0; kind < LP_FINDING_KIND_COUNT; kind++)
		if (!in_page(lp_finding_kind_id(kind)))
			fail_msg("%s is not in %s", lp_finding_kind_id(kind), manual_path);
	assert_false(in_page("spin_loc"));
}

/* What stands between .EX and .EE and begins with "C " is a scenario. */
static void test_examples_of_the_manual(void **state)
{
	unsigned count = 0;

	(void)state;
	read_page();
	for (char *at = page; (at = strstr(at, "\n.EX\n")); count++) {
		char *end = strstr(at, "\n.EE");

		assert_non_null(end);
		*end = '\0';
		at += 5;
		if (strstr(at, "expect "))
			lp_scenario_destroy(parse_good(at));
		at = end + 1;
	}
	assert_true(count >= 3);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_inputs),
		cmocka_unit_test(test_limits_of_names),
		cmocka_unit_test(test_long_tokens_are_cut_in_messages),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_deep_nesting_is_refused),
		cmocka_unit_test(test_zero_bytes),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_many_tasks_and_objects),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_forms_of_text),
		cmocka_unit_test(test_names_of_scenarios),
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_classes_of_two_types),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_built_ins_on_demand),
		cmocka_unit_test(test_statements),
		cmocka_unit_test(test_every_function),
		cmocka_unit_test(test_functions_are_found),
		cmocka_unit_test(test_flags_variables),
		cmocka_unit_test(test_sites),
		cmocka_unit_test(test_expectations),
		cmocka_unit_test(test_every_beginning),
		cmocka_unit_test(test_changed_bytes),
		cmocka_unit_test(test_short_memory),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_manual_has_every_word),
		cmocka_unit_test(test_examples_of_the_manual),
	};

	manual_path = argc > 1 ? argv[1] : "docs/man/lockproof-scenario.5";
	return cmocka_run_group_tests(tests, NULL, NULL);
}

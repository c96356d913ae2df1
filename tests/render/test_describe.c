/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_describe.c — findings become reports: names, numbers, places, tables.
 *
 * The symbolizer is a table here, so that every answer is known; the real one has tests of its
 * own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "base/compiler.h"
#include "cli/describe.h"
#include "cli/wrapper.h"
#include "failing.h"

/* The program's text. Addresses are what the stacks below contain. */
#define IN(name, path, at) { name, path, at, 0, true, 0, 0, 4, false }
#define FN(name, path, at, offset, size) { name, path, at, 0, false, offset, size, 4, false }

struct code {
	uint64_t	offset;
	const char	*argument;	/* of the lock call there */
	struct lp_symbol symbol[4];	/* up to the one that is not inlined */
};

static const struct code program[] = {
	{ 0x100, "&q->lock", { FN("queue_new", "server.c", 120, 0x20, 0x80) } },
	{ 0x110, "&q->lock", { FN("cache_new", "cache.c", 50, 0x10, 0x80) } },
	{ 0x120, "m", { FN("init_lock", "util.c", 9, 0x8, 0x20) } },
	{ 0x130, "&table.lock", { FN("table_init", "table.c", 30, 0x30, 0x40) } },
	{ 0x140, NULL, { FN("no_source", NULL, 0, 0x44, 0x80) } },
	{ 0x200, "&q->lock", { FN("push", "server.c", 200, 0x10, 0x90) } },
	{ 0x210, "&c->lock", { FN("evict", "cache.c", 70, 0x18, 0x90) } },
	{ 0x220, NULL, { FN("worker", "server.c", 300, 0x22, 0x90) } },
	{ 0x230, NULL, { FN("main", "server.c", 400, 0x92, 0x100) } },
	{ 0x240, "m_", {
		IN("std::mutex::lock()", "std_mutex.h", 100),
		IN("std::lock_guard<std::mutex>::lock_guard(std::mutex&)", "std_mutex.h", 229),
		IN("Account::post(int)", "account.cc", 12),
		FN("pay(Account&)", "pay.cc", 40, 0x31, 0x60) } },
	{ 0x250, NULL, {
		FN("std::unique_lock<std::mutex>::lock()", "unique_lock.h", 139, 0x9, 0x20) } },
	{ 0x258, NULL, { IN("Pool::grow()", "pool.cc", 66), FN("main", "pool.cc", 90, 8, 9) } },
	{ 0x25c, NULL, { FN("std::function<void ()>::go(int)", NULL, 0, 8, 9) } },
	{ 0x260, "tree_lock", { FN("walk", "tree.c", 5, 0x10, 0x20) } },
	{ 0x270, "tree_lock", { FN("prune", "tree.c", 25, 0x10, 0x20) } },
	{ 0x280, "&stray", { FN("unlock_stray", "misuse.c", 7, 0x10, 0x20) } },
	{ 0x290, NULL, { { "<signal handler called>", NULL, 0, 0, false, 0, 0, 4, true } } },
	{ 0x300, NULL, { FN("worker", "server.c", 290, 0, 0x90) } },
};

static const struct lp_symbol no_symbol = { .module = -1 };
static uint64_t asked_exactly;	/* the last one that was no return address */

static const struct code *code_at(uint64_t offset)
{
	for (size_t i = 0; i < lp_array_size(program); i++) {
		if (program[i].offset == offset)
			return &program[i];
	}
	return NULL;
}

int lp_symbolizer_module(struct lp_symbolizer *symbolizer, const char *path,
			 const uint8_t *build_id, size_t build_id_size)
{
	return strcmp(path, "/srv/app") ? 9 : 4;
}

struct lp_symbols lp_symbolize(struct lp_symbolizer *symbolizer, int module, uint64_t offset,
			       bool return_address)
{
	const struct code *code = module == 4 ? code_at(offset) : NULL;
	struct lp_symbols symbols = { &no_symbol, 1 };

	assert_true(module == 4 || module == 9);
	if (!return_address)
		asked_exactly = offset;
	if (!code)
		return symbols;
	symbols.at = code->symbol;
	while (symbols.at[symbols.count - 1].inlined)
		symbols.count++;
	return symbols;
}

const char *lp_symbolize_data(struct lp_symbolizer *symbolizer, int module, uint64_t offset)
{
	static const char *const names[] = { "table_lock", "pool.lock", "locks[3]" };

	if (module != 4 || offset < 0x4000 || offset >= 0x4000 + 0x40 * lp_array_size(names))
		return NULL;
	return names[(offset - 0x4000) / 0x40];
}

const char *lp_symbolize_lock_argument(struct lp_symbolizer *symbolizer,
				       const struct lp_symbol *symbol)
{
	assert_non_null(symbol->file);
	assert_true(symbol->line > 0);
	for (size_t i = 0; i < lp_array_size(program); i++) {
		for (size_t j = 0; j < lp_array_size(program[i].symbol); j++) {
			if (symbol == &program[i].symbol[j])
				return lp_wrapper_function(symbol->function) ? NULL :
				       program[i].argument;
		}
	}
	return NULL;
}

/* A model to be filled, with the program as module 1, a library without symbols as 2. */
struct world {
	struct lp_model	*model;
	struct lp_describer *describer;
	uint32_t	app, library;
};

static uint32_t add_module(struct lp_model *model, const char *path, uint8_t build_id)
{
	struct lp_model_module module = { .path = (char *)path, .size = 0x10000 };

	if (build_id) {
		module.build_id_size = 20;
		memset(module.build_id, build_id, 20);
	}
	return lp_model_add_module(model, &module);
}

static int set_up(void **state)
{
	/* The symbolizer is never looked into, but must not be NULL. */
	static char symbolizer;
	struct world *world = calloc(1, sizeof(*world));

	world->model = lp_model_create();
	world->app = add_module(world->model, "/srv/app", 0xab);
	world->library = add_module(world->model, "/lib/libblob.so.1", 0);
	world->describer = lp_describer_create(world->model, (struct lp_symbolizer *)&symbolizer);
	*state = world;
	return !world->app || !world->library || !world->describer;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	lp_describer_destroy(world->describer);
	lp_model_destroy(world->model);
	free(world);
	return 0;
}

static struct lp_model_frame frame_at(const struct world *world, uint32_t offset)
{
	return (struct lp_model_frame){ world->app, offset };
}

/* A stack of the program's code; up to offset 0. */
#define STACK(world, ...) add_stack(world, (const uint32_t[]){ __VA_ARGS__, 0 })

static uint32_t add_stack(struct world *world, const uint32_t *offsets)
{
	struct lp_model_frame frame[16];
	struct lp_model_stack stack = { .frame = frame };

	for (; offsets[stack.count]; stack.count++)
		frame[stack.count] = frame_at(world, offsets[stack.count]);
	return lp_model_add_stack(world->model, &stack);
}

static uint32_t add_fine(struct world *world, enum lp_origin origin, uint32_t stack,
			 struct lp_model_frame object)
{
	struct lp_model_fine fine = {
		.kind = LP_LOCK_MUTEX, .origin = origin, .stack = stack, .object = object,
	};
	uint32_t index = lp_model_add_fine(world->model, &fine);

	assert_true(index > 0);
	return index;
}

static uint32_t add_init(struct world *world, uint32_t stack)
{
	return add_fine(world, LP_ORIGIN_INIT, stack, (struct lp_model_frame){ 0, 0 });
}

static uint32_t add_static(struct world *world, uint32_t offset)
{
	return add_fine(world, LP_ORIGIN_STATIC, 0, frame_at(world, offset));
}

static uint32_t add_first(struct world *world, uint32_t stack)
{
	return add_fine(world, LP_ORIGIN_FIRST_LOCK, stack, (struct lp_model_frame){ 0, 0 });
}

static void regroup(struct world *world)
{
	assert_int_equal(lp_model_regroup(world->model, lp_describer_is_wrapper, world->describer),
			 0);
}

static const char *name_of(struct world *world, uint32_t fine)
{
	return lp_describe_class(world->describer, world->model->fines.at[fine].class_index);
}

static uint32_t add_node(struct world *world, uint32_t parent, uint32_t fine, uint32_t stack)
{
	struct lp_model_node node = {
		.parent = parent, .fine = fine, .stack = stack,
		.site = world->model->stacks.at[stack].frame[0],
	};

	return lp_model_add_node(world->model, &node);
}

static uint32_t add_process(struct world *world, uint32_t pid)
{
	struct lp_model_process process = {
		.image = 1, .pid = pid, .exe = (char *)"/srv/app", .args = (char *)"app",
	};

	return lp_model_add_process(world->model, &process);
}

static uint32_t add_thread(struct world *world, uint32_t process, uint32_t creator,
			   uint32_t number, const char *name)
{
	struct lp_model_thread thread = {
		.process = process, .creator = creator, .number = number,
		.tid = 1000 + number,
	};

	strcpy(thread.name, name);
	if (creator) {
		thread.stack = STACK(world, 0x230);
		thread.start = frame_at(world, 0x300);
	}
	return lp_model_add_thread(world->model, &thread);
}

static void test_names(void **state)
{
	struct world *world = *state;
	uint32_t queue = add_init(world, STACK(world, 0x100, 0x230));
	uint32_t cache = add_init(world, STACK(world, 0x110, 0x230));
	uint32_t data = add_static(world, 0x4000);
	uint32_t unnamed = add_static(world, 0x5000);
	uint32_t source = add_init(world, STACK(world, 0x140));
	uint32_t bare = add_init(world, STACK(world, 0x999));
	uint32_t guard = add_first(world, STACK(world, 0x240, 0x230));
	uint32_t template = add_first(world, STACK(world, 0x25c));
	uint32_t inlined = add_first(world, STACK(world, 0x258));

	regroup(world);
	assert_string_equal(name_of(world, queue), "&q->lock");
	assert_string_equal(name_of(world, cache), "&q->lock#2");
	assert_string_equal(name_of(world, data), "table_lock");
	assert_string_equal(name_of(world, unnamed), "app+0x5000");
	assert_string_equal(name_of(world, source), "no_source+0x44");
	assert_string_equal(name_of(world, bare), "app+0x999");
	assert_string_equal(name_of(world, guard), "m_");
	assert_string_equal(name_of(world, template), "std::function<void ()>::go(int)+0x8");
	assert_string_equal(name_of(world, inlined), "Pool::grow:66");
	/* Names are kept. */
	assert_string_equal(name_of(world, cache), "&q->lock#2");
	assert_string_equal(name_of(world, queue), "&q->lock");
	assert_string_equal(lp_describe_class(world->describer, 0), "unknown lock");
}

/* Objects of the program's data that a function initialised. */
static void test_names_of_objects(void **state)
{
	struct world *world = *state;
	uint32_t by_parameter = add_fine(world, LP_ORIGIN_INIT, STACK(world, 0x120, 0x230),
					 frame_at(world, 0x4040));
	uint32_t by_itself = add_fine(world, LP_ORIGIN_INIT, STACK(world, 0x130, 0x230),
				      frame_at(world, 0x4000));
	uint32_t heap = add_init(world, STACK(world, 0x120, 0x140));

	regroup(world);
	assert_string_equal(name_of(world, by_parameter), "pool.lock");
	assert_string_equal(name_of(world, by_itself), "&table.lock");
	assert_string_equal(name_of(world, heap), "m");
}

static void test_no_symbolizer(void **state)
{
	struct world *world = *state;
	struct lp_describer *describer = lp_describer_create(world->model, NULL);
	uint32_t first = add_init(world, STACK(world, 0x100));
	uint32_t second = add_static(world, 0x4000);

	assert_int_equal(lp_model_regroup(world->model, lp_describer_is_wrapper, describer), 0);
	assert_string_equal(lp_describe_class(describer, world->model->fines.at[first].class_index),
			    "app+0x100");
	assert_string_equal(lp_describe_class(describer,
					      world->model->fines.at[second].class_index),
			    "app+0x4000");
	lp_describer_destroy(describer);
}

/* Two classes that turn out to be one: it keeps a name that was already printed. */
static void test_merged_classes(void **state)
{
	struct world *world = *state;
	uint32_t walk = STACK(world, 0x260), prune = STACK(world, 0x270);
	uint32_t a = add_first(world, walk), b = add_first(world, prune), class_count;

	add_node(world, 0, a, walk);
	add_node(world, 0, b, prune);
	regroup(world);
	class_count = world->model->classes.count;
	assert_string_equal(name_of(world, a), "tree_lock");
	assert_string_equal(name_of(world, b), "tree_lock#2");
	add_node(world, 0, a, prune);
	regroup(world);
	assert_int_equal(world->model->classes.count, class_count - 1);
	assert_string_equal(name_of(world, a), "tree_lock");
	assert_string_equal(name_of(world, b), "tree_lock");
}

static void test_wrapper_names(void **state)
{
	static const char *const wrappers[] = {
		"std::mutex::lock()", "__gthread_mutex_lock(pthread_mutex_t*)",
		"__gthread_mutex_lock", "std::unique_lock<std::mutex>::unique_lock(std::mutex&)",
		"void std::lock<std::mutex, std::mutex>(std::mutex&, std::mutex&)",
		"int std::__detail::__try_lock_impl<std::unique_lock<std::mutex> >(int)",
		"std::scoped_lock<std::mutex, std::mutex>::scoped_lock(std::mutex&, std::mutex&)",
		"std::__shared_mutex_pthread::lock_shared()", "std::shared_mutex::lock()",
		"std::__1::mutex::lock()", "std::__1::lock_guard<std::__1::mutex>::lock_guard()",
		"std::condition_variable::wait(std::unique_lock<std::mutex>&)",
		"std::__mutex_base::__mutex_base()", "g_mutex_lock", "g_rw_lock_reader_lock",
		"mtx_lock", "mtx_init", "std::_V2::condition_variable_any::wait<L>(L&)",
		"__gthread_mutex_lock [clone .isra.0]",
	};
	static const char *const others[] = {
		"", "main", "lock", "my_mutex_lock", "transfer", "std::vector<std::mutex>::size()",
		"Account::lock()", "mtx_lock_all", "std::mutex", "g_main_loop_run",
		"ns::std::mutex::lock()", "std::locker()", "foo(std::mutex::lock)",
		"void run<std::mutex::lock>()", "(anonymous namespace)::lock()", "<<<", ">>>", "(",
	};
	char endless[1000];

	for (size_t i = 0; i < lp_array_size(wrappers); i++) {
		if (!lp_wrapper_function(wrappers[i]))
			fail_msg("%s is a wrapper", wrappers[i]);
	}
	for (size_t i = 0; i < lp_array_size(others); i++) {
		if (lp_wrapper_function(others[i]))
			fail_msg("%s is no wrapper", others[i]);
	}
	memset(endless, 'x', sizeof(endless));
	endless[sizeof(endless) - 1] = '\0';
	assert_false(lp_wrapper_function(endless));
}

static void test_wrapper_frames(void **state)
{
	struct world *world = *state;

	/* Ask twice: the second answer comes from the table, which has grown meanwhile. */
	for (int round = 0; round < 2; round++) {
		assert_true(lp_describer_is_wrapper(world->describer, world->model,
						    frame_at(world, 0x250)));
		assert_false(lp_describer_is_wrapper(world->describer, world->model,
						     frame_at(world, 0x240)));
		assert_false(lp_describer_is_wrapper(world->describer, world->model,
						     (struct lp_model_frame){ 0, 0x250 }));
		assert_false(lp_describer_is_wrapper(world->describer, world->model,
						     (struct lp_model_frame){ world->library,
									      0x250 }));
		for (uint32_t offset = 0x10000; offset < 0x12000; offset++)
			assert_false(lp_describer_is_wrapper(world->describer, world->model,
							     frame_at(world, offset)));
	}
}

/* Two threads, two locks, opposite orders; a gate below one of them. */
struct abba {
	uint32_t	queue, cache, gate, main, one, two;
	uint32_t	hold_one, want_one, gate_two, hold_two, want_two;
	struct lp_finding_edge edge[2];
	struct lp_finding finding;
};

static void make_abba(struct world *world, struct abba *it)
{
	uint32_t process = add_process(world, 1000);
	uint32_t push = STACK(world, 0x200, 0x220), evict = STACK(world, 0x210, 0x220);

	it->queue = add_init(world, STACK(world, 0x100, 0x230));
	it->cache = add_static(world, 0x4000);
	it->gate = add_first(world, STACK(world, 0x250, 0x240, 0x230));
	it->main = add_thread(world, process, 0, 1, "app");
	it->one = add_thread(world, process, it->main, 2, "pusher");
	it->two = add_thread(world, process, it->main, 3, "evicter");
	it->hold_one = add_node(world, 0, it->queue, push);
	it->want_one = add_node(world, it->hold_one, it->cache, evict);
	it->gate_two = add_node(world, 0, it->gate, STACK(world, 0x250, 0x240, 0x230));
	it->hold_two = add_node(world, it->gate_two, it->cache, evict);
	it->want_two = add_node(world, it->hold_two, it->queue, push);
	it->edge[0] = (struct lp_finding_edge){ .held = it->hold_two, .wanted = it->want_two,
						.thread = it->two };
	it->edge[1] = (struct lp_finding_edge){ .held = it->hold_one, .wanted = it->want_one,
						.thread = it->one };
	it->finding = (struct lp_finding){
		.id = 0x1234, .kind = LP_FINDING_CIRCULAR_LOCKING, .level = LP_FEASIBLE,
		.reason = LP_REASON_CONCURRENT, .edge_count = 2, .edge = it->edge,
	};
	regroup(world);
}

static const struct lp_report_stack *stack_of(const struct lp_report_finding *report,
					      const char *role, uint32_t edge)
{
	for (size_t i = 0; i < report->stack_count; i++) {
		if (!strcmp(report->stacks[i].role, role) && report->stacks[i].edge == edge)
			return &report->stacks[i];
	}
	fail_msg("no stack %s of edge %u", role, edge);
	return NULL;
}

static void check_place(const struct lp_report_finding *report, const char *role, uint32_t edge,
			uint32_t lock, const char *function)
{
	const struct lp_report_stack *stack = stack_of(report, role, edge);

	assert_string_equal(stack->frames[stack->place].function, function);
	assert_int_equal(stack->thread, edge);
	assert_int_equal(stack->lock, lock);
}

static void test_cycle(void **state)
{
	static const struct lp_report_step wanted[] = {
		{ .thread = 1, .text = "lock(table_lock);" },
		{ .thread = 0, .text = "lock(&q->lock);" },
		{ .thread = 0, .text = "lock(table_lock);" },
		{ .thread = 1, .text = "lock(&q->lock);" },
	};
	struct world *world = *state;
	const struct lp_report_finding *report;
	struct abba abba;

	make_abba(world, &abba);
	report = lp_describe_finding(world->describer, &abba.finding);
	assert_non_null(report);
	assert_string_equal(report->id, "0000000000001234");
	assert_string_equal(report->kind, "circular-locking");
	assert_string_equal(report->level, "feasible");
	assert_string_equal(report->reason, lp_reason_text(LP_REASON_CONCURRENT));
	assert_string_equal(report->title, "circular locking: table_lock -> &q->lock -> "
			    "table_lock in push");
	/* The newest node closed the cycle: its dependency is the last. */
	assert_int_equal(report->thread_count, 2);
	assert_string_equal(report->threads[0].comm, "pusher");
	assert_string_equal(report->threads[1].comm, "evicter");
	assert_int_equal(report->threads[1].tid, 1003);
	assert_int_equal(report->threads[1].pid, 1000);
	assert_string_equal(report->threads[1].start, "worker server.c:290");
	assert_string_equal(report->threads[1].created_by, "T1 in main server.c:400");
	assert_int_equal(report->cycle_count, 2);
	assert_string_equal(report->locks[0].name, "&q->lock");
	assert_string_equal(report->locks[0].created, "initialised in queue_new server.c:120");
	assert_string_equal(report->locks[0].kind, "mutex");
	assert_string_equal(report->locks[1].name, "table_lock");
	assert_string_equal(report->locks[1].created, "static in app");
	check_place(report, "held", 0, 0, "push");
	check_place(report, "wanted", 0, 1, "evict");
	check_place(report, "held", 1, 1, "evict");
	check_place(report, "wanted", 1, 0, "push");
	assert_string_equal(stack_of(report, "created", UINT32_MAX)->frames[0].function,
			    "queue_new");
	assert_int_equal(report->step_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(report->steps[i].thread, wanted[i].thread);
		assert_string_equal(report->steps[i].text, wanted[i].text);
	}
	/* The reporting thread holds a gate that is not part of the cycle. */
	assert_int_equal(report->held_count, 2);
	assert_int_equal(report->lock_count, 3);
	assert_int_equal(report->held[0].lock, 2);
	assert_string_equal(report->locks[2].name, "m_");
	assert_string_equal(report->locks[2].created, "first locked in Account::post(int) "
			    "account.cc:12");
	assert_string_equal(report->held[0].frames[0].function, "Account::post(int)");
	assert_int_equal(report->held[1].lock, 1);
	assert_int_equal(report->held[1].thread, 1);
}

static void test_gate_and_deadlock(void **state)
{
	struct world *world = *state;
	const struct lp_report_finding *report;
	struct abba abba;

	make_abba(world, &abba);
	abba.finding.level = LP_POSSIBLE;
	abba.finding.reason = LP_REASON_GATE;
	abba.finding.gate = abba.gate_two;
	report = lp_describe_finding(world->describer, &abba.finding);
	assert_non_null(report);
	assert_non_null(strstr(report->reason, "That lock is m_."));
	abba.finding.kind = LP_FINDING_DEADLOCK;
	abba.finding.level = LP_ACTUAL;
	abba.finding.reason = LP_REASON_HAPPENED;
	report = lp_describe_finding(world->describer, &abba.finding);
	assert_non_null(report);
	assert_string_equal(report->level, "actual");
	/* What every thread holds, one thread after the other. */
	assert_int_equal(report->held_count, 3);
	assert_int_equal(report->held[0].thread, 0);
	assert_int_equal(report->held[2].thread, 1);
}

static void test_unknown_thread(void **state)
{
	struct world *world = *state;
	const struct lp_report_finding *report;
	struct abba abba;

	make_abba(world, &abba);
	abba.edge[0].thread = abba.edge[1].thread = 0;
	report = lp_describe_finding(world->describer, &abba.finding);
	assert_non_null(report);
	assert_null(report->threads[0].comm);
	assert_int_equal(report->threads[0].number, 0);
}

static const struct lp_report_finding *describe_event(struct world *world,
						      enum lp_finding_kind kind,
						      const struct lp_model_event *event)
{
	struct lp_finding finding = {
		.kind = kind, .level = LP_ACTUAL, .reason = LP_REASON_HAPPENED,
	};

	finding.event = lp_model_add_event(world->model, event);
	assert_true(finding.event > 0);
	regroup(world);
	return lp_describe_finding(world->describer, &finding);
}

static char known_by[1];	/* context of know_object() */

/* Instances of one class: where lock objects are known, the table tells them apart. */
static void test_instances(void **state)
{
	struct world *world = *state;
	uint32_t process = add_process(world, 1000), stack = STACK(world, 0x200), node;
	uint32_t queue = add_init(world, STACK(world, 0x100, 0x230));
	struct lp_model_lock first = { queue, process, 71, 0x7f0100, 0 };
	struct lp_model_lock second = { queue, process, 72, 0x7f0200, 0 };
	struct lp_model_witness witness = { .count = 2, .serial = (uint64_t[]){ 72, 71 } };
	struct lp_finding_edge edge = { 0 };
	struct lp_finding finding = {
		.kind = LP_FINDING_RECURSIVE_LOCKING, .reason = LP_REASON_SAME_CLASS,
		.edge = &edge, .edge_count = 1,
	};
	const struct lp_report_finding *report;

	lp_model_add_lock(world->model, &first);
	lp_model_add_lock(world->model, &second);
	edge.thread = witness.thread = add_thread(world, process, 0, 1, "app");
	edge.held = add_node(world, 0, queue, stack);
	edge.wanted = witness.node = add_node(world, edge.held, queue, stack);
	edge.witness = lp_model_add_witness(world->model, &witness);
	regroup(world);
	report = lp_describe_finding(world->describer, &finding);
	assert_non_null(report);
	assert_int_equal(report->cycle_count, 2);
	assert_int_equal(report->locks[0].address, 0x7f0100);
	assert_int_equal(report->locks[1].address, 0x7f0200);
	assert_string_equal(report->steps[0].text, "lock(&q->lock 7f0100);");
	assert_string_equal(report->steps[1].text, "lock(&q->lock 7f0200);");
	assert_string_equal(report->title, "recursive locking: &q->lock in push");
	/* A witness that was cut knows the innermost lock only. */
	node = add_node(world, edge.wanted, queue, stack);
	witness.node = add_node(world, node, queue, stack);
	witness.count = 1;
	edge = (struct lp_finding_edge){
		.held = node, .wanted = witness.node, .thread = witness.thread,
		.witness = lp_model_add_witness(world->model, &witness),
	};
	report = lp_describe_finding(world->describer, &finding);
	assert_non_null(report);
	assert_int_equal(report->locks[0].address, 0);
	assert_int_equal(report->locks[1].address, 0x7f0200);
}

/* Of two locks of one class that a thread holds, the event is about one. */
static void test_event_instance(void **state)
{
	struct world *world = *state;
	uint32_t process = add_process(world, 1000);
	uint32_t queue = add_init(world, STACK(world, 0x100, 0x230)), outer;
	struct lp_model_witness witness = { .count = 2, .serial = (uint64_t[]){ 72, 71 } };
	struct lp_model_event event = { .kind = LP_EVENT_DESTROY_HELD, .fine = queue, .serial = 71 };
	const struct lp_report_finding *report;

	event.thread = witness.thread = add_thread(world, process, 0, 1, "app");
	event.stack = STACK(world, 0x280);
	outer = add_node(world, 0, queue, STACK(world, 0x200));
	event.node = witness.node = add_node(world, outer, queue, STACK(world, 0x210));
	assert_true(lp_model_add_witness(world->model, &witness) > 0);
	report = describe_event(world, LP_FINDING_HELD_LOCK_FREED, &event);
	assert_non_null(report);
	check_place(report, "held", 0, 0, "push");
}

static void test_same_instance(void **state)
{
	struct world *world = *state;
	uint32_t process = add_process(world, 1000), stack = STACK(world, 0x200);
	uint32_t queue = add_init(world, STACK(world, 0x100, 0x230));
	struct lp_finding_edge edge = { 0 };
	struct lp_finding finding = {
		.kind = LP_FINDING_RECURSIVE_LOCKING, .level = LP_FEASIBLE,
		.reason = LP_REASON_CONCURRENT, .edge = &edge, .edge_count = 1,
	};
	const struct lp_report_finding *report;

	edge.thread = add_thread(world, process, 0, 1, "app");
	edge.held = add_node(world, 0, queue, stack);
	edge.wanted = add_node(world, edge.held, queue, stack);
	regroup(world);
	report = lp_describe_finding(world->describer, &finding);
	assert_non_null(report);
	assert_int_equal(report->cycle_count, 1);
	assert_int_equal(report->step_count, 2);
	assert_string_equal(report->steps[1].text, "lock(&q->lock);");
	assert_int_equal(stack_of(report, "wanted", 0)->lock, 0);
}

/* ---- objects that somebody knows, what is given, writers ---- */

enum { ALICE = 71, BOB, WORKER, DONE };

static bool know_object(void *context, const struct lp_model *model, uint64_t serial,
			struct lp_known_object *out)
{
	static const struct lp_known_object known[] = {
		{ "alice", NULL }, { "bob", NULL }, { "thread worker", "worker" },
		{ "done", NULL },
	};

	assert_ptr_equal(context, known_by);
	assert_non_null(model);
	if (serial < ALICE || serial > DONE)
		return false;
	*out = known[serial - ALICE];
	return true;
}

/* Their names stand for addresses, wherever a serial number is known. */
static void test_known_objects(void **state)
{
	struct world *world = *state;
	uint32_t process = add_process(world, 1000), stack = STACK(world, 0x200);
	uint32_t queue = add_init(world, STACK(world, 0x100, 0x230));
	struct lp_model_lock first = { queue, process, ALICE, 0x7f0100, 0 };
	struct lp_model_lock second = { queue, process, BOB, 0x7f0200, 0 };
	struct lp_model_lock third = { queue, process, 99, 0x7f0300, 0 };
	struct lp_model_witness witness = { .count = 3, .serial = (uint64_t[]){ BOB, ALICE, 99 } };
	struct lp_finding_edge edge = { 0 };
	struct lp_finding finding = {
		.kind = LP_FINDING_RECURSIVE_LOCKING, .reason = LP_REASON_SAME_CLASS,
		.edge = &edge, .edge_count = 1,
	};
	struct lp_model_event event = { .kind = LP_EVENT_FREE_HELD, .fine = queue,
					.serial = ALICE, .address = 0x7f0100 };
	const struct lp_report_finding *report;

	lp_describer_set_objects(world->describer, know_object, known_by);
	event.lock = lp_model_add_lock(world->model, &first);
	lp_model_add_lock(world->model, &second);
	lp_model_add_lock(world->model, &third);
	edge.thread = witness.thread = event.thread = add_thread(world, process, 0, 1, "app");
	edge.held = add_node(world, add_node(world, 0, queue, stack), queue, stack);
	edge.wanted = witness.node = event.node = add_node(world, edge.held, queue, stack);
	edge.witness = lp_model_add_witness(world->model, &witness);
	regroup(world);
	report = lp_describe_finding(world->describer, &finding);
	assert_non_null(report);
	assert_int_equal(report->cycle_count, 2);
	assert_string_equal(report->locks[0].object, "alice");
	assert_string_equal(report->locks[1].object, "bob");
	assert_int_equal(report->locks[0].address, 0);
	assert_int_equal(report->locks[1].address, 0);
	assert_string_equal(report->steps[0].text, "lock(&q->lock alice);");
	assert_string_equal(report->steps[1].text, "lock(&q->lock bob);");
	/* One that nobody knows keeps its address. */
	assert_int_equal(report->lock_count, 3);
	assert_null(report->locks[2].object);
	assert_int_equal(report->locks[2].address, 0x7f0300);
	assert_int_equal(report->held_count, 2);
	assert_int_equal(report->held[0].lock, 2);
	assert_int_equal(report->held[1].lock, 0);
	/* Nor do events show an address that means nothing. */
	report = describe_event(world, LP_FINDING_HELD_LOCK_FREED, &event);
	assert_non_null(report);
	assert_string_equal(report->locks[0].object, "alice");
	assert_int_equal(report->locks[0].address, 0);
	assert_null(strstr(report->attempt, "7f0100"));
}

static uint32_t add_kind(struct world *world, enum lp_lock_kind kind, uint64_t key,
			 const char *name)
{
	struct lp_model_fine fine = { .kind = kind, .key = key, .name = (char *)name };

	return lp_model_add_fine(world->model, &fine);
}

static uint32_t add_flagged(struct world *world, uint32_t parent, uint32_t fine, uint8_t mode,
			    uint8_t flags, uint32_t stack)
{
	struct lp_model_node node = {
		.parent = parent, .fine = fine, .mode = mode, .flags = flags, .stack = stack,
		.site = world->model->stacks.at[stack].frame[0],
	};

	return lp_model_add_node(world->model, &node);
}

static void check_steps(const struct lp_report_finding *report, const char *const *texts)
{
	size_t i = 0;

	for (; texts[i]; i++) {
		assert_true(i < report->step_count);
		assert_string_equal(report->steps[i].text, texts[i]);
	}
	assert_int_equal(report->step_count, i);
}

/* P0: m, waits for what P1 gives; P1 (`kind`): m first. */
static const struct lp_report_finding *describe_given(struct world *world, enum lp_lock_kind kind)
{
	uint32_t process = add_process(world, 1000), stack = STACK(world, 0x200);
	uint32_t mutex = add_kind(world, LP_LOCK_MUTEX, 0x11, "m");
	uint32_t given = add_kind(world, kind, 0x22 + kind, "done");
	struct lp_finding_edge edge[2] = { { 0 }, { 0 } };
	struct lp_finding finding = {
		.kind = LP_FINDING_CIRCULAR_LOCKING, .level = LP_FEASIBLE,
		.reason = LP_REASON_CONCURRENT, .edge = edge, .edge_count = 2,
	};

	edge[0].thread = add_thread(world, process, 0, 1, "P0");
	edge[0].held = add_flagged(world, 0, mutex, LP_WRITE, 0, stack);
	edge[0].wanted = add_flagged(world, edge[0].held, given, LP_WRITE, LP_SYNC, stack);
	edge[1].thread = add_thread(world, process, 0, 2, "P1");
	edge[1].held = add_flagged(world, 0, given, LP_READ_RECURSIVE, LP_MOVED,
				   STACK(world, 0x210));
	edge[1].wanted = add_flagged(world, edge[1].held, mutex, LP_WRITE, 0, stack);
	regroup(world);
	return lp_describe_finding(world->describer, &finding);
}

/* Nobody holds what somebody has yet to give: no step begins with it, one says it never comes. */
static void test_given(void **state)
{
	static const struct {
		enum lp_lock_kind kind;
		enum lp_report_tie tie;
		const char	*wait, *lost;
	} cases[] = {
		{ LP_LOCK_K_COMPLETION, LP_TIE_COMPLETION, "wait_for_completion(done);",
		  "(never gets to: complete(done);)" },
		{ LP_LOCK_COND, LP_TIE_CONDITION, "wait(done);", "(never gets to: signal(done);)" },
		{ LP_LOCK_SEMAPHORE, LP_TIE_SEMAPHORE, "wait(done);",
		  "(never gets to: post(done);)" },
		{ LP_LOCK_K_SEMAPHORE, LP_TIE_SEMAPHORE, "wait(done);",
		  "(never gets to: up(done);)" },
	};

	for (size_t i = 0; i < lp_array_size(cases); i++) {
		const struct lp_report_finding *report;

		/* a name of its own each time, so no "#2" */
		assert_int_equal(tear_down(state), 0);
		assert_int_equal(set_up(state), 0);
		report = describe_given(*state, cases[i].kind);
		assert_non_null(report);
		check_steps(report, (const char *const[]){ "lock(m);", cases[i].wait, "lock(m);",
							   cases[i].lost, NULL });
		assert_int_equal(stack_of(report, "held", 0)->tie, LP_TIE_LOCK);
		assert_int_equal(stack_of(report, "wanted", 0)->tie, cases[i].tie);
		assert_int_equal(stack_of(report, "held", 1)->tie, cases[i].tie);
		assert_int_equal(stack_of(report, "wanted", 1)->tie, LP_TIE_LOCK);
		assert_int_equal(report->held_count, 1);
		assert_int_equal(report->held[0].tie, cases[i].tie);
	}
}

/* A semaphore that is used as a lock is held, in whatever place. */
static void test_semaphore_as_lock(void **state)
{
	struct world *world = *state;
	uint32_t process = add_process(world, 1000), stack = STACK(world, 0x200);
	uint32_t semaphore = add_kind(world, LP_LOCK_SEMAPHORE, 0x33, "s");
	struct lp_finding_edge edge = { 0 };
	struct lp_finding finding = {
		.kind = LP_FINDING_RECURSIVE_LOCKING, .level = LP_FEASIBLE,
		.reason = LP_REASON_ITSELF, .edge = &edge, .edge_count = 1,
	};
	const struct lp_report_finding *report;

	edge.thread = add_thread(world, process, 0, 1, "P0");
	edge.held = add_flagged(world, 0, semaphore, LP_WRITE, LP_MOVED, stack);
	edge.wanted = add_flagged(world, edge.held, semaphore, LP_WRITE, 0, stack);
	regroup(world);
	report = lp_describe_finding(world->describer, &finding);
	assert_non_null(report);
	check_steps(report, (const char *const[]){ "lock(s);", "lock(s);", NULL });
	assert_int_equal(report->held[0].tie, LP_TIE_LOCK);
}

/* A lock map that somebody knows to be a run: joined by who holds what it wants. */
static void test_run(void **state)
{
	struct world *world = *state;
	uint32_t process = add_process(world, 1000), stack = STACK(world, 0x200);
	uint32_t map = add_kind(world, LP_LOCK_MAP, 0x44, "thread worker");
	struct lp_model_lock lock = { map, process, WORKER, 0x10, 0 };
	struct lp_model_node node = { .mode = LP_WRITE, .stack = stack };
	struct lp_finding_edge edge = { 0 };
	struct lp_finding finding = {
		.kind = LP_FINDING_RECURSIVE_LOCKING, .level = LP_FEASIBLE,
		.reason = LP_REASON_ITSELF, .edge = &edge, .edge_count = 1,
	};
	const struct lp_report_finding *report;

	lp_describer_set_objects(world->describer, know_object, known_by);
	node.fine = map;
	node.lock = lp_model_add_lock(world->model, &lock);
	edge.thread = add_thread(world, process, 0, 1, "worker");
	edge.held = node.parent = lp_model_add_node(world->model, &node);
	node.flags = LP_SYNC;
	edge.wanted = lp_model_add_node(world->model, &node);
	regroup(world);
	report = lp_describe_finding(world->describer, &finding);
	assert_non_null(report);
	check_steps(report, (const char *const[]){ "(worker() runs)", "(waits for worker() to end)",
						   NULL });
	assert_int_equal(stack_of(report, "held", 0)->tie, LP_TIE_RUN);
	assert_int_equal(stack_of(report, "wanted", 0)->tie, LP_TIE_RUN);
	assert_int_equal(report->held[0].tie, LP_TIE_RUN);
}

/* The engine's writer gets a thread after all others, a stack, and a step between the reads. */
static void test_writer(void **state)
{
	struct world *world = *state;
	uint32_t process = add_process(world, 1000), stack = STACK(world, 0x200);
	uint32_t lock = add_kind(world, LP_LOCK_RWLOCK, 0x55, "l");
	struct lp_model_witness witness = { .count = 1, .serial = (uint64_t[]){ 5 } };
	struct lp_finding_edge edge = { 0 };
	struct lp_finding finding = {
		.kind = LP_FINDING_RECURSIVE_LOCKING, .level = LP_FEASIBLE,
		.reason = LP_REASON_ITSELF, .edge = &edge, .edge_count = 1,
	};
	const struct lp_report_finding *report;

	edge.thread = add_thread(world, process, 0, 1, "reader");
	edge.held = add_flagged(world, 0, lock, LP_READ, 0, stack);
	edge.wanted = add_flagged(world, edge.held, lock, LP_READ, 0, stack);
	witness.thread = add_thread(world, process, 0, 2, "writer");
	witness.node = add_flagged(world, 0, lock, LP_WRITE, 0, STACK(world, 0x210));
	edge.writer = lp_model_add_witness(world->model, &witness);
	regroup(world);
	report = lp_describe_finding(world->describer, &finding);
	assert_non_null(report);
	check_steps(report, (const char *const[]){ "rlock(l);", "wlock(l);", "rlock(l);", NULL });
	assert_int_equal(report->steps[1].thread, 1);
	assert_int_equal(report->thread_count, 2);
	assert_string_equal(report->threads[1].comm, "writer");
	assert_int_equal(report->writer_count, 1);
	assert_int_equal(report->writers[0].edge, 0);
	assert_int_equal(report->writers[0].thread, 1);
	assert_int_equal(stack_of(report, "writer", 0)->thread, 1);
	assert_string_equal(stack_of(report, "writer", 0)->frames[0].function, "evict");
	/* Without one there is none. */
	edge.writer = 0;
	report = lp_describe_finding(world->describer, &finding);
	assert_non_null(report);
	check_steps(report, (const char *const[]){ "rlock(l);", "rlock(l);", NULL });
	assert_int_equal(report->thread_count, 1);
	assert_int_equal(report->writer_count, 0);
}

static void test_events(void **state)
{
	struct world *world = *state;
	struct abba abba;
	struct lp_model_event event = { 0 };
	const struct lp_report_finding *report;

	make_abba(world, &abba);
	/* A lock that nobody ever took, released by a thread that holds two others. */
	event.kind = LP_EVENT_UNLOCK_NOT_HELD;
	event.thread = abba.two;
	event.stack = STACK(world, 0x280, 0x220);
	event.node = abba.hold_two;
	event.address = 0x7f0300;
	event.holder_tid = 1002;
	report = describe_event(world, LP_FINDING_BAD_UNLOCK_BALANCE, &event);
	assert_non_null(report);
	assert_string_equal(report->locks[0].name, "&stray");
	assert_int_equal(report->locks[0].address, 0x7f0300);
	assert_string_equal(report->holder, "T2 pusher/1002");
	assert_int_equal(report->held_count, 2);
	assert_string_equal(report->event_text, "released a lock that it does not hold");
	assert_string_equal(stack_of(report, "event", 0)->frames[0].function, "unlock_stray");
	assert_string_equal(report->title, "unlock of a lock that is not held: &stray in "
			    "unlock_stray");
	/* Held by itself: no other holder, and the place where it took it. */
	event = (struct lp_model_event){
		.kind = LP_EVENT_EXIT_HELD, .thread = abba.two, .fine = abba.cache,
		.stack = STACK(world, 0x220), .node = abba.hold_two, .holder_tid = 1003,
	};
	report = describe_event(world, LP_FINDING_HELD_AT_EXIT, &event);
	assert_non_null(report);
	assert_null(report->holder);
	assert_string_equal(report->header, "WARNING: evicter/1003 still has locks held!");
	assert_string_equal(report->locks[0].name, "table_lock");
	assert_string_equal(report->title, "lock held at thread exit: table_lock in evict");
	check_place(report, "held", 0, 0, "evict");
	/* An errorcheck mutex said EDEADLK: the table has both attempts. */
	event.kind = LP_EVENT_RELOCK;
	event.holder_tid = 4321;
	report = describe_event(world, LP_FINDING_RECURSIVE_LOCKING, &event);
	assert_non_null(report);
	assert_int_equal(report->step_count, 2);
	assert_string_equal(report->holder, "thread 4321");
}

/* ---- contexts ---- */

static uint32_t add_context(struct world *world, enum lp_context_kind kind, const char *name)
{
	struct lp_model_context context = { .kind = kind, .name = (char *)name };

	return lp_model_add_context(world->model, &context);
}

/* `in` and `on`: contexts up to 0. */
static uint32_t add_state(struct world *world, enum lp_wait_type wait, uint32_t in, uint32_t on)
{
	uint32_t context[2];
	struct lp_model_state state = { .context = in, .wait = wait, .context_index = context };

	if (in)
		context[state.in_count++] = in;
	if (on)
		context[state.in_count + state.on_count++] = on;
	return lp_model_add_state(world->model, &state);
}

static uint32_t add_named(struct world *world, enum lp_lock_kind kind, const char *name,
			  uint32_t base, uint8_t subclass)
{
	struct lp_model_fine fine = {
		.kind = kind, .origin = LP_ORIGIN_INIT, .name = (char *)name, .base = base,
		.subclass = subclass, .key = 0x1000 + world->model->fines.count,
	};

	return lp_model_add_fine(world->model, &fine);
}

static uint32_t add_in_state(struct world *world, uint32_t parent, uint32_t fine, uint32_t stack,
			     uint32_t state)
{
	struct lp_model_node node = {
		.parent = parent, .fine = fine, .stack = stack, .state = state,
	};

	return lp_model_add_node(world->model, &node);
}

static uint32_t add_witness(struct world *world, uint32_t node, uint32_t thread, uint32_t below)
{
	struct lp_model_witness witness = { .node = node, .thread = thread, .below = below };

	return lp_model_add_witness(world->model, &witness);
}

static uint32_t add_run(struct world *world, uint32_t process, uint32_t context, const char *name)
{
	struct lp_model_thread thread = { .process = process, .number = 9, .context = context };

	strcpy(thread.name, name);
	return lp_model_add_thread(world->model, &thread);
}

/* The witness was made where these contexts ran; each let in at 0x260 and blocked at 0x270. */
static void add_stamps(struct world *world, uint32_t witness, uint32_t count,
		       const uint32_t *context)
{
	struct lp_model_stamp stamp[2];
	struct lp_model_stamps stamps = { .events = 7, .count = count, .at = stamp };

	for (uint32_t i = 0; i < count; i++)
		stamp[i] = (struct lp_model_stamp){
			.context = context[i], .at = { i, 3 },
			.where = { frame_at(world, 0x270), frame_at(world, 0x258) },
		};
	world->model->witnesses.at[witness].stamps = lp_model_add_stamps(world->model, &stamps);
	assert_true(lp_model_check(world->model));
}

/*
 * The seed: a lock that a task takes where softirqs can strike is taken in one, under RCU, on top
 * of a work item that holds something. Two engines: one that judged it, none.
 */
struct seed {
	uint32_t	softirq, lock, rcu, work, task, run;
	uint32_t	on, in, held, wanted;
	struct lp_finding_edge edge;
	struct lp_finding finding;
	struct lp_engine *engine;
};

static void make_seed(struct world *world, struct seed *it)
{
	uint32_t process = add_process(world, 1000), reader;

	it->softirq = add_context(world, LP_CONTEXT_SOFTIRQ, "SOFTIRQ");
	it->on = add_state(world, LP_WAIT_UNCHECKED, 0, it->softirq);
	it->in = add_state(world, LP_WAIT_CONFIG, it->softirq, 0);
	it->lock = add_named(world, LP_LOCK_K_SPINLOCK, "&file_data->lock", 0, 0);
	it->rcu = add_named(world, LP_LOCK_RCU, "rcu_read_lock", 0, 0);
	it->work = add_named(world, LP_LOCK_MAP, "(wq_completion)events", 0, 0);
	it->task = add_thread(world, process, 0, 1, "P0");
	it->run = add_run(world, process, it->softirq, "rcu_core");
	it->held = add_in_state(world, 0, it->lock, STACK(world, 0x200), it->on);
	reader = add_in_state(world, 0, it->rcu, STACK(world, 0x210), it->in);
	it->wanted = add_in_state(world, reader, it->lock, STACK(world, 0x220, 0x210), it->in);
	it->edge = (struct lp_finding_edge){
		.held = it->held, .wanted = it->wanted, .thread = it->task,
		.context = it->softirq, .witness = add_witness(world, it->held, it->task, 0),
		.striker = add_witness(world, it->wanted, it->run,
				       add_in_state(world, 0, it->work, STACK(world, 0x230),
						    it->on)),
	};
	add_stamps(world, it->edge.striker, 1, &it->softirq);
	it->finding = (struct lp_finding){
		.id = 0xf, .kind = LP_FINDING_INCONSISTENT_LOCK_STATE, .level = LP_FEASIBLE,
		.reason = LP_REASON_INTERRUPT, .edge_count = 1, .edge = &it->edge,
	};
	regroup(world);
	it->engine = lp_engine_create();
	assert_non_null(it->engine);
	assert_int_equal(lp_engine_judge(it->engine, world->model), 0);
}

static void check_step(const struct lp_report_finding *report, size_t index, uint32_t thread,
		       uint32_t depth, const char *text)
{
	assert_true(index < report->step_count);
	assert_int_equal(report->steps[index].thread, thread);
	assert_int_equal(report->steps[index].depth, depth);
	assert_string_equal(report->steps[index].text, text);
}

static void check_strike(const struct lp_report_finding *report)
{
	assert_int_equal(report->thread_count, 2);
	assert_string_equal(report->threads[0].comm, "P0");
	assert_null(report->threads[0].context);
	assert_string_equal(report->threads[1].comm, "rcu_core");
	assert_string_equal(report->threads[1].context, "SOFTIRQ");
	assert_true(report->threads[1].irq);
	assert_int_equal(report->strike_count, 1);
	assert_int_equal(report->strikes[0].edge, 0);
	assert_int_equal(report->strikes[0].thread, 1);
	assert_string_equal(report->strikes[0].on, "SOFTIRQ-ON-W");
	assert_string_equal(report->strikes[0].in, "IN-SOFTIRQ-W");
	assert_int_equal(report->strikes[0].events, 7);
	assert_int_equal(report->strikes[0].stamp_count, 1);
	assert_string_equal(report->strikes[0].stamps[0].context, "SOFTIRQ");
	assert_string_equal(report->strikes[0].stamps[0].name, "softirqs");
	assert_int_equal(report->strikes[0].stamps[0].let_in.at, 3);
	assert_int_equal(report->strikes[0].stamps[0].blocked.at, 0);
	assert_int_equal(report->strikes[0].stamps[0].blocked.frame_count, 0);
	assert_int_equal(report->context_count, 1);
	assert_string_equal(report->contexts[0], "SOFTIRQ");
}

static void test_strike(void **state)
{
	struct world *world = *state;
	const struct lp_report_finding *report;
	struct seed seed;

	make_seed(world, &seed);
	lp_describer_set_engine(world->describer, seed.engine);
	report = lp_describe_finding(world->describer, &seed.finding);
	assert_non_null(report);
	check_strike(report);
	assert_string_equal(report->header, "WARNING: inconsistent lock state");
	assert_string_equal(report->title, "inconsistent lock state: &file_data->lock in worker");
	/* nobody's facts know of hardirqs */
	assert_string_equal(report->state, "HC0[0]:SC1[1]:HE1:SE0");
	assert_int_equal(report->cycle_count, 1);
	assert_string_equal(report->locks[0].usage, "..?.");
	assert_string_equal(report->locks[0].wait, "3:3");
	assert_null(report->locks[0].created);
	check_step(report, 0, 0, 0, "lock(&file_data->lock);");
	check_step(report, 1, 0, 0, "<Interrupt>");
	check_step(report, 2, 0, 1, "lock(&file_data->lock);");
	assert_int_equal(stack_of(report, "held", 0)->thread, 0);
	assert_int_equal(stack_of(report, "wanted", 0)->thread, 1);
	assert_string_equal(stack_of(report, "wanted", 0)->frames[0].function, "worker");
	/* what was stopped comes first */
	assert_int_equal(report->held_count, 2);
	assert_int_equal(report->held[0].thread, 1);
	assert_string_equal(report->locks[report->held[0].lock].name, "(wq_completion)events");
	assert_string_equal(report->locks[report->held[0].lock].wait, "0:0");
	assert_string_equal(report->locks[report->held[1].lock].name, "rcu_read_lock");
	lp_engine_destroy(seed.engine);
}

/* Hardirqs first, as the kernel has them; inlined code is told with what it is in. */
static void test_stamps(void **state)
{
	struct world *world = *state;
	const struct lp_report_stamp *stamps;
	const struct lp_report_finding *report;
	struct seed seed;

	make_seed(world, &seed);
	add_stamps(world, seed.edge.striker, 2, (uint32_t[]){
		seed.softirq, add_context(world, LP_CONTEXT_HARDIRQ, "HARDIRQ") });
	report = lp_describe_finding(world->describer, &seed.finding);
	assert_non_null(report);
	assert_int_equal(report->strikes[0].stamp_count, 2);
	stamps = report->strikes[0].stamps;
	assert_string_equal(stamps[0].name, "hardirqs");
	assert_int_equal(stamps[0].blocked.at, 1);
	assert_int_equal(stamps[0].blocked.frame_count, 1);
	assert_string_equal(stamps[0].blocked.frames[0].function, "prune");
	assert_int_equal(stamps[0].blocked.frames[0].line, 25);
	assert_int_equal(stamps[0].let_in.frame_count, 2);
	assert_true(stamps[0].let_in.frames[0].inlined);
	assert_string_equal(stamps[0].let_in.frames[1].function, "main");
	assert_string_equal(stamps[1].name, "softirqs");
	/* nobody knows */
	world->model->witnesses.at[seed.edge.striker].stamps = 0;
	report = lp_describe_finding(world->describer, &seed.finding);
	assert_non_null(report);
	assert_int_equal(report->strikes[0].stamp_count, 0);
	lp_engine_destroy(seed.engine);
}

/* A grandchild wants the lock: who forked in the process where it is held is the first thread. */
static void test_forker(void **state)
{
	struct world *world = *state;
	const struct lp_report_finding *report;
	struct seed seed;
	uint32_t first, child, grandchild, fork = add_context(world, LP_CONTEXT_FORK, "FORK");

	make_seed(world, &seed);
	first = add_thread(world, world->model->threads.at[seed.task].process, 0, 1, "app");
	child = add_thread(world, add_process(world, 2000), first, 4, "app");
	grandchild = add_thread(world, add_process(world, 3000), child, 5, "app");
	world->model->processes.at[world->model->threads.at[grandchild].process].parent_thread =
		child;
	seed.edge.context = fork;
	seed.edge.wanted = add_in_state(world, 0, seed.lock, STACK(world, 0x220),
					add_state(world, LP_WAIT_UNCHECKED, fork, 0));
	seed.edge.striker = add_witness(world, seed.edge.wanted, grandchild, 0);
	regroup(world);
	report = lp_describe_finding(world->describer, &seed.finding);
	assert_non_null(report);
	assert_string_equal(report->strikes[0].forker, "T1 app/1001");
	assert_true(report->threads[1].forked);
	assert_false(report->threads[0].forked);
	check_step(report, 1, 0, 0, "<T1 app/1001 forks; in the child:>");
	/* in scenarios a thread stands for its children */
	seed.edge.striker = add_witness(world, seed.edge.wanted, first, 0);
	report = lp_describe_finding(world->describer, &seed.finding);
	assert_non_null(report);
	assert_null(report->strikes[0].forker);
	check_step(report, 1, 0, 0, "<app forks; in the child:>");
	lp_engine_destroy(seed.engine);
}

/* No call stands before the place where a signal struck. */
static void test_struck_place(void **state)
{
	struct world *world = *state;
	const struct lp_report_finding *report;
	const struct lp_report_stack *stack;
	struct seed seed;

	make_seed(world, &seed);
	seed.edge.wanted = add_in_state(world, 0, seed.lock, STACK(world, 0x220, 0x290, 0x230),
					seed.in);
	seed.edge.striker = 0;
	asked_exactly = 0;
	report = lp_describe_finding(world->describer, &seed.finding);
	assert_non_null(report);
	stack = stack_of(report, "wanted", 0);
	assert_false(stack->frames[0].trampoline);
	assert_true(stack->frames[1].trampoline);
	assert_string_equal(stack->frames[2].function, "main");
	assert_int_equal(asked_exactly, 0x230);
	lp_engine_destroy(seed.engine);
}

/* Without an engine nothing says how locks are used; without witnesses, who struck. */
static void test_strike_unseen(void **state)
{
	struct world *world = *state;
	const struct lp_report_finding *report;
	struct seed seed;

	make_seed(world, &seed);
	seed.edge.thread = seed.edge.witness = seed.edge.striker = 0;
	report = lp_describe_finding(world->describer, &seed.finding);
	assert_non_null(report);
	assert_null(report->locks[0].usage);
	assert_string_equal(report->threads[1].comm, "rcu_core");	/* somebody did it */
	lp_engine_destroy(seed.engine);
}

/* The lock was taken where nothing could strike; later the task let softirqs in. */
static void test_let_in(void **state)
{
	struct world *world = *state;
	const struct lp_report_finding *report;
	uint32_t held, note;
	struct seed seed;

	make_seed(world, &seed);
	held = add_in_state(world, 0, seed.lock, STACK(world, 0x260), 0);
	note = add_in_state(world, held, 0, STACK(world, 0x270), seed.on);
	seed.edge.held = held;
	seed.edge.witness = add_witness(world, note, seed.task, 0);
	report = lp_describe_finding(world->describer, &seed.finding);
	assert_non_null(report);
	assert_string_equal(stack_of(report, "held", 0)->frames[0].function, "walk");
	assert_string_equal(stack_of(report, "state", 0)->frames[0].function, "prune");
	/* the engine knows the first such place when the witness does not */
	seed.edge.witness = 0;
	assert_int_equal(lp_engine_judge(seed.engine, world->model), 0);
	lp_describer_set_engine(world->describer, seed.engine);
	report = lp_describe_finding(world->describer, &seed.finding);
	assert_non_null(report);
	assert_string_equal(stack_of(report, "state", 0)->frames[0].function, "push");
	lp_engine_destroy(seed.engine);
}

/* A takes B; B is held where SIGALRM strikes, whose handler reads A. */
static void make_unsafe_order(struct world *world, struct lp_finding_edge edge[2])
{
	uint32_t process = add_process(world, 1000);
	uint32_t signal = add_context(world, LP_CONTEXT_SIGNAL, "SIGALRM");
	uint32_t on = add_state(world, LP_WAIT_UNCHECKED, 0, signal);
	uint32_t in = add_state(world, LP_WAIT_UNCHECKED, signal, 0);
	uint32_t safe = add_static(world, 0x4000), unsafe = add_static(world, 0x4040);
	uint32_t one = add_thread(world, process, 0, 1, "app");
	uint32_t two = add_thread(world, process, one, 2, "worker");
	uint32_t below = add_in_state(world, 0, safe, STACK(world, 0x200), 0);
	struct lp_model_node reader = {
		.fine = safe, .stack = STACK(world, 0x220), .state = in, .mode = LP_READ,
	};

	edge[0] = (struct lp_finding_edge){
		.held = below, .thread = one,
		.wanted = add_in_state(world, below, unsafe, STACK(world, 0x210), 0),
	};
	edge[1] = (struct lp_finding_edge){
		.held = add_in_state(world, 0, unsafe, STACK(world, 0x260), on), .thread = two,
		.wanted = lp_model_add_node(world->model, &reader), .context = signal,
	};
	edge[1].striker = add_witness(world, edge[1].wanted, two, 0);
	regroup(world);
}

static void test_unsafe_order(void **state)
{
	struct world *world = *state;
	const struct lp_report_finding *report;
	struct lp_engine *engine = lp_engine_create();
	struct lp_finding_edge edge[2];
	struct lp_finding finding = {
		.kind = LP_FINDING_IRQ_UNSAFE_LOCK_ORDER, .edge = edge, .edge_count = 2,
	};

	make_unsafe_order(world, edge);
	/* of two signals whose handlers ran, the one that the report is about */
	add_stamps(world, edge[1].striker, 2, (uint32_t[]){
		add_context(world, LP_CONTEXT_SIGNAL, "SIGUSR1"), edge[1].context });
	assert_int_equal(lp_engine_judge(engine, world->model), 0);
	lp_describer_set_engine(world->describer, engine);
	report = lp_describe_finding(world->describer, &finding);
	assert_non_null(report);
	assert_string_equal(report->header, "WARNING: SIGALRM-READ-safe -> SIGALRM-unsafe lock "
			    "order detected");
	assert_string_equal(report->title, "irq-unsafe lock order: table_lock -> pool.lock -> "
			    "table_lock in evict");
	assert_string_equal(report->state, "SIGALRM:IN0:ON0");
	/* the strike first, so that the new dependency is the last */
	assert_int_equal(report->strikes[0].edge, 0);
	assert_int_equal(report->strikes[0].stamp_count, 1);
	assert_string_equal(report->strikes[0].stamps[0].name, "SIGALRM");
	assert_int_equal(report->strikes[0].stamps[0].blocked.at, 1);
	assert_string_equal(report->locks[0].name, "pool.lock");
	assert_string_equal(report->locks[0].usage, "+.");
	assert_string_equal(report->locks[1].usage, ".-");
	assert_null(report->locks[0].wait);
	assert_int_equal(report->thread_count, 3);
	assert_string_equal(report->threads[2].comm, "worker");	/* struck itself */
	assert_null(report->threads[2].context);
	assert_int_equal(report->step_count, 5);
	check_step(report, 0, 0, 0, "lock(pool.lock);");
	check_step(report, 1, 1, 0, "lock(table_lock);");
	check_step(report, 2, 1, 0, "lock(pool.lock);");
	check_step(report, 3, 0, 0, "<SIGALRM>");
	check_step(report, 4, 0, 1, "rlock(table_lock);");
	lp_engine_destroy(engine);
}

static void test_wait_context(void **state)
{
	struct world *world = *state;
	const struct lp_report_finding *report;
	struct lp_finding_edge edge;
	struct lp_finding finding = {
		.kind = LP_FINDING_INVALID_WAIT_CONTEXT, .level = LP_ACTUAL, .edge = &edge,
		.reason = LP_REASON_HAPPENED, .edge_count = 1,
	};
	struct seed seed;

	make_seed(world, &seed);
	edge = (struct lp_finding_edge){ .wanted = seed.wanted, .context = seed.softirq };
	report = lp_describe_finding(world->describer, &finding);
	assert_non_null(report);
	assert_string_equal(report->forbidden, "in SOFTIRQ context");
	assert_int_equal(report->wait_context, 3);
	assert_string_equal(report->threads[0].comm, "rcu_core");
	assert_int_equal(report->held_count, 2);
	assert_int_equal(report->strike_count, 0);
	assert_string_equal(report->contexts[0], "SOFTIRQ");
	edge = (struct lp_finding_edge){
		.held = seed.held,
		.wanted = add_in_state(world, seed.held, add_named(world, LP_LOCK_K_MUTEX, "m",
								   0, 0),
				       STACK(world, 0x220), 0),
	};
	regroup(world);
	report = lp_describe_finding(world->describer, &finding);
	assert_non_null(report);
	assert_string_equal(report->forbidden, "while &file_data->lock is held");
	assert_int_equal(report->wait_context, 5);
	assert_string_equal(report->locks[0].wait, "4:4");
	assert_int_equal(report->held_count, 1);
	lp_engine_destroy(seed.engine);
}

static void test_subclass_names(void **state)
{
	struct world *world = *state;
	uint32_t base = add_named(world, LP_LOCK_K_MUTEX, "&inode->i_mutex", 0, 0);
	uint32_t other = add_named(world, LP_LOCK_K_MUTEX, "&inode->i_mutex", 0, 0);
	uint32_t nested = add_named(world, LP_LOCK_K_MUTEX, "&inode->i_mutex", base, 2);
	uint32_t second = add_named(world, LP_LOCK_K_MUTEX, "&inode->i_mutex", other, 1);

	regroup(world);
	assert_string_equal(name_of(world, nested), "&inode->i_mutex/2");
	assert_string_equal(name_of(world, base), "&inode->i_mutex");
	assert_string_equal(name_of(world, second), "&inode->i_mutex#2/1");
	assert_string_equal(name_of(world, other), "&inode->i_mutex#2");
}

/* Events about rules of kernel code. */
static void test_rule_events(void **state)
{
	struct world *world = *state;
	struct lp_model_event event = { .kind = LP_EVENT_RCU_DEREFERENCE };
	const struct lp_report_finding *report;
	struct seed seed;

	make_seed(world, &seed);
	event.thread = seed.task;
	event.stack = STACK(world, 0x280);
	report = describe_event(world, LP_FINDING_SUSPICIOUS_RCU_USAGE, &event);
	assert_non_null(report);
	assert_int_equal(report->lock_count, 0);
	assert_string_equal(report->title, "suspicious RCU usage in unlock_stray");
	/* the lock taken, and the one that it should be nested in */
	event.kind = LP_EVENT_NEST_NOT_HELD;
	event.fine = add_named(world, LP_LOCK_K_MUTEX, "parent", 0, 0);
	event.node = seed.held;
	report = describe_event(world, LP_FINDING_NESTED_LOCK_NOT_TAKEN, &event);
	assert_non_null(report);
	assert_null(report->nest);
	assert_string_equal(report->locks[0].name, "parent");
	add_in_state(world, seed.held, add_named(world, LP_LOCK_K_MUTEX, "child", 0, 0),
		     event.stack, 0);
	report = describe_event(world, LP_FINDING_NESTED_LOCK_NOT_TAKEN, &event);
	assert_non_null(report);
	assert_string_equal(report->nest, "parent");
	assert_string_equal(report->locks[0].name, "child");
	/* a read lock where a write lock was asserted */
	event.kind = LP_EVENT_ASSERT_HELD;
	event.fine = seed.lock;
	report = describe_event(world, LP_FINDING_NESTED_LOCK_NOT_TAKEN, &event);
	assert_non_null(report);
	assert_string_equal(report->objection, "but it holds that lock in another mode!");
	assert_string_equal(report->header, "WARNING: a lock must be held and is not");
	lp_engine_destroy(seed.engine);
}

/* Code that is in no object file. */
static bool know_frame(void *context, const struct lp_model *model, struct lp_model_frame frame,
		       struct lp_report_frame *out)
{
	const struct world *world = context;

	assert_ptr_equal(world->model, model);
	if (frame.module != world->library || frame.offset != 7)
		return false;
	*out = (struct lp_report_frame){ .function = "P0", .file = "seed.litmus", .line = 10 };
	return true;
}

static void test_frames(void **state)
{
	struct world *world = *state;
	struct lp_model_event event = { .kind = LP_EVENT_UNLOCK_NOT_HELD };
	struct lp_model_frame frame[] = { { world->library, 7 }, { world->app, 0x230 } };
	struct lp_model_stack stack = { .frame = frame, .count = 2 };
	const struct lp_report_finding *report;

	lp_describer_set_frames(world->describer, know_frame, world);
	event.thread = add_thread(world, add_process(world, 1), 0, 1, "app");
	event.stack = lp_model_add_stack(world->model, &stack);
	report = describe_event(world, LP_FINDING_BAD_UNLOCK_BALANCE, &event);
	assert_non_null(report);
	assert_int_equal(report->stacks[0].frame_count, 2);
	assert_string_equal(report->stacks[0].frames[0].function, "P0");
	assert_string_equal(report->stacks[0].frames[0].file, "seed.litmus");
	assert_int_equal(report->stacks[0].frames[0].line, 10);
	assert_string_equal(report->stacks[0].frames[0].module, "/lib/libblob.so.1");
	assert_string_equal(report->stacks[0].frames[1].function, "main");
}

#define DEPTH 1000

/* A thousand locks held, a cycle of twenty-five. */
struct deep {
	struct lp_finding_edge edge[25];
	struct lp_finding finding;
};

static void make_deep(struct world *world, struct deep *it)
{
	uint32_t thread = add_thread(world, add_process(world, 1), 0, 1, "deep"), node = 0;
	uint32_t nodes[DEPTH];

	for (uint32_t i = 0; i < DEPTH; i++) {
		node = add_node(world, node, add_static(world, 0x8000 + i * 0x28),
				STACK(world, 0x20000 + i));
		nodes[i] = node;
	}
	for (uint32_t i = 0; i < 25; i++)
		it->edge[i] = (struct lp_finding_edge){
			.held = nodes[i], .wanted = nodes[DEPTH - 25 + i], .thread = thread,
		};
	it->finding = (struct lp_finding){
		.kind = LP_FINDING_CIRCULAR_LOCKING, .edge = it->edge, .edge_count = 25,
	};
	regroup(world);
}

static void check_deep(const struct lp_report_finding *report)
{
	assert_int_equal(report->held_count, DEPTH - 1);
	assert_int_equal(report->cycle_count, 25);
	assert_int_equal(report->step_count, 50);
	assert_int_equal(report->lock_count, DEPTH - 1);
	assert_non_null(strstr(report->title, "... -> app+0x8000 (25 locks)"));
	for (size_t i = 0; i < report->held_count; i++)
		assert_int_equal(report->held[i].frame_count, 1);
	for (size_t i = 0; i < report->lock_count; i++)
		assert_true(report->locks[i].name && report->locks[i].class_key);
	for (size_t i = 0; i < report->step_count; i++)
		assert_non_null(report->steps[i].text);
}

/* Nothing has a fixed size; and when memory ends in the middle, there is no half description. */
static void test_deep(void **state)
{
	struct world *world = *state;
	const struct lp_report_finding *report;
	struct deep deep;
	bool failed = true;
	long index = 0;

	make_deep(world, &deep);
	for (; failed; index++) {
		struct lp_describer *describer = lp_describer_create(world->model, NULL);

		assert_non_null(describer);
		fail_allocation(index);
		report = lp_describe_finding(describer, &deep.finding);
		failed = end_of_failing();
		assert_true(report || failed);
		if (report)
			check_deep(report);
		lp_describer_destroy(describer);
	}
	assert_true(index > 10);
}

/* Nothing is missing that this finding has when there is memory. */
static void check_complete(const struct lp_report_finding *report)
{
	assert_true(report->title && report->header && report->reason);
	for (size_t i = 0; i < report->lock_count; i++)
		assert_true(report->locks[i].name && report->locks[i].class_key &&
			    report->locks[i].created);
	for (size_t i = 0; i < report->thread_count; i++)
		assert_true(report->threads[i].comm && report->threads[i].start &&
			    report->threads[i].created_by);
	for (size_t i = 0; i < report->stack_count; i++)
		assert_true(report->stacks[i].frames && report->stacks[i].frames[0].module &&
			    report->stacks[i].frames[0].build_id);
	for (size_t i = 0; i < report->step_count; i++)
		assert_non_null(report->steps[i].text);
	assert_int_equal(report->held_count, 2);
	assert_true(report->held[0].frame_count && report->held[1].frame_count);
}

/* Whichever allocation fails, there is no description, and the next attempt succeeds. */
static void test_memory(void **state)
{
	struct world *world = *state;
	const struct lp_report_finding *report;
	struct abba abba;
	bool failed = true;

	make_abba(world, &abba);
	for (long index = 0; failed; index++) {
		struct lp_describer *describer;

		fail_allocation(index);
		describer = lp_describer_create(world->model, (struct lp_symbolizer *)world);
		report = describer ? lp_describe_finding(describer, &abba.finding) : NULL;
		failed = end_of_failing();
		/* The cache of wrappers may do without. */
		assert_true(report || failed);
		if (report)
			check_complete(report);
		if (describer) {
			report = lp_describe_finding(describer, &abba.finding);
			assert_non_null(report);
			check_complete(report);
			assert_string_equal(report->locks[0].name, "&q->lock");
			assert_string_equal(report->stacks[0].frames[0].module, "/srv/app");
		}
		lp_describer_destroy(describer);
		assert_true(index > 2 || failed);
	}
}

/* The same of a strike, which has more parts. */
static void test_strike_memory(void **state)
{
	struct world *world = *state;
	bool failed = true;
	struct seed seed;

	make_seed(world, &seed);
	for (long index = 0; failed; index++) {
		const struct lp_report_finding *report;
		struct lp_describer *describer = lp_describer_create(world->model, NULL);

		assert_non_null(describer);
		lp_describer_set_engine(describer, seed.engine);
		lp_describer_set_frames(describer, know_frame, world);
		fail_allocation(index);
		report = lp_describe_finding(describer, &seed.finding);
		failed = end_of_failing();
		assert_true(report || failed);
		if (report) {
			check_strike(report);
			assert_string_equal(report->locks[0].usage, "..?.");
		}
		lp_describer_destroy(describer);
	}
	lp_engine_destroy(seed.engine);
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_names),
		WORLD_TEST(test_names_of_objects),
		WORLD_TEST(test_no_symbolizer),
		WORLD_TEST(test_merged_classes),
		cmocka_unit_test(test_wrapper_names),
		WORLD_TEST(test_wrapper_frames),
		WORLD_TEST(test_cycle),
		WORLD_TEST(test_gate_and_deadlock),
		WORLD_TEST(test_unknown_thread),
		WORLD_TEST(test_instances),
		WORLD_TEST(test_event_instance),
		WORLD_TEST(test_same_instance),
		WORLD_TEST(test_known_objects),
		WORLD_TEST(test_given),
		WORLD_TEST(test_semaphore_as_lock),
		WORLD_TEST(test_run),
		WORLD_TEST(test_writer),
		WORLD_TEST(test_events),
		WORLD_TEST(test_strike),
		WORLD_TEST(test_stamps), WORLD_TEST(test_forker),
		WORLD_TEST(test_struck_place),
		WORLD_TEST(test_strike_unseen),
		WORLD_TEST(test_let_in),
		WORLD_TEST(test_unsafe_order),
		WORLD_TEST(test_wait_context),
		WORLD_TEST(test_subclass_names),
		WORLD_TEST(test_rule_events),
		WORLD_TEST(test_frames),
		WORLD_TEST(test_strike_memory),
		WORLD_TEST(test_deep),
		WORLD_TEST(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

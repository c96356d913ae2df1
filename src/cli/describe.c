/* SPDX-License-Identifier: Apache-2.0 */
/*
 * describe.c — findings of the engine as reports.
 *
 * The engine's cycle starts where its id starts; a report ends with the dependency that closed the
 * cycle, because the kernel's layout tells it from there: that thread reports.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/describe.h"
#include "cli/naming.h"

#define TITLE_LOCKS_MAX	6	/* a longer cycle's title leaves out its middle */
#define NO_INDEX	UINT32_MAX

static_assert((int)LP_REPORT_TRY == LP_TRY && (int)LP_REPORT_TIMED == LP_TIMED,
	      "flags are passed on");

/* Which lock object, as far as is known. */
struct instance {
	uint64_t	serial;		/* 0: unknown */
	uint64_t	address;
};

/* One description while it is made. Arrays are allocated in full before they are filled. */
struct draft {
	struct lp_describer *describer;
	const struct lp_model *model;
	struct lp_pool	*pool;
	const struct lp_finding *finding;
	const struct lp_finding_edge *edge;	/* as the report orders them */
	uint32_t	edge_count;
	struct lp_report_finding *report;
	struct lp_report_lock *locks;
	uint32_t	*lock_class;	/* classes[] of each of locks[] */
	struct lp_report_thread *threads;
	struct lp_report_stack *stacks;
	struct lp_report_step *steps;
	struct lp_report_held *held;
};

struct lp_describer *lp_describer_create(const struct lp_model *model,
					 struct lp_symbolizer *symbolizer)
{
	struct lp_describer *describer = calloc(1, sizeof(*describer));

	if (!describer)
		return NULL;
	describer->model = model;
	describer->symbolizer = symbolizer;
	return describer;
}

void lp_describer_destroy(struct lp_describer *describer)
{
	if (!describer)
		return;
	lp_pool_finish(&describer->pool);
	free(describer->modules);
	free(describer->answers);
	free(describer);
}

const char *lp_describe_class(struct lp_describer *describer, uint32_t class_index)
{
	const char *name = lp_naming_class(describer, class_index);

	describer->pool.failed = false;
	return name;
}

static const char *kind_word(enum lp_lock_kind kind)
{
	static const char *const words[] = {
#define X(name, word, type, wait) [LP_LOCK_##name] = word,
		LP_LOCK_KINDS(X)
#undef X
	};

	return (unsigned)kind < LP_LOCK_KIND_COUNT ? words[kind] : "lock";
}

static const char *event_text(enum lp_event_kind kind)
{
	static const char *const texts[] = {
#define X(name, text) [LP_EVENT_##name] = text,
		LP_EVENTS(X)
#undef X
	};

	return (unsigned)kind < LP_EVENT_COUNT ? texts[kind] : "misused a lock";
}

static const char *mode_word(uint8_t mode)
{
	static const char *const words[LP_MODE_COUNT] = { "write", "read", "read-recursive" };

	return mode < LP_MODE_COUNT ? words[mode] : "write";
}

/* The finding's words for titles: X(kind, words) */
#define TITLES(X) \
	X(CIRCULAR_LOCKING, "circular locking") \
	X(RECURSIVE_LOCKING, "recursive locking") \
	X(BAD_UNLOCK_BALANCE, "unlock of a lock that is not held") \
	X(HELD_LOCK_FREED, "held lock freed") \
	X(HELD_AT_EXIT, "lock held at thread exit") \
	X(DEADLOCK, "deadlock")

static const char *title_words(enum lp_finding_kind kind)
{
	static const char *const words[LP_FINDING_KIND_COUNT] = {
#define X(name, text) [LP_FINDING_##name] = text,
		TITLES(X)
#undef X
	};

	return words[kind] ? words[kind] : lp_finding_kind_id(kind);
}

/* Is `node` the chain `of` or one below it? *distance: how far below. */
static bool is_below(const struct lp_model *model, uint32_t node, uint32_t of, uint32_t *distance)
{
	*distance = 0;
	while (of && of != node) {
		of = model->nodes.at[of].parent;
		++*distance;
	}
	return of && of == node;
}

static uint32_t image_of_thread(const struct lp_model *model, uint32_t thread)
{
	return model->processes.at[model->threads.at[thread].process].image;
}

static uint64_t address_of_serial(const struct lp_model *model, uint32_t image, uint64_t serial)
{
	for (uint32_t i = model->locks.count; serial && i-- > 1;) {
		const struct lp_model_lock *lock = &model->locks.at[i];

		if (lock->serial == serial && model->processes.at[lock->process].image == image)
			return lock->address;
	}
	return 0;
}

/* The lock object of `node`: by the node itself, or by the witness who was there. */
static struct instance instance_of(const struct lp_model *model, uint32_t node, uint32_t witness)
{
	const struct lp_model_witness *it = &model->witnesses.at[witness];
	const struct lp_model_lock *lock = &model->locks.at[model->nodes.at[node].lock];
	struct instance instance = { 0 };
	uint32_t distance;

	if (model->nodes.at[node].lock)
		return (struct instance){ lock->serial, lock->address };
	if (!witness || !is_below(model, node, it->node, &distance) || distance >= it->count)
		return instance;
	instance.serial = it->serial[distance];
	instance.address = address_of_serial(model, image_of_thread(model, it->thread),
					     instance.serial);
	return instance;
}

/* A witness that this thread was in this state. */
static uint32_t find_witness(const struct lp_model *model, uint32_t node, uint32_t thread)
{
	for (uint32_t i = model->witnesses.count; node && i-- > 1;) {
		if (model->witnesses.at[i].node == node && model->witnesses.at[i].thread == thread)
			return i;
	}
	return 0;
}

static uint32_t chain_length(const struct lp_model *model, uint32_t node)
{
	uint32_t length = 0;

	for (; node; node = model->nodes.at[node].parent)
		length++;
	return length;
}

static uint32_t held_node(const struct draft *draft, uint32_t edge)
{
	return draft->model->nodes.at[draft->edge[edge].wanted].parent;
}

/* Locks: those of the cycle first, then what else is held. */

static struct lp_report_lock describe_lock(struct draft *draft, uint32_t class_index,
					   uint64_t address)
{
	const struct lp_model_class *class = &draft->model->classes.at[class_index];

	return (struct lp_report_lock){
		.name = lp_naming_class(draft->describer, class_index),
		.kind = class_index ? kind_word(class->kind) : "lock",
		.class_key = lp_pool_printf(draft->pool, "%016" PRIx64,
					     class_index ? class->key : 0),
		.created = lp_naming_origin(draft->describer, class_index),
		.address = address,
	};
}

static uint32_t add_lock(struct draft *draft, uint32_t class_index, uint64_t address)
{
	uint32_t index = (uint32_t)draft->report->lock_count++;

	draft->lock_class[index] = class_index;
	draft->locks[index] = describe_lock(draft, class_index, address);
	return index;
}

/* The index of a lock that is already there, or of a new one. */
static uint32_t find_lock(struct draft *draft, uint32_t class_index, uint64_t address)
{
	for (uint32_t i = 0; i < draft->report->lock_count; i++) {
		if (draft->lock_class[i] == class_index && draft->locks[i].address == address)
			return i;
	}
	return add_lock(draft, class_index, address);
}

/*
 * Are the two ends of the only dependency different locks? Serial numbers tell; where there are
 * none, the engine's reason does.
 */
static bool is_nested_class(const struct draft *draft, struct instance held, struct instance wanted)
{
	if (held.serial && wanted.serial)
		return held.serial != wanted.serial;
	return draft->finding->reason == LP_REASON_SAME_CLASS;
}

static void add_cycle_locks(struct draft *draft)
{
	const struct lp_model *model = draft->model;
	struct instance held, wanted;

	for (uint32_t i = 0; i < draft->edge_count; i++) {
		const struct lp_finding_edge *edge = &draft->edge[i];
		const struct lp_finding_edge *before = &draft->edge[i ? i - 1 :
								    draft->edge_count - 1];

		held = instance_of(model, edge->held, edge->witness);
		if (!held.address && draft->edge_count > 1)
			held = instance_of(model, before->wanted, before->witness);
		add_lock(draft, lp_model_node_class(model, edge->held), held.address);
	}
	if (draft->edge_count == 1) {
		wanted = instance_of(model, draft->edge->wanted, draft->edge->witness);
		held = instance_of(model, draft->edge->held, draft->edge->witness);
		if (is_nested_class(draft, held, wanted))
			add_lock(draft, lp_model_node_class(model, draft->edge->wanted),
				 wanted.address);
	}
	draft->report->cycle_count = draft->report->lock_count;
}

static uint32_t wanted_lock(const struct draft *draft, uint32_t edge)
{
	return (edge + 1) % (uint32_t)draft->report->cycle_count;
}

/* Threads. */

static const char *thread_start(struct draft *draft, const struct lp_model_thread *thread)
{
	struct lp_symbols symbols;

	if (!thread->start.module)
		return NULL;
	symbols = lp_naming_symbols(draft->describer, thread->start, false);
	return lp_naming_spot(draft->describer, &symbols.at[symbols.count - 1], thread->start);
}

static const char *thread_creator(struct draft *draft, const struct lp_model_thread *thread)
{
	struct lp_naming_place place;
	const char *spot;

	if (!thread->creator)
		return NULL;
	if (!thread->stack)
		return lp_pool_printf(draft->pool, "T%" PRIu32,
				       draft->model->threads.at[thread->creator].number);
	place = lp_naming_place(draft->describer, thread->stack);
	spot = lp_naming_spot(draft->describer, place.symbol, place.frame);
	return lp_pool_printf(draft->pool, "T%" PRIu32 " in %s",
			       draft->model->threads.at[thread->creator].number, spot ? spot : "");
}

static void add_thread(struct draft *draft, uint32_t index)
{
	const struct lp_model_thread *thread = &draft->model->threads.at[index];
	struct lp_report_thread *it = &draft->threads[draft->report->thread_count++];

	if (!index)
		return;
	*it = (struct lp_report_thread){
		.comm = *thread->name ? lp_pool_copy(draft->pool, thread->name) : NULL,
		.pid = draft->model->processes.at[thread->process].pid,
		.tid = thread->tid,
		.number = thread->number,
		.start = thread_start(draft, thread),
		.created_by = thread_creator(draft, thread),
	};
}

/* Stacks. */

static struct lp_report_stack *add_stack(struct draft *draft, const char *role, uint32_t stack)
{
	struct lp_report_stack *it = &draft->stacks[draft->report->stack_count++];

	it->role = role;
	it->frames = lp_naming_frames(draft->describer, stack, &it->frame_count);
	it->place = lp_naming_place(draft->describer, stack).index;
	it->truncated = draft->model->stacks.at[stack].truncated;
	return it;
}

/*
 * Where the thread took the lock of `node`: its own way there if it was noted, best in the epoch
 * of `witness`; else the way of the thread that came there first.
 */
static uint32_t stack_of(const struct lp_model *model, uint32_t node, uint32_t thread,
			 uint32_t witness)
{
	uint32_t stack = 0;

	for (uint32_t i = model->witnesses.count; i-- > 1;) {
		const struct lp_model_witness *it = &model->witnesses.at[i];

		if (it->node != node || it->thread != thread || !it->stack)
			continue;
		if (!stack || it->epoch == model->witnesses.at[witness].epoch)
			stack = it->stack;
	}
	return stack ? stack : model->nodes.at[node].stack;
}

/* Add where `who` took the lock of `node`. */
static void add_node_stack(struct draft *draft, const char *role,
			   const struct lp_finding_edge *who, uint32_t node, uint32_t lock,
			   uint32_t column)
{
	const struct lp_model_node *it = &draft->model->nodes.at[node];
	struct lp_report_stack *stack =
		add_stack(draft, role, stack_of(draft->model, node, who->thread, who->witness));

	stack->lock = lock;
	stack->thread = stack->edge = column;
	stack->mode = mode_word(it->mode);
	stack->flags = it->flags;
}

static void add_created_stacks(struct draft *draft)
{
	const struct lp_model *model = draft->model;

	for (uint32_t i = 0; i < draft->report->cycle_count; i++) {
		const struct lp_model_class *class = &model->classes.at[draft->lock_class[i]];
		const struct lp_model_fine *fine = &model->fines.at[class->fine];
		struct lp_report_stack *stack;
		uint32_t first = 0;

		while (draft->lock_class[first] != draft->lock_class[i])
			first++;
		if (first < i || !draft->lock_class[i] || fine->origin != LP_ORIGIN_INIT)
			continue;
		stack = add_stack(draft, "created", fine->stack);
		stack->lock = i;
		stack->thread = stack->edge = NO_INDEX;
	}
}

/* The table. */

/* Do two locks of the cycle have one name, so that only their addresses tell them apart? */
static bool is_ambiguous(const struct draft *draft, uint32_t lock)
{
	for (uint32_t i = 0; i < draft->report->cycle_count; i++) {
		if (i != lock && draft->lock_class[i] == draft->lock_class[lock])
			return true;
	}
	return false;
}

static void add_step(struct draft *draft, uint32_t thread, uint32_t lock, uint32_t node)
{
	struct lp_report_step *step = &draft->steps[draft->report->step_count++];
	const struct lp_report_lock *it = &draft->locks[lock];
	uint8_t mode = node ? draft->model->nodes.at[node].mode : LP_WRITE;
	uint8_t flags = node ? draft->model->nodes.at[node].flags : 0;
	const char *verb = flags & LP_TRY ? "trylock" : "lock";
	const char *letter = mode == LP_WRITE ? "" : "r";
	const char *name = it->name ? it->name : "";

	step->thread = thread;
	if (it->address && is_ambiguous(draft, lock))
		step->text = lp_pool_printf(draft->pool, "%s%s(%s %" PRIx64 ");", letter, verb,
					     name, it->address);
	else
		step->text = lp_pool_printf(draft->pool, "%s%s(%s);", letter, verb, name);
}

/* As in the kernel's table: the reporting thread is first to hold and last to get stuck. */
static void add_steps(struct draft *draft)
{
	uint32_t last = draft->edge_count - 1;

	add_step(draft, last, last, draft->edge[last].held);
	for (uint32_t i = 0; i < last; i++)
		add_step(draft, i, i, draft->edge[i].held);
	for (uint32_t i = last; i-- > 0;)
		add_step(draft, i, wanted_lock(draft, i), draft->edge[i].wanted);
	add_step(draft, last, wanted_lock(draft, last), draft->edge[last].wanted);
}

/* What is held. */

/* Add what a thread holds in the state `node`, outermost first, to a column of the table. */
static void add_held(struct draft *draft, uint32_t column, uint32_t thread, uint32_t node,
		     uint32_t witness)
{
	const struct lp_model *model = draft->model;
	uint32_t count = chain_length(model, node), i = count;

	for (; node; node = model->nodes.at[node].parent) {
		struct lp_report_held *held = &draft->held[draft->report->held_count + --i];
		uint32_t stack = stack_of(model, node, thread, witness);
		struct lp_naming_place place = lp_naming_place(draft->describer, stack);
		size_t frame_count;
		const struct lp_report_frame *frames =
			lp_naming_frames(draft->describer, stack, &frame_count);

		*held = (struct lp_report_held){
			.thread = column,
			.lock = find_lock(draft, lp_model_node_class(model, node),
					  instance_of(model, node, witness).address),
			.mode = mode_word(model->nodes.at[node].mode),
		};
		if (frames && place.index < frame_count) {
			held->frames = frames + place.index;
			held->frame_count = frame_count - place.index;
		}
	}
	draft->report->held_count += count;
}

static void add_held_of_edges(struct draft *draft)
{
	bool deadlock = draft->finding->kind == LP_FINDING_DEADLOCK;

	for (uint32_t i = deadlock ? 0 : draft->edge_count - 1; i < draft->edge_count; i++)
		add_held(draft, i, draft->edge[i].thread, held_node(draft, i),
			 draft->edge[i].witness);
}

/* Sentences. */

static const char *task_name(struct draft *draft, uint32_t thread)
{
	const struct lp_model_thread *it = &draft->model->threads.at[thread];

	if (!thread || (!*it->name && !it->tid))
		return "unknown thread";
	return lp_pool_printf(draft->pool, "%s/%" PRIu32, *it->name ? it->name : "thread",
			       it->tid);
}

/* The kind's header with each "%s" replaced by `word`. */
static const char *header_text(struct draft *draft, const char *word)
{
	const char *pattern = lp_finding_kind_header(draft->finding->kind), *text = "", *at;

	for (; text && (at = strstr(pattern, "%s")); pattern = at + 2)
		text = lp_pool_printf(draft->pool, "%s%.*s%s", text, (int)(at - pattern), pattern,
				       word ? word : "");
	return text && *text ? lp_pool_printf(draft->pool, "%s%s", text, pattern) : pattern;
}

static const char *reason_text(struct draft *draft)
{
	const char *text = lp_reason_text(draft->finding->reason), *gate;

	if (draft->finding->reason != LP_REASON_GATE || !draft->finding->gate)
		return text;
	gate = lp_naming_class(draft->describer,
			       lp_model_node_class(draft->model, draft->finding->gate));
	return lp_pool_printf(draft->pool, "%s That lock is %s.", text, gate ? gate : "");
}

/* " in transfer": where the reporting thread is. */
static const char *place_text(struct draft *draft, uint32_t stack)
{
	struct lp_naming_place place = lp_naming_place(draft->describer, stack);

	return place.symbol->function ?
		lp_pool_printf(draft->pool, " in %s", place.symbol->function) : "";
}

/*
 * "&a -> &b -> &a", from where the engine's cycle starts: the same in every run, whichever thread
 * came last.
 */
static const char *cycle_text(struct draft *draft)
{
	const struct lp_finding *finding = draft->finding;
	uint32_t count = finding->edge_count, shown = count;
	const char *text = NULL;

	if (count > TITLE_LOCKS_MAX)
		shown = TITLE_LOCKS_MAX / 2;
	for (uint32_t i = 0; i < shown; i++) {
		uint32_t class_index = lp_model_node_class(draft->model, finding->edge[i].held);
		const char *name = lp_naming_class(draft->describer, class_index);

		text = lp_pool_printf(draft->pool, "%s%s%s", text ? text : "",
				       i ? " -> " : "", name ? name : "");
	}
	if (!text || count < 2)
		return text;
	return lp_pool_printf(draft->pool, shown < count ? "%s -> ... -> %s (%" PRIu32 " locks)" :
			       "%s -> %s", text, lp_naming_class(draft->describer,
				lp_model_node_class(draft->model, finding->edge[0].held)), count);
}

static void add_title(struct draft *draft, const char *locks, uint32_t stack)
{
	const char *place = place_text(draft, stack);

	draft->report->title = lp_pool_printf(draft->pool, "%s: %s%s",
					       title_words(draft->finding->kind),
					       locks ? locks : "", place ? place : "");
}

/* A draft with room for so much; false when memory is short. */
static bool make_room(struct draft *draft, size_t locks, size_t threads, size_t stacks,
		      size_t steps, size_t held)
{
	struct lp_report_finding *report =
		lp_pool_array(draft->pool, 1, sizeof(*draft->report));

	draft->report = report;
	draft->locks = lp_pool_array(draft->pool, locks, sizeof(*draft->locks));
	draft->lock_class = lp_pool_array(draft->pool, locks, sizeof(*draft->lock_class));
	draft->threads = lp_pool_array(draft->pool, threads, sizeof(*draft->threads));
	draft->stacks = lp_pool_array(draft->pool, stacks, sizeof(*draft->stacks));
	draft->steps = lp_pool_array(draft->pool, steps, sizeof(*draft->steps));
	draft->held = lp_pool_array(draft->pool, held, sizeof(*draft->held));
	if (draft->pool->failed)
		return false;
	report->locks = draft->locks;
	report->threads = draft->threads;
	report->stacks = draft->stacks;
	report->steps = draft->steps;
	report->held = draft->held;
	return true;
}

static void add_heading(struct draft *draft, const char *word)
{
	struct lp_report_finding *report = draft->report;

	snprintf(report->id, sizeof(report->id), "%016" PRIx64, draft->finding->id);
	report->kind = lp_finding_kind_id(draft->finding->kind);
	report->level = lp_level_name(draft->finding->level);
	report->header = header_text(draft, word);
	report->reason = reason_text(draft);
}

/* The engine's dependencies, turned so that the one that closed the cycle is the last. */
static const struct lp_finding_edge *turn_edges(struct draft *draft)
{
	const struct lp_finding *finding = draft->finding;
	uint32_t count = finding->edge_count, newest = 0;
	struct lp_finding_edge *edge = lp_pool_array(draft->pool, count, sizeof(*edge));

	for (uint32_t i = 1; i < count; i++) {
		if (finding->edge[i].wanted > finding->edge[newest].wanted)
			newest = i;
	}
	for (uint32_t i = 0; edge && i < count; i++)
		edge[i] = finding->edge[(newest + 1 + i) % count];
	return edge;
}

static void describe_cycle(struct draft *draft)
{
	uint32_t count = draft->finding->edge_count;
	size_t held = 0;

	draft->edge = turn_edges(draft);
	draft->edge_count = count;
	if (!draft->edge)
		return;
	for (uint32_t i = 0; i < count; i++)
		held += chain_length(draft->model, held_node(draft, i));
	if (!make_room(draft, count + 1 + held, count, 3 * (size_t)count + 1, 2 * (size_t)count,
		       held))
		return;
	add_cycle_locks(draft);
	for (uint32_t i = 0; i < count; i++) {
		add_thread(draft, draft->edge[i].thread);
		add_node_stack(draft, "held", &draft->edge[i], draft->edge[i].held, i, i);
		add_node_stack(draft, "wanted", &draft->edge[i], draft->edge[i].wanted,
			       wanted_lock(draft, i), i);
	}
	add_created_stacks(draft);
	add_steps(draft);
	add_held_of_edges(draft);
	add_heading(draft, task_name(draft, draft->edge[count - 1].thread));
	add_title(draft, cycle_text(draft),
		  draft->model->nodes.at[draft->edge[count - 1].wanted].stack);
}

/* Findings from an event: one thread misused one lock. */

static const char *holder_text(struct draft *draft, const struct lp_model_event *event)
{
	const struct lp_model *model = draft->model;
	uint32_t process = model->threads.at[event->thread].process;

	if (!event->holder_tid || event->holder_tid == model->threads.at[event->thread].tid)
		return NULL;
	for (uint32_t i = model->threads.count; i-- > 1;) {
		if (model->threads.at[i].tid == event->holder_tid &&
		    model->threads.at[i].process == process)
			return lp_pool_printf(draft->pool, "T%" PRIu32 " %s",
					       model->threads.at[i].number, task_name(draft, i));
	}
	return lp_pool_printf(draft->pool, "thread %" PRIu32, event->holder_tid);
}

static void add_event_lock(struct draft *draft, const struct lp_model_event *event)
{
	struct lp_naming_place place;
	const char *name;

	add_lock(draft, draft->model->fines.at[event->fine].class_index, event->address);
	draft->report->cycle_count = 1;
	if (event->fine)
		return;
	/* Never acquired or initialised by anyone; the source may still have a name for it. */
	place = lp_naming_place(draft->describer, event->stack);
	name = lp_naming_argument(draft->describer, &place);
	if (name)
		draft->locks[0].name = name;
}

/* Where the lock that the event is about was acquired, if the same thread did it. */
static uint32_t node_of_event(const struct draft *draft, const struct lp_model_event *event,
			      uint32_t witness)
{
	uint32_t node = event->node;
	struct instance instance;

	for (; node; node = draft->model->nodes.at[node].parent) {
		instance = instance_of(draft->model, node, witness);
		if (instance.serial && event->serial ? instance.serial == event->serial :
		    event->fine && draft->model->nodes.at[node].fine == event->fine)
			break;
	}
	return node;
}

static void add_event_stacks(struct draft *draft, const struct lp_model_event *event,
			     uint32_t node, uint32_t witness)
{
	const struct lp_finding_edge who = { .thread = event->thread, .witness = witness };

	add_stack(draft, "event", event->stack);
	if (node)
		add_node_stack(draft, "held", &who, node, 0, 0);
	add_created_stacks(draft);
	if (draft->finding->kind == LP_FINDING_RECURSIVE_LOCKING) {
		add_step(draft, 0, 0, node);
		add_step(draft, 0, 0, 0);
	}
}

static void describe_event(struct draft *draft)
{
	const struct lp_model *model = draft->model;
	const struct lp_model_event *event = &model->events.at[draft->finding->event];
	uint32_t witness = find_witness(model, event->node, event->thread);
	uint32_t held = chain_length(model, event->node);
	uint32_t node = node_of_event(draft, event, witness), stack = event->stack;

	/* A thread ends in the C library: what a person looks for is where it took the lock. */
	if (draft->finding->kind == LP_FINDING_HELD_AT_EXIT && node)
		stack = model->nodes.at[node].stack;
	if (!make_room(draft, 1 + held, 1, 3, 2, held))
		return;
	add_event_lock(draft, event);
	add_thread(draft, event->thread);
	add_event_stacks(draft, event, node, witness);
	add_held(draft, 0, event->thread, event->node, witness);
	add_heading(draft, task_name(draft, event->thread));
	add_title(draft, draft->locks[0].name, stack);
	draft->report->event_text = event_text(event->kind);
	draft->report->holder = holder_text(draft, event);
}

const struct lp_report_finding *lp_describe_finding(struct lp_describer *describer,
						    const struct lp_finding *finding)
{
	struct draft draft = {
		.describer = describer, .model = describer->model, .pool = &describer->pool,
		.finding = finding,
	};

	describer->pool.failed = false;
	if (finding->edge_count)
		describe_cycle(&draft);
	else
		describe_event(&draft);
	return describer->pool.failed ? NULL : draft.report;
}

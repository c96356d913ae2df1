/* SPDX-License-Identifier: Apache-2.0 */
/* describe.c — findings of the engine as reports: what all have; see describe_private.h. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/describe_private.h"

#define LEVELS_MAX	8u	/* of interrupts on top of one another */

static_assert((int)LP_REPORT_TRY == LP_TRY && (int)LP_REPORT_TIMED == LP_TIMED,
	      "flags are passed on");

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

void lp_describer_set_engine(struct lp_describer *describer, const struct lp_engine *engine)
{
	describer->engine = engine;
}

void lp_describer_set_frames(struct lp_describer *describer, lp_frame_fn *frames, void *context)
{
	describer->frames = frames;
	describer->frames_context = context;
}

void lp_describer_set_objects(struct lp_describer *describer, lp_object_fn *objects,
			      void *context)
{
	describer->objects = objects;
	describer->objects_context = context;
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
	X(INCONSISTENT_LOCK_STATE, "inconsistent lock state") \
	X(IRQ_LOCK_INVERSION, "irq lock inversion") \
	X(IRQ_UNSAFE_LOCK_ORDER, "irq-unsafe lock order") \
	X(INVALID_WAIT_CONTEXT, "invalid wait context") \
	X(NESTED_LOCK_NOT_TAKEN, "nested lock not taken") \
	X(SUSPICIOUS_RCU_USAGE, "suspicious RCU usage") \
	X(INVALID_LOCK, "invalid lock") \
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

bool lp_draft_is_below(const struct lp_model *model, uint32_t node, uint32_t of,
		       uint32_t *distance)
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

struct lp_instance_name lp_draft_instance(const struct lp_model *model, uint32_t node,
					  uint32_t witness)
{
	const struct lp_model_witness *it = &model->witnesses.at[witness];
	const struct lp_model_lock *lock = &model->locks.at[model->nodes.at[node].lock];
	struct lp_instance_name instance = { 0 };
	uint32_t distance;

	if (model->nodes.at[node].lock)
		return (struct lp_instance_name){ lock->serial, lock->address };
	if (!witness || !lp_draft_is_below(model, node, it->node, &distance) ||
	    distance >= it->count)
		return instance;
	instance.serial = it->serial[distance];
	instance.address = address_of_serial(model, image_of_thread(model, it->thread),
					     instance.serial);
	return instance;
}

static uint32_t first_witness(const struct lp_model *model, uint32_t node)
{
	for (uint32_t i = 1; node && i < model->witnesses.count; i++)
		if (model->witnesses.at[i].node == node)
			return i;
	return 0;
}

uint32_t lp_draft_witness(const struct lp_model *model, uint32_t node, uint32_t thread)
{
	if (!thread)
		return first_witness(model, node);
	for (uint32_t i = model->witnesses.count; node && i-- > 1;) {
		if (model->witnesses.at[i].node == node && model->witnesses.at[i].thread == thread)
			return i;
	}
	return 0;
}

/* ---- locks: those of the cycle first, then what else is held ---- */

/* False: nobody knows it. */
static bool know_object(const struct lp_draft *draft, uint64_t serial,
			struct lp_known_object *known)
{
	const struct lp_describer *it = draft->describer;

	*known = (struct lp_known_object){ 0 };
	return serial && it->objects &&
	       it->objects(it->objects_context, draft->model, serial, known);
}

static struct lp_report_lock describe_lock(struct lp_draft *draft, uint32_t class_index,
					   struct lp_instance_name instance)
{
	struct lp_known_object known;
	bool is_known = know_object(draft, instance.serial, &known);
	const struct lp_model_class *class = &draft->model->classes.at[class_index];

	return (struct lp_report_lock){
		.name = lp_naming_class(draft->describer, class_index),
		.kind = class_index ? kind_word(class->kind) : "lock",
		.class_key = lp_pool_printf(draft->pool, "%016" PRIx64,
					     class_index ? class->key : 0),
		.created = lp_naming_origin(draft->describer, class_index),
		.object = known.name,
		.address = is_known ? 0 : instance.address,
	};
}

uint32_t lp_draft_add_lock(struct lp_draft *draft, uint32_t class_index,
			   struct lp_instance_name instance)
{
	uint32_t index = (uint32_t)draft->report->lock_count++;

	draft->lock_class[index] = class_index;
	draft->locks[index] = describe_lock(draft, class_index, instance);
	return index;
}

/* The index of a lock that is already there, or of a new one. */
static uint32_t find_lock(struct lp_draft *draft, uint32_t class_index,
			  struct lp_instance_name instance)
{
	struct lp_known_object known;
	uint64_t address = know_object(draft, instance.serial, &known) ? 0 : instance.address;

	for (uint32_t i = 0; i < draft->report->lock_count; i++) {
		const struct lp_report_lock *it = &draft->locks[i];

		if (draft->lock_class[i] == class_index && it->address == address &&
		    (known.name && it->object ? !strcmp(known.name, it->object) :
						known.name == it->object))
			return i;
	}
	return lp_draft_add_lock(draft, class_index, instance);
}

/* ---- threads ---- */

static const char *thread_start(struct lp_draft *draft, const struct lp_model_thread *thread)
{
	struct lp_symbols symbols;

	if (!thread->start.module)
		return NULL;
	symbols = lp_naming_symbols(draft->describer, thread->start, false);
	return lp_naming_spot(draft->describer, &symbols.at[symbols.count - 1], thread->start);
}

static const char *thread_creator(struct lp_draft *draft, const struct lp_model_thread *thread)
{
	struct lp_naming_place place;
	const char *spot;

	if (!thread->creator)
		return NULL;
	/* where nobody has a number of the kernel's, people go by names */
	if (!thread->stack && !thread->tid)
		return lp_draft_task_name(draft, thread->creator);
	if (!thread->stack)
		return lp_pool_printf(draft->pool, "T%" PRIu32,
				       draft->model->threads.at[thread->creator].number);
	place = lp_naming_place(draft->describer, thread->stack);
	spot = lp_naming_spot(draft->describer, place.symbol, place.frame);
	return lp_pool_printf(draft->pool, "T%" PRIu32 " in %s",
			       draft->model->threads.at[thread->creator].number, spot ? spot : "");
}

uint32_t lp_draft_add_thread(struct lp_draft *draft, uint32_t index)
{
	const struct lp_model *model = draft->model;
	const struct lp_model_thread *thread = &model->threads.at[index];
	uint32_t number = (uint32_t)draft->report->thread_count++;

	if (!index)
		return number;
	draft->threads[number] = (struct lp_report_thread){
		.comm = *thread->name ? lp_pool_copy(draft->pool, thread->name) : NULL,
		.pid = model->processes.at[thread->process].pid,
		.tid = thread->tid,
		.number = thread->number,
		.start = thread_start(draft, thread),
		.created_by = thread_creator(draft, thread),
		.forked = thread->creator && model->processes.at[thread->process].parent_thread ==
					     thread->creator,
		.context = thread->context ?
			lp_pool_copy(draft->pool, model->contexts.at[thread->context].name) : NULL,
		.irq = lp_context_is_irq(model, thread->context),
	};
	return number;
}

void lp_draft_add_context(struct lp_draft *draft, uint32_t context)
{
	size_t count = draft->report->context_count;

	for (size_t i = 0; i < count; i++)
		if (draft->context_index[i] == context)
			return;
	draft->context_index[count] = context;
	draft->contexts[count] = lp_pool_copy(draft->pool, draft->model->contexts.at[context].name);
	draft->report->context_count++;
}

/* ---- stacks ---- */

struct lp_report_stack *lp_draft_add_stack(struct lp_draft *draft, const char *role,
					   uint32_t stack)
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
 * of the witness; else the way of the thread that came there first.
 */
static uint32_t stack_of(const struct lp_model *model, uint32_t node, struct lp_doer who)
{
	uint32_t stack = 0;

	for (uint32_t i = model->witnesses.count; i-- > 1;) {
		const struct lp_model_witness *it = &model->witnesses.at[i];

		if (it->node != node || it->thread != who.thread || !it->stack)
			continue;
		if (!stack || it->epoch == model->witnesses.at[who.witness].epoch)
			stack = it->stack;
	}
	return stack ? stack : model->nodes.at[node].stack;
}

/* On the way to give it (see enum lp_report_tie): nobody took it, and it is nobody's alone. */
static bool is_promised(const struct lp_model_node *node)
{
	return node->flags & LP_MOVED && node->mode == LP_READ_RECURSIVE;
}

enum lp_report_tie lp_draft_tie(struct lp_draft *draft, uint32_t node, uint32_t witness,
				const char **run)
{
	static const enum lp_report_tie ties[LP_LOCK_KIND_COUNT] = {
		[LP_LOCK_COND] = LP_TIE_CONDITION, [LP_LOCK_SEMAPHORE] = LP_TIE_SEMAPHORE,
		[LP_LOCK_K_SEMAPHORE] = LP_TIE_SEMAPHORE,
		[LP_LOCK_K_COMPLETION] = LP_TIE_COMPLETION,
	};
	const struct lp_model_node *it = &draft->model->nodes.at[node];
	enum lp_lock_kind kind = lp_model_node_fine(draft->model, node)->kind;
	struct lp_known_object known = { 0 };

	if (kind == LP_LOCK_MAP && lp_model_is_life(lp_model_node_fine(draft->model, node)))
		known.run = lp_naming_class(draft->describer, lp_model_node_class(draft->model, node));
	else if (kind == LP_LOCK_MAP)
		know_object(draft, lp_draft_instance(draft->model, node, witness).serial, &known);
	*run = known.run;
	if (known.run)
		return LP_TIE_RUN;
	return node && (it->flags & LP_SYNC || is_promised(it)) ? ties[kind] : LP_TIE_LOCK;
}

struct lp_report_stack *lp_draft_add_node_stack(struct lp_draft *draft, const char *role,
						struct lp_doer who, uint32_t node, uint32_t lock)
{
	const struct lp_model_node *it = &draft->model->nodes.at[node];
	struct lp_report_stack *stack =
		lp_draft_add_stack(draft, role, stack_of(draft->model, node, who));
	const char *run;

	stack->lock = lock;
	stack->tie = lp_draft_tie(draft, node, who.witness, &run);
	stack->mode = mode_word(it->mode);
	stack->flags = it->flags;
	return stack;
}

void lp_draft_add_created_stacks(struct lp_draft *draft)
{
	const struct lp_model *model = draft->model;

	for (uint32_t i = 0; i < draft->report->cycle_count; i++) {
		const struct lp_model_class *class = &model->classes.at[draft->lock_class[i]];
		const struct lp_model_fine *fine = &model->fines.at[class->fine];
		struct lp_report_stack *stack;
		uint32_t first = 0;

		while (draft->lock_class[first] != draft->lock_class[i])
			first++;
		if (first < i || !draft->lock_class[i] || fine->origin != LP_ORIGIN_INIT ||
		    !fine->stack)
			continue;
		stack = lp_draft_add_stack(draft, "created", fine->stack);
		stack->lock = i;
		stack->thread = stack->edge = LP_NO_INDEX;
	}
}

/* ---- the table ---- */

/* Do two locks of the cycle have one name, so that something else must tell them apart? */
static bool is_ambiguous(const struct lp_draft *draft, uint32_t lock)
{
	for (uint32_t i = 0; i < draft->report->cycle_count; i++) {
		if (i != lock && draft->lock_class[i] == draft->lock_class[lock])
			return true;
	}
	return false;
}

/* "&account->lock", "&account->lock alice", "&account->lock 7f3a8c000b20" */
static const char *lock_label(struct lp_draft *draft, uint32_t lock)
{
	const struct lp_report_lock *it = &draft->locks[lock];
	const char *name = it->name ? it->name : "", *label = name;

	if (is_ambiguous(draft, lock) && it->object)
		label = lp_pool_printf(draft->pool, "%s %s", name, it->object);
	else if (is_ambiguous(draft, lock) && it->address)
		label = lp_pool_printf(draft->pool, "%s %" PRIx64, name, it->address);
	return label ? label : "";
}

static void add_row(struct lp_draft *draft, const struct lp_draft_act *act, const char *text)
{
	draft->steps[draft->report->step_count++] = (struct lp_report_step){
		.thread = act->column, .text = text, .depth = act->depth,
	};
}

void lp_draft_add_step(struct lp_draft *draft, const struct lp_draft_act *act)
{
	uint8_t mode = act->node ? draft->model->nodes.at[act->node].mode : LP_WRITE;
	uint8_t flags = act->node ? draft->model->nodes.at[act->node].flags : 0;
	const char *verb = flags & LP_SYNC ? "sync" : flags & LP_TRY ? "trylock" : "lock";
	const char *letter = mode == LP_WRITE || flags & LP_SYNC ? "" : "r", *run;
	const char *label = lock_label(draft, act->lock);

	switch (lp_draft_tie(draft, act->node, act->witness, &run)) {
	case LP_TIE_RUN:
		add_row(draft, act, lp_pool_printf(draft->pool, "(waits for %s() to end)", run));
		break;
	case LP_TIE_COMPLETION:
		add_row(draft, act, lp_pool_printf(draft->pool, "wait_for_completion(%s);", label));
		break;
	case LP_TIE_CONDITION:
	case LP_TIE_SEMAPHORE:
		add_row(draft, act, lp_pool_printf(draft->pool, "wait(%s);", label));
		break;
	default:
		add_row(draft, act, lp_pool_printf(draft->pool, "%s%s(%s);", letter, verb, label));
	}
}

void lp_draft_add_hold(struct lp_draft *draft, const struct lp_draft_act *act)
{
	const char *run;
	enum lp_report_tie tie = lp_draft_tie(draft, act->node, act->witness, &run);

	if (tie == LP_TIE_RUN)
		add_row(draft, act, lp_pool_printf(draft->pool, "(%s() runs)", run));
	else if (!lp_report_is_given(tie))
		lp_draft_add_step(draft, act);
}

static const char *giving_verb(enum lp_lock_kind kind)
{
	switch (kind) {
	case LP_LOCK_K_COMPLETION: return "complete";
	case LP_LOCK_COND: return "signal";
	case LP_LOCK_K_SEMAPHORE: return "up";
	default: return "post";
	}
}

void lp_draft_add_lost(struct lp_draft *draft, const struct lp_draft_act *act)
{
	enum lp_lock_kind kind = lp_model_node_fine(draft->model, act->node)->kind;
	const char *run;

	if (lp_report_is_given(lp_draft_tie(draft, act->node, act->witness, &run)))
		add_row(draft, act, lp_pool_printf(draft->pool, "(never gets to: %s(%s);)",
						   giving_verb(kind),
						   lock_label(draft, act->lock)));
}

void lp_draft_add_queued(struct lp_draft *draft, const struct lp_draft_act *act)
{
	add_row(draft, act, lp_pool_printf(draft->pool, "wlock(%s);",
					   lock_label(draft, act->lock)));
}

void lp_draft_add_words(struct lp_draft *draft, uint32_t column, const char *words)
{
	draft->steps[draft->report->step_count++] = (struct lp_report_step){
		.thread = column, .text = words,
	};
}

/* ---- what is held ---- */

/* How many locks are held in the state `node`. */
/* A thread's life is no lock to people, and always held. */
static bool is_held_lock(const struct lp_model *model, uint32_t node)
{
	return model->nodes.at[node].fine && !lp_model_is_life(lp_model_node_fine(model, node));
}

static size_t count_held(const struct lp_model *model, uint32_t node)
{
	size_t count = 0;

	for (; node; node = model->nodes.at[node].parent)
		count += is_held_lock(model, node);
	return count;
}

/* What code holds, and a witness of it or of something on top. */
struct level {
	uint32_t	node, witness;
};

/* From the innermost execution outwards: each has stopped the next one. Returns how many. */
static uint32_t find_levels(const struct lp_model *model, struct lp_doer who, uint32_t node,
			    struct level levels[LEVELS_MAX])
{
	uint32_t count = 1;

	levels[0] = (struct level){ node, who.witness };
	while (count < LEVELS_MAX && levels[count - 1].witness) {
		uint32_t below = model->witnesses.at[levels[count - 1].witness].below;

		if (!below)
			break;
		levels[count++] = (struct level){
			below, lp_draft_witness(model, below, who.thread),
		};
	}
	return count;
}

size_t lp_draft_held_room(const struct lp_draft *draft, struct lp_doer who, uint32_t node)
{
	struct level levels[LEVELS_MAX];
	size_t room = 0;

	for (uint32_t i = find_levels(draft->model, who, node, levels); i-- > 0;)
		room += count_held(draft->model, levels[i].node);
	return room;
}

static struct lp_report_held describe_held(struct lp_draft *draft, uint32_t column,
					   struct lp_doer who, uint32_t node)
{
	const struct lp_model *model = draft->model;
	uint32_t stack = stack_of(model, node, who);
	struct lp_naming_place place = lp_naming_place(draft->describer, stack);
	const char *run;
	struct lp_report_held held = {
		.thread = column,
		.lock = find_lock(draft, lp_model_node_class(model, node),
				  lp_draft_instance(model, node, who.witness)),
		.tie = lp_draft_tie(draft, node, who.witness, &run),
		.mode = mode_word(model->nodes.at[node].mode),
	};
	size_t count;
	const struct lp_report_frame *frames = lp_naming_frames(draft->describer, stack, &count);

	if (frames && place.index < count) {
		held.frames = frames + place.index;
		held.frame_count = count - place.index;
	}
	return held;
}

static void add_level(struct lp_draft *draft, uint32_t column, struct lp_doer who, uint32_t node)
{
	const struct lp_model *model = draft->model;
	size_t count = count_held(model, node), i = count;

	for (; node; node = model->nodes.at[node].parent)
		if (is_held_lock(model, node))
			draft->held[draft->report->held_count + --i] =
				describe_held(draft, column, who, node);
	draft->report->held_count += count;
}

void lp_draft_add_held(struct lp_draft *draft, uint32_t column, struct lp_doer who, uint32_t node)
{
	struct level levels[LEVELS_MAX];

	for (uint32_t i = find_levels(draft->model, who, node, levels); i-- > 0;)
		add_level(draft, column, (struct lp_doer){ who.thread, levels[i].witness },
			  levels[i].node);
}

/* ---- sentences ---- */

const char *lp_draft_task_name(struct lp_draft *draft, uint32_t thread)
{
	const struct lp_model_thread *it = &draft->model->threads.at[thread];

	if (!thread || (!*it->name && !it->tid))
		return "unknown thread";
	/* one that no kernel knows is told by its number, as renderers do */
	return lp_pool_printf(draft->pool, "%s/%" PRIu32, *it->name ? it->name : "thread",
			      it->tid ? it->tid : it->number);
}

const char *lp_draft_class_name(struct lp_draft *draft, uint32_t class_index)
{
	const char *name = lp_naming_class(draft->describer, class_index);

	return name ? name : "";
}

/* The kind's header with its first "%s" replaced by `word`, those after it by `next`. */
static const char *header_text(struct lp_draft *draft, const char *word, const char *next)
{
	const char *pattern = lp_finding_kind_header(draft->finding->kind), *text = "", *at;

	for (; text && (at = strstr(pattern, "%s")); pattern = at + 2, word = next)
		text = lp_pool_printf(draft->pool, "%s%.*s%s", text, (int)(at - pattern), pattern,
				      word ? word : "");
	return text && *text ? lp_pool_printf(draft->pool, "%s%s", text, pattern) : pattern;
}

static const char *reason_text(struct lp_draft *draft)
{
	const char *text = lp_reason_text(draft->finding->reason);

	if (draft->finding->reason != LP_REASON_GATE || !draft->finding->gate)
		return text;
	return lp_pool_printf(draft->pool, "%s That lock is %s.", text, lp_draft_class_name(draft,
			      lp_model_node_class(draft->model, draft->finding->gate)));
}

/* " in transfer": where the reporting thread is. */
static const char *place_text(struct lp_draft *draft, uint32_t stack)
{
	struct lp_naming_place place = lp_naming_place(draft->describer, stack);

	return place.symbol->function ?
		lp_pool_printf(draft->pool, " in %s", place.symbol->function) : "";
}

void lp_draft_add_title(struct lp_draft *draft, const char *words, const char *locks,
			uint32_t stack)
{
	const char *place = place_text(draft, stack);

	if (!words)
		words = title_words(draft->finding->kind);
	draft->report->title = lp_pool_printf(draft->pool, "%s%s%s%s", words, locks ? ": " : "",
					      locks ? locks : "", place ? place : "");
}

bool lp_draft_make(struct lp_draft *draft, const struct lp_draft_room *room)
{
	struct lp_pool *pool = draft->pool;
	struct lp_report_finding *report = lp_pool_array(pool, 1, sizeof(*report));

	draft->report = report;
	draft->locks = lp_pool_array(pool, room->locks, sizeof(*draft->locks));
	draft->lock_class = lp_pool_array(pool, room->locks, sizeof(*draft->lock_class));
	draft->threads = lp_pool_array(pool, room->threads, sizeof(*draft->threads));
	draft->stacks = lp_pool_array(pool, room->stacks, sizeof(*draft->stacks));
	draft->steps = lp_pool_array(pool, room->steps, sizeof(*draft->steps));
	draft->held = lp_pool_array(pool, room->held, sizeof(*draft->held));
	draft->strikes = lp_pool_array(pool, room->strikes, sizeof(*draft->strikes));
	draft->writers = lp_pool_array(pool, room->writers, sizeof(*draft->writers));
	draft->contexts = lp_pool_array(pool, room->contexts, sizeof(*draft->contexts));
	draft->context_index = lp_pool_array(pool, room->contexts, sizeof(*draft->context_index));
	if (pool->failed)
		return false;
	report->locks = draft->locks;
	report->threads = draft->threads;
	report->stacks = draft->stacks;
	report->steps = draft->steps;
	report->held = draft->held;
	report->strikes = draft->strikes;
	report->writers = draft->writers;
	report->contexts = draft->contexts;
	return true;
}

void lp_draft_add_heading(struct lp_draft *draft, const char *first, const char *second)
{
	struct lp_report_finding *report = draft->report;

	snprintf(report->id, sizeof(report->id), "%016" PRIx64, draft->finding->id);
	report->kind = lp_finding_kind_id(draft->finding->kind);
	report->level = lp_level_name(draft->finding->level);
	report->header = header_text(draft, first, second);
	report->reason = reason_text(draft);
}

const struct lp_report_finding *lp_describe_finding(struct lp_describer *describer,
						    const struct lp_finding *finding)
{
	struct lp_draft draft = {
		.describer = describer, .model = describer->model, .pool = &describer->pool,
		.finding = finding,
	};

	describer->pool.failed = false;
	if (finding->kind == LP_FINDING_INVALID_WAIT_CONTEXT && finding->edge_count)
		lp_draft_wait(&draft);
	else if (finding->edge_count)
		lp_draft_cycle(&draft);
	else
		lp_draft_event(&draft);
	if (!describer->pool.failed)
		lp_draft_add_uses(&draft);
	return describer->pool.failed ? NULL : draft.report;
}

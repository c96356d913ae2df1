/* SPDX-License-Identifier: Apache-2.0 */
/*
 * describe_event.c — findings about one wrong call: misuse of a lock, waiting where one must not.
 *
 * What a kind of event is called in the layouts is a table.
 */
#include <inttypes.h>

#include "cli/describe_private.h"

struct event_words {
	const char	*text;		/* what happened */
	const char	*title;		/* NULL: of the kind of finding; likewise the next three */
	const char	*header, *attempt, *objection;
	bool		lockless;	/* it need not be about a lock */
};

static const struct event_words event_words[LP_EVENT_COUNT] = {
#define X(name, words) [LP_EVENT_##name].text = words,
	LP_EVENTS(X)
#undef X
	[LP_EVENT_DESTROY_HELD].attempt = "is destroying a lock that is still held:",
	[LP_EVENT_INIT_HELD].attempt = "is initialising a lock that is still held:",
	[LP_EVENT_FREE_HELD].attempt = "is freeing memory, with a lock still held there!",
	[LP_EVENT_WORK_HELD].title = "lock held at the end of a work item or callback",
	[LP_EVENT_NOT_INITIALISED].attempt = "is using a lock that was never initialised:",
	[LP_EVENT_DESTROYED].attempt = "is using a lock that was destroyed or freed:",
	[LP_EVENT_WW_MISUSE].attempt = "breaks the rules of wound/wait acquisition with lock:",
	[LP_EVENT_PINNED].title = "unlock of a pinned lock",
	[LP_EVENT_PINNED].header = "WARNING: releasing a pinned lock",
	[LP_EVENT_PINNED].objection = "but that lock is pinned!",
	[LP_EVENT_NOT_PINNED].title = "pin of a lock that is not held, or not pinned",
	[LP_EVENT_NOT_PINNED].header = "WARNING: unpinning an unpinned lock",
	[LP_EVENT_NOT_PINNED].attempt = "is trying to pin or unpin lock",
	[LP_EVENT_NOT_PINNED].objection = "but that lock is not pinned, or not held!",
	[LP_EVENT_ASSERT_HELD].title = "lock must be held",
	[LP_EVENT_ASSERT_HELD].header = "WARNING: a lock must be held and is not",
	[LP_EVENT_ASSERT_HELD].attempt = "asserts that it holds lock",
	[LP_EVENT_ASSERT_HELD].objection = "but it does not hold that lock!",
	[LP_EVENT_ASSERT_NOT_HELD].title = "lock must not be held",
	[LP_EVENT_ASSERT_NOT_HELD].header = "WARNING: a lock is held that must not be",
	[LP_EVENT_ASSERT_NOT_HELD].attempt = "asserts that it does not hold lock",
	[LP_EVENT_NEST_NOT_HELD].objection = "but it does not hold that lock!",
	[LP_EVENT_RCU_DEREFERENCE].lockless = true,
	[LP_EVENT_RCU_PROTECTED].lockless = true,
	[LP_EVENT_RCU_SYNC].lockless = true,
	[LP_EVENT_RCU_SLEEP].lockless = true,
	[LP_EVENT_WAIT_CONTEXT].lockless = true,
};

static const struct event_words *words_of(const struct lp_model_event *event)
{
	static const struct event_words unknown = { .text = "misused a lock" };

	return (unsigned)event->kind < LP_EVENT_COUNT ? &event_words[event->kind] : &unknown;
}

static const char *holder_text(struct lp_draft *draft, const struct lp_model_event *event)
{
	const struct lp_model *model = draft->model;
	uint32_t process = model->threads.at[event->thread].process;

	if (!event->holder_tid || event->holder_tid == model->threads.at[event->thread].tid)
		return NULL;
	for (uint32_t i = model->threads.count; i-- > 1;) {
		if (model->threads.at[i].tid == event->holder_tid &&
		    model->threads.at[i].process == process)
			return lp_pool_printf(draft->pool, "T%" PRIu32 " %s",
					      model->threads.at[i].number,
					      lp_draft_task_name(draft, i));
	}
	return lp_pool_printf(draft->pool, "thread %" PRIu32, event->holder_tid);
}

/*
 * The lock that a thread took, said to be nested in the one that the event is about: it was taken
 * at this very place on top of what was held. 0: nobody knows.
 */
static uint32_t nested_node(const struct lp_model *model, const struct lp_model_event *event)
{
	for (uint32_t i = model->nodes.count; i-- > 1;) {
		const struct lp_model_node *node = &model->nodes.at[i];

		if (node->parent == event->node && node->stack == event->stack && node->fine &&
		    node->fine != event->fine)
			return i;
	}
	return 0;
}

/* An object that has no address in its own record has none at all. */
static struct lp_instance_name event_instance(const struct lp_model *model,
					      const struct lp_model_event *event)
{
	const struct lp_model_lock *lock = &model->locks.at[event->lock];

	return (struct lp_instance_name){
		.serial = event->serial ? event->serial : lock->serial,
		.address = event->lock ? lock->address : event->address,
	};
}

static void add_nested_lock(struct lp_draft *draft, const struct lp_model_event *event)
{
	const struct lp_model *model = draft->model;
	uint32_t node = nested_node(model, event);
	uint32_t nest = model->fines.at[event->fine].class_index;

	if (node) {
		lp_draft_add_lock(draft, lp_model_node_class(model, node),
				  lp_draft_instance(model, node, 0));
		draft->report->nest = lp_draft_class_name(draft, nest);
		return;
	}
	lp_draft_add_lock(draft, nest, event_instance(model, event));
	draft->report->attempt = "is taking a lock that must be nested in";
}

static void add_event_lock(struct lp_draft *draft, const struct lp_model_event *event)
{
	const struct lp_model *model = draft->model;
	struct lp_naming_place place;
	const char *name;

	if (!event->fine && words_of(event)->lockless)
		return;
	if (event->kind == LP_EVENT_NEST_NOT_HELD)
		add_nested_lock(draft, event);
	else
		lp_draft_add_lock(draft, model->fines.at[event->fine].class_index,
				  event_instance(model, event));
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
static uint32_t node_of_event(const struct lp_draft *draft, const struct lp_model_event *event,
			      uint32_t witness)
{
	uint32_t node = event->node;
	struct lp_instance_name instance;

	for (; node; node = draft->model->nodes.at[node].parent) {
		instance = lp_draft_instance(draft->model, node, witness);
		if (instance.serial && event->serial ? instance.serial == event->serial :
		    event->fine && draft->model->nodes.at[node].fine == event->fine)
			break;
	}
	return node;
}

static void add_event_stacks(struct lp_draft *draft, const struct lp_model_event *event,
			     uint32_t node, struct lp_doer who)
{
	lp_draft_add_stack(draft, "event", event->stack);
	if (node && draft->report->cycle_count)
		lp_draft_add_node_stack(draft, "held", who, node, 0);
	lp_draft_add_created_stacks(draft);
	if (event->kind == LP_EVENT_RELOCK) {
		lp_draft_add_step(draft, &(struct lp_draft_act){ .node = node });
		lp_draft_add_step(draft, &(struct lp_draft_act){ 0 });
	}
}

/* The innermost lock under which nobody sleeps; 0: there is none. */
static uint32_t atomic_node(const struct lp_model *model, uint32_t node)
{
	for (; node; node = model->nodes.at[node].parent) {
		enum lp_wait_type inner = lp_model_node_fine(model, node)->wait_inner;

		if (model->nodes.at[node].fine && inner && inner < LP_WAIT_SLEEP)
			return node;
	}
	return 0;
}

/* Why it must not sleep here: a lock, an interrupt; what is left are masks. */
static const char *sleepless_text(struct lp_draft *draft, const struct lp_model_event *event)
{
	const struct lp_model *model = draft->model;
	uint32_t node = atomic_node(model, event->node), context;

	if (node)
		return lp_pool_printf(draft->pool, "while %s is held", lp_draft_class_name(draft,
				      lp_model_node_class(model, node)));
	context = model->states.at[model->nodes.at[event->node].state].context;
	if (!context)
		context = model->threads.at[event->thread].context;
	if (lp_context_is_irq(model, context))
		return lp_pool_printf(draft->pool, "in %s context",
				      model->contexts.at[context].name);
	return "while interrupts or softirqs are disabled";
}

/* `holds`: the thread itself holds the lock that the event is about. */
static void add_event_words(struct lp_draft *draft, const struct lp_model_event *event,
			    uint32_t stack, bool holds)
{
	const struct event_words *words = words_of(event);
	struct lp_report_finding *report = draft->report;

	lp_draft_add_heading(draft, lp_draft_task_name(draft, event->thread), NULL);
	lp_draft_add_title(draft, words->title, report->cycle_count ? draft->locks[0].name : NULL,
			   stack);
	if (words->header)
		report->header = words->header;
	if (words->attempt)
		report->attempt = words->attempt;
	if (event->kind == LP_EVENT_FREE_HELD && draft->locks[0].address)
		report->attempt = lp_pool_printf(draft->pool, "is freeing memory around %016" PRIx64
						 ", with a lock still held there!",
						 draft->locks[0].address);
	report->objection = event->kind == LP_EVENT_ASSERT_HELD && holds ?
			    "but it holds that lock in another mode!" : words->objection;
	if (event->kind == LP_EVENT_WAIT_CONTEXT)
		report->forbidden = sleepless_text(draft, event);
	report->event_text = words->text;
	report->holder = holder_text(draft, event);
}

/* What the code that a node belongs to, or else the thread, runs in. */
static void add_own_context(struct lp_draft *draft, uint32_t node, uint32_t thread)
{
	const struct lp_model *model = draft->model;
	uint32_t context = model->states.at[model->nodes.at[node].state].context;

	if (!context)
		context = model->threads.at[thread].context;
	if (context)
		lp_draft_add_context(draft, context);
}

/* As the kernel counts: one more than the last wait type when everything is allowed. */
static unsigned wait_context(const struct lp_model *model, uint32_t node)
{
	unsigned wait = model->states.at[model->nodes.at[node].state].wait;

	return wait == LP_WAIT_UNCHECKED ? LP_WAIT_TYPE_COUNT : wait;
}

void lp_draft_event(struct lp_draft *draft)
{
	const struct lp_model *model = draft->model;
	const struct lp_model_event *event = &model->events.at[draft->finding->event];
	struct lp_doer who = { event->thread, event->thread ?
			       lp_draft_witness(model, event->node, event->thread) : 0 };
	size_t held = lp_draft_held_room(draft, who, event->node);
	uint32_t node = node_of_event(draft, event, who.witness), stack = event->stack;

	/* A thread ends in the C library: what a person looks for is where it took the lock. */
	if (draft->finding->kind == LP_FINDING_HELD_AT_EXIT && node)
		stack = model->nodes.at[node].stack;
	if (!lp_draft_make(draft, &(struct lp_draft_room){
		.locks = 1 + held, .threads = 1, .stacks = 3, .steps = 2, .held = held,
		.contexts = 1,
	}))
		return;
	add_event_lock(draft, event);
	lp_draft_add_thread(draft, event->thread);
	add_own_context(draft, event->node, event->thread);
	add_event_stacks(draft, event, node, who);
	lp_draft_add_held(draft, 0, who, event->node);
	add_event_words(draft, event, stack, node != 0);
	if (event->node)
		draft->report->wait_context = wait_context(model, event->node);
}

/* ---- a lock that waits where it must not ---- */

static const char *forbidden_text(struct lp_draft *draft, const struct lp_finding_edge *edge)
{
	const struct lp_model *model = draft->model;

	if (edge->held)
		return lp_pool_printf(draft->pool, "while %s is held",
				      lp_draft_class_name(draft,
							  lp_model_node_class(model, edge->held)));
	if (edge->context)
		return lp_pool_printf(draft->pool, "in %s context",
				      model->contexts.at[edge->context].name);
	return NULL;
}

void lp_draft_wait(struct lp_draft *draft)
{
	const struct lp_model *model = draft->model;
	const struct lp_finding_edge *edge = draft->finding->edge;
	uint32_t witness = edge->witness ? edge->witness :
					   lp_draft_witness(model, edge->wanted, 0);
	struct lp_doer who = { model->witnesses.at[witness].thread, witness };
	uint32_t below = model->nodes.at[edge->wanted].parent;
	size_t held = lp_draft_held_room(draft, who, below);
	struct lp_report_stack *stack;

	if (!lp_draft_make(draft, &(struct lp_draft_room){
		.locks = 1 + held, .threads = 1, .stacks = 2, .held = held, .contexts = 1,
	}))
		return;
	lp_draft_add_lock(draft, lp_model_node_class(model, edge->wanted),
			  lp_draft_instance(model, edge->wanted, witness));
	draft->report->cycle_count = 1;
	lp_draft_add_thread(draft, who.thread);
	add_own_context(draft, edge->wanted, who.thread);
	stack = lp_draft_add_node_stack(draft, "wanted", who, edge->wanted, 0);
	stack->thread = stack->edge = 0;
	lp_draft_add_created_stacks(draft);
	lp_draft_add_held(draft, 0, who, below);
	lp_draft_add_heading(draft, lp_draft_task_name(draft, who.thread), NULL);
	lp_draft_add_title(draft, NULL, draft->locks[0].name, model->nodes.at[edge->wanted].stack);
	draft->report->forbidden = forbidden_text(draft, edge);
	draft->report->wait_context = wait_context(model, edge->wanted);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * describe_cycle.c — cycles: who holds and wants what, and what strikes whom.
 *
 * The engine's cycle starts where its id starts; a report ends with the dependency that is told
 * first. That is the one that closed the cycle, which in the kernel's layout reports it; with
 * interrupts in it, one that the kernel's layout for the kind begins with, whatever came last.
 */
#include <inttypes.h>

#include "cli/describe_private.h"

#define TITLE_LOCKS_MAX	6	/* a longer cycle's title leaves out its middle */

static uint32_t wanted_lock(const struct lp_draft *draft, uint32_t edge)
{
	return (edge + 1) % (uint32_t)draft->report->cycle_count;
}

static uint32_t held_node(const struct lp_draft *draft, uint32_t edge)
{
	return draft->model->nodes.at[draft->edge[edge].wanted].parent;
}

/* Who wants the lock of an edge: its thread, or the interrupt that strikes it. */
static struct lp_doer wanting(const struct lp_draft *draft, const struct lp_finding_edge *edge)
{
	const struct lp_model *model = draft->model;
	uint32_t witness = edge->witness;

	if (!edge->context)
		return (struct lp_doer){ edge->thread, witness };
	witness = edge->striker ? edge->striker : lp_draft_witness(model, edge->wanted, 0);
	return (struct lp_doer){ model->witnesses.at[witness].thread, witness };
}

static struct lp_instance_name wanted_instance(const struct lp_draft *draft,
					       const struct lp_finding_edge *edge)
{
	return lp_draft_instance(draft->model, edge->wanted, wanting(draft, edge).witness);
}

/*
 * Are the two ends of the only dependency different locks? Serial numbers tell; where there are
 * none, the engine's reason does.
 */
static bool is_nested_class(const struct lp_draft *draft, struct lp_instance_name held,
			    struct lp_instance_name wanted)
{
	if (held.serial && wanted.serial)
		return held.serial != wanted.serial;
	return draft->finding->reason == LP_REASON_SAME_CLASS;
}

static void add_locks(struct lp_draft *draft)
{
	const struct lp_model *model = draft->model;
	struct lp_instance_name held, wanted;

	for (uint32_t i = 0; i < draft->edge_count; i++) {
		const struct lp_finding_edge *edge = &draft->edge[i];
		const struct lp_finding_edge *before = &draft->edge[i ? i - 1 :
								    draft->edge_count - 1];

		held = lp_draft_instance(model, edge->held, edge->witness);
		if (!held.address && draft->edge_count > 1)
			held = wanted_instance(draft, before);
		lp_draft_add_lock(draft, lp_model_node_class(model, edge->held), held);
	}
	if (draft->edge_count == 1) {
		wanted = wanted_instance(draft, draft->edge);
		held = lp_draft_instance(model, draft->edge->held, draft->edge->witness);
		if (is_nested_class(draft, held, wanted))
			lp_draft_add_lock(draft, lp_model_node_class(model, draft->edge->wanted),
					  wanted);
	}
	draft->report->cycle_count = draft->report->lock_count;
}

/* ---- strikes ---- */

/*
 * Who forks, so that `child` has a copy of what `holder` holds: the nearest of its creators in that
 * process. 0: `child` forks itself (in scenarios), or nobody knows.
 */
static uint32_t find_forker(const struct lp_model *model, uint32_t child, uint32_t holder)
{
	uint32_t thread = child;

	while (thread && model->threads.at[thread].process != model->threads.at[holder].process)
		thread = model->threads.at[thread].creator;
	return thread != child ? thread : 0;
}

/* The thread that runs as the interrupt, after those of the edges; its words. */
static void add_strike(struct lp_draft *draft, uint32_t edge)
{
	const struct lp_finding_edge *it = &draft->edge[edge];
	struct lp_report_strike *strike = &draft->strikes[draft->report->strike_count++];
	struct lp_doer who = wanting(draft, it);
	uint32_t forker;

	lp_draft_name_strike(draft, strike, it);
	strike->edge = edge;
	strike->thread = lp_draft_add_thread(draft, who.thread);
	forker = strike->fork ? find_forker(draft->model, who.thread, it->thread) : 0;
	if (forker)
		strike->forker = lp_pool_printf(draft->pool, "T%" PRIu32 " %s",
						draft->model->threads.at[forker].number,
						lp_draft_task_name(draft, forker));
	if (!who.thread) {
		draft->threads[strike->thread].context = strike->context;
		draft->threads[strike->thread].irq = strike->kernel;
	}
	lp_draft_add_context(draft, it->context);
	lp_draft_add_stamps(draft, strike, it->context, who.witness);
}

static const struct lp_report_strike *strike_of(const struct lp_draft *draft, uint32_t edge)
{
	for (size_t i = 0; i < draft->report->strike_count; i++)
		if (draft->strikes[i].edge == edge)
			return &draft->strikes[i];
	return NULL;
}

/* ---- writers between readers ---- */

/* Their threads stand after those of the strikes. */
static void add_writers(struct lp_draft *draft)
{
	const struct lp_model *model = draft->model;

	for (uint32_t i = 0; i < draft->edge_count; i++) {
		uint32_t witness = draft->edge[i].writer;
		uint32_t thread = model->witnesses.at[witness].thread;

		if (!witness)
			continue;
		draft->writers[draft->report->writer_count++] = (struct lp_report_writer){
			.edge = i, .thread = lp_draft_add_thread(draft, thread),
		};
	}
}

static void add_writer_stack(struct lp_draft *draft, const struct lp_report_writer *writer)
{
	uint32_t witness = draft->edge[writer->edge].writer;
	const struct lp_model_witness *it = &draft->model->witnesses.at[witness];
	struct lp_doer who = { it->thread, witness };
	struct lp_report_stack *stack = lp_draft_add_node_stack(draft, "writer", who, it->node,
								wanted_lock(draft, writer->edge));

	stack->thread = writer->thread;
	stack->edge = writer->edge;
}

static uint32_t count_writers(const struct lp_finding *finding)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < finding->edge_count; i++)
		count += finding->edge[i].writer != 0;
	return count;
}

static uint32_t count_strikes(const struct lp_finding *finding)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < finding->edge_count; i++)
		count += finding->edge[i].context != 0;
	return count;
}

/* ---- stacks ---- */

static void add_stacks(struct lp_draft *draft, uint32_t edge)
{
	const struct lp_finding_edge *it = &draft->edge[edge];
	const struct lp_report_strike *strike = strike_of(draft, edge);
	uint32_t let_in = strike ? lp_draft_let_in(draft, it) : it->held;
	struct lp_doer holder = { it->thread, it->witness };
	struct lp_report_stack *stack;

	stack = lp_draft_add_node_stack(draft, "held", holder, it->held, edge);
	stack->thread = stack->edge = edge;
	if (let_in != it->held) {
		stack = lp_draft_add_node_stack(draft, "state", holder, let_in, edge);
		stack->thread = stack->edge = edge;
		stack->mode = NULL;
		stack->flags = 0;
	}
	stack = lp_draft_add_node_stack(draft, "wanted", wanting(draft, it), it->wanted,
					wanted_lock(draft, edge));
	stack->thread = strike ? strike->thread : edge;
	stack->edge = edge;
}

/* ---- the table ---- */

static void add_hold(struct lp_draft *draft, uint32_t edge)
{
	lp_draft_add_hold(draft, &(struct lp_draft_act){
		edge, edge, draft->edge[edge].held, draft->edge[edge].witness, 0,
	});
}

static void add_writer_steps(struct lp_draft *draft, uint32_t edge)
{
	for (size_t i = 0; i < draft->report->writer_count; i++)
		if (draft->writers[i].edge == edge)
			lp_draft_add_queued(draft, &(struct lp_draft_act){
				.column = draft->writers[i].thread,
				.lock = wanted_lock(draft, edge),
			});
}

static const char *fork_words(struct lp_draft *draft, const struct lp_report_strike *strike)
{
	const struct lp_report_thread *thread = &draft->threads[strike->thread];

	if (strike->forker)
		return lp_pool_printf(draft->pool, "<%s forks; in the child:>", strike->forker);
	if (thread->comm)
		return lp_pool_printf(draft->pool, "<%s forks; in the child:>", thread->comm);
	return "<another thread forks; in the child:>";
}

static void add_want(struct lp_draft *draft, uint32_t edge)
{
	const struct lp_report_strike *strike = strike_of(draft, edge);

	add_writer_steps(draft, edge);
	if (strike && strike->kernel)
		lp_draft_add_words(draft, edge, "<Interrupt>");
	else if (strike && strike->fork)
		lp_draft_add_words(draft, edge, fork_words(draft, strike));
	else if (strike)
		lp_draft_add_words(draft, edge, lp_pool_printf(draft->pool, "<%s>",
							       strike->context));
	lp_draft_add_step(draft, &(struct lp_draft_act){
		edge, wanted_lock(draft, edge), draft->edge[edge].wanted,
		wanting(draft, &draft->edge[edge]).witness, strike != NULL,
	});
	lp_draft_add_lost(draft, &(struct lp_draft_act){
		edge, edge, draft->edge[edge].held, draft->edge[edge].witness, 0,
	});
}

/* The dependency that the table begins and ends with: the last one, or one that is struck. */
static uint32_t leading_edge(const struct lp_draft *draft)
{
	uint32_t last = draft->edge_count - 1;

	return draft->report->strike_count && !draft->edge[last].context ?
	       draft->strikes[0].edge : last;
}

/* As in the kernel's table: the one that reports is first to hold and last to get stuck. */
static void add_steps(struct lp_draft *draft)
{
	uint32_t count = draft->edge_count, lead = leading_edge(draft);
	const struct lp_report_strike *strike = strike_of(draft, lead);

	add_hold(draft, lead);
	for (uint32_t i = 1; i < count; i++) {
		uint32_t edge = (lead + i) % count;

		/* what holds the safe lock is not struck by this: as the kernel shows it */
		if (i == 1 && strike && strike->kernel && !strike_of(draft, edge))
			lp_draft_add_words(draft, edge, "local_irq_disable();");
		add_hold(draft, edge);
	}
	for (uint32_t i = count - 1; i > 0; i--)
		add_want(draft, (lead + i) % count);
	add_want(draft, lead);
}

/* ---- what is held ---- */

static void add_held(struct lp_draft *draft)
{
	bool deadlock = draft->finding->kind == LP_FINDING_DEADLOCK;

	for (uint32_t i = deadlock ? 0 : draft->edge_count - 1; i < draft->edge_count; i++) {
		const struct lp_report_strike *strike = strike_of(draft, i);

		lp_draft_add_held(draft, strike ? strike->thread : i,
				  wanting(draft, &draft->edge[i]), held_node(draft, i));
	}
}

/* ---- all of it ---- */

/*
 * "&a -> &b -> &a", from where the engine's cycle starts: the same in every run, whichever thread
 * came last.
 */
static const char *cycle_text(struct lp_draft *draft)
{
	const struct lp_finding *finding = draft->finding;
	uint32_t count = finding->edge_count, shown = count;
	const char *text = NULL;

	if (count > TITLE_LOCKS_MAX)
		shown = TITLE_LOCKS_MAX / 2;
	for (uint32_t i = 0; i < shown; i++) {
		uint32_t class_index = lp_model_node_class(draft->model, finding->edge[i].held);

		text = lp_pool_printf(draft->pool, "%s%s%s", text ? text : "", i ? " -> " : "",
				      lp_draft_class_name(draft, class_index));
	}
	if (!text || count < 2)
		return text;
	return lp_pool_printf(draft->pool, shown < count ? "%s -> ... -> %s (%" PRIu32 " locks)" :
			      "%s -> %s", text, lp_draft_class_name(draft,
				lp_model_node_class(draft->model, finding->edge[0].held)), count);
}

/* The engine's dependency that is told first, and therefore comes last in the report. */
static uint32_t choose_last(const struct lp_finding *finding)
{
	uint32_t newest = 0;

	for (uint32_t i = 0; i < finding->edge_count; i++) {
		if (!finding->edge[i].context)
			continue;
		/* an unsafe order is told by who takes one lock after the other */
		return finding->kind == LP_FINDING_IRQ_UNSAFE_LOCK_ORDER ?
		       (i + 1) % finding->edge_count : i;
	}
	for (uint32_t i = 1; i < finding->edge_count; i++)
		if (finding->edge[i].wanted > finding->edge[newest].wanted)
			newest = i;
	return newest;
}

static const struct lp_finding_edge *turn_edges(struct lp_draft *draft)
{
	const struct lp_finding *finding = draft->finding;
	uint32_t count = finding->edge_count, last = choose_last(finding);
	struct lp_finding_edge *edge = lp_pool_array(draft->pool, count, sizeof(*edge));

	for (uint32_t i = 0; edge && i < count; i++)
		edge[i] = finding->edge[(last + 1 + i) % count];
	return edge;
}

static bool make_room(struct lp_draft *draft)
{
	size_t count = draft->edge_count, strikes = count_strikes(draft->finding), held = 0;
	size_t writers = count_writers(draft->finding);

	for (uint32_t i = 0; i < count; i++)
		held += lp_draft_held_room(draft, wanting(draft, &draft->edge[i]),
					   held_node(draft, i));
	return lp_draft_make(draft, &(struct lp_draft_room){
		.locks = count + 1 + held, .threads = count + strikes + writers,
		.stacks = 4 * count + 1 + writers, .steps = 3 * count + strikes + writers + 1,
		.held = held, .strikes = strikes, .writers = writers, .contexts = strikes,
	});
}

static void add_names(struct lp_draft *draft)
{
	const struct lp_finding_edge *last = &draft->edge[draft->edge_count - 1];
	const struct lp_report_strike *strike = draft->report->strike_count ? draft->strikes : NULL;

	if (strike)
		lp_draft_add_heading(draft, strike->safe, strike->unsafe);
	else
		lp_draft_add_heading(draft, lp_draft_task_name(draft, last->thread), NULL);
	lp_draft_add_title(draft, NULL, cycle_text(draft),
			   draft->model->nodes.at[last->wanted].stack);
	draft->report->state = lp_draft_state(draft, last->wanted);
}

void lp_draft_cycle(struct lp_draft *draft)
{
	draft->edge = turn_edges(draft);
	draft->edge_count = draft->finding->edge_count;
	if (!draft->edge || !make_room(draft))
		return;
	add_locks(draft);
	for (uint32_t i = 0; i < draft->edge_count; i++)
		lp_draft_add_thread(draft, draft->edge[i].thread);
	for (uint32_t i = 0; i < draft->edge_count; i++)
		if (draft->edge[i].context)
			add_strike(draft, i);
	add_writers(draft);
	for (uint32_t i = 0; i < draft->edge_count; i++)
		add_stacks(draft, i);
	for (size_t i = 0; i < draft->report->writer_count; i++)
		add_writer_stack(draft, &draft->writers[i]);
	lp_draft_add_created_stacks(draft);
	add_steps(draft);
	add_held(draft);
	add_names(draft);
}

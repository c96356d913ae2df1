/* SPDX-License-Identifier: Apache-2.0 */
/*
 * describe_irq.c — words about contexts: how locks are used in them, what code can be struck by.
 *
 * For kernel code these are the kernel's own: four letters for hardirq and softirq,
 * "HC0[0]:SC0[0]:HE1:SE1".
 * For signals there are as many as a finding has contexts, with letters of the same meaning.
 */

#include "base/compiler.h"
#include "cli/describe_private.h"

/* How a kernel lock kind is told: they come after those of user space. */
static bool is_kernel_kind(enum lp_lock_kind kind)
{
	return kind >= LP_LOCK_K_SPINLOCK && kind <= LP_LOCK_RCU;
}

static bool has_irqs(const struct lp_model *model)
{
	for (uint32_t i = 1; i < model->contexts.count; i++)
		if (lp_context_is_irq(model, i))
			return true;
	return false;
}

static bool is_read(const struct lp_model *model, uint32_t node)
{
	return model->nodes.at[node].mode != LP_WRITE;
}

static bool lets_in(const struct lp_model *model, uint32_t node, uint32_t context)
{
	return lp_model_state_has(&model->states.at[model->nodes.at[node].state], true, context);
}

uint32_t lp_draft_let_in(const struct lp_draft *draft, const struct lp_finding_edge *edge)
{
	const struct lp_model *model = draft->model;
	uint32_t seen = model->witnesses.at[edge->witness].node, node = 0;

	if (lets_in(model, edge->held, edge->context))
		return edge->held;
	if (edge->witness && lets_in(model, seen, edge->context))
		return seen;
	if (draft->describer->engine)
		node = lp_engine_usage_node(draft->describer->engine,
					    lp_model_node_class(model, edge->held), edge->context,
					    is_read(model, edge->held) ? LP_USED_ON_READ :
									 LP_USED_ON);
	return node ? node : edge->held;
}

/* Whatever is held can be struck by an NMI, so the kernel speaks of the first use of all. */
static void name_nmi(struct lp_report_strike *strike, bool read)
{
	strike->on = read ? "INITIAL READ USE" : "INITIAL USE";
	strike->in = "IN-NMI";
}

void lp_draft_name_strike(struct lp_draft *draft, struct lp_report_strike *strike,
			  const struct lp_finding_edge *edge)
{
	const struct lp_model *model = draft->model;
	bool held_read = is_read(model, edge->held), wanted_read = is_read(model, edge->wanted);
	const char *name = lp_pool_copy(draft->pool, model->contexts.at[edge->context].name);

	if (!name)
		return;
	strike->context = name;
	strike->kernel = lp_context_is_irq(model, edge->context);
	strike->signal = model->contexts.at[edge->context].kind == LP_CONTEXT_SIGNAL;
	strike->fork = model->contexts.at[edge->context].kind == LP_CONTEXT_FORK;
	strike->on = lp_pool_printf(draft->pool, "%s-ON-%c", name, held_read ? 'R' : 'W');
	strike->in = lp_pool_printf(draft->pool, "IN-%s-%c", name, wanted_read ? 'R' : 'W');
	strike->safe = lp_pool_printf(draft->pool, "%s%s", name, wanted_read ? "-READ" : "");
	strike->unsafe = lp_pool_printf(draft->pool, "%s%s", name, held_read ? "-READ" : "");
	if (model->contexts.at[edge->context].kind == LP_CONTEXT_NMI)
		name_nmi(strike, held_read);
}

/* ---- event stamps ---- */

/* The kernel tells of both kinds of interrupts in each report, in this order. */
static const struct {
	enum lp_context_kind kind;
	const char	*name;
} irq_names[] = { { LP_CONTEXT_HARDIRQ, "hardirqs" }, { LP_CONTEXT_SOFTIRQ, "softirqs" } };

static struct lp_report_change describe_change(struct lp_draft *draft,
					       const struct lp_model_stamp *stamp, bool let_in)
{
	struct lp_report_change change = { .at = stamp->at[let_in] };

	if (change.at)
		change.frames = lp_naming_code(draft->describer, stamp->where[let_in],
					       &change.frame_count);
	return change;
}

static struct lp_report_stamp describe_stamp(struct lp_draft *draft,
					     const struct lp_model_stamp *stamp, const char *name)
{
	const char *context = lp_pool_copy(draft->pool,
					   draft->model->contexts.at[stamp->context].name);

	return (struct lp_report_stamp){
		.context = context, .name = name ? name : context,
		.let_in = describe_change(draft, stamp, true),
		.blocked = describe_change(draft, stamp, false),
	};
}

void lp_draft_add_stamps(struct lp_draft *draft, struct lp_report_strike *strike,
			 uint32_t context, uint32_t witness)
{
	const struct lp_model *model = draft->model;
	const struct lp_model_stamps *from =
		&model->stamps.at[model->witnesses.at[witness].stamps];
	struct lp_report_stamp *stamps = lp_pool_array(draft->pool, from->count, sizeof(*stamps));
	size_t count = 0;

	for (size_t i = 0; stamps && strike->kernel && i < lp_array_size(irq_names); i++)
		for (uint32_t j = 0; j < from->count; j++)
			if (model->contexts.at[from->at[j].context].kind == irq_names[i].kind)
				stamps[count++] = describe_stamp(draft, &from->at[j],
								 irq_names[i].name);
	for (uint32_t j = 0; stamps && !strike->kernel && j < from->count; j++)
		if (from->at[j].context == context)
			stamps[count++] = describe_stamp(draft, &from->at[j], NULL);
	strike->stamps = stamps;
	strike->stamp_count = count;
	strike->events = from->events;
}

/* ---- states ---- */

/*
 * Is a context of this kind in the state's list? What nobody's facts know of cannot be told: it is
 * taken to be enabled, which it is in most code.
 */
static bool has_kind(const struct lp_model *model, const struct lp_model_state *state, bool on,
		     enum lp_context_kind kind)
{
	bool known = false;

	for (uint32_t i = 1; i < model->contexts.count; i++) {
		if (model->contexts.at[i].kind != kind)
			continue;
		known = true;
		if (lp_model_state_has(state, on, i))
			return true;
	}
	return on && !known;
}

static const char *irq_state(struct lp_draft *draft, const struct lp_model_state *state)
{
	const struct lp_model *model = draft->model;
	int hard = has_kind(model, state, false, LP_CONTEXT_HARDIRQ);
	int soft = has_kind(model, state, false, LP_CONTEXT_SOFTIRQ);

	return lp_pool_printf(draft->pool, "HC%d[%d]:SC%d[%d]:HE%d:SE%d", hard, hard, soft, soft,
			      has_kind(model, state, true, LP_CONTEXT_HARDIRQ),
			      has_kind(model, state, true, LP_CONTEXT_SOFTIRQ));
}

const char *lp_draft_state(struct lp_draft *draft, uint32_t node)
{
	const struct lp_model *model = draft->model;
	const struct lp_model_state *state = &model->states.at[model->nodes.at[node].state];
	const struct lp_report_finding *report = draft->report;
	const char *text = NULL;

	if (!report->strike_count)
		return NULL;
	if (report->strikes[0].kernel)
		return irq_state(draft, state);
	for (size_t i = 0; i < report->context_count; i++) {
		uint32_t context = draft->context_index[i];

		text = lp_pool_printf(draft->pool, "%s%s%s:IN%d:ON%d", text ? text : "",
				      text ? " " : "", model->contexts.at[context].name,
				      lp_model_state_has(state, false, context),
				      lp_model_state_has(state, true, context));
	}
	return text;
}

/* ---- uses of locks ---- */

static char letter(unsigned bits, unsigned in, unsigned on)
{
	if (bits & in)
		return bits & on ? '?' : '-';
	return bits & on ? '+' : '.';
}

/* Two letters: as a writer, as a reader. */
static void put_letters(char *at, unsigned bits)
{
	at[0] = letter(bits, LP_USED_IN, LP_USED_ON);
	at[1] = letter(bits, LP_USED_IN_READ, LP_USED_ON_READ);
}

static const char *irq_uses(struct lp_draft *draft, uint32_t class_index)
{
	const struct lp_model *model = draft->model;
	unsigned bits[2] = { 0, 0 };
	char *text = lp_pool_array(draft->pool, 5, 1);

	for (uint32_t i = 1; i < model->contexts.count; i++) {
		enum lp_context_kind kind = model->contexts.at[i].kind;

		if (kind == LP_CONTEXT_HARDIRQ || kind == LP_CONTEXT_SOFTIRQ)
			bits[kind == LP_CONTEXT_SOFTIRQ] |=
				lp_engine_usage(draft->describer->engine, class_index, i);
	}
	for (unsigned i = 0; text && i < 2; i++)
		put_letters(text + 2 * i, bits[i]);
	return text;
}

/* Of the contexts of the finding, in their order. */
static const char *own_uses(struct lp_draft *draft, uint32_t class_index)
{
	size_t count = draft->report->context_count;
	char *text = lp_pool_array(draft->pool, 2 * count + 1, 1);

	for (size_t i = 0; text && i < count; i++)
		put_letters(text + 2 * i, lp_engine_usage(draft->describer->engine, class_index,
							  draft->context_index[i]));
	return text;
}

static const char *wait_types(struct lp_draft *draft, uint32_t class_index)
{
	const struct lp_model *model = draft->model;
	const struct lp_model_fine *fine = &model->fines.at[model->classes.at[class_index].fine];

	return lp_pool_printf(draft->pool, "%u:%u", fine->wait_outer, fine->wait_inner);
}

void lp_draft_add_uses(struct lp_draft *draft)
{
	bool irqs = has_irqs(draft->model), known = draft->describer->engine != NULL;

	for (size_t i = 0; i < draft->report->lock_count; i++) {
		uint32_t class_index = draft->lock_class[i];
		enum lp_lock_kind kind = draft->model->classes.at[class_index].kind;
		bool kernel = is_kernel_kind(kind) || (irqs && kind == LP_LOCK_MAP);

		if (!class_index)
			continue;
		if (kernel)
			draft->locks[i].wait = wait_types(draft, class_index);
		if (kernel && known)
			draft->locks[i].usage = irq_uses(draft, class_index);
		else if (draft->report->strike_count && known)
			draft->locks[i].usage = own_uses(draft, class_index);
	}
}

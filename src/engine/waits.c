/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waits.c — locks that sleep where sleeping is not allowed, or spin in the wrong place.
 *
 * Every class says what its lock needs to be taken (outer) and what it leaves while it is held
 * (inner); a context leaves something, too. A lock that needs more than all of them leave is a
 * finding: it happened. Trylocks do not wait, and locks held by the interrupted code do not count:
 * the context does. Inside a class that overrides, only it counts, and what is held inside it.
 *
 * One finding for each class that is wanted and the class or context that forbids it.
 */
#include "base/hash.h"
#include "engine/state.h"

/* What node `held` leaves; more than anything needs when it is not checked. */
static unsigned leaves(const struct lp_model *model, uint32_t held)
{
	unsigned inner = lp_model_node_fine(model, held)->wait_inner;

	return inner == LP_WAIT_UNCHECKED ? LP_WAIT_TYPE_COUNT : inner;
}

static bool overrides(const struct lp_model *model, uint32_t held)
{
	return lp_model_node_fine(model, held)->flags & LP_CLASS_WAIT_OVERRIDE;
}

/*
 * The held node that leaves the least below `node`, 0: none leaves less than `have`, what the
 * context leaves; *have becomes that.
 */
static uint32_t strictest(const struct lp_model *model, uint32_t node, unsigned *have)
{
	unsigned context = *have, least = LP_WAIT_TYPE_COUNT;
	uint32_t worst = 0;

	for (uint32_t held = lp_below(model, node); held; held = lp_below(model, held)) {
		if (leaves(model, held) < least) {
			least = leaves(model, held);
			worst = held;
		}
		if (overrides(model, held)) {
			context = LP_WAIT_TYPE_COUNT;
			break;
		}
	}
	*have = context <= least ? context : least;
	return context <= least ? 0 : worst;
}

static int tell(struct lp_engine *engine, const struct lp_model *model, uint32_t node,
		uint32_t held)
{
	const struct lp_model_state *state = &model->states.at[model->nodes.at[node].state];
	uint32_t context = held ? 0 : state->context;
	uint64_t key[] = {
		model->classes.at[lp_model_node_class(model, node)].key,
		held ? model->classes.at[lp_model_node_class(model, held)].key :
		       lp_findings_context_key(model, context),
	};
	struct lp_finding_edge edge = { .held = held, .wanted = node, .context = context };
	struct lp_finding finding = {
		.kind = LP_FINDING_INVALID_WAIT_CONTEXT, .level = LP_ACTUAL,
		.reason = LP_REASON_HAPPENED, .edge_count = 1, .edge = &edge,
		.id = lp_findings_ordered_id(LP_FINDING_INVALID_WAIT_CONTEXT, key, 2),
	};

	/* the first node stays the example */
	return lp_findings_put_once(engine, &finding);
}

int lp_waits_add_node(struct lp_engine *engine, const struct lp_model *model, uint32_t node)
{
	const struct lp_model_node *n = &model->nodes.at[node];
	unsigned outer = lp_model_node_fine(model, node)->wait_outer;
	unsigned have = model->states.at[n->state].wait;
	uint32_t worst;

	if (!n->fine || outer == LP_WAIT_UNCHECKED || (n->flags & LP_NEVER_WAITS))
		return 0;
	have = have == LP_WAIT_UNCHECKED ? LP_WAIT_TYPE_COUNT : have;
	worst = strictest(model, node, &have);
	return outer > have ? tell(engine, model, node, worst) : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * misuse.c — what happened is a finding at once: misuse of the API, a deadlock seen.
 *
 * One finding for each kind, class and place in the code.
 */
#include "base/hash.h"
#include "engine/state.h"

static enum lp_finding_kind kind_of(enum lp_event_kind event)
{
	static const enum lp_finding_kind kinds[LP_EVENT_COUNT] = {
		[LP_EVENT_UNLOCK_NOT_HELD] = LP_FINDING_BAD_UNLOCK_BALANCE,
		[LP_EVENT_DESTROY_HELD] = LP_FINDING_HELD_LOCK_FREED,
		[LP_EVENT_INIT_HELD] = LP_FINDING_HELD_LOCK_FREED,
		[LP_EVENT_FREE_HELD] = LP_FINDING_HELD_LOCK_FREED,
		[LP_EVENT_EXIT_HELD] = LP_FINDING_HELD_AT_EXIT,
		[LP_EVENT_WORK_HELD] = LP_FINDING_HELD_AT_EXIT,
		[LP_EVENT_RELOCK] = LP_FINDING_RECURSIVE_LOCKING,
		[LP_EVENT_NOT_INITIALISED] = LP_FINDING_INVALID_LOCK,
		[LP_EVENT_DESTROYED] = LP_FINDING_INVALID_LOCK,
		[LP_EVENT_PINNED] = LP_FINDING_BAD_UNLOCK_BALANCE,
		[LP_EVENT_NOT_PINNED] = LP_FINDING_BAD_UNLOCK_BALANCE,
		[LP_EVENT_ASSERT_HELD] = LP_FINDING_NESTED_LOCK_NOT_TAKEN,
		[LP_EVENT_ASSERT_NOT_HELD] = LP_FINDING_RECURSIVE_LOCKING,
		[LP_EVENT_NEST_NOT_HELD] = LP_FINDING_NESTED_LOCK_NOT_TAKEN,
		[LP_EVENT_RCU_DEREFERENCE] = LP_FINDING_SUSPICIOUS_RCU_USAGE,
		[LP_EVENT_RCU_PROTECTED] = LP_FINDING_SUSPICIOUS_RCU_USAGE,
		[LP_EVENT_RCU_SYNC] = LP_FINDING_SUSPICIOUS_RCU_USAGE,
		[LP_EVENT_RCU_SLEEP] = LP_FINDING_SUSPICIOUS_RCU_USAGE,
		[LP_EVENT_WAIT_CONTEXT] = LP_FINDING_INVALID_WAIT_CONTEXT,
		[LP_EVENT_WW_MISUSE] = LP_FINDING_INVALID_LOCK,
	};

	return (unsigned)event < LP_EVENT_COUNT ? kinds[event] : LP_FINDING_BAD_UNLOCK_BALANCE;
}

/* A number for the place of a stack that is the same in every run; 0: no place. */
static uint64_t place_key(struct lp_engine *engine, const struct lp_model *model, uint32_t stack)
{
	struct lp_model_frame place;

	if (!stack)
		return 0;
	place = lp_model_place(model, stack, engine->wrapper, engine->wrapper_context);
	return lp_hash_add(model->modules.at[place.module].id, place.offset);
}

/* A lock taken twice that the library refused: tells more than the nesting does. */
static int note_relock(struct lp_engine *engine, const struct lp_model *model, uint32_t class)
{
	int err = lp_vec_extend(&engine->class, (uint64_t)class + 1);

	if (err || !class || engine->class.at[class].relocked)
		return err;
	engine->class.at[class].relocked = true;
	for (uint32_t item = engine->object.at[engine->class.at[class].object].owned; !err && item;
	     item = engine->item.at[item].next) {
		uint32_t cycle = engine->item.at[item].item;

		if (engine->cycle.at[cycle].count == 1 && engine->cycle.at[cycle].stage)
			err = lp_cycles_raise(engine, cycle, engine->cycle.at[cycle].stage);
	}
	return err;
}

int lp_misuse_add_event(struct lp_engine *engine, const struct lp_model *model, uint32_t event)
{
	const struct lp_model_event *e = &model->events.at[event];
	uint32_t class = e->fine ? model->fines.at[e->fine].class_index : 0;
	/* The event's own word keeps these ids apart from those of cycles. */
	uint64_t key[] = { 0x65766e74, class ? model->classes.at[class].key : 0,
			   place_key(engine, model, e->stack) };
	struct lp_finding finding = {
		.kind = kind_of(e->kind), .level = LP_ACTUAL, .reason = LP_REASON_HAPPENED,
		.event = event,
	};

	finding.id = lp_hash_add(lp_hash_bytes(key[0], lp_finding_kind_id(finding.kind),
					       strlen(lp_finding_kind_id(finding.kind))), key[1]);
	finding.id = lp_hash_add(finding.id, key[2]);
	if (lp_map_get(&engine->finding_index, finding.id)) {
		const struct lp_finding *old = &engine->finding.at[
			lp_map_get(&engine->finding_index, finding.id) - 1];

		finding.event = old->event;	/* the first one stays the example */
	}
	if (e->kind == LP_EVENT_RELOCK) {
		int err = note_relock(engine, model, class);

		if (err)
			return err;
	}
	return lp_findings_put(engine, &finding);
}

int lp_engine_add_deadlock(struct lp_engine *engine, const struct lp_model *model,
			   const struct lp_finding_edge *edges, uint32_t count)
{
	struct lp_finding finding = {
		.kind = LP_FINDING_DEADLOCK, .level = LP_ACTUAL, .reason = LP_REASON_HAPPENED,
		.edge_count = count,
	};
	uint64_t *key = calloc((size_t)count + 1, sizeof(*key));
	struct lp_finding_edge *turned = calloc((size_t)count + 1, sizeof(*turned));
	int err = key && turned ? 0 : -ENOMEM;
	uint32_t start;

	for (uint32_t i = 0; !err && i < count; i++) {
		uint32_t class = edges[i].held < model->nodes.count ?
			lp_model_node_class(model, edges[i].held) : 0;

		key[i] = class ? model->classes.at[class].key : 0;
	}
	if (!err && count) {
		start = lp_findings_rotation(key, count);
		for (uint32_t i = 0; i < count; i++)
			turned[i] = edges[(start + (uint64_t)i) % count];
		finding.edge = turned;
		finding.id = lp_findings_id(LP_FINDING_DEADLOCK, key, count);
		if (!lp_map_get(&engine->finding_index, finding.id))
			err = lp_findings_put(engine, &finding);
	}
	free(key);
	free(turned);
	return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* check.c — is the whole model sound? What lp_model_add_* promise, asked again of the result. */
#include <string.h>

#include "facts/model.h"

#define IN(array, index)	((index) < model->array.count)
#define REAL(array, index)	((index) && IN(array, index))

static bool check_stacks(const struct lp_model *model)
{
	for (uint32_t i = 1; i < model->stacks.count; i++)
		for (uint32_t j = 0; j < model->stacks.at[i].count; j++)
			if (!IN(modules, model->stacks.at[i].frame[j].module))
				return false;
	return true;
}

/* Classes are complete or not yet computed, and each is represented by one of its own. */
static bool check_classes(const struct lp_model *model)
{
	for (uint32_t i = 1; i < model->fines.count; i++) {
		const struct lp_model_fine *fine = &model->fines.at[i];

		if (!fine->key || fine->kind >= LP_LOCK_KIND_COUNT ||
		    fine->origin >= LP_ORIGIN_COUNT || !IN(stacks, fine->stack) ||
		    !IN(modules, fine->object.module) || !IN(classes, fine->class_index) ||
		    fine->base >= i || !fine->name)
			return false;
		if (fine->class_index && model->classes.at[fine->class_index].kind != fine->kind)
			return false;
	}
	for (uint32_t i = 1; i < model->classes.count; i++) {
		const struct lp_model_class *class = &model->classes.at[i];

		if (!REAL(fines, class->fine) || model->fines.at[class->fine].class_index != i)
			return false;
	}
	return true;
}

static bool check_states(const struct lp_model *model)
{
	for (uint32_t i = 1; i < model->contexts.count; i++)
		if (model->contexts.at[i].kind >= LP_CONTEXT_KIND_COUNT ||
		    !model->contexts.at[i].name)
			return false;
	for (uint32_t i = 1; i < model->states.count; i++) {
		const struct lp_model_state *state = &model->states.at[i];

		if (!IN(contexts, state->context) || state->wait >= LP_WAIT_TYPE_COUNT)
			return false;
		for (uint32_t j = 0; j < state->in_count + state->on_count; j++)
			if (!REAL(contexts, state->context_index[j]))
				return false;
	}
	return true;
}

static bool check_stamps(const struct lp_model *model)
{
	for (uint32_t i = 1; i < model->stamps.count; i++) {
		const struct lp_model_stamps *stamps = &model->stamps.at[i];

		for (uint32_t j = 0; j < stamps->count; j++)
			if (!REAL(contexts, stamps->at[j].context) ||
			    !IN(modules, stamps->at[j].where[0].module) ||
			    !IN(modules, stamps->at[j].where[1].module))
				return false;
	}
	return true;
}

static bool check_nodes(const struct lp_model *model)
{
	for (uint32_t i = 1; i < model->nodes.count; i++) {
		const struct lp_model_node *node = &model->nodes.at[i];
		uint16_t above = model->nodes.at[node->parent < i ? node->parent : 0].depth;

		if (node->parent >= i || !IN(fines, node->fine) || !IN(locks, node->lock) ||
		    (!node->fine && (!node->parent || !REAL(states, node->state))) ||
		    !IN(states, node->state) || !IN(fines, node->nest) ||
		    !IN(locks, node->nest_lock) ||
		    !IN(stacks, node->stack) || !IN(modules, node->site.module) ||
		    node->mode >= LP_MODE_COUNT ||
		    node->depth != (above == UINT16_MAX ? above : above + 1))
			return false;
		if (node->lock && model->locks.at[node->lock].fine != node->fine)
			return false;
	}
	return true;
}

static bool check_tasks(const struct lp_model *model)
{
	for (uint32_t i = 1; i < model->processes.count; i++)
		if (!IN(threads, model->processes.at[i].parent_thread) ||
		    !model->processes.at[i].exe || !model->processes.at[i].args)
			return false;
	for (uint32_t i = 1; i < model->threads.count; i++) {
		const struct lp_model_thread *thread = &model->threads.at[i];

		if (!IN(processes, thread->process) || thread->creator >= i ||
		    !IN(stacks, thread->stack) || !IN(modules, thread->start.module) ||
		    !IN(contexts, thread->context) ||
		    !memchr(thread->name, 0, sizeof(thread->name)))
			return false;
	}
	return true;
}

static bool check_seen(const struct lp_model *model)
{
	for (uint32_t i = 1; i < model->locks.count; i++)
		if (!REAL(fines, model->locks.at[i].fine) ||
		    !IN(processes, model->locks.at[i].process))
			return false;
	for (uint32_t i = 1; i < model->witnesses.count; i++)
		if (!REAL(nodes, model->witnesses.at[i].node) ||
		    !IN(threads, model->witnesses.at[i].thread) ||
		    !IN(stacks, model->witnesses.at[i].stack) ||
		    !IN(nodes, model->witnesses.at[i].below) ||
		    !IN(stamps, model->witnesses.at[i].stamps))
			return false;
	for (uint32_t i = 1; i < model->joins.count; i++)
		if (!IN(threads, model->joins.at[i].joiner) ||
		    !IN(threads, model->joins.at[i].joined))
			return false;
	for (uint32_t i = 1; i < model->events.count; i++) {
		const struct lp_model_event *event = &model->events.at[i];

		if (event->kind >= LP_EVENT_COUNT || !IN(threads, event->thread) ||
		    !IN(fines, event->fine) || !IN(locks, event->lock) ||
		    !IN(stacks, event->stack) || !IN(nodes, event->node))
			return false;
	}
	return true;
}

bool lp_model_check(const struct lp_model *model)
{
	return check_stacks(model) && check_classes(model) && check_states(model) &&
	       check_stamps(model) && check_nodes(model) && check_tasks(model) &&
	       check_seen(model);
}

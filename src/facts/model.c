/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.c — facts in memory, merged by content.
 *
 * What is the same in every process (modules, stacks, fine classes, nodes) is found by a hash of
 * its content and compared in full. A node's hash uses model indexes: what it refers to was merged
 * before it. Keys that leave the model (module ids, class keys) use only build ids, paths and
 * offsets. An add that fails leaves the model as it was.
 */
#include "facts/model.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "facts/model_private.h"

#define ARENA_CHUNK	(64u << 10)

/* What a hash is of, so that equal numbers in different roles do not meet. */
enum role {
	ROLE_BUILD_ID = 1, ROLE_PATH, ROLE_FINE, ROLE_STACK, ROLE_NODE, ROLE_CONTEXT, ROLE_STATE
};

struct lp_arena_chunk {
	struct lp_arena_chunk *older;
	_Alignas(16) unsigned char bytes[];
};

void *lp_arena_take(struct lp_arena *arena, size_t size)
{
	struct lp_arena_chunk *chunk;
	size_t room = ARENA_CHUNK;
	void *taken;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + 7) & ~(size_t)7;
	if (!arena->newest || size > arena->room - arena->used) {
		if (room < size)
			room = size;
		chunk = malloc(sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		chunk->older = arena->newest;
		*arena = (struct lp_arena){ chunk, 0, room };
	}
	taken = arena->newest->bytes + arena->used;
	arena->used += size;
	return taken;
}

void lp_arena_finish(struct lp_arena *arena)
{
	for (struct lp_arena_chunk *chunk = arena->newest; chunk;) {
		struct lp_arena_chunk *older = chunk->older;

		free(chunk);
		chunk = older;
	}
	*arena = (struct lp_arena){ 0 };
}

static void *copy_bytes(struct lp_model *model, const void *bytes, size_t size)
{
	void *copy = lp_arena_take(&model->private->arena, size);

	if (copy && size)
		memcpy(copy, bytes, size);
	return copy;
}

static char *copy_string(struct lp_model *model, const char *string)
{
	return string ? copy_bytes(model, string, strlen(string) + 1) : copy_bytes(model, "", 1);
}

/* X(array): every array of the model, each with its dummy at index 0. */
#define ARRAYS(X) \
	X(modules) X(stacks) X(fines) X(classes) X(locks) X(nodes) X(witnesses) X(processes) \
	X(threads) X(joins) X(events) X(contexts) X(states) X(stamps)

static bool add_dummies(struct lp_model *model)
{
	static char empty[] = "";

#define X(array) \
	if (!lp_vec_room(&model->array, 1)) \
		return false; \
	memset(model->array.at, 0, sizeof(*model->array.at)); \
	model->array.count = 1;
	ARRAYS(X)
#undef X
	model->modules.at[0].path = empty;
	model->fines.at[0].name = empty;
	model->contexts.at[0].name = empty;
	model->processes.at[0].exe = empty;
	model->processes.at[0].args = empty;
	return true;
}

struct lp_model *lp_model_create(void)
{
	struct lp_model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model->private = calloc(1, sizeof(*model->private));
	if (model->private && add_dummies(model))
		return model;
	lp_model_destroy(model);
	return NULL;
}

void lp_model_destroy(struct lp_model *model)
{
	if (!model)
		return;
#define X(array) lp_vec_finish(&model->array);
	ARRAYS(X)
#undef X
	if (model->private) {
		lp_grouping_destroy(model->private->grouping);
		lp_table_finish(&model->private->modules);
		lp_table_finish(&model->private->stacks);
		lp_table_finish(&model->private->fines);
		lp_table_finish(&model->private->nodes);
		lp_table_finish(&model->private->contexts);
		lp_table_finish(&model->private->states);
		lp_arena_finish(&model->private->arena);
	}
	free(model->private);
	free(model);
}

static bool same_frame(struct lp_model_frame a, struct lp_model_frame b)
{
	return a.module == b.module && a.offset == b.offset;
}

uint64_t lp_model_hash_frame(const struct lp_model *model, uint64_t hash,
			     struct lp_model_frame frame)
{
	hash = lp_hash_add(hash, model->modules.at[frame.module].id);
	return lp_hash_add(hash, frame.offset);
}

static uint64_t hash_stack(const struct lp_model *model, uint64_t hash,
			   const struct lp_model_stack *stack)
{
	hash = lp_hash_add(hash, stack->count * 2ull + stack->truncated);
	for (uint32_t i = 0; i < stack->count; i++)
		hash = lp_model_hash_frame(model, hash, stack->frame[i]);
	return hash;
}

static uint64_t module_id(const struct lp_model_module *module)
{
	if (module->build_id_size)
		return lp_hash_bytes(ROLE_BUILD_ID, module->build_id, module->build_id_size);
	return lp_hash_bytes(ROLE_PATH, module->path, strlen(module->path));
}

static bool module_equal(const void *owner, uint32_t index, const void *probe)
{
	const struct lp_model_module *have = &((const struct lp_model *)owner)->modules.at[index];
	const struct lp_model_module *want = probe;

	if (have->build_id_size != want->build_id_size)
		return false;
	if (have->build_id_size)
		return !memcmp(have->build_id, want->build_id, have->build_id_size);
	/* Outside every object the base is a part of the address. It is no part of the id. */
	if (!have->path[0] && have->base != want->base)
		return false;
	return !strcmp(have->path, want->path);
}

uint32_t lp_model_add_module(struct lp_model *model, const struct lp_model_module *module)
{
	struct lp_model_module copy = *module;
	struct lp_table *table = &model->private->modules;
	char empty[] = "";
	uint32_t index;

	assert(copy.build_id_size <= sizeof(copy.build_id));
	if (!copy.path)
		copy.path = empty;
	copy.id = module_id(&copy);
	index = lp_table_find(table, copy.id, module_equal, model, &copy);
	if (index)
		return index;
	if (!lp_vec_room(&model->modules, 1) || !lp_table_room(table))
		return 0;
	copy.path = copy_string(model, copy.path);
	if (!copy.path)
		return 0;
	index = lp_vec_push(&model->modules, copy);
	lp_table_add(table, copy.id, index);
	return index;
}

static bool stack_equal(const void *owner, uint32_t index, const void *probe)
{
	const struct lp_model_stack *have = &((const struct lp_model *)owner)->stacks.at[index];
	const struct lp_model_stack *want = probe;

	if (have->count != want->count || have->truncated != want->truncated)
		return false;
	for (uint32_t i = 0; i < have->count; i++)
		if (!same_frame(have->frame[i], want->frame[i]))
			return false;
	return true;
}

uint32_t lp_model_add_stack(struct lp_model *model, const struct lp_model_stack *stack)
{
	struct lp_model_stack copy = *stack;
	struct lp_table *table = &model->private->stacks;
	uint64_t hash;
	uint32_t index;

	for (uint32_t i = 0; i < copy.count; i++)
		assert(copy.frame[i].module < model->modules.count);
	hash = hash_stack(model, ROLE_STACK, &copy);
	index = lp_table_find(table, hash, stack_equal, model, &copy);
	if (index)
		return index;
	if (!lp_vec_room(&model->stacks, 1) || !lp_table_room(table))
		return 0;
	copy.frame = copy_bytes(model, copy.frame, copy.count * sizeof(*copy.frame));
	if (!copy.frame)
		return 0;
	index = lp_vec_push(&model->stacks, copy);
	lp_table_add(table, hash, index);
	return index;
}

uint64_t lp_model_natural_key(const struct lp_model *model, const struct lp_model_fine *fine)
{
	uint64_t hash = lp_hash_add(ROLE_FINE, fine->kind);

	hash = lp_hash_add(hash, fine->origin);
	hash = lp_model_hash_frame(model, hash, fine->object);
	return hash_stack(model, hash, &model->stacks.at[fine->stack]);
}

static const uint8_t kind_waits[] = {
#define X(name, word, type, wait) LP_WAIT_##wait,
	LP_LOCK_KINDS(X)
#undef X
};

static bool fine_equal(const void *owner, uint32_t index, const void *probe)
{
	const struct lp_model_fine *have = &((const struct lp_model *)owner)->fines.at[index];
	const struct lp_model_fine *want = probe;

	return have->key == want->key && have->kind == want->kind &&
	       have->origin == want->origin && have->stack == want->stack &&
	       same_frame(have->object, want->object) && have->subclass == want->subclass &&
	       have->base == want->base && have->flags == want->flags;
}

uint32_t lp_model_add_fine(struct lp_model *model, const struct lp_model_fine *fine)
{
	struct lp_model_fine copy = *fine;
	struct lp_table *table = &model->private->fines;
	uint32_t index;

	assert(copy.kind < LP_LOCK_KIND_COUNT && copy.origin < LP_ORIGIN_COUNT);
	assert(copy.stack < model->stacks.count && copy.object.module < model->modules.count);
	assert(copy.base < model->fines.count);
	if (!copy.key)
		copy.key = lp_model_natural_key(model, &copy);
	if (!copy.wait_inner)
		copy.wait_inner = kind_waits[copy.kind];
	if (!copy.wait_outer)
		copy.wait_outer = copy.wait_inner;
	index = lp_table_find(table, copy.key, fine_equal, model, &copy);
	if (index)
		return index;
	if (!lp_vec_room(&model->fines, 1) || !lp_table_room(table))
		return 0;
	copy.name = copy_string(model, copy.name);
	if (!copy.name)
		return 0;
	copy.class_index = 0;
	index = lp_vec_push(&model->fines, copy);
	lp_table_add(table, copy.key, index);
	return index;
}

bool lp_model_use(struct lp_model *model, uint32_t fine, unsigned use)
{
	struct lp_model_fine *have = &model->fines.at[fine];
	bool handed = (use & ~have->use) & LP_CLASS_HANDED;

	have->use |= (uint8_t)use;
	model->grouping += handed;
	return handed;
}

static uint64_t hash_node(const struct lp_model_node *node)
{
	uint64_t hash = lp_hash_add(ROLE_NODE, (uint64_t)node->parent << 32 | node->fine);

	hash = lp_hash_add(hash, (uint64_t)node->lock << 32 | node->stack);
	hash = lp_hash_add(hash, (uint64_t)node->site.module << 32 | node->site.offset);
	hash = lp_hash_add(hash, (uint64_t)node->nest << 32 | node->nest_lock);
	return lp_hash_add(hash, (uint64_t)node->state << 32 | (uint32_t)node->mode << 8 |
				 node->flags);
}

static bool node_equal(const void *owner, uint32_t index, const void *probe)
{
	const struct lp_model_node *have = &((const struct lp_model *)owner)->nodes.at[index];
	const struct lp_model_node *want = probe;

	return have->parent == want->parent && have->fine == want->fine &&
	       have->lock == want->lock && have->mode == want->mode &&
	       have->flags == want->flags && have->stack == want->stack &&
	       same_frame(have->site, want->site) && have->state == want->state &&
	       have->nest == want->nest && have->nest_lock == want->nest_lock;
}

uint32_t lp_model_add_node(struct lp_model *model, const struct lp_model_node *node)
{
	struct lp_model_node copy = *node;
	struct lp_table *table = &model->private->nodes;
	uint64_t hash = hash_node(&copy);
	uint16_t above;
	uint32_t index;

	assert(copy.parent < model->nodes.count && copy.fine < model->fines.count);
	assert(copy.fine || (copy.parent && copy.state));
	assert(copy.state < model->states.count && copy.nest < model->fines.count);
	assert(copy.nest_lock < model->locks.count);
	assert(copy.lock < model->locks.count && copy.stack < model->stacks.count);
	assert(copy.site.module < model->modules.count && copy.mode < LP_MODE_COUNT);
	index = lp_table_find(table, hash, node_equal, model, &copy);
	if (index)
		return index;
	if (!lp_vec_room(&model->nodes, 1) || !lp_table_room(table))
		return 0;
	above = model->nodes.at[copy.parent].depth;
	copy.depth = above == UINT16_MAX ? above : above + 1;
	index = lp_vec_push(&model->nodes, copy);
	lp_table_add(table, hash, index);
	return index;
}

/* What is not merged is only copied. */
#define ADD(array, fact) (lp_vec_room(&model->array, 1) ? lp_vec_push(&model->array, fact) : 0)

uint32_t lp_model_add_lock(struct lp_model *model, const struct lp_model_lock *lock)
{
	struct lp_model_lock copy = *lock;

	assert(copy.fine && copy.fine < model->fines.count);
	assert(copy.process < model->processes.count);
	return ADD(locks, copy);
}

uint32_t lp_model_add_witness(struct lp_model *model, const struct lp_model_witness *witness)
{
	struct lp_model_witness copy = *witness;

	assert(copy.node && copy.node < model->nodes.count && copy.thread < model->threads.count);
	assert(copy.below < model->nodes.count && copy.stamps < model->stamps.count);
	copy.serial = copy_bytes(model, copy.serial, copy.count * sizeof(*copy.serial));
	return copy.serial ? ADD(witnesses, copy) : 0;
}

uint32_t lp_model_add_process(struct lp_model *model, const struct lp_model_process *process)
{
	struct lp_model_process copy = *process;

	assert(copy.parent_thread < model->threads.count);
	copy.exe = copy_string(model, copy.exe);
	copy.args = copy_string(model, copy.args);
	return copy.exe && copy.args ? ADD(processes, copy) : 0;
}

uint32_t lp_model_add_thread(struct lp_model *model, const struct lp_model_thread *thread)
{
	struct lp_model_thread copy = *thread;

	assert(copy.process < model->processes.count && copy.creator < model->threads.count);
	assert(copy.stack < model->stacks.count && copy.start.module < model->modules.count);
	assert(copy.context < model->contexts.count);
	copy.name[sizeof(copy.name) - 1] = 0;
	return ADD(threads, copy);
}

uint32_t lp_model_add_join(struct lp_model *model, const struct lp_model_join *join)
{
	struct lp_model_join copy = *join;

	assert(copy.joiner < model->threads.count && copy.joined < model->threads.count);
	return ADD(joins, copy);
}

uint32_t lp_model_add_event(struct lp_model *model, const struct lp_model_event *event)
{
	struct lp_model_event copy = *event;

	assert(copy.kind < LP_EVENT_COUNT && copy.thread < model->threads.count);
	assert(copy.fine < model->fines.count && copy.lock < model->locks.count);
	assert(copy.stack < model->stacks.count && copy.node < model->nodes.count);
	return ADD(events, copy);
}

static bool context_equal(const void *owner, uint32_t index, const void *probe)
{
	const struct lp_model_context *have = &((const struct lp_model *)owner)->contexts.at[index];
	const struct lp_model_context *want = probe;

	return have->kind == want->kind && have->number == want->number &&
	       !strcmp(have->name, want->name);
}

uint32_t lp_model_add_context(struct lp_model *model, const struct lp_model_context *context)
{
	struct lp_model_context copy = *context;
	struct lp_table *table = &model->private->contexts;
	uint64_t hash = lp_hash_bytes((uint64_t)ROLE_CONTEXT << 32 | copy.kind << 16 | copy.number,
				      copy.name, strlen(copy.name));
	uint32_t index;

	assert(copy.kind < LP_CONTEXT_KIND_COUNT);
	index = lp_table_find(table, hash, context_equal, model, &copy);
	if (index)
		return index;
	if (!lp_vec_room(&model->contexts, 1) || !lp_table_room(table))
		return 0;
	copy.name = copy_string(model, copy.name);
	if (!copy.name)
		return 0;
	index = lp_vec_push(&model->contexts, copy);
	lp_table_add(table, hash, index);
	return index;
}

static bool state_equal(const void *owner, uint32_t index, const void *probe)
{
	const struct lp_model_state *have = &((const struct lp_model *)owner)->states.at[index];
	const struct lp_model_state *want = probe;

	return have->context == want->context && have->wait == want->wait &&
	       have->in_count == want->in_count && have->on_count == want->on_count &&
	       !memcmp(have->context_index, want->context_index,
		       ((size_t)have->in_count + have->on_count) * sizeof(uint32_t));
}

uint32_t lp_model_add_state(struct lp_model *model, const struct lp_model_state *state)
{
	struct lp_model_state copy = *state;
	struct lp_table *table = &model->private->states;
	uint64_t hash = lp_hash_add(lp_hash_add(ROLE_STATE, copy.context),
				    (uint64_t)copy.in_count << 8 | copy.wait);
	uint32_t index;

	assert(copy.context < model->contexts.count && copy.wait < LP_WAIT_TYPE_COUNT);
	for (uint32_t i = 0; i < copy.in_count + copy.on_count; i++) {
		assert(copy.context_index[i] && copy.context_index[i] < model->contexts.count);
		hash = lp_hash_add(hash, copy.context_index[i]);
	}
	index = lp_table_find(table, hash, state_equal, model, &copy);
	if (index)
		return index;
	if (!lp_vec_room(&model->states, 1) || !lp_table_room(table))
		return 0;
	copy.context_index = copy_bytes(model, copy.context_index,
					((size_t)copy.in_count + copy.on_count) * sizeof(uint32_t));
	if (!copy.context_index)
		return 0;
	index = lp_vec_push(&model->states, copy);
	lp_table_add(table, hash, index);
	return index;
}

uint32_t lp_model_add_stamps(struct lp_model *model, const struct lp_model_stamps *stamps)
{
	struct lp_model_stamps copy = *stamps;

	for (uint32_t i = 0; i < copy.count; i++) {
		const struct lp_model_stamp *it = &copy.at[i];

		assert(it->context && it->context < model->contexts.count);
		assert(it->where[0].module < model->modules.count);
		assert(it->where[1].module < model->modules.count);
	}
	copy.at = copy_bytes(model, copy.at, copy.count * sizeof(*copy.at));
	return copy.at ? ADD(stamps, copy) : 0;
}

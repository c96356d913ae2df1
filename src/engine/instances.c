/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instances.c — which lock objects a witness is about.
 *
 * An instance is a lock in one process: serial numbers are inherited by forked children, but the
 * locks they name are not the same any more. A lock at a place in a loaded object is known by
 * that place too, when its serial number is not: there can be only one. A context stands among the
 * instances of a process, as it does among the classes.
 */
#include "base/hash.h"
#include "engine/instances.h"

static int new_instance(struct lp_engine *engine, uint32_t process, uint64_t serial,
			uint32_t *instance)
{
	int err = lp_vec_extend(&engine->instance, 1);

	err = err ? err : lp_vec_push(&engine->instance, (struct lp_instance){
		.process = process, .serial = serial,
	});
	*instance = engine->instance.count - 1;
	return err;
}

/* Give an instance its serial number. */
static int bind_serial(struct lp_engine *engine, uint32_t instance, uint64_t key, uint64_t serial)
{
	engine->instance.at[instance].serial = serial;
	return lp_map_put(&engine->by_serial, key, instance);
}

int lp_instances_find(struct lp_engine *engine, const struct lp_model *model, uint32_t process,
			 uint32_t fine, uint64_t serial, uint32_t *instance)
{
	uint64_t key = lp_hash_add(lp_hash64(process), serial);
	uint32_t base = model->fines.at[fine].base ? model->fines.at[fine].base : fine;
	uint64_t place = (uint64_t)process << 32 | base;
	bool has_place = model->fines.at[base].object.module != 0;
	uint32_t at_place = has_place ? lp_map_get(&engine->by_object, place) : 0;
	const struct lp_instance *known;
	int err;

	*instance = 0;
	*instance = serial ? lp_map_get(&engine->by_serial, key) : at_place;
	if (*instance) {
		known = &engine->instance.at[*instance];
		if (serial && (known->serial != serial || known->process != process))
			*instance = 0;	/* equal hashes of different locks */
		return 0;
	}
	if (!serial && !has_place)
		return 0;
	if (at_place && !engine->instance.at[at_place].serial) {
		*instance = at_place;
		return bind_serial(engine, at_place, key, serial);
	}
	err = new_instance(engine, process, serial, instance);
	if (!err && serial)
		err = lp_map_put(&engine->by_serial, key, *instance);
	if (!err && has_place && !at_place)
		err = lp_map_put(&engine->by_object, place, *instance);
	return err;
}

uint64_t lp_instances_serial(const struct lp_model *model, const struct lp_model_witness *witness,
			  uint32_t up, uint32_t node)
{
	if (up < witness->count && witness->serial[up])
		return witness->serial[up];
	return model->locks.at ? model->locks.at[model->nodes.at[node].lock].serial : 0;
}

int lp_instances_resolve(struct lp_engine *engine, const struct lp_model *model, uint32_t witness)
{
	const struct lp_model_witness *w = &model->witnesses.at[witness];
	uint32_t process = lp_process_of(model, witness), first, instance, up = 0;
	int err = lp_vec_extend(&engine->locks, 1);

	if (engine->witness.at[witness].locks)
		return 0;
	first = engine->locks.count;
	err = err ? err : lp_vec_push(&engine->locks, 0);
	for (uint32_t n = w->node; !err && n; n = lp_below(model, n), up++) {
		err = lp_instances_find(engine, model, process, model->nodes.at[n].fine,
				    lp_instances_serial(model, w, up, n), &instance);
		err = err ? err : lp_vec_push(&engine->locks, instance);
	}
	if (err)
		return err;
	engine->locks.at[first] = up;
	engine->witness.at[witness].locks = first;
	return 0;
}

uint32_t lp_instances_lock_at(const struct lp_engine *engine, uint32_t witness, uint32_t up)
{
	return engine->locks.at[engine->witness.at[witness].locks + 1 + up];
}

int lp_instances_never_block(struct lp_engine *engine, const struct lp_model *model,
			     uint32_t witness)
{
	uint32_t node = model->witnesses.at[witness].node, up = 1, lock;
	int err;

	if (model->nodes.at[node].flags & LP_NEVER_WAITS)
		return 1;
	if (!lp_relock_may_return(model, node))
		return 0;
	err = lp_instances_resolve(engine, model, witness);
	if (err)
		return err;
	lock = lp_instances_lock_at(engine, witness, 0);
	for (uint32_t held = lp_below(model, node); held; held = lp_below(model, held), up++) {
		uint32_t other = lp_instances_lock_at(engine, witness, up);

		if (lp_same_base(model, held, node) && (!lock || !other || lock == other) &&
		    lp_relock_returns(model, held, node))
			return 1;
	}
	return 0;
}

int lp_instances_of_context(struct lp_engine *engine, uint32_t process, uint32_t context,
			    uint32_t *instance)
{
	uint64_t key = (uint64_t)process << 32 | context;
	int err;

	*instance = lp_map_get(&engine->by_context, key);
	if (*instance)
		return 0;
	err = new_instance(engine, process, 0, instance);
	if (err)
		return err;
	engine->instance.at[*instance].context = context;
	return lp_map_put(&engine->by_context, key, *instance);
}

bool lp_instances_block_themselves(const struct lp_engine *engine, const struct lp_model *model,
			  uint32_t witness)
{
	uint32_t node = model->witnesses.at[witness].node, up = 1;
	uint32_t lock = lp_instances_lock_at(engine, witness, 0);

	for (uint32_t h = lp_below(model, node); lock && h; h = lp_below(model, h), up++)
		if (lp_instances_lock_at(engine, witness, up) == lock &&
		    !lp_relock_returns(model, h, node) &&
		    !(lp_is_read(&model->nodes.at[h]) && lp_is_read(&model->nodes.at[node])))
			return true;
	return false;
}

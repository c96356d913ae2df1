/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instances.h — what instances.c, loops.c and scan.c share, and nobody else sees.
 *
 * Functions that return int: 0 or -ENOMEM.
 */
#ifndef LP_ENGINE_INSTANCES_H
#define LP_ENGINE_INSTANCES_H

#include "engine/state.h"

/* The instance of a lock in a process; 0 into *instance when it cannot be told. */
int lp_instances_find(struct lp_engine *engine, const struct lp_model *model, uint32_t process,
		      uint32_t fine, uint64_t serial, uint32_t *instance);

/* What stands for a context among the instances of a process. */
int lp_instances_of_context(struct lp_engine *engine, uint32_t process, uint32_t context,
			    uint32_t *instance);

/* The serial number a witness knows of the lock `up` steps below its own; 0: unknown. */
uint64_t lp_instances_serial(const struct lp_model *model, const struct lp_model_witness *witness,
			     uint32_t up, uint32_t node);

/* Find the instances of all that a witness holds, the first time. */
int lp_instances_resolve(struct lp_engine *engine, const struct lp_model *model, uint32_t witness);

/* One of them, so many steps below its own; 0: unknown. Only when they were found. */
uint32_t lp_instances_lock_at(const struct lp_engine *engine, uint32_t witness, uint32_t up);

/*
 * Is this a node that nothing can wait in, for this witness: a trylock, or its own lock taken
 * again? 1 when it is, 0 when not, or -ENOMEM.
 */
int lp_instances_never_block(struct lp_engine *engine, const struct lp_model *model,
			     uint32_t witness);

/* Does the witness hold its own lock already, so that it never gets it (again)? */
bool lp_instances_block_themselves(const struct lp_engine *engine, const struct lp_model *model,
				   uint32_t witness);

/*
 * The pair of instances that a usage fact is about; 0 in *from: the lock cannot be told, or is
 * never had.
 */
int lp_loops_usage_ends(struct lp_engine *engine, const struct lp_model *model, uint32_t witness,
			const struct lp_usage_fact *fact, uint32_t *from, uint32_t *to);

/* A witness of a pair of instances; `held` lies `up` steps below its own. Known ones: nothing. */
int lp_loops_add_entry(struct lp_engine *engine, const struct lp_model *model, uint32_t pair,
		       uint32_t witness, uint32_t up, uint32_t held);

/* A writer that can be queued for an instance: loops that lacked one may have it now. */
int lp_loops_add_writer(struct lp_engine *engine, const struct lp_model *model, uint32_t lock);

/* Attend to what the order of instances has found out: new loops, new entries. */
int lp_loops_follow_up(struct lp_engine *engine, const struct lp_model *model);

/*
 * Move what has become hot in an order into engine->heating, marked as such, by what is wanted:
 * everything that wants one lock (or class) is then looked at once. Afterwards it is hot.
 */
int lp_loops_begin_heating(struct lp_engine *engine, struct lp_order *order);
void lp_loops_end_heating(struct lp_engine *engine, struct lp_order *order);

#endif

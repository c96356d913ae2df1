/* SPDX-License-Identifier: Apache-2.0 */
/*
 * describe.h — findings of the engine as reports: indexes become names, frames, sentences.
 *
 * A describer reads one model, which may grow between calls, and one symbolizer (NULL: nothing
 * has a symbol). It owns all that it hands out, until it is destroyed: strings and arrays of a
 * description do not change when the model grows. One thread at a time.
 *
 * Names: an annotated lock class has its own, and so have its subclasses ("&i_mutex/1"). Another
 * one is called what the source calls it in the call that initialised it
 * ("&q->lock"), or that took it first when nobody initialised it; an object of the program's data
 * by its symbol ("table_lock", "pool.lock"); else by the function of the place ("queue_new+0x1a";
 * in inlined code "queue_new:120"), else by its module ("a.out+0x11a9"). The second class of one
 * name is "&q->lock#2": numbers are given in the order in which classes are first described, and
 * kept.
 */
#ifndef LP_CLI_DESCRIBE_H
#define LP_CLI_DESCRIBE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "facts/model.h"
#include "render/report.h"
#include "symbolize/symbolize.h"

struct lp_describer;

/* NULL when memory is short. Model and symbolizer must outlive the describer. */
struct lp_describer *lp_describer_create(const struct lp_model *model,
					 struct lp_symbolizer *symbolizer);
void lp_describer_destroy(struct lp_describer *describer);

/*
 * The engine that judges the model, which knows how classes are used in contexts; it must outlive
 * the describer. Without one, reports have no usage letters.
 */
void lp_describer_set_engine(struct lp_describer *describer, const struct lp_engine *engine);

/*
 * Asked before the symbolizer for every frame: true when it knows this one and has set function,
 * file and line (module, build id and offset are filled in by the describer). Strings must stay
 * until the describer is destroyed. For facts whose code is in no object file. Call it before the
 * first description.
 */
typedef bool lp_frame_fn(void *context, const struct lp_model *model, struct lp_model_frame frame,
			 struct lp_report_frame *out);
void lp_describer_set_frames(struct lp_describer *describer, lp_frame_fn *frames, void *context);

/* What somebody knows of a lock object. */
struct lp_known_object {
	const char	*name;		/* "alice": stands where its address would */
	const char	*run;		/* a lock map that this function holds while it runs, and
					   others wait for: "worker"; NULL */
};

/*
 * Asked for every lock object that has a serial number: true when it knows this one and has set
 * all of it. For facts whose addresses mean nothing to people: then none is shown. Strings must
 * stay until the describer is destroyed. Call it before the first description.
 */
typedef bool lp_object_fn(void *context, const struct lp_model *model, uint64_t serial,
			  struct lp_known_object *out);
void lp_describer_set_objects(struct lp_describer *describer, lp_object_fn *objects,
			      void *context);

/*
 * An lp_wrapper_fn, with the describer as its context: true when everything at this return address
 * only passes a lock on (std::mutex::lock, __gthread_mutex_lock, ...). Answers are cached.
 */
bool lp_describer_is_wrapper(void *describer, const struct lp_model *model,
			     struct lp_model_frame frame);

/*
 * Describe a finding of the engine that judged the model; every fine class must have its group.
 * NULL when memory is short. Each call describes anew: what the model learnt since is in it.
 */
const struct lp_report_finding *lp_describe_finding(struct lp_describer *describer,
						    const struct lp_finding *finding);

/* Name of a class as reports print it, "#2" included; NULL when memory is short. */
const char *lp_describe_class(struct lp_describer *describer, uint32_t class_index);

#endif

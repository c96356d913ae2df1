/* SPDX-License-Identifier: Apache-2.0 */
/*
 * naming.h — what a describer calls things: frames, places, lock classes. Private to describe*.c.
 *
 * Everything that is handed out lives as long as the describer. What is NULL because memory was
 * short has set describer->pool.failed.
 */
#ifndef LP_CLI_NAMING_H
#define LP_CLI_NAMING_H

#include <stddef.h>
#include <stdint.h>

#include "cli/describe.h"
#include "cli/pool.h"
#include "facts/model.h"
#include "render/report.h"
#include "symbolize/symbolize.h"

struct lp_naming_module {
	bool		known;
	int		handle;		/* of the symbolizer; < 0: none */
	const char	*path;		/* NULL: unknown */
	const char	*build_id;	/* hex; NULL: none */
};

struct lp_naming_class {
	struct lp_naming_class *next;
	uint32_t	fine;		/* of the class, when it got its name: groups may merge */
	const char	*base;		/* without number */
	const char	*name;
};

/* Answers of lp_describer_is_wrapper(): an open hash table. */
struct lp_naming_answer {
	uint64_t	frame;		/* module and offset; 0: free */
	bool		wrapper;
};

struct lp_describer {
	const struct lp_model *model;
	const struct lp_engine *engine;		/* NULL: nobody said */
	struct lp_symbolizer *symbolizer;	/* NULL: there is none */
	lp_frame_fn	*frames;		/* asked before it; NULL: there is none */
	void		*frames_context;
	lp_object_fn	*objects;		/* NULL: there is none */
	void		*objects_context;
	struct lp_pool	pool;
	struct lp_naming_module *modules;	/* by index in the model */
	uint32_t	module_room;
	struct lp_naming_class *classes, *last_class;	/* in order of naming */
	struct lp_naming_answer *answers;
	uint32_t	answer_count, answer_room;	/* room: 0 or a power of two */
};

/* Where in a stack a person would say that it is: a frame and one of its symbols. */
struct lp_naming_place {
	struct lp_model_frame frame;	/* module 0: no stack */
	struct lp_symbols symbols;	/* of the frame */
	const struct lp_symbol *symbol;	/* one of them */
	size_t		index;		/* of the symbol among all of the stack */
};

struct lp_symbols lp_naming_symbols(struct lp_describer *describer, struct lp_model_frame frame,
				    bool return_address);
struct lp_naming_place lp_naming_place(struct lp_describer *describer, uint32_t stack);

/* Frames of a stack, inline ones too; *count may be 0. NULL when memory is short. */
const struct lp_report_frame *lp_naming_frames(struct lp_describer *describer, uint32_t stack,
					       size_t *count);

/* The same of one return address; module 0: none. */
const struct lp_report_frame *lp_naming_code(struct lp_describer *describer,
					     struct lp_model_frame code, size_t *count);

/* "worker server.c:88", "worker", "a.out+0x11a9". */
const char *lp_naming_spot(struct lp_describer *describer, const struct lp_symbol *symbol,
			   struct lp_model_frame frame);

/* Name of a class, "#2" included, and where it comes from. */
const char *lp_naming_class(struct lp_describer *describer, uint32_t class_index);
const char *lp_naming_origin(struct lp_describer *describer, uint32_t class_index);

/* What the source calls the lock at a place; NULL: it does not say. */
const char *lp_naming_argument(struct lp_describer *describer, const struct lp_naming_place *place);

#endif

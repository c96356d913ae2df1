/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.h — the statement functions of scenarios, one row each, and the names of signals.
 *
 * Internal to the parser and its tests. A row says what a function takes and which operations it
 * is made of. A new function is a new row here, and its name in lockproof-scenario(5).
 */
#ifndef LP_SCENARIO_WORDS_H
#define LP_SCENARIO_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "scenario/scenario.h"

#define LP_WORD_STEPS	2

/* Sets of types, as bits: all that can be declared; those that somebody holds. */
#define LP_TYPE_BIT(type)	(1u << LP_OBJECT_##type)
#define LP_TYPES_ALL		(LP_TYPE_BIT(RCU_MAP) - 2)
#define LP_TYPES_HELD \
	(LP_TYPES_ALL & ~(LP_TYPE_BIT(SEMAPHORE) | LP_TYPE_BIT(COMPLETION) | LP_TYPE_BIT(SEM_T) | \
			  LP_TYPE_BIT(PTHREAD_COND_T) | LP_TYPE_BIT(WORKQUEUE_STRUCT)))

/* Arguments of a function: X(name, how messages and the manual write them) */
#define LP_SHAPES(X) \
	X(NOTHING,		"()") \
	X(IGNORED,		"([...])") \
	X(OBJECT,		"(&lock)") \
	X(OBJECT_REST,		"(&lock[, ...])") \
	X(SUBCLASS,		"(&lock, subclass)") \
	X(NEST,			"(&lock, &outer)") \
	X(SAVE,			"(&lock[, flags])") \
	X(SAVE_SUBCLASS,	"(&lock, flags, subclass)") \
	X(CONTEXT,		"(&lock[, &ctx])") \
	X(ITS_CONTEXT,		"(&lock, &ctx)") \
	X(SEMA_COUNT,		"(&semaphore[, count])") \
	X(SHARED_COUNT,		"(&semaphore[, 0, count])") \
	X(FLAGS,		"([flags])") \
	X(BODY,			"(body[, ...])") \
	X(QUEUE,		"([&queue, ]body)") \
	X(CALL,			"([&head, ]body)") \
	X(OBJECT_CALL,		"(&srcu, [&head, ]body)") \
	X(CREATE,		"(body) or (&thread, NULL, body, NULL)") \
	X(COND,			"(&condition, &mutex[, ...])") \
	X(MASK,			"(SIG_BLOCK|SIG_UNBLOCK|SIG_SETMASK, signals[, NULL])") \
	X(HANDLER,		"(signal, body|SIG_DFL|SIG_IGN[, NULL])") \
	X(GUARD,		"([pointer, ]&lock)")

enum lp_shape {
#define X(name, usage) LP_SHAPE_##name,
	LP_SHAPES(X)
#undef X
	LP_SHAPE_COUNT
};

/* What its value says, when it stands in an if. */
enum lp_result {
	LP_RESULT_NONE,		/* it cannot stand there */
	LP_RESULT_TRUE,		/* not 0: it took the lock */
	LP_RESULT_ZERO,		/* 0: it took the lock */
	LP_RESULT_REFUSAL,	/* 0: it took the lock; under a context -EDEADLK: it was refused */
	LP_RESULT_FORK,		/* 0: in the child */
};

/* Objects that are not declared. */
enum lp_built_in {
	LP_BUILT_IN_NONE,
	LP_BUILT_IN_RCU,
	LP_BUILT_IN_RCU_BH,
	LP_BUILT_IN_RCU_SCHED,
	LP_BUILT_IN_RCU_CALLBACK,
	LP_BUILT_IN_EVENTS,
	LP_BUILT_IN_COUNT
};

/* Bit of lp_step.flags: LP_READ in tasks, LP_READ_RECURSIVE in interrupts. */
#define LP_STEP_READER	0x8000u

struct lp_step {
	uint8_t		kind;		/* enum lp_op_kind; LP_OP_END: no more */
	uint8_t		mode;		/* enum lp_mode */
	uint16_t	flags;		/* as of lp_op, and LP_STEP_READER */
};

struct lp_word {
	const char	*name;
	uint32_t	types;		/* bit 1 << enum lp_object_type: what &lock may be */
	uint8_t		shape;		/* enum lp_shape */
	uint8_t		result;		/* enum lp_result */
	uint8_t		body;		/* enum lp_body_kind of `body` */
	uint8_t		object;		/* enum lp_built_in it works on */
	struct lp_step	steps[LP_WORD_STEPS];
};

extern const struct lp_word lp_words[];
extern const uint32_t lp_word_count;

/* Look-up by name: filled once per parse, so that there are no globals to share. */
#define LP_WORD_SLOTS	1024u

struct lp_word_index {
	uint16_t	slots[LP_WORD_SLOTS];
};

void lp_word_index_init(struct lp_word_index *index);
const struct lp_word *lp_word_find(const struct lp_word_index *index, const char *name,
				   size_t size);

/* How the arguments of a function are written. */
const char *lp_shape_usage(enum lp_shape shape);

/* 0: no such signal. NULL: no such number. */
uint32_t lp_signal_number(const char *name, size_t size);
const char *lp_signal_name(uint32_t number);

/* The nearest of several candidates to what was written: best is NULL when none is near. */
struct lp_nearest {
	const char	*name;
	size_t		size;
	const char	*best;
	unsigned	distance;
};

void lp_nearest_init(struct lp_nearest *nearest, const char *name, size_t size);
void lp_nearest_consider(struct lp_nearest *nearest, const char *candidate);

#endif

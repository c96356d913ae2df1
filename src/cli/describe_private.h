/* SPDX-License-Identifier: Apache-2.0 */
/*
 * describe_private.h — a description while it is made. Private to describe*.c.
 *
 *   describe.c		what all findings have: locks, threads, stacks, headings
 *   describe_cycle.c	cycles: who holds and wants what, what strikes whom
 *   describe_event.c	one wrong call; waiting where it is forbidden
 *   describe_irq.c	words about contexts: usage letters, states
 */
#ifndef LP_CLI_DESCRIBE_PRIVATE_H
#define LP_CLI_DESCRIBE_PRIVATE_H

#include "cli/describe.h"
#include "cli/naming.h"

#define LP_NO_INDEX	UINT32_MAX

/* Which lock object, as far as is known. */
struct lp_instance_name {
	uint64_t	serial;		/* 0: unknown */
	uint64_t	address;
};

/* Who did something, and the witness that it was there. */
struct lp_doer {
	uint32_t	thread, witness;	/* of the model; 0: unknown */
};

/* Room for so many of each, made before anything is filled in. */
struct lp_draft_room {
	size_t		locks, threads, stacks, steps, held, strikes, writers, contexts;
};

/* What is done to a lock in a row of the table. */
struct lp_draft_act {
	uint32_t	column;		/* threads[] of the report */
	uint32_t	lock;		/* locks[] of the report */
	uint32_t	node, witness;	/* of the model; 0: taken for writing; unknown */
	uint32_t	depth;		/* 1: inside an interrupt */
};

struct lp_draft {
	struct lp_describer *describer;
	const struct lp_model *model;
	struct lp_pool	*pool;
	const struct lp_finding *finding;
	const struct lp_finding_edge *edge;	/* as the report orders them */
	uint32_t	edge_count;
	struct lp_report_finding *report;
	struct lp_report_lock *locks;
	uint32_t	*lock_class;	/* classes[] of each of locks[] */
	struct lp_report_thread *threads;
	struct lp_report_stack *stacks;
	struct lp_report_step *steps;
	struct lp_report_held *held;
	struct lp_report_strike *strikes;
	struct lp_report_writer *writers;
	const char	**contexts;
	uint32_t	*context_index;	/* contexts[] of the model of each of contexts[] */
};

/* describe.c. Memory may be short at any time: the pool remembers. */

/* False when memory is short. */
bool lp_draft_make(struct lp_draft *draft, const struct lp_draft_room *room);

/* Is `node` the chain `of` or one below it? *distance: how far below. */
bool lp_draft_is_below(const struct lp_model *model, uint32_t node, uint32_t of,
		       uint32_t *distance);
/* The lock object of `node`: by the node itself, or by the witness who was there. */
struct lp_instance_name lp_draft_instance(const struct lp_model *model, uint32_t node,
					  uint32_t witness);
/* The last witness that this thread was in this state; thread 0: the first one of anybody. */
uint32_t lp_draft_witness(const struct lp_model *model, uint32_t node, uint32_t thread);

uint32_t lp_draft_add_lock(struct lp_draft *draft, uint32_t class_index,
			   struct lp_instance_name instance);
/* threads[] of the report, for threads[] of the model; 0: unknown. */
uint32_t lp_draft_add_thread(struct lp_draft *draft, uint32_t thread);
void lp_draft_add_context(struct lp_draft *draft, uint32_t context);
struct lp_report_stack *lp_draft_add_stack(struct lp_draft *draft, const char *role,
					   uint32_t stack);
/* What a node is that holds a lock, or waits for one. *run: what runs, else NULL. */
enum lp_report_tie lp_draft_tie(struct lp_draft *draft, uint32_t node, uint32_t witness,
				const char **run);
/* Where `who` took the lock of `node`. */
struct lp_report_stack *lp_draft_add_node_stack(struct lp_draft *draft, const char *role,
						struct lp_doer who, uint32_t node, uint32_t lock);
void lp_draft_add_created_stacks(struct lp_draft *draft);
/*
 * Steps of the table: a lock is taken as at the act's node, or is waited for; it is held, or its
 * holder runs (what is only to be given has no step here); what is never given, by one that is
 * stuck (none for a lock); it is waited for by a writer that is queued between two readers.
 */
void lp_draft_add_step(struct lp_draft *draft, const struct lp_draft_act *act);
void lp_draft_add_hold(struct lp_draft *draft, const struct lp_draft_act *act);
void lp_draft_add_lost(struct lp_draft *draft, const struct lp_draft_act *act);
void lp_draft_add_queued(struct lp_draft *draft, const struct lp_draft_act *act);
void lp_draft_add_words(struct lp_draft *draft, uint32_t column, const char *words);

/*
 * What `who` holds in the state `node`, outermost first, for a column of the table: what an
 * interrupt stopped comes before its own. lp_draft_held_room: how much that is.
 */
void lp_draft_add_held(struct lp_draft *draft, uint32_t column, struct lp_doer who, uint32_t node);
size_t lp_draft_held_room(const struct lp_draft *draft, struct lp_doer who, uint32_t node);

/* "worker/123" */
const char *lp_draft_task_name(struct lp_draft *draft, uint32_t thread);
const char *lp_draft_class_name(struct lp_draft *draft, uint32_t class_index);	/* not NULL */
/* Id, kind, level, header with each "%s" replaced by one of two words. */
void lp_draft_add_heading(struct lp_draft *draft, const char *first, const char *second);
/* "words: locks in the place of the stack"; words NULL: those of the kind, locks NULL: none */
void lp_draft_add_title(struct lp_draft *draft, const char *words, const char *locks,
			uint32_t stack);

/* describe_cycle.c, describe_event.c: fill in all. */
void lp_draft_cycle(struct lp_draft *draft);
void lp_draft_event(struct lp_draft *draft);
void lp_draft_wait(struct lp_draft *draft);

/* describe_irq.c */
static inline bool lp_context_is_irq(const struct lp_model *model, uint32_t context)
{
	enum lp_context_kind kind = model->contexts.at[context].kind;

	return context && (kind == LP_CONTEXT_HARDIRQ || kind == LP_CONTEXT_SOFTIRQ ||
			   kind == LP_CONTEXT_NMI);
}

/* The node that let `context` in while the lock of the edge was held: its own, or a later one. */
uint32_t lp_draft_let_in(const struct lp_draft *draft, const struct lp_finding_edge *edge);
/* Words of a strike. */
void lp_draft_name_strike(struct lp_draft *draft, struct lp_report_strike *strike,
			  const struct lp_finding_edge *edge);
/* When and where what strikes was last let in and blocked; `witness`: the interrupt was there. */
void lp_draft_add_stamps(struct lp_draft *draft, struct lp_report_strike *strike,
			 uint32_t context, uint32_t witness);
/* "HC0[0]:SC1[1]:HE1:SE0", "SIGALRM:IN1:ON0": the state of a node, for findings with strikes. */
const char *lp_draft_state(struct lp_draft *draft, uint32_t node);
/* Usage letters and wait types of all locks; when all are there. */
void lp_draft_add_uses(struct lp_draft *draft);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_private.h — what the files of the text report share. Private to text*.c.
 *
 *   text.c		header, which kind has which sections, entry points
 *   text_parts.c	what lines are made of: tasks, frames, locks, stacks
 *   text_info.c	sections that most kinds have: other info, the table, held locks, backtrace
 *   text_order.c	sections of kinds about the order of locks
 *   text_irq.c		sections of kinds about contexts and what strikes
 *   text_misuse.c	sections of kinds about one wrong call
 *   text_summary.c	the last line
 */
#ifndef LP_RENDER_TEXT_PRIVATE_H
#define LP_RENDER_TEXT_PRIVATE_H

#include <inttypes.h>
#include <string.h>

#include "base/compiler.h"
#include "render/clean.h"
#include "render/report.h"

enum lp_text_style {
	LP_TEXT_PLAIN, LP_TEXT_BOLD, LP_TEXT_LOCK, LP_TEXT_ALARM, LP_TEXT_NOTE,
	LP_TEXT_STYLE_COUNT
};

struct lp_text {
	FILE		*out;
	bool		color;
	const struct lp_report_finding *finding;
};

/* Words for what keeps a thread waiting. */
struct lp_text_tie {
	const char	*held;		/* "is already holding lock" */
	const char	*wanted;	/* "is trying to acquire lock" */
	const char	*wish;		/* "wanted" */
	const char	*during;	/* "while holding" */
	const char	*where;		/* "which it acquired at" */
};

/* A section of a report. 0 or a negative errno; what a stream says is asked at the end. */
typedef int lp_text_section(struct lp_text *text);

/* text_parts.c: questions. Every index may lead nowhere. */
size_t lp_text_edge_count(const struct lp_report_finding *finding);
size_t lp_text_last_edge(const struct lp_report_finding *finding);
const struct lp_report_strike *lp_text_strike_of(const struct lp_report_finding *finding,
						 size_t edge);
/* threads[] of the one who reports: of an interrupt that closed the cycle, that. */
size_t lp_text_reporter(const struct lp_report_finding *finding);
const char *lp_text_lock_at(const struct lp_report_finding *finding, size_t index);
/* Its own name, when the report has another lock of its class and no address; else NULL. */
const char *lp_text_object_at(const struct lp_report_finding *finding, size_t index);
/* The lock that dependency `edge` wants. */
size_t lp_text_wanted_lock(const struct lp_report_finding *finding, size_t edge);
const struct lp_report_thread *lp_text_thread_at(const struct lp_report_finding *finding,
						 size_t index);
const struct lp_report_stack *lp_text_find_stack(const struct lp_report_finding *finding,
						 const char *role, size_t edge);
/* And nothing that is given or runs? */
bool lp_text_is_lock(const struct lp_report_stack *stack);
/* NULL: that of a lock. */
const struct lp_text_tie *lp_text_tie(const struct lp_report_stack *stack);
/* Where the reporting thread is. */
const struct lp_report_stack *lp_text_report_stack(const struct lp_report_finding *finding);

/* text_parts.c: parts of lines */
void lp_text_style(struct lp_text *text, enum lp_text_style which);
void lp_text_styled(struct lp_text *text, enum lp_text_style which, const char *name);
void lp_text_task(struct lp_text *text, size_t thread);		/* "worker-a/1234" */
void lp_text_thread(struct lp_text *text, size_t thread);	/* "T2 worker-a/1234" */
void lp_text_state(struct lp_text *text);			/* " [HC0[0]:SC1[1]:HE1:SE0]" */
void lp_text_lock_name(struct lp_text *text, size_t lock);	/* "&q->lock", "&q->lock alice" */
void lp_text_uses(struct lp_text *text, size_t lock);		/* "{+.?.}-{3:3}", or nothing */
void lp_text_class(struct lp_text *text, size_t lock);		/* "(&q->lock){+.?.}-{3:3}" */
void lp_text_place(struct lp_text *text, const struct lp_report_stack *stack);

/* " while holding &a,\n which it acquired at:" and the stack, of a dependency. */
void lp_text_while_holding(struct lp_text *text, size_t edge);

/*
 * text_parts.c: whole lines. The kernel's lock line: what and where.
 * "00007f3a8c000b20 (&q->lock) [read, timed], at: push queue.c:12"
 */
void lp_text_lock_line(struct lp_text *text, size_t lock, const struct lp_report_stack *stack);
void lp_text_stack(struct lp_text *text, const struct lp_report_stack *stack, int indent);

/* text_info.c */
lp_text_section lp_text_other_info, lp_text_scenario, lp_text_held, lp_text_backtrace;

/* text_order.c */
lp_text_section lp_text_attempt, lp_text_chain, lp_text_dependencies, lp_text_nesting_hint,
		lp_text_waits, lp_text_writers;

/* text_irq.c */
lp_text_section lp_text_inconsistent, lp_text_inversion, lp_text_unsafe_order, lp_text_struck,
		lp_text_paths, lp_text_wait_attempt, lp_text_wait_context;

/* text_misuse.c */
lp_text_section lp_text_release, lp_text_event, lp_text_not_held, lp_text_rcu, lp_text_rcu_state;

/* text_summary.c */
void lp_text_summary(FILE *out, const struct lp_report *report, bool color);
void lp_text_stopped(FILE *out, const struct lp_report *report, bool color);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* text_misuse.c — sections of findings about one wrong call; see text_private.h. */
#include "render/text_private.h"

static void put_holder(struct lp_text *text)
{
	if (!text->finding->holder)
		return;
	fputs("the lock is held by ", text->out);
	lp_clean_put_all(text->out, text->finding->holder);
	fputc('\n', text->out);
}

static const char *objection(const struct lp_report_finding *finding)
{
	if (finding->objection)
		return finding->objection;
	return finding->held_count ? "but it does not hold that lock!" :
				     "but there are no more locks to release!";
}

int lp_text_release(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;

	fputc('\n', text->out);
	lp_text_task(text, lp_text_reporter(finding));
	fprintf(text->out, " %s (", finding->attempt ? finding->attempt :
						      "is trying to release lock");
	lp_text_lock_name(text, 0);
	fputs(") at:\n", text->out);
	if (finding->lock_count && finding->locks[0].address)
		fprintf(text->out, "%016" PRIx64 " ", finding->locks[0].address);
	lp_text_place(text, lp_text_report_stack(finding));
	fprintf(text->out, "\n%s\n", objection(finding));
	put_holder(text);
	return 0;
}

/* As in the kernel, the lock line of a held lock says where it was acquired. */
int lp_text_event(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;
	const struct lp_report_stack *held = lp_text_find_stack(finding, "held", 0);

	fputc('\n', text->out);
	lp_text_task(text, lp_text_reporter(finding));
	if (finding->attempt)
		fprintf(text->out, " %s\n", finding->attempt);
	else
		fprintf(text->out, ": %s:\n",
			finding->event_text ? finding->event_text : finding->title);
	if (finding->lock_count)
		lp_text_lock_line(text, 0, held ? held : lp_text_report_stack(finding));
	put_holder(text);
	return 0;
}

/* A lock that must be held for what the task does, and is not. */
int lp_text_not_held(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;

	fputc('\n', text->out);
	lp_text_task(text, lp_text_reporter(finding));
	fprintf(text->out, " %s:\n", finding->attempt ? finding->attempt : "is trying to lock");
	lp_text_lock_line(text, 0, lp_text_report_stack(finding));
	if (!finding->nest) {
		fprintf(text->out, "\n%s\n", objection(finding));
		return 0;
	}
	fputs("\nbut this task is not holding:\n", text->out);
	lp_text_styled(text, LP_TEXT_LOCK, finding->nest);
	fputc('\n', text->out);
	return 0;
}

/* "fs/file.c:120"; the place as in stacks when the source is not known. */
static void put_source(struct lp_text *text, const struct lp_report_stack *stack)
{
	const struct lp_report_frame *frame = stack && stack->place < stack->frame_count ?
					      &stack->frames[stack->place] : NULL;

	if (!frame || !frame->file) {
		lp_text_place(text, stack);
		return;
	}
	lp_clean_put_all(text->out, frame->file);
	fprintf(text->out, ":%" PRIu32, frame->line);
}

int lp_text_rcu(struct lp_text *text)
{
	const struct lp_report_finding *finding = text->finding;

	fputc('\n', text->out);
	put_source(text, lp_text_report_stack(finding));
	fprintf(text->out, " %s!\n",
		finding->event_text ? finding->event_text : finding->title);
	return 0;
}

/* What the kernel prints on a machine that is up, while its validator is. */
int lp_text_rcu_state(struct lp_text *text)
{
	fputs("\nrcu_scheduler_active = 2, debug_locks = 1\n", text->out);
	return 0;
}

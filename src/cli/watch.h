/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.h — the supervisor: follows the facts while the program runs.
 *
 * It wakes up now and then, and when the program ends; reads what is new, judges it, shows new
 * findings, opens the images of programs that were started since, and looks for threads that wait
 * for one another. When nothing is new, waking up costs a look at each thread's slot; it happens
 * so rarely that this stays below a few per cent of a processor, however many threads there are.
 */
#ifndef LP_CLI_WATCH_H
#define LP_CLI_WATCH_H

#include "cli/recording.h"
#include "cli/session.h"
#include "cli/spawn.h"

struct lp_watch_request {
	const struct lp_settings *settings;
	const struct lp_recording *recording;
	const struct lp_inherited *inherited;
	struct lp_session *session;	/* has image 0 as its only source */
	bool		show;		/* print findings as they arise */
	struct lp_render_options options;
};

struct lp_watch_result {
	int	status;			/* as waitpid has it */
	size_t	unrecorded_deadlocks;	/* seen and told, but no finding */
	size_t	still_running;		/* processes of the tree */
	bool	blind;			/* memory was short: facts were left unread */
};

struct lp_watch;

/* NULL when memory is short. What `request` points to must outlive the watch. */
struct lp_watch *lp_watch_create(const struct lp_watch_request *request);
void lp_watch_destroy(struct lp_watch *watch);

/* Follow the program, a child of ours, until it ends; then read and judge what is left. */
void lp_watch_run(struct lp_watch *watch, pid_t pid, struct lp_watch_result *result);

/* Was any finding shown? */
bool lp_watch_has_shown(const struct lp_watch *watch);

/* Was the finding not shown yet, or shown with a lower level? */
bool lp_watch_is_news(void *watch, const struct lp_finding *finding);

#endif

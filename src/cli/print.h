/* SPDX-License-Identifier: Apache-2.0 */
/* print.h — what a session found, in words. */
#ifndef LP_CLI_PRINT_H
#define LP_CLI_PRINT_H

#include "cli/session.h"

/* Print one finding as it arises. 0 or a negative errno value. */
int lp_print_finding(const struct lp_session *session, FILE *out, const struct lp_finding *finding,
		     const struct lp_render_options *options);

struct lp_print_request {
	const char	*program;	/* for when the facts do not tell */
	enum lp_format	format;
	struct lp_render_options options;
	/* Leave out what this refuses, of what is shown; NULL: nothing. */
	bool		(*filter)(void *context, const struct lp_finding *finding);
	void		*context;
};

/*
 * Print the report. The order of findings depends on the facts only, not on when they were found.
 * 0 or a negative errno value.
 */
int lp_print_report(const struct lp_session *session, FILE *out,
		    const struct lp_print_request *request);

/*
 * When and why recording ended early: a phrase that is to be freed; NULL: it did not, or memory is
 * short.
 */
char *lp_print_stopped(const struct lp_session *session);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* cases.h — reports made by hand, one for each thing a renderer has to get right. */
#ifndef LP_TESTS_RENDER_CASES_H
#define LP_TESTS_RENDER_CASES_H

#include "render/report.h"

struct render_case {
	const char	*name;
	const struct lp_report *report;
};

/* Each up to one without a name. */
extern const struct render_case render_cases[];	/* cases.c */
extern const struct render_case irq_cases[];	/* cases_irq.c */

/* Case number `index` of both; NULL: there are no more. */
static inline const struct render_case *render_case_at(size_t index)
{
	const struct render_case *it = render_cases;

	for (; it->name && index; it++)
		index--;
	if (!it->name)
		for (it = irq_cases; it->name && index; it++)
			index--;
	return it->name ? it : NULL;
}

#endif

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
extern const struct render_case scenario_cases[];	/* cases_scenario.c */

/* Case number `index` of all; NULL: there are no more. */
static inline const struct render_case *render_case_at(size_t index)
{
	const struct render_case *const lists[] = { render_cases, irq_cases, scenario_cases };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (const struct render_case *it = lists[i]; it->name; it++) {
			if (!index--)
				return it;
		}
	}
	return NULL;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* cases.h — reports made by hand, one for each thing a renderer has to get right. */
#ifndef LP_TESTS_RENDER_CASES_H
#define LP_TESTS_RENDER_CASES_H

#include "render/report.h"

struct render_case {
	const char	*name;
	const struct lp_report *report;
};

extern const struct render_case render_cases[];	/* up to one without a name */

#endif

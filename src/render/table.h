/* SPDX-License-Identifier: Apache-2.0 */
/* table.h — the table of who holds and wants what, one column per thread. */
#ifndef LP_RENDER_TABLE_H
#define LP_RENDER_TABLE_H

#include <stdio.h>

#include "render/report.h"

#define LP_TABLE_WIDTH_MAX 120

/*
 * Write the steps of a finding under the names of their threads. A table wider than
 * LP_TABLE_WIDTH_MAX is written as a list, one step a line. 0 or -ENOMEM.
 */
int lp_table_put(FILE *out, const struct lp_report_finding *finding);

/* "T2 worker-a", "T2 worker-a/1234" when the threads are of several processes. */
size_t lp_table_put_thread(FILE *out, const struct lp_report_finding *finding, size_t thread);

#endif

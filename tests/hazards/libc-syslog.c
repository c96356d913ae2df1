/* SPDX-License-Identifier: Apache-2.0 */
/* libc-syslog.c — a handler logs, and so does the code that it interrupts. */
#include "hazard.h"
#include <syslog.h>

static volatile sig_atomic_t alarmed;

static void on_alarm(int unused)
{
	(void)unused;
	UNLESS_SAFE(syslog(LOG_DEBUG, "lockproof test: alarm"));
	alarmed = 1;
}

int main(void)
{
	hz_on(SIGALRM, on_alarm, 0, 0);
	syslog(LOG_DEBUG, "lockproof test: begin");
	raise(SIGALRM);
	if (alarmed)
		syslog(LOG_DEBUG, "lockproof test: end");
	return hz_done();
}

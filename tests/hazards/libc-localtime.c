/* SPDX-License-Identifier: Apache-2.0 */
/* libc-localtime.c — a handler converts the time, and so does the code that it interrupts. */
#include "hazard.h"
#include <time.h>

static time_t now;
static struct tm *volatile local;

static void on_alarm(int unused)
{
	(void)unused;
	now = time(NULL);
	UNLESS_SAFE(local = localtime(&now));
}

int main(void)
{
	hz_on(SIGALRM, on_alarm, 0, 0);
	local = localtime(&now);
	raise(SIGALRM);
	return hz_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* libc-setenv.c — a handler changes the environment, and so does the code that it interrupts. */
#include "hazard.h"

static void on_alarm(int unused)
{
	(void)unused;
	UNLESS_SAFE(setenv("HAZARD", "alarm", 1));
}

int main(void)
{
	hz_on(SIGALRM, on_alarm, 0, 0);
	setenv("HAZARD", "none", 1);
	raise(SIGALRM);
	return hz_done();
}

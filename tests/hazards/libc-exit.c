/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libc-exit.c — a handler calls exit, while the code it interrupts may be adding an exit handler.
 */
#include "hazard.h"

static void at_exit(void)
{
	hz_say("exit handler\n");
}

static void on_alarm(int unused)
{
	(void)unused;
	IF_SAFE(_exit(0));
	exit(0);
}

int main(void)
{
	hz_on(SIGALRM, on_alarm, 0, 0);
	atexit(at_exit);
	raise(SIGALRM);
	return 1;
}

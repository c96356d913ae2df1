/* SPDX-License-Identifier: Apache-2.0 */
/* libc-printf.c — a handler prints to the stream that the code it interrupts prints to. */
#include "hazard.h"
#include <stdio.h>

static void on_alarm(int number)
{
	UNLESS_SAFE(printf("signal %d\n", number));
	IF_SAFE(hz_say(number == SIGALRM ? "signal 14\n" : "another signal\n"));
}

int main(void)
{
	hz_on(SIGALRM, on_alarm, 0, 0);
	printf("step %d\n", 1);
	raise(SIGALRM);
	return 0;
}

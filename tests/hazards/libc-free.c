/* SPDX-License-Identifier: Apache-2.0 */
/* libc-free.c — a handler frees, while the code that it interrupts may be allocating. */
#include "hazard.h"

static void *volatile memory;
static void *volatile other;

static void on_alarm(int unused)
{
	(void)unused;
	UNLESS_SAFE(free(memory));
	memory = NULL;
}

int main(void)
{
	memory = malloc(100);
	hz_on(SIGALRM, on_alarm, 0, 0);
	other = malloc(200);
	raise(SIGALRM);
	return hz_done();
}

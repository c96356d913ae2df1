/* SPDX-License-Identifier: Apache-2.0 */
/* libc-malloc.c — a handler allocates, and so may the code that it interrupts. */
#include "hazard.h"

static void *volatile memory;

static void on_alarm(int unused)
{
	(void)unused;
	memory = malloc(100);
}

int main(void)
{
	hz_on(SIGALRM, on_alarm, 0, 0);
	IF_SAFE(hz_block(SIGALRM));
	memory = malloc(100);
	IF_SAFE(hz_unblock(SIGALRM));
	raise(SIGALRM);
	return hz_done();
}

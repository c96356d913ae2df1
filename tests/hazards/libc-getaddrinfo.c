/* SPDX-License-Identifier: Apache-2.0 */
/* libc-getaddrinfo.c — a handler looks a host up, and so does the code that it interrupts. */
#include "hazard.h"
#include <netdb.h>

static volatile sig_atomic_t alarmed;

/* Numbers only: no file is read and nobody is asked. */
static void look_up(void)
{
	struct addrinfo hints, *found;

	memset(&hints, 0, sizeof(hints));
	hints.ai_flags = AI_NUMERICHOST;
	hz_must(getaddrinfo("127.0.0.1", NULL, &hints, &found), "getaddrinfo");
	freeaddrinfo(found);
}

static void on_alarm(int unused)
{
	(void)unused;
	UNLESS_SAFE(look_up());
	alarmed = 1;
}

int main(void)
{
	hz_on(SIGALRM, on_alarm, 0, 0);
	look_up();
	raise(SIGALRM);
	return hz_done();
}

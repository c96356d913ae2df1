/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sshd-grace-alarm.c — the shape of CVE-2024-6387, as in sshd 8.5p1 to 9.7p1.
 *
 * Who does not log in within the grace time is cut off by a SIGALRM handler that logs it. syslog
 * takes locks and allocates, and the alarm may strike a server that is doing the same on behalf of
 * an unauthenticated client. The control is the repair of 9.8p1: the handler only ends the process.
 */
#include "hazard.h"
#include <poll.h>
#include <stdarg.h>
#include <sys/time.h>
#include <syslog.h>
#include <time.h>

#define LOGIN_GRACE_MS	300

static void *volatile packet;

static void do_log(const char *text, va_list arguments)
{
	openlog("lockproof-test-sshd", LOG_PID, LOG_DAEMON);
	vsyslog(LOG_DEBUG, text, arguments);
	closelog();
}

static void logit(const char *text, ...)
{
	va_list arguments;

	va_start(arguments, text);
	do_log(text, arguments);
	va_end(arguments);
}

/* Called by signal handlers, and said to be safe there. */
static void sigdie(const char *text, ...)
{
	va_list arguments;

	va_start(arguments, text);
	do_log(text, arguments);
	va_end(arguments);
	_exit(1);
}

static void grace_alarm_handler(int unused)
{
	(void)unused;
	IF_SAFE(_exit(1));
	sigdie("Timeout before authentication for %s port %d", "192.0.2.1", 50022);
}

static void parse_public_key(size_t size)
{
	packet = malloc(size);
	hz_must(!packet, "malloc");
	memset(packet, 0, size);
	free(packet);
}

static void note_time_of_login(void)
{
	time_t now = time(NULL);

	if (localtime(&now))
		logit("Connection from %s at %ld", "192.0.2.1", (long)now);
}

int main(void)
{
	struct itimerval grace = { .it_value = { .tv_usec = LOGIN_GRACE_MS * 1000 } };

	signal(SIGALRM, grace_alarm_handler);
	setitimer(ITIMER_REAL, &grace, NULL);
	note_time_of_login();
	parse_public_key(4096);
	hz_say("waiting for authentication\n");
	for (;;)
		poll(NULL, 0, 1000);	/* nothing comes: the alarm strikes here */
}

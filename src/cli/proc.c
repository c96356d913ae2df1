/* SPDX-License-Identifier: Apache-2.0 */
/* proc.c — reading /proc; see proc.h. */
#include "cli/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FRAME_SIZE	1024	/* more than the innermost frame of a wait in libc has */

void lp_proc_reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Read a small file of /proc as a string. 0 or a negative errno value. */
static int read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = read(fd, text, size - 1);
	if (got < 0)
		got = -errno;
	close(fd);
	if (got < 0)
		return (int)got;
	text[got] = '\0';
	return 0;
}

/* State letter and parent in a stat file; the name before them may contain anything. */
static int read_stat(const char *path, char *state, pid_t *parent)
{
	char text[1024];
	int result = read_text(path, text, sizeof(text));
	const char *after;

	if (result)
		return result;
	after = strrchr(text, ')');
	if (!after || sscanf(after + 1, " %c %d", state, parent) != 2)
		return -EINVAL;
	return 0;
}

static int process_stat(pid_t pid, char *state, pid_t *parent)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return read_stat(path, state, parent);
}

static int thread_stat(pid_t pid, pid_t tid, char *state)
{
	char path[64];
	pid_t parent;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	return read_stat(path, state, &parent);
}

pid_t lp_proc_parent(pid_t pid)
{
	pid_t parent;
	char state;

	return process_stat(pid, &state, &parent) ? 0 : parent;
}

bool lp_proc_alive(pid_t pid)
{
	pid_t parent;
	char state;

	if (pid <= 0 || (kill(pid, 0) && errno == ESRCH))
		return false;
	/* without /proc the kernel's word must do */
	return process_stat(pid, &state, &parent) || (state != 'Z' && state != 'X');
}

bool lp_proc_running(pid_t pid, pid_t tid)
{
	char state;

	return !thread_stat(pid, tid, &state) && state == 'R';
}

/* A system call that a thread is in, as /proc tells it. */
struct call {
	long		number;
	uint64_t	argument[6];
	uint64_t	sp;
};

static bool parse_call(const char *text, struct call *call)
{
	uint64_t *a = call->argument;

	/* "running", "-1 ..." or the number, its arguments, sp and pc */
	return sscanf(text, "%ld 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64
		      " 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64, &call->number, &a[0], &a[1], &a[2],
		      &a[3], &a[4], &a[5], &call->sp) == 8;
}

/*
 * A mutex with priority inheritance lets the kernel see the deadlock, which refuses; libc then has
 * the thread wait for ever, for a word in its own frame that nobody else knows.
 */
static bool waits_for_ever(const struct call *call)
{
	return call->argument[0] - call->sp < FRAME_SIZE && !call->argument[3];
}

bool lp_proc_in_futex(pid_t pid, pid_t tid, uint64_t object, uint64_t size)
{
	char path[64], text[256], state;
	struct call call = { 0 };

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, tid);
	if (read_text(path, text, sizeof(text)))
		return !thread_stat(pid, tid, &state) && (state == 'S' || state == 'D');
	return parse_call(text, &call) && call.number == SYS_futex &&
	       (call.argument[0] - object < size || waits_for_ever(&call));
}

enum { FUTEX_COMMAND = 127, FUTEX_OWN = 128 };

/* Waits that have no end of their own: FUTEX_WAIT, LOCK_PI, WAIT_BITSET, LOCK_PI2. */
static bool is_endless(const struct call *call)
{
	uint64_t command = call->argument[1] & FUTEX_COMMAND;

	return call->number == SYS_futex && !call->argument[3] &&
	       (command == 0 || command == 6 || command == 9 || command == 13);
}

/* The number behind a name in a "status" of /proc; `base` as in strtoull(). */
static bool status_number(const char *path, const char *name, int base, uint64_t *number)
{
	char text[4096];
	const char *at;

	if (read_text(path, text, sizeof(text)))
		return false;
	at = strstr(text, name);
	if (!at)
		return false;
	*number = strtoull(at + strlen(name), NULL, base);
	return true;
}

uint64_t lp_proc_sleeps(pid_t pid, pid_t tid, uint64_t shared, uint64_t size)
{
	char path[64], text[256], state;
	struct call call = { 0 };
	uint64_t sleeps;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, tid);
	if (thread_stat(pid, tid, &state) || state != 'S' || read_text(path, text, sizeof(text)) ||
	    !parse_call(text, &call) || !is_endless(&call))
		return 0;
	if (!(call.argument[1] & FUTEX_OWN) && (!shared || call.argument[0] - shared >= size))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, tid);
	/* one that was never asleep is not now */
	return status_number(path, "\nvoluntary_ctxt_switches:", 10, &sleeps) ? sleeps : 0;
}

size_t lp_proc_thread_count(pid_t pid)
{
	char path[64];
	uint64_t count;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	return status_number(path, "\nThreads:", 10, &count) ? (size_t)count : 0;
}

#define SIGNAL_BIT(signal) (1ull << ((signal) - 1))

bool lp_proc_has_handlers(pid_t pid)
{
	/* those that code causes itself, and the two that libc keeps for itself */
	const uint64_t own = SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGABRT) |
			     SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSEGV) |
			     SIGNAL_BIT(SIGSYS) | SIGNAL_BIT(32) | SIGNAL_BIT(33);
	char path[64];
	uint64_t caught;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	return !status_number(path, "\nSigCgt:", 16, &caught) || (caught & ~own);
}

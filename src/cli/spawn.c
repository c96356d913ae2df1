/* SPDX-License-Identifier: Apache-2.0 */
/* spawn.c — starting the program and forwarding its signals; see spawn.h. */
#include "cli/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/proc.h"

#define ANCESTORS_MAX	64

/* Not for the program: our own faults and ends, job control, and what we ignore. */
static const int left_alone[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGTSTP,
				  SIGTTIN, SIGTTOU, SIGCONT, SIGPIPE, SIGXFSZ, SIGXCPU };

void lp_inherit_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			/* lowest free number: fd itself. Closed again by exec */
			if (open("/dev/null", O_RDWR | O_CLOEXEC) < 0)
				return;
}

static void take_disposition(int signal, void (*handler)(int), struct sigaction *old)
{
	struct sigaction action = { .sa_handler = handler };

	sigemptyset(&action.sa_mask);
	sigaction(signal, &action, old);
}

/* Images are large and sparse: use what the limit can give. root may go beyond it. */
static void raise_file_size_limit(struct rlimit *old)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	if (getrlimit(RLIMIT_FSIZE, old))
		*old = limit;
	if (old->rlim_cur == RLIM_INFINITY)
		return;
	limit.rlim_max = old->rlim_max;
	limit.rlim_cur = old->rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
}

void lp_inherit(struct lp_inherited *inherited)
{
	sigfillset(&inherited->taken);
	for (size_t i = 0; i < lp_array_size(left_alone); i++)
		sigdelset(&inherited->taken, left_alone[i]);
	sigprocmask(SIG_BLOCK, &inherited->taken, &inherited->mask);
	/* with SIG_IGN the program's exit status would be lost */
	take_disposition(SIGCHLD, SIG_DFL, &inherited->child);
	take_disposition(SIGPIPE, SIG_IGN, &inherited->pipe);
	take_disposition(SIGXFSZ, SIG_IGN, &inherited->file_size);
	sigaction(SIGBUS, NULL, &inherited->bus);
	raise_file_size_limit(&inherited->file_size_limit);
}

static void give_back(const struct lp_inherited *inherited)
{
	sigaction(SIGCHLD, &inherited->child, NULL);
	sigaction(SIGPIPE, &inherited->pipe, NULL);
	sigaction(SIGXFSZ, &inherited->file_size, NULL);
	sigaction(SIGBUS, &inherited->bus, NULL);
	setrlimit(RLIMIT_FSIZE, &inherited->file_size_limit);
	sigprocmask(SIG_SETMASK, &inherited->mask, NULL);
}

/* LD_PRELOAD with our library first and once. NULL: memory is short. */
static char *preload_list(const char *runtime)
{
	const char *old = getenv("LD_PRELOAD");
	char *copy = strdup(old ? old : "");
	char *list = malloc(strlen(runtime) + (old ? strlen(old) : 0) + 2);
	char *save = NULL;

	if (copy && list) {
		strcpy(list, runtime);
		for (char *name = strtok_r(copy, ": ", &save); name;
		     name = strtok_r(NULL, ": ", &save))
			if (strcmp(name, runtime))
				strcat(strcat(list, ":"), name);
	}
	free(copy);
	return list;
}

static int set_environment(const char *runtime, const char *facts)
{
	char *list = preload_list(runtime);
	int result = -1;

	if (list && !setenv("LD_PRELOAD", list, 1) && !setenv("LOCKPROOF_FACTS", facts, 1))
		result = 0;
	free(list);
	return result;
}

/* In the child: become the program, or tell why not through the pipe. */
static void become(const struct lp_inherited *inherited, const char *path, char *const *argv,
		   int report_fd)
{
	int error;
	ssize_t written;

	give_back(inherited);
	execv(path, argv);
	error = errno;
	written = write(report_fd, &error, sizeof(error));
	(void)written;
	_exit(127);
}

/* The errno value of a failed exec, or 0 when the pipe closed by exec itself. */
static int read_exec_error(int fd)
{
	int error = 0;
	ssize_t size;

	do
		size = read(fd, &error, sizeof(error));
	while (size < 0 && errno == EINTR);
	return size == (ssize_t)sizeof(error) ? error : 0;
}

int lp_spawn(const struct lp_inherited *inherited, const char *path, char *const *argv,
	     const char *runtime, const char *facts, pid_t *pid, struct lp_problem *problem)
{
	int fds[2];
	int error;

	if (set_environment(runtime, facts))
		return lp_problem_set(problem, "%s", strerror(ENOMEM));
	if (pipe2(fds, O_CLOEXEC))
		return lp_problem_set(problem, "%s", strerror(errno));
	*pid = fork();
	if (*pid == 0)
		become(inherited, path, argv, fds[1]);
	error = *pid < 0 ? errno : 0;
	close(fds[1]);
	if (!error) {
		error = read_exec_error(fds[0]);
		if (error)
			lp_proc_reap(*pid);
	}
	close(fds[0]);
	return error ? lp_problem_set(problem, "cannot be executed: %s", strerror(error)) : 0;
}

/* Is the process the program itself or one that it started? Such signals are not for it. */
static bool is_of_program(pid_t sender, pid_t program)
{
	for (int i = 0; i < ANCESTORS_MAX && sender > 1; i++) {
		if (sender == program)
			return true;
		sender = lp_proc_parent(sender);
	}
	return false;
}

struct forwarding {
	pid_t		pid;
	lp_sender_fn	*is_ours;
	void		*context;
};

static bool is_for_program(const struct forwarding *to, const siginfo_t *info)
{
	if (info->si_code > 0) {
		/* the kernel's own: of these only timers were set for whoever runs here */
		return info->si_signo == SIGALRM || info->si_signo == SIGVTALRM ||
		       info->si_signo == SIGPROF;
	}
	return !is_of_program(info->si_pid, to->pid) && !to->is_ours(to->context, info->si_pid);
}

static void forward(const struct forwarding *to, const siginfo_t *info)
{
	if (info->si_signo == SIGCHLD || !is_for_program(to, info))
		return;
	if (info->si_code == SI_QUEUE)
		sigqueue(to->pid, info->si_signo, info->si_value);
	else
		kill(to->pid, info->si_signo);
}

void lp_signal_wait(const struct lp_inherited *inherited, pid_t pid, unsigned timeout_ms,
		    lp_sender_fn *is_ours, void *context)
{
	struct timespec timeout = { timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000 };
	const struct forwarding to = { pid, is_ours, context };
	siginfo_t info;

	while (sigtimedwait(&inherited->taken, &info, &timeout) > 0) {
		forward(&to, &info);
		timeout = (struct timespec){ 0, 0 };
	}
}

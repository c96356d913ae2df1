/* SPDX-License-Identifier: Apache-2.0 */
/* output.c — writing reports; see output.h. */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int lp_output_write(int fd, const char *bytes, size_t size)
{
	while (size) {
		ssize_t written = write(fd, bytes, size);

		if (written < 0 && errno == EAGAIN) {
			struct pollfd wait = { .fd = fd, .events = POLLOUT };

			poll(&wait, 1, -1);
			continue;
		}
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		bytes += written;
		size -= (size_t)written;
	}
	return 0;
}

bool lp_output_color(enum lp_color color, int fd)
{
	const char *terminal = getenv("TERM");
	const char *refused = getenv("NO_COLOR");

	if (color != LP_COLOR_AUTO)
		return color == LP_COLOR_ALWAYS;
	return isatty(fd) && !(refused && *refused) && terminal && strcmp(terminal, "dumb");
}

static int fail(const char *path, int error, struct lp_problem *problem)
{
	return lp_problem_set(problem, "%.512s: %s", path, strerror(error));
}

/*
 * A descriptor to write to when the file must not be replaced: something that is no regular file,
 * or that standard output or error goes to already. -1: there is none; else to be closed.
 */
static int open_stream(const char *path, const struct stat *status)
{
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		struct stat other;

		if (!fstat(fd, &other) && other.st_dev == status->st_dev &&
		    other.st_ino == status->st_ino)
			return fcntl(fd, F_DUPFD_CLOEXEC, 3);
	}
	return S_ISREG(status->st_mode) ? -1 : open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
}

/* Where a link leads, so that the file is replaced and not the link; to be freed. */
static char *resolve(const char *path)
{
	char *real = realpath(path, NULL);

	return real || errno != ENOENT ? real : strdup(path);
}

/* A temporary file beside `path`. The descriptor, or a negative errno value. */
static int open_beside(const char *path, char **name)
{
	int fd;

	if (asprintf(name, "%s.XXXXXX", path) < 0) {
		*name = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(*name, O_CLOEXEC);
	if (fd >= 0)
		return fd;
	fd = -errno;
	free(*name);
	*name = NULL;
	return fd;
}

int lp_output_check(const char *path, struct lp_problem *problem)
{
	struct stat status;
	char *real, *name = NULL;
	int fd;

	if (!stat(path, &status)) {
		if (S_ISDIR(status.st_mode))
			return fail(path, EISDIR, problem);
		if (access(path, W_OK))
			return fail(path, errno, problem);
		if (!S_ISREG(status.st_mode))
			return 0;
	} else if (errno != ENOENT) {
		return fail(path, errno, problem);
	} else if (path[strlen(path) - 1] == '/') {
		return fail(path, EISDIR, problem);
	}
	real = resolve(path);
	fd = real ? open_beside(real, &name) : -errno;
	free(real);
	if (fd < 0)
		return fail(path, -fd, problem);
	unlink(name);
	free(name);
	close(fd);
	return 0;
}

/* The directory of a path that need not be there, and its last part. */
static int parent_of(const char *path, struct stat *status, const char **last)
{
	const char *slash = strrchr(path, '/');
	char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int result = directory ? stat(directory, status) : -1;

	*last = slash ? slash + 1 : path;
	free(directory);
	return result;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int lp_output_check_other(const char *path, const char *other, const char *what,
			  struct lp_problem *problem)
{
	const char *last, *other_last;
	struct stat a, b;

	if (!stat(path, &a) && !stat(other, &b)) {
		if (!is_same(&a, &b) || !S_ISREG(a.st_mode))
			return 0;
	} else if (parent_of(path, &a, &last) || parent_of(other, &b, &other_last) ||
		   !is_same(&a, &b) || strcmp(last, other_last)) {
		return 0;
	}
	return lp_problem_set(problem, "%s: is %s, so it cannot take the report", path, what);
}

static mode_t default_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

/* Write `name` and let it take the place of `path`. 0 or a negative errno value. */
static int replace(int fd, const char *name, const char *path, const struct stat *old,
		   const char *bytes, size_t size)
{
	int error = lp_output_write(fd, bytes, size);

	if (!error && fchmod(fd, old ? old->st_mode & 0777 : default_mode()))
		error = -errno;
	if (!error && rename(name, path))
		error = -errno;
	return error;
}

static int replace_file(const char *path, const struct stat *old, const char *bytes, size_t size)
{
	char *real = resolve(path), *name = NULL;
	int fd = real ? open_beside(real, &name) : -errno;
	int error = fd < 0 ? fd : replace(fd, name, real, old, bytes, size);

	if (fd >= 0) {
		close(fd);
		if (error)
			unlink(name);
	}
	free(name);
	free(real);
	return error;
}

int lp_output_file(const char *path, const char *bytes, size_t size, struct lp_problem *problem)
{
	struct stat status;
	bool exists = !stat(path, &status);
	int fd = exists ? open_stream(path, &status) : -1;
	int error;

	if (fd >= 0) {
		error = lp_output_write(fd, bytes, size);
		close(fd);
	} else if (exists && !S_ISREG(status.st_mode)) {
		error = -errno;
	} else {
		error = replace_file(path, exists ? &status : NULL, bytes, size);
	}
	return error ? fail(path, -error, problem) : 0;
}

int lp_output_deliver(const char *path, const char *bytes, size_t size)
{
	struct lp_problem problem;
	int error;

	if (path)
		return lp_output_file(path, bytes, size, &problem) ? lp_error("%s", problem.text) : 0;
	error = lp_output_write(STDOUT_FILENO, bytes, size);
	return error ? lp_error("standard output: %s", strerror(-error)) : 0;
}

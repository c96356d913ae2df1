/* SPDX-License-Identifier: Apache-2.0 */
/* facts_file.c — see facts_file.h. */
#include "cli/facts_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/recording.h"

static int fail(const char *path, const char *what, struct lp_problem *problem)
{
	return lp_problem_set(problem, "%.512s: %s", path, what);
}

/* Open a regular file. The descriptor with *size set, or -1 with the problem set. */
static int open_file(const char *path, size_t *size, struct lp_problem *problem)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd < 0 || fstat(fd, &status)) {
		fail(path, strerror(errno), problem);
	} else if (S_ISDIR(status.st_mode)) {
		fail(path, "is a directory", problem);
	} else if (!S_ISREG(status.st_mode)) {
		fail(path, "is not a regular file", problem);
	} else if (!status.st_size) {
		fail(path, "is empty", problem);
	} else {
		*size = (size_t)status.st_size;
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static int map_file(const char *path, struct lp_mapping *mapping, struct lp_problem *problem)
{
	size_t size;
	int fd = open_file(path, &size, problem);
	int error;

	if (fd < 0)
		return -1;
	error = lp_mapping_open(mapping, fd, size);
	close(fd);
	return error ? fail(path, strerror(-error), problem) : 0;
}

/* Step over the images of a merged file; a recorded one has a single image. */
static int add_images(struct lp_session *session, const char *path,
		      const struct lp_mapping *mapping, struct lp_problem *problem)
{
	size_t offset = 0;
	uint32_t count = 0, wanted = 0;

	do {
		const char *what;
		struct lp_source *source;

		if (offset >= mapping->size)
			return lp_problem_set(problem, "%.512s: is truncated: it ends after image "
					      "%u of %u", path, count, wanted);
		source = lp_session_add(session, mapping->bytes + offset, mapping->size - offset,
					&what);
		if (!source && count)
			return lp_problem_set(problem, "%.512s: image %u at byte %zu %s", path,
					      count + 1, offset, what);
		if (!source)
			return fail(path, what, problem);
		if (!count)
			wanted = source->state.merged;
		offset += lp_reader_extent(source->reader);
	} while (++count < wanted);
	return 0;
}

/* A recorded file is as long as it was made: a copy that ends early was cut. */
static int check_length(const char *path, const struct lp_mapping *mapping,
			struct lp_problem *problem)
{
	const struct lp_image *image = (const void *)mapping->bytes;

	if (image->merged || mapping->size >= image->size)
		return 0;
	return lp_problem_set(problem, "%.512s: is truncated: it has %zu of %llu bytes", path,
			      mapping->size, (unsigned long long)image->size);
}

/* Is this an image of the run that made the first? Others, and unfinished ones, are left out. */
static bool is_of_session(int fd, uint64_t session)
{
	struct lp_image image;

	return pread(fd, &image, sizeof(image), 0) == (ssize_t)sizeof(image) &&
	       image.magic == LP_IMAGE_MAGIC && image.session == session;
}

static int add_sibling(struct lp_session *session, const char *path, struct lp_problem *problem)
{
	const struct lp_source *first = lp_session_source(session, 0);
	struct lp_problem ignored;
	const char *what;
	size_t size;
	int fd = open_file(path, &size, &ignored);
	int result = 0;

	if (fd < 0)
		return 0;
	if (is_of_session(fd, first->state.session) &&
	    !lp_session_map(session, fd, size, &what))
		result = fail(path, what, problem);
	close(fd);
	return result;
}

static int add_siblings(struct lp_session *session, const char *path, struct lp_problem *problem)
{
	uint32_t *numbers;
	int count = lp_recording_siblings(path, &numbers);
	int result = count < 0 ? fail(path, strerror(-count), problem) : 0;

	for (int i = 0; i < count && !result; i++) {
		char *sibling;

		if (asprintf(&sibling, "%s.%u", path, numbers[i]) < 0) {
			result = fail(path, strerror(ENOMEM), problem);
			break;
		}
		result = add_sibling(session, sibling, problem);
		free(sibling);
	}
	free(numbers);
	return result;
}

/* The first source that is damaged spoils the file. */
static int check_sources(const struct lp_session *session, const char *path,
			 const struct lp_mapping *mapping, struct lp_problem *problem)
{
	if (mapping->damaged)
		return fail(path, "a part of it cannot be read", problem);
	for (size_t i = 0; i < lp_session_source_count(session); i++) {
		const struct lp_source *source = lp_session_source(session, i);

		if (!source->problem)
			continue;
		if (!i)
			return fail(path, source->problem, problem);
		return lp_problem_set(problem, "%.512s: image %zu: %s", path, i + 1,
				      source->problem);
	}
	return 0;
}

int lp_facts_file_read(struct lp_session *session, const char *path, struct lp_mapping *mapping,
		       struct lp_problem *problem)
{
	if (map_file(path, mapping, problem) || add_images(session, path, mapping, problem) ||
	    check_length(path, mapping, problem) || add_siblings(session, path, problem))
		return -1;
	if (lp_session_poll(session) == -ENOMEM)
		return fail(path, strerror(ENOMEM), problem);
	return check_sources(session, path, mapping, problem);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* merge.c — many images to one file; see merge.h. */
#include "cli/merge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/recording.h"
#include "facts/layout.h"

#define PAGE	4096u
#define CHUNK	(256u << 10)

struct merge {
	int	out;
	uint64_t size;		/* written so far */
	uint64_t session;
	uint32_t count;
	char	*buffer;	/* CHUNK bytes */
};

static uint64_t round_to_page(uint64_t bytes)
{
	return (bytes + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

static int write_all(int fd, const char *bytes, size_t size, uint64_t offset)
{
	while (size) {
		ssize_t written = pwrite(fd, bytes, size, (off_t)offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written ? -errno : -EIO;
		bytes += written;
		offset += (uint64_t)written;
		size -= (size_t)written;
	}
	return 0;
}

/* Bytes [from, to) of an image to where it goes; what a live writer adds later is left out. */
static int copy_range(struct merge *merge, int fd, uint64_t from, uint64_t to)
{
	while (from < to) {
		size_t want = to - from < CHUNK ? (size_t)(to - from) : CHUNK;
		ssize_t got = pread(fd, merge->buffer, want, (off_t)from);
		int error;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EIO;
		error = write_all(merge->out, merge->buffer, (size_t)got, merge->size + from);
		if (error)
			return error;
		from += (uint64_t)got;
	}
	return 0;
}

/* 1: an image of this run; 0: something else, or not ready; else a negative errno value. */
static int read_header(const struct merge *merge, int fd, struct lp_image *image)
{
	ssize_t size = pread(fd, image, sizeof(*image), 0);

	if (size < 0)
		return -errno;
	return size == (ssize_t)sizeof(*image) && image->magic == LP_IMAGE_MAGIC &&
	       image->tail >= LP_IMAGE_HEADER_SIZE && image->tail <= image->size &&
	       (!merge->count || image->session == merge->session);
}

/* Append one image. 1: done; 0: it is none of ours; else a negative errno value. */
static int append(struct merge *merge, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct lp_image image;
	int result;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	result = read_header(merge, fd, &image);
	if (result > 0) {
		uint64_t extent = round_to_page(image.tail);
		int error;

		merge->session = image.session;
		image.size = extent;
		image.merged = 1;
		error = write_all(merge->out, (const char *)&image, sizeof(image), merge->size);
		if (!error)
			error = copy_range(merge, fd, LP_IMAGE_HEADER_SIZE, image.tail);
		if (!error && ftruncate(merge->out, (off_t)(merge->size + extent)))
			error = -errno;
		merge->size += extent;
		merge->count++;
		result = error ? error : 1;
	}
	close(fd);
	return result;
}

static int append_siblings(struct merge *merge, const char *path, uint32_t *numbers, int count)
{
	for (int i = 0; i < count; i++) {
		char *sibling;
		int result;

		if (asprintf(&sibling, "%s.%u", path, numbers[i]) < 0)
			return -ENOMEM;
		result = append(merge, sibling);
		free(sibling);
		if (result < 0)
			return result;
		if (!result)
			numbers[i] = 0;	/* not ours: it stays */
	}
	return 0;
}

/* How many images there are is said by the first. */
static int write_count(struct merge *merge)
{
	return write_all(merge->out, (const char *)&merge->count, sizeof(merge->count),
			 offsetof(struct lp_image, merged));
}

static int fill(struct merge *merge, const char *path, uint32_t *numbers, int count)
{
	int result = append(merge, path);

	if (!result)
		result = -EBADMSG;
	if (result > 0)
		result = append_siblings(merge, path, numbers, count);
	return result < 0 ? result : write_count(merge);
}

/* The new file gets the old one's rights and then its name. */
static int replace(const struct merge *merge, const char *from, const char *to)
{
	struct stat status;

	if (stat(to, &status) || fchmod(merge->out, status.st_mode & 0777) || rename(from, to))
		return -errno;
	return 0;
}

static void remove_siblings(const char *path, const uint32_t *numbers, int count)
{
	for (int i = 0; i < count; i++) {
		char *sibling;

		if (!numbers[i] || asprintf(&sibling, "%s.%u", path, numbers[i]) < 0)
			continue;
		unlink(sibling);
		free(sibling);
	}
}

int lp_merge_images(const char *path, struct lp_problem *problem)
{
	struct merge merge = { .out = -1 };
	uint32_t *numbers = NULL;
	int count = lp_recording_siblings(path, &numbers);
	char *name = NULL;
	int error = count < 0 ? count : -ENOMEM;

	merge.buffer = malloc(CHUNK);
	if (count >= 0 && merge.buffer && asprintf(&name, "%s.XXXXXX", path) >= 0) {
		merge.out = mkostemp(name, O_CLOEXEC);
		error = merge.out < 0 ? -errno : fill(&merge, path, numbers, count);
		if (!error)
			error = replace(&merge, name, path);
		if (!error)
			remove_siblings(path, numbers, count);
		else if (merge.out >= 0)
			unlink(name);
		if (merge.out >= 0)
			close(merge.out);
		free(name);
	}
	free(numbers);
	free(merge.buffer);
	if (!error)
		return 0;
	return lp_problem_set(problem, "%.512s: stays in pieces, as it was recorded: %s", path,
			      strerror(-error));
}

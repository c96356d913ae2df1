/* SPDX-License-Identifier: Apache-2.0 */
/* recording.c — making, keeping and removing image files; see recording.h. */
#include "cli/recording.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/leftovers.h"
#include "cli/merge.h"
#include "facts/layout.h"
#include "facts/writer.h"

#define PATH_LIMIT	1000u	/* the runtime has that much room for it */

static void clear(struct lp_recording *recording)
{
	for (size_t i = 0; i < recording->saved_count; i++) {
		free(recording->saved[i].from);
		free(recording->saved[i].to);
	}
	free(recording->saved);
	free(recording->path);
	free(recording->directory);
	if (recording->fd >= 0)
		close(recording->fd);
	*recording = (struct lp_recording){ .fd = -1 };
}

char *lp_recording_path(const struct lp_recording *recording, uint32_t index)
{
	char *path;

	if (!index)
		return strdup(recording->path);
	return asprintf(&path, "%s.%u", recording->path, index) < 0 ? NULL : path;
}

/* The N of "BASE.N", or 0. */
static uint32_t sibling_number(const char *name, const char *base)
{
	size_t size = strlen(base);
	unsigned long number;
	char *end;

	if (strncmp(name, base, size) || name[size] != '.' || name[size + 1] < '1' ||
	    name[size + 1] > '9')
		return 0;
	number = strtoul(name + size + 1, &end, 10);
	return *end || number > UINT32_MAX ? 0 : (uint32_t)number;
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static DIR *open_directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	DIR *dir = directory ? opendir(directory) : NULL;

	free(directory);
	return dir;
}

int lp_recording_siblings(const char *path, uint32_t **numbers)
{
	const char *slash = strrchr(path, '/');
	DIR *dir = open_directory_of(path);
	size_t count = 0, room = 0;
	struct dirent *entry;

	*numbers = NULL;
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		uint32_t number = sibling_number(entry->d_name, slash ? slash + 1 : path);

		if (!number)
			continue;
		if (count == room) {
			uint32_t *larger = reallocarray(*numbers, room * 2 + 16, sizeof(*larger));

			if (!larger) {
				closedir(dir);
				free(*numbers);
				return -ENOMEM;
			}
			*numbers = larger;
			room = room * 2 + 16;
		}
		(*numbers)[count++] = number;
	}
	closedir(dir);
	if (count)
		qsort(*numbers, count, sizeof(**numbers), compare_numbers);
	return (int)count;
}

/* May this file be replaced by facts: is it facts, or empty, or not there at all? */
static int check_replaceable(const char *path, struct lp_problem *problem)
{
	struct stat status;
	uint64_t magic = 0;
	ssize_t size;
	int fd;

	if (stat(path, &status))
		return errno == ENOENT ? 0 : lp_problem_set(problem, "%.512s: %s", path,
							    strerror(errno));
	if (!S_ISREG(status.st_mode))
		return lp_problem_set(problem, "%.512s: is not a regular file", path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return lp_problem_set(problem, "%.512s: %s", path, strerror(errno));
	size = pread(fd, &magic, sizeof(magic), 0);
	if (size && (size != (ssize_t)sizeof(magic) || magic != LP_IMAGE_MAGIC)) {
		close(fd);
		return lp_problem_set(problem, "%.512s: exists and is not a facts file: it will "
				      "not be overwritten", path);
	}
	if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
		close(fd);
		return lp_problem_set(problem, "%.512s: another lockproof is writing to it", path);
	}
	close(fd);
	return 1;
}

/* Move a file out of the way until the program runs. */
static int save(struct lp_recording *recording, const char *path, struct lp_problem *problem)
{
	struct lp_saved *larger = reallocarray(recording->saved, recording->saved_count + 1,
					       sizeof(*larger));
	struct lp_saved saved = { strdup(path), NULL };

	if (larger)
		recording->saved = larger;
	if (!larger || !saved.from || asprintf(&saved.to, "%s.old-%d", path, getpid()) < 0) {
		free(saved.from);
		return lp_problem_set(problem, "%s", strerror(ENOMEM));
	}
	if (rename(saved.from, saved.to)) {
		lp_problem_set(problem, "%.512s: %s", path, strerror(errno));
		free(saved.from);
		free(saved.to);
		return -1;
	}
	recording->saved[recording->saved_count++] = saved;
	return 0;
}

static void restore(struct lp_recording *recording)
{
	for (size_t i = 0; i < recording->saved_count; i++)
		rename(recording->saved[i].to, recording->saved[i].from);
}

/* Clear the way for image 0 and its siblings; first look at all, then move. */
static int make_room(struct lp_recording *recording, struct lp_problem *problem)
{
	int replace = check_replaceable(recording->path, problem);
	uint32_t *numbers = NULL;
	int count = replace < 0 ? 0 : lp_recording_siblings(recording->path, &numbers);
	int result = replace < 0 ? -1 : 0;

	for (int pass = 0; pass < 2; pass++) {
		if (pass && !result && replace)
			result = save(recording, recording->path, problem);
		for (int i = 0; i < count && !result; i++) {
			char *path = lp_recording_path(recording, numbers[i]);

			if (!path)
				result = lp_problem_set(problem, "%s", strerror(ENOMEM));
			else if (pass)
				result = save(recording, path, problem);
			else if (check_replaceable(path, problem) < 0)
				result = -1;
			free(path);
		}
	}
	free(numbers);
	return result;
}

static uint64_t random_word(void)
{
	uint64_t word = 0;

	if (getrandom(&word, sizeof(word), GRND_NONBLOCK) != (ssize_t)sizeof(word)) {
		struct timespec now;

		clock_gettime(CLOCK_MONOTONIC, &now);
		word = (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec ^
		       (uint64_t)getpid() << 20;
	}
	return word;
}

static int write_header(int fd, uint64_t size)
{
	_Alignas(struct lp_image) char page[LP_IMAGE_HEADER_SIZE] = { 0 };
	struct timespec now;
	ssize_t written;

	clock_gettime(CLOCK_REALTIME, &now);
	lp_image_init((struct lp_image *)page, size, random_word(), (uint32_t)random_word(),
		      (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	written = pwrite(fd, page, sizeof(page), 0);
	if (written < 0)
		return -errno;
	return written == (ssize_t)sizeof(page) ? 0 : -ENOSPC;
}

/* Can this much be mapped, here and in a program with the same limits? */
static bool can_map(int fd, uint64_t size)
{
	struct rlimit limit;
	void *bytes;

	if (!getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur != RLIM_INFINITY &&
	    size > limit.rlim_cur / 4)
		return false;
	bytes = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (bytes == MAP_FAILED)
		return false;
	munmap(bytes, size);
	return true;
}

/* Reserve as much as the file system and the limits allow: it costs nothing until it is used. */
static int reserve(int fd, uint64_t *size)
{
	static const unsigned shifts[] = { 36, 34, 32, 30, 28, 26, 24, 22, 20 };
	int error = EFBIG;

	for (size_t i = 0; i < lp_array_size(shifts); i++) {
		*size = (uint64_t)1 << shifts[i];
		if (ftruncate(fd, (off_t)*size))
			error = errno;
		else if (can_map(fd, *size))
			return 0;
		else
			error = ENOMEM;
	}
	return -error;
}

static int make_image(struct lp_recording *recording, mode_t mode, struct lp_problem *problem)
{
	int error;

	recording->fd = open(recording->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (recording->fd < 0)
		return lp_problem_set(problem, "%.512s: %s", recording->path, strerror(errno));
	flock(recording->fd, LOCK_EX | LOCK_NB);
	error = reserve(recording->fd, &recording->size);
	if (!error)
		error = write_header(recording->fd, recording->size);
	if (!error)
		return 0;
	unlink(recording->path);
	return lp_problem_set(problem, "%.512s: no room for the facts: %s", recording->path,
			      strerror(-error));
}

/* An absolute path for a file that need not exist. NULL with errno set. */
static char *absolute_path(const char *path)
{
	char *real = realpath(path, NULL);
	const char *slash = strrchr(path, '/');
	char *directory, *result = NULL;

	if (real || errno != ENOENT)
		return real;
	directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	real = directory ? realpath(directory, NULL) : NULL;
	free(directory);
	if (real && asprintf(&result, "%s/%s", strcmp(real, "/") ? real : "",
			     slash ? slash + 1 : path) < 0)
		result = NULL;
	free(real);
	return result;
}

static int create_kept(struct lp_recording *recording, const char *facts,
		       struct lp_problem *problem)
{
	recording->path = absolute_path(facts);
	if (!recording->path)
		return lp_problem_set(problem, "%.512s: %s", facts, strerror(errno));
	if (recording->path[strlen(recording->path) - 1] == '/')
		return lp_problem_set(problem, "%.512s: is a directory", facts);
	if (strlen(recording->path) > PATH_LIMIT)
		return lp_problem_set(problem, "%.512s: the path is too long", facts);
	if (make_room(recording, problem))
		return -1;
	return make_image(recording, 0666, problem);
}

static int create_private_in(struct lp_recording *recording, const char *place,
			     struct lp_problem *problem)
{
	lp_leftovers_remove(place);
	if (asprintf(&recording->directory, "%s/" LP_PRIVATE_PREFIX "XXXXXX", place) < 0) {
		recording->directory = NULL;
		return lp_problem_set(problem, "%s", strerror(ENOMEM));
	}
	if (!mkdtemp(recording->directory)) {
		lp_problem_set(problem, "%.512s: %s", place, strerror(errno));
		clear(recording);
		return -1;
	}
	if (asprintf(&recording->path, "%s/facts", recording->directory) < 0) {
		recording->path = NULL;
		lp_problem_set(problem, "%s", strerror(ENOMEM));
	} else if (!make_image(recording, 0600, problem)) {
		return 0;
	}
	rmdir(recording->directory);
	clear(recording);
	return -1;
}

/* In memory if we can: then recording causes no disk traffic. */
static int create_private(struct lp_recording *recording, struct lp_problem *problem)
{
	const char *places[] = { "/dev/shm", getenv("TMPDIR"), "/tmp" };

	for (size_t i = 0; i < lp_array_size(places); i++)
		if (places[i] && places[i][0] == '/' &&
		    !create_private_in(recording, places[i], problem))
			return 0;
	return -1;
}

int lp_recording_create(struct lp_recording *recording, const char *facts,
			struct lp_problem *problem)
{
	*recording = (struct lp_recording){ .fd = -1 };
	if (!facts)
		return create_private(recording, problem);
	if (!create_kept(recording, facts, problem))
		return 0;
	restore(recording);
	clear(recording);
	return -1;
}

void lp_recording_commit(struct lp_recording *recording)
{
	for (size_t i = 0; i < recording->saved_count; i++)
		unlink(recording->saved[i].to);
}

void lp_recording_abandon(struct lp_recording *recording)
{
	unlink(recording->path);
	if (recording->directory)
		rmdir(recording->directory);
	restore(recording);
	clear(recording);
}

static void remove_image(const struct lp_recording *recording, uint32_t index)
{
	char *path = lp_recording_path(recording, index);

	if (path)
		unlink(path);
	free(path);
}

void lp_recording_drop(const struct lp_recording *recording, uint32_t index)
{
	if (recording->directory && index)
		remove_image(recording, index);
}

int lp_recording_finish(struct lp_recording *recording, struct lp_problem *problem)
{
	int result = 0;

	if (recording->directory) {
		uint32_t *numbers;
		int count = lp_recording_siblings(recording->path, &numbers);

		for (int i = 0; i < count; i++)
			remove_image(recording, numbers[i]);
		free(numbers);
		unlink(recording->path);
		rmdir(recording->directory);
	} else {
		result = lp_merge_images(recording->path, problem);
	}
	clear(recording);
	return result;
}

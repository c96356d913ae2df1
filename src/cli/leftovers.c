/* SPDX-License-Identifier: Apache-2.0 */
/* leftovers.c — see leftovers.h. No link is followed: anybody may write to such places. */
#include "cli/leftovers.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/proc.h"
#include "facts/layout.h"

#define SETTLED_SECONDS	60	/* younger ones may not have got their image and lock yet */

static bool is_old_and_ours(int fd)
{
	struct stat status;

	return !fstat(fd, &status) && status.st_uid == geteuid() &&
	       time(NULL) - status.st_mtime > SETTLED_SECONDS;
}

/* A supervisor holds a lock on its image as long as it lives. */
static bool is_abandoned(int directory)
{
	int fd = openat(directory, "facts", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct lp_image image;
	bool abandoned;

	if (fd < 0)
		return true;
	abandoned = !flock(fd, LOCK_EX | LOCK_NB) &&
		    pread(fd, &image, sizeof(image), 0) == (ssize_t)sizeof(image) &&
		    image.magic == LP_IMAGE_MAGIC && !lp_proc_alive((pid_t)image.claimed_pid);
	close(fd);
	return abandoned;
}

static bool is_image_name(const char *name)
{
	return !strncmp(name, "facts", 5) && name[5 + strspn(name + 5, ".0123456789")] == '\0';
}

static void remove_images(int directory)
{
	int fd = fcntl(directory, F_DUPFD_CLOEXEC, 3);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (is_image_name(entry->d_name))
			unlinkat(directory, entry->d_name, 0);
	closedir(dir);
}

static void consider(int place, const char *name)
{
	int fd = openat(place, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY);

	if (fd < 0)
		return;
	if (is_old_and_ours(fd) && is_abandoned(fd)) {
		remove_images(fd);
		unlinkat(place, name, AT_REMOVEDIR);
	}
	close(fd);
}

void lp_leftovers_remove(const char *place)
{
	DIR *dir = opendir(place);
	struct dirent *entry;
	size_t prefix = strlen(LP_PRIVATE_PREFIX);

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (!strncmp(entry->d_name, LP_PRIVATE_PREFIX, prefix) &&
		    strlen(entry->d_name) == prefix + 6)
			consider(dirfd(dir), entry->d_name);
	closedir(dir);
}

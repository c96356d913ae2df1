/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.c — find the image this process writes to.
 *
 * LOCKPROOF_FACTS names image 0, which the supervisor made. The first program that opens it claims
 * it; every further program of the tree (after an exec) makes one of its own beside it, numbered
 * from image 0. Forked children inherit their parent's mapping and never come here.
 */
#include <string.h>

#include "base/hash.h"
#include "runtime/os.h"
#include "runtime/runtime.h"

#define PATH_SIZE	1024u
#define MAP_MIN		(64ull << 10)
#define AS_MIN		(4ull << 20)	/* what a limit of the address space leaves */
#define FILES_MAX	1000000u

#ifndef MADV_DONTDUMP
#define MADV_DONTDUMP 16
#endif

/* Map as much of the file as the address space allows. */
static struct lp_image *map_file(int fd, uint64_t *size)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	lp_sys4(SYS_prlimit64, 0, RLIMIT_AS, NULL, &limit);
	/* where the program may not use much of it, we use little */
	while (limit.rlim_cur != RLIM_INFINITY && *size > AS_MIN && *size > limit.rlim_cur / 16)
		*size /= 2;
	for (; *size >= MAP_MIN; *size /= 2) {
		void *at = lp_os_map(NULL, *size, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_NORESERVE, fd);

		if (!lp_os_failed((long)at)) {
			lp_sys3(SYS_madvise, at, *size, MADV_DONTDUMP);
			return at;
		}
	}
	return NULL;
}

static bool header_fits(const struct lp_image *header, long size)
{
	return size == (long)sizeof(*header) && header->magic == LP_IMAGE_MAGIC &&
	       header->version == LP_IMAGE_VERSION && header->layout == LP_LAYOUT &&
	       header->size >= MAP_MIN;
}

static size_t append_number(char *path, size_t length, uint32_t number)
{
	char digits[10];
	size_t count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while (number /= 10);
	path[length++] = '.';
	while (count)
		path[length++] = digits[--count];
	path[length] = '\0';
	return length;
}

/* The largest file this process may make, at most `size`. */
static uint64_t file_size_limit(uint64_t size)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	lp_sys4(SYS_prlimit64, 0, RLIMIT_FSIZE, NULL, &limit);
	return limit.rlim_cur < size ? limit.rlim_cur & ~(uint64_t)4095 : size;
}

static uint32_t random_nonce(void)
{
	uint32_t nonce = 0;

	if (lp_sys3(SYS_getrandom, &nonce, sizeof(nonce), 1) != sizeof(nonce))
		nonce = (uint32_t)lp_hash64(lp_os_now_ns() ^ (uint64_t)lp_os_pid());
	return nonce;
}

/* Take a number that no file has yet: an earlier run may have left some. */
static int make_file(char *name, size_t length, struct lp_image *first, uint32_t *index)
{
	int fd;

	do {
		*index = __atomic_add_fetch(&first->next_index, 1, __ATOMIC_RELAXED);
		append_number(name, length, *index);
		fd = lp_os_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	} while (fd == -EEXIST && *index < FILES_MAX);
	return fd;
}

/* Make `path`.N for this program. */
static struct lp_image *make_image(const char *path, struct lp_image *first, uint64_t *size)
{
	char name[PATH_SIZE + 16];
	size_t length = strlen(path);
	struct lp_image *image = NULL;
	uint32_t index;
	int fd;

	memcpy(name, path, length);
	fd = make_file(name, length, first, &index);
	if (lp_os_failed(fd))
		return NULL;
	*size = file_size_limit(first->size);
	if (*size >= MAP_MIN && !lp_sys2(SYS_ftruncate, fd, *size))
		image = map_file(fd, size);
	lp_os_close(fd);
	if (image && lp_os_populate(image, LP_IMAGE_HEADER_SIZE)) {
		lp_os_unmap(image, *size);
		image = NULL;
	}
	if (!image) {
		lp_sys3(SYS_unlinkat, AT_FDCWD, name, 0);
		return NULL;
	}
	image->index = index;
	image->claimed_pid = (uint32_t)lp_os_pid();
	lp_image_init(image, *size, first->session, random_nonce(), lp_os_now_ns());
	return image;
}

static bool claim(struct lp_image *image)
{
	uint32_t nobody = 0;

	return __atomic_compare_exchange_n(&image->claimed_pid, &nobody, (uint32_t)lp_os_pid(),
					   false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

bool lp_image_open(const char *path)
{
	struct lp_writer *writer = &lp_rt.track.writer;
	struct lp_image header;
	struct lp_image *image = NULL, *own;
	uint64_t size = 0, own_size = 0;
	int fd;

	if (strlen(path) >= PATH_SIZE)
		return false;
	fd = lp_os_open(path, O_RDWR, 0);
	if (lp_os_failed(fd))
		return false;
	if (header_fits(&header, lp_os_read(fd, &header, sizeof(header)))) {
		size = header.size;
		image = map_file(fd, &size);
	}
	lp_os_close(fd);
	if (!image)
		return false;
	if (!claim(image)) {
		own = make_image(path, image, &own_size);
		lp_os_unmap(image, size);
		image = own;
		size = own_size;
	}
	writer->image = image;
	writer->size = size;
	writer->populate = lp_os_populate;
	writer->now_ns = lp_os_now_ns;
	return image != NULL;
}

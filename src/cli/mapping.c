/* SPDX-License-Identifier: Apache-2.0 */
/* mapping.c — mapped files and the SIGBUS they may raise; see mapping.h. */
#include "cli/mapping.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>

#define PAGE 4096u

static struct lp_mapping *open_mappings;	/* read by the handler */

static struct lp_mapping *find(uintptr_t address)
{
	for (struct lp_mapping *mapping = open_mappings; mapping; mapping = mapping->next)
		if (address - (uintptr_t)mapping->bytes < mapping->size)
			return mapping;
	return NULL;
}

/* Put a page of zeros where the file has none; a fault elsewhere is ours and final. */
static void on_bus_error(int signal, siginfo_t *info, void *context)
{
	int saved = errno;
	uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)(PAGE - 1);
	struct lp_mapping *mapping = find((uintptr_t)info->si_addr);

	(void)context;
	if (!mapping || mmap((void *)page, PAGE, PROT_READ,
			     MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) {
		struct sigaction action = { .sa_handler = SIG_DFL };

		sigaction(signal, &action, NULL);
		errno = saved;
		return;
	}
	mapping->damaged = true;
	errno = saved;
}

static void guard(void)
{
	struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };

	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
}

int lp_mapping_open(struct lp_mapping *mapping, int fd, size_t size)
{
	void *bytes = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);

	if (bytes == MAP_FAILED)
		return -errno;
	*mapping = (struct lp_mapping){ bytes, size, false, open_mappings };
	open_mappings = mapping;
	guard();
	return 0;
}

void lp_mapping_close(struct lp_mapping *mapping)
{
	struct lp_mapping **link = &open_mappings;

	if (!mapping->bytes)
		return;
	while (*link && *link != mapping)
		link = &(*link)->next;
	if (*link)
		*link = mapping->next;
	munmap((void *)(uintptr_t)mapping->bytes, mapping->size);
	mapping->bytes = NULL;
}

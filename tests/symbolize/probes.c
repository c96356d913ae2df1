/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probes.c — see probes.h. The program's own lock functions stand in for libc's: they lock
 * nothing and report where they were called.
 */
#include "probes.h"

#include <execinfo.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const char *names = "";

void script(const char *text)
{
	names = text;
}

static int first_object(struct dl_phdr_info *info, size_t size, void *bias)
{
	*(uintptr_t *)bias = info->dlpi_addr;
	return 1;
}

static uintptr_t elf_address(const void *address)
{
	static uintptr_t bias;

	if (!bias)
		dl_iterate_phdr(first_object, &bias);
	return (uintptr_t)address - bias;
}

extern const char __executable_start[], _end[];

static int is_own(const char *address)
{
	return address >= __executable_start && address < _end;
}

static void say(void *caller)
{
	size_t size = strcspn(names, " ");
	void *frames[32];
	int count, i = 0;

	if (!size)
		return; /* the C library's own use of a lock */
	printf("code %.*s", (int)size, names);
	names += size + strspn(names + size, " ");
	count = backtrace(frames, 32);
	while (i < count && frames[i] != caller)
		i++;
	for (; i < count && is_own(frames[i]); i++)
		printf(" %lx", (unsigned long)elf_address(frames[i]));
	putchar('\n');
}

void probe(void)
{
	say(__builtin_return_address(0));
}

void probe_data(const char *name, const char *base, const void *base_at, const void *at)
{
	printf("data %s %s %lx %lx\n", name, base,
	       (unsigned long)((const char *)at - (const char *)base_at),
	       (unsigned long)elf_address(at));
}

void probe_entry(const char *name, void (*function)(void))
{
	printf("entry %s %lx\n", name, (unsigned long)elf_address((void *)(uintptr_t)function));
}

#define STAND_IN(...) \
	int __VA_ARGS__ \
	{ \
		say(__builtin_return_address(0)); \
		return 0; \
	}

STAND_IN(pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *a))
STAND_IN(pthread_mutex_lock(pthread_mutex_t *m))
STAND_IN(pthread_mutex_trylock(pthread_mutex_t *m))
STAND_IN(pthread_rwlock_wrlock(pthread_rwlock_t *l))
STAND_IN(pthread_rwlock_rdlock(pthread_rwlock_t *l))
STAND_IN(pthread_spin_init(pthread_spinlock_t *l, int shared))

int pthread_mutex_unlock(pthread_mutex_t *m)
{
	return 0;
}

int pthread_rwlock_unlock(pthread_rwlock_t *l)
{
	return 0;
}

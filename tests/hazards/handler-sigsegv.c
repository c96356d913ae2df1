/* SPDX-License-Identifier: Apache-2.0 */
/* handler-sigsegv.c — a handler of SIGSEGV takes a mutex that any code may hold. */
#include "hazard.h"
#include <sys/mman.h>

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static char *page;

static void on_fault(int unused)
{
	(void)unused;
	UNLESS_SAFE(pthread_mutex_lock(&table_lock));
	UNLESS_SAFE(pthread_mutex_unlock(&table_lock));
	if (mprotect(page, 4096, PROT_READ | PROT_WRITE))
		_exit(98);
}

int main(void)
{
	page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	hz_must(page == MAP_FAILED, "mmap");
	hz_on(SIGSEGV, on_fault, 0, 0);
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
	*(volatile char *)page = 1;	/* faults, and is tried again when the page is there */
	return hz_done();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* os.c — the longer half of os.h. */
#include "runtime/os.h"

#include <errno.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

uint64_t lp_os_now_ns(void)
{
	struct timespec now = { 0, 0 };

	lp_sys2(SYS_clock_gettime, CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

int lp_os_populate(void *from, unsigned long size)
{
	long result;

	do
		result = lp_sys3(SYS_madvise, from, size, MADV_POPULATE_WRITE);
	while (result == -EINTR || result == -EAGAIN);
	return (int)-result;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * os.h — what the runtime asks of the kernel, without libc in between.
 *
 * libc's wrappers set errno, may be cancellation points and may be interposed by the program; the
 * runtime must not be seen. Each function returns a result or a negative errno value. x86-64.
 */
#ifndef LP_RUNTIME_OS_H
#define LP_RUNTIME_OS_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

static inline long lp_sys6(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

#define lp_sys0(n)		lp_sys6(n, 0, 0, 0, 0, 0, 0)
#define lp_sys1(n, a)		lp_sys6(n, (long)(a), 0, 0, 0, 0, 0)
#define lp_sys2(n, a, b)	lp_sys6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define lp_sys3(n, a, b, c)	lp_sys6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define lp_sys4(n, a, b, c, d)	lp_sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

static inline int lp_os_failed(long result)
{
	return (unsigned long)result > -4096ul;
}

static inline int lp_os_open(const char *path, int flags, int mode)
{
	return (int)lp_sys4(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, mode);
}

static inline int lp_os_close(int fd)
{
	return (int)lp_sys1(SYS_close, fd);
}

static inline long lp_os_read(int fd, void *buffer, unsigned long size)
{
	return lp_sys3(SYS_read, fd, buffer, size);
}

static inline void *lp_os_map(void *at, unsigned long size, int protection, int flags, int fd)
{
	return (void *)lp_sys6(SYS_mmap, (long)at, (long)size, protection, flags, fd, 0);
}

static inline int lp_os_unmap(void *at, unsigned long size)
{
	return (int)lp_sys2(SYS_munmap, at, size);
}

static inline int lp_os_pid(void)
{
	return (int)lp_sys0(SYS_getpid);
}

static inline int lp_os_tid(void)
{
	return (int)lp_sys0(SYS_gettid);
}

/* Private zeroed memory, or NULL. */
static inline void *lp_os_memory(unsigned long size)
{
	void *at = lp_os_map(NULL, size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);

	return lp_os_failed((long)at) ? NULL : at;
}

uint64_t lp_os_now_ns(void);

/*
 * Back a range of a shared file mapping with storage. 0 or a positive errno value. Never raises
 * SIGBUS, which a plain store into a full file system would. EINVAL: Linux before 5.14.
 */
int lp_os_populate(void *from, unsigned long size);

/* Can the 8 bytes at `at` be read? Asked of the kernel, so a wrong pointer does no harm. */
static inline int lp_os_readable(const void *at)
{
	/* the mask is copied in before the operation, which does not exist, is refused */
	return lp_sys4(SYS_rt_sigprocmask, ~0l, at, NULL, 8) != -EFAULT;
}

#endif

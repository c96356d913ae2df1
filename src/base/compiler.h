/* SPDX-License-Identifier: Apache-2.0 */
/* compiler.h — short names for what the compiler offers. Usable everywhere. */
#ifndef LP_BASE_COMPILER_H
#define LP_BASE_COMPILER_H

#define lp_likely(x)	__builtin_expect(!!(x), 1)
#define lp_unlikely(x)	__builtin_expect(!!(x), 0)
#define LP_COLD		__attribute__((cold, noinline))
#define LP_PUBLIC	__attribute__((visibility("default")))
#define LP_PRINTF(f, a)	__attribute__((format(printf, f, a)))

#define lp_array_size(a) (sizeof(a) / sizeof((a)[0]))

#endif

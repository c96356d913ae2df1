/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probes.h — a target program tells where it is, so that the test can ask the symbolizer.
 *
 * Lines on standard output, addresses as ELF addresses in hexadecimal:
 *   code NAME ADDRESS...		return addresses, innermost first
 *   data NAME BASE DELTA ADDRESS	the object BASE plus DELTA, called NAME
 *   entry NAME ADDRESS			the first byte of function NAME
 */
#ifndef LP_TESTS_SYMBOLIZE_PROBES_H
#define LP_TESTS_SYMBOLIZE_PROBES_H

#include <pthread.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The names, apart by blanks, of the next probes: calls of probe() or of a lock function. */
void script(const char *names);
void probe(void);
void probe_data(const char *name, const char *base, const void *base_at, const void *at);
void probe_entry(const char *name, void (*function)(void));

#ifdef __cplusplus
}
#endif

#define NOINLINE	__attribute__((noinline))
#define ALWAYS_INLINE	inline __attribute__((always_inline))
#define DATA(object, base) probe_data(#object, #base, &base, &object)
/* keeps a call from becoming a jump: a jump leaves no return address */
#define AFTER()		__asm__ volatile("" ::: "memory")

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lockproof.h — what a program can ask of Lockproof. C and C++; no library to link with: outside
 * `lockproof run` everything here is a no-op.
 */
#ifndef LOCKPROOF_H
#define LOCKPROOF_H

#ifdef __cplusplus
extern "C" {
#endif

/* Provided by the library that `lockproof run` loads; NULL without it. */
extern int lockproof_runtime_running(void) __attribute__((weak));

/*
 * Is this process being validated? 1: yes; 0: no, or recording has stopped. Any thread, signal
 * handlers too.
 */
static inline int lockproof_running(void)
{
	return lockproof_runtime_running ? lockproof_runtime_running() : 0;
}

#ifdef __cplusplus
}
#endif

#endif

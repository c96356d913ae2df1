/* SPDX-License-Identifier: Apache-2.0 */
/* proc.h — what /proc tells about other processes. */
#ifndef LP_CLI_PROC_H
#define LP_CLI_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Wait for a child to end and forget its status. */
void lp_proc_reap(pid_t pid);

/* The parent, or 0 when there is no such process. */
pid_t lp_proc_parent(pid_t pid);

/* Does the process exist and run (a zombie does not)? */
bool lp_proc_alive(pid_t pid);

#define LP_PROC_THREAD_SIZE	4096u	/* of libc's descriptor, in which a thread is waited for */

/*
 * Is the thread asleep in a futex inside the `size` bytes at `object`? Where the kernel does not
 * tell system calls to us, being asleep is taken for an answer.
 */
bool lp_proc_in_futex(pid_t pid, pid_t tid, uint64_t object, uint64_t size);

/*
 * How often the thread has gone to sleep, if it sleeps in a futex until another thread of its
 * process wakes it; else 0. A futex that others may wake counts in the `size` bytes at `shared`
 * only (0: none does).
 */
uint64_t lp_proc_sleeps(pid_t pid, pid_t tid, uint64_t shared, uint64_t size);

/* Its threads, as the kernel counts them; 0: it does not tell. */
size_t lp_proc_thread_count(pid_t pid);

/* Could a signal make the process run code? Not those that its own code causes; true when unknown. */
bool lp_proc_has_handlers(pid_t pid);

/* Does the thread run, or could it? */
bool lp_proc_running(pid_t pid, pid_t tid);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hooks.h — every function that the runtime stands in for: one row each.
 *
 * H(result, name, version, (arguments)): `version` is the symbol version of the implementation
 * that programs of today are linked to, where libc keeps an older one under the same name; else
 * NULL. The hook itself is defined in hook_*.c under the same name. A function that the C library
 * lacks stays NULL here and is not called by anybody either. Functions that take a lock inside libc
 * have their rows in libc.h.
 */
#ifndef LP_RUNTIME_HOOKS_H
#define LP_RUNTIME_HOOKS_H

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/types.h>
#include <threads.h>
#include <time.h>
#include <ucontext.h>

typedef void *lp_thread_fn(void *);
typedef void lp_signal_fn(int);

#define LP_HOOKS(H) \
	H(int, pthread_mutex_init, NULL, (pthread_mutex_t *, const pthread_mutexattr_t *)) \
	H(int, pthread_mutex_destroy, NULL, (pthread_mutex_t *)) \
	H(int, pthread_mutex_lock, NULL, (pthread_mutex_t *)) \
	H(int, pthread_mutex_trylock, NULL, (pthread_mutex_t *)) \
	H(int, pthread_mutex_timedlock, NULL, (pthread_mutex_t *, const struct timespec *)) \
	H(int, pthread_mutex_clocklock, NULL, \
	  (pthread_mutex_t *, clockid_t, const struct timespec *)) \
	H(int, pthread_mutex_unlock, NULL, (pthread_mutex_t *)) \
	H(int, mtx_init, NULL, (mtx_t *, int)) \
	H(void, mtx_destroy, NULL, (mtx_t *)) \
	H(int, mtx_lock, NULL, (mtx_t *)) \
	H(int, mtx_trylock, NULL, (mtx_t *)) \
	H(int, mtx_timedlock, NULL, (mtx_t *, const struct timespec *)) \
	H(int, mtx_unlock, NULL, (mtx_t *)) \
	H(int, pthread_rwlock_init, NULL, (pthread_rwlock_t *, const pthread_rwlockattr_t *)) \
	H(int, pthread_rwlock_destroy, NULL, (pthread_rwlock_t *)) \
	H(int, pthread_rwlock_rdlock, NULL, (pthread_rwlock_t *)) \
	H(int, pthread_rwlock_wrlock, NULL, (pthread_rwlock_t *)) \
	H(int, pthread_rwlock_tryrdlock, NULL, (pthread_rwlock_t *)) \
	H(int, pthread_rwlock_trywrlock, NULL, (pthread_rwlock_t *)) \
	H(int, pthread_rwlock_timedrdlock, NULL, (pthread_rwlock_t *, const struct timespec *)) \
	H(int, pthread_rwlock_timedwrlock, NULL, (pthread_rwlock_t *, const struct timespec *)) \
	H(int, pthread_rwlock_clockrdlock, NULL, \
	  (pthread_rwlock_t *, clockid_t, const struct timespec *)) \
	H(int, pthread_rwlock_clockwrlock, NULL, \
	  (pthread_rwlock_t *, clockid_t, const struct timespec *)) \
	H(int, pthread_rwlock_unlock, NULL, (pthread_rwlock_t *)) \
	H(int, pthread_spin_init, NULL, (pthread_spinlock_t *, int)) \
	H(int, pthread_spin_destroy, NULL, (pthread_spinlock_t *)) \
	H(int, pthread_spin_lock, NULL, (pthread_spinlock_t *)) \
	H(int, pthread_spin_trylock, NULL, (pthread_spinlock_t *)) \
	H(int, pthread_spin_unlock, NULL, (pthread_spinlock_t *)) \
	H(int, pthread_cond_wait, "GLIBC_2.3.2", (pthread_cond_t *, pthread_mutex_t *)) \
	H(int, pthread_cond_timedwait, "GLIBC_2.3.2", \
	  (pthread_cond_t *, pthread_mutex_t *, const struct timespec *)) \
	H(int, pthread_cond_clockwait, NULL, \
	  (pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *)) \
	H(int, pthread_cond_signal, "GLIBC_2.3.2", (pthread_cond_t *)) \
	H(int, pthread_cond_broadcast, "GLIBC_2.3.2", (pthread_cond_t *)) \
	H(int, cnd_signal, NULL, (cnd_t *)) \
	H(int, cnd_broadcast, NULL, (cnd_t *)) \
	H(int, sem_init, NULL, (sem_t *, int, unsigned)) \
	H(int, sem_destroy, NULL, (sem_t *)) \
	H(int, sem_wait, NULL, (sem_t *)) \
	H(int, sem_trywait, NULL, (sem_t *)) \
	H(int, sem_timedwait, NULL, (sem_t *, const struct timespec *)) \
	H(int, sem_clockwait, NULL, (sem_t *, clockid_t, const struct timespec *)) \
	H(int, sem_post, NULL, (sem_t *)) \
	H(sem_t *, sem_open, NULL, (const char *, int, ...)) \
	H(int, sem_close, NULL, (sem_t *)) \
	H(int, pthread_once, NULL, (pthread_once_t *, void (*)(void))) \
	H(void, call_once, NULL, (once_flag *, void (*)(void))) \
	H(int, cnd_wait, NULL, (cnd_t *, mtx_t *)) \
	H(int, cnd_timedwait, NULL, (cnd_t *, mtx_t *, const struct timespec *)) \
	H(int, pthread_create, NULL, \
	  (pthread_t *, const pthread_attr_t *, lp_thread_fn *, void *)) \
	H(int, pthread_join, NULL, (pthread_t, void **)) \
	H(int, pthread_tryjoin_np, NULL, (pthread_t, void **)) \
	H(int, pthread_timedjoin_np, NULL, (pthread_t, void **, const struct timespec *)) \
	H(int, pthread_clockjoin_np, NULL, \
	  (pthread_t, void **, clockid_t, const struct timespec *)) \
	H(int, pthread_setname_np, NULL, (pthread_t, const char *)) \
	H(int, thrd_create, NULL, (thrd_t *, thrd_start_t, void *)) \
	H(int, thrd_join, NULL, (thrd_t, int *)) \
	H(int, sigaction, NULL, (int, const struct sigaction *, struct sigaction *)) \
	H(lp_signal_fn *, signal, NULL, (int, lp_signal_fn *)) \
	H(lp_signal_fn *, bsd_signal, NULL, (int, lp_signal_fn *)) \
	H(lp_signal_fn *, ssignal, NULL, (int, lp_signal_fn *)) \
	H(lp_signal_fn *, sysv_signal, NULL, (int, lp_signal_fn *)) \
	H(lp_signal_fn *, __sysv_signal, NULL, (int, lp_signal_fn *)) \
	H(lp_signal_fn *, sigset, NULL, (int, lp_signal_fn *)) \
	H(int, sigignore, NULL, (int)) \
	H(int, pthread_sigmask, "GLIBC_2.32", (int, const sigset_t *, sigset_t *)) \
	H(int, sigprocmask, NULL, (int, const sigset_t *, sigset_t *)) \
	H(int, sigblock, NULL, (int)) \
	H(int, sigsetmask, NULL, (int)) \
	H(int, sighold, NULL, (int)) \
	H(int, sigrelse, NULL, (int)) \
	H(int, sigsuspend, NULL, (const sigset_t *)) \
	H(int, sigpause, NULL, (int)) \
	H(int, __xpg_sigpause, NULL, (int)) \
	H(int, ppoll, NULL, \
	  (struct pollfd *, nfds_t, const struct timespec *, const sigset_t *)) \
	H(int, __ppoll_chk, NULL, \
	  (struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t)) \
	H(int, pselect, NULL, \
	  (int, fd_set *, fd_set *, fd_set *, const struct timespec *, const sigset_t *)) \
	H(int, epoll_pwait, NULL, (int, struct epoll_event *, int, int, const sigset_t *)) \
	H(int, epoll_pwait2, NULL, \
	  (int, struct epoll_event *, int, const struct timespec *, const sigset_t *)) \
	H(void, longjmp, NULL, (struct __jmp_buf_tag *, int)) \
	H(void, _longjmp, NULL, (struct __jmp_buf_tag *, int)) \
	H(void, siglongjmp, NULL, (struct __jmp_buf_tag *, int)) \
	H(void, __longjmp_chk, NULL, (struct __jmp_buf_tag *, int)) \
	H(int, setcontext, NULL, (const ucontext_t *)) \
	H(int, swapcontext, NULL, (ucontext_t *, const ucontext_t *)) \
	H(pid_t, _Fork, NULL, (void)) \
	H(pid_t, vfork, NULL, (void)) \
	H(int, execve, NULL, (const char *, char *const *, char *const *)) \
	H(int, execvpe, NULL, (const char *, char *const *, char *const *)) \
	H(int, fexecve, NULL, (int, char *const *, char *const *)) \
	H(int, execveat, NULL, (int, const char *, char *const *, char *const *, int)) \
	H(int, posix_spawn, "GLIBC_2.15", \
	  (pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, \
	   char *const *, char *const *)) \
	H(int, posix_spawnp, "GLIBC_2.15", \
	  (pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, \
	   char *const *, char *const *)) \
	H(int, mlockall, NULL, (int))

struct lp_real {
#define H(result, name, version, arguments) result (*name) arguments;
	LP_HOOKS(H)
#undef H
};

/* The C library's own functions. Set before any slot exists. */
extern struct lp_real lp_real __attribute__((visibility("hidden")));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hooks.h — every function that the runtime stands in for: one row each.
 *
 * H(result, name, version, (arguments)): `version` is the symbol version of the implementation
 * that programs of today are linked to, where libc keeps an older one under the same name; else
 * NULL. The hook itself is defined in hook_*.c under the same name. A function that the C library
 * lacks stays NULL here and is not called by anybody either.
 */
#ifndef LP_RUNTIME_HOOKS_H
#define LP_RUNTIME_HOOKS_H

#include <pthread.h>
#include <spawn.h>
#include <sys/types.h>
#include <threads.h>
#include <time.h>

typedef void *lp_thread_fn(void *);

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
	H(pid_t, _Fork, NULL, (void)) \
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
	H(int, dlclose, NULL, (void *)) \
	H(int, mlockall, NULL, (int))

struct lp_real {
#define H(result, name, version, arguments) result (*name) arguments;
	LP_HOOKS(H)
#undef H
};

/* The C library's own functions. Set before any slot exists. */
extern struct lp_real lp_real __attribute__((visibility("hidden")));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wrapper.c — functions that only pass a lock on: not the place where it is made or taken.
 *
 * A name is brought into a plain form first: no return type, template arguments, parameters,
 * inline namespaces ("int std::__1::try_lock<A, B>(A&, B&)" is "std::try_lock"). The table has
 * the plain forms.
 */
#include <stddef.h>
#include <string.h>

#include "base/compiler.h"
#include "cli/wrapper.h"

#define PLAIN_SIZE 256	/* longer names are none of these */

/* A name that ends in '*' stands for all that start like it. */
static const char *const wrappers[] = {
	/* lockproof.h */
	"lockproof_*",

	/* C and POSIX, as inlined or wrapped by the C library */
	"mtx_init", "mtx_lock", "mtx_trylock", "mtx_timedlock", "mtx_unlock", "mtx_destroy",
	"pthread_mutex_*", "pthread_rwlock_*", "pthread_spin_*", "pthread_cond_wait",
	"pthread_cond_timedwait", "pthread_cond_clockwait", "cnd_wait", "cnd_timedwait",
	"__pthread_mutex_*", "___pthread_mutex_*", "__pthread_rwlock_*", "___pthread_rwlock_*",

	/* libgcc's and libstdc++'s layer below the C++ classes */
	"__gthread_*", "__gthrw_*", "__gnu_cxx::__mutex::*", "__gnu_cxx::__recursive_mutex::*",
	"__gnu_cxx::__scoped_lock::*",

	/* the C++ library */
	"std::mutex::*", "std::recursive_mutex::*", "std::timed_mutex::*",
	"std::recursive_timed_mutex::*", "std::shared_mutex::*", "std::shared_timed_mutex::*",
	"std::__mutex_base::*", "std::__recursive_mutex_base::*", "std::__timed_mutex_impl::*",
	"std::__shared_mutex_*", "std::__shared_timed_mutex_base::*",
	"std::__glibcxx_rwlock_*", "std::__condvar::*",
	"std::lock_guard::*", "std::unique_lock::*", "std::scoped_lock::*", "std::shared_lock::*",
	"std::lock", "std::try_lock", "std::__try_to_lock", "std::__lock_first",
	"std::__detail::__lock_*", "std::__detail::__try_lock_*", "std::__unlock_impl",
	"std::__try_lock_impl::*", "std::__lock_external_mutex::*", "std::_Mutex_base::*",
	"std::condition_variable::wait*", "std::condition_variable_any::*",
	"std::thread::*", "std::jthread::*",

	/* libraries that many programs lock through */
	"g_mutex_*", "g_rec_mutex_*", "g_rw_lock_*", "g_static_mutex_*", "g_cond_wait*",
	"g_mutex_locker_new",
	"uv_mutex_*", "uv_rwlock_*", "uv_cond_wait", "uv_cond_timedwait",
	"apr_thread_mutex_*", "apr_thread_rwlock_*",
	"CRYPTO_THREAD_lock_new", "CRYPTO_THREAD_read_lock", "CRYPTO_THREAD_write_lock",
	"CRYPTO_THREAD_unlock",
	"SDL_CreateMutex", "SDL_LockMutex", "SDL_mutexP", "SDL_TryLockMutex", "SDL_UnlockMutex",
	"boost::mutex::*", "boost::recursive_mutex::*", "boost::timed_mutex::*",
	"boost::shared_mutex::*", "boost::unique_lock::*", "boost::shared_lock::*",
	"boost::lock_guard::*", "boost::condition_variable::wait",
};

static const char *const inline_namespaces[] = { "__1::", "_V2::", "__cxx11::", "__ndk1::" };

/*
 * Copy the part of `function` that names it: up to its parameters or a compiler's " [clone",
 * without what stands in angle brackets, from behind the last blank (that ends a return type).
 * False: too long.
 */
static bool copy_name(const char *function, char *plain)
{
	size_t size = 0, depth = 0;

	for (const char *at = function; *at; at++) {
		if (!depth && ((*at == '(' && size) || !strncmp(at, " [", 2)))
			break;
		if (*at == '<') {
			depth++;
		} else if (*at == '>') {
			if (depth)
				depth--;
		} else if (!depth && *at == ' ') {
			size = 0;
		} else if (!depth) {
			if (size + 1 >= PLAIN_SIZE)
				return false;
			plain[size++] = *at;
		}
	}
	plain[size] = '\0';
	return true;
}

static void drop_inline_namespaces(char *plain)
{
	for (size_t i = 0; i < lp_array_size(inline_namespaces); i++) {
		size_t length = strlen(inline_namespaces[i]);
		char *at;

		while ((at = strstr(plain, inline_namespaces[i])))
			memmove(at, at + length, strlen(at + length) + 1);
	}
}

static bool matches(const char *pattern, const char *plain)
{
	size_t length = strlen(pattern);

	if (pattern[length - 1] == '*')
		return !strncmp(pattern, plain, length - 1);
	return !strcmp(pattern, plain);
}

bool lp_wrapper_function(const char *function)
{
	char plain[PLAIN_SIZE];

	if (!copy_name(function, plain))
		return false;
	drop_inline_namespaces(plain);
	for (size_t i = 0; i < lp_array_size(wrappers); i++) {
		if (matches(wrappers[i], plain))
			return true;
	}
	return false;
}

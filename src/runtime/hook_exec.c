/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_exec.c — the programs that this one starts are validated too.
 *
 * The two variables that make it so are inherited like any others. A program that hands its child
 * an environment of its own making leaves them out: then they are added to what the child gets.
 * Everything is built on the caller's stack, because between vfork and exec nothing else may be
 * touched. system() and popen() use the program's environment as it is.
 */
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "runtime/os.h"
#include "runtime/runtime.h"

#define VALUE_SIZE	4096u

static char preload[VALUE_SIZE];	/* "LD_PRELOAD=/path/liblockproof.so"; empty: do nothing */
static size_t preload_length;
static char facts[VALUE_SIZE];		/* "LOCKPROOF_FACTS=..." */

static bool set_text(char *to, const char *name, const char *value)
{
	size_t length = strlen(name);

	if (length + strlen(value) >= VALUE_SIZE)
		return false;
	memcpy(to, name, length);
	strcpy(to + length, value);
	return true;
}

void lp_exec_init(const char *library, const char *facts_path)
{
	if (!set_text(facts, "LOCKPROOF_FACTS=", facts_path) ||
	    !set_text(preload, "LD_PRELOAD=", library))
		preload[0] = '\0';
	preload_length = strlen(preload);
}

static char **find(char *const *environment, const char *name, size_t length)
{
	for (; environment && *environment; environment++)
		if (!strncmp(*environment, name, length))
			return (char **)environment;
	return NULL;
}

/* The environment lacks something: how many entries would it have with all in it? Else 0. */
static size_t entries_needed(char *const *environment)
{
	char **has_preload;
	size_t count = 0;

	if (!preload[0] || (environment && !lp_os_readable(environment)))
		return 0;	/* nothing to add, or for the kernel to refuse */
	has_preload = find(environment, "LD_PRELOAD=", 11);
	if (has_preload && preload_length + strlen(*has_preload) + 2 > VALUE_SIZE)
		return 0;
	if (has_preload && strstr(*has_preload, preload + 11) &&
	    find(environment, "LOCKPROOF_FACTS=", 16))
		return 0;
	while (environment && environment[count])
		count++;
	return count + 3;
}

/* `value` has room for VALUE_SIZE bytes. */
static void complete(char *const *environment, char **to, char *value)
{
	size_t count = 0, have;

	for (; environment && *environment; environment++) {
		if (!strncmp(*environment, "LOCKPROOF_FACTS=", 16))
			continue;
		if (strncmp(*environment, "LD_PRELOAD=", 11)) {
			to[count++] = *environment;
			continue;
		}
		have = strlen(*environment + 11);
		memcpy(value + preload_length + 1, *environment + 11, have);
		value[preload_length] = have ? ':' : '\0';
		value[preload_length + 1 + have] = '\0';
	}
	to[count++] = value;
	to[count++] = facts;
	to[count] = NULL;
}

/* Run `call` with `environment` completed. */
#define WITH_ENVIRONMENT(environment, call) do { \
	size_t needed_ = (lp_slot(), entries_needed(environment)); \
	if (needed_) { \
		char **completed_ = __builtin_alloca(needed_ * sizeof(char *)); \
		char *value_ = __builtin_alloca(VALUE_SIZE); \
		memcpy(value_, preload, preload_length + 1); \
		complete(environment, completed_, value_); \
		environment = completed_; \
	} \
	return call; \
} while (0)

LP_PUBLIC int execve(const char *path, char *const arguments[], char *const environment[])
{
	WITH_ENVIRONMENT(environment, lp_real.execve(path, arguments, environment));
}

LP_PUBLIC int execvpe(const char *file, char *const arguments[], char *const environment[])
{
	WITH_ENVIRONMENT(environment, lp_real.execvpe(file, arguments, environment));
}

LP_PUBLIC int fexecve(int fd, char *const arguments[], char *const environment[])
{
	WITH_ENVIRONMENT(environment, lp_real.fexecve(fd, arguments, environment));
}

LP_PUBLIC int execveat(int fd, const char *path, char *const arguments[],
		       char *const environment[], int flags)
{
	WITH_ENVIRONMENT(environment, lp_real.execveat(fd, path, arguments, environment, flags));
}

LP_PUBLIC int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
			  const posix_spawnattr_t *attributes, char *const arguments[],
			  char *const environment[])
{
	WITH_ENVIRONMENT(environment, lp_real.posix_spawn(pid, path, actions, attributes,
							  arguments, environment));
}

LP_PUBLIC int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
			   const posix_spawnattr_t *attributes, char *const arguments[],
			   char *const environment[])
{
	WITH_ENVIRONMENT(environment, lp_real.posix_spawnp(pid, file, actions, attributes,
							   arguments, environment));
}

LP_PUBLIC int execv(const char *path, char *const arguments[])
{
	return execve(path, arguments, environ);
}

LP_PUBLIC int execvp(const char *file, char *const arguments[])
{
	return execvpe(file, arguments, environ);
}

/* The words of a variable argument list up to the NULL, and what stands behind it. */
#define COLLECT(first, arguments, more) \
	va_list list_; \
	size_t count_ = 1; \
	va_start(list_, first); \
	while (va_arg(list_, char *)) \
		count_++; \
	va_end(list_); \
	char **arguments = __builtin_alloca((count_ + 1) * sizeof(char *)); \
	va_start(list_, first); \
	arguments[0] = (char *)first; \
	for (size_t i_ = 1; i_ <= count_; i_++) \
		arguments[i_] = va_arg(list_, char *); \
	more; \
	va_end(list_)

LP_PUBLIC int execl(const char *path, const char *first, ...)
{
	COLLECT(first, arguments, (void)0);
	return execve(path, arguments, environ);
}

LP_PUBLIC int execlp(const char *file, const char *first, ...)
{
	COLLECT(first, arguments, (void)0);
	return execvpe(file, arguments, environ);
}

LP_PUBLIC int execle(const char *path, const char *first, ...)
{
	char *const *environment;

	COLLECT(first, arguments, environment = va_arg(list_, char *const *));
	return execve(path, arguments, environment);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start.c — waking up inside a program.
 *
 * The library is linked with -z initfirst, so its constructor comes before every other; a hook
 * called earlier still (by a resolver, say) starts it as well. Nothing here fails loudly: without
 * an image every hook passes through.
 */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "runtime/libc.h"
#include "runtime/os.h"
#include "runtime/runtime.h"

struct lp_real lp_real;
struct lp_runtime lp_rt;
uint32_t lp_nonce;
uint32_t lp_nonce_other;
uint64_t lp_generation;

enum { NOT_STARTED, STARTING, RESOLVED, STARTED };
static int state;

void lp_bump_generation(void)
{
	/* odd multiples keep the low and high bits moving */
	__atomic_fetch_add(&lp_generation, 0x9e3779b97f4a7c15ULL, __ATOMIC_RELEASE);
}

static void resolve_real_functions(void)
{
#define H(result, name, version, arguments) do { \
	const char *wanted = version; \
	void *found = wanted ? dlvsym(RTLD_NEXT, #name, wanted) : NULL; \
	if (!found) \
		found = dlsym(RTLD_NEXT, #name); \
	memcpy(&lp_real.name, &found, sizeof(found)); \
} while (0);
	/* malloc's first: a look-up that fails frees the message of one before it */
	lp_libc_resolve();
	LP_HOOKS(H)
#undef H
	lp_guards_resolve();
}

static const char *environment_value(char **environment, const char *name)
{
	size_t length = strlen(name);

	for (; environment && *environment; environment++)
		if (!strncmp(*environment, name, length) && (*environment)[length] == '=')
			return *environment + length + 1;
	return NULL;
}

/* The words of a lock that tags live in must be left alone by this C library. */
static bool locks_keep_tags(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
	struct lp_home m = lp_home_of_mutex(&mutex);
	struct lp_home r = lp_home_of_rwlock(&rwlock);
	const uint64_t mark = 0x123456789abcdef0;
	bool clean = !*m.word && !*m.serial && !*r.word && !*r.serial;

	*m.word = *m.serial = *r.word = *r.serial = mark;
	lp_real.pthread_mutex_lock(&mutex);
	lp_real.pthread_mutex_unlock(&mutex);
	lp_real.pthread_rwlock_rdlock(&rwlock);
	lp_real.pthread_rwlock_unlock(&rwlock);
	lp_real.pthread_rwlock_wrlock(&rwlock);
	lp_real.pthread_rwlock_unlock(&rwlock);
	return clean && *m.word == mark && *m.serial == mark && *r.word == mark &&
	       *r.serial == mark;
}

/* Read the argument vector as the kernel has it: NUL between the words. */
static size_t read_arguments(char *buffer, size_t size)
{
	int fd = lp_os_open("/proc/self/cmdline", O_RDONLY, 0);
	long got;

	if (lp_os_failed(fd))
		return 0;
	got = lp_os_read(fd, buffer, size);
	lp_os_close(fd);
	return got > 0 ? (size_t)got : 0;
}

#define STACK_SIZE_USUAL (8ull << 20)

/* How far the main thread's stack may reach down. */
static uint64_t main_stack_size(void)
{
	struct rlimit limit = { STACK_SIZE_USUAL, STACK_SIZE_USUAL };

	lp_sys4(SYS_prlimit64, 0, RLIMIT_STACK, NULL, &limit);
	return limit.rlim_cur < STACK_SIZE_USUAL ? limit.rlim_cur : STACK_SIZE_USUAL;
}

static uint64_t default_stack_size(void)
{
	pthread_attr_t attributes;
	size_t size = 0;

	if (!pthread_getattr_default_np(&attributes)) {
		pthread_attr_getstacksize(&attributes, &size);
		pthread_attr_destroy(&attributes);
	}
	return size;
}

static void begin_recording(void)
{
	struct lp_writer *writer = &lp_rt.track.writer;
	char arguments[512];
	size_t size = read_arguments(arguments, sizeof(arguments));
	struct lp_rec_slot *slot;

	lp_rt.track.ops = &lp_track_ops;
	lp_place_init();
	if (!locks_keep_tags()) {
		lp_writer_stop(writer, LP_STOP_UNSUPPORTED, 0);
		return;
	}
	lp_rt.pid_space = lp_pid_space();
	lp_rt.stack_size = default_stack_size();
	lp_nonce = writer->image->nonce;
	lp_nonce_other = ~lp_nonce;
	lp_rt.process = lp_process_record(0, 0, lp_place_exe(), arguments, size);
	if (!lp_rt.process)
		return;
	lp_thread_init();
	lp_signal_init();
	slot = lp_slot_new(lp_thread_record(0, 0, 0, false));
	if (slot)
		lp_thread_begin(slot);
}

void lp_start(char **environment)
{
	int from = NOT_STARTED;
	int saved = errno;
	const char *path;

	if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) == STARTED)
		return;
	if (__atomic_compare_exchange_n(&state, &from, STARTING, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE)) {
		resolve_real_functions();
		__atomic_store_n(&state, RESOLVED, __ATOMIC_RELEASE);
	}
	from = RESOLVED;
	if (!environment)
		environment = environ;		/* NULL before libc has started */
	if (environment && __atomic_compare_exchange_n(&state, &from, STARTED, false,
						       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		path = environment_value(environment, "LOCKPROOF_FACTS");
		/* the environment lies above the first frame of the main thread */
		lp_self.stack_end = (uintptr_t)environment;
		lp_self.stack_start = lp_self.stack_end - main_stack_size();
		if (path && lp_image_open(path)) {
			begin_recording();
			lp_exec_init(lp_place_library(), path);
		}
	}
	errno = saved;
}

__attribute__((constructor)) static void constructor(int count, char **arguments,
						      char **environment)
{
	lp_start(environment);
}

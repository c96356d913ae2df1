/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dlopen-under-lock.c — a library is loaded under a mutex that the constructor of a library takes.
 */
#include "hazard.h"
#include <dlfcn.h>

/* The constructor of hazard-plugin takes it. */
pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;

static void *load(void *unused)
{
	hz_must(!dlopen(HZ_PLUGIN, RTLD_NOW), "dlopen");
	hz_reach(1);
	hz_await(HZ_END);
	return unused;
}

int main(void)
{
	pthread_t loader = hz_start(load);

	hz_await(1);
	IF_SAFE(hz_must(!dlopen(HZ_PLUGIN, RTLD_NOW), "dlopen"));
	pthread_mutex_lock(&registry_lock);
	/* the library is there already, so its constructor does not run again */
	UNLESS_SAFE(hz_must(!dlopen(HZ_PLUGIN, RTLD_NOW), "dlopen"));
	pthread_mutex_unlock(&registry_lock);
	hz_finish(loader);
	return hz_done();
}

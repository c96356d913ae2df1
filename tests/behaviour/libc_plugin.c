/* SPDX-License-Identifier: Apache-2.0 */
/* libc_plugin.c — an object whose constructor takes a lock of the program that loads it. */
#include <pthread.h>

extern pthread_mutex_t registry;

__attribute__((constructor)) static void enter(void)
{
	pthread_mutex_lock(&registry);			/* MARK plugin-registry */
	pthread_mutex_unlock(&registry);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* hazard-plugin.c — a library whose constructor enters it somewhere, under the program's mutex. */
#include <pthread.h>

extern pthread_mutex_t registry_lock;
static int entered;

__attribute__((constructor))
static void enter_plugin(void)
{
	pthread_mutex_lock(&registry_lock);
	entered = 1;
	pthread_mutex_unlock(&registry_lock);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* once-recursion.c — the routine of once waits for its own end. */
#include "hazard.h"

static pthread_once_t ready = PTHREAD_ONCE_INIT;

static void initialise(void)
{
	UNLESS_SAFE(pthread_once(&ready, initialise));
}

int main(void)
{
	pthread_once(&ready, initialise);
	return hz_done();
}

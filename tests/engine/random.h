/* SPDX-License-Identifier: Apache-2.0 */
/* random.h — numbers for random tests: printed seeds, repeatable with LP_SEED and LP_STEPS. */
#ifndef LP_TESTS_ENGINE_RANDOM_H
#define LP_TESTS_ENGINE_RANDOM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/hash.h"

static inline uint64_t test_random(uint64_t *state)
{
	return lp_hash64(*state += 0x9e3779b97f4a7c15ULL) >> 16;
}

/* The seed of this run: LP_SEED, or another one each time. */
static inline uint64_t test_seed(const char *name)
{
	const char *given = getenv("LP_SEED");
	struct timespec now;
	uint64_t seed;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = given ? strtoull(given, NULL, 0) :
	       lp_hash64((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec) >> 20;
	printf("%s: repeat with LP_SEED=%llu\n", name, (unsigned long long)seed);
	fflush(stdout);
	return seed;
}

static inline uint64_t test_steps(uint64_t usual)
{
	const char *given = getenv("LP_STEPS");

	return given ? strtoull(given, NULL, 0) : usual;
}

#endif

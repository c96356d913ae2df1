/* SPDX-License-Identifier: Apache-2.0 */
/* hash.h — 64-bit mixing for tables and stable ids. No state, any thread. */
#ifndef LP_BASE_HASH_H
#define LP_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Every bit of x reaches every bit of the result (two rounds of xor-shift-multiply). */
static inline uint64_t lp_hash64(uint64_t x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	return x;
}

/* Add a value to a running hash; order matters. */
static inline uint64_t lp_hash_add(uint64_t hash, uint64_t value)
{
	return lp_hash64(hash * 0x9e3779b97f4a7c15ULL + value + 1);
}

static inline uint64_t lp_hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *p = bytes;
	uint64_t word;

	for (; size >= 8; p += 8, size -= 8) {
		memcpy(&word, p, 8);
		hash = lp_hash_add(hash, word);
	}
	word = 0;
	memcpy(&word, p, size);
	return lp_hash_add(hash, word ^ ((uint64_t)size << 56));
}

#endif

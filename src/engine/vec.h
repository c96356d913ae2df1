/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vec.h — growing arrays for the engine: any struct with the members at, count and room.
 *
 * Growth is by half, so pushing is O(1) amortised. Pointers into an array die with the next push.
 */
#ifndef LP_ENGINE_VEC_H
#define LP_ENGINE_VEC_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct lp_u32s {
	uint32_t	*at;
	uint32_t	count, room;
};

struct lp_u64s {
	uint64_t	*at;
	uint32_t	count, room;
};

/* `at` with room for `need` elements, zeroed beyond the old room; NULL when memory is short. */
static inline void *lp_vec_grow(void *at, uint32_t *room, uint64_t need, size_t size)
{
	uint64_t next = *room + (uint64_t)*room / 2 + 16;
	void *grown;

	if (next < need)
		next = need;
	if (next > UINT32_MAX)
		next = UINT32_MAX;
	if (next < need)
		return NULL;
	grown = realloc(at, next * size);
	if (!grown)
		return NULL;
	memset((char *)grown + *room * size, 0, (next - *room) * size);
	*room = (uint32_t)next;
	return grown;
}

/* Room for `need` elements in all. 0 or -ENOMEM, then nothing has changed. */
#define lp_vec_reserve(v, need)                                                                    \
	({                                                                                         \
		uint64_t need_ = (need);                                                           \
		int reserve_err_ = 0;                                                              \
		if (need_ > (v)->room) {                                                           \
			void *grown_ = lp_vec_grow((v)->at, &(v)->room, need_, sizeof(*(v)->at));  \
			if (grown_)                                                                \
				(v)->at = grown_;                                                  \
			else                                                                       \
				reserve_err_ = -ENOMEM;                                            \
		}                                                                                  \
		reserve_err_;                                                                      \
	})

/* Append a value. 0 or -ENOMEM. */
#define lp_vec_push(v, ...)                                                                        \
	({                                                                                         \
		int push_err_ = lp_vec_reserve(v, (uint64_t)(v)->count + 1);                       \
		if (!push_err_)                                                                    \
			(v)->at[(v)->count++] = (__VA_ARGS__);                                     \
		push_err_;                                                                         \
	})

/* At least `need` elements, new ones zeroed: only for arrays that never shrink. 0 or -ENOMEM. */
#define lp_vec_extend(v, need)                                                                     \
	({                                                                                         \
		uint64_t extend_need_ = (need);                                                    \
		int extend_err_ = lp_vec_reserve(v, extend_need_);                                 \
		if (!extend_err_ && (v)->count < extend_need_)                                     \
			(v)->count = (uint32_t)extend_need_;                                       \
		extend_err_;                                                                       \
	})

#define lp_vec_finish(v)                                                                           \
	do {                                                                                       \
		free((v)->at);                                                                     \
		(v)->at = NULL;                                                                    \
		(v)->count = (v)->room = 0;                                                        \
	} while (0)

#endif

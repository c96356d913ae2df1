/* SPDX-License-Identifier: Apache-2.0 */
/* vec.h — growing arrays and a bump arena for the facts library. Tools only; one thread. */
#ifndef LP_FACTS_VEC_H
#define LP_FACTS_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* An array with room for `count + extra` elements, or NULL; the old one is then still valid. */
static inline void *lp_vec_grow(void *at, uint32_t *room, uint32_t count, uint32_t extra,
				size_t size)
{
	uint64_t need = (uint64_t)count + extra;
	uint64_t want = *room;

	if (need <= *room)
		return at;
	while (want < need)
		want = want ? want * 2 : 16;
	if (want > UINT32_MAX)
		return NULL;
	at = reallocarray(at, want, size);
	if (at)
		*room = (uint32_t)want;
	return at;
}

/* Make room for `extra` more elements of an LP_VEC; false when memory is short. */
#define lp_vec_room(vec, extra) ({ \
	void *grown_ = lp_vec_grow((vec)->at, &(vec)->room, (vec)->count, (extra), \
				   sizeof(*(vec)->at)); \
	if (grown_) \
		(vec)->at = grown_; \
	grown_ != NULL; \
})

/* Put an element at the end, for which there is room, and return its index. */
#define lp_vec_push(vec, element) ((vec)->at[(vec)->count] = (element), (vec)->count++)

#define lp_vec_finish(vec) do { \
	free((vec)->at); \
	(vec)->at = NULL; \
	(vec)->count = (vec)->room = 0; \
} while (0)

/* Memory that is only ever freed as a whole. */
struct lp_arena {
	struct lp_arena_chunk *newest;
	size_t		used, room;	/* of the newest chunk, bytes */
};

/* `size` bytes aligned for 64-bit words, or NULL. */
void *lp_arena_take(struct lp_arena *arena, size_t size);
void lp_arena_finish(struct lp_arena *arena);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.h — append facts to an image.
 *
 * Any thread, any process that maps the image, signal handlers too: lock-free, no allocation, no
 * errno, no call but `populate`. When space runs out the image is stopped once, with the reason,
 * and every later append returns NULL.
 */
#ifndef LP_FACTS_WRITER_H
#define LP_FACTS_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts/layout.h"

struct lp_writer {
	struct lp_image	*image;
	uint64_t	size;		/* bytes mapped */
	/*
	 * Back [from, from + size) of the mapping with storage, so that a store there cannot fault.
	 * 0 or an errno value. NULL: the memory needs no backing.
	 */
	int		(*populate)(void *from, size_t size);
	uint64_t	(*now_ns)(void);	/* CLOCK_REALTIME; NULL: 0 */
};

/* Set up an image in zeroed memory; what the caller must still choose is passed in. */
void lp_image_init(struct lp_image *image, uint64_t size, uint64_t session, uint32_t nonce,
		   uint64_t start_time_ns);

/*
 * Take space for a record of `bytes` (its head included), zeroed, aligned to `align` (a power of
 * two >= LP_GRANULE or 0). Returns NULL when the image is stopped. Not done yet.
 */
void *lp_writer_begin(struct lp_writer *writer, enum lp_rec_type type, size_t bytes, size_t align);

/* The record is complete: readers may take it from now on. */
void lp_writer_done(void *record);

/* Stop recording; the first reason stays. */
void lp_writer_stop(struct lp_writer *writer, enum lp_stop reason, int error);

static inline bool lp_writer_stopped(const struct lp_writer *writer)
{
	return __atomic_load_n(&writer->image->stop, __ATOMIC_RELAXED) != LP_STOP_NONE;
}

static inline uint32_t lp_writer_ref(const struct lp_writer *writer, const void *record)
{
	return (uint32_t)(((const char *)record - (const char *)writer->image) / LP_GRANULE);
}

static inline void *lp_writer_at(const struct lp_writer *writer, uint32_t ref)
{
	return (char *)writer->image + (uint64_t)ref * LP_GRANULE;
}

/* What the records of every trie start with. */
struct lp_linked {
	struct lp_rec	rec;
	struct lp_link	link;
};

/* Does `record` say what `probe` says? Their hashes are equal. */
typedef bool lp_equal_fn(const void *record, const void *probe);

/* The record of the trie that equals `probe`, or 0. */
uint32_t lp_trie_find(const struct lp_writer *writer, enum lp_trie trie, uint64_t hash,
		      lp_equal_fn *equal, const void *probe);

/*
 * Publish a finished record (link.hash set, all else done but lp_writer_done, which this calls).
 * Returns its ref, or that of an equal record that another thread published first.
 */
uint32_t lp_trie_publish(struct lp_writer *writer, enum lp_trie trie, struct lp_linked *record,
			 lp_equal_fn *equal, const void *probe);

#endif

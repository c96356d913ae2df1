/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.c — the log of an image and its tries.
 *
 * Space is taken in two steps. (1) The head word at the tail is changed from 0 to {size, type} by
 * one compare-and-swap: whoever succeeds owns the record. (2) The tail is moved past it; anybody
 * may do that, because the head word says how far. A writer that dies between any two instructions
 * therefore blocks nobody and leaves no hole of unknown size (G.1).
 *
 * Memory past the tail is zero: the file was extended by ftruncate and is never written before it
 * is taken. Barrier: lp_writer_done() releases the body; readers acquire the head word. A trie
 * child is released by the compare-and-swap that sets it and acquired by the walk.
 */
#include "facts/writer.h"

#include "base/compiler.h"

/* Backed at a time: little for the many programs that live shortly, more as an image grows. */
#define POPULATE_MIN	(32u << 10)
#define POPULATE_MAX	(1u << 20)

union head {
	struct lp_rec	rec;
	uint64_t	word;
};

void lp_image_init(struct lp_image *image, uint64_t size, uint64_t session, uint32_t nonce,
		   uint64_t start_time_ns)
{
	image->version = LP_IMAGE_VERSION;
	image->layout = LP_LAYOUT;
	image->size = size;
	image->session = session;
	image->start_time_ns = start_time_ns;
	image->nonce = nonce ? nonce : 1;
	image->tail = LP_IMAGE_HEADER_SIZE;
	image->populated = LP_IMAGE_HEADER_SIZE;
	__atomic_store_n(&image->magic, LP_IMAGE_MAGIC, __ATOMIC_RELEASE);
}

void lp_writer_stop(struct lp_writer *writer, enum lp_stop reason, int error)
{
	struct lp_image *image = writer->image;
	uint32_t none = LP_STOP_NONE;

	if (!__atomic_compare_exchange_n(&image->stop, &none, reason, false, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED))
		return;
	image->stop_errno = (uint32_t)error;
	image->stop_time_ns = writer->now_ns ? writer->now_ns() : 0;
}

/* Make sure that [0, end) is backed. Two threads may do the same chunk: harmless. */
static bool populate(struct lp_writer *writer, uint64_t end)
{
	struct lp_image *image = writer->image;
	uint64_t have = __atomic_load_n(&image->populated, __ATOMIC_ACQUIRE);
	uint64_t chunk = have / 4, want;
	int error;

	if (lp_likely(end <= have))
		return true;
	if (end > writer->size) {
		lp_writer_stop(writer, LP_STOP_IMAGE_FULL, 0);
		return false;
	}
	if (chunk < POPULATE_MIN)
		chunk = POPULATE_MIN;
	if (chunk > POPULATE_MAX)
		chunk = POPULATE_MAX;
	want = (end + chunk + 4095) & ~(uint64_t)4095;
	if (want > writer->size)
		want = writer->size;
	if (writer->populate) {
		uint64_t from = have & ~(uint64_t)4095;

		error = writer->populate((char *)image + from, want - from);
		if (error) {
			lp_writer_stop(writer, LP_STOP_NO_SPACE, error);
			return false;
		}
	}
	while (have < want && !__atomic_compare_exchange_n(&image->populated, &have, want, false,
							   __ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
		;
	return true;
}

/* Take `granules` at the tail if the tail is aligned; else take a pad that aligns it. */
static void *take(struct lp_writer *writer, enum lp_rec_type type, uint32_t granules, size_t align)
{
	struct lp_image *image = writer->image;
	uint64_t tail = __atomic_load_n(&image->tail, __ATOMIC_ACQUIRE);

	for (;;) {
		union head head = { .rec = { granules, type, 0, 0 } };
		uint64_t gap = align ? (0 - tail) & (align - 1) : 0;
		uint64_t *word = (uint64_t *)((char *)image + tail);
		uint64_t old = 0;

		if (gap)
			head.rec = (struct lp_rec){ (uint32_t)(gap / LP_GRANULE), LP_REC_PAD, 1, 0 };
		if (!populate(writer, tail + gap + (uint64_t)granules * LP_GRANULE))
			return NULL;
		if (__atomic_compare_exchange_n(word, &old, head.word, false, __ATOMIC_ACQ_REL,
						__ATOMIC_ACQUIRE)) {
			uint64_t at = tail;

			__atomic_compare_exchange_n(&image->tail, &at,
						    tail + (uint64_t)head.rec.granules * LP_GRANULE,
						    false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
			if (!gap)
				return word;
		} else {
			union head other = { .word = old };
			uint64_t at = tail;

			__atomic_compare_exchange_n(&image->tail, &at,
						    tail + (uint64_t)other.rec.granules * LP_GRANULE,
						    false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
		}
		tail = __atomic_load_n(&image->tail, __ATOMIC_ACQUIRE);
	}
}

void *lp_writer_begin(struct lp_writer *writer, enum lp_rec_type type, size_t bytes, size_t align)
{
	if (lp_unlikely(lp_writer_stopped(writer)))
		return NULL;
	return take(writer, type, (uint32_t)((bytes + LP_GRANULE - 1) / LP_GRANULE),
		    align > LP_GRANULE ? align : 0);
}

void lp_writer_done(void *record)
{
	struct lp_rec *rec = record;

	__atomic_store_n(&rec->done, 1, __ATOMIC_RELEASE);
}

/* Follow the trie to the record that equals probe, or to the empty child where it would go. */
static uint32_t walk(const struct lp_writer *writer, uint32_t *child, uint64_t hash, unsigned depth,
		     lp_equal_fn *equal, const void *probe, uint32_t **empty, unsigned *empty_depth)
{
	for (;; depth++) {
		uint32_t ref = __atomic_load_n(child, __ATOMIC_ACQUIRE);
		struct lp_linked *linked;

		if (!ref) {
			*empty = child;
			*empty_depth = depth;
			return 0;
		}
		linked = lp_writer_at(writer, ref);
		if (linked->link.hash == hash && equal(linked, probe))
			return ref;
		/* past 32 levels all of the hash is used up: a list for equal hashes */
		child = &linked->link.child[depth < 32 ? (hash >> (62 - 2 * depth)) & 3 : 0];
	}
}

uint32_t lp_trie_find(const struct lp_writer *writer, enum lp_trie trie, uint64_t hash,
		      lp_equal_fn *equal, const void *probe)
{
	uint32_t *empty;
	unsigned depth;

	return walk(writer, &writer->image->root[trie], hash, 0, equal, probe, &empty, &depth);
}

uint32_t lp_trie_publish(struct lp_writer *writer, enum lp_trie trie, struct lp_linked *record,
			 lp_equal_fn *equal, const void *probe)
{
	uint32_t *child = &writer->image->root[trie];
	uint32_t ref = lp_writer_ref(writer, record);
	unsigned depth = 0;

	lp_writer_done(record);
	for (;;) {
		uint32_t none = 0;
		uint32_t found = walk(writer, child, record->link.hash, depth, equal, probe, &child,
				      &depth);

		if (found)
			return found;
		if (__atomic_compare_exchange_n(child, &none, ref, false, __ATOMIC_ACQ_REL,
						__ATOMIC_ACQUIRE))
			return ref;
	}
}

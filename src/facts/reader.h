/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.h — the bytes of an image into a model.
 *
 * The bytes may be hostile (a damaged file) and may be changing (a live mapping): every record is
 * copied before it is checked, every ref must lead to an earlier record of the right type.
 */
#ifndef LP_FACTS_READER_H
#define LP_FACTS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts/layout.h"
#include "facts/model.h"

struct lp_reader;

/*
 * Check the header of an image of `size` bytes at `bytes`, which must stay mapped until close and
 * be aligned to 16 bytes. Bytes after the image are ignored: see lp_reader_extent().
 * On error returns NULL and sets *problem to a phrase without newline ("is not a facts file"),
 * valid until this thread opens or polls again. A file that ends before its log does is an error.
 */
struct lp_reader *lp_reader_open(const void *bytes, size_t size, const char **problem);
void lp_reader_close(struct lp_reader *reader);

/*
 * Add to the model what has become readable since the last call. >0: something was new; 0: no;
 * -ENOMEM; -EBADMSG: a record is damaged, *problem says how (valid as above) and
 * lp_reader_offset() where. After an error the reader stays where it is: what it read before is in
 * the model. model->acquisitions follows as well. Poll one reader into one model only.
 */
int lp_reader_poll(struct lp_reader *reader, struct lp_model *model, const char **problem);
uint64_t lp_reader_offset(const struct lp_reader *reader);

/*
 * Bytes that the image occupies when it is kept: its log, to the next multiple of 4096. In a file
 * of several images the next one starts there.
 */
size_t lp_reader_extent(const struct lp_reader *reader);

/* THREAD or NODE ref of this image to the model's index; 0 when unknown. */
uint32_t lp_reader_thread(const struct lp_reader *reader, uint32_t ref);
uint32_t lp_reader_node(const struct lp_reader *reader, uint32_t ref);

/* Acquisitions counted so far: ended threads plus every slot. */
uint64_t lp_reader_acquisitions(const struct lp_reader *reader);

/* A snapshot of one thread's live state. */
struct lp_live_held {
	uint64_t	lock;
	uint64_t	serial;
	uint32_t	node;		/* nodes[] of the model; 0: not recorded */
	uint16_t	count;
	uint8_t		mode, flags;
};

struct lp_live_thread {
	uint32_t	thread;		/* threads[] of the model */
	uint32_t	pid, tid;
	uint64_t	acquisitions;	/* with `key`: unchanged between two looks = did nothing */
	uint64_t	key;
	uint32_t	wait;		/* enum lp_wait; COND that names its mutex: LOCK, on top */
	uint32_t	blocked_in;	/* enum lp_wait, as the thread itself said */
	uint64_t	wait_object;
	uint32_t	wait_thread;	/* threads[] */
	bool		lossy;		/* holds more than held[] says */
	uint32_t	held_count;	/* the top entry may be held or still be waited for */
	struct lp_live_held held[LP_SLOT_HELD];	/* the innermost ones, outermost first */
};

/*
 * Step through the threads alive. *cursor starts at 0 and is 0 again at the end. Returns 1 with
 * *live filled, or 0 at the end. Values may be torn: look twice before believing.
 */
int lp_reader_next_live(const struct lp_reader *reader, uint32_t *cursor,
			struct lp_live_thread *live);

/* The image's header words that change. */
struct lp_reader_state {
	enum lp_stop	stop;
	uint64_t	stop_time_ns;
	int		stop_errno;
	uint32_t	next_index;
	uint32_t	claimed_pid;
	uint32_t	threads_started;
	uint64_t	start_time_ns;
	uint64_t	session;
	uint32_t	index;
	uint32_t	merged;		/* images in the file, 0: as it was recorded */
	uint64_t	tail;
};
void lp_reader_state(const struct lp_reader *reader, struct lp_reader_state *state);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader_private.h — what the parts of the reader share: reader.c follows the log,
 * reader_records.c understands one record, reader_live.c looks at what changes.
 */
#ifndef LP_FACTS_READER_PRIVATE_H
#define LP_FACTS_READER_PRIVATE_H

#include <string.h>

#include "base/compiler.h"
#include "facts/reader.h"
#include "facts/table.h"
#include "facts/vec.h"

/* A record that others may refer to. */
struct known {
	uint32_t	ref;
	uint32_t	index;		/* in the model's array; SLOT, HELD: nothing */
	uint32_t	detail;		/* THREAD: ref of its newest name; HELD: entries */
	uint8_t		type;		/* enum lp_rec_type */
};

struct pending {
	uint64_t	offset;
	bool		read;		/* has been taken since: to be dropped */
};

struct lp_reader {
	const unsigned char *bytes;
	size_t		size;
	uint64_t	limit;		/* no tail may be beyond: end of mapping or of image */
	uint64_t	offset;		/* the next record to look at */
	uint64_t	fault;		/* where the last error was, 0: none yet */
	char		first_name[16];	/* of the first thread that has one */
	uint32_t	image;		/* number in the model, 0: not entered yet */
	uint64_t	acquisitions;	/* part of model->acquisitions that is from here */
	LP_VEC(struct known) known;	/* [0] is a dummy */
	struct lp_table	refs;
	LP_VEC(struct pending) pending;	/* by rising offset */
	LP_VEC(uint64_t) needs;		/* records under way, each needed by the one before */
	LP_VEC(uint32_t) slots;
	LP_VEC(uint32_t) semaphores;	/* CLASS refs whose use is looked at again */
	unsigned char	*body;		/* copy of the record under way */
	size_t		body_room;
};

/* The record under way. Only the copy in `body` is to be believed. */
struct record {
	struct lp_reader *reader;
	struct lp_model	*model;
	uint64_t	offset;
	size_t		bytes;
	const void	*body;
	const char	*name;
	uint64_t	need;		/* a pending record that must be read before */
};

#define LP_READER_NEED	1	/* result of what meets a ref to a pending record */

/* How to read the records of a type; word NULL: there is none such (NONE, PAD). */
struct lp_reader_row {
	const char	*word;		/* what people call it */
	size_t		size;		/* of the smallest */
	bool		live;		/* not copied: rec->body is not set */
	/* Add it to the model: 0, LP_READER_NEED with rec->need set, -ENOMEM or -EBADMSG. */
	int		(*read)(struct record *rec);
};
extern const struct lp_reader_row lp_reader_rows[LP_REC_COUNT];

/* Set the error phrase and place; returns -EBADMSG. */
LP_PRINTF(3, 4)
int lp_reader_bad(struct lp_reader *reader, uint64_t offset, const char *format, ...);

/* What a ref leads to, or NULL. Valid until the next record is read. */
struct known *lp_reader_known(const struct lp_reader *reader, uint32_t ref);

/* reader_live.c: what is known by now of the use of a CLASS: enum lp_class_use. */
unsigned lp_reader_use(const struct lp_reader *reader, uint32_t class_ref);

/* The pending record at an offset, or NULL. */
struct pending *lp_reader_pending(struct lp_reader *reader, uint64_t offset);

/* Single loads from the mapping, by offset: of heads and tail (acquire) and of live members. */
static inline uint64_t load64(const struct lp_reader *reader, uint64_t offset, int order)
{
	const uint64_t *word = (const void *)(reader->bytes + offset);

	return order == __ATOMIC_ACQUIRE ? __atomic_load_n(word, __ATOMIC_ACQUIRE)
					 : __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline uint32_t load32(const struct lp_reader *reader, uint64_t offset)
{
	return __atomic_load_n((const uint32_t *)(const void *)(reader->bytes + offset),
			       __ATOMIC_RELAXED);
}

#define LIVE64(reader, base, type, member) \
	load64(reader, (base) + offsetof(type, member), __ATOMIC_RELAXED)
#define LIVE32(reader, base, type, member)	load32(reader, (base) + offsetof(type, member))
#define IMAGE64(reader, member)	LIVE64(reader, 0, struct lp_image, member)
#define IMAGE32(reader, member)	LIVE32(reader, 0, struct lp_image, member)

static inline uint64_t load_tail(const struct lp_reader *reader)
{
	return load64(reader, offsetof(struct lp_image, tail), __ATOMIC_ACQUIRE);
}

static inline struct lp_rec load_head(const struct lp_reader *reader, uint64_t offset)
{
	uint64_t word = load64(reader, offset, __ATOMIC_ACQUIRE);
	struct lp_rec head;

	memcpy(&head, &word, sizeof(head));
	return head;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h — images in, findings and reports out: what `run` and `report` have in common.
 *
 * Sources (one per image) are polled into one model, which is judged by one engine. Descriptions
 * are made when something is printed.
 */
#ifndef LP_CLI_SESSION_H
#define LP_CLI_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/blocked.h"
#include "cli/stalled.h"
#include "cli/cli.h"
#include "cli/mapping.h"
#include "engine/engine.h"
#include "facts/reader.h"
#include "render/report.h"

struct lp_source {
	struct lp_mapping mapping;	/* to be closed with it; bytes NULL: somebody else's */
	struct lp_reader *reader;	/* NULL: retired, or damaged */
	struct lp_reader_state state;	/* as of the last poll */
	uint32_t	image;		/* its number in the model */
	char		*problem;	/* it is damaged: how; NULL: it is not */
};

struct lp_session;

struct lp_session *lp_session_create(void);	/* NULL when memory is short */
void lp_session_destroy(struct lp_session *session);

/*
 * Add an image that stays mapped at `bytes`. The source stays valid. NULL with *problem set (a
 * phrase, valid until the next call).
 */
struct lp_source *lp_session_add(struct lp_session *session, const void *bytes, size_t size,
				 const char **problem);

/* Map `size` bytes of a file and add them; the mapping belongs to the source. As above. */
struct lp_source *lp_session_map(struct lp_session *session, int fd, size_t size,
				 const char **problem);

/*
 * Read what is new. 1: there was something; 0: no; -ENOMEM. A source that turns out to be damaged
 * keeps its problem and is not read any more.
 */
int lp_session_poll(struct lp_session *session);

/* Its processes are gone: forget the bytes, keep what they said. */
void lp_session_retire(struct lp_source *source);

size_t lp_session_source_count(const struct lp_session *session);
struct lp_source *lp_session_source(const struct lp_session *session, size_t index);

/* Judge what was read. 1: there was something to judge; 0: no; -ENOMEM. */
int lp_session_judge(struct lp_session *session);

const struct lp_model *lp_session_model(const struct lp_session *session);
const struct lp_engine *lp_session_engine(const struct lp_session *session);
struct lp_symbolizer *lp_session_symbolizer(const struct lp_session *session);
struct lp_describer *lp_session_describer(const struct lp_session *session);

/*
 * Did the process that the thread belonged to become another program, which has its own image? Then
 * nothing of it is alive here.
 */
bool lp_session_superseded(const struct lp_session *session, uint32_t thread, uint32_t pid);

/* Show all live threads to `blocked`; to `stalled`, a whole look, unless NULL. 0 or -ENOMEM. */
int lp_session_look(struct lp_session *session, struct lp_blocked *blocked,
		    struct lp_stalled *stalled);

/*
 * Is it only certain when nobody else can run? What is known of who posts a semaphore is what was
 * seen: that one is a lock is believed once it was released like one, and even then a thread that
 * waits for what it took itself may wait for another's post.
 */
bool lp_session_is_doubtful(const struct lp_session *session,
			    const struct lp_blocked_thread *cycle, size_t count);

/* Were all acquisitions of the cycle recorded? */
bool lp_session_is_recorded(const struct lp_blocked_thread *cycle, size_t count);

/*
 * Is a recorded cycle what it seems? What a thread wants was acquired on top of what it holds, and
 * a single thread stands in its own way only with a lock that it cannot take twice.
 */
bool lp_session_is_cycle(const struct lp_session *session, const struct lp_blocked_thread *cycle,
			 size_t count);

/* Hand a cycle to the engine. 0 or -ENOMEM. */
int lp_session_add_deadlock(struct lp_session *session, const struct lp_blocked_thread *cycle,
			    size_t count);

/*
 * Add the deadlocks in the last state that processes without life left behind. `alive` says which
 * still have some; NULL: none. 0 or -ENOMEM.
 */
int lp_session_add_last_deadlocks(struct lp_session *session, bool (*alive)(int pid));

/* Is this finding shown? */
bool lp_session_shows(const struct lp_finding *finding, bool strict);

/* How many findings are shown. */
size_t lp_session_shown(const struct lp_session *session, bool strict);

#endif

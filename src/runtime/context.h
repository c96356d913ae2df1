/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context.h — what can strike a thread, and what it runs in: signals, forked children.
 *
 * Each signal with a handler is a context. A thread's STATE says which contexts it runs in and
 * which can strike it: signals that have a handler and are not blocked, and a fork by another
 * thread, which takes a copy of whatever this one holds into the child.
 */
#ifndef LP_RUNTIME_CONTEXT_H
#define LP_RUNTIME_CONTEXT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "track/track.h"

#pragma GCC visibility push(hidden)

/* A handler that runs, on the stack of its thread. */
struct lp_handler {
	struct lp_handler *outer;	/* the one it interrupted; NULL: none */
	struct lp_track_below below;
	uint64_t	frame;		/* its own frames lie below this address */
	int		signal;
};

/* A thread's own. */
struct lp_signals {
	uint64_t	blocked;	/* its mask: bit n - 1 for signal n */
	uint64_t	let_in;		/* what can strike it, as of `generation` */
	uint64_t	generation;	/* lp_generation when its state was computed */
	struct lp_handler *handler;	/* the innermost that runs */
	bool		in_child;	/* it is a forked child's, whose parent had other threads */
	struct { uint64_t key; uint32_t state; } memo[4];
};

void lp_signal_init(void);

/* The thread begins, or its mask is unknown for another reason: ask the kernel. */
void lp_signal_read_mask(void);

/*
 * The thread's mask is `blocked` now, since the call that returns to `where`. What it holds is
 * noted when something new can strike it.
 */
void lp_signal_mask(struct lp_rec_slot *slot, uint64_t blocked, uint64_t where);

/* Bring slot->state up to date; `where` as above. */
void lp_state_refresh(struct lp_rec_slot *slot, uint64_t where);

/* The thread goes back to a frame at `sp`: handlers below it have ended. */
void lp_signal_unwind(struct lp_rec_slot *slot, uint64_t sp);

/* What stands for every handler of the program. */
void lp_signal_handler(int signal, siginfo_t *info, void *context);

/*
 * A handler is installed, or none: around libc's call. `action` is what the program asked for, 0:
 * no handler. The kernel's answer names lp_signal_handler() where `old` is meant.
 */
#define LP_SIGNALS		65	/* from 1 on */
#define LP_ACTION_SIGINFO	(1ull << 63)	/* it was asked for */
#define LP_ACTION_ONCE		(1ull << 62)	/* SA_RESETHAND */
#define LP_ACTION_HANDLER	((1ull << 62) - 1)	/* its address */
struct lp_install {
	int		signal;
	uint64_t	action, old;
	bool		was_installed;
};
uint64_t lp_signal_action(int signal);	/* of the program; 0: it never had one */
void lp_install_begins(struct lp_install *install, int signal, uint64_t action);
void lp_install_ended(const struct lp_install *install, bool done, uint64_t where);

/* Is this the process that the library knows? Not so between vfork() and exec. */
bool lp_is_own_process(void);

#pragma GCC visibility pop

#endif

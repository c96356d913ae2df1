/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context.h — what can strike a thread, and what it runs in: signals, forked children, contexts that
 * the program has declared.
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

/* A handler that runs, on the stack of its thread; or a declared context that was entered. */
struct lp_handler {
	struct lp_handler *outer;	/* the one it interrupted; NULL: none */
	struct lp_track_below below;
	uint64_t	frame;		/* its own frames lie below this address */
	int		signal;		/* 0: it is a declared one: */
	unsigned	user;
	uint64_t	user_on, user_off;	/* of the thread, before */
};

/* A thread's own. */
struct lp_signals {
	uint64_t	blocked;	/* its mask: bit n - 1 for signal n */
	uint64_t	let_in;		/* what can strike it, as of `generation` */
	uint64_t	generation;	/* lp_generation when its state was computed */
	struct lp_handler *handler;	/* the innermost that runs */
	bool		in_child;	/* it is a forked child's, whose parent had other threads */
	/* bit n is the n-th declared context: enabled and disabled here, whatever it is elsewhere */
	uint64_t	user_on, user_off;
	uint64_t	user_let_in;	/* what can strike it, as of `generation` */
	struct { uint64_t key; uint32_t state; } memo[8];
};

void lp_signal_init(void);

/* The thread begins, or its mask is unknown for another reason: ask the kernel. */
void lp_signal_read_mask(void);

/*
 * The thread's mask is `blocked` now, since the call that returns to `where`. What it holds is
 * noted when something new can strike it.
 */
void lp_signal_mask(struct lp_rec_slot *slot, uint64_t blocked, uint64_t where);

/* STAMPS of the signals whose handlers this thread runs; 0: none, or no space. */
uint32_t lp_signal_stamps(const struct lp_rec_slot *slot);

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

/* Contexts that the program declares, LP_USERS of them; more are not known. */
#define LP_USERS		64u
struct lp_user {
	enum lp_context_kind kind;
	enum lp_wait_type wait;		/* what it leaves */
	const char	*name;
	bool		everywhere;	/* strikes each thread that has not disabled it */
};
unsigned lp_user_declare(const struct lp_user *user);	/* its number; LP_USERS: no more */
void lp_user_enter(struct lp_rec_slot *slot, struct lp_handler *handler, unsigned user,
		   uint64_t where);
/* With all that was entered inside it. False: it does not run, or a signal handler is inside it. */
bool lp_user_leave(struct lp_rec_slot *slot, const struct lp_handler *handler, uint64_t where);
void lp_user_set(struct lp_rec_slot *slot, unsigned user, bool on, uint64_t where);

/* Is this the process that the library knows? Not so between vfork() and exec. A system call. */
bool lp_is_own_process(void);

/* Does somebody else use this thread's memory, between vfork() and exec? Asks only after a vfork(). */
bool lp_is_vforked(void);

#pragma GCC visibility pop

#endif

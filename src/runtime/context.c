/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context.c — contexts of a thread; see context.h. And the handler that stands for all others.
 */
#include "runtime/context.h"

#include <string.h>
#include <ucontext.h>

#include "base/hash.h"
#include "runtime/libc.h"
#include "runtime/os.h"
#include "runtime/runtime.h"

#define CONTEXTS_MAX	(66u + LP_USERS)

/* Struck by what the code itself does wrong; abort() is the code's own doing, too. */
#define SYNCHRONOUS	(BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGFPE) | BIT(SIGILL) | BIT(SIGABRT) | \
			 BIT(SIGTRAP) | BIT(SIGSYS))
#define BIT(signal)	(1ull << ((signal) - 1))

static uint64_t installed;		/* signals that have a handler */
static uint32_t context_of[LP_SIGNALS];	/* CONTEXT refs */
static uint32_t fork_context;
static uint64_t action_of[LP_SIGNALS];

static struct {
	uint32_t	context;	/* CONTEXT ref */
	enum lp_wait_type wait;
} users[LP_USERS];
static uint32_t user_count;		/* grows past LP_USERS when there are no more */
static uint64_t everywhere;		/* users that strike where nothing was said */

static const char *const names[] = {
#define N(name) [name] = #name
	N(SIGHUP), N(SIGINT), N(SIGQUIT), N(SIGILL), N(SIGTRAP), N(SIGABRT), N(SIGBUS), N(SIGFPE),
	N(SIGKILL), N(SIGUSR1), N(SIGSEGV), N(SIGUSR2), N(SIGPIPE), N(SIGALRM), N(SIGTERM),
	N(SIGSTKFLT), N(SIGCHLD), N(SIGCONT), N(SIGSTOP), N(SIGTSTP), N(SIGTTIN), N(SIGTTOU),
	N(SIGURG), N(SIGXCPU), N(SIGXFSZ), N(SIGVTALRM), N(SIGPROF), N(SIGWINCH), N(SIGIO),
	N(SIGPWR), N(SIGSYS),
#undef N
};

/* "SIGRTMIN+7"; libc keeps the first two for itself. */
static void real_time_name(int signal, char *name)
{
	int number = signal - 34;

	memcpy(name, "SIGRTMIN", 9);
	if (number <= 0)
		return;
	name += 8;
	*name++ = '+';
	if (number >= 10)
		*name++ = (char)('0' + number / 10);
	*name++ = (char)('0' + number % 10);
	*name = '\0';
}

static void make_context(int signal)
{
	uint8_t flags = SYNCHRONOUS & BIT(signal) ? LP_CONTEXT_SYNC : 0;
	char name[16];

	if (context_of[signal])
		return;
	if ((size_t)signal < lp_array_size(names))
		strcpy(name, names[signal]);
	else
		real_time_name(signal, name);
	context_of[signal] = lp_track_context(&lp_rt.track, LP_CONTEXT_SIGNAL, flags,
					      (uint16_t)signal, name);
}

void lp_signal_init(void)
{
	lp_rt.pid = (uint32_t)lp_os_pid();
	fork_context = lp_track_context(&lp_rt.track, LP_CONTEXT_FORK, 0, 0, "FORK");
}

bool lp_is_own_process(void)
{
	return lp_rt.process && (uint32_t)lp_os_pid() == lp_rt.pid;
}

bool lp_is_vforked(void)
{
	if (lp_likely(!lp_self.vforked))
		return false;
	lp_self.vforked = !lp_is_own_process();
	return lp_self.vforked;
}

/* ---- states ---- */

struct contexts {
	uint32_t	at[CONTEXTS_MAX];
	uint32_t	count;
};

/* Each once, in ascending order. */
static void add(struct contexts *contexts, uint32_t context)
{
	uint32_t i = contexts->count;

	if (!context)
		return;
	while (i && contexts->at[i - 1] > context)
		i--;
	if (i && contexts->at[i - 1] == context)
		return;
	memmove(contexts->at + i + 1, contexts->at + i,
		(contexts->count - i) * sizeof(contexts->at[0]));
	contexts->at[i] = context;
	contexts->count++;
}

static void add_signals(struct contexts *contexts, uint64_t set)
{
	for (; set; set &= set - 1)
		add(contexts, context_of[__builtin_ctzll(set) + 1]);
}

static void add_users(struct contexts *contexts, uint64_t set)
{
	for (; set; set &= set - 1)
		add(contexts, users[__builtin_ctzll(set)].context);
}

/* What runs, and what can strike it: everything a STATE depends on. */
struct situation {
	uint64_t	signals_in, signals_on;
	uint64_t	users_in, users_on;
};

static void add_running(const struct lp_signals *signals, struct situation *now)
{
	for (const struct lp_handler *h = signals->handler; h; h = h->outer) {
		if (h->signal)
			now->signals_in |= BIT(h->signal);
		else
			now->users_in |= 1ull << h->user;
	}
}

static struct situation situation_of(const struct lp_signals *signals)
{
	struct situation now = {
		.signals_on = __atomic_load_n(&installed, __ATOMIC_ACQUIRE) & ~signals->blocked,
		.users_on = (__atomic_load_n(&everywhere, __ATOMIC_ACQUIRE) & ~signals->user_off) |
			    signals->user_on,
	};

	add_running(signals, &now);
	return now;
}

static uint32_t make_state(const struct lp_signals *signals, const struct situation *now)
{
	const struct lp_handler *handler = signals->handler;
	struct contexts in = { .count = 0 }, on = { .count = 0 };
	struct lp_track_state state = { .in = in.at, .on = on.at };

	if (handler && handler->signal) {
		state.context = context_of[handler->signal];
	} else if (handler) {
		state.context = users[handler->user].context;
		state.wait = users[handler->user].wait;
	} else if (signals->in_child) {
		state.context = fork_context;
	}
	add_signals(&in, now->signals_in);
	add_signals(&on, now->signals_on);
	add_users(&in, now->users_in);
	add_users(&on, now->users_on);
	/* a fork by another thread strikes: its child has this one's locks and not this thread */
	add(signals->in_child ? &in : &on, fork_context);
	state.in_count = in.count;
	state.on_count = on.count;
	return lp_track_state(&lp_rt.track, &state);
}

/* Of the innermost. */
static uint64_t handler_key(const struct lp_handler *handler)
{
	if (!handler)
		return 0;
	return handler->signal ? (uint64_t)handler->signal : LP_SIGNALS + handler->user;
}

/* The few states that a thread keeps going through are remembered. */
static uint32_t find_state(struct lp_signals *signals, const struct situation *now)
{
	uint64_t key = lp_hash_add(lp_hash64(now->signals_in), now->signals_on);
	unsigned index;
	uint32_t state;

	if (now->users_in | now->users_on)
		key = lp_hash_add(lp_hash_add(key, now->users_in), now->users_on);
	key = lp_hash_add(key, handler_key(signals->handler) << 1 | signals->in_child);
	index = key % lp_array_size(signals->memo);
	if (signals->memo[index].state && signals->memo[index].key == key)
		return signals->memo[index].state;
	state = make_state(signals, now);
	signals->memo[index].state = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	signals->memo[index].key = key;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	signals->memo[index].state = state;
	return state;
}

void lp_state_refresh(struct lp_rec_slot *slot, uint64_t where)
{
	struct lp_signals *signals = &lp_self.signals;
	uint64_t generation = __atomic_load_n(&lp_generation, __ATOMIC_ACQUIRE);
	struct situation now;
	uint32_t state;
	bool more;

	if (lp_writer_stopped(&lp_rt.track.writer))
		return;
	now = situation_of(signals);
	state = find_state(signals, &now);
	more = (now.signals_on & ~signals->let_in) | (now.users_on & ~signals->user_let_in);
	signals->let_in = now.signals_on;
	signals->user_let_in = now.users_on;
	signals->generation = generation;
	if (state == slot->state)
		return;
	lp_track_set_state(&lp_rt.track, slot, state, more, (const void *)(uintptr_t)where);
	lp_next_keep(slot);
}

void lp_signal_read_mask(void)
{
	uint64_t mask = 0;

	lp_sys4(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof(mask));
	lp_self.signals.blocked = mask;
}

/* Remember where each signal was last blocked and let in. */
static void stamp(struct lp_rec_slot *slot, uint64_t changed, uint64_t blocked, uint64_t where)
{
	uint32_t now = ++slot->mask_events;

	for (; changed; changed &= changed - 1) {
		unsigned i = (unsigned)__builtin_ctzll(changed);
		bool let_in = !(blocked >> i & 1);

		slot->stamp[i].at[let_in] = now;
		slot->stamp[i].where[let_in] = where;
	}
}

static struct lp_context_stamp stamp_of(const struct lp_rec_slot *slot, int signal)
{
	const struct lp_stamp *from = &slot->stamp[signal - 1];
	struct lp_context_stamp to = { .context = context_of[signal] };

	for (int i = 0; i < 2; i++) {
		to.at[i] = from->at[i];
		if (from->where[i])
			to.where[i] = lp_place(from->where[i]);
	}
	return to;
}

uint32_t lp_signal_stamps(const struct lp_rec_slot *slot)
{
	struct lp_context_stamp stamp[LP_STAMPS_MAX];
	struct lp_rec_stamps *record;
	uint32_t count = 0;
	uint64_t seen = 0;

	for (const struct lp_handler *h = lp_self.signals.handler; h; h = h->outer) {
		if (!h->signal || seen & BIT(h->signal) || !context_of[h->signal])
			continue;
		if (count < LP_STAMPS_MAX)
			stamp[count++] = stamp_of(slot, h->signal);
		seen |= BIT(h->signal);
	}
	if (!count)
		return 0;
	record = lp_writer_begin(&lp_rt.track.writer, LP_REC_STAMPS,
				 sizeof(*record) + count * sizeof(*stamp), 0);
	if (!record)
		return 0;
	record->events = slot->mask_events;
	record->count = count;
	memcpy(record->stamp, stamp, count * sizeof(*stamp));
	lp_writer_done(record);
	return lp_writer_ref(&lp_rt.track.writer, record);
}

void lp_signal_mask(struct lp_rec_slot *slot, uint64_t blocked, uint64_t where)
{
	uint64_t changed = blocked ^ lp_self.signals.blocked;

	if (!changed)
		return;
	lp_self.signals.blocked = blocked;
	stamp(slot, changed, blocked, where);
	if (changed & __atomic_load_n(&installed, __ATOMIC_RELAXED))
		lp_state_refresh(slot, where);
}

/* ---- handlers ---- */

/* The handler set decides about states: chains that were looked up with another are void. */
static void set_installed(uint64_t bit, bool on)
{
	uint64_t old = __atomic_load_n(&installed, __ATOMIC_RELAXED), new;

	do {
		new = on ? old | bit : old & ~bit;
		if (new == old)
			return;
	} while (!__atomic_compare_exchange_n(&installed, &old, new, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	/* the same set has the same part in the generation, so what was cached comes back */
	__atomic_fetch_add(&lp_generation, lp_hash64(new) - lp_hash64(old), __ATOMIC_RELEASE);
}

static void enter(struct lp_rec_slot *slot, struct lp_handler *handler, int signal)
{
	handler->outer = lp_self.signals.handler;
	handler->signal = signal;
	handler->user_on = lp_self.signals.user_on;
	handler->user_off = lp_self.signals.user_off;
	/* as the handler will find it: with the temporary mask of a wait, too */
	lp_signal_read_mask();
	lp_track_enter(&lp_rt.track, slot, slot->state, &handler->below);
	lp_self.signals.handler = handler;
	lp_state_refresh(slot, 0);
}

static void report_held(struct lp_rec_slot *slot)
{
	for (struct lp_held *held = lp_track_base(slot); held < lp_track_top(slot); held++)
		lp_misuse_held(slot, LP_EVENT_WORK_HELD, held);
}

static bool runs(const struct lp_handler *handler)
{
	const struct lp_handler *h = lp_self.signals.handler;

	/* a declared context may have been left out: whoever entered it has ended */
	while (h && h != handler && !h->signal)
		h = h->outer;
	return h && h == handler;
}

/* What was entered on top has ended. What can strike is as it was: nothing of it is new. */
static void end(struct lp_rec_slot *slot, const struct lp_handler *handler)
{
	struct lp_signals *signals = &lp_self.signals;
	struct situation now;

	if (lp_track_top(slot) != lp_track_base(slot))
		report_held(slot);
	signals->handler = handler->outer;
	signals->user_on = handler->user_on;
	signals->user_off = handler->user_off;
	lp_track_leave(slot, &handler->below);
	lp_next_keep(slot);
	/* but for handlers installed by this one */
	now = situation_of(signals);
	signals->let_in &= now.signals_on;
	signals->user_let_in = now.users_on;
}

/* `blocked`: the mask that the kernel will put back. */
static void leave(const struct lp_handler *handler, uint64_t blocked)
{
	struct lp_rec_slot *slot = lp_own_slot();	/* of a child, if the handler forked */

	if (!slot || !runs(handler))
		return;
	lp_self.signals.blocked = blocked;
	end(slot, handler);
	lp_state_refresh(slot, 0);
}

/* Handlers that were jumped out of. */
void lp_signal_unwind(struct lp_rec_slot *slot, uint64_t sp)
{
	uint64_t here = (uintptr_t)__builtin_frame_address(0);

	for (struct lp_handler *h = lp_self.signals.handler; h; h = h->outer) {
		/* within the frames of the handler itself, which may be on a stack of its own */
		if (sp >= here && sp <= h->frame)
			break;
		/* a declared one that lies elsewhere: who knows whether that is left */
		if (!h->signal && h->frame < here)
			break;
		lp_track_leave(slot, &h->below);
		lp_self.signals.handler = h->outer;
		lp_self.signals.user_on = h->user_on;
		lp_self.signals.user_off = h->user_off;
	}
}

typedef void handler_fn(int signal, siginfo_t *info, void *context);

void lp_signal_handler(int signal, siginfo_t *info, void *context)
{
	uint64_t action = __atomic_load_n(&action_of[signal], __ATOMIC_ACQUIRE), blocked;
	handler_fn *program = (handler_fn *)(uintptr_t)(action & LP_ACTION_HANDLER);
	struct lp_rec_slot *slot = lp_slot();
	struct lp_handler handler;

	if (action & LP_ACTION_ONCE)
		set_installed(BIT(signal), false);	/* the kernel has reset it */
	if (!slot || lp_writer_stopped(&lp_rt.track.writer)) {
		program(signal, info, context);
		return;
	}
	handler.frame = (uintptr_t)__builtin_frame_address(0);
	enter(slot, &handler, signal);
	program(signal, info, context);
	memcpy(&blocked, &((const ucontext_t *)context)->uc_sigmask, sizeof(blocked));
	leave(&handler, blocked);
}

/* ---- declared contexts ---- */

unsigned lp_user_declare(const struct lp_user *user)
{
	unsigned n = __atomic_fetch_add(&user_count, 1, __ATOMIC_RELAXED);

	if (n >= LP_USERS) {
		__atomic_store_n(&user_count, LP_USERS, __ATOMIC_RELAXED);
		return LP_USERS;
	}
	users[n].wait = user->wait;
	users[n].context = lp_track_context(&lp_rt.track, user->kind, 0, 0, user->name);
	if (user->everywhere) {
		__atomic_fetch_or(&everywhere, 1ull << n, __ATOMIC_ACQ_REL);
		lp_bump_generation();	/* all threads look at their states again */
	}
	return n;
}

static bool is_in_chain(const struct lp_handler *handler)
{
	const struct lp_handler *h = lp_self.signals.handler;

	while (h && h != handler)
		h = h->outer;
	return h != NULL;
}

/* It does not strike itself, unless it says so. */
void lp_user_enter(struct lp_rec_slot *slot, struct lp_handler *handler, unsigned user,
		   uint64_t where)
{
	struct lp_signals *signals = &lp_self.signals;

	/* a frame that was never left: its function has returned, and here it is again */
	if (is_in_chain(handler) && !lp_user_leave(slot, handler, where))
		return;
	*handler = (struct lp_handler){
		.outer = signals->handler, .frame = (uintptr_t)handler, .user = user,
		.user_on = signals->user_on, .user_off = signals->user_off,
	};
	lp_track_enter(&lp_rt.track, slot, slot->state, &handler->below);
	signals->handler = handler;
	signals->user_on &= ~(1ull << user);
	signals->user_off |= 1ull << user;
	lp_state_refresh(slot, where);
}

bool lp_user_leave(struct lp_rec_slot *slot, const struct lp_handler *handler, uint64_t where)
{
	if (!runs(handler))
		return false;
	end(slot, handler);
	lp_state_refresh(slot, where);
	return true;
}

void lp_user_set(struct lp_rec_slot *slot, unsigned user, bool on, uint64_t where)
{
	struct lp_signals *signals = &lp_self.signals;
	uint64_t bit = 1ull << user;

	signals->user_on = on ? signals->user_on | bit : signals->user_on & ~bit;
	signals->user_off = on ? signals->user_off & ~bit : signals->user_off | bit;
	lp_state_refresh(slot, where);
}

/* ---- installing ---- */

uint64_t lp_signal_action(int signal)
{
	return __atomic_load_n(&action_of[signal], __ATOMIC_ACQUIRE);
}

void lp_install_begins(struct lp_install *install, int signal, uint64_t action)
{
	install->signal = signal;
	install->action = action;
	install->was_installed = __atomic_load_n(&installed, __ATOMIC_RELAXED) & BIT(signal);
	install->old = __atomic_load_n(&action_of[signal], __ATOMIC_RELAXED);
	if (!(action & LP_ACTION_HANDLER))
		return;
	make_context(signal);
	lp_libc_arm();
	install->old = __atomic_exchange_n(&action_of[signal], action, __ATOMIC_ACQ_REL);
	set_installed(BIT(signal), true);
}

void lp_install_ended(const struct lp_install *install, bool done, uint64_t where)
{
	struct lp_rec_slot *slot = lp_own_slot();
	bool ours = install->action & LP_ACTION_HANDLER;

	if (!done && ours)
		__atomic_store_n(&action_of[install->signal], install->old, __ATOMIC_RELEASE);
	if (!done || !ours)
		set_installed(BIT(install->signal), !done && install->was_installed);
	if (slot)
		lp_state_refresh(slot, where);
}

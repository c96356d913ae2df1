/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_signal.c — handlers and masks.
 *
 * The kernel is given one handler for all, which calls the program's; whoever asks what is
 * installed is told of that. Masks are followed by their changes; what lets signals in for the
 * time of a wait counts for as long. Between vfork() and exec nothing is noted: the memory is the
 * parent's, the handlers and the mask are not.
 */
#include <signal.h>
#include <setjmp.h>
#include <string.h>
#include <ucontext.h>

#include "runtime/runtime.h"
#include "runtime/context.h"

/* Not declared by headers, or under other names. */
extern void (*bsd_signal(int signal, void (*handler)(int)))(int);
extern int bsd_sigpause(int mask) __asm__("sigpause");	/* the header means the other one */
extern int __xpg_sigpause(int signal);
extern int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		       const sigset_t *set, size_t size);
extern void __longjmp_chk(struct __jmp_buf_tag to[1], int value);

static uint64_t mask_of(const sigset_t *set)
{
	uint64_t mask;

	memcpy(&mask, set, sizeof(mask));
	return mask;
}

/* ---- handlers ---- */

static bool can_be_handled(int signal)
{
	return signal > 0 && signal < LP_SIGNALS && signal != SIGKILL && signal != SIGSTOP;
}

/* SIG_DFL, SIG_IGN, SIG_HOLD and SIG_ERR are no functions. */
static uint64_t function(uint64_t handler)
{
	return handler > 4096 && handler != (uintptr_t)SIG_ERR ? handler & LP_ACTION_HANDLER : 0;
}

static uint64_t word_of(const struct sigaction *action)
{
	uint64_t handler = function((uintptr_t)action->sa_sigaction);

	if (!handler)
		return 0;
	return handler | (action->sa_flags & SA_SIGINFO ? LP_ACTION_SIGINFO : 0) |
	       ((uint32_t)action->sa_flags & SA_RESETHAND ? LP_ACTION_ONCE : 0);
}

static bool is_followed(int signal)
{
	return lp_slot() && can_be_handled(signal) && lp_is_own_process();
}

/* What the program installed in the place of what the kernel has. */
static void show_own(struct sigaction *old, uint64_t word)
{
	bool was_reset = old->sa_handler == SIG_DFL && (word & LP_ACTION_ONCE) &&
			 ((uint32_t)old->sa_flags & SA_RESETHAND);

	/* the kernel takes the handler away and leaves the flags */
	if (was_reset && !(word & LP_ACTION_SIGINFO))
		old->sa_flags &= ~SA_SIGINFO;
	if (old->sa_sigaction != lp_signal_handler)
		return;
	old->sa_sigaction = (void (*)(int, siginfo_t *, void *))(uintptr_t)(word &
									    LP_ACTION_HANDLER);
	if (!(word & LP_ACTION_SIGINFO))
		old->sa_flags &= ~SA_SIGINFO;
}

LP_PUBLIC int sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
	struct lp_install install;
	struct sigaction ours;
	int result;

	if (!is_followed(signal))
		return lp_real.sigaction(signal, action, old);
	if (!action) {
		result = lp_real.sigaction(signal, NULL, old);
		if (!result && old)
			show_own(old, lp_signal_action(signal));
		return result;
	}
	lp_install_begins(&install, signal, word_of(action));
	if (install.action) {
		ours = *action;
		ours.sa_sigaction = lp_signal_handler;
		ours.sa_flags |= SA_SIGINFO;
		action = &ours;
	}
	result = lp_real.sigaction(signal, action, old);
	lp_install_ended(&install, result == 0, LP_SITE());
	if (!result && old)
		show_own(old, install.old);
	return result;
}

typedef void handler_fn(int signal);

static handler_fn *shown(handler_fn *result, uint64_t word)
{
	if ((uintptr_t)result != (uintptr_t)lp_signal_handler)
		return result;
	return (handler_fn *)(uintptr_t)(word & LP_ACTION_HANDLER);
}

/* The older functions, each with flags of its own. `real` is looked up first by lp_slot(). */
static handler_fn *install_by(handler_fn *(*const *real)(int, handler_fn *), int signal,
			      handler_fn *handler, uint64_t flags, uint64_t where)
{
	uint64_t address = function((uintptr_t)handler);
	struct lp_install install;
	handler_fn *result;

	if (!is_followed(signal))
		return (*real)(signal, handler);
	lp_install_begins(&install, signal, address ? address | flags : 0);
	result = (*real)(signal, address ? (handler_fn *)(uintptr_t)lp_signal_handler : handler);
	lp_install_ended(&install, result != SIG_ERR, where);
	return shown(result, install.old);
}

LP_PUBLIC handler_fn *signal(int signal, handler_fn *handler)
{
	return install_by(&lp_real.signal, signal, handler, 0, LP_SITE());
}

LP_PUBLIC handler_fn *bsd_signal(int signal, handler_fn *handler)
{
	return install_by(&lp_real.bsd_signal, signal, handler, 0, LP_SITE());
}

LP_PUBLIC handler_fn *ssignal(int signal, handler_fn *handler)
{
	return install_by(&lp_real.ssignal, signal, handler, 0, LP_SITE());
}

LP_PUBLIC handler_fn *sysv_signal(int signal, handler_fn *handler)
{
	return install_by(&lp_real.sysv_signal, signal, handler, LP_ACTION_ONCE, LP_SITE());
}

LP_PUBLIC handler_fn *__sysv_signal(int signal, handler_fn *handler)
{
	return install_by(&lp_real.__sysv_signal, signal, handler, LP_ACTION_ONCE, LP_SITE());
}

/* ---- masks ---- */

/* libc has changed the mask in a way of its own. */
static void mask_changed(uint64_t where)
{
	struct lp_rec_slot *slot = lp_own_slot();
	uint64_t before = lp_self.signals.blocked, now;

	if (!slot || lp_is_vforked())
		return;
	lp_signal_read_mask();
	now = lp_self.signals.blocked;
	lp_self.signals.blocked = before;
	lp_signal_mask(slot, now, where);
}

LP_PUBLIC handler_fn *sigset(int signal, handler_fn *handler)
{
	handler_fn *result;

	if (handler != SIG_HOLD)
		result = install_by(&lp_real.sigset, signal, handler, 0, LP_SITE());
	else
		result = shown((lp_slot(), lp_real.sigset(signal, handler)),
			       can_be_handled(signal) ? lp_signal_action(signal) : 0);
	mask_changed(LP_SITE());
	return result;
}

LP_PUBLIC int sigignore(int signal)
{
	struct lp_install install;
	int result;

	if (!is_followed(signal))
		return lp_real.sigignore(signal);
	lp_install_begins(&install, signal, 0);
	result = lp_real.sigignore(signal);
	lp_install_ended(&install, result == 0, LP_SITE());
	return result;
}

static uint64_t mask_after(int how, const sigset_t *set)
{
	uint64_t mask = mask_of(set);

	if (how == SIG_BLOCK)
		return lp_self.signals.blocked | mask;
	return how == SIG_UNBLOCK ? lp_self.signals.blocked & ~mask : mask;
}

/* A change of the mask under way. */
struct mask_change {
	uint64_t	before, after;
	bool		followed;
};

/* What is let in may strike before the call returns: it is noted first. */
static struct mask_change change_begins(int how, const sigset_t *set, uint64_t where)
{
	struct lp_rec_slot *slot = lp_slot();
	struct mask_change change = { 0 };

	if (!slot || !set || how < SIG_BLOCK || how > SIG_SETMASK || lp_is_vforked())
		return change;
	change.after = mask_after(how, set);
	change.before = lp_self.signals.blocked & change.after;
	change.followed = true;
	lp_signal_mask(slot, change.before, where);
	return change;
}

/* What gets blocked may strike until then. */
static int change_ended(const struct mask_change *change, int result, uint64_t where)
{
	struct lp_rec_slot *slot = lp_own_slot();	/* of a child, if a handler forked */

	if (result || !change->followed || !slot)
		return result;
	lp_self.signals.blocked = change->before;	/* a handler may have put the new one */
	lp_signal_mask(slot, change->after, where);
	return result;
}

LP_PUBLIC int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	struct mask_change change = change_begins(how, set, LP_SITE());

	return change_ended(&change, lp_real.pthread_sigmask(how, set, old), LP_SITE());
}

LP_PUBLIC int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	struct mask_change change = change_begins(how, set, LP_SITE());

	return change_ended(&change, lp_real.sigprocmask(how, set, old), LP_SITE());
}

#define CHANGES_MASK(call) do { \
	int result_ = (lp_slot(), call); \
	mask_changed(LP_SITE()); \
	return result_; \
} while (0)

LP_PUBLIC int sigblock(int mask)
{
	CHANGES_MASK(lp_real.sigblock(mask));
}

LP_PUBLIC int sigsetmask(int mask)
{
	CHANGES_MASK(lp_real.sigsetmask(mask));
}

LP_PUBLIC int sighold(int signal)
{
	CHANGES_MASK(lp_real.sighold(signal));
}

LP_PUBLIC int sigrelse(int signal)
{
	CHANGES_MASK(lp_real.sigrelse(signal));
}

/* ---- waits with a mask of their own ---- */

#define WAIT_WITH(mask, call) do { \
	struct lp_rec_slot *slot_ = lp_slot(); \
	uint64_t before_ = lp_self.signals.blocked; \
	typeof(call) result_; \
	if (slot_) \
		lp_signal_mask(slot_, mask, LP_SITE()); \
	result_ = call; \
	if (slot_) \
		lp_signal_mask(slot_, before_, LP_SITE()); \
	return result_; \
} while (0)

#define MASK_OR_SAME(set) ((set) ? mask_of(set) : lp_self.signals.blocked)

LP_PUBLIC int sigsuspend(const sigset_t *set)
{
	WAIT_WITH(mask_of(set), lp_real.sigsuspend(set));
}

/* BSD's takes a mask, X/Open's a signal to let in. */
LP_PUBLIC int bsd_sigpause(int mask)
{
	WAIT_WITH((lp_self.signals.blocked & ~(uint64_t)UINT32_MAX) | (uint32_t)mask,
		  lp_real.sigpause(mask));
}

LP_PUBLIC int __xpg_sigpause(int signal)
{
	WAIT_WITH(can_be_handled(signal) ? lp_self.signals.blocked & ~(1ull << (signal - 1)) :
					   lp_self.signals.blocked,
		  lp_real.__xpg_sigpause(signal));
}

LP_PUBLIC int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		    const sigset_t *set)
{
	WAIT_WITH(MASK_OR_SAME(set), lp_real.ppoll(fds, count, timeout, set));
}

LP_PUBLIC int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
			  const sigset_t *set, size_t size)
{
	WAIT_WITH(MASK_OR_SAME(set), lp_real.__ppoll_chk(fds, count, timeout, set, size));
}

LP_PUBLIC int pselect(int count, fd_set *in, fd_set *out, fd_set *other,
		      const struct timespec *timeout, const sigset_t *set)
{
	WAIT_WITH(MASK_OR_SAME(set), lp_real.pselect(count, in, out, other, timeout, set));
}

LP_PUBLIC int epoll_pwait(int fd, struct epoll_event *events, int count, int timeout,
			  const sigset_t *set)
{
	WAIT_WITH(MASK_OR_SAME(set), lp_real.epoll_pwait(fd, events, count, timeout, set));
}

LP_PUBLIC int epoll_pwait2(int fd, struct epoll_event *events, int count,
			   const struct timespec *timeout, const sigset_t *set)
{
	WAIT_WITH(MASK_OR_SAME(set), lp_real.epoll_pwait2(fd, events, count, timeout, set));
}

/* ---- jumps ---- */

/* libc keeps the stack pointer mixed with a secret of the process. */
static uint64_t stack_pointer(const struct __jmp_buf_tag *to)
{
	uint64_t value = (uint64_t)to->__jmpbuf[6], guard;

	__asm__("mov %%fs:0x30, %0" : "=r"(guard));
	return (value >> 17 | value << 47) ^ guard;
}

static void jumps(struct __jmp_buf_tag *to, uint64_t where)
{
	struct lp_rec_slot *slot = lp_slot();

	if (!slot)
		return;
	if (lp_self.signals.handler) {
		lp_signal_unwind(slot, stack_pointer(to));
		lp_state_refresh(slot, where);
	}
	if (to->__mask_was_saved)
		lp_signal_mask(slot, mask_of((const sigset_t *)&to->__saved_mask), where);
}

#define JUMP(name) \
LP_PUBLIC void name(struct __jmp_buf_tag to[1], int value) \
{ \
	jumps(to, LP_SITE()); \
	lp_real.name(to, value); \
	__builtin_unreachable(); \
}

JUMP(longjmp)
JUMP(_longjmp)
JUMP(siglongjmp)
JUMP(__longjmp_chk)

LP_PUBLIC int setcontext(const ucontext_t *to)
{
	struct lp_rec_slot *slot = lp_slot();

	if (slot)
		lp_signal_mask(slot, mask_of(&to->uc_sigmask), LP_SITE());
	return lp_real.setcontext(to);
}

LP_PUBLIC int swapcontext(ucontext_t *from, const ucontext_t *to)
{
	struct lp_rec_slot *slot = lp_slot();

	if (slot)
		lp_signal_mask(slot, mask_of(&to->uc_sigmask), LP_SITE());
	return lp_real.swapcontext(from, to);
}

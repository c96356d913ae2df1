/* SPDX-License-Identifier: Apache-2.0 */
/* cases_irq.c — reports about contexts, and about rules of kernel code: one for each variant. */
#include "cases_make.h"

/* Kernel code: a frame without a module's build id, a lock with its uses, executions on any CPU. */
#define AT(name, at, size, path, number) \
	{ .function = name, .function_offset = at, .function_size = size, .file = path, \
	  .line = number, .module = "vmlinux", .offset = 0x81000000 + (at) }
#define IN(name, path, number) \
	{ .function = name, .file = path, .line = number, .inlined = true, .module = "vmlinux", \
	  .offset = 0x81000000 }
#define SITE(name, path, number) \
	{ .function = name, .file = path, .line = number, .module = "io_uring.litmus", .offset = 7 }
#define K_LOCK(its_name, its_kind, uses, waits, its_address) \
	{ .name = its_name, .kind = its_kind, .class_key = its_name, .usage = uses, \
	  .wait = waits, .address = its_address }
#define TASK(its_name, its_number) \
	{ .comm = its_name, .pid = 8000, .tid = 8000 + (its_number), .number = its_number }
#define RUNS(its_name, its_number, in) \
	{ .comm = its_name, .pid = 8000, .tid = 8000 + (its_number), .number = its_number, \
	  .context = in, .irq = true }
#define BY(what, lock_index, index, column, ...) \
	{ .role = what, .lock = lock_index, .thread = column, .edge = index, .mode = "write", \
	  FRAMES_OF(__VA_ARGS__) }
#define READS(what, lock_index, index, column, ...) \
	{ .role = what, .lock = lock_index, .thread = column, .edge = index, .mode = "read", \
	  FRAMES_OF(__VA_ARGS__) }
#define STRIKE(index, column, name) \
	{ .edge = index, .thread = column, .context = name, .kernel = true, .on = name "-ON-W", \
	  .in = "IN-" name "-W", .safe = name, .unsafe = name }
#define SIGNAL(index, column, name) \
	{ .edge = index, .thread = column, .context = name, .signal = true, \
	  .on = name "-ON-W", .in = "IN-" name "-W", .safe = name, .unsafe = name }
/* Event stamps of a strike. */
#define STAMPS_OF(count, ...) \
	.events = count, FIELD(stamps, stamp_count, struct lp_report_stamp, __VA_ARGS__)
#define CHANGED(number, ...) { .at = number, FRAMES_OF(__VA_ARGS__) }
#define NEVER { .at = 0 }
#define CONTEXTS(...) \
	.contexts = (const char *const[]){ __VA_ARGS__ }, \
	.context_count = lp_array_size(((const char *const[]){ __VA_ARGS__ }))

#define STRIKES_NOW \
	.level = "feasible", .reason = "The interrupt can strike while the lock is held, and " \
	"nothing else keeps them apart."
#define INCONSISTENT \
	.kind = "inconsistent-lock-state", .header = "WARNING: inconsistent lock state"
#define INVERSION \
	.kind = "irq-lock-inversion", \
	.header = "WARNING: possible irq lock inversion dependency detected"
#define UNSAFE_ORDER(name) \
	.kind = "irq-unsafe-lock-order", \
	.header = "WARNING: " name "-safe -> " name "-unsafe lock order detected"

/* The seed: what syzbot saw in Linux 5.10-rc4, as its report had it. */
static const struct lp_report_finding seed = {
	.id = "00000000000000a1", INCONSISTENT, STRIKES_NOW,
	.title = "inconsistent lock state: &file_data->lock in io_file_data_ref_zero",
	LOCKS_OF(K_LOCK("&file_data->lock", "spinlock_t", "+.?.", "3:3", 0xffff888140dd94a8),
		 K_LOCK("(wq_completion)events", "lock map", "+.+.", "0:0", 0xffff888010464d38),
		 K_LOCK("(work_completion)(&w->work)#2", "lock map", "+.+.", "0:0",
			0xffffc90001b6fd80),
		 K_LOCK("rcu_callback", "lock map", "....", "0:0", 0xffffffff8bce6980),
		 K_LOCK("rcu_read_lock", "rcu", "....", "1:3", 0xffffffff8bce68c0)),
	.cycle_count = 1,
	THREADS_OF(TASK("syz-executor", 1), RUNS("kworker/1:3", 675, "SOFTIRQ")),
	STRIKES_OF({ .edge = 0, .thread = 1, .context = "SOFTIRQ", .kernel = true,
		     .on = "SOFTIRQ-ON-W", .in = "IN-SOFTIRQ-W", .safe = "SOFTIRQ",
		     .unsafe = "SOFTIRQ", STAMPS_OF(40498,
			{ "HARDIRQ", "hardirqs",
			  CHANGED(40498, IN("__raw_spin_unlock_irqrestore",
					    "include/linux/spinlock_api_smp.h", 160),
				  AT("_raw_spin_unlock_irqrestore", 0x2e, 0x60,
				     "kernel/locking/spinlock.c", 191)),
			  CHANGED(40497, IN("__raw_spin_lock_irqsave",
					    "include/linux/spinlock_api_smp.h", 108),
				  AT("_raw_spin_lock_irqsave", 0x4d, 0xa0,
				     "kernel/locking/spinlock.c", 159)) },
			{ "SOFTIRQ", "softirqs",
			  CHANGED(40390, AT("local_bh_enable", 0x5, 0x20,
					    "include/linux/bottom_half.h", 31)),
			  CHANGED(40393, AT("asm_call_irq_on_stack", 0xf, 0x20, NULL, 0)) }) }),
	CONTEXTS("SOFTIRQ"), .state = "HC0[0]:SC1[1]:HE1:SE0",
	STACKS_OF(
		BY("held", 0, 0, 0, IN("spin_lock", "include/linux/spinlock.h", 354),
		   IN("io_sqe_files_register", "fs/io_uring.c", 7496),
		   IN("__io_uring_register", "fs/io_uring.c", 9660),
		   AT("__se_sys_io_uring_register", 0x3aee, 0x3f90, "fs/io_uring.c", 9732),
		   AT("do_syscall_64", 0x2d, 0x70, "arch/x86/entry/common.c", 46)),
		{ .role = "wanted", .lock = 0, .thread = 1, .edge = 0, .mode = "write", .place = 1,
		  FRAMES_OF(IN("spin_lock", "include/linux/spinlock.h", 354),
			    AT("io_file_data_ref_zero", 0x6a, 0x3a0, "fs/io_uring.c", 7361),
			    IN("percpu_ref_put_many", "include/linux/percpu-refcount.h", 322),
			    AT("percpu_ref_put", 0x1cb, 0x1d0, "include/linux/percpu-refcount.h",
			       338),
			    IN("rcu_do_batch", "kernel/rcu/tree.c", 2476),
			    AT("rcu_core", 0x79b, 0x10b0, "kernel/rcu/tree.c", 2711),
			    AT("__do_softirq", 0x307, 0x6be, "kernel/softirq.c", 298)) }),
	STEPS_OF(STEP(0, "lock(&file_data->lock);"), STEP(0, "<Interrupt>"),
		 INNER(0, "lock(&file_data->lock);")),
	HELD_OF({ 1, 1, "write", FRAMES_OF(AT("process_one_work", 0x6f4, 0xfc0,
					   "kernel/workqueue.c", 2245)) },
		{ 1, 2, "write", FRAMES_OF(AT("process_one_work", 0x733, 0xfc0,
					   "kernel/workqueue.c", 2247)) },
		{ 1, 3, "write", FRAMES_OF(AT("rcu_lock_acquire", 0x0, 0x20, "kernel/rcu/tree.c",
					   1365)) },
		{ 1, 4, "read-recursive", FRAMES_OF(AT("rcu_lock_acquire", 0x5, 0x30,
						    "include/linux/rcupdate.h", 247)) }),
};
REPORT_OF(seed, 0, 1, 0)

/* A reader that a writer in an interrupt waits for; the interrupt was let in later. */
static const struct lp_report_finding let_in = {
	.id = "00000000000000a2", INCONSISTENT, STRIKES_NOW,
	.title = "inconsistent lock state: &tbl->lock in handler",
	LOCKS_OF(K_LOCK("&tbl->lock/1", "rwlock_t", "-+..", "3:3", 0)), .cycle_count = 1,
	THREADS_OF(TASK("P0", 1), { .context = "HARDIRQ", .irq = true }),
	STRIKES_OF({ .edge = 0, .thread = 1, .context = "HARDIRQ", .kernel = true,
		     .on = "HARDIRQ-ON-R", .in = "IN-HARDIRQ-W", .safe = "HARDIRQ",
		     .unsafe = "HARDIRQ-READ" }),
	CONTEXTS("HARDIRQ"), .state = "HC1[1]:SC0[0]:HE0:SE1",
	STACKS_OF(READS("held", 0, 0, 0, SITE("find", "table.c", 10)),
		  BY("state", 0, 0, 0, SITE("find_slow", "table.c", 17)),
		  BY("wanted", 0, 0, 1, SITE("handler", "irq.c", 5))),
	STEPS_OF(STEP(0, "rlock(&tbl->lock/1);"), STEP(0, "<Interrupt>"),
		 INNER(0, "lock(&tbl->lock/1);")),
};
REPORT_OF(let_in, 0, 1, 0)

static const struct lp_report_finding nmi = {
	.id = "00000000000000a3", INCONSISTENT, STRIKES_NOW,
	.title = "inconsistent lock state: logbuf_lock in nmi_dump",
	LOCKS_OF(K_LOCK("logbuf_lock", "raw_spinlock_t", "....", "2:2", 0)), .cycle_count = 1,
	THREADS_OF(TASK("P0", 1), RUNS("nmi_dump", 2, "NMI")),
	STRIKES_OF({ .edge = 0, .thread = 1, .context = "NMI", .kernel = true,
		     .on = "INITIAL USE", .in = "IN-NMI", .safe = "NMI", .unsafe = "NMI" }),
	CONTEXTS("NMI"), .state = "HC0[0]:SC0[0]:HE0:SE0",
	STACKS_OF(BY("held", 0, 0, 0, SITE("vprintk", "printk.c", 10)),
		  BY("wanted", 0, 0, 1, SITE("nmi_dump", "nmi.c", 5))),
	STEPS_OF(STEP(0, "lock(logbuf_lock);"), STEP(0, "<Interrupt>"),
		 INNER(0, "lock(logbuf_lock);")),
};
REPORT_OF(nmi, 0, 1, 0)

/* The same of a signal: letters for its own context only, threads instead of CPUs. */
#define POOL(uses, its_address) \
	{ .name = "&pool->lock", .kind = "mutex", .class_key = "00000000000000aa", \
	  .created = "initialised in pool_new pool.c:12", .address = its_address, .usage = uses }
#define WORKER THREAD("worker", 4711, 4712, 2, "work pool.c:60", "T1 in main pool.c:99")
#define WORKER2 THREAD("worker", 4711, 4713, 3, "work pool.c:60", "T1 in main pool.c:99")
#define RETURNS \
	{ .function = "<signal handler called>", .trampoline = true, \
	  .module = "/lib/x86_64-linux-gnu/libc.so.6", .offset = 0x3c050 }
#define HANDLER \
	CODE("on_alarm", 0x1a, 0x30, "pool.c", 72), RETURNS, \
	CODE("work", 0x22, 0x40, "pool.c", 63), LIBRARY("start_thread", 0x2f6, 0x3a0)

static const struct lp_report_finding signal_state = {
	.id = "00000000000000a4", INCONSISTENT, STRIKES_NOW,
	.title = "inconsistent lock state: &pool->lock in on_alarm",
	LOCKS_OF(POOL("?.", 0x7f3a8c000b20), { .name = "log_lock", .kind = "mutex",
		      .class_key = "00000000000000bb", .created = "static in bank",
		      .address = 0x5581a2b3c040, .usage = "+." }),
	.cycle_count = 1,
	THREADS_OF(WORKER, WORKER2),
	STRIKES_OF({ .edge = 0, .thread = 1, .context = "SIGALRM", .signal = true,
		     .on = "SIGALRM-ON-W", .in = "IN-SIGALRM-W", .safe = "SIGALRM",
		     .unsafe = "SIGALRM",
		     STAMPS_OF(4, { "SIGALRM", "SIGALRM",
				    CHANGED(4, INLINE("let_alarms_in", "pool.c", 44),
					    CODE("work", 0x20, 0x40, "pool.c", 62)),
				    CHANGED(2, CODE("work", 0x12, 0x40, "pool.c", 61)) }) }),
	CONTEXTS("SIGALRM"),
	.state = "SIGALRM:IN1:ON0",
	STACKS_OF(BY("held", 0, 0, 0, INLINE("pool_take", "pool.c", 30),
		     CODE("work", 0x1a, 0x40, "pool.c", 62),
		     LIBRARY("start_thread", 0x2f6, 0x3a0)),
		  BY("wanted", 0, 0, 1, HANDLER)),
	STEPS_OF(STEP(0, "lock(&pool->lock);"), STEP(0, "<SIGALRM>"),
		 INNER(0, "lock(&pool->lock);")),
	HELD_OF({ 1, 1, "write", FRAMES_OF(CODE("work", 0x1e, 0x40, "pool.c", 62)) }),
};
REPORT_OF(signal_state, 0, 1, 0)

static const struct lp_report_finding signal_possible = {
	.id = "00000000000000a5", INCONSISTENT, .level = "possible",
	.reason = "The orders were seen on different lock objects only.",
	.title = "inconsistent lock state: &pool->lock in on_alarm",
	LOCKS_OF(POOL("?.", 0x7f3a8c000b20), POOL("?.", 0x7f3a8c000c80)), .cycle_count = 2,
	THREADS_OF(WORKER, WORKER),
	STRIKES_OF({ .edge = 0, .thread = 1, .context = "SIGALRM", .signal = true,
		     .on = "SIGALRM-ON-W", .in = "IN-SIGALRM-W", .safe = "SIGALRM",
		     .unsafe = "SIGALRM",
		     STAMPS_OF(1, { "SIGALRM", "SIGALRM", NEVER,
				    { .at = 1, .frames = NULL } }) }),
	CONTEXTS("SIGALRM"),
	.state = "SIGALRM:IN1:ON0",
	STACKS_OF(BY("held", 0, 0, 0, CODE("work", 0x1a, 0x40, "pool.c", 62)),
		  BY("wanted", 1, 0, 1, HANDLER)),
	STEPS_OF(STEP(0, "lock(&pool->lock 7f3a8c000b20);"), STEP(0, "<SIGALRM>"),
		 INNER(0, "lock(&pool->lock 7f3a8c000c80);")),
};
REPORT_OF(signal_possible, 1, 0, 0)

#define TX K_LOCK("&dev->tx_lock", "spinlock_t", "+.-.", "3:3", 0xffff888100001000)
#define STATS K_LOCK("&dev->stats", "spinlock_t", "+.+.", "3:3", 0xffff888100002000)
#define QUEUE K_LOCK("&q->lock", "spinlock_t", "+...", "3:3", 0)

static const struct lp_report_finding unsafe_order = {
	.id = "00000000000000b1", UNSAFE_ORDER("SOFTIRQ"), STRIKES_NOW,
	.title = "irq-unsafe lock order: &dev->tx_lock -> &dev->stats -> &dev->tx_lock in xmit",
	LOCKS_OF(STATS, TX), .cycle_count = 2,
	THREADS_OF(TASK("P0", 1), TASK("P1", 2), RUNS("net_rx", 3, "SOFTIRQ")),
	STRIKES_OF(STRIKE(0, 2, "SOFTIRQ")), CONTEXTS("SOFTIRQ"),
	.state = "HC0[0]:SC0[0]:HE1:SE0",
	STACKS_OF(BY("held", 0, 0, 0, AT("stats_read", 0x10, 0x40, "dev.c", 80),
		     AT("dev_ioctl", 0x30, 0x200, "dev.c", 200)),
		  BY("wanted", 1, 0, 2, AT("rx_done", 0x12, 0x40, "dev.c", 50),
		     AT("__do_softirq", 0x307, 0x6be, "kernel/softirq.c", 298)),
		  BY("held", 1, 1, 1, AT("xmit", 0x10, 0x80, "dev.c", 20)),
		  BY("wanted", 0, 1, 1, AT("account", 0x8, 0x20, "dev.c", 10),
		     AT("xmit", 0x20, 0x80, "dev.c", 22))),
	STEPS_OF(STEP(0, "lock(&dev->stats);"), STEP(1, "local_irq_disable();"),
		 STEP(1, "lock(&dev->tx_lock);"), STEP(1, "lock(&dev->stats);"),
		 STEP(0, "<Interrupt>"), INNER(0, "lock(&dev->tx_lock);")),
	HELD_OF({ 1, 1, "write", FRAMES_OF(AT("xmit", 0x10, 0x80, "dev.c", 20)) }),
};
REPORT_OF(unsafe_order, 0, 1, 0)

/* One thread of a program, a reader in the handler, a signal let in again by sigprocmask(). */
static const struct lp_report_finding unsafe_signal = {
	.id = "00000000000000b2", .kind = "irq-unsafe-lock-order",
	.header = "WARNING: SIGALRM-READ-safe -> SIGALRM-unsafe lock order detected", .level = "possible",
	.reason = "Only one thread was seen to take these locks in these orders.",
	.title = "irq-unsafe lock order: table_lock -> &pool->lock -> table_lock in refill",
	LOCKS_OF(POOL("+.", 0), { .name = "table_lock", .kind = "rwlock", .class_key = "cc",
				  .created = "static in bank", .usage = "+-" }),
	.cycle_count = 2,
	THREADS_OF(WORKER, WORKER, WORKER), STRIKES_OF(
		{ .edge = 0, .thread = 2, .context = "SIGALRM", .signal = true,
		  .on = "SIGALRM-ON-W", .in = "IN-SIGALRM-R", .safe = "SIGALRM-READ",
		  .unsafe = "SIGALRM",
		  STAMPS_OF(0, { "SIGALRM", "SIGALRM", NEVER, NEVER }) }),
	CONTEXTS("SIGALRM"), .state = "SIGALRM:IN0:ON0",
	STACKS_OF(BY("held", 0, 0, 0, CODE("work", 0x1a, 0x40, "pool.c", 62)),
		  BY("state", 0, 0, 0, LIBRARY("pthread_sigmask", 0x45, 0x60),
		     CODE("work", 0x2a, 0x40, "pool.c", 64)),
		  READS("wanted", 1, 0, 2, HANDLER),
		  BY("held", 1, 1, 1, CODE("refill", 0x1a, 0x40, "pool.c", 82)),
		  BY("wanted", 0, 1, 1, CODE("refill", 0x2a, 0x40, "pool.c", 84))),
	STEPS_OF(STEP(0, "lock(&pool->lock);"), STEP(1, "lock(table_lock);"),
		 STEP(1, "lock(&pool->lock);"), STEP(0, "<SIGALRM>"),
		 INNER(0, "rlock(table_lock);")),
	HELD_OF({ 1, 1, "write", FRAMES_OF(CODE("refill", 0x1a, 0x40, "pool.c", 82)) }),
};
REPORT_OF(unsafe_signal, 1, 0, 0)

static const struct lp_report_finding inversion = {
	.id = "00000000000000b3", INVERSION, STRIKES_NOW,
	.title = "irq lock inversion: &dev->tx_lock -> &q->lock -> &dev->stats -> "
		 "&dev->tx_lock in rx_done",
	LOCKS_OF(TX, QUEUE, STATS), .cycle_count = 3,
	THREADS_OF(TASK("P0", 1), TASK("P1", 2), TASK("P2", 3), RUNS("net_rx", 4, "SOFTIRQ")),
	STRIKES_OF(STRIKE(2, 3, "SOFTIRQ")), CONTEXTS("SOFTIRQ"),
	.state = "HC0[0]:SC1[1]:HE1:SE0",
	STACKS_OF(BY("held", 0, 0, 0, AT("xmit", 0x10, 0x80, "dev.c", 20)),
		  BY("wanted", 1, 0, 0, AT("xmit", 0x20, 0x80, "dev.c", 22)),
		  BY("held", 1, 1, 1, AT("requeue", 0x10, 0x80, "dev.c", 30)),
		  BY("wanted", 2, 1, 1, AT("requeue", 0x20, 0x80, "dev.c", 32)),
		  BY("held", 2, 2, 2, AT("stats_read", 0x10, 0x40, "dev.c", 80)),
		  BY("wanted", 0, 2, 3, AT("rx_done", 0x12, 0x40, "dev.c", 50),
		     AT("__do_softirq", 0x307, 0x6be, "kernel/softirq.c", 298))),
	STEPS_OF(STEP(2, "lock(&dev->stats);"), STEP(0, "local_irq_disable();"),
		 STEP(0, "lock(&dev->tx_lock);"), STEP(1, "lock(&q->lock);"),
		 STEP(1, "lock(&dev->stats);"), STEP(0, "lock(&q->lock);"),
		 STEP(2, "<Interrupt>"), INNER(2, "lock(&dev->tx_lock);")),
};
REPORT_OF(inversion, 0, 1, 0)

/* Two signals, each of which wants what a thread held that the other one struck. */
static const struct lp_report_finding two_signals = {
	.id = "00000000000000b4", INVERSION, STRIKES_NOW,
	.title = "irq lock inversion: &pool->lock -> log_lock -> &pool->lock in on_usr1",
	LOCKS_OF(POOL("+.-.", 0), { .name = "log_lock", .kind = "mutex", .class_key = "bb",
				    .created = "static in bank", .usage = "-.+." }),
	.cycle_count = 2,
	THREADS_OF(WORKER, WORKER2, WORKER, WORKER2),
	STRIKES_OF({ .edge = 1, .thread = 2, .context = "SIGUSR1", .signal = true,
		     .on = "SIGUSR1-ON-W", .in = "IN-SIGUSR1-W", .safe = "SIGUSR1",
		     .unsafe = "SIGUSR1",
		     STAMPS_OF(3, { "SIGUSR1", "SIGUSR1",
				    CHANGED(3, CODE("tell", 0x2a, 0x40, "log.c", 14)),
				    NEVER }) },
		   SIGNAL(0, 3, "SIGALRM")),
	CONTEXTS("SIGALRM", "SIGUSR1"), .state = "SIGUSR1:IN1:ON0",
	STACKS_OF(BY("held", 0, 0, 0, CODE("work", 0x1a, 0x40, "pool.c", 62)),
		  BY("wanted", 1, 0, 3, CODE("on_alarm", 0x1a, 0x30, "pool.c", 72)),
		  BY("held", 1, 1, 1, CODE("tell", 0x1a, 0x40, "log.c", 12)),
		  BY("state", 1, 1, 1, LIBRARY("pthread_sigmask", 0x45, 0x60),
		     CODE("tell", 0x2a, 0x40, "log.c", 14)),
		  BY("wanted", 0, 1, 2, CODE("on_usr1", 0x1a, 0x30, "pool.c", 76))),
	STEPS_OF(STEP(1, "lock(log_lock);"), STEP(0, "lock(&pool->lock);"),
		 STEP(0, "<SIGALRM>"), INNER(0, "lock(log_lock);"), STEP(1, "<SIGUSR1>"),
		 INNER(1, "lock(&pool->lock);")),
};
REPORT_OF(two_signals, 0, 1, 0)

#define WAITS \
	.kind = "invalid-wait-context", .header = "BUG: Invalid wait context", ACTUAL

static const struct lp_report_finding wait_held = {
	.id = "00000000000000c1", WAITS, .title = "invalid wait context: &cfg->mutex in apply",
	LOCKS_OF(K_LOCK("&cfg->mutex", "struct mutex", "+.+.", "4:4", 0xffff888100003000), TX),
	.cycle_count = 1, THREADS_OF(TASK("P0", 1)),
	STACKS_OF(BY("wanted", 0, 0, 0, AT("apply", 0x10, 0x20, "cfg.c", 8))),
	HELD_OF({ 0, 1, "write", FRAMES_OF(AT("reconfigure", 0x10, 0x20, "dev.c", 90)) }),
	.forbidden = "while &dev->tx_lock is held", .wait_context = 5,
};
REPORT_OF(wait_held, 0, 0, 1)

static const struct lp_report_finding wait_irq = {
	.id = "00000000000000c2", WAITS, .title = "invalid wait context: &dev->tx_lock in handler",
	LOCKS_OF(TX), .cycle_count = 1, THREADS_OF(RUNS("handler", 2, "HARDIRQ")),
	CONTEXTS("HARDIRQ"),
	STACKS_OF(BY("wanted", 0, 0, 0, AT("handler", 0x10, 0x20, "dev.c", 95))),
	.forbidden = "in HARDIRQ context", .wait_context = 2,
};
REPORT_OF(wait_irq, 0, 0, 1)

static const struct lp_report_finding wait_sleep = {
	.id = "00000000000000c3", WAITS, .title = "invalid wait context in reconfigure",
	.event_text = "slept where it must not",
	LOCKS_OF(TX), THREADS_OF(TASK("P0", 1)),
	STACKS_OF(BY("event", 0, 0, 0, AT("reconfigure", 0x18, 0x20, "dev.c", 92))),
	HELD_OF({ 0, 0, "write", FRAMES_OF(AT("reconfigure", 0x10, 0x20, "dev.c", 90)) }),
	.wait_context = 5,
};
REPORT_OF(wait_sleep, 0, 0, 1)

#define NOT_TAKEN \
	.kind = "nested-lock-not-taken", ACTUAL, THREADS_OF(TASK("P0", 1)), .cycle_count = 1

static const struct lp_report_finding nest = {
	.id = "00000000000000d1", NOT_TAKEN, .header = "WARNING: Nested lock was not taken",
	.title = "nested lock not taken: &child->lock in adopt",
	.event_text = "took a lock nested in one that it does not hold",
	LOCKS_OF(K_LOCK("&child->lock", "spinlock_t", "+.+.", "3:3", 0)), .nest = "&parent->lock",
	STACKS_OF(BY("event", 0, 0, 0, AT("adopt", 0x10, 0x20, "tree.c", 8))),
};
REPORT_OF(nest, 0, 0, 1)

static const struct lp_report_finding assert_held = {
	.id = "00000000000000d2", NOT_TAKEN, .header = "WARNING: a lock must be held and is not",
	.title = "nested lock not taken: &parent->lock in rebalance",
	.event_text = "asserted that a lock is held, which it is not",
	.attempt = "asserts that it holds lock", .objection = "but it does not hold that lock!",
	LOCKS_OF(K_LOCK("&parent->lock", "spinlock_t", "+.+.", "3:3", 0)),
	STACKS_OF(BY("event", 0, 0, 0, AT("rebalance", 0x10, 0x20, "tree.c", 8))),
};
REPORT_OF(assert_held, 0, 0, 1)

static const struct lp_report_finding assert_not_held = {
	.id = "00000000000000d3", .kind = "recursive-locking", ACTUAL,
	.header = "WARNING: a lock is held that must not be",
	.title = "recursive locking: &dev->tx_lock in flush",
	.event_text = "asserted that a lock is not held, which it is",
	.attempt = "asserts that it does not hold lock",
	LOCKS_OF(TX), .cycle_count = 1, THREADS_OF(TASK("P0", 1)),
	STACKS_OF(BY("event", 0, 0, 0, AT("flush", 0x10, 0x20, "dev.c", 38)),
		  BY("held", 0, 0, 0, AT("xmit", 0x10, 0x80, "dev.c", 20))),
	HELD_OF({ 0, 0, "write", FRAMES_OF(AT("xmit", 0x10, 0x80, "dev.c", 20)) }),
};
REPORT_OF(assert_not_held, 0, 0, 1)

#define BALANCE \
	.kind = "bad-unlock-balance", ACTUAL, LOCKS_OF(TX), .cycle_count = 1, \
	THREADS_OF(TASK("P0", 1)), \
	STACKS_OF(BY("event", 0, 0, 0, AT("xmit", 0x30, 0x80, "dev.c", 25)))

static const struct lp_report_finding pinned = {
	.id = "00000000000000d4", BALANCE, .header = "WARNING: releasing a pinned lock",
	.title = "unlock of a pinned lock: &dev->tx_lock in xmit",
	.event_text = "released a lock that is pinned", .objection = "but that lock is pinned!",
	HELD_OF({ 0, 0, "write", FRAMES_OF(AT("xmit", 0x10, 0x80, "dev.c", 20)) }),
};
REPORT_OF(pinned, 0, 0, 1)

static const struct lp_report_finding not_pinned = {
	.id = "00000000000000d5", BALANCE, .header = "WARNING: unpinning an unpinned lock",
	.title = "lock is not pinned: &dev->tx_lock in xmit",
	.event_text = "unpinned a lock that is not pinned, or pinned one it does not hold",
	.attempt = "is trying to pin or unpin lock",
	.objection = "but that lock is not pinned, or not held!",
};
REPORT_OF(not_pinned, 0, 0, 1)

#define RCU \
	.kind = "suspicious-rcu-usage", .header = "WARNING: suspicious RCU usage", ACTUAL

/* No lock at all; and a lock that would have done as well. */
static const struct lp_report_finding rcu = {
	.id = "00000000000000e1", RCU, .title = "suspicious RCU usage in lookup",
	.event_text = "suspicious rcu_dereference_check() usage",
	THREADS_OF(TASK("P0", 1)),
	STACKS_OF(BY("event", 0, 0, 0, AT("lookup", 0x10, 0x20, "net/table.c", 120))),
};
REPORT_OF(rcu, 0, 0, 1)

static const struct lp_report_finding rcu_sleep = {
	.id = "00000000000000e2", RCU, .title = "suspicious RCU usage: rcu_read_lock in lookup",
	.event_text = "Illegal context switch in RCU read-side critical section",
	LOCKS_OF(K_LOCK("rcu_read_lock", "rcu", "....", "1:3", 0xffffffff8bce68c0)),
	.cycle_count = 1, THREADS_OF(TASK("P0", 1)),
	STACKS_OF(BY("event", 0, 0, 0, BARE("scenario", 0x10))),
	HELD_OF({ 0, 0, "read-recursive", FRAMES_OF(AT("lookup", 0x8, 0x20, "net/table.c", 118)) }),
};
REPORT_OF(rcu_sleep, 0, 0, 1)

#define INVALID .kind = "invalid-lock", .header = "WARNING: invalid lock", ACTUAL

static const struct lp_report_finding not_initialised = {
	.id = "00000000000000f2", INVALID, .title = "invalid lock: &dev->tx_lock in probe",
	.event_text = "used a lock that was never initialised",
	.attempt = "is using a lock that was never initialised:",
	LOCKS_OF(TX), .cycle_count = 1, THREADS_OF(TASK("P0", 1)),
	STACKS_OF(BY("event", 0, 0, 0, AT("probe", 0x10, 0x20, "dev.c", 5))),
};
REPORT_OF(not_initialised, 0, 0, 1)

static const struct lp_report_finding freed_memory = {
	.id = "00000000000000f3", .kind = "held-lock-freed", ACTUAL,
	.header = "WARNING: held lock freed!",
	.title = "held lock freed: &dev->tx_lock in remove",
	.event_text = "freed memory with a lock in it that is held",
	.attempt = "is freeing memory around ffff888100001000, with a lock still held there!",
	LOCKS_OF(TX), .cycle_count = 1, THREADS_OF(TASK("P0", 1)),
	STACKS_OF(BY("event", 0, 0, 0, AT("remove", 0x14, 0x20, "dev.c", 35)),
		  BY("held", 0, 0, 0, AT("remove", 0x10, 0x20, "dev.c", 33))),
	HELD_OF({ 0, 0, "write", FRAMES_OF(AT("remove", 0x10, 0x20, "dev.c", 33)) }),
};
REPORT_OF(freed_memory, 0, 0, 1)

/* A cycle of kernel locks without any strike; one side runs in softirq. */
static const struct lp_report_finding circular_kernel = {
	.id = "00000000000000f1", CIRCULAR, FEASIBLE,
	.title = "circular locking: &dev->tx_lock -> &dev->stats -> &dev->tx_lock in rx_done",
	LOCKS_OF(TX, STATS), .cycle_count = 2,
	THREADS_OF(TASK("P0", 1), RUNS("net_rx", 3, "SOFTIRQ")),
	STACKS_OF(BY("held", 0, 0, 0, AT("xmit", 0x10, 0x80, "dev.c", 20)),
		  BY("wanted", 1, 0, 0, AT("xmit", 0x20, 0x80, "dev.c", 22)),
		  BY("held", 1, 1, 1, AT("rx_done", 0x12, 0x40, "dev.c", 50)),
		  BY("wanted", 0, 1, 1, AT("rx_done", 0x22, 0x40, "dev.c", 52))),
	STEPS_OF(STEP(1, "lock(&dev->stats);"), STEP(0, "lock(&dev->tx_lock);"),
		 STEP(0, "lock(&dev->stats);"), STEP(1, "lock(&dev->tx_lock);")),
	HELD_OF({ 1, 1, "write", FRAMES_OF(AT("rx_done", 0x12, 0x40, "dev.c", 50)) }),
};
REPORT_OF(circular_kernel, 0, 1, 0)

/* A child of one thread wants what another one held, and is no longer there to release. */
static const struct lp_report_finding forked_child = {
	.id = "00000000000000a6", INCONSISTENT, .level = "feasible",
	.reason = "Another thread may hold the lock at the moment of the fork; in the child nobody "
		  "ever releases it.",
	.title = "inconsistent lock state: &pool->lock in work",
	LOCKS_OF(POOL("?.", 0)), .cycle_count = 1,
	THREADS_OF(WORKER, { .comm = "bank", .pid = 4720, .tid = 4720, .number = 4,
			     .created_by = "T1", .forked = true }),
	STRIKES_OF({ .edge = 0, .thread = 1, .context = "FORK", .fork = true,
		     .forker = "T1 bank/4711", .on = "FORK-ON-W", .in = "IN-FORK-W",
		     .safe = "FORK", .unsafe = "FORK" }),
	CONTEXTS("FORK"), .state = "FORK:IN1:ON0",
	STACKS_OF(BY("held", 0, 0, 0, CODE("work", 0x1a, 0x40, "pool.c", 62)),
		  BY("wanted", 0, 0, 1, CODE("child", 0x1a, 0x40, "pool.c", 90))),
	STEPS_OF(STEP(0, "lock(&pool->lock);"), STEP(0, "<T1 bank/4711 forks; in the child:>"),
		 INNER(0, "lock(&pool->lock);")),
};
REPORT_OF(forked_child, 0, 1, 0)

const struct render_case irq_cases[] = {
	{ "inconsistent-lock-state", &seed_report },
	{ "inconsistent-let-in", &let_in_report },
	{ "inconsistent-nmi", &nmi_report },
	{ "inconsistent-signal", &signal_state_report },
	{ "inconsistent-signal-possible", &signal_possible_report },
	{ "forked-child", &forked_child_report },
	{ "irq-unsafe-lock-order", &unsafe_order_report },
	{ "irq-unsafe-signal", &unsafe_signal_report },
	{ "irq-lock-inversion", &inversion_report },
	{ "irq-inversion-signals", &two_signals_report },
	{ "invalid-wait-context", &wait_held_report },
	{ "invalid-wait-irq", &wait_irq_report },
	{ "invalid-wait-sleep", &wait_sleep_report },
	{ "nested-lock-not-taken", &nest_report },
	{ "assert-held", &assert_held_report },
	{ "assert-not-held", &assert_not_held_report },
	{ "pinned", &pinned_report },
	{ "not-pinned", &not_pinned_report },
	{ "suspicious-rcu-usage", &rcu_report },
	{ "suspicious-rcu-sleep", &rcu_sleep_report },
	{ "invalid-lock", &not_initialised_report },
	{ "freed-memory", &freed_memory_report },
	{ "circular-kernel", &circular_kernel_report },
	{ NULL, NULL },
};

/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c — the supervisor's loop; see watch.h. */
#include "cli/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/print.h"
#include "cli/proc.h"
#include "facts/vec.h"

#define TICK_MIN_MS	50u
#define TICK_MAX_MS	250u
#define TICK_COST	40u	/* a tick's work is at most one part in this of all time */
#define STABLE_LOOKS	3u
#define STABLE_MS	250u
#define KILL_AFTER_MS	1000u
#define LOCK_SIZE	64u	/* of the largest kind of lock: its futexes lie inside */
#define OPEN_PER_TICK	256u
#define OPEN_TRIES	40u	/* an image that is not there by then never comes */
#define RETIRE_TICKS	5u
#define TREE_IMAGES_MAX	(1u << 20)

/* An image that is announced but was not ready yet. */
struct coming {
	uint32_t	index;
	uint32_t	tries;
};

struct shown {
	uint64_t	id;
	enum lp_level	level;
};

/* An image whose process seems to be gone. */
struct quiet {
	const struct lp_source *source;
	uint64_t	tail;
	uint32_t	ticks;
};

struct doomed {
	pid_t		pid;
	uint64_t	kill_at_ms;	/* 0: done */
};

struct lp_watch {
	struct lp_watch_request request;
	struct lp_blocked *blocked;
	struct lp_stalled *stalled;
	uint32_t	announced;	/* images of image 0's next_index that were looked at */
	LP_VEC(struct coming) coming;
	LP_VEC(struct shown) shown;
	LP_VEC(struct quiet) quiet;
	LP_VEC(struct doomed) doomed;
	size_t		unrecorded_deadlocks;
	uint64_t	now_ms;
	bool		blind;
};

static uint64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Processor time that we have used. */
static uint64_t cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

struct lp_watch *lp_watch_create(const struct lp_watch_request *request)
{
	struct lp_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->request = *request;
	watch->blocked = lp_blocked_create(STABLE_LOOKS, STABLE_MS);
	watch->stalled = lp_stalled_create();
	if (watch->blocked && watch->stalled)
		return watch;
	lp_watch_destroy(watch);
	return NULL;
}

void lp_watch_destroy(struct lp_watch *watch)
{
	if (!watch)
		return;
	lp_blocked_destroy(watch->blocked);
	lp_stalled_destroy(watch->stalled);
	lp_vec_finish(&watch->coming);
	lp_vec_finish(&watch->shown);
	lp_vec_finish(&watch->quiet);
	lp_vec_finish(&watch->doomed);
	free(watch);
}

/* ---- images of programs started by exec ---- */

/* False: it is not ready. */
static bool open_image(struct lp_watch *watch, uint32_t index)
{
	char *path = lp_recording_path(watch->request.recording, index);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	struct lp_source *source = NULL;
	const char *problem;
	struct stat status;

	free(path);
	if (fd < 0)
		return false;
	if (!fstat(fd, &status) && S_ISREG(status.st_mode) &&
	    status.st_size >= (off_t)LP_IMAGE_HEADER_SIZE)
		source = lp_session_map(watch->request.session, fd, (size_t)status.st_size,
					&problem);
	close(fd);
	return source != NULL;
}

static void expect(struct lp_watch *watch, uint32_t index)
{
	if (open_image(watch, index))
		return;
	if (lp_vec_room(&watch->coming, 1))
		lp_vec_push(&watch->coming, ((struct coming){ index, 0 }));
}

static void open_images(struct lp_watch *watch)
{
	uint32_t announced = lp_session_source(watch->request.session, 0)->state.next_index;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < watch->coming.count; i++) {
		struct coming coming = watch->coming.at[i];

		if (!open_image(watch, coming.index) && ++coming.tries < OPEN_TRIES)
			watch->coming.at[kept++] = coming;
	}
	watch->coming.count = kept;
	for (uint32_t i = 0; i < OPEN_PER_TICK && watch->announced < announced &&
			     watch->announced < TREE_IMAGES_MAX; i++)
		expect(watch, ++watch->announced);
}

/* ---- findings ---- */

static struct shown *find_shown(const struct lp_watch *watch, uint64_t id)
{
	for (uint32_t i = 0; i < watch->shown.count; i++)
		if (watch->shown.at[i].id == id)
			return &watch->shown.at[i];
	return NULL;
}

bool lp_watch_has_shown(const struct lp_watch *watch)
{
	return watch->shown.count != 0;
}

bool lp_watch_is_news(void *context, const struct lp_finding *finding)
{
	const struct shown *shown = find_shown(context, finding->id);

	return !shown || shown->level < finding->level;
}

static void print_finding(struct lp_watch *watch, const struct lp_finding *finding)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int error;

	if (!out)
		return;
	error = lp_print_finding(watch->request.session, out, finding, &watch->request.options);
	if (fclose(out) || error) {
		free(text);
		return;
	}
	lp_output_write(STDERR_FILENO, text, size);
	free(text);
	if (lp_vec_room(&watch->shown, 1))
		lp_vec_push(&watch->shown, ((struct shown){ finding->id, finding->level }));
}

/* Show each finding once; one whose level rises comes again in the final report. */
static void show_findings(struct lp_watch *watch)
{
	const struct lp_engine *engine = lp_session_engine(watch->request.session);

	if (!watch->request.show)
		return;
	for (size_t i = 0; i < lp_engine_finding_count(engine); i++) {
		const struct lp_finding *finding = lp_engine_finding(engine, i);

		if (lp_session_shows(finding, watch->request.options.strict) &&
		    !find_shown(watch, finding->id))
			print_finding(watch, finding);
	}
}

static void read_and_judge(struct lp_watch *watch)
{
	struct lp_session *session = watch->request.session;
	int result = lp_session_poll(session);

	if (result >= 0)
		result = lp_session_judge(session);
	if (result < 0)
		watch->blind = true;
	if (result)
		show_findings(watch);
}

/* ---- deadlocks ---- */

static struct doomed *find_doomed(const struct lp_watch *watch, pid_t pid)
{
	for (uint32_t i = 0; i < watch->doomed.count; i++)
		if (watch->doomed.at[i].pid == pid)
			return &watch->doomed.at[i];
	return NULL;
}

/* The process has been told to end: see to it that it does. */
static void doom(struct lp_watch *watch, pid_t pid)
{
	int signal = watch->request.settings->on_deadlock == LP_DEADLOCK_KILL ? SIGKILL : SIGABRT;

	if (lp_vec_room(&watch->doomed, 1))
		lp_vec_push(&watch->doomed,
			    ((struct doomed){ pid, monotonic_ms() + KILL_AFTER_MS }));
	kill(pid, signal);
}

static void kill_doomed(struct lp_watch *watch)
{
	for (uint32_t i = 0; i < watch->doomed.count; i++) {
		struct doomed *doomed = &watch->doomed.at[i];

		if (!doomed->kill_at_ms || watch->now_ms < doomed->kill_at_ms)
			continue;
		doomed->kill_at_ms = 0;
		if (lp_proc_alive(doomed->pid))
			kill(doomed->pid, SIGKILL);
	}
}

/* Is the thread really blocked in what it wants? */
static bool is_blocked(const struct lp_watch *watch, const struct lp_blocked_thread *thread)
{
	const struct lp_model *model = lp_session_model(watch->request.session);
	enum lp_lock_kind kind = thread->wanted ?
		lp_model_node_fine(model, thread->wanted)->kind : LP_LOCK_MUTEX;

	if (kind == LP_LOCK_SPINLOCK)
		return lp_proc_running((pid_t)thread->pid, (pid_t)thread->tid);
	if (lp_model_is_life(lp_model_node_fine(model, thread->wanted)))
		return lp_proc_in_futex((pid_t)thread->pid, (pid_t)thread->tid, thread->lock,
					LP_PROC_THREAD_SIZE);
	/* of a program's own kind: nobody knows where its futex lies, or whether it spins */
	if (kind > LP_LOCK_COND)
		return lp_proc_in_futex((pid_t)thread->pid, (pid_t)thread->tid, 0, UINT64_MAX) ||
		       lp_proc_running((pid_t)thread->pid, (pid_t)thread->tid);
	return lp_proc_in_futex((pid_t)thread->pid, (pid_t)thread->tid, thread->lock, LOCK_SIZE);
}

static bool is_deadlock(const struct lp_watch *watch, const struct lp_blocked_thread *cycle,
			size_t count)
{
	const struct lp_session *session = watch->request.session;

	if (find_doomed(watch, (pid_t)cycle->pid) ||
	    lp_session_superseded(session, cycle->thread, cycle->pid))
		return false;
	if (lp_session_is_recorded(cycle, count) && !lp_session_is_cycle(session, cycle, count))
		return false;
	if (lp_session_is_doubtful(session, cycle, count) &&
	    lp_stalled_ms(watch->stalled, cycle->pid) < STABLE_MS)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!is_blocked(watch, &cycle[i]))
			return false;
	return true;
}

static void tell_unrecorded(struct lp_watch *watch, const struct lp_blocked_thread *cycle,
			    size_t count)
{
	watch->unrecorded_deadlocks++;
	lp_error("deadlock: %zu %s of process %u (thread %u among them) %s, in acquisitions that "
		 "were not recorded", count, count == 1 ? "thread" : "threads", cycle->pid,
		 cycle->tid, count == 1 ? "waits for itself" : "wait for one another");
}

static void on_cycle(void *context, const struct lp_blocked_thread *cycle, size_t count)
{
	struct lp_watch *watch = context;
	bool first_act = watch->request.settings->on_deadlock != LP_DEADLOCK_REPORT;

	if (!is_deadlock(watch, cycle, count))
		return;
	if (first_act)
		doom(watch, (pid_t)cycle->pid);
	if (!lp_session_is_recorded(cycle, count))
		tell_unrecorded(watch, cycle, count);
	else if (lp_session_add_deadlock(watch->request.session, cycle, count))
		watch->blind = true;
	show_findings(watch);
	if (!first_act)
		doom(watch, (pid_t)cycle->pid);
}

/* No thread of a process can go on, and no cycle of locks says why. */
static void on_stalled(void *context, const struct lp_stalled_thread *threads, size_t count)
{
	struct lp_watch *watch = context;
	bool first_act = watch->request.settings->on_deadlock != LP_DEADLOCK_REPORT;

	if (find_doomed(watch, (pid_t)threads->pid) ||
	    lp_session_superseded(watch->request.session, threads->thread, threads->pid) ||
	    lp_stalled_ms(watch->stalled, threads->pid) < lp_stalled_patience_ms(threads, count))
		return;
	watch->unrecorded_deadlocks++;
	if (first_act)
		doom(watch, (pid_t)threads->pid);
	lp_stalled_tell(watch->request.session, threads, count);
	if (!first_act)
		doom(watch, (pid_t)threads->pid);
}

static void look_for_deadlocks(struct lp_watch *watch)
{
	lp_blocked_begin(watch->blocked, watch->now_ms);
	lp_stalled_begin(watch->stalled, watch->now_ms);
	if (lp_session_look(watch->request.session, watch->blocked, watch->stalled) ||
	    lp_blocked_judge(watch->blocked, on_cycle, watch))
		watch->blind = true;
	else
		lp_stalled_each(watch->stalled, LP_STALLED_LOCK_MS, on_stalled, watch);
}

/* ---- processes that have ended ---- */

/* Is any process that uses the image alive? */
static bool is_in_use(const struct lp_source *source)
{
	struct lp_live_thread live;
	uint32_t cursor = 0, last = source->state.claimed_pid;

	if (lp_proc_alive((pid_t)last))
		return true;
	while (lp_reader_next_live(source->reader, &cursor, &live)) {
		if (live.pid == last)
			continue;
		last = live.pid;
		if (lp_proc_alive((pid_t)last))
			return true;
	}
	return false;
}

static struct quiet *find_quiet(struct lp_watch *watch, const struct lp_source *source)
{
	for (uint32_t i = 0; i < watch->quiet.count; i++)
		if (watch->quiet.at[i].source == source)
			return &watch->quiet.at[i];
	if (!lp_vec_room(&watch->quiet, 1))
		return NULL;
	lp_vec_push(&watch->quiet, ((struct quiet){ source, 0, 0 }));
	return &watch->quiet.at[watch->quiet.count - 1];
}

/*
 * Address space and memory are not for ever: give back images nobody writes to. A child that was
 * just forked shows up late, so wait until nothing has happened for a while. Image 0 stays: it
 * counts the others.
 */
static void retire_images(struct lp_watch *watch)
{
	const struct lp_session *session = watch->request.session;

	for (size_t i = 1; i < lp_session_source_count(session); i++) {
		struct lp_source *source = lp_session_source(session, i);
		struct quiet *quiet;

		if (!source->reader || is_in_use(source))
			continue;
		quiet = find_quiet(watch, source);
		if (!quiet)
			continue;
		if (quiet->tail != source->state.tail)
			*quiet = (struct quiet){ source, source->state.tail, 0 };
		if (++quiet->ticks < RETIRE_TICKS)
			continue;
		lp_session_retire(source);
		lp_recording_drop(watch->request.recording, source->state.index);
		*quiet = watch->quiet.at[--watch->quiet.count];
	}
}

static bool is_program_alive(int pid)
{
	return lp_proc_alive((pid_t)pid);
}

/* Distinct processes alive that some image knows, among the first of `pids`. */
static size_t add_if_alive(uint32_t *pids, size_t count, size_t room, uint32_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (pids[i] == pid)
			return count;
	if (count < room && lp_proc_alive((pid_t)pid))
		pids[count++] = pid;
	return count;
}

static size_t count_alive(const struct lp_watch *watch)
{
	uint32_t pids[256];
	size_t count = 0;

	for (size_t i = 0; i < lp_session_source_count(watch->request.session); i++) {
		const struct lp_source *source = lp_session_source(watch->request.session, i);
		struct lp_live_thread live;
		uint32_t cursor = 0, last = source->state.claimed_pid;

		if (!source->reader)
			continue;
		count = add_if_alive(pids, count, lp_array_size(pids), last);
		while (lp_reader_next_live(source->reader, &cursor, &live)) {
			if (live.pid != last)
				count = add_if_alive(pids, count, lp_array_size(pids), live.pid);
			last = live.pid;
		}
	}
	return count;
}

/* ---- the loop ---- */

/* Do the facts know this process, which may have ended since? */
static bool is_recorded_process(void *context, pid_t pid)
{
	struct lp_watch *watch = context;
	const struct lp_model *model = lp_session_model(watch->request.session);

	if (watch->blind || lp_session_poll(watch->request.session) < 0)
		return false;
	open_images(watch);
	if (lp_session_poll(watch->request.session) < 0)
		return false;
	for (uint32_t i = 1; i < model->processes.count; i++)
		if (model->processes.at[i].pid == (uint32_t)pid)
			return true;
	return false;
}

static void tick(struct lp_watch *watch)
{
	watch->now_ms = monotonic_ms();
	kill_doomed(watch);
	if (watch->blind)
		return;
	open_images(watch);
	read_and_judge(watch);
	if (!watch->blind)
		look_for_deadlocks(watch);
	retire_images(watch);
}

/* How long to sleep after a tick that took `cost_us` of processor time. */
static unsigned pause_ms(uint64_t cost_us)
{
	uint64_t pause = cost_us * TICK_COST / 1000;

	if (pause < TICK_MIN_MS)
		return TICK_MIN_MS;
	return pause > TICK_MAX_MS ? TICK_MAX_MS : (unsigned)pause;
}

static bool has_ended(pid_t pid, int *status)
{
	pid_t ended;

	do
		ended = waitpid(pid, status, WNOHANG);
	while (ended < 0 && errno == EINTR);
	return ended != 0;
}

/* What processes left behind, and those that were started last. */
static void finish(struct lp_watch *watch, struct lp_watch_result *result)
{
	const struct lp_session *session = watch->request.session;
	uint32_t announced;
	size_t sources;

	watch->now_ms = monotonic_ms();
	do {
		read_and_judge(watch);
		announced = watch->announced;
		sources = lp_session_source_count(session);
		open_images(watch);
	} while (!watch->blind && (watch->announced != announced ||
				   lp_session_source_count(session) != sources));
	if (!watch->blind &&
	    lp_session_add_last_deadlocks(watch->request.session, is_program_alive))
		watch->blind = true;
	show_findings(watch);
	result->still_running = count_alive(watch);
}

void lp_watch_run(struct lp_watch *watch, pid_t pid, struct lp_watch_result *result)
{
	unsigned pause = TICK_MIN_MS;

	*result = (struct lp_watch_result){ 0 };
	while (!has_ended(pid, &result->status)) {
		uint64_t before;

		lp_signal_wait(watch->request.inherited, pid, pause, is_recorded_process,
			       watch);
		before = cpu_us();
		tick(watch);
		pause = pause_ms(cpu_us() - before);
	}
	finish(watch, result);
	result->unrecorded_deadlocks = watch->unrecorded_deadlocks;
	result->blind = watch->blind;
}

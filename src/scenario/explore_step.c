/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_step.c — one state and all that can happen next. docs/explorer.md says it in words.
 */
#include "scenario/explore_private.h"

/* ---- decoding ---- */

static void load_frames(struct machine *m, uint32_t c)
{
	const struct x_column *column = &m->columns[c];
	uint32_t depth = 0, pc = 0, top;

	while (depth < column->levels &&
	       (top = load_pc(m, m->now + frame_at(m, c, depth)))) {
		const struct x_op *op = op_at(m, pc = top);

		depth++;
		if (column->kind == COLUMN_CHILD)
			continue;
		m->running[op->body]++;
		m->runs_in[op->body] = c + 1;
		if (m->waits && op->kind == LP_OP_ACQUIRE && waiting(m, frame_at(m, c, depth - 1)))
			m->locks[op->object].queued++;
	}
	m->depth[c] = depth;
	m->pc[c] = pc;
}

static void load_holds(struct machine *m, uint32_t c)
{
	const struct x_column *column = &m->columns[c];
	const uint8_t *holds = m->now + column->holds;
	const uint32_t *own = m->bodies[column->body].own, shared = m->handler_object_count;

	for (uint32_t i = 0; i < column->hold_count; i++) {
		struct x_lock *lock;
		uint32_t object;

		if (!holds[i])
			continue;
		object = i < shared ? m->handler_objects[i] : own[i - shared];
		lock = &m->locks[object];
		if (m->objects[object].local)
			continue;
		if (holds[i] & HELD_WRITE)
			lock->owner = c + 1;
		else
			lock->readers++;
	}
}

void lp_x_load(struct machine *m, const uint8_t *state)
{
	memcpy(m->now, state, m->size);
	memset(m->locks, 0, m->scenario->object_count * sizeof(*m->locks));
	memset(m->running, 0, m->scenario->body_count * sizeof(*m->running));
	for (uint32_t c = 0; c < m->column_count; c++) {
		load_frames(m, c);
		if (m->columns[c].kind != COLUMN_CHILD)
			load_holds(m, c);
	}
}

/* ---- making a successor ---- */

static void begin(struct machine *m)
{
	memcpy(m->next, m->now, m->size);
}

static void emit(struct machine *m, uint32_t c, uint32_t what, uint32_t way)
{
	struct choice choice = { .column = c, .body = op_at(m, m->pc[c])->body, .op = m->pc[c],
				 .way = way, .what = (uint8_t)what };

	if (!m->stop && !m->emit(m->context, &choice))
		m->stop = true;
}

static uint8_t *next_cpu(const struct machine *m, uint32_t c)
{
	return m->next + m->columns[c].cpu;
}

/* The top frame ends: what it interrupted goes on as it was. */
static void pop(struct machine *m, uint32_t c)
{
	uint8_t *frame = m->next + top_frame(m, c);

	if (m->depth[c] > 1)
		memcpy(next_cpu(m, c), frame + m->frame_cpu, m->cpu_size);
	else
		memset(next_cpu(m, c), 0, m->cpu_size);
	if (m->depth[c] == 1 && m->columns[c].kind == COLUMN_CHILD)
		memset(m->next + m->columns[c].holds, 0, m->columns[c].hold_count);
	memset(frame, 0, m->columns[c].frame_size);
}

static void go_on(struct machine *m, uint32_t c, uint32_t pc)
{
	uint8_t *frame = m->next + top_frame(m, c);

	if (!pc) {
		pop(m, c);
		return;
	}
	store_pc(m, frame, pc);
	if (m->waits)
		frame[m->frame_wait] = WAIT_NOT;
	memset(frame + m->frame_snap, 0, m->columns[c].snap_size);
}

static void begin_wait(struct machine *m, uint32_t c, uint8_t wait)
{
	m->next[top_frame(m, c) + m->frame_wait] = wait;
	emit(m, c, LP_STEP_WAIT, 0);
}

/* Go on at `pc` and that is all that there is to it. */
static void step_to(struct machine *m, uint32_t c, uint32_t pc, uint32_t what)
{
	begin(m);
	go_on(m, c, pc);
	emit(m, c, what, pc);
}

/* ---- locks ---- */

static bool child_may_take(const struct x_object *object, uint8_t mine, enum lp_mode mode)
{
	if (!mine || mine == HELD_FROZEN)
		return !mine;
	return mine & HELD_WRITE ? object->recursive : mode != LP_WRITE;
}

static bool may_take(const struct machine *m, uint32_t c, uint32_t object, uint32_t hold,
		     enum lp_mode mode, unsigned flags)
{
	const struct x_lock *lock = &m->locks[object];
	uint8_t mine = held(m, c, hold);

	if (m->columns[c].kind == COLUMN_CHILD)
		return child_may_take(&m->objects[object], mine, mode);
	if (m->objects[object].local)
		return !mine;
	if (mode == LP_WRITE)
		return (mine & HELD_WRITE && m->objects[object].recursive) ||
		       (!lock->owner && !lock->readers);
	return !lock->owner && (mode == LP_READ_RECURSIVE || flags & LP_PREFER || !lock->queued);
}

static bool op_may_take(const struct machine *m, uint32_t c, const struct x_op *op)
{
	return may_take(m, c, op->object, op->hold, op->mode, op->flags);
}

/* Does it have a context; or objects of the kind that is taken under one? */
static bool has_any(const struct machine *m, uint32_t c, bool contexts)
{
	const struct x_column *column = &m->columns[c];
	const uint32_t *own = m->bodies[column->body].own, shared = m->handler_object_count;

	for (uint32_t i = 0; i < column->hold_count; i++) {
		const struct x_object *object =
			&m->objects[i < shared ? m->handler_objects[i] : own[i - shared]];

		if (m->now[column->holds + i] && (contexts ? object->context : object->back_off))
			return true;
	}
	return false;
}

/*
 * Rather than deadlock with another one that would do the same (ww_mutex). Who has nothing that
 * others wait for is not refused.
 */
static bool backs_off(const struct machine *m, uint32_t c, const struct x_op *op)
{
	uint32_t owner = m->locks[op->object].owner;

	if (!(op->flags & LP_BACK_OFF) && !held(m, c, op->hold_other))
		return false;
	if (!(op->flags & LP_BACK_OFF) && !m->objects[op->other].context)
		return false;
	return owner && has_any(m, owner - 1, true) && has_any(m, c, false);
}

static bool gives_up(const struct machine *m, uint32_t c, const struct x_op *op)
{
	if (op->flags & (LP_TRY | LP_TIMED))
		return true;
	if (op->kind != LP_OP_ACQUIRE)
		return false;
	if (m->objects[op->object].errorcheck && held(m, c, op->hold))
		return held(m, c, op->hold) != HELD_FROZEN;
	return m->objects[op->object].back_off && backs_off(m, c, op);
}

static bool may_queue(const struct machine *m, uint32_t c, const struct x_op *op)
{
	return op->mode == LP_WRITE && m->objects[op->object].fair && !(op->flags & LP_TRY) &&
	       m->columns[c].kind != COLUMN_CHILD && !waiting(m, top_frame(m, c));
}

static uint8_t one_more(uint8_t hold, enum lp_mode mode)
{
	uint8_t count = hold & 0x7f;

	count = count < HELD_MAX ? count + 1 : count;
	return mode == LP_WRITE ? HELD_WRITE | count : count;
}

static uint8_t one_less(uint8_t hold)
{
	if (hold == HELD_FROZEN || !(hold & 0x7f))
		return hold;
	return (hold & 0x7f) == 1 ? 0 : hold - 1;
}

static void hold_next(struct machine *m, uint32_t c, uint32_t hold, uint8_t value)
{
	m->next[m->columns[c].holds + hold] = value;
}

static void run_acquire(struct machine *m, uint32_t c, const struct x_op *op)
{
	if (op_may_take(m, c, op)) {
		begin(m);
		if (op->mode == LP_WRITE || !m->objects[op->object].sequence)
			hold_next(m, c, op->hold, one_more(held(m, c, op->hold), op->mode));
		go_on(m, c, op->next);
		emit(m, c, LP_STEP_RUN, 0);
		return;
	}
	if (gives_up(m, c, op))
		step_to(m, c, op->target, LP_STEP_GIVE_UP);
	if (may_queue(m, c, op)) {
		begin(m);
		begin_wait(m, c, WAIT_BEGUN);
	}
}

static void run_release(struct machine *m, uint32_t c, const struct x_op *op)
{
	uint8_t hold = held(m, c, op->hold);

	begin(m);
	if (op->kind == LP_OP_DOWNGRADE)
		hold = hold != HELD_FROZEN && hold & HELD_WRITE ? 1 : hold;
	else
		hold = one_less(hold);
	if (op->hold != NO_HOLD)
		hold_next(m, c, op->hold, hold);
	go_on(m, c, op->next);
	emit(m, c, LP_STEP_RUN, 0);
}

/* ---- RCU ---- */

/* Column c is no reader of `rcu` any more: who waits for that? */
static void end_readers(struct machine *m, uint32_t c, uint32_t rcu)
{
	for (uint32_t other = 0; other < m->column_count; other++) {
		for (uint32_t l = 0; m->columns[other].snap_size && l < m->depth[other]; l++) {
			uint8_t *frame = m->next + frame_at(m, other, l);
			uint32_t pc = load_pc(m, frame);

			if (pc && op_at(m, pc)->kind == LP_OP_RCU_SYNC &&
			    op_at(m, pc)->object == rcu)
				frame[m->frame_snap + c / 8] &= (uint8_t)~(1u << (c % 8));
		}
	}
	for (uint32_t i = 0; i < m->handler_count; i++) {
		const struct x_body *body = &m->bodies[m->handlers[i]];

		if (body->readers && body->rcu == rcu)
			m->next[body->readers + c / 8] &= (uint8_t)~(1u << (c % 8));
	}
}

static bool note_readers(const struct machine *m, uint32_t rcu, uint8_t *bits)
{
	bool any = false;

	for (uint32_t c = 0; c < m->column_count && rcu; c++) {
		if (m->columns[c].kind == COLUMN_CHILD || !held(m, c, hold_of(m, c, rcu)))
			continue;
		bits[c / 8] |= (uint8_t)(1u << (c % 8));
		any = true;
	}
	return any;
}

static void run_rcu_lock(struct machine *m, uint32_t c, const struct x_op *op)
{
	begin(m);
	hold_next(m, c, op->hold, one_more(held(m, c, op->hold), LP_READ));
	go_on(m, c, op->next);
	emit(m, c, LP_STEP_RUN, 0);
}

static void run_rcu_unlock(struct machine *m, uint32_t c, const struct x_op *op)
{
	uint8_t hold = one_less(held(m, c, op->hold));

	begin(m);
	hold_next(m, c, op->hold, hold);
	if (!hold && m->columns[c].kind != COLUMN_CHILD)
		end_readers(m, c, op->object);
	go_on(m, c, op->next);
	emit(m, c, LP_STEP_RUN, 0);
}

static bool any_set(const uint8_t *bytes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (bytes[i])
			return true;
	return false;
}

static bool snap_is_empty(const struct machine *m, uint32_t frame, uint32_t size)
{
	return !any_set(m->now + frame + m->frame_snap, size);
}

static void run_rcu_sync(struct machine *m, uint32_t c, const struct x_op *op)
{
	uint32_t frame = top_frame(m, c);

	if (m->columns[c].kind == COLUMN_CHILD ||
	    (waiting(m, frame) && snap_is_empty(m, frame, m->sync_bytes))) {
		step_to(m, c, op->next, LP_STEP_RUN);
		return;
	}
	if (waiting(m, frame))
		return;
	begin(m);
	if (note_readers(m, op->object, m->next + frame + m->frame_snap)) {
		begin_wait(m, c, WAIT_BEGUN);
		return;
	}
	go_on(m, c, op->next);
	emit(m, c, LP_STEP_RUN, 0);
}

/* ---- bodies that are started, and waited for ---- */

static bool cancelling(const struct machine *m, uint32_t body)
{
	for (uint32_t c = 0; c < m->column_count; c++) {
		const struct x_op *op = m->pc[c] ? op_at(m, m->pc[c]) : NULL;

		if (op && op->kind == LP_OP_WORK_CANCEL && op->other == body &&
		    waiting(m, top_frame(m, c)))
			return true;
	}
	return false;
}

static void run_trigger(struct machine *m, uint32_t c, const struct x_op *op)
{
	const struct x_body *body = &m->bodies[op->other];

	begin(m);
	if (m->columns[c].kind != COLUMN_CHILD && body->pending && !m->now[body->pending] &&
	    !(op->kind == LP_OP_WORK_QUEUE && cancelling(m, op->other))) {
		m->next[body->pending] = 1;
		if (body->readers)
			(void)note_readers(m, body->rcu, m->next + body->readers);
	}
	go_on(m, c, op->next);
	emit(m, c, LP_STEP_RUN, 0);
}

/* The running execution of the body is over, the pending one begins, or will not come. */
static void tell_flushes(struct machine *m, uint32_t body, uint8_t over, uint8_t begins)
{
	uint32_t snap = m->bodies[body].snap;

	for (uint32_t c = 0; c < m->column_count && m->bodies[body].waited; c++) {
		for (uint32_t l = 0; m->columns[c].snap_size && l < m->depth[c]; l++) {
			uint8_t *frame = m->next + frame_at(m, c, l);
			uint32_t pc = load_pc(m, frame), kind = pc ? op_at(m, pc)->kind : 0;
			uint8_t *awaited = frame + m->frame_snap + snap;

			if ((kind == LP_OP_WORK_FLUSH || kind == LP_OP_QUEUE_FLUSH ||
			     kind == LP_OP_RCU_BARRIER) && *awaited & over)
				*awaited = (uint8_t)((*awaited & ~over) | begins);
		}
	}
}

static bool is_flushed(const struct machine *m, uint32_t body)
{
	enum lp_body_kind kind = m->scenario->bodies[body].kind;

	return (kind == LP_BODY_WORK || kind == LP_BODY_RCU) && m->bodies[body].waited;
}

static bool flushes(const struct machine *m, const struct x_op *op, uint32_t b)
{
	const struct lp_body *body = &m->scenario->bodies[b];

	switch (op->kind) {
	case LP_OP_WORK_FLUSH:
		return op->other == b;
	case LP_OP_QUEUE_FLUSH:
		return body->kind == LP_BODY_WORK &&
		       (body->queue ? body->queue : m->scenario->events) == op->object;
	default:
		return body->kind == LP_BODY_RCU;
	}
}

static void run_flush(struct machine *m, uint32_t c, const struct x_op *op)
{
	uint32_t frame = top_frame(m, c);
	bool any = false;

	if (m->columns[c].kind == COLUMN_CHILD ||
	    (waiting(m, frame) && snap_is_empty(m, frame, m->snap_bodies))) {
		step_to(m, c, op->next, LP_STEP_RUN);
		return;
	}
	if (waiting(m, frame))
		return;
	begin(m);
	for (uint32_t b = 1; b < m->scenario->body_count; b++) {
		const struct x_body *body = &m->bodies[b];
		uint8_t awaited;

		if (!body->waited || !flushes(m, op, b))
			continue;
		awaited = (m->running[b] ? SNAP_RUNNING : 0) |
			  (body->pending && m->now[body->pending] ? SNAP_PENDING : 0);
		m->next[frame + m->frame_snap + body->snap] = awaited;
		any |= awaited != 0;
	}
	if (any) {
		begin_wait(m, c, WAIT_BEGUN);
		return;
	}
	go_on(m, c, op->next);
	emit(m, c, LP_STEP_RUN, 0);
}

static void take_off(struct machine *m, uint32_t body)
{
	uint32_t pending = m->bodies[body].pending;

	if (!pending || !m->now[pending])
		return;
	m->next[pending] = 0;
	if (is_flushed(m, body))
		tell_flushes(m, body, SNAP_PENDING, 0);
}

static bool may_end_cancel(const struct machine *m, uint32_t c, const struct x_op *op)
{
	return !m->running[op->other] || m->columns[c].kind == COLUMN_CHILD;
}

static void run_cancel(struct machine *m, uint32_t c, const struct x_op *op)
{
	begin(m);
	if (m->columns[c].kind != COLUMN_CHILD)
		take_off(m, op->other);
	if (may_end_cancel(m, c, op)) {
		go_on(m, c, op->next);
		emit(m, c, LP_STEP_RUN, 0);
	} else if (!waiting(m, top_frame(m, c))) {
		begin_wait(m, c, WAIT_BEGUN);
	}
}

static bool may_delete(const struct machine *m, uint32_t c, const struct x_op *op)
{
	return !(op->flags & LP_OP_UNTIL_DONE) || may_end_cancel(m, c, op);
}

static void run_delete(struct machine *m, uint32_t c, const struct x_op *op)
{
	if (!may_delete(m, c, op))
		return;
	begin(m);
	if (m->columns[c].kind != COLUMN_CHILD)
		take_off(m, op->other);
	go_on(m, c, op->next);
	emit(m, c, LP_STEP_RUN, 0);
}

static void run_create(struct machine *m, uint32_t c, const struct x_op *op)
{
	const struct x_body *body = &m->bodies[op->other];
	uint32_t to = body->column, end = body->column + body->columns;

	begin(m);
	while (to < end && m->depth[to])
		to++;
	if (to < end && m->columns[c].kind != COLUMN_CHILD) {
		store_pc(m, m->next + m->columns[to].frames, body->first);
		memcpy(next_cpu(m, to) + m->cpu_signals, m->now + m->columns[c].cpu +
		       m->cpu_signals, m->signal_bytes);
	}
	go_on(m, c, op->next);
	emit(m, c, LP_STEP_RUN, 0);
}

static bool may_join(const struct machine *m, uint32_t c, const struct x_op *op)
{
	return !m->running[op->other] || m->columns[c].kind == COLUMN_CHILD;
}

static void run_fork(struct machine *m, uint32_t c, const struct x_op *op)
{
	const struct x_column *from = &m->columns[c], *to = NULL;

	begin(m);
	for (uint32_t i = 0; i < m->column_count && !to && from->kind != COLUMN_CHILD; i++)
		if (m->columns[i].kind == COLUMN_CHILD && m->columns[i].parent == c &&
		    m->columns[i].fork == m->pc[c] && !m->depth[i])
			to = &m->columns[i];
	if (to && op->target) {
		uint32_t levels = m->depth[c] <= to->levels ? m->depth[c] : to->levels;
		uint32_t own = m->handler_object_count;

		memcpy(m->next + to->cpu, m->now + from->cpu, m->cpu_size);
		for (uint32_t l = 0; l < levels; l++)
			memcpy(m->next + to->frames + l * to->frame_size,
			       m->now + frame_at(m, c, l), m->frame_snap);
		store_pc(m, m->next + to->frames + (levels - 1) * to->frame_size, op->target);
		for (uint32_t i = 0; i < to->hold_count; i++) {
			uint32_t object = i < own ? m->handler_objects[i] :
					  m->bodies[from->body].own[i - own];
			const struct x_lock *lock = &m->locks[object];
			uint8_t mine = m->now[from->holds + i];

			m->next[to->holds + i] = !mine && (lock->owner || lock->readers) &&
				!m->objects[object].rcu_waited ? HELD_FROZEN : mine;
		}
	}
	go_on(m, c, op->next);
	emit(m, c, LP_STEP_RUN, 0);
}

/* ---- counts and conditions ---- */

static bool may_count_down(const struct machine *m, uint32_t c, const struct x_op *op)
{
	return m->now[m->objects[op->object].count] || m->columns[c].kind == COLUMN_CHILD;
}

static void run_down(struct machine *m, uint32_t c, const struct x_op *op)
{
	uint32_t count = m->objects[op->object].count;

	if (!may_count_down(m, c, op)) {
		if (gives_up(m, c, op))
			step_to(m, c, op->target, LP_STEP_GIVE_UP);
		return;
	}
	begin(m);
	if (m->columns[c].kind != COLUMN_CHILD && m->now[count] != COUNT_FOREVER)
		m->next[count]--;
	go_on(m, c, op->next);
	emit(m, c, LP_STEP_RUN, 0);
}

static void run_up(struct machine *m, uint32_t c, const struct x_op *op)
{
	uint32_t count = m->objects[op->object].count;
	bool child = m->columns[c].kind == COLUMN_CHILD;

	begin(m);
	if (count && !child) {
		if (op->kind == LP_OP_INIT)
			m->next[count] = (uint8_t)(m->scenario->objects[op->object].count %
						   COUNT_MAX);
		else if (op->flags & LP_OP_ALL)
			m->next[count] = COUNT_FOREVER;
		else if (m->now[count] < m->objects[op->object].most)
			m->next[count]++;
	}
	go_on(m, c, op->next);
	emit(m, c, LP_STEP_RUN, 0);
}

/* The wait of `while (!condition) pthread_cond_wait()`: a signal that comes before it counts. */
static void run_cond_wait(struct machine *m, uint32_t c, const struct x_op *op)
{
	uint32_t count = m->objects[op->object].count;
	uint8_t wait = waiting(m, top_frame(m, c)), hold = held(m, c, op->hold_other);

	if (wait == WAIT_WOKEN) {
		if (!may_take(m, c, op->other, op->hold_other, LP_WRITE, 0))
			return;
		begin(m);
		hold_next(m, c, op->hold_other, one_more(hold, LP_WRITE));
		go_on(m, c, op->next);
		emit(m, c, LP_STEP_RUN, 0);
		return;
	}
	if (wait == WAIT_NOT && m->now[count]) {
		/* what it would wait for is so already */
		begin(m);
		if (m->now[count] != COUNT_FOREVER)
			m->next[count]--;
		go_on(m, c, op->next);
		emit(m, c, LP_STEP_RUN, 0);
		return;
	}
	if (wait == WAIT_BEGUN && !(op->flags & LP_TIMED) && m->columns[c].kind != COLUMN_CHILD)
		return;
	begin(m);
	if (wait == WAIT_NOT) {
		hold_next(m, c, op->hold_other, one_less(hold));
		begin_wait(m, c, WAIT_BEGUN);
	} else {
		m->next[top_frame(m, c) + m->frame_wait] = WAIT_WOKEN;
		emit(m, c, LP_STEP_GIVE_UP, 0);
	}
}

/* Wake the waiters of a condition: all, or number `one` of them. How many there are. */
static uint32_t wake(struct machine *m, uint32_t cond, uint32_t one)
{
	uint32_t count = 0;

	for (uint32_t c = 0; c < m->column_count; c++) {
		for (uint32_t l = 0; l < m->depth[c] && m->columns[c].kind != COLUMN_CHILD; l++) {
			uint32_t frame = frame_at(m, c, l);
			const struct x_op *op = op_at(m, load_pc(m, m->now + frame));

			if (op->kind != LP_OP_COND_WAIT || op->object != cond ||
			    waiting(m, frame) != WAIT_BEGUN)
				continue;
			if (one == UINT32_MAX || one == count)
				m->next[frame + m->frame_wait] = WAIT_WOKEN;
			count++;
		}
	}
	return count;
}

/* The condition holds from now on: for one more waiter if nobody waits, or for all. */
static void keep_signal(struct machine *m, const struct x_op *op, uint32_t kept, uint32_t waiters)
{
	if (op->flags & LP_OP_ALL)
		m->next[kept] = COUNT_FOREVER;
	else if (!waiters && m->now[kept] < m->objects[op->object].most)
		m->next[kept]++;
}

static void run_cond_signal(struct machine *m, uint32_t c, const struct x_op *op)
{
	bool child = m->columns[c].kind == COLUMN_CHILD, all = op->flags & LP_OP_ALL || child;
	uint32_t one = 0, count = 1, kept = m->objects[op->object].count;

	for (; one < count && !m->stop; one++) {
		begin(m);
		if (!child)
			count = wake(m, op->object, all ? UINT32_MAX : one);
		if (!child && kept)
			keep_signal(m, op, kept, count);
		if (all)
			count = 1;
		go_on(m, c, op->next);
		emit(m, c, LP_STEP_RUN, one);
		if (!count)
			break;
	}
}

/* ---- CPU state ---- */

static uint64_t get_signals(const struct machine *m, const uint8_t *cpu)
{
	uint64_t signals = 0;

	memcpy(&signals, cpu + m->cpu_signals, m->signal_bytes);
	return signals;
}

static void set_signals(const struct machine *m, uint8_t *cpu, uint64_t signals)
{
	memcpy(cpu + m->cpu_signals, &signals, m->signal_bytes);
}

static void change_irqs(struct machine *m, uint8_t *cpu, uint8_t *frame, const struct x_op *op)
{
	uint8_t *slots = m->saves ? frame + m->frame_slots : NULL, bit = (uint8_t)(1u << op->slot);

	switch (op->kind) {
	case LP_OP_IRQ_SAVE:
		*slots = (uint8_t)(cpu[0] ? *slots | bit : *slots & ~bit);
		cpu[0] = 1;
		break;
	case LP_OP_IRQ_RESTORE:
		cpu[0] = slots && *slots & bit;
		break;
	default:
		cpu[0] = op->kind == LP_OP_IRQ_DISABLE;
		break;
	}
}

static void change_cpu(struct machine *m, uint8_t *cpu, uint8_t *frame, const struct x_op *op)
{
	uint64_t signals = get_signals(m, cpu);

	switch (op->kind) {
	case LP_OP_BH_DISABLE:
		if (cpu[m->cpu_bh] < UINT8_MAX)
			cpu[m->cpu_bh]++;
		break;
	case LP_OP_BH_ENABLE:
		if (cpu[m->cpu_bh])
			cpu[m->cpu_bh]--;
		break;
	case LP_OP_SIG_BLOCK:
		set_signals(m, cpu, signals | op->signals);
		break;
	case LP_OP_SIG_UNBLOCK:
		set_signals(m, cpu, signals & ~op->signals);
		break;
	case LP_OP_SIG_SETMASK:
		set_signals(m, cpu, op->signals);
		break;
	default:
		change_irqs(m, cpu, frame, op);
		break;
	}
}

static void run_cpu(struct machine *m, uint32_t c, const struct x_op *op)
{
	begin(m);
	change_cpu(m, next_cpu(m, c), m->next + top_frame(m, c), op);
	go_on(m, c, op->next);
	emit(m, c, LP_STEP_RUN, 0);
}

static void run_install(struct machine *m, uint32_t c, const struct x_op *op)
{
	uint64_t signals = op->signals;

	begin(m);
	if (op->other && !signals)
		signals = 1ull << m->bodies[op->other].signal;
	for (uint32_t i = 0; m->dispositions && i < m->signal_count; i++)
		if (signals >> i & 1 && m->columns[c].kind != COLUMN_CHILD)
			m->next[m->dispositions + i] = op->other && m->bodies[op->other].first ?
				(uint8_t)(2 + m->bodies[op->other].handler) : 1;
	go_on(m, c, op->next);
	emit(m, c, LP_STEP_RUN, 0);
}

/* ---- all operations ---- */

static void run_end(struct machine *m, uint32_t c, const struct x_op *op)
{
	begin(m);
	if (is_flushed(m, op->body))
		tell_flushes(m, op->body, SNAP_RUNNING, 0);
	pop(m, c);
	emit(m, c, LP_STEP_RETURN, 0);
}

static bool may_sync(const struct machine *m, uint32_t c, const struct x_op *op)
{
	const struct x_lock *lock = &m->locks[op->object];

	return (!lock->owner && !lock->readers) || m->columns[c].kind == COLUMN_CHILD;
}

void lp_x_run(struct machine *m, uint32_t c)
{
	const struct x_op *op = op_at(m, m->pc[c]);

	switch (op->kind) {
	case LP_OP_END:
		run_end(m, c, op);
		break;
	case LP_OP_BRANCH:
		step_to(m, c, op->next, LP_STEP_RUN);
		step_to(m, c, op->target, LP_STEP_RUN);
		break;
	case LP_OP_ACQUIRE:
		run_acquire(m, c, op);
		break;
	case LP_OP_RELEASE:
	case LP_OP_DOWNGRADE:
		run_release(m, c, op);
		break;
	case LP_OP_SYNC:
		if (may_sync(m, c, op))
			step_to(m, c, op->next, LP_STEP_RUN);
		break;
	case LP_OP_RCU_LOCK:
		run_rcu_lock(m, c, op);
		break;
	case LP_OP_RCU_UNLOCK:
		run_rcu_unlock(m, c, op);
		break;
	case LP_OP_RCU_SYNC:
		run_rcu_sync(m, c, op);
		break;
	case LP_OP_RCU_CALL:
	case LP_OP_WORK_QUEUE:
	case LP_OP_TIMER_ARM:
		run_trigger(m, c, op);
		break;
	case LP_OP_WORK_FLUSH:
	case LP_OP_QUEUE_FLUSH:
	case LP_OP_RCU_BARRIER:
		run_flush(m, c, op);
		break;
	case LP_OP_WORK_CANCEL:
		run_cancel(m, c, op);
		break;
	case LP_OP_TIMER_DELETE:
		run_delete(m, c, op);
		break;
	case LP_OP_WAIT:
	case LP_OP_DOWN:
		run_down(m, c, op);
		break;
	case LP_OP_COMPLETE:
	case LP_OP_UP:
	case LP_OP_INIT:
		run_up(m, c, op);
		break;
	case LP_OP_COND_WAIT:
		run_cond_wait(m, c, op);
		break;
	case LP_OP_COND_SIGNAL:
		run_cond_signal(m, c, op);
		break;
	case LP_OP_THREAD_CREATE:
		run_create(m, c, op);
		break;
	case LP_OP_THREAD_JOIN:
		if (may_join(m, c, op))
			step_to(m, c, op->next, LP_STEP_RUN);
		break;
	case LP_OP_FORK:
		run_fork(m, c, op);
		break;
	case LP_OP_SIG_INSTALL:
		run_install(m, c, op);
		break;
	default:
		run_cpu(m, c, op);
		break;
	}
}

/* Would lp_x_run() make a successor? */
bool lp_x_can_run(const struct machine *m, uint32_t c)
{
	const struct x_op *op = op_at(m, m->pc[c]);
	uint32_t frame = top_frame(m, c);

	switch (op->kind) {
	case LP_OP_ACQUIRE:
		return op_may_take(m, c, op) || gives_up(m, c, op) || may_queue(m, c, op);
	case LP_OP_SYNC:
		return may_sync(m, c, op);
	case LP_OP_RCU_SYNC:
		return !waiting(m, frame) || snap_is_empty(m, frame, m->sync_bytes);
	case LP_OP_WORK_FLUSH:
	case LP_OP_QUEUE_FLUSH:
	case LP_OP_RCU_BARRIER:
		return !waiting(m, frame) || snap_is_empty(m, frame, m->snap_bodies);
	case LP_OP_WORK_CANCEL:
		return !waiting(m, frame) || may_end_cancel(m, c, op);
	case LP_OP_TIMER_DELETE:
		return may_delete(m, c, op);
	case LP_OP_WAIT:
	case LP_OP_DOWN:
		return may_count_down(m, c, op) || gives_up(m, c, op);
	case LP_OP_COND_WAIT:
		if (waiting(m, frame) == WAIT_WOKEN)
			return may_take(m, c, op->other, op->hold_other, LP_WRITE, 0);
		return waiting(m, frame) == WAIT_NOT || op->flags & LP_TIMED ||
		       m->columns[c].kind == COLUMN_CHILD;
	case LP_OP_THREAD_JOIN:
		return may_join(m, c, op);
	default:
		return true;
	}
}

/* ---- strikes ---- */

/* Can others wait for what runs there? If not, a handler on top is like one on an idle CPU. */
bool lp_x_relevant(const struct machine *m, uint32_t c)
{
	const struct x_column *column = &m->columns[c];

	if (column->kind == COLUMN_CHILD)
		return false;
	if (any_set(m->now + column->holds, column->hold_count))
		return true;
	for (uint32_t l = 0; l < m->depth[c]; l++) {
		const struct x_op *op = op_at(m, load_pc(m, m->now + frame_at(m, c, l)));

		if (op->gives || op->triggers || m->bodies[op->body].waited ||
		    (op->kind == LP_OP_ACQUIRE && waiting(m, frame_at(m, c, l))))
			return true;
	}
	return false;
}

/* A task that sleeps is not under an interrupt. */
static bool is_asleep(const struct machine *m, uint32_t c)
{
	const struct x_op *op = op_at(m, m->pc[c]);

	return waiting(m, top_frame(m, c)) &&
	       (op->kind != LP_OP_ACQUIRE || m->objects[op->object].sleeps);
}

static bool runs_twice(const struct machine *m, uint32_t c, uint32_t body)
{
	uint32_t count = 0;

	for (uint32_t l = 0; l < m->depth[c]; l++)
		count += op_at(m, load_pc(m, m->now + frame_at(m, c, l)))->body == body;
	return count >= 2;
}

static bool is_installed(const struct machine *m, uint32_t body)
{
	const struct x_body *x = &m->bodies[body];
	uint8_t now = m->dispositions ? m->now[m->dispositions + x->signal] : 0;

	return now ? now == 2 + x->handler : !x->installed;
}

static bool changes_counts(const struct machine *m, uint32_t body)
{
	const struct x_op *first = op_at(m, m->bodies[body].first);

	return first->gives || first->triggers;
}

static bool signal_may_strike(const struct machine *m, uint32_t c, uint32_t body, bool anyhow)
{
	const struct x_column *column = &m->columns[c];

	if (column->kind == COLUMN_WORK || column->kind == COLUMN_IDLE)
		return false;
	if (get_signals(m, m->now + column->cpu) >> m->bodies[body].signal & 1)
		return false;
	if (!is_installed(m, body) || runs_twice(m, c, body))
		return false;
	/* Elsewhere it would be the same as at the last such point. */
	return anyhow || m->depth[c] > 1 || op_at(m, m->pc[c])->point || lp_x_relevant(m, c) ||
	       column->kind == COLUMN_CHILD || changes_counts(m, body);
}

static bool kernel_may_strike(const struct machine *m, uint32_t c, enum lp_body_kind kind,
			      bool anyhow)
{
	const uint8_t *cpu = m->now + m->columns[c].cpu;
	bool hard = false, soft = false, nmi = false;

	if (m->columns[c].kind == COLUMN_CHILD || is_asleep(m, c) ||
	    (!anyhow && !lp_x_relevant(m, c)))
		return false;
	for (uint32_t l = 0; l < m->depth[c]; l++) {
		const struct x_op *op = op_at(m, load_pc(m, m->now + frame_at(m, c, l)));
		enum lp_body_kind in = m->scenario->bodies[op->body].kind;

		hard |= is_hard(in);
		soft |= is_soft(in);
		nmi |= in == LP_BODY_NMI;
	}
	if (nmi || kind == LP_BODY_NMI)
		return !nmi;
	if (is_hard(kind))
		return !hard && !cpu[0];
	return !hard && !soft && !cpu[0] && !cpu[m->cpu_bh];
}

/* As far as the column is concerned; also where it would make no difference, if `anyhow`. */
bool lp_x_can_strike(const struct machine *m, uint32_t c, uint32_t body, bool anyhow)
{
	enum lp_body_kind kind = m->scenario->bodies[body].kind;

	if (!m->depth[c] || m->depth[c] == m->columns[c].levels)
		return false;
	return kind == LP_BODY_SIGNAL ? signal_may_strike(m, c, body, anyhow) :
	       kernel_may_strike(m, c, kind, anyhow);
}

/* As far as the body is concerned. */
bool lp_x_may_start(const struct machine *m, uint32_t b)
{
	const struct x_body *body = &m->bodies[b];

	if (body->single && m->running[b])
		return false;
	if (!body->pending)
		return true;
	return m->now[body->pending] &&
	       (!body->readers || !any_set(m->now + body->readers, m->sync_bytes));
}

/* What could strike there now or as soon as it may; *by: the resources that decide whether. */
bool lp_x_exposed(const struct machine *m, uint32_t c, struct touch *by)
{
	bool exposed = false;

	for (uint32_t i = 0; i < m->handler_count; i++) {
		uint32_t b = m->handlers[i];
		uint64_t bits = m->bodies[b].single ? 1ull << (m->bodies[b].index % 64) : 0;

		if (!lp_x_can_strike(m, c, b, m->full))
			continue;
		exposed = true;
		if (m->bodies[b].readers)
			bits |= 1ull << (m->bodies[b].rcu % 64);
		by->write |= bits;
	}
	return exposed;
}

bool lp_x_at_rest_can_start(const struct machine *m, uint32_t c)
{
	const struct x_column *column = &m->columns[c];

	if (m->depth[c] || (column->kind != COLUMN_WORK && column->kind != COLUMN_IDLE))
		return false;
	/* Of CPUs that are equal the first takes it. */
	if (column->number && !m->depth[c - 1])
		return false;
	return lp_x_may_start(m, column->body);
}

static void enter_handler(struct machine *m, uint8_t *cpu, uint32_t b)
{
	enum lp_body_kind kind = m->scenario->bodies[b].kind;

	if (is_hard(kind) || kind == LP_BODY_NMI)
		cpu[0] = 1;
	else if (kind == LP_BODY_SIGNAL)
		set_signals(m, cpu, get_signals(m, cpu) | 1ull << m->bodies[b].signal);
}

static void strike(struct machine *m, uint32_t c, uint32_t b)
{
	struct choice choice = { .column = c, .body = b, .what = LP_STEP_STRIKE };
	uint8_t *frame = m->next + frame_at(m, c, m->depth[c]), *cpu = next_cpu(m, c);

	begin(m);
	if (m->depth[c])
		memcpy(frame + m->frame_cpu, cpu, m->cpu_size);
	store_pc(m, frame, m->bodies[b].first);
	enter_handler(m, cpu, b);
	if (m->bodies[b].pending)
		m->next[m->bodies[b].pending] = 0;
	if (is_flushed(m, b))
		tell_flushes(m, b, SNAP_PENDING, SNAP_RUNNING);
	if (!m->stop && !m->emit(m->context, &choice))
		m->stop = true;
}

void lp_x_strikes(struct machine *m, uint32_t c)
{
	if (!m->depth[c]) {
		if (lp_x_at_rest_can_start(m, c))
			strike(m, c, m->columns[c].body);
		return;
	}
	for (uint32_t i = 0; i < m->handler_count; i++)
		if (lp_x_may_start(m, m->handlers[i]) &&
		    lp_x_can_strike(m, c, m->handlers[i], m->full))
			strike(m, c, m->handlers[i]);
}

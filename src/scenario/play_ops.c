/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play_ops.c — what one operation does to a run: the held stack, the CPU, and what is wrong.
 *
 * Who gives something that others wait for (a completion, a signal on a condition, the count of a
 * semaphore handed over) is on the way to giving it from its start on: until then it holds it, as
 * a reader, so that a wait for it has an order to what the giver still has to take.
 */
#include <string.h>

#include "scenario/player.h"

#define ENDED UINT32_MAX

static uint64_t address_of(uint32_t object)
{
	return (uint64_t)object << 4;
}

/* An address of its own for "is on the way to giving it": apart from the lock itself. */
static uint64_t promise_of(uint32_t object)
{
	return (uint64_t)object << 4 | 8;
}

static struct lp_play_where where_of(struct lp_player *player, uint32_t site)
{
	return (struct lp_play_where){ player, site, player->body };
}

static void misuse(struct lp_player *player, enum lp_event_kind kind, uint32_t object,
		   uint32_t site)
{
	struct lp_play_where where = where_of(player, site);
	struct lp_misuse event = {
		.kind = kind, .lock = object ? lp_play_lock(player, object, 0) : 0,
		.address = address_of(object), .serial = object, .where = &where,
	};

	lp_track_misuse(&player->track, player->slot, &event);
}

/* ---- objects ---- */

static struct lp_play_object *state_of(struct lp_player *player, uint32_t object)
{
	struct lp_play_object *state = &player->object.at[object];

	if (state->run != player->run) {
		state->run = player->run;
		state->state = 0;
	}
	return state;
}

static void put_object(struct lp_player *player, uint32_t object, uint32_t state)
{
	struct lp_play_object *it = state_of(player, object);

	lp_play_mark(player, object, it->state, state);
	it->state = state;
}

/* Does the object get its life from an init statement of this very body? */
static bool inits_later(const struct lp_player *player, uint32_t object)
{
	const struct lp_scenario *s = player->scenario;
	const struct lp_body *body = &s->bodies[player->body];
	bool here = false, anywhere = false;

	for (uint32_t i = 0; i < s->op_count; i++) {
		if (s->ops[i].kind != LP_OP_INIT || s->ops[i].object != object)
			continue;
		anywhere = true;
		here |= i >= body->first && i < body->first + body->count;
	}
	return here || !anywhere;
}

/* Is the object alive? Says so when it is not. */
static void check_alive(struct lp_player *player, uint32_t object, uint32_t site)
{
	struct lp_play_object *state = state_of(player, object);

	if (state->state & LP_PLAY_GONE)
		misuse(player, LP_EVENT_DESTROYED, object, site);
	else if ((player->scenario->objects[object].flags & LP_OBJECT_UNINITIALISED) &&
		 !(state->state & LP_PLAY_INIT) && inits_later(player, object))
		misuse(player, LP_EVENT_NOT_INITIALISED, object, site);
}

static struct lp_held *find(const struct lp_player *player, uint32_t object)
{
	return lp_track_find(player->slot, address_of(object));
}

/* ---- holding ---- */

static struct lp_acquire acquire_of(struct lp_player *player, uint32_t object, uint32_t subclass,
				    enum lp_mode mode, unsigned flags,
				    const struct lp_play_where *where)
{
	return (struct lp_acquire){
		.address = address_of(object), .serial = object, .site = where->site,
		.id = lp_play_lock(player, object, subclass), .mode = (uint8_t)mode,
		.flags = (uint8_t)flags, .where = where,
	};
}

void lp_play_take(struct lp_player *player, uint32_t object, enum lp_mode mode, unsigned flags,
		  uint32_t site)
{
	struct lp_play_where where = where_of(player, site);
	struct lp_acquire acquire = acquire_of(player, object, 0, mode, flags, &where);

	lp_track_push(&player->track, player->slot, &acquire, 0);
}

static void remove_held(struct lp_player *player, struct lp_held *held, uint32_t site)
{
	struct lp_play_where where = where_of(player, site);
	bool top = held + 1 == lp_track_top(player->slot);

	lp_track_remove(player->slot, held);
	if (!top)
		lp_track_note_state(&player->track, player->slot, &where);
}

void lp_play_give_back(struct lp_player *player, uint32_t object, uint32_t site)
{
	struct lp_held *held = find(player, object);

	if (held)
		remove_held(player, held, site);
}

/* Wait until nobody holds it (READ_RECURSIVE: as a writer); hold nothing. */
static void wait_as(struct lp_player *player, uint32_t object, enum lp_mode mode, unsigned flags,
		    uint32_t site)
{
	struct lp_play_where where = where_of(player, site);
	struct lp_acquire acquire = acquire_of(player, object, 0, mode, flags | LP_SYNC, &where);

	if (object)
		lp_track_note(&player->track, player->slot, &acquire, 0);
}

static void wait_for(struct lp_player *player, uint32_t object, unsigned flags, uint32_t site)
{
	wait_as(player, object, LP_WRITE, flags, site);
}

/* From now on this run has given what it was to give. */
static void keep_promise(struct lp_player *player, uint32_t object, uint32_t site)
{
	struct lp_held *held = lp_track_find(player->slot, promise_of(object));

	if (held)
		remove_held(player, held, site);
}

/* ---- the CPU ---- */

static void put_state(struct lp_player *player, bool noted, uint32_t site)
{
	struct lp_play_where where = where_of(player, site);

	lp_track_set_state(&player->track, player->slot, lp_play_state(player), noted, &where);
}

static uint64_t next_mask(const struct lp_player *player, const struct lp_op *op)
{
	uint64_t blocked = player->cpu.blocked;

	if (op->kind == LP_OP_SIG_SETMASK)
		return op->signals;
	return op->kind == LP_OP_SIG_BLOCK ? blocked | op->signals : blocked & ~op->signals;
}

static void do_cpu(struct lp_player *player, const struct lp_op *op)
{
	struct lp_play_cpu before = player->cpu, *cpu = &player->cpu;
	bool *saved = &cpu->saved[op->subclass % LP_SCENARIO_FLAGS_MAX];

	switch (op->kind) {
	case LP_OP_IRQ_DISABLE:
		cpu->irqs_off = true;
		break;
	case LP_OP_IRQ_ENABLE:
		cpu->irqs_off = false;
		break;
	case LP_OP_IRQ_SAVE:
		*saved = cpu->irqs_off;
		cpu->irqs_off = true;
		break;
	case LP_OP_IRQ_RESTORE:
		cpu->irqs_off = *saved;
		break;
	case LP_OP_BH_DISABLE:
		cpu->bh++;
		break;
	case LP_OP_BH_ENABLE:
		cpu->bh -= cpu->bh > 0;
		break;
	case LP_OP_SIG_INSTALL:
		cpu->installed = op->other ? cpu->installed | op->signals :
					     cpu->installed & ~op->signals;
		break;
	default:
		cpu->blocked = next_mask(player, op);
	}
	put_state(player, (before.irqs_off && !cpu->irqs_off) || (before.bh && !cpu->bh) ||
		  (~cpu->blocked & cpu->installed & ~(~before.blocked & before.installed)),
		  op->site);
}

/* ---- sleeping ---- */

static bool is_rcu_reader(const struct lp_player *player)
{
	const struct lp_scenario *s = player->scenario;
	const uint32_t maps[] = { s->rcu, s->rcu_bh, s->rcu_sched };

	for (unsigned i = 0; i < 3; i++)
		if (maps[i] && find(player, maps[i]))
			return true;
	return false;
}

static enum lp_lock_kind kind_of(const struct lp_player *player, uint32_t lock)
{
	const struct lp_writer *writer = &player->track.writer;
	const struct lp_rec_class *class = lp_writer_at(writer, lp_track_class_of(writer, lock));

	return class->kind;
}

/* What the wait types of locks tell: a spinlock of the kernel is held, or the context forbids it. */
static bool may_only_spin(const struct lp_player *player)
{
	const struct lp_writer *writer = &player->track.writer;

	if (player->scenario->bodies[player->body].context && player->hardirq)
		return true;
	for (struct lp_held *held = lp_track_base(player->slot);
	     held < lp_track_top(player->slot); held++) {
		const struct lp_rec_node *node = lp_writer_at(writer, held->node);
		enum lp_lock_kind kind = held->node && node->lock ? kind_of(player, node->lock) :
								    LP_LOCK_MAP;

		if (kind >= LP_LOCK_K_SPINLOCK && kind <= LP_LOCK_K_LOCAL_LOCK)
			return true;
	}
	return false;
}

static bool is_masked(const struct lp_player *player)
{
	return player->cpu.irqs_off || player->cpu.bh;
}

/* Something sleeps here that no lock stands for. */
static void check_sleep(struct lp_player *player, uint32_t object, uint32_t site)
{
	if (is_rcu_reader(player))
		misuse(player, LP_EVENT_RCU_SLEEP, object, site);
	else if (is_masked(player) || may_only_spin(player))
		misuse(player, LP_EVENT_WAIT_CONTEXT, object, site);
}

/* A lock that sleeps: its wait type says all but that interrupts or bottom halves are off. */
static void check_lock_sleeps(struct lp_player *player, uint32_t object, uint32_t site)
{
	enum lp_lock_kind kind = kind_of(player, lp_play_lock(player, object, 0));

	if (kind >= LP_LOCK_K_MUTEX && kind <= LP_LOCK_K_WW_MUTEX && is_masked(player) &&
	    !may_only_spin(player))
		misuse(player, LP_EVENT_WAIT_CONTEXT, object, site);
}

/* ---- taking and releasing ---- */

static bool is_read(const struct lp_held *held)
{
	return held->mode != LP_WRITE;
}

static bool counts(const struct lp_player *player, uint32_t object)
{
	return player->scenario->objects[object].flags & LP_OBJECT_RECURSIVE;
}

/* Does what it holds itself keep it from taking this? */
static bool blocks_itself(const struct lp_player *player, const struct lp_op *op,
			  const struct lp_held *held)
{
	if (!held || counts(player, op->object))
		return false;
	return op->mode == LP_WRITE || !is_read(held);
}

/* The lock that is said to be held around it: its ref, 0 when there is none or it is not held. */
static uint32_t nest_of(struct lp_player *player, const struct lp_op *op)
{
	if (!op->other)
		return 0;
	if (find(player, op->other))
		return lp_play_lock(player, op->other, 0);
	misuse(player, LP_EVENT_NEST_NOT_HELD, op->other, op->site);
	return 0;
}

static void push(struct lp_player *player, const struct lp_op *op, unsigned flags)
{
	struct lp_play_where where = where_of(player, op->site);
	struct lp_acquire acquire = acquire_of(player, op->object, op->subclass, op->mode, flags,
					       &where);

	if (!(flags & LP_TRY))
		check_lock_sleeps(player, op->object, op->site);
	acquire.nest = nest_of(player, op);
	if (op->other && player->scenario->objects[op->other].type == LP_OBJECT_WW_ACQUIRE_CTX)
		acquire.flags |= LP_BACK_OFF;
	lp_track_push(&player->track, player->slot, &acquire, 0);
}

/* It holds the lock already, and would wait for itself. */
static uint32_t block(struct lp_player *player, uint32_t op)
{
	const struct lp_op *o = &player->scenario->ops[op];

	if (player->scenario->objects[o->object].flags & LP_OBJECT_ERRORCHECK) {
		misuse(player, LP_EVENT_RELOCK, o->object, o->site);
		return o->target ? o->target : op + 1;
	}
	if (o->flags & LP_TRY)
		return o->target;
	push(player, o, o->flags & 0xff);
	if (o->flags & LP_TIMED) {
		lp_track_drop(player->slot);
		return o->target;
	}
	player->stopped = true;
	return ENDED;
}

/* Can somebody else hold it, so that a trylock fails? */
static bool can_fail(const struct lp_player *player, const struct lp_op *op)
{
	const struct lp_play_object *object = &player->object.at[op->object];
	bool written = object->writer && object->writer != player->body;
	bool read = object->reader && object->reader != player->body;

	return written || (op->mode == LP_WRITE && read);
}

/* Does it give up this time, or is it refused? */
static bool gives_up(struct lp_player *player, uint32_t op)
{
	const struct lp_op *o = &player->scenario->ops[op];
	bool may = o->flags & (LP_TRY | LP_TIMED) ? can_fail(player, o) :
						    lp_play_ww_may_refuse(player, o);

	return may && lp_play_choose(player, op);
}

static uint32_t give_up(struct lp_player *player, const struct lp_op *op)
{
	struct lp_play_where where = where_of(player, op->site);
	struct lp_acquire acquire = acquire_of(player, op->object, op->subclass, op->mode,
					       op->flags & 0xff, &where);

	if (op->flags & LP_BACK_OFF)
		lp_play_ww_refused(player, op);
	else if (!(op->flags & LP_TRY))	/* it waited, before it gave up */
		lp_track_note(&player->track, player->slot, &acquire, 0);
	return op->target;
}

static uint32_t do_acquire(struct lp_player *player, uint32_t op)
{
	const struct lp_op *o = &player->scenario->ops[op];
	struct lp_held *held = find(player, o->object);

	check_alive(player, o->object, o->site);
	if (blocks_itself(player, o, held))
		return block(player, op);
	if (held && counts(player, o->object) && held->count < UINT16_MAX) {
		held->count++;
		return op + 1;
	}
	if (gives_up(player, op))
		return give_up(player, o);
	if (player->stopped)
		return ENDED;
	push(player, o, o->flags & 0xff);
	lp_play_ww_taken(player, o);
	return op + 1;
}

/* A child has what the forking thread had. */
static bool held_at_fork(const struct lp_player *player, uint32_t object)
{
	for (struct lp_held *held = lp_track_held(player->slot);
	     held < lp_track_top(player->slot); held++)
		if (held->lock == address_of(object))
			return true;
	return false;
}

static void do_release(struct lp_player *player, const struct lp_op *op)
{
	struct lp_held *held = find(player, op->object);
	bool fits = held && ((op->flags & LP_OP_ANY_MODE) || is_read(held) == (op->mode != LP_WRITE));

	check_alive(player, op->object, op->site);
	if (!fits && player->in_child && held_at_fork(player, op->object))
		return;
	if (!fits) {
		misuse(player, LP_EVENT_UNLOCK_NOT_HELD, op->object, op->site);
		return;
	}
	if (state_of(player, op->object)->state & LP_PLAY_PINNED)
		misuse(player, LP_EVENT_PINNED, op->object, op->site);
	if (held->count)
		held->count--;
	else
		remove_held(player, held, op->site);
	lp_play_ww_released(player, op);
}

/* Take it off and put it on again, as something else; nobody waits for it here. */
static void change_held(struct lp_player *player, const struct lp_op *op, enum lp_mode mode,
			uint32_t subclass)
{
	struct lp_play_where where = where_of(player, op->site);
	struct lp_acquire acquire = acquire_of(player, op->object, subclass, mode, LP_MOVED, &where);
	struct lp_held *held = find(player, op->object);

	/* a downgrade is the release of a writer */
	if (!held || (op->kind == LP_OP_DOWNGRADE && is_read(held))) {
		misuse(player, LP_EVENT_UNLOCK_NOT_HELD, op->object, op->site);
		return;
	}
	lp_track_remove(player->slot, held);
	lp_track_push(&player->track, player->slot, &acquire, 0);
}

/* Announced, not done: like an acquisition that gives up, it breaks the rules and never hangs. */
static void do_might_lock(struct lp_player *player, const struct lp_op *op)
{
	struct lp_play_where where = where_of(player, op->site);
	struct lp_acquire acquire = acquire_of(player, op->object, op->subclass, op->mode, LP_TIMED,
					       &where);

	lp_track_note(&player->track, player->slot, &acquire, 0);
}

/* ---- life ---- */

static void do_init(struct lp_player *player, const struct lp_op *op)
{
	if (find(player, op->object))
		misuse(player, LP_EVENT_INIT_HELD, op->object, op->site);
	put_object(player, op->object, LP_PLAY_INIT);
}

static void do_free(struct lp_player *player, const struct lp_op *op)
{
	uint32_t state = state_of(player, op->object)->state;

	if (find(player, op->object))
		misuse(player, LP_EVENT_FREE_HELD, op->object, op->site);
	else if (state & LP_PLAY_GONE)
		misuse(player, LP_EVENT_DESTROYED, op->object, op->site);
	put_object(player, op->object, state | LP_PLAY_GONE);
}

static void do_pin(struct lp_player *player, const struct lp_op *op)
{
	uint32_t state = state_of(player, op->object)->state;
	bool pin = op->kind == LP_OP_PIN, pinned = state & LP_PLAY_PINNED;

	if (!find(player, op->object) || (!pin && !pinned))
		misuse(player, LP_EVENT_NOT_PINNED, op->object, op->site);
	state &= ~(uint32_t)LP_PLAY_PINNED;
	put_object(player, op->object, state | (pin ? LP_PLAY_PINNED : 0));
}

static void do_assert(struct lp_player *player, const struct lp_op *op)
{
	const struct lp_held *held = find(player, op->object);

	if (op->kind == LP_OP_ASSERT_NOT_HELD) {
		if (held)
			misuse(player, LP_EVENT_ASSERT_NOT_HELD, op->object, op->site);
	} else if (!held || (!(op->flags & LP_OP_ANY_MODE) &&
			     is_read(held) != (op->mode != LP_WRITE))) {
		misuse(player, LP_EVENT_ASSERT_HELD, op->object, op->site);
	}
}

static void do_dereference(struct lp_player *player, const struct lp_op *op)
{
	bool protected = op->flags & LP_OP_PROTECTED;
	bool guarded = op->object && find(player, op->object);

	if (!guarded && (protected || !is_rcu_reader(player)))
		misuse(player, protected ? LP_EVENT_RCU_PROTECTED : LP_EVENT_RCU_DEREFERENCE,
		       op->object, op->site);
}

/* ---- waiting ---- */

static void do_rcu_sync(struct lp_player *player, const struct lp_op *op)
{
	if (find(player, op->object))
		misuse(player, LP_EVENT_RCU_SYNC, op->object, op->site);
	else
		check_sleep(player, op->object, op->site);
	wait_for(player, op->object, 0, op->site);
}

/* One of several places is held like a reader's, and hangs only when all are taken by the stuck. */
static uint32_t take_place(struct lp_player *player, uint32_t op)
{
	struct lp_op place = player->scenario->ops[op];

	if (player->scenario->objects[place.object].count == 1)
		return do_acquire(player, op);
	if (gives_up(player, op))
		return place.target;
	place.mode = LP_READ;
	if (!player->stopped)
		push(player, &place, (place.flags & LP_TRY) | LP_TIMED);
	return player->stopped ? ENDED : op + 1;
}

static uint32_t do_down(struct lp_player *player, uint32_t op)
{
	const struct lp_op *o = &player->scenario->ops[op];
	const struct lp_play_object *object = &player->object.at[o->object];
	/* what was given before need not be waited for */
	unsigned given = player->scenario->objects[o->object].count ? LP_TIMED : 0;

	check_alive(player, o->object, o->site);
	if (object->lock_like)
		return take_place(player, op);
	if (!(o->flags & LP_TRY))
		check_lock_sleeps(player, o->object, o->site);
	if ((o->flags & (LP_TRY | LP_TIMED)) && lp_play_choose(player, op))
		return o->target;
	if (object->giver && !(o->flags & LP_TRY))
		wait_for(player, o->object, (o->flags & LP_TIMED) | given, o->site);
	return player->stopped ? ENDED : op + 1;
}

/* The mutex is out of the stack while it waits. */
static uint32_t do_cond_wait(struct lp_player *player, uint32_t op)
{
	const struct lp_op *o = &player->scenario->ops[op];
	struct lp_op mutex = { .kind = LP_OP_ACQUIRE, .object = o->other, .site = o->site };

	do_release(player, &mutex);
	if (player->object.at[o->object].giver)
		wait_for(player, o->object, o->flags & LP_TIMED, o->site);
	if (!find(player, o->other))
		push(player, &mutex, 0);
	return op + 1;
}

static void do_join(struct lp_player *player, const struct lp_op *op)
{
	struct lp_play_body *joined = &player->body_state.at[op->other];
	struct lp_writer *writer = &player->track.writer;
	struct lp_rec_join *join;

	wait_for(player, player->scenario->bodies[op->other].map, 0, op->site);
	if (!joined->thread || joined->triggers > 1)
		return;
	join = lp_writer_begin(writer, LP_REC_JOIN, sizeof(*join), 0);
	if (!join)
		return;
	lp_slot_next_epoch(player->slot);
	join->joiner = player->slot->thread;
	join->epoch = player->slot->epoch;
	join->joined = joined->thread;
	lp_writer_done(join);
}

/*
 * What a body does before it starts another comes before all that one does, if nobody else starts
 * it. Every run of the body counts the same epochs.
 */
static void do_start(struct lp_player *player, const struct lp_op *op)
{
	struct lp_play_body *started = &player->body_state.at[op->other];

	if (started->triggers > 1) {
		started->started = true;
		return;
	}
	if (!started->started) {
		started->creator = player->slot->thread;
		started->creator_epoch = player->slot->epoch;
		started->blocked = player->cpu.blocked;
		if (player->scenario->bodies[op->other].kind == LP_BODY_THREAD)
			lp_play_thread(player, op->other);	/* joins refer to it */
	}
	started->started = true;
	lp_slot_next_epoch(player->slot);
}

static void flush_queue(struct lp_player *player, const struct lp_op *op)
{
	check_sleep(player, op->object, op->site);
	wait_for(player, op->object ? op->object : player->scenario->events, 0, op->site);
}

static void flush_body(struct lp_player *player, const struct lp_op *op)
{
	if (op->kind != LP_OP_TIMER_DELETE)
		check_sleep(player, 0, op->site);
	wait_for(player, player->scenario->bodies[op->other].map, 0, op->site);
}

/* ---- the table ---- */

static void do_plain(struct lp_player *player, const struct lp_op *op)
{
	switch (op->kind) {
	case LP_OP_RELEASE:
		do_release(player, op);
		break;
	case LP_OP_DOWNGRADE:
		change_held(player, op, LP_READ, 0);
		break;
	case LP_OP_SET_SUBCLASS:
		change_held(player, op, LP_WRITE, op->subclass);
		break;
	case LP_OP_SYNC:
		wait_as(player, op->object, op->mode, 0, op->site);
		break;
	case LP_OP_INIT:
		do_init(player, op);
		break;
	case LP_OP_FREE:
	case LP_OP_UNREGISTER:
		do_free(player, op);
		break;
	case LP_OP_PIN:
	case LP_OP_UNPIN:
		do_pin(player, op);
		break;
	case LP_OP_ASSERT_HELD:
	case LP_OP_ASSERT_NOT_HELD:
		do_assert(player, op);
		break;
	case LP_OP_WW_DONE:
		lp_play_ww_done(player, op);
		break;
	case LP_OP_MIGHT_LOCK:
		do_might_lock(player, op);
		break;
	case LP_OP_MIGHT_SLEEP:
		check_sleep(player, 0, op->site);
		break;
	case LP_OP_RCU_LOCK:
		lp_play_take(player, op->object, LP_READ_RECURSIVE, 0, op->site);
		break;
	case LP_OP_RCU_UNLOCK:
		if (!find(player, op->object))
			misuse(player, LP_EVENT_UNLOCK_NOT_HELD, op->object, op->site);
		lp_play_give_back(player, op->object, op->site);
		break;
	case LP_OP_RCU_SYNC:
		do_rcu_sync(player, op);
		break;
	case LP_OP_RCU_BARRIER:
		check_sleep(player, 0, op->site);
		wait_for(player, player->scenario->rcu_callback, 0, op->site);
		break;
	case LP_OP_RCU_DEREFERENCE:
		do_dereference(player, op);
		break;
	case LP_OP_WORK_FLUSH:
	case LP_OP_WORK_CANCEL:
		flush_body(player, op);
		break;
	case LP_OP_TIMER_DELETE:
		if (op->flags & LP_OP_UNTIL_DONE)
			flush_body(player, op);
		break;
	case LP_OP_QUEUE_FLUSH:
		flush_queue(player, op);
		break;
	case LP_OP_COMPLETE:
	case LP_OP_COND_SIGNAL:
		keep_promise(player, op->object, op->site);
		break;
	case LP_OP_UP:
		if (player->object.at[op->object].lock_like)
			lp_play_give_back(player, op->object, op->site);
		else
			keep_promise(player, op->object, op->site);
		break;
	case LP_OP_THREAD_JOIN:
		do_join(player, op);
		break;
	case LP_OP_THREAD_CREATE:
	case LP_OP_WORK_QUEUE:
	case LP_OP_TIMER_ARM:
	case LP_OP_RCU_CALL:
		do_start(player, op);
		break;
	default:
		do_cpu(player, op);
	}
}

uint32_t lp_play_op(struct lp_player *player, uint32_t op)
{
	const struct lp_op *o = &player->scenario->ops[op];
	bool second;

	if (lp_play_ww_broken(player, o))
		misuse(player, LP_EVENT_WW_MISUSE, o->object, o->site);
	switch (o->kind) {
	case LP_OP_END:
		return ENDED;
	case LP_OP_JUMP:
		return o->target;
	case LP_OP_BRANCH:
		second = lp_play_choose(player, op);
		return player->stopped ? ENDED : second ? o->target : op + 1;
	case LP_OP_ACQUIRE:
		return do_acquire(player, op);
	case LP_OP_DOWN:
	case LP_OP_WAIT:
		return do_down(player, op);
	case LP_OP_COND_WAIT:
		return do_cond_wait(player, op);
	case LP_OP_FORK:
		lp_play_child(player, o->target);
		lp_slot_next_epoch(player->slot);
		return op + 1;
	default:
		do_plain(player, o);
		return op + 1;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * levels.c — one witness for each pair of a loop: could all of it happen at the same time?
 *
 * The threads of a loop are deadlocked when each holds the lock that the one before it wants. For
 * that there must be witnesses
 *   - of threads that differ                                      else ONE_THREAD
 *   - not ordered by creation and join                            else ORDERED
 *   - that hold no lock in common, unless all share it            else GATE
 *   - that really block: each wants what the next holds, not both as readers. A reader that lets
 *     writers go first does wait for a reader, when a further thread can be queued in between as
 *     a writer, under the same three conditions                   else READERS
 *   - and do not give up after a while, nor all of them when it comes to a deadlock
 *                                                                 else TIMED
 *
 * A pair that ends in a context and the next, which begins there, are one agent: a holder that is
 * struck, and what the interrupt wants, with all that both hold. The interrupt runs on the holder's
 * thread, wherever it was seen. An interrupt's own pairs were seen on a thread, or need none
 * (threads with a context): then only an interrupt that never runs twice at once is kept apart
 * from itself                                                     else ONCE
 * Process and instances are equal by the way loops are made. Trylocks never get here.
 *
 * The search takes the pairs in turn and tries their witnesses; the stage of a choice is that of
 * the worst thing in it, and what cannot beat the best stage known is cut off. It is complete
 * within LP_ATTEMPTS_*; a choice may be missed beyond that, never invented.
 *
 * Not seen: a lock the creator of a thread holds from before its creation until after its join,
 * which is a gate too.
 */
#include "engine/state.h"

#define HOLDS_SHARED		1u
#define HOLDS_EXCLUSIVE		2u
#define UNKNOWN(holds)		((holds) << 2)	/* by locks that cannot be told apart */
#define ANY			(HOLDS_SHARED | HOLDS_EXCLUSIVE)

struct search {
	struct lp_engine *engine;
	const struct lp_model *model;
	const uint32_t	*pair;		/* of the loop */
	uint32_t	count, start;	/* the pair to begin with */
	uint32_t	fixed;		/* its entry, or 0: any */
	enum lp_stage	best;
	uint32_t	*chosen;	/* entries, by order of choosing */
	uint32_t	*next;		/* entries to try there */
	uint32_t	*stage;		/* after so many choices */
	uint32_t	*gate;		/* likewise: node of a common lock */
	uint64_t	attempts, limit;
	uint32_t	writers;	/* in engine->writers */
	bool		wants_writer;
};

static const struct lp_entry *chosen(const struct search *s, uint32_t i)
{
	return &s->engine->entry.at[s->chosen[i]];
}

/* It only holds, and is struck; it only strikes. */
static bool is_hold(const struct search *s, const struct lp_entry *entry)
{
	return s->engine->instance.at[s->engine->instances.pair.at[entry->pair].to].context != 0;
}

static bool is_strike(const struct search *s, const struct lp_entry *entry)
{
	return s->engine->instance.at[s->engine->instances.pair.at[entry->pair].from].context != 0;
}

/* The node of the lock that an entry wants; of a hold: its own node, for want of another. */
static uint32_t wanted_of(const struct search *s, const struct lp_entry *entry)
{
	return s->model->witnesses.at[entry->witness].node;
}

static uint8_t holds(const struct lp_model *model, uint32_t node)
{
	return lp_is_read(&model->nodes.at[node]) ? HOLDS_SHARED : HOLDS_EXCLUSIVE;
}

static struct lp_stamped *stamped(struct lp_engine *engine, struct lp_stamped *slot)
{
	if (slot->stamp != engine->stamp)
		*slot = (struct lp_stamped){ .stamp = engine->stamp };
	return slot;
}

/* The witness of an entry or of a writer, and whether it has its own lock already. */
struct party {
	uint32_t	witness;
	bool		has_own;
	bool		strikes;	/* runs on the thread of another party */
};

static struct party party_of(const struct search *s, const struct lp_entry *entry)
{
	return (struct party){
		.witness = entry->witness, .has_own = is_hold(s, entry) && entry->up == 0,
		.strikes = is_strike(s, entry),
	};
}

/* The innermost node of what a party holds; *up: how far below the witness' own it is. */
static uint32_t first_held(const struct search *s, struct party party, uint32_t *up)
{
	uint32_t node = s->model->witnesses.at[party.witness].node;

	*up = party.has_own ? 0 : 1;
	return party.has_own ? node : lp_below(s->model, node);
}

/* Remember what a party holds while it waits, or is struck. */
static void stamp_held(struct search *s, struct party party)
{
	struct lp_engine *engine = s->engine;
	const uint32_t *lock = engine->locks.at + engine->witness.at[party.witness].locks + 1;
	uint32_t up, node = first_held(s, party, &up);

	engine->stamp++;
	for (; node; node = lp_below(s->model, node), up++) {
		uint8_t how = holds(s->model, node);
		uint32_t class = lp_base_class(s->model, node);
		struct lp_stamped *c = stamped(engine, &engine->held_class.at[class]), *l;

		c->holds |= how | (lock[up] ? 0 : UNKNOWN(how));
		c->node = node;
		if (!lock[up])
			continue;
		l = stamped(engine, &engine->held_lock.at[lock[up]]);
		if (how > l->holds) {
			l->holds = how;
			l->node = node;
		}
	}
}

/* Per-CPU locks: everybody has another one. What is only shown or handed over is no lock. */
static bool can_gate(const struct lp_model *model, uint32_t node)
{
	const struct lp_model_fine *fine = lp_model_node_fine(model, node);

	return fine->kind != LP_LOCK_K_LOCAL_LOCK && !(fine->flags & LP_CLASS_SHOWN) &&
	       !(fine->use & LP_CLASS_HANDED);
}

static bool excludes(uint8_t a, uint8_t b)
{
	return a && b && ((a | b) & HOLDS_EXCLUSIVE);
}

/*
 * The node of a lock that both witnesses hold and that lets only one of them do so; 0: none. A
 * lock that cannot be told apart counts as any lock of its class. Stamps must be of `a`.
 */
static uint32_t gate_with(struct search *s, struct party b)
{
	struct lp_engine *engine = s->engine;
	const uint32_t *lock = engine->locks.at + engine->witness.at[b.witness].locks + 1;
	uint32_t up, node = first_held(s, b, &up);

	for (; node; node = lp_below(s->model, node), up++) {
		uint32_t class = lp_base_class(s->model, node);
		const struct lp_stamped *l = &engine->held_lock.at[lock[up]];
		const struct lp_stamped *c = &engine->held_class.at[class];
		uint8_t how = holds(s->model, node), alike;

		if (!can_gate(s->model, node))
			continue;
		if (lock[up] && l->stamp == engine->stamp && excludes(l->holds, how))
			return l->node;
		if (c->stamp != engine->stamp)
			continue;
		alike = lock[up] ? c->holds / UNKNOWN(1) : c->holds & ANY;
		if (excludes(alike, how))
			return c->node;
	}
	return 0;
}

static bool concurrent(struct search *s, uint32_t a, uint32_t b)
{
	const struct lp_model_witness *x = &s->model->witnesses.at[a];
	const struct lp_model_witness *y = &s->model->witnesses.at[b];

	/* two executions of one thing that needs no thread have no order */
	return x->thread == y->thread ||
	       lp_before_concurrent(&s->engine->before, x->thread, x->epoch, y->thread, y->epoch);
}

static const struct lp_model_thread *thread_of(const struct search *s, uint32_t witness)
{
	return &s->model->threads.at[s->model->witnesses.at[witness].thread];
}

/* Can two parties not be two executions? FEASIBLE: they can. */
static enum lp_stage weigh_threads(const struct search *s, struct party a, struct party b)
{
	const struct lp_model_thread *thread = thread_of(s, a.witness);

	if (s->model->witnesses.at[a.witness].thread != s->model->witnesses.at[b.witness].thread)
		return LP_STAGE_FEASIBLE;
	if (thread->context)
		return thread->flags & LP_THREAD_ONCE ? LP_STAGE_ONCE : LP_STAGE_FEASIBLE;
	return a.strikes || b.strikes || (thread->flags & LP_THREAD_MANY) ? LP_STAGE_FEASIBLE :
									    LP_STAGE_ONE_THREAD;
}

/* Was it seen on a thread that it does not need? Then that thread's life says nothing. */
static bool is_elsewhere(const struct search *s, struct party party)
{
	return party.strikes && !thread_of(s, party.witness)->context;
}

static uint32_t depth_of(const struct search *s, uint32_t witness)
{
	return s->engine->locks.at[s->engine->witness.at[witness].locks];
}

static enum lp_stage weigh_gates(struct search *s, struct party a, struct party b, uint32_t *gate)
{
	uint32_t found;

	s->attempts += (depth_of(s, a.witness) + depth_of(s, b.witness)) / 32;
	stamp_held(s, a);
	found = gate_with(s, b);
	if (!found)
		return LP_STAGE_FEASIBLE;
	*gate = found;
	return LP_STAGE_GATE;
}

/* What speaks against two parties at the same time. */
static enum lp_stage weigh_two(struct search *s, struct party a, struct party b, uint32_t *gate)
{
	uint64_t steps = s->engine->before.steps;
	enum lp_stage stage = weigh_threads(s, a, b);
	bool together;

	if (stage != LP_STAGE_FEASIBLE)
		return stage;
	together = is_elsewhere(s, a) || is_elsewhere(s, b) || concurrent(s, a.witness, b.witness);
	s->attempts += (s->engine->before.steps - steps) / 32;
	return together ? weigh_gates(s, a, b, gate) : LP_STAGE_ORDERED;
}

/* Both read: blocks only when a writer is in between. */
static bool needs_writer(const struct search *s, const struct lp_entry *wants,
			 const struct lp_entry *holder)
{
	return !is_hold(s, wants) && lp_is_read(&s->model->nodes.at[wanted_of(s, wants)]) &&
	       lp_is_read(&s->model->nodes.at[holder->held]);
}

/* How the one's want meets the other's hold. */
static enum lp_stage weigh_meeting(struct search *s, const struct lp_entry *wants,
				   const struct lp_entry *holder)
{
	const struct lp_model_node *want = &s->model->nodes.at[wanted_of(s, wants)];

	if (is_hold(s, wants) || !needs_writer(s, wants, holder))
		return LP_STAGE_FEASIBLE;
	if (want->mode == LP_READ_RECURSIVE)
		return LP_STAGE_NONE;	/* no strong cycle this way */
	return lp_passes_writers(want) ? LP_STAGE_READERS : LP_STAGE_FEASIBLE;
}

static void lower(enum lp_stage *stage, enum lp_stage other)
{
	if (other < *stage)
		*stage = other;
}

/* The context that strikes. */
static const struct lp_model_context *context_of(const struct search *s,
						 const struct lp_entry *strike)
{
	uint32_t from = s->engine->instances.pair.at[strike->pair].from;

	return &s->model->contexts.at[s->engine->instance.at[from].context];
}

/* Does the forking thread hold, at the fork, what keeps others from holding `node`'s lock? */
static bool fork_excludes(const struct search *s, uint32_t at_fork, uint32_t node)
{
	const struct lp_model_node *n = &s->model->nodes.at[node];

	for (uint32_t f = at_fork; f; f = lp_below(s->model, f)) {
		bool same = lp_same_base(s->model, f, node) &&
			    (!n->lock || !s->model->nodes.at[f].lock ||
			     s->model->locks.at[n->lock].serial ==
				     s->model->locks.at[s->model->nodes.at[f].lock].serial);

		if (s->model->nodes.at[f].fine && n->fine && same &&
		    excludes(holds(s->model, f), holds(s->model, node)))
			return true;
	}
	return false;
}

/* A fork strikes other threads than the one that forks, at the moment of the fork. */
static enum lp_stage weigh_fork(struct search *s, struct party holder, struct party child,
				uint32_t *gate)
{
	const struct lp_model_witness *w = &s->model->witnesses.at[child.witness];
	uint32_t up, node = first_held(s, holder, &up);

	if (s->model->witnesses.at[holder.witness].thread == w->thread)
		return LP_STAGE_ONE_THREAD;
	if (!concurrent(s, holder.witness, child.witness))
		return LP_STAGE_ORDERED;
	for (; node; node = lp_below(s->model, node)) {
		if (!fork_excludes(s, w->below, node))
			continue;
		*gate = node;
		return LP_STAGE_GATE;
	}
	return LP_STAGE_FEASIBLE;
}

/* What speaks against a holder that is struck, and what strikes it. */
static enum lp_stage weigh_agent(struct search *s, const struct lp_entry *hold,
				 const struct lp_entry *strike, uint32_t *gate)
{
	if (context_of(s, strike)->kind == LP_CONTEXT_FORK)
		return weigh_fork(s, party_of(s, hold), party_of(s, strike), gate);
	if (context_of(s, strike)->flags & LP_CONTEXT_SYNC)
		return LP_STAGE_SYNC;
	/* its own lock: taken again, it counts or refuses */
	if (s->count == 2 &&
	    lp_relock_counts(lp_model_node_fine(s->model, wanted_of(s, strike))->kind))
		return LP_STAGE_NONE;
	/* what follows upon the holder's doing does not strike it */
	if (!is_elsewhere(s, party_of(s, strike)) &&
	    !concurrent(s, hold->witness, strike->witness))
		return LP_STAGE_ORDERED;
	/* what the struck one holds must have let the interrupt get as far as its lock */
	return weigh_gates(s, party_of(s, hold), party_of(s, strike), gate);
}

/* What speaks against choices `k` and `i` together, k < i. */
static enum lp_stage weigh_pair(struct search *s, uint32_t k, uint32_t i, uint32_t *gate)
{
	const struct lp_entry *a = chosen(s, k), *b = chosen(s, i);
	bool one = (k + 1 == i && is_hold(s, a)) || (k == 0 && i + 1 == s->count && is_hold(s, b));

	if (one)
		return weigh_agent(s, is_hold(s, a) ? a : b, is_hold(s, a) ? b : a, gate);
	return weigh_two(s, party_of(s, a), party_of(s, b), gate);
}

/* Each of them gives up when the others would, too: only one that does not makes it a deadlock. */
static bool all_back_off(const struct search *s)
{
	for (uint32_t i = 0; i < s->count; i++) {
		const struct lp_entry *entry = chosen(s, i);

		if (!is_hold(s, entry) &&
		    !(s->model->nodes.at[wanted_of(s, entry)].flags & LP_BACK_OFF))
			return false;
	}
	return true;
}

/* The stage with choice number `i`, given the choices before it. */
static enum lp_stage weigh(struct search *s, uint32_t i)
{
	enum lp_stage stage = s->stage[i];
	const struct lp_entry *entry = chosen(s, i);

	s->gate[i + 1] = s->gate[i];
	if (!is_hold(s, entry) && (s->model->nodes.at[wanted_of(s, entry)].flags & LP_TIMED))
		lower(&stage, LP_STAGE_TIMED);
	if (i + 1 == s->count && all_back_off(s))
		lower(&stage, LP_STAGE_TIMED);
	if (i > 0)
		lower(&stage, weigh_meeting(s, chosen(s, i - 1), entry));
	if (i + 1 == s->count)
		lower(&stage, weigh_meeting(s, entry, chosen(s, 0)));
	for (uint32_t k = 0; k < i && stage > s->best; k++)
		lower(&stage, weigh_pair(s, k, i, &s->gate[i + 1]));
	return stage;
}

/* Can this writer wait for its lock while all the others chosen are where they are? */
static bool writer_fits(struct search *s, uint32_t writer)
{
	struct party party = { .witness = writer };
	uint32_t gate;

	for (uint32_t i = 0; i < s->count; i++)
		if (weigh_two(s, party, party_of(s, chosen(s, i)), &gate) != LP_STAGE_FEASIBLE)
			return false;
	for (uint32_t i = 0; i < s->writers; i++)
		if (weigh_two(s, party, (struct party){ .witness = s->engine->writers.at[i] },
			      &gate) != LP_STAGE_FEASIBLE)
			return false;
	return true;
}

/* Find a writer for every place from `i` on where a reader waits for a reader. */
static bool find_writers(struct search *s, uint32_t i)
{
	struct lp_engine *engine = s->engine;
	uint32_t w;

	while (i < s->count && !needs_writer(s, chosen(s, i), chosen(s, (i + 1) % s->count)))
		i++;
	if (i == s->count)
		return true;
	w = engine->instance.at[engine->instances.pair.at[chosen(s, i)->pair].to].first_witness;
	for (; w && s->attempts < s->limit; w = engine->witness.at[w].next_at_lock) {
		s->attempts++;
		/* whoever can be queued has had its locks looked up */
		if (!lp_is_writer(s->model, s->model->witnesses.at[w].node) || !writer_fits(s, w))
			continue;
		engine->writers.at[s->writers++] = w;
		if (find_writers(s, i + 1))
			return true;
		s->writers--;
	}
	return false;
}

static bool has_writers(struct search *s)
{
	bool found;

	s->writers = 0;
	found = find_writers(s, 0);
	if (!found)
		s->wants_writer = true;
	return found;
}

/* All are chosen and better than before: keep them, and the writers that were found for them. */
static int keep(struct search *s, uint32_t cycle, enum lp_stage stage)
{
	struct lp_cycle *c = &s->engine->cycle.at[cycle];
	const uint32_t *writer = s->engine->writers.at;

	for (uint32_t i = 0; i < s->count; i++) {
		const struct lp_entry *entry = chosen(s, i);
		bool queues = stage > LP_STAGE_READERS &&
			      needs_writer(s, entry, chosen(s, (i + 1) % s->count));

		c->edge[(s->start + i) % s->count] = (struct lp_finding_edge){
			.held = entry->held,
			.wanted = is_hold(s, entry) ? 0 : wanted_of(s, entry),
			.witness = entry->witness,
			.thread = s->model->witnesses.at[entry->witness].thread,
			.writer = queues ? *writer++ : 0,
		};
	}
	c->gate = stage == LP_STAGE_GATE ? s->gate[s->count] : 0;
	s->best = stage;
	return lp_cycles_raise(s->engine, cycle, stage);
}

static int finish_choice(struct search *s, uint32_t cycle, enum lp_stage stage)
{
	if (stage > LP_STAGE_READERS && !has_writers(s))
		stage = LP_STAGE_READERS;
	return stage > s->best ? keep(s, cycle, stage) : 0;
}

static uint32_t first_entry(const struct search *s, uint32_t i)
{
	return s->engine->lock_pair.at[s->pair[(s->start + i) % s->count]].entries;
}

static int run(struct search *s, uint32_t cycle)
{
	uint32_t i = 0;
	int err = 0;

	s->next[0] = s->fixed ? s->fixed : first_entry(s, 0);
	s->stage[0] = LP_STAGE_FEASIBLE;
	s->gate[0] = 0;
	while (!err && s->best < LP_STAGE_FEASIBLE && s->attempts < s->limit) {
		enum lp_stage stage;

		if (!s->next[i]) {
			if (!i--)
				break;
			continue;
		}
		s->chosen[i] = s->next[i];
		s->next[i] = i == 0 && s->fixed ? 0 : chosen(s, i)->next;
		s->attempts++;
		stage = weigh(s, i);
		if (stage <= s->best)
			continue;
		s->stage[i + 1] = stage;
		if (i + 1 == s->count) {
			err = finish_choice(s, cycle, stage);
		} else {
			i++;
			s->next[i] = first_entry(s, i);
		}
	}
	return err;
}

/* Scratch memory for a loop of `count` pairs. */
static int prepare(struct lp_engine *engine, const struct lp_model *model, uint32_t count)
{
	uint64_t size = (uint64_t)count + 1;
	int err = lp_vec_extend(&engine->chosen, size);

	err = err ? err : lp_vec_extend(&engine->tried, size);
	err = err ? err : lp_vec_extend(&engine->chosen_stage, size);
	err = err ? err : lp_vec_extend(&engine->chosen_gate, size);
	err = err ? err : lp_vec_extend(&engine->writers, size);
	err = err ? err : lp_vec_extend(&engine->held_lock, (uint64_t)engine->instance.count + 1);
	err = err ? err : lp_vec_extend(&engine->held_class, (uint64_t)model->classes.count + 1);
	return err;
}

static uint64_t attempts_allowed(const struct lp_cycle *cycle, uint32_t fixed)
{
	if (cycle->spent >= LP_ATTEMPTS_SPENT)
		return LP_ATTEMPTS_LATE + cycle->count;
	return (fixed ? LP_ATTEMPTS_ENTRY : LP_ATTEMPTS_LOOP) + 64ull * cycle->count;
}

static uint32_t index_of(const uint32_t *pair, uint32_t wanted)
{
	uint32_t i = 0;

	while (pair[i] != wanted)
		i++;
	return i;
}

int lp_levels_judge(struct lp_engine *engine, const struct lp_model *model, uint32_t loop,
		    uint32_t fixed)
{
	struct lp_loop *l = &engine->loop.at[loop];
	const uint32_t *pair = &engine->loop_pairs.at[l->first];
	struct lp_cycle *cycle = &engine->cycle.at[l->cycle];
	struct search s = {
		.engine = engine, .model = model, .pair = pair, .count = l->count,
		.start = fixed ? index_of(pair, engine->entry.at[fixed].pair) : 0,
		.fixed = fixed, .best = cycle->stage, .limit = attempts_allowed(cycle, fixed),
	};
	int err;

	if (cycle->stage == LP_STAGE_FEASIBLE)
		return 0;
	err = prepare(engine, model, l->count);
	if (err)
		return err;
	s.chosen = engine->chosen.at;
	s.next = engine->tried.at;
	s.stage = engine->chosen_stage.at;
	s.gate = engine->chosen_gate.at;
	err = run(&s, l->cycle);
	l->wants_writer = l->wants_writer || s.wants_writer;
	cycle->spent += s.attempts;
	return err;
}

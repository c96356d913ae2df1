/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_truth.c — "feasible" means that some schedule deadlocks, and the other way round.
 *
 * Small random programs of threads that take and release mutexes and rwlocks in nested sections,
 * create and join each other. Each thread's operations are given to the engine as facts, as if
 * one quiet run had been seen. Then all schedules of the program are executed. The engine must say
 * feasible if and only if one of them ends in a deadlock.
 *
 * Threads are created and joined by threads that hold nothing: a lock held around the whole life
 * of another thread is a gate that the engine does not see (levels.c).
 *
 * Repeat a failure with LP_SEED=<seed>; LP_STEPS=<n> sets the number of programs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "scene.h"

#define THREADS_MAX	4u
#define LOCKS_MAX	5u
#define OPS_MAX		16u
#define STATES		2u	/* of a thread at one operation: running, queued as a writer */

enum op_type { OP_LOCK, OP_UNLOCK, OP_CREATE, OP_JOIN };

struct op {
	enum op_type	type;
	uint32_t	object;		/* lock or thread */
	enum lp_mode	mode;
	unsigned	flags;
	uint32_t	end;		/* LOCK: where its section ends */
};

struct thread {
	struct op	op[OPS_MAX];
	uint32_t	count;
	uint32_t	creator;	/* THREADS_MAX: runs from the start */
	uint32_t	created_at;	/* creator's operation */
	/* what is held before each operation: mode + 1 of each lock, strongest */
	uint8_t		held[OPS_MAX + 1][LOCKS_MAX];
};

struct program {
	struct thread	thread[THREADS_MAX];
	uint32_t	threads, locks;
	uint32_t	class[LOCKS_MAX];
	enum lp_lock_kind kind[LOCKS_MAX];	/* of the class */
	bool		prefer[LOCKS_MAX];	/* readers pass queued writers; of the class */
};

static uint32_t pick(uint64_t *seed, uint32_t n)
{
	return (uint32_t)(test_random(seed) % n);
}

static bool chance(uint64_t *seed, uint32_t per_cent)
{
	return pick(seed, 100) < per_cent;
}

/* ---- making programs ---- */

static void random_lock(const struct program *p, uint64_t *seed, struct op *op)
{
	op->type = OP_LOCK;
	op->object = pick(seed, p->locks);
	if (p->kind[op->object] == LP_LOCK_RWLOCK && chance(seed, 65)) {
		op->mode = !p->prefer[op->object] && chance(seed, 25) ? LP_READ_RECURSIVE :
			   LP_READ;
		if (p->prefer[op->object])
			op->flags |= LP_PREFER;
	}
	if (chance(seed, 10))
		op->flags |= LP_TRY;
	else if (chance(seed, 8))
		op->flags |= LP_TIMED;
}

static void random_sections(struct program *p, uint64_t *seed, struct thread *t, uint32_t takes)
{
	uint32_t open[OPS_MAX], depth = 0;

	while (takes || depth) {
		struct op *op = &t->op[t->count];

		*op = (struct op){0};
		if (depth && (!takes || depth == 3 || chance(seed, 40))) {
			op->type = OP_UNLOCK;
			op->object = t->op[open[--depth]].object;
			t->op[open[depth]].end = t->count + 1;
		} else {
			random_lock(p, seed, op);
			open[depth++] = t->count;
			takes--;
		}
		t->count++;
	}
}

/* Insert an operation at a place where nothing is held. */
static bool insert_op(struct thread *t, uint64_t *seed, struct op new_op, uint32_t from,
		      uint32_t *place)
{
	uint32_t at[OPS_MAX + 1], places = 0, depth = 0;

	for (uint32_t i = 0; i <= t->count; i++) {
		if (!depth && i >= from)
			at[places++] = i;
		if (i < t->count)
			depth += (t->op[i].type == OP_LOCK) - (t->op[i].type == OP_UNLOCK);
	}
	if (!places || t->count == OPS_MAX)
		return false;
	*place = at[pick(seed, places)];
	memmove(&t->op[*place + 1], &t->op[*place], (t->count - *place) * sizeof(*t->op));
	t->op[*place] = new_op;
	t->count++;
	for (uint32_t i = 0; i < t->count; i++)
		if (i != *place && t->op[i].type == OP_LOCK && t->op[i].end > *place)
			t->op[i].end++;
	return true;
}

/* Threads above 0 may be created by a lower one, and joined by it later. */
static void random_lives(struct program *p, uint64_t *seed)
{
	for (uint32_t t = p->threads; t-- > 1;) {
		struct op op = { .type = OP_CREATE, .object = t };
		uint32_t creator = pick(seed, t), place, joined;

		p->thread[t].creator = THREADS_MAX;
		if (!chance(seed, 40))
			continue;
		if (!insert_op(&p->thread[creator], seed, op, 0, &place))
			continue;
		p->thread[t].creator = creator;
		op.type = OP_JOIN;
		if (chance(seed, 60))
			(void)insert_op(&p->thread[creator], seed, op, place + 1, &joined);
	}
}

static void find_holds(struct program *p)
{
	for (uint32_t t = 0; t < p->threads; t++) {
		struct thread *thread = &p->thread[t];

		for (uint32_t i = 0; i < thread->count; i++) {
			const struct op *op = &thread->op[i];

			if (op->type == OP_CREATE)
				p->thread[op->object].created_at = i;
			for (uint32_t pc = i + 1; op->type == OP_LOCK && pc < op->end; pc++) {
				uint8_t *held = &thread->held[pc][op->object];

				*held = op->mode == LP_WRITE ? 2 : *held ? *held : 1;
			}
		}
	}
}

static void random_program(struct program *p, uint64_t *seed)
{
	uint32_t rwlocks = pick(seed, 3) * 35, classes;

	memset(p, 0, sizeof(*p));
	p->threads = 2 + pick(seed, THREADS_MAX - 1);
	p->locks = 2 + pick(seed, LOCKS_MAX - 1);
	classes = 1 + pick(seed, p->locks);
	for (uint32_t l = 0; l < p->locks; l++) {
		uint32_t c = l < classes ? l : pick(seed, classes);

		p->class[l] = c;
		p->kind[l] = p->kind[c];
		p->prefer[l] = p->prefer[c];
		if (l != c)
			continue;
		p->kind[l] = chance(seed, rwlocks) ? LP_LOCK_RWLOCK :
			     chance(seed, 10) ? LP_LOCK_RECURSIVE : LP_LOCK_MUTEX;
		p->prefer[l] = chance(seed, 50);
	}
	for (uint32_t t = 0; t < p->threads; t++)
		random_sections(p, seed, &p->thread[t], 1 + pick(seed, p->threads > 3 ? 4 : 5));
	p->thread[0].creator = THREADS_MAX;
	random_lives(p, seed);
	find_holds(p);
}

/* ---- running them ---- */

struct state {
	uint8_t		pc[THREADS_MAX];
	bool		queued[THREADS_MAX];
};

struct explorer {
	const struct program *program;
	uint8_t		*seen;
	struct { struct state *at; size_t count, room; } todo;
	bool		deadlock;
	uint64_t	states;
};

static uint32_t index_of(const struct program *p, const struct state *s)
{
	uint32_t index = 0;

	for (uint32_t t = 0; t < p->threads; t++)
		index = index * (p->thread[t].count + 1) * STATES +
			s->pc[t] * STATES + s->queued[t];
	return index;
}

static void reach(struct explorer *x, struct state s)
{
	uint32_t index = index_of(x->program, &s);

	if (x->seen[index])
		return;
	x->seen[index] = 1;
	x->states++;
	if (x->todo.count == x->todo.room) {
		x->todo.room = x->todo.room * 2 + 64;
		x->todo.at = realloc(x->todo.at, x->todo.room * sizeof(s));
		assert_non_null(x->todo.at);
	}
	x->todo.at[x->todo.count++] = s;
}

static bool writer_queued(const struct program *p, const struct state *s, uint32_t me,
			  uint32_t lock)
{
	for (uint32_t t = 0; t < p->threads; t++)
		if (t != me && s->queued[t] && p->thread[t].op[s->pc[t]].object == lock)
			return true;
	return false;
}

static bool can_take(const struct program *p, const struct state *s, uint32_t me,
		     const struct op *op)
{
	bool counts = p->kind[op->object] == LP_LOCK_RECURSIVE;

	for (uint32_t t = 0; t < p->threads; t++) {
		uint8_t held = p->thread[t].held[s->pc[t]][op->object];

		if (t == me && counts && held)
			return true;
		if (held == 2 || (held && op->mode == LP_WRITE))
			return false;
	}
	return op->mode != LP_READ || p->prefer[op->object] ||
	       !writer_queued(p, s, me, op->object);
}

static bool started(const struct program *p, const struct state *s, uint32_t t)
{
	uint32_t creator = p->thread[t].creator;

	return creator == THREADS_MAX || s->pc[creator] > p->thread[t].created_at;
}

/* All that a thread at a lock operation can do. False: nothing. */
static bool step_lock(struct explorer *x, const struct state *s, uint32_t t, const struct op *op)
{
	struct state next = *s;

	next.queued[t] = false;
	if (can_take(x->program, s, t, op)) {
		next.pc[t]++;
		reach(x, next);
		return true;
	}
	if (op->flags & (LP_TRY | LP_TIMED)) {
		next.pc[t] = (uint8_t)op->end;
		reach(x, next);
	}
	if (op->mode == LP_WRITE && !(op->flags & LP_TRY) && !s->queued[t]) {
		next = *s;
		next.queued[t] = true;
		reach(x, next);
		return true;
	}
	return op->flags & (LP_TRY | LP_TIMED);
}

static bool step(struct explorer *x, const struct state *s, uint32_t t)
{
	const struct program *p = x->program;
	const struct op *op = &p->thread[t].op[s->pc[t]];
	struct state next = *s;

	if (s->pc[t] == p->thread[t].count || !started(p, s, t))
		return false;
	if (op->type == OP_LOCK)
		return step_lock(x, s, t, op);
	if (op->type == OP_JOIN && s->pc[op->object] != p->thread[op->object].count)
		return false;
	next.pc[t]++;
	reach(x, next);
	return true;
}

static bool has_deadlock(const struct program *p, uint64_t *states)
{
	struct explorer x = { .program = p };
	uint64_t size = 1;

	for (uint32_t t = 0; t < p->threads; t++)
		size *= (p->thread[t].count + 1) * STATES;
	x.seen = calloc(size, 1);
	assert_non_null(x.seen);
	reach(&x, (struct state){0});
	while (x.todo.count && !x.deadlock) {
		struct state s = x.todo.at[--x.todo.count];
		bool moved = false, finished = true;

		for (uint32_t t = 0; t < p->threads; t++) {
			moved |= step(&x, &s, t);
			finished &= s.pc[t] == p->thread[t].count;
		}
		x.deadlock = !moved && !finished;
	}
	*states += x.states;
	free(x.seen);
	free(x.todo.at);
	return x.deadlock;
}

/* ---- judging them ---- */

/* What the thread holds keeps it from taking the lock, even when it is alone. */
static bool blocks_itself(const struct program *p, const struct thread *thread, uint32_t i)
{
	const struct op *op = &thread->op[i];
	uint8_t held = thread->held[i][op->object];

	return p->kind[op->object] != LP_LOCK_RECURSIVE &&
	       (held == 2 || (held && op->mode == LP_WRITE));
}

/* One quiet run of a thread: it ends where the thread would block itself for good. */
static void add_facts(struct scene *s, const struct program *p, uint32_t t)
{
	const struct thread *thread = &p->thread[t];

	if (thread->creator == THREADS_MAX)
		scene_start(s, t + 1, 0, 0);
	if (!s->thread[t + 1].index)
		return;
	for (uint32_t i = 0; i < thread->count; i++) {
		const struct op *op = &thread->op[i];
		bool blocked = op->type == OP_LOCK && blocks_itself(p, thread, i);

		switch (op->type) {
		case OP_LOCK:
			if (!blocked || !(op->flags & LP_TRY))
				scene_take_as(s, t + 1, p->class[op->object] + 1,
					      100 + op->object, op->mode, op->flags);
			if (blocked && !(op->flags & (LP_TRY | LP_TIMED)))
				return;
			if (blocked && !(op->flags & LP_TRY))
				scene_drop(s, t + 1);
			if (blocked)
				i = op->end - 1;
			break;
		case OP_UNLOCK:
			scene_drop(s, t + 1);
			break;
		case OP_CREATE:
			scene_start(s, op->object + 1, 0, t + 1);
			break;
		case OP_JOIN:
			scene_join(s, t + 1, op->object + 1);
			break;
		}
	}
}

static bool is_feasible(const struct program *p)
{
	struct scene *s = scene_open();
	bool feasible;

	for (uint32_t l = 0; l < p->locks; l++)
		scene_class_of(s, p->class[l] + 1, p->kind[l]);
	for (uint32_t t = 0; t < p->threads; t++)
		add_facts(s, p, t);
	scene_judge(s);
	feasible = scene_count(s, LP_FINDING_CIRCULAR_LOCKING, LP_FEASIBLE) ||
		   scene_count(s, LP_FINDING_RECURSIVE_LOCKING, LP_FEASIBLE);
	scene_close(s);
	return feasible;
}

static void show_program(const struct program *p)
{
	static const char *const modes[] = { "write", "read", "read-recursive" };

	for (uint32_t t = 0; t < p->threads; t++) {
		print_error("thread %u:", t);
		for (uint32_t i = 0; i < p->thread[t].count; i++) {
			const struct op *op = &p->thread[t].op[i];

			if (op->type == OP_LOCK)
				print_error(" %s(%u of class %u, kind %d%s%s%s)", modes[op->mode],
					    op->object, p->class[op->object], p->kind[op->object],
					    op->flags & LP_TRY ? ", try" : "",
					    op->flags & LP_TIMED ? ", timed" : "",
					    op->flags & LP_PREFER ? ", prefer" : "");
			else
				print_error(" %s(%u)", op->type == OP_UNLOCK ? "unlock" :
					    op->type == OP_CREATE ? "create" : "join", op->object);
		}
		print_error("\n");
	}
}

static void test_programs(void **state)
{
	uint64_t seed = test_seed("test_truth"), programs = test_steps(15000);
	uint64_t states = 0, deadlocks = 0;

	for (uint64_t i = 0; i < programs; i++) {
		struct program p;
		bool deadlock, feasible;

		random_program(&p, &seed);
		deadlock = has_deadlock(&p, &states);
		feasible = is_feasible(&p);
		if (deadlock != feasible) {
			show_program(&p);
			print_error("the engine says %s, schedules say %s\n",
				    feasible ? "feasible" : "not feasible",
				    deadlock ? "deadlock" : "no deadlock");
		}
		assert_int_equal(deadlock, feasible);
		deadlocks += deadlock;
	}
	printf("%llu programs, %llu states, %llu deadlock\n", (unsigned long long)programs,
	       (unsigned long long)states, (unsigned long long)deadlocks);
	/* Both answers must have been asked for. */
	assert_true(programs < 1000 || (deadlocks > programs / 20 &&
					deadlocks < programs - programs / 20));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs),
	};

	return cmocka_run_group_tests_name("truth", tests, NULL, NULL);
}

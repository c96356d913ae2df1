/* SPDX-License-Identifier: Apache-2.0 */
/* test_blocked.c — who waits for whom: known cases, and random ones against a naive twin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "cli/blocked.h"

#define THREADS_MAX	12

struct cycles {
	size_t	count;
	size_t	length;		/* of the last */
	uint32_t thread[THREADS_MAX];
	struct lp_blocked_thread last[THREADS_MAX];
	bool	seen[THREADS_MAX + 1];
	const struct lp_live_thread *live;	/* to check cycles against; NULL: do not */
	size_t	live_count;
};

static bool waits_for(const struct lp_live_thread *live, size_t count, size_t from, size_t to);

static const struct lp_live_held *top_of(const struct lp_live_thread *live)
{
	return &live->held[live->held_count - 1];
}

/* Each thread of a cycle waits for the next, and says so with the right nodes. */
static void check_cycle(const struct cycles *cycles, const struct lp_blocked_thread *cycle,
			size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct lp_blocked_thread *next = &cycle[(i + 1) % count];
		const struct lp_live_thread *live = &cycles->live[cycle[i].thread - 1];
		const struct lp_live_thread *holder = &cycles->live[next->thread - 1];
		bool holds = false;

		assert_true(waits_for(cycles->live, cycles->live_count, cycle[i].thread - 1,
				      next->thread - 1));
		assert_int_equal(cycle[i].wanted, top_of(live)->node);
		assert_int_equal(cycle[i].lock, top_of(live)->lock & ~(uint64_t)3);
		for (uint32_t k = 0; k + 1 < holder->held_count; k++)
			holds |= holder->held[k].node == next->held &&
				 (holder->held[k].lock & ~(uint64_t)3) == cycle[i].lock;
		assert_true(holds);
	}
}

static void on_cycle(void *context, const struct lp_blocked_thread *cycle, size_t count)
{
	struct cycles *cycles = context;

	assert_in_range(count, 1, THREADS_MAX);
	cycles->count++;
	cycles->length = count;
	memcpy(cycles->last, cycle, count * sizeof(*cycle));
	for (size_t i = 0; i < count; i++)
		cycles->seen[cycle[i].thread] = true;
	if (cycles->live)
		check_cycle(cycles, cycle, count);
}

/* A thread that holds and wants locks; the last one given is on top. */
static struct lp_live_thread thread(uint32_t number, uint32_t held_count, const uint64_t *locks,
				    const uint8_t *modes)
{
	struct lp_live_thread live = { .thread = number, .pid = 100, .tid = 100 + number,
				       .acquisitions = held_count, .key = number,
				       .held_count = held_count };

	for (uint32_t i = 0; i < held_count; i++)
		live.held[i] = (struct lp_live_held){ .lock = locks[i], .serial = locks[i],
						      .node = number * 100 + i + 1,
						      .mode = modes ? modes[i] : LP_WRITE };
	return live;
}

#define LOCKS(...) \
	(uint32_t)(sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t)), \
	(uint64_t[]){ __VA_ARGS__ }
#define MODES(...)	((uint8_t[]){ __VA_ARGS__ })

enum { A = 0x1000, B = 0x2000, C = 0x3000 };

static void see_all(struct lp_blocked *blocked, const struct lp_live_thread *live, size_t count,
		    uint64_t now_ms)
{
	lp_blocked_begin(blocked, now_ms);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(lp_blocked_see(blocked, &live[i]), 0);
}

/* Cycles among threads that have been like this long enough. */
static struct cycles judge(const struct lp_live_thread *live, size_t count)
{
	struct lp_blocked *blocked = lp_blocked_create(1, 0);
	struct cycles cycles = { .live = live, .live_count = count };

	assert_non_null(blocked);
	see_all(blocked, live, count, 0);
	assert_int_equal(lp_blocked_judge(blocked, on_cycle, &cycles), 0);
	lp_blocked_destroy(blocked);
	return cycles;
}

static void test_two_threads(void **state)
{
	struct lp_live_thread live[] = { thread(1, LOCKS(A, B), NULL),
					 thread(2, LOCKS(B, A), NULL) };
	struct cycles cycles = judge(live, 2);

	(void)state;
	assert_int_equal(cycles.count, 1);
	assert_int_equal(cycles.length, 2);
	for (int i = 0; i < 2; i++) {
		const struct lp_blocked_thread *it = &cycles.last[i];

		assert_int_equal(it->pid, 100);
		assert_int_equal(it->tid, 100 + it->thread);
		assert_int_equal(it->held, it->thread * 100 + 1);
		assert_int_equal(it->wanted, it->thread * 100 + 2);
		assert_int_equal(it->lock, it->thread == 1 ? B : A);
	}
}

static void test_no_cycle(void **state)
{
	struct lp_live_thread chain[] = { thread(1, LOCKS(A, B), NULL),
					  thread(2, LOCKS(B, C), NULL), thread(3, LOCKS(C), NULL) };
	struct lp_live_thread same[] = { thread(1, LOCKS(A, B), NULL),
					 thread(2, LOCKS(A, B), NULL) };

	(void)state;
	assert_int_equal(judge(chain, 3).count, 0);
	assert_int_equal(judge(same, 2).count, 0);
	assert_int_equal(judge(chain, 0).count, 0);
}

static void test_itself(void **state)
{
	struct lp_live_thread live[] = { thread(1, LOCKS(A, B, A), NULL) };
	struct cycles cycles = judge(live, 1);

	(void)state;
	assert_int_equal(cycles.count, 1);
	assert_int_equal(cycles.length, 1);
	assert_int_equal(cycles.last[0].held, 101);
	assert_int_equal(cycles.last[0].wanted, 103);
}

static void test_processes_are_apart(void **state)
{
	struct lp_live_thread live[] = { thread(1, LOCKS(A, B), NULL),
					 thread(2, LOCKS(B, A), NULL) };

	(void)state;
	live[1].pid = 101;
	assert_int_equal(judge(live, 2).count, 0);
}

static void test_low_bits_are_flags(void **state)
{
	struct lp_live_thread live[] = { thread(1, LOCKS(A | 1, B), NULL),
					 thread(2, LOCKS(B, A), NULL) };

	(void)state;
	assert_int_equal(judge(live, 2).count, 1);
}

static void test_readers(void **state)
{
	enum { R = LP_READ, W = LP_WRITE, RR = LP_READ_RECURSIVE };
	struct lp_live_thread readers[] = { thread(1, LOCKS(A, B), MODES(R, R)),
					    thread(2, LOCKS(B, A), MODES(R, R)) };
	struct lp_live_thread writer[] = { thread(1, LOCKS(A, B), MODES(R, W)),
					   thread(2, LOCKS(B, A), MODES(R, W)) };
	struct lp_live_thread half[] = { thread(1, LOCKS(A, B), MODES(W, R)),
					 thread(2, LOCKS(B, A), MODES(R, R)) };
	struct lp_live_thread upgrade[] = { thread(1, LOCKS(A, A), MODES(R, W)) };
	/* 2 queues behind 3, which waits for 1 to give A back */
	struct lp_live_thread queued[] = { thread(1, LOCKS(A, B), MODES(R, W)),
					   thread(2, LOCKS(B, A), MODES(W, R)),
					   thread(3, LOCKS(A), MODES(W)) };

	(void)state;
	assert_int_equal(judge(readers, 2).count, 0);
	assert_int_equal(judge(writer, 2).count, 1);
	assert_int_equal(judge(half, 2).count, 0);
	assert_int_equal(judge(upgrade, 1).count, 1);
	assert_int_equal(judge(queued, 2).count, 0);
	assert_int_equal(judge(queued, 3).count, 1);
	queued[1].held[1].flags = LP_PREFER;
	assert_int_equal(judge(queued, 3).count, 0);
	queued[1].held[1].flags = 0;
	queued[1].held[1].mode = RR;
	assert_int_equal(judge(queued, 3).count, 0);
}

static void test_what_gives_up(void **state)
{
	struct lp_live_thread live[] = { thread(1, LOCKS(A, B), NULL),
					 thread(2, LOCKS(B, A), NULL) };

	(void)state;
	live[1].held[1].flags = LP_TIMED;
	assert_int_equal(judge(live, 2).count, 0);
	live[1].held[1].flags = LP_TRY;
	assert_int_equal(judge(live, 2).count, 0);
	/* but what was taken by trying is held all the same */
	live[1].held[1].flags = 0;
	live[1].held[0].flags = LP_TRY;
	assert_int_equal(judge(live, 2).count, 1);
}

static void test_other_waits(void **state)
{
	struct lp_live_thread live[] = { thread(1, LOCKS(A, B), NULL),
					 thread(2, LOCKS(B, A), NULL) };

	(void)state;
	live[1].wait = LP_WAIT_COND;
	assert_int_equal(judge(live, 2).count, 0);
	live[1].wait = LP_WAIT_LOCK;
	assert_int_equal(judge(live, 2).count, 1);
	live[1].lossy = true;
	assert_int_equal(judge(live, 2).count, 0);
	live[1].lossy = false;
	live[1].held[1].lock = 0;
	assert_int_equal(judge(live, 2).count, 0);
}

static void test_patience(void **state)
{
	struct lp_live_thread live[] = { thread(1, LOCKS(A, B), NULL),
					 thread(2, LOCKS(B, A), NULL) };
	struct lp_blocked *blocked = lp_blocked_create(3, 250);
	struct cycles cycles = { 0 };
	/* looks at 0 100 200: too soon; 300: not three since something moved at 200 */
	const struct {
		uint64_t	now_ms;
		uint64_t	acquisitions;	/* of thread 2 */
		size_t		count;
	} looks[] = { { 0, 2, 0 }, { 100, 2, 0 }, { 200, 4, 0 }, { 300, 4, 0 }, { 400, 4, 0 },
		      { 449, 4, 0 }, { 450, 4, 1 }, { 500, 4, 2 }, { 900, 6, 2 }, { 1500, 6, 2 },
		      { 1501, 6, 3 } };

	(void)state;
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		live[1].acquisitions = looks[i].acquisitions;
		see_all(blocked, live, 2, looks[i].now_ms);
		assert_int_equal(lp_blocked_judge(blocked, on_cycle, &cycles), 0);
		assert_int_equal(cycles.count, looks[i].count);
	}
	/* a thread that was not there in between starts anew */
	see_all(blocked, live, 1, 2000);
	see_all(blocked, live, 2, 3000);
	assert_int_equal(lp_blocked_judge(blocked, on_cycle, &cycles), 0);
	assert_int_equal(cycles.count, 3);
	lp_blocked_destroy(blocked);
}

/* ---- the naive twin: all pairs, straight from the rules ---- */

static bool is_waiter(const struct lp_live_thread *live)
{
	const struct lp_live_held *top = top_of(live);

	return live->held_count && (top->lock & ~(uint64_t)3) &&
	       !(top->flags & (LP_TRY | LP_TIMED));
}

static bool writer_waits(const struct lp_live_thread *live, size_t count, uint64_t lock)
{
	for (size_t i = 0; i < count; i++)
		if (is_waiter(&live[i]) && top_of(&live[i])->lock == lock &&
		    top_of(&live[i])->mode == LP_WRITE)
			return true;
	return false;
}

static bool waits_for(const struct lp_live_thread *live, size_t count, size_t from, size_t to)
{
	const struct lp_live_held *want = top_of(&live[from]);
	uint64_t lock = want->lock & ~(uint64_t)3;

	if (!is_waiter(&live[from]) || !is_waiter(&live[to]))
		return false;
	for (uint32_t i = 0; i + 1 < live[to].held_count; i++) {
		const struct lp_live_held *held = &live[to].held[i];

		if ((held->lock & ~(uint64_t)3) != lock || live[from].pid != live[to].pid)
			continue;
		if (want->mode == LP_WRITE || held->mode == LP_WRITE)
			return true;
		if (want->mode == LP_READ && !(want->flags & LP_PREFER) &&
		    writer_waits(live, count, lock))
			return true;
	}
	return false;
}

/* Transitive closure; a cycle is somebody who waits for himself. */
static bool naive_has_cycle(const struct lp_live_thread *live, size_t count)
{
	bool reach[THREADS_MAX][THREADS_MAX];

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++)
			reach[i][j] = waits_for(live, count, i, j);
	for (size_t k = 0; k < count; k++)
		for (size_t i = 0; i < count; i++)
			for (size_t j = 0; j < count; j++)
				reach[i][j] |= reach[i][k] && reach[k][j];
	for (size_t i = 0; i < count; i++)
		if (reach[i][i])
			return true;
	return false;
}

static unsigned dice(uint64_t *seed, unsigned sides)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33) % sides;
}

static void make_random(struct lp_live_thread *live, size_t count, unsigned locks, uint64_t *seed)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t held[4];
		uint8_t modes[4];
		uint32_t depth = 1 + dice(seed, 4);

		for (uint32_t k = 0; k < depth; k++) {
			held[k] = A * (1 + dice(seed, locks));
			modes[k] = dice(seed, 3) ? LP_WRITE : 1 + dice(seed, 2);
		}
		live[i] = thread((uint32_t)i + 1, depth, held, modes);
		live[i].held[depth - 1].flags = dice(seed, 8) ? 0 : 1 << dice(seed, 3);
	}
}

static uint64_t start_seed(void)
{
	const char *given = getenv("LOCKPROOF_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	printf("seed: LOCKPROOF_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

static void test_random(void **state)
{
	uint64_t seed = start_seed();
	struct lp_live_thread live[THREADS_MAX];
	unsigned with = 0, without = 0;

	(void)state;
	for (unsigned round = 0; round < 100000; round++) {
		size_t count = 1 + dice(&seed, THREADS_MAX);
		bool expected;

		make_random(live, count, 3 + dice(&seed, 40), &seed);
		expected = naive_has_cycle(live, count);
		assert_int_equal(judge(live, count).count > 0, expected);
		with += expected;
		without += !expected;
	}
	/* the dice must show both sides */
	assert_true(with > 10000 && without > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_threads), cmocka_unit_test(test_no_cycle),
		cmocka_unit_test(test_itself), cmocka_unit_test(test_processes_are_apart),
		cmocka_unit_test(test_low_bits_are_flags), cmocka_unit_test(test_readers),
		cmocka_unit_test(test_what_gives_up), cmocka_unit_test(test_other_waits),
		cmocka_unit_test(test_patience), cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_explore.c — the explorer against itself and against known answers.
 *
 * Random scenarios are explored three times: with partial-order reduction, depth first for any
 * deadlock, and `full`: nothing left out, a deadlock being what the graph of all states says it
 * is. All must agree, and so must a search that is bounded so early that it has to dive, if it
 * gives an answer. Then directed cases, witnesses and bounds.
 *
 * Repeat a failure with LP_SEED=<seed>; LP_STEPS=<n> sets the number of scenarios.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../engine/random.h"
#include "base/compiler.h"
#include "scenario/explore_print.h"

#define TEXT_MAX	16384u
#define FULL_MAX	40000u	/* states; what has more is left out */
#define DIVE_MAX	20u	/* states, then it dives */

struct text {
	char		at[TEXT_MAX];
	size_t		size;
	uint64_t	*seed;
	bool		kernel;
	uint32_t	locks, left;	/* statements still to write into this body */
	uint32_t	works, timers, rcus, threads, completions, semaphores, conds;
	const char	*kind[4];	/* of each lock */
};

static uint32_t pick(struct text *t, uint32_t n)
{
	return (uint32_t)(test_random(t->seed) % n);
}

static bool chance(struct text *t, uint32_t per_cent)
{
	return pick(t, 100) < per_cent;
}

static void LP_PRINTF(2, 3) put(struct text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	t->size += (size_t)vsnprintf(t->at + t->size, TEXT_MAX - t->size, format, args);
	va_end(args);
	assert_true(t->size < TEXT_MAX);
}

/* ---- statements ---- */

/* How a lock of each type is taken and given back; %u is its number. */
static const struct pair {
	const char *type, *take, *give;
	bool	try;
} pairs[] = {
	{ "spinlock_t", "spin_lock(&l%u);", "spin_unlock(&l%u);", false },
	{ "spinlock_t", "spin_lock_irq(&l%u);", "spin_unlock_irq(&l%u);", false },
	{ "spinlock_t", "spin_lock_bh(&l%u);", "spin_unlock_bh(&l%u);", false },
	{ "spinlock_t", "spin_lock_irqsave(&l%u, flags);", "spin_unlock_irqrestore(&l%u, flags);",
	  false },
	{ "spinlock_t", "spin_trylock(&l%u)", "spin_unlock(&l%u);", true },
	{ "rwlock_t", "read_lock(&l%u);", "read_unlock(&l%u);", false },
	{ "rwlock_t", "write_lock(&l%u);", "write_unlock(&l%u);", false },
	{ "rwlock_t", "read_lock_irq(&l%u);", "read_unlock_irq(&l%u);", false },
	{ "rwlock_t", "write_lock_bh(&l%u);", "write_unlock_bh(&l%u);", false },
	{ "rwlock_t", "read_trylock(&l%u)", "read_unlock(&l%u);", true },
	{ "mutex", "mutex_lock(&l%u);", "mutex_unlock(&l%u);", false },
	{ "mutex", "mutex_trylock(&l%u)", "mutex_unlock(&l%u);", true },
	{ "rw_semaphore", "down_read(&l%u);", "up_read(&l%u);", false },
	{ "rw_semaphore", "down_write(&l%u);", "up_write(&l%u);", false },
	{ "rw_semaphore", "down_read_trylock(&l%u)", "up_read(&l%u);", true },
	{ "rw_semaphore", "down_write(&l%u); downgrade_write(&l%u);", "up_read(&l%u);", false },
	{ "srcu_struct", "srcu_read_lock(&l%u);", "srcu_read_unlock(&l%u);", false },
	{ "srcu_struct", "synchronize_srcu(&l%u);", "", false },
	{ "seqlock_t", "read_seqbegin(&l%u);", "", false },
	{ "seqlock_t", "write_seqlock(&l%u);", "write_sequnlock(&l%u);", false },
	{ "lockdep_map", "lock_map_acquire(&l%u);", "lock_map_release(&l%u);", false },
	{ "lockdep_map", "lock_map_acquire_read(&l%u);", "lock_map_release(&l%u);", false },
	{ "lockdep_map", "lock_sync(&l%u);", "", false },
	{ "pthread_mutex_t", "pthread_mutex_lock(&l%u);", "pthread_mutex_unlock(&l%u);", false },
	{ "pthread_mutex_t", "pthread_mutex_trylock(&l%u) == 0", "pthread_mutex_unlock(&l%u);",
	  true },
	{ "pthread_rwlock_t", "pthread_rwlock_rdlock(&l%u);", "pthread_rwlock_unlock(&l%u);",
	  false },
	{ "pthread_rwlock_t", "pthread_rwlock_wrlock(&l%u);", "pthread_rwlock_unlock(&l%u);",
	  false },
	{ "pthread_spinlock_t", "pthread_spin_lock(&l%u);", "pthread_spin_unlock(&l%u);", false },
};

static const char *const kernel_types[] = { "spinlock_t", "spinlock_t", "rwlock_t", "mutex",
					    "rw_semaphore", "srcu_struct", "seqlock_t",
					    "lockdep_map" };
static const char *const user_types[] = { "pthread_mutex_t", "pthread_mutex_t",
					  "pthread_mutex_t(recursive)",
					  "pthread_mutex_t(errorcheck)", "pthread_rwlock_t",
					  "pthread_rwlock_t(prefer_writer)",
					  "pthread_spinlock_t" };

static const struct pair *pick_pair(struct text *t, uint32_t lock)
{
	const struct pair *pair;
	size_t length;

	do {
		pair = &pairs[pick(t, lp_array_size(pairs))];
		length = strlen(pair->type);
	} while (strncmp(pair->type, t->kind[lock], length) ||
		 (t->kind[lock][length] && t->kind[lock][length] != '('));
	return pair;
}

static void put_statements(struct text *t, uint32_t depth, bool interrupt);

static void put_pattern(struct text *t, const char *pattern, uint32_t lock)
{
	const char *mark;

	for (; (mark = strstr(pattern, "%u")); pattern = mark + 2)
		put(t, "%.*s%u", (int)(mark - pattern), pattern, lock);
	put(t, "%s", pattern);
}

static void put_section(struct text *t, uint32_t depth, bool interrupt)
{
	uint32_t lock = pick(t, t->locks);
	const struct pair *pair = pick_pair(t, lock);

	/* No sound handler does this: it releases what it has not taken (and without a try). */
	if (interrupt && !depth && chance(t, 8) && !strstr(pair->give, "flags")) {
		put_pattern(t, pair->give, lock);
		put(t, "\n");
		return;
	}
	if (pair->try) {
		put(t, "if (");
		put_pattern(t, pair->take, lock);
		put(t, ") {\n");
	} else {
		put_pattern(t, pair->take, lock);
		put(t, "\n");
	}
	put_statements(t, depth + 1, interrupt);
	put_pattern(t, pair->give, lock);
	put(t, pair->try ? "}\n" : "\n");
}

static void put_kernel_statement(struct text *t, uint32_t depth, bool interrupt)
{
	switch (pick(t, 20)) {
	case 0:
		put(t, "local_irq_disable();\n");
		put_statements(t, depth + 1, interrupt);
		put(t, "local_irq_enable();\n");
		break;
	case 1:
		put(t, "local_bh_disable();\n");
		put_statements(t, depth + 1, interrupt);
		put(t, "local_bh_enable();\n");
		break;
	case 2:
		put(t, "rcu_read_lock();\n");
		put_statements(t, depth + 1, interrupt);
		put(t, "rcu_read_unlock();\n");
		break;
	case 3:
		put(t, "synchronize_rcu();\n");
		break;
	case 4:
	case 5:
		if (t->completions)
			put(t, chance(t, 50) ? "complete(&c);\n" : "wait_for_completion(&c);\n");
		break;
	case 6:
	case 7:
		if (t->semaphores)
			put(t, chance(t, 50) ? "up(&s);\n" : "down(&s);\n");
		break;
	case 8:
		if (t->works)
			put(t, chance(t, 40) ? "flush_work(w);\n" : "cancel_work_sync(w);\n");
		break;
	case 9:
		if (t->works)
			put(t, chance(t, 70) ? "queue_work(w);\n" : "flush_scheduled_work();\n");
		break;
	case 10:
		if (t->timers)
			put(t, chance(t, 50) ? "del_timer_sync(t);\n" : "mod_timer(t);\n");
		break;
	case 11:
		if (t->rcus)
			put(t, chance(t, 50) ? "call_rcu(r);\n" : "rcu_barrier();\n");
		break;
	default:
		put_section(t, depth, interrupt);
		break;
	}
}

static void put_user_statement(struct text *t, uint32_t depth, bool interrupt)
{
	switch (pick(t, 20)) {
	case 0:
		put(t, "pthread_sigmask(%s, SIGALRM);\n", chance(t, 60) ? "SIG_BLOCK" :
		    "SIG_UNBLOCK");
		break;
	case 1:
		if (t->semaphores)
			put(t, chance(t, 50) ? "sem_wait(&s);\n" : "sem_post(&s);\n");
		break;
	case 2:
		if (t->conds)
			put(t, "pthread_mutex_lock(&m); pthread_cond_wait(&cv, &m); "
			    "pthread_mutex_unlock(&m);\n");
		break;
	case 3:
		if (t->conds)
			put(t, chance(t, 50) ? "pthread_cond_signal(&cv);\n" :
			    "pthread_cond_broadcast(&cv);\n");
		break;
	case 4:
		if (t->threads && !interrupt)
			put(t, "pthread_create(th);\n");
		break;
	case 5:
		if (t->threads)
			put(t, "pthread_join(th);\n");
		break;
	case 6:
		if (chance(t, 10)) {
			put(t, "if (fork() == 0) {\n");
			put_statements(t, depth + 1, interrupt);
			put(t, "return; }\n");
		}
		break;
	default:
		put_section(t, depth, interrupt);
		break;
	}
}

static void put_statements(struct text *t, uint32_t depth, bool interrupt)
{
	while (t->left && depth < 4 && !(depth && chance(t, 40))) {
		t->left--;
		if (chance(t, 5)) {
			put(t, "if (*) {\n");
			put_statements(t, depth + 1, interrupt);
			put(t, "} else {\n");
			put_statements(t, depth + 1, interrupt);
			put(t, "}\n");
		} else if (t->kernel) {
			put_kernel_statement(t, depth, interrupt);
		} else {
			put_user_statement(t, depth, interrupt);
		}
	}
}

/* ---- scenarios ---- */

static void put_body(struct text *t, const char *head, uint32_t statements, bool interrupt)
{
	put(t, "%s()\n{\n", head);
	t->left = statements;
	put_statements(t, 0, interrupt);
	put(t, "}\n");
}

static void put_objects(struct text *t)
{
	put(t, "C random\n{\n");
	t->locks = 1 + pick(t, 3);
	for (uint32_t l = 0; l < t->locks; l++) {
		const char *bracket;

		t->kind[l] = t->kernel ? kernel_types[pick(t, lp_array_size(kernel_types))] :
			     user_types[pick(t, lp_array_size(user_types))];
		bracket = strchr(t->kind[l], '(');
		put(t, "%.*s l%u%s;\n", (int)strcspn(t->kind[l], "("), t->kind[l], l,
		    bracket ? bracket : "");
	}
	t->completions = t->kernel && chance(t, 25);
	t->semaphores = chance(t, 20);
	t->conds = !t->kernel && chance(t, 25);
	if (t->completions)
		put(t, "completion c;\n");
	if (t->semaphores)
		put(t, t->kernel ? "semaphore s(%u);\n" : "sem_t s(%u);\n", pick(t, 3));
	if (t->conds)
		put(t, "pthread_cond_t cv; pthread_mutex_t m;\n");
	put(t, "}\n");
}

static void put_kernel_bodies(struct text *t)
{
	static const char *const heads[] = { "hardirq", "softirq", "nmi", "hardirq" };
	uint32_t handlers = pick(t, 3);

	for (uint32_t i = 0; i < handlers; i++) {
		char head[32];

		snprintf(head, sizeof(head), "%s h%u", heads[pick(t, 4)], i);
		put_body(t, head, 1 + pick(t, 2), true);
	}
	if (t->works)
		put_body(t, "work w", 1 + pick(t, 3), false);
	if (t->timers)
		put_body(t, "timer t", 1 + pick(t, 2), true);
	if (t->rcus)
		put_body(t, "rcu r", 1 + pick(t, 2), true);
}

static void random_scenario(struct text *t)
{
	uint32_t tasks = 1 + pick(t, 3);
	char head[16];

	t->size = 0;
	t->kernel = chance(t, 60);
	put_objects(t);
	t->works = t->kernel && chance(t, 20);
	t->timers = t->kernel && chance(t, 15);
	t->rcus = t->kernel && chance(t, 15);
	t->threads = !t->kernel && chance(t, 25);
	for (uint32_t i = 0; i < tasks; i++) {
		snprintf(head, sizeof(head), "P%u", i);
		put_body(t, head, 1 + pick(t, 7 - tasks), false);
	}
	if (t->kernel)
		put_kernel_bodies(t);
	if (t->threads)
		put_body(t, "thread th", 1 + pick(t, 3), false);
	if (!t->kernel && chance(t, 40))
		put_body(t, "signal SIGALRM h", 1 + pick(t, 2), true);
	if (!t->kernel && chance(t, 10))
		put_body(t, "signal SIGUSR1 h2", 1 + pick(t, 2), true);
	put(t, "expect none\n");
}

static struct lp_scenario *parse(const char *text)
{
	struct lp_scenario_error error;
	struct lp_scenario *scenario = lp_scenario_parse("test.litmus", text, strlen(text),
							 &error);

	if (!scenario)
		print_error("%s\n%u:%u: %s\n", text, error.line, error.column, error.text);
	assert_non_null(scenario);
	return scenario;
}

static enum lp_verdict explore(const struct lp_scenario *scenario, bool full, bool any,
			       uint64_t states_max, uint64_t *states)
{
	struct lp_explore_options options = { .full = full, .any = any, .states_max = states_max };
	struct lp_exploration result;
	enum lp_verdict verdict;

	lp_explore(scenario, &options, &result);
	verdict = result.verdict;
	if (verdict == LP_VERDICT_DEADLOCK) {
		assert_true(result.step_count > 0);
		assert_true(result.stuck_count > 0);
	}
	*states += result.states;
	lp_exploration_finish(&result);
	return verdict;
}

static const struct text *current;

/* An assertion of explore_full.c failed: say for which scenario. */
static void show_current(int number)
{
	(void)number;
	if (current && write(STDERR_FILENO, current->at, current->size) < 0)
		_exit(2);
}

static bool agrees(enum lp_verdict bounded, enum lp_verdict full)
{
	return bounded == full || bounded == LP_VERDICT_BOUND;
}

static void test_agreement(void **state)
{
	uint64_t seed = test_seed("test_explore"), scenarios = test_steps(3000);
	uint64_t full_states = 0, states = 0, any_states = 0, dive_states = 0;
	uint64_t deadlocks = 0, judged = 0, dived = 0;
	struct text *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->seed = &seed;
	current = t;
	signal(SIGABRT, show_current);
	for (uint64_t i = 0; i < scenarios; i++) {
		struct lp_scenario *scenario;
		enum lp_verdict full, reduced, any, dive;

		random_scenario(t);
		scenario = parse(t->at);
		full = explore(scenario, true, false, FULL_MAX, &full_states);
		if (full != LP_VERDICT_BOUND) {
			reduced = explore(scenario, false, false, 0, &states);
			any = explore(scenario, false, true, 0, &any_states);
			dive = explore(scenario, false, false, DIVE_MAX, &dive_states);
			if (reduced != full || any != full || !agrees(dive, full))
				print_error("%s\nfull %d, reduced %d, any %d, bounded %d\n", t->at,
					    full, reduced, any, dive);
			assert_int_equal(reduced, full);
			assert_int_equal(any, full);
			assert_true(agrees(dive, full));
			dived += full == LP_VERDICT_DEADLOCK && dive == full;
			judged++;
			deadlocks += full == LP_VERDICT_DEADLOCK;
		}
		lp_scenario_destroy(scenario);
	}
	current = NULL;
	free(t);
	printf("%llu scenarios, %llu deadlock, %llu also when bounded; states: full %llu, "
	       "reduced %llu, any %llu\n",
	       (unsigned long long)judged, (unsigned long long)deadlocks,
	       (unsigned long long)dived, (unsigned long long)full_states,
	       (unsigned long long)states, (unsigned long long)any_states);
	/* Both answers must have been asked for. */
	assert_true(scenarios < 1000 || (deadlocks > judged / 20 &&
					 deadlocks < judged - judged / 20));
	assert_true(scenarios < 1000 || dived > deadlocks / 2);
}

/* ---- directed ---- */

/* Scenario and what is printed for it; the machine as docs/explorer.md has it. */
static const struct {
	const char *text, *printed;
} printed[] = {
	{
		"C abba { struct mutex a, b; }\n"
		"P0() { mutex_lock(&a);\n mutex_lock(&b); mutex_unlock(&b); mutex_unlock(&a); }\n"
		"P1() { mutex_lock(&b);\n mutex_lock(&a); mutex_unlock(&a); mutex_unlock(&b); }\n"
		"P2() { mutex_lock(&a); mutex_unlock(&a); }\n"
		"expect none\n",
		"       P0                      P1\n"
		"       ----                    ----\n"
		"  mutex_lock(&a);\n"
		"                          mutex_lock(&b);\n"
		"  mutex_lock(&b);  waits\n"
		"                          mutex_lock(&a);  waits\n"
		"\n"
		"  P0 waits for &b (line 3), held by P1 (line 4)\n"
		"  P1 waits for &a (line 5), held by P0 (line 2)\n"
		"\n"
		" *** DEADLOCK ***\n",
	},
	{
		"C irq { spinlock_t l; }\n"
		"P0() { spin_lock_bh(&l);\n spin_unlock_bh(&l); }\n"
		"hardirq tick() { spin_lock(&l); spin_unlock(&l); }\n"
		"expect none\n",
		"       P0\n"
		"       ----\n"
		"  spin_lock_bh(&l);\n"
		"    <Interrupt> tick()\n"
		"    spin_lock(&l);  waits\n"
		"\n"
		"  tick() on P0 waits for &l (line 4), held by what it interrupted (line 2)\n"
		"\n"
		" *** DEADLOCK ***\n",
	},
	{
		"C queue { struct rw_semaphore a; }\n"
		"P0() { down_read(&a);\n down_read(&a); up_read(&a); up_read(&a); }\n"
		"P1() { down_write(&a); up_write(&a); }\n"
		"expect none\n",
		"       P0                      P1\n"
		"       ----                    ----\n"
		"  down_read(&a);\n"
		"                          down_write(&a);  waits\n"
		"  down_read(&a);  waits\n"
		"\n"
		"  P0 waits for &a (line 3), behind P1, which waits to write it (line 4)\n"
		"  P1 waits for &a (line 4), held by P0 (line 2)\n"
		"\n"
		" *** DEADLOCK ***\n",
	},
	{
		"C fork { pthread_mutex_t m; }\n"
		"P0() { if (fork() == 0) {\n pthread_mutex_lock(&m);\n"
		" pthread_mutex_unlock(&m); return; } }\n"
		"P1() {\n pthread_mutex_lock(&m); pthread_mutex_unlock(&m); }\n"
		"expect none\n",
		"       P0                      P1                       child of P0\n"
		"       ----                    ----                     ----\n"
		"                          pthread_mutex_lock(&m);\n"
		"  if (fork() == 0)\n"
		"                                                   pthread_mutex_lock(&m);  waits\n"
		"\n"
		"  child of P0 waits for &m (line 3), held by P1 (line 6) when P0 forked\n"
		"\n"
		" *** DEADLOCK ***\n",
	},
	{
		"C giver { spinlock_t l; }\n"
		"P0() { spin_lock(&l); spin_lock(&l); spin_unlock(&l); }\n"
		"hardirq h() { spin_unlock(&l); }\n"
		"expect none\n",
		"no schedule deadlocks (14 states)\n",
	},
	{
		"C masked { spinlock_t l; }\n"
		"P0() { spin_lock_irq(&l);\n spin_lock(&l); spin_unlock_irq(&l); }\n"
		"hardirq h() { spin_unlock(&l); }\n"
		"expect none\n",
		"       P0\n"
		"       ----\n"
		"  spin_lock_irq(&l);\n"
		"  spin_lock(&l);  waits\n"
		"\n"
		"  P0 waits for &l (line 3), held by itself (line 2)\n"
		"\n"
		" *** DEADLOCK ***\n",
	},
	{
		"C one { struct mutex m; } P0() { mutex_lock(&m); mutex_unlock(&m); } expect none\n",
		"no schedule deadlocks (3 states)\n",
	},
	{
		"C nothing { } P0() { } expect none\n",
		"no schedule deadlocks (1 state)\n",
	},
};

static void print_into(const struct lp_scenario *scenario, uint64_t states_max, char **text,
		       struct lp_exploration *result)
{
	struct lp_explore_options options = { .states_max = states_max };
	size_t size;
	FILE *out = open_memstream(text, &size);

	assert_non_null(out);
	lp_explore(scenario, &options, result);
	assert_int_equal(lp_explore_print(out, scenario, result), 0);
	fclose(out);
}

static void test_printed(void **state)
{
	for (size_t i = 0; i < lp_array_size(printed); i++) {
		struct lp_scenario *scenario = parse(printed[i].text);
		struct lp_exploration result;
		char *text;

		print_into(scenario, 0, &text, &result);
		assert_string_equal(text, printed[i].printed);
		free(text);
		lp_exploration_finish(&result);
		lp_scenario_destroy(scenario);
	}
}

/* P0 .. Pn-1 take their left fork, then their right one; `ordered`: the last one does not. */
static void put_philosophers(struct text *t, uint32_t count, bool ordered)
{
	put(t, "C philosophers\n{ struct mutex f0");
	for (uint32_t i = 1; i < count; i++)
		put(t, ", f%u", i);
	put(t, "; }\n");
	for (uint32_t i = 0; i < count; i++) {
		uint32_t left = i, right = (i + 1) % count;

		if (ordered && left > right) {
			left = right;
			right = i;
		}
		put(t, "P%u() { mutex_lock(&f%u); mutex_lock(&f%u); mutex_unlock(&f%u); "
		    "mutex_unlock(&f%u); }\n", i, left, right, right, left);
	}
	put(t, "expect none\n");
}

static void test_philosophers(void **state)
{
	struct text *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	for (uint32_t count = 2; count <= 7; count++) {
		for (uint32_t ordered = 0; ordered < 2; ordered++) {
			struct lp_exploration result;
			struct lp_scenario *scenario;

			t->size = 0;
			put_philosophers(t, count, ordered);
			scenario = parse(t->at);
			lp_explore(scenario, NULL, &result);
			assert_int_equal(result.verdict, ordered ? LP_VERDICT_FREE :
					 LP_VERDICT_DEADLOCK);
			/* Each takes one fork and waits for the other: no shorter way. */
			assert_int_equal(result.step_count, ordered ? 0 : 2 * count);
			assert_int_equal(result.stuck_count, ordered ? 0 : count);
			lp_exploration_finish(&result);
			lp_scenario_destroy(scenario);
		}
	}
	free(t);
}

/* Does the schedule, of mutexes only, run as it says, and do those in the end wait in a circle? */
static void replay_mutexes(const struct lp_scenario *scenario, const struct lp_exploration *x)
{
	uint32_t *owner = calloc(scenario->object_count, sizeof(*owner));

	assert_non_null(owner);
	for (uint32_t i = 0; i < x->step_count; i++) {
		const struct lp_op *op = &scenario->ops[x->steps[i].op];

		if (x->steps[i].what == LP_STEP_WAIT || op->kind == LP_OP_END)
			continue;
		assert_int_equal(x->steps[i].what, LP_STEP_RUN);
		assert_int_equal(owner[op->object], op->kind == LP_OP_ACQUIRE ? 0 :
				 x->steps[i].column + 1);
		owner[op->object] = op->kind == LP_OP_ACQUIRE ? x->steps[i].column + 1 : 0;
	}
	assert_true(x->stuck_count > 0);
	for (uint32_t i = 0; i < x->stuck_count; i++) {
		uint32_t holder = owner[scenario->ops[x->stuck[i].op].object], k = 0;

		assert_int_equal(x->stuck[i].holder_column + 1, holder);
		while (k < x->stuck_count && x->stuck[k].column + 1 != holder)
			k++;
		assert_true(k < x->stuck_count);
	}
	free(owner);
}

/* A deadlock far from the start, and none at all: before and at the bound. */
static void test_dives(void **state)
{
	static const struct {
		uint32_t	count, states_max;
		bool		ordered, shortest;
		enum lp_verdict	verdict;
	} cases[] = {
		{ 7, 0, false, true, LP_VERDICT_DEADLOCK },
		{ 7, 50, false, false, LP_VERDICT_DEADLOCK },
		{ 12, 0, true, false, LP_VERDICT_FREE },
		{ 12, 5000, true, false, LP_VERDICT_BOUND },
		{ 12, 100, true, false, LP_VERDICT_BOUND },
		{ 100, 0, false, false, LP_VERDICT_DEADLOCK },
	};
	struct text *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	for (size_t i = 0; i < lp_array_size(cases); i++) {
		struct lp_exploration result;
		struct lp_scenario *scenario;
		char *text;

		t->size = 0;
		put_philosophers(t, cases[i].count, cases[i].ordered);
		scenario = parse(t->at);
		print_into(scenario, cases[i].states_max, &text, &result);
		assert_int_equal(result.verdict, cases[i].verdict);
		assert_int_equal(result.shortest, cases[i].shortest);
		if (result.verdict == LP_VERDICT_DEADLOCK) {
			assert_int_equal(result.step_count, 2 * cases[i].count);
			replay_mutexes(scenario, &result);
			assert_int_equal(!strstr(text, "A shorter way"), cases[i].shortest);
		}
		free(text);
		lp_exploration_finish(&result);
		lp_scenario_destroy(scenario);
	}
	free(t);
}

static void test_bound(void **state)
{
	struct text *t = calloc(1, sizeof(*t));
	struct lp_exploration result;
	struct lp_scenario *scenario;
	char *text;

	assert_non_null(t);
	put_philosophers(t, 7, true);
	scenario = parse(t->at);
	print_into(scenario, 100, &text, &result);
	assert_int_equal(result.verdict, LP_VERDICT_BOUND);
	assert_string_equal(text, "no deadlock among the first 100 states: the bound was hit "
			    "(--states=N raises it)\n");
	free(text);
	lp_exploration_finish(&result);
	lp_scenario_destroy(scenario);
	free(t);
}

/* Ten thousand tasks: an answer or the bound, in bounded memory. */
static void test_many_tasks(void **state)
{
	struct lp_explore_options options = { .memory_max = 64u << 20 };
	struct lp_exploration result;
	struct lp_scenario *scenario;
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	fputs("C many\n{ struct mutex a, b; }\n", out);
	for (uint32_t i = 0; i < 10000; i++)
		fprintf(out, "P%u() { mutex_lock(&a); mutex_lock(&b); mutex_unlock(&b); "
			"mutex_unlock(&a); }\n", i);
	fputs("expect none\n", out);
	fclose(out);
	scenario = parse(text);
	lp_explore(scenario, &options, &result);
	assert_int_equal(result.verdict, LP_VERDICT_BOUND);
	assert_true(result.states > 100);
	lp_exploration_finish(&result);
	lp_scenario_destroy(scenario);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_printed),
		cmocka_unit_test(test_philosophers),
		cmocka_unit_test(test_dives),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_many_tasks),
		cmocka_unit_test(test_agreement),
	};

	return cmocka_run_group_tests_name("explore", tests, NULL, NULL);
}

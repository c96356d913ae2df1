/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_twin.c — the engine against its naive twin on random facts.
 *
 * After each new acquisition (or other node) both must tell the same findings at the same level for
 * the same reason; what was told keeps its id and never falls in level. At the end of each stream
 * the same facts are given to a second engine in another order and in other portions: it must come
 * to the same end. So must the first when it has to judge all anew.
 *
 * Repeat a failure with LP_SEED=<seed>; LP_STEPS=<n> sets the number of acquisitions; LP_SHOW=1
 * prints each operation.
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
#include "twin.h"

#define THREADS_MAX	5u
#define FLOATS		16u	/* thread numbers from here on stand for executions of contexts */
#define FLOATS_MAX	3u
#define SUBCLASS	10u	/* class n + SUBCLASS is subclass 1 of class n */
#define FINDINGS_MAX	1024u

/* What one stream of facts is made of. */
struct mix {
	uint32_t	threads, floats, classes, instances, contexts, depth;
	/* per cent */
	uint32_t	reads, tries, timed, unknown, life, inner, moves, strikes, masks;
	uint32_t	subclasses, nests, syncs, back_offs, sleeps;
	bool		forks, kernel;
};

struct stream {
	struct scene	*scene;
	struct mix	mix;
	uint64_t	*seed;
	uint32_t	threads, floats; /* made so far */
	bool		joined[THREADS_MAX + 1];
	bool		fixed[SUBCLASS];	/* class n is one static object */
	uint32_t	events;		/* creations and joins */
	/* what was told */
	uint64_t	id[FINDINGS_MAX];
	enum lp_level	level[FINDINGS_MAX];
	size_t		told;
};

static bool show;
static uint64_t stream_seed;	/* where the stream began */
static uint64_t stream_steps;
static uint64_t streams, cut_short;

#define SHOW(...)                                                                                  \
	do {                                                                                       \
		if (show)                                                                          \
			printf(__VA_ARGS__);                                                       \
	} while (0)

static uint32_t pick(uint64_t *seed, uint32_t n)
{
	return (uint32_t)(test_random(seed) % n);
}

static bool chance(uint64_t *seed, uint32_t per_cent)
{
	return pick(seed, 100) < per_cent;
}

/* `value` in one stream of `n`, else 0. */
static uint32_t rare(uint64_t *seed, uint32_t n, uint32_t value)
{
	return pick(seed, n) ? 0 : value;
}

static struct mix random_mix(uint64_t *seed)
{
	struct mix mix = {
		.threads = 2 + pick(seed, THREADS_MAX - 1),
		.classes = 1 + pick(seed, 5),
		.instances = 1 + pick(seed, 3),
		.depth = 2 + pick(seed, 3),
		.contexts = chance(seed, 30) ? 0 : 1 + pick(seed, 3),
		.reads = pick(seed, 3) * 30, .tries = pick(seed, 3) * 10,
		.timed = pick(seed, 3) * 5, .unknown = chance(seed, 30) ? 5 : 0,
		.life = pick(seed, 3) * 6, .inner = pick(seed, 3) * 20,
		.moves = pick(seed, 3) * 20, .strikes = pick(seed, 3) * 15,
		.masks = pick(seed, 3) * 15,
		.subclasses = rare(seed, 3, 30), .nests = rare(seed, 3, 30),
		.syncs = rare(seed, 5, 10), .back_offs = rare(seed, 5, 50),
		.sleeps = rare(seed, 4, 30),
		.forks = chance(seed, 15), .kernel = chance(seed, 50),
	};

	mix.floats = mix.contexts ? pick(seed, FLOATS_MAX + 1) : 0;
	return mix;
}

static enum lp_lock_kind random_kind(struct stream *s)
{
	static const enum lp_lock_kind posix[] = {
		LP_LOCK_MUTEX, LP_LOCK_SPINLOCK, LP_LOCK_MUTEX, LP_LOCK_RECURSIVE,
		LP_LOCK_ERRORCHECK, LP_LOCK_SEMAPHORE, LP_LOCK_MUTEX, LP_LOCK_MUTEX,
	};
	static const enum lp_lock_kind kernel[] = {
		LP_LOCK_K_SPINLOCK, LP_LOCK_K_RAW_SPINLOCK, LP_LOCK_K_MUTEX, LP_LOCK_K_SPINLOCK,
		LP_LOCK_K_LOCAL_LOCK, LP_LOCK_MAP, LP_LOCK_K_WW_MUTEX, LP_LOCK_K_SPINLOCK,
	};
	static const enum lp_lock_kind readers[] = {
		LP_LOCK_K_RWLOCK, LP_LOCK_K_RWSEM, LP_LOCK_MAP, LP_LOCK_K_SEQLOCK,
	};

	if (chance(s->seed, s->mix.reads))
		return s->mix.kernel ? readers[pick(s->seed, 4)] : LP_LOCK_RWLOCK;
	return s->mix.kernel ? kernel[pick(s->seed, 8)] : posix[pick(s->seed, 8)];
}

static void random_class(struct stream *s, uint32_t n)
{
	unsigned flags = 0;

	if (chance(s->seed, 5)) {
		s->fixed[n] = true;
		scene_static(s->scene, n);
		return;
	}
	if (chance(s->seed, 20))
		flags = chance(s->seed, 70) ? LP_CLASS_ORDERED :
			chance(s->seed, 50) ? LP_CLASS_NOVALIDATE : LP_CLASS_SHOWN;
	scene_class_with(s->scene, n, random_kind(s), flags);
	if (chance(s->seed, 20))
		scene_refine(s->scene, n);
}

static void random_classes(struct stream *s)
{
	for (uint32_t n = 1; n <= s->mix.classes; n++) {
		random_class(s, n);
		if (s->mix.subclasses && chance(s->seed, 60))
			scene_subclass(s->scene, n + SUBCLASS, n, 1);
	}
}

/* The last of three contexts may be a fork: then nothing but threads is in it. */
static void random_contexts(struct stream *s)
{
	for (uint32_t n = 1; n <= s->mix.contexts; n++) {
		bool fork = n == 3 && chance(s->seed, 40);

		scene_context(s->scene, n, fork ? LP_CONTEXT_FORK : LP_CONTEXT_SOFTIRQ);
		SHOW("context %u%s\n", n, fork ? ": fork" : "");
	}
}

static void random_float(struct stream *s)
{
	uint32_t t = FLOATS + s->floats, n = 1 + pick(s->seed, s->mix.contexts);
	uint32_t creator = chance(s->seed, 20) ? 1 + pick(s->seed, s->threads) : 0;
	unsigned flags = chance(s->seed, 40) ? LP_THREAD_ONCE : 0;
	uint32_t process = s->mix.forks && chance(s->seed, 30) ? 1 : 0;

	if (n == 3)
		n = 1;
	s->floats++;
	SHOW("float %u process %u creator %u context %u flags %u\n", t, process, creator, n, flags);
	if (creator && !s->joined[creator])
		scene_float_after(s->scene, t, creator, n, flags);
	else
		scene_float(s->scene, t, process, n, flags);
}

static void start_thread(struct stream *s)
{
	uint32_t creator = s->threads && chance(s->seed, s->mix.life * 4) ?
		1 + pick(s->seed, s->threads) : 0;
	uint32_t process = s->mix.forks && chance(s->seed, 50) ? 1 : 0;

	if (creator && s->joined[creator])
		creator = 0;
	scene_start(s->scene, ++s->threads, creator ? 0 : process, creator);
	SHOW("start %u process %u creator %u\n", s->threads, creator ? 0 : process, creator);
}

static void live(struct stream *s)
{
	uint32_t a = 1 + pick(s->seed, s->threads), b = 1 + pick(s->seed, s->threads);

	if (s->events++ > 15)
		return;
	if (s->floats < s->mix.floats && chance(s->seed, 40)) {
		random_float(s);
	} else if (s->threads < s->mix.threads && chance(s->seed, 60)) {
		start_thread(s);
	} else if (a != b && !s->joined[a] && !s->joined[b] && !s->scene->thread[b].count &&
		   !s->scene->thread[b].nested) {
		SHOW("join %u %u\n", a, b);
		scene_join(s->scene, a, b);
		s->joined[b] = true;
	}
}

static uint32_t random_set(struct stream *s)
{
	uint32_t set = 0;

	for (uint32_t n = 1; n <= s->mix.contexts; n++)
		set |= chance(s->seed, 50) ? 1u << n : 0;
	return set;
}

static enum lp_mode random_mode(struct stream *s, uint32_t n, unsigned *flags)
{
	enum lp_lock_kind kind = s->scene->model->fines.at[s->scene->fine[n]].kind;
	bool shares = kind == LP_LOCK_RWLOCK || kind == LP_LOCK_K_RWLOCK ||
		      kind == LP_LOCK_K_RWSEM || kind == LP_LOCK_MAP || kind == LP_LOCK_K_SEQLOCK;

	if (!shares || chance(s->seed, 30))
		return LP_WRITE;
	if (chance(s->seed, 40))
		return LP_READ_RECURSIVE;
	*flags |= chance(s->seed, 40) ? LP_PREFER : 0;
	return LP_READ;
}

/* A lock of the class: of a subclass, one of the class itself. */
static uint64_t random_serial(struct stream *s, uint32_t n)
{
	uint32_t base = n > SUBCLASS ? n - SUBCLASS : n;

	if (chance(s->seed, s->mix.unknown))
		return SCENE_UNKNOWN;
	return 10 * base + (s->fixed[base] ? 0 : pick(s->seed, s->mix.instances));
}

/* Which lock of which class. */
static struct scene_want random_lock(struct stream *s)
{
	struct scene_want want = { .n = 1 + pick(s->seed, s->mix.classes) };

	if (s->scene->fine[want.n + SUBCLASS] && chance(s->seed, s->mix.subclasses))
		want.n += SUBCLASS;
	want.serial = random_serial(s, want.n);
	return want;
}

static bool has(const struct scene_thread *thread, uint64_t serial)
{
	for (uint32_t i = thread->frame[thread->nested].base; i < thread->count; i++)
		if (thread->held[i].serial == serial)
			return true;
	return false;
}

static void take(struct stream *s, uint32_t t)
{
	struct scene_want want = random_lock(s);

	/* the same lock again is told soon, and then covers much else */
	if (has(&s->scene->thread[t], want.serial) && chance(s->seed, 85))
		want = random_lock(s);
	want.mode = random_mode(s, want.n, &want.flags);
	if (chance(s->seed, s->mix.tries))
		want.flags |= LP_TRY;
	else if (chance(s->seed, s->mix.timed))
		want.flags |= LP_TIMED;
	else if (chance(s->seed, s->mix.syncs))
		want.flags |= LP_SYNC;
	if (want.mode == LP_WRITE && chance(s->seed, s->mix.back_offs))
		want.flags |= LP_BACK_OFF;
	if (chance(s->seed, s->mix.nests)) {
		want.nest = 1 + pick(s->seed, s->mix.classes);
		want.nest_serial = chance(s->seed, 50) ? 0 : random_serial(s, want.nest);
	}
	SHOW("take %u class %u serial %d mode %d flags %u nest %u %d\n", t, want.n,
	     (int)want.serial, (int)want.mode, want.flags, want.nest, (int)want.nest_serial);
	scene_take_with(s->scene, t, &want);
}

/* An interrupt, or the end of one. */
static void strike(struct stream *s, uint32_t t)
{
	const struct scene_thread *thread = &s->scene->thread[t];
	uint32_t n = 1 + pick(s->seed, s->mix.contexts), on = random_set(s) & ~(1u << n);

	if (thread->nested && chance(s->seed, 60)) {
		SHOW("leave %u\n", t);
		scene_leave(s->scene, t);
		return;
	}
	for (uint32_t i = 0; i <= thread->nested; i++)
		if (thread->frame[i].context == n)
			return;
	if (thread->nested + 1 == SCENE_NESTED)
		return;
	SHOW("enter %u context %u on %x\n", t, n, on);
	scene_enter(s->scene, t, n, on);
}

/* Something else can strike from now on; what is newly let in is noted. */
static void mask(struct stream *s, uint32_t t)
{
	const struct scene_thread *thread = &s->scene->thread[t];
	const struct scene_frame *f = &thread->frame[thread->nested];
	uint32_t on = random_set(s) & ~(f->context ? 1u << f->context : 0);
	bool noted = (on & ~f->on) || chance(s->seed, 10);

	SHOW("mask %u on %x noted %d\n", t, on, noted);
	scene_mask(s->scene, t, on, noted);
	if (chance(s->seed, s->mix.sleeps) && (f->context || thread->nested))
		scene_leaves(s->scene, t, (enum lp_wait_type)pick(s->seed, LP_WAIT_TYPE_COUNT));
}

static void drop(struct stream *s, uint32_t t)
{
	uint32_t held = scene_held_count(s->scene, t);
	uint32_t up = chance(s->seed, s->mix.moves) ? pick(s->seed, held) : 0;

	SHOW("drop %u up %u\n", t, up);
	scene_drop_below(s->scene, t, up);
	if (up && chance(s->seed, 50))
		scene_note(s->scene, t);
}

static void show_failure(const char *what, const char *engine, const char *twin)
{
	fprintf(stderr, "%s\nengine:\n%stwin:\n%s", what, engine, twin);
	print_error("this stream alone: LP_STEPS=1 LP_SEED=%llu, step %llu\n",
		    (unsigned long long)stream_seed, (unsigned long long)stream_steps);
}

/* Ids and kinds stay, levels rise. */
static void check_rise(struct stream *s)
{
	size_t count = lp_engine_finding_count(s->scene->engine);

	assert_true(count >= s->told && count <= FINDINGS_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct lp_finding *f = lp_engine_finding(s->scene->engine, i);

		if (i < s->told) {
			assert_true(f->id == s->id[i]);
			assert_true(f->level >= s->level[i]);
		}
		for (size_t k = 0; k < i; k++)
			assert_true(s->id[k] != f->id);
		s->id[i] = f->id;
		s->level[i] = f->level;
	}
	s->told = count;
}

/* False: more cycles than the engine promises to look at. */
static bool compare(struct stream *s)
{
	char *twin = twin_summary(s->scene->model);
	char *engine = scene_summary(s->scene->engine, s->scene->model);
	bool more = twin != NULL;

	if (twin) {
		if (strcmp(twin, engine))
			show_failure("they differ", engine, twin);
		assert_string_equal(engine, twin);
	}
	check_rise(s);
	SHOW("%s", engine);
	free(twin);
	free(engine);
	return more;
}

/* The same facts once more, in another order. Old index to new. */
struct copy {
	struct lp_model	*model;
	struct lp_engine *engine;
	uint32_t	*fine, *node, *lock, *state;
	bool		*witness;
};

static void copy_base(struct copy *c, const struct lp_model *m)
{
	for (uint32_t i = 1; i < m->modules.count; i++)
		assert_int_equal(lp_model_add_module(c->model, &m->modules.at[i]), i);
	for (uint32_t i = 1; i < m->contexts.count; i++)
		assert_int_equal(lp_model_add_context(c->model, &m->contexts.at[i]), i);
	for (uint32_t i = 1; i < m->processes.count; i++)
		assert_int_equal(lp_model_add_process(c->model, &m->processes.at[i]), i);
	for (uint32_t i = 1; i < m->threads.count; i++)
		assert_int_equal(lp_model_add_thread(c->model, &m->threads.at[i]), i);
	for (uint32_t i = 1; i < m->joins.count; i++)
		assert_int_equal(lp_model_add_join(c->model, &m->joins.at[i]), i);
}

static void copy_fine(struct copy *c, const struct lp_model *m, uint32_t fine)
{
	struct lp_model_fine copy = m->fines.at[fine];

	if (!fine || c->fine[fine])
		return;
	copy_fine(c, m, copy.base);
	copy.base = c->fine[copy.base];
	if (copy.stack)
		copy.stack = lp_model_add_stack(c->model, &m->stacks.at[copy.stack]);
	c->fine[fine] = lp_model_add_fine(c->model, &copy);
	assert_int_not_equal(c->fine[fine], 0);
}

static void copy_lock(struct copy *c, const struct lp_model *m, uint32_t lock)
{
	struct lp_model_lock copy = m->locks.at[lock];

	if (!lock || c->lock[lock])
		return;
	copy_fine(c, m, copy.fine);
	copy.fine = c->fine[copy.fine];
	c->lock[lock] = lp_model_add_lock(c->model, &copy);
	assert_int_not_equal(c->lock[lock], 0);
}

static void copy_state(struct copy *c, const struct lp_model *m, uint32_t state)
{
	if (!state || c->state[state])
		return;
	c->state[state] = lp_model_add_state(c->model, &m->states.at[state]);
	assert_int_not_equal(c->state[state], 0);
}

static void copy_node(struct copy *c, const struct lp_model *m, uint32_t node)
{
	struct lp_model_node copy = m->nodes.at[node];

	if (!node || c->node[node])
		return;
	copy_node(c, m, copy.parent);
	copy_fine(c, m, copy.fine);
	copy_fine(c, m, copy.nest);
	copy_lock(c, m, copy.lock);
	copy_lock(c, m, copy.nest_lock);
	copy_state(c, m, copy.state);
	copy.fine = c->fine[copy.fine];
	copy.nest = c->fine[copy.nest];
	copy.lock = c->lock[copy.lock];
	copy.nest_lock = c->lock[copy.nest_lock];
	copy.state = c->state[copy.state];
	copy.parent = c->node[copy.parent];
	c->node[node] = lp_model_add_node(c->model, &copy);
	assert_int_not_equal(c->node[node], 0);
}

static void copy_witness(struct copy *c, const struct lp_model *m, uint32_t witness)
{
	struct lp_model_witness copy = m->witnesses.at[witness];

	copy_node(c, m, copy.node);
	copy_node(c, m, copy.below);
	copy.node = c->node[copy.node];
	copy.below = c->node[copy.below];
	assert_int_not_equal(lp_model_add_witness(c->model, &copy), 0);
	c->witness[witness] = true;
}

static void judge_copy(struct copy *c)
{
	assert_int_equal(lp_model_regroup(c->model, NULL, NULL), 0);
	assert_int_equal(lp_engine_judge(c->engine, c->model), 0);
}

static struct copy copy_open(const struct lp_model *m)
{
	struct copy c = {
		.model = lp_model_create(), .engine = lp_engine_create(),
		.fine = calloc(m->fines.count, sizeof(uint32_t)),
		.node = calloc(m->nodes.count, sizeof(uint32_t)),
		.lock = calloc(m->locks.count, sizeof(uint32_t)),
		.state = calloc(m->states.count, sizeof(uint32_t)),
		.witness = calloc(m->witnesses.count, sizeof(bool)),
	};

	assert_true(c.model && c.engine);
	return c;
}

static void copy_close(struct copy *c)
{
	free(c->fine);
	free(c->node);
	free(c->lock);
	free(c->state);
	free(c->witness);
	lp_engine_destroy(c->engine);
	lp_model_destroy(c->model);
}

/* `before` is what the facts gave in their own order. */
static void check_other_order(const struct lp_model *m, const char *before, uint64_t *seed)
{
	struct copy c = copy_open(m);
	uint32_t left = m->witnesses.count - 1;
	char *after;

	copy_base(&c, m);
	while (left) {
		uint32_t w = 1 + pick(seed, m->witnesses.count - 1);

		if (chance(seed, 20))	/* a node before its witnesses */
			copy_node(&c, m, 1 + pick(seed, m->nodes.count - 1));
		while (c.witness[w])
			w = 1 + w % (m->witnesses.count - 1);
		copy_witness(&c, m, w);
		left--;
		if (chance(seed, 30))
			judge_copy(&c);
	}
	judge_copy(&c);
	after = scene_summary(c.engine, c.model);
	if (strcmp(before, after))
		show_failure("another order differs", after, before);
	assert_string_equal(after, before);
	free(after);
	copy_close(&c);
}

/* Classes might have been grouped differently: all is judged anew, and comes out as before. */
static void check_anew(struct stream *s, const char *before)
{
	char *after;

	s->scene->model->grouping++;
	scene_judge(s->scene);
	check_rise(s);
	after = scene_summary(s->scene->engine, s->scene->model);
	if (strcmp(before, after))
		show_failure("judged anew it differs", after, before);
	assert_string_equal(after, before);
	free(after);
}

/* One operation of thread t; true when there is something new to judge. */
static bool operate(struct stream *s, uint32_t t)
{
	struct scene *scene = s->scene;
	uint32_t held = scene_held_count(scene, t), nodes = scene->model->witnesses.count;

	if (t < FLOATS && (s->joined[t] || chance(s->seed, s->mix.life)))
		live(s);
	else if (s->mix.contexts && chance(s->seed, s->mix.strikes))
		strike(s, t);
	else if (s->mix.contexts && chance(s->seed, s->mix.masks))
		mask(s, t);
	else if (held && chance(s->seed, 45))
		drop(s, t);
	else if (held < s->mix.depth)
		take(s, t);
	return scene->model->witnesses.count > nodes;
}

static uint32_t random_thread(struct stream *s)
{
	if (s->floats && chance(s->seed, 30))
		return FLOATS + pick(s->seed, s->floats);
	return 1 + pick(s->seed, s->threads);
}

static uint64_t random_stream(uint64_t *seed)
{
	uint64_t before = *seed;
	struct stream s = { .scene = scene_open(), .mix = random_mix(seed), .seed = seed };
	uint32_t steps = 4 + (chance(seed, 80) ? pick(seed, 12) : pick(seed, 36)), taken = 0;
	bool comparable = true;
	char *summary;

	SHOW("stream\n");
	stream_seed = before;
	if (s.mix.forks)
		scene_fork(s.scene, 1, 0);
	random_classes(&s);
	random_contexts(&s);
	start_thread(&s);
	start_thread(&s);
	for (uint32_t i = s.mix.floats; i > 1; i--)
		random_float(&s);
	while (taken < steps && comparable) {
		if (!operate(&s, random_thread(&s)))
			continue;
		stream_steps = ++taken;
		scene_judge(s.scene);
		comparable = compare(&s);
	}
	summary = scene_summary(s.scene->engine, s.scene->model);
	streams++;
	cut_short += !comparable;
	if (comparable)
		check_other_order(s.scene->model, summary, seed);
	if (chance(seed, 30))
		check_anew(&s, summary);
	free(summary);
	scene_close(s.scene);
	return taken;
}

static void test_streams(void **state)
{
	uint64_t steps = test_steps(30000), done = 0;
	uint64_t seed = test_seed("test_twin");

	show = getenv("LP_SHOW") != NULL;
	while (done < steps)
		done += random_stream(&seed);
	printf("test_twin: %llu steps in %llu streams, %llu of them cut short\n",
	       (unsigned long long)done, (unsigned long long)streams,
	       (unsigned long long)cut_short);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams),
	};

	return cmocka_run_group_tests_name("twin", tests, NULL, NULL);
}

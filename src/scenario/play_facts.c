/* SPDX-License-Identifier: Apache-2.0 */
/* play_facts.c — the records behind a scenario: image, classes, locks, threads, states. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "scenario/player.h"

static const uint8_t lock_kinds[LP_OBJECT_TYPE_COUNT] = {
#define X(name, keyword, kind) [LP_OBJECT_##name] = LP_LOCK_##kind,
	LP_SCENARIO_TYPES(X)
#undef X
	[LP_OBJECT_RCU_MAP] = LP_LOCK_RCU,
};

/* ---- what track asks ---- */

static struct lp_frame frame_of(const struct lp_player *player, uint32_t site)
{
	return (struct lp_frame){
		.module = player->module, .offset = player->scenario->sites[site].number,
	};
}

static struct lp_frame site_of(const void *where)
{
	const struct lp_play_where *w = where;

	return frame_of(w->player, w->site);
}

/* The statement, and the body around it when that has another name. */
static uint32_t make_stack(struct lp_player *player, uint32_t site, uint32_t body)
{
	const struct lp_scenario *s = player->scenario;
	uint32_t own = s->bodies[body].site;
	bool inner = own && own != site &&
		     strcmp(s->sites[site].function, s->bodies[body].name) != 0;
	struct lp_rec_stack *stack =
		lp_writer_begin(&player->track.writer, LP_REC_STACK,
				sizeof(*stack) + 2 * sizeof(struct lp_frame), 0);

	if (!stack)
		return 0;
	stack->count = 1u + inner;
	stack->frame[0] = frame_of(player, site);
	stack->frame[1] = frame_of(player, inner ? own : 0);
	if (!inner)
		stack->frame[1] = (struct lp_frame){0};
	lp_writer_done(stack);
	return lp_writer_ref(&player->track.writer, stack);
}

static uint32_t stack_of(const void *where)
{
	const struct lp_play_where *w = where;
	uint32_t *known = &w->player->stack.at[w->site];

	if (!*known)
		*known = make_stack(w->player, w->site, w->body);
	return *known;
}

static void refined(uint32_t class_ref)
{
	(void)class_ref;	/* every lock has its record anyway */
}

const struct lp_track_ops *lp_play_track_ops(void)
{
	static const struct lp_track_ops ops = { site_of, stack_of, refined, NULL };

	return &ops;
}

/* ---- records ---- */

/* Stable over runs: the printed name, and how many classes before it had the same. */
static uint64_t class_key(const struct lp_scenario *s, uint32_t class, uint32_t subclass)
{
	const struct lp_object_class *c = &s->classes[class];
	uint64_t hash = lp_hash_bytes(c->type, c->name, strlen(c->name)), same = 0;

	for (uint32_t i = 1; i < class && s->class_count < 1000; i++)
		same += s->classes[i].type == c->type && !strcmp(s->classes[i].name, c->name);
	if (s->class_count >= 1000)
		same = class;		/* too many to compare each with each */
	hash = lp_hash_add(lp_hash_add(hash, same), subclass);
	return hash ? hash : 1;
}

static enum lp_lock_kind kind_of(const struct lp_scenario *s, const struct lp_object_class *class)
{
	if (class->object == s->rcu_callback && s->rcu_callback)
		return LP_LOCK_MAP;
	if (class->flags & LP_OBJECT_RECURSIVE)
		return LP_LOCK_RECURSIVE;
	if (class->flags & LP_OBJECT_ERRORCHECK)
		return LP_LOCK_ERRORCHECK;
	return lock_kinds[class->type];
}

/* Flags of an object that overrides what may be waited for; the last one given is the widest. */
static const struct {
	uint32_t	flag;
	enum lp_wait_type wait;
} overrides[] = {
	{ LP_OBJECT_WAIT_SPIN, LP_WAIT_SPIN },
	{ LP_OBJECT_WAIT_CONFIG, LP_WAIT_CONFIG },
	{ LP_OBJECT_WAIT_SLEEP, LP_WAIT_SLEEP },
};

static void set_override(uint32_t flags, struct lp_rec_class *class)
{
	for (size_t i = 0; i < lp_array_size(overrides); i++) {
		if (!(flags & overrides[i].flag))
			continue;
		class->flags |= LP_CLASS_WAIT_OVERRIDE;
		class->wait_outer = LP_WAIT_FREE;
		class->wait_inner = (uint8_t)overrides[i].wait;
	}
}

/* RCU readers may begin anywhere; what they leave depends on the flavour. */
static void set_waits(const struct lp_player *player, uint32_t object, struct lp_rec_class *class)
{
	const struct lp_scenario *s = player->scenario;

	if (class->kind != LP_LOCK_RCU)
		return;
	class->wait_outer = LP_WAIT_FREE;
	class->wait_inner = object == s->rcu_sched ? LP_WAIT_SPIN : LP_WAIT_CONFIG;
}

static uint32_t make_class(struct lp_player *player, uint32_t class, uint32_t subclass,
			   uint32_t base)
{
	const struct lp_object_class *from = &player->scenario->classes[class];
	uint32_t size = (uint32_t)strlen(from->name);
	struct lp_rec_class *made = lp_writer_begin(&player->track.writer, LP_REC_CLASS,
						    sizeof(*made) + size, 0);

	if (!made)
		return 0;
	made->kind = (uint8_t)kind_of(player->scenario, from);
	made->origin = LP_ORIGIN_INIT;
	made->key = class_key(player->scenario, class, subclass);
	made->flags = (from->flags & LP_OBJECT_NOVALIDATE ? LP_CLASS_NOVALIDATE : 0) |
		      (from->flags & LP_OBJECT_ORDERED ? LP_CLASS_ORDERED : 0);
	made->subclass = (uint8_t)subclass;
	made->base = base;
	made->refine = 1;
	made->name_size = size;
	memcpy(made->name, from->name, size);
	set_waits(player, from->object, made);
	set_override(from->flags, made);
	lp_writer_done(made);
	return lp_writer_ref(&player->track.writer, made);
}

static uint32_t class_of(struct lp_player *player, uint32_t class, uint32_t subclass)
{
	uint32_t *known = &player->class.at[class * 8 + subclass];

	if (!*known)
		*known = make_class(player, class, subclass,
				    subclass ? class_of(player, class, 0) : 0);
	return *known;
}

uint32_t lp_play_lock(struct lp_player *player, uint32_t object, uint32_t subclass)
{
	const struct lp_object *from = &player->scenario->objects[object];
	uint32_t *known = &player->object.at[object].lock[subclass & 7];
	uint32_t class = *known ? 0 : class_of(player, from->class_index, subclass & 7);
	struct lp_rec_lock *lock;

	if (*known || !class)
		return *known;
	lock = lp_writer_begin(&player->track.writer, LP_REC_LOCK, sizeof(*lock), 0);
	if (!lock)
		return 0;
	lock->class_ref = class;
	lock->process = player->process;
	lock->serial = object;
	lock->rank = from->rank;
	/* tells it from others of its class; made up, as nothing lies anywhere */
	lock->address = from->flags & LP_OBJECT_STATIC ? 0 : 0x1000 + 0x100ull * from->rank;
	lp_writer_done(lock);
	*known = lp_writer_ref(&player->track.writer, lock);
	return *known;
}

static uint32_t context_of_body(const struct lp_player *player, const struct lp_body *body)
{
	switch (body->kind) {
	case LP_BODY_HARDIRQ:
	case LP_BODY_HARDIRQ_NOTHREAD:
		return player->hardirq;
	case LP_BODY_SOFTIRQ:
	case LP_BODY_TIMER:
	case LP_BODY_RCU:
		return player->softirq;
	case LP_BODY_NMI:
		return player->nmi;
	default:
		return 0;
	}
}

static void name_thread(struct lp_player *player, uint32_t thread, const char *name)
{
	struct lp_rec_thread_name *record = lp_writer_begin(
		&player->track.writer, LP_REC_THREAD_NAME, sizeof(*record), 0);

	if (!record)
		return;
	record->thread = thread;
	snprintf(record->name, sizeof(record->name), "%s", name);
	lp_writer_done(record);
}

uint32_t lp_play_thread(struct lp_player *player, uint32_t body)
{
	const struct lp_body *from = &player->scenario->bodies[body];
	struct lp_play_body *state = &player->body_state.at[body];
	struct lp_rec_thread *thread;

	if (state->thread)
		return state->thread;
	thread = lp_writer_begin(&player->track.writer, LP_REC_THREAD, sizeof(*thread), 0);
	if (!thread)
		return 0;
	thread->process = player->process;
	thread->number = body;
	thread->creator = state->creator;
	thread->creator_epoch = state->creator_epoch;
	thread->context = context_of_body(player, from);
	thread->flags = thread->context && from->kind != LP_BODY_SOFTIRQ ? LP_THREAD_ONCE : 0;
	thread->flags |= from->kind == LP_BODY_THREAD && state->triggers > 1 ? LP_THREAD_MANY : 0;
	lp_writer_done(thread);
	state->thread = lp_writer_ref(&player->track.writer, thread);
	name_thread(player, state->thread, from->name);
	return state->thread;
}

/* ---- states ---- */

struct contexts {
	uint32_t	at[80];
	uint32_t	count;
};

static void add(struct contexts *contexts, uint32_t context)
{
	uint32_t i = contexts->count++;

	for (; i && contexts->at[i - 1] > context; i--)
		contexts->at[i] = contexts->at[i - 1];
	contexts->at[i] = context;
}

/* Which kernel contexts can strike the body that runs. */
static void add_kernel(const struct lp_player *player, enum lp_body_kind kind,
		       struct contexts *on)
{
	bool hard = kind == LP_BODY_HARDIRQ || kind == LP_BODY_HARDIRQ_NOTHREAD;
	bool soft = kind == LP_BODY_SOFTIRQ || kind == LP_BODY_TIMER || kind == LP_BODY_RCU;

	if (kind == LP_BODY_NMI)
		return;
	if (player->nmi)
		add(on, player->nmi);
	if (player->cpu.irqs_off || hard || !player->hardirq)
		return;
	add(on, player->hardirq);
	if (!player->cpu.bh && !soft)
		add(on, player->softirq);
}

static void add_signals(const struct lp_player *player, struct contexts *on)
{
	for (uint32_t n = 1; n <= 64; n++) {
		uint64_t bit = 1ull << (n - 1);

		if (player->signal[n] && (player->cpu.installed & bit) &&
		    !(player->cpu.blocked & bit))
			add(on, player->signal[n]);
	}
}

static enum lp_wait_type wait_of(enum lp_body_kind kind)
{
	switch (kind) {
	case LP_BODY_HARDIRQ_NOTHREAD:
	case LP_BODY_NMI:
		return LP_WAIT_SPIN;
	case LP_BODY_HARDIRQ:
	case LP_BODY_SOFTIRQ:
	case LP_BODY_TIMER:
	case LP_BODY_RCU:
		return LP_WAIT_CONFIG;
	default:
		return LP_WAIT_UNCHECKED;
	}
}

uint32_t lp_play_state(struct lp_player *player)
{
	const struct lp_body *body = &player->scenario->bodies[player->body];
	struct contexts in = {0}, on = {0};
	struct lp_track_state state = { .wait = wait_of(body->kind), .in = in.at, .on = on.at };

	state.context = body->kind == LP_BODY_SIGNAL ? player->signal[body->signal] :
						       context_of_body(player, body);
	if (player->in_child)
		state.context = player->fork;
	if (state.context)
		add(&in, state.context);
	/* a fork by another thread strikes: its child has this thread's locks and not the thread */
	else if (player->fork)
		add(&on, player->fork);
	add_kernel(player, body->kind, &on);
	if (body->kind == LP_BODY_TASK || body->kind == LP_BODY_THREAD ||
	    body->kind == LP_BODY_SIGNAL)
		add_signals(player, &on);
	state.in_count = in.count;
	state.on_count = on.count;
	return in.count + on.count ? lp_track_state(&player->track, &state) : 0;
}

void lp_play_misuse(struct lp_player *player, enum lp_event_kind kind, uint32_t object,
		    uint32_t site)
{
	struct lp_play_where where = { player, site, player->body };
	struct lp_misuse event = {
		.kind = kind, .lock = object ? lp_play_lock(player, object, 0) : 0,
		.address = address_of(object), .serial = object, .where = &where,
	};

	lp_track_misuse(&player->track, player->slot, &event);
}

/* ---- the image ---- */

static void begin_process(struct lp_player *player)
{
	struct lp_writer *writer = &player->track.writer;
	uint32_t size = (uint32_t)strlen(player->scenario->file);
	struct lp_rec_process *process =
		lp_writer_begin(writer, LP_REC_PROCESS, sizeof(*process) + size, 0);

	if (!process)
		return;
	process->pid = 1;
	process->exe_size = size;
	memcpy(process->text, player->scenario->file, size);
	lp_writer_done(process);
	player->process = lp_writer_ref(writer, process);
}

static void begin_module(struct lp_player *player)
{
	struct lp_writer *writer = &player->track.writer;
	size_t name = strlen(player->scenario->name), prefix = strlen(LP_PLAY_MODULE);
	size_t size = prefix + name < UINT16_MAX ? prefix + name : UINT16_MAX;
	struct lp_rec_module *module =
		lp_writer_begin(writer, LP_REC_MODULE, sizeof(*module) + size, 0);

	if (!module)
		return;
	module->path_size = (uint16_t)size;
	memcpy(module->path, LP_PLAY_MODULE, prefix);
	memcpy(module->path + prefix, player->scenario->name, size - prefix);
	lp_writer_done(module);
	player->module = lp_writer_ref(writer, module);
}

/* Kernel code is whatever has kernel locks or handlers; user-space code knows no interrupts. */
static bool is_kernel(const struct lp_scenario *s)
{
	for (uint32_t i = 1; i < s->context_count; i++)
		if (s->contexts[i].kind != LP_BODY_SIGNAL)
			return true;
	for (uint32_t i = 1; i < s->class_count; i++)
		if (lock_kinds[s->classes[i].type] >= LP_LOCK_K_SPINLOCK)
			return true;
	return false;
}

static uint32_t plain_context(struct lp_player *player, enum lp_context_kind kind,
			       const char *name)
{
	return lp_track_context(&player->track, kind, 0, 0, name);
}

static void begin_contexts(struct lp_player *player)
{
	const struct lp_scenario *s = player->scenario;

	player->hardirq = player->softirq = player->nmi = player->fork = 0;
	memset(player->signal, 0, sizeof(player->signal));
	if (is_kernel(s)) {
		player->hardirq = plain_context(player, LP_CONTEXT_HARDIRQ, "HARDIRQ");
		player->softirq = plain_context(player, LP_CONTEXT_SOFTIRQ, "SOFTIRQ");
	}
	for (uint32_t i = 0; i < s->op_count && !player->fork; i++)
		if (s->ops[i].kind == LP_OP_FORK)
			player->fork = plain_context(player, LP_CONTEXT_FORK, "FORK");
	for (uint32_t i = 1; i < s->context_count; i++) {
		const struct lp_scenario_context *context = &s->contexts[i];

		if (context->kind == LP_BODY_NMI)
			player->nmi = plain_context(player, LP_CONTEXT_NMI, "NMI");
		if (context->kind == LP_BODY_SIGNAL && context->signal <= 64)
			player->signal[context->signal] = lp_track_context(
				&player->track, LP_CONTEXT_SIGNAL, 0,
				(uint16_t)context->signal, context->name);
	}
}

int lp_play_begin_image(struct lp_player *player)
{
	const struct lp_scenario *s = player->scenario;
	struct lp_image *image = player->track.writer.image;
	int err = lp_vec_extend(&player->object, s->object_count + 1ull);

	err = err ? err : lp_vec_extend(&player->body_state, s->body_count + 1ull);
	err = err ? err : lp_vec_extend(&player->stack, s->site_count + 1ull);
	err = err ? err : lp_vec_extend(&player->class, s->class_count * 8ull + 8);
	if (err)
		return err;
	memset(player->object.at, 0, (s->object_count + 1ull) * sizeof(*player->object.at));
	memset(player->body_state.at, 0, (s->body_count + 1ull) * sizeof(*player->body_state.at));
	memset(player->stack.at, 0, (s->site_count + 1ull) * sizeof(*player->stack.at));
	memset(player->class.at, 0, (s->class_count * 8ull + 8) * sizeof(*player->class.at));
	memset(image, 0, player->used);
	lp_image_init(image, player->size, 1, 1, 0);
	player->process = player->module = player->run = 0;
	begin_process(player);
	begin_module(player);
	begin_contexts(player);
	player->slot = lp_writer_begin(&player->track.writer, LP_REC_SLOT, sizeof(*player->slot),
				       64);
	if (player->slot)
		lp_writer_done(player->slot);
	return player->slot && player->process && player->module ? 0 : -ENOMEM;
}

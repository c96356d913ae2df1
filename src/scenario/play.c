/* SPDX-License-Identifier: Apache-2.0 */
/* play.c — a scenario into facts: bodies, and the ways through them. */
#include "scenario/play.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "scenario/player.h"

#define IMAGE_SIZE	((size_t)4 << 30)	/* of address space; used is what is written */
#define ON_TOP_RUNS_MAX	64u		/* ways through a handler or child, each time */
#define KEEP_SIZE	((size_t)4 << 20)	/* cleared by hand; more is given back */

struct lp_player *lp_player_create(void)
{
	struct lp_player *player = calloc(1, sizeof(*player));
	void *image;

	if (!player)
		return NULL;
	image = mmap(NULL, IMAGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (image == MAP_FAILED) {
		free(player);
		return NULL;
	}
	player->size = IMAGE_SIZE;
	player->track = (struct lp_track){
		.writer = { .image = image, .size = IMAGE_SIZE }, .ops = lp_play_track_ops(),
	};
	return player;
}

void lp_player_destroy(struct lp_player *player)
{
	if (!player)
		return;
	munmap(player->track.writer.image, player->size);
	lp_vec_finish(&player->choice);
	lp_vec_finish(&player->object);
	lp_vec_finish(&player->body_state);
	lp_vec_finish(&player->stack);
	lp_vec_finish(&player->class);
	lp_vec_finish(&player->seen);
	lp_vec_finish(&player->promises);
	free(player);
}

/* ---- runs ---- */

static uint64_t hash_state(const struct lp_player *player, uint32_t op)
{
	uint64_t hash = lp_hash_add(lp_track_held_key(player->slot), op);

	hash = lp_hash_add(hash, (uint64_t)player->slot->epoch << 32 | player->slot->state);
	hash = lp_hash_add(hash, player->marks);
	return lp_hash_bytes(hash, &player->cpu.saved, sizeof(player->cpu.saved));
}

static bool was_here(struct lp_player *player, uint32_t op)
{
	uint64_t hash = hash_state(player, op);

	for (uint32_t i = 0; i < player->seen.count; i++)
		if (player->seen.at[i] == hash)
			return true;
	return lp_vec_push(&player->seen, hash) != 0;
}

bool lp_play_choose(struct lp_player *player, uint32_t op)
{
	if (player->depth < player->choice.count)
		return player->choice.at[player->depth++].second;
	if (was_here(player, op) ||
	    lp_vec_push(&player->choice, (struct lp_play_choice){ .op = op })) {
		player->stopped = true;
		return false;
	}
	player->depth++;
	return false;
}

/* The next combination of ways; false: all were taken. */
static bool next_way(struct lp_player *player)
{
	while (player->choice.count) {
		struct lp_play_choice *last = &player->choice.at[player->choice.count - 1];

		if (!last->second) {
			last->second = true;
			return true;
		}
		player->choice.count--;
	}
	return false;
}

static void run_ops(struct lp_player *player, uint32_t body)
{
	uint32_t op = player->scenario->bodies[body].first;

	while (op != UINT32_MAX && !player->stopped) {
		op = lp_play_op(player, op);
		lp_play_signals(player);
	}
}

/* Everything that is left on the stack: promises aside, it should not be there. */
static void check_end(struct lp_player *player, uint32_t body)
{
	const struct lp_scenario *s = player->scenario;
	const struct lp_body *b = &s->bodies[body];
	bool task = b->kind == LP_BODY_TASK || b->kind == LP_BODY_THREAD;
	uint32_t site = s->ops[b->first + b->count - 1].site;

	for (struct lp_held *held = lp_track_base(player->slot);
	     !player->stopped && held < lp_track_top(player->slot); held++)
		if (!is_promise(held->lock))
			lp_play_misuse(player, task ? LP_EVENT_EXIT_HELD : LP_EVENT_WORK_HELD,
				       (uint32_t)held->serial, site);
}

/* Can several executions hold the body's map at once? */
static bool is_shared(const struct lp_player *player, uint32_t body)
{
	enum lp_body_kind kind = player->scenario->bodies[body].kind;

	return kind == LP_BODY_RCU ||
	       (kind == LP_BODY_THREAD && player->body_state.at[body].triggers > 1);
}

/* What a body holds while it runs, and what it is on the way to give. */
static void begin_holding(struct lp_player *player, uint32_t body)
{
	const struct lp_scenario *s = player->scenario;
	const struct lp_body *b = &s->bodies[body];
	uint32_t queue = b->queue ? b->queue : s->events;

	if (b->kind == LP_BODY_WORK && queue)
		lp_play_take(player, queue, LP_READ_RECURSIVE, 0, b->site);
	if (b->map)
		lp_play_take(player, b->map, is_shared(player, body) ? LP_READ_RECURSIVE : LP_WRITE,
			     0, b->site);
	for (uint32_t i = 0; i < player->promises.count; i++) {
		uint32_t object = player->promises.at[i];
		uint32_t site = player->object.at[object].giver_site;
		struct lp_play_where where = { player, site, body };
		struct lp_acquire promise = {
			.address = promise_of(object), .serial = object, .site = site,
			.mode = LP_READ_RECURSIVE, .flags = LP_MOVED, .where = &where,
		};

		if (player->object.at[object].giver != body)
			continue;
		promise.id = lp_play_lock(player, object, 0);
		lp_track_push(&player->track, player->slot, &promise, 0);
	}
}

static void end_holding(struct lp_player *player, uint32_t body)
{
	const struct lp_scenario *s = player->scenario;
	const struct lp_body *b = &s->bodies[body];

	if (b->map)
		lp_play_give_back(player, b->map, b->site);
	if (b->kind == LP_BODY_WORK)
		lp_play_give_back(player, b->queue ? b->queue : s->events, b->site);
}

static void begin_cpu(struct lp_player *player, uint32_t body)
{
	player->cpu = (struct lp_play_cpu){
		.blocked = player->body_state.at[body].blocked, .installed = player->installed,
	};
	player->slot->state = 0;
	lp_track_set_state(&player->track, player->slot, lp_play_state(player), false, NULL);
}

static void run_body(struct lp_player *player, uint32_t body)
{
	player->run++;
	player->depth = 0;
	player->marks = 0;
	player->stopped = false;
	player->handled_key = 0;
	lp_slot_init(&player->track, player->slot, lp_play_thread(player, body));
	begin_cpu(player, body);
	begin_holding(player, body);
	player->ground = lp_track_depth(player->slot);
	lp_play_signals(player);
	run_ops(player, body);
	end_holding(player, body);
	check_end(player, body);
}

/* All ways through a body, each as a run of its own. */
static void play_body(struct lp_player *player, uint32_t body)
{
	uint32_t runs = 0;

	player->body_state.at[body].played = true;
	player->choice.count = player->seen.count = 0;
	player->body = body;
	do {
		run_body(player, body);
	} while (next_way(player) && ++runs < LP_PLAY_RUNS_MAX);
	player->full |= runs == LP_PLAY_RUNS_MAX;
}

/* ---- signals and forks ---- */

/* What runs on top of the thread: from which operation on, and as what. */
struct on_top {
	uint32_t	body, first;
	uint64_t	block;		/* signals */
	bool		child;
};

/* One way through it; true: there is another. */
static bool run_on_top(struct lp_player *player, const struct on_top *it, uint32_t choices)
{
	struct lp_track_below below;

	player->depth = choices;
	player->body = it->body;
	player->in_child = it->child;
	player->cpu.blocked |= it->block;
	lp_track_enter(&player->track, player->slot, lp_play_state(player), &below);
	for (uint32_t op = it->first; op != UINT32_MAX && !player->stopped;)
		op = lp_play_op(player, op);
	check_end(player, it->body);
	player->stopped = player->in_child = false;
	lp_track_leave(player->slot, &below);
	while (player->choice.count > choices && player->choice.at[player->choice.count - 1].second)
		player->choice.count--;
	if (player->choice.count == choices)
		return false;
	player->choice.at[player->choice.count - 1].second = true;
	return true;
}

/* All ways through it, beside those of the run under way. */
static void play_on_top(struct lp_player *player, const struct on_top *it)
{
	struct lp_play_cpu cpu = player->cpu;
	struct lp_u64s seen = player->seen;
	uint32_t body = player->body, depth = player->depth, choices = player->choice.count;
	uint32_t runs = 0;
	bool in_handler = player->in_handler;

	player->seen = (struct lp_u64s){0};
	player->in_handler = true;
	do
		player->cpu = cpu;
	while (run_on_top(player, it, choices) && ++runs < ON_TOP_RUNS_MAX);
	player->full |= runs == ON_TOP_RUNS_MAX;
	player->choice.count = choices;
	player->depth = depth;
	lp_vec_finish(&player->seen);
	player->seen = seen;
	player->body = body;
	player->cpu = cpu;
	player->in_handler = in_handler;
}

static void strike(struct lp_player *player, uint32_t handler)
{
	const struct lp_body *body = &player->scenario->bodies[handler];

	play_on_top(player, &(struct on_top){
		.body = handler, .first = body->first, .block = 1ull << (body->signal - 1),
	});
}

void lp_play_child(struct lp_player *player, uint32_t op)
{
	if (!player->in_child)	/* grandchildren strike nobody: the child has no other thread */
		play_on_top(player, &(struct on_top){
			.body = player->body, .first = op, .child = true,
		});
}

static bool can_host(const struct lp_player *player)
{
	enum lp_body_kind kind = player->scenario->bodies[player->body].kind;

	return kind == LP_BODY_TASK || kind == LP_BODY_THREAD;
}

void lp_play_signals(struct lp_player *player)
{
	const struct lp_scenario *s = player->scenario;
	uint64_t key = (uint64_t)player->slot->epoch << 32 | (player->slot->state + 1ull);

	/* with nothing held, once for each state and epoch: more would only add gates */
	if (player->in_handler || player->stopped || key == player->handled_key ||
	    !can_host(player) || lp_track_depth(player->slot) > player->ground)
		return;
	player->handled_key = key;
	for (uint32_t b = 1; b < s->body_count; b++) {
		uint64_t bit = s->bodies[b].kind == LP_BODY_SIGNAL ?
			       1ull << (s->bodies[b].signal - 1) : 0;

		if (bit & player->cpu.installed & ~player->cpu.blocked)
			strike(player, b);
	}
}

/* ---- the whole ---- */

static bool stands_alone(const struct lp_body *body)
{
	return body->kind != LP_BODY_SIGNAL && body->kind != LP_BODY_THREAD && !body->triggered;
}

static int play_all(struct lp_player *player)
{
	const struct lp_scenario *s = player->scenario;
	bool more = true;

	if (lp_play_look_before(player))
		return -ENOMEM;
	for (uint32_t b = 1; b < s->body_count; b++)
		if (stands_alone(&s->bodies[b]))
			play_body(player, b);
	/* those that were started by what was played, in turn */
	while (more) {
		more = false;
		for (uint32_t b = 1; b < s->body_count; b++) {
			const struct lp_play_body *state = &player->body_state.at[b];

			if (state->played || !state->started)
				continue;
			play_body(player, b);
			more = true;
		}
	}
	return 0;
}

/* The image once more to the model, as any reader gets it. */
static int read_image(struct lp_player *player, struct lp_model *model)
{
	struct lp_image *image = player->track.writer.image;
	const char *problem;
	struct lp_reader *reader = lp_reader_open(image, player->size, &problem);
	int err = reader ? lp_reader_poll(reader, model, &problem) : -ENOMEM;

	lp_reader_close(reader);
	if (image->stop != LP_STOP_NONE || player->full)
		return -E2BIG;
	return err < 0 ? err : 0;
}

int lp_player_play(struct lp_player *player, const struct lp_scenario *scenario,
		   struct lp_model *model)
{
	int err;

	player->scenario = scenario;
	player->full = false;
	if (player->used > KEEP_SIZE) {
		madvise(player->track.writer.image, player->used, MADV_DONTNEED);
		player->used = 0;
	}
	err = lp_play_begin_image(player);
	err = err ? err : play_all(player);
	err = err ? err : read_image(player, model);
	player->used = player->track.writer.image->tail + sizeof(struct lp_rec_slot);
	return err;
}

uint32_t lp_play_site(const struct lp_scenario *scenario, const struct lp_model *model,
		      struct lp_model_frame frame)
{
	const char *path = model->modules.at[frame.module].path;
	size_t prefix = strlen(LP_PLAY_MODULE);

	if (strncmp(path, LP_PLAY_MODULE, prefix) || strcmp(path + prefix, scenario->name))
		return 0;
	for (uint32_t i = 1; i < scenario->site_count; i++)
		if (scenario->sites[i].number == frame.offset)
			return i;
	return 0;
}

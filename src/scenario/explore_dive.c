/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explore_dive.c — the explorer: walks straight down, without a store.
 *
 * A deadlock of a hundred parties is hundreds of steps away, and breadth first there are far too
 * many states before it; but most ways on which everybody takes what is free lead there. So a few
 * walks are made, by rules that prefer taking to giving back and spread what is taken over the
 * columns, then by chance (the idea of randomised priorities is that of Burckhardt et al., PCT). A
 * walk proves a deadlock and never that there is none. The same scenario gets the same walks.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "scenario/explore_private.h"

#define WALKS		64u
#define WORK_MAX	(1ull << 31)	/* bytes looked at, by all walks: about a second */
#define COLUMN_WORK	16u		/* bytes beside the state, per column and step */
#define LENGTH_EACH	4u		/* steps of a walk per operation of the scenario */
#define LENGTH_MORE	64u
#define STRIKES		8u		/* one of so many steps is a strike where that is random */

#define GIVING	(OP_BIT(RELEASE) | OP_BIT(DOWNGRADE) | OP_BIT(RCU_UNLOCK) | OP_BIT(UP) | \
		 OP_BIT(COMPLETE) | OP_BIT(COND_SIGNAL))

/* Which column goes on: of those that are first, the one that is before the others. */
struct rule {
	bool	hold_back;		/* who would give something back goes last */
	bool	strike;			/* handlers begin on running code now and then */
	enum { ANY, FEWEST_HELD, FEWEST_STEPS } first;
	enum { FORWARDS, BACKWARDS, RANDOM, PRIORITY } then;
};

static const struct rule rules[] = {
	{ true,  false, FEWEST_HELD,	FORWARDS },
	{ true,  false, FEWEST_HELD,	BACKWARDS },
	{ true,  false, FEWEST_STEPS,	FORWARDS },
	{ false, false, FEWEST_STEPS,	FORWARDS },
	{ true,  true,  FEWEST_HELD,	RANDOM },	/* from here on again and again */
	{ true,  true,  FEWEST_STEPS,	RANDOM },
	{ true,  false, ANY,		RANDOM },
	{ false, true,  ANY,		RANDOM },
	{ false, true,  ANY,		PRIORITY },
	{ true,  true,  ANY,		PRIORITY },
};

#define RULES		(uint32_t)lp_array_size(rules)
#define FIRST_RANDOM	4u

struct walk {
	struct machine	*m;
	const struct rule *rule;
	uint64_t	seed, work;
	uint64_t	priorities;	/* what they are made from; changes once */
	uint32_t	change;		/* at this step */
	uint8_t		*state;
	uint32_t	*held, *steps;	/* per column: locks it has, steps it took */
	uint8_t		*blocked;	/* per column: it could not go on one step ago */
	struct dive	*dive;
	uint32_t	room;
	struct choice	choice;		/* one of the ways on, by chance */
	uint32_t	ways;
	bool		no_memory;
};

static uint64_t chance(struct walk *walk)
{
	walk->seed = lp_hash_add(walk->seed, 1);
	return walk->seed;
}

/* ---- one step ---- */

/* Going on without what one waits for is the last thing to do. */
static bool take_way(void *context, const struct choice *choice)
{
	struct walk *walk = context;
	bool gives_up = choice->what == LP_STEP_GIVE_UP;

	if (walk->ways && gives_up && walk->choice.what != LP_STEP_GIVE_UP)
		return true;
	if (walk->ways && !gives_up && walk->choice.what == LP_STEP_GIVE_UP)
		walk->ways = 0;
	if (chance(walk) % ++walk->ways)
		return true;
	walk->choice = *choice;
	memcpy(walk->state, walk->m->next, walk->m->size);
	return true;
}

static void note_choice(struct walk *walk)
{
	const struct choice *choice = &walk->choice;
	struct dive *dive = walk->dive;

	if (dive->count == walk->room) {
		uint32_t room = walk->room ? walk->room * 2 : 256;
		struct choice *at = realloc(dive->at, room * sizeof(*at));

		if (!at) {
			walk->no_memory = true;
			return;
		}
		dive->at = at;
		walk->room = room;
	}
	dive->at[dive->count++] = *choice;
	walk->steps[choice->column]++;
	if (choice->what != LP_STEP_RUN)
		return;
	if (op_at(walk->m, choice->op)->kind == LP_OP_ACQUIRE)
		walk->held[choice->column]++;
	else if (op_at(walk->m, choice->op)->kind == LP_OP_RELEASE && walk->held[choice->column])
		walk->held[choice->column]--;
}

/* False: nothing can be done there. */
static bool move(struct walk *walk, uint32_t c, bool strike)
{
	struct machine *m = walk->m;

	walk->ways = 0;
	m->stop = false;
	if (strike)
		lp_x_strikes(m, c);
	else
		lp_x_run(m, c);
	if (walk->ways)
		note_choice(walk);
	return walk->ways != 0;
}

/* ---- which column ---- */

static bool is_moving(const struct machine *m, uint32_t c)
{
	return m->depth[c] ? m->can[c] : lp_x_at_rest_can_start(m, c);
}

/* The less, the sooner; what may run again and again waits for all that may end. */
static uint64_t order_of(struct walk *walk, uint32_t c)
{
	const struct machine *m = walk->m;
	const struct rule *rule = walk->rule;
	uint64_t late = 0, first = 0, then = c;

	if (!m->depth[c] && walk->steps[c])
		late = 2;
	else if (m->depth[c] && rule->hold_back)
		late = is_one_of(op_at(m, m->pc[c])->kind, GIVING);
	if (rule->first != ANY)
		first = rule->first == FEWEST_HELD ? walk->held[c] : walk->steps[c];
	if (rule->then == BACKWARDS)
		then = m->column_count - c;
	else if (rule->then == RANDOM)
		then = chance(walk) >> 34;
	else if (rule->then == PRIORITY)
		then = lp_hash_add(walk->priorities, c) >> 34;
	return late << 62 | (first & 0x3fffffff) << 32 | then;
}

/* column_count: none can go on */
static uint32_t pick_column(struct walk *walk)
{
	struct machine *m = walk->m;
	uint64_t least = UINT64_MAX;
	uint32_t best = m->column_count;

	for (uint32_t c = 0; c < m->column_count; c++) {
		uint64_t order = is_moving(m, c) ? order_of(walk, c) : UINT64_MAX;

		if (order < least) {
			least = order;
			best = c;
		}
	}
	return best;
}

static bool strike_somewhere(struct walk *walk)
{
	struct machine *m = walk->m;
	uint32_t c;

	if (!m->handler_count || !walk->rule->strike || chance(walk) % STRIKES)
		return false;
	c = (uint32_t)(chance(walk) % m->column_count);
	return m->depth[c] && move(walk, c, true);
}

/* ---- one walk ---- */

/* *blocked: does anybody wait? True: somebody does who could go on one step ago. */
static bool look_round(struct walk *walk, bool *blocked)
{
	struct machine *m = walk->m;
	bool news = false;

	*blocked = false;
	lp_x_load(m, walk->state);
	for (uint32_t c = 0; c < m->column_count; c++) {
		bool waits;

		m->can[c] = m->depth[c] && lp_x_can_run(m, c);
		waits = m->depth[c] && !m->can[c];
		news |= waits && !walk->blocked[c];
		*blocked |= waits;
		walk->blocked[c] = waits;
	}
	walk->work += m->size + (uint64_t)COLUMN_WORK * m->column_count;
	return news;
}

/* True: it ended in a deadlock. */
static bool go_down(struct walk *walk, uint32_t length)
{
	struct machine *m = walk->m;
	bool blocked;

	for (uint32_t i = 0; !walk->no_memory; i++) {
		bool end = i == length || walk->work > WORK_MAX;
		uint32_t c;

		if (look_round(walk, &blocked) && lp_x_stuck(m))
			return true;
		if (i == walk->change)
			walk->priorities = chance(walk);
		if (!end && strike_somewhere(walk))
			continue;
		c = end ? m->column_count : pick_column(walk);
		if (c == m->column_count || !move(walk, c, !m->depth[c]))
			return blocked && lp_x_stuck(m);
	}
	return false;
}

static void begin_walk(struct walk *walk, uint32_t number, const uint8_t *first)
{
	struct machine *m = walk->m;
	uint32_t ops = m->scenario->op_count + 1;

	walk->rule = &rules[number < RULES ? number :
			    FIRST_RANDOM + number % (RULES - FIRST_RANDOM)];
	walk->seed = number;
	walk->priorities = chance(walk);
	walk->change = (uint32_t)(chance(walk) % ops);
	walk->dive->count = 0;
	memcpy(walk->state, first, m->size);
	memset(walk->held, 0, m->column_count * sizeof(*walk->held));
	memset(walk->steps, 0, m->column_count * sizeof(*walk->steps));
	memset(walk->blocked, 0, m->column_count);
}

int lp_x_dive(struct machine *m, const uint8_t *first, struct dive *dive)
{
	struct walk walk = { .m = m, .dive = dive };
	uint32_t length = LENGTH_EACH * m->scenario->op_count + LENGTH_MORE;
	bool found = false;

	walk.state = malloc(m->size);
	walk.held = calloc(m->column_count + 1, sizeof(*walk.held));
	walk.steps = calloc(m->column_count + 1, sizeof(*walk.steps));
	walk.blocked = calloc(m->column_count + 1, 1);
	walk.no_memory = !walk.state || !walk.held || !walk.steps || !walk.blocked;
	m->emit = take_way;
	m->context = &walk;	/* until it returns; cppcheck-suppress autoVariables */
	for (uint32_t i = 0; i < WALKS && !found && !walk.no_memory && walk.work < WORK_MAX; i++) {
		begin_walk(&walk, i, first);
		found = go_down(&walk, length);
	}
	m->context = NULL;
	free(walk.state);
	free(walk.held);
	free(walk.steps);
	free(walk.blocked);
	return walk.no_memory ? -ENOMEM : found;
}

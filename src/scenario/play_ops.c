/* SPDX-License-Identifier: Apache-2.0 */
/* play_ops.c — playing one operation: the table, the CPU, and where code goes on. */
#include "scenario/play_ops.h"

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

/* ---- going on ---- */

static uint32_t do_end(struct lp_player *player, uint32_t op)
{
	return ENDED;
}

static uint32_t do_jump(struct lp_player *player, uint32_t op)
{
	return player->scenario->ops[op].target;
}

static uint32_t do_branch(struct lp_player *player, uint32_t op)
{
	bool second = lp_play_choose(player, op);

	return player->stopped ? ENDED : second ? player->scenario->ops[op].target : op + 1;
}

static void do_fork(struct lp_player *player, const struct lp_op *op)
{
	lp_play_child(player, op->target);
	lp_slot_next_epoch(player->slot);
}

/* ---- the table ---- */

#define PLAY(name, function)	[LP_OP_##name] = { .play = function }
#define LEAD(name, function)	[LP_OP_##name] = { .lead = function }

static const struct {
	void	(*play)(struct lp_player *player, const struct lp_op *op);
	uint32_t (*lead)(struct lp_player *player, uint32_t op);
} rows[LP_OP_COUNT] = {
	LEAD(END,		do_end),
	LEAD(JUMP,		do_jump),
	LEAD(BRANCH,		do_branch),
	LEAD(ACQUIRE,		lp_play_acquire),
	PLAY(RELEASE,		lp_play_release),
	PLAY(DOWNGRADE,		lp_play_downgrade),
	PLAY(SYNC,		lp_play_sync),
	PLAY(INIT,		lp_play_init),
	PLAY(FREE,		lp_play_free),
	PLAY(SET_SUBCLASS,	lp_play_set_subclass),
	PLAY(PIN,		lp_play_pin),
	PLAY(UNPIN,		lp_play_pin),
	PLAY(ASSERT_HELD,	lp_play_assert),
	PLAY(ASSERT_NOT_HELD,	lp_play_assert),
	PLAY(WW_DONE,		lp_play_ww_done),
	PLAY(MIGHT_LOCK,	lp_play_might_lock),
	PLAY(MIGHT_SLEEP,	lp_play_might_sleep),
	PLAY(IRQ_DISABLE,	do_cpu),
	PLAY(IRQ_ENABLE,	do_cpu),
	PLAY(IRQ_SAVE,		do_cpu),
	PLAY(IRQ_RESTORE,	do_cpu),
	PLAY(BH_DISABLE,	do_cpu),
	PLAY(BH_ENABLE,		do_cpu),
	PLAY(SIG_BLOCK,		do_cpu),
	PLAY(SIG_UNBLOCK,	do_cpu),
	PLAY(SIG_SETMASK,	do_cpu),
	PLAY(SIG_INSTALL,	do_cpu),
	PLAY(RCU_LOCK,		lp_play_rcu_lock),
	PLAY(RCU_UNLOCK,	lp_play_rcu_unlock),
	PLAY(RCU_SYNC,		lp_play_rcu_sync),
	PLAY(RCU_CALL,		lp_play_start),
	PLAY(RCU_BARRIER,	lp_play_rcu_barrier),
	PLAY(RCU_DEREFERENCE,	lp_play_dereference),
	PLAY(WORK_QUEUE,	lp_play_start),
	PLAY(WORK_FLUSH,	lp_play_flush_body),
	PLAY(WORK_CANCEL,	lp_play_flush_body),
	PLAY(QUEUE_FLUSH,	lp_play_flush_queue),
	PLAY(TIMER_ARM,		lp_play_start),
	PLAY(TIMER_DELETE,	lp_play_delete_timer),
	LEAD(WAIT,		lp_play_down),
	PLAY(COMPLETE,		lp_play_give),
	LEAD(DOWN,		lp_play_down),
	PLAY(UP,		lp_play_up),
	LEAD(COND_WAIT,		lp_play_cond_wait),
	PLAY(COND_SIGNAL,	lp_play_give),
	PLAY(THREAD_CREATE,	lp_play_start),
	PLAY(THREAD_JOIN,	lp_play_join),
	PLAY(FORK,		do_fork),
	PLAY(UNREGISTER,	lp_play_free),
};

uint32_t lp_play_op(struct lp_player *player, uint32_t op)
{
	const struct lp_op *o = &player->scenario->ops[op];

	if (lp_play_ww_broken(player, o))
		lp_play_misuse(player, LP_EVENT_WW_MISUSE, o->object, o->site);
	if (rows[o->kind].lead)
		return rows[o->kind].lead(player, op);
	rows[o->kind].play(player, o);
	return op + 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse_statements.c — statements of a body to operations.
 *
 * Jumps go forwards only. While their target is not known yet, they form a chain through their
 * targets; a chain ends with LP_NONE.
 */
#include "scenario/parse.h"

/* What an if asks. */
struct condition {
	uint32_t	op;		/* goes on behind it, or at its target */
	bool		then_is_target;	/* the first block is for the latter */
	uint8_t		undo;		/* what a failed acquisition gives back: an op, or END */
	uint8_t		slot;
};

static bool parse_block(struct lp_parser *p, uint32_t site);

static void chain(struct lp_parser *p, uint32_t *head, uint32_t op)
{
	p->ops.at[op].target = *head;
	*head = op;
}

static void point_chain(struct lp_parser *p, uint32_t head)
{
	while (head != LP_NONE) {
		uint32_t next = p->ops.at[head].target;

		p->ops.at[head].target = p->ops.count;
		head = next;
	}
}

/* A jump, to be pointed somewhere. */
static bool emit_jump(struct lp_parser *p, uint32_t *op)
{
	*op = p->ops.count;
	return lp_parse_emit(p, (struct lp_op){ .kind = LP_OP_JUMP });
}

/* --- calls --- */

static bool is_masking(uint8_t kind)
{
	return kind == LP_OP_BH_DISABLE || kind == LP_OP_BH_ENABLE || kind == LP_OP_IRQ_DISABLE ||
	       kind == LP_OP_IRQ_ENABLE || kind == LP_OP_IRQ_SAVE || kind == LP_OP_IRQ_RESTORE;
}

/* What takes back the first step of an acquisition that failed. */
static uint8_t undo_of(const struct lp_word *word)
{
	switch (word->steps[0].kind) {
	case LP_OP_BH_DISABLE:
		return LP_OP_BH_ENABLE;
	case LP_OP_IRQ_DISABLE:
		return LP_OP_IRQ_ENABLE;
	case LP_OP_IRQ_SAVE:
		return LP_OP_IRQ_RESTORE;
	default:
		return LP_OP_END;
	}
}

static bool in_interrupt(const struct lp_parser *p)
{
	switch (p->bodies.at[p->body].kind) {
	case LP_BODY_HARDIRQ:
	case LP_BODY_HARDIRQ_NOTHREAD:
	case LP_BODY_SOFTIRQ:
	case LP_BODY_TIMER:
	case LP_BODY_RCU:
	case LP_BODY_NMI:
		return true;
	default:
		return false;
	}
}

static struct lp_op op_of(const struct lp_parser *p, const struct lp_call *call,
			  const struct lp_step *step)
{
	struct lp_op op = { .kind = step->kind, .subclass = call->slot };

	if (is_masking(step->kind))
		return op;
	op = call->op;
	op.kind = call->sig_kind ? call->sig_kind : step->kind;
	op.mode = step->mode;
	op.flags = step->flags & (uint16_t)~LP_STEP_READER;
	op.subclass = call->subclass;
	if (step->flags & LP_STEP_READER && in_interrupt(p))
		op.mode = LP_READ_RECURSIVE;
	if (p->objects.at[op.object].flags & LP_OBJECT_PREFER_WRITER)
		op.flags &= (uint16_t)~LP_PREFER;
	return op;
}

static bool emit_call(struct lp_parser *p, struct lp_call *call)
{
	const struct lp_step *step = call->word->steps;
	struct lp_name *name;

	for (int i = 0; i < LP_WORD_STEPS && step[i].kind; i++)
		if (!lp_parse_emit(p, op_of(p, call, &step[i])))
			return false;
	if (!call->mentions)
		return true;
	call->mention.op = p->ops.count - 1;
	name = lp_names_find(&p->names, &call->mention.token);
	if (name)
		return lp_parse_settle(p, &call->mention, name);
	return !lp_vec_push(&p->mentions, call->mention) || lp_parse_no_memory(p);
}

/* Operations from `first` on are one statement. Jumps lead out of it. */
static void join_ops(struct lp_parser *p, uint32_t first)
{
	for (uint32_t i = first; i + 1 < p->ops.count; i++)
		p->ops.at[i].more = p->ops.at[i].kind != LP_OP_JUMP;
}

static bool emit_undo(struct lp_parser *p, const struct lp_word *word, uint8_t slot)
{
	return lp_parse_emit(p, (struct lp_op){ .kind = undo_of(word), .subclass = slot });
}

/* --- acquisitions that give up, as plain statements --- */

/* Until its release is found, it goes to the end of the body. */
static bool open_giveup(struct lp_parser *p, uint32_t op, uint32_t object)
{
	struct lp_giveup giveup = { .op = op, .object = object, .block = p->block, .open = true,
				    .before = p->open_giveups[object] };

	if (lp_vec_push(&p->giveups, giveup))
		return lp_parse_no_memory(p);
	p->open_giveups[object] = p->giveups.count;
	return true;
}

/* The statement that began at `first` may release what may have been given up. */
static void close_giveups(struct lp_parser *p, uint32_t first)
{
	for (uint32_t i = first; i < p->ops.count; i++) {
		const struct lp_op *op = &p->ops.at[i];
		struct lp_giveup *giveup;

		/* Their objects are declared ones, so they are in the table. */
		if ((op->kind != LP_OP_RELEASE && op->kind != LP_OP_UP) ||
		    !p->open_giveups[op->object])
			continue;
		giveup = &p->giveups.at[p->open_giveups[op->object] - 1];
		if (giveup->block != p->block)
			continue;
		p->ops.at[giveup->op].target = p->ops.count;
		p->open_giveups[op->object] = giveup->before;
		giveup->open = false;
	}
}

/* Those of a block from `mark` on that were not released in it: the body returns. */
static void end_giveups(struct lp_parser *p, uint32_t mark)
{
	while (p->giveups.count > mark) {
		struct lp_giveup *giveup = &p->giveups.at[--p->giveups.count];

		if (!giveup->open)
			continue;
		p->open_giveups[giveup->object] = giveup->before;
		chain(p, &p->returns, giveup->op);
	}
}

/* The last operation may give up: what was disabled for it is enabled again then. */
static bool emit_giveup(struct lp_parser *p, const struct lp_call *call)
{
	uint32_t op = p->ops.count - 1, jump = op, success;

	/* nothing was taken that the rest would need: it goes on, as after a condition wait */
	if (p->ops.at[op].kind == LP_OP_WAIT) {
		p->ops.at[op].target = p->ops.count;
		return true;
	}
	if (undo_of(call->word)) {
		if (!emit_jump(p, &success))
			return false;
		p->ops.at[op].target = p->ops.count;
		if (!emit_undo(p, call->word, call->slot) || !emit_jump(p, &jump))
			return false;
		p->ops.at[success].target = p->ops.count;
	}
	return open_giveup(p, jump, call->op.object);
}

/* Does it do so as a plain statement, too? */
static bool gives_up(const struct lp_word *word)
{
	return word->result == LP_RESULT_TRUE || word->result == LP_RESULT_ZERO;
}

static bool parse_call_statement(struct lp_parser *p)
{
	uint32_t first = p->ops.count;
	struct lp_call call;

	if (!lp_parse_call(p, &call) || !emit_call(p, &call))
		return false;
	if (call.word->result == LP_RESULT_FORK)
		p->ops.at[first].target = p->ops.count;
	else if (gives_up(call.word) && !emit_giveup(p, &call))
		return false;
	join_ops(p, first);
	close_giveups(p, first);
	return true;
}

static bool parse_return(struct lp_parser *p)
{
	uint32_t jump;

	if (!lp_parse_advance(p) || !emit_jump(p, &jump))
		return false;
	chain(p, &p->returns, jump);
	return true;
}

/* A word that is no function but begins something else is a "}" that was forgotten. */
static bool begins_simple(const struct lp_parser *p)
{
	return p->token.kind == LP_TOKEN_NAME && !lp_token_is(&p->token, "else") &&
	       !lp_token_is(&p->token, "expect") &&
	       (!lp_parse_body_kind(&p->token) || lp_token_is(&p->token, "signal"));
}

/* A statement that ends with ";" */
static bool parse_simple(struct lp_parser *p)
{
	const char *from = p->token.at;
	uint32_t site;

	if (!begins_simple(p))
		return lp_parse_expected(p, "a statement or '}'");
	if (!lp_parse_site(p, &p->token))
		return false;
	site = p->site;
	if (!(lp_token_is(&p->token, "return") ? parse_return(p) : parse_call_statement(p)))
		return false;
	return lp_parse_take(p, ';', "';'") && lp_parse_site_text(p, site, from) &&
	       lp_parse_site_name(p, site);
}

/* --- if --- */

static bool is_text(const struct lp_token *token, int kind, const char *text)
{
	return token->kind == kind && token->size == strlen(text) &&
	       !memcmp(token->at, text, token->size);
}

/* "== 0" or "!= 0"; of what can be refused "-EDEADLK" too, the only other value that it has. */
static bool parse_comparison(struct lp_parser *p, bool refusal, bool *zero)
{
	*zero = p->token.kind == LP_TOKEN_EQUAL;
	if (!lp_parse_advance(p))
		return false;
	if (refusal && is_text(&p->token, LP_TOKEN_ERRNO, "-EDEADLK"))
		*zero = !*zero;
	else if (!is_text(&p->token, LP_TOKEN_NUMBER, "0"))
		return lp_parse_expected(p, refusal ? "0 or -EDEADLK" : "0");
	return lp_parse_advance(p);
}

/* May the call that was emitted last be asked for its value? */
static bool check_question(struct lp_parser *p, const struct lp_token *function,
			   const struct lp_call *call)
{
	if (call->word->result == LP_RESULT_NONE)
		return lp_parse_fail(p, function, "%s cannot be a condition: it never gives up",
				     call->word->name);
	if (call->word->result != LP_RESULT_REFUSAL)
		return true;
	if (!call->op.other)
		return lp_parse_fail(p, function, "%s cannot be a condition without a context: it "
				     "is never refused", call->word->name);
	p->ops.at[p->ops.count - 1].flags |= LP_BACK_OFF;
	return true;
}

/* [!] call [== 0 | != 0 | == -EDEADLK | != -EDEADLK] */
static bool parse_question(struct lp_parser *p, struct condition *condition)
{
	bool zero = p->token.kind == '!', refusal;
	uint32_t first = p->ops.count;
	struct lp_token function;
	struct lp_call call;

	if (zero && !lp_parse_advance(p))
		return false;
	function = p->token;
	if (function.kind != LP_TOKEN_NAME)
		return lp_parse_expected(p, "'*' or a function that may give up");
	if (!lp_parse_call(p, &call) || !emit_call(p, &call) ||
	    !check_question(p, &function, &call))
		return false;
	refusal = call.word->result == LP_RESULT_REFUSAL;
	if (!zero && (p->token.kind == LP_TOKEN_EQUAL || p->token.kind == LP_TOKEN_UNEQUAL) &&
	    !parse_comparison(p, refusal, &zero))
		return false;
	/* As in C: some functions say 0 when they failed, others when they did not. */
	condition->op = p->ops.count - 1;
	condition->then_is_target = zero == (!refusal && call.word->result != LP_RESULT_ZERO);
	condition->undo = call.word->result == LP_RESULT_FORK ? LP_OP_END : undo_of(call.word);
	condition->slot = call.slot;
	join_ops(p, first);
	return true;
}

/* if ( * ) or if (question), up to the block. */
static bool parse_condition(struct lp_parser *p, struct condition *condition)
{
	const char *from = p->token.at;
	uint32_t site;

	if (!lp_parse_site(p, &p->token) || !lp_parse_advance(p) || !lp_parse_take(p, '(', "'('"))
		return false;
	site = p->site;
	if (p->token.kind == '*') {
		*condition = (struct condition){ .op = p->ops.count };
		if (!lp_parse_emit(p, (struct lp_op){ .kind = LP_OP_BRANCH }) ||
		    !lp_parse_advance(p))
			return false;
	} else if (!parse_question(p, condition)) {
		return false;
	}
	return lp_parse_take(p, ')', "')'") && lp_parse_site_text(p, site, from) &&
	       lp_parse_site_name(p, site);
}

/* The other way of the condition begins here. */
static bool begin_target(struct lp_parser *p, const struct condition *condition)
{
	p->ops.at[condition->op].target = p->ops.count;
	return !condition->undo || lp_parse_emit(p, (struct lp_op){ .kind = condition->undo,
								    .subclass = condition->slot });
}

/* Before the first block. `skip`: the jump over it, when it is for the other way. */
static bool begin_then(struct lp_parser *p, const struct condition *condition, uint32_t *skip)
{
	if (!condition->then_is_target)
		return true;
	if (!emit_jump(p, skip))
		return false;
	p->ops.at[condition->op].more = 1;
	return begin_target(p, condition);
}

/* Behind the first block. */
static bool end_then(struct lp_parser *p, const struct condition *condition, uint32_t skip,
		     bool has_else, uint32_t *ends)
{
	uint32_t jump;

	if (has_else || (!condition->then_is_target && condition->undo)) {
		if (!emit_jump(p, &jump))
			return false;
		chain(p, ends, jump);
	}
	if (!condition->then_is_target)
		return begin_target(p, condition);
	p->ops.at[skip].target = p->ops.count;
	return true;
}

/* An if with all its "else if": they are no deeper than it is. */
static bool parse_if(struct lp_parser *p)
{
	uint32_t ends = LP_NONE, skip = LP_NONE;
	bool has_else;

	do {
		struct condition condition;
		uint32_t site;

		if (!parse_condition(p, &condition))
			return false;
		site = p->site;
		if (!begin_then(p, &condition, &skip) || !parse_block(p, site))
			return false;
		has_else = lp_token_is(&p->token, "else");
		p->site = site;
		if (!end_then(p, &condition, skip, has_else, &ends))
			return false;
		if (has_else && !lp_parse_advance(p))
			return false;
	} while (has_else && lp_token_is(&p->token, "if"));
	if (has_else && !parse_block(p, p->site))
		return false;
	point_chain(p, ends);
	return true;
}

/* --- blocks --- */

static bool parse_statement(struct lp_parser *p)
{
	if (p->token.kind == ';')
		return lp_parse_advance(p);
	if (p->token.kind == '{')
		return parse_block(p, 0);
	return lp_token_is(&p->token, "if") ? parse_if(p) : parse_simple(p);
}

/* Up to the "}", which is the next token then. */
static bool parse_until_close(struct lp_parser *p, const struct lp_token *open)
{
	while (p->token.kind != '}') {
		if (p->token.kind == LP_TOKEN_END)
			return lp_parse_fail(p, &p->token, "expected '}' for the '{' of line %u, "
					     "found end of file", open->line);
		if (!parse_statement(p))
			return false;
	}
	return true;
}

/* "{ ... }" or one statement. A comment behind "{" may name `site`, if there is one. */
static bool parse_block(struct lp_parser *p, uint32_t site)
{
	uint32_t block = p->block, mark = p->giveups.count;
	struct lp_token open = p->token;
	bool good;

	if (p->depth >= LP_SCENARIO_NESTING_MAX)
		return lp_parse_fail(p, &p->token, "blocks are nested more than %u deep",
				     LP_SCENARIO_NESTING_MAX);
	if (open.kind == '}' || open.kind == LP_TOKEN_END)
		return lp_parse_expected(p, "a statement");
	p->depth++;
	p->block = ++p->blocks;
	if (open.kind == '{')
		good = lp_parse_advance(p) && (!site || lp_parse_site_name(p, site)) &&
		       parse_until_close(p, &open) && lp_parse_advance(p);
	else
		good = parse_statement(p);
	if (good)
		end_giveups(p, mark);
	p->block = block;
	p->depth--;
	return good;
}

bool lp_parse_statements(struct lp_parser *p, const struct lp_token *open)
{
	const char *from;
	uint32_t site;

	p->depth = 1;
	p->block = ++p->blocks;
	p->returns = LP_NONE;
	p->flag_count = 0;
	if (!parse_until_close(p, open))
		return false;
	end_giveups(p, 0);
	point_chain(p, p->returns);
	from = p->token.at;
	if (!lp_parse_site(p, &p->token))
		return false;
	site = p->site;
	return lp_parse_emit(p, (struct lp_op){ .kind = LP_OP_END }) && lp_parse_advance(p) &&
	       lp_parse_site_text(p, site, from) && lp_parse_site_name(p, site);
}

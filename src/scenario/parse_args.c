/* SPDX-License-Identifier: Apache-2.0 */
/* parse_args.c — a call in a statement: its function, its arguments, and whether they fit. */
#include <stdio.h>

#include "scenario/parse.h"

enum arg_kind { ARG_NAME, ARG_NUMBER, ARG_STRING, ARG_SIGNALS, ARG_WORD };

struct arg {
	enum arg_kind	kind;
	bool		reference;	/* with '&' */
	struct lp_token	token;
	uint64_t	signals;
};

struct args {
	struct arg	at[LP_ARGS_MAX];
	unsigned	count;
	struct lp_token	function, close;
};

/* Words that are no names. */
static const char *const words[] = {
	"NULL", "SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK", "SIG_DFL", "SIG_IGN",
};

static const char *const body_phrases[LP_BODY_KIND_COUNT] = {
	[LP_BODY_TASK] = "a task", [LP_BODY_HARDIRQ] = "a hardirq", [LP_BODY_SOFTIRQ] = "a softirq",
	[LP_BODY_HARDIRQ_NOTHREAD] = "a hardirq_nothread",
	[LP_BODY_TIMER] = "a timer", [LP_BODY_RCU] = "an rcu callback",
	[LP_BODY_SIGNAL] = "a signal handler", [LP_BODY_NMI] = "an nmi",
	[LP_BODY_WORK] = "a work item", [LP_BODY_THREAD] = "a thread",
};

bool lp_parse_number(struct lp_parser *p, const struct lp_token *token, uint32_t most,
		     const char *what, uint32_t *number)
{
	uint64_t value = 0;

	if (token->kind != LP_TOKEN_NUMBER)
		return lp_parse_fail(p, token, "expected %s, found %s", what,
				     lp_parse_show(token).text);
	for (size_t i = 0; i < token->size; i++) {
		value = value * 10 + (uint64_t)(token->at[i] - '0');
		if (value > most)
			return lp_parse_fail(p, token, "%s is at most %u", what, most);
	}
	*number = (uint32_t)value;
	return true;
}

/* --- reading --- */

static bool is_word(const struct lp_token *token)
{
	for (size_t i = 0; i < lp_array_size(words); i++)
		if (lp_token_is(token, words[i]))
			return true;
	return false;
}

/* SIGA [| SIGB ...] */
static bool parse_signals(struct lp_parser *p, struct arg *arg)
{
	arg->kind = ARG_SIGNALS;
	for (;;) {
		uint32_t number = p->token.kind == LP_TOKEN_NAME ?
				  lp_signal_number(p->token.at, p->token.size) : 0;

		if (!number)
			return lp_parse_expected(p, "a signal");
		arg->signals |= 1ull << (number - 1);
		if (!lp_parse_advance(p))
			return false;
		if (p->token.kind != '|')
			return true;
		if (!lp_parse_advance(p))
			return false;
	}
}

static bool parse_arg(struct lp_parser *p, struct arg *arg)
{
	*arg = (struct arg){ .reference = p->token.kind == '&' };
	if (arg->reference && !lp_parse_advance(p))
		return false;
	arg->token = p->token;
	if (p->token.kind == LP_TOKEN_NAME) {
		if (!arg->reference && lp_signal_number(p->token.at, p->token.size))
			return parse_signals(p, arg);
		arg->kind = is_word(&p->token) ? ARG_WORD : ARG_NAME;
	} else if (!arg->reference && p->token.kind == LP_TOKEN_NUMBER) {
		arg->kind = ARG_NUMBER;
	} else if (!arg->reference && p->token.kind == LP_TOKEN_STRING) {
		arg->kind = ARG_STRING;
	} else {
		return lp_parse_expected(p, arg->reference ? "a name" : "an argument");
	}
	if (!lp_parse_advance(p))
		return false;
	if (p->token.kind == LP_TOKEN_ARROW)
		return lp_parse_fail(p, &p->token, "members cannot be named: declare each lock as "
						   "an object of its own");
	return true;
}

/* "(...)" */
static bool parse_args(struct lp_parser *p, struct args *args)
{
	args->count = 0;
	if (!lp_parse_take(p, '(', "'('"))
		return false;
	while (p->token.kind != ')') {
		if (args->count == LP_ARGS_MAX)
			return lp_parse_fail(p, &p->token, "no function has more than %u arguments",
					     LP_ARGS_MAX);
		if (!parse_arg(p, &args->at[args->count++]))
			return false;
		if (p->token.kind != ',' && p->token.kind != ')')
			return lp_parse_expected(p, "',' or ')'");
		if (p->token.kind == ',') {
			if (!lp_parse_advance(p))
				return false;
			if (p->token.kind == ')')
				return lp_parse_expected(p, "an argument");
		}
	}
	args->close = p->token;
	return lp_parse_advance(p);
}

/* --- what arguments are --- */

/* "spinlock_t, mutex or sem_t" */
static struct lp_scenario_error list_types(uint32_t types)
{
	struct lp_scenario_error list = { .text = "a lock" };
	size_t size = 0;

	if (types == LP_TYPES_ALL)
		return (struct lp_scenario_error){ .text = "an object" };
	if (__builtin_popcount(types) > 4)
		return list;
	for (int type = 1; type < LP_OBJECT_RCU_MAP; type++) {
		if (!(types >> type & 1))
			continue;
		size += (size_t)snprintf(list.text + size, sizeof(list.text) - size, "%s%s",
					 !size ? "" : types >> type == 1 ? " or " : ", ",
					 lp_object_type_word(type));
	}
	return list;
}

static const char *phrase_of(struct lp_parser *p, const struct lp_name *name)
{
	return name->object ? lp_object_type_word(p->objects.at[name->object].type) :
			      body_phrases[p->bodies.at[name->body].kind];
}

static bool fail_arg(struct lp_parser *p, const struct arg *arg, const char *what)
{
	return lp_parse_fail(p, &arg->token, "expected %s, found %s", what,
			     lp_parse_show(&arg->token).text);
}

/* &object of one of `types`. */
static bool want_object(struct lp_parser *p, const struct lp_token *function, const struct arg *arg,
			uint32_t types, uint32_t *object)
{
	struct lp_name *name;

	if (arg->kind != ARG_NAME)
		return fail_arg(p, arg, "an object");
	name = lp_names_find(&p->names, &arg->token);
	if (!name)
		return lp_parse_fail(p, &arg->token, "%s is not declared",
				     lp_parse_show(&arg->token).text);
	if (!name->object || !(types >> p->objects.at[name->object].type & 1))
		return lp_parse_fail(p, &arg->token, "%.*s takes %s, but %s is %s%s",
				     (int)function->size, function->at, list_types(types).text,
				     lp_parse_show(&arg->token).text, name->object ? "a " : "",
				     phrase_of(p, name));
	*object = name->object;
	return true;
}

static bool want_context(struct lp_parser *p, const struct lp_token *function,
			 const struct arg *arg, struct lp_call *call)
{
	return want_object(p, function, arg, LP_TYPE_BIT(WW_ACQUIRE_CTX), &call->op.other);
}

static bool want_subclass(struct lp_parser *p, const struct arg *arg, struct lp_call *call)
{
	uint32_t number;

	if (!lp_parse_number(p, &arg->token, 7, "a subclass", &number))
		return false;
	call->subclass = (uint8_t)number;
	return true;
}

/* The variable of interrupt flags; NULL: the one without a name. */
static bool want_flags(struct lp_parser *p, const struct args *args, const struct arg *arg,
		       struct lp_call *call)
{
	const struct lp_step *steps = call->word->steps;
	bool saves = steps[0].kind == LP_OP_IRQ_SAVE;
	struct lp_flag_variable variable = { "", 0 };
	struct lp_name *name;
	uint32_t slot = 0;

	if (arg) {
		if (arg->kind != ARG_NAME || arg->reference)
			return fail_arg(p, arg, "a variable of interrupt flags");
		name = lp_names_find(&p->names, &arg->token);
		if (name)
			return lp_parse_fail(p, &arg->token, "%s is %s%s, no variable of interrupt "
					     "flags", lp_parse_show(&arg->token).text,
					     name->object ? "a " : "", phrase_of(p, name));
		variable = (struct lp_flag_variable){ arg->token.at, arg->token.size };
	}
	while (slot < p->flag_count && (p->flags[slot].size != variable.size ||
					memcmp(p->flags[slot].at, variable.at, variable.size)))
		slot++;
	call->slot = (uint8_t)slot;
	if (slot < p->flag_count)
		return true;
	if (!saves)
		return arg ? lp_parse_fail(p, &arg->token, "%s is restored, but was never saved",
					   lp_parse_show(&arg->token).text) :
			     lp_parse_fail(p, &args->function,
					   "interrupt flags are restored, but were never saved");
	if (slot == LP_SCENARIO_FLAGS_MAX)
		return lp_parse_fail(p, arg ? &arg->token : &args->function,
				     "more than %u variables of interrupt flags in one body",
				     LP_SCENARIO_FLAGS_MAX);
	p->flags[p->flag_count++] = variable;
	return true;
}

/* A body, which may come later. */
static bool want_body(struct lp_parser *p, const struct arg *arg, struct lp_call *call)
{
	if (arg->kind != ARG_NAME)
		return fail_arg(p, arg, body_phrases[call->word->body]);
	call->mentions = true;
	call->mention = (struct lp_mention){ .token = arg->token, .word = call->word,
					     .queue = LP_NONE };
	return true;
}

/* A number that says again what the declaration says. */
static bool want_count(struct lp_parser *p, const struct arg *arg, const struct lp_call *call)
{
	const struct lp_object *object = &p->objects.at[call->op.object];
	uint32_t number;

	if (!lp_parse_number(p, &arg->token, LP_SCENARIO_COUNT_MAX, "an initial count", &number))
		return false;
	if (number != object->count)
		return lp_parse_fail(p, &arg->token, "'%.40s' is declared with a count of %u, not "
				     "%u", object->name, object->count, number);
	return true;
}

static bool want_mask(struct lp_parser *p, const struct args *args, struct lp_call *call)
{
	static const struct { const char *word; uint8_t kind; } ways[] = {
		{ "SIG_BLOCK", LP_OP_SIG_BLOCK }, { "SIG_UNBLOCK", LP_OP_SIG_UNBLOCK },
		{ "SIG_SETMASK", LP_OP_SIG_SETMASK },
	};
	const struct arg *set = &args->at[1];

	for (size_t i = 0; i < lp_array_size(ways); i++)
		if (lp_token_is(&args->at[0].token, ways[i].word))
			call->sig_kind = ways[i].kind;
	if (!call->sig_kind)
		return fail_arg(p, &args->at[0], "SIG_BLOCK, SIG_UNBLOCK or SIG_SETMASK");
	if (set->kind == ARG_NUMBER && set->token.size == 1 && *set->token.at == '0')
		return true;
	if (set->kind != ARG_SIGNALS)
		return fail_arg(p, set, "a signal");
	call->op.signals = set->signals;
	return true;
}

static bool want_handler(struct lp_parser *p, const struct args *args, struct lp_call *call)
{
	const struct arg *which = &args->at[0], *handler = &args->at[1];

	if (which->kind != ARG_SIGNALS || which->signals & (which->signals - 1))
		return fail_arg(p, which, "one signal");
	call->op.signals = which->signals;
	if (lp_token_is(&handler->token, "SIG_DFL") || lp_token_is(&handler->token, "SIG_IGN"))
		return true;
	if (!want_body(p, handler, call))
		return false;
	call->mention.signal = (uint32_t)__builtin_ctzll(which->signals) + 1;
	return true;
}

/* --- shapes --- */

/* How many arguments each shape has. */
static const struct { uint8_t least, most; } counts[LP_SHAPE_COUNT] = {
	[LP_SHAPE_NOTHING] = { 0, 0 },		[LP_SHAPE_IGNORED] = { 0, LP_ARGS_MAX },
	[LP_SHAPE_OBJECT] = { 1, 1 },		[LP_SHAPE_OBJECT_REST] = { 1, LP_ARGS_MAX },
	[LP_SHAPE_SUBCLASS] = { 2, 2 },		[LP_SHAPE_NEST] = { 2, 2 },
	[LP_SHAPE_SAVE] = { 1, 2 },		[LP_SHAPE_SAVE_SUBCLASS] = { 3, 3 },
	[LP_SHAPE_CONTEXT] = { 1, 2 },		[LP_SHAPE_ITS_CONTEXT] = { 2, 2 },
	[LP_SHAPE_SEMA_COUNT] = { 1, 2 },	[LP_SHAPE_SHARED_COUNT] = { 1, 3 },
	[LP_SHAPE_FLAGS] = { 0, 1 },
	[LP_SHAPE_BODY] = { 1, LP_ARGS_MAX },	[LP_SHAPE_QUEUE] = { 1, 2 },
	[LP_SHAPE_CALL] = { 1, 2 },		[LP_SHAPE_OBJECT_CALL] = { 2, 3 },
	[LP_SHAPE_CREATE] = { 1, 4 },		[LP_SHAPE_COND] = { 2, LP_ARGS_MAX },
	[LP_SHAPE_MASK] = { 2, 3 },		[LP_SHAPE_HANDLER] = { 2, 3 },
	[LP_SHAPE_GUARD] = { 1, 2 },
};

static bool check_count(struct lp_parser *p, const struct args *args, const struct lp_word *word)
{
	const struct lp_token *at = &args->close;
	const char *problem = "argument missing";

	if (args->count > counts[word->shape].most) {
		at = &args->at[counts[word->shape].most].token;
		problem = "too many arguments";
	} else if (args->count >= counts[word->shape].least &&
		   (word->shape != LP_SHAPE_CREATE || args->count == 1 || args->count == 4)) {
		return true;
	}
	return lp_parse_fail(p, at, "%s: %s%s", problem, word->name, lp_shape_usage(word->shape));
}

/* The second argument of a function that takes an object first. */
static bool want_second(struct lp_parser *p, const struct args *args, struct lp_call *call)
{
	const struct arg *second = args->count > 1 ? &args->at[1] : NULL;
	const struct lp_token *function = &args->function;

	switch (call->word->shape) {
	case LP_SHAPE_SUBCLASS:
		return want_subclass(p, second, call);
	case LP_SHAPE_SAVE_SUBCLASS:
		return want_flags(p, args, second, call) && want_subclass(p, &args->at[2], call);
	case LP_SHAPE_SAVE:
		return want_flags(p, args, second, call);
	case LP_SHAPE_NEST:
		return want_object(p, function, second, LP_TYPES_HELD, &call->op.other);
	case LP_SHAPE_CONTEXT:
		if (!second || lp_token_is(&second->token, "NULL"))
			return true;
		return want_context(p, function, second, call);
	case LP_SHAPE_ITS_CONTEXT:
		return want_context(p, function, second, call);
	case LP_SHAPE_COND:
		return want_object(p, function, second, LP_TYPE_BIT(PTHREAD_MUTEX_T),
				   &call->op.other);
	case LP_SHAPE_SEMA_COUNT:
		return !second || want_count(p, second, call);
	case LP_SHAPE_SHARED_COUNT:
		return args->count < 3 || want_count(p, &args->at[2], call);
	case LP_SHAPE_OBJECT_CALL:
		return want_body(p, &args->at[args->count - 1], call);
	default:
		return true;
	}
}

/* Arguments of a function that queues a work item. */
static bool want_work(struct lp_parser *p, const struct args *args, struct lp_call *call)
{
	uint32_t queue = LP_NONE;

	if (args->count > 1 && !want_object(p, &args->function, &args->at[0], call->word->types,
					    &queue))
		return false;
	if (!want_body(p, &args->at[args->count - 1], call))
		return false;
	call->mention.queue = queue;
	return true;
}

static bool want_args(struct lp_parser *p, const struct args *args, struct lp_call *call)
{
	const struct arg *first = &args->at[0], *last = first + args->count - 1;
	const struct lp_word *word = call->word;

	switch (word->shape) {
	case LP_SHAPE_NOTHING:
	case LP_SHAPE_IGNORED:
		return true;
	case LP_SHAPE_FLAGS:
		return want_flags(p, args, args->count ? first : NULL, call);
	case LP_SHAPE_BODY:
		if (!want_body(p, first, call))
			return false;
		if (word->steps[0].kind == LP_OP_WORK_QUEUE)
			call->mention.queue = 0;
		return true;
	case LP_SHAPE_QUEUE:
		return want_work(p, args, call);
	case LP_SHAPE_CALL:
		return want_body(p, last, call);
	case LP_SHAPE_CREATE:
		return want_body(p, args->count == 4 ? &args->at[2] : first, call);
	case LP_SHAPE_MASK:
		return want_mask(p, args, call);
	case LP_SHAPE_HANDLER:
		return want_handler(p, args, call);
	case LP_SHAPE_GUARD:
		return want_object(p, &args->function, last, word->types, &call->op.object);
	default:
		return want_object(p, &args->function, first, word->types, &call->op.object) &&
		       want_second(p, args, call);
	}
}

static bool fail_function(struct lp_parser *p)
{
	static const char *const not_here[] = { "while", "for", "do", "goto", "switch", "break",
						"continue" };
	struct lp_nearest nearest;

	for (size_t i = 0; i < lp_array_size(not_here); i++)
		if (lp_token_is(&p->token, not_here[i]))
			return lp_parse_fail(p, &p->token, "there is no '%s' in scenarios, only "
					     "'if'", not_here[i]);
	lp_nearest_init(&nearest, p->token.at, p->token.size);
	for (uint32_t i = 0; i < lp_word_count; i++)
		lp_nearest_consider(&nearest, lp_words[i].name);
	return lp_parse_fail(p, &p->token, "unknown function %s%s%s%s",
			     lp_parse_show(&p->token).text,
			     nearest.best ? ", did you mean '" : "",
			     nearest.best ? nearest.best : "", nearest.best ? "'?" : "");
}

bool lp_parse_call(struct lp_parser *p, struct lp_call *call)
{
	struct args args;

	*call = (struct lp_call){ .word = lp_word_find(&p->words, p->token.at, p->token.size) };
	args.function = p->token;
	if (!call->word)
		return fail_function(p);
	if (call->word->object) {
		call->op.object = lp_parse_built_in(p, call->word->object);
		if (!call->op.object)
			return false;
	}
	return lp_parse_advance(p) && parse_args(p, &args) &&
	       check_count(p, &args, call->word) && want_args(p, &args, call);
}

/* The queue of a work item, as a message says it. */
static const char *queue_name(struct lp_parser *p, uint32_t queue)
{
	return queue ? p->objects.at[queue].name : "events";
}

bool lp_parse_settle(struct lp_parser *p, const struct lp_mention *mention,
		     const struct lp_name *name)
{
	const struct lp_token *token = &mention->token;
	struct lp_body *body = &p->bodies.at[name->body];
	struct lp_op *op = &p->ops.at[mention->op];

	if (body->kind != mention->word->body)
		return lp_parse_fail(p, token, "%s takes %s, but %s is %s%s", mention->word->name,
				     body_phrases[mention->word->body], lp_parse_show(token).text,
				     name->object ? "a " : "", phrase_of(p, name));
	if (mention->queue != LP_NONE && mention->queue != body->queue)
		return lp_parse_fail(p, token, "%s is declared to run on '%.40s', not on '%.40s'",
				     lp_parse_show(token).text, queue_name(p, body->queue),
				     queue_name(p, mention->queue));
	if (mention->signal && mention->signal != body->signal)
		return lp_parse_fail(p, token, "%s handles %s, not %s", lp_parse_show(token).text,
				     lp_signal_name(body->signal), lp_signal_name(mention->signal));
	op->other = name->body;
	if (op->kind == LP_OP_WORK_QUEUE || op->kind == LP_OP_RCU_CALL ||
	    op->kind == LP_OP_TIMER_ARM || op->kind == LP_OP_THREAD_CREATE ||
	    op->kind == LP_OP_SIG_INSTALL)
		body->triggered = true;
	return true;
}

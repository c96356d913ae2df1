/* SPDX-License-Identifier: Apache-2.0 */
/* parse_bodies.c — heads of bodies: kind, name, context, what is held while they run. */
#include <signal.h>

#include "scenario/parse.h"

static bool is_task_name(const struct lp_token *token)
{
	if (token->kind != LP_TOKEN_NAME || token->size < 2 || token->at[0] != 'P')
		return false;
	for (size_t i = 1; i < token->size; i++)
		if (token->at[i] < '0' || token->at[i] > '9')
			return false;
	return true;
}

enum lp_body_kind lp_parse_body_kind(const struct lp_token *token)
{
	if (is_task_name(token))
		return LP_BODY_TASK;
	for (int kind = LP_BODY_TASK + 1; kind < LP_BODY_KIND_COUNT; kind++)
		if (lp_token_is(token, lp_body_kind_word(kind)))
			return kind;
	return LP_BODY_NONE;
}

/* The context that interrupts of a body are: itself, or what it runs in. */
static enum lp_body_kind context_kind(enum lp_body_kind kind)
{
	switch (kind) {
	case LP_BODY_HARDIRQ:
	case LP_BODY_HARDIRQ_NOTHREAD:
		return LP_BODY_HARDIRQ;
	case LP_BODY_SOFTIRQ:
	case LP_BODY_TIMER:
	case LP_BODY_RCU:
		return LP_BODY_SOFTIRQ;
	case LP_BODY_SIGNAL:
	case LP_BODY_NMI:
		return kind;
	default:
		return LP_BODY_NONE;
	}
}

static const char *context_name(enum lp_body_kind kind, uint32_t number)
{
	if (kind == LP_BODY_SIGNAL)
		return lp_signal_name(number);
	return kind == LP_BODY_HARDIRQ ? "HARDIRQ" : kind == LP_BODY_SOFTIRQ ? "SOFTIRQ" : "NMI";
}

/* There are few: one per kind and per signal. */
static bool set_context(struct lp_parser *p, struct lp_body *body)
{
	struct lp_scenario_context context = { .kind = context_kind(body->kind),
					       .signal = body->signal };

	if (!context.kind)
		return true;
	for (uint32_t i = 1; i < p->contexts.count; i++)
		if (p->contexts.at[i].kind == context.kind &&
		    p->contexts.at[i].signal == context.signal)
			body->context = i;
	if (body->context)
		return true;
	context.name = lp_parse_print_name(p, "%s", context_name(context.kind, context.signal));
	body->context = p->contexts.count;
	return context.name && (!lp_vec_push(&p->contexts, context) || lp_parse_no_memory(p));
}

static bool set_map(struct lp_parser *p, struct lp_body *body)
{
	static const char *const formats[LP_BODY_KIND_COUNT] = {
		[LP_BODY_WORK] = "(work_completion)(%s)", [LP_BODY_TIMER] = "((&%s))",
		[LP_BODY_THREAD] = "thread %s",
	};
	struct lp_object object = { .type = LP_OBJECT_LOCKDEP_MAP, .site = body->site };

	if (body->kind == LP_BODY_RCU) {
		body->map = lp_parse_built_in(p, LP_BUILT_IN_RCU_CALLBACK);
		return body->map;
	}
	if (!formats[body->kind])
		return true;
	object.name = lp_parse_print_name(p, formats[body->kind], body->name);
	body->map = lp_parse_add_alone(p, object, object.name);
	if (body->kind == LP_BODY_WORK && !body->queue && !lp_parse_built_in(p, LP_BUILT_IN_EVENTS))
		return false;
	return body->map;
}

static bool parse_signal(struct lp_parser *p, struct lp_body *body)
{
	if (p->token.kind != LP_TOKEN_NAME)
		return lp_parse_expected(p, "a signal");
	body->signal = lp_signal_number(p->token.at, p->token.size);
	if (!body->signal)
		return lp_parse_fail(p, &p->token, "unknown signal %s",
				     lp_parse_show(&p->token).text);
	if (body->signal == SIGKILL || body->signal == SIGSTOP)
		return lp_parse_fail(p, &p->token, "%s cannot be handled",
				     lp_signal_name(body->signal));
	return lp_parse_advance(p);
}

static bool set_queue(struct lp_parser *p, const struct lp_token *token, struct lp_body *body)
{
	struct lp_name *name = lp_names_find(&p->names, token);

	if (!name)
		return lp_parse_fail(p, token, "%s is not declared", lp_parse_show(token).text);
	if (!name->object || p->objects.at[name->object].type != LP_OBJECT_WORKQUEUE_STRUCT)
		return lp_parse_fail(p, token, "%s is no workqueue_struct",
				     lp_parse_show(token).text);
	body->queue = name->object;
	return true;
}

/* "(...)": parameters mean nothing, but that of a work item may be its queue. */
static bool parse_parameters(struct lp_parser *p, struct lp_body *body)
{
	struct lp_token queue;
	unsigned names = 0, others = 0;

	if (!lp_parse_take(p, '(', "'('"))
		return false;
	while (p->token.kind != ')') {
		if (p->token.kind == LP_TOKEN_NAME) {
			queue = p->token;
			names += names < 2;
		} else if (p->token.kind == '*' || p->token.kind == ',') {
			others = 1;
		} else if (p->token.kind != '&') {
			return lp_parse_expected(p, "')'");
		}
		if (!lp_parse_advance(p))
			return false;
	}
	if (!lp_parse_advance(p))
		return false;
	if (body->kind != LP_BODY_WORK || names != 1 || others || lp_token_is(&queue, "void"))
		return true;
	return set_queue(p, &queue, body);
}

/* KIND [SIGNAL] NAME(...): up to the "{" */
static bool parse_body_head(struct lp_parser *p, struct lp_body *body)
{
	struct lp_token name;
	const char *from = p->token.at;
	struct lp_token first = p->token;

	if (body->kind != LP_BODY_TASK && !lp_parse_advance(p))
		return false;
	if (body->kind == LP_BODY_SIGNAL && !parse_signal(p, body))
		return false;
	name = p->token;
	if (!lp_parse_check_name(p, "the name of the body"))
		return false;
	if (p->bodies.count > LP_SCENARIO_BODIES_MAX)
		return lp_parse_fail(p, &name, "more than %u bodies", LP_SCENARIO_BODIES_MAX);
	body->name = lp_parse_strings_copy(&p->parsed->strings, name.at, name.size);
	if (!body->name || lp_names_add(&p->names, &name, 0, p->bodies.count))
		return lp_parse_no_memory(p);
	p->body = 0;
	if (!lp_parse_site(p, &first))
		return false;
	body->site = p->site;
	p->sites.at[p->site].function = body->name;
	return lp_parse_advance(p) && parse_parameters(p, body) &&
	       lp_parse_site_text(p, body->site, from) && lp_parse_site_name(p, body->site);
}

bool lp_parse_body(struct lp_parser *p)
{
	struct lp_body body = { .kind = lp_parse_body_kind(&p->token), .first = p->ops.count };
	struct lp_token open;

	if (!body.kind)
		return lp_parse_expected(p, p->bodies.count == 1 ?
			"a body (P0(), softirq name(), ...)" :
			"a body (P0(), softirq name(), ...) or 'expect'");
	if (!parse_body_head(p, &body) || !set_context(p, &body) || !set_map(p, &body))
		return false;
	p->body = p->bodies.count;
	if (lp_vec_push(&p->bodies, body))
		return lp_parse_no_memory(p);
	open = p->token;
	if (!lp_parse_take(p, '{', "'{'") || !lp_parse_site_name(p, body.site) ||
	    !lp_parse_statements(p, &open))
		return false;
	p->bodies.at[p->body].count = p->ops.count - body.first;
	return true;
}

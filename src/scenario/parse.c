/* SPDX-License-Identifier: Apache-2.0 */
/* parse.c — scenario files: the first line, declarations, bodies, expectations. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include "scenario/parse.h"

#define SHOWN_MAX	40u	/* bytes of a token in a message */

static const struct {
	const char	*word;
	uint32_t	flag;
	uint32_t	types;		/* bits 1 << enum lp_object_type; 0: all */
} attributes[] = {
	{ "recursive", LP_OBJECT_RECURSIVE, 1u << LP_OBJECT_PTHREAD_MUTEX_T },
	{ "errorcheck", LP_OBJECT_ERRORCHECK, 1u << LP_OBJECT_PTHREAD_MUTEX_T },
	{ "prefer_writer", LP_OBJECT_PREFER_WRITER, 1u << LP_OBJECT_PTHREAD_RWLOCK_T },
	{ "novalidate", LP_OBJECT_NOVALIDATE, 0 },
	{ "ordered", LP_OBJECT_ORDERED, 0 },
	{ "uninitialised", LP_OBJECT_UNINITIALISED, 0 },
};

static const char *const reserved[] = {
	"struct", "if", "else", "return", "expect", "NULL", "void",
	"SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK", "SIG_DFL", "SIG_IGN",
};

static const struct {
	enum lp_object_type type;
	const char	*name;		/* also the printed one */
} built_ins[] = {
	[LP_BUILT_IN_RCU] = { LP_OBJECT_RCU_MAP, "rcu_read_lock" },
	[LP_BUILT_IN_RCU_BH] = { LP_OBJECT_RCU_MAP, "rcu_read_lock_bh" },
	[LP_BUILT_IN_RCU_SCHED] = { LP_OBJECT_RCU_MAP, "rcu_read_lock_sched" },
	[LP_BUILT_IN_RCU_CALLBACK] = { LP_OBJECT_RCU_MAP, "rcu_callback" },
	[LP_BUILT_IN_EVENTS] = { LP_OBJECT_WORKQUEUE_STRUCT, "(wq_completion)events" },
};

/* --- errors and tokens --- */

struct lp_shown lp_parse_show(const struct lp_token *token)
{
	struct lp_shown shown;
	int size = (int)(token->size < SHOWN_MAX ? token->size : SHOWN_MAX);

	if (token->kind == LP_TOKEN_END)
		snprintf(shown.text, sizeof(shown.text), "end of file");
	else if (token->kind == LP_TOKEN_STRING)
		snprintf(shown.text, sizeof(shown.text), "a string");
	else
		snprintf(shown.text, sizeof(shown.text), "'%.*s%s'", size, token->at,
			 token->size > SHOWN_MAX ? "..." : "");
	return shown;
}

bool lp_parse_fail(struct lp_parser *p, const struct lp_token *at, const char *format, ...)
{
	va_list args;

	if (p->failed)
		return false;
	p->failed = true;
	p->error->line = at->line;
	p->error->column = at->column;
	va_start(args, format);
	vsnprintf(p->error->text, sizeof(p->error->text), format, args);
	va_end(args);
	return false;
}

bool lp_parse_no_memory(struct lp_parser *p)
{
	static const struct lp_token nowhere;

	return lp_parse_fail(p, &nowhere, "memory is short");
}

bool lp_parse_expected(struct lp_parser *p, const char *what)
{
	return lp_parse_fail(p, &p->token, "expected %s, found %s", what,
			     lp_parse_show(&p->token).text);
}

static bool fail_bad_token(struct lp_parser *p)
{
	const struct lp_token *token = &p->token;
	unsigned char byte;

	if (token->problem)
		return lp_parse_fail(p, token, "%s", token->problem);
	byte = (unsigned char)*token->at;
	if (byte < 0x20 || byte == 0x7f || !lp_text_printable(token->at, token->size))
		return lp_parse_fail(p, token, "unexpected byte 0x%02x", byte);
	return lp_parse_fail(p, token, "unexpected character '%.*s'", (int)token->size, token->at);
}

bool lp_parse_advance(struct lp_parser *p)
{
	p->last_end = p->token.at + p->token.size;
	lp_lexer_next(&p->lexer, &p->token);
	return p->token.kind == LP_TOKEN_BAD ? fail_bad_token(p) : true;
}

bool lp_parse_take(struct lp_parser *p, int kind, const char *what)
{
	if (p->token.kind != kind)
		return lp_parse_expected(p, what);
	return lp_parse_advance(p);
}

/* --- sites and operations --- */

bool lp_parse_site(struct lp_parser *p, const struct lp_token *token)
{
	struct lp_site site = {
		.function = p->bodies.at[p->body].name, .file = p->scenario->file,
		.line = token->line, .own_line = token->line, .own_column = token->column,
		.text = p->sites.at[0].text,
	};

	p->site = p->sites.count;
	return !lp_vec_push(&p->sites, site) || lp_parse_no_memory(p);
}

/* Copy the text [from, to) without comments, with one blank for several. Returns the size. */
static size_t fold(const char *from, const char *to, char *out)
{
	size_t size = 0;
	bool quoted = false;

	while (from < to) {
		bool blank = !quoted && lp_char_blank(*from);

		if (!quoted && to - from >= 2 && from[0] == '/' && (from[1] == '/' || from[1] == '*')) {
			char last = from[1] == '/' ? '\n' : '/';

			for (from += 2; *from != last || (last == '/' && from[-1] != '*'); from++)
				;
			blank = true;
		}
		if (*from == '"' && (!quoted || from[-1] != '\\' || from[-2] == '\\'))
			quoted = !quoted;
		if (!blank)
			out[size++] = *from;
		else if (size && out[size - 1] != ' ')
			out[size++] = ' ';
		from++;
	}
	return size;
}

bool lp_parse_site_text(struct lp_parser *p, uint32_t site, const char *from)
{
	size_t most = (size_t)(p->last_end - from) + 1, size;
	char *text = lp_arena_alloc(&p->parsed->strings, most);

	if (!text)
		return lp_parse_no_memory(p);
	size = fold(from, p->last_end, text);
	text[size] = '\0';
	lp_arena_trim(p->parsed->strings, text, size + 1);
	p->sites.at[site].text = text;
	return true;
}

/* The next word of a comment: from *at to the next blank. */
static struct lp_token next_word(const char **at, const char *end)
{
	struct lp_token word = { .kind = LP_TOKEN_NAME };

	while (*at < end && lp_char_blank(**at))
		(*at)++;
	word.at = *at;
	while (*at < end && !lp_char_blank(**at))
		(*at)++;
	word.size = (size_t)(*at - word.at);
	return word;
}

/* The number behind the last colon of a word, which is cut off; 0: there is none. */
static uint32_t cut_line_number(struct lp_token *word)
{
	const char *colon = word->size ? memrchr(word->at, ':', word->size) : NULL;
	const char *end = word->at + word->size;
	uint64_t line = 0;

	if (!colon || colon == word->at)
		return 0;
	for (const char *c = colon + 1; c < end; c++) {
		if (*c < '0' || *c > '9')
			return 0;
		line = line * 10 + (uint64_t)(*c - '0');
		if (line > INT32_MAX)
			return 0;
	}
	word->size = (size_t)(colon - word->at);
	return (uint32_t)line;
}

static bool is_place(const struct lp_token *word)
{
	return word->size && word->size <= LP_SCENARIO_NAME_MAX &&
	       lp_text_printable(word->at, word->size);
}

bool lp_parse_site_name(struct lp_parser *p, uint32_t site)
{
	const char *at = p->token.comment, *end = at + p->token.comment_size;
	struct lp_token function, file, rest;
	uint32_t line;
	char *copies[2];

	if (!at)
		return true;
	function = next_word(&at, end);
	file = next_word(&at, end);
	rest = next_word(&at, end);
	line = cut_line_number(&file);
	if (!line || rest.size || !is_place(&function) || !is_place(&file))
		return true;
	copies[0] = lp_arena_copy(&p->parsed->strings, function.at, function.size);
	copies[1] = lp_arena_copy(&p->parsed->strings, file.at, file.size);
	if (!copies[0] || !copies[1])
		return lp_parse_no_memory(p);
	p->sites.at[site].function = copies[0];
	p->sites.at[site].file = copies[1];
	p->sites.at[site].line = line;
	return true;
}

bool lp_parse_emit(struct lp_parser *p, struct lp_op op)
{
	if (p->ops.count >= LP_SCENARIO_OPS_MAX)
		return lp_parse_fail(p, &p->token, "more than %u operations", LP_SCENARIO_OPS_MAX);
	op.site = p->site;
	return !lp_vec_push(&p->ops, op) || lp_parse_no_memory(p);
}

/* --- objects --- */

/* Copy of `format` with a name in it. NULL when memory is short, and that is noted. */
static char *print_name(struct lp_parser *p, const char *format, const char *name)
{
	char text[2 * LP_SCENARIO_NAME_MAX];
	int size = snprintf(text, sizeof(text), format, name);
	char *copy = lp_arena_copy(&p->parsed->strings, text, (size_t)size);

	if (!copy)
		lp_parse_no_memory(p);
	return copy;
}

/* An object alone in its class. Returns its index; 0 when memory is short. */
static uint32_t add_alone(struct lp_parser *p, struct lp_object object, char *printed)
{
	struct lp_object_class alone = { .type = object.type, .name = printed,
					 .object = p->objects.count };

	object.flags |= LP_OBJECT_STATIC;
	alone.flags = object.flags;
	object.class_index = p->classes.count;
	object.rank = 1;
	if (!printed || lp_vec_push(&p->classes, alone) || lp_vec_push(&p->objects, object)) {
		lp_parse_no_memory(p);
		return 0;
	}
	return p->objects.count - 1;
}

uint32_t lp_parse_built_in(struct lp_parser *p, enum lp_built_in which)
{
	struct lp_scenario *s = p->scenario;
	uint32_t *places[] = {
		[LP_BUILT_IN_RCU] = &s->rcu, [LP_BUILT_IN_RCU_BH] = &s->rcu_bh,
		[LP_BUILT_IN_RCU_SCHED] = &s->rcu_sched,
		[LP_BUILT_IN_RCU_CALLBACK] = &s->rcu_callback, [LP_BUILT_IN_EVENTS] = &s->events,
	};
	struct lp_object object = { .type = built_ins[which].type };

	if (!*places[which]) {
		object.name = print_name(p, "%s", built_ins[which].name);
		*places[which] = add_alone(p, object, object.name);
	}
	return *places[which];
}

static bool is_reserved(const struct lp_token *token)
{
	for (size_t i = 0; i < lp_array_size(reserved); i++)
		if (lp_token_is(token, reserved[i]))
			return true;
	return lp_signal_number(token->at, token->size);
}

/* The next token is a name that is free; `what` it is to name. */
static bool check_name(struct lp_parser *p, const char *what)
{
	const struct lp_token *token = &p->token;
	struct lp_name *before;

	if (token->kind != LP_TOKEN_NAME || is_reserved(token))
		return lp_parse_expected(p, what);
	if (token->size > LP_SCENARIO_NAME_MAX)
		return lp_parse_fail(p, token, "a name has at most %u characters",
				     LP_SCENARIO_NAME_MAX);
	before = lp_names_find(&p->names, token);
	if (before)
		return lp_parse_fail(p, token, "%s is declared already, in line %u",
				     lp_parse_show(token).text, before->line);
	return true;
}

static bool parse_count_attribute(struct lp_parser *p, struct lp_object *object, bool *counted)
{
	if (object->type != LP_OBJECT_SEMAPHORE && object->type != LP_OBJECT_SEM_T &&
	    object->type != LP_OBJECT_COMPLETION)
		return lp_parse_fail(p, &p->token, "a %s has no initial count",
				     lp_object_type_word(object->type));
	if (*counted)
		return lp_parse_fail(p, &p->token, "a second initial count");
	*counted = true;
	return lp_parse_number(p, &p->token, LP_SCENARIO_COUNT_MAX, "an initial count",
			       &object->count);
}

static bool parse_word_attribute(struct lp_parser *p, struct lp_object *object)
{
	size_t i = 0;

	while (i < lp_array_size(attributes) && !lp_token_is(&p->token, attributes[i].word))
		i++;
	if (i == lp_array_size(attributes))
		return lp_parse_expected(p, "a count, recursive, errorcheck, prefer_writer, "
					    "novalidate, ordered or uninitialised");
	if (attributes[i].types && !(attributes[i].types >> object->type & 1))
		return lp_parse_fail(p, &p->token, "a %s cannot be %s",
				     lp_object_type_word(object->type), attributes[i].word);
	if (object->flags & attributes[i].flag)
		return lp_parse_fail(p, &p->token, "%s is there twice", attributes[i].word);
	object->flags |= attributes[i].flag;
	if (!(~object->flags & (LP_OBJECT_RECURSIVE | LP_OBJECT_ERRORCHECK)))
		return lp_parse_fail(p, &p->token, "a mutex is recursive or errorcheck, not both");
	return true;
}

/* "(attr, ...)" */
static bool parse_attributes(struct lp_parser *p, struct lp_object *object)
{
	bool counted = false;

	do {
		if (!lp_parse_advance(p))
			return false;
		if (p->token.kind == LP_TOKEN_NUMBER ? !parse_count_attribute(p, object, &counted)
						     : !parse_word_attribute(p, object))
			return false;
		if (!lp_parse_advance(p))
			return false;
	} while (p->token.kind == ',');
	return lp_parse_take(p, ')', "',' or ')'");
}

/* = "printed name": the next token is the string. */
static bool parse_printed_name(struct lp_parser *p, char **printed)
{
	const struct lp_token *token = &p->token;
	char text[LP_SCENARIO_NAME_MAX + 1];
	size_t size = 0;

	if (token->kind != LP_TOKEN_STRING || token->size == 2)
		return lp_parse_expected(p, "a name in quotes");
	for (size_t i = 1; i < token->size - 1; i++) {
		if (size == LP_SCENARIO_NAME_MAX)
			return lp_parse_fail(p, token, "a printed name has at most %u bytes",
					     LP_SCENARIO_NAME_MAX);
		if (token->at[i] == '\\')
			i++;
		text[size++] = token->at[i];
	}
	*printed = lp_arena_copy(&p->parsed->strings, text, size);
	return *printed ? lp_parse_advance(p) : lp_parse_no_memory(p);
}

/* As reports print the class of an object called so. */
static char *class_print_name(struct lp_parser *p, enum lp_object_type type, const char *name)
{
	return print_name(p, type == LP_OBJECT_WORKQUEUE_STRUCT ? "(wq_completion)%s" : "%s", name);
}

/* Where "= name" stood in a class before this one, it stays: CLASS_NAMED is no flag of objects. */
#define CLASS_NAMED	0x80000000u

/* A class that is there already. */
static bool join_class(struct lp_parser *p, const struct lp_token *token, uint32_t index,
		       struct lp_object *object, const char *printed)
{
	const uint32_t own = LP_OBJECT_UNINITIALISED | CLASS_NAMED;
	struct lp_object_class *class = &p->classes.at[index];
	const struct lp_object *first = &p->objects.at[class->object];

	if (class->type != object->type)
		return lp_parse_fail(p, token, "%s is a class of %s, '%.40s' is a %s",
				     lp_parse_show(token).text, lp_object_type_word(class->type),
				     object->name, lp_object_type_word(object->type));
	if ((class->flags ^ object->flags) & ~own)
		return lp_parse_fail(p, token, "'%.40s' and '%.40s' of one class have different "
				     "attributes", first->name, object->name);
	if (printed && !(class->flags & CLASS_NAMED)) {
		class->name = class_print_name(p, object->type, printed);
		class->flags |= CLASS_NAMED;
	}
	/* The rank of the newest is kept in the first one until all are declared. */
	object->rank = ++p->objects.at[class->object].rank;
	object->class_index = index;
	return class->name != NULL;
}

/* ": class": the next token is its name. */
static bool parse_class(struct lp_parser *p, struct lp_object *object, const char *printed)
{
	struct lp_token token = p->token;
	struct lp_object_class class = { .type = object->type, .object = p->objects.count,
					 .flags = object->flags };
	struct lp_name *name;

	if (token.kind != LP_TOKEN_NAME || is_reserved(&token))
		return lp_parse_expected(p, "the name of a class");
	if (token.size > LP_SCENARIO_NAME_MAX)
		return lp_parse_fail(p, &token, "a name has at most %u characters",
				     LP_SCENARIO_NAME_MAX);
	name = lp_names_find(&p->class_names, &token);
	if (name)
		return join_class(p, &token, name->object, object, printed) && lp_parse_advance(p);
	object->class_index = p->classes.count;
	object->rank = 1;
	class.name = lp_arena_copy(&p->parsed->strings, token.at, token.size);
	if (class.name)
		class.name = class_print_name(p, object->type, printed ? printed : class.name);
	if (printed)
		class.flags |= CLASS_NAMED;
	if (!class.name || lp_vec_push(&p->classes, class) ||
	    lp_names_add(&p->class_names, &token, object->class_index, 0))
		return lp_parse_no_memory(p);
	return lp_parse_advance(p);
}

/* Enter an object under its name. */
static bool add_object(struct lp_parser *p, const struct lp_token *token, struct lp_object object,
		       const char *printed)
{
	uint32_t index = p->objects.count;

	if (!object.class_index) {
		if (!add_alone(p, object,
			       class_print_name(p, object.type, printed ? printed : object.name)))
			return false;
	} else if (lp_vec_push(&p->objects, object)) {
		return lp_parse_no_memory(p);
	}
	return !lp_names_add(&p->names, token, index, 0) || lp_parse_no_memory(p);
}

/* name[(attr, ...)] [= "printed name"] [: class] */
static bool parse_declarator(struct lp_parser *p, enum lp_object_type type)
{
	struct lp_object object = { .type = type };
	struct lp_token token = p->token;
	char *printed = NULL;

	object.count = type == LP_OBJECT_SEMAPHORE || type == LP_OBJECT_SEM_T;
	if (!check_name(p, "a name"))
		return false;
	if (p->declared++ == LP_SCENARIO_OBJECTS_MAX)
		return lp_parse_fail(p, &token, "more than %u objects", LP_SCENARIO_OBJECTS_MAX);
	object.name = lp_arena_copy(&p->parsed->strings, token.at, token.size);
	if (!object.name || !lp_parse_site(p, &token))
		return lp_parse_no_memory(p);
	object.site = p->site;
	p->sites.at[p->site].function = object.name;
	if (!lp_parse_advance(p) || (p->token.kind == '(' && !parse_attributes(p, &object)))
		return false;
	if (p->token.kind == '=' &&
	    (!lp_parse_advance(p) || !parse_printed_name(p, &printed)))
		return false;
	if (p->token.kind == ':' &&
	    (!lp_parse_advance(p) || !parse_class(p, &object, printed)))
		return false;
	return lp_parse_site_text(p, object.site, token.at) &&
	       add_object(p, &token, object, printed);
}

static enum lp_object_type type_of(const struct lp_token *token)
{
	for (int type = 1; type < LP_OBJECT_RCU_MAP; type++)
		if (lp_token_is(token, lp_object_type_word(type)))
			return type;
	return LP_OBJECT_NONE;
}

static bool fail_type(struct lp_parser *p)
{
	struct lp_nearest nearest;

	if (p->token.kind != LP_TOKEN_NAME)
		return lp_parse_expected(p, "a type (spinlock_t, mutex, ...) or '}'");
	lp_nearest_init(&nearest, p->token.at, p->token.size);
	for (int type = 1; type < LP_OBJECT_RCU_MAP; type++)
		lp_nearest_consider(&nearest, lp_object_type_word(type));
	return lp_parse_fail(p, &p->token, "unknown type %s%s%s%s", lp_parse_show(&p->token).text,
			     nearest.best ? ", did you mean '" : "",
			     nearest.best ? nearest.best : "", nearest.best ? "'?" : "");
}

/* [struct] TYPE declarator [, declarator ...] ; */
static bool parse_declaration(struct lp_parser *p)
{
	uint32_t first = p->sites.count;
	enum lp_object_type type;

	if (lp_token_is(&p->token, "struct") && !lp_parse_advance(p))
		return false;
	type = type_of(&p->token);
	if (!type)
		return fail_type(p);
	do {
		if (!lp_parse_advance(p) || !parse_declarator(p, type))
			return false;
	} while (p->token.kind == ',');
	if (!lp_parse_take(p, ';', "',' or ';'"))
		return false;
	for (uint32_t i = first; i < p->sites.count; i++)
		if (!lp_parse_site_name(p, i))
			return false;
	return true;
}

/* What was kept in flags and ranks while classes grew goes. */
static void finish_classes(struct lp_parser *p)
{
	for (uint32_t i = 1; i < p->classes.count; i++) {
		p->classes.at[i].flags &= ~CLASS_NAMED;
		p->objects.at[p->classes.at[i].object].rank = 1;
	}
}

static bool parse_declarations(struct lp_parser *p)
{
	if (!lp_parse_take(p, '{', "'{' and the declarations"))
		return false;
	while (p->token.kind != '}')
		if (!parse_declaration(p))
			return false;
	finish_classes(p);
	p->open_giveups = calloc(p->objects.count, sizeof(*p->open_giveups));
	if (!p->open_giveups)
		return lp_parse_no_memory(p);
	return lp_parse_advance(p);
}

/* --- bodies --- */

static bool is_task_name(const struct lp_token *token)
{
	if (token->kind != LP_TOKEN_NAME || token->size < 2 || token->at[0] != 'P')
		return false;
	for (size_t i = 1; i < token->size; i++)
		if (token->at[i] < '0' || token->at[i] > '9')
			return false;
	return true;
}

static enum lp_body_kind body_kind_of(const struct lp_token *token)
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
	context.name = print_name(p, "%s", context_name(context.kind, context.signal));
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
	object.name = print_name(p, formats[body->kind], body->name);
	body->map = add_alone(p, object, object.name);
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
	if (!check_name(p, "the name of the body"))
		return false;
	if (p->bodies.count > LP_SCENARIO_BODIES_MAX)
		return lp_parse_fail(p, &name, "more than %u bodies", LP_SCENARIO_BODIES_MAX);
	body->name = lp_arena_copy(&p->parsed->strings, name.at, name.size);
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

static bool parse_body(struct lp_parser *p)
{
	struct lp_body body = { .kind = body_kind_of(&p->token), .first = p->ops.count };
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

/* --- expectations --- */

static bool fail_kind(struct lp_parser *p)
{
	struct lp_nearest nearest;

	lp_nearest_init(&nearest, p->token.at, p->token.size);
	for (int kind = 0; kind < LP_FINDING_KIND_COUNT; kind++)
		lp_nearest_consider(&nearest, lp_finding_kind_id(kind));
	return lp_parse_fail(p, &p->token, "unknown finding kind %s%s%s%s",
			     lp_parse_show(&p->token).text,
			     nearest.best ? ", did you mean '" : "",
			     nearest.best ? nearest.best : "", nearest.best ? "'?" : "");
}

static bool parse_kind(struct lp_parser *p, struct lp_expectation *expectation)
{
	if (p->token.kind != LP_TOKEN_NAME || lp_token_is(&p->token, "expect"))
		return lp_parse_expected(p, expectation->possible ? "a finding kind" :
					    "none, possible or a finding kind");
	lp_lexer_extend(&p->lexer, &p->token);
	for (int kind = 0; kind < LP_FINDING_KIND_COUNT; kind++) {
		if (lp_token_is(&p->token, lp_finding_kind_id(kind))) {
			expectation->kind = kind;
			return true;
		}
	}
	return fail_kind(p);
}

/* It goes with those before it. */
static bool check_expectation(struct lp_parser *p, struct lp_expectation expectation)
{
	uint32_t bit = 1u << (expectation.kind * 2u + expectation.possible);

	if (expectation.none ? p->expectations.count :
	    p->expectations.count && p->expectations.at[0].none)
		return lp_parse_fail(p, &p->token, "'expect none' goes with no other 'expect'");
	if (!expectation.none && p->expected & bit)
		return lp_parse_fail(p, &p->token, "this is expected already");
	p->expected |= expectation.none ? 0 : bit;
	return true;
}

/* expect none | expect [possible] KIND, and perhaps ";" */
static bool parse_expectation(struct lp_parser *p)
{
	struct lp_expectation expectation = { .line = p->token.line };

	if (!lp_parse_advance(p))
		return false;
	expectation.possible = lp_token_is(&p->token, "possible");
	if (expectation.possible && !lp_parse_advance(p))
		return false;
	expectation.none = !expectation.possible && lp_token_is(&p->token, "none");
	if ((!expectation.none && !parse_kind(p, &expectation)) ||
	    !check_expectation(p, expectation))
		return false;
	if (lp_vec_push(&p->expectations, expectation))
		return lp_parse_no_memory(p);
	return lp_parse_advance(p) && (p->token.kind != ';' || lp_parse_advance(p));
}

/* --- the file --- */

/* "C name" */
static bool parse_first_line(struct lp_parser *p)
{
	struct lp_token name;

	if (!lp_parse_advance(p))
		return false;
	if (!lp_token_is(&p->token, "C"))
		return lp_parse_expected(p, "'C' and the name of the scenario");
	lp_lexer_next_raw(&p->lexer, &name);
	if (!name.size)
		return lp_parse_fail(p, &name, "expected the name of the scenario behind 'C'");
	if (name.size > LP_SCENARIO_NAME_MAX || !lp_text_printable(name.at, name.size))
		return lp_parse_fail(p, &name, name.size > LP_SCENARIO_NAME_MAX ?
				     "the name of the scenario is longer than 255 bytes" :
				     "the name of the scenario is not printable UTF-8");
	p->scenario->name = lp_arena_copy(&p->parsed->strings, name.at, name.size);
	if (!p->scenario->name)
		return lp_parse_no_memory(p);
	p->token = name;
	return lp_parse_advance(p);
}

static bool settle_mentions(struct lp_parser *p)
{
	for (uint32_t i = 0; i < p->mentions.count; i++) {
		struct lp_mention *mention = &p->mentions.at[i];
		struct lp_name *name = lp_names_find(&p->names, &mention->token);

		if (!name)
			return lp_parse_fail(p, &mention->token, "%s is not declared",
					     lp_parse_show(&mention->token).text);
		if (!lp_parse_settle(p, mention, name))
			return false;
	}
	return true;
}

static bool parse_file(struct lp_parser *p)
{
	if (!parse_first_line(p) || !parse_declarations(p))
		return false;
	do {
		if (!parse_body(p))
			return false;
	} while (!lp_token_is(&p->token, "expect"));
	do {
		if (!parse_expectation(p))
			return false;
	} while (lp_token_is(&p->token, "expect"));
	if (p->token.kind != LP_TOKEN_END)
		return lp_parse_expected(p, "'expect' or end of file");
	return settle_mentions(p);
}

/* The dummies at index 0, and the name of the file. */
static bool begin(struct lp_parser *p, const char *file, size_t size)
{
	static const struct lp_token start = { .line = 1, .column = 1 };
	char *empty = lp_arena_copy(&p->parsed->strings, "", 0);

	p->scenario->file = lp_arena_copy(&p->parsed->strings, file, strlen(file));
	if (!empty || !p->scenario->file ||
	    lp_vec_push(&p->classes, (struct lp_object_class){ .name = empty }) ||
	    lp_vec_push(&p->objects, (struct lp_object){ .name = empty }) ||
	    lp_vec_push(&p->bodies, (struct lp_body){ .name = empty }) ||
	    lp_vec_push(&p->contexts, (struct lp_scenario_context){ .name = empty }) ||
	    lp_vec_push(&p->sites, (struct lp_site){ .function = empty, .file = empty,
						     .text = empty }))
		return lp_parse_no_memory(p);
	if (size > LP_SCENARIO_SIZE_MAX)
		return lp_parse_fail(p, &start, "the file has more than %u bytes",
				     LP_SCENARIO_SIZE_MAX);
	return true;
}

/* All that was made goes to the scenario. */
static void hand_over(struct lp_parser *p)
{
	struct lp_scenario *s = p->scenario;

#define GIVE(array, counter) (s->array = p->array.at, s->counter = p->array.count)
	GIVE(classes, class_count);
	GIVE(objects, object_count);
	GIVE(bodies, body_count);
	GIVE(contexts, context_count);
	GIVE(ops, op_count);
	GIVE(sites, site_count);
	GIVE(expectations, expectation_count);
#undef GIVE
	lp_vec_finish(&p->mentions);
	lp_vec_finish(&p->giveups);
	lp_names_finish(&p->names);
	lp_names_finish(&p->class_names);
	free(p->open_giveups);
}

struct lp_scenario *lp_scenario_parse(const char *file, const char *text, size_t size,
				      struct lp_scenario_error *error)
{
	struct lp_parsed *parsed = calloc(1, sizeof(*parsed));
	struct lp_parser p = { .text = text, .error = error, .parsed = parsed };
	bool good;

	memset(error, 0, sizeof(*error));
	if (!parsed) {
		lp_parse_no_memory(&p);
		return NULL;
	}
	p.scenario = &parsed->scenario;
	lp_word_index_init(&p.words);
	lp_lexer_init(&p.lexer, text, size);
	p.token.at = text;
	good = begin(&p, file, size) && parse_file(&p);
	hand_over(&p);
	if (good)
		return &parsed->scenario;
	lp_scenario_destroy(&parsed->scenario);
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* parse_objects.c — declarations: objects and their classes, and those that are built in. */
#include <stdio.h>

#include "scenario/parse.h"

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
	{ "wait_spin", LP_OBJECT_WAIT_SPIN, 1u << LP_OBJECT_LOCKDEP_MAP },
	{ "wait_config", LP_OBJECT_WAIT_CONFIG, 1u << LP_OBJECT_LOCKDEP_MAP },
	{ "wait_sleep", LP_OBJECT_WAIT_SLEEP, 1u << LP_OBJECT_LOCKDEP_MAP },
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

char *lp_parse_print_name(struct lp_parser *p, const char *format, const char *name)
{
	char text[2 * LP_SCENARIO_NAME_MAX];
	int size = snprintf(text, sizeof(text), format, name);
	char *copy = lp_parse_strings_copy(&p->parsed->strings, text, (size_t)size);

	if (!copy)
		lp_parse_no_memory(p);
	return copy;
}

uint32_t lp_parse_add_alone(struct lp_parser *p, struct lp_object object, char *printed)
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
		object.name = lp_parse_print_name(p, "%s", built_ins[which].name);
		*places[which] = lp_parse_add_alone(p, object, object.name);
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

bool lp_parse_check_name(struct lp_parser *p, const char *what)
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
					    "novalidate, ordered, uninitialised, wait_spin, "
					    "wait_config or wait_sleep");
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
	*printed = lp_parse_strings_copy(&p->parsed->strings, text, size);
	return *printed ? lp_parse_advance(p) : lp_parse_no_memory(p);
}

/* As reports print the class of an object called so. */
static char *class_print_name(struct lp_parser *p, enum lp_object_type type, const char *name)
{
	const char *format = type == LP_OBJECT_WORKQUEUE_STRUCT ? "(wq_completion)%s" : "%s";

	return lp_parse_print_name(p, format, name);
}

/* Where "= name" stood in a class before this one, it stays: CLASS_NAMED is no flag of objects. */
#define CLASS_NAMED	0x80000000u

/* A ww_mutex and a ww_acquire_ctx share the name of a class as in the kernel; nothing else does. */
static bool may_pair(enum lp_object_type a, enum lp_object_type b)
{
	return (a == LP_OBJECT_WW_MUTEX && b == LP_OBJECT_WW_ACQUIRE_CTX) ||
	       (a == LP_OBJECT_WW_ACQUIRE_CTX && b == LP_OBJECT_WW_MUTEX);
}

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

/* The first of a class. `pair`: the one of the other type, which has the name already; or 0. */
static bool add_class(struct lp_parser *p, const struct lp_token *token, uint32_t pair,
		      struct lp_object *object, const char *printed)
{
	struct lp_object_class class = { .type = object->type, .object = p->objects.count,
					 .flags = object->flags, .pair = pair };

	object->class_index = p->classes.count;
	object->rank = 1;
	class.name = lp_parse_strings_copy(&p->parsed->strings, token->at, token->size);
	if (class.name)
		class.name = class_print_name(p, object->type, printed ? printed : class.name);
	if (printed)
		class.flags |= CLASS_NAMED;
	p->classes.at[pair].pair = pair ? object->class_index : 0;
	if (!class.name || lp_vec_push(&p->classes, class) ||
	    (!pair && lp_names_add(&p->class_names, token, object->class_index, 0)))
		return lp_parse_no_memory(p);
	return true;
}

/* Into the class of this name. */
static bool enter_class(struct lp_parser *p, struct lp_token token, struct lp_object *object,
			const char *printed)
{
	uint32_t pair = 0, class = 0;
	struct lp_name *name;

	if (token.kind != LP_TOKEN_NAME || is_reserved(&token))
		return lp_parse_expected(p, "the name of a class");
	if (token.size > LP_SCENARIO_NAME_MAX)
		return lp_parse_fail(p, &token, "a name has at most %u characters",
				     LP_SCENARIO_NAME_MAX);
	name = lp_names_find(&p->class_names, &token);
	if (name)
		class = name->object;
	if (class && may_pair(p->classes.at[class].type, object->type)) {
		pair = class;
		class = p->classes.at[pair].pair;
	}
	return class ? join_class(p, &token, class, object, printed) :
		       add_class(p, &token, pair, object, printed);
}

/* ": class": the next token is its name. Without it: that of the whole declaration, if any. */
static bool parse_class(struct lp_parser *p, struct lp_object *object, const char *printed,
			const struct lp_token *common)
{
	if (p->token.kind != ':')
		return !common->at || enter_class(p, *common, object, printed);
	return lp_parse_advance(p) && enter_class(p, p->token, object, printed) &&
	       lp_parse_advance(p);
}

/*
 * A class behind the last of several names, when it is the only one, is the class of them all:
 * "mutex a, b : account;". Looks ahead to the end of the declaration.
 */
static struct lp_token common_class(const struct lp_parser *p)
{
	struct lp_lexer lexer = p->lexer;
	struct lp_token token = p->token, class = {0};
	uint32_t colons = 0;

	while (token.kind != ';' && token.kind != '}' && token.kind != '{' &&
	       token.kind != LP_TOKEN_END && token.kind != LP_TOKEN_BAD) {
		bool colon = token.kind == ':';

		if (token.kind == ',')
			class = (struct lp_token){0};
		lp_lexer_next(&lexer, &token);
		colons += colon;
		if (colon && token.kind == LP_TOKEN_NAME)
			class = token;
	}
	return colons == 1 ? class : (struct lp_token){0};
}

/* Enter an object under its name. */
static bool add_object(struct lp_parser *p, const struct lp_token *token, struct lp_object object,
		       const char *printed)
{
	uint32_t index = p->objects.count;

	if (!object.class_index) {
		if (!lp_parse_add_alone(p, object,
			       class_print_name(p, object.type, printed ? printed : object.name)))
			return false;
	} else if (lp_vec_push(&p->objects, object)) {
		return lp_parse_no_memory(p);
	}
	return !lp_names_add(&p->names, token, index, 0) || lp_parse_no_memory(p);
}

/* name[(attr, ...)] [= "printed name"] [: class] */
static bool parse_declarator(struct lp_parser *p, enum lp_object_type type,
			     const struct lp_token *common)
{
	struct lp_object object = { .type = type };
	struct lp_token token = p->token;
	char *printed = NULL;

	object.count = type == LP_OBJECT_SEMAPHORE || type == LP_OBJECT_SEM_T;
	if (!lp_parse_check_name(p, "a name"))
		return false;
	if (p->declared++ == LP_SCENARIO_OBJECTS_MAX)
		return lp_parse_fail(p, &token, "more than %u objects", LP_SCENARIO_OBJECTS_MAX);
	object.name = lp_parse_strings_copy(&p->parsed->strings, token.at, token.size);
	if (!object.name || !lp_parse_site(p, &token))
		return lp_parse_no_memory(p);
	object.site = p->site;
	p->sites.at[p->site].function = object.name;
	if (!lp_parse_advance(p) || (p->token.kind == '(' && !parse_attributes(p, &object)))
		return false;
	if (p->token.kind == '=' &&
	    (!lp_parse_advance(p) || !parse_printed_name(p, &printed)))
		return false;
	if (!parse_class(p, &object, printed, common))
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
	struct lp_token common = common_class(p);
	uint32_t first = p->sites.count;
	enum lp_object_type type;

	if (lp_token_is(&p->token, "struct") && !lp_parse_advance(p))
		return false;
	type = type_of(&p->token);
	if (!type)
		return fail_type(p);
	do {
		if (!lp_parse_advance(p) || !parse_declarator(p, type, &common))
			return false;
	} while (p->token.kind == ',');
	if (!lp_parse_take(p, ';', "',' or ';'"))
		return false;
	for (uint32_t i = first; i < p->sites.count; i++)
		if (!lp_parse_site_name(p, i))
			return false;
	return true;
}

/* Two classes that share a name print as DEFINE_WW_CLASS() has it, unless they are named. */
static char *pair_print_name(struct lp_parser *p, const struct lp_object_class *class)
{
	return lp_parse_print_name(p, class->type == LP_OBJECT_WW_MUTEX ? "%s_mutex" : "%s_acquire",
				   class->name);
}

/* What was kept in flags and ranks while classes grew goes. */
static bool finish_classes(struct lp_parser *p)
{
	for (uint32_t i = 1; i < p->classes.count; i++) {
		struct lp_object_class *class = &p->classes.at[i];

		if (class->pair && !(class->flags & CLASS_NAMED))
			class->name = pair_print_name(p, class);
		class->flags &= ~CLASS_NAMED;
		p->objects.at[class->object].rank = 1;
		if (!class->name)
			return false;
	}
	return true;
}

bool lp_parse_declarations(struct lp_parser *p)
{
	if (!lp_parse_take(p, '{', "'{' and the declarations"))
		return false;
	while (p->token.kind != '}')
		if (!parse_declaration(p))
			return false;
	if (!finish_classes(p))
		return false;
	p->open_giveups = calloc(p->objects.count, sizeof(*p->open_giveups));
	if (!p->open_giveups)
		return lp_parse_no_memory(p);
	return lp_parse_advance(p);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse.h — what the parts of the scenario parser share. Nobody else includes it.
 *
 * One pass, one token ahead, recursion as deep as blocks nest. Functions that can fail return
 * false once the error is noted; the first one noted stays. Bodies may be named before they are
 * declared: such mentions are settled at the end.
 */
#ifndef LP_SCENARIO_PARSE_H
#define LP_SCENARIO_PARSE_H

#include "base/compiler.h"
#include "engine/vec.h"
#include "scenario/lex.h"
#include "scenario/scenario.h"
#include "scenario/words.h"

#define LP_NONE		UINT32_MAX	/* no operation; end of a chain of jumps */
#define LP_ARGS_MAX	8u

/* Strings that live as long as the scenario. */
struct lp_chunk {
	struct lp_chunk	*next;
	size_t		used, size;
	char		bytes[];
};

/* NULL when memory is short */
char *lp_parse_strings_alloc(struct lp_chunk **chunks, size_t size);
char *lp_parse_strings_copy(struct lp_chunk **chunks, const char *at, size_t size);
/* Of the last one, make it shorter. */
void lp_parse_strings_trim(struct lp_chunk *chunks, const char *last, size_t size);
void lp_parse_strings_finish(struct lp_chunk **chunks);

/* What lp_scenario_destroy() gets. */
struct lp_parsed {
	struct lp_scenario scenario;
	struct lp_chunk	*strings;
};

/* Names and what they stand for. */
struct lp_name {
	const char	*at;		/* in the text; NULL: free slot */
	uint32_t	size;
	uint32_t	object, body;	/* objects[] (or classes[]), or bodies[]; else 0 */
	uint32_t	line;
};

struct lp_names {
	struct lp_name	*slots;
	uint32_t	count, room;	/* room: a power of two, or 0 */
};

struct lp_name *lp_names_find(const struct lp_names *names, const struct lp_token *token);
int lp_names_add(struct lp_names *names, const struct lp_token *token, uint32_t object,
		 uint32_t body);
void lp_names_finish(struct lp_names *names);

/* A body that a statement names. */
struct lp_mention {
	struct lp_token	token;
	const struct lp_word *word;
	uint32_t	op;		/* gets it as `other` */
	uint32_t	queue;		/* objects[] it must be declared for; LP_NONE: any */
	uint32_t	signal;		/* it must handle; 0: none */
};

/* An acquisition that can give up and is not the condition of an if. */
struct lp_giveup {
	uint32_t	op;		/* gets the target */
	uint32_t	object;
	uint32_t	before;		/* giveups[] + 1 of the one before it of the same object */
	uint32_t	block;
	bool		open;		/* its release has not been seen yet */
};

struct lp_flag_variable {
	const char	*at;
	size_t		size;
};

struct lp_parser {
	struct lp_lexer	lexer;
	struct lp_token	token;		/* the next one */
	const char	*last_end;	/* end of the one before */
	struct lp_scenario_error *error;
	bool		failed;
	struct lp_parsed *parsed;
	struct lp_scenario *scenario;
	struct lp_word_index words;
	struct lp_names	names, class_names;

	struct { struct lp_object_class *at; uint32_t count, room; } classes;
	struct { struct lp_object *at; uint32_t count, room; } objects;
	struct { struct lp_body *at; uint32_t count, room; } bodies;
	struct { struct lp_scenario_context *at; uint32_t count, room; } contexts;
	struct { struct lp_op *at; uint32_t count, room; } ops;
	struct { struct lp_site *at; uint32_t count, room; } sites;
	struct { struct lp_expectation *at; uint32_t count, room; } expectations;
	struct { struct lp_mention *at; uint32_t count, room; } mentions;
	struct { struct lp_giveup *at; uint32_t count, room; } giveups;
	uint32_t	*open_giveups;	/* by object: giveups[] + 1 of the newest open one */
	uint32_t	declared;	/* objects of the file */
	uint32_t	expected;	/* bits of the kinds expected so far, for either level */

	/* of the current body, block, statement */
	uint32_t	body, depth, block, blocks, site;
	uint32_t	returns;	/* chain of the jumps to its end */
	struct lp_flag_variable flags[LP_SCENARIO_FLAGS_MAX];
	uint32_t	flag_count;
};

/* parse.c: errors, tokens, sites, operations */
bool lp_parse_fail(struct lp_parser *p, const struct lp_token *at, const char *format, ...)
	LP_PRINTF(3, 4);
bool lp_parse_no_memory(struct lp_parser *p);
bool lp_parse_expected(struct lp_parser *p, const char *what);	/* found the next token */
bool lp_parse_advance(struct lp_parser *p);
bool lp_parse_take(struct lp_parser *p, int kind, const char *what);
bool lp_parse_site(struct lp_parser *p, const struct lp_token *token);	/* new, p->site */
bool lp_parse_site_text(struct lp_parser *p, uint32_t site, const char *from);
bool lp_parse_site_name(struct lp_parser *p, uint32_t site);	/* of a comment that comes now */
bool lp_parse_emit(struct lp_parser *p, struct lp_op op);

/* How a message shows a token. */
struct lp_shown {
	char	text[64];
};

struct lp_shown lp_parse_show(const struct lp_token *token);

/* parse_objects.c */
bool lp_parse_declarations(struct lp_parser *p);	/* from "{" to behind "}" */
uint32_t lp_parse_built_in(struct lp_parser *p, enum lp_built_in which);	/* 0: failed */
/* An object alone in its class. Returns its index; 0: failed. `printed` may be NULL: failed. */
uint32_t lp_parse_add_alone(struct lp_parser *p, struct lp_object object, char *printed);
/* Copy of `format` with a name in it; NULL: failed. */
char *lp_parse_print_name(struct lp_parser *p, const char *format, const char *name);
/* The next token is a name that is free; `what` it is to name. */
bool lp_parse_check_name(struct lp_parser *p, const char *what);

/* parse_bodies.c */
enum lp_body_kind lp_parse_body_kind(const struct lp_token *token);	/* NONE: not a body's */
bool lp_parse_body(struct lp_parser *p);

/* parse_args.c */
struct lp_call {
	const struct lp_word *word;
	struct lp_op	op;		/* object, other, signals of its operations */
	uint8_t		subclass, slot;
	uint8_t		sig_kind;	/* MASK: SIG_BLOCK, ... */
	bool		mentions;	/* `mention` is to be settled */
	struct lp_mention mention;
};

bool lp_parse_call(struct lp_parser *p, struct lp_call *call);
bool lp_parse_number(struct lp_parser *p, const struct lp_token *token, uint32_t most,
		     const char *what, uint32_t *number);
bool lp_parse_settle(struct lp_parser *p, const struct lp_mention *mention,
		     const struct lp_name *name);

/* parse_statements.c: from behind "{" to behind "}" */
bool lp_parse_statements(struct lp_parser *p, const struct lp_token *open);

#endif

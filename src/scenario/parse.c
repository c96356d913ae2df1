/* SPDX-License-Identifier: Apache-2.0 */
/* parse.c — scenario files as a whole: tokens, errors, sites, the first line, expectations. */
#include <stdarg.h>
#include <stdio.h>

#include "base/hash.h"
#include "scenario/parse.h"

#define SHOWN_MAX	40u	/* bytes of a token in a message */

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

/* Behind the comment at `from`, which has an end. */
static const char *skip_comment(const char *from)
{
	if (from[1] == '/')
		return rawmemchr(from, '\n');
	for (from += 3; from[0] != '/' || from[-1] != '*'; from++)
		;
	return from + 1;
}

/* Behind the string at `from`, which has an end. */
static const char *skip_string(const char *from)
{
	for (from++; *from != '"'; from++)
		from += *from == '\\';
	return from + 1;
}

/*
 * Copy the text [from, to), which begins and ends with tokens, without comments and with one blank
 * for several. Returns the size.
 */
static size_t fold(const char *from, const char *to, char *out)
{
	size_t size = 0;

	while (from < to) {
		bool comment = *from == '/', blank = comment || lp_char_blank(*from);
		const char *next = comment ? skip_comment(from) :
				   *from == '"' ? skip_string(from) : from + 1;

		if (!blank) {
			memcpy(out + size, from, (size_t)(next - from));
			size += (size_t)(next - from);
		} else if (out[size - 1] != ' ') {
			out[size++] = ' ';
		}
		from = next;
	}
	return size;
}

bool lp_parse_site_text(struct lp_parser *p, uint32_t site, const char *from)
{
	size_t most = (size_t)(p->last_end - from) + 1, size;
	char *text = lp_parse_strings_alloc(&p->parsed->strings, most);

	if (!text)
		return lp_parse_no_memory(p);
	size = fold(from, p->last_end, text);
	text[size] = '\0';
	lp_parse_strings_trim(p->parsed->strings, text, size + 1);
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
	const char *at = p->token.comment, *end;
	struct lp_token function, file, rest;
	uint32_t line;
	char *copies[2];

	if (!at)
		return true;
	end = at + p->token.comment_size;
	function = next_word(&at, end);
	file = next_word(&at, end);
	rest = next_word(&at, end);
	line = cut_line_number(&file);
	if (!line || rest.size || !is_place(&function) || !is_place(&file))
		return true;
	copies[0] = lp_parse_strings_copy(&p->parsed->strings, function.at, function.size);
	copies[1] = lp_parse_strings_copy(&p->parsed->strings, file.at, file.size);
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
	p->scenario->name = lp_parse_strings_copy(&p->parsed->strings, name.at, name.size);
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

struct same_text {
	uint64_t	key;
	uint32_t	site;
};

static int compare_texts(const void *a, const void *b)
{
	const struct same_text *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->site < y->site ? -1 : x->site > y->site;
}

static uint64_t text_key(const char *body, const char *text)
{
	return lp_hash_bytes(lp_hash_bytes(1, body, strlen(body)), text, strlen(text));
}

/* What each site is in ids. Sites are made in the order of the text: bodies first, then theirs. */
static bool number_sites(struct lp_parser *p)
{
	struct same_text *all = calloc(p->sites.count, sizeof(*all));
	uint32_t same = 0, next = 1;

	if (!all)
		return lp_parse_no_memory(p);
	for (uint32_t i = 1; i < p->sites.count; i++) {
		while (next < p->bodies.count && p->bodies.at[next].site <= i)
			next++;
		all[i] = (struct same_text){ text_key(p->bodies.at[next - 1].name,
						      p->sites.at[i].text), i };
	}
	qsort(all, p->sites.count, sizeof(*all), compare_texts);
	for (uint32_t i = 0; i < p->sites.count; i++) {
		same = i && all[i].key == all[i - 1].key ? same + 1 : 0;
		p->sites.at[all[i].site].number = (uint32_t)lp_hash_add(all[i].key, same) | 1;
	}
	free(all);
	return true;
}

static bool parse_file(struct lp_parser *p)
{
	if (!parse_first_line(p) || !lp_parse_declarations(p))
		return false;
	do {
		if (!lp_parse_body(p))
			return false;
	} while (!lp_token_is(&p->token, "expect"));
	do {
		if (!parse_expectation(p))
			return false;
	} while (lp_token_is(&p->token, "expect"));
	if (p->token.kind != LP_TOKEN_END)
		return lp_parse_expected(p, "'expect' or end of file");
	return settle_mentions(p) && number_sites(p);
}

/* The dummies at index 0, and the name of the file. */
static bool begin(struct lp_parser *p, const char *file, size_t size)
{
	static const struct lp_token start = { .line = 1, .column = 1 };
	char *empty = lp_parse_strings_copy(&p->parsed->strings, "", 0);

	p->scenario->file = lp_parse_strings_copy(&p->parsed->strings, file, strlen(file));
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
	struct lp_parser p = { .error = error, .parsed = parsed };
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

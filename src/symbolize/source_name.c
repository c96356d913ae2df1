/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_name.c — which of the calls around a place is meant, and how its lock is written. See
 * source.h.
 */
#include "symbolize/source_private.h"

#define LINES_AROUND	3	/* a call's name may be that far from the line we are given */
#define SCOPE_SIZE_MAX	65536	/* how far back a guard variable's declaration is searched */

/* ---- choosing ---- */

static bool holds(struct span outer, size_t at)
{
	return outer.from <= at && at < outer.to;
}

static bool same_text(const struct lp_source *source, struct span a, struct span b)
{
	return a.to - a.from == b.to - b.from &&
	       memcmp(source->text + a.from, source->text + b.from, a.to - a.from) == 0;
}

/* The statement around `at`, which must not be a separator itself. */
static struct span statement(const struct lp_source *source, size_t at)
{
	struct span result = { at, at };

	while (result.from && !strchr(";{}", source->code[result.from - 1]))
		result.from--;
	while (result.to < source->size && !strchr(";{}", source->code[result.to]))
		result.to++;
	return result;
}

/* The call with the smallest span around `at`. */
static const struct call *innermost(const struct calls *calls, size_t at)
{
	const struct call *best = NULL;
	size_t i;

	for (i = 0; i < calls->count; i++)
		if (holds(calls->at[i].whole, at) &&
		    (!best || calls->at[i].whole.to - calls->at[i].whole.from <
				      best->whole.to - best->whole.from))
			best = &calls->at[i];
	return best;
}

/*
 * The one call that overlaps `place`; NULL if there is none, or if they name several locks.
 * *any: there is one at least.
 */
static const struct call *only_one(const struct lp_source *source, const struct calls *calls,
				   struct span place, bool *any)
{
	const struct call *found = NULL;
	size_t i;

	*any = false;
	for (i = 0; i < calls->count; i++) {
		const struct call *call = &calls->at[i];

		if (call->whole.from >= place.to || call->whole.to <= place.from)
			continue;
		*any = true;
		if (found && !same_text(source, found->name, call->name))
			return NULL;
		found = call;
	}
	return found;
}

/* Some other call starts here: a macro or a wrapper, and that is what the place is about. */
static bool is_other_call(const struct lp_source *source, size_t at)
{
	size_t end = name_end(source, at), next = skip_space(source, end);

	return end > at && next < source->size &&
	       (source->code[next] == '(' || source->code[next] == '{') &&
	       !lp_source_is_bracket_word(source, at, end);
}

static struct span line_span(const struct lp_source *source, uint32_t line)
{
	struct span span = { source->line[line - 1], source->size };

	if (line < source->line_count)
		span.to = source->line[line];
	return span;
}

static const struct call *choose(const struct lp_source *source, const struct calls *calls,
				 struct span line, uint32_t column)
{
	size_t at = skip_space(source, line.from);
	const struct call *call;
	bool any;

	if (column && column <= line.to - line.from) {
		at = line.from + column - 1;
		call = innermost(calls, at);
		if (call || is_other_call(source, at))
			return call;
	} else {
		call = only_one(source, calls, line, &any);
		if (any)
			return call;
	}
	if (at >= line.to || strchr(";{}", source->code[at]))
		return NULL;
	return only_one(source, calls, statement(source, at), &any);
}

/* True if no scope that is open at `from` is closed before `to`. */
static bool is_visible(const struct lp_source *source, size_t from, size_t to)
{
	size_t depth = 0;

	for (; from < to; from++) {
		if (source->code[from] == '{')
			depth++;
		else if (source->code[from] == '}' && depth-- == 0)
			return false;
	}
	return true;
}

/* The guard that `object` is, if it is one: the nearest declaration before `at` in its scope. */
static const struct call *find_guard(const struct lp_source *source, struct calls *calls,
				     struct span object, size_t at)
{
	size_t low = at > SCOPE_SIZE_MAX ? at - SCOPE_SIZE_MAX : 0, from, i;
	const struct call *call;

	/* in pieces, backwards, so that the nearest wins however many there are */
	for (; at > low; at = from) {
		from = name_start(source, at - low > 1024 ? at - 1024 : low);
		lp_source_find_calls(source, calls, from, at);
		for (i = calls->count; i > 0; i--) {
			call = &calls->at[i - 1];
			if (call->variable.to > call->variable.from &&
			    same_text(source, call->variable, object) &&
			    is_visible(source, call->whole.to, object.from))
				return call;
		}
	}
	return NULL;
}

/* ---- the name ---- */

/* True if a space in the text must stay: "a - -b". */
static bool needs_space(char before, char after)
{
	return before == after && (before == '-' || before == '+' || before == '&');
}

/* Make room for "..." at the end, not in the middle of a UTF-8 character. */
static void abbreviate(char *name)
{
	size_t size = LP_SOURCE_NAME_MAX - 3;

	while (size && ((unsigned char)name[size] & 0xc0) == 0x80)
		size--;
	memcpy(name + size, "...", 4);
}

/* The text without comments and needless space. False: it is no expression with a name in it. */
static bool write_name(const struct lp_source *source, struct span span, char *name)
{
	bool space = false, word = false;
	size_t size = 0, at;

	for (at = span.from; at < span.to; at++) {
		char c = source->code[at];

		if (is_space(c)) {
			space = size > 0;
			continue;
		}
		if (c == ';' || c == '{' || c == '}' || c == '\0')
			return false;
		if (space && is_name_char(name[size - 1]) && is_name_char(c))
			return false; /* two words are a declaration */
		if (is_name_char(c) && !is_digit(c))
			word = true;
		if (space && needs_space(name[size - 1], c) && size < LP_SOURCE_NAME_MAX)
			name[size++] = ' ';
		if (size == LP_SOURCE_NAME_MAX) {
			abbreviate(name);
			return word;
		}
		name[size++] = source->text[at];
		space = false;
	}
	name[size] = '\0';
	return word;
}

/* "pthread_mutex_t*m": a parameter; as an expression it would be a product. */
static bool is_parameter(const char *name)
{
	const char *at = name;

	while (is_name_char(*at) || *at == ':')
		at++;
	if (at == name || (*at != '*' && *at != '&'))
		return false;
	at += strspn(at, "*&");
	while (is_name_char(*at))
		at++;
	return *at == '\0';
}

static void drop_this(char *name)
{
	if (strncmp(name, "this->", 6) == 0)
		memmove(name, name + 6, LP_SOURCE_NAME_MAX + 1 - 6);
}

/* Lines as long as no person writes them are not looked at from end to end. */
static struct span around(size_t at, struct span span)
{
	if (at > CALL_SIZE_MAX && span.from < at - CALL_SIZE_MAX)
		span.from = at - CALL_SIZE_MAX;
	if (at < span.to && span.to - at > CALL_SIZE_MAX)
		span.to = at + CALL_SIZE_MAX;
	return span;
}

bool lp_source_lock_name(const struct lp_source *source, uint32_t line, uint32_t column,
			 char name[LP_SOURCE_NAME_MAX + 1])
{
	struct calls calls;
	const struct call *call, *guard;
	struct call chosen;
	uint32_t first, last;
	struct span window;

	if (line == 0 || line > source->line_count)
		return false;
	first = line > LINES_AROUND ? line - LINES_AROUND : 1;
	last = source->line_count - line > LINES_AROUND ? line + LINES_AROUND
							: (uint32_t)source->line_count;
	window = around(line_span(source, line).from + column,
			(struct span){ line_span(source, first).from, line_span(source, last).to });
	lp_source_find_calls(source, &calls, window.from, window.to);
	call = calls.overflow ? NULL : choose(source, &calls, line_span(source, line), column);
	if (!call)
		return false;
	chosen = *call;
	guard = chosen.direct ? NULL
			      : find_guard(source, &calls, chosen.name, chosen.whole.from);
	if (guard)
		chosen = *guard;
	if (!write_name(source, chosen.name, name) || is_parameter(name))
		return false;
	drop_this(name);
	return true;
}

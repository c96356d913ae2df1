/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.c — see source.h.
 *
 * The text is scanned once into `code`, byte for byte as long as `text`: comments and preprocessor
 * lines become spaces, literals become LITERAL bytes, newlines stay. All searching is done in
 * `code`, names are cut from `text`. A position is an offset in both.
 */
#include "symbolize/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

#define LITERAL		'"'
#define LINES_AROUND	3	/* a call's name may be that far from the line we are given */
#define CALL_SIZE_MAX	4096	/* bytes from '(' to ')' */
#define NUMBER_SIZE_MAX	64
#define CALLS_MAX	32	/* in the lines looked at; more are too many to choose from */
#define SCOPE_SIZE_MAX	65536	/* how far back a guard variable's declaration is searched */
#define NOWHERE		SIZE_MAX

/* ---- characters ---- */

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* ---- blanking ---- */

static void blank(struct lp_source *source, size_t from, size_t to, char with)
{
	for (; from < to; from++)
		if (source->text[from] != '\n')
			source->code[from] = with;
}

/* The end of the line at `at`: its newline, or the end; continued lines count as one. */
static size_t line_end(const struct lp_source *source, size_t at)
{
	const char *text = source->text;

	for (; at < source->size; at++)
		if (text[at] == '\n' && !(at && text[at - 1] == '\\') &&
		    !(at > 1 && text[at - 1] == '\r' && text[at - 2] == '\\'))
			break;
	return at;
}

static size_t skip_comment(const struct lp_source *source, size_t at)
{
	const char *end;

	if (source->text[at + 1] == '/')
		return line_end(source, at);
	end = memmem(source->text + at + 2, source->size - at - 2, "*/", 2);
	return end ? (size_t)(end - source->text) + 2 : source->size;
}

/* A directive may begin a comment that goes on after its line. */
static size_t skip_directive(const struct lp_source *source, size_t at)
{
	size_t end = line_end(source, at), comment_end;
	const char *comment = memmem(source->text + at, end - at, "/*", 2);

	if (!comment)
		return end;
	comment_end = skip_comment(source, (size_t)(comment - source->text));
	return comment_end > end ? comment_end : end;
}

/* A string or character literal ends at its quote, a damaged one at the end of the line. */
static size_t skip_quoted(const struct lp_source *source, size_t at)
{
	char quote = source->text[at++];

	for (; at < source->size && source->text[at] != '\n'; at++) {
		if (source->text[at] == quote)
			return at + 1;
		if (source->text[at] == '\\' && at + 1 < source->size)
			at++;
	}
	return at < source->size ? at : source->size;
}

/* R"tag( ... )tag" with `at` on the quote. A wrong tag is no raw string: 0. */
static size_t skip_raw(const struct lp_source *source, size_t at)
{
	const char *text = source->text;
	size_t tag = 0, i;

	while (tag <= 16 && at + 1 + tag < source->size && text[at + 1 + tag] != '(')
		tag++;
	if (tag > 16 || at + 1 + tag >= source->size)
		return 0;
	for (i = at + 2 + tag; i + tag + 1 < source->size; i++)
		if (text[i] == ')' && text[i + 1 + tag] == '"' &&
		    memcmp(text + i + 1, text + at + 1, tag) == 0)
			return i + tag + 2;
	return source->size;
}

static size_t skip_literal(const struct lp_source *source, size_t at)
{
	const char *text = source->text;
	size_t end = 0;

	if (text[at] == '"' && at && text[at - 1] == 'R')
		end = skip_raw(source, at);
	return end ? end : skip_quoted(source, at);
}

/* 1'000'000 is a number. A character's prefix (u8'x', L'x') is not. */
static bool is_digit_separator(const struct lp_source *source, size_t at)
{
	size_t start = at, low = at > NUMBER_SIZE_MAX ? at - NUMBER_SIZE_MAX : 0;

	if (source->text[at] != '\'')
		return false;
	while (start > low &&
	       (is_name_char(source->text[start - 1]) || source->text[start - 1] == '\''))
		start--;
	return start < at && is_digit(source->text[start]);
}

static void blank_source(struct lp_source *source)
{
	const char *text = source->text;
	bool line_start = true;
	size_t at = 0, end;

	while (at < source->size) {
		char next = at + 1 < source->size ? text[at + 1] : '\0';

		if (text[at] == '\n') {
			line_start = true;
			at++;
			continue;
		}
		if (text[at] == '/' && (next == '/' || next == '*')) {
			end = skip_comment(source, at);
			blank(source, at, end, ' ');
		} else if (text[at] == '#' && line_start) {
			end = skip_directive(source, at);
			blank(source, at, end, ' ');
		} else if ((text[at] == '"' || text[at] == '\'') &&
			   !is_digit_separator(source, at)) {
			end = skip_literal(source, at);
			blank(source, at, end, LITERAL);
			line_start = false;
		} else {
			end = at + 1;
			line_start = line_start && is_space(text[at]);
		}
		at = end;
	}
}

static int index_lines(struct lp_source *source)
{
	const char *at = source->text, *end = at + source->size;
	size_t count = 1;

	while ((at = memchr(at, '\n', (size_t)(end - at))) && ++at)
		count++;
	source->line = reallocarray(NULL, count, sizeof(*source->line));
	if (!source->line)
		return -ENOMEM;
	source->line[0] = 0;
	source->line_count = 1;
	for (at = source->text; (at = memchr(at, '\n', (size_t)(end - at))); )
		source->line[source->line_count++] = (size_t)(++at - source->text);
	return 0;
}

int lp_source_init(struct lp_source *source, char *text, size_t size)
{
	memset(source, 0, sizeof(*source));
	source->text = text;
	source->size = size;
	source->code = malloc(size + 1);
	if (!source->code || index_lines(source) < 0) {
		lp_source_finish(source);
		return -ENOMEM;
	}
	memcpy(source->code, text, size);
	source->code[size] = '\0';
	blank_source(source);
	return 0;
}

void lp_source_finish(struct lp_source *source)
{
	free(source->text);
	free(source->code);
	free(source->line);
	memset(source, 0, sizeof(*source));
}

/* ---- moving about ---- */

static size_t skip_space(const struct lp_source *source, size_t at)
{
	while (at < source->size && is_space(source->code[at]))
		at++;
	return at;
}

/* One past the last non-space character before `at`. */
static size_t skip_space_back(const struct lp_source *source, size_t at)
{
	while (at && is_space(source->code[at - 1]))
		at--;
	return at;
}

static size_t name_end(const struct lp_source *source, size_t at)
{
	while (at < source->size && is_name_char(source->code[at]))
		at++;
	return at;
}

static size_t name_start(const struct lp_source *source, size_t at)
{
	while (at && is_name_char(source->code[at - 1]))
		at--;
	return at;
}

static bool is_word(const struct lp_source *source, size_t from, size_t to, const char *word)
{
	return strlen(word) == to - from && memcmp(source->code + from, word, to - from) == 0;
}

/* True when the text that ends at `at` is `mark`. */
static bool ends_with(const struct lp_source *source, size_t at, const char *mark)
{
	size_t size = strlen(mark);

	return at >= size && memcmp(source->code + at - size, mark, size) == 0;
}

static char closer(char open)
{
	return open == '(' ? ')' : open == '[' ? ']' : open == '{' ? '}' : '\0';
}

static char opener(char close)
{
	return close == ')' ? '(' : close == ']' ? '[' : close == '}' ? '{' : '\0';
}

/* Brackets that wait for their partners, innermost last. */
struct brackets {
	char		expect[64];
	size_t		depth;
};

/*
 * Take one more character: 0 to go on, 1 when the first bracket met its partner, -1 when
 * brackets do not pair. `partner` is closer, or opener when going backwards.
 */
static int take_bracket(struct brackets *brackets, char c, char (*partner)(char))
{
	if (partner(c)) {
		if (brackets->depth == sizeof(brackets->expect))
			return -1;
		brackets->expect[brackets->depth++] = partner(c);
	} else if (closer(c) || opener(c)) {
		if (!brackets->depth || brackets->expect[brackets->depth - 1] != c)
			return -1;
		return --brackets->depth == 0;
	}
	return 0;
}

/* The bracket that closes the one at `at`, or NOWHERE. */
static size_t match(const struct lp_source *source, size_t at)
{
	size_t end = source->size - at > CALL_SIZE_MAX ? at + CALL_SIZE_MAX : source->size;
	struct brackets brackets = { .depth = 0 };
	int result = 0;

	for (; at < end && result == 0; at++)
		result = take_bracket(&brackets, source->code[at], closer);
	return result > 0 ? at - 1 : NOWHERE;
}

/* The bracket that opens the one at `at`, or NOWHERE. */
static size_t match_back(const struct lp_source *source, size_t at)
{
	size_t low = at > CALL_SIZE_MAX ? at - CALL_SIZE_MAX : 0;
	struct brackets brackets = { .depth = 0 };
	int result = 0;

	for (at++; at > low && result == 0; at--)
		result = take_bracket(&brackets, source->code[at - 1], opener);
	return result > 0 ? at : NOWHERE;
}

/* After a template's closing '>', with `at` on its '<'; NOWHERE when it is a comparison. */
static size_t skip_template(const struct lp_source *source, size_t at)
{
	size_t end = source->size - at > CALL_SIZE_MAX ? at + CALL_SIZE_MAX : source->size;
	size_t depth = 0;

	for (; at < end; at++) {
		char c = source->code[at];

		if (c == '<')
			depth++;
		else if (c == '>' && --depth == 0)
			return at + 1;
		else if (c == ';' || c == '{' || c == '}')
			break;
	}
	return NOWHERE;
}

/* ---- calls ---- */

struct span {
	size_t from, to;
};

/* One call or declaration that takes a lock. */
struct call {
	struct span	whole;		/* from its first word to its closing bracket */
	struct span	name;		/* the lock, as written; empty: cannot be told */
	struct span	variable;	/* of a guard, its name; else empty */
	bool		direct;		/* the name cannot be that of a guard */
};

struct calls {
	struct call	at[CALLS_MAX];
	size_t		count;
	bool		overflow;
};

#define MUTEX_CALLS(prefix) \
	{ prefix "init", 0 }, { prefix "destroy", 0 }, { prefix "lock", 0 }, \
	{ prefix "trylock", 0 }, { prefix "timedlock", 0 }, { prefix "clocklock", 0 }, \
	{ prefix "unlock", 0 }
#define RWLOCK_CALLS(prefix) \
	{ prefix "init", 0 }, { prefix "destroy", 0 }, { prefix "rdlock", 0 }, \
	{ prefix "wrlock", 0 }, { prefix "tryrdlock", 0 }, { prefix "trywrlock", 0 }, \
	{ prefix "timedrdlock", 0 }, { prefix "timedwrlock", 0 }, { prefix "clockrdlock", 0 }, \
	{ prefix "clockwrlock", 0 }, { prefix "rdunlock", 0 }, { prefix "wrunlock", 0 }, \
	{ prefix "unlock", 0 }

/* Functions that get the lock as an argument, and which one (from 0) it is. */
static const struct {
	const char	*name;
	unsigned int	argument;
} functions[] = {
	MUTEX_CALLS("pthread_mutex_"),
	{ "pthread_mutex_consistent", 0 },
	{ "pthread_cond_wait", 1 },
	{ "pthread_cond_timedwait", 1 },
	{ "pthread_cond_clockwait", 1 },
	RWLOCK_CALLS("pthread_rwlock_"),
	MUTEX_CALLS("pthread_spin_"),
	MUTEX_CALLS("mtx_"),
	{ "cnd_wait", 1 },
	{ "cnd_timedwait", 1 },
	MUTEX_CALLS("g_mutex_"),
	{ "g_mutex_clear", 0 },
	MUTEX_CALLS("g_rec_mutex_"),
	{ "g_rec_mutex_clear", 0 },
	{ "g_rw_lock_init", 0 },
	{ "g_rw_lock_clear", 0 },
	{ "g_rw_lock_reader_lock", 0 },
	{ "g_rw_lock_reader_trylock", 0 },
	{ "g_rw_lock_reader_unlock", 0 },
	{ "g_rw_lock_writer_lock", 0 },
	{ "g_rw_lock_writer_trylock", 0 },
	{ "g_rw_lock_writer_unlock", 0 },
	MUTEX_CALLS("uv_mutex_"),
	{ "uv_mutex_init_recursive", 0 },
	RWLOCK_CALLS("uv_rwlock_"),
};

/* Members that are called on the lock itself; those with `arguments` take a time. */
static const struct {
	const char	*name;
	bool		arguments;
} methods[] = {
	{ "lock", false },
	{ "try_lock", false },
	{ "unlock", false },
	{ "lock_shared", false },
	{ "try_lock_shared", false },
	{ "unlock_shared", false },
	{ "try_lock_for", true },
	{ "try_lock_until", true },
	{ "try_lock_shared_for", true },
	{ "try_lock_shared_until", true },
};

static const char *const guards[] = { "lock_guard", "unique_lock", "scoped_lock", "shared_lock" };

/* Words that may stand before a call; any other name there makes it a declaration. */
static bool is_statement_word(const struct lp_source *source, size_t from, size_t to)
{
	static const char *const words[] = { "return", "else", "do", "case", "co_return",
					     "co_await", "throw", "and", "or", "not" };
	size_t i;

	for (i = 0; i < lp_array_size(words); i++)
		if (is_word(source, from, to, words[i]))
			return true;
	return false;
}

static bool is_time_or_tag(const struct lp_source *source, struct span argument)
{
	static const char *const tags[] = { "adopt_lock", "defer_lock", "try_to_lock" };
	size_t at = skip_space_back(source, argument.to), start = name_start(source, at), i;

	for (i = 0; i < lp_array_size(tags); i++)
		if (is_word(source, start, at, tags[i]))
			return true;
	return false;
}

/* Split what is between brackets at top-level commas; the number of arguments, at most `max`. */
static size_t split_arguments(const struct lp_source *source, size_t open, size_t close,
			      struct span *argument, size_t max)
{
	size_t count = 0, at = open + 1, inner;

	if (skip_space(source, at) >= close)
		return 0;
	argument[0].from = at;
	for (; at < close; at++) {
		if (closer(source->code[at])) {
			inner = match(source, at);
			at = inner == NOWHERE || inner > close ? close - 1 : inner;
		} else if (source->code[at] == ',' && count + 1 < max) {
			argument[count++].to = at;
			argument[count].from = at + 1;
		}
	}
	argument[count++].to = close;
	return count;
}

static void add_call(struct calls *calls, struct call call)
{
	if (calls->count == CALLS_MAX)
		calls->overflow = true;
	else
		calls->at[calls->count++] = call;
}

/* f(&lock) */
static void add_function(const struct lp_source *source, struct calls *calls, size_t from,
			 size_t to, unsigned int number)
{
	size_t open = skip_space(source, to), before = skip_space_back(source, from), close;
	size_t previous = name_start(source, before);
	struct span argument[4];

	if (open >= source->size || source->code[open] != '(')
		return;
	if (ends_with(source, before, ".") || ends_with(source, before, "->"))
		return;
	if (previous < before && !is_statement_word(source, previous, before))
		return;
	close = match(source, open);
	if (close == NOWHERE || split_arguments(source, open, close, argument, 4) <= number)
		return;
	add_call(calls, (struct call){ { from, close + 1 }, argument[number], { 0, 0 }, true });
}

/* Words that a bracket may follow without being a call. */
static bool is_bracket_word(const struct lp_source *source, size_t from, size_t to)
{
	return is_word(source, from, to, "if") || is_word(source, from, to, "while") ||
	       is_word(source, from, to, "switch") || is_word(source, from, to, "for") ||
	       is_statement_word(source, from, to);
}

/* Where "a", "a[i]", "f(x)" or "(*p)" begins that ends at `at`; NOWHERE: it is none of these. */
static size_t operand_start(const struct lp_source *source, size_t at)
{
	size_t open, start;

	while (ends_with(source, at, ")") || ends_with(source, at, "]")) {
		open = match_back(source, at - 1);
		if (open == NOWHERE)
			return NOWHERE;
		start = skip_space_back(source, open);
		/* "(x) (*p)" is more likely `if (x) (*p)` than a call of what a call returned */
		if (!ends_with(source, start, "]") &&
		    !(ends_with(source, start, ")") && source->code[open] == '[') &&
		    (name_start(source, start) == start ||
		     is_bracket_word(source, name_start(source, start), start)))
			return open;
		at = start;
	}
	start = name_start(source, at);
	return start < at ? start : NOWHERE;
}

/* Where the expression that ends at `at` (one past it) begins: "a[i]->b", "f(x).c", "(*p)". */
static size_t object_start(const struct lp_source *source, size_t at)
{
	size_t start;

	for (;;) {
		start = operand_start(source, skip_space_back(source, at));
		if (start == NOWHERE)
			return NOWHERE;
		at = skip_space_back(source, start);
		if (ends_with(source, at, "->"))
			at -= 2;
		else if (ends_with(source, at, ".") && !ends_with(source, at, ".."))
			at -= 1;
		else if (ends_with(source, at, "::") && at > 2 &&
			 is_name_char(source->code[at - 3]))
			at -= 2;
		else
			return start;
	}
}

/* object.lock() */
static void add_method(const struct lp_source *source, struct calls *calls, size_t from,
		       size_t to, bool arguments)
{
	size_t open = skip_space(source, to), close, object, dot;
	size_t before = skip_space_back(source, from);

	if (ends_with(source, before, "->"))
		dot = before - 2;
	else if (ends_with(source, before, "."))
		dot = before - 1;
	else
		return;
	if (open >= source->size || source->code[open] != '(')
		return;
	close = match(source, open);
	object = object_start(source, dot);
	if (close == NOWHERE || object == NOWHERE)
		return;
	if (!arguments && skip_space(source, open + 1) != close)
		return;
	add_call(calls, (struct call){ { object, close + 1 }, { object, dot }, { 0, 0 }, false });
}

/* The last word of an expression: "lock" of "a->lock". */
static struct span last_word(const struct lp_source *source, struct span argument)
{
	size_t to = skip_space_back(source, argument.to);
	size_t from = name_start(source, to);

	return (struct span){ from < argument.from ? argument.from : from, to };
}

/*
 * The lock among the arguments of a guard or std::lock. Several locks go by the name of the first
 * when they are the same field of several objects: that is one class. Otherwise nobody can tell
 * which of them it was.
 */
static struct span pick_lock(const struct lp_source *source, const struct span *argument,
			     size_t count, bool single)
{
	struct span lock = { 0, 0 }, word, other;
	size_t i;

	for (i = 0; i < count; i++) {
		if (is_time_or_tag(source, argument[i]))
			continue;
		if (lock.to == 0) {
			lock = argument[i];
			if (single)
				break;
			continue;
		}
		word = last_word(source, lock);
		other = last_word(source, argument[i]);
		if (word.to == word.from || word.to - word.from != other.to - other.from ||
		    memcmp(source->code + word.from, source->code + other.from,
			   word.to - word.from) != 0)
			return (struct span){ 0, 0 };
	}
	return lock;
}

/* Where "std::name" starts when `from` is at "name". */
static size_t with_namespace(const struct lp_source *source, size_t from)
{
	size_t before = skip_space_back(source, from);

	if (!ends_with(source, before, "::"))
		return from;
	before = skip_space_back(source, before - 2);
	return name_start(source, before) < before ? name_start(source, before) : before;
}

/* The name before "= guard(m)", empty if there is none. */
static struct span assigned_name(const struct lp_source *source, size_t at)
{
	at = skip_space_back(source, at);
	if (!ends_with(source, at, "="))
		return (struct span){ at, at };
	at = skip_space_back(source, at - 1);
	return (struct span){ name_start(source, at), at };
}

/* lock_guard<T> g(m); unique_lock l{m, ...}; scoped_lock(a, b) */
static void add_guard(const struct lp_source *source, struct calls *calls, size_t from, size_t to)
{
	struct call call = { { with_namespace(source, from), 0 }, { 0, 0 }, { 0, 0 }, true };
	bool single = !is_word(source, from, to, "scoped_lock");
	size_t at = skip_space(source, to), close, count;
	struct span argument[8];

	if (at < source->size && source->code[at] == '<') {
		at = skip_template(source, at);
		if (at == NOWHERE)
			return;
		at = skip_space(source, at);
	}
	call.variable = (struct span){ at, name_end(source, at) };
	at = skip_space(source, call.variable.to);
	if (at >= source->size)
		return;
	if (call.variable.from == call.variable.to)
		call.variable = assigned_name(source, call.whole.from);
	call.whole.to = at;
	if (source->code[at] == '(' || source->code[at] == '{') {
		close = match(source, at);
		if (close == NOWHERE)
			return;
		count = split_arguments(source, at, close, argument, 8);
		call.name = pick_lock(source, argument, count, single);
		call.whole.to = close + 1;
	} else if (source->code[at] != ';' || call.variable.from == call.variable.to) {
		return;
	}
	add_call(calls, call);
}

/* std::lock(a, b) */
static void add_std_lock(const struct lp_source *source, struct calls *calls, size_t from,
			 size_t to)
{
	size_t start = with_namespace(source, from), open = skip_space(source, to), close, count;
	struct span argument[8];

	if (!is_word(source, start, name_end(source, start), "std") || open >= source->size ||
	    source->code[open] != '(')
		return;
	close = match(source, open);
	if (close == NOWHERE)
		return;
	count = split_arguments(source, open, close, argument, 8);
	add_call(calls, (struct call){ { start, close + 1 },
				       pick_lock(source, argument, count, false),
				       { 0, 0 },
				       false });
}

static void add_calls_at(const struct lp_source *source, struct calls *calls, size_t from,
			 size_t to)
{
	size_t i;

	for (i = 0; i < lp_array_size(functions); i++)
		if (is_word(source, from, to, functions[i].name))
			add_function(source, calls, from, to, functions[i].argument);
	for (i = 0; i < lp_array_size(methods); i++)
		if (is_word(source, from, to, methods[i].name))
			add_method(source, calls, from, to, methods[i].arguments);
	for (i = 0; i < lp_array_size(guards); i++)
		if (is_word(source, from, to, guards[i]))
			add_guard(source, calls, from, to);
	if ((is_word(source, from, to, "lock") || is_word(source, from, to, "try_lock")) &&
	    with_namespace(source, from) != from)
		add_std_lock(source, calls, from, to);
}

static void find_calls(const struct lp_source *source, struct calls *calls, size_t from, size_t to)
{
	size_t end;

	calls->count = 0;
	calls->overflow = false;
	for (; from < to && !calls->overflow; from = end) {
		if (!is_name_char(source->code[from])) {
			end = from + 1;
			continue;
		}
		end = name_end(source, from);
		if (!is_digit(source->code[from]))
			add_calls_at(source, calls, from, end);
	}
}

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
	       !is_bracket_word(source, at, end);
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
		find_calls(source, calls, from, at);
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
	find_calls(source, &calls, window.from, window.to);
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

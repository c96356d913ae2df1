/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_calls.c — the calls in a piece of source that take or make a lock. See source.h.
 *
 * Three kinds: functions that get the lock as an argument, members called on the lock itself, and
 * guards that are declared with it. Each is a table.
 */
#include "base/compiler.h"
#include "symbolize/source_private.h"

#define NOWHERE		SIZE_MAX

/* ---- brackets ---- */

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

bool lp_source_is_bracket_word(const struct lp_source *source, size_t from, size_t to)
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
		     lp_source_is_bracket_word(source, name_start(source, start), start)))
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

void lp_source_find_calls(const struct lp_source *source, struct calls *calls, size_t from,
			  size_t to)
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

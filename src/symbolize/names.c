/* SPDX-License-Identifier: Apache-2.0 */
/* names.c — see names.h. */
#include "symbolize/names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/compiler.h"

/* The C++ runtime's own demangler: part of its ABI, always there, bounded in its recursion. */
extern char *__cxa_demangle(const char *mangled, char *buffer, size_t *size, int *status);

/* What compilers add to the name of a function that they cloned or split. */
static const char *const clone_marks[] = { ".isra.", ".constprop.", ".part.", ".cold", ".lto_priv.",
					   ".llvm." };

/* How much of a symbol is the name that the program gave it. */
static size_t plain_size(const char *symbol)
{
	size_t size = strcspn(symbol, "@"), i;
	const char *mark;

	if (strncmp(symbol, "_Z", 2) == 0)
		return strcspn(symbol, "@.");	/* mangled names have no dot */
	for (i = 0; i < lp_array_size(clone_marks); i++) {
		mark = strstr(symbol, clone_marks[i]);
		if (mark && mark > symbol && (size_t)(mark - symbol) < size)
			size = (size_t)(mark - symbol);
	}
	return size;
}

const char *lp_name_demangle(struct lp_strings *strings, const char *symbol)
{
	char *plain = strndup(symbol, plain_size(symbol));
	char *demangled = NULL;
	const char *name;
	int status;

	if (!plain)
		return NULL;
	if (strncmp(plain, "_Z", 2) == 0)
		demangled = __cxa_demangle(plain, NULL, NULL, &status);
	name = lp_strings_intern(strings, demangled ? demangled : plain);
	free(demangled);
	free(plain);
	return name;
}

static void drop_all(char *text, const char *word)
{
	size_t size = strlen(word);
	char *at = text;

	while ((at = strstr(at, word)))
		memmove(at, at + size, strlen(at + size) + 1);
}

/* "lock.0" -> "lock": compilers number the statics of functions. */
static void drop_number(char *text)
{
	char *dot = strrchr(text, '.');

	if (dot && dot != text && dot[1] && dot[1 + strspn(dot + 1, "0123456789")] == '\0')
		*dot = '\0';
}

const char *lp_name_data(struct lp_strings *strings, const char *symbol)
{
	const char *full = lp_name_demangle(strings, symbol);
	const char *name;
	char *text;

	if (!full)
		return NULL;
	text = strdup(full);
	if (!text)
		return NULL;
	drop_all(text, "(anonymous namespace)::");
	drop_number(text);
	name = *text ? lp_strings_intern(strings, text) : full;
	free(text);
	return name;
}

/* Remove the last component of out[root..size), if there is one that is not "..". */
static bool drop_component(const char *out, size_t root, size_t *size)
{
	size_t start = *size;

	while (start > root && out[start - 1] != '/')
		start--;
	if (start == *size || (*size - start == 2 && memcmp(out + start, "..", 2) == 0))
		return false;
	*size = start > root ? start - 1 : root;
	return true;
}

/* Write the shortest spelling of `path` to out[strlen(path) + 1]; true: a ".." was resolved. */
static bool tidy(const char *path, char *out)
{
	size_t root = path[0] == '/', size = root;
	bool resolved = false;

	if (root)
		out[0] = '/';
	while (*path) {
		size_t part = strcspn(path, "/");

		if (part == 2 && memcmp(path, "..", 2) == 0 && drop_component(out, root, &size)) {
			resolved = true;
		} else if (part && !(part == 1 && path[0] == '.')) {
			if (size > root)
				out[size++] = '/';
			memcpy(out + size, path, part);
			size += part;
		}
		path += part + strspn(path + part, "/");
	}
	out[size] = '\0';
	return resolved;
}

/* True when the tidy spelling is known to be a different file. */
static bool differs(const char *path, const char *tidied)
{
	struct stat a, b;

	if (stat(path, &a) < 0)
		return false;
	return stat(tidied, &b) < 0 || a.st_dev != b.st_dev || a.st_ino != b.st_ino;
}

const char *lp_name_path(struct lp_strings *strings, const char *path)
{
	char *tidied = malloc(strlen(path) + 1);
	const char *name;
	bool resolved;

	if (!tidied)
		return NULL;
	resolved = tidy(path, tidied);
	/* a relative path is not ours to look up: it is relative to where the build was */
	name = lp_strings_intern(strings, resolved && path[0] == '/' && differs(path, tidied)
						  ? path
						  : tidied);
	free(tidied);
	return name;
}

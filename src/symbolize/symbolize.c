/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symbolize.c — modules, answers that were given before, and source files. See symbolize.h.
 *
 * object.c knows ELF files, debug.c and variable.c their debug info, source.c the text of a line.
 * Files are opened when first asked about; every answer is kept, so asking again costs a look-up.
 */
#include "symbolize/symbolize.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "symbolize/debug.h"
#include "symbolize/names.h"
#include "symbolize/object.h"
#include "symbolize/source.h"
#include "symbolize/strings.h"

#define SOURCE_SIZE_MAX	(16u << 20)	/* a larger file was not written by a person */
#define SOURCES_MAX	64u		/* files kept ready; then all are dropped */
#define SOURCES_SIZE_MAX (32u << 20)	/* and this much text of them */

struct module {
	const char	*path;
	uint8_t		*build_id;
	size_t		build_id_size;
	uint64_t	hash;
	bool		tried;		/* `object` was opened, or could not be */
	bool		usable;
	bool		debug_tried;
	struct lp_object object;
	struct lp_debug	*debug;		/* NULL: none */
	uint64_t	debug_shift;	/* DWARF address - ELF address */
};

enum question { ASK_NOTHING, ASK_ADDRESS, ASK_RETURN_ADDRESS, ASK_DATA };

struct answer {
	uint64_t	offset;
	int		module;
	enum question	question;	/* ASK_NOTHING: free */
	size_t		count;
	const void	*value;		/* struct lp_symbol[count], or a string or NULL */
};

struct source_file {
	const char	*path;
	struct timespec	modified;
	bool		usable;
	struct lp_source source;
};

struct lp_symbolizer {
	struct lp_strings strings;
	struct module	**modules;
	size_t		module_count, module_capacity;
	struct answer	*answers;	/* hash table */
	size_t		answers_size, answer_count;	/* size: a power of two, or 0 */
	struct source_file sources[SOURCES_MAX];
	size_t		source_count, sources_size;
};

static const struct lp_symbol unknown = { .module = -1 };

struct lp_symbolizer *lp_symbolizer_create(void)
{
	return calloc(1, sizeof(struct lp_symbolizer));
}

static void close_module(struct module *module)
{
	lp_debug_destroy(module->debug);
	if (module->usable)
		lp_object_close(&module->object);
	free(module->build_id);
	free(module);
}

static void drop_sources(struct lp_symbolizer *symbolizer)
{
	size_t i;

	for (i = 0; i < symbolizer->source_count; i++)
		lp_source_finish(&symbolizer->sources[i].source);
	symbolizer->source_count = 0;
	symbolizer->sources_size = 0;
}

void lp_symbolizer_destroy(struct lp_symbolizer *symbolizer)
{
	size_t i;

	if (!symbolizer)
		return;
	for (i = 0; i < symbolizer->module_count; i++)
		close_module(symbolizer->modules[i]);
	drop_sources(symbolizer);
	free(symbolizer->modules);
	free(symbolizer->answers);
	lp_strings_finish(&symbolizer->strings);
	free(symbolizer);
}

/* ---- modules ---- */

static struct module *new_module(struct lp_symbolizer *symbolizer, const char *path,
				 const uint8_t *build_id, size_t build_id_size)
{
	struct module *module = calloc(1, sizeof(*module));

	if (!module)
		return NULL;
	module->path = lp_strings_intern(&symbolizer->strings, path);
	module->build_id = malloc(build_id_size + 1);
	if (!module->path || !module->build_id) {
		close_module(module);
		return NULL;
	}
	if (build_id_size)
		memcpy(module->build_id, build_id, build_id_size);
	module->build_id_size = build_id_size;
	return module;
}

static int find_module(const struct lp_symbolizer *symbolizer, uint64_t hash, const char *path,
		       const uint8_t *build_id, size_t build_id_size)
{
	size_t i;

	for (i = 0; i < symbolizer->module_count; i++) {
		const struct module *module = symbolizer->modules[i];

		if (module->hash == hash && module->build_id_size == build_id_size &&
		    strcmp(module->path, path) == 0 &&
		    (!build_id_size || memcmp(module->build_id, build_id, build_id_size) == 0))
			return (int)i;
	}
	return -1;
}

static int reserve_module(struct lp_symbolizer *symbolizer)
{
	size_t capacity = symbolizer->module_capacity ? symbolizer->module_capacity * 2 : 16;
	struct module **modules;

	if (symbolizer->module_count < symbolizer->module_capacity)
		return 0;
	if (symbolizer->module_count >= INT32_MAX)
		return -ENOMEM;
	modules = reallocarray(symbolizer->modules, capacity, sizeof(struct module *));
	if (!modules)
		return -ENOMEM;
	symbolizer->modules = modules;
	symbolizer->module_capacity = capacity;
	return 0;
}

int lp_symbolizer_module(struct lp_symbolizer *symbolizer, const char *path,
			 const uint8_t *build_id, size_t build_id_size)
{
	uint64_t hash = lp_hash_bytes(lp_hash_bytes(0, build_id_size ? build_id : (void *)"",
						    build_id_size),
				      path, strlen(path));
	int found = find_module(symbolizer, hash, path, build_id, build_id_size);
	struct module *module;

	if (found >= 0)
		return found;
	if (reserve_module(symbolizer) < 0)
		return -ENOMEM;
	module = new_module(symbolizer, path, build_id, build_id_size);
	if (!module)
		return -ENOMEM;
	module->hash = hash;
	symbolizer->modules[symbolizer->module_count] = module;
	return (int)symbolizer->module_count++;
}

/* The module with its file open, or NULL when there is no such file. */
static struct module *open_module(struct lp_symbolizer *symbolizer, int number)
{
	struct module *module;

	if (number < 0 || (size_t)number >= symbolizer->module_count)
		return NULL;
	module = symbolizer->modules[number];
	if (!module->tried) {
		module->tried = true;
		module->usable = lp_object_open(&module->object, module->path, module->build_id,
						module->build_id_size) == 0;
	}
	return module->usable ? module : NULL;
}

static struct lp_debug *module_debug(struct lp_symbolizer *symbolizer, struct module *module)
{
	Dwarf *dwarf;

	if (!module->debug_tried) {
		module->debug_tried = true;
		dwarf = lp_object_dwarf(&module->object, &module->debug_shift);
		if (dwarf)
			module->debug = lp_debug_create(dwarf, &symbolizer->strings);
	}
	return module->debug;
}

/* ---- answers ---- */

static struct answer *find_answer(struct answer *answers, size_t size, int module,
				  uint64_t offset, enum question question)
{
	uint64_t hash = lp_hash_add(lp_hash_add((uint64_t)module, offset), question);
	size_t i = hash & (size - 1);

	while (answers[i].question != ASK_NOTHING &&
	       (answers[i].module != module || answers[i].offset != offset ||
		answers[i].question != question))
		i = (i + 1) & (size - 1);
	return &answers[i];
}

static int grow_answers(struct lp_symbolizer *symbolizer)
{
	size_t size = symbolizer->answers_size ? symbolizer->answers_size * 2 : 1024, i;
	struct answer *answers, *old;

	if (symbolizer->answer_count < symbolizer->answers_size / 2)
		return 0;
	answers = calloc(size, sizeof(*answers));
	if (!answers)
		return -ENOMEM;
	for (i = 0; i < symbolizer->answers_size; i++) {
		old = &symbolizer->answers[i];
		if (old->question != ASK_NOTHING)
			*find_answer(answers, size, old->module, old->offset, old->question) =
				*old;
	}
	free(symbolizer->answers);
	symbolizer->answers = answers;
	symbolizer->answers_size = size;
	return 0;
}

/* The answer given before, or a free place for it (question ASK_NOTHING). NULL: no memory. */
static struct answer *recall(struct lp_symbolizer *symbolizer, int module, uint64_t offset,
			     enum question question)
{
	if (grow_answers(symbolizer) < 0)
		return NULL;
	return find_answer(symbolizer->answers, symbolizer->answers_size, module, offset, question);
}

static void keep(struct lp_symbolizer *symbolizer, struct answer *place, struct answer answer)
{
	*place = answer;
	symbolizer->answer_count++;
}

/* ---- code ---- */

/*
 * True if the symbol of a function says more than its debug info: C++ functions without external
 * linkage have no mangled name there, and libc's own names ("___pthread_mutex_lock") should give
 * way to the alias that programs call.
 */
static bool is_better_name(const char *symbol, const char *declared)
{
	if (strncmp(symbol, "_Z", 2) == 0)
		return true;
	return strspn(symbol, "_") < strspn(declared, "_");
}

/* What the symbol table says about the function around `address`, where debug info does not. */
static void add_symbol(struct lp_symbolizer *symbolizer, struct module *module, uint64_t address,
		       uint64_t offset, const struct lp_debug_frames *frames,
		       struct lp_symbol *outer)
{
	struct lp_object_symbol symbol;
	bool named = outer->function != NULL;

	if (named && (frames->mangled || frames->cold))
		return;
	if (!lp_object_find(&module->object, LP_OBJECT_CODE, address, &symbol))
		return;
	if (named && (symbol.low != offset - outer->function_offset ||
		      !is_better_name(symbol.name, outer->function)))
		return;
	outer->function = lp_name_demangle(&symbolizer->strings, symbol.name);
	if (!named) {
		outer->function_offset = offset - symbol.low;
		outer->function_size = symbol.high - symbol.low;
	}
}

/*
 * Handlers return to code of libc that ends them: a call of rt_sigreturn, which has no symbol in a
 * library without its debug file. The byte before it belongs to something else.
 */
static bool is_trampoline(struct module *module, uint64_t offset)
{
	static const unsigned char code[] = {
		0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00,	/* mov $15, %rax */
		0x0f, 0x05,					/* syscall */
	};

	return lp_object_code_is(&module->object, offset, code, sizeof(code));
}

/* As debuggers call it. */
static struct lp_symbol *make_trampoline(struct lp_symbolizer *symbolizer, int number)
{
	struct lp_symbol *symbol = lp_strings_alloc(&symbolizer->strings, sizeof(*symbol));

	if (symbol)
		*symbol = (struct lp_symbol){
			.function = "<signal handler called>", .module = number,
			.trampoline = true,
		};
	return symbol;
}

static struct lp_symbol *look_up_code(struct lp_symbolizer *symbolizer, int number,
				      struct module *module, uint64_t offset, uint64_t address,
				      size_t *count)
{
	struct lp_debug *debug = module_debug(symbolizer, module);
	struct lp_debug_frames frames = { .count = 0 };
	struct lp_symbol *symbols, *outer;
	size_t i;

	if (debug)
		lp_debug_code(debug, address + module->debug_shift, &frames);
	*count = frames.count ? frames.count : 1;
	symbols = lp_strings_alloc(&symbolizer->strings, *count * sizeof(*symbols));
	if (!symbols)
		return NULL;
	outer = &symbols[*count - 1];
	*outer = unknown;
	for (i = 0; i < frames.count; i++)
		symbols[i] = (struct lp_symbol){
			.function = frames.at[i].function,
			.file = frames.at[i].file,
			.line = frames.at[i].line,
			.column = frames.at[i].column,
			.inlined = i + 1 < frames.count,
		};
	if (frames.high > frames.low) {
		outer->function_offset = offset - (frames.low - module->debug_shift);
		outer->function_size = frames.high - frames.low;
	}
	add_symbol(symbolizer, module, address, offset, &frames, outer);
	for (i = 0; i < *count; i++) {
		symbols[i].module = number;
		symbols[i].function_offset = outer->function_offset;
		symbols[i].function_size = outer->function_size;
	}
	return symbols;
}

struct lp_symbols lp_symbolize(struct lp_symbolizer *symbolizer, int module, uint64_t offset,
			       bool return_address)
{
	enum question question = return_address ? ASK_RETURN_ADDRESS : ASK_ADDRESS;
	struct module *opened = open_module(symbolizer, module);
	struct lp_symbols symbols = { &unknown, 1 };
	struct answer *answer;

	if (!opened)
		return symbols;
	answer = recall(symbolizer, module, offset, question);
	if (!answer)
		return symbols;
	if (answer->question == ASK_NOTHING) {
		size_t count = 1;
		struct lp_symbol *at;

		if (return_address && is_trampoline(opened, offset))
			at = make_trampoline(symbolizer, module);
		else
			at = look_up_code(symbolizer, module, opened, offset,
					  offset - (return_address && offset), &count);
		if (!at)
			return symbols;
		keep(symbolizer, answer,
		     (struct answer){ offset, module, question, count, at });
	}
	return (struct lp_symbols){ answer->value, answer->count };
}

/* ---- data ---- */

static const char *join_name(struct lp_strings *strings, const char *name, const char *part,
			     uint64_t offset)
{
	const char *joined;
	char *text;
	int size;

	if (part)
		size = asprintf(&text, "%s%s", name, part);
	else if (offset)
		size = asprintf(&text, "%s+0x%" PRIx64, name, offset);
	else
		return name;
	if (size < 0)
		return NULL;
	joined = lp_strings_intern(strings, text);
	free(text);
	return joined;
}

/* C++ symbols carry the scopes that a variable's DIE does not have at hand. */
static const char *data_base_name(struct lp_strings *strings,
				  const struct lp_object_symbol *symbol, const char *declared)
{
	if (symbol && (!declared || strncmp(symbol->name, "_Z", 2) == 0))
		return lp_name_data(strings, symbol->name);
	return declared ? lp_name_data(strings, declared) : NULL;
}

/* "lock.0" (GCC), "f.lock" (clang), "_ZZ1fvE4lock": compilers' names for statics of functions. */
static bool is_local_name(const char *name)
{
	return strchr(name, '.') || strncmp(name, "_ZZ", 3) == 0;
}

static const char *look_up_data(struct lp_symbolizer *symbolizer, struct module *module,
				uint64_t offset)
{
	struct lp_debug *debug = module_debug(symbolizer, module);
	struct lp_debug_variable variable = { .name = NULL };
	struct lp_object_symbol symbol;
	const char *base;
	bool found;

	found = lp_object_find(&module->object, LP_OBJECT_DATA, offset, &symbol);
	if (debug && !lp_debug_data(debug, offset + module->debug_shift,
				    found ? symbol.low + module->debug_shift : 0,
				    !found || is_local_name(symbol.name), &variable))
		variable.name = NULL;
	if (!found && !variable.name)
		return NULL;
	base = data_base_name(&symbolizer->strings, found ? &symbol : NULL, variable.name);
	if (!base)
		return NULL;
	return join_name(&symbolizer->strings, base, variable.name ? variable.part : NULL,
			 variable.name ? offset + module->debug_shift - variable.low
				       : offset - symbol.low);
}

const char *lp_symbolize_data(struct lp_symbolizer *symbolizer, int module, uint64_t offset)
{
	struct module *opened = open_module(symbolizer, module);
	struct answer *answer;

	if (!opened)
		return NULL;
	answer = recall(symbolizer, module, offset, ASK_DATA);
	if (!answer)
		return NULL;
	if (answer->question == ASK_NOTHING)
		keep(symbolizer, answer,
		     (struct answer){ offset, module, ASK_DATA, 1,
				      look_up_data(symbolizer, opened, offset) });
	return answer->value;
}

/* ---- source ---- */

/* The text of a regular file of reasonable size, or NULL. */
static char *read_text(const char *path, struct timespec *modified, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *text = NULL;
	struct stat st;
	ssize_t got;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= SOURCE_SIZE_MAX)
		text = malloc((size_t)st.st_size + 1);
	for (*size = 0; text && *size < (size_t)st.st_size; *size += (size_t)got) {
		got = read(fd, text + *size, (size_t)st.st_size - *size);
		if (got == 0)
			break;
		if (got < 0 && errno == EINTR)
			got = 0;
		if (got < 0) {
			free(text);
			text = NULL;
			break;
		}
	}
	close(fd);
	if (text)
		*modified = st.st_mtim;
	return text;
}

static const struct source_file *open_source(struct lp_symbolizer *symbolizer, const char *path)
{
	struct source_file *file;
	size_t i, size;
	char *text;

	for (i = 0; i < symbolizer->source_count; i++)
		if (strcmp(symbolizer->sources[i].path, path) == 0)
			return &symbolizer->sources[i];
	if (symbolizer->source_count == SOURCES_MAX ||
	    symbolizer->sources_size > SOURCES_SIZE_MAX)
		drop_sources(symbolizer);
	file = &symbolizer->sources[symbolizer->source_count];
	memset(file, 0, sizeof(*file));
	file->path = lp_strings_intern(&symbolizer->strings, path);
	if (!file->path)
		return NULL;
	text = read_text(path, &file->modified, &size);
	file->usable = text && lp_source_init(&file->source, text, size) == 0;
	if (file->usable)
		symbolizer->sources_size += size;
	symbolizer->source_count++;
	return file;
}

static bool is_later(struct timespec a, struct timespec b)
{
	return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

const char *lp_symbolize_lock_argument(struct lp_symbolizer *symbolizer,
				       const struct lp_symbol *symbol)
{
	struct module *module = open_module(symbolizer, symbol->module);
	const struct source_file *file;
	char name[LP_SOURCE_NAME_MAX + 1];

	/* a relative path is relative to where the build was, and nobody says where that is */
	if (!symbol->file || symbol->file[0] != '/' || !symbol->line)
		return NULL;
	/* the C++ library's own lock() bodies know no user's lock */
	if (strstr(symbol->file, "/include/c++/"))
		return NULL;
	file = open_source(symbolizer, symbol->file);
	if (!file || !file->usable)
		return NULL;
	if (module && is_later(file->modified, module->object.modified))
		return NULL;
	if (!lp_source_lock_name(&file->source, symbol->line, symbol->column, name))
		return NULL;
	return lp_strings_intern(&symbolizer->strings, name);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* naming.c — what a describer calls things: frames, places, lock classes. */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "cli/describe.h"
#include "cli/naming.h"
#include "cli/wrapper.h"

#define ANSWERS_MIN 256u

static const struct lp_symbol unknown_symbol = { .module = -1 };
static const struct lp_symbols unknown_symbols = { &unknown_symbol, 1 };
static const struct lp_naming_module unknown_module = { .handle = -1 };

static const char *hex_text(struct lp_pool *pool, const uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	char *text = size ? lp_pool_array(pool, size * 2 + 1, 1) : NULL;

	for (size_t i = 0; text && i < size; i++) {
		text[i * 2] = digits[bytes[i] >> 4];
		text[i * 2 + 1] = digits[bytes[i] & 15];
	}
	return text;
}

/* Room for all modules of the model so far. */
static bool module_room(struct lp_describer *describer)
{
	uint32_t count = describer->model->modules.count;
	struct lp_naming_module *modules;

	if (count <= describer->module_room)
		return true;
	modules = realloc(describer->modules, count * sizeof(*modules));
	if (!modules)
		return false;
	memset(modules + describer->module_room, 0,
	       (count - describer->module_room) * sizeof(*modules));
	describer->modules = modules;
	describer->module_room = count;
	return true;
}

static const struct lp_naming_module *module_at(struct lp_describer *describer, uint32_t index)
{
	const struct lp_model_module *it = &describer->model->modules.at[index];
	struct lp_naming_module *module;

	if (!index || !it->path || !*it->path || !module_room(describer))
		return &unknown_module;
	module = &describer->modules[index];
	if (module->known)
		return module;
	module->path = lp_pool_copy(&describer->pool, it->path);
	module->build_id = hex_text(&describer->pool, it->build_id, it->build_id_size);
	module->handle = describer->symbolizer ?
		lp_symbolizer_module(describer->symbolizer, it->path, it->build_id,
				     it->build_id_size) : -1;
	module->known = !describer->pool.failed;
	return module;
}

/* What the hook knows about a frame, as if from a symbolizer. */
static bool ask_hook(struct lp_describer *describer, struct lp_model_frame frame,
		     struct lp_symbols *symbols)
{
	struct lp_report_frame known = { 0 };
	struct lp_symbol *symbol;

	if (!describer->frames ||
	    !describer->frames(describer->frames_context, describer->model, frame, &known))
		return false;
	symbol = lp_pool_array(&describer->pool, 1, sizeof(*symbol));
	if (!symbol)
		return false;
	*symbol = (struct lp_symbol){
		.function = known.function, .file = known.file, .line = known.line,
		.function_offset = known.function_offset, .function_size = known.function_size,
		.module = -1,
	};
	*symbols = (struct lp_symbols){ symbol, 1 };
	return true;
}

struct lp_symbols lp_naming_symbols(struct lp_describer *describer, struct lp_model_frame frame,
				    bool return_address)
{
	int handle = module_at(describer, frame.module)->handle;
	struct lp_symbols symbols;

	if (ask_hook(describer, frame, &symbols))
		return symbols;
	if (handle < 0)
		return unknown_symbols;
	return lp_symbolize(describer->symbolizer, handle, frame.offset, return_address);
}

static bool symbol_is_wrapper(const struct lp_symbol *symbol)
{
	return symbol->function && lp_wrapper_function(symbol->function);
}

static bool look_up_wrapper(struct lp_describer *describer, struct lp_model_frame frame)
{
	struct lp_symbols symbols = lp_naming_symbols(describer, frame, true);

	for (size_t i = 0; i < symbols.count; i++) {
		if (!symbol_is_wrapper(&symbols.at[i]))
			return false;
	}
	return true;
}

static struct lp_naming_answer *answer_at(const struct lp_describer *describer, uint64_t frame)
{
	uint32_t mask = describer->answer_room - 1, i = (uint32_t)lp_hash64(frame) & mask;

	while (describer->answers[i].frame && describer->answers[i].frame != frame)
		i = (i + 1) & mask;
	return &describer->answers[i];
}

/* Room for one more answer, with at least half of the table free. */
static bool answer_room(struct lp_describer *describer)
{
	struct lp_naming_answer *old = describer->answers;
	uint32_t old_room = describer->answer_room;

	if (describer->answer_count < old_room / 2)
		return true;
	if (old_room > UINT32_MAX / 4)
		return false;
	describer->answers = calloc(old_room ? old_room * 2 : ANSWERS_MIN, sizeof(*old));
	if (!describer->answers) {
		describer->answers = old;
		return false;
	}
	describer->answer_room = old_room ? old_room * 2 : ANSWERS_MIN;
	for (uint32_t i = 0; i < old_room; i++) {
		if (old[i].frame)
			*answer_at(describer, old[i].frame) = old[i];
	}
	free(old);
	return true;
}

bool lp_describer_is_wrapper(void *context, const struct lp_model *model,
			     struct lp_model_frame frame)
{
	struct lp_describer *describer = context;
	uint64_t key = (uint64_t)frame.module << 32 | frame.offset;
	struct lp_naming_answer *answer;

	if (!frame.module || model != describer->model)
		return false;
	if (!answer_room(describer))
		return look_up_wrapper(describer, frame);
	answer = answer_at(describer, key);
	if (!answer->frame) {
		*answer = (struct lp_naming_answer){ key, look_up_wrapper(describer, frame) };
		describer->answer_count++;
	}
	return answer->wrapper;
}

/* Symbols of a stack's frame: a return address, or where a signal struck. */
static struct lp_symbols symbols_in(struct lp_describer *describer,
				    const struct lp_model_stack *stack, uint32_t index)
{
	bool returns = !index ||
		!lp_naming_symbols(describer, stack->frame[index - 1], true).at->trampoline;

	return lp_naming_symbols(describer, stack->frame[index], returns);
}

struct lp_naming_place lp_naming_place(struct lp_describer *describer, uint32_t stack)
{
	const struct lp_model *model = describer->model;
	const struct lp_model_stack *it = &model->stacks.at[stack];
	struct lp_naming_place place = { .symbols = unknown_symbols, .symbol = &unknown_symbol };
	uint32_t i = 0;

	if (!stack || !it->count)
		return place;
	/* As lp_model_place() does, but counting what stands before it. */
	while (i + 1 < it->count && lp_describer_is_wrapper(describer, model, it->frame[i]))
		place.index += symbols_in(describer, it, i++).count;
	place.frame = it->frame[i];
	place.symbols = symbols_in(describer, it, i);
	place.symbol = place.symbols.at;
	while (place.symbol + 1 < place.symbols.at + place.symbols.count &&
	       symbol_is_wrapper(place.symbol))
		place.symbol++;
	place.index += (size_t)(place.symbol - place.symbols.at);
	return place;
}

static struct lp_report_frame describe_frame(const struct lp_naming_module *module,
					     struct lp_model_frame frame,
					     const struct lp_symbol *symbol)
{
	return (struct lp_report_frame){
		.function = symbol->function, .file = symbol->file, .line = symbol->line,
		.inlined = symbol->inlined, .trampoline = symbol->trampoline,
		.module = module->path,
		.build_id = module->build_id, .offset = frame.offset,
		.function_offset = symbol->function_offset,
		.function_size = symbol->function_size,
	};
}

const struct lp_report_frame *lp_naming_frames(struct lp_describer *describer, uint32_t stack,
					       size_t *count)
{
	const struct lp_model_stack *it = &describer->model->stacks.at[stack];
	struct lp_report_frame *frames, *next;

	*count = 0;
	for (uint32_t i = 0; stack && i < it->count; i++)
		*count += symbols_in(describer, it, i).count;
	frames = next = lp_pool_array(&describer->pool, *count, sizeof(*frames));
	for (uint32_t i = 0; frames && *count && i < it->count; i++) {
		struct lp_symbols symbols = symbols_in(describer, it, i);
		const struct lp_naming_module *module = module_at(describer, it->frame[i].module);

		for (size_t j = 0; j < symbols.count; j++)
			*next++ = describe_frame(module, it->frame[i], &symbols.at[j]);
	}
	return frames;
}

const struct lp_report_frame *lp_naming_code(struct lp_describer *describer,
					     struct lp_model_frame code, size_t *count)
{
	struct lp_symbols symbols = lp_naming_symbols(describer, code, true);
	const struct lp_naming_module *module = module_at(describer, code.module);
	struct lp_report_frame *frames;

	*count = 0;
	frames = code.module ? lp_pool_array(&describer->pool, symbols.count, sizeof(*frames)) :
			       NULL;
	for (; frames && *count < symbols.count; ++*count)
		frames[*count] = describe_frame(module, code, &symbols.at[*count]);
	return frames;
}

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash && slash[1] ? slash + 1 : path ? path : "unknown";
}

static const char *module_offset(struct lp_describer *describer, struct lp_model_frame frame)
{
	return lp_pool_printf(&describer->pool, "%s+0x%" PRIx32,
			       base_name(module_at(describer, frame.module)->path), frame.offset);
}

const char *lp_naming_spot(struct lp_describer *describer, const struct lp_symbol *symbol,
			   struct lp_model_frame frame)
{
	if (!symbol->function)
		return module_offset(describer, frame);
	if (!symbol->file)
		return symbol->function;
	return lp_pool_printf(&describer->pool, "%s %s:%" PRIu32, symbol->function,
			       base_name(symbol->file), symbol->line);
}

const char *lp_naming_argument(struct lp_describer *describer, const struct lp_naming_place *place)
{
	if (!describer->symbolizer || place->symbol->module < 0 || !place->symbol->file ||
	    !place->symbol->line)
		return NULL;
	return lp_symbolize_lock_argument(describer->symbolizer, place->symbol);
}

static const char *data_name(struct lp_describer *describer, struct lp_model_frame object)
{
	int handle = module_at(describer, object.module)->handle;

	return handle < 0 ? NULL : lp_symbolize_data(describer->symbolizer, handle, object.offset);
}

/* "&table.lock", "m_": says which object, where "m" or "&q->lock" say what somebody called it. */
static bool names_object(const char *argument)
{
	return argument[0] == '&' && !strstr(argument, "->") && !strchr(argument, '*');
}

/*
 * An object in the program's data has a name of its own, which is better than that of the
 * parameter it was passed in; but "&table.lock" in an init call is as good, and is what people
 * know from the kernel's reports.
 */
static const char *source_name(struct lp_describer *describer, const struct lp_model_fine *fine,
			       const struct lp_naming_place *place)
{
	const char *argument = NULL, *data = NULL;

	if (fine->origin != LP_ORIGIN_STATIC)
		argument = lp_naming_argument(describer, place);
	if (argument && names_object(argument))
		return argument;
	if (fine->object.module)
		data = data_name(describer, fine->object);
	return data ? data : argument;
}

/* Bytes of a function's name without its parameters; with them when there may be others in it. */
static int short_length(const char *function)
{
	size_t length = strcspn(function, "<(");

	if (!length || function[length] != '(')
		length = strlen(function);
	return length < INT_MAX ? (int)length : INT_MAX;
}

/* "&i_mutex/1": the name of the class itself, and which subclass. */
static const char *subclass_name(struct lp_describer *describer, const struct lp_model_fine *fine)
{
	const struct lp_model_fine *base = &describer->model->fines.at[fine->base];
	const char *name = lp_naming_class(describer, base->class_index);

	return name ? lp_pool_printf(&describer->pool, "%s/%u", name, fine->subclass) : NULL;
}

/* The name in the facts. The model may move its strings. */
static const char *own_name(struct lp_describer *describer, const struct lp_model_fine *fine)
{
	if (fine->subclass)
		return lp_pool_printf(&describer->pool, "%s/%u", fine->name, fine->subclass);
	return lp_pool_copy(&describer->pool, fine->name);
}

/* After the function that the threads run. */
static const char *life_name(struct lp_describer *describer, const struct lp_model_fine *fine)
{
	struct lp_symbols symbols = lp_naming_symbols(describer, fine->object, false);
	const char *function = symbols.at[symbols.count - 1].function;

	if (!function)
		return module_offset(describer, fine->object);
	return lp_pool_printf(&describer->pool, "%.*s", short_length(function), function);
}

static const char *base_of_class(struct lp_describer *describer, const struct lp_model_fine *fine)
{
	struct lp_naming_place place = lp_naming_place(describer, fine->stack);
	const struct lp_symbol *outer = &place.symbols.at[place.symbols.count - 1];
	const char *name = NULL;

	if (fine->base && fine->subclass)
		return subclass_name(describer, fine);
	if (*fine->name)
		return own_name(describer, fine);
	if (lp_model_is_life(fine))
		return life_name(describer, fine);
	name = source_name(describer, fine, &place);
	if (name)
		return lp_pool_copy(&describer->pool, name);
	if (fine->origin == LP_ORIGIN_STATIC || !place.frame.module)
		return module_offset(describer, fine->object);
	if (place.symbol->inlined && place.symbol->function && place.symbol->line)
		return lp_pool_printf(&describer->pool, "%.*s:%" PRIu32,
				      short_length(place.symbol->function),
				      place.symbol->function, place.symbol->line);
	if (outer->function)
		return lp_pool_printf(&describer->pool, "%.*s+0x%" PRIx64,
				      short_length(outer->function), outer->function,
				      outer->function_offset);
	return module_offset(describer, place.frame);
}

/* The name that one of the class' fine classes brought with it. */
static const char *known_name(const struct lp_describer *describer, uint32_t class_index)
{
	for (const struct lp_naming_class *it = describer->classes; it; it = it->next) {
		if (describer->model->fines.at[it->fine].class_index == class_index)
			return it->name;
	}
	return NULL;
}

static uint32_t count_base(const struct lp_describer *describer, const char *base)
{
	uint32_t count = 0;

	for (const struct lp_naming_class *it = describer->classes; it; it = it->next)
		count += !strcmp(it->base, base);
	return count;
}

static const char *number_name(struct lp_describer *describer, const char *base)
{
	uint32_t count = count_base(describer, base);

	return count ? lp_pool_printf(&describer->pool, "%s#%" PRIu32, base, count + 1) : base;
}

const char *lp_naming_class(struct lp_describer *describer, uint32_t class_index)
{
	const struct lp_model *model = describer->model;
	const char *name = class_index ? known_name(describer, class_index) : "unknown lock";
	struct lp_naming_class *entry;

	if (name)
		return name;
	entry = lp_pool_array(&describer->pool, 1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->fine = model->classes.at[class_index].fine;
	entry->base = base_of_class(describer, &model->fines.at[entry->fine]);
	entry->name = entry->base ? number_name(describer, entry->base) : NULL;
	if (!entry->name)
		return NULL;
	if (describer->last_class)
		describer->last_class->next = entry;
	else
		describer->classes = entry;
	describer->last_class = entry;
	return entry->name;
}

const char *lp_naming_origin(struct lp_describer *describer, uint32_t class_index)
{
	static const char *const words[LP_ORIGIN_COUNT] = {
		[LP_ORIGIN_STATIC] = "declared", [LP_ORIGIN_INIT] = "initialised",
		[LP_ORIGIN_FIRST_LOCK] = "first locked",
	};
	const struct lp_model *model = describer->model;
	const struct lp_model_fine *fine = &model->fines.at[model->classes.at[class_index].fine];
	struct lp_naming_place place;

	if (!class_index)
		return NULL;
	if (lp_model_is_life(fine))
		return lp_pool_printf(&describer->pool, "the life of threads");
	if (fine->origin == LP_ORIGIN_STATIC && fine->object.module)
		return lp_pool_printf(&describer->pool, "static in %s",
				       base_name(module_at(describer, fine->object.module)->path));
	place = lp_naming_place(describer, fine->stack);
	if (!place.frame.module)
		return NULL;
	return lp_pool_printf(&describer->pool, "%s in %s", words[fine->origin],
			      lp_naming_spot(describer, place.symbol, place.frame));
}

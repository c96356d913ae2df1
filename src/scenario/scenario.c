/* SPDX-License-Identifier: Apache-2.0 */
/* scenario.c — the words of scenarios, and their end. */
#include <stdlib.h>

#include "base/compiler.h"
#include "scenario/parse.h"

static const char *const type_words[] = {
	[LP_OBJECT_NONE] = "none",
#define X(name, keyword, kind) [LP_OBJECT_##name] = keyword,
	LP_SCENARIO_TYPES(X)
#undef X
	[LP_OBJECT_RCU_MAP] = "rcu map",
};

static const char *const body_words[] = {
	[LP_BODY_NONE] = "none",
#define X(name, keyword) [LP_BODY_##name] = keyword,
	LP_BODY_KINDS(X)
#undef X
};

static const char *const op_names[] = {
#define X(name) #name,
	LP_OPS(X)
#undef X
};

_Static_assert(lp_array_size(type_words) == LP_OBJECT_TYPE_COUNT, "every type has a word");

const char *lp_object_type_word(enum lp_object_type type)
{
	return (unsigned)type < LP_OBJECT_TYPE_COUNT ? type_words[type] : "unknown";
}

const char *lp_body_kind_word(enum lp_body_kind kind)
{
	return (unsigned)kind < LP_BODY_KIND_COUNT ? body_words[kind] : "unknown";
}

const char *lp_op_name(enum lp_op_kind kind)
{
	return (unsigned)kind < LP_OP_COUNT ? op_names[kind] : "unknown";
}

void lp_scenario_destroy(struct lp_scenario *scenario)
{
	/* The parser makes no other kind. */
	struct lp_parsed *parsed = (struct lp_parsed *)scenario;

	if (!scenario)
		return;
	free(scenario->classes);
	free(scenario->objects);
	free(scenario->bodies);
	free(scenario->contexts);
	free(scenario->ops);
	free(scenario->sites);
	free(scenario->expectations);
	lp_parse_strings_finish(&parsed->strings);
	free(parsed);
}

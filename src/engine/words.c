/* SPDX-License-Identifier: Apache-2.0 */
/* words.c — what the engine's enums are called in every output. */
#include "base/compiler.h"
#include "engine/engine.h"

static const char *const kind_ids[] = {
#define X(name, id, header) id,
	LP_FINDING_KINDS(X)
#undef X
};

static const char *const kind_headers[] = {
#define X(name, id, header) header,
	LP_FINDING_KINDS(X)
#undef X
};

static const char *const level_names[] = {
	[LP_POSSIBLE] = "possible",
	[LP_FEASIBLE] = "feasible",
	[LP_ACTUAL] = "actual",
};

static const char *const reason_texts[] = {
#define X(name, text) text,
	LP_REASONS(X)
#undef X
};

_Static_assert(lp_array_size(level_names) == LP_LEVEL_COUNT, "every level has a name");

const char *lp_finding_kind_id(enum lp_finding_kind kind)
{
	return (unsigned)kind < LP_FINDING_KIND_COUNT ? kind_ids[kind] : "unknown";
}

const char *lp_finding_kind_header(enum lp_finding_kind kind)
{
	return (unsigned)kind < LP_FINDING_KIND_COUNT ? kind_headers[kind] : "WARNING: unknown";
}

const char *lp_level_name(enum lp_level level)
{
	return (unsigned)level < LP_LEVEL_COUNT ? level_names[level] : "unknown";
}

const char *lp_reason_text(enum lp_reason reason)
{
	return (unsigned)reason < LP_REASON_COUNT ? reason_texts[reason] : "";
}

/* SPDX-License-Identifier: Apache-2.0 */
/* findings.c — what the engine has to say: a list that grows, each entry with a stable id. */
#include "base/hash.h"
#include "engine/state.h"

uint32_t lp_findings_rotation(const uint64_t *key, uint32_t count)
{
	/* Two candidates run against each other; the loser skips all that it has matched. */
	uint64_t a = 0, b = 1, same = 0;

	while (a < count && b < count && same < count) {
		uint64_t x = key[(a + same) % count], y = key[(b + same) % count];

		if (x == y) {
			same++;
			continue;
		}
		if (x > y)
			a += same + 1;
		else
			b += same + 1;
		b += a == b;
		same = 0;
	}
	return (uint32_t)(a < b ? a : b);
}

uint64_t lp_findings_context_key(const struct lp_model *model, uint32_t context)
{
	const struct lp_model_context *c = &model->contexts.at[context];

	return lp_hash_bytes((uint64_t)c->kind << 32 | c->number, c->name,
			     c->name ? strlen(c->name) : 0);
}

uint64_t lp_findings_ordered_id(enum lp_finding_kind kind, const uint64_t *key, uint32_t count)
{
	const char *word = lp_finding_kind_id(kind);
	uint64_t hash = lp_hash_bytes(count, word, strlen(word));

	for (uint32_t i = 0; i < count; i++)
		hash = lp_hash_add(hash, key[i]);
	return hash ? hash : 1;
}

uint64_t lp_findings_id(enum lp_finding_kind kind, const uint64_t *key, uint32_t count)
{
	const char *word = lp_finding_kind_id(kind);
	uint32_t start = lp_findings_rotation(key, count);
	uint64_t hash = lp_hash_bytes(count, word, strlen(word));

	for (uint32_t i = 0; i < count; i++)
		hash = lp_hash_add(hash, key[(start + (uint64_t)i) % count]);
	return hash ? hash : 1;
}

static struct lp_finding_edge *copy_edges(const struct lp_finding *finding)
{
	size_t size = finding->edge_count * sizeof(*finding->edge);
	struct lp_finding_edge *copy = malloc(size ? size : 1);

	if (copy && size)
		memcpy(copy, finding->edge, size);
	return copy;
}

static int append(struct lp_engine *engine, const struct lp_finding *finding)
{
	struct lp_finding made = *finding;
	int err = lp_vec_reserve(&engine->finding, (uint64_t)engine->finding.count + 1);

	err = err ? err : lp_vec_reserve(&engine->confirmed, (uint64_t)engine->finding.count + 1);
	if (err)
		return err;
	made.revision = 1;
	made.edge = copy_edges(finding);
	if (!made.edge)
		return -ENOMEM;
	err = lp_map_put(&engine->finding_index, made.id, engine->finding.count + 1);
	if (err) {
		free(made.edge);
		return err;
	}
	engine->confirmed.at[engine->confirmed.count++] = 1;
	engine->finding.at[engine->finding.count++] = made;
	return 0;
}

static bool says_the_same(const struct lp_finding *a, const struct lp_finding *b)
{
	return a->level == b->level && a->reason == b->reason && a->gate == b->gate &&
	       a->event == b->event && a->edge_count == b->edge_count &&
	       (!a->edge_count ||
		!memcmp(a->edge, b->edge, a->edge_count * sizeof(*a->edge)));
}

int lp_findings_put(struct lp_engine *engine, const struct lp_finding *finding)
{
	uint32_t index = lp_map_get(&engine->finding_index, finding->id);
	struct lp_finding *old;
	struct lp_finding_edge *edge;

	if (!index)
		return append(engine, finding);
	old = &engine->finding.at[index - 1];
	engine->confirmed.at[index - 1] = 1;
	old->covered = finding->covered;
	if (finding->level < old->level || says_the_same(old, finding))
		return 0;
	edge = copy_edges(finding);
	if (!edge)
		return -ENOMEM;
	free(old->edge);
	old->level = finding->level;
	old->reason = finding->reason;
	old->gate = finding->gate;
	old->event = finding->event;
	old->edge_count = finding->edge_count;
	old->edge = edge;
	old->revision++;
	return 0;
}

int lp_findings_put_once(struct lp_engine *engine, const struct lp_finding *finding)
{
	uint32_t index = lp_map_get(&engine->finding_index, finding->id);

	if (!index)
		return append(engine, finding);
	engine->confirmed.at[index - 1] = 1;
	engine->finding.at[index - 1].covered = finding->covered;
	return 0;
}

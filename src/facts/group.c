/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group.c — fine classes into the classes that rules are about.
 *
 * Two fine classes are one class when they share an *anchor*. A fine class hangs on anchors by
 * its origin; every anchor also has the lock's kind in it:
 *
 *	STATIC		the object's place in its module
 *	INIT		the place of the init call. A static object: instead its place in its
 *			module, as if nobody had initialised it, because two objects that one
 *			function initialises are two roles; but when the call initialises an
 *			array, the place of the call as well
 *	FIRST_LOCK	the place of its first acquisition, and of every other one in a node
 *	explicit key	that key and nothing else (an annotated class)
 *
 * A call initialises an array when, with one and the same stack, it was seen with an object on the
 * heap too or with more objects than the runtime tells apart, or when ARRAY_TERMS of its objects
 * lie at one stride. More facts can make that true, never false again: groups only ever merge.
 *
 * So groups are the components of an undirected graph, kept by union-find. A class is named by the
 * smallest key of its fine classes, which does not depend on the order in which facts came. When
 * facts join two classes that exist, or give a class a smaller key, all is computed anew.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "facts/model.h"
#include "facts/model_private.h"

#define ARRAY_TERMS	9u	/* so many objects at one stride are an array */
#define FAMILY_MAX	64u	/* objects that the runtime tells apart per init stack */

enum anchor_type {
	ANCHOR_NONE,
	ANCHOR_OBJECT,	/* a frame: place in a module */
	ANCHOR_INIT,		/* a frame: place of an init call */
	ANCHOR_LOCK,		/* a frame: place of an acquisition */
	ANCHOR_KEY,		/* an explicit key */
};

struct anchor {
	enum anchor_type type;
	enum lp_lock_kind kind;
	struct lp_model_frame frame;
	uint64_t	key;		/* ANCHOR_KEY only */
	uint32_t	fine;		/* one that hangs on it */
};

/* What is known of fine class i. At a root: of its whole component. */
struct member {
	uint32_t	parent;		/* union-find; a root is its own, and the lowest index */
	uint32_t	sibling;	/* next member of its family */
	uint32_t	class_index;	/* at a root: its class, 0: not yet */
	bool		explicit_key;
	uint64_t	key;		/* smallest of the component */
};

/* The fine classes that one init stack made, as far as they are static objects. */
struct family {
	enum lp_lock_kind kind;
	uint32_t	stack;
	uint32_t	newest;		/* member, linked through `sibling` */
	uint32_t	count;
	bool		with_heap;	/* the stack also made a lock outside every object */
	bool		changed;	/* since it was judged */
	bool		array;
};

struct place {
	struct lp_model_frame frame;
	bool		known;
};

struct places {
	LP_VEC(struct place) cache;	/* by stack */
	lp_wrapper_fn	*wrapper;
	void		*context;
};

struct groups {
	LP_VEC(struct member) members;	/* by fine class */
	LP_VEC(struct anchor) anchors;	/* [0] is a dummy */
	LP_VEC(struct family) families;	/* [0] is a dummy */
	struct lp_table	anchor_table, family_table;
	uint32_t	nodes_done;
	bool		stale;		/* the classes no longer fit: compute all anew */
};

struct lp_grouping {
	struct groups	groups;
	struct places	places;
};

/* What one regroup works on. */
struct model_view {
	struct lp_model	*model;
	struct groups	*groups;
	struct places	*places;
};

static void groups_finish(struct groups *groups)
{
	lp_vec_finish(&groups->members);
	lp_vec_finish(&groups->anchors);
	lp_vec_finish(&groups->families);
	lp_table_finish(&groups->anchor_table);
	lp_table_finish(&groups->family_table);
	memset(groups, 0, sizeof(*groups));
}

/* With a dummy in front of each array. */
static int groups_init(struct groups *groups)
{
	memset(groups, 0, sizeof(*groups));
	if (!lp_vec_room(&groups->members, 1) || !lp_vec_room(&groups->anchors, 1) ||
	    !lp_vec_room(&groups->families, 1)) {
		groups_finish(groups);
		return -ENOMEM;
	}
	lp_vec_push(&groups->members, (struct member){ 0 });
	lp_vec_push(&groups->anchors, (struct anchor){ 0 });
	lp_vec_push(&groups->families, (struct family){ 0 });
	groups->nodes_done = 1;
	return 0;
}

void lp_grouping_destroy(struct lp_grouping *grouping)
{
	if (!grouping)
		return;
	groups_finish(&grouping->groups);
	lp_vec_finish(&grouping->places.cache);
	free(grouping);
}

struct lp_model_frame lp_model_place(const struct lp_model *model, uint32_t stack,
				     lp_wrapper_fn *wrapper, void *context)
{
	const struct lp_model_stack *at = &model->stacks.at[stack];

	for (uint32_t i = 0; i < at->count; i++)
		if (!wrapper || !wrapper(context, model, at->frame[i]))
			return at->frame[i];
	/* Nothing but wrappers: the outermost is the nearest to whoever called. */
	return at->count ? at->frame[at->count - 1] : (struct lp_model_frame){ 0, 0 };
}

/* lp_model_place() through the cache: asking about a frame can mean reading debug information. */
static struct lp_model_frame place_of(const struct model_view *view, uint32_t stack)
{
	struct places *places = view->places;
	struct place *place = &places->cache.at[stack];

	if (!place->known) {
		place->frame = lp_model_place(view->model, stack, places->wrapper, places->context);
		place->known = true;
	}
	return place->frame;
}

static int places_reserve(const struct lp_model *model, struct places *places)
{
	uint32_t have = places->cache.count;
	uint32_t add = model->stacks.count - have;

	if (!add)
		return 0;
	if (!lp_vec_room(&places->cache, add))
		return -ENOMEM;
	memset(places->cache.at + have, 0, add * sizeof(*places->cache.at));
	places->cache.count += add;
	return 0;
}

/* True when that is another judge of wrappers than before: its places are forgotten. */
static bool places_choose(struct places *places, lp_wrapper_fn *wrapper, void *context)
{
	if (places->wrapper == wrapper && places->context == context)
		return false;
	places->wrapper = wrapper;
	places->context = context;
	memset(places->cache.at, 0, places->cache.count * sizeof(*places->cache.at));
	return true;
}

static uint32_t find_root(struct groups *groups, uint32_t fine)
{
	struct member *member = groups->members.at;

	while (member[fine].parent != fine) {
		member[fine].parent = member[member[fine].parent].parent;
		fine = member[fine].parent;
	}
	return fine;
}

/* Did this join change what an existing class is? */
static bool join_is_stale(const struct member *a, const struct member *b)
{
	if (a->class_index && b->class_index)
		return true;
	return (a->class_index && b->key < a->key) || (b->class_index && a->key < b->key);
}

static void join(struct groups *groups, uint32_t fine_a, uint32_t fine_b)
{
	uint32_t a = find_root(groups, fine_a), b = find_root(groups, fine_b);
	struct member *root = &groups->members.at[a < b ? a : b];
	struct member *child = &groups->members.at[a < b ? b : a];

	if (a == b)
		return;
	if (join_is_stale(root, child))
		groups->stale = true;
	if (!root->class_index)
		root->class_index = child->class_index;
	if (child->key < root->key)
		root->key = child->key;
	child->parent = a < b ? a : b;
}

static uint64_t anchor_key(const struct lp_model *model, const struct anchor *anchor)
{
	if (anchor->type == ANCHOR_KEY)
		return anchor->key;
	return lp_model_hash_frame(model, lp_hash_add(anchor->type, anchor->kind), anchor->frame);
}

static bool anchor_equal(const void *owner, uint32_t index, const void *probe)
{
	const struct anchor *have = &((const struct groups *)owner)->anchors.at[index];
	const struct anchor *want = probe;

	return have->type == want->type && have->kind == want->kind && have->key == want->key &&
	       have->frame.module == want->frame.module &&
	       have->frame.offset == want->frame.offset;
}

/* Hang anchor->fine on the anchor: one class with whoever hangs there already. */
static int hang(struct model_view *view, struct anchor anchor)
{
	struct groups *groups = view->groups;
	uint64_t hash = anchor_key(view->model, &anchor);
	uint32_t index = lp_table_find(&groups->anchor_table, hash, anchor_equal, groups, &anchor);

	if (index) {
		join(groups, groups->anchors.at[index].fine, anchor.fine);
		return 0;
	}
	if (!lp_vec_room(&groups->anchors, 1) || !lp_table_room(&groups->anchor_table))
		return -ENOMEM;
	index = lp_vec_push(&groups->anchors, anchor);
	lp_table_add(&groups->anchor_table, hash, index);
	return 0;
}

static bool family_equal(const void *owner, uint32_t index, const void *probe)
{
	const struct family *have = &((const struct groups *)owner)->families.at[index];
	const struct family *want = probe;

	return have->kind == want->kind && have->stack == want->stack;
}

static struct family *family_of(const struct groups *groups, enum lp_lock_kind kind, uint32_t stack)
{
	struct family probe = { .kind = kind, .stack = stack };
	uint64_t hash = lp_hash_add(kind, stack);
	uint32_t index = lp_table_find(&groups->family_table, hash, family_equal, groups, &probe);

	return index ? &groups->families.at[index] : NULL;
}

static struct family *family_make(struct groups *groups, enum lp_lock_kind kind, uint32_t stack)
{
	struct family *family = family_of(groups, kind, stack);
	uint32_t index;

	if (family)
		return family;
	if (!lp_vec_room(&groups->families, 1) || !lp_table_room(&groups->family_table))
		return NULL;
	index = lp_vec_push(&groups->families, ((struct family){ .kind = kind, .stack = stack }));
	lp_table_add(&groups->family_table, lp_hash_add(kind, stack), index);
	return &groups->families.at[index];
}

static bool has_frame(const struct lp_model_frame *frame, uint32_t count,
		      struct lp_model_frame want)
{
	for (uint32_t i = 0; i < count; i++)
		if (frame[i].module == want.module && frame[i].offset == want.offset)
			return true;
	return false;
}

/* Do ARRAY_TERMS of the objects start at frame[i] and lie at the stride to frame[j]? */
static bool is_progression(const struct lp_model_frame *frame, uint32_t count, uint32_t i,
			   uint32_t j)
{
	uint64_t stride, offset;

	if (frame[i].module != frame[j].module || frame[i].offset >= frame[j].offset)
		return false;
	stride = frame[j].offset - frame[i].offset;
	for (uint32_t term = 2; term < ARRAY_TERMS; term++) {
		offset = frame[i].offset + stride * term;
		if (offset > UINT32_MAX ||
		    !has_frame(frame, count,
			       (struct lp_model_frame){ frame[i].module, (uint32_t)offset }))
			return false;
	}
	return true;
}

/* Any subset counts, so that a further object never undoes the answer. At most FAMILY_MAX. */
static bool has_stride(const struct model_view *view, const struct family *family)
{
	struct lp_model_frame frame[FAMILY_MAX];
	uint32_t count = 0;

	if (family->count < ARRAY_TERMS)
		return false;
	for (uint32_t fine = family->newest; fine; fine = view->groups->members.at[fine].sibling)
		frame[count++] = view->model->fines.at[fine].object;
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t j = 0; j < count; j++)
			if (is_progression(frame, count, i, j))
				return true;
	return false;
}

/* A fine class whose init stack may be that of an array; explicit keys stand alone. */
static bool has_family(const struct model_view *view, uint32_t fine)
{
	const struct lp_model_fine *at = &view->model->fines.at[fine];

	return at->origin == LP_ORIGIN_INIT && !view->groups->members.at[fine].explicit_key &&
	       place_of(view, at->stack).module;
}

static int enter_family(struct model_view *view, uint32_t fine)
{
	const struct lp_model_fine *at = &view->model->fines.at[fine];
	struct family *family;

	if (!has_family(view, fine))
		return 0;
	family = family_make(view->groups, at->kind, at->stack);
	if (!family)
		return -ENOMEM;
	family->changed = true;
	if (!at->object.module) {
		family->with_heap = true;
		return 0;
	}
	view->groups->members.at[fine].sibling = family->newest;
	family->newest = fine;
	family->count++;
	return 0;
}

/* A family that turns out to be an array after its members got classes makes those wrong. */
static void judge_family(struct model_view *view, struct family *family)
{
	struct groups *groups = view->groups;

	if (!family->changed || family->array)
		return;
	family->changed = false;
	if (!family->with_heap && family->count <= FAMILY_MAX && !has_stride(view, family))
		return;
	family->array = true;
	for (uint32_t fine = family->newest; fine; fine = groups->members.at[fine].sibling)
		if (groups->members.at[find_root(groups, fine)].class_index)
			groups->stale = true;
}

/* Room for all new fine classes; each is a component of its own for now. */
static int enter_members(struct model_view *view)
{
	struct groups *groups = view->groups;
	const struct lp_model *model = view->model;

	if (!lp_vec_room(&groups->members, model->fines.count - groups->members.count))
		return -ENOMEM;
	for (uint32_t i = groups->members.count; i < model->fines.count; i++) {
		const struct lp_model_fine *fine = &model->fines.at[i];
		struct member member = { .parent = i, .key = fine->key };

		member.explicit_key = fine->key != lp_model_natural_key(model, fine);
		lp_vec_push(&groups->members, member);
		if (enter_family(view, i))
			return -ENOMEM;
	}
	for (uint32_t i = 1; i < groups->families.count; i++)
		judge_family(view, &groups->families.at[i]);
	return 0;
}

/* The anchor that tells what role a fine class plays; type 0: it has none but itself. */
static struct anchor role_of(const struct model_view *view, uint32_t fine)
{
	const struct lp_model_fine *at = &view->model->fines.at[fine];
	struct anchor role = { .kind = at->kind, .fine = fine };
	const struct family *family;

	if (view->groups->members.at[fine].explicit_key) {
		role.type = ANCHOR_KEY;
		role.key = at->key;
		return role;
	}
	family = has_family(view, fine) ? family_of(view->groups, at->kind, at->stack) : NULL;
	if (at->origin != LP_ORIGIN_FIRST_LOCK && at->object.module && !(family && family->array)) {
		role.type = ANCHOR_OBJECT;
		role.frame = at->object;
	} else if (at->origin != LP_ORIGIN_STATIC) {
		role.type = at->origin == LP_ORIGIN_INIT ? ANCHOR_INIT : ANCHOR_LOCK;
		role.frame = place_of(view, at->stack);
	}
	if (!role.frame.module)
		role.type = ANCHOR_NONE;
	return role;
}

static int group_fine(struct model_view *view, uint32_t fine)
{
	struct anchor role = role_of(view, fine);

	if (role.type == ANCHOR_NONE)
		return 0;
	view->groups->members.at[fine].key = anchor_key(view->model, &role);
	if (hang(view, role))
		return -ENOMEM;
	if (role.type != ANCHOR_INIT || !view->model->fines.at[fine].object.module)
		return 0;
	/* An element of an array: whoever knows it by its place only means the same class. */
	role.type = ANCHOR_OBJECT;
	role.frame = view->model->fines.at[fine].object;
	return hang(view, role);
}

static int group_node(struct model_view *view, uint32_t node)
{
	const struct lp_model_node *at = &view->model->nodes.at[node];
	const struct lp_model_fine *fine = &view->model->fines.at[at->fine];
	struct anchor anchor = { .type = ANCHOR_LOCK, .kind = fine->kind, .fine = at->fine };

	if (fine->origin != LP_ORIGIN_FIRST_LOCK || view->groups->members.at[at->fine].explicit_key)
		return 0;
	anchor.frame = at->stack ? place_of(view, at->stack) : at->site;
	return anchor.frame.module ? hang(view, anchor) : 0;
}

/* Take in everything the model has that the groups have not seen. */
static int catch_up(struct model_view *view)
{
	struct groups *groups = view->groups;
	uint32_t first = groups->members.count;

	if (enter_members(view))
		return -ENOMEM;
	for (uint32_t fine = first; fine < groups->members.count; fine++)
		if (group_fine(view, fine))
			return -ENOMEM;
	for (; groups->nodes_done < view->model->nodes.count; groups->nodes_done++)
		if (group_node(view, groups->nodes_done))
			return -ENOMEM;
	return 0;
}

/* Give fine classes from `first` on the class of their component. There is room for all. */
static void hand_out(struct lp_model *model, struct groups *groups, uint32_t first)
{
	for (uint32_t i = first; i < model->fines.count; i++) {
		struct member *root = &groups->members.at[find_root(groups, i)];

		if (!root->class_index) {
			struct lp_model_class class = { root->key, model->fines.at[i].kind, i };

			root->class_index = lp_vec_push(&model->classes, class);
		}
		model->fines.at[i].class_index = root->class_index;
	}
}

/* Everything again from nothing; the old groups stay when memory is short. */
static int rebuild(struct model_view *view)
{
	struct lp_model *model = view->model;
	struct groups *old = view->groups, fresh;
	int error = groups_init(&fresh);

	if (error)
		return error;
	view->groups = &fresh;
	error = catch_up(view);
	view->groups = old;
	if (error) {
		groups_finish(&fresh);
		return error;
	}
	assert(!fresh.stale);
	groups_finish(old);
	*old = fresh;
	model->classes.count = 1;
	hand_out(model, old, 1);
	model->grouping++;
	return 0;
}

static int make_grouping(struct lp_model *model)
{
	struct lp_grouping *grouping;

	if (model->private->grouping)
		return 0;
	grouping = calloc(1, sizeof(*grouping));
	if (!grouping)
		return -ENOMEM;
	if (groups_init(&grouping->groups)) {
		free(grouping);
		return -ENOMEM;
	}
	model->private->grouping = grouping;
	return 0;
}

int lp_model_regroup(struct lp_model *model, lp_wrapper_fn *wrapper, void *context)
{
	struct model_view view = { .model = model };
	struct groups *groups;
	uint32_t first;

	if (make_grouping(model) || !lp_vec_room(&model->classes, model->fines.count))
		return -ENOMEM;
	view.groups = groups = &model->private->grouping->groups;
	view.places = &model->private->grouping->places;
	if (places_reserve(model, view.places))
		return -ENOMEM;
	first = groups->members.count;
	if (places_choose(view.places, wrapper, context) && first > 1)
		groups->stale = true;
	if (!groups->stale && catch_up(&view)) {
		groups->stale = true;	/* half done: the next call starts again */
		return -ENOMEM;
	}
	if (groups->stale)
		return rebuild(&view);
	hand_out(model, groups, first);
	return 0;
}

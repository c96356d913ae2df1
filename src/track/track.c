/* SPDX-License-Identifier: Apache-2.0 */
/* track.c — the slow half of track.h: what happens when a held stack is new to a thread. */
#include "track/track.h"

#include <string.h>

#include "base/hash.h"

/* A node keeps its first witnesses, then ever rarer ones, so that later phases show up too. */
#define WITNESSES_ALL	32u
#define WITNESS_LOCKS	128u	/* deeper stacks name the innermost of their locks */

static uint64_t make_salt(uint32_t epoch, uint32_t state)
{
	return lp_hash64((uint64_t)state << 32 | epoch);
}

/* Below all entries: a lock that nobody has, the key of nothing. */
static void set_ground(struct lp_held *ground)
{
	ground->lock = ~(uint64_t)0;
	ground->key = LP_KEY_EMPTY;
}

void lp_slot_init(struct lp_track *track, struct lp_rec_slot *slot, uint32_t thread)
{
	slot->epoch = 0;
	slot->state = 0;
	slot->salt = make_salt(0, 0);
	slot->acquisitions = 0;
	slot->wait = LP_WAIT_NONE;
	slot->wait_object = 0;
	slot->wait_lock = 0;
	slot->lossy = 0;
	slot->wait_thread = 0;
	slot->busy = 0;
	if (!slot->held_ref || slot->held_ref == lp_writer_ref(&track->writer, slot)) {
		slot->held_ref = lp_writer_ref(&track->writer, slot);
		slot->held_ptr = (uintptr_t)slot->held;
		slot->limit = (uintptr_t)(slot->held + LP_SLOT_HELD);
	}
	slot->top = slot->base = slot->held_ptr;
	set_ground(&slot->ground);
	memset(slot->cache_key, 0, sizeof(slot->cache_key));
	memset(slot->stamp, 0, sizeof(slot->stamp));
	slot->mask_events = 0;
	__atomic_store_n(&slot->thread, thread, __ATOMIC_RELEASE);
}

void lp_slot_first_epoch(struct lp_rec_slot *slot)
{
	slot->epoch = 0;
	slot->salt = make_salt(0, slot->state);
}

void lp_slot_next_epoch(struct lp_rec_slot *slot)
{
	slot->epoch++;
	slot->salt = make_salt(slot->epoch, slot->state);
}

void lp_track_set_salt(struct lp_rec_slot *slot)
{
	slot->salt = make_salt(slot->epoch, slot->state);
}

uint32_t lp_track_class_of(const struct lp_writer *writer, uint32_t id)
{
	const struct lp_rec_lock *lock = lp_writer_at(writer, id);

	return lock->rec.type == LP_REC_LOCK ? lock->class_ref : id;
}

/* Move the held stack to a record twice as large. False when there is no space for it. */
static bool grow_held(struct lp_track *track, struct lp_rec_slot *slot)
{
	uint64_t used = slot->top - slot->held_ptr;
	uint64_t bytes = (slot->limit - slot->held_ptr) * 2;
	struct lp_rec_held *larger;

	if (slot->busy)
		return false;	/* a handler, perhaps in the middle of this */
	larger = lp_writer_begin(&track->writer, LP_REC_HELD, sizeof(*larger) + bytes, 64);
	if (!larger)
		return false;
	larger->count = bytes / sizeof(struct lp_held);
	memcpy(larger->held, lp_track_held(slot), used);
	set_ground(&larger->ground);
	lp_writer_done(larger);
	slot->busy = 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	slot->held_ref = lp_writer_ref(&track->writer, larger);
	slot->base += (uintptr_t)larger->held - slot->held_ptr;
	slot->held_ptr = (uintptr_t)larger->held;
	slot->top = slot->held_ptr + used;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	slot->limit = slot->held_ptr + bytes;
	slot->busy = 0;
	return true;
}

void lp_slot_copy_held(struct lp_track *track, struct lp_rec_slot *to,
		       const struct lp_rec_slot *from)
{
	uint64_t used = from->top - from->held_ptr;

	while (to->limit - to->held_ptr < used) {
		if (!grow_held(track, to)) {
			to->lossy = 1;
			return;
		}
	}
	memcpy(lp_track_held(to), lp_track_held(from), used);
	to->top = to->held_ptr + used;
	to->base = to->held_ptr + (from->base - from->held_ptr);
	/* its mask is what came of the same changes */
	memcpy(to->stamp, from->stamp, sizeof(to->stamp));
	to->mask_events = from->mask_events;
	for (struct lp_held *held = lp_track_held(to); held < lp_track_top(to); held++)
		held->flags |= LP_INHERITED;
}

struct node_probe {
	uint32_t	parent;
	uint32_t	lock;
	uint8_t		mode, flags;
	struct lp_frame	site;
	uint32_t	state;
	uint32_t	nest;
};

static bool node_equal(const void *record, const void *probe)
{
	const struct lp_rec_node *node = record;
	const struct node_probe *p = probe;

	return node->parent == p->parent && node->lock == p->lock && node->mode == p->mode &&
	       node->flags == p->flags && node->site.module == p->site.module &&
	       node->site.offset == p->site.offset && node->state == p->state &&
	       node->nest == p->nest;
}

static uint64_t node_hash(const struct node_probe *p)
{
	uint64_t hash = lp_hash_add(p->parent, (uint64_t)p->lock << 16 | p->mode << 8 | p->flags);

	hash = lp_hash_add(hash, (uint64_t)p->site.module << 32 | p->site.offset);
	return lp_hash_add(hash, (uint64_t)p->nest << 32 | p->state);
}

/*
 * The class nests in itself: a chain of classes says nothing about it, instances must be told
 * apart from now on.
 */
static void refine_if_nested(struct lp_track *track, const struct lp_rec_node *node)
{
	const struct lp_writer *writer = &track->writer;
	uint32_t class_ref = node->lock ? lp_track_class_of(writer, node->lock) : 0;
	struct lp_rec_class *class = lp_writer_at(writer, class_ref);
	uint32_t ref = class_ref ? node->parent : 0;
	uint32_t plain = 0;

	while (ref) {
		const struct lp_rec_node *above = lp_writer_at(writer, ref);

		if (above->lock && lp_track_class_of(writer, above->lock) == class_ref)
			break;
		ref = above->parent;
	}
	if (ref && __atomic_compare_exchange_n(&class->refine, &plain, 1, false, __ATOMIC_RELAXED,
					       __ATOMIC_RELAXED))
		track->ops->refined(class_ref);
}

static uint32_t create_node(struct lp_track *track, const struct node_probe *probe, uint64_t hash,
			    uint32_t stack)
{
	struct lp_writer *writer = &track->writer;
	struct lp_rec_node *node = lp_writer_begin(writer, LP_REC_NODE, sizeof(*node), 0);
	uint32_t depth = 1;

	if (!node)
		return 0;
	if (probe->parent)
		depth += ((struct lp_rec_node *)lp_writer_at(writer, probe->parent))->depth;
	node->link.hash = hash;
	node->parent = probe->parent;
	node->lock = probe->lock;
	node->mode = probe->mode;
	node->flags = probe->flags;
	node->depth = depth < UINT16_MAX ? (uint16_t)depth : UINT16_MAX;
	node->stack = stack;
	node->site = probe->site;
	node->state = probe->state;
	node->nest = probe->nest;
	refine_if_nested(track, node);
	return lp_trie_publish(writer, LP_TRIE_NODE, (struct lp_linked *)node, node_equal, probe);
}

struct witness_probe {
	uint32_t node, thread, epoch;
};

static bool witness_equal(const void *record, const void *probe)
{
	const struct lp_rec_witness *witness = record;
	const struct witness_probe *p = probe;

	return witness->node == p->node && witness->thread == p->thread &&
	       witness->epoch == p->epoch;
}

/* The thread is in this node in this epoch: note it, with the lock instances. */
static void add_witness(struct lp_track *track, struct lp_rec_slot *slot, uint32_t node_ref,
			uint64_t serial, uint32_t below, const void *where)
{
	struct lp_writer *writer = &track->writer;
	struct lp_rec_node *node = lp_writer_at(writer, node_ref);
	struct witness_probe probe = { node_ref, slot->thread, slot->epoch };
	uint64_t hash = lp_hash_add(lp_hash_add(probe.node, probe.thread), probe.epoch);
	const struct lp_held *base = lp_track_base(slot), *held = base + below;
	/* past those below */
	bool in_context = base > lp_track_held(slot);
	struct lp_rec_witness *witness;
	uint32_t seen, stack, stamps = 0;

	if (lp_trie_find(writer, LP_TRIE_WITNESS, hash, witness_equal, &probe))
		return;
	seen = __atomic_fetch_add(&node->witnesses, 1, __ATOMIC_RELAXED);
	if (seen >= WITNESSES_ALL && (seen & (seen - 1)))
		return;
	stack = where ? track->ops->stack(where) : 0;
	if (in_context && track->ops->stamps)
		stamps = track->ops->stamps(slot);
	if (below >= WITNESS_LOCKS)
		below = WITNESS_LOCKS - 1;
	witness = lp_writer_begin(writer, LP_REC_WITNESS,
				  sizeof(*witness) + ((uint64_t)below + 1) * sizeof(uint64_t), 0);
	if (!witness)
		return;
	witness->link.hash = hash;
	witness->node = probe.node;
	witness->thread = probe.thread;
	witness->epoch = probe.epoch;
	witness->count = below + 1;
	witness->stack = stack;
	witness->below = in_context ? base[-1].node : 0;
	witness->stamps = stamps;
	witness->serial[0] = serial;
	for (uint32_t i = 0; i < below; i++)
		witness->serial[i + 1] = held[-1 - (int)i].serial;
	lp_trie_publish(writer, LP_TRIE_WITNESS, (struct lp_linked *)witness, witness_equal,
			&probe);
}

/*
 * The node of `probe` on top of the `below` lowest entries, found or made; witnessed by this
 * thread. `where` NULL: take the stack `stack` instead of capturing one.
 */
static uint32_t resolve(struct lp_track *track, struct lp_rec_slot *slot,
			const struct node_probe *probe, uint64_t serial, uint32_t below,
			const void *where, uint32_t stack)
{
	uint64_t hash = node_hash(probe);
	uint32_t node = lp_trie_find(&track->writer, LP_TRIE_NODE, hash, node_equal, probe);

	if (!node)
		node = create_node(track, probe, hash, where ? track->ops->stack(where) : stack);
	if (node)
		add_witness(track, slot, node, serial, below, where);
	return node;
}

/*
 * Remember a chain for the fast path, which does not look for room: what would fill the held stack
 * to its end stays unknown to it. A handler that looks in between finds no key, or the right pair.
 */
static void fill_cache(struct lp_rec_slot *slot, uint64_t look, uint64_t word)
{
	unsigned index = lp_track_index(look);

	if (slot->top == slot->limit)
		return;
	slot->cache_key[index] = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	slot->cache_word[index] = word;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	slot->cache_key[index] = look;
}

/* The entry's acquisition with what lies below it now: its node in the new place. */
static uint32_t rechain(struct lp_track *track, struct lp_rec_slot *slot,
			const struct lp_held *held, uint32_t parent, uint32_t below)
{
	const struct lp_rec_node *old = lp_writer_at(&track->writer, held->node);
	struct node_probe probe = { parent, old->lock, old->mode, old->flags, old->site,
				    old->state, old->nest };

	/* held in the new place as the thread is now, whatever could strike when it was acquired */
	if (parent != old->parent) {
		probe.flags |= LP_MOVED;
		probe.state = slot->state;
	}
	if (!held->node || (below && !parent))
		return 0;
	return resolve(track, slot, &probe, held->serial, below, NULL, old->stack);
}

/*
 * NODE of all that is held, for one that writes facts about it. False: it has none, because
 * something was not recorded.
 */
static bool settle(struct lp_track *track, struct lp_rec_slot *slot, uint32_t *node)
{
	struct lp_held *base = lp_track_base(slot);
	struct lp_held *top = lp_track_top(slot);
	struct lp_held *held = top;

	*node = 0;
	if (held == base)
		return true;
	while (held > base && (held[-1].flags & LP_MOVED))
		held--;
	/* a moved entry below one that is settled is settled too: moves mark all above */
	for (; held < top; held++) {
		uint32_t parent = held > base ? held[-1].node : 0;

		held->node = rechain(track, slot, held, parent, (uint32_t)(held - base));
		held->flags &= (uint8_t)~LP_MOVED;
	}
	*node = top[-1].node;
	return *node != 0;
}

/* held.word for a key: cached, or the result of making the node. */
static uint64_t word_for(struct lp_track *track, struct lp_rec_slot *slot,
			 const struct lp_acquire *acquire, uint64_t key, uint64_t generation)
{
	uint64_t look = key ^ slot->salt ^ generation;
	uint64_t word = lp_track_word(0, acquire->mode, acquire->flags);
	struct node_probe probe = { .lock = acquire->id, .mode = acquire->mode,
				    .flags = acquire->flags, .nest = acquire->nest,
				    .state = slot->state };

	if (slot->cache_key[lp_track_index(look)] == look)
		return slot->cache_word[lp_track_index(look)];
	/* inside the runtime already: a handler */
	if (slot->busy || !acquire->id)
		return word;
	if (lp_writer_stopped(&track->writer)) {
		fill_cache(slot, look, word);	/* there will be no node: make it cheap */
		return word;
	}
	slot->busy = 1;
	if (settle(track, slot, &probe.parent)) {
		probe.site = track->ops->site(acquire->where);
		word |= resolve(track, slot, &probe, acquire->serial, lp_track_depth(slot),
				acquire->where, 0);
	}
	slot->busy = 0;
	if ((uint32_t)word)
		fill_cache(slot, look, word);
	return word;
}

static uint64_t key_of(const struct lp_rec_slot *slot, const struct lp_acquire *acquire)
{
	uint64_t nest = acquire->nest ? lp_hash64(acquire->nest) : 0;

	return lp_track_key(lp_track_held_key(slot), acquire->id, acquire->site ^ nest,
			    LP_KEY_HOW(acquire->mode, acquire->flags));
}

void lp_track_push(struct lp_track *track, struct lp_rec_slot *slot,
		   const struct lp_acquire *acquire, uint64_t generation)
{
	uint64_t key = key_of(slot, acquire);
	uint64_t word = word_for(track, slot, acquire, key, generation);

	if (lp_unlikely(slot->top == slot->limit) && !grow_held(track, slot)) {
		slot->lossy = 1;
		return;
	}
	lp_track_put(slot, acquire->address, acquire->serial, key, word);
}

uint32_t lp_track_note(struct lp_track *track, struct lp_rec_slot *slot,
		   const struct lp_acquire *acquire, uint64_t generation)
{
	uint64_t key = key_of(slot, acquire);

	return (uint32_t)word_for(track, slot, acquire, key, generation);
}

static uint32_t expect_node(struct lp_track *track, uint32_t parent, uint32_t class_ref,
			    const void *where)
{
	struct node_probe probe = { .parent = parent, .lock = class_ref,
				    .site = track->ops->site(where) };
	uint64_t hash = node_hash(&probe);
	uint32_t node = lp_trie_find(&track->writer, LP_TRIE_NODE, hash, node_equal, &probe);

	return node ? node : create_node(track, &probe, hash, track->ops->stack(where));
}

bool lp_track_expect(struct lp_track *track, struct lp_rec_slot *slot, uint32_t first,
		     uint32_t second, const void *where)
{
	uint32_t node;

	if (slot->busy || lp_writer_stopped(&track->writer))
		return false;
	slot->busy = 1;
	node = expect_node(track, 0, first, where);
	node = node ? expect_node(track, node, second, where) : 0;
	slot->busy = 0;
	return node != 0;
}

struct lp_held *lp_track_find(const struct lp_rec_slot *slot, uint64_t address)
{
	struct lp_held *held = lp_track_top(slot);

	while (held > lp_track_base(slot))
		if ((--held)->lock == address)
			return held;
	return NULL;
}

void lp_track_remove(struct lp_rec_slot *slot, struct lp_held *held)
{
	struct lp_held *top = lp_track_top(slot);
	uint32_t busy = slot->busy;

	slot->busy = 1;		/* handlers write no facts about a stack in motion */
	for (; held + 1 < top; held++) {
		struct lp_held next = held[1];

		next.key = lp_track_key(held[-1].key, next.node, ~(uint64_t)0, 0);
		next.flags |= LP_MOVED;
		*held = next;
	}
	slot->top = (uintptr_t)(top - 1);
	slot->busy = busy;
}

struct context_probe {
	enum lp_context_kind kind;
	uint8_t		flags;
	uint16_t	number;
	const char	*name;
	uint32_t	name_size;
};

/* CONTEXT and STATE records share a trie: each looks at the type first. */
static bool context_equal(const void *record, const void *probe)
{
	const struct lp_rec_context *context = record;
	const struct context_probe *p = probe;

	return context->rec.type == LP_REC_CONTEXT && context->kind == p->kind &&
	       context->number == p->number &&
	       context->name_size == p->name_size && !memcmp(context->name, p->name, p->name_size);
}

uint32_t lp_track_context(struct lp_track *track, enum lp_context_kind kind, uint8_t flags,
			  uint16_t number, const char *name)
{
	struct context_probe probe = { kind, flags, number, name, (uint32_t)strlen(name) };
	uint64_t hash = lp_hash_bytes((uint64_t)kind << 32 | number, name, probe.name_size);
	uint32_t found = lp_trie_find(&track->writer, LP_TRIE_STATE, hash, context_equal, &probe);
	struct lp_rec_context *context;

	if (found)
		return found;
	context = lp_writer_begin(&track->writer, LP_REC_CONTEXT,
				  sizeof(*context) + probe.name_size, 0);
	if (!context)
		return 0;
	context->link.hash = hash;
	context->kind = (uint8_t)kind;
	context->flags = flags;
	context->number = number;
	context->name_size = probe.name_size;
	memcpy(context->name, name, probe.name_size);
	return lp_trie_publish(&track->writer, LP_TRIE_STATE, (struct lp_linked *)context,
			       context_equal, &probe);
}

static bool state_equal(const void *record, const void *probe)
{
	const struct lp_rec_state *state = record;
	const struct lp_track_state *p = probe;

	return state->rec.type == LP_REC_STATE && state->context == p->context &&
	       state->wait == p->wait && state->in_count == p->in_count &&
	       state->on_count == p->on_count &&
	       !memcmp(state->ref, p->in, p->in_count * sizeof(uint32_t)) &&
	       !memcmp(state->ref + p->in_count, p->on, p->on_count * sizeof(uint32_t));
}

static uint64_t state_hash(const struct lp_track_state *p)
{
	uint64_t hash = lp_hash_add(p->context, (uint64_t)p->in_count << 32 | p->wait);

	hash = lp_hash_bytes(hash, p->in, p->in_count * sizeof(uint32_t));
	return lp_hash_bytes(hash, p->on, p->on_count * sizeof(uint32_t));
}

uint32_t lp_track_state(struct lp_track *track, const struct lp_track_state *p)
{
	uint64_t hash = state_hash(p);
	uint32_t found = lp_trie_find(&track->writer, LP_TRIE_STATE, hash, state_equal, p);
	uint32_t count = p->in_count + p->on_count;
	struct lp_rec_state *state;

	if (found || count > LP_STATE_CONTEXTS_MAX)
		return found;
	state = lp_writer_begin(&track->writer, LP_REC_STATE,
				sizeof(*state) + count * sizeof(uint32_t), 0);
	if (!state)
		return 0;
	state->link.hash = hash;
	state->context = p->context;
	state->wait = (uint8_t)p->wait;
	state->in_count = p->in_count;
	state->on_count = p->on_count;
	memcpy(state->ref, p->in, p->in_count * sizeof(uint32_t));
	memcpy(state->ref + p->in_count, p->on, p->on_count * sizeof(uint32_t));
	return lp_trie_publish(&track->writer, LP_TRIE_STATE, (struct lp_linked *)state,
			       state_equal, p);
}

/* The innermost entry was acquired as the thread is now, on top of what is held: that is known. */
static bool tells_state(struct lp_track *track, const struct lp_rec_slot *slot, uint32_t top)
{
	const struct lp_rec_node *node = lp_writer_at(&track->writer, top);

	return node->state == slot->state && !(node->flags & LP_MOVED);
}

void lp_track_note_state(struct lp_track *track, struct lp_rec_slot *slot, const void *where)
{
	struct node_probe probe = { .state = slot->state };

	if (slot->busy || !slot->state || lp_track_top(slot) == lp_track_base(slot) ||
	    lp_writer_stopped(&track->writer))
		return;
	slot->busy = 1;
	if (settle(track, slot, &probe.parent) && !tells_state(track, slot, probe.parent)) {
		probe.site = track->ops->site(where);
		resolve(track, slot, &probe, 0, lp_track_depth(slot), where, 0);
	}
	slot->busy = 0;
}

static void put_state(struct lp_rec_slot *slot, uint32_t state)
{
	uint32_t busy = slot->busy;

	slot->busy = 1;		/* a handler must not remember chains of one state as another's */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	slot->state = state;
	slot->salt = make_salt(slot->epoch, state);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	slot->busy = busy;
}

void lp_track_set_state(struct lp_track *track, struct lp_rec_slot *slot, uint32_t state,
			bool noted, const void *where)
{
	put_state(slot, state);
	if (noted)
		lp_track_note_state(track, slot, where);
}

void lp_track_enter(struct lp_track *track, struct lp_rec_slot *slot, uint32_t state,
		    struct lp_track_below *below)
{
	uint32_t busy = slot->busy, node = 0;

	slot->busy = 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	below->state = slot->state;
	below->base = slot->base - slot->held_ptr;
	below->top = slot->top - slot->held_ptr;
	if (!busy && !lp_writer_stopped(&track->writer))
		settle(track, slot, &node);
	slot->busy = busy;	/* else there is no growing */
	if (slot->top == slot->limit && !grow_held(track, slot)) {
		slot->lossy = 1;
	} else {
		slot->busy = 1;
		lp_track_put(slot, LP_BOUNDARY, 0, LP_KEY_EMPTY, lp_track_word(node, 0, 0));
		slot->acquisitions--;	/* that was none */
		slot->base = slot->top;
	}
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	slot->busy = busy;
	put_state(slot, state);
}

void lp_track_leave(struct lp_rec_slot *slot, const struct lp_track_below *below)
{
	uint32_t busy = slot->busy;

	slot->busy = 1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	slot->top = slot->held_ptr + below->top;
	slot->base = slot->held_ptr + below->base;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	slot->busy = busy;
	put_state(slot, below->state);
}

void lp_track_misuse(struct lp_track *track, struct lp_rec_slot *slot,
		     const struct lp_misuse *misuse)
{
	struct lp_rec_event *event;
	uint32_t stack, node;

	if (slot->busy)
		return;
	slot->busy = 1;
	stack = misuse->where ? track->ops->stack(misuse->where) : 0;
	settle(track, slot, &node);
	event = lp_writer_begin(&track->writer, LP_REC_EVENT, sizeof(*event), 0);
	if (event) {
		event->kind = misuse->kind;
		event->thread = slot->thread;
		event->lock = misuse->lock;
		event->stack = stack;
		event->node = node;
		event->holder_tid = misuse->holder_tid;
		event->address = misuse->address;
		event->serial = misuse->serial;
		lp_writer_done(event);
	}
	slot->busy = 0;
}

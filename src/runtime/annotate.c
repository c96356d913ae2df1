/* SPDX-License-Identifier: Apache-2.0 */
/*
 * annotate.c — what programs say by lockproof.h: classes, locks of their own, assertions, contexts.
 *
 * A lock is told by a ref: which memory, and whose it is. Locks of libc are followed by their
 * hooks, so only what is said about them beside that matters here. A lock of the program's own
 * keeps its tag in two words that it brings, or in the address table.
 *
 * Nothing here is on the way of a lock of libc, but for what lp_next_set() does to the next one.
 */
#include "lockproof.h"

#include "base/hash.h"
#include "runtime/runtime.h"

/* ---- the words of the header, in ours ---- */

static const uint8_t kinds[LOCKPROOF_KIND_COUNT] = {
	[LOCKPROOF_KIND_DEFAULT] = LP_LOCK_CUSTOM,
	[LOCKPROOF_KIND_MUTEX] = LP_LOCK_MUTEX,
	[LOCKPROOF_KIND_RECURSIVE] = LP_LOCK_RECURSIVE,
	[LOCKPROOF_KIND_RWLOCK] = LP_LOCK_RWLOCK,
	[LOCKPROOF_KIND_SPINLOCK] = LP_LOCK_SPINLOCK,
	[LOCKPROOF_KIND_SEMAPHORE] = LP_LOCK_SEMAPHORE,
	[LOCKPROOF_KIND_MAP] = LP_LOCK_MAP,
	[LOCKPROOF_KIND_RCU] = LP_LOCK_RCU,
	[LOCKPROOF_KIND_K_SPINLOCK] = LP_LOCK_K_SPINLOCK,
	[LOCKPROOF_KIND_K_RAW_SPINLOCK] = LP_LOCK_K_RAW_SPINLOCK,
	[LOCKPROOF_KIND_K_RWLOCK] = LP_LOCK_K_RWLOCK,
	[LOCKPROOF_KIND_K_SEQLOCK] = LP_LOCK_K_SEQLOCK,
	[LOCKPROOF_KIND_K_LOCAL_LOCK] = LP_LOCK_K_LOCAL_LOCK,
	[LOCKPROOF_KIND_K_MUTEX] = LP_LOCK_K_MUTEX,
	[LOCKPROOF_KIND_K_RT_MUTEX] = LP_LOCK_K_RT_MUTEX,
	[LOCKPROOF_KIND_K_RWSEM] = LP_LOCK_K_RWSEM,
	[LOCKPROOF_KIND_K_SEMAPHORE] = LP_LOCK_K_SEMAPHORE,
	[LOCKPROOF_KIND_K_COMPLETION] = LP_LOCK_K_COMPLETION,
	[LOCKPROOF_KIND_K_WW_MUTEX] = LP_LOCK_K_WW_MUTEX,
	[LOCKPROOF_KIND_K_SRCU] = LP_LOCK_K_SRCU,
};

static const uint8_t events[LOCKPROOF_EVENT_COUNT] = {
#define X(name, text) [LOCKPROOF_EVENT_##name] = LP_EVENT_##name,
	LP_EVENTS(X)
#undef X
};

static const uint8_t context_kinds[] = {
	[LOCKPROOF_CONTEXT_USER] = LP_CONTEXT_USER,
	[LOCKPROOF_CONTEXT_HARDIRQ] = LP_CONTEXT_HARDIRQ,
	[LOCKPROOF_CONTEXT_SOFTIRQ] = LP_CONTEXT_SOFTIRQ,
	[LOCKPROOF_CONTEXT_NMI] = LP_CONTEXT_NMI,
};

/* Ours are the same numbers, today: programs keep the header's for ever. */
_Static_assert((int)LOCKPROOF_WRITE == LP_WRITE && (int)LOCKPROOF_READ == LP_READ &&
	       (int)LOCKPROOF_READ_RECURSIVE == LP_READ_RECURSIVE, "modes");
_Static_assert((int)LOCKPROOF_WAIT_SLEEP == LP_WAIT_SLEEP &&
	       (int)LOCKPROOF_WAIT_FREE == LP_WAIT_FREE, "wait types");
_Static_assert((int)LOCKPROOF_NOVALIDATE == LP_CLASS_NOVALIDATE &&
	       (int)LOCKPROOF_ORDERED == LP_CLASS_ORDERED &&
	       (int)LOCKPROOF_SHOWN == LP_CLASS_SHOWN &&
	       (int)LOCKPROOF_WAIT_OVERRIDE == LP_CLASS_WAIT_OVERRIDE &&
	       (int)LOCKPROOF_BY_ADDRESS == LP_CLASS_BY_ADDRESS, "class flags");
_Static_assert(sizeof(struct lp_handler) <= sizeof(struct lockproof_frame), "frames");

static uint8_t mode_of(unsigned how)
{
	unsigned mode = how & LOCKPROOF_ANY;

	return mode == LOCKPROOF_ANY ? LP_WRITE : (uint8_t)mode;
}

static uint8_t flags_of(unsigned how)
{
	return (how & LOCKPROOF_TRY ? LP_TRY : 0) | (how & LOCKPROOF_TIMED ? LP_TIMED : 0) |
	       (how & LOCKPROOF_BACK_OFF ? LP_BACK_OFF : 0);
}

static uint8_t subclass_of(unsigned how)
{
	return (uint8_t)(how >> 8);
}

/* ---- classes ---- */

/* What a word of the program's is worth: made by this run, at this very place. */
static uint64_t tag_of(const void *place, uint32_t value)
{
	return lp_tag_make(lp_tag_check((uintptr_t)place, lp_nonce), value);
}

static uint32_t value_of(const void *place, const unsigned long long *word)
{
	uint64_t tag = __atomic_load_n(word, __ATOMIC_ACQUIRE);

	return (uint32_t)tag == lp_tag_check((uintptr_t)place, lp_nonce) ? tag >> 32 : 0;
}

/* The same in every run and on every machine that has this build of the module. */
static uint64_t key_of_place(const void *place)
{
	struct lp_frame frame = lp_place_of_data((uintptr_t)place);
	const struct lp_rec_module *module = lp_writer_at(&lp_rt.track.writer, frame.module);
	const char *slash;
	uint64_t hash;

	if (!frame.module)
		return 0;
	if (module->build_id_size) {
		hash = lp_hash_bytes(2, module->build_id, module->build_id_size);
	} else {
		slash = memrchr(module->path, '/', module->path_size);
		slash = slash ? slash : module->path;
		hash = lp_hash_bytes(3, slash, (size_t)(module->path + module->path_size - slash));
	}
	return lp_hash_add(hash, frame.offset);
}

static uint32_t make_class(const struct lockproof_class *from, enum lp_lock_kind kind)
{
	uint64_t key = from->key ? lp_hash_add(4, from->key) : key_of_place(from);
	struct lp_class_name name = {
		.kind = kind, .name = from->name ? from->name : "?",
		.flags = from->flags & LP_CLASS_FLAGS,
		.wait_outer = from->wait_outer < LP_WAIT_TYPE_COUNT ? from->wait_outer : 0,
		.wait_inner = from->wait_inner < LP_WAIT_TYPE_COUNT ? from->wait_inner : 0,
	};

	if (name.flags & LP_CLASS_BY_ADDRESS)
		name.flags |= LP_CLASS_ORDERED;
	name.key = lp_hash_bytes(key, name.name, strlen(name.name)) | 1;
	return lp_class_named(&name);
}

static enum lp_lock_kind kind_of_record(uint32_t class_ref)
{
	return ((const struct lp_rec_class *)lp_writer_at(&lp_rt.track.writer, class_ref))->kind;
}

/* CLASS for locks that are by themselves of kind `own`. 0: recording stopped. */
static uint32_t class_for(struct lockproof_class *from, enum lp_lock_kind own)
{
	bool given = from->kind && from->kind < LOCKPROOF_KIND_COUNT;
	enum lp_lock_kind kind = given ? kinds[from->kind] : own;
	uint32_t known = value_of(from, &from->runtime);

	if (known && kind_of_record(known) == kind)
		return known;
	known = make_class(from, kind);
	if (known)
		__atomic_store_n(&from->runtime, tag_of(from, known), __ATOMIC_RELEASE);
	return known;
}

/* ---- locks ---- */

/* A lock that is not there any more keeps its id in a tag that nobody takes for one. */
#define DEAD	0x5eedu

struct named {
	struct lp_home	home;
	uint64_t	address;
	struct lockproof_lock *own;	/* NULL: it is no custom lock */
	enum lp_lock_kind kind;		/* by itself */
	bool		simple;
	bool		hooked;		/* libc's */
};

static bool is_hooked(struct lockproof_ref ref)
{
	return ref.type == LOCKPROOF_TYPE_MUTEX || ref.type == LOCKPROOF_TYPE_RWLOCK ||
	       ref.type == LOCKPROOF_TYPE_SPINLOCK;
}

/* False: there is no such lock. */
static bool look_at(struct lockproof_ref ref, struct named *it)
{
	*it = (struct named){ .address = (uintptr_t)ref.lock, .kind = LP_LOCK_CUSTOM,
			      .simple = true, .hooked = is_hooked(ref) };
	if (!ref.lock)
		return false;
	switch (ref.type) {
	case LOCKPROOF_TYPE_CUSTOM:
		it->own = ref.lock;
		it->home.word = (uint64_t *)&it->own->runtime[0];
		it->home.serial = (uint64_t *)&it->own->runtime[1];
		return true;
	case LOCKPROOF_TYPE_MUTEX:
		it->home = lp_home_of_mutex(ref.lock);
		it->kind = lp_mutex_kind(ref.lock, &it->simple);
		break;
	case LOCKPROOF_TYPE_RWLOCK:
		it->home = lp_home_of_rwlock(ref.lock);
		it->kind = LP_LOCK_RWLOCK;
		break;
	case LOCKPROOF_TYPE_SPINLOCK:
		it->kind = LP_LOCK_SPINLOCK;
		/* fall through */
	case LOCKPROOF_TYPE_ADDRESS:
		it->home = lp_home_in_table(ref.lock);
		break;
	default:
		return false;
	}
	return it->home.word != NULL;
}

/* Several threads may "hold" one and run: nobody waits for them as for locks. */
static bool is_shared(const struct lp_rec_class *class)
{
	return class->kind == LP_LOCK_MAP || class->kind == LP_LOCK_RCU ||
	       (class->flags & LP_CLASS_SHOWN);
}

/* May the fast path push a lock of the program's of this class? */
static bool is_simple(uint32_t class_ref)
{
	const struct lp_rec_class *class = lp_writer_at(&lp_rt.track.writer, class_ref);

	return class->kind != LP_LOCK_RECURSIVE && !is_shared(class);
}

static bool simple_of(const struct named *it, uint32_t class_ref)
{
	return it->hooked ? it->simple : is_simple(class_ref);
}

/* Used after it was destroyed: say so, and let it live again. */
static LP_COLD void revive(struct lp_rec_slot *slot, struct named *it)
{
	uint64_t word = *it->home.word;
	uint32_t id = (uint32_t)(word >> 32);
	bool simple = is_simple(lp_track_class_of(&lp_rt.track.writer, id));

	*it->home.word = lp_tag_make(lp_tag_check(it->address, simple ? lp_nonce : lp_nonce_other),
				     id);
	lp_misuse(slot, LP_EVENT_DESTROYED, it->home, it->address, 0);
}

static bool is_dead(const struct named *it)
{
	return it->own && (uint32_t)*it->home.word == lp_tag_check(it->address, lp_nonce ^ DEAD);
}

static struct lp_lock_id identify(struct lp_rec_slot *slot, struct named *it)
{
	struct lp_lock_id lock;
	uint32_t class_ref;

	if (lp_unlikely(is_dead(it)))
		revive(slot, it);
	lock = lp_lock_known(it->home, it->address);
	if (lock.id || !it->own || !it->own->lock_class)
		return lp_lock_identify(it->home, it->address, it->kind, it->simple);
	class_ref = class_for(it->own->lock_class, it->kind);
	return lp_lock_adopt(it->home, it->address, class_ref, it->own->rank,
			     class_ref && is_simple(class_ref));
}

static const struct lp_rec_class *class_at(uint32_t id)
{
	struct lp_writer *writer = &lp_rt.track.writer;

	return lp_writer_at(writer, lp_track_class_of(writer, id));
}

/* The thread's slot and the lock; false: there is nothing to do. */
static bool begin(struct lockproof_ref ref, struct lp_rec_slot **slot, struct named *it)
{
	*slot = lp_slot();
	return *slot && !lp_writer_stopped(&lp_rt.track.writer) && look_at(ref, it);
}

static void api_init(struct lockproof_ref ref, struct lockproof_class *lock_class, unsigned rank)
{
	struct lp_rec_slot *slot;
	struct named it;
	uint32_t class_ref;

	if (!begin(ref, &slot, &it) || !lock_class || (it.hooked && lp_holds(slot, it.address)))
		return;
	lp_ends_held(slot, LP_EVENT_INIT_HELD, it.home, it.address);
	class_ref = class_for(lock_class, it.kind);
	if (!class_ref)
		return;
	if (it.own) {
		it.own->lock_class = lock_class;
		it.own->rank = rank;
	}
	lp_lock_register_class(it.home, it.address, class_ref, rank, simple_of(&it, class_ref));
}

static void api_destroy(struct lockproof_ref ref)
{
	struct lp_rec_slot *slot;
	struct lp_lock_id lock;
	struct named it;

	if (!begin(ref, &slot, &it) || it.hooked)
		return;
	lock = identify(slot, &it);
	lp_ends_held(slot, LP_EVENT_DESTROY_HELD, it.home, it.address);
	if (it.own && lock.id)
		*it.home.word = lp_tag_make(lp_tag_check(it.address, lp_nonce ^ DEAD), lock.id);
	else
		lp_lock_forget(it.home);
}

static void api_freed(const void *start, size_t bytes)
{
	struct lp_rec_slot *slot = lp_slot();
	uint64_t from = (uintptr_t)start;

	if (!slot)
		return;
	for (struct lp_held *held = lp_track_top(slot); held > lp_track_base(slot);) {
		uint64_t address = (--held)->lock & ~LP_COUNTED;

		if (address >= from && address - from < bytes)
			lp_misuse_held(slot, LP_EVENT_FREE_HELD, held);
	}
}

/* ---- taking and releasing ---- */

/* The lock of `ref` as it is held, for what is nested in it: LOCK or CLASS ref, 0: none. */
static uint32_t nest_of(struct lp_rec_slot *slot, struct lockproof_ref ref)
{
	const struct lp_rec_node *node;
	struct lp_held *held;
	struct named it;

	if (lp_likely(!ref.type) || !look_at(ref, &it))
		return 0;
	held = lp_holds(slot, it.address);
	if (held) {
		node = lp_writer_at(&lp_rt.track.writer, held->node);
		return held->node ? node->lock : 0;
	}
	identify(slot, &it);
	lp_misuse(slot, LP_EVENT_NEST_NOT_HELD, it.home, it.address, 0);
	return 0;
}

static struct lp_op op_of(const struct named *it, unsigned how, uint64_t site)
{
	return (struct lp_op){
		.home = it->home, .address = it->address, .site = site, .kind = it->kind,
		.simple = it->simple, .mode = mode_of(how), .flags = flags_of(how),
		.subclass = subclass_of(how),
	};
}

/* It does not wait for it, or not any more: a watcher must not think so. */
static void set_acquired(struct lp_rec_slot *slot, uint64_t address)
{
	struct lp_held *held = lp_holds(slot, address);

	if (held)
		held->flags |= LP_TRY;
}

static LP_COLD void acquire_slow(struct lp_rec_slot *slot, struct named *it, unsigned how,
				 struct lockproof_ref nest, uint64_t site)
{
	struct lp_lock_id lock = identify(slot, it);
	const struct lp_rec_class *class = lock.id ? class_at(lock.id) : NULL;
	struct lp_held *held = lp_holds(slot, it->address);
	struct lp_op op = op_of(it, how, site);

	if (!class)
		return;
	if (held && class->kind == LP_LOCK_RECURSIVE && held->count < UINT16_MAX) {
		held->count++;
		return;
	}
	op.kind = class->kind;
	op.simple = class->kind != LP_LOCK_RECURSIVE && !is_shared(class);
	op.nest = nest_of(slot, nest);
	lp_hold(slot, &op);
	if (is_shared(class))
		set_acquired(slot, it->address);
}

static uint64_t site_of(const void *ip, const void *caller)
{
	return (uintptr_t)(ip ? ip : caller);
}

static void api_acquire(struct lockproof_ref ref, unsigned how, struct lockproof_ref nest,
			const void *ip)
{
	uint64_t site = site_of(ip, __builtin_return_address(0));
	struct lp_rec_slot *slot;
	struct named it;

	if (!begin(ref, &slot, &it) || it.hooked)
		return;
	if (!nest.type && !subclass_of(how) &&
	    lp_hold_fast(slot, it.home.word, it.home.serial, it.address, site,
			 LP_KEY_HOW(mode_of(how), flags_of(how))))
		return;
	acquire_slow(slot, &it, how, nest, site);
}

/* An address alone, where more need not be known of the lock. */
static bool begin_address(struct lockproof_ref ref, struct lp_rec_slot **slot)
{
	*slot = lp_own_slot();
	return *slot && ref.lock && !is_hooked(ref);
}

static void api_acquired(struct lockproof_ref ref)
{
	struct lp_rec_slot *slot;

	if (begin_address(ref, &slot))
		set_acquired(slot, (uintptr_t)ref.lock);
}

static void api_acquire_failed(struct lockproof_ref ref)
{
	struct lp_op op = { .address = (uintptr_t)ref.lock };
	struct lp_rec_slot *slot;
	struct lp_held *held;

	if (!begin_address(ref, &slot))
		return;
	held = lp_holds(slot, op.address);
	if (held && held->count)
		held->count--;
	else if (held)
		lp_hold_undo(slot, &op);
}

static LP_COLD void release_slow(struct lp_rec_slot *slot, struct lockproof_ref ref)
{
	struct named it;

	if (lp_release(slot, (uintptr_t)ref.lock) || slot->lossy || !look_at(ref, &it))
		return;
	identify(slot, &it);
	lp_misuse(slot, LP_EVENT_UNLOCK_NOT_HELD, it.home, it.address, 0);
}

static void api_release(struct lockproof_ref ref, const void *ip)
{
	uint64_t where = site_of(ip, __builtin_return_address(0));
	struct lp_rec_slot *slot;

	if (!begin_address(ref, &slot))
		return;
	if (!lp_release_fast(slot, (uintptr_t)ref.lock))
		release_slow(slot, ref);
	/* nothing else tells that the rest is held alone, where something can strike */
	lp_track_note_state(&lp_rt.track, slot, (const void *)(uintptr_t)where);
}

static void api_change(struct lockproof_ref ref, unsigned how, const void *ip)
{
	uint64_t site = site_of(ip, __builtin_return_address(0));
	struct lp_rec_slot *slot;
	struct lp_held *held;
	struct named it;
	struct lp_op op;
	uint8_t kept;

	if (!begin(ref, &slot, &it))
		return;
	held = lp_holds(slot, it.address);
	if (!held) {
		identify(slot, &it);
		lp_misuse(slot, LP_EVENT_UNLOCK_NOT_HELD, it.home, it.address, 0);
		return;
	}
	op = op_of(&it, how & ~(unsigned)LOCKPROOF_TRY, site);
	op.flags |= LP_MOVED;		/* nobody waits for it here */
	op.simple = !(held->lock & LP_COUNTED);
	kept = held->flags & LP_PINNED;
	lp_track_remove(slot, held);
	lp_hold(slot, &op);
	lp_track_top(slot)[-1].flags |= kept;
	set_acquired(slot, it.address);
}

static void api_next(struct lockproof_ref ref, unsigned how, struct lockproof_ref nest)
{
	struct lp_next next = { .address = (uintptr_t)ref.lock, .subclass = subclass_of(how) };
	struct lp_rec_slot *slot = lp_slot();

	if (!slot)
		return;
	next.nest = nest_of(slot, nest);
	lp_next_set(slot, &next);
}

/* An acquisition that is not made, with its facts. */
static void note(struct lockproof_ref ref, unsigned how, uint8_t flags, uint64_t site)
{
	struct lp_rec_slot *slot;
	struct named it;
	struct lp_op op;

	if (!begin(ref, &slot, &it) || !identify(slot, &it).id)
		return;
	op = op_of(&it, how, site);
	op.flags |= flags;
	lp_hold_note(slot, &op);
}

static void api_sync(struct lockproof_ref ref, unsigned how, const void *ip)
{
	note(ref, how, LP_SYNC, site_of(ip, __builtin_return_address(0)));
}

/* Like an acquisition that gives up: it breaks the rules and never hangs. */
static void api_might_lock(struct lockproof_ref ref, unsigned how, const void *ip)
{
	note(ref, how, LP_TIMED, site_of(ip, __builtin_return_address(0)));
}

/* ---- what must be so ---- */

static bool holds_in(struct lp_rec_slot *slot, uint64_t address, unsigned mode)
{
	const struct lp_held *held = lp_holds(slot, address);

	if (!held)
		return false;
	return mode == LOCKPROOF_ANY || (held->mode == LP_WRITE) == (mode == LOCKPROOF_WRITE);
}

static int api_holds(struct lockproof_ref ref, unsigned mode)
{
	struct lp_rec_slot *slot = lp_slot();

	if (!slot || slot->lossy)
		return -1;
	return holds_in(slot, (uintptr_t)ref.lock, mode & LOCKPROOF_ANY);
}

static void expect_held(struct lockproof_ref ref, bool is_so, enum lp_event_kind kind)
{
	struct lp_rec_slot *slot;
	struct named it;

	if (is_so || !begin(ref, &slot, &it) || slot->lossy)
		return;
	identify(slot, &it);
	lp_misuse(slot, kind, it.home, it.address, 0);
}

static void api_assert_held(struct lockproof_ref ref, unsigned mode)
{
	expect_held(ref, api_holds(ref, mode) != 0, LP_EVENT_ASSERT_HELD);
}

static void api_assert_not_held(struct lockproof_ref ref)
{
	expect_held(ref, api_holds(ref, LOCKPROOF_ANY) != 1, LP_EVENT_ASSERT_NOT_HELD);
}

static void api_assert_none_held(void)
{
	struct lp_rec_slot *slot = lp_slot();

	if (slot && lp_track_top(slot) != lp_track_base(slot))
		lp_misuse_held(slot, LP_EVENT_ASSERT_NOT_HELD, lp_track_top(slot) - 1);
}

/* The thread's pin of that lock, or (0) a free one; NULL: there is none. */
static struct lp_pin *find_pin(uint64_t address)
{
	for (unsigned i = 0; i < LP_PINS; i++)
		if (lp_self.pin[i].address == address)
			return &lp_self.pin[i];
	return NULL;
}

/* The entry's address is another from now on, so that no fast path takes it off. */
static void set_pinned(struct lp_held *held)
{
	held->flags |= LP_PINNED;
	held->lock |= LP_COUNTED;
}

static void api_pin(struct lockproof_ref ref)
{
	struct lp_rec_slot *slot = lp_slot();
	struct lp_held *held = slot ? lp_holds(slot, (uintptr_t)ref.lock) : NULL;
	struct lp_pin *pin = find_pin((uintptr_t)ref.lock);

	if (!slot || !ref.lock)
		return;
	if (!held) {
		expect_held(ref, false, LP_EVENT_NOT_PINNED);
		return;
	}
	pin = pin ? pin : find_pin(0);
	if (!pin)
		return;
	/* of an acquisition that ended otherwise than by a release */
	if (!(held->flags & LP_PINNED))
		pin->count = 0;
	pin->address = (uintptr_t)ref.lock;
	pin->count++;
	set_pinned(held);
}

static void api_unpin(struct lockproof_ref ref)
{
	struct lp_rec_slot *slot = lp_slot();
	struct lp_held *held = slot ? lp_holds(slot, (uintptr_t)ref.lock) : NULL;
	struct lp_pin *pin = find_pin((uintptr_t)ref.lock);

	if (!slot || !ref.lock)
		return;
	if (!held || !pin) {
		/* with all places taken it may have been pinned and not noted */
		expect_held(ref, held && !find_pin(0), LP_EVENT_NOT_PINNED);
		return;
	}
	if (--pin->count)
		return;
	pin->address = 0;
	held->flags &= (uint8_t)~LP_PINNED;
}

void lp_pin_broken(struct lp_rec_slot *slot, struct lp_held *held)
{
	struct lp_pin *pin = find_pin(held->lock & ~LP_COUNTED);

	lp_misuse_held(slot, LP_EVENT_PINNED, held);
	held->flags &= (uint8_t)~LP_PINNED;
	if (pin)
		*pin = (struct lp_pin){ 0, 0 };
}

static void api_expect_order(struct lockproof_class *first, unsigned first_subclass,
			     struct lockproof_class *second, unsigned second_subclass)
{
	struct lp_rec_slot *slot = lp_slot();
	uint32_t a, b;

	if (!slot || !first || !second || lp_writer_stopped(&lp_rt.track.writer))
		return;
	/* of the default kind: what it was last found to be */
	a = value_of(first, &first->runtime);
	b = value_of(second, &second->runtime);
	a = lp_class_subclass(a ? a : class_for(first, LP_LOCK_CUSTOM), (uint8_t)first_subclass);
	b = lp_class_subclass(b ? b : class_for(second, LP_LOCK_CUSTOM), (uint8_t)second_subclass);
	if (a && b && a != b)
		lp_track_expect(&lp_rt.track, slot, a, b, __builtin_return_address(0));
}

static void api_misuse(unsigned event, struct lockproof_ref ref)
{
	struct lp_rec_slot *slot = lp_slot();
	const struct lp_home nowhere = { NULL, NULL };

	if (!slot || event >= LOCKPROOF_EVENT_COUNT)
		return;
	if (ref.type)
		expect_held(ref, false, events[event]);
	else
		lp_misuse(slot, events[event], nowhere, 0, 0);
}

/* ---- contexts ---- */

/* Its number in this process; LP_USERS: it has none. */
static unsigned number_of(struct lockproof_context *context)
{
	uint32_t known = value_of(context, &context->runtime);
	struct lp_user user = { .name = context->name ? context->name : "?",
				.wait = context->wait < LP_WAIT_TYPE_COUNT ? context->wait : 0,
				.everywhere = context->everywhere };
	unsigned long long none;
	unsigned number;

	if (known)
		return known - 1;
	none = __atomic_load_n(&context->runtime, __ATOMIC_RELAXED);
	user.kind = context->kind < lp_array_size(context_kinds) ?
		context_kinds[context->kind] : LP_CONTEXT_USER;
	number = lp_user_declare(&user);
	if (!__atomic_compare_exchange_n(&context->runtime, &none, tag_of(context, number + 1),
					 false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return (unsigned)(none >> 32) - 1;	/* another thread was first */
	return number;
}

static struct lp_rec_slot *slot_for_context(void)
{
	struct lp_rec_slot *slot = lp_slot();

	return slot && !lp_writer_stopped(&lp_rt.track.writer) ? slot : NULL;
}

static void api_context_enter(struct lockproof_context *context, struct lockproof_frame *frame)
{
	struct lp_rec_slot *slot = slot_for_context();
	unsigned number = slot && context && frame ? number_of(context) : LP_USERS;

	if (number < LP_USERS)
		lp_user_enter(slot, (struct lp_handler *)frame, number,
			      (uintptr_t)__builtin_return_address(0));
}

static void api_context_leave(struct lockproof_frame *frame)
{
	struct lp_rec_slot *slot = lp_own_slot();

	if (slot && frame)
		lp_user_leave(slot, (struct lp_handler *)frame,
			      (uintptr_t)__builtin_return_address(0));
}

static void api_context_set(struct lockproof_context *context, int on)
{
	struct lp_rec_slot *slot = slot_for_context();
	unsigned number = slot && context ? number_of(context) : LP_USERS;

	if (number < LP_USERS)
		lp_user_set(slot, number, on, (uintptr_t)__builtin_return_address(0));
}

static int api_running(void)
{
	return lp_slot() && !lp_writer_stopped(&lp_rt.track.writer);
}

static const struct lockproof_api api = {
	.running = api_running,
	.init = api_init,
	.destroy = api_destroy,
	.freed = api_freed,
	.acquire = api_acquire,
	.acquired = api_acquired,
	.acquire_failed = api_acquire_failed,
	.release = api_release,
	.change = api_change,
	.next = api_next,
	.sync = api_sync,
	.might_lock = api_might_lock,
	.holds = api_holds,
	.assert_held = api_assert_held,
	.assert_not_held = api_assert_not_held,
	.assert_none_held = api_assert_none_held,
	.pin = api_pin,
	.unpin = api_unpin,
	.expect_order = api_expect_order,
	.misuse = api_misuse,
	.context_enter = api_context_enter,
	.context_leave = api_context_leave,
	.context_set = api_context_set,
};

LP_PUBLIC const struct lockproof_api *lockproof_runtime_api(unsigned version)
{
	return version <= LOCKPROOF_API_VERSION && lp_slot() ? &api : NULL;
}

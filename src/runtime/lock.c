/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock.c — which lock is this, and of which class?
 *
 * A lock carries a tag: the ref of its LOCK or CLASS record and a check made from the run's nonce
 * and its own address, so stale, copied or foreign bytes are not taken for a tag. glibc on x86-64
 * leaves room in a pthread_mutex_t that is not robust (the link of the robust list) and in a
 * pthread_rwlock_t (padding); both are zeroed by init functions and static initialisers, so a lock
 * whose memory is used again is a new lock. All others are looked up by address.
 */
#include <string.h>

#include "base/hash.h"
#include "runtime/os.h"
#include "runtime/runtime.h"

static struct lp_home in_words(void *word, void *serial)
{
	return (struct lp_home){ word, serial };
}

struct lp_home lp_home_in_table(const volatile void *lock)
{
	uint64_t *value = lp_table_get((uintptr_t)lock);

	return value ? in_words(&value[0], &value[1]) : (struct lp_home){ NULL, NULL };
}

struct lp_home lp_home_of_mutex(pthread_mutex_t *mutex)
{
	int kind = __atomic_load_n(&mutex->__data.__kind, __ATOMIC_RELAXED);

	_Static_assert(sizeof(mutex->__data.__list) == 16, "room for a tag and a serial");
	if (lp_unlikely(kind & (LP_KIND_ROBUST | LP_KIND_SHARED)))
		return lp_home_in_table(mutex);
	return in_words(&mutex->__data.__list.__prev, &mutex->__data.__list.__next);
}

struct lp_home lp_home_of_rwlock(pthread_rwlock_t *rwlock)
{
	_Static_assert(offsetof(struct __pthread_rwlock_arch_t, __pad3) % 8 == 0, "serial");
	_Static_assert(offsetof(struct __pthread_rwlock_arch_t, __pad2) % 8 == 0, "tag");
	if (rwlock->__data.__shared)
		return lp_home_in_table(rwlock);
	return in_words(&rwlock->__data.__pad2, &rwlock->__data.__pad3);
}

struct class_probe {
	uint8_t		kind;
	uint8_t		origin;
	uint8_t		flags;
	uint8_t		wait_outer, wait_inner;
	uint8_t		subclass;
	uint32_t	base;		/* CLASS it is a subclass of; 0: it is none */
	uint32_t	stack;
	struct lp_frame	object;
	uint64_t	key;
	const char	*name;		/* NULL: its place tells what it is */
	uint32_t	name_size;
};

static bool class_equal(const void *record, const void *probe)
{
	const struct lp_rec_class *class = record;
	const struct class_probe *p = probe;

	return class->kind == p->kind && class->origin == p->origin && class->stack == p->stack &&
	       class->object.module == p->object.module &&
	       class->object.offset == p->object.offset && class->key == p->key &&
	       class->flags == p->flags && class->base == p->base &&
	       class->subclass == p->subclass && class->wait_outer == p->wait_outer &&
	       class->wait_inner == p->wait_inner && class->name_size == p->name_size &&
	       (!p->name_size || !memcmp(class->name, p->name, p->name_size));
}

static uint32_t class_record(const struct class_probe *probe)
{
	struct lp_writer *writer = &lp_rt.track.writer;
	uint64_t hash = lp_hash_add((uint64_t)probe->kind << 8 | probe->origin, probe->stack);
	struct lp_rec_class *class;
	uint32_t ref;

	hash = lp_hash_add(hash, (uint64_t)probe->object.module << 32 | probe->object.offset);
	if (probe->key)
		hash = lp_hash_bytes(hash ^ probe->key, probe->name, probe->name_size);
	if (probe->base)
		hash = lp_hash_add(hash ^ probe->base, probe->subclass);
	ref = lp_trie_find(writer, LP_TRIE_CLASS, hash, class_equal, probe);
	if (ref)
		return ref;
	class = lp_writer_begin(writer, LP_REC_CLASS, sizeof(*class) + probe->name_size, 0);
	if (!class)
		return 0;
	class->key = probe->key;
	class->flags = probe->flags;
	class->refine = !!(probe->flags & LP_CLASS_ORDERED);	/* which is about instances */
	class->wait_outer = probe->wait_outer;
	class->wait_inner = probe->wait_inner;
	class->subclass = probe->subclass;
	class->base = probe->base;
	class->name_size = probe->name_size;
	if (probe->name_size)
		memcpy(class->name, probe->name, probe->name_size);
	class->link.hash = hash;
	class->kind = probe->kind;
	class->origin = probe->origin;
	class->stack = probe->stack;
	class->object = probe->object;
	return lp_trie_publish(writer, LP_TRIE_CLASS, (struct lp_linked *)class, class_equal,
			       probe);
}

/*
 * One init call may set up many static objects: an array in a loop. Past a number of them the
 * object says nothing any more. Two calls that share a counter only get there sooner.
 */
static bool tell_static_apart(uint32_t stack)
{
	static uint32_t inits[1024];

	return __atomic_fetch_add(&inits[lp_hash64(stack) % lp_array_size(inits)], 1,
				  __ATOMIC_RELAXED) < LP_STATIC_INITS;
}

static uint32_t class_of_first_use(uint64_t address, enum lp_lock_kind kind)
{
	struct class_probe probe = { .kind = (uint8_t)kind, .origin = LP_ORIGIN_STATIC,
				     .object = lp_place_of_data(address) };

	if (!probe.object.module) {
		probe.origin = LP_ORIGIN_FIRST_LOCK;
		probe.stack = lp_stack_capture(LP_CLASS_FRAMES);
	}
	return class_record(&probe);
}

static uint32_t class_of_init(uint64_t address, enum lp_lock_kind kind)
{
	struct class_probe probe = { .kind = (uint8_t)kind, .origin = LP_ORIGIN_INIT,
				     .stack = lp_stack_capture(LP_CLASS_FRAMES),
				     .object = lp_place_of_data(address) };

	if (probe.object.module && !tell_static_apart(probe.stack))
		probe.object = (struct lp_frame){ 0, 0 };
	return class_record(&probe);
}

/* A LOCK record for the instance when its class tells instances apart; else the CLASS itself. */
static uint32_t id_for(uint32_t class_ref, uint64_t serial, uint64_t address, uint32_t rank)
{
	struct lp_writer *writer = &lp_rt.track.writer;
	struct lp_rec_class *class = lp_writer_at(writer, class_ref);
	uint32_t count = __atomic_fetch_add(&class->locks, 1, __ATOMIC_RELAXED);
	bool refine = __atomic_load_n(&class->refine, __ATOMIC_RELAXED);
	struct lp_rec_lock *lock;

	if (count >= (refine ? LP_LOCKS_APART_MAX : LP_LOCKS_APART))
		return class_ref;
	lock = lp_writer_begin(writer, LP_REC_LOCK, sizeof(*lock), 0);
	if (!lock)
		return 0;
	lock->class_ref = class_ref;
	lock->process = lp_rt.process;
	lock->serial = serial;
	lock->address = address;
	lock->rank = rank;
	lp_writer_done(lock);
	return lp_writer_ref(writer, lock);
}

/*
 * Install the tag, then its serial. Of two threads that meet here the first one's stay: until it
 * has stored the serial, others read the old one, or find it in the LOCK record.
 */
static struct lp_lock_id set_tag(struct lp_home home, uint64_t address, uint32_t class_ref,
				 uint32_t rank, bool simple)
{
	struct lp_writer *writer = &lp_rt.track.writer;
	uint64_t old_word = __atomic_load_n(home.word, __ATOMIC_RELAXED);
	uint64_t serial = __atomic_add_fetch(&writer->image->serial, 1, __ATOMIC_RELAXED);
	const struct lp_rec_lock *lock;
	uint32_t check = lp_tag_check(address, simple ? lp_nonce : lp_nonce_other);
	uint64_t word;
	uint32_t id;

	if (!class_ref)
		return (struct lp_lock_id){ 0, 0 };
	id = id_for(class_ref, serial, address, rank);
	if (!id)
		return (struct lp_lock_id){ 0, 0 };
	word = lp_tag_make(check, id);
	if (__atomic_compare_exchange_n(home.word, &old_word, word, false, __ATOMIC_RELEASE,
					__ATOMIC_ACQUIRE)) {
		__atomic_store_n(home.serial, serial, __ATOMIC_RELEASE);
		return (struct lp_lock_id){ id, serial };
	}
	id = (uint32_t)(old_word >> 32);
	lock = lp_writer_at(writer, id);
	return (struct lp_lock_id){ id, lock->rec.type == LP_REC_LOCK ? lock->serial : 0 };
}

static bool is_tag(uint64_t word, uint64_t address)
{
	uint32_t check = (uint32_t)word;

	return check == lp_tag_check(address, lp_nonce) ||
	       check == lp_tag_check(address, lp_nonce_other);
}

struct lp_lock_id lp_lock_known(struct lp_home home, uint64_t address)
{
	uint64_t word = home.word ? __atomic_load_n(home.word, __ATOMIC_ACQUIRE) : 0;

	if (!is_tag(word, address))
		return (struct lp_lock_id){ 0, 0 };
	return (struct lp_lock_id){ (uint32_t)(word >> 32), *home.serial };
}

/* Its class nests in itself since it was tagged: give it an id of its own. */
static struct lp_lock_id refine(struct lp_home home, uint64_t address, struct lp_lock_id lock)
{
	uint64_t word = __atomic_load_n(home.word, __ATOMIC_RELAXED);
	uint32_t id = id_for(lock.id, lock.serial, address, 0);

	if (id && id != lock.id &&
	    __atomic_compare_exchange_n(home.word, &word,
					lp_tag_make((uint32_t)word, id), false,
					__ATOMIC_RELEASE, __ATOMIC_RELAXED))
		lock.id = id;
	return lock;
}

struct lp_lock_id lp_lock_identify(struct lp_home home, uint64_t address, enum lp_lock_kind kind,
				   bool simple)
{
	struct lp_writer *writer = &lp_rt.track.writer;
	struct lp_lock_id lock = lp_lock_known(home, address);
	const struct lp_rec_class *class;

	if (lock.id) {
		class = lp_writer_at(writer, lock.id);
		if (class->rec.type == LP_REC_CLASS && class->refine &&
		    class->locks < LP_LOCKS_APART_MAX)
			lock = refine(home, address, lock);
		return lock;
	}
	if (!home.word || lp_writer_stopped(writer))
		return lock;
	return set_tag(home, address, class_of_first_use(address, kind), 0, simple);
}

void lp_lock_register(struct lp_home home, uint64_t address, enum lp_lock_kind kind, bool simple)
{
	if (!home.word || lp_writer_stopped(&lp_rt.track.writer))
		return;
	*home.word = 0;
	lp_release_inherited(lp_self.slot, address);
	set_tag(home, address, class_of_init(address, kind), 0, simple);
}

uint32_t lp_class_named(const struct lp_class_name *name)
{
	struct class_probe probe = {
		.kind = (uint8_t)name->kind, .origin = LP_ORIGIN_INIT, .flags = name->flags,
		.key = name->key, .name = name->name,
		.wait_outer = name->wait_outer, .wait_inner = name->wait_inner,
		.name_size = (uint32_t)strlen(name->name),
	};

	if (!probe.key)
		probe.key = lp_hash_bytes(1, name->name, probe.name_size) | 1;
	return lp_writer_stopped(&lp_rt.track.writer) ? 0 : class_record(&probe);
}

uint32_t lp_class_of_life(uint64_t start)
{
	struct class_probe probe = { .kind = LP_LOCK_MAP, .origin = LP_ORIGIN_STATIC,
				     .object = lp_place(start) };

	return lp_writer_stopped(&lp_rt.track.writer) ? 0 : class_record(&probe);
}

void lp_lock_register_class(struct lp_home home, uint64_t address, uint32_t class_ref,
			    uint32_t rank, bool simple)
{
	if (!home.word || lp_writer_stopped(&lp_rt.track.writer))
		return;
	*home.word = 0;
	lp_release_inherited(lp_self.slot, address);
	set_tag(home, address, class_ref, rank, simple);
}

struct lp_lock_id lp_lock_adopt(struct lp_home home, uint64_t address, uint32_t class_ref,
				uint32_t rank, bool simple)
{
	struct lp_lock_id lock = lp_lock_known(home, address);

	if (lock.id || !home.word || lp_writer_stopped(&lp_rt.track.writer))
		return lock;
	return set_tag(home, address, class_ref, rank, simple);
}

uint32_t lp_class_subclass(uint32_t class_ref, uint8_t subclass)
{
	const struct lp_rec_class *base = lp_writer_at(&lp_rt.track.writer, class_ref);
	struct class_probe probe;

	/* a class without a key of its own is known by its place, which its parts would share */
	if (!class_ref || !subclass || !base->key)
		return class_ref;
	probe = (struct class_probe){
		.kind = base->kind, .origin = base->origin, .flags = base->flags,
		.wait_outer = base->wait_outer, .wait_inner = base->wait_inner,
		.stack = base->stack, .object = base->object, .name = base->name,
		.name_size = base->name_size, .subclass = subclass, .base = class_ref,
		.key = lp_hash_add(base->key, subclass) | 1,
	};
	return class_record(&probe);
}

#define SUBCLASS_KEY	(1ull << 62)	/* in the table: no address */

/* The entry remembers the id of this very lock: serials tell locks of one address apart. */
static bool is_current(uint64_t entry, struct lp_lock_id lock)
{
	const struct lp_rec_class *class = lp_writer_at(&lp_rt.track.writer, (uint32_t)entry);

	return entry && (uint32_t)(entry >> 32) == (uint32_t)lock.serial &&
	       !(class->rec.type == LP_REC_CLASS && class->refine &&
		 class->locks < LP_LOCKS_APART_MAX);
}

static uint32_t rank_of(uint32_t id)
{
	const struct lp_rec_lock *lock = lp_writer_at(&lp_rt.track.writer, id);

	return lock->rec.type == LP_REC_LOCK ? lock->rank : 0;
}

uint32_t lp_lock_subclass(struct lp_lock_id lock, uint64_t address, uint8_t subclass)
{
	struct lp_writer *writer = &lp_rt.track.writer;
	uint32_t class_ref = lp_track_class_of(writer, lock.id), id;
	uint64_t *known = lp_table_get(lp_hash_add(address, subclass) | SUBCLASS_KEY);
	uint64_t entry = known ? __atomic_load_n(&known[0], __ATOMIC_ACQUIRE) : 0;

	if (is_current(entry, lock))
		return (uint32_t)entry;
	class_ref = lp_class_subclass(class_ref, subclass);
	if (!class_ref || class_ref == lp_track_class_of(writer, lock.id))
		return lock.id;
	id = id_for(class_ref, lock.serial, address, rank_of(lock.id));
	if (!id)
		return lock.id;
	if (known)
		__atomic_store_n(&known[0], id | lock.serial << 32, __ATOMIC_RELEASE);
	return id;
}

void lp_lock_forget(struct lp_home home)
{
	if (home.word) {
		*home.word = 0;
		*home.serial = 0;
	}
}

// SPDX-License-Identifier: BSD-3-Clause
// ring_inline.h - the hot half of ring.h: layout and the enqueue and dequeue paths
//
// Each end has two lines. On the first, its own: `head`, claimed up to here, and `seen`, the latest copy of
// the other end's tail. On the second what the other end reads: `tail`, entries up to it are finished. A
// line so moves between cores only when the copy says that the ring is full (empty). With all three on
// one line an SPSC transfer of single entries took 90 cycles instead of 20: the owner's loads of seen
// missed whenever the other end had looked at tail.
//
// SPSC just moves head and tail together. MPMC claims entries by moving head, copies, and moves tail in the
// order of the claims. head and seen share a word and move by one CAS: a claim is thus always judged
// against the copy of the tail that belongs to it, however long its thread was stopped in between. A
// thread stopped between claim and finish makes the others of its end wait: lcores are pinned and not
// preempted.
#ifndef WEIR_MEMPOOL_RING_INLINE_H
#define WEIR_MEMPOOL_RING_INLINE_H

#include <assert.h>
#include <stdbool.h>

#define RING_APART (2 * CACHE_LINE) // the prefetcher fetches lines in pairs

struct ring_end {
	union {
		struct {
			uint32_t seen; // the other end's tail, as last read
			uint32_t head; // claimed up to here
		};
		uint64_t claim;
	};
	uint8_t pad0[RING_APART - 8];
	uint32_t tail; // finished up to here
	uint8_t pad1[RING_APART - 4];
};

struct ring {
	uint32_t size; // entries; constant
	uint32_t mask; // size - 1; constant
	uint8_t pad[RING_APART - 8];
	struct ring_end prod;
	struct ring_end cons;
	void *slot[];
} cache_aligned;

static_assert(offsetof(struct ring_end, tail) == RING_APART, "own and shared half lie apart");
static_assert(offsetof(struct ring, prod) == RING_APART, "constants share no line with an end");
static_assert(offsetof(struct ring, cons) == 3 * RING_APART, "ends share no line");
static_assert(offsetof(struct ring, slot) == 5 * RING_APART, "slots share no line with an end");

typedef uint64_t ring_vec4 __attribute__((vector_size(32), aligned(8), may_alias));
typedef uint64_t ring_vec2 __attribute__((vector_size(16), aligned(8), may_alias));

// Copies n pointers; dst may overlap src only from below.
static always_inline void ring_copy(void **dst, void *const *src, unsigned n)
{
	unsigned i = 0;

	if (n == 1) {
		dst[0] = src[0];
		return;
	}
	for (; i + 8 <= n; i += 8) {
		ring_vec4 a = *(const ring_vec4 *)(src + i);
		ring_vec4 b = *(const ring_vec4 *)(src + i + 4);

		*(ring_vec4 *)(dst + i) = a;
		*(ring_vec4 *)(dst + i + 4) = b;
	}
	if (n & 4) {
		*(ring_vec4 *)(dst + i) = *(const ring_vec4 *)(src + i);
		i += 4;
	}
	if (n & 2) {
		*(ring_vec2 *)(dst + i) = *(const ring_vec2 *)(src + i);
		i += 2;
	}
	if (n & 1)
		dst[i] = src[i];
}

// The rare half: entries that continue at the start of the array.
void ring_write_wrapping(struct ring *r, uint32_t at, void *const *in, unsigned n);
void ring_read_wrapping(const struct ring *r, uint32_t at, void **out, unsigned n);

static always_inline void ring_write(struct ring *r, uint32_t index, void *const *in, unsigned n)
{
	uint32_t at = index & r->mask;
	uint32_t end = r->size - at;

	if (likely(n <= end)) {
		ring_copy(&r->slot[at], in, n);
		return;
	}
	ring_write_wrapping(r, at, in, n);
}

static always_inline void ring_read(const struct ring *r, uint32_t index, void **out, unsigned n)
{
	uint32_t at = index & r->mask;
	uint32_t end = r->size - at;

	if (likely(n <= end)) {
		ring_copy(out, &r->slot[at], n);
		return;
	}
	ring_read_wrapping(r, at, out, n);
}

// Of n entries, how many there is room for now: so many will fit, until the producer puts them.
static always_inline unsigned ring_spsc_room(struct ring *r, unsigned n)
{
	uint32_t head = r->prod.head; // ours alone
	uint32_t room = r->size - (head - r->prod.seen);

	if (room < n) {
		// Acquire (1): pairs with release (2), the entries are read before we overwrite them.
		r->prod.seen = __atomic_load_n(&r->cons.tail, __ATOMIC_ACQUIRE);
		room = r->size - (head - r->prod.seen);
		if (room < n)
			n = room;
	}
	return n;
}

// Enqueues n entries, at least 1, for which ring_spsc_room() has said that there is room.
static always_inline void ring_spsc_put(struct ring *r, void *const *in, unsigned n)
{
	uint32_t head = r->prod.head;

	ring_write(r, head, in, n);
	r->prod.head = head + n;
	// Release (3): pairs with acquire (4), the entries are written before they are offered.
	__atomic_store_n(&r->prod.tail, head + n, __ATOMIC_RELEASE);
}

static always_inline unsigned ring_spsc_enqueue_burst(struct ring *r, void *const *in, unsigned n)
{
	n = ring_spsc_room(r, n);
	if (n) // full: leave the line that the consumer reads alone
		ring_spsc_put(r, in, n);
	return n;
}

static always_inline unsigned ring_spsc_dequeue_burst(struct ring *r, void **out, unsigned n)
{
	uint32_t head = r->cons.head; // ours alone
	uint32_t there = r->cons.seen - head;

	if (there < n) {
		// Acquire (4): pairs with release (3).
		r->cons.seen = __atomic_load_n(&r->prod.tail, __ATOMIC_ACQUIRE);
		there = r->cons.seen - head;
		if (there < n)
			n = there;
		if (n == 0) // empty: leave the line that the producer reads alone
			return 0;
	}
	ring_read(r, head, out, n);
	r->cons.head = head + n;
	// Release (2): pairs with acquire (1).
	__atomic_store_n(&r->cons.tail, head + n, __ATOMIC_RELEASE);
	return n;
}

// Claims up to n entries of one end (all: n or none) and says in *at where they start. base is what the
// end may take when both indices are equal: the size for producers, 0 for consumers.
static always_inline unsigned ring_claim(struct ring_end *self, const struct ring_end *other,
					 uint32_t base, unsigned n, bool all, uint32_t *at)
{
	// Acquire (5): pairs with release (6); whoever stored this `seen` had acquired that tail.
	uint64_t old = __atomic_load_n(&self->claim, __ATOMIC_ACQUIRE);
	uint64_t new;
	uint32_t head, seen, take;

	do {
		head = (uint32_t)(old >> 32);
		seen = (uint32_t)old;
		take = n;
		new = old + ((uint64_t)n << 32); // head is above seen: its wrap leaves the word
		if (unlikely(base + seen - head < n)) {
			// Acquire (7): pairs with release (8) of the other end's ring_finish().
			seen = __atomic_load_n(&other->tail, __ATOMIC_ACQUIRE);
			if (base + seen - head < n) {
				take = all ? 0 : base + seen - head;
				if (take == 0)
					return 0;
			}
			new = (uint64_t)(head + take) << 32 | seen;
		}
		// Release (6), and acquire as (5) when another thread was quicker.
	} while (!__atomic_compare_exchange_n(&self->claim, &old, new, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_ACQUIRE));
	*at = head;
	return take;
}

// Ends a claim: after the claims made before it, so that the other end never sees a gap.
static always_inline void ring_finish(struct ring_end *self, uint32_t at, unsigned n)
{
	// Acquire: pairs with release (8) of the claim before ours, whose entries (8) then offers too.
	while (unlikely(__atomic_load_n(&self->tail, __ATOMIC_ACQUIRE) != at))
		__builtin_ia32_pause();
	// Release (8): pairs with acquire (7).
	__atomic_store_n(&self->tail, at + n, __ATOMIC_RELEASE);
}

static always_inline unsigned ring_mpmc_enqueue(struct ring *r, void *const *in, unsigned n, bool all)
{
	uint32_t at;

	n = ring_claim(&r->prod, &r->cons, r->size, n, all, &at);
	if (n == 0)
		return 0;
	ring_write(r, at, in, n);
	ring_finish(&r->prod, at, n);
	return n;
}

static always_inline unsigned ring_mpmc_dequeue(struct ring *r, void **out, unsigned n, bool all)
{
	uint32_t at;

	n = ring_claim(&r->cons, &r->prod, 0, n, all, &at);
	if (n == 0)
		return 0;
	ring_read(r, at, out, n);
	ring_finish(&r->cons, at, n);
	return n;
}

static always_inline unsigned ring_mpmc_enqueue_burst(struct ring *r, void *const *in, unsigned n)
{
	return ring_mpmc_enqueue(r, in, n, false);
}

static always_inline unsigned ring_mpmc_dequeue_burst(struct ring *r, void **out, unsigned n)
{
	return ring_mpmc_dequeue(r, out, n, false);
}

static always_inline unsigned ring_mpmc_enqueue_bulk(struct ring *r, void *const *in, unsigned n)
{
	return ring_mpmc_enqueue(r, in, n, true);
}

static always_inline unsigned ring_mpmc_dequeue_bulk(struct ring *r, void **out, unsigned n)
{
	return ring_mpmc_dequeue(r, out, n, true);
}

#endif

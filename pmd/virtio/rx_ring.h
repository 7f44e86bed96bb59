// SPDX-License-Identifier: BSD-3-Clause
// rx_ring.h - receive, below packets: post buffers and take used ones, in both layouts
//
// `packed` is a constant wherever these are called in a burst.
#ifndef WEIR_PMD_VIRTIO_RX_RING_H
#define WEIR_PMD_VIRTIO_RX_RING_H

#include "pmd/virtio/block.h"
#include "pmd/virtio/packed.h"
#include "pmd/virtio/rx.h"
#include "pmd/virtio/split.h"

#define RX_CHUNK  64u // used buffers looked at together, so that their cache misses overlap
#define RX_REFILL 32u

// An id that is not the one posted at this place: a device that works out of order, or one that
// skips some of the `ready` next buffers (IN_ORDER), or one that lies. Whether buf[id] is now the
// one to take.
bool virtio_rx_other(struct virtio_rxq *q, uint16_t idx, struct virtq_used_elem e, unsigned ready);

// The same of an element that names no buffer, or more bytes than it has: names the fault.
void virtio_rx_reject(struct virtio_rxq *q, uint32_t id);

// The next buffers of those that the device has skipped; as rx_take.
unsigned virtio_rx_skipped(struct virtio_rxq *q, struct mbuf **seg, uint32_t *len, unsigned n);

// mbuf.h: the headroom follows struct mbuf. Reading mbuf.buf instead would cost its cold line.
static always_inline uint8_t *rx_data(struct mbuf *m)
{
	return (uint8_t *)(m + 1) + MBUF_HEADROOM;
}

static always_inline uint8_t *rx_header(struct mbuf *m)
{
	return rx_data(m) - VIRTIO_NET_HDR_LEN;
}

// The last buffers of n by fours, while they get the ids that follow each other; how many are left.
static always_inline unsigned rx_post_blocks(struct virtio_rxq *q, const uint16_t *slot,
					     struct virtq_packed_desc *ring, struct mbuf *const *m,
					     unsigned n, uint64_t word)
{
	const uint64_t header = sizeof(struct mbuf) + MBUF_HEADROOM - VIRTIO_NET_HDR_LEN;
	const __m256i to_header = _mm256_set1_epi64x((int64_t)(plat_iova(NULL) + header));
	const __m256i base = _mm256_set_epi64x(3ll << 32, 2ll << 32, 1ll << 32, 0);

	for (; n >= 4; n -= 4) {
		unsigned i = n - 4, id = slot[i];
		__m256i four = virtq_block_load(m + i);
		__m256i ids =
			_mm256_add_epi64(base, _mm256_set1_epi64x((int64_t)((uint64_t)id << 32)));

		if (unlikely(!virtq_block_runs(slot + i, id)))
			break;
		_mm256_storeu_si256((__m256i *)(void *)(q->vq.buf + id), four);
		virtq_block_put(ring + i, _mm256_add_epi64(four, to_header),
				_mm256_or_si256(ids, _mm256_set1_epi64x((int64_t)word)));
	}
	return n;
}

// n buffers to the n places of the ring from `idx` on, which do not cross its end.
static always_inline void rx_post_run(struct virtio_rxq *q, uint16_t idx, struct mbuf *const *m,
				      unsigned n, bool packed)
{
	struct virtq *vq = &q->vq;
	struct mbuf **buf = vq->buf;
	const uint16_t *slot = vq->slot + (idx & vq->mask);
	uint16_t flags = (uint16_t)(virtq_packed_avail_flags(vq, idx) | VIRTQ_DESC_F_WRITE);
	uint64_t word = virtq_packed_word(q->posted, 0, flags);
	struct virtq_packed_desc *ring = vq->ring + (idx & vq->mask);
	struct virtq_desc *desc = vq->desc;

	if (packed)
		n = rx_post_blocks(q, slot, ring, m, n, word);
	for (unsigned i = n; i-- > 0;) {
		uint16_t id = slot[i];
		uint64_t addr = plat_iova(rx_header(m[i]));

		buf[id] = m[i];
		if (packed)
			virtq_packed_put(ring + i, addr, word | virtq_packed_word(0, id, 0));
		else
			desc[id].addr = addr;
	}
}

// Gives n buffers to the device. A packed ring is written from the last one to the first, so that a
// device that is waiting finds them all at once, and does not fight for their cache lines
// meanwhile.
static always_inline void rx_post(struct virtio_rxq *q, struct mbuf *const *m, unsigned n,
				  bool packed)
{
	struct virtq *vq = &q->vq;
	unsigned run = virtq_size(vq) - (vq->avail_idx & vq->mask);

	mempool_own(m, n, "virtio-rx");
	if (unlikely(n > run))
		rx_post_run(q, (uint16_t)(vq->avail_idx + run), m + run, n - run, packed);
	rx_post_run(q, vq->avail_idx, m, n < run ? n : run, packed);
	vq->avail_idx = (uint16_t)(vq->avail_idx + n);
}

// Lets the device hold `more` buffers more.
static inline void rx_more(struct virtio_rxq *q, uint32_t more)
{
	uint32_t size = virtq_size(&q->vq);

	q->target = (uint16_t)(q->target + more < size ? q->target + more : size);
}

// Whether the device has used half of the buffers it may hold; ready: used (split) or outstanding.
static inline bool rx_in_demand(const struct virtio_rxq *q, unsigned ready, bool packed)
{
	const struct virtq *vq = &q->vq;
	unsigned half = (q->target + 1u) / 2;
	uint16_t idx = (uint16_t)(vq->used_idx + half - 1);

	return ready >= half &&
	       (!packed || virtq_packed_is_used(vq, idx, virtq_packed_load(vq, idx)));
}

// Posts a batch at a time; fewer when the pool has no more. Returns whether any.
static always_inline bool rx_fill(struct virtio_rxq *q, bool packed)
{
	struct virtq *vq = &q->vq;
	uint32_t room = q->target - virtq_outstanding(vq);
	uint16_t before = vq->avail_idx;
	struct mbuf *m[RX_REFILL];
	unsigned batch = q->refill;

	while (room >= batch) {
		if (unlikely(mempool_get_bulk(q->pool, m, batch))) {
			q->nombuf += batch == q->refill;
			batch /= 2; // the pool may still have a few, and a starved queue needs one
			if (!batch)
				break;
			continue;
		}
		rx_post(q, m, batch, packed);
		room -= batch;
	}
	return vq->avail_idx != before;
}

static always_inline void rx_refill(struct virtio_rxq *q, bool packed)
{
	struct virtq *vq = &q->vq;

	if (!rx_fill(q, packed))
		return;
	if (!packed)
		virtq_split_publish(vq);
	virtq_kick(vq, packed ? virtq_packed_wants_doorbell(vq) : virtq_split_wants_doorbell(vq));
}

// One used buffer: the place says what to expect, before the device's word for it has arrived. In a
// packed ring `want` are the flags that make a descriptor used.
static always_inline bool rx_look(const struct virtq *vq, unsigned at, uint16_t want,
				  struct virtq_used_elem *e, bool packed)
{
	const uint32_t keep = (uint32_t)VIRTQ_PACKED_BOTH << 16 | 0xffff;
	uint32_t expected = vq->slot[at];
	uint64_t word;

	if (!packed) {
		*e = virtq_split_used(vq, (uint16_t)at);
		return e->id == expected;
	}
	word = virtq_packed_load(vq, (uint16_t)at);
	e->len = virtq_packed_len(word);
	e->id = (uint32_t)(word >> 32) & keep;
	return e->id == (expected | (uint32_t)want << 16);
}

// Starts the cache misses of a buffer: its mbuf's, and its header's where that will be read. (The
// frame itself: whoever reads it.)
static always_inline void rx_touch(struct mbuf *m, bool header)
{
	__builtin_prefetch(m, 1);
	if (header)
		__builtin_prefetch(rx_header(m));
}

// Takes used buffers by fours, up to n, from place `at` on, as long as they are what was posted
// there.
static always_inline unsigned rx_take_blocks(struct virtio_rxq *q, struct mbuf **seg, uint32_t *len,
					     unsigned n, unsigned at, uint16_t want, bool packed,
					     bool header)
{
	const __m256i even = _mm256_set_epi32(0, 0, 0, 0, 6, 4, 2, 0);
	struct virtq *vq = &q->vq;
	unsigned i;

	for (i = 0; i + 4 <= n; i += 4) {
		unsigned id = at + i;
		struct virtq_block b;
		__m256i bytes;

		if (unlikely(!virtq_block_runs(vq->slot + id, id)) ||
		    !virtq_block_used(vq, id, id, want, q->posted, &b, packed))
			break;
		_mm256_storeu_si256((__m256i *)(void *)(vq->buf + id), _mm256_setzero_si256());
		_mm256_storeu_si256((__m256i *)(void *)(seg + i), b.buf);
		bytes = _mm256_permutevar8x32_epi32(b.bytes, even);
		_mm_storeu_si128((__m128i *)(void *)(len + i), _mm256_castsi256_si128(bytes));
		for (unsigned k = 0; k < 4; k++)
			rx_touch(seg[i + k], header);
	}
	return i;
}

// Takes up to n of `ready` used buffers off the ring, starting their cache misses (that of the
// header where it will be read). Fewer when there are no more (a packed ring does not say how many
// there are) and at the ring's end, or with a fault, when the device names one that it was not
// given, or fills it with more than it holds.
static always_inline unsigned rx_take(struct virtio_rxq *q, struct mbuf **seg, uint32_t *len,
				      unsigned n, unsigned ready, bool packed, bool header)
{
	struct virtq *vq = &q->vq;
	struct mbuf **buf = vq->buf;
	unsigned first = vq->used_idx & vq->mask, run = virtq_size(vq) - first, i;
	uint16_t want = virtq_packed_used_flags(vq, vq->used_idx);
	uint32_t posted = q->posted;

	if (unlikely(q->skip))
		return virtio_rx_skipped(q, seg, len, n);
	if (unlikely(n > run))
		n = run;
	i = rx_take_blocks(q, seg, len, n, first, want, packed, header);
	for (; i < n; i++) {
		struct virtq_used_elem e;
		struct mbuf *m;

		if (likely(rx_look(vq, first + i, want, &e, packed))) {
			e.id = vq->slot[first + i];
		} else {
			if (packed && e.id >> 16 != want)
				break;
			e.id = packed ? (uint16_t)e.id : e.id;
			if (!virtio_rx_other(q, (uint16_t)(vq->used_idx + i), e, ready - i))
				break;
		}
		m = buf[e.id];
		if (unlikely(!m || e.len > posted)) {
			virtio_rx_reject(q, e.id);
			break;
		}
		buf[e.id] = NULL;
		seg[i] = m;
		len[i] = e.len;
		rx_touch(m, header);
	}
	vq->used_idx = (uint16_t)(vq->used_idx + i);
	return i;
}

#endif

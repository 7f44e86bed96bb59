// SPDX-License-Identifier: BSD-3-Clause
// burst.c - receive and send: move a few fields between the two headers of a buffer
#include <rte_ethdev.h>
#include <string.h>

#include "pmd/dpdk/dpdk.h"

#define CHUNK 64u // packets handed to DPDK at once

// Segments after the first; leaves each rte_mbuf as DPDK wants one that is by itself.
static __attribute__((noinline)) void rx_chain(struct rte_mbuf *r, struct mbuf *m)
{
	m->nsegs = (uint8_t)r->nb_segs;
	r->nb_segs = 1;
	for (struct rte_mbuf *next = r->next; next; m = m->next, r = next, next = r->next) {
		m->next = from_rte(next);
		r->next = NULL;
		m->next->data = (uint8_t *)next->buf_addr + next->data_off;
		m->next->len = next->data_len;
	}
}

static always_inline uint32_t rx_one(struct rte_mbuf *r, struct mbuf *m, uint64_t origin)
{
	m->data = (uint8_t *)r->buf_addr + r->data_off;
	m->pkt_len = r->pkt_len;
	m->len = r->data_len;
	m->origin = origin;
	if (unlikely(r->nb_segs != 1))
		rx_chain(r, m);
	return r->pkt_len;
}

// No prefetch: what is done to one packet does not wait for another, so the processor overlaps
// them.
uint16_t dpdk_rx(void *queue, struct mbuf **pkts, uint16_t n)
{
	struct dpdk_queue *q = queue;
	struct rte_mbuf **rte = (struct rte_mbuf **)pkts;
	uint16_t got = rte_eth_rx_burst(q->eth, q->queue, rte, n);
	uint64_t origin = mbuf_origin(q->port), bytes = 0;

	for (unsigned i = 0; i < got; i++) {
		struct rte_mbuf *r = rte[i];

		pkts[i] = from_rte(r);
		bytes += rx_one(r, pkts[i], origin);
	}
	q->rx_packets += got;
	q->rx_bytes += bytes;
	return got;
}

// What the device says of a packet that cannot be: the packet goes, the others are none the worse.
static __attribute__((noinline)) void rx_drop(struct dpdk_queue *q, struct mbuf *m)
{
	q->rx_packets--;
	q->rx_bytes -= m->pkt_len;
	q->rx_bad_header++;
	mbuf_free(m);
}

uint16_t dpdk_rx_offloads(void *queue, struct mbuf **pkts, uint16_t n)
{
	uint16_t got = dpdk_rx(queue, pkts, n), kept = 0;

	for (unsigned i = 0; i < got; i++) {
		struct mbuf *m = pkts[i];
		const struct rte_mbuf *r = to_rte(m);

		if (likely(!(r->ol_flags & DPDK_RX_FLAGS) ||
			   dpdk_rx_flags(r->ol_flags, r->tso_segsz, m)))
			pkts[kept++] = m;
		else
			rx_drop(queue, m);
	}
	return kept;
}

// A copy without other owners; NULL: no buffers, or longer than any frame.
static __attribute__((noinline)) struct mbuf *copy_packet(struct mempool *pool, const struct mbuf *m)
{
	uint8_t flat[UINT16_MAX];
	struct mbuf *copy;

	if (m->pkt_len > sizeof(flat) || mbuf_copy_out(m, 0, flat, m->pkt_len))
		return NULL;
	copy = mbuf_from_bytes(pool, flat, m->pkt_len);
	if (copy) {
		copy->origin = m->origin;
		copy->l3 = m->l3;
		copy->mss = m->mss;
	}
	return copy;
}

static bool is_shared(const struct mbuf *m)
{
	for (; m; m = m->next)
		if (m->refcnt != 1)
			return true;
	return false;
}

// DPDK's buf_addr is our headroom's beginning, which is known without a load (pool.c).
static always_inline void tx_segment(struct mbuf *m, struct rte_mbuf *r)
{
	r->data_off = (uint16_t)(m->data - mbuf_buf(m));
	r->data_len = m->len;
}

// Hands DPDK a chain: the links move to its headers, ours become those of single buffers.
static void tx_chain(struct mbuf *m, struct rte_mbuf *r)
{
	r->nb_segs = m->nsegs;
	m->nsegs = 1;
	for (struct mbuf *next = m->next; next; m = next, next = m->next) {
		to_rte(m)->next = to_rte(next);
		m->next = NULL;
		tx_segment(next, to_rte(next));
	}
}

// Takes back a packet that DPDK did not take: only a chain's links have moved.
static void tx_return(struct rte_mbuf *r)
{
	struct mbuf *m = from_rte(r);

	if (likely(r->nb_segs == 1))
		return;
	m->nsegs = (uint8_t)r->nb_segs;
	r->nb_segs = 1;
	for (struct rte_mbuf *next = r->next; next; r = next, next = r->next) {
		from_rte(r)->next = from_rte(next);
		r->next = NULL;
	}
}

// A packet that is sent again and again: DPDK has references of its own, more than can be under way at once, so
// that it never gives the buffer back.
static always_inline struct rte_mbuf *tx_forever(struct mbuf *m)
{
	struct rte_mbuf *r = to_rte(m);

	if (unlikely(rte_mbuf_refcnt_read(r) < DPDK_LEASE))
		rte_mbuf_refcnt_update(r, DPDK_LEASE);
	return r;
}

// Whether it is one whose buffer DPDK knows: dpdk_lend().
static always_inline bool is_lent(const struct mbuf *m)
{
	return m->refcnt == MBUF_FOREVER && m->nsegs == 1 && m->pool->prefix >= DPDK_PREFIX &&
	       to_rte((struct mbuf *)(uintptr_t)m)->pool;
}

// Chains and shared buffers; the packet to send, which may be a copy (then *pkt is replaced: the
// caller owns the copy if it stays unsent). NULL: wait for buffers.
static __attribute__((noinline)) struct rte_mbuf *tx_odd(struct dpdk_queue *q, struct mbuf **pkt)
{
	struct mbuf *m = *pkt;

	if (is_shared(m)) {
		m = copy_packet(m->refcnt == MBUF_FOREVER ? q->pool : m->pool, m);
		if (!m) {
			q->tx_nombuf++;
			return NULL;
		}
		mbuf_free(*pkt);
		*pkt = m;
		q->tx_copied++;
	}
	tx_chain(m, to_rte(m));
	return to_rte(m);
}

// One segment without other owners, told by one load: bytes 28 to 35 of an mbuf are len, refcnt,
// nsegs, spare and l3.
static always_inline bool is_plain(const struct mbuf *m)
{
	const uint64_t mask = 0x000000ffffff0000, plain = 0x0000000100010000;
	uint64_t w;

	static_assert(offsetof(struct mbuf, len) == 28 && offsetof(struct mbuf, refcnt) == 30 &&
			      offsetof(struct mbuf, nsegs) == 32,
		      "is_plain() reads three fields at once");
	memcpy(&w, &m->len, sizeof(w));
	return (w & mask) == plain;
}

// Lets the device look at packets that ask something of it, and change what it needs otherwise (checksums of
// the pseudo header, say). How many may be sent; the next, if there is one, never.
static __attribute__((noinline)) unsigned tx_prepare(const struct dpdk_queue *q, struct rte_mbuf **rte,
						     unsigned n)
{
	return rte_eth_tx_prepare(q->eth, q->queue, rte, (uint16_t)n);
}

static always_inline unsigned tx_chunk(struct dpdk_queue *q, struct mbuf **pkts, unsigned n, bool offloads)
{
	struct rte_mbuf *rte[CHUNK];
	uint64_t bytes = 0;
	unsigned sent, ready, good;
	bool asks = false, bad = false; // bad: the packet behind those ready can never be sent

#pragma GCC unroll 4
	for (ready = 0; ready < n; ready++) {
		struct mbuf *m = pkts[ready];
		struct rte_mbuf *r = to_rte(m);
		uint32_t len;

		if (unlikely(!is_plain(m))) {
			r = is_lent(m) ? tx_forever(m) : tx_odd(q, &pkts[ready]);
			if (!r)
				break;
			m = pkts[ready];
		}
		len = m->pkt_len;
		tx_segment(m, r);
		r->pkt_len = len;
		r->ol_flags = 0;
		if (offloads && unlikely(m->flags & DPDK_TX_FLAGS)) {
			bad = !dpdk_tx_flags(m, r);
			if (bad) {
				tx_return(r);
				break;
			}
			asks = true;
		}
		bytes += len;
		rte[ready] = r;
	}
	good = unlikely(asks) ? tx_prepare(q, rte, ready) : ready;
	sent = good ? rte_eth_tx_burst(q->eth, q->queue, rte, (uint16_t)good) : 0;
	for (unsigned i = sent; i < ready; i++) {
		tx_return(rte[i]);
		bytes -= rte[i]->pkt_len;
	}
	q->tx_packets += sent;
	q->tx_bytes += bytes;
	if (offloads && unlikely(sent == good && (bad || good < ready))) {
		mbuf_free(pkts[sent++]);
		q->tx_refused++;
	}
	return sent;
}

static always_inline uint16_t tx(void *queue, struct mbuf **pkts, uint16_t n, bool offloads)
{
	unsigned done = 0;

	while (done < n) {
		unsigned part = n - done < CHUNK ? n - done : CHUNK;
		unsigned sent = tx_chunk(queue, pkts + done, part, offloads);

		done += sent;
		if (sent < part)
			break;
	}
	return (uint16_t)done;
}

uint16_t dpdk_tx(void *queue, struct mbuf **pkts, uint16_t n)
{
	return tx(queue, pkts, n, false);
}

uint16_t dpdk_tx_offloads(void *queue, struct mbuf **pkts, uint16_t n)
{
	return tx(queue, pkts, n, true);
}

// SPDX-License-Identifier: BSD-3-Clause
// play.c - take what is due: from the store, over and over, or from the feed's ring
//
// Times are a timeline fixed at the start: a packet that went late puts off none behind it. Packets whose time is
// past go back to back.
#include "apps/replay/play.h"

#include <string.h>

#include "apps/replay/frame.h"

#define FRACTION 32
#define SECOND	 1000000000u
#define NS_ROUND (1u << 31)

static unsigned __int128 fixed(uint64_t whole)
{
	return (unsigned __int128)whole << FRACTION;
}

void play_init(struct play *p, const struct blob_play *conf, uint64_t hz)
{
	uint32_t extra = conf->speed == BLOB_SPEED_L1 ? 24 : 4;

	p->conf = conf;
	p->late_cycles = hz / SECOND * REPLAY_LATE_NS + hz % SECOND * REPLAY_LATE_NS / SECOND;
	p->ns_scale = (uint64_t)(fixed(SECOND) / hz);
	if (conf->speed == BLOB_SPEED_CAPTURED) {
		p->scale = (uint64_t)(fixed(hz) / SECOND * 1000000 / conf->rate);
	} else if (conf->speed == BLOB_SPEED_PPS) {
		p->packet_cost = fixed(hz) * 1000 / conf->rate;
	} else if (conf->speed == BLOB_SPEED_L1 || conf->speed == BLOB_SPEED_L2) {
		p->byte_cost = fixed(hz) * 8 / conf->rate;
		p->packet_cost = p->byte_cost * extra;
	}
}

void play_start(struct play *p, uint64_t tsc)
{
	p->base = p->start_tsc = tsc;
	p->next = fixed(tsc);
	p->started = true;
}

static uint64_t cycles(const struct play *p, uint64_t ns)
{
	unsigned __int128 c = ((unsigned __int128)ns * p->scale) >> FRACTION;

	return c > INT64_MAX ? INT64_MAX : (uint64_t)c;
}

// The store's next loop; false: that was the last.
static bool next_loop(struct play *p)
{
	p->count.loops = ++p->loop;
	if ((p->conf->loops && p->loop >= p->conf->loops) || !p->store.n) {
		p->over = true;
		return false;
	}
	if (p->conf->speed == BLOB_SPEED_CAPTURED)
		p->base += cycles(p, p->item[p->n - 1].time + p->conf->loop_gap_ns);
	p->at = 0;
	return true;
}

static void load_window(struct play *p, struct mbuf **m, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(m[i]); // another lcore wrote it
	for (unsigned i = 0; i < n; i++)
		p->window[i] = (struct store_item){m[i], m[i]->scratch64[0]};
	p->item = p->window;
	p->at = 0;
	p->n = n;
}

// What the feed has brought; false: nothing yet, or it is over.
static bool next_window(struct play *p, uint64_t now)
{
	bool ended = atomic_load_explicit(&p->feed->ended, memory_order_acquire);
	struct mbuf *m[GRAPH_BURST];
	unsigned n = ring_spsc_dequeue_burst(p->feed->ring, (void **)m, GRAPH_BURST);

	if (!n) {
		p->over = ended;
		if (!ended && !p->starved)
			p->starved = now;
		return false;
	}
	load_window(p, m, n);
	return true;
}

static bool refill(struct play *p, uint64_t now)
{
	return p->feed ? next_window(p, now) : next_loop(p);
}

static always_inline uint64_t due_at(const struct play *p, const struct store_item *it)
{
	if (p->conf->speed == BLOB_SPEED_CAPTURED)
		return p->base + cycles(p, it->time);
	return (uint64_t)(p->next >> FRACTION);
}

// A packet of our own to change: the store's are for reading.
static struct mbuf *copy_of(struct play *p, const struct mbuf *from)
{
	struct mbuf *m;

	if (from->next || from->len > mempool_room(p->pool))
		return mbuf_copy(from, p->pool);
	if (!p->spares) {
		if (mempool_get_bulk(p->pool, p->spare, GRAPH_BURST))
			return NULL;
		p->spares = GRAPH_BURST;
	}
	m = p->spare[--p->spares];
	mbuf_reset(m);
	m->origin = from->origin;
	m->len = from->len;
	m->pkt_len = from->pkt_len;
	// Whole lines: both buffers have them.
	for (uint32_t off = 0; off < from->len; off += 64)
		memcpy(m->data + off, from->data + off, 64);
	return m;
}

// The packet of item it as it is sent; NULL: no buffer.
static always_inline struct mbuf *packet(struct play *p, const struct store_item *it)
{
	bool unique = p->conf->flags & BLOB_PLAY_UNIQUE && p->loop;
	struct mbuf *m;

	if (p->feed || !unique)
		return it->m;
	m = copy_of(p, it->m);
	if (unlikely(!m)) {
		p->count.nombuf++;
		return NULL;
	}
	p->count.copied++;
	frame_move_addrs(m->data, m->len, p->conf->step * p->loop);
	return m;
}

static void spend(struct play *p, const struct mbuf *m)
{
	p->next += p->packet_cost + p->byte_cost * m->pkt_len;
}

// A packet that was due while the feed had brought nothing.
static void note_underrun(struct play *p, uint64_t due)
{
	if (due < p->starved || p->conf->speed == BLOB_SPEED_TOP)
		p->count.underruns++;
	p->starved = 0;
}

static unsigned take_due(struct play *p, struct mbuf **pkts, unsigned n, uint64_t now)
{
	bool timed = p->conf->speed == BLOB_SPEED_CAPTURED;
	unsigned got = 0;

	while (got < n && (p->at < p->n || refill(p, now))) {
		const struct store_item *it = &p->item[p->at];
		uint64_t due = due_at(p, it);

		if ((int64_t)(due - now) > 0)
			break;
		if (unlikely(p->starved))
			note_underrun(p, due);
		pkts[got] = packet(p, it);
		if (unlikely(!pkts[got]))
			break;
		if (!timed)
			spend(p, pkts[got]);
		p->due[got++] = due;
		p->at++;
	}
	p->n_due = got;
	return got;
}

// Whatever comes next, up to n.
static unsigned take(struct play *p, struct mbuf **pkts, unsigned n, uint64_t now)
{
	unsigned got = 0;

	while (got < n && (p->at < p->n || refill(p, now))) {
		if (unlikely(p->starved))
			note_underrun(p, now);
		for (; got < n && p->at < p->n; got++, p->at++) {
			pkts[got] = packet(p, &p->item[p->at]);
			if (unlikely(!pkts[got]))
				return got;
		}
	}
	return got;
}

static unsigned take_steps(struct play *p, struct mbuf **pkts, unsigned n, uint64_t now)
{
	uint64_t steps = atomic_load_explicit(&p->steps, memory_order_relaxed);
	unsigned got;

	if (p->at == p->n && !refill(p, now)) // that may have been all
		return 0;
	got = take(p, pkts, steps < n ? (unsigned)steps : n, now);

	atomic_fetch_sub_explicit(&p->steps, got, memory_order_relaxed);
	return got;
}

// The turn that sent the last burst is over.
static void note_errors(struct play *p, uint64_t now)
{
	for (unsigned i = 0; i < p->n_due; i++) {
		uint64_t behind = now - p->due[i];

		p->count.late += behind > p->late_cycles;
		hdr_record(&p->error,
			   (uint64_t)(((unsigned __int128)behind * p->ns_scale + NS_ROUND) >> FRACTION));
	}
	p->n_due = 0;
}

static bool blocked(const struct play *p)
{
	for (unsigned i = 0; i < p->ports; i++)
		if (port_tx_backlog(p->tx[i]) > PORT_TX_BACKLOG / 2)
			return true;
	return false;
}

uint16_t play_burst(void *arg, struct mbuf **pkts, uint16_t n)
{
	struct play *p = arg;
	uint64_t now = tsc_read(), bytes = 0;
	unsigned got;

	if (p->n_due)
		note_errors(p, now);
	if (unlikely(!p->started || p->over))
		return 0;
	if (unlikely(blocked(p))) {
		p->count.blocked++;
		return 0;
	}
	if (p->conf->speed == BLOB_SPEED_TOP)
		got = take(p, pkts, n, now);
	else if (p->conf->speed == BLOB_SPEED_STEP)
		got = take_steps(p, pkts, n, now);
	else
		got = take_due(p, pkts, n, now);
	if (unlikely(p->over))
		p->end_tsc = now;
	for (unsigned i = 0; i < got; i++)
		bytes += pkts[i]->pkt_len;
	p->count.packets += got;
	p->count.bytes += bytes;
	return (uint16_t)got;
}

static void empty_feed(struct play *p)
{
	struct mbuf *m;

	for (; p->at < p->n; p->at++)
		mbuf_free(p->item[p->at].m);
	while (ring_spsc_dequeue_burst(p->feed->ring, (void **)&m, 1))
		mbuf_free(m);
}

void play_end(struct play *p)
{
	mempool_put_bulk(p->pool, p->spare, p->spares);
	p->spares = 0;
	if (p->feed && p->feed->ring)
		empty_feed(p);
}

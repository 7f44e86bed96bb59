// SPDX-License-Identifier: BSD-3-Clause
// meas.c - the receiving half of pktgen: its node, and its memory
#include "apps/pktgen/meas.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pktgen/meas_priv.h"
#include "apps/pktgen/meas_track.h"

#define MEMORY	  (64u << 20)
#define PART_SIZE ((HDR_COUNTERS + HDR_UNIT) * (uint32_t)sizeof(uint32_t)) // with its directory
#define LENGTHS	  65536u
#define SLACK	  65536 // numbers that a stream may be ahead of one a nanosecond
#define AHEAD	  4u	// packets whose data is fetched early

enum { EDGE_STACK };

static const char *const edges[] = {"stack", NULL};

// Of packets that no checksum vouches for.
static bool sane(const struct meas *m, const struct meas_stream *s, uint32_t seq, int64_t transit, uint64_t now)
{
	int64_t ahead = (int32_t)(seq - (uint32_t)s->next);

	return transit <= (int64_t)HDR_MAX && -transit <= (int64_t)HDR_MAX &&
	       (ahead <= 0 || (int64_t)s->next + ahead <= (int64_t)(now - m->clock_ns) + SLACK);
}

// Not a packet of this trial, or not a good one. A checksum that is wrong comes first: the run may be what
// was changed.
static __attribute__((noinline)) void odd(struct meas_port *p, const uint8_t *sig, enum meas_sum sum)
{
	struct meas *m = p->m;
	uint32_t stream = be16(load16(sig + SIG_AT_STREAM));

	if (sum == MEAS_BAD)
		MEAS_ADD(m->stream[stream < m->conf.streams ? stream : m->conf.streams].corrupt, 1);
	else if (!m->started || be16(load16(sig + SIG_AT_RUN)) != m->run)
		MEAS_ADD(p->foreign.stragglers, 1);
	else
		MEAS_ADD(p->foreign.bad_stream, 1);
}

static __attribute__((noinline)) uint8_t unsigned_packet(struct meas_port *p, const struct mbuf *pkt)
{
	const struct meas_conf *c = &p->m->conf;

	if (c->station && c->station(c->station_arg, p->port, pkt)) {
		MEAS_ADD(p->foreign.stack, 1);
		return EDGE_STACK;
	}
	MEAS_ADD(p->foreign.foreign, 1);
	return NEXT_CONSUMED;
}

static always_inline uint8_t one(struct meas_port *p, struct meas_burst *b, const struct mbuf *pkt, uint64_t now)
{
	struct meas *m = p->m;
	struct meas_stream *s;
	uint8_t copy[SIG_LEN];
	enum meas_sum sum = MEAS_UNCHECKED;
	const uint8_t *sig = meas_find(pkt, &sum, copy);
	uint32_t stream, seq;
	int64_t transit;

	if (unlikely(!sig))
		return unsigned_packet(p, pkt);
	stream = be16(load16(sig + SIG_AT_STREAM));
	if (unlikely(sum == MEAS_BAD || be16(load16(sig + SIG_AT_RUN)) != m->run || stream >= m->conf.streams ||
		     !m->started)) {
		odd(p, sig, sum);
		return NEXT_CONSUMED;
	}
	s = &m->stream[stream];
	seq = be32(load32(sig + SIG_AT_SEQ));
	transit = (int64_t)(now - __builtin_bswap64(load64(sig + SIG_AT_TIME)));
	if (unlikely(sum == MEAS_UNCHECKED && !sane(m, s, seq, transit, now))) {
		MEAS_ADD(s->corrupt, 1);
		return NEXT_CONSUMED;
	}
	meas_track(m, s, b, seq, transit, now, pkt->pkt_len + (pkt->flags & MBUF_VLAN ? 4 : 0));
	return NEXT_CONSUMED;
}

static void meas_process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	struct meas_port *p = node->state;
	struct meas *m = p->m;
	struct meas_burst b = {0};
	uint64_t now = m->clock_ns + clock_tsc_to_ns(&m->clock, tsc_read() - m->clock_tsc);
	uint8_t differ = 0;

	for (unsigned i = 0; i < n; i++) {
		if (i + AHEAD < n)
			__builtin_prefetch(pkts[i + AHEAD]->data);
		next[i] = one(p, &b, pkts[i], now);
		differ |= next[i] ^ NEXT_CONSUMED;
	}
	if (likely(!differ))
		node_all(node, NEXT_CONSUMED);
	meas_flush(&b.size);
	meas_flush(&b.ipdv);
	MEAS_ADD(m->packets, b.packets);
}

static const struct node_def meas_def = {
	.name = "pktgen-rx",
	.edges = edges,
	.process = meas_process,
};

static void histograms_init(struct meas *m)
{
	hdr_pool_reset(m->totals);
	hdr_pool_reset(m->pool);
	hdr_init(&m->ipdv, m->totals);
	for (uint32_t i = 0; i <= m->conf.n_sizes; i++)
		hdr_init(&m->size[i], m->totals);
	for (uint32_t i = 0; i <= m->conf.streams; i++) {
		hdr_init(&m->stream[i].latency, m->pool);
		hdr_init(&m->stream[i].ipdv, m->pool);
	}
}

static bool allocate(struct meas *m)
{
	uint32_t memory = m->conf.memory ? m->conf.memory : MEMORY;
	size_t streams = m->conf.streams + 1ull;

	// All of them have what they can need, and something for carries.
	m->totals = hdr_pool_create((m->conf.n_sizes + 2) * (HDR_PARTS + 1));
	m->pool = hdr_pool_create(memory / PART_SIZE);
	m->stream = aligned_alloc(CACHE_LINE, streams * sizeof(*m->stream));
	m->size_of = calloc(LENGTHS, 1);
	m->gap = calloc(MEAS_GAPS, sizeof(*m->gap));
	return m->totals && m->pool && m->stream && m->size_of && m->gap;
}

struct meas *meas_create(const struct meas_conf *conf, struct err *err)
{
	struct meas *m = aligned_alloc(CACHE_LINE, sizeof(*m));

	if (m)
		memset(m, 0, sizeof(*m));
	if (!m || conf->n_sizes > MEAS_SIZES_MAX || conf->ports > MEAS_PORTS_MAX) {
		free(m);
		err_set(err, -EINVAL, "measuring: no memory, or %u lengths kept apart (at most %u), %u ports (at most %u)",
			conf->n_sizes, MEAS_SIZES_MAX, conf->ports, MEAS_PORTS_MAX);
		return NULL;
	}
	m->conf = *conf;
	if (!allocate(m)) {
		meas_destroy(m);
		err_set(err, -ENOMEM, "measuring: no memory for %u streams: give the machine more, or have fewer",
			conf->streams);
		return NULL;
	}
	clock_init(&m->clock, CLOCK_REAL);
	memset(m->size_of, (int)conf->n_sizes, LENGTHS);
	for (uint32_t i = 0; i < conf->n_sizes; i++)
		m->size_of[conf->sizes[i]] = (uint8_t)i;
	m->conf.sizes = NULL; // the caller's
	memset(m->stream, 0, (conf->streams + 1ull) * sizeof(*m->stream));
	histograms_init(m);
	for (uint16_t i = 0; i < conf->ports; i++)
		m->port[i] = (struct meas_port){.m = m, .port = i};
	return m;
}

void meas_destroy(struct meas *m)
{
	if (!m)
		return;
	hdr_pool_destroy(m->totals);
	hdr_pool_destroy(m->pool);
	free(m->stream);
	free(m->size_of);
	free(m->gap);
	free(m);
}

struct node *meas_node_add(struct graph *g, struct meas *m, uint16_t port, const char *name, struct err *err)
{
	return graph_add(g, &meas_def, name, &m->port[port], err);
}

void meas_start(struct meas *m, uint16_t run, uint64_t clock_tsc, uint64_t clock_ns)
{
	memset(m->stream, 0, (m->conf.streams + 1ull) * sizeof(*m->stream));
	histograms_init(m);
	for (uint16_t i = 0; i < m->conf.ports; i++)
		m->port[i].foreign = (struct meas_foreign){0};
	m->packets = 0;
	m->gaps = 0;
	m->run = run;
	m->clock_tsc = clock_tsc;
	m->clock_ns = clock_ns;
	m->started = true;
}

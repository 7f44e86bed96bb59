// SPDX-License-Identifier: BSD-3-Clause
// meas_track.h - of every packet of a stream: the way of those that come in order
#ifndef WEIR_APPS_PKTGEN_MEAS_TRACK_H
#define WEIR_APPS_PKTGEN_MEAS_TRACK_H

#include <stdbool.h>

#include "apps/pktgen/meas_priv.h"

void meas_track_jump(struct meas *m, struct meas_stream *s, uint64_t seq, uint64_t now);
bool meas_track_behind(struct meas *m, struct meas_stream *s, uint64_t seq, uint64_t now);

struct meas_burst { // what packets of a burst add to the histograms of all
	uint64_t packets;
	uint64_t latencies, latency_sum, latency_min, latency_max;
	uint64_t ipdvs, ipdv_sum, ipdv_min, ipdv_max;
};

static always_inline uint64_t meas_distance(int64_t a, int64_t b)
{
	return a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
}

// The packet after the one with the highest number, which has come too: RFC 5481, 4.1.
static always_inline void meas_ipdv(struct meas *m, struct meas_stream *s, struct meas_burst *b, int64_t transit)
{
	uint64_t d = meas_distance(transit, s->top);

	if (unlikely(d > HDR_MAX))
		d = HDR_MAX;
	hdr_record(&s->ipdv, d);
	hdr_place(&m->ipdv, d);
	b->ipdvs++;
	b->ipdv_sum += d;
	b->ipdv_min = d < b->ipdv_min ? d : b->ipdv_min;
	b->ipdv_max = d > b->ipdv_max ? d : b->ipdv_max;
}

static always_inline void meas_latency(struct meas *m, struct meas_stream *s, struct meas_burst *b, int64_t transit,
				       struct hdr *size)
{
	uint64_t v = (uint64_t)transit;

	if (unlikely(transit < 0)) {
		MEAS_ADD(s->negative, 1);
		return;
	}
	if (unlikely(v > HDR_MAX))
		v = HDR_MAX;
	hdr_record(&s->latency, v);
	hdr_record(size, v);
	hdr_place(&m->latency, v);
	b->latencies++;
	b->latency_sum += v;
	b->latency_min = v < b->latency_min ? v : b->latency_min;
	b->latency_max = v > b->latency_max ? v : b->latency_max;
}

// RFC 3550, 6.4.1 and A.8, in 1/16 ns; packets in the order they came.
static always_inline void meas_jitter(struct meas_stream *s, int64_t transit)
{
	if (likely(s->packets))
		HDR_SET(s->jitter,
			s->jitter + meas_distance(transit, s->transit) - ((s->jitter + 8) >> 4));
	s->transit = transit;
}

// A packet of stream s, number seq, len bytes, that came at now after `transit` on its way.
static always_inline void meas_track(struct meas *m, struct meas_stream *s, struct meas_burst *b, uint32_t seq,
				     int64_t transit, uint64_t now, uint32_t len)
{
	int64_t ahead = (int32_t)(seq - (uint32_t)s->next);
	uint64_t number = s->next + (uint64_t)ahead;

	if (likely(!ahead)) {
		if (unlikely(!(number & 63))) {
			s->came[((number >> 6) - 1) % MEAS_BLOCKS] = s->block;
			s->block = 0;
		}
		s->block |= 1ull << (number & 63);
		if (likely(s->packets))
			meas_ipdv(m, s, b, transit);
	} else if (ahead > 0) {
		meas_track_jump(m, s, number, now);
	} else if (unlikely((int64_t)number < 0)) {
		MEAS_ADD(s->corrupt, 1); // before the first
		return;
	} else if (!meas_track_behind(m, s, number, now)) {
		return;
	}
	if (ahead >= 0) {
		s->next = number + 1;
		s->top = transit;
	}
	meas_jitter(s, transit);
	meas_latency(m, s, b, transit, &m->size[m->size_of[len & 0xffff]]);
	if (unlikely(!s->packets))
		HDR_SET(s->first_ns, now);
	HDR_SET(s->last_ns, now);
	MEAS_ADD(s->packets, 1);
	MEAS_ADD(s->bytes, len);
	b->packets++;
}

#endif

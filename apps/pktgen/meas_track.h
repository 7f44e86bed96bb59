// SPDX-License-Identifier: BSD-3-Clause
// meas_track.h - of every packet of a stream: the way of those that come in order
#ifndef WEIR_APPS_PKTGEN_MEAS_TRACK_H
#define WEIR_APPS_PKTGEN_MEAS_TRACK_H

#include <stdbool.h>

#include "apps/pktgen/meas_priv.h"

void meas_track_jump(struct meas *m, struct meas_stream *s, uint64_t seq, uint64_t now);
bool meas_track_behind(struct meas *m, struct meas_stream *s, uint64_t seq, uint64_t now);

struct meas_sum_of { // what packets of a burst add to a histogram
	struct hdr *h;
	uint64_t n, sum, min, max;
};

struct meas_burst {
	uint64_t packets;
	struct meas_sum_of size, ipdv; // latency of packets of one length; ipdv of all
};

static always_inline void meas_flush(struct meas_sum_of *b)
{
	if (b->n)
		hdr_account(b->h, b->n, b->sum, b->min, b->max);
}

static always_inline void meas_place(struct meas_sum_of *b, struct hdr *h, uint64_t v)
{
	if (unlikely(b->h != h)) {
		meas_flush(b);
		*b = (struct meas_sum_of){.h = h, .min = UINT64_MAX};
	}
	hdr_place(h, v);
	b->n++;
	b->sum += v;
	b->min = v < b->min ? v : b->min;
	b->max = v > b->max ? v : b->max;
}

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
	meas_place(&b->ipdv, &m->ipdv, d);
}

static always_inline void meas_latency(struct meas_stream *s, struct meas_burst *b, int64_t transit, struct hdr *size)
{
	uint64_t v = (uint64_t)transit;

	if (unlikely(transit < 0)) {
		MEAS_ADD(s->negative, 1);
		return;
	}
	if (unlikely(v > HDR_MAX))
		v = HDR_MAX;
	hdr_record(&s->latency, v);
	meas_place(&b->size, size, v);
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
	meas_latency(s, b, transit, &m->size[m->size_of[len & 0xffff]]);
	if (unlikely(!s->packets))
		HDR_SET(s->first_ns, now);
	HDR_SET(s->last_ns, now);
	MEAS_ADD(s->packets, 1);
	MEAS_ADD(s->bytes, len);
	b->packets++;
}

#endif

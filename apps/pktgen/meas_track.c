// SPDX-License-Identifier: BSD-3-Clause
// meas_track.c - what a packet's number and times say: in order, reordered, come before; latency and jitter
//
// Numbers of 32 bits are taken for the nearest to the highest so far, so they may wrap. A number above it is
// in order, whatever was left out (RFC 4737, 3.3: NextExp does not wait). A number below is looked for in the
// blocks of 64 that are remembered; there it has come already (RFC 5560), or it is reordered; what is older is late.
#include "apps/pktgen/meas_priv.h"
#include "apps/pktgen/meas_track.h"

// Numbers from s->next on were left out by one that came as the next packet, at now.
static void gap_add(struct meas *m, struct meas_stream *s, uint64_t now)
{
	struct meas_gap *g = &m->gap[m->gaps & (MEAS_GAPS - 1)];

	*g = (struct meas_gap){s->gap, s->packets, now, s->next};
	s->gap = ++m->gaps;
}

// Moves on to number seq, which is above all that came by more than one.
void meas_track_jump(struct meas *m, struct meas_stream *s, uint64_t seq, uint64_t now)
{
	int64_t from = (int64_t)(s->next - 1) >> 6, to = (int64_t)(seq >> 6), last;

	gap_add(m, s, now);
	if (from == to) {
		s->block |= 1ull << (seq & 63);
		return;
	}
	s->came[(uint64_t)from % MEAS_BLOCKS] = s->block;
	last = to - from > MEAS_BLOCKS ? from + 1 + MEAS_BLOCKS : to;
	for (int64_t b = from + 1; b < last; b++)
		s->came[(uint64_t)b % MEAS_BLOCKS] = 0;
	s->block = 1ull << (seq & 63);
}

// The gap that number seq, which has not come before, lies in; NULL: it is forgotten. Every packet that is behind
// lies in one of the last few thousand packets' gaps.
static const struct meas_gap *gap_of(const struct meas *m, const struct meas_stream *s, uint64_t seq)
{
	const struct meas_gap *g;

	for (uint64_t n = s->gap; n && m->gaps - n < MEAS_GAPS; n = g->before) {
		g = &m->gap[(n - 1) & (MEAS_GAPS - 1)];
		if (g->start <= seq)
			return g;
	}
	return NULL;
}

// RFC 4737, 4.2.1 and 4.2.2: the packet that first overtook this one is the one that left a gap at its number.
static void reordered(struct meas *m, struct meas_stream *s, uint64_t seq, uint64_t now)
{
	const struct meas_gap *g = gap_of(m, s, seq);
	uint64_t extent;

	MEAS_ADD(s->reordered, 1);
	if (!g) {
		MEAS_ADD(s->unmeasured, 1);
		return;
	}
	extent = s->packets - g->arrival;
	MEAS_ADD(s->extent_sum, extent);
	if (extent > s->extent_max)
		HDR_SET(s->extent_max, extent);
	if (now - g->now > s->late_max_ns)
		HDR_SET(s->late_max_ns, now - g->now);
}

// Number seq is not above all that came. Whether it is new, and known to be so.
bool meas_track_behind(struct meas *m, struct meas_stream *s, uint64_t seq, uint64_t now)
{
	uint64_t age = ((s->next - 1) >> 6) - (seq >> 6), bit = 1ull << (seq & 63), *block;

	if (age > MEAS_BLOCKS) {
		MEAS_ADD(s->late, 1);
		return false;
	}
	block = age ? &s->came[(seq >> 6) % MEAS_BLOCKS] : &s->block;
	if (*block & bit) {
		MEAS_ADD(s->duplicate, 1);
		return false;
	}
	*block |= bit;
	reordered(m, s, seq, now);
	return true;
}

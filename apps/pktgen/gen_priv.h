// SPDX-License-Identifier: BSD-3-Clause
// gen_priv.h - what the sources of the generator share
//
// gen.c makes and starts a generator; gen_stream.c turns a stream of the blob into what is copied and
// changed for each packet; gen_run.c takes streams in the order of their times (gen_wheel.h) and decides how
// many packets are due (gen_when.c); gen_fill.c writes them, with the values of gen_value.c.
#ifndef WEIR_APPS_PKTGEN_GEN_PRIV_H
#define WEIR_APPS_PKTGEN_GEN_PRIV_H

#include "apps/pktgen/gen.h"
#include "apps/pktgen/gen_wheel.h"
#include "core/clock.h"

#define GEN_LINE 64u // heads and bodies are copied by lines

// What is behind its time by more is made up for by so much at most: the rest is due, and never sent.
#define GEN_ARREARS_US 1000u
// Packets wait in the transmit node: the port is full. A few may be another's, of this turn.
#define GEN_BACKLOG 16u
// Packets of one stream at a time, when several go as fast as they can.
#define GEN_TOP_RUN 16u
#define GEN_LATE_NS 2000u // a burst's making
// Streams that are fetched into the cache together, before the first sends, and how many lines of each.
#define GEN_BATCH    16u
#define GEN_WARM_MAX 16u

struct gen_variant {
	uint8_t *head; // lines; what is beyond the head there is the body's beginning
	uint16_t len;
	uint16_t weight;
	// Of each checksum: the sum of all it covers, but for what changes. 1 to 0xffff.
	uint16_t base[BLOB_SUMS_MAX];
	// Shuffled: of a random 64-bit number the upper half chooses this variant, or another (alias method
	// after Walker and Vose), by its lower half.
	uint32_t share, other;
};

struct gen_field {
	uint64_t min, step, count;
	const uint64_t *list;
	uint64_t at;	// number of the next value
	uint64_t value; // that, when it counts
	uint64_t held;	// the present value, and for how many packets more
	uint32_t left, every;
	uint64_t random;
	uint64_t mask;	      // its bits in the word
	uint64_t seed;
	uint16_t offset;
	uint8_t shift, size, kind;
	uint8_t sums, minus;
	bool part; // of a word: other bits of it are kept
};

// When a stream's packets are due. Time is the TSC with 64 bits of fraction, so that no period is rounded
// noticeably; it runs on only while the stream is on (on/off), off cycles behind the clock.
struct gen_when {
	unsigned __int128 due;	// the next burst
	unsigned __int128 unit; // cycles a packet, or a byte
	unsigned __int128 mean; // from one burst to the next
	uint64_t off;		// on/off: how long it has been off so far
	uint64_t window;	// on/off: when it goes off; else never
	uint64_t on_cycles, off_cycles;
	uint64_t end; // by the clock: it sends nothing from then on
	uint64_t left; // packets
	uint64_t random;
	uint64_t was_due; // by the clock
	uint32_t burst, burst_left;
	uint64_t burst_bytes;
	uint16_t overhead; // bytes of a frame beside its own, when the unit is a byte
	bool bytes;	   // it is
	bool poisson;
};

struct gen_stream { // its fields, variants, heads and body follow in memory
	struct gen_when when;
	struct gen_link *link;
	struct gen_variant *variant;
	uint32_t variants;
	uint32_t at, at_left; // the variant, and for how many packets more
	uint64_t shuffle;
	struct gen_field *field;
	uint16_t fields;
	uint16_t head_lines;
	const uint8_t *body; // behind the lines of the head
	uint16_t sum_at[BLOB_SUMS_MAX];
	uint16_t sum_ip;
	uint8_t sums, sig_sums;
	uint16_t flags; // BLOB_STREAM_*
	uint16_t len_max;
	bool changes; // from packet to packet
	bool top, ended;
	bool waits; // for its next hop
	uint32_t seq, number;
	uint32_t hop;	// of gen.hop
	uint32_t place; // in gen.top
	uint32_t lines; // of it that a packet needs, its first head and all fields
	uint64_t count; // that it is to send; UINT64_MAX: no limit
	uint64_t last;	// when a packet was sent last
	uint64_t packets, bytes, skipped; // read by others
} cache_aligned;

struct gen_hop {
	uint8_t via[16], mac[6], family;
	bool known;
};

struct gen {
	struct mempool *pool;
	void (*fill)(const struct gen *g, struct gen_stream *s, struct mbuf **pkts, const struct gen_variant **v,
		     unsigned n, uint64_t ns);
	const struct node *tx;
	uint64_t origin; // of its packets
	struct gen_stream **stream;
	struct gen_link *link; // of each
	uint32_t streams;
	struct gen_hop *hop;
	uint32_t hops;
	uint32_t *index; // of a stream of the blob, plus 1; 0: not here
	uint32_t indexes;
	struct gen_stream **top; // those that go as fast as they can
	uint32_t tops, top_at;
	uint32_t warm;	// lines of a stream that sending needs
	uint32_t paced; // others that have not ended and may send
	uint32_t open;	// have not ended
	const struct blob *blob;
	uint64_t line_bps;
	uint64_t hz, arrears, late; // cycles
	struct clock clock;	    // its scale
	uint64_t start, epoch_ns;
	uint64_t end;	// when the last stream ends at the latest
	uint16_t run;
	bool running;
	uint32_t room; // of a buffer
	struct gen_pace pace; // in cycles; read by others
	struct gen_wheel wheel;
};

// --- gen_stream.c

// As stream `number` of the blob says; to be freed with free(). NULL: no memory.
struct gen_stream *gen_stream_make(const struct gen *g, uint32_t number, const uint8_t *mac);
void gen_stream_mac(struct gen_stream *s, const uint8_t mac[6]); // the destination
void gen_stream_reset(struct gen_stream *s, uint32_t seed);	 // to the first packet

// --- gen_when.c

int gen_when_check(const struct gen *g, const struct blob_stream *b, struct err *err);
// The stream's times of a trial.
void gen_when_start(const struct gen *g, struct gen_stream *s, const struct blob_stream *b,
		    const struct gen_order *order);
// Puts its first packet off by k of n parts of the time between two.
void gen_when_shift(struct gen_stream *s, uint32_t k, uint32_t n);
// How many packets of s are due until `until` (the next is), at most max; their variants in v, in v[0] alone
// where there is but one. The times go on.
unsigned gen_when_due(struct gen_stream *s, uint64_t until, unsigned max, const struct gen_variant **v);
// The same for one that goes as fast as it can.
unsigned gen_when_top(struct gen_stream *s, uint64_t now, unsigned max, const struct gen_variant **v);
// Gives up bursts that are due before `from`.
void gen_when_skip(struct gen_stream *s, uint64_t from);
// Packets that are due by now and were not sent.
uint64_t gen_when_behind(const struct gen_stream *s, uint64_t now);
// When its next burst is due, by the clock.
static inline uint64_t gen_when_next(const struct gen_stream *s)
{
	return (uint64_t)(s->when.due >> 64) + s->when.off;
}

// --- gen_run.c

// The stream sends nothing any more in this trial.
void gen_end_stream(struct gen *g, struct gen_stream *s);
// Nor does any other: what is due by now is given up.
void gen_end(struct gen *g, uint64_t now);
// It begins, or goes on now that its next hop is known.
void gen_begin_stream(struct gen *g, struct gen_stream *s);

// --- gen_fill.c

// Makes n packets of s in pkts, buffers fresh from the pool. v as gen_when_due() leaves it.
void gen_fill_avx2(const struct gen *g, struct gen_stream *s, struct mbuf **pkts, const struct gen_variant **v,
		   unsigned n, uint64_t ns);
void gen_fill_avx512(const struct gen *g, struct gen_stream *s, struct mbuf **pkts, const struct gen_variant **v,
		     unsigned n, uint64_t ns);
// Makes one packet that is longer than a buffer, as a chain of segs, of which there are enough. How many it took.
unsigned gen_fill_long(const struct gen *g, struct gen_stream *s, struct mbuf **segs,
		       const struct gen_variant *v, uint64_t ns);

// --- gen_value.c

void gen_field_reset(struct gen_field *f);
// The values of the next n packets.
void gen_field_values(struct gen_field *f, uint64_t *values, unsigned n);

// A random number; state counts up (splitmix64, of Sebastiano Vigna, public domain).
static inline uint64_t gen_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

// Exponentially distributed with mean 1: 32 bits of fraction.
uint64_t gen_exponential(uint64_t random);
void gen_exponential_start(void); // before

#endif

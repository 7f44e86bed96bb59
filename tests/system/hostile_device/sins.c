// SPDX-License-Identifier: BSD-3-Clause
// sins.c - what a device must not write into rings and headers, and one function for each
//
// Where a sin can be told from honest work, `counted` names what the driver must count it as. A lie
// that it cannot tell (an old buffer's content given as new) is there to show that it does no harm.
// What a ring in ruins is taken for is chance; it has to come to a reset.
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "device.h"

// A chain that is outstanding: of RX there are; for TX the front end gets frames to send back.
// False too when the ring began anew meanwhile: chains taken before are none of its.
static bool take(struct device *d, unsigned queue, struct chain *c)
{
	uint64_t end = now_ms() + 100;
	unsigned began = d->q[queue].starts;

	if (queue == RX)
		return ring_pop(d, RX, c) > 0;
	while (now_ms() < end) {
		traffic_send(d, NULL, 0);
		vhost_turn(d);
		if (d->q[queue].starts != began)
			return false;
		if (ring_pop(d, TX, c) > 0)
			return true;
		nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
	}
	return false;
}

// One chain given back with a wrong id or length.
static bool give(struct device *d, unsigned queue, const struct chain *c, uint32_t id, uint32_t len)
{
	ring_put(d, queue, id, len, c->descs ? c->descs : 1);
	ring_publish(d, queue);
	return true;
}

static uint32_t honest_len(unsigned queue)
{
	return queue == RX ? HEADER + 60 : 0;
}

static bool id_range(struct device *d, unsigned queue)
{
	struct chain c;
	uint16_t num = d->q[queue].num;

	return take(d, queue, &c) &&
	       give(d, queue, &c, num + rnd(d) % (0x10000u - num), honest_len(queue));
}

static bool id_huge(struct device *d, unsigned queue)
{
	struct chain c;

	return take(d, queue, &c) && give(d, queue, &c, 0xffff0000u | rnd(d), honest_len(queue));
}

static bool id_twice(struct device *d, unsigned queue)
{
	struct chain c, other;

	if (!take(d, queue, &c) || !take(d, queue, &other))
		return false;
	memset(c.seg[0].p, 0, queue == RX ? HEADER : 0);
	ring_put(d, queue, c.id, honest_len(queue), c.descs ? c.descs : 1);
	return give(d, queue, &c, c.id, honest_len(queue));
}

// Half a ring away nothing waits to be sent.
static bool id_idle(struct device *d, unsigned queue)
{
	struct chain c;
	uint16_t num = d->q[queue].num;

	return take(d, queue, &c) && give(d, queue, &c, (c.id + num / 2u) % num, 0);
}

static bool never_given(struct device *d, unsigned queue)
{
	struct chain c;
	bool some = false;

	for (unsigned i = 0; i < 8 && take(d, queue, &c); i++)
		some = true;
	return some;
}

// Allowed: buffers need not come back in the order in which they were given.
static bool backwards(struct device *d, unsigned queue)
{
	struct chain c[8];
	unsigned n = 0;

	while (n < 8 && take(d, queue, &c[n]))
		n++;
	for (unsigned i = n; i-- > 0;) {
		if (queue == RX) { // empty but for a header of one buffer
			memset(c[i].seg[0].p, 0, HEADER + 60);
			c[i].seg[0].p[10] = 1;
		}
		ring_put(d, queue, c[i].id, honest_len(queue), c[i].descs ? c[i].descs : 1);
	}
	ring_publish(d, queue);
	return n > 0;
}

static bool with_len(struct device *d, unsigned queue, uint32_t len)
{
	struct chain c;

	if (!take(d, queue, &c))
		return false;
	if (queue == RX) {
		memset(c.seg[0].p, 0, HEADER);
		c.seg[0].p[10] = 1;
	}
	return give(d, queue, &c, c.id, len == UINT32_MAX - 1 ? c.room + 1 : len);
}

static bool len_one_more(struct device *d, unsigned queue)
{
	return with_len(d, queue, UINT32_MAX - 1);
}

static bool len_31_bits(struct device *d, unsigned queue)
{
	return with_len(d, queue, 0x7fffffff);
}

static bool len_32_bits(struct device *d, unsigned queue)
{
	return with_len(d, queue, UINT32_MAX);
}

static bool len_0(struct device *d, unsigned queue)
{
	return with_len(d, queue, 0);
}

static bool len_below_header(struct device *d, unsigned queue)
{
	return with_len(d, queue, 1 + rnd(d) % (HEADER - 1));
}

static bool len_header_alone(struct device *d, unsigned queue)
{
	return with_len(d, queue, HEADER + rnd(d) % 14);
}

// The index of used buffers, n from where it honestly is (split alone).
static bool index_jumps(struct device *d, unsigned queue, uint16_t n)
{
	struct queue *q = &d->q[queue];
	uint16_t idx = (uint16_t)(q->used_at + n);

	__atomic_store_n((uint16_t *)(void *)(q->used + 2), idx, __ATOMIC_RELEASE);
	return true;
}

static bool index_1_on(struct device *d, unsigned queue)
{
	return index_jumps(d, queue, 1);
}

static bool index_ring_on(struct device *d, unsigned queue)
{
	return index_jumps(d, queue, d->q[queue].num);
}

static bool index_beyond(struct device *d, unsigned queue)
{
	return index_jumps(d, queue, (uint16_t)(d->q[queue].num + 1 + rnd(d) % 30000));
}

static bool index_back(struct device *d, unsigned queue)
{
	return index_jumps(d, queue, (uint16_t)-1);
}

static uint16_t *packed_flags(const struct queue *q, unsigned at)
{
	return (uint16_t *)(void *)(q->desc + 16u * (at % q->num) + 14);
}

// Used, as of the lap before: the driver sees nothing until it is put right.
static bool wrap_flipped(struct device *d, unsigned queue)
{
	struct queue *q = &d->q[queue];
	uint16_t was;

	was = *packed_flags(q, q->used_at);
	*(volatile uint16_t *)packed_flags(q, q->used_at) = q->used_wrap ? 0 : 1u << 7 | 1u << 15;
	device_run(d, 5);
	if (q->works)
		*(volatile uint16_t *)packed_flags(q, q->used_at) = was;
	return true;
}

// The descriptor after the next is marked as used, then those before it: ids that were never given.
static bool flags_ahead(struct device *d, unsigned queue)
{
	struct queue *q = &d->q[queue];
	struct chain c;

	if (!take(d, queue, &c)) // so that something is outstanding
		return false;
	for (unsigned i = 3; i-- > 0;) {
		unsigned at = q->used_at + i;
		bool wrap = at < q->num ? q->used_wrap : !q->used_wrap;

		memset(q->desc + 16u * (at % q->num) + 8, 0xff, 6);
		__atomic_store_n(packed_flags(q, at), wrap ? 1u << 7 | 1u << 15 : 0,
				 __ATOMIC_RELEASE);
	}
	return true;
}

static bool merge(struct device *d, unsigned queue, uint16_t buffers)
{
	uint8_t header[HEADER] = {0};

	memcpy(header + 10, &buffers, sizeof(buffers));
	return traffic_send(d, header, HEADER);
}

static bool merge_0(struct device *d, unsigned queue)
{
	return merge(d, queue, 0);
}

static bool merge_most(struct device *d, unsigned queue)
{
	return merge(d, queue, 65535);
}

static bool merge_no_more(struct device *d, unsigned queue)
{
	return merge(d, queue, 9);
}

// All that was promised comes: a packet of more buffers than any has.
static bool merge_of_300(struct device *d, unsigned queue)
{
	struct chain c;
	uint16_t n = 300;
	unsigned i;

	for (i = 0; i < n && ring_pop(d, RX, &c) > 0; i++) {
		memset(c.seg[0].p, 0, HEADER);
		memcpy(c.seg[0].p + 10, &n, sizeof(n));
		ring_put(d, RX, c.id, c.room, c.descs);
	}
	ring_publish(d, RX);
	return i == n;
}

// flags, gso_type, hdr_len, gso_size, csum_start, csum_offset
static bool header(struct device *d, uint8_t flags, uint8_t gso, uint16_t hdr_len,
		   uint16_t gso_size, uint16_t start, uint16_t offset)
{
	uint8_t h[10] = {flags, gso};
	const uint16_t words[4] = {hdr_len, gso_size, start, offset};

	memcpy(h + 2, words, sizeof(words));
	return traffic_send(d, h, sizeof(h));
}

static bool csum_outside(struct device *d, unsigned queue)
{
	uint16_t start = (uint16_t)(rnd(d) % 2 ? 0xffff : 5000 + rnd(d) % 60000);

	return header(d, 1, 0, 0, 0, start, (uint16_t)rnd(d));
}

static bool gso_size_0(struct device *d, unsigned queue)
{
	return header(d, 1, 1, 54, 0, 34, 16);
}

static bool gso_unknown(struct device *d, unsigned queue)
{
	return header(d, 1, 2 + rnd(d) % 0x7e, 54, 1000, 34, 16);
}

static bool gso_headers_huge(struct device *d, unsigned queue)
{
	return header(d, 1, 1, 0xffff, 0xffff, 0xfff0, 0xffff);
}

static bool header_noise(struct device *d, unsigned queue)
{
	return header(d, (uint8_t)rnd(d), (uint8_t)rnd(d), (uint16_t)rnd(d), (uint16_t)rnd(d),
		      (uint16_t)rnd(d), (uint16_t)rnd(d));
}

static void scribble(struct device *d, uint8_t *p, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		((volatile uint8_t *)p)[i] = (uint8_t)rnd(d);
}

// While the front end works: then a fault that ends it, since a ring in ruins cannot go on.
static bool ruin(struct device *d, unsigned queue, uint8_t *p, uint32_t len)
{
	unsigned starts = d->q[queue].starts;
	struct queue *q = &d->q[queue];

	d->lied = true;
	for (unsigned i = 0; i < 20 && q->works && q->starts == starts; i++) {
		traffic_send(d, NULL, 0);
		scribble(d, p + rnd(d) % len, 1);
		if (i % 4 == 3)
			scribble(d, p, len);
		device_turn(d);
	}
	if (!q->works || q->starts != starts)
		return true;
	ring_put(d, queue, 0xffff, 0, 1);
	ring_publish(d, queue);
	return true;
}

static bool desc_ruined(struct device *d, unsigned queue)
{
	return ruin(d, queue, d->q[queue].desc, 16u * d->q[queue].num);
}

static bool avail_ruined(struct device *d, unsigned queue)
{
	return ruin(d, queue, d->q[queue].avail, ring_packed(d) ? 4 : 4u + 2u * d->q[queue].num);
}

static bool used_ruined(struct device *d, unsigned queue)
{
	return ruin(d, queue, d->q[queue].used, ring_packed(d) ? 4 : 4u + 8u * d->q[queue].num);
}

// Every descriptor goes on with itself: who walks chains in shared memory walks for ever.
static bool chains_without_end(struct device *d, unsigned queue)
{
	struct queue *q = &d->q[queue];

	d->lied = true;
	for (uint16_t i = 0; i < q->num; i++) {
		uint16_t *last = (uint16_t *)(void *)(q->desc + 16u * i + 12);

		if (ring_packed(d)) {
			last[1] |= 1;
		} else {
			last[0] = 1;
			last[1] = i;
		}
	}
	return id_range(d, queue) || ruin(d, queue, q->desc, 16);
}

// Doorbells wanted and not wanted, as fast as can be, while frames go to and fro.
static bool doorbells_flicker(struct device *d, unsigned queue)
{
	struct queue *q = &d->q[queue];

	for (unsigned i = 0; i < 3000 && q->works; i++) {
		*(volatile uint16_t *)(void *)(q->used + (ring_packed(d) ? 2 : 0)) =
			(uint16_t)rnd(d);
		if (i % 16 == 0)
			traffic_send(d, NULL, 0);
		device_turn(d);
	}
	if (q->works)
		*(volatile uint16_t *)(void *)(q->used + (ring_packed(d) ? 2 : 0)) = 1;
	return true;
}

static bool interrupts(struct device *d, unsigned queue)
{
	const uint64_t one = 1;

	for (unsigned i = 0; i < 10000; i++)
		if (d->q[queue].call < 0 || write(d->q[queue].call, &one, sizeof(one)) < 0)
			return i > 0;
	return true;
}

static bool silence(struct device *d, unsigned queue)
{
	d->frozen = true;
	device_run(d, 100);
	d->frozen = false;
	return true;
}

const struct sin sins[] = {
	{"id-out-of-range", 3, 3, "bad-id", id_range, false},
	{"id-of-32-bits", 3, 1, "bad-id", id_huge, false},
	{"id-twice", 3, 3, "idle-id", id_twice, true},
	{"id-idle", 2, 3, "idle-id", id_idle, false},
	{"never-given", 3, 3, "", never_given, false},
	{"backwards", 3, 3, "", backwards, false},
	{"length-one-more", 1, 3, "bad-length", len_one_more, false},
	{"length-0x7fffffff", 1, 3, "bad-length", len_31_bits, false},
	{"length-0xffffffff", 1, 3, "bad-length", len_32_bits, false},
	{"length-0", 1, 3, "no-header", len_0, false},
	{"length-below-header", 1, 3, "no-header", len_below_header, false},
	{"length-header-alone", 1, 3, "runt", len_header_alone, false},
	{"length-0x7fffffff-sent", 2, 3, "", len_31_bits, false},
	{"index-1-on", 1, 1, "", index_1_on, true},
	{"index-1-on-sent", 2, 1, "bad-index|idle-id", index_1_on, true},
	{"index-a-ring-on", 3, 1, "", index_ring_on, true},
	{"index-beyond", 3, 1, "bad-index", index_beyond, true},
	{"index-back", 3, 1, "bad-index", index_back, true},
	{"wrap-flipped", 3, 2, "", wrap_flipped, true},
	{"flags-ahead", 3, 2, "bad-id|bad-index|idle-id|bad-length", flags_ahead, true},
	{"merge-0", 1, 3, "bad-merge", merge_0, false},
	{"merge-65535", 1, 3, "bad-merge", merge_most, false},
	{"merge-no-more", 1, 3, "bad-merge", merge_no_more, false},
	{"merge-of-300", 1, 3, "", merge_of_300, false},
	{"csum-outside", 1, 3, "bad-header", csum_outside, false},
	{"gso-size-0", 1, 3, "bad-header", gso_size_0, false},
	{"gso-unknown", 1, 3, "bad-header", gso_unknown, false},
	{"gso-headers-huge", 1, 3, "bad-header", gso_headers_huge, false},
	{"header-noise", 1, 3, "", header_noise, false},
	{"descriptors-ruined", 3, 3, "resets", desc_ruined, true},
	{"avail-ruined", 3, 3, "resets", avail_ruined, true},
	{"used-ruined", 3, 3, "resets", used_ruined, true},
	{"chains-without-end", 3, 3, "resets", chains_without_end, true},
	{"doorbells-flicker", 3, 3, "", doorbells_flicker, false},
	{"interrupts", 3, 3, "", interrupts, false},
	{"silence", 3, 3, "", silence, false},
};
const unsigned sins_count = sizeof(sins) / sizeof(sins[0]);

static unsigned starts(const struct device *d)
{
	return d->q[RX].starts + d->q[TX].starts;
}

// Rings untouched until the front end has started anew, or a while.
static void freeze(struct device *d)
{
	uint64_t end = now_ms() + 30;
	unsigned began = starts(d), cuts = d->cuts;

	d->frozen = true;
	while (now_ms() < end && starts(d) == began && d->cuts == cuts)
		device_run(d, 1);
	d->frozen = false;
}

bool sin_commit(struct device *d, const struct sin *s, unsigned queue)
{
	if (!d->q[RX].works || !d->q[TX].works)
		return false;
	if (!s->commit(d, queue)) {
		d->lied = false;
		return false;
	}
	d->lied = s->lies; // a ring that began anew in the middle of it may have had its end
	freeze(d);
	if (d->lied) { // it went unseen: something that cannot
		ring_put(d, RX, 0xffff, 0, 1);
		ring_publish(d, RX);
		freeze(d);
	}
	if (d->lied) {
		vhost_cut(d);
		d->lied = false;
	}
	return true;
}

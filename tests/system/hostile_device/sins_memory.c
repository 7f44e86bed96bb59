// SPDX-License-Identifier: BSD-3-Clause
// sins_memory.c - lies in headers, rings in ruins, doorbells that flicker, silence
#include <string.h>
#include <unistd.h>

#include "sins.h"

static bool merge(struct device *d, unsigned queue, uint16_t buffers)
{
	uint8_t header[HEADER] = {0};

	memcpy(header + 10, &buffers, sizeof(buffers));
	return traffic_send(d, header, HEADER);
}

bool sin_merge_0(struct device *d, unsigned queue)
{
	return merge(d, queue, 0);
}

bool sin_merge_most(struct device *d, unsigned queue)
{
	return merge(d, queue, 65535);
}

bool sin_merge_no_more(struct device *d, unsigned queue)
{
	return merge(d, queue, 9);
}

// All that was promised comes: a packet of more buffers than any has.
bool sin_merge_of_300(struct device *d, unsigned queue)
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

bool sin_csum_outside(struct device *d, unsigned queue)
{
	uint16_t start = (uint16_t)(rnd(d) % 2 ? 0xffff : 5000 + rnd(d) % 60000);

	return header(d, 1, 0, 0, 0, start, (uint16_t)rnd(d));
}

bool sin_gso_size_0(struct device *d, unsigned queue)
{
	return header(d, 1, 1, 54, 0, 34, 16);
}

bool sin_gso_unknown(struct device *d, unsigned queue)
{
	return header(d, 1, 2 + rnd(d) % 0x7e, 54, 1000, 34, 16);
}

bool sin_gso_headers_huge(struct device *d, unsigned queue)
{
	return header(d, 1, 1, 0xffff, 0xffff, 0xfff0, 0xffff);
}

bool sin_header_noise(struct device *d, unsigned queue)
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

bool sin_desc_ruined(struct device *d, unsigned queue)
{
	return ruin(d, queue, d->q[queue].desc, 16u * d->q[queue].num);
}

bool sin_avail_ruined(struct device *d, unsigned queue)
{
	return ruin(d, queue, d->q[queue].avail, ring_packed(d) ? 4 : 4u + 2u * d->q[queue].num);
}

bool sin_used_ruined(struct device *d, unsigned queue)
{
	return ruin(d, queue, d->q[queue].used, ring_packed(d) ? 4 : 4u + 8u * d->q[queue].num);
}

// Every descriptor goes on with itself: who walks chains in shared memory walks for ever.
bool sin_chains_without_end(struct device *d, unsigned queue)
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
	return sin_id_range(d, queue) || ruin(d, queue, q->desc, 16);
}

// Doorbells wanted and not wanted, as fast as can be, while frames go to and fro.
bool sin_doorbells_flicker(struct device *d, unsigned queue)
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

bool sin_interrupts(struct device *d, unsigned queue)
{
	const uint64_t one = 1;

	for (unsigned i = 0; i < 10000; i++)
		if (d->q[queue].call < 0 || write(d->q[queue].call, &one, sizeof(one)) < 0)
			return i > 0;
	return true;
}

bool sin_silence(struct device *d, unsigned queue)
{
	d->frozen = true;
	device_run(d, 100);
	d->frozen = false;
	return true;
}

// SPDX-License-Identifier: BSD-3-Clause
// traffic.c - frames for the front end to send back, and a look at each that comes
//
// A frame is made of its sequence number: length and every byte. In traffic_check() each must come
// back as it was sent, in order.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "device.h"

#define SMALLEST 60u
#define WINDOW	 64u
#define MAX_BUFS 8u

uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint32_t mix(uint64_t x)
{
	x *= 0x9e3779b97f4a7c15ull;
	return (uint32_t)(x >> 32);
}

static uint32_t frame_len(const struct device *d, uint64_t seq)
{
	uint32_t most = mix(seq) % 8 || !(d->features & F_MRG_RXBUF) ? 1514 : d->frame_most;

	return SMALLEST + mix(seq + 7) % (most - SMALLEST + 1);
}

// To a broadcast address, of an experimental type (RFC 5342 B.2), then the number, then noise.
static uint32_t make(const struct device *d, uint64_t seq, uint8_t *frame)
{
	static const uint8_t head[14] = {255, 255, 255, 255, 255, 255,	2,
					 0,   0,   0,	0,   9,	  0x88, 0xb5};
	uint32_t len = frame_len(d, seq);

	memcpy(frame, head, sizeof(head));
	memcpy(frame + 14, &seq, sizeof(seq));
	for (uint32_t i = 22; i < len; i++)
		frame[i] = (uint8_t)(mix(seq + (i >> 2)) >> 8 * (i & 3));
	return len;
}

static uint32_t gather(const struct chain *c, uint8_t *bytes, uint32_t room)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < c->segs; i++) {
		if (c->seg[i].writable || c->seg[i].len > room - n)
			return 0;
		memcpy(bytes + n, c->seg[i].p, c->seg[i].len);
		n += c->seg[i].len;
	}
	return n;
}

static void look(struct device *d, const struct chain *c)
{
	uint8_t got[HEADER + FRAME_MOST + 64], want[FRAME_MOST];
	uint32_t n = gather(c, got, sizeof(got)), len;
	uint64_t seq;

	if (n < HEADER + SMALLEST || got[HEADER + 12] != 0x88 || got[HEADER + 13] != 0xb5)
		return; // not ours
	memcpy(&seq, got + HEADER + 14, sizeof(seq));
	if (seq < d->judged)
		return; // sent amid lies about its length or buffer
	len = seq < d->sent ? make(d, seq, want) : 0;
	if (n != HEADER + len || memcmp(want, got + HEADER, len)) {
		printf("# frame %llu of %u bytes came back as %u other bytes\n",
		       (unsigned long long)seq, len, n - HEADER);
		d->wrong++;
		return;
	}
	d->back++;
	if (seq == d->expected)
		d->expected++;
}

void traffic_turn(struct device *d)
{
	struct chain c;
	unsigned n = 0;
	int r = 0;

	while (n < 256 && (r = ring_pop(d, TX, &c)) != 0) {
		if (r > 0)
			look(d, &c);
		// What cannot be is given back as it was said: the driver's business, then.
		ring_put(d, TX, c.id, 0, c.descs ? c.descs : 1);
		n++;
	}
	if (n)
		ring_publish(d, TX);
}

static void scatter(const struct chain *c, const uint8_t *bytes, uint32_t len)
{
	for (unsigned i = 0; i < c->segs && len; i++) {
		uint32_t n = c->seg[i].len < len ? c->seg[i].len : len;

		memcpy(c->seg[i].p, bytes, n);
		bytes += n;
		len -= n;
	}
}

int traffic_send(struct device *d, const uint8_t *header, unsigned n)
{
	uint8_t bytes[HEADER + FRAME_MOST];
	uint32_t len, done = 0;
	uint16_t bufs = 0;
	struct queue before = d->q[RX];
	struct chain c[MAX_BUFS];

	memset(bytes, 0, HEADER);
	len = HEADER + make(d, d->sent, bytes + HEADER);
	while (done < len && bufs < MAX_BUFS && ring_pop(d, RX, &c[bufs]) > 0 && c[bufs].room)
		done += c[bufs++].room;
	if (done < len) { // not enough of them: they wait
		d->q[RX].avail_at = before.avail_at;
		d->q[RX].avail_wrap = before.avail_wrap;
		return 0;
	}
	memcpy(bytes + 10, &bufs, sizeof(bufs));
	if (n)
		memcpy(bytes, header, n);
	done = 0;
	for (unsigned i = 0; i < bufs; i++) {
		uint32_t part = c[i].room < len - done ? c[i].room : len - done;

		if (!d->lied)
			scatter(&c[i], bytes + done, part);
		ring_put(d, RX, c[i].id, part, c[i].descs);
		done += part;
	}
	ring_publish(d, RX);
	d->sent++;
	return 1;
}

void device_turn(struct device *d)
{
	vhost_turn(d);
	if (!d->frozen)
		traffic_turn(d);
}

void device_run(struct device *d, unsigned ms)
{
	const struct timespec nap = {.tv_nsec = 20000};
	uint64_t end = now_ms() + ms;

	do {
		device_turn(d);
		nanosleep(&nap, NULL);
	} while (now_ms() < end);
}

static unsigned starts(const struct device *d)
{
	return d->q[RX].starts + d->q[TX].starts;
}

int traffic_check(struct device *d, unsigned n, unsigned ms)
{
	uint64_t until = now_ms() + ms, last;
	unsigned began = starts(d);

	d->expected = d->judged = d->sent;
	last = d->sent + n;
	while (d->expected < last) {
		uint64_t was = d->expected;

		while (d->sent < last && d->sent - d->expected < WINDOW && traffic_send(d, NULL, 0))
			;
		device_turn(d);
		if (starts(d) != began || d->fd < 0 || now_ms() >= until)
			break;
		if (d->expected == was)
			nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
	}
	d->judged = UINT64_MAX;
	return d->expected < last ? -1 : 0;
}

int traffic_recovers(struct device *d, unsigned n, unsigned ms)
{
	uint64_t began = now_ms();

	while (now_ms() - began < ms) {
		if (!traffic_check(d, n, 300))
			return (int)(now_ms() - began);
		device_run(d, 2);
	}
	return -1;
}

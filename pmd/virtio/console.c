// SPDX-License-Identifier: BSD-3-Clause
// console.c - a virtio console as a byte stream
//
// Descriptor i of either queue has buffer i for good. Queue 0 receives: its buffers are with the device but
// the one being read. Queue 1 transmits.
#include "pmd/virtio/console.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/plat.h"
#include "pmd/virtio/queue.h"
#include "pmd/virtio/split.h"

#define RX	0u // 5.3.2: receiveq(port0), transmitq(port0)
#define TX	1u
#define BUFFERS 8u
#define BUFFER	4096u

#define RESET_MS_OPEN 500u
#define RESET_MS_RUN  1u // packets wait
#define RETRY_S	      1u

struct console {
	struct stream stream;
	struct virtio_transport *t;
	struct virtq q[2];
	uint8_t *data[2];    // BUFFERS of BUFFER bytes
	bool reading;	     // the buffer `id` is being read: bytes `at` to `len`
	uint32_t id, at, len;
	uint16_t free[BUFFERS]; // of TX
	unsigned n_free;
	bool running;
	uint64_t retry_at; // TSC
	struct virtio_console_stats stats;
};

static struct console *self(struct stream *s)
{
	return (struct console *)(void *)s;
}

static uint8_t *buffer(struct console *c, unsigned q, uint32_t id)
{
	return c->data[q] + id * BUFFER;
}

static int stop(struct console *c, unsigned ms, struct err *err)
{
	uint64_t end = tsc_read() + plat_tsc_hz() / 1000 * ms;

	c->running = false;
	c->t->ops->set_status(c->t, 0);
	while (c->t->ops->status(c->t))
		if (tsc_read() > end)
			return err_set(err, -ETIMEDOUT, "%s: the console does not end its reset within %u ms",
				       c->t->name, ms);
	return 0;
}

static int negotiate(struct console *c, struct err *err)
{
	const struct virtio_transport_ops *ops = c->t->ops;
	uint8_t status = VIRTIO_S_ACKNOWLEDGE | VIRTIO_S_DRIVER;

	ops->set_status(c->t, VIRTIO_S_ACKNOWLEDGE);
	ops->set_status(c->t, status);
	if (!(ops->features(c->t) & VIRTIO_F_VERSION_1))
		return err_set(err, -ENOTSUP, "%s: a console of before virtio 1.0 (QEMU: disable-legacy=on)",
			       c->t->name);
	ops->set_features(c->t, VIRTIO_F_VERSION_1);
	status |= VIRTIO_S_FEATURES_OK;
	ops->set_status(c->t, status);
	if (!(ops->status(c->t) & VIRTIO_S_FEATURES_OK))
		return err_set(err, -ENOTSUP, "%s: the console refuses features %#llx", c->t->name,
			       (unsigned long long)VIRTIO_F_VERSION_1);
	return 0;
}

static int setup_queue(struct console *c, unsigned q, struct err *err)
{
	uint16_t most = c->t->ops->queue_size(c->t, (uint16_t)q);

	if (most < BUFFERS)
		return err_set(err, -EPROTO, "%s: queue %u of the console has %u descriptors: expected %u or more",
			       c->t->name, q, most, BUFFERS);
	virtq_clear(&c->q[q], BUFFERS, 0);
	memset(c->q[q].buf, 0, BUFFERS * sizeof(c->q[q].buf[0]));
	for (uint16_t i = 0; i < BUFFERS; i++)
		c->q[q].desc[i] = (struct virtq_desc){.addr = plat_iova(buffer(c, q, i)), .len = BUFFER,
						      .flags = q == RX ? VIRTQ_DESC_F_WRITE : 0};
	return virtq_attach(&c->q[q], c->t, err);
}

// Descriptor id is the device's from the next publish() on. buf[] says which are.
static void give(struct console *c, unsigned q, uint16_t id)
{
	struct virtq *vq = &c->q[q];

	vq->buf[id] = (struct mbuf *)(void *)buffer(c, q, id);
	virtq_split_set_slot(vq, vq->avail_idx, id);
	vq->avail_idx++;
}

static void publish(struct virtq *vq)
{
	virtq_split_publish(vq);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); // 2.7.13.4.1
	if (virtq_split_wants_doorbell(vq))
		virtq_ring_doorbell(vq);
}

static int start(struct console *c, unsigned ms, struct err *err)
{
	int r = stop(c, ms, err);

	if (!r)
		r = negotiate(c, err);
	for (unsigned q = 0; !r && q < 2; q++)
		r = setup_queue(c, q, err);
	if (r) {
		c->t->ops->set_status(c->t, VIRTIO_S_FAILED);
		return r;
	}
	c->t->ops->set_status(c->t, VIRTIO_S_ACKNOWLEDGE | VIRTIO_S_DRIVER | VIRTIO_S_FEATURES_OK |
					    VIRTIO_S_DRIVER_OK);
	c->q[RX].fault = c->q[TX].fault = VIRTQ_SOUND;
	c->reading = false;
	c->n_free = 0;
	for (uint16_t i = 0; i < BUFFERS; i++) {
		give(c, RX, i);
		c->free[c->n_free++] = i;
	}
	publish(&c->q[RX]);
	c->running = true;
	return 0;
}

// After a lie: once a second a reset is tried.
static bool running(struct console *c)
{
	uint64_t now;

	if (c->running && !c->q[RX].fault && !c->q[TX].fault)
		return true;
	now = tsc_read();
	if (c->running) {
		c->stats.faults++;
		c->running = false;
		c->retry_at = now + plat_tsc_hz() * RETRY_S;
	}
	if (now < c->retry_at)
		return false;
	c->retry_at = now + plat_tsc_hz() * RETRY_S;
	if (start(c, RESET_MS_RUN, NULL))
		return false;
	c->stats.restarts++;
	return true;
}

// The next used buffer of queue q: true, its id and how much the device says it wrote.
static bool take(struct console *c, unsigned q, uint32_t *id, uint32_t *len)
{
	struct virtq *vq = &c->q[q];
	struct virtq_used_elem e;

	if (vq->fault || !virtq_split_ready(vq))
		return false;
	e = virtq_split_used(vq, vq->used_idx);
	if (!virtq_claim(vq, e.id))
		return false;
	if (e.len > BUFFER) {
		virtq_set_fault(vq, VIRTQ_LONG);
		return false;
	}
	vq->buf[e.id] = NULL;
	vq->used_idx++;
	*id = e.id;
	*len = e.len;
	return true;
}

static int console_read(struct stream *s, void *buf, uint32_t n)
{
	struct console *c = self(s);
	uint32_t got = 0, some, taken = 0; // bounded, whatever the device does meanwhile
	bool given = false;

	if (!running(c))
		return 0;
	while (got < n) {
		if (!c->reading && (taken++ == BUFFERS || !take(c, RX, &c->id, &c->len)))
			break;
		if (!c->reading)
			c->at = 0;
		c->reading = true;
		some = c->len - c->at < n - got ? c->len - c->at : n - got;
		memcpy((uint8_t *)buf + got, buffer(c, RX, c->id) + c->at, some);
		got += some;
		c->at += some;
		if (c->at < c->len)
			continue;
		give(c, RX, (uint16_t)c->id);
		c->reading = false;
		given = true;
	}
	if (given)
		publish(&c->q[RX]);
	return (int)got;
}

static int console_write(struct stream *s, const void *buf, uint32_t n)
{
	struct console *c = self(s);
	uint32_t sent = 0, some, id, len;

	if (!running(c))
		return 0;
	while (take(c, TX, &id, &len))
		c->free[c->n_free++] = (uint16_t)id;
	while (sent < n && c->n_free && !c->q[TX].fault) {
		id = c->free[--c->n_free];
		some = n - sent < BUFFER ? n - sent : BUFFER;
		memcpy(buffer(c, TX, id), (const uint8_t *)buf + sent, some);
		c->q[TX].desc[id].len = some;
		give(c, TX, (uint16_t)id);
		sent += some;
	}
	if (sent)
		publish(&c->q[TX]);
	return (int)sent;
}

static void console_close(struct stream *s)
{
	struct console *c = self(s);

	stop(c, RESET_MS_OPEN, NULL);
	c->t->ops->close(c->t);
	for (unsigned q = 0; q < 2; q++)
		if (c->q[q].memory)
			virtq_destroy(&c->q[q]);
	free(c);
}

static const struct stream_ops console_ops = {
	.read = console_read,
	.write = console_write,
	.close = console_close,
};

struct stream *virtio_console_open(struct virtio_transport *t, struct err *err)
{
	struct console *c = calloc(1, sizeof(*c));
	int r = c ? 0 : err_set(err, -ENOMEM, "%s: no memory", t->name);

	if (!c) {
		t->ops->close(t);
		return NULL;
	}
	c->stream.ops = &console_ops;
	c->stream.shared = true;
	c->t = t;
	for (uint16_t q = 0; !r && q < 2; q++) {
		r = virtq_create(&c->q[q], q, BUFFERS, err);
		c->data[q] = r ? NULL : plat_arena_alloc(BUFFERS * BUFFER, 4096);
		if (!r && !c->data[q])
			r = err_set(err, -ENOMEM, "%s: no memory of the arena", t->name);
	}
	if (!r)
		r = start(c, RESET_MS_OPEN, err);
	if (!r)
		return &c->stream;
	console_close(&c->stream);
	return NULL;
}

struct virtio_console_stats virtio_console_stats(const struct stream *s)
{
	return ((const struct console *)(const void *)s)->stats;
}

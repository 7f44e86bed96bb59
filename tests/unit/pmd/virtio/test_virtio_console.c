// SPDX-License-Identifier: BSD-3-Clause
// test_virtio_console.c - the console over a device in memory, honest and not
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/plat.h"
#include "pmd/virtio/console.h"
#include "pmd/virtio/spec.h"

struct ring { // a queue as the device sees it
	struct virtq_desc *desc;
	struct virtq_avail *avail;
	struct virtq_used *used;
	uint16_t size, seen;
};

static struct device {
	struct virtio_transport base;
	struct ring q[2];
	uint8_t status;
	uint64_t offers, taken;
	uint16_t queue_size;
	bool no_features_ok, never_resets, closed;
	unsigned doorbells, resets;
	uint8_t got[1 << 16];
	uint32_t got_len;
} dev;

static uint8_t dev_status(struct virtio_transport *t)
{
	return dev.never_resets ? 1 : dev.status;
}

static void dev_set_status(struct virtio_transport *t, uint8_t status)
{
	dev.status = status;
	if (dev.no_features_ok)
		dev.status &= (uint8_t)~VIRTIO_S_FEATURES_OK;
	if (!status) {
		dev.resets++;
		memset(dev.q, 0, sizeof(dev.q));
	}
}

static uint64_t dev_features(struct virtio_transport *t)
{
	return dev.offers;
}

static void dev_set_features(struct virtio_transport *t, uint64_t features)
{
	dev.taken = features;
}

static uint16_t dev_queue_size(struct virtio_transport *t, uint16_t index)
{
	return index < 2 ? dev.queue_size : 0;
}

static int dev_queue_setup(struct virtio_transport *t, uint16_t index, const struct virtq_place *p,
			   struct err *err)
{
	dev.q[index] = (struct ring){(void *)(uintptr_t)p->desc, (void *)(uintptr_t)p->avail,
				     (void *)(uintptr_t)p->used, p->size, 0};
	assert_int_equal(p->lcore, VIRTQ_NO_LCORE);
	return 0;
}

static void dev_notify(struct virtio_transport *t, uint16_t index)
{
	dev.doorbells++;
}

static void dev_close(struct virtio_transport *t)
{
	dev.closed = true;
}

static const struct virtio_transport_ops ops = {
	.status = dev_status,
	.set_status = dev_set_status,
	.features = dev_features,
	.set_features = dev_set_features,
	.queue_size = dev_queue_size,
	.queue_setup = dev_queue_setup,
	.notify = dev_notify,
	.close = dev_close,
};

static int start(void **state)
{
	memset(&dev, 0, sizeof(dev));
	dev.base.ops = &ops;
	strcpy(dev.base.name, "test");
	dev.offers = VIRTIO_F_VERSION_1 | 7;
	dev.queue_size = 128;
	return 0;
}

static struct stream *opened(void)
{
	struct err err;
	struct stream *s = virtio_console_open(&dev.base, &err);

	assert_non_null(s);
	assert_true(dev.status & VIRTIO_S_DRIVER_OK);
	assert_int_equal(dev.taken, VIRTIO_F_VERSION_1); // no multiport, no emergency write
	assert_true(s->shared);
	return s;
}

static void use(struct ring *r, uint32_t id, uint32_t len)
{
	r->used->ring[r->used->idx % r->size] = (struct virtq_used_elem){id, len};
	r->used->idx++;
}

// The next descriptor that the driver has given; -1: none.
static int next(struct ring *r)
{
	return r->seen == r->avail->idx ? -1 : r->avail->ring[r->seen++ % r->size];
}

// The device delivers bytes, in buffers filled up to `most`. How many found room.
static uint32_t deliver(const uint8_t *bytes, uint32_t n, uint32_t most)
{
	struct ring *r = &dev.q[0];
	uint32_t done = 0;
	int id;

	while (done < n && (id = next(r)) >= 0) {
		uint32_t some = n - done < most ? n - done : most;

		assert_true(some <= r->desc[id].len);
		assert_int_equal(r->desc[id].flags, VIRTQ_DESC_F_WRITE);
		memcpy((void *)(uintptr_t)r->desc[id].addr, bytes + done, some);
		use(r, (uint32_t)id, some);
		done += some;
	}
	return done;
}

static void drain(void)
{
	struct ring *r = &dev.q[1];
	int id;

	while ((id = next(r)) >= 0) {
		assert_int_equal(r->desc[id].flags, 0);
		memcpy(dev.got + dev.got_len, (void *)(uintptr_t)r->desc[id].addr, r->desc[id].len);
		dev.got_len += r->desc[id].len;
		use(r, (uint32_t)id, 0);
	}
}

static uint8_t pattern(uint32_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

static void test_receives(void **state)
{
	static const uint32_t fills[] = {1, 100, 4096};
	struct stream *s = opened();
	uint32_t sent = 0, got = 0;

	for (unsigned round = 0; round < 300; round++) {
		uint8_t out[9000], in[5000];
		uint32_t n = 1 + round * 29 % sizeof(out);
		int some;

		for (uint32_t i = 0; i < n; i++)
			out[i] = pattern(sent + i);
		sent += deliver(out, n, fills[round % 3]);
		while ((some = stream_read(s, in, 1 + round * 13 % sizeof(in))) > 0)
			for (int i = 0; i < some; i++)
				assert_int_equal(in[i], pattern(got++));
		assert_int_equal(some, 0);
		assert_int_equal(got, sent);
	}
	stream_close(s);
	assert_true(dev.closed);
	assert_int_equal(dev.status, 0);
}

static void test_sends(void **state)
{
	struct stream *s = opened();
	uint8_t out[40000];
	uint32_t sent = 0;

	for (uint32_t i = 0; i < sizeof(out); i++)
		out[i] = pattern(i);
	// The device reads nothing: as much as there are buffers, then no more.
	sent = (uint32_t)stream_write(s, out, sizeof(out));
	assert_int_equal(sent, 8 * 4096);
	assert_int_equal(stream_write(s, out + sent, 100), 0);
	drain();
	while (sent < sizeof(out)) {
		sent += (uint32_t)stream_write(s, out + sent, 1000 < sizeof(out) - sent ? 1000 : sizeof(out) - sent);
		drain();
	}
	assert_int_equal(dev.got_len, sizeof(out));
	assert_memory_equal(dev.got, out, sizeof(out));
	stream_close(s);
}

// A device that wants no doorbell gets none.
static void test_doorbells(void **state)
{
	struct stream *s = opened();
	unsigned before = dev.doorbells;
	uint8_t byte = 1;

	stream_read(s, &byte, 1); // nothing there: no access
	assert_int_equal(dev.doorbells, before);
	stream_write(s, &byte, 1);
	assert_int_equal(dev.doorbells, before + 1);
	dev.q[1].used->flags = VIRTQ_USED_F_NO_NOTIFY;
	stream_write(s, &byte, 1);
	assert_int_equal(dev.doorbells, before + 1);
	stream_close(s);
}

// It lies: nothing of it is believed, and after a second it is reset, and works again.
static void lies(void (*lie)(void))
{
	struct stream *s;
	uint8_t bytes[64] = "abc", out[64];
	uint64_t until;
	unsigned resets;

	start(NULL);
	s = opened();
	resets = dev.resets;
	assert_int_equal(stream_write(s, bytes, 1), 1);
	lie();
	stream_read(s, out, sizeof(out));
	assert_true(stream_read(s, out, sizeof(out)) <= 0);
	stream_write(s, bytes, 1);
	assert_int_equal(stream_write(s, bytes, 1), 0);
	assert_int_equal(virtio_console_stats(s).faults, 1);
	assert_int_equal(dev.resets, resets); // not at once: it may go on lying
	until = tsc_read() + plat_tsc_hz() / 10 * 11;
	while (tsc_read() < until)
		;
	assert_int_equal(stream_read(s, out, sizeof(out)), 0);
	assert_int_equal(virtio_console_stats(s).restarts, 1);
	assert_int_equal(deliver(bytes, 3, 3), 3);
	assert_int_equal(stream_read(s, out, sizeof(out)), 3);
	assert_memory_equal(out, "abc", 3);
	stream_close(s);
}

static void lie_index(void)
{
	dev.q[0].used->idx = 9;
}

static void lie_id(void)
{
	use(&dev.q[0], 8, 1);
}

static void lie_twice(void)
{
	int id = next(&dev.q[1]);

	use(&dev.q[1], (uint32_t)id, 0);
	use(&dev.q[1], (uint32_t)id, 0);
}

static void lie_length(void)
{
	use(&dev.q[0], 0, 4097);
}

static void lie_tx(void)
{
	use(&dev.q[1], 0, 0); // that is not the one that was given
}

static void test_lies(void **state)
{
	lies(lie_index);
	lies(lie_id);
	lies(lie_twice);
	lies(lie_length);
	lies(lie_tx);
}

// Empty buffers again and again do not hold anybody up.
static void test_nothing(void **state)
{
	struct stream *s = opened();
	uint8_t out[10];
	int id;

	for (unsigned i = 0; i < 100; i++) {
		while ((id = next(&dev.q[0])) >= 0)
			use(&dev.q[0], (uint32_t)id, 0);
		assert_int_equal(stream_read(s, out, sizeof(out)), 0);
	}
	assert_int_equal(virtio_console_stats(s).faults, 0);
	stream_close(s);
}

static void refused(const char *says)
{
	struct err err;

	assert_null(virtio_console_open(&dev.base, &err));
	if (!strstr(err.text, says))
		fail_msg("%s", err.text);
	assert_true(dev.closed);
	start(NULL);
}

static void test_refused(void **state)
{
	dev.offers = 7;
	refused("before virtio 1.0");
	dev.queue_size = 4;
	refused("has 4 descriptors: expected 8 or more");
	dev.no_features_ok = true;
	refused("refuses features");
	dev.never_resets = true;
	refused("does not end its reset within 500 ms");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, start)
	const struct CMUnitTest tests[] = {
		T(test_receives), T(test_sends),   T(test_doorbells),
		T(test_lies),	  T(test_nothing), T(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: BSD-3-Clause
// test_virtio_rx.c - receiving from an honest device: order, merging, few buffers and none
#include <string.h>

#include "fixture.h"

#define BURST 32u

static void receives_in_order(void **state)
{
	uint8_t frame[64];
	struct mbuf *m[BURST];
	unsigned sent = 0, got = 0;

	fix_up();
	while (got < 200000) { // the 16-bit indices wrap three times
		unsigned n = 1 + sent % 50;

		for (unsigned i = 0; i < n; i++, sent++) {
			fix_pattern(frame, sizeof(frame), (uint8_t)sent);
			memcpy(frame, &sent, sizeof(sent));
			assert_true(model_receive(frame, 14 + sent % 50));
		}
		while (got < sent) {
			unsigned k = fix_rx(m, BURST);

			assert_int_equal(k, sent - got < BURST ? sent - got : BURST);
			for (unsigned i = 0; i < k; i++, got++) {
				assert_int_equal(m[i]->pkt_len, 14 + got % 50);
				assert_memory_equal(m[i]->data, &got, sizeof(got));
				assert_int_equal((uintptr_t)m[i]->data % 64, 0);
			}
			mbuf_free_bulk(m, k);
		}
		assert_int_equal(fix_rx(m, BURST), 0);
	}
	assert_int_equal(fix_counter("resets"), 0);
}

static void receives_as_much_as_it_is_asked_for(void **state)
{
	uint8_t frame[60] = {0};
	struct mbuf *m[256];

	fix_up();
	for (unsigned i = 0; i < 200; i++)
		assert_true(model_receive(frame, sizeof(frame)));
	assert_int_equal(fix_rx(m, 0), 0);
	assert_int_equal(fix_rx(m, 1), 1);
	assert_int_equal(fix_rx(m + 1, 150), 150);
	assert_int_equal(fix_rx(m + 151, 100), 49);
	mbuf_free_bulk(m, 200);
}

// How many buffers the device can fill before the driver looks again.
static unsigned fill(void)
{
	uint8_t frame[60] = {0};
	unsigned n = 0;

	while (model_receive(frame, sizeof(frame)))
		n++;
	return n;
}

static void posts_few_buffers_first(void **state)
{
	struct mbuf *m[256];

	assert_int_equal(fix_open(), 0);
	assert_int_equal(fill(), 64);
	// Doubles with the demand: the first burst finds all 64 used.
	assert_int_equal(fix_rx(m, 256), 64);
	mbuf_free_bulk(m, 64);
	assert_int_equal(fill(), 128);
	assert_int_equal(fix_rx(m, 256), 128);
	mbuf_free_bulk(m, 128);
	assert_int_equal(fill(), 256);
	assert_int_equal(fix_rx(m, 256), 256);
	mbuf_free_bulk(m, 256);
	assert_int_equal(fill(), 256); // the ring's size
	assert_int_equal(fix_rx(m, 256), 256);
	mbuf_free_bulk(m, 256);
	fix_close();
	// And without demand by housekeeping.
	assert_int_equal(fix_open(), 0);
	fix_pass(0);
	fix_pass(0);
	assert_int_equal(fill(), 192);
	assert_int_equal(fix_rx(m, 256), 192);
	mbuf_free_bulk(m, 192);
}

static void receives_large_frames_merged(void **state)
{
	static uint8_t frame[60000], got[60000];
	struct mbuf *m[2];

	fix_up();
	for (unsigned len = 2000; len < sizeof(frame); len += 1009) {
		fix_pattern(frame, len, (uint8_t)len);
		assert_true(model_receive(frame, len));
		assert_true(model_receive(frame, 60));
		assert_int_equal(fix_rx(m, 2), 2);
		assert_int_equal(m[0]->pkt_len, len);
		assert_int_equal(m[0]->nsegs, (12 + len + 2059) / 2060); // 12 + 2048 bytes a buffer
		assert_int_equal(mbuf_check(m[0]), 0);
		assert_int_equal(mbuf_copy_out(m[0], 0, got, len), 0);
		assert_memory_equal(got, frame, len);
		assert_int_equal(m[1]->pkt_len, 60);
		mbuf_free_bulk(m, 2);
	}
}

static void receives_a_merged_frame_one_at_a_time(void **state)
{
	static uint8_t frame[9000];
	struct mbuf *m[1];

	fix_up();
	assert_true(model_receive(frame, 9000));
	assert_true(model_receive(frame, 5000));
	assert_int_equal(fix_rx(m, 1), 1);
	assert_int_equal(m[0]->nsegs, 5);
	mbuf_free(m[0]);
	assert_int_equal(fix_rx(m, 1), 1);
	assert_int_equal(m[0]->nsegs, 3);
	mbuf_free(m[0]);
	assert_int_equal(fix_rx(m, 1), 0);
}

// A device that keeps up to 100 buffers and fills any of them next: some for thousands of packets.
static void receives_out_of_order(void **state)
{
	uint8_t frame[12 + 60] = {[10] = 1};
	struct mbuf *m[BURST];
	unsigned held = 0, random = 1, done = 0;
	int id[100];

	if (fix_in_order())
		return;
	fix_up();
	while (done < 100000) {
		unsigned batch = 1 + done % BURST;

		while (held < 100)
			id[held++] = model_take(MODEL_RX);
		for (unsigned i = 0; i < batch; i++) {
			random = random * 1664525 + 1013904223;
			unsigned k = (random >> 16) % (held - 1) + (done % 50 == 0);

			frame[12] = (uint8_t)(done + i);
			model_write(id[k], frame, sizeof(frame));
			model_use(MODEL_RX, (uint32_t)id[k], sizeof(frame));
			id[k] = id[--held];
		}
		assert_int_equal(fix_rx(m, BURST), batch);
		for (unsigned i = 0; i < batch; i++, done++)
			assert_int_equal(m[i]->data[0], (uint8_t)done);
		mbuf_free_bulk(m, batch);
	}
	assert_int_equal(fix_counter("resets"), 0);
}

static void drops_runts(void **state)
{
	uint8_t frame[14] = {0};
	struct mbuf *m[4];

	fix_up();
	assert_true(model_receive(frame, 13));
	assert_true(model_receive(frame, 0));
	assert_true(model_receive(frame, 14));
	assert_int_equal(fix_rx(m, 4), 1);
	assert_int_equal(m[0]->pkt_len, 14);
	mbuf_free(m[0]);
	assert_int_equal(fix_counter("rx-runt"), 2);
	assert_int_equal(fix_counter("resets"), 0);
}

static void starves_and_recovers(void **state)
{
	static struct mbuf *hoard[POOL];
	uint8_t frame[60] = {0};
	struct mbuf *m[BURST];
	unsigned held = 0, got = 0, n;

	fix_up();
	while (!mempool_get_bulk(fix.pool, hoard + held, 1))
		held++;
	assert_int_equal(held, POOL - 256);
	while (model_receive(frame, sizeof(frame)))
		;
	while ((n = fix_rx(m, BURST))) {
		for (unsigned i = 0; i < n; i++)
			assert_int_equal(m[i]->pkt_len, 60);
		got += n;
		memcpy(hoard + held, m, n * sizeof(m[0]));
		held += n;
	}
	assert_int_equal(got, 256);
	assert_true(fix_counter("rx-nombuf") > 0);
	assert_false(model_receive(frame, sizeof(frame)));

	mempool_put_bulk(fix.pool, hoard, 1); // one buffer is enough to go on
	held--;
	assert_int_equal(fix_rx(m, BURST), 0);
	assert_true(model_receive(frame, sizeof(frame)));
	assert_int_equal(fix_rx(m, BURST), 1);
	mbuf_free(m[0]);

	mempool_put_bulk(fix.pool, hoard + 1, held);
	fix_rx(m, BURST);
	for (unsigned i = 0; i < 256; i++)
		assert_true(model_receive(frame, sizeof(frame)));
	while ((n = fix_rx(m, BURST)))
		mbuf_free_bulk(m, n);
	assert_int_equal(fix_counter("resets"), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(receives_in_order),
		T(receives_as_much_as_it_is_asked_for),
		T(posts_few_buffers_first),
		T(receives_large_frames_merged),
		T(receives_a_merged_frame_one_at_a_time),
		T(receives_out_of_order),
		T(drops_runts),
		T(starves_and_recovers),
	};

	return FIX_RUN(tests);
}

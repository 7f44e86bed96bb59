// SPDX-License-Identifier: BSD-3-Clause
// test_virtio_tx.c - sending to an honest device, doorbells, and closing with packets on the way
#include <string.h>

#include "fixture.h"

#define BURST 32u

static void sends_in_order(void **state)
{
	uint8_t frame[2048], want[2048];
	struct mbuf *m[BURST];
	unsigned sent = 0;

	fix_up();
	for (unsigned round = 0; round < 6000; round++) {
		unsigned n = 1 + round % BURST;

		for (unsigned i = 0; i < n; i++)
			m[i] = fix_packet(fix.pool, 14 + (sent + i) % 1500, (uint8_t)(sent + i));
		assert_int_equal(fix_tx(m, n), n);
		for (unsigned i = 0; i < n; i++, sent++) {
			fix_pattern(want, 14 + sent % 1500, (uint8_t)sent);
			assert_int_equal(model_transmit(frame, sizeof(frame)), 14 + sent % 1500);
			assert_memory_equal(frame, want, 14 + sent % 1500);
		}
	}
	struct port_stats s = {0};

	virtio_pmd.stats(&fix.port, &s);
	assert_int_equal(s.tx_packets, sent);
}

static void leaves_the_tail_when_full(void **state)
{
	static uint8_t frame[2048];
	struct mbuf *m[BURST];
	unsigned sent = 0, n;

	fix_up();
	do {
		for (unsigned i = 0; i < BURST; i++)
			m[i] = fix_packet(fix.pool, 60, 1);
		n = fix_tx(m, BURST);
		sent += n;
	} while (n == BURST);
	assert_int_equal(sent, 256);
	assert_int_equal(fix_tx(m + n, BURST - n), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(model_transmit(frame, sizeof(frame)), 60);
	assert_int_equal(fix_tx(m + n, BURST - n), 3);
	mbuf_free_bulk(m + n + 3, BURST - n - 3);
}

// A few packets of every shape, in an order that makes chains cross the end of the ring.
static void sends_chains(void **state)
{
	static uint8_t frame[1 << 16], want[1 << 16];

	fix_up();
	for (unsigned i = 0; i < 3000; i++) {
		unsigned len = 14 + i * 97 % 20000;
		struct mbuf *m = fix_packet(fix.pool, len, (uint8_t)i);

		assert_int_equal(fix_tx(&m, 1), 1);
		fix_pattern(want, len, (uint8_t)i);
		assert_int_equal(model_transmit(frame, sizeof(frame)), len);
		assert_memory_equal(frame, want, len);
	}
	assert_int_equal(fix_counter("tx-refused"), 0);
}

static void sends_out_of_order(void **state)
{
	static uint8_t packet[1 << 16], want[1 << 16];
	int head[8];

	if (fix_in_order())
		return;
	fix_up();
	for (unsigned round = 0; round < 3000; round++) {
		for (unsigned i = 0; i < 8; i++) {
			unsigned len = 14 + (round * 8 + i) * 131 % 6000;
			struct mbuf *m = fix_packet(fix.pool, len, (uint8_t)i);

			assert_int_equal(fix_tx(&m, 1), 1);
			fix_pattern(want, len, (uint8_t)i);
			head[i] = model_take(MODEL_TX);
			assert_int_equal(model_gather(head[i], packet, sizeof(packet)), len + 12);
			assert_memory_equal(packet + 12, want, len);
		}
		for (unsigned i = 0; i < 8; i++)
			model_use(MODEL_TX, (uint32_t)head[(i * 5 + round) % 8], 0);
	}
	fix_pass(1);
	assert_int_equal(fix_counter("resets"), 0);
}

static void does_not_write_into_shared_buffers(void **state)
{
	static uint8_t frame[2048];
	struct mbuf *m = fix_packet(fix.pool, 60, 5), *other = m;

	fix_up();
	memset(m->buf, 0xaa, MBUF_HEADROOM);
	mbuf_ref(m);
	assert_int_equal(fix_tx(&m, 1), 1);
	assert_int_equal(model_transmit(frame, sizeof(frame)), 60);
	assert_int_equal(m->buf[MBUF_HEADROOM - 1], 0xaa);
	fix_pass(1);
	assert_int_equal(other->refcnt, 1);
	assert_int_equal(fix_tx(&other, 1), 1);
	assert_int_equal(model_transmit(frame, sizeof(frame)), 60);
}

static void sends_without_headroom(void **state)
{
	static uint8_t frame[2048];

	fix_up();
	for (unsigned room = 0; room < 16; room++) {
		struct mbuf *m = fix_packet(fix.pool, 60, 5);

		m->data = m->buf + room;
		m->reserved[0] = m->reserved[1] = ~0ull; // what stands before the headroom
		fix_pattern(m->data, 60, (uint8_t)room);
		assert_int_equal(fix_tx(&m, 1), 1);
		assert_int_equal(model_transmit(frame, sizeof(frame)), 60);
		assert_true(m->reserved[0] == ~0ull && m->reserved[1] == ~0ull);
		assert_int_equal(frame[0], room);
	}
}

static void skips_empty_segments(void **state)
{
	static uint8_t frame[8192], want[8192];
	struct mbuf *m = fix_packet(fix.pool, 5000, 9);

	fix_up();
	fix_pattern(want, 5000, 9);
	m->pkt_len -= m->next->len;
	m->next->len = 0;
	assert_int_equal(fix_tx(&m, 1), 1);
	assert_int_equal(model_transmit(frame, sizeof(frame)), 5000 - 2048);
	assert_memory_equal(frame, want, 2048);
	assert_memory_equal(frame + 2048, want + 4096, 5000 - 4096);

	m = fix_packet(fix.pool, 5000, 9); // also in front
	m->pkt_len -= m->len;
	m->len = 0;
	assert_int_equal(fix_tx(&m, 1), 1);
	assert_int_equal(model_transmit(frame, sizeof(frame)), 5000 - 2048);
	assert_memory_equal(frame, want + 2048, 5000 - 2048);
}

static void refuses_what_can_never_be_sent(void **state)
{
	struct mbuf *m[2];

	model.q[MODEL_TX].max = 4;
	fix_up();
	m[0] = fix_packet(fix.pool, 0, 0);
	m[1] = fix_packet(fix.pool, 5 * 2048, 0);
	assert_int_equal(fix_tx(m, 2), 2);
	assert_int_equal(fix_counter("tx-refused"), 2);
	m[0] = fix_packet(fix.pool, 4 * 2048, 0);
	assert_int_equal(fix_tx(m, 1), 1);
	assert_int_equal(fix_counter("tx-refused"), 2);
}

static void frees_to_the_right_pool(void **state)
{
	const struct mempool_conf conf = {.name = "other", .count = 64};
	static struct mempool *other;
	static uint8_t frame[2048];
	struct mbuf *m[2];

	other = mempool_create(&conf, NULL);
	assert_non_null(other);
	fix_up();
	for (unsigned i = 0; i < 100; i++) {
		m[0] = fix_packet(other, 60, 1);
		m[1] = fix_packet(fix.pool, 60, 2);
		assert_int_equal(fix_tx(m, 2), 2);
		assert_int_equal(model_transmit(frame, sizeof(frame)), 60);
		assert_int_equal(model_transmit(frame, sizeof(frame)), 60);
		fix_pass(1);
		assert_int_equal(mempool_available(other), 64);
	}
}

// --- doorbells ---

static void rings_only_when_asked(void **state)
{
	uint8_t frame[2048] = {0};
	struct mbuf *m[BURST];

	fix_up();
	assert_int_equal(model.q[MODEL_RX].doorbells, 0);
	fix_pass(20 * MSEC); // the buffers posted at start
	assert_int_equal(model.q[MODEL_RX].doorbells, 1);
	m[0] = fix_packet(fix.pool, 60, 1);
	m[1] = fix_packet(fix.pool, 60, 1);
	assert_int_equal(fix_tx(m, 2), 2);
	assert_int_equal(model.q[MODEL_TX].doorbells, 1); // one for a burst

	model_set_no_notify(MODEL_RX, true);
	model_set_no_notify(MODEL_TX, true);
	for (unsigned i = 0; i < 1000; i++) {
		unsigned n;

		m[0] = fix_packet(fix.pool, 60, 1);
		assert_int_equal(fix_tx(m, 1), 1);
		while (model_transmit(frame, sizeof(frame)) > 0)
			;
		assert_true(model_receive(frame, 60));
		n = fix_rx(m, BURST);
		mbuf_free_bulk(m, n);
		fix_pass(1);
	}
	assert_int_equal(model.q[MODEL_RX].doorbells, 1);
	assert_int_equal(model.q[MODEL_TX].doorbells, 1);
	assert_int_equal(fix_counter("rx-doorbells"), 1);
	assert_int_equal(fix_counter("tx-doorbells"), 1);
}

static void a_back_end_that_polls_from_the_start_is_never_rung(void **state)
{
	fix_up();
	model_set_no_notify(MODEL_RX, true);
	model_set_no_notify(MODEL_TX, true);
	fix_pass(20 * MSEC);
	fix_works();
	assert_int_equal(model.q[MODEL_RX].doorbells, 0);
	assert_int_equal(model.q[MODEL_TX].doorbells, 0);
}

// The device switches doorbells on just after the driver looked: the next poll must ring.
static void no_doorbell_is_missed(void **state)
{
	struct mbuf *m = fix_packet(fix.pool, 60, 1);

	fix_up();
	fix_pass(20 * MSEC);
	model_set_no_notify(MODEL_TX, true);
	assert_int_equal(fix_tx(&m, 1), 1);
	assert_int_equal(model.q[MODEL_TX].doorbells, 0);
	model_set_no_notify(MODEL_TX, false);
	fix_pass(1);
	assert_int_equal(model.q[MODEL_TX].doorbells, 1);
	fix_pass(1);
	assert_int_equal(model.q[MODEL_TX].doorbells, 1);
}

static void closes_with_packets_in_the_rings(void **state)
{
	uint8_t frame[9000] = {0};
	struct mbuf *m[3];

	fix_up();
	for (unsigned i = 0; i < 10; i++)
		assert_true(model_receive(frame, sizeof(frame)));
	m[0] = fix_packet(fix.pool, 60, 1);
	m[1] = fix_packet(fix.pool, 9000, 1);
	m[2] = fix_packet(fix.pool, 60, 1);
	mbuf_ref(m[2]);
	assert_int_equal(fix_tx(m, 3), 3);
	fix_close();
	assert_int_equal(m[2]->refcnt, 1);
	mbuf_free(m[2]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(sends_in_order),
		T(leaves_the_tail_when_full),
		T(sends_chains),
		T(sends_out_of_order),
		T(does_not_write_into_shared_buffers),
		T(sends_without_headroom),
		T(skips_empty_segments),
		T(refuses_what_can_never_be_sent),
		T(frees_to_the_right_pool),
		T(rings_only_when_asked),
		T(a_back_end_that_polls_from_the_start_is_never_rung),
		T(no_doorbell_is_missed),
		T(closes_with_packets_in_the_rings),
	};

	return FIX_RUN(tests);
}

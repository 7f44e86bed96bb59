// SPDX-License-Identifier: BSD-3-Clause
// test_virtio_hostile.c - each lie a device can tell in the rings: counted by name, reset, nothing
// lost
#include <string.h>

#include "fixture.h"

static uint8_t frame[60];

// A lie on the receive queue, told to a driver that has just received honestly.
static void receive_and_expect(unsigned packets)
{
	struct mbuf *m[32];

	assert_int_equal(fix_rx(m, 32), packets);
	mbuf_free_bulk(m, packets);
}

static void rx_index_jumps(void **state)
{
	fix_up();
	fix_works();
	model_set_used_idx(MODEL_RX, (uint16_t)(model.q[MODEL_RX].used_idx + 300));
	receive_and_expect(0);
	fix_recovers("rx-bad-index");
}

static void rx_index_goes_back(void **state)
{
	fix_up();
	fix_works();
	model_set_used_idx(MODEL_RX, (uint16_t)(model.q[MODEL_RX].used_idx - 1));
	receive_and_expect(0);
	fix_recovers("rx-bad-index");
}

static void rx_id_out_of_range(void **state)
{
	fix_up();
	assert_true(model_receive(frame, sizeof(frame)));
	model_use(MODEL_RX, 256, 72);
	receive_and_expect(1); // what came before the lie is good
	fix_recovers("rx-bad-id");
}

static void rx_id_far_out_of_range(void **state)
{
	fix_up();
	model_use(MODEL_RX, 0xffffffff, 72);
	receive_and_expect(0);
	fix_recovers("rx-bad-id");
}

static void rx_id_repeated(void **state)
{
	fix_up();
	int id = model_take(MODEL_RX);
	uint8_t packet[72] = {[10] = 1};

	model_write(id, packet, sizeof(packet));
	model_use(MODEL_RX, (uint32_t)id, 72);
	model_use(MODEL_RX, (uint32_t)id, 72);
	receive_and_expect(1);
	fix_recovers("rx-idle-id");
}

static void rx_id_of_an_empty_pool(void **state)
{
	static struct mbuf *hoard[POOL];
	struct mbuf *m[1];
	unsigned held = 0;

	fix_up();
	while (!mempool_get_bulk(fix.pool, hoard + held, 1))
		held++;
	assert_true(model_receive(frame, sizeof(frame)));
	assert_int_equal(fix_rx(m, 1), 1);
	mempool_put_bulk(fix.pool, hoard, held);
	model_use(MODEL_RX, 0, 72); // not posted again yet
	assert_int_equal(fix_rx(m + 0, 0), 0);
	mbuf_free(m[0]);
	receive_and_expect(0);
	fix_recovers("rx-idle-id");
}

static void rx_length_beyond_the_buffer(void **state)
{
	fix_up();
	model_use(MODEL_RX, (uint32_t)model_take(MODEL_RX), 12 + 2048 + 1);
	receive_and_expect(0);
	fix_recovers("rx-bad-length");
}

static void rx_length_huge(void **state)
{
	fix_up();
	model_use(MODEL_RX, (uint32_t)model_take(MODEL_RX), 0xffffffff);
	receive_and_expect(0);
	fix_recovers("rx-bad-length");
}

static void rx_length_below_the_header(void **state)
{
	for (unsigned len = 0; len < 12; len++) {
		uint8_t packet[12] = {[10] = 1};

		fix_up();
		int id = model_take(MODEL_RX);

		model_write(id, packet, sizeof(packet));
		model_use(MODEL_RX, (uint32_t)id, len);
		receive_and_expect(0);
		fix_recovers("rx-no-header");
		fix_close();
	}
}

static void rx_no_buffers(void **state)
{
	fix_up();
	assert_true(model_receive_as(frame, sizeof(frame), 0));
	receive_and_expect(0);
	fix_recovers("rx-bad-merge");
	assert_int_equal(fix_counter("rx-lost"), 1);
}

static void rx_more_buffers_than_used(void **state)
{
	fix_up();
	assert_true(model_receive_as(frame, sizeof(frame), 3));
	assert_true(model_receive(frame, sizeof(frame)));
	receive_and_expect(0);
	fix_recovers("rx-bad-merge");
}

static void rx_more_buffers_than_segments(void **state)
{
	model.q[MODEL_RX].max = 512;
	fix_up();
	assert_true(model_receive_as(frame, sizeof(frame), 256));
	for (unsigned i = 0; i < 300; i++)
		assert_true(model_receive(frame, sizeof(frame)));
	receive_and_expect(0);
	fix_recovers("rx-bad-merge");
}

static void rx_empty_buffer_in_a_packet(void **state)
{
	uint8_t packet[72] = {[10] = 2};

	fix_up();
	int id = model_take(MODEL_RX);

	model_write(id, packet, sizeof(packet));
	model_use(MODEL_RX, (uint32_t)id, 72);
	model_use(MODEL_RX, (uint32_t)model_take(MODEL_RX), 0);
	receive_and_expect(0);
	fix_recovers("rx-no-header");
}

static void rx_lie_inside_a_packet(void **state)
{
	uint8_t packet[72] = {[10] = 3};

	fix_up();
	int id = model_take(MODEL_RX);

	model_write(id, packet, sizeof(packet));
	model_use(MODEL_RX, (uint32_t)id, 72);
	model_use(MODEL_RX, (uint32_t)model_take(MODEL_RX), 100);
	model_use(MODEL_RX, 999, 100);
	receive_and_expect(0);
	fix_recovers("rx-bad-id");
	assert_int_equal(fix_counter("rx-lost"), 1);
}

// Without MRG_RXBUF num_buffers means nothing.
static void rx_num_buffers_ignored_without_merging(void **state)
{
	model.features &= ~MODEL_F_MRG_RXBUF;
	fix_up();
	assert_true(model_receive_as(frame, sizeof(frame), 77));
	receive_and_expect(1);
	assert_int_equal(fix_counter("rx-bad-merge"), 0);
}

// A device that writes over descriptors and avail ring harms nobody but itself.
static void rx_rings_overwritten(void **state)
{
	struct mbuf *m[32];

	fix_up();
	for (unsigned round = 0; round < 40; round++) {
		for (unsigned i = 0; i < 20; i++)
			assert_true(model_receive(frame, sizeof(frame)));
		memset((void *)(uintptr_t)model.q[MODEL_RX].desc, 0xa5, 256 * 16);
		for (unsigned i = 0; i < 20; i++) {
			model_use(MODEL_RX, (model.q[MODEL_RX].used_idx) % 256u, 72);
			model.q[MODEL_RX].next_avail++;
		}
		mbuf_free_bulk(m, fix_rx(m, 20));
		mbuf_free_bulk(m, fix_rx(m, 32));
		fix_pass(2000 * MSEC);
	}
}

// --- transmit ---

static void send(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct mbuf *m = fix_packet(fix.pool, 60, 1);

		assert_int_equal(fix_tx(&m, 1), 1);
	}
}

static void tx_recovers(const char *counter, uint64_t lost)
{
	struct mbuf *m = fix_packet(fix.pool, 60, 1);

	fix_pass(1); // takes used buffers: finds the lie, and begins anew
	assert_int_equal(fix_counter(counter), 1);
	assert_int_equal(fix_counter("resets"), 1);
	assert_int_equal(fix_counter("tx-lost"), lost);
	mbuf_free(m);
	fix_works();
}

static void tx_index_jumps(void **state)
{
	fix_up();
	send(3);
	model_set_used_idx(MODEL_TX, 4);
	tx_recovers("tx-bad-index", 3);
}

static void tx_id_out_of_range(void **state)
{
	fix_up();
	send(3);
	model_use(MODEL_TX, 0xff00, 0);
	tx_recovers("tx-bad-id", 3);
}

static void tx_id_not_outstanding(void **state)
{
	fix_up();
	send(3);
	model_use(MODEL_TX, 200, 0);
	tx_recovers("tx-idle-id", 3);
}

static void tx_id_repeated(void **state)
{
	fix_up();
	send(3);
	model_use(MODEL_TX, 0, 0);
	model_use(MODEL_TX, 0, 0);
	tx_recovers("tx-idle-id", 2);
}

static void tx_id_inside_a_chain(void **state)
{
	struct mbuf *m = fix_packet(fix.pool, 9000, 1);

	fix_up();
	assert_int_equal(fix_tx(&m, 1), 1);
	model_use(MODEL_TX, 1, 0);
	tx_recovers("tx-idle-id", 1);
}

static void tx_fault_seen_by_a_burst(void **state)
{
	struct mbuf *m = fix_packet(fix.pool, 60, 1);

	fix_up();
	send(200); // so many that a burst looks for used buffers
	model_use(MODEL_TX, 0xff00, 0);
	assert_int_equal(fix_tx(&m, 1), 0); // the caller keeps it
	mbuf_free(m);
	tx_recovers("tx-bad-id", 200);
}

static void tx_ring_overwritten(void **state)
{
	fix_up();
	send(100);
	memset((void *)(uintptr_t)model.q[MODEL_TX].desc, 0xff, 256 * 16);
	memset((void *)(uintptr_t)model.q[MODEL_TX].avail, 0xff, 4 + 2 * 256);
	for (unsigned i = 0; i < 100; i++)
		model_use(MODEL_TX, i, 0xffffffff); // lengths say nothing here
	fix_pass(1);
	assert_int_equal(fix_counter("resets"), 0);
}

// A device that never stops lying costs its port, not the machine: resets keep to their back-off.
static void lies_for_ever(void **state)
{
	struct mbuf *m[32];

	fix_up();
	for (unsigned ms = 0; ms < 10000; ms++) {
		model_use(MODEL_RX, 0xffff, 1);
		mbuf_free_bulk(m, fix_rx(m, 32));
		fix_pass(MSEC);
	}
	assert_in_range(fix_counter("resets"), 10, 25);
	assert_int_equal(fix_counter("resets"), model.resets - 1);
	fix_pass(2000 * MSEC);
	fix_works();
}

#define T(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(rx_id_out_of_range),
		T(rx_id_far_out_of_range),
		T(rx_id_repeated),
		T(rx_id_of_an_empty_pool),
		T(rx_length_beyond_the_buffer),
		T(rx_length_huge),
		T(rx_length_below_the_header),
		T(rx_no_buffers),
		T(rx_more_buffers_than_used),
		T(rx_more_buffers_than_segments),
		T(rx_empty_buffer_in_a_packet),
		T(rx_lie_inside_a_packet),
		T(rx_num_buffers_ignored_without_merging),
		T(rx_rings_overwritten),
		T(tx_id_out_of_range),
		T(tx_id_not_outstanding),
		T(tx_id_inside_a_chain),
		T(tx_fault_seen_by_a_burst),
		T(lies_for_ever),
	};

	const struct CMUnitTest split[] = {
		T(rx_index_jumps),
		T(rx_index_goes_back),
		T(tx_index_jumps),
		T(tx_ring_overwritten),
	};
	const struct CMUnitTest elements[] = {
		// without IN_ORDER, where they may stand for many
		T(tx_id_repeated),
	};
	int failed = cmocka_run_group_tests(split, NULL, NULL);

	for (fix_layout = 0; fix_layout < 2; fix_layout++)
		failed += cmocka_run_group_tests(elements, NULL, NULL);
	return failed + FIX_RUN(tests);
}

// SPDX-License-Identifier: BSD-3-Clause
// test_virtio_packed.c - what packed rings, IN_ORDER and blocks add: lies about flags, order,
// batches
#include <string.h>

#include "fixture.h"

#define F_AVAIL (1u << 7)
#define F_USED	(1u << 15)

static uint8_t *packed_at(unsigned queue, unsigned i)
{
	return (uint8_t *)(uintptr_t)(model.q[queue].desc + 16u * i);
}

// Descriptor i of queue as a device would leave it, with any flags.
static void lie(unsigned queue, unsigned i, uint16_t id, uint32_t len, uint16_t flags)
{
	uint8_t *d = packed_at(queue, i);

	memcpy(d + 8, &len, sizeof(len));
	memcpy(d + 12, &id, sizeof(id));
	memcpy(d + 14, &flags, sizeof(flags));
}

static void receives(unsigned packets)
{
	struct mbuf *m[32];

	assert_int_equal(fix_rx(m, 32), packets);
	mbuf_free_bulk(m, packets);
}

static void send(unsigned n, unsigned len)
{
	for (unsigned i = 0; i < n; i++) {
		struct mbuf *m = fix_packet(fix.pool, len, 1);

		assert_int_equal(fix_tx(&m, 1), 1);
	}
}

static void says_what_was_granted(void **state)
{
	fix_up();
	assert_non_null(strstr(fix.port.grant.text, fix_packed() ? "packed ring" : "split ring"));
	assert_int_equal(!!strstr(fix.port.grant.text, "in_order"), fix_in_order());
}

// The next start after a reset may find other rings: bursts follow.
static void changes_layout_at_a_reset(void **state)
{
	fix_up();
	for (unsigned i = 0; i < 8; i++) {
		model.features ^= i & 1 ? MODEL_F_IN_ORDER : MODEL_F_RING_PACKED;
		model.status |= 64; // NEEDS_RESET
		fix_pass(2000 * MSEC);
		assert_int_equal(fix_counter("resets"), i + 1);
		for (unsigned k = 0; k < 300; k++)
			fix_works();
	}
}

// The driver looks at several used buffers at once: a lie among them is told from the honest ones
// before and after.
static void rx_lie_at_every_place(void **state)
{
	static const struct {
		uint32_t id, len;
		const char *counter;
	} lies[] = {{0xff00, 72, "rx-bad-id"}, {11, 2061, "rx-bad-length"}, {0, 72, "rx-idle-id"}};

	for (unsigned k = 0; k < 30; k++) {
		unsigned place = 1 + k % 10;

		fix_up();
		for (unsigned i = 0; i < 12; i++) {
			uint8_t packet[72] = {[10] = 1};
			int id = model_take(MODEL_RX);

			model_write(id, packet, sizeof(packet));
			if (i == place)
				model_use(MODEL_RX, lies[k / 10].id, lies[k / 10].len);
			else
				model_use(MODEL_RX, (uint32_t)id, 72);
		}
		receives(place);
		fix_recovers(lies[k / 10].counter);
		fix_close();
	}
}

static void tx_lie_at_every_place(void **state)
{
	static const struct {
		uint32_t id;
		const char *counter;
	} lies[] = {{0xff00, "tx-bad-id"}, {200, "tx-idle-id"}, {0, "tx-idle-id"}};

	for (unsigned k = 0; k < 30; k++) {
		unsigned place = 1 + k % 10;

		fix_up();
		send(12, 60);
		for (unsigned i = 0; i < 12; i++)
			model_use(MODEL_TX, i == place ? lies[k / 10].id : i, 0);
		fix_pass(1);
		fix_pass(1);
		assert_int_equal(fix_counter(lies[k / 10].counter), 1);
		assert_int_equal(fix_counter("tx-lost"), 12 - place);
		fix_close();
	}
}

// --- packed ---

// Descriptors that were never made available, flagged as used: the driver does not look there.
static void flags_flipped_far_ahead(void **state)
{
	assert_int_equal(fix_open(), 0); // 64 buffers posted
	for (unsigned i = 64; i < 256; i++)
		lie(MODEL_RX, i, (uint16_t)i, 72, F_AVAIL | F_USED);
	for (unsigned i = 0; i < 256; i++)
		lie(MODEL_TX, i, (uint16_t)i, 0, F_AVAIL | F_USED);
	receives(0);
	for (unsigned i = 0; i < 16; i++)
		fix_pass(0);
	receives(0);
	for (unsigned i = 0; i < 1000; i++)
		fix_works();
	assert_int_equal(fix_counter("resets"), 0);
}

// A gap: what stands behind a descriptor that is not used yet waits for it.
static void flags_with_a_gap(void **state)
{
	uint8_t packet[72] = {[10] = 1};

	fix_up();
	for (unsigned i = 0; i < 3; i++)
		model_write(model_take(MODEL_RX), packet, sizeof(packet));
	lie(MODEL_RX, 2, 2, 72, F_AVAIL | F_USED);
	lie(MODEL_RX, 1, 1, 72, F_AVAIL | F_USED);
	receives(0);
	lie(MODEL_RX, 0, 0, 72, F_AVAIL | F_USED);
	receives(3);
	assert_int_equal(fix_counter("resets"), 0);
}

// The wrap counter of the round before or after: not used, whatever else it says.
static void wrong_wrap_counter(void **state)
{
	fix_up();
	lie(MODEL_RX, 0, 0xffff, 0xffffffff, 0);
	receives(0);
	lie(MODEL_RX, 0, 0xffff, 0xffffffff, F_USED);
	receives(0);
	lie(MODEL_RX, 0, 0xffff, 0xffffffff, F_AVAIL);
	receives(0);
	assert_int_equal(fix_counter("resets"), 0);
	lie(MODEL_RX, 0, 0xffff, 0xffffffff, F_AVAIL | F_USED);
	receives(0);
	fix_recovers("rx-bad-id");
}

static void rings_full_of_ones(void **state)
{
	fix_up();
	send(100, 60);
	memset(packed_at(MODEL_TX, 0), 0xff, 256 * 16);
	fix_pass(1);
	assert_int_equal(fix_counter("tx-bad-id"), 1);
	fix_pass(1);
	assert_int_equal(fix_counter("tx-lost"), 100);
	fix_works();
	memset(packed_at(MODEL_RX, 0), 0xff, 64 * 16);
	receives(0);
	assert_int_equal(fix_counter("rx-bad-id"), 1);
	fix_pass(2000 * MSEC);
	fix_works();
}

// A chain used as if it were as long as the device says matters not: the driver knows how long it
// is.
static void chain_used_by_its_second_place(void **state)
{
	fix_up();
	send(1, 9000);
	send(3, 60);
	model_take(MODEL_TX);
	model_take(MODEL_TX);
	lie(MODEL_TX, 0, 0, 0, F_AVAIL | F_USED);
	lie(MODEL_TX, 1, 1, 0, F_AVAIL | F_USED); // should stand behind the chain's descriptors
	fix_pass(1);
	fix_pass(1);
	assert_int_equal(fix_counter("resets"), 0);
	assert_int_equal(mempool_available(fix.pool), POOL - 256 - 3);
}

static void doorbells_by_the_device_area(void **state)
{
	struct mbuf *m;

	fix_up();
	fix_pass(20 * MSEC);
	assert_int_equal(model.q[MODEL_RX].doorbells, 1);
	*(uint16_t *)(uintptr_t)(model.q[MODEL_TX].used + 2) = 2; // one descriptor: not negotiated
	m = fix_packet(fix.pool, 60, 1);
	assert_int_equal(fix_tx(&m, 1), 1);
	assert_int_equal(model.q[MODEL_TX].doorbells, 1);
	*(uint16_t *)(uintptr_t)(model.q[MODEL_TX].used + 2) = 1;
	m = fix_packet(fix.pool, 60, 1);
	assert_int_equal(fix_tx(&m, 1), 1);
	assert_int_equal(model.q[MODEL_TX].doorbells, 1);
}

// --- IN_ORDER ---

// One element for a frame of five buffers: four are full.
static void one_element_for_many_buffers(void **state)
{
	static uint8_t packet[5 * 2060], got[5 * 2060];
	struct mbuf *m[2];

	fix_up();
	for (unsigned round = 0; round < 200; round++) {
		int id = 0;

		fix_pattern(packet, sizeof(packet), (uint8_t)round);
		memset(packet, 0, 12);
		packet[10] = 5;
		for (unsigned i = 0; i < 5; i++) {
			id = model_take(MODEL_RX);
			model_write(id, packet + i * 2060, 2060);
		}
		model_skip_to(MODEL_RX, (uint32_t)id, 100, 5);
		assert_int_equal(fix_rx(m, 2), 1);
		assert_int_equal(mbuf_check(m[0]), 0);
		assert_int_equal(m[0]->pkt_len, 4 * 2060 + 100 - 12);
		assert_int_equal(mbuf_copy_out(m[0], 0, got, m[0]->pkt_len), 0);
		assert_memory_equal(got, packet + 12, m[0]->pkt_len);
		mbuf_free(m[0]);
		fix_works();
	}
	assert_int_equal(fix_counter("resets"), 0);
}

// One element for many frames, of which a burst takes a part.
static void one_element_for_many_frames(void **state)
{
	static uint8_t packet[2060] = {[10] = 1};
	struct mbuf *m[8];
	int id = 0;

	fix_up();
	for (unsigned i = 0; i < 8; i++) {
		id = model_take(MODEL_RX);
		model_write(id, packet, sizeof(packet));
	}
	model_skip_to(MODEL_RX, (uint32_t)id, 72, 8);
	assert_int_equal(fix_rx(m, 3), 3);
	assert_int_equal(fix_rx(m + 3, 5), 5);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(m[i]->pkt_len, i < 7 ? 2048 : 60);
	mbuf_free_bulk(m, 8);
	fix_works();
}

static void rx_skips_to_what_is_not_there(void **state)
{
	assert_int_equal(fix_open(), 0); // 64 buffers posted
	model_skip_to(MODEL_RX, 64, 72, 1);
	receives(0);
	fix_recovers("rx-idle-id");
}

static void rx_skips_with_a_bad_length(void **state)
{
	fix_up();
	model_skip_to(MODEL_RX, 5, 2061, 6);
	receives(0);
	fix_recovers("rx-bad-length");
}

// A used index that does not cover the buffer named: the device works out of order after all.
static void rx_split_out_of_order(void **state)
{
	fix_up();
	model_skip_to(MODEL_RX, 3, 72, 3);
	receives(0);
	fix_recovers("rx-bad-order");
}

static void tx_split_out_of_order(void **state)
{
	fix_up();
	send(5, 60);
	model_skip_to(MODEL_TX, 3, 0, 3);
	fix_pass(1);
	fix_pass(1);
	assert_int_equal(fix_counter("tx-bad-order"), 1);
	assert_int_equal(fix_counter("tx-lost"), 2);
	fix_works();
}

static void tx_one_element_for_many(void **state)
{
	static uint8_t packet[1 << 16];

	fix_up();
	for (unsigned round = 0; round < 300; round++) {
		unsigned packets = 1 + round % 20, descs = 0;
		int id = 0;

		for (unsigned i = 0; i < packets; i++) {
			unsigned len = (i + round) % 4 ? 60 : 9000;

			send(1, len);
			descs += (len + 2047) / 2048;
			id = model_take(MODEL_TX);
			assert_int_equal(model_gather(id, packet, sizeof(packet)), len + 12);
		}
		model_skip_to(MODEL_TX, (uint32_t)id, 0, fix_packed() ? descs : packets);
		fix_pass(1);
		assert_int_equal(mempool_available(fix.pool), POOL - 256);
	}
	assert_int_equal(fix_counter("resets"), 0);
}

static void tx_names_what_is_not_out(void **state)
{
	fix_up();
	send(5, 60);
	model_skip_to(MODEL_TX, 5, 0, 1);
	fix_pass(1);
	fix_pass(1);
	assert_int_equal(fix_counter("tx-idle-id"), 1);
	assert_int_equal(fix_counter("tx-lost"), 5);
	fix_works();
}

#define T(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)

int main(void)
{
	const struct CMUnitTest all[] = {
		T(says_what_was_granted),
		T(changes_layout_at_a_reset),
	};
	const struct CMUnitTest elements[] = {
		T(rx_lie_at_every_place),
		T(tx_lie_at_every_place),
	};
	const struct CMUnitTest packed[] = {
		T(flags_flipped_far_ahead),
		T(flags_with_a_gap),
		T(wrong_wrap_counter),
		T(rings_full_of_ones),
		T(chain_used_by_its_second_place),
		T(doorbells_by_the_device_area),
	};
	const struct CMUnitTest in_order[] = {
		T(one_element_for_many_buffers),  T(one_element_for_many_frames),
		T(rx_skips_to_what_is_not_there), T(rx_skips_with_a_bad_length),
		T(tx_one_element_for_many),	  T(tx_names_what_is_not_out),
	};
	const struct CMUnitTest split_in_order[] = {
		T(rx_split_out_of_order),
		T(tx_split_out_of_order),
	};
	int failed = FIX_RUN(all);

	for (fix_layout = 0; fix_layout < FIX_LAYOUTS; fix_layout++) {
		if (!fix_in_order())
			failed += cmocka_run_group_tests(elements, NULL, NULL);
		if (fix_packed())
			failed += cmocka_run_group_tests(packed, NULL, NULL);
		if (fix_in_order())
			failed += cmocka_run_group_tests(in_order, NULL, NULL);
		if (fix_in_order() && !fix_packed())
			failed += cmocka_run_group_tests(split_in_order, NULL, NULL);
	}
	return failed;
}

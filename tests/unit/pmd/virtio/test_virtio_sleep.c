// SPDX-License-Identifier: BSD-3-Clause
// test_virtio_sleep.c - the receive queue's interrupt: wanted while its lcore sleeps, and at no other time
#include <errno.h>

#include "fixture.h"

static int arm(void)
{
	return virtio_pmd.arm(&fix.port, 0);
}

static void disarm(void)
{
	virtio_pmd.disarm(&fix.port, 0);
	assert_false(model_interrupts(MODEL_RX));
}

static void up(void)
{
	fix_up();
	fix_pass(20 * MSEC); // past the time in which doorbells are held back
}

static void receive(void)
{
	static const uint8_t frame[60];
	struct mbuf *m[4];

	assert_true(model_receive(frame, sizeof(frame)));
	assert_int_equal(fix_rx(m, 4), 1);
	mbuf_free(m[0]);
}

static void armed_and_disarmed(void **state)
{
	up();
	assert_int_equal(model.msix_entry, 0);
	assert_int_equal(model.msix_lcore, 0);
	assert_int_equal(model.q[MODEL_RX].vector, 0);
	assert_int_equal(model.q[MODEL_TX].vector, MODEL_NO_VECTOR);
	assert_false(model_interrupts(MODEL_RX));
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(arm(), 0);
		assert_true(model_interrupts(MODEL_RX));
		assert_false(model_interrupts(MODEL_TX));
		receive(); // with the queue armed, too
		disarm();
		receive();
	}
}

// A packet that came before the interrupt was wanted may never cause one.
static void packet_waits(void **state)
{
	static const uint8_t frame[60];
	struct mbuf *m[4];

	up();
	assert_true(model_receive(frame, sizeof(frame)));
	assert_int_equal(arm(), -EAGAIN);
	assert_false(model_interrupts(MODEL_RX));
	assert_int_equal(fix_rx(m, 4), 1);
	mbuf_free(m[0]);
	assert_int_equal(arm(), 0);
	disarm();
}

// What was sent while the device wanted no doorbell, and then wanted one unseen, is told of before sleep.
static void settles_first(void **state)
{
	struct mbuf *m;
	unsigned before;

	up();
	model_set_no_notify(MODEL_TX, true);
	m = fix_packet(fix.pool, 60, 1);
	assert_int_equal(fix_tx(&m, 1), 1);
	model_set_no_notify(MODEL_TX, false);
	before = model.q[MODEL_TX].doorbells;
	assert_int_equal(arm(), 0);
	assert_int_equal(model.q[MODEL_TX].doorbells, before + 1);
	disarm();
}

// A back end just started has its first milliseconds.
static void not_at_once(void **state)
{
	fix_up();
	assert_int_equal(arm(), -EAGAIN);
}

static void without_msix(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		fix_setup(state);
		if (i == 0)
			model.no_vectors = true;
		else if (i == 1)
			model.msix_fails = -ERANGE;
		else
			model.pci[MODEL_CAP_MSIX] = 0x05; // some other capability
		up();
		assert_int_equal(arm(), -ENOTSUP);
		fix_works();
		fix_close();
	}
}

// Broken: nothing can come until housekeeping has reset it, so it need not keep its lcore awake. Then the
// new queue is armed like the first.
static void broken(void **state)
{
	struct mbuf *m[4];

	up();
	model_put_used(MODEL_RX, 0, 5000, 60); // no such descriptor
	model_set_used_idx(MODEL_RX, 1);
	assert_int_equal(fix_rx(m, 4), 0);
	assert_int_equal(arm(), 0);
	virtio_pmd.disarm(&fix.port, 0);
	fix_pass(20 * MSEC);
	fix_pass(20 * MSEC);
	assert_int_equal(fix_counter("resets"), 1);
	assert_int_equal(arm(), 0);
	assert_true(model_interrupts(MODEL_RX));
	disarm();
	fix_works();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(armed_and_disarmed, fix_setup, fix_teardown),
		cmocka_unit_test_setup_teardown(packet_waits, fix_setup, fix_teardown),
		cmocka_unit_test_setup_teardown(settles_first, fix_setup, fix_teardown),
		cmocka_unit_test_setup_teardown(not_at_once, fix_setup, fix_teardown),
		cmocka_unit_test_setup_teardown(without_msix, fix_setup, fix_teardown),
		cmocka_unit_test_setup_teardown(broken, fix_setup, fix_teardown),
	};

	return FIX_RUN(tests);
}

// SPDX-License-Identifier: BSD-3-Clause
// test_virtio_recovery.c - housekeeping: the link, a device that asks for its reset, one that
// sleeps
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "pmd/virtio/net.h"

#define LOOK (100 * MSEC) // how often the driver reads the device's registers

static bool link_up(void)
{
	struct port_link link;

	virtio_pmd.link(&fix.port, &link);
	return link.up;
}

static void follows_the_link(void **state)
{
	fix_up();
	assert_true(link_up());
	model_set_link(false);
	fix_pass(LOOK);
	assert_false(link_up());
	model_set_link(true);
	fix_pass(LOOK);
	assert_true(link_up());
	assert_int_equal(fix_counter("link-changes"), 2);
	// A back end that came again behind QEMU may have lost where packed rings stand.
	assert_int_equal(fix_counter("resets"), fix_packed());
	fix_works();
}

static void needs_reset(void **state)
{
	struct mbuf *m[3];

	fix_up();
	for (unsigned i = 0; i < 3; i++)
		m[i] = fix_packet(fix.pool, 60, 1);
	assert_int_equal(fix_tx(m, 3), 3);
	model.status |= 64;
	fix_pass(LOOK);
	assert_int_equal(fix_counter("needs-reset"), 1);
	assert_int_equal(fix_counter("resets"), 1);
	assert_int_equal(fix_counter("tx-lost"), 3);
	fix_works();
}

static void forgets_its_driver(void **state)
{
	fix_up();
	fix_pass(20 * MSEC); // the doorbell for the first buffers
	model.status = 0;    // reset behind our back
	fix_pass(LOOK);
	assert_int_equal(fix_counter("resets"), 1);
	fix_works();
}

static void mtu_lie_while_running(void **state)
{
	fix_up();
	model.mtu = 1;
	model.generation++;
	fix_pass(LOOK);
	assert_int_equal(fix_counter("resets"), 1);
	assert_int_equal(fix_counter("failed-starts"), 1);
	assert_false(link_up());
	model.mtu = 1500;
	fix_pass(1000 * MSEC);
	assert_true(link_up());
	fix_works();
}

static void features_withdrawn(void **state)
{
	struct mbuf *m = fix_packet(fix.pool, 60, 1);

	fix_up();
	model.features &= ~MODEL_F_VERSION_1;
	model.status |= 64;
	for (unsigned i = 0; i < 100; i++)
		fix_pass(LOOK);
	assert_true(fix_counter("failed-starts") > 1);
	assert_int_equal(fix_counter("resets"), 1);
	assert_int_equal(fix_tx(&m, 1), 0);
	mbuf_free(m);
	assert_int_equal(fix_rx(&m, 1), 0);
	model.features |= MODEL_F_VERSION_1;
	fix_pass(1000 * MSEC);
	fix_works();
}

static void merging_withdrawn(void **state)
{
	fix_up();
	model.features &= ~MODEL_F_MRG_RXBUF;
	model.status |= 64;
	fix_pass(LOOK);
	fix_works();
}

static void rings_shortened_and_lengthened(void **state)
{
	fix_up();
	model.q[MODEL_RX].max = 64;
	model.q[MODEL_TX].max = 16384;
	model.status |= 64;
	fix_pass(LOOK);
	assert_int_equal(model.q[MODEL_RX].size, 64);
	assert_int_equal(model.q[MODEL_TX].size, 256); // there is memory for no more
	for (unsigned i = 0; i < 200; i++)
		fix_works();
}

static void ring_size_lie_at_reset(void **state)
{
	fix_up();
	model.q[MODEL_TX].max = 0;
	model.status |= 64;
	fix_pass(LOOK);
	assert_int_equal(fix_counter("failed-starts"), 1);
	model.q[MODEL_TX].max = 256;
	fix_pass(1000 * MSEC);
	fix_works();
}

// A reset that is not done yet: the device may still write to its buffers, so they stay with it.
static void reset_hangs(void **state)
{
	fix_up();
	model.reset_reads = ~0u;
	model.status |= 64;
	fix_pass(LOOK);
	assert_int_equal(fix_counter("failed-starts"), 1);
	assert_int_equal(mempool_available(fix.pool), POOL - 256);
	model.reset_reads = 0;
	fix_pass(1000 * MSEC);
	fix_works();
}

static void closes_while_the_reset_hangs(void **state)
{
	fix_up();
	model.reset_reads = ~0u;
	fix_close(); // teardown finds all buffers home: the device can reach memory no more
	assert_false(model.bus_master);
}

// Reads what the driver says on stderr while f runs.
static size_t said(void (*f)(void), char *text, size_t len)
{
	int saved = dup(2), p[2];
	ssize_t n;

	assert_int_equal(pipe(p), 0);
	fflush(stderr);
	dup2(p[1], 2);
	close(p[1]);
	f();
	fflush(stderr);
	dup2(saved, 2);
	close(saved);
	n = read(p[0], text, len - 1);
	close(p[0]);
	text[n < 0 ? 0 : n] = 0;
	return n < 0 ? 0 : (size_t)n;
}

static void wait_five_seconds(void)
{
	for (unsigned i = 0; i < 50; i++)
		fix_pass(LOOK);
}

static void says_that_nobody_takes_packets(void **state)
{
	struct mbuf *m = fix_packet(fix.pool, 60, 1);
	char text[1024];

	fix_up();
	assert_int_equal(said(wait_five_seconds, text, sizeof(text)), 0);
	assert_int_equal(fix_counter("tx-stalled"), 0);
	assert_int_equal(fix_tx(&m, 1), 1);
	assert_true(said(wait_five_seconds, text, sizeof(text)) > 0);
	assert_non_null(strstr(text, "port wan: virtio-pci 00:02.0 has taken none of 1 packets"));
	assert_non_null(strstr(text, "share=on"));
	assert_int_equal(fix_counter("tx-stalled"), 1);
	assert_int_equal(said(wait_five_seconds, text, sizeof(text)), 0); // once
	assert_int_equal(fix_counter("tx-stalled"), 1);
}

static void counts_stalls_of_a_device_that_has_worked(void **state)
{
	struct mbuf *m;
	char text[1024];
	uint8_t frame[64];

	fix_up();
	fix_works();
	for (unsigned i = 0; i < 2; i++) {
		m = fix_packet(fix.pool, 60, 1);
		assert_int_equal(fix_tx(&m, 1), 1);
		assert_int_equal(said(wait_five_seconds, text, sizeof(text)), 0);
		assert_int_equal(fix_counter("tx-stalled"), i + 1);
		assert_int_equal(model_transmit(frame, sizeof(frame)), 60);
		fix_pass(LOOK);
	}
}

static void link_down_is_no_stall(void **state)
{
	struct mbuf *m = fix_packet(fix.pool, 60, 1);
	char text[1024];

	fix_up();
	model_set_link(false);
	assert_int_equal(fix_tx(&m, 1), 1);
	assert_int_equal(said(wait_five_seconds, text, sizeof(text)), 0);
	assert_int_equal(fix_counter("tx-stalled"), 0);
}

// A link that comes and goes often: the back-off puts the reset off, and it is made up for.
static void link_up_during_back_off(void **state)
{
	uint64_t before = 0, tries = 0;

	if (!fix_packed())
		return; // needs no reset: follows_the_link()
	fix_up();
	do {
		assert_true(tries++ < 20);
		before = fix_counter("resets");
		model_set_link(false);
		fix_pass(LOOK);
		model_set_link(true);
		fix_pass(LOOK);
	} while (fix_counter("resets") > before);
	for (unsigned i = 0; i < 20; i++)
		fix_pass(LOOK);
	assert_int_equal(fix_counter("resets"), before + 1);
	fix_works();
}

// The device's wish is one, however often it is looked at before the back-off lets it have its way.
static void needs_reset_during_back_off(void **state)
{
	fix_up();
	for (unsigned i = 0; i < 10; i++) {
		model.status |= 64;
		fix_pass(LOOK);
	}
	for (unsigned i = 0; i < 20; i++)
		fix_pass(LOOK);
	assert_int_equal(fix_counter("needs-reset"), fix_counter("resets"));
	fix_works();
}

// Lcore 0 may want a pair again just as its owner takes it up: one of the two has it.
static void takes_no_pair_up_in_a_pause(void **state)
{
	struct virtio_pair pair[2] = {0};
	struct virtio_net v = {.pair = pair, .pairs = 2, .running = true};

	pair[1].parked = true;
	pair[1].rx.vq.fault = pair[1].tx.vq.fault = VIRTQ_STOPPED;
	v.pause = true;
	assert_false(virtio_net_take_up(&v, 1));
	assert_true(pair[1].parked);
	assert_int_equal(pair[1].rx.vq.fault, VIRTQ_STOPPED);
	assert_int_equal(pair[1].tx.vq.fault, VIRTQ_STOPPED);
	v.pause = false;
	assert_true(virtio_net_take_up(&v, 1));
	assert_false(pair[1].parked);
	assert_int_equal(pair[1].rx.vq.fault, VIRTQ_SOUND);
	assert_int_equal(pair[1].tx.vq.fault, VIRTQ_SOUND);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(follows_the_link),
		T(needs_reset),
		T(forgets_its_driver),
		T(mtu_lie_while_running),
		T(features_withdrawn),
		T(merging_withdrawn),
		T(rings_shortened_and_lengthened),
		T(ring_size_lie_at_reset),
		T(reset_hangs),
		T(closes_while_the_reset_hangs),
		T(says_that_nobody_takes_packets),
		T(counts_stalls_of_a_device_that_has_worked),
		T(link_down_is_no_stall),
		T(link_up_during_back_off),
		T(needs_reset_during_back_off),
		T(takes_no_pair_up_in_a_pause),
	};

	return FIX_RUN(tests);
}

// SPDX-License-Identifier: BSD-3-Clause
// test_virtio_offload.c - offloads of a virtio port: which are taken, what packets carry, and what
// a reset may take away
//
// Feature bits are numbers of virtio 1.2, 5.1.3 (54 to 56: 1.3, 5.1.3).
#include "fixture.h"

#include <errno.h>
#include <string.h>

#include "../offload_test.h"

#define BIT(n)	(1ull << (n))
#define LOOK	(100 * MSEC)
#define CSUM	BIT(0)
#define GCSUM	BIT(1)
#define GTSO	(BIT(7) | BIT(8))
#define GECN	BIT(9)
#define HTSO	(BIT(11) | BIT(12))
#define HECN	BIT(13)
#define MRG	BIT(15)
#define GUSO	(BIT(54) | BIT(55))
#define HUSO	BIT(56)
#define EVERY	(CSUM | GCSUM | GTSO | GECN | BIT(10) | HTSO | HECN | BIT(14) | GUSO | HUSO)
#define WANT_TX (PORT_TX_CSUM | PORT_TX_TSO4 | PORT_TX_TSO6 | PORT_TX_USO)
#define WANT_RX (PORT_RX_CSUM | PORT_RX_LRO)

// The device offers `offers` of EVERY; the driver takes `takes` of them and grants.
static void negotiates(uint64_t offers, uint32_t wants, uint64_t takes, uint32_t grants)
{
	fix_close();
	model_init();
	model.features = (model.features & ~(EVERY | MRG)) | offers;
	model.offloads = true;
	fix.offloads = wants;
	fix_up();
	assert_int_equal(model.driver_features & EVERY, takes);
	assert_int_equal(fix.port.grant.offloads, grants);
}

static void what_is_taken(void **state)
{
	negotiates(EVERY | MRG, 0, 0, 0);
	negotiates(EVERY | MRG, WANT_TX | WANT_RX, EVERY & ~(BIT(10) | BIT(14)), WANT_TX | WANT_RX);
	negotiates(0, WANT_TX | WANT_RX, 0, 0);
	// One buffer holds no long packet.
	negotiates(EVERY, WANT_RX, GCSUM, PORT_RX_CSUM);
	negotiates(EVERY | MRG, PORT_RX_CSUM, GCSUM, PORT_RX_CSUM);
	negotiates(EVERY | MRG, PORT_RX_LRO, 0, 0); // its checksums would be partial
	negotiates(GTSO | GECN | MRG, WANT_RX, 0, 0);
	negotiates(GCSUM | GECN | MRG, WANT_RX, GCSUM, PORT_RX_CSUM); // 5.1.3.1: ECN needs TSO
	// Segments have checksums to fill in, and may have CWR set.
	negotiates(EVERY, PORT_TX_TSO4, 0, 0);
	negotiates(HTSO | HECN | HUSO, WANT_TX, 0, 0);
	negotiates(EVERY, PORT_TX_CSUM, CSUM, PORT_TX_CSUM);
	negotiates(EVERY, PORT_TX_CSUM | PORT_TX_TSO6, CSUM | BIT(12) | HECN,
		   PORT_TX_CSUM | PORT_TX_TSO6);
	negotiates(CSUM | HTSO, WANT_TX, CSUM, PORT_TX_CSUM);
	negotiates(CSUM | HECN, WANT_TX, CSUM, PORT_TX_CSUM);
	negotiates(CSUM | HUSO, WANT_TX, CSUM | HUSO, PORT_TX_CSUM | PORT_TX_USO);
}

static void names_in_the_grant(void **state)
{
	negotiates(EVERY | MRG, WANT_TX | PORT_RX_CSUM, CSUM | GCSUM | HTSO | HECN | HUSO,
		   WANT_TX | PORT_RX_CSUM);
	assert_non_null(strstr(fix.port.grant.text, " rx-csum tx-csum tso4 tso6 uso "));
	assert_null(strstr(fix.port.grant.text, "lro"));
}

static unsigned frame_of(unsigned c, uint8_t *frame)
{
	return offload_frame(offload_cases[c].headers, 0, offload_cases[c].payload, frame);
}

// A long packet over several buffers keeps what its header says, to the header it is sent with.
static void long_packet_passes(void **state)
{
	static const uint8_t header[10] = {1, 0x81, 66, 0, 0xe8, 3, 34, 0, 16, 0};
	static uint8_t frame[OFFLOAD_FRAME], got[OFFLOAD_FRAME];
	unsigned len = frame_of(0, frame);
	struct mbuf *m;

	negotiates(EVERY | MRG, WANT_TX | WANT_RX, EVERY & ~(BIT(10) | BIT(14)), WANT_TX | WANT_RX);
	memcpy(model.rx_header, header, sizeof(header));
	assert_true(model_receive(frame, len));
	assert_int_equal(fix_rx(&m, 1), 1);
	assert_int_equal(mbuf_check(m), 0);
	assert_int_equal(m->nsegs, 2);
	assert_int_equal(m->flags, MBUF_RX_L4_OK | MBUF_TX_L4_CSUM | MBUF_TSO);
	assert_int_equal(m->mss, 1000);
	assert_int_equal(m->l3, 14);
	assert_int_equal(m->l4, 34);
	assert_int_equal(fix_tx(&m, 1), 1);
	assert_int_equal(model_transmit(got, sizeof(got)), len);
	assert_memory_equal(got, frame, len);
	assert_memory_equal(model.tx_header, header, sizeof(header));
}

// Others hold the packet too: its header stands elsewhere.
static void shared_packet(void **state)
{
	static const uint8_t header[10] = {1, 0x81, 66, 0, 0xe8, 3, 34, 0, 16, 0};
	static uint8_t frame[OFFLOAD_FRAME], got[OFFLOAD_FRAME];
	unsigned len = frame_of(0, frame);
	struct mbuf *m;

	negotiates(EVERY | MRG, WANT_TX | WANT_RX, EVERY & ~(BIT(10) | BIT(14)), WANT_TX | WANT_RX);
	memcpy(model.rx_header, header, sizeof(header));
	assert_true(model_receive(frame, len));
	assert_int_equal(fix_rx(&m, 1), 1);
	mbuf_ref(m);
	assert_int_equal(fix_tx(&m, 1), 1);
	assert_int_equal(model_transmit(got, sizeof(got)), len);
	assert_memory_equal(model.tx_header, header, sizeof(header));
	mbuf_free(m);
}

// A header that lies costs its own packet; those around it arrive, and nothing is reset.
static void bad_header(void **state)
{
	static uint8_t frame[OFFLOAD_FRAME];
	unsigned len = frame_of(0, frame);
	struct mbuf *m[4];

	negotiates(EVERY | MRG, WANT_RX, GCSUM | GTSO | GECN | GUSO, WANT_RX);
	assert_true(model_receive(frame, 60));
	memcpy(model.rx_header, (uint8_t[]){1, 0x81, 66, 0, 0, 0, 34, 0, 16, 0}, 10);
	assert_true(model_receive(frame, len)); // segments of no bytes
	memset(model.rx_header, 0, 10);
	assert_true(model_receive(frame, 60));
	assert_int_equal(fix_rx(m, 4), 2);
	mbuf_free_bulk(m, 2);
	assert_int_equal(fix_counter("rx-bad-header"), 1);
	fix_pass(LOOK);
	assert_int_equal(fix_counter("resets"), 0);
	fix_works();
}

// Without the feature a header says nothing (5.1.6.4.2).
static void header_without_feature(void **state)
{
	static uint8_t frame[OFFLOAD_FRAME];
	struct mbuf *m;

	negotiates(EVERY | MRG, 0, 0, 0);
	frame_of(0, frame);
	memcpy(model.rx_header, (uint8_t[]){3, 0x81, 66, 0, 0, 0, 34, 0, 16, 0}, 10);
	assert_true(model_receive(frame, 60));
	assert_int_equal(fix_rx(&m, 1), 1);
	assert_int_equal(m->flags, 0);
	mbuf_free(m);
}

// What was granted stands: a device that has it no longer after a reset is not started.
static void offload_withdrawn(void **state)
{
	negotiates(EVERY | MRG, WANT_TX | WANT_RX, EVERY & ~(BIT(10) | BIT(14)), WANT_TX | WANT_RX);
	model.features &= ~BIT(11);
	model.status |= 64;
	fix_pass(LOOK);
	assert_int_equal(fix_counter("failed-starts"), 1);
	assert_int_equal(fix.port.grant.offloads, WANT_TX | WANT_RX);
	model.features |= BIT(11);
	fix_pass(2000 * MSEC);
	fix_works();
}

// The MTU may change: with the configuration, and over a reset.
static void mtu_again(void **state)
{
	fix_up();
	assert_int_equal(fix.port.grant.mtu, 1500);
	model.mtu = 1400;
	model.generation++;
	fix_pass(LOOK);
	assert_int_equal(fix.port.grant.mtu, 1400);
	model.mtu = 1300;
	model.status |= 64;
	fix_pass(LOOK);
	assert_int_equal(fix.port.grant.mtu, 1300);
	model.mtu = 9000; // as much as was asked for
	model.generation++;
	fix_pass(LOOK);
	assert_int_equal(fix.port.grant.mtu, 1500);
	fix_works();
}

// The address that neighbors have learnt is kept, whatever a device says after its reset.
static void mac_is_kept(void **state)
{
	uint8_t mac[6];

	fix_up();
	memcpy(mac, fix.port.grant.mac, 6);
	assert_memory_equal(mac, model.mac, 6);
	model.mac[5] ^= 1;
	model.status |= 64;
	fix_pass(LOOK);
	assert_memory_equal(fix.port.grant.mac, mac, 6);
	fix_works();
}

// CTRL_VQ offered, and no queue for it.
static void no_control_queue(void **state)
{
	model.features |= BIT(17) | BIT(18);
	assert_int_equal(fix_open(), -EPROTO);
	assert_non_null(strstr(fix.err.text, "control queue"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fix_setup, fix_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_taken),	 TEST(names_in_the_grant), TEST(long_packet_passes),
		TEST(shared_packet),	 TEST(bad_header),	   TEST(header_without_feature),
		TEST(offload_withdrawn), TEST(mtu_again),	   TEST(mac_is_kept),
		TEST(no_control_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

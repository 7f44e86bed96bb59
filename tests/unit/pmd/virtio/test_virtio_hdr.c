// SPDX-License-Identifier: BSD-3-Clause
// test_virtio_hdr.c - virtio_net_hdr to mbuf flags and back, and every lie in it
// (virtio 1.2, 5.1.6)
//
// Headers are bytes written by hand from 5.1.6: flags, gso_type, hdr_len, gso_size, csum_start,
// csum_offset, num_buffers, all little-endian; frames were made by scapy (offload_frames.py).
#include "../offload_test.h"

#include "core/wire.h"
#include "pmd/virtio/hdr.h"

#define LE(x) (x) & 0xff, (x) >> 8
#define HDR(flags, gso, hlen, size, start, offset)                                                 \
	{                                                                                          \
		flags, gso, LE(hlen), LE(size), LE(start), LE(offset), 1, 0                        \
	}

enum { TSO4, TSO4_EVEN, TSO4_VLAN, TSO4_OPTIONS, TSO6, TSO6_QINQ, USO4, USO6 };

static struct mempool *pool;
static uint8_t frame[OFFLOAD_FRAME];

static int setup(void **state)
{
	pool = test_pool(512, 0, 0);
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(mempool_available(pool), mempool_count(pool));
	return 0;
}

static struct mbuf *packet(unsigned c, unsigned first)
{
	const struct offload_case *o = &offload_cases[c];
	unsigned len = offload_frame(o->headers, 0, o->payload, frame);

	return offload_chain(pool, frame, len, first, 700);
}

// What a header says of case c, whose checksum is at `field` of the frame.
static void check_long(unsigned c, const uint8_t hdr[12], uint32_t flags)
{
	const struct offload_case *o = &offload_cases[c];
	uint8_t lying[16], out[12];
	struct mbuf *m = packet(c, 200);

	memcpy(lying + 1, hdr, 12); // at an odd address
	assert_int_equal(virtio_hdr_rx(lying + 1, m), 0);
	assert_int_equal(m->flags, flags);
	assert_int_equal(m->l3, o->l3);
	assert_int_equal(m->l4, o->l4);
	assert_int_equal(m->mss, o->mss);
	virtio_hdr_tx((struct virtio_net_hdr *)(void *)out, m);
	assert_memory_equal(out, hdr, 10);
	assert_int_equal(out[10] | out[11], 0); // num_buffers: of no use to a device
	mbuf_free(m);
}

static void test_long_packets(void **state)
{
	const uint32_t tso = MBUF_RX_L4_OK | MBUF_TX_L4_CSUM | MBUF_TSO;
	const uint32_t uso = MBUF_RX_L4_OK | MBUF_TX_L4_CSUM | MBUF_USO;

	// Their TCP headers are 32 bytes long and have CWR set (ECN, 0x80).
	check_long(TSO4, (uint8_t[])HDR(1, 0x81, 66, 1000, 34, 16), tso);
	check_long(TSO4_VLAN, (uint8_t[])HDR(1, 0x81, 70, 999, 38, 16), tso);
	check_long(TSO4_OPTIONS, (uint8_t[])HDR(1, 0x81, 70, 1001, 38, 16), tso);
	check_long(TSO6, (uint8_t[])HDR(1, 0x84, 86, 1428, 54, 16), tso);
	check_long(TSO6_QINQ, (uint8_t[])HDR(1, 0x84, 118, 777, 86, 16), tso);
	check_long(USO4, (uint8_t[])HDR(1, 5, 42, 1000, 34, 6), uso);
	check_long(USO6, (uint8_t[])HDR(1, 5, 66, 1001, 58, 6), uso);
}

// The same packet with the CWR flag taken off its header, and hdr_len a bad hint.
static void test_without_ecn(void **state)
{
	uint8_t hdr[12] = HDR(1, 1, 9999, 1000, 34, 16), out[12];
	struct mbuf *m = packet(TSO4, 200);

	m->data[47] &= 0x7f;
	assert_int_equal(virtio_hdr_rx(hdr, m), 0);
	assert_int_equal(m->flags, MBUF_RX_L4_OK | MBUF_TX_L4_CSUM | MBUF_TSO);
	virtio_hdr_tx((struct virtio_net_hdr *)(void *)out, m);
	assert_memory_equal(out, ((uint8_t[])HDR(1, 1, 66, 1000, 34, 16)), 10);
	mbuf_free(m);
}

static void test_nothing_said(void **state)
{
	// Fields without their flag mean nothing (5.1.6.4).
	uint8_t hdr[12] = HDR(0, 0, 77, 88, 99, 11), out[12];
	struct mbuf *m = packet(TSO4, 2000);

	m->flags = MBUF_BCAST;
	assert_int_equal(virtio_hdr_rx(hdr, m), 0);
	assert_int_equal(m->flags, MBUF_BCAST);
	hdr[0] = 2; // DATA_VALID
	assert_int_equal(virtio_hdr_rx(hdr, m), 0);
	assert_int_equal(m->flags, MBUF_BCAST | MBUF_RX_L4_OK);
	memset(out, 0xff, sizeof(out));
	virtio_hdr_tx((struct virtio_net_hdr *)(void *)out, m);
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(out[i], 0);
	hdr[0] = 0x88 | 2; // unknown flags beside it: not ours to read
	m->flags = 0;
	assert_int_equal(virtio_hdr_rx(hdr, m), 0);
	assert_int_equal(m->flags, MBUF_RX_L4_OK);
	mbuf_free(m);
}

// A packet of one segment with a partial checksum, which stays partial, whatever gso_size says:
// what is not longer than one segment is not cut.
static void test_partial(void **state)
{
	uint8_t hdr[12] = HDR(1, 0, 0, 0, 34, 16), out[12];
	struct mbuf *m = packet(TSO4, 2000);

	assert_int_equal(virtio_hdr_rx(hdr, m), 0);
	assert_int_equal(m->flags, MBUF_RX_L4_OK | MBUF_TX_L4_CSUM);
	assert_int_equal(m->l3, 14);
	assert_int_equal(m->l4, 34);
	virtio_hdr_tx((struct virtio_net_hdr *)(void *)out, m);
	assert_memory_equal(out, hdr, 10);
	m->flags = 0;
	assert_int_equal(virtio_hdr_rx((uint8_t[])HDR(1, 1, 66, 3001, 34, 16), m), 0);
	assert_int_equal(m->flags, MBUF_RX_L4_OK | MBUF_TX_L4_CSUM);
	mbuf_free(m);
}

// A checksum that is not TCP's or UDP's own is completed at once, over any segments: here that of
// an ICMP echo (its field at 36); scapy makes 66c8 of it.
static void test_completed_here(void **state)
{
	static const char echo[] =
		"020000000001020000000002080045000023000100004001"
		"8ea2c0000201c6336402"
		"0800000000070003616263646566670000"; // "abcdefg", two bytes of no use
	static const char scapy[] = "080066c800070003616263646566670000";
	uint8_t expected[64];
	unsigned len = unhex_frame(echo, frame);

	unhex_frame(scapy, expected);
	for (unsigned first = 14; first < len; first++) {
		struct mbuf *m = offload_chain(pool, frame, len, first, 3);
		uint8_t got[64];

		assert_int_equal(virtio_hdr_rx((uint8_t[])HDR(1, 0, 0, 0, 34, 2), m), 0);
		assert_int_equal(m->flags, 0);
		assert_int_equal(mbuf_copy_out(m, 34, got, len - 34), 0);
		assert_memory_equal(got, expected, len - 34);
		mbuf_free(m);
	}
}

// A long packet whose sum the device has verified, without NEEDS_CSUM: made partial.
static void test_verified_long(void **state)
{
	const struct offload_case *o = &offload_cases[TSO4];
	struct mbuf *m = packet(TSO4, 2000);
	uint16_t sum = load16(m->data + 50);

	memset(m->data + 50, 0x55, 2);
	assert_int_equal(virtio_hdr_rx((uint8_t[])HDR(2, 0x81, 0, 1000, 0, 0), m), 0);
	assert_int_equal(m->flags, MBUF_RX_L4_OK | MBUF_TX_L4_CSUM | MBUF_TSO);
	assert_int_equal(m->mss, o->mss);
	assert_int_equal(load16(m->data + 50), sum);
	mbuf_free(m);
}

static void refuse(unsigned c, const uint8_t hdr[12], unsigned first)
{
	struct mbuf *m = packet(c, first);

	assert_int_equal(virtio_hdr_rx(hdr, m), -EBADMSG);
	mbuf_free(m);
}

static void test_lies(void **state)
{
	// Beyond the frame: 3067 bytes of it.
	refuse(TSO4, (uint8_t[])HDR(1, 0, 0, 0, 3066, 0), 200);
	refuse(TSO4, (uint8_t[])HDR(1, 0, 0, 0, 0, 3066), 200);
	refuse(TSO4, (uint8_t[])HDR(1, 0, 0, 0, 65535, 65535), 200);
	refuse(TSO4, (uint8_t[])HDR(1, 0x81, 66, 1000, 65535, 16), 200);
	refuse(TSO4, (uint8_t[])HDR(1, 0, 0, 0, 34, 8), 200); // SCTP's field
	// Segments of no size, or of so little that they are a flood.
	refuse(TSO4, (uint8_t[])HDR(1, 0x81, 66, 0, 34, 16), 200);
	refuse(TSO4, (uint8_t[])HDR(1, 0x81, 66, 1, 34, 16), 200);
	// Types that are unknown, were never negotiated, or are not those of the frame.
	refuse(TSO4, (uint8_t[])HDR(1, 2, 66, 1000, 34, 16), 200);
	refuse(TSO4, (uint8_t[])HDR(1, 0x80, 66, 1000, 34, 16), 200);
	refuse(TSO4, (uint8_t[])HDR(1, 0xff, 66, 1000, 34, 16), 200);
	refuse(TSO4, (uint8_t[])HDR(1, 4, 66, 1000, 34, 16), 200);
	refuse(TSO4, (uint8_t[])HDR(1, 5, 66, 1000, 34, 16), 200);
	refuse(TSO6, (uint8_t[])HDR(1, 1, 86, 1000, 54, 16), 200);
	refuse(USO4, (uint8_t[])HDR(1, 3, 42, 1000, 34, 6), 200);
	refuse(USO4, (uint8_t[])HDR(1, 0x85, 42, 1000, 34, 6), 200);
	refuse(USO4, (uint8_t[])HDR(1, 1, 42, 1000, 34, 6), 200);
	// Nobody says that the data is right.
	refuse(TSO4, (uint8_t[])HDR(0, 0x81, 66, 1000, 34, 16), 200);
	// A checksum elsewhere than in the header to be copied.
	refuse(TSO4, (uint8_t[])HDR(1, 0x81, 66, 1000, 54, 16), 200);
	refuse(TSO4, (uint8_t[])HDR(1, 0x81, 66, 1000, 34, 6), 200);
	// Headers over two segments.
	refuse(TSO4, (uint8_t[])HDR(1, 0x81, 66, 1000, 34, 16), 65);
	refuse(TSO6_QINQ, (uint8_t[])HDR(1, 0x84, 118, 777, 86, 16), 117);
}

// Frames whose own headers lie, with a header that asks for segments: refused; and with one that
// asks for a checksum: completed or refused, never read outside.
static void test_frames_lie(void **state)
{
	static const struct {
		uint16_t at;
		uint8_t value;
	} lies[] = {
		{12, 0},    {14, 0x44}, {14, 0x4f}, {14, 0x65}, {16, 0xff}, {17, 0xee}, {17, 0xec},
		{20, 0x60}, {21, 1},	{23, 1},    {23, 132},	{46, 0x40}, {46, 0xf0},
	};

	for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct mbuf *m = packet(TSO4, 66);

		m->data[lies[i].at] = lies[i].value;
		assert_int_equal(virtio_hdr_rx((uint8_t[])HDR(1, 0x81, 66, 1000, 34, 16), m),
				 -EBADMSG);
		m->flags = 0;
		assert_int_equal(virtio_hdr_rx((uint8_t[])HDR(1, 0, 0, 0, 34, 16), m), 0);
		mbuf_free(m);
	}
}

// Any header, any first segment, any byte of the frame's headers: what is granted is inside the
// packet.
static void test_random(void **state)
{
	uint32_t x = 1;

	for (unsigned i = 0; i < 200000; i++) {
		struct mbuf *m = packet(i % OFFLOAD_CASES, 14 + (x >> 8) % 200);
		uint8_t hdr[12];

		for (unsigned k = 0; k < 12; k++) {
			x = x * 1664525 + 1013904223;
			hdr[k] = (uint8_t)(x >> 24 & (k & 1 ? 0x83 : 0xff));
		}
		hdr[6] = i & 1 ? (uint8_t)offload_cases[i % OFFLOAD_CASES].l4 : hdr[6];
		hdr[7] = 0;
		hdr[8] = i & 2 ? 16 : hdr[8];
		hdr[9] = 0;
		m->data[12 + (x >> 4) % (m->len - 12)] ^= (uint8_t)(x >> 16 & x >> 20);
		if (!virtio_hdr_rx(hdr, m) && m->flags & MBUF_TX_L4_CSUM) {
			assert_true(m->l4 + 8u <= m->len);
			assert_true(m->l3 + 20u <= m->l4);
		}
		assert_int_equal(mbuf_check(m), 0);
		mbuf_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long_packets),   cmocka_unit_test(test_without_ecn),
		cmocka_unit_test(test_nothing_said),   cmocka_unit_test(test_partial),
		cmocka_unit_test(test_completed_here), cmocka_unit_test(test_verified_long),
		cmocka_unit_test(test_lies),	       cmocka_unit_test(test_frames_lie),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

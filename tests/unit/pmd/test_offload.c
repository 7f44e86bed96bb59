// SPDX-License-Identifier: BSD-3-Clause
// test_offload.c - cutting and checksums in software: every segment as scapy makes it
#include "offload_test.h"

#include "core/wire.h"
#include "pmd/offload.h"

static struct mempool *pool;
static uint8_t whole[OFFLOAD_FRAME], expected[OFFLOAD_FRAME], got[OFFLOAD_FRAME];

static int setup(void **state)
{
	pool = test_pool(4096, 0, 0);
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(mempool_available(pool), mempool_count(pool));
	return 0;
}

static struct mbuf *packet(const struct offload_case *o, unsigned first, unsigned seg)
{
	unsigned len = offload_frame(o->headers, 0, o->payload, whole);
	struct mbuf *m = offload_chain(pool, whole, len, first, seg);

	m->flags = o->flag | MBUF_TX_L4_CSUM | MBUF_RX_L4_OK | MBUF_BCAST;
	m->mss = o->mss;
	m->l3 = o->l3;
	m->l4 = o->l4;
	m->port = 3;
	return m;
}

static void check_piece(const struct offload_case *o, unsigned i, unsigned start,
			const struct mbuf *piece)
{
	unsigned n = offload_frame(o->piece[i].headers, start, o->piece[i].payload, expected);

	assert_int_equal(mbuf_check(piece), 0);
	assert_int_equal(piece->pkt_len, n);
	assert_int_equal(mbuf_copy_out(piece, 0, got, n), 0);
	assert_memory_equal(got, expected, n);
	assert_int_equal(piece->l3, o->l3);
	assert_int_equal(piece->l4, o->l4);
	assert_int_equal(piece->port, 3);
}

// Over every kind of chain, whole, and completed afterwards where the port would have done it.
static void check_case(const struct offload_case *o, unsigned first, unsigned seg, bool partial)
{
	struct mbuf *m = packet(o, first, seg), *piece;
	struct offload_cut cut;
	unsigned start = 0, n = 0;

	assert_int_equal(offload_cut_begin(&cut, m, o->mss, partial), 0);
	for (; (piece = offload_cut_next(&cut)); n++) {
		uint32_t kept = MBUF_RX_L4_OK | MBUF_BCAST;

		assert_int_equal(piece->flags, partial ? kept | MBUF_TX_L4_CSUM : kept);
		if (partial)
			offload_csum(piece);
		check_piece(o, n, start, piece);
		start += o->piece[n].payload;
		mbuf_free(piece);
	}
	assert_null(o->piece[n].headers);
	assert_int_equal(cut.left, 0);
	assert_int_equal(mbuf_copy_out(m, 0, got, m->pkt_len), 0); // untouched
	assert_memory_equal(got, whole, m->pkt_len);
	mbuf_free(m);
}

static void test_cases(void **state)
{
	for (unsigned c = 0; c < OFFLOAD_CASES; c++)
		for (unsigned first = 118; first < 2048; first += 97)
			for (unsigned seg = 61; seg < 2048; seg += 331) {
				check_case(&offload_cases[c], first, seg, false);
				check_case(&offload_cases[c], first, seg, true);
			}
}

// A pool of small buffers: a piece is a chain, and its headers must fit the first of them.
static void test_small_buffers(void **state)
{
	struct mempool *large = pool, *small = test_pool(512, 128, 0),
		       *tiny = test_pool(512, 64, 0);
	struct offload_cut cut;
	struct mbuf *m;

	pool = small;
	for (unsigned c = 0; c < OFFLOAD_CASES; c++)
		check_case(&offload_cases[c], 128, 128, false);
	pool = tiny;
	m = packet(&offload_cases[0], 64, 64);
	assert_int_equal(offload_cut_begin(&cut, m, 1000, false), -EBADMSG); // headers over two
	mbuf_free(m);
	pool = large;
}

static void test_pool_runs_dry(void **state)
{
	const struct offload_case *o = &offload_cases[0];
	struct mbuf *m = packet(o, 1000, 1000), *hold[4096], *piece;
	unsigned n = mempool_available(pool);
	struct offload_cut cut;

	assert_int_equal(offload_cut_begin(&cut, m, o->mss, false), 0);
	piece = offload_cut_next(&cut);
	check_piece(o, 0, 0, piece);
	mbuf_free(piece);
	assert_int_equal(mempool_get_bulk(pool, hold, n), 0);
	assert_null(offload_cut_next(&cut));
	assert_int_equal(cut.left, 2001);
	mempool_put_bulk(pool, hold, n);
	piece = offload_cut_next(&cut); // and goes on
	check_piece(o, 1, 1000, piece);
	mbuf_free(piece);
	mbuf_free(m);
}

// In one piece: a copy, all flags of the TCP header kept.
static void test_copy(void **state)
{
	const struct offload_case *o = &offload_cases[0];
	struct mbuf *m = packet(o, 500, 500), *piece;
	struct offload_cut cut;

	assert_int_equal(offload_cut_begin(&cut, m, UINT32_MAX, true), 0);
	piece = offload_cut_next(&cut);
	assert_null(offload_cut_next(&cut));
	assert_int_equal(mbuf_copy_out(piece, 0, got, m->pkt_len), 0);
	assert_memory_equal(got, whole, m->pkt_len); // the partial sum too
	mbuf_free(piece);
	mbuf_free(m);
}

static void test_refused(void **state)
{
	struct mbuf *m = packet(&offload_cases[0], 500, 500);
	struct offload_cut cut;

	assert_int_equal(offload_cut_begin(&cut, m, 0, false), -EBADMSG);
	assert_int_equal(offload_cut_begin(&cut, m, 1, false), -EBADMSG); // 3001 pieces
	m->data[23] = 1;						  // ICMP
	assert_int_equal(offload_cut_begin(&cut, m, 1000, false), -EBADMSG);
	mbuf_free(m);
}

// RFC 768: a checksum that comes to 0 is sent as all ones. Ports, length, partial sum and data are
// chosen to add up to ffff, whose complement is 0.
// RFC 8200, 4.4 and 8.1: UDP behind a routing header. With segments left the address that the
// checksum is about is not the one in front, so nothing here may make one.
static void test_routing_header(void **state)
{
	static const char frame[] = "020000000002" "020000000001" "86dd"
				    "60000000" "0010" "2b" "40"
				    "20010db8000000000000000000000001"
				    "20010db8000000000000000000000002"
				    "11" "00" "fd" "00" "00000000" // type 253 (RFC 4727), none left
				    "1234" "5678" "0008" "0000";
	const unsigned segments_left = 14 + 40 + 3;
	unsigned len = unhex_frame(frame, whole);
	struct mbuf *m = offload_chain(pool, whole, len, len, len);
	struct offload_place p;

	assert_int_equal(offload_find(m, &p), 0);
	assert_int_equal(p.proto, OFFLOAD_UDP);
	assert_int_equal(p.l4, 14 + 40 + 8);
	m->data[segments_left] = 1;
	assert_int_equal(offload_find(m, &p), -EBADMSG);
	mbuf_free(m);
}

static void test_udp_zero(void **state)
{
	static const char bytes[] = "02000000000102000000000208004500001e000100004011"
				    "8ea6c0000201c6336402"
				    "03e807d0000a001bf422"; // 03e8 + 07d0 + 000a + 001b + f422
	unsigned n = unhex_frame(bytes, whole);
	struct mbuf *m = offload_chain(pool, whole, n, n, n);

	m->l3 = 14;
	m->l4 = 34;
	m->flags = MBUF_TX_L4_CSUM;
	offload_csum(m);
	assert_int_equal(load16(m->data + 40), 0xffff);
	assert_int_equal(m->flags, 0);
	mbuf_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),	      cmocka_unit_test(test_small_buffers),
		cmocka_unit_test(test_pool_runs_dry), cmocka_unit_test(test_copy),
		cmocka_unit_test(test_refused),	      cmocka_unit_test(test_udp_zero),
		cmocka_unit_test(test_routing_header),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

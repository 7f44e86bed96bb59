// SPDX-License-Identifier: BSD-3-Clause
// test_reass.c - node ip4-reass: fragments in every order make the datagram, and overlaps do not
#include "tests/unit/netstack/pieces.h"

#define HOST ip(198, 51, 100, 10)
#define SELF ip(198, 51, 100, 1)

#define PIECES_MAX 6

static void rx_piece(struct world *w, const struct packet *p, unsigned off, unsigned len, bool more)
{
	struct packet f = piece(p, off, len, more);

	world_rx_packet(w, LAN, &f);
}

// The answer to p is what was sent: an echo reply with the same data.
static void expect_reply(struct world *w, const struct packet *p)
{
	const struct frame *f = world_sent(w, LAN);

	assert_int_equal(f->len, p->len);
	assert_int_equal(book_csum(f->bytes + 14, 20, 0), 0);
	assert_int_equal(f->bytes[34], 0);
	assert_int_equal(book_csum(f->bytes + 34, p->len - 34, 0), 0);
	assert_memory_equal(f->bytes + 38, p->b + 38, p->len - 38);
	assert_memory_equal(f->bytes + 20, "\0", 2); // whole
}

static const unsigned sizes[PIECES_MAX] = {8, 104, 16, 552, 24, 13};

// Sends pieces 0 to n - 1 of p in the order of `order`; nothing is answered before the last.
static void send_in_order(struct world *w, const struct packet *p, const unsigned *order, unsigned n)
{
	unsigned off[PIECES_MAX + 1] = {0};

	for (unsigned i = 0; i < n; i++)
		off[i + 1] = off[i] + sizes[PIECES_MAX - n + i];
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(w->sent, 0);
		rx_piece(w, p, off[order[i]], off[order[i] + 1] - off[order[i]], order[i] + 1 < n);
	}
}

static unsigned sum_of(unsigned n)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += sizes[PIECES_MAX - n + i];
	return sum;
}

// Every permutation, by Heap's method.
static void permute(struct world *w, const struct packet *p, unsigned *order, unsigned k, unsigned n)
{
	if (k == 1) {
		send_in_order(w, p, order, n);
		expect_reply(w, p);
		assert_int_equal(world_held(w), 0);
		world_check(w);
		return;
	}
	for (unsigned i = 0; i < k; i++) {
		unsigned j = k % 2 ? 0 : i, t;

		permute(w, p, order, k - 1, n);
		t = order[j];
		order[j] = order[k - 1];
		order[k - 1] = t;
	}
}

static void test_every_order(void **state)
{
	struct world *w = world_open(NULL);

	for (unsigned n = 2; n <= PIECES_MAX; n++) {
		struct packet p = icmp_packet(LAN, HOST, SELF, 8, 0, sum_of(n) - 8);
		unsigned order[PIECES_MAX] = {0, 1, 2, 3, 4, 5};

		permute(w, &p, order, n, n);
	}
	assert_int_equal(world_dropped(w), 0);
	world_close(w);
}

// All of a burst, which brings the fragments of several datagrams among each other.
static void test_one_burst(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = icmp_packet(LAN, HOST, SELF, 8, 0, 40);
	struct mbuf *pkts[18];

	for (unsigned i = 0; i < 6; i++) {
		for (unsigned d = 0; d < 3; d++) {
			unsigned at = d == 1 ? 5 - i : i;
			struct packet f;

			set_id(&p, 100 + d);
			f = piece(&p, at * 8, 8, at < 5);
			pkts[i * 3 + d] = world_mbuf(w, LAN, f.b, f.len, 0);
		}
	}
	graph_rx(w->g, w->in, pkts, 18);
	assert_int_equal(w->sent, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(w->out[i].len, p.len);
		assert_int_equal(w->out[i].bytes[34], 0);
		assert_memory_equal(w->out[i].bytes + 38, p.b + 38, p.len - 38);
	}
	assert_int_equal(world_dropped(w), 0);
	assert_int_equal(graph_find(w->g, "ip4-reass")->stats.consumed, 15);
	world_close(w);
}

// Source, destination, protocol and identification tell datagrams apart (RFC 791, 2.3).
static void test_keys(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = icmp_packet(LAN, HOST, SELF, 8, 0, 40), q = p;

	rx_piece(w, &p, 0, 24, true);
	set_id(&q, 0x4321);
	rx_piece(w, &q, 24, 24, false);
	q = p;
	packet_ip(&q)->src = ip(198, 51, 100, 11);
	fix_ip(&q);
	rx_piece(w, &q, 24, 24, false);
	q = p;
	packet_ip(&q)->dst = ip(192, 0, 2, 1);
	fix_ip(&q);
	rx_piece(w, &q, 24, 24, false);
	q = p;
	packet_ip(&q)->proto = 17;
	fix_ip(&q);
	rx_piece(w, &q, 24, 24, false);
	assert_int_equal(w->sent, 0);
	assert_int_equal(world_held(w), 5);
	rx_piece(w, &p, 24, 24, false);
	expect_reply(w, &p);
	assert_int_equal(world_held(w), 4);
	world_close(w);
}

// In segments of any size: where a header ends with its segment, too.
static void test_chains(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = icmp_packet(LAN, HOST, SELF, 8, 0, 1400);

	for (uint16_t seg = 102; seg < 700; seg = (uint16_t)(seg + 37)) {
		for (unsigned i = 3; i-- > 0;) {
			struct packet f = piece(&p, i * 504, i < 2 ? 504 : 400, i < 2);

			world_rx_chain(w, LAN, f.b, f.len, seg);
		}
		expect_reply(w, &p);
		world_check(w);
	}
	world_close(w);
}

// RFC 791, 3.1's longest datagram, in pieces of an Ethernet: the answer is as long.
static void test_longest(void **state)
{
	static struct packet p;
	struct world *w = world_open(NULL);
	static uint8_t data[65515], back[65515];
	struct packet head = icmp_packet(LAN, HOST, SELF, 8, 0, 1472);
	unsigned got = 0;

	for (unsigned i = 8; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	data[0] = 8;
	store16(data + 2, be16(book_csum(data, sizeof(data), 0)));
	for (unsigned off = 0; off < sizeof(data); off += 1480) {
		unsigned len = sizeof(data) - off < 1480 ? sizeof(data) - off : 1480;

		p = piece(&head, 0, len, off + len < sizeof(data));
		packet_ip(&p)->frag = be16(off / 8 | (off + len < sizeof(data) ? IP4_MF : 0));
		fix_ip(&p);
		memcpy(p.b + 34, data + off, len);
		world_rx_packet(w, LAN, &p);
	}
	assert_int_equal(w->sent, 45);
	for (unsigned i = 0; i < 45; i++) {
		unsigned off = (be16(load16(w->out[i].bytes + 20)) & 0x1fffu) * 8;

		memcpy(back + off, w->out[i].bytes + 34, w->out[i].len - 34u);
		got += w->out[i].len - 34u;
	}
	assert_int_equal(got, sizeof(data));
	assert_int_equal(back[0], 0);
	assert_memory_equal(back + 4, data + 4, sizeof(data) - 4);
	assert_int_equal(book_csum(back, sizeof(back), 0), 0);
	world_close(w);
}

// An exact repetition is dropped alone (RFC 8200, 4.5; RFC 5722, 4 for what is not).
static void test_duplicates(void **state)
{
	struct world *w = world_open(NULL);
	struct packet p = icmp_packet(LAN, HOST, SELF, 8, 0, 64);

	for (unsigned i = 0; i < 2; i++)
		rx_piece(w, &p, 48, 24, false);
	for (unsigned i = 0; i < 2; i++)
		rx_piece(w, &p, 0, 24, true);
	assert_int_equal(world_drops(w, "ip4-reass", "duplicate"), 2);
	assert_int_equal(w->sent, 0);
	rx_piece(w, &p, 24, 24, true);
	expect_reply(w, &p);
	world_close(w);
}

// Two fragments that overlap, [a, a + alen) and [b, b + blen), of a datagram of 72 bytes, and then all of
// it properly: nothing of it is answered until its time is up.
static void overlap(unsigned a, unsigned alen, bool amore, unsigned b, unsigned blen, bool bmore)
{
	struct world *w = world_open(NULL);
	struct packet p = icmp_packet(LAN, HOST, SELF, 8, 0, 64);

	rx_piece(w, &p, a, alen, amore);
	rx_piece(w, &p, b, blen, bmore);
	assert_int_equal(world_drops(w, "ip4-reass", "overlap"), 2);
	assert_int_equal(world_held(w), 0);
	for (unsigned off = 0; off < 72; off += 24)
		rx_piece(w, &p, off, 24, off < 48);
	assert_int_equal(world_drops(w, "ip4-reass", "overlap"), 5);
	assert_int_equal(w->sent, 0);
	world_pass(w, 31 * NSEC_PER_SEC);
	assert_int_equal(w->sent, 0); // nothing was left to report about
	for (unsigned off = 0; off < 72; off += 24)
		rx_piece(w, &p, off, 24, off < 48);
	expect_reply(w, &p);
	world_close(w);
}

static void test_overlaps(void **state)
{
	overlap(0, 24, true, 16, 24, true);  // the tail
	overlap(16, 24, true, 0, 24, true);  // the front
	overlap(0, 48, true, 8, 8, true);    // within: teardrop
	overlap(8, 8, true, 0, 48, true);    // around
	overlap(8, 16, true, 8, 24, true);   // longer
	overlap(8, 24, true, 8, 16, true);   // shorter
	overlap(24, 24, true, 24, 24, false);// the same, but the last
	overlap(48, 24, false, 48, 24, true);
	overlap(48, 24, false, 64, 24, false); // two ends
	overlap(48, 24, false, 72, 8, true);   // behind the end
	overlap(48, 24, true, 24, 24, false);  // an end before
	overlap(48, 24, false, 24, 16, false); // another
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_order), cmocka_unit_test(test_one_burst),
		cmocka_unit_test(test_keys),	    cmocka_unit_test(test_chains),
		cmocka_unit_test(test_longest),	    cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_overlaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

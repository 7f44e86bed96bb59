// SPDX-License-Identifier: BSD-3-Clause
// test_ip6_reass.c - nodes ip6-reass and ip6-virtual: fragments of IPv6 (RFC 8200, 4.5)
#include "tests/unit/netstack/world6.h"

#define PIECES_MAX 5

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

// `len` bytes of p's payload from `off`, as a fragment. What is in front of the payload (hlen bytes: the
// header, and extension headers if there are) stays, the last of them names the fragment header at next_at.
static struct packet piece_behind(const struct packet *p, unsigned hlen, unsigned next_at, unsigned off,
				  unsigned len, bool more)
{
	struct packet f = *p;
	uint8_t *frag = f.b + 14 + hlen;

	frag[0] = p->b[14 + next_at];
	frag[1] = 0;
	put16(frag + 2, off | more);
	memcpy(frag + 4, "\x12\x34\x56\x78", 4);
	f.b[14 + next_at] = 44;
	memset(frag + 8, 0xee, len);
	if (14 + hlen + off + len <= p->len)
		memcpy(frag + 8, p->b + 14 + hlen + off, len);
	f.len = 14 + hlen + 8 + len;
	put16(f.b + 18, hlen - 40 + 8 + len);
	return f;
}

static void rx_piece(struct world *w, const struct packet *p, unsigned off, unsigned len, bool more)
{
	struct packet f = piece_behind(p, 40, 6, off, len, more);

	world_rx_packet(w, WAN, &f);
}

static void expect_reply(struct world *w, const struct packet *p, unsigned hlen)
{
	const struct frame *f = world_sent(w, WAN);
	unsigned n = (unsigned)p->len - 14 - hlen;

	assert_int_equal(f->len, 54 + n);
	assert_int_equal(f->bytes[20], 58);
	assert_int_equal(f->bytes[54], 129);
	assert_int_equal(check6(f->bytes, 14, 54, 58, n), 0);
	assert_memory_equal(f->bytes + 58, p->b + 14 + hlen + 4, n - 4);
}

static const unsigned sizes[PIECES_MAX] = {48, 8, 104, 16, 13};

static void permute(struct world *w, const struct packet *p, unsigned *order, unsigned k, unsigned n)
{
	if (k == 1) {
		for (unsigned i = 0; i < n; i++) {
			unsigned off = 0;

			for (unsigned j = 0; j < order[i]; j++)
				off += sizes[PIECES_MAX - n + j];
			assert_int_equal(w->sent, 0);
			rx_piece(w, p, off, sizes[PIECES_MAX - n + order[i]], order[i] + 1 < n);
		}
		expect_reply(w, p, 40);
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
	struct world *w = world6_open(NULL);

	for (unsigned n = 2; n <= PIECES_MAX; n++) {
		unsigned order[PIECES_MAX] = {0, 1, 2, 3, 4}, sum = 0;
		struct packet p;

		for (unsigned i = 0; i < n; i++)
			sum += sizes[PIECES_MAX - n + i];
		p = echo6_packet(WAN, WAN_HOST, WAN6, sum - 8);
		permute(w, &p, order, n, n);
	}
	assert_int_equal(world_dropped(w), 0);
	world_close(w);
}

// Behind hop-by-hop options, whose next header field then names the upper layer.
static void test_extension(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = echo6_packet(WAN, WAN_HOST, WAN6, 64), f;

	insert6(&p, 40, 6, 0, "00 00 01 04 00000000");
	for (unsigned i = 0; i < 3; i++) {
		unsigned at = i == 2 ? 0 : 24 * (i + 1);

		f = piece_behind(&p, 48, 40, at, 24, at < 48);
		world_rx_packet(w, WAN, &f);
	}
	expect_reply(w, &p, 48);
	world_close(w);
}

// RFC 6946, 4: a fragment that is whole has nothing to do with others of its identification.
static void test_atomic(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = echo6_packet(WAN, WAN_HOST, WAN6, 64);

	rx_piece(w, &p, 0, 24, true);
	rx_piece(w, &p, 0, 72, false);
	expect_reply(w, &p, 40);
	assert_int_equal(world_held(w), 1);
	world_close(w);
}

// RFC 5722, 4.
static void test_overlap(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = echo6_packet(WAN, WAN_HOST, WAN6, 64);

	rx_piece(w, &p, 0, 32, true);
	rx_piece(w, &p, 24, 24, true);
	rx_piece(w, &p, 48, 24, false);
	assert_int_equal(world_drops(w, "ip6-reass", "overlap"), 3);
	assert_int_equal(w->sent, 0);
	rx_piece(w, &p, 24, 24, true);
	assert_int_equal(world_drops(w, "ip6-reass", "overlap"), 4);
	world_close(w);
}

// A parameter problem, code 0, at the field that is wrong (RFC 8200, 4.5).
static void wrong(unsigned off, unsigned len, bool more, const char *reason, const char *report)
{
	struct world *w = world6_open(NULL);
	struct packet p = udp6_packet(WAN, WAN_HOST, WAN6, 64);
	const struct frame *f;
	uint8_t want[8];

	rx_piece(w, &p, off, len, more);
	assert_int_equal(world_drops(w, "ip6-reass", reason), 1);
	f = world_sent(w, WAN);
	unhex(report, want);
	assert_memory_equal(f->bytes + 54, want, 2);
	assert_memory_equal(f->bytes + 58, want + 2, 4);
	world_close(w);
}

static void test_wrong(void **state)
{
	wrong(0, 20, true, "unaligned", "0400 00000004");	     // the payload length
	wrong(65528, 16, false, "beyond-64k", "0400 0000002a");	     // the fragment offset
	wrong(65480, 64, false, "beyond-64k", "0400 0000002a");
}

// RFC 7112, 5: a first fragment without all headers: code 3, pointer 0.
static void test_incomplete_chain(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = tcp6_packet(WAN, WAN_HOST, WAN6, 2, 1, 1, 64);
	const struct frame *f;

	rx_piece(w, &p, 0, 16, true);
	assert_int_equal(world_drops(w, "ip6-reass", "tiny-fragment"), 1);
	f = world_sent(w, WAN);
	assert_memory_equal(f->bytes + 54, "\x04\x03", 2);
	assert_memory_equal(f->bytes + 58, "\0\0\0\0", 4);
	rx_piece(w, &p, 16, 16, true); // begins within the header: nobody is told
	assert_int_equal(world_drops(w, "ip6-reass", "tiny-fragment"), 2);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

// RFC 4443, 3.3, if the first fragment came.
static void test_timeout(void **state)
{
	struct world *w = world6_open(NULL);
	struct packet p = echo6_packet(WAN, WAN_HOST, WAN6, 64);
	const struct frame *f;

	rx_piece(w, &p, 0, 24, true);
	world_pass(w, 30 * NSEC_PER_SEC);
	assert_int_equal(world_drops(w, "ip6-reass", "timeout"), 1);
	f = world_sent(w, WAN);
	assert_memory_equal(f->bytes + 54, "\x03\x01", 2);
	rx_piece(w, &p, 24, 24, true);
	world_pass(w, 30 * NSEC_PER_SEC);
	assert_int_equal(w->sent, 0);
	world_close(w);
}

static void test_virtual(void **state)
{
	struct ip6_conf conf = {.reass_virtual = true};
	struct world *w = world6_open(&conf);
	struct packet p = udp6_packet(WAN, WAN_HOST, LAN_HOST, 64);

	for (unsigned i = 3; i-- > 0;) {
		assert_int_equal(w->sent, 0);
		rx_piece(w, &p, i * 24, 24, i < 2);
	}
	assert_int_equal(w->sent, 3);
	for (unsigned i = 0; i < 3; i++) {
		struct packet f = piece_behind(&p, 40, 6, i * 24, 24, i < 2);

		assert_int_equal(w->out[i].port, LAN);
		assert_int_equal(w->out[i].len, f.len);
		assert_memory_equal(w->out[i].bytes + 22, f.b + 22, f.len - 22);
		assert_memory_equal(&w->out[i].l4_head, p.b + 54, 8);
	}
	w->sent = 0;
	rx_piece(w, &p, 0, 72, false); // whole: passes at once
	world_sent(w, LAN);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_order), cmocka_unit_test(test_extension),
		cmocka_unit_test(test_atomic),	    cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_wrong),	    cmocka_unit_test(test_incomplete_chain),
		cmocka_unit_test(test_timeout),	    cmocka_unit_test(test_virtual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

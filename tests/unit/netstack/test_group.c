// SPDX-License-Identifier: BSD-3-Clause
// test_group.c - static port groups: a flow keeps its port, both directions have one, all ports are
// used
#include "tests/unit/netstack/l2_world.h"

#include <stdlib.h>

enum { GROUP = L2_PORTS };
#define FLOWS 4096

static void make(struct ifaces *ifs)
{
	static const uint16_t members[] = {0, 1, 2, 4};

	assert_int_equal(ifaces_group(ifs, members, 4, 0, NULL, NULL), GROUP);
	assert_int_equal(ifaces_name(ifs, GROUP, "bond0", NULL), 0);
}

// UDP over IPv4 between 10.0.a.b and 10.1.0.1.
static struct l2_frame udp4(unsigned n, bool back)
{
	struct l2_frame f = l2_frame("aa", "bb",
				     "0800 4500 002e 0000 0000 4011 0000 0a000001 0a010001 "
				     "1388 0050 001a 0000",
				     18);
	uint8_t *a = f.b + 26, *b = f.b + 30, *ports = f.b + 34;

	a[2] = (uint8_t)(n >> 8);
	a[3] = (uint8_t)n;
	if (back) {
		uint32_t addr = load32(a);
		uint16_t port = load16(ports);

		store32(a, load32(b));
		store32(b, addr);
		store16(ports, load16(ports + 2));
		store16(ports + 2, port);
	}
	return f;
}

static uint32_t hash_of(struct l2 *l, const struct l2_frame *f)
{
	struct mbuf *m = l2_mbuf(l, 0, f);
	uint32_t hash = group_hash(m);

	mbuf_free(m);
	return hash;
}

static void test_symmetric(void **state)
{
	static const char *const there =
		"86dd 60000000 0008 11 40 20010db8 00000000 00000000 00000001 "
		"20010db8 00000001 00000000 00000002 1388 0050 0008 0000";
	static const char *const back =
		"86dd 60000000 0008 11 40 20010db8 00000001 00000000 00000002 "
		"20010db8 00000000 00000000 00000001 0050 1388 0008 0000";
	struct l2 *l = l2_open(make);
	struct l2_frame a, b;

	for (unsigned n = 0; n < 1000; n++) {
		a = udp4(n, false);
		b = udp4(n, true);
		assert_int_equal(hash_of(l, &a), hash_of(l, &b));
	}
	a = l2_frame("aa", "bb", there, 0);
	b = l2_frame("bb", "aa", back, 0);
	assert_int_equal(hash_of(l, &a), hash_of(l, &b));
	b.b[14 + 40 + 1]++; // another port, another flow
	assert_int_not_equal(hash_of(l, &a), hash_of(l, &b));
	a = l2_frame("aa", "bb", "8863 0102", 20);
	b = l2_frame("bb", "aa", "8863 0102", 20);
	assert_int_equal(hash_of(l, &a), hash_of(l, &b));
	b = l2_frame("bb", "ac", "8863 0102", 20);
	assert_int_not_equal(hash_of(l, &a), hash_of(l, &b));
	l2_close(l);
}

// Tags do not change whose flow it is; fragments stay together; what RSS has said counts.
static void test_same_flow(void **state)
{
	struct l2 *l = l2_open(make);
	struct l2_frame f = udp4(7, false), tagged = f, first = f, second = f;
	struct mbuf *m;

	memmove(tagged.b + 20, f.b + 12, f.len - 12);
	memcpy(tagged.b + 12, "\x88\xa8\x00\x07\x81\x00\x00\x07", 8);
	tagged.len += 8;
	assert_int_equal(hash_of(l, &f), hash_of(l, &tagged));
	first.b[20] = 0x20; // more fragments
	second.b[21] = 3;   // offset 24
	second.b[34]++;	    // payload, where the first has ports
	assert_int_equal(hash_of(l, &first), hash_of(l, &second));
	m = l2_mbuf(l, 0, &f);
	m->flags |= MBUF_HASH;
	m->hash = 12345;
	assert_int_equal(group_hash(m), 12345);
	mbuf_free(m);
	// Whatever is cut short is read no further than it goes.
	for (size_t len = 14; len < f.len; len++) {
		struct l2_frame cut = f;
		uint8_t *end = malloc(len);
		struct mbuf fake = {.data = end, .len = (uint16_t)len, .pkt_len = (uint32_t)len};

		cut.len = len;
		memcpy(end, cut.b, len);
		group_hash(&fake);
		free(end);
	}
	l2_close(l);
}

static uint16_t port_of(struct l2 *l, unsigned flow)
{
	l2_tx(l, GROUP, udp4(flow, false));
	assert_int_equal(l->n, 1);
	return l->frame[0].port;
}

// Of 4096 flows each of four ports has a quarter, within 4 standard deviations of the binomial
// (111).
static void spread(const unsigned *seen, unsigned ports, unsigned flows)
{
	unsigned used = 0;

	for (unsigned p = 0; p < L2_PORTS; p++) {
		used += seen[p] != 0;
		if (seen[p])
			assert_in_range(seen[p], flows / ports - 120, flows / ports + 120);
	}
	assert_int_equal(used, ports);
}

static void test_stays(void **state)
{
	static uint16_t at[FLOWS];
	struct l2 *l = l2_open(make);
	unsigned seen[L2_PORTS] = {0};

	for (unsigned f = 0; f < FLOWS; f++)
		seen[at[f] = port_of(l, f)]++;
	spread(seen, 4, FLOWS);
	// Two go, one after the other: only their flows move, and are spread over those that are
	// left.
	ifaces_link(l->ifs, 1, false);
	memset(seen, 0, sizeof(seen));
	for (unsigned f = 0; f < FLOWS; f++) {
		uint16_t p = port_of(l, f);

		seen[p]++;
		if (at[f] != 1)
			assert_int_equal(p, at[f]);
		assert_int_not_equal(p, 1);
	}
	spread(seen, 3, FLOWS);
	ifaces_set_up(l->ifs, 4, false);
	memset(seen, 0, sizeof(seen));
	for (unsigned f = 0; f < FLOWS; f++) {
		uint16_t p = port_of(l, f);

		seen[p]++;
		if (at[f] == 0 || at[f] == 2)
			assert_int_equal(p, at[f]);
	}
	spread(seen, 2, FLOWS);
	// All come back, and so do their flows.
	ifaces_set_up(l->ifs, 4, true);
	ifaces_link(l->ifs, 1, true);
	for (unsigned f = 0; f < FLOWS; f++)
		assert_int_equal(port_of(l, f), at[f]);
	l2_close(l);
}

// Lcores take flows by the low bits of the hash: each uses all members of a group.
static void test_not_the_lcores_bits(void **state)
{
	static const uint16_t members[] = {0, 1};
	struct group *g = group_create(members, 2);

	for (uint32_t lcore = 0; lcore < 2; lcore++) {
		unsigned seen[2] = {0};

		for (uint32_t k = 0; k < 1000; k++)
			seen[group_pick(g, 2 * (k * 2654435761u) + lcore)]++;
		assert_in_range(seen[0], 400, 600);
	}
	free(g);
}

static void test_none(void **state)
{
	static const uint16_t members[] = {0, 1, 2, 4};
	struct l2 *l = l2_open(make);

	for (unsigned k = 0; k < 4; k++)
		ifaces_link(l->ifs, members[k], false);
	l2_tx(l, GROUP, udp4(1, false));
	assert_int_equal(l->n, 0);
	assert_int_equal(l2_drops(l, "out-bond0", "no-member"), 1);
	ifaces_link(l->ifs, 2, true);
	assert_int_equal(port_of(l, 1), 2);
	ifaces_set_up(l->ifs, GROUP, false);
	l2_tx(l, GROUP, udp4(1, false));
	assert_int_equal(l2_drops(l, "out-bond0", "interface-down"), 1);
	l2_close(l);
}

static void bridged(struct ifaces *ifs)
{
	static const uint16_t pair[] = {0, 1}, members[] = {GROUP, 2, 3};
	static const struct bridge_conf conf = {0};

	assert_int_equal(ifaces_group(ifs, pair, 2, 0, NULL, NULL), GROUP);
	assert_int_equal(ifaces_bridge(ifs, members, 3, &conf, 0, NULL, NULL), GROUP + 1);
}

// A group is one member of a bridge: what comes by one of its ports does not leave by the other.
static void test_in_bridge(void **state)
{
	struct l2 *l = l2_open(bridged);
	struct l2_frame f = l2_frame("b1", "a1", "0800", 46),
			back = l2_frame("a1", "b1", "0800", 46);

	l2_rx(l, 0, f);
	assert_int_equal(l->n, 2);
	l2_came(l, 2, f);
	l2_came(l, 3, f);
	l2_rx(l, 1, l2_frame("ff ff ff ff ff ff", "a1", "0806", 46));
	assert_int_equal(l->n, 2);
	l2_rx(l, 2, back);
	assert_int_equal(l->n, 1);
	assert_in_range(l->frame[0].port, 0, 1);
	l2_rx(l, 2, l2_frame("ff ff ff ff ff ff", "b1", "0806", 46));
	assert_int_equal(l->n, 2); // by port 3 and one of the group's
	l2_close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symmetric), cmocka_unit_test(test_same_flow),
		cmocka_unit_test(test_stays),	  cmocka_unit_test(test_not_the_lcores_bits),
		cmocka_unit_test(test_none),	  cmocka_unit_test(test_in_bridge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

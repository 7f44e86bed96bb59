// SPDX-License-Identifier: BSD-3-Clause
// test_router_random.c - packets changed at random through the whole router: every one ends once
#include "tests/unit/netstack/world.h"

#include <stdio.h>
#include <stdlib.h>

#include "netstack/ip4.h"

static const uint32_t *addresses(unsigned *n)
{
	static uint32_t a[16];

	a[0] = ip(198, 51, 100, 10);
	a[1] = ip(198, 51, 100, 1);
	a[2] = ip(198, 51, 100, 200);
	a[3] = ip(192, 0, 2, 1);
	a[4] = ip(192, 0, 2, 10);
	a[5] = ip(203, 0, 113, 7);
	a[6] = ip(10, 0, 0, 10);
	a[7] = ip(10, 0, 0, 99);
	a[8] = ip(8, 8, 8, 8);
	a[9] = ip(255, 255, 255, 255);
	a[10] = ip(224, 0, 0, 5);
	a[11] = ip(198, 51, 100, 255);
	*n = 12;
	return a;
}

static struct packet random_packet(uint16_t port)
{
	unsigned n;
	const uint32_t *a = addresses(&n);
	uint32_t src = a[(unsigned)random() % n], dst = a[(unsigned)random() % n];
	size_t size = (size_t)random() % 1600;
	static const uint8_t zero[6];
	struct packet p;
	uint8_t mac[6];

	switch (random() % 5) {
	case 0:
		return icmp_packet(port, src, dst, (uint8_t)(random() % 20), 0, size);
	case 1:
		return tcp_packet(port, src, dst, (uint8_t)random(), (uint32_t)random(), 7, size);
	case 2:
		p = (struct packet){.len = 0};
		host_mac(mac, src);
		arp_packet(&p, random() % 2 ? zero : mac, 1 + random() % 2, mac, src, zero, dst);
		memset(p.b, 0xff, 6);
		return p;
	default:
		return udp_packet(port, src, dst, size);
	}
}

// Damage: some bytes in the headers, the length, sometimes the whole; often mended, so that what
// lies behind the checksum is reached.
static void mutate(struct packet *p)
{
	unsigned changes = (unsigned)random() % 4;
	bool arp = p->b[12] == 8 && p->b[13] == 6;

	while (changes--)
		p->b[(unsigned)random() % 64] = (uint8_t)random();
	if (random() % 8 == 0)
		p->b[14] = (uint8_t)(0x45 + random() % 11);
	if (random() % 8 == 0)
		p->b[22] = (uint8_t)(random() % 3);
	if (random() % 8 == 0)
		p->len = 1 + (size_t)random() % p->len;
	if (!arp && random() % 4)
		fix_ip(p);
}

static struct mbuf *random_mbuf(struct world *w)
{
	uint16_t port = (uint16_t)(random() % WORLD_PORTS);
	uint16_t seg = random() % 4 ? 0 : (uint16_t)(60 + random() % 400);
	struct packet p = random_packet(port);
	struct mbuf *m;

	if (random() % 4)
		mutate(&p);
	m = world_mbuf(w, port, p.b, p.len, seg);
	m->flags |= (uint32_t)random() & (MBUF_RX_L3_OK | MBUF_RX_L4_OK);
	return m;
}

static void run(unsigned seed, unsigned bursts)
{
	struct ip4_conf conf = {.learnt = 20, .arp_hold = 4, .arp_timeout = 2};
	struct world *w = world_open(&conf);

	srandom(seed);
	for (unsigned i = 0; i < bursts; i++) {
		struct mbuf *pkts[GRAPH_BURST];
		unsigned n = 1 + (unsigned)random() % GRAPH_BURST;

		for (unsigned k = 0; k < n; k++)
			pkts[k] = random_mbuf(w);
		graph_rx(w->g, w->in, pkts, n);
		world_check(w);
		w->sent = 0;
		world_pass(w, (uint64_t)random() % (NSEC_PER_SEC / 4));
		w->sent = 0;
	}
	world_pass(w, 60 * NSEC_PER_SEC);
	assert_int_equal(world_held(w), 0); // all were given up by now
	world_close(w);
}

static void test_random(void **state)
{
	const char *rounds = getenv("WEIR_TEST_ROUNDS"); // more than the default 10
	unsigned n = rounds ? (unsigned)strtoul(rounds, NULL, 10) : 10;

	for (unsigned seed = 1; seed <= n; seed++)
		run(seed, 400);
}

// The same through a second router with the same seed: the same bytes out. What is sent does not
// depend on memory addresses, on the hash's seed or on what buffers held before.
static void test_repeatable(void **state)
{
	static struct frame first[256];
	unsigned sent = 0;

	for (unsigned round = 0; round < 2; round++) {
		struct world *w = world_open(NULL);

		srandom(99);
		for (unsigned i = 0; i < 256; i++) {
			struct mbuf *m = random_mbuf(w);

			graph_rx(w->g, w->in, &m, 1);
		}
		assert_true(w->sent > 50 && w->sent >= 1);
		if (!round) {
			sent = w->sent < 256 ? w->sent : 256;
			memcpy(first, w->out, sent * sizeof(first[0]));
		}
		for (unsigned i = 0; i < sent; i++) {
			assert_int_equal(first[i].port, w->out[i].port);
			assert_int_equal(first[i].len, w->out[i].len);
			assert_memory_equal(first[i].bytes, w->out[i].bytes, first[i].len);
		}
		world_close(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_repeatable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

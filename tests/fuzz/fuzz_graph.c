// SPDX-License-Identifier: BSD-3-Clause
// fuzz_graph.c - any frames, in any order and at any time, through the whole router: each ends once
//
// The input is a list of frames: a byte of choices, two of length (low byte first), the frame.
//   bits 0-1  the port it arrives by (3: 0 again)
//   bit 2     in segments of 102 bytes, the shortest whose first holds all headers
//   bit 3     the port says that it has verified the checksums
//   bit 4     a second passes before it
//   bit 5     it is given the port's MAC address
//   bit 6     its IPv4 or ICMPv6 checksum is put right, else little behind it would be reached
//   bit 7     it comes in one burst with the next
// After the last frame as long passes as a neighbor lives that nobody uses: nothing may be held then,
// and what was learnt is forgotten, so that one router serves all inputs (making its tables anew
// takes longer than the rest).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netstack/csum.h"
#include "netstack/eth.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip6_graph.h"
#include "netstack/nd.h"

#define PORTS	  3
#define FRAME_MAX 1600
#define BURST	  16 // of up to 16 segments, and what is made for them: within the pool

#define SEGMENTS (1u << 2)
#define VERIFIED (1u << 3)
#define PASSES	 (1u << 4)
#define OUR_MAC	 (1u << 5)
#define MEND	 (1u << 6)
#define MORE	 (1u << 7)

#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "fuzz_graph: not true: %s\n", #what);                      \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct router {
	struct clock clock;
	struct graph *g;
	struct node *in;
	struct node *tx[PORTS];
	struct ip4_stack *stack;
	struct ip6_stack *stack6;
	struct mbuf *burst[GRAPH_BURST]; // received, not yet run
	unsigned n;
};

static struct mempool *pool;

static const uint16_t mtu[PORTS] = {1500, 1500, 100}; // the last has no IPv6, which needs 1280

static void check_ip6(const struct mbuf *m, uint16_t port_mtu)
{
	const struct ip6_hdr *ip = mbuf_at(m, const struct ip6_hdr *, ETH_HLEN);

	CHECK(m->len >= ETH_HLEN + IP6_HLEN);
	CHECK(be32(ip->vtf) >> 28 == 6 && be16(ip->len) + IP6_HLEN == m->pkt_len - ETH_HLEN);
	CHECK(m->pkt_len - ETH_HLEN <= port_mtu && ip->hops > 0);
}

// What leaves is sound: a chain that holds together, an Ethernet frame no longer than the port
// takes, and an IP header whose length and (of IPv4) checksum are right.
static void sent(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct mbuf *m = pkts[i];
		const struct ip4_hdr *ip = mbuf_at(m, const struct ip4_hdr *, ETH_HLEN);

		CHECK(mbuf_check(m) == 0 && m->len >= ETH_HLEN + IP4_HLEN);
		if (load16(m->data + 12) == be16(ETH_TYPE_IP4)) {
			CHECK(ip->ver_ihl >> 4 == 4 && be16(ip->len) == m->pkt_len - ETH_HLEN);
			CHECK(be16(ip->len) <= *(const uint16_t *)node->state && ip->ttl > 0);
			// What a port wrongly vouched for is wrong on its way out as well.
			CHECK(m->flags & MBUF_RX_L3_OK ||
			      csum_fold(csum_add(0, ip, ip4_hlen(ip))) == 0xffff);
		} else if (load16(m->data + 12) == be16(ETH_TYPE_IP6)) {
			check_ip6(m, *(const uint16_t *)node->state);
		}
		next[i] = NEXT_SENT;
	}
	mbuf_free_bulk(pkts, n);
}

static const struct node_def sent_node = {.name = "tx", .process = sent};

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static struct ifaces *make_ifaces(void)
{
	struct ifaces *ifs = ifaces_create(PORTS, 0, NULL);

	CHECK(ifs);
	for (uint16_t p = 0; p < PORTS; p++) {
		const uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)p};

		CHECK(ifaces_port(ifs, p, mac, mtu[p], NULL) == 0);
	}
	return ifs;
}

static struct ip4_stack *make_stack(struct ifaces *ifs)
{
	struct ip4_conf conf = {.pool = pool,
				.ifs = ifs,
				.addresses = PORTS,
				.nexthops = 1,
				.neighbors = 2,
				.learnt = 8,
				.arp_hold = 2,
				.arp_timeout = 3,
				.reass_packets = 16,
				.reass_timeout = 5,
				.reass_virtual = true,
				.services = {.echo = 7, .twamp = 862},
				.icmp_rate = 10,
				.icmp_burst = 10};
	struct ip4_stack *s = ip4_stack_create(&conf, NULL);
	int rc = 0, nh;

	CHECK(s);
	rc |= ip4_stack_address(s, 0, IP(192, 0, 2, 1), 24, NULL);
	rc |= ip4_stack_address(s, 1, IP(198, 51, 100, 1), 24, NULL);
	rc |= ip4_stack_address(s, 2, IP(10, 0, 0, 1), 8, NULL);
	nh = ip4_stack_nexthop(s, 0, IP(192, 0, 2, 254), NULL);
	CHECK(nh > 0);
	rc |= ip4_stack_route(s, IP(128, 0, 0, 0), 1, (uint32_t)nh, NULL);
	rc |= ip4_stack_neighbor(s, 1, IP(198, 51, 100, 10), (const uint8_t *)"\2\1\1\1\1\1", NULL);
	rc |= ip4_stack_neighbor(s, 2, IP(10, 0, 0, 10), (const uint8_t *)"\2\1\1\1\1\2", NULL);
	CHECK(rc == 0);
	return s;
}

#define IP6(net, host)                                                                             \
	((const uint8_t[16]){0x20, 1, 0xd, 0xb8, 0, 0, 0, net, 0, 0, 0, 0, 0, 0, 0, host})

static struct ip6_stack *make_stack6(struct ifaces *ifs)
{
	static const struct nd_ra ra = {.interval = 600, .lifetime = 1800, .prefixes = true};
	struct ip6_conf conf = {.pool = pool,
				.ifs = ifs,
				.addresses = 2,
				.nexthops = 1,
				.neighbors = 1,
				.learnt = 8,
				.nd_hold = 2,
				.nd_reachable = 3,
				.reass_packets = 16,
				.reass_timeout = 5,
				.services = {.echo = 7, .twamp = 862},
				.icmp_rate = 10,
				.icmp_burst = 10};
	struct ip6_stack *s = ip6_stack_create(&conf, NULL);
	int rc = 0, nh;

	CHECK(s);
	rc |= ip6_stack_address(s, 0, IP6(1, 1), 64, NULL);
	rc |= ip6_stack_address(s, 1, IP6(2, 1), 64, NULL);
	nh = ip6_stack_nexthop(s, 0, IP6(1, 0xfe), NULL);
	CHECK(nh > 0);
	rc |= ip6_stack_route(s, (const uint8_t[16]){0x20}, 3, (uint32_t)nh, NULL);
	rc |= ip6_stack_neighbor(s, 1, IP6(2, 0x10), (const uint8_t *)"\2\1\1\1\1\3", NULL);
	rc |= nd_set_ra(s, 1, &ra, NULL);
	CHECK(rc == 0);
	return s;
}

static void router_open(struct router *r)
{
	struct ifaces *ifs = make_ifaces();
	static const char *const names[PORTS] = {"tx0", "tx1", "tx2"};
	struct mempool_conf conf = {.name = "packets", .count = 1024};

	if (!pool)
		pool = mempool_create(&conf, NULL);
	CHECK(pool);
	r->clock = (struct clock){.kind = CLOCK_CAPTURE, .now = NSEC_PER_SEC};
	r->g = graph_create(&r->clock, NULL);
	CHECK(r->g);
	for (unsigned p = 0; p < PORTS; p++)
		r->tx[p] = graph_add(r->g, &sent_node, names[p], (void *)(uintptr_t)&mtu[p], NULL);
	r->stack = make_stack(ifs);
	r->in = ip4_graph_build(r->g, r->stack, r->tx, NULL);
	r->stack6 = make_stack6(ifs);
	CHECK(r->in && ip6_graph_build(r->g, r->stack6, r->tx, NULL) == 0);
	CHECK(graph_check(r->g, NULL) == 0);
	ifaces_unref(ifs);
}

static void pass(struct router *r, uint64_t ns)
{
	uint64_t end = r->clock.now + ns, due = graph_housekeep(r->g, r->clock.now);

	while (due <= end) {
		clock_advance(&r->clock, due);
		due = graph_housekeep(r->g, r->clock.now);
	}
	clock_advance(&r->clock, end);
}

static struct mbuf *chain(const uint8_t *p, size_t len, size_t seg)
{
	struct mbuf *first = NULL, **link = &first;

	for (size_t left = len, n; left; left -= n, p += n) {
		struct mbuf *m = mbuf_alloc(pool);

		n = left < seg ? left : seg;
		CHECK(m);
		memcpy(mbuf_append(m, (uint16_t)n), p, n);
		*link = m;
		link = &m->next;
		if (m != first)
			first->nsegs++;
	}
	first->pkt_len = (uint32_t)len;
	return first;
}

// Of an ICMPv6 message right behind the header.
static void mend6(uint8_t *frame, size_t len)
{
	struct ip6_hdr *ip = (struct ip6_hdr *)(void *)(frame + ETH_HLEN);
	uint8_t *msg = frame + ETH_HLEN + IP6_HLEN;
	size_t n = be16(ip->len);

	if (ip->next != IP6_PROTO_ICMP || n < 4 || ETH_HLEN + IP6_HLEN + n > len)
		return;
	store16(msg + 2, 0);
	store16(msg + 2, (uint16_t)~csum_fold(csum_add(csum_pseudo6(ip, IP6_PROTO_ICMP, (uint32_t)n),
						       msg, n)));
}

static void mend(uint8_t *frame, size_t len)
{
	struct ip4_hdr *ip = (struct ip4_hdr *)(void *)(frame + ETH_HLEN);

	if (len >= ETH_HLEN + IP6_HLEN && load16(frame + 12) == be16(ETH_TYPE_IP6)) {
		mend6(frame, len);
		return;
	}
	if (len < ETH_HLEN + IP4_HLEN || len < ETH_HLEN + ip4_hlen(ip) || ip4_hlen(ip) < IP4_HLEN)
		return;
	ip->csum = 0;
	ip->csum = (uint16_t)~csum_fold(csum_add(0, ip, ip4_hlen(ip)));
}

// Packets wait only for who is not known.
static void check_held(const struct neigh_table *t)
{
	unsigned held = 0;

	for (uint32_t i = 0; i < t->top; i++) {
		CHECK(!t->neigh[i].held || (!t->adj[i].ready && t->neigh[i].first));
		held += t->neigh[i].held;
	}
	CHECK(held == t->held);
}

static void run(struct router *r)
{
	if (r->n)
		graph_rx(r->g, r->in, r->burst, r->n);
	r->n = 0;
	check_held(&r->stack->neighbors);
	check_held(&r->stack6->neighbors);
}

static void receive(struct router *r, uint8_t choice, const uint8_t *bytes, size_t len)
{
	uint8_t frame[FRAME_MAX];
	uint16_t port = (choice & 3) % PORTS;
	struct mbuf *m;

	memcpy(frame, bytes, len);
	if (choice & PASSES) {
		run(r);
		pass(r, NSEC_PER_SEC);
	}
	if (choice & OUR_MAC && len >= 6) {
		const uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)port};

		memcpy(frame, mac, 6);
	}
	if (choice & MEND)
		mend(frame, len);
	m = chain(frame, len, choice & SEGMENTS ? 102 : FRAME_MAX);
	m->port = port;
	if (choice & VERIFIED)
		m->flags |= MBUF_RX_L3_OK | MBUF_RX_L4_OK;
	r->burst[r->n++] = m;
	if (!(choice & MORE) || r->n == BURST)
		run(r);
}

static void check(const struct router *r)
{
	struct graph_books b;

	graph_books(r->g, &b);
	CHECK(graph_balanced(&b));
	CHECK(b.held == 0);
	CHECK(mempool_available(pool) == mempool_count(pool));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct router r;

	if (!r.g)
		router_open(&r);
	while (size > 3) {
		uint8_t choice = data[0];
		size_t len = data[1] | (size_t)data[2] << 8;

		data += 3;
		size -= 3;
		len = len > size ? size : len;
		len = len > FRAME_MAX ? FRAME_MAX : len;
		if (len)
			receive(&r, choice, data, len);
		data += len;
		size -= len;
	}
	run(&r);
	pass(&r, NEIGH_STALE_TIME + 60 * NSEC_PER_SEC);
	check(&r);
	return 0;
}

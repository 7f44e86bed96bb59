// SPDX-License-Identifier: BSD-3-Clause
// router_bed.c - parts of router_run.c: tables, and the packets that circulate
#include "perf/router_bed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "mempool/csum.h"
#include "netstack/eth.h"
#include "netstack/ip4.h"
#include "netstack/ip6.h"

#define AHEAD	  256u	      // destinations
#define UDP_PORTS 0x04d20009u // 1234 to 9

const uint8_t bed_mac[6] = {2, 0, 0, 0, 0, 2}, bed_host_mac[6] = {2, 0, 0, 0, 2, 0x10};

static int load(struct bed_table *t, const char *file)
{
	if (t->family == 4)
		return file ? routes_load(&t->r4, file) : routes_synthetic(&t->r4, 900000);
	return file ? routes6_load(&t->r6, file) : routes6_synthetic(&t->r6, 160000);
}

// thin - keep n, from all over the table.
static void thin(struct bed_table *t, uint32_t n)
{
	for (uint32_t i = 0; i < n && i < t->r4.count; i++)
		t->r4.route[i] = t->r4.route[(uint64_t)i * t->r4.count / n];
	for (uint32_t i = 0; i < n && i < t->r6.count; i++)
		t->r6.route[i] = t->r6.route[(uint64_t)i * t->r6.count / n];
	t->r4.count = t->r4.count < n ? t->r4.count : n;
	t->r6.count = t->r6.count < n ? t->r6.count : n;
}

static void draw(struct bed_table *t, uint64_t *seed, union ip_addr *dst)
{
	*dst = (union ip_addr){.w = {0, 0}};
	if (t->family == 6) {
		routes6_draw(&t->r6, true, seed, dst->v6);
		return;
	}
	do {
		const struct route *in = routes_pick(&t->r4, seed);
		uint32_t host = routes_random(seed);

		dst->v4 = be32(in->prefix | (uint32_t)((uint64_t)host >> in->len));
	} while (!ip4_unicast(be32(dst->v4))); // random tables have prefixes in 127/8
}

int bed_table_make(struct bed_table *t, unsigned family, const char *file, uint32_t prefixes,
		   uint32_t flows)
{
	uint64_t seed = 41;
	int err;

	*t = (struct bed_table){.family = family, .flows = flows};
	err = load(t, file);
	if (err)
		return err;
	if (prefixes)
		thin(t, prefixes);
	routes_assign(&t->r4, BED_HOPS);
	routes6_assign(&t->r6, BED_HOPS);
	t->dst = calloc(flows, sizeof(*t->dst));
	if (!t->dst)
		return -ENOMEM;
	for (uint32_t i = 0; i < flows; i++)
		draw(t, &seed, t->dst + i);
	return 0;
}

// Feed -----------------------------------------------------------------------------------------

struct feed {
	const struct bed_table *t;
	uint32_t at;
	struct {
		struct eth_hdr eth;
		union {
			struct ip4_hdr ip4;
			struct ip6_hdr ip6;
		};
	} __attribute__((packed)) header;
	uint64_t sum; // of the IPv4 header without length and destination
};

static void put4(const struct feed *f, struct mbuf *m, const union ip_addr *dst)
{
	struct ip4_hdr *ip = mbuf_at(m, struct ip4_hdr *, ETH_HLEN);
	uint64_t sum = f->sum + dst->v4;

	memcpy(m->data, &f->header, ETH_HLEN + IP4_HLEN);
	ip->len = be16((uint16_t)(m->len - ETH_HLEN));
	ip->dst = dst->v4;
	ip->csum = (uint16_t)~csum_fold(sum + ip->len);
}

static void put6(const struct feed *f, struct mbuf *m, const union ip_addr *dst)
{
	struct ip6_hdr *ip = mbuf_at(m, struct ip6_hdr *, ETH_HLEN);

	memcpy(m->data, &f->header, ETH_HLEN + IP6_HLEN);
	ip->len = be16((uint16_t)(m->len - ETH_HLEN - IP6_HLEN));
	memcpy(ip->dst, dst, 16);
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	struct feed *f = node->state;
	const union ip_addr *dst = f->t->dst;
	bool is4 = f->t->family == 4;

	// What they ask for is there before the packets are written, or the router's first loads
	// would wait for these stores.
	for (unsigned i = 0; i < AHEAD; i += CACHE_LINE / sizeof(*dst))
		__builtin_prefetch(dst + (f->at + AHEAD + i) % f->t->flows);
	for (unsigned i = 0; i < n; i++) {
		if (is4)
			put4(f, pkts[i], dst + f->at);
		else
			put6(f, pkts[i], dst + f->at);
		f->at = f->at + 1 < f->t->flows ? f->at + 1 : 0;
	}
	node_all(node, 0);
}

static void destroy(struct node *node)
{
	free(node->state);
}

static const char *const edges[] = {"out", NULL};
static const struct node_def feed_node = {
	.name = "feed", .edges = edges, .process = process, .destroy = destroy};

static void set_header(struct feed *f)
{
	static const uint8_t src6[16] = {0x20, 1, 0x0d, 0xb8, 0, 1, [15] = 0x10};

	memcpy(f->header.eth.dst, bed_mac, 6);
	memcpy(f->header.eth.src, bed_host_mac, 6);
	if (f->t->family == 4) {
		f->header.eth.type = be16(ETH_TYPE_IP4);
		f->header.ip4 = (struct ip4_hdr){.ver_ihl = 0x45,
						 .ttl = IP4_TTL,
						 .proto = IP4_PROTO_UDP,
						 .src = be32(0xc000020au)}; // 192.0.2.10
		f->sum = csum_add(0, &f->header.ip4, IP4_HLEN);
	} else {
		f->header.eth.type = be16(ETH_TYPE_IP6);
		f->header.ip6 = (struct ip6_hdr){
			.vtf = be32(6u << 28), .next = IP6_PROTO_UDP, .hops = IP6_HOPS};
		memcpy(f->header.ip6.src, src6, 16);
	}
}

struct node *bed_feed_add(struct graph *g, const struct bed_table *t, struct err *err)
{
	struct feed *f = calloc(1, sizeof(*f));

	if (!f) {
		err_set(err, -ENOMEM, "no memory for the feed");
		return NULL;
	}
	f->t = t;
	set_header(f);
	return graph_add(g, &feed_node, "feed", f, err);
}

struct mbuf *bed_packet(const struct bed_table *t, struct mempool *pool, unsigned len)
{
	static uint8_t frame[2048];
	uint32_t ports = be32(UDP_PORTS);
	unsigned l4 = ETH_HLEN + (t->family == 4 ? IP4_HLEN : IP6_HLEN);
	uint16_t udp = be16((uint16_t)(len - l4));

	memcpy(frame + l4, &ports, 4);
	memcpy(frame + l4 + 4, &udp, 2);
	return mbuf_from_bytes(pool, frame, len);
}

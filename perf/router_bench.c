// SPDX-License-Identifier: BSD-3-Clause
// router_bench.c - cycles a packet of the IPv4 router's nodes, on the recorded capture from memory
//
// The frames of tests/captures are copied into fresh buffers, 2,048 of them ahead of the router, as
// a port would have received them; then bursts of 64 of one port run through the whole graph. What
// counts is the time in the router's nodes (the ports' and the copying are not in it), a packet
// received. The captures hold what a router has to refuse as well: a fifth is IPv6 and one in 25
// frames has a tag. "forwarded" takes only those frames that the router forwards.
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netstack/eth.h"
#include "netstack/ip4.h"
#include "netstack/ip4_graph.h"
#include "perf/bench.h"

#define PORTS	   2
#define FRAMES_MAX 2048
#define AHEAD	   2048
#define BATCHES	   4 // of AHEAD packets a round

struct bench_frame {
	uint8_t *bytes;
	uint16_t len, port;
};

struct bench {
	struct clock clock;
	struct mempool *pool;
	struct graph *g;
	struct node *in;
	struct node *tx[PORTS];
	struct bench_frame frame[FRAMES_MAX]; // by turns a burst of each port
	unsigned frames, at;
	const char *node; // whose cycles count; NULL: all but the ports'
};

static void die(const char *what)
{
	fprintf(stderr, "router_bench: %s\n", what);
	exit(1);
}

static void discard(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	mbuf_free_bulk(pkts, n);
	memset(next, NEXT_SENT, n);
}

static const struct node_def discard_node = {.name = "tx", .process = discard};

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

// What tests/captures/router.yaml says.
static const uint8_t port_mac[PORTS][6] = {{2, 0, 0, 0, 0, 2}, {2, 0, 0, 0, 0, 1}};
static const struct {
	uint16_t port;
	uint32_t addr;
	uint8_t mac[6];
} hosts[] = {
	{0, IP(192, 0, 2, 10), {2, 0, 0, 0, 2, 0x10}},
	{0, IP(192, 0, 2, 11), {2, 0, 0, 0, 2, 0x11}},
	{0, IP(192, 0, 2, 254), {2, 0, 0, 0, 0, 0xfe}},
	{1, IP(198, 51, 100, 10), {2, 0, 0, 0, 1, 0x10}},
	{1, IP(198, 51, 100, 11), {2, 0, 0, 0, 1, 0x11}},
};

static struct ip4_stack *make_stack(struct bench *b)
{
	struct ip4_conf conf = {.pool = b->pool,
				.ifs = ifaces_create(PORTS, 0, NULL),
				.addresses = PORTS,
				.nexthops = 1,
				.neighbors = sizeof(hosts) / sizeof(hosts[0])};
	struct err err = {""};
	struct ip4_stack *s;
	int rc = 0, nh;

	for (uint16_t p = 0; p < PORTS; p++)
		rc |= ifaces_port(conf.ifs, p, port_mac[p], 1500, &err);
	s = ip4_stack_create(&conf, &err);
	ifaces_unref(conf.ifs);
	if (!s)
		die(err.text);
	rc |= ip4_stack_address(s, 0, IP(192, 0, 2, 1), 24, &err);
	rc |= ip4_stack_address(s, 1, IP(198, 51, 100, 1), 24, &err);
	nh = ip4_stack_nexthop(s, 0, IP(192, 0, 2, 254), &err);
	rc |= nh < 0 ? nh : ip4_stack_route(s, 0, 0, (uint32_t)nh, &err);
	for (unsigned i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		rc |= ip4_stack_neighbor(s, hosts[i].port, hosts[i].addr, hosts[i].mac, &err);
	if (rc)
		die(err.text);
	return s;
}

static void make_graph(struct bench *b)
{
	struct mempool_conf conf = {.name = "packets", .count = 3 * AHEAD};
	static const char *const names[PORTS] = {"tx-wan", "tx-lan"};
	struct err err;

	b->pool = mempool_create(&conf, &err);
	clock_init(&b->clock, CLOCK_REAL);
	b->g = b->pool ? graph_create(&b->clock, &err) : NULL;
	if (!b->g)
		die(err.text);
	for (unsigned p = 0; p < PORTS; p++)
		b->tx[p] = graph_add(b->g, &discard_node, names[p], NULL, &err);
	b->in = ip4_graph_build(b->g, make_stack(b), b->tx, &err);
	if (!b->in)
		die(err.text);
}

static unsigned read_capture(const char *path, uint16_t port, struct bench_frame *out)
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_open_offline(path, text);
	struct pcap_pkthdr *h;
	const u_char *bytes;
	unsigned n = 0;

	if (!p)
		die(text);
	while (n < FRAMES_MAX / 2 && pcap_next_ex(p, &h, &bytes) == 1) {
		out[n].bytes = malloc(h->caplen);
		if (!out[n].bytes)
			die("no memory for the capture");
		memcpy(out[n].bytes, bytes, h->caplen);
		out[n].len = (uint16_t)h->caplen;
		out[n++].port = port;
	}
	pcap_close(p);
	return n;
}

// Whether the router forwards it: sent by a port, and no answer of the router's.
static bool forwarded(struct bench *b, const struct bench_frame *f)
{
	const struct node *rewrite = graph_find(b->g, "ip4-rewrite");
	uint64_t sent = b->tx[0]->stats.sent + b->tx[1]->stats.sent;
	uint64_t seen = rewrite->stats.packets;
	struct mbuf *m = mbuf_from_bytes(b->pool, f->bytes, f->len);

	if (!m)
		die("the pool is empty");
	m->port = f->port;
	graph_rx(b->g, b->in, &m, 1);
	return rewrite->stats.packets == seen + 1 &&
	       b->tx[0]->stats.sent + b->tx[1]->stats.sent == sent + 1 &&
	       f->bytes[ETH_HLEN + 8] > 1;
}

static void load(struct bench *b, bool forwarded_only)
{
	static struct bench_frame all[PORTS][FRAMES_MAX / 2];
	unsigned n[PORTS], at[PORTS] = {0};

	n[0] = read_capture(CAPTURES "/router-wan.pcap", 0, all[0]);
	n[1] = read_capture(CAPTURES "/router-lan.pcap", 1, all[1]);
	for (unsigned p = 0; at[0] < n[0] || at[1] < n[1]; p ^= 1)
		for (unsigned i = 0; i < GRAPH_BURST && at[p] < n[p]; at[p]++)
			if (!forwarded_only || forwarded(b, &all[p][at[p]])) {
				b->frame[b->frames++] = all[p][at[p]];
				i++;
			}
}

// Fills pkts with what comes next in the capture.
static void receive(struct bench *b, struct mbuf **pkts)
{
	for (unsigned i = 0; i < AHEAD; i++) {
		const struct bench_frame *f = &b->frame[b->at];

		b->at = b->at + 1 < b->frames ? b->at + 1 : 0;
		pkts[i] = mbuf_from_bytes(b->pool, f->bytes, f->len);
		if (!pkts[i])
			die("the pool is empty");
		pkts[i]->port = f->port;
	}
}

static uint64_t node_cycles(const struct bench *b)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < graph_nodes(b->g); i++) {
		const struct node *n = graph_node(b->g, i);

		if (b->node ? !strcmp(n->name, b->node) : n != b->tx[0] && n != b->tx[1])
			sum += n->stats.cycles;
	}
	return sum;
}

static void run(void *arg, struct bench_round *round)
{
	static struct mbuf *pkts[AHEAD];
	struct bench *b = arg;
	uint64_t before;

	round->packets = BATCHES * AHEAD;
	round->cycles = 0;
	for (unsigned batch = 0; batch < BATCHES; batch++) {
		graph_housekeep(b->g, clock_turn(&b->clock));
		receive(b, pkts);
		before = node_cycles(b);
		for (unsigned i = 0; i < AHEAD; i += GRAPH_BURST)
			graph_rx(b->g, b->in, pkts + i, GRAPH_BURST);
		round->cycles += node_cycles(b) - before;
	}
}

static void line(struct bench *b, const char *name, const char *node)
{
	struct bench_side side = {.name = "weir", .run = run, .arg = b};

	b->node = node;
	bench_compare(name, &side, 1);
}

int main(int argc, char **argv)
{
	static struct bench capture, forward;

	bench_start(argc, argv, "IPv4 router, nodes without ports, burst 64, recorded capture",
		    "pkt");
	make_graph(&capture);
	load(&capture, false);
	make_graph(&forward);
	load(&forward, true);
	line(&capture, "router/capture", NULL);
	line(&forward, "router/forwarded", NULL);
	line(&forward, "router/forwarded/eth-input", "eth-input");
	line(&forward, "router/forwarded/ip4-input", "ip4-input");
	line(&forward, "router/forwarded/ip4-lookup", "ip4-lookup");
	line(&forward, "router/forwarded/ip4-rewrite", "ip4-rewrite");
	return bench_end();
}

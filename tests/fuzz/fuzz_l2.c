// SPDX-License-Identifier: BSD-3-Clause
// fuzz_l2.c - any frames through VLANs, bridges and groups: each ends, and comes out as it went in
//
// The input is a list of frames: a byte of choices, two of length (low byte first), the frame.
//   bits 0-1  the port it arrives by
//   bit 2     in segments of 102 bytes, the shortest whose first holds all headers
//   bit 3     it arrives by no port: the bridge's own station (bit 0: a router by the group) sends
//   it bit 4     half the ageing time passes before it bit 5     its first two bytes are a tag that
//   the port took out of the data bit 6     before it the link of the port goes, or comes back bit
//   7     it comes in one burst with the next
// What comes out is, but for its tags, the frame that went in; what goes up to IP is nobody else's.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netstack/bridge.h"
#include "netstack/eth.h"
#include "netstack/eth_input.h"
#include "netstack/l2_graph.h"

#define PORTS	  6
#define FRAME_MAX 1600
#define BURST	  8
#define TAGS_MAX  8 // that are skipped when frames are compared

#define SEGMENTS (1u << 2)
#define STATION	 (1u << 3)
#define PASSES	 (1u << 4)
#define STRIPPED (1u << 5)
#define LINK	 (1u << 6)
#define MORE	 (1u << 7)

#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "fuzz_l2: not true: %s\n", #what);                         \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VLAN5 = PORTS, VLAN6, QINQ, GROUP, GROUP_VLAN, BRIDGE };

static struct world {
	struct clock clock;
	struct ifaces *ifs;
	struct graph *g;
	struct node *in;
	struct node *tx[IFACE_OUTS_MAX];
	struct mbuf *burst[BURST]; // received, not yet run
	unsigned n;
	uint8_t frame[FRAME_MAX + 4]; // the last of them
	size_t len;
	bool alone; // so that what comes out is it
} w;

static struct mempool *pool;

// Where what stands behind a frame's tags begins.
static size_t behind(const uint8_t *frame, size_t len)
{
	size_t off = 12;

	for (unsigned k = 0;
	     k < TAGS_MAX && len >= off + 6 && eth_is_tag(be16(load16(frame + off))); k++)
		off += 4;
	return off;
}

static void check_same(const uint8_t *out, size_t len)
{
	size_t mine = behind(w.frame, w.len), its = behind(out, len);

	CHECK(memcmp(out, w.frame, 12) == 0);
	CHECK(len - its == w.len - mine && memcmp(out + its, w.frame + mine, len - its) == 0);
}

// By a port, or up to IP: then it may be written.
static void came(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	static uint8_t bytes[FRAME_MAX + 64];
	bool up = !node->state;

	for (unsigned i = 0; i < n; i++) {
		struct mbuf *m = pkts[i];

		CHECK(mbuf_check(m) == 0 && m->pkt_len >= ETH_HLEN && m->pkt_len <= FRAME_MAX + 16);
		CHECK(!(m->flags & MBUF_VLAN));
		CHECK(mbuf_copy_out(m, 0, bytes, m->pkt_len) == 0);
		if (w.alone)
			check_same(bytes, m->pkt_len);
		if (up) {
			CHECK(m->refcnt == 1 && m->l3 >= ETH_HLEN && m->l3 <= m->len);
			memset(m->data, 0xee, m->len);
		}
		next[i] = up ? NEXT_CONSUMED : NEXT_SENT;
		if (!up)
			mbuf_free(m);
	}
}

static const struct node_def came_node = {.name = "came", .process = came};

// VLAN 5 of port 3 is routed; the bridge, with a station, has ports 0 and 3, VLAN 6 and VLAN 8 in
// S-VLAN 7 of port 3, and VLAN 9 of the group of ports 1, 4 and 5; port 2 is routed.
static struct ifaces *make_ifaces(void)
{
	static const uint16_t v5[] = {5}, v6[] = {6}, q[] = {7, 8}, v9[] = {9};
	static const uint16_t group[] = {1, 4, 5}, members[] = {0, 3, VLAN6, QINQ, GROUP_VLAN};
	static const struct bridge_conf conf = {.age = 2, .macs = 16, .routed = true};
	struct ifaces *ifs = ifaces_create(PORTS, 8, NULL);

	CHECK(ifs);
	for (uint16_t p = 0; p < PORTS; p++) {
		const uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)p};

		CHECK(ifaces_port(ifs, p, mac, 1500, NULL) == 0);
	}
	CHECK(ifaces_vlan(ifs, 3, v5, 1, 0, NULL, NULL) == VLAN5);
	CHECK(ifaces_vlan(ifs, 3, v6, 1, 0, NULL, NULL) == VLAN6);
	CHECK(ifaces_vlan(ifs, 3, q, 2, 0, NULL, NULL) == QINQ);
	CHECK(ifaces_group(ifs, group, 3, 0, NULL, NULL) == GROUP);
	CHECK(ifaces_vlan(ifs, GROUP, v9, 1, 0, NULL, NULL) == GROUP_VLAN);
	CHECK(ifaces_bridge(ifs, members, 5, &conf, 0, NULL, NULL) == BRIDGE);
	return ifs;
}

static void world_open(void)
{
	static const char *const names[PORTS] = {"tx0", "tx1", "tx2", "tx3", "tx4", "tx5"};
	struct mempool_conf conf = {.name = "packets", .count = 512};
	struct node *up;

	pool = mempool_create(&conf, NULL);
	CHECK(pool);
	w.clock = (struct clock){.kind = CLOCK_CAPTURE, .now = NSEC_PER_SEC};
	w.ifs = make_ifaces();
	w.g = graph_create(&w.clock, NULL);
	CHECK(w.g);
	for (unsigned p = 0; p < PORTS; p++)
		w.tx[p] = graph_add(w.g, &came_node, names[p], &w, NULL);
	up = graph_add(w.g, &came_node, "up", NULL, NULL);
	CHECK(l2_graph_outs(w.g, w.ifs, w.tx, NULL) == 0);
	w.in = eth_input_add(w.g, w.ifs, NULL);
	CHECK(w.in && node_connect(w.in, "ip4", up, NULL) == 0 &&
	      node_connect(w.in, "arp", up, NULL) == 0);
	CHECK(eth_input_connect(w.in, ETH_INPUT_IP6, up, NULL) == 0);
	CHECK(l2_graph_enter(w.g, w.in, NULL) == 0 && graph_check(w.g, NULL) == 0);
}

static void pass(uint64_t ns)
{
	uint64_t end = w.clock.now + ns, due = graph_housekeep(w.g, w.clock.now);

	while (due <= end) {
		clock_advance(&w.clock, due);
		due = graph_housekeep(w.g, w.clock.now);
	}
	clock_advance(&w.clock, end);
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

static void run(struct node *at)
{
	w.alone = w.n == 1;
	if (w.n)
		graph_rx(w.g, at, w.burst, w.n);
	w.n = 0;
}

// The frame with its tag where it belongs, to compare with.
static void keep(const struct mbuf *m, const uint8_t *bytes, size_t len)
{
	w.len = len;
	memcpy(w.frame, bytes, len);
	if (!(m->flags & MBUF_VLAN) || len < 12)
		return;
	memmove(w.frame + 16, w.frame + 12, len - 12);
	store16(w.frame + 12, be16(ETH_TYPE_VLAN));
	store16(w.frame + 14, be16(m->vlan_tci));
	w.len = len + 4;
}

static void receive(uint8_t choice, const uint8_t *bytes, size_t len)
{
	uint16_t port = choice & 3, tci = 0;
	bool station = choice & STATION && len >= ETH_HLEN;
	struct mbuf *m;

	if (choice & (PASSES | LINK) || station)
		run(w.in);
	if (choice & PASSES)
		pass(NSEC_PER_SEC);
	if (choice & LINK)
		ifaces_link(w.ifs, port, !w.ifs->iface[port].link);
	if (choice & STRIPPED && !station && len > 2) {
		tci = load16(bytes);
		bytes += 2;
		len -= 2;
	}
	m = chain(bytes, len, choice & SEGMENTS ? 102 : FRAME_MAX);
	m->port = port;
	if (choice & STRIPPED && !station) {
		m->flags |= MBUF_VLAN;
		m->vlan_tci = tci;
	}
	keep(m, bytes, len);
	w.burst[w.n++] = m;
	if (station)
		run(w.tx[w.ifs->iface[choice & 1 ? GROUP : BRIDGE].tx]);
	else if (!(choice & MORE) || w.n == BURST)
		run(w.in);
}

// All links up, all stations forgotten: the same for the next input.
static void end(void)
{
	struct graph_books b;

	run(w.in);
	for (uint16_t p = 0; p < PORTS; p++)
		ifaces_link(w.ifs, p, true);
	CHECK(w.ifs->iface[BRIDGE].domain->macs.count <= 16);
	pass(4 * NSEC_PER_SEC);
	CHECK(w.ifs->iface[BRIDGE].domain->macs.count == 0);
	graph_books(w.g, &b);
	CHECK(graph_balanced(&b) && b.held == 0);
	CHECK(mempool_available(pool) == mempool_count(pool));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!w.g)
		world_open();
	while (size > 3) {
		uint8_t choice = data[0];
		size_t len = data[1] | (size_t)data[2] << 8;

		data += 3;
		size -= 3;
		len = len > size ? size : len;
		len = len > FRAME_MAX ? FRAME_MAX : len;
		if (len)
			receive(choice, data, len);
		data += len;
		size -= len;
	}
	end();
	return 0;
}

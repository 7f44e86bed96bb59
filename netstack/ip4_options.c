// SPDX-License-Identifier: BSD-3-Clause
// ip4_options.c - options read and recorded in; node ip4-options, which does it on the way
//
// Packets without such options never come here. The node asks the prefix table where a packet will
// leave, since it is that interface's address that is recorded (RFC 791, 3.1); the packet itself goes on
// to be looked up as any other.
#include "netstack/ip4_options.h"

#include "netstack/csum.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip4_stack.h"

enum { EDGE_LOOKUP };
static const char *const edges[] = {"lookup", NULL};

// RFC 791, 3.1; RFC 2113.
#define OPT_END	   0
#define OPT_NOP	   1
#define OPT_RECORD 7
#define OPT_STAMP  68
#define OPT_LSRR   131
#define OPT_SSRR   137
#define OPT_ALERT  148

// Of a timestamp option's fourth octet: overflow count and flag.
#define STAMP_FLAG 0x0f
#define STAMP_ONLY 0
#define STAMP_ADDR 1
#define STAMP_ASKED 3 // addresses are given; those of the router say when
#define STAMP_OVERFLOW 0xf0

#define MS_PER_DAY 86400000u

// Each gives the offset within the option of the octet that is wrong, or -1.
static int check_record(const uint8_t *p)
{
	if (p[1] < 3)
		return 1;
	if (p[2] < 4 || (p[2] <= p[1] && p[2] + 3 > p[1]))
		return 2;
	return -1;
}

static int check_stamp(const uint8_t *p)
{
	uint8_t flag, need;

	if (p[1] < 4)
		return 1;
	if (p[2] < 5)
		return 2;
	flag = p[3] & STAMP_FLAG;
	need = flag == STAMP_ONLY ? 3 : 7;
	if (p[2] > p[1]) // full: who finds no room is counted, up to 15
		return (p[3] & STAMP_OVERFLOW) == STAMP_OVERFLOW ? 3 : -1;
	if (flag != STAMP_ONLY && flag != STAMP_ADDR && flag != STAMP_ASKED)
		return p[2] + 3 > p[1] ? 2 : 3;
	return p[2] + need > p[1] ? 2 : -1;
}

// The octet that is wrong with the option at p, which was not there before, or -1.
static int check_one(const uint8_t *p, uint8_t at, struct ip4_options *o)
{
	switch (*p) {
	case OPT_RECORD:
		if (o->record)
			return 0;
		o->record = at;
		return check_record(p);
	case OPT_STAMP:
		if (o->stamp)
			return 0;
		o->stamp = at;
		return check_stamp(p);
	case OPT_ALERT:
		return p[1] < 4 ? 1 : -1;
	default:
		return -1;
	}
}

enum ip4_options_result ip4_options_read(const struct ip4_hdr *ip, struct ip4_options *o)
{
	const uint8_t *header = (const uint8_t *)ip, *p = header + IP4_HLEN;
	const uint8_t *end = header + ip4_hlen(ip);

	*o = (struct ip4_options){.record = 0};
	while (p < end && *p != OPT_END) {
		uint8_t at = (uint8_t)(p - header);
		int wrong;

		if (*p == OPT_NOP) {
			p++;
			continue;
		}
		o->pointer = at;
		if (end - p < 2 || p[1] < 2 || p[1] > end - p)
			return IP4_OPTIONS_BAD;
		if (*p == OPT_LSRR || *p == OPT_SSRR)
			return IP4_OPTIONS_SOURCE_ROUTE;
		wrong = check_one(p, at, o);
		if (wrong >= 0) {
			o->pointer = (uint8_t)(at + wrong);
			return IP4_OPTIONS_BAD;
		}
		p += p[1];
	}
	return IP4_OPTIONS_SOUND;
}

uint32_t ip4_options_time(uint64_t now)
{
	return (uint32_t)(now / (NSEC_PER_SEC / 1000) % MS_PER_DAY) | 1u << 31;
}

// The option's pointer counts from 1.
static void record(uint8_t *p, uint32_t addr)
{
	if (p[2] > p[1])
		return;
	store32(p + p[2] - 1, addr);
	p[2] = (uint8_t)(p[2] + 4);
}

static void stamp(const struct ip4_stack *s, uint8_t *p, uint32_t addr, uint32_t ms)
{
	uint8_t flag = p[3] & STAMP_FLAG;

	if (p[2] > p[1]) {
		p[3] = (uint8_t)(p[3] + 0x10);
		return;
	}
	if (flag == STAMP_ASKED && !ip4_stack_mine(s, be32(load32(p + p[2] - 1))))
		return;
	if (flag == STAMP_ADDR)
		store32(p + p[2] - 1, addr);
	if (flag != STAMP_ONLY)
		p[2] = (uint8_t)(p[2] + 4);
	store32(p + p[2] - 1, be32(ms));
	p[2] = (uint8_t)(p[2] + 4);
}

void ip4_options_record(const struct ip4_stack *s, struct ip4_hdr *ip, const struct ip4_options *o,
			uint32_t addr, uint32_t ms)
{
	uint8_t *header = (uint8_t *)ip;

	if (o->record)
		record(header + o->record, addr);
	if (o->stamp)
		stamp(s, header + o->stamp, addr, ms);
	ip->csum = 0;
	ip->csum = (uint16_t)~csum_fold(csum_add(0, ip, ip4_hlen(ip)));
}

// The address of the interface that m will leave by; 0: it will not.
static uint32_t address_of(const struct ip4_stack *s, const struct mbuf *m, const struct ip4_hdr *ip)
{
	const struct lpm4 *lpm = fib_lpm4(s->fib, s->ifs->iface[m->port].vrf);
	uint32_t index = ip4_resolve(s, lpm4_lookup(lpm, be32(ip->dst)), m, ip->dst);
	const struct adj *a = &s->neighbors.adj[index];

	if (a->kind != ADJ_FORWARD && a->kind != ADJ_GLEAN)
		return 0;
	return be32(ip4_stack_source(s, a->iface,
				     be32(a->kind == ADJ_FORWARD ? a->addr.v4 : ip->dst)));
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	const struct ip4_stack *s = node->state;

	for (unsigned i = 0; i < n; i++) {
		struct ip4_hdr *ip = mbuf_at(pkts[i], struct ip4_hdr *, pkts[i]->l3);
		uint32_t addr = address_of(s, pkts[i], ip);
		struct ip4_options o;

		next[i] = EDGE_LOOKUP;
		// One that expires here is told about as it came.
		if (addr && ip->ttl > 1 && ip4_options_read(ip, &o) == IP4_OPTIONS_SOUND)
			ip4_options_record(s, ip, &o, addr, ip4_options_time(graph_now(node)));
	}
}

const struct node_def ip4_options_node = {
	.name = "ip4-options",
	.edges = edges,
	.process = process,
};

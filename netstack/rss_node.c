// SPDX-License-Identifier: BSD-3-Clause
// rss_node.c - node rss-NAME: the Toeplitz hash of a frame's flow says which lcore it meets
//
// A flow's fragments have no ports but the first, so all go by their addresses (as Microsoft's RSS
// has it). What is not understood goes to lcore 0: it is counted and answered there as by a single
// lcore.
#include "netstack/rss_node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "netstack/eth.h"
#include "netstack/ip4.h"
#include "pmd/port.h"

#define AHEAD	  8 // packets whose headers are fetched early
#define IP6_HLEN  40u
#define IP6_NEXT  6u
#define IP6_SRC	  8u
#define IP6_ADDRS 32u // bytes of both
#define IP4_SRC	  12u
#define FRAGMENT  (IP4_MF | IP4_FRAG_OFF) // more to come, or not the first

struct rss {
	struct rss_table table;
	uint8_t lane[RSS_LANES]; // lcores
};

static always_inline uint16_t fold(uint64_t x)
{
	x ^= x >> 32;
	return (uint16_t)(x ^ x >> 16);
}

static always_inline bool has_ports(uint8_t protocol)
{
	return protocol == IP4_PROTO_TCP || protocol == IP4_PROTO_UDP;
}

static always_inline bool flow4(const struct rss_table *t, const uint8_t *ip, unsigned len,
				uint32_t *hash)
{
	unsigned hlen = (ip[0] & 15u) * 4u;
	uint32_t ports = 0;
	bool with;
	uint8_t in[12];

	if (len < IP4_HLEN || ip[0] >> 4 != 4 || hlen < IP4_HLEN)
		return false;
	with = has_ports(ip[9]) && !(load16(ip + 6) & be16(FRAGMENT)) && len >= hlen + 4;
	if (with)
		ports = load32(ip + hlen);
	if (likely(t->periodic)) {
		*hash = rss_hash16(t, fold(load64(ip + IP4_SRC) ^ ports));
		return true;
	}
	store64(in, load64(ip + IP4_SRC));
	store32(in + 8, ports);
	*hash = rss_hash(t, in, with ? 12 : 8);
	return true;
}

static bool flow6(const struct rss_table *t, const uint8_t *ip, unsigned len, uint32_t *hash)
{
	uint8_t in[RSS_INPUT_MAX];
	bool with;

	if (len < IP6_HLEN || ip[0] >> 4 != 6)
		return false;
	// Behind an extension header, a fragment's among them, no ports are looked for.
	with = has_ports(ip[IP6_NEXT]) && len >= IP6_HLEN + 4;
	if (likely(t->periodic)) {
		const uint8_t *a = ip + IP6_SRC;

		*hash = rss_hash16(t, fold(load64(a) ^ load64(a + 8) ^ load64(a + 16) ^
					   load64(a + 24) ^ (with ? load32(ip + IP6_HLEN) : 0)));
		return true;
	}
	memcpy(in, ip + IP6_SRC, IP6_ADDRS);
	if (with)
		memcpy(in + IP6_ADDRS, ip + IP6_HLEN, 4);
	*hash = rss_hash(t, in, with ? RSS_INPUT_MAX : IP6_ADDRS);
	return true;
}

static always_inline bool flow(const struct rss_table *t, const struct mbuf *m, uint32_t *hash)
{
	const uint8_t *p = m->data;
	unsigned off = 12, len = m->len;
	uint16_t type;

	if (unlikely(len < ETH_HLEN))
		return false;
	type = load16(p + off);
	for (unsigned tags = 0; unlikely(eth_is_tag(be16(type))) && tags < 2 && len >= off + 6;
	     tags++) {
		off += 4;
		type = load16(p + off);
	}
	off += 2;
	if (likely(type == be16(ETH_TYPE_IP4)))
		return len > off && flow4(t, p + off, len - off, hash);
	return type == be16(ETH_TYPE_IP6) && len > off && flow6(t, p + off, len - off, hash);
}

bool rss_flow(const struct rss_table *t, const struct mbuf *m, uint32_t *hash)
{
	return flow(t, m, hash);
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	const struct rss *r = node->state;

	for (unsigned i = 0; i < n && i < AHEAD; i++)
		__builtin_prefetch(pkts[i]->data);
	for (unsigned i = 0; i < n; i++) {
		struct mbuf *m = pkts[i];
		uint32_t hash;

		if (i + 2 * AHEAD < n)
			__builtin_prefetch(pkts[i + 2 * AHEAD]);
		if (i + AHEAD < n)
			__builtin_prefetch(pkts[i + AHEAD]->data);
		if (unlikely(!flow(&r->table, m, &hash))) {
			next[i] = 0;
			continue;
		}
		m->hash = hash;
		m->flags |= MBUF_HASH;
		next[i] = r->lane[hash % RSS_LANES];
	}
}

static void destroy(struct node *node)
{
	free(node->state);
}

static const struct node_def rss_def = {
	.name = "rss",
	.process = process,
	.destroy = destroy,
};

struct node *rss_node_add(struct graph *g, const char *name, enum blob_rss key, unsigned lcores,
			  struct err *err)
{
	char full[PORT_NAME_MAX + 8];
	struct rss *r = malloc(sizeof(*r));
	struct node *node;

	if (!r) {
		err_set(err, -ENOMEM, "port %s: no memory to spread its flows", name);
		return NULL;
	}
	rss_table_init(&r->table, rss_key[key]);
	for (unsigned i = 0; i < RSS_LANES; i++)
		r->lane[i] = (uint8_t)rss_queue(i, lcores);
	snprintf(full, sizeof(full), "rss-%s", name);
	node = graph_add(g, &rss_def, full, r, err);
	if (!node)
		free(r);
	return node;
}

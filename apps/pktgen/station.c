// SPDX-License-Identifier: BSD-3-Clause
// station.c - what of the network's own traffic is for the generator's station, which forwards nothing
#include <errno.h>

#include "apps/pktgen/pktgen_priv.h"
#include "core/wire.h"
#include "netstack/eth.h"
#include "netstack/ip4.h"

#define DHCP_CLIENT_PORT 68u

// What stands on the port: itself and its VLANs.
static bool on_port(const struct ifaces *ifs, uint16_t i, uint16_t port)
{
	return i == port || (ifs->iface[i].kind == IFACE_VLAN && ifs->iface[i].parent == port);
}

static bool our_mac(const struct ifaces *ifs, uint16_t port, const struct mbuf *m)
{
	uint64_t mac = eth_mac_load8(m->data);

	for (uint16_t i = 0; i < ifs->n; i++)
		if (on_port(ifs, i, port) && ifs->iface[i].mac48 == mac)
			return true;
	return false;
}

// A server's offer is sent to an address that is not ours yet.
static bool dhcp_reply(const struct mbuf *m, uint32_t at)
{
	const struct ip4_hdr *ip = mbuf_at(m, const struct ip4_hdr *, at);
	uint32_t udp = at + ip4_hlen(ip);

	return ip->proto == IP4_PROTO_UDP && m->len >= udp + 4 &&
	       load16(m->data + udp + 2) == be16(DHCP_CLIENT_PORT);
}

static bool ip4_ours(const struct ip4_stack *s, const struct mbuf *m, uint32_t at)
{
	if (m->len < at + IP4_HLEN)
		return false;
	return ip4_stack_mine(s, be32(mbuf_at(m, const struct ip4_hdr *, at)->dst)) || dhcp_reply(m, at);
}

static bool ip6_ours(const struct ip6_stack *s, uint16_t port, const struct mbuf *m, uint32_t at)
{
	if (!s || m->len < at + IP6_HLEN)
		return false;
	for (uint16_t i = 0; i < s->ifs->n; i++)
		if (on_port(s->ifs, i, port) &&
		    ip6_stack_find(s, i, mbuf_at(m, const struct ip6_hdr *, at)->dst))
			return true;
	return false;
}

// Frames to groups are the stack's to sort out; of those to our MAC address only what is for our IP addresses: a
// device under test may well send there what we generated, unsigned, for others.
bool station_wants(void *arg, uint16_t port, const struct mbuf *m)
{
	const struct app_lcore *l = arg;
	const struct router *r = router_of(l->app);
	uint32_t at = ETH_HLEN;
	uint16_t type;

	if (m->len < ETH_HLEN)
		return false;
	if (m->data[0] & 1)
		return true;
	if (!our_mac(r->ifs, port, m))
		return false;
	type = be16(load16(m->data + 12));
	for (unsigned k = 0; k < IFACE_TAGS_MAX && eth_is_tag(type) && m->len >= at + 4u; k++, at += 4)
		type = be16(load16(m->data + at + 2));
	if (type == ETH_TYPE_ARP)
		return true;
	if (type == ETH_TYPE_IP4)
		return ip4_ours(r->ip4[l->id], m, at);
	return type == ETH_TYPE_IP6 && ip6_ours(r->ip6[l->id], port, m, at);
}

static const char *const drops[] = {"not-ours", NULL};

static void drop_all(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	node_all(node, NEXT_DROP(0));
}

static const struct node_def no_forward_node = {
	.name = "no-forward",
	.drops = drops,
	.process = drop_all,
};

int station_no_forwarding(struct app_lcore *l, struct err *err)
{
	struct node *end = graph_add(l->graph, &no_forward_node, no_forward_node.name, NULL, err);
	struct node *ip6 = graph_find(l->graph, "ip6-lookup");
	int rc = end ? node_connect(graph_find(l->graph, "ip4-lookup"), "rewrite", end, err) : -ENOSPC;

	return rc || !ip6 ? rc : node_connect(ip6, "rewrite", end, err);
}

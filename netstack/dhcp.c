// SPDX-License-Identifier: BSD-3-Clause
// dhcp.c - the states of a DHCP client (RFC 2131, 4.4), and node dhcp
#include "netstack/dhcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/plat.h"
#include "netstack/arp.h"
#include "netstack/ip4_graph.h"
#include "netstack/ip4_stack.h"
#include "netstack/udp.h"

enum { EDGE_OUTPUT, EDGE_PORT0 };
static_assert(EDGE_PORT0 == DHCP_EDGE_PORT0, "the wiring counts on it");
enum { DROP_NOT_ASKED };
static const char *const edges[] = {"output", NULL};
static const char *const drops[] = {"not-asked", NULL};

#define ROOM	    512u // bytes of a buffer that a message needs
#define RETRY_FIRST (4 * NSEC_PER_SEC) // RFC 2131, 4.1: doubled up to
#define RETRY_MAX   (64 * NSEC_PER_SEC)
#define REQUESTS    4u // before it starts anew
#define PROBES	    2u
#define PROBE_TIME  (NSEC_PER_SEC / 2)
#define RENEW_MIN   (60 * NSEC_PER_SEC) // RFC 2131, 4.4.5
#define CALM	    (10 * NSEC_PER_SEC) // RFC 2131, 3.1, 5: after an address that is in use

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

int dhcp_add(struct ip4_stack *s, uint16_t iface, struct err *err)
{
	struct dhcp *d = s->dhcp;

	if (s->lcores > 1)
		return err_set(err, -EINVAL, "interface %s: addresses by DHCP need lcores: 1",
			       s->ifs->iface[iface].name);
	if (mempool_room(s->pool) < ROOM)
		return err_set(err, -EINVAL, "buffers of %u bytes: DHCP needs %u",
			       mempool_room(s->pool), ROOM);
	if (!d) {
		d = s->dhcp = calloc(1, sizeof(*d));
		if (!d)
			return err_set(err, -ENOMEM, "no memory for a DHCP client");
		d->s = s;
		if (plat_entropy(&d->random, sizeof(d->random)))
			return err_set(err, -ENODEV, "no random number for a DHCP client");
		d->random |= 1;
	}
	if (d->n == DHCP_CLIENTS_MAX)
		return err_set(err, -ENOSPC, "over %u interfaces with DHCP", DHCP_CLIENTS_MAX);
	d->client[d->n++] = (struct dhcp_client){.iface = iface};
	s->addresses_max++; // ip4_stack_create() has left room
	return 0;
}

static struct dhcp_client *client_of(struct dhcp *d, uint16_t iface)
{
	for (unsigned i = 0; i < d->n; i++)
		if (d->client[i].iface == iface)
			return &d->client[i];
	return NULL;
}

bool dhcp_wants(const struct dhcp *d, struct mbuf *m, const struct ip4_hdr *ip)
{
	uint32_t l4 = m->l3 + ip4_hlen(ip);

	if (ip->proto != IP4_PROTO_UDP || ip->frag & be16(IP4_MF | IP4_FRAG_OFF) ||
	    l4 + UDP_HLEN > m->len || !client_of((struct dhcp *)d, m->port))
		return false;
	m->l4 = (uint16_t)l4;
	return mbuf_at(m, const struct udp_hdr *, l4)->dport == be16(DHCP_CLIENT_PORT);
}

static uint32_t next_random(struct dhcp *d) // xorshift64*
{
	d->random ^= d->random >> 12;
	d->random ^= d->random << 25;
	d->random ^= d->random >> 27;
	return (uint32_t)(d->random * 0x2545f4914f6cdd1dull >> 32);
}

// A retransmission's time, a second more or less by chance (RFC 2131, 4.1).
static uint64_t backoff(struct dhcp *d, unsigned tries)
{
	uint64_t t = RETRY_FIRST << (tries < 5 ? tries : 5);

	return (t < RETRY_MAX ? t : RETRY_MAX) - NSEC_PER_SEC + next_random(d) % 2048 * (NSEC_PER_SEC / 1024);
}

// An empty pool costs this message; it is sent again.
static void send(struct dhcp *d, struct dhcp_client *c, uint8_t type, uint64_t now)
{
	const struct iface *iface = &d->s->ifs->iface[c->iface];
	struct mbuf *m = mbuf_alloc(d->s->pool);

	c->asked = now;
	if (!m)
		return;
	dhcp_write(m, d, c, type, now);
	if (c->state == DHCP_RENEWING) {
		graph_emit(d->node, EDGE_OUTPUT, m);
		return;
	}
	iface_put_eth(iface, m, broadcast, ETH_TYPE_IP4);
	graph_emit(d->node, (uint8_t)(EDGE_PORT0 + iface->tx), m);
}

static void go(struct dhcp *d, struct dhcp_client *c, enum dhcp_state state, uint64_t due)
{
	c->state = (uint8_t)state;
	c->tries = 0;
	c->due = due;
	graph_wake(d->node, due);
}

// Takes our route away, unless somebody has put another in its place.
static void remove_route(struct fib *f, const struct fib_route *r)
{
	int hop = fib_hop(f, r, 0, NULL);
	bool ours = hop >= 0 && fib_get(f, 4, r->vrf, &r->prefix, 0) == hop;

	if (hop >= 0)
		fib_drop(f, 4, (uint32_t)hop);
	if (ours)
		fib_route_delete(f, r, NULL);
	else
		fib_settle(f);
}

static void default_route(struct dhcp *d, struct dhcp_client *c, bool add)
{
	uint16_t vrf = d->s->ifs->iface[c->iface].vrf;
	struct fib_route r = {.family = 4, .kind = FIB_VIA, .paths = 1, .vrf = vrf};

	r.path[0] = (struct fib_path){
		.via.v4 = be32(c->lease.router), .iface = c->iface, .weight = 1};
	if (!add) {
		if (c->routed)
			remove_route(d->s->fib, &r);
		c->routed = false;
	} else if (c->lease.router && fib_get(d->s->fib, 4, vrf, &r.prefix, 0) < 0) {
		c->routed = fib_route_add(d->s->fib, &r, NULL) == 0; // one of the configuration stays
	}
}

// A DHCP address that cannot be taken (another interface has its prefix, say) is declined.
static bool bind(struct dhcp *d, struct dhcp_client *c)
{
	const struct dhcp_lease *l = &c->offer;

	if (ip4_stack_address(d->s, c->iface, l->addr, l->plen, NULL))
		return false;
	c->lease = *l;
	default_route(d, c, true);
	ip4_stack_announce(d->s, c->iface);
	return true;
}

static void release(struct dhcp *d, struct dhcp_client *c)
{
	default_route(d, c, false);
	ip4_stack_address_remove(d->s, c->iface, c->lease.addr);
	c->leaving = false;
}

// In the middle of a burst: packets of it may be on their way to the next hop that goes with the address.
static void release_soon(struct dhcp *d, struct dhcp_client *c, uint64_t now)
{
	c->leaving = true;
	graph_wake(d->node, now);
}

static void decline(struct dhcp *d, struct dhcp_client *c, uint64_t now)
{
	send(d, c, DHCP_DECLINE, now);
	go(d, c, DHCP_INIT, now + CALM);
}

static void probe(struct dhcp *d, struct dhcp_client *c, uint64_t now)
{
	const struct iface *iface = &d->s->ifs->iface[c->iface];
	struct mbuf *m = mbuf_alloc(d->s->pool);

	c->tries++;
	c->due = now + PROBE_TIME;
	if (!m)
		return;
	arp_put_request(m, iface, broadcast, 0, be32(c->offer.addr));
	m->port = c->iface;
	graph_emit(d->node, (uint8_t)(EDGE_PORT0 + iface->tx), m);
}

static void checked(struct dhcp *d, struct dhcp_client *c, uint64_t now)
{
	if (c->tries < PROBES)
		probe(d, c, now);
	else if (bind(d, c))
		go(d, c, DHCP_BOUND, c->leased + c->lease.t1);
	else
		decline(d, c, now);
}

static void ask(struct dhcp *d, struct dhcp_client *c, uint8_t type, uint64_t now)
{
	send(d, c, type, now);
	c->due = now + backoff(d, c->tries++);
}

static void start(struct dhcp *d, struct dhcp_client *c, uint64_t now)
{
	c->xid = next_random(d);
	c->began = now;
	go(d, c, DHCP_SELECTING, now);
	ask(d, c, DHCP_DISCOVER, now);
}

// Asks for more time: again after half of what is left, but not within a minute, until `end`.
static void renew(struct dhcp *d, struct dhcp_client *c, uint64_t end, uint64_t now)
{
	uint64_t wait = end > now ? (end - now) / 2 : 0;

	send(d, c, DHCP_REQUEST, now);
	wait = wait > RENEW_MIN ? wait : RENEW_MIN;
	c->due = now + wait < end ? now + wait : end;
}

static void give_up(struct dhcp *d, struct dhcp_client *c, uint64_t now)
{
	release(d, c);
	start(d, c, now);
}

static void due(struct dhcp *d, struct dhcp_client *c, uint64_t now)
{
	uint64_t t2 = c->leased + c->lease.t2, end = c->leased + c->lease.end;

	switch ((enum dhcp_state)c->state) {
	case DHCP_INIT:
		start(d, c, now);
		break;
	case DHCP_SELECTING:
		ask(d, c, DHCP_DISCOVER, now);
		break;
	case DHCP_REQUESTING:
		if (c->tries < REQUESTS)
			ask(d, c, DHCP_REQUEST, now);
		else
			start(d, c, now);
		break;
	case DHCP_CHECKING:
		checked(d, c, now);
		break;
	case DHCP_BOUND:
		c->xid = next_random(d);
		c->began = now;
		c->state = DHCP_RENEWING;
		renew(d, c, t2, now);
		break;
	case DHCP_RENEWING:
	case DHCP_REBINDING:
		if (now >= end) {
			give_up(d, c, now);
			break;
		}
		if (now >= t2)
			c->state = DHCP_REBINDING;
		renew(d, c, now >= t2 ? end : t2, now);
		break;
	}
}

static void granted(struct dhcp *d, struct dhcp_client *c, const struct dhcp_lease *l, uint64_t now)
{
	bool same = c->state >= DHCP_BOUND && l->addr == c->lease.addr &&
		    l->plen == c->lease.plen && l->router == c->lease.router;

	if (same) {
		c->lease = *l;
		c->leased = c->asked;
		go(d, c, DHCP_BOUND, c->leased + l->t1);
		return;
	}
	if (c->state >= DHCP_BOUND)
		release_soon(d, c, now);
	c->offer = *l;
	c->leased = c->asked;
	go(d, c, DHCP_CHECKING, now);
	probe(d, c, now);
}

// False: nobody asked for it.
static bool answered(struct dhcp *d, struct dhcp_client *c, const struct dhcp_answer *a, uint64_t now)
{
	bool asking = c->state == DHCP_REQUESTING || c->state == DHCP_RENEWING ||
		      c->state == DHCP_REBINDING;

	if (a->type == DHCP_OFFER && c->state == DHCP_SELECTING) {
		c->offer = a->lease;
		go(d, c, DHCP_REQUESTING, now);
		ask(d, c, DHCP_REQUEST, now);
	} else if (a->type == DHCP_ACK && asking &&
		   (c->state != DHCP_REQUESTING || a->lease.addr == c->offer.addr)) {
		granted(d, c, &a->lease, now);
	} else if (a->type == DHCP_NAK && asking) {
		if (c->state >= DHCP_BOUND)
			release_soon(d, c, now);
		go(d, c, DHCP_INIT, now + NSEC_PER_SEC);
	} else {
		return false;
	}
	graph_wake(d->node, c->due);
	return true;
}

void dhcp_heard(struct dhcp *d, uint16_t iface, uint32_t addr)
{
	struct dhcp_client *c = client_of(d, iface);

	if (c && c->state == DHCP_CHECKING && addr == be32(c->offer.addr))
		decline(d, c, graph_now(d->node));
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	struct dhcp *d = node->state;

	for (unsigned i = 0; i < n; i++) {
		struct dhcp_client *c = client_of(d, pkts[i]->port);
		struct dhcp_answer a;

		next[i] = NEXT_DROP(DROP_NOT_ASKED);
		if (c && dhcp_read(pkts[i], d, c, &a) && answered(d, c, &a, graph_now(node)))
			next[i] = NEXT_CONSUMED;
	}
}

static uint64_t housekeep(struct node *node, uint64_t now)
{
	struct dhcp *d = node->state;
	uint64_t first = TIME_NEVER;

	for (unsigned i = 0; i < d->n; i++) {
		if (d->client[i].leaving)
			release(d, &d->client[i]);
		if (d->client[i].due <= now)
			due(d, &d->client[i], now);
		if (d->client[i].due < first)
			first = d->client[i].due;
	}
	return first;
}

static void destroy(struct node *node)
{
	free(node->state);
}

const struct node_def dhcp_node = {
	.name = "dhcp",
	.edges = edges,
	.drops = drops,
	.process = process,
	.housekeep = housekeep,
	.destroy = destroy,
};

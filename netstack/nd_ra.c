// SPDX-License-Identifier: BSD-3-Clause
// nd_ra.c - router advertisements (RFC 4861, 6.2): by the clock, when somebody asks, and at the end
//
// All go to all nodes of the link: the first three soon after each other, then at random times, so
// that routers do not fall into step (6.2.4). Who asks is answered within half a second, but no two
// are sent within three seconds (6.2.6). lcore 0 sends.
#include <errno.h>

#include "netstack/nd_priv.h"

#define INITIAL_MAX	 3u		     // 10: MAX_INITIAL_RTR_ADVERTISEMENTS
#define INITIAL_INTERVAL (16 * NSEC_PER_SEC) // MAX_INITIAL_RTR_ADVERT_INTERVAL
#define BETWEEN_MIN	 (3 * NSEC_PER_SEC)  // MIN_DELAY_BETWEEN_RAS
#define ANSWER_MAX	 (NSEC_PER_SEC / 2)  // MAX_RA_DELAY_TIME
#define NOT_YET		 (NSEC_PER_SEC / 10) // between looks whether the link-local address is ours

// 6.2.1: AdvValidLifetime, AdvPreferredLifetime.
#define PREFIX_VALID	 2592000u
#define PREFIX_PREFERRED 604800u

int nd_set_ra(struct ip6_stack *s, uint16_t iface, const struct nd_ra *ra, struct err *err)
{
	uint16_t interval = ra->interval ? ra->interval : ND_RA_INTERVAL;

	if (iface >= s->ifs->n || !ip6_stack_enabled(s, iface))
		return err_set(
			err, -EINVAL,
			"interface %u advertises a router, but has no IPv6: give it an address",
			iface);
	if (interval < ND_RA_INTERVAL_MIN || interval > ND_RA_INTERVAL_MAX)
		return err_set(err, -EINVAL, "router advertisements every %u seconds: %u to %u",
			       interval, ND_RA_INTERVAL_MIN, ND_RA_INTERVAL_MAX);
	if (ra->lifetime && (ra->lifetime < interval || ra->lifetime > ND_RA_LIFETIME_MAX))
		return err_set(err, -EINVAL,
			       "a router's lifetime of %u seconds: 0, or %u (the interval) to %u",
			       ra->lifetime, interval, ND_RA_LIFETIME_MAX);
	s->nd->iface[iface] = (struct nd_iface){.ra = *ra, .on = true};
	s->nd->iface[iface].ra.interval = interval;
	return 0;
}

// 6.2.1: MinRtrAdvInterval by default, as erratum 3154 has it for short ones.
static uint64_t interval_min(uint64_t max)
{
	return max >= 9 * NSEC_PER_SEC ? max / 3 : max / 4 * 3;
}

static uint64_t next_interval(struct ip6_stack *s, const struct nd_iface *n)
{
	uint64_t max = n->ra.interval * NSEC_PER_SEC, min = interval_min(max);
	uint64_t in = min + nd_random(s, max - min);

	return n->initial < INITIAL_MAX && in > INITIAL_INTERVAL ? INITIAL_INTERVAL : in;
}

static void put_mtu(struct mbuf *m, uint32_t mtu)
{
	uint8_t *p = mbuf_append(m, ND_OPT_UNIT);

	p[0] = ND_OPT_MTU;
	p[1] = 1;
	store16(p + 2, 0);
	store32(p + 4, be32(mtu));
}

static void put_prefix(struct mbuf *m, const struct ip6_address *a)
{
	struct nd_prefix *p = mbuf_append(m, ND_PREFIX_LEN);
	union ip_addr prefix = ip6_prefix(a->addr.v6, a->plen);

	*p = (struct nd_prefix){
		.type = ND_OPT_PREFIX,
		.len = ND_PREFIX_LEN / ND_OPT_UNIT,
		.plen = a->plen,
		.flags = ND_PREFIX_ONLINK | (a->plen == 64 ? ND_PREFIX_AUTO : 0), // RFC 4862, 5.5.3
		.valid = be32(PREFIX_VALID),
		.preferred = be32(PREFIX_PREFERRED),
	};
	memcpy(p->prefix, prefix.v6, 16);
}

// Whether address i of the interface is the first in its prefix, which is one to be told of.
static bool has_prefix(const struct ip6_stack *s, uint16_t iface, uint32_t i)
{
	const struct ip6_address *a = &s->address[i];

	if (a->iface != iface || a->anycast || a->plen == 128 || ip6_link_local(a->addr.v6))
		return false;
	for (uint32_t k = 0; k < i; k++)
		if (s->address[k].iface == iface && s->address[k].plen == a->plen &&
		    !s->address[k].anycast &&
		    ip6_prefix_equal(s->address[k].addr.v6, a->addr.v6, a->plen))
			return false;
	return true;
}

// As many prefixes, from address *i on, as fit the packet (6.2.3: others go into one of their own).
static void put_prefixes(const struct ip6_stack *s, uint16_t iface, struct mbuf *m, uint32_t *i)
{
	for (; *i < s->addresses; ++*i) {
		if (!has_prefix(s, iface, *i))
			continue;
		if (mbuf_tailroom(m) < ND_PREFIX_LEN || m->pkt_len + ND_PREFIX_LEN > IP6_MTU_MIN)
			return;
		put_prefix(m, &s->address[*i]);
	}
}

// One packet; an empty pool costs it. Goes on from address *i.
static void advertise(struct ip6_stack *s, uint16_t iface, const uint8_t src[16], uint32_t *i)
{
	const struct iface *out = &s->ifs->iface[iface];
	const struct nd_iface *n = &s->nd->iface[iface];
	struct mbuf *m = mbuf_alloc(s->pool);
	uint32_t before = *i;
	struct nd_ra_hdr *ra;

	if (!m) {
		*i = s->addresses;
		return;
	}
	ra = nd_begin(m, ICMP6_RA, ND_RA_LEN, src, ip6_all_nodes.v6);
	ra->hops = IP6_HOPS;
	ra->flags = (n->ra.managed ? ND_RA_MANAGED : 0) | (n->ra.other ? ND_RA_OTHER : 0);
	ra->lifetime = be16(n->final ? 0 : n->ra.lifetime);
	nd_put_link(m, ND_OPT_SOURCE, out->mac);
	put_mtu(m, out->mtu);
	if (n->ra.prefixes)
		put_prefixes(s, iface, m, i);
	if (!n->ra.prefixes || *i == before) // none, or no room for any
		*i = s->addresses;
	nd_finish(m, out, NULL);
	m->port = iface;
	graph_emit(s->neighbors.node, (uint8_t)(ND_HOLD_EDGE_PORT0 + out->tx), m);
}

static void send(struct ip6_stack *s, uint16_t iface, uint64_t now)
{
	const struct ip6_address *src = ip6_stack_link_local(s, iface); // 6.1.2: from nobody else
	struct nd_iface *n = &s->nd->iface[iface];
	uint32_t i = 0;

	if (!src) {
		n->due = now + NOT_YET;
		n->on = !n->final;
		return;
	}
	do
		advertise(s, iface, src->addr.v6, &i);
	while (i < s->addresses);
	n->on = !n->final;
	n->sent = true;
	n->last = now;
	if (n->initial < INITIAL_MAX)
		n->initial++;
	n->due = now + next_interval(s, n);
}

uint64_t nd_ra_housekeep(struct ip6_stack *s, uint64_t now)
{
	uint64_t first = TIME_NEVER;

	for (uint16_t i = 0; i < s->ifs->n; i++) {
		struct nd_iface *n = &s->nd->iface[i];

		if (n->on && n->due <= now)
			send(s, i, now);
		if (n->on && n->due < first)
			first = n->due;
	}
	return first;
}

void nd_ra_solicited(struct ip6_stack *s, uint16_t iface, uint64_t now)
{
	struct nd_iface *n = &s->nd->iface[iface];
	uint64_t at = now + nd_random(s, ANSWER_MAX);

	if (s->lcore || !n->on)
		return;
	if (n->sent && at < n->last + BETWEEN_MIN)
		at = n->last + BETWEEN_MIN;
	if (at < n->due) {
		n->due = at;
		graph_wake(s->neighbors.node, at);
	}
}

// --- other routers ---

static bool prefix_agrees(const struct ip6_stack *s, uint16_t iface, const struct nd_prefix *p)
{
	for (uint32_t i = 0; i < s->addresses; i++)
		if (s->address[i].plen == p->plen && has_prefix(s, iface, i) &&
		    ip6_prefix_equal(s->address[i].addr.v6, p->prefix, p->plen))
			return be32(p->valid) == PREFIX_VALID &&
			       be32(p->preferred) == PREFIX_PREFERRED;
	return true; // none of ours
}

static bool option_agrees(const struct ip6_stack *s, uint16_t iface, const struct mbuf *m,
			  uint32_t off, const uint8_t head[ND_OPT_UNIT])
{
	struct nd_prefix p;

	if (head[0] == ND_OPT_MTU && head[1] == 1)
		return be32(load32(head + 4)) == s->ifs->iface[iface].mtu;
	if (head[0] == ND_OPT_PREFIX && head[1] == ND_PREFIX_LEN / ND_OPT_UNIT &&
	    s->nd->iface[iface].ra.prefixes && !mbuf_copy_out(m, off, &p, sizeof(p)))
		return prefix_agrees(s, iface, &p);
	return true;
}

bool nd_ra_agrees(const struct ip6_stack *s, const struct mbuf *m)
{
	const struct nd_iface *n = &s->nd->iface[m->port];
	uint8_t flags = (n->ra.managed ? ND_RA_MANAGED : 0) | (n->ra.other ? ND_RA_OTHER : 0);
	uint8_t head[ND_OPT_UNIT];
	struct nd_ra_hdr ra;

	mbuf_copy_out(m, m->l4, &ra, sizeof(ra)); // it is that long
	if (!n->on)
		return true;
	if ((ra.hops && ra.hops != IP6_HOPS) || (ra.flags & (ND_RA_MANAGED | ND_RA_OTHER)) != flags)
		return false;
	for (uint32_t off = m->l4 + ND_RA_LEN;
	     !mbuf_copy_out(m, off, head, sizeof(head)) && head[1]; off += head[1] * ND_OPT_UNIT)
		if (!option_agrees(s, m->port, m, off, head))
			return false;
	return true;
}

void nd_end(struct ip6_stack *s)
{
	uint64_t now = graph_now(s->neighbors.node);

	for (uint16_t i = 0; i < s->ifs->n; i++) {
		struct nd_iface *n = &s->nd->iface[i];

		n->final = n->on;
		n->due = now;
	}
	graph_wake(s->neighbors.node, now);
}

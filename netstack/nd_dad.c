// SPDX-License-Identifier: BSD-3-Clause
// nd_dad.c - whether an address of ours is ours alone, before it is used (RFC 4862, 5.4)
//
// A tentative address is asked for by solicitations from nobody, nd.dad times, a second apart,
// after a random delay of up to a second, once the interface has a link. Who asks for it as well,
// or answers, has it: then we do not. Our own solicitations carry a nonce (RFC 7527), so that a
// link that returns them does not take an address from us, and a machine with our MAC address does.
//
// lcore 0 asks; the others wait for as long as that takes at most. Whichever hears that an address
// is taken tells all; whether a nonce is ours lcore 0 knows.
#include "netstack/mld.h"
#include "netstack/nd_priv.h"

#define DELAY_MAX NSEC_PER_SEC	      // RFC 4861, 10: MAX_RTR_SOLICITATION_DELAY
#define RETRANS	  NSEC_PER_SEC	      // RETRANS_TIMER
#define LOOK	  (NSEC_PER_SEC / 10) // between looks whether the link is there

void nd_set_dad(struct ip6_stack *s, unsigned transmits)
{
	s->nd->dad = transmits < ND_DAD_MAX ? transmits : ND_DAD_MAX;
	s->nd->detects = transmits > 0;
	for (uint32_t i = 0; transmits && i < s->addresses; i++)
		if (!s->address[i].anycast) // RFC 4862, 5.4: others may have it
			s->address[i].state = IP6_TENTATIVE;
}

static void begin(struct ip6_stack *s, uint64_t now)
{
	for (uint32_t i = 0; i < s->addresses; i++) {
		struct nd_dad *d = &s->nd->address[i];

		d->due = now;
		d->nonce = nd_random(s, (1ull << 48) - 1) + 1;
	}
	s->nd->started = true;
}

// An empty pool costs this one.
static void ask(struct ip6_stack *s, const struct ip6_address *a, uint64_t nonce)
{
	static const uint8_t nobody[16];
	const struct iface *iface = &s->ifs->iface[a->iface];
	union ip_addr group = ip6_solicited_node(a->addr.v6);
	struct mbuf *m = mbuf_alloc(s->pool);
	struct nd_msg *msg;

	if (!m)
		return;
	msg = nd_begin(m, ICMP6_NS, ND_MSG_LEN, nobody, group.v6);
	memcpy(msg->target, a->addr.v6, 16);
	nd_put_nonce(m, nonce);
	nd_finish(m, iface, NULL);
	m->port = a->iface;
	graph_emit(s->neighbors.node, (uint8_t)(ND_HOLD_EDGE_PORT0 + iface->tx), m);
}

// Who would hear the question? Once the link is there the first comes after the delay.
static void wait_for_link(struct ip6_stack *s, uint32_t i, uint64_t now)
{
	struct nd_dad *d = &s->nd->address[i];

	d->linked = iface_live(&s->ifs->iface[s->address[i].iface]);
	d->sent = d->linked && s->lcore ? (uint8_t)s->nd->dad : 0;
	if (!d->linked)
		d->due = now + LOOK;
	else
		d->due = now +
			 (s->lcore ? DELAY_MAX + s->nd->dad * RETRANS : nd_random(s, DELAY_MAX));
}

static void step(struct ip6_stack *s, uint32_t i, uint64_t now)
{
	struct nd_dad *d = &s->nd->address[i];

	if (!d->linked) {
		wait_for_link(s, i, now);
		return;
	}
	if (d->sent == s->nd->dad) {
		s->address[i].state = IP6_VALID;
		// Reports of groups came from nobody so far, which switches pass over (RFC 3590).
		if (!s->lcore && ip6_link_local(s->address[i].addr.v6))
			mld_changed(s, s->address[i].iface);
		return;
	}
	ask(s, &s->address[i], d->nonce);
	d->sent++;
	d->due = now + RETRANS;
}

uint64_t nd_dad_housekeep(struct ip6_stack *s, uint64_t now)
{
	uint64_t first = TIME_NEVER;

	if (!s->nd->detects)
		return TIME_NEVER;
	if (!s->nd->started)
		begin(s, now);
	for (uint32_t i = 0; i < s->addresses; i++) {
		const struct ip6_address *a = &s->address[i];

		if (a->state == IP6_TENTATIVE && s->nd->address[i].due <= now)
			step(s, i, now);
		if (a->state == IP6_TENTATIVE && s->nd->address[i].due < first)
			first = s->nd->address[i].due;
	}
	s->nd->detects = first != TIME_NEVER;
	return first;
}

static void tell(struct node *input, const struct ip6_address *own, uint8_t what, uint64_t nonce)
{
	struct ip6_stack *s = input->state;
	struct neigh_news news = {.addr = own->addr, .iface = own->iface, .what = what};

	memcpy(news.mac, &nonce, sizeof(news.mac));
	neigh_tell(&s->neighbors, input, (uint8_t)(ND_INPUT_EDGE_PORT0 + s->ifs->outs), &news);
}

bool nd_dad_conflict(struct node *input, const struct ip6_address *own, uint64_t nonce)
{
	struct ip6_stack *s = input->state;
	uint32_t i = (uint32_t)(own - s->address);

	if (own->state != IP6_TENTATIVE)
		return false;
	if (nonce && s->lcore) {
		tell(input, own, ND_TOLD_CLAIM, nonce);
		return false;
	}
	if (nonce && nonce == s->nd->address[i].nonce)
		return false;
	s->address[i].state = IP6_DUPLICATE;
	tell(input, own, ND_TOLD_DUPLICATE, 0);
	return true;
}

void nd_dad_told(struct ip6_stack *s, const struct neigh_news *news)
{
	const struct ip6_address *own = ip6_stack_own(s, news->iface, news->addr.v6);
	uint64_t nonce = 0;

	memcpy(&nonce, news->mac, sizeof(news->mac));
	if (!own || own->state != IP6_TENTATIVE)
		return;
	if (news->what == ND_TOLD_DUPLICATE)
		s->address[own - s->address].state = IP6_DUPLICATE;
	else if (!s->lcore)
		nd_dad_conflict(graph_find(s->neighbors.node->graph, nd_input_node.name), own,
				nonce);
}

bool nd_next_duplicate(struct ip6_stack *s, union ip_addr *addr, uint16_t *iface)
{
	for (uint32_t i = 0; i < s->addresses; i++) {
		const struct ip6_address *a = &s->address[i];

		if (a->state != IP6_DUPLICATE || s->nd->address[i].told)
			continue;
		s->nd->address[i].told = true;
		*addr = a->addr;
		*iface = a->iface;
		return true;
	}
	return false;
}

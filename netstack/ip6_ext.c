// SPDX-License-Identifier: BSD-3-Clause
// ip6_ext.c - walking over IPv6 extension headers
#include "netstack/ip6_ext.h"

// Options (RFC 8200, 4.2; RFC 2711).
#define OPT_PAD1	 0
#define OPT_PADN	 1
#define OPT_ROUTER_ALERT 5

// What to do about an option that is not known: the highest two bits of its type.
enum { SKIP, DISCARD, TELL, TELL_UNLESS_GROUP };

#define AUTHENTICATION 51 // RFC 4302: its length is counted otherwise

static uint8_t byte_at(const struct mbuf *m, uint32_t off)
{
	uint8_t b = 0;

	if (likely(off < m->len))
		return m->data[off];
	mbuf_copy_out(m, off, &b, 1);
	return b;
}

void ip6_walk_begin(struct ip6_walk *w, const struct mbuf *m)
{
	const struct ip6_hdr *ip = mbuf_at(m, const struct ip6_hdr *, m->l3);

	*w = (struct ip6_walk){
		.off = m->l3 + IP6_HLEN,
		.end = m->pkt_len,
		.named_at = offsetof(struct ip6_hdr, next),
		.next = ip->next,
	};
}

static bool fail(struct ip6_walk *w, const struct mbuf *m, uint8_t code, uint32_t off)
{
	w->tell = true;
	w->what =
		(struct icmp6_report){.type = ICMP6_PARAMETER, .code = code, .param = off - m->l3};
	return false;
}

static bool is_to_group(const struct mbuf *m)
{
	return ip6_multicast(mbuf_at(m, const struct ip6_hdr *, m->l3)->dst);
}

// The length of the header the walk stands at; 0: it is not whole.
static uint32_t header_length(struct ip6_walk *w, const struct mbuf *m)
{
	uint32_t len;

	if (w->end - w->off < 8) {
		fail(w, m, ICMP6_BAD_HEADER, m->l3 + w->named_at);
		return 0;
	}
	len = (byte_at(m, w->off + 1) + 1u) * 8;
	if (len > w->end - w->off) {
		fail(w, m, ICMP6_BAD_HEADER, w->off + 1);
		return 0;
	}
	return len;
}

static void pass(struct ip6_walk *w, const struct mbuf *m, uint32_t len)
{
	w->next = byte_at(m, w->off);
	w->named_at = w->off - m->l3;
	w->off += len;
	w->headers++;
}

static bool unknown_option(struct ip6_walk *w, const struct mbuf *m, uint32_t off)
{
	switch (byte_at(m, off) >> 6) {
	case SKIP:
		return true;
	case TELL_UNLESS_GROUP:
		return is_to_group(m) ? false : fail(w, m, ICMP6_UNKNOWN_OPTION, off);
	case TELL:
		return fail(w, m, ICMP6_UNKNOWN_OPTION, off);
	default:
		return false;
	}
}

static bool one_option(struct ip6_walk *w, const struct mbuf *m, uint32_t off, uint32_t len)
{
	if (byte_at(m, off) == OPT_ROUTER_ALERT && w->next == IP6_HOP_BY_HOP) {
		w->alert = true;
		return len == 4 ? true : fail(w, m, ICMP6_BAD_HEADER, off + 1);
	}
	return unknown_option(w, m, off);
}

bool ip6_walk_options(struct ip6_walk *w, const struct mbuf *m)
{
	uint32_t len = header_length(w, m), off = w->off + 2, end = w->off + len;
	unsigned options = 0, pad1 = 0;

	if (!len)
		return false;
	while (off < end) {
		uint8_t type = byte_at(m, off);
		uint32_t n = type == OPT_PAD1 ? 1 : 2;

		if (off + n > end) // a type without its length
			return fail(w, m, ICMP6_BAD_HEADER, off);
		if (n == 2)
			n += byte_at(m, off + 1);
		if (off + n > end)
			return fail(w, m, ICMP6_BAD_HEADER, off + 1);
		pad1 = type == OPT_PAD1 ? pad1 + 1 : 0;
		if (type > OPT_PADN && (++options > IP6_OPTIONS_MAX || !one_option(w, m, off, n)))
			return false;
		if (pad1 > IP6_PAD1_MAX)
			return false;
		off += n;
	}
	pass(w, m, len);
	return true;
}

// RFC 8200, 4.4.
static bool routing(struct ip6_walk *w, const struct mbuf *m)
{
	uint32_t len = header_length(w, m);

	if (!len)
		return false;
	if (byte_at(m, w->off + 3)) // segments left
		return fail(w, m, ICMP6_BAD_HEADER, w->off + 2);
	pass(w, m, len);
	return true;
}

bool ip6_walk_to_upper(struct ip6_walk *w, const struct mbuf *m)
{
	while (w->headers <= IP6_EXT_MAX) {
		switch (w->next) {
		case IP6_HOP_BY_HOP:
			if (w->headers) { // RFC 8200, 4: only behind the IPv6 header
				ip6_walk_unknown(w);
				return false;
			}
			// Fall through.
		case IP6_DEST_OPTIONS:
			if (!ip6_walk_options(w, m))
				return false;
			break;
		case IP6_ROUTING:
			if (!routing(w, m))
				return false;
			break;
		default:
			return true;
		}
	}
	return false;
}

void ip6_walk_unknown(struct ip6_walk *w)
{
	w->tell = true;
	w->what = (struct icmp6_report){
		.type = ICMP6_PARAMETER, .code = ICMP6_UNKNOWN_NEXT, .param = w->named_at};
}

uint8_t ip6_upper(const struct mbuf *m, uint32_t *off, bool *later)
{
	uint8_t next = mbuf_at(m, const struct ip6_hdr *, m->l3)->next;

	*off = m->l3 + IP6_HLEN;
	*later = false;
	for (unsigned i = 0; i <= IP6_EXT_MAX; i++) {
		uint32_t len;

		if (next != IP6_HOP_BY_HOP && next != IP6_DEST_OPTIONS && next != IP6_ROUTING &&
		    next != IP6_FRAGMENT && next != AUTHENTICATION)
			return next;
		if (*off + 8 > m->pkt_len)
			break;
		len = (byte_at(m, *off + 1) + 1u) * 8;
		if (next == AUTHENTICATION)
			len = (byte_at(m, *off + 1) + 2u) * 4;
		if (next == IP6_FRAGMENT) {
			len = IP6_FRAG_HLEN;
			*later = byte_at(m, *off + 2) || byte_at(m, *off + 3) & 0xf8;
		}
		next = byte_at(m, *off);
		*off += len;
		if (*later)
			return next;
	}
	return IP6_NO_NEXT;
}

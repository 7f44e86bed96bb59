// SPDX-License-Identifier: BSD-3-Clause
// meas_find.c - where in a frame the signature is, and whether a checksum vouches for it
//
// The end of the frame is looked at first. Where the signature is not there the frame may be padded: then where its
// innermost IP packet ends. What vouches is the innermost transport checksum; what a device made of a signed
// packet that ends in it, an ICMP error, is not it.
#include "apps/pktgen/meas_priv.h"
#include "netstack/csum.h"
#include "netstack/eth.h"
#include "netstack/ip4.h"
#include "netstack/ip6.h"

#define LAYERS_MAX  16u
#define HEAD_MAX    512u // headers lie within
#define PROTO_IP4   4
#define PROTO_IP6   41
#define PROTO_GRE   47
#define TYPE_MPLS   0x8847
#define TYPE_MPLS_M 0x8848
#define TYPE_TEB    0x6558 // Ethernet in GRE (RFC 7637, 3.2)
#define PORT_VXLAN  4789
#define UDP_LEN	    8u
#define UDP_CSUM    6u

enum layer { LAYER_ETH, LAYER_TYPE, LAYER_IP4, LAYER_IP6, LAYER_PROTO, LAYER_END };

struct walk { // through the headers of a frame
	const struct mbuf *m;
	const uint8_t *p; // its first n bytes
	uint32_t n;
	uint32_t at;	  // the current header
	uint32_t end;	  // of the innermost packet
	uint16_t type;	  // LAYER_TYPE: what is at `at`
	uint8_t proto;	  // LAYER_PROTO
	uint64_t pseudo;  // sum of the pseudo header but for its length and protocol
	bool error;	  // an ICMP error
	enum meas_sum sum;
};

static bool has(const struct walk *w, uint32_t n)
{
	return n <= w->n - w->at && w->at + n <= w->end;
}

static uint16_t word(const struct walk *w, uint32_t off)
{
	return be16(load16(w->p + w->at + off));
}

static enum layer walk_type(struct walk *w)
{
	while (eth_is_tag(w->type)) {
		if (!has(w, 4))
			return LAYER_END;
		w->type = word(w, 2);
		w->at += 4;
	}
	if (w->type == TYPE_MPLS || w->type == TYPE_MPLS_M) {
		bool last;

		do {
			if (!has(w, 5))
				return LAYER_END;
			last = w->p[w->at + 2] & 1;
			w->at += 4;
		} while (!last);
		// RFC 4928: what follows tells itself by its first four bits.
		w->type = w->p[w->at] >> 4 == 4 ? ETH_TYPE_IP4 : w->p[w->at] >> 4 == 6 ? ETH_TYPE_IP6 : 0;
	}
	return w->type == ETH_TYPE_IP4 ? LAYER_IP4 : w->type == ETH_TYPE_IP6 ? LAYER_IP6 : LAYER_END;
}

static enum layer walk_ip4(struct walk *w)
{
	const struct ip4_hdr *ip = (const struct ip4_hdr *)(w->p + w->at);
	uint32_t hlen, len;

	if (!has(w, IP4_HLEN) || ip->ver_ihl >> 4 != 4)
		return LAYER_END;
	hlen = ip4_hlen(ip);
	len = be16(ip->len);
	if (hlen < IP4_HLEN || len < hlen || !has(w, hlen) || len > w->end - w->at)
		return LAYER_END;
	w->end = w->at + len;
	if (be16(ip->frag) & (IP4_MF | IP4_FRAG_OFF))
		return LAYER_END;
	w->proto = ip->proto;
	w->pseudo = (uint64_t)ip->src + ip->dst;
	w->at += hlen;
	return LAYER_PROTO;
}

static enum layer walk_ip6(struct walk *w)
{
	const struct ip6_hdr *ip = (const struct ip6_hdr *)(w->p + w->at);
	uint32_t hlen;

	if (!has(w, IP6_HLEN) || *(const uint8_t *)ip >> 4 != 6 || be16(ip->len) > w->end - w->at - IP6_HLEN)
		return LAYER_END;
	w->end = w->at + IP6_HLEN + be16(ip->len);
	w->proto = ip->next;
	w->pseudo = csum_pseudo6(ip, 0, 0);
	w->at += IP6_HLEN;
	while (w->proto == IP6_HOP_BY_HOP || w->proto == IP6_ROUTING || w->proto == IP6_DEST_OPTIONS) {
		if (!has(w, 8))
			return LAYER_END;
		hlen = 8u * (1u + w->p[w->at + 1]);
		if (!has(w, hlen))
			return LAYER_END;
		w->proto = w->p[w->at];
		w->at += hlen;
	}
	return w->proto == IP6_FRAGMENT ? LAYER_END : LAYER_PROTO;
}

// Key and sequence number may follow (RFC 2890).
static enum layer walk_gre(struct walk *w)
{
	uint32_t hlen = 4;
	uint16_t flags;

	if (!has(w, 4))
		return LAYER_END;
	flags = word(w, 0);
	hlen += (flags & 0x8000 ? 4 : 0) + (flags & 0x2000 ? 4 : 0) + (flags & 0x1000 ? 4 : 0);
	if (flags & 0x4007 || !has(w, hlen))
		return LAYER_END;
	w->type = word(w, 2);
	w->at += hlen;
	return w->type == TYPE_TEB ? LAYER_ETH : LAYER_TYPE;
}

// The checksum over the packet from `at` on, which stands there in its own place.
static void check(struct walk *w, uint64_t pseudo)
{
	uint64_t sum = csum_add_mbuf(pseudo, w->m, w->at, w->end - w->at);

	w->sum = csum_fold(sum) == 0xffff ? MEAS_GOOD : MEAS_BAD;
}

static void check_udp(struct walk *w)
{
	uint32_t len = w->end - w->at;

	if (!has(w, UDP_LEN) || word(w, 4) != len)
		w->sum = has(w, UDP_LEN) ? MEAS_BAD : MEAS_UNCHECKED;
	else if (word(w, UDP_CSUM))
		check(w, w->pseudo + be16(len) + be16(IP4_PROTO_UDP));
}

static bool is_error(const struct walk *w)
{
	uint8_t type = w->p[w->at];

	// RFC 1122, 3.2.2; RFC 4443, 2.1.
	return w->proto == IP6_PROTO_ICMP ? type < 128 :
					    type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

static enum layer walk_proto(struct walk *w)
{
	uint32_t len = w->end - w->at;

	switch (w->proto) {
	case IP4_PROTO_UDP:
		// RFC 7348, 5: flags, reserved, network, reserved.
		if (has(w, UDP_LEN + 8) && word(w, 2) == PORT_VXLAN && load32(w->p + w->at + UDP_LEN) == be32(0x08000000)) {
			w->at += UDP_LEN + 8;
			return LAYER_ETH;
		}
		check_udp(w);
		break;
	case IP4_PROTO_TCP:
		check(w, w->pseudo + be16(IP4_PROTO_TCP) + be16(len));
		break;
	case IP4_PROTO_ICMP:
	case IP6_PROTO_ICMP:
		w->error = has(w, 1) && is_error(w);
		check(w, w->proto == IP4_PROTO_ICMP ? 0 : w->pseudo + be16(IP6_PROTO_ICMP) + be16(len));
		break;
	case PROTO_GRE:
		return walk_gre(w);
	case PROTO_IP4:
		return LAYER_IP4;
	case PROTO_IP6: // RFC 2473
		return LAYER_IP6;
	}
	return LAYER_END;
}

static void walk(struct walk *w)
{
	enum layer layer = LAYER_ETH;

	for (unsigned i = 0; i < LAYERS_MAX && layer != LAYER_END; i++) {
		switch (layer) {
		case LAYER_ETH:
			if (!has(w, ETH_HLEN))
				return;
			w->type = word(w, 12);
			w->at += ETH_HLEN;
			layer = LAYER_TYPE;
			break;
		case LAYER_TYPE:
			layer = walk_type(w);
			break;
		case LAYER_IP4:
			layer = walk_ip4(w);
			break;
		case LAYER_IP6:
			layer = walk_ip6(w);
			break;
		default:
			layer = walk_proto(w);
		}
	}
}

static bool copy_at(const struct mbuf *m, uint32_t end, uint8_t sig[SIG_LEN])
{
	return end >= SIG_LEN && !mbuf_copy_out(m, end - SIG_LEN, sig, SIG_LEN) &&
	       load16(sig) == be16(SIG_MAGIC);
}

// Any frame.
static __attribute__((noinline)) const uint8_t *find_slowly(const struct mbuf *m, enum meas_sum *sum, uint8_t sig[SIG_LEN])
{
	uint8_t head[HEAD_MAX];
	struct walk w = {.m = m, .p = m->data, .n = m->len, .end = m->pkt_len, .sum = MEAS_UNCHECKED};

	if (m->len < HEAD_MAX && m->len < m->pkt_len) {
		w.p = head;
		w.n = m->pkt_len < HEAD_MAX ? m->pkt_len : HEAD_MAX;
		if (mbuf_copy_out(m, 0, head, w.n))
			return NULL;
	}
	walk(&w);
	if (w.error)
		return NULL;
	if (copy_at(m, m->pkt_len, sig)) {
		if (w.end != m->pkt_len)
			w.sum = MEAS_UNCHECKED;
	} else if (w.end == m->pkt_len || !copy_at(m, w.end, sig)) {
		return NULL;
	}
	if (m->flags & (MBUF_RX_L4_OK | MBUF_RX_L4_BAD))
		w.sum = m->flags & MBUF_RX_L4_OK ? MEAS_GOOD : MEAS_BAD;
	*sum = w.sum;
	return sig;
}

// Sums len bytes, as csum_add() does; short ones quickly.
static always_inline uint64_t sum_bytes(const uint8_t *p, uint32_t len)
{
	uint64_t sum = 0;

	if (len > 128)
		return csum_add(0, p, len);
	for (; len >= 8; p += 8, len -= 8) {
		uint64_t v = load64(p);

		sum += v;
		sum += sum < v;
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	if (len >= 4) {
		sum += load32(p);
		p += 4;
		len -= 4;
	}
	if (len >= 2) {
		sum += load16(p);
		p += 2;
		len -= 2;
	}
	return len ? sum + *p : sum;
}

// UDP or TCP right behind an IP header without options, in one segment, that ends the frame: the usual. l4: offset
// of the transport header; alen: of the addresses, which end where it begins.
static always_inline enum meas_sum check_plain(const struct mbuf *m, uint32_t l4, uint32_t alen, uint8_t proto)
{
	const uint8_t *p = m->data;
	uint32_t len = m->pkt_len - l4;
	uint64_t sum;

	if (m->flags & (MBUF_RX_L4_OK | MBUF_RX_L4_BAD))
		return m->flags & MBUF_RX_L4_OK ? MEAS_GOOD : MEAS_BAD;
	if (proto == IP4_PROTO_UDP) {
		if (!load16(p + l4 + UDP_CSUM))
			return MEAS_UNCHECKED;
		if (be16(load16(p + l4 + 4)) != len)
			return MEAS_BAD;
	}
	sum = sum_bytes(p + l4 - alen, len + alen) + be16(proto) + be16(len);
	return csum_fold(sum) == 0xffff ? MEAS_GOOD : MEAS_BAD;
}

static always_inline bool plain_proto(const uint8_t *p, uint32_t l4, uint8_t proto)
{
	return proto == IP4_PROTO_TCP || (proto == IP4_PROTO_UDP && load16(p + l4 + 2) != be16(PORT_VXLAN));
}

// UDP or TCP behind plain IP, as most of what is sent.
static always_inline bool find_plain(const struct mbuf *m, enum meas_sum *sum)
{
	const uint8_t *p = m->data;
	uint32_t len = m->pkt_len;

	if (load16(p + 12) == be16(ETH_TYPE_IP4) && p[14] == 0x45 && be16(load16(p + 16)) == len - ETH_HLEN &&
	    !(load16(p + 20) & be16(IP4_MF | IP4_FRAG_OFF)) && plain_proto(p, 34, p[23])) {
		*sum = check_plain(m, 34, 8, p[23]);
		return true;
	}
	if (load16(p + 12) == be16(ETH_TYPE_IP6) && len >= 80 && p[14] >> 4 == 6 &&
	    be16(load16(p + 18)) == len - ETH_HLEN - IP6_HLEN && plain_proto(p, 54, p[20])) {
		*sum = check_plain(m, 54, 32, p[20]);
		return true;
	}
	return false;
}

const uint8_t *meas_find(const struct mbuf *m, enum meas_sum *sum, uint8_t copy[SIG_LEN])
{
	const uint8_t *sig = m->data + m->pkt_len - SIG_LEN;

	if (likely(m->nsegs == 1 && m->pkt_len >= 60 && load16(sig) == be16(SIG_MAGIC) && find_plain(m, sum)))
		return sig;
	return find_slowly(m, sum, copy);
}

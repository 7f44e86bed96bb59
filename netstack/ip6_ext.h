// SPDX-License-Identifier: BSD-3-Clause
// ip6_ext.h - walking over IPv6 extension headers (RFC 8200, 4)
//
// Headers may stand anywhere in a chain of segments. A walk is bounded: by IP6_EXT_MAX headers and
// IP6_OPTIONS_MAX options in each (RFC 8504, 5.3).
#ifndef WEIR_NETSTACK_IP6_EXT_H
#define WEIR_NETSTACK_IP6_EXT_H

#include <stdbool.h>
#include <stdint.h>

#include "netstack/icmp6.h"

#define IP6_EXT_MAX	8
#define IP6_OPTIONS_MAX 8 // but padding
#define IP6_PAD1_MAX	7 // in a row

struct ip6_walk {
	uint32_t off;	   // from data: where the header of kind `next` begins
	uint32_t end;	   // of the packet
	uint32_t named_at; // offset from the IPv6 header of the field that says `next`
	uint8_t next;
	uint8_t headers; // passed so far
	bool alert;	 // a router alert was among the hop-by-hop options (RFC 2711)
	// Once a function has failed: whether the sender is to be told, and what (RFC 4443, 3.4).
	bool tell;
	struct icmp6_report what;
};

// At the first header behind that of m, whose own has passed ip6-input.
void ip6_walk_begin(struct ip6_walk *w, const struct mbuf *m);

// Passes a header of hop-by-hop or destination options, which the walk stands at. False: an option
// says to discard the packet, or the header is malformed.
bool ip6_walk_options(struct ip6_walk *w, const struct mbuf *m);

// Passes what a destination has to obey, up to a fragment header or whatever is no extension
// header. False: the packet is to be discarded. A routing header that is not spent is refused,
// whatever its type: none is ours, and RFC 5095 says the same of type 0.
bool ip6_walk_to_upper(struct ip6_walk *w, const struct mbuf *m);

// An upper layer that is not ours: fails the walk.
void ip6_walk_unknown(struct ip6_walk *w);

// The upper-layer protocol of any packet, as far as it can be told without judging: its header's
// offset, and whether this is a fragment beyond the first (the offset then is of its data).
// IP6_NO_NEXT when it cannot be told.
uint8_t ip6_upper(const struct mbuf *m, uint32_t *off, bool *later);

#endif

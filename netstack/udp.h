// SPDX-License-Identifier: BSD-3-Clause
// udp.h - the UDP header (RFC 768)
#ifndef WEIR_NETSTACK_UDP_H
#define WEIR_NETSTACK_UDP_H

#include <assert.h>
#include <stdint.h>

#define UDP_HLEN 8u

struct udp_hdr { // network byte order
	uint16_t sport, dport, len, csum;
} __attribute__((packed));
static_assert(sizeof(struct udp_hdr) == UDP_HLEN, "wire format");

#endif

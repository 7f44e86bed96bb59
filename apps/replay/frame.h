// SPDX-License-Identifier: BSD-3-Clause
// frame.h - where the headers of a captured frame stand, and changes that keep its checksums
//
// Frames are hostile, and may be cut short anywhere. Checksums change by the difference (RFC 1624): one that was
// wrong in the capture stays as wrong as it was.
#ifndef WEIR_APPS_REPLAY_FRAME_H
#define WEIR_APPS_REPLAY_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "netstack/ip.h"

struct frame_place {
	uint32_t l2; // offset of the EtherType behind the last tag
	uint32_t l3; // of the network header
	uint32_t l4; // of the transport header; 0: none that can be found whole
	uint16_t type;	// EtherType, host byte order
	uint16_t tags;	// VLAN tags in front
	uint8_t family; // 4 or 6: an IP header stands there whole; else 0
	uint8_t proto;	// of the transport header
	bool arp;	// of IPv4 over Ethernet, whole
};

enum frame_end { FRAME_SRC, FRAME_DST };

void frame_place(const uint8_t *f, uint32_t len, struct frame_place *p);

// Its address of either end, of family p->family (ARP: 4). False: it has none.
bool frame_addr(const uint8_t *f, const struct frame_place *p, enum frame_end end, union ip_addr *a);
void frame_set_addr(uint8_t *f, uint32_t len, const struct frame_place *p, enum frame_end end,
		    const union ip_addr *a);

// The port of TCP, UDP, UDP-Lite, DCCP or SCTP of either end, host byte order. False: it has none.
bool frame_port(const uint8_t *f, const struct frame_place *p, enum frame_end end, uint16_t *port);
// SCTP's CRC-32C is not made up for (frame_fix() neither).
void frame_set_port(uint8_t *f, uint32_t len, const struct frame_place *p, enum frame_end end, uint16_t port);

void frame_set_ttl(uint8_t *f, const struct frame_place *p, uint8_t ttl); // or hop limit
uint8_t frame_ttl(const uint8_t *f, const struct frame_place *p);

// Adds `add` to both addresses: modulo 2^32 to IPv4's, to the last 64 bits of IPv6's. Not to multicast, broadcast,
// loopback and unspecified ones, nor to link-local ones of IPv6.
void frame_move_addrs(uint8_t *f, uint32_t len, uint64_t add);

// Makes lengths and checksums of IP, TCP, UDP and ICMP agree with the len bytes that are there: those of the IP
// packet, if it says that it is shorter.
void frame_fix(uint8_t *f, uint32_t len, const struct frame_place *p);

#endif

// SPDX-License-Identifier: BSD-3-Clause
// ip4_options.h - IPv4 options (RFC 791, 3.1): checked, and those that record filled in
//
// Record route and timestamp are recorded in when a packet is forwarded and in echo replies (RFC 1812,
// 5.3.13.5 and .6; RFC 1122, 3.2.2.6). Source routes are refused (RFC 7126, 4.3 and 4.4); everything else
// passes, router alert and options nobody knows included (RFC 1812, 5.3.13.2). Where something is wrong is
// said as Linux says it.
#ifndef WEIR_NETSTACK_IP4_OPTIONS_H
#define WEIR_NETSTACK_IP4_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "netstack/ip4.h"

struct ip4_stack;

struct ip4_options { // offsets from the IPv4 header; 0: not there
	uint8_t record, stamp;
	uint8_t pointer; // what is wrong
};

enum ip4_options_result { IP4_OPTIONS_SOUND, IP4_OPTIONS_BAD, IP4_OPTIONS_SOURCE_ROUTE };

// Reads the options of a header whose length has been checked.
enum ip4_options_result ip4_options_read(const struct ip4_hdr *ip, struct ip4_options *o);

// Writes the router's address (network byte order) and time (ms, see below) where there is room, and
// the header's checksum. o is what was read of this header.
void ip4_options_record(const struct ip4_stack *s, struct ip4_hdr *ip, const struct ip4_options *o,
			uint32_t addr, uint32_t ms);

// The time as an option has it: milliseconds of a clock that does not know midnight (the high bit says
// so: RFC 791, 3.1).
uint32_t ip4_options_time(uint64_t now);

#endif

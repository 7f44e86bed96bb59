// SPDX-License-Identifier: BSD-3-Clause
// eth.h - the Ethernet header (IEEE 802.3, 802.1Q) and MAC addresses
#ifndef WEIR_NETSTACK_ETH_H
#define WEIR_NETSTACK_ETH_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/wire.h"

#define ETH_HLEN 14u
#define ETH_ALEN 6u

// EtherTypes, host byte order. Below ETH_TYPE_MIN the field is an 802.3 length.
#define ETH_TYPE_MIN  0x0600
#define ETH_TYPE_IP4  0x0800
#define ETH_TYPE_ARP  0x0806
#define ETH_TYPE_VLAN 0x8100 // 802.1Q C-tag
#define ETH_TYPE_IP6  0x86dd
#define ETH_TYPE_QINQ 0x88a8 // 802.1ad S-tag
#define ETH_TYPE_9100 0x9100 // S-tag of equipment older than 802.1ad

struct eth_hdr {
	uint8_t dst[6];
	uint8_t src[6];
	uint16_t type; // network byte order
} __attribute__((packed));
static_assert(sizeof(struct eth_hdr) == ETH_HLEN, "wire format");

// The six bytes at p as a number (for comparing); reads eight.
static inline uint64_t eth_mac_load8(const uint8_t *p)
{
	return load64(p) & 0xffffffffffffull;
}

// The same of six bytes that are the last of their object.
static inline uint64_t eth_mac(const uint8_t mac[6])
{
	return (uint64_t)load32(mac) | (uint64_t)load16(mac + 4) << 32;
}

// A type (host byte order) that is a VLAN tag's.
static inline bool eth_is_tag(uint16_t type)
{
	return type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ || type == ETH_TYPE_9100;
}

// A station's own address: not a group's (802.3, 3.2.3) and not all zero.
static inline bool eth_mac_unicast(const uint8_t mac[6])
{
	return !(mac[0] & 1) && eth_mac(mac) != 0;
}

#endif

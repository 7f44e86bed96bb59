// SPDX-License-Identifier: BSD-3-Clause
// reass_own.h - what the files of reassembly share
#ifndef WEIR_NETSTACK_REASS_OWN_H
#define WEIR_NETSTACK_REASS_OWN_H

#include "core/wire.h"
#include "netstack/reass.h"

// The datagram of that key, or NULL.
struct datagram *reass_find(struct reass *r, const struct reass_key *key);

// A new one (there is none of the key); NULL when the table is full.
struct datagram *reass_new(struct reass *r, const struct reass_key *key, uint64_t due);

// Its place is free again; it holds nothing, or what it holds is somebody else's now.
void reass_forget(struct reass *r, struct datagram *d);

// Drops what it holds; it stays.
void reass_drop_all(struct reass *r, struct node *node, struct datagram *d, uint8_t reason);

// Drops the oldest. False: there is none.
bool reass_evict(struct reass *r, struct node *node);

#define REASS_TCP_HLEN 20u

// A first fragment that does not hold the whole TCP header, or one that begins within it: it could be
// overwritten, or hide its flags from who filters (RFC 1858, 3.2; RFC 3128).
static inline bool reass_tiny(uint8_t proto, uint32_t off, uint32_t len)
{
	return proto == 6 && (off == 0 ? len < REASS_TCP_HLEN : off < REASS_TCP_HLEN);
}

#endif

// SPDX-License-Identifier: BSD-3-Clause
// verdict_fields.h - a frame as a list of named fields, and what differs between two
//
// The fields partition the frame: every bit belongs to exactly one, whatever the bytes are. What no header
// claims is "payload" (behind the last header), "eth.padding" (behind the IP packet), or, of a header that is
// cut off, "payload" too. Names are tshark's where it has them. A checksum that holds counts as equal to
// any other that holds: it only follows from what it covers.
#ifndef WEIR_APPS_TOOL_VERDICT_FIELDS_H
#define WEIR_APPS_TOOL_VERDICT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VFIELDS_MAX 192 // of a frame; what is left then is payload

enum vfield_id {
	VF_ETH_DST, VF_ETH_SRC, VF_ETH_TYPE, VF_ETH_LEN, VF_ETH_PADDING,
	VF_VLAN_PRIORITY, VF_VLAN_DEI, VF_VLAN_ID, VF_VLAN_ETYPE,
	VF_MPLS_LABEL, VF_MPLS_EXP, VF_MPLS_BOTTOM, VF_MPLS_TTL,
	VF_ARP_HW_TYPE, VF_ARP_PROTO_TYPE, VF_ARP_HW_SIZE, VF_ARP_PROTO_SIZE, VF_ARP_OPCODE,
	VF_ARP_SRC_HW, VF_ARP_SRC_IP, VF_ARP_DST_HW, VF_ARP_DST_IP,
	VF_IP_VERSION, VF_IP_HDR_LEN, VF_IP_DSFIELD, VF_IP_LEN, VF_IP_ID, VF_IP_RB, VF_IP_DF, VF_IP_MF,
	VF_IP_FRAG_OFFSET, VF_IP_TTL, VF_IP_PROTO, VF_IP_CHECKSUM, VF_IP_SRC, VF_IP_DST, VF_IP_OPTIONS,
	VF_IP6_VERSION, VF_IP6_TCLASS, VF_IP6_FLOW, VF_IP6_PLEN, VF_IP6_NXT, VF_IP6_HLIM,
	VF_IP6_SRC, VF_IP6_DST,
	VF_IP6_HOPOPTS, VF_IP6_ROUTING, VF_IP6_DSTOPTS,
	VF_FRAG_NXT, VF_FRAG_RESERVED, VF_FRAG_OFFSET, VF_FRAG_RESERVED_BITS, VF_FRAG_MORE, VF_FRAG_IDENT,
	VF_ICMP_TYPE, VF_ICMP_CODE, VF_ICMP_CHECKSUM, VF_ICMP_IDENT, VF_ICMP_SEQ, VF_ICMP_REST,
	VF_ICMP6_TYPE, VF_ICMP6_CODE, VF_ICMP6_CHECKSUM, VF_ICMP6_IDENT, VF_ICMP6_SEQ, VF_ICMP6_REST,
	VF_ICMP6_TARGET, VF_ICMP6_RA_HOPS, VF_ICMP6_RA_FLAGS, VF_ICMP6_RA_LIFETIME, VF_ICMP6_RA_REACHABLE,
	VF_ICMP6_RA_RETRANS, VF_ICMP6_OPT,
	VF_UDP_SRCPORT, VF_UDP_DSTPORT, VF_UDP_LENGTH, VF_UDP_CHECKSUM,
	VF_TCP_SRCPORT, VF_TCP_DSTPORT, VF_TCP_SEQ, VF_TCP_ACK, VF_TCP_HDR_LEN, VF_TCP_FLAGS, VF_TCP_WINDOW,
	VF_TCP_CHECKSUM, VF_TCP_URGENT, VF_TCP_OPTIONS,
	VF_PAYLOAD,
	VF_IDS
};

enum vfield_sum { VSUM_NONE, VSUM_UNKNOWN, VSUM_GOOD, VSUM_BAD };

struct vfield {
	uint8_t id;  // enum vfield_id
	uint8_t nth; // of the fields of this id in the frame, from 0
	uint8_t sum; // enum vfield_sum: of checksums, whether it holds
	uint32_t bit, bits; // where it stands
};

struct vframe { // a frame taken apart
	const uint8_t *data;
	uint32_t len;
	unsigned n;
	struct vfield f[VFIELDS_MAX];
};

// What is left out of comparisons: bit k of [id] for its k-th occurrence, bit 31 for all from the 31st on.
struct vignore {
	uint32_t mask[VF_IDS];
};

// Takes len bytes apart. data stays the caller's, as long as *f is used.
void vframe_dissect(struct vframe *f, const uint8_t *data, uint32_t len);

const char *vfield_name(unsigned id);

// Adds a name to what is ignored: a field ("ip.ttl"), its second in a frame ("ip.ttl#2"), or all of a layer
// ("eth"). False: there is none of this name.
bool vignore_add(struct vignore *g, const char *name);

static inline bool vignored(const struct vignore *g, const struct vfield *f)
{
	return g->mask[f->id] >> (f->nth < 31 ? f->nth : 31) & 1;
}

// 64 bits that are the same for frames whose fields, but for the ignored, are.
uint64_t vframe_exact(const struct vframe *f, const struct vignore *g);

// The same of those fields alone by which a packet is known again when a function has changed it: not
// its link layer, TTL, traffic class, checksums, lengths and options.
uint64_t vframe_identity(const struct vframe *f, const struct vignore *g);

// Of addresses, protocol, identification, ports and sequence numbers alone, of the IP packet that comes
// as the nth, from 0: 1 is what an ICMP error quotes. 0: there is none.
uint64_t vframe_flow(const struct vframe *f, unsigned nth);

// How alike two frames are, 0 to 100: by weight of the fields that are equal.
unsigned vframe_likeness(const struct vframe *a, const struct vframe *b, const struct vignore *g);

struct vdiff { // one field that differs
	uint8_t id, nth;
	char text[192]; // "ip.ttl 63, expected 62"
	char got[56], want[56]; // the values; long ones cut; "none": not there
};

// The fields of got that differ from want's, up to max; returns how many there are.
unsigned vframe_diff(const struct vframe *got, const struct vframe *want, const struct vignore *g,
		     struct vdiff *d, unsigned max);

// One line about a frame: "udp 10.0.0.1:53 > 10.0.0.2:4000, 64 bytes". Returns text.
const char *vframe_text(const struct vframe *f, char *text, size_t size);

#endif

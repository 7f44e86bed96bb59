// SPDX-License-Identifier: BSD-3-Clause
// fpm_netlink.h - what FRR's forwarding-plane manager says: frames of netlink messages, parsed
//
// The stream of zebra's module dplane_fpm_nl (FRR, doc/developer/fpm.rst and
// zebra/dplane_fpm_nl.c): frames of a 4-byte header {version 1, type 1, length in network byte
// order, header included}, each with one or more rtnetlink messages (an update may be DELROUTE and
// NEWROUTE in one frame) in the host's byte order, as the kernel would be sent them
// (<linux/rtnetlink.h>, <linux/nexthop.h>). What is received is hostile: every length is checked
// before it is used, nothing is read unaligned.
#ifndef WEIR_APPS_TOOL_FPM_NETLINK_H
#define WEIR_APPS_TOOL_FPM_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define FPM_HEADER    4u
#define FPM_FRAME_MAX 65535u
#define FPM_PATHS_MAX                                                                              \
	64u // of a route or a group; FRR's own bound is set when it is built, mostly 16 or 64

struct fpm_path {
	uint8_t via[16]; // network byte order, IPv4 in the first four; all 0 without gateway
	uint32_t oif;	 // of FRR's host; 0: not said
	uint8_t family;	 // of via: 4 or 6; 0: no gateway
	uint8_t weight;	 // from 1
	uint16_t encap;	 // 1: packets need something pushed on (MPLS, SRv6, ...)
};

struct fpm_route {
	bool add;	  // false: withdrawn
	uint8_t family;	  // 4 or 6
	uint8_t plen;	  // prefix has no host bits
	uint8_t type;	  // RTN_*
	uint8_t protocol; // RTPROT_*
	bool narrow;	  // for packets of some source or some TOS only
	uint16_t more;	  // paths beyond FPM_PATHS_MAX, left out
	uint32_t table;
	uint32_t nh_id; // 0: the paths are here
	uint32_t paths;
	uint8_t prefix[16];
	struct fpm_path path[FPM_PATHS_MAX];
};

struct fpm_member {
	uint32_t id;
	uint32_t weight; // 1 to 256
};

struct fpm_nexthop {
	bool add;
	bool blackhole;
	bool group;
	uint16_t more; // members beyond FPM_PATHS_MAX, left out
	uint32_t id;
	uint32_t members;
	struct fpm_path path; // unless blackhole or group
	struct fpm_member member[FPM_PATHS_MAX];
};

struct fpm_sink { // what was parsed is the receiver's for the call only
	void (*route)(void *arg, const struct fpm_route *r);
	void (*nexthop)(void *arg, const struct fpm_nexthop *nh);
	void (*other)(void *arg, unsigned type,
		      unsigned family); // a message of another kind: MPLS, MACs, ...
	void *arg;
};

// The length of the frame that begins at data; 0: more bytes are needed to tell or to have it
// whole. -EPROTO and err: this is no such stream, and where its next frame begins cannot be known.
int fpm_frame(const uint8_t *data, size_t len, struct err *err);

// Hands every message of a whole frame to the sink, in order. The number of messages, -EBADMSG and
// err when one was broken: those before it were handed over, it and the rest of the frame were not.
int fpm_parse(const uint8_t *frame, size_t len, const struct fpm_sink *sink, struct err *err);

#endif

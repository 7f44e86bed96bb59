// SPDX-License-Identifier: BSD-3-Clause
// udp_service.h - what the router offers by UDP, over IPv4 and IPv6: echo and TWAMP Light
//
// Off unless a port is given. Echo is RFC 862. The TWAMP Light reflector (RFC 5357, appendix I) answers test
// packets without a control session and without a state: unauthenticated mode, packets of RFC 4656, 4.1.2,
// the sequence number being the sender's. Time is the graph's clock, which does not know UTC: the
// synchronized bit is off and the error estimate the largest a timestamp can have, so delays one way
// mean nothing, while round-trip times and the variation of delay do.
#ifndef WEIR_NETSTACK_UDP_SERVICE_H
#define WEIR_NETSTACK_UDP_SERVICE_H

#include <stdint.h>

#include "mempool/mbuf.h"

struct udp_services {
	uint16_t echo, twamp; // ports, host byte order; 0: no such service
};

enum udp_service {
	UDP_SERVICE_NONE,   // nobody listens: m is as it was
	UDP_SERVICE_ANSWER, // the UDP message is the answer now; the IP header is left to the caller, and
			    // then udp_service_checksum()
	UDP_SERVICE_LOOP,   // from the port of such a service, or one to 1,023: two would never end
	UDP_SERVICE_SHORT,  // no test packet of TWAMP
	UDP_SERVICE_NO_ROOM, // the answer is longer, and the last buffer is full
	UDP_SERVICE_SEGMENTS, // many datagrams in one, which a port has yet to cut (MBUF_USO)
};

// m is a UDP datagram to an address of the router; its UDP header, at m->l4 in the first segment, and its
// checksum have been checked, and it is the caller's alone. ttl: of its IP header. now: ns.
enum udp_service udp_service(const struct udp_services *s, struct mbuf *m, uint8_t ttl, uint64_t now);

// After UDP_SERVICE_ANSWER: the checksum, pseudo being the sum of the answer's pseudo header (csum.h)
// without the length of UDP. An answer to who sent none has none.
void udp_service_checksum(struct mbuf *m, uint64_t pseudo);

#endif

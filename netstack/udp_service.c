// SPDX-License-Identifier: BSD-3-Clause
// udp_service.c - echo (RFC 862) and the reflector of TWAMP Light (RFC 5357, appendix I)
#include "netstack/udp_service.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "core/clock.h"
#include "core/wire.h"
#include "mempool/csum.h"
#include "netstack/udp.h"

// RFC 4656, 4.1.2: NTP's format; seconds from 1900 or, as here, from another beginning.
struct timestamp { // network byte order
	uint32_t seconds, fraction;
} __attribute__((packed));

struct sent { // a sender's test packet (RFC 5357, 4.1.2)
	uint32_t sequence;
	struct timestamp time;
	uint16_t error;
} __attribute__((packed));
static_assert(sizeof(struct sent) == 14, "wire format");

struct reflected { // the reflector's (RFC 5357, 4.2.1)
	uint32_t sequence;
	struct timestamp time;
	uint16_t error;
	uint16_t zero;
	struct timestamp received;
	struct sent sender;
	uint16_t zero2;
	uint8_t sender_ttl;
} __attribute__((packed));
static_assert(sizeof(struct reflected) == 41, "wire format");

#define RESERVED_MAX 1023u

// Not synchronized (S), NTP's format (Z), scale 63 and multiplier 2: 2 * 2^-32 * 2^63 = 2^32 seconds.
#define ERROR_UNKNOWN (63u << 8 | 2u)

static struct timestamp timestamp(uint64_t now)
{
	uint64_t rest = now % NSEC_PER_SEC;

	return (struct timestamp){.seconds = be32(now / NSEC_PER_SEC),
				  .fraction = be32((rest << 32) / NSEC_PER_SEC)};
}

// Writes n bytes over those from `off` of a chain, which has them.
static void put(struct mbuf *m, uint32_t off, const void *src, uint32_t n)
{
	const uint8_t *from = src;

	while (n) {
		uint32_t part;

		for (; off >= m->len; m = m->next)
			off -= m->len;
		part = m->len - off < n ? m->len - off : n;
		memcpy(m->data + off, from, part);
		from += part;
		off += part;
		n -= part;
	}
}

// Adds n zero bytes at the end of a chain. False: the last segment has no room.
static bool lengthen(struct mbuf *m, uint32_t n)
{
	struct mbuf *last = m;

	while (last->next)
		last = last->next;
	if (mbuf_tailroom(last) < n)
		return false;
	memset(last->data + last->len, 0, n);
	last->len = (uint16_t)(last->len + n);
	m->pkt_len += n;
	return true;
}

static enum udp_service reflect(struct mbuf *m, uint32_t len, uint8_t ttl, uint64_t now)
{
	struct reflected r = {.error = be16(ERROR_UNKNOWN), .sender_ttl = ttl};
	uint32_t payload = m->l4 + UDP_HLEN;

	if (len < sizeof(r.sender))
		return UDP_SERVICE_SHORT;
	if (len < sizeof(r) && !lengthen(m, (uint32_t)sizeof(r) - len))
		return UDP_SERVICE_NO_ROOM;
	mbuf_copy_out(m, payload, &r.sender, sizeof(r.sender));
	r.sequence = r.sender.sequence;
	r.received = r.time = timestamp(now); // both in this turn of the loop
	put(m, payload, &r, sizeof(r));
	return UDP_SERVICE_ANSWER;
}

static bool is_service(const struct udp_services *s, uint16_t port)
{
	return port && (port == s->echo || port == s->twamp);
}

// Somebody else's echo, TWAMP, DNS or NTP stands at a reserved port (RFC 6335, 6) and may answer answers,
// too: a packet in that name, sent by a third, would go to and fro for ever. Who asks is not there.
static bool may_answer_back(const struct udp_services *s, uint16_t port)
{
	return port <= RESERVED_MAX || is_service(s, port);
}

enum udp_service udp_service(const struct udp_services *s, struct mbuf *m, uint8_t ttl, uint64_t now)
{
	struct udp_hdr *udp = mbuf_at(m, struct udp_hdr *, m->l4);
	uint16_t sport = udp->sport, dport = udp->dport;
	enum udp_service rc = UDP_SERVICE_ANSWER;

	if (!is_service(s, be16(dport)))
		return UDP_SERVICE_NONE;
	if (may_answer_back(s, be16(sport)))
		return UDP_SERVICE_LOOP;
	if (m->flags & MBUF_USO)
		return UDP_SERVICE_SEGMENTS;
	mbuf_trim(m, m->l4 + (uint32_t)be16(udp->len));
	if (be16(dport) == s->twamp)
		rc = reflect(m, be16(udp->len) - UDP_HLEN, ttl, now);
	udp->sport = dport;
	udp->dport = sport;
	udp->len = be16(m->pkt_len - m->l4);
	return rc;
}

void udp_service_checksum(struct mbuf *m, uint64_t pseudo)
{
	struct udp_hdr *udp = mbuf_at(m, struct udp_hdr *, m->l4);
	uint32_t len = be16(udp->len);

	if (!udp->csum)
		return;
	udp->csum = 0;
	udp->csum = (uint16_t)~csum_fold(csum_add_mbuf(pseudo + be16(len), m, m->l4, len));
	if (!udp->csum)
		udp->csum = 0xffff; // RFC 768: 0 would mean none
}

// SPDX-License-Identifier: BSD-3-Clause
// mbuf.h - a packet buffer: one hot cache line, one cold, then headroom and data
//
//	[prefix][hot line 64][cold line 64][headroom 128][data room 2048]
//	         ^ struct mbuf                            ^ data at first
//
// The prefix belongs to a driver that needs its own header in front (dpdk: an rte_mbuf); elements of
// one pool all have the same. A frame that does not fit one buffer is a chain by `next`; all
// per-packet fields stand in the first segment.
//
// Ownership: whoever holds the pointer owns the packet, and hands it on or frees it. mbuf_ref() makes one
// more owner of the same packet; refcnt counts them, in every segment, and mbuf_free() gives a buffer
// back when the last owner frees it. A packet with several owners is read-only, data and fields both.
// MBUF_FOREVER: its owner keeps it as long as packets move, and sends it again and again: read-only, too, and
// mbuf_ref() and mbuf_free() do nothing, so that sending it writes nothing.
// Invariant of a buffer in a pool: next == NULL, nsegs == 1, refcnt == 1, so that allocating one
// writes a single cache line.
#ifndef WEIR_MEMPOOL_MBUF_H
#define WEIR_MEMPOOL_MBUF_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lcore.h"
#include "core/plat.h"

#define MBUF_HEADROOM 128u
#define MBUF_DATAROOM 2048u // default; a pool may have more
#define MBUF_SEGS_MAX 255u
#define MBUF_FOREVER  UINT16_MAX // refcnt, of every segment

// mbuf.flags. Checksums: RX says what the port verified, TX what the port shall fill in (only where
// the port granted it). Clear at reception: nothing is known.
#define MBUF_RX_L3_OK   (1u << 0) // IPv4 header checksum verified
#define MBUF_RX_L4_OK   (1u << 1) // TCP/UDP checksum verified
#define MBUF_RX_L3_BAD  (1u << 2)
#define MBUF_RX_L4_BAD  (1u << 3)
#define MBUF_TX_L3_CSUM (1u << 4) // compute the IPv4 header checksum
#define MBUF_TX_L4_CSUM (1u << 5) // TCP/UDP (l3, l4 are valid): the field holds the pseudo-header sum.
				  // Received with MBUF_RX_L4_OK: a sender on this host left it to us
#define MBUF_VLAN       (1u << 8) // vlan_tci is the (outer) tag, not in the data
#define MBUF_TSO        (1u << 9) // TCP of many segments: cut it by mss; with MBUF_TX_L4_CSUM, l3, l4
#define MBUF_HASH       (1u << 10) // hash is valid
#define MBUF_TIME       (1u << 11) // time is valid
#define MBUF_USO        (1u << 13) // the same of UDP datagrams
#define MBUF_L4_HEAD    (1u << 14) // l4_head is valid
#define MBUF_BCAST      (1u << 12) // link-layer broadcast or multicast (RFC 1122 3.2.2: no ICMP error)

struct mempool;

struct mbuf {
	// Hot line.
	uint8_t *data;        // first byte
	struct mbuf *next;    // next segment, NULL in the last
	struct mempool *pool; // constant
	uint32_t pkt_len;     // bytes of the whole packet; first segment only
	uint16_t len;         // bytes of this segment
	uint16_t refcnt;      // owners of this buffer; atomic while more than one
	uint8_t nsegs;        // segments of the packet; first segment only
	uint8_t entry; // handoff.h: where it goes on at the lcore that takes it over
	uint16_t l3;   // offset of the network header from data; valid once a node has set it
	uint32_t hash; // flow hash; with MBUF_HASH
	union {
		struct {
			uint16_t l4;   // offset of the transport header from data; as l3
			uint16_t port; // it came in by, later the one it leaves by
			uint32_t flags;
		};
		uint64_t origin; // the three at once: mbuf_origin()
	};
	union {
		uint8_t scratch[16]; // the current node's, and what it says to the next
		uint32_t scratch32[4];
		uint64_t scratch64[2];
	};

	// Cold line.
	uint8_t *buf;      // start of the headroom; constant: mbuf_buf()
	uint32_t buf_len;  // headroom + data room; constant
	uint16_t vlan_tci; // with MBUF_VLAN; host byte order
	uint16_t mss;      // with MBUF_TSO
	uint64_t time;     // with MBUF_TIME: ns, on the clock of the port it came in by
	const char *owner; // audit: who holds it (a node's or driver's name)
	uint32_t state;    // audit: in the pool or out
	uint32_t index;    // place in the pool; constant
	uint64_t l4_head; // with MBUF_L4_HEAD: of a fragment, how its datagram's transport header begins
	uint64_t reserved[2];
} cache_aligned;

static_assert(sizeof(struct mbuf) == 128, "an mbuf is two cache lines");
static_assert(offsetof(struct mbuf, scratch) == 48, "scratch ends the hot line");
static_assert(offsetof(struct mbuf, buf) == 64, "the cold line starts at 64");
static_assert(offsetof(struct mbuf, port) == offsetof(struct mbuf, origin) + 2 &&
		      offsetof(struct mbuf, flags) == offsetof(struct mbuf, origin) + 4,
	      "mbuf_origin() knows where port and flags stand");

// The first byte at which a header of type `type` stands, `off` bytes into the packet. The caller has
// checked that off + sizeof(type) <= len of the first segment.
#define mbuf_at(m, type, off) ((type)(void *)((m)->data + (off)))

static inline uint64_t mbuf_iova(const struct mbuf *m)
{
	return plat_iova(m->data);
}

// m->buf without touching the cold line: the headroom begins right behind the mbuf.
static inline uint8_t *mbuf_buf(const struct mbuf *m)
{
	return (uint8_t *)(uintptr_t)(m + 1);
}

static inline uint32_t mbuf_headroom(const struct mbuf *m)
{
	return (uint32_t)(m->data - mbuf_buf(m));
}

static inline uint32_t mbuf_tailroom(const struct mbuf *m)
{
	return m->buf_len - mbuf_headroom(m) - m->len;
}

// A buffer fresh from mempool_get_bulk() made an empty packet.
static inline void mbuf_reset(struct mbuf *m)
{
	m->data = mbuf_buf(m) + MBUF_HEADROOM;
	m->pkt_len = 0;
	m->len = 0;
	m->flags = 0;
}

// The origin of a packet that has just come in by `port`: no flags, no offsets. Drivers write it whole.
static inline uint64_t mbuf_origin(uint16_t port)
{
	return (uint64_t)port << 16;
}

// Makes room for n bytes in front (n <= mbuf_headroom(m)); returns the new first byte.
static inline void *mbuf_prepend(struct mbuf *m, uint16_t n)
{
	m->data -= n;
	m->len += n;
	m->pkt_len += n;
	return m->data;
}

// Takes n bytes off the front (n <= len of the first segment).
static inline void *mbuf_pull(struct mbuf *m, uint16_t n)
{
	m->data += n;
	m->len -= n;
	m->pkt_len -= n;
	return m->data;
}

// Adds n bytes at the end of a single-segment packet (n <= mbuf_tailroom(m)); returns the first of them.
static inline void *mbuf_append(struct mbuf *m, uint16_t n)
{
	uint8_t *p = m->data + m->len;

	m->len += n;
	m->pkt_len += n;
	return p;
}

// Cuts the packet to len bytes (len <= pkt_len), freeing segments that become empty (the first stays).
// The caller is the only owner.
void mbuf_trim(struct mbuf *m, uint32_t len);

// Copies n bytes from offset off of a chain to dst. Returns 0, or -EINVAL when the packet is shorter (dst
// is then not written).
int mbuf_copy_out(const struct mbuf *m, uint32_t off, void *dst, uint32_t n);

// Makes a chain of n bytes from src, from `pool`. NULL when the pool has too few buffers, or n does not
// fit MBUF_SEGS_MAX of them.
struct mbuf *mbuf_from_bytes(struct mempool *pool, const void *src, uint32_t n);

// A packet of `pool` like m: bytes (in as few segments as they fit), fields, flags, scratch; the caller is
// its only owner. NULL as above.
struct mbuf *mbuf_copy(const struct mbuf *m, struct mempool *pool);

// One packet of the pool, empty; NULL when there is none.
static inline struct mbuf *mbuf_alloc(struct mempool *pool);

// Makes one more owner (of at most 65534) of the packet: it now takes one more mbuf_free().
static inline void mbuf_ref(struct mbuf *m);

// Frees a packet, all segments.
static inline void mbuf_free(struct mbuf *m);

// Frees n packets, of any pools and any chains; quick for unshared single segments of one pool.
static inline void mbuf_free_bulk(struct mbuf **pkts, unsigned n);

// Walks a chain and checks that lengths, count and bounds agree: 0, or -EINVAL. For debug and tests.
int mbuf_check(const struct mbuf *m);

// The bodies need the pool's; either header may be included first.
#include "mempool/mempool.h"

#endif

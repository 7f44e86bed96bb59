// SPDX-License-Identifier: BSD-3-Clause
// dpdk.h - inside the dpdk driver: one buffer with two headers, the queues, DPDK's start
//
// A buffer serves both worlds without copying: our mbuf is the private area of an rte_mbuf.
//
//      [rte_mempool_objhdr 64][rte_mbuf 128][struct mbuf 128][headroom 128][data room]
//       <------------- prefix 192 ---------><- DPDK: priv_size -><- DPDK: buf_addr
//
// One pool: an rte_mempool without a cache whose operations are our mempool's get and put. While
// DPDK has a buffer our header keeps the invariant of a buffer in the pool; while we have it, the
// rte_mbuf keeps DPDK's (refcnt 1, no next, one segment).
#ifndef WEIR_PMD_DPDK_DPDK_H
#define WEIR_PMD_DPDK_DPDK_H

#include <rte_mbuf.h> // DPDK's headers come before ours: always_inline is a macro of core/lcore.h
#include <stdint.h>

#include "core/err.h"
#include "core/lcore.h"
#include "mempool/mempool.h"
#include "pmd/port.h"

#define DPDK_OBJHDR 64u
#define DPDK_LEASE  30000 // references; a device has fewer descriptors
#define DPDK_LENT   16    // pools, beside its own
#define DPDK_PREFIX (DPDK_OBJHDR + sizeof(struct rte_mbuf))

static_assert(sizeof(struct rte_mbuf) == 128, "the prefix is made for DPDK's two-line mbuf");
static_assert(RTE_PKTMBUF_HEADROOM == MBUF_HEADROOM, "both see the same headroom");

static always_inline struct rte_mbuf *to_rte(struct mbuf *m)
{
	return (struct rte_mbuf *)m - 1;
}

static always_inline struct mbuf *from_rte(struct rte_mbuf *r)
{
	return (struct mbuf *)(r + 1);
}

struct dpdk_queue {
	uint16_t eth, queue; // DPDK's numbers
	uint16_t port;       // ours
	struct mempool *pool; // of copies
	uint64_t rx_packets, rx_bytes, rx_bad_header;
	uint64_t tx_packets cache_aligned; // the sending lcore's line
	uint64_t tx_bytes;
	uint64_t tx_copied, tx_nombuf, tx_refused;
};

#define DPDK_RX_FLAGS                                                                              \
	(RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK | RTE_MBUF_F_RX_LRO)
#define DPDK_TX_FLAGS (MBUF_TX_L4_CSUM | MBUF_TSO | MBUF_USO)

struct rte_eth_dev_info;
struct rte_eth_conf;

// What of `wanted` (PORT_*) the device can: returned, and switched on in eth. Chained buffers always.
uint32_t dpdk_offloads(const struct rte_eth_dev_info *info, uint32_t wanted, struct rte_eth_conf *eth);

// A received packet's ol_flags and tso_segsz into m, whose chain is complete. False: they cannot be, drop it.
bool dpdk_rx_flags(uint64_t flags, uint16_t segment, struct mbuf *m);

// What m, with flags of DPDK_TX_FLAGS and the caller's alone, asks of the device, into its other header. What
// that cannot express is done here at once. False: nor can that be, the packet is never sent.
bool dpdk_tx_flags(struct mbuf *m, struct rte_mbuf *r);

// The burst calls (port_burst_fn). A packet with buffers that others own too is copied first.
uint16_t dpdk_rx(void *queue, struct mbuf **pkts, uint16_t n);
uint16_t dpdk_tx(void *queue, struct mbuf **pkts, uint16_t n);
// The same for ports that were granted offloads of their direction.
uint16_t dpdk_rx_offloads(void *queue, struct mbuf **pkts, uint16_t n);
uint16_t dpdk_tx_offloads(void *queue, struct mbuf **pkts, uint16_t n);

// Starts DPDK, once a process; the calling thread's CPUs stay as they were. 0 or -errno.
int dpdk_eal_start(struct err *err);

// DPDK's view of our pool, made at the first call for it; each call is matched by dpdk_pool_put().
struct rte_mempool *dpdk_pool_get(struct mempool *pool, struct err *err);
void dpdk_pool_put(struct mempool *pool);

// Tells DPDK of the packet arena, so that devices with an IOMMU can be given it. -errno: not
// possible (no device but a real NIC needs it).
int dpdk_arena_register(void);

#endif

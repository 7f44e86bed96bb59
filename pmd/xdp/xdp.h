// SPDX-License-Identifier: BSD-3-Clause
// xdp.h - an AF_XDP port's state, shared by xdp.c (control), program.c, socket.c, rx.c and tx.c
//
// One socket a queue pair (Documentation/networking/af_xdp.rst of the kernel), each with the whole
// pool of buffers registered as its UMEM: frames are received into and sent from mbufs, and user
// space copies nothing. A chunk is headroom and data room of an mbuf; as elements of a pool are no
// power of two apart the UMEM is one of unaligned chunks. Addresses are offsets into it.
//
// Every address that the kernel hands back is looked up in slot[] before it becomes an mbuf again.
#ifndef WEIR_PMD_XDP_XDP_H
#define WEIR_PMD_XDP_XDP_H

#include <xdp/xsk.h>

#include "mempool/mempool.h"
#include "pmd/iface/link.h"
#include "pmd/port.h"

#define SOL_XDP_LEVEL	    283	  // of getsockopt()
#define XDP_CHUNK_MAX	    4096u // a page: the kernel takes no larger chunks everywhere
#define XDP_CHUNK_MIN	    2048u
#define XDP_KERNEL_HEADROOM 256u // in front of every frame received
#define XDP_SEGS_MAX	    16u	 // chunks a frame that is sent may have (MAX_SKB_FRAGS is 17)

// Of linux/if_xdp.h since 6.6: frames of several chunks.
#define XDP_BIND_SG   (1u << 4)
#define XDP_DESC_MORE (1u << 0) // the frame goes on in the next descriptor

struct xdp_args {
	size_t name_len;
	unsigned queue;
	uint32_t attach_flags;
	uint16_t bind_flags;
	bool promisc;
};

struct xdp_slot {	   // of one buffer of the pool
	struct mbuf *head; // being sent as its last segment: the packet
	uint32_t sending;  // descriptors that name it
	bool posted;	   // the kernel has it to receive into
};

struct xdp_umem { // where the buffers are
	uint8_t *area;
	uint64_t len;
	uint64_t first;	 // offset of the first buffer's chunk
	uint64_t stride; // from one to the next
	uint64_t magic;	 // 2^64 / stride, rounded up
	uint32_t count;
	uint32_t chunk; // bytes
};

struct xdp_port;

struct xdp_figures { // struct xdp_statistics, of this socket and those before it
	uint64_t dropped, invalid_rx, invalid_tx, ring_full, fill_empty;
};

struct xdp_queue {
	struct xsk_ring_cons rx, comp;
	struct xsk_ring_prod fill, tx;
	_Atomic int fd; // -1: no socket
	uint16_t id;	// number of the pair and of its lcore
	uint16_t port;
	bool wakes;	 // a frame ends plat_halt()
	bool several;	 // frames of several chunks
	uint32_t posted; // buffers the kernel has to receive into
	uint32_t rx_size, tx_size;
	uint32_t sending; // descriptors not yet completed
	struct xdp_umem umem;
	struct xdp_slot *slot;
	struct mempool *pool;
	struct mbuf *head, *last; // a frame of which more is to come
	uint64_t rx_packets, rx_bytes, rx_nombuf, rx_bad;
	uint64_t tx_packets, tx_bytes, tx_copied, tx_down, tx_refused, tx_too_long, tx_full, tx_bad;
	uint64_t retry; // TSC of the next attempt to have a socket
	uint64_t look;	// TSC of the next look whether it is up, when there is something to send
	uint32_t generation; // of the interface it is bound to
	struct xsk_umem *handle;
	struct xsk_socket *socket;
	struct xdp_figures past;
	struct xdp_port *xdp;
} cache_aligned;

struct xdp_port {
	struct xdp_queue queue[PORT_QUEUES_MAX];
	struct iface iface;
	uint16_t queues, first_queue;
	uint32_t attach_flags;	// XDP_FLAGS_*
	uint16_t bind_flags;	// XDP_COPY, XDP_ZEROCOPY
	int map, program, attached; // descriptors; -1: none
	_Atomic int ifindex;	// that the program is on; 0: none
	_Atomic uint32_t generation;
	int promisc; // a packet socket that makes it so; -1: none
	bool want_promisc;
	struct iface_link link;
	uint64_t lost;
};

// Reads IFACE[,queue=N][,copy|zerocopy][,native|skb][,promisc]. 0, or -EINVAL and in err what was
// expected.
int xdp_args_read(struct xdp_args *a, const char *args, struct err *err);
int xdp_args_check(const char *args, struct err *err);

// The program that redirects to our sockets: loads it, puts it on the interface, takes it off. 0 or
// -errno and err (without the port's name).
int xdp_program_load(struct xdp_port *p, struct err *err);
int xdp_program_attach(struct xdp_port *p, struct err *err);
void xdp_program_detach(struct xdp_port *p);
void xdp_program_unload(struct xdp_port *p);

// Where the pool's buffers lie as a UMEM. 0, or -EINVAL when its buffers cannot be chunks.
int xdp_umem_of(struct xdp_umem *u, const struct mempool *pool);

// A socket for queue q, and its place in the program's map. 0 or -errno and err.
int xdp_attach(struct xdp_queue *q, struct err *err);
// Closes it; every buffer goes back to its pool.
void xdp_detach(struct xdp_queue *q);
// Of all sockets that the queue has had.
void xdp_figures(const struct xdp_queue *q, struct xdp_figures *f);
void xdp_port_stats(const struct port *port, struct port_stats *s);

// Whether the interface is down still, by iface_link_down(), or ours is no program on it.
bool xdp_down(struct xdp_queue *q);

uint16_t xdp_rx(void *queue, struct mbuf **pkts, uint16_t n);
uint16_t xdp_tx(void *queue, struct mbuf **pkts, uint16_t n);

// Gives the kernel buffers to receive into.
void xdp_refill(struct xdp_queue *q);
// Takes back what was sent; asks the kernel to send what waits. Whether all of it went.
void xdp_reap(struct xdp_queue *q);
bool xdp_kick(struct xdp_queue *q);

// The number of the buffer whose chunk begins at `addr`, or -1.
static always_inline int64_t xdp_index(const struct xdp_umem *u, uint64_t addr)
{
	uint64_t off = addr - u->first;
	uint64_t i = (uint64_t)(((unsigned __int128)off * u->magic) >> 64);

	return likely(addr >= u->first && i < u->count && i * u->stride == off) ? (int64_t)i : -1;
}

static always_inline uint64_t xdp_chunk(const struct xdp_umem *u, const struct mbuf *m)
{
	return (uint64_t)(mbuf_buf(m) - u->area);
}

static always_inline struct mbuf *xdp_mbuf(const struct xdp_umem *u, uint64_t chunk)
{
	return (struct mbuf *)(void *)(u->area + chunk) - 1;
}

#endif

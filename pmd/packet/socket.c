// SPDX-License-Identifier: BSD-3-Clause
// socket.c - a packet socket for one queue pair: ring, options, its place in the fanout group
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/linux/plat_linux.h"
#include "pmd/packet/packet.h"

#define RETIRE_MS   1u // longest that a frame waits in a block that is not full
#define SEND_BUFFER (8 << 20)
#define BLOCKS_MIN  4u
#define SLOT_FRONT  256u // above what the kernel puts in front of a frame

static int set_option(int fd, int option, int value)
{
	return setsockopt(fd, SOL_PACKET, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static uint32_t at_least(uint32_t n, uint32_t least)
{
	return n < least ? least : n;
}

// Slots that hold the longest frame, as many as frames were asked for; or blocks with room for so
// many.
static struct tpacket_req3 geometry(const struct packet_port *p)
{
	const uint32_t nominal = TPACKET_ALIGNMENT << 7; // V3 only divides by it
	struct tpacket_req3 r = {.tp_block_size = PACKET_BLOCK, .tp_frame_size = nominal};

	if (p->immediate) {
		r.tp_block_size = PACKET_SLOTS_BLOCK;
		r.tp_frame_size = TPACKET_ALIGN(p->frame_max + SLOT_FRONT);
		r.tp_block_nr = at_least(p->frames / (r.tp_block_size / r.tp_frame_size), 1);
	} else {
		r.tp_block_nr = at_least(p->frames / (PACKET_BLOCK / nominal), BLOCKS_MIN);
		r.tp_retire_blk_tov = RETIRE_MS;
	}
	r.tp_frame_nr = r.tp_block_nr * (r.tp_block_size / r.tp_frame_size);
	return r;
}

static int make_ring(struct packet_queue *q, int fd)
{
	const struct packet_port *p = q->port_state;
	struct tpacket_req3 r = geometry(p);
	socklen_t len = p->immediate ? sizeof(struct tpacket_req) : sizeof(r);
	void *ring;

	if (setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &r, len) < 0)
		return -errno;
	ring = mmap(NULL, (size_t)r.tp_block_nr * r.tp_block_size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, fd, 0);
	if (ring == MAP_FAILED)
		return -errno;
	q->ring = ring;
	q->blocks = r.tp_block_nr;
	q->block_len = r.tp_block_size;
	q->slot_len = p->immediate ? r.tp_frame_size : 0;
	q->slots = r.tp_block_size / r.tp_frame_size;
	q->at = q->left = q->slot = 0;
	return 0;
}

static int set_options(const struct packet_port *p, int fd)
{
	int room = SEND_BUFFER,
	    rc = set_option(fd, PACKET_VERSION, p->immediate ? TPACKET_V2 : TPACKET_V3);

	if (!rc)
		rc = set_option(fd, PACKET_VNET_HDR, 1);
	if (!rc)
		rc = set_option(fd, PACKET_IGNORE_OUTGOING, 1);
	if (!rc && p->bypass)
		rc = set_option(fd, PACKET_QDISC_BYPASS, 1);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)); // as far as it may
	return rc;
}

static int take_place(const struct packet_port *p, int fd, int ifindex)
{
	struct sockaddr_ll a = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = ifindex};
	struct packet_mreq all = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC};

	if (p->promisc && setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) < 0)
		return -errno;
	return bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
}

// The kernel picks the number of a new group; flows are spread over its members by a symmetric
// hash.
static int join_group(struct packet_port *p, int fd)
{
	int value, rc;
	socklen_t len = sizeof(value);

	if (p->queues == 1)
		return 0;
	value = PACKET_FANOUT_HASH << 16;
	value |= p->fanout ? p->fanout : PACKET_FANOUT_FLAG_UNIQUEID << 16;
	rc = set_option(fd, PACKET_FANOUT, value);
	if (rc || p->fanout)
		return rc;
	if (getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &value, &len) < 0)
		return -errno;
	p->fanout = value & 0xffff;
	return 0;
}

static int step_failed(const struct packet_queue *q, int rc, const char *what, struct err *err)
{
	const struct packet_port *p = q->port_state;

	if (rc == -EPERM)
		return err_set(err, rc,
			       "packet:%s: not permitted: run with CAP_NET_RAW (`setcap "
			       "cap_net_raw+ep` on the program, or as root)",
			       p->iface.name);
	if (rc == -ENOMEM)
		return err_set(err, rc,
			       "packet:%s: %s: no memory for %u frames: ask for a smaller "
			       "rx_size",
			       p->iface.name, what, p->frames);
	return err_set(err, rc, "packet:%s: %s: %s%s", p->iface.name, what, strerror(-rc),
		       rc == -EINVAL && p->queues > 1 ? ": `ip link set` it up first" : "");
}

int packet_attach(struct packet_queue *q, struct err *err)
{
	struct packet_port *p = q->port_state;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc;
	const char *what = "packet socket";

	if (fd < 0)
		return step_failed(q, -errno, what, err);
	q->ifindex = iface_index(&p->iface);
	rc = set_options(p, fd);
	if (!rc) {
		what = "receive ring";
		rc = make_ring(q, fd);
	}
	if (!rc) {
		what = "bind";
		rc = take_place(p, fd, q->ifindex);
	}
	if (!rc) {
		what = "fanout group";
		rc = join_group(p, fd);
	}
	q->fd = fd;
	if (rc) {
		packet_detach(q);
		return step_failed(q, rc, what, err);
	}
	q->wakes = !plat_linux_wake_fd(q->id, fd, true);
	return 0;
}

void packet_detach(struct packet_queue *q)
{
	int fd = q->fd;

	if (fd < 0)
		return;
	packet_collect(q);
	if (q->wakes)
		plat_linux_wake_fd(q->id, fd, false);
	q->wakes = false;
	if (q->ring)
		munmap(q->ring, (size_t)q->blocks * q->block_len);
	q->ring = NULL;
	q->left = 0;
	q->fd = -1;
	close(fd);
}

void packet_collect(struct packet_queue *q)
{
	struct tpacket_stats_v3 s = {0}; // V2 has no third
	socklen_t len = sizeof(s);

	if (q->fd < 0 || getsockopt(q->fd, SOL_PACKET, PACKET_STATISTICS, &s, &len) < 0)
		return;
	// Relaxed: counters that nobody orders anything by.
	atomic_fetch_add_explicit(&q->host_dropped, s.tp_drops, memory_order_relaxed);
	atomic_fetch_add_explicit(&q->host_frozen, s.tp_freeze_q_cnt, memory_order_relaxed);
}

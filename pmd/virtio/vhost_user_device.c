// SPDX-License-Identifier: BSD-3-Clause
// vhost_user_device.c - the transport's side of a vhost-user front end: what a register is
// elsewhere
//
// Requests are sent and not waited for: what a back end refuses, it says by the time of a later
// look, and that ends the connection (vhost_user_socket.c).
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/linux/plat_linux.h"
#include "core/plat.h"
#include "pmd/virtio/vhost_user.h"

// What a back end can give by itself, by number (5.1.3, 6): checksums and segmentation (0, 1, 7 to
// 14, 54 to 56), merged buffers (15), queue pairs (22), and the ring's own (28 INDIRECT_DESC, 29
// EVENT_IDX, 32 VERSION_1, 34 PACKED, 35 IN_ORDER). All else (addresses, filters, announcements,
// RSS) is a control queue's, which vhost-user leaves to the front end, or is about migration and
// IOMMUs.
#define BIT(n) (1ull << (n))
#define PASSED                                                                                     \
	(BIT(0) | BIT(1) | 0x7f80ull | BIT(15) | BIT(22) | BIT(28) | BIT(29) | BIT(32) | BIT(34) | \
	 BIT(35) | BIT(54) | BIT(55) | BIT(56))
#define F_RING_PACKED BIT(34)

#define RINGS (2 * PORT_QUEUES_MAX)

static struct vhost_user *of(struct virtio_transport *t)
{
	return (struct vhost_user *)(void *)t;
}

static bool errors_told(struct vhost_user *v)
{
	uint64_t n;

	return v->error >= 0 && read(v->error, &n, sizeof(n)) == sizeof(n);
}

static uint8_t vu_status(struct virtio_transport *t)
{
	struct vhost_user *v = of(t);

	vhost_user_pump(v);
	if (v->stopping) {
		if (!vhost_user_quiet(v))
			return v->status;
		v->stopping = v->broken = false;
		v->status = 0;
	}
	// Until its grace is over a back end that is gone counts as one that is there.
	if (v->broken && vhost_user_quiet(v))
		return v->status | VIRTIO_S_NEEDS_RESET;
	if ((v->status & VIRTIO_S_DRIVER_OK) && !v->broken && errors_told(v))
		v->status |= VIRTIO_S_NEEDS_RESET;
	return v->status;
}

// Takes the rings back from the back end.
static void stop_rings(struct vhost_user *v)
{
	for (unsigned i = 0; i < RINGS; i++) {
		struct vhost_user_ring *r = &v->ring[i];

		if (r->told && vhost_user_socket_up(&v->socket)) {
			if (r->enabled && (v->offered & VHOST_USER_F_PROTOCOL_FEATURES))
				vhost_user_send_state(v, VHOST_USER_SET_VRING_ENABLE, i, 0);
			r->stopping = !vhost_user_send_state(v, VHOST_USER_GET_VRING_BASE, i, 0);
		}
		r->told = r->enabled = false;
	}
}

static void tell_status(struct vhost_user *v, uint8_t status)
{
	if (v->phase == VHOST_USER_MET && (v->protocol & VHOST_USER_PROTOCOL_F_STATUS))
		vhost_user_send_u64(v, VHOST_USER_SET_STATUS, status, -1, false);
}

static void vu_set_status(struct virtio_transport *t, uint8_t status)
{
	struct vhost_user *v = of(t);

	if (status) {
		v->status = status;
		tell_status(v, status);
	} else if (v->status && !v->stopping) {
		v->stopping = true;
		stop_rings(v);
		tell_status(v, 0);
	}
	vhost_user_check_lost(v);
}

static bool vu_present(struct virtio_transport *t)
{
	struct vhost_user *v = of(t);

	vu_status(t); // a reset may be under way
	return v->phase == VHOST_USER_MET;
}

static uint64_t vu_features(struct virtio_transport *t)
{
	struct vhost_user *v = of(t);
	uint64_t f = v->offered & PASSED;

	if (v->phase != VHOST_USER_MET)
		return 0;
	if (!(v->protocol & VHOST_USER_PROTOCOL_F_MQ))
		f &= ~VIRTIO_NET_F_MQ;
	if (!v->args.packed)
		f &= ~F_RING_PACKED;
	return f | VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | (v->mtu ? VIRTIO_NET_F_MTU : 0);
}

static void tell_memory(struct vhost_user *v)
{
	uint64_t base = (uint64_t)(uintptr_t)plat_linux_arena_base();
	struct vhost_user_msg m = {
		.request = VHOST_USER_SET_MEM_TABLE,
		.size = sizeof(m.memory),
		.memory = {.regions = 1, .region = {base, plat_arena_size(), base, 0}},
	};

	vhost_user_send(&v->socket, &m, plat_linux_arena_fd(), false,
			v->protocol & VHOST_USER_PROTOCOL_F_REPLY_ACK);
}

static void vu_set_features(struct virtio_transport *t, uint64_t features)
{
	struct vhost_user *v = of(t);
	uint64_t told = (features & v->offered) | (v->offered & VHOST_USER_F_PROTOCOL_FEATURES);

	v->features = features;
	vhost_user_send_u64(v, VHOST_USER_SET_FEATURES, told, -1, true);
	if (v->mtu && (v->offered & VIRTIO_NET_F_MTU) &&
	    (v->protocol & VHOST_USER_PROTOCOL_F_NET_MTU))
		vhost_user_send_u64(v, VHOST_USER_NET_SET_MTU, v->mtu, -1, true);
	tell_memory(v);
	vhost_user_check_lost(v);
}

static int vu_config(struct virtio_transport *t, uint16_t off, void *dst, uint16_t len,
		     uint16_t width)
{
	const struct vhost_user *v = of(t);

	(void)width;
	if ((size_t)off + len > sizeof(v->config))
		return -ERANGE;
	memcpy(dst, (const uint8_t *)&v->config + off, len);
	return 0;
}

static uint32_t vu_generation(struct virtio_transport *t)
{
	return of(t)->generation;
}

static uint16_t vu_queues(struct virtio_transport *t)
{
	return (uint16_t)(2 * of(t)->pairs);
}

static uint16_t vu_queue_size(struct virtio_transport *t, uint16_t index)
{
	return index < vu_queues(t) ? VIRTQ_SIZE_MAX : 0; // as long as the front end likes
}

static int make_eventfd(int *fd)
{
	if (*fd < 0)
		*fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return *fd < 0 ? -errno : 0;
}

// Has calls of the ring wake an lcore, and no other.
static int wake_by(struct vhost_user_ring *r, unsigned lcore)
{
	if (r->wakes && r->lcore == lcore)
		return 0;
	if (r->wakes)
		plat_linux_wake_fd(r->lcore, r->call, false);
	r->wakes = !plat_linux_wake_fd(lcore, r->call, true);
	r->lcore = lcore;
	return r->wakes ? 0 : -ENOTSUP;
}

static void tell_ring(struct vhost_user *v, uint16_t index, const struct virtq_place *place)
{
	// Packed rings: the next available and the next used descriptor, each with its wrap counter
	// in the highest bit.
	uint32_t base = v->features & F_RING_PACKED ? 0x80008000u : 0;
	struct vhost_user_msg addr = {
		.request = VHOST_USER_SET_VRING_ADDR,
		.size = sizeof(addr.addr),
		.addr = {.index = index,
			 .desc = place->desc,
			 .avail = place->avail,
			 .used = place->used},
	};

	vhost_user_send_u64(v, VHOST_USER_SET_VRING_CALL, index, v->ring[index].call, false);
	vhost_user_send_u64(v, VHOST_USER_SET_VRING_ERR, index, v->error, false);
	vhost_user_send_state(v, VHOST_USER_SET_VRING_NUM, index, place->size);
	vhost_user_send_state(v, VHOST_USER_SET_VRING_BASE, index, base);
	vhost_user_send(&v->socket, &addr, -1, false, false);
	vhost_user_send_u64(v, VHOST_USER_SET_VRING_KICK, index, v->ring[index].kick, true);
}

static int vu_queue_setup(struct virtio_transport *t, uint16_t index,
			  const struct virtq_place *place, struct err *err)
{
	struct vhost_user *v = of(t);
	int r;

	if (index >= RINGS || index >= vu_queues(t))
		return err_set(err, -ENOENT, "port %s: %s has no queue %u", v->port, t->name,
			       index);
	r = make_eventfd(&v->error);
	if (!r)
		r = make_eventfd(&v->ring[index].kick);
	if (!r)
		r = make_eventfd(&v->ring[index].call);
	if (!r && place->lcore != VIRTQ_NO_LCORE && wake_by(&v->ring[index], place->lcore))
		return -ENOTSUP;
	if (r)
		return err_set(err, r,
			       "port %s: %s: eventfd: %s: allow more open files (ulimit -n)",
			       v->port, t->name, strerror(-r));
	tell_ring(v, index, place);
	v->ring[index].told = true;
	if (vhost_user_socket_up(&v->socket))
		return 0;
	vhost_user_check_lost(v);
	return err_set(err, -ECONNRESET, "port %s: %s: the back end %s", v->port, t->name,
		       v->socket.why.text);
}

static void vu_notify(struct virtio_transport *t, uint16_t index)
{
	const uint64_t one = 1;

	// Full means that the back end has 2^64 doorbells to hear already.
	if (write(of(t)->ring[index].kick, &one, sizeof(one)) < 0)
		return;
}

static void vu_acknowledge(struct virtio_transport *t, uint16_t index)
{
	uint64_t n;

	// Nothing to read: another call has been here.
	if (read(of(t)->ring[index].call, &n, sizeof(n)) < 0)
		return;
}

// Never fails: a back end that went away meanwhile is status()'s to tell, with the reason.
static int vu_set_pairs(struct virtio_transport *t, uint16_t n)
{
	struct vhost_user *v = of(t);

	for (unsigned i = 0; i < RINGS; i++) {
		struct vhost_user_ring *ring = &v->ring[i];
		bool on = i / 2 < n;

		if (!ring->told || ring->enabled == on)
			continue;
		// Without it they are enabled once they are told.
		if (v->offered & VHOST_USER_F_PROTOCOL_FEATURES)
			vhost_user_send_state(v, VHOST_USER_SET_VRING_ENABLE, i, on);
		ring->enabled = on;
	}
	vhost_user_check_lost(v);
	return 0;
}

static void vu_close(struct virtio_transport *t)
{
	struct vhost_user *v = of(t);

	vhost_user_socket_close(&v->socket);
	for (unsigned i = 0; i < RINGS; i++) {
		struct vhost_user_ring *r = &v->ring[i];

		if (r->wakes)
			plat_linux_wake_fd(r->lcore, r->call, false);
		if (r->kick >= 0)
			close(r->kick);
		if (r->call >= 0)
			close(r->call);
	}
	if (v->error >= 0)
		close(v->error);
	free(v);
}

const struct virtio_transport_ops vhost_user_ops = {
	.present = vu_present,
	.status = vu_status,
	.set_status = vu_set_status,
	.features = vu_features,
	.set_features = vu_set_features,
	.config = vu_config,
	.generation = vu_generation,
	.queues = vu_queues,
	.queue_size = vu_queue_size,
	.queue_setup = vu_queue_setup,
	.notify = vu_notify,
	.set_pairs = vu_set_pairs,
	.acknowledge = vu_acknowledge,
	.close = vu_close,
};

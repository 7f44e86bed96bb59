// SPDX-License-Identifier: BSD-3-Clause
// start.c - device initialisation (virtio 1.2, 3.1.1), believing nothing the device says
#include <errno.h>
#include <string.h>

#include "core/plat.h"
#include "pmd/virtio/net.h"

#define CONFIG_TRIES 8u // a configuration that keeps changing while it is read is a lie

static bool reset(struct virtio_net *v)
{
	uint64_t end = tsc_read() + plat_tsc_hz() / 1000 * v->reset_ms;

	v->t->ops->set_status(v->t, 0);
	while (v->t->ops->status(v->t) != 0)
		if (tsc_read() > end)
			return false;
	return true;
}

// Bursts of every pair do nothing from here on.
static void halt(struct virtio_net *v)
{
	for (uint16_t q = 0; q < v->pairs; q++) {
		v->pair[q].rx.vq.fault = VIRTQ_STOPPED;
		v->pair[q].tx.vq.fault = VIRTQ_STOPPED;
	}
}

void virtio_net_unpark(struct virtio_net *v, uint16_t q)
{
	struct virtio_pair *p = &v->pair[q];

	if (v->running) {
		p->rx.vq.fault = VIRTQ_SOUND;
		p->tx.vq.fault = VIRTQ_SOUND;
	}
	__atomic_store_n(&p->parked, false, __ATOMIC_RELEASE);
}

int virtio_net_stop(struct virtio_net *v, struct err *err)
{
	v->running = false;
	halt(v);
	if (!reset(v))
		return err_set(
			err, -ETIMEDOUT,
			"port %s: %s does not finish its reset within %u ms: is the back end "
			"alive?",
			v->name, v->t->name, v->reset_ms);
	virtio_net_drain(v);
	return 0;
}

void virtio_net_drain(struct virtio_net *v)
{
	for (uint16_t q = 0; q < v->pairs; q++) {
		if (v->pair[q].rx.vq.capacity)
			virtio_rx_drain(&v->pair[q].rx);
		if (v->pair[q].tx.vq.capacity)
			virtio_tx_drain(&v->pair[q].tx);
	}
}

static int negotiate(struct virtio_net *v, struct err *err)
{
	const struct virtio_transport_ops *ops = v->t->ops;
	const uint8_t begin = VIRTIO_S_ACKNOWLEDGE | VIRTIO_S_DRIVER;

	ops->set_status(v->t, VIRTIO_S_ACKNOWLEDGE);
	ops->set_status(v->t, begin);
	v->offered = ops->features(v->t);
	v->features = virtio_net_choose(v);
	if (!(v->features & VIRTIO_F_VERSION_1))
		return err_set(
			err, -EPROTO,
			"port %s: %s offers features %#llx without VERSION_1: modern devices "
			"only (QEMU: disable-modern=off)",
			v->name, v->t->name, (unsigned long long)v->offered);
	ops->set_features(v->t, v->features);
	ops->set_status(v->t, begin | VIRTIO_S_FEATURES_OK);
	if (!(ops->status(v->t) & VIRTIO_S_FEATURES_OK))
		return err_set(err, -EPROTO,
			       "port %s: %s offered features %#llx, and refuses %#llx of them",
			       v->name, v->t->name, (unsigned long long)v->offered,
			       (unsigned long long)v->features);
	return 0;
}

// One field; left as it is when no feature that has it was taken.
static int field(struct virtio_net *v, uint64_t feature, size_t off, void *dst, uint16_t len,
		 uint16_t width)
{
	if (!(v->features & feature))
		return 0;
	return v->t->ops->config(v->t, (uint16_t)off, dst, len, width);
}

#define FIELD(c, name) offsetof(struct virtio_net_config, name), &(c)->name, sizeof((c)->name)

static int read_fields(struct virtio_net *v, struct virtio_net_config *c)
{
	int r = field(v, VIRTIO_NET_F_MAC, FIELD(c, mac), 1);

	if (!r)
		r = field(v, VIRTIO_NET_F_STATUS, FIELD(c, status), 2);
	if (!r)
		r = field(v, VIRTIO_NET_F_MQ | VIRTIO_NET_F_RSS, FIELD(c, max_virtqueue_pairs), 2);
	if (!r)
		r = field(v, VIRTIO_NET_F_MTU, FIELD(c, mtu), 2);
	if (!r)
		r = field(v, VIRTIO_NET_F_RSS, FIELD(c, rss_max_key_size), 1);
	if (!r)
		r = field(v, VIRTIO_NET_F_RSS, FIELD(c, rss_max_indirection_table_length), 2);
	if (!r)
		r = field(v, VIRTIO_NET_F_RSS, FIELD(c, supported_hash_types), 2);
	return r;
}

static int check_config(const struct virtio_net *v, const struct virtio_net_config *c,
			struct err *err)
{
	static const uint8_t zero[6];
	const uint8_t *m = c->mac;

	if ((v->features & VIRTIO_NET_F_MAC) && ((m[0] & 1) || !memcmp(m, zero, sizeof(zero))))
		return err_set(
			err, -EPROTO,
			"port %s: %s has MAC address %02x:%02x:%02x:%02x:%02x:%02x, which no "
			"station can have: set mac= of the device",
			v->name, v->t->name, m[0], m[1], m[2], m[3], m[4], m[5]);
	if ((v->features & (VIRTIO_NET_F_MQ | VIRTIO_NET_F_RSS)) && !c->max_virtqueue_pairs)
		return err_set(err, -EPROTO,
			       "port %s: %s offers multiqueue with 0 queue pairs: the device is "
			       "broken",
			       v->name, v->t->name);
	if ((v->features & VIRTIO_NET_F_MTU) && c->mtu < VIRTIO_NET_MTU_MIN)
		return err_set(err, -EPROTO,
			       "port %s: %s has MTU %u, less than %u: set host_mtu= of the device",
			       v->name, v->t->name, c->mtu, VIRTIO_NET_MTU_MIN);
	return 0;
}

int virtio_net_read_config(struct virtio_net *v, struct err *err)
{
	const struct virtio_transport_ops *ops = v->t->ops;
	uint32_t after = ops->generation(v->t), before;
	unsigned tries = 0;

	do { // 2.5.1: fields belong together when the generation is the same before and after
		struct virtio_net_config c = {0};
		int r = read_fields(v, &c);

		if (r)
			return err_set(
				err, -EPROTO,
				"port %s: %s has too short a configuration for features %#llx: "
				"the device is broken",
				v->name, v->t->name, (unsigned long long)v->features);
		before = after;
		after = ops->generation(v->t);
		if (before != after)
			continue;
		r = check_config(v, &c, err);
		if (r)
			return r;
		v->config = c;
		v->generation = after;
		return 0;
	} while (++tries < CONFIG_TRIES);
	return err_set(err, -EPROTO,
		       "port %s: %s changes its configuration whenever it is read: the device is "
		       "broken",
		       v->name, v->t->name);
}

// The length of a ring: what is wanted, as far as the device goes. capacity: of the memory there is
// for it already, 0: none yet.
static int ring_size(struct virtio_net *v, uint16_t index, uint32_t want, uint32_t capacity,
		     uint32_t *size, struct err *err)
{
	uint32_t most = v->t->ops->queue_size(v->t, index);

	if (most < 2 || most > VIRTQ_SIZE_MAX || (most & (most - 1)))
		return err_set(err, -EPROTO,
			       "port %s: %s queue %u has size %u: must be a power of two up to %u",
			       v->name, v->t->name, index, most, VIRTQ_SIZE_MAX);
	if (capacity)
		want = capacity;
	while (most > want && most > 2)
		most /= 2;
	*size = most;
	return 0;
}

static int setup_rx(struct virtio_net *v, uint16_t pair, struct err *err)
{
	struct virtio_rxq *q = &v->pair[pair].rx;
	uint16_t index = VIRTIO_NET_RXQ(pair);
	uint32_t size = 0; // -O3 does not see that err_set() returns what it was given
	int r = ring_size(v, index, v->want_rx, q->vq.capacity, &size, err);

	if (!r && !q->vq.capacity)
		r = virtq_create(&q->vq, index, size, err);
	if (r)
		return r;
	virtq_clear(&q->vq, size, v->features);
	q->merge = v->features & VIRTIO_NET_F_MRG_RXBUF;
	q->offloads = v->features & VIRTIO_NET_F_GUEST_CSUM;
	r = virtq_attach_waking(&q->vq, v->t, pair, err); // pair q is lcore q's
	if (!r)
		virtio_rx_start(q);
	return r;
}

static int setup_tx(struct virtio_net *v, uint16_t pair, struct err *err)
{
	struct virtio_txq *q = &v->pair[pair].tx;
	uint16_t index = VIRTIO_NET_TXQ(pair);
	uint32_t size = 0; // -O3 does not see that err_set() returns what it was given
	int r = ring_size(v, index, v->want_tx, q->vq.capacity, &size, err);

	if (!r && !q->vq.capacity)
		r = virtio_tx_create(q, index, size, err);
	if (r)
		return r;
	virtq_clear(&q->vq, size, v->features);
	q->pool = v->pool;
	virtio_tx_start(q);
	return virtq_attach(&q->vq, v->t, err);
}

// Queue pairs that the device has and that it can be told to use. QEMU: max_virtqueue_pairs means
// nothing unless a feature that has it was taken.
static uint16_t usable_pairs(const struct virtio_net *v)
{
	uint16_t most = 1;

	if (v->features & (VIRTIO_NET_F_MQ | VIRTIO_NET_F_RSS))
		most = v->config.max_virtqueue_pairs;
	return v->pairs < most ? v->pairs : most;
}

static int setup_queues(struct virtio_net *v, struct err *err)
{
	uint16_t n = v->t->ops->queues(v->t), usable = usable_pairs(v);
	int r = 0;

	if (usable < v->pairs && v->opened)
		return err_set(err, -EPROTO,
			       "port %s: %s has %u queue pairs; it had %u before its reset",
			       v->name, v->t->name, usable, v->pairs);
	v->pairs = usable;
	if (n < 2 * v->pairs)
		return err_set(err, -EPROTO,
			       "port %s: %s has %u queues; a network device with %u pair%s has %u",
			       v->name, v->t->name, n, v->pairs, v->pairs == 1 ? "" : "s",
			       2 * v->pairs);
	for (uint16_t q = 0; !r && q < v->pairs; q++) {
		r = setup_rx(v, q, err);
		if (!r)
			r = setup_tx(v, q, err);
	}
	if (!r)
		r = virtio_net_attach_ctrl(v, err);
	halt(v); // until all is started and each owner takes its pair up
	return r;
}

// What was granted stands for as long as the port is open: nodes rely on it.
static int check_grant(const struct virtio_net *v, struct err *err)
{
	uint32_t gone = v->opened ? v->port->grant.offloads & ~virtio_net_offloads(v) : 0;

	// A filter that is gone lets more in; that does no harm.
	gone &= ~(PORT_VLAN_FILTER | PORT_MAC_FILTER);
	return gone ? err_set(err, -EPROTO,
			      "port %s: %s offers features %#llx: offloads %#x that it had before its "
			      "reset are gone",
			      v->name, v->t->name, (unsigned long long)v->offered, gone)
		    : 0;
}

bool virtio_net_present(const struct virtio_net *v)
{
	return !v->t->ops->present || v->t->ops->present(v->t);
}

// Its own address, unless the port has one already. The port keeps it, whatever a later start finds:
// routers have told their neighbors.
static void take_mac(struct virtio_net *v)
{
	if (!v->opened && !v->has_mac && (v->features & VIRTIO_NET_F_MAC))
		memcpy(v->mac, v->config.mac, sizeof(v->mac));
}

int virtio_net_start(struct virtio_net *v, struct err *err)
{
	uint64_t t0 = tsc_read(), t1;
	int r;

	if (!virtio_net_present(v))
		return err_set(err, -ENODEV, "port %s: %s is gone: is the back end alive?", v->name,
			       v->t->name);
	r = negotiate(v, err);

	if (!r)
		r = virtio_net_read_config(v, err);
	if (!r) {
		take_mac(v);
		r = setup_queues(v, err);
	}
	t1 = tsc_read();
	if (!r) {
		v->t->ops->set_status(v->t, VIRTIO_S_ACKNOWLEDGE | VIRTIO_S_DRIVER |
						    VIRTIO_S_FEATURES_OK | VIRTIO_S_DRIVER_OK);
		r = virtio_net_command(v, err);
	}
	if (!r)
		r = check_grant(v, err);
	if (r) {
		v->t->ops->set_status(v->t, VIRTIO_S_FAILED);
		virtio_net_stop(v, NULL);
		return r;
	}
	if (v->opened)
		v->port->grant.mtu = virtio_net_mtu(v);
	v->backend_cycles = tsc_read() - t1;
	v->start_cycles = t1 - t0;
	v->opened = true;
	v->running = true;
	return 0;
}

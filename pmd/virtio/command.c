// SPDX-License-Identifier: BSD-3-Clause
// command.c - what a virtio-net device is told once it runs: queue pairs, RSS, filters, its address
//
// Pairs must be had, or the device is not started. All else is asked for: what the device refuses
// or does not answer is counted, and not granted.
#include <errno.h>
#include <string.h>

#include "pmd/virtio/net.h"

#define HASH_TYPES                                                                                 \
	(VIRTIO_HASH_IPV4 | VIRTIO_HASH_TCPV4 | VIRTIO_HASH_UDPV4 | VIRTIO_HASH_IPV6 |             \
	 VIRTIO_HASH_TCPV6 | VIRTIO_HASH_UDPV6)

#define WAIT_MS_OPEN 500u // a back end may be busy starting
#define WAIT_MS_RUN  20u  // other ports wait

// Queues of the device that come before its control queue. QEMU: with neither feature taken its
// max_virtqueue_pairs reads 65535, and means nothing.
static uint32_t data_queues(const struct virtio_net *v)
{
	if (v->features & (VIRTIO_NET_F_MQ | VIRTIO_NET_F_RSS))
		return 2u * v->config.max_virtqueue_pairs;
	return 2;
}

int virtio_net_attach_ctrl(struct virtio_net *v, struct err *err)
{
	uint32_t index = data_queues(v), size = VIRTIO_CTRL_SIZE, most;
	int r = 0;

	v->ctrl.usable = false;
	if (!(v->features & VIRTIO_NET_F_CTRL_VQ))
		return 0;
	most = index < v->t->ops->queues(v->t) ? v->t->ops->queue_size(v->t, (uint16_t)index) : 0;
	while (size > most)
		size /= 2;
	if (size < VIRTIO_CTRL_MIN)
		return err_set(err, -EPROTO,
			       "port %s: %s has a control queue of %u descriptors at %u: the "
			       "device is broken",
			       v->name, v->t->name, most, index);
	if (!v->ctrl.vq.capacity)
		r = virtio_ctrl_create(&v->ctrl, err);
	v->ctrl.wait_ms = v->opened ? WAIT_MS_RUN : WAIT_MS_OPEN;
	return r ? r : virtio_ctrl_attach(&v->ctrl, v->t, (uint16_t)index, size, v->features, err);
}

// Flows meet the lcore that software would choose: the same hash, lanes and key.
static bool spread(struct virtio_net *v)
{
	const struct virtio_net_config *c = &v->config;

	return (v->features & VIRTIO_NET_F_RSS) && c->rss_max_key_size >= RSS_KEY_LEN &&
	       c->rss_max_indirection_table_length >= RSS_LANES &&
	       (c->supported_hash_types & HASH_TYPES) == HASH_TYPES &&
	       !virtio_ctrl_rss(&v->ctrl, v->pairs, HASH_TYPES, RSS_LANES, rss_key[v->rss]);
}

static int set_pairs(struct virtio_net *v)
{
	if (v->t->ops->set_pairs)
		return v->t->ops->set_pairs(v->t, v->pairs);
	if (v->pairs == 1)
		return 0; // 5.1.6.5.5: as the device starts
	if (spread(v)) {
		v->told |= PORT_RSS;
		return 0;
	}
	return virtio_ctrl_pairs(&v->ctrl, v->pairs);
}

// Whether the device takes frames for v->mac.
static bool own_mac(struct virtio_net *v)
{
	if ((v->features & VIRTIO_NET_F_MAC) && !memcmp(v->mac, v->config.mac, sizeof(v->mac)))
		return true;
	return (v->features & VIRTIO_NET_F_CTRL_MAC_ADDR) && !virtio_ctrl_mac(&v->ctrl, v->mac);
}

static bool filter_macs(struct virtio_net *v)
{
	return own_mac(v) && (v->want & PORT_MAC_FILTER) && !virtio_ctrl_no_macs(&v->ctrl) &&
	       !virtio_ctrl_allmulti(&v->ctrl, true) && !virtio_ctrl_promisc(&v->ctrl, false);
}

static void set_filters(struct virtio_net *v)
{
	if (v->features & VIRTIO_NET_F_CTRL_RX) {
		if (filter_macs(v))
			v->told |= PORT_MAC_FILTER;
		else
			virtio_ctrl_promisc(&v->ctrl, true);
	}
	// VLAN 0 is a priority alone.
	if ((v->features & VIRTIO_NET_F_CTRL_VLAN) && !virtio_ctrl_vlan(&v->ctrl, 0))
		v->told |= PORT_VLAN_FILTER;
}

int virtio_net_command(struct virtio_net *v, struct err *err)
{
	int r;

	v->told = 0;
	r = set_pairs(v);
	if (r)
		return err_set(err, r, "port %s: %s does not enable %u queue pairs: %s", v->name,
			       v->t->name, v->pairs, strerror(-r));
	set_filters(v);
	return 0;
}

void virtio_net_announced(struct virtio_net *v)
{
	if (!(v->features & VIRTIO_NET_F_GUEST_ANNOUNCE) ||
	    !(v->config.status & VIRTIO_NET_S_ANNOUNCE))
		return;
	v->announcements++;
	v->port->announce++;
	virtio_ctrl_announced(&v->ctrl);
}

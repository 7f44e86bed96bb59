// SPDX-License-Identifier: BSD-3-Clause
// features.c - which features a device is asked for, and what of them makes a port's grant
//
// Not taken: EVENT_IDX, since a back end that polls leaves a stale index behind and so gets a
// doorbell every 65,536 packets, where the flag of a plain ring says "never"; GUEST_UFO and
// HOST_UFO, which cut datagrams into IP fragments; CTRL_GUEST_OFFLOADS, since what was asked for
// stays so.
#include <stdio.h>

#include "pmd/virtio/net.h"

#define ALWAYS                                                                                     \
	(VIRTIO_F_VERSION_1 | VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_MAC | VIRTIO_NET_F_MTU |       \
	 VIRTIO_NET_F_STATUS | VIRTIO_F_RING_PACKED | VIRTIO_F_IN_ORDER)

#define GUEST_LONG                                                                                 \
	(VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6 | VIRTIO_NET_F_GUEST_ECN |              \
	 VIRTIO_NET_F_GUEST_USO4 | VIRTIO_NET_F_GUEST_USO6)

static const struct {
	uint64_t bit;
	const char *name;
} names[] = {
	{VIRTIO_NET_F_MRG_RXBUF, "mrg_rxbuf"},
	{VIRTIO_F_IN_ORDER, "in_order"},
	{VIRTIO_NET_F_MTU, "mtu"},
	{VIRTIO_NET_F_MAC, "mac"},
	{VIRTIO_NET_F_STATUS, "status"},
	{VIRTIO_NET_F_CTRL_VQ, "ctrl_vq"},
	{VIRTIO_NET_F_MQ, "mq"},
	{VIRTIO_NET_F_GUEST_ANNOUNCE, "announce"},
};

// Received packets with checksums to be completed; long ones in as many buffers as they take.
static uint64_t of_receive(const struct virtio_net *v)
{
	uint64_t f = 0;

	if (v->want & PORT_RX_CSUM)
		f |= VIRTIO_NET_F_GUEST_CSUM;
	if ((v->want & PORT_RX_LRO) && (f & v->offered) && (v->offered & VIRTIO_NET_F_MRG_RXBUF))
		f |= GUEST_LONG;
	if (!(v->offered & (VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6)))
		f &= ~VIRTIO_NET_F_GUEST_ECN; // 5.1.3.1
	return f;
}

// Any segment may carry the flag that ECN asks about, so there is no TSO without it.
static uint64_t of_transmit(const struct virtio_net *v)
{
	uint64_t f = 0;

	if (!(v->want & PORT_TX_CSUM) || !(v->offered & VIRTIO_NET_F_CSUM))
		return 0;
	if (v->want & PORT_TX_TSO4)
		f |= VIRTIO_NET_F_HOST_TSO4;
	if (v->want & PORT_TX_TSO6)
		f |= VIRTIO_NET_F_HOST_TSO6;
	if (!(v->offered & VIRTIO_NET_F_HOST_ECN))
		f = 0;
	else if (v->offered & f)
		f |= VIRTIO_NET_F_HOST_ECN;
	if (v->want & PORT_TX_USO)
		f |= VIRTIO_NET_F_HOST_USO;
	return f | VIRTIO_NET_F_CSUM;
}

// 5.1.3.1: all of these hang on the control queue, where the transport has no other way
// (set_pairs).
static uint64_t of_control(const struct virtio_net *v)
{
	uint64_t mq = v->pairs > 1 ? VIRTIO_NET_F_MQ : 0, f;

	if (v->t->ops->set_pairs)
		return mq;
	if (!(v->offered & VIRTIO_NET_F_CTRL_VQ))
		return 0;
	f = mq | VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_MAC_ADDR | VIRTIO_NET_F_GUEST_ANNOUNCE;
	if (mq && (v->want & PORT_RSS))
		f |= VIRTIO_NET_F_RSS;
	if (v->want & PORT_VLAN_FILTER)
		f |= VIRTIO_NET_F_CTRL_VLAN;
	return f & v->offered ? f | VIRTIO_NET_F_CTRL_VQ : 0;
}

uint64_t virtio_net_choose(const struct virtio_net *v)
{
	return v->offered & (ALWAYS | of_receive(v) | of_transmit(v) | of_control(v));
}

uint32_t virtio_net_offloads(const struct virtio_net *v)
{
	static const struct {
		uint64_t feature;
		uint32_t offload;
	} map[] = {
		{VIRTIO_NET_F_GUEST_CSUM, PORT_RX_CSUM},
		{VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6, PORT_RX_LRO},
		{VIRTIO_NET_F_CSUM, PORT_TX_CSUM},
		{VIRTIO_NET_F_HOST_TSO4, PORT_TX_TSO4},
		{VIRTIO_NET_F_HOST_TSO6, PORT_TX_TSO6},
		{VIRTIO_NET_F_HOST_USO, PORT_TX_USO},
	};
	uint32_t offloads = v->told;

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (v->features & map[i].feature)
			offloads |= map[i].offload;
	return offloads;
}

size_t virtio_net_feature_text(uint64_t features, char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (n < len && (features & names[i].bit))
			n += (size_t)snprintf(text + n, len - n, " %s", names[i].name);
	return n;
}

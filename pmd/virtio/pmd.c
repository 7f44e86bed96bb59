// SPDX-License-Identifier: BSD-3-Clause
// pmd.c - the driver "virtio" of the image: virtio-net over PCI, or MMIO where there is no PCI
#include "pmd/pmds.h"
#include "pmd/virtio/device.h"
#include "pmd/virtio/net.h"

static int virtio_open(struct port *port, const struct port_conf *conf, struct err *err)
{
	struct virtio_transport *t;
	int r = virtio_device_open(conf->args, &t, err);

	return r ? r : virtio_net_open(port, conf, t, err);
}

const struct pmd virtio_pmd = {
	.name = "virtio",
	.help = "virtio:N, the Nth virtio-net device, those on PCI first; or virtio:BB:DD.F, virtio:mmioN",
	.can = {.offloads = PORT_RX_CSUM | PORT_TX_CSUM | PORT_TX_TSO4 | PORT_TX_TSO6 | PORT_TX_USO |
			    PORT_RX_LRO | PORT_VLAN_FILTER | PORT_MAC_FILTER | PORT_RSS,
		.queues = PORT_QUEUES_MAX,
		.live = true},
	.open = virtio_open,
	.close = virtio_net_close,
	.stats = virtio_net_stats,
	.link = virtio_net_link,
	.poll = virtio_net_poll,
	.poll_queue = virtio_net_poll_queue,
	.arm = virtio_net_arm,
	.disarm = virtio_net_disarm,
};

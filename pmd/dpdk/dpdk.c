// SPDX-License-Identifier: BSD-3-Clause
// dpdk.c - the dpdk port: any DPDK ethdev, by its EAL device string
//
// The device is probed when the port opens and removed when it closes. Offloads of checksums and
// segmentation are granted as it has them (offload.c). Promiscuous where the device can: the graph filters.
#define ALLOW_EXPERIMENTAL_API 1 // rte_dev_dma_map, in DPDK since 2019
#include <errno.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <stdlib.h>
#include <string.h>

#include "core/linux/plat_linux.h"
#include "core/plat.h"
#include "pmd/dpdk/dpdk.h"
#include "pmd/pmds.h"

#define SIZE_DEFAULT 1024u
#define DRAIN_BURSTS 64u // of 64: more than the rings of a device without a peer hold

struct dpdk_port {
	struct mempool *pool;
	struct rte_mempool *rte_pool;
	struct mempool *lent[DPDK_LENT];
	unsigned n_lent;
	struct rte_device *dev;
	uint16_t eth;
	bool probed, started;
	bool up;
	uint64_t link_changes;
	uint16_t queues;
	struct dpdk_queue queue[PORT_QUEUES_MAX];
};

static int fail(const struct port_conf *conf, int rc, const char *what, struct err *err)
{
	return err_set(err, rc, "port %s: dpdk:%s: %s: %s; DPDK's lines above may say why",
		       conf->name, conf->args, what, rte_strerror(-rc));
}

// Devices that would share our packet memory with another process: DPDK shares only its own.
static int dpdk_check(const char *args, struct err *err)
{
	if (!args[0])
		return err_set(err, -EINVAL,
			       "expected a device, such as net_vhost0,iface=PATH or a PCI address");
	if (!strncmp(args, "net_virtio_user", 15) || !strncmp(args, "virtio_user", 11))
		return err_set(err, -ENOTSUP,
			       "virtio_user cannot share Weir's packet memory; make the other side "
			       "connect to a net_vhost port");
	return 0;
}

// The ethdev of a device string; RTE_MAX_ETHPORTS: there is none yet.
static uint16_t find_eth(const char *device)
{
	struct rte_dev_iterator it;
	uint16_t eth;

	RTE_ETH_FOREACH_MATCHING_DEV(eth, device, &it) {
		rte_eth_iterator_cleanup(&it);
		return eth;
	}
	return RTE_MAX_ETHPORTS;
}

static int probe(struct dpdk_port *p, const struct port_conf *conf, struct err *err)
{
	struct rte_eth_dev_info info;
	int rc;

	if (find_eth(conf->args) != RTE_MAX_ETHPORTS)
		return err_set(err, -EEXIST,
			       "port %s: dpdk:%s: another port uses this device; give a second one "
			       "its own name (net_vhost1)",
			       conf->name, conf->args);
	rc = rte_dev_probe(conf->args);
	if (rc < 0)
		return fail(conf, rc, "no such device, or it does not start", err);
	p->eth = find_eth(conf->args);
	if (p->eth == RTE_MAX_ETHPORTS)
		return fail(conf, -ENODEV, "is no Ethernet device", err);
	rc = rte_eth_dev_info_get(p->eth, &info);
	if (rc)
		return fail(conf, rc, "cannot be asked about itself", err);
	p->dev = info.device;
	p->probed = true;
	return 0;
}

static int set_mtu(struct dpdk_port *p, const struct port_conf *conf, struct port_grant *g,
		   struct err *err)
{
	int rc;

	g->mtu = RTE_ETHER_MTU;
	if (!conf->mtu) {
		rte_eth_dev_get_mtu(p->eth, &g->mtu);
		return 0;
	}
	g->mtu = conf->mtu;
	rc = rte_eth_dev_set_mtu(p->eth, conf->mtu);
	// Devices made of memory often have no such setting, and carry frames of any length.
	return rc && rc != -ENOTSUP ? fail(conf, rc, "refuses the MTU", err) : 0;
}

// The address asked for, else the device's, else (net_ring has none) the same on every run.
static void set_mac(struct dpdk_port *p, const struct port_conf *conf, struct port *port)
{
	struct rte_ether_addr mac;

	if (!conf->has_mac && !rte_eth_macaddr_get(p->eth, &mac) &&
	    rte_is_valid_assigned_ether_addr(&mac)) {
		memcpy(port->grant.mac, mac.addr_bytes, 6);
		return;
	}
	port_default_mac(port, conf, port->grant.mac);
	memcpy(mac.addr_bytes, port->grant.mac, 6);
	// Where the device cannot, frames to this address still come: it is promiscuous.
	rte_eth_dev_default_mac_addr_set(p->eth, &mac);
}

static int setup_queues(struct dpdk_port *p, const struct port_conf *conf, struct port_grant *g,
			struct err *err)
{
	g->rx_size = conf->rx_size ? conf->rx_size : SIZE_DEFAULT;
	g->tx_size = conf->tx_size ? conf->tx_size : SIZE_DEFAULT;
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(p->eth, &g->rx_size, &g->tx_size);

	for (uint16_t q = 0; !rc && q < g->queues; q++) {
		rc = rte_eth_rx_queue_setup(p->eth, q, g->rx_size, SOCKET_ID_ANY, NULL,
					    p->rte_pool);
		if (!rc)
			rc = rte_eth_tx_queue_setup(p->eth, q, g->tx_size, SOCKET_ID_ANY, NULL);
	}
	return rc ? fail(conf, rc, "cannot set up its queues", err) : 0;
}

static int configure(struct dpdk_port *p, const struct port_conf *conf, struct port *port,
		     struct err *err)
{
	struct port_grant *g = &port->grant;
	struct rte_eth_conf eth = {0};
	struct rte_eth_dev_info info;
	uint16_t max;
	int rc = rte_eth_dev_info_get(p->eth, &info);

	if (rc)
		return fail(conf, rc, "cannot be asked about itself", err);
	max = RTE_MIN(info.max_rx_queues, info.max_tx_queues);
	g->queues = RTE_MIN(conf->queues, max);
	g->offloads = dpdk_offloads(&info, conf->offloads, &eth);
	rc = rte_eth_dev_configure(p->eth, g->queues, g->queues, &eth);
	if (rc)
		return fail(conf, rc, "cannot be configured", err);
	rc = set_mtu(p, conf, g, err);
	if (!rc)
		rc = setup_queues(p, conf, g, err);
	if (rc)
		return rc;
	set_mac(p, conf, port);
	rc = rte_eth_dev_start(p->eth);
	if (rc)
		return fail(conf, rc, "cannot be started", err);
	p->started = true;
	rte_eth_promiscuous_enable(p->eth);
	snprintf(g->text, sizeof(g->text), "dpdk %s %.60s", info.driver_name, conf->args);
	port_grant_offloads(g);
	return 0;
}

// Packets that wait in the device come back to the pool. A peer that goes on sending cannot hold us
// up.
static void drain(struct dpdk_port *p)
{
	struct mbuf *pkts[64];
	unsigned n = 0;

	for (uint16_t q = 0; q < p->queues; q++) {
		for (unsigned i = 0; i < DRAIN_BURSTS; i++) {
			n = dpdk_rx(&p->queue[q], pkts, 64);
			if (!n)
				break;
			mbuf_free_bulk(pkts, n);
		}
	}
}

static int release(struct dpdk_port *p, struct err *err)
{
	int rc = 0;

	if (p->started) {
		drain(p);
		rc = rte_eth_dev_stop(p->eth);
	}
	if (p->probed) {
		rte_eth_dev_close(p->eth);
		rte_dev_remove(p->dev);
	}
	for (unsigned i = 0; i < p->n_lent; i++)
		dpdk_pool_put(p->lent[i]);
	if (p->rte_pool)
		dpdk_pool_put(p->pool);
	free(p);
	return rc ? err_set(err, rc, "dpdk: a device did not stop: %s", rte_strerror(-rc)) : 0;
}

// A real NIC reads and writes packet memory through the IOMMU; others need no mapping.
static void map_for_dma(const struct dpdk_port *p, struct port_grant *g)
{
	size_t n = strlen(g->text);
	uint64_t base = (uint64_t)(uintptr_t)plat_linux_arena_base();

	if (strcmp(rte_bus_name(rte_dev_bus(p->dev)), "pci"))
		return;
	if (dpdk_arena_register() ||
	    rte_dev_dma_map(p->dev, plat_linux_arena_base(), base, plat_arena_size()))
		snprintf(g->text + n, sizeof(g->text) - n, " (packet memory not mapped for DMA)");
}

static int dpdk_open(struct port *port, const struct port_conf *conf, struct err *err)
{
	struct dpdk_port *p;
	int rc = port_check_args(conf, dpdk_check, err);

	if (!rc)
		rc = dpdk_eal_start(err);
	if (rc)
		return rc;
	p = aligned_alloc(CACHE_LINE, sizeof(*p));
	if (!p)
		return err_set(err, -ENOMEM, "port %s: no memory", conf->name);
	memset(p, 0, sizeof(*p));
	p->pool = conf->pool;
	p->rte_pool = dpdk_pool_get(conf->pool, err);
	rc = p->rte_pool ? probe(p, conf, err) : -EINVAL;
	if (!rc)
		rc = configure(p, conf, port, err);
	if (rc) {
		release(p, NULL);
		return rc;
	}
	map_for_dma(p, &port->grant);
	p->queues = port->grant.queues;
	for (uint16_t q = 0; q < p->queues; q++) {
		struct dpdk_queue *queue = &p->queue[q];

		queue->eth = p->eth;
		queue->queue = q;
		queue->port = port->id;
		queue->pool = conf->pool;
		port->queue[q] = (struct port_queue){
			port->grant.offloads & PORT_RX_CSUM ? dpdk_rx_offloads : dpdk_rx, queue,
			port->grant.offloads & PORT_TX_CSUM ? dpdk_tx_offloads : dpdk_tx, queue};
	}
	port->priv = p;
	return 0;
}

static int dpdk_lend(struct port *port, struct mempool *pool, struct err *err)
{
	struct dpdk_port *p = port->priv;

	if (p->n_lent == DPDK_LENT)
		return err_set(err, -ENOSPC, "port %s: packets of over %d pools", port->name, DPDK_LENT);
	if (!dpdk_pool_get(pool, err))
		return -EINVAL;
	p->lent[p->n_lent++] = pool;
	return 0;
}

static int dpdk_close(struct port *port, struct err *err)
{
	return release(port->priv, err);
}

static void dpdk_stats(const struct port *port, struct port_stats *s)
{
	const struct dpdk_port *p = port->priv;
	uint64_t copied = 0, nombuf = 0, refused = 0, bad = 0;
	struct rte_eth_stats eth;

	for (uint16_t q = 0; q < p->queues; q++) {
		s->rx_packets += p->queue[q].rx_packets;
		s->rx_bytes += p->queue[q].rx_bytes;
		s->tx_packets += p->queue[q].tx_packets;
		s->tx_bytes += p->queue[q].tx_bytes;
		copied += p->queue[q].tx_copied;
		nombuf += p->queue[q].tx_nombuf;
		refused += p->queue[q].tx_refused;
		bad += p->queue[q].rx_bad_header;
	}
	port_stats_add(s, "link-changes", p->link_changes);
	port_stats_add(s, "tx-copied", copied);
	port_stats_add(s, "tx-nombuf", nombuf);
	port_stats_add(s, "tx-refused", refused);
	port_stats_add(s, "rx-bad-header", bad);
	if (rte_eth_stats_get(p->eth, &eth))
		return;
	port_stats_add(s, "rx-missed", eth.imissed);
	port_stats_add(s, "rx-errors", eth.ierrors);
	port_stats_add(s, "rx-nombuf", eth.rx_nombuf);
	port_stats_add(s, "tx-errors", eth.oerrors);
}

static void dpdk_link(const struct port *port, struct port_link *link)
{
	const struct dpdk_port *p = port->priv;
	struct rte_eth_link l = {0};

	link->up = !rte_eth_link_get_nowait(p->eth, &l) && l.link_status == RTE_ETH_LINK_UP;
	link->mbps = l.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : l.link_speed;
}

static void dpdk_poll(struct port *port)
{
	struct dpdk_port *p = port->priv;
	struct port_link link;

	dpdk_link(port, &link);
	p->link_changes += link.up != p->up;
	p->up = link.up;
}

const struct pmd dpdk_pmd = {
	.name = "dpdk",
	.help = "a DPDK device string: net_vhost0,iface=PATH; net_ring0; a PCI address",
	.can = {.offloads = PORT_RX_CSUM | PORT_TX_CSUM | PORT_TX_TSO4 | PORT_TX_TSO6 |
			    PORT_TX_USO | PORT_RX_LRO,
		.queues = PORT_QUEUES_MAX,
		.live = true},
	.check = dpdk_check,
	.open = dpdk_open,
	.close = dpdk_close,
	.lend = dpdk_lend,
	.stats = dpdk_stats,
	.link = dpdk_link,
	.poll = dpdk_poll,
	.mbuf_prefix = DPDK_PREFIX,
};

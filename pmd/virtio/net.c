// SPDX-License-Identifier: BSD-3-Clause
// net.c - open and close a virtio-net port, say what was granted, report figures
#include "pmd/virtio/net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plat.h"

#define RING_DEFAULT 1024u // descriptors, where the device has as many
#define MTU_DEFAULT  1500u
#define ETHER_VLANS  22u // Ethernet header and two tags

// Milliseconds: a back end may take its time over its first reset, but other ports wait for a later
// one.
#define RESET_MS_OPEN 500u
#define RESET_MS_RUN  1u

static const struct feature_name {
	uint64_t bit;
	const char *name;
} feature_names[] = {
	{VIRTIO_NET_F_MTU, "mtu"},
	{VIRTIO_NET_F_MAC, "mac"},
	{VIRTIO_NET_F_MRG_RXBUF, "mrg_rxbuf"},
	{VIRTIO_NET_F_STATUS, "status"},
	{VIRTIO_F_VERSION_1, "version_1"},
};

static uint64_t cycles_us(uint64_t cycles)
{
	return cycles / (plat_tsc_hz() / 1000000);
}

static void grant_text(const struct virtio_net *v, char *text, size_t len)
{
	size_t n = (size_t)snprintf(text, len, "%s: split ring,", v->t->name);

	for (size_t i = 0; i < sizeof(feature_names) / sizeof(feature_names[0]); i++)
		if (n < len && (v->features & feature_names[i].bit))
			n += (size_t)snprintf(text + n, len - n, " %s", feature_names[i].name);
	if (n < len)
		snprintf(text + n, len - n, " (offered %#llx); ready in %llu us + %llu us back end",
			 (unsigned long long)v->offered,
			 (unsigned long long)cycles_us(v->start_cycles),
			 (unsigned long long)cycles_us(v->backend_cycles));
}

// The largest frame is what was asked for, as far as the device and, without merging, one buffer
// go.
static uint16_t grant_mtu(const struct virtio_net *v, const struct port_conf *conf)
{
	uint32_t mtu = conf->mtu ? conf->mtu : MTU_DEFAULT;
	uint32_t buffer = v->rx.posted - VIRTIO_NET_HDR_LEN - ETHER_VLANS;

	if ((v->features & VIRTIO_NET_F_MTU) && v->config.mtu < mtu)
		mtu = v->config.mtu;
	if (!v->rx.merge && buffer < mtu)
		mtu = buffer;
	return (uint16_t)mtu;
}

static void grant(struct virtio_net *v, struct port *port, const struct port_conf *conf)
{
	struct port_grant *g = &port->grant;

	if ((v->features & VIRTIO_NET_F_MAC) && !conf->has_mac)
		memcpy(g->mac, v->config.mac, sizeof(g->mac));
	else
		port_default_mac(port, conf, g->mac);
	g->mtu = grant_mtu(v, conf);
	g->rx_size = (uint16_t)virtq_size(&v->rx.vq);
	g->tx_size = (uint16_t)virtq_size(&v->tx.vq);
	g->queues = 1;
	g->offloads = 0;
	grant_text(v, g->text, sizeof(g->text));
	port->queue[0] = (struct port_queue){
		.rx = virtio_rx_burst,
		.rxq = &v->rx,
		.tx = virtio_tx_burst,
		.txq = &v->tx,
	};
	port->priv = v;
}

static void destroy(struct virtio_net *v)
{
	virtio_net_stop(v, NULL);
	v->t->ops->close(v->t);
	virtio_net_drain(v);
	virtq_destroy(&v->rx.vq);
	virtio_tx_destroy(&v->tx);
	free(v);
}

int virtio_net_open(struct port *port, const struct port_conf *conf, struct virtio_transport *t,
		    struct err *err)
{
	struct virtio_net *v = aligned_alloc(CACHE_LINE, sizeof(*v));
	int r;

	if (!v) {
		t->ops->close(t);
		return err_set(err, -ENOMEM, "port %s: out of memory", conf->name);
	}
	memset(v, 0, sizeof(*v));
	v->t = t;
	v->clock = conf->clock;
	v->pool = conf->pool;
	v->want_rx = conf->rx_size ? conf->rx_size : RING_DEFAULT;
	v->want_tx = conf->tx_size ? conf->tx_size : RING_DEFAULT;
	snprintf(v->name, sizeof(v->name), "%s", conf->name);
	v->rx.pool = conf->pool;
	v->rx.port = port->id;
	v->rx.posted = virtio_rx_posted(conf->pool);
	v->reset_ms = RESET_MS_OPEN;
	r = virtio_net_stop(v, err);
	if (!r)
		r = virtio_net_start(v, err);
	if (r) {
		destroy(v);
		return r;
	}
	v->reset_ms = RESET_MS_RUN;
	virtio_net_supervise(v);
	grant(v, port, conf);
	return 0;
}

int virtio_net_close(struct port *port, struct err *err)
{
	(void)err;
	destroy(port->priv);
	return 0;
}

static void add_faults(struct port_stats *s, const struct virtq *vq, const char *const *names)
{
	for (unsigned i = 1; i < VIRTQ_FAULTS; i++)
		if (names[i])
			port_stats_add(s, names[i], vq->faults[i]);
}

void virtio_net_stats(const struct port *port, struct port_stats *s)
{
	static const char *const rx_faults[VIRTQ_FAULTS] = {
		[VIRTQ_BAD_INDEX] = "rx-bad-index", [VIRTQ_BAD_ID] = "rx-bad-id",
		[VIRTQ_IDLE_ID] = "rx-idle-id",	    [VIRTQ_LONG] = "rx-bad-length",
		[VIRTQ_SHORT] = "rx-no-header",	    [VIRTQ_BAD_MERGE] = "rx-bad-merge",
	};
	static const char *const tx_faults[VIRTQ_FAULTS] = {
		[VIRTQ_BAD_INDEX] = "tx-bad-index",
		[VIRTQ_BAD_ID] = "tx-bad-id",
		[VIRTQ_IDLE_ID] = "tx-idle-id",
	};
	const struct virtio_net *v = port->priv;

	s->rx_packets = v->rx.packets;
	s->rx_bytes = v->rx.bytes;
	s->tx_packets = v->tx.packets;
	s->tx_bytes = v->tx.bytes;
	port_stats_add(s, "rx-doorbells", v->rx.vq.doorbells);
	port_stats_add(s, "tx-doorbells", v->tx.vq.doorbells);
	port_stats_add(s, "rx-nombuf", v->rx.nombuf);
	port_stats_add(s, "rx-runt", v->rx.runts);
	port_stats_add(s, "rx-lost", v->rx.lost);
	port_stats_add(s, "tx-refused", v->tx.refused);
	port_stats_add(s, "tx-lost", v->tx.lost);
	port_stats_add(s, "tx-stalled", v->stalls);
	add_faults(s, &v->rx.vq, rx_faults);
	add_faults(s, &v->tx.vq, tx_faults);
	port_stats_add(s, "needs-reset", v->needs_reset);
	port_stats_add(s, "resets", v->resets);
	port_stats_add(s, "failed-starts", v->failed_starts);
	port_stats_add(s, "link-changes", v->link_changes);
	// Of the last start: the driver's own time, and what it waited for the back end.
	port_stats_add(s, "start-us", cycles_us(v->start_cycles));
	port_stats_add(s, "start-back-end-us", cycles_us(v->backend_cycles));
}

void virtio_net_link(const struct port *port, struct port_link *link)
{
	const struct virtio_net *v = port->priv;

	link->up = v->running && (!(v->features & VIRTIO_NET_F_STATUS) ||
				  (v->config.status & VIRTIO_NET_S_LINK_UP));
	link->mbps = 0;
}

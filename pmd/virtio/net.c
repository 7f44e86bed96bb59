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

static uint64_t cycles_us(uint64_t cycles)
{
	return cycles / (plat_tsc_hz() / 1000000);
}

static void grant_text(const struct virtio_net *v, char *text, size_t len)
{
	size_t n = (size_t)snprintf(text, len, "%s: %s ring, %u queue pair%s,", v->t->name,
				    v->features & VIRTIO_F_RING_PACKED ? "packed" : "split",
				    v->pairs, v->pairs == 1 ? "" : "s");

	if (n < len)
		n += virtio_net_feature_text(v->features, text + n, len - n);
	if (n < len)
		n += port_offload_text(virtio_net_offloads(v), text + n, len - n);
	if (n < len)
		snprintf(text + n, len - n, " (offered %#llx); ready in %llu us + %llu us back end",
			 (unsigned long long)v->offered,
			 (unsigned long long)cycles_us(v->start_cycles),
			 (unsigned long long)cycles_us(v->backend_cycles));
}

uint16_t virtio_net_mtu(const struct virtio_net *v)
{
	uint32_t mtu = v->want_mtu ? v->want_mtu : MTU_DEFAULT;
	uint32_t buffer = v->pair[0].rx.posted - VIRTIO_NET_HDR_LEN - ETHER_VLANS;

	if ((v->features & VIRTIO_NET_F_MTU) && v->config.mtu < mtu)
		mtu = v->config.mtu;
	if (!v->pair[0].rx.merge && buffer < mtu)
		mtu = buffer;
	return (uint16_t)mtu;
}

static void grant(struct virtio_net *v, struct port *port)
{
	struct port_grant *g = &port->grant;

	memcpy(g->mac, v->mac, sizeof(g->mac));
	g->mtu = virtio_net_mtu(v);
	g->rx_size = (uint16_t)virtq_size(&v->pair[0].rx.vq);
	g->tx_size = (uint16_t)virtq_size(&v->pair[0].tx.vq);
	g->queues = v->pairs;
	g->offloads = virtio_net_offloads(v);
	grant_text(v, g->text, sizeof(g->text));
	for (uint16_t q = 0; q < v->pairs; q++)
		port->queue[q] = (struct port_queue){
			.rx = virtio_rx_burst,
			.rxq = &v->pair[q].rx,
			.tx = virtio_tx_burst,
			.txq = &v->pair[q].tx,
		};
	port->priv = v;
}

static void destroy(struct virtio_net *v)
{
	v->reset_ms = RESET_MS_OPEN; // nobody waits for packets any more
	virtio_net_stop(v, NULL);
	v->t->ops->close(v->t);
	virtio_net_drain(v);
	for (uint16_t q = 0; q < v->pairs; q++) {
		virtq_destroy(&v->pair[q].rx.vq);
		virtio_tx_destroy(&v->pair[q].tx);
	}
	virtio_ctrl_destroy(&v->ctrl);
	free(v->pair);
	free(v);
}

int virtio_net_open(struct port *port, const struct port_conf *conf, struct virtio_transport *t,
		    struct err *err)
{
	struct virtio_net *v = calloc(1, sizeof(*v));
	struct virtio_pair *pair = aligned_alloc(CACHE_LINE, conf->queues * sizeof(*pair));
	int r;

	if (!v || !pair) {
		t->ops->close(t);
		free(v);
		free(pair);
		return err_set(err, -ENOMEM, "port %s: out of memory", conf->name);
	}
	memset(pair, 0, conf->queues * sizeof(*pair));
	v->pair = pair;
	v->pairs = conf->queues;
	v->t = t;
	v->port = port;
	v->want = conf->offloads;
	v->rss = conf->rss;
	v->has_mac = conf->has_mac;
	v->want_mtu = conf->mtu;
	port_default_mac(port, conf, v->mac);
	v->clock = conf->clock;
	v->pool = conf->pool;
	v->want_rx = conf->rx_size ? conf->rx_size : RING_DEFAULT;
	v->want_tx = conf->tx_size ? conf->tx_size : RING_DEFAULT;
	snprintf(v->name, sizeof(v->name), "%s", conf->name);
	for (uint16_t q = 0; q < v->pairs; q++) {
		pair[q].rx.pool = conf->pool;
		pair[q].rx.port = port->id;
		pair[q].rx.posted = virtio_rx_posted(conf->pool);
	}
	v->reset_ms = RESET_MS_OPEN;
	r = virtio_net_stop(v, err);
	if (!r)
		r = virtio_net_start(v, err);
	if (r) {
		destroy(v);
		return r;
	}
	v->reset_ms = RESET_MS_RUN;
	for (uint16_t q = 0; q < v->pairs; q++)
		virtio_net_unpark(v, q);
	virtio_net_supervise(v);
	grant(v, port);
	return 0;
}

int virtio_net_close(struct port *port, struct err *err)
{
	(void)err;
	destroy(port->priv);
	return 0;
}

// Figures that each queue keeps, under the names users see.
struct figure {
	const char *name;
	size_t offset; // of a uint64_t in struct virtio_pair
};
#define FIGURE(name, field) {name, offsetof(struct virtio_pair, field)}

static const struct figure figures[] = {
	FIGURE("rx-doorbells", rx.vq.doorbells),
	FIGURE("tx-doorbells", tx.vq.doorbells),
	FIGURE("rx-nombuf", rx.nombuf),
	FIGURE("rx-runt", rx.runts),
	FIGURE("rx-lost", rx.lost),
	FIGURE("tx-refused", tx.refused),
	FIGURE("tx-lost", tx.lost),
	FIGURE("rx-bad-index", rx.vq.faults[VIRTQ_BAD_INDEX]),
	FIGURE("rx-bad-id", rx.vq.faults[VIRTQ_BAD_ID]),
	FIGURE("rx-idle-id", rx.vq.faults[VIRTQ_IDLE_ID]),
	FIGURE("rx-bad-length", rx.vq.faults[VIRTQ_LONG]),
	FIGURE("rx-no-header", rx.vq.faults[VIRTQ_SHORT]),
	FIGURE("rx-bad-merge", rx.vq.faults[VIRTQ_BAD_MERGE]),
	FIGURE("rx-bad-order", rx.vq.faults[VIRTQ_BAD_ORDER]),
	FIGURE("rx-bad-header", rx.bad_headers),
	FIGURE("tx-bad-index", tx.vq.faults[VIRTQ_BAD_INDEX]),
	FIGURE("tx-bad-id", tx.vq.faults[VIRTQ_BAD_ID]),
	FIGURE("tx-idle-id", tx.vq.faults[VIRTQ_IDLE_ID]),
	FIGURE("tx-bad-order", tx.vq.faults[VIRTQ_BAD_ORDER]),
};

// Of all pairs together.
static uint64_t sum(const struct virtio_net *v, size_t offset)
{
	uint64_t total = 0;

	for (uint16_t q = 0; q < v->pairs; q++)
		total += *(const uint64_t *)(const void *)((const char *)&v->pair[q] + offset);
	return total;
}

void virtio_net_stats(const struct port *port, struct port_stats *s)
{
	const struct virtio_net *v = port->priv;

	s->rx_packets = sum(v, offsetof(struct virtio_pair, rx.packets));
	s->rx_bytes = sum(v, offsetof(struct virtio_pair, rx.bytes));
	s->tx_packets = sum(v, offsetof(struct virtio_pair, tx.packets));
	s->tx_bytes = sum(v, offsetof(struct virtio_pair, tx.bytes));
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		port_stats_add(s, figures[i].name, sum(v, figures[i].offset));
	port_stats_add(s, "tx-stalled", v->stalls);
	port_stats_add(s, "needs-reset", v->needs_reset);
	port_stats_add(s, "resets", v->resets);
	port_stats_add(s, "failed-starts", v->failed_starts);
	port_stats_add(s, "link-changes", v->link_changes);
	port_stats_add(s, "announcements", v->announcements);
	port_stats_add(s, "ctrl-refused", v->ctrl.refused);
	port_stats_add(s, "ctrl-silent", v->ctrl.silent);
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

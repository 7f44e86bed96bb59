// SPDX-License-Identifier: BSD-3-Clause
// figures.c - what the queues and the kernel have counted
#include <sys/socket.h>

#include "pmd/xdp/xdp.h"

void xdp_figures(const struct xdp_queue *q, struct xdp_figures *f)
{
	struct xdp_statistics s = {0};
	socklen_t len = sizeof(s);

	*f = q->past;
	if (q->fd < 0 || getsockopt(q->fd, SOL_XDP_LEVEL, XDP_STATISTICS, &s, &len) < 0)
		return;
	f->dropped += s.rx_dropped;
	f->invalid_rx += s.rx_invalid_descs;
	f->invalid_tx += s.tx_invalid_descs;
	f->ring_full += s.rx_ring_full;
	f->fill_empty += s.rx_fill_ring_empty_descs;
}

void xdp_port_stats(const struct port *port, struct port_stats *s)
{
	const struct xdp_port *p = port->priv;
	struct xdp_queue sum = {0};
	struct xdp_figures all = {0}, f;

	for (uint16_t i = 0; i < p->queues; i++) {
		const struct xdp_queue *q = &p->queue[i];

		s->rx_packets += q->rx_packets;
		s->rx_bytes += q->rx_bytes;
		s->tx_packets += q->tx_packets;
		s->tx_bytes += q->tx_bytes;
		sum.rx_nombuf += q->rx_nombuf;
		sum.rx_bad += q->rx_bad;
		sum.tx_copied += q->tx_copied;
		sum.tx_down += q->tx_down;
		sum.tx_refused += q->tx_refused;
		sum.tx_too_long += q->tx_too_long;
		sum.tx_full += q->tx_full;
		sum.tx_bad += q->tx_bad;
		xdp_figures(q, &f);
		all.dropped += f.dropped;
		all.invalid_rx += f.invalid_rx;
		all.invalid_tx += f.invalid_tx;
		all.ring_full += f.ring_full;
		all.fill_empty += f.fill_empty;
	}
	port_stats_add(s, "link-changes", p->link.changes);
	port_stats_add(s, "device-lost", p->lost);
	port_stats_add(s, "rx-nombuf", sum.rx_nombuf);
	port_stats_add(s, "rx-bad-address", sum.rx_bad);
	port_stats_add(s, "rx-host-dropped", all.dropped); // too long for the chunks there are, too
	port_stats_add(s, "rx-ring-full", all.ring_full);
	port_stats_add(s, "rx-fill-empty", all.fill_empty);
	port_stats_add(s, "rx-fill-invalid", all.invalid_rx);
	port_stats_add(s, "tx-copied", sum.tx_copied);
	port_stats_add(s, "tx-down", sum.tx_down);
	port_stats_add(s, "tx-refused", sum.tx_refused);
	port_stats_add(s, "tx-too-long", sum.tx_too_long);
	port_stats_add(s, "tx-full", sum.tx_full);
	port_stats_add(s, "tx-bad-address", sum.tx_bad);
	port_stats_add(s, "tx-invalid", all.invalid_tx);
}

// SPDX-License-Identifier: BSD-3-Clause
// iface_stats.c - the figures of interfaces that are made of ports (core/stats.h)
#include <stdio.h>

#include "netstack/bridge.h"
#include "netstack/iface.h"

void iface_label(const struct iface *i, char label[IFACE_NAME_MAX])
{
	unsigned n = 0;

	for (; i->name[n]; n++)
		label[n] = i->name[n] == '.' ? ':' : i->name[n];
	label[n] = 0;
}

struct out {
	stats_emit_fn emit;
	void *arg;
	char label[IFACE_NAME_MAX];
};

static void put(const struct out *o, const char *figure, uint64_t value)
{
	char name[IFACE_NAME_MAX + 40];

	snprintf(name, sizeof(name), "interfaces.%s.%s", o->label, figure);
	o->emit(o->arg, name, value);
}

static void put_bridge(const struct out *o, const struct bridge *b)
{
	struct bridge_count c;

	bridge_counts(b, &c);
	put(o, "stations", __atomic_load_n(&b->macs.count, __ATOMIC_RELAXED));
	put(o, "flooded", c.flooded);
	put(o, "copied", c.copied);
	put(o, "no_buffer", c.no_buffer);
	put(o, "unlearnt", c.unlearnt);
	put(o, "moved", c.moved);
}

void ifaces_stats_emit(const struct ifaces *ifs, stats_emit_fn emit, void *arg)
{
	struct out o = {.emit = emit, .arg = arg};
	struct iface_count c;

	for (uint16_t k = (uint16_t)ifs->ports; k < ifs->n; k++) {
		iface_label(&ifs->iface[k], o.label);
		ifaces_counts(ifs, k, &c);
		put(&o, "up", iface_up(&ifs->iface[k]));
		put(&o, "rx.packets", c.rx_packets);
		put(&o, "rx.bytes", c.rx_bytes);
		put(&o, "tx.packets", c.tx_packets);
		put(&o, "tx.bytes", c.tx_bytes);
		if (ifs->iface[k].kind == IFACE_BRIDGE)
			put_bridge(&o, ifs->iface[k].domain);
	}
}

// SPDX-License-Identifier: BSD-3-Clause
// port.c - ports: finding a driver, opening, closing, figures
#include "pmd/port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct port_offload port_offloads[] = {
	{PORT_RX_CSUM, "rx-csum"},	 {PORT_TX_CSUM, "tx-csum"},	{PORT_TX_TSO4, "tso4"},
	{PORT_TX_TSO6, "tso6"},		 {PORT_TX_USO, "uso"},		{PORT_RX_LRO, "lro"},
	{PORT_VLAN_FILTER, "vlan-filter"}, {PORT_MAC_FILTER, "mac-filter"}, {PORT_RSS, "rss"},
	{0, NULL},
};

size_t port_offload_text(uint32_t offloads, char *text, size_t len)
{
	size_t n = 0;

	for (const struct port_offload *o = port_offloads; o->name; o++)
		if (offloads & o->bit)
			n += (size_t)snprintf(n < len ? text + n : NULL, n < len ? len - n : 0, " %s",
					      o->name);
	return n;
}

void port_grant_offloads(struct port_grant *g)
{
	size_t n = strlen(g->text);

	if (!g->offloads || n + 1 >= sizeof(g->text))
		return;
	g->text[n] = ',';
	g->text[n + 1] = 0;
	port_offload_text(g->offloads, g->text + n + 1, sizeof(g->text) - n - 1);
}

const struct pmd *pmd_find(const char *name)
{
	for (const struct pmd *const *p = pmd_list; *p; p++)
		if (!strcmp((*p)->name, name))
			return *p;
	return NULL;
}

const struct pmd *pmd_resolve(const char *name, const char *args)
{
	const struct pmd *pmd = pmd_find(name);

	if (pmd && pmd->variant && !strncmp(args, pmd->variant_key, strlen(pmd->variant_key)))
		return pmd->variant;
	return pmd;
}

static int unknown_driver(const struct port_conf *conf, struct err *err)
{
	char names[128] = "";
	size_t n = 0;

	for (const struct pmd *const *p = pmd_list; *p && n < sizeof(names); p++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", n ? ", " : "",
				      (*p)->name);
	return err_set(err, -ENOENT, "port %s: no driver is called '%s'; there are %s", conf->name,
		       conf->driver, names);
}

static int check_conf(const struct port_conf *conf, struct err *err)
{
	if (!conf->name || !conf->name[0] || strlen(conf->name) >= PORT_NAME_MAX)
		return err_set(err, -EINVAL, "port '%s': a name has 1 to %d characters",
			       conf->name ? conf->name : "", PORT_NAME_MAX - 1);
	if (!conf->queues || conf->queues > PORT_QUEUES_MAX)
		return err_set(err, -EINVAL, "port %s: %u queues wanted; 1 to %d are possible",
			       conf->name, conf->queues, PORT_QUEUES_MAX);
	if (!conf->pool)
		return err_set(err, -EINVAL, "port %s: no mempool to receive into", conf->name);
	return 0;
}

// A driver that granted what nobody can use is a bug of the driver, but a crash later is worse.
static int check_grant(const struct port *port, const struct port_conf *conf, struct err *err)
{
	const struct port_grant *g = &port->grant;

	if (!g->queues || g->queues > conf->queues || !g->mtu)
		return err_set(err, -EPROTO,
			       "port %s: driver %s granted %u of %u queues and MTU %u", port->name,
			       port->pmd->name, g->queues, conf->queues, g->mtu);
	// A driver that says nothing of itself promises nothing.
	if (port->pmd->can.queues &&
	    (g->queues > port->pmd->can.queues || (g->offloads & ~port->pmd->can.offloads)))
		return err_set(err, -EPROTO,
			       "port %s: driver %s granted %u queues and offloads %#x, and says of "
			       "itself (pmd.can) %u and %#x",
			       port->name, port->pmd->name, g->queues, g->offloads,
			       port->pmd->can.queues, port->pmd->can.offloads);
	for (unsigned q = 0; q < g->queues; q++)
		if (!port->queue[q].rx || !port->queue[q].tx)
			return err_set(err, -EPROTO, "port %s: driver %s left queue %u unset",
				       port->name, port->pmd->name, q);
	return 0;
}

int port_open(struct port *port, const struct port_conf *conf, struct err *err)
{
	const struct pmd *pmd;
	int rc = check_conf(conf, err);

	if (rc)
		return rc;
	pmd = conf->pmd ? conf->pmd : pmd_resolve(conf->driver, conf->args);
	if (!pmd)
		return unknown_driver(conf, err);
	memset(port->queue, 0, sizeof(port->queue));
	memset(port->soft, 0, sizeof(port->soft));
	memset(&port->grant, 0, sizeof(port->grant));
	port->pmd = pmd;
	port->priv = NULL;
	snprintf(port->name, sizeof(port->name), "%s", conf->name);

	rc = pmd->open(port, conf, err);
	if (!rc) {
		rc = check_grant(port, conf, err);
		if (!rc)
			return 0;
		pmd->close(port, NULL);
	}
	port->pmd = NULL;
	return rc;
}

int port_close(struct port *port, struct err *err)
{
	int rc;

	if (!port->pmd)
		return 0;
	rc = port->pmd->close(port, err);
	port->pmd = NULL;
	port->priv = NULL;
	memset(port->queue, 0, sizeof(port->queue));
	return rc;
}

static void soft_stats(const struct port *port, struct port_stats *s)
{
	struct port_soft sum = {0};

	for (unsigned q = 0; q < port->grant.queues; q++) {
		sum.csums += port->soft[q].csums;
		sum.cut += port->soft[q].cut;
		sum.cut_bytes += port->soft[q].cut_bytes;
	}
	port_stats_add(s, "sw-checksums", sum.csums);
	port_stats_add(s, "sw-segmented", sum.cut);
	port_stats_add(s, "sw-segmented-bytes", sum.cut_bytes);
}

void port_stats(const struct port *port, struct port_stats *s)
{
	memset(s, 0, sizeof(*s));
	if (!port->pmd)
		return;
	port->pmd->stats(port, s);
	soft_stats(port, s);
}

void port_link(const struct port *port, struct port_link *link)
{
	link->up = port->pmd != NULL;
	link->mbps = 0;
	if (port->pmd && port->pmd->link)
		port->pmd->link(port, link);
}

void port_stats_add(struct port_stats *s, const char *name, uint64_t value)
{
	if (s->counters == PORT_COUNTERS_MAX)
		return;
	s->counter[s->counters].name = name;
	s->counter[s->counters++].value = value;
}

int port_check_args(const struct port_conf *conf, int (*check)(const char *, struct err *),
		    struct err *err)
{
	struct err why;
	int rc = check(conf->args, &why);

	return rc ? err_set(err, rc, "port %s: %s:%s: %s", conf->name, conf->driver, conf->args,
			    why.text)
		  : 0;
}

void port_default_mac(const struct port *port, const struct port_conf *conf, uint8_t mac[6])
{
	const uint8_t own[6] = {0x02, 'w', 'e', 'i', 'r', (uint8_t)port->id};

	memcpy(mac, conf->has_mac ? conf->mac : own, 6);
}

void port_stats_emit(const struct port *port, stats_emit_fn emit, void *arg)
{
	struct port_stats s;
	char name[96];

	port_stats(port, &s);
	const struct port_counter base[] = {
		{"rx.packets", s.rx_packets},
		{"rx.bytes", s.rx_bytes},
		{"tx.packets", s.tx_packets},
		{"tx.bytes", s.tx_bytes},
	};

	for (unsigned i = 0; i < sizeof(base) / sizeof(base[0]); i++) {
		snprintf(name, sizeof(name), "ports.%s.%s", port->name, base[i].name);
		emit(arg, name, base[i].value);
	}
	for (unsigned i = 0; i < s.counters; i++) {
		snprintf(name, sizeof(name), "ports.%s.counters.%s", port->name, s.counter[i].name);
		emit(arg, name, s.counter[i].value);
	}
}

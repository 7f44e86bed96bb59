// SPDX-License-Identifier: BSD-3-Clause
// cmd_ctl_show.c - weir ctl: show routes, neighbors, ports, figures
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/cmd_ctl.h"
#include "apps/tool/ctl_client_priv.h"
#include "apps/tool/figures.h"
#include "pmd/port.h"

static int nonsense(struct err *err, const char *what)
{
	return err_set(err, -EPROTO, "%s that cannot be: the two are of different releases, or it is broken", what);
}

// Between two objects of an array.
static void part(struct ctl_run *r, bool *any)
{
	if (r->json)
		fputs(*any ? ",\n " : "[", stdout);
	*any = true;
}

static void finish(struct ctl_run *r, bool any)
{
	if (r->json)
		puts(any ? "]" : "[]");
}

// Prints the record at p of at most len bytes; how many it has, or 0 when it cannot be.
typedef size_t (*record_fn)(struct ctl_run *r, const uint8_t *p, size_t len, bool *any);

static size_t show_route(struct ctl_run *r, const uint8_t *p, size_t len, bool *any)
{
	struct ctl_path paths[CTL_PATHS_MAX];
	struct ctl_route route;
	size_t n;

	if (len < sizeof(route))
		return 0;
	memcpy(&route, p, sizeof(route));
	n = sizeof(route) + route.paths * sizeof(paths[0]);
	if (route.paths > CTL_PATHS_MAX || n > len)
		return 0;
	memcpy(paths, p + sizeof(route), n - sizeof(route));
	part(r, any);
	route_print(r->c, &route, paths, r->json, stdout);
	return n;
}

static size_t show_neighbor(struct ctl_run *r, const uint8_t *p, size_t len, bool *any)
{
	struct ctl_neighbor n;

	if (len < sizeof(n))
		return 0;
	memcpy(&n, p, sizeof(n));
	part(r, any);
	neighbor_print(r->c, &n, r->json, stdout);
	return sizeof(n);
}

// Asks again and again from where the answer before ended. Names must be known before: they are asked for on
// the same stream.
static int show_all(struct ctl_run *r, uint16_t type, struct ctl_show *s, record_fn one, struct err *err)
{
	static const uint8_t start[sizeof(s->cursor)];
	uint8_t before[sizeof(s->cursor)];
	struct ctl_shown head;
	struct ctl_answer a;
	bool any = false;
	int rc;

	ctl_name(r->c, CTL_KIND_VRF, 0);
	do {
		const uint8_t *p;
		size_t left, n;

		memcpy(before, s->cursor, sizeof(before));
		rc = ctl_call(r->c, type, s, sizeof(*s), &a, err);
		if (rc)
			return rc;
		if (a.len < sizeof(head))
			return nonsense(err, "a list");
		memcpy(&head, a.payload, sizeof(head));
		p = (const uint8_t *)a.payload + sizeof(head);
		left = a.len - sizeof(head);
		for (; head.count; head.count--, p += n, left -= n) {
			n = one(r, p, left, &any);
			if (!n)
				return nonsense(err, "a record");
		}
		memcpy(s->cursor, head.cursor, sizeof(s->cursor));
		if (memcmp(s->cursor, start, sizeof(start)) && !memcmp(s->cursor, before, sizeof(before)))
			return nonsense(err, "a list");
	} while (memcmp(s->cursor, start, sizeof(start)));
	finish(r, any);
	return 0;
}

int ctl_show_routes(struct ctl_run *r, struct words *w, struct err *err)
{
	struct ctl_show s;
	int rc = text_show(r->c, w, &s, err);

	r->applied_late = !rc;
	return rc ? rc : show_all(r, CTL_ROUTES_SHOW, &s, show_route, err);
}

int ctl_show_neighbors(struct ctl_run *r, struct words *w, struct err *err)
{
	struct ctl_show s;
	int rc = text_show(r->c, w, &s, err);

	r->applied_late = !rc;
	return rc ? rc : show_all(r, CTL_NEIGHBORS_SHOW, &s, show_neighbor, err);
}

// All figures, by name.
static int get_figures(struct ctl_run *r, struct figures *f, struct err *err)
{
	struct ctl_list head = {0};
	struct ctl_figure one;
	const void *records;
	char name[FIGURE_NAME_MAX];
	int left;

	do {
		const uint8_t *p;

		left = ctl_list(r->c, CTL_STATS, head.next, 0, &head, &records, err);
		for (p = records; left > 0 && head.count; head.count--) {
			size_t n = sizeof(one);

			if ((size_t)left >= n) {
				memcpy(&one, p, sizeof(one));
				n += (one.len + 7u) & ~7u;
			}
			if ((size_t)left < n)
				return nonsense(err, "a figure");
			snprintf(name, sizeof(name), "%.*s", (int)one.len, (const char *)p + sizeof(one));
			figures_add(f, name, one.value);
			p += n;
			left -= (int)n;
		}
	} while (left >= 0 && head.next);
	return left < 0 ? left : 0;
}

int ctl_show_stats(struct ctl_run *r, struct words *w, struct err *err)
{
	struct figures f = {0};
	int rc = words_end(w, err);

	if (rc)
		return rc;
	r->applied_late = true;
	rc = get_figures(r, &f, err);
	if (!rc && r->json)
		figures_print_json(&f, stdout);
	else if (!rc)
		figures_print_table(&f, stdout);
	figures_free(&f);
	return rc;
}

static void port_json(const struct ctl_port *p, const char *mac)
{
	char offloads[200] = "";

	port_offload_text(p->offloads, offloads, sizeof(offloads));
	printf("{\"name\": \"%s\", \"index\": %u, \"admin\": \"%s\", \"link\": \"%s\", \"mbps\": %u, \"mac\": \"%s\", "
	       "\"mtu\": %u, \"queues\": %u, \"rx_size\": %u, \"tx_size\": %u, \"offloads\": \"%s\", "
	       "\"rx_packets\": %" PRIu64 ", \"rx_bytes\": %" PRIu64 ", \"tx_packets\": %" PRIu64
	       ", \"tx_bytes\": %" PRIu64 "}",
	       p->name, p->index, p->admin ? "up" : "down", p->link ? "up" : "down", p->mbps, mac, p->mtu,
	       p->queues, p->rx_size, p->tx_size, offloads[0] ? offloads + 1 : "", p->rx_packets, p->rx_bytes,
	       p->tx_packets, p->tx_bytes);
}

static void show_port(struct ctl_run *r, struct ctl_port *p, const struct figures *f, bool *any)
{
	char mac[18], prefix[40];
	const uint8_t *m = p->mac;
	size_t n;

	p->name[sizeof(p->name) - 1] = 0;
	p->text[sizeof(p->text) - 1] = 0;
	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
	part(r, any);
	if (r->json)
		return port_json(p, mac);
	printf("%s: %s, link %s, mac %s mtu %u\n    %s\n    rx %" PRIu64 " packets %" PRIu64
	       " bytes, tx %" PRIu64 " packets %" PRIu64 " bytes\n",
	       p->name, p->admin ? "up" : "down", p->link ? "up" : "down", mac, p->mtu, p->text, p->rx_packets,
	       p->rx_bytes, p->tx_packets, p->tx_bytes);
	n = (size_t)snprintf(prefix, sizeof(prefix), "ports.%s.counters.", p->name);
	for (size_t i = 0; i < f->n; i++)
		if (!strncmp(f->list[i].name, prefix, n) && f->list[i].value)
			printf("    %s %" PRIu64 "\n", f->list[i].name + n, f->list[i].value);
}

// Those of the name, or all: *any says whether there was one.
static int show_ports(struct ctl_run *r, const char *name, const struct figures *f, bool *any, struct err *err)
{
	struct ctl_list head = {0};
	const void *records;
	int rc;

	do {
		rc = ctl_list(r->c, CTL_PORTS, head.next, sizeof(struct ctl_port), &head, &records, err);
		for (uint32_t i = 0; rc >= 0 && i < head.count; i++) {
			struct ctl_port p;

			memcpy(&p, (const uint8_t *)records + i * sizeof(p), sizeof(p));
			p.name[sizeof(p.name) - 1] = 0;
			if (!name || !strcmp(p.name, name))
				show_port(r, &p, f, any);
		}
	} while (rc >= 0 && head.next);
	return rc < 0 ? rc : 0;
}

// What is made of ports, a VLAN or a bridge: its figures begin with prefix, n bytes, "up" among them.
static void show_iface(struct ctl_run *r, const char *name, const char *prefix, size_t n,
		       const struct figures *f, bool *any)
{
	char up[64];

	snprintf(up, sizeof(up), "%sup", prefix);
	part(r, any);
	if (r->json)
		printf("{\"name\": \"%s\", \"admin\": \"%s\"", name, figures_get(f, up) ? "up" : "down");
	else
		printf("%s: %s\n   ", name, figures_get(f, up) ? "up" : "down");
	for (size_t i = 0; i < f->n; i++) {
		const char *figure = f->list[i].name;

		char key[64];

		if (strncmp(figure, prefix, n) || !strcmp(figure, up))
			continue;
		snprintf(key, sizeof(key), "%s", figure + n);
		for (char *c = key; *c; c++)
			if (*c == '.')
				*c = r->json ? '_' : ' ';
		printf(r->json ? ", \"%s\": %" PRIu64 : " %s %" PRIu64, key, f->list[i].value);
	}
	printf(r->json ? "}" : "\n");
}

static void show_ifaces(struct ctl_run *r, const char *only, const struct figures *f, bool *any)
{
	const char *name;

	for (uint16_t i = 0; (name = ctl_name(r->c, CTL_KIND_IFACE, i)) != NULL; i++) {
		char prefix[48], up[52];
		size_t n = (size_t)snprintf(prefix, sizeof(prefix), "interfaces.%.24s.", name);
		bool there = false;

		for (char *c = prefix + strlen("interfaces."); c < prefix + n - 1; c++)
			if (*c == '.') // which divides the names of figures
				*c = ':';
		snprintf(up, sizeof(up), "%sup", prefix);
		for (size_t k = 0; k < f->n && !there; k++)
			there = !strcmp(f->list[k].name, up);
		if (there && (!only || !strcmp(only, name)))
			show_iface(r, name, prefix, n, f, any);
	}
}

int ctl_show_ports(struct ctl_run *r, struct words *w, struct err *err)
{
	const char *name = words_next(w);
	struct figures f = {0};
	bool any = false;
	struct err why;
	int rc = words_end(w, err);

	if (!rc && name && ctl_index(r->c, CTL_KIND_PORT, name, &why) < 0 &&
	    ctl_index(r->c, CTL_KIND_IFACE, name, err) < 0)
		rc = -ENOENT;
	if (rc)
		return rc;
	r->applied_late = true;
	rc = get_figures(r, &f, err);
	if (!rc)
		rc = show_ports(r, name, &f, &any, err);
	if (!rc) {
		show_ifaces(r, name, &f, &any);
		finish(r, any);
	}
	figures_free(&f);
	return rc;
}

int ctl_show_hello(struct ctl_run *r, struct words *w, struct err *err)
{
	static const char *const txn[] = {"none", "open", "being applied", "awaits its confirmation"};
	const struct ctl_hello *h = ctl_hello(r->c);
	const char *t = h->txn < 4 ? txn[h->txn] : "?", *home = h->home == CTL_IMAGE ? "image" : "hosted";
	int rc = words_end(w, err);

	if (rc)
		return rc;
	if (r->json)
		printf("{\"function\": \"%s\", \"weir\": \"%s\", \"home\": \"%s\", \"lcores\": %u, \"uptime_ns\": %" PRIu64
		       ", \"transaction\": \"%s\", \"confirm_ms\": %u}\n",
		       h->function, h->weir, home, h->lcores, h->uptime_ns, t, h->confirm_ms);
	else
		printf("function %s, weir %s, %s, %u lcore%s, up %.1f s\ntransaction: %s%s\n", h->function, h->weir,
		       home, h->lcores, h->lcores == 1 ? "" : "s", (double)h->uptime_ns / 1e9, t,
		       h->txn == CTL_TXN_UNCONFIRMED ? ": weir ctl ENDPOINT confirm, or rollback" : "");
	return 0;
}

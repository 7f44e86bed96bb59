// SPDX-License-Identifier: BSD-3-Clause
// control_basic.c - what every function answers: hello, names, figures, ports
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/control_priv.h"
#include "core/plat.h"

#define FIGURES_MAX (512u << 10) // bytes of a client's figures

int control_hello(struct client *cl, struct control_req *req, struct control_out *out, struct err *err)
{
	const struct control *c = cl->control;
	const struct txn *t = &c->txn;
	struct ctl_hello h = {
		.uptime_ns = clock_tsc_to_ns(&control_lcore(c)->loop.clock, c->now - c->app->ready_tsc),
		.home = plat_boot_times.entry ? CTL_IMAGE : CTL_HOSTED,
		.lcores = (uint16_t)c->app->lcores,
	};
	int rc = control_payload(req, 0, "hello", err);

	if (rc)
		return rc;
	control_txn_leave(cl);
	h.txn = (uint8_t)t->state;
	if (t->state == CTL_TXN_UNCONFIRMED && t->deadline > c->now)
		h.confirm_ms = (uint32_t)((t->deadline - c->now) / (plat_tsc_hz() / 1000));
	snprintf(h.function, sizeof(h.function), "%s", c->app->function->name);
	snprintf(h.weir, sizeof(h.weir), "%s", WEIR_VERSION);
	control_put(out, &h, sizeof(h));
	return 0;
}

// A list whose records are all of one size: those from `from` on that fit.
struct list {
	struct ctl_list head;
	uint32_t from, at; // the first wanted; the number of the record that comes next
	bool full;
	struct control_out *out;
};

static int list_begin(struct list *l, const struct control_req *req, struct control_out *out, const char *what,
		      struct err *err)
{
	const struct ctl_from *from = req->payload;
	int rc = control_payload(req, sizeof(*from), what, err);

	if (rc)
		return rc;
	*l = (struct list){.from = from->from, .out = out};
	control_put(out, &l->head, sizeof(l->head));
	return 0;
}

static void list_put(struct list *l, const void *record, uint32_t len)
{
	uint32_t n = l->at++;

	if (n < l->from || l->full)
		return;
	if (control_put(l->out, record, len)) {
		l->head.count++;
	} else {
		l->full = true;
		l->head.next = n;
	}
}

static void list_end(struct list *l)
{
	memcpy(l->out->data, &l->head, sizeof(l->head));
}

static void put_name(struct list *l, enum ctl_kind kind, unsigned index, unsigned vrf, const char *name)
{
	struct ctl_name n = {.kind = (uint8_t)kind, .index = (uint16_t)index, .vrf = (uint16_t)vrf};

	snprintf(n.name, sizeof(n.name), "%s", name);
	list_put(l, &n, sizeof(n));
}

int control_describe(struct client *cl, struct control_req *req, struct control_out *out, struct err *err)
{
	const struct app *app = cl->control->app;
	const struct blob *b = &app->blob;
	struct list l;
	int rc = list_begin(&l, req, out, "describe", err);

	if (rc)
		return rc;
	for (unsigned i = 0; i < app->ports; i++)
		put_name(&l, CTL_KIND_PORT, i, 0, app->port[i].name);
	for (uint32_t i = 0; i < b->n_ifaces; i++)
		put_name(&l, CTL_KIND_IFACE, i, b->ifaces[i].vrf, blob_str(b, b->ifaces[i].name));
	put_name(&l, CTL_KIND_VRF, 0, 0, "default");
	for (uint32_t i = 0; i < b->n_vrfs; i++)
		put_name(&l, CTL_KIND_VRF, i + 1, 0, blob_str(b, b->vrfs[i]));
	list_end(&l);
	return 0;
}

static void put_port(struct list *l, const struct port *p)
{
	struct ctl_port r = {
		.index = p->id,
		.admin = !p->down,
		.mtu = p->grant.mtu,
		.queues = p->grant.queues,
		.rx_size = p->grant.rx_size,
		.tx_size = p->grant.tx_size,
		.offloads = p->grant.offloads,
	};
	struct port_stats s;
	struct port_link link;

	if (l->at < l->from || l->full) {
		l->at++;
		return;
	}
	port_link(p, &link);
	port_stats(p, &s);
	r.link = link.up;
	r.mbps = link.mbps;
	r.rx_packets = s.rx_packets;
	r.rx_bytes = s.rx_bytes;
	r.tx_packets = s.tx_packets;
	r.tx_bytes = s.tx_bytes;
	memcpy(r.mac, p->grant.mac, sizeof(r.mac));
	snprintf(r.name, sizeof(r.name), "%s", p->name);
	snprintf(r.text, sizeof(r.text), "%s", p->grant.text);
	list_put(l, &r, sizeof(r));
}

int control_ports(struct client *cl, struct control_req *req, struct control_out *out, struct err *err)
{
	const struct app *app = cl->control->app;
	struct list l;
	int rc = list_begin(&l, req, out, "ports", err);

	if (rc)
		return rc;
	for (unsigned i = 0; i < app->ports; i++)
		put_port(&l, &app->port[i]);
	list_end(&l);
	return 0;
}

// On each lcore: lets the packets of the port enter where they belong now.
static void set_port(struct app_lcore *l, void *arg)
{
	const struct port *p = arg;

	if (l->entry[p->id])
		l->source[p->id]->node =
			__atomic_load_n(&p->down, __ATOMIC_RELAXED) ? l->down : l->entry[p->id];
}

int control_port_set(struct client *cl, struct control_req *req, struct control_out *out, struct err *err)
{
	const struct ctl_port_set *set = req->payload;
	struct app *app = cl->control->app;
	struct port *p;
	int rc = control_payload(req, sizeof(*set), "port", err);

	if (rc)
		return rc;
	if (set->up > 1)
		return err_set(err, -EINVAL, "port %u: state %u: expected 0 (down) or 1 (up)", set->port,
			       set->up);
	if (set->port >= app->ports && app->function->admin && app->function->admin(app, set->port, set->up))
		return 0;
	if (set->port >= app->ports)
		return err_set(err, -ENODEV, "port %u: there are %u, counted from 0", set->port, app->ports);
	p = &app->port[set->port];
	if (cl->step == STEP_NEW) {
		__atomic_store_n(&p->down, !set->up, __ATOMIC_RELAXED);
		if (app_call(app, set_port, p, &cl->ticket))
			cl->step = STEP_WAIT;
		return -EINPROGRESS;
	}
	if (!app_called(app, cl->ticket))
		return -EINPROGRESS;
	cl->step = STEP_NEW;
	return 0;
}

// Appends a figure as it stands on the wire.
static void keep_figure(void *arg, const char *name, uint64_t value)
{
	struct client *cl = arg;
	struct ctl_figure f = {.value = value, .len = (uint16_t)strlen(name)};
	uint32_t padded = (f.len + 7u) & ~7u, n = (uint32_t)sizeof(f) + padded;
	uint8_t *p;

	if (cl->figures_len + n > cl->figures_room) {
		uint32_t room = cl->figures_room ? 2 * cl->figures_room : 16384;

		p = room <= FIGURES_MAX ? realloc(cl->figures, room) : NULL;
		cl->figures_lost |= !p;
		if (!p)
			return;
		cl->figures = p;
		cl->figures_room = room;
	}
	p = cl->figures + cl->figures_len;
	memset(p, 0, n);
	memcpy(p, &f, sizeof(f));
	memcpy(p + sizeof(f), name, f.len);
	cl->figures_len += n;
}

// The lcores write down their books, then a piece of the figures a housekeeping.
static int take_figures(struct client *cl, struct err *err)
{
	struct app *app = cl->control->app;

	if (cl->step == STEP_NEW) {
		cl->figures_len = 0;
		cl->figures_lost = false;
		cl->part = 0;
		if (app_call(app, app_tell, NULL, &cl->ticket))
			cl->step = STEP_WAIT;
		return -EINPROGRESS;
	}
	if (!app_called(app, cl->ticket))
		return -EINPROGRESS;
	if (app_stats_part(app, cl->part++, true, keep_figure, cl))
		return -EINPROGRESS;
	cl->step = STEP_NEW;
	if (cl->figures_lost)
		return err_set(err, -ENOMEM, "more figures than there is memory for (%u bytes at most)",
			       FIGURES_MAX);
	return 0;
}

// Whole figures from byte `from` on; `next` is a byte as well.
static void put_figures(struct client *cl, uint32_t from, struct control_out *out)
{
	struct ctl_list head = {0};
	struct ctl_figure f;
	uint32_t at = from, n;

	control_put(out, &head, sizeof(head));
	while (at < cl->figures_len) {
		memcpy(&f, cl->figures + at, sizeof(f));
		n = (uint32_t)sizeof(f) + ((f.len + 7u) & ~7u);
		if (!control_put(out, cl->figures + at, n))
			break;
		head.count++;
		at += n;
	}
	head.next = at < cl->figures_len ? at : 0;
	memcpy(out->data, &head, sizeof(head));
	cl->part = head.next; // where the next request goes on
	if (head.next)
		return;
	free(cl->figures);
	cl->figures = NULL;
	cl->figures_len = cl->figures_room = 0;
}

int control_stats(struct client *cl, struct control_req *req, struct control_out *out, struct err *err)
{
	const struct ctl_from *from = req->payload;
	int rc = control_payload(req, sizeof(*from), "stats", err);

	if (rc)
		return rc;
	if (!from->from)
		rc = take_figures(cl, err);
	else if (!cl->figures_len || from->from != cl->part)
		rc = err_set(err, -EINVAL, "figures from %u on: expected 0, or what the last answer gave",
			     from->from);
	if (!rc)
		put_figures(cl, from->from, out);
	return rc;
}

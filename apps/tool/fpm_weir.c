// SPDX-License-Identifier: BSD-3-Clause
// fpm_weir.c - FRR's routes as Weir takes them, and the control channel they go by
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/fpm_weir.h"
#include "apps/tool/util.h"

struct fpm_map { // a set of paths in Weir's words, as of one connection to it
	uint32_t session;
	uint16_t vrf;
	uint8_t kind; // enum ctl_route_kind
	uint8_t paths;
	enum fpm_why why;
	struct ctl_path path[CTL_PATHS_MAX];
};

struct shown { // a route that Weir showed
	struct ctl_route r;
	struct ctl_path path[CTL_PATHS_MAX];
};

struct found {
	struct fpm_weir *w;
	struct fpm_table *t;
	struct shown *list;
	size_t n, room;
};

struct same_arg {
	struct fpm_weir *w;
	const struct shown *s;
};

static void map_free(struct fpm_hops *h)
{
	free(h->map);
}

bool fpm_weir_table_known(void *arg, uint32_t table)
{
	const struct fpm_weir *w = arg;

	for (unsigned i = 0; i < w->vrfs; i++)
		if (w->vrf[i].number == table)
			return true;
	return table == RT_TABLE_MAIN;
}

// The index of the VRF that stands for FRR's table; -1: Weir has none such.
static int vrf_of(struct fpm_weir *w, uint32_t table)
{
	for (unsigned i = 0; i < w->vrfs; i++)
		if (w->vrf[i].number == table)
			return ctl_index(w->c, CTL_KIND_VRF, w->vrf[i].name, NULL);
	return table == RT_TABLE_MAIN ? 0 : -1;
}

// FRR's table of Weir's VRF; false: none.
static bool table_of(struct fpm_weir *w, uint16_t vrf, uint32_t *table)
{
	for (unsigned i = 0; i < w->vrfs; i++) {
		*table = w->vrf[i].number;
		if (vrf_of(w, *table) == vrf)
			return true;
	}
	*table = RT_TABLE_MAIN;
	return vrf_of(w, *table) == vrf;
}

static bool within(const uint8_t *addr, const struct fpm_net *net)
{
	unsigned whole = net->plen / 8, bits = net->plen % 8;

	return !memcmp(addr, net->prefix, whole) &&
	       (!bits || !((addr[whole] ^ net->prefix[whole]) >> (8 - bits)));
}

// The interface whose network the gateway is in, of the route's own VRF if there is one.
static int iface_by_net(const struct fpm_weir *w, const struct fpm_path *path, uint16_t vrf)
{
	int best = -1, score = -1;

	for (size_t i = 0; i < w->nets; i++) {
		const struct fpm_net *net = &w->net[i];
		int s = net->plen + (net->vrf == vrf ? 256 : 0);

		if (net->family == path->family && s > score && within(path->via, net)) {
			best = net->iface;
			score = s;
		}
	}
	return best;
}

static int iface_by_name(struct fpm_weir *w, uint32_t oif)
{
	char name[IF_NAMESIZE];

	for (unsigned i = 0; i < w->ifaces; i++)
		if (w->iface[i].number == oif)
			return ctl_index(w->c, CTL_KIND_IFACE, w->iface[i].name, NULL);
	if (!if_indextoname(oif, name))
		return -1;
	return ctl_index(w->c, CTL_KIND_IFACE, name, NULL);
}

static int iface_of(struct fpm_weir *w, const struct fpm_path *path, uint16_t vrf,
		    enum fpm_why *why)
{
	bool link_local =
		path->family == 6 && path->via[0] == 0xfe && (path->via[1] & 0xc0) == 0x80;
	int iface = link_local ? iface_by_name(w, path->oif) : iface_by_net(w, path, vrf);

	if (iface < 0)
		*why = link_local ? FPM_LINK_LOCAL : FPM_NO_IFACE;
	return iface;
}

static uint8_t kind_of(uint32_t type)
{
	return type == RTN_BLACKHOLE	 ? CTL_BLACKHOLE
	       : type == RTN_UNREACHABLE ? CTL_UNREACHABLE
	       : type == RTN_PROHIBIT	 ? CTL_PROHIBIT
					 : CTL_VIA;
}

// The set in Weir's words: with paths, or of a kind without, or neither and why.
static struct fpm_map *map(struct fpm_weir *w, struct fpm_hops *h, uint16_t vrf)
{
	struct fpm_map *m = h->map;
	unsigned out = 0;

	if (m && m->session == w->session && m->vrf == vrf)
		return m;
	if (!m)
		m = h->map = xrealloc(NULL, sizeof(*m));
	*m = (struct fpm_map){.session = w->session, .vrf = vrf, .kind = kind_of(h->type)};
	for (uint32_t i = 0; i < h->paths; i++) {
		const struct fpm_path *p = &h->path[i];
		int iface = iface_of(w, p, vrf, &m->why);
		struct ctl_path *to = &m->path[m->paths];

		if (iface < 0 || m->paths == CTL_PATHS_MAX) {
			out++;
			continue;
		}
		*to = (struct ctl_path){
			.iface = (uint16_t)iface,
			.weight = p->weight,
			.family = p->family,
		};
		memcpy(to->via, p->via, sizeof(to->via));
		m->paths++;
	}
	if (m->paths || m->kind != CTL_VIA) {
		m->why = FPM_APPLIED;
		w->cut += out;
	}
	return m;
}

// --- what Weir has ---

static int show_one(struct found *f, const uint8_t *p, size_t left)
{
	struct shown s = {0};
	size_t len;

	if (left < sizeof(s.r))
		return -EPROTO;
	memcpy(&s.r, p, sizeof(s.r));
	len = sizeof(s.r) + s.r.paths * sizeof(s.path[0]);
	if (s.r.paths > CTL_PATHS_MAX || left < len)
		return -EPROTO;
	memcpy(s.path, p + sizeof(s.r), len - sizeof(s.r));
	if (s.r.op == CTL_ORIGIN_CONNECTED && s.r.paths) {
		struct fpm_net *net;

		f->w->net = array_add(f->w->net, &f->w->nets, &f->w->net_room, sizeof(*net));
		net = &f->w->net[f->w->nets - 1];
		*net = (struct fpm_net){s.r.family, s.r.plen, s.r.vrf, s.path[0].iface, {0}};
		memcpy(net->prefix, s.r.prefix, sizeof(net->prefix));
	} else if (s.r.op == CTL_ORIGIN_ROUTE && s.r.owner == CTL_OWNER_FPM) {
		f->list = array_add(f->list, &f->n, &f->room, sizeof(s));
		f->list[f->n - 1] = s;
	}
	return (int)len;
}

static int show(struct found *f, struct err *err)
{
	struct ctl_show ask = {.vrf = CTL_VRF_ANY, .iface = CTL_IFACE_ANY, .what = CTL_WHAT_ALL};
	static const uint8_t done[sizeof(ask.cursor)];

	for (;;) {
		struct ctl_answer a;
		struct ctl_shown head;
		const uint8_t *p;
		size_t left;
		int rc = ctl_call(f->w->c, CTL_ROUTES_SHOW, &ask, sizeof(ask), &a, err);

		if (rc)
			return rc;
		if (a.len < sizeof(head))
			return err_set(err, -EPROTO,
				       "an answer of %u bytes to a request for routes", a.len);
		memcpy(&head, a.payload, sizeof(head));
		p = (const uint8_t *)a.payload + sizeof(head);
		left = a.len - sizeof(head);
		for (uint32_t i = 0; i < head.count; i++) {
			rc = show_one(f, p, left);
			if (rc < 0)
				return err_set(err, rc, "Weir showed a broken route");
			p += rc;
			left -= (size_t)rc;
		}
		if (!memcmp(head.cursor, done, sizeof(done)))
			return 0;
		if (!memcmp(head.cursor, ask.cursor, sizeof(ask.cursor)))
			return err_set(err, -EPROTO, "Weir shows the same routes again and again");
		memcpy(ask.cursor, head.cursor, sizeof(ask.cursor));
	}
}

static bool same(void *arg, struct fpm_hops *want)
{
	const struct same_arg *a = arg;
	const struct fpm_map *m = map(a->w, want, a->s->r.vrf);

	return m->why == FPM_APPLIED && m->kind == a->s->r.kind && m->paths == a->s->r.paths &&
	       !memcmp(m->path, a->s->path, m->paths * sizeof(m->path[0]));
}

static void refused(void *arg, int error, uint64_t operation)
{
	struct fpm_weir *w = arg;

	if (!*w->refused)
		snprintf(w->refused, sizeof(w->refused), "operation %llu of this connection: %s",
			 (unsigned long long)operation, strerror(error < 0 ? -error : error));
}

static int names_exist(struct fpm_weir *w, struct err *err)
{
	for (unsigned i = 0; i < w->vrfs; i++)
		if (ctl_index(w->c, CTL_KIND_VRF, w->vrf[i].name, err) < 0)
			return -ENOENT;
	for (unsigned i = 0; i < w->ifaces; i++)
		if (ctl_index(w->c, CTL_KIND_IFACE, w->iface[i].name, err) < 0)
			return -ENOENT;
	return 0;
}

static int learn(struct fpm_weir *w, struct fpm_table *t, struct err *err)
{
	struct found f = {.w = w, .t = t};
	int rc = show(&f, err);

	if (!rc)
		fpm_table_weir_new(t);
	for (size_t i = 0; !rc && i < f.n; i++) {
		struct same_arg a = {w, &f.list[i]};
		struct fpm_key key = {.family = a.s->r.family, .plen = a.s->r.plen};

		memcpy(key.prefix, a.s->r.prefix, sizeof(key.prefix));
		if (table_of(w, a.s->r.vrf, &key.table))
			fpm_table_found(t, &key, same, &a);
	}
	if (!rc)
		fpm_table_queue_all(t);
	free(f.list);
	return rc;
}

int fpm_weir_connect(struct fpm_weir *w, struct fpm_table *t, struct err *err)
{
	int rc = ctl_connect(&w->c, w->endpoint, err);

	if (rc) {
		w->c = NULL;
		return rc;
	}
	fpm_hops_gone = map_free;
	w->session++;
	w->nets = 0;
	*w->refused = 0;
	rc = names_exist(w, err);
	if (!rc)
		rc = learn(w, t, err);
	if (!rc)
		rc = ctl_feed_begin(w->c, true, refused, w);
	if (rc)
		fpm_weir_close(w);
	return rc;
}

// --- what Weir is told ---

static int send_change(struct fpm_weir *w, struct fpm_table *t, struct fpm_entry *e,
		       struct err *err)
{
	int vrf = vrf_of(w, e->key.table), rc = 0;
	const struct fpm_map *m = e->want && vrf >= 0 ? map(w, e->want, (uint16_t)vrf) : NULL;
	bool have = m && m->why == FPM_APPLIED;
	struct ctl_route r = {
		.op = have ? CTL_REPLACE : CTL_FORGET,
		.family = e->key.family,
		.plen = e->key.plen,
		.vrf = (uint16_t)(vrf < 0 ? 0 : vrf),
		.owner = CTL_OWNER_FPM,
	};

	memcpy(r.prefix, e->key.prefix, sizeof(r.prefix));
	if (have) {
		r.kind = m->kind;
		r.paths = m->paths;
	}
	// Back to what it was before anybody was told, or never there.
	if (vrf >= 0 && (have ? !e->in_weir || e->sent != e->want : e->in_weir))
		rc = ctl_feed_route(w->c, &r, have ? m->path : NULL, err);
	fpm_table_done(t, e, have, m ? m->why : FPM_TABLE);
	return rc;
}

int fpm_weir_flush(struct fpm_weir *w, struct fpm_table *t, struct err *err)
{
	struct fpm_entry *e;
	int rc = 0;

	fpm_table_settle(t);
	while (!rc && (e = fpm_table_change(t)))
		rc = send_change(w, t, e, err);
	if (!rc)
		rc = ctl_feed_flush(w->c, false, err);
	if (rc)
		fpm_weir_close(w);
	return rc;
}

struct ctl_feed_totals fpm_weir_totals(const struct fpm_weir *w)
{
	struct ctl_feed_totals sum = w->before;

	if (w->c) {
		const struct ctl_feed_totals *now = ctl_feed_totals(w->c);

		sum.operations += now->operations;
		sum.applied += now->applied;
		sum.refused += now->refused;
		sum.lost += now->lost;
		sum.frames += now->frames;
		sum.turn_ns = now->turn_ns > sum.turn_ns ? now->turn_ns : sum.turn_ns;
	}
	return sum;
}

void fpm_weir_close(struct fpm_weir *w)
{
	w->before = fpm_weir_totals(w);
	if (w->c)
		ctl_close(w->c);
	w->c = NULL;
}

void fpm_weir_free(struct fpm_weir *w)
{
	fpm_weir_close(w);
	free(w->net);
}

// SPDX-License-Identifier: BSD-3-Clause
// control.c - the router's operations on the control channel: what clients say, made changes of
// live.h
//
// A frame holds hundreds of operations, whose next hops have to be looked up: it is taken in
// slices, too. What it holds was written by anybody: each length is checked before what it covers
// is read.
#include <errno.h>
#include <string.h>

#include "apps/control.h"
#include "apps/router/live.h"
#include "apps/router/router.h"
#include "core/plat.h"

#define AT_ONCE 4u // operations between two looks at the clock

static_assert((int)LIVE_ADD == CTL_ADD && (int)LIVE_FORGET == CTL_FORGET, "as on the wire");
static_assert((int)FIB_PROHIBIT == CTL_PROHIBIT && FIB_PATHS_MAX == CTL_PATHS_MAX,
	      "as on the wire");
static_assert(FIB_IFACE_ANY == CTL_IFACE_ANY, "as on the wire");
static_assert(FIB_OWNER_USUAL == CTL_OWNER_CONFIG, "the configuration's routes are the quick ones");

static struct live *live_of(struct app_lcore *l)
{
	return router_of(l->app)->live;
}

// --- operations ---

static int put_address(union ip_addr *to, uint8_t family, const uint8_t from[16], struct err *err)
{
	memcpy(to, from, sizeof(*to));
	if (family == 4 && (to->w[0] >> 32 || to->w[1]))
		return err_set(err, -EINVAL, "an IPv4 address of more than 4 bytes");
	return 0;
}

static int parse_path(struct fib_path *to, uint8_t family, const uint8_t *from, struct err *err)
{
	struct ctl_path p;

	memcpy(&p, from, sizeof(p));
	if (p.family != family)
		return err_set(err, -EINVAL, "a next hop of IPv%u for a route of IPv%u", p.family,
			       family);
	to->iface = p.iface;
	to->weight = p.weight;
	return put_address(&to->via, family, p.via, err);
}

// One operation of len bytes at most; *used: how many it has.
static int parse_route(struct fib_route *r, uint8_t *op, const uint8_t *from, uint32_t len,
		       uint32_t *used, struct err *err)
{
	struct ctl_route c;
	int rc;

	if (len < sizeof(c))
		return err_set(err, -EINVAL, "a route of %u bytes: at least %zu", len, sizeof(c));
	memcpy(&c, from, sizeof(c));
	if (c.paths > CTL_PATHS_MAX || len - sizeof(c) < c.paths * sizeof(struct ctl_path))
		return err_set(err, -EINVAL, "a route of %u next hops in %u bytes", c.paths, len);
	*used = (uint32_t)(sizeof(c) + c.paths * sizeof(struct ctl_path));
	*op = c.op;
	r->family = c.family;
	r->plen = c.plen;
	r->kind = c.kind;
	r->paths = c.paths;
	r->vrf = c.vrf;
	r->owner = c.owner == CTL_OWNER_NONE ? CTL_OWNER_CTL : c.owner;
	rc = put_address(&r->prefix, c.family, c.prefix, err);
	for (unsigned i = 0; i < c.paths && !rc; i++)
		rc = parse_path(&r->path[i], c.family,
				from + sizeof(c) + i * sizeof(struct ctl_path), err);
	return rc;
}

static int take_route(struct live *live, struct router_frame *f, const struct control_req *req,
		      struct err *err)
{
	struct fib_route r;
	uint32_t used = 0;
	uint8_t op = 0;
	int rc = parse_route(&r, &op, (const uint8_t *)req->payload + f->off, req->len - f->off,
			     &used, err);

	f->off += used;
	f->broken = !used; // where the next begins nobody knows
	return rc ? rc : live_route(live, op, &r, f->before + f->at, err);
}

static int take_neighbor(struct live *live, struct router_frame *f, const struct control_req *req,
			 struct err *err)
{
	struct ctl_neighbor c;
	struct live_neighbor n;
	int rc;

	f->broken = req->len - f->off < sizeof(c);
	if (f->broken)
		return err_set(err, -EINVAL, "a neighbor of %u bytes: %zu", req->len - f->off,
			       sizeof(c));
	memcpy(&c, (const uint8_t *)req->payload + f->off, sizeof(c));
	f->off += sizeof(c);
	n.family = c.family;
	n.iface = c.iface;
	memcpy(n.mac, c.mac, sizeof(n.mac));
	rc = put_address(&n.addr, c.family, c.addr, err);
	return rc ? rc : live_neighbor(live, c.op, &n, f->before + f->at, err);
}

static void begin_frame(struct live *live, struct router_frame *f)
{
	*f = (struct router_frame){.off = sizeof(struct ctl_ops),
				   .routes = live_routes(live),
				   .neighbors = live_neighbors(live)};
}

static int take_one(struct live *live, struct router_frame *f, const struct control_req *req,
		    struct err *err)
{
	return req->type == CTL_ROUTES ? take_route(live, f, req, err)
				       : take_neighbor(live, f, req, err);
}

// A slice of a frame. cost: NULL, or where operations that are wrong are counted while the others
// go on.
static int take(struct live *live, struct router_frame *f, struct control_req *req,
		struct ctl_cost *cost, struct err *err)
{
	const struct ctl_ops *ops = req->payload;
	uint64_t deadline = tsc_read() + plat_tsc_hz() / 1000000 * LIVE_SLICE_US;
	struct err why;

	while (f->at < ops->count) {
		int rc = take_one(live, f, req, &why);

		if (rc && (!cost || f->broken)) {
			req->at = f->at;
			*err = why;
			return rc;
		}
		if (rc && !cost->refused++) {
			cost->error = (uint32_t)-rc;
			cost->at = f->at;
		}
		if (++f->at % AT_ONCE == 0 && tsc_read() > deadline)
			return -EINPROGRESS;
	}
	if (f->off == req->len)
		return 0;
	return err_set(err, -EINVAL, "%u bytes behind the last operation", req->len - f->off);
}

// --- struct control_ops ---

static int begin(struct app_lcore *l, struct err *err)
{
	live_begin(live_of(l), false);
	return 0;
}

static int stage(struct app_lcore *l, struct control_req *req, uint32_t *staged, struct err *err)
{
	struct router_frame *f = &router_of(l->app)->frame;
	struct live *live = live_of(l);
	int rc;

	if (!req->again) {
		begin_frame(live, f);
		f->before = *staged;
	}
	rc = take(live, f, req, NULL, err);
	if (!rc)
		*staged += ((const struct ctl_ops *)req->payload)->count;
	else if (rc != -EINPROGRESS)
		live_unstage(live, f->routes, f->neighbors);
	return rc;
}

static int commit(struct app_lcore *l, struct ctl_cost *cost, struct err *err)
{
	struct router *r = router_of(l->app);
	struct live_result result = {0};
	int rc;

	if (!r->committing)
		r->lost = live_lost(r->live);
	r->committing = true;
	rc = live_commit(r->live, &result, err);
	if (rc == -EINPROGRESS)
		return rc;
	r->committing = false;
	cost->applied = result.applied;
	if (rc && result.error)
		cost->at = result.at;
	cost->lost = live_lost(r->live) - r->lost;
	return rc;
}

static int revert(struct app_lcore *l, struct ctl_cost *cost)
{
	return live_revert(live_of(l));
}

static void end(struct app_lcore *l)
{
	live_end(live_of(l));
}

static void note_refused(struct ctl_cost *cost, const struct live_result *r)
{
	if (r->error && (!cost->refused || r->at < cost->at)) {
		cost->error = (uint32_t)-r->error;
		cost->at = r->at;
	}
	cost->refused += r->refused;
	cost->applied = r->applied;
}

static int each(struct app_lcore *l, struct control_req *req, struct ctl_cost *cost,
		struct err *err)
{
	struct router *r = router_of(l->app);
	struct router_frame *f = &r->frame;
	struct live_result result = {0};
	int rc;

	if (!req->again) {
		live_begin(r->live, true);
		begin_frame(r->live, f);
		r->lost = live_lost(r->live);
	}
	if (!f->staged) {
		rc = take(r->live, f, req, cost, err);
		if (rc && rc != -EINPROGRESS)
			live_end(r->live);
		f->staged = !rc;
		return rc ? rc : -EINPROGRESS;
	}
	rc = live_commit(r->live, &result, err);
	if (rc == -EINPROGRESS)
		return rc;
	note_refused(cost, &result);
	cost->lost = live_lost(r->live) - r->lost;
	live_end(r->live);
	return 0;
}

const struct control_ops router_control = {
	.request = router_show,
	.begin = begin,
	.stage = stage,
	.commit = commit,
	.revert = revert,
	.end = end,
	.each = each,
};

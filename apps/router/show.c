// SPDX-License-Identifier: BSD-3-Clause
// show.c - the router's routes and neighbors for the control channel, in pieces
//
// A cursor is where the piece before ended: table and prefix, or table and index. It is the
// client's, so it is checked like everything else; what comes and goes between two pieces does not
// matter.
#include <errno.h>
#include <string.h>

#include "apps/control.h"
#include "apps/router/router.h"
#include "core/plat.h"

#define LOOKS_MAX 512u // prefixes or neighbors looked at for a piece

struct route_cursor {
	uint8_t begun; // 0: at the beginning
	uint8_t family;
	uint8_t behind; // the prefix has been shown; else the table begins
	uint8_t plen;
	uint16_t vrf;
	uint16_t reserved;
	uint8_t prefix[16];
};
static_assert(sizeof(struct route_cursor) == sizeof(((struct ctl_show *)0)->cursor), "it fits");

struct neighbor_cursor {
	uint8_t begun;
	uint8_t family;
	uint16_t reserved;
	uint32_t at;
	uint8_t rest[16];
};
static_assert(sizeof(struct neighbor_cursor) == sizeof(struct route_cursor), "it fits");

// --- routes ---

static uint8_t origin(const struct fib *f, uint32_t index)
{
	if (!fib_is_own(f, index))
		return CTL_ORIGIN_ROUTE;
	return index >= ADJ_INDEX_GLEAN0 ? CTL_ORIGIN_CONNECTED : CTL_ORIGIN_LOCAL;
}

// False: no room.
static bool put_route(struct control_out *out, const struct fib *f, uint8_t family, uint16_t vrf,
		      const union ip_addr *prefix, uint8_t plen, uint32_t index)
{
	struct {
		struct ctl_route r;
		struct ctl_path path[CTL_PATHS_MAX];
	} __attribute__((packed)) record = {0};
	struct fib_route r;

	fib_describe(f, family, index, &r);
	record.r = (struct ctl_route){.op = origin(f, index),
				      .family = family,
				      .plen = plen,
				      .kind = r.kind,
				      .vrf = vrf,
				      .paths = r.paths,
				      .owner = r.owner};
	memcpy(record.r.prefix, prefix, sizeof(record.r.prefix));
	for (unsigned i = 0; i < r.paths; i++) {
		record.path[i].iface = r.path[i].iface;
		record.path[i].weight = r.path[i].weight;
		record.path[i].family = family;
		memcpy(record.path[i].via, &r.path[i].via, sizeof(record.path[i].via));
	}
	return control_put(out, &record,
			   (uint32_t)(sizeof(record.r) + r.paths * sizeof(record.path[0])));
}

static bool wanted(const struct ctl_show *show, const union ip_addr *want,
		   const union ip_addr *prefix, uint8_t plen)
{
	return show->what != CTL_WHAT_WITHIN ||
	       (plen >= show->plen && fib_within(prefix, want, show->plen));
}

// The table behind the cursor's, of those that are wanted. False: that was the last.
static bool next_table(const struct ctl_show *show, const struct fib *f, struct route_cursor *c)
{
	uint8_t first = show->family == 6 ? 6 : 4, last = show->family == 4 ? 4 : 6;
	uint16_t vrf0 = show->vrf == CTL_VRF_ANY ? 0 : show->vrf;
	uint16_t vrf1 = show->vrf == CTL_VRF_ANY ? (uint16_t)(fib_vrfs(f) - 1) : show->vrf;

	if (!c->begun) {
		*c = (struct route_cursor){.begun = 1, .family = first, .vrf = vrf0};
		return true;
	}
	if (c->vrf < vrf1)
		*c = (struct route_cursor){
			.begun = 1, .family = c->family, .vrf = (uint16_t)(c->vrf + 1)};
	else if (c->family < last)
		*c = (struct route_cursor){.begun = 1, .family = last, .vrf = vrf0};
	else
		return false;
	return true;
}

// Routes from the cursor on, until there is no room or enough was looked at. False: that was all.
static bool put_routes(struct control_out *out, const struct fib *f, const struct ctl_show *show,
		       struct route_cursor *c, uint32_t *count)
{
	union ip_addr want, at;

	memcpy(&want, show->prefix, sizeof(want));
	if (!c->begun && !next_table(show, f, c))
		return false;
	for (unsigned looks = 0; looks < LOOKS_MAX; looks++) {
		uint8_t plen = c->plen;
		int index;

		memcpy(&at, c->prefix, sizeof(at));
		index = c->behind ? fib_next(f, c->family, c->vrf, &at, &plen)
				  : fib_first(f, c->family, c->vrf, &at, &plen);
		if (index < 0 && !next_table(show, f, c))
			return false;
		if (index < 0)
			continue;
		if (wanted(show, &want, &at, plen)) {
			if (!put_route(out, f, c->family, c->vrf, &at, plen, (uint32_t)index))
				return true;
			++*count;
		}
		c->behind = 1;
		c->plen = plen;
		memcpy(c->prefix, &at, sizeof(c->prefix));
	}
	return true;
}

// The route of exactly this prefix, or the one that packets to an address take.
static int put_one_route(struct control_out *out, const struct fib *f, const struct ctl_show *show,
			 uint32_t *count, struct err *err)
{
	uint16_t vrf = show->vrf == CTL_VRF_ANY ? 0 : show->vrf;
	uint8_t bits = show->family == 4 ? 32 : 128, plen = show->plen;
	union ip_addr a, asked;
	int index;

	memcpy(&a, show->prefix, sizeof(a));
	asked = a;
	if (show->what == CTL_WHAT_EXACT) {
		index = fib_get(f, show->family, vrf, &a, plen);
	} else {
		// The longest prefix of the address that there is.
		for (plen = bits, index = -ENOENT; index < 0; plen--) {
			for (unsigned i = plen; i < bits; i++)
				a.v6[i / 8] &= (uint8_t) ~(0x80u >> i % 8);
			index = fib_get(f, show->family, vrf, &a, plen);
			if (index >= 0 || !plen)
				break;
		}
	}
	if (index < 0)
		return err_set(err, -ESRCH, show->what == CTL_WHAT_EXACT ? "%s/%u: there is no such route" :
								   "%s: no route leads there",
			       fib_text(show->family, &asked), show->plen);
	*count = put_route(out, f, show->family, vrf, &a, plen, (uint32_t)index);
	return 0;
}

static int check_show(const struct fib *f, const struct ctl_show *show, struct err *err)
{
	bool one = show->what == CTL_WHAT_EXACT || show->what == CTL_WHAT_MATCH;
	uint8_t bits = show->family == 4 ? 32 : 128;

	if (show->family != 4 && show->family != 6 && (show->family || show->what != CTL_WHAT_ALL))
		return err_set(err, -EINVAL, "what to show of family %u", show->family);
	if (show->what > CTL_WHAT_WITHIN)
		return err_set(err, -EINVAL, "showing %u: 0 to %u", show->what, CTL_WHAT_WITHIN);
	if (show->vrf != CTL_VRF_ANY && show->vrf >= fib_vrfs(f))
		return err_set(err, -EINVAL, "VRF %u: there are %u", show->vrf, fib_vrfs(f));
	if ((one || show->what == CTL_WHAT_WITHIN) && show->plen > bits)
		return err_set(err, -EINVAL, "prefix length %u", show->plen);
	return 0;
}

static int check_cursor(const struct fib *f, const struct route_cursor *c, struct err *err)
{
	if (!c->begun || ((c->family == 4 || c->family == 6) && c->vrf < fib_vrfs(f) &&
			  c->plen <= (c->family == 4 ? 32 : 128)))
		return 0;
	return err_set(err, -EINVAL, "a cursor that no answer gave");
}

static int show_routes(const struct router *r, const struct ctl_show *show, struct control_out *out,
		       struct err *err)
{
	struct ctl_shown shown = {0};
	struct route_cursor c;
	uint32_t at = out->len;
	int rc = check_show(r->fib, show, err);

	memcpy(&c, show->cursor, sizeof(c));
	if (!rc)
		rc = check_cursor(r->fib, &c, err);
	if (rc || !control_put(out, &shown, sizeof(shown)))
		return rc;
	if (show->what == CTL_WHAT_EXACT || show->what == CTL_WHAT_MATCH)
		rc = put_one_route(out, r->fib, show, &shown.count, err);
	else if (put_routes(out, r->fib, show, &c, &shown.count))
		memcpy(shown.cursor, &c, sizeof(shown.cursor));
	memcpy(out->data + at, &shown, sizeof(shown));
	return rc;
}

// --- neighbors ---

static uint8_t nud(uint8_t state)
{
	static const uint8_t of[] = {
		[NEIGH_FREE] = CTL_NUD_NONE,
		[NEIGH_IDLE] = CTL_NUD_NONE,
		[NEIGH_INCOMPLETE] = CTL_NUD_INCOMPLETE,
		[NEIGH_REACHABLE] = CTL_NUD_REACHABLE,
		[NEIGH_STALE] = CTL_NUD_STALE,
		[NEIGH_DELAY] = CTL_NUD_DELAY,
		[NEIGH_PROBE] = CTL_NUD_PROBE,
		[NEIGH_FAILED] = CTL_NUD_INCOMPLETE,
		[NEIGH_STATIC] = CTL_NUD_PERMANENT,
	};

	return state < sizeof(of) ? of[state] : CTL_NUD_NONE;
}

static bool put_neighbor(struct control_out *out, uint8_t family, const struct neigh_info *n)
{
	uint64_t ms = n->age / 1000000;
	struct ctl_neighbor c = {
		.family = family,
		.iface = n->iface,
		.state = nud(n->state),
		.age_ms = ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms,
	};

	if (n->known)
		memcpy(c.mac, n->mac, sizeof(c.mac));
	memcpy(c.addr, &n->addr, sizeof(c.addr));
	return control_put(out, &c, sizeof(c));
}

static bool wanted_neighbor(const struct ctl_show *show, const struct neigh_info *n)
{
	if (show->iface != CTL_IFACE_ANY && show->iface != n->iface)
		return false;
	return show->what != CTL_WHAT_EXACT || !memcmp(show->prefix, &n->addr, sizeof(n->addr));
}

static const struct neigh_table *neighbors_of(const struct router *r, uint8_t family)
{
	if (family == 4)
		return &r->ip4[0]->neighbors;
	return r->ip6[0] ? &r->ip6[0]->neighbors : NULL;
}

static bool put_neighbors(struct control_out *out, const struct router *r,
			  const struct ctl_show *show, struct neighbor_cursor *c, uint64_t now,
			  uint32_t *count)
{
	struct neigh_info info;

	if (!c->begun)
		*c = (struct neighbor_cursor){.begun = 1, .family = show->family == 6 ? 6 : 4};
	for (unsigned looks = 0; looks < LOOKS_MAX; looks++) {
		const struct neigh_table *t = neighbors_of(r, c->family);
		uint32_t at = c->at;

		if (!t || !neigh_next(t, &at, now, &info)) {
			if (c->family == 6 || show->family == 4)
				return false;
			*c = (struct neighbor_cursor){.begun = 1, .family = 6};
			continue;
		}
		if (wanted_neighbor(show, &info)) {
			if (!put_neighbor(out, c->family, &info))
				return true;
			++*count;
		}
		c->at = at;
	}
	return true;
}

static int show_neighbors(struct app_lcore *l, const struct ctl_show *show, struct control_out *out,
			  struct err *err)
{
	const struct router *r = router_of(l->app);
	struct ctl_shown shown = {0};
	struct neighbor_cursor c;
	uint32_t at = out->len;

	memcpy(&c, show->cursor, sizeof(c));
	if (show->family && show->family != 4 && show->family != 6)
		return err_set(err, -EINVAL, "neighbors of family %u", show->family);
	if (c.begun && c.family != 4 && c.family != 6)
		return err_set(err, -EINVAL, "a cursor that no answer gave");
	if (!control_put(out, &shown, sizeof(shown)))
		return 0;
	if (put_neighbors(out, r, show, &c, graph_now(r->ip4[0]->neighbors.node), &shown.count))
		memcpy(shown.cursor, &c, sizeof(shown.cursor));
	memcpy(out->data + at, &shown, sizeof(shown));
	return 0;
}

int router_show(struct app_lcore *l, struct control_req *req, struct control_out *out,
		struct err *err)
{
	struct ctl_show show;

	if (req->type != CTL_ROUTES_SHOW && req->type != CTL_NEIGHBORS_SHOW)
		return -ENOTSUP;
	if (req->len != sizeof(show))
		return err_set(err, -EINVAL, "%u bytes of what to show: %zu", req->len,
			       sizeof(show));
	memcpy(&show, req->payload, sizeof(show));
	return req->type == CTL_ROUTES_SHOW ? show_routes(router_of(l->app), &show, out, err)
					    : show_neighbors(l, &show, out, err);
}

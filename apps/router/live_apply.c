// SPDX-License-Identifier: BSD-3-Clause
// live_apply.c - the routes of a transaction, forwards and backwards
#include <errno.h>
#include <string.h>

#include "apps/router/live_priv.h"
#include "core/plat.h"

#define AT_ONCE 8u // operations between two looks at the clock

static int check(const struct live_rec *r, int was)
{
	if (r->op == LIVE_ADD && was >= 0)
		return -EEXIST;
	if (r->op == LIVE_DELETE && was < 0)
		return -ESRCH;
	return 0;
}

static int apply(struct live *l, struct live_rec *r)
{
	int was = fib_get(l->f, r->family, r->vrf, &r->prefix, r->plen);
	int rc = check(r, was);

	if (!rc)
		rc = fib_swap(l->f, r->family, r->vrf, &r->prefix, r->plen, r->hop, &r->hop);
	return rc;
}

static const char *reason(enum live_op op, int error)
{
	switch (error) {
	case -EEXIST:
		return op == LIVE_ADD ? "there is a route already, or the prefix is the router's own" :
					"the prefix is the router's own: it comes of an address";
	case -ESRCH:
		return "there is no such route";
	case -ELOOP:
		return "its next hop would be reached by itself";
	default:
		return strerror(-error);
	}
}

static void explain(struct live *l, const struct live_rec *r, int error)
{
	if (!l->result.error)
		err_set(&l->err, error, "%s/%u: %s", fib_text(r->family, &r->prefix), r->plen,
			reason(r->op, error));
}

// False: the transaction has failed.
static bool one(struct live *l, struct live_rec *r)
{
	int rc = apply(l, r);

	if (!rc) {
		r->state = LIVE_APPLIED;
		l->result.applied++;
		return true;
	}
	explain(l, r, rc);
	live_refuse(l, rc, r->at);
	r->state = LIVE_PASSED_OVER;
	return l->each;
}

bool live_apply(struct live *l, uint64_t deadline)
{
	while (l->done < l->routes.n) {
		if (!one(l, live_rec(&l->routes, l->done)))
			return true;
		if (++l->done % AT_ONCE == 0 && tsc_read() > deadline)
			return false;
	}
	return true;
}

bool live_undo(struct live *l, uint64_t deadline)
{
	while (l->done) {
		struct live_rec *r = live_rec(&l->routes, l->done - 1);

		// No memory now: there was enough before, and will be when all lcores have gone by.
		if (r->state == LIVE_APPLIED &&
		    fib_restore(l->f, r->family, r->vrf, &r->prefix, r->plen, r->hop, &r->hop))
			return false;
		r->state = LIVE_STAGED;
		if (--l->done % AT_ONCE == 0 && tsc_read() > deadline)
			return false;
	}
	return true;
}

// SPDX-License-Identifier: BSD-3-Clause
// fib.c - making a router's tables, and changing what a prefix leads to
#include "netstack/fib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netstack/fib_priv.h"

static int check_conf(const struct fib *f, const struct fib_conf *c, struct err *err)
{
	if (f->vrfs > FIB_VRFS_MAX)
		return err_set(err, -EINVAL, "%u VRFs: at most %u", f->vrfs, FIB_VRFS_MAX);
	if (f->hops > FIB_HOPS_MAX)
		return err_set(err, -EINVAL, "%u next hops: at most %u", f->hops, FIB_HOPS_MAX);
	if (f->lcores > FIB_LCORES_MAX)
		return err_set(err, -EINVAL, "%u lcores: at most %u", f->lcores, FIB_LCORES_MAX);
	for (unsigned i = 0; i < c->ifs->n; i++)
		if (c->ifs->iface[i].vrf >= f->vrfs)
			return err_set(err, -EINVAL, "interface %u is in VRF %u of %u", i,
				       c->ifs->iface[i].vrf, f->vrfs);
	return 0;
}

struct fib *fib_create(const struct fib_conf *c, struct err *err)
{
	struct fib *f = calloc(1, sizeof(*f));

	if (!f) {
		err_set(err, -ENOMEM, "no memory for a router's tables");
		return NULL;
	}
	f->refs = 1;
	f->ifs = ifaces_ref(c->ifs);
	f->vrfs = c->vrfs ? c->vrfs : 1;
	f->hops = c->hops ? c->hops : FIB_HOPS;
	f->lcores = c->lcores ? c->lcores : 1;
	f->hop0 = ADJ_INDEX_GLEAN0 + c->ifs->n;
	for (unsigned i = 0; i < 2; i++)
		f->half[i].watch = (struct fib_watch){f, i ? 6 : 4};
	if (check_conf(f, c, err))
		goto fail;
	if (fib_hops_init(f, &f->half[0]) || fib_hops_init(f, &f->half[1])) {
		err_set(err, -ENOMEM, "no memory for %u next hops", f->hops);
		goto fail;
	}
	if (fib_lpm_create(f, c, err))
		goto fail;
	return f;
fail:
	fib_unref(f);
	return NULL;
}

struct fib *fib_ref(struct fib *f)
{
	f->refs++;
	return f;
}

void fib_unref(struct fib *f)
{
	if (!f || --f->refs)
		return;
	fib_lpm_destroy(f);
	fib_hops_fini(&f->half[0]);
	fib_hops_fini(&f->half[1]);
	ifaces_unref(f->ifs);
	free(f->onlink);
	free(f);
}

unsigned fib_vrfs(const struct fib *f)
{
	return f->vrfs;
}

uint32_t fib_hops(const struct fib *f)
{
	return f->hops;
}

bool fib_is_own(const struct fib *f, uint32_t index)
{
	return index == ADJ_INDEX_LOCAL || index == ADJ_INDEX_BROADCAST ||
	       (index >= ADJ_INDEX_GLEAN0 && index < f->hop0);
}

// --- prefixes ---

static int set(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix,
	       uint8_t plen, uint32_t index)
{
	if (index == FIB_NONE)
		return fib_lpm_delete(f, family, vrf, prefix, plen);
	return fib_lpm_add(f, family, vrf, prefix, plen, index);
}

// Puts `index` where `was` (or nothing) was; looping: even if it leads back to itself.
static int change(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix,
		  uint8_t plen, uint32_t index, int was, bool looping)
{
	int rc;

	if (was < 0 && was != -ENOENT)
		return was;
	if (was < 0 && index == FIB_NONE)
		return 0;
	rc = set(f, family, vrf, prefix, plen, index);
	if (rc || !fib_mark_within(f, family, vrf, prefix, plen))
		return rc;
	if (looping || index == FIB_NONE || !fib_leads_to(f, family, index, index))
		return 0;
	// Where lcores run, memory is not free again at once, and even taking a prefix out may need some. Then
	// the prefix stays, with its count: whoever it leads in a circle finds no way.
	if (set(f, family, vrf, prefix, plen, was < 0 ? FIB_NONE : (uint32_t)was))
		return 0;
	return -ELOOP;
}

int fib_swap(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix, uint8_t plen,
	     uint32_t index, uint32_t *old)
{
	int was = fib_get(f, family, vrf, prefix, plen);
	int rc;

	if (was >= 0 && fib_is_own(f, (uint32_t)was))
		return -EEXIST;
	rc = change(f, family, vrf, prefix, plen, index, was, false);
	if (!rc)
		*old = was < 0 ? FIB_NONE : (uint32_t)was;
	return rc;
}

int fib_restore(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix,
		uint8_t plen, uint32_t index, uint32_t *old)
{
	int was = fib_get(f, family, vrf, prefix, plen);
	int rc = change(f, family, vrf, prefix, plen, index, was, true);

	if (!rc)
		*old = was < 0 ? FIB_NONE : (uint32_t)was;
	return rc;
}

// Completes a change, where nothing runs or one lcore alone: others have to be told first.
static void settle(struct fib *f)
{
	if (!f->live)
		fib_settle(f);
}

static int add_onlink(struct fib *f, uint8_t family, const union ip_addr *prefix, uint8_t plen,
		      uint16_t iface)
{
	if (f->onlinks == f->onlinks_max) {
		uint32_t max = f->onlinks_max ? 2 * f->onlinks_max : 16;
		struct fib_onlink *grown = realloc(f->onlink, max * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		f->onlink = grown;
		f->onlinks_max = max;
	}
	f->onlink[f->onlinks++] = (struct fib_onlink){
		.prefix = *prefix, .iface = iface, .family = family, .plen = plen};
	return 0;
}

static void remove_onlink(struct fib *f, uint8_t family, const union ip_addr *prefix, uint8_t plen,
			  uint16_t iface)
{
	for (uint32_t i = 0; i < f->onlinks; i++) {
		struct fib_onlink *o = &f->onlink[i];

		if (o->family == family && o->plen == plen && o->iface == iface &&
		    ip_addr_equal(&o->prefix, prefix)) {
			*o = f->onlink[--f->onlinks];
			return;
		}
	}
}

static bool is_glean(const struct fib *f, uint32_t index)
{
	return index >= ADJ_INDEX_GLEAN0 && index < f->hop0;
}

static int own_error(struct err *err, int rc, uint8_t family, const union ip_addr *prefix,
		     uint8_t plen)
{
	return err_set(err, rc, "%s/%u does not go into the prefix table: %s",
		       fib_text(family, prefix), plen, strerror(-rc));
}

int fib_own(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix, uint8_t plen,
	    uint32_t index, struct err *err)
{
	int was = fib_get(f, family, vrf, prefix, plen), rc = 0;

	if (was >= 0 && (uint32_t)was == index)
		return 0;
	if (is_glean(f, index))
		rc = add_onlink(f, family, prefix, plen, (uint16_t)(index - ADJ_INDEX_GLEAN0));
	if (rc)
		return own_error(err, rc, family, prefix, plen);
	rc = change(f, family, vrf, prefix, plen, index, was, false);
	if (rc) {
		remove_onlink(f, family, prefix, plen, (uint16_t)(index - ADJ_INDEX_GLEAN0));
		return own_error(err, rc, family, prefix, plen);
	}
	if (was >= 0)
		fib_drop(f, family, (uint32_t)was);
	settle(f);
	return 0;
}

int fib_disown(struct fib *f, uint8_t family, unsigned vrf, const union ip_addr *prefix,
	       uint8_t plen, struct err *err)
{
	int was = fib_get(f, family, vrf, prefix, plen), rc;

	if (was < 0 || !fib_is_own(f, (uint32_t)was))
		return err_set(err, -ENOENT, "%s/%u is no prefix of the router",
			       fib_text(family, prefix), plen);
	rc = change(f, family, vrf, prefix, plen, FIB_NONE, was, false);
	if (rc)
		return own_error(err, rc, family, prefix, plen);
	if (is_glean(f, (uint32_t)was))
		remove_onlink(f, family, prefix, plen,
			      (uint16_t)((uint32_t)was - ADJ_INDEX_GLEAN0));
	settle(f);
	return 0;
}

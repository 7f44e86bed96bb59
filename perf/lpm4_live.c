// SPDX-License-Identifier: BSD-3-Clause
// lpm4_live.c - updates of the IPv4 prefix table while another thread looks up
#include "perf/lpm4_live.h"
#include "netstack/lpm4.h"
#include "perf/lpm_live.h"

#include <errno.h>
#include <stdlib.h>

#define STAYS 65536u

// What stays: addresses whose longest prefix has an odd number, and their next hops.
struct stays {
	struct lpm4 *t;
	const struct routes *r;
	uint32_t *addr;
	uint32_t *nh;
};

static unsigned read_stays(void *arg, uint64_t *seed)
{
	const struct stays *s = arg;
	uint32_t at = routes_random(seed) % (STAYS - LPM_LIVE_BURST), nhs[LPM_LIVE_BURST];
	unsigned wrong = 0;

	lpm4_lookup_bulk(s->t, s->addr + at, nhs, LPM_LIVE_BURST);
	for (unsigned i = 0; i < LPM_LIVE_BURST; i++)
		wrong += nhs[i] != s->nh[at + i];
	return wrong;
}

static int withdraw(void *arg, uint32_t i)
{
	const struct stays *s = arg;

	return lpm4_delete(s->t, s->r->route[i].prefix, s->r->route[i].len);
}

static int announce(void *arg, uint32_t i)
{
	const struct stays *s = arg;

	return lpm4_add(s->t, s->r->route[i].prefix, s->r->route[i].len, s->r->route[i].nh);
}

static void quiescent(void *arg)
{
	lpm4_quiescent(((struct stays *)arg)->t);
}

static struct lpm4 *load(const struct routes *r, uint32_t from, uint32_t step)
{
	struct lpm4 *t = lpm4_create(NULL);

	for (uint32_t i = from; t && i < r->count; i += step)
		if (lpm4_add(t, r->route[i].prefix, r->route[i].len, r->route[i].nh))
			return NULL;
	return t;
}

int lpm4_bench_live(const struct routes *r)
{
	struct lpm4 *odd = load(r, 1, 2);
	struct stays s = {.t = load(r, 0, 1), .r = r};
	uint64_t seed = 77;
	bool ok;

	s.addr = malloc(STAYS * sizeof(*s.addr));
	s.nh = malloc(STAYS * sizeof(*s.nh));
	if (!odd || !s.t || !s.addr || !s.nh)
		return -ENOMEM;
	for (uint32_t n = 0; n < STAYS;) {
		uint32_t host = routes_random(&seed);
		const struct route *in = routes_pick(r, &seed);

		s.addr[n] = in->prefix | (uint32_t)((uint64_t)host >> in->len);
		s.nh[n] = lpm4_lookup(s.t, s.addr[n]);
		n += s.nh[n] != LPM4_MISS && s.nh[n] == lpm4_lookup(odd, s.addr[n]);
	}
	lpm4_set_live(s.t, true);
	ok = lpm_bench_live(&(struct lpm_live){"lpm4", &s, r->count, read_stays, withdraw, announce,
					       quiescent});
	lpm4_destroy(s.t);
	lpm4_destroy(odd);
	free(s.addr);
	free(s.nh);
	return ok ? 0 : -EIO;
}

// SPDX-License-Identifier: BSD-3-Clause
// lpm6_live.c - updates of the IPv6 prefix table while another thread looks up
#include "perf/lpm6_live.h"
#include "netstack/lpm6.h"
#include "perf/lpm_live.h"

#include <errno.h>
#include <stdlib.h>

#define STAYS 65536u

// What stays: addresses whose longest prefix has an odd number, and their next hops.
struct stays {
	struct lpm6 *t;
	const struct routes6 *r;
	uint8_t (*addr)[16];
	uint32_t *nh;
};

static unsigned read_stays(void *arg, uint64_t *seed)
{
	const struct stays *s = arg;
	uint32_t at = routes_random(seed) % (STAYS - LPM_LIVE_BURST), nhs[LPM_LIVE_BURST];
	unsigned wrong = 0;

	lpm6_lookup_bulk(s->t, (const uint8_t(*)[16])s->addr + at, nhs, LPM_LIVE_BURST);
	for (unsigned i = 0; i < LPM_LIVE_BURST; i++)
		wrong += nhs[i] != s->nh[at + i];
	return wrong;
}

static int withdraw(void *arg, uint32_t i)
{
	const struct stays *s = arg;

	return lpm6_delete(s->t, s->r->route[i].prefix, s->r->route[i].len);
}

static int announce(void *arg, uint32_t i)
{
	const struct stays *s = arg;

	return lpm6_add(s->t, s->r->route[i].prefix, s->r->route[i].len, s->r->route[i].nh);
}

static void quiescent(void *arg)
{
	lpm6_quiescent(((struct stays *)arg)->t);
}

static struct lpm6 *load(const struct routes6 *r, uint32_t from, uint32_t step)
{
	struct lpm6 *t = lpm6_create(NULL);

	for (uint32_t i = from; t && i < r->count; i += step)
		if (lpm6_add(t, r->route[i].prefix, r->route[i].len, r->route[i].nh))
			return NULL;
	return t;
}

int lpm6_bench_live(const struct routes6 *r)
{
	struct lpm6 *odd = load(r, 1, 2);
	struct stays s = {.t = load(r, 0, 1), .r = r};
	uint64_t seed = 77;
	bool ok;

	s.addr = malloc(STAYS * sizeof(*s.addr));
	s.nh = malloc(STAYS * sizeof(*s.nh));
	if (!odd || !s.t || !s.addr || !s.nh)
		return -ENOMEM;
	for (uint32_t n = 0; n < STAYS;) {
		routes6_draw(r, true, &seed, s.addr[n]);
		s.nh[n] = lpm6_lookup(s.t, s.addr[n]);
		n += s.nh[n] != LPM6_MISS && s.nh[n] == lpm6_lookup(odd, s.addr[n]);
	}
	lpm6_set_live(s.t, true);
	ok = lpm_bench_live(&(struct lpm_live){"lpm6", &s, r->count, read_stays, withdraw, announce,
					       quiescent});
	lpm6_destroy(s.t);
	lpm6_destroy(odd);
	free(s.addr);
	free(s.nh);
	return ok ? 0 : -EIO;
}

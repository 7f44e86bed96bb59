// SPDX-License-Identifier: BSD-3-Clause
// mac_table.c - which interface of a bridge a station was last heard on
#include "netstack/mac_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/plat.h"

// Half the ways of all buckets, at most, will be taken: one of 4,000 stations finds no room.
#define SLACK 4u

int mac_table_init(struct mac_table *t, uint32_t macs, uint32_t age, struct err *err)
{
	uint64_t ticks = (age * NSEC_PER_SEC) >> MAC_TICK_SHIFT;
	uint32_t buckets = 2;
	int rc;

	memset(t, 0, sizeof(*t));
	if (!macs || macs > MACS_MAX)
		return err_set(err, -EINVAL, "a bridge knows 1 to %u stations, not %u", MACS_MAX,
			       macs);
	if (!age || age > MAC_AGE_MAX)
		return err_set(err, -EINVAL, "stations age in 1 to %u seconds, not %u", MAC_AGE_MAX,
			       age);
	while (buckets * MAC_WAYS < macs * SLACK)
		buckets *= 2;
	rc = plat_entropy(&t->seed, sizeof(t->seed));
	if (rc)
		return err_set(err, rc, "no random number for the hash of a bridge's stations");
	t->bucket = aligned_alloc(CACHE_LINE, buckets * sizeof(*t->bucket));
	if (!t->bucket)
		return err_set(err, -ENOMEM, "no memory for a bridge of %u stations", macs);
	memset(t->bucket, 0, buckets * sizeof(*t->bucket));
	t->shift = 64 - (unsigned)__builtin_ctz(buckets);
	t->buckets = buckets;
	t->max = macs;
	t->fresh = (uint32_t)(ticks / 16);
	t->age = (uint32_t)ticks + t->fresh;
	t->sweep_ns = age * NSEC_PER_SEC / MAC_SWEEPS;
	return 0;
}

void mac_table_fini(struct mac_table *t)
{
	free(t->bucket);
	t->bucket = NULL;
}

static void release(struct mac_table *t, uint64_t *station, uint64_t was)
{
	if (__atomic_compare_exchange_n(station, &was, 0, false, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED))
		__atomic_sub_fetch(&t->count, 1, __ATOMIC_RELAXED);
}

// Of every place that has the station (two lcores may have entered it at once): whether there is
// one.
static bool renew(struct mac_bucket *b, uint64_t mac48, uint16_t iface, uint32_t tick, bool *moved)
{
	bool found = false;

	for (unsigned i = 0; i < MAC_WAYS; i++) {
		uint64_t was = __atomic_load_n(&b->station[i], __ATOMIC_RELAXED);

		if (was >> 16 != mac48)
			continue;
		found = true;
		__atomic_store_n(&b->seen[i], tick, __ATOMIC_RELAXED);
		if ((uint16_t)was == iface)
			continue;
		// Only what is still the same station's: the place may be given to another now.
		*moved |= __atomic_compare_exchange_n(&b->station[i], &was, mac48 << 16 | iface,
						      false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	}
	return found;
}

enum mac_learnt mac_learn_slow(struct mac_table *t, uint64_t mac48, uint16_t iface, uint32_t tick)
{
	struct mac_bucket *b = mac_bucket(t, mac48);
	bool moved = false;

	if (renew(b, mac48, iface, tick, &moved))
		return moved ? MAC_MOVED : MAC_KNOWN;
	if (__atomic_load_n(&t->count, __ATOMIC_RELAXED) >= t->max)
		return MAC_FULL;
	for (unsigned i = 0; i < MAC_WAYS; i++) {
		uint64_t none = 0;

		if (__atomic_load_n(&b->station[i], __ATOMIC_RELAXED))
			continue;
		if (__atomic_add_fetch(&t->count, 1, __ATOMIC_RELAXED) > t->max) {
			__atomic_sub_fetch(&t->count, 1, __ATOMIC_RELAXED);
			return MAC_FULL;
		}
		// First its age, so that no sweep takes it for an old one.
		__atomic_store_n(&b->seen[i], tick, __ATOMIC_RELAXED);
		if (__atomic_compare_exchange_n(&b->station[i], &none, mac48 << 16 | iface, false,
						__ATOMIC_RELEASE, __ATOMIC_RELAXED))
			return MAC_NEW;
		__atomic_sub_fetch(&t->count, 1, __ATOMIC_RELAXED);
	}
	return MAC_FULL;
}

// Clocks of lcores differ a little: a time ahead of ours is new, not very old.
static bool aged(const struct mac_table *t, uint32_t seen, uint32_t tick)
{
	return (int32_t)(tick - seen) > 0 && tick - seen > t->age;
}

void mac_sweep(struct mac_table *t, uint32_t tick)
{
	uint32_t n = (t->buckets + MAC_SWEEP_PART - 1) / MAC_SWEEP_PART;

	for (; n; n--) {
		struct mac_bucket *b = &t->bucket[t->sweep_at];

		t->sweep_at = (t->sweep_at + 1) & (t->buckets - 1);
		for (unsigned i = 0; i < MAC_WAYS; i++) {
			uint64_t was = __atomic_load_n(&b->station[i], __ATOMIC_ACQUIRE);

			if (was && aged(t, __atomic_load_n(&b->seen[i], __ATOMIC_RELAXED), tick))
				release(t, &b->station[i], was);
		}
	}
}

void mac_forget(struct mac_table *t, uint16_t iface)
{
	for (uint32_t n = 0; n < t->buckets; n++)
		for (unsigned i = 0; i < MAC_WAYS; i++) {
			uint64_t was = __atomic_load_n(&t->bucket[n].station[i], __ATOMIC_RELAXED);

			if (was && (uint16_t)was == iface)
				release(t, &t->bucket[n].station[i], was);
		}
}

uint32_t mac_next(const struct mac_table *t, uint32_t at, uint32_t tick, uint8_t mac[6],
		  uint16_t *iface, uint32_t *silent)
{
	for (; at < t->buckets * MAC_WAYS; at++) {
		const struct mac_bucket *b = &t->bucket[at / MAC_WAYS];
		uint64_t s = __atomic_load_n(&b->station[at % MAC_WAYS], __ATOMIC_RELAXED);
		uint64_t mac48 = s >> 16;

		if (!s)
			continue;
		memcpy(mac, &mac48, 6);
		*iface = (uint16_t)s;
		*silent = tick - __atomic_load_n(&b->seen[at % MAC_WAYS], __ATOMIC_RELAXED);
		return at + 1;
	}
	return 0;
}

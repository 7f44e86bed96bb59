// SPDX-License-Identifier: BSD-3-Clause
// fpm_hash.c - chained hash tables that grow
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "apps/tool/fpm_hash.h"
#include "apps/tool/util.h"

#define FIRST_BUCKETS 1024u

void fpm_hash_init(struct fpm_hash *h)
{
	*h = (struct fpm_hash){.mask = FIRST_BUCKETS - 1};
	h->bucket = xrealloc(NULL, FIRST_BUCKETS * sizeof(*h->bucket));
	memset(h->bucket, 0, FIRST_BUCKETS * sizeof(*h->bucket));
	if (getrandom(&h->seed, sizeof(h->seed), GRND_NONBLOCK) != sizeof(h->seed))
		h->seed = (uint64_t)time(NULL); // so early after boot nobody guesses it either
}

void fpm_hash_free(struct fpm_hash *h)
{
	free(h->bucket);
	h->bucket = NULL;
}

uint64_t fpm_hash_of(const struct fpm_hash *h, const void *key, size_t len)
{
	const uint8_t *p = key;
	uint64_t v = h->seed ^ len;

	while (len) {
		size_t n = len < 8 ? len : 8;
		uint64_t word = 0;

		memcpy(&word, p, n);
		v = (v ^ word) * 0x9e3779b97f4a7c15u;
		v ^= v >> 29;
		p += n;
		len -= n;
	}
	v *= 0xbf58476d1ce4e5b9u;
	return v ^ v >> 32;
}

static void grow(struct fpm_hash *h)
{
	size_t n = (h->mask + 1) * 2;
	struct fpm_link **bucket = xrealloc(NULL, n * sizeof(*bucket));

	memset(bucket, 0, n * sizeof(*bucket));
	for (size_t i = 0; i <= h->mask; i++) {
		struct fpm_link *l = h->bucket[i], *next;

		for (; l; l = next) {
			next = l->next;
			l->next = bucket[l->hash & (n - 1)];
			bucket[l->hash & (n - 1)] = l;
		}
	}
	free(h->bucket);
	h->bucket = bucket;
	h->mask = n - 1;
}

void fpm_hash_insert(struct fpm_hash *h, struct fpm_link *l, uint64_t hash)
{
	if (h->count > h->mask)
		grow(h);
	l->hash = hash;
	l->next = h->bucket[hash & h->mask];
	h->bucket[hash & h->mask] = l;
	h->count++;
}

void fpm_hash_remove(struct fpm_hash *h, struct fpm_link *l)
{
	struct fpm_link **p = &h->bucket[l->hash & h->mask];

	while (*p != l)
		p = &(*p)->next;
	*p = l->next;
	h->count--;
}

struct fpm_link *fpm_hash_next(const struct fpm_hash *h, const struct fpm_link *l)
{
	size_t i = l ? (l->hash & h->mask) + 1 : 0;

	if (l && l->next)
		return l->next;
	for (; i <= h->mask; i++)
		if (h->bucket[i])
			return h->bucket[i];
	return NULL;
}

// SPDX-License-Identifier: BSD-3-Clause
// fpm_hash.h - chained hash tables of things that carry their link, for the copy that weir fpm
// keeps
//
// The link is the first member of what is kept. The seed is drawn at random, so that no sender of
// prefixes can choose a chain's length.
#ifndef WEIR_APPS_TOOL_FPM_HASH_H
#define WEIR_APPS_TOOL_FPM_HASH_H

#include <stddef.h>
#include <stdint.h>

struct fpm_link {
	struct fpm_link *next; // of the same bucket
	uint64_t hash;
};

struct fpm_hash {
	struct fpm_link **bucket;
	size_t mask, count;
	uint64_t seed;
};

void fpm_hash_init(struct fpm_hash *h);
void fpm_hash_free(struct fpm_hash *h); // not what it keeps
uint64_t fpm_hash_of(const struct fpm_hash *h, const void *key, size_t len);
void fpm_hash_insert(struct fpm_hash *h, struct fpm_link *l, uint64_t hash);
void fpm_hash_remove(struct fpm_hash *h, struct fpm_link *l);

// The first of the bucket: the caller compares hash and key, and goes on by next.
static inline struct fpm_link *fpm_hash_first(const struct fpm_hash *h, uint64_t hash)
{
	return h->bucket[hash & h->mask];
}

// All, one after the other: NULL begins. The one before may have been removed, if its link is as it
// was; nothing may be inserted meanwhile.
struct fpm_link *fpm_hash_next(const struct fpm_hash *h, const struct fpm_link *l);

#endif

// SPDX-License-Identifier: BSD-3-Clause
// mbuf_inline.h - allocating and freeing packets: the common cases
#ifndef WEIR_MEMPOOL_MBUF_INLINE_H
#define WEIR_MEMPOOL_MBUF_INLINE_H

// Chains, shared buffers, buffers of several pools.
void mbuf_free_slow(struct mbuf *m);
void mbuf_free_bulk_slow(struct mbuf **pkts, unsigned n);

static inline struct mbuf *mbuf_alloc(struct mempool *pool)
{
	struct mbuf *m;

	if (unlikely(mempool_get_bulk(pool, &m, 1)))
		return NULL;
	mbuf_reset(m);
	return m;
}

static inline void mbuf_ref(struct mbuf *m)
{
	// Relaxed: whoever gets the new reference gets it from us, by a ring or the like.
	for (; m && m->refcnt != MBUF_FOREVER; m = m->next)
		__atomic_add_fetch(&m->refcnt, 1, __ATOMIC_RELAXED);
}

// 0 for a single segment without other owners. A plain load tells: a count of 1 is ours, and nobody else
// can raise it. On x86 it is also the acquire that pairs with the last other owner's release.
static always_inline unsigned mbuf_not_simple(const struct mbuf *m)
{
	return (m->next != NULL) | (m->nsegs ^ 1u) |
	       (__atomic_load_n(&m->refcnt, __ATOMIC_ACQUIRE) ^ 1u);
}

static inline void mbuf_free(struct mbuf *m)
{
	if (likely(mbuf_not_simple(m) == 0))
		mempool_put_bulk(m->pool, &m, 1);
	else
		mbuf_free_slow(m);
}

static inline void mbuf_free_bulk(struct mbuf **pkts, unsigned n)
{
	struct mempool *pool;
	uintptr_t odd = 0;

	if (n == 0)
		return;
	pool = pkts[0]->pool;
	for (unsigned i = 0; i < n; i++)
		odd |= mbuf_not_simple(pkts[i]) | ((uintptr_t)pkts[i]->pool ^ (uintptr_t)pool);
	if (likely(odd == 0))
		mempool_put_bulk(pool, pkts, n);
	else
		mbuf_free_bulk_slow(pkts, n);
}

#endif

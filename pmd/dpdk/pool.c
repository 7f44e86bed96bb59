// SPDX-License-Identifier: BSD-3-Clause
// pool.c - an rte_mempool that is a view of our mempool: its operations are our get and put
#include <errno.h>
#include <rte_errno.h>
#include <rte_mempool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pmd/dpdk/dpdk.h"

#define CHUNK 64u

struct view {
	struct view *next;
	struct mempool *pool;
	struct rte_mempool *rte;
	unsigned users;
};

static struct view *views;

static int ops_alloc(struct rte_mempool *mp)
{
	mp->pool_data = mp->pool_config; // our mempool
	return 0;
}

static void ops_free(struct rte_mempool *mp)
{
}

static __attribute__((noinline)) int enqueue_many(struct mempool *pool, void *const *objs, unsigned n)
{
	struct mbuf *m[CHUNK];

	while (n) {
		unsigned part = n < CHUNK ? n : CHUNK;

		for (unsigned i = 0; i < part; i++)
			m[i] = from_rte(objs[i]);
		mempool_put_bulk(pool, m, part);
		objs += part;
		n -= part;
	}
	return 0;
}

// Drivers that free what they have sent do so one by one (net_null, net_af_packet, net_pcap).
static int ops_enqueue(struct rte_mempool *mp, void *const *objs, unsigned n)
{
	if (likely(n == 1 && mempool_put_one(mp->pool_data, from_rte(objs[0]))))
		return 0;
	return enqueue_many(mp->pool_data, objs, n);
}

static int ops_dequeue(struct rte_mempool *mp, void **objs, unsigned n)
{
	int rc;

	if (unlikely(!mp->pool_data)) // view_free()
		return -ENOENT;
	rc = mempool_get_bulk(mp->pool_data, (struct mbuf **)objs, n);
	if (unlikely(rc))
		return rc;
	for (unsigned i = 0; i < n; i++)
		objs[i] = to_rte(objs[i]);
	return 0;
}

static unsigned ops_count(const struct rte_mempool *mp)
{
	return mempool_available(mp->pool_data);
}

// Only announces the objects to DPDK: they lie where our pool put them, and are in our pool.
static int ops_populate(struct rte_mempool *mp, unsigned max, void *vaddr, rte_iova_t iova,
			size_t len, rte_mempool_populate_obj_cb_t *cb, void *cb_arg)
{
	const struct mempool *pool = mp->pool_data;

	for (unsigned i = 0; i < max; i++) {
		struct rte_mbuf *r = to_rte(mempool_at(pool, i));

		cb(mp, cb_arg, r, (rte_iova_t)(uintptr_t)r);
	}
	return (int)max;
}

static const struct rte_mempool_ops weir_ops = {
	.name = "weir",
	.alloc = ops_alloc,
	.free = ops_free,
	.enqueue = ops_enqueue,
	.dequeue = ops_dequeue,
	.get_count = ops_count,
	.populate = ops_populate,
};

static int ops_register(void)
{
	static int index = -1;

	if (index < 0)
		index = rte_mempool_register_ops(&weir_ops);
	return index < 0 ? index : 0;
}

// What rte_pktmbuf_init() does, but for our header behind, which it would clear.
static void init_rte_mbuf(struct rte_mbuf *r, struct rte_mempool *mp)
{
	const struct mbuf *m = from_rte(r);

	memset(r, 0, sizeof(*r));
	r->priv_size = sizeof(struct mbuf);
	r->buf_addr = m->buf;
	r->buf_iova = (rte_iova_t)(uintptr_t)m->buf; // EAL runs with iova = va
	r->buf_len = (uint16_t)m->buf_len;
	r->data_off = RTE_PKTMBUF_HEADROOM;
	r->pool = mp;
	r->nb_segs = 1;
	r->port = RTE_MBUF_PORT_INVALID;
	rte_mbuf_refcnt_set(r, 1);
}

static int populate(struct rte_mempool *mp, const struct mempool *pool)
{
	uint8_t *first = (uint8_t *)mempool_at(pool, 0) - DPDK_PREFIX;
	uint8_t *end = (uint8_t *)mempool_at(pool, pool->count - 1) + pool->stride - pool->prefix;
	int rc;

	if (mp->header_size != DPDK_OBJHDR)
		return -EPROTO;
	rc = rte_mempool_populate_iova(mp, (char *)first, (rte_iova_t)(uintptr_t)first,
				       (size_t)(end - first), NULL, NULL);
	if (rc != (int)pool->count)
		return rc < 0 ? rc : -ENOMEM;
	for (uint32_t i = 0; i < pool->count; i++)
		init_rte_mbuf(to_rte(mempool_at(pool, i)), mp);
	return 0;
}

// rte_mempool_free() takes every object out first; ours stay in our pool.
static void view_free(struct rte_mempool *mp)
{
	mp->pool_data = NULL;
	rte_mempool_free(mp);
}

static struct rte_mempool *make(struct mempool *pool, struct err *err)
{
	uint32_t room = MBUF_HEADROOM + mempool_room(pool);
	struct rte_pktmbuf_pool_private priv = {
		.mbuf_data_room_size = (uint16_t)room,
		.mbuf_priv_size = sizeof(struct mbuf),
	};
	static unsigned serial;
	struct rte_mempool *mp;
	char name[RTE_MEMPOOL_NAMESIZE];
	int rc = ops_register();

	snprintf(name, sizeof(name), "weir%u", serial++);
	mp = rte_mempool_create_empty(name, pool->count,
				      sizeof(struct rte_mbuf) + sizeof(struct mbuf) + room, 0,
				      sizeof(priv), SOCKET_ID_ANY, RTE_MEMPOOL_F_NO_SPREAD);
	if (!mp || rc) {
		err_set(err, -ENOMEM, "dpdk: no rte_mempool for pool %s: %s", pool->name,
			rte_strerror(rc ? -rc : rte_errno));
		rte_mempool_free(mp);
		return NULL;
	}
	rc = rte_mempool_set_ops_byname(mp, weir_ops.name, pool);
	if (!rc) {
		rte_pktmbuf_pool_init(mp, &priv);
		rc = populate(mp, pool);
	}
	if (rc) {
		err_set(err, rc, "dpdk: cannot announce pool %s: %s", pool->name,
			rte_strerror(-rc));
		view_free(mp);
		return NULL;
	}
	return mp;
}

static int check_pool(const struct mempool *pool, struct err *err)
{
	if (pool->prefix < DPDK_PREFIX)
		return err_set(err, -EINVAL,
			       "dpdk: buffers of pool %s have a prefix of %u bytes; %zu are needed",
			       pool->name, pool->prefix, DPDK_PREFIX);
	if (MBUF_HEADROOM + mempool_room(pool) > UINT16_MAX)
		return err_set(err, -EINVAL, "dpdk: buffers of pool %s are over %u bytes",
			       pool->name, UINT16_MAX);
	return 0;
}

struct rte_mempool *dpdk_pool_get(struct mempool *pool, struct err *err)
{
	struct view *v;

	for (v = views; v; v = v->next) {
		if (v->pool == pool) {
			v->users++;
			return v->rte;
		}
	}
	if (check_pool(pool, err))
		return NULL;
	v = calloc(1, sizeof(*v));
	if (!v) {
		err_set(err, -ENOMEM, "dpdk: no memory");
		return NULL;
	}
	v->rte = make(pool, err);
	if (!v->rte) {
		free(v);
		return NULL;
	}
	v->pool = pool;
	v->users = 1;
	v->next = views;
	views = v;
	return v->rte;
}

void dpdk_pool_put(struct mempool *pool)
{
	for (struct view **p = &views; *p; p = &(*p)->next) {
		struct view *v = *p;

		if (v->pool != pool)
			continue;
		if (--v->users == 0) {
			*p = v->next;
			view_free(v->rte);
			free(v);
		}
		return;
	}
}

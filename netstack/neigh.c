// SPDX-License-Identifier: BSD-3-Clause
// neigh.c - the table of adjacencies and neighbors
#include "netstack/neigh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/plat.h"
#include "netstack/eth.h"

static_assert(ADJ_INDEX_GLEAN0 == ADJ_PROHIBIT + 1, "gleans stand behind what every table has");

static int seed_hash(struct neigh_table *t, struct err *err)
{
	int rc = plat_entropy(&t->seed, sizeof(t->seed));

	if (!rc)
		rc = plat_entropy(&t->seed2, sizeof(t->seed2));
	if (rc)
		return err_set(err, rc, "no random number for the neighbor table's hash");
	t->seed |= 1;
	return 0;
}

static void set_known(struct neigh_table *t)
{
	for (uint8_t kind = ADJ_NONE; kind <= ADJ_PROHIBIT; kind++)
		t->adj[kind].kind = kind;
	for (uint16_t i = 0; i < t->ifs->n; i++)
		t->adj[ADJ_INDEX_GLEAN0 + i] = (struct adj){
			.kind = ADJ_GLEAN,
			.iface = i,
			.tx = t->ifs->iface[i].tx,
			.mtu = t->ifs->iface[i].mtu,
		};
}

static int make_arrays(struct neigh_table *t, uint32_t buckets, struct err *err)
{
	size_t bytes = (size_t)t->size * sizeof(*t->adj);

	t->adj = aligned_alloc(CACHE_LINE, bytes);
	t->neigh = calloc(t->size, sizeof(*t->neigh));
	t->bucket = calloc(buckets, sizeof(*t->bucket));
	if (!t->adj || !t->neigh || !t->bucket)
		return err_set(err, -ENOMEM, "no memory for a table of %u neighbors", t->size);
	memset(t->adj, 0, bytes);
	return 0;
}

int neigh_init(struct neigh_table *t, const struct neigh_conf *c, struct err *err)
{
	uint32_t buckets = 64;
	int rc;

	*t = (struct neigh_table){
		.family = c->family,
		.stack = c->stack,
		.pool = c->pool,
		.hold = c->hold,
		.held_max = c->held_max,
		.reachable = c->reachable,
		.lcore = c->lcore,
		.ifs = ifaces_ref(c->ifs),
		.hop0 = ADJ_INDEX_GLEAN0 + c->ifs->n,
	};
	t->learnt0 = t->top = t->hop0 + c->hops;
	t->size = t->learnt0 + c->learnt;
	t->incomplete_max = (c->hops + c->learnt) / 4 + 1;
	while (buckets < t->size)
		buckets *= 2;
	t->shift = 64 - (unsigned)__builtin_ctz(buckets);
	rc = seed_hash(t, err);
	if (!rc)
		rc = make_arrays(t, buckets, err);
	if (rc)
		neigh_fini(t);
	else
		set_known(t);
	return rc;
}

void neigh_fini(struct neigh_table *t)
{
	free(t->adj);
	free(t->neigh);
	free(t->bucket);
	ifaces_unref(t->ifs);
	memset(t, 0, sizeof(*t));
}

uint32_t neigh_find(const struct neigh_table *t, uint16_t iface, const union ip_addr *addr)
{
	return neigh_is_ip4(t) ? neigh_find4(t, iface, addr->v4) : neigh_find6(t, iface, addr);
}

static uint32_t *bucket_of(struct neigh_table *t, uint16_t iface, const union ip_addr *addr)
{
	return &t->bucket[neigh_is_ip4(t) ? neigh_hash4(t, iface, addr->v4)
					  : neigh_hash6(t, iface, addr)];
}

static void link_in(struct neigh_table *t, uint32_t i)
{
	uint32_t *bucket = bucket_of(t, t->adj[i].iface, &t->adj[i].addr);

	t->adj[i].next = *bucket;
	*bucket = i;
}

static void link_out(struct neigh_table *t, uint32_t i)
{
	uint32_t *link = bucket_of(t, t->adj[i].iface, &t->adj[i].addr);

	while (*link != i)
		link = &t->adj[*link].next;
	*link = t->adj[i].next;
}

static void put(struct neigh_table *t, uint32_t i, uint16_t iface, const union ip_addr *addr)
{
	t->adj[i] = (struct adj){
		.kind = ADJ_FORWARD,
		.iface = iface,
		.tx = t->ifs->iface[iface].tx,
		.mtu = t->ifs->iface[iface].mtu,
		.addr = *addr,
	};
	t->neigh[i] = (struct neigh){.state = NEIGH_IDLE};
	link_in(t, i);
}

// A free place behind the hops; 0: there is none.
static uint32_t place(struct neigh_table *t)
{
	uint32_t i = t->free;

	if (i)
		t->free = t->neigh[i].next_free;
	else if (t->top < t->size)
		i = t->top++;
	t->learnt += i != 0;
	return i;
}

// i, in no bucket, is nobody any longer.
static void vacate(struct neigh_table *t, uint32_t i)
{
	memset(&t->adj[i], 0, sizeof(t->adj[i]));
	t->neigh[i] = (struct neigh){.state = NEIGH_FREE};
	if (i < t->learnt0)
		return;
	t->neigh[i].next_free = t->free;
	t->free = i;
	t->learnt--;
}

static void move(struct neigh_table *t, uint32_t from, uint32_t to)
{
	link_out(t, from);
	t->adj[to] = t->adj[from];
	t->neigh[to] = t->neigh[from];
	link_in(t, to);
	vacate(t, from);
}

uint32_t neigh_create(struct neigh_table *t, uint16_t iface, const union ip_addr *addr)
{
	uint32_t i = place(t);

	if (i)
		put(t, i, iface, addr);
	return i;
}

void neigh_forget(struct neigh_table *t, uint32_t index)
{
	struct neigh *n = &t->neigh[index];

	if (n->state == NEIGH_INCOMPLETE)
		t->incomplete--;
	n->state = NEIGH_IDLE;
	t->adj[index].ready = false;
	if (n->pinned)
		return;
	link_out(t, index);
	vacate(t, index);
}

int neigh_pin(struct neigh_table *t, uint32_t hop, uint16_t iface, const union ip_addr *addr)
{
	uint32_t i = neigh_find(t, iface, addr);

	if (hop < t->hop0 || hop >= t->learnt0)
		return -EINVAL;
	if (i && i < t->learnt0)
		return i == hop ? 0 : -EEXIST;
	if (t->adj[hop].kind != ADJ_NONE)
		return -EBUSY;
	if (i)
		move(t, i, hop);
	else
		put(t, hop, iface, addr);
	t->neigh[hop].pinned = true;
	if (hop >= t->hop_top)
		t->hop_top = hop + 1;
	return 0;
}

bool neigh_make_room(struct neigh_table *t)
{
	for (uint32_t i = t->learnt0; i < t->top; i++) {
		const struct neigh *n = &t->neigh[i];

		if (n->state == NEIGH_FREE || n->state == NEIGH_STATIC || n->held)
			continue;
		neigh_forget(t, i);
		return true;
	}
	return false;
}

void neigh_unpin(struct neigh_table *t, uint32_t hop)
{
	struct neigh *n = &t->neigh[hop];
	uint32_t i = 0;

	n->pinned = n->watched = n->failed = false;
	if (n->state > NEIGH_IDLE && n->state != NEIGH_FAILED) {
		i = place(t);
		if (!i && neigh_make_room(t))
			i = place(t);
	}
	if (i) {
		move(t, hop, i);
		return;
	}
	neigh_drop(t, hop, NEIGH_DROP_FULL, false);
	neigh_forget(t, hop);
}

void neigh_set_mac(struct neigh_table *t, uint32_t index, const uint8_t mac[6])
{
	struct adj *a = &t->adj[index];
	const struct iface *i = &t->ifs->iface[a->iface];
	uint8_t *p;

	a->eth_len = i->hlen;
	p = a->eth + ADJ_ETH_MAX - a->eth_len;
	memcpy(p, mac, 6);
	memcpy(p + 6, i->mac, 6);
	memcpy(p + 12, i->tag, i->hlen - ETH_HLEN);
	store16(p + i->hlen - 2, be16(t->family->type));
	a->count = &t->ifs->count[t->lcore % IFACE_LCORES][a->iface];
	a->ready = true;
}

void adj_put_any(struct mbuf *m, const struct adj *a)
{
	if (m->l3 != a->eth_len)
		iface_make_room(m, a->eth_len);
	memcpy(m->data, adj_mac(a), a->eth_len); // which the header begins with
	if (a->eth_len != ETH_HLEN) {
		a->count->tx_packets++;
		a->count->tx_bytes += m->pkt_len;
	}
}

// SPDX-License-Identifier: BSD-3-Clause
// neigh.c - the table of adjacencies and neighbors
#include "netstack/neigh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/plat.h"
#include "netstack/eth.h"

static int seed_hash(struct neigh_table *t, struct err *err)
{
	int rc = plat_entropy(&t->seed, sizeof(t->seed));

	if (rc)
		return err_set(err, rc, "no random number for the neighbor table's hash");
	t->seed |= 1;
	return 0;
}

int neigh_init(struct neigh_table *t, struct ifaces *ifs, uint32_t neighbors, struct err *err)
{
	uint32_t buckets = 64;
	size_t bytes;
	int rc;

	memset(t, 0, sizeof(*t));
	rc = seed_hash(t, err);
	if (rc)
		return rc;
	t->top = ADJ_INDEX_GLEAN0 + ifs->n;
	t->size = t->top + neighbors;
	while (buckets < t->size)
		buckets *= 2;
	t->shift = 64 - (unsigned)__builtin_ctz(buckets);
	bytes = (size_t)t->size * sizeof(*t->adj);
	t->adj = aligned_alloc(CACHE_LINE, bytes);
	t->neigh = calloc(t->size, sizeof(*t->neigh));
	t->bucket = calloc(buckets, sizeof(*t->bucket));
	if (!t->adj || !t->neigh || !t->bucket) {
		neigh_fini(t);
		return err_set(err, -ENOMEM, "no memory for a table of %u neighbors", neighbors);
	}
	memset(t->adj, 0, bytes);
	t->incomplete_max = neighbors / 4 + 1;
	t->adj[ADJ_INDEX_NONE].kind = ADJ_NONE;
	t->adj[ADJ_INDEX_LOCAL].kind = ADJ_LOCAL;
	t->adj[ADJ_INDEX_BROADCAST].kind = ADJ_BROADCAST;
	for (uint16_t i = 0; i < ifs->n; i++)
		t->adj[ADJ_INDEX_GLEAN0 + i] = (struct adj){
			.kind = ADJ_GLEAN,
			.iface = i,
			.tx = ifs->iface[i].tx,
			.mtu = ifs->iface[i].mtu,
		};
	t->ifs = ifaces_ref(ifs);
	return 0;
}

void neigh_fini(struct neigh_table *t)
{
	free(t->adj);
	free(t->neigh);
	free(t->bucket);
	ifaces_unref(t->ifs);
	memset(t, 0, sizeof(*t));
}

uint32_t neigh_create(struct neigh_table *t, uint16_t iface, uint32_t addr)
{
	uint32_t *bucket = &t->bucket[neigh_hash(t, iface, addr)];
	uint32_t i = t->free;

	if (i)
		t->free = t->neigh[i].next_free;
	else if (t->top < t->size)
		i = t->top++;
	else
		return 0;
	t->adj[i] = (struct adj){
		.kind = ADJ_FORWARD,
		.iface = iface,
		.tx = t->ifs->iface[iface].tx,
		.mtu = t->ifs->iface[iface].mtu,
		.addr.v4 = addr,
		.next = *bucket,
	};
	t->neigh[i] = (struct neigh){.state = NEIGH_IDLE};
	*bucket = i;
	return i;
}

void neigh_forget(struct neigh_table *t, uint32_t index)
{
	struct adj *a = &t->adj[index];
	uint32_t *link = &t->bucket[neigh_hash(t, a->iface, a->addr.v4)];

	neigh_set_state(t, index, NEIGH_IDLE);
	a->ready = false;
	if (t->neigh[index].pinned)
		return;
	while (*link != index)
		link = &t->adj[*link].next;
	*link = a->next;
	memset(a, 0, sizeof(*a));
	t->neigh[index] = (struct neigh){.state = NEIGH_FREE, .next_free = t->free};
	t->free = index;
}

bool neigh_set_state(struct neigh_table *t, uint32_t index, enum neigh_state state)
{
	struct neigh *n = &t->neigh[index];

	if (state == NEIGH_INCOMPLETE && n->state != NEIGH_INCOMPLETE) {
		if (t->incomplete >= t->incomplete_max && !n->pinned)
			return false;
		t->incomplete++;
	}
	if (n->state == NEIGH_INCOMPLETE && state != NEIGH_INCOMPLETE)
		t->incomplete--;
	n->state = (uint8_t)state;
	return true;
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
	store16(p + i->hlen - 2, be16(ETH_TYPE_IP4));
	a->ready = true;
}

void adj_put_any(struct mbuf *m, const struct adj *a)
{
	if (m->l3 != a->eth_len)
		iface_make_room(m, a->eth_len);
	memcpy(m->data, adj_mac(a), a->eth_len); // which the header begins with
}

// SPDX-License-Identifier: BSD-3-Clause
// neigh_state.c - what becomes of a neighbor: asked for, there, in doubt, asked again, gone
//
// RFC 4861, 7.3 and appendix C. ARP goes the same way but for one thing: RFC 1122, 2.3.2.1 lets a
// neighbor time out or be polled by unicast, and says nothing of being in doubt; so one whose time
// is up is asked at once when it was used meanwhile, and forgotten otherwise. In both, a neighbor
// gets at most one request a second, three in all, and traffic goes on while it is asked whether it
// is still there.
//
// The data path does not say when a neighbor is first used, which would cost every packet: it sets
// adj.used, and whoever is in doubt is looked at every second. On the lcores of a router but the
// first, requests go to lcore 0, which asks for all.
#include <errno.h>
#include <string.h>

#include "netstack/neigh.h"

static void enter(struct neigh_table *t, uint32_t index, enum neigh_state state, uint64_t now,
		  uint64_t due)
{
	struct neigh *n = &t->neigh[index];

	t->incomplete += state == NEIGH_INCOMPLETE;
	t->incomplete -= n->state == NEIGH_INCOMPLETE;
	n->state = (uint8_t)state;
	n->since = now;
	n->due = due;
	if (t->node && due != TIME_NEVER)
		graph_wake(t->node, due);
}

// Asks once, and sets the time of the next look. An empty pool costs this request only.
static void ask(struct neigh_table *t, uint32_t index, uint64_t now)
{
	const struct adj *a = &t->adj[index];
	struct neigh *n = &t->neigh[index];
	struct mbuf *m = mbuf_alloc(t->pool);

	n->tries++;
	n->due = now + NEIGH_RETRY;
	graph_wake(t->node, n->due);
	if (!m)
		return;
	m->port = a->iface;
	if (t->asks) {
		neigh_put_question(t, index, m);
		graph_emit(t->node, (uint8_t)(NEIGH_EDGE_PORT0 + t->ifs->outs), m);
	} else if (t->family->solicit(t, index, m)) {
		graph_emit(t->node, (uint8_t)(NEIGH_EDGE_PORT0 + a->tx), m);
	} else {
		mbuf_free(m);
	}
}

static void begin(struct neigh_table *t, uint32_t index, enum neigh_state state, uint64_t now)
{
	enter(t, index, state, now, now + NEIGH_RETRY);
	t->neigh[index].tries = 0;
	ask(t, index, now);
}

bool neigh_ask(struct neigh_table *t, uint32_t index)
{
	uint64_t now = graph_now(t->node);
	const struct neigh *n = &t->neigh[index];

	switch (n->state) {
	case NEIGH_IDLE:
	case NEIGH_FAILED:
		if (t->incomplete >= t->incomplete_max && !n->pinned)
			return false;
		begin(t, index, NEIGH_INCOMPLETE, now);
		break;
	case NEIGH_STALE:
	case NEIGH_DELAY:
		begin(t, index, NEIGH_PROBE, now);
		break;
	default: // it is there, or being asked for
		break;
	}
	return true;
}

static void changed(struct neigh_table *t, uint32_t index, bool up)
{
	t->neigh[index].failed = !up;
	if (t->neigh[index].watched && t->changed)
		t->changed(t->changed_arg, index, up);
}

// All that are in doubt are looked at in one go: a walk over the table serves them all.
static uint64_t next_look(uint64_t now)
{
	return now - now % NEIGH_LOOK + NEIGH_LOOK;
}

static void doubt(struct neigh_table *t, uint32_t index, uint64_t now)
{
	t->adj[index].used = false;
	enter(t, index, NEIGH_STALE, now, next_look(now));
}

static uint64_t trust_time(const struct neigh_table *t, const struct neigh *n)
{
	return n->watched && t->reachable > NEIGH_WATCH_TIME ? NEIGH_WATCH_TIME : t->reachable;
}

// Its address is known from now on.
static void known(struct neigh_table *t, uint32_t index, const struct neigh_news *news,
		  uint64_t now)
{
	struct adj *a = &t->adj[index];
	bool was = a->ready && !t->neigh[index].failed;

	if (news->flags & NEIGH_HAS_MAC)
		neigh_set_mac(t, index, news->mac);
	t->neigh[index].tries = 0;
	if (news->flags & NEIGH_CONFIRMED)
		enter(t, index, NEIGH_REACHABLE, now, now + trust_time(t, &t->neigh[index]));
	else
		doubt(t, index, now);
	neigh_release(t, index);
	if (!was)
		changed(t, index, true);
}

// What another lcore trusts only until `due` is not trusted here for longer: a while less, so that
// the one who asks for all hears of the use here before its own time is up. The clocks of two
// lcores differ a little, too.
static void trust_until(struct neigh_table *t, uint32_t index, uint64_t due, uint64_t now)
{
	struct neigh *n = &t->neigh[index];

	due -= NEIGH_RETRY;
	if ((int64_t)(due - now) < (int64_t)NEIGH_RETRY)
		due = now + NEIGH_RETRY;
	if (n->state == NEIGH_REACHABLE && due < n->due) {
		n->due = due;
		graph_wake(t->node, due);
	}
}

// RFC 4861, 7.2.5, of a neighbor whose address is known.
static void heard_again(struct neigh_table *t, uint32_t index, const struct neigh_news *news,
			uint64_t now)
{
	bool moved = news->flags & NEIGH_HAS_MAC && memcmp(adj_mac(&t->adj[index]), news->mac, 6);

	if (moved && !(news->flags & NEIGH_OVERRIDE)) {
		if (t->neigh[index].state == NEIGH_REACHABLE)
			doubt(t, index, now);
	} else if (moved || news->flags & NEIGH_CONFIRMED) {
		known(t, index, news, now);
	}
}

uint32_t neigh_heard(struct neigh_table *t, const struct neigh_news *news, uint64_t now)
{
	uint32_t i = neigh_find(t, news->iface, &news->addr);

	if (!i && news->flags & NEIGH_CREATE && news->flags & NEIGH_HAS_MAC)
		i = neigh_create(t, news->iface, &news->addr);
	if (!i || t->neigh[i].state == NEIGH_STATIC)
		return i;
	if (t->adj[i].ready)
		heard_again(t, i, news, now);
	else if (news->flags & NEIGH_HAS_MAC)
		known(t, i, news, now);
	if (news->due)
		trust_until(t, i, news->due, now);
	return i;
}

// Nobody answered.
static void give_up(struct neigh_table *t, uint32_t index, uint64_t now)
{
	struct neigh *n = &t->neigh[index];

	neigh_drop(t, index, NEIGH_DROP_UNRESOLVED, true);
	t->adj[index].ready = false;
	if (!n->watched) {
		neigh_forget(t, index);
		return;
	}
	enter(t, index, NEIGH_FAILED, now, now + NEIGH_FAILED_TIME);
	if (!n->failed)
		changed(t, index, false);
}

static void time_is_up(struct neigh_table *t, uint32_t index, uint64_t now)
{
	if (t->family->stale) {
		doubt(t, index, now);
	} else if (t->adj[index].used || t->neigh[index].watched) {
		t->adj[index].used = false;
		begin(t, index, NEIGH_PROBE, now);
	} else {
		neigh_forget(t, index);
	}
}

// With little room left, who is in doubt and not used makes room for others (RFC 6583, 7.1). Not
// when somebody asks for it, since packets on their way may name the neighbor that would go.
static uint64_t stale_time(const struct neigh_table *t)
{
	uint32_t room = t->size - t->learnt0;

	return t->learnt > room - room / 4 ? NEIGH_CROWD_TIME : NEIGH_STALE_TIME;
}

static void look(struct neigh_table *t, uint32_t index, uint64_t now)
{
	struct neigh *n = &t->neigh[index];

	if (t->adj[index].used || n->watched)
		enter(t, index, NEIGH_DELAY, now, now + NEIGH_DELAY_TIME);
	else if (now - n->since >= stale_time(t))
		neigh_forget(t, index);
	else
		n->due = next_look(now);
}

static void due(struct neigh_table *t, uint32_t index, uint64_t now)
{
	struct neigh *n = &t->neigh[index];

	switch (n->state) {
	case NEIGH_REACHABLE:
		time_is_up(t, index, now);
		break;
	case NEIGH_STALE:
		look(t, index, now);
		break;
	case NEIGH_DELAY:
		begin(t, index, NEIGH_PROBE, now);
		break;
	case NEIGH_FAILED:
		begin(t, index, NEIGH_INCOMPLETE, now);
		break;
	default:
		if (n->tries < NEIGH_TRIES)
			ask(t, index, now);
		else
			give_up(t, index, now);
		break;
	}
}

static bool has_time(uint8_t state)
{
	return state >= NEIGH_INCOMPLETE && state <= NEIGH_FAILED;
}

// Of the neighbors from index `from` up to `to`.
static uint64_t housekeep(struct neigh_table *t, uint32_t from, uint32_t to, uint64_t now)
{
	uint64_t first = TIME_NEVER;

	for (uint32_t i = from; i < to; i++) {
		struct neigh *n = &t->neigh[i];

		if (!has_time(n->state))
			continue;
		if (n->due <= now)
			due(t, i, now);
		if (has_time(n->state) && n->due < first)
			first = n->due;
	}
	return first;
}

uint64_t neigh_housekeep(struct neigh_table *t, uint64_t now)
{
	uint64_t hops = housekeep(t, t->hop0, t->hop_top, now);
	uint64_t learnt = housekeep(t, t->learnt0, t->top, now);

	return hops < learnt ? hops : learnt;
}

void neigh_watch(struct neigh_table *t, uint32_t hop, bool on)
{
	struct neigh *n = &t->neigh[hop];

	n->watched = on;
	n->failed = false;
	if (on && n->state == NEIGH_REACHABLE && n->due > n->since + trust_time(t, n)) {
		n->due = n->since + trust_time(t, n);
		graph_wake(t->node, n->due);
	}
	if (!on && n->state == NEIGH_FAILED)
		neigh_forget(t, hop); // as one that nobody watches
}

int neigh_set_static(struct neigh_table *t, uint16_t iface, const union ip_addr *addr,
		     const uint8_t mac[6])
{
	uint32_t i = neigh_find(t, iface, addr);

	if (!i)
		i = neigh_create(t, iface, addr);
	if (!i && neigh_make_room(t))
		i = neigh_create(t, iface, addr);
	if (!i)
		return -ENOSPC;
	neigh_set_mac(t, i, mac);
	enter(t, i, NEIGH_STATIC, t->node ? graph_now(t->node) : 0, TIME_NEVER);
	if (t->neigh[i].first)
		neigh_release(t, i);
	changed(t, i, true);
	return 0;
}

int neigh_delete(struct neigh_table *t, uint16_t iface, const union ip_addr *addr)
{
	uint32_t i = neigh_find(t, iface, addr);

	if (!i || t->neigh[i].state == NEIGH_IDLE)
		return -ENOENT;
	neigh_drop(t, i, NEIGH_DROP_UNRESOLVED, false);
	neigh_forget(t, i);
	return 0;
}

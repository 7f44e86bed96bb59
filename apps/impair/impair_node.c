// SPDX-License-Identifier: BSD-3-Clause
// impair_node.c - what becomes of each packet, and the delay line
#include "apps/impair/impair.h"

#include <errno.h>
#include <stdlib.h>

#include "core/plat.h"
#include "pmd/offload.h"

#define RELEASES 1024u // at a time: what may be pending in the graph is bounded
#define ETH_HLEN 14u

enum { EDGE_OUT };
enum { DROP_LOST, DROP_LINE_FULL, DROP_ENDED };

static const char *const edges[] = {"out", NULL};
static const char *const drops[] = {"lost", "line-full", "ended", NULL};

static uint64_t line_now(const struct impair *p)
{
	return p->real ? tsc_read() : graph_now(p->node);
}

// Vigna's splitmix64.
static uint64_t draw(struct impair *p)
{
	uint64_t z = p->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static bool happens(struct impair *p, enum impair_kind kind)
{
	struct impair_chance *c = &p->chance[kind];

	if (c->every) {
		if (--c->left)
			return false;
		c->left = c->every;
	} else if (!c->below || (uint32_t)draw(p) >= c->below) {
		return false;
	}
	c->done++;
	return true;
}

// A bit of the frame's last 16 bytes, behind its Ethernet header. What would still fill in a checksum, or
// says that one was right, must not make up for it.
static void corrupt(struct impair *p, struct mbuf *m)
{
	uint64_t r = draw(p);
	uint32_t n = m->pkt_len - ETH_HLEN < 16 ? m->pkt_len - ETH_HLEN : 16, at = m->pkt_len - 1 - (uint32_t)(r >> 8) % n;

	if (m->flags & MBUF_TX_L4_CSUM)
		offload_csum(m);
	m->flags &= ~(MBUF_RX_L4_OK | MBUF_RX_L3_OK);
	for (; at >= m->len; m = m->next)
		at -= m->len;
	m->data[at] ^= (uint8_t)(1u << (r & 7));
}

// Packets that are yet to be cut have their checksums made later; those of several owners are read-only.
static bool corruptible(const struct mbuf *m)
{
	return m->pkt_len > ETH_HLEN && m->refcnt == 1 && !(m->flags & (MBUF_TSO | MBUF_USO));
}

static void note_due(struct impair *p)
{
	uint64_t due = UINT64_MAX;

	if (p->line_head != p->line_tail)
		due = p->line[p->line_head & (p->size - 1)].due;
	if (p->back_head != p->back_tail && p->back[p->back_head & (IMPAIR_BACK - 1)].due < due)
		due = p->back[p->back_head & (IMPAIR_BACK - 1)].due;
	p->next_due = due;
}

// A packet that the node holds, or is about to say so of, goes into the line.
static void go_on(struct impair *p, struct mbuf *m, uint64_t now)
{
	if (!p->delay)
		graph_release(p->node, EDGE_OUT, m);
	else if (p->line_tail - p->line_head == p->most)
		graph_drop_held(p->node, DROP_LINE_FULL, m);
	else
		p->line[p->line_tail++ & (p->size - 1)] = (struct impair_held){m, now + p->delay, 0};
}

// A copy to go on behind m; NULL: none.
static struct mbuf *duplicate(struct impair *p, const struct mbuf *m)
{
	struct mbuf *copy;

	if (!happens(p, IMPAIR_DUPLICATE))
		return NULL;
	copy = mbuf_copy(m, m->pool);
	if (copy) {
		graph_made_held(p->node, 1);
	} else {
		p->chance[IMPAIR_DUPLICATE].done--;
		p->uncopied++;
	}
	return copy;
}

// Those that enough packets have overtaken.
static void catch_up(struct impair *p, uint64_t now)
{
	while (p->back_head != p->back_tail) {
		struct impair_held *h = &p->back[p->back_head & (IMPAIR_BACK - 1)];

		if (h->passed > p->passed)
			break;
		p->back_head++;
		go_on(p, h->m, now);
	}
}

static bool hold_back(struct impair *p, struct mbuf *m, uint64_t now)
{
	if (p->back_tail - p->back_head == IMPAIR_BACK || !happens(p, IMPAIR_REORDER))
		return false;
	p->back[p->back_tail++ & (IMPAIR_BACK - 1)] = (struct impair_held){m, now + p->patience, p->passed + p->gap};
	return true;
}

static uint8_t one(struct impair *p, struct mbuf *m, uint64_t now)
{
	struct mbuf *copy;

	if (happens(p, IMPAIR_LOSS))
		return NEXT_DROP(DROP_LOST);
	if (corruptible(m) && happens(p, IMPAIR_CORRUPT)) {
		corrupt(p, m);
		if (p->direct)
			return EDGE_OUT;
		go_on(p, m, now);
		return NEXT_HELD;
	}
	if (p->direct)
		return EDGE_OUT;
	if (hold_back(p, m, now))
		return NEXT_HELD;
	copy = duplicate(p, m);
	go_on(p, m, now);
	if (copy)
		go_on(p, copy, now);
	p->passed++;
	catch_up(p, now);
	return NEXT_HELD;
}

static void process(struct node *node, struct mbuf **pkts, uint8_t *next, unsigned n)
{
	struct impair *p = node->state;
	uint64_t now = line_now(p);

	p->packets += n;
	for (unsigned i = 0; i < n; i++)
		next[i] = one(p, pkts[i], now);
	if (p->direct)
		return;
	note_due(p);
	if (!p->real && p->next_due != UINT64_MAX)
		graph_wake(node, p->next_due);
}

// On the real clock impair_poll() says when; the graph need not.
static uint64_t housekeep(struct node *node, uint64_t clock_now)
{
	struct impair *p = node->state;
	uint64_t now = line_now(p);

	while (p->back_head != p->back_tail && p->back[p->back_head & (IMPAIR_BACK - 1)].due <= now) {
		p->overdue++;
		go_on(p, p->back[p->back_head++ & (IMPAIR_BACK - 1)].m, now);
	}
	for (unsigned i = 0; i < RELEASES && p->line_head != p->line_tail; i++) {
		struct impair_held *h = &p->line[p->line_head & (p->size - 1)];

		if (h->due > now)
			break;
		p->line_head++;
		graph_release(node, EDGE_OUT, h->m);
	}
	note_due(p);
	return p->real ? TIME_NEVER : p->next_due;
}

static void destroy(struct node *node)
{
	struct impair *p = node->state;

	while (p->back_head != p->back_tail)
		graph_drop_held(node, DROP_ENDED, p->back[p->back_head++ & (IMPAIR_BACK - 1)].m);
	while (p->line_head != p->line_tail)
		graph_drop_held(node, DROP_ENDED, p->line[p->line_head++ & (p->size - 1)].m);
	free(p->line);
	free(p);
}

static const struct node_def impair_def = {
	.name = "impair",
	.edges = edges,
	.drops = drops,
	.process = process,
	.housekeep = housekeep,
	.destroy = destroy,
};

uint16_t impair_poll(void *impair, struct mbuf **pkts, uint16_t n)
{
	struct impair *p = impair;

	if (likely(p->next_due == UINT64_MAX || tsc_read() < p->next_due))
		return 0;
	graph_wake(p->node, graph_now(p->node));
	graph_housekeep(p->node->graph, graph_now(p->node));
	return 0;
}

static void set_chance(struct impair_chance *c, uint32_t share, bool exact)
{
	*c = (struct impair_chance){.every = exact ? share : 0,
				    .left = share,
				    .below = exact ? 0 : ((uint64_t)share << 32) / 1000000};
}

// Never less than what was asked for.
static uint64_t line_time(const struct impair *p, uint64_t ns)
{
	unsigned __int128 cycles = (unsigned __int128)ns * plat_tsc_hz();

	return p->real ? (uint64_t)((cycles + NSEC_PER_SEC - 1) / NSEC_PER_SEC) : ns;
}

struct impair *impair_add(struct graph *g, const char *name, const struct blob_impair *conf, enum clock_kind clock,
			  struct err *err)
{
	struct impair *p = calloc(1, sizeof(*p));

	if (p) {
		p->most = conf->packets ? conf->packets : IMPAIR_PACKETS;
		for (p->size = 1; p->size < p->most;)
			p->size *= 2;
		p->line = calloc(p->size, sizeof(*p->line));
	}
	if (!p || !p->line) {
		free(p);
		err_set(err, -ENOMEM, "%s: no memory to hold packets: give the machine more, or set packets lower", name);
		return NULL;
	}
	p->real = clock == CLOCK_REAL;
	p->delay = line_time(p, conf->delay_ns);
	p->patience = line_time(p, IMPAIR_BACK_NS);
	p->next_due = UINT64_MAX;
	p->gap = conf->gap;
	p->random = conf->seed;
	p->direct = !p->delay && !conf->reorder && !conf->duplicate;
	set_chance(&p->chance[IMPAIR_LOSS], conf->loss, conf->flags & BLOB_IMPAIR_LOSS_EXACT);
	set_chance(&p->chance[IMPAIR_CORRUPT], conf->corrupt, conf->flags & BLOB_IMPAIR_CORRUPT_EXACT);
	set_chance(&p->chance[IMPAIR_REORDER], conf->reorder, conf->flags & BLOB_IMPAIR_REORDER_EXACT);
	set_chance(&p->chance[IMPAIR_DUPLICATE], conf->duplicate, conf->flags & BLOB_IMPAIR_DUPLICATE_EXACT);
	p->node = graph_add(g, &impair_def, name, p, err);
	if (!p->node) {
		free(p->line);
		free(p);
		return NULL;
	}
	return p;
}

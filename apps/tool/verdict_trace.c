// SPDX-License-Identifier: BSD-3-Clause
// verdict_trace.c - a record for each packet, found by its buffer as long as it lives
//
// Ways are kept as a tree: packets of one way share its steps, so that a record needs one number.
#include "apps/tool/verdict_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/tool/util.h"
#include "core/graph_trace.h"

#define PATH_SHOWN 40u // steps

struct step { // 0 is the root: nowhere
	uint32_t parent;
	uint16_t node;
};

struct vtrace {
	const struct mempool *pool;
	const struct clock *clock;
	const struct node *self; // the graph's own
	struct graph_watch watch;
	struct vrecord *record; // [0] unused
	size_t records, record_room;
	uint32_t *of; // by mbuf.index: the record of the packet it carries; 0: none
	uint32_t current; // the packet at hand
	struct step *step;
	size_t steps, step_room;
	uint32_t *hash; // of steps, open addressing
	size_t slots;
	struct { char *name; const struct node_def *def; unsigned drops; } node[GRAPH_NODES_MAX + 1];
	unsigned nodes;
};

static uint32_t *slot_of(struct vtrace *t, const struct mbuf *m)
{
	static uint32_t foreign; // buffers of another pool are nobody's

	foreign = 0;
	return m->pool == t->pool ? &t->of[m->index] : &foreign;
}

static unsigned number_of(const struct vtrace *t, const struct node *node)
{
	return node == t->self ? t->nodes - 1 : node->id;
}

// --- the tree of ways ---

static size_t slot_for(const struct vtrace *t, uint32_t parent, unsigned node)
{
	size_t i = ((uint64_t)parent * GRAPH_NODES_MAX + node) * 0x9e3779b97f4a7c15 >> 20;

	for (i &= t->slots - 1; t->hash[i]; i = (i + 1) & (t->slots - 1)) {
		const struct step *s = &t->step[t->hash[i]];

		if (s->parent == parent && s->node == node)
			break;
	}
	return i;
}

static void grow(struct vtrace *t)
{
	t->slots = t->slots ? 2 * t->slots : 1024;
	free(t->hash);
	t->hash = xrealloc(NULL, t->slots * sizeof(*t->hash));
	memset(t->hash, 0, t->slots * sizeof(*t->hash));
	for (size_t i = 1; i < t->steps; i++)
		t->hash[slot_for(t, t->step[i].parent, t->step[i].node)] = (uint32_t)i;
}

static uint32_t step_to(struct vtrace *t, uint32_t parent, unsigned node)
{
	size_t at;

	if (2 * t->steps >= t->slots)
		grow(t);
	at = slot_for(t, parent, node);
	if (t->hash[at])
		return t->hash[at];
	t->step = array_add(t->step, &t->steps, &t->step_room, sizeof(*t->step));
	t->step[t->steps - 1] = (struct step){parent, (uint16_t)node};
	return t->hash[at] = (uint32_t)t->steps - 1;
}

// --- records ---

static uint32_t add(struct vtrace *t, struct mbuf *m, uint64_t time)
{
	struct vrecord *r;

	t->record = array_add(t->record, &t->records, &t->record_room, sizeof(*t->record));
	r = &t->record[t->records - 1];
	r->time = time;
	r->node = VTRACE_NO_NODE;
	return *slot_of(t, m) = (uint32_t)t->records - 1;
}

static void end(struct vtrace *t, const struct mbuf *m, enum vend how, unsigned node, unsigned reason)
{
	uint32_t *slot = slot_of(t, m);
	struct vrecord *r = &t->record[*slot];

	// Of one that went several ways the best counts.
	if (*slot && r->end != VEND_SENT) {
		r->end = (uint8_t)how;
		r->node = (uint16_t)node;
		r->reason = (uint8_t)reason;
	}
	if (m->refcnt == 1)
		*slot = 0;
}

// --- what the graph tells ---

static void on_enter(void *arg, const struct node *node, struct mbuf *m)
{
	struct vtrace *t = arg;
	uint32_t id = *slot_of(t, m);
	struct vrecord *r;

	if (!id)
		id = add(t, m, t->clock->now); // made without a word (not by a node of ours)
	r = &t->record[id];
	r->path = step_to(t, r->path, number_of(t, node));
	t->current = id;
}

// Held or sent ones may have ended already: their buffers are not looked at.
static void on_leave(void *arg, const struct node *node, struct mbuf *was, struct mbuf *m, uint8_t next)
{
	struct vtrace *t = arg;
	unsigned reason = (unsigned)next - NEXT_DROP(0);

	t->current = 0;
	if (was != m) { // it went on as another: the first of its fragments, or a new one
		if (!*slot_of(t, m))
			*slot_of(t, m) = *slot_of(t, was);
		*slot_of(t, was) = 0;
	}
	if (next == NEXT_CONSUMED)
		end(t, m, VEND_CONSUMED, number_of(t, node), 0);
	else if (next >= NEXT_DROP(0) && reason < node->drops)
		end(t, m, VEND_DROPPED, number_of(t, node), reason);
}

static void on_emit(void *arg, const struct node *node, struct mbuf *m)
{
	struct vtrace *t = arg;
	struct vrecord *r;
	uint32_t id;

	if (*slot_of(t, m) && m->refcnt > 1)
		return; // goes there, too
	id = add(t, m, t->clock->now);
	r = &t->record[id];
	r->cause = t->current;
	r->path = step_to(t, 0, number_of(t, node));
}

// One that nobody has spoken of was made by the node and held at once (graph_made_held()).
static void on_release(void *arg, const struct node *node, struct mbuf *m)
{
	if (!*slot_of(arg, m))
		on_emit(arg, node, m);
}

static void on_drop(void *arg, const struct node *node, uint8_t reason, struct mbuf *m)
{
	struct vtrace *t = arg;

	end(t, m, VEND_DROPPED, number_of(t, node), reason);
}

struct vtrace *vtrace_create(const struct mempool *pool, const struct clock *clock)
{
	struct vtrace *t = xrealloc(NULL, sizeof(*t));
	size_t n = mempool_count(pool) * sizeof(*t->of);

	*t = (struct vtrace){.pool = pool, .clock = clock};
	t->of = memset(xrealloc(NULL, n), 0, n);
	t->record = array_add(NULL, &t->records, &t->record_room, sizeof(*t->record));
	t->step = array_add(NULL, &t->steps, &t->step_room, sizeof(*t->step));
	return t;
}

void vtrace_watch(struct vtrace *t, struct graph *g)
{
	t->nodes = graph_nodes(g);
	t->self = graph_node(g, t->nodes - 1);
	for (unsigned i = 0; i < t->nodes; i++) {
		const struct node *node = graph_node(g, i);

		t->node[i].name = xstrdup(node->name);
		t->node[i].def = node->def;
		t->node[i].drops = node->drops;
	}
	t->watch = (struct graph_watch){.arg = t, .enter = on_enter, .leave = on_leave, .emit = on_emit,
					.release = on_release, .drop = on_drop};
	graph_trace(g, &t->watch);
}

void vtrace_free(struct vtrace *t)
{
	if (!t)
		return;
	for (unsigned i = 0; i < t->nodes; i++)
		free(t->node[i].name);
	free(t->record);
	free(t->of);
	free(t->step);
	free(t->hash);
	free(t);
}

struct vrecord *vtrace_received(struct vtrace *t, struct mbuf *m, unsigned port, uint32_t number, uint64_t time)
{
	uint32_t id = add(t, m, time);
	struct vrecord *r = &t->record[id];

	r->port = (uint16_t)port;
	r->number = number;
	return r;
}

uint32_t vtrace_sent(struct vtrace *t, const struct mbuf *m)
{
	uint32_t id = *slot_of(t, m);

	if (!id)
		id = add(t, (struct mbuf *)(uintptr_t)m, t->clock->now);
	end(t, m, VEND_SENT, VTRACE_NO_NODE, 0);
	return id;
}

// --- afterwards ---

uint32_t vtrace_records(const struct vtrace *t)
{
	return (uint32_t)t->records - 1;
}

struct vrecord *vtrace_record(const struct vtrace *t, uint32_t number)
{
	return &t->record[number];
}

uint32_t vtrace_root(const struct vtrace *t, uint32_t number)
{
	while (number && !t->record[number].number)
		number = t->record[number].cause;
	return number;
}

static unsigned way(const struct vtrace *t, uint32_t number, uint16_t nodes[PATH_SHOWN])
{
	uint32_t s = t->record[number].path;
	unsigned n = 0;

	for (; s && n < PATH_SHOWN; s = t->step[s].parent)
		nodes[n++] = t->step[s].node;
	return n;
}

const char *vtrace_path(const struct vtrace *t, uint32_t number, char *text, size_t size)
{
	uint16_t nodes[PATH_SHOWN];
	unsigned n = way(t, number, nodes);
	size_t at = 0;

	text[0] = 0;
	while (n-- && at < size)
		at += (size_t)snprintf(text + at, size - at, "%s%s", at ? " > " : "",
				       t->node[nodes[n]].name);
	return text;
}

const char *vtrace_maker(const struct vtrace *t, uint32_t number)
{
	uint16_t nodes[PATH_SHOWN];
	unsigned n = way(t, number, nodes);

	return n ? t->node[nodes[n - 1]].name : "?";
}

const char *vtrace_end(const struct vtrace *t, uint32_t number, char *text, size_t size)
{
	const struct vrecord *r = &t->record[number];
	const char *name = r->node < t->nodes ? t->node[r->node].name : "?";
	uint32_t last = r->path;

	switch ((enum vend)r->end) {
	case VEND_SENT:
		snprintf(text, size, "left by %s", last ? t->node[t->step[last].node].name : "?");
		break;
	case VEND_CONSUMED: snprintf(text, size, "consumed by %s", name); break;
	case VEND_DROPPED:
		snprintf(text, size, "dropped by %s: %s", name,
			 r->reason < t->node[r->node].drops ? t->node[r->node].def->drops[r->reason] : "?");
		break;
	case VEND_NONE:
		snprintf(text, size, "became part of another packet in %s",
			 last ? t->node[t->step[last].node].name : "?");
		break;
	}
	return text;
}

void vtrace_drops(const struct vtrace *t, void (*each)(void *arg, const char *node, const char *reason, uint64_t n),
		  void *arg)
{
	size_t size = (size_t)t->nodes * NODE_DROPS_MAX * sizeof(uint64_t);
	uint64_t *n = memset(xrealloc(NULL, size), 0, size);

	for (size_t i = 1; i < t->records; i++)
		if (t->record[i].end == VEND_DROPPED)
			n[t->record[i].node * NODE_DROPS_MAX + t->record[i].reason]++;
	for (unsigned node = 0; node < t->nodes; node++)
		for (unsigned r = 0; r < t->node[node].drops; r++)
			if (n[node * NODE_DROPS_MAX + r])
				each(arg, t->node[node].name, t->node[node].def->drops[r],
				     n[node * NODE_DROPS_MAX + r]);
	free(n);
}

// SPDX-License-Identifier: BSD-3-Clause
// config_impair.c - read the impairments of function impair
#include <stdio.h>
#include <string.h>

#include "apps/tool/config_internal.h"
#include "apps/tool/config_stream.h"
#include "apps/tool/util.h"

struct impair_reader {
	struct config_reader *r;
	int from, to;
	struct blob_impair blob;
	bool loss, duplicate, reorder, corrupt; // a share was given
	bool gap;
};

static void read_from(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct impair_reader *p = arg;

	p->from = config_port_ref(p->r, node);
}

static void read_to(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct impair_reader *p = arg;

	p->to = config_port_ref(p->r, node);
}

static void read_delay(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct impair_reader *p = arg;
	const char *expected = "a time of at most 10 s with its unit: 50us, 1.5ms";
	const char *s = ydoc_text(y, node, expected);

	if (s && (!text_scaled(s, units_time, false, 1, &p->blob.delay_ns) ||
		  p->blob.delay_ns > BLOB_IMPAIR_DELAY_MAX))
		ydoc_error(y, node, "expected %s", expected);
}

static void read_share(struct ydoc *y, yaml_node_t *node, uint32_t *share, bool *given)
{
	static const struct text_unit percent[] = {{"%", 1}, {0}};
	const char *expected = "a share of all packets in percent, to a millionth: 0.1%";
	const char *s = ydoc_text(y, node, expected);
	uint64_t v = 0;

	*given = true;
	if (s && (!text_scaled(s, percent, false, 10000, &v) || v > 1000000))
		ydoc_error(y, node, "expected %s", expected);
	else
		*share = (uint32_t)v;
}

static void read_every(struct ydoc *y, yaml_node_t *node, struct impair_reader *p, uint32_t *share, bool given,
		       uint32_t flag, const char *name)
{
	if (given)
		ydoc_error(y, node, "expected either %s or %s_every", name, name);
	else if (ydoc_u32(y, node, 1, UINT32_MAX, share))
		p->blob.flags |= flag;
}

#define SHARE_KEYS(name, flag)                                                                                       \
	static void read_##name(struct ydoc *y, yaml_node_t *node, void *arg)                                        \
	{                                                                                                            \
		struct impair_reader *p = arg;                                                                       \
                                                                                                                     \
		read_share(y, node, &p->blob.name, &p->name);                                                        \
	}                                                                                                            \
	static void read_##name##_every(struct ydoc *y, yaml_node_t *node, void *arg)                                \
	{                                                                                                            \
		struct impair_reader *p = arg;                                                                       \
                                                                                                                     \
		read_every(y, node, p, &p->blob.name, p->name, flag, #name);                                         \
	}

SHARE_KEYS(loss, BLOB_IMPAIR_LOSS_EXACT)
SHARE_KEYS(duplicate, BLOB_IMPAIR_DUPLICATE_EXACT)
SHARE_KEYS(reorder, BLOB_IMPAIR_REORDER_EXACT)
SHARE_KEYS(corrupt, BLOB_IMPAIR_CORRUPT_EXACT)

static void read_gap(struct ydoc *y, yaml_node_t *node, void *arg)
{
	struct impair_reader *p = arg;

	p->gap = ydoc_u32(y, node, 1, BLOB_IMPAIR_GAP_MAX, &p->blob.gap);
}

static void read_seed(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_u32(y, node, 0, UINT32_MAX, &((struct impair_reader *)arg)->blob.seed);
}

static void read_packets(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_u32(y, node, 1, BLOB_IMPAIR_PACKETS_MAX, &((struct impair_reader *)arg)->blob.packets);
}

static void read_impairment(struct ydoc *y, yaml_node_t *node, void *arg)
{
	// In this order: a share, then what would be said instead.
	static const struct ydoc_key keys[] = {
		{"from", true, read_from},
		{"to", true, read_to},
		{"delay", false, read_delay},
		{"loss", false, read_loss},
		{"loss_every", false, read_loss_every},
		{"corrupt", false, read_corrupt},
		{"corrupt_every", false, read_corrupt_every},
		{"reorder", false, read_reorder},
		{"reorder_every", false, read_reorder_every},
		{"gap", false, read_gap},
		{"duplicate", false, read_duplicate},
		{"duplicate_every", false, read_duplicate_every},
		{"seed", false, read_seed},
		{"packets", false, read_packets},
		{0},
	};
	struct impair_reader p = {.r = arg, .from = -1, .to = -1, .blob = {.seed = 1, .gap = 1}};
	struct config *c = p.r->c;

	ydoc_map(y, node, "an impairment", keys, &p);
	if (p.gap && !p.blob.reorder)
		ydoc_error(y, node, "gap is how many packets overtake one: expected reorder or reorder_every with it");
	if (p.from < 0 || p.to < 0 || !config_patch_add(p.r, node, p.from, p.to))
		return;
	c->impairs = array_add(c->impairs, &c->n_impairs, &c->room_impairs, sizeof(*c->impairs));
	c->impairs[c->n_impairs - 1] = p.blob;
}

void config_read_impairments(struct ydoc *y, yaml_node_t *node, void *arg)
{
	ydoc_list(y, node, "impairments like {from: PORT, to: PORT, delay: 50us, loss: 0.1%}", read_impairment, arg);
}

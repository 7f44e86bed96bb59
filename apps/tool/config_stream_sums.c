// SPDX-License-Identifier: BSD-3-Clause
// config_stream_sums.c - the checksums of a stack of layers, and what each of them counts
#include "apps/tool/config_stream.h"

static bool switched_off(const struct stream_layer *l)
{
	return (l->id == LAYER_UDP && !l->value[UDP_CSUM].first) ||
	       (l->id == LAYER_GRE && !l->value[GRE_CSUM].first);
}

unsigned stream_sums(const struct stream_plan *p, struct stream_sum sum[STREAM_SUMS_MAX])
{
	unsigned n = 0;
	int ip = -1;

	for (unsigned i = 0; i < p->layers; i++) {
		const struct stream_layer *l = &p->layer[i];
		bool pseudo = l->id == LAYER_UDP || l->id == LAYER_TCP || l->id == LAYER_ICMP6;

		if (l->id == LAYER_IP4 || l->id == LAYER_IP6)
			ip = (int)i;
		if (!layer_types[l->id].csum || switched_off(l))
			continue;
		sum[n++] = (struct stream_sum){
			.layer = (uint8_t)i,
			.at = (uint16_t)(l->at + layer_types[l->id].csum),
			.from = l->at,
			.to = l->id == LAYER_IP4 ? (uint16_t)(l->at + layer_len(l)) : 0,
			.pseudo = pseudo ? ip : -1,
			.udp = l->id == LAYER_UDP,
		};
	}
	return n;
}

static bool covers(const struct stream_sum *s, unsigned at)
{
	return at >= s->from && (!s->to || at < s->to);
}

// From the innermost on: what a checksum inside counts, it makes up for.
void stream_sum_weights(const struct stream_sum *sum, unsigned n, unsigned at, int addr, int weight[])
{
	for (unsigned k = n; k--;) {
		weight[k] = covers(&sum[k], at) + (addr >= 0 && sum[k].pseudo == addr);
		for (unsigned j = k + 1; j < n; j++)
			if (covers(&sum[k], sum[j].at))
				weight[k] -= weight[j];
	}
}

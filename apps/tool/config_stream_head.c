// SPDX-License-Identifier: BSD-3-Clause
// config_stream_head.c - the bytes of a stream's headers, for each length
#include <string.h>

#include "apps/pktgen/sig.h"
#include "apps/tool/config_stream.h"
#include "core/wire.h"
#include "mempool/csum.h"

static void put_bits(uint8_t *p, unsigned bit, unsigned bits, unsigned __int128 v)
{
	for (; bits--; v >>= 1) {
		unsigned at = bit + bits;
		uint8_t mask = (uint8_t)(0x80 >> at % 8);

		p[at / 8] = (uint8_t)(v & 1 ? p[at / 8] | mask : p[at / 8] & ~mask);
	}
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put_fixed(const struct stream_layer *l, uint8_t *p)
{
	switch (l->id) {
	case LAYER_IP4:
		p[0] = 0x45;
		break;
	case LAYER_IP6:
		p[0] = 0x60;
		break;
	case LAYER_TCP:
		p[12] = 5 << 4;
		break;
	case LAYER_GRE:
		p[0] = (uint8_t)((l->value[GRE_CSUM].first ? 0x80 : 0) |
				 (l->value[GRE_KEY].kind != VALUE_AUTO ? 0x20 : 0) |
				 (l->value[GRE_SEQ].kind != VALUE_AUTO ? 0x10 : 0));
		break;
	case LAYER_VXLAN:
		p[0] = 0x08;
		break;
	case LAYER_ARP:
		memcpy(p, "\0\1\x08\0\6\4", 6);
		break;
	default:
		break;
	}
}

void stream_head(const struct stream_plan *p, uint8_t *head)
{
	memset(head, 0, p->head_len);
	if (p->s->frame)
		memcpy(head, p->s->frame, p->head_len);
	for (unsigned i = 0; i < p->layers; i++) {
		const struct stream_layer *l = &p->layer[i];
		const struct layer_field *f = layer_types[l->id].field;

		put_fixed(l, head + l->at);
		for (unsigned k = 0; f[k].name; k++)
			if (f[k].bits && l->value[k].kind != VALUE_AUTO &&
			    !(l->id == LAYER_VLAN && k == VLAN_TPID))
				put_bits(head, 8u * l->at + layer_bit(l, k), f[k].bits,
					 stream_value_at(&l->value[k], 0));
	}
}

// --- lengths and checksums ---

static void put_length(const struct stream_layer *l, uint8_t *p, unsigned len) // from the layer on
{
	if (l->id == LAYER_IP4)
		put16(p + 2, len);
	else if (l->id == LAYER_IP6 || l->id == LAYER_UDP)
		put16(p + 4, l->id == LAYER_IP6 ? len - 40 : len);
}

static uint64_t pseudo_sum(const struct stream_layer *ip, const uint8_t *p, unsigned len)
{
	uint8_t word[4] = {0, (uint8_t)ip->value[IP_PROTO].first, (uint8_t)(len >> 8),
			   (uint8_t)len};
	uint64_t sum = csum_add(0, word, 4);

	return ip->id == LAYER_IP4 ? csum_add(sum, p + 12, 8) : csum_add(sum, p + 8, 32);
}

// The frame behind the head: the body's words, and zeros where the signature will be.
static uint64_t body_sum(const struct stream_plan *p, const struct stream_body *b, unsigned len)
{
	unsigned n = len - p->head_len - (p->s->is_signed ? SIG_LEN : 0);

	return (uint64_t)b->sum[n / 2] + (n % 2 ? b->data[n - 1] : 0);
}

static void put_sum(const struct stream_plan *p, const struct stream_sum *s,
		    const struct stream_body *body, unsigned len, uint8_t *head)
{
	uint64_t sum = 0;
	uint16_t csum;

	store16(head + s->at, 0);
	sum = csum_add(sum, head + s->from, (s->to ? s->to : p->head_len) - s->from);
	if (!s->to)
		sum += body_sum(p, body, len);
	if (s->pseudo >= 0)
		sum += pseudo_sum(&p->layer[s->pseudo], head + p->layer[s->pseudo].at,
				  len - s->from);
	csum = (uint16_t)~csum_fold(sum);
	store16(head + s->at, s->udp && !csum ? 0xffff : csum);
}

void stream_head_finish(const struct stream_plan *p, const struct stream_sum *sum, unsigned sums,
			const struct stream_body *body, unsigned len, uint8_t *head)
{
	for (unsigned i = 0; i < p->layers; i++)
		put_length(&p->layer[i], head + p->layer[i].at, len - p->layer[i].at);
	while (sums--)
		put_sum(p, &sum[sums], body, len, head);
}

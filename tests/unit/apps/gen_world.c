// SPDX-License-Identifier: BSD-3-Clause
// gen_world.c - blobs with streams by hand: frames after RFC 791, 8200 and 768, summed the slow way
#include "tests/unit/apps/gen_world.h"

#include <stdlib.h>
#include <string.h>

void gw_init(struct gen_world *w)
{
	memset(w, 0, sizeof(*w));
	w->params.lcores = 1;
	w->port[0].name = w->port[1].name = 1;
	w->port[0].driver = w->port[1].driver = 5;
	w->streams = calloc(GW_STREAMS, sizeof(*w->streams));
	w->variants = calloc(GW_VARIANTS, sizeof(*w->variants));
	w->fields = calloc(GW_FIELDS, sizeof(*w->fields));
	w->bytes = calloc(GW_BYTES, 1);
	if (!w->streams || !w->variants || !w->fields || !w->bytes)
		abort();
}

void gw_free(struct gen_world *w)
{
	free(w->streams);
	free(w->variants);
	free(w->fields);
	free(w->bytes);
	free(w->data);
}

uint32_t gw_bytes(struct gen_world *w, const void *p, size_t n)
{
	uint32_t at = w->n_bytes;

	if (at + n + 8 > GW_BYTES)
		abort();
	memcpy(w->bytes + at, p, n);
	w->n_bytes = (uint32_t)(at + n + 7) & ~7u;
	return at;
}

static uint32_t sum(uint32_t c, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		c += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return c;
}

static void put_sum(uint8_t *p, uint32_t c, bool udp)
{
	while (c >> 16)
		c = (c & 0xffff) + (c >> 16);
	c = ~c & 0xffff;
	if (udp && !c)
		c = 0xffff;
	p[0] = (uint8_t)(c >> 8);
	p[1] = (uint8_t)c;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

// The payload counts up from 1; where the signature goes there are zeros.
static void frame(uint8_t *f, uint16_t len, bool six, bool plain)
{
	static const uint8_t eth[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
	unsigned l4 = six ? 54 : 34, udp = len - l4;
	uint8_t *ip = f + 14;

	memset(f, 0, len);
	memcpy(f, eth, 12);
	put16(f + 12, six ? 0x86dd : 0x0800);
	if (six) {
		ip[0] = 0x60;
		put16(ip + 4, udp);
		ip[6] = 17;
		ip[7] = 64;
		ip[8] = ip[24] = 0x20;
		ip[23] = 1;
		ip[39] = 2;
	} else {
		ip[0] = 0x45;
		put16(ip + 2, len - 14);
		ip[8] = 64;
		ip[9] = 17;
		ip[12] = ip[16] = 10;
		ip[15] = 1;
		ip[19] = 2;
		put_sum(ip + 10, sum(0, ip, 20), false);
	}
	put16(f + l4, 1024);
	put16(f + l4 + 2, 9);
	put16(f + l4 + 4, udp);
	for (unsigned i = l4 + 8; i < len - (plain ? 0u : 18u); i++)
		f[i] = (uint8_t)(i - l4 - 7);
	put_sum(f + l4 + 6,
		sum(sum(17 + udp, ip + (six ? 8 : 12), six ? 32 : 8), f + l4, udp), true);
}

static struct blob_stream *add(struct gen_world *w, const uint16_t *lens, unsigned n, bool six, bool plain)
{
	struct blob_stream *s = &w->streams[w->n_streams++];
	uint8_t f[16384];
	uint16_t longest = 0;

	*s = (struct blob_stream){.name = 1, .head_len = six ? 62 : 42, .variant = w->n_variants, .variants = n,
				  .field = w->n_fields, .burst = 1, .seed = w->n_streams, .lengths = 1,
				  .flags = plain ? 0 : BLOB_STREAM_SIGNED, .sums = six ? 1 : 2,
				  .sum_ip = six ? 0 : 1, .sig_sums = six ? 1 : 2};
	s->sum_at[0] = six ? 60 : 24;
	s->sum_at[1] = six ? 0 : 40;
	for (unsigned i = 0; i < n; i++) {
		frame(f, lens[i], six, plain);
		w->variants[w->n_variants++] =
			(struct blob_variant){.head = gw_bytes(w, f, s->head_len), .len = lens[i], .weight = 1};
		if (lens[i] > longest)
			longest = lens[i];
	}
	frame(f, longest, six, true);
	s->body_len = (uint16_t)(longest - s->head_len);
	s->body = gw_bytes(w, f + s->head_len, s->body_len);
	return s;
}

struct blob_stream *gw_udp4(struct gen_world *w, const uint16_t *lens, unsigned n, bool plain)
{
	return add(w, lens, n, false, plain);
}

struct blob_stream *gw_udp6(struct gen_world *w, const uint16_t *lens, unsigned n, bool plain)
{
	return add(w, lens, n, true, plain);
}

struct blob_field *gw_field(struct gen_world *w, uint16_t offset, uint8_t size, uint8_t sums)
{
	struct blob_field *f = &w->fields[w->n_fields++];

	*f = (struct blob_field){.offset = offset, .size = size, .bits = (uint8_t)(8 * size), .sums = sums,
				 .every = 1, .count = 1, .step = 1};
	w->streams[w->n_streams - 1].fields++;
	return f;
}

static void section(struct gen_world *w, unsigned i, uint32_t type, const void *p, uint32_t n, uint32_t size)
{
	struct blob_hdr *h = w->data;
	struct blob_section *s = (struct blob_section *)(h + 1) + i;

	*s = (struct blob_section){type, (uint32_t)w->len, n, size};
	memcpy((uint8_t *)w->data + w->len, p, (size_t)n * size);
	w->len = (w->len + (size_t)n * size + 7) & ~7ul;
}

int gw_open(struct gen_world *w, struct err *err)
{
	static const char strings[16] = "\0one\0null";
	struct blob_hdr *h;

	free(w->data);
	w->len = (sizeof(*h) + 7 * sizeof(struct blob_section) + 7) & ~7ul;
	w->data = h = calloc(1, w->len + w->n_streams * sizeof(*w->streams) + w->n_variants * sizeof(*w->variants) +
					w->n_fields * sizeof(*w->fields) + w->n_bytes + 4096);
	if (!h)
		abort();
	section(w, 0, BLOB_STRINGS, strings, sizeof(strings), 1);
	section(w, 1, BLOB_PARAMS, &w->params, 1, sizeof(w->params));
	section(w, 2, BLOB_PORTS, w->port, 2, sizeof(w->port[0]));
	section(w, 3, BLOB_STREAMS, w->streams, w->n_streams, sizeof(*w->streams));
	section(w, 4, BLOB_VARIANTS, w->variants, w->n_variants, sizeof(*w->variants));
	section(w, 5, BLOB_FIELDS, w->fields, w->n_fields, sizeof(*w->fields));
	section(w, 6, BLOB_BYTES, w->bytes, w->n_bytes, 1);
	memcpy(h->magic, BLOB_MAGIC, sizeof(h->magic));
	h->version = BLOB_VERSION;
	h->len = (uint32_t)w->len;
	h->sections = 7;
	memcpy(h->function, "pktgen", 7);
	h->crc = crc32c(0, h, w->len);
	return blob_open(&w->blob, w->data, w->len, err);
}

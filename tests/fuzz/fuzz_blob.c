// SPDX-License-Identifier: BSD-3-Clause
// fuzz_blob.c - any bytes as a configuration blob: refused, or every part of it can be read
//
// The checksum is put right first, else nothing behind it would ever be reached.
#include <stdlib.h>
#include <string.h>

#include "core/blob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned long sink;

static void read_hop(const struct blob *b, uint16_t hop)
{
	const struct blob_hop *h = &b->hops[hop];

	for (uint32_t k = 0; k < h->paths; k++) {
		const struct blob_path *p = &b->paths[h->first + k];

		sink += p->via[15] + (p->iface == BLOB_IFACE_ANY ? 0 : b->ifaces[p->iface].mtu);
	}
}

static void read_bytes(const struct blob *b, uint32_t at, uint64_t n)
{
	if (n)
		sink += b->bytes[at] + b->bytes[at + n - 1];
}

static void read_stream(const struct blob *b, const struct blob_stream *s)
{
	sink += strlen(blob_str(b, s->name)) + b->ports[s->port].mtu;
	read_bytes(b, s->body, s->body_len);
	for (uint32_t i = 0; i < s->variants; i++)
		read_bytes(b, b->variants[s->variant + i].head, s->head_len);
	for (uint32_t i = 0; i < s->fields; i++) {
		const struct blob_field *f = &b->fields[s->field + i];

		if (f->kind == BLOB_FIELD_LIST)
			sink += *(const uint64_t *)(b->bytes + f->list + (f->count - 1) * 8);
	}
}

static void read_all(const struct blob *b)
{
	uint32_t i;

	sink += b->params->lcores + strlen(b->hdr->function);
	for (i = 0; i < b->n_ports; i++)
		sink += strlen(blob_str(b, b->ports[i].name)) +
			strlen(blob_str(b, b->ports[i].driver)) +
			strlen(blob_str(b, b->ports[i].args));
	for (i = 0; i < b->n_ifaces; i++) {
		const struct blob_iface *f = &b->ifaces[i];

		sink += strlen(blob_str(b, f->name));
		if (f->vrf)
			sink += strlen(blob_str(b, b->vrfs[f->vrf - 1]));
		if (f->kind == BLOB_IFACE_VLAN)
			sink += b->ifaces[f->parent].mtu;
		for (uint32_t k = 0; k < f->members; k++)
			sink += b->ifaces[b->members[f->first + k]].mtu;
	}
	for (i = 0; i < b->n_addrs; i++)
		sink += b->ifaces[b->addrs[i].iface].mtu + b->addrs[i].addr[15];
	for (i = 0; i < b->n_routes4; i++)
		read_hop(b, b->routes4[i].hop);
	for (i = 0; i < b->n_routes6; i++)
		read_hop(b, b->routes6[i].hop);
	for (i = 0; i < b->n_neighbors; i++)
		sink += b->ifaces[b->neighbors[i].iface].mtu;
	for (i = 0; i < b->n_streams; i++)
		read_stream(b, &b->streams[i]);
	for (i = 0; i < b->n_patches; i++)
		sink += b->ports[b->patches[i].from].mtu + b->ports[b->patches[i].to].mtu;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	// malloc: 16-byte aligned, and the sanitizer sees its end.
	uint8_t *copy = malloc(size + 1);
	struct blob_hdr *hdr = (struct blob_hdr *)copy;
	struct blob b;
	struct err err;

	memcpy(copy, data, size);
	if (size >= sizeof(*hdr)) {
		memcpy(hdr->magic, BLOB_MAGIC, sizeof(hdr->magic));
		hdr->version = BLOB_VERSION;
		hdr->len = (uint32_t)size;
		hdr->crc = 0;
		hdr->crc = crc32c(0, copy, size);
	}
	if (!blob_open(&b, copy, size, &err))
		read_all(&b);
	free(copy);
	return 0;
}

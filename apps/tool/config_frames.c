// SPDX-License-Identifier: BSD-3-Clause
// config_frames.c - what streams compile to, as it grows: pieces of bytes, each once
#include <stdlib.h>
#include <string.h>

#include "apps/tool/config_frames.h"
#include "apps/tool/util.h"

struct frames_piece {
	uint32_t at, len, hash;
};

static void grow_slots(struct config_frames *f)
{
	size_t n = f->n_slots ? 4 * f->n_slots : 256;

	free(f->shared);
	f->shared = calloc(n, sizeof(*f->shared));
	if (!f->shared)
		die_no_memory();
	f->n_slots = n;
	for (size_t i = 0; i < f->n_pieces; i++) {
		size_t s = f->pieces[i].hash % n;

		while (f->shared[s])
			s = (s + 1) % n;
		f->shared[s] = (uint32_t)i + 1;
	}
}

uint32_t frames_bytes(struct config_frames *f, const void *data, size_t len)
{
	size_t at = (f->n_bytes + 7) & ~(size_t)7;

	if (at + len >= f->room_bytes) { // there is memory even when len is 0
		f->room_bytes = 2 * (at + len) + 64;
		f->bytes = xrealloc(f->bytes, f->room_bytes);
	}
	memset(f->bytes + f->n_bytes, 0, at - f->n_bytes);
	if (len)
		memcpy(f->bytes + at, data, len);
	f->n_bytes = at + len;
	return (uint32_t)at;
}

uint32_t frames_shared(struct config_frames *f, const void *data, size_t len)
{
	uint32_t hash = crc32c(0, data, len);
	struct frames_piece *p;
	size_t s;

	if (2 * f->n_pieces >= f->n_slots)
		grow_slots(f);
	for (s = hash % f->n_slots; f->shared[s]; s = (s + 1) % f->n_slots) {
		p = &f->pieces[f->shared[s] - 1];
		if (p->hash == hash && p->len == len && !memcmp(f->bytes + p->at, data, len))
			return p->at;
	}
	f->pieces = array_add(f->pieces, &f->n_pieces, &f->room_pieces, sizeof(*f->pieces));
	p = &f->pieces[f->n_pieces - 1];
	*p = (struct frames_piece){frames_bytes(f, data, len), (uint32_t)len, hash};
	f->shared[s] = (uint32_t)f->n_pieces;
	return p->at;
}

void config_frames_free(struct config_frames *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n_names; i++)
		free(f->names[i]);
	free(f->names);
	free(f->streams);
	free(f->variants);
	free(f->fields);
	free(f->bytes);
	free(f->shared);
	free(f->pieces);
	free(f);
}

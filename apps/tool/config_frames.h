// SPDX-License-Identifier: BSD-3-Clause
// config_frames.h - what the streams of a configuration compile to: sections of the blob
#ifndef WEIR_APPS_TOOL_CONFIG_FRAMES_H
#define WEIR_APPS_TOOL_CONFIG_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "core/blob.h"

#define FRAMES_BYTES_MAX    (256u << 20)
#define FRAMES_VARIANTS_MAX (1u << 22) // as blob_open() has it, like the next
#define FRAMES_FIELDS_MAX   (1u << 18)

struct frames_piece;

struct config_frames {
	struct blob_stream *streams; // names not yet placed
	size_t n_streams, room_streams;
	char **names;
	size_t n_names, room_names;
	struct blob_variant *variants;
	size_t n_variants, room_variants;
	struct blob_field *fields;
	size_t n_fields, room_fields;
	uint8_t *bytes;
	size_t n_bytes, room_bytes;
	uint32_t *shared; // a hash of pieces: their numbers + 1
	size_t n_slots;
	struct frames_piece *pieces;
	size_t n_pieces, room_pieces;
};

// Adds len bytes and gives their offset, 8-byte aligned; the second looks whether they are there already.
uint32_t frames_bytes(struct config_frames *f, const void *data, size_t len);
uint32_t frames_shared(struct config_frames *f, const void *data, size_t len);

void config_frames_free(struct config_frames *f); // NULL is fine

#endif

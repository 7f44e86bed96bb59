// SPDX-License-Identifier: BSD-3-Clause
// source.h - the bytes of a file or a pipe, in order, read ahead in large pieces
//
// Read, not mapped: a mapping's page faults cost more than copying what fits the processor's caches, and a file that
// somebody cuts short meanwhile would end the process.
#ifndef WEIR_PMD_PCAP_SOURCE_H
#define WEIR_PMD_PCAP_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "core/lcore.h"

struct capture_source {
	int fd;
	int error; // errno of a read that failed
	uint8_t *buf;
	size_t room, at, end; // bytes [at, end) of buf are to come
	uint64_t offset;      // of byte buf[0] in the file
};

void source_open(struct capture_source *s, int fd); // which it closes
void source_close(struct capture_source *s);
const uint8_t *source_fill(struct capture_source *s, size_t n);

// The next n bytes, which stay next, until another call; NULL: the file has no more (source_left() of them), or
// error says why.
static always_inline const uint8_t *source_peek(struct capture_source *s, size_t n)
{
	return likely(s->end - s->at >= n) ? s->buf + s->at : source_fill(s, n);
}

// Goes on by n of the bytes that were peeked at.
static always_inline void source_skip(struct capture_source *s, size_t n)
{
	s->at += n;
}

static inline size_t source_left(const struct capture_source *s)
{
	return s->end - s->at;
}

static inline uint64_t source_offset(const struct capture_source *s)
{
	return s->offset + s->at;
}

#endif

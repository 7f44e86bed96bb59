// SPDX-License-Identifier: BSD-3-Clause
// stream.h - a byte stream to somebody outside: a unix socket, hosted; a virtio console, in the image
//
// Nothing here waits. One lcore.
#ifndef WEIR_CORE_STREAM_H
#define WEIR_CORE_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

struct stream;

struct stream_ops {
	// Up to n bytes that have come. 0: none; -errno: the other end has gone, or the device is broken for
	// good.
	int (*read)(struct stream *s, void *buf, uint32_t n);
	// Takes up to n bytes; how many (0: the other end reads too slowly), or -errno as above.
	int (*write)(struct stream *s, const void *buf, uint32_t n);
	// Ends it and frees s.
	void (*close)(struct stream *s);
};

struct stream {
	const struct stream_ops *ops;
	bool shared; // the other end may be another one at any time, and nobody says so: never closed
};

struct stream_listener {
	// A stream when somebody has come, else NULL.
	struct stream *(*accept)(struct stream_listener *l);
	void (*close)(struct stream_listener *l);
};

static inline int stream_read(struct stream *s, void *buf, uint32_t n)
{
	return s->ops->read(s, buf, n);
}

static inline int stream_write(struct stream *s, const void *buf, uint32_t n)
{
	return s->ops->write(s, buf, n);
}

static inline void stream_close(struct stream *s)
{
	s->ops->close(s);
}

#endif

// SPDX-License-Identifier: BSD-3-Clause
// virtio_port.h - what the virtio fuzz targets share: input bytes, and a port over the model device
#ifndef WEIR_TESTS_FUZZ_VIRTIO_PORT_H
#define WEIR_TESTS_FUZZ_VIRTIO_PORT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mempool/mempool.h"
#include "pmd/pmds.h"
#include "tests/unit/pmd/virtio/model.h"

struct input {
	const uint8_t *p, *end;
};

// The next n bytes as a number; zeros once the input has ended.
static inline uint32_t take(struct input *in, unsigned n)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < n && in->p < in->end; i++)
		v |= (uint32_t)*in->p++ << (8 * i);
	return v;
}

static inline void require(int what, const char *why)
{
	if (what)
		return;
	fprintf(stdout, "invariant broken: %s\n", why);
	fflush(stdout);
	abort();
}

#define FUZZ_POOL 512u

// The same pool for every input: what one leaks, the next would miss. The driver's messages are not
// wanted thousands of times.
static inline struct mempool *fuzz_pool(void)
{
	static struct mempool *pool;
	const struct mempool_conf conf = {.name = "rx", .count = FUZZ_POOL};

	if (!pool) {
		pool = mempool_create(&conf, NULL);
		require(pool != NULL, "there is a pool");
		stderr = fopen("/dev/null", "w");
	}
	return pool;
}

static inline int fuzz_open(struct port *port, struct clock *clock, uint16_t rx, uint16_t tx,
			    uint32_t offloads)
{
	struct err err;
	const struct port_conf conf = {.name = "wan",
				       .args = "0",
				       .pool = fuzz_pool(),
				       .clock = clock,
				       .queues = 1,
				       .rx_size = rx,
				       .tx_size = tx,
				       .offloads = offloads};

	memset(port, 0, sizeof(*port));
	port->pmd = &virtio_pmd;
	clock_init(clock, CLOCK_CAPTURE);
	return virtio_pmd.open(port, &conf, &err);
}

static inline void fuzz_close(struct port *port)
{
	struct port_stats s = {0};

	virtio_pmd.stats(port, &s);
	require(virtio_pmd.close(port, NULL) == 0, "a port closes");
}

static inline void fuzz_all_home(void)
{
	require(mempool_available(fuzz_pool()) == FUZZ_POOL, "every buffer is back in the pool");
}

#endif

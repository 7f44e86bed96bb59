// SPDX-License-Identifier: BSD-3-Clause
// io_run.c - forward packets that circulate through one port, by the real loop and graph; io.py
// runs it
//
// usage: io_run DEVICE PACKETS BURST      (io_run loop: 32 32)
// The port must give back what it is sent (loop:, dpdk:net_ring0). For each number read from
// standard input runs for so many milliseconds and prints: packets, TSC cycles, nanoseconds that
// the thread waited for its core, the TSC's MHz.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plat.h"
#include "mempool/mempool.h"
#include "pmd/port_node.h"
#include "perf/thread_wait.h"

#define FRAME 60

static void die(const char *what, const struct err *e)
{
	fprintf(stderr, "io_run: %s: %s\n", what, e->text);
	exit(1);
}

static struct mempool *open_port(struct port *port, char *device, struct clock *clock)
{
	const struct pmd *pmd;
	char *colon = strchr(device, ':');
	struct mempool_conf pool = {.name = "io", .count = 8192};
	struct port_conf conf = {.name = "io", .driver = device, .clock = clock, .queues = 1};
	struct err e = {""};

	conf.args = colon ? colon + 1 : "";
	if (colon)
		*colon = 0;
	pmd = pmd_find(device);
	pool.prefix = pmd ? pmd->mbuf_prefix : 0;
	conf.pool = mempool_create(&pool, &e);
	if (!conf.pool)
		die("pool", &e);
	if (port_open(port, &conf, &e))
		die("port", &e);
	return conf.pool;
}

static void start_packets(struct port *port, struct mempool *pool, unsigned n)
{
	static const uint8_t frame[FRAME] = {0x02, 0, 0, 0, 0,    2,    0x02, 0,
					     0,    0, 0, 1, 0x08, 0x00, 0x45};
	struct err e = {"the port does not take the first packets"};

	for (unsigned i = 0; i < n; i++) {
		struct mbuf *m = mbuf_from_bytes(pool, frame, FRAME);

		if (!m || port_tx_burst(port, 0, &m, 1) != 1)
			die("start", &e);
	}
}

static uint64_t deadline;

static int until_deadline(void *arg, uint64_t now)
{
	return now >= deadline;
}

static void run(struct loop *l, uint64_t ns)
{
	deadline = clock_turn(&l->clock) + ns;
	loop_run(l);
}

static void measure(struct loop *l, uint64_t ns)
{
	uint64_t packets = l->source[0].packets, wait = wait_ns(), start = tsc_read(), cycles;

	run(l, ns);
	cycles = tsc_read() - start;
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", l->source[0].packets - packets,
	       cycles, wait_ns() - wait, plat_tsc_hz() / 1000000);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct loop loop;
	static struct port port;
	struct graph_books books;
	struct mempool *pool;
	struct node *tx;
	struct err e = {""};
	unsigned ms;

	if (argc != 4) {
		fprintf(stderr, "usage: io_run DEVICE PACKETS BURST\n");
		return 2;
	}
	if (lcore_enter(0))
		die("lcore", &e);
	clock_init(&loop.clock, CLOCK_REAL);
	pool = open_port(&port, argv[1], &loop.clock);
	start_packets(&port, pool, (unsigned)atoi(argv[2]));
	loop.graph = graph_create(&loop.clock, &e);
	tx = loop.graph ? port_tx_node_add(loop.graph, &port, 0, &e) : NULL;
	if (!tx)
		die("graph", &e);
	port_source(&loop.source[loop.sources++], &port, 0, tx);
	port_sink(&loop.sink[loop.sinks++], tx);
	loop.tick = until_deadline;
	loop.burst = (uint16_t)atoi(argv[3]);
	while (scanf("%u", &ms) == 1)
		measure(&loop, ms * 1000000ull);
	graph_books(loop.graph, &books);
	if (!graph_balanced(&books) || books.dropped)
		return 1;
	graph_destroy(loop.graph);
	return port_close(&port, &e) ? 1 : 0;
}

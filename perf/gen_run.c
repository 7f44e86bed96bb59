// SPDX-License-Identifier: BSD-3-Clause
// gen_run.c - streams of a configuration of function pktgen, by the real loop and transmit node; pktgen.py runs it
//
// usage: gen_run FILE.yaml        (lcore 0's streams of port 0)
// For each number read from standard input runs for so many milliseconds and prints: packets, TSC cycles,
// nanoseconds that the thread waited for its core, the TSC's MHz, nanoseconds by the system's clock, packets that
// the rates had asked for, the most that one was late (ns), and packets by the gap in front (struct gen_pace).
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apps/pktgen/gen.h"
#include "apps/tool/config.h"
#include "core/loop.h"
#include "core/plat.h"
#include "mempool/mempool.h"
#include "pmd/port_node.h"
#include "perf/thread_wait.h"

static void die(const char *what, const struct err *e)
{
	fprintf(stderr, "gen_run: %s: %s\n", what, e->text);
	exit(1);
}

static struct blob read_blob(const char *path)
{
	struct err e = {"see above"};
	struct diags diags = {0};
	struct config c;
	struct blob b;
	size_t len;
	bool good = config_load(&c, path, &diags);
	void *data;

	diag_print(&diags, stderr);
	diag_free(&diags);
	if (!good)
		die(path, &e);
	data = config_blob(&c, &len);
	config_free(&c);
	if (blob_open(&b, data, len, &e))
		die(path, &e);
	return b;
}

static struct mempool *open_port(struct port *port, const struct blob *b, struct clock *clock)
{
	const char *driver = blob_str(b, b->ports[0].driver), *args = blob_str(b, b->ports[0].args);
	const struct pmd *pmd = pmd_resolve(driver, args);
	struct mempool_conf pool = {.name = "gen", .count = 8192, .prefix = pmd ? pmd->mbuf_prefix : 0};
	struct port_conf conf = {.name = "gen", .driver = driver, .args = args, .clock = clock, .queues = 1};
	struct err e = {""};

	conf.pool = mempool_create(&pool, &e);
	if (!conf.pool)
		die("pool", &e);
	if (port_open(port, &conf, &e))
		die("port", &e);
	return conf.pool;
}

static uint64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

static uint64_t deadline;

static int until_deadline(void *arg, uint64_t now)
{
	return now >= deadline;
}

static uint64_t due(const struct gen *g, uint32_t streams)
{
	struct gen_count c;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < streams; i++) {
		gen_count(g, i, &c);
		sum += c.due;
	}
	return sum;
}

static void measure(struct loop *l, struct gen *g, uint32_t streams, uint64_t ns)
{
	uint64_t packets = l->source[0].packets, wait = wait_ns(), wall = wall_ns(), start, cycles;
	struct gen_order order = {.start_tsc = tsc_read()};
	struct gen_pace pace;

	gen_start(g, &order);
	start = tsc_read();
	deadline = clock_turn(&l->clock) + ns;
	loop_run(l);
	gen_stop(g);
	cycles = tsc_read() - start;
	wall = wall_ns() - wall;
	gen_pace(g, &pace);
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
	       l->source[0].packets - packets, cycles, wait_ns() - wait, plat_tsc_hz() / 1000000, wall,
	       due(g, streams), pace.late_ns_max);
	for (unsigned i = 0; i < 4; i++)
		printf(" %" PRIu64, pace.gap[i]);
	printf("\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct loop loop;
	static struct port port;
	struct gen_conf conf = {.lcores = 1, .mac = port.grant.mac};
	struct graph_books books;
	struct node *tx;
	struct blob blob;
	struct gen *g;
	struct err e = {""};
	unsigned ms;

	if (argc != 2) {
		fprintf(stderr, "usage: gen_run FILE.yaml\n");
		return 2;
	}
	if (lcore_enter(0))
		die("lcore", &e);
	blob = read_blob(argv[1]);
	clock_init(&loop.clock, CLOCK_REAL);
	conf.blob = &blob;
	conf.pool = open_port(&port, &blob, &loop.clock);
	loop.graph = graph_create(&loop.clock, &e);
	conf.tx = tx = loop.graph ? port_tx_node_add(loop.graph, &port, 0, &e) : NULL;
	g = tx ? gen_create(&conf, &e) : NULL;
	if (!g)
		die("generator", &e);
	loop.source[loop.sources++] = (struct loop_source){.burst = gen_burst, .arg = g, .node = tx, .made = true};
	port_sink(&loop.sink[loop.sinks++], tx);
	loop.tick = until_deadline;
	while (scanf("%u", &ms) == 1)
		measure(&loop, g, blob.n_streams, ms * 1000000ull);
	graph_books(loop.graph, &books);
	if (!graph_balanced(&books) || books.dropped)
		return 1;
	gen_destroy(g);
	graph_destroy(loop.graph);
	return port_close(&port, &e) ? 1 : 0;
}

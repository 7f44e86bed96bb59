// SPDX-License-Identifier: BSD-3-Clause
// router_run.c - the router's nodes between ports, by the real loop and graph; router.py runs it
//
// usage: router_run FAMILY PREFIXES FLOWS SIZE IN OUT LCORES NODES [FILE]
//   FAMILY    4 or 6
//   PREFIXES  of the table, 0: all of FILE's (without FILE random ones)
//   FLOWS     random destinations in turn, 1: always the same
//   SIZE      bytes of a frame, or imix (7 of 64, 4 of 594 and 1 of 1,518, less 4)
//   IN        device; '%' stands for the number of the lcore
//   OUT       device; "-": IN gives back what it is sent (loop:, dpdk:net_ring%), and node "feed"
//   makes
//             fresh packets of them in front of the router
//   LCORES    each has its own ports, router and table
//   NODES     router, or none: what comes goes out again
// For each number read from standard input runs for so many milliseconds and prints a line of JSON:
// packets, nanoseconds and processor time in all, how long threads waited for their cores, the
// TSC's MHz, and of each node its cycles and packets.
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/plat.h"
#include "netstack/eth.h"
#include "perf/router_bed.h"
#include "pmd/port_node.h"
#include "perf/thread_wait.h"

#define LANES_MAX 8
#define POOL	  32768u
#define ROUND	  256u // packets that circulate

struct lane {
	struct loop loop;
	struct port port[2];
	struct mempool *pool;
	struct node *tx[2];
	unsigned ports, id;
	uint64_t deadline, packets, cpu_ns, wait_ns;
} cache_aligned;

static struct lane lanes[LANES_MAX];
static struct bed_table table;
static unsigned lane_count;
static pthread_barrier_t start, end;
static unsigned window_ms;

static void die(const char *what, const struct err *e)
{
	fprintf(stderr, "router_run: %s: %s\n", what, e->text);
	exit(1);
}

// "dpdk:net_ring%" of lane 1 is "dpdk:net_ring1".
static char *device_of(const char *text, unsigned lane)
{
	char *device = malloc(strlen(text) + 1), *at;

	if (!device)
		exit(1);
	strcpy(device, text);
	at = strchr(device, '%');
	if (at)
		*at = (char)('0' + lane);
	return device;
}

static void open_port(struct lane *l, const char *text)
{
	struct port_conf conf = {.clock = &l->loop.clock, .queues = 1};
	char name[16], *device = device_of(text, l->id), *colon = strchr(device, ':');
	struct mempool_conf pool = {.name = "run", .count = POOL, .lcores = (uint16_t)lane_count};
	struct err e = {""};

	snprintf(name, sizeof(name), "p%u-%u", l->id, l->ports);
	if (colon)
		*colon = 0;
	conf.name = name;
	conf.driver = device;
	conf.args = colon ? colon + 1 : "";
	if (!l->pool) {
		const struct pmd *pmd = pmd_find(device);

		pool.prefix = pmd ? pmd->mbuf_prefix : 0;
		l->pool = mempool_create(&pool, &e);
		if (!l->pool)
			die("pool", &e);
	}
	conf.pool = l->pool;
	if (port_open(&l->port[l->ports++], &conf, &e))
		die(text, &e);
	free(device);
}

static unsigned size_of(const char *size, unsigned i)
{
	static const uint16_t imix[12] = {60, 60, 60, 590, 60, 590, 60, 590, 60, 590, 60, 1514};

	return strcmp(size, "imix") ? (unsigned)atoi(size) - 4 : imix[i % 12];
}

static void start_packets(struct lane *l, const char *size)
{
	struct err e = {"the port does not take the first packets"};

	for (unsigned i = 0; i < ROUND; i++) {
		struct mbuf *m = bed_packet(&table, l->pool, size_of(size, i));

		if (!m || port_tx_burst(&l->port[0], 0, &m, 1) != 1)
			die("start", &e);
	}
}

static struct node *build_router(struct lane *l, struct err *err)
{
	if (table.family == 6)
		return bed_router6(l->loop.graph, l->pool, &table, l->tx, l->ports, err);
	return bed_router4(l->loop.graph, l->pool, &table, l->tx, l->ports, err);
}

static void build(struct lane *l, bool feeds, bool routes)
{
	struct err e = {""};
	struct node *in, *feed;

	clock_init(&l->loop.clock, CLOCK_REAL);
	l->loop.graph = graph_create(&l->loop.clock, &e);
	for (unsigned p = 0; l->loop.graph && p < l->ports; p++) {
		l->tx[p] = port_tx_node_add(l->loop.graph, &l->port[p], 0, &e);
		if (!l->tx[p])
			die("graph", &e);
		port_sink(&l->loop.sink[l->loop.sinks++], l->tx[p]);
	}
	in = routes ? build_router(l, &e) : l->tx[l->ports - 1];
	if (in && feeds) {
		feed = bed_feed_add(l->loop.graph, &table, &e);
		in = feed && !node_connect(feed, "out", in, &e) ? feed : NULL;
	}
	if (!in)
		die("router", &e);
	port_source(&l->loop.source[l->loop.sources++], &l->port[0], 0, in);
}

// Running --------------------------------------------------------------------------------------

static int until_deadline(void *arg, uint64_t now)
{
	return now >= ((struct lane *)arg)->deadline;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

static void window(struct lane *l)
{
	uint64_t packets = l->loop.source[0].packets, wait = wait_ns(), cpu = cpu_ns();

	l->deadline = clock_turn(&l->loop.clock) + window_ms * 1000000ull;
	l->loop.tick = until_deadline;
	l->loop.tick_arg = l;
	loop_run(&l->loop);
	l->cpu_ns = cpu_ns() - cpu;
	l->wait_ns = wait_ns() - wait;
	l->packets = l->loop.source[0].packets - packets;
}

static void *follow(void *arg)
{
	struct lane *l = arg;
	struct err e = {""};

	if (lcore_enter(l->id))
		die("lcore", &e);
	for (;;) {
		pthread_barrier_wait(&start);
		if (window_ms == 0)
			return NULL;
		window(l);
		pthread_barrier_wait(&end);
	}
}

static void print_nodes(void)
{
	const struct graph *g = lanes[0].loop.graph;

	for (unsigned i = 0; i < graph_nodes(g); i++) {
		uint64_t cycles = 0, packets = 0, dropped = 0;

		for (unsigned l = 0; l < lane_count; l++) {
			const struct node_stats *s = &graph_node(lanes[l].loop.graph, i)->stats;

			cycles += s->cycles;
			packets += s->packets;
			for (unsigned d = 0; d < NODE_DROPS_MAX; d++)
				dropped += s->drop[d];
		}
		if (packets || cycles)
			printf(", \"%s\": [%" PRIu64 ", %" PRIu64 ", %" PRIu64 "]",
			       graph_node(g, i)->name, cycles, packets, dropped);
	}
}

static void report(uint64_t ns)
{
	uint64_t packets = 0, cpu = 0, wait = 0;

	for (unsigned i = 0; i < lane_count; i++) {
		packets += lanes[i].packets;
		cpu += lanes[i].cpu_ns;
		wait = wait > lanes[i].wait_ns ? wait : lanes[i].wait_ns;
	}
	printf("{\"packets\": %" PRIu64 ", \"ns\": %" PRIu64 ", \"cpu_ns\": %" PRIu64
	       ", \"wait_ns\": %" PRIu64 ", \"mhz\": %" PRIu64 ", \"nodes\": {\"\": [0, 0, 0]",
	       packets, ns, cpu, wait, plat_tsc_hz() / 1000000);
	print_nodes();
	printf("}}\n");
	fflush(stdout);
}

static void serve(void)
{
	while (scanf("%u", &window_ms) == 1 && window_ms) {
		struct timespec from, to;

		clock_gettime(CLOCK_MONOTONIC, &from);
		pthread_barrier_wait(&start);
		window(&lanes[0]);
		pthread_barrier_wait(&end);
		clock_gettime(CLOCK_MONOTONIC, &to);
		report((uint64_t)(to.tv_sec - from.tv_sec) * NSEC_PER_SEC + (uint64_t)to.tv_nsec -
		       (uint64_t)from.tv_nsec);
	}
	window_ms = 0;
	pthread_barrier_wait(&start);
}

static int finish(pthread_t *thread)
{
	struct graph_books books;
	struct err e;
	int rc = 0;

	for (unsigned i = 0; i < lane_count; i++) {
		if (i)
			pthread_join(thread[i], NULL);
		graph_books(lanes[i].loop.graph, &books);
		rc |= !graph_balanced(&books);
		graph_destroy(lanes[i].loop.graph);
		for (unsigned p = 0; p < lanes[i].ports; p++)
			rc |= port_close(&lanes[i].port[p], &e) != 0;
	}
	return rc ? 1 : 0;
}

int main(int argc, char **argv)
{
	pthread_t thread[LANES_MAX];
	struct err e = {""};
	bool circle = argc >= 9 && !strcmp(argv[6], "-");
	int rc;

	if (argc < 9 || argc > 10) {
		fputs("usage: router_run FAMILY PREFIXES FLOWS SIZE IN OUT LCORES NODES [FILE]\n",
		      stderr);
		return 2;
	}
	rc = bed_table_make(&table, (unsigned)atoi(argv[1]), argc > 9 ? argv[9] : NULL,
			    (uint32_t)atoi(argv[2]), (uint32_t)atoi(argv[3]));
	lane_count = (unsigned)atoi(argv[7]);
	if (rc || lane_count < 1 || lane_count > LANES_MAX || lcore_enter(0)) {
		fprintf(stderr, "router_run: %s\n", rc ? strerror(-rc) : "LCORES: 1 to 8");
		return 1;
	}
	pthread_barrier_init(&start, NULL, lane_count);
	pthread_barrier_init(&end, NULL, lane_count);
	for (unsigned i = 0; i < lane_count; i++) {
		lanes[i].id = i;
		open_port(&lanes[i], argv[5]);
		if (!circle)
			open_port(&lanes[i], argv[6]);
		build(&lanes[i], circle, !strcmp(argv[8], "router"));
		if (circle)
			start_packets(&lanes[i], argv[4]);
		if (i && pthread_create(&thread[i], NULL, follow, &lanes[i]))
			die("thread", &e);
	}
	serve();
	return finish(thread);
}

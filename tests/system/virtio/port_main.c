// SPDX-License-Identifier: BSD-3-Clause
// port_main.c - an image that drives one virtio port: receives, sends, or sends back what it
// receives
//
// Arguments (kernel command line): mode=rx|tx|echo seconds=N packets=N size=N rx=N tx=N port=N.
// Ends after the seconds, or a moment after so many packets, by printing the figures of the port,
// one `name value` a line, and what the second half of the time saw.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plat.h"
#include "mempool/mempool.h"
#include "pmd/port.h"

#define BURST 32u

struct run {
	struct port port;
	struct clock clock;
	struct mempool *pool;
	const char *mode;
	unsigned seconds, size;
	uint64_t wanted, total; // packets
	uint64_t end;
	bool up;
	uint64_t packets, polls, empty, busy_cycles; // of the second half
};

static const char *arg(int argc, char **argv, const char *name, const char *otherwise)
{
	size_t n = strlen(name);

	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], name, n) && argv[i][n] == '=')
			return argv[i] + n + 1;
	return otherwise;
}

static unsigned long long since_entry(uint64_t tsc)
{
	return (tsc - plat_boot_times.entry) / (plat_tsc_hz() / 1000000);
}

static int open_port(struct run *r, int argc, char **argv)
{
	struct mempool_conf pool = {.name = "rx", .count = 4096};
	struct port_conf conf = {
		.name = "p0",
		.driver = "virtio",
		.args = arg(argc, argv, "port", "0"),
		.clock = &r->clock,
		.queues = 1,
		.rx_size = (uint16_t)atoi(arg(argc, argv, "rx", "0")),
		.tx_size = (uint16_t)atoi(arg(argc, argv, "tx", "0")),
	};
	struct err err;
	uint64_t t0, t1;

	conf.pool = r->pool = mempool_create(&pool, &err);
	t0 = tsc_read();
	if (!conf.pool || port_open(&r->port, &conf, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	t1 = tsc_read();
	printf("granted %s\n", r->port.grant.text);
	printf("granted mtu %u rx %u tx %u\n", r->port.grant.mtu, r->port.grant.rx_size,
	       r->port.grant.tx_size);
	printf("entry to main %llu us, to mempool %llu us, to port open %llu us\n",
	       since_entry(plat_boot_times.main), since_entry(t0), since_entry(t1));
	return 0;
}

// A broadcast frame of an experimental type (RFC 5342 B.2).
static void fill(struct mbuf *m, unsigned size)
{
	static const uint8_t header[14] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02,
					   0,	 0,    0,    0,	   1,	 0x88, 0xb5};

	m->len = (uint16_t)size;
	m->pkt_len = size;
	memset(m->data, 0, size);
	memcpy(m->data, header, sizeof(header));
}

static unsigned make(struct run *r, struct mbuf **pkts)
{
	if (mempool_get_bulk(r->pool, pkts, BURST))
		return 0;
	for (unsigned i = 0; i < BURST; i++) {
		mbuf_reset(pkts[i]);
		fill(pkts[i], r->size);
	}
	return BURST;
}

static unsigned turn(struct run *r)
{
	struct mbuf *pkts[BURST];
	unsigned n, sent;

	if (r->mode[0] == 't')
		n = make(r, pkts);
	else
		n = port_rx_burst(&r->port, 0, pkts, BURST);
	if (!n)
		return 0;
	if (r->mode[0] == 'r') {
		mbuf_free_bulk(pkts, n);
		return n;
	}
	sent = port_tx_burst(&r->port, 0, pkts, (uint16_t)n);
	if (sent < n)
		mbuf_free_bulk(pkts + sent, n - sent);
	return sent;
}

// Says when the link changes.
static void watch(struct run *r)
{
	struct port_link link;

	port_link(&r->port, &link);
	if (link.up == r->up)
		return;
	r->up = link.up;
	printf("link %s at packet %llu\n", link.up ? "up" : "down", (unsigned long long)r->total);
	fflush(stdout);
}

// The last packets sent still have to be taken: true once that may have happened.
static bool linger(struct run *r)
{
	if (!r->end)
		r->end = r->clock.now + NSEC_PER_SEC / 5;
	return r->clock.now >= r->end;
}

static void run(struct run *r)
{
	uint64_t half = r->seconds * NSEC_PER_SEC / 2;

	for (uint64_t turns = 0; r->clock.now < 2 * half; turns++) {
		uint64_t t0 = tsc_read();
		unsigned n = turn(r);

		r->total += n;
		if (turns % 256 == 0) {
			clock_turn(&r->clock);
			r->port.pmd->poll_queue(&r->port, 0);
			r->port.pmd->poll(&r->port);
			watch(r);
			if (r->total >= r->wanted && linger(r))
				return;
		}
		if (r->clock.now < half)
			continue;
		r->polls++;
		r->packets += n;
		if (n)
			r->busy_cycles += tsc_read() - t0;
		else
			r->empty++;
	}
}

static void print(void *arg, const char *name, uint64_t value)
{
	printf("%s %llu\n", name, (unsigned long long)value);
}

int main(int argc, char **argv)
{
	struct run r = {
		.mode = arg(argc, argv, "mode", "echo"),
		.seconds = (unsigned)atoi(arg(argc, argv, "seconds", "4")),
		.size = (unsigned)atoi(arg(argc, argv, "size", "64")),
		.wanted = strtoull(arg(argc, argv, "packets", "18446744073709551615"), NULL, 10),
	};

	clock_init(&r.clock, CLOCK_REAL);
	if (open_port(&r, argc, argv))
		return 1;
	run(&r);
	port_stats_emit(&r.port, print, NULL);
	print(NULL, "half.packets", r.packets);
	print(NULL, "half.kpps", r.packets * 2 / r.seconds / 1000);
	print(NULL, "half.cycles_x100", r.packets ? r.busy_cycles * 100 / r.packets : 0);
	print(NULL, "half.empty_percent", r.polls ? r.empty * 100 / r.polls : 0);
	print(NULL, "tsc.khz", plat_tsc_hz() / 1000);
	port_close(&r.port, NULL);
	print(NULL, "pool.out", mempool_report(r.pool, NULL));
	return 0;
}
